//! No store stands between an event and an offer, and what a store could not take is not lost.

mod common;

use common::{Node, Phones, eventually, free_udp};
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
