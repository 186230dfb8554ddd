//! RTP as a relay sees it (RFC 3550 §5.1): what came, read once; what goes out, one unbroken
//! stream per peer, whatever it is spliced from.

use crate::media::g711::FRAME;
use rtp_rs::RtpReader;

/// The fixed part of a header.
pub const HEADER: usize = 12;
/// Nanoseconds of a frame.
pub const FRAME_TIME: u64 = 20_000_000;
/// Packets a sequence may jump before it is another stream (RFC 3550 appendix A.1, `MAX_DROPOUT`).
const DROPOUT_MAX: u16 = 3_000;

/// What is read of a received packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Payload type.
    pub payload_type: u8,
    /// First of a spurt of talk.
    pub marker: bool,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Where the payload begins.
    pub payload_at: usize,
    /// Where it ends; padding follows.
    pub payload_end: usize,
}

impl Header {
    /// Reads a packet; `None` for anything that is not RTP of version 2 with a payload.
    pub fn read(packet: &[u8]) -> Option<Header> {
        let reader = RtpReader::new(packet).ok()?;
        let payload_at = reader.payload_offset();
        let payload_end = payload_at + reader.payload().len();
        (payload_end > payload_at).then(|| Header {
            payload_type: reader.payload_type(),
            marker: reader.mark(),
            sequence: reader.sequence_number().into(),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
            payload_at,
            payload_end,
        })
    }
}

/// The stream we send to one peer: one SSRC, a sequence without holes of ours, a timestamp that
/// follows time. Frames of the wheel and packets of another peer are spliced into it.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    ssrc: u32,
    /// The next sequence number.
    sequence: u16,
    /// The next timestamp.
    timestamp: u32,
    /// When the last packet left, or should have; `None` before the first.
    at: Option<u64>,
    splice: Option<Splice>,
}

/// What is added to the numbers of a relayed stream.
#[derive(Clone, Copy, Debug)]
struct Splice {
    ssrc: u32,
    /// The newest sequence number seen of it.
    newest: u16,
    /// Which it has passed of the newest, in the lowest bit, and of those before.
    passed: u64,
    sequence: u16,
    timestamp: u32,
}

impl Splice {
    /// How far back a packet is still waited for: more than a second of speech. A larger step back is a
    /// sender that has begun again, which must not be mute until it has caught up.
    const BACK: u16 = u64::BITS as u16;

    /// Whether a packet belongs to it.
    fn goes_on_with(&self, header: &Header) -> bool {
        let ahead = header.sequence.wrapping_sub(self.newest);
        self.ssrc == header.ssrc && (ahead < DROPOUT_MAX || ahead.wrapping_neg() < Splice::BACK)
    }

    /// Passes a number that belongs to it; false: it has been passed.
    fn pass(&mut self, sequence: u16) -> bool {
        let ahead = sequence.wrapping_sub(self.newest);
        let back = ahead.wrapping_neg();
        if back < Splice::BACK {
            let bit = 1 << back;
            let fresh = self.passed & bit == 0;
            self.passed |= bit;
            return fresh;
        }
        self.passed = self.passed.checked_shl(ahead.into()).unwrap_or(0) | 1;
        self.newest = sequence;
        true
    }
}

impl Outgoing {
    /// A stream that begins at numbers nobody can guess (RFC 3550 §5.1).
    pub fn new(random: u64) -> Outgoing {
        Outgoing {
            ssrc: (random >> 32) as u32,
            sequence: (random >> 16) as u16,
            timestamp: (random as u32).rotate_left(16),
            at: None,
            splice: None,
        }
    }

