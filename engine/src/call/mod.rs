//! A call: its parties, each with a leg of its own life, how urgent it is on whose word, and the
//! record its events add up to.

pub mod because;
pub mod course;
pub mod event;
pub mod leg;
pub mod party;
pub mod record;
pub mod snapshot;

use crate::dialplan::HoldMode;
use crate::id::{AgentId, BridgeId, CallId, CentreId, LegId, OfferId, WorkId};
use crate::media::{Program, TOGETHER_MAX};
use crate::signs::Signs;
use crate::time::Instant;
use event::Whom;
use leg::Leg;
use party::{Party, PartyRole, Seat, Who};
use record::Record;
use sip::endpoint::DialogId;
use std::time::Duration;

/// One call that is not over.
#[derive(Debug)]
pub struct Call {
    /// Which.
    pub id: CallId,
    /// Everyone in it; the caller is the first and stays until the end.
    parties: Vec<Party>,
    /// What it is about: work, or a test of the line.
    pub purpose: Purpose,
    /// Its class, by the plan's name: a plan that is replaced meanwhile may number classes anew.
    pub class: String,
    /// That class stands behind the fence.
    pub fenced: bool,
    /// A human said so, not the line it came on.
    pub qualified: bool,
    /// Its queue, by the plan's name.
    pub queue: String,
    /// What its caller hears while waiting.
    pub hold_sound: String,
    /// Waiting of an earlier call that counts for this one's place.
    pub credit: Duration,
    /// Its item, while it waits, rings or is being bridged.
    pub work: Option<WorkId>,
    /// The conversation, from the agent's answer on.
    pub talk: Option<Talk>,
    /// Where everybody of it hears each other, from the first answer to its end.
    pub bridge: Option<BridgeId>,
    /// The agent who has put it on the shared list, while it is there.
    pub aside: Option<AgentId>,
    /// Nobody of ours is left in the conversation who can be heard, and whoever was may come back;
    /// the caller hears comfort audio.
    pub lost: bool,
    /// It is on the shared list because of that.
    pub listed: bool,
    /// Its agent asks somebody while the caller hears the hold sound.
    pub consult: Option<Consult>,
    /// What it wants beside its agent: items of the floor.
    pub joins: Vec<WorkId>,
    /// Those of them by which an agent asks somebody in beside others, and who asks.
    pub asks: Vec<(WorkId, AgentId)>,
    /// The one of them that the vital key has made.
    pub vital_call: Option<WorkId>,
    /// It was handed to somebody outside, by this agent: nobody of ours is in it.
    pub handed: Option<AgentId>,
    /// Whom its agent asks, while they ask.
    pub asked: Option<Whom>,
    /// The phone of its agent that passes it on (REFER) and waits to hear how that goes.
    pub passing: Option<DialogId>,
    /// Who has passed it on, in that phone's own words (RFC 3892).
    pub referred_by: Option<String>,
    /// What its INVITE says beside who calls whom.
    pub signs: Signs,
    /// How its caller is held.
    pub hold: HoldMode,
    /// When an early-media caller is answered at the latest.
    pub answer_by: Option<Instant>,
    /// What it carries beside its conversation.
    pub course: course::Course,
    /// Its record so far.
    pub record: Record,
}

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody needs an answer.
    Help,
    /// `urn:service:test.sos`: the caller hears itself.
    Test,
    /// Somebody is to be called.
    Callback,
}

/// An agent of the conversation asks somebody, out of the caller's hearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consult {
    /// Who asks.
    pub by: AgentId,
    /// The item of the floor by which somebody of ours is asked; `None`: somebody outside is.
    pub work: Option<WorkId>,
    /// The leg of whoever is asked, once answered.
    pub leg: Option<LegId>,
    /// They talk with each other.
    pub answered: bool,
}

/// The conversation of a call, and the agent who answers for it: the first who took it, until that
/// one leaves it to another. Everyone else in it is beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Talk {
    /// Who answers for it.
    pub agent: AgentId,
    /// That agent's leg.
    pub leg: LegId,
    /// The offer that led to it.
    pub offer: OfferId,
    /// Where both hear each other.
    pub bridge: BridgeId,
    /// Bridged and confirmed: until then the caller has not left the queue (I3).
    pub connected: bool,
}

impl Call {
    /// A call with its caller and nobody else yet.
    pub fn new(record: Record, caller: Leg, purpose: Purpose) -> Call {
        Call {
            id: record.call,
            parties: vec![Party::new(PartyRole::Caller, caller)],
            purpose,
            class: String::new(),
            fenced: false,
            qualified: false,
            queue: String::new(),
            hold_sound: String::new(),
            credit: Duration::ZERO,
            work: None,
            talk: None,
            bridge: None,
            aside: None,
            lost: false,
            listed: false,
            consult: None,
            joins: Vec::new(),
            asks: Vec::new(),
            vital_call: None,
            handed: None,
            asked: None,
            passing: None,
            referred_by: None,
            signs: Signs::default(),
            hold: HoldMode::Answered,
            answer_by: None,
            course: course::Course::default(),
            record,
        }
    }

    /// The caller's leg.
    pub fn caller(&self) -> &Leg {
        // The caller is put in by `new` and never taken out.
        &self.parties[0].leg
    }

    /// The caller's leg, to change it.
    pub fn caller_mut(&mut self) -> &mut Leg {
        &mut self.parties[0].leg
    }

