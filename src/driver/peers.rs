//! Who is at the other end: by address, or by the certificate shown over TLS.

use crate::config::{Config, TrunkWire};
use engine::site::{Phone, Site};
use sip::transport::{Flow, Peer, Transport};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};

/// Who is asked for a certificate in a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nobody there: many phones have none, and some never finish a handshake in which they are asked.
    Nobody,
    /// Whoever connects from a trunk's address, and has to show one to be it. One that nobody we believe
    /// has signed ends the handshake, so that the carrier finds out.
    Carrier,
    /// Whoever connects from anywhere, since a trunk is known by nothing else. Phones show those their
    /// makers have signed: what we do not believe is as good as none.
    Anybody,
}

/// Which addresses and certificates are trunks, and which addresses are desk phones.
#[derive(Clone, Debug, Default)]
pub(super) struct Peers {
    exact: HashMap<SocketAddr, Peer>,
    any_port: HashMap<IpAddr, Peer>,
    wires: Vec<TrunkWire>,
    /// Where the names of each trunk lead.
    resolved: Vec<Vec<IpAddr>>,
    /// Of those, whose each address is. What is configured stands before it.
    by_name: HashMap<IpAddr, Peer>,
    /// Where desk phones at fixed places are.
    phone_hosts: HashSet<IpAddr>,
    /// Whether a trunk is known by its certificate and nothing else.
    by_certificate: bool,
}

impl Peers {
    pub(super) fn of(config: &Config) -> Peers {
        let mut peers = Peers { wires: config.trunks.clone(), ..Peers::default() };
        peers.resolved = vec![Vec::new(); peers.wires.len()];
        peers.take_site(&config.site);
        peers
    }

    fn take_site(&mut self, site: &Site) {
        for agent in site.centres.iter().flat_map(|c| &c.agents) {
            for phone in [Some(&agent.phone), agent.fallback.as_ref()].into_iter().flatten() {
                if let Phone::Static { address, .. } = phone {
                    self.exact.insert(*address, Peer::Phone);
                    self.phone_hosts.insert(address.ip());
                }
            }
        }
        for (index, trunk) in (0..).zip(&site.trunks) {
            let wire = self.wires.get(usize::from(index));
            let is_named = wire.is_some_and(|wire| !wire.certificates.is_empty() && wire.names.is_empty());
            self.by_certificate |= is_named && trunk.peers.is_empty();
            for address in &trunk.peers {
                match address.port() {
                    0 => self.any_port.insert(address.ip(), Peer::Trunk(index)),
                    _ => self.exact.insert(*address, Peer::Trunk(index)),
                };
            }
        }
    }

    /// What a trunk's names stand for from here on: its calls come from there, whatever the port.
    pub(super) fn resolved(&mut self, trunk: u16, addresses: &[IpAddr]) {
        let Some(before) = self.resolved.get_mut(usize::from(trunk)) else { return };
        *before = addresses.to_vec();
        // Whole, and in the trunks' order: an address that one of two trunks leaves is the other's.
        self.by_name.clear();
        for (trunk, addresses) in (0..).zip(&self.resolved) {
            for ip in addresses {
                self.by_name.entry(*ip).or_insert(Peer::Trunk(trunk));
            }
        }
    }

    /// Who every port of this host is.
    fn host(&self, ip: IpAddr) -> Option<Peer> {
        self.any_port.get(&ip).or_else(|| self.by_name.get(&ip)).copied()
    }

    /// An exact address before a whole host: a phone may stand on the trunk's machine. Over TLS, a trunk
    /// that has a certificate is nobody without it; where none can be shown its address is enough, unless it
    /// speaks TLS alone.
    pub(super) fn of_flow(&self, flow: &Flow) -> Peer {
        let exact = self.exact.get(&flow.remote).copied();
        let known = exact.or_else(|| self.host(flow.remote.ip()));
        // A connection comes from a port of its own, whatever port its peer listens at.
        let peer = match known {
            None if flow.transport.is_reliable() => self.trunk_at(flow.remote.ip()),
            known => known,
        };
        match peer {
            Some(Peer::Trunk(trunk)) if self.must_show_more(trunk, flow.transport) => Peer::Stranger,
            peer => peer.unwrap_or(Peer::Stranger),
        }
    }

    /// Whether a trunk's address alone is not the trunk, by this road.
    fn must_show_more(&self, trunk: u16, transport: Transport) -> bool {
        match transport {
            Transport::Tls => self.has_certificate(trunk),
            Transport::Udp | Transport::Tcp => self.wire(trunk).is_some_and(|wire| wire.tls_only),
        }
    }

