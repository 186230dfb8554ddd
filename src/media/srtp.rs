//! SRTP of one leg (RFC 3711), with keys out of its SDP. Only its own peer can make it work: what does
//! not authenticate leaves no trace.

use engine::media::{Key, KeyName, SrtpKeys, Suite};
use rtc_srtp::context::Context;
use rtc_srtp::option::srtp_replay_protection;
use rtc_srtp::protection_profile::ProtectionProfile;
use std::fmt;

/// Packets that may overtake each other: two seconds of G.711. Less drops late ones, more costs a
/// few words a leg.
const REPLAY_WINDOW: usize = 128;

/// Sources of one peer whose places are kept: a voice, its digits, music on hold and an announcement.
/// Fewer make a peer mute that goes back to an earlier one after its sequence has begun again (RFC 3711
/// §3.2.3); more cost a few words each.
const SOURCES_MAX: usize = 4;

/// A leg's two directions.
pub(super) struct Srtp {
    keys: SrtpKeys,
    ours: Context,
    /// Sources of the peer that have authenticated, each with its place; the last one heard stands last.
    theirs: Vec<(u32, Context)>,
}

impl fmt::Debug for Srtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Srtp(..)")
    }
}

impl Srtp {
    /// Both directions of these keys; `None` when the arithmetic is not there, which its features
    /// rule out.
    pub(super) fn new(keys: SrtpKeys) -> Option<Srtp> {
        Some(Srtp { keys, ours: context(keys.suite, &keys.ours)?, theirs: Vec::new() })
    }

    /// The same under another agreement. A direction whose key stays goes on where it was: begun anew, it
    /// would use its key twice, and lose the count of its turns with a peer that keeps it (§3.3.1, §9.1).
    pub(super) fn with(mut self, keys: SrtpKeys) -> Option<Srtp> {
        let same_suite = keys.suite == self.keys.suite;
        if !same_suite || keys.ours != self.keys.ours {
            self.ours = context(keys.suite, &keys.ours)?;
        }
        if !same_suite || keys.theirs != self.keys.theirs {
            self.theirs.clear();
        }
        self.keys = keys;
        Some(self)
    }

    /// Whether what is sealed under these keys goes on where it was.
    pub(super) fn goes_on_under(&self, keys: &SrtpKeys) -> bool {
        keys.suite == self.keys.suite && keys.ours == self.keys.ours
    }

    /// Opens a packet in place; its length, or `None` when it is not the peer's, or came before. Whoever
    /// announces a name of its key and leaves it out is understood all the same.
    pub(super) fn open(&mut self, packet: &mut [u8]) -> Option<usize> {
        self.open_named(packet).or_else(|| self.open_nameless(packet))
    }

    /// Without the name of the peer's key, whatever it is: it stands before the tag (RFC 3711 §3.1). A
    /// packet that does not open so is left as it came.
    fn open_named(&mut self, packet: &mut [u8]) -> Option<usize> {
        let name = usize::from(self.keys.their_name?.length);
        let nameless = packet.len().checked_sub(name)?;
        let name_at = nameless.checked_sub(tag_length(self.keys.suite))?;
        packet[name_at..].rotate_left(name);
        let length = self.open_nameless(&mut packet[..nameless]);
        if length.is_none() {
            packet[name_at..].rotate_right(name);
        }
        length
    }

    fn open_nameless(&mut self, packet: &mut [u8]) -> Option<usize> {
        let source = u32::from_be_bytes(packet.get(8..12)?.try_into().ok()?);
        let known = self.theirs.iter().rposition(|(known, _)| *known == source);
        let plain = if let Some(place) = known {
            let plain = self.theirs[place].1.decrypt_rtp(packet).ok()?;
            if place + 1 < self.theirs.len() {
                self.theirs[place..].rotate_left(1);
            }
            plain
        } else {
            // A source not seen before is tried apart: a stranger's must not cost memory, nor the
            // peer's its place in the sequence.
            let mut trial = context(self.keys.suite, &self.keys.theirs)?;
            let plain = trial.decrypt_rtp(packet).ok()?;
            if self.theirs.len() == SOURCES_MAX {
                self.theirs.remove(0);
            }
            self.theirs.push((source, trial));
            plain
        };
        packet.get_mut(..plain.len())?.copy_from_slice(&plain);
        Some(plain.len())
    }

