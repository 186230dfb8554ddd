//! A desk phone passes its caller on, or is told that nobody takes the call; what an INVITE says beside
//! who calls; keys pressed in an INFO; reasons in the log.

mod kit;

use engine::call::event::{Attested, Beside, ConsultEnd, Event, Private, Seat, Whom};
use engine::call::record::Record;
use engine::id::CallId;
use engine::io::Verb;
use engine::live::board::Board;
use engine::live::cast::Cast;
use engine::live::row::{Key, Row};
use engine::live::view::{Right, Viewer};
use kit::peer::{Caller, Dial};
use kit::sip::{Sip, sdp};
use kit::{ENGINE, Room, agent, phone_at, trunk_at};
use std::time::Duration;

/// A caller who talks with the agent at the first desk phone; the INVITE that rang there.
fn talking(extra: &str) -> (Room, Caller, CallId, Sip) {
    talking_among(1, extra)
}

/// The same among so many desks.
fn talking_among(desks: u32, extra: &str) -> (Room, Caller, CallId, Sip) {
    let mut room = Room::new(desks);
    let uri = format!("sip:15@{ENGINE}");
    let sdp = Some(sdp(30_000, "8 0", "sendrecv"));
    let mut caller = room.dial_with(&Dial { number: "0612345678", uri, trunk: 0, sdp, extra });
    room.ack(&mut caller);
    let invite = room.answer(0);
    let call = room.log.iter().find_map(|(_, entry)| match &entry.event {
        Event::Connected { call, .. } => Some(*call),
        _ => None,
    });
    (room, caller, call.expect("they talk"), invite)
}

/// The phone's REFER within its call.
fn refer(room: &mut Room, invite: &Sip, to: &str) {
    let extra = format!("Refer-To: <{to}>\r\nReferred-By: <sip:0@{}>\r\n", phone_at(0));
    room.phone_request_with(0, invite, ("REFER", 50), &extra, None);
}

/// What the phone was told of how it goes.
fn told(room: &Room) -> Vec<String> {
    let phone = phone_at(0);
    let notifies = room.wire.iter().filter(|sent| sent.to == phone && sent.sip.method() == Some("NOTIFY"));
    let mut told: Vec<String> = notifies.map(|sent| sent.sip.body.trim().to_owned()).collect();
    told.dedup(); // the phone answers none: each comes again
    told
}

fn ends(room: &Room) -> Vec<ConsultEnd> {
    let all = room.log.iter().filter_map(|(_, entry)| match &entry.event {
        Event::ConsultEnded { end, .. } => Some(*end),
        _ => None,
    });
    all.collect()
}

#[test]
fn a_phone_passes_its_caller_to_the_fire_brigade_and_leaves_when_somebody_there_answers() {
    let (mut room, caller, _, invite) = talking("");
    refer(&mut room, &invite, &format!("sip:sdis-69@{ENGINE}"));
    assert!(told(&room)[0].starts_with("SIP/2.0 100"));
    room.outside_says(1, "200 OK");
    assert!(told(&room).last().is_some_and(|it| it.starts_with("SIP/2.0 200")), "{:?}", told(&room));
    assert_eq!(ends(&room), [ConsultEnd::HandedOver]);
    let bye = room.wire.iter().any(|sent| sent.to == phone_at(0) && sent.sip.method() == Some("BYE"));
    assert!(bye, "the phone is free");
    assert!(!room.has_bye(&caller), "the caller talks on");
}

#[test]
fn i7_a_caller_nobody_takes_comes_back_to_the_phone_which_is_told() {
    let (mut room, caller, _, invite) = talking("");
    refer(&mut room, &invite, &format!("sip:sdis-69@{ENGINE}"));
    room.pass(Duration::from_secs(31));
    assert!(told(&room).last().is_some_and(|it| it.starts_with("SIP/2.0 480")), "{:?}", told(&room));
    assert_eq!(ends(&room), [ConsultEnd::Unanswered]);
    assert!(!room.has_bye(&caller));
}

