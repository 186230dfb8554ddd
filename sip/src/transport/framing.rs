//! Cutting a stream into messages by Content-Length (RFC 3261 §18.3), keep-alives taken out
//! (RFC 5626 §4.4.1).

use crate::message::{MESSAGE_MAX, head_end, length_in};
use bytes::{Buf, Bytes, BytesMut};

/// Why a stream cannot be cut any further: what follows has no known start. The connection is to
/// be closed; its peer opens another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// A message longer than [`MESSAGE_MAX`].
    #[error("a message of more than {MESSAGE_MAX} bytes")]
    TooLong,
    /// Content-Length is no number, or there are two that differ.
    #[error("a Content-Length that is no number")]
    ContentLength,
}

impl FramingError {
    /// A word for the metrics.
    pub fn label(self) -> &'static str {
        match self {
            FramingError::TooLong => "too_long",
            FramingError::ContentLength => "content_length",
        }
    }
}

/// One stream's bytes on their way to be messages.
#[derive(Default)]
pub struct Framer {
    buffer: BytesMut,
    /// Head bytes already looked through for its end, so that a slow sender costs no more than
    /// a fast one.
    searched: usize,
    /// The whole length of the message at the front, once its head is complete.
    length: Option<usize>,
    pings: u32,
    broken: bool,
}

impl Framer {
    /// A stream of which nothing has come.
    pub fn new() -> Framer {
        Framer::default()
    }

    /// Takes what came. Drain [`Framer::next`] after it: only what is left is bounded.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next whole message; `None` until more comes, and for ever after an error.
    #[allow(clippy::should_implement_trait)] // `None` is not the end here: more may be pushed
    pub fn next(&mut self) -> Option<Result<Bytes, FramingError>> {
        if self.broken {
            return None;
        }
        match self.cut() {
            Ok(message) => message.map(Ok),
            Err(error) => {
                self.broken = true;
                Some(Err(error))
            }
        }
    }

    /// After an error, the head of the message behind which the stream cannot be cut, or what has come of
    /// it: whoever is told why is told by it.
    pub fn into_head(self) -> Bytes {
        self.buffer.freeze()
    }

    /// How many pings (CRLF CRLF between messages) came since the last question; each is owed one
    /// CRLF.
    pub fn take_pings(&mut self) -> u32 {
        std::mem::take(&mut self.pings)
    }

    fn cut(&mut self) -> Result<Option<Bytes>, FramingError> {
        if self.length.is_none() {
            if self.searched == 0 && !self.is_at_message() {
                return Ok(None);
            }
            match head_end(&self.buffer, self.searched) {
                Ok(head) => {
                    // Without Content-Length, which RFC 3261 §20.14 asks for, there is no body.
                    let body = length_in(&self.buffer[..head]).map_err(|_| FramingError::ContentLength);
                    let length = body.map(|body| head.saturating_add(body.unwrap_or(0)));
                    if !length.is_ok_and(|length| length <= MESSAGE_MAX) {
                        self.buffer.truncate(head);
                    }
                    self.length = Some(length?);
                }
                Err(searched) => self.searched = searched,
            }
        }
        let known = self.length.unwrap_or(self.buffer.len());
        if known > MESSAGE_MAX {
            return Err(FramingError::TooLong);
        }
        match self.length.filter(|length| *length <= self.buffer.len()) {
            Some(length) => {
                (self.length, self.searched) = (None, 0);
                Ok(Some(self.buffer.split_to(length).freeze()))
            }
            None => Ok(None),
        }
    }

    /// Takes the line ends before a message out, each CRLF CRLF being a ping. False while nothing
    /// but the beginning of a ping is there: it waits for its other half. One rule per position,
    /// so that it does not matter how the stream is cut.
    fn is_at_message(&mut self) -> bool {
        const PING: &[u8] = b"\r\n\r\n";
        loop {
            if self.buffer.starts_with(PING) {
                self.buffer.advance(PING.len());
                self.pings = self.pings.saturating_add(1);
            } else if PING.starts_with(&self.buffer) {
                return false;
            } else if matches!(self.buffer[0], b'\r' | b'\n') {
                self.buffer.advance(1);
            } else {
                return true;
            }
        }
    }
}

