//! A command as it stands on the wire: names and ids as text.

use crate::call::event::Seat;
use crate::id::{AgentId, QueueId};
use crate::io::{OpenMajor, Verb, Whom};
use crate::live::cast::Cast;
use crate::live::view::{Right, Viewer};
use serde::{Deserialize, Serialize};
use std::time::Duration;

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
        /// Said after `vital-waits`: this one all the same.
        #[serde(default)]
        #[cfg_attr(test, ts(as = "Option<bool>"))]
        confirmed: bool,
    },
    /// Group pick-up: take the most urgent call that rings at a colleague of a queue one serves.
    PickUp {
        /// Who.
        agent: Option<String>,
        /// Said after `vital-waits`: all the same.
        #[serde(default)]
        #[cfg_attr(test, ts(as = "Option<bool>"))]
        confirmed: bool,
    },
    /// Confirmed-vital calls come without a key, where the queue allows it; said anew by each page.
    AutoAnswer {
        /// Who.
        agent: Option<String>,
        /// Wanted, or not.
        on: bool,
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
    /// Leave the conversation to whoever else is in it.
    Leave {
        /// Who.
        agent: Option<String>,
        /// The call.
        call: String,
    },
    /// Ask somebody; the caller hears the hold sound meanwhile.
    Consult {
        /// Who asks.
        agent: Option<String>,
        /// About which call.
        call: String,
        /// A colleague, by name; or
        colleague: Option<String>,
        /// whoever of this queue's team is free first; or
        queue: Option<String>,
        /// somebody of the centre's directory, by name.
        outside: Option<String>,
    },
    /// Whoever was asked comes to the caller.
    Conference {
        /// Who has asked.
        agent: Option<String>,
        /// The call.
        call: String,
    },
    /// Let go of whoever was asked in.
    Dismiss {
        /// Who has asked.
        agent: Option<String>,
        /// The call.
        call: String,
    },
    /// A supervisor comes into a conversation, or takes part in it in another way.
    Watch {
        /// The supervisor, whose page or phone it is.
        agent: Option<String>,
        /// The call.
        call: String,
        /// `speaks`, `listens` or `whispers`.
        seat: Seat,
    },
    /// A supervisor who is in a conversation answers for it from here on.
    TakeOver {
        /// The supervisor.
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
    /// Give the caller in the ear to the people of another queue.
    HandOver {
        /// Who.
        agent: Option<String>,
        /// The call.
        call: String,
        /// The queue, by name.
        queue: String,
        /// A class of the plan, or P0..P3; by default as it is.
        class: Option<String>,
        /// For whoever answers there.
        note: Option<String>,
    },
    /// Take back a caller who was handed over and waits.
    TakeBack {
        /// Who.
        agent: Option<String>,
        /// The call.
        call: String,
        /// Said after `vital-waits`: this one all the same.
        #[serde(default)]
        #[cfg_attr(test, ts(as = "Option<bool>"))]
        confirmed: bool,
    },
    /// Give the caller in the ear back to the stage they came from.
    ReferBack {
        /// Who.
        agent: Option<String>,
        /// The call.
        call: String,
        /// Why.
        note: Option<String>,
    },
    /// Put a word on a call.
    Tag {
        /// The call.
        call: String,
        /// The word.
        tag: String,
    },
    /// Have the caller of a call called, later.
    PlanCallback {
        /// The call.
        call: String,
        /// In how many milliseconds.
        after: u64,
        /// What it is about.
        note: Option<String>,
    },
    /// End the call in the ear; its caller is called back.
    DropToCallback {
        /// Who.
        agent: Option<String>,
        /// The call.
        call: String,
        /// What it is about.
        note: Option<String>,
    },
    /// Close a callback that is not needed any more.
    DismissCallback {
        /// Which.
        call: String,
        /// Why.
        reason: String,
    },
    /// Open a queue's way out, or close it.
    SetOverflow {
        /// The queue, by name.
        queue: String,
        /// Open from here on, or not.
        open: bool,
    },
    /// Open a major event.
    OpenMajor {
        /// Its name.
        name: String,
        /// Calls with one of these tags belong to it.
        #[serde(default)]
        tags: Vec<String>,
        /// Calls to one of these numbers belong to it.
        #[serde(default)]
        numbers: Vec<String>,
        /// Where its calls wait, by name; by default where they would anyway.
        queue: Option<String>,
        /// Who serves that queue and no other, by name.
        #[serde(default)]
        team: Vec<String>,
        /// Who is kept for everything else, by name.
        #[serde(default)]
        rest: Vec<String>,
    },
    /// Close a major event.
    CloseMajor {
        /// Which.
        event: String,
    },
    /// Say that a call belongs to a major event.
    AddToMajor {
        /// Which.
        event: String,
        /// The call.
        call: String,
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
            WireVerb::Pick { agent, call, confirmed } => {
                Verb::Pick { agent: who(agent)?, call: id("call", call)?, confirmed: *confirmed }
            }
            WireVerb::PickUp { agent, confirmed } => {
                Verb::PickUp { agent: who(agent)?, confirmed: *confirmed }
            }
            WireVerb::AutoAnswer { agent, on } => Verb::AutoAnswer { agent: who(agent)?, on: *on },
            WireVerb::Hold { agent, call } => Verb::Hold { agent: who(agent)?, call: id("call", call)? },
            WireVerb::Vital { agent, call } => Verb::Vital { agent: who(agent)?, call: id("call", call)? },
            WireVerb::Leave { agent, call } => Verb::Leave { agent: who(agent)?, call: id("call", call)? },
            WireVerb::Consult { agent, call, colleague, queue, outside } => {
                let whom = whom([colleague, queue, outside], cast)?;
                Verb::Consult { agent: who(agent)?, call: id("call", call)?, whom }
            }
            WireVerb::Conference { agent, call } => {
                Verb::Conference { agent: who(agent)?, call: id("call", call)? }
            }
            WireVerb::Dismiss { agent, call } => {
                Verb::Dismiss { agent: who(agent)?, call: id("call", call)? }
            }
            WireVerb::Watch { agent, call, seat } => {
                Verb::Watch { agent: who(agent)?, call: id("call", call)?, seat: *seat }
            }
            WireVerb::TakeOver { agent, call } => {
                Verb::TakeOver { agent: who(agent)?, call: id("call", call)? }
            }
            WireVerb::Note { call, text } => Verb::Note { call: id("call", call)?, text: text.clone() },
            WireVerb::Raise { work, class } => Verb::Raise { work: id("item", work)?, class: class.clone() },
            WireVerb::Skills { agent, skills } => {
                let agent =
                    cast.agent_named(agent).ok_or_else(|| NoSuch { what: "agent", name: agent.clone() })?;
                Verb::Skills { agent, skills: skills.clone() }
            }
            WireVerb::Move { work, queue } => {
                Verb::Move { work: id("item", work)?, queue: queue_named(cast, queue)? }
            }
            _ => return self.read_beside(who, cast),
        })
    }

    /// What may be wished for beside talking.
    fn read_beside(
        &self,
        who: impl Fn(&Option<String>) -> Result<AgentId, NoSuch>,
        cast: &Cast,
    ) -> Result<Verb, NoSuch> {
        Ok(match self {
            WireVerb::HandOver { agent, call, queue, class, note } => Verb::HandOver {
                agent: who(agent)?,
                call: id("call", call)?,
                queue: queue_named(cast, queue)?,
                class: class.clone(),
                note: note.clone(),
            },
            WireVerb::TakeBack { agent, call, confirmed } => {
                Verb::TakeBack { agent: who(agent)?, call: id("call", call)?, confirmed: *confirmed }
            }
            WireVerb::ReferBack { agent, call, note } => {
                Verb::ReferBack { agent: who(agent)?, call: id("call", call)?, note: note.clone() }
            }
            WireVerb::Tag { call, tag } => Verb::Tag { call: id("call", call)?, tag: tag.clone() },
            WireVerb::PlanCallback { call, after, note } => Verb::PlanCallback {
                call: id("call", call)?,
                after: Duration::from_millis(*after),
                note: note.clone(),
            },
            WireVerb::DropToCallback { agent, call, note } => {
                Verb::DropToCallback { agent: who(agent)?, call: id("call", call)?, note: note.clone() }
            }
            WireVerb::DismissCallback { call, reason } => {
                Verb::DismissCallback { call: id("call", call)?, reason: reason.clone() }
            }
            WireVerb::SetOverflow { queue, open } => {
                Verb::SetOverflow { queue: queue_named(cast, queue)?, open: *open }
            }
            WireVerb::OpenMajor { name, tags, numbers, queue, team, rest } => {
                let people = |names: &[String]| {
                    names.iter().map(|name| agent_named(cast, name)).collect::<Result<Vec<_>, _>>()
                };
                Verb::OpenMajor(Box::new(OpenMajor {
                    name: name.clone(),
                    tags: tags.clone(),
                    numbers: numbers.clone(),
                    queue: queue.as_ref().map(|queue| queue_named(cast, queue)).transpose()?,
                    team: people(team)?,
                    rest: people(rest)?,
                }))
            }
            WireVerb::CloseMajor { event } => Verb::CloseMajor { event: id("event", event)? },
            WireVerb::AddToMajor { event, call } => {
                Verb::AddToMajor { event: id("event", event)?, call: id("call", call)? }
            }
            // Everything else has been read before.
            _ => return Err(NoSuch { what: "command", name: String::new() }),
        })
    }
}

