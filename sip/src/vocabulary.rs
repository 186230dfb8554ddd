//! The words of SIP: methods and status codes. The only module that names `rsip`.
//!
//! `rsip` gives the lists; what travels is read and printed by our own scanner, because `rsip`
//! compares methods without case, prints them by upper-casing an identifier and answers an unknown
//! one with an error (ADR 0002). Nothing a peer sent is ever given to it.

use rsip::StatusCode;

/// A request's method (RFC 3261 §7.1 and its extensions). Its token is compared with case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Opens or changes a session (RFC 3261 §13).
    Invite,
    /// Confirms a final answer to INVITE (RFC 3261 §13.2.2.4).
    Ack,
    /// Ends a session (RFC 3261 §15).
    Bye,
    /// Gives up a request that has no final answer (RFC 3261 §9).
    Cancel,
    /// Says where somebody can be reached (RFC 3261 §10).
    Register,
    /// Asks what the other side can do (RFC 3261 §11).
    Options,
    /// Confirms a reliable provisional answer (RFC 3262).
    Prack,
    /// Changes a session that is not confirmed yet (RFC 3311).
    Update,
    /// Carries something of the session's application (RFC 6086).
    Info,
    /// Asks the other side to call somebody (RFC 3515).
    Refer,
    /// Asks for notifications (RFC 6665).
    Subscribe,
    /// Notifies (RFC 6665).
    Notify,
    /// Carries a text (RFC 3428).
    Message,
    /// Publishes a state (RFC 3903).
    Publish,
    /// Any other token; it is kept beside this value, in the start line or in CSeq.
    Other,
}

impl Method {
    /// Every method with a name of its own, in the order of [`Method`].
    pub const KNOWN: [Method; 14] = [
        Method::Invite,
        Method::Ack,
        Method::Bye,
        Method::Cancel,
        Method::Register,
        Method::Options,
        Method::Prack,
        Method::Update,
        Method::Info,
        Method::Refer,
        Method::Subscribe,
        Method::Notify,
        Method::Message,
        Method::Publish,
    ];

    /// The method a token names; with case, as RFC 3261 §7.1 has it: `invite` is [`Method::Other`].
    pub fn read(token: &[u8]) -> Method {
        match token {
            b"INVITE" => Method::Invite,
            b"ACK" => Method::Ack,
            b"BYE" => Method::Bye,
            b"CANCEL" => Method::Cancel,
            b"REGISTER" => Method::Register,
            b"OPTIONS" => Method::Options,
            b"PRACK" => Method::Prack,
            b"UPDATE" => Method::Update,
            b"INFO" => Method::Info,
            b"REFER" => Method::Refer,
            b"SUBSCRIBE" => Method::Subscribe,
            b"NOTIFY" => Method::Notify,
            b"MESSAGE" => Method::Message,
            b"PUBLISH" => Method::Publish,
            _ => Method::Other,
        }
    }

    /// The token as it travels; empty for [`Method::Other`], whose token is kept elsewhere.
    pub fn token(self) -> &'static str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Cancel => "CANCEL",
            Method::Register => "REGISTER",
            Method::Options => "OPTIONS",
            Method::Prack => "PRACK",
            Method::Update => "UPDATE",
            Method::Info => "INFO",
            Method::Refer => "REFER",
            Method::Subscribe => "SUBSCRIBE",
            Method::Notify => "NOTIFY",
            Method::Message => "MESSAGE",
            Method::Publish => "PUBLISH",
            Method::Other => "",
        }
    }
}

impl From<rsip::Method> for Method {
    fn from(theirs: rsip::Method) -> Method {
        match theirs {
            rsip::Method::Invite => Method::Invite,
            rsip::Method::Ack => Method::Ack,
            rsip::Method::Bye => Method::Bye,
            rsip::Method::Cancel => Method::Cancel,
            rsip::Method::Register => Method::Register,
            rsip::Method::Options => Method::Options,
            rsip::Method::PRack => Method::Prack,
            rsip::Method::Update => Method::Update,
            rsip::Method::Info => Method::Info,
            rsip::Method::Refer => Method::Refer,
            rsip::Method::Subscribe => Method::Subscribe,
            rsip::Method::Notify => Method::Notify,
            rsip::Method::Message => Method::Message,
            rsip::Method::Publish => Method::Publish,
        }
    }
}

impl TryFrom<Method> for rsip::Method {
    /// [`Method::Other`], which `rsip` has no word for.
    type Error = Method;

    fn try_from(ours: Method) -> Result<rsip::Method, Method> {
        Ok(match ours {
            Method::Invite => rsip::Method::Invite,
            Method::Ack => rsip::Method::Ack,
            Method::Bye => rsip::Method::Bye,
            Method::Cancel => rsip::Method::Cancel,
            Method::Register => rsip::Method::Register,
            Method::Options => rsip::Method::Options,
            Method::Prack => rsip::Method::PRack,
            Method::Update => rsip::Method::Update,
            Method::Info => rsip::Method::Info,
            Method::Refer => rsip::Method::Refer,
            Method::Subscribe => rsip::Method::Subscribe,
            Method::Notify => rsip::Method::Notify,
            Method::Message => rsip::Method::Message,
            Method::Publish => rsip::Method::Publish,
            Method::Other => return Err(Method::Other),
        })
    }
}

