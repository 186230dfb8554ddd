//! The media plane with real sockets on loopback: phones that speak tones and listen for each other.

mod plane;

use bandeau::media::g711::FRAME;
use bandeau::media::plane::{Plane, PlaneConfig, PlaneError};
use bandeau::media::sound::Sounds;
use bandeau::media::{sys, tone};
use engine::id::{CentreId, LegId, Serial};
use engine::media::{Codec, MediaCommand, MediaEvent, Program, Stream};
use plane::{Floor, HERE, Packet, Phone, converse, ports, six};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::channel;
use std::time::Duration;
#[test]
fn i33_a_tone_passes_both_ways() {
    let mut floor = Floor::open(1, 4);
    let (mut caller, mut agent) = (floor.phone(Codec::Pcma), floor.phone(Codec::Pcma));
    let bridge = floor.bridge();
    floor.join(bridge, &[&caller, &agent]);
    let (at_caller, at_agent) = converse(&mut caller, 1_000.0, &mut agent, 700.0);
    assert!(at_caller > 0.9 && at_agent > 0.9, "{at_caller} {at_agent}");
}

#[test]
fn i33_a_tone_passes_both_ways_between_ipv4_and_ipv6() {
    let Some(six) = six() else { return };
    let mut floor = Floor::open_on(Ipv6Addr::UNSPECIFIED.into(), &[HERE, six], 1, 8);
    for [one, other] in [[HERE, six], [six, HERE], [HERE, HERE], [six, six]] {
        let (mut caller, mut agent) =
            (floor.phone_at(one, 0, Codec::Pcma), floor.phone_at(other, 0, Codec::Pcmu));
        let bridge = floor.bridge();
        floor.join(bridge, &[&caller, &agent]);
        let (at_caller, at_agent) = converse(&mut caller, 1_000.0, &mut agent, 700.0);
        assert!(at_caller > 0.9 && at_agent > 0.9, "{one} to {other}: {at_caller} {at_agent}");
        let from = |phone: &Phone| {
            let (_, from) = phone.socket.recv_from(&mut [0; 2_048]).unwrap();
            from
        };
        // It goes on: one more frame each, whose sender is the address they were told.
        caller.say(1_000.0);
        agent.say(700.0);
        assert_eq!(from(&agent), agent.port.told_to(other));
        assert_eq!(from(&caller), caller.port.told_to(one));
    }
}

// Many a carrier sends from elsewhere than it receives; on a socket of both families the sender's address
// is compared as it was agreed.
#[test]
fn the_agreed_source_is_known_on_a_socket_of_both_families_and_a_stranger_is_not() {
    let Some(six) = six() else { return };
    for ip in [HERE, six] {
        let mut floor = Floor::open_on(Ipv6Addr::UNSPECIFIED.into(), &[HERE, six], 1, 4);
        let mut caller = floor.phone_at(ip, 0, Codec::Pcma);
        let mut agent = floor.phone_at(HERE, 0, Codec::Pcma);
        let bridge = floor.bridge();
        floor.join(bridge, &[&caller, &agent]);
        assert!(converse(&mut caller, 1_000.0, &mut agent, 700.0).1 > 0.9);
        let stranger = UdpSocket::bind((ip, 0)).unwrap();
        let noise = [&[0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9][..], &[0xD5; 160]].concat();
        for _ in 0..5 {
            caller.say(1_000.0);
            stranger.send_to(&noise, caller.port.told_to(ip)).unwrap();
        }
        let dropped = floor.figures(|figures| figures.packets_dropped >= 5).packets_dropped;
        assert_eq!(dropped, 5, "{ip}: the stranger's, while the agreed source speaks");
    }
}

