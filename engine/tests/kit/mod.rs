//! A carrier's trunk and desk phones, played in memory: real SIP bytes go through the engine, time is
//! ours. Every step's outputs are kept with the step's number, so that "in the same step" is a test.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of the kit")]

pub mod beside;
pub mod page;
pub mod peer;
pub mod plan;
pub mod sip;

use self::sip::Sip;
use ::sip::transport::{Flow, Peer, Transport};
use engine::Engine;
use engine::call::event::{Beside, Entry, Event, Seat};
use engine::call::record::Record;
use engine::call::snapshot::{CallSnapshot, LeftBehind, LegSnapshot, MajorSnapshot};
use engine::dialplan::Dialplan;
use engine::id::{AgentId, CallId, CentreId, LegId, MajorId, PageId};
use engine::io::{Command, Counter, Input, Outcome, Output, Verb};
use engine::media::{MediaCommand, MediaEvent, MediaPort};
use engine::site::{AgentSite, CentreSite, ContactSite, Phone, Reach, Role, Site, Strangers, TrunkSite};
use engine::time::{Instant, Now};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Where the engine says it is.
pub const ENGINE: &str = "127.0.0.1:5060";

/// One message the engine sent.
pub struct Sent {
    pub step: u64,
    pub to: SocketAddr,
    pub sip: Sip,
}

/// An engine with its trunks and phones.
pub struct Room {
    pub engine: Engine,
    pub step: u64,
    pub wire: Vec<Sent>,
    pub log: Vec<(u64, Entry)>,
    pub media: Vec<(u64, MediaCommand)>,
    pub records: Vec<Record>,
    pub journal: Vec<CallSnapshot>,
    /// The last word on each major event that is not over.
    pub majors: BTreeMap<MajorId, MajorSnapshot>,
    pub forgotten: Vec<CallId>,
    pub outcomes: Vec<Outcome>,
    pub counted: Vec<Counter>,
    /// Phones and trunks that answer nothing, as if unplugged.
    pub dead: HashSet<SocketAddr>,
    at: Duration,
    /// What the wall clock said at the start; a test makes it jump by changing it.
    pub wall: SystemTime,
    ports: HashMap<LegId, MediaPort>,
    /// Pages whose peer connection stands, and legs opened on one.
    pages: HashSet<PageId>,
    on_page: HashMap<LegId, PageId>,
    /// What agents' pages were told about their audio.
    pub answers: Vec<(AgentId, Option<String>)>,
    /// Agents whose pages were asked for a fresh connection.
    pub unheard: Vec<AgentId>,
    replies: VecDeque<Reply>,
    seqs: HashMap<CentreId, u64>,
    pub(crate) count: u32,
}

enum Reply {
    Sip(SocketAddr, String),
    Media(MediaEvent),
}

/// The address phone `index` sits at.
pub fn phone_at(index: u32) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7000 + u16::try_from(index).expect("few phones")))
}

/// The address of trunk `index`.
pub fn trunk_at(index: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 6000 + index))
}

/// Another address of the carrier that rings outside for us.
pub fn second_address() -> SocketAddr {
    trunk_at(50)
}

/// The agent of phone `index` in the first centre.
pub fn agent(index: u32) -> AgentId {
    AgentId { centre: CentreId(0), index }
}

/// A roster of desk phones at fixed addresses, from `first` on.
pub fn desks(first: u32, count: u32, always_ready: bool) -> Vec<AgentSite> {
    let desk = |index: u32| AgentSite {
        name: format!("desk-{index}"),
        role: Role::Agent,
        skills: vec!["arm".to_owned()],
        position: format!("P{index}"),
        fallback: None,
        phone: Phone::Static { uri: format!("sip:{index}@{}", phone_at(index)), address: phone_at(index) },
        always_ready,
        wrap_up: None,
    };
    (first..first + count).map(desk).collect()
}

/// A centre.
pub fn centre(plan: &str, agents: Vec<AgentSite>) -> CentreSite {
    let plan = Dialplan::parse("test.toml", plan).unwrap_or_else(|error| panic!("{error}"));
    CentreSite {
        name: "samu".to_owned(),
        plan: Arc::new(plan),
        trunks: Vec::new(),
        agents,
        directory: vec![
            ContactSite { name: "sdis-69".to_owned(), number: "0472000018".to_owned(), trunks: vec![1] },
            ContactSite {
                name: "interpreter".to_owned(),
                number: "0800000001".to_owned(),
                trunks: vec![1, 0],
            },
        ],
        wrap_up: Duration::ZERO,
    }
}

