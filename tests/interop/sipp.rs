//! SIPp as a carrier: its own scenarios, and ours in `sipp/`.

use crate::common::{Folder, Node, PLAN, Phones, free_tcp, free_udp, local};
use crate::table::row;
use std::net::SocketAddr;
use std::process::Command;

const SIPP: (&str, &str) = ("sipp", "-v");

/// A node whose phone answers every call, and where it takes TCP.
fn node() -> (Node, SocketAddr, u16) {
    let (first, tcp) = (free_udp(1), free_tcp());
    let node = Node::start_edited(Phones::Static { first, count: 1 }, PLAN, |text, _| {
        text.replace("\"]\n\n[media]", &format!("\", \"tcp:127.0.0.1:{tcp}\"]\n\n[media]"))
    });
    (node, local(tcp), first)
}

/// Runs SIPp to its end; it must have had all its calls as its scenario says.
fn run(target: SocketAddr, transport: &str, scenario: &[&str], calls: u32) {
    let folder = Folder::new();
    let (port, calls) = (free_udp(2), calls.to_string());
    let output = Command::new("sipp")
        .args(scenario)
        .args([
            "-s",
            "15",
            "-m",
            &calls,
            "-r",
            "2",
            "-i",
            "127.0.0.1",
            "-p",
            &port.to_string(),
            "-t",
            transport,
        ])
        .args(["-nostdin", "-timeout", "25s", "-timeout_error", "-trace_err", "-error_file", "errors"])
        .arg(target.to_string())
        .current_dir(&folder.0)
        .env("TERM", "dumb")
        .output()
        .expect("sipp is installed by scripts/setup.sh");
    let errors = std::fs::read_to_string(folder.0.join("errors")).unwrap_or_default();
    assert!(output.status.success(), "{errors}\n{}", String::from_utf8_lossy(&output.stdout));
}

fn scenario(name: &str) -> String {
    format!("{}/tests/interop/sipp/{name}.xml", env!("CARGO_MANIFEST_DIR"))
}

/// Runs one of our scenarios over datagrams and over TCP.
fn both(name: &str) {
    let (node, tcp, first) = node();
    let phone = node.phones(first, "--phones 1 --ring 0 --seconds 40");
    let file = scenario(name);
    for (target, transport) in [(node.sip, "u1"), (tcp, "t1")] {
        run(target, transport, &["-sf", &file], 2);
    }
    drop(phone);
    assert_eq!(node.metric_of("bandeau_sip_refused_total", "peer=\"trunk\""), 0.0);
    assert_eq!(node.metric("bandeau_never_total"), 0.0);
}

#[test]
fn its_own_caller_passes_over_tcp() {
    let _row = row("SIPp", SIPP, "built-in caller over TCP");
    let (node, tcp, first) = node();
    let phone = node.phones(first, "--phones 1 --ring 0 --seconds 12");
    run(tcp, "t1", &["-sn", "uac", "-d", "500"], 3);
    assert!(phone.report()["phones_answered"].as_u64().is_some_and(|answered| answered >= 1));
}

#[test]
#[ignore = "make test-all"]
fn a_hold_and_its_end_are_answered() {
    let _row = row("SIPp", SIPP, "re-INVITE: hold and resume, UDP and TCP");
    both("hold");
}

#[test]
#[ignore = "make test-all"]
fn an_answer_is_repeated_until_its_lost_ack_comes() {
    let _row = row("SIPp", SIPP, "lost ACK: the answer is repeated");
    let (node, _, _) = node();
    run(node.sip, "u1", &["-nr", "-sf", &scenario("lost_ack")], 2);
}

#[test]
#[ignore = "make test-all"]
fn a_cancel_that_comes_after_the_answer_ends_nothing() {
    let _row = row("SIPp", SIPP, "late CANCEL: the call goes on, UDP and TCP");
    both("late_cancel");
}

#[test]
#[ignore = "make test-all"]
fn either_law_alone_is_answered_with_it() {
    let _row = row("SIPp", SIPP, "A-law alone, mu-law alone, both, UDP and TCP");
    for law in ["a_law", "mu_law", "both_laws"] {
        both(law);
    }
}

#[test]
#[ignore = "make test-all"]
fn an_update_within_a_call_is_answered() {
    let _row = row("SIPp", SIPP, "UPDATE within a call, UDP and TCP");
    both("update");
}

#[test]
#[ignore = "make test-all"]
fn a_bye_that_was_lost_comes_again_and_is_answered() {
    let _row = row("SIPp", SIPP, "lost BYE: repeated and answered once");
    let (node, _, _) = node();
    run(node.sip, "u1", &["-sf", &scenario("lost_bye")], 2);
}
