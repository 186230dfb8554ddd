//! One shift: what happens next, who reacts to it, and what it leaves in the figures.

use super::chance::{Chance, Law};
use super::figures::{Curve, Outcome, Spread};
use super::judge::Judge;
use super::setup::Setup;
use super::traffic::Caller;
use crate::call::event::{Event, Intent, Occupation, OfferKind};
use crate::dialplan::{ClassId, Earlier, Facts, Repeat, Room};
use crate::id::{AgentId, CallId, CentreId, OfferId, QueueId, Serial, WorkId};
use crate::queue::{Arrival, Fact, Floor, Step};
use crate::site::{AgentSite, Phone};
use crate::time::Instant;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

pub(super) const CENTRE: CentreId = CentreId(0);

/// What will happen.
#[derive(Debug)]
pub(super) enum Next {
    Call,
    Redial(Box<Caller>, Duration),
    GivesUp(WorkId),
    /// A key of the menu: the class it raises to.
    Declares(WorkId, ClassId),
    Sees(AgentId, OfferId),
    Reacts(AgentId, OfferId),
    Presses(AgentId),
    Over(AgentId, CallId),
    Back(AgentId),
    /// The key on an alert: what is in the ear is held, the vital call taken.
    Changes(AgentId, OfferId),
    Rota(usize, u32),
}

/// A caller in the room who has nobody yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) caller: Caller,
    pub(super) arrived: Instant,
    pub(super) class: ClassId,
    /// Goes on from here to nobody.
    pub(super) last: bool,
    pub(super) counts: bool,
    /// What is left of a talk that was held.
    pub(super) rest: Option<Duration>,
}

/// A conversation.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) caller: Caller,
    pub(super) second: bool,
    /// When it ends.
    pub(super) until: Instant,
}

pub(super) struct Shift<'s> {
    pub(super) setup: &'s Setup,
    pub(super) looks: &'s mut dyn FnMut(Instant, &Step),
    pub(super) floor: Floor,
    pub(super) judge: Judge,
    pub(super) now: Instant,
    /// When callers come: the same whatever happens in the room.
    pub(super) arrivals: Chance,
    /// What people do in the room.
    pub(super) chance: Chance,
    pub(super) agenda: BTreeMap<(Instant, u64), Next>,
    /// Crew of each agent, its first agent, and whether a key press is on its way.
    pub(super) crew_of: Vec<usize>,
    pub(super) first_of: Vec<u32>,
    pub(super) pressing: Vec<bool>,
    pub(super) occupation: Vec<Occupation>,
    pub(super) on_shift: Vec<bool>,
    pub(super) waiting: HashMap<WorkId, Waiting>,
    pub(super) talks: HashMap<(AgentId, CallId), Talk>,
    /// Callers held for a vital one.
    pub(super) held: HashMap<AgentId, Talk>,
    pub(super) counter: u64,
    pub(super) callers: u64,
    pub(super) out: Outcome,
    /// As the curves want them.
    pub(super) queued: Vec<f64>,
    pub(super) staff: [f64; 2],
}

/// Plays one shift from its first call until the last caller has gone.
pub fn play(setup: &Setup) -> Outcome {
    watch(setup, &mut |_, _| {})
}

/// The same, with somebody who looks on at every step of the floor.
pub fn watch(setup: &Setup, looks: &mut dyn FnMut(Instant, &Step)) -> Outcome {
    let mut shift = Shift::new(setup, looks);
    shift.open();
    while shift.goes_on() {}
    shift.close()
}

