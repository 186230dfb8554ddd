//! A leg: one peer's audio. A value and its line: two sockets, so that it can be handed to another
//! thread, or a page of its thread. It knows its peer and what it is played; who it talks with is
//! its thread's affair.

use crate::media::dtmf::Keys;
use crate::media::g711::{self, FRAME};
use crate::media::jitter::Jitter;
use crate::media::port::Pair;
use crate::media::rtp::{HEADER, Header, Outgoing, Tally};
use crate::media::silence::Silence;
use crate::media::sound::Sound;
use crate::media::srtp::Srtp;
use crate::media::sys::Wake;
use engine::id::{BridgeId, LegId, PageId};
use engine::media::{Codec, MediaPort, Stream, Voice};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// One second of [`crate::media::sys::now`].
pub const SECOND: u64 = 1_000_000_000;
/// How long a source keeps the leg to itself after its last packet. Shorter lets a stranger cut in
/// between two packets of a lossy peer, longer mutes a peer that has moved.
const SOURCE_KEPT: u64 = SECOND;
/// Without a packet for so long in a conversation, whoever hears only this leg hears comfort noise: a
/// line without any sound is taken for dead, and hung up. Shorter would cut into the bursts of a
/// poor network, longer is a silence people ask into.
const HUSHED_AFTER: u64 = SECOND * 3 / 10;

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
    srtp: Option<Box<Srtp>>,
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

/// How far a leg is in what it is played.
#[derive(Clone, Debug)]
pub struct Playing {
    /// Sounds in their order; the last one is looped.
    sounds: Vec<Arc<Sound>>,
    sound: usize,
    frame: usize,
}

impl Playing {
    /// Each of `once`, then `looped` for ever.
    pub fn new(mut once: Vec<Arc<Sound>>, looped: Arc<Sound>) -> Playing {
        once.push(looped);
        Playing { sounds: once, sound: 0, frame: 0 }
    }

    /// Whether everything to be played once has been.
    pub fn announced(&self) -> bool {
        self.sound + 1 == self.sounds.len()
    }

    /// Copies the next frame to `payload`; true when it was the last one played once.
    fn next(&mut self, codec: Codec, payload: &mut [u8]) -> bool {
        let sound = &self.sounds[self.sound];
        payload.copy_from_slice(sound.frame(codec, self.frame));
        self.frame += 1;
        if self.frame < sound.len() {
            return false;
        }
        self.frame = 0;
        if self.announced() {
            return false;
        }
        self.sound += 1;
        self.announced()
    }
}

/// What a received packet is to whoever hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Audio of this law.
    Audio(Codec),
    /// A telephone-event.
    Key,
}

