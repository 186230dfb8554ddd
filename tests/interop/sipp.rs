//! SIPp as a carrier: its own scenarios, and ours in `sipp/`.

use crate::common::{Folder, Node, PLAN, Phones, eventually, free_tcp, free_udp, local};
use crate::ear::Ear;
use crate::kamailio::Kamailio;
use crate::table::row;
use bandeau::load::tone::{CALLER_HZ, PHONE_HZ};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

pub(crate) const SIPP: (&str, &str) = ("sipp", "-v");

/// A node whose phone answers every call, and where it takes TCP.
fn node() -> (Node, SocketAddr, u16) {
    node_on(PLAN)
}

/// The same whose callers hear their queue before they are answered.
fn early_node() -> (Node, SocketAddr, u16) {
    node_on(&PLAN.replace("hold   = \"answered\"", "hold   = \"early\""))
}

fn node_on(plan: &str) -> (Node, SocketAddr, u16) {
    let (first, tcp) = (free_udp(1), free_tcp());
    let node = Node::start_edited(Phones::Static { first, count: 1 }, plan, |text, _| {
        text.replace("\"]\n\n[media]", &format!("\", \"tcp:127.0.0.1:{tcp}\"]\n\n[media]"))
    });
    (node, local(tcp), first)
}

/// A running SIPp.
pub(crate) struct Sipp {
    child: Child,
    folder: Folder,
}

impl Sipp {
    /// Begins so many calls of a scenario, or, without a target, waits for them.
    pub(crate) fn start(target: Option<SocketAddr>, at: SocketAddr, scenario: &[&str], calls: u32) -> Sipp {
        let folder = Folder::new();
        let screen = std::fs::File::create(folder.0.join("screen")).unwrap();
        let child = Command::new("sipp")
            .args(scenario)
            .args(["-m", &calls.to_string(), "-r", "2", "-mi", "127.0.0.1"])
            .args(["-i", &at.ip().to_string(), "-p", &at.port().to_string()])
            // One message, then what follows from it: else the second of two NOTIFYs finds it unprepared.
            .args(["-max_recv_loops", "1"])
            // Somebody who says nothing in a talk is asked by a re-INVITE where their audio is.
            .arg("-rtp_echo")
            .args(["-trace_logs", "-log_file", "said"])
            .args(["-nostdin", "-timeout", "25s", "-timeout_error", "-trace_err", "-error_file", "errors"])
            .args(target.map(|at| at.to_string()))
            .current_dir(&folder.0)
            .env("TERM", "dumb")
            .stdin(Stdio::null())
            .stdout(screen.try_clone().unwrap())
            .stderr(screen)
            .spawn()
            .expect("sipp is installed by scripts/setup.sh");
        Sipp { child, folder }
    }

    /// The first line its scenario has written to its log, once it has.
    fn says(&self) -> String {
        self.says_line(0)
    }

    /// The line after so many others.
    pub(crate) fn says_line(&self, others: usize) -> String {
        let mut line = String::new();
        eventually("the scenario says what it has seen", || {
            let said = std::fs::read_to_string(self.folder.0.join("said")).unwrap_or_default();
            let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
            line = whole.lines().nth(others).unwrap_or_default().trim().to_owned();
            !line.is_empty()
        });
        line
    }

    /// It must have had all its calls as its scenario says.
    pub(crate) fn passes(mut self) {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "its scenario has not gone as written");
    }

    fn wrote(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.0.join(name)).unwrap_or_default()
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SIPp's errors and screen:\n{}\n{}", self.wrote("errors"), self.wrote("screen"));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs SIPp to its end; it must have had all its calls as its scenario says.
fn run(target: SocketAddr, transport: &str, scenario: &[&str], calls: u32) {
    let all = [&["-s", "15", "-t", transport], scenario].concat();
    Sipp::start(Some(target), local(free_udp(2)), &all, calls).passes();
}

/// One call that lasts so many milliseconds and is heard by an ear.
pub(crate) fn heard_call(target: SocketAddr, name: &str, ear: &Ear, lasts: u32) -> Sipp {
    heard_call_from(local(free_udp(2)), target, name, ear, lasts)
}

