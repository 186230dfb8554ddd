//! Conversations of more than two with real packets: everybody hears the others and not themselves,
//! a whisper is for one ear, and two who are left are relayed again.

mod plane;

use bandeau::media::g711::{self, FRAME};
use bandeau::media::tone;
use engine::media::{Codec, MediaCommand, MediaEvent, Voice};
use plane::{Floor, Phone};
use std::time::Duration;

/// A tone for each phone of a test, far enough apart to be told from each other.
const TONES: [f64; 8] = [500.0, 700.0, 1_100.0, 1_300.0, 1_700.0, 1_900.0, 2_300.0, 2_900.0];

/// Everybody says a second of their tone; what each has heard of the last half of it. The plane's
/// wheel sets the pace: the first phone waits for its packet.
fn talk(phones: &mut [Phone]) -> Vec<Vec<i16>> {
    let mut heard = vec![Vec::new(); phones.len()];
    for _ in 0..50 {
        for (phone, hz) in phones.iter_mut().zip(TONES) {
            phone.say(hz);
        }
        for (nth, phone) in phones.iter().enumerate() {
            if nth > 0 {
                phone.socket.set_nonblocking(true).unwrap();
            }
            if let Some(packet) = phone.hear() {
                heard[nth].extend(packet.samples());
            }
            phone.socket.set_nonblocking(false).unwrap();
        }
    }
    heard.iter().map(|all| all[all.len().saturating_sub(20 * FRAME)..].to_vec()).collect()
}

/// Which of the tones are in it: each at least a twentieth of its power.
fn tones(heard: &[i16]) -> Vec<usize> {
    (0..TONES.len()).filter(|&nth| tone::share(heard, TONES[nth]) > 0.05).collect()
}

/// A conversation of so many, of both laws, on both threads.
fn conversation(count: usize) -> (Floor, Vec<Phone>) {
    let mut floor = Floor::open(2, 24);
    let law = |nth| if nth % 2 == 0 { Codec::Pcma } else { Codec::Pcmu };
    let phones: Vec<Phone> = (0..count).map(|nth| floor.phone_on((nth % 2) as u16, law(nth))).collect();
    let bridge = floor.bridge();
    for phone in &phones {
        floor.joined(bridge, phone);
    }
    (floor, phones)
}

#[test]
fn i33_three_hear_each_other_and_not_themselves() {
    let (floor, mut phones) = conversation(3);
    let heard = talk(&mut phones);
    let others: Vec<Vec<usize>> = heard.iter().map(|heard| tones(heard)).collect();
    assert_eq!(others, [vec![1, 2], vec![0, 2], vec![0, 1]]);
    drop(floor);
}

#[test]
fn eight_hear_the_seven_others() {
    let (floor, mut phones) = conversation(8);
    let heard = talk(&mut phones);
    for (nth, heard) in heard.iter().enumerate() {
        let expected: Vec<usize> = (0..8).filter(|other| *other != nth).collect();
        assert_eq!(tones(heard), expected, "phone {nth}");
    }
    drop(floor);
}

#[test]
fn who_listens_is_heard_by_nobody_and_a_whisper_by_the_agent_alone() {
    let (mut floor, mut phones) = conversation(3); // caller, agent, supervisor
    let (agent, chief) = (phones[1].leg, phones[2].leg);
    for (voice, expected) in [
        (Voice::Nobody, [vec![1], vec![0], vec![0, 1]]),
        (Voice::Only(agent), [vec![1], vec![0, 2], vec![0, 1]]),
        (Voice::Everyone, [vec![1, 2], vec![0, 2], vec![0, 1]]),
    ] {
        floor.plane.send(MediaCommand::Voice { leg: chief, voice });
        floor.obeyed(phones[2].port, phones[2].stream);
        let heard = talk(&mut phones);
        let heard: Vec<Vec<usize>> = heard.iter().map(|heard| tones(heard)).collect();
        assert_eq!(heard, expected, "{voice:?}");
    }
}

#[test]
fn a_whisper_is_for_one_ear_in_a_relay_too() {
    let (mut floor, mut phones) = conversation(2);
    floor.plane.send(MediaCommand::Voice { leg: phones[1].leg, voice: Voice::Nobody });
    floor.obeyed(phones[1].port, phones[1].stream);
    phones[0].socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let heard = talk(&mut phones);
    assert_eq!(tones(&heard[1]), [0]);
    // Left alone one hears comfort noise, which has a little of every tone.
    assert!(tone::share(&heard[0], TONES[1]) < 0.3, "nothing of who only listens");
    drop(floor);
}

/// Frames that are told apart by every sample, and from their own echo: the loudest codes.
fn counted(nth: usize) -> u8 {
    let loud: Vec<u8> =
        (0..=255).filter(|code| g711::decode(Codec::Pcma, *code).unsigned_abs() > 16_000).collect();
    loud[nth % loud.len()]
}

#[test]
fn a_third_who_comes_and_goes_costs_the_two_not_a_frame_and_they_are_a_relay_again() {
    let mut floor = Floor::open(1, 8);
    let mut phones: Vec<Phone> = (0..3).map(|_| floor.phone(Codec::Pcma)).collect();
    let bridge = floor.bridge();
    floor.joined(bridge, &phones[0]);
    floor.joined(bridge, &phones[1]);
    let (mut said, mut heard, mut numbers, mut sources) = (0, Vec::new(), Vec::new(), Vec::new());
    phones[1].socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut go_on = |phones: &mut [Phone], frames: usize| {
        for _ in 0..frames {
            let timestamp = (said * FRAME) as u32;
            phones[0].send(8, timestamp, &[counted(said); FRAME]);
            said += 1;
            // A relay answers at once, a mix every 20 ms.
            while let Some(packet) = phones[1].hear() {
                heard.push(packet.payload[80]);
                numbers.push(packet.sequence);
                sources.push(packet.ssrc);
                if heard.len() > said + 40 {
                    break;
                }
                if packet.payload[80] == counted(said - 1) {
                    break;
                }
            }
        }
    };
    go_on(&mut phones, 15);
    floor.joined(bridge, &phones[2]);
    go_on(&mut phones, 20);
    floor.plane.send(MediaCommand::Leave { leg: phones[2].leg });
    floor.obeyed(phones[2].port, phones[2].stream);
    go_on(&mut phones, 15);
    let last = said;
    let loud = |code: &&u8| g711::decode(Codec::Pcma, **code).unsigned_abs() > 16_000;
    let loud: Vec<u8> = heard.iter().filter(loud).copied().collect();
    let expected: Vec<u8> = (0..last).map(counted).collect();
    assert_eq!(loud, expected, "every frame once, in order");
    assert!(numbers.windows(2).all(|two| two[1] == two[0].wrapping_add(1)), "one stream without a hole");
    assert!(sources.windows(2).all(|two| two[0] == two[1]));
}

#[test]
fn a_port_that_says_nothing_is_told_so_and_the_others_go_on() {
    let (mut floor, mut phones) = conversation(3);
    let silent = phones.pop().unwrap();
    let heard = talk(&mut phones);
    assert_eq!([tones(&heard[0]), tones(&heard[1])], [vec![1], vec![0]]);
    let leg = silent.leg;
    floor.wait(|event| *event == MediaEvent::Silent { leg, seconds: 1 });
}
