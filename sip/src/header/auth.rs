//! Challenges and credentials of digest authentication (RFC 3261 §22, RFC 7616, RFC 8760).

use crate::message::{Message, Name, Params, Uri, trim};

/// How a digest is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// What every phone can do.
    Md5,
    /// What a phone should do (RFC 8760); stronger, so later in the order.
    Sha256,
}

impl Algorithm {
    /// The token of a challenge.
    pub fn token(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// The algorithm a challenge or credentials name; MD5 when they name none (RFC 7616 §3.3).
    pub fn read(token: Option<&str>) -> Option<Algorithm> {
        match token {
            None => Some(Algorithm::Md5),
            Some(token) if token.eq_ignore_ascii_case("MD5") => Some(Algorithm::Md5),
            Some(token) if token.eq_ignore_ascii_case("SHA-256") => Some(Algorithm::Sha256),
            Some(_) => None,
        }
    }
}

/// What the other side wants proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// Where a name and password are valid.
    pub realm: &'a str,
    /// The challenger's once-word.
    pub nonce: &'a str,
    /// To be given back as it stands.
    pub opaque: Option<&'a str>,
    /// How to compute.
    pub algorithm: Algorithm,
    /// It takes `qop=auth`.
    pub auth: bool,
    /// The nonce of the last try was too old; name and password were right.
    pub stale: bool,
}

impl<'a> Challenge<'a> {
    /// Reads a Digest challenge; `None` for another scheme or an algorithm we have not.
    pub fn read(value: &'a [u8]) -> Option<Challenge<'a>> {
        let params = digest_params(value)?;
        let qop = params.value("qop");
        Some(Challenge {
            realm: params.value("realm")?,
            nonce: params.value("nonce")?,
            opaque: params.value("opaque"),
            algorithm: Algorithm::read(params.value("algorithm"))?,
            auth: qop.is_some_and(|qop| qop.split(',').any(|word| word.trim().eq_ignore_ascii_case("auth"))),
            stale: params.value("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

/// A proof.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// Who claims to be there.
    pub username: &'a str,
    /// The realm of the challenge.
    pub realm: &'a str,
    /// The nonce of the challenge.
    pub nonce: &'a str,
    /// The address the proof is for.
    pub uri: &'a str,
    /// The proof itself, hexadecimal.
    pub response: &'a str,
    /// How it was computed.
    pub algorithm: Algorithm,
    /// `auth` when the prover's own once-word and a count are part of it.
    pub qop: Option<&'a str>,
    /// The prover's once-word.
    pub cnonce: Option<&'a str>,
    /// How often this nonce was used, eight hexadecimal digits, as written.
    pub nc: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    /// Reads Digest credentials; `None` when something they must have is missing.
    pub fn read(value: &'a [u8]) -> Option<Credentials<'a>> {
        let params = digest_params(value)?;
        Some(Credentials {
            username: params.value("username")?,
            realm: params.value("realm")?,
            nonce: params.value("nonce")?,
            uri: params.value("uri")?,
            response: params.value("response")?,
            algorithm: Algorithm::read(params.value("algorithm"))?,
            qop: params.value("qop"),
            cnonce: params.value("cnonce"),
            nc: params.value("nc"),
        })
    }

    /// Whether the proof is for this request (RFC 7616 §3.4.6). A proxy on the way may have written another
    /// Request-URI, which is no failure (RFC 3261 §22.4): whom To names, or the realm, will do.
    pub fn is_for(&self, request: &Message<'_>) -> bool {
        let Uri::Sip { host: proved, .. } = Uri::read(self.uri.as_bytes()) else { return false };
        let is_it = |uri: Uri<'_>| matches!(uri, Uri::Sip { host, .. } if host.eq_ignore_ascii_case(proved));
        proved.eq_ignore_ascii_case(self.realm)
            || request.request_uri().is_some_and(is_it)
            || request.to().is_ok_and(|to| is_it(to.uri))
    }
}

impl std::fmt::Debug for Credentials<'_> {
    /// The algorithm only: the rest proves who somebody is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.algorithm.token())
    }
}

/// What follows the word `Digest`.
fn digest_params(value: &[u8]) -> Option<Params<'_>> {
    let value = trim(value);
    let (scheme, rest) = value.split_at(value.iter().position(u8::is_ascii_whitespace)?);
    scheme.eq_ignore_ascii_case(b"Digest").then(|| Params::by_commas(rest))
}

impl<'a> Message<'a> {
    /// Credentials. A line is one set: its commas separate parameters.
    pub fn authorization(&self) -> Option<Credentials<'a>> {
        self.headers(Name::Authorization).find_map(Credentials::read)
    }

    /// Credentials for this realm, among those for other servers on the way (RFC 3261 §22.3).
    pub fn authorization_for(&self, realm: &str) -> Option<Credentials<'a>> {
        let mut all = self.headers(Name::Authorization).filter_map(Credentials::read);
        all.find(|proof| proof.realm == realm)
    }

    /// Credentials for an intermediary.
    pub fn proxy_authorization(&self) -> Option<Credentials<'a>> {
        self.headers(Name::ProxyAuthorization).find_map(Credentials::read)
    }

