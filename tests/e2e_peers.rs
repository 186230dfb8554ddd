//! Other makers' SIP: SIPp calls in, baresip registers and answers.

mod common;

use bandeau::load::tone::carries;
use common::baresip::Baresip;
use common::{Folder, Node, Phones, eventually, free_udp};
use std::process::Command;

#[test]
fn sipp_s_built_in_caller_passes_against_the_trunk() {
    let first = free_udp(1);
    let node = Node::start(Phones::Static { first, count: 1 });
    let phone = node.phones(first, "--phones 1 --ring 0 --seconds 8");
    let folder = Folder::new();
    // It sends no audio, and knows no re-INVITE: half a second, so that it is not asked for any after one.
    let output = Command::new("sipp")
        .args(["-sn", "uac", "-s", "15", "-m", "3", "-r", "1", "-d", "500", "-i", "127.0.0.1", "-nostdin"])
        .args(["-p", &free_udp(1).to_string(), "-timeout", "20s", "-timeout_error", &node.sip.to_string()])
        .current_dir(&folder.0)
        .env("TERM", "dumb")
        .output()
        .expect("sipp is installed by scripts/setup.sh");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let report = phone.report();
    assert!(report["phones_answered"].as_u64().is_some_and(|answered| answered >= 1), "{report}");
}

#[test]
fn our_own_phone_registers_with_sha_256_and_takes_a_call() {
    let node = Node::start(Phones::Registered);
    let password = node.folder().join("password");
    let args = "--count 0 --phones 1 --phone-port 0 --ring 0 --seconds 8 --user phone{i} --password-file";
    let phone = node.load(&format!("{args} {}", password.display()));
    eventually("the phone is registered", || node.log().contains("reachable=true"));
    let report = node.load("--count 1 --talk 1 --patience 6 --seconds 20").report();
    assert_eq!((&report["completed"], &report["callers_heard_phone"]), (&1.into(), &1.into()), "{report}");
    assert_eq!(phone.report()["phones_heard_caller"], 1);
}

#[test]
fn baresip_registers_with_digest_and_takes_a_call_with_audio_both_ways() {
    let node = Node::start(Phones::RegisteredMd5);
    let phone = Baresip::start(&node);
    eventually("baresip is registered", || node.log().contains("reachable=true"));
    let report = node.load("--count 1 --talk 3 --patience 15 --seconds 30").report();
    assert_eq!((&report["completed"], &report["failed"]), (&1.into(), &0.into()), "{report}");
    assert_eq!(report["callers_heard_phone"], 1, "the caller hears baresip's 700 Hz: {report}");
    let heard = phone.heard();
    assert!(carries(&heard, 1_000.0), "baresip hears the caller's 1 kHz in {} samples", heard.len());
}

#[test]
fn baresip_with_a_wrong_password_is_never_rung() {
    let node = Node::start(Phones::RegisteredMd5);
    let phone = Baresip::start_with(&node, "wrong");
    // It asks again at once and for ever: a few times it is told so, from then on to wait.
    let refused = |log: String| log.contains("401 Unauthorized") || log.contains("503 Service Unavailable");
    eventually("its proof was refused", || refused(phone.log()));
    assert!(!node.log().contains("reachable=true"));
    let report = node.load("--count 1 --patience 2 --seconds 20").report();
    assert_eq!((&report["abandoned"], &report["callers_heard_phone"]), (&1.into(), &0.into()), "{report}");
}
