//! How the carriers stand, and in which order our own calls try them.
//!
//! Pure: it is told what was answered and what came, and answers with [`TrunkStep`]s. Each target of
//! a trunk is asked by OPTIONS; whatever it answers but 503, or sends by itself, proves that it
//! lives. Many a carrier answers no OPTIONS at all: its silence then says nothing, and its calls do. Nothing here decides about calls that come in: a trunk that is down may still call.

mod registration;

use crate::call::event::{Private, TrunkState};
use crate::site::{Reach, Site, Srtp};
use crate::time::Instant;
use registration::Registration;
use sip::endpoint::{Ask, Credentials, ErrandEnd, ErrandId};
use sip::transport::{Flow, Transport};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long a target may take to answer. Eight retransmissions fit a slow path's 500 ms; longer
/// would let the next caller find out.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// Between two questions while an answer is missing: a carrier that comes back is used again soon.
const AGAIN: Duration = Duration::from_secs(5);

/// Misses in a row after which a target is down.
const MISSES_DOWN: u32 = 3;

/// How long what a target has sent by itself speaks for it, when it leaves OPTIONS unanswered. A trunk
/// of an emergency number is seldom silent for an hour; shorter, and a quiet night makes the state of
/// one that never answers change with each call.
const WORD_STANDS: Duration = Duration::from_secs(3_600);

/// One way for a call of ours: a carrier at one of its addresses.
#[derive(Clone, Debug)]
pub struct Way {
    /// The trunk, by its index in the site.
    pub trunk: u16,
    /// The path.
    pub flow: Flow,
    /// Host of the Request-URI, From and To.
    pub host: String,
    /// Whether audio is enciphered.
    pub srtp: Srtp,
    /// What challenges are answered with.
    pub account: Option<Credentials>,
    /// The number the carrier has sent the call on to (3xx), where it has.
    pub moved: Option<Private>,
}

/// Whose a failure of a call of ours is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The carrier's, at this address: its next is tried, and this one is in doubt.
    Address,
    /// The carrier's, at each of its addresses: it does not know the number, or cannot do what we ask for.
    /// The next trunk is tried; this one is as well as before.
    Carrier,
    /// The called person's, or their phone's: every way leads to the same one.
    Person,
}

/// Whose fault a final response is (RFC 3261 §21, RFC 3398 §8.2.6.1).
pub fn fault(code: u16) -> Fault {
    match code {
        // Our account there, or the way on from there. Silence is 408.
        401 | 403 | 407 | 408 | 430 => Fault::Address,
        // Not implemented, version, too large: the next address is the same machine again.
        501 | 505 | 513 => Fault::Carrier,
        500..=599 => Fault::Address,
        // Anonymity unwanted, unavailable, busy, taken back, in the middle of another change; busy
        // everywhere, declined, unwanted.
        433 | 480 | 486 | 487 | 491 | 600 | 603 | 607 => Fault::Person,
        // Redirected to no place of theirs; a number unknown, gone, incomplete or ambiguous there; a loop
        // there; media or an extension it cannot do. Numbers move between networks, and routes differ.
        _ => Fault::Carrier,
    }
}

/// What is to be done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TrunkStep {
    /// Ask a target; its id is told by [`Trunks::asked`].
    Ask {
        /// The trunk.
        trunk: usize,
        /// Over which path.
        flow: Flow,
        /// What.
        ask: Ask,
    },
    /// An answer is not waited for any more.
    Drop(ErrandId),
    /// A trunk stands differently.
    Changed {
        /// The trunk.
        trunk: usize,
        /// How.
        state: TrunkState,
    },
}

