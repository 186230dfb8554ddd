//! A network between two user agents in which everything that may happen does happen: each message may
//! arrive in any order or, within a budget, never; wishes come at any moment; time passes between. At
//! least one of the two is our endpoint; the other may be somebody else's (`foreign.rs`).
//!
//! A world is a value. Exploring is a walk, depth first, over copies of it: every path from the start
//! to a place where nothing more can happen is one interleaving. There the world is run to its rest and
//! judged.
#![allow(dead_code, unreachable_pub)] // each test uses its part

mod end;
mod foreign;
mod judge;

pub use foreign::Manner;

use crate::wire::{A, ANSWER, B, OFFER, address, config, now, short, tag, value};
use end::End;
use foreign::Foreign;
use sip::endpoint::{DialogId, Endpoint, Outgoing};
use sip::time::Instant;
use sip::transport::{Flow, Transport};
use std::time::Duration;

/// What the owner of a side's call wants at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Ring,
    EarlyMedia,
    Answer,
    Refuse,
    Reoffer,
    /// Answers an offer it has taken its time for.
    Accept,
    End,
    /// An offer in an UPDATE; the endpoint makes none.
    Update,
    /// The CANCEL of a re-INVITE; the endpoint sends one after 32 s only.
    CancelOffer,
    /// The same by a second fork.
    Second(&'static Wish),
}

/// What the two sides will want, in their order, and what the network may do to them.
#[derive(Clone)]
pub struct Scene {
    pub name: &'static str,
    pub wishes: [&'static [Wish]; 2],
    /// Messages that may be lost.
    pub losses: u8,
    /// Times the clock may run to the next timer while messages are on their way.
    pub ticks: u8,
    /// The answer may come from a second fork as well.
    pub forks: u8,
    /// The call stands already.
    pub stands: bool,
    /// Our owner answers offers when it wishes to, not at once.
    pub slow: bool,
    /// The side that is none of ours.
    pub foreign: Option<(usize, Manner)>,
}

/// Nobody wants anything, and nothing is lost.
pub const QUIET: Scene = Scene {
    name: "",
    wishes: [&[], &[]],
    losses: 0,
    ticks: 0,
    forks: 0,
    stands: false,
    slow: false,
    foreign: None,
};

/// A rule of the endpoint broken on purpose, at the network's edge: what a side sends when it has
/// heard something is taken from it.
pub type Fault = fn(by: usize, heard: &str, said: &str) -> bool;

/// The tag of a second fork, which nobody is behind.
const OTHER: &str = "otherfork";

/// How long a network may hold a message back (T4, RFC 3261 §17.1.2.2).
const ON_ITS_WAY: Duration = Duration::from_secs(5);

#[derive(Clone, Default)]
struct Side {
    dialog: Option<DialogId>,
    wished: usize,
    told: Vec<&'static str>,
    /// Its owner has ended it.
    ended: bool,
    /// An offer of the peer that waits for its owner, and what the peer describes that is in force.
    offered: Option<Vec<u8>>,
    force: Option<Vec<u8>>,
}

#[derive(Clone)]
pub struct World {
    ends: [End; 2],
    sides: [Side; 2],
    at: Instant,
    /// To whom, what, and since when.
    transit: Vec<(usize, Vec<u8>, Instant)>,
    losses: u8,
    ticks: u8,
    forks: u8,
    slow: bool,
    fault: Option<Fault>,
    /// A has let go of the call: each answer from here on is acknowledged and hung up at once.
    settled: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Deliver(usize),
    Lose(usize),
    Fork(usize),
    Wish(usize),
    Tick,
}

/// How far a walk has come.
#[derive(Default)]
pub struct Walk {
    /// Paths walked to their end.
    pub interleavings: u64,
    /// Steps taken.
    pub steps: u64,
    path: Vec<String>,
}

/// A path that breaks a rule.
#[derive(Debug)]
pub struct Broken {
    pub rule: String,
    pub path: Vec<String>,
}

impl World {
    pub fn new(scene: &Scene, fault: Option<Fault>) -> World {
        let at = Instant::ZERO + Duration::from_secs(1);
        let end = |side: usize| match scene.foreign {
            Some((foreign, manner)) if foreign == side => {
                End::Foreign(Box::new(Foreign::new(side, manner, at)))
            }
            _ => End::Ours(Box::new(Endpoint::new(config(address(side)), side as u64 + 1))),
        };
        let mut world = World {
            ends: [end(A), end(B)],
            sides: [Side::default(), Side::default()],
            at,
            transit: Vec::new(),
            losses: scene.losses,
            ticks: scene.ticks,
            forks: scene.forks,
            slow: scene.slow,
            fault: None,
            settled: Vec::new(),
        };
        match &mut world.ends[A] {
            End::Ours(endpoint) => world.sides[A].dialog = Some(endpoint.invite(now(at), invite())),
            End::Foreign(foreign) => foreign.invite(),
        }
        world.collect(A, "").expect("an INVITE breaks no rule");
        // The INVITE arrives: what it crosses on its way is the network's own test.
        world.deliver(0).expect("an INVITE breaks no rule");
        if scene.stands {
            world.wish(B, Wish::Answer).expect("an answer");
            // Until nothing of its making is left: the next timer is the session's own refresh.
            world.rest(Duration::from_secs(100)).expect("a call that stands");
        }
        world.fault = fault;
        world
    }

