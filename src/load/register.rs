//! A phone's registration (RFC 3261 §10): REGISTER with digest, refreshed until it leaves.

use sip::auth::{self, Claim};
use sip::message::{Builder, Message, Name, StartLine};
use sip::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

/// How long a registration is asked for.
const EXPIRES: Duration = Duration::from_secs(120);
/// How long an answer is waited for, and how long after a refusal the next try is.
const RETRY: Duration = Duration::from_secs(2);

/// One phone's registration.
pub(super) struct Registration {
    user: String,
    password: String,
    local: SocketAddr,
    registrar: SocketAddr,
    number: u32,
    /// When the next REGISTER is due; asked at once in the beginning.
    due: Instant,
    /// The proof for the next REGISTER, made from the last challenge.
    proof: Option<String>,
    /// A challenge was answered and not yet accepted: a second one is a refusal.
    proved: bool,
}

impl Registration {
    /// A phone that is to register as `user`.
    pub(super) fn new(
        user: String,
        password: String,
        local: SocketAddr,
        registrar: SocketAddr,
    ) -> Registration {
        let due = Instant::ZERO;
        Registration { user, password, local, registrar, number: 0, due, proof: None, proved: false }
    }

    /// When to poll again.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// The REGISTER to send, when one is due.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Vec<u8>> {
        if now < self.due {
            return None;
        }
        self.due = now + RETRY;
        Some(self.print(EXPIRES))
    }

    /// Takes the registrar's answer.
    pub(super) fn on_response(&mut self, now: Instant, bytes: &[u8]) {
        let Ok(message) = Message::scan(bytes) else { return };
        let StartLine::Response { code, .. } = message.start else { return };
        match code {
            100..=199 => {}
            200..=299 => {
                self.proved = false;
                self.due = now + EXPIRES / 2;
            }
            401 if !self.proved => {
                let Some(challenge) = auth::strongest(message.www_authenticate()) else { return };
                let (uri, once) = (self.uri(), format!("{:08x}", self.number));
                let claim = Claim {
                    user: &self.user,
                    password: &self.password,
                    method: "REGISTER",
                    uri: &uri,
                    cnonce: &once,
                    nc: 1,
                };
                self.proof = Some(auth::respond(&challenge, &claim));
                self.proved = true;
                self.due = now;
            }
            _ => {
                self.proof = None;
                self.proved = false;
                self.due = now + RETRY;
            }
        }
    }

    /// The REGISTER that ends the registration, with the last proof: a registrar that wants a fresh
    /// one lets it expire instead.
    pub(super) fn leave(&mut self) -> Vec<u8> {
        self.print(Duration::ZERO)
    }

    fn uri(&self) -> String {
        format!("sip:{}", self.registrar)
    }

    fn print(&mut self, expires: Duration) -> Vec<u8> {
        self.number += 1;
        let (user, local, number) = (&self.user, self.local, self.number);
        let aor = format!("<sip:{user}@{}>", self.registrar);
        let mut builder = Builder::request("REGISTER", &self.uri())
            .header(
                Name::Via,
                format!("SIP/2.0/UDP {local};rport;branch=z9hG4bKreg{}x{number}", local.port()),
            )
            .header(Name::MaxForwards, "70")
            .header(Name::From, format!("{aor};tag=reg{}", local.port()))
            .header(Name::To, &aor)
            .header(Name::CallId, format!("register-{user}-{}", local.port()))
            .header(Name::CSeq, format!("{number} REGISTER"))
            .header(Name::Contact, format!("<sip:{user}@{local}>"))
            .header(Name::Expires, expires.as_secs().to_string());
        if let Some(proof) = &self.proof {
            builder = builder.header(Name::Authorization, proof);
        }
        builder.finish()
    }
}
