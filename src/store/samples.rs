//! Calls for the store's own tests.

use engine::call::event::MajorCounts;
use engine::call::record::{RECORD_VERSION, Record};
use engine::call::snapshot::{CallSnapshot, MajorSnapshot, SNAPSHOT_VERSION};
use engine::id::{CallId, CentreId, MajorId, Serial};
use engine::time::Instant;
use std::time::{Duration, SystemTime};

pub(crate) fn record(n: u64) -> Record {
    Record {
        version: RECORD_VERSION,
        call: CallId { centre: CentreId(0), serial: Serial(n) },
        trunk: "otn".to_owned(),
        called: "15".to_owned(),
        service: "samu".to_owned(),
        caller: engine::call::event::Private("0600000001".to_owned()),
        caller_name: None,
        withheld: false,
        sip_call_id: engine::call::event::Private(format!("sample-{n}")),
        signed: None,
        arrived: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000 + n),
        arrived_at: Instant::from_nanos(n),
        route: "default".to_owned(),
        modifiers: Vec::new(),
        queue: "front".to_owned(),
        class: "unqualified".to_owned(),
        plan: "1".to_owned(),
        anchored: None,
        answered: None,
        stages: Vec::new(),
        qualifications: Vec::new(),
        attempts: Vec::new(),
        attempts_count: 0,
        notes: Vec::new(),
        conversations: Vec::new(),
        others: Vec::new(),
        wanted: Vec::new(),
        consults: Vec::new(),
        waited: Duration::from_secs(3),
        talked: Duration::ZERO,
        ended: None,
        lasted: Duration::ZERO,
        ended_by: None,
        cause: None,
        words: Vec::new(),
        disposition: None,
        course: Default::default(),
    }
}

pub(super) fn snapshot(n: u64, class: &str) -> CallSnapshot {
    CallSnapshot {
        version: SNAPSHOT_VERSION,
        call: record(n).call,
        at: Instant::from_nanos(n),
        plan: "1".to_owned(),
        class: class.to_owned(),
        qualified: false,
        work: None,
        talk: None,
        lost: false,
        aside: None,
        handed: None,
        consult: None,
        test: false,
        hold_sound: String::new(),
        answer_by: None,
        legs: Vec::new(),
        course: Default::default(),
        record: record(n),
    }
}

pub(super) fn major(n: u64, calls: u64) -> MajorSnapshot {
    MajorSnapshot {
        version: SNAPSHOT_VERSION,
        event: MajorId { centre: CentreId(0), serial: Serial(n) },
        name: "flood".to_owned(),
        tags: vec!["flood".to_owned()],
        numbers: Vec::new(),
        queue: Some("crisis".to_owned()),
        team: vec!["nour".to_owned()],
        rest: Vec::new(),
        counts: MajorCounts { since: Instant::from_nanos(n), calls, answered: 0, abandoned: 0 },
    }
}
