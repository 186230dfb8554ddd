//! `edges.md`, row by row: what an INVITE from a trunk may be answered, each refusal counted; what
//! strangers are answered; and what silence is followed by. Details of SIP are in `sip/tests/edges.rs`.

mod kit;

use engine::call::event::{Actor, Cause, Event, Loss, TrunkState, Who, Whom};
use engine::id::{CallId, CentreId, LegId};
use engine::io::{Counter, Input, Verb};
use engine::live::board::Board;
use engine::live::cast::Cast;
use engine::live::row::Row;
use engine::media::{MediaEvent, Program};
use engine::site::{Reach, Site};
use kit::peer::{Caller, Dial};
use kit::sip::sdp;
use kit::{ENGINE, Room, agent, centre, desks, phone_at, plan, site, trunk_at};
use sip::endpoint::Credentials;
use std::net::SocketAddr;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// What a network has made of an INVITE.
type Change = fn(String) -> String;

fn room() -> Room {
    Room::of(site(vec![centre(plan::TEXT, desks(0, 0, true))]))
}

/// A trunk's INVITE to 15, and what it has been answered so far.
struct Trial {
    room: Room,
    at: SocketAddr,
}

impl Trial {
    fn new(room: Room) -> Trial {
        Trial { room, at: trunk_at(0) }
    }

    fn text(&self, method: &str, uri: &str, more: &str, body: &str) -> String {
        let at = self.at;
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKe\r\nMax-Forwards: 70\r\n\
             From: <sip:0612345678@{at}>;tag=c\r\nTo: <{uri}>\r\nCall-ID: edge\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:0612345678@{at}>\r\n{more}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// An INVITE, changed by hand before it is sent; the codes it gets.
    fn invite(&mut self, more: &str, change: impl FnOnce(String) -> String) -> Vec<u16> {
        let text = self.text("INVITE", &format!("sip:15@{ENGINE}"), more, &sdp(30_000, "8 0", "sendrecv"));
        self.hear(&change(text))
    }

    fn hear(&mut self, text: &str) -> Vec<u16> {
        let before = self.room.wire.len();
        self.room.send(self.at, text);
        let sent = self.room.wire[before..].iter().filter(|sent| sent.to == self.at);
        sent.filter_map(|sent| sent.sip.code()).collect()
    }

    fn counts(&self, counter: &Counter) -> usize {
        self.room.counted.iter().filter(|it| *it == counter).count()
    }

    /// What the last call has dialled.
    fn called(&self) -> &str {
        let arrived = self.room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
            Event::Arrived { called, .. } => Some(called.as_str()),
            _ => None,
        });
        arrived.expect("a call")
    }

    fn refused(&self) -> Vec<u16> {
        let of_trunks = self.room.counted.iter().filter_map(|it| match it {
            Counter::TrunkRefused(code) => Some(*code),
            _ => None,
        });
        of_trunks.collect()
    }
}

#[test]
fn anything_understood_known_number_or_not_is_100_then_an_answer_by_the_queue_s_mode() {
    for uri in [format!("sip:15@{ENGINE}"), format!("sip:0999@{ENGINE}"), "tel:+33388999999".to_owned()] {
        let mut trial = Trial::new(room());
        let text = trial.text("INVITE", &uri, "", &sdp(30_000, "8 0", "sendrecv"));
        let codes = trial.hear(&text);
        assert!(
            codes[0] == 100 && codes[1..].iter().all(|code| matches!(code, 180 | 183 | 200)),
            "{uri}: {codes:?}"
        );
        assert!(codes.len() > 1 && trial.refused().is_empty(), "{uri}: {codes:?}");
    }
}

