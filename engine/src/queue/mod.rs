//! Who takes which call next: everything that waits in one centre, and everyone who may answer.
//!
//! A [`Fact`] goes in with the instant it is true at; [`Step`]s come out. Each fact ends with the
//! match, so the offer a fact allows comes out of the same [`Floor::handle`].
//!
//! Deliberately absent: SIP, audio, clocks, and any scan that time alone would start. A caller is a
//! work item here, and a phone is an agent that can or cannot be rung; so a decision can be replayed
//! against last winter's calls.

mod arrival;
mod fact;
mod step;

mod agent;
mod audience;
mod line;
mod pool;
mod rules;
mod work;

mod address;
mod change;
mod deadline;
mod figures;
mod forecast;
mod invite;
mod offer;
mod overflow;
mod person;
mod policy;
mod shift;

#[cfg(test)]
mod tests;

pub use arrival::{Arrival, Duty, Exit, Others, Owner, WorkKind};
pub use fact::Fact;
pub use figures::Figures;
pub use forecast::Expected;
pub use step::{AgentView, Decision, Overflowing, Place, Standing, Step};

use crate::call::event::{Event, OfferEnd, Trigger};
use crate::dialplan::Dialplan;
use crate::id::{AgentId, CentreId, OfferId, QueueId, Serial, WorkId};
use crate::io::Refusal;
use crate::site::AgentSite;
use crate::time::Instant;
use agent::Agent;
use audience::{AudienceId, Audiences};
use deadline::{Deadlines, Due};
use line::Line;
use offer::{Offer, Phase};
use pool::Pools;
use rules::Rules;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use work::Item;

/// Everything waiting and everyone who may answer, of one centre.
#[derive(Debug)]
pub struct Floor {
    centre: CentreId,
    rules: Rules,
    /// By the index of a [`QueueId`]; its length is that of the rules' queues.
    lines: Vec<Line>,
    /// By the index of an [`AgentId`]; never grows or shrinks.
    agents: Vec<Agent>,
    items: BTreeMap<Serial, Item>,
    offers: BTreeMap<Serial, Offer>,
    next_offer: Serial,
    deadlines: Deadlines,
    /// Who may be asked, list by list.
    pools: Pools,
    /// What waits for whom.
    audiences: Audiences,
    /// Agents by the names of their skills.
    skilled: BTreeMap<String, BTreeSet<usize>>,
    /// Agents a person has sent to some queues and no others.
    posted: BTreeSet<usize>,
    /// Items that are a matter for leads.
    led: BTreeSet<Serial>,
    /// Somebody came, went, or can do something else: leads may be there, or no longer.
    leads_changed: bool,
    /// Languages somebody was asked for.
    languages: BTreeSet<String>,
    /// Signed-in agents by their time with calls.
    occupied: BTreeSet<(Duration, usize)>,
    /// How many agents are free and sound.
    idle: usize,
    /// Audiences for which this fact may have made an offer possible.
    dirty: BTreeSet<AudienceId>,
    /// Audiences whose items must leave free agents to others.
    constrained: BTreeSet<AudienceId>,
    /// Audiences nobody was found for although somebody is free: more urgent items of shared queues
    /// may keep them.
    held_back: BTreeSet<AudienceId>,
    /// Queues whose counts this fact changed.
    counted: BTreeSet<usize>,
    /// How many items and agents decisions have looked at.
    looked: Cell<u64>,
    /// Agents this fact may have changed.
    touched: BTreeSet<usize>,
    /// What kind of fact this is.
    after: Trigger,
    steps: VecDeque<Step>,
}

impl Floor {
    /// A floor with its roster. Always-ready agents are signed in and ready, phones at a fixed
    /// address are reachable; the events that say so wait in [`Floor::poll`].
    pub fn new(
        centre: CentreId,
        epoch: u32,
        plan: Arc<Dialplan>,
        agents: &[AgentSite],
        wrap_up: Duration,
    ) -> Floor {
        Floor::with_rules(centre, epoch, Rules::from(&*plan), agents, wrap_up)
    }

