//! One packet thread: it sleeps on its sockets, its bell and its alarm, and owns every leg it
//! serves. Commands come in order through a mailbox; legs come and go through the same one.

use crate::media::bridge::Bridge;
use crate::media::g711::FRAME;
use crate::media::leg::{Kind, PageAt, Place, SECOND, Way};
use crate::media::legs::Legs;
use crate::media::mailbox::{Mail, Mailbox};
use crate::media::mixer::{Mixes, reaches};
use crate::media::pages::Pages;
use crate::media::plane::Figures;
use crate::media::port::Stock;
use crate::media::rtp::{FRAME_TIME, HEADER};
use crate::media::sound::Sounds;
use crate::media::sys::{self, Alarm, Epoll, Ready, Wake};
use crate::media::wheel::{STEP, Wheel};
use engine::id::{BridgeId, LegId};
use engine::media::MediaEvent;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How often silences are looked for. A shorter time finds them sooner and costs a pass over the legs.
const WATCH: u64 = SECOND / 10;
/// Passes between two reports of the figures.
const WATCHES_PER_FLUSH: u32 = 10;
/// Packets read of a waiting leg in one look; its socket keeps three or four.
const LOOK_MAX: usize = 16;
/// The largest datagram read. G.711 needs 172 bytes for 20 ms; longer ones are cut and not relayed.
pub(super) const DATAGRAM_MAX: usize = 2_048;
/// Sockets served per sleep.
const READY_MAX: usize = 256;

const MAIL: u64 = u64::MAX;
const ALARM: u64 = u64::MAX - 1;
const PAGES: u64 = u64::MAX - 2;

/// One packet thread.
pub(crate) struct Worker<F> {
    pub(super) index: usize,
    /// Every thread's mailbox, this one's at `index`.
    pub(super) boxes: Arc<[Mailbox]>,
    pub(super) epoll: Epoll,
    alarm: Alarm,
    alarm_at: Option<u64>,
    pub(super) stock: Stock,
    pub(super) sounds: Sounds,
    pub(super) events: F,
    pub(super) legs: Legs,
    pub(super) bridges: HashMap<BridgeId, Bridge>,
    pub(super) mixes: Mixes,
    pub(super) wheel: Wheel,
    pub(super) pages: Pages,
    /// Legs on their way here, and what they have been told meanwhile.
    pub(super) expected: HashMap<LegId, Vec<Mail>>,
    watch_at: u64,
    watches: u32,
    pub(super) figures: Figures,
    pub(super) random: u64,
    pub(super) datagram: [u8; DATAGRAM_MAX],
}

impl<F: Fn(MediaEvent)> Worker<F> {
    pub(crate) fn new(
        index: usize,
        boxes: Arc<[Mailbox]>,
        stock: Stock,
        pages: Pages,
        sounds: Sounds,
        events: F,
        random: u64,
    ) -> io::Result<Self> {
        let (epoll, alarm) = (Epoll::new()?, Alarm::new()?);
        epoll.add(&boxes[index].bell(), MAIL, Wake::Always)?;
        epoll.add(&alarm, ALARM, Wake::Always)?;
        epoll.add(pages.socket(), PAGES, Wake::Always)?;
        Ok(Worker {
            index,
            boxes,
            epoll,
            alarm,
            alarm_at: None,
            stock,
            sounds,
            events,
            legs: Legs::default(),
            bridges: HashMap::new(),
            mixes: Mixes::default(),
            wheel: Wheel::default(),
            pages,
            expected: HashMap::new(),
            watch_at: 0,
            watches: 0,
            figures: Figures::default(),
            random,
            datagram: [0; DATAGRAM_MAX],
        })
    }

