//! One page's audio: an ICE-lite, DTLS-passive peer connection that carries PCMA and telephone-events
//! (RFC 8834, RFC 8445 §2.5, RFC 5764). A value: it owns no socket and reads no clock.
//!
//! A page offers once per shift; calls come and go without negotiation. A page that comes back
//! (reload, another network) gets a fresh connection with a fresh certificate, so that its browser
//! begins a handshake of its own whether or not it remembers the last one.

use crate::media::rtp::{HEADER, Header};
use bytes::{Bytes, BytesMut};
use rtc::dtls::cipher_suite::CipherSuiteId;
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::interceptor::Registry;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::interceptor_registry::configure_rtcp_reports;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_PCMA, MIME_TYPE_TELEPHONE_EVENT, MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::{SettingEngine, SettingEngineBuilder};
use rtc::peer_connection::event::RTCPeerConnectionEvent as Event;
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCPeerConnectionState as State;
use rtc::peer_connection::transport::{
    CandidateConfig, CandidateHostConfig, RTCDtlsRole, RTCDtlsTransportState, RTCIceCandidate,
};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::rtp_transceiver::RTCRtpSenderId;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use std::fmt;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// The largest offer read. A browser's audio offer is 2 to 4 kB; more is no offer of a page.
const OFFER_MAX: usize = 32_768;
/// From the offer to a connection that stands. A browser takes 70 to 250 ms; less would fail a page
/// on a poor network, more lets an agent believe for longer that calls can come.
const UP_WITHIN: Duration = Duration::from_secs(10);
/// Without consent for this long, the page's network is in doubt (RFC 7675: browsers ask every
/// 2.5 to 6 s) ..
const DOUBTED_AFTER: Duration = Duration::from_secs(6);
/// .. and for this long more, it is lost. Shorter loses pages over one lost packet; a page in a
/// conversation is missed after 1 s anyway, by its silence.
const LOST_AFTER: Duration = Duration::from_secs(6);
/// Where a browser places telephone-event at 8 kHz; its own choice stands in the answer.
const TELEPHONE_EVENT: u8 = 126;

/// Why an offer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// Longer than any page's.
    #[error("an offer of {0} bytes is no page's")]
    TooLong(usize),
    /// It has no audio in it.
    #[error("the offer has no audio")]
    NoAudio,
    /// It cannot be read, or is no offer of a browser.
    #[error("the offer cannot be read")]
    Unreadable(#[source] Error),
    /// PCMA is not in it: nothing the callers speak.
    #[error("the offer has no PCMA")]
    NoPcma,
    /// The connection could not even be tried: a fault of ours.
    #[error("the offer cannot be answered")]
    Fault,
}

impl OfferError {
    /// The code of `MediaEvent::PageDown`.
    pub fn code(&self) -> &'static str {
        match self {
            OfferError::TooLong(_) | OfferError::NoAudio | OfferError::Unreadable(_) => "offer",
            OfferError::NoPcma => "no-pcma",
            OfferError::Fault => "fault",
        }
    }
}

