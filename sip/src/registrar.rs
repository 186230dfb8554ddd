//! Who is reached where: the registrar of our own phones (RFC 3261 §10.3, digest by RFC 8760).
//!
//! A binding keeps the path its REGISTER came over; calls go back over it (RFC 5626 in spirit),
//! so a phone behind an address translation rings. Unproved requests leave nothing in memory but
//! counts of wrong passwords ([`crate::guesses`]).

mod account;
mod homes;

pub use account::{Account, Registration};

use crate::auth::{Gate, Verdict};
use crate::chance::Keying;
use crate::guesses::Guesses;
use crate::header::auth::{Algorithm, Credentials};
use crate::header::routing::Contact;
use crate::message::{Message, Name, Uri};
use crate::schedule::{Alarm, Schedule};
use crate::time::Instant;
use crate::transport::{Flow, Transport};
use homes::Homes;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// What a phone that names no time gets, and the most any gets: a phone that died is rung in vain
/// for that long at most, every halving doubles the REGISTERs.
pub const EXPIRES_MAX: u32 = 3600;

/// The least a phone may ask for; below it REGISTERs would crowd out calls.
pub const EXPIRES_MIN: u32 = 60;

/// Contacts of one user; the oldest makes room. People have a desk phone, a headset and a spare.
pub const CONTACTS_MAX: usize = 8;

/// Seconds after which a phone's flow without a sign of life may be given up (RFC 5626 §4.4): it pings
/// a little more often, which keeps address translations open for two minutes.
const FLOW_TIMER: u32 = 120;

/// Counts of wrong passwords for names that nobody has. Fewer let one name wait for another's guesses,
/// which no account does; more push the counts of accounts out of memory.
const NAMES_OF_NOBODY: usize = 1024;

/// Nonces of one user whose counts are remembered, one per phone.
const NONCES_MAX: usize = CONTACTS_MAX;

/// The registrations of one realm.
#[derive(Clone)]
pub struct Registrar {
    gate: Gate,
    users: Vec<User>,
    names: HashMap<String, usize, Keying>,
    paths: HashMap<(Transport, SocketAddr), Vec<(usize, u64)>, Keying>,
    schedule: Schedule<(usize, u64)>,
    guesses: Guesses,
    homes: Homes,
    reports: VecDeque<(String, bool)>,
    /// Paths of phones that are reached over another one since.
    moved: VecDeque<(Flow, Flow)>,
    last_binding: u64,
}

#[derive(Clone)]
struct User {
    account: Account,
    bindings: Vec<Binding>,
    /// Connections of its phones that broke: a phone that comes again is in the same talk still. One
    /// for each contact.
    broken: VecDeque<Broken>,
    /// The highest count seen per nonce (RFC 7616 §3.4 `nc`): a proof is good once.
    counts: Vec<(String, u32)>,
}

/// A connection that broke, and whose it was.
#[derive(Clone)]
struct Broken {
    instance: Option<String>,
    uri: String,
    flow: Flow,
}

#[derive(Clone)]
struct Binding {
    id: u64,
    uri: String,
    instance: Option<String>,
    /// Which of its flows this is, when the phone keeps several (RFC 5626 §4.2).
    reg_id: Option<u32>,
    call_id: String,
    cseq: u32,
    flow: Flow,
    expires: Instant,
    alarm: Alarm,
}

/// What a REGISTER is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub code: u16,
    /// Headers of the answer.
    pub headers: Vec<(Name, String)>,
    /// The request was proved: its copies must get the same answer, from a transaction.
    pub proved: bool,
}

impl Answer {
    fn new(code: u16, proved: bool) -> Self {
        Answer { code, headers: Vec::new(), proved }
    }
}

