//! `bandeau replay`: which recorded calls would have gone elsewhere with another plan.
//!
//! Earlier calls of the same person are found in the records themselves. What a record does not keep
//! (headers, service URNs beside a number, places, how the centre stood) is taken to be so again.

use anyhow::{Context, ensure};
use engine::call::record::Record;
use engine::dialplan::{Dialplan, Earlier, Facts, Repeat, Room};
use serde::Serialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// `bandeau replay`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The dialplan to try
    plan: PathBuf,
    /// Records as `bandeau records export` prints them: one JSON object a line, in any order
    #[arg(long)]
    records: PathBuf,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
}

/// What of a record decides a call again: a winter of whole records would fill the memory.
struct Past {
    call: String,
    called: String,
    trunk: String,
    caller: String,
    withheld: bool,
    arrived: SystemTime,
    ended: Option<SystemTime>,
    waited: Duration,
    answered: bool,
    plan: String,
    route: String,
    modifiers: Vec<String>,
    /// `None`: the record is older than the note of its queue.
    queue: Option<String>,
    /// The class the plan gave; of older records, the one it entered its first queue with. `None`: turned
    /// away before any plan was asked.
    class: Option<String>,
}

impl From<Record> for Past {
    fn from(record: Record) -> Past {
        let noted = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
        Past {
            call: record.call.to_string(),
            queue: noted(&record.queue),
            class: noted(&record.class).or_else(|| record.stages.first().map(|stage| stage.class.clone())),
            answered: !record.conversations.is_empty()
                || record.course.outlets.iter().any(|it| it.answered.is_some()),
            called: record.called,
            trunk: record.trunk,
            caller: record.caller.0,
            withheld: record.withheld,
            arrived: record.arrived,
            ended: record.ended,
            waited: record.waited,
            plan: record.plan,
            route: record.route,
            modifiers: record.modifiers,
        }
    }
}

/// One call that would have gone elsewhere. Holds no number and no name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Otherwise {
    call: String,
    called: String,
    plan: String,
    route: [String; 2],
    queue: [String; 2],
    class: [String; 2],
    modifiers: [Vec<String>; 2],
}

/// Tries every record on `out`. Gives how many calls would have gone elsewhere.
///
/// # Errors
/// When the plan or the records cannot be read, with the line.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<usize> {
    let plan = super::read(&args.plan)?;
    let records = records(&args.records)?;
    let mut latest: HashMap<&str, &Past> = HashMap::new();
    let (mut routes, mut queues, mut classes, mut elsewhere) = (0, 0, 0, 0);
    for record in &records {
        let person = record.caller.as_str();
        let earlier = latest.get(person).copied();
        if let Some(one) = again(&plan, record, earlier) {
            routes += usize::from(one.route[0] != one.route[1]);
            queues += usize::from(one.queue[0] != one.queue[1]);
            classes += usize::from(one.class[0] != one.class[1]);
            elsewhere += 1;
            tell(&one, args.json, out)?;
        }
        if !person.is_empty() && !record.withheld {
            latest.insert(person, record);
        }
    }
    if !args.json {
        writeln!(
            out,
            "{} calls: {elsewhere} would have gone elsewhere ({routes} by another route, {queues} to another queue, \
             {classes} with another class)",
            records.len(),
        )?;
    }
    Ok(elsewhere)
}

fn tell(one: &Otherwise, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        return Ok(writeln!(out, "{}", serde_json::to_string(one)?)?);
    }
    let Otherwise { call, called, plan, route, queue, class, modifiers } = one;
    writeln!(out, "{call} to {called}, decided by version {plan}")?;
    let mut change = |what: &str, was: &str, is: &str| match was == is {
        true => Ok(()),
        false => writeln!(out, "    {what}: {was} -> {is}"),
    };
    change("route", &route[0], &route[1])?;
    change("queue", &queue[0], &queue[1])?;
    change("class", &class[0], &class[1])?;
    let names = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    change("modifiers", &names(&modifiers[0]), &names(&modifiers[1]))?;
    Ok(())
}

