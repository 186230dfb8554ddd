//! Who looks, what they may see, and what they may wish for: decided here and nowhere else.
//!
//! | | observer | agent | supervisor |
//! |---|---|---|---|
//! | boards, queues: who waits | numbers masked | everything: any of them may be picked | everything |
//! | `me`: own offers and conversations | - | everything | - |
//! | a call | number masked | everything in one's own ear, else masked | everything |
//! | held, handed over, to be called back | numbers masked, no notes | everything: they are the room's | everything |
//! | minutes, alarms | everything | everything | everything |
//! | commands | none | for oneself, any call by `pick`, and the call in one's ear | all |

use super::board::Board;
use super::cast::Cast;
use super::row::{Key, Row};
use crate::call::event::{Actor, Private, Signed};
use crate::id::{AgentId, CallId, QueueId};
use crate::io::Verb;

/// Somebody connected to the feed or the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The name of the account: the actor of a supervisor's commands.
    pub name: String,
    /// What the account allows.
    pub right: Right,
}

/// What an account allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// Looks at boards, with callers' numbers masked; commands nothing.
    Observer,
    /// One agent: sees who waits, is held or is in the own ear; commands in own name.
    Agent(AgentId),
    /// Sees every number, commands for everybody.
    Supervisor,
}

impl Right {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Right::Observer => "observer",
            Right::Agent(_) => "agent",
            Right::Supervisor => "supervisor",
        }
    }
}

impl Viewer {
    /// In whose name this viewer's commands are.
    pub fn actor(&self) -> Actor {
        match self.right {
            Right::Agent(agent) => Actor::Agent(agent),
            Right::Observer | Right::Supervisor => Actor::User(self.name.clone()),
        }
    }

    /// Whether this viewer may wish for that.
    pub fn may(&self, verb: &Verb, board: &Board) -> bool {
        let me = match self.right {
            Right::Observer => return false,
            Right::Supervisor => return true,
            Right::Agent(me) => me,
        };
        match verb {
            Verb::SignIn { agent, .. }
            | Verb::SignOut { agent }
            | Verb::Ready { agent }
            | Verb::Pause { agent, .. }
            | Verb::AutoAnswer { agent, .. }
            | Verb::OfferSeen { agent, .. }
            | Verb::Claim { agent, .. }
            | Verb::Reject { agent, .. }
            | Verb::Release { agent, .. } => *agent == me,
            Verb::Qualify { call, .. } => board.rows().row(&Key::Conversation(me, *call)).is_some(),
            Verb::Answer { agent }
            | Verb::Pick { agent, .. }
            | Verb::PickUp { agent, .. }
            | Verb::Hold { agent, .. }
            | Verb::Vital { agent, .. } => *agent == me,
            Verb::Leave { agent, .. }
            | Verb::Consult { agent, .. }
            | Verb::Conference { agent, .. }
            | Verb::Dismiss { agent, .. } => *agent == me,
            // A supervisor of the roster at a page of their own, which is the ear of it.
            Verb::Watch { agent, .. } | Verb::TakeOver { agent, .. } => {
                *agent == me && board.cast().steers(me)
            }
            Verb::Note { call, .. } => board.rows().row(&Key::Conversation(me, *call)).is_some(),
            Verb::HandOver { agent, .. }
            | Verb::TakeBack { agent, .. }
            | Verb::ReferBack { agent, .. }
            | Verb::DropToCallback { agent, .. } => *agent == me,
            Verb::Tag { call, .. } | Verb::PlanCallback { call, .. } | Verb::AddToMajor { call, .. } => {
                board.rows().row(&Key::Conversation(me, *call)).is_some()
            }
            Verb::DismissCallback { .. } => true,
            Verb::SetOverflow { .. } | Verb::OpenMajor(_) | Verb::CloseMajor { .. } => false,
            Verb::Raise { .. } | Verb::Skills { .. } | Verb::Move { .. } => false,
        }
    }