fn queue_named(cast: &Cast, name: &str) -> Result<QueueId, NoSuch> {
    cast.queue_named(name).ok_or_else(|| NoSuch { what: "queue", name: name.to_owned() })
}

fn agent_named(cast: &Cast, name: &str) -> Result<AgentId, NoSuch> {
    cast.agent_named(name).ok_or_else(|| NoSuch { what: "agent", name: name.to_owned() })
}

/// Reads an id handed back to us.
pub(in crate::live) fn id<T: std::str::FromStr>(what: &'static str, text: &str) -> Result<T, NoSuch> {
    text.parse().map_err(|_| NoSuch { what, name: text.to_owned() })
}

/// Who is asked about a call: one of a colleague, a queue and a contact.
fn whom(names: [&Option<String>; 3], cast: &Cast) -> Result<Whom, NoSuch> {
    let no = |what, name: &str| NoSuch { what, name: name.to_owned() };
    match names.map(Option::as_deref) {
        [Some(name), None, None] => cast.agent_named(name).map(Whom::Agent).ok_or_else(|| no("agent", name)),
        [None, Some(name), None] => cast.queue_named(name).map(Whom::Queue).ok_or_else(|| no("queue", name)),
        [None, None, Some(name)] => Ok(Whom::Outside(name.to_owned())),
        _ => Err(no("one", "to ask")),
    }
}