    /// What its receiver knows it by.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Becomes another stream for its receiver, at numbers of its own; its time goes on.
    pub fn begin_anew(&mut self) {
        // Any other will do that its receiver has not met; the spread of a hash makes it so.
        let seed = u64::from(self.ssrc) << 32 | u64::from(self.timestamp);
        let spread = (seed ^ seed >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (self.ssrc, self.splice) = ((spread >> 32) as u32 ^ u32::from(self.sequence), None);
    }

    /// Ends what was relayed: the next relayed packet is spliced anew.
    pub fn cut(&mut self) {
        self.splice = None;
    }

    /// Writes the header of one frame of our own that is due at `at`.
    pub fn own(&mut self, packet: &mut [u8; HEADER + FRAME], payload_type: u8, at: u64) {
        let marker = self.splice.take().is_some() | self.catch_up(at);
        write(packet, payload_type, marker, self.sequence, self.timestamp, self.ssrc);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        self.at = Some(at);
    }

    /// Rewrites in place the header of a packet that another peer sent; its losses and its disorder
    /// stay visible to the receiver, and the stream around it stays one. False: it may not be sent,
    /// because it came before or was overtaken by the first one relayed. Its number belongs to another
    /// packet, and two under one number of one key give both away (RFC 3711 §9.1).
    #[must_use]
    pub fn relay(&mut self, packet: &mut [u8], header: &Header, payload_type: u8, at: u64) -> bool {
        let continued = self.splice.filter(|splice| splice.goes_on_with(header));
        let first = continued.is_none();
        let mut splice = continued.unwrap_or_else(|| {
            self.catch_up(at);
            Splice {
                ssrc: header.ssrc,
                newest: header.sequence.wrapping_sub(1),
                // The numbers before the first one are taken.
                passed: u64::MAX,
                sequence: self.sequence.wrapping_sub(header.sequence),
                timestamp: self.timestamp.wrapping_sub(header.timestamp),
            }
        });
        if !splice.pass(header.sequence) {
            return false;
        }
        let sequence = header.sequence.wrapping_add(splice.sequence);
        let timestamp = header.timestamp.wrapping_add(splice.timestamp);
        write(packet, payload_type, header.marker || first, sequence, timestamp, self.ssrc);
        // An overtaken packet does not set the stream back.
        if header.sequence == splice.newest {
            self.sequence = sequence.wrapping_add(1);
            self.timestamp = timestamp.wrapping_add(FRAME as u32);
        }
        (self.at, self.splice) = (Some(at), Some(splice));
        true
    }

    /// Moves the timestamp on over a silence of more than two frames; says whether a spurt begins.
    fn catch_up(&mut self, at: u64) -> bool {
        let Some(last) = self.at else { return true };
        // Half a frame over, because a packet a little late is not yet one missing.
        let frames = (at.saturating_sub(last) + FRAME_TIME / 2) / FRAME_TIME;
        if frames <= 2 {
            return false;
        }
        self.timestamp = self.timestamp.wrapping_add((frames as u32 - 1).wrapping_mul(FRAME as u32));
        true
    }
}

fn write(packet: &mut [u8], payload_type: u8, marker: bool, sequence: u16, timestamp: u32, ssrc: u32) {
    // Version 2; padding, extension and sources stay as they came (a frame of ours has none).
    packet[0] = 0x80 | (packet[0] & 0x3F);
    packet[1] = (u8::from(marker) << 7) | (payload_type & 0x7F);
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
    packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
}

/// What a peer's sequence numbers tell of packets that never came (RFC 3550 appendix A.3).
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    run: Option<Run>,
    lost: u64,
}

/// One stretch of one source that was read packet by packet.
#[derive(Clone, Copy, Debug)]
struct Run {
    ssrc: u32,
    newest: u16,
    /// From the first to the newest.
    expected: u64,
    received: u64,
}

impl Tally {
    /// Counts one packet.
    pub fn count(&mut self, header: &Header) {
        let fresh = Run { ssrc: header.ssrc, newest: header.sequence, expected: 1, received: 1 };
        let Some(run) = &mut self.run else {
            self.run = Some(fresh);
            return;
        };
        let ahead = header.sequence.wrapping_sub(run.newest);
        if run.ssrc != header.ssrc || ahead.wrapping_add(DROPOUT_MAX) >= 2 * DROPOUT_MAX {
            self.pause();
            self.run = Some(fresh);
            return;
        }
        run.received += 1;
        if ahead < 1 << 15 {
            run.expected += u64::from(ahead);
            run.newest = header.sequence;
        }
    }

