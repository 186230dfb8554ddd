use super::*;
use crate::call::event::TrunkState;
use crate::trunks::tests::{address, at, due, end, told, trunks as trunks_of};
use crate::trunks::{TrunkStep, Trunks};
use sip::endpoint::Ask;

/// A carrier of some addresses, at which we want to be registered for a minute at a time.
struct Carrier {
    trunks: Trunks,
    errands: u64,
}

/// What an address answers; `None`: nothing.
type Answer = Option<ErrandEnd>;

fn carrier(addresses: &[u8]) -> Carrier {
    let (_, mut trunks) = trunks_of(&[addresses]);
    trunks.each[0].reach.asked = None;
    trunks.each[0].registration = Some(Registration::new(Duration::from_secs(60)));
    Carrier { trunks, errands: 0 }
}

impl Carrier {
    /// Goes on until the next REGISTER, and answers it at once: when it came, and to which address.
    fn next(&mut self, answer: Answer) -> (u64, u8) {
        for _ in 0..10 {
            let now = self.trunks.poll_timeout().expect("a registration is always due");
            self.trunks.handle_due(now);
            let steps: Vec<_> = std::iter::from_fn(|| self.trunks.poll()).collect();
            let asked = steps.into_iter().find_map(|step| match step {
                TrunkStep::Ask { trunk, flow, ask } => Some((trunk, flow, ask)),
                _ => None,
            });
            let Some((trunk, flow, ask)) = asked else { continue };
            self.errands += 1;
            let id = ErrandId(self.errands);
            self.trunks.asked(now, trunk, flow.remote, ask, id);
            if let Some(end) = answer {
                self.trunks.answered(now, id, &end);
            }
            let last = match flow.remote.ip() {
                std::net::IpAddr::V4(ip) => ip.octets()[3],
                std::net::IpAddr::V6(_) => 0,
            };
            return (now.since(Instant::ZERO).as_secs(), last);
        }
        unreachable!("it stopped asking")
    }

    /// One registration after the other, each with its answer.
    fn asks(&mut self, answers: impl IntoIterator<Item = Answer>) -> Vec<(u64, u8)> {
        answers.into_iter().map(|answer| self.next(answer)).collect()
    }
}

fn granted(seconds: u32) -> Answer {
    Some(ErrandEnd { expires: Some(seconds), ..end(200) })
}

fn wait(code: u16, seconds: u32) -> Answer {
    Some(ErrandEnd { retry_after: Some(seconds), ..end(code) })
}

fn moved_to(last: u8) -> Answer {
    Some(ErrandEnd { moved: vec![address(last)], ..end(301) })
}

#[test]
fn a_registration_is_renewed_at_half_its_time_and_takes_the_interval_it_is_told() {
    let mut carrier = carrier(&[1, 2]);
    let least = Some(ErrandEnd { min_expires: Some(600), ..end(423) });
    assert_eq!(carrier.asks([least, granted(500)]), [(0, 1), (1, 1)]);
    assert_eq!(told(&mut carrier.trunks), [TrunkState::Up]);
    assert_eq!(carrier.trunks.poll_timeout(), Some(at(251)));
    assert_eq!(carrier.trunks.each[0].registration.as_ref().map(Registration::seconds), Some(600));
}

#[test]
fn a_carrier_that_refuses_the_time_it_has_asked_for_is_not_asked_every_second() {
    let mut carrier = carrier(&[1]);
    let asks = carrier.asks((0..3).map(|_| Some(ErrandEnd { min_expires: Some(4_000_000), ..end(423) })));
    assert_eq!(asks, [(0, 1), (1, 1), (31, 1)], "the second is a failure like any other");
}

#[test]
fn a_registrar_that_wants_to_be_left_alone_is_asked_again_when_it_said() {
    for code in [500, 503, 480] {
        let mut carrier = carrier(&[1, 2]);
        let asks = carrier.asks([granted(20), wait(code, 5), granted(20)]);
        assert_eq!(
            asks,
            [(0, 1), (10, 1), (15, 1)],
            "{code}: and the other, that has no binding, is not asked"
        );
    }
}

#[test]
fn a_pause_longer_than_the_binding_lasts_sends_us_to_the_next_address_at_once() {
    let mut carrier = carrier(&[1, 2]);
    let asks = carrier.asks([granted(20), wait(503, 60), granted(20), granted(20)]);
    assert_eq!(asks, [(0, 1), (10, 1), (10, 2), (20, 2)], "who has taken it is asked again first");
}

#[test]
fn a_registrar_that_says_at_once_is_not_asked_without_end() {
    let mut carrier = carrier(&[1]);
    let asks = carrier.asks([wait(503, 0), wait(503, 1), granted(60)]);
    assert_eq!(asks, [(0, 1), (5, 1), (10, 1)]);
}

