//! Everybody who is neither trunk nor phone, and phones we do not know by their address.
//!
//! What they send is read and weighed on the thread of their connections; only what their budget
//! allows reaches the core, through a queue of its own. However many they are, the core has as much
//! to read as on a quiet day, and a trunk's call finds it free.

use super::clock::Clock;
use super::gate::{Gate, prefix};
use super::peers::Peers;
use crate::config::Limits;
use engine::time::Instant;
use sip::transport::{Flow, Peer, Transport};
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;

/// How long a host counts as one phones register from, after the last was there: a switch that was
/// replaced, and some. Longer, and an address that has become somebody else's is taken for theirs.
const HOST_KNOWN: Duration = Duration::from_secs(3_600);

/// Hosts remembered: more than a region has desks. Who comes beyond them is a stranger until it has
/// registered.
const HOSTS_MAX: usize = 4096;

/// What is known of them.
pub(super) struct Crowd {
    clock: Clock,
    /// Budgets of strangers, by address.
    gate: Mutex<Gate>,
    /// Budgets of phones, by address and port: a room of them may sit behind one translation.
    of_phones: Mutex<Gate>,
    /// Where phones have registered from.
    phones: RwLock<Phones>,
    peers: watch::Sender<Peers>,
    pub(super) tally: Tally,
}

/// Registered phones no configuration names the address of.
#[derive(Default)]
struct Phones {
    paths: HashSet<(Transport, SocketAddr)>,
    /// Hosts they have registered from, and carriers known by a certificate alone have come from; and when
    /// one last was there.
    hosts: HashMap<IpAddr, Instant>,
}

impl Phones {
    fn note(&mut self, host: IpAddr, now: Instant) {
        if self.hosts.len() < HOSTS_MAX || self.hosts.contains_key(&host) {
            self.hosts.insert(host, now);
        }
    }
}

/// What was counted on the way, since the start.
#[derive(Default)]
pub(super) struct Tally {
    /// Datagrams read.
    pub(super) datagrams: AtomicU64,
    /// Messages dropped unread, beyond a budget.
    pub(super) over_budget: AtomicU64,
    /// Connections closed at the door.
    pub(super) turned_away: AtomicU64,
    /// Handshakes with somebody at a trunk's address that came to nothing.
    pub(super) handshakes_failed: AtomicU64,
}

impl Tally {
    pub(super) fn count(figure: &AtomicU64) {
        figure.fetch_add(1, Ordering::Relaxed);
    }
}

impl Crowd {
    pub(super) fn new(clock: Clock, limits: Limits, peers: Peers) -> Crowd {
        Crowd {
            clock,
            gate: Mutex::new(Gate::new(limits.source_rate, limits.sources)),
            of_phones: Mutex::new(Gate::new(limits.phone_rate, HOSTS_MAX)),
            phones: RwLock::default(),
            peers: watch::Sender::new(peers),
            tally: Tally::default(),
        }
    }

    /// Who is at the other end.
    pub(super) fn of_flow(&self, flow: &Flow) -> Peer {
        self.peers.borrow().of_flow(flow)
    }

    /// Says so when somebody speaks from a trunk's address by a road the trunk never takes.
    pub(super) fn tell_of_disbelieved(&self, flow: &Flow) {
        if self.peers.borrow().is_disbelieved(flow) {
            tracing::warn!(
                remote = %flow.remote.ip(),
                "somebody at a trunk's address speaks without TLS, and is not believed: if the carrier calls like \
                 that, give its trunk `plain = true`"
            );
        }
    }

    /// Who everybody is, to be asked and to be waited for.
    pub(super) fn peers(&self) -> watch::Receiver<Peers> {
        self.peers.subscribe()
    }

    /// Trunks have other addresses from here on.
    pub(super) fn take_peers(&self, peers: Peers) {
        self.peers.send_replace(peers);
    }

    /// Whether this peer may have one more message read. Trunks always may.
    pub(super) fn admits(&self, flow: &Flow, peer: Peer) -> bool {
        let admitted = match peer {
            Peer::Trunk(_) => true,
            Peer::Phone => self.phone_has_budget(flow),
            // A phone that shouts spends nothing of what others at its address may need to register.
            Peer::Stranger if self.is_phone(flow) => self.phone_has_budget(flow),
            Peer::Stranger => self.has_budget(flow),
        };
        if !admitted {
            Tally::count(&self.tally.over_budget);
        }
        admitted
    }

    /// Whether a stranger may open one more connection.
    pub(super) fn lets_in(&self, flow: &Flow) -> bool {
        self.has_budget(flow)
    }

    fn has_budget(&self, flow: &Flow) -> bool {
        let now = self.clock.now().at;
        self.gate.lock().unwrap_or_else(PoisonError::into_inner).admits(now, prefix(flow.remote.ip()))
    }

    fn phone_has_budget(&self, flow: &Flow) -> bool {
        let now = self.clock.now().at;
        self.of_phones.lock().unwrap_or_else(PoisonError::into_inner).admits(now, flow.remote)
    }

