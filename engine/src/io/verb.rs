//! What can be wished for, by people and by programs for them.

use crate::call::event::Seat;
pub use crate::call::event::Whom;
use crate::id::{AgentId, CallId, MajorId, OfferId, QueueId, WorkId};
use std::time::Duration;

/// Characters of a note on a call. More is a file's business, and every board carries it.
pub const NOTE_MAX: usize = 500;

/// What can be wished for.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// The agent starts a shift at a position.
    SignIn {
        /// Who.
        agent: AgentId,
        /// Where; `None`: the configured one.
        position: Option<String>,
    },
    /// The agent ends the shift.
    SignOut {
        /// Who.
        agent: AgentId,
    },
    /// The agent wants calls. Also ends wrap-up and a RONA.
    Ready {
        /// Who.
        agent: AgentId,
    },
    /// The agent wants none for a while.
    Pause {
        /// Who.
        agent: AgentId,
        /// Why, from the centre's list or free.
        reason: String,
    },
    /// The agent wants confirmed-vital calls put through without a key, where the queue allows it and
    /// while they show that they are there. Until the page closes.
    AutoAnswer {
        /// Who.
        agent: AgentId,
        /// Wanted, or not.
        on: bool,
    },
    /// The agent has seen an offer on a screen.
    OfferSeen {
        /// Who.
        agent: AgentId,
        /// Which.
        offer: OfferId,
    },
    /// The agent takes the most urgent item a shared offer invites to, at this instant.
    Claim {
        /// Who.
        agent: AgentId,
        /// The invitation.
        offer: OfferId,
    },
    /// The agent refuses an exclusive offer; the caller keeps the place.
    Reject {
        /// Who.
        agent: AgentId,
        /// Which.
        offer: OfferId,
    },
    /// The agent ends the conversation in the ear, on purpose.
    Release {
        /// Who.
        agent: AgentId,
        /// The call.
        call: CallId,
        /// Why, from the disposition list.
        disposition: Option<String>,
    },
    /// Somebody says how urgent a call is.
    Qualify {
        /// The call.
        call: CallId,
        /// A class of the plan.
        class: String,
    },
    /// The one key: the agent takes the most urgent item that can be had at this instant, offered
    /// already or not.
    Answer {
        /// Who.
        agent: AgentId,
    },
    /// The agent takes this waiting or held item, whatever its place; a person's pick may break the
    /// order, and is counted.
    Pick {
        /// Who.
        agent: AgentId,
        /// Which.
        call: CallId,
        /// The person was told that a confirmed-vital call waits, and wants this one all the same.
        confirmed: bool,
    },
    /// Group pick-up: the agent takes the most urgent call that rings at a colleague for a queue they
    /// serve as well, without naming it; a person's will, as a pick is.
    PickUp {
        /// Who.
        agent: AgentId,
        /// As in [`Verb::Pick`].
        confirmed: bool,
    },
    /// The agent puts the call in the ear on the shared held list.
    Hold {
        /// Who.
        agent: AgentId,
        /// The call.
        call: CallId,
    },
    /// The vital key: the call is confirmed vital from here on; it does not move.
    Vital {
        /// Who.
        agent: AgentId,
        /// The call.
        call: CallId,
    },
    /// The agent leaves the conversation; whoever else is in it stays with the caller.
    Leave {
        /// Who.
        agent: AgentId,
        /// The call.
        call: CallId,
    },
    /// The agent asks somebody; the caller hears the hold sound meanwhile.
    Consult {
        /// Who asks.
        agent: AgentId,
        /// About which call.
        call: CallId,
        /// Whom.
        whom: Whom,
    },
    /// Whoever was asked comes to the caller: all of them talk with each other.
    Conference {
        /// Who has asked.
        agent: AgentId,
        /// The call.
        call: CallId,
    },
    /// The agent lets go of whoever was asked in, and has the caller again.
    Dismiss {
        /// Who has asked.
        agent: AgentId,
        /// The call.
        call: CallId,
    },
    /// A supervisor comes into a conversation: listens, whispers to its agent, or speaks.
    Watch {
        /// The supervisor, whose page or phone it is.
        agent: AgentId,
        /// The call.
        call: CallId,
        /// In which way.
        seat: Seat,
    },
    /// A supervisor who is in a conversation answers for it from here on; its agents are out of it.
    TakeOver {
        /// The supervisor.
        agent: AgentId,
        /// The call.
        call: CallId,
    },
    /// A short note on a call.
    Note {
        /// The call.
        call: CallId,
        /// The text; bounded.
        text: String,
    },
    /// A supervisor raises a waiting item to another class.
    Raise {
        /// The item.
        work: WorkId,
        /// A class of the plan.
        class: String,
    },
    /// A supervisor changes what an agent can answer.
    Skills {
        /// Who.
        agent: AgentId,
        /// The skills from here on.
        skills: Vec<String>,
    },
    /// A supervisor moves a waiting item to another queue; it keeps its arrival time.
    Move {
        /// The item.
        work: WorkId,
        /// Where to.
        queue: QueueId,
    },
    /// The agent in conversation gives the caller to the people of another queue.
    HandOver {
        /// Who.
        agent: AgentId,
        /// The call.
        call: CallId,
        /// Where it waits.
        queue: QueueId,
        /// A class of the plan, or P0..P3; `None`: as it is.
        class: Option<String>,
        /// For whoever answers there.
        note: Option<String>,
    },
    /// The agent takes back a caller who was handed over and waits.
    TakeBack {
        /// Who.
        agent: AgentId,
        /// The call.
        call: CallId,
        /// As in [`Verb::Pick`].
        confirmed: bool,
    },
    /// Whoever answers gives the caller back to the stage they came from.
    ReferBack {
        /// Who.
        agent: AgentId,
        /// The call.
        call: CallId,
        /// Why, for the agent who had handed it over.
        note: Option<String>,
    },
    /// A word on a call.
    Tag {
        /// The call.
        call: CallId,
        /// The word.
        tag: String,
    },
    /// The caller of this call is to be called, later. The call goes on as it is.
    PlanCallback {
        /// The call.
        call: CallId,
        /// In how long.
        after: Duration,
        /// What it is about.
        note: Option<String>,
    },
    /// The agent ends the call in the ear; its caller is called back.
    DropToCallback {
        /// Who.
        agent: AgentId,
        /// The call.
        call: CallId,
        /// What it is about.
        note: Option<String>,
    },
    /// A callback is not needed any more.
    DismissCallback {
        /// Which.
        call: CallId,
        /// Why.
        reason: String,
    },
    /// A supervisor opens a queue's way out, or closes it.
    SetOverflow {
        /// The queue.
        queue: QueueId,
        /// Open from here on, or not.
        open: bool,
    },
    /// A supervisor opens a major event: one command, and its calls, its team and those who keep the
    /// rest going are told apart.
    OpenMajor(Box<OpenMajor>),
    /// A supervisor says that a major event is over.
    CloseMajor {
        /// Which.
        event: MajorId,
    },
    /// Somebody says that a call belongs to a major event.
    AddToMajor {
        /// Which.
        event: MajorId,
        /// The call.
        call: CallId,
    },
}

/// A major event as a supervisor opens it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenMajor {
    /// Its name.
    pub name: String,
    /// Calls on which the plan, or a key of the menu, puts one of these belong to it.
    pub tags: Vec<String>,
    /// Calls to one of these numbers belong to it.
    pub numbers: Vec<String>,
    /// Where its calls wait; `None`: where they would anyway.
    pub queue: Option<QueueId>,
    /// Who serves that queue and no other.
    pub team: Vec<AgentId>,
    /// Who is kept for everything else, and serves none of its calls.
    pub rest: Vec<AgentId>,
}
