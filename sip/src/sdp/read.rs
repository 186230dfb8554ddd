//! Reading a description line by line (RFC 8866 §5).

use super::crypto::CRYPTO_MAX;
use super::{Codec, Crypto, Direction, Format, Media, Sdp, SdpError};
use std::net::IpAddr;

/// Streams kept of one description: phones send up to four. More costs memory, less would answer
/// a lecture room with too few lines.
const MEDIA_MAX: usize = 16;

/// Formats kept of one stream: carriers send up to twenty.
const FORMATS_MAX: usize = 64;

/// What a level (the session, or one stream) says for all below it.
#[derive(Clone, Copy, Default)]
struct Level {
    address: Option<IpAddr>,
    direction: Option<Direction>,
    ptime: Option<u16>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Sdp, SdpError> {
    let mut sdp = Sdp { id: 0, version: 0, media: Vec::new() };
    let mut begun = false;
    let mut session = Level::default();
    let mut stream = Level::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        // A session name in Latin-1 is a line we do not need.
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let Some((key, value)) = line.trim_end().split_once('=') else { continue };
        // Before it stands what a gateway has left there: an empty line, a byte order mark.
        let (key, value) = (key.trim_matches(is_space), value.trim_start());
        begun |= key == "v";
        match key {
            _ if !begun => {}
            "m" => {
                close(&mut sdp, session, stream);
                if sdp.media.len() == MEDIA_MAX {
                    return Ok(sdp); // the last stream kept is closed already
                }
                sdp.media.extend(open(value));
                stream = Level::default();
            }
            "o" => (sdp.id, sdp.version) = origin(value),
            "c" => level(&sdp, &mut session, &mut stream).address = connection(value),
            "a" => attribute(&mut sdp, &mut session, &mut stream, value),
            _ => {}
        }
    }
    close(&mut sdp, session, stream);
    if begun { Ok(sdp) } else { Err(SdpError::NotSdp) }
}

/// White space, and the mark some editors begin a text with.
fn is_space(sign: char) -> bool {
    sign.is_whitespace() || sign == '\u{feff}'
}

/// The level a line belongs to: the session's before the first `m=`.
fn level<'l>(sdp: &Sdp, session: &'l mut Level, stream: &'l mut Level) -> &'l mut Level {
    if sdp.media.is_empty() { session } else { stream }
}

/// Gives the stream just read what its own level, else the session's, says.
fn close(sdp: &mut Sdp, session: Level, stream: Level) {
    let Some(media) = sdp.media.last_mut() else { return };
    media.address = stream.address.or(session.address);
    media.direction = stream.direction.or(session.direction).unwrap_or_default();
    media.ptime = stream.ptime.or(session.ptime);
    if media.address.is_some_and(|address| address.is_unspecified()) {
        // Hold as it was before RFC 3264: "send me nothing".
        media.direction = Direction::new(media.direction.sends(), false);
    }
}

/// `audio 49170[/2] RTP/AVP 8 0 101`; a line without a port stands for a closed stream, so that
/// an answer still has as many lines as the offer.
fn open(value: &str) -> Option<Media> {
    let mut words = value.split_ascii_whitespace();
    let kind = words.next()?.to_ascii_lowercase();
    let port = words.next().and_then(|port| port.split('/').next()?.parse().ok()).unwrap_or(0);
    let protocol = words.next().unwrap_or("RTP/AVP").to_owned();
    let formats: Vec<String> = words.take(FORMATS_MAX).map(str::to_owned).collect();
    let of_its_own = |format: &String| Codec::of_payload_type(format.parse().ok()?).map(Codec::usual);
    let codecs = formats.iter().filter_map(of_its_own).collect();
    let direction = Direction::default();
    Some(Media {
        kind,
        port,
        protocol,
        formats,
        address: None,
        direction,
        codecs,
        telephone_event: None,
        ptime: None,
        crypto: Vec::new(),
    })
}

