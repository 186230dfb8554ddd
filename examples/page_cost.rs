//! What pages cost: WebRTC legs bridged to RTP callers in real time, on one packet thread.
//!
//! `cargo run --release --example page_cost [LEGS] [SECONDS]`. The browsers are another crate's, so
//! what they lose or delay is counted against the plane. Each packet carries when it was said.

#[path = "../tests/common/page.rs"]
mod page;

use bandeau::media::plane::{Plane, PlaneConfig};
use bandeau::media::rtp::FRAME_TIME;
use bandeau::media::sound::Sounds;
use bandeau::media::sys;
use engine::id::{BridgeId, CentreId, LegId, PageId, Serial};
use engine::media::{Codec, MediaCommand, MediaEvent, MediaPort, Stream};
use page::Page;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use str0m::format::Codec as Format;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SECOND: u64 = 1_000_000_000;

/// One bridged call: its page, its caller, and what each has heard.
struct Call {
    page: Page,
    caller: UdpSocket,
    port: MediaPort,
    /// When its next frame is due, on both sides.
    frame_at: u64,
    frames: u32,
    at_page: Ear,
    at_caller: Ear,
}

/// What one side hears.
#[derive(Default)]
struct Ear {
    packets: u64,
    late: Vec<u64>,
}

impl Ear {
    fn hear(&mut self, payload: &[u8], counted: bool) {
        let Some(said) = payload.first_chunk::<8>().map(|said| u64::from_be_bytes(*said)) else { return };
        if counted {
            self.packets += 1;
            self.late.push(sys::now().saturating_sub(said));
        }
    }
}

fn wait<T>(events: &Receiver<MediaEvent>, mut wanted: impl FnMut(MediaEvent) -> Option<T>) -> T {
    loop {
        let event = events.recv_timeout(Duration::from_secs(10)).expect("the plane answers");
        if let Some(found) = wanted(event) {
            return found;
        }
    }
}

fn calls(plane: &Plane, events: &Receiver<MediaEvent>, count: usize) -> Vec<Call> {
    let mut stock: Vec<MediaPort> = Vec::new();
    let mut calls = Vec::new();
    for serial in 0..count as u64 {
        let name = |offset: u64| (CentreId(0), Serial(3 * serial + offset));
        let (centre, serial) = name(0);
        let id = PageId { centre, serial };
        let (mut page, offer) = Page::open(Format::PCMA);
        plane.send(MediaCommand::PageOpen { page: id, offer });
        let answer = wait(events, |event| match event {
            MediaEvent::PageAnswered { answer, .. } => Some(answer),
            MediaEvent::Ports(ports) => {
                stock.extend(ports);
                None
            }
            _ => None,
        });
        page.answer(&answer);
        while stock.is_empty() {
            stock.extend(wait(events, |event| match event {
                MediaEvent::Ports(ports) => Some(ports),
                _ => None,
            }));
        }
        let port = stock.remove(0);
        let caller = UdpSocket::bind((HERE, 0)).expect("a port for a caller");
        caller.set_nonblocking(true).expect("an open socket");
        let stream = Stream { remote: caller.local_addr().ok(), ..Stream::of(Codec::Pcma) };
        let legs = [1, 2].map(|offset| LegId { centre, serial: name(offset).1 });
        let bridge = BridgeId { centre, serial };
        plane.send(MediaCommand::Open { leg: legs[0], port, stream });
        plane.send(MediaCommand::OpenOnPage { leg: legs[1], page: id });
        for leg in legs {
            plane.send(MediaCommand::Join { bridge, leg });
        }
        let (at_page, at_caller) = (Ear::default(), Ear::default());
        calls.push(Call { page, caller, port, frame_at: 0, frames: 0, at_page, at_caller });
        // Those who are there already must not seem gone.
        calls.iter_mut().for_each(|call: &mut Call| call.page.turn());
    }
    let from = sys::now();
    while let waiting @ 1.. = calls.iter().filter(|call| !call.page.is_connected()).count() {
        assert!(sys::now() < from + 10 * SECOND, "{waiting} pages never stood");
        calls.iter_mut().for_each(|call| call.page.turn());
    }
    println!("{count} pages stand {:.2} s after the last offer", (sys::now() - from) as f64 / 1e9);
    calls
}

