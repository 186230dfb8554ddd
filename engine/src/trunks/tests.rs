use super::*;
use crate::site::{Strangers, TrunkSite};

const EVERY: Duration = Duration::from_secs(30);

pub(super) fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

pub(super) fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 5060))
}

/// One trunk per list of targets.
pub(super) fn trunks(targets: &[&[u8]]) -> (Site, Trunks) {
    let trunk = |(index, last): (usize, &&[u8])| TrunkSite {
        name: format!("trunk-{index}"),
        peers: last.iter().map(|last| address(*last)).collect(),
        reach: Reach {
            targets: last.iter().map(|last| address(*last)).collect(),
            asked: Some(EVERY),
            ..Reach::default()
        },
    };
    let site = Site {
        epoch: 1,
        product: "bandeau".to_owned(),
        contact: address(100),
        listeners: Vec::new(),
        realm: "bandeau".to_owned(),
        trunks: targets.iter().enumerate().map(trunk).collect(),
        centres: Vec::new(),
        calls_max: 10,
        phones_srtp: Srtp::Off,
        strangers: Strangers::Silence,
    };
    let trunks = Trunks::new(&site);
    (site, trunks)
}

/// Time passes; whom it asks, and what it tells.
pub(super) fn due(trunks: &mut Trunks, now: Instant, next: &mut u64) -> (Vec<ErrandId>, Vec<TrunkState>) {
    trunks.handle_due(now);
    let (mut asked, mut told) = (Vec::new(), Vec::new());
    while let Some(step) = trunks.poll() {
        match step {
            TrunkStep::Ask { trunk, flow, ask } => {
                *next += 1;
                trunks.asked(now, trunk, flow.remote, ask, ErrandId(*next));
                asked.push(ErrandId(*next));
            }
            TrunkStep::Changed { state, .. } => told.push(state),
            TrunkStep::Drop(_) => {}
        }
    }
    (asked, told)
}

pub(super) fn told(trunks: &mut Trunks) -> Vec<TrunkState> {
    let steps = std::iter::from_fn(|| trunks.poll());
    steps
        .filter_map(|step| if let TrunkStep::Changed { state, .. } = step { Some(state) } else { None })
        .collect()
}

pub(super) fn end(code: u16) -> ErrandEnd {
    ErrandEnd {
        code,
        heard: true,
        cseq: 1,
        expires: None,
        min_expires: None,
        retry_after: None,
        moved: Vec::new(),
    }
}

#[test]
fn a_trunk_that_answers_is_up_and_asked_again_in_its_own_time() {
    for code in [200, 404, 405, 501] {
        let (_, mut trunks) = trunks(&[&[1]]);
        let asked = due(&mut trunks, at(1), &mut 0).0;
        trunks.answered(at(2), asked[0], &end(code));
        assert_eq!(told(&mut trunks), [TrunkState::Up], "{code}");
        assert_eq!(trunks.poll_timeout(), Some(at(32)));
    }
}

#[test]
fn three_missing_answers_in_a_row_are_a_trunk_down_and_one_answer_brings_it_back() {
    let (_, mut trunks) = trunks(&[&[1]]);
    let (mut next, mut states, mut now) = (0, Vec::new(), at(1));
    for _ in 0..6 {
        states.extend(due(&mut trunks, now, &mut next).1);
        now = trunks.poll_timeout().unwrap_or(now);
    }
    assert_eq!(states, [TrunkState::Suspect, TrunkState::Down]);
    assert!(now < at(40), "nobody waits a minute to know it: {now:?}");
    let asked = due(&mut trunks, now, &mut next).0;
    trunks.answered(now, asked[0], &end(200));
    assert_eq!(told(&mut trunks), [TrunkState::Up]);
}

#[test]
fn a_503_is_no_proof_of_life() {
    let (_, mut trunks) = trunks(&[&[1]]);
    let asked = due(&mut trunks, at(1), &mut 0).0;
    trunks.answered(at(1), asked[0], &end(503));
    assert_eq!(told(&mut trunks), [TrunkState::Suspect]);
}

#[test]
fn a_trunk_that_is_down_and_calls_is_asked_at_once() {
    let (_, mut trunks) = trunks(&[&[1]]);
    let (mut next, mut now) = (0, at(1));
    for _ in 0..6 {
        due(&mut trunks, now, &mut next);
        now = trunks.poll_timeout().unwrap_or(now);
    }
    let early = now - Duration::from_secs(1);
    trunks.heard(early, 0, address(1).ip());
    assert_eq!(told(&mut trunks), [TrunkState::Up]);
    assert_eq!(due(&mut trunks, early, &mut next).0.len(), 1);
}

/// Asks go unanswered until `until`; what is told meanwhile, and how many asks there were.
fn unanswered(
    trunks: &mut Trunks,
    (mut now, until): (Instant, Instant),
    next: &mut u64,
) -> (Vec<TrunkState>, usize) {
    let (mut states, mut asks) = (Vec::new(), 0);
    while now < until {
        let (asked, told) = due(trunks, now, next);
        states.extend(told);
        asks += asked.len();
        now = trunks.poll_timeout().unwrap_or(until).max(now);
    }
    (states, asks)
}

