//! Any bytes as a stream: however it is cut, the same messages come out, and what waits is bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::transport::{Framer, FramingError};

type Cut = (Vec<Vec<u8>>, u32, Option<FramingError>);

fn cut<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Cut {
    let (mut framer, mut messages, mut pings) = (Framer::new(), Vec::new(), 0);
    for piece in pieces {
        framer.push(piece);
        while let Some(message) = framer.next() {
            match message {
                Ok(message) => messages.push(message.to_vec()),
                Err(error) => return (messages, pings + framer.take_pings(), Some(error)),
            }
        }
        pings += framer.take_pings();
    }
    (messages, pings, None)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, stream)) = bytes.split_first() else { return };
    let whole = cut(std::iter::once(stream));
    let pieces = cut(stream.chunks(usize::from(*first) + 1));
    assert_eq!(whole, pieces, "pieces of {}", usize::from(*first) + 1);
});