/// A site of these centres, with two trunks.
pub fn site(centres: Vec<CentreSite>) -> Site {
    let trunk = |index: u16| TrunkSite {
        name: format!("trunk-{index}"),
        peers: vec![trunk_at(index)],
        reach: Reach { targets: vec![trunk_at(index)], ..Reach::default() },
    };
    Site {
        epoch: 3,
        product: "bandeau".to_owned(),
        contact: ENGINE.parse().expect("an address"),
        listeners: Vec::new(),
        realm: "test".to_owned(),
        trunks: vec![trunk(0), trunk(1)],
        centres,
        calls_max: 1_000,
        phones_srtp: engine::site::Srtp::Off,
        strangers: Strangers::Forbid,
    }
}

impl Room {
    /// One centre on the plan of the tests, with `phones` always-ready desks.
    pub fn new(phones: u32) -> Room {
        Room::of(site(vec![centre(plan::TEXT, desks(0, phones, true))]))
    }

    /// The same with desks nobody is ready at.
    pub fn unready(phones: u32) -> Room {
        Room::of(site(vec![centre(plan::TEXT, desks(0, phones, false))]))
    }

    /// Any site, with plenty of media ports on two threads.
    pub fn of(site: Site) -> Room {
        Room::with_ports(site, 400)
    }