    fn deliver(&mut self, at: usize) -> Result<(), String> {
        let (to, bytes, _) = self.transit.remove(at);
        self.ends[to].hear(self.at, flow(to), &bytes);
        let heard = String::from_utf8_lossy(&bytes).into_owned();
        self.collect(to, &heard)
    }

    fn wish(&mut self, side: usize, wish: Wish) -> Result<(), String> {
        if let End::Foreign(foreign) = &mut self.ends[side] {
            if foreign.may(wish) {
                foreign.wish(self.at, wish);
            }
            return self.collect(side, "");
        }
        let dialog = self.sides[side].dialog.filter(|_| !self.sides[side].is_over());
        let (Some(dialog), now) = (dialog, now(self.at)) else { return Ok(()) };
        if wish == Wish::Accept {
            self.accept(side);
            return self.collect(side, "");
        }
        let Some(end) = self.ends[side].ours() else { return Ok(()) };
        match wish {
            Wish::Ring => end.ring(now, dialog, 180, None),
            Wish::EarlyMedia => end.ring(now, dialog, 183, Some(ANSWER)),
            Wish::Answer => end.answer(now, dialog, ANSWER),
            Wish::Refuse => {
                self.sides[side].ended = true;
                end.refuse(now, dialog, 486, None);
            }
            Wish::Reoffer => end.reoffer(now, dialog, OFFER),
            Wish::End => {
                self.sides[side].ended = true;
                end.end(now, dialog, None);
            }
            Wish::Accept | Wish::Update | Wish::CancelOffer | Wish::Second(_) => {}
        }
        self.collect(side, "")
    }

    fn tick(&mut self) -> Result<(), String> {
        let next = self.ends.iter().filter_map(End::poll_timeout).min();
        let Some(next) = next else { return Ok(()) };
        self.at = self.at.max(next);
        self.transit.retain(|it| self.at.since(it.2) <= ON_ITS_WAY);
        for side in [A, B] {
            self.ends[side].handle_due(self.at);
            self.collect(side, "")?;
        }
        Ok(())
    }

    /// Takes what a side says and is told; its owner answers offers and lets go of what is lost.
    fn collect(&mut self, side: usize, heard: &str) -> Result<(), String> {
        let mut said = Vec::new();
        loop {
            let mut quiet = true;
            while let Some(text) = self.ends[side].poll_transmit() {
                if self.fault.is_none_or(|fault| !fault(side, heard, &text)) {
                    let (to, bytes) = (1 - side, text.clone().into_bytes());
                    said.push(text);
                    // A copy of what is on its way already is no other future.
                    match self.transit.iter_mut().find(|it| (it.0, &it.1) == (to, &bytes)) {
                        Some(copy) => copy.2 = self.at,
                        None => self.transit.push((to, bytes, self.at)),
                    }
                }
            }
            while let Some(event) = self.ends[side].poll_event() {
                quiet = false;
                self.told(side, event)?;
            }
            if quiet {
                break;
            }
        }
        if let End::Foreign(foreign) = &mut self.ends[side]
            && let Some(rule) = foreign.broken()
        {
            return Err(rule);
        }
        self.judge_step(side, heard, &said)
    }

    /// Nothing is lost any more; everything arrives, and time passes.
    fn rest(&mut self, time: Duration) -> Result<(), String> {
        let until = self.at + time;
        loop {
            while !self.transit.is_empty() {
                self.deliver(0)?;
            }
            match self.ends.iter().filter_map(End::poll_timeout).min().filter(|next| *next <= until) {
                Some(_) => self.tick()?,
                None => break,
            }
        }
        self.at = until;
        Ok(())
    }

