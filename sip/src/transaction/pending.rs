//! A request that has come and awaits our answer: what every response to it repeats.

use super::key::Key;
use crate::header::via::Via;
use crate::message::{Message, Name, push_line};
use crate::transport::Flow;
use crate::vocabulary::reason_phrase;
use bytes::Bytes;
use std::io::Write;
use std::net::SocketAddr;

/// The lines of a request that its responses carry (RFC 3261 §8.2.6.2), copied once, on arrival.
#[derive(Clone)]
pub struct Pending {
    /// Its transaction.
    pub key: Key,
    /// The path it came over. Responses go back to the address it came from, whatever its Via
    /// says (RFC 3581): behind an address translation nothing else arrives.
    pub flow: Flow,
    /// Where the peer takes connections, once the one it came over is gone (§18.2.2).
    listener: SocketAddr,
    /// Via, From, To, Call-ID and CSeq, each line with its end.
    lines: Vec<u8>,
    /// Record-Route, for the responses that make a dialog (§12.1.1).
    record_routes: Vec<u8>,
}

impl Pending {
    /// Copies what responses repeat. `tag` is put behind To unless To has one already.
    pub fn of(request: &Message<'_>, key: Key, flow: Flow, tag: &str) -> Self {
        let mut lines = Vec::with_capacity(512);
        let mut record_routes = Vec::new();
        let mut listener = flow.remote;
        for (at, value) in request.items(Name::Via).enumerate() {
            lines.extend_from_slice(b"Via: ");
            match Via::read(value) {
                Some(via) if at == 0 => {
                    listener = via.listener(flow.remote, flow.transport.default_port());
                    via.print_with_source(flow.remote, &mut lines);
                }
                _ => push_line(&mut lines, value),
            }
            lines.extend_from_slice(b"\r\n");
        }
        for (name, label) in [
            (Name::From, "From: "),
            (Name::To, "To: "),
            (Name::CallId, "Call-ID: "),
            (Name::CSeq, "CSeq: "),
            (Name::Timestamp, "Timestamp: "),
        ] {
            let Some(value) = request.header(name) else { continue };
            lines.extend_from_slice(label.as_bytes());
            push_line(&mut lines, value);
            if name == Name::To && !tag.is_empty() && !has_tag(request) {
                lines.extend_from_slice(b";tag=");
                lines.extend_from_slice(tag.as_bytes());
            }
            lines.extend_from_slice(b"\r\n");
        }
        for value in request.headers(Name::RecordRoute) {
            record_routes.extend_from_slice(b"Record-Route: ");
            push_line(&mut record_routes, value);
            record_routes.extend_from_slice(b"\r\n");
        }
        Pending { key, flow, listener, lines, record_routes }
    }

    /// A response, with a body of SDP when there is one.
    pub fn response(&self, code: u16, headers: &[(&str, &str)], sdp: Option<&[u8]>) -> Bytes {
        let body = sdp.unwrap_or_default();
        let size = 128 + self.lines.len() + self.record_routes.len() + 64 * headers.len() + body.len();
        let mut text = Vec::with_capacity(size);
        // Writing into a Vec cannot fail.
        let _ = write!(text, "SIP/2.0 {code} {}\r\n", reason_phrase(code));
        text.extend_from_slice(&self.lines);
        if (101..300).contains(&code) {
            text.extend_from_slice(&self.record_routes);
        }
        for (name, value) in headers {
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b": ");
            push_line(&mut text, value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
        if sdp.is_some() {
            text.extend_from_slice(b"Content-Type: application/sdp\r\n");
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n", body.len());
        text.extend_from_slice(body);
        text.into()
    }

    /// Its connection is gone: the responses find another one.
    pub fn leave(&mut self, broken: Flow) {
        if self.flow == broken && broken.transport.is_reliable() {
            self.flow = Flow { remote: self.listener, connection: 0, ..broken };
        }
    }

    /// The repeated lines as text, for the journal.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.lines).into_owned()
    }
}

fn has_tag(request: &Message<'_>) -> bool {
    request.to().is_ok_and(|to| to.tag().is_some())
}
