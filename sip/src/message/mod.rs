//! One SIP message as it lies in the datagram: scanned once, nothing copied.
//!
//! [`Message::scan`] finds the lines, names the headers and bounds the body; the typed readers of
//! [`crate::header`] look into a value when somebody asks. What a peer got wrong but can be
//! understood is repaired and marked ([`Repairs`]): a carrier's call is never dropped for its
//! form, while an endpoint may be as strict as the RFC with a stranger. [`Builder`] prints.
//!
//! Absent: no owned message (what must outlive the datagram is copied by its owner), no setters
//! (a message is printed once, from what is known), no header is dropped because we do not know it.

mod body;
mod name;
mod params;
mod print;
mod repairs;
mod scan;
mod text;
mod uri;

pub use name::Name;
pub use params::Params;
pub use print::Builder;
pub use repairs::{Repair, Repairs};
pub use scan::{HEADER_MAX, HEADERS_MAX, MESSAGE_MAX, ScanError};
pub use text::{Commas, Text};
pub use uri::Uri;

pub(crate) use body::split_type;
pub(crate) use print::push_line;
pub(crate) use scan::{head_end, length_in, line_at};
pub(crate) use text::{is_token, quoted_end, trim};
pub(crate) use uri::{host_ip, split_host};

use crate::vocabulary::Method;

/// A header asked for that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is not in the message.
    #[error("no {} header", .0.as_str())]
    Missing(Name),
    /// It is there and makes no sense.
    #[error("the {} header cannot be read", .0.as_str())]
    Malformed(Name),
}

impl HeaderError {
    /// The header's name, for a counter's label.
    pub fn label(self) -> &'static str {
        match self {
            HeaderError::Missing(name) | HeaderError::Malformed(name) => name.as_str(),
        }
    }
}

/// The first line (RFC 3261 §7.1, §7.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// Somebody asks something.
    Request {
        /// What, when we know the word.
        method: Method,
        /// What, as written.
        token: &'a str,
        /// Of whom: the Request-URI as written, without surrounding `<>`.
        uri: &'a str,
    },
    /// Somebody answers.
    Response {
        /// 100 to 699.
        code: u16,
        /// For people; any bytes, possibly none.
        reason: &'a [u8],
    },
}

impl std::fmt::Debug for StartLine<'_> {
    /// The method or the code: who is called stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StartLine::Request { token, .. } => write!(f, "Request({token})"),
            StartLine::Response { code, .. } => write!(f, "Response({code})"),
        }
    }
}

/// Where one header lies, as offsets: ten bytes instead of forty, 128 of them on the stack.
#[derive(Clone, Copy)]
struct Line {
    name: Name,
    name_at: u16,
    name_len: u16,
    value_at: u16,
    value_len: u16,
}

impl Line {
    const NONE: Line = Line { name: Name::Other, name_at: 0, name_len: 0, value_at: 0, value_len: 0 };
}

/// A scanned message. Borrows the bytes it was scanned from; owns nothing.
#[derive(Clone)]
pub struct Message<'a> {
    /// The first line.
    pub start: StartLine<'a>,
    bytes: &'a [u8],
    lines: [Line; scan::LINES_MAX],
    count: usize,
    body: &'a [u8],
    repairs: Repairs,
}

impl<'a> Message<'a> {
    /// Scans one message: a whole datagram, or what a [`crate::transport::Framer`] cut out.
    /// Allocates nothing. Bytes after Content-Length are ignored (RFC 3261 §18.3); without
    /// Content-Length the body is the rest.
    ///
    /// # Errors
    /// [`ScanError`] when there is no start line to act on, or a bound is passed.
    pub fn scan(bytes: &'a [u8]) -> Result<Message<'a>, ScanError> {
        scan::scan(bytes)
    }

    /// The method of a request; `None` for a response.
    pub fn method(&self) -> Option<Method> {
        match self.start {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        }
    }

    /// The code of a response; `None` for a request.
    pub fn code(&self) -> Option<u16> {
        match self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { code, .. } => Some(code),
        }
    }

    /// The Request-URI, read; `None` for a response.
    pub fn request_uri(&self) -> Option<Uri<'a>> {
        match self.start {
            StartLine::Request { uri, .. } => Some(Uri::read(uri.as_bytes())),
            StartLine::Response { .. } => None,
        }
    }

    /// The first value of a header as it stands, trimmed; folds still in it.
    pub fn header(&self, name: Name) -> Option<&'a [u8]> {
        self.headers(name).next()
    }

    /// Every value of a header, line by line, in order; comma lists are not split here.
    pub fn headers(&self, name: Name) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.lines().iter().filter(move |line| line.name == name).map(|line| self.value(line))
    }

    /// Every item of a header that is a comma list, over all its lines, in order.
    pub fn items(&self, name: Name) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.headers(name).flat_map(Commas::of)
    }

    /// Every value of a header found by its text, for those [`Name`] does not list; without case.
    pub fn named<'s>(&'s self, text: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        self.all().filter(move |(name, _)| name.eq_ignore_ascii_case(text.as_bytes())).map(|(_, value)| value)
    }

    /// Every header line in order, with its name as written.
    pub fn all(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        self.lines().iter().map(|line| {
            let at = usize::from(line.name_at);
            (&self.bytes[at..at + usize::from(line.name_len)], self.value(line))
        })
    }

    /// The body, as bytes.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// What stands behind the body that Content-Length bounds, of a whole datagram.
    pub(crate) fn behind(&self) -> &'a [u8] {
        let end = self.body.as_ptr() as usize - self.bytes.as_ptr() as usize + self.body.len();
        &self.bytes[end..]
    }

    /// The whole message, from its start line.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What the scan put right. [`Message::inspect`] looks into the headers, too.
    pub fn repairs(&self) -> Repairs {
        self.repairs
    }

    fn lines(&self) -> &[Line] {
        &self.lines[..self.count]
    }

    fn value(&self, line: &Line) -> &'a [u8] {
        let at = usize::from(line.value_at);
        &self.bytes[at..at + usize::from(line.value_len)]
    }
}

impl std::fmt::Debug for Message<'_> {
    /// The start line's kind and the header names only: values are people's affairs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.all().map(|(name, _)| String::from_utf8_lossy(name));
        f.debug_struct("Message")
            .field("start", &self.start)
            .field("headers", &names.collect::<Vec<_>>())
            .field("body", &self.body.len())
            .finish()
    }
}
