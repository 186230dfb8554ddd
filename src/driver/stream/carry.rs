//! One connection's life: reads messages and writes the queue until either side ends.

use super::outbox::{Outbox, Outgoing};
use super::{Ground, StreamEvent};
use crate::driver::peers::Asked;
use sip::transport::{Flow, Framer, FramingError, Peer, Transport};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

/// How long a stranger may keep a place: whoever is a phone has registered by then. What it says
/// meanwhile does not count, or a byte now and then would hold a place for ever.
const PROVED_WITHIN: Duration = Duration::from_secs(60);

/// How long it may say nothing whole at first: a connection that is only held open costs others
/// their place.
const FIRST_WITHIN: Duration = Duration::from_secs(20);

/// Between two signs of life of ours on a connection we opened (RFC 5626 §4.4.1): in time for the
/// shortest memory of an address translation.
const PING_EVERY: Duration = Duration::from_secs(30);

/// How long a phone beyond its budget waits before its next message is read: closing its connection would
/// cost it the talk it is in.
const PHONE_RESTS: Duration = Duration::from_millis(20);

/// How long one write may take: a peer that reads nothing is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// How long a carrier whose message could not be framed may go on saying what nobody reads: a connection
/// closed over unread bytes takes the answer back that is still on its way.
const LINGER: Duration = Duration::from_secs(2);

/// Carries `stream` and reports its end. `unknown` is how to write to it, where the core shall hear of
/// the connection only once something whole has come: those who open and close them by the thousand
/// cost the core nothing.
pub(super) async fn carry(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    ground: &Ground,
    flow: Flow,
    peer: Peer,
    (unknown, mut queue): (Option<Outbox>, Outgoing),
) {
    let (said, doubted, is_told_why) = (false, false, false);
    let mut life = Life { ground, flow, peer, framer: Framer::new(), said, doubted, is_told_why, unknown };
    let (mut read, mut write) = tokio::io::split(stream);
    let mut buffer = vec![0; 16 << 10];
    let is_ours = flow.connection % 2 == 1;
    let mut ping = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut peers = ground.crowd.peers();
    let mut doubt = Instant::now() + FIRST_WITHIN;
    loop {
        let is_doubted = life.peer == Peer::Stranger && !is_ours;
        // Answers go out before more is asked for: a peer that reads shall never look like one that does not.
        let goes_on = tokio::select! {
            biased;
            next = queue.next() => match next {
                Some(bytes) => written(&mut write, &bytes).await,
                None => false,
            },
            got = read.read(&mut buffer) => match got {
                Ok(length @ 1..) => life.take(&buffer[..length], &mut write, &mut queue).await,
                _ => false,
            },
            _ = ping.tick(), if is_ours => written(&mut write, b"\r\n\r\n").await,
            Ok(()) = peers.changed(), if is_doubted => {
                let stays = life.is_known_better().await;
                if let Peer::Trunk(_) = life.peer {
                    queue.is_a_trunks();
                }
                stays
            }
            () = tokio::time::sleep_until(doubt), if is_doubted => {
                doubt = Instant::now() + PROVED_WITHIN;
                life.has_proved()
            }
        };
        if !goes_on {
            break;
        }
    }
    let _ = tokio::time::timeout(WRITE_WITHIN, write.shutdown()).await; // politeness: TLS says goodbye
    if life.is_told_why {
        let unread = async { while matches!(read.read(&mut buffer).await, Ok(1..)) {} };
        let _ = tokio::time::timeout(LINGER, unread).await;
    }
    if life.unknown.is_none() {
        let _ = ground.events(life.peer).send(StreamEvent::Closed(flow)).await;
    }
}

struct Life<'a> {
    ground: &'a Ground,
    flow: Flow,
    peer: Peer,
    framer: Framer,
    /// Whether a whole message has come.
    said: bool,
    /// Whether it has been looked at once.
    doubted: bool,
    /// Whether the core was asked to tell it why it ends.
    is_told_why: bool,
    /// How to write to it, until the core knows.
    unknown: Option<Outbox>,
}

