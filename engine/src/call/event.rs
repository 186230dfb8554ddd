//! Everything that can happen in a centre, as one list of values. A call is the list of its events;
//! boards, records, metrics and the journal are folds of the same log and nothing else.

mod beside;
mod words;

pub use super::because::{AgentReason, Because, ItemReason, Trigger};
pub use super::party::{Seat, Who};
use crate::id::{AgentId, BridgeId, CallId, CentreId, LegId, OfferId, QueueId, WorkId};
pub use beside::{Beside, Closing, MajorCounts, Past, Unreached, WhyCallback};
use serde::{Deserialize, Serialize};
use sip::time::Instant;
use std::time::{Duration, SystemTime};
pub use words::{
    Actor, Attested, Cause, ConsultEnd, Intent, Loss, Occupation, OfferEnd, OfferKind, Private, Signed,
    Source, TrunkState, Whom,
};

/// One line of a centre's log: `seq` has no gap inside an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose log.
    pub centre: CentreId,
    /// The start (or take-over) it was written in.
    pub epoch: u32,
    /// Its place.
    pub seq: u64,
    /// On the timeline.
    pub at: Instant,
    /// On the wall clock.
    pub utc: SystemTime,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A call reached us.
    Arrived {
        /// The call.
        call: CallId,
        /// The caller's leg.
        leg: LegId,
        /// The trunk's name.
        trunk: String,
        /// What was dialled, as delivered.
        called: String,
        /// The plan's service for it; `unknown` when the plan does not name it.
        service: String,
        /// Best number to call back.
        caller: Private,
        /// The name the network shows, if any.
        caller_name: Option<Private>,
        /// The caller asked for privacy.
        withheld: bool,
        /// The SIP Call-ID, to find it again at the carrier.
        sip_call_id: Private,
    },
    /// The plan decided.
    Routed {
        /// The call.
        call: CallId,
        /// The route that won.
        route: String,
        /// Modifiers that applied, in order.
        modifiers: Vec<String>,
        /// The queue it is for, by its name in the plan.
        #[serde(default)]
        queue: String,
        /// The class the plan gives, before anybody says otherwise.
        #[serde(default)]
        class: String,
        /// The plan's version.
        plan: String,
    },
    /// The caller's leg was answered (200) or given early media (183).
    Anchored {
        /// The call.
        call: CallId,
        /// True for 200, false for 183.
        answered: bool,
    },
    /// Work entered a queue.
    Queued {
        /// The item.
        work: WorkId,
        /// Its call, for a live caller.
        call: CallId,
        /// The queue.
        queue: QueueId,
        /// Its class.
        class: String,
        /// Whether the class stands behind the fence.
        fenced: bool,
        /// When it came to us.
        arrived: Instant,
        /// Where it stands: arrival plus target (the arrival itself behind the fence).
        due: Instant,
        /// True when it comes back after a failed connection or a loss.
        again: bool,
    },
    /// Somebody said how urgent it is.
    Qualified {
        /// The call.
        call: CallId,
        /// Its item, when one waits.
        work: Option<WorkId>,
        /// The class from here on.
        class: String,
        /// Whether it stands behind the fence.
        fenced: bool,
        /// Where it stands from here on.
        due: Instant,
        /// On whose word.
        by: Actor,
        /// From where.
        source: Source,
    },
    /// A decision: this item to this agent.
    Offered {
        /// The offer.
        offer: OfferId,
        /// The item; for a shared offer the most urgent one at this instant.
        work: WorkId,
        /// Its call.
        call: CallId,
        /// To whom.
        agent: AgentId,
        /// Reservation, invitation, alert or join.
        kind: OfferKind,
        /// The reservation's epoch for this agent: events of older ones are ignored.
        epoch: u64,
        /// When it lapses.
        deadline: Instant,
        /// How long the item had waited.
        waited: Duration,
        /// Why.
        because: Because,
        /// The agent's page takes it by itself, after a tone.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        auto_answer: bool,
    },
    /// The agent's phone rings, or the page shows it.
    Alerting {
        /// The offer.
        offer: OfferId,
        /// Whose.
        agent: AgentId,
    },
    /// An offer is over.
    OfferEnded {
        /// The offer.
        offer: OfferId,
        /// Whose.
        agent: AgentId,
        /// Its item.
        work: WorkId,
        /// How.
        end: OfferEnd,
    },
    /// The caller left the queue into a conversation: one event for both (I10).
    Connected {
        /// The call.
        call: CallId,
        /// The item that is no longer waiting.
        work: WorkId,
        /// Who answered.
        agent: AgentId,
        /// The agent's leg.
        leg: LegId,
        /// The conversation.
        bridge: BridgeId,
        /// From the INVITE to here.
        waited: Duration,
    },
    /// A leg's first packet came after it was connected.
    Heard {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
    },
    /// Nothing is heard from a leg.
    NoMedia {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
        /// For how many seconds.
        seconds: u16,
    },
    /// A leg's audio is plain where the site wants it enciphered.
    Unenciphered {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
    },
    /// A leg's peer wants its audio at an address of a family (IPv4, IPv6) we have none of. It is answered
    /// with what we have, and sent to where it sends from.
    OtherFamily {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
    },
    /// An agent's side failed; the caller is kept and comes back to the queue.
    AgentLost {
        /// The call.
        call: CallId,
        /// Who.
        agent: AgentId,
        /// How.
        loss: Loss,
    },
    /// The call is on the list the room shares, where anybody may pick it: put there by its agent,
    /// or because that agent's page is lost.
    HeldAside {
        /// The call.
        call: CallId,
        /// Whose it was.
        agent: AgentId,
        /// Its class.
        class: String,
        /// The agent's page is lost; without it the agent has put it there.
        lost: bool,
        /// When somebody has to look at it again.
        recall: Instant,
    },
    /// A call on the shared list has been there for too long.
    RecallDue {
        /// The call.
        call: CallId,
        /// Whose it was.
        agent: AgentId,
    },
    /// An agent who was lost has the conversation again: on the same page, or at another phone.
    Resumed {
        /// The call.
        call: CallId,
        /// Who.
        agent: AgentId,
        /// The agent's leg from here on.
        leg: LegId,
    },
    /// Somebody has come into the conversation beside whoever is in it, or takes part in another way.
    Joined {
        /// The call.
        call: CallId,
        /// Their leg.
        leg: LegId,
        /// Who.
        who: Who,
        /// How they take part.
        seat: Seat,
        /// By whose wish.
        by: Actor,
    },
    /// Somebody of ours is wanted beside the agent of a conversation. The item is queued next, and
    /// withdrawn when somebody has come or nobody is wanted any more.
    Wanted {
        /// The call.
        call: CallId,
        /// The item.
        work: WorkId,
        /// Who; `None`: a regulator, by the vital key.
        whom: Option<Whom>,
    },
    /// Somebody is out of the conversation, which goes on.
    Left {
        /// The call.
        call: CallId,
        /// The leg they had.
        leg: LegId,
        /// Who.
        who: Who,
        /// By whose wish.
        by: Actor,
        /// Not wanted by anybody: how they were lost.
        loss: Option<Loss>,
    },
    /// Another agent of the conversation answers for the call from here on.
    Led {
        /// The call.
        call: CallId,
        /// Who.
        agent: AgentId,
    },
    /// An agent asks somebody; the caller hears the hold sound.
    Consulting {
        /// The call.
        call: CallId,
        /// Who asks.
        agent: AgentId,
        /// Who is asked.
        whom: Whom,
        /// By when somebody has answered, or the agent has the caller again.
        deadline: Instant,
    },
    /// The caller is off hold, or gone.
    ConsultEnded {
        /// The call.
        call: CallId,
        /// Who asked.
        agent: AgentId,
        /// How.
        end: ConsultEnd,
    },
    /// Nobody of ours is in the call any more: somebody outside has it.
    HandedOut {
        /// The call.
        call: CallId,
        /// The agent who has handed it over.
        agent: AgentId,
        /// Who has it, by the name in the directory.
        to: String,
    },
    /// Somebody has written a note.
    Noted {
        /// The call.
        call: CallId,
        /// Who.
        by: Actor,
        /// What: about a person, so for screens and the record only.
        text: Private,
    },
    /// What an agent can answer changed.
    SkillsChanged {
        /// Who.
        agent: AgentId,
        /// From here on.
        skills: Vec<String>,
        /// By whom.
        by: Actor,
    },
    /// What is known of an agent's page changed.
    PageChanged {
        /// Whose.
        agent: AgentId,
        /// It follows the feed.
        open: bool,
        /// Its connection for audio stands.
        up: bool,
        /// Its microphone and speakers are fit.
        fit: bool,
    },
    /// What an INVITE says beside who calls whom.
    Signed {
        /// The call.
        call: CallId,
        /// What.
        #[serde(flatten)]
        signed: Signed,
    },
    /// Why a peer has ended its call, or refused ours, in its network's words (RFC 3326).
    Reasoned {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
        /// `Q.850`, `SIP` ... or `other`.
        protocol: String,
        /// The cause in that protocol.
        cause: Option<u16>,
    },
    /// Somebody put a party on hold, or took it back.
    Held {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
        /// On hold or not.
        held: bool,
    },
    /// A conversation was ended on purpose.
    Released {
        /// The call.
        call: CallId,
        /// By whom.
        by: Actor,
        /// As what.
        disposition: Option<String>,
    },
    /// Work left its queue without a conversation.
    Withdrawn {
        /// The item.
        work: WorkId,
        /// Its call.
        call: CallId,
        /// How long it waited.
        waited: Duration,
    },
    /// A waiting item went to another queue.
    Moved {
        /// The item.
        work: WorkId,
        /// Where to.
        queue: QueueId,
        /// By whom.
        by: Actor,
    },
    /// The call is over; its record follows.
    Ended {
        /// The call.
        call: CallId,
        /// By whom.
        by: Actor,
        /// How.
        cause: Cause,
    },
    /// A shift began.
    SignedIn {
        /// Who.
        agent: AgentId,
        /// Where.
        position: String,
    },
    /// What an agent wants changed.
    IntentChanged {
        /// Who.
        agent: AgentId,
        /// To what.
        intent: Intent,
        /// By whom.
        by: Actor,
    },
    /// A phone came or went.
    ReachabilityChanged {
        /// Who.
        agent: AgentId,
        /// Can be rung.
        reachable: bool,
        /// Why, a code.
        why: String,
    },
    /// What an agent does changed: a fold of the above, logged so that views need no second model.
    OccupationChanged {
        /// Who.
        agent: AgentId,
        /// What.
        occupation: Occupation,
        /// With which call.
        call: Option<CallId>,
        /// Until when, for wrap-up.
        until: Option<Instant>,
    },
    /// An agent let it ring out and is left alone until a proof of life (or a vital call).
    Rona {
        /// Who.
        agent: AgentId,
        /// Begins or ends.
        on: bool,
    },
    /// A queue's longest wait passed its alarm, or fell below.
    Alarm {
        /// The queue.
        queue: QueueId,
        /// On or off.
        on: bool,
    },
    /// What is known of a trunk changed.
    TrunkChanged {
        /// Its name.
        trunk: String,
        /// How it stands from here on.
        state: TrunkState,
    },
    /// The plan was replaced.
    PlanChanged {
        /// Its version.
        version: String,
        /// Its queues by name, in its order: what a queue's id stands for from here on.
        queues: Vec<String>,
        /// Its classes by name, in its order.
        classes: Vec<String>,
    },
    /// What happens to a call beside talking. Written as if its values stood in this list.
    #[serde(untagged)]
    Beside(Beside),
}
