//! What is played: the plan, who calls, who answers, for how long.

use super::chance::Law;
use super::traffic::Traffic;
use crate::dialplan::{ClassId, Dialplan};
use crate::site::{AgentSite, Phone, Role};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What is played.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Who is asked which queue and class a call gets.
    pub plan: Arc<Dialplan>,
    /// Who calls.
    pub traffic: Traffic,
    /// Who answers.
    pub crews: Vec<Crew>,
    /// Where an answered call may go on.
    pub second: Option<Second>,
    /// What the wall clock says at the start: calendars read it.
    pub from: SystemTime,
    /// From the first possible call to the last.
    pub lasts: Duration,
    /// Calls before this are played and not counted.
    pub warm_up: Duration,
    /// Slices of the curves; `None`: no curves.
    pub slice: Option<Duration>,
    /// A major event is open.
    pub crisis: bool,
    /// The evening.
    pub seed: u64,
}

/// People with the same skills and habits.
#[derive(Clone, Debug)]
pub struct Crew {
    /// As the plan names them.
    pub skills: Vec<String>,
    /// How many from the start.
    pub count: u32,
    /// How many from a time on; who is too many goes home after the talk.
    pub later: Vec<(Duration, u32)>,
    /// They answer by a page; otherwise by a desk phone.
    pub pages: bool,
    /// From the ringing to the hand on the key.
    pub reaction: Law,
    /// Share of offers nobody is there for.
    pub absent: f64,
    /// After a talk.
    pub wrap_up: Duration,
}

/// A second stage: answered calls that go on to a doctor.
#[derive(Clone, Debug)]
pub struct Second {
    /// Place of its queue in the plan.
    pub queue: u32,
    /// Class its calls wait in.
    pub class: ClassId,
    /// So many of the answered calls.
    pub share: f64,
    /// How long the doctor talks.
    pub handling: Law,
}

impl Crew {
    pub(super) fn person(&self, nth: usize, place: u32) -> AgentSite {
        // Never rung for real: the floor only asks whether it is a page or a phone at a fixed place.
        let address = ([127, 0, 0, 1], 5060).into();
        let desk = Phone::Static { uri: String::new(), address };
        AgentSite {
            name: format!("crew-{nth}-{place}"),
            role: Role::Agent,
            skills: self.skills.clone(),
            position: String::new(),
            phone: if self.pages { Phone::Page } else { desk },
            fallback: None,
            always_ready: false,
            wrap_up: Some(self.wrap_up),
        }
    }
}
