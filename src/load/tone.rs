//! What is said and what is heard: tones, G.711, and an ear that knows one tone from another.
//!
//! G.711 is written here from the recommendation's formula, apart from the plane's tables: a fault
//! in one of them must not hide in both.

use crate::media::sound::{Sound, Sounds};
use sip::sdp::Codec;
use std::sync::Arc;

/// What callers say, in hertz.
pub const CALLER_HZ: f64 = 1_000.0;
/// What phones say, in hertz.
pub const PHONE_HZ: f64 = 700.0;
/// Samples a second.
pub const RATE: u32 = 8_000;
/// Samples of one packet of 20 ms.
pub const FRAME: usize = 160;

/// Samples an ear judges at once: 100 ms, a whole number of waves of both tones. Longer would hear
/// later, shorter would confuse them.
const WINDOW: usize = 800;
/// The share of all energy that must lie on a tone for it to be the tone: A-law's own noise leaves
/// above 0.99, the wrong tone below 0.01.
const SHARE_MIN: f64 = 0.8;
/// Mean square below which there is silence: about -50 dB of full scale.
const SILENCE: f64 = 10_000.0;

/// What one side says, frame by frame, for as long as the call lasts.
#[derive(Clone, Debug)]
pub enum Speech {
    /// One second of samples, over and over.
    Tone {
        /// The samples.
        pcm: Vec<i16>,
        /// The next one.
        at: usize,
    },
    /// Spoken words, a breath, and again.
    Words {
        /// An embedded sound.
        sound: Arc<Sound>,
        /// The next frame.
        at: usize,
    },
}

/// Frames of silence between two times of saying the same words: a second and a half.
const BREATH: usize = 75;

impl Speech {
    /// A steady tone at half of full scale. `hertz` divides 8 000 into whole waves of a second.
    pub fn tone(hertz: f64) -> Speech {
        let step = std::f64::consts::TAU * hertz / f64::from(RATE);
        let sample = |n: u32| (f64::from(n) * step).sin() * 16_000.0;
        Speech::Tone { pcm: (0..RATE).map(|n| sample(n) as i16).collect(), at: 0 }
    }

    /// The next 20 ms.
    pub fn frame(&mut self, codec: Codec) -> [u8; FRAME] {
        match self {
            Speech::Tone { pcm, at } => std::array::from_fn(|_| {
                let sample = pcm.get(*at).copied().unwrap_or(0);
                *at = if *at + 1 >= pcm.len() { 0 } else { *at + 1 };
                compress(codec, sample)
            }),
            Speech::Words { sound, at } => {
                let frame = *at;
                *at = (frame + 1) % (sound.len() + BREATH);
                let law = match codec {
                    Codec::Pcma => engine::media::Codec::Pcma,
                    Codec::Pcmu => engine::media::Codec::Pcmu,
                };
                if frame < sound.len() { *sound.frame(law, frame) } else { [compress(codec, 0); FRAME] }
            }
        }
    }
}

/// What is said in a run.
#[derive(Clone, Debug)]
pub struct Voices(Option<Sounds>);

impl Voices {
    /// Tones.
    pub fn tones() -> Voices {
        Voices(None)
    }

    /// The embedded sounds of the demonstration.
    pub fn spoken() -> Voices {
        Voices(Some(Sounds::embedded()))
    }

    /// What the `nth` caller says.
    pub fn caller(&self, nth: u64) -> Speech {
        self.words(&format!("caller-{}", nth % 4 + 1), CALLER_HZ)
    }

    /// What a phone says.
    pub fn phone(&self) -> Speech {
        self.words("agent-1", PHONE_HZ)
    }

    fn words(&self, name: &str, hertz: f64) -> Speech {
        match self.0.as_ref().and_then(|sounds| sounds.sound(name)) {
            Some(sound) => Speech::Words { sound: Arc::clone(sound), at: 0 },
            None => Speech::tone(hertz),
        }
    }
}

/// What an ear has just understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing, or noise too low to tell.
    Silence,
    /// The tone it listens for.
    Tone,
    /// Something else: hold audio, an announcement, the other tone.
    Other,
}

/// Listens for one tone.
#[derive(Clone, Debug)]
pub struct Ear {
    hertz: f64,
    window: Vec<i16>,
}

impl Ear {
    /// An ear for a tone of `hertz`.
    pub fn listening_for(hertz: f64) -> Ear {
        Ear { hertz, window: Vec::with_capacity(WINDOW + FRAME) }
    }

    /// Takes one packet's payload; answers once per 100 ms.
    pub fn hear(&mut self, codec: Codec, payload: &[u8]) -> Option<Verdict> {
        self.window.extend(payload.iter().take(10 * FRAME).map(|byte| expand(codec, *byte)));
        if self.window.len() < WINDOW {
            return None;
        }
        let sound = judge(&self.window[..WINDOW], self.hertz);
        self.window.drain(..WINDOW);
        Some(sound)
    }
}

