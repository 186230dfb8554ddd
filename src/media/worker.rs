//! One packet thread: it sleeps on its sockets, its bell and its alarm, and owns every leg it
//! serves. Commands come in order through a mailbox; legs come and go through the same one.

use crate::media::bridge::Bridge;
use crate::media::leg::{Leg, Place, Playing, SECOND};
use crate::media::legs::Legs;
use crate::media::plane::Figures;
use crate::media::port::{Pair, Provider};
use crate::media::rtp::FRAME_TIME;
use crate::media::sound::Sounds;
use crate::media::sys::{self, Alarm, Bell, Epoll, Ready, Wake};
use crate::media::wheel::Wheel;
use engine::id::{BridgeId, LegId};
use engine::media::{MediaCommand, MediaEvent, MediaPort, Program, Stream};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Unread commands of one thread. Each is a call's change, so this is seconds of the heaviest load:
/// a thread that far behind is lost, and more would hide it.
const MAIL_MAX: usize = 65_536;
/// How often silences are looked for. A shorter time finds them sooner and costs a pass over the legs.
const WATCH: u64 = SECOND / 10;
/// Passes between two reports of the figures.
const WATCHES_PER_FLUSH: u32 = 10;
/// Pairs bound in one go: 32 are half a millisecond in which no packet is served.
const REFILL_MAX: usize = 32;
/// Packets read of a waiting leg in one look; its socket keeps three or four.
const LOOK_MAX: usize = 16;
/// The largest datagram read. G.711 needs 172 bytes for 20 ms; longer ones are cut and not relayed.
const DATAGRAM_MAX: usize = 2_048;
/// Sockets served per sleep.
const READY_MAX: usize = 256;

const MAIL: u64 = u64::MAX;
const ALARM: u64 = u64::MAX - 1;

/// What a thread is told.
#[derive(Debug)]
pub(crate) enum Mail {
    Command(MediaCommand),
    /// A leg will come from another thread; what is told to it until then has to wait.
    Expect(LegId),
    /// Hands a leg to another thread.
    Depart {
        leg: LegId,
        to: usize,
    },
    Arrive(Box<Leg>),
    /// The expected leg did not exist.
    Absent(LegId),
    Stop,
}

/// Where a thread is told things.
#[derive(Debug)]
pub(crate) struct Mailbox {
    mails: Mutex<VecDeque<Mail>>,
    bell: Bell,
    shared: Shared,
}

/// A thread's figures, as last flushed.
#[derive(Debug, Default)]
struct Shared([AtomicU64; 9]);

impl Mailbox {
    pub(crate) fn new() -> io::Result<Mailbox> {
        Ok(Mailbox { mails: Mutex::default(), bell: Bell::new()?, shared: Shared::default() })
    }

    /// Posts a mail; never waits longer than a push. False when a full box took no
    /// command; a `Close` always fits: what is open must end.
    pub(crate) fn post(&self, mail: Mail) -> bool {
        let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Mail::Command(command), true) = (&mail, mails.len() >= MAIL_MAX)
            && !matches!(command, MediaCommand::Close { .. })
        {
            return false;
        }
        mails.push_back(mail);
        // Whoever finds it empty rings; the others know the bell has not been heard yet.
        if mails.len() == 1 {
            self.bell.ring();
        }
        true
    }

    fn take(&self, into: &mut VecDeque<Mail>) {
        self.bell.quiet();
        std::mem::swap(&mut *self.mails.lock().unwrap_or_else(PoisonError::into_inner), into);
    }

    pub(crate) fn figures(&self) -> Figures {
        let [packets_in, packets_out, packets_dropped, send_errors, late_ticks, late, legs, ports_free, cpu] =
            self.shared.0.each_ref().map(|value| value.load(Ordering::Relaxed));
        Figures {
            packets_in,
            packets_out,
            packets_dropped,
            send_errors,
            late_ticks,
            lateness_max: Duration::from_nanos(late),
            legs,
            ports_free,
            cpu: Duration::from_nanos(cpu),
        }
    }

    pub(crate) fn publish(&self, figures: &Figures) {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let values = [
            figures.packets_in,
            figures.packets_out,
            figures.packets_dropped,
            figures.send_errors,
            figures.late_ticks,
            nanoseconds(figures.lateness_max),
            figures.legs,
            figures.ports_free,
            nanoseconds(figures.cpu),
        ];
        for (shared, value) in self.shared.0.iter().zip(values) {
            shared.store(value, Ordering::Relaxed);
        }
    }
}

