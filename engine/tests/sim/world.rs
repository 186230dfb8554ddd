//! The world around the real engine: time, carriers, phones, pages, people, and a network between
//! them. Everything that comes out of the engine passes the invariants before the world hears of it.

use super::caller::{Caller, Do};
use super::house::{self, DESKS, OTHERS, TRUNK, address};
use super::invariants::{self, Broken};
use super::network::Wire;
use super::phone::Phone;
use super::plans::Rule;
use super::room::{Person, Room};
use super::scenario::{Act, Ends, Scenario};
use super::seen::{Seen, short};
use super::sip::Sip;
use engine::Engine;
use engine::call::event::{Entry, Event};
use engine::call::record::Record;
use engine::call::snapshot::CallSnapshot;
use engine::id::{AgentId, CallId, LegId, OfferId, PageId};
use engine::io::{Counter, Input, Output, Refusal};
use engine::live::board::Board;
use engine::media::{MediaCommand, MediaEvent, MediaPort};
use engine::sim::Chance;
use engine::time::{Instant, Now};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const ORIGIN: Instant = Instant::from_nanos(1_000_000_000_000);
const MONDAY: Duration = Duration::from_secs(1_795_435_200);

/// One step of the engine, as the invariants see it.
pub struct Step {
    pub at: Instant,
    pub log: Vec<Entry>,
    /// The agent whose phone, page or command made it.
    pub by: Option<usize>,
    /// Nobody in particular: a plan, a supervisor.
    pub anybody: bool,
}

/// What is to come.
pub enum Next {
    /// A message arrives.
    Arrives {
        to_engine: bool,
        at: SocketAddr,
        text: String,
    },
    Calls(usize),
    HangsUp(usize),
    CallerWakes(usize, u32),
    PhoneWakes(u16, u32),
    /// The hand on the receiver, or not: the phone's dialog.
    Lifts(u16, String),
    /// The phone has rung long enough by itself.
    RungOut(u16, String),
    Sees(usize, OfferId),
    /// The one key.
    Presses(usize),
    /// A key of the menu, in the caller's audio.
    Keys(CallId, LegId, char),
    /// Somebody who was called back hangs up.
    PersonLeaves(String),
    /// From the list.
    Picks(usize, CallId),
    Over(CallId, AgentId, Ends),
    /// What an agent does with the call in the ear.
    Acts(CallId, usize, Act),
    Silent(LegId, u16),
    Comes(usize),
    Incident(usize),
}

/// A planted fault: what of the engine's outputs is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The engine's plan lacks a rule that the room's has.
    Forgets(Rule),
    /// The engine does not know who is the better assistant.
    LevelsAlike,
    /// The engine rings whoever is idle longest, whatever the plan says.
    OneStrategy,
    /// The engine invites every page at once.
    WidensAtOnce,
    /// Who waits at the front goes elsewhere long before it is time.
    OverflowsEarly,
    /// Busy people are not told of a vital call.
    ForgetsAlerts,
    /// Nobody is called into a conversation.
    CallsNobody,
    /// A caller who was handed over is forgotten.
    ForgetsRecontact,
    /// Somebody who is back on the line is to be called all the same.
    CallsWhoIsBack,
    /// A pick before a vital item is not asked about.
    PicksUnasked,
    /// Two callers who wait are confused with each other in a decision.
    SwapsDecisions,
    /// The nth offer is not carried out, nor told.
    LosesAnOffer,
    /// A reservation is made twice.
    ReservesTwice,
    /// A caller is let go without anybody wanting it.
    DropsACaller,
    /// A line of the log is missing.
    LosesALine,
    /// A record is written twice.
    RecordsTwice,
    /// A port is never given back.
    KeepsAPort,
    /// An offer never ends.
    ForgetsAnEnd,
    /// An arrival is a second later when a caller comes back.
    MovesAnArrival,
    /// A conversation begins twice.
    ConnectsTwice,
    /// No alarm is told.
    SleepsThroughAlarms,
    /// A callback is given to the last who is free.
    CallsWithTheLast,
    /// The caller is not taken off hold when somebody was asked.
    LeavesOnHold,
    /// Whoever is asked and does not answer is asked for ever.
    AsksForEver,
}

