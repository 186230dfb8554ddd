//! What people and their apparatus do: callers, agents at phones and pages, and what goes wrong.

use super::house::{DESKS, ENGINE, OTHERS, OUT, TRUNK};
use super::judge::Manner;
use super::plans::Rule;
use super::room::agent_id;
use super::scenario::{Act, EVENING, Ends};
use super::sip::Sip;
use super::world::{Next, World};
use ::sip::transport::{Flow, Peer, Transport};
use engine::call::event::{Beside, Event, OfferKind, Who};
use engine::id::{AgentId, CallId, PageId, WorkId};
use engine::io::{Input, Verb};
use engine::media::MediaEvent;
use engine::sim::Chance;
use std::net::SocketAddr;
use std::time::Duration;

fn millis(chance: &mut Chance, (least, most): (u64, u64)) -> Duration {
    Duration::from_millis(least + chance.roll((most - least) as usize + 1) as u64)
}

impl World {
    /// Whose phone is at this port.
    fn agent_at(&self, port: u16) -> Option<usize> {
        let first = if port >= OTHERS { OTHERS } else { DESKS };
        let ix = usize::from(port.checked_sub(first)?);
        (ix < self.scenario.agents.len()).then_some(ix)
    }

    pub fn happens(&mut self, next: Next) {
        match next {
            Next::Arrives { to_engine: true, at, text } => self.arrives(at, &text),
            Next::Arrives { to_engine: false, at, text } => self.reaches(at, &text),
            Next::Calls(ix) => {
                let todo = self.callers[ix].start();
                let at = self.callers[ix].at;
                self.does(at, todo, |number| Next::CallerWakes(ix, number));
                self.plan_in(self.callers[ix].script.patience, Next::HangsUp(ix));
                self.plan_in(EVENING.saturating_sub(self.at), Next::HangsUp(ix));
            }
            Next::HangsUp(ix) => self.hangs_up(ix, self.at >= EVENING),
            Next::CallerWakes(ix, number) => {
                if !self.callers[ix].dead {
                    let todo = self.callers[ix].woken(number);
                    let at = self.callers[ix].at;
                    self.does(at, todo, |number| Next::CallerWakes(ix, number));
                }
            }
            Next::PhoneWakes(port, number) => {
                self.with_phone(port, |phone| phone.woken(number));
            }
            Next::Lifts(port, id) => self.lifts(port, &id),
            Next::RungOut(port, id) => {
                self.with_phone(port, |phone| phone.refuse(&id, "480 Temporarily Unavailable"));
            }
            Next::Sees(ix, offer) => {
                if self.pages[ix].here && !self.pages[ix].frozen {
                    let _ = self.commands(ix, Verb::OfferSeen { agent: agent_id(ix), offer });
                }
            }
            Next::Presses(ix) => {
                self.pages[ix].pressing = false;
                if self.pages[ix].here && !self.pages[ix].frozen {
                    if self.rejects(ix) {
                        return;
                    }
                    // Called upon, and with nothing else there to take.
                    let called = self.room.people[ix].summoned.is_some();
                    let shown = self.room.people[ix].reserved.or(self.room.people[ix].invited);
                    if called && shown.is_none() { self.comes(ix) } else { self.presses_the_key(ix) }
                }
            }
            Next::Picks(ix, call) => {
                if !self.scenario.agents[ix].page || (self.pages[ix].here && !self.pages[ix].frozen) {
                    self.picks(ix, call);
                }
            }
            Next::Keys(call, leg, key) => self.dials_a_key(call, leg, key),
            Next::PersonLeaves(id) => self.with_phone(OUT, |phone| phone.leaves(&id)),
            Next::Acts(call, ix, act) => self.acts(call, ix, act),
            Next::Over(call, agent, ends) => self.talk_over(call, agent, ends),
            Next::Silent(leg, seconds) => {
                if self.ports.contains_key(&leg) || self.on_page.contains_key(&leg) {
                    self.input(Input::Media(MediaEvent::Silent { leg, seconds }), None, true);
                }
            }
            Next::Comes(ix) => self.sits_down(ix),
            Next::Incident(ix) => {
                let what = self.scenario.incidents[ix].what;
                self.incident(what);
            }
        }
    }