#[test]
fn a_carrier_that_calls_us_by_our_account_s_name_says_beside_it_what_was_dialled() {
    let mut site = site(vec![centre(plan::TEXT, desks(0, 0, true))]);
    let account = Credentials { user: "+33388151500".to_owned(), password: "x".to_owned() };
    let reach = Reach { targets: vec![trunk_at(0)], account: Some(account), ..Reach::default() };
    site.trunks[0].reach = Reach { registered: Some(600 * SECOND), ..reach };
    let contact = "INVITE sip:+33388151500@";
    for (change, called) in [
        (("INVITE sip:15@", contact), "15"),
        (("Max-Forwards", "P-Called-Party-ID: <tel:112>\r\nMax-Forwards"), "15"),
        (("INVITE sip:15@", "INVITE sip:116117@"), "116117"),
    ] {
        let mut trial = Trial::new(Room::of(site.clone()));
        trial.invite("", |text| text.replacen(change.0, change.1, 1));
        assert_eq!(trial.called(), called, "{change:?}");
    }
}

#[test]
fn a_plan_says_which_of_the_numbers_beside_our_account_s_name_counts() {
    let dialled = |plan: &str, told: &str, to: &str| {
        let mut site = site(vec![centre(plan, desks(0, 0, true))]);
        let account = Credentials { user: "+33388151500".to_owned(), password: "x".to_owned() };
        let reach = Reach { targets: vec![trunk_at(0)], account: Some(account), ..Reach::default() };
        site.trunks[0].reach = Reach { registered: Some(600 * SECOND), ..reach };
        let mut trial = Trial::new(Room::of(site));
        let told =
            if told.is_empty() { String::new() } else { format!("P-Called-Party-ID: <tel:{told}>\r\n") };
        trial.invite(&told, |text| {
            let text = text.replacen("INVITE sip:15@", "INVITE sip:+33388151500@", 1);
            text.replacen("To: <sip:15@", &format!("To: <sip:{to}@"), 1)
        });
        trial.called().to_owned()
    };
    let lists_it = plan::TEXT.replace("\"15\" = \"samu\"", "\"15\" = \"samu\"\n\"+33388151500\" = \"samu\"");
    let ours = "+33388151500";
    for (plan, told, to, called) in [
        (plan::TEXT, "18", "15", "18"),  // the network's word before the caller's
        (plan::TEXT, "112", "15", "15"), // a number no plan knows says nothing
        (plan::TEXT, "112", "0388151500", "112"),
        (plan::TEXT, "", "0388151500", "0388151500"),
        (lists_it.as_str(), "", "0388151500", ours), // the same number, as the caller's country writes it
        (lists_it.as_str(), "", "18", ours),         // To is the caller's to choose
        (lists_it.as_str(), "18", "15", "18"),
        (lists_it.as_str(), "112", "15", ours),
    ] {
        assert_eq!(dialled(plan, told, to), called, "told {told:?}, To {to:?}");
    }
}

#[test]
fn what_is_odd_but_repairable_is_repaired_marked_and_served() {
    let cases: [(&str, &str, Change); 12] = [
        ("a session interval under 90 s", "Session-Expires: 30\r\nSupported: timer\r\n", |text| text),
        ("an unknown extension", "Supported: gruu, teleport\r\n", |text| text),
        ("folding", "Subject: one\r\n two\r\n", |text| text),
        ("a length beyond the datagram", "", |text| text.replace("Content-Length: ", "Content-Length: 9")),
        ("bare line feeds", "", |text| text.replace("\r\n", "\n")),
        ("no Max-Forwards", "", |text| text.replace("Max-Forwards: 70\r\n", "")),
        ("another version", "", |text| text.replacen("SIP/2.0", "SIP/2.1", 1)),
        ("no version", "", |text| text.replacen(" SIP/2.0", "", 1)),
        ("a From of nobody", "", |text| text.replace("<sip:0612345678@127.0.0.1:6000>;tag", "<>;tag")),
        ("number and method in one word", "", |text| text.replace("CSeq: 1 ", "CSeq: 1")),
        ("a length that cuts the offer", "", |text| {
            text.replace("Content-Length: ", "Content-Length: 0\r\nX-Length: ")
        }),
        ("an offer without v=", "", |text| text.replace("v=0\r\n", "")),
    ];
    for (what, more, change) in cases {
        let mut trial = Trial::new(room());
        let codes = trial.invite(more, change);
        assert_eq!((codes.last(), trial.refused()), (Some(&200), Vec::new()), "{what}: {codes:?}");
    }
    let mut trial = Trial::new(room());
    trial.invite("", |text| text.replace("\r\n", "\n"));
    assert_eq!(trial.counts(&Counter::Repaired("bare_line_feed")), 1);
}

