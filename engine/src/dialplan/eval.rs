//! Decides one call: the highest true route, then every true modifier. One pass over each, and no
//! allocation but the list of modifiers that applied.

use super::calendar::Local;
use super::condition::{Case, Condition};
use super::{ClassId, Dialplan, Facts, HoldMode, MenuPlan, OwnerPlan, Repeat, Routed, SkillNeed, urgency};
use std::time::Duration;

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
    pub(super) owner: Option<OwnerPlan>,
    pub(super) alone: Duration,
    pub(super) leads: Vec<SkillNeed>,
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
        let case = self.case(facts);
        let route = self.routes.iter().find(|route| route.when.holds(&case)).unwrap_or(&self.default);
        let mut routed = self.begin(route, &case);
        for modifier in self.modifiers.iter().filter(|modifier| modifier.when.holds(&case)) {
            self.apply(modifier, &case, &mut routed);
        }
        routed
    }

    /// Decides a recorded call again. `route` and `modifiers` are those that counted then: for them, what
    /// a record does not keep (headers, service URNs, places, how the centre stood) is taken to be so
    /// again.
    pub fn route_again<'p>(&'p self, facts: &Facts<'_>, route: &str, modifiers: &[String]) -> Routed<'p> {
        let case = self.case(facts);
        let once = |when: &Condition, then: bool| when.holds(&case) || (then && when.held_once(&case));
        let wins = |it: &&Route| once(&it.when, it.name == route);
        let mut routed = self.begin(self.routes.iter().find(wins).unwrap_or(&self.default), &case);
        let applies = |it: &&Modifier| once(&it.when, modifiers.contains(&it.name));
        for modifier in self.modifiers.iter().filter(applies) {
            self.apply(modifier, &case, &mut routed);
        }
        routed
    }

    pub(super) fn case<'c>(&'c self, facts: &'c Facts<'c>) -> Case<'c> {
        let service = self.service_at(facts.called).or_else(|| self.service_at(facts.urn?));
        Case {
            service,
            local: Local::of(facts.utc, self.zone),
            calendars: &self.calendars,
            repeat: self.same_person(service, facts),
            facts,
        }
    }

    /// What a route says of a call, before any modifier.
    pub(super) fn begin<'p>(&'p self, route: &'p Route, case: &Case<'_>) -> Routed<'p> {
        // The queue of a checked route exists; without it, the sounds of the house.
        let queue = self.queues.get(route.queue as usize);
        let mut routed = Routed {
            service: case.service.map_or(Self::UNKNOWN, |place| self.service_name(place)),
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
            owner: route.owner.as_ref(),
            alone: route.alone,
            leads: &route.leads,
            partner: self.is_partner(case.service),
        };
        put_once(&mut routed.tags, &route.tags);
        routed
    }

    /// What one true modifier does. Nothing here lowers a class or takes anything away.
    pub(super) fn apply<'p>(&'p self, modifier: &'p Modifier, case: &Case<'_>, routed: &mut Routed<'p>) {
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