    fn choices(&self, scene: &Scene) -> Vec<Step> {
        let mut steps = Vec::new();
        for side in [A, B] {
            let next = scene.wishes[side].get(self.sides[side].wished);
            if next.is_some_and(|wish| self.may(side, *wish)) {
                steps.push(Step::Wish(side));
            }
        }
        for (at, (to, bytes, _)) in self.transit.iter().enumerate() {
            steps.push(Step::Deliver(at));
            if self.losses > 0 {
                steps.push(Step::Lose(at));
            }
            if self.forks > 0
                && *to == A
                && bytes.starts_with(b"SIP/2.0 200")
                && contains(bytes, b"CSeq: 1 INVITE")
            {
                steps.push(Step::Fork(at));
            }
        }
        // With nothing on its way time alone changes nothing that rest would not.
        if self.ticks > 0 && !steps.is_empty() {
            steps.push(Step::Tick);
        }
        steps
    }

    fn may(&self, side: usize, wish: Wish) -> bool {
        match &self.ends[side] {
            End::Foreign(foreign) => foreign.may(wish),
            End::Ours(_) if self.sides[side].is_over() => false,
            End::Ours(_) => wish != Wish::Accept || self.sides[side].offered.is_some(),
        }
    }

    fn take(&mut self, scene: &Scene, step: Step) -> Result<(), String> {
        match step {
            Step::Deliver(at) => self.deliver(at),
            Step::Lose(at) => {
                self.losses -= 1;
                self.transit.remove(at);
                Ok(())
            }
            Step::Fork(at) => {
                self.forks -= 1;
                let text = String::from_utf8_lossy(&self.transit[at].1).into_owned();
                let ours = tag(&value(&text, "To")).to_owned();
                self.transit.push((A, text.replace(&ours, OTHER).into_bytes(), self.at));
                Ok(())
            }
            Step::Wish(side) => {
                let wish = scene.wishes[side][self.sides[side].wished];
                self.sides[side].wished += 1;
                self.wish(side, wish)
            }
            Step::Tick => {
                self.ticks -= 1;
                self.tick()
            }
        }
    }

    fn words(&self, scene: &Scene, step: Step) -> String {
        let message = |at: usize| {
            let (to, bytes, _) = &self.transit[at];
            format!("{} to {}", short(&String::from_utf8_lossy(bytes)), ["A", "B"][*to])
        };
        match step {
            Step::Deliver(at) => message(at),
            Step::Lose(at) => format!("lost: {}", message(at)),
            Step::Fork(_) => "a second fork answers".to_owned(),
            Step::Wish(side) => {
                format!("{} wants {:?}", ["A", "B"][side], scene.wishes[side][self.sides[side].wished])
            }
            Step::Tick => "time passes".to_owned(),
        }
    }
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

fn invite() -> Outgoing {
    Outgoing {
        flow: flow(A),
        uri: "sip:15@192.0.2.2".to_owned(),
        from: "<sip:0612@192.0.2.1>".to_owned(),
        to: "<sip:15@192.0.2.2>".to_owned(),
        headers: Vec::new(),
        sdp: OFFER.to_vec(),
        credentials: None,
    }
}

fn flow(side: usize) -> Flow {
    Flow { transport: Transport::Udp, local: address(side), remote: address(1 - side), connection: 0 }
}

impl Walk {
    /// Every interleaving of a scene, or the first that breaks a rule.
    pub fn explore(&mut self, scene: &Scene, fault: Option<Fault>) -> Result<(), Broken> {
        self.path.clear();
        self.walk(scene, World::new(scene, fault))
    }

    fn walk(&mut self, scene: &Scene, mut world: World) -> Result<(), Broken> {
        let mut steps = world.choices(scene);
        let Some(last) = steps.pop() else {
            self.interleavings += 1;
            return world.judge().map_err(|rule| self.broken(rule));
        };
        for step in steps {
            self.follow(scene, world.clone(), step)?;
        }
        self.follow(scene, world, last)
    }

    fn follow(&mut self, scene: &Scene, mut world: World, step: Step) -> Result<(), Broken> {
        self.steps += 1;
        self.path.push(world.words(scene, step));
        world.take(scene, step).map_err(|rule| self.broken(rule))?;
        self.walk(scene, world)?;
        self.path.pop();
        Ok(())
    }

    fn broken(&self, rule: String) -> Broken {
        Broken { rule, path: self.path.clone() }
    }
}
