//! Tones: the ones callers hear (ring-back, comfort noise), and the ear that tells them apart.

use crate::media::g711::RATE;
use std::f64::consts::TAU;

/// France's ring-back: 440 Hz, 1.5 s on, 3.5 s off, as one turn of its loop.
pub fn ring_back() -> Vec<i16> {
    let mut turn = sine(440.0, 8_000, seconds(1.5));
    turn.resize(seconds(5.0), 0);
    turn
}

/// Noise a little above silence (about -60 dBov): the line is alive. Two seconds, to be looped;
/// the same ones each time.
pub fn comfort() -> Vec<i16> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut smooth = 0i32;
    let turn = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let white = (state >> 40) as i32 % 129 - 64;
        // A first-order low pass: hiss tires the ear, a murmur does not.
        smooth += (white - smooth) / 2;
        smooth as i16
    });
    turn.take(seconds(2.0)).collect()
}

/// `count` samples of a steady tone, from its zero crossing on.
pub fn sine(hz: f64, amplitude: i16, count: usize) -> Vec<i16> {
    let step = TAU * hz / f64::from(RATE);
    (0..count).map(|n| ((n as f64 * step).sin() * f64::from(amplitude)) as i16).collect()
}

/// The share of a sound's power that lies at one frequency: 1 for the pure tone, 0 for silence or
/// another tone (Goertzel's algorithm). 800 samples tell frequencies 20 Hz apart.
pub fn share(samples: &[i16], hz: f64) -> f64 {
    let coefficient = 2.0 * (TAU * hz / f64::from(RATE)).cos();
    let (mut before, mut last, mut total) = (0.0, 0.0, 0.0);
    for sample in samples {
        let sample = f64::from(*sample);
        let next = sample + coefficient * last - before;
        (before, last) = (last, next);
        total += sample * sample;
    }
    if total == 0.0 {
        return 0.0;
    }
    let power = before * before + last * last - coefficient * before * last;
    2.0 * power / (samples.len() as f64 * total)
}

/// The level of a sound in dB below the loudest square wave (dBov); silence is `f64::NEG_INFINITY`.
pub fn level(samples: &[i16]) -> f64 {
    let total: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    10.0 * (total / samples.len().max(1) as f64 / 32_768f64.powi(2)).log10()
}

fn seconds(seconds: f64) -> usize {
    (seconds * f64::from(RATE)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_recognised_and_another_is_not() {
        let kilohertz = sine(1_000.0, 8_000, 800);
        assert!(share(&kilohertz, 1_000.0) > 0.99);
        assert!(share(&kilohertz, 700.0) < 0.01);
        assert!(share(&[0; 800], 1_000.0) == 0.0);
    }

    #[test]
    fn ring_back_is_440_hz_for_a_second_and_a_half_of_five() {
        let turn = ring_back();
        assert_eq!(turn.len(), 40_000);
        assert!(share(&turn[..12_000], 440.0) > 0.99);
        assert!(turn[12_000..].iter().all(|sample| *sample == 0));
    }

    #[test]
    fn comfort_noise_is_heard_but_hides_nothing() {
        let level = level(&comfort());
        assert!((-66.0..-54.0).contains(&level), "{level} dBov");
    }
}
