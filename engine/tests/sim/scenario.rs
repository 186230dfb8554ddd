//! An evening as it will be played: who calls, who sits there, what goes wrong. Made from one seed;
//! every part has a number of its own, so that leaving one out changes nothing of the others.

use super::plans::{PlanScript, RULES};
use engine::sim::Chance;
use std::time::Duration;

/// One evening.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub network: Network,
    /// The plans of the room: the second first, then each at its change.
    pub plans: [PlanScript; 2],
    pub agents: Vec<AgentScript>,
    pub callers: Vec<CallerScript>,
    pub incidents: Vec<Incident>,
}

/// What the network does to each message.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    pub loss: f64,
    pub duplicate: f64,
    /// Milliseconds at least, and up to so many more: what overtakes what follows from it.
    pub delay: (u64, u64),
}

/// One attempt of one caller.
#[derive(Clone, Debug)]
pub struct CallerScript {
    pub nth: u64,
    pub at: Duration,
    pub called: &'static str,
    /// The telephone: who calls again has the same.
    pub number: u64,
    pub patience: Duration,
    pub talk: Duration,
    pub ends: Ends,
}

/// How a talk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    Caller,
    Agent,
    /// The caller's line goes dead without a word.
    Dies,
}

/// What an agent does with the call in the ear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The vital key.
    Vital,
    /// To the people of the other queue, as something else or as it is.
    HandsOver(Option<&'static str>),
    /// Back to whoever had handed it over.
    RefersBack,
    /// Out of a conversation others are in.
    Leaves,
    /// To the shared list.
    Holds,
    /// Wants to talk with the caller again, later.
    PlansCallback,
    /// Ends the call, and the work goes on.
    DropsToCallback,
    /// Asks the next colleague of the roster, out of the caller's hearing.
    AsksColleague,
    /// The same, of whoever of the other queue is free first.
    AsksTeam,
    /// Whoever was asked comes to the caller.
    Confers,
    /// Whoever was asked is let go.
    Dismisses,
}

/// Somebody of the roster.
#[derive(Clone, Debug)]
pub struct AgentScript {
    pub page: bool,
    pub skills: &'static [&'static str],
    /// Milliseconds from the ringing to the key.
    pub reaction: (u64, u64),
    /// Share of offers nobody is there for, and share refused.
    pub absent: f64,
    pub rejects: f64,
}

/// Something that happens at a time.
#[derive(Clone, Debug)]
pub struct Incident {
    pub at: Duration,
    pub what: What,
}

/// What happens. Agents are places in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The desk phone's cable, or the browser.
    Dies(usize),
    Back(usize),
    /// The page stands still: it shows nothing and says nothing.
    Freezes(usize),
    Pause(usize),
    Ready(usize),
    SignOut(usize),
    /// Picks somebody who waits, whatever the order.
    Pick(usize),
    /// Puts the call in the ear on the shared list.
    Hold(usize),
    /// Takes back a caller who was handed over.
    TakesBack(usize),
    /// Somebody says that the first callback is not needed any more.
    NotNeeded(usize),
    /// A supervisor opens the way out of a queue, or closes it.
    Opens(u32),
    /// The vital key.
    Vital(usize),
    /// A supervisor says how urgent something is, or moves it.
    Steer,
    SamePlan,
    OtherPlan,
    /// The wall clock jumps by so many hours.
    Wall(i8),
}

const NUMBERS: [&str; 6] = ["15", "15", "3115", "18", "1599", "116117"];
/// When the last caller has hung up at the latest.
pub const EVENING: Duration = Duration::from_secs(600);

impl Scenario {
    pub fn of(seed: u64) -> Scenario {
        let mut chance = Chance::new(seed);
        let network = match chance.roll(4) {
            0 => Network { loss: 0.0, duplicate: 0.0, delay: (1, 0) },
            1 => Network { loss: 0.0, duplicate: 0.05, delay: (5, 60) },
            2 => Network { loss: 0.03, duplicate: 0.02, delay: (5, 40) },
            _ => Network { loss: 0.15, duplicate: 0.1, delay: (10, 400) },
        };
        let plans = [PlanScript::of(&mut chance), PlanScript::of(&mut chance)];
        let count = 2 + chance.roll(4);
        let agents = (0..count).map(|_| AgentScript::of(&mut chance)).collect();
        let mut callers: Vec<CallerScript> = Vec::new();
        for nth in 0..6 + chance.roll(15) as u64 {
            let again = callers.last().filter(|_| chance.happens(0.3)).cloned();
            callers.push(CallerScript::of(nth, again, &mut chance));
        }
        let incidents = (0..4 + chance.roll(16)).map(|_| Incident::of(count, &mut chance)).collect();
        Scenario { seed, network, plans, agents, callers, incidents }
    }

