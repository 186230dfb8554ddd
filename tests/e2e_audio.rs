//! Real audio, decoded at both ends: a caller says 1 kHz, the phone answers with 700 Hz.

mod common;

use common::{Node, Phones, free_udp};
use serde_json::Value;

/// Plays two calls to one phone and tells what each side heard.
fn two_calls(more: &str) -> Value {
    let first = free_udp(1);
    let node = Node::start(Phones::Static { first, count: 1 });
    let args = format!(
        "--count 2 --rate 0.5 --talk 1.5 --ring 0.2 --phones 1 --phone-port {first} --seconds 30 {more}"
    );
    node.load(&args).report()
}

/// Both ends of both calls heard the other's tone within a second of the answer.
fn both_ways(report: &Value) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what}: {report}"));
    if report["answered"] != 2 || report["failed"] != 0 || report["phones_answered"] != 2 {
        return wrong("not every call was answered");
    }
    if report["callers_heard_phone"] != 2 {
        return wrong("a caller did not hear the phone");
    }
    if report["phones_heard_caller"] != 2 {
        return wrong("a phone did not hear its caller");
    }
    // At the phone the answer is its own 200, so this is the delay of a person who picks up.
    if !report["phone_tone_ms"]["max"].as_f64().is_some_and(|max| max < 1_000.0) {
        return wrong("a phone heard its caller too late");
    }
    Ok(())
}

#[test]
fn i33_both_ends_hear_each_other_within_a_second_of_the_answer() {
    both_ways(&two_calls("")).unwrap();
}

#[test]
fn i33_a_mu_law_only_caller_and_an_a_law_phone_hear_each_other() {
    both_ways(&two_calls("--mu-law")).unwrap();
}

#[test]
fn i33_a_planted_one_way_fault_is_noticed() {
    let report = two_calls("--mute-phones --patience 3 --phone-talk 2");
    let error = both_ways(&report).unwrap_err();
    assert!(error.contains("a caller did not hear the phone"), "{error}");
    assert_eq!(report["phones_heard_caller"], 2, "the other way still works");
}
