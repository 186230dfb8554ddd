//! What the engine and the media plane say to each other. Values only: the plane lives elsewhere.

use crate::id::{BridgeId, CentreId, LegId, PageId};
use serde::{Deserialize, Serialize};
pub use sip::sdp::{Key, KeyName, Suite};
use std::net::{IpAddr, SocketAddr};

/// Legs of one conversation. A caller, an agent, a doctor, a supervisor, the fire brigade and an
/// interpreter are six; more would be a meeting, and each turn costs every leg's share of them.
pub const TOGETHER_MAX: usize = 8;

/// The two codecs every trunk speaks (RFC 3551); nothing else is transcoded. A peer may know them by
/// another number than their own ([`Stream::dynamic`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// G.711 A-law, payload type 8.
    Pcma,
    /// G.711 mu-law, payload type 0.
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
}

/// A pair of bound sockets of the plane, ready for one leg: RTP at `rtp`, RTCP one port above.
/// The engine holds a stock of them, so that answering an INVITE waits for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MediaPort {
    /// Where the plane has bound it (an even port).
    pub rtp: SocketAddr,
    /// What peers are told in SDP; differs from `rtp` behind an address translation.
    pub advertised: SocketAddr,
    /// What those of the other family (IPv4, IPv6) are told, at the same port, where they are served.
    #[serde(default)]
    pub other: Option<IpAddr>,
    /// The plane's thread that holds the sockets.
    pub thread: u16,
}

impl MediaPort {
    /// One that peers are told as it is bound.
    pub fn as_bound(rtp: SocketAddr, thread: u16) -> MediaPort {
        MediaPort { rtp, advertised: rtp, other: None, thread }
    }

    /// What a peer at this address is told: an address of its own family, where we have one.
    pub fn told_to(&self, peer: IpAddr) -> SocketAddr {
        match self.other {
            Some(other) if !same_family(self.advertised.ip(), peer) => {
                SocketAddr::new(other, self.advertised.port())
            }
            _ => self.advertised,
        }
    }

    /// Whether we have an address of this one's family to tell.
    pub fn serves(&self, peer: IpAddr) -> bool {
        same_family(self.told_to(peer).ip(), peer)
    }
}

/// Both IPv4, or both IPv6; an IPv4 address written as one of IPv6 is what it stands for.
fn same_family(one: IpAddr, other: IpAddr) -> bool {
    one.to_canonical().is_ipv4() == other.to_canonical().is_ipv4()
}

/// What was agreed for one leg's audio (RFC 3264), the plane's view of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Where the peer wants its packets; `None` until its SDP is known.
    pub remote: Option<SocketAddr>,
    /// What both sides send.
    pub codec: Codec,
    /// The payload type by which the peer wants it, where that is not the codec's own (RFC 3264 §6.1).
    #[serde(default)]
    pub dynamic: Option<u8>,
    /// The payload type by which the peer wants telephone-event (RFC 4733), when agreed.
    pub telephone_event: Option<u8>,
    /// The one by which we want it, which need not be the same.
    #[serde(default)]
    pub keys_come_as: Option<u8>,
    /// Whether we may send (the peer has not put us on hold, `sendonly`/`inactive`).
    pub send: bool,
    /// Whether the peer sends.
    pub receive: bool,
    /// What packets are enciphered with; `None`: plain (RFC 3711). Not written down: no restart goes on
    /// with a leg's audio, and keys in another shape must not make the rest unreadable.
    #[serde(skip)]
    pub srtp: Option<SrtpKeys>,
}

impl Stream {
    /// Plain audio both ways, without keys, to a peer whose address is not known yet.
    pub const fn of(codec: Codec) -> Stream {
        Stream {
            remote: None,
            codec,
            dynamic: None,
            telephone_event: None,
            keys_come_as: None,
            send: true,
            receive: true,
            srtp: None,
        }
    }

    /// Whether both can encipher what they say.
    pub fn is_enciphered(&self) -> bool {
        self.srtp.is_some_and(|keys| keys.ours != Key::NONE)
    }

    /// The payload type of the audio we send: the number the peer named.
    pub fn payload_type(&self) -> u8 {
        self.dynamic.unwrap_or(self.codec.payload_type())
    }
}

/// Both directions' keys, out of the SDP (RFC 4568).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SrtpKeys {
    /// How.
    pub suite: Suite,
    /// What we encipher with; [`Key::NONE`]: the peer names a suite that we have said no key of. It can be
    /// heard, and is sent nothing.
    pub ours: Key,
    /// What the peer enciphers with.
    pub theirs: Key,
    /// What each of our packets calls our key, where we have said so.
    #[serde(default)]
    pub our_name: Option<KeyName>,
    /// What each of the peer's calls theirs.
    #[serde(default)]
    pub their_name: Option<KeyName>,
    /// They stand beside plain audio, which goes on without them.
    #[serde(default)]
    pub beside_plain: bool,
}

