//! Ports: pairs of sockets (RTP on an even port, RTCP on the odd one above), bound ahead of need so
//! that a caller never waits for one.

use crate::media::sys;
use engine::media::MediaPort;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

/// What the kernel keeps for a leg nobody reads (it takes its own minimum, three or four packets).
/// More would only be flushed, and is kernel memory per waiting caller.
const KEEP_WAITING: i32 = 0;
/// What it keeps for a leg in a conversation, doubled by the kernel: 0.8 s of G.711. Less loses
/// audio when the machine stalls; more only plays it later.
const KEEP_TALKING: i32 = 16_384;

/// The two sockets of one leg.
#[derive(Debug)]
pub struct Pair {
    /// Audio.
    pub rtp: UdpSocket,
    /// Control (RFC 3550 §11): held so that nobody else gets it; never read.
    pub rtcp: UdpSocket,
}

impl Pair {
    /// Binds the pair whose RTP port is `port`.
    ///
    /// # Errors
    /// One of the ports is taken, the address is not ours, or there is no descriptor left.
    pub fn bind(address: IpAddr, port: u16) -> io::Result<Pair> {
        let above = port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?;
        let pair = Pair { rtp: bound(address, port)?, rtcp: bound(address, above)? };
        pair.keep_little()?;
        sys::keep_received(&pair.rtcp, KEEP_WAITING)?;
        Ok(pair)
    }

    /// The next packet of its audio, and who has sent it.
    ///
    /// # Errors
    /// There is none.
    pub fn receive(&self, datagram: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        receive(&self.rtp, datagram)
    }

    /// Nobody reads: the kernel drops all but a few packets.
    ///
    /// # Errors
    /// Never, on an open socket.
    pub fn keep_little(&self) -> io::Result<()> {
        sys::keep_received(&self.rtp, KEEP_WAITING)
    }

    /// Every packet is read, perhaps a little late.
    ///
    /// # Errors
    /// Never, on an open socket.
    pub fn keep_talk(&self) -> io::Result<()> {
        sys::keep_received(&self.rtp, KEEP_TALKING)
    }
}

/// A socket that never waits. On `::` it hears IPv4 as well, however the system is set up.
pub(super) fn bound(address: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let at = SocketAddr::new(address, port);
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.is_unspecified())?;
    }
    socket.bind(&at.into())?;
    Ok(socket.into())
}

/// The next datagram, and who has sent it. A socket of both families gives IPv4 senders addresses of IPv6
/// (`::ffff:192.0.2.1`); descriptions name them as they are.
pub(super) fn receive(socket: &UdpSocket, datagram: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    let (length, from) = socket.recv_from(datagram)?;
    let plain = match from {
        SocketAddr::V6(six) => six.ip().to_ipv4_mapped().map(|four| SocketAddr::from((four, six.port()))),
        SocketAddr::V4(_) => None,
    };
    Ok((length, plain.unwrap_or(from)))
}

/// Where one thread's pairs come from. Threads share the range without talking: each takes every
/// `threads`th pair.
#[derive(Debug)]
pub struct Provider {
    address: IpAddr,
    /// RTP ports this thread may bind and has not.
    unbound: VecDeque<u16>,
}

/// Ports tried for one pair. Each taken one costs a few microseconds of a packet thread; what is
/// not found is looked for again, further on, at the next need.
const TRIES_MAX: usize = 32;

impl Provider {
    /// The pairs of `range` that belong to thread `index` of `threads`.
    pub fn new(address: IpAddr, range: &RangeInclusive<u16>, index: usize, threads: usize) -> Provider {
        let even = range.clone().filter(|port| port % 2 == 0 && port < range.end());
        Provider { address, unbound: even.skip(index).step_by(threads.max(1)).collect() }
    }

    /// Binds the next pair that is free; `None` when none was found.
    ///
    /// # Errors
    /// The address is not ours, or no descriptor is left.
    pub fn fresh(&mut self) -> io::Result<Option<(u16, Pair)>> {
        for _ in 0..TRIES_MAX.min(self.unbound.len()) {
            let Some(port) = self.unbound.pop_front() else { break };
            match Pair::bind(self.address, port) {
                Ok(pair) => return Ok(Some((port, pair))),
                Err(error) => {
                    // Another program's, or for want of descriptors: it may be free later.
                    self.unbound.push_back(port);
                    if error.kind() != io::ErrorKind::AddrInUse {
                        return Err(error);
                    }
                }
            }
        }
        Ok(None)
    }
}

