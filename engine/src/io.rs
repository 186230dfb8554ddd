//! What goes into the engine and what comes out.

mod verb;

pub use verb::{NOTE_MAX, OpenMajor, Verb, Whom};

use crate::call::event::{Actor, Entry};
use crate::call::record::Record;
use crate::call::snapshot::{CallSnapshot, LeftBehind, MajorSnapshot};
use crate::dialplan::Dialplan;
use crate::id::{AgentId, CallId, CentreId, MajorId};
use crate::media::{MediaCommand, MediaEvent};
use sip::transport::{Flow, FramingError, Peer, Transmit};
use std::sync::Arc;

/// One thing that happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A whole SIP message arrived (a datagram, or one message of a stream).
    Sip {
        /// Over which path.
        flow: Flow,
        /// Who is at its other end.
        peer: Peer,
        /// The bytes as they came.
        bytes: &'a [u8],
    },
    /// A trunk's stream cannot be cut behind this message: it is closed once the answer is written.
    Unframed {
        /// Over which path.
        flow: Flow,
        /// Who is at its other end.
        peer: Peer,
        /// The message's head, as it came.
        head: &'a [u8],
        /// What was wrong with it.
        error: FramingError,
    },
    /// A stream closed, or a datagram could not be delivered (ICMP).
    FlowFailed(Flow),
    /// The media plane reports.
    Media(MediaEvent),
    /// A person, or a program for a person, wants something.
    Command(Command),
    /// An agent's page opened its connection to the live feed, or lost it.
    Page {
        /// Whose.
        agent: AgentId,
        /// Open or not.
        open: bool,
    },
    /// An agent's page offers its audio (SDP); answered by [`Output::PageSdp`].
    PageOffer {
        /// Whose.
        agent: AgentId,
        /// The browser's SDP.
        sdp: String,
    },
    /// Somebody has touched a key or the pointer at an agent's page.
    PagePresent {
        /// Whose.
        agent: AgentId,
    },
    /// An agent's page says how its microphone and speakers do: a condition of eligibility.
    PageAudio {
        /// Whose.
        agent: AgentId,
        /// Fit to talk.
        fit: bool,
        /// Why not, a code.
        why: String,
    },
    /// A centre's plan is replaced; calls in flight keep theirs.
    Plan(CentreId, Arc<Dialplan>),
    /// What a trunk's names stand for; last good answers are kept by whoever asks.
    Resolved {
        /// Its index.
        trunk: u16,
        /// Addresses, best first. None: as before.
        targets: Vec<std::net::SocketAddr>,
    },
    /// What an earlier start left behind: before anything else comes in.
    LeftBehind(Box<LeftBehind>),
    /// Time has passed: whatever is due, is done.
    Due,
}

/// A wish with its author. The same id twice has the effect, and the answer, of once.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Whose centre.
    pub centre: CentreId,
    /// Chosen by the sender, unique for that sender.
    pub id: String,
    /// Who wants it.
    pub actor: Actor,
    /// What.
    pub verb: Verb,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Whose centre.
    pub centre: CentreId,
    /// Its id.
    pub id: String,
    /// Who sent it.
    pub actor: Actor,
    /// Position of the log that contains the effect, or why there is none.
    pub result: Result<u64, Refusal>,
}

/// Why a command had no effect; a code the page translates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such agent, call, offer, queue or item.
    #[error("unknown")]
    Unknown,
    /// The offer is over: answered elsewhere, withdrawn or too late.
    #[error("gone")]
    Gone,
    /// The agent already has a call in the ear or a reservation.
    #[error("busy")]
    Busy,
    /// The actor's role does not allow it.
    #[error("forbidden")]
    Forbidden,
    /// Nobody is signed in under that name.
    #[error("signed-out")]
    SignedOut,
    /// The class, reason or position is not one the plan names.
    #[error("invalid")]
    Invalid,
    /// The agent's page has no connection for audio: nothing could be heard.
    #[error("no-audio")]
    NoAudio,
    /// A confirmed-vital call waits that this agent could take: once more, with a confirmation.
    #[error("vital-waits")]
    VitalWaits,
    /// Nobody would stay with the caller.
    #[error("alone")]
    Alone,
    /// Somebody else has the call.
    #[error("taken")]
    TakenBy(AgentId),
}

/// What the world must do, in order.
#[derive(Debug)]
pub enum Output {
    /// Send a SIP message.
    Transmit(Transmit),
    /// Tell the media plane.
    Media(MediaCommand),
    /// One more entry of a centre's log: for boards, metrics and technical logs.
    Logged(Entry),
    /// What an agent's page must be told about its audio, for that page only.
    PageSdp {
        /// Whose.
        agent: AgentId,
        /// Our SDP; `None`: the offer could not be used.
        answer: Option<String>,
    },
    /// An agent's page must make a fresh connection: nothing comes over the one it has.
    PageUnheard {
        /// Whose.
        agent: AgentId,
    },
    /// A command's outcome, for its sender only.
    Outcome(Outcome),
    /// A call changed: its whole state, for the journal. Never waited for.
    Journal(Box<CallSnapshot>),
    /// A major event changed: its whole state, for the journal.
    JournalMajor(Box<MajorSnapshot>),
    /// A major event is over and its snapshot may be forgotten.
    ForgetMajor(MajorId),
    /// A call is over and its snapshot may be forgotten.
    Forget(CallId),
    /// A call is over: its one record.
    Record(Box<Record>),
    /// Something to count that belongs to no call.
    Counted(Counter),
}

/// Facts that belong to no call. Labels stay few: no number, address or name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// A message could not be read; the rule it broke.
    ParseError(&'static str),
    /// A message was odd and has been repaired; what was odd.
    Repaired(&'static str),
    /// An INVITE of a trunk was refused: a page-level alarm (`edges.md`).
    TrunkRefused(u16),
    /// A phone of ours found no place: 486 beyond its own lines, 503 beyond the share of all phones, 480 for a
    /// feature code that has worked and could not say so.
    PhoneRefused(u16),
    /// A request of somebody else was refused or ignored.
    StrangerRefused(u16),
    /// A request within a carrier's dialog came from a host that is none of the carrier's: for the log
    /// alone, the address is no label.
    UnknownHost(std::net::IpAddr),
    /// A request was retransmitted to us or by us.
    Retransmission,
    /// A command named an effect that is not possible.
    CommandRefused(&'static str),
    /// No media port was free for an agent's leg: the caller waits for one.
    PortsExhausted,
    /// A bug of ours that took the safe branch.
    Never(&'static str),
}
