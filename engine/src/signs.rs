//! What an INVITE says beside who calls whom: who has passed it on, how urgent another centre holds it,
//! what the network vouches for. Logged, kept with the call, and said again to whoever it is passed on
//! to. Never a reason to refuse.

use crate::call::event::{Attested, Private, Signed};
use sip::header::name_addr::NameAddr;
use sip::header::stir::{self, Attest};
use sip::message::{Commas, Uri};

/// Times a call may have been passed on before we pass it on by ourselves. Two centres that overflow into
/// each other would pass it for ever; a chain of mutual aid has two or three links.
pub const PASSED_MAX: usize = 5;

/// Those who have passed a call on that are shown and kept: as many as may have, and some. More would fill
/// a page and its record with whatever one INVITE holds.
const SHOWN_MAX: usize = 8;

/// What marks a call back (RFC 7090, RFC 4412): it passes call barring at the other end, and is answered.
const CALLED_BACK: [(&str, &str); 2] = [("Priority", "psap-callback"), ("Resource-Priority", "esnet.0")];

/// Headers that go on with the call.
const KEPT: [&str; 3] = ["Diversion", "History-Info", "Resource-Priority"];

/// The namespaces of Resource-Priority that are registered (RFC 4412, 7135, 8101, 8443). Anything else
/// is passed on and not read: it goes into logs, where a peer's own words have no place.
const NAMESPACES: [&str; 8] = ["dsn", "drsn", "q735", "ets", "wps", "esnet", "mcpttp", "mcpttq"];

/// The headers of a call back.
pub fn called_back() -> Vec<(String, String)> {
    CALLED_BACK.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// The protocol of a Reason, of those that are registered: it is a label of metrics and stands in logs.
pub(crate) fn protocol(named: &str) -> &'static str {
    let known = ["Q.850", "SIP", "Preemption", "STIR", "Emergency"];
    known.into_iter().find(|it| it.eq_ignore_ascii_case(named)).unwrap_or("other")
}

/// The signs on one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// What is shown, kept and logged of them.
    pub said: Signed,
    /// Times it has been passed on, as its Diversions count.
    passed: usize,
    /// Entries of History-Info, each a place the call has been at.
    places: usize,
    /// It has been at the number it comes for, and elsewhere since.
    been_here: bool,
    kept: Vec<(String, String)>,
}

/// A place the call has been at, of History-Info (RFC 7044).
struct Place {
    number: Option<String>,
    /// It says why the call was sent on from there.
    left: bool,
}

impl Signs {
    /// Reads them among the headers of an INVITE. `ours`: the number the call comes for.
    pub fn of(headers: &[(String, String)], ours: &str) -> Signs {
        let all = |name: &'static str| {
            let lines = headers.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name));
            lines.map(|(_, value)| value.as_str())
        };
        let items = |name| all(name).flat_map(|line| Commas::of(line.as_bytes()));
        let diversions: Vec<_> = items("Diversion").filter_map(NameAddr::read).collect();
        let places: Vec<Place> = items("History-Info").map(Place::read).collect();
        let elsewhere = Place::elsewhere(&places, ours);
        let mut passed_by: Vec<String> = diversions.iter().filter_map(|by| by.uri.number()).collect();
        let before = elsewhere.iter().filter_map(|place| place.number.as_ref());
        let been_here = passed_by.iter().chain(before).any(|number| number == ours);
        if passed_by.is_empty() {
            passed_by = elsewhere.iter().rev().filter_map(|place| place.number.clone()).collect();
            passed_by.dedup();
        }
        passed_by.truncate(SHOWN_MAX);
        let kept = headers.iter().filter(|(name, _)| KEPT.contains(&name.as_str()));
        let said = Signed {
            attested: attested(all("Identity")),
            passed_by: passed_by.into_iter().map(Private).collect(),
            priority: items("Resource-Priority").find_map(priority),
        };
        let passed = diversions.iter().map(counted).fold(0, usize::saturating_add);
        Signs { said, passed, places: places.len(), been_here, kept: kept.cloned().collect() }
    }

    /// True when there is anything to tell of.
    pub fn is_any(&self) -> bool {
        *self != Signs::default()
    }

    /// The loop guard: whether the call may be passed on without a person's wish. One that has been through
    /// us with the number it was dialled by comes round.
    pub fn may_be_passed_on(&self) -> bool {
        !self.been_here && self.passed < PASSED_MAX && self.places < 2 * PASSED_MAX
    }

    /// The headers of a call of ours that passes this one on: what came with it, ourselves on top
    /// (RFC 5806 §5). `ours`: the address we are called by, in its brackets.
    pub fn onward(&self, ours: &str) -> Vec<(String, String)> {
        let mut headers = vec![("Diversion".to_owned(), format!("{ours};reason=deflection;counter=1"))];
        headers.extend_from_slice(&self.kept);
        headers
    }
}

