//! Addresses: `sip:`, `sips:`, `tel:`, `urn:` and what else a carrier may write.

use super::params::Params;
use super::text::trim;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A URI, in parts that are text of the message: nothing is unescaped, `%23` stays `%23`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Uri<'a> {
    /// RFC 3261 §19.1.
    Sip {
        /// `sips:`.
        secure: bool,
        /// The part before `@`, without a password.
        user: Option<&'a str>,
        /// A name, an IPv4 address, or an IPv6 address in its brackets.
        host: &'a str,
        /// The port, when written and a port.
        port: Option<u16>,
        /// `;transport=tcp;lr` ...
        params: Params<'a>,
        /// What stands behind `?`.
        headers: Option<&'a str>,
    },
    /// RFC 3966.
    Tel {
        /// With its `+` and visual separators, as written.
        number: &'a str,
        /// `;phone-context=..` ...
        params: Params<'a>,
    },
    /// RFC 5031: what stands behind `urn:`, `service:sos` ...
    Urn(&'a str),
    /// Any other scheme, whole.
    Other(&'a str),
    /// Not text at all: kept so that the message it stands in is not lost.
    Unreadable(&'a [u8]),
}

impl<'a> Uri<'a> {
    /// Reads what stands between `<` and `>`, or in the start line. Never fails: what has no
    /// known form is [`Uri::Other`].
    pub fn read(bytes: &'a [u8]) -> Uri<'a> {
        let bytes = trim(bytes);
        let Ok(text) = std::str::from_utf8(bytes) else { return Uri::Unreadable(bytes) };
        let Some((scheme, rest)) = text.split_once(':') else { return Uri::Other(text) };
        match scheme.trim_end() {
            s if s.eq_ignore_ascii_case("sip") => Uri::read_sip(false, rest),
            s if s.eq_ignore_ascii_case("sips") => Uri::read_sip(true, rest),
            s if s.eq_ignore_ascii_case("tel") => {
                let (number, params) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
                Uri::Tel { number: number.trim(), params: Params::new(params.as_bytes()) }
            }
            s if s.eq_ignore_ascii_case("urn") => Uri::Urn(rest),
            _ => Uri::Other(text),
        }
    }

    fn read_sip(secure: bool, rest: &'a str) -> Uri<'a> {
        // A user part may hold `;` and `?` (RFC 3261 §25.1), a host may not: look for `@` first,
        // and for one before any `?`, since headers behind it are escaped by the careful only.
        let question = rest.find('?').unwrap_or(rest.len());
        let at = rest[..question].rfind('@').or_else(|| rest.find('@'));
        let (user, rest) = match at {
            Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
            None => (None, rest),
        };
        let user = user.map(|user| user.split_once(':').map_or(user, |(user, _password)| user).trim());
        let (rest, headers) = match rest.split_once('?') {
            Some((rest, headers)) => (rest, Some(headers)),
            None => (rest, None),
        };
        let (authority, params) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
        let (host, port) = split_host(authority);
        Uri::Sip { secure, user, host, port, params: Params::new(params.as_bytes()), headers }
    }

    /// The user part or the telephone number: what was dialled.
    pub fn user(&self) -> Option<&'a str> {
        match *self {
            Uri::Sip { user, .. } => user,
            Uri::Tel { number, .. } => Some(number),
            Uri::Urn(_) | Uri::Other(_) | Uri::Unreadable(_) => None,
        }
    }

    /// Who is meant by it, for people and for comparing: the user part or the telephone number without the
    /// parameters either may carry (RFC 3966 §5.1.5 `;phone-context=`, a gateway's `;noa=4`), unescaped.
    /// Control characters are no part of it, however they are written.
    pub fn number(&self) -> Option<String> {
        let user = self.user()?;
        let bare = user.split(';').next().unwrap_or(user).trim();
        let unescaped = String::from_utf8_lossy(&unescaped(bare)).into_owned();
        Some(unescaped.chars().filter(|sign| !sign.is_control()).collect())
    }

    /// The URI's parameters; none for schemes without.
    pub fn params(&self) -> Params<'a> {
        match *self {
            Uri::Sip { params, .. } | Uri::Tel { params, .. } => params,
            Uri::Urn(_) | Uri::Other(_) | Uri::Unreadable(_) => Params::default(),
        }
    }

    /// Where the host is, when it is written as an address; port 5060 (5061 for `sips`) when none
    /// is. Names are for a resolver, which we have none of.
    pub fn address(&self) -> Option<SocketAddr> {
        match *self {
            Uri::Sip { secure, host, port, .. } => {
                Some(SocketAddr::new(host_ip(host)?, port.unwrap_or(if secure { 5061 } else { 5060 })))
            }
            _ => None,
        }
    }

    /// Where a request to it goes, when that is written as an address: its `maddr`, which stands for the
    /// host (RFC 3261 §19.1.1), else the host.
    pub fn destination(&self) -> Option<SocketAddr> {
        let Uri::Sip { secure, port, .. } = *self else { return None };
        let Some(ip) = self.params().value("maddr").and_then(host_ip) else { return self.address() };
        Some(SocketAddr::new(ip, port.unwrap_or(if secure { 5061 } else { 5060 })))
    }
}

impl std::fmt::Debug for Uri<'_> {
    /// The kind only: numbers are people's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Uri::Sip { secure: false, .. } => "Uri(sip:..)",
            Uri::Sip { secure: true, .. } => "Uri(sips:..)",
            Uri::Tel { .. } => "Uri(tel:..)",
            Uri::Urn(_) => "Uri(urn:..)",
            Uri::Other(_) | Uri::Unreadable(_) => "Uri(..)",
        })
    }
}

