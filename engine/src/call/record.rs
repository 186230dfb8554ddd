//! The one record a call ends in: a fold of its events, kept up to date while the call lives, so that
//! a restart goes on with the same record and its size does not grow with the call's length.

mod course;
mod parts;

pub use course::{Attempt as Dialled, Callback, Course, HandOver, Major, Outlet, Repeat, StageTime};
pub use parts::{Attempt, Attendance, Consultation, Conversation, Note, Qualification, Stage, Want, Word};

use super::event::{Actor, Beside, Cause, Entry, Event, Loss, OfferEnd, Private, Seat, Signed, Source, Who};
use crate::id::{AgentId, CallId, OfferId, QueueId, WorkId};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// Attempts, stages, qualifications and conversations kept in full; beyond, the oldest are kept and
/// the later only counted. More costs memory per waiting call, fewer hides how a long wait went.
pub const PARTS_MAX: usize = 128;

/// The version of [`Record`]'s shape.
pub const RECORD_VERSION: u16 = 1;

/// A call's record (CDR). Every duration is counted from the call's arrival unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`RECORD_VERSION`] when it was written.
    pub version: u16,
    /// The call.
    pub call: CallId,
    /// The trunk's name.
    pub trunk: String,
    /// What was dialled, as delivered.
    pub called: String,
    /// The plan's service for it.
    pub service: String,
    /// Best number to call back.
    pub caller: Private,
    /// The name the network showed.
    pub caller_name: Option<Private>,
    /// The caller asked for privacy.
    pub withheld: bool,
    /// The SIP Call-ID, to find the call again at the carrier.
    pub sip_call_id: Private,
    /// What its INVITE said beside who calls whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Box<Signed>>,
    /// When the INVITE came, on the wall clock.
    pub arrived: SystemTime,
    /// When the INVITE came, on the timeline.
    pub arrived_at: Instant,
    /// The route that won.
    pub route: String,
    /// Modifiers that applied, in order.
    pub modifiers: Vec<String>,
    /// The queue the plan chose, by its name there.
    #[serde(default)]
    pub queue: String,
    /// The class the plan gave, before anybody said otherwise.
    #[serde(default)]
    pub class: String,
    /// The plan's version.
    pub plan: String,
    /// When the caller first heard us (183 or 200).
    pub anchored: Option<Duration>,
    /// When the caller was answered (200).
    pub answered: Option<Duration>,
    /// Every time it stood in a queue.
    pub stages: Vec<Stage>,
    /// How urgent it was, on whose word.
    pub qualifications: Vec<Qualification>,
    /// Every offer to an agent.
    pub attempts: Vec<Attempt>,
    /// How many offers there were, also beyond [`PARTS_MAX`].
    pub attempts_count: u32,
    /// What was noted on it.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Every conversation with an agent.
    pub conversations: Vec<Conversation>,
    /// Everyone else who took part: beside the agent who answered for it, from outside, or watching.
    #[serde(default)]
    pub others: Vec<Attendance>,
    /// Everybody of ours who was called beside the agent.
    #[serde(default)]
    pub wanted: Vec<Want>,
    /// Everybody who was asked out of the caller's hearing.
    #[serde(default)]
    pub consults: Vec<Consultation>,
    /// From arrival to the first conversation; without one, to the end.
    pub waited: Duration,
    /// Sum of the conversations.
    pub talked: Duration,
    /// When it was over, on the wall clock; `None` while it lives.
    pub ended: Option<SystemTime>,
    /// From arrival to the end.
    pub lasted: Duration,
    /// Who ended it.
    pub ended_by: Option<Actor>,
    /// How it ended.
    pub cause: Option<Cause>,
    /// Why its legs ended, in their networks' words: the caller's, and those of whoever was called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Word>,
    /// The disposition of the release, when the agent gave one.
    pub disposition: Option<String>,
    /// What happened to it beside talking.
    #[serde(default)]
    pub course: Course,
}

impl Record {
    /// Opens the record of the call that arrives, or of the callback that begins, with this entry;
    /// `None` for any other event.
    pub fn open(entry: &Entry) -> Option<Record> {
        match &entry.event {
            Event::Arrived {
                call,
                trunk,
                called,
                service,
                caller,
                caller_name,
                withheld,
                sip_call_id,
                ..
            } => {
                let blank = Record::blank(*call, entry, (trunk, called, service));
                Some(Record {
                    caller: caller.clone(),
                    caller_name: caller_name.clone(),
                    withheld: *withheld,
                    sip_call_id: sip_call_id.clone(),
                    ..blank
                })
            }
            Event::Beside(Beside::CallbackOpened {
                call,
                of,
                why,
                trunk,
                called,
                service,
                caller,
                caller_name,
                by,
                ..
            }) => {
                let mut blank = Record::blank(*call, entry, (trunk, called, service));
                let (attempts, closed) = (Vec::new(), None);
                blank.course.callback =
                    Some(Callback { of: *of, why: *why, by: by.clone(), attempts, closed });
                Some(Record { caller: caller.clone(), caller_name: caller_name.clone(), ..blank })
            }
            _ => None,
        }
    }

