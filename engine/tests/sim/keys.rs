//! What agents press, and whether the engine does with it what the judge expects.

use super::order;
use super::room::{Key, agent_id, other_queue};
use super::scenario::Act;
use super::world::{Fault, World};
use engine::call::event::{Actor, Event};
use engine::id::{CallId, CentreId, LegId, QueueId, WorkId};
use engine::io::{Command, Input, Refusal, Verb, Whom};
use engine::media::MediaEvent;
use std::collections::BTreeMap;
use std::time::Duration;

impl World {
    /// The key, and what it has taken.
    pub fn presses_the_key(&mut self, ix: usize) {
        let first = order::first_for_the_key(&self.room, ix, self.now());
        let keys: BTreeMap<WorkId, Key> = self.room.waiting.iter().map(|(id, it)| (*id, it.key)).collect();
        let from = self.events.len();
        let _ = self.commands(ix, Verb::Answer { agent: agent_id(ix) });
        let taken = self.events[from..].iter().find_map(|event| match event {
            Event::Connected { work, agent, .. } if *agent == agent_id(ix) => keys.get(work).copied(),
            _ => None,
        });
        let held = order::i11_of_the_key(first, taken, ix);
        self.seen.keys += u64::from(taken.is_some());
        self.break_on(held);
    }

    /// An item of the list, whatever its place: while a vital one waits that this agent could take, the
    /// engine asks once whether it is meant.
    pub fn picks(&mut self, ix: usize, call: CallId) {
        let passes = order::passes_over_vital(&self.room, ix, call, self.now());
        let agent = agent_id(ix);
        let confirmed = self.fault == Fault::PicksUnasked;
        let asked = self.commands(ix, Verb::Pick { agent, call, confirmed });
        match (asked, passes) {
            (Err(Refusal::VitalWaits), false) => {
                self.fails("I11", format!("agent {ix} is told that a vital item waits, and none does"));
            }
            (Ok(_), true) => {
                self.fails("I11", format!("agent {ix} picks {call} before a vital item and is not asked"));
            }
            (Err(Refusal::VitalWaits), true) => {
                self.seen.confirmed += 1;
                let meant = self.commands(ix, Verb::Pick { agent, call, confirmed: true });
                if meant == Err(Refusal::VitalWaits) {
                    self.fails("I11", format!("agent {ix} means it and is asked again"));
                }
            }
            (Err(Refusal::TakenBy(winner)), _) => self.has_won(winner.index as usize, call),
            _ => {}
        }
    }

    /// Somebody else was faster: they have it, or ring for it by their own will.
    fn has_won(&mut self, winner: usize, call: CallId) {
        self.seen.lost_races += 1;
        let person = &self.room.people[winner];
        let rings = self.room.offered(person.reserved).is_some_and(|waits| waits.call == call);
        if person.ear != Some(call) && !rings {
            self.fails("I2", format!("agent {winner} is said to have {call}, and has not"));
        }
    }

    /// An alert is taken: what is in the ear makes room.
    pub fn comes(&mut self, ix: usize) {
        if let Some(offer) = self.room.people[ix].summoned {
            let came = self.commands(ix, Verb::Claim { agent: agent_id(ix), offer });
            self.seen.came += u64::from(came.is_ok());
        }
    }

    /// Somebody takes back the first caller who was handed over and waits.
    pub fn takes_back(&mut self, ix: usize) {
        let handed =
            |it: &&CallId| self.room.calls[*it].handed.is_some() && self.room.calls[*it].waits.is_some();
        let Some(call) = self.room.calls.keys().find(handed).copied() else { return };
        let back = self.commands(ix, Verb::TakeBack { agent: agent_id(ix), call, confirmed: true });
        self.seen.taken_back += u64::from(back.is_ok());
    }

    /// What an agent does with the call in the ear.
    pub fn acts(&mut self, call: CallId, ix: usize, act: Act) {
        if self.room.people[ix].ear != Some(call) {
            return;
        }
        let agent = agent_id(ix);
        let others = self.room.ears(call).len() > 1;
        let there = self.room.calls[&call].queue;
        let queue = QueueId { index: other_queue(there), ..there };
        let verb = match act {
            Act::Vital => Verb::Vital { agent, call },
            Act::HandsOver(class) => {
                let class = class.map(str::to_owned);
                Verb::HandOver { agent, call, queue, class, note: None }
            }
            Act::RefersBack => Verb::ReferBack { agent, call, note: None },
            Act::Leaves => Verb::Leave { agent, call },
            Act::Holds => Verb::Hold { agent, call },
            Act::PlansCallback => Verb::PlanCallback { call, after: Duration::from_secs(40), note: None },
            Act::DropsToCallback => Verb::DropToCallback { agent, call, note: None },
            Act::AsksColleague => {
                let whom = Whom::Agent(agent_id((ix + 1) % self.room.people.len()));
                Verb::Consult { agent, call, whom }
            }
            Act::AsksTeam => Verb::Consult { agent, call, whom: Whom::Queue(queue) },
            Act::Confers => Verb::Conference { agent, call },
            Act::Dismisses => Verb::Dismiss { agent, call },
        };
        let asks = self.room.calls[&call].asks;
        let done = self.commands(ix, verb);
        match act {
            Act::Confers | Act::Dismisses => self.has_asked(call, ix, asks, done),
            Act::HandsOver(_) => self.seen.handed += u64::from(done.is_ok()),
            Act::RefersBack => self.seen.referred += u64::from(done.is_ok()),
            Act::Leaves if done.is_ok() && !others => {
                self.fails("I7", format!("agent {ix} leaves {call} and nobody is with the caller"));
            }
            _ => {}
        }
    }

    /// A caller who waits presses a key: the first raises the class, from the menu that is open.
    pub fn dials_a_key(&mut self, call: CallId, leg: LegId, key: char) {
        let waits = |world: &World| {
            let work = world.room.calls.get(&call)?.waits?;
            world.room.waiting.get(&work).filter(|waits| !world.room.is_bound(waits)).cloned()
        };
        let (Some(before), true) = (waits(self), self.ports.contains_key(&leg)) else { return };
        self.input(Input::Media(MediaEvent::Digit { leg, digit: key }), None, false);
        // Whoever has talked with somebody has no menu any more.
        let first = self.room.works.values().filter(|it| **it == call).count() == 1;
        let Some(after) = waits(self).filter(|_| key == '1' && first) else { return };
        self.seen.keys_of_callers += 1;
        // A declared need has a target of five seconds.
        let at_most = before.key.2 + Duration::from_secs(5);
        if after.key.0 && after.key.1 > at_most {
            self.fails("I17", format!("{call} has pressed 1 and stands where it stood"));
        }
    }

    pub fn commands(&mut self, ix: usize, verb: Verb) -> Result<u64, Refusal> {
        self.orders(Actor::Agent(agent_id(ix)), Some(ix), verb)
    }

    pub fn orders(&mut self, actor: Actor, by: Option<usize>, verb: Verb) -> Result<u64, Refusal> {
        self.commands += 1;
        let id = format!("cmd-{}", self.commands);
        let anybody = by.is_none();
        if let (Some(ix), Verb::Ready { .. }) = (by, &verb) {
            self.room.shows_life(ix, self.now());
        }
        self.outcome = Err(Refusal::Unknown);
        self.input(Input::Command(Command { centre: CentreId(0), id, actor, verb }), by, anybody);
        self.outcome
    }
}
