//! A page as a phone: its connection for audio, and the legs that open on it.
//!
//! One connection per agent for the shift. A call's leg attaches and detaches without negotiation,
//! so that the key press and the first sound are one step apart.

use crate::call::Talk;
use crate::call::event::{Loss, OfferEnd, OfferKind};
use crate::call::leg::{Leg, LegState, LocalSdp};
use crate::call::party::{Party, PartyRole};
use crate::engine::Engine;
use crate::id::{AgentId, CallId, LegId, OfferId, PageId, WorkId};
use crate::io::Output;
use crate::media::{Codec, MediaCommand, Stream};
use crate::queue::Fact;
use crate::site::Phone;
use crate::time::Instant;
use std::collections::HashMap;
use std::time::Duration;

/// Between two requests to a page to make its connection anew. It takes a tenth of a second, a slow
/// browser one: sooner would ask for a second in place of the first.
const ASKED_EVERY: Duration = Duration::from_secs(3);

/// What a page sends and hears (RFC 7874 asks browsers for G.711; 126 is their telephone-event).
const ON_PAGE: Stream = Stream { telephone_event: Some(126), ..Stream::of(Codec::Pcma) };

/// Every agent's page.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    of: HashMap<AgentId, Page>,
    whose: HashMap<PageId, AgentId>,
}

/// One agent's page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Its connection in the media plane, once it has offered one.
    id: Option<PageId>,
    /// An offer of its waits for the plane's answer.
    asked: bool,
    /// Packets can flow.
    up: bool,
    /// It follows the feed.
    open: bool,
    /// When it closed; `None` from the next connection on.
    closed_at: Option<Instant>,
    /// When it was last asked to make a fresh one.
    unheard_at: Option<Instant>,
    /// A call its agent spoke in when it was lost, and the item by which everyone has been asked since.
    pub(crate) lost: Option<(CallId, WorkId)>,
}

impl Pages {
    pub(crate) fn of(&mut self, agent: AgentId) -> &mut Page {
        self.of.entry(agent).or_default()
    }

    /// The connection, while packets can flow over it.
    fn line(&self, agent: AgentId) -> Option<PageId> {
        self.of.get(&agent).filter(|page| page.up)?.id
    }

    /// When a page closed that has not made a connection since.
    pub(crate) fn closed_at(&self, agent: AgentId) -> Option<Instant> {
        self.of.get(&agent)?.closed_at
    }
}

impl Engine {
    pub(crate) fn speaks_by_page(&self, agent: AgentId) -> bool {
        let site = self.centre(agent.centre).and_then(|centre| centre.agent(agent));
        site.is_some_and(|site| site.phone == Phone::Page)
    }

    /// A page follows the feed, or no longer. With its audio running, that is no loss: the call goes on.
    pub(crate) fn page_open(&mut self, agent: AgentId, open: bool) {
        if !self.speaks_by_page(agent) {
            return self.tell_floor(agent.centre, Fact::Page { agent, open });
        }
        let now = self.now.at;
        let page = self.pages.of(agent);
        page.open = open;
        page.closed_at = if open { page.closed_at } else { Some(now) };
        let up = page.up;
        self.tell_floor(agent.centre, Fact::Page { agent, open });
        if open {
            return self.page_back(agent);
        }
        let Some((id, leg)) = self.call_on_page(agent) else { return self.close_after_shift(agent) };
        let on_page = self.calls.get(&id).and_then(|call| call.leg(leg));
        if !up || on_page.is_some_and(|leg| leg.silent > 0) {
            self.leg_lost(id, leg, Loss::Closed);
        }
    }

    /// Nobody needs the connection of a page that is closed and whose agent has gone home.
    fn close_after_shift(&mut self, agent: AgentId) {
        let floor = self.centre(agent.centre).and_then(|centre| centre.floor.agent(agent));
        let home = floor.is_some_and(|it| *it.intent == crate::call::event::Intent::SignedOut);
        if !home {
            return;
        }
        let page = self.pages.of(agent);
        (page.up, page.asked) = (false, false);
        let Some(id) = page.id.take() else { return };
        self.pages.whose.remove(&id);
        self.media(MediaCommand::PageClose { page: id });
        self.tell_floor(agent.centre, Fact::PageLine { agent, up: false });
    }

    /// A page offers its audio: for the first time, after a reload, or by another network.
    pub(crate) fn page_offers(&mut self, agent: AgentId, sdp: String) {
        if !self.speaks_by_page(agent) {
            return self.put(Output::PageSdp { agent, answer: None });
        }
        let id = match self.pages.of(agent).id {
            Some(id) => id,
            None => {
                let Some(id) = self.centre_mut(agent.centre).map(|centre| centre.page_id()) else { return };
                self.pages.whose.insert(id, agent);
                id
            }
        };
        let page = self.pages.of(agent);
        (page.id, page.asked) = (Some(id), true);
        // A document that is gone takes its connection with it; one that is there keeps it meanwhile.
        let fresh = page.closed_at.take().is_some();
        if fresh && std::mem::take(&mut page.up) {
            self.tell_floor(agent.centre, Fact::PageLine { agent, up: false });
        }
        self.media(MediaCommand::PageOpen { page: id, offer: sdp });
    }

