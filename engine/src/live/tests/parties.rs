//! What a page and a board show of several in one conversation.

use super::*;
use crate::live::row::{ConversationRow, PartyRow, Stage};

fn talking() -> Room {
    let mut room = Room::new();
    for event in [arrived(1), queued(1, room.at), connected(1, agent(0))] {
        room.happens(event);
    }
    room
}

fn joined(who: Who, seat: Seat) -> Event {
    Event::Joined { call: call(1), leg: leg(9), who, seat, by: Actor::System }
}

fn left(who: Who) -> Event {
    Event::Left { call: call(1), leg: leg(9), who, by: Actor::System, loss: None }
}

fn conversation(room: &Room, of: u32) -> Option<ConversationRow> {
    match room.feed.board().rows().row(&Key::Conversation(agent(of), call(1))) {
        Some(Row::Conversation(row)) => Some(row.clone()),
        _ => None,
    }
}

/// Who takes part, how, and who answers for it, as the page of an agent shows it.
fn shown(room: &Room, of: u32) -> Vec<(String, Seat, bool)> {
    let parties = conversation(room, of).map(|row| row.parties).unwrap_or_default();
    parties.into_iter().map(|PartyRow { who, seat, leads, .. }| (who, seat, leads)).collect()
}

#[test]
fn an_agent_is_shown_who_listens_and_who_answers_for_the_call() {
    let mut room = talking();
    let nour = ("nour".to_owned(), Seat::Speaks, true);
    assert_eq!(shown(&room, 0), std::slice::from_ref(&nour));
    room.happens(joined(Who::Agent(agent(1)), Seat::Listens));
    assert_eq!(shown(&room, 0), [nour, ("lea".to_owned(), Seat::Listens, false)]);
    room.happens(joined(Who::Agent(agent(1)), Seat::Speaks));
    room.happens(left(Who::Agent(agent(0))));
    room.happens(Event::Led { call: call(1), agent: agent(1) });
    assert_eq!(shown(&room, 1), [("lea".to_owned(), Seat::Speaks, true)]);
    assert!(conversation(&room, 0).is_none(), "out of it is off the page");
    room.happens(ended(1, Cause::Released));
    assert!(room.feed.board().is_at_rest());
}

#[test]
fn a_consultation_is_on_the_agents_page_from_the_question_to_its_end() {
    let mut room = talking();
    let (whom, deadline) = (Whom::Outside("sdis-69".to_owned()), room.at + Duration::from_secs(30));
    room.happens(Event::Consulting { call: call(1), agent: agent(0), whom, deadline });
    let asks = |room: &Room| conversation(room, 0).and_then(|row| row.consult);
    assert_eq!(asks(&room).map(|it| (it.whom, it.answered)), Some(("sdis-69".to_owned(), false)));
    room.happens(joined(Who::Outside("sdis-69".to_owned()), Seat::Speaks));
    assert!(asks(&room).is_some_and(|it| it.answered));
    room.happens(Event::ConsultEnded { call: call(1), agent: agent(0), end: ConsultEnd::Together });
    assert!(asks(&room).is_none());
    assert_eq!(shown(&room, 0).len(), 2);
    room.happens(Event::HandedOut { call: call(1), agent: agent(0), to: "sdis-69".to_owned() });
    let Some(Row::Call(row)) = room.feed.board().rows().row(&Key::Call(call(1))) else { panic!("a row") };
    assert_eq!((row.stage, row.parties.len(), row.with.len()), (Stage::Outside, 1, 0));
}

#[test]
fn who_is_wanted_beside_an_agent_waits_in_nobodys_list() {
    let mut room = talking();
    room.happens(Event::Wanted { call: call(1), work: work(7), whom: None });
    let waits = Event::Queued {
        work: work(7),
        call: call(1),
        queue: queue(1),
        class: "vital".to_owned(),
        fenced: true,
        arrived: room.at,
        due: room.at,
        again: false,
    };
    room.happens(waits);
    assert!(conversation(&room, 0).is_some_and(|row| row.calling), "the caller has not been moved");
    let waiting = room.feed.board().rows().all().filter(|(key, _)| matches!(key, Key::Waiting(..)));
    assert_eq!(waiting.count(), 0);
    room.happens(Event::Withdrawn { work: work(7), call: call(1), waited: Duration::ZERO });
    assert!(conversation(&room, 0).is_some_and(|row| !row.calling));
    room.happens(ended(1, Cause::Released));
    assert!(room.feed.board().is_at_rest());
}
