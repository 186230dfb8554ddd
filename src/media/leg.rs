//! A leg: one peer's audio. A value and its line: two sockets, so that it can be handed to another
//! thread, or a page of its thread. It knows its peer and what it is played; who it talks with is
//! its thread's affair.
//!
//! | room | what it is for |
//! |---|---|
//! | `hearing` | what comes from the peer, read and judged |
//! | `source` | whom the leg listens to, and where its packets go |
//! | `sending` | what the peer is sent |
//! | `playing` | how far it is in what it is played |
//! | `silence` | how long nothing has come, and when that is told |

mod hearing;
mod playing;
mod sending;
mod silence;
mod source;

pub use hearing::{Heard, Kind};
pub use playing::Playing;

use crate::media::dtmf::Keys;
use crate::media::jitter::Jitter;
use crate::media::port::Pair;
use crate::media::rtp::{Outgoing, Tally};
use crate::media::srtp::Srtp;
use crate::media::sys::Wake;
use engine::id::{BridgeId, LegId, PageId};
use engine::media::{Codec, MediaPort, SrtpKeys, Stream, Voice};
use silence::Silence;
use std::net::SocketAddr;

/// One second of [`crate::media::sys::now`].
pub const SECOND: u64 = 1_000_000_000;

/// One peer's audio.
#[derive(Debug)]
pub struct Leg {
    /// Whose.
    pub id: LegId,
    /// What carries it.
    pub line: Line,
    /// What was agreed.
    pub stream: Stream,
    /// Where its audio comes from and goes to.
    pub place: Place,
    /// Who hears it in its conversation.
    pub voice: Voice,
    /// What it has said in a conversation of more than two, and nobody has heard yet.
    pub said: Option<Box<Jitter>>,
    /// Whether keys are reported while it is in no conversation.
    pub listen: bool,
    /// Its phase in the wheel, while it is played something.
    pub phase: Option<usize>,
    /// What its audio socket wakes its thread for.
    pub wake: Wake,
    /// Nothing has come of it for a moment: the others of its conversation hear comfort noise.
    pub hushed: bool,
    /// Packets sent to the peer.
    pub sent: u64,
    /// Packets read from the peer.
    pub received: u64,
    /// What its packets are enciphered with while that is agreed; kept over plain audio.
    srtp: Option<Box<Srtp>>,
    /// Where the peer has last wanted its audio; kept over a hold without an address.
    wanted_at: Option<SocketAddr>,
    out: Outgoing,
    tally: Tally,
    keys: Keys,
    /// The source the leg listens to, and when it was last heard.
    source: Option<(SocketAddr, u64)>,
    silence: Silence,
    /// When a leg that is not read packet by packet was last looked at.
    looked_at: u64,
}

/// What carries a leg's packets.
#[derive(Debug)]
pub enum Line {
    /// Sockets of its own, on the port it was opened on; `thread` is the one it lives on now.
    Port(MediaPort, Pair),
    /// A page's connection; `None`: the page is gone.
    Page(Option<PageAt>),
}

/// Where a page's connection is. Its browser sends to one thread's port for the whole shift; the
/// leg may be in a conversation of another thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageAt {
    /// Whose.
    pub page: PageId,
    /// The thread that has it.
    pub thread: usize,
    /// Its place among the pages of that thread.
    pub place: u32,
}

/// What has become of a packet made ready for a leg's peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It was sent.
    Sent,
    /// It is for this page.
    Page(PageAt),
    /// The peer may not be sent it.
    Nowhere,
}

/// Where a leg's audio comes from and goes to.
#[derive(Debug)]
pub enum Place {
    /// It hears a program; `None`: nothing.
    Alone(Option<Playing>),
    /// It hears itself.
    Echo,
    /// It is a port of a conversation; it hears comfort noise while it is the only one.
    Bridge(BridgeId, Playing),
}

impl Leg {
    /// Opens a leg; what came to its port before is thrown away.
    pub fn open(id: LegId, port: MediaPort, pair: Pair, stream: Stream, now: u64, random: u64) -> Leg {
        Leg::on(id, Line::Port(port, pair), stream, Outgoing::new(random), now)
    }

    /// Opens a leg on a page, which goes on with the stream its receiver knows.
    pub fn open_on_page(id: LegId, page: PageAt, keys: Option<u8>, out: Outgoing, now: u64) -> Leg {
        let stream = Stream { telephone_event: keys, ..Stream::of(Codec::Pcma) };
        Leg::on(id, Line::Page(Some(page)), stream, out, now)
    }

    fn on(id: LegId, line: Line, stream: Stream, out: Outgoing, now: u64) -> Leg {
        let mut leg = Leg {
            id,
            line,
            stream,
            place: Place::Alone(None),
            voice: Voice::Everyone,
            said: None,
            listen: false,
            phase: None,
            wake: Wake::Never,
            hushed: false,
            sent: 0,
            received: 0,
            srtp: stream.srtp.and_then(cipher),
            wanted_at: stream.remote,
            out,
            tally: Tally::default(),
            keys: Keys::default(),
            source: None,
            silence: Silence::default(),
            looked_at: now,
        };
        leg.cut();
        leg.expect(now);
        leg
    }

