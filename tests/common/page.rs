//! A browser's side of a page's audio, by a crate that shares no line with the plane's: it offers,
//! speaks a tone and keeps what it hears.

#![allow(dead_code, unreachable_pub, reason = "each user has its part of it")]

use bandeau::media::g711::{self, FRAME};
use bandeau::media::{sys, tone};
use engine::media::Codec;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::{Codec as Format, FormatParams};
use str0m::media::{Direction, Frequency, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};

/// A packet a page has heard.
pub struct Heard {
    pub payload_type: u8,
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub payload: Vec<u8>,
}

impl Heard {
    pub fn samples(&self) -> Vec<i16> {
        let Some(codec) = g711::codec_of(self.payload_type) else { return Vec::new() };
        self.payload.iter().map(|byte| g711::decode(codec, *byte)).collect()
    }
}

pub struct Page {
    rtc: Rtc,
    pub socket: UdpSocket,
    address: SocketAddr,
    mid: Mid,
    pending: Option<SdpPendingOffer>,
    due: Instant,
    sequence: u64,
    pub heard: Vec<Heard>,
    /// Handshakes it has gone through.
    pub handshakes: usize,
    pub ice: Option<IceConnectionState>,
    /// It sends nothing from here on, as a browser that was killed.
    pub dead: bool,
}

fn now() -> Instant {
    sys::instant(sys::now())
}

impl Page {
    /// A page and its offer, which holds PCMA and keys, or only Opus.
    pub fn open(format: Format) -> (Page, String) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let crypto = std::sync::Arc::new(str0m::crypto::from_feature_flags());
        let mut config = Rtc::builder().set_crypto_provider(crypto).clear_codecs().set_rtp_mode(true);
        config.codec_config().enable_pcma(format == Format::PCMA, false);
        config.codec_config().enable_opus(format == Format::Opus, false);
        let keys = FormatParams::default();
        config.codec_config().add_config(101.into(), None, Format::Tele, Frequency::EIGHT_KHZ, None, keys);
        let mut rtc = config.build(now());
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        let mut change = rtc.sdp_api();
        let mid = change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = change.apply().unwrap();
        let page = Page {
            rtc,
            socket,
            address,
            mid,
            pending: Some(pending),
            due: now(),
            sequence: 1_000,
            heard: Vec::new(),
            handshakes: 0,
            ice: None,
            dead: false,
        };
        (page, offer.to_sdp_string())
    }

    pub fn answer(&mut self, sdp: &str) {
        let answer = SdpAnswer::from_sdp_string(sdp).unwrap();
        self.rtc.sdp_api().accept_answer(self.pending.take().unwrap(), answer).unwrap();
        self.due = now();
    }

    /// Everything that has come and is due.
    pub fn turn(&mut self) {
        let mut buffer = [0; 2_048];
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            if self.dead {
                continue;
            }
            if let Ok(receive) = Receive::new(Protocol::Udp, from, self.address, &buffer[..length]) {
                self.rtc.handle_input(Input::Receive(now(), receive)).unwrap();
                self.drain();
            }
        }
        if now() >= self.due && !self.dead {
            self.rtc.handle_input(Input::Timeout(now())).unwrap();
            self.drain();
        }
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(due) => {
                    self.due = due;
                    return;
                }
                Output::Transmit(out) => {
                    // A full buffer at the other end is no error of this side.
                    let _ = self.socket.send_to(&out.contents, out.destination);
                }
                Output::Event(Event::Connected) => self.handshakes += 1,
                Output::Event(Event::IceConnectionStateChange(state)) => self.ice = Some(state),
                Output::Event(Event::RtpPacket(packet)) => self.heard.push(Heard {
                    payload_type: *packet.header.payload_type,
                    ssrc: *packet.header.ssrc,
                    sequence: packet.header.sequence_number,
                    timestamp: packet.header.timestamp,
                    payload: packet.payload.to_vec(),
                }),
                Output::Event(_) => {}
            }
        }
    }

    pub fn is_connected(&self) -> bool {
        self.rtc.is_connected()
    }

    /// Says one frame.
    pub fn send(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) {
        if self.dead {
            return;
        }
        let (mid, sequence) = (self.mid, self.sequence.into());
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(mid, None).unwrap();
        stream.write_rtp(RtpWrite::new(payload_type.into(), sequence, timestamp, now(), payload.to_vec()));
        self.sequence += 1;
        self.drain();
        // What was written leaves at the next timeout.
        self.rtc.handle_input(Input::Timeout(now())).unwrap();
        self.drain();
    }

    /// Says one frame of a tone.
    pub fn say(&mut self, hz: f64) {
        let payload: Vec<u8> =
            tone::sine(hz, 8_000, FRAME).iter().map(|sample| g711::encode(Codec::Pcma, *sample)).collect();
        self.send(8, (self.sequence as u32).wrapping_mul(160), &payload);
    }

    /// The share of a tone in the last 100 ms it heard.
    pub fn share(&self, hz: f64) -> f64 {
        let last: Vec<i16> = self.heard.iter().flat_map(Heard::samples).collect();
        tone::share(&last[last.len().saturating_sub(5 * FRAME)..], hz)
    }

    /// Ends as a tab that is closed.
    pub fn leave(&mut self) {
        self.rtc.close().unwrap();
        self.drain();
        self.dead = true;
    }
}

/// Sleeps a millisecond.
pub fn breathe() {
    std::thread::sleep(Duration::from_millis(1));
}
