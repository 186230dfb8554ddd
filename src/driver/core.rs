//! The core loop: whatever happens becomes one input of the engine, and what the engine answers is
//! carried out before the next. Nothing here waits for a disk, a page or a peer.

use super::Stop;
use super::clock::Clock;
use super::crowd::Crowd;
use super::leaving::Leaving;
use super::names::Resolved;
use super::office::Voice;
use super::peers::Peers;
use super::signals::Signals;
use super::sockets::Sockets;
use super::stream::{StreamEvent, StreamEvents, Streams};
use super::udp::{BURST, Place, Received, Udp};
use crate::media::plane::Plane;
use crate::store::Store;
use engine::Engine;
use engine::call::event::Event;
use engine::call::snapshot::LeftBehind;
use engine::io::{Counter, Input, Output};
use engine::media::MediaEvent;
use engine::site::Site;
use sip::message::MESSAGE_MAX;
use sip::transport::{Flow, Peer, Transport};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often the slow figures (media plane, store) are read.
const FIGURES: Duration = Duration::from_secs(1);

/// What the loop listens to besides its sockets.
pub(super) struct Inboxes {
    pub(super) media: mpsc::UnboundedReceiver<MediaEvent>,
    pub(super) wishes: mpsc::UnboundedReceiver<Input<'static>>,
    pub(super) names: mpsc::Receiver<Resolved>,
    pub(super) signals: Signals,
    pub(super) stop: Option<Stop>,
    pub(super) drain: Duration,
    /// What earlier starts left, and the files it stands in.
    pub(super) left: (LeftBehind, Vec<PathBuf>),
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
    from_streams: StreamEvents,
    plane: Plane,
    store: Store,
    voice: Voice,
    crowd: Arc<Crowd>,
    peers: Peers,
}

impl Core {
    pub(super) fn new(
        site: Site,
        (seed, secret): (u64, [u8; 32]),
        clock: Clock,
        sockets: Sockets,
        hands: Hands,
    ) -> Core {
        let Sockets { udp, streams, from_streams, crowd, peers } = sockets;
        let Hands { plane, store, voice } = hands;
        let engine = Engine::new(site, seed).keyed(secret);
        Core { engine, clock, udp, streams, from_streams, plane, store, voice, crowd, peers }
    }

    /// Goes on with what earlier starts left in these files of the journal.
    fn go_on_with(&mut self, (left, files): (LeftBehind, Vec<PathBuf>)) {
        self.input(Input::LeftBehind(Box::new(left)));
        self.store.strike(files);
    }

    /// Until it is told to stop, and no call is left or the drain's time is over.
    ///
    /// # Errors
    /// When it left because it could not serve: whoever watches over it starts it again.
    pub(super) async fn run(mut self, mut inboxes: Inboxes) -> anyhow::Result<()> {
        let mut buffer = vec![0; MESSAGE_MAX];
        let mut figures = tokio::time::interval(FIGURES);
        figures.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut leaving = Leaving::default();
        // The ports bound at the start come before the first call, which may be waiting in its socket.
        while let Ok(event) = inboxes.media.try_recv() {
            self.input(Input::Media(event));
        }
        self.go_on_with(std::mem::take(&mut inboxes.left));
        loop {
            let due = [self.engine.poll_timeout(), leaving.at()].into_iter().flatten().min();
            let timer = tokio::time::sleep_until(self.clock.wake(due.unwrap_or_default()));
            tokio::select! {
                place = self.udp.readable() => self.burst(place, &mut buffer),
                Some(event) = self.from_streams.trunks.recv() => self.stream(event),
                Some(event) = self.from_streams.others.recv() => self.stream(event),
                Some(resolved) = inboxes.names.recv() => self.resolved(resolved),
                Some(event) = inboxes.media.recv() => self.input(Input::Media(event)),
                Some(wish) = inboxes.wishes.recv() => self.input(wish),
                () = timer, if due.is_some() => self.input(Input::Due),
                _ = figures.tick() => {
                    self.figures();
                    if !leaving.is_draining() && !self.plane.is_whole() {
                        tracing::error!("a media thread has ended, and its calls hear nothing: leaving");
                        self.leave(&mut leaving, inboxes.drain);
                    }
                }
                () = inboxes.signals.next() => if !self.leave(&mut leaving, inboxes.drain) { break },
                () = stopped(&mut inboxes.stop) => { inboxes.stop = None; self.leave(&mut leaving, inboxes.drain); }
            }
            let now = self.clock.now().at;
            leaving.counts(self.engine.live_calls(), now);
            if leaving.at().is_some_and(|at| now >= at) {
                break;
            }
        }
        let left = self.engine.live_calls();
        if left > 0 {
            tracing::error!(calls = left, "leaving with calls in flight: the journal has them");
        }
        tracing::info!("stopped");
        let whole = self.plane.is_whole();
        self.plane.stop();
        anyhow::ensure!(whole, "a media thread had ended: start again, and report what the log says of it");
        Ok(())
    }

    /// Begins to drain; false when that was asked for before: leave now.
    fn leave(&mut self, leaving: &mut Leaving, drain: Duration) -> bool {
        if !leaving.by(self.clock.now().at + drain) {
            return false;
        }
        tracing::info!(calls = self.engine.live_calls(), ?drain, "draining");
        self.voice.draining();
        true
    }

