//! A major event: one thing with a name, calls that belong to it, people who serve it and nothing
//! else, and people who are kept for everything else. One command opens it.
//!
//! Calls belong to it by a word the plan or a key of the menu puts on them, by the number that was
//! dialled, or because a person says so. They keep that word in their record.

use crate::call::event::{Actor, Beside, Cause, Event, MajorCounts};
use crate::call::snapshot::{MajorSnapshot, SNAPSHOT_VERSION};
use crate::engine::Engine;
use crate::id::{AgentId, CallId, CentreId, MajorId, QueueId};
use crate::io::{OpenMajor, Output, Refusal};
use crate::queue::{Duty, Fact};
use std::collections::{BTreeMap, BTreeSet};

/// Major events open at once in one centre. Two in a night is a year's worst; each divides the room
/// once more.
const OPEN_MAX: usize = 8;

/// Tags and numbers of one event, people of one team: far more than anybody types in a hurry.
const LIST_MAX: usize = 256;

/// Letters of a name, a tag or a number.
const NAME_MAX: usize = 80;

/// The major events of one centre that are not over.
#[derive(Debug, Default)]
pub(crate) struct Majors {
    open: BTreeMap<MajorId, Major>,
}

#[derive(Debug)]
struct Major {
    name: String,
    tags: Vec<String>,
    numbers: Vec<String>,
    /// By the plan's name.
    queue: Option<String>,
    team: Vec<AgentId>,
    rest: Vec<AgentId>,
    counts: MajorCounts,
}

impl Majors {
    /// The first open event a call with these words, to this number, belongs to.
    fn of(&self, tags: &[String], called: &str) -> Option<MajorId> {
        let belongs = |major: &Major| {
            major.tags.iter().any(|tag| tags.contains(tag))
                || major.numbers.iter().any(|number| number == called)
        };
        self.open.iter().find(|(_, major)| belongs(major)).map(|(id, _)| *id)
    }

    /// Whether a plan's `crisis` is true.
    pub(crate) fn is_any_open(&self) -> bool {
        !self.open.is_empty()
    }

    fn has(&self, agent: AgentId) -> bool {
        self.open.values().any(|major| major.team.contains(&agent) || major.rest.contains(&agent))
    }
}

impl Engine {
    /// A supervisor opens a major event. Calls that are there already and belong to it join it.
    pub(crate) fn open_major(
        &mut self,
        id: CentreId,
        wish: OpenMajor,
        by: Actor,
    ) -> Result<MajorId, Refusal> {
        let centre = self.centre(id).ok_or(Refusal::Unknown)?;
        let OpenMajor { name, tags, numbers, queue, team, rest } = wish;
        let name = name.trim().to_owned();
        let words = tags.iter().chain(&numbers).chain([&name]);
        let long = words.into_iter().any(|word| word.is_empty() || word.chars().count() > NAME_MAX);
        let many = [tags.len(), numbers.len(), team.len(), rest.len()].iter().any(|len| *len > LIST_MAX);
        let people = team.iter().chain(&rest);
        let twice = people.clone().collect::<BTreeSet<_>>().len() < team.len() + rest.len();
        // A team without a queue of its own would serve nothing.
        let idle = queue.is_none() && !(team.is_empty() && rest.is_empty());
        if long || many || twice || idle || centre.majors.open.len() >= OPEN_MAX {
            return Err(Refusal::Invalid);
        }
        if people.clone().any(|agent| agent.centre != id || !self.knows(*agent)) {
            return Err(Refusal::Unknown);
        }
        if people.clone().any(|agent| centre.majors.has(*agent)) {
            return Err(Refusal::Busy); // one team at a time
        }
        let named = match queue {
            None => None,
            Some(queue) => {
                let place = usize::try_from(queue.index).ok().filter(|_| queue.centre == id);
                let plan = place.and_then(|place| centre.plan.queues.get(place));
                Some(plan.ok_or(Refusal::Unknown)?.name.clone())
            }
        };
        let since = self.now.at;
        let centre = self.centre_mut(id).ok_or(Refusal::Unknown)?;
        let event = centre.major_id();
        let major = Major {
            name: name.clone(),
            tags: tags.clone(),
            numbers: numbers.clone(),
            queue: named,
            team: team.clone(),
            rest: rest.clone(),
            counts: MajorCounts { since, calls: 0, answered: 0, abandoned: 0 },
        };
        centre.majors.open.insert(event, major);
        self.log(
            id,
            Event::Beside(Beside::MajorOpened { event, name, tags, numbers, queue, team, rest, by }),
        );
        self.mark_major(event);
        self.divide(id, event);
        let mut waiting: Vec<CallId> = self.calls.keys().copied().filter(|call| call.centre == id).collect();
        waiting.sort_unstable();
        for call in waiting {
            self.belong(call, Actor::Plan);
        }
        Ok(event)
    }

