//! Ways out of a queue that cannot serve: when each stands open, that whoever may go by one does, and
//! that nobody goes by one that is shut. Whoever goes keeps the place; only who is asked grows.

use super::invariants::{Held, broken};
use super::room::{Kind, Room, Waits};
use engine::dialplan::{Destination, OverflowCause, OverflowRule};
use engine::id::WorkId;
use engine::time::Instant;

impl Room {
    /// Every way out of a queue.
    fn ways(&self, place: usize) -> impl Iterator<Item = (usize, &OverflowRule)> {
        self.plan.queues[place].overflow.iter().enumerate()
    }

    /// Whether a cause stands, waiting apart.
    fn stands(&self, place: usize, cause: &OverflowCause) -> bool {
        let queue = &self.plan.queues[place];
        let asked = |skills: &[String]| queue.takes_after(std::time::Duration::MAX, skills);
        let here = self.waiting.values().filter(|waits| waits.queue.index as usize == place);
        match cause {
            OverflowCause::Opened => self.opened.contains(&place),
            OverflowCause::NobodyReachable => {
                !self.people.iter().any(|person| asked(&person.skills) && person.is_staff())
            }
            OverflowCause::Length(length) => here.count() >= *length as usize,
            _ => false,
        }
    }

    /// Causes begin; when a step is over, they end: whoever goes first opens the way to the others.
    pub fn watch_ways_out(&mut self, now: Instant, over: bool) {
        for place in 0..self.plan.queues.len() {
            for rule in 0..self.plan.queues[place].overflow.len() {
                let causes = &self.plan.queues[place].overflow[rule].when;
                if causes.iter().any(|cause| self.stands(place, cause)) {
                    self.since.entry((place, rule)).or_insert(now);
                } else if over {
                    self.since.remove(&(place, rule));
                }
            }
        }
    }

    /// Whether a rule moves this item for the queue's length alone: then it is not this one that has to
    /// go, but the queue that has to become shorter.
    fn takes_the_excess(&self, waits: &Waits, place: usize, terms: &OverflowRule) -> bool {
        let length = |cause: &OverflowCause| matches!(cause, OverflowCause::Length(_));
        let other = terms.when.iter().any(|cause| !length(cause) && self.stands(place, cause));
        let moves = terms.most().is_some() && !terms.additive && !other;
        moves && waits.key.0 && waits.queue.index as usize == place
    }

    /// The ways an item may go at present, by where they lead; `surely`: it should be gone.
    fn open_to(&self, waits: &Waits, now: Instant, surely: bool) -> Vec<usize> {
        let home = waits.queue.index as usize;
        let from = std::iter::once(home).chain(waits.beyond.iter().copied());
        let ways = from.flat_map(|place| self.ways(place).map(move |(rule, terms)| (place, rule, terms)));
        let open = ways.filter(|(place, rule, terms)| {
            let waited =
                terms.when.contains(&OverflowCause::Waited) && passed(waits.arrived, terms, now, surely);
            let stood =
                self.since.get(&(*place, *rule)).is_some_and(|since| passed(*since, terms, now, surely));
            let caused = stood && !(surely && self.takes_the_excess(waits, *place, terms));
            let at_once = terms.after.is_zero() && terms.when.iter().any(|cause| self.stands(*place, cause));
            waited || caused || (!surely && at_once)
        });
        let leads = open.filter_map(|(.., terms)| match terms.to {
            Destination::Queue(there) => Some(there as usize),
            _ => None,
        });
        leads.filter(|there| *there != home).collect()
    }
}

fn passed(since: Instant, terms: &OverflowRule, now: Instant, surely: bool) -> bool {
    if surely { since + terms.after < now } else { since + terms.after <= now }
}

/// Whoever waits with nobody rung, and may be asked elsewhere, is.
pub fn i12_elsewhere_too(room: &Room, now: Instant) -> Held {
    let waits = |it: &&Waits| it.kind != Kind::Join && it.is_awake(now) && !room.is_held(it);
    for waits in room.waiting.values().filter(waits) {
        let missing = room.open_to(waits, now, true).into_iter().find(|there| !waits.beyond.contains(there));
        if let Some(there) = missing {
            return broken("I12", format!("{} waits and is not offered in queue {there}", waits.key.3));
        }
    }
    for place in 0..room.plan.queues.len() {
        for (rule, terms) in room.ways(place) {
            let stood = room.since.get(&(place, rule)).is_some_and(|since| passed(*since, terms, now, true));
            let may_go = |it: &&Waits| waits(it) && room.takes_the_excess(it, place, terms);
            if let Some(left) = room.waiting.values().find(may_go).filter(|_| stood) {
                return broken("I12", format!("{} stays in queue {place}, which is too long", left.key.3));
            }
        }
    }
    Ok(())
}

/// Nobody loses the place at home but by a way out of home itself that says so.
pub fn i17_only_home_moves(room: &Room, now: Instant, work: WorkId, there: usize) -> Held {
    let Some(waits) = room.waiting.get(&work) else { return Ok(()) };
    let home = waits.queue.index as usize;
    let there_index = u32::try_from(there).unwrap_or(u32::MAX);
    let mut moves = room.ways(home).filter(|(_, it)| !it.additive && waits.key.0);
    let Some((_, terms)) = moves.find(|(_, it)| it.to == Destination::Queue(there_index)) else {
        return broken("I17", format!("{work} loses its place in queue {home}"));
    };
    // For the length of the queue alone, the least urgent of those who may go.
    let may_go = |it: &&Waits| it.kind != Kind::Join && it.is_awake(now) && !room.is_held(it);
    let mut later = room.waiting.values().filter(may_go).filter(|it| room.takes_the_excess(it, home, terms));
    if let Some(later) = later.find(|it| it.key > waits.key) {
        return broken("I17", format!("{work} loses its place in queue {home} before {}", later.key.3));
    }
    i12_not_without_a_cause(room, now, work, Some(there))
}

/// Nobody is asked elsewhere without a cause.
pub fn i12_not_without_a_cause(room: &Room, now: Instant, work: WorkId, there: Option<usize>) -> Held {
    let Some((waits, there)) = room.waiting.get(&work).zip(there) else { return Ok(()) };
    if room.open_to(waits, now, false).contains(&there) {
        return Ok(());
    }
    broken("I12", format!("{work} goes to queue {there} without a cause"))
}
