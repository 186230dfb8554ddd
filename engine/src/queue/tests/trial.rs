//! Scripts of a floor in the trade's words, for tests.
//!
//! `5s call B vital | 6s agent Nour ready` says what happens; the transcript says what follows:
//! `6s offer B to Nour`. Deadlines run by themselves between two lines.

use crate::call::event::{Actor, Event, Intent, OfferEnd, OfferKind};
use crate::dialplan::{Dialplan, SkillNeed};
use crate::id::{AgentId, CallId, CentreId, OfferId, QueueId, Serial, WorkId};
use crate::queue::{Arrival, Duty, Exit, Fact, Floor, Others, Owner, Step, WorkKind};
use crate::site::{AgentSite, Phone, Role};
use crate::time::Instant;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Three queues: `front` for skill `arm`, `doctors` for `mr`, and `room`, shared, for `room`.
pub(super) const PLAN: &str = r#"
plan = "trial"
version = "1"
timezone = "Europe/Paris"
[numbers]
"15" = "samu"
[class]
vital = { fence = true }
declared = { target = "5s" }
partner = { target = "10s" }
unqualified = { target = "20s" }
routine = { target = "60s" }
[queue.front]
skills = ["arm"]
offer = { mode = "exclusive", strategy = "longest-idle", ring = "6s" }
alarm = "60s"
[queue.doctors]
skills = ["mr"]
offer = { mode = "exclusive", strategy = "longest-idle", ring = "6s" }
[queue.room]
skills = ["room"]
offer = { mode = "shared", ring = [{ at = "0s", agents = "all" }] }
[[route]]
name = "default"
priority = 0
then = { queue = "front", class = "unqualified" }
"#;

pub(super) const CENTRE: CentreId = CentreId(0);

/// Runs a script and compares the offers it leads to, in order; and of every other kind of line, those
/// of a kind `expected` speaks of.
#[track_caller]
pub(super) fn check(script: &str, expected: &str) {
    check_on(PLAN, script, expected);
}

/// As [`check`], with another plan: the trial's, its queues replaced by these.
#[track_caller]
pub(super) fn check_on(plan: &str, script: &str, expected: &str) {
    let transcript = Trial::run_on(plan, script).transcript;
    let expected: Vec<&str> = expected.split('|').map(str::trim).filter(|line| !line.is_empty()).collect();
    let kind = |line: &str| line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let kinds: Vec<String> =
        expected.iter().map(|line| kind(line)).chain(["offer", "overflow"].map(str::to_owned)).collect();
    let told: Vec<&String> = transcript.iter().filter(|line| kinds.contains(&kind(line))).collect();
    assert_eq!(told, expected, "\nscript: {script}\neverything: {transcript:#?}");
}

/// The trial's plan with other queues.
pub(super) fn queues(queues: &str) -> String {
    let (head, rest) = PLAN.split_once("[queue.front]").expect("the trial's plan has a front");
    let (_, tail) = rest.split_once("[[route]]").expect("the trial's plan has a route");
    format!("{head}{queues}[[route]]{tail}")
}

/// A floor and the names the script gives.
pub(super) struct Trial {
    pub(super) floor: Floor,
    pub(super) now: Instant,
    pub(super) transcript: Vec<String>,
    plan: Arc<Dialplan>,
    agents: Vec<String>,
    pub(super) works: BTreeMap<String, WorkId>,
    /// The last offer to each agent, exclusive or not.
    offers: BTreeMap<String, OfferId>,
}

impl Trial {
    /// Every line of a script, then the deadlines up to the last line's time.
    #[track_caller]
    pub(super) fn run(script: &str) -> Trial {
        Trial::run_on(PLAN, script)
    }

    /// The same, with another plan.
    #[track_caller]
    pub(super) fn run_on(plan: &str, script: &str) -> Trial {
        let lines: Vec<&str> = script.split('|').map(str::trim).collect();
        let mut trial = Trial::new(plan, &lines);
        for line in lines {
            trial.line(line);
        }
        trial
    }