    /// Ends a stretch: what comes until the next packet was not looked at.
    pub fn pause(&mut self) {
        // Duplicates can make more received than expected.
        self.lost += self.run.take().map_or(0, |run| run.expected.saturating_sub(run.received));
    }

    /// Packets missing so far.
    pub fn lost(&self) -> u64 {
        self.lost + self.run.map_or(0, |run| run.expected.saturating_sub(run.received))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtp_rs::RtpPacketBuilder;

    fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Vec<u8> {
        let builder = RtpPacketBuilder::new().payload_type(8).ssrc(ssrc).timestamp(timestamp);
        builder.sequence(sequence.into()).payload(&[0xD5; 160]).build().unwrap()
    }

    fn relayed(out: &mut Outgoing, bytes: Vec<u8>, at: u64) -> Header {
        passed(out, bytes, at).expect("to be sent")
    }

    fn passed(out: &mut Outgoing, mut bytes: Vec<u8>, at: u64) -> Option<Header> {
        let header = Header::read(&bytes).unwrap();
        out.relay(&mut bytes, &header, 8, at).then(|| Header::read(&bytes).unwrap())
    }

    fn owned(out: &mut Outgoing, at: u64) -> Header {
        let mut bytes = [0; HEADER + FRAME];
        out.own(&mut bytes, 8, at);
        Header::read(&bytes).unwrap()
    }

    const T: u64 = FRAME_TIME;

    #[test]
    fn what_is_not_rtp_is_not_read() {
        let good = packet(1, 1, 1);
        assert!(Header::read(&good).is_some());
        assert_eq!(Header::read(&good[..12]), None, "no payload");
        for (at, byte) in [(0, 0x40), (0, 0x9F), (0, 0xA0)] {
            let mut bad = good[..20].to_vec();
            (bad[at], bad[19]) = (byte, 200);
            assert_eq!(Header::read(&bad), None, "first byte {byte:x}");
        }
        for length in 0..good.len() {
            let _ = Header::read(&good[..length]);
        }
    }

    #[test]
    fn our_own_frames_are_one_stream_with_one_marker() {
        let mut out = Outgoing::new(0x1122_3344_FFFE_6677);
        let heads: Vec<Header> = (0..4).map(|n| owned(&mut out, n * T)).collect();
        assert!(heads[0].marker && heads[1..].iter().all(|head| !head.marker));
        for pair in heads.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
            assert_eq!(pair[1].timestamp, pair[0].timestamp.wrapping_add(160));
            assert_eq!(pair[1].ssrc, pair[0].ssrc);
        }
    }

    #[test]
    fn a_relayed_stream_continues_ours_and_keeps_its_holes() {
        let mut out = Outgoing::new(77);
        let before = owned(&mut out, 0);
        let first = relayed(&mut out, packet(9, 65_535, 4_000_000_000), T);
        let third = relayed(&mut out, packet(9, 1, 4_000_000_320), 3 * T);
        let second = relayed(&mut out, packet(9, 0, 4_000_000_160), 3 * T);
        let back = owned(&mut out, 4 * T);
        assert!(first.marker && !second.marker && !third.marker && back.marker);
        let ahead = |head: Header| {
            (head.sequence.wrapping_sub(before.sequence), head.timestamp.wrapping_sub(before.timestamp))
        };
        assert_eq!([first, second, third, back].map(ahead), [(1, 160), (2, 320), (3, 480), (4, 640)]);
        assert!([first, second, third, back].iter().all(|head| head.ssrc == before.ssrc));
    }