/// The free ports of one thread.
#[derive(Debug)]
pub(crate) struct Stock {
    index: u16,
    advertised: IpAddr,
    provider: Provider,
    free: HashMap<u16, Pair>,
    /// How many are kept free.
    wanted: usize,
}

impl Stock {
    pub(crate) fn new(index: u16, advertised: IpAddr, provider: Provider, wanted: usize) -> Stock {
        Stock { index, advertised, provider, free: HashMap::new(), wanted }
    }

    /// Binds pairs until enough are free, at most `most`.
    pub(crate) fn refill(&mut self, most: usize) -> io::Result<Vec<MediaPort>> {
        let mut fresh = Vec::new();
        while self.free.len() < self.wanted && fresh.len() < most {
            let Some((port, pair)) = self.provider.fresh()? else { break };
            let rtp = pair.rtp.local_addr()?;
            self.free.insert(port, pair);
            fresh.push(MediaPort {
                rtp,
                advertised: SocketAddr::new(self.advertised, port),
                thread: self.index,
            });
        }
        Ok(fresh)
    }

    fn is_low(&self) -> bool {
        self.free.len() < self.wanted
    }
}

/// One packet thread.
pub(crate) struct Worker<F> {
    index: usize,
    /// Every thread's mailbox, this one's at `index`.
    boxes: Arc<[Mailbox]>,
    epoll: Epoll,
    alarm: Alarm,
    alarm_at: Option<u64>,
    stock: Stock,
    sounds: Sounds,
    events: F,
    legs: Legs,
    bridges: HashMap<BridgeId, Bridge>,
    wheel: Wheel,
    /// Legs on their way here, and what they have been told meanwhile.
    expected: HashMap<LegId, Vec<Mail>>,
    watch_at: u64,
    watches: u32,
    figures: Figures,
    random: u64,
    datagram: [u8; DATAGRAM_MAX],
}

impl<F: Fn(MediaEvent)> Worker<F> {
    pub(crate) fn new(
        index: usize,
        boxes: Arc<[Mailbox]>,
        stock: Stock,
        sounds: Sounds,
        events: F,
        random: u64,
    ) -> io::Result<Self> {
        let (epoll, alarm) = (Epoll::new()?, Alarm::new()?);
        epoll.add(&boxes[index].bell, MAIL, Wake::Always)?;
        epoll.add(&alarm, ALARM, Wake::Always)?;
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
            wheel: Wheel::default(),
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

    // --- Time -----------------------------------------------------------------------------------

    /// Everything that is due at `now`.
    fn turn(&mut self, now: u64) {
        while let Some(turn) = self.wheel.due(now) {
            let late = now - turn.at + turn.skipped * crate::media::wheel::STEP;
            self.figures.late_ticks += u64::from(late > FRAME_TIME / 2);
            self.figures.lateness_max = self.figures.lateness_max.max(Duration::from_nanos(late));
            for place in self.wheel.members(turn.phase) {
                let Some(leg) = self.legs.at(*place) else { continue };
                let before = leg.sent;
                match leg.play(turn.at) {
                    Ok(false) => {}
                    Ok(true) => (self.events)(MediaEvent::Announced { leg: leg.id }),
                    Err(_) => self.figures.send_errors += 1,
                }
                self.figures.packets_out += leg.sent - before;
            }
        }
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
                if !leg.is_look_due(now) {
                    continue;
                }
                self.look(place, now);
            }
            let Some(leg) = self.legs.at(place) else { continue };
            while let Some(seconds) = leg.silent(now) {
                (self.events)(MediaEvent::Silent { leg: leg.id, seconds });
            }
        }
        self.watches += 1;
        if self.watches >= WATCHES_PER_FLUSH {
            self.watches = 0;
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.figures.legs = self.legs.len() as u64;
        self.figures.ports_free = self.stock.free.len() as u64;
        self.figures.cpu = sys::thread_cpu();
        self.boxes[self.index].publish(&self.figures);
    }