    /// Since when its caller wants help: where a callback stood is where whoever was reached stands.
    pub fn came(&self) -> Instant {
        self.course.callback.as_ref().map_or(self.record.arrived_at, |callback| callback.since)
    }

    /// The centre that serves it: its own, or the one that has answered it for its own.
    pub fn served_at(&self) -> CentreId {
        self.course.served.as_ref().map_or(self.id.centre, |served| served.at)
    }

    /// The queue it is of where it is served, by that plan's name.
    pub fn served_in(&self) -> &str {
        self.course.served.as_ref().map_or(&self.queue, |served| &served.queue)
    }

    /// It is of another queue from here on, where it is served.
    pub fn goes_to(&mut self, queue: String) {
        match &mut self.course.served {
            Some(served) => served.queue = queue,
            None => self.queue = queue,
        }
    }

    /// The item by which the people of this centre may have it while it waits.
    pub fn item_for(&self, centre: CentreId) -> Option<WorkId> {
        let guests = || self.course.outlets.iter().filter_map(|outlet| outlet.way.guest());
        self.work.into_iter().chain(guests()).find(|work| work.centre == centre)
    }

    /// Everyone in it, the caller first.
    pub fn parties(&self) -> &[Party] {
        &self.parties
    }

    /// Adds an agent's leg.
    pub fn add(&mut self, party: Party) {
        self.parties.push(party);
    }

    /// A leg by its id.
    pub fn leg(&self, leg: LegId) -> Option<&Leg> {
        self.parties.iter().map(|party| &party.leg).find(|it| it.id == leg)
    }

    /// A leg by its id, to change it.
    pub fn leg_mut(&mut self, leg: LegId) -> Option<&mut Leg> {
        self.parties.iter_mut().map(|party| &mut party.leg).find(|it| it.id == leg)
    }

    /// The other phone that rings, or is up, for an agent whose page is lost.
    pub fn fallback(&self) -> Option<&Party> {
        self.parties.iter().find(|party| matches!(party.role, PartyRole::Fallback { .. }))
    }

    /// The second line of an agent's phone.
    pub fn second_line(&self, agent: AgentId) -> Option<&Party> {
        let theirs = |role: &PartyRole| matches!(role, PartyRole::SecondLine { agent: it } if *it == agent);
        self.parties.iter().find(|party| theirs(&party.role))
    }

    /// A participant's role changes.
    pub fn cast(&mut self, leg: LegId, role: PartyRole) {
        if let Some(party) = self.parties.iter_mut().find(|party| party.leg.id == leg) {
            party.role = role;
        }
    }

    /// A participant by the leg, to change it.
    pub fn party_mut(&mut self, leg: LegId) -> Option<&mut Party> {
        self.parties.iter_mut().find(|party| party.leg.id == leg)
    }

    /// Everyone in the conversation, the caller first.
    pub fn seated(&self) -> impl Iterator<Item = &Party> {
        self.parties.iter().filter(|party| party.seat != Seat::Out)
    }

    /// An agent's leg in the conversation.
    pub fn leg_of_agent(&self, agent: AgentId) -> Option<LegId> {
        self.seated().find(|party| party.agent() == Some(agent)).map(|party| party.leg.id)
    }

    /// A participant by who it is.
    pub fn leg_of_who(&self, who: &Who) -> Option<LegId> {
        self.parties.iter().find(|party| party.who() == *who).map(|party| party.leg.id)
    }

    /// An agent who can be heard and is not this one: who would stay with the caller.
    pub fn other_agent(&self, than: LegId) -> Option<&Party> {
        let mut others = self.seated().filter(|party| party.leg.id != than && party.lost.is_none());
        others.find(|party| party.is_agent_speaking())
    }

    /// Somebody outside who would stay with the caller.
    pub fn outside(&self) -> Option<&Party> {
        self.seated().find(|party| party.is_outside_speaking() && party.lost.is_none())
    }

    /// A participant by the leg.
    pub fn party(&self, leg: LegId) -> Option<&Party> {
        self.parties.iter().find(|party| party.leg.id == leg)
    }

    /// Takes an agent's leg out; the caller's stays.
    pub fn remove(&mut self, leg: LegId) -> Option<Party> {
        let place = self.parties.iter().skip(1).position(|party| party.leg.id == leg)?;
        Some(self.parties.remove(place + 1))
    }

    /// As many take part, or may come in, as the media plane can put together.
    pub fn is_full(&self) -> bool {
        self.parties.len() + self.joins.len() >= TOGETHER_MAX
    }

    /// The agent's leg an offer rings at.
    pub fn leg_of(&self, offer: OfferId) -> Option<LegId> {
        self.parties.iter().find(|party| party.offer() == Some(offer)).map(|party| party.leg.id)
    }

    /// Every leg but the caller's: ringing, answering or in the conversation.
    pub fn other_legs(&self) -> Vec<LegId> {
        self.parties.iter().skip(1).map(|party| party.leg.id).collect()
    }

    /// The conversation, once it is bridged and confirmed.
    pub fn connected(&self) -> Option<Talk> {
        self.talk.filter(|talk| talk.connected)
    }

    /// What the caller hears while waiting once more, its announcements being over.
    pub fn hold_program(sound: &str) -> Program {
        Program::Hold { announce: Vec::new(), hold: sound.to_owned() }
    }
}
