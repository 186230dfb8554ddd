//! What a port of a mixed conversation has said and nobody has heard yet: a small buffer that turns
//! packets that come early, late, twice or not at all into one frame every 20 ms.

use crate::media::g711::{self, FRAME};
use crate::media::rtp::Header;
use engine::media::Codec;

/// Samples it can hold: 256 ms, more than any line worth talking over is late. A power of two.
const ROOM: usize = 2_048;
/// How far behind its sender it plays: two frames. Less breaks on every network's unevenness, more
/// makes people talk at the same time.
const BEHIND: u32 = 2 * FRAME as u32;
/// A frame more than it needs for so many turns is left out: a sender whose clock is fast. Sooner
/// leaves speech out after every hiccup, later lets the delay stand.
const PATIENCE: u32 = 25;
/// Frames made up for what never came; then silence. Longer repetition sounds like a machine.
const MADE_UP: u32 = 2;
/// No sample of G.711 has this value.
const MISSING: i16 = i16::MIN;

/// The buffer of one port.
#[derive(Clone, Debug)]
pub struct Jitter {
    samples: Box<[i16; ROOM]>,
    /// The stream it follows; `None` before its first packet.
    ssrc: Option<u32>,
    /// The timestamp of the next sample to be heard.
    next: u32,
    /// Past the newest sample that came.
    end: u32,
    last: [i16; FRAME],
    made_up: u32,
    /// The least that was left after a turn, and for how many turns.
    least: u32,
    turns: u32,
}

impl Default for Jitter {
    fn default() -> Jitter {
        Jitter {
            samples: Box::new([MISSING; ROOM]),
            ssrc: None,
            next: 0,
            end: 0,
            last: [0; FRAME],
            made_up: MADE_UP,
            least: u32::MAX,
            turns: 0,
        }
    }
}

impl Jitter {
    /// Takes in what a packet carries. What comes too late to be heard is left out.
    pub fn put(&mut self, header: &Header, codec: Codec, payload: &[u8]) {
        let Ok(length) = u32::try_from(payload.len()) else { return };
        if payload.len() > ROOM / 2 {
            return; // 128 ms in one packet is not a telephone
        }
        let ahead = header.timestamp.wrapping_sub(self.next).cast_signed();
        let fits = ahead > -(ROOM as i32) && ahead + (length as i32) <= ROOM as i32;
        if self.ssrc != Some(header.ssrc) || !fits {
            self.follow(header);
        }
        for (nth, byte) in (0u32..).zip(payload) {
            let sample = header.timestamp.wrapping_add(nth);
            // A packet that is partly late is partly heard.
            if sample.wrapping_sub(self.next) < ROOM as u32 {
                self.samples[sample as usize % ROOM] = g711::decode(codec, *byte);
            }
        }
        let end = header.timestamp.wrapping_add(length);
        if end.wrapping_sub(self.end).cast_signed() > 0 {
            self.end = end;
        }
    }

    /// A stream begins, or has jumped.
    fn follow(&mut self, header: &Header) {
        self.samples.fill(MISSING);
        self.ssrc = Some(header.ssrc);
        self.next = header.timestamp.wrapping_sub(BEHIND);
        self.end = header.timestamp;
        // The frames before the first packet are no loss.
        self.made_up = MADE_UP;
        (self.least, self.turns) = (u32::MAX, 0);
    }

    /// Samples that wait to be heard.
    fn waiting(&self) -> u32 {
        u32::try_from(self.end.wrapping_sub(self.next).cast_signed()).unwrap_or(0)
    }

    /// Whether something waits to be heard.
    pub fn is_empty(&self) -> bool {
        self.ssrc.is_none() || self.waiting() == 0
    }

    /// The next frame; false, and nothing written, when there is nothing to be heard.
    pub fn take(&mut self, frame: &mut [i16; FRAME]) -> bool {
        if self.is_empty() {
            // Nothing newer has come: it may be late, so that its place is kept.
            return self.make_up(frame);
        }
        self.keep_pace();
        let mut came = false;
        for (nth, (sample, past)) in frame.iter_mut().zip(&self.last).enumerate() {
            let place = self.next.wrapping_add(nth as u32) as usize % ROOM;
            let heard = std::mem::replace(&mut self.samples[place], MISSING);
            came |= heard != MISSING;
            // What is lost sounds like what came before, more quietly.
            *sample = if heard == MISSING { *past / 2 } else { heard };
        }
        self.next = self.next.wrapping_add(FRAME as u32);
        if !came {
            return self.make_up(frame);
        }
        self.made_up = 0;
        self.last = *frame;
        true
    }

    /// A frame like the last one, more quietly; after a few of them, none.
    fn make_up(&mut self, frame: &mut [i16; FRAME]) -> bool {
        if self.made_up >= MADE_UP {
            return false;
        }
        self.made_up += 1;
        for (sample, past) in frame.iter_mut().zip(&mut self.last) {
            *past /= 2;
            *sample = *past;
        }
        true
    }

