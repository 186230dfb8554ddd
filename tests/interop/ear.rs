//! The audio of a peer that has none of its own (SIPp): says the callers' tone, and keeps what it hears with
//! the time it came.
#![allow(clippy::disallowed_methods, reason = "a peer outside the engine has a clock of its own")]

use bandeau::load::tone::{CALLER_HZ, FRAME, PHONE_HZ, Speech};
use bandeau::media::g711;
use bandeau::media::tone::{level, share};
use engine::media::Codec;
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;
use sip::sdp::Sdp;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What is listened to at once: 100 ms.
const WINDOW: usize = 5 * FRAME;

/// Sound, as against a line that is only up: dB below the loudest square wave.
const SOUND: f64 = -50.0;

/// Samples, and when they came.
type Heard = Arc<Mutex<Vec<(Instant, Vec<i16>)>>>;

pub(crate) struct Ear {
    pub(crate) port: u16,
    /// The number by which it says and hears A-law.
    pub(crate) payload_type: u8,
    heard: Heard,
    cipher: Keys,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What it seals and opens with, once it talks enciphered.
type Keys = Arc<Mutex<Option<[Context; 2]>>>;

impl Ear {
    /// Says what callers say.
    pub(crate) fn open() -> Ear {
        Ear::of(CALLER_HZ, 8)
    }

    /// Says this tone, and is sent A-law by this number and no other.
    pub(crate) fn of(hertz: f64, payload_type: u8) -> Ear {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let port = socket.local_addr().unwrap().port();
        let (heard, over) = (Heard::default(), Arc::new(AtomicBool::new(false)));
        let cipher = Keys::default();
        let (keeps, ends, keys) = (Arc::clone(&heard), Arc::clone(&over), Arc::clone(&cipher));
        let thread = std::thread::spawn(move || talk(&socket, (hertz, payload_type), &keeps, &keys, &ends));
        Ear { port, payload_type, heard, cipher, over, thread: Some(thread) }
    }

    /// Enciphers from here on with the first `a=crypto` line, and hears what is enciphered with the second.
    pub(crate) fn encipher(&self, ours: &str, theirs: &str) {
        let contexts = [ours, theirs].map(|line| {
            let text = format!("v=0\r\nm=audio 4000 RTP/SAVP 8\r\n{line}\r\n");
            let key = Sdp::read(text.as_bytes()).unwrap().media[0].crypto[0].key;
            let (master, salt) = key.0[..30].split_at(16);
            let provider = rtc_crypto::default_provider().unwrap();
            let profile = ProtectionProfile::Aes128CmHmacSha1_80;
            Context::new(master, salt, profile, None, None, provider.crypto()).unwrap()
        });
        *self.cipher.lock().unwrap() = Some(contexts);
    }

    /// What came last, 100 ms of it; empty when nothing has come for as long.
    fn last(&self) -> Vec<i16> {
        let heard = self.heard.lock().unwrap();
        let fresh = heard.last().is_some_and(|(at, _)| at.elapsed() < Duration::from_millis(150));
        let last = heard.iter().rev().take(WINDOW / FRAME).rev().filter(|_| fresh);
        last.flat_map(|(_, samples)| samples.iter().copied()).collect()
    }

    /// True while a desk phone's tone is what it hears.
    pub(crate) fn hears_phone(&self) -> bool {
        self.hears(PHONE_HZ)
    }

    /// True while this tone is what it hears.
    pub(crate) fn hears(&self, hertz: f64) -> bool {
        let last = self.last();
        last.len() == WINDOW && share(&last, hertz) > 0.8
    }

    /// True while it hears something that is no phone: the queue's sound.
    pub(crate) fn hears_queue(&self) -> bool {
        let last = self.last();
        last.len() == WINDOW && level(&last) > SOUND && share(&last, PHONE_HZ) < 0.1
    }

    /// Packets so far.
    pub(crate) fn packets(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn talk(
    socket: &UdpSocket,
    (hertz, payload_type): (f64, u8),
    heard: &Heard,
    cipher: &Keys,
    over: &AtomicBool,
) {
    let mut speech = Speech::tone(hertz);
    let mut peer: Option<SocketAddr> = None;
    let (mut next, mut sequence) = (Instant::now(), 0_u16);
    let mut packet = [0; 2_048];
    while !over.load(Ordering::Relaxed) {
        if let Ok((length, from)) = socket.recv_from(&mut packet) {
            peer = Some(from);
            let opened = match cipher.lock().unwrap().as_mut() {
                Some([_, theirs]) => theirs.decrypt_rtp(&packet[..length]).map(|it| it.to_vec()).ok(),
                None => Some(packet[..length].to_vec()),
            };
            if let Some(plain) = opened.filter(|it| it[1] & 0x7f == payload_type && it.len() > 12) {
                let samples = plain[12..].iter().map(|byte| g711::decode(Codec::Pcma, *byte)).collect();
                heard.lock().unwrap().push((Instant::now(), samples));
            }
        }
        if Instant::now() < next {
            continue;
        }
        next += Duration::from_millis(20);
        sequence = sequence.wrapping_add(1);
        if let Some(peer) = peer {
            let mut says = vec![0x80, payload_type];
            says.extend_from_slice(&sequence.to_be_bytes());
            says.extend_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
            says.extend_from_slice(&7_u32.to_be_bytes());
            says.extend_from_slice(&speech.frame(sip::sdp::Codec::Pcma));
            if let Some([ours, _]) = cipher.lock().unwrap().as_mut() {
                says = ours.encrypt_rtp(&says).unwrap().to_vec();
            }
            // A peer that has hung up is no error of ours.
            let _ = socket.send_to(&says, peer);
        }
    }
}
