//! Digest authentication, both sides (RFC 3261 §22, RFC 7616, RFC 8760): MD5 and SHA-256, `qop=auth`.
//!
//! A [`Gate`] keeps nothing per challenge: a nonce carries its own date and a seal over that date
//! and the address it was given to, so a flood of REGISTERs costs no memory, and a proof overheard
//! is good only from the same address and only while its nonce lives.
//!
//! Absent: `auth-int` (no phone here has it) and a count of `nc` per nonce, which would need a
//! store; the seal's address and [`NONCE_LIFE`] bound what a replay is worth.

use crate::header::auth::{Algorithm, Challenge, Credentials};
use crate::time::Instant;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::time::Duration;

/// How long a nonce may be used. Longer, and an overheard proof can be replayed longer from its
/// address; shorter, and phones make two round trips for each refresh of theirs.
pub const NONCE_LIFE: Duration = Duration::from_secs(300);

/// The lower-case hexadecimal digits of 16 sealed bytes: enough that nobody makes one, and cut
/// short of the hash so that nobody extends one.
const SEAL_LEN: usize = 32;

/// What a site keeps of a password: `H(user:realm:password)` in hexadecimal (RFC 7616 §3.4.2).
pub fn ha1(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> String {
    hash(algorithm, &[user, ":", realm, ":", password])
}

/// What a proof was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Name and password are right, for this realm and a nonce of ours.
    Proved,
    /// The nonce is too old, or none that this address was given: challenge again with `stale=true`,
    /// whatever the proof is worth. It is no guess: anybody can say it from anywhere, and told apart
    /// it would be guessed with for nothing.
    Stale,
    /// They are not right.
    Wrong,
}

/// Where a proof is asked for and checked: one realm of ours.
#[derive(Clone)]
pub struct Gate {
    realm: String,
    key: [u8; 32],
}

impl Gate {
    /// A gate whose nonces nobody can make who does not know `seed`.
    pub fn new(realm: &str, seed: u64) -> Gate {
        let key = Sha256::new().chain("nonce key").chain(seed.to_be_bytes()).finalize().into();
        Gate { realm: realm.to_owned(), key }
    }

    /// The realm, as it is said in challenges.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The values of two WWW-Authenticate lines for whoever asks from `source`, the stronger
    /// first (RFC 8760 §2.4). `stale` says that name and password were right.
    pub fn challenges(&self, now: Instant, source: IpAddr, stale: bool) -> [String; 2] {
        let nonce = self.nonce(now, source);
        let realm = quoted(&self.realm);
        let stale = if stale { ", stale=true" } else { "" };
        [Algorithm::Sha256, Algorithm::Md5].map(|algorithm| {
            let token = algorithm.token();
            format!("Digest realm={realm}, nonce=\"{nonce}\", algorithm={token}, qop=\"auth\"{stale}")
        })
    }

    /// Checks a proof that came with a request of `method` from `source`. `ha1` is what the site
    /// keeps for the name and the proof's algorithm ([`ha1`]); `None` when it knows no such name,
    /// which takes as long and is, for a nonce that lives, [`Verdict::Wrong`].
    pub fn verify(
        &self,
        now: Instant,
        source: IpAddr,
        method: &str,
        proof: &Credentials<'_>,
        ha1: Option<&str>,
    ) -> Verdict {
        // An empty HA1 could be computed with by anybody: a name without one is no name.
        let known = ha1.filter(|ha1| !ha1.is_empty());
        let expected = match proof.qop {
            None => Some(Round { nonce: proof.nonce, counted: None }),
            Some(qop) if qop.eq_ignore_ascii_case("auth") => {
                let counted = proof.nc.zip(proof.cnonce);
                counted.map(|(nc, cnonce)| Round { nonce: proof.nonce, counted: Some((nc, cnonce, qop)) })
            }
            Some(_) => None,
        };
        let Some(round) = expected else { return Verdict::Wrong };
        let key = known.map_or_else(|| "unknown".to_owned(), str::to_ascii_lowercase);
        let response = round.response(proof.algorithm, &key, method, proof.uri);
        let equal = is_equal(response.as_bytes(), proof.response.to_ascii_lowercase().as_bytes());
        let right = equal && known.is_some() && proof.realm == self.realm;
        match (self.is_live(now, source, proof.nonce), right) {
            (true, true) => Verdict::Proved,
            (true, false) => Verdict::Wrong,
            (false, _) => Verdict::Stale,
        }
    }

    /// The date in nanoseconds, and the seal over it and the address.
    fn nonce(&self, now: Instant, source: IpAddr) -> String {
        let date = format!("{:016x}", now.as_nanos());
        let seal = self.seal(&date, source);
        date + &seal
    }

    fn is_live(&self, now: Instant, source: IpAddr, nonce: &str) -> bool {
        let Some((date, seal)) = nonce.split_at_checked(nonce.len().saturating_sub(SEAL_LEN)) else {
            return false;
        };
        if !is_equal(self.seal(date, source).as_bytes(), seal.as_bytes()) {
            return false;
        }
        // Sealed, so a date of ours; one ahead of us is from a life before a restart.
        let Ok(given) = u64::from_str_radix(date, 16).map(Instant::from_nanos) else { return false };
        given <= now && now.since(given) <= NONCE_LIFE
    }

