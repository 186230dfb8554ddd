//! A network between two endpoints in which everything that may happen does happen: each message may
//! arrive in any order or, within a budget, never; wishes come at any moment; time passes between.
//!
//! A world is a value. Exploring is a walk, depth first, over copies of it: every path from the start
//! to a place where nothing more can happen is one interleaving. There the world is run to its rest and
//! judged.
#![allow(dead_code, unreachable_pub)] // each test uses its part

use crate::wire::{A, ANSWER, B, OFFER, address, config, now, short, tag, value};
use sip::endpoint::{DialogId, Endpoint, Event, Outgoing};
use sip::time::Instant;
use sip::transport::{Flow, Peer, Transport};
use std::time::Duration;

/// What the owner of a side's call wants at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Ring,
    EarlyMedia,
    Answer,
    Refuse,
    Reoffer,
    End,
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
}

/// A rule of the endpoint broken on purpose, at the network's edge: what a side sends when it has
/// heard something is taken from it.
pub type Fault = fn(by: usize, heard: &str, said: &str) -> bool;

/// The tag of a second fork, which nobody is behind.
const OTHER: &str = "otherfork";

#[derive(Clone, Default)]
struct Side {
    dialog: Option<DialogId>,
    wished: usize,
    told: Vec<&'static str>,
    /// Its owner has ended it.
    ended: bool,
}

