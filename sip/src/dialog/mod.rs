//! Dialogs (RFC 3261 §12): what two user agents have agreed on between an INVITE and a BYE.
//!
//! [`Dialog`] is the agreement itself: identifiers, sequence numbers, the way to the peer. What
//! happens on it is a usage ([`Usage`]): an INVITE that rings here ([`Ringing`]), one of ours with
//! all its forks ([`DialogSet`]), a session that stands ([`Session`]). Each usage is a table of
//! what may follow what; the endpoint does what the tables ask for.

mod local;
pub mod refresh;
pub mod reliable;
mod ringing;
mod session;
mod set;
mod snapshot;

pub use local::{ALLOW, Local, Request, SUPPORTED};
pub use ringing::Ringing;
pub use session::{Ending, Ours, Session, Theirs, Unacknowledged, Unpracked};
pub use set::{Credentials, DialogSet, Early, FORKS_MAX, Fact, Move, Outgoing, Phase};
pub use snapshot::{DialogSnapshot, SNAPSHOT_VERSION};

use crate::header::via::Via;
use crate::message::{Message, Name, Uri};
use crate::transport::{Flow, Transmit, Transport};
use std::net::SocketAddr;

/// One INVITE usage, from the INVITE to its end.
#[derive(Clone)]
pub enum Usage {
    /// An INVITE of the peer, not answered yet.
    Ringing(Box<Ringing>),
    /// An INVITE of ours, not answered yet.
    Calling(Box<DialogSet>),
    /// Answered, either way.
    Standing(Box<Session>),
}

/// What both sides agreed on (§12.1).
#[derive(Clone)]
pub struct Dialog {
    /// The Call-ID.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// The peer's tag; empty when it gave none (RFC 2543).
    pub remote_tag: String,
    /// The From of our requests, tag included.
    pub local: String,
    /// The To of our requests, tag included.
    pub remote: String,
    /// The peer's Contact: the Request-URI of our requests.
    pub target: String,
    /// Route headers of our requests, in order.
    pub routes: Vec<String>,
    /// CSeq of our last request.
    pub local_cseq: u32,
    /// CSeq of the peer's last request.
    pub remote_cseq: Option<u32>,
    /// The path the dialog was made over.
    pub flow: Flow,
    /// Requests stay on `flow` whatever Contact says: the peer registered over it (RFC 5626).
    pub stays_on_flow: bool,
    /// Where the peer of a connection that came takes connections itself (its Via), for when that one
    /// is gone.
    pub listener: Option<SocketAddr>,
    /// Where it says it is reached and takes no connection: what follows goes where it was heard.
    pub unreached: Option<(Transport, SocketAddr)>,
}

impl Dialog {
    /// The dialog an INVITE makes at its receiver (§12.1.1). `tag` is ours.
    pub fn of_invite(invite: &Message<'_>, flow: Flow, tag: String) -> Self {
        let line = |name| text(invite.header(name).unwrap_or_default());
        let from = invite.from().ok();
        let target = invite.contact().or(from).map(|contact| text(contact.raw_uri));
        let via = invite.via().ok().filter(|_| flow.transport.is_reliable());
        Dialog {
            call_id: line(Name::CallId),
            remote_tag: from.and_then(|from| from.tag()).unwrap_or_default().to_owned(),
            local: format!("{};tag={tag}", line(Name::To)),
            remote: line(Name::From),
            target: target.unwrap_or_default(),
            routes: invite.items(Name::RecordRoute).map(text).collect(),
            local_tag: tag,
            local_cseq: 0,
            remote_cseq: invite.cseq().ok().map(|cseq| cseq.number),
            flow,
            stays_on_flow: false,
            listener: via.map(|via| via.listener(flow.remote, flow.transport.default_port())),
            unreached: None,
        }
    }

    /// The dialog a 2xx makes at the caller (§12.1.2). Our side of it is what our `invite` said,
    /// whatever the peer has made of that in its response.
    pub fn of_response(
        invite: &Message<'_>,
        response: &Message<'_>,
        flow: Flow,
        stays_on_flow: bool,
    ) -> Self {
        let tag = |party: Option<&str>| party.unwrap_or_default().to_owned();
        let (from, to) = (invite.from().ok(), response.to().ok());
        let target = response.contact().or(to).map(|contact| text(contact.raw_uri));
        let mut routes: Vec<String> = response.items(Name::RecordRoute).map(text).collect();
        routes.reverse();
        Dialog {
            call_id: text(invite.header(Name::CallId).unwrap_or_default()),
            local_tag: tag(from.and_then(|from| from.tag())),
            remote_tag: tag(to.and_then(|to| to.tag())),
            local: text(invite.header(Name::From).unwrap_or_default()),
            remote: text(response.header(Name::To).unwrap_or_default()),
            target: target.unwrap_or_default(),
            routes,
            local_cseq: invite.cseq().map_or(1, |cseq| cseq.number),
            remote_cseq: None,
            flow,
            stays_on_flow,
            listener: None,
            unreached: None,
        }
    }