#[test]
fn a_required_extension_we_lack_is_420_only_where_there_would_be_no_audio() {
    let mut trial = Trial::new(room());
    assert_eq!(trial.invite("Require: teleport\r\n", |text| text).last(), Some(&200));
    let mut trial = Trial::new(room());
    assert_eq!(trial.invite("Require: precondition\r\n", |text| text).last(), Some(&420));
    assert_eq!(trial.refused(), [420]);
}

#[test]
fn no_codec_of_ours_is_488() {
    let mut trial = Trial::new(room());
    assert_eq!(trial.invite("", |text| text.replace("RTP/AVP 8 0", "RTP/AVP 18 9")), [100, 488]);
    assert_eq!(trial.refused(), [488]);
    assert_eq!(trial.room.records[0].cause, Some(Cause::Refused));
}

#[test]
fn our_own_branch_in_its_via_is_482() {
    let mut trial = Trial::new(Room::new(1));
    trial.room.dial_and_ack("0611111111", "15");
    let ours = trial.room.ringing(0).expect("a phone rings").header("via").to_owned();
    assert_eq!(trial.invite(&format!("Via: {ours}\r\n"), |text| text), [482]);
    assert_eq!(trial.refused(), [482]);
}

#[test]
fn a_cancelled_call_is_487_and_a_request_of_an_unknown_dialog_481() {
    let mut room = room();
    let caller = room.dial("0611111111", "3115");
    room.cancel(&caller);
    assert_eq!(room.codes(&caller).last(), Some(&487));
    let mut trial = Trial::new(room);
    for method in ["BYE", "INVITE"] {
        let text = trial.text(method, &format!("sip:15@{ENGINE}"), "", "");
        let text =
            text.replace(&format!("To: <sip:15@{ENGINE}>"), &format!("To: <sip:15@{ENGINE}>;tag=nobody"));
        assert_eq!(trial.hear(&text.replace("z9hG4bKe", &format!("z9hG4bK{method}"))), [481], "{method}");
    }
}

#[test]
fn what_cannot_be_understood_at_all_is_counted_and_400_where_an_answer_is_possible() {
    for (lost, rule, codes) in [
        ("Call-ID: edge\r\n", "call_id", vec![400]),
        ("CSeq: 1 INVITE\r\n", "cseq", vec![400]),
        ("Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKe\r\n", "via", vec![400]),
    ] {
        let mut trial = Trial::new(room());
        assert_eq!(trial.invite("", |text| text.replace(lost, "")), codes, "without {lost}");
        let counted = trial.room.counted.iter().any(|it| matches!(it, Counter::ParseError(_)));
        assert!(counted, "{rule}: {:?}", trial.room.counted);
        assert_eq!(trial.refused(), codes, "each refusal is an alarm");
    }
}

/// The room a board shows after this log, row by row.
fn alarms(room: &Room, site: &Site) -> Vec<String> {
    let centre = &site.centres[0];
    let (queues, classes, contacts) = (Vec::new(), Vec::new(), Vec::new());
    let (name, agents) = (centre.name.clone(), centre.agents.clone());
    let cast = Cast { centre: CentreId(0), name, queues, classes, contacts, agents };
    let mut board = Board::new(cast, site.epoch);
    room.log.iter().for_each(|(_, entry)| board.fold(entry));
    let rows = board.rows().all().filter_map(|(_, row)| match row {
        Row::Alarm(row) => Some(row.code.clone()),
        _ => None,
    });
    rows.collect()
}

