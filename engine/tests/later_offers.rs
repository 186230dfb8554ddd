//! A re-INVITE without SDP asks for an offer of ours: it says again what stands (RFC 3264 §8), so that
//! a border that refreshes, holds or moves a call so loses nothing of it.

mod kit;

use engine::media::{MediaCommand, SrtpKeys, Stream};
use engine::site::Srtp;
use kit::peer::{Caller, Dial, tag};
use kit::sip::sdp;
use kit::{ENGINE, Room, centre, desks, phone_at, plan, site};

const KEY: &str = "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";

/// A border's offer: video, enciphered audio by numbers of its own, text.
const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=video 30002 RTP/SAVP 31\r\n\
    m=audio 30000 RTP/SAVP 18 98 96\r\na=rtpmap:98 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\n\
    a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|1:4\r\n\
    m=text 30004 RTP/AVP 99\r\n";

fn agreements(room: &Room) -> Vec<Stream> {
    let all = room.media.iter().filter_map(|(_, it)| match it {
        MediaCommand::Open { stream, .. } | MediaCommand::Update { stream, .. } => Some(*stream),
        _ => None,
    });
    all.collect()
}

fn keys(room: &Room) -> SrtpKeys {
    agreements(room).last().and_then(|stream| stream.srtp).expect("keys")
}

fn calls(room: &mut Room, body: &str) -> Caller {
    let (uri, sdp) = (format!("sip:15@{ENGINE}"), Some(body.to_owned()));
    let mut caller = room.dial_with(&Dial { number: "0612345678", uri, trunk: 0, sdp, extra: "" });
    room.ack(&mut caller);
    caller
}

fn said(room: &Room, caller: &Caller) -> String {
    room.last(&caller.at, &caller.id, |it| it.code() == Some(200)).expect("200").body.clone()
}

fn lines<'a>(body: &'a str, of: &str) -> Vec<&'a str> {
    body.lines().filter(|line| line.starts_with(of)).collect()
}

fn version(body: &str) -> u64 {
    let origin = lines(body, "o=")[0].split(' ').nth(2).expect("a version");
    origin.parse().expect("a number")
}

#[test]
fn an_enciphered_call_of_several_streams_is_offered_again_as_it_stands() {
    let mut room = Room::new(0);
    let mut caller = calls(&mut room, OFFER);
    let (first, before) = (said(&room, &caller), keys(&room));
    let streams = agreements(&room).len();
    room.reinvite_only(&mut caller, None);
    let again = said(&room, &caller);
    let places: Vec<&str> = lines(&again, "m=").iter().map(|line| &line[..7]).collect();
    assert_eq!(places, ["m=video", "m=audio", "m=text "]);
    assert_eq!(lines(&again, "m=video"), ["m=video 0 RTP/SAVP 31"]);
    assert_eq!(lines(&again, "m=text"), ["m=text 0 RTP/AVP 99"]);
    assert!(lines(&again, "m=audio")[0].ends_with(" RTP/SAVP 98 0 96"), "{again}");
    assert_eq!(lines(&again, "a=crypto:")[0], lines(&first, "a=crypto:")[0], "the key in force first");
    assert!(lines(&again, "a=crypto:")[0].ends_with("|1:4"), "by its name");
    assert_eq!(lines(&again, "a=sendrecv").len(), 1);
    assert_eq!(version(&again), version(&first) + 1);
    assert_eq!(agreements(&room).len(), streams, "nothing changes before the peer has answered");
    // It answers in its ACK, at another port.
    let answer = OFFER.replace("audio 30000", "audio 30010").replace("video 30002", "video 0");
    room.ack_with(&mut caller, Some(&answer));
    assert_eq!(keys(&room), before, "the keys of both, and their names");
    let stream = agreements(&room).pop().expect("an agreement");
    assert_eq!(stream.remote.map(|at| at.port()), Some(30_010));
    assert_eq!(
        (stream.payload_type(), stream.telephone_event, stream.keys_come_as),
        (98, Some(96), Some(96))
    );
    // And once more: what stands has not changed.
    room.reinvite_only(&mut caller, None);
    assert_eq!(said(&room, &caller), again);
}

#[test]
fn a_call_that_is_held_is_offered_again_with_the_audio_we_want_ourselves() {
    let mut room = Room::new(0);
    let mut caller = calls(&mut room, &sdp(30_000, "8", "sendrecv"));
    room.reinvite(&mut caller, Some(&sdp(30_000, "8", "sendonly")));
    assert!(said(&room, &caller).contains("a=recvonly"));
    room.reinvite_only(&mut caller, None);
    assert!(said(&room, &caller).contains("a=sendrecv"), "who holds says so again, or takes back");
    room.ack_with(&mut caller, Some(&sdp(30_000, "8", "sendonly")));
    assert!(!agreements(&room).last().expect("an agreement").send, "still on hold");
}

#[test]
fn a_phone_we_have_called_with_keys_is_offered_them_again() {
    let mut site = site(vec![centre(plan::TEXT, desks(0, 1, true))]);
    site.phones_srtp = Srtp::Required;
    let mut room = Room::of(site);
    room.dial_and_ack("0612345678", "15");
    let invite = room.ringing(0).expect("rings");
    let contact = format!("Contact: <sip:0@{}>\r\n", phone_at(0));
    let answer = sdp(40_000, "8 97", "sendrecv").replace("RTP/AVP", "RTP/SAVP")
        + &format!("a=rtpmap:97 telephone-event/8000\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}\r\n");
    room.send(phone_at(0), &invite.response("200 OK", &tag(&invite), &contact, &answer));
    let before = keys(&room);
    room.phone_request(0, &invite, "INVITE", 2, None);
    let ok = room.last(&phone_at(0), invite.call_id(), |it| it.code() == Some(200)).expect("200");
    assert_eq!(lines(&ok.body, "m=").len(), 1);
    assert!(lines(&ok.body, "m=")[0].ends_with(" RTP/SAVP 8 0 101"), "our own numbers: {}", ok.body);
    assert_eq!(lines(&ok.body, "a=crypto:"), lines(&invite.body, "a=crypto:"), "the same keys");
    room.phone_request(0, &invite, "ACK", 2, Some(&answer));
    assert_eq!(keys(&room), before);
}
