//! What goes over the socket: JSON objects with a `type`. Protocol 1; times are milliseconds.
//!
//! A page says `hello` and gets, per topic, one of `up_to_date`, `replay`, `snapshot`; then deltas
//! whose `pv` is the `v` it stands at. Anything else is a gap: it asks for a `resync`.

mod verb;

pub use verb::{NoSuch, WireVerb};

use super::row::{Millis, OfferRow, Row};
use crate::call::event::OfferEnd;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The protocol's number; `hello` names the one it speaks.
pub const PROTO: u32 = 1;

/// What a page says. A field we do not know is refused, never silently without effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, ts(optional_fields = nullable))]
pub enum ClientMessage {
    /// First of all; again to follow other topics instead.
    Hello {
        /// The protocol it speaks.
        proto: u32,
        /// The topics it wants, each with where it stands.
        #[serde(default)]
        resume: Vec<Resume>,
        /// The tab's own random id, kept over a reload: the audio is still this tab's when its
        /// socket has broken or it was loaded again. Without one, audio is lost with the socket.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tab: Option<String>,
    },
    /// A wish. The same id again is the same wish: it gets the same answer.
    Command {
        /// Chosen by the sender, unique for the sender.
        id: String,
        /// What.
        verb: WireVerb,
    },
    /// The page shows an offer.
    #[serde(rename = "offer.seen")]
    OfferSeen {
        /// Which.
        offer: String,
    },
    /// The page found a gap: it wants a topic from the start.
    Resync {
        /// Which.
        topic: String,
    },
    /// Answers a ping.
    Pong {
        /// The ping's number.
        n: u64,
        /// The page is in the foreground.
        #[serde(default)]
        visible: Option<bool>,
        /// How its audio does: a code.
        #[serde(default)]
        audio: Option<String>,
        /// Where it stands in each topic.
        #[serde(default)]
        seen: Vec<Seen>,
    },
    /// The page of an agent offers its audio; answered by `rtc.answer` or `rtc.failed`. Again from
    /// the same page: a restart of its ICE, or a reload.
    #[serde(rename = "rtc.offer")]
    RtcOffer {
        /// The browser's SDP, candidates included.
        sdp: String,
    },
    /// How the microphone and the speakers of the page that owns the audio do: a condition of
    /// eligibility. Said at every change.
    Audio {
        /// Fit to talk.
        fit: bool,
        /// Why not, a code; empty when fit.
        #[serde(default)]
        why: String,
    },
    /// Somebody has touched a key or the pointer here: the agent is there. Said now and then.
    Present {},
    /// A second page of the same agent takes the audio over: the first is told `taken_over`. Its
    /// `rtc.offer` follows.
    TakeOver {},
}

/// A topic, and where a page stands in it; without epoch and version it stands nowhere yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, ts(optional_fields = nullable))]
pub struct Resume {
    /// Which.
    pub topic: String,
    /// The epoch of what it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// The version of what it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v: Option<u64>,
}

/// Where a page stands in a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Which.
    pub topic: String,
    /// Its version.
    pub v: u64,
}

/// One key's latest row; without a row it is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Change {
    /// Which.
    pub key: String,
    /// Its row.
    pub row: Option<Row>,
}

/// Why a page gets a topic from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It had nothing.
    First,
    /// What it had is of another start of the engine.
    Epoch,
    /// It claims a version that does not exist.
    Ahead,
    /// It was away for too long: what differs is not known any more.
    Behind,
    /// Its buffer ran over.
    Overflow,
    /// It asked.
    Asked,
}

