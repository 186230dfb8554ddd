//! Asking somebody out of the caller's hearing: a colleague, a queue's team. What the agent does with
//! the answer, and what must be true meanwhile: the caller is on hold for as long as it lasts and no
//! longer, and it does not last without an answer.

use super::invariants::{Held, broken};
use super::room::{Asks, Kind, Room, Wanted};
use super::scenario::Act;
use super::world::{Next, World};
use engine::call::event::{Event, Whom};
use engine::id::{CallId, LegId};
use engine::io::{Refusal, Verb};
use engine::time::Instant;
use std::time::Duration;

impl Room {
    /// Who is wanted, and who is on hold because of it.
    pub fn fold_asking(&mut self, event: &Event) {
        match event {
            Event::Wanted { call, work, whom } => {
                let there = self.ears(*call);
                let name = match whom {
                    Some(Whom::Agent(agent)) => Some(agent.index as usize),
                    _ => None,
                };
                self.wanted.insert(*work, Wanted { there, whom: name, asked: whom.is_some() });
            }
            Event::Consulting { call, agent, deadline, .. } => {
                if let Some(it) = self.calls.get_mut(call) {
                    let by = agent.index as usize;
                    it.asks = Some(Asks { by, deadline: *deadline, answered: false });
                }
            }
            Event::ConsultEnded { call, .. } => {
                if let Some(it) = self.calls.get_mut(call) {
                    it.asks = None;
                }
            }
            _ => {}
        }
    }
}

/// Whoever is asked has answered when it says so, or the agent has the caller again.
pub fn i04_is_answered_in_time(room: &Room, now: Instant) -> Held {
    let late = |asks: Asks| !asks.answered && asks.deadline + Duration::from_millis(1) < now;
    match room.calls.iter().find(|(_, it)| it.asks.is_some_and(late)) {
        Some((call, _)) => broken("I4", format!("{call} is on hold for somebody who does not answer")),
        None => Ok(()),
    }
}

impl World {
    /// The caller's own leg.
    fn caller_of(&self, call: CallId) -> Option<LegId> {
        self.snapshots.get(&call)?.legs.first().map(|leg| leg.leg)
    }

    /// What is asked while the caller of this leg is on hold.
    pub fn asked_for(&self, leg: LegId) -> Option<Asks> {
        let call = self.snapshots.iter().find(|(_, it)| it.legs.first().is_some_and(|it| it.leg == leg));
        self.room.calls.get(call?.0)?.asks
    }

    /// A caller whom somebody talks with hears them, but for the time somebody else is asked.
    pub fn i03_hears_somebody(&self) -> Held {
        for (call, it) in &self.room.calls {
            let talks = self.room.ears(*call).iter().any(|ix| !it.lost.contains(ix));
            let talks = talks && it.aside.is_none() && it.waits.is_none();
            let Some(leg) = self.caller_of(*call).filter(|leg| talks && self.ports.contains_key(leg)) else {
                continue;
            };
            let hears = self.joined.contains_key(&leg);
            if hears == it.asks.is_some() {
                let what = if hears { "hears what is asked" } else { "is left on hold" };
                return broken("I3", format!("the caller of {call} {what}"));
            }
        }
        Ok(())
    }

    /// Somebody has come; whether they were asked out of the caller's hearing, and then what follows.
    pub fn tells_whom_was_asked(&mut self, call: CallId, after: Duration) -> bool {
        let Some(asks) = self.room.calls.get(&call).and_then(|it| it.asks) else { return false };
        let mut chance = self.chance.fork(14).fork(call.serial.0).fork(self.seen.joined);
        let act = [Act::Confers, Act::Confers, Act::Leaves, Act::Dismisses][chance.roll(4)];
        self.plan_in(after, Next::Acts(call, asks.by, act));
        true
    }

    /// What was asked is over when its agent says so, and somebody comes only when somebody is there.
    pub fn has_asked(&mut self, call: CallId, ix: usize, asks: Option<Asks>, done: Result<u64, Refusal>) {
        let still = self.room.calls.get(&call).and_then(|it| it.asks);
        let own = asks.is_some_and(|asks| asks.by == ix && asks.answered);
        self.seen.conferred += u64::from(done.is_ok());
        match done {
            Ok(_) if still.is_some() => {
                self.fails("I3", format!("{call} stays on hold when its agent is back"))
            }
            Err(_) if own => self.fails("I3", format!("agent {ix} cannot come back to {call}")),
            _ => {}
        }
    }

    /// A page's key to refuse what rings there.
    pub fn rejects(&mut self, ix: usize) -> bool {
        let Some(offer) = self.room.people[ix].reserved else { return false };
        let mut chance = self.chance.fork(15).fork(ix as u64).fork(self.offered[ix]);
        if self.room.taken.contains(&ix) || !chance.happens(self.scenario.agents[ix].rejects) {
            return false;
        }
        let done = self.commands(ix, Verb::Reject { agent: super::room::agent_id(ix), offer });
        self.seen.refused += u64::from(done.is_ok());
        if done.is_ok() && self.room.offers.contains_key(&offer) {
            self.fails("I1", format!("agent {ix} has refused {offer} and it rings on"));
        }
        true
    }

    /// The first callback is not needed any more.
    pub fn needs_no_callback(&mut self, ix: usize) {
        let first = self.room.waiting.values().find(|waits| waits.kind == Kind::Callback);
        let Some(call) = first.map(|waits| waits.call) else { return };
        let dialling = self.room.calls[&call].callback.is_some_and(|it| it.dialling);
        let done = self.commands(ix, Verb::DismissCallback { call, reason: "seen by a doctor".to_owned() });
        self.seen.dismissed += u64::from(done.is_ok());
        match done {
            Ok(_) if dialling => self.fails("I7", format!("{call} is dismissed while its person is rung")),
            Ok(_) if self.room.calls.contains_key(&call) => {
                self.fails("I6", format!("{call} is dismissed and goes on"));
            }
            Err(refusal) if !dialling => self.fails("I6", format!("{call} cannot be dismissed: {refusal:?}")),
            _ => {}
        }
    }
}