    fn with_rules(
        centre: CentreId,
        epoch: u32,
        rules: Rules,
        agents: &[AgentSite],
        wrap_up: Duration,
    ) -> Floor {
        let agents = (0..).zip(agents);
        let agents = agents.map(|(index, site)| Agent::new(AgentId { centre, index }, site, wrap_up));
        let mut floor = Floor {
            centre,
            rules: Rules::default(),
            lines: Vec::new(),
            agents: agents.collect(),
            items: BTreeMap::new(),
            offers: BTreeMap::new(),
            next_offer: Serial::first_of(epoch),
            deadlines: Deadlines::default(),
            pools: Pools::default(),
            audiences: Audiences::default(),
            skilled: BTreeMap::new(),
            posted: BTreeSet::new(),
            led: BTreeSet::new(),
            leads_changed: false,
            languages: BTreeSet::new(),
            occupied: BTreeSet::new(),
            idle: 0,
            dirty: BTreeSet::new(),
            constrained: BTreeSet::new(),
            held_back: BTreeSet::new(),
            counted: BTreeSet::new(),
            looked: Cell::new(0),
            touched: BTreeSet::new(),
            after: Trigger::Change,
            steps: VecDeque::new(),
        };
        for ix in 0..floor.agents.len() {
            let skills = floor.agents[ix].skills.clone();
            floor.know(ix, &skills);
        }
        floor.follow(Instant::ZERO, rules);
        floor.open();
        floor
    }

    /// Takes one fact, then whatever is due, then distributes what both allow.
    ///
    /// The fact comes first: a phone answered at the last instant is answered.
    pub fn handle(&mut self, now: Instant, fact: Fact) {
        if self.allows(&fact).is_ok() {
            self.apply(now, fact);
        }
        while let Some((at, due)) = self.deadlines.take(now) {
            self.fire(now, at, due);
        }
        if std::mem::take(&mut self.leads_changed) {
            for serial in self.led.clone() {
                self.address(now, serial);
            }
        }
        self.distribute(now);
        // What nobody could be found for goes elsewhere, where somebody may be free at once.
        self.open_gates(now);
        while !self.dirty.is_empty() {
            self.distribute(now);
            self.open_gates(now);
        }
        self.tell();
    }

