//! No store stands between an event and an offer, and what a store could not take is not lost.

mod common;

use common::{Node, PLAN, Phones, eventually, free_udp};
use rusqlite::Connection;
use std::time::Duration;

/// Opens the records beside the node that writes them.
fn records(node: &Node) -> Connection {
    let connection = Connection::open(node.folder().join("state/records.sqlite")).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    connection
}

fn count(records: &Connection) -> i64 {
    records.query_row("SELECT count(*) FROM record", [], |row| row.get(0)).unwrap_or(-1)
}

#[test]
fn i21_with_the_records_dead_calls_go_on_and_every_record_comes_later() {
    let first = free_udp(1);
    let node = Node::start(Phones::Static { first, count: 1 });
    let records = records(&node);
    records.execute_batch("ALTER TABLE record RENAME TO away").unwrap();

    let report = node
        .load(&format!("--count 3 --rate 1 --talk 0.5 --ring 0 --phones 1 --phone-port {first} --seconds 25"))
        .report();
    assert_eq!((&report["completed"], &report["failed"]), (&3.into(), &0.into()), "{report}");
    assert_eq!(count(&records), -1, "the records were dead all the while");
    eventually("the backlog shows", || node.metric("bandeau_store_unwritten") >= 3.0);

    records.execute_batch("ALTER TABLE away RENAME TO record").unwrap();
    eventually("every record is there", || count(&records) == 3);
    eventually("the backlog is gone", || node.metric("bandeau_store_unwritten") == 0.0);
}

/// The first cause of the records.
fn causes(records: &Connection) -> Vec<String> {
    let mut statement = records.prepare("SELECT cause FROM record").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Journals that are there.
fn journals(node: &Node) -> Vec<String> {
    let names = std::fs::read_dir(node.folder().join("state")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("journal-")).collect()
}

#[test]
fn i21_kill_9_and_the_next_start_calls_back_who_was_cut_off_and_goes_on_with_the_major_event() {
    let plan = format!("{PLAN}\n[callback]\ntrunk = \"test-trunk\"\nkeep = \"1h\"\n");
    let mut node = Node::start_edited(Phones::Registered, &plan, |text, _| {
        // `printf %s chief | sha256sum`
        let token = "9285827b8031a1dbe7d1d04eb8a08c8891ee424a8002cfc7dd2df3d82cbff611";
        format!("{text}\n[[access]]\nname = \"chief\"\nrole = \"supervisor\"\ntoken_sha256 = \"{token}\"\n")
    });
    let open = |id: &str| {
        format!(
            r#"{{"id":"{id}","verb":{{"type":"open_major","name":"flood","tags":["flood"],"numbers":[],"queue":"front","team":["a0"],"rest":[]}}}}"#
        )
    };
    let answer = node.command("chief", &open("1"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let callers = node.load("--count 2 --rate 5 --phones 0 --seconds 60");
    eventually("two callers wait", || node.metric_of("bandeau_waiting", "queue=\"front\"") >= 2.0);
    eventually("all is in the journal", || node.metric("bandeau_store_unwritten") == 0.0);
    let before = journals(&node);
    assert_eq!(before.len(), 1);

    node.kill_and_start_again();
    drop(callers);
    let records = records(&node);
    eventually("each call has its record", || count(&records) == 2);
    assert_eq!(causes(&records), ["network", "network"]);
    assert!(node.log().contains("calls of an earlier start were cut off"), "the operator is told");
    eventually("both are to be called", || node.metric_of("bandeau_waiting", "queue=\"front\"") >= 2.0);
    let answer = node.command("chief", &open("2"));
    assert!(answer.contains("busy"), "its team serves the event still: {answer}");
    eventually("the earlier journal is gone", || !journals(&node).contains(&before[0]));

    // Once more: nothing but callbacks and the event is left, and both go on.
    node.kill_and_start_again();
    eventually("both are to be called", || node.metric_of("bandeau_waiting", "queue=\"front\"") >= 2.0);
    assert_eq!(count(&records), 2, "and nothing has been told twice");
    assert!(node.command("chief", &open("3")).contains("busy"));
    eventually("only the journal of this start is left", || journals(&node).len() == 1);
}
