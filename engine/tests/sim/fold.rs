//! What an entry of the log changes in the room. The invariants have looked at it before.

use super::room::{CallsBack, Handed, Kind, Rings, Room, Talks, Waits};
use engine::call::event::{
    AgentReason, Beside, Entry, Event, Intent, Occupation, OfferEnd, OfferKind, Past, Seat, Unreached, Who,
};
use engine::id::{AgentId, CallId, OfferId, WorkId};
use engine::queue::Floor;
use engine::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long whoever knows the file is asked alone.
const OWNER_ALONE: Duration = Duration::from_secs(10);

/// Who is called by name into a conversation is called alone for as long as it takes.
const CALLED_ALONE: Duration = Duration::from_secs(3_600);

impl Room {
    pub fn fold(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.event {
            Event::Arrived { call, caller, service, .. } => {
                let (caller, service) = (caller.0.clone(), service.clone());
                self.calls.insert(*call, Talks::new(at, caller, service));
            }
            Event::Queued { .. } | Event::Qualified { .. } | Event::Moved { .. } => {
                self.fold_work(at, &entry.event);
            }
            Event::Connected { call, work, agent, waited, .. } => {
                self.leaves(*work);
                self.waited(*call, *waited);
                let person = self.person(*agent);
                (person.ear, person.ear_since) = (Some(*call), at);
                (person.rests, person.failures, person.rejections) = (at, 0, 0);
                self.stage_over(*call);
                self.helps(*call, true);
            }
            Event::Withdrawn { work, call, waited } => {
                let joins = self.waiting.get(work).is_some_and(|waits| waits.kind == Kind::Join);
                self.leaves(*work);
                // Whoever has called by themselves is rung at once when nobody has answered.
                self.callback(*call, |it| it.rests = None);
                if !joins {
                    self.waited(*call, *waited);
                }
            }
            Event::Released { call, .. } => self.frees(*call, at, true),
            Event::HeldAside { call, lost, recall, .. } => {
                if !lost {
                    self.frees(*call, at, false);
                }
                self.helps(*call, !lost);
                if let Some(it) = self.calls.get_mut(call) {
                    it.aside = Some(*recall);
                }
            }
            Event::RecallDue { call, .. } | Event::Resumed { call, .. } => {
                if let Some(it) = self.calls.get_mut(call) {
                    it.aside = None;
                    it.lost.clear();
                    it.helped = true;
                }
            }
            Event::Ended { call, .. } => {
                self.frees(*call, at, true);
                self.calls.remove(call);
            }
            Event::AgentLost { call, agent, .. } => {
                if let Some(it) = self.calls.get_mut(call) {
                    it.lost.insert(agent.index as usize);
                }
            }
            Event::Wanted { .. } | Event::Consulting { .. } | Event::ConsultEnded { .. } => {
                self.fold_asking(&entry.event);
            }
            Event::Joined { .. } | Event::Left { .. } => self.fold_party(at, &entry.event),
            Event::Beside(beside) => self.fold_beside(at, beside),
            Event::Alarm { queue, on } => drop(self.alarms.insert(*queue, *on)),
            Event::Offered { .. } | Event::Alerting { .. } | Event::OfferEnded { .. } => {
                self.fold_offer(at, &entry.event);
            }
            _ => self.fold_agent(at, &entry.event),
        }
    }

    fn helps(&mut self, call: CallId, helped: bool) {
        if let Some(it) = self.calls.get_mut(&call) {
            it.helped = helped;
        }
    }

    fn target(&self, class: &str) -> Duration {
        let found = self.plan.classes.iter().find(|it| it.name == class && !it.fence);
        found.map_or(Duration::ZERO, |class| class.target)
    }