    /// Serves until it is told to stop.
    pub(crate) fn run(mut self) {
        let mut ready = Ready::with_room(READY_MAX);
        let mut mails = VecDeque::new();
        self.flush();
        loop {
            if let Err(error) = self.epoll.sleep(&mut ready) {
                tracing::error!(%error, thread = self.index, "the media thread cannot sleep, and ends");
                return;
            }
            let now = sys::now();
            let mut index = 0;
            let mut told = false;
            while let Some(token) = ready.token(index) {
                index += 1;
                match token {
                    MAIL => told = true,
                    ALARM => {}
                    PAGES => self.receive_from_pages(now),
                    leg => self.receive(leg, now),
                }
            }
            if told {
                self.boxes[self.index].take(&mut mails);
                while let Some(mail) = mails.pop_front() {
                    if matches!(mail, Mail::Stop) {
                        return self.flush();
                    }
                    self.read(mail, now);
                }
                self.restock();
            }
            self.turn(now);
            self.set_alarm(now);
        }
    }

    /// Everything that is due at `now`.
    fn turn(&mut self, now: u64) {
        while let Some(turn) = self.wheel.due(now) {
            let late = now - turn.at + turn.skipped * STEP;
            self.figures.late_ticks += u64::from(late > FRAME_TIME / 2);
            self.figures.lateness_max = self.figures.lateness_max.max(Duration::from_nanos(late));
            let mut packet = [0; HEADER + FRAME];
            for at in 0..self.wheel.members(turn.phase).len() {
                let Some(&member) = self.wheel.members(turn.phase).get(at) else { break };
                if let Some(mixed) = self.mixes.of(member) {
                    self.mix(mixed, turn.at, false);
                    continue;
                }
                let Some(leg) = self.legs.at(member) else { continue };
                match leg.play(&mut packet, turn.at) {
                    Ok((way, announced)) => {
                        if announced {
                            (self.events)(MediaEvent::Announced { leg: leg.id });
                        }
                        if let Way::Page(page) = way {
                            say(&mut self.pages, (&self.boxes, self.index), page, &packet, now);
                        }
                        self.figures.packets_out += u64::from(way != Way::Nowhere);
                    }
                    Err(_) => self.figures.send_errors += 1,
                }
            }
        }
        self.turn_pages(now);
        if now >= self.watch_at && !self.legs.is_empty() {
            self.watch_at = now + WATCH;
            self.watch(now);
        }
    }

    /// Looks for peers that have fallen silent.
    fn watch(&mut self, now: u64) {
        for place in 0..self.legs.places() {
            let Some(leg) = self.legs.at(place) else { continue };
            if !leg.is_read() {
                // Silence is only known of a leg just looked at.
                if leg.pair().is_some() && !leg.is_look_due(now) {
                    continue;
                }
                self.look(place, now);
            }
            let Some(leg) = self.legs.at(place) else { continue };
            while let Some(seconds) = leg.silent(now) {
                (self.events)(MediaEvent::Silent { leg: leg.id, seconds });
            }
            if let Some(bridge) = leg.hushes(now) {
                self.tune_bridge(bridge, now);
            }
        }
        self.watches += 1;
        if self.watches >= WATCHES_PER_FLUSH {
            self.watches = 0;
            self.flush();
        }
    }

    pub(super) fn flush(&mut self) {
        self.figures.legs = self.legs.len() as u64;
        self.figures.ports_free = self.stock.len() as u64;
        self.figures.cpu = sys::thread_cpu();
        self.boxes[self.index].publish(&self.figures);
    }

    fn set_alarm(&mut self, now: u64) {
        let watch = (!self.legs.is_empty()).then_some(self.watch_at);
        let pages = self.pages.next().map(|at| sys::reading(at, now));
        let next = self.wheel.next().into_iter().chain(watch).chain(pages).min();
        // An alarm that has rung goes on ringing until it is set.
        if next == self.alarm_at && next.is_none_or(|at| at > now) {
            return;
        }
        match self.alarm.set(next) {
            Ok(()) => self.alarm_at = next,
            Err(error) => tracing::error!(%error, "the media thread's alarm cannot be set"),
        }
    }

