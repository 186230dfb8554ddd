//! Bodies: the part of a type, out of a plain body or a multipart one (RFC 2046 §5.1).

use super::text::{trim, unquote};
use super::{Commas, Message, Name, Params, line_at};

/// Parts looked at in one multipart body; eCall and PIDF-LO need three.
const PARTS_MAX: usize = 16;

impl<'a> Message<'a> {
    /// The SDP of this message, whether it is the whole body or one part of it. A body that begins
    /// like SDP is SDP: some gateways forget the Content-Type, others have the wrong one.
    pub fn sdp(&self) -> Option<&'a [u8]> {
        self.part("application/sdp").or_else(|| Some(self.body()).filter(|body| begins_like_sdp(body)))
    }

    /// The first part of a type (`application/sdp`, without parameters): the body itself, or a
    /// part of a multipart body, one level of nesting included. Binary parts stay as they are.
    pub fn part(&self, content_type: &str) -> Option<&'a [u8]> {
        self.find(content_type).map(|part| part.body)
    }

    /// How the SDP is written (Content-Transfer-Encoding), where that is said.
    pub(crate) fn sdp_encoding(&self) -> Option<&'a [u8]> {
        const ENCODING: &str = "Content-Transfer-Encoding";
        match self.find("application/sdp").map(|part| part.head) {
            None | Some([]) => self.named(ENCODING).next(),
            Some(head) => value_in(head, |name| name.eq_ignore_ascii_case(ENCODING.as_bytes())),
        }
    }

    fn find(&self, content_type: &str) -> Option<Part<'a>> {
        let whole = Part { head: &[], body: self.body() };
        find(self.header(Name::ContentType)?, whole, content_type, 2)
    }
}

/// `v=`, with white space around it.
fn begins_like_sdp(body: &[u8]) -> bool {
    let rest = body.trim_ascii_start().strip_prefix(b"v");
    rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"="))
}

fn find<'a>(declared: &'a [u8], whole: Part<'a>, wanted: &str, depth: u8) -> Option<Part<'a>> {
    let (kind, params) = split_type(declared);
    if kind.eq_ignore_ascii_case(wanted.as_bytes()) {
        return Some(whole);
    }
    let is_multipart = kind.len() > 10 && kind[..10].eq_ignore_ascii_case(b"multipart/");
    if !is_multipart || depth == 0 {
        return None;
    }
    let boundary = params.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"boundary"))?.1?;
    let boundary = unquote(boundary);
    if boundary.is_empty() {
        return None;
    }
    Parts { rest: whole.body, boundary, left: PARTS_MAX }
        .find_map(|part| find(part_type(part.head), part, wanted, depth - 1))
}

/// `type/subtype` and what follows it.
pub(crate) fn split_type(value: &[u8]) -> (&[u8], Params<'_>) {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    (trim(&value[..end]), Params::new(&value[end..]))
}

/// The Content-Type among a part's headers; a part without one is text.
fn part_type(head: &[u8]) -> &[u8] {
    let declared = value_in(head, |name| Name::read(name) == Name::ContentType);
    declared.and_then(|value| Commas::of(value).next()).unwrap_or(b"text/plain")
}

/// The value of the first header a part has whose name is the one meant.
fn value_in(head: &[u8], is_meant: impl Fn(&[u8]) -> bool) -> Option<&[u8]> {
    let mut at = 0;
    while at < head.len() {
        let (line, next) = line_at(head, at);
        at = next;
        let Some(colon) = memchr::memchr(b':', line.text) else { continue };
        if is_meant(trim(&line.text[..colon])) {
            return Some(trim(&line.text[colon + 1..]));
        }
    }
    None
}

struct Part<'a> {
    head: &'a [u8],
    body: &'a [u8],
}

/// The parts between `--boundary` lines; `left` bounds how many are looked at.
struct Parts<'a> {
    rest: &'a [u8],
    boundary: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        self.left = self.left.checked_sub(1)?;
        let opening = self.delimiter()?;
        if opening.is_last {
            return None;
        }
        self.rest = &self.rest[opening.next..];
        // A body cut off in its last part is all the same that part.
        let content = &self.rest[..self.delimiter().map_or(self.rest.len(), |delimiter| delimiter.end)];
        // Headers end at the first empty line; a part may begin with it.
        let mut at = 0;
        while at < content.len() {
            let (line, next) = line_at(content, at);
            at = next;
            if line.text.is_empty() {
                break;
            }
        }
        Some(Part { head: &content[..at], body: &content[at..] })
    }
}

