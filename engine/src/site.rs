//! What one process is told about the world: its trunks, its centres and their people. Made and
//! checked by the driver's configuration; the engine trusts it.

use crate::id::CentreId;
use serde::{Deserialize, Serialize};
use sip::endpoint::Credentials;
use sip::transport::Transport;
use std::net::SocketAddr;
use std::time::Duration;

/// Everything a process serves.
#[derive(Clone, Debug)]
pub struct Site {
    /// This start's number: higher than every earlier one. Ids and the log carry it.
    pub epoch: u32,
    /// The name in User-Agent, Server and log lines.
    pub product: String,
    /// Host and port of our own Contact and Via for datagrams (advertised, not bound).
    pub contact: SocketAddr,
    /// Listeners that peers of their transport and family are told instead.
    pub listeners: Vec<(Transport, SocketAddr)>,
    /// The realm of digest challenges.
    pub realm: String,
    /// Carriers, in the order of their [`sip::transport::Peer::Trunk`] index.
    pub trunks: Vec<TrunkSite>,
    /// Centres; a [`CentreId`] is a place in this list. Never empty.
    pub centres: Vec<CentreSite>,
    /// The largest number of calls at once; beyond it a new call gets 503 (`edges.md`).
    pub calls_max: usize,
    /// Whether audio with desk phones is enciphered.
    pub phones_srtp: Srtp,
    /// What strangers get who are neither trunk nor phone.
    pub strangers: Strangers,
}

/// What an unknown address gets for anything but OPTIONS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strangers {
    /// Nothing at all.
    Silence,
    /// 403, so that a wrongly configured peer finds out.
    Forbid,
}

/// One carrier.
#[derive(Clone, Debug)]
pub struct TrunkSite {
    /// Its name on boards and in metrics.
    pub name: String,
    /// The addresses its calls come from (port 0: any port of that address).
    pub peers: Vec<SocketAddr>,
    /// How we reach it.
    pub reach: Reach,
}

/// How our own requests reach a carrier.
#[derive(Clone, Debug)]
pub struct Reach {
    /// How they travel.
    pub transport: Transport,
    /// Where they go, best first. What a name stands for comes later, by
    /// [`Input::Resolved`](crate::io::Input::Resolved).
    pub targets: Vec<SocketAddr>,
    /// The host of the Request-URI, From and To; `None`: the target's address.
    pub domain: Option<String>,
    /// How often it is asked whether it lives (OPTIONS); `None`: never.
    pub asked: Option<Duration>,
    /// Whether audio with it is enciphered (RFC 4568).
    pub srtp: Srtp,
    /// Whose word is taken for the numbers of its callers.
    pub identity: Identity,
    /// What its challenges are answered with.
    pub account: Option<Credentials>,
    /// We register there, for so long at a time.
    pub registered: Option<Duration>,
    /// What becomes of a caller of this carrier's whom somebody reached through it has taken over.
    pub transfer: Transfer,
}

impl Default for Reach {
    /// Nowhere: a carrier that only calls us.
    fn default() -> Reach {
        Reach {
            transport: Transport::Udp,
            targets: Vec::new(),
            domain: None,
            asked: None,
            srtp: Srtp::Off,
            identity: Identity::default(),
            account: None,
            registered: None,
            transfer: Transfer::Join,
        }
    }
}

/// Who keeps two lines of one carrier together once nobody of ours is with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transfer {
    /// We do, to the end: what is lost comes back to us.
    #[default]
    Join,
    /// The carrier, when it can: it is asked by REFER, and its channels and ours are free.
    Refer,
}

/// Whose word is taken for a caller's number. Either way it is shown to those who answer, whatever
/// privacy the caller asks for: an emergency centre is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// The network's (P-Asserted-Identity, RFC 3325), and the caller's own where it says nothing.
    #[default]
    Asserted,
    /// The caller's own alone: the other end of this trunk lets anybody assert anything.
    From,
}

