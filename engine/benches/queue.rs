//! What one fact costs on a floor of 10 000 waiting calls, 2 000 agents and 100 queues (I20), and what
//! it costs when a tenth of them wait.
//!
//! `cargo bench -p engine --bench queue` prints the median and the 99th percentile of each kind of
//! step in both crowds, and their ratio; a p99 of a millisecond or a ratio of two ends it with an
//! error.

use engine::call::event::{Actor, Intent, OfferEnd};
use engine::dialplan::{ClassId, Dialplan};
use engine::id::{AgentId, CallId, CentreId, QueueId, Serial, WorkId};
use engine::queue::{Arrival, Decision, Fact, Floor, Step};
use engine::site::{AgentSite, Phone, Role};
use engine::time::Instant;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

const CENTRE: CentreId = CentreId(0);
const QUEUES: u32 = 100;
const AGENTS: u32 = 2_000;
/// A quiet hour, and the worst.
const CROWDS: [u64; 2] = [1_000, 10_000];
const ROUNDS: usize = 20_000;
/// Queues one agent serves.
const SKILLS: u32 = 5;
const VITAL: ClassId = ClassId(0);

struct Crowd {
    floor: Floor,
    now: Instant,
    next: u64,
    /// Agents with a call in the ear, longest talk first.
    talking: VecDeque<(AgentId, CallId)>,
    /// How long each step took, by its kind.
    took: BTreeMap<&'static str, Vec<Duration>>,
}

impl Crowd {
    /// Everyone talks, so many callers wait.
    fn of(waiting: u64) -> Crowd {
        let agents: Vec<AgentSite> = (0..AGENTS).map(agent).collect();
        let floor = Floor::new(CENTRE, 1, Arc::new(plan()), &agents, Duration::ZERO);
        let mut crowd =
            Crowd { floor, now: Instant::ZERO, next: 1, talking: VecDeque::new(), took: BTreeMap::new() };
        while (crowd.talking.len() as u32) < AGENTS {
            crowd.call(ClassId(3));
        }
        for serial in 0..waiting {
            crowd.call(ClassId(1 + (serial % 4) as u16));
        }
        crowd
    }

    #[allow(clippy::disallowed_methods)] // a bench is there to read a clock
    fn tell(&mut self, fact: Fact) -> Option<Decision> {
        self.now = self.now + Duration::from_micros(500);
        let kind = kind(&fact);
        let mut rung = None;
        let began = Clock::now();
        self.floor.handle(self.now, fact);
        while let Some(step) = self.floor.poll() {
            if let Step::Ring(decision) = black_box(step) {
                rung = Some(decision);
            }
        }
        self.took.entry(kind).or_default().push(began.elapsed());
        rung
    }

    /// A caller comes; whoever is offered the call takes it.
    fn call(&mut self, class: ClassId) -> WorkId {
        let serial = Serial(self.next);
        self.next += 1;
        let (work, call) = (WorkId { centre: CENTRE, serial }, CallId { centre: CENTRE, serial });
        let queue = QueueId { centre: CENTRE, index: (serial.0 % u64::from(QUEUES)) as u32 };
        let arrival = Arrival::live(work, call, queue, class, self.now);
        let rung = self.tell(Fact::Enter(Box::new(arrival)));
        self.connect(rung);
        work
    }

    fn connect(&mut self, rung: Option<Decision>) {
        if let Some(decision) = rung {
            self.tell(Fact::Taken { offer: decision.offer });
            self.tell(Fact::Connected { offer: decision.offer });
            self.talking.push_back((decision.agent, decision.call));
        }
    }

    /// The longest conversation ends; the agent is offered the next call.
    fn hang_up(&mut self) -> Option<Decision> {
        let (agent, call) = self.talking.pop_front()?;
        self.tell(Fact::EarFree { agent, call })
    }
}

fn agent(index: u32) -> AgentSite {
    AgentSite {
        name: format!("agent-{index}"),
        role: Role::Agent,
        skills: (0..SKILLS).map(|n| format!("s{}", (index * 7 + n * 13) % QUEUES)).collect(),
        position: String::from("desk"),
        fallback: None,
        phone: Phone::Static {
            uri: String::from("sip:desk@127.0.0.1"),
            address: ([127, 0, 0, 1], 5060).into(),
        },
        always_ready: true,
        wrap_up: None,
    }
}

