//! Dialplans: which queue and class a call gets, decided by a checked file.
//!
//! Text becomes a draft (what is written, with its place in the file), a draft becomes a
//! [`Dialplan`] or one [`PlanError`], and only a [`Dialplan`] can serve. Evaluating it cannot
//! fail: a default route is part of the type's promise, and "refuse" cannot be written.

mod callback;
mod facts;
mod queues;
mod simulation;
mod skill;

mod calendar;
mod check;
mod condition;
mod diff;
mod draft;
mod error;
mod eval;
mod examples;
mod explain;
mod grammar;
mod hops;
mod reader;
mod schema;

pub use callback::CallbackPlan;
pub use diff::{Affected, Changed, Diff, Difference};
pub use error::{Place, PlanError, Problem, QueueFault, RouteFault, Warning};
pub use explain::{Decided, Explanation, Outcome, Reason, Verdict};
pub use facts::{Earlier, Facts, Repeat, Room, State};
pub use hops::Neighbour;
pub use queues::{
    Destination, HoldMode, MenuKey, MenuPlan, OfferPlan, OverflowCause, OverflowRule, QueuePlan, Relax,
    Strategy, VitalPlan, Widen,
};
pub use simulation::{Answered, Promise, Simulation, Traffic};
pub use skill::SkillNeed;

use std::collections::HashMap;
use std::time::Duration;

/// One centre's checked plan: the only type that can serve.
#[derive(Debug, PartialEq)]
pub struct Dialplan {
    /// Its name (`plan`), for boards and records.
    pub name: String,
    /// Its version, as the author counts.
    pub version: String,
    /// Classes; a [`ClassId`] is a place in this list.
    pub classes: Vec<Class>,
    /// Queues in the order of the file; a queue's index is the place in this list.
    pub queues: Vec<QueuePlan>,
    /// Whom the centre calls back; `None`: nobody.
    pub callback: Option<CallbackPlan>,
    zone: chrono_tz::Tz,
    services: Vec<eval::Service>,
    numbers: HashMap<String, u16>,
    urns: Vec<(String, u16)>,
    calendars: Vec<calendar::Calendar>,
    /// From the highest priority down, without the default.
    routes: Vec<eval::Route>,
    default: eval::Route,
    modifiers: Vec<eval::Modifier>,
    /// How many examples hold.
    examples: usize,
    simulations: Vec<Simulation>,
    places: Places,
}

/// Every sound of a plan and where it is first asked for, and where its queues stand. The places are for errors: two plans
/// that differ in nothing else are the same.
#[derive(Debug, Default)]
struct Places {
    sounds: Vec<(String, Place)>,
    /// Where each route with leads says so: its place, its name, and whom it asks for.
    leads: Vec<(Place, String, Vec<SkillNeed>)>,
    /// Where queues overflow to another centre, and to which.
    hops: Vec<(Place, String)>,
    /// Where each queue says who serves it.
    queues: Vec<Place>,
}

impl PartialEq for Places {
    fn eq(&self, other: &Places) -> bool {
        self.sounds.iter().map(|(name, _)| name).eq(other.sounds.iter().map(|(name, _)| name))
    }
}

/// Who is asked first for a route's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerPlan {
    /// Whoever owns the caller's file: the agent who talked with them last.
    File,
    /// This agent, by the name they sign in with: a direct line.
    Person(String),
}

impl std::fmt::Display for OwnerPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OwnerPlan::File => f.write_str("the owner of the caller's file"),
            OwnerPlan::Person(name) => f.write_str(name),
        }
    }
}

/// What the site has, where the reader of a plan knows it: names are checked against it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// Every trunk's name.
    pub trunks: Option<&'a [String]>,
    /// Every centre's name, this one's included.
    pub centres: Option<&'a [String]>,
    /// The name of the centre that the plan is for.
    pub centre: Option<&'a str>,
    /// The name of every agent of that centre.
    pub agents: Option<&'a [String]>,
}

/// A class of one plan: its place in [`Dialplan::classes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassId(pub u16);

/// How urgent: the fence first, then arrival + target, then arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name in the plan, on boards and in records.
    pub name: String,
    /// Confirmed vital: before every class that is not.
    pub fence: bool,
    /// Added to the arrival; zero behind the fence.
    pub target: Duration,
}