/// A trunk's call that finds no room is told 503 and when to come again, counted, on the board and on
/// record; the call that has room goes on.
fn is_out_of_room(mut trial: Trial, site: &Site) {
    trial.room.dial_and_ack("0611111111", "15");
    assert!(trial.refused().is_empty(), "never below the configured size");
    assert_eq!(trial.invite("", |text| text), [100, 503]);
    let refusal = trial.room.last(&trial.at, "edge", |it| it.code() == Some(503)).expect("503");
    assert_eq!(refusal.header("retry-after"), "5");
    assert_eq!(trial.refused(), [503]);
    assert_eq!(alarms(&trial.room, site), ["refused"]);
    let causes: Vec<_> = trial.room.records.iter().filter_map(|record| record.cause).collect();
    assert_eq!(causes, [Cause::Refused]);
}

#[test]
fn no_port_or_descriptor_left_is_503_with_retry_after_and_an_alarm() {
    // Descriptors are ports: the plane binds them ahead, and has none to give where the system has none.
    let site = site(vec![centre(plan::TEXT, desks(0, 0, true))]);
    is_out_of_room(Trial::new(Room::with_ports(site.clone(), 1)), &site);
}

#[test]
fn beyond_the_configured_number_of_calls_is_503_with_retry_after_and_an_alarm() {
    let few = Site { calls_max: 1, ..site(vec![centre(plan::TEXT, desks(0, 0, true))]) };
    is_out_of_room(Trial::new(Room::of(few.clone())), &few);
}

#[test]
fn up_to_the_configured_number_of_calls_nobody_is_refused() {
    let few = Site { calls_max: 20, ..site(vec![centre(plan::TEXT, desks(0, 0, true))]) };
    let mut room = Room::with_ports(few, 20);
    for index in 0..20 {
        let caller = room.dial_and_ack(&format!("06111111{index:02}"), "15");
        assert!(room.codes(&caller).iter().all(|code| *code <= 200), "call {index}");
    }
    assert!(room.counted.iter().all(|it| !matches!(it, Counter::TrunkRefused(_))));
}

fn phones_refused(room: &Room, code: u16) -> usize {
    room.counted.iter().filter(|it| **it == Counter::PhoneRefused(code)).count()
}

#[test]
fn phones_gone_mad_take_an_eighth_of_the_places_and_never_a_trunk_s_last() {
    let few = Site { calls_max: 40, ..site(vec![centre(plan::TEXT, desks(0, 9, false))]) };
    let mut room = Room::with_ports(few, 60);
    let tried: Vec<(u32, String)> =
        (0..90).map(|turn| (turn % 9, room.phone_dials(turn % 9, "15"))).collect();
    let of = |code: u16| {
        let told = |(phone, id): &&(u32, String)| room.phone_codes(*phone, id).contains(&code);
        tried.iter().filter(told).count()
    };
    assert_eq!((of(200), of(503)), (5, 85));
    assert_eq!(room.records.len(), 0, "what found no place has written none");
    assert_eq!(phones_refused(&room, 503), 85, "and is counted, for the log to tell");
    for index in 0..35 {
        let caller = room.dial_and_ack(&format!("06111111{index:02}"), "15");
        assert!(room.codes(&caller).iter().all(|code| *code <= 200), "call {index}");
    }
    assert!(room.counted.iter().all(|it| !matches!(it, Counter::TrunkRefused(_))));
}

#[test]
fn a_phone_calls_nobody_when_only_the_trunks_last_places_are_left() {
    let few = Site { calls_max: 16, ..site(vec![centre(plan::TEXT, desks(0, 1, false))]) };
    let mut room = Room::with_ports(few, 20);
    for index in 0..14 {
        room.dial_and_ack(&format!("06111111{index:02}"), "15");
    }
    let id = room.phone_dials(0, "15");
    assert_eq!(room.phone_codes(0, &id), [100, 503]);
    let last = room.dial_and_ack("0622222222", "15");
    assert_eq!(room.codes(&last), [100, 200]);
}

