//! From what is written to what can serve: names resolved, promises proved, or the first flaw.

mod callback;
pub(super) mod conditions;
mod direct;
mod menus;
mod modifiers;
mod queues;
mod simulations;

use super::calendar::Calendar;
use super::condition::Condition;
use super::draft::{At, ClassDraft, Draft, HoldDraft, RouteDraft, Span};
use super::error::{Flaw, Problem, RouteFault};
use super::eval::{Route, Service};
use super::{Class, ClassId, Dialplan, HoldMode, Place, QueuePlan, Surroundings, is_partner_service};
use chrono_tz::Tz;
use std::collections::HashMap;
use std::time::Duration;

/// Classes, queues, services and the like of one plan. More than a person can keep apart; a lower
/// bound would stop nobody's plan but a generator's.
const NAMES_MAX: usize = 1000;

impl Draft {
    /// Checks everything a plan promises, in the order of a plan's tables.
    pub(super) fn check(
        self,
        around: Surroundings<'_>,
        place: &dyn Fn(Span) -> Place,
    ) -> Result<Dialplan, Flaw> {
        let zone = self.zone()?;
        let names = Names { around, plan: self.name.is.clone(), ..Names::default() };
        let numbers = self.numbers()?;
        let names = Names { services: numbers.services, ..names };
        let calendars: Vec<Calendar> =
            self.calendars.iter().map(|draft| Calendar::check(draft, zone)).collect::<Result<_, _>>()?;
        let names = Names { calendars: calendars.iter().map(|c| c.name.clone()).collect(), ..names };
        let classes = classes(&self.classes)?;
        let queues = self.queues.iter().map(|queue| queue.name.is.clone()).collect();
        let names = Names { classes, queues, ..names };
        let queues = self.queues.iter().map(|draft| names.queue(draft)).collect::<Result<Vec<_>, _>>()?;
        few("queues", queues.len(), &self.name)?;
        queues::ends(&self, &queues)?;
        let names = Names {
            assigned: self.numbers.iter().map(|(n, service)| (n.is.clone(), service.is.clone())).collect(),
            numbers: self.numbers.iter().map(|(number, _)| number.is.clone()).collect(),
            ..names
        };
        let callback = self.callback.as_ref().map(|draft| names.callback(draft)).transpose()?;
        let (routes, default) = self.routes(&names, &queues)?;
        let led = self.led(place)?;
        let modifiers = self.modifiers(&names)?;
        let asked = simulations::asked(&queues, &modifiers);
        let simulations = self.simulations.iter();
        let simulations = simulations.map(|draft| names.simulation(draft, &asked, place(draft.at)));
        let simulations = simulations.collect::<Result<Vec<_>, _>>()?;
        let plan = Dialplan {
            name: label(&self.name)?,
            version: label(&self.version)?,
            classes: names.classes,
            queues,
            zone,
            services: names.services,
            numbers: numbers.numbers,
            urns: numbers.urns,
            calendars,
            routes,
            default,
            modifiers,
            callback,
            examples: self.examples.len(),
            simulations,
            places: super::Places {
                sounds: Vec::new(),
                leads: led,
                hops: self.hops(place),
                queues: self.queues.iter().map(|queue| place(queue.skills[0].at)).collect(),
            },
        };
        self.only_raises(&plan)?;
        plan.prove(&self)?;
        Ok(plan)
    }

    fn zone(&self) -> Result<Tz, Flaw> {
        match (&self.timezone, self.calendars.first()) {
            (Some(zone), _) => {
                zone.is.parse().map_err(|_| Flaw::new(zone.at, Problem::Zone { name: zone.is.clone() }))
            }
            (None, None) => Ok(Tz::UTC),
            (None, Some(calendar)) => {
                let sample = "`timezone = \"Europe/Paris\"` on top";
                let place = "this plan with calendars".into();
                Err(Flaw::new(calendar.name.at, Problem::Missing { place, key: "timezone", sample }))
            }
        }
    }

