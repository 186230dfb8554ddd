//! A feed and its pages, with a wire between them that a seed makes as bad as it likes.

use super::board::Board;
use super::cast::Cast;
use super::feed::{BOARD_PACE, Feed, FeedOutput, OFFER_AGAIN, PING_EVERY, SETTLE, SessionId};
use super::row::{Key, Row, WhyNot};
use super::session::{IN_FLIGHT_MAX, WAITING_MAX};
use super::view::{Right, Topic, Viewer};
use super::wire::{Change, ClientMessage, Reason, Resume, Seen, ServerMessage};
use crate::call::event::*;
use crate::id::*;
use crate::io::{Command, Outcome, Refusal, Verb};
use crate::site::{AgentSite, Phone, Role};
use sip::time::{Instant, Now};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

mod bad_wire;
mod parties;
mod rights;
mod room;

const CENTRE: CentreId = CentreId(0);
const EPOCH: u32 = 7;
/// Few, so that pages come back to a board that has forgotten what they missed.
const GRAVES: usize = 40;
const NUMBER: &str = "+33612345678";

fn agent(index: u32) -> AgentId {
    AgentId { centre: CENTRE, index }
}
fn queue(index: u32) -> QueueId {
    QueueId { centre: CENTRE, index }
}
fn serial(n: u64) -> Serial {
    Serial(Serial::first_of(EPOCH).0 + n)
}
fn call(n: u64) -> CallId {
    CallId { centre: CENTRE, serial: serial(n) }
}
fn work(n: u64) -> WorkId {
    WorkId { centre: CENTRE, serial: serial(n) }
}
fn offer(n: u64) -> OfferId {
    OfferId { centre: CENTRE, serial: serial(n) }
}
fn leg(n: u64) -> LegId {
    LegId { centre: CENTRE, serial: serial(n) }
}

fn cast() -> Cast {
    let site = |name: &str| AgentSite {
        name: name.to_owned(),
        role: Role::Agent,
        skills: vec!["arm".to_owned()],
        position: "p1".to_owned(),
        fallback: None,
        phone: Phone::Static { uri: "sip:a@127.0.0.1".to_owned(), address: ([127, 0, 0, 1], 7000).into() },
        always_ready: false,
        wrap_up: None,
    };
    let queues = vec!["front".to_owned(), "regulation".to_owned()];
    let classes = vec!["vital".to_owned(), "routine".to_owned()];
    Cast {
        centre: CENTRE,
        name: "samu-99".to_owned(),
        queues,
        classes,
        contacts: vec!["sdis-69".to_owned()],
        agents: vec![site("nour"), site("lea")],
    }
}

fn viewer(right: Right) -> Viewer {
    Viewer { name: "somebody".to_owned(), right }
}

fn because() -> Because {
    Because { item: ItemReason::Only, waiting: 1, agent: AgentReason::Only, free: 1, after: Trigger::Work }
}

fn arrived(n: u64) -> Event {
    Event::Arrived {
        call: call(n),
        leg: leg(n),
        trunk: "otn-1".to_owned(),
        called: "15".to_owned(),
        service: "samu".to_owned(),
        caller: Private(NUMBER.to_owned()),
        caller_name: Some(Private("Mme Martin".to_owned())),
        withheld: false,
        sip_call_id: Private("x".to_owned()),
    }
}
fn queued(n: u64, at: Instant) -> Event {
    Event::Queued {
        work: work(n),
        call: call(n),
        queue: queue(0),
        class: "unqualified".to_owned(),
        fenced: false,
        arrived: at,
        due: at + Duration::from_secs(15),
        again: false,
    }
}
fn offered(n: u64, to: AgentId, at: Instant) -> Event {
    Event::Offered {
        auto_answer: false,
        offer: offer(n),
        work: work(n),
        call: call(n),
        agent: to,
        kind: OfferKind::Exclusive,
        epoch: n,
        deadline: at + Duration::from_secs(15),
        waited: Duration::from_secs(3),
        because: because(),
    }
}
fn taken(n: u64, by: AgentId) -> Event {
    Event::OfferEnded { offer: offer(n), agent: by, work: work(n), end: OfferEnd::Taken }
}
fn connected(n: u64, with: AgentId) -> Event {
    let bridge = BridgeId { centre: CENTRE, serial: serial(n) };
    let waited = Duration::from_secs(4);
    Event::Connected { call: call(n), work: work(n), agent: with, leg: leg(1000 + n), bridge, waited }
}
fn ended(n: u64, cause: Cause) -> Event {
    Event::Ended { call: call(n), by: Actor::Caller, cause }
}