/// Every trunk of the site.
#[derive(Debug, Default)]
pub(crate) struct Trunks {
    each: Vec<Trunk>,
    errands: HashMap<ErrandId, (usize, Errand)>,
    steps: VecDeque<TrunkStep>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errand {
    Options(SocketAddr),
    Register,
}

#[derive(Debug)]
struct Trunk {
    reach: Reach,
    /// Where its calls come from.
    peers: Vec<SocketAddr>,
    targets: Vec<Target>,
    /// As last told; `None` while nothing is known and nobody asks.
    told: Option<TrunkState>,
    registration: Option<Registration>,
}

#[derive(Debug)]
struct Target {
    flow: Flow,
    state: TrunkState,
    misses: u32,
    /// When the first of them was noticed.
    doubted: Instant,
    /// When it is asked next, or, while asked, given up.
    due: Instant,
    asked: Option<ErrandId>,
    /// Whether it has answered OPTIONS since the start: if not, silence is its way.
    answers: bool,
    /// When it last sent something by itself, or took our registration.
    spoke: Option<Instant>,
}

impl Trunks {
    pub(crate) fn new(site: &Site) -> Trunks {
        let each = site.trunks.iter().map(|trunk| {
            let targets = trunk.reach.targets.iter().map(|at| target(site, trunk.reach.transport, *at));
            let targets = targets.collect();
            let registration = trunk.reach.registered.map(Registration::new);
            let (reach, peers) = (trunk.reach.clone(), trunk.peers.clone());
            Trunk { reach, peers, targets, told: None, registration }
        });
        Trunks { each: each.collect(), ..Trunks::default() }
    }

    /// What a trunk's names stand for from here on; no answer is no change.
    pub(crate) fn resolved(&mut self, site: &Site, trunk: u16, addresses: &[SocketAddr]) {
        let Some(it) = self.each.get_mut(usize::from(trunk)).filter(|_| !addresses.is_empty()) else {
            return;
        };
        let mut before = std::mem::take(&mut it.targets);
        for at in addresses {
            let known = before.iter().position(|target| target.flow.remote == *at);
            it.targets.push(match known {
                Some(index) => before.swap_remove(index),
                None => target(site, it.reach.transport, *at),
            });
        }
        for gone in before.iter().filter_map(|target| target.asked) {
            self.errands.remove(&gone);
            self.steps.push_back(TrunkStep::Drop(gone));
        }
        self.judge(usize::from(trunk));
    }

    /// A message came from a trunk: whoever sends it lives.
    pub(crate) fn heard(&mut self, now: Instant, trunk: u16, from: IpAddr) {
        let index = usize::from(trunk);
        let Some(it) = self.each.get_mut(index).filter(|it| it.reach.asked.is_some()) else { return };
        let mut changed = false;
        for target in it.targets.iter_mut().filter(|target| target.flow.remote.ip() == from) {
            changed |= target.speaks(now);
        }
        if changed {
            self.judge(index);
        }
    }

    /// A call of ours over this way failed by [`Fault::Address`].
    pub(crate) fn failed(&mut self, now: Instant, way: &Way) {
        let index = usize::from(way.trunk);
        let Some(it) = self.each.get_mut(index).filter(|it| it.reach.asked.is_some()) else { return };
        let mut targets = it.targets.iter_mut();
        let Some(target) = targets.find(|target| target.flow.remote == way.flow.remote) else { return };
        if target.state == TrunkState::Up {
            (target.state, target.misses, target.spoke) = (TrunkState::Suspect, 1, None);
            if target.asked.is_none() {
                target.due = now;
            }
            self.judge(index);
        }
    }

    /// The errand of a step.
    pub(crate) fn asked(&mut self, now: Instant, trunk: usize, at: SocketAddr, ask: Ask, id: ErrandId) {
        let Some(it) = self.each.get_mut(trunk) else { return };
        let errand = match ask {
            Ask::Options => {
                let Some(target) = it.targets.iter_mut().find(|target| target.flow.remote == at) else {
                    return;
                };
                (target.asked, target.due) = (Some(id), now + ANSWER_WITHIN);
                Errand::Options(at)
            }
            Ask::Register { .. } => {
                let Some(registration) = &mut it.registration else { return };
                registration.asked(now, id, at);
                Errand::Register
            }
        };
        self.errands.insert(id, (trunk, errand));
    }

