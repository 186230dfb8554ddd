//! The figures the trade publishes, from the log alone: both denominators, and who was made good.

mod kit;

use engine::io::Verb;
use engine::live::indicators::Indicators;
use kit::{Room, agent, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The log, read by somebody who has nothing else.
fn figures(room: &Room) -> Indicators {
    let mut indicators = Indicators::default();
    for (_, entry) in &room.log {
        indicators.fold(entry);
    }
    indicators
}

#[test]
fn i27_both_denominators_come_out_of_the_log_alone() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 1, false))]));
    room.by(0, Verb::SignIn { agent: agent(0), position: None }).result.expect("signed in");
    // Two short abandons, one true one, and two answered: after 10 s and after 40 s.
    for (number, waited) in [("0600000001", 5), ("0600000002", 14), ("0600000003", 20)] {
        let mut caller = room.dial_and_ack(number, "15");
        room.pass(waited * SECOND);
        room.bye(&mut caller);
    }
    for (number, waited) in [("0600000004", 10), ("0600000005", 40)] {
        let mut caller = room.dial_and_ack(number, "15");
        room.pass(waited * SECOND);
        let call = room.arrival(usize::from(number.ends_with('5')) + 3).0;
        room.by(0, Verb::Pick { agent: agent(0), call, confirmed: false }).result.expect("picked");
        room.answer(0);
        room.bye(&mut caller);
    }
    let indicators = figures(&room);
    let all = *indicators.all();
    assert_eq!((all.attempts, all.answered, all.short, all.abandoned), (5, 2, 2, 1));
    assert_eq!(all.within, [1, 1, 1, 2], "15, 20, 30 and 60 s");
    assert_eq!(all.answer_rate(), Some(0.4), "A / P");
    assert_eq!(all.quality(3), Some(1.0), "of the answered");
    assert_eq!(all.strict_quality(3), Some(2.0 / 3.0), "of every call but short abandons");
    assert_eq!(all.abandon_rate(), Some(1.0 / 3.0));
    assert_eq!(all.t1.mean(), Some(25 * SECOND), "T1");
    assert!(indicators.services().any(|(name, figures)| name == "samu" && *figures == all));
    room.rest();
    assert!(figures(&room).is_at_rest(), "I23: no call stays in the fold");
}

#[test]
fn attempts_are_not_callers_and_an_abandon_made_good_is_counted_as_such() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 1, false))]));
    room.by(0, Verb::SignIn { agent: agent(0), position: None }).result.expect("signed in");
    for _ in 0..2 {
        let mut caller = room.dial_and_ack("0600000001", "15");
        room.pass(20 * SECOND);
        room.bye(&mut caller);
    }
    let mut caller = room.dial_and_ack("0600000001", "15");
    let call = room.arrival(2).0;
    room.by(0, Verb::Pick { agent: agent(0), call, confirmed: false }).result.expect("picked");
    room.answer(0);
    let all = *figures(&room).all();
    assert_eq!((all.attempts, all.callers), (3, 1));
    assert_eq!((all.abandoned, all.recovered), (2, 2), "answered in the end");
    assert_eq!((all.callbacks, all.reached), (1, 0), "nobody had to be called");
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn the_wait_of_a_stage_is_counted_once_whatever_becomes_of_the_call() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 1, false))]));
    room.by(0, Verb::SignIn { agent: agent(0), position: None }).result.expect("signed in");
    let mut caller = room.dial_and_ack("0600000001", "15");
    room.pass(10 * SECOND);
    let call = room.arrival(0).0;
    for _ in 0..3 {
        room.by(0, Verb::Pick { agent: agent(0), call, confirmed: false }).result.expect("picked");
        room.answer(0);
        room.pass(60 * SECOND);
        room.by(0, Verb::Hold { agent: agent(0), call }).result.expect("on the shared list");
        room.pass(30 * SECOND);
    }
    let all = *figures(&room).all();
    assert_eq!((all.answered, all.t1.count, all.t1.mean()), (1, 1, Some(10 * SECOND)));
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn whoever_gives_up_after_a_talk_that_we_lost_was_answered_and_did_not_abandon() {
    let mut room = Room::of_pages(1);
    room.page_ready(0);
    let mut caller = room.dial_and_ack("0600000001", "15");
    room.key(0);
    let (call, leg) = room.connected(0)[0];
    room.hears(leg);
    assert_eq!(call, room.arrival(0).0);
    room.pass(30 * SECOND);
    room.page_down(room.page_id(0));
    room.pass(20 * SECOND);
    room.bye(&mut caller);
    let all = *figures(&room).all();
    assert_eq!((all.attempts, all.answered, all.abandoned, all.short), (1, 1, 0, 0));
    room.rest();
}

#[test]
fn a_partners_line_is_many_persons() {
    let mut room = Room::of(site(vec![centre(plan::STAGED, desks(0, 1, false))]));
    room.by(0, Verb::SignIn { agent: agent(0), position: None }).result.expect("signed in");
    let mut gone = room.dial_and_ack("+33388000018", "18");
    room.pass(20 * SECOND);
    room.bye(&mut gone);
    let mut caller = room.dial_and_ack("+33388000018", "18");
    let call = room.arrival(1).0;
    room.by(0, Verb::Pick { agent: agent(0), call, confirmed: false }).result.expect("picked");
    room.answer(0);
    let all = *figures(&room).all();
    assert_eq!((all.attempts, all.callers), (2, 2), "whose are two");
    assert_eq!((all.abandoned, all.recovered), (1, 0), "another of theirs makes nothing good");
    room.bye(&mut caller);
    room.rest();
}
