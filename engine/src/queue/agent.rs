//! An agent: what the person wants, whether the phone can be rung, and what follows from both.
//!
//! Occupation is derived from the call in the ear, the reservation and the wrap-up deadline. What
//! the log was last told is kept only to tell it no more than changes.

use super::deadline::Due;
use super::work::Rank;
use super::{Floor, Step};
use crate::call::event::{Actor, Event, Intent, Occupation, OfferEnd};
use crate::id::{AgentId, CallId, OfferId};
use crate::site::{AgentSite, Phone};
use crate::time::Instant;
use std::time::Duration;

/// How far an agent's phone is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Nothing against it.
    Sound,
    /// It failed when it was last rung: chosen after the sound ones.
    Doubtful,
    /// It rang out, and the person has shown no life since: chosen for confirmed vital, or when
    /// the queue has nobody else.
    Rona,
}

/// Where the queues' sets have an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    /// In none of them.
    Away,
    /// Could be rung, or invited.
    Free { health: Health, since: Instant, page: bool, invited: bool },
    /// Rings for an item before the fence, by decision of the match.
    Ringing { health: Health, rank: Rank, page: bool },
}

/// What the log says of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    occupation: Occupation,
    call: Option<CallId>,
    until: Option<Instant>,
    reachable: bool,
}

/// One agent.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) id: AgentId,
    usual_position: String,
    pub(super) position: String,
    pub(super) skills: Vec<String>,
    /// Places of the queues it serves.
    pub(super) queues: Vec<usize>,
    always_ready: bool,
    wrap_up: Duration,
    pub(super) intent: Intent,
    phone: bool,
    /// The phone is the page: it can be rung when the page is open, its connection stands and its
    /// microphone and speakers are fit.
    pub(super) by_page: bool,
    page: bool,
    up: bool,
    fit: bool,
    /// Why the phone can, or cannot, be rung.
    why: String,
    pub(super) ear: Option<CallId>,
    /// The one exclusive reservation, and the call it is for.
    pub(super) reserved: Option<(OfferId, CallId)>,
    wrap_until: Option<Instant>,
    /// Since when nothing was heard, for the longest-idle rule. Failed offers and pauses leave it
    /// alone, so nobody gets to the end of the list with two keys.
    idle_since: Instant,
    pub(super) rona: bool,
    /// Consecutive failures of the phone.
    failures: u32,
    rest_until: Option<Instant>,
    /// Counts reservations.
    pub(super) epoch: u64,
    pub(super) invitation: Option<OfferId>,
    pub(super) seat: Seat,
    pub(super) staffing: bool,
    told: Told,
}

/// What is known of an agent's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageFacts {
    /// It follows the feed.
    pub(super) open: bool,
    /// Its connection for audio stands.
    pub(super) up: bool,
    /// Its microphone and speakers are fit.
    pub(super) fit: bool,
}

impl Agent {
    /// An agent of the roster, before anything happened.
    pub(super) fn new(id: AgentId, site: &AgentSite, centre_wrap_up: Duration) -> Agent {
        let fixed = matches!(site.phone, Phone::Static { .. });
        Agent {
            id,
            usual_position: site.position.clone(),
            position: site.position.clone(),
            skills: site.skills.clone(),
            queues: Vec::new(),
            always_ready: site.always_ready,
            wrap_up: site.wrap_up.unwrap_or(centre_wrap_up),
            intent: Intent::SignedOut,
            phone: fixed,
            by_page: matches!(site.phone, Phone::Page),
            page: false,
            up: false,
            fit: false,
            why: String::from(match site.phone {
                Phone::Static { .. } => "fixed-address",
                Phone::Registered { .. } => "not-registered",
                Phone::Page => "no-page",
            }),
            ear: None,
            reserved: None,
            wrap_until: None,
            idle_since: Instant::ZERO,
            rona: false,
            failures: 0,
            rest_until: None,
            epoch: 0,
            invitation: None,
            seat: Seat::Away,
            staffing: false,
            told: Told { occupation: Occupation::Free, call: None, until: None, reachable: false },
        }
    }

