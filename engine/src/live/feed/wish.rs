//! Commands on their way to the core, once per id, and their outcomes on the way back.

use super::{
    COMMAND_ID_MAX, Feed, FeedOutput, OUTCOMES_KEPT, PENDING_MAX, RequestId, SessionId, error_message,
};
use crate::io::{Command, Outcome, Refusal};
use crate::live::view::Viewer;
use crate::live::wire::{self, ServerMessage, WireVerb};

/// Who waits for an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    Session(SessionId),
    Request(RequestId),
}

impl Feed {
    /// What became of a command: to whoever asked, and kept for whoever asks again.
    pub fn handle_outcome(&mut self, outcome: Outcome) {
        let key = (outcome.actor.clone(), outcome.id.clone());
        for asker in self.pending.remove(&key).unwrap_or_default() {
            self.answer(asker, &outcome);
        }
        if self.outcomes.insert(key.clone(), outcome).is_none() {
            self.outcomes_in_order.push_back(key);
        }
        while self.outcomes_in_order.len() > OUTCOMES_KEPT {
            let Some(oldest) = self.outcomes_in_order.pop_front() else { break };
            self.outcomes.remove(&oldest);
        }
    }

    /// A command that came by a request: `FeedOutput::Answer` follows, at once or with its outcome.
    pub fn handle_request(&mut self, request: RequestId, viewer: &Viewer, id: String, verb: &WireVerb) {
        self.wish(Asker::Request(request), viewer, id, verb);
    }

    /// The request's sender has gone.
    pub fn handle_request_gone(&mut self, request: RequestId) {
        self.forget_asker(Asker::Request(request));
    }

    pub(super) fn command(&mut self, id: SessionId, command: String, verb: &WireVerb) {
        let Some(session) = self.sessions.get(&id) else { return };
        if session.pending >= PENDING_MAX {
            return self.error(id, "too_many_commands", [("id", command)]);
        }
        let viewer = session.viewer.clone();
        self.wish(Asker::Session(id), &viewer, command, verb);
    }

    /// A wish of whoever may wish it goes to the core, once per id.
    fn wish(&mut self, asker: Asker, viewer: &Viewer, id: String, verb: &WireVerb) {
        if id.is_empty() || id.len() > COMMAND_ID_MAX {
            return self.refuse(asker, "bad_id", [("longest", COMMAND_ID_MAX.to_string())]);
        }
        let verb = match verb.read(viewer, self.board.cast()) {
            Ok(verb) => verb,
            Err(wire::NoSuch { what, name }) => {
                return self.refuse(
                    asker,
                    "unknown",
                    [("id", id), ("what", what.to_owned()), ("name", name)],
                );
            }
        };
        if !viewer.may(&verb, &self.board) {
            return self.refuse(asker, "forbidden", [("id", id)]);
        }
        let key = (viewer.actor(), id);
        if let Some(outcome) = self.outcomes.get(&key).cloned() {
            return self.answer_now(asker, &outcome);
        }
        if let Asker::Session(session) = asker
            && let Some(session) = self.sessions.get_mut(&session)
        {
            session.pending += 1;
        }
        let askers = self.pending.entry(key.clone()).or_default();
        askers.push(asker);
        if askers.len() == 1 {
            let (actor, id) = key;
            self.outputs.push_back(FeedOutput::Command(Command { centre: self.centre(), id, actor, verb }));
        }
    }

    fn answer(&mut self, asker: Asker, outcome: &Outcome) {
        if let Asker::Session(id) = asker
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.pending = session.pending.saturating_sub(1);
        }
        self.answer_now(asker, outcome);
    }

    fn answer_now(&mut self, asker: Asker, outcome: &Outcome) {
        let message = ServerMessage::Outcome {
            id: outcome.id.clone(),
            epoch: self.board.epoch(),
            seq: outcome.result.ok(),
            refusal: outcome.result.err().map(|refusal| refusal.to_string()),
            by: match outcome.result {
                Err(Refusal::TakenBy(agent)) => Some(self.board.cast().agent_name(agent)),
                _ => None,
            },
        };
        match asker {
            Asker::Session(id) => self.send(id, &message),
            Asker::Request(request) => self.outputs.push_back(FeedOutput::Answer(request, message)),
        }
    }

    fn refuse<const N: usize>(&mut self, asker: Asker, code: &str, params: [(&str, String); N]) {
        match asker {
            Asker::Session(id) => self.error(id, code, params),
            Asker::Request(request) => {
                self.outputs.push_back(FeedOutput::Answer(request, error_message(code, params)));
            }
        }
    }

    pub(super) fn forget_asker(&mut self, gone: Asker) {
        // The key stays until its outcome: it must not reach the core a second time.
        for askers in self.pending.values_mut() {
            askers.retain(|asker| *asker != gone);
        }
    }
}
