//! Everything SIP arrives on, bound before anything runs.

use super::clock::Clock;
use super::crowd::Crowd;
use super::peers::Peers;
use super::sip_tls;
use super::stream::{Group, Open, StreamEvents, Streams};
use super::udp::Udp;
use crate::config::{Config, Listen};
use anyhow::Context;
use sip::transport::Transport;
use std::net::SocketAddr;
use std::sync::Arc;

/// The listeners, and who is at the other end of what they bring.
pub(super) struct Sockets {
    pub(super) udp: Udp,
    pub(super) streams: Streams,
    pub(super) from_streams: StreamEvents,
    pub(super) crowd: Arc<Crowd>,
    pub(super) peers: Peers,
}

impl Sockets {
    /// Binds every listener of the configuration, whose ports and told addresses become the real
    /// ones where it leaves them to the system.
    ///
    /// # Errors
    /// The first that cannot be bound, or certificates that cannot be used.
    pub(super) fn bind(config: &mut Config, clock: Clock) -> anyhow::Result<Sockets> {
        let peers = Peers::of(config);
        let secure = config.sip_tls.as_ref().map(sip_tls::load).transpose()?;
        let busy = |address: SocketAddr| format!("cannot listen on {address}: is another program there?");
        let of_udp = |listen: &&Listen| listen.transport == Transport::Udp;
        let datagrams: Vec<SocketAddr> = config.listen.iter().filter(of_udp).map(|it| it.address).collect();
        let udp = Udp::bind(&datagrams, &peers).map_err(|(at, e)| anyhow::Error::new(e).context(busy(at)))?;
        let mut bound = udp.addresses();
        let mut listeners = Vec::new();
        for listen in &mut config.listen {
            if listen.transport == Transport::Udp {
                listen.address = bound.next().unwrap_or(listen.address);
                continue;
            }
            let listener = Group::listen(listen.address, &peers).with_context(|| busy(listen.address))?;
            listen.address = listener.local();
            listeners.push((listen.transport, listener));
        }
        drop(bound);
        for ((_, told), listen) in config.site.listeners.iter_mut().zip(&config.listen) {
            if told.port() == 0 {
                told.set_port(listen.address.port());
            }
        }
        if config.site.contact.port() == 0 {
            config.site.contact.set_port(config.listen.first().map_or(0, |listen| listen.address.port()));
        }
        let crowd = Arc::new(Crowd::new(clock, config.limits, peers.clone()));
        let open = Open { listeners, datagrams: udp.of_others()?, secure, places: config.limits.connections };
        let (streams, from_streams) = Streams::start(open, &crowd)?;
        Ok(Sockets { udp, streams, from_streams, crowd, peers })
    }
}
