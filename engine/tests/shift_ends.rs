//! The end of a shift in the middle of a talk.

use engine::call::event::{Actor, Event, Intent, Occupation};
use engine::dialplan::{ClassId, Dialplan};
use engine::id::{AgentId, CallId, CentreId, QueueId, Serial, WorkId};
use engine::queue::{Arrival, Fact, Floor, Step};
use engine::site::{AgentSite, Phone, Role};
use engine::time::Instant;
use std::sync::Arc;
use std::time::Duration;

const CENTRE: CentreId = CentreId(0);
const NOUR: AgentId = AgentId { centre: CENTRE, index: 0 };
const CALL: CallId = CallId { centre: CENTRE, serial: Serial(1) };

/// Nour talks, with so much wrap-up to come.
fn talking(wrap_up: Duration) -> Floor {
    let text = include_str!("../../dialplans/samu.toml");
    let plan = Arc::new(Dialplan::parse("samu.toml", text).expect("the shipped plan is right"));
    let nour = AgentSite {
        name: "nour".to_owned(),
        role: Role::Agent,
        skills: vec!["arm".to_owned()],
        position: "P1".to_owned(),
        phone: Phone::Static { uri: String::new(), address: ([127, 0, 0, 1], 5060).into() },
        fallback: None,
        always_ready: true,
        wrap_up: Some(wrap_up),
    };
    let mut floor = Floor::new(CENTRE, 1, plan, &[nour], Duration::ZERO);
    let (work, queue) = (WorkId { centre: CENTRE, serial: Serial(1) }, QueueId { centre: CENTRE, index: 0 });
    let arrival = Arrival::live(work, CALL, queue, ClassId(0), Instant::ZERO);
    floor.handle(Instant::ZERO, Fact::Enter(Box::new(arrival)));
    let offer = floor.agent(NOUR).and_then(|nour| nour.offer).expect("the phone rings");
    floor.handle(Instant::ZERO, Fact::Taken { offer });
    floor.handle(Instant::ZERO, Fact::Connected { offer });
    while floor.poll().is_some() {}
    floor
}

/// What the log says of Nour's occupation when the talk is over.
fn after(floor: &mut Floor) -> Vec<Occupation> {
    floor.handle(Instant::ZERO + Duration::from_secs(60), Fact::EarFree { agent: NOUR, call: CALL });
    let mut told = Vec::new();
    while let Some(step) = floor.poll() {
        if let Step::Event(Event::OccupationChanged { occupation, .. }) = step {
            told.push(occupation);
        }
    }
    told
}

#[test]
fn i16_who_has_signed_out_in_a_talk_has_no_wrap_up() {
    let mut floor = talking(Duration::from_secs(30));
    let by = Actor::Agent(NOUR);
    floor.handle(Instant::ZERO, Fact::Intent { agent: NOUR, intent: Intent::SignedOut, by });
    while floor.poll().is_some() {}
    assert_eq!(after(&mut floor), [Occupation::Free]);
    assert_eq!(floor.poll_timeout(), None, "nothing is left to wait for");
}

#[test]
fn i16_without_a_wrap_up_the_agent_is_free_in_the_same_step_and_no_timer_runs() {
    let mut floor = talking(Duration::ZERO);
    assert_eq!(after(&mut floor), [Occupation::Free]);
    assert_eq!(floor.poll_timeout(), None);
}

#[test]
fn i16_who_stays_wraps_up() {
    let mut floor = talking(Duration::from_secs(30));
    assert_eq!(after(&mut floor), [Occupation::WrapUp]);
    assert_eq!(floor.poll_timeout(), Some(Instant::ZERO + Duration::from_secs(90)));
}
