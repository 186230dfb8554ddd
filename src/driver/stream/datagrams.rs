//! Datagrams of everybody who has no socket of their own: read beside the connections of strangers.

use super::{Ground, StreamEvent};
use crate::driver::crowd::Tally;
use bytes::Bytes;
use sip::message::MESSAGE_MAX;
use sip::transport::{Flow, Transport};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;

/// Reads one listener's socket for ever. What is within its budget waits for the core here: the
/// kernel's buffer holds the rest.
pub(super) async fn read(socket: UdpSocket, local: SocketAddr, ground: Arc<Ground>) {
    let mut buffer = vec![0; MESSAGE_MAX];
    loop {
        // An error is an ICMP message about something we sent: the next read goes on.
        let Ok((length, remote)) = socket.recv_from(&mut buffer).await else { continue };
        Tally::count(&ground.crowd.tally.datagrams);
        let flow = Flow { transport: Transport::Udp, local, remote, connection: 0 };
        let peer = ground.crowd.of_flow(&flow);
        if ground.crowd.admits(&flow, peer) {
            ground.crowd.tell_of_disbelieved(&flow);
            let message = StreamEvent::Message(flow, peer, Bytes::copy_from_slice(&buffer[..length]));
            if ground.events(peer).send(message).await.is_err() {
                return; // the core is gone
            }
        }
    }
}