fn plan() -> Dialplan {
    let mut text = String::from(
        "plan = \"crowd\"\nversion = \"1\"\ntimezone = \"Europe/Paris\"\n[numbers]\n\"15\" = \"samu\"\n\
         [class]\nvital = { fence = true }\ndeclared = { target = \"5s\" }\npartner = { target = \"10s\" }\n\
         unqualified = { target = \"20s\" }\nroutine = { target = \"60s\" }\n",
    );
    for queue in 0..QUEUES {
        let offer = "{ mode = \"exclusive\", strategy = \"longest-idle\", ring = \"6s\" }";
        writeln!(text, "[queue.q{queue}]\nskills = [\"s{queue}\"]\noffer = {offer}\nalarm = \"60s\"")
            .expect("a String takes everything");
    }
    text.push_str(
        "[[route]]\nname = \"default\"\npriority = 0\nthen = { queue = \"q0\", class = \"unqualified\" }\n",
    );
    Dialplan::parse("crowd.toml", &text).expect("the crowd's plan is right")
}

fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::Enter(arrival) if arrival.class == VITAL => "a vital caller comes, all talk",
        Fact::Enter(_) => "a caller comes, all talk",
        Fact::Gone { .. } => "a caller gives up",
        Fact::EarFree { .. } => "an agent hangs up, the next call is offered",
        Fact::Taken { .. } => "a phone is answered",
        Fact::Connected { .. } => "a call is connected",
        Fact::Failed { .. } => "a phone fails",
        Fact::Intent { .. } => "an agent's key brings the next offer",
        _ => "another fact",
    }
}

/// A room's work, over and over: every kind of step as often as any other.
fn work(waiting: u64) -> BTreeMap<&'static str, Vec<Duration>> {
    let mut crowd = Crowd::of(waiting);
    crowd.took.clear();
    for _ in 0..ROUNDS {
        let rung = crowd.hang_up();
        assert!(rung.is_some(), "somebody waits in every queue");
        let mut rung = rung;
        if let Some(decision) = rung.take() {
            crowd.tell(Fact::Failed { offer: decision.offer, end: OfferEnd::PhoneBusy });
            let by = Actor::System;
            rung = crowd.tell(Fact::Intent { agent: decision.agent, intent: Intent::Ready, by });
        }
        crowd.connect(rung);
        crowd.call(ClassId(3));
        let vital = crowd.call(VITAL);
        crowd.tell(Fact::Gone { work: vital });
    }
    crowd.took
}

fn quantile(sorted: &[Duration], of_thousand: usize) -> Duration {
    sorted.get(sorted.len() * of_thousand / 1000).copied().unwrap_or_default()
}

fn main() {
    let [few, many] = CROWDS.map(|waiting| {
        let mut took = work(waiting);
        let all: Vec<Duration> = took.values().flatten().copied().collect();
        took.insert("every step", all);
        took.values_mut().for_each(|took| took.sort_unstable());
        took
    });
    println!("{QUEUES} queues, {AGENTS} agents, {ROUNDS} rounds; {} and {} waiting", CROWDS[0], CROWDS[1]);
    let mut slow = Vec::new();
    for (kind, many) in &many {
        let few = few.get(kind).map_or(&[][..], |few| few);
        let [p50, p99] = [500, 990].map(|at| quantile(many, at));
        let [few50, few99] = [500, 990].map(|at| quantile(few, at));
        let ratio = p50.as_secs_f64() / few50.as_secs_f64().max(1e-9);
        println!("{kind:45} p50 {few50:>9.2?} {p50:>9.2?}  x{ratio:.2}   p99 {few99:>9.2?} {p99:>9.2?}");
        if p99 >= Duration::from_millis(1) || p50 >= Duration::from_micros(30) || ratio >= 2.0 {
            slow.push(*kind);
        }
    }
    assert!(slow.is_empty(), "too slow (p99 1 ms, median 30 us, ratio 2): {slow:?}");
}