impl Registrar {
    /// Nobody registered yet. `seed` seals the nonces.
    pub fn new(realm: &str, accounts: Vec<Account>, seed: u64) -> Self {
        let keying = Keying::new(seed);
        let mut names = HashMap::with_capacity_and_hasher(accounts.len(), keying);
        for (at, account) in accounts.iter().enumerate() {
            names.insert(account.user.clone(), at);
        }
        let user =
            |account| User { account, bindings: Vec::new(), broken: VecDeque::new(), counts: Vec::new() };
        Registrar {
            gate: Gate::new(realm, seed),
            users: accounts.into_iter().map(user).collect(),
            names,
            paths: HashMap::with_hasher(keying),
            schedule: Schedule::default(),
            guesses: Guesses::new(keying),
            homes: Homes::default(),
            reports: VecDeque::new(),
            moved: VecDeque::new(),
            last_binding: 0,
        }
    }

    /// Takes a REGISTER (§10.3, in its order).
    pub fn receive(&mut self, now: Instant, flow: Flow, request: &Message<'_>) -> Answer {
        let Some(proof) = request.authorization_for(self.gate.realm()) else {
            return self.challenge(now, flow, request, false);
        };
        if !proof.is_for(request) {
            return Answer::new(400, false);
        }
        let at = self.names.get(proof.username).copied();
        let account = at.and_then(|at| self.users.get(at)).map(|user| &user.account);
        // An account without a hash for this algorithm has no proof in it, least of all the empty one.
        let ha1 = account.map(|account| match proof.algorithm {
            Algorithm::Md5 => account.ha1_md5.as_str(),
            Algorithm::Sha256 => account.ha1_sha256.as_str(),
        });
        let ha1 = ha1.filter(|ha1| !ha1.is_empty());
        let source = flow.remote.ip();
        let guessed = self.guessed(proof.username);
        let at_home = at.is_some_and(|at| self.homes.has(at, source));
        let wait = self.guesses.wait(now, source, guessed, at_home);
        if let Some(wait) = wait.filter(|_| !self.renews(at, flow)) {
            let seconds = wait.as_secs().max(1).to_string();
            return Answer { code: 503, headers: vec![(Name::RetryAfter, seconds)], proved: false };
        }
        let verdict = self.gate.verify(now, source, "REGISTER", &proof, ha1);
        match verdict {
            Verdict::Wrong => self.guesses.wrong(now, source, guessed),
            Verdict::Proved => {
                self.guesses.right(source, guessed);
                self.homes.note(guessed, source);
            }
            Verdict::Stale => {}
        }
        let (Verdict::Proved, Some(at)) = (verdict, at) else {
            return self.challenge(now, flow, request, verdict == Verdict::Stale);
        };
        let asks_for = request.to().ok().and_then(|to| to.uri.user());
        if asks_for != Some(proof.username) {
            return Answer::new(403, true);
        }
        if !self.is_counted_up(at, &proof) {
            return self.challenge(now, flow, request, true);
        }
        self.change(now, flow, at, request)
    }

    fn hash(&self, name: &str) -> u64 {
        self.names.hasher().hash_one(name)
    }

    /// Whose wrong passwords are counted together: an account's, or those for names nobody has, which
    /// must wait like accounts do.
    fn guessed(&self, name: &str) -> usize {
        let nobody = || usize::try_from(self.hash(name)).unwrap_or(0) % NAMES_OF_NOBODY;
        self.names.get(name).copied().unwrap_or_else(|| self.users.len() + nobody())
    }

    /// Whether it comes over a path the user is registered over: its phone renews, whoever guesses.
    fn renews(&self, at: Option<usize>, flow: Flow) -> bool {
        let same = |it: &Binding| (it.flow.transport, it.flow.remote) == (flow.transport, flow.remote);
        at.and_then(|at| self.users.get(at)).is_some_and(|user| user.bindings.iter().any(same))
    }

    /// Whether a phone of ours has proved from this address who it is.
    pub fn is_a_home(&self, source: IpAddr) -> bool {
        self.homes.is_anybodys(source)
    }