pub struct World {
    pub scenario: Scenario,
    pub fault: Fault,
    pub engine: Engine,
    pub room: Room,
    pub(super) board: Board,
    pub(super) at: Duration,
    pub(super) wall: SystemTime,
    wire: Wire,
    pub(super) chance: Chance,
    agenda: BTreeMap<(Duration, u64), Next>,
    counter: u64,
    pub callers: Vec<Caller>,
    pub phones: BTreeMap<u16, Phone>,
    pub(super) pages: Vec<Page>,
    pub snapshots: BTreeMap<CallId, CallSnapshot>,
    pub logs: HashMap<CallId, Vec<Entry>>,
    pub records: Vec<Record>,
    /// Calls by their callers' place.
    pub call_of: BTreeMap<usize, CallId>,
    pub(super) arrivals: usize,
    pub(super) offered: Vec<u64>,
    seq: u64,
    pub(super) ports: HashMap<LegId, MediaPort>,
    pub(super) on_page: HashMap<LegId, PageId>,
    pub(super) joined: HashMap<LegId, engine::id::BridgeId>,
    replies: VecDeque<MediaEvent>,
    pub(super) plans: u32,
    pub(super) commands: u64,
    /// What became of the last command.
    pub(super) outcome: Result<u64, Refusal>,
    pub faults: u32,
    /// Lines told so far, when a fault renumbers them.
    pub told: u64,
    pub seen: Seen,
    /// Everything told, with its time, in seconds.
    pub times: Vec<f64>,
    pub events: Vec<Event>,
    pub broken: Option<Broken>,
}

/// An agent's browser.
#[derive(Default)]
pub struct Page {
    pub here: bool,
    pub frozen: bool,
    pub id: Option<PageId>,
    pub pressing: bool,
}

impl World {
    /// What was told, a line each, with ids short enough to be followed by eye.
    pub fn story(&self) -> Vec<String> {
        let line = |(at, event): (&f64, &Event)| format!("{at:9.3} {}", short(&format!("{event:?}")));
        self.times.iter().zip(&self.events).map(line).collect()
    }

    pub fn new(scenario: Scenario, fault: Fault) -> World {
        let told = scenario.plans[1 % scenario.plans.len()].read(1);
        let plan = house::plan(&scenario.plans[1 % scenario.plans.len()], 1, fault);
        let agents = house::roster(&scenario);
        let site = house::site(Arc::clone(&plan), house::as_engine_has(agents.clone(), fault));
        let cast = house::cast(&plan, agents.clone());
        let people = agents.iter().map(Person::of).collect();
        let callers = scenario.callers.iter().map(|it| Caller::new(it.clone(), address(TRUNK))).collect();
        let desk = |(ix, script): (usize, &super::scenario::AgentScript)| {
            let port = if script.page { OTHERS } else { DESKS } + u16::try_from(ix).expect("few");
            (port, Phone::new(address(port)))
        };
        World {
            fault,
            engine: Engine::new(site, scenario.seed),
            room: Room::new(told, people),
            board: Board::new(cast, 1),
            at: Duration::ZERO,
            wall: SystemTime::UNIX_EPOCH + MONDAY,
            wire: Wire::new(scenario.network, scenario.seed),
            chance: Chance::new(scenario.seed).fork(7),
            agenda: BTreeMap::new(),
            counter: 0,
            callers,
            phones: scenario.agents.iter().enumerate().map(desk).chain([house::telephones()]).collect(),
            pages: scenario.agents.iter().map(|_| Page::default()).collect(),
            snapshots: BTreeMap::new(),
            logs: HashMap::new(),
            records: Vec::new(),
            call_of: BTreeMap::new(),
            arrivals: 0,
            offered: vec![0; scenario.agents.len()],
            seq: 0,
            ports: HashMap::new(),
            on_page: HashMap::new(),
            joined: HashMap::new(),
            replies: VecDeque::new(),
            plans: 1,
            commands: 0,
            outcome: Ok(0),
            faults: 0,
            told: 0,
            seen: Seen::default(),
            times: Vec::new(),
            events: Vec::new(),
            broken: None,
            scenario,
        }
    }

    pub fn now(&self) -> Instant {
        ORIGIN + self.at
    }

    pub fn break_on(&mut self, held: Result<(), Broken>) {
        if let (Err(broken), None) = (held, &self.broken) {
            self.broken = Some(broken);
        }
    }

    pub fn fails(&mut self, invariant: &'static str, how: String) {
        self.break_on(Err(Broken { invariant, how }));
    }

    pub fn plan_in(&mut self, after: Duration, next: Next) {
        self.counter += 1;
        self.agenda.insert((self.at + after, self.counter), next);
    }

