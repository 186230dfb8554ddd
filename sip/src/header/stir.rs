//! What a signed caller identity says of itself (RFC 8224, RFC 8588): shown and logged, verified by
//! nobody here, and never a reason to refuse.

/// How well the signer knows its caller (RFC 8588 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attest {
    /// `A`: the signer knows the caller, who may use the number.
    Full,
    /// `B`: the signer knows the caller, not the number.
    Partial,
    /// `C`: it came in through the signer's gateway.
    Gateway,
}

impl Attest {
    /// The letter.
    pub fn letter(self) -> char {
        match self {
            Attest::Full => 'A',
            Attest::Partial => 'B',
            Attest::Gateway => 'C',
        }
    }
}

/// The attestation in an Identity header: in the middle part of a token in three parts.
pub fn attestation(identity: &str) -> Option<Attest> {
    let token = identity.split(';').next().unwrap_or_default().trim();
    let mut parts = token.split('.');
    let (_header, payload) = (parts.next()?, parts.next()?);
    parts.next()?;
    let claims = String::from_utf8(from_base64url(payload)?).ok()?;
    let (_, behind) = claims.split_once("\"attest\"")?;
    match behind.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?.chars().next()? {
        'A' => Some(Attest::Full),
        'B' => Some(Attest::Partial),
        'C' => Some(Attest::Gateway),
        _ => None,
    }
}

fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut held, mut bits) = (Vec::with_capacity(text.len()), 0_u32, 0);
    for sign in text.trim_end_matches('=').bytes() {
        let value = match sign {
            b'A'..=b'Z' => sign - b'A',
            b'a'..=b'z' => sign - b'a' + 26,
            b'0'..=b'9' => sign - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(value)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 0xff) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letter_of_a_signed_identity_is_read_and_anything_else_is_none() {
        // {"attest":"A","orig":{"tn":"331"}} and {"attest" : "C"}
        let full = "eyJhbGciOiJFUzI1NiJ9.eyJhdHRlc3QiOiJBIiwib3JpZyI6eyJ0biI6IjMzMSJ9fQ.c2ln;info=<https://c>;ppt=shaken";
        assert_eq!(attestation(full).map(Attest::letter), Some('A'));
        assert_eq!(attestation("x.eyJhdHRlc3QiIDogIkMifQ==.y"), Some(Attest::Gateway));
        for odd in ["", "a.b", "..", "x.eyJhdHRlc3QiOiJaIn0.y", "x.\u{e9}.y", "x.e30.y", "x.eyJhdHRlc3Q.y"] {
            assert_eq!(attestation(odd), None, "{odd}");
        }
    }
}
