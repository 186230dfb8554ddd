//! How this endpoint writes itself: Via, Contact, product, and the words that must be unique.

use crate::header::via::MAGIC;
use crate::message::{Builder, Name};
use crate::transport::{Flow, Transport};
use bytes::Bytes;
use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;

/// The methods we act on (RFC 3261 §20.5).
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, REGISTER";

/// The extensions we understand (RFC 3262, RFC 4028, RFC 3891).
pub const SUPPORTED: &str = "100rel, timer, replaces";

/// Our name and address in every message, and the source of tags, branches and Call-IDs.
#[derive(Clone)]
pub struct Local {
    product: String,
    places: Vec<Place>,
    secret: crate::chance::Keying,
    drawn: u64,
    mark: String,
}

/// Where one of our listeners is reached.
#[derive(Clone)]
struct Place {
    transport: Transport,
    sent_by: SocketAddr,
    contact: String,
}

impl Place {
    fn new(transport: Transport, sent_by: SocketAddr) -> Self {
        let contact = match transport {
            Transport::Udp => format!("<sip:{sent_by}>"),
            Transport::Tcp => format!("<sip:{sent_by};transport=tcp>"),
            // Not `sips`: that would ask for TLS on every hop to the caller, and a carrier's
            // border refuses what it cannot promise (RFC 5630 §3.3).
            Transport::Tls => format!("<sip:{sent_by};transport=tls>"),
        };
        Place { transport, sent_by, contact }
    }
}

/// A request as values, before it is text.
pub struct Request<'a> {
    /// The method's token.
    pub method: &'static str,
    /// The Request-URI.
    pub uri: &'a str,
    /// How it will travel.
    pub flow: Flow,
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
    /// Its type, and a body.
    pub body: Option<(&'a str, &'a [u8])>,
}

impl Local {
    /// `seed` is the secret the unique words are made from.
    pub fn new(product: String, sent_by: SocketAddr, seed: u64) -> Self {
        let secret = crate::chance::Keying::new(seed);
        let places = [Transport::Udp, Transport::Tcp, Transport::Tls].map(|it| Place::new(it, sent_by));
        let mut local = Local { product, places: places.into(), secret, drawn: 0, mark: String::new() };
        local.mark = format!("{MAGIC}{:016x}", local.draw());
        local
    }

    /// A listener of ours that peers of its transport and family are told instead.
    pub fn listens(&mut self, transport: Transport, sent_by: SocketAddr) {
        // Before the three of `new`, after the listeners told before: the first of a kind counts.
        let place = Place::new(transport, sent_by);
        self.places.insert(self.places.len() - 3, place);
    }

    /// Whether a listener of ours is for TLS, and so a certificate of ours there.
    pub fn speaks_tls(&self) -> bool {
        let told = &self.places[..self.places.len() - 3];
        told.iter().any(|place| place.transport == Transport::Tls)
    }

    /// How the peer of this path reaches us: a listener of its transport and family, else of its
    /// transport.
    fn place(&self, flow: Flow) -> &Place {
        let of_it = |place: &&Place| place.transport == flow.transport;
        let same = |place: &&Place| of_it(place) && place.sent_by.is_ipv4() == flow.remote.is_ipv4();
        let mut places = self.places.iter();
        // `new` puts one of each transport there.
        places.clone().find(same).or_else(|| places.find(of_it)).unwrap_or(&self.places[0])
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

    /// Our Contact over this path.
    pub fn contact(&self, flow: Flow) -> &str {
        &self.place(flow).contact
    }

    /// The text of a request (§8.1.1).
    pub fn write(&self, request: &Request<'_>) -> Bytes {
        let Request { method, cseq, branch, flow, .. } = request;
        let (protocol, sent_by) = (flow.transport.token(), self.place(*flow).sent_by);
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
        match request.body {
            Some((kind, body)) => text.body(kind, body).into(),
            None => text.finish().into(),
        }
    }
}
