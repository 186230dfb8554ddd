//! What was wrong with a message and could be understood all the same.
//!
//! A trunk's message is treated as repaired and the marks are counted; a stranger's is answered
//! as the RFC has it: 505 for [`Repair::Version`], 400 for the rest.

use super::{HeaderError, Message, Name, StartLine, Uri, text};
use crate::header::cseq::CSeq;
use crate::header::name_addr::NameAddr;

/// One thing put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Repair {
    /// The start line has white space where none may be.
    StartLineSpace,
    /// The Request-URI stands in `<>` or carries headers.
    RequestUri,
    /// Another version than SIP/2.0.
    Version,
    /// Lines end with a bare line feed.
    BareLineFeed,
    /// A line is no header (no colon, or no name before it); it is skipped.
    StrayLine,
    /// No empty line ends the headers.
    NoEmptyLine,
    /// Content-Length is no number, or there are two that differ; the body is the rest.
    BadContentLength,
    /// Content-Length goes beyond the message; the body is what there is.
    ShortBody,
    /// A quote never closes.
    OpenQuote,
    /// An address is not written as one: white space in it, a display name that needs quotes,
    /// headers outside `<>`, a missing `>`.
    Address,
    /// A parameter is empty (`;;`).
    EmptyParameter,
    /// A number is too large, negative or no number.
    Number,
    /// CSeq names another method than the start line.
    CSeqMethod,
    /// A date in another zone than GMT.
    Date,
    /// A header that may be there once is there again with another value; the first counts.
    Repeated,
    /// A header longer than [`super::HEADER_MAX`], or beyond [`super::HEADERS_MAX`] of them, was left out.
    LongHeader,
    /// The Request-URI or the Call-ID is in Latin-1.
    Latin1,
    /// The topmost Via names no sender: it is the address the message came from.
    Via,
    /// CSeq is no number and method: what it has of both counts.
    CSeq,
    /// Content-Length cuts a description short: the body is the rest.
    LongBody,
    /// A description in base64, or one that does not begin like one.
    Sdp,
}

impl Repair {
    const ALL: [Repair; 21] = [
        Repair::StartLineSpace,
        Repair::RequestUri,
        Repair::Version,
        Repair::BareLineFeed,
        Repair::StrayLine,
        Repair::NoEmptyLine,
        Repair::BadContentLength,
        Repair::ShortBody,
        Repair::OpenQuote,
        Repair::Address,
        Repair::EmptyParameter,
        Repair::Number,
        Repair::CSeqMethod,
        Repair::Date,
        Repair::Repeated,
        Repair::LongHeader,
        Repair::Latin1,
        Repair::Via,
        Repair::CSeq,
        Repair::LongBody,
        Repair::Sdp,
    ];

    /// For a counter's label.
    pub fn label(self) -> &'static str {
        match self {
            Repair::StartLineSpace => "start_line_space",
            Repair::RequestUri => "request_uri",
            Repair::Version => "version",
            Repair::BareLineFeed => "bare_line_feed",
            Repair::StrayLine => "stray_line",
            Repair::NoEmptyLine => "no_empty_line",
            Repair::BadContentLength => "bad_content_length",
            Repair::ShortBody => "short_body",
            Repair::OpenQuote => "open_quote",
            Repair::Address => "address",
            Repair::EmptyParameter => "empty_parameter",
            Repair::Number => "number",
            Repair::CSeqMethod => "cseq_method",
            Repair::Date => "date",
            Repair::Repeated => "repeated",
            Repair::LongHeader => "long_header",
            Repair::Latin1 => "latin_1",
            Repair::Via => "via",
            Repair::CSeq => "cseq",
            Repair::LongBody => "long_body",
            Repair::Sdp => "sdp",
        }
    }
}

/// The repairs of one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repairs(u32);

impl Repairs {
    /// Marks one.
    pub fn mark(&mut self, repair: Repair) {
        self.0 |= 1 << repair as u8;
    }

    /// Was it made?
    pub fn has(self, repair: Repair) -> bool {
        self.0 & (1 << repair as u8) != 0
    }

    /// Those of another look as well.
    pub fn join(self, others: Repairs) -> Repairs {
        Repairs(self.0 | others.0)
    }