    /// The whole evening, to the last timer.
    pub fn play(&mut self) {
        let port = |index: u16| {
            let rtp = address(20_000 + 2 * index);
            MediaPort::as_bound(rtp, index % 2)
        };
        self.input(Input::Media(MediaEvent::Ports((0..120).map(port).collect())), None, true);
        for ix in 0..self.scenario.agents.len() {
            self.plan_in(Duration::from_millis(100 * ix as u64), Next::Comes(ix));
        }
        for ix in 0..self.callers.len() {
            self.plan_in(self.callers[ix].script.at, Next::Calls(ix));
        }
        for ix in 0..self.scenario.incidents.len() {
            self.plan_in(self.scenario.incidents[ix].at, Next::Incident(ix));
        }
        for _ in 0..200_000 {
            if self.broken.is_some() || !self.goes_on() {
                return self.rests();
            }
        }
        self.fails("I22", "deadlines without end".to_owned());
    }

    fn goes_on(&mut self) -> bool {
        let next = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let due = self.engine.poll_timeout().map(|at| at.since(ORIGIN));
        match (next, due) {
            (Some(next), due) if due.is_none_or(|due| next <= due) => {
                self.at = self.at.max(next);
                if let Some((_, next)) = self.agenda.pop_first() {
                    self.happens(next);
                }
                true
            }
            // An hour after everything is over no deadline may be left.
            (_, Some(due)) if due < super::scenario::EVENING + Duration::from_secs(3_600) => {
                let asked = due;
                self.at = self.at.max(due);
                self.input(Input::Due, None, false);
                let next = self.engine.poll_timeout().map(|at| at.since(ORIGIN));
                if next.is_some_and(|next| next <= asked) {
                    self.fails("I22", format!("what was due at {asked:?} is due again"));
                }
                true
            }
            _ => false,
        }
    }

    /// One step of the engine, and those the media plane's own reactions make.
    pub fn input(&mut self, input: Input<'_>, by: Option<usize>, anybody: bool) {
        self.step(input, by, anybody);
        while let Some(event) = self.replies.pop_front() {
            let by = match &event {
                MediaEvent::PageUp { page } => self.pages.iter().position(|it| it.id == Some(*page)),
                _ => by,
            };
            self.step(Input::Media(event), by, anybody);
        }
    }

