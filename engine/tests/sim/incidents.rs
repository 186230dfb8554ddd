//! What goes wrong, and what is done now and then: by people, by supervisors, by whoever writes plans.

use super::house::{self, DESKS};
use super::room::{agent_id, other_queue};
use super::scenario::What;
use super::world::{Next, World};
use engine::call::event::Actor;
use engine::id::{CentreId, QueueId};
use engine::io::{Input, Verb};
use std::time::Duration;

fn supervisor() -> Actor {
    Actor::User("supervisor".to_owned())
}

impl World {
    pub fn incident(&mut self, what: What) {
        match what {
            What::Dies(ix) => self.dies(ix),
            What::Back(ix) if self.scenario.agents[ix].page => self.sits_down(ix),
            What::Back(ix) => {
                if let Some(phone) = self.phones.get_mut(&(DESKS + u16::try_from(ix).expect("few"))) {
                    phone.unplugged = false;
                }
                let _ = self.commands(ix, Verb::Ready { agent: agent_id(ix) });
            }
            What::Freezes(ix) => {
                self.pages[ix].frozen = true;
                self.plan_in(Duration::from_secs(20), Next::Comes(ix));
            }
            What::Pause(ix) => {
                let _ = self.commands(ix, Verb::Pause { agent: agent_id(ix), reason: "tea".to_owned() });
            }
            What::Ready(ix) => drop(self.commands(ix, Verb::Ready { agent: agent_id(ix) })),
            What::SignOut(ix) => drop(self.commands(ix, Verb::SignOut { agent: agent_id(ix) })),
            What::Pick(ix) => {
                let last = self.room.waiting.values().max_by_key(|waits| waits.key).map(|waits| waits.call);
                if let Some(call) = last {
                    self.picks(ix, call);
                }
            }
            What::Hold(ix) => {
                if let Some(call) = self.room.people[ix].ear {
                    let _ = self.commands(ix, Verb::Hold { agent: agent_id(ix), call });
                }
            }
            What::Vital(ix) => {
                if let Some(call) = self.room.people[ix].ear {
                    let _ = self.commands(ix, Verb::Vital { agent: agent_id(ix), call });
                }
            }
            What::TakesBack(ix) => self.takes_back(ix),
            What::NotNeeded(ix) => self.needs_no_callback(ix),
            What::Opens(place) => {
                let open = !self.room.opened.contains(&(place as usize));
                let queue = QueueId { centre: CentreId(0), index: place };
                let _ = self.orders(supervisor(), None, Verb::SetOverflow { queue, open });
            }
            What::Steer => self.steers(),
            What::SamePlan => self.same_plan(),
            What::OtherPlan => self.other_plan(),
            What::Wall(hours) => {
                let hour = Duration::from_secs(3_600);
                self.wall = if hours > 0 { self.wall + hour } else { self.wall - hour };
            }
        }
    }

    fn steers(&mut self) {
        let Some((work, waits)) = self.room.waiting.iter().next().map(|(work, it)| (*work, it.clone()))
        else {
            return;
        };
        let verb = match self.chance.roll(3) {
            0 => Verb::Move { work, queue: QueueId { centre: CentreId(0), index: other_queue(waits.queue) } },
            1 => Verb::Qualify { call: waits.call, class: "vital".to_owned() },
            _ => Verb::Qualify { call: waits.call, class: "routine".to_owned() },
        };
        let _ = self.orders(supervisor(), None, verb);
    }

    /// I28: the same plan again changes nothing.
    fn same_plan(&mut self) {
        // What is due at this instant is no doing of the plan.
        self.input(Input::Due, None, true);
        let script = &self.scenario.plans[(self.plans as usize) % self.scenario.plans.len()];
        let (before, plan) = (self.events.len(), house::plan(script, self.plans, self.fault));
        self.input(Input::Plan(CentreId(0), plan), None, true);
        if let Some(other) = self.events[before..].first().cloned() {
            self.fails("I28", format!("the same plan again: {other:?}"));
        }
    }

    fn other_plan(&mut self) {
        self.plans += 1;
        let script = &self.scenario.plans[self.plans as usize % self.scenario.plans.len()];
        let before = std::mem::replace(&mut self.room.plan, script.read(self.plans));
        let same = |place: usize| before.queues[place].overflow == self.room.plan.queues[place].overflow;
        let kept: Vec<bool> = (0..before.queues.len()).map(same).collect();
        self.room.since.retain(|(place, _), _| kept[*place]);
        let plan = house::plan(script, self.plans, self.fault);
        self.input(Input::Plan(CentreId(0), plan), None, true);
    }
}
