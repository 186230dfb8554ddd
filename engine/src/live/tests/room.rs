//! What the room shares: the held list, minutes, alarms, and why no call comes.

use super::*;
use crate::call::event::Loss;
use crate::live::board::{ALARMS_KEPT, MINUTES_KEPT};
use crate::live::row::{AlarmRow, HeldRow, MinuteRow};

fn aside(n: u64, lost: bool, at: Instant) -> Event {
    let (class, recall) = ("routine".to_owned(), at + Duration::from_secs(60));
    Event::HeldAside { call: call(n), agent: agent(0), class, lost, recall }
}

fn talking() -> Room {
    let mut room = Room::new();
    for event in [arrived(1), queued(1, room.at), connected(1, agent(0))] {
        room.happens(event);
    }
    room
}

fn held(room: &Room) -> Option<HeldRow> {
    match room.feed.board().rows().row(&Key::Held(call(1))) {
        Some(Row::Held(row)) => Some(row.clone()),
        _ => None,
    }
}

fn alarms(room: &Room) -> Vec<AlarmRow> {
    let rows = room.feed.board().rows().all().filter_map(|(_, row)| match row {
        Row::Alarm(row) => Some(row.clone()),
        _ => None,
    });
    rows.collect()
}

fn minutes(room: &Room) -> Vec<MinuteRow> {
    let rows = room.feed.board().rows().all().filter_map(|(_, row)| match row {
        Row::Minute(row) => Some(row.clone()),
        _ => None,
    });
    rows.collect()
}

#[test]
fn a_call_on_hold_is_on_the_rooms_list_until_somebody_has_it() {
    let mut room = talking();
    room.happens(aside(1, false, room.at));
    let row = held(&room).expect("on the list");
    assert_eq!((row.by.as_str(), row.lost, row.alarm), ("nour", false, false));
    assert!(room.feed.board().rows().row(&Key::Conversation(agent(0), call(1))).is_none());
    room.happens(Event::RecallDue { call: call(1), agent: agent(0) });
    assert!(held(&room).is_some_and(|row| row.alarm));
    assert!(alarms(&room).iter().any(|row| row.code == "recall" && row.on));
    let board = room.feed.board();
    for (right, number) in [(Right::Agent(agent(1)), true), (Right::Observer, false)] {
        let shown = viewer(right).cut(&Key::Held(call(1)), &Row::Held(row.clone()), board);
        let shown = serde_json::to_string(&shown).expect("prints");
        assert_eq!(shown.contains(NUMBER), number, "whoever may take it back sees whose it is: {right:?}");
    }
    room.happens(queued(1, room.at));
    assert!(held(&room).is_none());
    assert!(alarms(&room).iter().all(|row| !row.on), "the alarm is over");
    for event in [connected(1, agent(1)), ended(1, Cause::Released)] {
        room.happens(event);
    }
    assert!(room.feed.board().is_at_rest());
}

#[test]
fn a_doctor_reads_number_and_note_of_those_handed_over_and_an_observer_neither() {
    let mut room = talking();
    let (by, text) = (Actor::Agent(agent(0)), Private("chest pain".to_owned()));
    room.happens(Event::Noted { call: call(1), by, text });
    let (class, recontact) = ("routine".to_owned(), room.at);
    let (by, queue) = (agent(0), queue(1));
    let over = Beside::HandedOver { call: call(1), by, queue, class, back: false, recontact };
    room.happens(Event::Beside(over));
    let board = room.feed.board();
    let row = board.rows().row(&Key::HandOver(call(1))).expect("between two stages");
    for (right, seen) in [(Right::Agent(agent(1)), true), (Right::Observer, false)] {
        let shown = viewer(right).cut(&Key::HandOver(call(1)), row, board);
        let shown = serde_json::to_string(&shown).expect("prints");
        assert_eq!(shown.contains(NUMBER), seen, "the number, by {right:?}");
        assert_eq!(shown.contains("chest pain"), seen, "the note, by {right:?}");
    }
}

