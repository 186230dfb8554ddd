//! Rows with the version each last changed at: what differs since a version is one range.
//!
//! A key has one place in the order of changes, its latest: a thousand changes of one row cost a
//! page that was away a single row. Keys that are gone stay known as graves, so that a page that
//! still shows them is told; when graves get too many the oldest are forgotten, and pages from
//! before that version start again from a snapshot.

use super::row::{Key, Row};
use std::collections::{BTreeMap, BTreeSet};

/// Graves kept. One call leaves about four: at 10 calls a second this lets a page be away for
/// a quarter of an hour before it needs a snapshot, in about 6 MB. Less saves memory, more saves snapshots.
pub const GRAVES_MAX: usize = 32_768;

/// The rows of one board in one epoch.
#[derive(Clone, Debug)]
pub struct Versions {
    v: u64,
    /// Rows stand beside the tree: most keys are graves, and a grave takes a place as large as a row's.
    rows: BTreeMap<Key, (u64, Option<Box<Row>>)>,
    changes: BTreeMap<u64, Key>,
    /// Which of the changes are graves.
    graves: BTreeSet<u64>,
    graves_max: usize,
    floor: u64,
}

impl Versions {
    /// No row yet, version 0; keeps `graves_max` graves.
    pub fn new(graves_max: usize) -> Versions {
        Versions {
            v: 0,
            rows: BTreeMap::new(),
            changes: BTreeMap::new(),
            graves: BTreeSet::new(),
            graves_max,
            floor: 0,
        }
    }

    /// The version of the latest change.
    pub fn v(&self) -> u64 {
        self.v
    }

    /// What differs since a version below this one is not known any more.
    pub fn floor(&self) -> u64 {
        self.floor
    }

    /// How many graves are kept.
    pub fn graves_max(&self) -> usize {
        self.graves_max
    }

    /// The row of a key, unless it is gone.
    pub fn row(&self, key: &Key) -> Option<&Row> {
        self.rows.get(key).and_then(|(_, row)| row.as_deref())
    }

    /// Every row there is, in the order of keys.
    pub fn all(&self) -> impl Iterator<Item = (&Key, &Row)> {
        self.rows.iter().filter_map(|(key, (_, row))| row.as_deref().map(|row| (key, row)))
    }

    /// Every key that changed after `v`, oldest change first; `None`: it is gone.
    pub fn since(&self, v: u64) -> impl Iterator<Item = (&Key, Option<&Row>)> {
        let after = v.saturating_add(1);
        self.changes.range(after..).map(|(_, key)| (key, self.row(key)))
    }

    /// Gives a key its latest row (`None`: gone). False when that changes nothing.
    pub fn set(&mut self, key: Key, row: Option<Row>) -> bool {
        let was = self.rows.get(&key);
        if was.map_or(row.is_none(), |(_, was)| was.as_deref() == row.as_ref()) {
            return false;
        }
        if let Some((before, _)) = was {
            self.changes.remove(before);
            self.graves.remove(before);
        }
        self.v += 1;
        self.changes.insert(self.v, key.clone());
        if row.is_none() {
            self.graves.insert(self.v);
        }
        self.rows.insert(key, (self.v, row.map(Box::new)));
        self.forget_graves();
        true
    }

    fn forget_graves(&mut self) {
        while self.graves.len() > self.graves_max {
            let Some(v) = self.graves.pop_first() else { return };
            if let Some(key) = self.changes.remove(&v) {
                self.rows.remove(&key);
            }
            self.floor = v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::row::TrunkRow;

    fn trunk(name: &str, live: u64) -> (Key, Option<Row>) {
        let row = TrunkRow { trunk: name.to_owned(), arrived: live, live, state: None };
        (Key::Trunk(name.to_owned()), Some(Row::Trunk(row)))
    }

    fn changed(versions: &Versions, v: u64) -> Vec<(String, bool)> {
        versions.since(v).map(|(key, row)| (key.to_string(), row.is_some())).collect()
    }

    #[test]
    fn a_row_that_changed_often_is_told_once() {
        let mut versions = Versions::new(8);
        for live in 0..1000 {
            let (key, row) = trunk("otn", live);
            assert!(versions.set(key, row));
        }
        assert_eq!(changed(&versions, 3), [("trunk/otn".to_owned(), true)]);
        assert_eq!(versions.v(), 1000);
        assert!(changed(&versions, 1000).is_empty());
    }

    #[test]
    fn the_same_value_again_is_no_change_and_neither_is_the_end_of_nothing() {
        let mut versions = Versions::new(8);
        let (key, row) = trunk("otn", 1);
        assert!(versions.set(key.clone(), row.clone()));
        assert!(!versions.set(key, row));
        assert!(!versions.set(Key::Totals, None));
        assert_eq!(versions.v(), 1);
    }

    #[test]
    fn graves_are_bounded_and_the_floor_says_from_where_on_they_are_known() {
        let mut versions = Versions::new(2);
        for name in ["a", "b", "c"] {
            let (key, row) = trunk(name, 1);
            versions.set(key.clone(), row);
            versions.set(key, None);
        }
        assert_eq!(versions.floor(), 2, "the grave of `a`, dug at 2, is forgotten");
        assert_eq!(changed(&versions, 2), [("trunk/b".to_owned(), false), ("trunk/c".to_owned(), false)]);
        let (key, row) = trunk("b", 2);
        versions.set(key, row);
        assert_eq!(changed(&versions, 2), [("trunk/c".to_owned(), false), ("trunk/b".to_owned(), true)]);
        assert_eq!((versions.rows.len(), versions.changes.len(), versions.graves.len()), (2, 2, 1));
    }
}