#[test]
fn nobody_is_called_who_is_not_in_the_directory_and_by_nobody_but_an_agent() {
    let (mut room, _, _, invite) = talking("");
    refer(&mut room, &invite, &format!("sip:0899123456@{ENGINE}"));
    assert!(told(&room).last().is_some_and(|it| it.starts_with("SIP/2.0 404")), "{:?}", told(&room));
    assert!(ends(&room).is_empty());
}

#[test]
fn a_phone_passes_its_caller_to_a_colleague_who_is_told_by_whom() {
    let (mut room, mut caller, call, invite) = talking_among(2, "");
    refer(&mut room, &invite, &format!("sip:desk-1@{ENGINE}"));
    let rings = room.ringing(1).expect("the colleague's phone rings");
    assert_eq!(rings.header("referred-by"), format!("<sip:0@{}>", phone_at(0)));
    assert!(told(&room).last().is_some_and(|it| it.starts_with("SIP/2.0 100")), "{:?}", told(&room));
    room.answer(1);
    assert!(told(&room).last().is_some_and(|it| it.starts_with("SIP/2.0 200")), "{:?}", told(&room));
    assert_eq!(ends(&room), [ConsultEnd::HandedOver]);
    assert!(room.phone_is_free(0, invite.call_id()), "the first phone is free");
    assert!(!room.has_bye(&caller));
    let led =
        |event: &Event| matches!(event, Event::Led { call: of, agent: by } if *of == call && *by == agent(1));
    assert!(room.step_of(led).is_some(), "the colleague answers for the call");
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn a_colleague_is_meant_by_the_number_of_the_phone_as_well() {
    let (mut room, _, _, invite) = talking_among(3, "");
    refer(&mut room, &invite, &format!("sip:2@{ENGINE}"));
    assert!(room.ringing(2).is_some() && room.ringing(1).is_none());
}

#[test]
fn i7_a_caller_whom_a_colleague_does_not_take_comes_back_to_the_phone() {
    let (mut room, caller, _, invite) = talking_among(2, "");
    refer(&mut room, &invite, &format!("sip:desk-1@{ENGINE}"));
    room.pass(Duration::from_secs(31));
    assert!(told(&room).last().is_some_and(|it| it.starts_with("SIP/2.0 480")), "{:?}", told(&room));
    assert!(!room.has_bye(&caller) && !room.phone_is_free(0, invite.call_id()));
    room.phone_bye(0, &invite);
    assert!(room.has_bye(&caller), "from here on the phone ends its call as any other");
    room.rest();
}

#[test]
fn a_caller_passed_to_a_queue_waits_there_and_the_phone_is_free() {
    let (mut room, mut caller, call, invite) = talking_among(2, "");
    refer(&mut room, &invite, &format!("sip:back@{ENGINE}"));
    assert!(told(&room).last().is_some_and(|it| it.starts_with("SIP/2.0 200")), "{:?}", told(&room));
    assert!(room.phone_is_free(0, invite.call_id()));
    let handed =
        |event: &Event| matches!(event, Event::Beside(Beside::HandedOver { call: of, .. }) if *of == call);
    assert!(room.step_of(handed).is_some());
    room.answer(1);
    assert!(!room.has_bye(&caller));
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn i7_a_phone_that_hangs_up_before_the_colleague_has_answered_has_not_ended_the_call() {
    let (mut room, mut caller, _, invite) = talking_among(2, "");
    refer(&mut room, &invite, &format!("sip:desk-1@{ENGINE}"));
    room.phone_bye(0, &invite);
    assert!(!room.has_bye(&caller));
    assert!(room.ringing(1).is_some(), "it is the colleague who is asked");
    assert!(room.ringing(0).is_none());
    room.answer(1);
    assert!(!room.has_bye(&caller));
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn i7_a_caller_left_to_a_colleague_who_does_not_answer_is_everybodys() {
    let (mut room, mut caller, _, invite) = talking_among(2, "");
    refer(&mut room, &invite, &format!("sip:desk-1@{ENGINE}"));
    room.phone_bye(0, &invite);
    room.pass(Duration::from_secs(11));
    assert!(room.ringing(0).is_some(), "after ten seconds everyone is asked");
    room.answer(0);
    assert!(!room.has_bye(&caller));
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn i7_a_phone_that_hangs_up_while_somebody_outside_rings_leaves_the_caller_to_them() {
    let (mut room, caller, call, invite) = talking("");
    refer(&mut room, &invite, &format!("sip:sdis-69@{ENGINE}"));
    room.phone_bye(0, &invite);
    assert!(!room.has_bye(&caller));
    let outside = room.outside_says(1, "200 OK");
    let handed = |event: &Event| matches!(event, Event::HandedOut { call: of, .. } if *of == call);
    assert!(room.step_of(handed).is_some(), "they have the caller");
    assert!(!room.has_bye(&caller));
    room.outside_bye(1, &outside);
    assert!(room.has_bye(&caller));
    room.rest();
}

#[test]
fn i7_a_caller_left_to_somebody_outside_who_does_not_answer_waits_again() {
    for no in ["486 Busy Here", "never"] {
        let (mut room, mut caller, _, invite) = talking("");
        refer(&mut room, &invite, &format!("sip:sdis-69@{ENGINE}"));
        room.phone_bye(0, &invite);
        if no == "never" {
            room.pass(Duration::from_secs(31));
        } else {
            room.outside_says(1, no);
        }
        assert!(!room.has_bye(&caller), "{no}");
        room.answer(0);
        assert!(!room.has_bye(&caller), "{no}");
        room.bye(&mut caller);
        room.rest();
    }
}

#[test]
fn a_call_the_phone_has_made_past_us_cannot_be_joined() {
    let (mut room, _, _, invite) = talking_among(2, "");
    refer(&mut room, &invite, &format!("sip:desk-1@{ENGINE}?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2"));
    assert!(told(&room).last().is_some_and(|it| it.starts_with("SIP/2.0 481")), "{:?}", told(&room));
    assert!(room.ringing(1).is_none());
}

#[test]
fn what_an_invite_says_beside_who_calls_is_logged_and_goes_on_with_the_call() {
    let identity =
        "eyJhbGciOiJFUzI1NiJ9.eyJhdHRlc3QiOiJBIiwib3JpZyI6eyJ0biI6IjMzMSJ9fQ.c2ln;info=<https://c>";
    let extra = format!(
        "Diversion: <sip:+33144490002@h>;reason=deflection\r\nHistory-Info: <sip:15@h>;index=1\r\n\
         Resource-Priority: esnet.1\r\nIdentity: {identity}\r\n"
    );
    let (mut room, mut caller, call, invite) = talking(&extra);
    let signed = room.log.iter().find_map(|(_, entry)| match &entry.event {
        Event::Signed { call: of, signed } if *of == call => Some(signed),
        _ => None,
    });
    let signed = signed.expect("told").clone();
    assert_eq!((signed.attested, signed.priority.as_deref()), (Some(Attested::A), Some("esnet.1")));
    assert_eq!(signed.passed_by, [Private("+33144490002".to_owned())]);
    refer(&mut room, &invite, &format!("sip:sdis-69@{ENGINE}"));
    let out =
        room.wire.iter().rev().find(|sent| sent.to == trunk_at(1) && sent.sip.method() == Some("INVITE"));
    let out = &out.expect("the fire brigade is called").sip;
    let diversions: Vec<&str> = out.all("diversion").collect();
    assert_eq!(diversions.len(), 2, "ourselves on top: {diversions:?}");
    assert!(diversions[0].contains("sip:15@") && diversions[1].contains("+33144490002"));
    assert_eq!(out.header("resource-priority"), "esnet.1");
    assert_eq!(out.header("history-info"), "<sip:15@h>;index=1");
    room.bye(&mut caller);
    assert_eq!(room.records[0].signed.as_deref(), Some(&signed), "and stands in the record");
}

#[test]
fn the_networks_reason_for_an_end_is_in_the_log() {
    let (mut room, mut caller, call, _) = talking("");
    room.bye_with(&mut caller, "Reason: SIP;cause=200, Q.850;cause=31;text=\"x\"\r\n");
    let reasons = room.log.iter().filter_map(|(_, entry)| match &entry.event {
        Event::Reasoned { call: of, protocol, cause, .. } if *of == call => Some((protocol.as_str(), *cause)),
        _ => None,
    });
    assert_eq!(reasons.collect::<Vec<_>>(), [("Q.850", Some(31))]);
    let words: Vec<_> = room.records[0].words.iter().map(|it| (it.protocol.as_str(), it.cause)).collect();
    assert_eq!(words, [("Q.850", Some(31))], "and in the record");
}

#[test]
fn a_page_shows_what_the_line_says_of_its_caller_and_an_observer_no_number_of_it() {
    let (room, _, call, _) = talking("Diversion: <sip:+33144490002@h>\r\nIdentity: x\r\n");
    let (queues, classes, contacts) = (Vec::new(), Vec::new(), Vec::new());
    let (name, agents) = ("samu".to_owned(), kit::desks(0, 1, true));
    let mut board = Board::new(Cast { centre: call.centre, name, queues, classes, contacts, agents }, 3);
    room.log.iter().for_each(|(_, entry)| board.fold(entry));
    for key in [Key::Conversation(agent(0), call), Key::Call(call)] {
        let row = board.rows().row(&key).expect("shown");
        let signed = |row: &Row| match row {
            Row::Conversation(row) => row.signed.clone(),
            Row::Call(row) => row.signed.clone(),
            _ => None,
        };
        let whole = signed(row).expect("signed");
        assert_eq!(whole.attested, Some(Attested::Unreadable));
        assert_eq!(whole.passed_by, [Private("+33144490002".to_owned())]);
        let observer = Viewer { name: "board".to_owned(), right: Right::Observer };
        let cut = signed(&observer.cut(&key, row, &board)).expect("signed");
        assert_eq!(cut.passed_by, [Private("**********02".to_owned())]);
        assert_eq!(cut.attested, whole.attested);
    }
}

#[test]
fn a_record_of_an_older_version_has_no_signs_and_is_read() {
    let (mut room, mut caller, _, _) = talking("");
    room.bye(&mut caller);
    let record = room.records.pop().expect("a record");
    let text = serde_json::to_string(&record).expect("plain data");
    assert!(!text.contains("signed") && !text.contains("words"), "as an older version wrote it");
    assert_eq!(serde_json::from_str::<Record>(&text).expect("read"), record);
}

#[test]
fn a_phone_that_passes_on_beside_a_colleague_is_told_when_nobody_answers() {
    let mut people = kit::desks(0, 1, true);
    people.extend(kit::page::pages(1, 1));
    people[1].role = engine::site::Role::Supervisor;
    people[1].skills.clear();
    let mut room = Room::of(kit::site(vec![kit::centre(kit::plan::TEXT, people)]));
    room.page_ready(1);
    let mut caller = room.dial_and_ack("0612345678", "15");
    let invite = room.answer(0);
    let call = room.ear(0);
    let beside = Verb::Watch { agent: kit::agent(1), call, seat: Seat::Speaks };
    room.by(1, beside).result.expect("speaks");
    refer(&mut room, &invite, &format!("sip:sdis-69@{ENGINE}"));
    room.outside_says(1, "180 Ringing");
    room.pass(Duration::from_secs(31));
    assert!(told(&room).last().is_some_and(|it| it.starts_with("SIP/2.0 480")), "{:?}", told(&room));
    let whom = Whom::Outside("interpreter".to_owned());
    room.by(1, Verb::Consult { agent: kit::agent(1), call, whom }).result.expect("asked");
    room.outside_says(1, "200 OK");
    let bye = room.wire.iter().any(|sent| sent.to == phone_at(0) && sent.sip.method() == Some("BYE"));
    assert!(!bye, "that question was the colleague's: the phone stays");
    room.bye(&mut caller);
    room.rest();
}
