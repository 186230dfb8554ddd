//! Call-ID: the call's name (RFC 3261 §20.8).

use crate::message::{HeaderError, Message, Name};

impl<'a> Message<'a> {
    /// The call's name; compared byte by byte.
    ///
    /// # Errors
    /// [`HeaderError`] when it is absent, empty or no text.
    pub fn call_id(&self) -> Result<&'a str, HeaderError> {
        let value = self.header(Name::CallId).ok_or(HeaderError::Missing(Name::CallId))?;
        match std::str::from_utf8(value) {
            Ok(text) if !text.is_empty() => Ok(text),
            _ => Err(HeaderError::Malformed(Name::CallId)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::request_with;

    #[test]
    fn a_call_id_is_any_text_but_none() {
        let call_id = |line: &[u8]| {
            Message::scan(&request_with(&[line])).expect("a message").call_id().map(str::to_owned)
        };
        assert_eq!(call_id(b"i: a@[::1]:<\"x>"), Ok("a@[::1]:<\"x>".to_owned()));
        assert_eq!(call_id(b"Call-ID:"), Err(HeaderError::Malformed(Name::CallId)));
        assert_eq!(call_id(b"To: x"), Err(HeaderError::Missing(Name::CallId)));
    }
}
