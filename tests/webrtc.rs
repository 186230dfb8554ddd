//! The pages' audio on the media plane: browsers played by an independent crate, callers by sockets.

#[path = "common/page.rs"]
mod page;

use bandeau::media::g711::{self, FRAME};
use bandeau::media::plane::{Plane, PlaneConfig};
use bandeau::media::sound::Sounds;
use bandeau::media::{sys, tone};
use engine::id::{BridgeId, CentreId, LegId, PageId, Serial};
use engine::media::{Codec, MediaCommand, MediaEvent, MediaPort, Program, Stream};
use page::{Page, breathe};
use rtp_rs::{RtpPacketBuilder, RtpReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};
use str0m::format::Codec as Format;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const MILLISECOND: u64 = 1_000_000;
const FRAME_TIME: u64 = 20 * MILLISECOND;
/// Longer than anything here takes but what is said otherwise; only a failure waits for it.
const PATIENCE: u64 = 8_000 * MILLISECOND;
const CALLER_HZ: f64 = 1_000.0;
const PAGE_HZ: f64 = 700.0;
const COLLEAGUE_HZ: f64 = 1_500.0;

/// A plane with pages and callers who all speak in real time while something is waited for.
struct Room {
    plane: Plane,
    events: Receiver<MediaEvent>,
    seen: Vec<MediaEvent>,
    stock: Vec<MediaPort>,
    serial: Serial,
    pages: Vec<Page>,
    callers: Vec<Caller>,
    /// The page that speaks in another voice.
    colleague: Option<usize>,
    frame_at: u64,
}

/// A caller of the trunk: plain RTP.
struct Caller {
    socket: UdpSocket,
    leg: LegId,
    port: MediaPort,
    sequence: u16,
    heard: Vec<i16>,
    /// Payload types that were not audio.
    keys: Vec<(u8, Vec<u8>)>,
}

impl Caller {
    fn say(&mut self) {
        let samples = tone::sine(CALLER_HZ, 8_000, FRAME);
        let payload: Vec<u8> = samples.iter().map(|sample| g711::encode(Codec::Pcma, *sample)).collect();
        let builder = RtpPacketBuilder::new().payload_type(8).ssrc(7).sequence(self.sequence.into());
        let builder = builder.timestamp(u32::from(self.sequence).wrapping_mul(160)).payload(&payload);
        let _ = self.socket.send_to(&builder.build().unwrap(), self.port.advertised);
        self.sequence = self.sequence.wrapping_add(1);
    }

    fn listen(&mut self) {
        let mut buffer = [0; 2_048];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            let reader = RtpReader::new(&buffer[..length]).expect("what the plane sends is RTP");
            match g711::codec_of(reader.payload_type()) {
                Some(codec) => self.heard.extend(reader.payload().iter().map(|b| g711::decode(codec, *b))),
                None => self.keys.push((reader.payload_type(), reader.payload().to_vec())),
            }
        }
    }

    fn share(&self, hz: f64) -> f64 {
        tone::share(&self.heard[self.heard.len().saturating_sub(5 * FRAME)..], hz)
    }
}

impl Room {
    fn open(threads: usize) -> Room {
        Room::open_on(HERE, &[HERE], threads)
    }

    fn open_on(bind: IpAddr, advertised: &[IpAddr], threads: usize) -> Room {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let from = 42_000 + std::process::id() as u16 % 40 * 400 + NEXT.fetch_add(1, Ordering::Relaxed) * 40;
        let (told, events) = channel();
        let config = PlaneConfig {
            bind,
            advertised: advertised.to_vec(),
            ports: from..=from + 39,
            threads,
            stock: 4,
            page_port: 0,
        };
        let plane = Plane::start(config, Sounds::embedded(), move |event| drop(told.send(event))).unwrap();
        let mut room = Room {
            plane,
            events,
            seen: Vec::new(),
            stock: Vec::new(),
            serial: Serial(1),
            pages: Vec::new(),
            callers: Vec::new(),
            colleague: None,
            frame_at: sys::now(),
        };
        room.until("ports", |room| !room.stock.is_empty());
        room
    }