#[test]
fn i33_a_planted_one_way_fault_is_seen() {
    let mut floor = Floor::open(1, 4);
    let (mut caller, mut agent) = (floor.phone(Codec::Pcma), floor.phone(Codec::Pcma));
    // What the agent is sent goes to a socket where nobody listens.
    let nobody = UdpSocket::bind((HERE, 0)).unwrap();
    let stream = Stream { remote: Some(nobody.local_addr().unwrap()), ..agent.stream };
    floor.plane.send(MediaCommand::Update { leg: agent.leg, stream });
    let bridge = floor.bridge();
    floor.join(bridge, &[&caller, &agent]);
    agent.socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let (at_caller, at_agent) = converse(&mut caller, 1_000.0, &mut agent, 700.0);
    assert!(at_caller > 0.9 && at_agent < 0.1, "{at_caller} {at_agent}");
}

#[test]
fn each_side_hears_its_own_law() {
    let mut floor = Floor::open(1, 4);
    let (mut caller, mut agent) = (floor.phone(Codec::Pcmu), floor.phone(Codec::Pcma));
    let bridge = floor.bridge();
    floor.join(bridge, &[&caller, &agent]);
    let (at_caller, at_agent) = converse(&mut caller, 1_000.0, &mut agent, 700.0);
    assert!(at_caller > 0.9 && at_agent > 0.9, "{at_caller} {at_agent}");
    caller.say(1_000.0);
    agent.say(700.0);
    let types = [caller.hear(), agent.hear()].map(|packet| packet.map(|packet| packet.payload_type));
    assert_eq!(types, [Some(0), Some(8)]);
}

#[test]
fn a_law_at_a_dynamic_number_is_read_by_it_and_sent_under_it() {
    let mut floor = Floor::open(1, 4);
    let (mut caller, mut agent) = (floor.phone(Codec::Pcma), floor.phone(Codec::Pcmu));
    let named = Stream { dynamic: Some(98), telephone_event: Some(97), ..caller.stream };
    caller.stream = Stream { keys_come_as: Some(101), ..named };
    floor.plane.send(MediaCommand::Update { leg: caller.leg, stream: caller.stream });
    let bridge = floor.bridge();
    floor.join(bridge, &[&caller, &agent]);
    floor.obeyed(caller.port, caller.stream);
    let (at_caller, at_agent) = converse(&mut caller, 1_000.0, &mut agent, 700.0);
    assert!(at_caller > 0.9 && at_agent > 0.9, "{at_caller} {at_agent}");
    agent.say(700.0);
    caller.send(101, 1_600, &[5, 0x8A, 1, 64]);
    agent.send(96, 1_600, &[7, 0x8A, 1, 64]);
    let types = [caller.hear(), caller.hear(), agent.hear()].map(|it| it.map(|packet| packet.payload_type));
    assert_eq!(types, [Some(98), Some(97), Some(96)], "each by the number it named");
    floor.wait(|event| *event == MediaEvent::Digit { leg: caller.leg, digit: '5' });
}

#[test]
fn a_key_passes_under_the_other_sides_type_and_is_reported_once() {
    let mut floor = Floor::open(1, 4);
    let (mut caller, agent) = (floor.phone(Codec::Pcmu), floor.phone(Codec::Pcma));
    let bridge = floor.bridge();
    floor.join(bridge, &[&caller, &agent]);
    floor.obeyed(caller.port, caller.stream);
    for end in [0, 0, 0x80, 0x80, 0x80] {
        caller.send(96, 1_600, &[5, end | 10, 1, 64]);
    }
    let leg = caller.leg;
    floor.wait(|event| *event == MediaEvent::Digit { leg, digit: '5' });
    let keys = std::iter::from_fn(|| agent.hear()).filter(|packet| packet.payload_type == 101).take(5);
    let keys = keys.collect::<Vec<_>>();
    assert_eq!(keys.len(), 5);
    assert!(keys.iter().all(|key| key.payload[0] == 5 && key.timestamp == keys[0].timestamp));
    caller.send(96, 3_200, &[11, 0x8A, 1, 64]);
    floor.wait(|event| *event == MediaEvent::Digit { leg, digit: '#' });
    let digits = floor.said().iter().filter(|event| matches!(event, MediaEvent::Digit { .. })).count();
    assert_eq!(digits, 2);
}