/// What the plan decides for one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed<'p> {
    /// The service of the called number; [`Dialplan::UNKNOWN`] when the plan does not name it.
    pub service: &'p str,
    /// The route that won.
    pub route: &'p str,
    /// Names of the modifiers that applied, in the order of the file.
    pub modifiers: Vec<&'p str>,
    /// The queue's place in [`Dialplan::queues`].
    pub queue: u32,
    /// The class after the modifiers.
    pub class: ClassId,
    /// How this caller is held.
    pub hold: HoldMode,
    /// Sounds played once, in order, while waiting.
    pub announce: &'p [String],
    /// The sound repeated while waiting.
    pub hold_sound: &'p str,
    /// Waiting of an earlier call that counts for this one.
    pub credit: Duration,
    /// Keys this caller may press while waiting.
    pub menu: Option<&'p MenuPlan>,
    /// Put on the call by the route and the modifiers, each once.
    pub tags: Vec<&'p str>,
    /// Whoever meets one of these may be offered the call as well, from the start.
    pub add: Vec<SkillNeed>,
    /// Agents with this skill are preferred, for as long as that delays nobody.
    pub language: Option<&'p str>,
    /// What agents are shown beside the call, in the order of the modifiers.
    pub show: Vec<&'p str>,
    /// Who is asked first.
    pub owner: Option<&'p OwnerPlan>,
    /// How long they are asked alone.
    pub alone: Duration,
    /// Whoever meets one of these, and before the fence nobody else; empty: whoever serves the queue.
    pub leads: &'p [SkillNeed],
    /// Another organisation's line: it may take what a queue reserves.
    pub partner: bool,
}

/// Whether a service of this name is another organisation's line: many persons, never one who calls again.
pub fn is_partner_service(name: &str) -> bool {
    name == "partner" || name.starts_with("partner-")
}

/// Sorts classes: the fence first, then the shorter target.
fn urgency(classes: &[Class], id: ClassId) -> (bool, Duration) {
    let class = classes.get(usize::from(id.0));
    class.map_or((true, Duration::MAX), |class| (!class.fence, class.target))
}

impl Dialplan {
    /// The service of a number the plan does not name.
    pub const UNKNOWN: &'static str = "unknown";
    /// What a waiting caller hears when the plan names no sound.
    pub const HOLD_SOUND: &'static str = "hold";
    /// How long an owner is asked alone when the plan does not say: a phone's time to ring, and to reach
    /// it.
    pub const ALONE: Duration = Duration::from_secs(10);
    /// The largest text read: a plan of 100 kB is read by nobody, a file of another kind by mistake.
    pub const BYTES_MAX: usize = 1_000_000;

    /// A class of this plan; `None` for another plan's.
    pub fn class(&self, id: ClassId) -> Option<&Class> {
        self.classes.get(usize::from(id.0))
    }

    /// A class by its name.
    pub fn class_named(&self, name: &str) -> Option<ClassId> {
        let place = self.classes.iter().position(|class| class.name == name)?;
        u16::try_from(place).ok().map(ClassId)
    }

    /// A queue's place by its name.
    pub fn queue_named(&self, name: &str) -> Option<u32> {
        let place = self.queues.iter().position(|queue| queue.name == name)?;
        u32::try_from(place).ok()
    }

    /// The name of a queue by its place; empty for another plan's.
    pub fn queue_name(&self, place: u32) -> &str {
        let queue = usize::try_from(place).ok().and_then(|place| self.queues.get(place));
        queue.map_or("", |queue| queue.name.as_str())
    }

    /// A call of class `from` to which somebody or something gives `to`: it is raised, or stays.
    pub fn raised(&self, from: ClassId, to: ClassId) -> ClassId {
        if self.urgency(to) < self.urgency(from) { to } else { from }
    }

    /// The most urgent class of all: confirmed vital. What nobody could qualify counts as this.
    pub fn vital(&self) -> ClassId {
        let place = self.classes.iter().position(|class| class.fence);
        // A checked plan has one; the first class is as near as another could come.
        ClassId(place.and_then(|place| u16::try_from(place).ok()).unwrap_or(0))
    }

    /// The service of a called number or URN: exact match.
    pub fn service(&self, called: &str) -> Option<&str> {
        self.service_at(called).map(|place| self.service_name(place))
    }

    /// Every number and URN of the plan, in no order.
    pub fn numbers(&self) -> impl Iterator<Item = &str> {
        self.numbers.keys().chain(self.urns.iter().map(|(urn, _)| urn)).map(String::as_str)
    }

    /// Whether any condition asks how queues or the centre stand.
    pub fn reads_room(&self) -> bool {
        let state = |clause: &condition::Clause| {
            matches!(clause, condition::Clause::Queue(..) | condition::Clause::Centre(_))
        };
        self.routes.iter().any(|route| route.when.has(state))
            || self.modifiers.iter().any(|modifier| modifier.when.has(state))
    }

