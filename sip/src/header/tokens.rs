//! Headers that are lists of tokens: Require, Supported, Allow, Proxy-Require.

use crate::message::{Message, Name};

impl<'a> Message<'a> {
    /// Extensions without which the request has no sense (RFC 3261 §20.32).
    pub fn require(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.tokens(Name::Require)
    }

    /// Extensions the sender understands (RFC 3261 §20.37).
    pub fn supported(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.tokens(Name::Supported)
    }

    /// Methods the sender understands (RFC 3261 §20.5).
    pub fn allow(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.tokens(Name::Allow)
    }

    /// The tokens of any comma list, those that are no text left out.
    pub fn tokens(&self, name: Name) -> impl Iterator<Item = &'a str> + '_ {
        self.items(name).filter_map(|item| std::str::from_utf8(item).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::request_with;

    #[test]
    fn tokens_come_from_every_line() {
        let bytes = request_with(&[b"Require: 100rel , precondition", b"require: \xff, x", b"k: timer"]);
        let message = Message::scan(&bytes).expect("a message");
        assert_eq!(message.require().collect::<Vec<_>>(), ["100rel", "precondition", "x"]);
        assert_eq!(message.supported().collect::<Vec<_>>(), ["timer"]);
        assert_eq!(message.allow().count(), 0);
    }
}
