//! The plane as the rest of the program sees it: started, told, asked for its figures, stopped.

use crate::media::bridge::{FULL, PORTS_MAX};
use crate::media::mailbox::{Mail, Mailbox, leg_of};
use crate::media::pages::Pages;
use crate::media::port::{Provider, Stock};
use crate::media::sound::Sounds;
use crate::media::sys;
use crate::media::worker::Worker;
use engine::id::{BridgeId, LegId, PageId};
use engine::media::{MediaCommand, MediaEvent, MediaPort};
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// How the plane is laid out on this machine.
#[derive(Clone, Debug)]
pub struct PlaneConfig {
    /// The address every port is bound on; `::` hears both families.
    pub bind: IpAddr,
    /// What peers are told in SDP: one address of each family that is served, at least one; the first is
    /// for whoever is of none of them.
    pub advertised: Vec<IpAddr>,
    /// The UDP ports the plane may bind: RTP on even ones, RTCP on the odd one above.
    pub ports: RangeInclusive<u16>,
    /// Packet threads; one per core that may be spent on media.
    pub threads: usize,
    /// Free ports kept bound ahead of need, over all threads: the largest burst of calls between
    /// two turns of a packet thread.
    pub stock: usize,
    /// The UDP port of the pages' audio: one per packet thread, counted up from it; 0 takes any.
    pub page_port: u16,
}

/// Why a plane cannot start.
#[derive(Debug, thiserror::Error)]
pub enum PlaneError {
    /// No pair of ports could be bound.
    #[error("no pair of media ports is free on {bind} in {from}-{to}")]
    NoPort {
        /// On which address.
        bind: IpAddr,
        /// From which port.
        from: u16,
        /// To which port.
        to: u16,
    },
    /// The address is not one of this machine, or no descriptor is left.
    #[error("cannot bind media ports on {bind}")]
    Port {
        /// On which address.
        bind: IpAddr,
        /// Why.
        source: io::Error,
    },
    /// A port of the pages cannot be bound.
    #[error("cannot bind the pages' port {port} on {bind}")]
    PagePort {
        /// On which address.
        bind: IpAddr,
        /// The first of them; 0 is any.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The system gives no thread, epoll or eventfd.
    #[error("cannot start a media thread")]
    System(#[source] std::io::Error),
}

/// What the plane has done since its start; each packet thread adds to it once a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Packets read from peers (a waiting caller's are mostly left to the kernel).
    pub packets_in: u64,
    /// Packets sent to peers.
    pub packets_out: u64,
    /// Packets read and not relayed: malformed, of a foreign source, of a type nobody agreed.
    pub packets_dropped: u64,
    /// Packets the kernel refused to send.
    pub send_errors: u64,
    /// Turns of the 20 ms wheel that came more than half a frame late.
    pub late_ticks: u64,
    /// The worst lateness of a turn of the wheel.
    pub lateness_max: Duration,
    /// Legs open.
    pub legs: u64,
    /// Pairs of ports bound and free.
    pub ports_free: u64,
    /// CPU time of the packet threads.
    pub cpu: Duration,
}

impl Figures {
    /// The sum over two threads; of the worst lateness, the worse.
    fn and(self, other: Figures) -> Figures {
        Figures {
            packets_in: self.packets_in + other.packets_in,
            packets_out: self.packets_out + other.packets_out,
            packets_dropped: self.packets_dropped + other.packets_dropped,
            send_errors: self.send_errors + other.send_errors,
            late_ticks: self.late_ticks + other.late_ticks,
            lateness_max: self.lateness_max.max(other.lateness_max),
            legs: self.legs + other.legs,
            ports_free: self.ports_free + other.ports_free,
            cpu: self.cpu + other.cpu,
        }
    }
}

/// The running plane. Dropping it stops it.
pub struct Plane {
    boxes: Arc<[Mailbox]>,
    threads: Vec<JoinHandle<()>>,
    front: Mutex<Front>,
}

/// Who is where; commands for a leg go to the thread that has it, or will have it.
struct Front {
    legs: HashMap<LegId, Route>,
    bridges: HashMap<BridgeId, Home>,
    /// The thread of each page, for as long as it is open.
    pages: HashMap<PageId, usize>,
    events: Box<dyn Fn(MediaEvent) + Send>,
}

struct Route {
    thread: usize,
    bridge: Option<BridgeId>,
    /// The thread of its page: its browser sends to that thread's port, so the others come to it
    /// where they can.
    page: Option<usize>,
}

/// Where a conversation takes place: on the thread of its first leg, or of its page.
struct Home {
    thread: usize,
    legs: Vec<LegId>,
}

impl fmt::Debug for Plane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plane").field("figures", &self.figures()).finish_non_exhaustive()
    }
}

