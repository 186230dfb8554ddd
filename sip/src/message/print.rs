//! Printing: a message from what is known, as bytes. Bodies and copied values stay bytes.

use super::text::is_space;
use super::{Message, Name};
use crate::vocabulary::reason_phrase;
use std::net::SocketAddr;

/// A message being written; [`Builder::body`] or [`Builder::finish`] ends it.
///
/// A value never breaks out of its line: line ends in it become spaces, so nothing a peer wrote
/// can add a header to what we send.
#[derive(Clone)]
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

impl std::fmt::Debug for Builder {
    /// The length only: headers are people's affairs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Builder({} bytes)", self.out.len())
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

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &[u8] = b"INVITE sip:15@h SIP/2.0\r\n\
        v: SIP/2.0/UDP 10.0.0.1:5070 ; rport ; branch=z9hG4bKa;received=1.1.1.1, SIP/2.0/TCP p;x=\"a,b\"\r\n\
        Via: SIP/2.0/TLS q\r\nf: \"H\xf4pital\"\r\n <sip:a@h>;tag=1\r\nt: <sip:15@h>\r\ni: c\r\nCSeq: 1 INVITE\r\nTimestamp: 5\r\n\r\n";

    fn source() -> SocketAddr {
        "192.0.2.7:6060".parse().expect("an address")
    }

    #[test]
    fn a_response_copies_what_every_response_copies() {
        let request = Message::scan(INVITE).expect("a message");
        let bytes = Builder::response_to(&request, 180, Some("t1"), source()).finish();
        let response = Message::scan(&bytes).expect("a response");
        let vias: Vec<_> = response.headers(Name::Via).collect();
        assert_eq!(vias.len(), 3);
        assert_eq!(
            vias[0],
            b"SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa;received=192.0.2.7;rport=6060",
            "{}",
            String::from_utf8_lossy(vias[0])
        );
        assert_eq!(vias[1..], [&b"SIP/2.0/TCP p;x=\"a,b\""[..], b"SIP/2.0/TLS q"]);
        assert_eq!(response.header(Name::From), Some(&b"\"H\xf4pital\" <sip:a@h>;tag=1"[..]));
        assert_eq!(response.to().ok().and_then(|to| to.tag()), Some("t1"));
        assert_eq!(response.call_id(), Ok("c"));
        assert_eq!(response.cseq().map(|cseq| cseq.number), Ok(1));
        assert_eq!(response.header(Name::ContentLength), Some(&b"0"[..]));
        assert_eq!(response.header(Name::Timestamp), None);
        assert!(response.repairs().is_empty());
    }

    #[test]
    fn a_100_has_the_timestamp_and_a_tag_is_never_given_twice() {
        let request = Message::scan(INVITE).expect("a message");
        let bytes = Builder::response_to(&request, 100, None, source()).finish();
        let trying = Message::scan(&bytes).expect("a response");
        assert_eq!(trying.header(Name::Timestamp), Some(&b"5"[..]));
        assert_eq!(trying.to().ok().and_then(|to| to.tag()), None);
        let text = String::from_utf8_lossy(INVITE).replace("t: <sip:15@h>", "t: <sip:15@h>;tag=theirs");
        let request = Message::scan(text.as_bytes()).expect("a message");
        let bytes = Builder::response_to(&request, 200, Some("ours"), source()).finish();
        assert_eq!(
            Message::scan(&bytes).expect("a response").header(Name::To),
            Some(&b"<sip:15@h>;tag=theirs"[..])
        );
    }

    #[test]
    fn a_host_that_is_where_it_came_from_gets_no_received() {
        let bytes = b"BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:6060;branch=b\r\n\r\n";
        let request = Message::scan(bytes).expect("a message");
        let bytes = Builder::response_to(&request, 200, None, source()).finish();
        let response = Message::scan(&bytes).expect("a response");
        assert_eq!(response.header(Name::Via), Some(&b"SIP/2.0/UDP 192.0.2.7:6060;branch=b"[..]));
    }

    #[test]
    fn no_value_adds_a_line_of_its_own() {
        let bytes = Builder::request("INVITE", "sip:a\r\nX: 1")
            .header(Name::Subject, "a\r\nEvil: 1\r\n\r\nbody")
            .other("X-Y\r\nEvil", "\n\r")
            .finish();
        let message = Message::scan(&bytes).expect("a message");
        assert_eq!(message.header(Name::Subject), Some(&b"a Evil: 1 body"[..]));
        assert_eq!(message.named("Evil").count(), 0);
        assert_eq!(message.body(), b"");
    }

    #[test]
    fn a_body_stays_bytes() {
        let bytes =
            Builder::request("MESSAGE", "sip:a").body("application/octet-stream", b"\xff\x00\r\n\r\n");
        let message = Message::scan(&bytes).expect("a message");
        assert_eq!(message.body(), b"\xff\x00\r\n\r\n");
        assert!(message.content_type().is_some_and(|kind| kind.is("Application/Octet-Stream")));
    }
}
