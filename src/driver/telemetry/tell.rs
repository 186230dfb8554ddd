//! The technical log: a line for what somebody on call would want to know, inside the call's span.

use super::Telemetry;
use engine::call::event::{Entry, Event, Intent, TrunkState};
use engine::id::CallId;
use tracing::{Span, debug, error, info, warn};

impl Telemetry {
    /// The technical log: under ten lines a call at `info`.
    pub(super) fn tell(&mut self, entry: &Entry) {
        let call = call_of(&entry.event);
        let span = call.and_then(|call| self.calls.get(&call)).map(|live| live.span.clone());
        let _call = span.as_ref().map(Span::enter);
        match &entry.event {
            Event::Arrived { trunk, .. } => info!(trunk, "arrived"),
            // In another centre that may have the call it is said again, for the board there.
            Event::Signed { call, signed } if call.centre == entry.centre => {
                let attested = signed.attested.map(|word| super::code(&word));
                let attested = attested.as_deref().unwrap_or("none");
                let (passed_by, priority) = (signed.passed_by.len(), signed.priority.as_deref());
                info!(attested, passed_by, priority = priority.unwrap_or("none"), "signed");
            }
            Event::Reasoned { leg, protocol, cause, .. } => info!(%leg, protocol, ?cause, "reasoned"),
            Event::Routed { route, modifiers, plan, .. } => info!(route, ?modifiers, plan, "routed"),
            Event::Queued { work, queue, class, again: false, .. } => debug!(%work, %queue, class, "queued"),
            Event::Queued { work, queue, class, again: true, .. } => {
                warn!(%work, %queue, class, "back in the queue")
            }
            Event::Qualified { class, by, source, .. } => info!(class, ?by, ?source, "qualified"),
            Event::Offered { agent, kind, waited, because, .. } => {
                info!(%agent, ?kind, ?waited, ?because, "offered")
            }
            Event::OfferEnded { agent, end, .. } => debug!(%agent, ?end, "offer over"),
            Event::Connected { agent, waited, .. } => info!(%agent, ?waited, "connected"),
            Event::NoMedia { leg, seconds, .. } => warn!(%leg, seconds, "nothing is heard"),
            Event::Unenciphered { leg, .. } => {
                error!(%leg, "plain audio where srtp = \"required\": its peer must be made to take keys")
            }
            Event::OtherFamily { leg, .. } => {
                error!(%leg, "audio wanted in a family we tell no address of: add one to `[media] advertised`")
            }
            Event::AgentLost { agent, loss, .. } => {
                warn!(%agent, ?loss, "an agent's leg failed: the caller is kept")
            }
            Event::HeldAside { agent, lost, recall: _, .. } => info!(%agent, lost, "on the shared list"),
            Event::RecallDue { agent, .. } => warn!(%agent, "on the shared list for too long"),
            Event::Resumed { agent, leg, .. } => info!(%agent, %leg, "taken back"),
            Event::Joined { who, seat, by, .. } => info!(%who, ?seat, ?by, "in the conversation"),
            Event::Left { who, by, loss: None, .. } => info!(%who, ?by, "out of the conversation"),
            Event::Left { who, loss: Some(loss), .. } => warn!(%who, ?loss, "lost; the others go on"),
            Event::Led { agent, .. } => info!(%agent, "answers for it"),
            Event::Wanted { whom, .. } => info!(?whom, "somebody is wanted beside the agent"),
            Event::Consulting { agent, whom, .. } => info!(%agent, ?whom, "asks, the caller is on hold"),
            Event::ConsultEnded { end, .. } => info!(?end, "off hold"),
            Event::HandedOut { agent, to, .. } => info!(%agent, to, "handed to somebody outside"),
            Event::SkillsChanged { agent, by, .. } => info!(%agent, ?by, "skills"),
            Event::Released { by, .. } => info!(?by, "released"),
            Event::Ended { by, cause, .. } => info!(?by, ?cause, "ended"),
            Event::IntentChanged { agent, intent, .. } => {
                info!(%agent, intent = intent_word(intent), "agent")
            }
            Event::ReachabilityChanged { agent, reachable, why } => info!(%agent, reachable, why, "phone"),
            Event::Rona { agent, on } => warn!(%agent, on, "rang without an answer"),
            Event::Alarm { queue, on } => warn!(%queue, on, "longest wait"),
            Event::TrunkChanged { trunk, state: TrunkState::Down } => warn!(trunk, "does not answer"),
            Event::TrunkChanged { trunk, state } => info!(trunk, ?state, "trunk"),
            Event::PlanChanged { version, .. } => info!(version, "plan"),
            _ => {}
        }
        if let Event::Ended { call, .. } = &entry.event {
            drop(_call);
            self.calls.remove(call);
        }
    }
}

fn intent_word(intent: &Intent) -> &'static str {
    match intent {
        Intent::SignedOut => "signed-out",
        Intent::Ready => "ready",
        Intent::Paused(_) => "paused",
    }
}

fn call_of(event: &Event) -> Option<CallId> {
    match event {
        Event::Arrived { call, .. }
        | Event::Signed { call, .. }
        | Event::Reasoned { call, .. }
        | Event::Routed { call, .. }
        | Event::Queued { call, .. }
        | Event::Joined { call, .. }
        | Event::Left { call, .. }
        | Event::Led { call, .. }
        | Event::Wanted { call, .. }
        | Event::Consulting { call, .. }
        | Event::ConsultEnded { call, .. }
        | Event::HandedOut { call, .. }
        | Event::Qualified { call, .. }
        | Event::Offered { call, .. }
        | Event::Connected { call, .. }
        | Event::NoMedia { call, .. }
        | Event::Unenciphered { call, .. }
        | Event::OtherFamily { call, .. }
        | Event::AgentLost { call, .. }
        | Event::HeldAside { call, .. }
        | Event::RecallDue { call, .. }
        | Event::Resumed { call, .. }
        | Event::Released { call, .. }
        | Event::Ended { call, .. } => Some(*call),
        _ => None,
    }
}
