//! The invariants, each under its number, asked of the room before every entry of the log and after
//! every step. A broken one is a line that begins with its number.

use super::room::{Key, Room, Waits};
use super::world::Step;
use engine::call::event::{Actor, AgentReason, Cause, Entry, Event, Intent, Occupation, OfferKind};
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

fn broken<T>(invariant: &'static str, how: impl Into<String>) -> Result<T, Broken> {
    Err(Broken { invariant, how: how.into() })
}

type Held = Result<(), Broken>;

/// What must be true of an entry before it is folded.
pub fn of_entry(room: &Room, entry: &Entry) -> Held {
    match &entry.event {
        Event::Offered { work, agent, kind, because, .. } => {
            i01(room, *agent, *kind)?;
            if because.agent != AgentReason::Picked {
                i11(room, entry.at, *work, *agent, *kind, because.agent == AgentReason::Claimed)?;
            }
            if because.agent == AgentReason::LongestIdle && *kind == OfferKind::Exclusive {
                i15(room, *work, *agent)?;
            }
            Ok(())
        }
        Event::Connected { work, agent, .. } => i02(room, *work, *agent),
        Event::Withdrawn { work, .. } if !room.waiting.contains_key(work) => {
            broken("I10", format!("{work} is withdrawn and was not waiting"))
        }
        Event::Queued { call, work, arrived, due, again, class, .. } => {
            i17(room, *call, *work, *arrived, *due, class, *again)
        }
        Event::Ended { by, cause, call } => i07(*by == Actor::Caller, by, *cause, *call),
        _ => Ok(()),
    }
}

