//! The invariants, each under its number, asked of the room before every entry of the log and after
//! every step. A broken one is a line that begins with its number.

use super::asks;
use super::conserved;
use super::gone;
use super::order::{self, Told};
use super::room::{Kind, Room};
use super::ways_out;
use super::world::Step;
use engine::call::event::{Actor, AgentReason, Beside, Cause, Entry, Event, Occupation, OfferKind, Who};
use engine::id::{AgentId, WorkId};
use engine::queue::Floor;
use engine::time::Instant;
use std::time::Duration;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub invariant: &'static str,
    pub how: String,
}

pub fn broken<T>(invariant: &'static str, how: impl Into<String>) -> Result<T, Broken> {
    Err(Broken { invariant, how: how.into() })
}

pub type Held = Result<(), Broken>;

/// What must be true of an entry before it is folded.
pub fn of_entry(room: &Room, entry: &Entry) -> Held {
    match &entry.event {
        Event::Offered { work, agent, kind, because, .. } => {
            let told = Told { at: entry.at, work: *work, agent: *agent, kind: *kind, reason: because.agent };
            i01(room, &told)?;
            if because.agent != AgentReason::Picked {
                order::i11(room, &told)?;
            }
            order::i15(room, &told)
        }
        Event::Joined { call, who: Who::Agent(agent), .. } => i02_of_a_join(room, *call, *agent),
        Event::Beside(Beside::Overflowing { work, to, .. }) => {
            let there = to.strip_prefix("queue:").and_then(|name| room.plan.queue_named(name));
            ways_out::i12_not_without_a_cause(room, entry.at, *work, there.map(|it| it as usize))
        }
        Event::Moved { work, queue, by: Actor::Plan } => {
            ways_out::i17_only_home_moves(room, entry.at, *work, queue.index as usize)
        }
        Event::Connected { work, agent, .. } => i02(room, *work, *agent),
        Event::Withdrawn { work, .. } if !room.waiting.contains_key(work) => {
            broken("I10", format!("{work} is withdrawn and was not waiting"))
        }
        Event::Queued { call, work, arrived, due, again, class, .. } => {
            if !again && room.works.values().all(|it| it != call) {
                gone::i17_is_back(room, *call)?;
            }
            i17(room, *call, *work, *arrived, *due, class, *again)
        }
        Event::Qualified { by: Actor::Caller, work, due, .. } => i17_of_a_key(room, *work, *due),
        Event::Ended { by, cause, call } => {
            gone::i06_work_stays(room, *call, *cause)?;
            if *cause == Cause::Unreached && !matches!(by, Actor::System) {
                return gone::i07_is_no_caller(room, *call);
            }
            i07(*by == Actor::Caller, by, *cause, *call)
        }
        _ => Ok(()),
    }
}

/// One reservation or one conversation.
fn i01(room: &Room, told: &Told) -> Held {
    let binds = told.kind == OfferKind::Exclusive
        || (told.kind == OfferKind::Join && told.reason != AgentReason::Invited);
    match room.people[told.agent.index as usize].reserved {
        Some(other) if binds => broken("I1", format!("{} holds {other} already", told.agent)),
        _ => Ok(()),
    }
}

/// The same when the step is over: a call that ends may give its agent the next before its last line.
fn i01_at_rest(room: &Room) -> Held {
    match room.people.iter().position(|person| person.reserved.is_some() && person.ear.is_some()) {
        Some(ix) => broken("I1", format!("agent {ix} talks and has a reservation")),
        None => Ok(()),
    }
}

/// A conversation comes out of this agent's reservation of an item that waits, once.
fn i02(room: &Room, work: WorkId, agent: AgentId) -> Held {
    let person = &room.people[agent.index as usize];
    let reserved = person.reserved.and_then(|offer| room.offers.get(&offer));
    match room.waiting.get(&work) {
        None => broken("I2", format!("{work} is connected and waits no more")),
        Some(_) if reserved.is_none_or(|offer| offer.work != work) => {
            broken("I2", format!("{agent} is connected to {work} without a reservation of it"))
        }
        Some(_) if person.ear.is_some() => broken("I1", format!("{agent} has two calls in the ear")),
        Some(_) => Ok(()),
    }
}

/// Whoever comes into a conversation was called into it, and has nothing else in the ear.
fn i02_of_a_join(room: &Room, call: engine::id::CallId, agent: AgentId) -> Held {
    let person = &room.people[agent.index as usize];
    match room.offered(person.reserved) {
        Some(waits) if waits.kind == Kind::Join && waits.call == call && person.ear.is_none() => Ok(()),
        _ => broken("I2", format!("{agent} comes into {call} and was not called, or talks")),
    }
}

/// Our side ends a call by a person's deliberate act only, or with the caller's network.
fn i07(by_caller: bool, by: &Actor, cause: Cause, call: engine::id::CallId) -> Held {
    let allowed = match by {
        Actor::Agent(_) => cause == Cause::Released,
        Actor::System => matches!(cause, Cause::Network | Cause::Unreached),
        _ => by_caller,
    };
    if allowed { Ok(()) } else { broken("I7", format!("{call} ended by {by:?}, {cause:?}")) }
}

