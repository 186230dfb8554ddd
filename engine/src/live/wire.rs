//! What goes over the socket: JSON objects with a `type`. Protocol 1; times are milliseconds.
//!
//! A page says `hello` and gets, per topic, one of `up_to_date`, `replay`, `snapshot`; then deltas
//! whose `pv` is the `v` it stands at. Anything else is a gap: it asks for a `resync`.

use super::cast::Cast;
use super::row::{Millis, OfferRow, Row};
use super::view::{Right, Viewer};
use crate::call::event::OfferEnd;
use crate::io::Verb;
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

/// A wish as written: agents and queues by name, the rest by id. `agent` may be left out by an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, ts(optional_fields = nullable))]
pub enum WireVerb {
    /// Start a shift.
    SignIn {
        /// Who.
        agent: Option<String>,
        /// Where; by default the configured position.
        position: Option<String>,
    },
    /// End it.
    SignOut {
        /// Who.
        agent: Option<String>,
    },
    /// Calls, please.
    Ready {
        /// Who.
        agent: Option<String>,
    },
    /// No calls for a while.
    Pause {
        /// Who.
        agent: Option<String>,
        /// Why.
        reason: String,
    },
    /// Take the most urgent item an invitation stands for.
    Claim {
        /// Who.
        agent: Option<String>,
        /// The invitation.
        offer: String,
    },
    /// Refuse an offer.
    Reject {
        /// Who.
        agent: Option<String>,
        /// Which.
        offer: String,
    },
    /// End the conversation in the ear.
    Release {
        /// Who.
        agent: Option<String>,
        /// The call.
        call: String,
        /// As what.
        disposition: Option<String>,
    },
    /// Say how urgent a call is.
    Qualify {
        /// The call.
        call: String,
        /// A class of the plan.
        class: String,
    },
    /// The one key: the most urgent item that can be had at this instant, offered already or not.
    Answer {
        /// Who.
        agent: Option<String>,
    },
    /// Take this waiting or held call, whatever its place.
    Pick {
        /// Who.
        agent: Option<String>,
        /// Which.
        call: String,
    },
    /// Put the call in the ear on the list the room shares.
    Hold {
        /// Who.
        agent: Option<String>,
        /// The call.
        call: String,
    },
    /// The vital key: confirmed vital from here on; the call stays where it is.
    Vital {
        /// Who.
        agent: Option<String>,
        /// The call.
        call: String,
    },
    /// A short note on a call.
    Note {
        /// The call.
        call: String,
        /// At most [`crate::io::NOTE_MAX`] characters.
        text: String,
    },
    /// Put a waiting item into another class.
    Raise {
        /// The item.
        work: String,
        /// A class of the plan.
        class: String,
    },
    /// What an agent can answer from here on.
    Skills {
        /// Who.
        agent: String,
        /// As the plan's queues name them.
        skills: Vec<String>,
    },
    /// Move a waiting item.
    Move {
        /// The item.
        work: String,
        /// Where to, by name.
        queue: String,
    },
}

/// A wish names something that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {what} `{name}`")]
pub struct NoSuch {
    /// What kind of thing.
    pub what: &'static str,
    /// What it was called.
    pub name: String,
}

impl WireVerb {
    /// The wish with its names and ids looked up.
    pub fn read(&self, viewer: &Viewer, cast: &Cast) -> Result<Verb, NoSuch> {
        let who = |name: &Option<String>| match (name, viewer.right) {
            (None, Right::Agent(me)) => Ok(me),
            (None, _) => Err(NoSuch { what: "agent", name: String::new() }),
            (Some(name), _) => {
                cast.agent_named(name).ok_or_else(|| NoSuch { what: "agent", name: name.clone() })
            }
        };
        Ok(match self {
            WireVerb::SignIn { agent, position } => {
                Verb::SignIn { agent: who(agent)?, position: position.clone() }
            }
            WireVerb::SignOut { agent } => Verb::SignOut { agent: who(agent)? },
            WireVerb::Ready { agent } => Verb::Ready { agent: who(agent)? },
            WireVerb::Pause { agent, reason } => Verb::Pause { agent: who(agent)?, reason: reason.clone() },
            WireVerb::Claim { agent, offer } => {
                Verb::Claim { agent: who(agent)?, offer: id("offer", offer)? }
            }
            WireVerb::Reject { agent, offer } => {
                Verb::Reject { agent: who(agent)?, offer: id("offer", offer)? }
            }
            WireVerb::Release { agent, call, disposition } => Verb::Release {
                agent: who(agent)?,
                call: id("call", call)?,
                disposition: disposition.clone(),
            },
            WireVerb::Qualify { call, class } => {
                Verb::Qualify { call: id("call", call)?, class: class.clone() }
            }
            WireVerb::Answer { agent } => Verb::Answer { agent: who(agent)? },
            WireVerb::Pick { agent, call } => Verb::Pick { agent: who(agent)?, call: id("call", call)? },
            WireVerb::Hold { agent, call } => Verb::Hold { agent: who(agent)?, call: id("call", call)? },
            WireVerb::Vital { agent, call } => Verb::Vital { agent: who(agent)?, call: id("call", call)? },
            WireVerb::Note { call, text } => Verb::Note { call: id("call", call)?, text: text.clone() },
            WireVerb::Raise { work, class } => Verb::Raise { work: id("item", work)?, class: class.clone() },
            WireVerb::Skills { agent, skills } => {
                let agent =
                    cast.agent_named(agent).ok_or_else(|| NoSuch { what: "agent", name: agent.clone() })?;
                Verb::Skills { agent, skills: skills.clone() }
            }
            WireVerb::Move { work, queue } => Verb::Move {
                work: id("item", work)?,
                queue: cast
                    .queue_named(queue)
                    .ok_or_else(|| NoSuch { what: "queue", name: queue.clone() })?,
            },
        })
    }
}

/// Reads an id handed back to us.
pub(super) fn id<T: std::str::FromStr>(what: &'static str, text: &str) -> Result<T, NoSuch> {
    text.parse().map_err(|_| NoSuch { what, name: text.to_owned() })
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
        /// Where the timeline stands.
        now: Millis,
        /// What the wall clock says: milliseconds since 1970.
        utc: Millis,
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
        /// SDP could not be used, or the connection was lost: offer again).
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
