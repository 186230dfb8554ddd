//! Our side of one leg's descriptions for as long as it lives: what we say next starts from what we
//! said last (RFC 3264 §8).

use super::write::{Audio, answer_with, offer_after};
use super::{Agreement, Codec, Crypto, Direction, Format, OurKeys, Sdp, SdpError, Suite};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Whether and with what a leg of ours is enciphered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cipher {
    /// Our keys. An offer that is enciphered is answered so, whatever the rest says.
    pub keys: OurKeys,
    /// What we offer, and what we do with keys beside a plain stream (as many phones send them, who
    /// leave the choice to us).
    pub wish: Wish,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Plain offers, and keys beside a plain stream are not used.
    Plain,
    /// Plain offers with keys beside.
    Either,
    /// Enciphered offers.
    Enciphered,
}

/// Our side of one leg's descriptions: the same number for its life, and a version that rises when
/// what we say changes and only then (RFC 3264 §8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    id: u64,
    version: u64,
    said: Vec<u8>,
    /// Not written down: no restart goes on with a leg's audio, and keys in another shape must not make
    /// the rest unreadable.
    #[serde(skip)]
    cipher: Option<Cipher>,
}

impl Session {
    /// A leg that has said nothing yet. `id` should differ between legs.
    pub fn new(id: u64) -> Session {
        Session { id, version: 1, said: Vec::new(), cipher: None }
    }

    /// What it may be enciphered with, from its first words on.
    pub fn cipher(&mut self, cipher: Cipher) {
        self.cipher = Some(cipher);
    }

    /// Whether plain audio is not what was wished.
    pub fn wants_keys(&self) -> bool {
        self.cipher.is_some_and(|cipher| cipher.wish == Wish::Enciphered)
    }

    /// The key of a suite as we said it last.
    pub fn key_of(&self, suite: Suite) -> Option<Crypto> {
        self.last_audio()?.crypto.into_iter().find(|said| said.suite == suite)
    }

    /// The first offer ([`super::offer`]) of this session.
    pub fn offer(
        &mut self,
        address: SocketAddr,
        codecs: &[Format],
        telephone_event: Option<u8>,
        direction: Direction,
    ) -> Vec<u8> {
        let wish = self.cipher.map_or(Wish::Plain, |cipher| cipher.wish);
        let protocol = if wish == Wish::Enciphered { "RTP/SAVP" } else { "RTP/AVP" };
        let keys = self.lines(Vec::new(), wish != Wish::Plain);
        let audio = Audio { protocol, codecs, telephone_event, direction, keys: &keys };
        self.say(|id, version| offer_after(None, (id, version), address, &audio))
    }

    /// A later offer. It keeps what stands: the places of all streams, the number of a codec, the
    /// protocol, and our key of the suite in force; plain audio, which `in_force` is `None` of, stays so
    /// with keys beside it where we wish them.
    pub fn offer_again(
        &mut self,
        address: SocketAddr,
        codecs: &[Codec],
        telephone_event: Option<u8>,
        direction: Direction,
        in_force: Option<Suite>,
    ) -> Vec<u8> {
        let before = Sdp::read(&self.said).ok();
        let Some(last) = before.as_ref().and_then(Sdp::audio) else {
            let codecs: Vec<Format> = codecs.iter().map(|codec| codec.usual()).collect();
            return self.offer(address, &codecs, telephone_event, direction);
        };
        let number = |codec: &Codec| last.codecs.iter().find(|said| said.codec == *codec).copied();
        let codecs: Vec<Format> = codecs.iter().map(|codec| number(codec).unwrap_or(codec.usual())).collect();
        let standing = last.crypto.iter().filter(|said| Some(said.suite) == in_force).take(1);
        let wished = self.cipher.is_some_and(|cipher| cipher.wish != Wish::Plain);
        let keys = self.lines(standing.copied().collect(), wished || in_force.is_some());
        let protocol = match (last.protocol.as_str(), in_force) {
            ("RTP/SAVP", None) => "RTP/AVP",
            ("RTP/SAVPF", None) => "RTP/AVPF",
            (protocol, _) => protocol,
        };
        let audio = Audio { protocol, codecs: &codecs, telephone_event, direction, keys: &keys };
        self.say(|id, version| offer_after(before.as_ref(), (id, version), address, &audio))
    }

