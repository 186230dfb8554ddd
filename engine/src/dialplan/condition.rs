//! What a `when` asks of a call: clauses, each of which must hold, and each of which can say in words
//! why it does or does not.

use super::calendar::{Calendar, Local};
use super::{Dialplan, Earlier, Facts, Repeat, State};
use std::time::Duration;

/// Every clause must hold. Without one it is true of every call: only the default's may be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Condition(pub(super) Vec<Clause>);

/// One thing a condition asks.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Clause {
    /// Places in the plan's services.
    Service(Vec<u16>),
    Called(Vec<String>),
    Urn(Vec<String>),
    Trunk(Vec<String>),
    Caller(Vec<Beginning>),
    Withheld(bool),
    Location(Vec<Beginning>),
    /// Places in the plan's calendars.
    Open(usize),
    Closed(usize),
    Header(String, String),
    Repeat(Earlier, Duration),
    Crisis(bool),
    /// A queue's place in the plan, and how it must stand.
    Queue(usize, Threshold),
    Centre(Threshold),
}

/// A text, or every text that begins like it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Beginning {
    pub(super) begins: String,
    pub(super) exact: bool,
}

impl Beginning {
    fn holds(&self, text: &str) -> bool {
        if self.exact { text == self.begins } else { text.starts_with(&self.begins) }
    }

    fn covers(&self, other: &Beginning) -> bool {
        if self.exact { self == other } else { other.begins.starts_with(&self.begins) }
    }
}

/// How a queue, or the centre, must stand. Every part that is given must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Threshold {
    pub(super) waiting_from: Option<u32>,
    pub(super) longest_wait_from: Option<Duration>,
    pub(super) free_below: Option<u32>,
    pub(super) signed_in_below: Option<u32>,
}

impl Threshold {
    fn holds(&self, state: State) -> bool {
        self.waiting_from.is_none_or(|least| state.waiting >= least)
            && self.longest_wait_from.is_none_or(|least| state.longest_wait >= least)
            && self.free_below.is_none_or(|most| state.free < most)
            && self.signed_in_below.is_none_or(|most| state.signed_in < most)
    }

    /// Whether it holds whenever `other` does.
    fn covers(&self, other: &Threshold) -> bool {
        fn at_least<T: PartialOrd>(wide: Option<T>, narrow: Option<T>) -> bool {
            wide.is_none_or(|wide| narrow.is_some_and(|narrow| wide <= narrow))
        }
        fn below(wide: Option<u32>, narrow: Option<u32>) -> bool {
            wide.is_none_or(|wide| narrow.is_some_and(|narrow| wide >= narrow))
        }
        at_least(self.waiting_from, other.waiting_from)
            && at_least(self.longest_wait_from, other.longest_wait_from)
            && below(self.free_below, other.free_below)
            && below(self.signed_in_below, other.signed_in_below)
    }

    pub(super) fn words(&self) -> String {
        let count = |number: Option<u32>, before: &str, after: &str| {
            number.map(|number| format!("{before}{number} {after}"))
        };
        let wait = self.longest_wait_from.map(|wait| format!("a longest wait from {}", seconds(wait)));
        let parts = [
            count(self.waiting_from, "", "waiting or more"),
            wait,
            count(self.free_below, "fewer than ", "free"),
            count(self.signed_in_below, "fewer than ", "signed in"),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }
}

/// One call's facts, with what is derived from them once.
pub(super) struct Case<'c> {
    pub(super) facts: &'c Facts<'c>,
    pub(super) service: Option<u16>,
    pub(super) local: Local,
    pub(super) calendars: &'c [Calendar],
    /// The earlier call, when it was the same person's.
    pub(super) repeat: Option<Repeat>,
}

impl Condition {
    pub(super) fn holds(&self, case: &Case<'_>) -> bool {
        self.0.iter().all(|clause| clause.holds(case))
    }

    /// As [`Condition::holds`], for a call of which the clauses that records do not keep held once.
    pub(super) fn held_once(&self, case: &Case<'_>) -> bool {
        self.0.iter().all(|clause| clause.is_unrecorded() || clause.holds(case))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, wanted: impl Fn(&Clause) -> bool) -> bool {
        self.0.iter().any(wanted)
    }

    /// Whether it is true whenever `other` is, as far as can be seen from the text.
    pub(super) fn follows_from(&self, other: &Condition) -> bool {
        self.0.iter().all(|wide| other.has(|narrow| wide.covers(narrow)))
    }