/// The same from an address that is the carrier's.
pub(crate) fn heard_call_from(at: SocketAddr, target: SocketAddr, name: &str, ear: &Ear, lasts: u32) -> Sipp {
    let (audio, lasts, file) = (ear.port.to_string(), lasts.to_string(), scenario(name));
    let codec = ear.payload_type.to_string();
    let args = ["-sf", &file, "-s", "15", "-d", &lasts, "-key", "audio", &audio, "-key", "codec", &codec];
    Sipp::start(Some(target), at, &args, 1)
}

pub(crate) fn scenario(name: &str) -> String {
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
fn a_law_by_a_dynamic_number_alone_is_answered_and_heard_by_that_number() {
    let _row = row("SIPp", SIPP, "A-law and keys at dynamic payload types alone: answered, audio both ways");
    both("dynamic");
    let (node, _, first) = node();
    let phone = node.phones(first, "--phones 1 --ring 0 --seconds 8");
    let ear = Ear::of(CALLER_HZ, 98);
    let call = heard_call(node.sip, "talk", &ear, 2_000);
    eventually("the phone is heard by that number alone", || ear.hears_phone());
    call.passes();
    assert_eq!(phone.report()["phones_heard_caller"], 1);
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
    run(node.sip, "u1", &["-sf", &scenario("lost_bye")], 8);
}

#[test]
#[ignore = "make test-all"]
fn early_media_is_acknowledged_by_prack_whether_the_caller_can_or_must() {
    let _row = row("SIPp", SIPP, "100rel: PRACK of early media, supported and required, UDP and TCP");
    let (node, tcp, first) = early_node();
    let phone = node.phones(first, "--phones 1 --ring 1 --seconds 60");
    let file = scenario("prack");
    for need in ["Supported", "Require"] {
        for (target, transport) in [(node.sip, "u1"), (tcp, "t1")] {
            run(target, transport, &["-sf", &file, "-key", "need", need], 2);
        }
    }
    drop(phone);
    assert_eq!(node.metric_of("bandeau_sip_refused_total", "peer=\"trunk\""), 0.0);
}

#[test]
#[ignore = "make test-all"]
fn the_queue_is_heard_before_the_answer_and_the_phone_after_it() {
    let _row = row("SIPp", SIPP, "early media: the queue's audio in 183, the phone's after 200");
    let (node, _, first) = early_node();
    let phone = node.phones(first, "--phones 1 --ring 3 --seconds 20");
    let ear = Ear::open();
    let call = heard_call(node.sip, "early_media", &ear, 0);
    eventually("the queue is heard", || ear.hears_queue());
    assert_eq!(node.metric_of("bandeau_calls_total", "outcome=\"released\""), 0.0);
    eventually("the phone is heard", || ear.hears_phone());
    assert!(ear.packets() > 50, "more than a second of it: {}", ear.packets());
    call.passes();
    drop(phone);
}

#[test]
#[ignore = "make test-all"]
fn a_carrier_that_asks_us_to_call_somebody_is_told_no_and_keeps_its_call() {
    let _row = row("SIPp", SIPP, "REFER of a carrier: 202, NOTIFY 403, the call goes on, UDP and TCP");
    let (node, tcp, first) = node();
    let phone = node.phones(first, "--phones 1 --ring 0 --seconds 40");
    // SIPp takes no two messages of one TCP segment, as the two NOTIFYs are: its border does that for it.
    let border = Kamailio::towards_tcp(tcp.port());
    for target in [node.sip, local(border.udp)] {
        run(target, "u1", &["-sf", &scenario("refer_trunk")], 2);
    }
    drop(phone);
    assert_eq!(node.metric_of("bandeau_sip_refused_total", "peer=\"trunk\""), 0.0);
}

#[test]
#[ignore = "make test-all"]
fn a_desk_phone_passes_its_caller_to_a_colleague_who_is_heard() {
    let _row = row("SIPp", SIPP, "REFER of a desk phone: NOTIFY 100 and 200, the colleague is heard");
    let first = free_udp(2);
    let node = Node::start(Phones::Static { first, count: 2 });
    let ear = Ear::open();
    let file = scenario("refer_phone");
    // The first desk says another tone: what the caller hears in the end is the second's.
    let own = Ear::open();
    let audio = own.port.to_string();
    let desk =
        Sipp::start(None, local(first), &["-sf", &file, "-key", "to", "a1", "-key", "audio", &audio], 1);
    let colleague = node.phones(first + 1, "--phones 1 --ring 1 --seconds 25");
    let call = heard_call(node.sip, "talk", &ear, 7_000);
    eventually("the colleague is heard", || ear.hears_phone());
    desk.passes();
    call.passes();
    drop(colleague);
    assert_eq!(node.metric_of("bandeau_calls_total", "outcome=\"released\""), 1.0);
    assert_eq!(node.metric("bandeau_never_total"), 0.0);
}

/// Desk phones at 127.0.0.1 whose carrier sits at 127.0.0.2: what comes from a carrier's address is a
/// carrier's, whoever else sits there.
fn node_beside_its_carrier(desks: Phones, trunk: &str, more: &str) -> Node {
    Node::start_edited(desks, PLAN, |text, _| {
        text.replace("peers = [\"127.0.0.1\"]", &format!("peers = [\"127.0.0.2\"{trunk}")) + more
    })
}

pub(crate) fn elsewhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 2], free_udp(2)))
}

