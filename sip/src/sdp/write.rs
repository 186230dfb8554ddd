//! Printing our offer and our answer (RFC 3264 §5, §6).

use super::{Agreement, Crypto, Direction, Format, Media, OurKeys, Sdp, SdpError, Suite};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::net::SocketAddr;

/// An offer of ours: `codecs` in our order, telephone-event at its payload type when given.
pub fn offer(
    id: u64,
    version: u64,
    address: SocketAddr,
    codecs: &[Format],
    telephone_event: Option<u8>,
    direction: Direction,
) -> Vec<u8> {
    offer_with(id, version, address, codecs, telephone_event, direction, None)
}

/// Whether and with what a leg of ours is enciphered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cipher {
    /// Our keys. An offer that is enciphered is answered so, whatever the rest says.
    pub keys: OurKeys,
    /// What we offer, and what we do with keys beside a plain stream (as many phones send them, who
    /// leave the choice to us).
    pub wish: Wish,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// Plain offers, and keys beside a plain stream are not used.
    Plain,
    /// Plain offers with keys beside.
    Either,
    /// Enciphered offers.
    Enciphered,
}

#[allow(clippy::too_many_arguments)] // `offer`, and the keys
fn offer_with(
    id: u64,
    version: u64,
    address: SocketAddr,
    codecs: &[Format],
    telephone_event: Option<u8>,
    direction: Direction,
    cipher: Option<&Cipher>,
) -> Vec<u8> {
    let mut text = head(id, version, address);
    let (protocol, keys) = match cipher {
        Some(Cipher { wish: Wish::Either, keys }) => ("RTP/AVP", Some(keys)),
        Some(Cipher { wish: Wish::Enciphered, keys }) => ("RTP/SAVP", Some(keys)),
        Some(Cipher { wish: Wish::Plain, .. }) | None => ("RTP/AVP", None),
    };
    push_audio(&mut text, address.port(), protocol, codecs, telephone_event, direction);
    if let Some(keys) = keys {
        for (tag, suite) in (1..).zip(Suite::ALL) {
            text.push_str(&Crypto { tag, suite, key: keys.of(suite) }.line());
        }
    }
    text.into_bytes()
}

/// The answer to `offer`: its first G.711 codec and its telephone-event by the offer's numbers (RFC
/// 3264 §6.1), `direction` as far as the offer allows it, and every other stream refused. Gives what is
/// agreed, too.
///
/// # Errors
/// [`SdpError::NoAudio`] or [`SdpError::NoCodec`] when there is nothing to agree on.
pub fn answer(
    offer: &Sdp,
    id: u64,
    version: u64,
    address: SocketAddr,
    direction: Direction,
) -> Result<(Agreement, Vec<u8>), SdpError> {
    answer_with(offer, id, version, address, direction, None)
}

fn answer_with(
    offer: &Sdp,
    id: u64,
    version: u64,
    address: SocketAddr,
    direction: Direction,
    cipher: Option<&Cipher>,
) -> Result<(Agreement, Vec<u8>), SdpError> {
    let mut agreement = offer.agreed()?;
    let is_enciphered = offer.audio().is_some_and(Media::is_enciphered);
    let takes_keys = cipher.is_some_and(|cipher| is_enciphered || cipher.wish != Wish::Plain);
    if !takes_keys && is_enciphered {
        return Err(SdpError::NoAudio);
    }
    agreement.theirs = agreement.theirs.filter(|_| takes_keys);
    agreement.direction = agreement.direction.and(direction);
    let taken = offer.audio_index();
    let mut text = head(id, version, address);
    for (index, media) in offer.media.iter().enumerate() {
        if Some(index) == taken {
            let (codecs, event) = ([agreement.format], agreement.telephone_event);
            push_audio(&mut text, address.port(), &media.protocol, &codecs, event, agreement.direction);
            if let (Some(theirs), Some(cipher)) = (agreement.theirs, cipher) {
                text.push_str(&Crypto { key: cipher.keys.of(theirs.suite), ..theirs }.line());
            }
        } else {
            push_refusal(&mut text, media);
        }
    }
    Ok((agreement, text.into_bytes()))
}

