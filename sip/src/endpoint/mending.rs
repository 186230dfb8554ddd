//! A carrier's message that no reader takes, written as its sender should have: a call is rather
//! answered with a repaired header than refused (`edges.md`).
//!
//! Only trunks' messages come here, and only those the scan or the inspection has given up: it copies,
//! which nothing a stranger sends may make us do. Each step mends one thing and leaves the rest as it came;
//! what is mended is marked.
//!
//! Absent: a header that is not there at all (nothing could be answered that its sender would know again),
//! and REGISTER, which is no call.

use crate::header::cseq::CSeq;
use crate::header::name_addr::NameAddr;
use crate::header::via::Via;
use crate::message::{Message, Name, Repair, Repairs, ScanError, StartLine, line_at, split_type, trim};
use crate::sdp::{Sdp, unbase64};
use crate::transport::Flow;
use crate::vocabulary::Method;
use std::borrow::Cow;

/// Who calls when From names nobody: the address of callers who stay anonymous (RFC 3261 §8.1.1.3).
const NOBODY: &str = "sip:anonymous@anonymous.invalid";

/// A message that can be read, and what was put right in it.
pub(super) struct Mended {
    pub(super) bytes: Vec<u8>,
    pub(super) repairs: Repairs,
}

/// The message in `bytes`, which came over `flow`, as it should have been; `None` when there is nothing
/// we could put right.
pub(super) fn mend(bytes: &[u8], flow: Flow) -> Option<Mended> {
    let mut text = Text { bytes: Cow::Borrowed(bytes), repairs: Repairs::default() };
    if Message::scan(bytes).err() == Some(ScanError::StartLine) {
        start_line(&mut text, flow);
    }
    if Message::scan(&text.bytes).ok()?.method() == Some(Method::Register) {
        return None;
    }
    for step in [top_via, call_name, number, caller, called, length, description] {
        step(&mut text, flow);
    }
    match text.bytes {
        Cow::Owned(bytes) => Some(Mended { bytes, repairs: text.repairs }),
        Cow::Borrowed(_) => None,
    }
}

/// Whether a message that can be read has a body that would be lost: it goes on behind its length, or is
/// no description though it is called one.
pub(super) fn has_odd_body(message: &Message<'_>) -> bool {
    let is_odd = |sdp: &[u8]| !sdp.is_empty() && !sdp.trim_ascii_start().starts_with(b"v=");
    !message.behind().is_empty() || message.sdp().is_some_and(is_odd)
}

/// A text while it is mended.
struct Text<'a> {
    bytes: Cow<'a, [u8]>,
    repairs: Repairs,
}

impl Text<'_> {
    /// What `find` sees in the message: a piece of it, and what stands there from here on.
    fn edit(
        &mut self,
        repair: Repair,
        find: impl for<'m> FnOnce(&Message<'m>) -> Option<(&'m [u8], Vec<u8>)>,
    ) {
        let Ok(message) = Message::scan(&self.bytes) else { return };
        let Some((piece, instead)) = find(&message) else { return };
        let at = piece.as_ptr() as usize - self.bytes.as_ptr() as usize;
        let whole = [&self.bytes[..at], &instead, &self.bytes[at + piece.len()..]].concat();
        self.repairs.mark(repair);
        self.bytes = Cow::Owned(whole);
    }
}