    /// The event's team serves its queue, the others everything but that. Under a plan without that
    /// queue everybody serves what their skills say: to be kept from another queue helps nobody.
    fn divide(&mut self, id: CentreId, event: MajorId) {
        let Some(centre) = self.centre(id) else { return };
        let Some(major) = centre.majors.open.get(&event) else { return };
        let Some(name) = &major.queue else { return };
        let queue = centre.plan.queue_named(name).map(|index| QueueId { centre: id, index });
        let duty = |of: fn(Vec<QueueId>) -> Duty| queue.map_or(Duty::BySkill, |queue| of(vec![queue]));
        let team = major.team.iter().map(|agent| (*agent, duty(Duty::Only)));
        let rest = major.rest.iter().map(|agent| (*agent, duty(Duty::Except)));
        for (agent, duty) in team.chain(rest).collect::<Vec<_>>() {
            self.tell_floor(id, Fact::Assign { agent, duty });
        }
    }

    /// Another plan serves: its queues have other places, and the teams keep theirs by name.
    pub(crate) fn divide_again(&mut self, id: CentreId) {
        let open: Vec<MajorId> =
            self.centre(id).map(|centre| centre.majors.open.keys().copied().collect()).unwrap_or_default();
        for event in open {
            self.divide(id, event);
        }
    }

    /// A supervisor says that it is over: everybody serves what their skills say. Calls that wait in
    /// its queue stay there, with their place.
    pub(crate) fn close_major(&mut self, event: MajorId, by: Actor) -> Result<(), Refusal> {
        let centre = self.centre_mut(event.centre).ok_or(Refusal::Unknown)?;
        let major = centre.majors.open.remove(&event).ok_or(Refusal::Gone)?;
        self.log(event.centre, Event::Beside(Beside::MajorClosed { event, by }));
        for call in self.calls.values_mut().filter(|call| call.course.major == Some(event)) {
            call.course.major = None; // it may belong to the next one; its record keeps this one's name
        }
        self.put(Output::ForgetMajor(event));
        for agent in major.team.into_iter().chain(major.rest) {
            self.tell_floor(event.centre, Fact::Assign { agent, duty: Duty::BySkill });
        }
        Ok(())
    }

    /// Somebody says that a call belongs to a major event.
    pub(crate) fn add_to_major(&mut self, event: MajorId, id: CallId, by: Actor) -> Result<(), Refusal> {
        let centre = self.centre(event.centre).filter(|_| id.centre == event.centre);
        let centre = centre.ok_or(Refusal::Unknown)?;
        if !centre.majors.open.contains_key(&event) {
            return Err(Refusal::Gone);
        }
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        if call.course.major == Some(event) {
            return Ok(());
        }
        self.join_major(id, event, by);
        Ok(())
    }

    /// A word has come on the call, or an event has opened: it may belong together.
    pub(crate) fn belong(&mut self, id: CallId, by: Actor) {
        let Some(call) = self.calls.get(&id).filter(|call| call.course.major.is_none()) else { return };
        let Some(centre) = self.centre(id.centre) else { return };
        if let Some(event) = centre.majors.of(&call.course.tags, &call.record.called) {
            self.join_major(id, event, by);
        }
    }

    pub(crate) fn join_major(&mut self, id: CallId, event: MajorId, by: Actor) {
        let Some(major) = self.centre(id.centre).and_then(|centre| centre.majors.open.get(&event)) else {
            return;
        };
        let name = major.name.clone();
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.course.major = Some(event);
        let talks = call.connected().is_some();
        self.add_up(event, |counts| {
            counts.calls += 1;
            counts.answered += u64::from(talks);
        });
        let Some(call) = self.calls.get(&id) else { return };
        // Between two stages it waits for people whom the event does not change.
        let work = call.work.filter(|_| call.course.handover.is_none());
        self.log(id.centre, Event::Beside(Beside::MajorCall { event, call: id, name, by: by.clone() }));
        if let Some((work, queue)) = work.zip(self.major_queue(id)) {
            // Refused while somebody is answering it.
            let _ = self.move_to(id, work, queue, by);
        }
    }