    /// None at all?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each, in order.
    pub fn iter(self) -> impl Iterator<Item = Repair> {
        Repair::ALL.into_iter().filter(move |repair| self.has(*repair))
    }
}

impl Message<'_> {
    /// Reads the headers every message must have and the ones we act on, as a strict reader
    /// would: the scan's repairs and those its readers make. Allocates nothing.
    ///
    /// # Errors
    /// [`HeaderError`] when Via, From, To, Call-ID or CSeq is absent or cannot be read, so that
    /// nothing can be answered.
    pub fn inspect(&self) -> Result<Repairs, HeaderError> {
        let mut repairs = self.repairs();
        self.via()?;
        self.call_id()?;
        self.from()?;
        self.to()?;
        self.inspect_start(&mut repairs)?;
        for name in [Name::From, Name::To] {
            self.header(name).into_iter().for_each(|value| inspect_address(value, &mut repairs));
        }
        for name in [Name::Contact, Name::Route, Name::RecordRoute] {
            self.items(name)
                .filter(|item| *item != b"*")
                .for_each(|item| inspect_address(item, &mut repairs));
        }
        if self.vias().any(|via| via.params.has_gap()) || self.header(Name::Via).is_some_and(ends_in_gap) {
            repairs.mark(Repair::EmptyParameter);
        }
        for (name, most) in
            [(Name::MaxForwards, 255), (Name::Expires, u32::MAX), (Name::RetryAfter, u32::MAX)]
        {
            let number = self.header(name).map(leading_number);
            if number.is_some_and(|number| number.is_none_or(|number| number > most)) {
                repairs.mark(Repair::Number);
            }
        }
        for name in [Name::From, Name::To, Name::CallId, Name::CSeq, Name::MaxForwards] {
            let first = self.header(name);
            if self.headers(name).any(|value| Some(value) != first) {
                repairs.mark(Repair::Repeated);
            }
        }
        if self.header(Name::Date).is_some_and(|date| !date.ends_with(b"GMT")) {
            repairs.mark(Repair::Date);
        }
        Ok(repairs)
    }

    fn inspect_start(&self, repairs: &mut Repairs) -> Result<(), HeaderError> {
        let cseq = self.cseq()?; // a number beyond 32 bits has no answer its sender would recognise
        let StartLine::Request { token, uri, .. } = self.start else { return Ok(()) };
        if cseq.token != token {
            repairs.mark(Repair::CSeqMethod);
        }
        match Uri::read(uri.as_bytes()) {
            Uri::Sip { headers: Some(_), .. } => repairs.mark(Repair::RequestUri),
            Uri::Sip { host, .. } if is_odd_host(uri, host) => repairs.mark(Repair::RequestUri),
            _ => {}
        }
        if cseq.number > CSeq::MOST {
            repairs.mark(Repair::Number);
        }
        Ok(())
    }
}

/// A list whose items end in a stray `;` and a comma (`a;;,;,,`).
fn ends_in_gap(value: &[u8]) -> bool {
    value.ends_with(b",") || value.ends_with(b";")
}

/// An IPv6 address without its brackets, or brackets around something else (RFC 5118 §4.1, §4.5).
fn is_odd_host(uri: &str, host: &str) -> bool {
    let behind = uri.rsplit('@').next().unwrap_or(uri);
    let authority = behind.split([';', '?']).next().unwrap_or(behind);
    let authority = authority.split_once(':').filter(|_| behind == uri).map_or(authority, |(_, rest)| rest);
    if host.starts_with('[') {
        return super::uri::host_ip(host).is_none();
    }
    authority.matches(':').count() > 1
}

fn leading_number(value: &[u8]) -> Option<u32> {
    let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
    std::str::from_utf8(&value[..end]).ok()?.parse().ok()
}