/// One feed and a clock.
struct Room {
    feed: Feed,
    at: Instant,
    seq: u64,
    commands: Vec<Command>,
    closed: Vec<SessionId>,
    frames: BTreeMap<SessionId, Vec<String>>,
}

impl Room {
    fn new() -> Room {
        Room {
            feed: Feed::of(Board::with_graves(cast(), EPOCH, GRAVES)),
            at: Instant::from_nanos(1_000_000_000),
            seq: 0,
            commands: Vec::new(),
            closed: Vec::new(),
            frames: BTreeMap::new(),
        }
    }

    fn now(&self) -> Now {
        Now { at: self.at, utc: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000) }
    }

    fn happens(&mut self, event: Event) {
        let entry =
            Entry { centre: CENTRE, epoch: EPOCH, seq: self.seq, at: self.at, utc: self.now().utc, event };
        self.seq += 1;
        let now = self.now();
        self.feed.handle_logged(now, &entry);
        self.collect();
    }

    fn wait(&mut self, length: Duration) {
        let until = self.at + length;
        while let Some(due) = self.feed.poll_timeout().filter(|due| *due <= until) {
            assert!(due >= self.at || self.feed.poll_timeout() == Some(due));
            self.at = self.at.max(due);
            let now = self.now();
            self.feed.handle_due(now);
            self.collect();
        }
        self.at = until;
    }

    fn open(&mut self, right: Right) -> SessionId {
        let now = self.now();
        self.feed.handle_open(now, viewer(right)).expect("there is room")
    }

    fn say(&mut self, session: SessionId, message: &ClientMessage) {
        self.say_text(session, &serde_json::to_string(message).expect("prints"));
    }

    fn say_text(&mut self, session: SessionId, text: &str) {
        let now = self.now();
        self.feed.handle_text(now, session, text);
        self.collect();
    }

    fn written(&mut self, session: SessionId) {
        let now = self.now();
        self.feed.handle_written(now, session);
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(output) = self.feed.poll_output() {
            match output {
                FeedOutput::Frame(session, frame) => {
                    let text = String::from_utf8(frame.to_vec()).expect("JSON is UTF-8");
                    self.frames.entry(session).or_default().push(text);
                }
                FeedOutput::Close(session, _) => self.closed.push(session),
                FeedOutput::Command(command) => self.commands.push(command),
                FeedOutput::Answer(..) | FeedOutput::Page(..) => {}
            }
        }
    }

    /// Everything a page is told by now; its socket writes as fast as it can.
    fn read(&mut self, session: SessionId) -> Vec<ServerMessage> {
        let mut messages = Vec::new();
        while let Some(frame) = self.frames.get_mut(&session).filter(|frames| !frames.is_empty()) {
            let frame = frame.remove(0);
            messages.push(serde_json::from_str(&frame).expect("a page can read what it is sent"));
            self.written(session);
        }
        messages
    }

    fn hello(&mut self, session: SessionId, resume: &[(&str, Option<(u32, u64)>)]) -> Vec<ServerMessage> {
        let one = |(topic, at): &(&str, Option<(u32, u64)>)| Resume {
            topic: (*topic).to_owned(),
            epoch: at.map(|(epoch, _)| epoch),
            v: at.map(|(_, v)| v),
        };
        self.say(
            session,
            &ClientMessage::Hello { proto: 1, resume: resume.iter().map(one).collect(), tab: None },
        );
        self.read(session)
    }

    /// What a viewer must hold of a topic: the board, cut.
    fn truth(&self, right: Right, topic: &str) -> BTreeMap<String, Row> {
        let (viewer, board) = (viewer(right), self.feed.board());
        let topic = Topic::read(topic, &viewer, board.cast()).expect("a topic");
        let shown = board.rows().all().filter(|(key, _)| topic.holds(key));
        shown.map(|(key, row)| (key.to_string(), viewer.cut(key, row, board))).collect()
    }
}