    /// A call of a major event has been answered, or its caller has hung up before.
    pub(crate) fn count_for_major(&mut self, id: CallId, event: &Event) {
        let count: fn(&mut MajorCounts) = match event {
            Event::Connected { .. } => |counts| counts.answered += 1,
            Event::Ended { cause: Cause::Abandon | Cause::ShortAbandon, .. } => {
                |counts| counts.abandoned += 1
            }
            _ => return,
        };
        if let Some(event) = self.calls.get(&id).and_then(|call| call.course.major) {
            self.add_up(event, count);
        }
    }

    fn add_up(&mut self, event: MajorId, count: impl FnOnce(&mut MajorCounts)) {
        let centre = self.centre_mut(event.centre);
        if let Some(major) = centre.and_then(|centre| centre.majors.open.get_mut(&event)) {
            count(&mut major.counts);
            self.mark_major(event);
        }
    }

    /// A major event as the journal keeps it.
    pub(crate) fn major_snapshot(&self, event: MajorId) -> Option<MajorSnapshot> {
        let centre = self.centre(event.centre)?;
        let Major { name, tags, numbers, queue, team, rest, counts } = centre.majors.open.get(&event)?;
        let names = |people: &[AgentId]| {
            let names = people.iter().filter_map(|agent| Some(centre.agent(*agent)?.name.clone()));
            names.collect::<Vec<_>>()
        };
        Some(MajorSnapshot {
            version: SNAPSHOT_VERSION,
            event,
            name: name.clone(),
            tags: tags.clone(),
            numbers: numbers.clone(),
            queue: queue.clone(),
            team: names(team),
            rest: names(rest),
            counts: *counts,
        })
    }

    /// An event an earlier start had opened goes on; so many of its calls do so as well. Whoever is no
    /// longer of the roster is no longer of its team.
    pub(crate) fn go_on_with_major(&mut self, left: MajorSnapshot, calls: u64) {
        let MajorSnapshot { event, name, tags, numbers, queue: named, team, rest, counts, .. } = left;
        let known = |names: Vec<String>| -> Vec<AgentId> {
            names.iter().filter_map(|name| self.agent_named(event.centre, name)).collect()
        };
        let (team, rest) = (known(team), known(rest));
        let counts = MajorCounts { calls: counts.calls.saturating_sub(calls), ..counts };
        let Some(centre) = self.centre_mut(event.centre) else { return };
        let index = named.as_ref().and_then(|name| centre.plan.queue_named(name));
        let queue = index.map(|index| QueueId { centre: event.centre, index });
        let major = Major {
            name: name.clone(),
            tags: tags.clone(),
            numbers: numbers.clone(),
            queue: named,
            team: team.clone(),
            rest: rest.clone(),
            counts,
        };
        centre.majors.open.insert(event, major);
        let by = Actor::System;
        let opened = Beside::MajorOpened { event, name, tags, numbers, queue, team, rest, by };
        self.log(event.centre, Event::Beside(opened));
        self.log(event.centre, Event::Beside(Beside::MajorKept { event, counts }));
        self.mark_major(event);
        self.divide(event.centre, event);
    }

    /// Where a call of a major event waits.
    pub(crate) fn major_queue(&self, id: CallId) -> Option<QueueId> {
        let centre = self.centre(id.centre)?;
        let event = self.calls.get(&id)?.course.major?;
        let name = centre.majors.open.get(&event)?.queue.as_ref()?;
        Some(centre.queue_named(name))
    }

    /// A waiting item goes to another queue, and its call knows.
    pub(crate) fn move_to(
        &mut self,
        id: CallId,
        work: crate::id::WorkId,
        queue: QueueId,
        by: Actor,
    ) -> Result<(), Refusal> {
        let place = self.centre(work.centre).and_then(|centre| centre.floor.place(work));
        if place.is_some_and(|place| place.queue == queue) {
            return Ok(());
        }
        let fact = Fact::MoveTo { work, queue, by: by.clone() };
        let centre = self.centre(work.centre).ok_or(Refusal::Unknown)?;
        centre.floor.allows(&fact)?;
        let name = usize::try_from(queue.index).ok().and_then(|place| centre.plan.queues.get(place));
        let name = name.map(|queue| queue.name.clone());
        self.stage(id, queue);
        if let (Some(name), Some(call)) = (name, self.calls.get_mut(&id)) {
            call.goes_to(name);
            if by != Actor::Plan {
                call.course.leads.clear(); // it is for that queue's people
            }
        }
        self.tell_floor(work.centre, fact);
        Ok(())
    }
}