    fn blank(call: CallId, entry: &Entry, (trunk, called, service): (&str, &str, &str)) -> Record {
        Record {
            version: RECORD_VERSION,
            call,
            trunk: trunk.to_owned(),
            called: called.to_owned(),
            service: service.to_owned(),
            caller: Private::default(),
            caller_name: None,
            withheld: false,
            sip_call_id: Private::default(),
            signed: None,
            arrived: entry.utc,
            arrived_at: entry.at,
            route: String::new(),
            modifiers: Vec::new(),
            queue: String::new(),
            class: String::new(),
            plan: String::new(),
            anchored: None,
            answered: None,
            stages: Vec::new(),
            qualifications: Vec::new(),
            attempts: Vec::new(),
            attempts_count: 0,
            notes: Vec::new(),
            conversations: Vec::new(),
            others: Vec::new(),
            wanted: Vec::new(),
            consults: Vec::new(),
            waited: Duration::ZERO,
            talked: Duration::ZERO,
            ended: None,
            lasted: Duration::ZERO,
            ended_by: None,
            cause: None,
            words: Vec::new(),
            disposition: None,
            course: Course::default(),
        }
    }

    /// Takes one more event of this call into account. Events that a record does not tell are ignored.
    pub fn apply(&mut self, entry: &Entry) {
        let at = entry.at.since(self.arrived_at);
        match &entry.event {
            Event::Routed { route, modifiers, queue, class, plan, .. } => {
                self.route.clone_from(route);
                self.modifiers.clone_from(modifiers);
                self.queue.clone_from(queue);
                self.class.clone_from(class);
                self.plan.clone_from(plan);
            }
            Event::Anchored { answered, .. } => {
                self.anchored.get_or_insert(at);
                if *answered {
                    self.answered.get_or_insert(at);
                }
            }
            Event::Queued { work, .. } if self.wanted.iter().any(|it| it.work == *work) => {}
            Event::Queued { .. } => self.queue(&entry.event, at),
            Event::Moved { work, queue, .. } => self.change_queue(*work, *queue, at),
            Event::Qualified { class, by, source, .. } => {
                let word = Qualification { class: class.clone(), by: by.clone(), source: *source, at };
                keep(&mut self.qualifications, word);
            }
            Event::Offered { offer, agent, .. } => {
                self.attempts_count = self.attempts_count.saturating_add(1);
                let attempt = Attempt { offer: *offer, agent: *agent, at, over: None, end: None };
                keep(&mut self.attempts, attempt);
            }
            Event::OfferEnded { offer, agent, end, .. } => self.close_attempt(*offer, *agent, end, at),
            Event::Connected { work, agent, .. } => {
                self.leave(*work, at);
                if let Some(stay) = self.stage_of(*work) {
                    (stay.answered, stay.by) = (Some(at), Some(*agent));
                }
                if self.conversations.is_empty() {
                    self.waited = at;
                }
                self.talk(*agent, at);
            }
            Event::HeldAside { lost: false, .. } | Event::HandedOut { .. } => self.hang_up(at, None),
            Event::Resumed { agent, .. } => self.talk(*agent, at),
            Event::Noted { by, text, .. } => {
                keep(&mut self.notes, Note { text: text.clone(), by: by.clone(), at });
            }
            Event::AgentLost { agent, loss, .. } if self.answers(*agent) => self.hang_up(at, Some(*loss)),
            Event::Released { disposition, .. } => {
                self.hang_up(at, None);
                self.disposition.clone_from(disposition);
            }
            Event::Withdrawn { work, .. } => match self.wanted.iter_mut().find(|it| it.work == *work) {
                Some(wanted) => wanted.until = Some(at),
                None => self.leave(*work, at),
            },
            Event::Ended { by, cause, .. } => self.close(entry.utc, at, by, *cause),
            Event::Signed { signed, .. } => self.signed = Some(Box::new(signed.clone())),
            Event::Reasoned { leg, protocol, cause, .. } => {
                keep(&mut self.words, Word { leg: *leg, protocol: protocol.clone(), cause: *cause, at });
            }
            Event::Beside(event) => self.go_on(event, at),
            others => self.apply_parties(others, at),
        }
    }