    /// Follows the peer to a new Contact (§12.2.2: re-INVITE, UPDATE and their 2xx).
    pub fn follow(&mut self, message: &Message<'_>) {
        let Some(contact) = message.contact().map(|contact| text(contact.raw_uri)) else { return };
        // Said again, it is no more reached than before.
        if contact != self.target {
            (self.target, self.unreached) = (contact, None);
        }
    }

    /// A request met no connection at its next hop. Where the peer was heard from is another place to
    /// try; false when it is the same one.
    pub fn meets_nobody(&mut self, local: &Local) -> bool {
        let Flow { transport, remote, .. } = self.next_hop(local);
        let is_another = (transport, remote) != (self.flow.transport, self.flow.remote);
        if is_another {
            self.unreached = Some((transport, remote));
        }
        is_another
    }

    /// Whether a request comes in its order (§12.2.2); notes its number. Equal numbers pass:
    /// a challenged request may come again under the number it had.
    pub fn is_in_order(&mut self, cseq: u32) -> bool {
        let in_order = self.remote_cseq.is_none_or(|last| cseq >= last);
        if in_order {
            self.remote_cseq = Some(cseq);
        }
        in_order
    }

    /// Its connection is gone.
    pub fn leave(&mut self, broken: Flow) {
        if self.flow != broken {
            return;
        }
        self.flow.connection = 0;
        // Nobody listens where a registered phone connected from: it comes again by itself.
        if let Some(listener) = self.listener.filter(|_| !self.stays_on_flow) {
            self.flow.remote = listener;
        }
    }

    /// A request of the peer has come over this path, which its answers take, too, when the one of
    /// before is gone.
    pub fn hear_over(&mut self, flow: Flow, via: &Via<'_>) {
        let came = self.stays_on_flow || self.listener.is_some();
        if came && self.flow.is_cut() && flow.transport == self.flow.transport {
            self.flow = flow;
            self.listener = Some(via.listener(flow.remote, flow.transport.default_port()));
        }
    }

    /// Whether `flow` comes from a host of the peer's: the one the dialog stands on, or one the peer
    /// itself names as its own, behind a proxy that is not on every way (§12.1). A carrier that names its
    /// hosts by name alone gives nothing to compare with: whoever knows the call's tags is taken for it,
    /// or its ACKs and BYEs from the gateway behind its proxy would be lost.
    pub fn is_peer_at(&self, flow: Flow) -> bool {
        let routes = self.routes.iter().map(|route| bare_uri(route));
        let named =
            routes.chain([self.target.as_str()]).filter_map(|uri| Uri::read(uri.as_bytes()).address());
        let mut named = named.map(|remote| Flow { remote, ..self.flow }).peekable();
        let as_safe = Flow { remote: flow.remote, ..self.flow }.is_host_of(flow);
        let is_named = match named.peek() {
            Some(_) => named.any(|named| named.is_host_of(flow)),
            None => !self.stays_on_flow && as_safe,
        };
        self.flow.is_host_of(flow) || is_named
    }

    /// Where the next request goes: the first Route, else the peer's Contact, when that is
    /// written as an address with its port and can be reached; otherwise back over the path the dialog
    /// came by. A name that stands there is the peer's own, for its own resolver.
    /// A connection stays the connection while it stands: nobody may listen at the address a
    /// Contact behind it names. One that is gone leaves only that address, or, without a port in
    /// it, where the peer is known to take connections.
    pub fn next_hop(&self, local: &Local) -> Flow {
        let stands = self.flow.transport.is_reliable() && self.flow.connection != 0;
        if stands || self.stays_on_flow {
            return self.flow;
        }
        let next = match self.routes.first() {
            Some(route) => crate::header::name_addr::NameAddr::read(route.as_bytes()).map(|route| route.uri),
            None => Some(Uri::read(self.target.as_bytes())),
        };
        let Some(next) = next else { return self.flow };
        let (Uri::Sip { port, .. }, Some(address)) = (next, next.destination()) else { return self.flow };
        let transport = self.transport_to(next);
        if transport == Transport::Tls && self.flow.transport != Transport::Tls && !local.speaks_tls() {
            return self.flow;
        }
        let port = match port {
            Some(port) => port,
            None if transport != self.flow.transport => transport.default_port(),
            None if next.address().map(|host| host.ip()) != Some(address.ip()) => transport.default_port(),
            None if transport.is_reliable() && address.ip() != self.flow.remote.ip() => {
                transport.default_port()
            }
            None => return self.flow,
        };
        let remote = SocketAddr::new(address.ip(), port);
        // A socket of one family sends to no other.
        let is_foreign = transport == Transport::Udp && remote.is_ipv4() != self.flow.remote.is_ipv4();
        let is_known = self.unreached != Some((transport, remote)) && !is_foreign;
        if is_sendable(remote) && is_known { Flow { transport, remote, ..self.flow } } else { self.flow }
    }

