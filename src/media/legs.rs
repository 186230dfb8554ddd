//! The legs of one thread, at places that packets find without searching.

use crate::media::leg::Leg;
use engine::id::LegId;
use std::collections::HashMap;

/// Legs by place and by name. A place is used again; the token of a leg is not, so that what epoll
/// reports of a closed leg finds nobody.
#[derive(Debug, Default)]
pub struct Legs {
    places: Vec<Place>,
    free: Vec<u32>,
    named: HashMap<LegId, u32>,
}

#[derive(Debug, Default)]
struct Place {
    /// How many legs have left it.
    turn: u32,
    leg: Option<Box<Leg>>,
}

impl Legs {
    /// Puts a leg at a free place.
    pub fn insert(&mut self, leg: Box<Leg>) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            // A thread has far fewer legs than ports, and those are 65 536.
            (self.places.len() - 1) as u32
        });
        self.named.insert(leg.id, place);
        self.places[place as usize].leg = Some(leg);
        place
    }

    /// Takes a leg out of its place.
    pub fn remove(&mut self, place: u32) -> Option<Box<Leg>> {
        let slot = self.places.get_mut(place as usize)?;
        let leg = slot.leg.take()?;
        // 2^31 turns of one place at a thousand calls a second are a month; a stale event is
        // microseconds old. The topmost bit stays clear for the thread's own tokens.
        slot.turn = (slot.turn + 1) & (u32::MAX >> 1);
        self.named.remove(&leg.id);
        self.free.push(place);
        Some(leg)
    }

    /// The leg at a place.
    pub fn at(&mut self, place: u32) -> Option<&mut Leg> {
        self.places.get_mut(place as usize)?.leg.as_deref_mut()
    }

    /// Where a leg is.
    pub fn find(&self, id: LegId) -> Option<u32> {
        self.named.get(&id).copied()
    }

    /// What epoll calls the leg at a place.
    pub fn token(&self, place: u32) -> u64 {
        let turn = self.places.get(place as usize).map_or(0, |slot| slot.turn);
        u64::from(turn) << 32 | u64::from(place)
    }

    /// The place of a token, when its leg is still there.
    pub fn place_of(&self, token: u64) -> Option<u32> {
        let (place, turn) = (token as u32, (token >> 32) as u32);
        let slot = self.places.get(place as usize)?;
        (slot.turn == turn && slot.leg.is_some()).then_some(place)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.named.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// One more than the highest place.
    pub fn places(&self) -> u32 {
        self.places.len() as u32
    }
}