fn inspect_address(value: &[u8], repairs: &mut Repairs) {
    let Some(address) = NameAddr::read(value) else {
        repairs.mark(Repair::Address);
        return;
    };
    if value.first() == Some(&b'"') && text::quoted_end(value).is_none() {
        repairs.mark(Repair::OpenQuote);
    }
    if address.is_loose(value) {
        repairs.mark(Repair::Address);
    }
    if address.params.has_gap() {
        repairs.mark(Repair::EmptyParameter);
    }
    if let Some(expires) = address.params.value("expires")
        && expires.parse::<u32>().is_err()
    {
        repairs.mark(Repair::Number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 6] = [
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa",
        "From: <sip:a@h>;tag=1",
        "To: <sip:15@h>",
        "Call-ID: c",
        "CSeq: 1 OPTIONS",
        "Max-Forwards: 70",
    ];

    /// The marks of an OPTIONS whose `name` line is `line`, or which has `line` besides.
    fn marks(line: &str) -> Result<Vec<Repair>, HeaderError> {
        let name = line.split(':').next().unwrap_or_default();
        let kept = LINES.iter().filter(|kept| !kept.starts_with(name)).chain([&line]);
        let lines = kept.map(|line| format!("{line}\r\n")).collect::<String>();
        let bytes = format!("OPTIONS sip:15@h SIP/2.0\r\n{lines}\r\n").into_bytes();
        Message::scan(&bytes).expect("a message").inspect().map(|repairs| repairs.iter().collect())
    }

    #[test]
    fn a_message_by_the_book_needs_no_repair() {
        for line in LINES {
            assert_eq!(marks(line), Ok(vec![]), "{line}");
        }
        assert_eq!(marks("Contact: *"), Ok(vec![]));
        assert_eq!(marks("Contact: \"Doe, <J>\" <sip:a@h;x=1?y=z>;expires=60, sip:b@h"), Ok(vec![]));
        assert_eq!(marks("Route: <sip:a@h;lr>,\r\n <sip:b@h;lr>"), Ok(vec![]));
    }

    #[test]
    fn each_oddity_is_marked_as_what_it_is() {
        let cases = [
            ("From: \"A <sip:a@h>;tag=1", Repair::OpenQuote),
            ("From: A, B <sip:a@h>;tag=1", Repair::Address),
            ("From: < sip:a@h >;tag=1", Repair::Address),
            ("From: <sip:a@h;tag=1", Repair::Address),
            ("Contact: sip:a@h?Route=x", Repair::Address),
            ("Contact: <sip:a@h>;;", Repair::EmptyParameter),
            ("Contact: <sip:a@h>;expires=4294967296", Repair::Number),
            ("Via: SIP/2.0/UDP h;;branch=a", Repair::EmptyParameter),
            ("Max-Forwards: 300", Repair::Number),
            ("Expires: -1", Repair::Number),
            ("CSeq: 2147483648 OPTIONS", Repair::Number),
            ("CSeq: 1 INVITE", Repair::CSeqMethod),
            ("Date: Fri, 01 Jan 2010 16:00:00 EST", Repair::Date),
            ("To: <sip:15@h>\r\nTo: <sip:18@h>", Repair::Repeated),
            ("Content-Length: 7", Repair::ShortBody),
        ];
        for (line, repair) in cases {
            let marks = marks(line).unwrap_or_default();
            assert!(marks.contains(&repair), "{line}: {marks:?}");
        }
    }

    #[test]
    fn nothing_can_be_answered_without_the_five_headers() {
        for (line, name) in [
            ("Via: nonsense", Name::Via),
            ("From:", Name::From),
            ("To: <>", Name::To),
            ("Call-ID:", Name::CallId),
            ("CSeq: 99999999999 OPTIONS", Name::CSeq),
        ] {
            assert_eq!(marks(line), Err(HeaderError::Malformed(name)), "{line}");
        }
        let bare = Message::scan(b"OPTIONS sip:15@h SIP/2.0\r\n\r\n").expect("a message").inspect();
        assert_eq!(bare, Err(HeaderError::Missing(Name::Via)));
    }

    #[test]
    fn every_repair_has_its_own_bit_and_label() {
        let mut all = Repairs::default();
        for (index, repair) in Repair::ALL.into_iter().enumerate() {
            assert!(!all.has(repair));
            all.mark(repair);
            assert_eq!(all.iter().count(), index + 1);
        }
        let labels: std::collections::BTreeSet<_> = all.iter().map(Repair::label).collect();
        assert_eq!(labels.len(), Repair::ALL.len());
    }
}
