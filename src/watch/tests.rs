//! The terminal board without a terminal and without a line.

use super::link::Heard;
use super::picture::{Line, clock};
use super::words::Words;
use super::{Watch, draw, plain};
use engine::call::event::{
    AgentReason, Because, Intent, ItemReason, Occupation, OfferEnd, OfferKind, Private, Trigger,
};
use engine::live::row::{AgentRow, DecisionRow, Millis, QueueRow, Row, Totals, TrunkRow, WaitingRow, WhyNot};
use engine::live::wire::{Change, ClientMessage, Reason, ServerMessage};
use engine::site::Role;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn english() -> &'static Words {
    Words::of(Some("en"), None).expect("spoken")
}

fn waiting(work: &str, class: &str, fenced: bool, arrived: u64) -> Change {
    let row = WaitingRow {
        work: work.into(),
        call: "0-c1.1".into(),
        queue: "front".into(),
        class: class.into(),
        fenced,
        arrived: Millis(arrived),
        due: Millis(if fenced { arrived } else { arrived + 15_000 }),
        again: false,
        service: "samu".into(),
        trunk: "otn-1".into(),
        caller: Private("**********78".into()),
        caller_name: None,
        withheld: false,
        offered: Vec::new(),
    };
    Change { key: format!("waiting/0-q0/{work}"), row: Some(Row::Waiting(row)) }
}

fn agent(name: &str, why_not: Option<WhyNot>) -> Change {
    let row = AgentRow {
        agent: name.into(),
        position: "p1".into(),
        role: Role::Agent,
        intent: Intent::Ready,
        reachable: true,
        reach: String::new(),
        occupation: Occupation::Free,
        call: None,
        rona: false,
        since: Millis(40_000),
        until: None,
        skills: vec!["arm".into()],
        by_page: false,
        page: false,
        audio: false,
        fit: false,
        why_not,
        why: why_not.into_iter().collect(),
    };
    Change { key: format!("agent/{name}"), row: Some(Row::Agent(row)) }
}

fn decision() -> Change {
    let because = Because {
        item: ItemReason::Fence,
        waiting: 3,
        agent: AgentReason::LongestIdle,
        free: 2,
        after: Trigger::Agent,
    };
    let row = DecisionRow {
        seq: 9,
        at: Millis(95_000),
        offer: "0-o1.1".into(),
        work: "0-w1.9".into(),
        call: "0-c1.9".into(),
        agent: "nour".into(),
        queue: "front".into(),
        class: "vital".into(),
        kind: OfferKind::Exclusive,
        waited: Millis(4_000),
        because,
        end: Some(OfferEnd::Taken),
    };
    Change { key: "decision/0".into(), row: Some(Row::Decision(row)) }
}

fn room() -> Vec<Change> {
    let queue = QueueRow {
        queue: "front".into(),
        place: 0,
        entered: 4,
        answered: 1,
        withdrawn: 0,
        alarm: true,
        overflow: false,
    };
    let totals = Totals { arrived: 4, live: 3, answered: 1, ..Totals::default() };
    let trunk = TrunkRow { trunk: "otn-1".into(), arrived: 4, live: 3, state: None };
    vec![
        Change { key: "queue/0-q0".into(), row: Some(Row::Queue(queue)) },
        Change { key: "totals".into(), row: Some(Row::Totals(totals)) },
        Change { key: "trunk/otn-1".into(), row: Some(Row::Trunk(trunk)) },
        waiting("0-w1.1", "unqualified", false, 35_000),
        waiting("0-w1.2", "unqualified", false, 60_000),
        waiting("0-w1.3", "vital", true, 90_000),
        agent("nour", None),
        agent("lea", Some(WhyNot::Talking)),
        decision(),
    ]
}

fn heard(watch: &mut Watch, message: ServerMessage) -> Option<ClientMessage> {
    watch.handle(Heard::Message(Box::new(message)))
}

fn watching() -> Watch {
    let mut watch = Watch::new();
    assert!(matches!(watch.handle(Heard::Up), Some(ClientMessage::Hello { proto: 1, .. })));
    let welcome = ServerMessage::Welcome {
        proto: 1,
        centre: "samu-99".into(),
        epoch: 7,
        viewer: "wall".into(),
        right: "observer".into(),
        agent: None,
        classes: Vec::new(),
        contacts: Vec::new(),
        now: Millis(100_000),
        utc: Millis(3_600_000),
    };
    heard(&mut watch, welcome);
    let (topic, reason) = ("board".to_owned(), Reason::First);
    heard(&mut watch, ServerMessage::Snapshot { topic, epoch: 7, v: 20, reason, changes: room() });
    watch
}