/// What a leg hears while nobody is bridged to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Program {
    /// Each named sound once, then the hold sound for ever.
    Hold {
        /// Sounds played first, once each.
        announce: Vec<String>,
        /// The looped sound.
        hold: String,
    },
    /// Ring-back tone (France: 440 Hz, 1.5 s on, 3.5 s off).
    RingBack,
    /// Low noise that says "still connected".
    Comfort,
    /// What it says comes back to it (test calls).
    Echo,
    /// Nothing is sent.
    Silence,
}

/// Who hears what a leg says in its conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Voice {
    /// Everyone.
    #[default]
    Everyone,
    /// Nobody: it listens.
    Nobody,
    /// One other leg alone: it whispers.
    Only(LegId),
}

/// From the engine to the plane, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaCommand {
    /// Opens a leg on a port of the stock.
    Open {
        /// The leg.
        leg: LegId,
        /// A port the plane gave and has not been given back.
        port: MediaPort,
        /// What is known so far.
        stream: Stream,
    },
    /// Opens a page's peer connection from its SDP offer; answered by `MediaEvent::PageAnswered`.
    /// The same page again is a restart of its ICE, or a reload.
    PageOpen {
        /// The page.
        page: PageId,
        /// The browser's SDP.
        offer: String,
    },
    /// Ends a page's peer connection. Its leg, if one is attached, is `Silent` from here on.
    PageClose {
        /// The page.
        page: PageId,
    },
    /// Opens a leg on a page that is up: from here on it is a leg like any other, PCMA only. A page
    /// carries one leg at a time.
    OpenOnPage {
        /// The leg.
        leg: LegId,
        /// The page.
        page: PageId,
    },
    /// Changes what was agreed (answer arrived, re-INVITE).
    Update {
        /// The leg.
        leg: LegId,
        /// The agreement in force from here on.
        stream: Stream,
    },
    /// Plays a program to a leg that is in no bridge, from its next packet on.
    Play {
        /// The leg.
        leg: LegId,
        /// What it hears.
        program: Program,
    },
    /// Puts a leg into a conversation; it leaves what it heard before. A conversation of two
    /// relays packets, of more mixes.
    Join {
        /// The conversation; made by its first leg.
        bridge: BridgeId,
        /// The leg.
        leg: LegId,
    },
    /// Who hears a leg in its conversations; everyone, until told otherwise. Said before `Join`, a
    /// leg that only listens is never heard.
    Voice {
        /// The leg.
        leg: LegId,
        /// Who hears it.
        voice: Voice,
    },
    /// Takes a leg out of its conversation; it hears `Program::Comfort` until told otherwise.
    Leave {
        /// The leg.
        leg: LegId,
    },
    /// Reports key presses of this leg while it waits (a menu); off by default, on in bridges.
    Listen {
        /// The leg.
        leg: LegId,
        /// On or off.
        on: bool,
    },
    /// Ends the leg; its port goes back to the stock by `MediaEvent::Ports`.
    Close {
        /// The leg.
        leg: LegId,
    },
}

/// From the plane to the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    /// Fresh ports for the stock.
    Ports(Vec<MediaPort>),
    /// The first packet of this leg's peer has come since it was opened, joined a bridge, or was
    /// reported silent.
    Heard {
        /// The leg.
        leg: LegId,
    },
    /// Nothing has come from this leg's peer for this long (1 s, 5 s, 30 s: once each, counted
    /// from the answer or the last packet).
    Silent {
        /// The leg.
        leg: LegId,
        /// Whole seconds without a packet.
        seconds: u16,
    },
    /// A key was pressed (RFC 4733), once per press.
    Digit {
        /// The leg.
        leg: LegId,
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digit: char,
    },
    /// The announcements of `Program::Hold` have all been heard once; at once when it has none.
    Announced {
        /// The leg.
        leg: LegId,
    },
    /// A page's offer was taken: what its browser must be told.
    PageAnswered {
        /// The page.
        page: PageId,
        /// Our SDP.
        answer: String,
    },
    /// A page's connection stands: packets can flow both ways.
    PageUp {
        /// The page.
        page: PageId,
    },
    /// A page's connection is gone or was never made: ICE consent, DTLS, or an offer that cannot be read.
    PageDown {
        /// The page.
        page: PageId,
        /// Why, a code.
        why: String,
    },
    /// A leg has been closed; its figures.
    Closed {
        /// The leg.
        leg: LegId,
        /// Packets from its peer.
        received: u64,
        /// Packets to its peer.
        sent: u64,
        /// Packets its peer sent that never came (from sequence numbers).
        lost: u64,
    },
    /// The plane refuses a command: a bug of ours, or a port already given away.
    Refused {
        /// The leg, when the command named one.
        leg: Option<LegId>,
        /// Why, for the log.
        why: String,
    },
}

/// A centre's sounds that the plane must have: asked once, at load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundList {
    /// Whose.
    pub centre: CentreId,
    /// The names the dialplan uses.
    pub names: Vec<String>,
}
