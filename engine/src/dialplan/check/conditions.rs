//! Checks a `when`: everything it names exists, and some call could make it true.

use super::queues::count;
use super::{Names, find, within};
use crate::dialplan::condition::{Beginning, Clause, Condition, Threshold};
use crate::dialplan::draft::{At, ThresholdDraft, WhenDraft, one_of};
use crate::dialplan::error::{Flaw, Problem, RouteFault};
use crate::dialplan::grammar::OUTCOMES;
use crate::dialplan::{Earlier, Facts};

impl Names<'_> {
    pub(super) fn condition(&self, draft: &WhenDraft) -> Result<Condition, Flaw> {
        let mut clauses = Vec::new();
        self.of_the_call(draft, &mut clauses)?;
        self.of_the_moment(draft, &mut clauses)?;
        let condition = Condition(clauses);
        if condition.is_empty() {
            return Err(Flaw::new(draft.at, RouteFault::EmptyCondition));
        }
        match self.contradiction(draft, &condition) {
            None => Ok(condition),
            Some(why) => Err(Flaw::new(draft.at, RouteFault::NeverTrue { why })),
        }
    }

    /// Who calls whom, and how.
    fn of_the_call(&self, draft: &WhenDraft, clauses: &mut Vec<Clause>) -> Result<(), Flaw> {
        let plain = |texts: &[At<String>]| texts.iter().map(|text| text.is.clone()).collect::<Vec<_>>();
        if !draft.service.is_empty() {
            let names = || self.services.iter().map(|known| known.name.as_str());
            let services = draft.service.iter().map(|service| {
                let place = find("service", service, names())?;
                Ok(u16::try_from(place).unwrap_or(u16::MAX))
            });
            clauses.push(Clause::Service(services.collect::<Result<_, Flaw>>()?));
        }
        for called in &draft.called {
            find("number", called, self.numbers.iter().map(String::as_str))?;
        }
        for urn in &draft.urn {
            if !urn.is.to_ascii_lowercase().starts_with("urn:service:") {
                return Err(Flaw::new(urn.at, Problem::Number { number: urn.is.clone() }));
            }
        }
        if let Some(trunks) = self.around.trunks {
            for trunk in &draft.trunk {
                find("trunk", trunk, trunks.iter().map(String::as_str).chain([Facts::INTERNAL]))?;
            }
        }
        let lists = [
            (&draft.called, Clause::Called as fn(Vec<String>) -> Clause),
            (&draft.urn, Clause::Urn),
            (&draft.trunk, Clause::Trunk),
        ];
        clauses.extend(lists.iter().filter(|(list, _)| !list.is_empty()).map(|(list, of)| of(plain(list))));
        if !draft.caller.is_empty() {
            clauses.push(Clause::Caller(draft.caller.iter().map(caller).collect::<Result<_, _>>()?));
        }
        clauses.extend(draft.withheld.map(Clause::Withheld));
        if !draft.location.is_empty() {
            clauses.push(Clause::Location(draft.location.iter().map(location).collect::<Result<_, _>>()?));
        }
        for (name, value) in &draft.header {
            if !Facts::HEADERS.iter().any(|header| header.eq_ignore_ascii_case(&name.is)) {
                find("header", name, Facts::HEADERS.into_iter())?;
            }
            clauses.push(Clause::Header(name.is.clone(), value.is.clone()));
        }
        if let Some((outcome, within)) = &draft.repeat {
            clauses.push(Clause::Repeat(earlier(outcome)?, within.is));
        }
        Ok(())
    }

    /// Hours, days, and how the centre stands.
    fn of_the_moment(&self, draft: &WhenDraft, clauses: &mut Vec<Clause>) -> Result<(), Flaw> {
        let calendar = |text: &At<String>| find("calendar", text, self.calendars.iter().map(String::as_str));
        clauses.extend(draft.calendar.as_ref().map(calendar).transpose()?.map(Clause::Open));
        clauses.extend(draft.outside.as_ref().map(calendar).transpose()?.map(Clause::Closed));
        clauses.extend(draft.crisis.map(Clause::Crisis));
        if let Some((name, threshold_)) = &draft.queue {
            let place = find("queue", name, self.queues.iter().map(String::as_str))?;
            clauses.push(Clause::Queue(place, threshold(threshold_)?));
        }
        clauses.extend(draft.centre.as_ref().map(threshold).transpose()?.map(Clause::Centre));
        Ok(())
    }

    /// Why no call could make it true, if that can be seen.
    fn contradiction(&self, draft: &WhenDraft, condition: &Condition) -> Option<String> {
        let repeat = draft.repeat.is_some();
        if condition.has(|one| condition.has(|other| one.is_opposite(other))) {
            return Some("a calendar is not open and closed at once".into());
        }
        if draft.withheld == Some(true) && repeat {
            return Some("callers who withhold their number never count as one person".into());
        }
        let service = |name: &str| self.services.iter().find(|known| known.name == name);
        let partner = |text: &At<String>| service(&text.is).is_some_and(|service| service.partner);
        if repeat && !draft.service.is_empty() && draft.service.iter().all(partner) {
            return Some("a partner's line never counts as one person".into());
        }
        let of = |called: &At<String>| self.assigned.iter().find(|(number, _)| *number == called.is);
        let served = |called: &At<String>| {
            of(called).is_some_and(|(_, service)| draft.service.iter().any(|wanted| wanted.is == *service))
        };
        if !draft.service.is_empty() && !draft.called.is_empty() && !draft.called.iter().any(served) {
            return Some("none of these numbers has this service".into());
        }
        None
    }
}

