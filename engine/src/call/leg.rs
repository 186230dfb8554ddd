//! A party's leg: its signalling, its audio, and how far each is.

use crate::id::LegId;
use crate::media::{MediaPort, Stream};
pub use crate::negotiate::LocalSdp;
use serde::{Deserialize, Serialize};
use sip::endpoint::DialogId;

/// How far a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LegState {
    /// Of a callback: nobody has been rung yet; no signalling and no sockets.
    NotDialled,
    /// Caller: 100 only. Agent: the phone has its INVITE.
    Ringing,
    /// Caller: 183 with audio.
    Early,
    /// Caller: 200 sent, its ACK not yet here.
    Answered,
    /// Both ends have agreed.
    Up,
    /// The signalling is gone while audio may still flow.
    Lost,
}

/// Silence after which a peer is lost (`edges.md`): alone for an agent's phone, together with an
/// unanswered question for callers and for people outside.
pub(crate) const GONE: u16 = 30;

/// Questions left unanswered by a peer from whom no audio is to come, after which it is lost: two minutes
/// and a half with the pauses between. Fewer hang up on people whose line is down for a moment; more keep
/// a place for nobody.
const UNANSWERED_MAX: u8 = 3;

/// One party's leg.
#[derive(Debug)]
pub struct Leg {
    /// Its name, in the media plane too.
    pub id: LegId,
    /// Its signalling: one dialog; while a phone rings, one for each place it registered from.
    pub dialogs: Vec<DialogId>,
    /// How far it is.
    pub state: LegState,
    /// Its sockets; `None`: it is on its agent's page.
    pub port: Option<MediaPort>,
    /// What was agreed for its audio so far.
    pub stream: Stream,
    /// What we last told its peer.
    pub local: LocalSdp,
    /// Whole seconds its peer has not been heard, as last reported; zero while it is heard.
    pub silent: u16,
    /// Its peer has been asked by a re-INVITE where its audio is.
    pub asked: bool,
    /// Questions in a row that its peer has left unanswered.
    pub unanswered: u8,
    /// Its peer has been heard at all.
    pub heard: bool,
}

impl Leg {
    /// A leg over sockets whose peer rings, or is rung.
    pub(crate) fn ringing(
        id: LegId,
        dialogs: Vec<DialogId>,
        port: MediaPort,
        stream: Stream,
        local: LocalSdp,
    ) -> Leg {
        let state = LegState::Ringing;
        Leg {
            id,
            dialogs,
            state,
            port: Some(port),
            stream,
            local,
            silent: 0,
            asked: false,
            unanswered: 0,
            heard: false,
        }
    }

    /// Whether its audio goes over its agent's page.
    pub fn is_on_page(&self) -> bool {
        self.port.is_none()
    }

    /// The leg's dialog once it is one.
    pub fn dialog(&self) -> Option<DialogId> {
        match self.dialogs.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Whether nothing has come of its audio for so long that nobody is there. Where none is to come (a
    /// peer that holds us), its signalling says so alone.
    pub fn is_silent_for_good(&self) -> bool {
        self.silent >= GONE || (!self.stream.receive && self.unanswered >= UNANSWERED_MAX)
    }

    /// True once its peer has been answered or has answered.
    pub fn is_anchored(&self) -> bool {
        matches!(self.state, LegState::Answered | LegState::Up | LegState::Lost)
    }
}