/// `- 1 2 IN IP4 192.0.2.1`: the session's number and version; 0 for what is no number.
fn origin(value: &str) -> (u64, u64) {
    let mut words = value.split_ascii_whitespace().skip(1).map(|word| word.parse().unwrap_or(0));
    (words.next().unwrap_or(0), words.next().unwrap_or(0))
}

/// `IN IP6 2001:db8::1[/ttl]`; `None` for a name.
fn connection(value: &str) -> Option<IpAddr> {
    value.split_ascii_whitespace().nth(2)?.split('/').next()?.parse().ok()
}

fn attribute(sdp: &mut Sdp, session: &mut Level, stream: &mut Level, value: &str) {
    let (name, value) = value.split_once(':').unwrap_or((value, ""));
    let direction = match name {
        "sendrecv" => Direction::SendRecv,
        "sendonly" => Direction::SendOnly,
        "recvonly" => Direction::RecvOnly,
        "inactive" => Direction::Inactive,
        "ptime" => {
            level(sdp, session, stream).ptime = value.trim().parse().ok();
            return;
        }
        "rtpmap" => return rtpmap(sdp, value),
        "crypto" => {
            let media = sdp.media.last_mut().filter(|media| media.crypto.len() < CRYPTO_MAX);
            if let (Some(media), Some(crypto)) = (media, Crypto::read(value)) {
                media.crypto.push(crypto);
            }
            return;
        }
        _ => return,
    };
    level(sdp, session, stream).direction = Some(direction);
}

/// `101 telephone-event/8000`, `98 PCMA/8000`. Wide-band offers have a second telephone-event at
/// 16000 Hz, which is no use beside G.711; and what is named must be among the formats of its stream.
/// A number stands for one thing: the static ones for what RFC 3551 says, another for what is said of
/// it first.
fn rtpmap(sdp: &mut Sdp, value: &str) {
    let Some(media) = sdp.media.last_mut() else { return };
    let mut words = value.split_ascii_whitespace();
    let (Some(number), Some(encoding)) = (words.next(), words.next()) else { return };
    let Some(payload_type) = number.parse().ok().filter(|number| *number < 128) else { return };
    let is_named = media.codecs.iter().any(|known| known.payload_type == payload_type);
    let place_of = |number| media.formats.iter().position(|listed| listed.parse() == Ok(number));
    let Some(place) = place_of(payload_type).filter(|_| !is_named) else { return };
    match Codec::of_encoding(encoding) {
        Some(codec) if media.telephone_event != Some(payload_type) => {
            let before = media.codecs.partition_point(|known| place_of(known.payload_type) < Some(place));
            media.codecs.insert(before, Format { payload_type, codec });
        }
        None if is_event(encoding) => media.telephone_event = media.telephone_event.or(Some(payload_type)),
        _ => {}
    }
}