/// One look at a call: what has come, and a frame of each side when it is due.
fn turn(call: &mut Call, counted: bool) {
    call.page.turn();
    for heard in call.page.heard.drain(..) {
        call.at_page.hear(&heard.payload, counted);
    }
    let mut packet = [0xD5; 172];
    while let Ok(length) = call.caller.recv(&mut packet) {
        call.at_caller.hear(&packet[12..length.max(12)], counted);
    }
    if sys::now() < call.frame_at {
        return;
    }
    call.frame_at += FRAME_TIME;
    call.frames += 1;
    let timestamp = call.frames.wrapping_mul(160);
    let mut packet = [0xD5; 172];
    packet[..12].copy_from_slice(&[0x80, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    packet[2..4].copy_from_slice(&(call.frames as u16).to_be_bytes());
    packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
    packet[12..20].copy_from_slice(&sys::now().to_be_bytes());
    // A full buffer at the other end is no error of this side.
    let _ = call.caller.send_to(&packet, call.port.advertised);
    packet[12..20].copy_from_slice(&sys::now().to_be_bytes());
    call.page.send(8, timestamp, &packet[12..]);
}

fn run(calls: &mut [Call], seconds: u64, counted: bool) {
    let until = sys::now() + seconds * SECOND;
    while sys::now() < until {
        for call in calls.iter_mut() {
            turn(call, counted);
        }
    }
}

fn report(name: &str, ears: &mut [&mut Ear], seconds: u64) {
    let slowest = ears.iter().map(|ear| ear.packets).min().unwrap_or(0) as f64 / seconds as f64;
    let mut late: Vec<u64> = ears.iter_mut().flat_map(|ear| ear.late.drain(..)).collect();
    late.sort_unstable();
    let at = |share: f64| {
        let place = ((late.len() as f64 * share) as usize).min(late.len().saturating_sub(1));
        late.get(place).map_or(0.0, |late| *late as f64 / 1e3)
    };
    println!(
        "{name}: {} packets, the slowest leg {slowest:.2} a second; latency p50 {:.0} us, p99 {:.0} us, worst {:.0} us",
        late.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1).map_while(|argument| argument.parse::<u64>().ok());
    let (count, seconds) = (arguments.next().unwrap_or(100), arguments.next().unwrap_or(60));
    let (told, events) = channel();
    let config = PlaneConfig {
        bind: HERE,
        advertised: vec![HERE],
        ports: 20_000..=31_999,
        threads: 1,
        stock: 64,
        page_port: 0,
    };
    let plane = Plane::start(config, Sounds::embedded(), move |event| drop(told.send(event))).expect("ports");
    let mut calls = calls(&plane, &events, count as usize);
    let from = sys::now();
    for (n, call) in calls.iter_mut().enumerate() {
        // Browsers and callers do not speak in step.
        call.frame_at = from + FRAME_TIME * n as u64 / count;
    }
    run(&mut calls, 3, false);
    // While the calls were set up, the first of them had nobody to hear yet.
    events.try_iter().for_each(drop);
    let before = plane.figures();
    run(&mut calls, seconds, true);
    let after = plane.figures();
    let cpu = (after.cpu - before.cpu).as_secs_f64();
    let lost = events
        .try_iter()
        .filter(|event| matches!(event, MediaEvent::PageDown { .. } | MediaEvent::Silent { .. }))
        .count();
    println!(
        "{count} pages bridged to callers for {seconds} s: {:.3} % of a core per call, {:.2} us per packet sent; \
         {} sent, {} dropped, {} send errors, {lost} pages or legs lost",
        100.0 * cpu / seconds as f64 / count as f64,
        1e6 * cpu / (after.packets_out - before.packets_out).max(1) as f64,
        after.packets_out - before.packets_out,
        after.packets_dropped - before.packets_dropped,
        after.send_errors - before.send_errors,
    );
    // A delay that is not here is the far end's, or the machine's: all of them share its cores.
    println!(
        "the plane's own wheel: {} turns more than 10 ms late, the worst {:.1} ms late since the start",
        after.late_ticks - before.late_ticks,
        after.lateness_max.as_secs_f64() * 1e3
    );
    report("at the pages", &mut calls.iter_mut().map(|call| &mut call.at_page).collect::<Vec<_>>(), seconds);
    report(
        "at the callers",
        &mut calls.iter_mut().map(|call| &mut call.at_caller).collect::<Vec<_>>(),
        seconds,
    );
}