    fn new(plan: &str, lines: &[&str]) -> Trial {
        let plan = Dialplan::parse("trial.toml", plan).unwrap_or_else(|error| panic!("{error}"));
        let plan = Arc::new(plan);
        let (mut agents, mut roster, mut wrap_up) = (Vec::new(), Vec::new(), Duration::ZERO);
        for line in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let ["wrap-up", time] = words[..] {
                wrap_up = seconds(time);
            } else if let [_, verb @ ("agent" | "always" | "browser"), name, ..] = words[..] {
                let (name, skills) = name.split_once(':').unwrap_or((name, "arm"));
                if !agents.iter().any(|known| known == name) {
                    agents.push(name.to_owned());
                    let phone = if verb == "browser" { Some(Phone::Page) } else { None };
                    let site = agent(name, skills, verb == "always");
                    roster.push(AgentSite { phone: phone.unwrap_or(site.phone), ..site });
                }
            }
        }
        let floor = Floor::new(CENTRE, 1, plan.clone(), &roster, wrap_up);
        let (works, offers) = (BTreeMap::new(), BTreeMap::new());
        let mut trial =
            Trial { floor, now: Instant::ZERO, transcript: Vec::new(), plan, agents, works, offers };
        trial.hear();
        trial
    }

    #[track_caller]
    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [time, verb, rest @ ..] = &words[..] else { panic!("not a line: `{line}`") };
        if *time == "wrap-up" {
            return;
        }
        let now = Instant::ZERO + seconds(time);
        self.pass(now);
        for fact in self.facts(verb, rest) {
            self.tell(fact);
        }
    }

    /// Lets time pass: every deadline at its own instant.
    pub(super) fn pass(&mut self, until: Instant) {
        while let Some(due) = self.floor.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.tell(Fact::Due);
        }
        self.now = self.now.max(until);
    }

    /// One fact, now.
    pub(super) fn tell(&mut self, fact: Fact) {
        self.floor.handle(self.now, fact);
        self.hear();
    }

    fn facts(&self, verb: &str, rest: &[&str]) -> Vec<Fact> {
        let of_work = || self.of_work(verb, rest);
        let of_offer = || self.of_offer(verb, rest);
        let found = of_work().or_else(|| self.of_agent(verb, rest)).or_else(of_offer);
        found.unwrap_or_else(|| panic!("not a verb: `{verb}` {rest:?}"))
    }

    fn of_work(&self, verb: &str, rest: &[&str]) -> Option<Vec<Fact>> {
        let by = Actor::System;
        Some(match (verb, rest) {
            ("call" | "again", [name, class, options @ ..]) => {
                vec![self.arrival(name, class, options, verb == "again")]
            }
            ("pass" | "always", _) => vec![],
            ("keep", [name]) => vec![Fact::Keep { work: self.work(name), kind: WorkKind::Kept }],
            ("leaves", [name]) => vec![Fact::Leave { work: self.work(name), exit: Exit::Overflowed }],
            ("returned", [name, queue, rule]) => {
                let (queue, rule) = (self.queue(queue), rule.parse().expect("a rule's place"));
                vec![Fact::Returned { work: self.work(name), queue, rule }]
            }
            ("overflow", [queue, state]) => {
                vec![Fact::Overflow { queue: self.queue(queue), opened: *state == "open" }]
            }
            ("gone", [name]) => vec![Fact::Gone { work: self.work(name) }],
            ("class", [name, class]) => {
                let class = self.plan.class_named(class).expect("a class of the plan");
                vec![Fact::Class { work: self.work(name), class }]
            }
            ("move", [name, queue]) => {
                vec![Fact::MoveTo { work: self.work(name), queue: self.queue(queue), by }]
            }
            _ => return None,
        })
    }

    fn of_agent(&self, verb: &str, rest: &[&str]) -> Option<Vec<Fact>> {
        let by = Actor::System;
        let agent = || self.agent(rest[0]);
        Some(match (verb, rest) {
            ("browser", [_, "open"]) => vec![
                Fact::Page { agent: agent(), open: true },
                Fact::PageLine { agent: agent(), up: true },
                Fact::PageFit { agent: agent(), fit: true },
            ],
            ("browser", [_, "ready"]) => {
                let by = Actor::Agent(agent());
                vec![Fact::Intent { agent: agent(), intent: Intent::Ready, by }]
            }
            ("key", _) => vec![Fact::Answer { agent: agent() }],
            ("picks-up", _) => vec![Fact::PickUp { agent: agent(), confirmed: true }],
            ("picks", [_, name]) => {
                vec![Fact::Pick { agent: agent(), work: self.work(name), lifted: false, confirmed: true }]
            }
            ("auto-answer", _) => vec![Fact::AutoAnswer { agent: agent(), on: true }],
            ("assign", [_, "only", queue]) => {
                vec![Fact::Assign { agent: agent(), duty: Duty::Only(vec![self.queue(queue)]) }]
            }
            ("assign", [_, "except", queue]) => {
                vec![Fact::Assign { agent: agent(), duty: Duty::Except(vec![self.queue(queue)]) }]
            }
            ("assign", [_, "by-skill"]) => vec![Fact::Assign { agent: agent(), duty: Duty::BySkill }],
            ("holds", _) => {
                let call = self.floor.agent(agent()).and_then(|agent| agent.call).expect("a call in the ear");
                vec![Fact::Aside { agent: agent(), call }]
            }
            ("agent", [_, "absent"]) => vec![],
            ("agent", [_, "ready"]) => vec![Fact::Intent { agent: agent(), intent: Intent::Ready, by }],
            ("agent", [_, "out"]) => vec![Fact::Intent { agent: agent(), intent: Intent::SignedOut, by }],
            ("agent", [_, "signs-in"]) => vec![Fact::SignIn { agent: agent(), position: None, by }],
            ("agent", [_, "pauses"]) => {
                vec![Fact::Intent { agent: agent(), intent: Intent::Paused(String::from("coffee")), by }]
            }
            ("page", [_, state]) => vec![Fact::Page { agent: agent(), open: *state == "open" }],
            ("phone", [_, state]) => {
                let (reachable, why) = (*state == "back", String::from("registration"));
                vec![Fact::Reachable { agent: agent(), reachable, why }]
            }
            ("hangs-up", _) => {
                let call = self.floor.agent(agent()).and_then(|agent| agent.call).expect("a call in the ear");
                vec![Fact::EarFree { agent: agent(), call }]
            }
            _ => return None,
        })
    }

    fn of_offer(&self, verb: &str, rest: &[&str]) -> Option<Vec<Fact>> {
        let agent = || self.agent(rest[0]);
        let offer = || self.offers.get(rest[0]).copied().unwrap_or_else(|| panic!("no offer to {}", rest[0]));
        let failed = |end| vec![Fact::Failed { offer: offer(), end }];
        Some(match (verb, rest) {
            ("not-reached", [_, "at-last"]) => vec![Fact::Attempted { offer: offer(), again: None }],
            ("not-reached", _) => {
                vec![Fact::Attempted { offer: offer(), again: Some(Duration::from_secs(30)) }]
            }
            ("rings", _) => vec![Fact::Alerting { offer: offer() }],
            ("takes", _) => vec![Fact::Taken { offer: offer() }],
            ("bridged", _) => vec![Fact::Connected { offer: offer() }],
            ("answers", _) => vec![Fact::Taken { offer: offer() }, Fact::Connected { offer: offer() }],
            ("rejects", _) => vec![Fact::Reject { agent: agent(), offer: offer() }],
            ("claims", _) => vec![Fact::Claim { agent: agent(), offer: offer() }],
            ("sees", _) => vec![Fact::Seen { agent: agent(), offer: offer() }],
            ("busy", _) => failed(OfferEnd::PhoneBusy),
            ("unreachable", _) => failed(OfferEnd::Unreachable),
            ("lost", _) => failed(OfferEnd::LostBeforeBridge),
            _ => return None,
        })
    }

    /// A caller with whatever the script says of them.
    fn arrival(&self, name: &str, class: &str, options: &[&str], again: bool) -> Fact {
        let mut enter = self.enter(name, class);
        let Fact::Enter(arrival) = &mut enter else { return enter };
        arrival.again = again;
        for option in options.chunks(2) {
            let need = |text: &str| vec![SkillNeed::parse(text).expect("a skill")];
            match option {
                ["as", "callback"] => arrival.kind = WorkKind::Callback,
                ["as", "kept"] => arrival.kind = WorkKind::Kept,
                ["as", "join"] => arrival.kind = WorkKind::Join,
                ["with", team] => arrival.add = need(team),
                ["speaks", language] => arrival.language = Some((*language).to_owned()),
                ["bars", name] => arrival.barred.push(self.agent(name)),
                ["from", "partner"] => arrival.partner = true,
                ["from", "centre"] => arrival.visiting = true,
                ["after", time] => arrival.not_before = Some(self.now + seconds(time)),
                ["of", name] => {
                    let (agent, alone) = (self.agent(name), Duration::from_secs(4));
                    arrival.owner = Some(Owner { agent, alone });
                }
                ["else", "nobody"] => arrival.others = Others::Nobody,
                ["else", lead] => arrival.others = Others::Leads(need(lead)),
                ["in", name] => arrival.queue = self.queue(name),
                ["credit", time] => arrival.credit = seconds(time),
                ["since", time] => arrival.arrived = Instant::ZERO + seconds(time),
                _ => panic!("not an option: {option:?}"),
            }
        }
        enter
    }

    /// A caller who comes now, to the front.
    pub(super) fn enter(&self, name: &str, class: &str) -> Fact {
        let serial = Serial(name.bytes().fold(0, |serial, byte| serial << 8 | u64::from(byte)));
        let (work, call) = (WorkId { centre: CENTRE, serial }, CallId { centre: CENTRE, serial });
        let class = self.plan.class_named(class).expect("a class of the plan");
        Fact::Enter(Box::new(Arrival::live(work, call, self.queue("front"), class, self.now)))
    }

    /// Writes down what follows.
    fn hear(&mut self) {
        while let Some(step) = self.floor.poll() {
            let line = match step {
                Step::Ring(decision) => {
                    let (item, agent) = (self.item(decision.work), self.name(decision.agent));
                    self.offers.insert(agent.clone(), decision.offer);
                    let at_once = if decision.auto_answer { " at once" } else { "" };
                    format!("offer {item} to {agent}{at_once}")
                }
                Step::Stop { agent, work, end, .. } => {
                    format!("stop {} at {}: {end:?}", self.item(work), self.name(agent))
                }
                Step::Take { offer } => match self.floor.offer(offer) {
                    Some(taken) => format!("take {} by {}", self.item(taken.work), self.name(taken.agent)),
                    None => continue,
                },
                Step::Overflow(over) => format!("overflow {} by rule {}", self.item(over.work), over.rule),
                Step::Event(event) => match self.event(event) {
                    Some(line) => line,
                    None => continue,
                },
            };
            let at = Duration::from_nanos(self.now.as_nanos()).as_secs_f64();
            self.transcript.push(format!("{at}s {line}"));
        }
    }

    fn event(&mut self, event: Event) -> Option<String> {
        Some(match event {
            Event::Queued { work, .. } => {
                let name: String = work.serial.0.to_be_bytes().iter().map(|byte| char::from(*byte)).collect();
                self.works.insert(name.trim_start_matches('\0').to_owned(), work);
                format!("queued {}", self.item(work))
            }
            Event::Offered { offer, work, agent, kind: OfferKind::Shared, .. } => {
                let name = self.name(agent);
                self.offers.insert(name.clone(), offer);
                format!("invite {name} to {}", self.item(work))
            }
            Event::Offered { offer, work, agent, kind: OfferKind::Alert, .. } => {
                let name = self.name(agent);
                self.offers.insert(name.clone(), offer);
                format!("alert {name} to {}", self.item(work))
            }
            Event::Offered { offer, work, agent, kind: OfferKind::Join, .. }
                if self.floor.agent(agent).and_then(|agent| agent.offer) != Some(offer) =>
            {
                let name = self.name(agent);
                self.offers.insert(name.clone(), offer);
                format!("join {name} to {}", self.item(work))
            }
            Event::OfferEnded { agent, work, end, .. } => {
                format!("end {} at {}: {end:?}", self.item(work), self.name(agent))
            }
            Event::Withdrawn { work, waited, .. } => {
                format!("withdrawn {} after {}s", self.item(work), waited.as_secs())
            }
            Event::Moved { work, queue, .. } => format!("moved {} to {}", self.item(work), queue.index),
            Event::OccupationChanged { agent, occupation, until, .. } => {
                let at = |until: Instant| Duration::from_nanos(until.as_nanos()).as_secs_f64();
                let until = until.map_or_else(String::new, |until| format!(" until {}s", at(until)));
                format!("occupation {} {occupation:?}{until}", self.name(agent))
            }
            Event::ReachabilityChanged { agent, reachable, why } => {
                format!("reachable {} {reachable} {why}", self.name(agent))
            }
            Event::Rona { agent, on } => format!("rona {} {on}", self.name(agent)),
            Event::Alarm { queue, on } => format!("alarm {} {on}", queue.index),
            _ => return None,
        })
    }

    pub(super) fn agent(&self, name: &str) -> AgentId {
        let name = name.split_once(':').map_or(name, |(name, _)| name);
        let place = self.agents.iter().position(|known| known == name).expect("an agent of the script");
        AgentId { centre: CENTRE, index: u32::try_from(place).expect("few agents") }
    }

    pub(super) fn work(&self, name: &str) -> WorkId {
        *self.works.get(name).unwrap_or_else(|| panic!("no call {name}"))
    }

    pub(super) fn last_offer(&self, agent: &str) -> OfferId {
        self.offers[agent]
    }

    pub(super) fn queue(&self, name: &str) -> QueueId {
        QueueId { centre: CENTRE, index: self.plan.queue_named(name).expect("a queue of the plan") }
    }

    fn item(&self, work: WorkId) -> String {
        self.works
            .iter()
            .find(|(_, known)| **known == work)
            .map_or_else(String::new, |(name, _)| name.clone())
    }

    fn name(&self, agent: AgentId) -> String {
        self.agents[agent.index as usize].clone()
    }
}

/// A person at a desk phone with these skills.
pub(super) fn agent(name: &str, skills: &str, always_ready: bool) -> AgentSite {
    AgentSite {
        name: name.to_owned(),
        role: Role::Agent,
        skills: skills.split(',').map(str::to_owned).collect(),
        position: String::from("desk"),
        fallback: None,
        phone: Phone::Static {
            uri: String::from("sip:desk@127.0.0.1"),
            address: std::net::SocketAddr::from(([127, 0, 0, 1], 5060)),
        },
        always_ready,
        wrap_up: None,
    }
}

fn seconds(word: &str) -> Duration {
    let number = word.strip_suffix('s').and_then(|number| number.parse().ok());
    Duration::from_secs_f64(number.unwrap_or_else(|| panic!("not a time: `{word}`")))
}