/// Escapes as the bytes they stand for (RFC 3261 §19.1.2); a `%` that begins none stays.
fn unescaped(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut out = Vec::with_capacity(rest.len());
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|hex| byte == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        let value = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(value.unwrap_or(byte));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    out
}

/// `host[:port]` with white space anywhere; brackets of IPv6 stay with the host.
pub(crate) fn split_host(authority: &str) -> (&str, Option<u16>) {
    let authority = authority.trim();
    let end = if authority.starts_with('[') { authority.find(']').map_or(0, |at| at + 1) } else { 0 };
    match authority[end..].find(':') {
        Some(colon) => {
            let (host, port) = authority.split_at(end + colon);
            (host.trim(), port[1..].trim().parse().ok())
        }
        None => (authority, None),
    }
}

/// The address a host is, when it is written as one.
pub(crate) fn host_ip(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sip(text: &str) -> (Option<&str>, &str, Option<u16>) {
        match Uri::read(text.as_bytes()) {
            Uri::Sip { user, host, port, .. } => (user, host, port),
            other => panic!("{other:?} is no sip URI"),
        }
    }

    #[test]
    fn user_host_and_port_are_found_whatever_stands_around() {
        assert_eq!(sip("sip:15@192.0.2.1:5070;user=phone"), (Some("15"), "192.0.2.1", Some(5070)));
        assert_eq!(sip("SIP:example.net"), (None, "example.net", None));
        assert_eq!(sip("sip:a:secret@h;lr?x=y@z"), (Some("a"), "h", None));
        assert_eq!(sip("sip:user;par=u%40x@h"), (Some("user;par=u%40x"), "h", None));
        assert_eq!(sip("sip:u?q@h"), (Some("u?q"), "h", None));
    }

    #[test]
    fn a_number_is_who_is_meant_without_parameters_and_escapes() {
        let table = [
            ("sip:0612345678;phone-context=+33@carrier;user=phone", "0612345678"),
            ("sip:+33612345678;noa=4;cpc=ordinary@h", "+33612345678"),
            ("sip:%2B33612345678@h", "+33612345678"),
            ("sip:%2315%2a@h", "#15*"),
            ("sip:J%C3%A9r%C3%B4me@h", "Jérôme"),
            ("sip:06%0D%0A12@h", "0612"),
            ("sip:100%@h", "100%"),
            ("sip:1%3B2;x=3@h", "1;2"),
            ("tel:+33-1.23;phone-context=x", "+33-1.23"),
        ];
        for (uri, number) in table {
            assert_eq!(Uri::read(uri.as_bytes()).number().as_deref(), Some(number), "{uri}");
        }
        assert_eq!(Uri::read(b"sip:h").number(), None);
    }

    #[test]
    fn an_escaped_hash_in_a_user_part_is_kept_as_it_is() {
        assert_eq!(sip("sip:%23%2A15@h").0, Some("%23%2A15"));
    }

    #[test]
    fn ipv6_hosts_keep_their_brackets_and_give_their_address() {
        assert_eq!(sip("sip:a@[2001:db8::1]:5062"), (Some("a"), "[2001:db8::1]", Some(5062)));
        assert_eq!(sip("sip:[::1];lr"), (None, "[::1]", None));
        let address = Uri::read(b"sip:a@[2001:db8::1]:5062").address();
        assert_eq!(address, "[2001:db8::1]:5062".parse().ok());
        assert_eq!(sip("sip:[::1").1, "[::1".split(':').next().unwrap_or_default());
    }

    #[test]
    fn telephone_numbers_and_service_names_are_addresses_too() {
        assert_eq!(Uri::read(b"tel:+33-1.23;phone-context=x").user(), Some("+33-1.23"));
        assert_eq!(Uri::read(b"urn:service:sos.ambulance"), Uri::Urn("service:sos.ambulance"));
        assert_eq!(Uri::read(b"nobodyKnowsThisScheme:x"), Uri::Other("nobodyKnowsThisScheme:x"));
        assert_eq!(Uri::read(b"sip:\xe9@h"), Uri::Unreadable(b"sip:\xe9@h"));
    }
}
