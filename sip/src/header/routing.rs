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
