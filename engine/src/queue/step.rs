//! What the floor answers.

use super::arrival::WorkKind;
use crate::call::event::{Because, Event, Intent, Occupation, OfferEnd, OfferKind};
use crate::dialplan::{ClassId, Destination};
use crate::id::{AgentId, CallId, OfferId, QueueId, WorkId};
use crate::time::Instant;
use std::time::Duration;

/// An item should also be offered elsewhere: a rule of its queue says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Overflowing {
    /// The item.
    pub work: WorkId,
    /// Its call.
    pub call: CallId,
    /// The queue whose rule it is.
    pub queue: QueueId,
    /// The rule's place in the queue's list.
    pub rule: u32,
    /// Another centre or a trunk: the floor goes to other queues by itself.
    pub to: Destination,
    /// Its agents are asked meanwhile. Otherwise nobody here is, until [`Fact::Returned`].
    pub additive: bool,
}

/// What follows from a fact, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Ring this agent's phone for this item. `Event::Offered` precedes it.
    Ring(Decision),
    /// Stop ringing (or hang up) this agent's phone. `Event::OfferEnded` precedes it.
    Stop {
        /// The offer.
        offer: OfferId,
        /// Whose phone.
        agent: AgentId,
        /// The item it rang for.
        work: WorkId,
        /// Why.
        end: OfferEnd,
    },
    /// The agent has taken by a key what a page shows: connect. `Event::Offered` came long before.
    Take {
        /// The offer.
        offer: OfferId,
    },
    /// Offer this item elsewhere as well: whoever answers there first has it ([`Fact::Leave`]), and
    /// [`Fact::Returned`] says that nobody did.
    Overflow(Overflowing),
    /// For the log. Invitations of shared queues are `Event::Offered` of that kind, and nothing rings.
    Event(Event),
}

/// Who takes which item, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The reservation.
    pub offer: OfferId,
    /// The item.
    pub work: WorkId,
    /// Its call.
    pub call: CallId,
    /// To whom.
    pub agent: AgentId,
    /// `Exclusive`, or `Join` into a conversation; a claim says so in `because`.
    pub kind: OfferKind,
    /// What the item is: of a callback the agent is shown a preview, and nobody is dialled yet.
    pub work_kind: WorkKind,
    /// Put it through without a key: the agent wants it and the queue allows it. At a page only when the
    /// person has shown a moment ago that they are there; at a phone they may have to show it by a key.
    pub auto_answer: bool,
    /// Counts this agent's reservations.
    pub epoch: u64,
    /// When it lapses.
    pub deadline: Instant,
    /// Since the INVITE.
    pub waited: Duration,
    /// Why.
    pub because: Because,
}

/// Where an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its call.
    pub call: CallId,
    /// What it is.
    pub kind: WorkKind,
    /// How often somebody has tried to reach the person.
    pub attempts: u32,
    /// Its queue.
    pub queue: QueueId,
    /// Its class.
    pub class: ClassId,
    /// Behind the fence.
    pub fenced: bool,
    /// When it came.
    pub arrived: Instant,
    /// Arrival plus target, earlier by the inherited waiting.
    pub due: Instant,
    /// The exclusive offer that holds it, if one does.
    pub offer: Option<OfferId>,
}

/// An exclusive offer or an invitation that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// To whom.
    pub agent: AgentId,
    /// The item; of an invitation, the most urgent when it was made.
    pub work: WorkId,
    /// Its call.
    pub call: CallId,
    /// Reservation or invitation.
    pub kind: OfferKind,
    /// The phone answers by itself: the person has to show that they are there.
    pub by_itself: bool,
}

/// What can be said of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentView<'f> {
    /// Where.
    pub position: &'f str,
    /// What the agent wants.
    pub intent: &'f Intent,
    /// Can be rung.
    pub reachable: bool,
    /// What the agent does.
    pub occupation: Occupation,
    /// With which call.
    pub call: Option<CallId>,
    /// The exclusive offer that is ringing or being bridged.
    pub offer: Option<OfferId>,
    /// Let a phone ring out and has given no proof of life since.
    pub rona: bool,
}
