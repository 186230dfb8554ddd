//! What an INVITE says beside who calls whom: who has passed it on, how urgent another centre holds it,
//! what the network vouches for. Logged, kept with the call, and said again to whoever it is passed on
//! to. Never a reason to refuse.

use crate::call::event::Private;
use sip::endpoint::Invite;
use sip::header::name_addr::NameAddr;
use sip::header::stir;
use sip::message::Commas;

/// Times a call may have been passed on before we pass it on by ourselves. Two centres that overflow into
/// each other would pass it for ever; a chain of mutual aid has two or three links.
pub const PASSED_MAX: usize = 5;

/// What marks a call back (RFC 7090, RFC 4412): it passes call barring at the other end, and is answered.
const CALLED_BACK: [(&str, &str); 2] = [("Priority", "psap-callback"), ("Resource-Priority", "esnet.0")];

/// Headers that go on with the call.
const KEPT: [&str; 3] = ["Diversion", "History-Info", "Resource-Priority"];

/// The headers of a call back.
pub fn called_back() -> Vec<(String, String)> {
    CALLED_BACK.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// The signs on one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// How well the network knows the caller (`A`, `B`, `C`), by its own word.
    pub attested: Option<char>,
    /// Who has passed the call on, the latest first.
    pub passed_by: Vec<Private>,
    /// The values of Resource-Priority, `esnet.1` ...
    pub priority: Option<String>,
    /// Entries of History-Info, each a place the call has been at.
    places: usize,
    kept: Vec<(String, String)>,
}

impl Signs {
    /// Reads them.
    pub fn of(invite: &Invite) -> Signs {
        let all = |name: &'static str| {
            let lines = invite.headers.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name));
            lines.map(|(_, value)| value.as_str())
        };
        let user = |item: &[u8]| NameAddr::read(item)?.uri.number().map(Private);
        let passed_by = all("Diversion").flat_map(|line| Commas::of(line.as_bytes())).filter_map(user);
        let kept = invite.headers.iter().filter(|(name, _)| KEPT.contains(&name.as_str()));
        Signs {
            attested: all("Identity").find_map(stir::attestation).map(stir::Attest::letter),
            passed_by: passed_by.collect(),
            priority: all("Resource-Priority").next().map(str::to_owned),
            places: all("History-Info").flat_map(|line| Commas::of(line.as_bytes())).count(),
            kept: kept.cloned().collect(),
        }
    }

    /// True when there is anything to tell of.
    pub fn is_any(&self) -> bool {
        *self != Signs::default()
    }

    /// The loop guard: whether the call may be passed on without a person's wish. `ours` is the number
    /// it was dialled by: a call that has been through us with it comes round.
    pub fn may_be_passed_on(&self, ours: &str) -> bool {
        let been_here = self.passed_by.iter().any(|by| by.0 == ours);
        !been_here && self.passed_by.len() < PASSED_MAX && self.places < 2 * PASSED_MAX
    }

    /// The headers of a call of ours that passes this one on: what came with it, ourselves on top
    /// (RFC 5806 §5). `ours`: the address we are called by, in its brackets.
    pub fn onward(&self, ours: &str) -> Vec<(String, String)> {
        let mut headers = vec![("Diversion".to_owned(), format!("{ours};reason=deflection;counter=1"))];
        headers.extend_from_slice(&self.kept);
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(passed: usize, places: usize) -> Signs {
        let by = (0..passed).map(|n| Private(format!("+3314449{n:04}")));
        Signs { passed_by: by.collect(), places, ..Signs::default() }
    }

    #[test]
    fn a_call_that_comes_round_or_has_gone_far_is_passed_on_by_people_only() {
        assert!(signs(0, 0).may_be_passed_on("15"));
        assert!(signs(PASSED_MAX - 1, 4).may_be_passed_on("15"));
        assert!(!signs(PASSED_MAX, 0).may_be_passed_on("15"));
        assert!(!signs(0, 2 * PASSED_MAX).may_be_passed_on("15"));
        assert!(!signs(2, 0).may_be_passed_on("+33144490001"), "it has been here");
    }

    #[test]
    fn what_came_with_a_call_goes_on_with_it_and_we_stand_on_top() {
        let kept = vec![("Resource-Priority".to_owned(), "esnet.1".to_owned())];
        let onward = Signs { kept, ..Signs::default() }.onward("<sip:15@192.0.2.1>");
        assert_eq!(onward[0].1, "<sip:15@192.0.2.1>;reason=deflection;counter=1");
        assert_eq!(onward[1], ("Resource-Priority".to_owned(), "esnet.1".to_owned()));
        assert!(!format!("{:?}", signs(1, 0)).contains("4449"), "numbers do not print");
    }
}