    /// An answer ([`super::answer`]) in this session.
    ///
    /// # Errors
    /// As [`super::answer`].
    pub fn answer(
        &mut self,
        offer: &Sdp,
        address: SocketAddr,
        direction: Direction,
    ) -> Result<(Agreement, Vec<u8>), SdpError> {
        let cipher = self.cipher;
        let say = |id, version| answer_with(offer, (id, version), address, direction, cipher.as_ref());
        let (agreement, _) = say(self.id, self.version)?;
        // The same offer was answered a line above.
        let text = |id, version| say(id, version).map(|(_, text)| text).unwrap_or_default();
        Ok((agreement, self.say(text)))
    }

    /// What stands already, and, where keys are wanted, ours of every suite we offer.
    fn lines(&self, mut lines: Vec<Crypto>, wanted: bool) -> Vec<Crypto> {
        for cipher in self.cipher.iter().filter(|_| wanted) {
            for suite in Suite::OFFERED {
                if lines.iter().all(|line| line.suite != suite) {
                    let free = |tag: &u32| lines.iter().all(|line| line.tag != *tag);
                    let tag = (1..).find(free).unwrap_or_default();
                    lines.push(Crypto::new(tag, suite, cipher.keys.of(suite)));
                }
            }
        }
        lines
    }

    fn last_audio(&self) -> Option<super::Media> {
        Sdp::read(&self.said).ok()?.audio().cloned()
    }

    /// Prints with the version in force, or the next one when the text then differs.
    fn say(&mut self, print: impl Fn(u64, u64) -> Vec<u8>) -> Vec<u8> {
        let mut text = print(self.id, self.version);
        if !self.said.is_empty() && self.said != text {
            self.version += 1;
            text = print(self.id, self.version);
        }
        self.said.clone_from(&text);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::answer;

    fn ours() -> SocketAddr {
        "198.51.100.1:20000".parse().expect("an address")
    }

    fn cipher(wish: Wish) -> Session {
        let mut session = Session::new(9);
        session.cipher(Cipher { keys: crate::sdp::KeySource::new([1; 32]).draw(), wish });
        session
    }

    const KEY: &str = "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";

    #[test]
    fn an_enciphered_offer_is_answered_enciphered_under_its_own_number() {
        let offer = format!(
            "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/SAVP 8\r\na=crypto:3 F8_128_HMAC_SHA1_80 {KEY}\r\n\
             a=crypto:7 AES_CM_128_HMAC_SHA1_80 {KEY}|2^31\r\n"
        );
        let offer = Sdp::read(offer.as_bytes()).expect("SDP");
        for wish in [Wish::Plain, Wish::Either, Wish::Enciphered] {
            let mut session = cipher(wish);
            let (agreed, text) = session.answer(&offer, ours(), Direction::SendRecv).expect("an answer");
            let text = String::from_utf8(text).expect("text");
            assert!(text.contains("m=audio 20000 RTP/SAVP 8\r\n"), "{text}");
            assert!(text.contains("a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:"), "{text}");
            assert!(!text.contains(KEY), "a key of our own: {text}");
            assert_eq!(agreed.theirs.map(|theirs| theirs.tag), Some(7));
        }
        assert_eq!(answer(&offer, 1, 1, ours(), Direction::SendRecv).map(|_| ()), Err(SdpError::NoAudio));
    }

    #[test]
    fn keys_beside_a_plain_stream_are_used_when_we_wish_it_so() {
        let offer = format!(
            "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n"
        );
        let offer = Sdp::read(offer.as_bytes()).expect("SDP");
        for (wish, used) in [(Wish::Plain, false), (Wish::Either, true), (Wish::Enciphered, true)] {
            let (agreed, text) = cipher(wish).answer(&offer, ours(), Direction::SendRecv).expect("an answer");
            assert_eq!(agreed.theirs.is_some(), used, "{wish:?}");
            assert_eq!(String::from_utf8_lossy(&text).contains("a=crypto"), used, "{wish:?}");
        }
    }

    #[test]
    fn what_we_offer_says_what_we_wish() {
        for (wish, protocol, keys) in
            [(Wish::Plain, "RTP/AVP", 0), (Wish::Either, "RTP/AVP", 2), (Wish::Enciphered, "RTP/SAVP", 2)]
        {
            let text = cipher(wish).offer(ours(), &[Codec::Pcma.usual()], None, Direction::SendRecv);
            let sdp = Sdp::read(&text).expect("SDP");
            let audio = sdp.audio().expect("audio");
            assert_eq!((audio.protocol.as_str(), audio.crypto.len()), (protocol, keys));
        }
    }

    #[test]
    fn the_version_rises_when_what_we_say_changes_and_only_then() {
        let mut session = Session::new(77);
        let version = |text: Vec<u8>| Sdp::read(&text).expect("SDP").version;
        let mut say =
            |direction| version(session.offer(ours(), &[Codec::Pcma.usual()], Some(101), direction));
        assert_eq!(say(Direction::SendRecv), 1);
        assert_eq!(say(Direction::SendRecv), 1);
        assert_eq!(say(Direction::SendOnly), 2);
        assert_eq!(say(Direction::SendRecv), 3);
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).expect("text")
    }