    fn fold_work(&mut self, at: Instant, event: &Event) {
        match event {
            Event::Queued { .. } => self.fold_queued(at, event),
            Event::Qualified { call, work, fenced, due, class, .. } => {
                if let Some(it) = self.calls.get_mut(call) {
                    it.fenced = *fenced;
                }
                if let Some((waits, work)) = work.and_then(|it| Some((self.waiting.get_mut(&it)?, it))) {
                    waits.key = (!*fenced, *due, waits.key.2, work);
                    waits.class.clone_from(class);
                    if *fenced {
                        waits.owner = waits.owner.map(|(owner, _)| (owner, Duration::ZERO));
                    }
                }
            }
            Event::Moved { work, queue, .. } => {
                self.watch_ways_out(at, false);
                if let Some(waits) = self.waiting.get_mut(work) {
                    if waits.kind == Kind::Live {
                        waits.asleep = None;
                    }
                    // A callback that rests is offered when it wakes, there too.
                    let offered = waits.asleep.filter(|until| *until > at).unwrap_or(at);
                    (waits.queue, waits.offered, waits.shown) = (*queue, offered, None);
                    waits.owner = waits.owner.map(|(owner, _)| (owner, Duration::ZERO));
                    waits.beyond.clear();
                    if let Some(it) = self.calls.get_mut(&waits.call) {
                        it.queue = *queue;
                    }
                }
            }
            _ => {}
        }
    }

    fn fold_queued(&mut self, at: Instant, event: &Event) {
        let Event::Queued { work, call, queue, class, fenced, arrived, due, .. } = event else { return };

        let came = *due - if *fenced { Duration::ZERO } else { self.target(class) };
        let came_in = self.calls.get(call).is_some_and(|it| it.callback.is_none());
        let service = self.calls.get(call).map_or("", |it| &it.service);
        let wanted = self.wanted.remove(work);
        let callback = self.calls.get(call).and_then(|it| it.callback).filter(CallsBack::is_open);
        let kind = match (&wanted, callback) {
            (Some(_), _) => Kind::Join,
            (None, Some(_)) => Kind::Callback,
            (None, None) => Kind::Live,
        };
        let asleep = callback.and_then(|it| it.rests);
        let partner = match kind {
            Kind::Join => true,
            Kind::Callback => false,
            Kind::Live => came_in && service.starts_with("partner"),
        };
        let talks = self.calls.get_mut(call);
        let (whom, asked) = wanted.as_ref().map_or((None, false), |it| (it.whom, it.asked));
        let owner = match kind {
            Kind::Join => whom,
            Kind::Live => talks.and_then(|it| it.back_to.take()),
            // Its person may ring by themselves and hang up: it is still for whoever has planned it.
            Kind::Callback => talks.and_then(|it| it.back_to),
        };
        let alone = if whom.is_some() { CALLED_ALONE } else { OWNER_ALONE };
        let owner = owner.map(|owner| (owner, if *fenced { Duration::ZERO } else { alone }));
        let waits = Waits {
            call: *call,
            kind,
            queue: *queue,
            class: class.clone(),
            key: (!*fenced, *due, came, *work),
            arrived: *arrived,
            offered: asleep.unwrap_or(at),
            partner,
            rings: Vec::new(),
            tried: BTreeMap::new(),
            barred: wanted.map(|it| it.there).unwrap_or_default(),
            owner,
            theirs: whom.is_some(),
            asked,
            shown: None,
            beyond: Vec::new(),
            asleep,
        };
        self.waiting.insert(*work, waits);
        self.works.insert(*work, *call);
        self.entered += 1;
        if kind == Kind::Join {
            return;
        }
        self.frees(*call, at, true);
        if let Some(it) = self.calls.get_mut(call) {
            it.queue = *queue;
            (it.waits, it.aside, it.fenced) = (Some(*work), None, *fenced);
        }
    }