    /// An errand is over.
    pub(crate) fn answered(&mut self, now: Instant, id: ErrandId, end: &ErrandEnd) {
        let Some((trunk, errand)) = self.errands.remove(&id) else { return };
        let Some(it) = self.each.get_mut(trunk) else { return };
        match errand {
            Errand::Options(at) => {
                let every = it.reach.asked.unwrap_or(AGAIN);
                let Some(target) = it.targets.iter_mut().find(|target| target.flow.remote == at) else {
                    return;
                };
                target.asked = None;
                target.answers |= end.heard;
                // 503 is the one answer that says "not here" (RFC 3261 §21.5.4).
                if end.heard && end.code != 503 {
                    (target.state, target.misses, target.due) = (TrunkState::Up, 0, now + every);
                } else {
                    target.miss(now, every);
                }
            }
            Errand::Register => {
                let (known, registration) = it.registration();
                let Some(registration) = registration else { return };
                let taken = registration.settle(now, end, &known);
                let its = it.targets.iter_mut().filter(|_| it.reach.asked.is_some());
                for target in its.filter(|target| Some(target.flow.remote) == taken) {
                    target.speaks(now);
                }
            }
        }
        self.judge(trunk);
    }

    /// Does what is due.
    pub(crate) fn handle_due(&mut self, now: Instant) {
        for trunk in 0..self.each.len() {
            self.register(now, trunk);
            let it = &mut self.each[trunk];
            let changed = it.ask_targets(now, trunk, &mut self.errands, &mut self.steps);
            if changed {
                self.judge(trunk);
            }
        }
    }

    /// A connection of ours is gone. A carrier that sends its calls over the one we have registered by has no
    /// way to us until we register again.
    pub(crate) fn broke(&mut self, now: Instant, flow: Flow) {
        let its = self.each.iter_mut().filter(|it| it.reach.transport == flow.transport);
        for registration in its.filter_map(|it| it.registration.as_mut()) {
            registration.broke(now, flow.remote);
        }
    }

    /// Tells a carrier where we are, when that is due; at another of its addresses when one is silent or dead.
    fn register(&mut self, now: Instant, trunk: usize) {
        let it = &mut self.each[trunk];
        let (known, registration) = it.registration();
        let Some(registration) = registration.filter(|_| !known.targets.is_empty()) else { return };
        let left = registration.leaves_the_dead(now, &known);
        if registration.due > now {
            return;
        }
        let given_up = registration.give_up(now, &known);
        if let Some(id) = given_up {
            self.errands.remove(&id);
            self.steps.push_back(TrunkStep::Drop(id));
        }
        if registration.due <= now
            && let Some(flow) = registration.next(now, &known)
        {
            let ask = Ask::Register { expires: registration.seconds() };
            self.steps.push_back(TrunkStep::Ask { trunk, flow, ask });
        }
        if left || given_up.is_some() {
            self.judge(trunk);
        }
    }

    /// What to do next, in order, until `None`.
    pub(crate) fn poll(&mut self) -> Option<TrunkStep> {
        self.steps.pop_front()
    }

    /// When to come back if nothing else happens.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let targets = self.each.iter().filter(|it| it.reach.asked.is_some()).flat_map(|it| &it.targets);
        let registrations = self.each.iter().filter(|it| !it.targets.is_empty());
        let registrations = registrations.filter_map(|it| it.registration.as_ref().map(|it| it.due));
        targets.map(|target| target.due).chain(registrations).min()
    }

    /// Every way over these trunks, best first: in their order among those that are up, then those
    /// in doubt, at last those that are down, for a wrong answer is better than none.
    pub(crate) fn ways(&self, trunks: &[u16]) -> Vec<Way> {
        let mut ways: Vec<(TrunkState, Way)> = Vec::new();
        for &index in trunks {
            let Some(trunk) = self.each.get(usize::from(index)) else { continue };
            let reach = &trunk.reach;
            ways.extend(trunk.targets.iter().map(|target| {
                let state = if reach.asked.is_some() { target.state } else { TrunkState::Up };
                let host = reach.domain.clone().unwrap_or_else(|| host(target.flow.remote));
                let account = reach.account.clone();
                (state, Way { trunk: index, flow: target.flow, host, srtp: reach.srtp, account, moved: None })
            }));
        }
        ways.sort_by_key(|(state, _)| *state); // stable: the order given stands within a state
        ways.into_iter().map(|(_, way)| way).collect()
    }

    /// Settings of one trunk.
    pub(crate) fn reach(&self, trunk: usize) -> Option<&Reach> {
        self.each.get(trunk).map(|it| &it.reach)
    }