#[test]
#[ignore = "make test-all"]
fn a_desk_phone_takes_the_place_of_another_that_rings_and_is_heard() {
    let _row = row("SIPp", SIPP, "INVITE with Replaces of a desk phone: picks up what rings at another");
    let first = free_udp(2);
    let node = node_beside_its_carrier(Phones::Static { first, count: 2 }, "]", "");
    let rings = Sipp::start(None, local(first), &["-sf", &scenario("rings")], 1);
    let ear = Ear::open();
    let call = heard_call_from(elsewhere(), node.sip, "talk", &ear, 6_000);
    let place = rings.says();
    let desk = Ear::of(PHONE_HZ, 8);
    let (file, audio) = (scenario("picks_up"), desk.port.to_string());
    let args = ["-sf", &file, "-key", "replaces", &place, "-key", "audio", &audio];
    let picks = Sipp::start(Some(node.sip), local(first + 1), &args, 1);
    eventually("both hear each other", || ear.hears_phone() && desk.hears(CALLER_HZ));
    rings.passes();
    call.passes();
    picks.passes();
    assert_eq!(node.metric_of("bandeau_calls_total", "outcome=\"released\""), 1.0);
    assert_eq!(node.metric("bandeau_never_total"), 0.0);
}

#[test]
#[ignore = "make test-all"]
fn a_carrier_is_asked_to_join_its_caller_with_somebody_it_has_reached_and_our_lines_end() {
    let _row = row("SIPp", SIPP, "REFER with Replaces to a carrier: joins its two, our lines end");
    let (first, out) = (free_udp(1), elsewhere());
    let trunk = format!(", \"{out}\"]\noptions = \"off\"\ntransfer = \"refer\"");
    let contact =
        "\n[[centre.contact]]\nname = \"sdis-67\"\nnumber = \"0388000018\"\ntrunks = [\"test-trunk\"]\n";
    let node = node_beside_its_carrier(Phones::Static { first, count: 1 }, &trunk, contact);
    let ears = [(); 3].map(|()| Ear::open());
    let [desk, outside, caller] = ears.each_ref().map(|ear| ear.port.to_string());
    let file = scenario("outside");
    let outside = Sipp::start(None, out, &["-sf", &file, "-key", "audio", &outside], 1);
    let file = scenario("refer_phone");
    let args = ["-sf", &file, "-key", "to", "sdis-67", "-key", "audio", &desk];
    let desk = Sipp::start(None, local(first), &args, 1);
    let file = scenario("joins");
    let args = ["-sf", &file, "-s", "15", "-key", "audio", &caller];
    let carrier = Sipp::start(Some(node.sip), elsewhere(), &args, 1);
    let (place, reached) = (carrier.says(), outside.says());
    let id = reached.split('@').next().expect("a Call-ID");
    assert!(place.contains(id), "the caller takes the place of our line to them: {place}, {reached}");
    for peer in [desk, carrier, outside] {
        peer.passes();
    }
    assert_eq!(node.metric_of("bandeau_calls_total", "outcome=\"released\""), 1.0);
    assert_eq!(node.metric("bandeau_never_total"), 0.0);
}