#[test]
fn one_phone_has_as_many_calls_at_once_as_lines_and_others_are_heard_beside_it() {
    let mut room = Room::unready(2);
    let tried: Vec<String> = (0..20).map(|_| room.phone_dials(0, "15")).collect();
    let told = |code: u16| tried.iter().filter(|id| room.phone_codes(0, id).contains(&code)).count();
    assert_eq!((told(200), told(486)), (8, 12));
    assert_eq!(phones_refused(&room, 486), 12);
    let beside = room.phone_dials(1, "15");
    assert!(room.phone_codes(1, &beside).contains(&200));
    for id in &tried[..8] {
        room.dialled_request(0, id, ("BYE", 2), "");
    }
    let again = room.phone_dials(0, "15");
    assert!(room.phone_codes(0, &again).contains(&200), "its lines are free again");
}

#[test]
fn feature_codes_dialled_without_end_leave_trunks_their_ports() {
    let few = Site { calls_max: 40, ..site(vec![centre(plan::TEXT, desks(0, 9, false))]) };
    let mut room = Room::with_ports(few, 40);
    for turn in 0..90 {
        room.phone_dials(turn % 9, "*2");
    }
    for index in 0..35 {
        let caller = room.dial_and_ack(&format!("06111111{index:02}"), "15");
        assert!(room.codes(&caller).iter().all(|code| *code <= 200), "call {index}");
    }
}

#[test]
fn a_feature_code_says_that_it_has_worked_when_callers_have_every_place_of_phones() {
    let few = Site { calls_max: 16, ..site(vec![centre(plan::TEXT, desks(0, 4, false))]) };
    let mut room = Room::with_ports(few, 20);
    for index in 0..15 {
        room.dial_and_ack(&format!("06111111{index:02}"), "15");
    }
    let tried = [0, 1, 2].map(|phone| (phone, room.phone_dials(phone, "*2")));
    let told = tried.map(|(phone, id)| room.phone_codes(phone, &id).last().copied());
    assert_eq!(told, [Some(200), Some(200), Some(480)], "two at once are their share");
    assert_eq!(phones_refused(&room, 480), 1);
    room.pass(2 * SECOND);
    let id = room.phone_dials(2, "*2");
    assert_eq!(room.phone_codes(2, &id), [100, 200]);
    room.pass(2 * SECOND);
    let last = room.dial_and_ack("0622222222", "15");
    assert_eq!(room.codes(&last), [100, 200]);
}

#[test]
fn a_test_urn_is_200_and_touches_no_queue() {
    for urn in ["urn:service:test.sos", "urn:service:test.sos.ambulance"] {
        let mut trial = Trial::new(room());
        let text = trial.text("INVITE", urn, "", &sdp(30_000, "8 0", "sendrecv"));
        assert_eq!(trial.hear(&text).last(), Some(&200), "{urn}");
        let queued = trial.room.log.iter().any(|(_, it)| matches!(it.event, Event::Queued { .. }));
        assert!(!queued, "{urn}");
    }
}

#[test]
fn a_urn_that_only_begins_like_a_test_is_somebody_who_calls() {
    let mut trial = Trial::new(room());
    let text = trial.text("INVITE", "urn:service:test.sosx", "", &sdp(30_000, "8 0", "sendrecv"));
    trial.hear(&text);
    assert!(trial.room.log.iter().any(|(_, it)| matches!(it.event, Event::Queued { .. })));
}

