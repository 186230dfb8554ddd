//! Text inside header values: white space and folds, quotes, comma lists, Latin-1.

use std::borrow::Cow;
use std::fmt;

/// Bytes meant for people (a display name, a reason): UTF-8 by the RFC, Latin-1 from old switches.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// The text of `bytes`, surrounding quotes included if there are any.
    pub fn new(bytes: &'a [u8]) -> Text<'a> {
        Text(bytes)
    }

    /// The bytes as they stand.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Nothing but quotes and white space?
    pub fn is_empty(self) -> bool {
        trim(unquote(self.0)).is_empty()
    }

    /// Without quotes, escapes and folds; Latin-1 where it is not UTF-8, so that no name is ever
    /// lost. Copies only when it must.
    pub fn to_str(self) -> Cow<'a, str> {
        let inner = unquote(self.0);
        let quoted = inner.len() != self.0.len();
        let text = match std::str::from_utf8(inner) {
            Ok(text) => Cow::Borrowed(text),
            // Latin-1 is the first 256 code points.
            Err(_) => Cow::Owned(inner.iter().map(|byte| char::from(*byte)).collect()),
        };
        let escaped = quoted && text.contains('\\');
        if escaped || text.contains(['\r', '\n']) { Cow::Owned(plain(&text, escaped)) } else { text }
    }
}

/// Takes out folds (a line end and the white space around it become one space) and, where the
/// text was quoted, backslashes.
fn plain(text: &str, escaped: bool) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    let mut folding = false;
    while let Some(character) = characters.next() {
        match character {
            '\r' | '\n' => {
                plain.truncate(plain.trim_end_matches([' ', '\t']).len());
                plain.push(' ');
                folding = true;
            }
            ' ' | '\t' if folding => {}
            '\\' if escaped => plain.extend(characters.next()),
            other => {
                folding = false;
                plain.push(other);
            }
        }
    }
    plain
}

impl fmt::Debug for Text<'_> {
    /// A name is a person's: the length only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

/// White space of SIP, folds included (RFC 3261 §25.1, LWS).
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without the white space around.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_space(*byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_space(*byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// Without the quotes around, when both are there; escapes stay.
pub(crate) fn unquote(bytes: &[u8]) -> &[u8] {
    match bytes {
        [b'"', inner @ .., b'"'] => inner,
        _ => bytes,
    }
}

/// A token (RFC 3261 §25.1): what methods, header names and parameter names are made of.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| TOKEN[usize::from(*byte)])
}

/// Which bytes a token is made of: every header line asks, so it is a table.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"-.!%*_+`'~";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};

/// The end of the quoted string that opens at `bytes[0]`: the index after its closing quote.
/// `None` when it is not closed.
pub(crate) fn quoted_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes[at] {
            b'"' => return Some(at + 1),
            _ => at += 2, // the escaped byte is never the end
        }
    }
}

/// The first `separator` outside quotes and `<>`. A quote that never closes is an ordinary byte.
pub(crate) fn find_outside(bytes: &[u8], separator: u8) -> Option<usize> {
    // Most values hold no separator at all, and most others no quote or bracket before it.
    let first = memchr::memchr(separator, bytes)?;
    if memchr::memchr2(b'"', b'<', &bytes[..first]).is_none() {
        return Some(first);
    }
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match *byte {
            b'"' => quoted_end(&bytes[at..]).unwrap_or(1),
            b'<' => memchr::memchr(b'>', &bytes[at..]).map_or(1, |end| end + 1),
            byte if byte == separator => return Some(at),
            _ => 1,
        };
    }
    None
}

/// The items of a comma list, trimmed; empty ones are skipped (RFC 3261 §7.3.1).
#[derive(Clone)]
pub struct Commas<'a>(&'a [u8]);

impl<'a> Commas<'a> {
    /// The list in one header value. Commas in quotes and in `<>` belong to their item.
    pub fn of(value: &'a [u8]) -> Commas<'a> {
        Commas(value)
    }
}

impl<'a> Iterator for Commas<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.0.is_empty() {
            let (item, rest) = match find_outside(self.0, b',') {
                Some(at) => (&self.0[..at], &self.0[at + 1..]),
                None => (self.0, &self.0[self.0.len()..]),
            };
            self.0 = rest;
            let item = trim(item);
            if !item.is_empty() {
                return Some(item);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(value: &str) -> Vec<&str> {
        Commas::of(value.as_bytes()).map(|item| std::str::from_utf8(item).expect("text")).collect()
    }

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        assert_eq!(items("a, b ,\r\n c"), ["a", "b", "c"]);
        assert_eq!(items("\"Doe, John\" <sip:a,b@x>, <sip:c>"), ["\"Doe, John\" <sip:a,b@x>", "<sip:c>"]);
        assert_eq!(items("\"a \\\" , b\" <sip:x>"), ["\"a \\\" , b\" <sip:x>"]);
        assert_eq!(items(" , ,,"), Vec::<&str>::new());
    }

    #[test]
    fn a_quote_that_never_closes_does_not_swallow_the_list() {
        assert_eq!(items("\"Doe <sip:a@x>, <sip:b@x>"), ["\"Doe <sip:a@x>", "<sip:b@x>"]);
    }

    #[test]
    fn latin_1_is_transcoded_and_utf_8_kept() {
        assert_eq!(Text::new(b"\"H\xf4pital\"").to_str(), "Hôpital");
        assert_eq!(Text::new("\"Hôpital\"".as_bytes()).to_str(), "Hôpital");
    }

    #[test]
    fn escapes_and_folds_are_taken_out_of_a_text() {
        assert_eq!(Text::new(b"\"a \\\"b\\\\\"").to_str(), "a \"b\\");
        assert_eq!(Text::new(b"two \r\n\t words").to_str(), "two words");
        assert_eq!(Text::new(b"not\\quoted").to_str(), "not\\quoted");
    }
}