/// Our side of one leg's descriptions: the same number for its life, and a version that rises when
/// what we say changes and only then (RFC 3264 §8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    id: u64,
    version: u64,
    said: Vec<u8>,
    #[serde(default)]
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

    /// Our key of a suite, where we have said one.
    pub fn key_of(&self, suite: Suite) -> Option<super::Key> {
        self.cipher.as_ref().map(|cipher| cipher.keys.of(suite))
    }

    /// An offer ([`offer`]) in this session.
    pub fn offer(
        &mut self,
        address: SocketAddr,
        codecs: &[Format],
        telephone_event: Option<u8>,
        direction: Direction,
    ) -> Vec<u8> {
        let cipher = self.cipher;
        self.say(|id, version| {
            offer_with(id, version, address, codecs, telephone_event, direction, cipher.as_ref())
        })
    }

    /// An answer ([`answer`]) in this session.
    ///
    /// # Errors
    /// As [`answer`].
    pub fn answer(
        &mut self,
        offer: &Sdp,
        address: SocketAddr,
        direction: Direction,
    ) -> Result<(Agreement, Vec<u8>), SdpError> {
        let cipher = self.cipher;
        let say = |id, version| answer_with(offer, id, version, address, direction, cipher.as_ref());
        let (agreement, _) = say(self.id, self.version)?;
        // The same offer was answered a line above.
        let text = |id, version| say(id, version).map(|(_, text)| text).unwrap_or_default();
        Ok((agreement, self.say(text)))
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

fn head(id: u64, version: u64, address: SocketAddr) -> String {
    let (family, ip) = (if address.is_ipv4() { "IP4" } else { "IP6" }, address.ip());
    format!("v=0\r\no=- {id} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n")
}

fn push_audio(
    text: &mut String,
    port: u16,
    protocol: &str,
    codecs: &[Format],
    telephone_event: Option<u8>,
    direction: Direction,
) {
    // Writing to a String cannot fail.
    let _ = write!(text, "m=audio {port} {protocol}");
    for payload_type in codecs.iter().map(|format| format.payload_type).chain(telephone_event) {
        let _ = write!(text, " {payload_type}");
    }
    text.push_str("\r\n");
    for Format { payload_type, codec } in codecs {
        let _ = write!(text, "a=rtpmap:{payload_type} {}\r\n", codec.encoding());
    }
    if let Some(event) = telephone_event {
        let _ = write!(text, "a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15\r\n");
    }
    let _ = write!(text, "a=ptime:20\r\na={}\r\n", direction.attribute());
}

/// A stream of the offer, closed (RFC 3264 §6).
fn push_refusal(text: &mut String, media: &Media) {
    let formats = if media.formats.is_empty() { "0".to_owned() } else { media.formats.join(" ") };
    let _ = write!(text, "m={} 0 {} {formats}\r\n", media.kind, media.protocol);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::Codec;

    const OURS: &str = "198.51.100.1:20000";

    fn ours() -> SocketAddr {
        OURS.parse().expect("an address")
    }

    fn answered(offer: &str) -> (Agreement, String) {
        let offer = Sdp::read(offer.as_bytes()).expect("SDP");
        let (agreement, text) = answer(&offer, 9, 1, ours(), Direction::SendRecv).expect("an answer");
        (agreement, String::from_utf8(text).expect("text"))
    }

    #[test]
    fn the_first_g711_codec_of_the_offer_is_the_one_answered() {
        let (agreement, text) = answered(
            "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 18 0 8 96\r\na=rtpmap:96 telephone-event/8000\r\n",
        );
        assert_eq!((agreement.format, agreement.telephone_event), (Codec::Pcmu.usual(), Some(96)));
        assert!(text.contains("m=audio 20000 RTP/AVP 0 96\r\n"), "{text}");
        assert_eq!(agreement.remote, "192.0.2.9:4000".parse().ok());
    }

    #[test]
    fn g711_at_a_dynamic_number_is_answered_by_that_number() {
        let (agreement, text) =
            answered("v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 18 98\r\na=rtpmap:98 PCMA/8000\r\n");
        assert_eq!(agreement.format, Format { payload_type: 98, codec: Codec::Pcma });
        assert!(text.contains("m=audio 20000 RTP/AVP 98\r\na=rtpmap:98 PCMA/8000\r\n"), "{text}");
    }

    #[test]
    fn every_other_stream_is_refused_in_its_place() {
        let (_, text) = answered(
            "v=0\r\nc=IN IP4 192.0.2.9\r\nm=video 4002 RTP/AVP 31 34\r\nm=audio 4000 RTP/AVP 8\r\nm=text 4004 RTP/AVP 98\r\n",
        );
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(lines, ["m=video 0 RTP/AVP 31 34", "m=audio 20000 RTP/AVP 8", "m=text 0 RTP/AVP 98"]);
    }

    #[test]
    fn an_answer_never_sends_to_who_does_not_listen() {
        for (offered, answered_with) in [
            ("sendrecv", "sendrecv"),
            ("sendonly", "recvonly"),
            ("recvonly", "sendonly"),
            ("inactive", "inactive"),
        ] {
            let (_, text) =
                answered(&format!("v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 8\r\na={offered}\r\n"));
            assert!(text.ends_with(&format!("a={answered_with}\r\n")), "{offered}: {text}");
        }
    }

    #[test]
    fn an_offer_without_g711_or_audio_has_no_answer() {
        let read = |text: &str| Sdp::read(text.as_bytes()).expect("SDP");
        let try_answer = |text: &str| answer(&read(text), 1, 1, ours(), Direction::SendRecv).map(|_| ());
        assert_eq!(
            try_answer("v=0\nc=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 18 9\n"),
            Err(SdpError::NoCodec)
        );
        assert_eq!(try_answer("v=0\nc=IN IP4 192.0.2.9\nm=audio 4000 RTP/SAVP 8\n"), Err(SdpError::NoAudio));
        assert_eq!(try_answer("v=0\nc=IN IP4 192.0.2.9\nm=video 4000 RTP/AVP 31\n"), Err(SdpError::NoAudio));
        assert_eq!(try_answer("v=0\nc=IN IP4 192.0.2.9\nm=audio 0 RTP/AVP 8\n"), Err(SdpError::NoAudio));
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
    fn what_we_offer_reads_back_over_both_families() {
        let both = [Format { payload_type: 98, codec: Codec::Pcmu }, Codec::Pcma.usual()];
        for address in [OURS, "[2001:db8::5]:30000"] {
            let address: SocketAddr = address.parse().expect("an address");
            let text = offer(5, 2, address, &both, Some(101), Direction::SendOnly);
            let sdp = Sdp::read(&text).expect("SDP");
            let audio = sdp.audio().expect("audio");
            assert_eq!((sdp.id, sdp.version), (5, 2));
            assert_eq!(audio.remote(), Some(address));
            assert_eq!(audio.codecs, both);
            assert_eq!((audio.telephone_event, audio.direction), (Some(101), Direction::SendOnly));
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
}