#[test]
fn strict_answers_go_to_everyone_who_is_no_trunk() {
    let stranger = SocketAddr::from(([127, 0, 0, 1], 9_000));
    for (method, more, code) in [
        ("OPTIONS", "", 200),
        ("INVITE", "", 403),
        ("INVITE", "Require: teleport\r\n", 420),
        ("DANCE", "", 501),
        ("MESSAGE", "Content-Length: x\r\n", 400),
    ] {
        let mut trial = Trial { at: stranger, ..Trial::new(room()) };
        let text = trial.text(method, &format!("sip:15@{ENGINE}"), more, "");
        assert_eq!(trial.hear(&text), [code], "{method} {more}");
        assert!(trial.refused().is_empty(), "no trunk's");
    }
}

#[test]
fn no_rtp_alone_ends_nobody_and_is_told_within_a_second_of_the_answer() {
    let mut room = Room::new(1);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let (call, leg) = room.arrival(0);
    room.silent(leg, 1);
    let told = |it: &Event| matches!(it, Event::NoMedia { call: of, seconds: 1, .. } if *of == call);
    assert!(room.step_of(told).is_some(), "the agent is told that nothing comes from the caller");
    for seconds in [5, 30, 60] {
        room.silent(leg, seconds);
        room.pass(SECOND);
    }
    assert!(!room.has_bye(&caller), "silence alone ends nobody");
    room.bye(&mut caller);
    room.rest();
}

// When a leg is lost, and what follows: a room of one desk, and whom its agent talks with.

/// A conversation, and the legs of its caller and its agent.
fn talking() -> (Room, Caller, LegId, LegId) {
    let calls_back = format!("{}\n[callback]\ntrunk = \"trunk-1\"\n", plan::TEXT);
    let mut room = Room::of(site(vec![centre(&calls_back, desks(0, 2, true))]));
    let caller = room.dial_and_ack("0612345678", "15");
    let first = u32::from(room.ringing(0).is_none());
    room.answer(first);
    let (_, callers) = room.arrival(0);
    let ours = room.connected(first)[0].1;
    room.input(Input::Media(MediaEvent::Heard { leg: callers }));
    room.input(Input::Media(MediaEvent::Heard { leg: ours }));
    (room, caller, callers, ours)
}

/// The seconds in which nothing is heard of a leg, as the plane tells them.
fn is_silent(room: &mut Room, leg: LegId) {
    for seconds in [1, 5, 30] {
        room.silent(leg, seconds);
        room.pass(SECOND);
    }
}

/// Calls that wait to be called back, and their class.
fn to_be_called_back(room: &Room) -> Vec<String> {
    room.callbacks().into_iter().map(|call| room.class_of(call)).collect()
}

#[test]
fn a_caller_ends_the_call_by_bye_or_cancel() {
    let (mut room, mut caller, ..) = talking();
    room.bye(&mut caller);
    assert_eq!(room.records[0].cause, Some(Cause::Released));
    assert_eq!(room.records[0].ended_by, Some(Actor::Caller));
    assert_eq!(to_be_called_back(&room), Vec::<String>::new(), "they have talked");
    let caller = room.dial("0612345678", "3115");
    room.cancel(&caller);
    assert_eq!(room.records[1].ended_by, Some(Actor::Caller));
    room.rest();
}

#[test]
fn a_caller_who_answers_no_question_and_is_not_heard_is_lost_and_to_be_called_back_at_their_class() {
    let (mut room, caller, callers, _) = talking();
    room.dead.insert(caller.at);
    is_silent(&mut room, callers);
    assert!(room.records.is_empty(), "silence alone, while the question is open");
    room.pass(40 * SECOND);
    assert_eq!(room.records.first().and_then(|record| record.cause), Some(Cause::Network));
    assert_eq!(room.records[0].ended_by, Some(Actor::System));
    assert_eq!(to_be_called_back(&room), [room.class_of(room.arrival(0).0)]);
    room.rest();
}

