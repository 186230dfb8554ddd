//! What the media plane costs, measured through loopback: CPU per waiting caller and per relayed
//! packet. Run it with `cargo run --release --example media_cost -- [waiting] [calls] [seconds]`.
//!
//! The plane's threads report their own CPU time, so the phones played here do not count. On
//! loopback the kernel's work for delivering a datagram is charged to its sender: what the plane
//! sends costs it a little more than on a wire, what it is sent a little less.

use bandeau::media::plane::{Figures, Plane, PlaneConfig};
use bandeau::media::sound::Sounds;
use bandeau::media::sys;
use engine::id::{BridgeId, CentreId, LegId, Serial};
use engine::media::{Codec, MediaCommand, MediaEvent, MediaPort, Program, Stream};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FRAME_TIME: u64 = 20_000_000;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let mut argument = |default| arguments.next().and_then(Result::ok).unwrap_or(default);
    let (waiting, calls, seconds) = (argument(500), argument(100), argument(5));
    waiting_callers(waiting, seconds, false);
    waiting_callers(waiting, seconds, true);
    bridged_calls(calls, seconds);
}

struct Phones {
    plane: Plane,
    events: Receiver<MediaEvent>,
    stock: Vec<MediaPort>,
    phones: Vec<(UdpSocket, MediaPort, LegId)>,
}

fn phones(count: usize) -> Phones {
    let (told, events) = channel();
    let config = PlaneConfig {
        bind: HERE,
        advertised: vec![HERE],
        ports: 20_000..=31_999,
        threads: 1,
        stock: count.max(64),
        page_port: 0,
    };
    let plane = Plane::start(config, Sounds::embedded(), move |event| drop(told.send(event))).expect("ports");
    let mut phones = Phones { plane, events, stock: Vec::new(), phones: Vec::new() };
    for serial in 0..count {
        while phones.stock.is_empty() {
            match phones.events.recv_timeout(Duration::from_secs(5)).expect("ports") {
                MediaEvent::Ports(ports) => phones.stock.extend(ports),
                event => println!("{event:?}"),
            }
        }
        let port = phones.stock.remove(0);
        let socket = UdpSocket::bind((HERE, 0)).expect("a port for a phone");
        socket.set_nonblocking(true).expect("an open socket");
        sys::keep_received(&socket, 1).expect("an open socket");
        let leg = LegId { centre: CentreId(0), serial: Serial(serial as u64) };
        let stream = Stream { remote: socket.local_addr().ok(), ..Stream::of(Codec::Pcma) };
        phones.plane.send(MediaCommand::Open { leg, port, stream });
        phones.phones.push((socket, port, leg));
    }
    phones
}

/// Lets the phones speak in real time for so many seconds; the plane's figures of that time.
fn run(phones: &Phones, seconds: usize, speaking: bool) -> Figures {
    let mut packet = [0xD5u8; 172];
    packet[..12].copy_from_slice(&[0x80, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    let speak = |from: u64, frames: u64, packet: &mut [u8; 172]| {
        for frame in 0..frames {
            while sys::now() < from + frame * FRAME_TIME {
                let left = (from + frame * FRAME_TIME).saturating_sub(sys::now());
                let _ = phones.events.recv_timeout(Duration::from_nanos(left));
            }
            packet[2..4].copy_from_slice(&(frame as u16).to_be_bytes());
            packet[4..8].copy_from_slice(&(frame as u32 * 160).to_be_bytes());
            for (socket, port, _) in phones.phones.iter().filter(|_| speaking) {
                // A full buffer at the other end is no error of this side.
                let _ = socket.send_to(packet, port.rtp);
            }
        }
    };
    // The figures come once a second: two seconds to settle, then whole seconds.
    speak(sys::now(), 100, &mut packet);
    let before = phones.plane.figures();
    speak(sys::now(), 50 * seconds as u64, &mut packet);
    let after = phones.plane.figures();
    Figures {
        packets_in: after.packets_in - before.packets_in,
        packets_out: after.packets_out - before.packets_out,
        late_ticks: after.late_ticks - before.late_ticks,
        cpu: after.cpu - before.cpu,
        ..after
    }
}

fn waiting_callers(count: usize, seconds: usize, speaking: bool) {
    let phones = phones(count);
    let program = Program::Hold { announce: vec!["welcome".into()], hold: "hold".into() };
    for (_, _, leg) in &phones.phones {
        phones.plane.send(MediaCommand::Play { leg: *leg, program: program.clone() });
    }
    let figures = run(&phones, seconds, speaking);
    let cpu = figures.cpu.as_secs_f64();
    println!(
        "{count} waiting callers, {}: {:.1} packets/s each, {:.4} % of a core each, {:.2} us per packet sent; \
         {} late turns, worst {:?} late, {} send errors",
        if speaking { "speaking" } else { "silent" },
        figures.packets_out as f64 / seconds as f64 / count as f64,
        100.0 * cpu / seconds as f64 / count as f64,
        1e6 * cpu / figures.packets_out.max(1) as f64,
        figures.late_ticks,
        figures.lateness_max,
        figures.send_errors,
    );
}

fn bridged_calls(count: usize, seconds: usize) {
    let phones = phones(2 * count);
    for (n, (_, _, leg)) in phones.phones.iter().enumerate() {
        let bridge = BridgeId { centre: CentreId(0), serial: Serial(n as u64 / 2) };
        phones.plane.send(MediaCommand::Join { bridge, leg: *leg });
    }
    let figures = run(&phones, seconds, true);
    let cpu = figures.cpu.as_secs_f64();
    let per_packet = cpu / figures.packets_out.max(1) as f64;
    println!(
        "{count} bridged calls: {:.2} us per relayed packet, so {:.4} % of a core per call at 100 packets/s; \
         {} relayed, {} dropped, {} send errors",
        1e6 * per_packet,
        100.0 * 100.0 * per_packet,
        figures.packets_out,
        figures.packets_dropped,
        figures.send_errors,
    );
}