impl Place {
    fn read(item: &[u8]) -> Place {
        let uri = NameAddr::read(item).map(|it| it.uri);
        let why = |headers: &str| headers.to_ascii_lowercase().contains("reason=");
        let left = matches!(uri, Some(Uri::Sip { headers: Some(headers), .. }) if why(headers));
        Place { number: uri.and_then(|uri| uri.number()), left }
    }

    /// The places up to the last one that is not ours. The end of the list is where the call stands: every
    /// network on the way to us writes our own number there, often more than once, and that is no loop.
    fn elsewhere<'a>(places: &'a [Place], ours: &str) -> &'a [Place] {
        let stands = |at: usize, place: &Place| {
            place.number.as_deref() == Some(ours) || (at + 1 == places.len() && !place.left)
        };
        let last = places.iter().enumerate().rfind(|(at, place)| !stands(*at, place));
        let end = last.map_or(0, |(at, _)| at + 1);
        places.get(..end).unwrap_or_default()
    }
}

/// What the signatures on a call say of its caller; the first that says anything.
fn attested<'a>(mut signatures: impl Iterator<Item = &'a str> + Clone) -> Option<Attested> {
    let read = signatures.clone().find_map(stir::attestation).map(|attest| match attest {
        Attest::Full => Attested::A,
        Attest::Partial => Attested::B,
        Attest::Gateway => Attested::C,
    });
    read.or_else(|| signatures.next().map(|_| Attested::Unreadable))
}

/// How often a Diversion says that the call was passed on: its counter (RFC 5806 §4), or once.
fn counted(diversion: &NameAddr<'_>) -> usize {
    diversion.params.value("counter").and_then(|counter| counter.parse().ok()).unwrap_or(1).max(1)
}

/// A value of Resource-Priority: namespace and level (RFC 4412 §3.1).
fn priority(item: &[u8]) -> Option<String> {
    let value = std::str::from_utf8(item).ok()?.trim().to_ascii_lowercase();
    let (space, level) = value.split_once('.')?;
    // `dsn-000001` and the like are parts of their own of a namespace (RFC 7134).
    let known = NAMESPACES.contains(&space.split('-').next().unwrap_or_default());
    let is_part = space.len() <= "dsn-000001".len();
    // Levels are a digit or two, or a word.
    let is_word =
        |level: &str| level.len() <= LEVEL_MAX && level.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let is_digits = |level: &str| level.len() <= 2 && level.bytes().all(|b| b.is_ascii_digit());
    let is_level = !level.is_empty() && (is_word(level) || is_digits(level));
    (known && is_part && is_level).then_some(value)
}