    /// Who takes part beside the agent who answers for the call, and who was asked.
    fn apply_parties(&mut self, event: &Event, at: Duration) {
        match event {
            Event::Led { agent, .. } => self.talk(*agent, at),
            Event::Wanted { work, whom, .. } => {
                keep(&mut self.wanted, Want { work: *work, whom: whom.clone(), from: at, until: None });
            }
            Event::Joined { who, seat, by, .. } => self.attend(who, *seat, by, at),
            Event::Left { who, loss, .. } => self.depart(who, *loss, at),
            Event::Consulting { agent, whom, .. } => keep(
                &mut self.consults,
                Consultation { by: *agent, whom: whom.clone(), from: at, until: None, end: None },
            ),
            Event::ConsultEnded { end, .. } => {
                if let Some(last) = self.consults.last_mut().filter(|last| last.until.is_none()) {
                    (last.until, last.end) = (Some(at), Some(*end));
                }
            }
            _ => {}
        }
    }

    fn queue(&mut self, event: &Event, at: Duration) {
        let Event::Queued { work, queue, class, again, .. } = event else { return };
        if self.stages.is_empty() {
            // The first word is the line's: the plan knows it before anybody has spoken.
            let word = Qualification { class: class.clone(), by: Actor::Plan, source: Source::Line, at };
            keep(&mut self.qualifications, word);
        }
        self.enter(Stage {
            work: *work,
            queue: *queue,
            stage: self.course.stage.clone(),
            class: class.clone(),
            entered: at,
            left: None,
            again: *again,
            answered: None,
            by: None,
        });
    }

    fn go_on(&mut self, event: &Beside, at: Duration) {
        if matches!(event, Beside::HandedOver { .. }) {
            self.hang_up(at, None);
        }
        self.course.apply(event, at);
    }

    fn enter(&mut self, stage: Stage) {
        keep(&mut self.stages, stage);
    }

    /// Where this work stands, or has stood last: a call that is offered elsewhere has several.
    fn stage_of(&mut self, work: WorkId) -> Option<&mut Stage> {
        self.stages.iter_mut().rev().find(|stage| stage.work == work)
    }

    fn leave(&mut self, work: WorkId, at: Duration) {
        if let Some(stage) = self.stage_of(work) {
            stage.left.get_or_insert(at);
        }
    }

    fn change_queue(&mut self, work: WorkId, queue: QueueId, at: Duration) {
        let Some(stage) = self.stage_of(work).filter(|stage| stage.left.is_none()) else { return };
        stage.left = Some(at);
        let next = Stage { queue, entered: at, left: None, ..stage.clone() };
        let stage = self.course.stage.clone();
        self.enter(Stage { stage, ..next });
    }

    fn close_attempt(&mut self, offer: OfferId, agent: AgentId, end: &OfferEnd, at: Duration) {
        let mut open = self.attempts.iter_mut().rev();
        if let Some(attempt) = open.find(|it| it.offer == offer && it.agent == agent && it.over.is_none()) {
            attempt.over = Some(at);
            attempt.end = Some(end.clone());
        }
    }

    /// Whether this agent is the one who answers for the call.
    fn answers(&self, agent: AgentId) -> bool {
        self.conversations.last().is_some_and(|talk| talk.until.is_none() && talk.agent == agent)
    }

    /// An agent answers for the call from here on.
    fn talk(&mut self, agent: AgentId, at: Duration) {
        if !self.answers(agent) {
            self.hang_up(at, None);
            keep(&mut self.conversations, Conversation { agent, from: at, until: None, loss: None });
        }
    }

    fn attend(&mut self, who: &Who, seat: Seat, by: &Actor, at: Duration) {
        self.depart(who, None, at);
        let (who, by) = (who.clone(), by.clone());
        keep(&mut self.others, Attendance { who, seat, by, from: at, until: None, loss: None });
    }

    fn depart(&mut self, who: &Who, loss: Option<Loss>, at: Duration) {
        let mut open = self.others.iter_mut().rev();
        if let Some(part) = open.find(|part| part.who == *who && part.until.is_none()) {
            (part.until, part.loss) = (Some(at), loss);
        }
        if let Who::Agent(agent) = who
            && self.answers(*agent)
        {
            self.hang_up(at, loss);
        }
    }

    fn hang_up(&mut self, at: Duration, loss: Option<Loss>) {
        let Some(talk) = self.conversations.last_mut().filter(|talk| talk.until.is_none()) else { return };
        talk.until = Some(at);
        talk.loss = loss;
        self.talked += at.saturating_sub(talk.from);
    }

    fn close(&mut self, utc: SystemTime, at: Duration, by: &Actor, cause: Cause) {
        for stage in &mut self.stages {
            stage.left.get_or_insert(at);
        }
        self.hang_up(at, None);
        for part in self.others.iter_mut().filter(|part| part.until.is_none()) {
            part.until = Some(at);
        }
        if self.conversations.is_empty() {
            self.waited = at;
        }
        self.ended = Some(utc);
        self.lasted = at;
        self.ended_by = Some(by.clone());
        self.cause = Some(cause);
    }
}

/// Keeps a part while there is room: a wait of hours with a phone ringing out every few seconds
/// must not grow the record without end.
fn keep<T>(parts: &mut Vec<T>, part: T) {
    if parts.len() < PARTS_MAX {
        parts.push(part);
    }
}