    #[test]
    fn another_source_or_a_wild_jump_is_spliced_without_a_hole() {
        let mut out = Outgoing::new(5);
        let first = relayed(&mut out, packet(1, 100, 0), 0);
        let other = relayed(&mut out, packet(2, 9_000, 70), T);
        let jump = relayed(&mut out, packet(2, 30_000, 99), 2 * T);
        assert_eq!(other.sequence, first.sequence.wrapping_add(1));
        assert_eq!(jump.sequence, first.sequence.wrapping_add(2));
        assert_eq!(jump.timestamp, first.timestamp.wrapping_add(320));
        assert!(other.marker && jump.marker);
    }

    #[test]
    fn no_number_is_given_twice_whatever_a_sender_repeats_or_is_late_with() {
        let mut out = Outgoing::new(0xFFF8 << 16);
        // As SRTP counts them: with the turns of the 16 bits.
        let mut given: Vec<i64> = (0..3).map(|n| owned(&mut out, n * T).sequence.into()).collect();
        let mut newest = given[2];
        let mut pass = |ssrc, sequence| {
            let header = passed(&mut out, packet(ssrc, sequence, u32::from(sequence) * 160), 3 * T);
            let Some(header) = header else { return false };
            let step = header.sequence.wrapping_sub(newest as u16) as i16;
            given.push(newest + i64::from(step));
            newest = newest.max(newest + i64::from(step));
            true
        };
        assert!(pass(9, 100), "the first one relayed");
        assert!(!pass(9, 99) && !pass(9, 98), "its elders would have the numbers of our own frames");
        assert!(!pass(9, 100), "a double");
        assert!(pass(9, 103) && pass(9, 101), "overtaken, and not yet passed");
        assert!(!pass(9, 101) && pass(9, 102) && !pass(9, 102) && !pass(9, 103));
        assert!(pass(9, 400) && pass(9, 350) && !pass(9, 350) && !pass(9, 400), "over a gap");
        assert!(pass(9, 330), "a step too far back is another beginning");
        assert!(!pass(9, 329) && pass(9, 331));
        assert!(pass(8, 50) && pass(9, 332) && !pass(9, 331), "two sources in turn");
        for step in 0..3_000u16 {
            // A peer that steps back over all it has sent, to have it sealed again.
            pass(9, 332u16.wrapping_sub(step));
            pass(9, 333 + step % 7);
        }
        let count = given.len();
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), count, "a number twice");
    }

    #[test]
    fn a_sender_that_begins_again_at_lower_numbers_is_not_mute() {
        let mut out = Outgoing::new(5);
        let last = (1_000..1_200).map(|n| relayed(&mut out, packet(9, n, 0), 0).sequence).last();
        let again = relayed(&mut out, packet(9, 500, 0), T);
        assert_eq!(Some(again.sequence.wrapping_sub(1)), last);
        assert!(again.marker);
    }

    #[test]
    fn the_timestamp_moves_on_while_nothing_is_sent() {
        let mut out = Outgoing::new(5);
        let before = owned(&mut out, 0);
        let after = owned(&mut out, 50 * T);
        assert_eq!(after.timestamp.wrapping_sub(before.timestamp), 50 * 160);
        assert_eq!(after.sequence, before.sequence.wrapping_add(1));
        assert!(after.marker);
    }

    #[test]
    fn loss_is_counted_across_sources_and_pauses_but_not_during_them() {
        let mut tally = Tally::default();
        let mut count = |ssrc, sequences: &[u16]| {
            for sequence in sequences {
                tally.count(&Header::read(&packet(ssrc, *sequence, 0)).unwrap());
            }
            tally.lost()
        };
        assert_eq!(count(1, &[65_534, 65_535, 1, 3, 2]), 1);
        assert_eq!(count(2, &[7, 9]), 2);
        tally.pause();
        tally.count(&Header::read(&packet(2, 500, 0)).unwrap());
        assert_eq!(tally.lost(), 2, "what came during a pause is not lost");
    }
}
