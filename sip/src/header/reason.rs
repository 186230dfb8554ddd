//! Reason: why a request was sent, a BYE or a CANCEL above all (RFC 3326).

use crate::message::{Message, Name, Params, Text, trim};

/// One reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// `SIP`, `Q.850` ...
    pub protocol: &'a str,
    /// The cause in that protocol.
    pub cause: Option<u16>,
    /// For people.
    pub text: Option<Text<'a>>,
}

impl<'a> Reason<'a> {
    /// Reads one item.
    pub fn read(value: &'a [u8]) -> Option<Reason<'a>> {
        let (protocol, params) = value.split_at(memchr::memchr(b';', value).unwrap_or(value.len()));
        let params = Params::new(params);
        let protocol = std::str::from_utf8(trim(protocol)).ok().filter(|protocol| !protocol.is_empty())?;
        let text =
            params.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"text")).and_then(|(_, text)| text);
        let cause = params.value("cause").and_then(|cause| cause.parse().ok());
        Some(Reason { protocol, cause, text: text.map(Text::new) })
    }
}

impl<'a> Message<'a> {
    /// The first reason given.
    pub fn reason(&self) -> Option<Reason<'a>> {
        self.reasons().next()
    }

    /// Every reason given; SIP's and the telephone network's often come together.
    pub fn reasons(&self) -> impl Iterator<Item = Reason<'a>> + '_ {
        self.items(Name::Reason).filter_map(Reason::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::request_with;

    #[test]
    fn both_networks_reasons_are_read() {
        let bytes = request_with(&[b"Reason: Q.850 ;cause=16;text=\"Normal, clearing\", SIP;cause=487"]);
        let message = Message::scan(&bytes).expect("a message");
        let reasons: Vec<_> = message.reasons().map(|reason| (reason.protocol, reason.cause)).collect();
        assert_eq!(reasons, [("Q.850", Some(16)), ("SIP", Some(487))]);
        let text = message.reason().and_then(|reason| reason.text).expect("a text");
        assert_eq!(text.to_str(), "Normal, clearing");
        let bytes = request_with(&[b"Reason: ;cause=1"]);
        assert_eq!(Message::scan(&bytes).expect("a message").reason(), None);
    }
}
