//! Metrics and the technical log: two more folds of the centres' logs.
//!
//! Labels and log fields are ids, codes and the plan's own words. Numbers, names and places never
//! come here: the events that carry them are taken apart field by field.

mod longest_wait;
mod metrics;
mod tell;

pub(super) use metrics::CoreFigures;

use super::clock::Clock;
use crate::media::plane::Figures;
use engine::call::event::{Entry, Event, Intent, Occupation, TrunkState};
use engine::id::{AgentId, CallId, CentreId, QueueId, WorkId};
use engine::io::Counter;
use engine::site::{CentreSite, Site};
use engine::time::Instant;
use longest_wait::{LongestWait, Waiting};
use metrics::Metrics;
use prometheus::Registry;
use std::collections::HashMap;
use std::sync::PoisonError;
use tracing::{Span, debug, info_span};

/// Every metric, and the small model that some of them need.
pub(super) struct Telemetry {
    site: Vec<CentreNames>,
    metrics: Metrics,
    calls: HashMap<CallId, Live>,
    /// The item that wants somebody beside an agent, until it is queued.
    wanted: Option<WorkId>,
    agents: HashMap<AgentId, State>,
    waiting: Waiting,
    longest_wait: LongestWait,
}

struct CentreNames {
    name: String,
    queues: Vec<String>,
    agents: Vec<String>,
}

/// What of a call is needed to label its end.
struct Live {
    span: Span,
    service: String,
    class: String,
    /// Has had an agent.
    answered: bool,
}

#[derive(Clone)]
struct State {
    intent: Intent,
    reachable: bool,
    occupation: Occupation,
}

impl Telemetry {
    /// Registers every metric.
    ///
    /// # Errors
    /// When `registry` has one of the names already.
    pub(super) fn new(
        site: &Site,
        clock: Clock,
        registry: &Registry,
    ) -> prometheus::Result<(Telemetry, CoreFigures)> {
        let metrics = Metrics::new(registry)?;
        let waiting = Waiting::default();
        let names: Vec<CentreNames> = site.centres.iter().map(CentreNames::of).collect();
        let longest_wait = LongestWait::new(&names, clock, waiting.clone())?;
        registry.register(Box::new(longest_wait.clone()))?;
        let figures = CoreFigures::new(registry)?;
        let mut telemetry = Telemetry {
            site: names,
            metrics,
            calls: HashMap::new(),
            agents: HashMap::new(),
            waiting,
            wanted: None,
            longest_wait,
        };
        telemetry.seed_agents();
        Ok((telemetry, figures))
    }

    /// Every agent counts from the start, as signed out.
    fn seed_agents(&mut self) {
        for (centre, names) in self.site.iter().enumerate() {
            for index in 0..names.agents.len() {
                let (Ok(centre), Ok(index)) = (u16::try_from(centre), u32::try_from(index)) else { continue };
                let agent = AgentId { centre: CentreId(centre), index };
                let state =
                    State { intent: Intent::SignedOut, reachable: false, occupation: Occupation::Free };
                self.metrics.agents.with_label_values(&[names.name.as_str(), state.word()]).inc();
                self.agents.insert(agent, state);
            }
        }
    }

    /// One entry of a log.
    pub(super) fn fold(&mut self, entry: &Entry) {
        self.count(entry);
        self.tell(entry);
    }

    /// Something that belongs to no call.
    pub(super) fn counted(&self, counter: &Counter) {
        let m = &self.metrics;
        match counter {
            Counter::ParseError(rule) => {
                m.parse_errors.with_label_values(&[*rule]).inc();
                debug!(rule, "a message could not be read");
            }
            Counter::Repaired(what) => m.repaired.with_label_values(&[*what]).inc(),
            Counter::TrunkRefused(code) => {
                m.refused.with_label_values(&["trunk", &code.to_string()]).inc();
                tracing::error!(
                    code,
                    "an INVITE of a trunk was refused: see docs/operating.md, When a call of a carrier is refused"
                );
            }
            Counter::PhoneRefused(code) => {
                m.refused.with_label_values(&["phone", &code.to_string()]).inc();
                match code {
                    480 => {
                        tracing::warn!(code, "a feature code has worked without its tone: no port to spare")
                    }
                    _ => tracing::error!(
                        code,
                        "a phone of ours was refused: see docs/operating.md, What to watch"
                    ),
                }
            }
            Counter::StrangerRefused(code) => {
                m.refused.with_label_values(&["stranger", &code.to_string()]).inc()
            }
            Counter::UnknownHost(host) => tracing::warn!(
                remote = %host,
                "somebody speaks for a carrier's call from an address that is no trunk's, and is not heard: if it is \
                 the carrier, add the address to the `peers` of its trunk"
            ),
            Counter::Retransmission => m.retransmissions.inc(),
            Counter::CommandRefused(why) => m.commands_refused.with_label_values(&[*why]).inc(),
            Counter::PortsExhausted => {
                m.refused.with_label_values(&["agent", "ports"]).inc();
                tracing::error!("no media port for an agent's phone: raise [media] ports");
            }
            Counter::Never(what) => {
                m.never.with_label_values(&[*what]).inc();
                tracing::error!(what, "a bug took the safe branch: please report it");
            }
        }
    }

