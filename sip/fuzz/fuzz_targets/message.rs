//! Any bytes as a message: reading it never panics, and what we answer is a message whose headers
//! the peer has not written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::message::{Builder, Message};

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::scan(bytes) else { return };
    let _ = message.inspect();
    let _ = (message.via(), message.from(), message.to(), message.call_id(), message.cseq());
    let lists = [
        message.vias().count(),
        message.contacts().count(),
        message.routes().count(),
        message.record_routes().count(),
        message.identities().count(),
        message.diversion().count(),
        message.history_info().count(),
        message.reasons().count(),
        message.require().count(),
        message.all().count(),
    ];
    assert!(lists.iter().all(|count| *count <= bytes.len()));
    let _ = (message.max_forwards(), message.expires(), message.rack(), message.privacy(), message.retry_after());
    let _ = (message.authorization(), message.www_authenticate().count(), message.content_type());
    let _ = message.from().map(|from| from.display.to_str().len());
    let _ = message.request_uri().map(|uri| (uri.user().map(str::len), uri.address()));
    let _ = (message.sdp(), message.part("application/pidf+xml"));
    let source = ([192, 0, 2, 1], 5060).into();
    let answer = Builder::response_to(&message, 400, Some("ours"), source).finish();
    let answer = Message::scan(&answer).expect("what we print is a message");
    assert_eq!((answer.code(), answer.body()), (Some(400), &b""[..]));
    assert_eq!(answer.named("Content-Length").last(), Some(&b"0"[..]), "nothing a peer wrote ends our headers early");
});
