//! What the floor is told, and what it answers.

use crate::call::event::{Actor, Because, Event, Intent, Occupation, OfferEnd, OfferKind};
use crate::dialplan::{ClassId, Dialplan};
use crate::id::{AgentId, CallId, OfferId, QueueId, WorkId};
use crate::time::Instant;
use std::sync::Arc;
use std::time::Duration;

/// One thing that is true from now on. Facts about an offer, item or agent that is over, or was
/// never ours, have no effect: the id is the epoch, and ids are never given twice.
#[derive(Clone, Debug)]
pub enum Fact {
    /// Work waits.
    Enter {
        /// Its id, chosen by the caller of this function and never used before.
        work: WorkId,
        /// The call behind it.
        call: CallId,
        /// Where.
        queue: QueueId,
        /// How urgent.
        class: ClassId,
        /// When its INVITE came; a caller who comes back keeps it.
        arrived: Instant,
        /// Time waited in an earlier, abandoned call: it counts for the order, not for figures.
        credit: Duration,
        /// Comes back after a conversation or a connection that was lost.
        again: bool,
    },
    /// The caller is gone.
    Gone {
        /// Their item.
        work: WorkId,
    },
    /// Somebody said how urgent it is. `Event::Qualified` is the caller's to write: see
    /// [`super::Floor::place`].
    Class {
        /// The item.
        work: WorkId,
        /// Its class from here on.
        class: ClassId,
    },
    /// A waiting item goes to another queue and keeps its arrival.
    MoveTo {
        /// The item.
        work: WorkId,
        /// Where to.
        queue: QueueId,
        /// By whom.
        by: Actor,
    },
    /// A shift begins; the agent is paused until ready is said. An agent who says ready without
    /// having signed in is signed in at the usual position.
    SignIn {
        /// Who.
        agent: AgentId,
        /// Where; `None`: the usual position.
        position: Option<String>,
        /// By whom.
        by: Actor,
    },
    /// What an agent wants. Proof of life; `Ready` also ends wrap-up.
    Intent {
        /// Who.
        agent: AgentId,
        /// What.
        intent: Intent,
        /// On whose word.
        by: Actor,
    },
    /// A phone came or went. Coming is a proof of life.
    Reachable {
        /// Whose.
        agent: AgentId,
        /// Can be rung.
        reachable: bool,
        /// Why, a code.
        why: String,
    },
    /// The agent's page is there and follows the feed, or no longer. With a page the agent is
    /// invited to shared queues; without, the phone rings.
    Page {
        /// Whose.
        agent: AgentId,
        /// Open.
        open: bool,
    },
    /// The connection of the agent's page for audio stands, or no longer.
    PageLine {
        /// Whose.
        agent: AgentId,
        /// It stands.
        up: bool,
    },
    /// The microphone and speakers of the agent's page are fit, or not.
    PageFit {
        /// Whose.
        agent: AgentId,
        /// They are.
        fit: bool,
    },
    /// The one key: the agent takes the most urgent item that can be had at this instant: what is
    /// offered already, or what waits, or what is open to a claim.
    Answer {
        /// Who.
        agent: AgentId,
    },
    /// The agent takes this item, whatever its place. A person's will: exempt from the order.
    Pick {
        /// Who.
        agent: AgentId,
        /// Which.
        work: WorkId,
        /// A phone of theirs is lifted already: their page is not needed.
        lifted: bool,
    },
    /// Work that was set aside comes back for the agent who takes it: nobody else is asked first.
    Resume {
        /// Who takes it.
        agent: AgentId,
        /// As in [`Fact::Enter`].
        work: WorkId,
        /// As in [`Fact::Enter`].
        call: CallId,
        /// As in [`Fact::Enter`].
        queue: QueueId,
        /// As in [`Fact::Enter`].
        class: ClassId,
        /// As in [`Fact::Enter`].
        arrived: Instant,
        /// As in [`Fact::Enter`].
        credit: Duration,
    },
    /// The call is out of this agent's ear, and is not over: no wrap-up.
    Aside {
        /// Who.
        agent: AgentId,
        /// The call that was in the ear.
        call: CallId,
    },
    /// What an agent can answer from here on.
    Skills {
        /// Who.
        agent: AgentId,
        /// As the queues name them.
        skills: Vec<String>,
        /// By whom.
        by: Actor,
    },
    /// The phone rings.
    Alerting {
        /// The offer.
        offer: OfferId,
    },
    /// The phone was answered (200) and is being bridged: within [`super::Floor::BRIDGE_WITHIN`] it is
    /// connected or the caller waits again.
    Taken {
        /// The offer.
        offer: OfferId,
    },
    /// Bridged and confirmed: the item leaves the queue, the agent has the call in the ear.
    Connected {
        /// The offer.
        offer: OfferId,
    },
    /// The phone did not take it; the caller keeps the place.
    Failed {
        /// The offer.
        offer: OfferId,
        /// How: `Rejected`, `TimedOut`, `Unreachable`, `PhoneBusy` or `LostBeforeBridge`.
        end: OfferEnd,
    },
    /// The agent takes the most urgent item an invitation allows, at this instant.
    Claim {
        /// Who.
        agent: AgentId,
        /// The invitation.
        offer: OfferId,
    },
    /// The agent refuses an exclusive offer.
    Reject {
        /// Who.
        agent: AgentId,
        /// Which.
        offer: OfferId,
    },
    /// The agent has seen an offer on a page. Proof of life.
    Seen {
        /// Who.
        agent: AgentId,
        /// Which.
        offer: OfferId,
    },
    /// The conversation is over for this agent: wrap-up starts.
    EarFree {
        /// Who.
        agent: AgentId,
        /// The call that was in the ear.
        call: CallId,
    },
    /// Another plan serves. Waiting items keep their place in the order, and their queue by its name.
    Plan(Arc<Dialplan>),
    /// Time has passed.
    Due,
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
    /// Always `Exclusive` for a phone that rings; a claim says so in `because`.
    pub kind: OfferKind,
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
