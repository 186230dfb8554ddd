//! How a queue of a plan holds callers, offers them, widens and overflows.

use super::{ClassId, SkillNeed};
use std::time::Duration;

/// How one queue holds callers and offers them.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuePlan {
    /// Its name in the plan, on boards and in topics.
    pub name: String,
    /// The stage of a call that its calls are at, for T1, T2 and the like; `None`: the queue's name.
    pub stage: Option<String>,
    /// Any one of these lets an agent be offered its calls. Never empty; an agent may serve several
    /// queues.
    pub skills: Vec<SkillNeed>,
    /// Who may be offered its calls as well, after a wait. In order of time; each only adds people.
    pub relax: Vec<Relax>,
    /// How its calls reach agents.
    pub offer: OfferPlan,
    /// What a confirmed-vital call does here beside going first.
    pub vital: VitalPlan,
    /// Free agents kept for confirmed vital and partners' lines.
    pub reserve: u32,
    /// Where its calls may go when it cannot serve them, in the order of the file.
    pub overflow: Vec<OverflowRule>,
    /// A call held longer than this is an alarm, again each time as long; `None`: the engine's own.
    pub recall: Option<Duration>,
    /// How its callers are held, unless the route says otherwise.
    pub hold: HoldMode,
    /// Sounds played once, in order, unless the route says otherwise.
    pub announce: Vec<String>,
    /// The sound repeated while a caller waits.
    pub hold_sound: String,
    /// A longest wait beyond this raises an alarm.
    pub alarm: Option<Duration>,
}

impl QueuePlan {
    /// Whether somebody with these skills may be offered its calls from the start.
    pub fn takes(&self, skills: &[String]) -> bool {
        self.skills.iter().any(|need| need.met_by(skills))
    }

    /// Whether somebody with these skills may be offered a call that has waited this long.
    pub fn takes_after(&self, waited: Duration, skills: &[String]) -> bool {
        let relaxed = self.relax.iter().filter(|relax| relax.after <= waited);
        self.takes(skills) || relaxed.flat_map(|relax| &relax.add).any(|need| need.met_by(skills))
    }
}

/// More people may be offered a call once it has waited. Behind the fence it applies at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relax {
    /// Since the call came.
    pub after: Duration,
    /// Whoever meets one of these is added.
    pub add: Vec<SkillNeed>,
}

/// What a confirmed-vital call does in a queue beside going first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VitalPlan {
    /// Busy agents who could take it are told while it waits.
    pub alert_busy: bool,
    /// It is put through without a key press, after a tone, where the agent has proved to be there.
    pub auto_answer: bool,
}

impl Default for VitalPlan {
    fn default() -> VitalPlan {
        VitalPlan { alert_busy: true, auto_answer: false }
    }
}

/// How a queue's calls reach agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferPlan {
    /// One agent at a time is reserved and rung (several with [`Strategy::RingSome`]).
    Exclusive {
        /// Who among the eligible.
        strategy: Strategy,
        /// How long a phone rings before the next agent is tried.
        ring: Duration,
    },
    /// Ready agents are invited together; the claim takes the most urgent call. Desk phones get
    /// exclusive offers all the same.
    Shared {
        /// How many are invited, and when. The first at zero, the last for all.
        widen: Vec<Widen>,
        /// How long a desk phone rings before the next agent is tried.
        phone_ring: Duration,
    },
    /// Agents take from the list what they choose; the classes of `push` are offered all the same.
    Pick {
        /// Offered exclusively, longest idle first. Every class behind the fence is among them.
        push: Vec<ClassId>,
        /// How long a phone rings for a pushed call before the next agent is tried.
        ring: Duration,
    },
}

impl OfferPlan {
    /// How long a phone rings for an exclusive offer of this queue.
    pub fn ring(&self) -> Duration {
        match *self {
            OfferPlan::Exclusive { ring, .. } | OfferPlan::Pick { ring, .. } => ring,
            OfferPlan::Shared { phone_ring, .. } => phone_ring,
        }
    }
}

/// One stage of a shared offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widen {
    /// Since the call could first be offered.
    pub at: Duration,
    /// How many agents are invited from here on; `None`: all.
    pub agents: Option<u32>,
}

/// Who is chosen among the eligible for an exclusive offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Whoever has been free longest.
    LongestIdle,
    /// Whoever has talked least in this shift.
    LeastOccupied,
    /// The first free one in the order of the roster.
    Linear,
    /// So many at once, longest idle first; the first to answer has the call.
    RingSome(u32),
}

/// One way out of a queue that cannot serve.
#[derive(Clone, Debug, PartialEq)]
pub struct OverflowRule {
    /// Any one of these opens it. Never empty.
    pub when: Vec<OverflowCause>,
    /// How long the cause must have stood; for [`OverflowCause::Waited`], the wait itself.
    pub after: Duration,
    /// Where to.
    pub to: Destination,
    /// The call keeps its place here and is offered there as well.
    pub additive: bool,
}

impl OverflowRule {
    /// How many calls may wait before their number is a cause of this rule.
    pub fn most(&self) -> Option<u64> {
        let lengths = self.when.iter().filter_map(|cause| match cause {
            OverflowCause::Length(length) => Some(u64::from(*length).saturating_sub(1)),
            _ => None,
        });
        lengths.min()
    }
}

/// Why calls may leave a queue by another way than its agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverflowCause {
    /// A person opened it.
    Opened,
    /// Nobody who could take its calls is signed in.
    NobodySignedIn,
    /// Somebody is signed in, and nobody can be reached.
    NobodyReachable,
    /// A call waited longer than the rule's `after`.
    Waited,
    /// At least so many calls wait.
    Length(u32),
    /// A call coming in has to expect at least this wait.
    ExpectedWait(Duration),
}

/// Where an overflowing call goes. Each ends at people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Another queue of this plan, by its place.
    Queue(u32),
    /// Another centre, by its name: one hop, never further.
    Centre(String),
    /// Out over a trunk.
    Trunk {
        /// The trunk's name in the site's configuration.
        trunk: String,
        /// Who is called there; `None`: whom the caller called.
        number: Option<String>,
    },
}

/// How a caller is held while waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldMode {
    /// Answered (200) at once, then announcement and hold audio.
    Answered,
    /// Early media (183 and audio); 200 when an agent answers, or after `answer_within`.
    Early {
        /// At most [`HoldMode::EARLY_MAX`].
        answer_within: Duration,
    },
}

impl HoldMode {
    /// The longest a caller stays in early media: many networks give up a minute or so after the
    /// INVITE, and higher costs callers; lower charges or records more calls as answered.
    pub const EARLY_MAX: Duration = Duration::from_secs(30);
}

/// Keys a waiting caller may press. A key raises the class or tags the call, nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuPlan {
    /// In the order of the file.
    pub keys: Vec<(char, MenuKey)>,
}

impl MenuPlan {
    /// What a key does; `None` for one that does nothing.
    pub fn key(&self, pressed: char) -> Option<&MenuKey> {
        self.keys.iter().find(|(key, _)| *key == pressed).map(|(_, does)| does)
    }
}

/// What one key of a menu does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuKey {
    /// At least this class.
    pub class: Option<ClassId>,
    /// Put on the call.
    pub tag: Option<String>,
}
