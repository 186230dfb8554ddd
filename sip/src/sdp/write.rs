//! Printing our offer and our answer (RFC 3264 §5, §6).

use super::{Agreement, Cipher, Crypto, Direction, Format, Media, Sdp, SdpError, Wish};
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
    let audio = Audio { protocol: "RTP/AVP", codecs, telephone_event, direction, keys: &[] };
    offer_after(None, (id, version), address, &audio)
}

/// What we say of the audio, its port aside.
pub(super) struct Audio<'a> {
    pub(super) protocol: &'a str,
    pub(super) codecs: &'a [Format],
    pub(super) telephone_event: Option<u8>,
    pub(super) direction: Direction,
    pub(super) keys: &'a [Crypto],
}

/// An offer of ours after what was said `before` in the same session: every stream of it keeps its place
/// (RFC 3264 §8).
pub(super) fn offer_after(
    before: Option<&Sdp>,
    (id, version): (u64, u64),
    address: SocketAddr,
    audio: &Audio<'_>,
) -> Vec<u8> {
    let mut text = head(id, version, address);
    match before.and_then(|before| before.audio_index().map(|taken| (before, taken))) {
        None => push_audio(&mut text, address.port(), audio),
        Some((before, taken)) => {
            for (index, media) in before.media.iter().enumerate() {
                if index == taken {
                    push_audio(&mut text, address.port(), audio);
                } else {
                    push_refusal(&mut text, media);
                }
            }
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
    answer_with(offer, (id, version), address, direction, None)
}

pub(super) fn answer_with(
    offer: &Sdp,
    (id, version): (u64, u64),
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
    let ours = agreement.theirs.zip(cipher);
    let ours = ours.map(|(theirs, cipher)| Crypto { key: cipher.keys.of(theirs.suite), ..theirs });
    let taken = offer.audio_index();
    let mut text = head(id, version, address);
    for (index, media) in offer.media.iter().enumerate() {
        if Some(index) == taken {
            let audio = Audio {
                protocol: &media.protocol,
                codecs: &[agreement.format],
                telephone_event: agreement.telephone_event,
                direction: agreement.direction,
                keys: ours.as_slice(),
            };
            push_audio(&mut text, address.port(), &audio);
        } else {
            push_refusal(&mut text, media);
        }
    }
    Ok((agreement, text.into_bytes()))
}

fn head(id: u64, version: u64, address: SocketAddr) -> String {
    let (family, ip) = (if address.is_ipv4() { "IP4" } else { "IP6" }, address.ip());
    format!("v=0\r\no=- {id} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n")
}

fn push_audio(text: &mut String, port: u16, audio: &Audio<'_>) {
    let Audio { protocol, codecs, telephone_event, direction, keys } = audio;
    // Writing to a String cannot fail.
    let _ = write!(text, "m=audio {port} {protocol}");
    for payload_type in codecs.iter().map(|format| format.payload_type).chain(*telephone_event) {
        let _ = write!(text, " {payload_type}");
    }
    text.push_str("\r\n");
    for Format { payload_type, codec } in *codecs {
        let _ = write!(text, "a=rtpmap:{payload_type} {}\r\n", codec.encoding());
    }
    if let Some(event) = telephone_event {
        let _ = write!(text, "a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15\r\n");
    }
    let _ = write!(text, "a=ptime:20\r\na={}\r\n", direction.attribute());
    for key in *keys {
        text.push_str(&key.line());
    }
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
}