    fn seal(&self, date: &str, source: IpAddr) -> String {
        let sealed = Sha256::new().chain(self.key).chain(date).chain(source.to_string());
        let mut seal = format!("{:x}", sealed.finalize());
        seal.truncate(SEAL_LEN);
        seal
    }
}

impl std::fmt::Debug for Gate {
    /// The key makes nonces: it is not for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gate({})", self.realm)
    }
}

/// The challenge to answer when a peer gives several: the strongest we can.
pub fn strongest<'a>(challenges: impl Iterator<Item = Challenge<'a>>) -> Option<Challenge<'a>> {
    challenges.max_by_key(|challenge| challenge.algorithm)
}

/// What we are asked to prove at a peer: a name, its password, and for which request.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    /// The user name.
    pub user: &'a str,
    /// Its password.
    pub password: &'a str,
    /// The request's method.
    pub method: &'a str,
    /// Its Request-URI.
    pub uri: &'a str,
    /// A once-word of ours, from the seeded generator.
    pub cnonce: &'a str,
    /// How often this nonce is used by us, from 1.
    pub nc: u32,
}

/// The value of an Authorization (or Proxy-Authorization) header that answers `challenge`.
pub fn respond(challenge: &Challenge<'_>, claim: &Claim<'_>) -> String {
    let Challenge { realm, nonce, algorithm, .. } = *challenge;
    let nc = format!("{:08x}", claim.nc);
    let counted = challenge.auth.then_some((nc.as_str(), claim.cnonce, "auth"));
    // What stands escaped in the challenge is hashed as it stands (RFC 7616 §3.4.2 `unq`).
    let key = ha1(algorithm, claim.user, realm, claim.password);
    let response = Round { nonce, counted }.response(algorithm, &key, claim.method, claim.uri);
    let (user, uri, token) = (quoted(claim.user), claim.uri, algorithm.token());
    let mut value = format!(
        "Digest username={user}, realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
         algorithm={token}"
    );
    if let Some((nc, cnonce, qop)) = counted {
        value.push_str(&format!(", qop={qop}, nc={nc}, cnonce=\"{cnonce}\""));
    }
    if let Some(opaque) = challenge.opaque {
        value.push_str(&format!(", opaque=\"{opaque}\""));
    }
    value
}

/// One use of a nonce: with count, once-word and `qop`, or as before RFC 2617 without.
struct Round<'a> {
    nonce: &'a str,
    counted: Option<(&'a str, &'a str, &'a str)>,
}

impl Round<'_> {
    /// RFC 7616 §3.4.1.
    fn response(&self, algorithm: Algorithm, ha1: &str, method: &str, uri: &str) -> String {
        let ha2 = hash(algorithm, &[method, ":", uri]);
        match self.counted {
            Some((nc, cnonce, qop)) => {
                hash(algorithm, &[ha1, ":", self.nonce, ":", nc, ":", cnonce, ":", qop, ":", &ha2])
            }
            None => hash(algorithm, &[ha1, ":", self.nonce, ":", &ha2]),
        }
    }
}

fn hash(algorithm: Algorithm, parts: &[&str]) -> String {
    match algorithm {
        Algorithm::Md5 => hash_with(md5::Md5::new(), parts, |hash| format!("{:x}", hash.finalize())),
        Algorithm::Sha256 => hash_with(Sha256::new(), parts, |hash| format!("{:x}", hash.finalize())),
    }
}

fn hash_with<D: Digest>(mut hash: D, parts: &[&str], finish: fn(D) -> String) -> String {
    parts.iter().for_each(|part| hash.update(part));
    finish(hash)
}

/// Compares without telling by its duration where the first difference is.
fn is_equal(ours: &[u8], theirs: &[u8]) -> bool {
    let difference = ours.iter().zip(theirs).fold(0, |sum, (a, b)| sum | (a ^ b));
    std::hint::black_box(difference) == 0 && ours.len() == theirs.len()
}