    /// What the agent does.
    pub(super) fn occupation(&self) -> Occupation {
        match (self.ear, self.reserved, self.wrap_until) {
            (Some(_), _, _) => Occupation::Talking,
            (None, Some(_), _) => Occupation::Offered,
            (None, None, Some(_)) => Occupation::WrapUp,
            (None, None, None) => Occupation::Free,
        }
    }

    /// With which call.
    pub(super) fn call(&self) -> Option<CallId> {
        self.ear.or(self.reserved.map(|(_, call)| call))
    }

    /// Whether the phone is there, as far as it is known.
    pub(super) fn is_reachable(&self) -> bool {
        self.phone && self.failures == 0
    }

    /// Whether a call could be put into the ear at this moment: always at a desk phone, which says
    /// itself when it is not there.
    pub(super) fn has_line(&self) -> bool {
        !self.by_page || (self.page && self.up)
    }

    /// Why the page cannot be rung, or that it can.
    fn page_code(&self) -> &'static str {
        match (self.page, self.up, self.fit) {
            (false, ..) => "no-page",
            (_, false, _) => "no-audio",
            (.., false) => "audio-unfit",
            (true, true, true) => "page",
        }
    }

    fn health(&self) -> Health {
        match (self.rona, self.failures) {
            (true, _) => Health::Rona,
            (false, 0) => Health::Sound,
            (false, _) => Health::Doubtful,
        }
    }

    /// One of those a queue counts on, busy or not.
    pub(super) fn is_staff(&self) -> bool {
        self.intent == Intent::Ready && self.phone && self.health() == Health::Sound
    }

    /// Where the queues' sets should have the agent; `ringing` is the item of a reservation that
    /// may be taken back.
    pub(super) fn proper_seat(&self, ringing: Option<Rank>) -> Seat {
        let wanted = self.intent == Intent::Ready && self.phone && self.rest_until.is_none();
        let (health, page) = (self.health(), self.page);
        match (self.occupation(), ringing) {
            (Occupation::Free, _) if wanted => {
                Seat::Free { health, since: self.idle_since, page, invited: self.invitation.is_some() }
            }
            (Occupation::Offered, Some(rank)) => Seat::Ringing { health, rank, page },
            _ => Seat::Away,
        }
    }
}

impl Floor {
    /// Retry of a phone that failed, by how often it failed: higher leaves callers waiting for a
    /// phone that is back; lower keeps a caller ringing at a dead one more often.
    fn rest_after(failures: u32) -> Duration {
        Duration::from_secs(1 << failures.saturating_sub(1).min(3))
    }

    /// The opening of the day: whoever is always ready, is.
    pub(super) fn open(&mut self) {
        for ix in 0..self.agents.len() {
            if self.agents[ix].always_ready {
                self.begin_shift(ix, Instant::ZERO, Intent::Ready, Actor::System);
            }
            self.settle(ix);
        }
        self.tell();
    }

    fn begin_shift(&mut self, ix: usize, now: Instant, intent: Intent, by: Actor) {
        let agent = &mut self.agents[ix];
        agent.idle_since = now;
        agent.intent = intent.clone();
        let (id, position) = (agent.id, agent.position.clone());
        self.log(Event::SignedIn { agent: id, position });
        self.log(Event::IntentChanged { agent: id, intent, by });
    }

    pub(super) fn sign_in(&mut self, now: Instant, ix: usize, position: Option<String>, by: Actor) {
        self.show_life(ix);
        let agent = &mut self.agents[ix];
        agent.position = position.unwrap_or_else(|| agent.usual_position.clone());
        match (&agent.intent, agent.always_ready) {
            (Intent::SignedOut, true) => self.begin_shift(ix, now, Intent::Ready, by),
            (Intent::SignedOut, false) => {
                self.begin_shift(ix, now, Intent::Paused(String::from("signed-in")), by);
            }
            _ => {
                let (agent, position) = (agent.id, agent.position.clone());
                self.log(Event::SignedIn { agent, position });
            }
        }
        self.settle(ix);
    }