    /// The page that carries it.
    pub fn page(&self) -> Option<PageAt> {
        match self.line {
            Line::Page(page) => page,
            Line::Port(..) => None,
        }
    }

    /// Its sockets, where it has its own.
    pub fn pair(&self) -> Option<&Pair> {
        match &self.line {
            Line::Port(_, pair) => Some(pair),
            Line::Page(_) => None,
        }
    }

    /// The stream its peer hears, to be gone on with.
    pub fn out(&self) -> Outgoing {
        self.out
    }

    /// A new agreement is in force.
    pub fn update(&mut self, stream: Stream, now: u64) {
        if stream.remote != self.stream.remote {
            self.source = None;
        }
        let moved = stream.remote.is_some() && stream.remote != self.wanted_at;
        if moved && self.srtp.is_some() {
            // Elsewhere the turns of our numbers are counted anew, whatever key stays (RFC 3711 §3.2.3):
            // whoever listens there could open nothing of a stream that has turned over.
            self.out.begin_anew();
        }
        self.wanted_at = stream.remote.or(self.wanted_at);
        if let Some(keys) = stream.srtp.filter(|_| stream.srtp != self.stream.srtp) {
            self.encipher(keys);
        }
        self.stream = stream;
        if !self.silence.heard || !self.expected() {
            self.expect(now);
        } else if self.silence.since.is_none() {
            self.silence.since = Some(now);
        }
    }

    /// Keys come into force. What stays of them goes on where it was, through plain audio in between,
    /// too: begun anew, it would lose its place. Where our own packets do begin anew, they are a stream of
    /// their own, so that no key meets a number of one of them twice (RFC 3711 §9.1).
    fn encipher(&mut self, keys: SrtpKeys) {
        self.srtp = match self.srtp.take() {
            None => cipher(keys),
            Some(before) => {
                if self.stream.srtp.is_none() || !before.goes_on_under(&keys) {
                    self.out.begin_anew();
                }
                before.with(keys).map(Box::new)
            }
        };
    }

    /// Whether every packet must be read.
    pub fn is_read(&self) -> bool {
        self.listen || !matches!(self.place, Place::Alone(_))
    }

    /// Lets go of whom it was relayed from, and of the packets that lie unread.
    pub fn cut(&mut self) {
        self.out.cut();
        self.flush();
    }

    /// Lets go of whom it was relayed from, and of nothing else.
    pub fn cut_relay(&mut self) {
        self.out.cut();
    }
}

/// What opens and seals packets under these keys.
fn cipher(keys: SrtpKeys) -> Option<Box<Srtp>> {
    Srtp::new(keys).map(Box::new)
}

#[cfg(test)]
mod kit {
    use super::*;
    use engine::id::{CentreId, Serial};
    use rtp_rs::RtpPacketBuilder;
    use std::net::{Ipv4Addr, UdpSocket};

    pub(super) fn leg(remote: Option<&str>) -> Leg {
        let socket = || {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            socket
        };
        let pair = Pair { rtp: socket(), rtcp: socket() };
        let rtp = pair.rtp.local_addr().unwrap();
        let remote = remote.map(|remote| remote.parse().unwrap());
        let stream = Stream { remote, telephone_event: Some(101), ..Stream::of(Codec::Pcma) };
        let id = LegId { centre: CentreId(0), serial: Serial(1) };
        Leg::open(id, MediaPort::as_bound(rtp, 0), pair, stream, 0, 1)
    }

