//! What a ringing desk phone shows: the caller's number, the class and the service; and what a carrier is told
//! of who calls.

use crate::call::Call;
use crate::site::Site;

/// The parts of an INVITE of ours that say who calls, and to an agent how urgent it is.
pub(crate) struct Shown {
    /// `"class · service" <sip:NUMBER@us>`, without the words where nobody of ours reads them.
    pub(crate) from: String,
    /// Further headers.
    pub(crate) headers: Vec<(String, String)>,
}

/// Puts a call into words for a phone. The number stands as it was received, so that the agent may
/// read it out or call it back.
pub(crate) fn shown(site: &Site, call: &Call) -> Shown {
    let record = &call.record;
    let host = site.contact;
    let number = match record.caller.0.as_str() {
        "" => "anonymous".to_owned(),
        number => user_part(number),
    };
    let display = quoted(&format!("{} · {}", call.class, record.service));
    let emergency = format!("<urn:emergency:uid:callid:{}:{}>;purpose=emergency-CallId", call.id, host.ip());
    let mut headers = vec![
        ("P-Asserted-Identity".to_owned(), format!("<sip:{number}@{host}>")),
        ("X-Bandeau-Class".to_owned(), word(&call.class)),
        ("X-Bandeau-Service".to_owned(), word(&record.service)),
        ("X-Bandeau-Call".to_owned(), call.id.to_string()),
        ("Call-Info".to_owned(), emergency),
    ];
    if let Some(by) = &call.referred_by {
        headers.push(("Referred-By".to_owned(), word(by)));
    }
    if call.fenced {
        // A phone that knows the word rings in another way (RFC 7462).
        headers.push(("Alert-Info".to_owned(), "<urn:alert:priority:high>".to_owned()));
    }
    Shown { from: format!("{display} <sip:{number}@{host}>"), headers }
}

/// Nobody, as a From names it (RFC 3323 §4.1.1.3).
const ANONYMOUS: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

/// Who calls, in a call of ours over a carrier: this number. One that its caller withheld stands where
/// carriers take it off again before anybody else reads it (RFC 3325 §7), and only for a carrier whose
/// word we take ourselves: it still reaches whoever answers emergencies there, and nobody else.
pub(crate) fn abroad(site: &Site, number: Option<&str>, withheld: bool, trusted: bool) -> Shown {
    let number = number.map(user_part);
    let host = site.contact;
    if !withheld {
        let number = number.as_deref().unwrap_or("anonymous");
        return Shown { from: format!("<sip:{number}@{host}>"), headers: Vec::new() };
    }
    let mut headers = vec![("Privacy".to_owned(), "id".to_owned())];
    if let Some(number) = number.filter(|_| trusted) {
        headers.push(("P-Asserted-Identity".to_owned(), format!("<sip:{number}@{host}>")));
    }
    Shown { from: ANONYMOUS.to_owned(), headers }
}

/// What makes a phone answer by itself: RFC 5373, and the two older words for it that phones know.
pub(crate) fn answers_by_itself(site: &Site) -> [(String, String); 3] {
    let host = site.contact;
    [
        ("Answer-Mode".to_owned(), "Auto".to_owned()),
        ("Call-Info".to_owned(), format!("<sip:{host}>;answer-after=0")),
        ("Alert-Info".to_owned(), format!("<sip:{host}>;info=alert-autoanswer;delay=0")),
    ]
}

/// Who calls, as somebody outside sees it: the service that was dialled, never the caller's number.
pub(crate) fn ours(site: &Site, call: &Call) -> String {
    format!("<sip:{}@{}>", user_part(&call.record.called), site.contact)
}

/// Bytes of a number that are shown. Numbers have 15 digits, with a dial string around them some 40;
/// more would not fit into the datagram of the INVITE, and the phone would never ring.
const NUMBER_MAX: usize = 64;

/// A user part that cannot break out of its URI (RFC 3261 §25.1): what is not unreserved is escaped.
pub(crate) fn user_part(number: &str) -> String {
    let mut out = String::with_capacity(number.len().min(NUMBER_MAX));
    for byte in number.bytes().take(NUMBER_MAX) {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => out.push(char::from(byte)),
            b'+' | b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'(' | b')' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// A quoted string (RFC 3261 §25.1).
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for sign in text.chars().filter(|sign| !sign.is_control()) {
        if matches!(sign, '"' | '\\') {
            out.push('\\');
        }
        out.push(sign);
    }
    out.push('"');
    out
}

/// A header value of ours that holds a name of the plan.
fn word(name: &str) -> String {
    name.chars().filter(|sign| !sign.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_from_the_network_cannot_add_a_header() {
        assert_eq!(user_part("0612345678"), "0612345678");
        assert_eq!(user_part("+33612345678"), "+33612345678");
        assert_eq!(user_part("06>\r\nX: y"), "06%3E%0D%0AX%3A%20y");
        assert_eq!(quoted("vital \"x\"\r\n"), "\"vital \\\"x\\\"\"");
    }
}