impl Plane {
    /// Binds the stock and starts the threads. The first [`MediaEvent::Ports`] are given before it
    /// returns; from there on events come from the packet threads (and `Refused` also from whoever
    /// sends), so `events` must not block.
    ///
    /// # Errors
    /// No port could be bound, or the system gave no thread.
    pub fn start(
        config: PlaneConfig,
        sounds: Sounds,
        events: impl Fn(MediaEvent) + Send + Clone + 'static,
    ) -> Result<Plane, PlaneError> {
        if let Err(error) = sys::raise_descriptors() {
            tracing::warn!(%error, "the limit of open files stays as it is: fewer calls will find a port");
        }
        let threads = config.threads.clamp(1, usize::from(u16::MAX));
        let boxes: Result<Vec<Mailbox>, io::Error> = (0..threads).map(|_| Mailbox::new()).collect();
        let boxes: Arc<[Mailbox]> = boxes.map_err(PlaneError::System)?.into();
        let mut workers = Vec::new();
        let mut fresh = Vec::new();
        for index in 0..threads {
            let provider = Provider::new(config.bind, &config.ports, index, threads);
            let wanted = config.stock.div_ceil(threads).max(1);
            let mut stock = Stock::new(index as u16, &config.advertised, provider, wanted);
            fresh
                .push(stock.refill(wanted).map_err(|source| PlaneError::Port { bind: config.bind, source })?);
            // Seeded by the system's randomness: SSRCs and first sequence numbers must not be guessed.
            let random = RandomState::new().build_hasher().finish();
            let (boxes, sounds, events) = (boxes.clone(), sounds.clone(), events.clone());
            let pages =
                Pages::bind(config.bind, &config.advertised, config.page_port, index).map_err(|source| {
                    PlaneError::PagePort { bind: config.bind, port: config.page_port, source }
                })?;
            let worker = Worker::new(index, boxes, stock, pages, sounds, events, random);
            workers.push(worker.map_err(PlaneError::System)?);
        }
        let ports = in_turn(fresh);
        if ports.is_empty() {
            let (from, to) = (*config.ports.start(), *config.ports.end());
            return Err(PlaneError::NoPort { bind: config.bind, from, to });
        }
        events(MediaEvent::Ports(ports));
        let front = Front {
            legs: HashMap::new(),
            bridges: HashMap::new(),
            pages: HashMap::new(),
            events: Box::new(events),
        };
        let mut plane = Plane { boxes, threads: Vec::new(), front: Mutex::new(front) };
        for (index, worker) in workers.into_iter().enumerate() {
            let thread = Builder::new().name(format!("media-{index}")).spawn(move || worker.run());
            plane.threads.push(thread.map_err(PlaneError::System)?);
        }
        Ok(plane)
    }

    /// Hands a command to the thread of its leg. Never waits for a thread; what cannot be done comes
    /// back as [`MediaEvent::Refused`].
    pub fn send(&self, command: MediaCommand) {
        let mut front = self.front.lock().unwrap_or_else(PoisonError::into_inner);
        let leg = leg_of(&command);
        match front.route(&command, &self.boxes) {
            Err(why) => (front.events)(MediaEvent::Refused { leg, why: why.to_owned() }),
            Ok(thread) => {
                if !self.boxes[thread].post(Mail::Command(command)) {
                    let why = "the media thread has stopped reading its commands".to_owned();
                    (front.events)(MediaEvent::Refused { leg, why });
                }
            }
        }
    }

    /// Whether every thread of it works. Of one that has ended nothing is heard, not even silence.
    pub fn is_whole(&self) -> bool {
        !self.threads.iter().any(JoinHandle::is_finished)
    }

    /// What it has done so far; a second old at most.
    pub fn figures(&self) -> Figures {
        self.boxes.iter().map(Mailbox::figures).fold(Figures::default(), Figures::and)
    }

    /// Ends every thread and closes every socket; returns when they are gone.
    pub fn stop(self) {}
}

impl Drop for Plane {
    fn drop(&mut self) {
        for mailbox in self.boxes.iter() {
            // Never bounded: only commands are.
            mailbox.post(Mail::Stop);
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a media thread had panicked");
            }
        }
    }
}

