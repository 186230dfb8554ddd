//! What a board is made of: rows, each under a key. A page keeps the latest row of every key.

mod beside;
mod offer;
mod room;

pub use beside::{CallbackRow, EarlierRow, FiguresRow, HandOverRow, MajorRow};
pub use offer::OfferRow;
pub use room::{AlarmRow, ConsultRow, HeldRow, MinuteRow, PartyRow};

use crate::call::event::{Because, Intent, Occupation, OfferEnd, OfferKind, Private, Signed, TrunkState};
use crate::id::{AgentId, CallId, MajorId, OfferId, QueueId, WorkId};
use serde::{Deserialize, Serialize};
use sip::time::Instant;
use std::fmt;
use std::time::Duration;

/// Milliseconds: a length of time, or a point on the centre's timeline (`welcome` and `ping` say
/// where that timeline stands). A browser's numbers hold them exactly; nanoseconds they would not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
pub struct Millis(pub u64);

impl From<Instant> for Millis {
    fn from(at: Instant) -> Millis {
        Millis(at.as_nanos() / 1_000_000)
    }
}

impl From<Duration> for Millis {
    fn from(length: Duration) -> Millis {
        Millis(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Which row. Topics choose by key alone, so whatever decides who gets a row is part of its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// The centre's counters.
    Totals,
    /// One trunk's counters, by its name.
    Trunk(String),
    /// A queue.
    Queue(QueueId),
    /// An agent.
    Agent(AgentId),
    /// Somebody waiting in a queue.
    Waiting(QueueId, WorkId),
    /// One of the last decisions, by its slot: slots are used again.
    Decision(u16),
    /// An offer, for the agent it is made to.
    Offer(AgentId, OfferId),
    /// A call in an agent's ear.
    Conversation(AgentId, CallId),
    /// A call, for whoever opens it.
    Call(CallId),
    /// A call on the list the room shares.
    Held(CallId),
    /// What happened in one minute, by its slot: the last [`super::board::MINUTES_KEPT`] are kept.
    Minute(u16),
    /// One of the last alarms, by its slot: slots are used again.
    Alarm(u16),
    /// Somebody to be called.
    Callback(CallId),
    /// A caller between two stages.
    HandOver(CallId),
    /// A major event.
    Major(MajorId),
    /// Figures of one service, by its name; `None`: of all calls.
    Figures(Option<String>),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Totals => f.write_str("totals"),
            Key::Trunk(name) => write!(f, "trunk/{name}"),
            Key::Queue(queue) => write!(f, "queue/{queue}"),
            Key::Agent(agent) => write!(f, "agent/{agent}"),
            Key::Waiting(queue, work) => write!(f, "waiting/{queue}/{work}"),
            Key::Decision(slot) => write!(f, "decision/{slot}"),
            Key::Offer(agent, offer) => write!(f, "offer/{agent}/{offer}"),
            Key::Conversation(agent, call) => write!(f, "conversation/{agent}/{call}"),
            Key::Call(call) => write!(f, "call/{call}"),
            Key::Held(call) => write!(f, "held/{call}"),
            Key::Minute(slot) => write!(f, "minute/{slot}"),
            Key::Alarm(slot) => write!(f, "alarm/{slot}"),
            Key::Callback(call) => write!(f, "callback/{call}"),
            Key::HandOver(call) => write!(f, "handover/{call}"),
            Key::Major(event) => write!(f, "major/{event}"),
            Key::Figures(None) => f.write_str("figures"),
            Key::Figures(Some(service)) => write!(f, "figures/{service}"),
        }
    }
}

/// The latest value of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Row {
    /// See [`Totals`].
    Totals(Totals),
    /// See [`TrunkRow`].
    Trunk(TrunkRow),
    /// See [`QueueRow`].
    Queue(QueueRow),
    /// See [`AgentRow`].
    Agent(AgentRow),
    /// See [`WaitingRow`].
    Waiting(WaitingRow),
    /// See [`DecisionRow`].
    Decision(DecisionRow),
    /// See [`OfferRow`].
    Offer(OfferRow),
    /// See [`ConversationRow`].
    Conversation(ConversationRow),
    /// See [`CallRow`].
    Call(CallRow),
    /// See [`HeldRow`].
    Held(HeldRow),
    /// See [`MinuteRow`].
    Minute(MinuteRow),
    /// See [`AlarmRow`].
    Alarm(AlarmRow),
    /// See [`CallbackRow`].
    Callback(CallbackRow),
    /// See [`HandOverRow`].
    HandOver(HandOverRow),
    /// See [`MajorRow`].
    Major(MajorRow),
    /// See [`FiguresRow`].
    Figures(FiguresRow),
}

