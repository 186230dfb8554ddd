//! What one fact costs on a floor of 10 000 waiting calls, 2 000 agents and 100 queues (I20).
//!
//! Each group reports the time of one round of facts and, as throughput, facts per second.

use criterion::{Criterion, Throughput};
use engine::call::event::{Actor, Intent, OfferEnd};
use engine::dialplan::{ClassId, Dialplan};
use engine::id::{AgentId, CallId, CentreId, QueueId, Serial, WorkId};
use engine::queue::{Arrival, Decision, Fact, Floor, Step};
use engine::site::{AgentSite, Phone, Role};
use engine::time::Instant;
use std::collections::VecDeque;
use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

const CENTRE: CentreId = CentreId(0);
const QUEUES: u32 = 100;
const AGENTS: u32 = 2_000;
const WAITING: u64 = 10_000;
/// Queues one agent serves.
const SKILLS: u32 = 5;
const VITAL: ClassId = ClassId(0);

struct Crowd {
    floor: Floor,
    now: Instant,
    next: u64,
    /// Agents with a call in the ear, longest talk first.
    talking: VecDeque<(AgentId, CallId)>,
}

impl Crowd {
    /// Everyone talks, `WAITING` callers wait.
    fn new() -> Crowd {
        let agents: Vec<AgentSite> = (0..AGENTS).map(agent).collect();
        let floor = Floor::new(CENTRE, 1, Arc::new(plan()), &agents, Duration::ZERO);
        let mut crowd = Crowd { floor, now: Instant::ZERO, next: 1, talking: VecDeque::new() };
        while (crowd.talking.len() as u32) < AGENTS {
            crowd.call(ClassId(3));
        }
        for serial in 0..WAITING {
            crowd.call(ClassId(1 + (serial % 4) as u16));
        }
        crowd
    }

    fn tell(&mut self, fact: Fact) -> Option<Decision> {
        self.now = self.now + Duration::from_micros(500);
        self.floor.handle(self.now, fact);
        let mut rung = None;
        while let Some(step) = self.floor.poll() {
            if let Step::Ring(decision) = black_box(step) {
                rung = Some(decision);
            }
        }
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

fn crowd(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("i20: 10 000 waiting, 2 000 agents, 100 queues");

    let mut floor = Crowd::new();
    group.throughput(Throughput::Elements(4));
    group.bench_function("a call ends, the next is offered, taken, connected; one more comes", |bench| {
        bench.iter(|| {
            let rung = floor.hang_up();
            assert!(rung.is_some(), "somebody waits in every queue");
            floor.connect(rung);
            floor.call(ClassId(3));
        });
    });

    let mut floor = Crowd::new();
    group.throughput(Throughput::Elements(2));
    group.bench_function("a vital caller comes while all talk, and goes", |bench| {
        bench.iter(|| {
            let work = floor.call(VITAL);
            floor.tell(Fact::Gone { work });
        });
    });

    let mut floor = Crowd::new();
    let mut rung = floor.hang_up();
    group.throughput(Throughput::Elements(2));
    group.bench_function("a phone fails, and its agent's key brings the next offer", |bench| {
        bench.iter(|| {
            if let Some(decision) = rung.take() {
                floor.tell(Fact::Failed { offer: decision.offer, end: OfferEnd::PhoneBusy });
                rung = floor.tell(Fact::Intent {
                    agent: decision.agent,
                    intent: Intent::Ready,
                    by: Actor::System,
                });
            }
        });
    });
    group.finish();
}

fn main() {
    let brief = Criterion::default().sample_size(30);
    let brief = brief.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    let mut criterion = brief.configure_from_args();
    crowd(&mut criterion);
    criterion.final_summary();
}
