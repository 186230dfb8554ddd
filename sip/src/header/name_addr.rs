//! A name and an address: From, To, and what Contact, Route and identities are made of
//! (RFC 3261 §20.10, §20.20, §20.39).

use crate::message::{HeaderError, Message, Name, Params, Text, Uri, trim};

/// `"Display" <uri>;params`, or a bare `uri;params`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The name for people; empty when there is none.
    pub display: Text<'a>,
    /// The address.
    pub uri: Uri<'a>,
    /// The address as written, without `<>`.
    pub raw_uri: &'a [u8],
    /// Parameters of the header, not of the address.
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one item. Forgiving: a quote or a bracket that never closes is an ordinary byte.
    /// `None` when there is no address at all.
    pub fn read(value: &'a [u8]) -> Option<NameAddr<'a>> {
        let value = trim(value);
        let quoted =
            if value.first() == Some(&b'"') { crate::message::quoted_end(value).unwrap_or(0) } else { 0 };
        let (display, raw_uri, params) = match memchr::memchr(b'<', &value[quoted..]) {
            Some(open) => {
                let (display, rest) = value.split_at(quoted + open);
                let rest = &rest[1..];
                let close = memchr::memchr(b'>', rest).unwrap_or(rest.len());
                let params = rest.get(close + 1..).unwrap_or_default();
                (display, &rest[..close], params)
            }
            // Without brackets the parameters are the header's (RFC 3261 §20.10).
            None => {
                let (uri, params) = value.split_at(memchr::memchr(b';', value).unwrap_or(value.len()));
                (&value[..0], uri, params)
            }
        };
        let raw_uri = trim(raw_uri);
        if raw_uri.is_empty() {
            return None;
        }
        let display = Text::new(trim(display));
        Some(NameAddr { display, uri: Uri::read(raw_uri), raw_uri, params: Params::new(trim(params)) })
    }

    /// The dialog's end, as its owner named it (RFC 3261 §19.3).
    pub fn tag(&self) -> Option<&'a str> {
        self.params.value("tag").filter(|tag| !tag.is_empty())
    }

    /// Would a strict reader refuse `value`, from which this was read?
    pub(crate) fn is_loose(&self, value: &[u8]) -> bool {
        let display = self.display.as_bytes();
        let bracketed = memchr::memchr(b'<', value).is_some();
        let token_or_space =
            |byte: &u8| *byte == b' ' || *byte == b'\t' || crate::message::is_token(&[*byte]);
        let needs_quotes = !display.starts_with(b"\"") && !display.iter().all(token_or_space);
        let spaced = memchr::memchr3(b' ', b'\t', b'\n', self.raw_uri).is_some()
            || (bracketed && !contains(value, self.raw_uri));
        let open = bracketed && memchr::memchr(b'>', value).is_none();
        let headers_outside = !bracketed && matches!(self.uri, Uri::Sip { headers: Some(_), .. });
        needs_quotes || spaced || open || headers_outside
    }
}

impl std::fmt::Debug for NameAddr<'_> {
    /// The address's kind only: who it is stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NameAddr({:?})", self.uri)
    }
}

/// The tag behind an address, found as [`NameAddr::read`] and [`NameAddr::tag`] find it.
fn tag_in(value: &[u8]) -> Option<&str> {
    let value = trim(value);
    let quoted =
        if value.first() == Some(&b'"') { crate::message::quoted_end(value).unwrap_or(0) } else { 0 };
    let params = match memchr::memchr(b'<', &value[quoted..]) {
        Some(open) => {
            let close = quoted + open + memchr::memchr(b'>', &value[quoted + open..])?;
            &value[close + 1..]
        }
        None => &value[memchr::memchr(b';', value)?..],
    };
    Params::new(trim(params)).value("tag").filter(|tag| !tag.is_empty())
}

/// Does `value` hold `<uri>` without white space inside the brackets?
fn contains(value: &[u8], uri: &[u8]) -> bool {
    memchr::memmem::find(value, uri).is_some_and(|at| {
        at > 0 && value[at - 1] == b'<' && value.get(at + uri.len()).is_none_or(|next| *next == b'>')
    })
}