impl<'s> Shift<'s> {
    fn new(setup: &'s Setup, looks: &'s mut dyn FnMut(Instant, &Step)) -> Shift<'s> {
        let (mut roster, mut crew_of, mut first_of) = (Vec::new(), Vec::new(), Vec::new());
        for (nth, crew) in setup.crews.iter().enumerate() {
            first_of.push(u32::try_from(roster.len()).unwrap_or(u32::MAX));
            let most = crew.later.iter().map(|(_, count)| *count).fold(crew.count, u32::max);
            for place in 0..most {
                crew_of.push(nth);
                roster.push(crew.person(nth, place));
            }
        }
        let person = |agent: &AgentSite| (agent.skills.clone(), agent.phone == Phone::Page);
        let judged: Vec<(Vec<String>, bool)> = roster.iter().map(person).collect();
        let classes: Vec<String> = setup.plan.classes.iter().map(|class| class.name.clone()).collect();
        let slice = setup.slice.unwrap_or(Duration::MAX);
        let out = Outcome {
            by_class: classes.iter().map(|name| (name.clone(), Spread::default())).collect(),
            waiting: Curve::new(slice, classes.clone()),
            staff: Curve::new(slice, vec!["on shift".to_owned(), "busy".to_owned()]),
            ..Outcome::nothing()
        };
        let people = roster.len();
        Shift {
            floor: Floor::new(CENTRE, 1, Arc::clone(&setup.plan), &roster, Duration::ZERO),
            judge: Judge::new(Arc::clone(&setup.plan), judged),
            now: Instant::ZERO,
            arrivals: Chance::new(setup.seed).fork(1),
            chance: Chance::new(setup.seed).fork(2),
            agenda: BTreeMap::new(),
            crew_of,
            first_of,
            pressing: vec![false; people],
            occupation: vec![Occupation::Free; people],
            on_shift: vec![false; people],
            waiting: HashMap::new(),
            talks: HashMap::new(),
            held: HashMap::new(),
            counter: 0,
            callers: 0,
            queued: vec![0.0; classes.len()],
            staff: [0.0; 2],
            setup,
            looks,
            out,
        }
    }

    /// Everybody takes their place, and the first caller lifts the receiver.
    fn open(&mut self) {
        self.steps();
        for (nth, crew) in self.setup.crews.iter().enumerate() {
            self.rota(nth, crew.count);
            for (at, count) in &crew.later {
                self.plan_at(Instant::ZERO + *at, Next::Rota(nth, *count));
            }
        }
        self.next_call(Duration::ZERO);
        if let Some(burst) = self.setup.traffic.burst {
            let mut chance = self.arrivals.fork(u64::MAX);
            let law = Law::Between(burst.at, burst.at + burst.within);
            for _ in 0..burst.calls {
                let caller = self.somebody();
                let at = Instant::ZERO + law.draw(&mut chance);
                self.plan_at(at, Next::Redial(Box::new(caller), Duration::ZERO));
            }
        }
    }

    /// The next thing happens; false when nothing is left to happen.
    fn goes_on(&mut self) -> bool {
        let next = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let due = self.floor.poll_timeout();
        let deadline = due.filter(|due| next.is_none_or(|next| *due < next));
        if let Some(due) = deadline {
            // With nobody waiting and nobody talking, a deadline is about nothing.
            let over = next.is_none() && self.floor.is_idle();
            if over || due > Instant::ZERO + self.setup.lasts + LONGEST_REST {
                return false;
            }
            self.pass_to(due);
            self.tell(Fact::Due);
            return true;
        }
        let Some(((at, _), next)) = self.agenda.pop_first() else { return false };
        self.pass_to(at);
        self.happens(next);
        true
    }

    fn happens(&mut self, next: Next) {
        match next {
            Next::Call => {
                let caller = self.somebody();
                if !self.setup.traffic.lines.get(caller.line).is_some_and(|line| line.muted) {
                    self.calls(caller, None);
                }
                self.next_call(self.now.since(Instant::ZERO));
            }
            Next::Redial(caller, waited) => {
                let repeat = (caller.attempts > 0).then_some(waited);
                self.calls(*caller, repeat);
            }
            Next::GivesUp(work) => self.gives_up(work),
            Next::Declares(work, class) => self.declares(work, class),
            Next::Sees(agent, offer) => self.tell(Fact::Seen { agent, offer }),
            Next::Reacts(agent, offer) => self.reacts(agent, offer),
            Next::Presses(agent) => {
                self.pressing[agent.index as usize] = false;
                self.tell(Fact::Answer { agent });
            }
            Next::Over(agent, call) => self.over(agent, call),
            Next::Back(agent) => self.intends(agent, Intent::Ready),
            Next::Changes(agent, offer) => self.changes(agent, offer),
            Next::Rota(crew, count) => self.rota(crew, count),
        }
    }

    // Callers.

    fn next_call(&mut self, after: Duration) {
        let next = self.setup.traffic.next(after, self.setup.lasts, &mut self.arrivals);
        if let Some(next) = next {
            self.plan_at(Instant::ZERO + next, Next::Call);
        }
    }

    fn somebody(&mut self) -> Caller {
        self.callers += 1;
        self.setup.traffic.caller(self.callers, Chance::new(self.setup.seed ^ CALLERS))
    }

    /// A call comes: the plan says where it waits, the floor takes it.
    fn calls(&mut self, caller: Caller, waited: Option<Duration>) {
        let plan = Arc::clone(&self.setup.plan);
        let since = self.now.since(Instant::ZERO);
        let line = self.setup.traffic.lines.get(caller.line);
        let number = format!("+336{:08}", caller.number % 100_000_000);
        let (queues, whole) = match plan.reads_room() {
            true => self.floor.stand(self.now),
            false => Default::default(),
        };
        let facts = Facts {
            called: line.map_or("", |line| line.called.as_str()),
            urn: None,
            trunk: "trunk",
            caller: Some(&number),
            withheld: false,
            utc: self.setup.from + since,
            repeat: waited.map(|waited| Repeat {
                outcome: Earlier::Abandoned,
                ago: Duration::from_secs(30),
                waited,
            }),
            headers: &[],
            location: None,
            room: Room { crisis: self.setup.crisis, queues: &queues, whole: Some(whole) },
        };
        let routed = plan.route(&facts);
        let class = if caller.known { plan.vital() } else { routed.class };
        self.out.calls += 1;
        self.out.redials += u64::from(caller.attempts > 0);
        let patience = caller.patience;
        let key = routed.menu.and_then(|menu| menu.keys.iter().find_map(|(_, key)| key.class));
        let urgency = |id: ClassId| plan.class(id).map(|it| (!it.fence, it.target));
        let raises = key.filter(|key| caller.declares && urgency(*key) < urgency(class));
        let counts = since >= self.setup.warm_up;
        let waiting = Waiting { caller, arrived: self.now, class, last: false, counts, rest: None };
        let bare = Arrival {
            credit: routed.credit,
            add: routed.add.clone(),
            language: routed.language.map(str::to_owned),
            partner: routed.partner,
            ..self.arrival(&waiting, routed.queue)
        };
        let Some(work) = self.enters(waiting, bare) else { return };
        if let Some(patience) = patience {
            self.plan_at(self.now + patience, Next::GivesUp(work));
        }
        if let Some(class) = raises {
            self.plan_at(self.now + DECLARES, Next::Declares(work, class));
        }
    }

    /// Somebody who waits, with nothing but a class.
    pub(super) fn arrival(&mut self, waiting: &Waiting, queue: u32) -> Arrival {
        self.counter += 1;
        let serial = Serial(self.counter);
        let (work, call) = (WorkId { centre: CENTRE, serial }, CallId { centre: CENTRE, serial });
        let queue = QueueId { centre: CENTRE, index: queue };
        Arrival::live(work, call, queue, waiting.class, waiting.arrived)
    }

    pub(super) fn enters(&mut self, waiting: Waiting, arrival: Arrival) -> Option<WorkId> {
        let (work, class, queue) = (arrival.work, arrival.class, arrival.queue.index);
        let fact = Fact::Enter(Box::new(arrival.clone()));
        if self.floor.allows(&fact).is_err() {
            self.out.refused += 1;
            return None;
        }
        self.judge.enters(&arrival);
        self.queued[usize::from(class.0)] += f64::from(u8::from(!waiting.last));
        self.waiting.insert(work, waiting);
        self.out.most = self.out.most.max(self.waiting.len() + self.talks.len());
        self.tell(fact);
        if self.is_pulled(queue) {
            (0..self.crew_of.len()).for_each(|ix| self.pulls(ix, queue));
        }
        Some(work)
    }

    /// A held caller is back in this agent's ear; where that cannot be, the caller waits first of all.
    pub(super) fn resumes(&mut self, agent: AgentId, waiting: Waiting) {
        let arrival = self.arrival(&waiting, 0);
        let (work, back) = (arrival.work, Box::new(arrival.clone()));
        let fact = Fact::Resume { agent, arrival: back, confirmed: true };
        if self.floor.allows(&fact).is_err() {
            self.enters(waiting, arrival);
            return;
        }
        self.judge.enters(&arrival);
        self.queued[usize::from(waiting.class.0)] += f64::from(u8::from(!waiting.last));
        self.waiting.insert(work, waiting);
        self.tell(fact);
    }

    /// A caller presses the key that raises the class.
    fn declares(&mut self, work: WorkId, class: ClassId) {
        let Some(waiting) = self.waiting.get_mut(&work) else { return };
        self.queued[usize::from(waiting.class.0)] -= 1.0;
        self.queued[usize::from(class.0)] += 1.0;
        waiting.class = class;
        self.judge.reclassed(work, class);
        self.tell(Fact::Class { work, class });
    }

    pub(super) fn leaves(&mut self, work: WorkId) -> Option<Waiting> {
        let waiting = self.waiting.remove(&work)?;
        self.judge.leaves(work);
        self.queued[usize::from(waiting.class.0)] -= f64::from(u8::from(!waiting.last));
        Some(waiting)
    }

    fn gives_up(&mut self, work: WorkId) {
        let Some(waiting) = self.leaves(work) else { return };
        let (caller, waited) = (waiting.caller, self.now.since(waiting.arrived));
        match waited < SHORT {
            true => self.out.short_abandons += 1,
            false => self.out.abandons += 1,
        }
        self.out.vital_lost += u64::from(caller.vital && caller.redial.is_none());
        self.tell(Fact::Gone { work });
        let Some(after) = caller.redial else { return };
        let again = self.setup.traffic.redialled(caller, Chance::new(self.setup.seed ^ CALLERS));
        self.plan_at(self.now + after, Next::Redial(Box::new(again), waited));
    }

    // The floor.

    pub(super) fn plan_at(&mut self, at: Instant, next: Next) {
        self.counter += 1;
        self.agenda.insert((at, self.counter), next);
    }

    pub(super) fn tell(&mut self, fact: Fact) {
        self.out.facts += 1;
        self.floor.handle(self.now, fact);
        self.steps();
    }

    fn steps(&mut self) {
        while let Some(step) = self.floor.poll() {
            (self.looks)(self.now, &step);
            match step {
                Step::Ring(decision) => self.rings(&decision),
                Step::Take { offer } => {
                    if let Some(standing) = self.floor.offer(offer) {
                        self.judge.takes(self.now, standing.agent, standing.work);
                    }
                    self.connects(offer);
                }
                Step::Event(event) => self.hears(&event),
                // Nobody is played elsewhere: the caller is back in the same instant, and waits at home.
                Step::Overflow(out) => {
                    let fact = Fact::Returned { work: out.work, queue: out.queue, rule: out.rule };
                    self.out.facts += 1;
                    self.floor.handle(self.now, fact);
                }
                Step::Stop { .. } => {}
            }
        }
    }

    fn hears(&mut self, event: &Event) {
        self.judge.hears(self.now, event);
        match event {
            Event::Offered { offer, kind, agent, .. } => {
                self.out.offers += 1;
                match kind {
                    OfferKind::Shared => self.invited(*agent),
                    OfferKind::Alert => self.alerted(*agent, *offer),
                    OfferKind::Exclusive | OfferKind::Join => {}
                }
            }
            Event::OccupationChanged { agent, occupation, .. } => {
                self.occupation[agent.index as usize] = *occupation;
                let busy = |it: &&Occupation| matches!(it, Occupation::Talking | Occupation::WrapUp);
                self.staff[1] = self.occupation.iter().filter(busy).count() as f64;
            }
            _ => {}
        }
    }

    /// Time passes; what held until now goes into the curves.
    fn pass_to(&mut self, at: Instant) {
        let (from, to) = (self.now.since(Instant::ZERO), at.since(Instant::ZERO));
        let seconds = at.since(self.now).as_secs_f64();
        if from < self.setup.lasts {
            self.out.on_shift += seconds * self.staff[0];
            self.out.busy += seconds * self.staff[1].min(self.staff[0]);
        }
        if self.setup.slice.is_some() && from < self.setup.lasts {
            let to = to.min(self.setup.lasts);
            self.out.waiting.hold(from, to, &self.queued);
            self.out.staff.hold(from, to, &self.staff);
        }
        self.now = at;
    }

    fn close(mut self) -> Outcome {
        let talks = self.talks.is_empty() && self.held.is_empty();
        let empty = self.waiting.is_empty() && talks && self.judge.is_empty();
        self.out.rested = empty && self.floor.is_idle() && self.agenda.is_empty();
        self.out.judged = self.judge.judged;
        self.out.order_broken = self.judge.broken;
        self.out
    }
}

/// Callers' own streams, apart from the room's.
pub(super) const CALLERS: u64 = 0x6361_6c6c_6572_7321;
/// From the INVITE to the key of the menu: the greeting has to be heard first.
const DECLARES: Duration = Duration::from_secs(6);
/// Abandons before this are short (French indicator).
const SHORT: Duration = Duration::from_secs(15);
/// After the last possible call: who still waits then is stuck, and the outcome says so.
const LONGEST_REST: Duration = Duration::from_secs(48 * 3600);
