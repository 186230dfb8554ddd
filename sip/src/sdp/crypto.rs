//! Keys of enciphered audio in the description itself (RFC 4568, RFC 7714): as safe as what carries
//! the signalling, and what carriers' borders speak.
//!
//! Absent: several master keys in one line, other key derivation rates, and streams that are not
//! enciphered or not authenticated. A line that asks for them is passed over, which RFC 4568 §5.1.2
//! allows; lifetimes are passed over, since no call lasts 2^31 packets.

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
    /// The same with 32 bits: the only one that some older exchanges offer.
    AesCm128HmacSha1_32,
    /// AES-256 in counter mode, HMAC-SHA1 of 80 bits (RFC 6188).
    AesCm256HmacSha1_80,
    /// The same with 32 bits.
    AesCm256HmacSha1_32,
    /// AES-128-GCM (RFC 7714).
    AeadAes128Gcm,
    /// AES-256-GCM.
    AeadAes256Gcm,
}

impl Suite {
    /// Those we can speak.
    pub const ALL: [Suite; 6] = [
        Suite::AesCm128HmacSha1_80,
        Suite::AesCm128HmacSha1_32,
        Suite::AesCm256HmacSha1_80,
        Suite::AesCm256HmacSha1_32,
        Suite::AeadAes128Gcm,
        Suite::AeadAes256Gcm,
    ];

    /// Those we offer, in our order. More would serve nobody: the first is mandatory, and each makes an
    /// INVITE longer.
    pub const OFFERED: [Suite; 2] = [Suite::AesCm128HmacSha1_80, Suite::AeadAes128Gcm];

    fn token(self) -> &'static str {
        match self {
            Suite::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Suite::AesCm256HmacSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Suite::AesCm256HmacSha1_32 => "AES_256_CM_HMAC_SHA1_32",
            Suite::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Suite::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// Bytes of the master key alone.
    pub fn master_length(self) -> usize {
        match self {
            Suite::AesCm128HmacSha1_80 | Suite::AesCm128HmacSha1_32 | Suite::AeadAes128Gcm => 16,
            Suite::AesCm256HmacSha1_80 | Suite::AesCm256HmacSha1_32 | Suite::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of master key and salt together.
    pub fn key_length(self) -> usize {
        let salt = if matches!(self, Suite::AeadAes128Gcm | Suite::AeadAes256Gcm) { 12 } else { 14 };
        self.master_length() + salt
    }
}

/// Room for the longest master key and its salt.
const KEY_MAX: usize = 32 + 14;

/// A master key and its salt: as many bytes of it as the suite wants. Never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(pub [u8; KEY_MAX]);

impl Key {
    /// No key yet.
    pub const NONE: Key = Key([0; KEY_MAX]);

    /// These bytes, as far as there is room.
    pub fn of(bytes: &[u8]) -> Key {
        let mut key = Key::NONE;
        for (place, byte) in key.0.iter_mut().zip(bytes) {
            *place = *byte;
        }
        key
    }
}

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
        let bytes = unbase64(&text).filter(|bytes| bytes.len() <= KEY_MAX);
        bytes.map(|bytes| Key::of(&bytes)).ok_or_else(|| D::Error::custom("not a key"))
    }
}

/// The name of a master key: every packet enciphered with it carries it (RFC 3711 §3.1, RFC 4568 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyName {
    /// The name, a number.
    pub value: u64,
    /// Its bytes in a packet.
    pub length: u8,
}

impl KeyName {
    /// RFC 4568 §9.2 knows no longer ones.
    pub const LENGTH_MAX: u8 = 128;

    /// `1:4`. A peer's key is known by the place of its name, and ours may have any: of a number beyond 64
    /// bits nothing is kept but its length.
    fn read(text: &str) -> Option<KeyName> {
        let (value, length) = text.split_once(':')?;
        let is_number = !value.is_empty() && value.bytes().all(|digit| digit.is_ascii_digit());
        let value = value.parse().ok().or(is_number.then_some(u64::MAX))?;
        let name = KeyName { value, length: length.parse().ok()? };
        let is_whole = name.length >= 8 || name.value >> (8 * u32::from(name.length)) == 0;
        ((1..=KeyName::LENGTH_MAX).contains(&name.length) && is_whole).then_some(name)
    }

    /// Its bytes as packets carry them, the last ones of `room`.
    pub fn write(self, room: &mut [u8; KeyName::LENGTH_MAX as usize]) -> &[u8] {
        let end = room.len();
        room[end - 8..].copy_from_slice(&self.value.to_be_bytes());
        &room[end - usize::from(self.length)..]
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
    /// What its sender calls the key in each packet.
    #[serde(default)]
    pub name: Option<KeyName>,
    /// Control packets are plain: both say so or neither (RFC 4568 §6.3.2). We send none.
    #[serde(default)]
    pub plain_control: bool,
}

impl Crypto {
    /// A line of ours.
    pub fn new(tag: u32, suite: Suite, key: Key) -> Crypto {
        Crypto { tag, suite, key, name: None, plain_control: false }
    }

