//! Carries one centre's board to its pages, and their wishes to the core. Sans-IO: texts and log
//! entries go in, frames and commands come out; a slow page is told less often, never waited for.

use super::board::Board;
use super::cast::Cast;
use super::row::{Key, Millis};
use super::session::{Owed, Session, Subscription};
use super::view::{Right, Topic, Viewer};
use super::wire::{ClientMessage, PROTO, Reason, Resume, ServerMessage};
use crate::call::event::{Actor, Entry, Event};
use crate::id::{AgentId, CentreId, OfferId};
use crate::io::{Command, Outcome};
use bytes::Bytes;
use sip::time::{Instant, Now};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, SystemTime};

/// Between two frames of a board: four a second is as fast as a person reads.
pub const BOARD_PACE: Duration = Duration::from_millis(250);
/// Until an offer not seen yet is sent again.
pub const OFFER_AGAIN: Duration = Duration::from_secs(1);
/// Between pings; two without an answer close the page's socket.
pub const PING_EVERY: Duration = Duration::from_secs(2);
/// Between a change and the frame that tells it to boards that had nothing for a while: the entries
/// of one step come one by one, and a board that shows half a step shows what never was.
pub const SETTLE: Duration = Duration::from_millis(10);
/// Topics of one page: a board, `me`, a few queues, one call open.
pub const TOPICS_MAX: usize = 32;
/// Commands of one page without an outcome. A person has one or two.
pub const PENDING_MAX: usize = 64;
/// Pages of one centre. A room has fifty; each costs a few kilobytes, and a quarter of a megabyte at worst.
pub const SESSIONS_MAX: usize = 1024;
/// Outcomes remembered for a command sent again, of all senders: several minutes of a busy room.
pub const OUTCOMES_KEPT: usize = 4096;
/// Longest command id: a UUID and room for a prefix.
pub const COMMAND_ID_MAX: usize = 64;

pub mod audio;
mod deliver;
mod wish;

use audio::Audio;
use deliver::Delivery;
use wish::Asker;

/// One connected page. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(u64);

/// One command that came by a request instead of a page; chosen by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Why a page's socket is closed by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// It speaks another protocol.
    Proto,
    /// Two pings went unanswered.
    Silent,
}

/// What the driver must do.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedOutput {
    /// Write a text frame, and say so by [`Feed::handle_written`].
    Frame(SessionId, Bytes),
    /// Close the socket; the session is over.
    Close(SessionId, CloseReason),
    /// Hand to the core.
    Command(Command),
    /// Answer a request.
    Answer(RequestId, ServerMessage),
    /// Tell the core about an agent's page.
    Page(AgentId, PageSaid),
}

/// What the core must know of an agent's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageSaid {
    /// The first of the agent's pages has come.
    Opened,
    /// The last of them has gone.
    Closed,
    /// Somebody has touched it.
    Touched,
    /// The page that owns the audio offers it (SDP).
    Offers(String),
    /// How its microphone and speakers do.
    Audio {
        /// Fit to talk.
        fit: bool,
        /// Why not, a code.
        why: String,
    },
}

/// What is counted about the feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedFigures {
    /// Pages connected.
    pub sessions: usize,
    /// Frames handed out.
    pub frames: u64,
    /// Snapshots because a buffer ran over.
    pub overflows: u64,
    /// Snapshots because a page asked: it found a gap.
    pub gaps: u64,
    /// Pages closed for silence.
    pub silent: u64,
    /// Offers sent again.
    pub offers_again: u64,
    /// Texts that could not be used.
    pub errors: u64,
    /// Log entries that did not follow the one before.
    pub log_gaps: u64,
}

/// One centre's feed.
#[derive(Debug)]
pub struct Feed {
    board: Board,
    sessions: BTreeMap<SessionId, Session>,
    next_session: u64,
    offers: BTreeMap<(AgentId, OfferId), Delivery>,
    audio: BTreeMap<AgentId, Audio>,
    pending: BTreeMap<(Actor, String), Vec<Asker>>,
    outcomes: BTreeMap<(Actor, String), Outcome>,
    outcomes_in_order: VecDeque<(Actor, String)>,
    outputs: VecDeque<FeedOutput>,
    paced: Option<Instant>,
    board_due: Option<Instant>,
    ping_due: Option<Instant>,
    pings: u64,
    figures: FeedFigures,
}