fn is_event(encoding: &str) -> bool {
    encoding.split_once('/').is_some_and(|(name, rate)| {
        name.eq_ignore_ascii_case("telephone-event") && (rate == "8000" || rate == "8000/1")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARRIER: &str = "v=0\r\no=- 7 3 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
        m=audio 40000 RTP/AVP 9 8 0 100 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:100 telephone-event/16000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n";

    fn audio(text: &str) -> Media {
        Sdp::read(text.as_bytes()).expect("SDP").audio().expect("audio").clone()
    }

    #[test]
    fn a_carriers_offer_gives_address_codecs_and_keys() {
        let audio = audio(CARRIER);
        assert_eq!(audio.remote(), "192.0.2.9:40000".parse().ok());
        assert_eq!(audio.codecs, [Codec::Pcma, Codec::Pcmu].map(Codec::usual));
        assert_eq!((audio.telephone_event, audio.ptime), (Some(101), Some(20)));
        assert_eq!(audio.direction, Direction::SendRecv);
    }

    #[test]
    fn a_codec_is_known_by_the_name_of_its_number_in_the_order_of_the_offer() {
        let audio = audio(
            "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 40000 RTP/AVP 18 97 8 98 99 101\r\n\
             a=rtpmap:98 PCMA/8000\r\na=rtpmap:98 telephone-event/8000\r\na=rtpmap:97 pcmu/8000/1\r\n\
             a=rtpmap:99 PCMA/16000\r\na=rtpmap:96 PCMA/8000\r\na=rtpmap:8 PCMU/8000\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=rtpmap:101 PCMA/8000\r\n",
        );
        let named = audio.codecs.iter().map(|format| (format.payload_type, format.codec));
        assert_eq!(
            named.collect::<Vec<_>>(),
            [(97, Codec::Pcmu), (8, Codec::Pcma), (98, Codec::Pcma)],
            "no other rate, none that is not listed, no number twice"
        );
        assert_eq!(audio.telephone_event, Some(101));
    }

    #[test]
    fn a_streams_own_address_and_direction_win_over_the_sessions() {
        let text = "v=0\r\nc=IN IP4 192.0.2.9\r\na=sendonly\r\nm=audio 4000 RTP/AVP 8\r\n\
            c=IN IP6 2001:db8::7\r\na=recvonly\r\nm=video 4002 RTP/AVP 31\r\n";
        let sdp = Sdp::read(text.as_bytes()).expect("SDP");
        assert_eq!(sdp.media[0].remote(), "[2001:db8::7]:4000".parse().ok());
        assert_eq!(sdp.media[0].direction, Direction::RecvOnly);
        assert_eq!(sdp.media[1].address, "192.0.2.9".parse().ok());
        assert_eq!(sdp.media[1].direction, Direction::SendOnly);
    }

    #[test]
    fn an_address_of_zeros_is_the_old_way_to_hold() {
        let audio = audio("v=0\nc=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 8\n");
        assert_eq!(audio.remote(), None);
        assert_eq!(audio.direction, Direction::SendOnly);
    }

    #[test]
    fn the_audio_taken_is_the_first_we_can_speak() {
        let text = "v=0\nc=IN IP4 192.0.2.9\nm=audio 4000 RTP/SAVP 8\nm=audio 4002 RTP/AVP 18\nm=audio 4004 RTP/AVP 0\n";
        assert_eq!(audio(text).port, 4004);
        assert_eq!(audio("v=0\nc=IN IP4 192.0.2.9\nm=audio 0 RTP/AVP 8\n").remote(), None);
    }

    #[test]
    fn a_description_begins_where_it_begins_whatever_space_stands_there() {
        for lead in ["", "\r\n", " \r\n ", "\u{feff}"] {
            let text =
                format!("{lead}v = 0\r\nc = IN IP4 192.0.2.9\r\nm= audio 4000 RTP/AVP 8\r\na= sendonly\r\n");
            let audio = audio(&text);
            assert_eq!(audio.remote(), "192.0.2.9:4000".parse().ok(), "{lead:?}");
            assert_eq!(audio.direction, Direction::SendOnly);
        }
    }

    #[test]
    fn what_makes_no_sense_is_passed_over_and_never_panics() {
        assert_eq!(Sdp::read(b"hello"), Err(SdpError::NotSdp));
        for text in [
            "v=0",
            "v=0\nm=",
            "v=0\nm=audio",
            "v=0\nm=audio x y z\na=rtpmap\na=rtpmap:\na=rtpmap:300 telephone-event/8000",
            "v=0\na=rtpmap:101 telephone-event/8000\nc=\nc=IN\no=\n=\n",
        ] {
            let sdp = Sdp::read(text.as_bytes()).expect("SDP");
            assert!(sdp.agreed().is_err(), "{text}");
        }
        let many = format!("v=0\n{}", "m=audio 4000 RTP/AVP 8\n".repeat(1000));
        assert_eq!(Sdp::read(many.as_bytes()).expect("SDP").media.len(), MEDIA_MAX);
    }
}