#[test]
fn a_pause_of_an_hour_is_cut_to_two_minutes() {
    let mut carrier = carrier(&[1]);
    assert_eq!(carrier.asks([wait(503, 3_600), granted(60)]), [(0, 1), (120, 1)]);
}

// Two addresses, the second dead, a binding of 20 s: nothing is lost.
#[test]
fn one_refusal_and_a_dead_second_address_do_not_outlast_the_binding() {
    let mut carrier = carrier(&[1, 2]);
    let asks = carrier.asks([granted(20), Some(end(503)), None, granted(20)]);
    assert_eq!(asks, [(0, 1), (10, 1), (10, 2), (18, 1)]);
    assert_eq!(told(&mut carrier.trunks), [TrunkState::Up]);
}

#[test]
fn a_silent_address_is_left_for_the_next_and_its_late_answer_changes_nothing() {
    let mut carrier = carrier(&[1, 2]);
    assert_eq!(carrier.asks([None, granted(60)]), [(0, 1), (8, 2)]);
    carrier.trunks.answered(at(9), ErrandId(1), &end(403));
    assert_eq!(told(&mut carrier.trunks), [TrunkState::Up]);
    let registration = carrier.trunks.each[0].registration.as_ref();
    assert_eq!(registration.and_then(|it| it.home), Some(address(2)));
}

#[test]
fn numbers_go_on_rising_after_an_errand_whose_end_is_not_known() {
    let mut carrier = carrier(&[1, 2]);
    let _ = carrier.asks([granted(60), None, None]);
    let cseq = carrier.trunks.each[0].registration.as_ref().map(|it| it.cseq);
    assert!(cseq >= Some(4), "an errand has three requests at most: {cseq:?}");
}

#[test]
fn addresses_that_all_refuse_are_each_asked_every_half_minute() {
    let mut carrier = carrier(&[1, 2]);
    let asks = carrier.asks((0..6).map(|_| Some(end(403))));
    assert_eq!(asks, [(0, 1), (0, 2), (30, 1), (30, 2), (60, 1), (60, 2)]);
}

#[test]
fn a_carrier_that_sends_us_to_another_of_its_addresses_finds_us_there() {
    let mut carrier = carrier(&[1, 2, 3]);
    let asks = carrier.asks([moved_to(3), granted(60), granted(60)]);
    assert_eq!(asks, [(0, 1), (0, 3), (30, 3)]);
}

#[test]
fn an_address_the_carrier_calls_from_is_one_of_its_own() {
    let mut carrier = carrier(&[1]);
    carrier.trunks.each[0].peers.push(address(9));
    assert_eq!(carrier.asks([moved_to(9), granted(60), granted(60)]), [(0, 1), (0, 9), (30, 9)]);
}

#[test]
fn nobody_else_is_registered_at_and_a_circle_is_walked_once() {
    let mut strange = carrier(&[1, 2]);
    assert_eq!(strange.asks([moved_to(77), granted(60)]), [(0, 1), (0, 2)]);
    let mut circle = carrier(&[1, 2]);
    let asks = circle.asks([moved_to(2), moved_to(1), moved_to(2), moved_to(1)]);
    assert_eq!(asks, [(0, 1), (0, 2), (30, 1), (30, 2)]);
}

/// Second by second, what is asked is answered so; when a REGISTER went out, and where to.
fn registers(
    trunks: &mut Trunks,
    seconds: std::ops::Range<u64>,
    answer: impl Fn(Ask, SocketAddr) -> Answer,
) -> Vec<(u64, SocketAddr)> {
    let (mut sent, mut next) = (Vec::new(), 1_000);
    for second in seconds {
        trunks.handle_due(at(second));
        while let Some(step) = trunks.poll() {
            let TrunkStep::Ask { trunk, flow, ask } = step else { continue };
            next += 1;
            let remote = flow.remote;
            trunks.asked(at(second), trunk, remote, ask, ErrandId(next));
            if let Ask::Register { .. } = ask {
                sent.push((second, remote));
            }
            if let Some(end) = answer(ask, remote) {
                trunks.answered(at(second), ErrandId(next), &end);
                // The step of the answer goes on to what is due.
                trunks.handle_due(at(second));
            }
        }
    }
    sent
}

/// Everything is answered by whoever lives; what was registered where.
fn live(trunks: &mut Trunks, from: u64, to: u64, dead: SocketAddr) -> Vec<(u64, SocketAddr)> {
    let sent = registers(trunks, from..to, |_, remote| granted(3_600).filter(|_| remote != dead));
    sent.into_iter().filter(|(_, remote)| *remote != dead).collect()
}

