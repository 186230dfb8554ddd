//! What a packet thread does when it is told something: legs are opened, played to, joined, handed
//! to another thread and closed.

use crate::media::leg::{Leg, Line, Place, Playing};
use crate::media::mailbox::{Mail, leg_of};
use crate::media::pages::Attached;
use crate::media::sound::Sounds;
use crate::media::sys::Wake;
use crate::media::worker::Worker;
use engine::id::{BridgeId, LegId};
use engine::media::{MediaCommand, MediaEvent, MediaPort, Program, Stream};

/// Pairs bound in one go: 32 are half a millisecond in which no packet is served.
const REFILL_MAX: usize = 32;

impl<F: Fn(MediaEvent)> Worker<F> {
    pub(super) fn read(&mut self, mail: Mail, now: u64) {
        let leg = match &mail {
            Mail::Command(command) => leg_of(command),
            // A leg may be expected again after it has left again.
            Mail::Depart { leg, .. } | Mail::Expect(leg) | Mail::Renewed { leg, .. } => Some(*leg),
            // A packet does not wait: its leg is on its way, and it would be late.
            Mail::Heard { .. } | Mail::Say { .. } => None,
            Mail::Moved { .. } | Mail::Detached { .. } => None,
            Mail::Arrive(_) | Mail::Absent(_) | Mail::Stop => None,
        };
        if let Some(waiting) = leg.and_then(|leg| self.expected.get_mut(&leg)) {
            waiting.push(mail);
            return;
        }
        match mail {
            Mail::Command(command) => self.obey(command, now),
            Mail::Expect(leg) => {
                self.expected.entry(leg).or_default();
            }
            Mail::Depart { leg, to } => self.depart(leg, to, now),
            Mail::Arrive(leg) => {
                let id = leg.id;
                self.settle(leg, now);
                self.resume(id, now);
            }
            Mail::Absent(leg) => self.resume(leg, now),
            Mail::Heard { leg, packet } => self.hear_away(leg, &packet, now),
            Mail::Say { page, packet } => self.say_here(page, &packet, now),
            Mail::Moved { page, leg, thread } => self.moved(page, leg, thread),
            Mail::Detached { page, leg, out } => self.detached(page, leg, out, now),
            Mail::Renewed { leg, at, keys } => self.renewed(leg, at, keys),
            // Seen by the loop before.
            Mail::Stop => {}
        }
    }

    /// A leg is no longer expected: what it was told meanwhile is done.
    pub(super) fn resume(&mut self, leg: LegId, now: u64) {
        for mail in self.expected.remove(&leg).unwrap_or_default() {
            self.read(mail, now);
        }
    }

    fn obey(&mut self, command: MediaCommand, now: u64) {
        match command {
            MediaCommand::Open { leg, port, stream } => return self.open(leg, port, stream, now),
            MediaCommand::OpenOnPage { leg, page } => return self.open_on_page(leg, page, now),
            MediaCommand::PageOpen { page, offer } => return self.open_page(page, &offer, now),
            MediaCommand::PageClose { page } => return self.close_page(page, now),
            _ => {}
        }
        let Some(id) = leg_of(&command) else { return };
        let Some(place) = self.legs.find(id) else { return self.refuse(id, "there is no such leg") };
        let Some(leg) = self.legs.at(place) else { return };
        match command {
            // Done above: there was no leg yet, or there is none.
            MediaCommand::Open { .. }
            | MediaCommand::OpenOnPage { .. }
            | MediaCommand::PageOpen { .. }
            | MediaCommand::PageClose { .. } => {}
            MediaCommand::Update { stream, .. } => leg.update(stream, now),
            MediaCommand::Play { program, .. } => return self.play(place, id, program, now),
            MediaCommand::Join { bridge, .. } => return self.join(place, id, bridge, now),
            MediaCommand::Voice { voice, .. } => leg.voice = voice,
            MediaCommand::Leave { .. } => return self.leave(place, now),
            MediaCommand::Listen { on, .. } => {
                if on && !leg.is_read() {
                    // Keys pressed before nobody asked for.
                    leg.flush();
                }
                leg.listen = on;
            }
            MediaCommand::Close { .. } => return self.close(place, now),
        }
        self.tune(place, now);
    }

    fn open(&mut self, id: LegId, port: MediaPort, stream: Stream, now: u64) {
        if self.legs.find(id).is_some() {
            return self.refuse(id, "the leg is open already");
        }
        let Some(pair) = self.stock.take(port.rtp.port()) else {
            return self.refuse(id, "the port is not one of the stock");
        };
        let random = self.draw();
        self.settle(Box::new(Leg::open(id, port, pair, stream, now, random)), now);
    }