#[test]
fn a_caller_whose_session_is_not_refreshed_is_lost_only_when_not_heard() {
    for heard in [true, false] {
        let mut room = Room::new(1);
        let uri = format!("sip:15@{ENGINE}");
        let extra = "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n";
        let sdp = Some(sdp(30_000, "8 0", "sendrecv"));
        let mut caller = room.dial_with(&Dial { number: "0612345678", uri, trunk: 0, sdp, extra });
        room.ack(&mut caller);
        room.answer(0);
        let (_, callers) = room.arrival(0);
        room.input(Input::Media(MediaEvent::Heard { leg: callers }));
        if !heard {
            is_silent(&mut room, callers);
        }
        room.dead.insert(caller.at);
        room.pass(150 * SECOND);
        let cause = room.records.first().and_then(|record| record.cause);
        assert_eq!(cause, (!heard).then_some(Cause::Network), "heard: {heard}");
    }
}

#[test]
fn a_desk_phone_ends_the_call_by_bye_and_is_lost_unanswered_or_unheard() {
    for (what, dead) in [("unheard for 30 s", false), ("a question unanswered", true)] {
        let (mut room, caller, callers, ours) = talking();
        let of = if room.connected(0).is_empty() { 1 } else { 0 };
        if dead {
            room.dead.insert(phone_at(of));
            room.silent(ours, 5);
            room.pass(33 * SECOND);
        } else {
            is_silent(&mut room, ours);
        }
        let lost = room.step_of(|it| matches!(it, Event::AgentLost { .. }));
        assert!(lost.is_some(), "{what}");
        assert!(!room.has_bye(&caller) && room.records.is_empty(), "{what}");
        assert_eq!(room.hearing(callers), Some(Program::Comfort), "{what}: at once");
        room.pass(5 * SECOND);
        let other = 1 - of;
        assert!(room.ringing(other).is_some(), "{what}: offered to all");
    }
}

/// A caller, an agent and the fire brigade, who has answered; the brigade's leg.
fn with_the_brigade() -> (Room, Caller, CallId, LegId) {
    let (mut room, caller, ..) = talking();
    let of = u32::from(room.connected(0).is_empty());
    let call = room.arrival(0).0;
    let whom = Whom::Outside("sdis-69".to_owned());
    let asked = room.by(of, Verb::Consult { agent: agent(of), call, whom });
    assert!(asked.result.is_ok());
    room.outside_says(1, "200 OK");
    assert!(room.by(of, Verb::Conference { agent: agent(of), call }).result.is_ok());
    let theirs = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Joined { who: Who::Outside(_), leg, .. } => Some(*leg),
        _ => None,
    });
    let theirs = theirs.expect("in the conference");
    room.input(Input::Media(MediaEvent::Heard { leg: theirs }));
    (room, caller, call, theirs)
}

/// How partners left, as the agent is told.
fn left(room: &Room) -> Vec<Option<Loss>> {
    let all = room.log.iter().filter_map(|(_, entry)| match &entry.event {
        Event::Left { who: Who::Outside(_), loss, .. } => Some(*loss),
        _ => None,
    });
    all.collect()
}

/// Caller and agent talk on.
fn others_stay(room: &Room, caller: &Caller) {
    assert!(room.records.is_empty() && !room.has_bye(caller));
    assert_eq!(room.hearing(room.arrival(0).1), None, "in the conversation, with no program");
    assert!(room.step_of(|it| matches!(it, Event::AgentLost { .. })).is_none());
}

#[test]
fn a_partner_in_a_conference_leaves_by_bye_and_the_others_stay() {
    let (mut room, caller, ..) = with_the_brigade();
    let invite = room.wire.iter().rev().find(|it| it.to == trunk_at(1) && it.sip.method() == Some("INVITE"));
    let invite = invite.expect("rung").sip.clone();
    room.outside_bye(1, &invite);
    assert_eq!(left(&room), [None]);
    others_stay(&room, &caller);
}