/// The centre's counters since its epoch began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Totals {
    /// The version of the plan in force, once it has been replaced.
    pub plan: Option<String>,
    /// Calls that reached us.
    pub arrived: u64,
    /// Calls alive.
    pub live: u64,
    /// Calls an agent has answered, each counted once.
    pub answered: u64,
    /// Ended on purpose after talking.
    pub released: u64,
    /// Hung up while waiting, before 15 s.
    pub short_abandons: u64,
    /// Hung up while waiting, at 15 s or later.
    pub abandons: u64,
    /// Callers whose network failed.
    pub network: u64,
    /// Could not be served at all.
    pub refused: u64,
    /// Test calls.
    pub tests: u64,
    /// Conversations lost on an agent's side.
    pub agents_lost: u64,
    /// Times nothing was heard from a leg.
    pub no_media: u64,
}

/// One trunk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrunkRow {
    /// Its name.
    pub trunk: String,
    /// Calls it brought.
    pub arrived: u64,
    /// Calls of it that are alive.
    pub live: u64,
    /// How it stands; unknown while nobody asks it.
    pub state: Option<TrunkState>,
}

/// One queue. Who waits in it, and for how long, is in the rows of those who wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct QueueRow {
    /// Its name.
    pub queue: String,
    /// Its place in the plan.
    pub place: u32,
    /// Items that entered, without those that came back.
    pub entered: u64,
    /// Items that left into a conversation.
    pub answered: u64,
    /// Items that left without one.
    pub withdrawn: u64,
    /// The longest wait passed the plan's alarm.
    pub alarm: bool,
    /// A person has opened its way out.
    pub overflow: bool,
}

/// Why an agent is not offered calls; the page says it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum WhyNot {
    /// Not on shift.
    #[serde(rename = "not-signed-in")]
    SignedOut,
    /// No page of theirs follows the feed.
    NoPage,
    /// The page's connection for audio does not stand.
    NoAudio,
    /// The page's microphone or speakers are not fit, or not checked yet.
    AudioUnfit,
    /// Asked for none.
    Paused,
    /// The phone is not there.
    Unreachable,
    /// Let a call ring out.
    Rona,
    /// A phone or page rings.
    Offered,
    /// A call is in the ear.
    Talking,
    /// Finishing the file.
    WrapUp,
}

/// One agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AgentRow {
    /// The name commands use.
    pub agent: String,
    /// Where the agent sits.
    pub position: String,
    /// The role of the shift.
    pub role: crate::site::Role,
    /// What the agent asked for.
    pub intent: Intent,
    /// The phone can be rung.
    pub reachable: bool,
    /// Why it can, or cannot: a code.
    pub reach: String,
    /// What the agent does.
    pub occupation: Occupation,
    /// With which call.
    pub call: Option<String>,
    /// Left alone after letting a call ring out.
    pub rona: bool,
    /// When any of the above changed last.
    pub since: Millis,
    /// Until when, for wrap-up.
    pub until: Option<Millis>,
    /// The skills of the shift.
    pub skills: Vec<String>,
    /// The agent's phone is the page.
    pub by_page: bool,
    /// Its page follows the feed.
    pub page: bool,
    /// The page's connection for audio stands.
    pub audio: bool,
    /// The page's microphone and speakers are fit.
    pub fit: bool,
    /// Why no call is offered; `None`: eligible.
    pub why_not: Option<WhyNot>,
    /// Every reason that keeps calls away, the first to look at first; empty: eligible.
    pub why: Vec<WhyNot>,
}

impl AgentRow {
    /// Every reason that keeps calls away, in the order a person would look for them.
    pub(super) fn reasons(&self) -> Vec<WhyNot> {
        let does = |what| self.occupation == what;
        let paged = self.by_page;
        let of_page = [
            (paged && !self.page, WhyNot::NoPage),
            (paged && !self.audio, WhyNot::NoAudio),
            (paged && !self.fit, WhyNot::AudioUnfit),
        ];
        let named = of_page.iter().any(|(so, _)| *so);
        let before = [
            (self.intent == Intent::SignedOut, WhyNot::SignedOut),
            (does(Occupation::Talking), WhyNot::Talking),
            (does(Occupation::Offered), WhyNot::Offered),
        ];
        let after = [
            (!self.reachable && !named, WhyNot::Unreachable),
            (self.rona, WhyNot::Rona),
            (matches!(self.intent, Intent::Paused(_)), WhyNot::Paused),
            (does(Occupation::WrapUp), WhyNot::WrapUp),
        ];
        let all = before.into_iter().chain(of_page).chain(after);
        all.filter(|(so, _)| *so).map(|(_, why)| why).collect()
    }
}