/// Whether at least half a second of these samples is a tone of `hertz`: a listener's verdict on a
/// whole recording.
pub fn carries(samples: &[i16], hertz: f64) -> bool {
    samples.chunks_exact(WINDOW).filter(|window| judge(window, hertz) == Verdict::Tone).count() >= 5
}

/// What one window holds.
fn judge(window: &[i16], hertz: f64) -> Verdict {
    let samples: Vec<f64> = window.iter().copied().map(f64::from).collect();
    let energy: f64 = samples.iter().map(|s| s * s).sum();
    let length = samples.len() as f64;
    if energy <= SILENCE * length {
        return Verdict::Silence;
    }
    let tone = 2.0 * goertzel(&samples, hertz) / (length * energy);
    if tone >= SHARE_MIN { Verdict::Tone } else { Verdict::Other }
}

/// Power of one frequency (G. Goertzel, 1958): a Fourier transform of a single bin.
fn goertzel(samples: &[f64], hertz: f64) -> f64 {
    let factor = 2.0 * (std::f64::consts::TAU * hertz / f64::from(RATE)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (sample + factor * last - before, last);
    }
    last * last + before * before - factor * last * before
}

/// One sample as a byte (ITU-T G.711).
fn compress(codec: Codec, sample: i16) -> u8 {
    let (negative, size) = (sample < 0, if sample < 0 { !sample } else { sample });
    let byte = match codec {
        Codec::Pcma => {
            let mut step = size >> 4;
            if step > 15 {
                let mut segment = 1;
                while step > 31 {
                    step >>= 1;
                    segment += 1;
                }
                step += (segment << 4) - 16;
            }
            (if negative { step } else { step | 0x80 }) ^ 0x55
        }
        Codec::Pcmu => {
            let size = ((size >> 2) + 33).min(0x1FFF);
            let mut segment = 1;
            while size >> (segment + 5) != 0 {
                segment += 1;
            }
            let byte = ((8 - segment) << 4) | (0xF - ((size >> segment) & 0xF));
            if negative { byte } else { byte | 0x80 }
        }
    };
    // Both branches leave eight bits: sign, three of segment, four of step.
    (byte & 0xFF) as u8
}

/// One byte as a sample (ITU-T G.711).
fn expand(codec: Codec, byte: u8) -> i16 {
    match codec {
        Codec::Pcma => {
            let code = i16::from(byte ^ 0x55);
            let (segment, step) = ((code >> 4) & 7, code & 0xF);
            let step = ((step + if segment > 0 { 16 } else { 0 }) << 4) + 8;
            let size = if segment > 1 { step << (segment - 1) } else { step };
            if byte & 0x80 != 0 { size } else { -size }
        }
        Codec::Pcmu => {
            let code = i16::from(!byte);
            let (segment, step) = ((code >> 4) & 7, code & 0xF);
            let width = 4 << (segment + 1);
            let size = (0x80 << segment) + width * step + width / 2 - 4 * 33;
            if byte & 0x80 != 0 { size } else { -size }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_both_ways() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for byte in 0..=255 {
                // mu-law has two zeros; the negative one is never made.
                if codec == Codec::Pcma || byte != 0x7F {
                    assert_eq!(compress(codec, expand(codec, byte)), byte, "{codec:?} {byte:#04x}");
                }
            }
        }
        // Silence and the extremes of the recommendation's tables.
        assert_eq!((compress(Codec::Pcma, 0), compress(Codec::Pcmu, 0)), (0xD5, 0xFF));
        assert_eq!((expand(Codec::Pcma, 0xAA), expand(Codec::Pcmu, 0x80)), (32_256, 32_124));
    }

    #[test]
    fn an_ear_knows_its_tone_from_the_other_and_from_silence() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for (said, heard) in
                [(CALLER_HZ, Verdict::Tone), (PHONE_HZ, Verdict::Other), (440.0, Verdict::Other)]
            {
                let (mut mouth, mut ear) = (Speech::tone(said), Ear::listening_for(CALLER_HZ));
                let sounds: Vec<_> = (0..20).filter_map(|_| ear.hear(codec, &mouth.frame(codec))).collect();
                assert_eq!(sounds, [heard; 4], "{said} Hz");
            }
            let (mut mouth, mut ear) =
                (Speech::Tone { pcm: Vec::new(), at: 0 }, Ear::listening_for(CALLER_HZ));
            let sounds: Vec<_> = (0..20).filter_map(|_| ear.hear(codec, &mouth.frame(codec))).collect();
            assert_eq!(sounds, [Verdict::Silence; 4]);
        }
    }

    #[test]
    fn spoken_words_are_neither_silence_nor_a_tone() {
        let voices = Voices::spoken();
        for mut mouth in [voices.caller(0), voices.caller(3), voices.phone()] {
            let mut ear = Ear::listening_for(PHONE_HZ);
            let heard: Vec<_> =
                (0..100).filter_map(|_| ear.hear(Codec::Pcma, &mouth.frame(Codec::Pcma))).collect();
            assert!(heard.contains(&Verdict::Other), "{heard:?}");
        }
    }
}