    pub(super) fn intend(&mut self, now: Instant, ix: usize, intent: Intent, by: Actor) {
        self.show_life(ix);
        let agent = &mut self.agents[ix];
        if intent == Intent::Ready && agent.wrap_until.is_some() {
            self.deadlines.put(Due::WrapUp(ix), &mut agent.wrap_until, None);
            agent.idle_since = now;
        }
        if agent.intent == Intent::SignedOut && intent != Intent::SignedOut {
            self.begin_shift(ix, now, intent, by);
        } else if agent.intent != intent {
            agent.intent = intent.clone();
            let agent = agent.id;
            self.log(Event::IntentChanged { agent, intent, by });
        }
        if self.agents[ix].intent != Intent::Ready {
            self.stop_ringing(now, ix, OfferEnd::Rejected);
        }
        self.settle(ix);
    }

    pub(super) fn reach(&mut self, now: Instant, ix: usize, reachable: bool, why: String) {
        self.agents[ix].phone = reachable;
        if reachable {
            self.show_life(ix);
        } else {
            self.stop_ringing(now, ix, OfferEnd::Unreachable);
        }
        self.agents[ix].why = why;
        self.settle(ix);
    }

    /// What is known of an agent's page changes; where the page is the phone, so may that.
    pub(super) fn change_page(&mut self, now: Instant, ix: usize, change: impl FnOnce(&mut PageFacts)) {
        let agent = &mut self.agents[ix];
        let was = PageFacts { open: agent.page, up: agent.up, fit: agent.fit };
        let mut is = was;
        change(&mut is);
        (agent.page, agent.up, agent.fit) = (is.open, is.up, is.fit);
        if agent.by_page && is != was {
            let (id, code) = (agent.id, agent.page_code());
            let reachable = is == PageFacts { open: true, up: true, fit: true };
            let changed = reachable != agent.phone;
            self.log(Event::PageChanged { agent: id, open: is.open, up: is.up, fit: is.fit });
            if changed {
                return self.reach(now, ix, reachable, String::from(code));
            }
            self.agents[ix].why = String::from(code);
        }
        self.settle(ix);
    }

    /// Somebody changes what an agent can answer.
    pub(super) fn train(&mut self, ix: usize, skills: Vec<String>, by: Actor) {
        self.uninvite(ix, OfferEnd::Rescinded);
        let agent = &mut self.agents[ix];
        let (seat, staffing) = (agent.seat, std::mem::take(&mut agent.staffing));
        agent.seat = Seat::Away;
        for &place in &agent.queues {
            let line = &mut self.lines[place];
            line.reseat(ix, seat, Seat::Away);
            line.staff -= usize::from(staffing); // counted when the agent sat down
            self.dirty.insert(place);
        }
        agent.queues = self.rules.served_by(&skills);
        agent.skills.clone_from(&skills);
        let agent = agent.id;
        self.log(Event::SkillsChanged { agent, skills, by });
        self.settle(ix);
    }

    /// The agent is in a call nobody has offered; whatever rings for them goes to somebody else.
    pub(super) fn come_beside(&mut self, now: Instant, ix: usize, call: CallId) {
        self.show_life(ix);
        self.cut_wrap_up(ix);
        self.stop_ringing(now, ix, OfferEnd::Rescinded);
        self.uninvite(ix, OfferEnd::Rescinded);
        self.agents[ix].ear = Some(call);
        self.settle(ix);
    }

    /// The call has left the ear without being over: no wrap-up, and the agent is free.
    pub(super) fn set_aside(&mut self, now: Instant, ix: usize) {
        let agent = &mut self.agents[ix];
        agent.ear = None;
        agent.idle_since = now;
        self.settle(ix);
    }

    /// The agent goes on to something else before the wrap-up is over.
    pub(super) fn cut_wrap_up(&mut self, ix: usize) {
        let agent = &mut self.agents[ix];
        self.deadlines.put(Due::WrapUp(ix), &mut agent.wrap_until, None);
    }

    /// The person, or the phone, has shown that it is there.
    pub(super) fn show_life(&mut self, ix: usize) {
        let agent = &mut self.agents[ix];
        if agent.failures > 0 {
            agent.failures = 0;
            agent.why = String::from("answers");
        }
        self.deadlines.put(Due::Rest(ix), &mut agent.rest_until, None);
        if std::mem::take(&mut agent.rona) {
            let agent = agent.id;
            self.log(Event::Rona { agent, on: false });
        }
        self.settle(ix);
    }

