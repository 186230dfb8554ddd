//! Codecs and keys by the numbers a peer gives them (RFC 3264 §5.1, §6.1): each side is sent what it
//! named, and a number keeps its meaning for the life of a dialog.

mod kit;

use engine::media::{Codec, MediaCommand, Stream};
use kit::peer::{Caller, Dial};
use kit::sip::sdp;
use kit::{ENGINE, Room, phone_at};

/// A description whose A-law and telephone-event have numbers of their own.
fn by_number(port: u16, audio: u8, keys: u8, direction: &str) -> String {
    sdp(port, &format!("18 {audio} {keys}"), direction)
        + &format!("a=rtpmap:{audio} PCMA/8000\r\na=rtpmap:{keys} telephone-event/8000\r\n")
}

/// A caller whose carrier knows A-law as 98 and keys as 96 alone.
fn call(room: &mut Room) -> Caller {
    let body = Some(by_number(30_000, 98, 96, "sendrecv"));
    let uri = format!("sip:15@{ENGINE}");
    let mut caller = room.dial_with(&Dial { number: "0612345678", uri, trunk: 0, sdp: body, extra: "" });
    room.ack_with(&mut caller, None);
    caller
}

/// What the media plane was told last of a leg's agreement.
fn agreed(room: &Room) -> Stream {
    let last = room.media.iter().rev().find_map(|(_, it)| match it {
        MediaCommand::Open { stream, .. } | MediaCommand::Update { stream, .. } => Some(*stream),
        _ => None,
    });
    last.expect("an agreement")
}

fn numbers(stream: &Stream) -> (u8, Option<u8>, Option<u8>) {
    (stream.payload_type(), stream.telephone_event, stream.keys_come_as)
}

#[test]
fn g711_at_a_dynamic_number_alone_is_taken_by_that_number() {
    let mut room = Room::new(0);
    let caller = call(&mut room);
    assert_eq!(room.codes(&caller), [100, 200]);
    let ok = room.last(&caller.at, &caller.id, |it| it.code() == Some(200)).expect("200");
    assert!(ok.body.contains("RTP/AVP 98 96\r\na=rtpmap:98 PCMA/8000\r\n"), "{}", ok.body);
    let stream = agreed(&room);
    assert_eq!((stream.codec, numbers(&stream)), (Codec::Pcma, (98, Some(96), Some(96))));
}

#[test]
fn a_later_offer_of_ours_keeps_the_numbers_of_the_first_agreement() {
    let mut room = Room::new(0);
    let mut caller = call(&mut room);
    room.reinvite_only(&mut caller, None);
    let ok = room.last(&caller.at, &caller.id, |it| it.code() == Some(200)).expect("200");
    assert!(ok.body.contains("RTP/AVP 98 0 96\r\na=rtpmap:98 PCMA/8000\r\n"), "{}", ok.body);
    assert!(!ok.body.contains("101"), "no second number for keys: {}", ok.body);
    room.ack_with(&mut caller, Some(&by_number(30_000, 98, 96, "sendrecv")));
    assert_eq!(numbers(&agreed(&room)), (98, Some(96), Some(96)));
}

#[test]
fn a_phone_that_answers_by_other_numbers_is_sent_those_and_heard_by_ours() {
    let mut room = Room::new(1);
    room.dial_and_ack("0612345678", "15");
    let invite = room.ringing(0).expect("rings");
    assert!(invite.body.contains("RTP/AVP 8 0 101\r\n"), "{}", invite.body);
    let contact = format!("Contact: <sip:0@{}>\r\n", phone_at(0));
    let ok = invite.response("200 OK", "t", &contact, &by_number(40_000, 98, 97, "sendrecv"));
    room.send(phone_at(0), &ok);
    assert_eq!(numbers(&agreed(&room)), (98, Some(97), Some(101)));
}
