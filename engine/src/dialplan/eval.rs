//! Decides one call: the highest true route, then every true modifier. One pass over each, and no
//! allocation but the list of modifiers that applied.

use super::calendar::{Calendar, Local};
use super::{ClassId, Dialplan, Earlier, Facts, HoldMode, MenuPlan, Repeat, Routed, SkillNeed, urgency};
use std::time::Duration;

/// What every call of a condition's kind has in common. Each part that is not empty must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Condition {
    /// Places in the plan's services.
    pub(super) services: Vec<u16>,
    pub(super) called: Vec<String>,
    pub(super) urns: Vec<String>,
    pub(super) trunks: Vec<String>,
    pub(super) callers: Vec<CallerPattern>,
    pub(super) withheld: Option<bool>,
    /// Places in the plan's calendars.
    pub(super) calendar: Option<usize>,
    pub(super) outside: Option<usize>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) repeat: Option<(Earlier, Duration)>,
}

/// A caller's number, or the numbers that begin like it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CallerPattern {
    pub(super) begins: String,
    pub(super) exact: bool,
}

impl CallerPattern {
    fn holds(&self, caller: &str) -> bool {
        if self.exact { caller == self.begins } else { caller.starts_with(&self.begins) }
    }

    fn covers(&self, other: &CallerPattern) -> bool {
        if self.exact { self == other } else { other.begins.starts_with(&self.begins) }
    }
}

/// A service of `[numbers]`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Service {
    pub(super) name: String,
    /// Another service's line, not one person's: its calls are never repeats.
    pub(super) partner: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    pub(super) name: String,
    pub(super) priority: i64,
    pub(super) when: Condition,
    pub(super) queue: u32,
    pub(super) class: ClassId,
    pub(super) hold: Option<HoldMode>,
    pub(super) announce: Option<Vec<String>>,
    pub(super) hold_sound: Option<String>,
    pub(super) menu: Option<MenuPlan>,
    pub(super) tags: Vec<String>,
    pub(super) owner: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Modifier {
    pub(super) name: String,
    pub(super) when: Condition,
    pub(super) change: Change,
    /// Waiting of the earlier call counts.
    pub(super) inherit: bool,
    pub(super) show: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) add: Vec<SkillNeed>,
    pub(super) language: Option<String>,
}

/// What a modifier does to the class. No value lowers it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    Nothing,
    /// This class, unless the call stands higher already.
    AtLeast(ClassId),
    /// So many classes up, short of the fence: a repeat confirms nothing.
    Up(u8),
}

impl Dialplan {
    /// Decides one call: the route of the highest priority that is true, then every true modifier.
    /// Total: the default route has no condition.
    pub fn route<'p>(&'p self, facts: &Facts<'_>) -> Routed<'p> {
        let service = self.service_at(facts.called).or_else(|| self.service_at(facts.urn?));
        let case = Case {
            service,
            local: Local::of(facts.utc, self.zone),
            calendars: &self.calendars,
            repeat: self.same_person(service, facts),
            facts,
        };
        let route = self.routes.iter().find(|route| route.when.holds(&case)).unwrap_or(&self.default);
        // The queue of a checked route exists; without it, the sounds of the house.
        let queue = self.queues.get(route.queue as usize);
        let mut routed = Routed {
            service: service.map_or(Self::UNKNOWN, |place| self.service_name(place)),
            route: &route.name,
            modifiers: Vec::new(),
            queue: route.queue,
            class: route.class,
            hold: route.hold.or(queue.map(|queue| queue.hold)).unwrap_or(HoldMode::Answered),
            announce: match (&route.announce, queue) {
                (Some(announce), _) => announce,
                (None, Some(queue)) => &queue.announce,
                (None, None) => &[],
            },
            hold_sound: match (&route.hold_sound, queue) {
                (Some(sound), _) => sound,
                (None, Some(queue)) => &queue.hold_sound,
                (None, None) => Self::HOLD_SOUND,
            },
            credit: Duration::ZERO,
            menu: route.menu.as_ref(),
            tags: Vec::new(),
            add: Vec::new(),
            language: None,
            show: Vec::new(),
            owner: route.owner,
            partner: self.is_partner(service),
        };
        put_once(&mut routed.tags, &route.tags);
        for modifier in self.modifiers.iter().filter(|modifier| modifier.when.holds(&case)) {
            self.apply(modifier, &case, &mut routed);
        }
        routed
    }