/// What became of a received packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its header.
    pub header: Header,
    /// What it carries.
    pub kind: Kind,
    /// The first since the leg was opened, joined a conversation, or was reported silent.
    pub first: bool,
    /// The key, on the first packet of its press.
    pub digit: Option<char>,
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
            srtp: cipher(&stream),
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
        // The same keys go on where they were: a context begun anew would lose its place.
        if stream.srtp != self.stream.srtp {
            self.srtp = cipher(&stream);
        }
        self.stream = stream;
        if !self.silence.heard || !self.expected() {
            self.expect(now);
        } else if self.silence.since.is_none() {
            self.silence.since = Some(now);
        }
    }

    /// Forgets that the peer was heard: from here on its first packet is news again, and its silence
    /// is counted.
    pub fn expect(&mut self, now: u64) {
        self.silence = Silence { since: self.expected().then_some(now), heard: false, reported: 0 };
        self.looked_at = now;
        self.hushed = false;
    }

    /// The conversation in which it has just fallen silent; once per silence.
    pub fn hushes(&mut self, now: u64) -> Option<BridgeId> {
        let Place::Bridge(bridge, _) = self.place else { return None };
        let silent = self.silence.since.is_some_and(|since| now.saturating_sub(since) >= HUSHED_AFTER);
        (silent && !std::mem::replace(&mut self.hushed, silent)).then_some(bridge)
    }

    fn expected(&self) -> bool {
        self.stream.receive && (self.stream.remote.is_some() || matches!(self.line, Line::Page(_)))
    }

    /// Whether every packet must be read.
    pub fn is_read(&self) -> bool {
        self.listen || !matches!(self.place, Place::Alone(_))
    }

    /// Whether the peer has been heard since [`Leg::expect`].
    pub fn is_heard(&self) -> bool {
        self.silence.heard
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

    /// Keeps what a packet of its peer carries for the next turns of a mix.
    pub fn keep(&mut self, packet: &[u8], heard: &Heard) {
        let Kind::Audio(codec) = heard.kind else { return };
        let payload = packet.get(heard.header.payload_at..heard.header.payload_end);
        if let (Some(said), Some(payload)) = (&mut self.said, payload) {
            said.put(&heard.header, codec, payload);
        }
    }

    /// Says a frame that lies encoded in `packet`, due at `at`, or leaves it there for its page.
    ///
    /// # Errors
    /// The kernel took no packet; the frame is lost, as on any network.
    pub fn say(&mut self, packet: &mut [u8; HEADER + FRAME], at: u64) -> io::Result<Way> {
        if !self.may_send() {
            return Ok(Way::Nowhere);
        }
        packet[0] = 0;
        self.out.own(packet, self.stream.payload_type(), at);
        self.send(packet)
    }

    /// Throws away what has come: seconds-old speech must not be heard.
    pub fn flush(&mut self) {
        self.tally.pause();
        let Some(pair) = self.pair() else { return };
        // A sender faster than this loop must not hold the thread.
        for _ in 0..256 {
            if pair.rtp.recv(&mut [0; 1]).is_err() {
                break;
            }
        }
    }

    /// Packets of the peer that never came, of those that were looked for.
    pub fn lost(&self) -> u64 {
        self.tally.lost()
    }

    /// Opens a packet that is enciphered, in place; its length, or `None` when it is not the peer's.
    pub fn unseal(&mut self, packet: &mut [u8]) -> Option<usize> {
        match &mut self.srtp {
            Some(srtp) => srtp.open(packet),
            // Agreed, and no arithmetic for it: plain packets are nobody's.
            None if self.stream.srtp.is_some() => None,
            None => Some(packet.len()),
        }
    }

    /// Judges a packet that has come from `from`: `None` when it is not RTP, not of the source the
    /// leg listens to, or of a type nobody agreed.
    pub fn hear(&mut self, packet: &[u8], from: SocketAddr, now: u64) -> Option<Heard> {
        let header = Header::read(packet)?;
        let kind = self.kind_of(header.payload_type)?;
        if !self.admit(from, now) {
            return None;
        }
        self.received += 1;
        let first = self.silence.hear(now);
        let payload = packet.get(header.payload_at..header.payload_end)?;
        let mut digit = None;
        if self.is_read() {
            self.tally.count(&header);
            if kind == Kind::Key {
                digit = self.keys.hear(header.timestamp, payload);
            }
        }
        Some(Heard { header, kind, first, digit })
    }

    /// What a number stands for: a codec's own for that codec, whichever is agreed (some peers send the
    /// other law); ours before the peer's, since it is by our numbers that it should send.
    fn kind_of(&self, payload_type: u8) -> Option<Kind> {
        let (stream, named) = (&self.stream, Some(payload_type));
        match g711::codec_of(payload_type) {
            Some(codec) => Some(Kind::Audio(codec)),
            None if named == stream.keys_come_as => Some(Kind::Key),
            None if named == stream.dynamic => Some(Kind::Audio(stream.codec)),
            None if named == stream.telephone_event => Some(Kind::Key),
            None => None,
        }
    }

    /// Whether the leg listens to this source: the agreed one always; another one as long as
    /// nobody else speaks, since many carriers send from elsewhere than they receive.
    fn admit(&mut self, from: SocketAddr, now: u64) -> bool {
        let agreed = self.stream.remote == Some(from);
        match self.source {
            Some((source, _)) if source == from => {}
            Some((_, heard)) if !agreed && now.saturating_sub(heard) < SOURCE_KEPT => return false,
            _ => self.keys.forget(),
        }
        self.source = Some((from, now));
        true
    }

    /// Where packets go: the agreed address. When none was agreed, or a private one that an address
    /// translation stands before, the source of what comes (symmetric RTP, RFC 4961): a stranger who
    /// sends first to an ordinary leg is heard for a second at most, and told nothing.
    fn target(&self) -> Option<SocketAddr> {
        let agreed = self.stream.remote.filter(|agreed| !agreed.ip().is_unspecified() && agreed.port() != 0);
        match (agreed, self.source) {
            (Some(agreed), Some((source, _))) if is_private(agreed.ip()) => Some(source),
            (None, Some((source, _))) => Some(source),
            (agreed, _) => agreed,
        }
    }

    /// Sends the next frame of what it is played, due at `at`, or leaves it in `packet` for its page.
    /// True when the announcements have been played with it. Where nothing may be sent, nothing is
    /// used up: an announcement waits.
    ///
    /// # Errors
    /// The kernel took no packet; the frame is lost, as on any network.
    pub fn play(&mut self, packet: &mut [u8; HEADER + FRAME], at: u64) -> io::Result<(Way, bool)> {
        if !self.may_send() {
            return Ok((Way::Nowhere, false));
        }
        let (Place::Alone(Some(playing)) | Place::Bridge(_, playing)) = &mut self.place else {
            return Ok((Way::Nowhere, false));
        };
        let announced = playing.next(self.stream.codec, &mut packet[HEADER..]);
        // The bits of the last packet that was here.
        packet[0] = 0;
        self.out.own(packet, self.stream.payload_type(), at);
        Ok((self.send(packet)?, announced))
    }

    /// Passes on a packet another leg has heard, rewritten in place, or leaves it so for its page;
    /// `Nowhere` when this peer has agreed to nothing of the kind.
    ///
    /// # Errors
    /// The kernel took no packet.
    pub fn pass(&mut self, packet: &mut [u8], heard: &Heard, now: u64) -> io::Result<Way> {
        if !self.may_send() {
            return Ok(Way::Nowhere);
        }
        let payload_type = match (heard.kind, self.stream.telephone_event) {
            (Kind::Audio(codec), _) => {
                if let Some(payload) = packet.get_mut(heard.header.payload_at..heard.header.payload_end) {
                    g711::translate(payload, codec, self.stream.codec);
                }
                self.stream.payload_type()
            }
            (Kind::Key, Some(agreed)) => agreed,
            (Kind::Key, None) => return Ok(Way::Nowhere),
        };
        self.out.relay(packet, &heard.header, payload_type, now);
        self.send(packet)
    }

    fn may_send(&self) -> bool {
        let is_known = match self.line {
            Line::Port(..) => self.target().is_some(),
            Line::Page(page) => page.is_some(),
        };
        is_known && self.stream.send
    }

    fn send(&mut self, packet: &[u8]) -> io::Result<Way> {
        let way = match (&self.line, self.target()) {
            (Line::Page(Some(page)), _) => Way::Page(*page),
            (Line::Port(_, pair), Some(target)) => {
                match &mut self.srtp {
                    Some(srtp) => {
                        let Some(sealed) = srtp.seal(packet) else { return Ok(Way::Nowhere) };
                        pair.rtp.send_to(sealed.as_ref(), target)?;
                    }
                    None => drop(pair.rtp.send_to(packet, target)?),
                }
                Way::Sent
            }
            (Line::Page(None), _) | (Line::Port(..), None) => return Ok(Way::Nowhere),
        };
        self.sent += 1;
        Ok(way)
    }

    /// Whether it is time to look what has come to a leg that is not read packet by packet.
    pub fn is_look_due(&self, now: u64) -> bool {
        now.saturating_sub(self.looked_at) >= SECOND
    }

    /// Notes that it was looked at.
    pub fn looked(&mut self, now: u64) {
        self.looked_at = now;
    }

    /// The silence to be reported at `now`, in seconds; once each.
    pub fn silent(&mut self, now: u64) -> Option<u16> {
        self.silence.report(now)
    }
}