    /// The one clause that keeps it from following from `other`; `None` when there are more, or none.
    pub(super) fn only_gap(&self, other: &Condition) -> Option<&Clause> {
        let mut gaps = self.0.iter().filter(|wide| !other.has(|narrow| wide.covers(narrow)));
        gaps.next().filter(|_| gaps.next().is_none())
    }
}

impl Clause {
    pub(super) fn holds(&self, case: &Case<'_>) -> bool {
        let facts = case.facts;
        let among = |list: &[String], fact: &str| list.iter().any(|item| item.eq_ignore_ascii_case(fact));
        let begins = |list: &[Beginning], fact: &str| list.iter().any(|item| item.holds(fact));
        let open = |place: &usize| case.calendars.get(*place).map(|calendar| calendar.is_open(case.local));
        match self {
            Clause::Service(services) => case.service.is_some_and(|service| services.contains(&service)),
            Clause::Called(list) => among(list, facts.called),
            Clause::Urn(list) => facts.urn.is_some_and(|urn| among(list, urn)),
            Clause::Trunk(list) => among(list, facts.trunk),
            Clause::Caller(list) => facts.caller.is_some_and(|caller| begins(list, caller)),
            Clause::Withheld(wanted) => *wanted == facts.withheld,
            Clause::Location(list) => facts.location.is_some_and(|place| begins(list, place)),
            Clause::Open(place) => open(place) == Some(true),
            Clause::Closed(place) => open(place) == Some(false),
            Clause::Header(name, wanted) => facts
                .headers
                .iter()
                .any(|(known, value)| known.eq_ignore_ascii_case(name) && like(value.trim(), wanted)),
            Clause::Repeat(outcome, within) => {
                case.repeat.is_some_and(|repeat| repeat.outcome == *outcome && repeat.ago <= *within)
            }
            Clause::Crisis(wanted) => *wanted == facts.room.crisis,
            Clause::Queue(place, threshold) => {
                facts.room.queues.get(*place).is_some_and(|state| threshold.holds(*state))
            }
            Clause::Centre(threshold) => facts.room.whole.is_some_and(|state| threshold.holds(state)),
        }
    }

    /// Whether it holds whenever `other` does.
    fn covers(&self, other: &Clause) -> bool {
        fn all<T: PartialEq>(wide: &[T], narrow: &[T]) -> bool {
            narrow.iter().all(|item| wide.contains(item))
        }
        fn wider(wide: &[Beginning], narrow: &[Beginning]) -> bool {
            narrow.iter().all(|narrow| wide.iter().any(|wide| wide.covers(narrow)))
        }
        match (self, other) {
            (Clause::Service(wide), Clause::Service(narrow)) => all(wide, narrow),
            (Clause::Called(wide), Clause::Called(narrow))
            | (Clause::Urn(wide), Clause::Urn(narrow))
            | (Clause::Trunk(wide), Clause::Trunk(narrow)) => all(wide, narrow),
            (Clause::Caller(wide), Clause::Caller(narrow))
            | (Clause::Location(wide), Clause::Location(narrow)) => wider(wide, narrow),
            (Clause::Repeat(outcome, longer), Clause::Repeat(other, shorter)) => {
                outcome == other && longer >= shorter
            }
            (Clause::Queue(place, wide), Clause::Queue(other, narrow)) => {
                place == other && wide.covers(narrow)
            }
            (Clause::Centre(wide), Clause::Centre(narrow)) => wide.covers(narrow),
            (same, other) => same == other,
        }
    }

    /// Whether exactly one of the two holds, whatever the call.
    pub(super) fn is_opposite(&self, other: &Clause) -> bool {
        match (self, other) {
            (Clause::Open(one), Clause::Closed(two)) | (Clause::Closed(one), Clause::Open(two)) => one == two,
            (Clause::Withheld(one), Clause::Withheld(two)) | (Clause::Crisis(one), Clause::Crisis(two)) => {
                one != two
            }
            _ => false,
        }
    }

    /// Whether it asks for what a call's record does not keep.
    fn is_unrecorded(&self) -> bool {
        matches!(
            self,
            Clause::Urn(_)
                | Clause::Location(_)
                | Clause::Header(..)
                | Clause::Crisis(_)
                | Clause::Queue(..)
                | Clause::Centre(_)
        )
    }