    /// The transport a Route or a Contact names (§19.1.1). What was enciphered stays so; what was not is
    /// from here on, where the peer wishes it and shows a certificate we believe.
    fn transport_to(&self, next: Uri<'_>) -> Transport {
        let named =
            |name: &str| next.params().value("transport").is_some_and(|it| it.eq_ignore_ascii_case(name));
        match self.flow.transport {
            Transport::Tls => Transport::Tls,
            _ if matches!(next, Uri::Sip { secure: true, .. }) || named("tls") => Transport::Tls,
            Transport::Udp if named("tcp") => Transport::Tcp,
            Transport::Tcp if named("udp") => Transport::Udp,
            transport => transport,
        }
    }

    /// A request within the dialog (§12.2.1.1). `cseq` is `None` for the next number.
    pub fn request(
        &mut self,
        local: &Local,
        method: &'static str,
        branch: &str,
        headers: &[(&str, &str)],
        sdp: Option<&[u8]>,
    ) -> Transmit {
        self.request_with(local, method, branch, headers, sdp.map(|sdp| ("application/sdp", sdp)))
    }

    /// The same with a body of any type.
    pub fn request_with(
        &mut self,
        local: &Local,
        method: &'static str,
        branch: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, &[u8])>,
    ) -> Transmit {
        self.local_cseq += 1;
        self.numbered(local, method, self.local_cseq, branch, headers, body)
    }

    /// The ACK of the 2xx to `invite`, with the credentials that had (§13.2.2.4).
    pub fn ack(&self, local: &Local, invite: &Message<'_>, branch: &str) -> Transmit {
        let proofs =
            [(Name::Authorization, "Authorization"), (Name::ProxyAuthorization, "Proxy-Authorization")];
        let proofs: Vec<(&str, String)> = proofs
            .into_iter()
            .filter_map(|(name, label)| Some((label, text(invite.header(name)?))))
            .collect();
        let headers: Vec<(&str, &str)> = proofs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let cseq = invite.cseq().map_or(self.local_cseq, |cseq| cseq.number);
        self.numbered(local, "ACK", cseq, branch, &headers, None)
    }

    fn numbered(
        &self,
        local: &Local,
        method: &'static str,
        cseq: u32,
        branch: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, &[u8])>,
    ) -> Transmit {
        let flow = self.next_hop(local);
        let strict = self.routes.first().filter(|route| !is_loose(route));
        let mut rewritten = Vec::new();
        let (uri, routes): (&str, &[String]) = match strict {
            None => (&self.target, &self.routes),
            // A strict router (RFC 2543) wants its own address as Request-URI, ours to it last.
            Some(first) => {
                rewritten.extend_from_slice(&self.routes[1..]);
                rewritten.push(format!("<{}>", self.target));
                (bare_uri(first), &rewritten)
            }
        };
        let request = Request {
            method,
            uri,
            flow,
            branch,
            routes,
            from: &self.local,
            to: &self.remote,
            call_id: &self.call_id,
            cseq,
            headers,
            body,
        };
        Transmit { flow, bytes: local.write(&request) }
    }

    /// The dialog as the journal keeps it.
    pub fn snapshot(&self) -> DialogSnapshot {
        DialogSnapshot {
            version: SNAPSHOT_VERSION,
            call_id: self.call_id.clone(),
            local_tag: self.local_tag.clone(),
            remote_tag: self.remote_tag.clone(),
            local: self.local.clone(),
            remote: self.remote.clone(),
            target: self.target.clone(),
            routes: self.routes.clone(),
            local_cseq: self.local_cseq,
            remote_cseq: self.remote_cseq,
            flow: self.flow,
            stays_on_flow: self.stays_on_flow,
            pending: None,
        }
    }
}

/// A header's bytes as text we may repeat: what is not UTF-8 is replaced, only tags and URIs are
/// ever compared.
pub(crate) fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

fn is_loose(route: &str) -> bool {
    Uri::read(bare_uri(route).as_bytes()).params().has("lr")
}

fn bare_uri(route: &str) -> &str {
    let start = route.find('<').map_or(0, |at| at + 1);
    let end = route.find('>').unwrap_or(route.len()).max(start);
    &route[start..end]
}

// A peer must not be able to make us send to nowhere or to everybody.
fn is_sendable(address: SocketAddr) -> bool {
    let ip = address.ip();
    let broadcast = matches!(ip, std::net::IpAddr::V4(ip) if ip.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}