    /// The packet as the peer can open it.
    pub(super) fn seal(&mut self, packet: &[u8]) -> Option<impl AsRef<[u8]> + use<>> {
        let mut sealed = self.ours.encrypt_rtp(packet).ok()?;
        if let Some(name) = self.keys.our_name {
            let tag = sealed.split_off(sealed.len().checked_sub(tag_length(self.keys.suite))?);
            sealed.extend_from_slice(name.write(&mut [0; KeyName::LENGTH_MAX as usize]));
            sealed.unsplit(tag);
        }
        Some(sealed)
    }
}

fn context(suite: Suite, key: &Key) -> Option<Context> {
    let (master, salt) = key.0.get(..suite.key_length())?.split_at(suite.master_length());
    let window = Some(srtp_replay_protection(REPLAY_WINDOW));
    let provider = rtc_crypto::default_provider().ok()?;
    Context::new(master, salt, profile(suite), window, None, provider.crypto()).ok()
}

fn profile(suite: Suite) -> ProtectionProfile {
    match suite {
        Suite::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Suite::AesCm128HmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        Suite::AesCm256HmacSha1_80 => ProtectionProfile::Aes256CmHmacSha1_80,
        Suite::AesCm256HmacSha1_32 => ProtectionProfile::Aes256CmHmacSha1_32,
        Suite::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Suite::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
    }
}

