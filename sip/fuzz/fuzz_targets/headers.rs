//! Any bytes as the value of each header we read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::header::auth::{Challenge, Credentials};
use sip::header::name_addr::NameAddr;
use sip::header::reason::Reason;
use sip::header::via::Via;
use sip::message::{Commas, Params, Text, Uri};

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, value)) = bytes.split_first() else { return };
    match kind % 8 {
        0 => {
            if let Some(via) = Via::read(value) {
                assert!(!via.host.is_empty());
                let _ = (via.branch(), via.wants_rport(), via.reply_to(([192, 0, 2, 1], 5060).into()));
            }
        }
        1 => {
            if let Some(address) = NameAddr::read(value) {
                let _ = (address.display.to_str().len(), address.tag(), address.uri.user(), address.uri.address());
                assert!(address.raw_uri.len() <= value.len());
            }
        }
        2 => drop(Reason::read(value).map(|reason| reason.text.map(|text| text.to_str().len()))),
        3 => {
            let uri = Uri::read(value);
            let _ = (uri.user(), uri.address(), uri.params().has("lr"));
        }
        4 => {
            let names = Params::new(value).iter().count() + Params::by_commas(value).iter().count();
            assert!(names <= 2 * value.len() + 2);
        }
        5 => {
            let items: usize = Commas::of(value).map(<[u8]>::len).sum();
            assert!(items <= value.len());
        }
        6 => drop((Challenge::read(value), Credentials::read(value))),
        _ => drop(Text::new(value).to_str()),
    }
});