/// One reservation or one conversation.
fn i01(room: &Room, agent: AgentId, kind: OfferKind) -> Held {
    let person = &room.people[agent.index as usize];
    match (kind, person.reserved) {
        (OfferKind::Exclusive, Some(other)) => broken("I1", format!("{agent} holds {other} already")),
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

/// Our side ends a call by a person's deliberate act only, or with the caller's network.
fn i07(by_caller: bool, by: &Actor, cause: Cause, call: engine::id::CallId) -> Held {
    let allowed = match by {
        Actor::Agent(_) => cause == Cause::Released,
        Actor::System => cause == Cause::Network,
        _ => by_caller,
    };
    if allowed { Ok(()) } else { broken("I7", format!("{call} ended by {by:?}, {cause:?}")) }
}

/// Brute force: of all that wait, none that this agent could have stands before the one distributed.
/// Beside what rings at a page stand its invitations, which bind nothing: each of them that is more urgent
/// has a page left, and the key decides; [`i11_of_the_key`] asks it.
fn i11(room: &Room, now: Instant, work: WorkId, agent: AgentId, kind: OfferKind, claim: bool) -> Held {
    let Some(mine) = room.waiting.get(&work) else {
        return broken("I11", format!("{work} is offered and does not wait"));
    };
    let (page, rona) = (room.people[agent.index as usize].page, room.people[agent.index as usize].rona);
    let could = |other: &Waits| {
        let shared = room.is_shared(other.queue) && page;
        let barred = other.tried.get(&agent).is_some_and(|at| now.since(*at) < Floor::RETRY);
        other.held.is_none()
            && room.serves(agent.index as usize, other.queue)
            // One in RONA is left alone before the fence, as far as a queue has others.
            && (claim || !rona || !other.key.0)
            && (claim || (!barred && shared == (kind == OfferKind::Shared)))
    };
    let before = |other: &&Waits| other.key < mine.key && could(other);
    match room.waiting.values().find(before) {
        Some(other) => broken("I11", format!("{work} goes to {agent} before {:?}", other.key)),
        None if !claim && kind == OfferKind::Exclusive && is_kept(room, agent.index as usize, mine, true) => {
            broken("I11", format!("{work} goes to {agent}, who is needed for a more urgent invitation"))
        }
        None => Ok(()),
    }
}

/// Whether the shared queues need this page: more of what they have stands before this item than other
/// pages are free for. `surely`: also when whoever may be free is, and nothing in doubt waits.
fn is_kept(room: &Room, ix: usize, mine: &Waits, surely: bool) -> bool {
    if !room.people[ix].page || room.is_shared(mine.queue) {
        return false;
    }
    let shared = room.waiting.values().filter(|it| room.is_shared(it.queue) && it.key < mine.key);
    let before: Vec<&Waits> =
        shared.filter(|it| room.serves(ix, it.queue) && !(surely && it.held.is_some())).collect();
    let pages = room.people.iter().enumerate().filter(|(other, person)| {
        let free = person.page && (person.reserved, person.ear) == (None, None);
        let sits = person.intent == Intent::Ready && person.reachable;
        let known = !person.rona && person.failed.is_none() && person.told == Occupation::Free;
        *other != ix
            && free
            && (surely || (sits && known))
            && before.iter().any(|it| room.serves(*other, it.queue))
    });
    pages.count() < before.len()
}

/// The first of all the one key could take at this instant: what rings here, what nobody is rung for,
/// and in shared queues what rings at a desk phone nobody has answered.
pub fn first_for_the_key(room: &Room, agent: usize) -> Option<Key> {
    let own = room.people[agent].reserved;
    let open = |waits: &&Waits| match waits.held {
        None => true,
        Some(offer) if Some(offer) == own => true,
        Some(offer) => {
            let rings = room.offers.get(&offer);
            let bound = rings.is_none_or(|it| it.willed || room.taken.contains(&(it.agent.index as usize)));
            room.is_shared(waits.queue) && !bound
        }
    };
    let here = room.waiting.values().filter(|waits| room.serves(agent, waits.queue));
    here.filter(open).map(|waits| waits.key).min()
}

/// The key takes the most urgent item that could be had when it was pressed.
pub fn i11_of_the_key(first: Option<Key>, taken: Option<Key>, agent: usize) -> Held {
    match (first, taken) {
        (Some(first), Some(taken)) if first < taken => {
            broken("I11", format!("the key of agent {agent} takes {taken:?} and {first:?} waits"))
        }
        _ => Ok(()),
    }
}

/// Of those free, sound and not asked before, nobody has been idle longer.
fn i15(room: &Room, work: WorkId, agent: AgentId) -> Held {
    let Some(waits) = room.waiting.get(&work) else { return Ok(()) };
    let mine = room.people[agent.index as usize].idle;
    if waits.tried.contains_key(&agent) {
        return Ok(());
    }
    let mut others = (0..room.people.len()).filter(|ix| {
        let other = &room.people[*ix];
        let phone = !other.page || !room.is_shared(waits.queue);
        *ix != agent.index as usize
            && phone
            && rests(other).is_none()
            && !is_called(room, *ix)
            && is_free(room, *ix, waits)
    });
    match others.find(|ix| room.people[*ix].idle < mine) {
        Some(other) => broken("I15", format!("{work} goes to {agent}; agent {other} is idle longer")),
        None => Ok(()),
    }
}

/// A failure on record: the agent may rest.
fn rests(person: &super::room::Person) -> Option<Instant> {
    person.failed
}

/// Ready, there, with nothing in the ear and nothing ringing, and never asked for this item.
fn is_free(room: &Room, ix: usize, waits: &Waits) -> bool {
    let person = &room.people[ix];
    let agent = AgentId { centre: engine::id::CentreId(0), index: u32::try_from(ix).expect("few") };
    room.serves(ix, waits.queue)
        && person.intent == Intent::Ready
        && person.reachable
        && person.told == Occupation::Free
        && (person.reserved, person.ear) == (None, None)
        && !person.rona
        && !waits.tried.contains_key(&agent)
        && (!waits.key.0 || !is_called(room, ix))
}

/// Invited to a confirmed-vital item: given nothing lower meanwhile.
fn is_called(room: &Room, ix: usize) -> bool {
    let shown = room.people[ix].invited.and_then(|offer| room.offers.get(&offer));
    shown.and_then(|rings| room.waiting.get(&rings.work)).is_some_and(|waits| !waits.key.0)
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

/// What must be true when a step is over.
pub fn of_step(room: &Room, step: &Step) -> Held {
    i01_at_rest(room)?;
    i04(room, step.at)?;
    i06(room)?;
    i12(room, step.at)?;
    i14(room, step.at)?;
    i16(room, step.at)?;
    i31(room, step)
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
    match room.calls.iter().find(|(_, it)| it.waits.is_none() && it.aside.as_ref().is_some_and(late)) {
        Some((call, _)) => broken("I4", format!("{call} is on the shared list beyond its recall")),
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

/// Work is conserved: nobody who could have a waiting item sits idle when the step is over; behind the
/// fence, nobody rings for anything less.
fn i12(room: &Room, now: Instant) -> Held {
    for (work, waits) in room.waiting.iter().filter(|(_, waits)| waits.held.is_none()) {
        for (ix, person) in room.people.iter().enumerate() {
            // After a failed offer an agent rests, eight seconds at most.
            let may_rest = person.failed.is_some_and(|at| now.since(at) <= Duration::from_secs(8));
            if may_rest || !room.serves(ix, waits.queue) {
                continue;
            }
            // Who is invited to something behind the fence is given nothing lower.
            let invitation = person.invited.and_then(|offer| room.offers.get(&offer));
            let invited_to = invitation.and_then(|rings| room.waiting.get(&rings.work));
            if waits.key.0 && invited_to.is_some_and(|vital| !vital.key.0) {
                continue;
            }
            if is_kept(room, ix, waits, false) {
                continue;
            }
            let invites = person.page && room.is_shared(waits.queue);
            if is_free(room, ix, waits) && !(invites && person.invited.is_some()) {
                return broken("I12", format!("{work} waits and agent {ix} is free"));
            }
            if !waits.key.0 && !invites && takes_precedence(room, waits.key, ix) && untried(waits, ix) {
                return broken("I12", format!("{work} is vital and agent {ix} rings for less"));
            }
        }
    }
    Ok(())
}

fn untried(waits: &Waits, ix: usize) -> bool {
    !waits.tried.keys().any(|agent| agent.index as usize == ix)
}

/// Whether this agent rings, by decision of the match and unanswered, for an item before the fence.
fn takes_precedence(room: &Room, key: Key, ix: usize) -> bool {
    let person = &room.people[ix];
    let rings = person.reserved.and_then(|offer| room.offers.get(&offer));
    let rings = rings.filter(|rings| !rings.willed);
    let lower =
        rings.and_then(|rings| room.waiting.get(&rings.work)).is_some_and(|it| it.key.0 && it.key > key);
    lower && person.intent == Intent::Ready && person.reachable && !room.taken.contains(&ix)
}

/// Above its alarm, and only there, a queue's alarm stands.
fn i14(room: &Room, now: Instant) -> Held {
    for (place, queue) in (0u32..).zip(&room.plan.queues) {
        let Some(limit) = queue.alarm else { continue };
        let here = room.waiting.values().filter(|waits| waits.queue.index == place);
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

/// A RONA ends with something its agent did; and it keeps no vital call from ringing.
fn i31(room: &Room, step: &Step) -> Held {
    for entry in &step.log {
        if let Event::Rona { agent, on: false } = &entry.event
            && step.by != Some(agent.index as usize)
            && !step.anybody
        {
            return broken("I31", format!("{agent} is out of RONA and has done nothing"));
        }
    }
    for (work, waits) in room.waiting.iter().filter(|(_, it)| it.held.is_none() && !it.key.0) {
        for (ix, person) in room.people.iter().enumerate().filter(|(_, person)| person.rona) {
            let rested = person.failed.is_none_or(|at| step.at.since(at) > Floor::RETRY);
            let sits = person.intent == Intent::Ready && person.reachable && person.told == Occupation::Free;
            let phone = !(person.page && room.is_shared(waits.queue));
            if rested && sits && phone && room.serves(ix, waits.queue) && untried(waits, ix) {
                return broken("I31", format!("{work} is vital and agent {ix} is left alone in RONA"));
            }
        }
    }
    Ok(())
}
