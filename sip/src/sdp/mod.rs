//! Audio sessions: what a peer offers, what we answer, what we offer (RFC 8866, RFC 3264).
//!
//! Only what a telephone call needs: one audio stream of G.711 and the keys pressed beside it.
//! Everything else a peer offers (video, other codecs) is refused line by line,
//! which is what RFC 3264 §6 asks for, and the call goes on.
//!
//! Absent: codecs that would need transcoding, ICE and DTLS (an agent's page has its own stack),
//! and the order of preference: the first G.711 codec of the offer is taken, because its sender
//! put it first.

mod crypto;
mod read;
mod session;
mod write;

pub use crypto::{Crypto, Key, KeyName, KeySource, OurKeys, Suite};
pub use session::{Cipher, Session, Wish};
pub use write::{answer, offer};

pub(crate) use crypto::unbase64;

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// The two codecs every trunk speaks (RFC 3551 §4.5.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// G.711 A-law.
    Pcma,
    /// G.711 mu-law.
    Pcmu,
}

impl Codec {
    /// The static payload type (RFC 3551 §6).
    pub fn payload_type(self) -> u8 {
        match self {
            Codec::Pcma => 8,
            Codec::Pcmu => 0,
        }
    }

    /// The codec of a static payload type.
    pub fn of_payload_type(payload_type: u8) -> Option<Codec> {
        match payload_type {
            8 => Some(Codec::Pcma),
            0 => Some(Codec::Pcmu),
            _ => None,
        }
    }

    /// The codec at its static payload type.
    pub fn usual(self) -> Format {
        Format { payload_type: self.payload_type(), codec: self }
    }

    fn encoding(self) -> &'static str {
        match self {
            Codec::Pcma => "PCMA/8000",
            Codec::Pcmu => "PCMU/8000",
        }
    }

    /// The codec of an `a=rtpmap` encoding.
    fn of_encoding(encoding: &str) -> Option<Codec> {
        let is = |name: &str| {
            let (written, channels) = encoding.split_at_checked(name.len()).unwrap_or((encoding, ""));
            written.eq_ignore_ascii_case(name) && matches!(channels, "" | "/1")
        };
        [Codec::Pcma, Codec::Pcmu].into_iter().find(|codec| is(codec.encoding()))
    }
}

/// A codec and the number its packets carry: the static one, or a dynamic one that the description
/// gives it (`a=rtpmap:98 PCMA/8000`), as gateways do that know codecs by name only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Format {
    /// The number.
    pub payload_type: u8,
    /// What it stands for.
    pub codec: Codec,
}

/// Who sends (RFC 8866 §6.7), from the side of whoever says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Both.
    #[default]
    SendRecv,
    /// I send, you listen: how a phone puts its peer on hold.
    SendOnly,
    /// You send, I listen.
    RecvOnly,
    /// Nobody.
    Inactive,
}

impl Direction {
    /// The direction in which these flow.
    pub fn new(send: bool, receive: bool) -> Direction {
        match (send, receive) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// Does whoever says it send?
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Does whoever says it listen?
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same, from the other side.
    pub fn reversed(self) -> Direction {
        Direction::new(self.receives(), self.sends())
    }

    /// What flows under both.
    pub fn and(self, other: Direction) -> Direction {
        Direction::new(self.sends() && other.sends(), self.receives() && other.receives())
    }

    fn attribute(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }
}

/// Why an SDP leads to no audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// It is no SDP at all.
    #[error("it has no v= line")]
    NotSdp,
    /// No audio stream that is open and plain RTP.
    #[error("no open audio stream over RTP/AVP")]
    NoAudio,
    /// Audio, and no G.711 in it: answered 488.
    #[error("no G.711 codec")]
    NoCodec,
}

/// A session description, as far as a call needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdp {
    /// The sender's number for the session (`o=`).
    pub id: u64,
    /// Raised by the sender whenever the description changes.
    pub version: u64,
    /// Its streams in order; an answer has as many.
    pub media: Vec<Media>,
}