    /// SplitMix64: numbers that look like chance from a seed that is.
    pub(super) fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Gives a leg its place on this thread.
    pub(super) fn settle(&mut self, mut leg: Box<Leg>, now: u64) {
        if let Line::Port(port, _) = &mut leg.line {
            port.thread = self.stock.thread();
        }
        leg.wake = Wake::Never;
        let id = leg.id;
        let page = leg.page();
        let place = self.legs.insert(leg);
        if let Some(page) = page {
            self.attach(page, id, place);
        }
        let token = self.legs.token(place);
        let Some(leg) = self.legs.at(place) else { return };
        if let Some(pair) = leg.pair()
            && let Err(error) = self.epoll.add(&pair.rtp, token, Wake::Never)
        {
            self.refuse(id, &format!("it cannot be waited for: {error}"));
        }
        self.tune(place, now);
    }

    fn depart(&mut self, id: LegId, to: usize, now: u64) {
        let Some(place) = self.legs.find(id) else { return self.post(to, Mail::Absent(id)) };
        self.unbridge(place, now);
        let Some(leg) = self.lift(place) else { return };
        if let Some(page) = leg.page().filter(|page| page.thread == self.index)
            && let Some(page) = self.pages.at(page.place)
        {
            page.leg = Some(Attached::Away { leg: id, thread: to });
        }
        self.post(to, Mail::Arrive(leg));
    }

    /// Takes a leg out of everything that knows its place.
    fn lift(&mut self, place: u32) -> Option<Box<Leg>> {
        let mut leg = self.legs.remove(place)?;
        if let Some(phase) = leg.phase.take() {
            self.wheel.leave(place, phase);
        }
        if let Some(pair) = leg.pair()
            && let Err(error) = self.epoll.remove(&pair.rtp)
        {
            tracing::warn!(%error, "a socket could not be taken out of its epoll");
        }
        Some(leg)
    }

    fn play(&mut self, place: u32, id: LegId, program: Program, now: u64) {
        let Some(leg) = self.legs.at(place) else { return };
        if matches!(leg.place, Place::Bridge(..)) {
            return self.refuse(id, "a leg in a conversation is played nothing");
        }
        let was_echo = matches!(leg.place, Place::Echo);
        let mut announced = false;
        leg.place = match program {
            Program::Hold { announce, hold } => {
                let sounds = &self.sounds;
                let find = |name: &String| {
                    let sound = sounds.sound(name).cloned();
                    if sound.is_none() {
                        let why = format!("no sound is named `{name}`");
                        (self.events)(MediaEvent::Refused { leg: Some(id), why });
                    }
                    sound
                };
                let looped = find(&hold).unwrap_or_else(|| self.sounds.comfort().clone());
                let playing = Playing::new(announce.iter().filter_map(find).collect(), looped);
                announced = playing.announced();
                Place::Alone(Some(playing))
            }
            Program::RingBack => Place::Alone(Some(Playing::new(vec![], self.sounds.ring_back().clone()))),
            Program::Comfort => Place::Alone(Some(comfort(&self.sounds))),
            Program::Echo => Place::Echo,
            Program::Silence => Place::Alone(None),
        };
        if was_echo || matches!(leg.place, Place::Echo) {
            leg.cut();
        }
        if announced {
            (self.events)(MediaEvent::Announced { leg: id });
        }
        self.tune(place, now);
    }

    fn join(&mut self, place: u32, id: LegId, bridge: BridgeId, now: u64) {
        let Some(leg) = self.legs.at(place) else { return };
        if matches!(&leg.place, Place::Bridge(current, _) if *current == bridge) {
            return;
        }
        if let Err(full) = self.bridges.entry(bridge).or_default().join(place) {
            return self.refuse(id, &full.to_string());
        }
        self.unbridge(place, now);
        let Some(leg) = self.legs.at(place) else { return };
        leg.place = Place::Bridge(bridge, comfort(&self.sounds));
        // What lies unread is seconds old.
        leg.cut();
        leg.expect(now);
        leg.hushed = false;
        self.weigh(bridge, now);
        self.tune_bridge(bridge, now);
    }

    fn leave(&mut self, place: u32, now: u64) {
        self.unbridge(place, now);
        self.tune(place, now);
    }

    /// Takes a leg out of its conversation, if it is in one; it hears comfort noise.
    fn unbridge(&mut self, place: u32, now: u64) {
        let Some(leg) = self.legs.at(place) else { return };
        let Place::Bridge(id, _) = leg.place else { return };
        leg.place = Place::Alone(Some(comfort(&self.sounds)));
        leg.said = None;
        leg.cut();
        leg.looked(now);
        let Some(bridge) = self.bridges.get_mut(&id) else { return };
        bridge.leave(place);
        if bridge.is_empty() {
            let mixed = self.bridges.remove(&id).and_then(|bridge| bridge.mixed);
            self.forget_mix(mixed);
        } else {
            self.weigh(id, now);
            self.tune_bridge(id, now);
        }
    }

