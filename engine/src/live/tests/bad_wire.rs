//! Seeds that make the log long and the wire as bad as it can be.

use super::*;
use crate::call::event::Loss;
use crate::live::follow::Follower;

/// A generator of chance for tests: SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}

/// Something plausible that happens next; `n` counts calls.
fn something(chance: &mut Chance, calls: &mut u64, at: Instant) -> Event {
    let which = chance.below(*calls + 1);
    let who = agent(u32::try_from(chance.below(2)).unwrap_or(0));
    match chance.below(18) {
        0..=2 => {
            *calls += 1;
            arrived(*calls)
        }
        3 | 4 => queued(which, at),
        5 => offered(which, who, at),
        6 => taken(which, who),
        7 => connected(which, who),
        8 => ended(which, Cause::Released),
        9 => Event::Moved { work: work(which), queue: queue(1), by: Actor::User("chief".to_owned()) },
        11 => Event::HeldAside {
            call: call(which),
            agent: who,
            class: "routine".to_owned(),
            lost: chance.below(2) == 0,
            recall: at,
        },
        12 => Event::RecallDue { call: call(which), agent: who },
        13 => Event::Resumed { call: call(which), agent: who, leg: leg(which) },
        14 => Event::AgentLost { call: call(which), agent: who, loss: Loss::NoAudio },
        15 => Event::Noted { call: call(which), by: Actor::Agent(who), text: Private("chute".to_owned()) },
        16 => Event::PageChanged { agent: who, open: true, up: chance.below(2) == 0, fit: true },
        10 => Event::OccupationChanged {
            agent: who,
            occupation: Occupation::WrapUp,
            call: None,
            until: Some(at),
        },
        _ => Event::Qualified {
            call: call(which),
            work: Some(work(which)),
            class: "vital".to_owned(),
            fenced: true,
            due: at,
            by: Actor::Agent(who),
            source: Source::Arm,
        },
    }
}

/// What the wire does to a frame, and what becomes of the page's connection.
fn follow_over_a_bad_wire(seed: u64) -> u64 {
    let (mut chance, mut room, mut calls) = (Chance(seed), Room::new(), 0);
    let pages = [
        (Right::Supervisor, vec!["board", "queue/front"]),
        (Right::Agent(agent(0)), vec!["me", "board"]),
        (Right::Observer, vec!["board"]),
    ];
    let mut followers =
        pages.clone().map(|(right, topics)| (right, Follower::new(&topics), None::<SessionId>));
    let mut last_frame = [const { None::<String> }; 3];
    let settle = 250;
    for step in 0..settle + 40 {
        if step < settle {
            let event = something(&mut chance, &mut calls, room.at);
            room.happens(event);
            room.wait(Duration::from_millis(chance.below(400)));
        } else {
            room.wait(BOARD_PACE);
        }
        for (index, (right, follower, session)) in followers.iter_mut().enumerate() {
            let calm = step >= settle;
            if session.is_some_and(|id| room.closed.contains(&id)) {
                *session = None;
            }
            let id = match *session {
                Some(id) => id,
                None if !calm && chance.below(3) > 0 => continue, // still away
                None => {
                    let id = room.open(*right);
                    room.say(id, &follower.hello());
                    *session = Some(id);
                    id
                }
            };
            if !calm && chance.below(4) == 0 {
                continue; // a slow page
            }
            while let Some(text) =
                room.frames.get_mut(&id).filter(|frames| !frames.is_empty()).map(|frames| frames.remove(0))
            {
                room.written(id);
                let fate = if calm { 9 } else { chance.below(10) };
                let copies = match fate {
                    0 => 0,
                    1 => 2,
                    _ => 1,
                };
                let late = last_frame[index].replace(text.clone()).filter(|_| fate == 2);
                for text in late.into_iter().chain(std::iter::repeat_n(text, copies)) {
                    let message = serde_json::from_str(&text).expect("reads");
                    if let Some(answer) = follower.handle(message) {
                        room.say(id, &answer);
                    }
                }
            }
            if !calm && chance.below(8) == 0 {
                let now = room.now();
                room.frames.remove(&id); // whatever was on its way is lost
                room.feed.handle_closed(id);
                room.feed.handle_due(now);
                *session = None;
            }
        }
    }
    for ((right, follower, _), (_, topics)) in followers.iter().zip(&pages) {
        topics.iter().for_each(|topic| assert_holds_the_truth(&room, *right, follower, topic, seed));
    }
    followers.iter().map(|(_, follower, _)| follower.gaps()).sum()
}

fn assert_holds_the_truth(room: &Room, right: Right, follower: &Follower, topic: &str, seed: u64) {
    let held = follower.topic(topic).expect("followed");
    assert!(!held.void, "seed {seed}: {topic} of {right:?} waits for a snapshot");
    assert_eq!(held.rows, room.truth(right, topic), "seed {seed}: {topic} of {right:?}");
}

#[test]
fn i25_a_page_holds_what_the_engine_holds_whatever_the_wire_does() {
    let gaps = (0..16).map(follow_over_a_bad_wire).sum::<u64>();
    assert!(gaps > 40, "the wire was not bad enough to prove anything: {gaps} gaps");
}

#[test]
fn i27_the_same_log_gives_the_same_board() {
    let (mut chance, mut calls, mut log) = (Chance(3), 0, Vec::new());
    for seq in 0..500 {
        let at = Instant::from_nanos(seq * 1_000_000);
        let event = something(&mut chance, &mut calls, at);
        log.push(Entry { centre: CENTRE, epoch: EPOCH, seq, at, utc: SystemTime::UNIX_EPOCH, event });
    }
    let fold = |log: &[Entry]| {
        let mut board = Board::new(cast(), EPOCH);
        log.iter().for_each(|entry| board.fold(entry));
        board.rows().all().map(|(key, row)| (key.clone(), row.clone())).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(fold(&log), fold(&log));
    assert_ne!(fold(&log), fold(&log[..250]));
}