impl<'a> Message<'a> {
    /// Who calls.
    ///
    /// # Errors
    /// [`HeaderError`] when it is absent or holds no address.
    pub fn from(&self) -> Result<NameAddr<'a>, HeaderError> {
        self.name_addr(Name::From)
    }

    /// Who is called.
    ///
    /// # Errors
    /// [`HeaderError`] when it is absent or holds no address.
    pub fn to(&self) -> Result<NameAddr<'a>, HeaderError> {
        self.name_addr(Name::To)
    }

    /// The tag of From, without a look at the address: it names the dialog of every request.
    pub fn from_tag(&self) -> Option<&'a str> {
        tag_in(self.header(Name::From)?)
    }

    /// The tag of To.
    pub fn to_tag(&self) -> Option<&'a str> {
        tag_in(self.header(Name::To)?)
    }

    fn name_addr(&self, name: Name) -> Result<NameAddr<'a>, HeaderError> {
        let value = self.header(name).ok_or(HeaderError::Missing(name))?;
        NameAddr::read(value).ok_or(HeaderError::Malformed(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_the_same_with_the_address_and_without() {
        for value in [
            "<sip:a@h>;tag=1",
            "sip:a@h;tag=2",
            "\"Doe, <John>;tag=x\" <sip:a@h;tag=uri> ; TAG = 3 ;y",
            "<sip:a@h>",
            "<sip:a@h>;tag=",
            "<sip:a@h;tag=4",
            "tel:+33;phone-context=x;tag=5",
            "\"open <sip:a@h>;tag=6",
        ] {
            let read = NameAddr::read(value.as_bytes()).and_then(|address| address.tag());
            assert_eq!(tag_in(value.as_bytes()), read, "{value}");
        }
    }
    use crate::header::request_with;

    fn read(value: &str) -> NameAddr<'_> {
        NameAddr::read(value.as_bytes()).expect("an address")
    }

    #[test]
    fn a_bracket_in_a_quoted_name_is_no_address() {
        let address = read("\"Doe, <John> \\\"x\\\"\" <sip:j@h>;tag=9");
        assert_eq!(address.display.to_str(), "Doe, <John> \"x\"");
        assert_eq!((address.uri.user(), address.tag()), (Some("j"), Some("9")));
    }

    #[test]
    fn parameters_behind_a_bare_address_are_the_headers() {
        let address = read("sip:j@h ;\r\n   tag    = 19n");
        assert_eq!((address.raw_uri, address.tag()), (&b"sip:j@h"[..], Some("19n")));
        let address = read("<sip:j@h;tag=inside>;tag=outside");
        assert_eq!(address.tag(), Some("outside"));
        assert_eq!(address.uri.params().value("tag"), Some("inside"));
    }

    #[test]
    fn a_name_in_latin_1_is_transcoded_and_the_call_is_kept() {
        let bytes = request_with(&[b"From: \"H\xf4pital Necker\" <tel:+33144494000>;tag=1"]);
        let message = Message::scan(&bytes).expect("a message");
        let from = message.from().expect("a caller");
        assert_eq!(from.display.to_str(), "Hôpital Necker");
        assert_eq!((from.uri.user(), from.tag()), (Some("+33144494000"), Some("1")));
    }

    #[test]
    fn a_quote_or_a_bracket_that_never_closes_does_not_hide_the_address() {
        assert_eq!(read("\"Mr. J. User <sip:j@h>;tag=1").uri.user(), Some("j"));
        assert_eq!(read("<sip:j@h").uri.user(), Some("j"));
        assert_eq!(read("caller<sip:j@h>").display.to_str(), "caller");
        assert_eq!(read("<  sip:j@h >").raw_uri, b"sip:j@h");
    }

    #[test]
    fn no_address_is_none() {
        for value in ["", "<>", "\"name\" <>", " ", ";tag=1"] {
            assert_eq!(NameAddr::read(value.as_bytes()), None, "{value}");
        }
    }
}