    pub(super) fn packet(payload_type: u8, sequence: u16) -> Vec<u8> {
        let builder = RtpPacketBuilder::new().payload_type(payload_type).ssrc(9);
        builder.sequence(sequence.into()).payload(&[1; 160]).build().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::g711::FRAME;
    use crate::media::leg::kit::{leg, packet};
    use crate::media::rtp::{HEADER, Header};
    use engine::media::{Key, Suite};
    use std::net::{Ipv4Addr, UdpSocket};

    fn keys(suite: Suite) -> SrtpKeys {
        let [ours, theirs] = [1, 2].map(|byte| Key::of(&[byte; 46]));
        SrtpKeys { suite, ours, theirs, our_name: None, their_name: None, beside_plain: false }
    }

    fn of_the_peer(suite: Suite) -> Srtp {
        let SrtpKeys { ours, theirs, .. } = keys(suite);
        Srtp::new(SrtpKeys { ours: theirs, theirs: ours, ..keys(suite) }).unwrap()
    }

    /// A leg whose sequence turns over soon, and the peer it sends to.
    fn talk() -> (Leg, UdpSocket) {
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        peer.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let mut leg = leg(Some(&peer.local_addr().unwrap().to_string()));
        leg.out = Outgoing::new(65_530 << 16);
        (leg, peer)
    }

    /// Ten packets as the peer receives them.
    fn says(leg: &mut Leg, peer: &UdpSocket) -> Vec<Vec<u8>> {
        let mut wire = [0; 256];
        let mut one = |turn: u64| {
            assert_eq!(leg.say(&mut [0x55; HEADER + FRAME], turn * 20_000_000).unwrap(), Way::Sent);
            let length = peer.recv(&mut wire).unwrap();
            wire[..length].to_vec()
        };
        (0..10).map(&mut one).collect()
    }

    fn agree(leg: &mut Leg, srtp: Option<SrtpKeys>) {
        leg.update(Stream { srtp, ..leg.stream }, 0);
    }

    fn opened(by: &mut Srtp, packets: &[Vec<u8>]) -> usize {
        packets.iter().filter(|packet| by.open(&mut packet.to_vec()).is_some()).count()
    }

    #[test]
    fn keys_that_come_back_after_plain_audio_meet_no_number_twice_and_both_are_heard() {
        let suite = Suite::AesCm128HmacSha1_80;
        let (mut leg, peer) = talk();
        let (mut kept, mut begun) = (of_the_peer(suite), of_the_peer(suite));
        agree(&mut leg, Some(keys(suite)));
        let before = says(&mut leg, &peer);
        assert_eq!(opened(&mut kept, &before), 10, "its sequence turns over among them");
        let mut theirs = |sequence| kept.seal(&packet(8, sequence)).unwrap().as_ref().to_vec();
        for sequence in [65_534, 65_535, 0] {
            assert!(leg.unseal(&mut theirs(sequence)).is_some());
        }
        agree(&mut leg, None);
        let plain = says(&mut leg, &peer);
        assert!(plain.iter().all(|packet| packet[HEADER..] == [0x55; FRAME]));
        assert!(leg.unseal(&mut packet(8, 1)).is_some());
        agree(&mut leg, Some(keys(suite)));
        assert!(leg.unseal(&mut theirs(1)).is_some(), "a peer that goes on where it was");
        let after = says(&mut leg, &peer);
        let source = |packets: &[Vec<u8>]| Header::read(&packets[0]).unwrap().ssrc;
        assert_ne!(source(&before), source(&after), "the same key, and a stream of its own");
        assert_eq!([opened(&mut kept, &after), opened(&mut begun, &after)], [10, 10]);
    }

    #[test]
    fn media_that_moves_under_keys_that_stay_is_heard_there_and_by_who_has_heard_us_before() {
        for suite in Suite::ALL {
            let (mut leg, old) = talk();
            agree(&mut leg, Some(keys(suite)));
            let mut kept = of_the_peer(suite);
            let before = says(&mut leg, &old);
            assert_eq!(opened(&mut kept, &before), 10, "our sequence turns over among them");
            let (_, elsewhere) = talk();
            let at = |peer: &UdpSocket| Some(peer.local_addr().unwrap());
            leg.update(Stream { remote: at(&elsewhere), ..leg.stream }, 0);
            let moved = says(&mut leg, &elsewhere);
            assert_eq!([opened(&mut of_the_peer(suite), &moved), opened(&mut kept, &moved)], [10, 10]);
            // Held without an address, and back where it was: one stream.
            for remote in [None, at(&elsewhere)] {
                leg.update(Stream { remote, ..leg.stream }, 0);
            }
            let after = says(&mut leg, &elsewhere);
            assert_eq!(opened(&mut kept, &after), 10);
            let source = |packets: &[Vec<u8>]| Header::read(&packets[0]).unwrap().ssrc;
            assert_eq!(source(&moved), source(&after));
            assert_ne!(source(&before), source(&moved));
        }
    }

    #[test]
    fn a_suite_that_comes_back_meets_no_number_twice() {
        let [one, other] = Suite::OFFERED;
        let (mut leg, peer) = talk();
        let mut sources = Vec::new();
        for suite in [one, other, one] {
            agree(&mut leg, Some(keys(suite)));
            let packets = says(&mut leg, &peer);
            sources.push(Header::read(&packets[0]).unwrap().ssrc);
            assert_eq!(opened(&mut of_the_peer(suite), &packets), 10);
        }
        assert_ne!(sources[0], sources[2]);
    }

    #[test]
    fn keys_that_stay_keep_the_stream() {
        let suite = Suite::AeadAes128Gcm;
        let (mut leg, peer) = talk();
        let mut theirs = of_the_peer(suite);
        for turn in 0..3 {
            let renewed = SrtpKeys { theirs: Key::of(&[turn; 46]), ..keys(suite) };
            agree(&mut leg, Some(renewed));
            let packets = says(&mut leg, &peer);
            assert_eq!(Header::read(&packets[0]).unwrap().ssrc, 0, "one stream");
            assert_eq!(opened(&mut theirs, &packets), 10, "the peer's place in it");
        }
    }
}