#[test]
fn keys_of_a_waiting_caller_are_reported_only_when_listened_for() {
    let mut floor = Floor::open(1, 4);
    let mut caller = floor.phone(Codec::Pcma);
    let leg = caller.leg;
    caller.send(101, 160, &[1, 0x8A, 1, 64]);
    floor.wait(|event| *event == MediaEvent::Heard { leg });
    floor.plane.send(MediaCommand::Listen { leg, on: true });
    floor.obeyed(caller.port, caller.stream);
    caller.send(101, 1_600, &[2, 0x8A, 1, 64]);
    floor.wait(|event| matches!(event, MediaEvent::Digit { .. }));
    let digits: Vec<_> =
        floor.said().into_iter().filter(|event| matches!(event, MediaEvent::Digit { .. })).collect();
    assert_eq!(digits, [MediaEvent::Digit { leg, digit: '2' }]);
}

#[test]
fn a_phone_that_hears_the_tone_alone_and_is_listened_to_has_its_key_reported() {
    let mut floor = Floor::open(1, 4);
    let mut phone = floor.phone(Codec::Pcma);
    let leg = phone.leg;
    floor.plane.send(MediaCommand::Listen { leg, on: true });
    floor.play(&phone, Program::RingBack);
    floor.obeyed(phone.port, phone.stream);
    let tone = phone.hear().expect("the tone");
    assert_eq!(tone.payload_type, 8);
    for end in [0, 0x80, 0x80] {
        phone.send(101, 1_600, &[5, end | 10, 1, 64]);
    }
    floor.wait(|event| *event == MediaEvent::Digit { leg, digit: '5' });
}

#[test]
fn waiting_callers_hear_the_announcement_once_then_hold_music_at_fifty_packets_a_second() {
    let mut floor = Floor::open(2, 24);
    let callers: Vec<Phone> =
        (0..20).map(|n| floor.phone_on(n % 2, if n % 3 == 0 { Codec::Pcmu } else { Codec::Pcma })).collect();
    let program = Program::Hold { announce: vec!["confirm".into()], hold: "hold".into() };
    for caller in &callers {
        floor.play(caller, program.clone());
    }
    // 60 packets of the first caller are the measure; each of the others has as many, within a
    // catch-up of the wheel.
    let heard: Vec<Packet> = (0..60).map(|_| callers[0].hear().expect("hold audio")).collect();
    for caller in &callers[1..] {
        caller.socket.set_nonblocking(true).unwrap();
        let count = std::iter::from_fn(|| caller.hear()).count();
        assert!((54..=66).contains(&count), "{count} packets while the first had 60");
    }
    let sounds = Sounds::embedded();
    let (confirm, hold) = (sounds.sound("confirm").unwrap(), sounds.sound("hold").unwrap());
    for (n, packet) in heard.iter().enumerate() {
        let expected = match n.checked_sub(confirm.len()) {
            None => confirm.frame(Codec::Pcmu, n),
            Some(n) => hold.frame(Codec::Pcmu, n),
        };
        assert_eq!(packet.payload, expected, "packet {n}");
        assert_eq!(packet.marker, n == 0);
        assert_eq!(packet.sequence, heard[0].sequence.wrapping_add(n as u16));
        assert_eq!(packet.timestamp, heard[0].timestamp.wrapping_add(160 * n as u32));
        assert_eq!((packet.ssrc, packet.payload_type), (heard[0].ssrc, 0));
    }
    let mut announced: Vec<LegId> = callers.iter().map(|caller| caller.leg).collect();
    while !announced.is_empty() {
        let MediaEvent::Announced { leg } = floor.wait(|event| matches!(event, MediaEvent::Announced { .. }))
        else {
            unreachable!("waited for");
        };
        assert!(announced.contains(&leg), "announced twice");
        announced.retain(|other| *other != leg);
    }
}

#[test]
fn the_wheel_keeps_real_time() {
    let mut floor = Floor::open(1, 2);
    let caller = floor.phone(Codec::Pcma);
    floor.play(&caller, Program::RingBack);
    caller.hear().expect("ring-back");
    let from = sys::now();
    for _ in 0..50 {
        caller.hear().expect("ring-back");
    }
    // A loaded machine may delay the last packet; it cannot make fifty come early.
    let took = Duration::from_nanos(sys::now() - from);
    assert!((Duration::from_millis(900)..Duration::from_millis(1_400)).contains(&took), "{took:?}");
}