    fn leg(&mut self) -> LegId {
        LegId { centre: CentreId(0), serial: self.serial.take() }
    }

    fn page_id(&mut self) -> PageId {
        PageId { centre: CentreId(0), serial: self.serial.take() }
    }

    /// One step of everybody: what has come is read, and every 20 ms a frame is spoken.
    fn step(&mut self) {
        for event in self.events.try_iter() {
            if let MediaEvent::Ports(ports) = &event {
                self.stock.extend(ports);
            }
            self.seen.push(event);
        }
        let speak = sys::now() >= self.frame_at;
        if speak {
            self.frame_at += FRAME_TIME;
        }
        for (place, page) in self.pages.iter_mut().enumerate() {
            page.turn();
            if speak && page.is_connected() {
                page.say(if self.colleague == Some(place) { COLLEAGUE_HZ } else { PAGE_HZ });
            }
        }
        for caller in &mut self.callers {
            caller.listen();
            if speak {
                caller.say();
            }
        }
        breathe();
    }

    /// Steps until it is so; how long that took, in milliseconds.
    #[track_caller]
    fn until(&mut self, what: &str, wanted: impl Fn(&Room) -> bool) -> u64 {
        self.within(PATIENCE, what, wanted)
    }

    #[track_caller]
    fn within(&mut self, patience: u64, what: &str, wanted: impl Fn(&Room) -> bool) -> u64 {
        let from = sys::now();
        while !wanted(self) {
            assert!(sys::now() < from + patience, "{what} never came; there were {:?}", self.seen);
            self.step();
        }
        (sys::now() - from) / MILLISECOND
    }

    fn wait(&mut self, milliseconds: u64) {
        let until = sys::now() + milliseconds * MILLISECOND;
        while sys::now() < until {
            self.step();
        }
    }

    fn count(&self, wanted: impl Fn(&MediaEvent) -> bool) -> usize {
        self.seen.iter().filter(|event| wanted(event)).count()
    }

    fn has(&self, event: &MediaEvent) -> bool {
        self.seen.contains(event)
    }

    /// A page whose connection stands, at this place in `pages`.
    fn page(&mut self, id: PageId) -> usize {
        let (page, offer) = Page::open(Format::PCMA);
        let answers =
            self.count(|event| matches!(event, MediaEvent::PageAnswered { page, .. } if *page == id));
        let ups = self.count(|event| *event == MediaEvent::PageUp { page: id });
        self.plane.send(MediaCommand::PageOpen { page: id, offer });
        let answered =
            move |event: &&MediaEvent| matches!(event, MediaEvent::PageAnswered { page, .. } if *page == id);
        self.until("the answer", |room| room.seen.iter().filter(answered).count() > answers);
        let Some(MediaEvent::PageAnswered { answer, .. }) = self.seen.iter().rfind(answered) else {
            panic!("it was just seen");
        };
        let answer = answer.clone();
        self.pages.push(page);
        let place = self.pages.len() - 1;
        self.pages[place].answer(&answer);
        self.until("the page", |room| {
            room.count(|event| *event == MediaEvent::PageUp { page: id }) > ups
                && room.pages[place].is_connected()
        });
        place
    }