#[derive(Clone)]
pub struct World {
    ends: [Endpoint; 2],
    sides: [Side; 2],
    at: Instant,
    /// To whom, and what.
    transit: Vec<(usize, Vec<u8>)>,
    losses: u8,
    ticks: u8,
    forks: u8,
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
        let mut world = World {
            ends: [Endpoint::new(config(address(A)), 1), Endpoint::new(config(address(B)), 2)],
            sides: [Side::default(), Side::default()],
            at: Instant::ZERO + Duration::from_secs(1),
            transit: Vec::new(),
            losses: scene.losses,
            ticks: scene.ticks,
            forks: scene.forks,
            fault: None,
            settled: Vec::new(),
        };
        let outgoing = Outgoing {
            flow: flow(A),
            uri: "sip:15@192.0.2.2".to_owned(),
            from: "<sip:0612@192.0.2.1>".to_owned(),
            to: "<sip:15@192.0.2.2>".to_owned(),
            headers: Vec::new(),
            sdp: OFFER.to_vec(),
            credentials: None,
        };
        world.sides[A].dialog = Some(world.ends[A].invite(now(world.at), outgoing));
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
        let (to, bytes) = self.transit.remove(at);
        self.ends[to].handle_message(now(self.at), flow(to), Peer::Trunk(0), &bytes);
        let heard = String::from_utf8_lossy(&bytes).into_owned();
        self.collect(to, &heard)
    }

    fn wish(&mut self, side: usize, wish: Wish) -> Result<(), String> {
        let Some(dialog) = self.sides[side].dialog.filter(|_| !self.sides[side].is_over()) else {
            return Ok(());
        };
        let (end, now) = (&mut self.ends[side], now(self.at));
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
        }
        self.collect(side, "")
    }

    fn tick(&mut self) -> Result<(), String> {
        let next = self.ends.iter().filter_map(Endpoint::poll_timeout).min();
        let Some(next) = next else { return Ok(()) };
        self.at = self.at.max(next);
        for side in [A, B] {
            self.ends[side].handle_due(now(self.at));
            self.collect(side, "")?;
        }
        Ok(())
    }

    /// Takes what a side says and is told; its owner answers offers and lets go of what is lost.
    fn collect(&mut self, side: usize, heard: &str) -> Result<(), String> {
        let mut said = Vec::new();
        loop {
            let mut quiet = true;
            while let Some(transmit) = self.ends[side].poll_transmit() {
                let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                if self.fault.is_none_or(|fault| !fault(side, heard, &text)) {
                    said.push(text);
                    let copy = (1 - side, transmit.bytes.to_vec());
                    // A copy of what is on its way already is no other future.
                    if !self.transit.contains(&copy) {
                        self.transit.push(copy);
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
        self.judge_step(side, heard, &said)
    }

    fn told(&mut self, side: usize, event: Event) -> Result<(), String> {
        let word = match &event {
            Event::Invited { dialog, .. } => {
                self.sides[side].dialog = Some(*dialog);
                "invited"
            }
            Event::Cancelled { .. } => "cancelled",
            Event::Confirmed { .. } => "confirmed",
            Event::Unconfirmed { .. } => "unconfirmed",
            Event::Answered { .. } => "answered",
            Event::Failed { .. } => "failed",
            Event::Reoffered { .. } => "reoffered",
            Event::Released { .. } => "released",
            Event::Lost { .. } => "lost",
            _ => return Ok(()),
        };
        if event.dialog() != self.sides[side].dialog {
            return Err(format!("{word} of a dialog nobody knows"));
        }
        if self.sides[side].is_over() {
            return Err(format!("{word} of a call that is over: {:?}", self.sides[side].told));
        }
        if matches!(word, "answered" | "confirmed" | "invited") && self.sides[side].told.contains(&word) {
            return Err(format!("I2: {word} twice"));
        }
        self.sides[side].told.push(word);
        match word {
            "reoffered" => {
                let dialog = self.sides[side].dialog.expect("it was named");
                self.ends[side].accept(now(self.at), dialog, ANSWER);
            }
            // An owner who hears nothing of the peer any more lets go.
            "unconfirmed" | "lost" => {
                let dialog = self.sides[side].dialog.expect("it was named");
                self.sides[side].ended = true;
                self.ends[side].end(now(self.at), dialog, None);
            }
            _ => {}
        }
        Ok(())
    }

    /// I2, I5: an answer nobody waits for is acknowledged and hung up in the step in which it comes.
    fn judge_step(&mut self, side: usize, heard: &str, said: &[String]) -> Result<(), String> {
        if side != A || short(heard) != "200 INVITE" || !value(heard, "CSeq").starts_with("1 ") {
            return Ok(());
        }
        let fork = tag(&value(heard, "To")).to_owned();
        let ours = said.iter().filter(|text| tag(&value(text, "To")) == fork).map(|text| short(text));
        let ours: Vec<String> = ours.filter(|what| what == "ACK" || what == "BYE").collect();
        let first = !self.settled.contains(&fork);
        let unwanted = self.sides[A].is_over() || self.settled.iter().any(|settled| *settled != fork);
        self.settled.push(fork);
        let expected: &[&str] = if first && unwanted { &["ACK", "BYE"] } else { &["ACK"] };
        if ours != expected {
            return Err(format!("I2, I5: an answer got {ours:?}, not {expected:?}"));
        }
        Ok(())
    }

    /// Nothing is lost any more; everything arrives, and time passes.
    fn rest(&mut self, time: Duration) -> Result<(), String> {
        let until = self.at + time;
        loop {
            while !self.transit.is_empty() {
                self.deliver(0)?;
            }
            match self.ends.iter().filter_map(Endpoint::poll_timeout).min().filter(|next| *next <= until) {
                Some(_) => self.tick()?,
                None => break,
            }
        }
        self.at = until;
        Ok(())
    }

    /// What must hold once nothing more happens, and once everybody has hung up.
    fn judge(&mut self) -> Result<(), String> {
        self.rest(Duration::from_secs(70))?;
        let has = |side: usize, word| self.sides[side].told.contains(&word);
        if has(B, "cancelled") && has(B, "confirmed") {
            return Err("a call was cancelled and confirmed".to_owned());
        }
        // A that talks with the other fork owes B nothing but a BYE, which B has had.
        let with_b = self.settled.first().is_none_or(|fork| fork != OTHER);
        for side in [A, B].into_iter().filter(|_| with_b) {
            let other = &self.sides[1 - side];
            let began = self.sides[side].dialog.is_some();
            // I3: nobody is left talking to nobody: what was begun is told to be over, or stands at both.
            if began && !self.sides[side].is_over() && other.is_over() {
                return Err(format!(
                    "I5: {side} stands ({:?}), the other side is over ({:?})",
                    self.sides[side].told, other.told
                ));
            }
        }
        if with_b
            && !self.sides[A].is_over()
            && self.sides[A].told.contains(&"answered") != self.sides[B].told.contains(&"confirmed")
        {
            return Err(format!(
                "I3: answered at one side only: {:?} {:?}",
                self.sides[A].told, self.sides[B].told
            ));
        }
        self.wish(A, Wish::End)?;
        self.wish(B, Wish::End)?;
        self.rest(Duration::from_secs(110))?;
        for side in [A, B] {
            if !self.ends[side].is_idle() {
                return Err(format!("I5, I23: side {side} is not at rest: {:?}", self.sides[side].told));
            }
        }
        Ok(())
    }

    fn choices(&self, scene: &Scene) -> Vec<Step> {
        let mut steps = Vec::new();
        for side in [A, B] {
            if !self.sides[side].is_over() && self.sides[side].wished < scene.wishes[side].len() {
                steps.push(Step::Wish(side));
            }
        }
        for (at, (to, bytes)) in self.transit.iter().enumerate() {
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
                self.transit.push((A, text.replace(&ours, OTHER).into_bytes()));
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
            let (to, bytes) = &self.transit[at];
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

impl Side {
    /// Its owner has ended it or has been told that it is over.
    fn is_over(&self) -> bool {
        self.ended || self.told.iter().any(|word| matches!(*word, "cancelled" | "failed" | "released"))
    }
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
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
