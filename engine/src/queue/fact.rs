//! What the floor is told, and what it answers.

use crate::call::event::{Actor, Because, Event, Intent, Occupation, OfferEnd, OfferKind};
use crate::dialplan::{ClassId, Destination, Dialplan, SkillNeed};
use crate::id::{AgentId, CallId, OfferId, QueueId, WorkId};
use crate::time::Instant;
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
    /// An agent accepted a callback and the person was not reached: the agent is free, the item
    /// counts one attempt more and is left alone for a while.
    Attempted {
        /// The agent's offer.
        offer: OfferId,
        /// Until it is offered again.
        again: Duration,
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
        /// The rule that had fired.
        rule: u32,
    },
    /// Which queues an agent serves from here on, in a major event.
    Assign {
        /// Who.
        agent: AgentId,
        /// Which.
        duty: Duty,
    },
    /// The agent wants confirmed-vital calls put through without a key, where the queue allows it.
    AutoAnswer {
        /// Who.
        agent: AgentId,
        /// Wanted.
        on: bool,
    },
    /// Another plan serves. Waiting items keep their place in the order, and their queue by its name.
    Plan(Arc<Dialplan>),
    /// Time has passed.
    Due,
}

/// Work that comes to wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// Its id, chosen by whoever tells of it and never used before.
    pub work: WorkId,
    /// The call behind it; of a callback, the call it goes back to.
    pub call: CallId,
    /// What it is.
    pub kind: WorkKind,
    /// Where.
    pub queue: QueueId,
    /// How urgent.
    pub class: ClassId,
    /// When its INVITE came; a caller who comes back keeps it.
    pub arrived: Instant,
    /// Time waited in an earlier, abandoned call: it counts for the order, not for figures.
    pub credit: Duration,
    /// Comes back after a conversation or a connection that was lost.
    pub again: bool,
    /// It is not offered before; `None`: at once. A callback that was planned.
    pub not_before: Option<Instant>,
    /// Whoever meets one of these may be offered it as well, from the start.
    pub add: Vec<SkillNeed>,
    /// Agents with this skill are preferred, for as long as that delays nobody.
    pub language: Option<String>,
    /// Who is asked first.
    pub owner: Option<Owner>,
    /// Who is never asked, nor may take it.
    pub barred: Vec<AgentId>,
    /// Another organisation's line: it may take what a queue reserves.
    pub partner: bool,
    /// It overflowed here from another centre: it goes no further than this one.
    pub visiting: bool,
}

impl Arrival {
    /// A live caller, without anything particular.
    pub fn live(work: WorkId, call: CallId, queue: QueueId, class: ClassId, arrived: Instant) -> Arrival {
        Arrival {
            work,
            call,
            kind: WorkKind::Live,
            queue,
            class,
            arrived,
            credit: Duration::ZERO,
            again: false,
            not_before: None,
            add: Vec::new(),
            language: None,
            owner: None,
            barred: Vec::new(),
            partner: false,
            visiting: false,
        }
    }
}

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkKind {
    /// A caller on the line.
    Live,
    /// Somebody is to be called. Previewed: an agent accepts, then the engine dials. Unless it is
    /// behind the fence, it is never pushed to the last free agent of its queue.
    Callback,
    /// A caller hung up before a stage whose work stays. Offered as a callback is.
    Kept,
    /// A conversation wants somebody beside it: pages of free agents are asked together, phones one
    /// by one, and from [`super::Floor::JOIN_ALERTS_AFTER`] on busy agents too. Its offers are of
    /// [`OfferKind::Join`], and it leaves when one is connected or by [`Fact::Leave`].
    Join,
}

/// Who is asked first for an item, and who later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Who. When nobody can ring them, the others are asked at once.
    pub agent: AgentId,
    /// How long they are asked alone. Behind the fence nobody is asked alone.
    pub alone: Duration,
    /// Empty: then whoever serves the queue. Else only those who meet one of these, never anybody
    /// else before the fence.
    pub leads: Vec<SkillNeed>,
}

/// How an item leaves its queue otherwise than into a conversation or with its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Somebody elsewhere answered it.
    Overflowed,
    /// A person gave it to somebody outside.
    Transferred,
    /// It is no longer wanted: the person is back, has been reached, or was tried often enough.
    Withdrawn,
}

/// Which queues an agent serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Duty {
    /// Those that ask for one of the agent's skills.
    #[default]
    BySkill,
    /// These and no other, whatever the skills: the team of a major event.
    Only(Vec<QueueId>),
    /// By skill, and nothing that waits in one of these: who keeps everything else going.
    Except(Vec<QueueId>),
}

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
    /// Put it through without a key: the agent wants it, the queue allows it, and the person has
    /// shown a moment ago that they are there.
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
