//! Content-Type: what the body is (RFC 3261 §20.15).

use crate::message::{Message, Name, Params, split_type};

/// A media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentType<'a> {
    /// `application/sdp`, as written.
    pub kind: &'a str,
    /// `boundary`, `charset` ...
    pub params: Params<'a>,
}

impl ContentType<'_> {
    /// Is it this type? Compared without case.
    pub fn is(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind)
    }
}

impl<'a> Message<'a> {
    /// What the body is; [`Message::part`] and [`Message::sdp`] find a part by its type.
    pub fn content_type(&self) -> Option<ContentType<'a>> {
        let (kind, params) = split_type(self.header(Name::ContentType)?);
        Some(ContentType { kind: std::str::from_utf8(kind).ok().filter(|kind| !kind.is_empty())?, params })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::request_with;

    #[test]
    fn a_type_is_compared_without_case_and_has_parameters() {
        let bytes = request_with(&[b"c: Multipart/Mixed ; boundary=\"a b\""]);
        let message = Message::scan(&bytes).expect("a message");
        let kind = message.content_type().expect("a type");
        assert!(kind.is("multipart/mixed") && !kind.is("multipart"));
        assert_eq!(kind.params.value("boundary"), Some("a b"));
        let bytes = request_with(&[b"c: ;x"]);
        assert_eq!(Message::scan(&bytes).expect("a message").content_type(), None);
    }
}
