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
