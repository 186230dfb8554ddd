//! The audio of one call leg: speaks every 20 ms, listens all the time.

use super::Clock;
use super::plan::LoadError;
use super::tone::{Ear, FRAME, Speech, Verdict};
use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};
use sip::sdp::{Agreement, Codec, Direction, Format, Sdp, Session};
use sip::time::Instant;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// The payload type of telephone-event in our offers.
const TELEPHONE_EVENT: u8 = 101;

/// Where the peer wants its packets, how they are coded, and by which number.
type Remote = Option<(SocketAddr, Format)>;

/// What a leg has heard until its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Packets said.
    pub(super) said: u64,
    /// Packets that came.
    pub(super) came: u64,
    /// When the first one came.
    pub(super) first: Option<Instant>,
    /// When anything but silence was first understood.
    pub(super) sound: Option<Instant>,
    /// When the other's tone was first understood.
    pub(super) tone: Option<Instant>,
}

/// A leg's audio while it lasts. Dropping it ends the packets.
#[derive(Debug)]
pub(super) struct Leg {
    /// What our SDP says.
    address: SocketAddr,
    session: Session,
    mute: bool,
    remote: watch::Sender<Remote>,
    task: JoinHandle<Heard>,
}

impl Leg {
    /// Binds a port and listens; speaks once the peer's SDP is known. `heard` is told once, when
    /// the other's tone has been understood. A `mute` leg listens only: the classic
    /// one-way fault.
    pub(super) async fn open(
        bind: IpAddr,
        clock: Clock,
        speech: Speech,
        ear: Ear,
        mute: bool,
        heard: mpsc::UnboundedSender<Instant>,
    ) -> Result<Leg, LoadError> {
        let wrong = |source| LoadError::Io { what: "cannot bind a port for audio".to_owned(), source };
        let socket = UdpSocket::bind((bind, 0)).await.map_err(wrong)?;
        let address = socket.local_addr().map_err(wrong)?;
        let source = u32::from(address.port());
        let (remote, told) = watch::channel(None);
        let task = tokio::spawn(converse(socket, source, told, clock, speech, ear, heard));
        Ok(Leg { address, session: Session::new(u64::from(source)), mute, remote, task })
    }

    /// Our offer: A-law, then mu-law, or mu-law only.
    pub(super) fn offer(&mut self, mu_law: bool) -> Vec<u8> {
        let codecs: &[Codec] = if mu_law { &[Codec::Pcmu] } else { &[Codec::Pcma, Codec::Pcmu] };
        let codecs: Vec<Format> = codecs.iter().map(|codec| codec.usual()).collect();
        self.session.offer(self.address, &codecs, Some(TELEPHONE_EVENT), Direction::SendRecv)
    }

    /// Answers the peer's offer and speaks as agreed; without an offer, makes one. `None`: nothing
    /// in the offer is for us.
    pub(super) fn answer(&mut self, offer: Option<&[u8]>) -> Option<Vec<u8>> {
        let Some(offer) = offer else { return Some(self.offer(false)) };
        let offer = Sdp::read(offer).ok()?;
        let (agreed, answer) = self.session.answer(&offer, self.address, Direction::SendRecv).ok()?;
        self.towards(agreed);
        Some(answer)
    }

    /// The peer has answered our offer: speaks as agreed.
    pub(super) fn agreed(&self, answer: &[u8]) {
        if let Ok(agreed) = Sdp::read(answer).and_then(|answer| answer.agreed()) {
            self.towards(agreed);
        }
    }

    fn towards(&self, agreed: Agreement) {
        let remote = agreed.remote.filter(|_| agreed.direction.sends() && !self.mute);
        self.remote.send_replace(remote.map(|to| (to, agreed.format)));
    }

    /// Ends the leg.
    pub(super) async fn close(self) -> Heard {
        drop(self.remote);
        self.task.await.unwrap_or_default()
    }
}

async fn converse(
    socket: UdpSocket,
    source: u32,
    mut told: watch::Receiver<Remote>,
    clock: Clock,
    mut speech: Speech,
    mut ear: Ear,
    heard: mpsc::UnboundedSender<Instant>,
) -> Heard {
    let mut seen = Heard::default();
    let mut wheel = interval(Duration::from_millis(20));
    wheel.set_missed_tick_behavior(MissedTickBehavior::Burst); // a late machine still says 50 a second
    let mut datagram = [0; 2_048];
    loop {
        tokio::select! {
            changed = told.changed() => if changed.is_err() { return seen },
            _ = wheel.tick() => {
                let Some((to, format)) = *told.borrow() else { continue };
                let packet = packet(source, seen.said, format.payload_type, &speech.frame(format.codec));
                // ICMP of a peer that has just closed arrives here; its BYE is on the way.
                let _ = socket.send_to(&packet, to).await;
                seen.said += 1;
            }
            received = socket.recv_from(&mut datagram) => {
                let Ok((length, _)) = received else { continue };
                let Ok(packet) = RtpReader::new(&datagram[..length]) else { continue };
                let named = told.borrow().map(|(_, format)| format);
                let named = named.filter(|format| format.payload_type == packet.payload_type());
                let of_its_own = || Codec::of_payload_type(packet.payload_type());
                let Some(codec) = named.map(|format| format.codec).or_else(of_its_own) else { continue };
                let at = clock().at;
                seen.came += 1;
                seen.first.get_or_insert(at);
                match ear.hear(codec, packet.payload()) {
                    Some(Verdict::Tone) if seen.tone.is_none() => {
                        seen.sound.get_or_insert(at);
                        seen.tone = Some(at);
                        let _ = heard.send(at); // nobody asks any more: the call is over
                    }
                    Some(Verdict::Other) => { seen.sound.get_or_insert(at); }
                    _ => {}
                }
            }
        }
    }
}

/// The `nth` packet of a source (RFC 3550 §5.1).
fn packet(source: u32, nth: u64, payload_type: u8, payload: &[u8; FRAME]) -> Vec<u8> {
    // Sequence and timestamp count modulo 2^16 and 2^32.
    let (sequence, timestamp) = (nth as u16, (nth as u32).wrapping_mul(160));
    RtpPacketBuilder::new()
        .payload_type(payload_type)
        .marked(nth == 0)
        .sequence(Seq::from(sequence))
        .timestamp(timestamp)
        .ssrc(source)
        .payload(payload)
        .build()
        .unwrap_or_default() // fails for payload types above 127 only
}
