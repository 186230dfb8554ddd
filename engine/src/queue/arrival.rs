//! Work as it comes to wait, and how it leaves otherwise than into a conversation.

use crate::dialplan::{ClassId, SkillNeed};
use crate::id::{AgentId, CallId, QueueId, WorkId};
use crate::time::Instant;
use std::time::Duration;

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
    /// And who beside them.
    pub others: Others,
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
            others: Others::Everybody,
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

/// Who is asked first for an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Who. When nobody can ring them, the others are asked at once.
    pub agent: AgentId,
    /// How long they are asked alone. Behind the fence nobody is asked alone.
    pub alone: Duration,
}

/// Who is asked for an item beside its owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// Whoever serves its queue.
    #[default]
    Everybody,
    /// Those who meet one of these; before the fence nobody else, however free.
    Leads(Vec<SkillNeed>),
    /// Nobody: it is for its owner.
    Nobody,
}

impl Others {
    /// These leads; nobody in particular: everybody.
    pub fn led_by(leads: &[SkillNeed]) -> Others {
        if leads.is_empty() { Others::Everybody } else { Others::Leads(leads.to_vec()) }
    }
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