/// Somebody waiting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WaitingRow {
    /// The item.
    pub work: String,
    /// Its call.
    pub call: String,
    /// The queue, by name.
    pub queue: String,
    /// Its class.
    pub class: String,
    /// Behind the fence.
    pub fenced: bool,
    /// When the call reached us.
    pub arrived: Millis,
    /// Where it stands: first behind the fence, then the smallest, then the earliest arrived.
    pub due: Millis,
    /// It came back after a failed connection or a loss.
    pub again: bool,
    /// The service that was dialled.
    pub service: String,
    /// Over which trunk.
    pub trunk: String,
    /// Number to call back, as far as the viewer may see it.
    pub caller: Private,
    /// Name shown by the network, for those who may see it.
    pub caller_name: Option<Private>,
    /// The caller asked for privacy.
    pub withheld: bool,
    /// Agents it is being offered to, by name.
    pub offered: Vec<String>,
}

impl WaitingRow {
    /// Where it stands among those waiting: the fence, then arrival plus target, then arrival.
    pub fn rank(&self) -> (bool, Millis, Millis, &str) {
        (!self.fenced, self.due, self.arrived, &self.work)
    }
}

/// One of the last decisions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DecisionRow {
    /// Its place in the log: the order of decisions.
    pub seq: u64,
    /// When.
    pub at: Millis,
    /// The offer.
    pub offer: String,
    /// The item.
    pub work: String,
    /// Its call.
    pub call: String,
    /// To whom, by name.
    pub agent: String,
    /// The item's queue by name, and its class.
    pub queue: String,
    /// See `queue`.
    pub class: String,
    /// What kind of offer.
    pub kind: OfferKind,
    /// How long the item had waited.
    pub waited: Millis,
    /// Why.
    pub because: Because,
    /// How it ended, once it has.
    pub end: Option<OfferEnd>,
}

/// A call in an agent's ear, on that agent's page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ConversationRow {
    /// The call.
    pub call: String,
    /// Its class, when it has one.
    pub class: Option<String>,
    /// The service that was dialled.
    pub service: String,
    /// Number to call back.
    pub caller: Private,
    /// Name shown by the network.
    pub caller_name: Option<Private>,
    /// The caller asked for privacy.
    pub withheld: bool,
    /// What the call's INVITE said beside who calls whom, as far as the viewer may see it.
    pub signed: Option<Box<Signed>>,
    /// When they were connected.
    pub since: Millis,
    /// How long the caller had waited.
    pub waited: Millis,
    /// The latest note.
    pub note: Option<Private>,
    /// Since when the agent is not heard: without another agent in it the caller hears comfort audio,
    /// and is offered to others soon.
    pub lost: Option<Millis>,
    /// Everyone in it but the caller, this agent too; supervisors who only listen as well.
    pub parties: Vec<PartyRow>,
    /// Somebody is being asked, and the caller is on hold.
    pub consult: Option<ConsultRow>,
    /// A regulator is being called, or somebody else of ours.
    pub calling: bool,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Reached us, is not yet queued.
    Arriving,
    /// Waits for an agent.
    Waiting,
    /// Talks with one.
    Talking,
    /// On the list the room shares.
    Held,
    /// Handed to somebody outside: nobody of ours is in it.
    Outside,
    /// Talked; is being ended.
    Released,
}

/// One call, for whoever opens it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CallRow {
    /// The call.
    pub call: String,
    /// Over which trunk.
    pub trunk: String,
    /// What was dialled.
    pub called: String,
    /// The plan's service for it.
    pub service: String,
    /// Number to call back, as far as the viewer may see it.
    pub caller: Private,
    /// Name shown by the network, for those who may see it.
    pub caller_name: Option<Private>,
    /// The caller asked for privacy.
    pub withheld: bool,
    /// What the call's INVITE said beside who calls whom, as far as the viewer may see it.
    pub signed: Option<Box<Signed>>,
    /// When it reached us.
    pub arrived: Millis,
    /// The route that won.
    pub route: Option<String>,
    /// Where it stands.
    pub stage: Stage,
    /// The queue it is or was last in, by name.
    pub queue: Option<String>,
    /// Its class.
    pub class: Option<String>,
    /// Agents who talk with the caller, by name.
    pub with: Vec<String>,
    /// Everyone in the conversation but the caller.
    pub parties: Vec<PartyRow>,
    /// Somebody is being asked, and the caller is on hold.
    pub consult: Option<ConsultRow>,
    /// A regulator is being called, or somebody else of ours.
    pub calling: bool,
    /// The latest note, for those who may see it.
    pub note: Option<Private>,
    /// Words that stand on it.
    pub tags: Vec<String>,
    /// The latest earlier call of the same number.
    pub earlier: Option<Box<EarlierRow>>,
    /// The ways out of its queue that are being tried, or the one that answered.
    pub away: Vec<String>,
    /// It is a callback, and why.
    pub callback: Option<crate::call::event::WhyCallback>,
    /// The major event it belongs to, by name.
    pub major: Option<String>,
}