/// A line of `--` and the boundary.
struct Delimiter {
    /// Where the content before it ends: the line end in between is the delimiter's.
    end: usize,
    /// Where the content behind it starts.
    next: usize,
    /// `--` follows the boundary: no part comes behind it.
    is_last: bool,
}

impl Parts<'_> {
    /// The next delimiter in what is left.
    fn delimiter(&self) -> Option<Delimiter> {
        let mut from = 0;
        loop {
            let at = from + memchr::memmem::find(self.rest.get(from..)?, self.boundary)?;
            let behind = &self.rest[at + self.boundary.len()..];
            let (before, dashes) = self.rest[..at].split_at(at.saturating_sub(2));
            let is_line = dashes == b"--" && matches!(before, [] | [.., b'\n']);
            // An inner boundary may begin like the outer one.
            let is_whole = matches!(behind, [] | [b'\r' | b'\n' | b' ' | b'\t', ..] | [b'-', b'-', ..]);
            if is_line && is_whole {
                let end = match before {
                    [.., b'\r', b'\n'] => before.len() - 2,
                    [.., b'\n'] => before.len() - 1,
                    _ => before.len(),
                };
                let (_, next) = line_at(self.rest, at + self.boundary.len());
                return Some(Delimiter { end, next, is_last: behind.starts_with(b"--") });
            }
            from = at + self.boundary.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(content_type: &str, body: &[u8]) -> Vec<u8> {
        let head = format!("INVITE sip:15@h SIP/2.0\r\nContent-Type: {content_type}\r\n\r\n");
        [head.as_bytes(), body].concat()
    }

    #[test]
    fn sdp_is_found_in_a_multipart_body_beside_binary() {
        let body = b"preamble\r\n--b1\r\nContent-Type: application/EmergencyCallData.eCall.MSD\r\n\r\n\x00\xff\n--b\r\n--b1\r\n\
            content-type : application/sdp; charset=x\r\n\r\nv=0\r\n--b1--\r\n";
        let bytes = message("multipart/mixed; boundary=\"b1\"", body);
        let message = Message::scan(&bytes).expect("a message");
        assert_eq!(message.sdp(), Some(&b"v=0"[..]));
        assert_eq!(message.part("application/EmergencyCallData.eCall.MSD"), Some(&b"\x00\xff\n--b"[..]));
        assert_eq!(message.part("application/pidf+xml"), None);
    }

    #[test]
    fn sdp_is_found_one_level_down_though_the_boundaries_look_alike() {
        let body = b"--b\r\nContent-Type: multipart/alternative; boundary=b1\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\nx\r\n\
            --b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=-\r\n--b1--\r\n--b--\r\n--b\r\n\r\nepilogue";
        let bytes = message("multipart/mixed;boundary=b", body);
        assert_eq!(Message::scan(&bytes).expect("a message").sdp(), Some(&b"v=0\r\ns=-"[..]));
    }

    #[test]
    fn a_multipart_body_cut_short_gives_what_is_whole() {
        let mut whole =
            [&b""[..], b"--b", b"--b\r\n", b"--b\r\nContent-Type: text/plain\r\n\r\nv=0"].into_iter();
        let found = |body| {
            let bytes = message("multipart/mixed;boundary=b", body);
            Message::scan(&bytes).expect("a message").sdp().map(<[u8]>::to_vec)
        };
        assert!(whole.all(|body| found(body).is_none()));
        let open = b"--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
        assert_eq!(found(open).as_deref(), Some(&b"v=0\r\n"[..]), "the last delimiter is missing");
        let bytes = message("multipart/mixed", b"--\r\n\r\n--");
        assert_eq!(Message::scan(&bytes).expect("a message").sdp(), None);
    }

    #[test]
    fn sdp_without_a_content_type_is_still_sdp() {
        let bytes = b"INVITE sip:15@h SIP/2.0\r\n\r\nv=0\r\n";
        assert_eq!(Message::scan(bytes).expect("a message").sdp(), Some(&b"v=0\r\n"[..]));
    }

    #[test]
    fn sdp_under_another_content_type_is_still_sdp() {
        for (kind, body) in [("text/plain", &b"\r\nv=0\r\n"[..]), ("application/octet-stream", b"v = 0\r\n")]
        {
            let bytes = message(kind, body);
            assert_eq!(Message::scan(&bytes).expect("a message").sdp(), Some(body), "{kind}");
        }
        let bytes = message("text/plain", b"very well");
        assert_eq!(Message::scan(&bytes).expect("a message").sdp(), None);
    }
}