    /// What one true modifier does. Nothing here lowers a class or takes anything away.
    fn apply<'p>(&'p self, modifier: &'p Modifier, case: &Case<'_>, routed: &mut Routed<'p>) {
        routed.class = match modifier.change {
            Change::Nothing => routed.class,
            Change::AtLeast(wanted) => self.raised(routed.class, wanted),
            Change::Up(steps) => (0..steps).fold(routed.class, |class, _| self.one_up(class)),
        };
        if let (true, Some(repeat)) = (modifier.inherit, case.repeat) {
            routed.credit = repeat.waited;
        }
        put_once(&mut routed.tags, &modifier.tags);
        for need in &modifier.add {
            if !routed.add.contains(need) {
                routed.add.push(need.clone());
            }
        }
        // The first that knows the caller's language is believed.
        routed.language = routed.language.or(modifier.language.as_deref());
        routed.show.extend(modifier.show.as_deref());
        routed.modifiers.push(modifier.name.as_str());
    }

    fn is_partner(&self, service: Option<u16>) -> bool {
        service.and_then(|place| self.services.get(usize::from(place))).is_some_and(|service| service.partner)
    }

    /// The earlier call, when it was the same person's: a withheld number, a partner's line and an
    /// unknown caller never count as one person.
    fn same_person(&self, service: Option<u16>, facts: &Facts<'_>) -> Option<Repeat> {
        let person = !self.is_partner(service) && !facts.withheld && facts.caller.is_some();
        facts.repeat.filter(|_| person)
    }

    pub(super) fn service_at(&self, called: &str) -> Option<u16> {
        let urn = called.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn:"));
        if !urn {
            return self.numbers.get(called).copied();
        }
        // RFC 5031 §4.2: service labels are compared without case. There are few.
        let entry = self.urns.iter().find(|(urn, _)| urn.eq_ignore_ascii_case(called));
        entry.map(|(_, service)| *service)
    }

    pub(super) fn service_name(&self, place: u16) -> &str {
        self.services.get(usize::from(place)).map_or(Self::UNKNOWN, |service| service.name.as_str())
    }

    /// Sorts classes: the fence first, then the shorter target.
    pub(super) fn urgency(&self, id: ClassId) -> (bool, Duration) {
        urgency(&self.classes, id)
    }

    /// The next more urgent class on this side of the fence.
    fn one_up(&self, class: ClassId) -> ClassId {
        let here = self.urgency(class);
        let above = (0u16..).zip(&self.classes).filter(|(_, other)| !other.fence && other.target < here.1);
        let next = above.max_by_key(|(place, other)| (other.target, std::cmp::Reverse(*place)));
        next.filter(|_| here.0).map_or(class, |(place, _)| ClassId(place))
    }
}

fn put_once<'p>(all: &mut Vec<&'p str>, more: &'p [String]) {
    for one in more {
        if !all.contains(&one.as_str()) {
            all.push(one);
        }
    }
}

/// One call's facts, with what is derived from them once.
struct Case<'c> {
    facts: &'c Facts<'c>,
    service: Option<u16>,
    local: Local,
    calendars: &'c [Calendar],
    repeat: Option<Repeat>,
}

/// Compares without case; a `*` at either end of `wanted` stands for anything.
fn like(value: &str, wanted: &str) -> bool {
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

impl Condition {
    fn holds(&self, case: &Case<'_>) -> bool {
        let facts = case.facts;
        let among = |list: &[String], fact: Option<&str>| {
            list.is_empty()
                || fact.is_some_and(|fact| list.iter().any(|item| item.eq_ignore_ascii_case(fact)))
        };
        let open =
            |place: usize| case.calendars.get(place).is_some_and(|calendar| calendar.is_open(case.local));
        let header = |(name, wanted): &(String, String)| {
            facts.headers.iter().any(|(n, value)| n.eq_ignore_ascii_case(name) && like(value.trim(), wanted))
        };
        (self.services.is_empty() || case.service.is_some_and(|service| self.services.contains(&service)))
            && among(&self.called, Some(facts.called))
            && among(&self.urns, facts.urn)
            && among(&self.trunks, Some(facts.trunk))
            && (self.callers.is_empty()
                || facts.caller.is_some_and(|caller| self.callers.iter().any(|p| p.holds(caller))))
            && self.withheld.is_none_or(|withheld| withheld == facts.withheld)
            && self.calendar.is_none_or(open)
            && self.outside.is_none_or(|place| !open(place))
            && self.headers.iter().all(header)
            && self.repeat.is_none_or(|(outcome, within)| {
                case.repeat.is_some_and(|repeat| repeat.outcome == outcome && repeat.ago <= within)
            })
    }

    /// Whether it is true of every call: only the default's may be.
    pub(super) fn is_empty(&self) -> bool {
        *self == Condition::default()
    }

    /// Whether it is true whenever `other` is, as far as can be seen from the text.
    pub(super) fn follows_from(&self, other: &Condition) -> bool {
        fn covers<T: PartialEq>(wide: &[T], narrow: &[T]) -> bool {
            wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|item| wide.contains(item)))
        }
        let callers = self.callers.is_empty()
            || (!other.callers.is_empty()
                && other.callers.iter().all(|narrow| self.callers.iter().any(|wide| wide.covers(narrow))));
        let repeat = self.repeat.is_none_or(|(outcome, within)| {
            other.repeat.is_some_and(|(other, shorter)| other == outcome && shorter <= within)
        });
        covers(&self.services, &other.services)
            && covers(&self.called, &other.called)
            && covers(&self.urns, &other.urns)
            && covers(&self.trunks, &other.trunks)
            && callers
            && self.withheld.is_none_or(|withheld| other.withheld == Some(withheld))
            && (self.calendar.is_none() || self.calendar == other.calendar)
            && (self.outside.is_none() || self.outside == other.outside)
            && self.headers.iter().all(|header| other.headers.contains(header))
            && repeat
    }
}

#[cfg(test)]
mod tests {
    use super::like;

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
}
