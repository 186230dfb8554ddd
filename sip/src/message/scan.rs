//! The scanner: line ends by memchr, names by length, no copy and no allocation.

use super::repairs::{Repair, Repairs};
use super::text::{is_token, trim};
use super::{Line, Message, Name, StartLine};
use crate::vocabulary::Method;

/// Bytes in one message: what UDP can carry. More would cost memory to whoever floods us by TCP,
/// less would cut a carrier's eCall data.
pub const MESSAGE_MAX: usize = 65_535;

/// Headers in one message. Real traffic stays under 60; more costs memory to whoever floods us,
/// and serves nobody: what is beyond is left out, and the call goes on without it.
pub const HEADERS_MAX: usize = 128;

/// Room beyond it for the first of each header a call cannot do without, however much stands before.
const NEEDED: [Name; 8] = [
    Name::Via,
    Name::From,
    Name::To,
    Name::CallId,
    Name::CSeq,
    Name::Contact,
    Name::ContentLength,
    Name::ContentType,
];

/// Lines kept of one message.
pub(super) const LINES_MAX: usize = HEADERS_MAX + NEEDED.len();

/// One header line with its folds. The longest real ones (a signed Identity, a long Record-Route) stay
/// under 3 kB; what is beyond is left out, and the call goes on without it. What nothing can be answered
/// without is kept at any length.
pub const HEADER_MAX: usize = 8_192;

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// Line ends only: a keep-alive (RFC 5626 §4.4.1), to be counted by nobody.
    #[error("nothing but line ends: a keep-alive")]
    KeepAlive,
    /// Longer than [`MESSAGE_MAX`].
    #[error("more than {MESSAGE_MAX} bytes")]
    TooLong,
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
    let mut lines = [Line::NONE; LINES_MAX];
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
        let header = split_header(bytes, at, line.text);
        if line.text.len() > HEADER_MAX {
            repairs.mark(Repair::LongHeader);
            if !header.is_some_and(|header| is_vital(header.name)) {
                at = next;
                continue;
            }
        }
        match header {
            Some(header) if count >= HEADERS_MAX && !is_needed(header.name, &lines[..count]) => {
                repairs.mark(Repair::LongHeader);
            }
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

/// Without these there is no call (RFC 3261 §8.1.1).
fn is_vital(name: Name) -> bool {
    matches!(name, Name::Via | Name::From | Name::To | Name::CallId | Name::CSeq | Name::Contact)
}

/// The first of a header that is kept beyond [`HEADERS_MAX`]: at most one of each.
fn is_needed(name: Name, lines: &[Line]) -> bool {
    NEEDED.contains(&name) && lines.iter().all(|line| line.name != name)
}

/// Name and value of the header line `text`, which lies at `at`; `None` when it has none.
fn split_header(bytes: &[u8], at: usize, text: &[u8]) -> Option<Line> {
    let colon = memchr::memchr(b':', text)?;
    let written = trim(&text[..colon]);
    let name = Name::read(written);
    // A name we know is a token; a fold under the start line is no header either.
    if (name == Name::Other && !is_token(written)) || text[0] != written[0] {
        return None;
    }
    let value = trim(&text[colon + 1..]);
    let value_at = value.as_ptr() as usize - bytes.as_ptr() as usize;
    // MESSAGE_MAX fits 16 bits, and every part lies in the message.
    Some(Line {
        name,
        name_at: u16::try_from(at).ok()?,
        name_len: u16::try_from(written.len()).ok()?,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A request with `lines` between its start line and an empty line, then `body`.
    fn request(lines: &str, body: &str) -> Vec<u8> {
        format!("INVITE sip:15@192.0.2.1 SIP/2.0\r\n{lines}\r\n{body}").into_bytes()
    }

    fn repairs(bytes: &[u8]) -> Vec<Repair> {
        Message::scan(bytes).expect("a message").repairs().iter().collect()
    }

    #[test]
    fn leading_line_ends_are_passed_over_and_nothing_else_is_a_keep_alive() {
        let bytes = [b"\r\n\r\n", &request("To: <sip:15@h>\r\n", "")[..]].concat();
        let message = Message::scan(&bytes).expect("a message");
        assert_eq!(message.header(Name::To), Some(&b"<sip:15@h>"[..]));
        assert!(message.repairs().is_empty());
        assert_eq!(Message::scan(b"\r\n\r\n").err(), Some(ScanError::KeepAlive));
        assert_eq!(Message::scan(b"").err(), Some(ScanError::KeepAlive));
    }

    #[test]
    fn folded_lines_belong_to_their_header() {
        let bytes = request("Subject: first\r\n second\r\n\tthird\r\nTo: <sip:15@h>\r\n", "");
        let message = Message::scan(&bytes).expect("a message");
        assert_eq!(message.header(Name::Subject), Some(&b"first\r\n second\r\n\tthird"[..]));
        assert_eq!(message.all().count(), 2);
        assert!(message.repairs().is_empty());
    }

    #[test]
    fn compact_names_and_space_before_the_colon_are_read() {
        let bytes = request("v \t: SIP/2.0/UDP h\r\ni:abc\r\nL: 0\r\n", "");
        let message = Message::scan(&bytes).expect("a message");
        assert_eq!(message.header(Name::Via), Some(&b"SIP/2.0/UDP h"[..]));
        assert_eq!(message.header(Name::CallId), Some(&b"abc"[..]));
        assert_eq!(message.header(Name::ContentLength), Some(&b"0"[..]));
    }

    #[test]
    fn a_header_we_have_no_name_for_is_found_by_its_text() {
        let bytes = request("X-Carrier-Leg: 7\r\nx-carrier-leg: 8\r\n", "");
        let message = Message::scan(&bytes).expect("a message");
        let values: Vec<_> = message.named("X-CARRIER-LEG").collect();
        assert_eq!(values, [b"7", b"8"]);
    }

    #[test]
    fn without_content_length_the_body_is_the_rest() {
        let message_bytes = request("", "v=0\r\n");
        let message = Message::scan(&message_bytes).expect("a message");
        assert_eq!(message.body(), b"v=0\r\n");
        assert!(message.repairs().is_empty());
    }

    #[test]
    fn bytes_after_content_length_are_ignored() {
        let bytes = request("Content-Length: 4\r\n", "bodyINVITE sip:x SIP/2.0\r\n");
        let message = Message::scan(&bytes).expect("a message");
        assert_eq!(message.body(), b"body");
        assert!(message.repairs().is_empty());
    }

    #[test]
    fn a_content_length_that_is_wrong_leaves_the_rest_as_body_and_a_mark() {
        for (length, repair) in [
            ("9999", Repair::ShortBody),
            ("-1", Repair::BadContentLength),
            ("", Repair::BadContentLength),
            ("99999999999999999999", Repair::BadContentLength),
            ("4\r\nl: 2", Repair::BadContentLength),
        ] {
            let bytes = request(&format!("Content-Length: {length}\r\n"), "body");
            assert_eq!(Message::scan(&bytes).expect("a message").body(), b"body", "{length}");
            assert_eq!(repairs(&bytes), [repair], "{length}");
        }
    }

    #[test]
    fn bare_line_feeds_stray_lines_and_a_missing_end_are_repaired() {
        assert_eq!(repairs(b"BYE sip:a SIP/2.0\nTo: <sip:a>\n\n"), [Repair::BareLineFeed]);
        assert_eq!(repairs(&request("no colon\r\nTo: <sip:a>\r\n", "")), [Repair::StrayLine]);
        assert_eq!(repairs(&request(" folded under the start line: x\r\n", "")), [Repair::StrayLine]);
        assert_eq!(repairs(b"BYE sip:a SIP/2.0\r\nTo: <sip:a>\r\n"), [Repair::NoEmptyLine]);
        assert_eq!(repairs(b"BYE sip:a SIP/2.0\r\nTo: <sip:a>"), [Repair::NoEmptyLine]);
        assert_eq!(repairs(b"BYE sip:a SIP/2.0"), [Repair::NoEmptyLine]);
    }

    #[test]
    fn a_start_line_with_too_much_space_another_version_or_brackets_is_repaired() {
        for (line, repair) in [
            ("INVITE  sip:a SIP/2.0", Repair::StartLineSpace),
            ("INVITE sip:a SIP/2.0 ", Repair::StartLineSpace),
            ("INVITE sip:a; lr SIP/2.0", Repair::StartLineSpace),
            ("SIP/2.0  200 OK", Repair::StartLineSpace),
            ("INVITE <sip:a> SIP/2.0", Repair::RequestUri),
            ("INVITE sip:a SIP/7.0", Repair::Version),
            ("SIP/3.0 200 OK", Repair::Version),
        ] {
            assert_eq!(repairs(format!("{line}\r\n\r\n").as_bytes()), [repair], "{line}");
        }
    }

    #[test]
    fn what_has_no_start_line_is_no_message() {
        for (line, error) in [
            ("hello", ScanError::StartLine),
            ("INVITE SIP/2.0", ScanError::StartLine),
            ("INVITE sip:a", ScanError::StartLine),
            ("INVITE sip:a HTTP/1.1", ScanError::StartLine),
            ("INV(TE sip:a SIP/2.0", ScanError::StartLine),
            ("GET / SIP/", ScanError::StartLine),
            ("SIP/2.0", ScanError::StartLine),
            ("SIP/2.0 ", ScanError::StatusCode),
            ("SIP/2.0 4294967301 x", ScanError::StatusCode),
            ("SIP/2.0 099 x", ScanError::StatusCode),
            ("SIP/2.0 700 x", ScanError::StatusCode),
            ("SIP/2.0 2O0 x", ScanError::StatusCode),
        ] {
            assert_eq!(Message::scan(format!("{line}\r\n\r\n").as_bytes()).err(), Some(error), "{line}");
        }
    }

    #[test]
    fn a_response_may_have_no_reason() {
        for line in ["SIP/2.0 100 ", "SIP/2.0 100"] {
            let bytes = format!("{line}\r\n\r\n").into_bytes();
            let message = Message::scan(&bytes).expect("a message");
            assert_eq!(message.start, StartLine::Response { code: 100, reason: b"" });
        }
    }

    #[test]
    fn telephone_numbers_and_service_names_stand_in_the_start_line() {
        for uri in
            ["tel:+33123456789;phone-context=x", "urn:service:sos.ambulance", "sip:%2315@[2001:db8::1]:5062"]
        {
            let bytes = format!("INVITE {uri} SIP/2.0\r\n\r\n").into_bytes();
            let message = Message::scan(&bytes).expect("a message");
            assert_eq!(message.start, StartLine::Request { method: Method::Invite, token: "INVITE", uri });
        }
    }

    #[test]
    fn sixty_four_kilobytes_and_128_headers_are_the_most() {
        let full = request(&"To: <sip:a>\r\n".repeat(HEADERS_MAX), "");
        let full = Message::scan(&full).expect("a message");
        assert_eq!((full.all().count(), full.repairs().is_empty()), (HEADERS_MAX, true));
        // What a call cannot do without is found behind any number of others.
        let needed = "Via: SIP/2.0/UDP h\r\nFrom: <sip:f>\r\nTo: <sip:t>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
            Contact: <sip:c>\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n";
        let over = request(&("X-Info: 1\r\n".repeat(500) + needed + "X-Info: 2\r\n"), "v=0 and more");
        let over = Message::scan(&over).expect("a message");
        assert_eq!((over.all().count(), over.body()), (LINES_MAX, &b"v=0"[..]));
        assert!(over.repairs().has(Repair::LongHeader), "what is left out is marked");
        assert_eq!(over.call_id(), Ok("c"));
        let head = request("", "");
        let long = [&head[..], &vec![b'x'; MESSAGE_MAX - head.len()]].concat();
        assert_eq!(Message::scan(&long).expect("a message").body().len(), MESSAGE_MAX - head.len());
        assert_eq!(Message::scan(&[&long[..], b"x"].concat()).err(), Some(ScanError::TooLong));
    }
}