    /// A packet has come to a leg.
    fn receive(&mut self, token: u64, now: u64) {
        let Some(place) = self.legs.place_of(token) else { return };
        let Some(leg) = self.legs.at(place) else { return };
        if !leg.is_read() {
            // It woke us once, to be heard for the first time.
            leg.wake = Wake::Never;
            self.look(place, now);
            return self.tune(place, now);
        }
        let Some(pair) = leg.pair() else { return };
        let Ok((length, from)) = pair.receive(&mut self.datagram) else { return };
        self.figures.packets_in += 1;
        self.deliver(place, length, from, now);
    }

    /// Brings the packet in `datagram` to those who hear what this leg says.
    pub(super) fn deliver(&mut self, place: u32, length: usize, from: SocketAddr, now: u64) {
        let Some(leg) = self.legs.at(place) else { return };
        let Some(length) = leg.unseal(&mut self.datagram[..length]) else {
            self.figures.packets_dropped += 1;
            return;
        };
        let packet = &mut self.datagram[..length];
        let Some(heard) = (length < DATAGRAM_MAX).then(|| leg.hear(packet, from, now)).flatten() else {
            self.figures.packets_dropped += 1;
            return;
        };
        if heard.first {
            (self.events)(MediaEvent::Heard { leg: leg.id });
        }
        if let Some(digit) = heard.digit {
            (self.events)(MediaEvent::Digit { leg: leg.id, digit });
        }
        let (mut echo, voice) = (None, leg.voice);
        let woken = match leg.place {
            Place::Bridge(bridge, _) if heard.kind != Kind::Noise && std::mem::take(&mut leg.hushed) => {
                Some(bridge)
            }
            _ => None,
        };
        if leg.said.is_some() {
            leg.keep(packet, &heard);
            return woken.into_iter().for_each(|bridge| self.tune_bridge(bridge, now));
        }
        let hearers = match &leg.place {
            Place::Echo => {
                echo = Some(place);
                None
            }
            Place::Bridge(bridge, _) => self.bridges.get(bridge),
            Place::Alone(_) => None,
        };
        for hearer in hearers.iter().flat_map(|bridge| bridge.hearers(place)).chain(echo) {
            let Some(hearer) = self.legs.at(hearer).filter(|leg| reaches(voice, leg)) else { continue };
            match hearer.pass(packet, &heard, now) {
                Ok(Way::Sent) => self.figures.packets_out += 1,
                Ok(Way::Page(page)) => {
                    let said = say(&mut self.pages, (&self.boxes, self.index), page, packet, now);
                    self.figures.packets_out += u64::from(said);
                    self.figures.packets_dropped += u64::from(!said);
                }
                Ok(Way::Nowhere) => self.figures.packets_dropped += 1,
                Err(_) => self.figures.send_errors += 1,
            }
        }
        if let Some(bridge) = woken {
            self.tune_bridge(bridge, now);
        }
    }

    /// Reads what lies at a leg that is not read packet by packet: is its peer still there?
    fn look(&mut self, place: u32, now: u64) {
        let Some(leg) = self.legs.at(place) else { return };
        leg.looked(now);
        for _ in 0..LOOK_MAX {
            let Some(pair) = leg.pair() else { return };
            let Ok((length, from)) = pair.receive(&mut self.datagram) else { return };
            self.figures.packets_in += 1;
            let opened = leg.unseal(&mut self.datagram[..length]);
            match opened.and_then(|length| leg.hear(&self.datagram[..length], from, now)) {
                Some(heard) if heard.first => (self.events)(MediaEvent::Heard { leg: leg.id }),
                Some(_) => {}
                None => self.figures.packets_dropped += 1,
            }
        }
    }
}

/// Says a packet to a page; one of another thread hears it from there. False when it was not taken.
pub(super) fn say(
    pages: &mut Pages,
    (boxes, here): (&[Mailbox], usize),
    to: PageAt,
    packet: &[u8],
    now: u64,
) -> bool {
    if to.thread == here {
        return pages.say(to.place, packet, sys::instant(now));
    }
    let mail = Mail::Say { page: to.page, packet: packet.into() };
    boxes.get(to.thread).is_some_and(|other| other.post(mail))
}