impl std::fmt::Debug for Framer {
    /// How much waits: what it says is people's affairs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Framer({} bytes)", self.buffer.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nl : 4\r\nCall-ID: 1\r\n\r\nbody";
    const SECOND: &[u8] = b"BYE sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";

    fn drain(framer: &mut Framer) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| framer.next()).map(|frame| frame.expect("a frame").to_vec()).collect()
    }

    #[test]
    fn messages_are_the_same_however_the_stream_is_cut() {
        let stream = [FIRST, b"\r\n\r\n", SECOND, b"\r\n", FIRST].concat();
        for size in 1..stream.len() {
            let mut framer = Framer::new();
            let mut messages = Vec::new();
            for piece in stream.chunks(size) {
                framer.push(piece);
                messages.extend(drain(&mut framer));
            }
            assert_eq!(messages, [FIRST, SECOND, FIRST], "pieces of {size}");
            assert_eq!(framer.take_pings(), 1, "pieces of {size}");
        }
    }

    #[test]
    fn stray_line_ends_are_the_same_pings_however_they_are_cut() {
        let stream = [b"\r\r\n\r\n\r\n\r\n\n\r\n\r", SECOND].concat();
        for size in 1..stream.len() {
            let mut framer = Framer::new();
            let mut messages = Vec::new();
            for piece in stream.chunks(size) {
                framer.push(piece);
                messages.extend(drain(&mut framer));
            }
            assert_eq!((messages, framer.take_pings()), (vec![SECOND.to_vec()], 2), "pieces of {size}");
        }
    }

    #[test]
    fn a_ping_is_owed_an_answer_once() {
        let mut framer = Framer::new();
        framer.push(b"\r\n\r\n\r\n");
        assert_eq!(framer.next(), None);
        assert_eq!(framer.take_pings(), 1);
        framer.push(b"\r\n");
        assert_eq!(framer.next(), None);
        assert_eq!(framer.take_pings(), 1);
        assert_eq!(framer.take_pings(), 0);
    }

    #[test]
    fn a_message_without_content_length_has_no_body() {
        let mut framer = Framer::new();
        framer.push(b"OPTIONS sip:a SIP/2.0\r\n\r\n");
        framer.push(SECOND);
        assert_eq!(drain(&mut framer).len(), 2);
    }

    #[test]
    fn a_length_that_is_none_ends_the_stream() {
        for length in ["-1", "x", "", "12345678901", "3\r\nContent-Length: 4"] {
            let mut framer = Framer::new();
            framer.push(format!("BYE sip:a SIP/2.0\r\nContent-Length: {length}\r\n\r\n").as_bytes());
            assert_eq!(framer.next(), Some(Err(FramingError::ContentLength)), "{length}");
            framer.push(SECOND);
            assert_eq!(framer.next(), None);
        }
    }

    #[test]
    fn the_head_behind_which_nothing_can_be_cut_is_kept_to_answer_by() {
        for (length, body) in [("x", &b"v=0"[..]), ("70000", b"v=0")] {
            let head = format!("INVITE sip:15@h SIP/2.0\r\nCall-ID: c\r\nContent-Length: {length}\r\n\r\n");
            let mut framer = Framer::new();
            framer.push(&[head.as_bytes(), body].concat());
            assert!(framer.next().is_some_and(|it| it.is_err()), "{length}");
            assert_eq!(framer.into_head(), head.as_bytes());
        }
    }

    #[test]
    fn a_head_or_a_body_beyond_64_kilobytes_ends_the_stream() {
        let mut framer = Framer::new();
        framer.push(b"BYE sip:a SIP/2.0\r\nContent-Length: 70000\r\n\r\n");
        assert_eq!(framer.next(), Some(Err(FramingError::TooLong)));
        let mut framer = Framer::new();
        framer.push(b"BYE sip:a SIP/2.0\r\nX: ");
        let mut last = None;
        for _ in 0..70 {
            framer.push(&[b'x'; 1000]);
            last = framer.next().or(last);
        }
        assert_eq!(last, Some(Err(FramingError::TooLong)));
    }
}