/// A quoted string (RFC 3261 §25.1).
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::reference_digest;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 8));

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn claim<'a>(password: &'a str) -> Claim<'a> {
        Claim {
            user: "poste12",
            password,
            method: "REGISTER",
            uri: "sip:samu.example",
            cnonce: "0a4f",
            nc: 1,
        }
    }

    /// A phone that was challenged at `given` and answers at `answered`, from `source`.
    fn judge(password: &str, algorithm: Algorithm, given: u64, answered: u64, source: IpAddr) -> Verdict {
        let gate = Gate::new("samu", 42);
        let challenges = gate.challenges(at(given), HERE, false);
        let challenge = challenges
            .iter()
            .filter_map(|value| Challenge::read(value.as_bytes()))
            .find(|challenge| challenge.algorithm == algorithm)
            .expect("a challenge");
        let value = respond(&challenge, &claim(password));
        let proof = Credentials::read(value.as_bytes()).expect("credentials");
        let kept = ha1(algorithm, "poste12", "samu", "right");
        gate.verify(at(answered), source, "REGISTER", &proof, Some(&kept))
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        let cases = [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ];
        for (algorithm, expected) in cases {
            let round = Round {
                nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                counted: Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth")),
            };
            let ha1 = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");
            assert_eq!(round.response(algorithm, &ha1, "GET", "/dir/index.html"), expected);
        }
    }

    #[test]
    fn our_proofs_are_the_ones_rsip_computes() {
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            let value =
                format!("Digest realm=\"r\", nonce=\"n\", algorithm={}, qop=\"auth\"", algorithm.token());
            let challenge = Challenge::read(value.as_bytes()).expect("a challenge");
            let ours = respond(&challenge, &claim("secret"));
            let theirs = reference_digest(algorithm == Algorithm::Sha256, &claim("secret"), "r", "n");
            assert!(ours.contains(&format!("response=\"{theirs}\"")), "{ours}");
        }
    }

    #[test]
    fn a_right_password_is_proved_with_either_algorithm() {
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            assert_eq!(judge("right", algorithm, 10, 11, HERE), Verdict::Proved);
            assert_eq!(judge("wrong", algorithm, 10, 11, HERE), Verdict::Wrong);
        }
    }

    #[test]
    fn an_old_nonce_or_another_address_is_stale_and_tells_nothing_of_the_password() {
        assert_eq!(judge("right", Algorithm::Md5, 10, 311, HERE), Verdict::Stale);
        assert_eq!(judge("right", Algorithm::Md5, 10, 310, HERE), Verdict::Proved);
        assert_eq!(judge("wrong", Algorithm::Md5, 10, 311, HERE), Verdict::Stale);
        assert_eq!(judge("right", Algorithm::Md5, 10, 11, THERE), Verdict::Stale);
        assert_eq!(judge("right", Algorithm::Md5, 10, 9, HERE), Verdict::Stale);
    }

    #[test]
    fn an_unknown_name_an_empty_secret_and_another_realm_prove_nothing() {
        let gate = Gate::new("samu", 42);
        let [_, challenge] = gate.challenges(at(1), HERE, false);
        let challenge = Challenge::read(challenge.as_bytes()).expect("a challenge");
        let judge = |ha1: Option<&str>, key: &str, realm| {
            let round = Round { nonce: challenge.nonce, counted: None };
            let response = round.response(Algorithm::Md5, key, "REGISTER", "sip:x");
            let value = format!(
                "Digest username=\"u\", realm=\"{realm}\", nonce=\"{}\", uri=\"sip:x\", response=\"{response}\"",
                challenge.nonce
            );
            let proof = Credentials::read(value.as_bytes()).expect("credentials");
            gate.verify(at(1), HERE, "REGISTER", &proof, ha1)
        };
        assert_eq!(judge(Some("abc"), "abc", "samu"), Verdict::Proved);
        assert_eq!(judge(Some("abc"), "abc", "sdis"), Verdict::Wrong);
        assert_eq!(judge(Some(""), "", "samu"), Verdict::Wrong);
        assert_eq!(judge(None, "unknown", "samu"), Verdict::Wrong);
    }

    #[test]
    fn a_proof_that_leaves_out_its_count_or_asks_for_auth_int_is_wrong() {
        let gate = Gate::new("samu", 42);
        for tail in ["qop=auth", "qop=auth, nc=00000001", "qop=auth-int, nc=00000001, cnonce=\"a\""] {
            let value = format!(
                "Digest username=\"u\", realm=\"samu\", nonce=\"n\", uri=\"sip:x\", response=\"00\", {tail}"
            );
            let proof = Credentials::read(value.as_bytes()).expect("credentials");
            assert_eq!(gate.verify(at(1), HERE, "REGISTER", &proof, Some("abc")), Verdict::Wrong, "{tail}");
        }
    }

    #[test]
    fn the_strongest_challenge_is_answered_and_what_is_quoted_comes_back() {
        let values = [
            &b"Digest realm=\"a \\\"b\\\"\", nonce=\"1\", opaque=\"o\", qop=\"auth-int,auth\""[..],
            b"Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256, stale=TRUE",
            b"Digest realm=\"r\", nonce=\"3\", algorithm=SHA-512-256",
            b"Basic realm=\"r\"",
        ];
        let challenges = || values.iter().filter_map(|value| Challenge::read(value));
        assert_eq!(challenges().count(), 2);
        let best = strongest(challenges()).expect("a challenge");
        assert_eq!((best.nonce, best.auth, best.stale), ("2", false, true));
        let first = challenges().next().expect("a challenge");
        let value = respond(&first, &claim("x"));
        assert!(value.contains("realm=\"a \\\"b\\\"\"") && value.contains("opaque=\"o\""), "{value}");
        assert!(value.contains("nc=00000001"), "{value}");
    }
}
