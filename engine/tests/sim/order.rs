//! Who is before whom: I11 of items, I15 of agents. Asked of every distribution and every claim.

use super::invariants::{Held, broken};
use super::judge::Manner;
use super::room::{Key, Kind, Room, Waits};
use engine::call::event::{AgentReason, Occupation, OfferKind};
use engine::id::{AgentId, CallId, WorkId};
use engine::queue::Floor;
use engine::time::Instant;

/// An offer as the log tells it.
pub struct Told {
    pub at: Instant,
    pub work: WorkId,
    pub agent: AgentId,
    pub kind: OfferKind,
    pub reason: AgentReason,
}

/// By the match, and not by somebody's key.
fn by_turn(told: &Told) -> bool {
    matches!(told.reason, AgentReason::LongestIdle | AgentReason::Only)
}

/// Of all that wait, none that this agent could have stands before the one given, and the one given
/// may be given to them.
pub fn i11(room: &Room, told: &Told) -> Held {
    let (work, agent, ix) = (told.work, told.agent, told.agent.index as usize);
    let Some(mine) = room.waiting.get(&work) else {
        return broken("I11", format!("{work} is offered and does not wait"));
    };
    if !room.may_be_asked(ix, mine, told.at) {
        return broken("I11", format!("{work} is offered to {agent}, who is not asked"));
    }
    let could = |other: &Waits| match told.reason {
        AgentReason::Claimed => is_there(room, ix, other, told.at) && other.rings.is_empty(),
        AgentReason::Invited => could_be_shown(room, told, other),
        _ => could_ring(room, ix, other, told.at),
    };
    if told.kind == OfferKind::Shared && room.invitations(mine) >= room.invites(mine, told.at) {
        return broken("I11", format!("{work} is shown to more than its queue says"));
    }
    let busy = matches!(room.people[ix].told, Occupation::Talking | Occupation::WrapUp);
    let early = told.at < mine.offered + Floor::JOIN_ALERTS_AFTER && told.reason == AgentReason::Invited;
    if told.kind == OfferKind::Join && early && busy && room.people[ix].ear.is_some() {
        return broken("I11", format!("{agent} talks and is called into {work} at once"));
    }
    let doubtful = mine.kind == Kind::Callback && mine.key.0 && room.people[ix].rona;
    if doubtful && by_turn(told) {
        return broken("I11", format!("{work} is to be called back, and {agent} may not be there"));
    }
    let exempt = mine.kind == Kind::Join && told.reason == AgentReason::Claimed;
    let before = |other: &&Waits| other.key < mine.key && !exempt && could(other);
    match room.waiting.values().find(before) {
        Some(other) => broken("I11", format!("{work} goes to {agent} before {:?}", other.key)),
        None if by_turn(told) && room.is_kept(ix, mine, told.at, true) => {
            broken("I11", format!("{work} goes to {agent}, who is needed for a more urgent invitation"))
        }
        None => Ok(()),
    }
}

/// Whether the match could have rung this agent for that item.
fn could_ring(room: &Room, ix: usize, other: &Waits, now: Instant) -> bool {
    let person = &room.people[ix];
    let pushed = room.manner(other) != Manner::List && !room.is_apart(ix, other);
    let kept = room.is_kept(ix, other, now, false);
    let open = pushed && !kept && !room.is_held(other) && !room.is_spared(ix, other, now);
    let fits = if person.is_sound() {
        room.leaves_enough(ix, other, now)
    } else {
        other.rings.is_empty() && (other.kind != Kind::Callback || !other.key.0)
    };
    open && room.is_asked(ix, other, now) && fits && (!other.key.0 || !room.is_promised(ix))
}

/// Whether this agent's page could have shown that item instead.
fn could_be_shown(room: &Room, told: &Told, other: &Waits) -> bool {
    let ix = told.agent.index as usize;
    let asked = room.is_asked(ix, other, told.at) && !room.is_held(other);
    let fewer = room.invitations(other) < room.invites(other, told.at);
    match told.kind {
        OfferKind::Shared => {
            asked && fewer && room.manner(other) == Manner::Invite && room.leaves_enough(ix, other, told.at)
        }
        // One of each comes before more for any.
        OfferKind::Alert => {
            // Whoever is rung for it may have shown life in this very step.
            let nobody = other.rings.is_empty() && room.invitations(other) == 0;
            asked && room.calls_busy(other) && nobody && room.summoned(other) == 0
        }
        _ => false,
    }
}

/// Whether this agent's key could take that item: what nobody is rung for, and what is open to a claim.
fn is_there(room: &Room, ix: usize, waits: &Waits, now: Instant) -> bool {
    let own = |offer| room.people[ix].reserved == Some(offer);
    let open = match room.manner(waits) {
        Manner::Invite => !room.is_bound(waits),
        Manner::Ring(_) | Manner::List => {
            !room.is_bound(waits) && (!room.is_held(waits) || waits.rings.iter().any(|it| own(*it)))
        }
        Manner::Join => false,
    };
    open && room.is_asked(ix, waits, now)
}

/// The first of all the one key could take at this instant.
pub fn first_for_the_key(room: &Room, ix: usize, now: Instant) -> Option<Key> {
    let there = room.waiting.values().filter(|waits| is_there(room, ix, waits, now));
    there.map(|waits| waits.key).min()
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

/// Whether a pick of this call goes before a vital item that this agent could take and nobody is rung
/// for.
pub fn passes_over_vital(room: &Room, ix: usize, call: CallId, now: Instant) -> bool {
    let fenced = room.calls.get(&call).is_some_and(|it| it.fenced);
    let waits = |it: &Waits| !it.key.0 && it.kind != Kind::Join && !room.is_held(it);
    !fenced && room.waiting.values().any(|it| waits(it) && room.is_asked(ix, it, now))
}

/// Of those free, sound and not asked before, nobody comes before the one chosen: by the door they
/// are asked through, their level, and the queue's strategy.
pub fn i15(room: &Room, told: &Told) -> Held {
    let ix = told.agent.index as usize;
    let Some(waits) = room.waiting.get(&told.work) else { return Ok(()) };
    let Some(mine) = room.turn(ix, waits, told.at) else { return Ok(()) };
    let fresh = |ix: usize| !waits.tried.contains_key(&ix) && !room.is_promised(ix);
    if !by_turn(told) || !fresh(ix) || !room.people[ix].is_sound() {
        return Ok(());
    }
    let mut others = (0..room.people.len()).filter(|other| {
        *other != ix
            && fresh(*other)
            && room.is_free(*other, told.at)
            && !room.is_apart(*other, waits)
            && !room.is_kept(*other, waits, told.at, false)
            && room.leaves_enough(*other, waits, told.at)
    });
    match others.find(|other| room.turn(*other, waits, told.at).is_some_and(|turn| turn < mine)) {
        Some(other) => {
            broken("I15", format!("{} goes to {}; agent {other} comes first", told.work, told.agent))
        }
        None => Ok(()),
    }
}
