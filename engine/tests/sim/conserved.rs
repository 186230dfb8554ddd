//! I12 and what belongs to it: when a step is over nobody who could have a waiting item sits idle,
//! nothing kept has been spent, and behind the fence everybody is asked who can be.

use super::invariants::{Held, broken};
use super::judge::Manner;
use super::room::{Kind, Room, Waits};
use super::world::Step;
use engine::call::event::{AgentReason, Event, Intent, Occupation, OfferEnd, OfferKind};
use engine::dialplan::OfferPlan;
use engine::id::WorkId;
use engine::queue::Floor;
use engine::time::Instant;

impl Room {
    /// How many pages are invited for this item at present, and how many may be.
    pub fn invitations(&self, waits: &Waits) -> usize {
        let shown = self.people.iter().filter_map(|person| self.offered(person.invited));
        shown.filter(|it| it.key.3 == waits.key.3).count()
    }

    /// How many agents are called upon for this item at present.
    pub fn summoned(&self, waits: &Waits) -> usize {
        let shown = self.people.iter().filter_map(|person| self.offered(person.summoned));
        shown.filter(|it| it.key.3 == waits.key.3).count()
    }

    pub fn invites(&self, waits: &Waits, now: Instant) -> usize {
        let OfferPlan::Shared { widen, .. } = &self.queue(waits.queue).offer else { return 0 };
        let stage = widen.iter().rfind(|stage| stage.at <= now.since(waits.offered));
        let limit = stage.and_then(|stage| stage.agents).filter(|_| waits.key.0);
        limit.map_or(usize::MAX, |limit| limit as usize)
    }

    /// Whether busy consoles are told of it while nobody is asked otherwise.
    pub fn calls_busy(&self, waits: &Waits) -> bool {
        let asks = matches!(self.manner(waits), Manner::Ring(_) | Manner::Invite);
        asks && !waits.key.0 && self.queue(waits.queue).vital.alert_busy
    }
}

/// Work is conserved, beyond the reserve; then, nobody busy is left unaware of a vital item.
pub fn i12_i14(room: &Room, now: Instant) -> Held {
    let open = || room.waiting.values().filter(|waits| !room.is_bound(waits) && waits.is_awake(now));
    let asked = |waits: &Waits| {
        (0..room.people.len()).filter(|ix| room.is_asked(*ix, waits, now)).collect::<Vec<_>>()
    };
    for (waits, ix) in open().flat_map(|waits| asked(waits).into_iter().map(move |ix| (waits, ix))) {
        let work = waits.key.3;
        if sits_idle(room, ix, waits, now) {
            return broken("I12", format!("{work} waits and agent {ix} is free"));
        }
        if rings_for_less(room, ix, waits) && !room.is_kept(ix, waits, now, false) {
            return broken("I12", format!("{work} is vital and agent {ix} rings for less"));
        }
    }
    for (waits, ix) in open().flat_map(|waits| asked(waits).into_iter().map(move |ix| (waits, ix))) {
        if is_not_called(room, ix, waits, now) {
            return broken("I14", format!("{} is vital and busy agent {ix} is not told", waits.key.3));
        }
        if is_told_of_others_only(room, ix, waits) {
            return broken("I14", format!("{} is vital and nobody is told: {ix} could be", waits.key.3));
        }
    }
    Ok(())
}

/// A free agent who should ring, or see this item, and does not.
fn sits_idle(room: &Room, ix: usize, waits: &Waits, now: Instant) -> bool {
    let promised = room.is_kept(ix, waits, now, false) || (room.is_promised(ix) && waits.key.0);
    let free = room.is_free(ix, now) && !promised && room.leaves_enough(ix, waits, now);
    let held = room.is_held(waits);
    match room.manner(waits) {
        _ if !free => false,
        Manner::Invite if room.is_apart(ix, waits) => {
            let shown = room.offered(room.people[ix].invited);
            let gives_way = shown.is_none_or(|other| !waits.key.0 && other.key.0);
            gives_way && room.invitations(waits) < room.invites(waits, now)
        }
        Manner::Join if room.is_apart(ix, waits) => room.people[ix].summoned.is_none(),
        Manner::List => false,
        Manner::Ring(some) if held => {
            waits.rings.len() < some && !waits.tried.contains_key(&ix) && !room.is_promised(ix)
        }
        _ => !held && waits.tried.get(&ix).is_none_or(|until| *until < now),
    }
}

