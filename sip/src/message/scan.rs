//! The scanner: line ends by memchr, names by length, no copy and no allocation.

use super::repairs::{Repair, Repairs};
use super::text::{is_token, trim};
use super::{Line, Message, Name, StartLine};
use crate::vocabulary::Method;

/// Bytes in one message: what UDP can carry. More would cost memory to whoever floods us by TCP,
/// less would cut a carrier's eCall data.
pub const MESSAGE_MAX: usize = 65_535;

/// Headers in one message. Real traffic stays under 60; more costs memory to whoever floods us,
/// and serves nobody.
pub const HEADERS_MAX: usize = 128;

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// Line ends only: a keep-alive (RFC 5626 §4.4.1), to be counted by nobody.
    #[error("nothing but line ends: a keep-alive")]
    KeepAlive,
    /// Longer than [`MESSAGE_MAX`].
    #[error("more than {MESSAGE_MAX} bytes")]
    TooLong,
    /// More than [`HEADERS_MAX`] headers.
    #[error("more than {HEADERS_MAX} headers")]
    TooManyHeaders,
    /// The first line is neither a request's nor a response's.
    #[error("the first line is neither a request's nor a response's")]
    StartLine,
    /// The status code is not between 100 and 699.
    #[error("the status code is not between 100 and 699")]
    StatusCode,
}

impl ScanError {
    /// For a counter's label.
    pub fn label(self) -> &'static str {
        match self {
            ScanError::KeepAlive => "keep_alive",
            ScanError::TooLong => "too_long",
            ScanError::TooManyHeaders => "too_many_headers",
            ScanError::StartLine => "start_line",
            ScanError::StatusCode => "status_code",
        }
    }
}

pub(super) fn scan(bytes: &[u8]) -> Result<Message<'_>, ScanError> {
    let lead = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).ok_or(ScanError::KeepAlive)?;
    let bytes = &bytes[lead..];
    if bytes.len() > MESSAGE_MAX {
        return Err(ScanError::TooLong);
    }
    let mut repairs = Repairs::default();
    let (first, mut at) = line_at(bytes, 0);
    let start = start_line(first.text, &mut repairs)?;
    if first.bare {
        repairs.mark(Repair::BareLineFeed);
    }
    let mut lines = [Line::NONE; HEADERS_MAX];
    let mut count = 0;
    loop {
        let (line, next) = header_line_at(bytes, at);
        if line.bare {
            repairs.mark(Repair::BareLineFeed);
        }
        if line.text.is_empty() {
            if line.cut {
                repairs.mark(Repair::NoEmptyLine);
            }
            at = next;
            break;
        }
        match split_header(bytes, at, line.text) {
            Some(_) if count == HEADERS_MAX => return Err(ScanError::TooManyHeaders),
            Some(header) => {
                lines[count] = header;
                count += 1;
            }
            None => repairs.mark(Repair::StrayLine),
        }
        at = next;
    }
    let mut message = Message { start, bytes, lines, count, body: &bytes[at..], repairs };
    bound_body(&mut message);
    Ok(message)
}

/// One line of text as it was found.
pub(crate) struct Found<'a> {
    /// Without its line end.
    pub(crate) text: &'a [u8],
    /// It ended with a line feed alone.
    pub(crate) bare: bool,
    /// It had no line end at all: the bytes are over.
    pub(crate) cut: bool,
}

/// The line at `at`, and where the next one starts.
pub(crate) fn line_at(bytes: &[u8], at: usize) -> (Found<'_>, usize) {
    let rest = &bytes[at..];
    match memchr::memchr(b'\n', rest) {
        Some(end) if end > 0 && rest[end - 1] == b'\r' => {
            (Found { text: &rest[..end - 1], bare: false, cut: false }, at + end + 1)
        }
        Some(end) => (Found { text: &rest[..end], bare: true, cut: false }, at + end + 1),
        None => (Found { text: rest, bare: false, cut: true }, bytes.len()),
    }
}

/// The header line at `at` with the lines folded under it (RFC 3261 §7.3.1), and where the next
/// one starts. Folds stay in the text; readers take them for white space.
fn header_line_at(bytes: &[u8], at: usize) -> (Found<'_>, usize) {
    let (mut line, mut next) = line_at(bytes, at);
    while !line.text.is_empty() && matches!(bytes.get(next), Some(b' ' | b'\t')) {
        let (fold, after) = line_at(bytes, next);
        let end = next + fold.text.len();
        line = Found { text: &bytes[at..end], bare: line.bare || fold.bare, cut: fold.cut };
        next = after;
    }
    (line, next)
}

/// Where the head at the start of `bytes` ends (after its empty line). `from` is how far an earlier
/// look went; without an end, how far this one did.
pub(crate) fn head_end(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let mut at = from;
    loop {
        let (line, next) = line_at(bytes, at);
        if line.cut {
            return Err(at);
        }
        if line.text.is_empty() {
            return Ok(next);
        }
        at = next;
    }
}

/// The body's length a head announces; `None` when it has no Content-Length.
pub(crate) fn length_in(head: &[u8]) -> Result<Option<usize>, NoLength> {
    let mut at = line_at(head, 0).1;
    let values = std::iter::from_fn(|| {
        while at < head.len() {
            let (line, next) = header_line_at(head, at);
            at = next;
            let Some(colon) = memchr::memchr(b':', line.text) else { continue };
            if Name::read(trim(&line.text[..colon])) == Name::ContentLength {
                return Some(trim(&line.text[colon + 1..]));
            }
        }
        None
    });
    content_length(values)
}

