//! What comes from a leg's peer: judged, counted, and kept for a mix.

use super::Leg;
use crate::media::g711;
use crate::media::rtp::Header;
use engine::media::Codec;
use std::net::SocketAddr;

/// What a received packet is to whoever hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Audio of this law.
    Audio(Codec),
    /// A telephone-event.
    Key,
    /// That the peer is there and says nothing (RFC 3389): there is nothing in it to pass on, since it
    /// may have been agreed with nobody else.
    Noise,
}

/// The payload type of comfort noise (RFC 3389 §4), which gateways send unasked.
const NOISE: u8 = 13;

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
    /// Opens a packet that is enciphered, in place; its length, or `None` when it is not the peer's.
    pub fn unseal(&mut self, packet: &mut [u8]) -> Option<usize> {
        match (self.stream.srtp, &mut self.srtp) {
            (None, _) => Some(packet.len()),
            (Some(_), Some(srtp)) => srtp.open(packet),
            // Agreed, and no arithmetic for it: plain packets are nobody's.
            (Some(_), None) => None,
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
        let first = self.silence.hear(now, kind != Kind::Noise);
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
            None => (payload_type == NOISE).then_some(Kind::Noise),
        }
    }

    /// Keeps what a packet of its peer carries for the next turns of a mix.
    pub fn keep(&mut self, packet: &[u8], heard: &Heard) {
        let Kind::Audio(codec) = heard.kind else { return };
        let payload = packet.get(heard.header.payload_at..heard.header.payload_end);
        if let (Some(said), Some(payload)) = (&mut self.said, payload) {
            said.put(&heard.header, codec, payload);
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::leg::kit::{leg, packet};
    use crate::media::leg::{Place, Playing, SECOND};
    use crate::media::sound::Sound;
    use engine::id::{BridgeId, CentreId, Serial};
    use engine::media::Stream;
    use std::sync::Arc;

    #[test]
    fn only_what_was_agreed_is_heard() {
        let mut leg = leg(Some("192.0.2.1:4000"));
        let from = "192.0.2.1:4000".parse().unwrap();
        let mut kind = |payload_type| leg.hear(&packet(payload_type, 1), from, 0).map(|heard| heard.kind);
        assert_eq!(kind(8), Some(Kind::Audio(Codec::Pcma)));
        assert_eq!(kind(0), Some(Kind::Audio(Codec::Pcmu)), "a peer that sends the other law is understood");
        assert_eq!(kind(101), Some(Kind::Key));
        assert_eq!(kind(13), Some(Kind::Noise), "silence suppression of a gateway");
        assert_eq!(kind(96), None);
    }

    #[test]
    fn a_peer_that_sends_comfort_noise_alone_is_there_and_is_mute() {
        let mut leg = leg(Some("192.0.2.1:4000"));
        let from = "192.0.2.1:4000".parse().unwrap();
        let noise = Playing::new(Vec::new(), Arc::new(Sound::from_samples(&[8; 160])));
        leg.place = Place::Bridge(BridgeId { centre: CentreId(0), serial: Serial(1) }, noise);
        assert!(leg.hear(&packet(8, 1), from, 0).is_some());
        let mut hushes = 0;
        for (sequence, tenth) in (2..).zip(1..400) {
            let now = tenth * SECOND / 10;
            assert!(leg.hear(&packet(13, sequence), from, now).is_some_and(|heard| !heard.first));
            assert_eq!(leg.silent(now), None, "nobody asks whether it lives");
            hushes += u32::from(leg.hushes(now).is_some());
        }
        assert_eq!(hushes, 1, "the others hear noise of ours, without a gap");
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
}