/// What opens and seals the packets of an agreement.
fn cipher(stream: &Stream) -> Option<Box<Srtp>> {
    stream.srtp.and_then(Srtp::new).map(Box::new)
}

/// An address of somebody's own network (RFC 1918, RFC 6598, RFC 4193, link-local): from outside,
/// only the source of a packet tells the way back. Loopback is not: nothing translates it.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private() || v4.is_link_local() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::id::{CentreId, Serial};
    use rtp_rs::RtpPacketBuilder;
    use std::net::{Ipv4Addr, UdpSocket};

    fn leg(remote: Option<&str>) -> Leg {
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
        Leg::open(id, MediaPort { rtp, advertised: rtp, thread: 0 }, pair, stream, 0, 1)
    }

    fn packet(payload_type: u8, sequence: u16) -> Vec<u8> {
        let builder = RtpPacketBuilder::new().payload_type(payload_type).ssrc(9);
        builder.sequence(sequence.into()).payload(&[1; 160]).build().unwrap()
    }

    fn hears(leg: &mut Leg, from: &str, now: u64) -> bool {
        leg.hear(&packet(8, 1), from.parse().unwrap(), now).is_some()
    }

    #[test]
    fn packets_go_to_the_agreed_address_whoever_sends() {
        let mut leg = leg(Some("192.0.2.1:4000"));
        assert!(hears(&mut leg, "198.51.100.9:6000", 0));
        assert_eq!(leg.target(), Some("192.0.2.1:4000".parse().unwrap()));
    }

    #[test]
    fn packets_go_back_to_the_source_where_the_agreed_address_is_private_or_unknown() {
        for remote in [Some("10.0.0.7:4000"), Some("100.64.1.1:4000"), Some("0.0.0.0:4000"), None] {
            let mut leg = leg(remote);
            assert!(hears(&mut leg, "198.51.100.9:6000", 0));
            assert_eq!(leg.target(), Some("198.51.100.9:6000".parse().unwrap()), "{remote:?}");
        }
        assert_eq!(leg(Some("10.0.0.7:4000")).target(), Some("10.0.0.7:4000".parse().unwrap()));
        assert_eq!(leg(Some("192.0.2.1:0")).target(), None);
    }

    #[test]
    fn nobody_cuts_in_on_a_peer_that_speaks_but_the_agreed_address() {
        let mut leg = leg(Some("192.0.2.1:4000"));
        assert!(hears(&mut leg, "198.51.100.9:6000", 0));
        assert!(!hears(&mut leg, "203.0.113.5:7000", SECOND / 2));
        assert!(hears(&mut leg, "192.0.2.1:4000", SECOND / 2));
        assert!(!hears(&mut leg, "198.51.100.9:6000", SECOND));
        assert!(hears(&mut leg, "198.51.100.9:6000", 2 * SECOND));
    }

    #[test]
    fn only_what_was_agreed_is_heard() {
        let mut leg = leg(Some("192.0.2.1:4000"));
        let from = "192.0.2.1:4000".parse().unwrap();
        let mut kind = |payload_type| leg.hear(&packet(payload_type, 1), from, 0).map(|heard| heard.kind);
        assert_eq!(kind(8), Some(Kind::Audio(Codec::Pcma)));
        assert_eq!(kind(0), Some(Kind::Audio(Codec::Pcmu)), "a peer that sends the other law is understood");
        assert_eq!(kind(101), Some(Kind::Key));
        assert_eq!(kind(13), None);
        assert_eq!(kind(96), None);
    }

    #[test]
    fn each_side_is_sent_what_it_named_and_heard_by_what_the_other_named() {
        let mut leg = leg(Some("192.0.2.1:4000"));
        let from = "192.0.2.1:4000".parse().unwrap();
        leg.stream =
            Stream { dynamic: Some(98), telephone_event: Some(97), keys_come_as: Some(101), ..leg.stream };
        assert_eq!(leg.stream.payload_type(), 98);
        let mut kind = |payload_type| leg.hear(&packet(payload_type, 1), from, 0).map(|heard| heard.kind);
        for audio in [8, 98] {
            assert_eq!(kind(audio), Some(Kind::Audio(Codec::Pcma)), "{audio}");
        }
        assert_eq!([101, 97].map(&mut kind), [Some(Kind::Key); 2], "ours, and theirs all the same");
        assert_eq!(kind(96), None);
        // The peer has called its audio by the number at which we want its keys.
        leg.stream.dynamic = Some(101);
        let mut kind = |payload_type| leg.hear(&packet(payload_type, 1), from, 0).map(|heard| heard.kind);
        assert_eq!(kind(101), Some(Kind::Key));
    }

    #[test]
    fn i33_silence_is_reported_at_1_5_and_30_seconds_and_its_end_once() {
        let mut leg = leg(Some("192.0.2.1:4000"));
        let silences = |leg: &mut Leg, seconds: std::ops::Range<u64>| {
            seconds.filter_map(|second| leg.silent(second * SECOND)).collect::<Vec<_>>()
        };
        assert_eq!(silences(&mut leg, 0..40), [1, 5, 30]);
        let from = "192.0.2.1:4000".parse().unwrap();
        let firsts = [40, 41].map(|at| leg.hear(&packet(8, 1), from, at * SECOND).unwrap().first);
        assert_eq!(firsts, [true, false]);
        assert_eq!(silences(&mut leg, 41..50), [1, 5]);
    }

    #[test]
    fn no_silence_is_counted_where_nothing_is_expected() {
        let mut leg = leg(None);
        assert_eq!(leg.silent(100 * SECOND), None);
        let agreed = Stream { remote: Some("192.0.2.1:4000".parse().unwrap()), ..leg.stream };
        leg.update(agreed, 100 * SECOND);
        assert_eq!(leg.silent(100 * SECOND), None);
        assert_eq!(leg.silent(101 * SECOND), Some(1));
        leg.update(Stream { receive: false, ..agreed }, 102 * SECOND);
        assert_eq!(leg.silent(200 * SECOND), None);
    }

    #[test]
    fn announcements_are_played_once_and_the_last_sound_for_ever() {
        let sound = |level| Arc::new(Sound::from_samples(&[level; 320]));
        let mut playing = Playing::new(vec![sound(1_000), sound(2_000)], sound(3_000));
        let mut payload = [0; FRAME];
        let mut turns = Vec::new();
        for _ in 0..7 {
            let announced = playing.next(Codec::Pcma, &mut payload);
            turns.push((g711::decode(Codec::Pcma, payload[0]) / 900, announced));
        }
        let expected = [1, 1, 2, 2, 3, 3, 3].map(|level| (level, false));
        let mut expected = expected.to_vec();
        expected[3].1 = true;
        assert_eq!(turns, expected);
    }
}
