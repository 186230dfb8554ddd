//! Headers that are a number: Max-Forwards, Expires, Min-Expires, Retry-After, RSeq; and RAck.

use crate::message::{Message, Name, trim};
use crate::vocabulary::Method;

/// Which reliable provisional answer is confirmed (RFC 3262 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RAck {
    /// The answer's RSeq.
    pub rseq: u32,
    /// The CSeq number of the request it answered.
    pub cseq: u32,
    /// That request's method.
    pub method: Method,
}

impl Message<'_> {
    /// Hops left (RFC 3261 §20.22); more than 255 is taken for 255.
    pub fn max_forwards(&self) -> Option<u8> {
        self.number(Name::MaxForwards).map(|hops| u8::try_from(hops).unwrap_or(u8::MAX))
    }

    /// Seconds, for the whole message (RFC 3261 §20.19); what is too large is the largest number.
    pub fn expires(&self) -> Option<u32> {
        self.number(Name::Expires)
    }

    /// Seconds (RFC 3261 §20.23).
    pub fn min_expires(&self) -> Option<u32> {
        self.number(Name::MinExpires)
    }

    /// Seconds before trying again (RFC 3261 §20.33); a comment behind it is passed over.
    pub fn retry_after(&self) -> Option<u32> {
        self.number(Name::RetryAfter)
    }

    /// The number of a reliable provisional answer (RFC 3262 §7.1).
    pub fn rseq(&self) -> Option<u32> {
        self.number(Name::RSeq)
    }

    /// Which reliable provisional answer is confirmed.
    pub fn rack(&self) -> Option<RAck> {
        let mut words =
            self.header(Name::RAck)?.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let rseq = number(words.next()?)?;
        let cseq = number(words.next()?)?;
        Some(RAck { rseq, cseq, method: Method::read(words.next()?) })
    }

    fn number(&self, name: Name) -> Option<u32> {
        number(trim(self.header(name)?))
    }
}

/// The number a value starts with, at most `u32::MAX`; `None` when it starts with no digit.
fn number(value: &[u8]) -> Option<u32> {
    let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
    if end == 0 {
        return None;
    }
    let add = |sum: u32, digit: &u8| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
    Some(value[..end].iter().fold(0, add))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::request_with;

    #[test]
    fn a_number_too_large_is_the_largest_and_none_is_none() {
        let bytes = request_with(&[
            b"Max-Forwards: 0068",
            b"Expires: 1000000000000000000000000000000",
            b"Retry-After: 18 (in a meeting);duration=60",
            b"Min-Expires: soon",
        ]);
        let message = Message::scan(&bytes).expect("a message");
        assert_eq!((message.max_forwards(), message.expires()), (Some(68), Some(u32::MAX)));
        assert_eq!((message.retry_after(), message.min_expires()), (Some(18), None));
        let bytes = request_with(&[b"Max-Forwards: 300"]);
        assert_eq!(Message::scan(&bytes).expect("a message").max_forwards(), Some(255));
    }

    #[test]
    fn a_reliable_answer_is_confirmed_by_its_three_words() {
        let bytes = request_with(&[b"RSeq: 7", b"RAck: 776656 \r\n 1 INVITE"]);
        let message = Message::scan(&bytes).expect("a message");
        assert_eq!(message.rseq(), Some(7));
        assert_eq!(message.rack(), Some(RAck { rseq: 776_656, cseq: 1, method: Method::Invite }));
        let bytes = request_with(&[b"RAck: 7 INVITE"]);
        assert_eq!(Message::scan(&bytes).expect("a message").rack(), None);
    }
}