    /// Both algorithms, the stronger first (RFC 8760 §2.4); MD5 alone to an account that has no
    /// other hash: its phone gives up at a challenge it cannot read (baresip 1.0). A name nobody has is
    /// challenged like one of ours, always the same one, so that names cannot be told apart.
    fn challenge(&self, now: Instant, flow: Flow, request: &Message<'_>, stale: bool) -> Answer {
        let name = request.to().ok().and_then(|to| to.uri.user()).unwrap_or_default();
        let like = || usize::try_from(self.hash(name)).unwrap_or(0).checked_rem(self.users.len());
        let user = self.names.get(name).copied().or_else(like).and_then(|at| self.users.get(at));
        let md5_only = user.is_some_and(|user| user.account.ha1_sha256.is_empty());
        let [sha256, md5] = self.gate.challenges(now, flow.remote.ip(), stale);
        let challenges = if md5_only { vec![md5] } else { vec![sha256, md5] };
        let headers = challenges.into_iter().map(|challenge| (Name::WwwAuthenticate, challenge)).collect();
        Answer { code: 401, headers, proved: false }
    }

    /// Whether the count of this nonce has gone up; notes it.
    fn is_counted_up(&mut self, at: usize, proof: &Credentials<'_>) -> bool {
        let Some(user) = self.users.get_mut(at) else { return false };
        // Without `qop` there is no count (RFC 2069); such a nonce is good once.
        let count = match proof.nc {
            Some(nc) => u32::from_str_radix(nc, 16).unwrap_or(0),
            None => 1,
        };
        if let Some((_, seen)) = user.counts.iter_mut().find(|(nonce, _)| nonce == proof.nonce) {
            let up = count > *seen;
            *seen = count.max(*seen);
            return up;
        }
        if user.counts.len() == NONCES_MAX {
            user.counts.remove(0);
        }
        user.counts.push((proof.nonce.to_owned(), count));
        count > 0
    }

