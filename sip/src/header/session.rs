//! Session-Expires and Min-SE: how long a session lasts that nobody refreshes (RFC 4028 §4, §5).

use crate::message::{Message, Name, Params, trim};

/// Who refreshes, seen from the request that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// Whoever sent the request.
    Uac,
    /// Whoever answers it.
    Uas,
}

impl Refresher {
    /// The parameter's value.
    pub fn token(self) -> &'static str {
        match self {
            Refresher::Uac => "uac",
            Refresher::Uas => "uas",
        }
    }
}

/// A Session-Expires header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// The interval.
    pub seconds: u32,
    /// Who refreshes, when that is said.
    pub refresher: Option<Refresher>,
}

impl Message<'_> {
    /// The session interval asked for, or agreed to in a 2xx; one that is no number is none.
    pub fn session_expires(&self) -> Option<SessionExpires> {
        let value = self.header(Name::SessionExpires)?;
        let (seconds, params) = value.split_at(memchr::memchr(b';', value).unwrap_or(value.len()));
        let seconds = std::str::from_utf8(trim(seconds)).ok()?.parse().ok()?;
        let refresher = match Params::new(params).value("refresher") {
            Some(role) if role.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(role) if role.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            _ => None,
        };
        Some(SessionExpires { seconds, refresher })
    }

    /// The shortest session interval the sender can bear, in seconds.
    pub fn min_se(&self) -> Option<u32> {
        let value = self.header(Name::MinSe)?;
        let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
        std::str::from_utf8(&value[..end]).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::request_with;

    #[test]
    fn an_interval_is_a_number_and_may_say_who_refreshes() {
        let read = |line: &[u8]| Message::scan(&request_with(&[line])).expect("a message").session_expires();
        let expires = |seconds, refresher| Some(SessionExpires { seconds, refresher });
        assert_eq!(read(b"Session-Expires: 1800"), expires(1800, None));
        assert_eq!(read(b"x: 90 ; refresher=UAS"), expires(90, Some(Refresher::Uas)));
        assert_eq!(read(b"x:90;refresher=uac;x=y"), expires(90, Some(Refresher::Uac)));
        assert_eq!(read(b"Session-Expires: soon"), None);
        assert_eq!(read(b"Session-Expires: 99999999999"), None);
        let bytes = request_with(&[b"Min-SE: 120;lr"]);
        assert_eq!(Message::scan(&bytes).expect("a message").min_se(), Some(120));
    }
}