/// Who comes back keeps the arrival; who calls again inherits no more than what was waited, unless a talk
/// was cut off.
fn i17(
    room: &Room,
    call: engine::id::CallId,
    work: WorkId,
    arrived: Instant,
    due: Instant,
    class: &str,
    again: bool,
) -> Held {
    let Some(known) = room.calls.get(&call) else { return broken("I6", format!("{call} never arrived")) };
    if again && arrived != known.arrived {
        return broken("I17", format!("{work} comes back with another arrival"));
    }
    let target = room.plan.classes.iter().find(|it| it.name == class && !it.fence).map(|it| it.target);
    let credit = (arrived + target.unwrap_or_default()).since(due);
    let waited = room.waits.get(&known.caller).copied().unwrap_or_default();
    if credit > waited && !known.broken {
        return broken("I17", format!("{work} inherits {credit:?} of {waited:?} waited"));
    }
    Ok(())
}

/// A key of the menu raises and never lowers.
fn i17_of_a_key(room: &Room, work: Option<WorkId>, due: Instant) -> Held {
    match work.and_then(|work| room.waiting.get(&work)) {
        Some(waits) if due >= waits.key.1 => {
            broken("I17", format!("a key of the caller leaves {} behind", waits.key.3))
        }
        _ => Ok(()),
    }
}

/// What must be true when a step is over.
pub fn of_step(room: &Room, step: &Step) -> Held {
    i01_at_rest(room)?;
    i04(room, step.at)?;
    asks::i04_is_answered_in_time(room, step.at)?;
    i06(room)?;
    conserved::i12_i14(room, step.at)?;
    conserved::i12_of_the_reserve(room, step)?;
    ways_out::i12_elsewhere_too(room, step.at)?;
    i14(room, step.at)?;
    i16(room, step.at)?;
    i31(step)?;
    conserved::i31_rings_for_vital(room, step.at)
}

/// Every transient state has a deadline, and keeps it.
fn i04(room: &Room, now: Instant) -> Held {
    // An answer at the last instant has its own ten seconds; a millisecond is the step's.
    let most = Floor::BRIDGE_WITHIN + Duration::from_millis(1);
    for (offer, rings) in &room.offers {
        if now.since(rings.deadline) > most {
            return broken("I4", format!("{offer} outlives its deadline"));
        }
    }
    let late = |at: &Instant| now.since(*at) > Duration::from_millis(1);
    let held = |it: &super::room::Talks| it.waits.is_none() && it.aside.as_ref().is_some_and(late);
    if let Some((call, _)) = room.calls.iter().find(|(_, it)| held(it)) {
        return broken("I4", format!("{call} is on the shared list beyond its recall"));
    }
    let forgotten = |it: &super::room::Talks| it.handed.is_some_and(|handed| late(&handed.recontact));
    match room.calls.iter().find(|(_, it)| forgotten(it)) {
        Some((call, _)) => broken("I4", format!("{call} was handed over and nobody has talked with them")),
        None => Ok(()),
    }
}

/// What entered has left, or waits.
fn i06(room: &Room) -> Held {
    let live = room.waiting.len() as u64;
    if room.entered != room.left + live {
        return broken("I6", format!("{} entered, {} left, {live} wait", room.entered, room.left));
    }
    match room.waiting.values().find(|waits| !room.calls.contains_key(&waits.call)) {
        Some(waits) => broken("I5", format!("{} waits and is over", waits.call)),
        None => Ok(()),
    }
}

/// Above its alarm, and only there, a queue's alarm stands.
fn i14(room: &Room, now: Instant) -> Held {
    for (place, queue) in (0u32..).zip(&room.plan.queues) {
        let Some(limit) = queue.alarm else { continue };
        let here =
            room.waiting.values().filter(|waits| waits.queue.index == place && waits.kind == Kind::Live);
        let longest = here.map(|waits| now.since(waits.arrived)).max().unwrap_or_default();
        let on = room.alarms.iter().any(|(queue, on)| queue.index == place && *on);
        let slack = Duration::from_millis(1);
        if (longest > limit + slack && !on) || (longest + slack < limit && on) {
            return broken("I14", format!("queue {}: {longest:?} of {limit:?}, alarm {on}", queue.name));
        }
    }
    Ok(())
}

/// Wrap-up is over when it says so.
fn i16(room: &Room, now: Instant) -> Held {
    let over = |person: &&super::room::Person| {
        person.told == Occupation::WrapUp && person.wrap_until.is_none_or(|until| until < now)
    };
    match room.people.iter().position(|person| over(&person)) {
        Some(ix) => broken("I16", format!("agent {ix} is in a wrap-up that is over")),
        None => Ok(()),
    }
}

/// A RONA ends with something its agent did.
fn i31(step: &Step) -> Held {
    for entry in &step.log {
        if let Event::Rona { agent, on: false } = &entry.event
            && step.by != Some(agent.index as usize)
            && !step.anybody
        {
            return broken("I31", format!("{agent} is out of RONA and has done nothing"));
        }
    }
    Ok(())
}