    fn numbers(&self) -> Result<Numbers, Flaw> {
        let mut read = Numbers::default();
        for (number, service) in &self.numbers {
            let name = label(service)?;
            let place = match read.services.iter().position(|known| known.name == name) {
                Some(place) => place,
                None => {
                    let partner = is_partner_service(&name);
                    read.services.push(Service { name, partner });
                    few("services", read.services.len(), service)?;
                    read.services.len() - 1
                }
            };
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            let dialled = |byte: u8| byte.is_ascii_digit() || byte == b'*';
            let digits = number.is.strip_prefix('+').unwrap_or(&number.is);
            if let Some(labels) = number.is.to_ascii_lowercase().strip_prefix("urn:service:") {
                let urn = format!("urn:service:{labels}");
                if labels.is_empty() || read.urns.iter().any(|(known, _)| *known == urn) {
                    return Err(twice("number", number));
                }
                read.urns.push((urn, place));
            } else if !digits.is_empty() && digits.bytes().all(dialled) {
                read.numbers.insert(number.is.clone(), place);
            } else {
                return Err(Flaw::new(number.at, Problem::Number { number: number.is.clone() }));
            }
        }
        Ok(read)
    }

    /// The routes from the highest priority down, and the one that takes the rest.
    fn routes(&self, names: &Names<'_>, queues: &[QueuePlan]) -> Result<(Vec<Route>, Route), Flaw> {
        few("routes", self.routes.len(), &self.name)?;
        let mut read: Vec<(Route, &RouteDraft)> = Vec::new();
        for draft in &self.routes {
            let route = names.route(draft)?;
            let queue = queues.get(route.queue as usize).map(|queue| queue.hold);
            menus::is_answered(draft, route.hold.or(queue).unwrap_or(HoldMode::Answered))?;
            if read.iter().any(|(other, _)| other.name == route.name) {
                return Err(twice("route", &draft.name));
            }
            if let Some((other, _)) = read.iter().find(|(other, _)| other.priority == route.priority) {
                let problem =
                    RouteFault::SamePriority { priority: route.priority, other: other.name.clone() };
                return Err(Flaw::new(draft.priority.at, problem));
            }
            if let (None, Some((other, _))) = (&draft.when, read.iter().find(|(_, d)| d.when.is_none())) {
                let problem = RouteFault::SecondDefault { name: route.name, other: other.name.clone() };
                return Err(Flaw::new(draft.name.at, problem));
            }
            read.push((route, draft));
        }
        if !read.iter().any(|(route, _)| route.when.is_empty()) {
            let at = self.routes.last().map_or(self.name.at, |route| route.name.at);
            return Err(Flaw::new(at, RouteFault::NoDefault));
        }
        read.sort_by_key(|(route, _)| std::cmp::Reverse(route.priority));
        for (place, (route, draft)) in read.iter().enumerate() {
            let name = route.name.clone();
            let mut above = read.iter().take(place).map(|(above, _)| above);
            if let Some(above) = above.clone().find(|above| above.when.follows_from(&route.when)) {
                let problem =
                    RouteFault::NeverWins { name, by: above.name.clone(), priority: above.priority };
                return Err(Flaw::new(draft.name.at, problem));
            }
            // Two that differ in a clause of which one always holds: open and closed, crisis or none.
            let gap = |above: &'_ Route| above.when.only_gap(&route.when).cloned();
            let pair = above.clone().find_map(|one| {
                let of_one = gap(one)?;
                let two = above.find(|two| gap(two).is_some_and(|of_two| of_one.is_opposite(&of_two)))?;
                Some((one.name.clone(), two.name.clone()))
            });
            if let Some((one, two)) = pair {
                return Err(Flaw::new(draft.name.at, RouteFault::NeverWinsAgainst { name, one, two }));
            }
        }
        let mut routes: Vec<Route> = read.into_iter().map(|(route, _)| route).collect();
        // No route above it is empty, so the default is the lowest.
        let default = routes.pop().ok_or_else(|| Flaw::new(self.name.at, RouteFault::NoDefault))?;
        Ok((routes, default))
    }
}

/// `[numbers]`, read.
#[derive(Default)]
struct Numbers {
    services: Vec<Service>,
    numbers: HashMap<String, u16>,
    urns: Vec<(String, u16)>,
}

fn classes(drafts: &[ClassDraft]) -> Result<Vec<Class>, Flaw> {
    let mut classes = Vec::new();
    for draft in drafts {
        let name = label(&draft.name)?;
        let (fence, target) = match (draft.fence, &draft.target) {
            (Some(true), None) => (true, Duration::ZERO),
            (None | Some(false), Some(target)) => (false, target.is),
            _ => return Err(Flaw::new(draft.name.at, Problem::FenceOrTarget { name })),
        };
        classes.push(Class { name, fence, target });
        few("classes", classes.len(), &draft.name)?;
    }
    match drafts.last() {
        Some(_) if classes.iter().any(|class| class.fence) => Ok(classes),
        Some(last) => Err(Flaw::new(last.name.at, Problem::NoFence)),
        None => Err(Flaw::new(Span { start: 0, end: 0 }, Problem::NoFence)),
    }
}