    /// Reads a burst of datagrams from one socket of a trunk or of phones.
    fn burst(&mut self, place: Place, buffer: &mut [u8]) {
        for _ in 0..BURST {
            match self.udp.receive(place, buffer) {
                Received::Datagram(length, flow) => {
                    self.voice.core.datagrams.inc();
                    let peer = self.peers.of_flow(&flow);
                    // A trunk's host may speak from a port that is not the trunk's.
                    if self.crowd.admits(&flow, peer) {
                        self.input(Input::Sip { flow, peer, bytes: &buffer[..length] });
                    }
                }
                Received::Error => {}
                Received::Nothing => break,
            }
        }
    }

    /// Once a second: what others have counted, and whose registration is over.
    fn figures(&self) {
        self.voice.core.crowd(self.streams.standing(), &self.crowd.tally);
        self.voice.figures(&self.plane.figures(), self.store.pending());
        self.crowd.forgets(|transport, remote| {
            self.engine.is_phone(Flow { transport, local: remote, remote, connection: 0 })
        });
    }

    fn stream(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Message(flow, peer, bytes) => {
                self.input(Input::Sip { flow, peer, bytes: &bytes });
                if peer == Peer::Stranger {
                    let is_phone = self.engine.is_phone(flow);
                    if self.crowd.learns(&flow, is_phone) && is_phone {
                        self.streams.is_a_phone(&flow);
                    }
                }
            }
            StreamEvent::Opened(flow, write) => self.streams.opened(flow, write),
            StreamEvent::Closed(flow) => self.stream_closed(flow),
            StreamEvent::Unreadable(error) => self.voice.counted(Counter::ParseError(error.label())),
            StreamEvent::Unframed(flow, peer, head, error) => {
                self.input(Input::Unframed { flow, peer, head: &head, error });
                self.stream_closed(flow);
            }
        }
    }

    /// Once for each connection: the engine looks through everything that stands for what it carried.
    /// Not for a stranger's, of which nothing stays: closing one must not cost a look at every call.
    fn stream_closed(&mut self, flow: Flow) {
        let is_ours = flow.connection % 2 == 1;
        let carried = is_ours || self.engine.has_met(flow) || self.peers.of_flow(&flow) != Peer::Stranger;
        if self.streams.closed(&flow) && carried {
            self.input(Input::FlowFailed(flow));
        }
    }

    /// What a trunk's names stand for from here on.
    fn resolved(&mut self, resolved: Resolved) {
        let Resolved { trunk, targets, sources } = resolved;
        self.peers.resolved(trunk, &sources);
        self.udp.steer(&self.peers);
        self.streams.steer(&self.peers);
        self.crowd.take_peers(self.peers.clone());
        self.input(Input::Resolved { trunk, targets });
    }

    /// One step: the input, and everything it causes.
    fn input(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        self.engine.handle_input(now, input);
        let (offered, broken) = self.carry_out();
        let took = self.clock.now().at.since(now.at).as_secs_f64();
        self.voice.core.step.observe(took);
        if offered {
            self.voice.core.offer.observe(took);
        }
        for flow in broken {
            self.input(Input::FlowFailed(flow));
        }
    }

    /// Does what the engine wants, in order; whether an offer was among it, and which connections
    /// turned out to be broken.
    fn carry_out(&mut self) -> (bool, Vec<Flow>) {
        let (mut offered, mut broken) = (false, Vec::new());
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Transmit(transmit) if transmit.flow.transport == Transport::Udp => {
                    if let Err(error) = self.udp.send(&transmit) {
                        self.voice.core.unsent.inc(); // as if lost on the way: the transaction sends again
                        if leads_nowhere(&error) && !broken.contains(&transmit.flow) {
                            broken.push(transmit.flow);
                        }
                    }
                }
                Output::Transmit(transmit) => broken.extend(self.streams.send(transmit)),
                Output::Media(command) => self.plane.send(command),
                Output::Logged(entry) => {
                    offered |= matches!(entry.event, Event::Offered { .. });
                    self.voice.logged(entry);
                }
                Output::PageSdp { agent, answer } => self.voice.page_sdp(agent, answer),
                Output::PageUnheard { agent } => self.voice.page_unheard(agent),
                Output::Outcome(outcome) => self.voice.outcome(outcome),
                Output::Journal(snapshot) => self.store.snapshot(snapshot),
                Output::JournalMajor(snapshot) => self.store.major(snapshot),
                Output::ForgetMajor(event) => self.store.forget_major(event),
                Output::Forget(call) => self.store.forget(call),
                Output::Record(record) => self.store.record(record),
                Output::Counted(counter) => self.voice.counted(counter),
            }
        }
        (offered, broken)
    }
}

/// Whether a datagram cannot be sent there at all, which a call with another way need not wait for
/// (RFC 3261 §18.4); otherwise it was a moment's lack of room.
fn leads_nowhere(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, InvalidInput, NetworkUnreachable};
    matches!(error.kind(), AddrNotAvailable | HostUnreachable | InvalidInput | NetworkUnreachable)
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