impl Front {
    /// The thread a command goes to. A leg that joins a conversation of another thread is sent
    /// there first; what it is told from here on waits for it there.
    fn route(&mut self, command: &MediaCommand, boxes: &[Mailbox]) -> Result<usize, &'static str> {
        let leg = match command {
            MediaCommand::PageOpen { page, .. } => return Ok(self.place_page(*page, boxes.len())),
            MediaCommand::PageClose { page } => return self.pages.remove(page).ok_or(NO_PAGE),
            MediaCommand::OpenOnPage { leg, page } => {
                let thread = *self.pages.get(page).ok_or(NO_PAGE)?;
                return self.open(*leg, thread, Some(thread));
            }
            MediaCommand::Open { leg, port, .. } => {
                let thread = usize::from(port.thread);
                if thread >= boxes.len() {
                    return Err("the port is of no thread of this plane");
                }
                return self.open(*leg, thread, None);
            }
            MediaCommand::Join { bridge, leg } => return self.join(*bridge, *leg, boxes),
            MediaCommand::Update { leg, .. }
            | MediaCommand::Play { leg, .. }
            | MediaCommand::Voice { leg, .. }
            | MediaCommand::Leave { leg }
            | MediaCommand::Listen { leg, .. }
            | MediaCommand::Close { leg } => *leg,
        };
        let thread = self.legs.get(&leg).ok_or(NO_LEG)?.thread;
        match command {
            MediaCommand::Leave { .. } => self.leave(leg),
            MediaCommand::Close { .. } => {
                self.leave(leg);
                self.legs.remove(&leg);
            }
            _ => {}
        }
        Ok(thread)
    }

    /// The thread of a page: the one it has, or the one with the fewest.
    fn place_page(&mut self, page: PageId, threads: usize) -> usize {
        let load = |thread: &usize| self.pages.values().filter(|other| *other == thread).count();
        let fewest = || (0..threads).min_by_key(load).unwrap_or(0);
        let thread = self.pages.get(&page).copied().unwrap_or_else(fewest);
        self.pages.insert(page, thread);
        thread
    }

    fn open(&mut self, leg: LegId, thread: usize, page: Option<usize>) -> Result<usize, &'static str> {
        if self.legs.contains_key(&leg) {
            return Err("the leg is open already");
        }
        self.legs.insert(leg, Route { thread, bridge: None, page });
        Ok(thread)
    }

    /// Finds the thread a leg is to join its conversation on, and brings everybody there.
    fn join(&mut self, bridge: BridgeId, leg: LegId, boxes: &[Mailbox]) -> Result<usize, &'static str> {
        let route = self.legs.get(&leg).ok_or(NO_LEG)?;
        let (thread, page) = (route.thread, route.page);
        if route.bridge == Some(bridge) {
            return Ok(thread);
        }
        let home = match self.bridges.get(&bridge) {
            None => page.unwrap_or(thread),
            Some(home) if home.legs.len() >= PORTS_MAX => return Err(FULL),
            Some(home) => match page {
                // Two pages of different threads: the second one's packets cross over.
                Some(page) if page != home.thread && !self.has_page(home) => {
                    self.bring(bridge, page, boxes);
                    page
                }
                _ => home.thread,
            },
        };
        self.leave(leg);
        let legs = Vec::new();
        self.bridges.entry(bridge).or_insert(Home { thread: home, legs }).legs.push(leg);
        self.legs.insert(leg, Route { thread: home, bridge: Some(bridge), page });
        if home != thread {
            send_off(leg, thread, home, boxes);
        }
        Ok(home)
    }

    /// Moves a conversation to the thread of a page that joins it.
    fn bring(&mut self, bridge: BridgeId, to: usize, boxes: &[Mailbox]) {
        let Some(home) = self.bridges.get_mut(&bridge) else { return };
        let from = std::mem::replace(&mut home.thread, to);
        for leg in &home.legs {
            if let Some(route) = self.legs.get_mut(leg) {
                route.thread = to;
            }
            send_off(*leg, from, to, boxes);
            // Leaving the thread is leaving the conversation.
            boxes[to].post(Mail::Command(MediaCommand::Join { bridge, leg: *leg }));
        }
    }

    fn has_page(&self, home: &Home) -> bool {
        home.legs.iter().any(|leg| self.legs.get(leg).is_some_and(|route| route.page.is_some()))
    }

    fn leave(&mut self, leg: LegId) {
        let Some(id) = self.legs.get_mut(&leg).and_then(|route| route.bridge.take()) else { return };
        let Some(home) = self.bridges.get_mut(&id) else { return };
        home.legs.retain(|other| *other != leg);
        if home.legs.is_empty() {
            self.bridges.remove(&id);
        }
    }
}

const NO_LEG: &str = "there is no such leg";
const NO_PAGE: &str = "there is no such page";

/// Sends a leg to another thread. Neither mail is a command, so neither is bounded; and the leg is
/// expected before it can arrive.
fn send_off(leg: LegId, from: usize, to: usize, boxes: &[Mailbox]) {
    boxes[to].post(Mail::Expect(leg));
    boxes[from].post(Mail::Depart { leg, to });
}

/// One of each list in turn, so that calls spread over the threads from the first on.
fn in_turn(lists: Vec<Vec<MediaPort>>) -> Vec<MediaPort> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest).flat_map(|at| lists.iter().filter_map(move |list| list.get(at).copied())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_plane_one_of_whose_threads_has_ended_is_not_whole() {
        let here = std::net::Ipv4Addr::LOCALHOST.into();
        let (ports, threads, stock, page_port) = (20_000..=60_000, 2, 2, 0);
        let config = PlaneConfig { bind: here, advertised: vec![here], ports, threads, stock, page_port };
        let plane = Plane::start(config, Sounds::embedded(), |_| ()).expect("free ports");
        assert!(plane.is_whole());
        plane.boxes[1].post(Mail::Stop);
        // Ten seconds at most.
        let ended = (0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            !plane.is_whole()
        });
        assert!(ended);
    }
}
