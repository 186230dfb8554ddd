//! The other end of a feed: what a page keeps, and what it answers. `bandeau watch` and the tests
//! follow with it; the browser does the same in its own language.

use super::row::{Millis, Row};
use super::wire::{Change, ClientMessage, PROTO, Resume, Seen, ServerMessage};
use std::collections::BTreeMap;

/// What is held of one topic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    /// Of which epoch, at which version; `None`: nothing is held yet.
    pub at: Option<(u32, u64)>,
    /// The latest row of every key.
    pub rows: BTreeMap<String, Row>,
    /// A gap was found; everything is void until the snapshot that was asked for.
    pub void: bool,
}

impl Held {
    fn apply(&mut self, changes: Vec<Change>) {
        for Change { key, row } in changes {
            match row {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }

    /// Moves from `pv` to `v`. False: this is not where it stands, something is missing.
    fn advance(&mut self, epoch: u32, pv: u64, v: u64, changes: Vec<Change>) -> bool {
        if self.at != Some((epoch, pv)) {
            return false;
        }
        self.apply(changes);
        self.at = Some((epoch, v));
        true
    }
}

/// One follower, across any number of connections.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    topics: BTreeMap<String, Held>,
    clock: Option<(Millis, Millis)>,
    gaps: u64,
}

impl Follower {
    /// Will follow these topics, and holds nothing yet.
    pub fn new(topics: &[&str]) -> Follower {
        let topics = topics.iter().map(|topic| ((*topic).to_owned(), Held::default())).collect();
        Follower { topics, clock: None, gaps: 0 }
    }

    /// What is held of a topic.
    pub fn topic(&self, name: &str) -> Option<&Held> {
        self.topics.get(name)
    }

    /// Where timeline and wall clock stood when the engine said so last.
    pub fn clock(&self) -> Option<(Millis, Millis)> {
        self.clock
    }

    /// Gaps found so far.
    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// The first message of a connection: what is held, is resumed.
    pub fn hello(&self) -> ClientMessage {
        let resume = self.topics.iter().map(|(topic, held)| {
            let at = held.at.filter(|_| !held.void);
            Resume { topic: topic.clone(), epoch: at.map(|(epoch, _)| epoch), v: at.map(|(_, v)| v) }
        });
        ClientMessage::Hello { proto: PROTO, resume: resume.collect(), tab: None }
    }

    /// Takes one message; what to answer, if anything.
    pub fn handle(&mut self, message: ServerMessage) -> Option<ClientMessage> {
        match message {
            ServerMessage::Welcome { now, utc, .. } => self.clock = Some((now, utc)),
            ServerMessage::Ping { n, now, utc } => {
                self.clock = Some((now, utc));
                return Some(self.pong(n));
            }
            ServerMessage::Snapshot { topic, epoch, v, changes, .. } => {
                let held = self.topics.get_mut(&topic)?;
                *held = Held { at: Some((epoch, v)), ..Held::default() };
                held.apply(changes);
            }
            ServerMessage::UpToDate { topic, epoch, v } => {
                let held = self.topics.get_mut(&topic)?;
                // The answer to the latest hello: nothing the page may see changed up to `v`.
                held.at = held.at.filter(|(of, at)| *of == epoch && *at <= v).map(|_| (epoch, v));
            }
            ServerMessage::Replay { topic, epoch, pv, v, changes }
            | ServerMessage::Delta { topic, epoch, pv, v, changes } => {
                let held = self.topics.get_mut(&topic)?;
                if held.void || held.advance(epoch, pv, v, changes) {
                    return None;
                }
                held.void = true;
                self.gaps += 1;
                return Some(ClientMessage::Resync { topic });
            }
            ServerMessage::Offer { .. }
            | ServerMessage::Plan { .. }
            | ServerMessage::OfferEnded { .. }
            | ServerMessage::Outcome { .. }
            | ServerMessage::RtcAnswer { .. }
            | ServerMessage::RtcFailed { .. }
            | ServerMessage::TakenOver {}
            | ServerMessage::Error { .. } => {} // not state
        }
        None
    }

    /// Where it stands in each topic; at 0 where it holds nothing that counts, so that it is told.
    fn pong(&self, n: u64) -> ClientMessage {
        let seen = self.topics.iter().map(|(topic, held)| {
            let v = held.at.filter(|_| !held.void).map_or(0, |(_, v)| v);
            Seen { topic: topic.clone(), v }
        });
        ClientMessage::Pong { n, visible: None, audio: None, seen: seen.collect() }
    }
}