#[test]
fn what_was_said_while_waiting_is_not_heard_by_the_agent() {
    let mut floor = Floor::open(1, 4);
    let (mut caller, mut agent) = (floor.phone(Codec::Pcma), floor.phone(Codec::Pcma));
    floor.play(&caller, Program::Comfort);
    let leg = caller.leg;
    caller.say(1_000.0);
    floor.wait(|event| *event == MediaEvent::Heard { leg });
    for _ in 0..10 {
        caller.say(1_000.0);
    }
    let bridge = floor.bridge();
    floor.joined(bridge, &agent);
    floor.joined(bridge, &caller);
    // The agent's tone reaches the caller: the conversation stands.
    agent.say(700.0);
    while tone::share(&caller.hear().expect("the agent").samples(), 700.0) < 0.9 {}
    for _ in 0..10 {
        caller.say(400.0);
    }
    let mut heard = 0;
    while heard < 10 {
        let samples = agent.hear().expect("the caller").samples();
        assert!(tone::share(&samples, 1_000.0) < 0.5, "speech from before the conversation");
        heard += usize::from(tone::share(&samples, 400.0) > 0.9);
    }
}

#[test]
fn a_closed_legs_port_comes_back_and_serves_again() {
    let mut floor = Floor::open(1, 1);
    let mut first = floor.phone(Codec::Pcma);
    floor.play(&first, Program::Comfort);
    let sent = (0..5).filter(|_| first.hear().is_some()).count() as u64;
    first.say(1_000.0);
    let leg = first.leg;
    floor.wait(|event| *event == MediaEvent::Heard { leg });
    floor.plane.send(MediaCommand::Close { leg });
    let closed = floor.wait(|event| matches!(event, MediaEvent::Closed { .. }));
    let MediaEvent::Closed { received: 1, sent: counted, lost: 0, .. } = closed else { panic!("{closed:?}") };
    assert!(counted >= sent, "{counted} < {sent}");
    floor.wait(|event| matches!(event, MediaEvent::Ports(ports) if ports.contains(&first.port)));
    floor.stock.retain(|port| *port == first.port);
    let again = floor.phone(Codec::Pcma);
    assert_eq!(again.port, first.port);
    floor.play(&again, Program::Comfort);
    assert!(again.hear().is_some());
    assert!(std::iter::from_fn(|| first.hear()).count() < 5, "the closed leg is sent nothing more");
}

#[test]
fn the_stock_is_filled_up_as_it_is_used() {
    let mut floor = Floor::open(1, 3);
    let legs: Vec<Phone> = (0..12).map(|_| floor.phone(Codec::Pcma)).collect();
    let mut ports: Vec<u16> = legs.iter().map(|phone| phone.port.rtp.port()).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 12, "every leg has a port of its own");
    let figures = floor.figures(|figures| figures.legs == 12);
    assert_eq!((figures.legs, figures.ports_free), (12, 3));
    for phone in &legs {
        floor.plane.send(MediaCommand::Close { leg: phone.leg });
    }
    let figures = floor.figures(|figures| figures.legs == 0);
    assert_eq!((figures.legs, figures.ports_free), (0, 15), "at rest everything is back");
}