    fn fold_offer(&mut self, at: Instant, event: &Event) {
        match event {
            Event::Offered { offer, work, agent, kind, deadline, because, .. } => {
                let willed = matches!(because.agent, AgentReason::Claimed | AgentReason::Picked);
                let rings = Rings { agent: *agent, work: *work, deadline: *deadline, willed, heard: false };
                self.offers.insert(*offer, rings);
                let vital = |it: &&mut Waits| *kind == OfferKind::Shared && !it.key.0;
                if let Some(waits) = self.waiting.get_mut(work).filter(vital) {
                    waits.shown.get_or_insert(at);
                }
                let person = self.person(*agent);
                match kind {
                    OfferKind::Shared => person.invited = Some(*offer),
                    _ if because.agent == AgentReason::Invited => person.summoned = Some(*offer),
                    _ => {
                        person.reserved = Some(*offer);
                        if willed {
                            (person.failures, person.rests) = (0, at);
                        }
                        if let Some(waits) = self.waiting.get_mut(work) {
                            waits.rings.push(*offer);
                        }
                    }
                }
            }
            Event::Alerting { offer, agent } => {
                self.person(*agent).failures = 0;
                if let Some(rings) = self.offers.get_mut(offer) {
                    rings.heard = true;
                }
            }
            Event::OfferEnded { offer, agent, work, end } => {
                if *end == OfferEnd::AnsweredElsewhere {
                    self.answered(*work, agent.index as usize);
                }
                self.offer_ended(at, *offer, agent.index as usize, *work, end);
            }
            _ => {}
        }
    }

    /// Whoever else rings for it has lifted the phone: it goes to nobody else until the step says more.
    fn answered(&mut self, work: WorkId, but: usize) {
        let rings = self.waiting.get(&work).map(|it| &it.rings).into_iter().flatten();
        let agents = rings.filter_map(|offer| self.offers.get(offer)).map(|it| it.agent.index as usize);
        self.taken.extend(agents.filter(|ix| *ix != but));
    }

    fn offer_ended(&mut self, at: Instant, offer: OfferId, ix: usize, work: WorkId, end: &OfferEnd) {
        let heard = self.offers.remove(&offer).is_some_and(|rings| rings.heard);
        let person = &mut self.people[ix];
        person.invited.take_if(|it| *it == offer);
        person.summoned.take_if(|it| *it == offer);
        if person.reserved.take_if(|it| *it == offer).is_none() {
            return;
        }
        let by_itself = !person.page && !heard && person.intent == Intent::Ready;
        let mut spared = None;
        match end {
            OfferEnd::Rejected if !by_itself => {
                person.rejections += 1;
                (person.failures, person.rests) = (0, at);
                if person.rejections > 1 {
                    person.rests = at + Floor::RETRY;
                }
                spared = Some(at + Floor::RETRY);
            }
            OfferEnd::TimedOut => (person.rests, spared) = (at + Floor::RETRY, Some(at)),
            OfferEnd::Unreachable | OfferEnd::PhoneBusy | OfferEnd::LostBeforeBridge | OfferEnd::Rejected => {
                person.failures += 1;
                person.rests = at + Duration::from_secs(1 << (person.failures - 1).min(3));
                let asked = *end == OfferEnd::Rejected;
                spared = Some(if asked { at + Floor::RETRY } else { at });
            }
            OfferEnd::Taken | OfferEnd::AnsweredElsewhere | OfferEnd::CallerGone | OfferEnd::Rescinded => {}
        }
        if let Some(waits) = self.waiting.get_mut(&work) {
            waits.rings.retain(|it| *it != offer);
            if let Some(until) = spared {
                waits.tried.insert(ix, until);
            }
        }
    }

