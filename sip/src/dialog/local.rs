//! How this endpoint writes itself: Via, Contact, product, and the words that must be unique.

use crate::header::via::MAGIC;
use crate::message::{Builder, Name};
use crate::transport::Transport;
use bytes::Bytes;
use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;

/// The methods we act on (RFC 3261 §20.5).
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, REGISTER";

/// The extensions we understand (RFC 3262, RFC 4028, RFC 3891).
pub const SUPPORTED: &str = "100rel, timer, replaces";

/// Our name and address in every message, and the source of tags, branches and Call-IDs.
pub struct Local {
    product: String,
    sent_by: SocketAddr,
    contacts: [String; 3],
    secret: crate::chance::Keying,
    drawn: u64,
    mark: String,
}

/// A request as values, before it is text.
pub struct Request<'a> {
    /// The method's token.
    pub method: &'static str,
    /// The Request-URI.
    pub uri: &'a str,
    /// How it will travel.
    pub transport: Transport,
    /// The branch of our Via.
    pub branch: &'a str,
    /// Route headers, in order.
    pub routes: &'a [String],
    /// From, with our tag.
    pub from: &'a str,
    /// To, with the peer's tag within a dialog.
    pub to: &'a str,
    /// Call-ID.
    pub call_id: &'a str,
    /// The number of CSeq.
    pub cseq: u32,
    /// Further headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// An SDP body.
    pub sdp: Option<&'a [u8]>,
}

impl Local {
    /// `seed` is the secret the unique words are made from.
    pub fn new(product: String, sent_by: SocketAddr, seed: u64) -> Self {
        let contacts = [Transport::Udp, Transport::Tcp, Transport::Tls].map(|transport| match transport {
            Transport::Udp => format!("<sip:{sent_by}>"),
            Transport::Tcp => format!("<sip:{sent_by};transport=tcp>"),
            Transport::Tls => format!("<sips:{sent_by}>"),
        });
        let secret = crate::chance::Keying::new(seed);
        let mut local = Local { product, sent_by, contacts, secret, drawn: 0, mark: String::new() };
        local.mark = format!("{MAGIC}{:016x}", local.draw());
        local
    }

    /// A number nobody else can guess: a keyed hash of a counter, so that one seen does not give
    /// away the next (RFC 3261 §19.3).
    pub fn draw(&mut self) -> u64 {
        self.drawn += 1;
        let mut hasher = self.secret.build_hasher();
        hasher.write_u64(self.drawn);
        hasher.finish()
    }

    /// A branch (§8.1.1.7). All of ours begin alike, so that a request that has been through us
    /// is known (§16.3: a loop).
    pub fn branch(&mut self) -> String {
        let unique = self.draw();
        format!("{}.{unique:016x}", self.mark)
    }

    /// Whether one of our own branches is meant.
    pub fn is_own_branch(&self, branch: &str) -> bool {
        branch.strip_prefix(self.mark.as_str()).is_some_and(|rest| rest.starts_with('.'))
    }

    /// A tag.
    pub fn tag(&mut self) -> String {
        format!("{:016x}", self.draw())
    }

    /// A tag for an answer that is not remembered: the same for every copy of a request (§8.2.7).
    pub fn stateless_tag(&self, request: &str) -> String {
        format!("{:016x}", self.secret.hash_one(request))
    }

    /// A Call-ID.
    pub fn call_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.draw(), self.draw())
    }

    /// The name in Server and User-Agent.
    pub fn product(&self) -> &str {
        &self.product
    }

    /// Our Contact over this transport.
    pub fn contact(&self, transport: Transport) -> &str {
        match transport {
            Transport::Udp => &self.contacts[0],
            Transport::Tcp => &self.contacts[1],
            Transport::Tls => &self.contacts[2],
        }
    }

    /// The text of a request (§8.1.1).
    pub fn write(&self, request: &Request<'_>) -> Bytes {
        let Request { method, cseq, transport, branch, .. } = request;
        let (protocol, sent_by) = (transport.token(), self.sent_by);
        let mut text = Builder::request(method, request.uri)
            .header(Name::Via, format!("SIP/2.0/{protocol} {sent_by};branch={branch};rport"))
            .header(Name::MaxForwards, "70");
        for route in request.routes {
            text = text.header(Name::Route, route);
        }
        text = text
            .header(Name::From, request.from)
            .header(Name::To, request.to)
            .header(Name::CallId, request.call_id)
            .header(Name::CSeq, format!("{cseq} {method}"))
            .header(Name::UserAgent, &self.product);
        for (name, value) in request.headers {
            text = text.other(name, value);
        }
        match request.sdp {
            Some(sdp) => text.body("application/sdp", sdp).into(),
            None => text.finish().into(),
        }
    }
}
