//! A plane with real sockets on loopback, and phones that speak tones and listen.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use bandeau::media::g711::{self, FRAME};
use bandeau::media::plane::{Figures, Plane, PlaneConfig};
use bandeau::media::sound::Sounds;
use bandeau::media::{sys, tone};
use engine::id::{BridgeId, CentreId, LegId, Serial};
use engine::media::{Codec, MediaCommand, MediaEvent, MediaPort, Program, Stream};
use rtp_rs::{RtpPacketBuilder, RtpReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The loopback of the other family, where the machine has one; a test that goes without says so.
pub fn six() -> Option<IpAddr> {
    let six = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let has = UdpSocket::bind((six, 0)).is_ok();
    if !has {
        eprintln!("this machine has no ::1: nothing is shown of IPv6 here");
    }
    has.then_some(six)
}

/// Longer than anything here takes; only a failure waits for it.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// Ports for one plane. Tests, and other people's, run side by side: each looks elsewhere first,
/// and a plane passes over what is taken.
pub fn ports(count: u16) -> RangeInclusive<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let place = NEXT.fetch_add(1, Ordering::Relaxed);
    let from = 10_000 + (std::process::id() as u16 % 40 * 500) + place * 160 % 20_000;
    let from = from + from % 2;
    from..=from + count - 1
}

/// A plane, what it said, and names for legs and conversations.
pub struct Floor {
    pub plane: Plane,
    pub events: Receiver<MediaEvent>,
    pub seen: Vec<MediaEvent>,
    pub stock: Vec<MediaPort>,
    pub serial: Serial,
}

impl Floor {
    pub fn open(threads: usize, stock: usize) -> Floor {
        Floor::open_on(HERE, &[HERE], threads, stock)
    }

    /// The same, bound here and told of so.
    pub fn open_on(bind: IpAddr, advertised: &[IpAddr], threads: usize, stock: usize) -> Floor {
        let (told, events) = channel();
        // Somebody else's test may sit on a whole range: the next one is looked at then.
        let start = |_| {
            let (ports, told) = (ports(150), told.clone());
            let advertised = advertised.to_vec();
            let config = PlaneConfig { bind, advertised, ports, threads, stock, page_port: 0 };
            Plane::start(config, Sounds::embedded(), move |event| drop(told.send(event))).ok()
        };
        let plane = (0..8).find_map(start).expect("150 ports nobody sits on");
        let mut floor = Floor { plane, events, seen: Vec::new(), stock: Vec::new(), serial: Serial(1) };
        let MediaEvent::Ports(stock) = floor.events.try_recv().expect("ports before start returns") else {
            panic!("the first event names the ports");
        };
        floor.stock = stock;
        floor
    }

    /// A phone whose leg is open.
    pub fn phone(&mut self, codec: Codec) -> Phone {
        let thread = self.stock[0].thread;
        self.phone_on(thread, codec)
    }

    pub fn phone_on(&mut self, thread: u16, codec: Codec) -> Phone {
        self.phone_at(HERE, thread, codec)
    }

    /// A phone at an address of its own.
    pub fn phone_at(&mut self, ip: IpAddr, thread: u16, codec: Codec) -> Phone {
        while !self.stock.iter().any(|port| port.thread == thread) {
            self.wait(|event| matches!(event, MediaEvent::Ports(_)));
        }
        let place = self.stock.iter().position(|port| port.thread == thread).unwrap();
        let port = self.stock.remove(place);
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let leg = LegId { centre: CentreId(0), serial: self.serial.take() };
        let stream = Stream {
            remote: Some(socket.local_addr().unwrap()),
            telephone_event: Some(if codec == Codec::Pcma { 101 } else { 96 }),
            ..Stream::of(codec)
        };
        self.plane.send(MediaCommand::Open { leg, port, stream });
        self.obeyed(port, stream);
        Phone { socket, leg, port, stream, sequence: 65_530, ssrc: 7 + leg.serial.0 as u32 }
    }

    /// Waits until the thread of a port has obeyed all it was told: it refuses to open a port that
    /// is in use, and packets sent from here on find their leg open.
    pub fn obeyed(&mut self, port: MediaPort, stream: Stream) {
        let leg = LegId { centre: CentreId(9), serial: self.serial.take() };
        self.plane.send(MediaCommand::Open { leg, port, stream });
        self.plane.send(MediaCommand::Close { leg });
        for _ in 0..2 {
            self.wait(
                |event| matches!(event, MediaEvent::Refused { leg: Some(refused), .. } if *refused == leg),
            );
        }
    }

    /// Joins, and waits until it is done, on whatever thread: only a leg in a conversation refuses
    /// to be played something.
    pub fn joined(&mut self, bridge: BridgeId, phone: &Phone) {
        self.join(bridge, &[phone]);
        self.play(phone, Program::Silence);
        self.wait(|event| matches!(event, MediaEvent::Refused { leg: Some(leg), .. } if *leg == phone.leg));
    }