    /// A message reaches the engine.
    fn arrives(&mut self, from: SocketAddr, text: &str) {
        let local = ENGINE.parse().expect("an address");
        let flow = Flow { transport: Transport::Udp, local, remote: from, connection: 0 };
        let peer = match from.port() {
            TRUNK => Peer::Trunk(0),
            OUT => Peer::Trunk(1),
            _ => Peer::Phone,
        };
        let by = self.agent_at(from.port()).filter(|_| from.port() != TRUNK);
        self.input(Input::Sip { flow, peer, bytes: text.as_bytes() }, by, false);
    }

    /// A message of ours reaches a peer.
    fn reaches(&mut self, at: SocketAddr, text: &str) {
        let sip = Sip::read(text.as_bytes());
        if at.port() == TRUNK {
            let Some(ix) = self.callers.iter().position(|it| it.id == sip.call_id()) else { return };
            if !self.callers[ix].dead {
                let todo = self.callers[ix].hears(&sip);
                self.does(at, todo, |number| Next::CallerWakes(ix, number));
            }
            return;
        }
        let port = at.port();
        let before = self.phones.get(&port).map_or(0, |phone| phone.rung);
        self.with_phone(port, |phone| phone.hears(&sip));
        let Some(phone) = self.phones.get(&port) else { return };
        if port == OUT && phone.rung > before {
            let rung = phone.rung;
            return self.rings_at_home(sip.call_id().to_owned(), rung);
        }
        let Some(id) = phone.ringing().filter(|_| phone.rung > before) else { return };
        let Some(ix) = self.agent_at(port) else { return };
        let script = self.scenario.agents[ix].clone();
        let mut chance = self.chance.fork(1 + u64::from(port)).fork(phone.rung);
        let after = millis(&mut chance, script.reaction);
        if !chance.happens(script.absent) {
            self.plan_in(after, Next::Lifts(port, id.clone()));
        }
        self.plan_in(Duration::from_secs(60), Next::RungOut(port, id));
    }

    fn with_phone(
        &mut self,
        port: u16,
        act: impl FnOnce(&mut super::phone::Phone) -> Vec<super::caller::Do>,
    ) {
        let Some(phone) = self.phones.get_mut(&port).filter(|phone| !phone.unplugged) else { return };
        let (todo, at) = (act(phone), phone.at);
        self.does(at, todo, |number| Next::PhoneWakes(port, number));
    }

    /// The telephone of somebody who is called back: answered mostly, and left after a while.
    fn rings_at_home(&mut self, id: String, rung: u64) {
        let mut chance = self.chance.fork(13).fork(rung);
        let after = millis(&mut chance, (1_000, 12_000));
        match chance.roll(6) {
            // Where no word of it ever came back nobody may end it but its own carrier (RFC 3261 §16.6, timer C).
            0 => self.plan_in(Duration::from_secs(180), Next::RungOut(OUT, id)),
            1 => self.plan_in(after, Next::RungOut(OUT, id)),
            _ => {
                self.plan_in(after, Next::Lifts(OUT, id.clone()));
                self.plan_in(after + millis(&mut chance, (2_000, 40_000)), Next::PersonLeaves(id));
            }
        }
    }

    fn lifts(&mut self, port: u16, id: &str) {
        if port == OUT {
            return self.with_phone(port, |phone| phone.answer(id));
        }
        let Some(ix) = self.agent_at(port) else { return };
        let rung = self.phones.get(&port).map_or(0, |phone| phone.rung);
        let mut chance = self.chance.fork(2 + u64::from(port)).fork(rung);
        let refuses = chance.happens(self.scenario.agents[ix].rejects);
        let status = ["486 Busy Here", "603 Decline", "480 Away"][chance.roll(3)];
        self.with_phone(port, |phone| if refuses { phone.refuse(id, status) } else { phone.answer(id) });
    }

    fn hangs_up(&mut self, ix: usize, whatever: bool) {
        let call = self.call_of.get(&ix);
        let talks = call.is_some_and(|call| self.room.people.iter().any(|it| it.ear == Some(*call)));
        if talks && !whatever {
            return;
        }
        let (todo, at) = (self.callers[ix].hangs_up(), self.callers[ix].at);
        self.does(at, todo, |number| Next::CallerWakes(ix, number));
    }