    /// Whether calls of ours go there over this trunk.
    pub(crate) fn has_target(&self, trunk: u16, at: SocketAddr) -> bool {
        let it = self.each.get(usize::from(trunk));
        it.is_some_and(|it| it.targets.iter().any(|target| target.flow.remote == at))
    }

    /// The registration at a trunk.
    pub(crate) fn registration(&mut self, trunk: usize) -> Option<&mut Registration> {
        self.each.get_mut(trunk)?.registration.as_mut()
    }

    /// Tells how a trunk stands when that is news: as its best target, and in doubt while it does
    /// not know where we are.
    fn judge(&mut self, trunk: usize) {
        let Some(it) = self.each.get_mut(trunk) else { return };
        let asked = it.reach.asked.and_then(|_| it.targets.iter().map(|target| target.state).min());
        let registered = it.registration.as_ref().map(|registration| match registration.stands() {
            true => TrunkState::Up,
            false => TrunkState::Suspect,
        });
        let state = [asked, registered].into_iter().flatten().max();
        if state.is_some() && state != it.told {
            it.told = state;
            self.steps.extend(state.map(|state| TrunkStep::Changed { trunk, state }));
        }
    }
}

impl Trunk {
    /// Asks the targets that are due, and takes answers that have not come for misses; whether there was
    /// one.
    fn ask_targets(
        &mut self,
        now: Instant,
        trunk: usize,
        errands: &mut HashMap<ErrandId, (usize, Errand)>,
        steps: &mut VecDeque<TrunkStep>,
    ) -> bool {
        let Some(every) = self.reach.asked else { return false };
        let mut missed = false;
        let due = self.targets.iter_mut().filter(|target| target.due <= now);
        for target in due {
            match target.asked.take() {
                Some(id) => {
                    errands.remove(&id);
                    steps.push_back(TrunkStep::Drop(id));
                    target.miss(now, every);
                    missed = true;
                }
                None => {
                    target.due = now + ANSWER_WITHIN;
                    steps.push_back(TrunkStep::Ask { trunk, flow: target.flow, ask: Ask::Options });
                }
            }
        }
        missed
    }

    /// Its registration, and the places one may be made at.
    fn registration(&mut self) -> (registration::Places<'_>, Option<&mut Registration>) {
        let targets = self.targets.iter().map(|target| (target.flow, target.state)).collect();
        (registration::Places { targets, peers: &self.peers }, self.registration.as_mut())
    }
}

impl Target {
    fn miss(&mut self, now: Instant, every: Duration) {
        if self.misses == 0 {
            self.doubted = now;
        }
        self.misses = self.misses.saturating_add(1);
        let state = if self.misses >= MISSES_DOWN { TrunkState::Down } else { TrunkState::Suspect };
        self.state = self.spoken_for(now, state);
        // Where silence is its way, nothing is found out by asking more often.
        self.due = now + if self.state == TrunkState::Up { every } else { AGAIN };
    }

    /// It has sent something by itself, or has taken our registration: whether that changes how it stands.
    fn speaks(&mut self, now: Instant) -> bool {
        self.spoke = Some(now);
        if self.state != TrunkState::Up && self.asked.is_none() {
            // Asked at once: that it can call does not say that it can be called.
            self.due = now;
        }
        let before = self.state;
        self.state = self.spoken_for(now, before);
        self.state != before
    }

    /// How it stands when answers alone would say `state`. What a target has sent by itself keeps it up where
    /// it never answered, and in doubt where it has sent it since it stopped answering.
    fn spoken_for(&self, now: Instant, state: TrunkState) -> TrunkState {
        let Some(at) = self.spoke.filter(|at| now.since(*at) < WORD_STANDS) else { return state };
        match self.answers {
            true if at < self.doubted => state,
            true => state.min(TrunkState::Suspect),
            false => TrunkState::Up,
        }
    }
}

fn target(site: &Site, transport: Transport, remote: SocketAddr) -> Target {
    let flow = Flow { transport, local: site.local(transport, remote), remote, connection: 0 };
    // In doubt until it has answered once; asked at the first chance.
    let (state, due) = (TrunkState::Suspect, Instant::ZERO);
    Target { flow, state, misses: 0, doubted: due, due, asked: None, answers: false, spoke: None }
}

fn host(address: SocketAddr) -> String {
    address.to_string()
}

#[cfg(test)]
mod tests;