#[test]
fn the_most_urgent_stands_first_and_each_class_has_its_longest_wait() {
    let picture = watching().picture().expect("a board has been heard");
    let order = picture.waiting.iter().map(|row| row.work.as_str()).collect::<Vec<_>>();
    assert_eq!(order, ["0-w1.3", "0-w1.1", "0-w1.2"]);
    let front = &picture.queues[0];
    assert_eq!((front.waiting, front.longest.map(clock)), (3, Some("1:05".to_owned())));
    let classes = front.classes.iter().map(|line| (line.class.as_str(), line.waiting, clock(line.longest)));
    let expected = [("vital", 1, "0:10".to_owned()), ("unqualified", 2, "1:05".to_owned())];
    assert_eq!(classes.collect::<Vec<_>>(), expected);
}

#[test]
fn waits_tick_between_two_words_of_the_engine() {
    let mut watch = watching();
    (0..8).for_each(|_| watch.tick());
    let longest = |watch: &Watch| watch.picture().expect("a board").queues[0].longest.map(clock);
    assert_eq!(longest(&watch), Some("1:07".to_owned()));
    let pong = heard(&mut watch, ServerMessage::Ping { n: 1, now: Millis(101_900), utc: Millis(3_601_900) });
    assert!(matches!(pong, Some(ClientMessage::Pong { n: 1, .. })));
    assert_eq!(longest(&watch), Some("1:06".to_owned()), "the engine's time is the one that counts");
}

#[test]
fn a_broken_line_is_said_and_a_new_one_resumes_where_the_board_stands() {
    let mut watch = watching();
    watch.handle(Heard::Down("closed".into()));
    let picture = watch.picture().expect("the old board stays");
    assert_eq!(picture.line, Line::Down("closed".into()));
    assert!(plain::print(&picture, english()).contains("line broken, this is old (closed)"));
    let Some(ClientMessage::Hello { resume, .. }) = watch.handle(Heard::Up) else { panic!("no hello") };
    assert_eq!((resume[0].topic.as_str(), resume[0].epoch, resume[0].v), ("board", Some(7), Some(20)));
}

#[test]
fn a_caller_who_is_gone_leaves_the_board() {
    let mut watch = watching();
    let changes = vec![Change { key: "waiting/0-q0/0-w1.3".into(), row: None }];
    heard(&mut watch, ServerMessage::Delta { topic: "board".into(), epoch: 7, pv: 20, v: 21, changes });
    let picture = watch.picture().expect("a board");
    assert!(picture.waiting.iter().all(|row| row.work != "0-w1.3"));
}

#[test]
fn the_plain_board_says_every_fact_on_a_line() {
    let text = plain::print(&watching().picture().expect("a board"), english());
    for line in [
        "== samu-99 01:00:00 UTC",
        "calls 4 · live 3 · answered 1 · abandoned 0 · lost at desks 0 · trunks: otn-1 3/4",
        "queue front: waiting 3, longest 1:05, !vital 1 (0:10), unqualified 2 (1:05) ALARM",
        "  waiting !vital 0:10 **********78 samu 0-w1.3",
        "agent lea: talking, since 1:00",
        "agent nour: ready, since 1:00",
        "  0-w1.9 -> nour vital 0:04 ✓: confirmed vital of 3, idle longest of 2, after agent free",
    ] {
        assert!(text.lines().any(|one| one == line), "`{line}` is not in\n{text}");
    }
}

#[test]
fn the_drawn_board_shows_queues_callers_agents_and_decisions_in_both_languages() {
    let picture = watching().picture().expect("a board");
    for (lang, expected) in [
        (
            "en",
            ["Queues", "longest", "!vital", "talking", "Last decisions", "confirmed vital of 3", "q: quit"],
        ),
        (
            "fr",
            [
                "Files",
                "plus longue",
                "!vital",
                "en appel",
                "Dernières décisions",
                "détresse vitale sur 3",
                "q : quitter",
            ],
        ),
    ] {
        let mut terminal = Terminal::new(TestBackend::new(150, 40)).expect("a backend in memory");
        let words = Words::of(Some(lang), None).expect("spoken");
        terminal.draw(|frame| draw::draw(frame, &picture, words, "a note")).expect("draws");
        let text = terminal.backend().to_string();
        for word in expected {
            assert!(text.contains(word), "`{word}` is not on\n{text}");
        }
    }
}

#[test]
fn a_terminal_of_any_size_is_drawn_on() {
    let picture = watching().picture().expect("a board");
    for (width, height) in [(1, 1), (20, 5), (80, 24), (300, 100)] {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a backend in memory");
        terminal.draw(|frame| draw::draw(frame, &picture, english(), "")).expect("draws");
        terminal.draw(|frame| draw::draw_line(frame, &Line::Connecting, english())).expect("draws");
    }
}

#[test]
fn the_language_is_the_one_asked_for_then_the_environments_then_english() {
    let french = Words::of(Some("fr"), None).expect("spoken");
    assert_eq!(Words::of(None, Some("fr_FR.UTF-8")), Ok(french));
    assert_eq!(Words::of(Some("en"), Some("fr_FR.UTF-8")), Ok(english()));
    assert_eq!(Words::of(None, Some("C")), Ok(english()));
    assert_eq!(Words::of(None, None), Ok(english()));
    assert!(Words::of(Some("de"), None).is_err());
}