/// What a connection has to say, in order, until `None`.
#[derive(Debug)]
pub enum Told {
    /// A datagram must be sent.
    Send {
        /// Where to.
        to: SocketAddr,
        /// What.
        datagram: BytesMut,
    },
    /// The page was heard: a packet, deciphered.
    Heard(rtc::rtp::Packet),
    /// It stands: packets can flow both ways.
    Up,
    /// It is gone, or was never made; nothing follows. A code.
    Down(&'static str),
}

/// One peer connection.
pub struct Connection {
    peer: RTCPeerConnection,
    sender: RTCRtpSenderId,
    /// Our candidates, one of each family: what the page sends to.
    locals: Vec<SocketAddr>,
    ufrag: String,
    telephone_event: Option<u8>,
    /// Until when it must stand; `None` once it does.
    deadline: Option<Instant>,
    end: Option<End>,
}

/// The last word of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Told,
    Untold(&'static str),
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("deadline", &self.deadline)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Takes a page's offer; answers with the connection and the SDP its browser must be told. The
    /// page will find us at `locals`, one of each family at most, and hear us as `ssrc`.
    ///
    /// # Errors
    /// The offer is none, or has nothing we speak.
    pub fn answer(
        offer: &str,
        locals: &[SocketAddr],
        ssrc: u32,
        now: Instant,
    ) -> Result<(Connection, String), OfferError> {
        if offer.len() > OFFER_MAX {
            return Err(OfferError::TooLong(offer.len()));
        }
        if !offer.lines().any(|line| line.to_ascii_uppercase().starts_with("A=RTPMAP:8 PCMA/8000")) {
            return Err(if offer.contains("m=audio") { OfferError::NoPcma } else { OfferError::NoAudio });
        }
        // The offer is a stranger's text to a parser that is not ours, on a thread that others' calls
        // depend on: whatever it does there ends here.
        let tried = catch_unwind(|| negotiate(&without_candidates(offer), locals, ssrc, now));
        let (peer, sender, answer) = tried.map_err(|_| OfferError::Fault)?.map_err(OfferError::Unreadable)?;
        if !answer.lines().any(|line| line.starts_with("a=rtpmap:8 PCMA/8000")) {
            return Err(OfferError::NoPcma);
        }
        let value = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let connection = Connection {
            peer,
            sender,
            locals: locals.to_vec(),
            ufrag: value("a=ice-ufrag:").ok_or(OfferError::Fault)?,
            telephone_event: answer.lines().find_map(telephone_event),
            deadline: Some(now + UP_WITHIN),
            end: None,
        };
        Ok((connection, answer))
    }

    /// What binding requests to us begin their user name with.
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// The payload type of the page's key presses.
    pub fn telephone_event(&self) -> Option<u8> {
        self.telephone_event
    }

    /// Whether packets can flow.
    pub fn is_up(&self) -> bool {
        self.deadline.is_none() && self.end.is_none()
    }

    /// A datagram has come from the page, or from somebody who pretends.
    pub fn hear(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) {
        let same = self.locals.iter().find(|local| local.is_ipv4() == from.is_ipv4());
        let Some(local) = same.or(self.locals.first()) else { return };
        let transport = TransportContext {
            local_addr: *local,
            peer_addr: from,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = TaggedBytesMut { now, transport, message: BytesMut::from(datagram) };
        // An error is the peer's: what cannot be read is dropped, as on any network.
        let _ = self.guarded(|peer| peer.handle_read(message));
        // DTLS (RFC 7983 §7): a close_notify is told by the state alone.
        if datagram.first().is_some_and(|first| (20..64).contains(first))
            && self.dtls() == Some(RTCDtlsTransportState::Closed)
        {
            self.end("closed");
        }
    }

    /// Time has passed.
    pub fn due(&mut self, now: Instant) {
        if self.guarded(|peer| peer.handle_timeout(now)).is_some_and(|done| done.is_err()) {
            self.end("fault");
        }
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.end("timeout");
        }
    }

    /// When [`Connection::due`] is to be called if nothing else happens.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        if self.end.is_some() {
            return None;
        }
        let next = self.guarded(RTCPeerConnection::poll_timeout).flatten();
        next.into_iter().chain(self.deadline).min()
    }

    /// Says a packet to the page: RTP with the SSRC of the answer. Lost while it does not stand;
    /// false when a peer connection that stands would not have it.
    pub fn say(&mut self, packet: &[u8], now: Instant) -> bool {
        if !self.is_up() {
            return true;
        }
        let Some(header) = Header::read(packet) else { return false };
        let Some(payload) = packet.get(header.payload_at..header.payload_end) else { return false };
        let packet = rtc::rtp::Packet {
            header: rtc::rtp::header::Header {
                version: 2,
                marker: header.marker,
                payload_type: header.payload_type,
                sequence_number: header.sequence,
                timestamp: header.timestamp,
                ssrc: header.ssrc,
                ..Default::default()
            },
            payload: Bytes::copy_from_slice(payload),
        };
        let sender = self.sender;
        self.guarded(|peer| peer.rtp_sender(sender).is_some_and(|mut s| s.write_rtp(now, packet).is_ok()))
            .unwrap_or(false)
    }

    /// The next datagram after [`Connection::say`], which makes nothing else.
    pub fn poll_send(&mut self) -> Option<(SocketAddr, BytesMut)> {
        let out = self.guarded(RTCPeerConnection::poll_write).flatten()?;
        Some((out.transport.peer_addr, out.message))
    }

    /// What has come of it all, until `None`. Must be drained after every input: each answer may
    /// free the next.
    pub fn poll(&mut self) -> Option<Told> {
        loop {
            if let Some((to, datagram)) = self.poll_send() {
                return Some(Told::Send { to, datagram });
            }
            if let Some(End::Untold(why)) = self.end {
                self.end = Some(End::Told);
                return Some(Told::Down(why));
            }
            if let Some(event) = self.guarded(RTCPeerConnection::poll_event).flatten() {
                match event {
                    // It may doubt and recover many times; it stands once.
                    Event::OnConnectionStateChangeEvent(State::Connected)
                        if self.end.is_none() && self.deadline.take().is_some() =>
                    {
                        return Some(Told::Up);
                    }
                    Event::OnConnectionStateChangeEvent(State::Failed) => {
                        let dtls = self.dtls();
                        self.end(match (dtls, self.deadline) {
                            (Some(RTCDtlsTransportState::Failed), _) => "dtls",
                            (_, Some(_)) => "ice",
                            (_, None) => "consent",
                        });
                    }
                    _ => {}
                }
                continue;
            }
            match self.guarded(RTCPeerConnection::poll_read).flatten()?.message {
                RTCMessage::RtpPacket(_, packet) => return Some(Told::Heard(packet)),
                _ => continue,
            }
        }
    }

    /// Ends it from our side; what is left to be sent comes from [`Connection::poll_send`].
    pub fn close(&mut self) {
        self.end = Some(End::Told);
        let _ = self.guarded(RTCPeerConnection::close);
    }

    fn dtls(&mut self) -> Option<RTCDtlsTransportState> {
        let sender = self.sender;
        let state = self.guarded(|peer| {
            let sender = peer.rtp_sender(sender)?;
            sender.transport().map(|transport| transport.state())
        });
        state.flatten()
    }

    fn end(&mut self, why: &'static str) {
        if self.end.is_none() {
            self.end = Some(End::Untold(why));
        }
    }

    /// Runs the peer connection so that a panic in it ends this page's audio and nobody else's.
    fn guarded<T>(&mut self, act: impl FnOnce(&mut RTCPeerConnection) -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(|| act(&mut self.peer))) {
            Ok(done) => Some(done),
            Err(_) => {
                tracing::error!("a page's peer connection has panicked");
                self.end("fault");
                None
            }
        }
    }
}