#[test]
fn a_carrier_that_calls_and_never_answered_options_is_up_while_its_calls_flow() {
    let (_, mut trunks) = trunks(&[&[1]]);
    let mut next = 0;
    assert_eq!(
        unanswered(&mut trunks, (at(1), at(60)), &mut next).0,
        [TrunkState::Suspect, TrunkState::Down]
    );
    trunks.heard(at(60), 0, address(1).ip());
    assert_eq!(told(&mut trunks), [TrunkState::Up]);
    for minute in 1..=30 {
        let (states, asks) = unanswered(&mut trunks, (at(minute * 60), at(minute * 60 + 60)), &mut next);
        assert_eq!(states, [], "told once, in minute {minute}");
        assert!(asks <= 3, "and asked in its own time: {asks}");
        trunks.heard(at(minute * 60 + 60), 0, address(1).ip());
    }
    let silent = unanswered(&mut trunks, (at(31 * 60), at(93 * 60)), &mut next).0;
    assert_eq!(silent, [TrunkState::Down], "an hour after its last call nothing speaks for it");
}

#[test]
fn a_carrier_that_used_to_answer_options_and_only_calls_is_in_doubt_and_told_once() {
    let (_, mut trunks) = trunks(&[&[1]]);
    let mut next = 0;
    let asked = due(&mut trunks, at(1), &mut next).0;
    trunks.answered(at(1), asked[0], &end(405));
    assert_eq!(told(&mut trunks), [TrunkState::Up]);
    let mut states = Vec::new();
    for turn in 1..=60 {
        trunks.heard(at(turn * 10), 0, address(1).ip());
        states.extend(unanswered(&mut trunks, (at(turn * 10), at(turn * 10 + 10)), &mut next).0);
    }
    assert_eq!(states, [TrunkState::Suspect]);
}

#[test]
fn a_carrier_that_dies_in_the_middle_of_its_calls_is_down_after_three_answers_and_in_doubt_once_it_calls() {
    let (_, mut trunks) = trunks(&[&[1]]);
    let mut next = 0;
    let asked = due(&mut trunks, at(1), &mut next).0;
    trunks.answered(at(1), asked[0], &end(200));
    trunks.heard(at(20), 0, address(1).ip());
    assert_eq!(told(&mut trunks), [TrunkState::Up]);
    let states = unanswered(&mut trunks, (at(20), at(120)), &mut next).0;
    assert_eq!(states, [TrunkState::Suspect, TrunkState::Down]);
    trunks.heard(at(120), 0, address(1).ip());
    assert_eq!(told(&mut trunks), [TrunkState::Suspect]);
}

#[test]
fn a_call_of_ours_that_failed_there_puts_a_carrier_in_doubt_until_it_speaks_again() {
    let (_, mut trunks) = trunks(&[&[1]]);
    trunks.heard(at(1), 0, address(1).ip());
    assert_eq!(told(&mut trunks), [TrunkState::Up]);
    let way = trunks.ways(&[0]).remove(0);
    trunks.failed(at(2), &way);
    assert_eq!(told(&mut trunks), [TrunkState::Suspect]);
    trunks.heard(at(3), 0, address(1).ip());
    assert_eq!(told(&mut trunks), [TrunkState::Up]);
}

#[test]
fn a_call_tries_what_is_up_first_and_what_is_down_all_the_same() {
    let (_, mut trunks) = trunks(&[&[1, 2], &[3]]);
    let asked = due(&mut trunks, at(1), &mut 0).0;
    trunks.answered(at(1), asked[1], &end(200));
    trunks.answered(at(1), asked[2], &end(200));
    let order = |trunks: &Trunks| -> Vec<SocketAddr> {
        trunks.ways(&[0, 1]).iter().map(|way| way.flow.remote).collect()
    };
    assert_eq!(order(&trunks), [address(2), address(3), address(1)]);
    let way = trunks.ways(&[0]).remove(0);
    trunks.failed(at(2), &way);
    assert_eq!(order(&trunks), [address(3), address(1), address(2)], "what has just failed waits");
}

#[test]
fn a_final_response_says_whose_fault_it_is() {
    for (whose, codes) in [
        (Fault::Address, &[401, 403, 407, 408, 430, 500, 502, 503, 504, 580][..]),
        (Fault::Carrier, &[300, 301, 302, 305, 380]),
        (Fault::Carrier, &[400, 402, 404, 405, 406, 410, 413, 414, 415, 416, 420, 421, 423]),
        (Fault::Carrier, &[482, 483, 484, 485, 488, 493, 494, 501, 505, 513, 604, 606, 608]),
        (Fault::Person, &[433, 480, 486, 487, 491, 600, 603, 607]),
    ] {
        for code in codes {
            assert_eq!(fault(*code), whose, "{code}");
        }
    }
}

#[test]
fn a_name_that_answers_nothing_leaves_the_last_good_addresses() {
    let (site, mut trunks) = trunks(&[&[1]]);
    trunks.resolved(&site, 0, &[]);
    assert_eq!(trunks.ways(&[0]).len(), 1);
    let asked = due(&mut trunks, at(1), &mut 0).0;
    trunks.answered(at(1), asked[0], &end(200));
    let _ = told(&mut trunks);
    trunks.resolved(&site, 0, &[address(9), address(1)]);
    let first = trunks.ways(&[0]).remove(0);
    assert_eq!(first.flow.remote, address(1), "what has proved itself stays first until the other has");
}