    fn fold_agent(&mut self, at: Instant, event: &Event) {
        match event {
            Event::IntentChanged { agent, intent, .. } => {
                if self.person(*agent).intent == Intent::SignedOut && *intent != Intent::SignedOut {
                    self.begins_shift(at, agent.index as usize);
                }
                let person = self.person(*agent);
                person.intent = intent.clone();
                (person.failures, person.rejections, person.rests) = (0, 0, at);
                person.changed = at;
            }
            Event::SignedIn { agent, .. } if self.person(*agent).intent == Intent::SignedOut => {
                self.begins_shift(at, agent.index as usize);
                self.person(*agent).intent = Intent::Paused(String::new());
            }
            Event::ReachabilityChanged { agent, reachable, .. } => {
                let person = self.person(*agent);
                (person.reachable, person.changed) = (*reachable, at);
                if *reachable {
                    person.failures = 0;
                }
            }
            Event::PageChanged { agent, open, .. } => {
                let person = self.person(*agent);
                if person.open != *open {
                    (person.open, person.changed) = (*open, at);
                }
            }
            Event::Rona { agent, on } => self.person(*agent).rona = *on,
            Event::OccupationChanged { agent, occupation, until, .. } => {
                let person = self.person(*agent);
                if person.told == Occupation::WrapUp {
                    person.idle = at;
                }
                (person.told, person.wrap_until) = (*occupation, *until);
            }
            Event::SkillsChanged { agent, skills, .. } => self.person(*agent).skills.clone_from(skills),
            _ => {}
        }
    }

    fn fold_party(&mut self, at: Instant, event: &Event) {
        match event {
            Event::Joined { call, who: Who::Agent(agent), seat: Seat::Speaks, .. } => {
                let reserved = self.people[agent.index as usize].reserved;
                let asked = self.offered(reserved).is_some_and(|waits| waits.asked);
                if let Some(asks) = self.calls.get_mut(call).and_then(|it| it.asks.as_mut()) {
                    asks.answered |= asked;
                }
                let person = self.person(*agent);
                (person.ear, person.ear_since) = (Some(*call), at);
                (person.rests, person.failures, person.rejections) = (at, 0, 0);
            }
            Event::Left { call, who: Who::Agent(agent), .. } => {
                self.frees_one(agent.index as usize, *call, at, true);
            }
            _ => {}
        }
    }

    fn fold_beside(&mut self, at: Instant, beside: &Beside) {
        match beside {
            Beside::Repeated { call, past: Past::Broken, .. } => {
                if let Some(it) = self.calls.get_mut(call) {
                    it.broken = true;
                }
            }
            Beside::HandedOver { call, by, back, recontact, .. } => {
                self.frees(*call, at, true);
                if let Some(it) = self.calls.get_mut(call) {
                    let every = recontact.since(at);
                    it.back_to = it.came_from.filter(|_| *back);
                    it.handed = Some(Handed { by: by.index as usize, recontact: *recontact, every });
                }
            }
            Beside::RecontactDue { call, .. } => {
                if let Some(handed) = self.calls.get_mut(call).and_then(|it| it.handed.as_mut()) {
                    handed.recontact = at + handed.every;
                }
            }
            Beside::TakenBack { call, .. } => self.stage_over(*call),
            Beside::CallbackOpened { call, of, caller, service, since, owner, .. } => {
                let mut talks = Talks::new(*since, caller.0.clone(), service.clone());
                talks.callback = Some(CallsBack::default());
                talks.broken = of.and_then(|of| self.calls.get(&of)).is_some_and(|it| it.broken);
                talks.back_to = owner.map(|owner| owner.index as usize);
                self.calls.insert(*call, talks);
                self.called_back.extend(of.iter());
            }
            Beside::CallbackRests { call, until } => {
                if let Some(waits) = self.waiting.values_mut().find(|it| it.call == *call) {
                    // Once asked alone for long enough, the owner is not again.
                    waits.owner = waits.owner.map(|(owner, alone)| {
                        (owner, if waits.offered + alone <= at { Duration::ZERO } else { alone })
                    });
                    (waits.asleep, waits.offered) = (Some(*until), *until);
                }
                self.callback(*call, |it| it.rests = Some(*until));
            }
            Beside::Dialled { call, agent, .. } => {
                self.callback(*call, |it| it.dialling = true);
                let rung = self.person(*agent).reserved.and_then(|offer| self.offers.get_mut(&offer));
                if let Some(rings) = rung {
                    rings.deadline = at + Floor::DIAL_WITHIN;
                }
            }
            Beside::Reached { call, .. } => {
                self.callback(*call, |it| it.reached = true);
                if let Some(it) = self.calls.get_mut(call) {
                    it.back_to = None;
                }
            }
            Beside::NotReached { call, agent, how } => self.not_reached(at, *call, *agent, *how),
            Beside::Overflowing { work, to, .. } => {
                self.watch_ways_out(at, false);
                let there = to.strip_prefix("queue:").and_then(|name| self.plan.queue_named(name));
                if let Some((waits, there)) = self.waiting.get_mut(work).zip(there) {
                    waits.beyond.push(there as usize);
                }
            }
            Beside::OverflowSet { queue, open, .. } => {
                let place = queue.index as usize;
                if *open {
                    self.opened.insert(place)
                } else {
                    self.opened.remove(&place)
                };
            }
            _ => {}
        }
    }