    pub fn bridge(&mut self) -> BridgeId {
        BridgeId { centre: CentreId(0), serial: self.serial.take() }
    }

    pub fn join(&self, bridge: BridgeId, phones: &[&Phone]) {
        for phone in phones {
            self.plane.send(MediaCommand::Join { bridge, leg: phone.leg });
        }
    }

    pub fn play(&self, phone: &Phone, program: Program) {
        self.plane.send(MediaCommand::Play { leg: phone.leg, program });
    }

    /// Waits for an event; what came before it is kept in `seen`.
    pub fn wait(&mut self, wanted: impl Fn(&MediaEvent) -> bool) -> MediaEvent {
        loop {
            let event = self.events.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                panic!("the event never came; there were {:?}", self.seen);
            });
            if let MediaEvent::Ports(ports) = &event {
                self.stock.extend(ports);
            }
            self.seen.push(event.clone());
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Everything it said, up to its end: it stops after it has obeyed all it was told.
    pub fn said(mut self) -> Vec<MediaEvent> {
        self.plane.stop();
        self.seen.extend(self.events.try_iter());
        self.seen
    }

    /// Its figures, once they hold what is wanted; they come once a second.
    pub fn figures(&self, wanted: impl Fn(&Figures) -> bool) -> Figures {
        let until = sys::now() + PATIENCE.as_nanos() as u64;
        loop {
            let figures = self.plane.figures();
            if wanted(&figures) || sys::now() > until {
                return figures;
            }
            let _ = self.events.recv_timeout(Duration::from_millis(20));
        }
    }
}

/// A peer of the plane: a telephone of its own.
pub struct Phone {
    pub socket: UdpSocket,
    pub leg: LegId,
    pub port: MediaPort,
    pub stream: Stream,
    pub sequence: u16,
    pub ssrc: u32,
}

/// A packet as a phone reads it.
pub struct Packet {
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: Vec<u8>,
    /// What its number stands for, when it is audio.
    codec: Option<Codec>,
}

impl Packet {
    pub fn samples(&self) -> Vec<i16> {
        let Some(codec) = self.codec else { return Vec::new() };
        self.payload.iter().map(|byte| g711::decode(codec, *byte)).collect()
    }
}

impl Phone {
    pub fn send(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) {
        let builder = RtpPacketBuilder::new().payload_type(payload_type).ssrc(self.ssrc);
        let builder = builder.sequence(self.sequence.into()).timestamp(timestamp).payload(payload);
        let to = self.port.told_to(self.socket.local_addr().unwrap().ip());
        self.socket.send_to(&builder.build().unwrap(), to).unwrap();
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// Says one frame of a tone.
    pub fn say(&mut self, hz: f64) {
        let samples = tone::sine(hz, 8_000, FRAME);
        let payload: Vec<u8> =
            samples.iter().map(|sample| g711::encode(self.stream.codec, *sample)).collect();
        let timestamp = u32::from(self.sequence).wrapping_mul(160);
        self.send(self.stream.payload_type(), timestamp, &payload);
    }

    /// The next packet, or nothing for 200 ms.
    pub fn hear(&self) -> Option<Packet> {
        let mut buffer = [0; 2_048];
        let length = self.socket.recv(&mut buffer).ok()?;
        let reader = RtpReader::new(&buffer[..length]).expect("what the plane sends is RTP");
        let named = Some(reader.payload_type()) == self.stream.dynamic;
        Some(Packet {
            codec: if named { Some(self.stream.codec) } else { g711::codec_of(reader.payload_type()) },
            payload_type: reader.payload_type(),
            marker: reader.mark(),
            sequence: reader.sequence_number().into(),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
            payload: reader.payload().to_vec(),
        })
    }
}

/// Two phones speak 30 frames to each other, a tone each; the share of the other's tone that each
/// hears at the end.
pub fn converse(one: &mut Phone, one_hz: f64, other: &mut Phone, other_hz: f64) -> (f64, f64) {
    let (mut at_one, mut at_other) = (Vec::new(), Vec::new());
    for phone in [&one, &other] {
        // What they heard before is not of this conversation.
        phone.socket.set_nonblocking(true).unwrap();
        while phone.hear().is_some() {}
        phone.socket.set_nonblocking(false).unwrap();
    }
    for _ in 0..30 {
        one.say(one_hz);
        other.say(other_hz);
        at_other.extend(other.hear().map(|packet| packet.samples()).unwrap_or_default());
        at_one.extend(one.hear().map(|packet| packet.samples()).unwrap_or_default());
    }
    let end = |heard: &[i16], hz| tone::share(&heard[heard.len().saturating_sub(5 * FRAME)..], hz);
    (end(&at_one, other_hz), end(&at_other, one_hz))
}