/// The call decided again; `None` when it goes where it went.
fn again(plan: &Dialplan, record: &Past, earlier: Option<&Past>) -> Option<Otherwise> {
    let facts = Facts {
        called: &record.called,
        urn: record.called.to_ascii_lowercase().starts_with("urn:").then_some(&record.called),
        trunk: &record.trunk,
        caller: Some(record.caller.as_str()).filter(|number| !number.is_empty()),
        withheld: record.withheld,
        utc: record.arrived,
        repeat: earlier.and_then(|earlier| repeat(record, earlier)),
        headers: &[],
        location: None,
        room: Room::default(),
    };
    let routed = plan.route_again(&facts, &record.route, &record.modifiers);
    let class = plan.class(routed.class).map(|class| class.name.clone()).unwrap_or_default();
    let modifiers: Vec<String> = routed.modifiers.iter().map(|&name| name.to_owned()).collect();
    if record.route.is_empty() {
        return None; // a callback, or turned away: no plan was asked
    }
    let was = record.class.clone()?;
    let queue = plan.queue_name(routed.queue).to_owned();
    let stood = record.queue.clone().unwrap_or_else(|| queue.clone());
    let same =
        routed.route == record.route && queue == stood && class == was && modifiers == record.modifiers;
    (!same).then(|| Otherwise {
        call: record.call.clone(),
        called: record.called.clone(),
        plan: record.plan.clone(),
        route: [record.route.clone(), routed.route.to_owned()],
        queue: [stood, queue],
        class: [was, class],
        modifiers: [record.modifiers.clone(), modifiers],
    })
}

/// An earlier call of the same person, if it was over when this one came.
fn repeat(record: &Past, earlier: &Past) -> Option<Repeat> {
    let ago = record.arrived.duration_since(earlier.ended?).ok()?;
    let outcome = if earlier.answered { Earlier::Answered } else { Earlier::Abandoned };
    Some(Repeat { outcome, ago, waited: earlier.waited })
}