    fn talk_over(&mut self, call: CallId, agent: AgentId, ends: Ends) {
        let ix = agent.index as usize;
        if self.room.people[ix].ear != Some(call) {
            return;
        }
        let caller = self.call_of.iter().find(|(_, it)| **it == call).map(|(ix, _)| *ix);
        match (ends, caller) {
            (Ends::Caller, Some(caller)) => self.hangs_up(caller, true),
            (Ends::Dies, Some(caller)) => {
                self.callers[caller].dead = true;
                self.goes_silent(call, 0);
            }
            _ if self.scenario.agents[ix].page && self.pages[ix].here => {
                let _ = self.commands(ix, Verb::Release { agent, call, disposition: None });
            }
            _ => {
                let first = if self.scenario.agents[ix].page { OTHERS } else { DESKS };
                let port = first + u16::try_from(ix).expect("few");
                self.with_phone(port, super::phone::Phone::hang_up);
            }
        }
    }

    /// The audio of a call's nth leg ends without a word.
    fn goes_silent(&mut self, call: CallId, nth: usize) {
        let Some(leg) = self.snapshots.get(&call).and_then(|it| it.legs.get(nth)).map(|it| it.leg) else {
            return;
        };
        for seconds in [1, 5, 30] {
            self.plan_in(Duration::from_secs(u64::from(seconds)), Next::Silent(leg, seconds));
        }
    }

    /// An agent sits down.
    pub fn sits_down(&mut self, ix: usize) {
        let agent = agent_id(ix);
        if self.scenario.agents[ix].page {
            self.pages[ix].here = true;
            self.pages[ix].frozen = false;
            self.input(Input::Page { agent, open: true }, Some(ix), false);
            self.input(Input::PageOffer { agent, sdp: "v=0".to_owned() }, Some(ix), false);
            self.input(Input::PageAudio { agent, fit: true, why: String::new() }, Some(ix), false);
        }
        let _ = self.commands(ix, Verb::Ready { agent });
    }

    /// The plane has been told of an agent's page.
    pub fn paged(&mut self, page: PageId) {
        let known = self.pages.iter().any(|it| it.id == Some(page));
        if let Some(fresh) = self.pages.iter_mut().find(|it| it.here && it.id.is_none() && !known) {
            fresh.id = Some(page);
        }
    }

    /// A cable, or a browser.
    pub fn dies(&mut self, ix: usize) {
        let agent = agent_id(ix);
        if !self.scenario.agents[ix].page {
            let port = DESKS + u16::try_from(ix).expect("few");
            if let Some(phone) = self.phones.get_mut(&port) {
                phone.unplug();
            }
            if let Some(call) = self.room.people[ix].ear {
                self.goes_silent(call, 1);
            }
            return;
        }
        if std::mem::take(&mut self.pages[ix].here) {
            self.input(Input::Page { agent, open: false }, Some(ix), false);
            if let Some(page) = self.pages[ix].id {
                let why = String::from("consent");
                self.input(Input::Media(MediaEvent::PageDown { page, why }), Some(ix), false);
            }
        }
    }