    /// The other end's challenges, one per line, those we can answer.
    pub fn www_authenticate(&self) -> impl Iterator<Item = Challenge<'a>> + '_ {
        self.headers(Name::WwwAuthenticate).filter_map(Challenge::read)
    }

    /// An intermediary's challenges.
    pub fn proxy_authenticate(&self) -> impl Iterator<Item = Challenge<'a>> + '_ {
        self.headers(Name::ProxyAuthenticate).filter_map(Challenge::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::request_with;

    #[test]
    fn credentials_are_read_from_their_own_line_whatever_its_commas_and_spaces() {
        let bytes = request_with(&[
            b"Authorization: NoOneKnowsThisScheme opaque-data=here",
            b"Authorization: Digest  username = \"a,b\" ,\r\n realm=\"r\", nonce=\"n=\", uri=\"sip:h;x=1\", \
              response=\"0f\", algorithm=sha-256, qop=auth, nc=0000000a, cnonce=\"c\"",
        ]);
        let message = Message::scan(&bytes).expect("a message");
        let proof = message.authorization().expect("credentials");
        assert_eq!((proof.username, proof.realm, proof.nonce), ("a,b", "r", "n="));
        assert_eq!((proof.uri, proof.response, proof.algorithm), ("sip:h;x=1", "0f", Algorithm::Sha256));
        assert_eq!((proof.qop, proof.nc, proof.cnonce), (Some("auth"), Some("0000000a"), Some("c")));
        assert_eq!(message.proxy_authorization(), None);
    }

    #[test]
    fn credentials_for_a_realm_are_found_behind_those_for_another() {
        let of = |realm: &str, user: &str| {
            format!(
                "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"n\", uri=\"sip:h\", response=\"0\""
            )
        };
        let bytes = request_with(&[of("proxy", "1").as_bytes(), of("samu", "2").as_bytes()]);
        let message = Message::scan(&bytes).expect("a message");
        assert_eq!(message.authorization_for("samu").map(|proof| proof.username), Some("2"));
        assert_eq!(message.authorization_for("sdis"), None);
    }

    #[test]
    fn a_challenge_we_cannot_answer_is_passed_over() {
        let bytes = request_with(&[
            b"WWW-Authenticate: Digest realm=\"r\", nonce=\"1\", algorithm=MD5-sess",
            b"WWW-Authenticate: Digest realm=\"r\", nonce=\"2\", qop=\"auth,auth-int\"",
            b"Proxy-Authenticate: Digest nonce=\"3\"",
        ]);
        let message = Message::scan(&bytes).expect("a message");
        let nonces: Vec<_> =
            message.www_authenticate().map(|challenge| (challenge.nonce, challenge.auth)).collect();
        assert_eq!(nonces, [("2", true)]);
        assert_eq!(message.proxy_authenticate().count(), 0);
    }
}
