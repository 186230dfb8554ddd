//! Offers on their way to an agent's pages: sent at once, and again until one of them shows it.

use super::{Feed, FeedOutput, OFFER_AGAIN, SessionId};
use crate::call::event::OfferEnd;
use crate::id::{AgentId, OfferId, Serial};
use crate::io::{Command, Verb};
use crate::live::row::{Key, Row};
use crate::live::session::Session;
use crate::live::view::{Right, Topic};
use crate::live::wire::ServerMessage;
use sip::time::{Instant, Now};

/// One offer on its way to an agent's pages.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) nth: u32,
    pub(super) again: Instant,
    pub(super) seen: bool,
}

impl Feed {
    /// Sends an offer, or sends it again, to every page of its agent.
    pub(super) fn deliver(&mut self, now: Now, agent: AgentId, offer: OfferId) {
        let Some(Row::Offer(row)) = self.board.rows().row(&Key::Offer(agent, offer)).cloned() else {
            self.offers.remove(&(agent, offer)); // over, or of no call: nothing to send again
            return;
        };
        let Some(delivery) = self.offers.get_mut(&(agent, offer)) else { return };
        delivery.nth += 1;
        delivery.again = now.at + OFFER_AGAIN;
        let nth = delivery.nth;
        let pages = self.pages_of(agent);
        self.figures.offers_again += u64::from(nth > 1 && !pages.is_empty());
        let message = ServerMessage::Offer { nth, offer: row };
        for page in pages {
            // A socket that takes nothing is not filled with copies of one offer.
            if nth == 1 || self.sessions.get(&page).is_some_and(Session::has_room) {
                self.send(page, &message);
            }
        }
    }

    pub(super) fn end_offer(&mut self, agent: AgentId, offer: OfferId, end: &OfferEnd) {
        self.offers.remove(&(agent, offer));
        let message = ServerMessage::OfferEnded { offer: offer.to_string(), end: end.clone() };
        for page in self.pages_of(agent) {
            self.send(page, &message);
        }
    }

    pub(super) fn pages_of(&self, agent: AgentId) -> Vec<SessionId> {
        let follows =
            |session: &Session| session.subscriptions.iter().any(|one| one.topic == Topic::Me(agent));
        self.sessions.iter().filter(|(_, session)| follows(session)).map(|(id, _)| *id).collect()
    }

    pub(super) fn see(&mut self, id: SessionId, text: &str) {
        let Some(session) = self.sessions.get(&id) else { return };
        let (Right::Agent(agent), Ok(offer)) = (session.viewer.right, text.parse::<OfferId>()) else {
            return self.error(id, "unknown_offer", [("offer", text.to_owned())]);
        };
        let actor = session.viewer.actor();
        // An offer that ended meanwhile is no error of the page's.
        let Some(delivery) = self.offers.get_mut(&(agent, offer)) else { return };
        if !std::mem::replace(&mut delivery.seen, true) {
            let verb = Verb::OfferSeen { agent, offer };
            self.outputs.push_back(FeedOutput::Command(Command {
                centre: self.centre(),
                id: format!("seen-{agent}-{offer}"),
                actor,
                verb,
            }));
        }
    }

    /// Sends every offer the agent has not seen yet: a page has come.
    pub(super) fn deliver_open(&mut self, now: Now, agent: AgentId) {
        let open = self.offers.range(whose(agent)).filter(|(_, offer)| !offer.seen);
        for (agent, offer) in open.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.deliver(now, agent, offer);
        }
    }
}

/// Offers of one agent, as a range of keys.
fn whose(agent: AgentId) -> std::ops::RangeInclusive<(AgentId, OfferId)> {
    let offer = |serial| OfferId { centre: agent.centre, serial: Serial(serial) };
    (agent, offer(0))..=(agent, offer(u64::MAX))
}