    fn caller(&mut self, thread: u16) -> usize {
        self.until("a port", |room| room.stock.iter().any(|port| port.thread == thread));
        let place = self.stock.iter().position(|port| port.thread == thread).unwrap();
        let port = self.stock.remove(place);
        let socket = UdpSocket::bind((HERE, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let leg = self.leg();
        let remote = Some(socket.local_addr().unwrap());
        let stream = Stream { remote, telephone_event: Some(96), ..Stream::of(Codec::Pcma) };
        self.plane.send(MediaCommand::Open { leg, port, stream });
        self.callers.push(Caller { socket, leg, port, sequence: 0, heard: Vec::new(), keys: Vec::new() });
        self.callers.len() - 1
    }

    fn attach(&mut self, page: PageId) -> LegId {
        let leg = self.leg();
        self.plane.send(MediaCommand::OpenOnPage { leg, page });
        leg
    }

    fn join(&mut self, legs: &[LegId]) -> BridgeId {
        let bridge = BridgeId { centre: CentreId(0), serial: self.serial.take() };
        for leg in legs {
            self.plane.send(MediaCommand::Join { bridge, leg: *leg });
        }
        bridge
    }

    /// Waits until a page and a caller hear each other, and nobody else; milliseconds.
    #[track_caller]
    fn converse(&mut self, page: usize, caller: usize) -> u64 {
        self.pages[page].heard.clear();
        self.callers[caller].heard.clear();
        self.until("audio both ways", |room| {
            room.pages[page].heard.len() >= 5
                && room.callers[caller].heard.len() >= 5 * FRAME
                && room.pages[page].share(CALLER_HZ) > 0.9
                && room.callers[caller].share(PAGE_HZ) > 0.9
        })
    }
}

#[test]
fn i33_page_and_caller_hear_each_other_whichever_thread_the_caller_waited_on() {
    let mut room = Room::open(2);
    let id = room.page_id();
    let page = room.page(id);
    for thread in [0, 1] {
        let caller = room.caller(thread);
        let agent = room.attach(id);
        let legs = [room.callers[caller].leg, agent];
        // The caller first, as when its agent is rung before it is answered; then the other way round.
        if thread == 0 {
            room.join(&legs)
        } else {
            room.join(&[agent, legs[0]])
        };
        let took = room.converse(page, caller);
        assert!(took < 1_000, "{took} ms");
        assert!(room.has(&MediaEvent::Heard { leg: agent }), "{:?}", room.seen);
        room.plane.send(MediaCommand::Close { leg: agent });
        room.plane.send(MediaCommand::Close { leg: legs[0] });
    }
    assert_eq!(room.pages[page].handshakes, 1, "a call attaches without a handshake");
    let ssrcs = room.pages[page].heard.iter().map(|heard| heard.ssrc);
    assert_eq!(ssrcs.collect::<std::collections::BTreeSet<_>>().len(), 1, "one stream for the shift");
}

#[test]
fn i33_a_page_over_ipv4_hears_its_caller_where_both_families_are_served() {
    let six = IpAddr::V6(Ipv6Addr::LOCALHOST);
    if UdpSocket::bind((six, 0)).is_err() {
        return eprintln!("this machine has no ::1: nothing is shown of IPv6 here");
    }
    let mut room = Room::open_on(Ipv6Addr::UNSPECIFIED.into(), &[HERE, six], 1);
    let id = room.page_id();
    let page = room.page(id);
    let (caller, agent) = (room.caller(0), room.attach(id));
    let leg = room.callers[caller].leg;
    room.join(&[leg, agent]);
    room.converse(page, caller);
    let answer = room.seen.iter().find_map(|event| match event {
        MediaEvent::PageAnswered { answer, .. } => Some(answer.clone()),
        _ => None,
    });
    let answer = answer.expect("it was answered");
    for told in [" 127.0.0.1 ", " ::1 "] {
        assert!(
            answer.lines().any(|line| line.starts_with("a=candidate:") && line.contains(told)),
            "{answer}"
        );
    }
}

#[test]
fn pages_of_different_threads_hear_each_other_and_go_back_to_their_callers() {
    let mut room = Room::open(2);
    let (nour, sam) = (room.page_id(), room.page_id());
    let (nours, sams) = (room.page(nour), room.page(sam)); // the emptier thread each: one on either
    room.colleague = Some(sams);
    let mut legs = [room.attach(nour), room.attach(sam)];
    for round in 0..2 {
        room.join(&legs);
        room.pages.iter_mut().for_each(|page| page.heard.clear());
        let took = room.until("the two", |room| {
            room.pages[nours].share(COLLEAGUE_HZ) > 0.9 && room.pages[sams].share(PAGE_HZ) > 0.9
        });
        assert!(took < 1_000, "{took} ms");
        // The one that is away is reloaded in the middle of it.
        if round == 1 {
            room.pages[sams].dead = true;
            let back = room.page(sam);
            room.colleague = Some(back);
            room.until("the reloaded page", |room| room.pages[back].share(PAGE_HZ) > 0.9);
        }
        // Each takes a caller from there: one with the leg it has, one with a fresh leg at once.
        let callers = [room.caller(0), room.caller(1)];
        room.plane.send(MediaCommand::Leave { leg: legs[0] });
        room.plane.send(MediaCommand::Close { leg: legs[1] });
        legs[1] = room.attach(sam);
        let sams = room.colleague.unwrap();
        for (leg, caller) in legs.iter().zip(callers) {
            let caller = room.callers[caller].leg;
            room.join(&[caller, *leg]);
        }
        room.until("a caller each", |room| {
            room.pages[nours].share(CALLER_HZ) > 0.9
                && room.callers[callers[0]].share(PAGE_HZ) > 0.9
                && room.pages[sams].share(CALLER_HZ) > 0.9
                && room.callers[callers[1]].share(COLLEAGUE_HZ) > 0.9
        });
        for caller in callers {
            let leg = room.callers[caller].leg;
            room.plane.send(MediaCommand::Close { leg });
        }
    }
    assert_eq!(room.count(|event| matches!(event, MediaEvent::Refused { .. })), 0, "{:?}", room.seen);
}

#[test]
fn an_agent_and_a_doctor_at_pages_of_two_threads_and_a_caller_hear_each_other() {
    let mut room = Room::open(2);
    let (nour, doctor) = (room.page_id(), room.page_id());
    let (nours, doctors) = (room.page(nour), room.page(doctor));
    room.colleague = Some(doctors);
    let caller = room.caller(0);
    let legs = [room.callers[caller].leg, room.attach(nour), room.attach(doctor)];
    let bridge = room.join(&legs[..2]);
    room.converse(nours, caller);
    room.plane.send(MediaCommand::Join { bridge, leg: legs[2] });
    // Two tones of the same strength: half of what is heard is each, none of it one's own.
    let mixed = |heard: &dyn Fn(f64) -> f64, both: [f64; 2], own: f64| {
        both.iter().all(|hz| (0.3..0.7).contains(&heard(*hz))) && heard(own) < 0.05
    };
    room.until("all three", |room| {
        let page = |place: usize| move |hz| room.pages[place].share(hz);
        mixed(&|hz| room.callers[caller].share(hz), [PAGE_HZ, COLLEAGUE_HZ], CALLER_HZ)
            && mixed(&page(nours), [CALLER_HZ, COLLEAGUE_HZ], PAGE_HZ)
            && mixed(&page(doctors), [CALLER_HZ, PAGE_HZ], COLLEAGUE_HZ)
    });
    room.plane.send(MediaCommand::Close { leg: legs[1] });
    room.until("the two who are left", |room| {
        room.callers[caller].share(COLLEAGUE_HZ) > 0.9 && room.pages[doctors].share(CALLER_HZ) > 0.9
    });
    assert_eq!(room.count(|event| matches!(event, MediaEvent::Refused { .. })), 0, "{:?}", room.seen);
}

#[test]
fn a_page_closed_while_its_leg_is_away_leaves_the_other_one_undisturbed() {
    let mut room = Room::open(2);
    let (nour, sam) = (room.page_id(), room.page_id());
    let (nours, sams) = (room.page(nour), room.page(sam));
    room.colleague = Some(sams);
    let legs = [room.attach(nour), room.attach(sam)];
    room.join(&legs);
    room.until("the two", |room| room.pages[nours].share(COLLEAGUE_HZ) > 0.9);
    room.plane.send(MediaCommand::PageClose { page: sam });
    room.until("its silence", |room| room.has(&MediaEvent::Silent { leg: legs[1], seconds: 1 }));
    room.plane.send(MediaCommand::Close { leg: legs[1] });
    let caller = room.caller(1);
    let leg = room.callers[caller].leg;
    room.join(&[leg, legs[0]]);
    room.converse(nours, caller);
    assert_eq!(room.count(|event| matches!(event, MediaEvent::Refused { .. })), 0, "{:?}", room.seen);
}

#[test]
fn i33_a_planted_one_way_fault_is_seen() {
    let mut room = Room::open(1);
    let id = room.page_id();
    let page = room.page(id);
    let (caller, agent) = (room.caller(0), room.attach(id));
    // What the caller is sent goes nowhere.
    let leg = room.callers[caller].leg;
    let stream = Stream { send: false, ..Stream::of(Codec::Pcma) };
    room.plane.send(MediaCommand::Update { leg, stream });
    room.join(&[leg, agent]);
    room.until("the caller at the page", |room| room.pages[page].share(CALLER_HZ) > 0.9);
    room.wait(500);
    assert!(room.callers[caller].heard.is_empty());
}

#[test]
fn a_second_caller_is_attached_without_a_handshake_and_packets_to_nobody_are_dropped() {
    let mut room = Room::open(1);
    let id = room.page_id();
    let page = room.page(id);
    let (first, second) = (room.caller(0), room.caller(0));
    let agent = room.attach(id);
    let leg = room.callers[first].leg;
    room.join(&[leg, agent]);
    room.converse(page, first);
    room.plane.send(MediaCommand::Close { leg: agent });
    let closed = |event: &MediaEvent| matches!(event, MediaEvent::Closed { leg, received, sent, .. } if *leg == agent && *received > 4 && *sent > 4);
    room.until("the end of the leg", |room| room.count(closed) == 1);
    room.callers[first].heard.clear();
    room.wait(300);
    assert!(room.callers[first].share(PAGE_HZ) < 0.1, "the first caller is alone");
    let next = room.attach(id);
    let leg = room.callers[second].leg;
    room.join(&[leg, next]);
    let took = room.converse(page, second);
    assert!(took < 500, "{took} ms");
    assert_eq!(room.pages[page].handshakes, 1);
    let page = &room.pages[page];
    let gaps = page.heard.windows(2).filter(|two| two[1].sequence.wrapping_sub(two[0].sequence) != 1).count();
    assert_eq!(gaps, 0, "one unbroken sequence over both calls");
    assert_eq!(room.count(|event| matches!(event, MediaEvent::Refused { .. })), 0, "{:?}", room.seen);
}

#[test]
fn i35_a_reloaded_page_has_audio_both_ways_again_within_two_seconds_in_the_same_leg() {
    let mut room = Room::open(2);
    let id = room.page_id();
    let before = room.page(id);
    let (caller, agent) = (room.caller(1), room.attach(id));
    let leg = room.callers[caller].leg;
    room.join(&[leg, agent]);
    room.converse(before, caller);
    // The browser is gone without a word; the same page comes back from another port.
    room.pages[before].dead = true;
    let from = sys::now();
    let after = room.page(id);
    room.converse(after, caller);
    let took = (sys::now() - from) / MILLISECOND;
    assert!(took < 2_000, "{took} ms");
    assert_eq!(
        room.count(|event| matches!(event, MediaEvent::Closed { .. } | MediaEvent::PageDown { .. })),
        0
    );
}

#[test]
fn a_page_alone_hears_what_its_leg_is_played_at_fifty_packets_a_second() {
    let mut room = Room::open(1);
    let id = room.page_id();
    let page = room.page(id);
    let agent = room.attach(id);
    room.plane.send(MediaCommand::Play { leg: agent, program: Program::RingBack });
    room.until("ring-back", |room| room.pages[page].share(440.0) > 0.9);
    let (from, heard) = (sys::now(), room.pages[page].heard.len());
    room.wait(1_000);
    let seconds = (sys::now() - from) as f64 / 1e9;
    let rate = (room.pages[page].heard.len() - heard) as f64 / seconds;
    assert!((48.0..=52.0).contains(&rate), "{rate} packets a second");
    // Into a conversation where nobody else is yet: comfort noise, never nothing.
    room.join(&[agent]);
    room.wait(200);
    let heard = room.pages[page].heard.len();
    room.wait(300);
    assert!(room.pages[page].heard.len() > heard + 10);
    assert!(room.pages[page].share(440.0) < 0.2);
}

#[test]
fn keys_of_a_page_reach_the_caller_under_its_own_type() {
    let mut room = Room::open(1);
    let id = room.page_id();
    let page = room.page(id);
    let (caller, agent) = (room.caller(0), room.attach(id));
    let leg = room.callers[caller].leg;
    room.join(&[leg, agent]);
    room.converse(page, caller);
    for end in [0, 0x80, 0x80] {
        room.pages[page].send(101, 160_000, &[5, end | 10, 1, 64]);
    }
    room.until("the key", |room| room.has(&MediaEvent::Digit { leg: agent, digit: '5' }));
    room.until("the key at the caller", |room| room.callers[caller].keys.len() >= 3);
    assert!(room.callers[caller].keys.iter().all(|(pt, payload)| *pt == 96 && payload[0] == 5));
}

#[test]
fn a_caller_whose_page_falls_silent_hears_comfort_noise_at_once_and_the_agent_when_he_is_back() {
    let mut room = Room::open(1);
    let id = room.page_id();
    let page = room.page(id);
    let (caller, agent) = (room.caller(0), room.attach(id));
    let leg = room.callers[caller].leg;
    room.join(&[leg, agent]);
    room.converse(page, caller);
    room.pages[page].dead = true;
    room.wait(500);
    room.callers[caller].heard.clear();
    room.wait(400);
    let heard = &room.callers[caller].heard;
    let (frames, level) = (heard.len() / FRAME, tone::level(heard));
    assert!((17..=22).contains(&frames), "{frames} frames in 400 ms");
    assert!((-75.0..-45.0).contains(&level), "{level} dBov");
    assert_eq!(room.count(|event| matches!(event, MediaEvent::Silent { .. })), 0, "before any report");
    let back = room.page(id);
    room.converse(back, caller);
}

#[test]
fn a_killed_page_is_silent_after_a_second_and_down_when_its_consent_has_run_out() {
    let mut room = Room::open(1);
    let id = room.page_id();
    let page = room.page(id);
    let (caller, agent) = (room.caller(0), room.attach(id));
    let leg = room.callers[caller].leg;
    room.join(&[leg, agent]);
    room.converse(page, caller);
    room.pages[page].dead = true;
    let took = room.until("its silence", |room| room.has(&MediaEvent::Silent { leg: agent, seconds: 1 }));
    assert!((900..1_500).contains(&took), "{took} ms");
    let down = MediaEvent::PageDown { page: id, why: "consent".into() };
    let took = took + room.within(2 * PATIENCE, "its end", |room| room.has(&down));
    assert!((11_000..15_500).contains(&took), "{took} ms");
    assert_eq!(room.count(|event| matches!(event, MediaEvent::Closed { .. })), 0, "its leg waits for it");
}

#[test]
fn a_tab_that_is_closed_is_down_at_once() {
    let mut room = Room::open(1);
    let id = room.page_id();
    let page = room.page(id);
    room.pages[page].leave();
    let down = MediaEvent::PageDown { page: id, why: "closed".into() };
    let took = room.until("its end", |room| room.has(&down));
    assert!(took < 1_000, "{took} ms");
}

#[test]
fn a_page_that_never_comes_and_an_offer_that_is_none_are_down_with_their_reason() {
    let mut room = Room::open(1);
    let ids = [room.page_id(), room.page_id(), room.page_id(), room.page_id()];
    let (_never, offer) = Page::open(Format::PCMA);
    room.plane.send(MediaCommand::PageOpen { page: ids[0], offer });
    let (_opus, offer) = Page::open(Format::Opus);
    room.plane.send(MediaCommand::PageOpen { page: ids[1], offer });
    room.plane.send(MediaCommand::PageOpen { page: ids[2], offer: "v=0\r\nnothing of the kind".into() });
    room.plane.send(MediaCommand::PageOpen { page: ids[3], offer: "a=".repeat(40_000) });
    let cut = room.page_id();
    let offer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8\r\na=rtpmap:8 PCMA/8000\r\na=mid".into();
    room.plane.send(MediaCommand::PageOpen { page: cut, offer });
    for (id, why) in [(ids[1], "no-pcma"), (ids[2], "offer"), (ids[3], "offer"), (cut, "offer")] {
        let down = MediaEvent::PageDown { page: id, why: why.into() };
        room.until(why, |room| room.has(&down));
    }
    let down = MediaEvent::PageDown { page: ids[0], why: "timeout".into() };
    room.within(2 * PATIENCE, "its end", |room| room.has(&down));
}

#[test]
fn a_page_carries_one_leg_and_its_end_leaves_the_caller_in_the_conversation() {
    let mut room = Room::open(1);
    let id = room.page_id();
    let page = room.page(id);
    let (caller, agent) = (room.caller(0), room.attach(id));
    let second = room.attach(id);
    let refused =
        |event: &MediaEvent| matches!(event, MediaEvent::Refused { leg: Some(leg), .. } if *leg == second);
    room.until("a refusal", |room| room.count(refused) == 1);
    let leg = room.callers[caller].leg;
    room.join(&[leg, agent]);
    room.converse(page, caller);
    room.plane.send(MediaCommand::PageClose { page: id });
    room.until("its silence", |room| room.has(&MediaEvent::Silent { leg: agent, seconds: 1 }));
    assert_eq!(room.count(|event| matches!(event, MediaEvent::Closed { .. })), 0);
    // Its agent hangs up, and another leg could not be opened: there is no such page.
    room.plane.send(MediaCommand::Close { leg: agent });
    room.until("its end", |room| room.count(|event| matches!(event, MediaEvent::Closed { .. })) == 1);
    let late = room.attach(id);
    let refused =
        |event: &MediaEvent| matches!(event, MediaEvent::Refused { leg: Some(leg), .. } if *leg == late);
    room.until("a refusal", |room| room.count(refused) == 1);
}

#[test]
fn strangers_who_send_to_the_pages_port_disturb_nobody() {
    let mut room = Room::open(1);
    let id = room.page_id();
    let page = room.page(id);
    let (caller, agent) = (room.caller(0), room.attach(id));
    let leg = room.callers[caller].leg;
    room.join(&[leg, agent]);
    room.converse(page, caller);
    let Some(MediaEvent::PageAnswered { answer, .. }) =
        room.seen.iter().find(|event| matches!(event, MediaEvent::PageAnswered { .. }))
    else {
        panic!("it was answered");
    };
    let value = |name: &str| answer.lines().find_map(|line| line.split_once(name)).unwrap().1.to_owned();
    let port: u16 = value("a=candidate:").split(' ').nth(5).unwrap().parse().unwrap();
    assert!(answer.contains("a=ice-lite\r\n") && answer.contains("a=setup:passive\r\n"), "{answer}");
    let ufrag = value("a=ice-ufrag:");
    let stranger = UdpSocket::bind((HERE, 0)).unwrap();
    let mut noise = 0x9E37_79B9_7F4A_7C15_u64;
    for n in 0..2_000_usize {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut datagram: Vec<u8> = (0..n % 120).map(|at| (noise >> (at % 56)) as u8).collect();
        match n % 4 {
            0 => datagram.splice(0..0, [0x80, 8]).for_each(drop),
            1 => datagram.splice(0..0, [22, 254, 253]).for_each(drop),
            2 => {
                // A check with the right name and a wrong password.
                let name = format!("{ufrag}:x");
                let mut check = vec![0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42];
                check.extend([n as u8; 12]);
                check.extend([0, 6, 0, name.len() as u8]);
                check.extend(name.bytes());
                check.resize(check.len().next_multiple_of(4), 0);
                check[3] = (check.len() - 20) as u8;
                datagram = check;
            }
            _ => {}
        }
        let _ = stranger.send_to(&datagram, (HERE, port));
        if n % 100 == 0 {
            room.step();
        }
    }
    let took = room.converse(page, caller);
    assert!(took < 1_000, "{took} ms");
    stranger.set_nonblocking(true).unwrap();
    assert!(stranger.recv(&mut [0; 100]).is_err(), "a stranger is told nothing");
    assert_eq!(room.count(|event| matches!(event, MediaEvent::PageDown { .. })), 0);
}