    /// What it asks, whoever calls.
    pub(super) fn asks(&self, plan: &Dialplan) -> String {
        let calendar = |place: &usize| plan.calendars.get(*place).map_or("", |calendar| &calendar.name);
        let yes = |on: bool| if on { "yes" } else { "no" };
        match self {
            Clause::Service(list) => {
                format!("service {}", any(list.iter().map(|service| plan.service_name(*service))))
            }
            Clause::Called(list) => format!("called {}", any(texts(list))),
            Clause::Urn(list) => format!("urn {}", any(texts(list))),
            Clause::Trunk(list) => format!("trunk {}", any(texts(list))),
            Clause::Caller(list) => format!("caller {}", any(beginnings(list))),
            Clause::Withheld(wanted) => format!("withheld {}", yes(*wanted)),
            Clause::Location(list) => format!("location {}", any(beginnings(list))),
            Clause::Open(place) => format!("calendar {} open", calendar(place)),
            Clause::Closed(place) => format!("calendar {} closed", calendar(place)),
            Clause::Header(name, wanted) => format!("header {name} {wanted}"),
            Clause::Repeat(outcome, within) => format!("repeat {outcome} within {}", seconds(*within)),
            Clause::Crisis(wanted) => format!("crisis {}", yes(*wanted)),
            Clause::Queue(place, threshold) => {
                let name = plan.queues.get(*place).map_or("", |queue| &queue.name);
                format!("queue {name} with {}", threshold.words())
            }
            Clause::Centre(threshold) => format!("centre with {}", threshold.words()),
        }
    }

    /// What it asks and what it found, in words.
    pub(super) fn words(&self, plan: &Dialplan, case: &Case<'_>) -> String {
        let facts = case.facts;
        let holds = self.holds(case);
        let is = |what: &str, found: Option<&str>, wanted: String| match (holds, found) {
            (true, _) => format!("{what} is {wanted}"),
            (false, Some(found)) => format!("{what} is {found}, not {wanted}"),
            (false, None) => format!("{what} is not known, and {wanted} is asked for"),
        };
        let calendar = |place: &usize| plan.calendars.get(*place).map_or("", |calendar| &calendar.name);
        match self {
            Clause::Service(list) => {
                let found = case.service.map_or(Dialplan::UNKNOWN, |service| plan.service_name(service));
                is("the service", Some(found), any(list.iter().map(|service| plan.service_name(*service))))
            }
            Clause::Called(list) => is("the number called", Some(facts.called), any(texts(list))),
            Clause::Urn(list) => match facts.urn {
                None => format!("the call carries no service URN, and {} is asked for", any(texts(list))),
                urn => is("the service URN", urn, any(texts(list))),
            },
            Clause::Trunk(list) => is("the trunk", Some(facts.trunk), any(texts(list))),
            Clause::Caller(list) => is("the caller's number", facts.caller, any(beginnings(list))),
            Clause::Location(list) => is("the caller's place", facts.location, any(beginnings(list))),
            Clause::Withheld(wanted) => match (wanted, holds) {
                (true, true) | (false, false) => "the caller withholds the number".into(),
                _ => "the caller does not withhold the number".into(),
            },
            Clause::Open(place) | Clause::Closed(place) => {
                let open = matches!(self, Clause::Open(_)) == holds;
                let state = if open { "open" } else { "closed" };
                format!("calendar {} is {state} on {}", calendar(place), case.local)
            }
            Clause::Header(name, wanted) => {
                let found = facts.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
                is(&format!("the header {name}"), found.map(|(_, value)| value.as_str()), wanted.clone())
            }
            Clause::Repeat(outcome, within) => repeat_words(*outcome, *within, case),
            Clause::Crisis(_) if facts.room.crisis => "a major event is open".into(),
            Clause::Crisis(_) => "no major event is open".into(),
            Clause::Queue(place, threshold) => {
                let name = plan.queues.get(*place).map_or("", |queue| &queue.name);
                stands(&format!("queue {name}"), facts.room.queues.get(*place), *threshold)
            }
            Clause::Centre(threshold) => stands("the centre", facts.room.whole.as_ref(), *threshold),
        }
    }
}

fn texts(list: &[String]) -> impl Iterator<Item = &str> + Clone {
    list.iter().map(String::as_str)
}

fn beginnings(list: &[Beginning]) -> impl Iterator<Item = String> {
    list.iter().map(|item| format!("{}{}", item.begins, if item.exact { "" } else { "*" }))
}

fn any(list: impl Iterator<Item = impl Into<String>>) -> String {
    list.map(Into::into).collect::<Vec<String>>().join(" or ")
}