impl Feed {
    /// A feed nobody follows yet, of a board on which nothing has happened.
    pub fn new(cast: Cast, epoch: u32) -> Feed {
        Feed::of(Board::new(cast, epoch))
    }

    /// A feed nobody follows yet, of this board.
    pub fn of(board: Board) -> Feed {
        Feed {
            board,
            sessions: BTreeMap::new(),
            next_session: 0,
            offers: BTreeMap::new(),
            audio: BTreeMap::new(),
            pending: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            outcomes_in_order: VecDeque::new(),
            outputs: VecDeque::new(),
            paced: None,
            board_due: None,
            ping_due: None,
            pings: 0,
            figures: FeedFigures::default(),
        }
    }

    /// The board as it stands.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// What has been counted.
    pub fn figures(&self) -> FeedFigures {
        FeedFigures { sessions: self.sessions.len(), log_gaps: self.board.gaps(), ..self.figures }
    }

    /// The next thing to do, in order.
    pub fn poll_output(&mut self) -> Option<FeedOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`Feed::handle_due`] if nothing else happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let again = self.offers.values().filter(|offer| !offer.seen).map(|offer| offer.again).min();
        let again = again.filter(|_| !self.sessions.is_empty());
        [self.board_due, self.ping_due, again].into_iter().flatten().min()
    }

    /// One more entry of the centre's log.
    pub fn handle_logged(&mut self, now: Now, entry: &Entry) {
        let (epoch, v) = (self.board.epoch(), self.board.rows().v());
        self.board.fold(entry);
        if epoch != entry.epoch {
            self.offers.clear();
            for subscription in self.sessions.values_mut().flat_map(|session| &mut session.subscriptions) {
                subscription.owed = Owed::Snapshot(Reason::Epoch);
            }
        }
        match &entry.event {
            Event::Offered { offer, agent, .. } => {
                let delivery = Delivery { nth: 0, again: now.at, seen: false };
                self.offers.insert((*agent, *offer), delivery);
                self.deliver(now, *agent, *offer);
            }
            Event::OfferEnded { offer, agent, end, .. } => self.end_offer(*agent, *offer, end),
            Event::PlanChanged { classes, .. } => self.tell_plan(classes),
            _ => {} // told by the board's rows
        }
        self.tell_agents(v);
        self.expect_board(now);
    }

    /// A page connected. `None`: there are [`SESSIONS_MAX`] already.
    pub fn handle_open(&mut self, now: Now, viewer: Viewer) -> Option<SessionId> {
        if self.sessions.len() >= SESSIONS_MAX {
            return None;
        }
        let id = SessionId(self.next_session);
        self.next_session += 1;
        self.sessions.insert(id, Session::new(viewer));
        self.ping_due.get_or_insert(now.at + PING_EVERY);
        Some(id)
    }

    /// The page's socket is gone. Its commands go on; their outcomes wait to be asked for again.
    pub fn handle_closed(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(&id) else { return };
        self.forget_asker(Asker::Session(id));
        self.leave_audio(id, &session);
        if self.sessions.is_empty() {
            (self.ping_due, self.board_due) = (None, None);
        }
    }

    /// The socket wrote one frame: there is room for what waits.
    pub fn handle_written(&mut self, now: Now, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.written();
        self.pump(id);
        self.flush(id, Subscription::is_awaited);
        self.expect_board(now); // the board it missed comes at the board's pace
    }

    /// The page said something.
    pub fn handle_text(&mut self, now: Now, id: SessionId, text: &str) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let message = match serde_json::from_str::<ClientMessage>(text) {
            Ok(message) => message,
            Err(error) => return self.refuse_text(id, &error),
        };
        match (message, session.greeted) {
            (ClientMessage::Hello { proto, resume, tab }, _) => self.greet(now, id, proto, resume, tab),
            (ClientMessage::Pong { n, seen, .. }, _) => {
                self.figures.gaps += session.pong(n, &seen);
                self.flush(id, Subscription::is_awaited);
            }
            (_, false) => self.error(id, "hello_first", []),
            (ClientMessage::Command { id: command, verb }, true) => self.command(id, command, &verb),
            (ClientMessage::OfferSeen { offer }, true) => self.see(id, &offer),
            (ClientMessage::Resync { topic }, true) => self.resync(id, topic),
            (ClientMessage::RtcOffer { sdp }, true) => self.offer_audio(now, id, sdp),
            (ClientMessage::Audio { fit, why }, true) => self.audio_does(id, fit, why),
            (ClientMessage::Present {}, true) => self.touched(id),
            (ClientMessage::TakeOver {}, true) => self.take_over(id),
        }
    }

    /// Time has passed: boards, offers not seen yet, pings.
    pub fn handle_due(&mut self, now: Now) {
        if self.ping_due.is_some_and(|due| due <= now.at) {
            self.ping(now);
        }
        let due = self.offers.iter().filter(|(_, offer)| !offer.seen && offer.again <= now.at);
        for (agent, offer) in due.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.deliver(now, agent, offer);
        }
        self.tell_boards(now);
    }

    fn greet(&mut self, now: Now, id: SessionId, proto: u32, resume: Vec<Resume>, tab: Option<String>) {
        if proto != PROTO {
            self.error(id, "proto", [("spoken", PROTO.to_string())]);
            self.close(id, CloseReason::Proto);
            return;
        }
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.greeted = true;
        session.subscriptions.clear();
        let (viewer, cast) = (session.viewer.clone(), self.board.cast());
        let welcome = ServerMessage::Welcome {
            proto: PROTO,
            centre: cast.name.clone(),
            epoch: self.board.epoch(),
            viewer: viewer.name.clone(),
            right: viewer.right.name().to_owned(),
            agent: match viewer.right {
                Right::Agent(agent) => Some(cast.agent_name(agent)),
                Right::Observer | Right::Supervisor => None,
            },
            classes: cast.classes.clone(),
            contacts: cast.contacts.clone(),
            now: now.at.into(),
            utc: since_1970(now.utc),
        };
        self.send(id, &welcome);
        for Resume { topic, epoch, v } in resume {
            let owed = match (epoch, v) {
                (Some(epoch), Some(v)) => Owed::Answer { epoch, v },
                _ => Owed::Snapshot(Reason::First),
            };
            self.subscribe(id, topic, owed);
        }
        self.flush(id, |_| true);
        self.expect_board(now);
        if let Right::Agent(agent) = viewer.right {
            self.join_audio(id, agent, tab);
            self.deliver_open(now, agent);
        }
    }

    /// Pages that are open learn what may be said of a call from here on; queues are rows of theirs.
    fn tell_plan(&mut self, classes: &[String]) {
        let plan = ServerMessage::Plan { classes: classes.to_vec() };
        let greeted = self.sessions.iter().filter(|(_, session)| session.greeted);
        for id in greeted.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.send(id, &plan);
        }
    }

    fn subscribe(&mut self, id: SessionId, name: String, owed: Owed) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let topic = match Topic::read(&name, &session.viewer, self.board.cast()) {
            Ok(topic) => topic,
            Err(error) => return self.error(id, &error.to_string(), [("topic", name)]),
        };
        session.subscriptions.retain(|subscription| subscription.topic != topic);
        if session.subscriptions.len() >= TOPICS_MAX {
            return self.error(id, "too_many_topics", [("most", TOPICS_MAX.to_string())]);
        }
        session.subscriptions.push(Subscription { topic, name, owed, at_ping: 0 });
    }

    fn resync(&mut self, id: SessionId, name: String) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match session.subscriptions.iter_mut().find(|subscription| subscription.name == name) {
            Some(subscription) => subscription.owed = Owed::Snapshot(Reason::Asked),
            None => return self.error(id, "unknown_topic", [("topic", name)]),
        }
        self.figures.gaps += 1;
        self.flush(id, Subscription::is_awaited);
    }

    fn ping(&mut self, now: Now) {
        self.pings += 1;
        self.ping_due = Some(now.at + PING_EVERY);
        let ping = ServerMessage::Ping { n: self.pings, now: now.at.into(), utc: since_1970(now.utc) };
        for id in self.sessions.keys().copied().collect::<Vec<_>>() {
            let Some(session) = self.sessions.get_mut(&id) else { continue };
            if session.unanswered >= 2 {
                self.figures.silent += 1;
                self.close(id, CloseReason::Silent);
                continue;
            }
            session.ping(self.pings);
            self.send(id, &ping);
        }
    }

    fn close(&mut self, id: SessionId, reason: CloseReason) {
        self.outputs.push_back(FeedOutput::Close(id, reason));
        self.handle_closed(id);
    }

    /// `me`: at once, to the pages of the agents whose rows changed after `v`.
    fn tell_agents(&mut self, v: u64) {
        let touched = self.board.rows().since(v).filter_map(|(key, _)| match key {
            Key::Agent(agent) | Key::Offer(agent, _) | Key::Conversation(agent, _) => Some(*agent),
            _ => None,
        });
        for agent in touched.collect::<BTreeSet<_>>() {
            for page in self.pages_of(agent) {
                self.flush(page, Subscription::is_awaited);
            }
        }
    }

    /// Boards have something to be told: once the step has settled, and at their pace.
    fn expect_board(&mut self, now: Now) {
        if self.board_due.is_none() && self.is_anyone_behind() {
            let settled = now.at + SETTLE;
            self.board_due = Some(self.paced.map_or(settled, |paced| settled.max(paced + BOARD_PACE)));
        }
    }

    fn tell_boards(&mut self, now: Now) {
        if self.board_due.is_none_or(|due| now.at < due) {
            return;
        }
        (self.board_due, self.paced) = (None, Some(now.at));
        for id in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.flush(id, |_| true);
        }
        self.expect_board(now); // whoever had no room
    }

    fn is_anyone_behind(&self) -> bool {
        let v = self.board.rows().v();
        let behind = |one: &Subscription| !matches!(one.owed, Owed::Deltas { looked, .. } if looked == v);
        self.sessions.values().any(|session| session.subscriptions.iter().any(behind))
    }

    /// Tells a page what it is owed of the chosen topics, as far as its socket has room.
    fn flush(&mut self, id: SessionId, chosen: impl Fn(&Subscription) -> bool) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        for index in 0..session.subscriptions.len() {
            if !session.has_room() {
                break;
            }
            let Session { viewer, subscriptions, .. } = session;
            let Some(subscription) = subscriptions.get_mut(index).filter(|one| chosen(one)) else { continue };
            let Some(message) = subscription.next(viewer, &self.board) else { continue };
            session.push(text(&message)); // nothing waits: there is room
            while let Some(frame) = session.take() {
                self.figures.frames += 1;
                self.outputs.push_back(FeedOutput::Frame(id, frame));
            }
        }
    }

    fn send(&mut self, id: SessionId, message: &ServerMessage) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if !session.push(text(message)) {
            self.figures.overflows += 1;
        }
        self.pump(id);
    }

    fn pump(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        while let Some(frame) = session.take() {
            self.figures.frames += 1;
            self.outputs.push_back(FeedOutput::Frame(id, frame));
        }
    }

    fn refuse_text(&mut self, id: SessionId, error: &serde_json::Error) {
        let code = if error.is_data() { "bad_message" } else { "bad_json" };
        let (line, column) = (error.line().to_string(), error.column().to_string());
        self.error(id, code, [("line", line), ("column", column), ("why", error.to_string())]);
    }

    fn error<const N: usize>(&mut self, id: SessionId, code: &str, params: [(&str, String); N]) {
        self.figures.errors += 1;
        self.send(id, &error_message(code, params));
    }

    fn centre(&self) -> CentreId {
        self.board.cast().centre
    }
}

fn since_1970(utc: SystemTime) -> Millis {
    utc.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().into()
}

fn text(message: &ServerMessage) -> Bytes {
    // Only maps with keys that are no strings cannot be written, and no message has one.
    serde_json::to_vec(message).map(Bytes::from).unwrap_or_default()
}

fn error_message<const N: usize>(code: &str, params: [(&str, String); N]) -> ServerMessage {
    let params = params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    ServerMessage::Error { code: code.to_owned(), params }
}
