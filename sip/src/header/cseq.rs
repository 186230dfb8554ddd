//! CSeq: which request of a dialog this is (RFC 3261 §20.16).

use crate::message::{HeaderError, Message, Name, is_token, trim};
use crate::vocabulary::Method;

/// A request's number and its method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// Below 2^31 by the RFC; larger ones up to 32 bits are read all the same.
    pub number: u32,
    /// The method.
    pub method: Method,
    /// The method as written, for those we have no word for.
    pub token: &'a str,
}

impl<'a> CSeq<'a> {
    /// The largest number the RFC allows (§8.1.1.5).
    pub const MOST: u32 = (1 << 31) - 1;

    /// Reads `number method`; leading zeros and folds do no harm.
    pub fn read(value: &'a [u8]) -> Option<CSeq<'a>> {
        let end = value.iter().position(|byte| !byte.is_ascii_digit())?;
        let token = trim(&value[end..]);
        if token.len() == value.len() - end || !is_token(token) {
            return None; // nothing between number and method, or no method
        }
        let number = std::str::from_utf8(&value[..end]).ok()?.parse().ok()?;
        Some(CSeq { number, method: Method::read(token), token: std::str::from_utf8(token).ok()? })
    }
}

impl<'a> Message<'a> {
    /// Which request this is, or is the answer to.
    ///
    /// # Errors
    /// [`HeaderError`] when it is absent, or no number and method.
    pub fn cseq(&self) -> Result<CSeq<'a>, HeaderError> {
        let value = self.header(Name::CSeq).ok_or(HeaderError::Missing(Name::CSeq))?;
        CSeq::read(value).ok_or(HeaderError::Malformed(Name::CSeq))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_and_folds_do_no_harm() {
        let cseq = CSeq::read(b"0009\r\n  INVITE").expect("a number");
        assert_eq!((cseq.number, cseq.method), (9, Method::Invite));
        let cseq = CSeq::read(b"8 NEWMETHOD").expect("a number");
        assert_eq!((cseq.method, cseq.token), (Method::Other, "NEWMETHOD"));
    }

    #[test]
    fn a_number_beyond_32_bits_or_without_method_is_none() {
        for value in
            [&b"36893488147419103232 REGISTER"[..], b"1", b"1INVITE", b"INVITE", b"", b"-1 BYE", b"1 \xff"]
        {
            assert_eq!(CSeq::read(value), None, "{}", String::from_utf8_lossy(value));
        }
        assert_eq!(CSeq::read(b"4294967295 BYE").map(|cseq| cseq.number), Some(u32::MAX));
    }
}