#[test]
fn legs_of_two_threads_meet_on_one_and_obey_what_they_are_told_on_the_way() {
    let mut floor = Floor::open(2, 8);
    let (mut caller, mut agent) = (floor.phone_on(0, Codec::Pcma), floor.phone_on(1, Codec::Pcmu));
    floor.play(&caller, Program::Comfort);
    let bridge = floor.bridge();
    floor.join(bridge, &[&caller, &agent]);
    let (at_caller, at_agent) = converse(&mut caller, 1_000.0, &mut agent, 700.0);
    assert!(at_caller > 0.9 && at_agent > 0.9, "{at_caller} {at_agent}");

    // There and back in one breath, a hundred times: nothing is lost on the way.
    let home = floor.phone_on(1, Codec::Pcma);
    let far = floor.bridge();
    floor.join(far, &[&home]);
    for _ in 0..100 {
        floor.plane.send(MediaCommand::Join { bridge: far, leg: caller.leg });
        floor.plane.send(MediaCommand::Leave { leg: caller.leg });
        floor.join(bridge, &[&caller]);
    }
    floor.joined(bridge, &caller);
    let (at_caller, at_agent) = converse(&mut caller, 1_000.0, &mut agent, 700.0);
    assert!(at_caller > 0.9 && at_agent > 0.9, "{at_caller} {at_agent}");
    for phone in [&caller, &agent, &home] {
        floor.plane.send(MediaCommand::Close { leg: phone.leg });
    }
    assert_eq!(floor.figures(|figures| figures.legs == 0).legs, 0);
    let said = floor.said();
    let refused = |event: &&MediaEvent| matches!(event, MediaEvent::Refused { leg: Some(leg), .. } if leg.centre == CentreId(0));
    assert_eq!(said.iter().filter(refused).count(), 1, "only what `joined` waits for: {said:?}");
}

#[test]
fn a_ninth_port_is_refused_and_the_others_go_on() {
    let mut floor = Floor::open(2, 24);
    let phones: Vec<Phone> = (0..9).map(|_| floor.phone(Codec::Pcma)).collect();
    let bridge = floor.bridge();
    floor.join(bridge, &phones.iter().collect::<Vec<_>>());
    let refused = floor.wait(|event| matches!(event, MediaEvent::Refused { .. }));
    assert!(matches!(&refused, MediaEvent::Refused { leg, .. } if *leg == Some(phones[8].leg)));
    floor.play(&phones[8], Program::Comfort);
    assert!(phones[8].hear().is_some(), "the refused leg still hears what it is played");
    assert!(phones[0].hear().is_some(), "and the others each other");
}

#[test]
fn i33_a_waiting_peer_is_heard_once_and_its_silence_reported() {
    let mut floor = Floor::open(1, 4);
    let mut caller = floor.phone(Codec::Pcma);
    floor.play(&caller, Program::Comfort);
    let leg = caller.leg;
    for _ in 0..20 {
        caller.say(1_000.0);
    }
    floor.wait(|event| *event == MediaEvent::Heard { leg });
    floor.wait(|event| *event == MediaEvent::Silent { leg, seconds: 1 });
    caller.say(1_000.0);
    floor.wait(|event| *event == MediaEvent::Heard { leg });
    let said = floor.said();
    let heard = said.iter().filter(|event| matches!(event, MediaEvent::Heard { .. })).count();
    assert_eq!(heard, 2, "once, and again after the silence: {said:?}");
}

#[test]
fn i33_a_peer_that_never_sends_is_reported_within_seconds_and_one_that_sends_is_not() {
    let mut floor = Floor::open(1, 4);
    let mut caller = floor.phone(Codec::Pcma);
    let agent = floor.phone(Codec::Pcma);
    let bridge = floor.bridge();
    floor.join(bridge, &[&caller, &agent]);
    // The agent hears comfort noise or the caller: its socket paces the caller's speech.
    let leg = agent.leg;
    for _ in 0..80 {
        caller.say(1_000.0);
        let _ = floor.events.recv_timeout(Duration::from_millis(20)).map(|event| floor.seen.push(event));
    }
    let silent = |legs: LegId| move |event: &MediaEvent| matches!(event, MediaEvent::Silent { leg, .. } if *leg == legs);
    assert!(floor.seen.iter().any(silent(leg)), "{:?}", floor.seen);
    assert!(!floor.seen.iter().any(silent(caller.leg)), "{:?}", floor.seen);
}