/// The start line of a request whose method is known: its version and its target are put right. Without
/// a target it is for whoever To names, else for us.
fn start_line(text: &mut Text<'_>, flow: Flow) {
    let lead = text.bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let (first, next) = line_at(&text.bytes, lead);
    let mut words = first.text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let method = Method::read(words.next().unwrap_or_default());
    if matches!(method, Method::Other) {
        return;
    }
    let words: Vec<&[u8]> = words.collect();
    let is_version = |word: &&[u8]| word.get(..3).is_some_and(|it| it.eq_ignore_ascii_case(b"SIP"));
    let is_sip = |word: &&[u8]| is_version(word) && matches!(word.get(3), None | Some(b'/'));
    // Another protocol's version has a stroke, too, and no colon, which every address has.
    let is_other = |word: &[u8]| word.contains(&b'/') && !word.contains(&b':');
    let end = words.iter().position(is_sip);
    let end = end.or_else(|| words.len().checked_sub(1).filter(|last| *last > 0 && is_other(words[*last])));
    let target = words[..end.unwrap_or(words.len())].join(&b' ');
    let is_whole = end.is_some_and(|at| at + 1 == words.len() && words[at].eq_ignore_ascii_case(b"SIP/2.0"));
    if !is_whole {
        text.repairs.mark(Repair::Version);
    }
    if std::str::from_utf8(&target).is_err() {
        text.repairs.mark(Repair::Latin1);
    }
    let write = |target: &str| {
        let line = format!("{} {target} SIP/2.0\r\n", method.token());
        [line.as_bytes(), &text.bytes[next..]].concat()
    };
    let ours = format!("sip:{}", flow.local);
    let written = crate::message::Text::new(&target).to_str();
    let mut whole = write(if target.is_empty() { &ours } else { &written });
    if target.is_empty() {
        text.repairs.mark(Repair::RequestUri);
        let to = Message::scan(&whole).ok().and_then(|it| Some(crate::dialog::text(it.to().ok()?.raw_uri)));
        if let Some(to) = to {
            whole = write(&to);
        }
    }
    text.bytes = Cow::Owned(whole);
}

/// A hop nobody could answer to is the address it came from, with the parameters it wrote.
fn top_via(text: &mut Text<'_>, flow: Flow) {
    text.edit(Repair::Via, |message| {
        let item = message.items(Name::Via).next().or(message.header(Name::Via))?;
        if Via::read(item).is_some() {
            return None;
        }
        let params = &item[memchr::memchr(b';', item).unwrap_or(item.len())..];
        let hop = format!("SIP/2.0/{} {}", flow.transport.token(), flow.remote);
        Some((item, [hop.as_bytes(), params].concat()))
    });
}

/// A Call-ID in Latin-1 is kept so that it can be given back as it came ([`as_it_came`]).
fn call_name(text: &mut Text<'_>, _: Flow) {
    text.edit(Repair::Latin1, |message| {
        let value = message.header(Name::CallId).filter(|value| std::str::from_utf8(value).is_err())?;
        let kept: String = value.iter().map(|byte| kept(*byte)).collect();
        Some((value, kept.into_bytes()))
    });
}

/// Number and method, whatever stands between and behind them. A number beyond 31 bits keeps its last
/// ones, so that the requests of a dialog stay in order; what names the transaction is the branch
/// (RFC 3261 §17.1.3).
fn number(text: &mut Text<'_>, _: Flow) {
    text.edit(Repair::CSeq, |message| {
        let value = message.header(Name::CSeq).filter(|value| CSeq::read(value).is_none())?;
        let start = value.iter().position(u8::is_ascii_digit)?;
        let digits = value[start..].iter().take_while(|byte| byte.is_ascii_digit());
        let number = digits.fold(0u32, |sum, digit| sum.wrapping_mul(10).wrapping_add((digit - b'0').into()));
        let mut words = value.split(|byte| !byte.is_ascii_uppercase()).filter(|word| !word.is_empty());
        let named = words.next().map(Method::read).filter(|named| *named != Method::Other);
        let method = match (named, message.start) {
            (Some(named), _) => named.token(),
            (None, StartLine::Request { token, .. }) => token,
            (None, StartLine::Response { .. }) => return None,
        };
        Some((value, format!("{} {method}", number & CSeq::MOST).into_bytes()))
    });
}

fn caller(text: &mut Text<'_>, _: Flow) {
    text.edit(Repair::Address, |message| {
        let value = message.header(Name::From)?;
        Some((value, with_address(value, NOBODY)?))
    });
}

fn called(text: &mut Text<'_>, _: Flow) {
    text.edit(Repair::Address, |message| {
        let value = message.header(Name::To)?;
        let uri = match message.start {
            StartLine::Request { uri, .. } => uri,
            StartLine::Response { .. } => NOBODY,
        };
        Some((value, with_address(value, uri)?))
    });
}

