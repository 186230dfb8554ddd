//! What an evening has met, and its story for a reader.

use engine::call::event::{Actor, AgentReason as Reason, Beside, Closing, Event, OfferEnd};

/// What an evening has met: a walk that never gets anywhere proves nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub calls: u64,
    pub steps: u64,
    pub offers: u64,
    pub keys: u64,
    pub connected: u64,
    pub claimed: u64,
    pub picked: u64,
    /// Picks before a vital item, asked about once.
    pub confirmed: u64,
    /// Picks that came second.
    pub lost_races: u64,
    /// Alerts taken.
    pub came: u64,
    pub overflows: u64,
    pub joined: u64,
    pub handed: u64,
    pub taken_back: u64,
    pub referred: u64,
    /// Somebody asked out of the caller's hearing, and what came of it.
    pub asked: u64,
    pub conferred: u64,
    /// Refused at a page.
    pub refused: u64,
    /// Callbacks that were not needed.
    pub dismissed: u64,
    pub callbacks: u64,
    pub reached: u64,
    pub called_again: u64,
    pub keys_of_callers: u64,
    pub recalls: u64,
    pub again: u64,
    pub lost: u64,
    pub rona: u64,
    pub abandoned: u64,
    pub rescinded: u64,
}

impl Seen {
    pub fn count(&mut self, event: &Event) {
        match event {
            Event::Arrived { .. } => self.calls += 1,
            Event::Offered { because, .. } => {
                self.offers += 1;
                self.claimed += u64::from(because.agent == Reason::Claimed);
                self.picked += u64::from(because.agent == Reason::Picked);
            }
            Event::OfferEnded { end: OfferEnd::Rescinded, .. } => self.rescinded += 1,
            Event::Connected { .. } => self.connected += 1,
            Event::Queued { again: true, .. } => self.again += 1,
            Event::Joined { .. } => self.joined += 1,
            Event::Beside(Beside::Overflowing { .. }) | Event::Moved { by: Actor::Plan, .. } => {
                self.overflows += 1;
            }
            Event::Beside(Beside::CallbackOpened { .. }) => self.callbacks += 1,
            Event::Beside(Beside::Reached { .. }) => self.reached += 1,
            Event::Beside(Beside::CallbackClosed { why: Closing::CalledAgain, .. }) => self.called_again += 1,
            Event::Consulting { .. } => self.asked += 1,
            Event::RecallDue { .. } => self.recalls += 1,
            Event::AgentLost { .. } => self.lost += 1,
            Event::Rona { on: true, .. } => self.rona += 1,
            Event::Withdrawn { .. } => self.abandoned += 1,
            _ => {}
        }
    }

    pub fn add(&mut self, other: Seen) {
        self.calls += other.calls;
        self.keys += other.keys;
        self.steps += other.steps;
        self.offers += other.offers;
        self.connected += other.connected;
        self.claimed += other.claimed;
        self.picked += other.picked;
        self.confirmed += other.confirmed;
        self.lost_races += other.lost_races;
        self.came += other.came;
        self.overflows += other.overflows;
        self.joined += other.joined;
        self.handed += other.handed;
        self.taken_back += other.taken_back;
        self.referred += other.referred;
        self.asked += other.asked;
        self.conferred += other.conferred;
        self.refused += other.refused;
        self.dismissed += other.dismissed;
        self.callbacks += other.callbacks;
        self.reached += other.reached;
        self.called_again += other.called_again;
        self.keys_of_callers += other.keys_of_callers;
        self.recalls += other.recalls;
        self.again += other.again;
        self.lost += other.lost;
        self.rona += other.rona;
        self.abandoned += other.abandoned;
        self.rescinded += other.rescinded;
    }
}

/// `WorkId { centre: CentreId(0), serial: Serial(1099511627778) }` is `Work#2` to a reader.
pub fn short(text: &str) -> String {
    let mut text = text.replace("centre: CentreId(0), ", "").replace("Id { serial: Serial(", "#");
    text =
        text.replace("Id { index: ", "#").replace(") }", " }").replace("10995116277", "").replace(" }", "");
    text
}