#[test]
fn a_test_call_hears_itself() {
    let mut floor = Floor::open(1, 2);
    let mut caller = floor.phone(Codec::Pcma);
    floor.play(&caller, Program::Echo);
    let mut heard = Vec::new();
    for _ in 0..20 {
        caller.say(600.0);
        heard.extend(caller.hear().map(|packet| packet.samples()).unwrap_or_default());
    }
    assert!(tone::share(&heard[heard.len() - 5 * FRAME..], 600.0) > 0.9);
}

#[test]
fn who_is_left_alone_hears_comfort_noise_in_the_same_stream() {
    let mut floor = Floor::open(1, 4);
    let (caller, mut agent) = (floor.phone(Codec::Pcma), floor.phone(Codec::Pcma));
    floor.play(&caller, Program::RingBack);
    let mut heard = vec![caller.hear().expect("ring-back")];
    let bridge = floor.bridge();
    floor.join(bridge, &[&agent]);
    floor.joined(bridge, &caller);
    while tone::share(&heard.last().unwrap().samples(), 700.0) < 0.9 {
        agent.say(700.0);
        heard.push(caller.hear().expect("the agent"));
    }
    floor.plane.send(MediaCommand::Close { leg: agent.leg });
    for _ in 0..10 {
        heard.push(caller.hear().expect("comfort noise"));
    }
    assert!(tone::level(&heard.last().unwrap().samples()) < -50.0);
    for pair in heard.windows(2) {
        assert_eq!(pair[1].ssrc, pair[0].ssrc);
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1), "a hole in our own stream");
    }
}

#[test]
fn a_peer_that_says_where_it_is_before_it_speaks_is_heard_without_noise_over_it() {
    let mut floor = Floor::open(1, 4);
    let (caller, mut mute) = (floor.phone(Codec::Pcma), floor.phone(Codec::Pcma));
    let bridge = floor.bridge();
    floor.join(bridge, &[&mute]);
    floor.joined(bridge, &caller);
    let is_noise = |packet: Packet| tone::level(&packet.samples()) < -50.0;
    while !caller.hear().is_some_and(is_noise) {}
    // Nothing has been heard of it, and it agrees anew: where it listens, or that it sends nothing for now.
    for receive in [true, false, true] {
        let nobody = UdpSocket::bind((HERE, 0)).unwrap();
        let stream = Stream { remote: Some(nobody.local_addr().unwrap()), receive, ..mute.stream };
        floor.plane.send(MediaCommand::Update { leg: mute.leg, stream });
        floor.obeyed(mute.port, stream);
        while !caller.hear().is_some_and(is_noise) {}
    }
    mute.say(700.0);
    while caller.hear().is_some_and(is_noise) {}
    // Far less than the pause after which there is noise again.
    caller.socket.set_read_timeout(Some(Duration::from_millis(60))).unwrap();
    assert!(caller.hear().is_none(), "its voice, and nothing beside");
    caller.socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    assert!(caller.hear().is_some_and(is_noise), "and it has stopped");
}

#[test]
fn a_peer_on_hold_is_sent_nothing_and_its_announcement_waits() {
    let mut floor = Floor::open(1, 2);
    let caller = floor.phone(Codec::Pcma);
    let held = Stream { send: false, ..caller.stream };
    floor.plane.send(MediaCommand::Update { leg: caller.leg, stream: held });
    floor.play(&caller, Program::Hold { announce: vec!["confirm".into()], hold: "hold".into() });
    assert!(caller.hear().is_none());
    floor.plane.send(MediaCommand::Update { leg: caller.leg, stream: caller.stream });
    let confirm = Sounds::embedded().sound("confirm").unwrap().frame(Codec::Pcma, 0).to_vec();
    assert_eq!(caller.hear().expect("the announcement").payload, confirm);
}