    fn set_alarm(&mut self, now: u64) {
        let watch = (!self.legs.is_empty()).then_some(self.watch_at);
        let next = self.wheel.next().into_iter().chain(watch).min();
        // An alarm that has rung goes on ringing until it is set.
        if next == self.alarm_at && next.is_none_or(|at| at > now) {
            return;
        }
        match self.alarm.set(next) {
            Ok(()) => self.alarm_at = next,
            Err(error) => tracing::error!(%error, "the media thread's alarm cannot be set"),
        }
    }

    // --- Packets --------------------------------------------------------------------------------

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
        let Ok((length, from)) = leg.pair.rtp.recv_from(&mut self.datagram) else { return };
        self.figures.packets_in += 1;
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
        let mut echo = None;
        let hearers = match &leg.place {
            Place::Echo => {
                echo = Some(place);
                None
            }
            Place::Bridge(bridge, _) => self.bridges.get(bridge),
            Place::Alone(_) => None,
        };
        for hearer in hearers.iter().flat_map(|bridge| bridge.hearers(place)).chain(echo) {
            let Some(hearer) = self.legs.at(hearer) else { continue };
            match hearer.pass(packet, &heard, now) {
                Ok(true) => self.figures.packets_out += 1,
                Ok(false) => self.figures.packets_dropped += 1,
                Err(_) => self.figures.send_errors += 1,
            }
        }
    }

    /// Reads what lies at a leg that is not read packet by packet: is its peer still there?
    fn look(&mut self, place: u32, now: u64) {
        let Some(leg) = self.legs.at(place) else { return };
        leg.looked(now);
        for _ in 0..LOOK_MAX {
            let Ok((length, from)) = leg.pair.rtp.recv_from(&mut self.datagram) else { return };
            self.figures.packets_in += 1;
            match leg.hear(&self.datagram[..length], from, now) {
                Some(heard) if heard.first => (self.events)(MediaEvent::Heard { leg: leg.id }),
                Some(_) => {}
                None => self.figures.packets_dropped += 1,
            }
        }
    }

    // --- Mail -----------------------------------------------------------------------------------

    fn read(&mut self, mail: Mail, now: u64) {
        let leg = match &mail {
            Mail::Command(command) => Some(leg_of(command)),
            // A leg may be expected again after it has left again.
            Mail::Depart { leg, .. } | Mail::Expect(leg) => Some(*leg),
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
            // Seen by the loop before.
            Mail::Stop => {}
        }
    }

    /// A leg is no longer expected: what it was told meanwhile is done.
    fn resume(&mut self, leg: LegId, now: u64) {
        for mail in self.expected.remove(&leg).unwrap_or_default() {
            self.read(mail, now);
        }
    }

    fn obey(&mut self, command: MediaCommand, now: u64) {
        let id = leg_of(&command);
        if let MediaCommand::Open { leg, port, stream } = command {
            return self.open(leg, port, stream, now);
        }
        let Some(place) = self.legs.find(id) else { return self.refuse(id, "there is no such leg") };
        let Some(leg) = self.legs.at(place) else { return };
        match command {
            MediaCommand::Open { .. } => {}
            MediaCommand::Update { stream, .. } => leg.update(stream, now),
            MediaCommand::Play { program, .. } => return self.play(place, id, program, now),
            MediaCommand::Join { bridge, .. } => return self.join(place, id, bridge, now),
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
        let Some(pair) = self.stock.free.remove(&port.rtp.port()) else {
            return self.refuse(id, "the port is not one of the stock");
        };
        // SplitMix64: numbers that look like chance from a seed that is.
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        self.settle(Box::new(Leg::open(id, port, pair, stream, now, mixed ^ (mixed >> 31))), now);
    }

    /// Gives a leg its place on this thread.
    fn settle(&mut self, mut leg: Box<Leg>, now: u64) {
        leg.port.thread = self.stock.index;
        leg.wake = Wake::Never;
        let id = leg.id;
        let place = self.legs.insert(leg);
        let token = self.legs.token(place);
        let Some(leg) = self.legs.at(place) else { return };
        if let Err(error) = self.epoll.add(&leg.pair.rtp, token, Wake::Never) {
            self.refuse(id, &format!("it cannot be waited for: {error}"));
        }
        self.tune(place, now);
    }

    fn depart(&mut self, id: LegId, to: usize, now: u64) {
        let Some(place) = self.legs.find(id) else { return self.post(to, Mail::Absent(id)) };
        self.unbridge(place, now);
        if let Some(leg) = self.lift(place) {
            self.post(to, Mail::Arrive(leg));
        }
    }

    /// Takes a leg out of everything that knows its place.
    fn lift(&mut self, place: u32) -> Option<Box<Leg>> {
        let mut leg = self.legs.remove(place)?;
        if let Some(phase) = leg.phase.take() {
            self.wheel.leave(place, phase);
        }
        if let Err(error) = self.epoll.remove(&leg.pair.rtp) {
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
        leg.cut();
        leg.looked(now);
        let Some(bridge) = self.bridges.get_mut(&id) else { return };
        bridge.leave(place);
        if bridge.is_empty() {
            self.bridges.remove(&id);
        } else {
            self.tune_bridge(id, now);
        }
    }

    fn close(&mut self, place: u32, now: u64) {
        self.unbridge(place, now);
        let Some(leg) = self.lift(place) else { return };
        let (received, sent, lost) = (leg.received, leg.sent, leg.lost());
        (self.events)(MediaEvent::Closed { leg: leg.id, received, sent, lost });
        let Leg { port, pair, .. } = *leg;
        if let Err(error) = pair.keep_little() {
            tracing::warn!(%error, "a media port could not be made small again");
        }
        self.stock.free.insert(port.rtp.port(), pair);
        (self.events)(MediaEvent::Ports(vec![port]));
        if self.legs.is_empty() {
            self.flush();
        }
    }

    fn tune_bridge(&mut self, bridge: BridgeId, now: u64) {
        let ports = self.bridges.get(&bridge).map(|bridge| bridge.ports().to_vec());
        for place in ports.unwrap_or_default() {
            self.tune(place, now);
        }
    }

    /// Makes wheel and epoll fit what a leg hears and whether it is read.
    fn tune(&mut self, place: u32, now: u64) {
        let token = self.legs.token(place);
        let Some(leg) = self.legs.at(place) else { return };
        let played = match &leg.place {
            Place::Alone(playing) => playing.is_some(),
            Place::Echo => false,
            Place::Bridge(id, _) => self.bridges.get(id).is_none_or(|bridge| bridge.ports().len() == 1),
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
        if wake == leg.wake {
            return;
        }
        let kept = match (wake, leg.wake) {
            (Wake::Always, _) => leg.pair.keep_talk(),
            (_, Wake::Always) => leg.pair.keep_little(),
            _ => Ok(()),
        };
        leg.wake = wake;
        if let Err(error) = kept.and_then(|()| self.epoll.change(&leg.pair.rtp, token, wake)) {
            tracing::error!(%error, leg = %leg.id, "a leg cannot be waited for");
        }
    }

    fn restock(&mut self) {
        if !self.stock.is_low() {
            return;
        }
        match self.stock.refill(REFILL_MAX) {
            Ok(fresh) if fresh.is_empty() => {}
            Ok(fresh) => {
                (self.events)(MediaEvent::Ports(fresh));
                if self.stock.is_low() {
                    // The rest in the next turn: packets go first.
                    self.boxes[self.index].bell.ring();
                }
            }
            Err(error) => tracing::error!(%error, "no more media ports can be bound"),
        }
        if self.legs.is_empty() {
            self.flush();
        }
    }

    fn post(&self, to: usize, mail: Mail) {
        // Only commands are bounded; the front knows no thread that is not there.
        if let Some(other) = self.boxes.get(to) {
            other.post(mail);
        }
    }

    fn refuse(&self, leg: LegId, why: &str) {
        (self.events)(MediaEvent::Refused { leg: Some(leg), why: why.to_owned() });
    }
}

fn comfort(sounds: &Sounds) -> Playing {
    Playing::new(Vec::new(), sounds.comfort().clone())
}

/// The leg a command is for.
pub(crate) fn leg_of(command: &MediaCommand) -> LegId {
    match command {
        MediaCommand::Open { leg, .. }
        | MediaCommand::Update { leg, .. }
        | MediaCommand::Play { leg, .. }
        | MediaCommand::Join { leg, .. }
        | MediaCommand::Leave { leg }
        | MediaCommand::Listen { leg, .. }
        | MediaCommand::Close { leg } => *leg,
    }
}
