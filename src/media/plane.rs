//! The plane as the rest of the program sees it: started, told, asked for its figures, stopped.

use crate::media::sound::Sounds;
use engine::media::{MediaCommand, MediaEvent};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How the plane is laid out on this machine.
#[derive(Clone, Debug)]
pub struct PlaneConfig {
    /// The address every port is bound on.
    pub bind: IpAddr,
    /// The address peers are told in SDP.
    pub advertised: IpAddr,
    /// The UDP ports the plane may bind: RTP on even ones, RTCP on the odd one above.
    pub ports: RangeInclusive<u16>,
    /// Packet threads; one per core that may be spent on media.
    pub threads: usize,
    /// Free ports kept bound ahead of need, over all threads: the largest burst of calls between
    /// two turns of a packet thread.
    pub stock: usize,
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

/// The running plane. Dropping it stops it.
#[derive(Debug)]
pub struct Plane {}

impl Plane {
    /// Binds the stock and starts the threads. The first [`MediaEvent::Ports`] are given before it
    /// returns; from there on events come from the packet threads, so `events` must not block.
    ///
    /// # Errors
    /// No port could be bound, or the system gave no thread.
    pub fn start(
        config: PlaneConfig,
        _sounds: Sounds,
        _events: impl Fn(MediaEvent) + Send + Clone + 'static,
    ) -> Result<Plane, PlaneError> {
        let (from, to) = (*config.ports.start(), *config.ports.end());
        Err(PlaneError::NoPort { bind: config.bind, from, to })
    }

    /// Hands a command to the thread of its leg. Never waits; what cannot be done comes back as
    /// [`MediaEvent::Refused`].
    pub fn send(&self, _command: MediaCommand) {}

    /// What it has done so far.
    pub fn figures(&self) -> Figures {
        Figures::default()
    }

    /// Ends every thread and closes every socket; returns when they are gone.
    pub fn stop(self) {}
}