    /// What people do when they see or hear of it.
    pub fn reacts(&mut self, event: &Event) {
        match event {
            Event::Arrived { call, sip_call_id, .. } => {
                if let Some(ix) = self.callers.iter().position(|it| it.id == sip_call_id.0) {
                    self.call_of.insert(ix, *call);
                }
                self.arrivals += 1;
            }
            Event::Offered { offer, agent, kind, .. } if self.scenario.agents[agent.index as usize].page => {
                let ix = agent.index as usize;
                self.offered[ix] += 1;
                let mut chance = self.chance.fork(100 + ix as u64).fork(self.offered[ix]);
                let script = &self.scenario.agents[ix];
                let (after, there) = (millis(&mut chance, script.reaction), !chance.happens(script.absent));
                if *kind == OfferKind::Exclusive {
                    self.plan_in(millis(&mut chance, (50, 400)), Next::Sees(ix, *offer));
                }
                if there && !std::mem::replace(&mut self.pages[ix].pressing, true) {
                    self.plan_in(after, Next::Presses(ix));
                }
            }
            Event::Queued { call, work, again, .. } => {
                self.reads_the_list(*call, *work);
                if !again {
                    self.hears_the_menu(*call);
                }
            }
            Event::Beside(Beside::CallbackOpened { .. }) => self.arrivals += 1,
            Event::Beside(Beside::Reached { call, agent }) => {
                self.plan_in(Duration::from_secs(25), Next::Over(*call, *agent, Ends::Agent));
            }
            Event::RecallDue { call, agent } => {
                self.plan_in(Duration::from_secs(2), Next::Picks(agent.index as usize, *call));
            }
            Event::Connected { call, agent, .. } => {
                let caller = self.call_of.iter().find(|(_, it)| *it == call).map(|(ix, _)| *ix);
                if let Some(script) = caller.map(|ix| self.callers[ix].script.clone()) {
                    self.plan_in(script.talk, Next::Over(*call, *agent, script.ends));
                    self.means_to_act(*call, agent.index as usize, script.talk);
                }
            }
            Event::Joined { call, who: Who::Agent(agent), .. } => {
                let talk = Duration::from_secs(12);
                self.plan_in(talk, Next::Over(*call, *agent, Ends::Agent));
                if self.tells_whom_was_asked(*call, talk / 2) {
                    return;
                }
                for other in self.room.ears(*call) {
                    if other != agent.index as usize {
                        self.plan_in(talk / 2, Next::Acts(*call, other, Act::Leaves));
                    }
                }
            }
            _ => {}
        }
    }

    /// A caller who waits where there is a menu may press a key of it, or one that means nothing.
    fn hears_the_menu(&mut self, call: CallId) {
        let script = &self.scenario.plans[self.plans as usize % self.scenario.plans.len()];
        let routed = self.room.calls.get(&call).is_some_and(|it| it.service == "samu" && it.handed.is_none());
        let leg = self.snapshots.get(&call).and_then(|it| it.legs.first()).map(|it| it.leg);
        let (true, true, Some(leg)) = (script.has(Rule::Menu), routed, leg) else { return };
        let mut chance = self.chance.fork(12).fork(call.serial.0);
        if chance.happens(0.5) {
            let key = ['1', '1', '2', '9'][chance.roll(4)];
            let after = millis(&mut chance, (500, 12_000));
            self.plan_in(after, Next::Keys(call, leg, key));
        }
    }

    /// What an agent does in a talk of so long, beside talking.
    fn means_to_act(&mut self, call: CallId, ix: usize, talk: Duration) {
        let mut chance = self.chance.fork(11).fork(call.serial.0).fork(ix as u64);
        let handed = self.room.calls.get(&call).is_some_and(|it| it.came_from.is_some());
        let act = match chance.roll(25) {
            0..=2 => Act::Vital,
            3 | 4 => Act::HandsOver(None),
            5 => Act::HandsOver(Some("routine")),
            6 => Act::HandsOver(Some("vital")),
            7..=14 if handed => Act::RefersBack,
            15 => Act::Holds,
            16 => Act::PlansCallback,
            17 => Act::DropsToCallback,
            19 => Act::Leaves,
            20..=22 => Act::AsksColleague,
            23 | 24 => Act::AsksTeam,
            _ => return,
        };
        self.plan_in(talk.mul_f64(chance.roll(100) as f64 / 120.0), Next::Acts(call, ix, act));
    }

    /// Where agents choose from the list, somebody does, and now and then two at once.
    fn reads_the_list(&mut self, call: CallId, work: WorkId) {
        let Some(waits) = self.room.waiting.get(&work) else { return };
        if self.room.manner(waits) != Manner::List {
            return;
        }
        let now = self.now();
        let asked = |ix: &usize| self.room.is_asked(*ix, waits, now);
        let asked: Vec<usize> = (0..self.room.people.len()).filter(asked).collect();
        let mut chance = self.chance.fork(9).fork(work.serial.0);
        for ix in asked {
            let script = &self.scenario.agents[ix];
            let after = millis(&mut chance, (500, 15_000)) + millis(&mut chance, script.reaction);
            if chance.happens(0.7) {
                self.plan_in(after, Next::Picks(ix, call));
            }
        }
    }
}
