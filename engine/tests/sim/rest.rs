//! When the evening is over: nothing is left of it but its records.

use super::room::Person;
use super::world::World;
use engine::call::event::Actor;

impl World {
    /// Nothing lives any more: no call, dialog, port, item or ringing phone, and one record per call.
    pub fn rests(&mut self) {
        if self.broken.is_some() {
            return;
        }
        let mut left = Vec::new();
        let mut say = |invariant, holds: bool, how: &str| {
            if !holds {
                left.push((invariant, how.to_owned()));
            }
        };
        say("I23", self.engine.is_idle(), "something lives in the engine");
        say("I23", self.engine.has_no_dialog(), "a dialog is left");
        say("I23", self.ports.is_empty() && self.on_page.is_empty(), "a leg is open in the media plane");
        say("I23", self.board.is_at_rest() && self.board.gaps() == 0, "the board is not at rest");
        say("I6", self.room.waiting.is_empty() && self.room.calls.is_empty(), "somebody waits");
        say("I6", self.records.len() == self.arrivals, "calls and records differ in number");
        let still = |it: &Person| (it.reserved, it.ear) == (None, None);
        say("I4", self.room.people.iter().all(still), "an agent is in a call that is not");
        let busy = self.phones.values().find_map(|phone| Some(phone).filter(|it| !it.unplugged)?.busy_with());
        say("I5", busy.is_none(), &format!("a phone rings or talks with nobody: {busy:?}"));
        for caller in &self.callers {
            say("I23", caller.at_rest() || !caller.answered, "a caller is left in a call");
            let record = self.records.iter().find(|it| it.sip_call_id.0 == caller.id);
            let meant = record.is_none_or(|it| {
                matches!(it.ended_by, Some(Actor::Agent(_) | Actor::Plan)) || it.cause.is_none()
            });
            let lost = record.is_some_and(|it| it.ended_by == Some(Actor::System));
            say("I7", !caller.released || meant || lost, "a caller was hung up on and nobody meant it");
        }
        if let Some((invariant, how)) = left.into_iter().next() {
            self.fails(invariant, how);
        }
    }
}