/// The reason phrase of a status code (RFC 3261 §21 and its extensions); the name of its class
/// for a code without one.
pub fn reason_phrase(code: u16) -> &'static str {
    match StatusCode::from(code) {
        StatusCode::Trying => "Trying",
        StatusCode::Ringing => "Ringing",
        StatusCode::CallIsBeingForwarded => "Call Is Being Forwarded",
        StatusCode::Queued => "Queued",
        StatusCode::SessionProgress => "Session Progress",
        StatusCode::OK => "OK",
        StatusCode::MovedPermanently => "Moved Permanently",
        StatusCode::MovedTemporarily => "Moved Temporarily",
        StatusCode::BadRequest => "Bad Request",
        StatusCode::Unauthorized => "Unauthorized",
        StatusCode::Forbidden => "Forbidden",
        StatusCode::NotFound => "Not Found",
        StatusCode::MethodNotAllowed => "Method Not Allowed",
        StatusCode::NotAcceptable => "Not Acceptable",
        StatusCode::ProxyAuthenticationRequired => "Proxy Authentication Required",
        StatusCode::RequestTimeout => "Request Timeout",
        StatusCode::Gone => "Gone",
        StatusCode::RequestEntityTooLarge => "Request Entity Too Large",
        StatusCode::UnsupportedMediaType => "Unsupported Media Type",
        StatusCode::UnsupportedUriScheme => "Unsupported URI Scheme",
        StatusCode::BadExtension => "Bad Extension",
        StatusCode::ExtensionRequired => "Extension Required",
        StatusCode::SessionIntervalTooSmall => "Session Interval Too Small",
        StatusCode::IntervalTooBrief => "Interval Too Brief",
        StatusCode::TemporarilyUnavailable => "Temporarily Unavailable",
        StatusCode::CallTransactionDoesNotExist => "Call/Transaction Does Not Exist",
        StatusCode::LoopDetected => "Loop Detected",
        StatusCode::TooManyHops => "Too Many Hops",
        StatusCode::AddressIncomplete => "Address Incomplete",
        StatusCode::Ambiguous => "Ambiguous",
        StatusCode::BusyHere => "Busy Here",
        StatusCode::RequestTerminated => "Request Terminated",
        StatusCode::NotAcceptableHere => "Not Acceptable Here",
        StatusCode::BadEvent => "Bad Event",
        StatusCode::RequestPending => "Request Pending",
        StatusCode::ServerInternalError => "Server Internal Error",
        StatusCode::NotImplemented => "Not Implemented",
        StatusCode::BadGateway => "Bad Gateway",
        StatusCode::ServiceUnavailable => "Service Unavailable",
        StatusCode::ServerTimeOut => "Server Time-out",
        StatusCode::VersionNotSupported => "Version Not Supported",
        StatusCode::MessageTooLarge => "Message Too Large",
        StatusCode::BusyEverywhere => "Busy Everywhere",
        StatusCode::Decline => "Decline",
        StatusCode::DoesNotExistAnywhere => "Does Not Exist Anywhere",
        StatusCode::NotAcceptableGlobal => "Not Acceptable",
        _ => match code {
            202 => "Accepted",         // RFC 3515 §2.4.2
            469 => "Bad Info Package", // RFC 6086 §11.4
            100..200 => "Progress",
            200..300 => "Success",
            300..400 => "Redirection",
            400..500 => "Request Failure",
            500..600 => "Server Failure",
            _ => "Global Failure",
        },
    }
}

/// What `rsip`'s generator computes for a claim with `qop=auth`: an independent opinion for the
/// tests of [`crate::auth`]. It counts in decimal up to 255 and wants the password itself, which is
/// why it is an opinion and not the means (ADR 0002).
#[cfg(test)]
pub(crate) fn reference_digest(
    sha256: bool,
    claim: &crate::auth::Claim<'_>,
    realm: &str,
    nonce: &str,
) -> String {
    use rsip::headers::auth::{Algorithm, AuthQop};
    let uri = rsip::Uri::try_from(claim.uri).expect("a URI of the tests");
    let method = rsip::Method::try_from(Method::read(claim.method.as_bytes())).expect("a known method");
    let nc = u8::try_from(claim.nc).expect("a count of the tests");
    rsip::services::DigestGenerator {
        username: claim.user,
        password: claim.password,
        nonce,
        uri: &uri,
        realm,
        method: &method,
        qop: Some(&AuthQop::Auth { cnonce: claim.cnonce.to_owned(), nc }),
        algorithm: if sha256 { Algorithm::Sha256 } else { Algorithm::Md5 },
    }
    .compute()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_rsip_is_ours_and_prints_the_same_token() {
        for theirs in rsip::Method::all() {
            let ours = Method::from(theirs);
            assert_eq!(ours.token(), theirs.to_string());
            assert_eq!(Method::read(ours.token().as_bytes()), ours);
            assert_eq!(rsip::Method::try_from(ours), Ok(theirs));
        }
        assert_eq!(rsip::Method::all().len(), Method::KNOWN.len());
    }

    #[test]
    fn a_method_in_lower_case_is_another_method() {
        assert_eq!(Method::read(b"invite"), Method::Other);
        assert_eq!(Method::read(b"NEWMETHOD"), Method::Other);
    }

    #[test]
    fn a_phrase_is_the_name_rsip_has_for_its_code() {
        let bare = |text: &str| text.replace([' ', '/', '-'], "").to_ascii_lowercase();
        for code in [100u16, 180, 183, 200, 400, 401, 404, 481, 486, 487, 488, 503, 505, 600, 603] {
            let theirs = StatusCode::from(code).to_string();
            let name = theirs.split_once(' ').map(|(_, name)| name).unwrap_or_default();
            assert_eq!(bare(reason_phrase(code)), bare(name), "{code}");
        }
        assert_eq!(reason_phrase(202), "Accepted");
        assert_eq!(reason_phrase(499), "Request Failure");
    }
}
