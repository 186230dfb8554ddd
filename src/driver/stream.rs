//! SIP over TCP: connections accepted and opened, framed into messages, written in order.

use bytes::Bytes;
use sip::transport::{Flow, Framer, Transmit, Transport};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Messages waiting for one slow peer; beyond it the connection is closed, since a peer that does
/// not read its signalling is gone. Each is at most 64 kB.
const QUEUE: usize = 256;

/// Connections at once; beyond it new ones are closed at the door. Each costs a task and a buffer.
const CONNECTIONS_MAX: usize = 4096;

/// How long a connection may take to open; a transaction gives up after 32 s anyway.
const CONNECT: Duration = Duration::from_secs(5);

/// What streams report to the core.
pub(super) enum StreamEvent {
    /// One whole message.
    Message(Flow, Bytes),
    /// A connection is open: what is sent to its peer can use it.
    Opened(Flow, mpsc::Sender<Bytes>),
    /// A connection is over, or could not be opened.
    Closed(Flow),
}

/// Every connection, by number and by peer.
pub(super) struct Streams {
    events: mpsc::UnboundedSender<StreamEvent>,
    open: HashMap<u64, (Flow, mpsc::Sender<Bytes>)>,
    by_peer: HashMap<SocketAddr, u64>,
    next: u64,
    local: SocketAddr,
}

impl Streams {
    /// `local`: what we call our own end of connections not open yet.
    pub(super) fn new(events: mpsc::UnboundedSender<StreamEvent>, local: SocketAddr) -> Streams {
        Streams { events, open: HashMap::new(), by_peer: HashMap::new(), next: 1, local }
    }

    /// Accepts connections for ever; their numbers are even, those opened by us odd.
    pub(super) fn listen(&self, listener: TcpListener) {
        let events = self.events.clone();
        tokio::spawn(async move {
            let mut number = 2;
            loop {
                match listener.accept().await {
                    Ok((stream, remote)) => {
                        let local = stream.local_addr().unwrap_or(remote);
                        let flow = Flow { transport: Transport::Tcp, local, remote, connection: number };
                        number += 2;
                        tokio::spawn(serve(stream, flow, events.clone()));
                    }
                    // Out of descriptors, most likely: wait for some to come back.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
    }

    /// A connection is open.
    pub(super) fn opened(&mut self, flow: Flow, write: mpsc::Sender<Bytes>) {
        if self.open.len() < CONNECTIONS_MAX {
            self.by_peer.insert(flow.remote, flow.connection);
            self.open.insert(flow.connection, (flow, write));
        } // else `write` is dropped here, which closes the connection
    }

    /// A connection is over.
    pub(super) fn closed(&mut self, flow: &Flow) {
        self.open.remove(&flow.connection);
        if self.by_peer.get(&flow.remote) == Some(&flow.connection) {
            self.by_peer.remove(&flow.remote);
        }
    }

    /// Sends one message over its connection, another to the same peer, or one opened for it.
    pub(super) fn send(&mut self, transmit: Transmit) {
        let known = self.by_peer.get(&transmit.flow.remote).copied();
        let connection = if self.open.contains_key(&transmit.flow.connection) {
            Some(transmit.flow.connection)
        } else {
            known
        };
        match connection.and_then(|number| self.open.get(&number)) {
            Some((flow, write)) => {
                if write.try_send(transmit.bytes).is_err() {
                    let _ = self.events.send(StreamEvent::Closed(*flow));
                }
            }
            None => self.connect(transmit),
        }
    }

    fn connect(&mut self, transmit: Transmit) {
        let number = self.next;
        self.next += 2;
        let remote = transmit.flow.remote;
        let flow = Flow { transport: Transport::Tcp, local: self.local, remote, connection: number };
        let (write, queue) = mpsc::channel(QUEUE);
        let _ = write.try_send(transmit.bytes); // the queue is empty
        self.opened(flow, write);
        let events = self.events.clone();
        tokio::spawn(async move {
            match tokio::time::timeout(CONNECT, TcpStream::connect(remote)).await {
                Ok(Ok(stream)) => carry(stream, flow, queue, events).await,
                _ => {
                    let _ = events.send(StreamEvent::Closed(flow));
                }
            }
        });
    }
}

async fn serve(stream: TcpStream, flow: Flow, events: mpsc::UnboundedSender<StreamEvent>) {
    let (write, queue) = mpsc::channel(QUEUE);
    let _ = events.send(StreamEvent::Opened(flow, write));
    carry(stream, flow, queue, events).await;
}

/// Reads messages and writes the queue until either side ends.
async fn carry(
    stream: TcpStream,
    flow: Flow,
    mut queue: mpsc::Receiver<Bytes>,
    events: mpsc::UnboundedSender<StreamEvent>,
) {
    let _ = stream.set_nodelay(true);
    let (mut read, mut write) = stream.into_split();
    let mut framer = Framer::new();
    let mut buffer = vec![0; 16 << 10];
    'life: loop {
        tokio::select! {
            got = read.read(&mut buffer) => {
                let Ok(length @ 1..) = got else { break };
                framer.push(&buffer[..length]);
                for _ in 0..framer.take_pings() {
                    if write.write_all(b"\r\n").await.is_err() { break 'life } // RFC 5626 §3.5.1
                }
                loop {
                    match framer.next() {
                        Some(Ok(message)) => { let _ = events.send(StreamEvent::Message(flow, message)); }
                        Some(Err(_)) => break 'life, // the boundary is lost for good
                        None => break,
                    }
                }
            }
            next = queue.recv() => {
                let Some(bytes) = next else { break };
                if write.write_all(&bytes).await.is_err() { break }
            }
        }
    }
    let _ = events.send(StreamEvent::Closed(flow));
}