fn asked_by_options(addresses: &[u8]) -> Trunks {
    let mut trunks = carrier(addresses).trunks;
    trunks.each[0].reach.asked = Some(Duration::from_secs(30));
    trunks
}

const HOUR: u64 = 3_600;

#[test]
fn a_carrier_that_takes_us_and_answers_no_options_is_registered_at_in_its_own_time() {
    for (addresses, lasts, times) in [(&[1][..], 3_600, 4), (&[1, 2], 3_600, 4), (&[1, 2], 86_400, 1)] {
        let mut trunks = asked_by_options(addresses);
        let sent = registers(&mut trunks, 1..2 * HOUR, |ask, _| match ask {
            Ask::Register { .. } => granted(lasts),
            Ask::Options => None,
        });
        assert_eq!(sent.len(), times, "{addresses:?}, {lasts} s at a time: {sent:?}");
        assert!(sent.iter().all(|(_, remote)| *remote == address(1)), "nowhere is better: {sent:?}");
    }
}

#[test]
fn an_address_that_answers_options_and_refuses_us_keeps_nobody_from_the_registrar() {
    for addresses in [[1, 2], [2, 1]] {
        let mut trunks = asked_by_options(&addresses);
        // The first takes registrations and answers no OPTIONS, the second the other way round.
        let sent = registers(&mut trunks, 1..2 * HOUR, |ask, remote| match ask {
            Ask::Register { .. } if remote == address(1) => granted(3_600),
            Ask::Register { .. } => Some(end(403)),
            Ask::Options => Some(end(200)).filter(|_| remote == address(2)),
        });
        let at_it: Vec<u64> = sent.iter().filter(|it| it.1 == address(1)).map(|it| it.0).collect();
        assert_eq!(at_it, [1, 1_801, 3_601, 5_401], "{addresses:?}");
        assert!(sent.len() - at_it.len() <= 1, "{addresses:?}: {sent:?}");
    }
}

#[test]
fn a_connection_closed_behind_each_answer_is_not_registered_over_without_end() {
    let mut trunks = asked_by_options(&[1]);
    let flow = trunks.each[0].targets[0].flow;
    let mut sent = Vec::new();
    for second in 1..60 {
        sent.extend(live(&mut trunks, second, second + 1, address(99)));
        trunks.broke(at(second), flow);
        sent.extend(live(&mut trunks, second, second + 1, address(99)));
    }
    assert_eq!(sent.len(), 6, "every ten seconds: {sent:?}");
}

#[test]
fn a_carrier_s_address_that_dies_takes_no_registration_with_it() {
    let mut trunks = asked_by_options(&[1, 2]);
    let nobody = address(99);
    assert_eq!(live(&mut trunks, 1, 100, nobody), [(1, address(1))]);
    let after = live(&mut trunks, 100, 300, address(1));
    assert_eq!(after.len(), 1, "{after:?}");
    let (when, whereto) = after[0];
    assert_eq!(whereto, address(2));
    assert!(when < 160, "within a minute, and not at half its hour: {when}");
}

#[test]
fn a_connection_that_breaks_is_registered_over_again_at_once_and_one_that_is_refused_is_not() {
    let mut trunks = carrier(&[1, 2]).trunks;
    assert_eq!(live(&mut trunks, 1, 10, address(99)).len(), 1);
    let flow = trunks.each[0].targets[0].flow;
    trunks.broke(at(10), Flow { remote: address(50), ..flow });
    assert_eq!(live(&mut trunks, 10, 11, address(99)), [], "somebody else's");
    trunks.broke(at(11), flow);
    assert_eq!(live(&mut trunks, 11, 12, address(99)), [(11, address(1))]);
    trunks.broke(at(22), flow);
    let asked = due(&mut trunks, at(22), &mut 5_000).0;
    trunks.broke(at(22), flow);
    trunks.answered(at(22), asked[0], &ErrandEnd { heard: false, ..end(503) });
    trunks.broke(at(22), flow);
    let elsewhere = live(&mut trunks, 22, 23, address(99));
    assert_eq!(elsewhere, [(22, address(2))], "at the next address, and not there again");
}

#[test]
fn names_that_lead_elsewhere_are_registered_at_from_there_on() {
    let mut trunks = carrier(&[1, 2]).trunks;
    assert_eq!(live(&mut trunks, 1, 10, address(99)), [(1, address(1))]);
    let (site, _) = trunks_of(&[&[1, 2]]);
    trunks.resolved(&site, 0, &[address(7), address(2)]);
    assert_eq!(live(&mut trunks, 10, 12, address(99)), [(10, address(7))]);
}