/// A name without an address, with `uri`; `None` when it has one.
fn with_address(value: &[u8], uri: &str) -> Option<Vec<u8>> {
    if NameAddr::read(value).is_some() {
        return None;
    }
    let (name, params) = match memchr::memchr2(b'<', b';', value) {
        Some(at) if value[at] == b'<' => {
            let close = memchr::memchr(b'>', &value[at..]).map_or(value.len(), |close| at + close + 1);
            (trim(&value[..at]), &value[close..])
        }
        Some(at) => value.split_at(at),
        None => (value, &value[value.len()..]),
    };
    let space: &[u8] = if name.is_empty() { b"" } else { b" " };
    Some([name, space, b"<", uri.as_bytes(), b">", params].concat())
}

/// A Content-Length that cuts a description short: within a line, or before there is audio in it, or before
/// the end of its part. What else stands behind a datagram's message is none of it (§18.3).
fn length(text: &mut Text<'_>, _: Flow) {
    text.edit(Repair::LongBody, |message| {
        let (body, behind) = (message.body(), message.behind());
        let is_text = |byte: &u8| *byte >= b' ' || byte.is_ascii_whitespace();
        if trim(behind).is_empty() || !behind.iter().all(is_text) {
            return None;
        }
        let (kind, params) = split_type(message.header(Name::ContentType).unwrap_or(b"application/sdp"));
        let whole = [body, behind].concat();
        let goes_on = if kind.eq_ignore_ascii_case(b"application/sdp") {
            let line = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let is_cut = line < body.len() && !matches!(behind[0], b'\r' | b'\n');
            let has_audio = Sdp::read(body).is_ok_and(|sdp| sdp.agreed().is_ok());
            matches!(whole[line..], [b'a'..=b'z', b'=', ..]) && (is_cut || !has_audio)
        } else {
            params.value("boundary").is_some_and(|it| memchr::memmem::find(behind, it.as_bytes()).is_some())
        };
        let value = message.header(Name::ContentLength).filter(|_| goes_on)?;
        Some((value, whole.len().to_string().into_bytes()))
    });
}

/// A description in base64, or one that does not begin like one.
fn description(text: &mut Text<'_>, _: Flow) {
    let mut grown = None;
    text.edit(Repair::Sdp, |message| {
        let sdp = message.sdp().filter(|sdp| !sdp.is_empty())?;
        let plain = match message.sdp_encoding() {
            Some(encoding) if encoding.eq_ignore_ascii_case(b"base64") => Cow::Owned(unbase64(&digits(sdp))?),
            _ => Cow::Borrowed(sdp),
        };
        let begins = Sdp::read(&plain).is_ok();
        let instead = if begins { plain.into_owned() } else { [b"v=0\r\n", &plain[..]].concat() };
        let has_media = Sdp::read(&instead).is_ok_and(|sdp| !sdp.media.is_empty());
        grown = Some(message.body().len() - sdp.len() + instead.len());
        (instead != sdp && has_media).then_some((sdp, instead))
    });
    let Some(grown) = grown.filter(|_| text.repairs.has(Repair::Sdp)) else { return };
    text.edit(Repair::Sdp, |message| {
        Some((message.header(Name::ContentLength)?, grown.to_string().into_bytes()))
    });
}

/// Base64 without its line ends.
fn digits(text: &[u8]) -> String {
    text.iter().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| char::from(*byte)).collect()
}

/// The first of 128 code points of private use, which stand for the bytes beyond ASCII.
const KEPT: u32 = 0x10_fe80;

/// How each of them begins in UTF-8.
const KEPT_LEAD: &[u8] = b"\xf4\x8f";

fn kept(byte: u8) -> char {
    let kept = char::from_u32(KEPT + u32::from(byte) - 0x80);
    if byte.is_ascii() { char::from(byte) } else { kept.unwrap_or('?') }
}

/// What we send, with bytes that were kept as they came.
pub(super) fn as_it_came(bytes: &[u8]) -> Option<Vec<u8>> {
    let first = memchr::memmem::find(bytes, KEPT_LEAD)?;
    let mut plain = bytes[..first].to_vec();
    let mut rest = &bytes[first..];
    while let Some((byte, behind)) = match rest {
        [0xf4, 0x8f, 0xba, last @ 0x80..=0xbf, behind @ ..] => Some((*last, behind)),
        [0xf4, 0x8f, 0xbb, last @ 0x80..=0xbf, behind @ ..] => Some((*last + 0x40, behind)),
        [byte, behind @ ..] => Some((*byte, behind)),
        [] => None,
    } {
        plain.push(byte);
        rest = behind;
    }
    Some(plain)
}
