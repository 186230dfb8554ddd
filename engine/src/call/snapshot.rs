//! A live call, a callback or a major event as the journal keeps it: everything a restart needs,
//! versioned.

use super::Call;
use super::course::CallbackState;
use super::event::{MajorCounts, WhyCallback};
use super::leg::{LegState, LocalSdp};
use super::party::{Party, PartyRole, Seat};
use super::record::Record;
use crate::id::{AgentId, BridgeId, CallId, LegId, MajorId, OfferId, WorkId};
use crate::media::{MediaPort, Stream};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use sip::dialog::DialogSnapshot;
use sip::endpoint::DialogId;
use std::time::Duration;

/// The version of [`CallSnapshot`]'s shape. A process reads its own and the one before.
pub const SNAPSHOT_VERSION: u16 = 1;

/// A call's whole state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallSnapshot {
    /// [`SNAPSHOT_VERSION`] when it was written.
    pub version: u16,
    /// The call.
    pub call: CallId,
    /// When this was so.
    pub at: Instant,
    /// The version of the plan it entered with.
    pub plan: String,
    /// Its class, by the plan's name.
    pub class: String,
    /// A human has said how urgent it is.
    pub qualified: bool,
    /// Its place, while it waits.
    pub work: Option<WorkSnapshot>,
    /// Its conversation, from the agent's answer on.
    pub talk: Option<TalkSnapshot>,
    /// Nobody of ours is heard in that conversation; whoever was may come back.
    #[serde(default)]
    pub lost: bool,
    /// Whose it was that has put it on the shared list.
    #[serde(default)]
    pub aside: Option<AgentId>,
    /// Who has handed it to somebody outside: nobody of ours is in it.
    #[serde(default)]
    pub handed: Option<AgentId>,
    /// Who asks somebody while its caller is on hold.
    #[serde(default)]
    pub consult: Option<AgentId>,
    /// It tests the line and stands in no queue.
    pub test: bool,
    /// What its caller hears while waiting.
    #[serde(default)]
    pub hold_sound: String,
    /// When an early-media caller is answered at the latest.
    pub answer_by: Option<Instant>,
    /// Its parties: the caller first.
    pub legs: Vec<LegSnapshot>,
    /// What it carries beside its conversation.
    #[serde(default)]
    pub course: CourseSnapshot,
    /// Its record so far: arrival, history, numbers.
    pub record: Record,
}

/// What a call carries beside its conversation, as far as a restart goes on with it. People are named:
/// the roster of the next start may number them differently.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CourseSnapshot {
    /// Its queue, whether it waits there or not, by the plan's name.
    pub queue: String,
    /// Its class stands behind the fence.
    pub fenced: bool,
    /// Waiting of an earlier call that counts for its place.
    pub credit: Duration,
    /// One person calls, as far as the line tells.
    pub person: bool,
    /// What stands on it.
    pub tags: Vec<String>,
    /// Who may be asked beside the owner.
    pub leads: Vec<String>,
    /// Who speaks this is preferred.
    pub language: Option<String>,
    /// Whose it is.
    pub owner: Option<String>,
    /// The major event it belongs to.
    pub major: Option<MajorId>,
    /// Somebody is to be called and has not been reached.
    pub callback: Option<CallbackSnapshot>,
}

/// Somebody to be called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallbackSnapshot {
    /// The call it comes from.
    pub of: Option<CallId>,
    /// Why.
    pub why: WhyCallback,
    /// Where its wait is counted from.
    pub since: Instant,
    /// Attempts that did not reach the person.
    pub tried: u32,
    /// Until when it is left alone.
    pub rests: Option<Instant>,
    /// Until when it is kept.
    pub over: Instant,
    /// The call by which its person was on the line.
    pub on_line: Option<CallId>,
}

/// A major event that is not over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MajorSnapshot {
    /// [`SNAPSHOT_VERSION`] when it was written.
    pub version: u16,
    /// Which.
    pub event: MajorId,
    /// Its name.
    pub name: String,
    /// Calls with one of these belong to it.
    pub tags: Vec<String>,
    /// Calls to one of these numbers belong to it.
    pub numbers: Vec<String>,
    /// Where its calls wait, by the plan's name.
    pub queue: Option<String>,
    /// Who serves that queue and no other, by name.
    pub team: Vec<String>,
    /// Who is kept for everything else.
    pub rest: Vec<String>,
    /// What was counted.
    pub counts: MajorCounts,
}

/// What an earlier start left behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeftBehind {
    /// Calls and callbacks that were not over, oldest first.
    pub calls: Vec<CallSnapshot>,
    /// Major events that were not over.
    pub majors: Vec<MajorSnapshot>,
}

