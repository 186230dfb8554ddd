//! What the endpoint is told, and what it tells: values only.

use super::Refer;
use super::outside::{ErrandEnd, ErrandId};
use crate::registrar::Account;
use crate::transaction::Timers;
use crate::transport::{Flow, Peer};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// How an endpoint presents itself, and whom it lets register.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name in Server and User-Agent.
    pub product: String,
    /// Host and port of our Via and Contact (advertised, not bound).
    pub contact: SocketAddr,
    /// The realm of our digest challenges.
    pub realm: String,
    /// Who may register.
    pub accounts: Vec<Account>,
    /// T1, T2 and T4 (RFC 3261 §17.1.1.1).
    pub timers: Timers,
    /// Strangers get 403; otherwise nothing at all, so that scanners find nobody.
    pub strangers_forbid: bool,
}

/// One INVITE usage: an incoming INVITE, or an outgoing one with all its forks, up to its end.
/// Given by the endpoint, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DialogId(pub u64);

/// An INVITE that came, and what the called side wants to know of it.
#[derive(Clone)]
pub struct Invite {
    /// Who sent it.
    pub peer: Peer,
    /// Over which path.
    pub flow: Flow,
    /// The Request-URI as it stands.
    pub uri: String,
    /// The From header.
    pub from: Party,
    /// The To header.
    pub to: Party,
    /// P-Asserted-Identity, from trunks only: nobody else is believed (RFC 3325).
    pub identities: Vec<Party>,
    /// The tokens of Privacy, lower case (`id`, `user`, `header` ...).
    pub privacy: Vec<String>,
    /// The Call-ID, for the records.
    pub call_id: String,
    /// Headers of interest, as they stand: Diversion, History-Info, Priority, Resource-Priority,
    /// Call-Info, Geolocation, Geolocation-Routing, Identity, User-to-User, Accept-Contact,
    /// P-Access-Network-Info, User-Agent, Subject, Alert-Info.
    pub headers: Vec<(String, String)>,
    /// The offer; `None`: we make one in the answer.
    pub sdp: Option<Bytes>,
    /// The call of ours whose place this one takes (RFC 3891).
    pub replaces: Option<DialogId>,
    /// Option tags of Require that we lack and have ignored.
    pub requires: Vec<String>,
    /// What was odd and has been repaired.
    pub repairs: Vec<&'static str>,
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invite")
            .field("peer", &self.peer)
            .field("flow", &self.flow)
            .field("requires", &self.requires)
            .field("repairs", &self.repairs)
            .finish_non_exhaustive()
    }
}

/// A person or a service as a header names it. Never for the logs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// The display name, unquoted.
    pub display: Option<String>,
    /// The URI as it stands.
    pub uri: String,
    /// The user part of a sip URI or the number of a tel URI, bare ([`Uri::number`](crate::message::Uri::number)).
    pub number: Option<String>,
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Party(..)")
    }
}

/// Why something ended, in the words of the Reason header (RFC 3326).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `SIP`, `Q.850` ...
    pub protocol: String,
    /// The cause number in that protocol.
    pub cause: Option<u16>,
    /// Words, when the peer gave some.
    pub text: Option<String>,
}

