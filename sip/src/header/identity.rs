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
