//! One connection's life: reads messages and writes the queue until either side ends.

use super::{Ground, StreamEvent};
use bytes::Bytes;
use sip::transport::{Flow, Framer, Peer};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long whoever connects may say nothing whole: a connection that is only held open costs others
/// their place.
const FIRST_WITHIN: Duration = Duration::from_secs(20);

/// How long a connection of a phone or a stranger may say nothing at all. Phones keep theirs alive
/// every two minutes (RFC 5626 §4.4.1).
const IDLE_MAX: Duration = Duration::from_secs(600);

/// Between two signs of life of ours on a connection we opened (RFC 5626 §4.4.1): in time for the
/// shortest memory of an address translation.
const PING_EVERY: Duration = Duration::from_secs(30);

/// How long one write may take: a peer that reads nothing is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// Carries `stream` and reports its end. `unknown` is how to write to it, where the core shall hear of
/// the connection only once something whole has come: those who open and close them by the thousand
/// cost the core nothing.
pub(super) async fn carry(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    ground: &Ground,
    flow: Flow,
    peer: Peer,
    (unknown, mut queue): (Option<mpsc::Sender<Bytes>>, mpsc::Receiver<Bytes>),
) {
    let events = ground.events(peer);
    let mut life = Life { events, flow, peer, framer: Framer::new(), said: false, unknown };
    let (mut read, mut write) = tokio::io::split(stream);
    let mut buffer = vec![0; 16 << 10];
    let mut heard = Instant::now();
    let is_ours = flow.connection % 2 == 1;
    let mut ping = tokio::time::interval_at(heard + PING_EVERY, PING_EVERY);
    ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let patience = match (peer, life.said) {
            (Peer::Trunk(_), _) => None,
            (_, true) => Some(heard + IDLE_MAX),
            (_, false) if is_ours => None,
            (_, false) => Some(heard + FIRST_WITHIN),
        };
        let goes_on = tokio::select! {
            got = read.read(&mut buffer) => match got {
                Ok(length @ 1..) => {
                    // Only what is whole counts at first, so that a byte now and then holds nothing.
                    if life.said {
                        heard = Instant::now();
                    }
                    life.take(&buffer[..length], &mut write).await
                }
                _ => false,
            },
            next = queue.recv() => match next {
                Some(bytes) => written(&mut write, &bytes).await,
                None => false,
            },
            _ = ping.tick(), if is_ours => written(&mut write, b"\r\n\r\n").await,
            () = until(patience) => false,
        };
        if !goes_on {
            break;
        }
    }
    let _ = tokio::time::timeout(WRITE_WITHIN, write.shutdown()).await; // politeness: TLS says goodbye
    if life.unknown.is_none() {
        let _ = events.send(StreamEvent::Closed(flow)).await;
    }
}

struct Life<'a> {
    events: &'a mpsc::Sender<StreamEvent>,
    flow: Flow,
    peer: Peer,
    framer: Framer,
    /// Whether a whole message has come.
    said: bool,
    /// How to write to it, until the core knows.
    unknown: Option<mpsc::Sender<Bytes>>,
}

impl Life<'_> {
    /// Takes what came; false when the connection is over with it.
    async fn take(&mut self, bytes: &[u8], write: &mut (impl AsyncWrite + Unpin)) -> bool {
        self.framer.push(bytes);
        for _ in 0..self.framer.take_pings() {
            if !written(write, b"\r\n").await {
                return false; // RFC 5626 §3.5.1: a ping is owed its pong
            }
        }
        loop {
            let event = match self.framer.next() {
                Some(Ok(message)) => StreamEvent::Message(self.flow, self.peer, message),
                Some(Err(error)) => {
                    // The boundary is lost for good; the peer opens another connection.
                    let _ = self.events.send(StreamEvent::Unreadable(self.flow, self.peer, error)).await;
                    return false;
                }
                None => return true,
            };
            self.said = true;
            if let Some(write) = self.unknown.take()
                && self.events.send(StreamEvent::Opened(self.flow, write)).await.is_err()
            {
                return false;
            }
            if self.events.send(event).await.is_err() {
                return false;
            }
        }
    }
}

async fn written(write: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> bool {
    let all = async {
        write.write_all(bytes).await?;
        write.flush().await
    };
    matches!(tokio::time::timeout(WRITE_WITHIN, all).await, Ok(Ok(())))
}

async fn until(patience: Option<Instant>) {
    match patience {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