/// Writes a packet that was heard as it would have come without cipher; its length.
pub fn plain(packet: &rtc::rtp::Packet, into: &mut [u8]) -> Option<usize> {
    let (header, length) = (&packet.header, HEADER + packet.payload.len());
    let into = into.get_mut(..length)?;
    into[0] = 0x80;
    into[1] = (u8::from(header.marker) << 7) | (header.payload_type & 0x7F);
    into[2..4].copy_from_slice(&header.sequence_number.to_be_bytes());
    into[4..8].copy_from_slice(&header.timestamp.to_be_bytes());
    into[8..HEADER].copy_from_slice(&header.ssrc.to_be_bytes());
    into[HEADER..].copy_from_slice(&packet.payload);
    Some(length)
}

/// The offer as the peer connection gets it. Its candidates are of no use to ICE-lite, which learns
/// where a page is from its checks, and some (mDNS names) cost a look-up; the list of events of
/// telephone-event would make it another codec than ours.
fn without_candidates(offer: &str) -> String {
    let events: Vec<String> =
        offer.lines().filter_map(telephone_event).map(|pt| format!("a=fmtp:{pt} ")).collect();
    let is_kept = |line: &&str| {
        !line.starts_with("a=candidate:")
            && !line.starts_with("a=end-of-candidates")
            && !events.iter().any(|event| line.starts_with(event.as_str()))
    };
    offer.lines().filter(is_kept).flat_map(|line| [line, "\r\n"]).collect()
}

/// The payload type of `a=rtpmap:126 telephone-event/8000`.
fn telephone_event(line: &str) -> Option<u8> {
    let (payload_type, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
    name.trim_end().eq_ignore_ascii_case("telephone-event/8000").then(|| payload_type.parse().ok())?
}

fn negotiate(
    offer: &str,
    locals: &[SocketAddr],
    ssrc: u32,
    now: Instant,
) -> Result<(RTCPeerConnection, RTCRtpSenderId, String), Error> {
    let mut media = MediaEngine::default();
    for (mime, payload_type) in [(MIME_TYPE_PCMA, 8), (MIME_TYPE_TELEPHONE_EVENT, TELEPHONE_EVENT)] {
        let codec = RTCRtpCodecParameters { rtp_codec: codec(mime), payload_type };
        media.register_codec(codec, RtpCodecKind::Audio)?;
    }
    let mut peer = RTCPeerConnectionBuilder::new()
        .with_media_engine(media)
        .with_setting_engine(settings())
        .with_interceptor_registry(configure_rtcp_reports(Registry::new()))
        .build(now)?;
    peer.set_remote_description(now, RTCSessionDescription::offer(offer.to_owned())?)?;
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
        codec: codec(MIME_TYPE_PCMA),
        ..Default::default()
    };
    let name = || String::from("call");
    let track = MediaStreamTrack::new(name(), name(), name(), RtpCodecKind::Audio, vec![coding]);
    let sender = peer.add_track(track)?;
    for local in locals {
        let candidate = CandidateHostConfig {
            base_config: CandidateConfig {
                network: String::from("udp"),
                address: local.ip().to_string(),
                port: local.port(),
                component: 1,
                ..Default::default()
            },
            ..Default::default()
        };
        // Before the answer is made: there will be no others, and the answer must carry them.
        peer.add_local_candidate(RTCIceCandidate::from(&candidate.new_candidate_host()?).to_json()?)?;
    }
    let answer = peer.create_answer(None)?;
    let sdp = answer.sdp.clone();
    peer.set_local_description(now, answer)?;
    Ok((peer, sender, sdp))
}

fn codec(mime: &str) -> RTCRtpCodec {
    RTCRtpCodec { mime_type: mime.to_owned(), clock_rate: 8_000, channels: 0, ..Default::default() }
}

fn settings() -> SettingEngine {
    SettingEngineBuilder::new()
        .with_lite(true)
        // The browser speaks first: the default costs a retransmission's time.
        .with_answering_dtls_role(RTCDtlsRole::Server)
        // The fastest first, by far on anything with AES in hardware.
        .with_srtp_protection_profiles(vec![
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
        ])
        // Our certificate is ECDSA: an RSA suite, once chosen, would never finish.
        .with_dtls_cipher_suites(vec![
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
            CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_256_Cbc_Sha,
        ])
        .with_ice_timeouts(Some(DOUBTED_AFTER), Some(LOST_AFTER), Some(Duration::from_secs(2)))
        .build()
}
