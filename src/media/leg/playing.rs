//! How far a leg is in what it is played.

use crate::media::sound::Sound;
use engine::media::Codec;
use std::sync::Arc;

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
    pub(super) fn next(&mut self, codec: Codec, payload: &mut [u8]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::g711::{self, FRAME};

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