    /// Whether a phone has registered over this path.
    pub(super) fn is_phone(&self, flow: &Flow) -> bool {
        let phones = self.phones.read().unwrap_or_else(PoisonError::into_inner);
        phones.paths.contains(&(flow.transport, flow.remote))
    }

    /// Whether a phone has registered from this host lately, or a trunk shown its certificate: it may have
    /// lost its connection.
    pub(super) fn is_known_host(&self, host: IpAddr) -> bool {
        self.phones.read().unwrap_or_else(PoisonError::into_inner).hosts.contains_key(&host)
    }

    /// Somebody has shown a trunk's certificate from this host, and may come back in a crowd.
    pub(super) fn has_been_a_trunk(&self, host: IpAddr) {
        let mut phones = self.phones.write().unwrap_or_else(PoisonError::into_inner);
        phones.note(host, self.clock.now().at);
    }

    /// The core says whether a phone is registered over this path; whether that is news.
    pub(super) fn learns(&self, flow: &Flow, is_phone: bool) -> bool {
        if self.is_phone(flow) == is_phone {
            return false;
        }
        let mut phones = self.phones.write().unwrap_or_else(PoisonError::into_inner);
        let path = (flow.transport, flow.remote);
        if is_phone {
            phones.paths.insert(path);
            phones.note(flow.remote.ip(), self.clock.now().at);
        } else {
            phones.paths.remove(&path);
        }
        true
    }

    /// Forgets phones whose registration is over.
    pub(super) fn forgets(&self, is_phone: impl Fn(Transport, SocketAddr) -> bool) {
        let mut phones = self.phones.write().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now().at;
        let Phones { paths, hosts } = &mut *phones;
        paths.retain(|(transport, remote)| is_phone(*transport, *remote));
        for (_, remote) in paths.iter() {
            hosts.entry(remote.ip()).and_modify(|last| *last = now);
        }
        hosts.retain(|_, last| now.since(*last) < HOST_KNOWN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd() -> Crowd {
        let limits = Limits { source_rate: 1, sources: 64, connections: 8, phone_rate: 100 };
        Crowd::new(Clock::start(Instant::ZERO), limits, Peers::default())
    }

    fn flow(remote: &str) -> Flow {
        let local = "192.0.2.100:5060".parse().unwrap();
        Flow { transport: Transport::Udp, local, remote: remote.parse().unwrap(), connection: 0 }
    }

    #[test]
    fn a_registered_phone_is_heard_however_much_its_address_says() {
        let (crowd, phone) = (crowd(), flow("198.51.100.7:5060"));
        let heard = |flow: &Flow| (0..100).filter(|_| crowd.admits(flow, Peer::Stranger)).count();
        assert!(heard(&phone) < 10);
        assert!(crowd.learns(&phone, true));
        assert_eq!(heard(&phone), 100);
        assert!(heard(&flow("198.51.100.7:5062")) < 10, "another port of the host has proved nothing");
        crowd.forgets(|_, _| false);
        assert!(heard(&phone) < 10, "its registration is over");
        assert!(
            crowd.is_known_host(phone.remote.ip()),
            "a phone that has lost its path comes from there again"
        );
        assert!(!crowd.is_known_host([198, 51, 100, 8].into()));
    }

    #[test]
    fn a_phone_gone_mad_has_a_generous_budget_and_spends_nobody_elses() {
        let crowd = crowd();
        let heard = |remote: &str, peer| (0..2_000).filter(|_| crowd.admits(&flow(remote), peer)).count();
        crowd.learns(&flow("198.51.100.7:5060"), true);
        crowd.learns(&flow("198.51.100.7:5061"), true);
        for mad in [heard("198.51.100.7:5060", Peer::Stranger), heard("192.0.2.9:5060", Peer::Phone)] {
            assert!((400..500).contains(&mad), "four seconds of its rate at once: {mad}");
        }
        let beside = heard("198.51.100.7:5061", Peer::Stranger);
        assert!(beside >= 400, "another phone of the room: {beside}");
        let fresh = (0..4).filter(|_| crowd.admits(&flow("198.51.100.7:5062"), Peer::Stranger)).count();
        assert_eq!(fresh, 4, "one that has yet to register there");
    }

    #[test]
    fn a_carrier_known_by_its_certificate_alone_comes_back_to_a_kept_place() {
        let crowd = crowd();
        let host = flow("198.51.100.8:5060").remote.ip();
        assert!(!crowd.is_known_host(host), "a stranger");
        crowd.has_been_a_trunk(host);
        assert!(crowd.is_known_host(host), "before it can show its certificate again");
    }

    #[test]
    fn a_trunk_has_no_budget() {
        let crowd = crowd();
        assert!((0..1_000).all(|_| crowd.admits(&flow("198.51.100.8:5060"), Peer::Trunk(0))));
        assert_eq!(crowd.tally.over_budget.load(Ordering::Relaxed), 0);
    }
}