    fn step(&mut self, input: Input<'_>, by: Option<usize>, anybody: bool) {
        self.seen.steps += 1;
        let now = Now { at: self.now(), utc: self.wall + self.at };
        self.engine.handle_input(now, input);
        let mut outputs = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            outputs.push(output);
        }
        let outputs = super::fault::spoil(self, outputs);
        if outputs.len() > 2_000 {
            self.fails("I19", format!("a step of {} outputs", outputs.len()));
        }
        let mut log = Vec::new();
        for output in outputs {
            self.takes(output, &mut log);
        }
        self.room.taken = (self.snapshots.values().filter_map(|it| it.talk.as_ref()))
            .filter(|talk| !talk.connected)
            .map(|talk| talk.agent.index as usize)
            .collect();
        self.room.watch_ways_out(now.at, true);
        let step = Step { at: now.at, log, by, anybody };
        let held = invariants::of_step(&self.room, &step)
            .and_then(|()| self.legs_end_with_calls(&step))
            .and_then(|()| self.i03_hears_somebody());
        self.break_on(held);
        for entry in &step.log {
            self.reacts(&entry.event);
        }
    }

    /// I5: with a call, every leg of it ends in the same step.
    fn legs_end_with_calls(&self, step: &Step) -> Result<(), Broken> {
        for entry in &step.log {
            let Event::Ended { call, .. } = &entry.event else { continue };
            let legs = self.snapshots.get(call).map(|it| it.legs.iter().map(|leg| leg.leg)).into_iter();
            for leg in legs.flatten() {
                if self.ports.contains_key(&leg) || self.on_page.contains_key(&leg) {
                    let how = format!("{call} is over and its leg {leg} is not");
                    return Err(Broken { invariant: "I5", how });
                }
            }
        }
        Ok(())
    }

    fn takes(&mut self, output: Output, log: &mut Vec<Entry>) {
        match output {
            Output::Transmit(out) => {
                let text = String::from_utf8(out.bytes.to_vec()).expect("what we send is UTF-8");
                self.sent(out.flow.remote, text);
            }
            Output::Media(command) => self.plane(&command),
            Output::Logged(entry) => {
                self.logged(&entry);
                log.push(entry);
            }
            Output::Journal(snapshot) => drop(self.snapshots.insert(snapshot.call, *snapshot)),
            Output::Forget(call) => self.forgotten(call),
            Output::Record(record) => self.recorded(*record),
            Output::Counted(Counter::Never(what)) => self.fails("I19", what.to_owned()),
            Output::Outcome(outcome) => self.outcome = outcome.result,
            // No evening is cut short: callbacks and events over a restart are `tests/restart.rs`.
            Output::JournalMajor(_) | Output::ForgetMajor(_) => {}
            Output::Counted(_) | Output::PageSdp { .. } | Output::PageUnheard { .. } => {}
        }
    }

    fn forgotten(&mut self, call: CallId) {
        if self.room.calls.contains_key(&call) {
            self.fails("I6", format!("{call} is forgotten and not over"));
        }
    }

    /// I27: a record is what its log says, and there is one.
    fn recorded(&mut self, record: Record) {
        let entries = self.logs.remove(&record.call).unwrap_or_default();
        let mut told = entries.first().and_then(Record::open);
        if let Some(told) = &mut told {
            entries.iter().for_each(|entry| told.apply(entry));
        }
        if told.as_ref() != Some(&record) {
            self.fails("I27", format!("the record of {} is not what its log says", record.call));
        }
        self.records.push(record);
    }

    fn logged(&mut self, entry: &Entry) {
        if entry.seq != self.seq + 1 {
            self.fails("I25", format!("line {} follows line {}", entry.seq, self.seq));
        }
        self.seq = entry.seq;
        let held = invariants::of_entry(&self.room, entry).and_then(|()| self.bridged(&entry.event));
        self.break_on(held);
        if let Some(call) = self.room.call_of(&entry.event) {
            self.logs.entry(call).or_default().push(entry.clone());
        }
        self.board.fold(entry);
        self.room.fold(entry);
        self.seen.count(&entry.event);
        self.times.push(self.at.as_secs_f64());
        self.events.push(entry.event.clone());
    }

    /// I3: the caller leaves the queue into a conversation both are in.
    fn bridged(&self, event: &Event) -> Result<(), Broken> {
        let Event::Connected { call, leg, bridge, .. } = event else { return Ok(()) };
        let caller = self.snapshots.get(call).and_then(|it| it.legs.first()).map(|it| it.leg);
        let both = [Some(*leg), caller].iter().flatten().all(|leg| self.joined.get(leg) == Some(bridge));
        if both {
            return Ok(());
        }
        Err(Broken { invariant: "I3", how: format!("{call} is connected and not bridged") })
    }

    /// A message of ours goes out.
    fn sent(&mut self, to: SocketAddr, text: String) {
        let sip = Sip::read(text.as_bytes());
        let refused = sip.about() == "INVITE" && sip.code().is_some_and(|code| code >= 400 && code != 487);
        if to.port() == TRUNK && refused {
            self.fails("I9", format!("a trunk's call is answered {}", sip.start));
        }
        self.carry(false, to, &sip, text);
    }

    fn carry(&mut self, to_engine: bool, at: SocketAddr, sip: &Sip, text: String) {
        for late in self.wire.fate(to_engine, sip) {
            self.plan_in(late, Next::Arrives { to_engine, at, text: text.clone() });
        }
    }

    pub fn does(&mut self, at: SocketAddr, todo: Vec<Do>, wake: impl Fn(u32) -> Next) {
        for it in todo {
            match it {
                Do::Send(text) => {
                    let sip = Sip::read(text.as_bytes());
                    self.carry(true, at, &sip, text);
                }
                Do::Wake(after, number) => self.plan_in(after, wake(number)),
            }
        }
    }

    fn plane(&mut self, command: &MediaCommand) {
        match command {
            MediaCommand::Open { leg, port, .. } => drop(self.ports.insert(*leg, *port)),
            MediaCommand::Close { leg } => {
                self.joined.remove(leg);
                if self.on_page.remove(leg).is_some() {
                    return;
                }
                match self.ports.remove(leg) {
                    Some(port) => self.replies.push_back(MediaEvent::Ports(vec![port])),
                    None => self.fails("I23", format!("{leg} is closed and was not open")),
                }
            }
            MediaCommand::PageOpen { page, .. } => {
                self.paged(*page);
                let (page, answer) = (*page, String::from("v=0"));
                self.replies.push_back(MediaEvent::PageAnswered { page, answer });
                self.replies.push_back(MediaEvent::PageUp { page });
            }
            MediaCommand::OpenOnPage { leg, page } => {
                if self.on_page.values().any(|other| other == page) {
                    self.fails("I1", format!("{page} carries two legs"));
                }
                self.on_page.insert(*leg, *page);
            }
            MediaCommand::Join { leg, bridge } => drop(self.joined.insert(*leg, *bridge)),
            MediaCommand::Leave { leg } => drop(self.joined.remove(leg)),
            _ => {}
        }
    }
}