impl Life<'_> {
    /// Takes what came; false when the connection is over with it. What is to be written meanwhile is:
    /// the core may be long in taking a burst, and answers it all the while.
    async fn take(
        &mut self,
        bytes: &[u8],
        write: &mut (impl AsyncWrite + Unpin),
        queue: &mut Outgoing,
    ) -> bool {
        self.framer.push(bytes);
        while let Some(next) = self.framer.next() {
            if !self.is_heard(write, queue).await {
                return false;
            }
            let event = match next {
                Ok(message) => StreamEvent::Message(self.flow, self.peer, message),
                Err(error) if matches!(self.peer, Peer::Trunk(_)) => {
                    self.is_told_why = true;
                    self.tell_why(error, write, queue).await;
                    return false;
                }
                Err(error) => {
                    // The boundary is lost for good; the peer opens another connection.
                    self.framer = Framer::new();
                    let _ = self.ground.events(self.peer).send(StreamEvent::Unreadable(error)).await;
                    return false;
                }
            };
            self.said = true;
            if !self.is_told().await {
                return false;
            }
            let taken = self.ground.events(self.peer).send(event);
            tokio::pin!(taken);
            loop {
                tokio::select! {
                    biased;
                    Some(answer) = queue.next() => if !written(write, &answer).await { return false },
                    taken = &mut taken => match taken {
                        Ok(()) => break,
                        Err(_) => return false, // nobody serves any more
                    },
                }
            }
        }
        // RFC 5626 §3.5.1: a ping is owed its pong. All that came at once cost a stranger a message.
        let pings = usize::try_from(self.framer.take_pings()).unwrap_or(0);
        pings == 0 || (self.is_heard(write, queue).await && written(write, &b"\r\n".repeat(pings)).await)
    }

    /// Waits until one more message may be read; false for a stranger, who is not waited for.
    async fn is_heard(&self, write: &mut (impl AsyncWrite + Unpin), queue: &mut Outgoing) -> bool {
        while !self.ground.crowd.admits(&self.flow, self.peer) {
            if self.is_a_stranger() || !rests(write, queue).await {
                return false;
            }
        }
        true
    }

    /// Has the core answer a message whose end nobody knows, and writes what it says until it lets go.
    async fn tell_why(
        &mut self,
        error: FramingError,
        write: &mut (impl AsyncWrite + Unpin),
        queue: &mut Outgoing,
    ) {
        let head = std::mem::take(&mut self.framer).into_head();
        let event = StreamEvent::Unframed(self.flow, self.peer, head, error);
        if self.is_told().await && self.ground.events(self.peer).send(event).await.is_ok() {
            let last = async {
                while let Some(bytes) = queue.next().await {
                    if !written(write, &bytes).await {
                        break;
                    }
                }
            };
            let _ = tokio::time::timeout(WRITE_WITHIN, last).await;
        }
    }

    fn is_a_stranger(&self) -> bool {
        self.peer == Peer::Stranger && !self.ground.crowd.is_phone(&self.flow)
    }

    /// Tells the core how to write to it, once.
    async fn is_told(&mut self) -> bool {
        let Some(write) = self.unknown.take() else { return true };
        self.ground.events(self.peer).send(StreamEvent::Opened(self.flow, write)).await.is_ok()
    }

    /// Trunks have other addresses: this may be one that came before its name was resolved. One that
    /// has to show a certificate was not asked for it, and is to come again.
    async fn is_known_better(&mut self) -> bool {
        let (peer, must_show) = {
            let peers = self.ground.crowd.peers();
            let peers = peers.borrow();
            (peers.of_flow(&self.flow), peers.asked(self.flow.remote) == Asked::Carrier)
        };
        if let Peer::Trunk(_) = peer {
            self.peer = peer;
            return self.is_told().await;
        }
        !(must_show && self.flow.transport == Transport::Tls)
    }

    /// Whether a stranger may stay: it has said something at first, and registered from then on.
    fn has_proved(&mut self) -> bool {
        let is_young = !std::mem::replace(&mut self.doubted, true);
        self.ground.crowd.is_phone(&self.flow) || (is_young && self.said)
    }
}

/// A while in which nothing is read, and what is to be written is.
async fn rests(write: &mut (impl AsyncWrite + Unpin), queue: &mut Outgoing) -> bool {
    let until = Instant::now() + PHONE_RESTS;
    loop {
        tokio::select! {
            biased;
            Some(answer) = queue.next() => if !written(write, &answer).await { return false },
            () = tokio::time::sleep_until(until) => return true,
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