    fn change(&mut self, now: Instant, flow: Flow, at: usize, request: &Message<'_>) -> Answer {
        let contacts: Vec<Contact<'_>> = request.contacts().collect();
        let call_id = request.call_id().unwrap_or_default();
        let cseq = request.cseq().map_or(0, |cseq| cseq.number);
        let asked = request.expires();
        let seconds = |contact: &Contact<'_>| contact.expires().or(asked).unwrap_or(EXPIRES_MAX);
        let was_reachable = self.is_reachable(at);
        if contacts.iter().any(|contact| matches!(contact, Contact::All)) {
            if contacts.len() > 1 || asked != Some(0) {
                return Answer::new(400, true);
            }
            self.remove(at, |_| true);
        }
        let overtaken = |contact: &Contact<'_>| match contact {
            Contact::At(address) => self.users.get(at).is_some_and(|user| {
                user.bindings.iter().any(|binding| {
                    binding.uri.as_bytes() == address.raw_uri
                        && binding.call_id == call_id
                        && binding.cseq >= cseq
                })
            }),
            Contact::All => false,
        };
        if contacts.iter().any(overtaken) {
            return Answer::new(500, true);
        }
        if contacts.iter().any(|contact| (1..EXPIRES_MIN).contains(&seconds(contact))) {
            let headers = vec![(Name::MinExpires, EXPIRES_MIN.to_string())];
            return Answer { code: 423, headers, proved: true };
        }
        for contact in &contacts {
            let Contact::At(address) = contact else { continue };
            let (Uri::Sip { .. }, Ok(uri)) = (address.uri, std::str::from_utf8(address.raw_uri)) else {
                continue;
            };
            let instance = address.params.value("+sip.instance");
            let reg_id = address.params.value("reg-id").and_then(|id| id.parse().ok());
            // The same phone after a restart has another port and the same instance; each of its flows
            // is a binding of its own (RFC 5626 §6).
            let before = self.remove(at, |binding| {
                let same_flow = instance.is_some() && binding.instance.as_deref() == instance;
                (binding.uri == uri || same_flow) && binding.reg_id == reg_id
            });
            let seconds = seconds(contact).min(EXPIRES_MAX);
            if seconds > 0 {
                self.moves(at, &before, instance, uri, flow);
                let source = Source { flow, call_id, cseq, reg_id };
                self.bind(now, at, uri, instance, source, Duration::from_secs(seconds.into()));
            }
        }
        self.report(at, was_reachable);
        let mut answer = self.list(now, at);
        if keeps_flows(flow, request) {
            // §6: the phone may count on its flow, and pings it (CRLF) before this is over.
            answer
                .headers
                .extend([(Name::Require, "outbound".to_owned()), (Name::FlowTimer, FLOW_TIMER.to_string())]);
        }
        answer
    }

    fn bind(
        &mut self,
        now: Instant,
        at: usize,
        uri: &str,
        instance: Option<&str>,
        source: Source<'_>,
        life: Duration,
    ) {
        self.last_binding += 1;
        let (id, expires, flow) = (self.last_binding, now + life, source.flow);
        let Some(user) = self.users.get_mut(at) else { return };
        let oldest = (user.bindings.len() >= CONTACTS_MAX).then(|| user.bindings[0].id);
        let alarm = self.schedule.arm(expires, (at, id));
        user.bindings.push(Binding {
            id,
            uri: uri.to_owned(),
            instance: instance.map(str::to_owned),
            reg_id: source.reg_id,
            call_id: source.call_id.to_owned(),
            cseq: source.cseq,
            flow,
            expires,
            alarm,
        });
        self.paths.entry((flow.transport, flow.remote)).or_default().push((at, id));
        if let Some(oldest) = oldest {
            self.remove(at, |binding| binding.id == oldest);
        }
    }

    /// Notes that a phone is reached over `to` from here on, and no longer as before.
    ///
    /// A phone that names no instance is known by its Contact; one with a Contact of its own each time
    /// only while no other phone could be meant.
    fn moves(&mut self, at: usize, before: &[Binding], instance: Option<&str>, uri: &str, to: Flow) {
        let Some(user) = self.users.get_mut(at) else { return };
        let nameless = user.broken.iter().filter(|it| it.instance.is_none());
        let is_only = before.is_empty() && nameless.count() == 1;
        let is_it = |it: &Broken| match (&it.instance, instance) {
            (Some(theirs), Some(named)) => theirs == named,
            (None, None) => it.uri == uri || is_only,
            _ => false,
        };
        let same: Vec<Flow> = user.broken.iter().filter(|it| is_it(it)).map(|it| it.flow).collect();
        user.broken.retain(|it| !is_it(it));
        let from = before.iter().map(|binding| binding.flow).chain(same).filter(|from| *from != to);
        self.moved.extend(from.map(|from| (from, to)));
    }

    fn remove(&mut self, at: usize, which: impl Fn(&Binding) -> bool) -> Vec<Binding> {
        let Some(user) = self.users.get_mut(at) else { return Vec::new() };
        let gone: Vec<Binding> = user.bindings.extract_if(.., |binding| which(binding)).collect();
        for gone in &gone {
            self.schedule.cancel(gone.alarm);
            let path = (gone.flow.transport, gone.flow.remote);
            if let Some(there) = self.paths.get_mut(&path) {
                there.retain(|(_, id)| *id != gone.id);
                if there.is_empty() {
                    self.paths.remove(&path);
                }
            }
        }
        gone
    }

    /// 200 with what is bound (§10.3 step 8).
    fn list(&self, now: Instant, at: usize) -> Answer {
        let bindings = self.users.get(at).map(|user| user.bindings.as_slice()).unwrap_or_default();
        let line = |binding: &Binding| {
            let left = binding.expires.since(now).as_secs();
            (Name::Contact, format!("<{}>;expires={left}", binding.uri))
        };
        Answer { code: 200, headers: bindings.iter().map(line).collect(), proved: true }
    }

    fn is_reachable(&self, at: usize) -> bool {
        self.users.get(at).is_some_and(|user| !user.bindings.is_empty())
    }

    fn report(&mut self, at: usize, was_reachable: bool) {
        let reachable = self.is_reachable(at);
        if reachable != was_reachable
            && let Some(user) = self.users.get(at)
        {
            self.reports.push_back((user.account.user.clone(), reachable));
        }
    }

    /// Where `user` is reached, latest registration first.
    pub fn contacts(&self, user: &str) -> Vec<Registration> {
        let bindings = self.names.get(user).and_then(|at| self.users.get(*at)).map(|user| &user.bindings);
        let registration = |binding: &Binding| Registration {
            uri: binding.uri.clone(),
            flow: binding.flow,
            expires: binding.expires,
        };
        let mut rung: Vec<&str> = Vec::new();
        let latest = bindings.into_iter().flatten().rev().filter(|binding| {
            // A phone with several flows rings once, over the latest (RFC 5626 §5.3).
            let Some(instance) = binding.instance.as_deref() else { return true };
            let first = !rung.contains(&instance);
            rung.push(instance);
            first
        });
        latest.map(registration).collect()
    }

    /// Who registered over this path, the latest.
    pub fn user_at(&self, flow: Flow) -> Option<&str> {
        let (at, _) = self.paths.get(&(flow.transport, flow.remote))?.last()?;
        self.users.get(*at).map(|user| user.account.user.as_str())
    }

    /// A connection closed: who registered over it is not there any more.
    pub fn handle_flow_failed(&mut self, flow: Flow) {
        let Some(there) = self.paths.get(&(flow.transport, flow.remote)) else { return };
        let mut users: Vec<usize> = there.iter().map(|(at, _)| *at).collect();
        users.dedup();
        for at in users {
            let was_reachable = self.is_reachable(at);
            for gone in self.remove(at, |binding| binding.flow == flow) {
                self.breaks(at, gone);
            }
            self.report(at, was_reachable);
        }
    }

    /// A phone's connection broke: another of its own takes its place (RFC 5626 §5.3), or the one it
    /// opens next.
    fn breaks(&mut self, at: usize, gone: Binding) {
        let Some(user) = self.users.get_mut(at) else { return };
        let same = |it: &&Binding| it.instance.is_some() && it.instance == gone.instance;
        if let Some(other) = user.bindings.iter().rev().find(same) {
            return self.moved.push_back((gone.flow, other.flow));
        }
        if user.broken.len() == CONTACTS_MAX {
            user.broken.pop_front();
        }
        user.broken.push_back(Broken { instance: gone.instance, uri: gone.uri, flow: gone.flow });
    }

    /// Removes what has expired.
    pub fn handle_due(&mut self, now: Instant) {
        self.guesses.handle_due(now);
        while let Some((at, id)) = self.schedule.pop_due(now) {
            let was_reachable = self.is_reachable(at);
            self.remove(at, |binding| binding.id == id);
            self.report(at, was_reachable);
        }
    }

    /// Users who have become reachable (true) or are so no more, in order.
    pub fn poll(&mut self) -> Option<(String, bool)> {
        self.reports.pop_front()
    }

    /// Phones that are reached over another path from here on: from which, and over which.
    pub fn poll_moved(&mut self) -> Option<(Flow, Flow)> {
        self.moved.pop_front()
    }

    /// When the next binding expires.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.schedule.next().into_iter().chain(self.guesses.poll_timeout()).min()
    }

    /// Whether nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
            && self.schedule.is_empty()
            && self.guesses.is_empty()
            && self.reports.is_empty()
            && self.moved.is_empty()
    }
}

/// Whether a phone registers a flow to be kept. Over datagrams it would ping by STUN, which nobody here
/// answers: it is not told that it may.
fn keeps_flows(flow: Flow, request: &Message<'_>) -> bool {
    let knows = request.supported().chain(request.require()).any(|tag| tag.eq_ignore_ascii_case("outbound"));
    let names = |contact: Contact<'_>| match contact {
        Contact::At(address) => address.params.has("reg-id") && address.params.has("+sip.instance"),
        Contact::All => false,
    };
    flow.transport.is_reliable() && knows && request.contacts().any(names)
}

/// Which request a binding comes from.
#[derive(Clone, Copy)]
struct Source<'a> {
    flow: Flow,
    call_id: &'a str,
    cseq: u32,
    reg_id: Option<u32>,
}
