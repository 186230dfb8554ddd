//! The match: which waiting item goes to which free agent. One match over all queues of the centre
//! ends every fact.
//!
//! Between two facts no waiting item has a free agent it could ring at. A fact marks the queues it
//! touched, and only they can hold such a pair; among them the most urgent item is matched first,
//! then the next, until none is left. An item that nobody may take for the moment holds up nobody
//! behind it.

use super::Floor;
use super::line::Line;
use super::work::{Item, Rank};
use crate::call::event::{AgentReason, Because, ItemReason, OfferEnd};
use crate::time::Instant;
use std::collections::BTreeSet;

/// An item and the agent who takes it.
struct Pair {
    rank: Rank,
    agent: usize,
}

impl Floor {
    /// Offers everything that can be offered at this instant.
    pub(super) fn distribute(&mut self, now: Instant) {
        let mut settled = Vec::new();
        while let Some(pair) = self.most_urgent_pair(now, &mut settled) {
            // Behind the fence the agent may still ring for somebody else: that offer is taken back.
            self.stop_ringing(now, pair.agent, OfferEnd::Rescinded);
            let because = self.because(pair.rank, pair.agent, AgentReason::LongestIdle);
            self.reserve(now, pair.rank, pair.agent, because);
        }
        for place in settled {
            self.invite_pages(now, place);
        }
        // Invitations reseat their agents, which changes nothing the match looks at.
        self.dirty.clear();
    }

    /// The most urgent item of the marked queues that somebody can take. Queues without one are
    /// unmarked into `settled`.
    fn most_urgent_pair(&mut self, now: Instant, settled: &mut Vec<usize>) -> Option<Pair> {
        let mut best: Option<Pair> = None;
        let marked: Vec<usize> = self.dirty.iter().copied().collect();
        for place in marked {
            match self.first_pair(now, place) {
                Some(pair) if best.as_ref().is_none_or(|best| pair.rank < best.rank) => best = Some(pair),
                Some(_) => {}
                None => {
                    self.dirty.remove(&place);
                    settled.push(place);
                }
            }
        }
        best
    }

    /// The most urgent item of one queue that somebody can take.
    fn first_pair(&self, now: Instant, place: usize) -> Option<Pair> {
        let line = &self.lines[place];
        if line.has_nobody() {
            return None;
        }
        for rank in &line.waiting {
            let Some(item) = self.items.get(&rank.serial) else { continue };
            if let Some(agent) = taker(line, item, now) {
                return Some(Pair { rank: *rank, agent });
            }
            // When nobody is barred from it and nobody takes it, those behind it find nobody either.
            item.next_retry(now)?;
        }
        None
    }

    /// Invites everyone free at a page of this queue who has no invitation yet.
    fn invite_pages(&mut self, now: Instant, place: usize) {
        let line = &self.lines[place];
        if line.open.is_empty() {
            return;
        }
        let uninvited: Vec<usize> =
            line.pages.iter().take_while(|(invited, _)| !invited).map(|(_, ix)| *ix).collect();
        for ix in uninvited {
            self.invite(now, ix);
        }
    }

    /// Why this item goes to this agent, seen before it goes.
    pub(super) fn because(&self, rank: Rank, ix: usize, reason: AgentReason) -> Because {
        let queues = &self.agents[ix].queues;
        let waiting: usize = queues.iter().map(|&place| self.lines[place].waiting.len()).sum();
        let line = self.items.get(&rank.serial).map(|item| &self.lines[item.queue]);
        let free = line.map_or(1, |line| match reason {
            AgentReason::Claimed | AgentReason::Picked | AgentReason::Invited => line.pages.len(),
            AgentReason::LongestIdle | AgentReason::Only => line.free.len(),
        });
        Because {
            item: match (rank.unfenced, waiting) {
                (false, _) => ItemReason::Fence,
                (true, 0 | 1) => ItemReason::Only,
                (true, _) => ItemReason::Deadline,
            },
            waiting: u32::try_from(waiting.max(1)).unwrap_or(u32::MAX),
            agent: if reason == AgentReason::LongestIdle && free <= 1 { AgentReason::Only } else { reason },
            free: u32::try_from(free.max(1)).unwrap_or(u32::MAX),
            after: self.after,
        }
    }
}

/// Who takes this item. Idle longest first, ties by the agent's id; and in this order:
///
/// 1. sound agents it has not rung at yet, then those it has, once they may be asked again;
/// 2. behind the fence, a sound agent whose phone rings for the least urgent item before the fence;
/// 3. agents whose phone failed last time, in turn;
/// 4. agents in RONA, in turn: behind the fence, or when the queue has nobody else;
/// 5. behind the fence, any agent whose phone rings for an item before the fence.
fn taker(line: &Line, item: &Item, now: Instant) -> Option<usize> {
    let fenced = !item.rank.unfenced;
    let asked = |agent: &usize| !item.is_barred(*agent, now);
    let mut sound = line.free.iter().map(|(_, agent)| *agent);
    let fresh = sound.clone().find(|agent| !item.was_tried(*agent)).or_else(|| sound.find(asked));
    let ringing_sound = || {
        let sound = line.ringing.iter().take_while(|(unsound, ..)| fenced && !unsound);
        sound.map(|(.., agent)| *agent).find(asked)
    };
    let doubtful = || in_turn(&line.doubtful, item, now);
    let rona = || if fenced || line.staff == 0 { in_turn(&line.rona, item, now) } else { None };
    let ringing = || line.ringing.iter().filter(|_| fenced).map(|(.., agent)| *agent).find(asked);
    fresh.or_else(ringing_sound).or_else(doubtful).or_else(rona).or_else(ringing)
}

/// Of agents who did not answer before, the one this item has not rung at for longest: two empty
/// chairs must not keep it from the third, where somebody may be back.
fn in_turn(agents: &BTreeSet<(Instant, usize)>, item: &Item, now: Instant) -> Option<usize> {
    let fresh = agents.iter().find(|(_, agent)| !item.was_tried(*agent));
    let asked = || agents.iter().filter(|(_, agent)| !item.is_barred(*agent, now));
    let next = fresh.or_else(|| asked().min_by_key(|(since, agent)| (item.tried_at(*agent), *since, *agent)));
    next.map(|(_, agent)| *agent)
}