/// What happened, in order. After [`Event::Cancelled`], [`Event::Failed`] and [`Event::Released`],
/// and once [`end`](super::Endpoint::end) or [`refuse`](super::Endpoint::refuse) has been called,
/// the dialog is over: the endpoint clears up by itself and names it no more. After
/// [`Event::Unconfirmed`] and [`Event::Lost`] it stands until its owner ends it: a peer that is
/// heard speaking is there, whatever its signalling does.
#[derive(Clone, Debug)]
pub enum Event {
    /// A call comes in; 100 has been sent.
    Invited {
        /// Its handle.
        dialog: DialogId,
        /// What the INVITE says.
        invite: Box<Invite>,
    },
    /// The caller gave up before an answer; 200 and 487 have been sent.
    Cancelled {
        /// Which.
        dialog: DialogId,
        /// The Reason header of the CANCEL.
        reason: Option<Reason>,
    },
    /// The ACK of our 2xx has come: the dialog stands on both sides.
    Confirmed {
        /// Which.
        dialog: DialogId,
        /// The answer, when our 2xx carried the offer.
        sdp: Option<Bytes>,
    },
    /// 64*T1 without an ACK (RFC 3261 §13.3.1.4). The 2xx is not repeated any more.
    Unconfirmed {
        /// Which.
        dialog: DialogId,
    },
    /// A reliable provisional response of ours has been acknowledged (PRACK).
    Acknowledged {
        /// Which.
        dialog: DialogId,
        /// The answer, when ours carried the offer.
        sdp: Option<Bytes>,
    },
    /// Nothing has been heard of our INVITE for 8*T1, and four copies have gone out over datagrams. It
    /// goes on; an owner with another way need not wait for its end.
    Unheard {
        /// Which.
        dialog: DialogId,
    },
    /// A provisional response other than 100 to our INVITE; a reliable one has been acknowledged.
    Progress {
        /// Which.
        dialog: DialogId,
        /// 101-199.
        code: u16,
        /// Early media's answer.
        sdp: Option<Bytes>,
    },
    /// A 2xx to our INVITE; the ACK has been sent. Happens once, whatever forks answer later.
    Answered {
        /// Which.
        dialog: DialogId,
        /// The answer.
        sdp: Option<Bytes>,
    },
    /// Our INVITE ended without an answer.
    Failed {
        /// Which.
        dialog: DialogId,
        /// The final response, or 408 after a time-out, 503 after a transport failure.
        code: u16,
        /// The Reason header of the response.
        reason: Option<Reason>,
        /// Where a redirection (3xx) sends the call: the first SIP address it names.
        moved: Option<Party>,
    },
    /// The peer changes the session (re-INVITE, UPDATE or PRACK), before our answer, too: answer with
    /// [`accept`](super::Endpoint::accept).
    Reoffered {
        /// Which.
        dialog: DialogId,
        /// The offer; `None`: the peer wants ours.
        sdp: Option<Bytes>,
    },
    /// Our re-INVITE is agreed, or the answer to the offer we made on the peer's wish has come.
    ReofferDone {
        /// Which.
        dialog: DialogId,
        /// The answer.
        sdp: Option<Bytes>,
    },
    /// Our re-INVITE was refused; the session goes on as it was.
    ReofferFailed {
        /// Which.
        dialog: DialogId,
        /// The final response.
        code: u16,
    },
    /// The peer hung up; the BYE has been answered.
    Released {
        /// Which.
        dialog: DialogId,
        /// The Reason header of the BYE.
        reason: Option<Reason>,
    },
    /// The peer does not know the dialog any more, does not answer within it, or has not refreshed
    /// the session in time (`None`). Not a release: nobody hung up.
    Lost {
        /// Which.
        dialog: DialogId,
        /// 481 or 408 when it said so; `None`: silence.
        code: Option<u16>,
    },
    /// A probe was answered: the peer lives.
    Alive {
        /// Which.
        dialog: DialogId,
    },
    /// An INFO within the dialog; 200 has been sent.
    Info {
        /// Which.
        dialog: DialogId,
        /// The Content-Type as it stands, empty without one.
        content_type: String,
        /// The body.
        body: Bytes,
    },
    /// The peer asks us to call somebody, or to join two of its calls (REFER); 202 has been sent. Tell
    /// it how that goes with [`report`](super::Endpoint::report).
    Referred {
        /// Within which call.
        dialog: DialogId,
        /// What it asks for.
        refer: Box<Refer>,
    },
    /// Our REFER was taken (2xx) or refused.
    ReferAnswered {
        /// Which.
        dialog: DialogId,
        /// The final response, or 408 after a time-out, 503 after a transport failure.
        code: u16,
    },
    /// How the call goes that we have asked the peer to make (NOTIFY); from 200 on it is decided.
    ReferProgress {
        /// Which.
        dialog: DialogId,
        /// The status of that call.
        code: u16,
    },
    /// The first contact of a user has registered, or the last one is gone.
    Registered {
        /// Who.
        user: String,
        /// Whether any contact is left.
        reachable: bool,
    },
    /// A request outside any dialog has its answer, or will never have one.
    ErrandDone {
        /// Which.
        errand: ErrandId,
        /// How.
        end: ErrandEnd,
    },
    /// Something to count that belongs to no dialog.
    Counted(Counter),
}

impl Event {
    /// The dialog it is about.
    pub fn dialog(&self) -> Option<DialogId> {
        use Event::{
            Acknowledged, Alive, Answered, Cancelled, Confirmed, Counted, ErrandDone, Failed, Info, Invited,
            Lost, Progress, ReferAnswered, ReferProgress, Referred, Registered, Released, ReofferDone,
            ReofferFailed, Reoffered, Unconfirmed, Unheard,
        };
        match *self {
            Invited { dialog, .. } | Cancelled { dialog, .. } | Confirmed { dialog, .. } => Some(dialog),
            Acknowledged { dialog, .. } => Some(dialog),
            Unheard { dialog } => Some(dialog),
            Unconfirmed { dialog } | Progress { dialog, .. } | Answered { dialog, .. } => Some(dialog),
            Failed { dialog, .. } | Reoffered { dialog, .. } | ReofferDone { dialog, .. } => Some(dialog),
            ReofferFailed { dialog, .. } | Released { dialog, .. } | Lost { dialog, .. } => Some(dialog),
            Referred { dialog, .. } | ReferAnswered { dialog, .. } => Some(dialog),
            ReferProgress { dialog, .. } => Some(dialog),
            Alive { dialog } | Info { dialog, .. } => Some(dialog),
            Registered { .. } | ErrandDone { .. } | Counted(_) => None,
        }
    }
}

/// Facts for the metrics. Labels stay few: no number, address or name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// A message could not be read; the rule it broke.
    ParseError(&'static str),
    /// A message was odd and has been repaired; what was odd.
    Repaired(&'static str),
    /// A trunk's INVITE was refused (`edges.md`: a page-level alarm).
    TrunkRefused(u16),
    /// A request of somebody else was refused (its code) or ignored (0).
    StrangerRefused(u16),
    /// A request bore the tags and the Call-ID of a carrier's dialog and came from a host that is none of
    /// the carrier's, which is for the log alone.
    UnknownHost(IpAddr),
    /// A message was retransmitted to us or by us.
    Retransmission,
}