    /// Whether a call's moment matters.
    pub fn has_calendars(&self) -> bool {
        !self.calendars.is_empty()
    }

    /// Its simulations, in the order of the file: checked here, played by whoever can play a room.
    pub fn simulations(&self) -> &[Simulation] {
        &self.simulations
    }

    /// Every sound the plan may ask for.
    pub fn sounds(&self) -> impl Iterator<Item = &str> {
        self.places.sounds.iter().map(|(name, _)| name.as_str())
    }

    /// Compares its sounds with those that can be played.
    ///
    /// # Errors
    /// The first one missing, with its place in the plan.
    pub fn can_be_heard(&self, playable: &[&str]) -> Result<(), PlanError> {
        let missing = self.places.sounds.iter().find(|(name, _)| !playable.contains(&name.as_str()));
        let Some((name, place)) = missing else { return Ok(()) };
        let known = playable.iter().map(|name| (*name).to_owned()).collect();
        let problem = Problem::Unknown { kind: "sound", name: name.clone(), known };
        Err(PlanError { place: place.clone(), problem: Box::new(problem) })
    }

    /// Queues, and routes with leads, that nobody of a roster could answer, however long a call waits: each person's skills are
    /// written like `german:3`. Only a warning, because skills are given in a shift, and because the
    /// roster may be elsewhere.
    pub fn unstaffed(&self, roster: &[&[String]]) -> Vec<Warning> {
        let nobody = |queue: &QueuePlan| !roster.iter().any(|held| queue.takes_after(Duration::MAX, held));
        let queues = self.queues.iter().zip(&self.places.queues).filter(|(queue, _)| nobody(queue));
        let warning = |(queue, place): (&QueuePlan, &Place)| Warning::Unstaffed {
            place: place.clone(),
            queue: queue.name.clone(),
        };
        let led = |leads: &[SkillNeed]| roster.iter().any(|held| leads.iter().any(|need| need.met_by(held)));
        let alone = self.places.leads.iter().filter(|(.., leads)| !led(leads));
        let unled =
            alone.map(|(place, route, _)| Warning::Unled { place: place.clone(), route: route.clone() });
        queues.map(warning).chain(unled).collect()
    }

    /// Its name, version and extent in one line, for whoever checks it.
    pub fn summary(&self) -> String {
        let count = |number: usize, what: &str| match (number, what) {
            (1, one) => format!("1 {one}"),
            (many, "class") => format!("{many} classes"),
            (many, one) => format!("{many} {one}s"),
        };
        let parts = [
            count(self.numbers().count(), "number"),
            count(self.queues.len(), "queue"),
            count(self.classes.len(), "class"),
            count(self.routes.len() + 1, "route"),
            count(self.modifiers.len(), "modifier"),
            count(self.examples, "example"),
            count(self.simulations.len(), "simulation"),
        ];
        format!("{} {}: {}", self.name, self.version, parts.join(", "))
    }

    /// Reads and checks a plan, and runs its examples; `file` is its name in the error.
    ///
    /// # Errors
    /// The first thing wrong, with its place and what to do.
    pub fn parse(file: &str, text: &str) -> Result<Dialplan, PlanError> {
        Self::parse_for(file, text, Surroundings::default())
    }

    /// As [`Dialplan::parse`], for a site that is known.
    ///
    /// # Errors
    /// As [`Dialplan::parse`].
    pub fn parse_for(file: &str, text: &str, around: Surroundings<'_>) -> Result<Dialplan, PlanError> {
        let (mut plan, sounds) = Self::read(file, text, around).map_err(|flaw| flaw.placed(file, text))?;
        let place = |sound: draft::At<String>| (sound.is, Place::of(sound.at, file, text));
        plan.places.sounds = sounds.into_iter().map(place).collect();
        Ok(plan)
    }

    fn read(
        file: &str,
        text: &str,
        around: Surroundings<'_>,
    ) -> Result<(Dialplan, Vec<draft::At<String>>), error::Flaw> {
        let top = draft::Span { start: 0, end: 0 };
        if text.len() > Self::BYTES_MAX {
            return Err(error::Flaw::new(top, Problem::TooLarge { bytes: text.len() }));
        }
        let keys = toml::de::DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(top, draft::Span::from);
            error::Flaw::new(at, Problem::Syntax { what: error.message().to_owned() })
        })?;
        let draft = draft::Draft::read(keys.get_ref())?;
        let sounds = draft.sounds();
        let place = |at| Place::of(at, file, text);
        Ok((draft.check(around, &place)?, sounds))
    }
}
