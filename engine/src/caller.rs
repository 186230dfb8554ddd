//! What an INVITE says about who calls, and what they dialled.

use crate::site::Identity;
use sip::endpoint::Invite;
use sip::message::Uri;

/// Who calls, as far as the network says. Never for the logs.
#[derive(Clone, Default)]
pub(crate) struct Caller {
    /// Best number to call back, bare: the asserted identity where it is believed, else the
    /// From header.
    pub(crate) number: Option<String>,
    /// The name the network shows.
    pub(crate) name: Option<String>,
    /// The caller asked for privacy (RFC 3323). An emergency centre is told the number all the same.
    pub(crate) withheld: bool,
}

impl Caller {
    /// Reads the caller out of an INVITE.
    pub(crate) fn of(invite: &Invite, believed: Identity) -> Caller {
        let identities = invite.identities.iter().filter(|_| believed == Identity::Asserted);
        let asserted = identities.into_iter().find(|identity| identity.number.is_some());
        let from = &invite.from;
        let anonymous = from.number.as_deref().is_none_or(|user| user.eq_ignore_ascii_case("anonymous"));
        let number = asserted.unwrap_or(from).number.clone();
        let wishes = |wish: &str| invite.privacy.iter().any(|token| token == wish);
        Caller {
            number: number.filter(|user| !user.eq_ignore_ascii_case("anonymous") && !user.is_empty()),
            name: asserted.and_then(|identity| identity.display.clone()).or_else(|| from.display.clone()),
            withheld: anonymous || wishes("id") || wishes("user") || wishes("header"),
        }
    }
}

/// What the trunk delivered: the number dialled, or the whole of a URN.
pub(crate) fn called(invite: &Invite) -> String {
    dialled(&invite.uri).unwrap_or_else(|| invite.uri.trim().to_owned())
}

/// The number a URI names.
pub(crate) fn dialled(uri: &str) -> Option<String> {
    Uri::read(uri.as_bytes()).number()
}

/// The service URN of a call (RFC 5031): its Request-URI, else its To header, which keeps it where a
/// network has put a route of its own into the Request-URI (as RFC 6881 asks).
pub(crate) fn service_urn(invite: &Invite) -> Option<String> {
    let urns = [invite.uri.as_str(), invite.to.uri.as_str()].into_iter().filter_map(|uri| {
        match Uri::read(uri.as_bytes()) {
            Uri::Urn(name) => Some(format!("urn:{}", name.to_ascii_lowercase())),
            _ => None,
        }
    });
    urns.into_iter().find(|urn| urn.starts_with("urn:service:"))
}

/// A call that tests the line (RFC 6881): `test.sos`, or a service below it by its dots.
pub(crate) fn is_test(urn: &str) -> bool {
    let below = urn.strip_prefix("urn:service:test.sos");
    below.is_some_and(|below| below.is_empty() || below.starts_with('.'))
}