    /// `1 AES_CM_128_HMAC_SHA1_80 inline:BASE64[|2^31][|1:4]`; `None` for what we cannot use.
    pub(super) fn read(value: &str) -> Option<Crypto> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?.parse().ok()?;
        let token = words.next()?;
        let suite = Suite::ALL.into_iter().find(|suite| suite.token().eq_ignore_ascii_case(token))?;
        let (method, inline) = words.next()?.split_once(':')?;
        // Another key beside it.
        if !method.eq_ignore_ascii_case("inline") || inline.contains(';') {
            return None;
        }
        let mut parts = inline.split('|');
        let bytes = unbase64(parts.next()?).filter(|bytes| bytes.len() == suite.key_length())?;
        let mut crypto = Crypto::new(tag, suite, Key::of(&bytes));
        for part in parts {
            // With a colon it is a name (§6.1), without one a lifetime.
            if part.contains(':') {
                crypto.name = Some(KeyName::read(part)?);
            }
        }
        for parameter in words {
            crypto.heed(parameter)?;
        }
        Some(crypto)
    }

    /// A parameter of the session (§6.3); `None`: it asks for what we cannot do.
    fn heed(&mut self, parameter: &str) -> Option<()> {
        let (name, _) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name {
            "UNENCRYPTED_SRTCP" => self.plain_control = true,
            // A hint on windows; an order of a protection against loss that we do not agree to.
            "WSH" | "FEC_ORDER" => {}
            // Whoever does not know it may ignore it (§6.3.7).
            _ if name.starts_with('-') => {}
            _ => return None,
        }
        Some(())
    }

    pub(super) fn line(&self) -> String {
        let key = base64(&self.key.0[..self.suite.key_length()]);
        let name = self.name.map_or_else(String::new, |name| format!("|{}:{}", name.value, name.length));
        let control = if self.plain_control { " UNENCRYPTED_SRTCP" } else { "" };
        format!("a=crypto:{} {} inline:{key}{name}{control}\r\n", self.tag, self.suite.token())
    }
}

/// What one leg of ours enciphers with: a key for each suite, all out of one secret. None serves two
/// suites: each begins its count anew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OurKeys {
    secret: [u8; 32],
}

impl fmt::Debug for OurKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OurKeys(..)")
    }
}

impl OurKeys {
    /// The key of a suite.
    pub fn of(&self, suite: Suite) -> Key {
        let half = |half| hashed(&self.secret, &[suite.token().as_bytes(), &[half]]);
        Key::of(&[half(0), half(1)].concat())
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
        let secret = hashed(&self.secret, &[&self.drawn.to_be_bytes()]);
        self.drawn += 1;
        OurKeys { secret }
    }
}

fn hashed(secret: &[u8; 32], about: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(secret);
    for part in about {
        hash.update(part);
    }
    hash.finalize().into()
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

/// What was written in base64; `None` for what was not.
pub(crate) fn unbase64(text: &str) -> Option<Vec<u8>> {
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
        assert_eq!(read(&format!("{inline};{inline}|2^20|2:4")), None, "a second key");
        for parameter in ["KDR=1", "UNENCRYPTED_SRTP", "UNAUTHENTICATED_SRTP", "FEC_KEY=a", "NEW"] {
            assert_eq!(read(&format!("{inline} {parameter}")), None, "{parameter}");
        }
        assert_eq!(read("inline:AAAA"), None, "too short");
        assert_eq!(Crypto::read(&format!("1 F8_128_HMAC_SHA1_80 {inline}")), None);
    }

    #[test]
    fn a_key_may_have_a_name_and_parameters_that_ask_nothing_of_us() {
        let inline = "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";
        let read = |rest: &str| Crypto::read(&format!("1 AES_CM_128_HMAC_SHA1_80 {rest}"));
        for (written, bytes) in [
            ("|2^20|1:4", &[0, 0, 0, 1][..]),
            ("|300:2", &[1, 44]),
            ("|255:1", &[255]),
            ("|1:10", &[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ] {
            let crypto = read(&format!("{inline}{written}")).expect(written);
            let name = crypto.name.expect(written);
            assert_eq!(name.write(&mut [0; 128]), bytes, "{written}");
            assert!(crypto.line().contains(written.trim_start_matches("|2^20")), "the answer says it, too");
        }
        let long = read(&format!("{inline}|36893488147419103233:16")).expect("an emergency waits for it");
        assert_eq!(long.name.map(|name| name.length), Some(16));
        for wrong in ["36893488147419103233:7", "1:0", "1:129", "256:1", ":", "a:4", "1:"] {
            assert_eq!(read(&format!("{inline}|2^20|{wrong}")), None, "{wrong}");
        }
        assert!(read(&format!("{inline} WSH=128 -X=1 FEC_ORDER=FEC_SRTP")).is_some());
        let plain_control = read(&format!("{inline} UNENCRYPTED_SRTCP")).expect("usable");
        assert!(plain_control.line().ends_with(" UNENCRYPTED_SRTCP\r\n"), "what is agreed on is said");
    }

    #[test]
    fn every_suite_reads_back() {
        let keys = KeySource::new([7; 32]).draw();
        for (tag, suite) in (1..).zip(Suite::ALL) {
            let ours = Crypto::new(tag, suite, Key::of(&keys.of(suite).0[..suite.key_length()]));
            let line = ours.line();
            assert_eq!(Crypto::read(line.trim_start_matches("a=crypto:").trim_end()), Some(ours));
        }
    }

    #[test]
    fn no_two_legs_have_a_key_in_common_and_none_is_printed() {
        let mut source = KeySource::new([7; 32]);
        let (a, b) = (source.draw(), source.draw());
        let all = [a, b].map(|keys| Suite::ALL.map(|suite| keys.of(suite).0)).concat();
        assert!((0..all.len()).all(|i| (0..i).all(|j| all[i][..16] != all[j][..16])));
        let printed = format!("{:?} {a:?} {source:?}", a.of(Suite::AeadAes128Gcm));
        assert_eq!(printed, "Key(..) OurKeys(..) KeySource(..)");
    }
}