#[test]
fn what_is_not_audio_is_counted_and_goes_nowhere() {
    let mut floor = Floor::open(1, 4);
    let (mut caller, mut agent) = (floor.phone(Codec::Pcma), floor.phone(Codec::Pcma));
    let bridge = floor.bridge();
    floor.join(bridge, &[&caller, &agent]);
    let (_, at_agent) = converse(&mut caller, 1_000.0, &mut agent, 700.0);
    assert!(at_agent > 0.9);
    let mut seed = 1u32;
    for length in 0..200usize {
        let mut noise: Vec<u8> = (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect();
        if let Some(first) = noise.first_mut() {
            // Every combination of version, padding, extension and sources; never plain RTP.
            *first = (length as u8) | 0x20;
        }
        caller.socket.send_to(&noise, caller.port.rtp).unwrap();
    }
    caller.socket.send_to(&[0x80; 9_000], caller.port.rtp).unwrap();
    let stranger = UdpSocket::bind((HERE, 0)).unwrap();
    stranger
        .send_to(&[&[0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9][..], &[0xD5; 160]].concat(), caller.port.rtp)
        .unwrap();
    let (at_caller, at_agent) = converse(&mut caller, 1_000.0, &mut agent, 700.0);
    assert!(at_caller > 0.9 && at_agent > 0.9, "{at_caller} {at_agent}");
    assert!(floor.figures(|figures| figures.packets_dropped > 20).packets_dropped > 20);
}

#[test]
fn a_command_that_makes_no_sense_is_refused_by_name() {
    let mut floor = Floor::open(1, 4);
    let phone = floor.phone(Codec::Pcma);
    let (leg, nobody) = (phone.leg, LegId { centre: CentreId(0), serial: Serial(999) });
    let mut refused = |command| {
        floor.plane.send(command);
        match floor.wait(|event| matches!(event, MediaEvent::Refused { .. })) {
            MediaEvent::Refused { leg: Some(leg), why } => (leg, why),
            event => unreachable!("waited for {event:?}"),
        }
    };
    let open = |leg, port| MediaCommand::Open { leg, port, stream: phone.stream };
    assert_eq!(refused(MediaCommand::Leave { leg: nobody }), (nobody, "there is no such leg".into()));
    assert_eq!(refused(open(leg, phone.port)), (leg, "the leg is open already".into()));
    assert_eq!(refused(open(nobody, phone.port)), (nobody, "the port is not one of the stock".into()));
    let program = Program::Hold { announce: vec![], hold: "polka".into() };
    let (who, why) = refused(MediaCommand::Play { leg, program });
    assert_eq!((who, why.as_str()), (leg, "no sound is named `polka`"));
    assert!(phone.hear().is_some(), "an unknown sound leaves comfort noise, not silence");
}

#[test]
fn a_plane_without_a_port_does_not_start() {
    let start = |bind: &str, ports| {
        let bind = bind.parse().unwrap();
        let config = PlaneConfig { bind, advertised: vec![HERE], ports, threads: 1, stock: 4, page_port: 0 };
        Plane::start(config, Sounds::embedded(), |_| {}).map(drop)
    };
    assert!(matches!(start("127.0.0.1", 30_001..=30_002), Err(PlaneError::NoPort { .. })));
    assert!(matches!(start("192.0.2.1", ports(8)), Err(PlaneError::Port { .. })));
}

#[test]
fn what_peers_are_told_differs_from_what_is_bound() {
    let (told, events) = channel();
    let both: [IpAddr; 2] = ["203.0.113.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
    let (ports, advertised) = (ports(20), both.to_vec());
    let config = PlaneConfig { bind: HERE, advertised, ports, threads: 2, stock: 6, page_port: 0 };
    let _plane = Plane::start(config, Sounds::embedded(), move |event| drop(told.send(event))).unwrap();
    let MediaEvent::Ports(ports) = events.recv().unwrap() else { panic!("ports first") };
    assert_eq!(ports.len(), 6);
    for (n, port) in ports.iter().enumerate() {
        assert_eq!(port.rtp.ip(), HERE);
        for (peer, told) in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"].into_iter().zip([0, 1, 0]) {
            let peer = peer.parse().unwrap();
            assert_eq!(port.told_to(peer), SocketAddr::new(both[told], port.rtp.port()));
            assert!(port.serves(peer));
        }
        assert_eq!(port.rtp.port() % 2, 0);
        assert_eq!(usize::from(port.thread), n % 2, "threads in turn");
    }
}