    /// What the media plane has counted since its start.
    pub(super) fn media(&self, figures: &Figures) {
        let lateness = u64::try_from(figures.lateness_max.as_micros()).unwrap_or(u64::MAX);
        let cpu = u64::try_from(figures.cpu.as_millis()).unwrap_or(u64::MAX);
        for (name, value) in [
            ("packets_in", figures.packets_in),
            ("packets_out", figures.packets_out),
            ("packets_dropped", figures.packets_dropped),
            ("send_errors", figures.send_errors),
            ("late_ticks", figures.late_ticks),
            ("lateness_max_us", lateness),
            ("legs", figures.legs),
            ("ports_free", figures.ports_free),
            ("cpu_ms", cpu),
        ] {
            self.metrics.media.with_label_values(&[name]).set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }

    fn count(&mut self, entry: &Entry) {
        let Some(names) = self.site.get(usize::from(entry.centre.0)) else { return };
        let centre = names.name.as_str();
        let m = &self.metrics;
        match &entry.event {
            Event::Arrived { call, service, .. } => {
                m.arrived.with_label_values(&[centre, service]).inc();
                let span = info_span!("call", id = %call, service);
                self.calls.insert(
                    *call,
                    Live { span, service: service.clone(), class: String::new(), answered: false },
                );
            }
            Event::Wanted { work, .. } => self.wanted = Some(*work),
            Event::Queued { work, call, queue, class, arrived, .. } => {
                // Somebody wanted beside an agent waits as an item of its own class.
                if self.wanted.take() != Some(*work) {
                    self.class(*call, class);
                }
                self.enter(*work, *queue, *arrived);
            }
            Event::Qualified { call, class, .. } => self.class(*call, class),
            Event::Moved { work, queue, .. } => {
                let arrived = self.leave(*work);
                self.enter(*work, *queue, arrived.unwrap_or(entry.at));
            }
            Event::Connected { call, work, waited, .. } => {
                let queue = self.queue_of(*work);
                // Only the first answer is a wait: what follows is a loss, or a call picked from hold.
                if let Some(live) = self.calls.get_mut(call).filter(|live| !live.answered) {
                    live.answered = true;
                    let labels = [centre, queue.as_str(), live.class.as_str()];
                    m.wait.with_label_values(&labels).observe(waited.as_secs_f64());
                }
                self.leave(*work);
            }
            Event::Withdrawn { work, .. } => {
                self.leave(*work);
            }
            Event::OfferEnded { end, .. } => m.offers.with_label_values(&[centre, &code(end)]).inc(),
            Event::AgentLost { .. } => m.losses.with_label_values(&[centre]).inc(),
            Event::NoMedia { seconds, .. } => {
                m.no_media.with_label_values(&[centre, &seconds.to_string()]).inc()
            }
            Event::Unenciphered { .. } => m.unenciphered.with_label_values(&[centre]).inc(),
            Event::Reasoned { protocol, cause, .. } => {
                m.reasons.with_label_values(&[centre, protocol, &cause_label(protocol, *cause)]).inc()
            }
            Event::OtherFamily { .. } => m.other_family.with_label_values(&[centre]).inc(),
            Event::Ended { call, cause, .. } => {
                let live = self.calls.get(call);
                let (service, class) = live.map_or(("", ""), |l| (l.service.as_str(), l.class.as_str()));
                m.calls.with_label_values(&[centre, service, class, &code(cause)]).inc();
            }
            Event::PlanChanged { queues, .. } => self.rename_queues(entry.centre, queues),
            Event::TrunkChanged { trunk, state } => {
                for one in [TrunkState::Up, TrunkState::Suspect, TrunkState::Down] {
                    let holds = i64::from(one == *state);
                    m.trunks.with_label_values(&[trunk.as_str(), &code(&one)]).set(holds);
                }
            }
            Event::IntentChanged { agent, intent, .. } => self.agent(*agent, |s| s.intent = intent.clone()),
            Event::ReachabilityChanged { agent, reachable, .. } => {
                self.agent(*agent, |s| s.reachable = *reachable)
            }
            Event::OccupationChanged { agent, occupation, .. } => {
                self.agent(*agent, |s| s.occupation = *occupation)
            }
            _ => {}
        }
    }

    /// The plan was replaced: who waits is counted where the queue's id leads from here on.
    fn rename_queues(&mut self, centre: CentreId, queues: &[String]) {
        let waiting = self.waiting().clone();
        let works: Vec<_> = waiting.into_iter().filter(|(work, _)| work.centre == centre).collect();
        for (work, _) in &works {
            self.leave(*work);
        }
        if let Some(names) = self.site.get_mut(usize::from(centre.0)) {
            names.queues = queues.to_vec();
            self.longest_wait.rename(centre, names);
        }
        for (work, (queue, arrived)) in works {
            self.enter(work, queue, arrived);
        }
    }

    fn class(&mut self, call: CallId, class: &str) {
        if let Some(live) = self.calls.get_mut(&call) {
            class.clone_into(&mut live.class);
        }
    }

    fn enter(&self, work: WorkId, queue: QueueId, arrived: Instant) {
        let fresh = self.waiting().insert(work, (queue, arrived)).is_none();
        if let (true, Some((centre, name))) = (fresh, self.queue(queue)) {
            self.metrics.waiting.with_label_values(&[centre, name]).inc();
        }
    }

    fn leave(&self, work: WorkId) -> Option<Instant> {
        let (queue, arrived) = self.waiting().remove(&work)?;
        if let Some((centre, name)) = self.queue(queue) {
            self.metrics.waiting.with_label_values(&[centre, name]).dec();
        }
        Some(arrived)
    }

    fn queue_of(&self, work: WorkId) -> String {
        let queue = self.waiting().get(&work).map(|(queue, _)| *queue);
        queue.and_then(|q| self.queue(q)).map_or(String::new(), |(_, name)| name.to_owned())
    }

    fn queue(&self, queue: QueueId) -> Option<(&str, &str)> {
        let centre = self.site.get(usize::from(queue.centre.0))?;
        Some((&centre.name, centre.queues.get(queue.index as usize)?))
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<WorkId, (QueueId, Instant)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn agent(&mut self, agent: AgentId, change: impl FnOnce(&mut State)) {
        let Some(names) = self.site.get(usize::from(agent.centre.0)) else { return };
        let Some(state) = self.agents.get_mut(&agent) else { return };
        self.metrics.agents.with_label_values(&[names.name.as_str(), state.word()]).dec();
        change(state);
        self.metrics.agents.with_label_values(&[names.name.as_str(), state.word()]).inc();
    }
}

impl CentreNames {
    fn of(centre: &CentreSite) -> Self {
        CentreNames {
            name: centre.name.clone(),
            queues: centre.plan.queues.iter().map(|q| q.name.clone()).collect(),
            agents: centre.agents.iter().map(|a| a.name.clone()).collect(),
        }
    }
}

impl State {
    /// One word for the board and the gauge: the first of the three facts that keeps calls away.
    fn word(&self) -> &'static str {
        match (&self.intent, self.reachable, self.occupation) {
            (_, _, Occupation::Talking) => "talking",
            (_, _, Occupation::Offered) => "offered",
            (Intent::SignedOut, ..) => "signed-out",
            (_, _, Occupation::WrapUp) => "wrap-up",
            (Intent::Paused(_), ..) => "paused",
            (Intent::Ready, false, _) => "unreachable",
            (Intent::Ready, true, Occupation::Free) => "ready",
        }
    }
}

/// A cause as a label: those the protocol has, so that nobody's messages make metrics without end.
fn cause_label(protocol: &str, cause: Option<u16>) -> String {
    match (protocol, cause) {
        ("Q.850", Some(cause @ 0..=127)) | ("SIP", Some(cause @ 200..=699)) => cause.to_string(),
        (_, None) => "none".to_owned(),
        _ => "other".to_owned(),
    }
}

/// The wire's word for a value of a closed list (`short-abandon`, `timed-out` ...).
fn code(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
