//! Printing: a message from what is known, as bytes. Bodies and copied values stay bytes.

use super::text::is_space;
use super::{Message, Name};
use crate::vocabulary::reason_phrase;
use std::net::SocketAddr;

/// A message being written; [`Builder::body`] or [`Builder::finish`] ends it.
///
/// A value never breaks out of its line: line ends in it become spaces, so nothing a peer wrote
/// can add a header to what we send.
#[derive(Clone, Debug)]
pub struct Builder {
    out: Vec<u8>,
}

impl Builder {
    /// A request line.
    pub fn request(token: &str, uri: &str) -> Builder {
        let mut out = Vec::with_capacity(768); // most of our messages fit
        push_line(&mut out, token.as_bytes());
        out.push(b' ');
        push_line(&mut out, uri.as_bytes());
        out.extend_from_slice(b" SIP/2.0\r\n");
        Builder { out }
    }

    /// A status line with the code's usual phrase. `code` is one of ours, 100 to 699.
    pub fn response(code: u16) -> Builder {
        let mut out = Vec::with_capacity(768);
        out.extend_from_slice(format!("SIP/2.0 {code} {}\r\n", reason_phrase(code)).as_bytes());
        Builder { out }
    }

    /// A response to `request` with what every response copies (RFC 3261 §8.2.6.2): Via with
    /// `received` and `rport` as `source` asks for (§18.2.1, RFC 3581), From, To with `tag` when
    /// it has none, Call-ID, CSeq, and Timestamp on a 100.
    pub fn response_to(request: &Message<'_>, code: u16, tag: Option<&str>, source: SocketAddr) -> Builder {
        let mut builder = Builder::response(code);
        let mut first = true;
        for value in request.items(Name::Via) {
            let line = builder.open(Name::Via.as_str());
            match crate::header::via::Via::read(value) {
                Some(via) if first => via.print_with_source(source, line),
                _ => push_line(line, value),
            }
            builder.close();
            first = false;
        }
        builder = builder.copy(request, Name::From);
        if let Some(to) = request.header(Name::To) {
            let has_tag = request.to().is_ok_and(|to| to.tag().is_some());
            let line = builder.open(Name::To.as_str());
            push_line(line, to);
            if let Some(tag) = tag.filter(|_| !has_tag) {
                line.extend_from_slice(b";tag=");
                push_line(line, tag.as_bytes());
            }
            builder.close();
        }
        builder = builder.copy(request, Name::CallId).copy(request, Name::CSeq);
        if code == 100 { builder.copy(request, Name::Timestamp) } else { builder }
    }

    /// One header line.
    pub fn header(self, name: Name, value: impl AsRef<[u8]>) -> Builder {
        self.other(name.as_str(), value)
    }

    /// One header line, by a name of the site's or the product's own.
    pub fn other(mut self, name: &str, value: impl AsRef<[u8]>) -> Builder {
        push_line(self.open(name), value.as_ref());
        self.close();
        self
    }

    /// Every value `message` has of a header, as it stands, line by line.
    pub fn copy(mut self, message: &Message<'_>, name: Name) -> Builder {
        for value in message.headers(name) {
            push_line(self.open(name.as_str()), value);
            self.close();
        }
        self
    }

    /// Ends the message with a body, as bytes.
    pub fn body(mut self, content_type: &str, bytes: &[u8]) -> Vec<u8> {
        self = self.header(Name::ContentType, content_type);
        self = self.header(Name::ContentLength, bytes.len().to_string());
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(bytes);
        self.out
    }

    /// Ends the message without a body.
    pub fn finish(mut self) -> Vec<u8> {
        self = self.header(Name::ContentLength, "0");
        self.out.extend_from_slice(b"\r\n");
        self.out
    }

    fn open(&mut self, name: &str) -> &mut Vec<u8> {
        push_line(&mut self.out, name.as_bytes());
        self.out.extend_from_slice(b": ");
        &mut self.out
    }

    fn close(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }
}

/// Appends text that must stay on one line: a fold becomes one space.
pub(crate) fn push_line(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
        out.extend_from_slice(&rest[..at]);
        let end = rest[at..].iter().position(|byte| !is_space(*byte)).map_or(rest.len(), |end| at + end);
        rest = &rest[end..];
        if !rest.is_empty() && out.last() != Some(&b' ') {
            out.push(b' ');
        }
    }
    out.extend_from_slice(rest);
}