    /// Whether somebody speaks from a trunk's address by a road the trunk never takes.
    pub(super) fn is_disbelieved(&self, flow: &Flow) -> bool {
        let trunk = self.trunk_address(flow.remote);
        let is_so = |trunk| flow.transport != Transport::Tls && self.must_show_more(trunk, flow.transport);
        trunk.is_some_and(|peer| matches!(peer, Peer::Trunk(trunk) if is_so(trunk)))
    }

    /// The trunk at this address, whatever it has to show for it.
    fn trunk_address(&self, remote: SocketAddr) -> Option<Peer> {
        let known = self.exact.get(&remote).copied().or_else(|| self.host(remote.ip()));
        known.filter(is_trunk).or_else(|| self.trunk_at(remote.ip()))
    }

    /// Whether a trunk is at this address, whatever it has to show for it.
    pub(super) fn is_trunk_address(&self, remote: SocketAddr) -> bool {
        self.trunk_address(remote).is_some()
    }

    /// Whether a desk phone at a fixed place is at this host, whatever port it connects from.
    pub(super) fn is_phone_host(&self, ip: IpAddr) -> bool {
        self.phone_hosts.contains(&ip)
    }

    /// Whether who connects from here is asked for a certificate.
    pub(super) fn asked(&self, remote: SocketAddr) -> Asked {
        match self.trunk_address(remote) {
            Some(Peer::Trunk(trunk)) if self.has_certificate(trunk) => Asked::Carrier,
            Some(_) => Asked::Nobody,
            None if self.by_certificate => Asked::Anybody,
            None => Asked::Nobody,
        }
    }

    /// The trunk that has a port of this host.
    fn trunk_at(&self, ip: IpAddr) -> Option<Peer> {
        self.exact.iter().find(|(at, peer)| at.ip() == ip && is_trunk(peer)).map(|(_, peer)| *peer)
    }

    fn has_certificate(&self, trunk: u16) -> bool {
        self.wire(trunk).is_some_and(|wire| !wire.certificates.is_empty())
    }

    fn wire(&self, trunk: u16) -> Option<&TrunkWire> {
        self.wires.get(usize::from(trunk))
    }

    /// Who shows this certificate, whose chain has been verified; without one of a trunk's names in
    /// it, whoever the address says.
    pub(super) fn of_certificate(&self, flow: &Flow, certificate: Option<&CertificateDer<'_>>) -> Peer {
        certificate.and_then(|shown| self.trunk_of(shown)).unwrap_or_else(|| self.of_flow(flow))
    }

    fn trunk_of(&self, certificate: &CertificateDer<'_>) -> Option<Peer> {
        let shown = webpki::EndEntityCert::try_from(certificate).ok()?;
        let bears = |name: &String| {
            let name = ServerName::try_from(name.as_str());
            name.is_ok_and(|name| shown.verify_is_valid_for_subject_name(&name).is_ok())
        };
        let index = self.wires.iter().position(|wire| wire.certificates.iter().any(bears))?;
        u16::try_from(index).ok().map(Peer::Trunk)
    }

    /// The name a trunk's certificate must bear when we connect to `remote`; its address when no
    /// name is configured.
    pub(super) fn server_name(&self, remote: SocketAddr) -> ServerName<'static> {
        let by_address = ServerName::from(remote.ip());
        let exact = self.exact.get(&remote).copied();
        let Some(Peer::Trunk(trunk)) = exact.or_else(|| self.host(remote.ip())) else {
            return by_address;
        };
        let Some(wire) = self.wires.get(usize::from(trunk)) else { return by_address };
        let named = wire.certificates.first().or(wire.names.first().map(|host| &host.name));
        named.and_then(|name| ServerName::try_from(name.clone()).ok()).unwrap_or(by_address)
    }

    /// The addresses of this family that get a socket of their own, each with the socket's index
    /// from 1 on: one for each trunk, and one for all desk phones at fixed places. Where there are more than
    /// can be told apart, the last have none: the trunks' first ones stand first, each trunk's in turn, and
    /// phones at the end.
    pub(super) fn steered(&self, is_ipv4: bool) -> Vec<(IpAddr, u32)> {
        let exact = self.exact.iter().map(|(address, peer)| (address.ip(), peer));
        let hosts = self.any_port.iter().chain(&self.by_name).map(|(ip, peer)| (*ip, peer));
        let of_family = exact.chain(hosts).filter(|(ip, _)| ip.is_ipv4() == is_ipv4);
        // A host that is both is the trunk's: ordered, the lower index wins below.
        let phones = u32::try_from(self.wires.len()).unwrap_or(u32::MAX).saturating_add(1);
        let indexed: BTreeSet<(IpAddr, u32)> = of_family
            .filter_map(|(ip, peer)| match peer {
                // Who says what it says over TLS is nobody in a datagram.
                Peer::Trunk(trunk) if self.wire(*trunk).is_some_and(|wire| wire.tls_only) => None,
                Peer::Trunk(trunk) => Some((ip, u32::from(*trunk) + 1)),
                Peer::Phone => Some((ip, phones)),
                Peer::Stranger => None,
            })
            .collect();
        let mut steered: Vec<(IpAddr, u32)> = indexed.into_iter().collect();
        steered.dedup_by_key(|(ip, _)| *ip);
        let mut taken: HashMap<u32, usize> = HashMap::new();
        let ranked = steered.drain(..).map(|(ip, socket)| {
            let turn = taken.entry(socket).or_default();
            *turn += 1;
            (socket == phones, *turn, socket, ip)
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, _, socket, ip)| (ip, socket)).collect()
    }

    /// How many sockets of their own there are beside the one for everybody else.
    pub(super) fn sockets(&self) -> usize {
        self.wires.len() + 1
    }
}

