//! Contact, Route and Record-Route: where in-dialog requests go (RFC 3261 §12, §20.10, §20.30, §20.34).

use super::name_addr::NameAddr;
use crate::message::{Message, Name};

/// What a Contact header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact<'a> {
    /// `*`: every binding of this address (RFC 3261 §10.2.2).
    All,
    /// One address.
    At(NameAddr<'a>),
}

impl<'a> Contact<'a> {
    /// Seconds this binding is asked for; `None` when not said or no number.
    pub fn expires(&self) -> Option<u32> {
        match self {
            Contact::All => None,
            Contact::At(address) => address.params.value("expires")?.parse().ok(),
        }
    }
}

impl<'a> Message<'a> {
    /// Every contact, in order.
    pub fn contacts(&self) -> impl Iterator<Item = Contact<'a>> + '_ {
        self.items(Name::Contact).filter_map(|item| match item {
            b"*" => Some(Contact::All),
            _ => NameAddr::read(item).map(Contact::At),
        })
    }

    /// The first contact that is an address: the remote target of a dialog.
    pub fn contact(&self) -> Option<NameAddr<'a>> {
        self.contacts().find_map(|contact| match contact {
            Contact::All => None,
            Contact::At(address) => Some(address),
        })
    }

    /// Where the request goes next, first hop first.
    pub fn routes(&self) -> impl Iterator<Item = NameAddr<'a>> + '_ {
        self.items(Name::Route).filter_map(NameAddr::read)
    }

    /// The intermediaries that stay on the path, the one nearest to us first.
    pub fn record_routes(&self) -> impl Iterator<Item = NameAddr<'a>> + '_ {
        self.items(Name::RecordRoute).filter_map(NameAddr::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::request_with;

    #[test]
    fn routes_are_one_list_over_lines_and_commas_in_order() {
        let bytes = request_with(&[
            b"Record-Route: <sip:a;lr>, <sip:b;lr>;x=1",
            b"record-route:<sip:c;lr>",
            b"Route:\r\n <sip:d;lr;unknown-no-value>",
        ]);
        let message = Message::scan(&bytes).expect("a message");
        let path: Vec<_> = message.record_routes().map(|hop| hop.raw_uri).collect();
        assert_eq!(path, [&b"sip:a;lr"[..], b"sip:b;lr", b"sip:c;lr"]);
        let next = message.routes().next().expect("a hop");
        assert!(next.uri.params().has("lr") && next.uri.params().has("unknown-no-value"));
    }

    #[test]
    fn contacts_are_addresses_with_a_life_or_all_of_them() {
        let bytes =
            request_with(&[b"m: \"Quoted \\\"\\\"\" <sip:j@h> ; q = 0.33;expires=60, sip:k@h;expires=x"]);
        let message = Message::scan(&bytes).expect("a message");
        let lives: Vec<_> = message.contacts().map(|contact| contact.expires()).collect();
        assert_eq!(lives, [Some(60), None]);
        assert_eq!(message.contact().and_then(|contact| contact.uri.user()), Some("j"));
        let bytes = request_with(&[b"Contact: *"]);
        let message = Message::scan(&bytes).expect("a message");
        assert_eq!(message.contacts().collect::<Vec<_>>(), [Contact::All]);
        assert_eq!(message.contact(), None);
    }
}