#[test]
fn i37_a_page_loaded_again_sees_the_call_it_was_lost_in() {
    let mut room = talking();
    room.happens(Event::AgentLost { call: call(1), agent: agent(0), loss: Loss::NoAudio });
    room.happens(aside(1, true, room.at));
    let page = room.open(Right::Agent(agent(0)));
    let told = room.hello(page, &[("me", None)]);
    let Some(ServerMessage::Snapshot { changes, .. }) = told.last() else { panic!("{told:?}") };
    let lost = changes.iter().find_map(|change| match &change.row {
        Some(Row::Conversation(row)) => Some(row.lost),
        _ => None,
    });
    assert_eq!(lost, Some(Some(room.at.into())), "its conversation, and since when it is lost");
    assert!(held(&room).is_some_and(|row| row.lost), "the room sees it");
    room.happens(Event::Resumed { call: call(1), agent: agent(0), leg: leg(7) });
    assert!(held(&room).is_none());
    let row = room.feed.board().rows().row(&Key::Conversation(agent(0), call(1)));
    assert!(matches!(row, Some(Row::Conversation(row)) if row.lost.is_none()));
}

#[test]
fn a_note_is_for_who_talks_and_for_supervisors() {
    let mut room = talking();
    let text = Private("chute dans l'escalier".to_owned());
    room.happens(Event::Noted { call: call(1), by: Actor::Agent(agent(0)), text: text.clone() });
    let board = room.feed.board();
    let (key, row) = (Key::Call(call(1)), board.rows().row(&Key::Call(call(1))).cloned().expect("there"));
    let sees = |right| matches!(viewer(right).cut(&key, &row, board), Row::Call(row) if row.note.is_some());
    assert!(sees(Right::Supervisor) && sees(Right::Agent(agent(0))));
    assert!(!sees(Right::Agent(agent(1))) && !sees(Right::Observer));
}

#[test]
fn the_last_hour_is_kept_by_the_minute_and_no_more() {
    let mut room = Room::new();
    for n in 1..=3 {
        room.happens(arrived(n));
        room.happens(queued(n, room.at));
    }
    room.happens(connected(1, agent(0)));
    room.happens(ended(2, Cause::Abandon));
    let [minute] = &minutes(&room)[..] else { panic!("one minute") };
    assert_eq!((minute.arrived, minute.answered, minute.abandoned, minute.waiting), (3, 1, 1, 3));
    for n in 10..200 {
        room.wait(Duration::from_secs(60));
        room.happens(arrived(n));
    }
    let all = minutes(&room);
    assert_eq!(all.len(), usize::from(MINUTES_KEPT));
    let span = all.iter().map(|row| row.from.0).max().zip(all.iter().map(|row| row.from.0).min());
    assert_eq!(span.map(|(last, first)| last - first), Some(59 * 60_000), "the last sixty");
}

#[test]
fn alarms_are_the_last_ones_and_what_is_over_says_so() {
    let mut room = talking();
    room.happens(Event::Alarm { queue: queue(0), on: true });
    assert!(
        alarms(&room)
            .iter()
            .any(|row| (row.code.as_str(), row.of.as_str(), row.on) == ("longest-wait", "front", true))
    );
    room.happens(Event::Alarm { queue: queue(0), on: false });
    assert!(alarms(&room).iter().all(|row| !row.on));
    for _ in 0..50 {
        room.happens(Event::AgentLost { call: call(1), agent: agent(0), loss: Loss::NoAudio });
    }
    assert_eq!(alarms(&room).len(), usize::from(ALARMS_KEPT));
}

#[test]
fn a_page_is_told_every_reason_that_keeps_calls_away() {
    let mut agents = cast();
    agents.agents[0].phone = crate::site::Phone::Page;
    let mut room = Room::new();
    room.feed = Feed::new(agents, EPOCH);
    let why = |room: &Room| match room.feed.board().rows().row(&Key::Agent(agent(0))) {
        Some(Row::Agent(row)) => serde_json::to_string(&row.why).expect("prints"),
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&room), r#"["not-signed-in","no-page","no-audio","audio-unfit"]"#);
    let page = |open, up, fit| Event::PageChanged { agent: agent(0), open, up, fit };
    room.happens(page(true, true, false));
    assert_eq!(why(&room), r#"["not-signed-in","audio-unfit"]"#);
    room.happens(Event::IntentChanged {
        agent: agent(0),
        intent: Intent::Paused("meal".to_owned()),
        by: Actor::Agent(agent(0)),
    });
    room.happens(Event::Rona { agent: agent(0), on: true });
    assert_eq!(why(&room), r#"["audio-unfit","rona","paused"]"#);
    room.happens(page(true, true, true));
    room.happens(Event::ReachabilityChanged { agent: agent(0), reachable: true, why: "page".into() });
    room.happens(Event::Rona { agent: agent(0), on: false });
    room.happens(Event::IntentChanged { agent: agent(0), intent: Intent::Ready, by: Actor::Agent(agent(0)) });
    assert_eq!(why(&room), "[]");
}
