//! Via: every hop a request took, and where the answer goes back (RFC 3261 §20.42).

use crate::message::{HeaderError, Message, Name, Params, trim};
use std::net::{IpAddr, SocketAddr};

/// One hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `UDP`, `TCP`, `TLS` or whatever was written.
    pub transport: &'a str,
    /// Who sent it: a name or an address, IPv6 in brackets.
    pub host: &'a str,
    /// Its port, when written.
    pub port: Option<u16>,
    /// `branch`, `received`, `rport` ...
    pub params: Params<'a>,
}

/// What a branch starts with when its sender follows RFC 3261 (§8.1.1.7).
pub const MAGIC: &str = "z9hG4bK";

impl<'a> Via<'a> {
    /// Reads one item of the list; white space may stand anywhere (RFC 4475 §3.1.1.1).
    pub fn read(value: &'a [u8]) -> Option<Via<'a>> {
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        let (head, params) = value.split_at(end);
        let head = std::str::from_utf8(head).ok()?;
        let (_name, rest) = head.split_once('/')?;
        let (_version, rest) = rest.split_once('/')?;
        let rest = rest.trim();
        let (transport, sent_by) = rest.split_at(rest.find(|c: char| c.is_ascii_whitespace())?);
        let (host, port) = crate::message::split_host(sent_by);
        (!host.is_empty()).then_some(Via { transport, host, port, params: Params::new(params) })
    }

    /// The transaction's name as its sender chose it.
    pub fn branch(&self) -> Option<&'a str> {
        self.params.value("branch").filter(|branch| !branch.is_empty())
    }

    /// Did the sender ask to be answered at the port the request came from (RFC 3581)?
    pub fn wants_rport(&self) -> bool {
        self.params.has("rport")
    }

    /// Where an answer goes over a datagram transport when the request came from `source`
    /// (RFC 3261 §18.2.2, RFC 3581 §4).
    pub fn reply_to(&self, source: SocketAddr) -> SocketAddr {
        let port = if self.wants_rport() { source.port() } else { self.port.unwrap_or(5060) };
        SocketAddr::new(source.ip(), port)
    }

    /// Where its sender takes connections, once the one its request came over is gone (RFC 3261
    /// §18.2.2); `default` is the port of the transport.
    pub fn listener(&self, source: SocketAddr, default: u16) -> SocketAddr {
        SocketAddr::new(source.ip(), self.port.filter(|port| *port != 0).unwrap_or(default))
    }

    /// Prints the hop as its receiver must pass it back: with `received` when the sender's host is
    /// not where it came from, and `rport` filled when asked for (RFC 3581 §4).
    pub(crate) fn print_with_source(&self, source: SocketAddr, out: &mut Vec<u8>) {
        let port = self.port.map_or(String::new(), |port| format!(":{port}"));
        out.extend_from_slice(format!("SIP/2.0/{} {}{port}", self.transport, self.host).as_bytes());
        for (name, value) in self.params.iter() {
            if name.eq_ignore_ascii_case(b"received") || name.eq_ignore_ascii_case(b"rport") {
                continue;
            }
            out.push(b';');
            crate::message::push_line(out, name);
            if let Some(value) = value {
                out.push(b'=');
                crate::message::push_line(out, value);
            }
        }
        if self.wants_rport() || crate::message::host_ip(self.host) != Some(source.ip()) {
            match source.ip() {
                IpAddr::V4(ip) => out.extend_from_slice(format!(";received={ip}").as_bytes()),
                IpAddr::V6(ip) => out.extend_from_slice(format!(";received={ip}").as_bytes()),
            }
        }
        if self.wants_rport() {
            out.extend_from_slice(format!(";rport={}", source.port()).as_bytes());
        }
    }
}

impl<'a> Message<'a> {
    /// The topmost hop.
    ///
    /// # Errors
    /// [`HeaderError`] when there is none, or it names no sender.
    pub fn via(&self) -> Result<Via<'a>, HeaderError> {
        let first = self.items(Name::Via).next().ok_or(HeaderError::Missing(Name::Via))?;
        Via::read(trim(first)).ok_or(HeaderError::Malformed(Name::Via))
    }

    /// Every hop that can be read, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Via<'a>> + '_ {
        self.items(Name::Via).filter_map(Via::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::request_with;

    #[test]
    fn space_may_stand_anywhere_and_the_branch_is_still_found() {
        let via =
            Via::read(b"SIP  /   2.0\r\n /UDP\r\n    192.0.2.2 : 5070 ;\r\n branch  =\r\n z9hG4bKx ; rport");
        let via = via.expect("a hop");
        assert_eq!((via.transport, via.host, via.port), ("UDP", "192.0.2.2", Some(5070)));
        assert_eq!(via.branch(), Some("z9hG4bKx"));
        assert!(via.wants_rport());
    }

    #[test]
    fn hops_in_one_line_and_in_several_are_one_list() {
        let bytes = request_with(&[
            b"v: SIP/2.0/UDP a;x=\"1,2\",SIP/2.0/TCP b , SIP/2.0/TLS c",
            b"Via:SIP/2.0/SCTP d",
        ]);
        let message = Message::scan(&bytes).expect("a message");
        let hosts: Vec<_> = message.vias().map(|via| via.host).collect();
        assert_eq!(hosts, ["a", "b", "c", "d"]);
        assert_eq!(message.via().map(|via| via.host), Ok("a"));
    }

    #[test]
    fn an_ipv6_hop_has_its_address_and_its_parameters_may_hold_colons() {
        let via = Via::read(b"SIP/2.0/UDP [2001:db8::9:1]:5062;received=2001:db8::9:255;branch=z9hG4bKas3")
            .expect("a hop");
        assert_eq!((via.host, via.port), ("[2001:db8::9:1]", Some(5062)));
        assert_eq!(via.params.value("received"), Some("2001:db8::9:255"));
        let via = Via::read(b"SIP/2.0/UDP [2001:db8::9:1]").expect("a hop");
        assert_eq!((via.host, via.port, via.branch()), ("[2001:db8::9:1]", None, None));
    }

    #[test]
    fn an_answer_goes_back_where_the_hop_asks() {
        let source: SocketAddr = "192.0.2.7:6060".parse().expect("an address");
        let port = |value: &[u8]| Via::read(value).expect("a hop").reply_to(source).port();
        assert_eq!(port(b"SIP/2.0/UDP h:5070;rport"), 6060);
        assert_eq!(port(b"SIP/2.0/UDP h:5070"), 5070);
        assert_eq!(port(b"SIP/2.0/UDP h"), 5060);
        let listener = |value: &[u8]| Via::read(value).expect("a hop").listener(source, 5061).port();
        assert_eq!(listener(b"SIP/2.0/TLS h:5070;rport"), 5070);
        assert_eq!(listener(b"SIP/2.0/TLS h"), 5061);
    }

    #[test]
    fn what_names_no_sender_is_no_hop() {
        for value in [&b""[..], b"SIP/2.0/UDP", b"SIP/2.0", b"SIP/2.0/UDP ;branch=x", b"SIP/2.0/UDP \xff"] {
            assert_eq!(Via::read(value), None);
        }
    }
}