/// What we say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// Answers `hello`, before the topics.
    Welcome {
        /// The protocol spoken.
        proto: u32,
        /// The centre's name.
        centre: String,
        /// This start of the engine.
        epoch: u32,
        /// Who the page is to us.
        viewer: String,
        /// `observer`, `agent` or `supervisor`.
        right: String,
        /// The agent's name, for an agent.
        agent: Option<String>,
        /// The classes of the plan by name, in its order: what `qualify` and `raise` may say.
        classes: Vec<String>,
        /// The centre's directory by name, in its order: whom `consult` may name. Numbers stay with us.
        contacts: Vec<String>,
        /// Where the timeline stands.
        now: Millis,
        /// What the wall clock says: milliseconds since 1970.
        utc: Millis,
    },
    /// Another plan serves: what `welcome` said of its classes is void.
    Plan {
        /// The classes of the plan by name, in its order.
        classes: Vec<String>,
    },
    /// What the page holds is the latest.
    UpToDate {
        /// Which topic.
        topic: String,
        /// Its epoch.
        epoch: u32,
        /// The version it stands at from here on.
        v: u64,
    },
    /// What differs from what the page holds.
    Replay {
        /// Which topic.
        topic: String,
        /// Its epoch.
        epoch: u32,
        /// From this version.
        pv: u64,
        /// To this one.
        v: u64,
        /// The rows that changed.
        changes: Vec<Change>,
    },
    /// Everything; what the page holds of this topic is void.
    Snapshot {
        /// Which topic.
        topic: String,
        /// Its epoch.
        epoch: u32,
        /// Its version.
        v: u64,
        /// Why.
        reason: Reason,
        /// Every row.
        changes: Vec<Change>,
    },
    /// What changed.
    Delta {
        /// Which topic.
        topic: String,
        /// Its epoch.
        epoch: u32,
        /// From this version: the page stands there, or has missed something.
        pv: u64,
        /// To this one.
        v: u64,
        /// The rows that changed.
        changes: Vec<Change>,
    },
    /// An offer for this page's agent; again every second until `offer.seen`.
    Offer {
        /// The how manieth time it is sent.
        nth: u32,
        /// The offer.
        offer: OfferRow,
    },
    /// An offer is over.
    OfferEnded {
        /// Which.
        offer: String,
        /// How.
        end: OfferEnd,
    },
    /// What became of a command of this page.
    Outcome {
        /// The command's id.
        id: String,
        /// The epoch and ..
        epoch: u32,
        /// .. position of the log that contains the effect.
        seq: Option<u64>,
        /// Why there is none: a code.
        refusal: Option<String>,
        /// Who was faster, by name, when it is `taken`.
        by: Option<String>,
    },
    /// Answer with `pong`; two unanswered close the socket.
    Ping {
        /// Its number.
        n: u64,
        /// Where the timeline stands.
        now: Millis,
        /// What the wall clock says: milliseconds since 1970.
        utc: Millis,
    },
    /// Answers `rtc.offer`: the page's audio from here on.
    #[serde(rename = "rtc.answer")]
    RtcAnswer {
        /// Our SDP.
        sdp: String,
    },
    /// The page has no audio: its `rtc.offer` could not be used, or its connection is gone.
    #[serde(rename = "rtc.failed")]
    RtcFailed {
        /// Why, a code: `owned` (another page of this agent has the audio: `take_over` first),
        /// `no_page` (this agent's phone is no page), `too_fast` (wait a second), `refused` (the
        /// SDP could not be used, or the connection was lost: offer again), `unheard` (nothing comes
        /// over the connection that stands: offer again).
        why: String,
    },
    /// Another page of this agent has taken the audio over: release the microphone.
    TakenOver {},
    /// Something the page said could not be used.
    Error {
        /// What is wrong: the page translates it.
        code: String,
        /// What the code speaks of.
        params: BTreeMap<String, String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hello_of_the_design_is_understood() {
        let text = r#"{"type":"hello","proto":1,"resume":[{"topic":"board","epoch":7,"v":811}]}"#;
        let resume = vec![Resume { topic: "board".into(), epoch: Some(7), v: Some(811) }];
        assert_eq!(
            serde_json::from_str::<ClientMessage>(text).expect("reads"),
            ClientMessage::Hello { proto: 1, resume, tab: None }
        );
    }

    #[test]
    fn an_offer_is_seen_by_its_dotted_name() {
        let text = r#"{"type":"offer.seen","offer":"0-o1.4"}"#;
        let seen = ClientMessage::OfferSeen { offer: "0-o1.4".into() };
        assert_eq!(serde_json::from_str::<ClientMessage>(text).expect("reads"), seen);
    }

    #[test]
    fn what_a_page_says_of_its_audio_is_understood() {
        for (text, said) in [
            (r#"{"type":"rtc.offer","sdp":"v=0"}"#, ClientMessage::RtcOffer { sdp: "v=0".into() }),
            (r#"{"type":"audio","fit":true}"#, ClientMessage::Audio { fit: true, why: String::new() }),
            (
                r#"{"type":"audio","fit":false,"why":"muted"}"#,
                ClientMessage::Audio { fit: false, why: "muted".into() },
            ),
            (r#"{"type":"take_over"}"#, ClientMessage::TakeOver {}),
        ] {
            assert_eq!(serde_json::from_str::<ClientMessage>(text).expect(text), said);
        }
        let taken = serde_json::to_string(&ServerMessage::TakenOver {}).expect("plain data");
        assert_eq!(taken, r#"{"type":"taken_over"}"#);
    }

    #[test]
    fn a_field_without_meaning_is_refused_at_every_depth() {
        for text in [
            r#"{"type":"hello","proto":1,"resum":[]}"#,
            r#"{"type":"hello","proto":1,"resume":[{"topic":"board","version":3}]}"#,
            r#"{"type":"command","id":"1","verb":{"type":"ready"},"expect":9}"#,
            r#"{"type":"command","id":"1","verb":{"type":"ready","until":9}}"#,
            r#"{"type":"take_over","from":"tab"}"#,
        ] {
            let error = serde_json::from_str::<ClientMessage>(text).expect_err(text);
            assert!(error.to_string().contains("unknown field"), "{text}: {error}");
        }
    }
}
