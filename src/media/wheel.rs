//! The wheel: whoever is played something gets a frame every 20 ms. Callers are spread over the
//! milliseconds of a turn, so that the work comes evenly and a thread is never far behind.

use crate::media::rtp::FRAME_TIME;

/// Phases of a turn: one per millisecond.
pub const PHASES: u64 = 20;
/// Time between two phases, in nanoseconds.
pub const STEP: u64 = FRAME_TIME / PHASES;
/// Callers who share a phase before the next one is opened. Each open phase is a wake-up per turn
/// (about the cost of two packets): fewer per phase cost CPU, more make the last of them wait
/// (3 us each).
const GROUP: usize = 16;
/// How far behind it catches up frame by frame. A longer stall is left out: a burst of old frames
/// would only fill jitter buffers.
const CATCH_UP: u64 = 5 * FRAME_TIME;

/// Who is due in which phase. Knows nothing of audio: members are places in a list of legs.
#[derive(Debug, Default)]
pub struct Wheel {
    phases: [Vec<u32>; PHASES as usize],
    /// The next step to be served: a count of [`STEP`]s since the clock's zero.
    step: u64,
    members: usize,
}

/// One phase that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Which phase; [`Wheel::members`] are to be sent a frame.
    pub phase: usize,
    /// When it was due, in nanoseconds.
    pub at: u64,
    /// Steps left out before it, after a stall.
    pub skipped: u64,
}

impl Wheel {
    /// Adds a member that is in no phase; answers with its phase.
    pub fn join(&mut self, member: u32, now: u64) -> usize {
        if self.members == 0 {
            self.step = now / STEP + 1;
        }
        let load = |phase: usize| self.phases[phase].len();
        // An open group is filled first; then the emptiest phase opens one.
        let open = (0..PHASES as usize).filter(|phase| load(*phase) % GROUP != 0).min_by_key(|p| load(*p));
        let emptiest = || (0..PHASES as usize).min_by_key(|phase| load(*phase)).unwrap_or(0);
        let phase = open.unwrap_or_else(emptiest);
        self.phases[phase].push(member);
        self.members += 1;
        phase
    }

    /// Takes a member out of its phase.
    pub fn leave(&mut self, member: u32, phase: usize) {
        let members = &mut self.phases[phase];
        if let Some(place) = members.iter().position(|other| *other == member) {
            members.swap_remove(place);
            self.members -= 1;
        }
    }

    /// The members of a phase.
    pub fn members(&self, phase: usize) -> &[u32] {
        &self.phases[phase]
    }

    /// The next phase that is due at `now` and has members, until `None`.
    pub fn due(&mut self, now: u64) -> Option<Turn> {
        let current = now / STEP;
        let mut skipped = 0;
        let behind = current.saturating_sub(self.step);
        if self.members > 0 && behind * STEP > CATCH_UP {
            // Whole turns, so that every phase is left out as often.
            skipped = behind / PHASES * PHASES;
            self.step += skipped;
        }
        while self.members > 0 && self.step <= current {
            let (step, phase) = (self.step, (self.step % PHASES) as usize);
            self.step += 1;
            if !self.phases[phase].is_empty() {
                return Some(Turn { phase, at: step * STEP, skipped });
            }
        }
        None
    }

    /// When the next phase with members is due, in nanoseconds.
    pub fn next(&self) -> Option<u64> {
        let phase = |step: &u64| (step % PHASES) as usize;
        let mut steps = self.step..self.step + PHASES;
        let next = || steps.find(|step| !self.phases[phase(step)].is_empty());
        (self.members > 0).then(next).flatten().map(|step| step * STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a wheel from `from` to `to` (milliseconds), woken when it asks; frames per member.
    fn run(wheel: &mut Wheel, from: u64, to: u64, members: usize) -> Vec<usize> {
        let mut frames = vec![0; members];
        let mut now = from * STEP;
        while now < to * STEP {
            while let Some(turn) = wheel.due(now) {
                assert!(turn.at <= now);
                for member in wheel.members(turn.phase) {
                    frames[*member as usize] += 1;
                }
            }
            now = wheel.next().unwrap_or(u64::MAX);
        }
        frames
    }

    #[test]
    fn everybody_gets_fifty_frames_a_second() {
        let mut wheel = Wheel::default();
        for member in 0..500 {
            wheel.join(member, 1_000 * STEP);
        }
        let frames = run(&mut wheel, 1_000, 2_001, 500);
        assert!(frames.iter().all(|count| *count == 50), "{frames:?}");
    }

    #[test]
    fn many_are_spread_evenly_and_few_share_a_wake_up() {
        let mut wheel = Wheel::default();
        let first: Vec<usize> = (0..16).map(|member| wheel.join(member, 0)).collect();
        assert!(first.iter().all(|phase| *phase == first[0]), "{first:?}");
        for member in 16..1_600 {
            wheel.join(member, 0);
        }
        assert!((0..20).all(|phase| wheel.members(phase).len() == 80));
    }

    #[test]
    fn who_leaves_gets_nothing_and_an_empty_wheel_sleeps() {
        let mut wheel = Wheel::default();
        let phases = [wheel.join(0, 0), wheel.join(1, 0)];
        wheel.leave(0, phases[0]);
        assert_eq!(run(&mut wheel, 0, 101, 2), [0, 5]);
        wheel.leave(1, phases[1]);
        assert_eq!(wheel.next(), None);
        assert_eq!(wheel.due(u64::MAX / 2), None);
    }

    #[test]
    fn a_short_stall_is_caught_up_and_a_long_one_left_out() {
        let mut wheel = Wheel::default();
        wheel.join(0, 0);
        assert_eq!(run(&mut wheel, 80, 81, 1), [4], "all four frames of a stall of 80 ms");
        let mut turns = Vec::new();
        while let Some(turn) = wheel.due(10_000 * STEP) {
            turns.push(turn);
        }
        assert!(turns.len() <= 2, "{turns:?}");
        assert!(turns[0].skipped > 9_000 && turns[0].skipped % PHASES == 0);
    }
}
