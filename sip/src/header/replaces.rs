//! Replaces and Refer-To: a call that takes another one's place (RFC 3891, RFC 3515).

use super::name_addr::NameAddr;
use crate::message::{Message, Name, Params, Uri, trim};
use std::fmt;

/// Which dialog is to be replaced, as its tags are at the one who is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Replaces {
    /// Its Call-ID.
    pub call_id: String,
    /// The tag of the one who is asked.
    pub to_tag: String,
    /// The other one's.
    pub from_tag: String,
    /// Only while nobody has answered it.
    pub early_only: bool,
}

impl Replaces {
    /// Reads a header's value; `None` when it names no dialog.
    pub fn read(value: &[u8]) -> Option<Replaces> {
        let (call_id, params) = value.split_at(memchr::memchr(b';', value).unwrap_or(value.len()));
        let call_id = std::str::from_utf8(trim(call_id)).ok().filter(|it| !it.is_empty())?;
        let params = Params::new(params);
        let tag = |name| params.value(name).map(str::to_owned);
        Some(Replaces {
            call_id: call_id.to_owned(),
            to_tag: tag("to-tag")?,
            from_tag: tag("from-tag")?,
            early_only: params.has("early-only"),
        })
    }

    /// The value as it stands behind the `?` of a Refer-To: everything escaped that a URI's headers
    /// part cannot hold (RFC 3261 §25.1, hvalue).
    pub fn escaped(&self) -> String {
        let Replaces { call_id, to_tag, from_tag, .. } = self;
        escape(&format!("{call_id};to-tag={to_tag};from-tag={from_tag}"))
    }
}

// A Call-ID and its tags let their owner into a call: not for the logs.
impl fmt::Debug for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replaces(..)")
    }
}

/// Whom somebody is asked to call.
#[derive(Clone, PartialEq, Eq)]
pub struct ReferTo {
    /// The address, without what stands behind its `?`.
    pub uri: String,
    /// The call that is to be replaced there.
    pub replaces: Option<Replaces>,
}

impl fmt::Debug for ReferTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReferTo(..)")
    }
}

impl Message<'_> {
    /// The dialog an INVITE is to replace.
    pub fn replaces(&self) -> Option<Replaces> {
        Replaces::read(self.header(Name::Replaces)?)
    }

    /// Whom a REFER asks to call; `None` without one address or with several (RFC 3515 §2.4.2).
    pub fn refer_to(&self) -> Option<ReferTo> {
        let mut lines = self.headers(Name::ReferTo);
        let value = lines.next()?;
        if lines.next().is_some() {
            return None;
        }
        let address = NameAddr::read(value)?;
        let whole = std::str::from_utf8(address.raw_uri).ok()?;
        let (uri, headers) = match (address.uri, whole.split_once('?')) {
            (Uri::Sip { headers: Some(_), .. }, Some((uri, headers))) => (uri, Some(headers)),
            _ => (whole, None),
        };
        let replaces = headers.into_iter().flat_map(|headers| headers.split('&')).find_map(|header| {
            let (name, value) = header.split_once('=')?;
            name.eq_ignore_ascii_case("replaces").then(|| Replaces::read(&unescape(value)))?
        });
        Some(ReferTo { uri: uri.to_owned(), replaces })
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/?:+$".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut plain, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let escaped = digits.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        plain.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::request_with;

    #[test]
    fn a_refer_names_an_address_and_may_name_a_call_to_replace() {
        let read = |line: &[u8]| Message::scan(&request_with(&[line])).expect("a message").refer_to();
        let plain = read(b"Refer-To: <sip:17@h;user=phone>").expect("an address");
        assert_eq!((plain.uri.as_str(), plain.replaces), ("sip:17@h;user=phone", None));
        let attended = b"r: \"Ines\" <sip:17@h?X=1&Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2%3Bearly-only>";
        let attended = read(attended).expect("an address");
        let replaces = attended.replaces.expect("a call");
        assert_eq!((attended.uri.as_str(), replaces.call_id.as_str()), ("sip:17@h", "a@b"));
        assert_eq!((replaces.to_tag.as_str(), replaces.from_tag.as_str()), ("1", "2"));
        assert!(replaces.early_only);
        assert_eq!(read(b"Refer-To: <sip:a@h>\r\nRefer-To: <sip:b@h>"), None);
        assert_eq!(read(b"Refer-To: <tel:+331?x>").map(|it| it.uri), Some("tel:+331?x".to_owned()));
        assert_eq!(read(b"Refer-To:"), None);
    }

    #[test]
    fn what_is_escaped_reads_back() {
        let replaces = Replaces {
            call_id: "a b%@[::1]".to_owned(),
            to_tag: "1~".to_owned(),
            from_tag: "x=y".to_owned(),
            early_only: false,
        };
        assert_eq!(Replaces::read(&unescape(&replaces.escaped())), Some(replaces));
        assert_eq!(unescape("%4%zz%41%"), b"%4%zzA%");
    }

    #[test]
    fn a_call_to_replace_has_both_tags() {
        for line in [&b"Replaces: a;to-tag=1"[..], b"Replaces: ;to-tag=1;from-tag=2", b"Replaces: a"] {
            assert_eq!(Message::scan(&request_with(&[line])).expect("a message").replaces(), None);
        }
    }
}