    const BOTH: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

    #[test]
    fn a_later_offer_keeps_every_stream_in_its_place_and_every_number() {
        let offer = Sdp::read(
            b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=video 4002 RTP/AVP 31 34\r\nm=audio 4000 RTP/AVPF 98 96\r\n\
              a=rtpmap:98 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\nm=text 4004 RTP/AVP 97\r\n",
        )
        .expect("SDP");
        let mut session = Session::new(9);
        session.answer(&offer, ours(), Direction::SendRecv).expect("an answer");
        let again = text(session.offer_again(ours(), &BOTH, Some(96), Direction::SendRecv, None));
        let lines: Vec<&str> = again.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(
            lines,
            ["m=video 0 RTP/AVP 31 34", "m=audio 20000 RTP/AVPF 98 0 96", "m=text 0 RTP/AVP 97"]
        );
        assert!(again.contains("a=rtpmap:98 PCMA/8000\r\n"), "{again}");
        assert!(again.starts_with("v=0\r\no=- 9 2 "), "{again}");
        assert_eq!(text(session.offer_again(ours(), &BOTH, Some(96), Direction::SendRecv, None)), again);
    }

    #[test]
    fn a_later_offer_keeps_the_keys_in_force_whatever_we_wish() {
        let offer = format!(
            "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/SAVP 8\r\na=crypto:2 AEAD_AES_128_GCM \
             inline:{}==\r\n",
            "A".repeat(38)
        );
        let offer = Sdp::read(offer.as_bytes()).expect("SDP");
        for wish in [Wish::Plain, Wish::Either, Wish::Enciphered] {
            let mut session = cipher(wish);
            let (agreed, said) = session.answer(&offer, ours(), Direction::SendRecv).expect("an answer");
            let in_force = agreed.theirs.map(|theirs| theirs.suite);
            let line = |text: &str| text.lines().find(|line| line.contains("AEAD")).map(str::to_owned);
            let said = line(&text(said)).expect("our key");
            let again = text(session.offer_again(ours(), &BOTH, None, Direction::SendRecv, in_force));
            assert!(again.contains("m=audio 20000 RTP/SAVP 8 0\r\n"), "{again}");
            assert_eq!(line(&again), Some(said), "the same key by the same number");
            let again = Sdp::read(again.as_bytes()).expect("SDP");
            let tags = again.media[0].crypto.iter().map(|line| (line.tag, line.suite));
            assert_eq!(
                tags.collect::<Vec<_>>(),
                [(2, Suite::AeadAes128Gcm), (1, Suite::AesCm128HmacSha1_80)],
                "what stands first"
            );
        }
    }

    #[test]
    fn plain_audio_that_stands_stays_plain_with_keys_beside_where_we_wish_them() {
        let plain = Sdp::read(b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 8\r\n").expect("SDP");
        for (wish, keys) in [(Wish::Plain, 0), (Wish::Either, 2), (Wish::Enciphered, 2)] {
            // Theirs was plain, or ours was not and they have answered so.
            for we_offered in [false, true] {
                let mut session = cipher(wish);
                if we_offered {
                    session.offer(ours(), &[Codec::Pcma.usual()], None, Direction::SendRecv);
                } else {
                    session.answer(&plain, ours(), Direction::SendRecv).expect("an answer");
                }
                let again = session.offer_again(ours(), &BOTH, None, Direction::SendRecv, None);
                let again = Sdp::read(&again).expect("SDP");
                let [audio] = &again.media[..] else { panic!("one line: {again:?}") };
                assert_eq!((audio.protocol.as_str(), audio.crypto.len()), ("RTP/AVP", keys), "{wish:?}");
            }
        }
    }
}