#[test]
fn i25_a_hole_in_the_log_is_counted() {
    let mut room = Room::new();
    room.happens(arrived(1));
    assert_eq!(room.feed.figures().log_gaps, 0);
    room.seq += 1;
    room.happens(queued(1, room.at));
    assert_eq!(room.feed.figures().log_gaps, 1);
}

#[test]
fn i26_a_page_that_never_reads_costs_a_bounded_buffer_and_resyncs() {
    let mut room = Room::new();
    let page = room.open(Right::Agent(agent(0)));
    room.say(
        page,
        &ClientMessage::Hello {
            proto: 1,
            resume: vec![Resume { topic: "me".into(), epoch: None, v: None }],
            tab: None,
        },
    );
    for n in 1..1000 {
        room.happens(arrived(n));
        room.happens(queued(n, room.at));
        room.happens(offered(n, agent(0), room.at));
        room.happens(taken(n, agent(0)));
        room.happens(ended(n, Cause::Abandon));
    }
    assert_eq!(room.frames[&page].len(), IN_FLIGHT_MAX, "no more is handed to a socket that writes nothing");
    assert!(room.feed.figures().overflows >= 1000 * 2 / WAITING_MAX as u64 - 2);
    let told = room.read(page);
    let snapshot = |message: &&ServerMessage| {
        matches!(message, ServerMessage::Snapshot { reason: Reason::Overflow, .. })
    };
    let Some(ServerMessage::Snapshot { changes, .. }) = told.iter().rfind(snapshot) else {
        panic!("no resync: {told:?}")
    };
    let held = changes.iter().filter_map(|Change { key, row }| Some((key.clone(), row.clone()?)));
    assert_eq!(held.collect::<BTreeMap<_, _>>(), room.truth(Right::Agent(agent(0)), "me"));
}

#[test]
fn i26_state_of_a_slow_page_is_the_latest_value_of_each_key_in_one_frame() {
    let mut room = Room::new();
    let page = room.open(Right::Observer);
    room.hello(page, &[("board", None)]);
    for n in 1..=200 {
        room.happens(arrived(n));
        room.wait(Duration::from_millis(20));
    }
    let frames = room.frames.get(&page).map_or(0, Vec::len);
    assert!(frames <= IN_FLIGHT_MAX, "{frames}");
    let mut told = room.read(page);
    room.wait(BOARD_PACE);
    told.extend(room.read(page));
    let delta = |message: &&ServerMessage| matches!(message, ServerMessage::Delta { .. });
    let Some(ServerMessage::Delta { changes, .. }) = told.iter().rfind(delta) else { panic!("{told:?}") };
    assert!(
        changes.len() <= 5,
        "trunk, totals, minute and two rows of figures, once each: {}",
        changes.len()
    );
    let totals = changes.iter().find(|change| change.key == "totals").and_then(|change| change.row.clone());
    assert!(matches!(totals, Some(Row::Totals(totals)) if totals.arrived == 200));
}

#[test]
fn i37_what_happened_while_a_page_was_away_is_in_its_replay() {
    let mut room = Room::new();
    let page = room.open(Right::Supervisor);
    let told = room.hello(page, &[("board", None)]);
    let Some(ServerMessage::Snapshot { v, .. }) = told.last().cloned() else { panic!("{told:?}") };
    room.feed.handle_closed(page);
    room.happens(arrived(1));
    room.happens(queued(1, room.at));
    let back = room.open(Right::Supervisor);
    let told = room.hello(back, &[("board", Some((EPOCH, v)))]);
    let Some(ServerMessage::Replay { pv, changes, .. }) = told.last() else { panic!("{told:?}") };
    assert_eq!(*pv, v);
    assert!(changes.iter().any(|change| change.key == format!("waiting/{}/{}", queue(0), work(1))));
}

