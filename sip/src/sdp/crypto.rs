//! Keys of enciphered audio in the description itself (RFC 4568, RFC 7714): as safe as what carries
//! the signalling, and what carriers' borders speak.
//!
//! Absent: master key identifiers and session parameters. A line that asks for them is passed over,
//! which RFC 4568 §5.1.2 allows; lifetimes are passed over, since no call lasts 2^31 packets.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;

/// Keys kept of one stream: phones send up to eight. More costs memory.
pub(super) const CRYPTO_MAX: usize = 16;

/// How packets are enciphered and authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Suite {
    /// AES-128 in counter mode, HMAC-SHA1 of 80 bits: what everybody has (RFC 4568 §6.2).
    AesCm128HmacSha1_80,
    /// AES-128-GCM (RFC 7714).
    AeadAes128Gcm,
}

impl Suite {
    /// Ours, in the order we offer them.
    pub const ALL: [Suite; 2] = [Suite::AesCm128HmacSha1_80, Suite::AeadAes128Gcm];

    fn token(self) -> &'static str {
        match self {
            Suite::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AeadAes128Gcm => "AEAD_AES_128_GCM",
        }
    }

    /// Bytes of master key and salt together.
    pub fn key_length(self) -> usize {
        match self {
            Suite::AesCm128HmacSha1_80 => 16 + 14,
            Suite::AeadAes128Gcm => 16 + 12,
        }
    }
}

/// A master key and its salt: as many bytes of it as the suite wants. Never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(pub [u8; 30]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&base64(&self.0))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = unbase64(&text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Key).ok_or_else(|| D::Error::custom("not a key"))
    }
}

/// One `a=crypto` line we can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crypto {
    /// Its number; the answer names it.
    pub tag: u32,
    /// How.
    pub suite: Suite,
    /// What its sender enciphers with.
    pub key: Key,
}

impl Crypto {
    /// `1 AES_CM_128_HMAC_SHA1_80 inline:BASE64[|2^31]`; `None` for what we cannot use.
    pub(super) fn read(value: &str) -> Option<Crypto> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?.parse().ok()?;
        let token = words.next()?;
        let suite = Suite::ALL.into_iter().find(|suite| suite.token().eq_ignore_ascii_case(token))?;
        let inline = words.next()?.strip_prefix("inline:")?;
        // Another key beside it, or a parameter of the session (§6.3).
        if inline.contains(';') || words.next().is_some() {
            return None;
        }
        let mut parts = inline.split('|');
        let bytes = unbase64(parts.next()?)?;
        // A part with a colon is a master key identifier (§6.1), without one a lifetime.
        if bytes.len() != suite.key_length() || parts.any(|part| part.contains(':')) {
            return None;
        }
        let mut key = Key([0; 30]);
        key.0[..bytes.len()].copy_from_slice(&bytes);
        Some(Crypto { tag, suite, key })
    }

    pub(super) fn line(&self) -> String {
        let key = base64(&self.key.0[..self.suite.key_length()]);
        format!("a=crypto:{} {} inline:{key}\r\n", self.tag, self.suite.token())
    }
}

/// What one leg of ours enciphers with: a key for each suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OurKeys {
    keys: [Key; 2],
}

impl OurKeys {
    /// The key of a suite.
    pub fn of(&self, suite: Suite) -> Key {
        match suite {
            Suite::AesCm128HmacSha1_80 => self.keys[0],
            Suite::AeadAes128Gcm => self.keys[1],
        }
    }
}

/// Where keys come from: a secret of the process and a count, so that a replay draws the same again.
#[derive(Clone)]
pub struct KeySource {
    secret: [u8; 32],
    drawn: u64,
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySource(..)")
    }
}

impl KeySource {
    /// `secret` is 32 bytes of chance in service, anything in a test.
    pub fn new(secret: [u8; 32]) -> KeySource {
        KeySource { secret, drawn: 0 }
    }

    /// Keys no other leg has.
    pub fn draw(&mut self) -> OurKeys {
        let keys = [0u8, 1].map(|which| {
            let mut hash = Sha256::new();
            hash.update(self.secret);
            hash.update(self.drawn.to_be_bytes());
            hash.update([which]);
            let mut key = Key([0; 30]);
            key.0.copy_from_slice(&hash.finalize()[..30]);
            key
        });
        self.drawn += 1;
        OurKeys { keys }
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit) & 63) as usize;
            text.push(if digit <= three.len() { char::from(DIGITS[index]) } else { '=' });
        }
    }
    text
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for four in digits.chunks(4) {
        let mut bits = 0u32;
        for digit in four {
            bits = bits << 6 | u32::try_from(DIGITS.iter().position(|it| it == digit)?).ok()?;
        }
        bits <<= 6 * (4 - four.len());
        let whole = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
        bytes.extend_from_slice(whole.get(..four.len().checked_sub(1)?)?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_reads_back_whatever_the_length() {
        for length in 0..40u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(83)).collect();
            assert_eq!(unbase64(&base64(&bytes)), Some(bytes));
        }
        assert_eq!(base64(b"ab"), "YWI=");
        assert_eq!(unbase64("a*b="), None);
    }

    #[test]
    fn the_example_of_rfc_4568_is_read_and_what_we_cannot_use_is_passed_over() {
        let inline = "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";
        let read = |rest: &str| Crypto::read(&format!("1 AES_CM_128_HMAC_SHA1_80 {rest}"));
        assert_eq!(
            read(&format!("{inline}|2^20")).map(|it| (it.tag, it.suite)),
            Some((1, Suite::AesCm128HmacSha1_80))
        );
        assert!(read(inline).is_some());
        assert_eq!(read(&format!("{inline}|2^20|1:4")), None, "a key identifier");
        assert_eq!(read(&format!("{inline} KDR=1")), None, "a parameter");
        assert_eq!(read("inline:AAAA"), None, "too short");
        assert_eq!(Crypto::read(&format!("1 F8_128_HMAC_SHA1_80 {inline}")), None);
    }

    #[test]
    fn no_two_legs_have_a_key_in_common_and_none_is_printed() {
        let mut source = KeySource::new([7; 32]);
        let (a, b) = (source.draw(), source.draw());
        let all = [a, b].map(|keys| Suite::ALL.map(|suite| keys.of(suite).0)).concat();
        assert!((0..4).all(|i| (0..i).all(|j| all[i] != all[j])));
        assert_eq!(format!("{:?} {source:?}", a.of(Suite::AeadAes128Gcm)), "Key(..) KeySource(..)");
    }
}