fn is_trunk(peer: &Peer) -> bool {
    matches!(peer, Peer::Trunk(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::site::{Reach, Strangers, TrunkSite};

    fn peers(trunks: &[&[&str]]) -> Peers {
        let parse = |text: &&str| text.parse().unwrap_or_else(|_| SocketAddr::new(text.parse().unwrap(), 0));
        let trunk = |peers: &&[&str]| TrunkSite {
            name: "t".to_owned(),
            peers: peers.iter().map(parse).collect(),
            reach: Reach::default(),
        };
        let site = Site {
            epoch: 1,
            product: String::new(),
            contact: "192.0.2.100:5060".parse().unwrap(),
            listeners: Vec::new(),
            realm: String::new(),
            trunks: trunks.iter().map(trunk).collect(),
            centres: Vec::new(),
            calls_max: 1,
            phones_srtp: engine::site::Srtp::Off,
            strangers: Strangers::Silence,
        };
        let wires = vec![TrunkWire::default(); trunks.len()];
        let mut peers = Peers { resolved: vec![Vec::new(); wires.len()], wires, ..Peers::default() };
        peers.take_site(&site);
        peers
    }

    fn flow(transport: Transport, remote: &str) -> Flow {
        let local = "192.0.2.100:5060".parse().unwrap();
        Flow { transport, local, remote: remote.parse().unwrap(), connection: 0 }
    }

    #[test]
    fn a_trunk_is_its_addresses_and_over_a_stream_whatever_port_they_connect_from() {
        let peers = peers(&[&["192.0.2.1", "192.0.2.2:5080"], &["2001:db8::7"]]);
        let of = |transport, remote| peers.of_flow(&flow(transport, remote));
        assert_eq!(of(Transport::Udp, "192.0.2.1:7777"), Peer::Trunk(0));
        assert_eq!(of(Transport::Udp, "192.0.2.2:5080"), Peer::Trunk(0));
        assert_eq!(of(Transport::Udp, "192.0.2.2:5081"), Peer::Stranger);
        assert_eq!(of(Transport::Tcp, "192.0.2.2:40000"), Peer::Trunk(0));
        assert_eq!(of(Transport::Udp, "[2001:db8::7]:5060"), Peer::Trunk(1));
        assert_eq!(of(Transport::Tcp, "192.0.2.3:5080"), Peer::Stranger);
    }

    /// Two trunks that show a certificate: one with an address, one without.
    fn shown() -> Peers {
        let mut peers = peers(&[&["192.0.2.1"], &[]]);
        peers.wires[0].certificates = vec!["sbc.carrier.example".to_owned()];
        peers.wires[1].certificates = vec!["sbc.cloud.example".to_owned()];
        peers.by_certificate = true;
        peers
    }

    #[test]
    fn a_trunk_is_its_certificate_wherever_it_connects_from() {
        let peers = shown();
        let of = |name: &str, remote| {
            let key = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
            peers.of_certificate(&flow(Transport::Tls, remote), Some(key.cert.der()))
        };
        assert_eq!(of("sbc.carrier.example", "198.51.100.9:4000"), Peer::Trunk(0));
        assert_eq!(of("sbc.cloud.example", "198.51.100.9:4000"), Peer::Trunk(1));
        assert_eq!(of("sbc.elsewhere.example", "198.51.100.9:4000"), Peer::Stranger);
        assert_eq!(peers.of_certificate(&flow(Transport::Tls, "198.51.100.9:4000"), None), Peer::Stranger);
    }

    #[test]
    fn a_trunk_of_both_is_its_address_but_over_tls_nobody_without_its_certificate() {
        let peers = shown();
        let of = |transport| peers.of_flow(&flow(transport, "192.0.2.1:5060"));
        assert_eq!(of(Transport::Udp), Peer::Trunk(0));
        assert_eq!(of(Transport::Tcp), Peer::Trunk(0));
        assert_eq!(of(Transport::Tls), Peer::Stranger);
    }

    #[test]
    fn a_trunk_that_speaks_tls_alone_is_nobody_by_another_road() {
        let mut peers = shown();
        peers.wires[0].tls_only = true;
        let flow = |transport| flow(transport, "192.0.2.1:5060");
        for transport in [Transport::Udp, Transport::Tcp] {
            assert_eq!(peers.of_flow(&flow(transport)), Peer::Stranger);
            assert!(peers.is_disbelieved(&flow(transport)), "said aloud");
        }
        let key = rcgen::generate_simple_self_signed(vec!["sbc.carrier.example".to_owned()]).unwrap();
        let shows = peers.of_certificate(&flow(Transport::Tls), Some(key.cert.der()));
        assert_eq!((shows, peers.is_disbelieved(&flow(Transport::Tls))), (Peer::Trunk(0), false));
    }

    #[test]
    fn the_first_addresses_of_each_trunk_stand_first_in_turn_and_phones_last() {
        let mut peers = peers(&[&["192.0.2.1", "192.0.2.2", "192.0.2.3"], &["192.0.2.200"]]);
        peers.exact.insert("192.0.2.0:5060".parse().unwrap(), Peer::Phone);
        let steered: Vec<u32> = peers.steered(true).into_iter().map(|(_, socket)| socket).collect();
        assert_eq!(steered, [1, 2, 1, 1, 3]);
    }

    #[test]
    fn everybody_is_asked_only_where_a_trunk_is_known_by_its_certificate_alone() {
        let remote = |text: &str| text.parse::<SocketAddr>().unwrap();
        let mut peers = shown();
        assert_eq!(peers.asked(remote("192.0.2.1:4000")), Asked::Carrier);
        assert_eq!(peers.asked(remote("198.51.100.9:4000")), Asked::Anybody);
        peers.by_certificate = false;
        assert_eq!(peers.asked(remote("192.0.2.1:4000")), Asked::Carrier);
        assert_eq!(peers.asked(remote("198.51.100.9:4000")), Asked::Nobody);
    }

    #[test]
    fn names_bring_addresses_and_take_them_with_them() {
        let mut peers = peers(&[&["192.0.2.1"]]);
        let of = |peers: &Peers, remote| peers.of_flow(&flow(Transport::Udp, remote));
        peers.resolved(0, &["198.51.100.1".parse().unwrap()]);
        assert_eq!(of(&peers, "198.51.100.1:9"), Peer::Trunk(0));
        peers.resolved(0, &["198.51.100.2".parse().unwrap()]);
        assert_eq!(of(&peers, "198.51.100.1:9"), Peer::Stranger);
        assert_eq!(of(&peers, "198.51.100.2:9"), Peer::Trunk(0));
        assert_eq!(of(&peers, "192.0.2.1:9"), Peer::Trunk(0), "what is configured stays");
        let sockets: Vec<u32> = peers.steered(true).iter().map(|(_, socket)| *socket).collect();
        assert_eq!(sockets, [1, 1]);
    }

    #[test]
    fn a_name_that_moves_takes_neither_a_configured_address_nor_another_trunk_s() {
        let mut peers = peers(&[&["192.0.2.1"], &["192.0.2.7"]]);
        let of = |peers: &Peers, remote| peers.of_flow(&flow(Transport::Udp, remote));
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        peers.resolved(0, &[ip("192.0.2.1"), ip("198.51.100.1")]);
        peers.resolved(1, &[ip("198.51.100.1")]);
        assert_eq!(of(&peers, "198.51.100.1:9"), Peer::Trunk(0));
        peers.resolved(0, &[ip("198.51.100.2")]);
        assert_eq!(of(&peers, "192.0.2.1:9"), Peer::Trunk(0), "configured");
        assert_eq!(of(&peers, "198.51.100.1:9"), Peer::Trunk(1), "the other trunk's name leads there still");
    }
}