    /// Whoever has tried has worked; whose person is on the line by themselves has not.
    fn not_reached(&mut self, at: Instant, call: CallId, agent: AgentId, how: Unreached) {
        self.callback(call, |it| it.dialling = false);
        let to = self.calls.get(&call).map(|it| &it.caller);
        let is_back = self.calls.values().any(|it| it.callback.is_none() && Some(&it.caller) == to);
        let untried = how == Unreached::AgentLost || (how == Unreached::Busy && is_back);
        if !untried {
            self.person(agent).idle = at;
        }
    }

    fn callback(&mut self, call: CallId, change: impl FnOnce(&mut CallsBack)) {
        if let Some(it) = self.calls.get_mut(&call).and_then(|it| it.callback.as_mut()) {
            change(it);
        }
    }

    /// Somebody of the next stage has the caller, or they are back.
    fn stage_over(&mut self, call: CallId) {
        if let Some(it) = self.calls.get_mut(&call)
            && let Some(handed) = it.handed.take()
        {
            it.came_from = Some(handed.by);
        }
    }

    /// Whoever begins a shift stands level with the least occupied.
    fn begins_shift(&mut self, at: Instant, ix: usize) {
        let there = self.people.iter().filter(|person| person.intent != Intent::SignedOut);
        let least = there.map(|person| person.occupied).min().unwrap_or_default();
        (self.people[ix].idle, self.people[ix].occupied) = (at, least);
    }

    fn leaves(&mut self, work: WorkId) {
        if let Some(waits) = self.waiting.remove(&work) {
            self.left += 1;
            if let Some(it) = self.calls.get_mut(&waits.call) {
                it.waits.take_if(|it| *it == work);
            }
        }
    }

    /// Somebody of this number has really waited so long.
    fn waited(&mut self, call: CallId, waited: Duration) {
        if let Some(caller) = self.calls.get(&call).map(|it| it.caller.clone()) {
            let longest = self.waits.entry(caller).or_default();
            *longest = (*longest).max(waited);
        }
    }

    /// The call is out of whoever's ear; they write it up, or it goes on without them.
    pub fn frees(&mut self, call: CallId, at: Instant, over: bool) {
        for ix in 0..self.people.len() {
            self.frees_one(ix, call, at, over);
        }
    }

    fn frees_one(&mut self, ix: usize, call: CallId, at: Instant, over: bool) {
        let person = &mut self.people[ix];
        if person.ear.take_if(|it| *it == call).is_some() {
            person.idle = at;
            let wraps = over && person.intent != Intent::SignedOut;
            let wrap_up = if wraps { person.wrap_up } else { Duration::ZERO };
            person.occupied += at.since(person.ear_since) + wrap_up;
        }
    }
}