    /// A phone that rings is there, whoever sits before it.
    pub(super) fn phone_rings(&mut self, ix: usize) {
        let agent = &mut self.agents[ix];
        if agent.failures > 0 {
            agent.failures = 0;
            agent.why = String::from("rings");
        }
        self.settle(ix);
    }

    /// It rang out: left alone until a proof of life, and for a moment even when there is nobody else.
    pub(super) fn rang_out(&mut self, now: Instant, ix: usize) {
        let agent = &mut self.agents[ix];
        self.deadlines.put(Due::Rest(ix), &mut agent.rest_until, Some(now + Floor::RETRY));
        if !std::mem::replace(&mut agent.rona, true) {
            let agent = agent.id;
            self.log(Event::Rona { agent, on: true });
        }
    }

    /// The phone could not be rung, or was lost: tried again later, and later each time.
    pub(super) fn phone_failed(&mut self, now: Instant, ix: usize, why: &str) {
        let agent = &mut self.agents[ix];
        agent.failures = agent.failures.saturating_add(1);
        agent.why = String::from(why);
        let rest = now + Self::rest_after(agent.failures);
        self.deadlines.put(Due::Rest(ix), &mut agent.rest_until, Some(rest));
    }

    pub(super) fn rest_over(&mut self, ix: usize) {
        self.agents[ix].rest_until = None;
        self.settle(ix);
    }

    /// The conversation is over. The one wrap-up timer is the agent's own.
    pub(super) fn ear_free(&mut self, now: Instant, ix: usize) {
        let agent = &mut self.agents[ix];
        agent.ear = None;
        agent.idle_since = now;
        let wrap_up =
            (!agent.wrap_up.is_zero() && agent.intent != Intent::SignedOut).then_some(agent.wrap_up);
        self.deadlines.put(Due::WrapUp(ix), &mut agent.wrap_until, wrap_up.map(|wrap_up| now + wrap_up));
        self.settle(ix);
    }

    pub(super) fn wrapped_up(&mut self, at: Instant, ix: usize) {
        let agent = &mut self.agents[ix];
        agent.wrap_until = None;
        agent.idle_since = at;
        self.settle(ix);
    }

    /// Puts an agent where the facts now have it, in every queue it serves.
    pub(super) fn settle(&mut self, ix: usize) {
        self.touched.insert(ix);
        let ringing = self.agents[ix].reserved.and_then(|(offer, _)| self.may_be_taken_back(offer));
        let agent = &mut self.agents[ix];
        let (seat, staffing) = (agent.proper_seat(ringing), agent.is_staff());
        if (seat, staffing) == (agent.seat, agent.staffing) {
            return;
        }
        for &place in &agent.queues {
            let line = &mut self.lines[place];
            line.reseat(ix, agent.seat, seat);
            line.staff = line.staff + usize::from(staffing) - usize::from(agent.staffing);
            self.dirty.insert(place);
        }
        (agent.seat, agent.staffing) = (seat, staffing);
        if !matches!(seat, Seat::Free { page: true, .. }) {
            self.uninvite(ix, OfferEnd::Rescinded);
        }
    }

    /// Writes to the log what changed about the agents of this step.
    pub(super) fn tell(&mut self) {
        while let Some(ix) = self.touched.pop_first() {
            let agent = &mut self.agents[ix];
            let was = agent.told;
            let until = agent.wrap_until.filter(|_| agent.occupation() == Occupation::WrapUp);
            let (occupation, call, reachable) = (agent.occupation(), agent.call(), agent.is_reachable());
            agent.told = Told { occupation, call, until, reachable };
            let id = agent.id;
            if was.reachable != reachable {
                let why = agent.why.clone();
                self.steps.push_back(Step::Event(Event::ReachabilityChanged { agent: id, reachable, why }));
            }
            if (was.occupation, was.call, was.until) != (occupation, call, until) {
                let changed = Event::OccupationChanged { agent: id, occupation, call, until };
                self.steps.push_back(Step::Event(changed));
            }
        }
    }
}