    /// The row as this viewer may see it.
    pub fn cut(&self, key: &Key, row: &Row, board: &Board) -> Row {
        let mut row = row.clone();
        let whole = match (self.right, key) {
            (Right::Supervisor, _) => true,
            (Right::Agent(me), Key::Offer(agent, _) | Key::Conversation(agent, _)) => me == *agent,
            // By the number an agent knows a partner, and by the note whom to take, or to call, first.
            (Right::Agent(_), Key::Waiting(..) | Key::Held(..)) => true,
            (Right::Agent(_), Key::Callback(..) | Key::HandOver(..)) => true,
            (Right::Agent(me), Key::Call(call)) => board.rows().row(&Key::Conversation(me, *call)).is_some(),
            _ => false,
        };
        if whole {
            return row;
        }
        let agent = matches!(self.right, Right::Agent(_));
        match &mut row {
            Row::Waiting(row) => (row.caller, row.caller_name) = (masked(&row.caller), None),
            Row::Offer(row) => {
                (row.caller, row.caller_name) = (masked(&row.caller), None);
                mask_signed(&mut row.signed);
            }
            Row::Conversation(row) => {
                (row.caller, row.caller_name, row.note) = (masked(&row.caller), None, None);
                mask_signed(&mut row.signed);
            }
            Row::Call(row) => {
                (row.caller, row.caller_name, row.note) = (masked(&row.caller), None, None);
                mask_signed(&mut row.signed);
            }
            Row::Held(row) => {
                (row.caller, row.caller_name, row.note) = (masked(&row.caller), None, None);
            }
            // Whoever may take it reads the note first: of an agent only the number is masked.
            Row::Callback(row) => {
                (row.caller, row.caller_name) = (masked(&row.caller), None);
                row.note = row.note.take().filter(|_| agent);
            }
            Row::HandOver(row) => {
                (row.caller, row.caller_name) = (masked(&row.caller), None);
                row.note = row.note.take().filter(|_| agent);
            }
            Row::Minute(_) | Row::Alarm(_) | Row::Major(_) | Row::Figures(_) => {}
            Row::Totals(_) | Row::Trunk(_) | Row::Queue(_) | Row::Agent(_) | Row::Decision(_) => {}
        }
        row
    }
}

/// Who has passed a call on is somebody's number as well.
fn mask_signed(signed: &mut Option<Box<Signed>>) {
    for by in signed.iter_mut().flat_map(|signed| &mut signed.passed_by) {
        *by = masked(by);
    }
}

/// A number of which only the last two digits are left: enough to tell two callers apart in the
/// room, not enough to call anybody.
fn masked(number: &Private) -> Private {
    let digits = number.0.chars().filter(char::is_ascii_digit).count();
    let mut seen = 0;
    let mask = |c: char| {
        if !c.is_ascii_digit() {
            return '*'; // an address may spell a name
        }
        seen += 1;
        if seen + 2 > digits && digits > 4 { c } else { '*' }
    };
    Private(number.0.chars().map(mask).collect())
}

/// A filtered view of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// The viewing agent's own state, offers and conversations.
    Me(AgentId),
    /// The whole room.
    Board,
    /// One queue.
    Queue(QueueId),
    /// One call.
    Call(CallId),
}

/// Why a topic cannot be had; a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTopic {
    /// There is no topic, queue or call id of that name.
    #[error("unknown_topic")]
    Unknown,
    /// `me` is for agents.
    #[error("not_an_agent")]
    NotAnAgent,
}

impl Topic {
    /// Reads a topic as `viewer` names it: `me`, `board`, `queue/NAME`, `call/ID`.
    pub fn read(text: &str, viewer: &Viewer, cast: &Cast) -> Result<Topic, NoTopic> {
        match (text.split_once('/'), viewer.right) {
            (None, Right::Agent(me)) if text == "me" => Ok(Topic::Me(me)),
            (None, _) if text == "me" => Err(NoTopic::NotAnAgent),
            (None, _) if text == "board" => Ok(Topic::Board),
            (Some(("queue", name)), _) => cast.queue_named(name).map(Topic::Queue).ok_or(NoTopic::Unknown),
            (Some(("call", id)), _) => {
                let call = id.parse::<CallId>().map_err(|_| NoTopic::Unknown)?;
                if call.centre == cast.centre { Ok(Topic::Call(call)) } else { Err(NoTopic::Unknown) }
            }
            _ => Err(NoTopic::Unknown),
        }
    }

    /// Whether a row belongs to it.
    pub fn holds(self, key: &Key) -> bool {
        match (self, key) {
            (Topic::Me(me), Key::Agent(agent) | Key::Offer(agent, _) | Key::Conversation(agent, _)) => {
                me == *agent
            }
            (
                Topic::Board,
                Key::Totals
                | Key::Trunk(_)
                | Key::Queue(_)
                | Key::Agent(_)
                | Key::Waiting(..)
                | Key::Held(_)
                | Key::Minute(_)
                | Key::Alarm(_)
                | Key::Callback(_)
                | Key::HandOver(_)
                | Key::Major(_)
                | Key::Figures(_)
                | Key::Decision(_),
            ) => true,
            (Topic::Queue(queue), Key::Queue(id) | Key::Waiting(id, _)) => queue == *id,
            (Topic::Call(call), Key::Call(id)) => call == *id,
            _ => false,
        }
    }

    /// Whether a change is told at once instead of at the board's pace.
    pub fn is_urgent(self) -> bool {
        matches!(self, Topic::Me(_))
    }
}
