//! Agents at pages: what their browsers do by themselves, and what people do at them.

use super::{Room, agent, centre, desks, phone_at, plan, site};
use engine::call::event::{Actor, Event, OfferEnd, OfferKind};
use engine::id::{CallId, LegId, OfferId, PageId, WorkId};
use engine::io::{Input, Outcome, Verb};
use engine::media::{MediaCommand, MediaEvent, Program};
use engine::site::{AgentSite, Phone};

/// Pages of a roster, from `first` on; the other phone of each is the desk phone of its index + 50.
pub fn pages(first: u32, count: u32) -> Vec<AgentSite> {
    let mut agents = desks(first, count, false);
    for (index, agent) in (first..).zip(&mut agents) {
        let address = phone_at(index + 50);
        agent.fallback = Some(Phone::Static { uri: format!("sip:{index}@{address}"), address });
        agent.phone = Phone::Page;
    }
    agents
}

impl Room {
    /// A centre of pages alone, everybody ready.
    pub fn of_pages(count: u32) -> Room {
        let mut room = Room::of(site(vec![centre(plan::TEXT, pages(0, count))]));
        for index in 0..count {
            room.page_ready(index);
        }
        room
    }

    /// An agent opens the page, its audio stands and is fit, and calls are wanted.
    pub fn page_ready(&mut self, index: u32) {
        self.page(index, true);
        self.page_offers(index);
        self.page_fit(index, true);
        self.by(index, Verb::Ready { agent: agent(index) });
    }

    /// The page's socket.
    pub fn page(&mut self, index: u32, open: bool) {
        self.input(Input::Page { agent: agent(index), open });
    }

    /// The page offers its audio; the plane answers, and the connection stands.
    pub fn page_offers(&mut self, index: u32) {
        self.input(Input::PageOffer { agent: agent(index), sdp: "v=0".to_owned() });
    }

    pub fn page_fit(&mut self, index: u32, fit: bool) {
        self.input(Input::PageAudio { agent: agent(index), fit, why: "muted".to_owned() });
    }

    /// The page's connection is gone.
    pub fn page_down(&mut self, page: PageId) {
        self.input(Input::Media(MediaEvent::PageDown { page, why: "consent".to_owned() }));
    }

    /// The connection of the page that was ready as the `nth`.
    pub fn page_id(&self, nth: usize) -> PageId {
        let mut opened = Vec::new();
        for (_, command) in &self.media {
            if let MediaCommand::PageOpen { page, .. } = command
                && !opened.contains(page)
            {
                opened.push(*page);
            }
        }
        opened[nth]
    }

    pub fn hears(&mut self, leg: LegId) {
        self.input(Input::Media(MediaEvent::Heard { leg }));
    }

    /// An agent commands in their own name.
    pub fn by(&mut self, index: u32, verb: Verb) -> Outcome {
        self.command(Actor::Agent(agent(index)), verb)
    }

    /// The one key.
    pub fn key(&mut self, index: u32) -> Outcome {
        self.by(index, Verb::Answer { agent: agent(index) })
    }

    /// The exclusive offer a page shows, and its call.
    pub fn shown(&self, index: u32) -> Option<(OfferId, CallId)> {
        let mut shown = None;
        for (_, entry) in &self.log {
            match &entry.event {
                Event::Offered { offer, call, agent: to, kind: OfferKind::Exclusive, .. }
                    if *to == agent(index) =>
                {
                    shown = Some((*offer, *call));
                }
                Event::OfferEnded { offer, agent: of, .. }
                    if *of == agent(index) && shown.is_some_and(|it| it.0 == *offer) =>
                {
                    shown = None;
                }
                _ => {}
            }
        }
        shown
    }

    /// The offer of this kind that calls upon an agent, and its call.
    pub fn called_upon(&self, index: u32, wanted: OfferKind) -> Option<(OfferId, CallId)> {
        let mut found = None;
        for (_, entry) in &self.log {
            match &entry.event {
                Event::Offered { offer, call, agent: to, kind, .. }
                    if *to == agent(index) && *kind == wanted =>
                {
                    found = Some((*offer, *call));
                }
                Event::OfferEnded { offer, .. } if found.is_some_and(|it| it.0 == *offer) => found = None,
                _ => {}
            }
        }
        found
    }

    /// The page says that it shows its offer.
    pub fn sees(&mut self, index: u32) {
        let (offer, _) = self.shown(index).expect("an offer is shown");
        self.by(index, Verb::OfferSeen { agent: agent(index), offer });
    }

    /// How the last offer to this agent ended.
    pub fn ended(&self, index: u32) -> Option<OfferEnd> {
        self.log.iter().rev().find_map(|(_, entry)| match &entry.event {
            Event::OfferEnded { agent: of, end, .. } if *of == agent(index) => Some(end.clone()),
            _ => None,
        })
    }

    /// The calls an agent was connected to, in order.
    pub fn connected(&self, index: u32) -> Vec<(CallId, LegId)> {
        let all = self.log.iter().filter_map(|(_, entry)| match &entry.event {
            Event::Connected { call, agent: with, leg, .. } if *with == agent(index) => Some((*call, *leg)),
            _ => None,
        });
        all.collect()
    }

    /// The call of the `nth` arrival, and its caller's leg.
    pub fn arrival(&self, nth: usize) -> (CallId, LegId) {
        let mut all = self.log.iter().filter_map(|(_, entry)| match &entry.event {
            Event::Arrived { call, leg, .. } => Some((*call, *leg)),
            _ => None,
        });
        all.nth(nth).expect("it arrived")
    }

    /// The last item of a call.
    pub fn work_of(&self, call: CallId) -> WorkId {
        let mut all = self.log.iter().rev();
        all.find_map(|(_, entry)| match &entry.event {
            Event::Queued { work, call: of, .. } if *of == call => Some(*work),
            _ => None,
        })
        .expect("it was queued")
    }

    /// What a leg hears, or that it is in a conversation (`None`).
    pub fn hearing(&self, leg: LegId) -> Option<Program> {
        let mut all = self.media.iter().rev();
        all.find_map(|(_, it)| match it {
            MediaCommand::Play { leg: of, program } if *of == leg => Some(Some(program.clone())),
            MediaCommand::Join { leg: of, .. } if *of == leg => Some(None),
            _ => None,
        })
        .flatten()
    }
}