    /// What follows, in order, until `None`.
    pub fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// When [`Fact::Due`] is wanted if nothing else happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first()
    }

    /// Whether a person's fact (a claim, a rejection, a move ..) would have its effect: ask before
    /// [`Floor::handle`], which ignores what cannot be.
    ///
    /// # Errors
    /// Why it would have none.
    pub fn allows(&self, fact: &Fact) -> Result<(), Refusal> {
        match fact {
            Fact::Enter(arrival) => self.may_enter(arrival.work),
            Fact::Gone { work }
            | Fact::Leave { work, .. }
            | Fact::Keep { work, .. }
            | Fact::Returned { work, .. }
            | Fact::Class { work, .. } => self.place(*work).map(|_| ()).ok_or(Refusal::Unknown),
            Fact::MoveTo { work, queue, .. } => {
                let place = self.place(*work).ok_or(Refusal::Unknown)?;
                self.place_of(*queue).ok_or(Refusal::Unknown)?;
                let taken = place.offer.and_then(|offer| self.offers.get(&offer.serial));
                let taken = taken.is_some_and(|offer| offer.phase == Phase::Taken);
                if taken { Err(Refusal::Busy) } else { Ok(()) }
            }
            Fact::SignIn { agent, .. }
            | Fact::Intent { agent, .. }
            | Fact::Reachable { agent, .. }
            | Fact::PageLine { agent, .. }
            | Fact::PageFit { agent, .. }
            | Fact::Page { agent, .. }
            | Fact::AutoAnswer { agent, .. }
            | Fact::Present { agent }
            | Fact::Assign { agent, .. } => self.agent_at(*agent).map(|_| ()).ok_or(Refusal::Unknown),
            Fact::Answer { agent } => self.may_answer(*agent),
            Fact::Pick { agent, work, lifted, confirmed } => {
                self.may_pick(*agent, *work, *lifted, *confirmed)
            }
            Fact::PickUp { agent, confirmed } => self.may_pick_up(*agent, *confirmed),
            Fact::Resume { agent, arrival, confirmed } => {
                self.may_enter(arrival.work)?;
                self.may_take(*agent, false)?;
                self.may_pass_over(*agent, arrival.class, *confirmed)
            }
            Fact::Overflow { queue, .. } => self.place_of(*queue).map(|_| ()).ok_or(Refusal::Unknown),
            Fact::Skills { agent, skills, .. } => {
                let agent = self.agent_at(*agent).ok_or(Refusal::Unknown)?;
                let known =
                    |skill: &String| self.agents[agent].skills.contains(skill) || self.rules.name(skill);
                if skills.iter().all(known) { Ok(()) } else { Err(Refusal::Invalid) }
            }
            Fact::Beside { agent, .. } => self.may_take(*agent, true),
            Fact::EarFree { agent, call } | Fact::Aside { agent, call } => {
                let agent = self.agent_at(*agent).ok_or(Refusal::Unknown)?;
                if self.agents[agent].ear == Some(*call) { Ok(()) } else { Err(Refusal::Gone) }
            }
            Fact::Alerting { offer }
            | Fact::Taken { offer }
            | Fact::Connected { offer }
            | Fact::Attempted { offer, .. }
            | Fact::Failed { offer, .. } => self.reservation(*offer, None).map(|_| ()),
            Fact::Claim { agent, offer } => self.may_claim(*agent, *offer),
            Fact::Reject { agent, offer } => match self.reservation(*offer, Some(*agent))?.phase {
                Phase::Taken => Err(Refusal::Gone),
                Phase::Sent | Phase::Alerting => Ok(()),
            },
            Fact::Seen { agent, offer } => {
                let theirs = self.offer(*offer).ok_or(Refusal::Gone)?.agent == *agent;
                if theirs { Ok(()) } else { Err(Refusal::Unknown) }
            }
            Fact::Plan(_) | Fact::Due => Ok(()),
        }
    }

    fn may_enter(&self, work: WorkId) -> Result<(), Refusal> {
        let known = self.place(work).is_some() || work.centre != self.centre;
        if known { Err(Refusal::Invalid) } else { Ok(()) }
    }

    /// An offer that is not over. `None` for a phone's late 200: it gets ACK and BYE.
    pub fn offer(&self, id: OfferId) -> Option<Standing> {
        let offer = self.offers.get(&id.serial).filter(|_| id.centre == self.centre)?;
        let agent = &self.agents[offer.agent];
        let by_itself = offer.auto_answer && !agent.by_page;
        Some(Standing { agent: agent.id, work: offer.work, call: offer.call, kind: offer.kind, by_itself })
    }

    /// Whether the person has shown a moment ago, by a key or in a conversation, that they are there.
    pub fn is_present(&self, now: Instant, agent: AgentId) -> bool {
        self.agent_at(agent).is_some_and(|ix| self.agents[ix].is_present(now))
    }

    /// Where an item stands, until it leaves.
    pub fn place(&self, work: WorkId) -> Option<Place> {
        let item = self.items.get(&work.serial).filter(|_| work.centre == self.centre)?;
        Some(Place {
            call: item.call,
            kind: item.kind,
            attempts: item.attempts,
            queue: self.queue_id(item.queue),
            class: item.class,
            fenced: !item.rank.unfenced,
            arrived: item.arrived,
            due: item.rank.due,
            // Whoever has taken it is the only one who rings.
            offer: item.rings.first().copied(),
        })
    }

    /// An agent of the roster.
    pub fn agent(&self, agent: AgentId) -> Option<AgentView<'_>> {
        let agent = &self.agents[self.agent_at(agent)?];
        Some(AgentView {
            position: &agent.position,
            intent: &agent.intent,
            reachable: agent.is_reachable(),
            occupation: agent.occupation(),
            call: agent.call(),
            offer: agent.reserved.map(|(offer, _)| offer),
            rona: agent.rona,
        })
    }

    /// Whether nothing waits, rings or is being connected: no item, no offer.
    pub fn is_idle(&self) -> bool {
        self.items.is_empty() && self.offers.is_empty() && self.audiences.is_empty()
    }

    /// A fact that [`Floor::allows`]: whatever it names is there.
    fn apply(&mut self, now: Instant, fact: Fact) {
        // Every agent of an allowed fact is on the roster: the index is a place in it.
        let at = |agent: AgentId| agent.index as usize;
        self.after = Trigger::Agent;
        match fact {
            Fact::Enter(_)
            | Fact::Gone { .. }
            | Fact::Leave { .. }
            | Fact::Keep { .. }
            | Fact::Class { .. }
            | Fact::MoveTo { .. } => self.move_work(now, fact),
            Fact::SignIn { agent, position, by } => self.sign_in(now, at(agent), position, by),
            Fact::Intent { agent, intent, by } => self.intend(now, at(agent), intent, by),
            Fact::Reachable { agent, reachable, why } => self.reach(now, at(agent), reachable, why),
            Fact::Page { agent, open } => self.change_page(now, at(agent), |page| page.open = open),
            Fact::PageLine { agent, up } => self.change_page(now, at(agent), |page| page.up = up),
            Fact::PageFit { agent, fit } => self.change_page(now, at(agent), |page| page.fit = fit),
            Fact::Answer { agent } => self.answer(now, at(agent)),
            Fact::Pick { agent, work, .. } => self.pick(now, at(agent), work),
            Fact::PickUp { agent, .. } => self.pick_up(now, at(agent)),
            Fact::Resume { agent, mut arrival, .. } => {
                let work = arrival.work;
                arrival.again = true;
                self.move_work(now, Fact::Enter(arrival));
                self.pick(now, at(agent), work);
            }
            Fact::Attempted { offer, again } => self.attempted(now, offer, again),
            Fact::Beside { agent, call } => self.come_beside(now, at(agent), call),
            Fact::Aside { agent, .. } => self.set_aside(now, at(agent)),
            Fact::Skills { agent, skills, by } => self.train(at(agent), skills, by),
            Fact::Seen { agent, offer } => self.seen(at(agent), offer),
            Fact::EarFree { agent, .. } => self.ear_free(now, at(agent)),
            Fact::Alerting { offer } => self.alerting(offer),
            Fact::Taken { offer } => self.taken(now, offer),
            Fact::Connected { offer } => self.connected(now, offer),
            Fact::Claim { agent, offer } => self.claimed(now, at(agent), offer),
            Fact::Failed { offer, end } => {
                self.after = Trigger::Retry;
                self.fail(now, offer, end, false);
            }
            Fact::Reject { offer, .. } => {
                self.after = Trigger::Retry;
                self.fail(now, offer, OfferEnd::Rejected, true);
            }
            Fact::Plan(plan) => {
                self.after = Trigger::Change;
                self.follow(now, Rules::from(&*plan));
            }
            Fact::Overflow { queue, opened } => {
                if let Some(place) = self.place_of(queue) {
                    self.open_overflow(place, opened);
                }
            }
            Fact::Returned { work, queue, rule } => self.returned(now, work.serial, queue, rule),
            Fact::Assign { agent, duty } => self.assign(now, at(agent), duty),
            Fact::AutoAnswer { agent, on } => self.agents[at(agent)].auto_answer = on,
            Fact::Present { agent } => self.is_there(now, at(agent)),
            Fact::Due => {}
        }
    }

    fn fire(&mut self, now: Instant, at: Instant, due: Due) {
        match due {
            Due::Offer(offer) => {
                self.after = Trigger::Retry;
                self.lapsed(now, offer);
            }
            Due::Retry(work) => {
                self.after = Trigger::Retry;
                if let Some(item) = self.items.get_mut(&work) {
                    item.retry_at = None;
                    let next = item.next_retry(now);
                    self.deadlines.put(due, &mut item.retry_at, next);
                    self.dirty.extend(item.audience);
                }
            }
            Due::Unclaimed(work) => {
                self.after = Trigger::Retry;
                if let Some(item) = self.items.get_mut(&work) {
                    (item.unclaimed_at, item.unclaimed) = (None, true);
                    self.dirty.extend(item.audience);
                    self.restand(work);
                }
            }
            Due::Stage(work) => {
                self.after = Trigger::Change;
                if let Some(item) = self.items.get_mut(&work) {
                    item.stage_at = None;
                    self.address(now, work);
                }
            }
            Due::Gate(place, rule) => {
                self.after = Trigger::Change;
                self.gate_due(now, place, rule as usize);
            }
            Due::WrapUp(agent) => {
                self.after = Trigger::Agent;
                self.wrapped_up(at, agent);
            }
            Due::Rest(agent) => {
                self.after = Trigger::Agent;
                self.rest_over(agent);
            }
            Due::Alarm(place) => {
                self.lines[place].alarm_at = None;
                self.watch(now, place);
            }
        }
    }

    /// A live reservation, and of this agent when one is asked for.
    fn reservation(&self, id: OfferId, of: Option<AgentId>) -> Result<&Offer, Refusal> {
        let offer = self.offers.get(&id.serial).filter(|_| id.centre == self.centre).ok_or(Refusal::Gone)?;
        let theirs = of.is_none_or(|agent| self.agent_at(agent) == Some(offer.agent));
        if offer.reserves && theirs { Ok(offer) } else { Err(Refusal::Unknown) }
    }

    fn agent_at(&self, agent: AgentId) -> Option<usize> {
        let place = agent.index as usize;
        (agent.centre == self.centre && place < self.agents.len()).then_some(place)
    }

    fn place_of(&self, queue: QueueId) -> Option<usize> {
        let place = queue.index as usize;
        (queue.centre == self.centre && place < self.lines.len()).then_some(place)
    }

    fn queue_id(&self, place: usize) -> QueueId {
        // Places come from a plan's list, far shorter than 2^32.
        QueueId { centre: self.centre, index: u32::try_from(place).unwrap_or(u32::MAX) }
    }

    fn log(&mut self, event: Event) {
        self.steps.push_back(Step::Event(event));
    }
}
