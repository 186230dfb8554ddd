//! G.711: the two laws, and the two tables between them (ITU-T G.711, RFC 3551 §4.5.14).

use engine::media::Codec;

/// Samples in a second.
pub const RATE: u32 = 8_000;
/// Samples, and bytes, in one frame of 20 ms.
pub const FRAME: usize = 160;
/// One frame, encoded.
pub type Frame = [u8; FRAME];

/// What each byte of A-law is in mu-law.
static TO_MU: [u8; 256] = translation(Codec::Pcma, Codec::Pcmu);
/// What each byte of mu-law is in A-law.
static TO_A: [u8; 256] = translation(Codec::Pcmu, Codec::Pcma);
/// What each byte of A-law is in samples.
static A_SAMPLES: [i16; 256] = samples(Codec::Pcma);
/// What each byte of mu-law is in samples.
static MU_SAMPLES: [i16; 256] = samples(Codec::Pcmu);

const fn samples(codec: Codec) -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match codec {
            Codec::Pcma => a_to_linear(byte as u8),
            Codec::Pcmu => mu_to_linear(byte as u8),
        };
        byte += 1;
    }
    table
}

const fn translation(from: Codec, to: Codec) -> [u8; 256] {
    let heard = samples(from);
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = encode(to, heard[byte]);
        byte += 1;
    }
    table
}

/// The byte of a 16 bit sample.
pub const fn encode(codec: Codec, sample: i16) -> u8 {
    match codec {
        Codec::Pcma => linear_to_a(sample),
        Codec::Pcmu => linear_to_mu(sample),
    }
}

/// The 16 bit sample of a byte.
pub fn decode(codec: Codec, byte: u8) -> i16 {
    match codec {
        Codec::Pcma => A_SAMPLES[usize::from(byte)],
        Codec::Pcmu => MU_SAMPLES[usize::from(byte)],
    }
}

/// Turns a payload of one law into the other's, in place; the same law is left alone.
pub fn translate(payload: &mut [u8], from: Codec, to: Codec) {
    let table = match (from, to) {
        (Codec::Pcma, Codec::Pcmu) => &TO_MU,
        (Codec::Pcmu, Codec::Pcma) => &TO_A,
        (Codec::Pcma, Codec::Pcma) | (Codec::Pcmu, Codec::Pcmu) => return,
    };
    for byte in payload {
        *byte = table[usize::from(*byte)];
    }
}

/// The codec of a static payload type (RFC 3551 §6).
pub fn codec_of(payload_type: u8) -> Option<Codec> {
    match payload_type {
        0 => Some(Codec::Pcmu),
        8 => Some(Codec::Pcma),
        _ => None,
    }
}

/// The segment of a magnitude whose first segment ends at `first`; 8 when beyond the last.
const fn segment(magnitude: i32, first: i32) -> i32 {
    let mut segment = 0;
    while segment < 8 && magnitude > ((first + 1) << segment) - 1 {
        segment += 1;
    }
    segment
}

const fn linear_to_a(sample: i16) -> u8 {
    let value = sample as i32 >> 3;
    let (magnitude, mask) = if value >= 0 { (value, 0xD5) } else { (-value - 1, 0x55) };
    let segment = segment(magnitude, 0x1F);
    let shift = if segment < 2 { 1 } else { segment };
    let code = if segment >= 8 { 0x7F } else { (segment << 4) | ((magnitude >> shift) & 0x0F) };
    code as u8 ^ mask
}

const fn a_to_linear(byte: u8) -> i16 {
    let code = byte as i16 ^ 0x55;
    let step = (code & 0x0F) << 4;
    let magnitude = match (code & 0x70) >> 4 {
        0 => step + 8,
        segment => (step + 0x108) << (segment - 1),
    };
    if code & 0x80 != 0 { magnitude } else { -magnitude }
}

/// The bias of mu-law, on 16 bit samples.
const MU_BIAS: i32 = 0x84;

const fn linear_to_mu(sample: i16) -> u8 {
    let value = sample as i32 >> 2;
    let (absolute, mask) = if value < 0 { (-value, 0x7F) } else { (value, 0xFF) };
    let clipped = if absolute > 8_159 { 8_159 } else { absolute };
    let magnitude = clipped + (MU_BIAS >> 2);
    let segment = segment(magnitude, 0x3F);
    let code = if segment >= 8 { 0x7F } else { (segment << 4) | ((magnitude >> (segment + 1)) & 0x0F) };
    code as u8 ^ mask
}

const fn mu_to_linear(byte: u8) -> i16 {
    let code = !byte as i32;
    let magnitude = (((code & 0x0F) << 3) + MU_BIAS) << ((code & 0x70) >> 4);
    (if code & 0x80 != 0 { MU_BIAS - magnitude } else { magnitude - MU_BIAS }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_decodes_to_a_sample_that_encodes_to_it() {
        for byte in 0..=255u8 {
            assert_eq!(encode(Codec::Pcma, decode(Codec::Pcma, byte)), byte, "A-law {byte}");
            // Mu-law has two zeros; both are heard as nothing.
            let again = encode(Codec::Pcmu, decode(Codec::Pcmu, byte));
            assert!(again == byte || (byte == 0x7F && again == 0xFF), "mu-law {byte}: {again}");
        }
    }

    #[test]
    fn known_values_of_the_recommendation() {
        let table = [(0, 0xD5, 0xFF), (32_767, 0xAA, 0x80), (-32_768, 0x2A, 0x00), (1_000, 0xFA, 0xCE)];
        for (sample, a, mu) in table {
            assert_eq!(encode(Codec::Pcma, sample), a, "A-law of {sample}");
            assert_eq!(encode(Codec::Pcmu, sample), mu, "mu-law of {sample}");
        }
    }

    #[test]
    fn translation_there_and_back_changes_little() {
        for byte in 0..=255u8 {
            let mut payload = [byte];
            translate(&mut payload, Codec::Pcma, Codec::Pcmu);
            translate(&mut payload, Codec::Pcmu, Codec::Pcma);
            let (before, after) = (decode(Codec::Pcma, byte), decode(Codec::Pcma, payload[0]));
            let error = (i32::from(before) - i32::from(after)).abs();
            assert!(error <= i32::from(before).abs() / 16 + 16, "{before} became {after}");
        }
    }
}