    /// Everything that can be left out, as one list.
    pub fn parts(&self) -> usize {
        self.callers.len() + self.incidents.len() + 1 + RULES.len()
    }

    /// The same evening without some of its parts; the last are the network's faults and the plans' rules.
    pub fn without(&self, dropped: &[bool]) -> Scenario {
        let mut less = self.clone();
        let (callers, rest) = dropped.split_at(self.callers.len());
        let (incidents, network) = rest.split_at(self.incidents.len());
        let mut gone = callers.iter();
        less.callers.retain(|_| !gone.next().copied().unwrap_or(false));
        let mut gone = incidents.iter();
        less.incidents.retain(|_| !gone.next().copied().unwrap_or(false));
        if network.first() == Some(&true) {
            less.network = Network { loss: 0.0, duplicate: 0.0, delay: (1, 0) };
        }
        for (rule, _) in RULES.into_iter().zip(&network[1..]).filter(|(_, gone)| **gone) {
            less.plans = less.plans.map(|plan| plan.without(Some(rule)));
        }
        less
    }
}

impl AgentScript {
    fn of(chance: &mut Chance) -> AgentScript {
        let skills: [&'static [&'static str]; 8] = [
            &["arm"],
            &["arm:2"],
            &["arm", "room"],
            &["arm:3", "room:2"],
            &["room:2"],
            &["room"],
            &["arm", "chief"],
            &["room:2", "chief:2"],
        ];
        let slow = chance.happens(0.2);
        AgentScript {
            page: chance.happens(0.5),
            skills: skills[chance.roll(skills.len())],
            reaction: if slow { (4_000, 9_000) } else { (300, 3_000) },
            absent: if chance.happens(0.3) { 0.4 } else { 0.02 },
            rejects: if chance.happens(0.2) { 0.3 } else { 0.0 },
        }
    }
}

impl CallerScript {
    fn of(nth: u64, again: Option<CallerScript>, chance: &mut Chance) -> CallerScript {
        let millis =
            |chance: &mut Chance, from: u64, to: usize| Duration::from_millis(from + chance.roll(to) as u64);
        let at = match &again {
            Some(earlier) => earlier.at + earlier.patience + millis(chance, 1_000, 60_000),
            None => millis(chance, 0, 200_000),
        };
        let patience = match chance.roll(4) {
            0 => millis(chance, 0, 10_000),
            1 => millis(chance, 10_000, 60_000),
            _ => millis(chance, 60_000, 120_000),
        };
        CallerScript {
            nth,
            at,
            called: again.as_ref().map_or(NUMBERS[chance.roll(NUMBERS.len())], |earlier| earlier.called),
            number: again.map_or(nth, |earlier| earlier.number),
            patience,
            talk: millis(chance, 500, 60_000),
            ends: [Ends::Caller, Ends::Agent, Ends::Caller, Ends::Agent, Ends::Dies][chance.roll(5)],
        }
    }
}

impl Incident {
    fn of(agents: usize, chance: &mut Chance) -> Incident {
        let at = Duration::from_millis(1_000 + chance.roll(300_000) as u64);
        let who = chance.roll(agents);
        let what = match chance.roll(22) {
            0 | 1 => What::Dies(who),
            2 | 3 => What::Back(who),
            4 => What::Freezes(who),
            5 => What::Pause(who),
            6 => What::Ready(who),
            7 => What::SignOut(who),
            8 | 9 => What::Pick(who),
            10 => What::Hold(who),
            11 => What::Vital(who),
            12 => What::Steer,
            13 => What::SamePlan,
            14 => What::OtherPlan,
            15 | 16 => What::TakesBack(who),
            17 | 18 => What::Opens(1),
            19 | 20 => What::NotNeeded(who),
            _ => What::Wall(if chance.happens(0.5) { 1 } else { -1 }),
        };
        Incident { at, what }
    }
}