/// Bytes of a level: `flash-override-override` is the longest.
const LEVEL_MAX: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    /// The loop guard's word on a call for 15 that comes with these headers.
    fn guard(headers: &[(&str, &str)]) -> bool {
        read(headers).may_be_passed_on()
    }

    fn read(headers: &[(&str, &str)]) -> Signs {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Signs::of(&headers.collect::<Vec<_>>(), "15")
    }

    fn diversions(count: usize) -> String {
        let by: Vec<String> = (0..count).map(|n| format!("<sip:+3314449{n:04}@h>;reason=x")).collect();
        by.join(", ")
    }

    #[test]
    fn a_call_that_comes_round_or_has_gone_far_is_passed_on_by_people_only() {
        assert!(guard(&[]));
        assert!(guard(&[("Diversion", &diversions(PASSED_MAX - 1))]));
        assert!(!guard(&[("Diversion", &diversions(PASSED_MAX))]));
        assert!(!guard(&[("Diversion", "<sip:+33144490001@h>, <tel:15>;reason=x")]), "it has been here");
        let places = ["<sip:+33144490001@h>"; 2 * PASSED_MAX].join(",");
        assert!(!guard(&[("History-Info", &places)]));
    }

    #[test]
    fn a_diversion_counts_as_often_as_it_says() {
        assert!(guard(&[("Diversion", "<sip:+33144490001@h>;counter=4")]));
        assert!(!guard(&[("Diversion", "<sip:+33144490001@h>;counter=99")]));
        assert!(!guard(&[("Diversion", "<sip:1@h>;counter=3"), ("Diversion", "<sip:2@h>;counter=2")]));
        assert!(guard(&[("Diversion", "<sip:1@h>;counter=0, <sip:2@h>;counter=x, <sip:3@h>")]));
        assert!(!guard(&[("Diversion", "<sip:1@h>;counter=18446744073709551615, <sip:2@h>")]));
    }

    #[test]
    fn a_history_that_leads_from_us_over_another_and_back_is_a_loop() {
        assert!(!guard(&[(
            "History-Info",
            "<sip:15@h>;index=1, <sip:+33144490001@h>;index=1.1, <sip:15@h>;index=1.1.1"
        )]));
        let sent_on = "<sip:15@h>;index=1, <sip:+33144490001@h?Reason=SIP%3Bcause%3D302>;index=1.1";
        assert!(!guard(&[("History-Info", sent_on)]), "whoever sent it back wrote no place of ours");
    }

    #[test]
    fn our_own_number_where_the_call_stands_is_no_loop() {
        assert!(guard(&[("History-Info", "<sip:15@h>;index=1")]));
        assert!(guard(&[("History-Info", "<sip:15@h>;index=1, <sip:15@192.0.2.1>;index=1.1")]));
        assert!(guard(&[("History-Info", "<sip:112@h>;index=1, <sip:15@h>;index=1.1")]));
        assert!(
            guard(&[("History-Info", "<sip:15@h>;index=1, <sip:+33388000015@h>;index=1.1")]),
            "as delivered"
        );
    }

    #[test]
    fn who_has_passed_a_call_on_is_read_of_diversions_and_else_of_its_history() {
        let by = |headers: &[(&str, &str)]| -> Vec<String> {
            read(headers).said.passed_by.into_iter().map(|Private(by)| by).collect()
        };
        let history = ("History-Info", "<sip:18@h>;index=1, <sip:112@h>;index=1.1, <sip:15@h>;index=1.2");
        assert_eq!(by(&[history]), ["112", "18"], "the latest first");
        assert_eq!(by(&[history, ("Diversion", "<sip:17@h>")]), ["17"]);
        assert_eq!(by(&[("Diversion", &diversions(40))]).len(), SHOWN_MAX);
        assert!(by(&[("History-Info", "<sip:15@h>;index=1")]).is_empty());
    }

    #[test]
    fn a_signature_that_cannot_be_read_is_told_from_none() {
        let attested = |identity| read(&[("Identity", identity)]).said.attested;
        assert_eq!(read(&[]).said.attested, None);
        assert_eq!(attested("x.eyJhdHRlc3QiOiJCIn0.y;info=<https://c>"), Some(Attested::B));
        assert_eq!(attested("no token at all"), Some(Attested::Unreadable));
    }

    #[test]
    fn a_priority_is_read_of_a_namespace_that_exists_and_never_a_peers_own_words() {
        let priority = |value| read(&[("Resource-Priority", value)]).said.priority;
        assert_eq!(priority("esnet.1").as_deref(), Some("esnet.1"));
        assert_eq!(priority("jean.dupont, DSN-000001.Flash").as_deref(), Some("dsn-000001.flash"));
        for odd in ["", "esnet", "esnet.", "+33612345678", "esnet.+33", "ets.0612345678", "esnet.\u{e9}"] {
            assert_eq!(priority(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_reason_has_a_protocol_that_exists() {
        assert_eq!([protocol("q.850"), protocol("SIP"), protocol("+33612345678")], ["Q.850", "SIP", "other"]);
    }

    #[test]
    fn what_came_with_a_call_goes_on_with_it_and_we_stand_on_top() {
        let signs = read(&[("Resource-Priority", "esnet.1"), ("Diversion", &diversions(1))]);
        let onward = signs.onward("<sip:15@192.0.2.1>");
        assert_eq!(onward[0].1, "<sip:15@192.0.2.1>;reason=deflection;counter=1");
        assert_eq!(onward[1], ("Resource-Priority".to_owned(), "esnet.1".to_owned()));
        assert!(!format!("{:?}", signs.said).contains("4449"), "numbers do not print");
    }
}
