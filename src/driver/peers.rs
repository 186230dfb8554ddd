//! Who is at the other end: by address, or by the certificate shown over TLS.

use crate::config::{Config, TrunkWire};
use engine::site::{Phone, Site};
use sip::transport::{Flow, Peer};
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};

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
                }
            }
        }
        for (index, trunk) in (0..).zip(&site.trunks) {
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

    /// An exact address before a whole host: a phone may stand on the trunk's machine. A trunk that
    /// is known by its certificate is nobody without it.
    pub(super) fn of_flow(&self, flow: &Flow) -> Peer {
        let exact = self.exact.get(&flow.remote).copied();
        let known = exact.or_else(|| self.host(flow.remote.ip()));
        // A connection comes from a port of its own, whatever port its peer listens at.
        let peer = match known {
            None if flow.transport.is_reliable() => self.trunk_at(flow.remote.ip()),
            known => known,
        };
        match peer {
            Some(Peer::Trunk(trunk)) if self.wants_certificate(trunk) => Peer::Stranger,
            peer => peer.unwrap_or(Peer::Stranger),
        }
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

    /// Whether who connects from here is asked for a certificate: only where a trunk is known by it.
    /// Many phones have none, and some never finish a handshake in which they are asked.
    pub(super) fn is_asked(&self, remote: SocketAddr) -> bool {
        let trunk = self.trunk_address(remote);
        matches!(trunk, Some(Peer::Trunk(trunk)) if self.wants_certificate(trunk))
    }

    /// The trunk that has a port of this host.
    fn trunk_at(&self, ip: IpAddr) -> Option<Peer> {
        self.exact.iter().find(|(at, peer)| at.ip() == ip && is_trunk(peer)).map(|(_, peer)| *peer)
    }

    fn wants_certificate(&self, trunk: u16) -> bool {
        self.wires.get(usize::from(trunk)).is_some_and(|wire| !wire.certificates.is_empty())
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
    /// from 1 on: one for each trunk, and one for all desk phones at fixed places.
    pub(super) fn steered(&self, is_ipv4: bool) -> Vec<(IpAddr, u32)> {
        let exact = self.exact.iter().map(|(address, peer)| (address.ip(), peer));
        let hosts = self.any_port.iter().chain(&self.by_name).map(|(ip, peer)| (*ip, peer));
        let of_family = exact.chain(hosts).filter(|(ip, _)| ip.is_ipv4() == is_ipv4);
        // A host that is both is the trunk's: ordered, the lower index wins below.
        let phones = u32::try_from(self.wires.len()).unwrap_or(u32::MAX).saturating_add(1);
        let indexed: BTreeSet<(IpAddr, u32)> = of_family
            .filter_map(|(ip, peer)| match peer {
                Peer::Trunk(trunk) => Some((ip, u32::from(*trunk) + 1)),
                Peer::Phone => Some((ip, phones)),
                Peer::Stranger => None,
            })
            .collect();
        let mut steered: Vec<(IpAddr, u32)> = indexed.into_iter().collect();
        steered.dedup_by_key(|(ip, _)| *ip);
        steered
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
    use sip::transport::Transport;

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

    #[test]
    fn a_trunk_known_by_its_certificate_is_nobody_without_it() {
        let mut peers = peers(&[&["192.0.2.1"]]);
        peers.wires[0].certificates = vec!["sbc.carrier.example".to_owned()];
        let key = rcgen::generate_simple_self_signed(vec!["sbc.carrier.example".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(vec!["sbc.elsewhere.example".to_owned()]).unwrap();
        let at = flow(Transport::Tls, "198.51.100.9:4000");
        assert_eq!(peers.of_flow(&flow(Transport::Udp, "192.0.2.1:5060")), Peer::Stranger);
        assert_eq!(peers.of_certificate(&at, Some(key.cert.der())), Peer::Trunk(0));
        assert_eq!(peers.of_certificate(&at, Some(other.cert.der())), Peer::Stranger);
        assert_eq!(peers.of_certificate(&at, None), Peer::Stranger);
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