/// `90s`, `5m`, `2h`: as plans write durations.
pub(super) fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        whole if whole > 0 && whole.is_multiple_of(3600) => format!("{}h", whole / 3600),
        whole if whole > 0 && whole.is_multiple_of(60) => format!("{}m", whole / 60),
        whole => format!("{whole}s"),
    }
}

fn repeat_words(outcome: Earlier, within: Duration, case: &Case<'_>) -> String {
    let wanted = format!("{outcome} within {}", seconds(within));
    match (case.repeat, case.facts.repeat) {
        (Some(repeat), _) => {
            let found = format!("{} {} ago", repeat.outcome, seconds(repeat.ago));
            if repeat.outcome == outcome && repeat.ago <= within {
                format!("the earlier call was {found}")
            } else {
                format!("the earlier call was {found}, and {wanted} is asked for")
            }
        }
        (None, Some(_)) => {
            "a withheld number, a partner's line or a call without number is not one person".into()
        }
        (None, None) => format!("there is no earlier call, and one {wanted} is asked for"),
    }
}

fn stands(what: &str, state: Option<&State>, threshold: Threshold) -> String {
    let wanted = threshold.words();
    let Some(state) = state else {
        return format!("how {what} stands is not known, and {wanted} is asked for");
    };
    let found = format!(
        "{what} has {} waiting, the longest for {}, {} free and {} signed in",
        state.waiting,
        seconds(state.longest_wait),
        state.free,
        state.signed_in
    );
    if threshold.holds(*state) { found } else { format!("{found}, and {wanted} is asked for") }
}

/// Compares without case; a `*` at either end of `wanted` stands for anything.
pub(super) fn like(value: &str, wanted: &str) -> bool {
    let (value, wanted) = (value.as_bytes(), wanted.as_bytes());
    let (open_start, wanted) = wanted.strip_prefix(b"*").map_or((false, wanted), |rest| (true, rest));
    let (open_end, wanted) = wanted.strip_suffix(b"*").map_or((false, wanted), |rest| (true, rest));
    let Some(spare) = value.len().checked_sub(wanted.len()) else { return false };
    // Where in the value it may begin.
    let mut starts = match (open_start, open_end) {
        (false, false) if spare > 0 => return false,
        (false, _) => 0..=0,
        (true, false) => spare..=spare,
        (true, true) => 0..=spare,
    };
    starts.any(|start| value[start..start + wanted.len()].eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_at_either_end_stands_for_anything() {
        let value = "<sip:+33388000112@cta67.example>;reason=unconditional";
        for wanted in ["*", "*+33388000112*", "<SIP:*", "*=Unconditional", value] {
            assert!(like(value, wanted), "{wanted}");
        }
        for wanted in ["", "+33388000112*", "*+33388000112", "*18*", &format!("{value}{value}")] {
            assert!(!like(value, wanted), "{wanted}");
        }
        assert!(like("", "") && like("", "*") && !like("", "x*"));
    }

    #[test]
    fn a_threshold_holds_at_its_very_numbers() {
        let state = State { waiting: 5, longest_wait: Duration::from_secs(60), free: 2, signed_in: 3 };
        let all = |waiting, wait, free, signed_in| Threshold {
            waiting_from: Some(waiting),
            longest_wait_from: Some(Duration::from_secs(wait)),
            free_below: Some(free),
            signed_in_below: Some(signed_in),
        };
        assert!(all(5, 60, 3, 4).holds(state) && Threshold::default().holds(state));
        for wrong in [all(6, 60, 3, 4), all(5, 61, 3, 4), all(5, 60, 2, 4), all(5, 60, 3, 3)] {
            assert!(!wrong.holds(state), "{wrong:?}");
        }
        assert_eq!(
            all(5, 60, 3, 4).words(),
            "5 waiting or more and a longest wait from 1m and fewer than 3 free and fewer than 4 signed in"
        );
    }

    #[test]
    fn a_wider_threshold_covers_a_narrower_one() {
        let waiting = |least| Threshold { waiting_from: Some(least), ..Threshold::default() };
        let free = |most| Threshold { free_below: Some(most), ..Threshold::default() };
        assert!(waiting(5).covers(&waiting(5)) && waiting(5).covers(&waiting(6)));
        assert!(!waiting(6).covers(&waiting(5)) && !waiting(5).covers(&Threshold::default()));
        assert!(free(3).covers(&free(3)) && free(3).covers(&free(2)) && !free(2).covers(&free(3)));
        assert!(Threshold::default().covers(&free(2)) && !free(2).covers(&waiting(5)));
    }
}
