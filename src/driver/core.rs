//! The core loop: whatever happens becomes one input of the engine, and what the engine answers is
//! carried out before the next. Nothing here waits for a disk, a page or a peer.

use super::Stop;
use super::clock::Clock;
use super::office::Voice;
use super::signals::Signals;
use super::stream::{StreamEvent, Streams};
use super::udp::{BURST, Received, Udp};
use crate::config::Listen;
use crate::media::plane::Plane;
use crate::store::Store;
use anyhow::Context;
use engine::Engine;
use engine::call::event::Event;
use engine::io::{Input, Output};
use engine::media::MediaEvent;
use engine::site::{Phone, Site};
use engine::time::Instant;
use sip::transport::{Flow, Peer, Transport};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Longest a message can be (`edges.md`); a datagram beyond it does not exist.
const MESSAGE_MAX: usize = 65_536;

/// How often the slow figures (media plane, store) are read.
const FIGURES: Duration = Duration::from_secs(1);

/// Everything SIP arrives on.
pub(super) struct Sockets {
    udp: Udp,
    tcp: Vec<TcpListener>,
}

impl Sockets {
    /// Binds every listener of the configuration.
    ///
    /// # Errors
    /// The first that cannot be bound.
    pub(super) async fn bind(listen: &[Listen]) -> anyhow::Result<Sockets> {
        let addresses = |wanted: Transport| {
            let of_it = listen.iter().filter(move |l| l.transport == wanted);
            of_it.map(|l| l.address).collect::<Vec<SocketAddr>>()
        };
        let busy = |address: SocketAddr| format!("cannot listen on {address}: is another program there?");
        let udp = Udp::bind(&addresses(Transport::Udp))
            .map_err(|(at, e)| anyhow::Error::new(e).context(busy(at)))?;
        let mut tcp = Vec::new();
        for address in addresses(Transport::Tcp) {
            tcp.push(TcpListener::bind(address).await.with_context(|| busy(address))?);
        }
        Ok(Sockets { udp, tcp })
    }

    /// Where they really are, datagrams first.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.udp.addresses().chain(self.tcp.iter().filter_map(|l| l.local_addr().ok())).collect()
    }
}

/// What the loop listens to besides its sockets.
pub(super) struct Inboxes {
    pub(super) media: mpsc::UnboundedReceiver<MediaEvent>,
    pub(super) wishes: mpsc::UnboundedReceiver<Input<'static>>,
    pub(super) signals: Signals,
    pub(super) stop: Option<Stop>,
    pub(super) drain: Duration,
}

/// What carries out what the engine wants.
pub(super) struct Hands {
    pub(super) plane: Plane,
    pub(super) store: Store,
    pub(super) voice: Voice,
}

/// The engine and its hands.
pub(super) struct Core {
    engine: Engine,
    clock: Clock,
    udp: Udp,
    streams: Streams,
    stream_events: mpsc::UnboundedReceiver<StreamEvent>,
    plane: Plane,
    store: Store,
    voice: Voice,
    peers: Peers,
}

impl Core {
    pub(super) fn new(site: Site, seed: u64, clock: Clock, sockets: Sockets, hands: Hands) -> Core {
        let (events, stream_events) = mpsc::unbounded_channel();
        let streams = Streams::new(events, site.contact);
        for listener in sockets.tcp {
            streams.listen(listener);
        }
        let peers = Peers::of(&site);
        let engine = Engine::new(site, seed);
        let Hands { plane, store, voice } = hands;
        Core { engine, clock, udp: sockets.udp, streams, stream_events, plane, store, voice, peers }
    }

    /// Until it is told to stop, and no call is left or the drain's time is over.
    pub(super) async fn run(mut self, mut inboxes: Inboxes) {
        let mut buffer = vec![0; MESSAGE_MAX];
        let mut figures = tokio::time::interval(FIGURES);
        figures.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut leave_at: Option<Instant> = None;
        loop {
            let due = [self.engine.poll_timeout(), leave_at].into_iter().flatten().min();
            let timer = tokio::time::sleep_until(self.clock.wake(due.unwrap_or_default()));
            tokio::select! {
                socket = self.udp.readable() => self.datagrams(socket, &mut buffer),
                Some(event) = self.stream_events.recv() => self.stream(event),
                Some(event) = inboxes.media.recv() => self.input(Input::Media(event)),
                Some(wish) = inboxes.wishes.recv() => self.input(wish),
                () = timer, if due.is_some() => self.input(Input::Due),
                _ = figures.tick() => self.voice.figures(&self.plane.figures(), self.store.pending()),
                () = inboxes.signals.next() => if self.leave(&mut leave_at, inboxes.drain) { break },
                () = stopped(&mut inboxes.stop) => { inboxes.stop = None; self.leave(&mut leave_at, inboxes.drain); }
            }
            if leave_at.is_some_and(|at| self.engine.live_calls() == 0 || self.clock.now().at >= at) {
                break;
            }
        }
        let left = self.engine.live_calls();
        if left > 0 {
            tracing::error!(calls = left, "leaving with calls in flight: the journal has them");
        }
        tracing::info!("stopped");
        self.plane.stop();
    }