    fn close(&mut self, place: u32, now: u64) {
        self.unbridge(place, now);
        let Some(leg) = self.lift(place) else { return };
        let (received, sent, lost) = (leg.received, leg.sent, leg.lost());
        (self.events)(MediaEvent::Closed { leg: leg.id, received, sent, lost });
        if let Some(page) = leg.page() {
            let (leg, out) = (leg.id, leg.out());
            match page.thread == self.index {
                true => self.detached(page.page, leg, out, now),
                false => self.post(page.thread, Mail::Detached { page: page.page, leg, out }),
            }
        }
        let Line::Port(port, pair) = leg.line else { return self.rest() };
        if let Err(error) = pair.keep_little() {
            tracing::warn!(%error, "a media port could not be made small again");
        }
        self.stock.give_back(port.rtp.port(), pair);
        (self.events)(MediaEvent::Ports(vec![port]));
        self.rest();
    }

    /// With nobody to watch over, the figures are told at once.
    fn rest(&mut self) {
        if self.legs.is_empty() {
            self.flush();
        }
    }

    pub(super) fn tune_bridge(&mut self, bridge: BridgeId, now: u64) {
        let ports = self.bridges.get(&bridge).map(|bridge| bridge.ports().to_vec());
        for place in ports.unwrap_or_default() {
            self.tune(place, now);
        }
    }

    /// Whether a leg in a conversation is its only one, or hears nothing of the others. A page is not
    /// kept from noticing that: its agent is told in words.
    fn hears_nobody(&mut self, place: u32) -> bool {
        let Some(leg) = self.legs.at(place) else { return false };
        let (Place::Bridge(id, _), page) = (&leg.place, leg.page()) else { return false };
        let Some(bridge) = self.bridges.get(id) else { return true };
        if bridge.mixed.is_some() {
            return false; // each turn of the mix has a frame for it
        }
        let mut others = bridge.hearers(place);
        match page {
            Some(_) => others.next().is_none(),
            None => others.all(|other| self.legs.at(other).is_none_or(|other| other.hushed)),
        }
    }

    /// Makes wheel and epoll fit what a leg hears and whether it is read.
    pub(super) fn tune(&mut self, place: u32, now: u64) {
        let token = self.legs.token(place);
        let alone = self.hears_nobody(place);
        let Some(leg) = self.legs.at(place) else { return };
        let played = match &leg.place {
            Place::Alone(playing) => playing.is_some(),
            Place::Echo => false,
            Place::Bridge(..) => alone,
        };
        match (played, leg.phase) {
            (true, None) => leg.phase = Some(self.wheel.join(place, now)),
            (false, Some(phase)) => {
                self.wheel.leave(place, phase);
                leg.phase = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
        let wake = match (leg.is_read(), leg.is_heard()) {
            (true, _) => Wake::Always,
            (false, false) => Wake::Once,
            (false, true) => Wake::Never,
        };
        let before = std::mem::replace(&mut leg.wake, wake);
        // What a page says comes on the pages' socket, which is always read.
        let (true, Some(pair)) = (wake != before, leg.pair()) else { return };
        let kept = match (wake, before) {
            (Wake::Always, _) => pair.keep_talk(),
            (_, Wake::Always) => pair.keep_little(),
            _ => Ok(()),
        };
        if let Err(error) = kept.and_then(|()| self.epoll.change(&pair.rtp, token, wake)) {
            tracing::error!(%error, leg = %leg.id, "a leg cannot be waited for");
        }
    }

    pub(super) fn restock(&mut self) {
        if !self.stock.is_low() {
            return;
        }
        match self.stock.refill(REFILL_MAX) {
            Ok(fresh) if fresh.is_empty() => {}
            Ok(fresh) => {
                (self.events)(MediaEvent::Ports(fresh));
                if self.stock.is_low() {
                    // The rest in the next turn: packets go first.
                    self.boxes[self.index].ring();
                }
            }
            Err(error) => tracing::error!(%error, "no more media ports can be bound"),
        }
        if self.legs.is_empty() {
            self.flush();
        }
    }

    pub(super) fn post(&self, to: usize, mail: Mail) {
        // Only commands are bounded; the front knows no thread that is not there.
        if let Some(other) = self.boxes.get(to) {
            other.post(mail);
        }
    }

    pub(super) fn refuse(&self, leg: LegId, why: &str) {
        (self.events)(MediaEvent::Refused { leg: Some(leg), why: why.to_owned() });
    }
}

fn comfort(sounds: &Sounds) -> Playing {
    Playing::new(Vec::new(), sounds.comfort().clone())
}
