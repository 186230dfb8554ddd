//! A shift as it goes: what an agent, a phone or a page says, and where that puts the agent.

use super::agent::{Agent, PageFacts, Seat, Told, read};
use super::arrival::Duty;
use super::deadline::Due;
use super::offer::Phase;
use super::pool::{Order, PoolKey, Who};
use super::{Floor, Step};
use crate::call::event::{Actor, Event, Intent, Occupation, OfferEnd};
use crate::id::CallId;
use crate::time::Instant;
use std::time::Duration;

impl Floor {
    /// Since a key or a conversation of the agent, for a call to be put through without a key. Longer
    /// answers calls for an empty chair; shorter is off for whoever reads a file.
    pub const PRESENT_WITHIN: Duration = Duration::from_secs(120);

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
        // Level with the least occupied, so that who comes late is not given every call until then.
        let least = self.occupied.first().map_or(Duration::ZERO, |(occupied, _)| *occupied);
        let agent = &mut self.agents[ix];
        (agent.idle_since, agent.occupied) = (now, least);
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
        agent.rejections = 0;
        if by == Actor::Agent(agent.id) {
            agent.present_at = Some(now);
        }
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
        if self.agents[ix].intent == Intent::SignedOut {
            // Whoever sits there next says anew what they want.
            self.agents[ix].auto_answer = false;
        }
        if self.agents[ix].intent != Intent::Ready {
            self.stop_ringing(now, ix, OfferEnd::Rejected);
        }
        self.settle(ix);
        if self.agents[ix].intent != Intent::Ready {
            self.ask_others(now, ix);
        }
    }

    pub(super) fn reach(&mut self, now: Instant, ix: usize, reachable: bool, why: String) {
        self.leads_changed |= self.agents[ix].phone != reachable;
        self.agents[ix].phone = reachable;
        if reachable {
            self.show_life(ix);
            self.ring_anew(now, ix);
        } else {
            self.stop_ringing(now, ix, OfferEnd::Unreachable);
        }
        self.agents[ix].why = why;
        self.settle(ix);
        if !reachable {
            self.ask_others(now, ix);
        }
    }

    /// A phone that has just come and is being rung without a word from it is rung where it used to
    /// be: that offer is taken back, and the match rings it where it is.
    fn ring_anew(&mut self, now: Instant, ix: usize) {
        let Some((id, _)) = self.agents[ix].reserved.filter(|_| !self.agents[ix].by_page) else { return };
        if self.offers.get(&id.serial).is_some_and(|offer| offer.phase == Phase::Sent && !offer.claimed) {
            self.fail(now, id, OfferEnd::Rescinded, true);
        }
    }

    /// What is known of an agent's page changes; where the page is the phone, so may that.
    pub(super) fn change_page(&mut self, now: Instant, ix: usize, change: impl FnOnce(&mut PageFacts)) {
        let agent = &mut self.agents[ix];
        let was = PageFacts { open: agent.page, up: agent.up, fit: agent.fit };
        let mut is = was;
        change(&mut is);
        (agent.page, agent.up, agent.fit) = (is.open, is.up, is.fit);
        // The next page says anew what its agent wants.
        agent.auto_answer &= is.open;
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
        self.unsummon(ix, OfferEnd::Rescinded);
        self.know(ix, &skills);
        self.enlist_anew(ix);
        self.serve(ix);
        let agent = self.agents[ix].id;
        self.log(Event::SkillsChanged { agent, skills, by });
        self.settle(ix);
    }

    /// Somebody says which queues an agent serves.
    pub(super) fn assign(&mut self, now: Instant, ix: usize, duty: Duty) {
        self.uninvite(ix, OfferEnd::Rescinded);
        self.unsummon(ix, OfferEnd::Rescinded);
        if let Duty::Only(_) = duty {
            self.posted.insert(ix)
        } else {
            self.posted.remove(&ix)
        };
        self.agents[ix].duty = duty;
        self.enlist_anew(ix);
        self.serve(ix);
        // A phone that rings for a queue the agent no longer serves rings there no more, unless the
        // agent has asked for it.
        let rung = self.agents[ix].reserved.and_then(|(offer, _)| self.offers.get(&offer.serial));
        let item = rung.filter(|offer| !offer.claimed).and_then(|offer| self.items.get(&offer.work.serial));
        if item.and_then(|item| item.audience).is_some_and(|id| !self.is_asked(ix, id)) {
            self.stop_ringing(now, ix, OfferEnd::Rescinded);
        }
        for item in self.agents[ix].owned.clone() {
            self.address(now, item);
        }
        self.settle(ix);
    }

    /// Who can answer what, by the skills' names.
    pub(super) fn know(&mut self, ix: usize, skills: &[String]) {
        self.leads_changed = true;
        let agent = &mut self.agents[ix];
        for name in agent.skill_names() {
            if let Some(skilled) = self.skilled.get_mut(name) {
                skilled.remove(&ix);
            }
        }
        self.skilled.retain(|_, skilled| !skilled.is_empty());
        agent.skills = skills.to_vec();
        agent.held = read(skills);
        for name in agent.skill_names() {
            self.skilled.entry(name.clone()).or_default().insert(ix);
        }
    }

    /// Finds the queues an agent serves anew; the agent counts for them from here on.
    pub(super) fn serve(&mut self, ix: usize) {
        let seat = self.agents[ix].seat;
        self.count(ix, (seat, self.agents[ix].staffing, self.agents[ix].signed_in), false);
        let fits = |floor: &Floor, queue: usize, needs: Vec<_>| {
            let (who, order) = (Who::Needs(needs), Order::Idle);
            let key = PoolKey { queue, whatever_duty: false, who, order, pages_apart: false };
            floor.level_in(ix, &key).is_some()
        };
        let (mut own, mut reached) = (Vec::new(), Vec::new());
        for queue in 0..self.lines.len() {
            let rule = &self.lines[queue].rule;
            let relaxed: Vec<_> = rule.relax.iter().map(|relax| relax.add.clone()).collect();
            let owns = fits(self, queue, rule.skills.clone());
            if owns {
                own.push(queue);
            }
            if owns || relaxed.into_iter().any(|needs| fits(self, queue, needs)) {
                reached.push(queue);
            }
        }
        let agent = &mut self.agents[ix];
        (agent.lines, agent.reaches) = (own, reached);
        self.count(ix, (seat, self.agents[ix].staffing, self.agents[ix].signed_in), true);
    }

    /// Adds an agent to the counts of the queues they serve, or takes them out.
    fn count(&mut self, ix: usize, (seat, staffing, signed_in): (Seat, bool, bool), counts: bool) {
        let agent = &self.agents[ix];
        for &place in &agent.lines {
            let line = &mut self.lines[place];
            match (Agent::is_idle(seat), counts) {
                (true, true) => {
                    line.idle.insert(ix);
                }
                (true, false) => {
                    line.idle.remove(&ix);
                }
                (false, _) => {}
            }
            step(&mut line.staff, staffing, counts);
        }
        for &place in &agent.reaches {
            let line = &mut self.lines[place];
            step(&mut line.reachable, staffing, counts);
            step(&mut line.present, signed_in, counts);
            self.counted.insert(place);
        }
        if counts && !agent.lines.is_empty() {
            // Reserves look at these counts, whoever they are of.
            self.dirty.extend(&self.constrained);
        }
    }

    /// The agent is in a call nobody has offered; whatever rings for them goes to somebody else.
    pub(super) fn come_beside(&mut self, now: Instant, ix: usize, call: CallId) {
        self.show_life(ix);
        self.cut_wrap_up(ix);
        self.stop_ringing(now, ix, OfferEnd::Rescinded);
        self.fill_ear(now, ix, call, None);
        self.agents[ix].present_at = Some(now);
        self.settle(ix);
    }

    /// The call has left the ear without being over: no wrap-up, and the agent is free.
    pub(super) fn set_aside(&mut self, now: Instant, ix: usize) {
        self.empty_ear(now, ix, Duration::ZERO);
        self.agents[ix].idle_since = now;
        self.settle(ix);
    }

    /// A call is in the agent's ear, out of this queue.
    pub(super) fn fill_ear(&mut self, now: Instant, ix: usize, call: CallId, of: Option<usize>) {
        let agent = &mut self.agents[ix];
        (agent.ear, agent.ear_since, agent.ear_of) = (Some(call), now, of);
        (agent.rejections, agent.unproved) = (0, false);
    }

    /// What was in the ear is out of it, and kept the agent for so long.
    pub(super) fn empty_ear(&mut self, now: Instant, ix: usize, wrap_up: Duration) {
        let agent = &mut self.agents[ix];
        if agent.ear.take().is_none() {
            return;
        }
        let took = now.since(agent.ear_since) + wrap_up;
        // Who was put through to a caller without a key may not have been there.
        if !std::mem::take(&mut agent.unproved) {
            agent.present_at = Some(now);
        }
        let before = agent.occupied;
        agent.occupied += took;
        if agent.intent != Intent::SignedOut {
            self.occupied.remove(&(before, ix));
            self.occupied.insert((agent.occupied, ix));
        }
        if let Some(place) = agent.ear_of.take() {
            self.lines[place].handling.note(took);
            self.counted.insert(place);
        }
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

    /// The person has touched the page, or a key of the phone. What is offered meanwhile is taken by
    /// somebody.
    pub(super) fn is_there(&mut self, now: Instant, ix: usize) {
        self.show_life(ix);
        let agent = &mut self.agents[ix];
        (agent.present_at, agent.unproved) = (Some(now), false);
        if let Some(offer) = agent.reserved.and_then(|(offer, _)| self.offers.get_mut(&offer.serial)) {
            offer.by_itself = false;
        }
    }

    /// A call is put through without a key. What nobody has pressed proves nobody: the next one wants a
    /// proof of its own.
    pub(super) fn spend_presence(&mut self, ix: usize) {
        self.agents[ix].present_at = None;
    }

    /// A phone that rings is there, or a page that shows something, whoever sits before it.
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
        agent.present_at = None;
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

    /// The agent said no. One who says it again and again, as a phone does that declines by itself, is
    /// asked by deadlines and not once per waiting caller.
    pub(super) fn rejected(&mut self, now: Instant, ix: usize) {
        self.show_life(ix);
        let agent = &mut self.agents[ix];
        agent.rejections = agent.rejections.saturating_add(1);
        if agent.rejections > 1 {
            self.deadlines.put(Due::Rest(ix), &mut agent.rest_until, Some(now + Floor::RETRY));
        }
    }

    pub(super) fn rest_over(&mut self, ix: usize) {
        self.agents[ix].rest_until = None;
        self.settle(ix);
    }

    /// The conversation is over. The one wrap-up timer is the agent's own.
    pub(super) fn ear_free(&mut self, now: Instant, ix: usize) {
        let agent = &mut self.agents[ix];
        let wrap_up =
            (!agent.wrap_up.is_zero() && agent.intent != Intent::SignedOut).then_some(agent.wrap_up);
        self.empty_ear(now, ix, wrap_up.unwrap_or(Duration::ZERO));
        let agent = &mut self.agents[ix];
        agent.idle_since = now;
        self.deadlines.put(Due::WrapUp(ix), &mut agent.wrap_until, wrap_up.map(|wrap_up| now + wrap_up));
        self.settle(ix);
    }

    pub(super) fn wrapped_up(&mut self, at: Instant, ix: usize) {
        let agent = &mut self.agents[ix];
        agent.wrap_until = None;
        agent.idle_since = at;
        self.settle(ix);
    }

    /// Puts an agent where the facts now have it, in every pool.
    pub(super) fn settle(&mut self, ix: usize) {
        self.touched.insert(ix);
        let ringing = self.agents[ix].reserved.and_then(|(offer, _)| self.could_do_without(offer));
        let agent = &self.agents[ix];
        let was = (agent.seat, agent.staffing, agent.signed_in);
        let signed_in = agent.intent != Intent::SignedOut;
        let is = (agent.proper_seat(ringing, self.called_beside(ix)), agent.is_staff(), signed_in);
        if was != is {
            self.count(ix, was, false);
            self.reseat(ix, is.0);
            step(&mut self.idle, Agent::is_idle(was.0), false);
            step(&mut self.idle, Agent::is_idle(is.0), true);
            let agent = &mut self.agents[ix];
            self.leads_changed |= agent.signed_in != is.2;
            (agent.staffing, agent.signed_in) = (is.1, is.2);
            match (was.2, is.2) {
                (false, true) => self.occupied.insert((agent.occupied, ix)),
                (true, false) => self.occupied.remove(&(agent.occupied, ix)),
                _ => false,
            };
            self.count(ix, is, true);
        }
        // How well an item is held depends on the health of whom it rings at.
        let rings_for = self.agents[ix].reserved.and_then(|(offer, _)| self.offers.get(&offer.serial));
        if let Some(work) = rings_for.map(|offer| offer.work.serial) {
            self.restand(work);
        }
        match is.0 {
            // Free, and so asked for what was only an alert before.
            Seat::Free { page: true, .. } => self.end_alert(ix),
            Seat::Busy { .. } => self.uninvite(ix, OfferEnd::Rescinded),
            _ => {
                self.uninvite(ix, OfferEnd::Rescinded);
                self.unsummon(ix, OfferEnd::Rescinded);
            }
        }
    }

    /// Moves an agent in every pool.
    fn reseat(&mut self, ix: usize, seat: Seat) {
        let agent = &mut self.agents[ix];
        let was = std::mem::replace(&mut agent.seat, seat);
        // Who goes makes nothing possible, nor does one who is rung instead of free.
        let gains = !matches!((was, seat), (_, Seat::Away) | (Seat::Free { .. }, Seat::Ringing { .. }));
        for membership in &agent.pools {
            let Some(pool) = self.pools.at_mut(membership.pool) else { continue };
            pool.sit(ix, membership.level, &agent.tongues, was, false);
            pool.sit(ix, membership.level, &agent.tongues, seat, true);
            if gains {
                self.dirty.extend(&pool.audiences);
            }
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

fn step(count: &mut usize, applies: bool, up: bool) {
    match (applies, up) {
        (true, true) => *count += 1,
        (true, false) => *count -= 1,
        (false, _) => {}
    }
}
