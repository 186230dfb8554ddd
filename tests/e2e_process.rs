//! The process as its operator meets it: wrong files, signals, health.

mod common;

use common::carrier::Carrier;
use common::{Folder, Node, PLAN, Phones, bandeau, configuration, eventually, free_tcp, free_udp, get};
use std::process::Output;
use std::time::Duration;

/// What `serve` says about a configuration and a plan.
fn serve(config: &str, plan: &str) -> Output {
    let folder = Folder::new();
    folder.write("plan.toml", plan);
    let path = folder.write("bandeau.toml", config);
    bandeau().args(["serve", "--config"]).arg(path).output().unwrap()
}

fn good() -> String {
    configuration(free_udp(1), free_tcp(), Phones::Static { first: free_udp(1), count: 1 }, "info", "1s")
}

#[test]
fn a_wrong_configuration_starts_nothing_and_says_where_and_what_to_do() {
    let config = good().replace("drain ", "drian ");
    let line = config.lines().position(|line| line.starts_with("drian")).unwrap() + 1;
    let output = serve(&config, PLAN);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("bandeau.toml:{line}")), "file and line: {said}");
    assert!(said.contains("drian"), "key: {said}");
    assert!(said.contains("drain"), "what to do: {said}");
}

#[test]
fn a_wrong_plan_starts_nothing_and_says_where_and_what_to_do() {
    let plan = PLAN.replace(
        r#"then     = { queue = "front", class = "partner" }"#,
        r#"then = { queue = "frnot", class = "partner" }"#,
    );
    let line = plan.lines().position(|line| line.contains("frnot")).unwrap() + 1;
    let output = serve(&good(), &plan);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("plan.toml:{line}")), "file and line: {said}");
    assert!(said.contains("frnot") && said.contains("front"), "key and what to do: {said}");
}

#[test]
fn a_plan_that_asks_for_a_sound_nobody_has_starts_nothing() {
    let plan = PLAN.replace("skills = [\"arm\"]", "skills = [\"arm\"]\nannounce = \"welcom\"");
    let line = plan.lines().position(|line| line.contains("welcom")).unwrap() + 1;
    let output = serve(&good(), &plan);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("plan.toml:{line}")), "file and line: {said}");
    assert!(said.contains("did you mean `welcome`?"), "what to do: {said}");
}

#[test]
fn a_taken_port_is_a_failure_of_the_machine_not_of_the_file() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = serve(&configuration(port, free_tcp(), Phones::None, "info", "1s"), PLAN);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&port.to_string()), "{said}");
}

#[test]
fn sigterm_drains_calls_go_on_and_then_it_ends() {
    let first = free_udp(1);
    let mut node = Node::start_with(Phones::Static { first, count: 1 }, PLAN, "info", "20s");
    let calls = format!("--count 1 --talk 3 --ring 0 --phones 1 --phone-port {first} --seconds 30");
    let calls = node.load(&calls);
    eventually("the call is up", || node.metric("bandeau_agents") >= 1.0 && node.log().contains("connected"));
    node.terminate();
    eventually("it says that it drains", || {
        get(node.http, "/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 503"))
    });
    assert_eq!(node.ended(), None, "a call is up");
    let report = calls.report();
    assert_eq!((&report["completed"], &report["callers_heard_phone"]), (&1.into(), &1.into()), "{report}");
    eventually("it has ended", || node.ended().is_some());
    assert_eq!(node.ended().and_then(|status| status.code()), Some(0));
}

#[test]
fn who_hung_up_last_and_did_not_hear_our_answer_is_answered_again_before_it_ends() {
    let mut node = Node::start_with(Phones::None, PLAN, "info", "20s");
    let mut carrier = Carrier::udp("127.0.0.1:0".parse().unwrap(), node.sip);
    let call = carrier.call(Duration::from_secs(5)).expect("an answer");
    node.terminate();
    eventually("it drains", || node.log().contains("draining"));
    assert!(carrier.hang_up(&call));
    std::thread::sleep(Duration::from_millis(500)); // as RFC 3261 repeats
    assert!(carrier.hang_up(&call), "the same BYE again");
    eventually("it has ended, long before its time is over", || node.ended().is_some());
}

#[test]
fn i28_sighup_reads_the_plans_again_all_or_none() {
    let node = Node::start(Phones::None);
    let waiting = |queue: &str| node.metric_of("bandeau_waiting", &format!("queue=\"{queue}\""));
    let early = node.load("--count 1 --phones 0 --seconds 60");
    eventually("the first caller waits", || waiting("front") >= 1.0);

    node.write("plan.toml", &PLAN.replace("priority = 0", "priority = zero"));
    node.hang_up();
    eventually("the fault is told with its place", || node.log().contains("plan.toml:29"));

    let night = PLAN
        .replace("queue = \"front\", class = \"unqualified\"", "queue = \"night\", class = \"unqualified\"");
    let night = format!("{night}\n[queue.night]\nskills = [\"arm\"]\noffer = {{ mode = \"exclusive\" }}\n");
    node.write("plan.toml", &night);
    let configuration = node.configuration();
    let trunk = "[[trunk]]\nname = \"later\"\npeers = [\"127.0.0.2\"]\n";
    node.write("bandeau.toml", &format!("{configuration}\n{trunk}"));
    node.hang_up();
    eventually("a trunk this process does not have is no way out", || {
        node.log().contains("other centres or trunks than at the start")
    });

    node.write("bandeau.toml", &configuration);
    node.hang_up();
    eventually("the second plan serves", || node.log().contains("serves from here on"));
    let late = node.load("--count 1 --phones 0 --seconds 60");
    eventually("the next caller goes by it, the first keeps the place", || {
        (waiting("front"), waiting("night")) == (1.0, 1.0)
    });
    drop((early, late));
}

#[test]
fn load_refuses_a_target_on_another_machine_that_is_named_once() {
    let output = bandeau().args(["load", "--count", "1", "--target", "192.0.2.1:5060"]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("--yes-really-target 192.0.2.1:5060"));
}

#[test]
fn the_demo_answers_calls_and_shows_them() {
    let output = bandeau().args(["demo", "--plain", "--seconds", "12", "--rate", "1"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let last = said.lines().rfind(|line| line.starts_with("calls ")).unwrap_or_default();
    let answered =
        last.split("answered ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    assert!(answered.is_some_and(|answered| answered >= 2), "two desks answer: {last}");
    assert!(said.contains("waiting ") && said.contains("agent nour"), "queues and agents: {said}");
    assert!(
        said.contains("http://127.0.0.1:") && said.contains("claire"),
        "where to go, and as whom: {said}"
    );
}
