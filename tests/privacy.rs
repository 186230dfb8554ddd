//! No caller's number reaches a technical log, at any level.

mod common;

use common::{Node, PLAN, Phones, free_udp};

/// Lines of a log that hold a person's number, in any way it may be written.
fn leaks<'a>(log: &'a str, number: &str) -> Vec<&'a str> {
    // The digits that stay when prefixes are rewritten: 0612.., +33612.., 0033612...
    let kept = &number[number.len() - 9..];
    let digits = |line: &str| line.chars().filter(char::is_ascii_digit).collect::<String>();
    log.lines().filter(|line| line.contains(kept) || digits(line).contains(kept)).collect()
}

#[test]
fn a_call_leaves_no_number_in_the_log_at_debug_level() {
    let first = free_udp(1);
    let node = Node::start_with(Phones::Static { first, count: 1 }, PLAN, "debug", "1s");
    let number = "0698765432";
    let answered =
        format!("--count 1 --from {number} --talk 0.5 --ring 0 --phones 1 --phone-port {first} --seconds 20");
    assert_eq!(node.load(&answered).report()["completed"], 1);
    // An abandoned one, and some whose headers say more than a number.
    let abandoned = format!("--count 1 --from {number} --patience 0.5 --seconds 20");
    assert_eq!(node.load(&abandoned).report()["abandoned"], 1);
    for header in [
        "P-Asserted-Identity:<tel:+33698765432>",
        "Diversion:<sip:+33698765432@h>;counter=1",
        "Resource-Priority:+33698765432.1",
    ] {
        let talkative = format!("--count 1 --from {number} --patience 0.5 --seconds 20 --header {header}");
        node.load(&talkative).report();
    }
    let log = node.log();
    assert!(log.contains("passed_by=1"), "it tells that a call was passed on");
    assert!(log.lines().count() >= 3, "the log tells of the calls: {log}");
    assert_eq!(leaks(&log, number), Vec::<&str>::new());
}

#[test]
fn a_planted_number_is_found() {
    for planted in [
        "INFO call{id=0-c1.4}: offered to 0698765432",
        "DEBUG sip: From: <sip:+33698765432@198.51.100.7>;tag=x",
        "DEBUG caller 06 98 76 54 32",
    ] {
        assert_eq!(leaks(&format!("INFO ready\n{planted}\nINFO over"), "0698765432"), [planted]);
    }
    assert_eq!(
        leaks("INFO call{id=0-c1.4}: offered agent=0-a0 waited=20ms", "0698765432"),
        Vec::<&str>::new()
    );
}