#[test]
fn a_hello_is_answered_per_topic_by_where_the_page_stands() {
    let mut room = Room::new();
    room.happens(arrived(1));
    let v = room.feed.board().rows().v();
    let answer = |room: &mut Room, at: Option<(u32, u64)>| {
        let page = room.open(Right::Observer);
        match room.hello(page, &[("board", at)]).pop() {
            Some(ServerMessage::UpToDate { v, .. }) => format!("up_to_date {v}"),
            Some(ServerMessage::Replay { pv, v, .. }) => format!("replay {pv}..{v}"),
            Some(ServerMessage::Snapshot { reason, v, .. }) => format!("snapshot {reason:?} {v}"),
            other => panic!("{other:?}"),
        }
    };
    for (at, expected) in [
        (None, format!("snapshot First {v}")),
        (Some((EPOCH, v)), format!("up_to_date {v}")),
        (Some((EPOCH, v - 1)), format!("replay {}..{v}", v - 1)),
        (Some((EPOCH, v + 1)), format!("snapshot Ahead {v}")),
        (Some((EPOCH - 1, v)), format!("snapshot Epoch {v}")),
    ] {
        assert_eq!(answer(&mut room, at), expected, "{at:?}");
    }
    for n in 2..GRAVES as u64 {
        room.happens(arrived(n));
        room.happens(queued(n, room.at));
        room.happens(offered(n, agent(0), room.at));
        room.happens(taken(n, agent(0)));
        room.happens(ended(n, Cause::Abandon));
    }
    let v2 = room.feed.board().rows().v();
    assert!(room.feed.board().rows().floor() > v, "many graves are forgotten");
    assert_eq!(answer(&mut room, Some((EPOCH, v))), format!("snapshot Behind {v2}"));
}

#[test]
fn a_number_is_seen_by_those_entitled_and_by_nobody_else() {
    let mut room = Room::new();
    room.happens(arrived(1));
    room.happens(queued(1, room.at));
    room.happens(offered(1, agent(0), room.at));
    let sees = |room: &Room, right: Right, topic: &str| {
        let rows = serde_json::to_string(&room.truth(right, topic)).expect("prints");
        assert!(rows.contains("78"), "two digits are left to tell callers apart: {topic} {right:?}");
        (rows.contains(NUMBER), rows.contains("Martin"))
    };
    let (own, other) = (Right::Agent(agent(0)), Right::Agent(agent(1)));
    let one_call = format!("call/{}", call(1));
    for (right, topic, number) in [
        (Right::Observer, "board", false),
        (Right::Observer, "queue/front", false),
        (Right::Observer, one_call.as_str(), false),
        (own, "board", true),
        (other, "board", true),
        (own, "me", true),
        (own, one_call.as_str(), false),
        (Right::Supervisor, "board", true),
        (Right::Supervisor, one_call.as_str(), true),
    ] {
        assert_eq!(sees(&room, right, topic), (number, number), "{right:?} {topic}");
    }
    room.happens(taken(1, agent(0)));
    room.happens(connected(1, agent(0)));
    assert_eq!(sees(&room, own, &one_call), (true, true), "a call in the ear shows its number");
    assert_eq!(sees(&room, other, &one_call), (false, false));
    assert_eq!(sees(&room, own, "me"), (true, true));
    assert!(!format!("{:?}", room.truth(own, "me")).contains(NUMBER), "and never in a log");
}