    pub(crate) fn page_answered(&mut self, id: PageId, answer: String) {
        let Some(&agent) = self.pages.whose.get(&id) else { return };
        self.pages.of(agent).asked = false;
        self.put(Output::PageSdp { agent, answer: Some(answer) });
    }

    pub(crate) fn page_up(&mut self, id: PageId) {
        let Some(&agent) = self.pages.whose.get(&id) else { return };
        self.pages.of(agent).up = true;
        self.tell_floor(agent.centre, Fact::PageLine { agent, up: true });
        self.page_back(agent);
    }

    /// Nothing has come from a page within a second of its agent's answer: a fresh connection is the
    /// repair its browser has for whatever is wrong with this one.
    pub(crate) fn ask_page_for_audio(&mut self, agent: AgentId) {
        let now = self.now.at;
        let page = self.pages.of(agent);
        if page.unheard_at.is_none_or(|at| now.since(at) >= ASKED_EVERY) {
            page.unheard_at = Some(now);
            self.put(Output::PageUnheard { agent });
        }
    }

    /// The connection is gone, or an offer could not be used.
    pub(crate) fn page_down(&mut self, id: PageId) {
        let Some(&agent) = self.pages.whose.get(&id) else { return };
        let page = self.pages.of(agent);
        page.up = false;
        if std::mem::take(&mut page.asked) {
            self.put(Output::PageSdp { agent, answer: None });
        }
        self.tell_floor(agent.centre, Fact::PageLine { agent, up: false });
        if let Some((call, leg)) = self.call_on_page(agent) {
            self.leg_lost(call, leg, Loss::Closed);
        }
    }

    /// A page is there again, with everything it needs: what it was lost in is its agent's again, as
    /// long as nobody else has taken it.
    fn page_back(&mut self, agent: AgentId) {
        let page = self.pages.of(agent);
        if !page.open || !page.up {
            return;
        }
        let lost = page.lost.take();
        if let Some((id, leg)) = self.call_on_page(agent) {
            return self.back(id, leg);
        }
        // Another item is another's loss, or the next stage's caller.
        let waits = |(id, work): &(CallId, WorkId)| {
            self.calls.get(id).and_then(|it| it.item_for(work.centre)) == Some(*work)
        };
        if let Some((_, work)) = lost.filter(waits) {
            // Refused: somebody is faster, or the agent has something else in the ear by now.
            let _ = self.ask_floor(agent.centre, Fact::Pick { agent, work, lifted: false, confirmed: true });
        }
    }

    /// The call this agent talks in by the page, and the leg.
    fn call_on_page(&self, agent: AgentId) -> Option<(CallId, LegId)> {
        let id = self.centre(agent.centre)?.floor.agent(agent)?.call?;
        let call = self.calls.get(&id)?;
        let leg = call.leg_of_agent(agent)?;
        call.leg(leg).filter(|leg| leg.is_on_page()).map(|_| (id, leg))
    }

    /// Opens a leg on an agent's page, in no conversation yet. `None`: it has no connection.
    pub(crate) fn leg_on_page(&mut self, id: CallId, agent: AgentId, role: PartyRole) -> Option<LegId> {
        let page = self.pages.line(agent)?;
        let leg = self.centre_mut(agent.centre).map(|centre| centre.leg_id())?;
        let call = self.calls.get_mut(&id)?;
        let local = LocalSdp::new(leg.serial.0);
        let (dialogs, state) = (Vec::new(), LegState::Up);
        let on_page = Leg {
            id: leg,
            dialogs,
            state,
            port: None,
            stream: ON_PAGE,
            local,
            silent: 0,
            asked: false,
            unanswered: 0,
            heard: false,
        };
        call.add(Party::new(role, on_page));
        self.legs.insert(leg, id);
        self.mark(id);
        self.media(MediaCommand::OpenOnPage { leg, page });
        Some(leg)
    }

    /// The agent has taken an offer by a key: a leg opens on the page, and both hear each other in
    /// this step.
    pub(crate) fn take_on_page(&mut self, offer: OfferId) {
        let standing = self.centre(offer.centre).and_then(|centre| centre.floor.offer(offer));
        let Some(standing) = standing else { return };
        let (agent, id) = (standing.agent, standing.call);
        let Some(call) = self.calls.get(&id) else {
            return self.not_reached(agent, offer, OfferEnd::CallerGone);
        };
        if standing.kind != OfferKind::Join && call.talk.is_some() {
            // An agent of another centre was faster, and is being put through.
            return self.not_reached(agent, offer, OfferEnd::AnsweredElsewhere);
        }
        let Some(leg) = self.leg_on_page(id, agent, PartyRole::Agent { agent, offer }) else {
            return self.not_reached(agent, offer, OfferEnd::Unreachable);
        };
        if standing.kind == OfferKind::Join {
            return self.come_beside(id, leg, agent, offer, standing.work);
        }
        self.tell_floor(offer.centre, Fact::Taken { offer });
        let bridge = self.bridge_of(id);
        self.bridge(id, Talk { agent, leg, offer, bridge, connected: false });
    }
}