/// Bytes of the tag that stands behind the name of the key; GCM's is part of what is enciphered, and
/// stands before it (RFC 7714 §8.1).
fn tag_length(suite: Suite) -> usize {
    profile(suite).rtp_auth_tag_len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtp_rs::RtpPacketBuilder;

    fn keys(suite: Suite, ours: u8, theirs: u8) -> SrtpKeys {
        let [ours, theirs] = [ours, theirs].map(|byte| Key::of(&[byte; 46]));
        SrtpKeys { suite, ours, theirs, our_name: None, their_name: None, beside_plain: false }
    }

    fn packet(ssrc: u32, sequence: u16) -> Vec<u8> {
        let builder = RtpPacketBuilder::new().payload_type(8).ssrc(ssrc).sequence(sequence.into());
        builder.payload(&[0x55; 160]).build().unwrap()
    }

    fn sealed(by: &mut Srtp, plain: &[u8]) -> Vec<u8> {
        by.seal(plain).unwrap().as_ref().to_vec()
    }

    #[test]
    fn each_opens_what_the_other_sealed_and_nobody_else_s() {
        for suite in Suite::ALL {
            let (mut a, mut b) =
                (Srtp::new(keys(suite, 1, 2)).unwrap(), Srtp::new(keys(suite, 2, 1)).unwrap());
            let mut stranger = Srtp::new(keys(suite, 9, 1)).unwrap();
            for sequence in [65_534, 65_535, 0, 1] {
                let plain = packet(7, sequence);
                let mut wire = sealed(&mut a, &plain);
                assert_ne!(&wire[12..172], &plain[12..], "enciphered");
                let mut forged = sealed(&mut stranger, &packet(7, sequence));
                assert_eq!(b.open(&mut forged), None);
                let length = b.open(&mut wire).expect("the peer's");
                assert_eq!(&wire[..length], &plain[..]);
            }
        }
    }

    #[test]
    fn a_packet_is_heard_once_and_a_hundred_thousand_strangers_leave_no_trace() {
        let suite = Suite::AesCm128HmacSha1_80;
        let (mut a, mut b) = (Srtp::new(keys(suite, 1, 2)).unwrap(), Srtp::new(keys(suite, 2, 1)).unwrap());
        let wire = sealed(&mut a, &packet(7, 1));
        assert!(b.open(&mut wire.clone()).is_some());
        assert_eq!(b.open(&mut wire.clone()), None, "a replay");
        for ssrc in 0..1_000 {
            assert_eq!(b.open(&mut packet(ssrc, 2)), None);
        }
        assert!(b.open(&mut sealed(&mut a, &packet(7, 2))).is_some(), "the peer goes on");
        assert!(b.open(&mut sealed(&mut a, &packet(8, 1))).is_some(), "and may begin another stream");
    }

    #[test]
    fn a_key_with_a_name_is_named_in_every_packet_before_its_tag() {
        let name = Some(KeyName { value: 258, length: 4 });
        for suite in Suite::ALL {
            let named = SrtpKeys { our_name: name, ..keys(suite, 1, 2) };
            let mut a = Srtp::new(named).unwrap();
            let mut b = Srtp::new(SrtpKeys { their_name: name, ..keys(suite, 2, 1) }).unwrap();
            let (mut nameless, mut deaf) =
                (Srtp::new(keys(suite, 1, 2)).unwrap(), Srtp::new(keys(suite, 2, 1)).unwrap());
            for sequence in [65_535, 0, 1] {
                let plain = packet(7, sequence);
                let mut wire = sealed(&mut a, &plain);
                let tag_at = wire.len() - tag_length(suite);
                assert_eq!(wire[tag_at - 4..tag_at], [0, 0, 1, 2], "{suite:?}");
                assert_eq!(deaf.open(&mut wire.clone()), None);
                let length = b.open(&mut wire).expect("the peer's");
                assert_eq!(&wire[..length], &plain[..]);
            }
            // Announced, and left out.
            let mut wire = sealed(&mut nameless, &packet(9, 1));
            let length = b.open(&mut wire).expect("the peer's");
            assert_eq!(&wire[..length], &packet(9, 1)[..]);
            for length in 0..wire.len() {
                assert_eq!(b.open(&mut vec![0x80; length]), None, "too short for anything");
            }
        }
    }

    #[test]
    fn a_short_name_that_is_announced_and_left_out_costs_no_packet() {
        for suite in Suite::ALL {
            let name = Some(KeyName { value: 1, length: 1 });
            let mut nameless = Srtp::new(keys(suite, 1, 2)).unwrap();
            let mut b = Srtp::new(SrtpKeys { their_name: name, ..keys(suite, 2, 1) }).unwrap();
            let mut looks_named = 0;
            for sequence in 0..2_000 {
                let plain = packet(9, sequence);
                let mut wire = sealed(&mut nameless, &plain);
                looks_named += u32::from(wire[wire.len() - tag_length(suite) - 1] == 1);
                let length = b.open(&mut wire).expect("the peer's");
                assert_eq!(&wire[..length], &plain[..]);
            }
            assert!(looks_named > 0, "some end as the name would");
        }
    }

    #[test]
    fn a_direction_whose_key_stays_goes_on_where_it_was() {
        for suite in Suite::ALL {
            let (mut a, mut b) =
                (Srtp::new(keys(suite, 1, 2)).unwrap(), Srtp::new(keys(suite, 2, 1)).unwrap());
            for sequence in [65_534, 65_535, 0, 1] {
                assert!(b.open(&mut sealed(&mut a, &packet(7, sequence))).is_some());
                assert!(a.open(&mut sealed(&mut b, &packet(5, sequence))).is_some());
            }
            // The other side takes a new key in mid-call, and keeps what it hears by.
            (a, b) = (a.with(keys(suite, 1, 3)).unwrap(), b.with(keys(suite, 3, 1)).unwrap());
            assert!(
                b.open(&mut sealed(&mut a, &packet(7, 2))).is_some(),
                "our sequence has turned over once"
            );
            assert!(a.open(&mut sealed(&mut b, &packet(5, 2))).is_some(), "theirs begins with its key");
        }
    }

    #[test]
    fn a_peer_that_goes_back_to_an_earlier_source_is_heard_and_its_old_packets_are_not() {
        for suite in Suite::ALL {
            let (mut a, mut b) =
                (Srtp::new(keys(suite, 1, 2)).unwrap(), Srtp::new(keys(suite, 2, 1)).unwrap());
            for sequence in [65_534, 65_535, 0] {
                assert!(b.open(&mut sealed(&mut a, &packet(7, sequence))).is_some());
            }
            let old = sealed(&mut a, &packet(7, 1));
            assert!(b.open(&mut old.clone()).is_some());
            // Music on hold from elsewhere, announcements, digits.
            for ssrc in [8, 9, 10] {
                assert!(b.open(&mut sealed(&mut a, &packet(ssrc, 1))).is_some());
            }
            assert_eq!(b.open(&mut old.clone()), None, "a replay");
            assert!(b.open(&mut sealed(&mut a, &packet(7, 2))).is_some(), "the caller again");
            for ssrc in 11..20 {
                assert!(b.open(&mut sealed(&mut a, &packet(ssrc, 1))).is_some());
            }
            assert_eq!(b.theirs.len(), SOURCES_MAX);
        }
    }
}