#[test]
fn an_offer_is_sent_again_every_second_until_it_is_seen() {
    let mut room = Room::new();
    let page = room.open(Right::Agent(agent(0)));
    room.hello(page, &[("me", None)]);
    for event in [arrived(1), queued(1, room.at), offered(1, agent(0), room.at)] {
        room.happens(event);
    }
    let offers = |told: Vec<ServerMessage>| {
        let nth = told.into_iter().filter_map(|message| match message {
            ServerMessage::Offer { nth, offer } => Some((nth, offer.offer)),
            _ => None,
        });
        nth.collect::<Vec<_>>()
    };
    let id = offer(1).to_string();
    assert_eq!(offers(room.read(page)), [(1, id.clone())]);
    room.wait(OFFER_AGAIN);
    assert_eq!(offers(room.read(page)), [(2, id.clone())], "the same id");
    room.say(page, &ClientMessage::OfferSeen { offer: id.clone() });
    room.say(page, &ClientMessage::OfferSeen { offer: id.clone() });
    let seen = room.commands.iter().filter(|command| matches!(command.verb, Verb::OfferSeen { .. })).count();
    assert_eq!(seen, 1);
    room.wait(OFFER_AGAIN * 3 / 2);
    assert_eq!(offers(room.read(page)), []);
    room.happens(taken(1, agent(0)));
    let ended = ServerMessage::OfferEnded { offer: id, end: OfferEnd::Taken };
    assert!(room.read(page).contains(&ended));
}

#[test]
fn an_offer_made_while_the_page_was_away_is_sent_when_it_comes_back() {
    let mut room = Room::new();
    for event in [arrived(1), queued(1, room.at), offered(1, agent(0), room.at)] {
        room.happens(event);
    }
    let page = room.open(Right::Agent(agent(0)));
    let told = room.hello(page, &[("me", None)]);
    assert!(told.iter().any(|message| matches!(message, ServerMessage::Offer { .. })), "{told:?}");
    let other = room.open(Right::Agent(agent(1)));
    let told = room.hello(other, &[("me", None)]);
    assert!(!told.iter().any(|message| matches!(message, ServerMessage::Offer { .. })), "{told:?}");
}

#[test]
fn me_is_told_at_once_and_a_board_four_times_a_second_at_most() {
    let mut room = Room::new();
    let (page, wall) = (room.open(Right::Agent(agent(0))), room.open(Right::Observer));
    room.hello(page, &[("me", None)]);
    room.hello(wall, &[("board", None)]);
    room.wait(BOARD_PACE);
    let mut boards = 0;
    for n in 0..200_u64 {
        let intent = if n % 2 == 0 { Intent::Ready } else { Intent::Paused("break".to_owned()) };
        room.happens(Event::IntentChanged { agent: agent(0), intent, by: Actor::System });
        let deltas = |told: &[ServerMessage]| {
            told.iter().filter(|one| matches!(one, ServerMessage::Delta { .. })).count()
        };
        let told = room.read(page);
        assert_eq!(deltas(&told), 1, "at once");
        boards += deltas(&room.read(wall));
        room.wait(Duration::from_millis(10));
    }
    assert!((7..=9).contains(&boards), "2 s at four a second: {boards}");
}

#[test]
fn a_command_sent_twice_reaches_the_core_once_and_gets_the_same_answer() {
    let mut room = Room::new();
    let page = room.open(Right::Agent(agent(0)));
    room.hello(page, &[("me", None)]);
    let ready = r#"{"type":"command","id":"k1","verb":{"type":"ready"}}"#;
    room.say_text(page, ready);
    room.say_text(page, ready);
    let wish = Command {
        centre: CENTRE,
        id: "k1".into(),
        actor: Actor::Agent(agent(0)),
        verb: Verb::Ready { agent: agent(0) },
    };
    assert_eq!(room.commands.first(), Some(&wish));
    room.feed.handle_outcome(Outcome { centre: CENTRE, id: "k1".into(), actor: wish.actor, result: Ok(42) });
    room.collect();
    room.say_text(page, ready);
    let outcome =
        ServerMessage::Outcome { id: "k1".into(), epoch: EPOCH, seq: Some(42), refusal: None, by: None };
    let told = room.read(page);
    assert_eq!(told, [outcome.clone(), outcome.clone(), outcome]);
    assert_eq!(room.commands.len(), 1);
}

