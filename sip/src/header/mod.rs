//! Typed headers, one per file: what it means, and the reader [`crate::message::Message`] gives it.
//!
//! A reader borrows the message and allocates nothing. The five headers without which nothing can
//! be answered give a `Result`; the rest are `None` when absent or senseless, since a call is not
//! lost for them ([`crate::message::Message::inspect`] tells the two apart).

pub mod auth;
pub mod call_id;
pub mod content_type;
pub mod cseq;
pub mod identity;
pub mod name_addr;
pub mod numbers;
pub mod reason;
pub mod replaces;
pub mod routing;
pub mod session;
pub mod stir;
pub mod tokens;
pub mod via;

/// A request of `lines`, for the readers' tests.
#[cfg(test)]
pub(crate) fn request_with(lines: &[&[u8]]) -> Vec<u8> {
    let mut bytes = b"INVITE sip:15@h SIP/2.0\r\n".to_vec();
    for line in lines {
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}
