//! What the floor is told.

use super::arrival::{Arrival, Duty, Exit, WorkKind};
use crate::call::event::{Actor, Intent, OfferEnd};
use crate::dialplan::{ClassId, Dialplan};
use crate::id::{AgentId, CallId, OfferId, QueueId, WorkId};
use std::sync::Arc;
use std::time::Duration;

/// One thing that is true from now on. Facts about an offer, item or agent that is over, or was
/// never ours, have no effect: the id is the epoch, and ids are never given twice.
#[derive(Clone, Debug)]
pub enum Fact {
    /// Work waits.
    Enter(Box<Arrival>),
    /// The caller is gone.
    Gone {
        /// Their item.
        work: WorkId,
    },
    /// The item leaves its queue otherwise than into a conversation or with its caller.
    /// `Event::Withdrawn` says that it waits no longer; the reason is the caller's to write.
    Leave {
        /// The item.
        work: WorkId,
        /// How.
        exit: Exit,
    },
    /// The caller is gone and the work stays, at its place in the order. Whoever it rings at is
    /// stopped; from here on it is previewed.
    Keep {
        /// The item.
        work: WorkId,
        /// [`WorkKind::Callback`] or [`WorkKind::Kept`].
        kind: WorkKind,
    },
    /// An agent accepted a callback and the person was not reached: the agent is free and has worked,
    /// the item counts one attempt more and is left alone for a while.
    Attempted {
        /// The agent's offer.
        offer: OfferId,
        /// Until it is offered again; `None`: this was the last attempt, and it leaves.
        again: Option<Duration>,
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
        /// The person was told that a confirmed-vital call waits and chooses this one all the same.
        confirmed: bool,
    },
    /// Group pick-up: the agent takes the most urgent item that rings at a colleague for a queue they
    /// serve as well. A person's will, as a pick is.
    PickUp {
        /// Who.
        agent: AgentId,
        /// As in [`Fact::Pick`].
        confirmed: bool,
    },
    /// Work that was set aside comes back for the agent who takes it: nobody else is asked first.
    Resume {
        /// Who takes it.
        agent: AgentId,
        /// As in [`Fact::Enter`].
        arrival: Box<Arrival>,
        /// As in [`Fact::Pick`].
        confirmed: bool,
    },
    /// The agent is in this call by a wish of theirs, without an offer: a supervisor who listens.
    Beside {
        /// Who.
        agent: AgentId,
        /// The call in the ear from here on.
        call: CallId,
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
    /// A person opens a queue's overflow, or closes it. What has overflowed stays so.
    Overflow {
        /// Of which queue.
        queue: QueueId,
        /// Open from here on, or not.
        opened: bool,
    },
    /// What [`Step::Overflow`] asked for came to nothing: the item is at its rank again, and the rule
    /// may ask once more after [`super::Floor::OVERFLOW_AGAIN`].
    Returned {
        /// The item.
        work: WorkId,
        /// The queue whose rule had fired.
        queue: QueueId,
        /// The rule's place in the queue's list.
        rule: u32,
    },
    /// Which queues an agent serves from here on, in a major event.
    Assign {
        /// Who.
        agent: AgentId,
        /// Which.
        duty: Duty,
    },
    /// The agent wants confirmed-vital calls put through without a key, where the queue allows it; for
    /// as long as the page is open.
    AutoAnswer {
        /// Who.
        agent: AgentId,
        /// Wanted.
        on: bool,
    },
    /// The person at the agent's page has touched a key or the pointer. A proof of life.
    Present {
        /// Who.
        agent: AgentId,
    },
    /// Another plan serves. Waiting items keep their place in the order, and their queue by its name.
    Plan(Arc<Dialplan>),
    /// Time has passed.
    Due,
}
