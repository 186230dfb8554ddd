//! Whom a leg listens to, and where its own packets go: what was agreed, and what comes instead.

use super::{Leg, Line, SECOND};
use std::net::{IpAddr, SocketAddr};

/// How long a source keeps the leg to itself after its last packet. Shorter lets a stranger cut in
/// between two packets of a lossy peer, longer mutes a peer that has moved.
const SOURCE_KEPT: u64 = SECOND;

impl Leg {
    /// Whether the leg listens to this source: the agreed one always; another one as long as
    /// nobody else speaks, since many carriers send from elsewhere than they receive.
    pub(super) fn admit(&mut self, from: SocketAddr, now: u64) -> bool {
        let agreed = self.stream.remote == Some(from);
        match self.source {
            Some((source, _)) if source == from => {}
            Some((_, heard)) if !agreed && now.saturating_sub(heard) < SOURCE_KEPT => return false,
            _ => self.keys.forget(),
        }
        self.source = Some((from, now));
        true
    }

    /// Where packets go: the agreed address. When none was agreed, one our socket cannot send to, or a
    /// private one that an address translation stands before, the source of what comes (symmetric RTP, RFC 4961): a stranger who
    /// sends first to an ordinary leg is heard for a second at most, and told nothing.
    pub(super) fn target(&self) -> Option<SocketAddr> {
        let is_place = |agreed: &SocketAddr| !agreed.ip().is_unspecified() && agreed.port() != 0;
        let agreed = self.stream.remote.filter(|agreed| is_place(agreed) && self.reaches(agreed.ip()));
        match (agreed, self.source) {
            (Some(agreed), Some((source, _))) if is_private(agreed.ip()) => Some(source),
            (None, Some((source, _))) => Some(source),
            (agreed, _) => agreed,
        }
    }

    /// Whether its socket can send to an address of this family.
    fn reaches(&self, address: IpAddr) -> bool {
        match &self.line {
            Line::Port(port, _) => {
                let bound = port.rtp.ip();
                bound.is_ipv4() == address.is_ipv4() || (bound.is_ipv6() && bound.is_unspecified())
            }
            Line::Page(_) => true,
        }
    }
}

/// An address of somebody's own network (RFC 1918, RFC 6598, RFC 4193, link-local): from outside,
/// only the source of a packet tells the way back. Loopback is not: nothing translates it.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private() || v4.is_link_local() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::leg::kit::{leg, packet};

    fn hears(leg: &mut Leg, from: &str, now: u64) -> bool {
        leg.hear(&packet(8, 1), from.parse().unwrap(), now).is_some()
    }

    #[test]
    fn packets_go_to_the_agreed_address_whoever_sends() {
        let mut leg = leg(Some("192.0.2.1:4000"));
        assert!(hears(&mut leg, "198.51.100.9:6000", 0));
        assert_eq!(leg.target(), Some("192.0.2.1:4000".parse().unwrap()));
    }

    #[test]
    fn packets_go_back_to_the_source_where_the_agreed_address_is_private_or_unknown() {
        for remote in [Some("10.0.0.7:4000"), Some("100.64.1.1:4000"), Some("0.0.0.0:4000"), None] {
            let mut leg = leg(remote);
            assert!(hears(&mut leg, "198.51.100.9:6000", 0));
            assert_eq!(leg.target(), Some("198.51.100.9:6000".parse().unwrap()), "{remote:?}");
        }
        assert_eq!(leg(Some("10.0.0.7:4000")).target(), Some("10.0.0.7:4000".parse().unwrap()));
        assert_eq!(leg(Some("192.0.2.1:0")).target(), None);
    }

    #[test]
    fn packets_go_back_to_the_source_where_the_agreed_address_is_of_a_family_we_cannot_send_to() {
        let mut leg = leg(Some("[2001:db8::1]:4000"));
        assert_eq!(leg.target(), None, "not a packet to nowhere");
        assert!(hears(&mut leg, "198.51.100.9:6000", 0));
        assert_eq!(leg.target(), Some("198.51.100.9:6000".parse().unwrap()));
    }

    #[test]
    fn nobody_cuts_in_on_a_peer_that_speaks_but_the_agreed_address() {
        let mut leg = leg(Some("192.0.2.1:4000"));
        assert!(hears(&mut leg, "198.51.100.9:6000", 0));
        assert!(!hears(&mut leg, "203.0.113.5:7000", SECOND / 2));
        assert!(hears(&mut leg, "192.0.2.1:4000", SECOND / 2));
        assert!(!hears(&mut leg, "198.51.100.9:6000", SECOND));
        assert!(hears(&mut leg, "198.51.100.9:6000", 2 * SECOND));
    }
}
