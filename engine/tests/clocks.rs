//! Two clocks come in with every input; one of them decides.

mod kit;

use engine::call::event::{Entry, Event};
use kit::Room;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// An evening with a wait, a ring that times out, a conversation and an abandon; `jump` moves the
/// wall clock between any two of its scenes.
fn evening(jump: impl Fn(&mut Room)) -> (Vec<Entry>, Vec<engine::call::record::Record>) {
    let mut room = Room::new(2);
    room.dial_and_ack("0612345678", "15");
    jump(&mut room);
    room.pass(Duration::from_secs(7)); // the first phone rings out, the second rings
    jump(&mut room);
    let mut waiting = room.dial_and_ack("0698765432", "15");
    room.pass(Duration::from_secs(3));
    let invite = room.answer(1);
    jump(&mut room);
    room.pass(Duration::from_secs(20));
    room.bye(&mut waiting);
    jump(&mut room);
    room.phone_bye(1, &invite);
    room.rest();
    (room.log.iter().map(|(_, entry)| entry.clone()).collect(), room.records)
}

/// What was decided, and when on the timeline.
fn decided(log: &[Entry]) -> Vec<(engine::time::Instant, Event)> {
    log.iter().map(|entry| (entry.at, entry.event.clone())).collect()
}

#[test]
fn i24_a_wall_clock_that_jumps_an_hour_changes_labels_only() {
    let (steady, records) = evening(|_| {});
    let (ahead, ahead_records) = evening(|room| room.wall += HOUR);
    let (back, _) = evening(|room| room.wall -= HOUR);
    assert!(steady.iter().any(|entry| matches!(entry.event, Event::Connected { .. })), "somebody talked");
    assert!(steady.iter().any(|entry| matches!(entry.event, Event::Withdrawn { .. })), "somebody gave up");
    assert_eq!(decided(&steady), decided(&ahead));
    assert_eq!(decided(&steady), decided(&back));
    assert_ne!(steady, ahead, "the labels did change, or this test tries nothing");
    for (record, moved) in records.iter().zip(&ahead_records) {
        assert_eq!((record.waited, record.talked, record.lasted), (moved.waited, moved.talked, moved.lasted));
    }
}