/// What a plan's texts may name, as far as it has been read.
#[derive(Default)]
struct Names<'a> {
    around: Surroundings<'a>,
    /// The plan's name.
    plan: String,
    services: Vec<Service>,
    numbers: Vec<String>,
    /// Each number or URN with the name of its service.
    assigned: Vec<(String, String)>,
    calendars: Vec<String>,
    classes: Vec<Class>,
    queues: Vec<String>,
}

impl Names<'_> {
    fn route(&self, draft: &RouteDraft) -> Result<Route, Flaw> {
        let when = match &draft.when {
            Some(when) => self.condition(when)?,
            None => Condition::default(),
        };
        let queue = find("queue", &draft.queue, self.queues.iter().map(String::as_str))?;
        let class = self.class(&draft.class)?;
        Ok(Route {
            name: title(&draft.name)?,
            priority: draft.priority.is,
            when,
            queue: u32::try_from(queue).unwrap_or(u32::MAX),
            class,
            hold: draft.hold.as_ref().map(hold).transpose()?,
            announce: match &draft.announce {
                Some(announce) => Some(announce.iter().map(label).collect::<Result<_, _>>()?),
                None => None,
            },
            hold_sound: draft.hold_sound.as_ref().map(label).transpose()?,
            menu: draft.menu.as_ref().map(|menu| self.menu(menu, class)).transpose()?,
            tags: draft.tags.iter().map(label).collect::<Result<_, _>>()?,
            owner: self.owner(draft)?,
            alone: direct::alone(draft)?,
            leads: self.leads(draft, class)?,
        })
    }

    fn class(&self, text: &At<String>) -> Result<ClassId, Flaw> {
        let place = find("class", text, self.classes.iter().map(|class| class.name.as_str()))?;
        Ok(ClassId(u16::try_from(place).unwrap_or(u16::MAX)))
    }
}

/// The place of a name among those there are.
pub(super) fn find<'n>(
    kind: &'static str,
    text: &At<String>,
    names: impl Iterator<Item = &'n str> + Clone,
) -> Result<usize, Flaw> {
    names.clone().position(|name| name == text.is).ok_or_else(|| {
        let known = names.map(str::to_owned).collect();
        Flaw::new(text.at, Problem::Unknown { kind, name: text.is.clone(), known })
    })
}

fn hold(draft: &HoldDraft) -> Result<HoldMode, Flaw> {
    if !draft.early {
        return Ok(HoldMode::Answered);
    }
    let answer_within = match &draft.answer_within {
        None => HoldMode::EARLY_MAX,
        Some(within_) => within(
            within_,
            "answer_within",
            1,
            HoldMode::EARLY_MAX.as_secs(),
            "early media is answered within 1s to 30s, before networks give up",
        )?,
    };
    Ok(HoldMode::Early { answer_within })
}

fn within(
    value: &At<Duration>,
    key: &'static str,
    least: u64,
    most: u64,
    bounds: &'static str,
) -> Result<Duration, Flaw> {
    if (least..=most).contains(&value.is.as_secs()) {
        return Ok(value.is);
    }
    let text = format!("{}s", value.is.as_secs());
    Err(Flaw::new(value.at, Problem::OutOfBounds { key, text, bounds }))
}

/// A name of topics, metrics and boards.
fn label(text: &At<String>) -> Result<String, Flaw> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !text.is.is_empty() && text.is.len() <= 64 && text.is.bytes().all(letter) {
        return Ok(text.is.clone());
    }
    Err(Flaw::new(text.at, Problem::Name { name: text.is.clone() }))
}

/// A name people read: of routes and modifiers.
fn title(text: &At<String>) -> Result<String, Flaw> {
    if text.is.trim().is_empty() || text.is.len() > 100 || text.is.chars().any(char::is_control) {
        return Err(Flaw::new(text.at, Problem::Title));
    }
    Ok(text.is.clone())
}

fn twice(kind: &'static str, name: &At<String>) -> Flaw {
    Flaw::new(name.at, Problem::Twice { kind, name: name.is.clone() })
}

fn few(what: &'static str, count: usize, near: &At<String>) -> Result<(), Flaw> {
    if count <= NAMES_MAX {
        return Ok(());
    }
    Err(Flaw::new(near.at, Problem::TooMany { what, count, max: NAMES_MAX }))
}