/// The free ports of one thread.
#[derive(Debug)]
pub struct Stock {
    index: u16,
    advertised: IpAddr,
    /// For peers of the other family.
    other: Option<IpAddr>,
    provider: Provider,
    free: HashMap<u16, Pair>,
    /// How many are kept free.
    wanted: usize,
}

impl Stock {
    /// An empty stock of thread `index`. Without an address to tell, peers are told where it is bound.
    pub fn new(index: u16, advertised: &[IpAddr], provider: Provider, wanted: usize) -> Stock {
        let first = advertised.first().copied().unwrap_or(provider.address);
        let other = advertised.get(1).copied();
        Stock { index, advertised: first, other, provider, free: HashMap::new(), wanted }
    }

    /// Binds pairs until enough are free, at most `most`.
    ///
    /// # Errors
    /// The address is not ours, or no descriptor is left.
    pub fn refill(&mut self, most: usize) -> io::Result<Vec<MediaPort>> {
        let mut fresh = Vec::new();
        while self.free.len() < self.wanted && fresh.len() < most {
            let (port, pair) = match self.provider.fresh() {
                Ok(Some(found)) => found,
                // What was bound before is told; the next need meets the error again.
                Ok(None) => break,
                Err(_) if !fresh.is_empty() => break,
                Err(error) => return Err(error),
            };
            let rtp = pair.rtp.local_addr()?;
            self.free.insert(port, pair);
            fresh.push(MediaPort {
                rtp,
                advertised: SocketAddr::new(self.advertised, port),
                other: self.other,
                thread: self.index,
            });
        }
        Ok(fresh)
    }

    /// Whether fewer are free than wanted.
    pub fn is_low(&self) -> bool {
        self.free.len() < self.wanted
    }

    /// The thread whose stock it is.
    pub fn thread(&self) -> u16 {
        self.index
    }

    /// How many are free.
    pub fn len(&self) -> usize {
        self.free.len()
    }

    /// Whether none is free.
    pub fn is_empty(&self) -> bool {
        self.free.is_empty()
    }

    /// Takes a free pair for a leg.
    pub fn take(&mut self, port: u16) -> Option<Pair> {
        self.free.remove(&port)
    }

    /// Takes back the pair of a closed leg, wherever it was bound.
    pub fn give_back(&mut self, port: u16, pair: Pair) {
        self.free.insert(port, pair);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicU16, Ordering};

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// A range of `count` ports, the first even, none of which is in use just now; tests that run
    /// side by side look in different places.
    fn free_range(count: u16) -> RangeInclusive<u16> {
        static FROM: AtomicU16 = AtomicU16::new(20_000);
        let free = |from: &u16| (*from..from + count).all(|port| UdpSocket::bind((HERE, port)).is_ok());
        let places = std::iter::repeat_with(|| FROM.fetch_add(64, Ordering::Relaxed));
        let from = places.take(100).find(free).unwrap();
        from..=from + count - 1
    }

    #[test]
    fn pairs_are_even_and_odd_and_run_out() {
        let range = free_range(6);
        let mut provider = Provider::new(HERE, &range, 0, 1);
        let held: Vec<_> = std::iter::from_fn(|| provider.fresh().unwrap()).collect();
        let ports: Vec<u16> = held.iter().map(|(port, _)| *port).collect();
        assert_eq!(ports, [*range.start(), range.start() + 2, range.start() + 4]);
        for (port, pair) in &held {
            assert_eq!(pair.rtp.local_addr().unwrap().port(), *port);
            assert_eq!(pair.rtcp.local_addr().unwrap().port(), port + 1);
        }
    }

    #[test]
    fn threads_share_a_range_without_meeting() {
        let range = free_range(12);
        let all = (0..3).flat_map(|index| Provider::new(HERE, &range, index, 3).unbound);
        let mut all: Vec<u16> = all.collect();
        all.sort_unstable();
        let even: Vec<u16> = range.clone().step_by(2).collect();
        assert_eq!(all, even);
    }

    #[test]
    fn a_pair_needs_both_ports_of_the_range() {
        assert_eq!(Provider::new(HERE, &(30_001..=30_004), 0, 1).unbound, [30_002]);
        assert_eq!(Provider::new(HERE, &(65_534..=65_535), 0, 1).unbound, [65_534]);
        assert!(Pair::bind(HERE, u16::MAX).is_err());
    }

    #[test]
    fn a_port_taken_by_another_program_is_passed_over() {
        let range = free_range(4);
        let _other = UdpSocket::bind((HERE, range.start() + 1)).unwrap();
        let (port, _pair) = Provider::new(HERE, &range, 0, 1).fresh().unwrap().unwrap();
        assert_eq!(port, range.start() + 2);
    }
}