    /// Begins to drain; true when that was asked for before: leave now.
    fn leave(&mut self, leave_at: &mut Option<Instant>, drain: Duration) -> bool {
        if leave_at.is_some() {
            return true;
        }
        tracing::info!(calls = self.engine.live_calls(), ?drain, "draining");
        *leave_at = Some(self.clock.now().at + drain);
        self.voice.draining();
        self.input(Input::Drain);
        false
    }

    /// Reads a burst of datagrams from one socket.
    fn datagrams(&mut self, socket: usize, buffer: &mut [u8]) {
        for _ in 0..BURST {
            match self.udp.receive(socket, buffer) {
                Received::Datagram(length, flow) => {
                    self.voice.core.datagrams.inc();
                    let peer = self.peers.of_flow(&flow);
                    self.input(Input::Sip { flow, peer, bytes: &buffer[..length] });
                }
                Received::Error => {}
                Received::Nothing => break,
            }
        }
    }

    fn stream(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Message(flow, bytes) => {
                let peer = self.peers.of_flow(&flow);
                self.input(Input::Sip { flow, peer, bytes: &bytes });
            }
            StreamEvent::Opened(flow, write) => self.streams.opened(flow, write),
            StreamEvent::Closed(flow) => {
                self.streams.closed(&flow);
                self.input(Input::FlowFailed(flow));
            }
        }
    }

    /// One step: the input, and everything it causes.
    fn input(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        self.engine.handle_input(now, input);
        let offered = self.carry_out();
        let took = self.clock.now().at.since(now.at).as_secs_f64();
        self.voice.core.step.observe(took);
        if offered {
            self.voice.core.offer.observe(took);
        }
    }

    /// Does what the engine wants, in order; whether an offer was among it.
    fn carry_out(&mut self) -> bool {
        let mut offered = false;
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Transmit(transmit) if transmit.flow.transport == Transport::Udp => {
                    if !self.udp.send(&transmit) {
                        self.voice.core.unsent.inc(); // as if lost on the way: the transaction sends again
                    }
                }
                Output::Transmit(transmit) => self.streams.send(transmit),
                Output::Media(command) => self.plane.send(command),
                Output::Logged(entry) => {
                    offered |= matches!(entry.event, Event::Offered { .. });
                    self.voice.logged(entry);
                }
                Output::PageSdp { agent, answer } => self.voice.page_sdp(agent, answer),
                Output::Outcome(outcome) => self.voice.outcome(outcome),
                Output::Journal(snapshot) => self.store.snapshot(snapshot),
                Output::Forget(call) => self.store.forget(call),
                Output::Record(record) => self.store.record(record),
                Output::Counted(counter) => self.voice.counted(counter),
            }
        }
        offered
    }
}

/// When somebody in this process wants us to stop; never, when nobody can.
async fn stopped(stop: &mut Option<Stop>) {
    match stop {
        Some(told) => {
            let _ = told.await; // a sender that is gone wants us to stop as well
        }
        None => std::future::pending().await,
    }
}

/// Which addresses are trunks and which are desk phones at a fixed place.
struct Peers {
    exact: HashMap<SocketAddr, Peer>,
    any_port: HashMap<IpAddr, Peer>,
}

impl Peers {
    fn of(site: &Site) -> Peers {
        let mut peers = Peers { exact: HashMap::new(), any_port: HashMap::new() };
        for agent in site.centres.iter().flat_map(|c| &c.agents) {
            for phone in [Some(&agent.phone), agent.fallback.as_ref()].into_iter().flatten() {
                if let Phone::Static { address, .. } = phone {
                    peers.exact.insert(*address, Peer::Phone);
                }
            }
        }
        for (index, trunk) in (0..).zip(&site.trunks) {
            for address in &trunk.peers {
                match address.port() {
                    0 => peers.any_port.insert(address.ip(), Peer::Trunk(index)),
                    _ => peers.exact.insert(*address, Peer::Trunk(index)),
                };
            }
        }
        peers
    }

    /// An exact address before a whole host: a phone may stand on the trunk's machine.
    fn of_flow(&self, flow: &Flow) -> Peer {
        let exact = self.exact.get(&flow.remote);
        exact.or_else(|| self.any_port.get(&flow.remote.ip())).copied().unwrap_or(Peer::Stranger)
    }
}