    /// Any site and so many media ports.
    pub fn with_ports(site: Site, count: u16) -> Room {
        let mut room = Room {
            engine: Engine::new(site, 7),
            step: 0,
            wire: Vec::new(),
            log: Vec::new(),
            media: Vec::new(),
            records: Vec::new(),
            journal: Vec::new(),
            majors: BTreeMap::new(),
            forgotten: Vec::new(),
            outcomes: Vec::new(),
            counted: Vec::new(),
            dead: HashSet::new(),
            at: Duration::ZERO,
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_435_200), // 2026-11-23, a Monday
            ports: HashMap::new(),
            pages: HashSet::new(),
            on_page: HashMap::new(),
            answers: Vec::new(),
            unheard: Vec::new(),
            replies: VecDeque::new(),
            seqs: HashMap::new(),
            count: 0,
        };
        let port = |index: u16| {
            let rtp = SocketAddr::from(([127, 0, 0, 1], 20_000 + 2 * index));
            MediaPort::as_bound(rtp, index % 2)
        };
        room.input(Input::Media(MediaEvent::Ports((0..count).map(port).collect())));
        room
    }

    /// Another start after this one was killed: what the journal holds is all it knows.
    pub fn killed(self, site: Site, after: Duration) -> Room {
        self.killed_and_read(site, after, |_| {})
    }

    /// The same with the journal's lines of calls as `written` makes them.
    pub fn killed_and_read(
        self,
        mut site: Site,
        after: Duration,
        written: impl Fn(&mut serde_json::Value),
    ) -> Room {
        let calls = self.alive().into_values().cloned();
        let mut calls: Vec<CallSnapshot> = calls.collect();
        calls.sort_by_key(|snapshot| snapshot.record.arrived_at);
        let majors: Vec<MajorSnapshot> = self.majors.values().cloned().collect();
        let read = |call: &CallSnapshot| {
            let mut line = serde_json::to_value(call).expect("writes");
            written(&mut line);
            serde_json::from_str(&line.to_string()).expect("reads back")
        };
        let calls = calls.iter().map(read).collect();
        let read = |text: String| serde_json::from_str(&text).expect("reads back");
        let majors = majors.iter().map(|it| read(serde_json::to_string(it).expect("writes"))).collect();
        site.epoch += 1;
        let mut room = Room::of(site);
        (room.at, room.wall) = (self.at + after, self.wall + after);
        room.input(Input::LeftBehind(Box::new(LeftBehind { calls, majors })));
        room
    }

    /// Since the start.
    pub fn at(&self) -> Duration {
        self.at
    }

    fn now(&self) -> Now {
        let from = Instant::from_nanos(1_000_000_000_000);
        Now { at: from + self.at, utc: self.wall + self.at }
    }

    /// One step of the engine, and the steps that the peers' own reactions make.
    pub fn input(&mut self, input: Input<'_>) {
        self.take(input);
        while let Some(reply) = self.replies.pop_front() {
            match reply {
                Reply::Sip(from, text) => self.deliver(from, &text),
                Reply::Media(event) => self.take(Input::Media(event)),
            }
        }
    }

    /// A peer's message, as one step and the peers' reactions.
    pub fn send(&mut self, from: SocketAddr, text: &str) {
        self.replies.push_back(Reply::Sip(from, text.to_owned()));
        while let Some(reply) = self.replies.pop_front() {
            match reply {
                Reply::Sip(from, text) => self.deliver(from, &text),
                Reply::Media(event) => self.take(Input::Media(event)),
            }
        }
    }

    fn deliver(&mut self, from: SocketAddr, text: &str) {
        let local = ENGINE.parse().expect("an address");
        let flow = Flow { transport: Transport::Udp, local, remote: from, connection: 0 };
        let peer = match from.port() {
            6000..7000 => Peer::Trunk(from.port() - 6000),
            7000..8000 => Peer::Phone,
            _ => Peer::Stranger,
        };
        self.take(Input::Sip { flow, peer, bytes: text.as_bytes() });
    }

    fn take(&mut self, input: Input<'_>) {
        self.step += 1;
        self.engine.handle_input(self.now(), input);
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Transmit(out) => {
                    let sip = Sip::read(&out.bytes);
                    self.react(out.flow.remote, &sip);
                    self.wire.push(Sent { step: self.step, to: out.flow.remote, sip });
                }
                Output::Media(command) => self.plane(command),
                Output::Logged(entry) => {
                    let seq = self.seqs.entry(entry.centre).or_insert(0);
                    assert_eq!(entry.seq, *seq + 1, "I25: the log of {:?} has a gap", entry.centre);
                    *seq = entry.seq;
                    self.log.push((self.step, entry));
                }
                Output::PageSdp { agent, answer } => self.answers.push((agent, answer)),
                Output::PageUnheard { agent } => self.unheard.push(agent),
                Output::Outcome(outcome) => self.outcomes.push(outcome),
                Output::Journal(snapshot) => self.journal.push(*snapshot),
                Output::JournalMajor(snapshot) => drop(self.majors.insert(snapshot.event, *snapshot)),
                Output::ForgetMajor(event) => drop(self.majors.remove(&event)),
                Output::Forget(call) => self.forgotten.push(call),
                Output::Record(record) => self.records.push(*record),
                Output::Counted(counter) => {
                    assert!(!matches!(counter, Counter::Never(_)), "{counter:?}");
                    self.counted.push(counter);
                }
            }
        }
    }

    fn plane(&mut self, command: MediaCommand) {
        match &command {
            MediaCommand::Open { leg, port, .. } => {
                let twice = self.ports.values().any(|open| open == port);
                assert!(!twice, "one port, one leg");
                self.ports.insert(*leg, *port);
            }
            MediaCommand::Close { leg } => {
                if self.on_page.remove(leg).is_none() {
                    let port = self.ports.remove(leg).expect("only an open leg is closed");
                    self.replies.push_back(Reply::Media(MediaEvent::Ports(vec![port])));
                }
            }
            MediaCommand::PageOpen { page, .. } => {
                self.pages.insert(*page);
                let (page, answer) = (*page, format!("answer to {page}"));
                self.replies.push_back(Reply::Media(MediaEvent::PageAnswered { page, answer }));
                self.replies.push_back(Reply::Media(MediaEvent::PageUp { page }));
            }
            MediaCommand::PageClose { page } => {
                assert!(self.pages.remove(page), "only an open page is closed");
            }
            MediaCommand::OpenOnPage { leg, page } => {
                assert!(self.pages.contains(page), "a leg opens on a page that is there");
                let taken = self.on_page.values().any(|other| other == page);
                assert!(!taken, "a page carries one leg at a time");
                self.on_page.insert(*leg, *page);
            }
            MediaCommand::Update { leg, .. }
            | MediaCommand::Play { leg, .. }
            | MediaCommand::Join { leg, .. }
            | MediaCommand::Voice { leg, .. }
            | MediaCommand::Leave { leg }
            | MediaCommand::Listen { leg, .. } => {
                let open = self.ports.contains_key(leg) || self.on_page.contains_key(leg);
                assert!(open, "{command:?}: no such leg");
            }
        }
        self.media.push((self.step, command));
    }

    /// Time passes, deadline by deadline.
    pub fn pass(&mut self, time: Duration) {
        let until = self.at + time;
        let origin = Instant::from_nanos(1_000_000_000_000);
        for _ in 0..100_000 {
            let due = self.engine.poll_timeout().map(|at| at.since(origin));
            match due.filter(|due| *due <= until) {
                Some(due) => {
                    self.at = due.max(self.at);
                    self.input(Input::Due);
                }
                None => {
                    self.at = until;
                    return;
                }
            }
        }
        panic!("deadlines without end: a timer that fires moves on");
    }

    /// Time passes while the engine is kept from its deadlines: a busy machine.
    pub fn late(&mut self, time: Duration) {
        self.at += time;
    }

    /// Somebody commands.
    pub fn command(&mut self, actor: engine::call::event::Actor, verb: Verb) -> Outcome {
        self.count += 1;
        let id = format!("cmd-{}", self.count);
        self.command_as(id, actor, verb)
    }

    /// Somebody commands, with an id of theirs.
    pub fn command_as(&mut self, id: String, actor: engine::call::event::Actor, verb: Verb) -> Outcome {
        let command = Command { centre: CentreId(0), id: id.clone(), actor, verb };
        self.input(Input::Command(command));
        self.outcomes.iter().rev().find(|it| it.id == id).cloned().expect("every command has an outcome")
    }

    /// What happened since `step`, in order.
    pub fn events_since(&self, step: u64) -> Vec<&Event> {
        self.log.iter().filter(|(at, _)| *at > step).map(|(_, entry)| &entry.event).collect()
    }

    /// The step of the first event after `step` that fits.
    pub fn step_of(&self, fits: impl Fn(&Event) -> bool) -> Option<u64> {
        self.log.iter().find(|(_, entry)| fits(&entry.event)).map(|(step, _)| *step)
    }

    /// Nothing lives any more: no call, no port, no transaction, and one record per call.
    pub fn rest(&mut self) {
        self.dismiss_callbacks();
        self.pass(Duration::from_secs(400));
        self.dismiss_callbacks();
        self.pass(Duration::from_secs(40));
        assert!(self.engine.is_idle(), "at rest every map is empty (I23)");
        assert!(self.engine.has_no_dialog(), "and no dialog is left in the endpoint");
        assert!(self.ports.is_empty(), "every port is given back: {:?}", self.ports);
        assert!(self.on_page.is_empty(), "no leg stays on a page: {:?}", self.on_page);
        let mut arrived: Vec<CallId> = self
            .log
            .iter()
            .filter_map(|(_, entry)| match &entry.event {
                Event::Arrived { call, .. } | Event::Beside(Beside::CallbackOpened { call, .. }) => {
                    Some(*call)
                }
                _ => None,
            })
            .collect();
        let mut recorded: Vec<CallId> = self.records.iter().map(|record| record.call).collect();
        arrived.sort();
        recorded.sort();
        assert_eq!(arrived, recorded, "one record per call (I6)");
        let journalled: HashSet<CallId> = self.journal.iter().map(|snapshot| snapshot.call).collect();
        let forgotten: HashSet<CallId> = self.forgotten.iter().copied().collect();
        assert_eq!(journalled, forgotten, "what was journalled is forgotten at the end");
        self.conserved();
    }

    /// Every work item that entered left in exactly one way (I6).
    fn conserved(&self) {
        let mut open: HashMap<engine::id::WorkId, u32> = HashMap::new();
        for (_, entry) in &self.log {
            match &entry.event {
                // A failed offer puts the same item back without a new line; a loss makes a new one.
                Event::Queued { work, .. } => {
                    open.entry(*work).or_insert(1);
                }
                Event::Connected { work, .. } | Event::Withdrawn { work, .. } => {
                    let left = open.get_mut(work).expect("left without having entered");
                    assert_eq!(*left, 1, "one way out for {work}");
                    *left = 0;
                }
                _ => {}
            }
        }
        assert!(open.values().all(|left| *left == 0), "items still in a queue: {open:?}");
    }

    /// The latest snapshot of every call that lives.
    pub fn alive(&self) -> BTreeMap<CallId, &CallSnapshot> {
        let gone: HashSet<CallId> = self.forgotten.iter().copied().collect();
        let alive = self.journal.iter().filter(|it| !gone.contains(&it.call));
        alive.map(|it| (it.call, it)).collect()
    }

    /// Whoever talks is heard by somebody of ours, or the clock runs that brings somebody (I7, I34).
    pub fn nobody_is_left_alone(&self) {
        for (call, snapshot) in self.alive() {
            let speaks = |leg: &LegSnapshot| leg.agent.is_some() && leg.seat == Seat::Speaks;
            let talks = snapshot.talk.as_ref().is_some_and(|talk| talk.connected);
            let heard = snapshot.lost || snapshot.legs.iter().any(speaks);
            assert!(heard || !talks, "I7: {call} talks with nobody: {snapshot:?}");
        }
    }

    pub(crate) fn reply(&mut self, from: SocketAddr, text: String) {
        self.replies.push_back(Reply::Sip(from, text));
    }

    /// Legs the media plane holds, in order.
    pub fn open_legs(&self) -> Vec<LegId> {
        let mut legs: Vec<LegId> = self.ports.keys().chain(self.on_page.keys()).copied().collect();
        legs.sort();
        legs
    }

    /// Silence, or sound, from a leg's peer.
    pub fn silent(&mut self, leg: LegId, seconds: u16) {
        self.input(Input::Media(MediaEvent::Silent { leg, seconds }));
    }
}
