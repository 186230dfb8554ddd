//! Who may register, and where they are reached.

use crate::time::Instant;
use crate::transport::Flow;
use std::fmt;

/// A phone that may register. The password itself is not kept.
#[derive(Clone)]
pub struct Account {
    /// Digest user name and user part of the address of record.
    pub user: String,
    /// MD5 over `user:realm:password`, in hexadecimal (RFC 7616 §3.4.2).
    pub ha1_md5: String,
    /// SHA-256 over the same (RFC 8760). Empty: the phone cannot do it and is challenged with MD5
    /// only.
    pub ha1_sha256: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account(..)")
    }
}

/// Where a registered user is reached now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Request-URI of an INVITE to this contact.
    pub uri: String,
    /// The path the REGISTER came over: INVITEs go back over it.
    pub flow: Flow,
    /// When it ends if it is not refreshed.
    pub expires: Instant,
}