/// Name and value of the header line `text`, which lies at `at`; `None` when it has none.
fn split_header(bytes: &[u8], at: usize, text: &[u8]) -> Option<Line> {
    let colon = memchr::memchr(b':', text)?;
    let name = trim(&text[..colon]);
    if !is_token(name) || text[0] != name[0] {
        return None; // a fold under the start line is no header either
    }
    let value = trim(&text[colon + 1..]);
    let value_at = value.as_ptr() as usize - bytes.as_ptr() as usize;
    // MESSAGE_MAX fits 16 bits, and every part lies in the message.
    Some(Line {
        name: Name::read(name),
        name_at: u16::try_from(at).ok()?,
        name_len: u16::try_from(name.len()).ok()?,
        value_at: u16::try_from(value_at).ok()?,
        value_len: u16::try_from(value.len()).ok()?,
    })
}

/// Cuts the body to Content-Length, or marks why it is the rest (RFC 3261 §18.3).
fn bound_body(message: &mut Message<'_>) {
    match content_length(message.headers(Name::ContentLength)) {
        Ok(None) => {}
        Ok(Some(length)) if length <= message.body.len() => message.body = &message.body[..length],
        Ok(Some(_)) => message.repairs.mark(Repair::ShortBody),
        Err(NoLength) => message.repairs.mark(Repair::BadContentLength),
    }
}

/// Content-Length is no number, or two differ.
pub(crate) struct NoLength;

/// The body's length by the values of Content-Length; `None` without any.
fn content_length<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Option<usize>, NoLength> {
    let mut agreed = None;
    for value in values {
        if value.is_empty() || value.len() > 9 || !value.iter().all(u8::is_ascii_digit) {
            return Err(NoLength);
        }
        let length = value.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
        if agreed.is_some_and(|agreed| agreed != length) {
            return Err(NoLength);
        }
        agreed = Some(length);
    }
    Ok(agreed)
}

fn start_line<'a>(line: &'a [u8], repairs: &mut Repairs) -> Result<StartLine<'a>, ScanError> {
    if line.len() >= 4 && line[..4].eq_ignore_ascii_case(b"SIP/") {
        return status_line(line, repairs);
    }
    let text = trim(line);
    let (token, rest) = split_space(text).ok_or(ScanError::StartLine)?;
    let last = rest.iter().rposition(|byte| is_blank(*byte)).ok_or(ScanError::StartLine)?;
    let (target, version) = (trim(&rest[..last]), &rest[last + 1..]);
    if !is_token(token) || target.is_empty() || !is_version(version) {
        return Err(ScanError::StartLine);
    }
    let exact = token.len() + target.len() + version.len() + 2 == line.len();
    if !exact || memchr::memchr2(b' ', b'\t', target).is_some() {
        repairs.mark(Repair::StartLineSpace);
    }
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        repairs.mark(Repair::Version);
    }
    let target = match target {
        [b'<', inner @ .., b'>'] => {
            repairs.mark(Repair::RequestUri);
            trim(inner)
        }
        _ => target,
    };
    // `is_token` holds ASCII only; a target that is no text names nobody we could call.
    let token = std::str::from_utf8(token).map_err(|_| ScanError::StartLine)?;
    let uri = std::str::from_utf8(target).map_err(|_| ScanError::StartLine)?;
    Ok(StartLine::Request { method: Method::read(token.as_bytes()), token, uri })
}

fn status_line<'a>(line: &'a [u8], repairs: &mut Repairs) -> Result<StartLine<'a>, ScanError> {
    let (version, rest) = split_space(line).ok_or(ScanError::StartLine)?;
    if !is_version(version) {
        return Err(ScanError::StartLine);
    }
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        repairs.mark(Repair::Version);
    }
    if line.get(version.len() + 1).copied().is_some_and(is_blank) {
        repairs.mark(Repair::StartLineSpace);
    }
    let (code, reason) = match split_space(rest) {
        Some((code, reason)) => (code, reason),
        None => (trim(rest), &rest[rest.len()..]),
    };
    let [hundreds @ b'1'..=b'6', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = code else {
        return Err(ScanError::StatusCode);
    };
    let digit = |byte: &u8| u16::from(byte - b'0');
    Ok(StartLine::Response {
        code: digit(hundreds) * 100 + digit(tens) * 10 + digit(ones),
        reason: trim(reason),
    })
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// What stands before the first white space, and what stands after it.
fn split_space(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr2(b' ', b'\t', text)?;
    let rest = &text[at..];
    let rest = &rest[rest.iter().position(|byte| !is_blank(*byte)).unwrap_or(rest.len())..];
    Some((&text[..at], rest))
}

/// `SIP/` digits `.` digits.
fn is_version(bytes: &[u8]) -> bool {
    let Some((scheme, number)) = bytes.split_at_checked(4) else { return false };
    let mut halves = number.splitn(2, |byte| *byte == b'.');
    let digits = |half: Option<&[u8]>| {
        half.is_some_and(|half| !half.is_empty() && half.iter().all(u8::is_ascii_digit))
    };
    scheme.eq_ignore_ascii_case(b"SIP/") && digits(halves.next()) && digits(halves.next())
}