/// A place in a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkSnapshot {
    /// The item.
    pub work: WorkId,
    /// The queue, by its name: the plan of the next start may number them differently.
    pub queue: String,
    /// Where its wait is counted from.
    pub arrived: Instant,
    /// Waiting of an earlier call that counts for its place.
    pub credit: Duration,
}

/// One party's leg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegSnapshot {
    /// The leg.
    pub leg: LegId,
    /// The agent it reaches; `None`: the caller, or somebody outside.
    pub agent: Option<AgentId>,
    /// The name in the directory of whom it reaches outside.
    #[serde(default)]
    pub outside: Option<String>,
    /// How it takes part in the conversation.
    #[serde(default)]
    pub seat: Seat,
    /// How far it is.
    pub state: LegState,
    /// Its signalling: one dialog, or one for each place a ringing phone registered from.
    pub dialogs: Vec<DialogSnapshot>,
    /// The offer it was rung for; `None`: the caller.
    pub offer: Option<OfferId>,
    /// Our descriptions: their origin id, and their version, which rises with each change
    /// (RFC 3264 §8).
    pub local: LocalSdp,
    /// Its sockets; `None`: it is on its agent's page.
    pub port: Option<MediaPort>,
    /// What was agreed.
    pub stream: Stream,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TalkSnapshot {
    /// With whom.
    pub agent: AgentId,
    /// That agent's leg.
    pub leg: LegId,
    /// Where both hear each other.
    pub bridge: BridgeId,
    /// Bridged and confirmed; before, the caller still waits.
    pub connected: bool,
}

impl CallSnapshot {
    /// A call as it stands; `dialog` answers with the endpoint's own snapshots.
    pub fn of(
        call: &Call,
        at: Instant,
        dialog: impl Fn(DialogId) -> Option<DialogSnapshot>,
        name: impl Fn(AgentId) -> Option<String>,
    ) -> CallSnapshot {
        CallSnapshot {
            version: SNAPSHOT_VERSION,
            call: call.id,
            at,
            plan: call.record.plan.clone(),
            class: call.class.clone(),
            qualified: call.qualified,
            work: call.work.map(|work| WorkSnapshot {
                work,
                queue: call.queue.clone(),
                arrived: call.record.arrived_at,
                credit: call.credit,
            }),
            talk: call.talk.map(|talk| TalkSnapshot {
                agent: talk.agent,
                leg: talk.leg,
                bridge: talk.bridge,
                connected: talk.connected,
            }),
            lost: call.lost,
            aside: call.aside,
            handed: call.handed,
            consult: call.consult.map(|consult| consult.by),
            test: call.purpose == super::Purpose::Test,
            hold_sound: call.hold_sound.clone(),
            answer_by: call.answer_by,
            legs: call.parties().iter().map(|party| LegSnapshot::of(party, &dialog)).collect(),
            course: CourseSnapshot::of(call, name),
            record: call.record.clone(),
        }
    }
}

impl CourseSnapshot {
    fn of(call: &Call, name: impl Fn(AgentId) -> Option<String>) -> CourseSnapshot {
        let course = &call.course;
        let callback = course.callback.as_ref().filter(|_| course.is_unreached());
        CourseSnapshot {
            queue: call.queue.clone(),
            fenced: call.fenced,
            credit: call.credit,
            person: course.person,
            tags: course.tags.clone(),
            leads: course.leads.iter().map(ToString::to_string).collect(),
            language: course.language.clone(),
            owner: course.owner.and_then(name),
            major: course.major,
            callback: callback.map(|callback| CallbackSnapshot {
                of: callback.of,
                why: callback.why,
                since: callback.since,
                tried: callback.tried,
                rests: callback.rests,
                over: callback.over,
                on_line: match callback.state {
                    CallbackState::OnLine(call) => Some(call),
                    CallbackState::Waiting | CallbackState::Dialling | CallbackState::Reached => None,
                },
            }),
        }
    }
}

impl LegSnapshot {
    fn of(party: &Party, dialog: &impl Fn(DialogId) -> Option<DialogSnapshot>) -> LegSnapshot {
        let leg = &party.leg;
        LegSnapshot {
            leg: leg.id,
            agent: party.agent(),
            outside: match &party.role {
                PartyRole::Outside { name, .. } => Some(name.clone()),
                _ => None,
            },
            seat: party.seat,
            offer: party.offer(),
            state: leg.state,
            dialogs: leg.dialogs.iter().filter_map(|id| dialog(*id)).collect(),
            local: leg.local.clone(),
            port: leg.port,
            stream: leg.stream,
        }
    }
}