/// Whether this agent rings, by decision of the match and unanswered, for an item before the fence,
/// while this one behind it has nobody.
fn rings_for_less(room: &Room, ix: usize, waits: &Waits) -> bool {
    let person = &room.people[ix];
    // One in doubt takes the place of nobody.
    let has = if person.is_sound() { room.is_held(waits) } else { !waits.rings.is_empty() };
    let wants = !waits.key.0 && !has && !room.is_apart(ix, waits);
    let rings = person.reserved.and_then(|offer| room.offers.get(&offer)).filter(|rings| !rings.willed);
    let lower = rings.and_then(|rings| room.waiting.get(&rings.work)).is_some_and(|it| it.key.0);
    let there = person.intent == Intent::Ready && person.reachable && !room.taken.contains(&ix);
    wants && lower && there && !waits.tried.contains_key(&ix)
}

/// Whether this agent talks or writes up, at a page, and has not been told of a vital item that nobody
/// is asked for, or of a conversation nobody has come to for ten seconds.
fn is_not_called(room: &Room, ix: usize, waits: &Waits, now: Instant) -> bool {
    let person = &room.people[ix];
    let busy = matches!(person.told, Occupation::Talking | Occupation::WrapUp);
    let there = person.intent == Intent::Ready && person.reachable && person.open;
    // Those invited have had the time a phone rings, and nobody has pressed the key.
    let ring = room.queue(waits.queue).offer.ring();
    let in_vain = waits.shown.is_some_and(|since| since + ring < now);
    let nobody = !room.is_held(waits) && (in_vain || room.invitations(waits) == 0);
    let joins = waits.kind == Kind::Join && waits.offered + Floor::JOIN_ALERTS_AFTER < now;
    let called = (room.calls_busy(waits) && nobody) || joins;
    called && busy && there && person.summoned.is_none()
}

/// Whether this agent was told of an item others are told of too, and of this one nobody is.
fn is_told_of_others_only(room: &Room, ix: usize, waits: &Waits) -> bool {
    let person = &room.people[ix];
    let nobody = room.calls_busy(waits) && !room.is_held(waits) && room.invitations(waits) == 0;
    let busy = matches!(person.told, Occupation::Talking | Occupation::WrapUp);
    let beside = room.offered(person.summoned).is_some_and(|other| room.summoned(other) > 1);
    nobody && busy && beside && room.summoned(waits) == 0
}

/// What is kept for the fence and for partners is still there after the last decision of a step.
pub fn i12_of_the_reserve(room: &Room, step: &Step) -> Held {
    let decided = |event: &Event| matches!(event, Event::Offered { kind: OfferKind::Exclusive | OfferKind::Shared, because, .. } if !matches!(because.agent, AgentReason::Claimed | AgentReason::Picked));
    let Some(last) = step.log.iter().rposition(|entry| decided(&entry.event)) else { return Ok(()) };
    let Event::Offered { work, agent, kind: OfferKind::Exclusive, .. } = &step.log[last].event else {
        return Ok(());
    };
    let rests = step.log[last + 1..]
        .iter()
        .all(|it| matches!(it.event, Event::OccupationChanged { .. } | Event::ReachabilityChanged { .. }));
    // One in doubt was not kept, nor one who rang for something else.
    let rang = step.log[..last].iter().any(|it| {
        matches!(&it.event, Event::OfferEnded { agent: of, end: OfferEnd::Rescinded, .. } if of == agent)
    });
    let counted = rests && !rang && room.people[agent.index as usize].is_sound();
    let Some(waits) = room.waiting.get(work).filter(|_| counted) else { return Ok(()) };
    match room.overspent(agent.index as usize, waits, step.at) {
        Some(queue) => broken("I12", format!("{work} takes of what queue {queue} keeps")),
        None => Ok(()),
    }
}

/// A RONA keeps no vital call from ringing.
pub fn i31_rings_for_vital(room: &Room, now: Instant) -> Held {
    let vital = |waits: &&Waits| !waits.key.0 && waits.kind == Kind::Live && waits.rings.is_empty();
    for waits in room.waiting.values().filter(vital) {
        for (ix, person) in room.people.iter().enumerate().filter(|(_, person)| person.rona) {
            let sits = person.intent == Intent::Ready && person.reachable && person.told == Occupation::Free;
            let rested = person.rests < now && waits.tried.get(&ix).is_none_or(|until| *until < now);
            let phone = !room.is_apart(ix, waits) && !room.is_promised(ix);
            if rested
                && sits
                && phone
                && !room.is_kept(ix, waits, now, false)
                && room.is_asked(ix, waits, now)
            {
                let work: WorkId = waits.key.3;
                return broken("I31", format!("{work} is vital and agent {ix} is left alone in RONA"));
            }
        }
    }
    Ok(())
}
