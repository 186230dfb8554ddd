//! Any bytes as a session description: what is read is agreed or refused, and our answer to it reads
//! back with as many streams.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::sdp::{self, Direction, Sdp};

fuzz_target!(|bytes: &[u8]| {
    let Ok(offer) = Sdp::read(bytes) else { return };
    let ours = ([192, 0, 2, 1], 4000).into();
    let Ok(agreed) = offer.agreed() else { return };
    assert!(agreed.remote.is_none_or(|remote| remote.port() != 0), "nothing is sent to port 0");
    for direction in [Direction::new(true, true), Direction::new(true, false), Direction::new(false, false)] {
        let (agreement, text) = sdp::answer(&offer, 1, 1, ours, direction).expect("it agreed above");
        let back = Sdp::read(&text).expect("what we print is SDP");
        assert_eq!(back.media.len(), offer.media.len(), "an answer has a line for each of the offer");
        assert_eq!(back.agreed().map(|it| it.format), Ok(agreement.format));
    }
});