/// Whether audio is enciphered with keys in the SDP (RFC 4568).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Srtp {
    /// Never: only plain RTP is agreed to.
    #[default]
    Off,
    /// When the other side can. What we offer is both.
    Offered,
    /// Always: what we offer is enciphered. A plain offer is answered all the same: no caller is
    /// refused for a carrier's configuration.
    Required,
}

/// One centre.
#[derive(Clone, Debug)]
pub struct CentreSite {
    /// Its name in topics, records and on boards.
    pub name: String,
    /// Its checked plan.
    pub plan: std::sync::Arc<crate::dialplan::Dialplan>,
    /// Trunks whose calls it takes; empty: every trunk. Two centres may share a number only when
    /// their trunks differ.
    pub trunks: Vec<u16>,
    /// Its roster; an agent's index is the place in this list.
    pub agents: Vec<AgentSite>,
    /// Whom its agents may ask in from outside.
    pub directory: Vec<ContactSite>,
    /// How long an agent who lets a phone ring out is left alone until a proof of life.
    pub wrap_up: Duration,
}

impl CentreSite {
    /// What each of its people can do, in the roster's order.
    pub fn skills(&self) -> Vec<&[String]> {
        self.agents.iter().map(|agent| &agent.skills[..]).collect()
    }

    /// What of its plan nobody of its roster serves.
    pub fn unstaffed(&self) -> Vec<crate::dialplan::Warning> {
        self.plan.unstaffed(&self.skills())
    }
}

/// Somebody outside whom a conversation may be joined by: fire brigade, police, another SAMU, a
/// crew, an interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactSite {
    /// The name commands, boards and records use: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// What is dialled.
    pub number: String,
    /// The trunks that lead there, by their place in [`Site::trunks`], in the order they are tried.
    pub trunks: Vec<u16>,
}

impl Site {
    /// Our end of a path to `remote`: the listener of its transport and family, else the contact.
    pub fn local(&self, transport: Transport, remote: SocketAddr) -> SocketAddr {
        let fits = |listener: &&(Transport, SocketAddr)| {
            listener.0 == transport && listener.1.is_ipv4() == remote.is_ipv4()
        };
        self.listeners.iter().find(fits).map_or(self.contact, |listener| listener.1)
    }

    /// The centre of an id of ours.
    pub fn centre(&self, id: CentreId) -> Option<&CentreSite> {
        self.centres.get(usize::from(id.0))
    }
}

/// A person of the roster (or, for a desk nobody signs in at, the desk).
#[derive(Clone, Debug)]
pub struct AgentSite {
    /// The name commands and topics use: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// What the person may do today.
    pub role: Role,
    /// Skills, as the dialplan names them (`arm`, `mr-amu` ...).
    pub skills: Vec<String>,
    /// Where the person sits.
    pub position: String,
    /// What they hear and speak with.
    pub phone: Phone,
    /// The phone that rings 3 s after a page was lost in a conversation.
    pub fallback: Option<Phone>,
    /// Ready from the start and again after each call, without anybody pressing a key.
    pub always_ready: bool,
    /// Time after a conversation before the next offer; `None`: the centre's.
    pub wrap_up: Option<Duration>,
}

/// The role of the shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Regulation assistant or any other agent.
    Agent,
    /// Doctor.
    Regulator,
    /// Watches and steers.
    Supervisor,
    /// Configures.
    Administrator,
}

/// A desk phone, or the page itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phone {
    /// At a fixed address: no registration, no password.
    Static {
        /// Request-URI of the INVITE.
        uri: String,
        /// Where it is sent, and where its own requests come from.
        address: SocketAddr,
    },
    /// The browser page the agent has signed in with: audio over its peer connection.
    Page,
    /// Registers with digest; rings at the contacts it gives.
    Registered {
        /// The user part and digest user name.
        user: String,
        /// HA1 of MD5 and of SHA-256 (RFC 8760) over `user:realm:password`, in hexadecimal: the
        /// password itself is not kept.
        ha1_md5: String,
        /// See `ha1_md5`.
        ha1_sha256: String,
    },
}