/// Every record of a file, in the order of arrival.
fn records(path: &Path) -> anyhow::Result<Vec<Past>> {
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| {
        format!("cannot read the records in `{name}`: write them with `bandeau records export`")
    })?;
    let mut records = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.with_context(|| format!("cannot read line {number} of `{name}`"))?;
        if line.trim().is_empty() {
            continue;
        }
        let record: Record = serde_json::from_str(&line).with_context(|| {
            format!("{name}:{number}: this is no record: one JSON object a line is needed")
        })?;
        records.push(Past::from(record));
    }
    ensure!(!records.is_empty(), "there is no record in `{name}`");
    records.sort_by_key(|record| record.arrived);
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples;
    use engine::call::event::Private;
    use engine::call::record::{Conversation, Stage};
    use engine::id::{AgentId, CentreId, QueueId, Serial, WorkId};

    /// 2026-11-23 at 10:00 in Paris, a Monday, and so many seconds later.
    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_424_400 + seconds)
    }

    /// A call to 15 that came after so many seconds, as the shipped plan decided it.
    fn record(n: u64, seconds: u64) -> Record {
        let centre = CentreId(0);
        let stage = Stage {
            work: WorkId { centre, serial: Serial(n) },
            queue: QueueId { centre, index: 0 },
            class: "unqualified".into(),
            entered: Duration::ZERO,
            left: None,
            again: false,
            stage: String::new(),
            answered: None,
            by: None,
        };
        Record {
            caller: Private("+33612345678".into()),
            arrived: at(seconds),
            stages: vec![stage],
            waited: Duration::from_secs(40),
            ended: Some(at(seconds + 60)),
            ..samples::record(n)
        }
    }

    fn talked(mut record: Record) -> Record {
        let agent = AgentId { centre: CentreId(0), index: 0 };
        record.conversations.push(Conversation { agent, from: Duration::ZERO, until: None, loss: None });
        record
    }

    /// What `bandeau replay` says of these records and the shipped plan.
    #[track_caller]
    fn replay(name: &str, records: &[Record], json: bool) -> Result<(usize, String), String> {
        let lines = records.iter().map(|record| serde_json::to_string(record).expect("plain data") + "\n");
        replay_text(name, &lines.collect::<String>(), json)
    }

    fn replay_text(name: &str, text: &str, json: bool) -> Result<(usize, String), String> {
        let path = std::env::temp_dir().join(format!("bandeau-replay-{name}-{}.jsonl", std::process::id()));
        std::fs::write(&path, text).expect("written");
        let args = Args { plan: "dialplans/samu.toml".into(), records: path.clone(), json };
        let mut out = Vec::new();
        let done = run(&args, &mut out).map_err(|error| format!("{error:#}"));
        let _ = std::fs::remove_file(path);
        Ok((done?, String::from_utf8(out).expect("UTF-8")))
    }

    #[test]
    fn calls_that_go_where_they_went_are_only_counted() {
        let said = replay("same", &[record(1, 0), record(2, 7200)], false).expect("replayed");
        let words = "2 calls: 0 would have gone elsewhere (0 by another route, 0 to another queue, 0 with another \
                     class)\n";
        assert_eq!(said, (0, words.to_owned()));
    }

    #[test]
    fn earlier_calls_are_found_in_the_records_in_any_order() {
        let (count, said) =
            replay("repeat", &[record(2, 600), talked(record(1, 0))], false).expect("replayed");
        assert_eq!(count, 1, "{said}");
        assert!(said.contains("class: unqualified -> partner"), "{said}");
        assert!(said.contains("modifiers: none -> called back after being answered"), "{said}");
        assert!(!said.contains("612345678"), "no number is printed: {said}");
        let cut_off = replay("cut-off", &[record(1, 0), record(2, 120)], false).expect("replayed");
        assert!(cut_off.1.contains("modifiers: none -> cut off while waiting"), "{}", cut_off.1);
        let mut withheld = [talked(record(1, 0)), record(2, 600)];
        withheld.iter_mut().for_each(|record| record.withheld = true);
        assert_eq!(replay("withheld", &withheld, false).expect("replayed").0, 0);
    }

    #[test]
    fn what_a_record_does_not_keep_is_taken_to_be_so_again() {
        let mut ecall = record(1, 0);
        ecall.called = "+33388000015".into();
        ecall.modifiers = vec!["automatic eCall".into()];
        ecall.class = "vital".into();
        assert_eq!(replay("ecall", &[ecall.clone()], false).expect("replayed").0, 0);
        ecall.modifiers = vec!["a modifier that is no more".into()];
        let (count, said) = replay("gone", &[ecall], true).expect("replayed");
        assert_eq!(count, 1);
        let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(json["class"], serde_json::json!(["vital", "unqualified"]));
    }

    #[test]
    fn another_queue_of_the_same_route_is_elsewhere() {
        let mut moved = record(1, 0);
        moved.queue = "regulation".into();
        let (count, said) = replay("moved", &[moved.clone()], false).expect("replayed");
        assert_eq!(count, 1, "{said}");
        assert!(said.contains("queue: regulation -> front"), "{said}");
        assert!(said.contains("(0 by another route, 1 to another queue, 0 with another class)"), "{said}");
        moved.queue = String::new();
        assert_eq!(replay("unnoted", &[moved], false).expect("replayed").0, 0, "an older record cannot tell");
    }

    #[test]
    fn what_a_person_or_an_earlier_call_said_of_the_class_is_not_the_plans_doing() {
        let mut raised = record(1, 0);
        raised.stages[0].class = "vital".into();
        assert_eq!(replay("raised", &[raised], false).expect("replayed").0, 0);
    }

    #[test]
    fn a_line_that_is_no_record_is_named() {
        let wrong = replay_text("wrong", "{}\n", false).expect_err("refused");
        assert!(wrong.contains(":1: this is no record"), "{wrong}");
        let empty = replay_text("empty", "\n", false).expect_err("refused");
        assert!(empty.starts_with("there is no record in"), "{empty}");
        let args = Args { plan: "dialplans/samu.toml".into(), records: "nobody.jsonl".into(), json: false };
        let missing = format!("{:#}", run(&args, &mut Vec::new()).expect_err("refused"));
        assert!(missing.contains("bandeau records export"), "{missing}");
    }
}
