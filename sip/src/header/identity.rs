//! Who the caller is as the carrier vouches for it, what must not be shown, and who passed the
//! call on: P-Asserted-Identity (RFC 3325), Privacy (RFC 3323), Diversion (RFC 5806), History-Info
//! (RFC 7044).

use super::name_addr::NameAddr;
use crate::message::{Message, Name, trim};

/// What a Privacy header asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Privacy {
    /// `id`: the asserted identity is for us, not for those behind us.
    pub id: bool,
    /// `user`, `header`, `session` or anything we have no word for: the caller wants to be unseen.
    pub other: bool,
}

impl Privacy {
    /// Does the caller withhold its number? `none` and `critical` alone do not.
    pub fn withholds(self) -> bool {
        self.id || self.other
    }
}

impl<'a> Message<'a> {
    /// P-Asserted-Identity: a `sip:` and a `tel:` form often come together.
    pub fn identities(&self) -> impl Iterator<Item = NameAddr<'a>> + '_ {
        self.items(Name::PAssertedIdentity).filter_map(NameAddr::read)
    }

    /// What the caller's side keeps to itself.
    pub fn privacy(&self) -> Privacy {
        let mut privacy = Privacy::default();
        for value in self.headers(Name::Privacy) {
            for word in value.split(|byte| matches!(byte, b';' | b',')).map(trim) {
                match word {
                    w if w.eq_ignore_ascii_case(b"id") => privacy.id = true,
                    w if w.eq_ignore_ascii_case(b"none") || w.eq_ignore_ascii_case(b"critical") => {}
                    b"" => {}
                    _ => privacy.other = true,
                }
            }
        }
        privacy
    }

    /// Who passed the call on, the latest first.
    pub fn diversion(&self) -> impl Iterator<Item = NameAddr<'a>> + '_ {
        self.items(Name::Diversion).filter_map(NameAddr::read)
    }

    /// What became of the call before us, in the order written; `index` is a parameter.
    pub fn history_info(&self) -> impl Iterator<Item = NameAddr<'a>> + '_ {
        self.items(Name::HistoryInfo).filter_map(NameAddr::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::request_with;

    #[test]
    fn identities_diversions_and_history_are_comma_lists() {
        let bytes = request_with(&[
            b"P-Asserted-Identity: \"A, B\" <sip:+331@h;user=phone>, <tel:+331>",
            b"Diversion: <sip:+332@h>;reason=no-answer;counter=2,\r\n <tel:+333>;reason=unconditional",
            b"History-Info: <sip:15@h>;index=1, <sip:samu@h?Reason=SIP%3Bcause%3D302>;index=1.1",
            b"History-Info: <tel:+334>;index=1.1.1",
        ]);
        let message = Message::scan(&bytes).expect("a message");
        let users = |list: &[NameAddr<'_>]| {
            list.iter().map(|address| address.uri.user().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(users(&message.identities().collect::<Vec<_>>()), ["+331", "+331"]);
        let diversions: Vec<_> = message.diversion().collect();
        assert_eq!(users(&diversions), ["+332", "+333"]);
        assert_eq!(diversions[1].params.value("reason"), Some("unconditional"));
        let indexes: Vec<_> =
            message.history_info().filter_map(|entry| entry.params.value("index")).collect();
        assert_eq!(indexes, ["1", "1.1", "1.1.1"]);
    }

    #[test]
    fn a_number_is_withheld_by_id_or_user_and_not_by_none() {
        let withholds =
            |line: &[u8]| Message::scan(&request_with(&[line])).expect("a message").privacy().withholds();
        assert!(withholds(b"Privacy: ID"));
        assert!(withholds(b"Privacy: user;critical"));
        assert!(withholds(b"Privacy: none, session"));
        assert!(!withholds(b"Privacy: none"));
        assert!(!withholds(b"Privacy: critical;"));
        assert!(!withholds(b"Subject: id"));
    }
}
