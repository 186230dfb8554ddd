//! The places of connections that came in, and who holds them.
//!
//! Trunks have places of their own. The others share theirs in two halves: one for whoever comes, and
//! one kept for phones, which strangers never take.

use crate::driver::gate::prefix;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Connections of trunks at once: each carrier opens a handful. Each costs a task and two buffers.
const TRUNKS_MAX: usize = 1024;

/// Connections of one address that is no trunk: a room of phones behind one address translation.
const OF_ONE_MAX: usize = 256;

/// Who comes, or has turned out to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guest {
    Trunk,
    /// Has registered, or comes from where a phone has.
    Phone,
    Stranger,
}

/// The places.
pub(super) struct Room {
    books: Mutex<Books>,
    /// Kept for phones; they may take the others', too.
    phones_most: usize,
    strangers_most: usize,
    /// Numbers of accepted connections are even, those of connections we open odd.
    next: AtomicU64,
}

#[derive(Default)]
struct Books {
    /// Each connection's place, and whose share of one address it counts to.
    held: HashMap<u64, (Guest, Option<u128>)>,
    trunks: usize,
    phones: usize,
    strangers: usize,
    of_one: HashMap<u128, usize>,
}

/// A place, until it is dropped.
pub(super) struct Place {
    room: Arc<Room>,
    connection: u64,
}

impl Room {
    /// With this many places for those who are no trunk.
    pub(super) fn new(connections: usize) -> Room {
        let phones_most = connections / 2;
        Room {
            books: Mutex::default(),
            phones_most,
            strangers_most: connections - phones_most,
            next: AtomicU64::new(2),
        }
    }

    /// The number of one more connection that came in.
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(2, Ordering::Relaxed)
    }

    /// A place for this connection, while there is one for its kind.
    pub(super) fn admit(
        self: &Arc<Room>,
        connection: u64,
        guest: Guest,
        remote: SocketAddr,
    ) -> Option<Place> {
        let source = (guest != Guest::Trunk).then(|| prefix(remote.ip()));
        let mut books = self.books();
        if source.is_some_and(|source| books.of_one.get(&source).is_some_and(|count| *count >= OF_ONE_MAX)) {
            return None;
        }
        let as_guest = match guest {
            Guest::Phone if !self.has_room(&books, Guest::Phone) => Guest::Stranger,
            guest => guest,
        };
        if !self.has_room(&books, as_guest) {
            return None;
        }
        *books.count(as_guest) += 1;
        if let Some(source) = source {
            *books.of_one.entry(source).or_default() += 1;
        }
        books.held.insert(connection, (as_guest, source));
        drop(books);
        Some(Place { room: Arc::clone(self), connection })
    }

    /// Who is there has turned out to be this: the place it held is free for the next, where there is
    /// one of the right kind. Connections that did not come in hold none.
    pub(super) fn learns(&self, connection: u64, guest: Guest) {
        let mut books = self.books();
        let Some((before, source)) = books.held.get(&connection).copied() else { return };
        if before != guest && self.has_room(&books, guest) {
            *books.count(before) -= 1;
            *books.count(guest) += 1;
            books.held.insert(connection, (guest, source));
        }
    }

    /// Places that are taken.
    pub(super) fn taken(&self) -> usize {
        self.books().held.len()
    }

    fn has_room(&self, books: &Books, guest: Guest) -> bool {
        match guest {
            Guest::Trunk => books.trunks < TRUNKS_MAX,
            Guest::Phone => books.phones < self.phones_most,
            Guest::Stranger => books.strangers < self.strangers_most,
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn count(&mut self, guest: Guest) -> &mut usize {
        match guest {
            Guest::Trunk => &mut self.trunks,
            Guest::Phone => &mut self.phones,
            Guest::Stranger => &mut self.strangers,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut books = self.room.books();
        let Some((guest, source)) = books.held.remove(&self.connection) else { return };
        *books.count(guest) -= 1;
        let Some(source) = source else { return };
        if let Some(count) = books.of_one.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                books.of_one.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn host(last: u16) -> SocketAddr {
        let [high, low] = last.to_be_bytes();
        SocketAddr::from((IpAddr::from([192, 0, high, low]), 40_000))
    }

    /// As many of these as are let in, out of `tries` from as many addresses.
    fn let_in(room: &Arc<Room>, guest: Guest, tries: u16) -> Vec<Place> {
        (0..tries).filter_map(|last| room.admit(room.number(), guest, host(last))).collect()
    }

    #[test]
    fn strangers_take_one_half_of_the_places_and_phones_come_in_beside_them() {
        let room = Arc::new(Room::new(64));
        let strangers = let_in(&room, Guest::Stranger, 100);
        assert_eq!(strangers.len(), 32);
        let phones = let_in(&room, Guest::Phone, 100);
        assert_eq!(phones.len(), 32, "their own half");
        assert!(let_in(&room, Guest::Trunk, 100).len() == 100, "trunks ask nobody for room");
        drop(strangers);
        assert_eq!(let_in(&room, Guest::Phone, 100).len(), 32, "and what strangers leave");
        drop(phones);
        assert_eq!(room.taken(), 0);
        assert!(room.books().of_one.is_empty(), "nothing is left of anybody");
    }

    #[test]
    fn whoever_registers_leaves_the_place_of_a_stranger_to_the_next() {
        let room = Arc::new(Room::new(8));
        let guests = let_in(&room, Guest::Stranger, 8);
        assert_eq!(guests.len(), 4);
        guests.iter().for_each(|place| room.learns(place.connection, Guest::Phone));
        let more = let_in(&room, Guest::Stranger, 8);
        assert_eq!(more.len(), 4);
        more.iter().for_each(|place| room.learns(place.connection, Guest::Phone));
        assert!(
            let_in(&room, Guest::Stranger, 1).is_empty(),
            "the kept half is full: they stay where they are"
        );
        drop(guests);
        assert_eq!(let_in(&room, Guest::Stranger, 8).len(), 0, "a phone that stayed there holds its place");
        assert_eq!(let_in(&room, Guest::Phone, 8).len(), 4);
        drop(more);
        assert_eq!(room.taken(), 0);
    }

    #[test]
    fn one_address_has_its_share_whatever_it_is() {
        let room = Arc::new(Room::new(2_000));
        let mine: Vec<_> =
            (0..400).filter_map(|_| room.admit(room.number(), Guest::Phone, host(1))).collect();
        assert_eq!(mine.len(), OF_ONE_MAX);
        assert!(room.admit(room.number(), Guest::Stranger, host(2)).is_some());
    }
}
