//! Header names: the ones we read, by length and without case, compact forms included.

/// A header's name. What has none here is [`Name::Other`] and found by its text
/// ([`super::Message::named`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Name {
    /// Any name not listed below.
    Other,
    /// Who is called (RFC 3261 §20.39).
    To,
    /// Every hop a request took (RFC 3261 §20.42).
    Via,
    /// What an INFO or a SUBSCRIBE is about (RFC 6665 §8.2.1).
    Event,
    /// Confirms a reliable provisional answer (RFC 3262 §7.2).
    RAck,
    /// Numbers a reliable provisional answer (RFC 3262 §7.1).
    RSeq,
    /// The methods understood (RFC 3261 §20.5).
    Allow,
    /// The sequence number and its method (RFC 3261 §20.16).
    CSeq,
    /// Who calls (RFC 3261 §20.20).
    From,
    /// Where the request goes next (RFC 3261 §20.34).
    Route,
    /// What is understood of bodies (RFC 3261 §20.1).
    Accept,
    /// Extensions an intermediary must know (RFC 3261 §20.29).
    ProxyRequire,
    /// Why a request was sent (RFC 3326).
    Reason,
    /// Sender's software, on answers (RFC 3261 §20.35).
    Server,
    /// The call's name (RFC 3261 §20.8).
    CallId,
    /// Where the sender wants in-dialog requests (RFC 3261 §20.10).
    Contact,
    /// Seconds a registration lasts (RFC 3261 §20.19).
    Expires,
    /// Extensions without which the request has no sense (RFC 3261 §20.32).
    Require,
    /// What it is about, for people (RFC 3261 §20.36).
    Subject,
    /// What the caller keeps to itself (RFC 3323).
    Privacy,
    /// Extra addresses about the call, eCall's data among them (RFC 3261 §20.9, RFC 7852).
    CallInfo,
    /// Urgency as the caller's side sees it (RFC 3261 §20.26).
    Priority,
    /// Whom the call replaces (RFC 3891).
    Replaces,
    /// Whom to call instead (RFC 3515).
    ReferTo,
    /// Extensions understood (RFC 3261 §20.37).
    Supported,
    /// When the sender sent (RFC 3261 §20.38).
    Timestamp,
    /// Who passed the call on (RFC 5806).
    Diversion,
    /// Shortest registration accepted (RFC 3261 §20.23).
    MinExpires,
    /// Sender's software, on requests (RFC 3261 §20.41).
    UserAgent,
    /// How long a flow may be silent (RFC 5626 §10).
    FlowTimer,
    /// Extensions not understood (RFC 3261 §20.40).
    Unsupported,
    /// When to try again (RFC 3261 §20.33).
    RetryAfter,
    /// Where the caller is (RFC 6442).
    Geolocation,
    /// Hops left (RFC 3261 §20.22).
    MaxForwards,
    /// The body's type (RFC 3261 §20.15).
    ContentType,
    /// Intermediaries that stay on the path (RFC 3261 §20.30).
    RecordRoute,
    /// What became of the call before us (RFC 7044).
    HistoryInfo,
    /// Credentials for us (RFC 3261 §20.7).
    Authorization,
    /// The body's length in bytes (RFC 3261 §20.14).
    ContentLength,
    /// A challenge of the other end (RFC 3261 §20.44).
    WwwAuthenticate,
    /// Session timer (RFC 4028).
    SessionExpires,
    /// Shortest session timer accepted (RFC 4028).
    MinSe,
    /// Resources of precedence, `esnet` among them (RFC 4412).
    ResourcePriority,
    /// How the body is meant (RFC 3261 §20.11).
    ContentDisposition,
    /// A challenge of an intermediary (RFC 3261 §20.27).
    ProxyAuthenticate,
    /// Credentials for an intermediary (RFC 3261 §20.28).
    ProxyAuthorization,
    /// The caller's number as the carrier vouches for it (RFC 3325).
    PAssertedIdentity,
    /// The number the caller's side prefers (RFC 3325).
    PPreferredIdentity,
    /// The date (RFC 3261 §20.17).
    Date,
}