#[test]
fn an_outcome_missed_by_a_lost_socket_is_told_when_asked_again() {
    let mut room = Room::new();
    let page = room.open(Right::Supervisor);
    room.hello(page, &[]);
    let claim = r#"{"type":"command","id":"k1","verb":{"type":"ready","agent":"lea"}}"#;
    room.say_text(page, claim);
    room.feed.handle_closed(page);
    let actor = Actor::User("somebody".to_owned());
    room.feed.handle_outcome(Outcome {
        centre: CENTRE,
        id: "k1".into(),
        actor,
        result: Err(Refusal::SignedOut),
    });
    let back = room.open(Right::Supervisor);
    room.hello(back, &[]);
    room.say_text(back, claim);
    let refusal = Some("signed-out".to_owned());
    assert_eq!(
        room.read(back),
        [ServerMessage::Outcome { id: "k1".into(), epoch: EPOCH, seq: None, refusal, by: None }]
    );
    assert_eq!(room.commands.len(), 1);
}

#[test]
fn only_those_who_may_command_do() {
    let mut room = Room::new();
    let check = |room: &mut Room, right: Right, verb: &str| {
        let page = room.open(right);
        room.hello(page, &[]);
        let id = room.feed.figures().frames; // grows with every page greeted
        room.say_text(page, &format!(r#"{{"type":"command","id":"{id}","verb":{verb}}}"#));
        match room.read(page).pop() {
            None => "sent".to_owned(),
            Some(ServerMessage::Error { code, .. }) => code,
            other => panic!("{other:?}"),
        }
    };
    room.happens(arrived(1));
    let qualify = format!(r#"{{"type":"qualify","call":"{}","class":"vital"}}"#, call(1));
    let (ready, ready_lea) = (r#"{"type":"ready"}"#, r#"{"type":"ready","agent":"lea"}"#);
    let nour = Right::Agent(agent(0));
    for (right, verb, expected) in [
        (Right::Observer, ready_lea, "forbidden"),
        (nour, ready, "sent"),
        (nour, ready_lea, "forbidden"),
        (nour, qualify.as_str(), "forbidden"),
        (Right::Supervisor, ready_lea, "sent"),
        (Right::Supervisor, ready, "unknown"),
        (Right::Supervisor, r#"{"type":"ready","agent":"nobody"}"#, "unknown"),
        (Right::Supervisor, qualify.as_str(), "sent"),
        (Right::Supervisor, r#"{"type":"qualify","call":"15","class":"vital"}"#, "unknown"),
    ] {
        assert_eq!(check(&mut room, right, verb), expected, "{right:?} {verb}");
    }
    room.happens(queued(1, room.at));
    room.happens(connected(1, agent(0)));
    assert_eq!(check(&mut room, nour, &qualify), "sent", "the call in one's ear may be qualified");
}

#[test]
fn a_page_that_answers_no_ping_is_closed_and_one_that_does_stays() {
    let mut room = Room::new();
    let (silent, alive) = (room.open(Right::Observer), room.open(Right::Observer));
    for _ in 0..5 {
        room.wait(PING_EVERY);
        room.read(silent);
        for message in room.read(alive) {
            let ServerMessage::Ping { n, .. } = message else { panic!("{message:?}") };
            room.say(alive, &ClientMessage::Pong { n, visible: Some(true), audio: None, seen: Vec::new() });
        }
    }
    assert_eq!(room.closed, [silent]);
    assert_eq!(room.feed.figures().sessions, 1);
}

#[test]
fn what_a_page_says_wrong_is_answered_with_a_code() {
    let mut room = Room::new();
    let page = room.open(Right::Observer);
    let code = |room: &mut Room, text: &str| {
        room.say_text(page, text);
        match room.read(page).pop() {
            Some(ServerMessage::Error { code, .. }) => code,
            other => panic!("{text}: {other:?}"),
        }
    };
    assert_eq!(code(&mut room, r#"{"type":"resync","topic":"board"}"#), "hello_first");
    room.hello(page, &[]);
    assert_eq!(code(&mut room, "{"), "bad_json");
    assert_eq!(code(&mut room, r#"{"type":"sing"}"#), "bad_message");
    assert_eq!(code(&mut room, r#"{"type":"resync","topic":"board"}"#), "unknown_topic");
    assert_eq!(code(&mut room, r#"{"type":"hello","proto":1,"resume":[{"topic":"me"}]}"#), "not_an_agent");
    assert_eq!(
        code(&mut room, r#"{"type":"hello","proto":1,"resume":[{"topic":"queue/none"}]}"#),
        "unknown_topic"
    );
    assert_eq!(
        code(&mut room, r#"{"type":"command","id":"","verb":{"type":"sign_out","agent":"lea"}}"#),
        "bad_id"
    );
    assert_eq!(code(&mut room, r#"{"type":"hello","proto":2}"#), "proto");
    assert_eq!(room.closed, [page]);
}

#[test]
fn a_call_comes_waits_is_answered_and_leaves_only_counters() {
    let mut board = Room::new();
    let rows =
        |room: &Room| room.feed.board().rows().all().map(|(key, _)| key.to_string()).collect::<Vec<_>>();
    let at_rest = rows(&board);
    for event in [arrived(1), queued(1, board.at), offered(1, agent(0), board.at)] {
        board.happens(event);
    }
    let waiting = Key::Waiting(queue(0), work(1));
    let Some(Row::Waiting(row)) = board.feed.board().rows().row(&waiting) else { panic!("nobody waits") };
    assert_eq!((row.queue.as_str(), row.offered.as_slice()), ("front", ["nour".to_owned()].as_slice()));
    board.happens(taken(1, agent(0)));
    assert!(board.feed.board().rows().row(&waiting).is_some(), "still waiting until connected");
    board.happens(connected(1, agent(0)));
    assert!(board.feed.board().rows().row(&waiting).is_none());
    assert!(board.feed.board().rows().row(&Key::Conversation(agent(0), call(1))).is_some());
    board.happens(ended(1, Cause::Released));
    let left = rows(&board).into_iter().filter(|key| !at_rest.contains(key)).collect::<Vec<_>>();
    assert_eq!(left, ["trunk/otn-1", "decision/0", "minute/0", "figures", "figures/samu"]);
    let Some(Row::Totals(totals)) = board.feed.board().rows().row(&Key::Totals) else { panic!("no totals") };
    assert_eq!((totals.arrived, totals.live, totals.answered, totals.released), (1, 0, 1, 1));
    assert!(board.feed.board().is_at_rest(), "nothing points to what is over");
}

#[test]
fn the_board_says_why_an_agent_gets_no_call() {
    let mut room = Room::new();
    let why = |room: &Room| match room.feed.board().rows().row(&Key::Agent(agent(0))) {
        Some(Row::Agent(row)) => row.why_not,
        other => panic!("{other:?}"),
    };
    let occupation =
        |occupation| Event::OccupationChanged { agent: agent(0), occupation, call: None, until: None };
    let intent = |intent| Event::IntentChanged { agent: agent(0), intent, by: Actor::Agent(agent(0)) };
    assert_eq!(why(&room), Some(WhyNot::SignedOut));
    for (event, expected) in [
        (intent(Intent::Ready), Some(WhyNot::Unreachable)),
        (Event::ReachabilityChanged { agent: agent(0), reachable: true, why: "static".into() }, None),
        (occupation(Occupation::Offered), Some(WhyNot::Offered)),
        (occupation(Occupation::Talking), Some(WhyNot::Talking)),
        (occupation(Occupation::WrapUp), Some(WhyNot::WrapUp)),
        (intent(Intent::Paused("meal".into())), Some(WhyNot::Paused)),
        (Event::Rona { agent: agent(0), on: true }, Some(WhyNot::Rona)),
    ] {
        room.happens(event.clone());
        assert_eq!(why(&room), expected, "{event:?}");
    }
}

#[test]
fn a_pong_that_stands_behind_what_was_sent_before_the_ping_gets_a_snapshot() {
    let mut room = Room::new();
    let page = room.open(Right::Observer);
    room.hello(page, &[("board", None)]);
    room.wait(PING_EVERY);
    let Some(ServerMessage::Ping { n, .. }) = room.read(page).pop() else { panic!("no ping") };
    let v = room.feed.board().rows().v();
    let pong = |n, v| ClientMessage::Pong {
        n,
        visible: None,
        audio: None,
        seen: vec![Seen { topic: "board".into(), v }],
    };
    room.say(page, &pong(n, v));
    assert_eq!(room.read(page), []);
    room.say(page, &pong(n, v - 1));
    let told = room.read(page);
    assert!(matches!(told.as_slice(), [ServerMessage::Snapshot { reason: Reason::Asked, .. }]), "{told:?}");
    assert_eq!(room.feed.figures().gaps, 1);
}

#[test]
fn a_board_never_shows_half_a_step() {
    let mut room = Room::new();
    let wall = room.open(Right::Observer);
    room.hello(wall, &[("board", None)]);
    room.wait(BOARD_PACE * 2);
    room.happens(arrived(1));
    room.happens(queued(1, room.at));
    assert_eq!(room.read(wall), [], "the step may go on");
    room.happens(offered(1, agent(0), room.at));
    room.wait(SETTLE);
    let told = room.read(wall);
    let [ServerMessage::Delta { changes, .. }] = told.as_slice() else { panic!("{told:?}") };
    let row = changes.iter().find_map(|change| match &change.row {
        Some(Row::Waiting(row)) => Some(row.offered.clone()),
        _ => None,
    });
    assert_eq!(row, Some(vec!["nour".to_owned()]), "who waits and whom it is offered to, in one frame");
}

#[test]
fn a_page_that_lags_behind_what_is_remembered_gets_a_snapshot() {
    let mut room = Room::new();
    let wall = room.open(Right::Observer);
    room.hello(wall, &[("board", None)]);
    for n in 1..=IN_FLIGHT_MAX as u64 {
        room.happens(arrived(n));
        room.happens(queued(n, room.at));
        room.wait(BOARD_PACE); // nothing is read: the socket fills
    }
    let withdrawn = |n| Event::Withdrawn { work: work(n), call: call(n), waited: Duration::ZERO };
    for n in 1..GRAVES as u64 {
        room.happens(arrived(100 + n));
        room.happens(queued(100 + n, room.at));
        room.happens(withdrawn(if n == 1 { 1 } else { 100 + n }));
        room.happens(ended(100 + n, Cause::Abandon));
    }
    let mut told = room.read(wall);
    room.wait(BOARD_PACE);
    told.extend(room.read(wall));
    let Some(ServerMessage::Snapshot { reason, changes, .. }) = told.last() else { panic!("{told:?}") };
    assert_eq!(*reason, Reason::Behind);
    assert!(
        changes.iter().all(|change| !change.key.ends_with(&work(1).to_string())),
        "the withdrawn one is gone"
    );
}

#[test]
fn open_pages_learn_another_plans_classes_and_one_that_has_not_greeted_hears_nothing() {
    let mut room = Room::new();
    let (page, silent) = (room.open(Right::Agent(agent(0))), room.open(Right::Supervisor));
    room.hello(page, &[("me", None)]);
    let (queues, classes) = (vec!["front".to_owned()], vec!["vital".to_owned(), "p1".to_owned()]);
    room.happens(Event::PlanChanged { version: "2".to_owned(), queues, classes: classes.clone() });
    let told = room.read(page);
    assert!(told.contains(&ServerMessage::Plan { classes: classes.clone() }), "{told:?}");
    assert!(room.read(silent).is_empty());
    let welcome = room.hello(silent, &[]);
    let knows =
        |it: &ServerMessage| matches!(it, ServerMessage::Welcome { classes: of, .. } if *of == classes);
    assert!(welcome.iter().any(knows));
}