    /// Leaves a frame out when more than is needed has waited for long: the sender's clock is
    /// faster than ours, or a hiccup has passed.
    fn keep_pace(&mut self) {
        self.least = self.least.min(self.waiting());
        self.turns += 1;
        if self.turns < PATIENCE {
            return;
        }
        if self.least > BEHIND + FRAME as u32 {
            for nth in 0..FRAME as u32 {
                self.samples[self.next.wrapping_add(nth) as usize % ROOM] = MISSING;
            }
            self.next = self.next.wrapping_add(FRAME as u32);
        }
        (self.least, self.turns) = (u32::MAX, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u32 = u32::MAX - 500; // timestamps wrap in every test

    fn header(nth: u32) -> Header {
        Header {
            payload_type: 8,
            marker: false,
            sequence: nth as u16,
            timestamp: START.wrapping_add(nth * FRAME as u32),
            ssrc: 7,
            payload_at: 0,
            payload_end: FRAME,
        }
    }

    /// A packet whose every sample says which one it is.
    fn put(jitter: &mut Jitter, nth: u32) {
        let level = i16::try_from(1_000 + 100 * (nth % 100)).unwrap();
        jitter.put(&header(nth), Codec::Pcma, &[g711::encode(Codec::Pcma, level); FRAME]);
    }

    fn said(nth: u32) -> i16 {
        let level = i16::try_from(1_000 + 100 * (nth % 100)).unwrap();
        g711::decode(Codec::Pcma, g711::encode(Codec::Pcma, level))
    }

    fn take(jitter: &mut Jitter) -> Option<i16> {
        let mut frame = [0; FRAME];
        jitter.take(&mut frame).then_some(frame[80])
    }

    #[test]
    fn what_is_said_is_heard_once_in_order_two_frames_later() {
        let mut jitter = Jitter::default();
        assert_eq!(take(&mut jitter), None);
        let mut heard = Vec::new();
        for nth in 0..10 {
            put(&mut jitter, nth);
            heard.push(take(&mut jitter));
        }
        assert_eq!(heard[..2], [None, None]);
        let expected: Vec<_> = (0..8).map(|nth| Some(said(nth))).collect();
        assert_eq!(heard[2..], expected);
    }

    #[test]
    fn packets_that_overtake_each_other_or_come_twice_are_heard_in_order_once() {
        let mut jitter = Jitter::default();
        for nth in [0, 2, 1, 1, 3] {
            put(&mut jitter, nth);
        }
        let heard: Vec<_> = (0..6).map(|_| take(&mut jitter)).collect();
        assert_eq!(heard[2..], [0, 1, 2, 3].map(|nth| Some(said(nth))));
    }

    #[test]
    fn one_lost_packet_sounds_like_the_one_before_and_a_long_loss_is_silence() {
        let mut jitter = Jitter::default();
        for nth in [0, 1, 3] {
            put(&mut jitter, nth);
        }
        let heard: Vec<_> = (0..10).map(|_| take(&mut jitter)).collect();
        assert_eq!(heard[2..4], [Some(said(0)), Some(said(1))]);
        assert!(heard[4].is_some_and(|level| level > 0 && level <= said(1) / 2), "{heard:?}");
        assert_eq!(heard[5], Some(said(3)));
        assert_eq!(heard[8..], [None, None], "{heard:?}");
    }

    #[test]
    fn a_late_sender_is_waited_for_and_its_speech_kept() {
        let mut jitter = Jitter::default();
        put(&mut jitter, 0);
        for _ in 0..6 {
            take(&mut jitter);
        }
        put(&mut jitter, 1);
        put(&mut jitter, 2);
        assert_eq!([take(&mut jitter), take(&mut jitter)], [Some(said(1)), Some(said(2))]);
    }

    #[test]
    fn a_clock_that_is_fast_or_slow_costs_a_frame_now_and_then_and_never_the_delay() {
        for (every, more) in [(40, 1), (40, 0)] {
            let mut jitter = Jitter::default();
            let (mut nth, mut lost) = (0, 0);
            for turn in 0..4_000 {
                // A fortieth faster, or slower: far worse than any telephone.
                let packets = if turn % every == 0 { 2 * more } else { 1 };
                for _ in 0..packets {
                    put(&mut jitter, nth);
                    nth += 1;
                }
                lost += u32::from(take(&mut jitter).is_none());
                assert!(jitter.waiting() <= 8 * FRAME as u32, "{turn}: {}", jitter.waiting());
            }
            assert!(lost < 200, "{lost} of 4000 turns heard nothing");
        }
    }

    #[test]
    fn another_stream_of_the_same_peer_is_followed_at_once() {
        let mut jitter = Jitter::default();
        put(&mut jitter, 0);
        for (ssrc, timestamp) in [(9, 77), (9, 1 << 30)] {
            let jumped = Header { ssrc, timestamp, ..header(0) };
            jitter.put(&jumped, Codec::Pcmu, &[g711::encode(Codec::Pcmu, 4_000); FRAME]);
            assert_eq!([take(&mut jitter), take(&mut jitter)], [None, None]);
            assert!(take(&mut jitter).is_some_and(|level| level > 3_900));
        }
    }

    #[test]
    fn packets_of_other_lengths_are_cut_into_frames() {
        let mut jitter = Jitter::default();
        let payload = [g711::encode(Codec::Pcma, 2_000); 240];
        for nth in 0..4 {
            let timestamp = START.wrapping_add(nth * 240);
            jitter.put(&Header { timestamp, ..header(0) }, Codec::Pcma, &payload);
        }
        let heard = (0..8).filter(|_| take(&mut jitter).is_some()).count();
        assert_eq!(heard, 6, "four packets of 30 ms are six frames");
    }
}