/// The wire names, shortest first; [`STARTS`] finds a length's stretch.
const TABLE: [(&str, Name); 48] = [
    ("To", Name::To),
    ("Via", Name::Via),
    ("RAck", Name::RAck),
    ("RSeq", Name::RSeq),
    ("CSeq", Name::CSeq),
    ("From", Name::From),
    ("Date", Name::Date),
    ("Event", Name::Event),
    ("Allow", Name::Allow),
    ("Route", Name::Route),
    ("Accept", Name::Accept),
    ("Reason", Name::Reason),
    ("Server", Name::Server),
    ("Min-SE", Name::MinSe),
    ("Call-ID", Name::CallId),
    ("Contact", Name::Contact),
    ("Expires", Name::Expires),
    ("Require", Name::Require),
    ("Subject", Name::Subject),
    ("Privacy", Name::Privacy),
    ("Priority", Name::Priority),
    ("Replaces", Name::Replaces),
    ("Refer-To", Name::ReferTo),
    ("Call-Info", Name::CallInfo),
    ("Supported", Name::Supported),
    ("Timestamp", Name::Timestamp),
    ("Diversion", Name::Diversion),
    ("Flow-Timer", Name::FlowTimer),
    ("User-Agent", Name::UserAgent),
    ("Unsupported", Name::Unsupported),
    ("Retry-After", Name::RetryAfter),
    ("Geolocation", Name::Geolocation),
    ("Min-Expires", Name::MinExpires),
    ("Max-Forwards", Name::MaxForwards),
    ("Content-Type", Name::ContentType),
    ("Record-Route", Name::RecordRoute),
    ("History-Info", Name::HistoryInfo),
    ("Authorization", Name::Authorization),
    ("Proxy-Require", Name::ProxyRequire),
    ("Content-Length", Name::ContentLength),
    ("Session-Expires", Name::SessionExpires),
    ("WWW-Authenticate", Name::WwwAuthenticate),
    ("Resource-Priority", Name::ResourcePriority),
    ("Proxy-Authenticate", Name::ProxyAuthenticate),
    ("Content-Disposition", Name::ContentDisposition),
    ("P-Asserted-Identity", Name::PAssertedIdentity),
    ("Proxy-Authorization", Name::ProxyAuthorization),
    ("P-Preferred-Identity", Name::PPreferredIdentity),
];

/// The longest name of [`TABLE`].
const LONGEST: usize = 20;

/// Where names of each length start in [`TABLE`]; the stretch of length `n` is `[n]..[n + 1]`.
const STARTS: [u8; LONGEST + 2] = starts();

const fn starts() -> [u8; LONGEST + 2] {
    let mut starts = [0u8; LONGEST + 2];
    let mut row = 0;
    while row < TABLE.len() {
        let mut length = TABLE[row].0.len() + 1;
        while length < starts.len() {
            starts[length] = row as u8 + 1; // 48 rows
            length += 1;
        }
        row += 1;
    }
    starts
}

impl Name {
    /// The name a header line begins with (no colon, no white space); compact forms count.
    pub fn read(token: &[u8]) -> Name {
        if let [letter] = token {
            return Name::read_compact(*letter);
        }
        if token.is_empty() || token.len() > LONGEST {
            return Name::Other;
        }
        let rows = &TABLE[STARTS[token.len()] as usize..STARTS[token.len() + 1] as usize];
        // The first letter tells most of a length apart, and nearly everybody writes as the RFC does.
        let first = token[0] | 0x20;
        let same =
            |text: &[u8]| text[0] | 0x20 == first && (text == token || text.eq_ignore_ascii_case(token));
        rows.iter().find(|(text, _)| same(text.as_bytes())).map_or(Name::Other, |(_, name)| *name)
    }

    fn read_compact(letter: u8) -> Name {
        match letter.to_ascii_lowercase() {
            b'c' => Name::ContentType,
            b'f' => Name::From,
            b'i' => Name::CallId,
            b'k' => Name::Supported,
            b'l' => Name::ContentLength,
            b'm' => Name::Contact,
            b'o' => Name::Event,
            b'r' => Name::ReferTo,
            b's' => Name::Subject,
            b't' => Name::To,
            b'v' => Name::Via,
            b'x' => Name::SessionExpires,
            _ => Name::Other,
        }
    }

    /// The name in full, as we print it; empty for [`Name::Other`].
    pub fn as_str(self) -> &'static str {
        TABLE.iter().find(|(_, name)| *name == self).map_or("", |(text, _)| text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        for (text, name) in TABLE {
            assert_eq!(Name::read(text.as_bytes()), name, "{text}");
            assert_eq!(Name::read(text.to_ascii_uppercase().as_bytes()), name, "{text}");
            assert_eq!(name.as_str(), text);
        }
    }

    #[test]
    fn the_table_is_sorted_by_length() {
        assert!(TABLE.is_sorted_by_key(|(text, _)| text.len()));
        assert_eq!(TABLE[TABLE.len() - 1].0.len(), LONGEST);
    }

    #[test]
    fn compact_names_are_the_long_ones() {
        for (letter, long) in [("v", "Via"), ("F", "From"), ("i", "Call-ID"), ("l", "Content-Length")] {
            assert_eq!(Name::read(letter.as_bytes()), Name::read(long.as_bytes()));
        }
    }

    #[test]
    fn an_unknown_name_is_other() {
        for text in ["", "Z", "X-Carrier-Leg", "Content-Lengthy", "A-name-longer-than-any-we-know-of"] {
            assert_eq!(Name::read(text.as_bytes()), Name::Other, "{text}");
        }
    }
}