#[test]
fn a_partner_in_a_conference_who_is_muted_and_answers_is_there() {
    let (mut room, caller, _, theirs) = with_the_brigade();
    is_silent(&mut room, theirs);
    room.pass(60 * SECOND);
    assert!(left(&room).is_empty());
    let told = |it: &Event| matches!(it, Event::NoMedia { leg, seconds: 1, .. } if *leg == theirs);
    assert!(room.step_of(told).is_some(), "the agent is told that nothing comes from there");
    others_stay(&room, &caller);
}

#[test]
fn a_partner_in_a_conference_is_lost_as_a_caller_and_the_others_stay() {
    for silent_first in [true, false] {
        let (mut room, caller, _, theirs) = with_the_brigade();
        room.dead.insert(trunk_at(1));
        room.silent(theirs, 5);
        if silent_first {
            room.silent(theirs, 30);
        }
        assert!(left(&room).is_empty(), "the question is open");
        room.pass(40 * SECOND);
        if !silent_first {
            assert!(left(&room).is_empty(), "a voice may still come");
            room.silent(theirs, 30);
        }
        assert_eq!(left(&room).len(), 1, "the agent is told: {silent_first}");
        assert!(left(&room)[0].is_some());
        others_stay(&room, &caller);
    }
}

/// The caller is with the fire brigade alone: its agent has handed over.
fn handed_over() -> (Room, Caller, LegId) {
    let (mut room, caller, call, theirs) = with_the_brigade();
    let of = u32::from(room.connected(0).is_empty());
    assert!(room.by(of, Verb::Leave { agent: agent(of), call }).result.is_ok());
    (room, caller, theirs)
}

#[test]
fn a_number_outside_that_has_the_caller_ends_the_call_by_bye() {
    let (mut room, caller, _) = handed_over();
    let invite = room.wire.iter().rev().find(|it| it.to == trunk_at(1) && it.sip.method() == Some("INVITE"));
    let invite = invite.expect("rung").sip.clone();
    room.outside_bye(1, &invite);
    assert!(room.has_bye(&caller));
    assert_eq!(room.records[0].cause, Some(Cause::Released));
}

#[test]
fn a_number_outside_that_has_the_caller_is_lost_unanswered_or_unheard_and_everyone_is_asked() {
    for dead in [true, false] {
        let (mut room, caller, theirs) = handed_over();
        if dead {
            room.dead.insert(trunk_at(1));
            room.silent(theirs, 5);
            room.pass(33 * SECOND);
        } else {
            is_silent(&mut room, theirs);
        }
        let (_, callers) = room.arrival(0);
        assert!(!room.has_bye(&caller) && room.records.is_empty(), "dead: {dead}");
        assert_eq!(room.hearing(callers), Some(Program::Comfort), "dead: {dead}");
        assert!(room.ringing(0).is_some() || room.ringing(1).is_some(), "dead: {dead}: offered");
    }
}

#[test]
fn a_carrier_that_says_503_to_every_question_is_down_although_it_says_something() {
    let mut site = site(vec![centre(plan::TEXT, desks(0, 1, false))]);
    site.trunks[0].reach.asked = Some(30 * SECOND);
    let mut room = Room::of(site);
    room.dead.insert(trunk_at(0)); // it says what this test says
    let mut answered = 0;
    for _ in 0..40 {
        room.pass(5 * SECOND);
        let asks = |it: &&kit::Sent| it.to == trunk_at(0) && it.sip.method() == Some("OPTIONS");
        let open: Vec<_> = room.wire.iter().filter(asks).skip(answered).map(|it| it.sip.clone()).collect();
        for question in open {
            answered += 1;
            let refusal = question.response("503 Service Unavailable", "carrier", "", "");
            room.send(trunk_at(0), &refusal);
        }
    }
    assert!(answered > 3, "asked again: {answered}");
    let mut states = room.log.iter().filter_map(|(_, entry)| match &entry.event {
        Event::TrunkChanged { trunk, state } if trunk == "trunk-0" => Some(*state),
        _ => None,
    });
    assert_eq!(states.next_back(), Some(TrunkState::Down));
}