fn threshold(draft: &ThresholdDraft) -> Result<Threshold, Flaw> {
    let number = |value: &Option<At<i64>>, key, most, bounds| match value {
        None => Ok(None),
        Some(value) => count(value, key, 1, most, bounds).map(Some),
    };
    let threshold = Threshold {
        waiting_from: number(&draft.waiting_from, "waiting_from", 10_000, "write between 1 and 10000 calls")?,
        longest_wait_from: match &draft.longest_wait_from {
            None => None,
            Some(wait) => {
                Some(within(wait, "longest_wait_from", 1, 86_400, "write a wait between 1s and 24h")?)
            }
        },
        free_below: number(&draft.free_below, "free_below", 1000, "write between 1 and 1000 agents")?,
        signed_in_below: number(
            &draft.signed_in_below,
            "signed_in_below",
            1000,
            "write between 1 and 1000 agents",
        )?,
    };
    if threshold == Threshold::default() {
        return Err(Flaw::new(draft.at, RouteFault::EmptyThreshold));
    }
    Ok(threshold)
}

fn caller(text: &At<String>) -> Result<Beginning, Flaw> {
    let beginning = beginning(&text.is);
    let digits = beginning.begins.strip_prefix('+').unwrap_or(&beginning.begins);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let wanted = "a caller's number, or its beginning and `*`: \"+33388*\"";
        return Err(Flaw::new(text.at, Problem::Window { text: text.is.clone(), wanted }));
    }
    Ok(beginning)
}

fn location(text: &At<String>) -> Result<Beginning, Flaw> {
    let beginning = beginning(&text.is);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if beginning.begins.is_empty() || !beginning.begins.bytes().all(plain) {
        let wanted = "a place as the network gives it, or its beginning and `*`: \"67482\", \"67*\"";
        return Err(Flaw::new(text.at, Problem::Window { text: text.is.clone(), wanted }));
    }
    Ok(beginning)
}

fn beginning(text: &str) -> Beginning {
    match text.strip_suffix('*') {
        Some(begins) => Beginning { begins: begins.to_owned(), exact: false },
        None => Beginning { begins: text.to_owned(), exact: true },
    }
}

/// How an earlier call ended, as plans write it.
pub(in crate::dialplan) fn earlier(text: &At<String>) -> Result<Earlier, Flaw> {
    one_of("repeat", text, OUTCOMES)?;
    Ok(if text.is == "answered" { Earlier::Answered } else { Earlier::Abandoned })
}