/// One `m=` line and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video` ...
    pub kind: String,
    /// Where its sender listens; 0 is refused or closed.
    pub port: u16,
    /// `RTP/AVP` ...
    pub protocol: String,
    /// The formats as written: payload types for RTP.
    pub formats: Vec<String>,
    /// Where its sender listens; `None` when it is a name, which we resolve nowhere.
    pub address: Option<IpAddr>,
    /// Who sends, as its sender sees it.
    pub direction: Direction,
    /// G.711 codecs among the formats, in the sender's order, by the numbers its sender wants to
    /// receive them by.
    pub codecs: Vec<Format>,
    /// The payload type of telephone-event at 8000 Hz (RFC 4733).
    pub telephone_event: Option<u8>,
    /// Milliseconds of audio per packet its sender likes.
    pub ptime: Option<u16>,
    /// Keys of its sender that we can use, in the sender's order (RFC 4568).
    pub crypto: Vec<Crypto>,
}

impl Media {
    /// Where its packets go; `None` while it is closed, on an old-style hold (`c=0.0.0.0`) or
    /// known by name only.
    pub fn remote(&self) -> Option<SocketAddr> {
        let address = self.address.filter(|address| !address.is_unspecified())?;
        (self.port != 0).then(|| SocketAddr::new(address, self.port))
    }

    /// Audio we could take part in, codec aside.
    fn is_open_audio(&self) -> bool {
        let is_rtp = match self.protocol.as_str() {
            "RTP/AVP" | "RTP/AVPF" => true,
            _ => self.is_enciphered() && !self.crypto.is_empty(),
        };
        self.kind == "audio" && self.port != 0 && is_rtp
    }

    /// The key we take: the first without a name, since a name lengthens each packet, else the first.
    fn key(&self) -> Option<Crypto> {
        self.crypto.iter().find(|crypto| crypto.name.is_none()).or(self.crypto.first()).copied()
    }

    /// Its packets may not be plain.
    fn is_enciphered(&self) -> bool {
        matches!(self.protocol.as_str(), "RTP/SAVP" | "RTP/SAVPF")
    }
}

/// What both sides agreed for the audio, as we see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// What both send, by the number the peer wants to receive it by.
    pub format: Format,
    /// The payload type the peer wants to receive telephone-event by.
    pub telephone_event: Option<u8>,
    /// Where the peer wants its packets.
    pub remote: Option<SocketAddr>,
    /// Who sends, from our side.
    pub direction: Direction,
    /// What the peer enciphers with; `None`: plain packets.
    pub theirs: Option<Crypto>,
    /// Its line is of enciphered audio (RTP/SAVP), not of plain audio with keys beside it.
    pub is_enciphered: bool,
}

impl Sdp {
    /// Reads a description. Forgiving: a line that makes no sense is passed over.
    ///
    /// # Errors
    /// [`SdpError::NotSdp`] when it nowhere begins like one.
    pub fn read(bytes: &[u8]) -> Result<Sdp, SdpError> {
        read::read(bytes)
    }

    /// The address its sender wants audio at, on hold too (`c=0.0.0.0`): at least of which family it is.
    /// `None` for a name.
    pub fn audio_address(&self) -> Option<IpAddr> {
        self.audio()?.address
    }

    /// The audio stream we would take: the first with a codec of ours, else the first that is
    /// open, else the first.
    pub fn audio(&self) -> Option<&Media> {
        self.media.get(self.audio_index()?)
    }

    fn audio_index(&self) -> Option<usize> {
        let position = |wanted: fn(&Media) -> bool| self.media.iter().position(wanted);
        position(|media| media.is_open_audio() && !media.codecs.is_empty())
            .or_else(|| position(Media::is_open_audio))
            .or_else(|| position(|media| media.kind == "audio"))
    }

    /// What this description, being the answer to an offer of ours, agrees to.
    ///
    /// # Errors
    /// [`SdpError::NoAudio`] when the peer closed the audio, [`SdpError::NoCodec`] when it chose
    /// none of G.711.
    pub fn agreed(&self) -> Result<Agreement, SdpError> {
        let audio = self.audio().filter(|audio| audio.is_open_audio()).ok_or(SdpError::NoAudio)?;
        Ok(Agreement {
            format: *audio.codecs.first().ok_or(SdpError::NoCodec)?,
            telephone_event: audio.telephone_event,
            remote: audio.remote(),
            direction: audio.direction.reversed(),
            theirs: audio.key(),
            is_enciphered: audio.is_enciphered(),
        })
    }
}
