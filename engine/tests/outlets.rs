//! A queue that cannot serve: another centre, or a number outside, while the caller keeps the place.

mod kit;

use engine::call::event::{Actor, Beside, Event};
use engine::id::{AgentId, CentreId, QueueId};
use engine::io::{Command, Input, Refusal, Verb};
use engine::site::{CentreSite, Identity};
use kit::peer::{Caller, Dial};
use kit::sip::{Sip, sdp};
use kit::{Room, agent, centre, desks, plan, site, trunk_at};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The plan of the stages, with this way out of its front desk.
fn with_overflow(rule: &str) -> String {
    plan::STAGED.replace("stage  = \"front\"\n", &format!("stage  = \"front\"\noverflow = [{rule}]\n"))
}

/// A centre whose front desk overflows so, nobody signed in.
fn room(rule: &str) -> Room {
    Room::of(site(vec![centre(&with_overflow(rule), desks(0, 1, false))]))
}

fn overflowed(room: &Room) -> bool {
    room.beside().into_iter().any(|it| matches!(it, Beside::Overflowed { .. }))
}

/// Attempts by a way out that led to nobody.
fn failed(room: &Room) -> usize {
    room.beside().into_iter().filter(|it| matches!(it, Beside::OverflowFailed { .. })).count()
}

const OUT: &str = r#"{ when = ["waited"], after = "20s", to = "trunk:trunk-1", number = "+33388000099" }"#;

/// The same whose carrier for calls out has a second address.
fn room_of_two_addresses() -> Room {
    let mut site = site(vec![centre(&with_overflow(OUT), desks(0, 1, false))]);
    site.trunks[1].reach.targets.push(kit::second_address());
    Room::of(site)
}

/// A caller has waited a second longer than the way out wants, and is tried by it.
fn waited(mut room: Room) -> (Room, Caller) {
    let caller = room.dial_and_ack("0612345678", "15");
    room.pass(21 * SECOND);
    (room, caller)
}

/// The caller hangs up, and nothing stays behind.
fn over(mut room: Room, mut caller: Caller) {
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn a_caller_leaves_the_queue_when_a_human_outside_has_answered_and_not_before() {
    let mut room = room(OUT);
    let caller = room.dial_and_ack("0612345678", "15");
    room.pass(19 * SECOND);
    assert!(room.rings_outside().is_none());
    room.pass(2 * SECOND);
    let rung = room.rings_outside().expect("rings outside");
    assert!(rung.uri().starts_with("sip:+33388000099@"), "{}", rung.uri());
    room.out_says("180 Ringing");
    assert!(!overflowed(&room), "ringing is not answered");
    room.out_says("200 OK");
    assert!(overflowed(&room));
    let (_, leg) = room.arrival(0);
    assert_eq!(room.hearing(leg), None, "in the conversation");
    room.pass(30 * SECOND);
    room.out_bye(&rung);
    assert!(room.has_bye(&caller), "whoever had the call has ended it");
    let outlet = room.records[0].course.outlets[0].clone();
    assert!(outlet.answered.is_some() && outlet.to == "trunk:trunk-1");
    room.rest();
}

#[test]
fn nobody_outside_answers_and_the_caller_is_at_the_same_place() {
    let (mut room, caller) = waited(room(OUT));
    room.out_says("486 Busy Here");
    let busy = |it: &Beside| matches!(it, Beside::OverflowFailed { code: Some(486), .. });
    assert!(room.beside().into_iter().any(busy) && !overflowed(&room));
    let entered = room.log.iter().filter(|(_, it)| matches!(it.event, Event::Queued { .. })).count();
    assert_eq!(entered, 1, "it never left");
    room.by(0, Verb::Ready { agent: agent(0) });
    assert_eq!(room.shows(0).as_deref(), Some("0612345678"));
    over(room, caller);
}

#[test]
fn a_caller_who_hangs_up_stops_the_phone_outside_in_the_same_step() {
    let (mut room, mut caller) = waited(room(OUT));
    let rung = room.rings_outside().expect("rings outside");
    room.out_says("180 Ringing");
    room.bye(&mut caller);
    let cancel = room.last(&kit::trunk_at(1), rung.call_id(), |it| it.method() == Some("CANCEL"));
    assert!(cancel.is_some());
    room.rest();
}

/// A second centre with a ready desk, and the first overflowing to it when a person says so.
fn two_centres() -> Room {
    let rule = r#"{ when = ["opened"], to = "centre:samu-68", mode = "additive" }"#;
    let home = centre(&with_overflow(rule), desks(0, 1, false));
    let other = CentreSite { name: "samu-68".to_owned(), ..centre(plan::STAGED, desks(5, 1, true)) };
    Room::of(site(vec![home, other]))
}

/// Who answers there.
const THERE: AgentId = AgentId { centre: CentreId(1), index: 0 };

fn say(room: &mut Room, verb: Verb) -> Result<(), Refusal> {
    let (centre, id, actor) = (THERE.centre, format!("{verb:?}"), Actor::Agent(THERE));
    room.input(Input::Command(Command { centre, id, actor, verb }));
    room.outcomes.last().expect("an outcome").result.map(|_| ())
}

/// Somebody in charge opens the way out of the front desk.
fn open(room: &mut Room) {
    let queue = room.queue("front");
    room.chief(Verb::SetOverflow { queue, open: true }).result.expect("opened");
}

#[test]
fn another_centre_helps_when_a_person_opens_it_and_the_place_at_home_is_kept() {
    let mut room = two_centres();
    let mut caller = room.dial_and_ack("0612345678", "15");
    assert!(room.ringing(5).is_none());
    open(&mut room);
    assert_eq!(room.shows(5).as_deref(), Some("0612345678"), "in the same step");
    assert!(!overflowed(&room), "it waits at home all the same");
    room.answer(5);
    assert!(overflowed(&room));
    let answered = room.log.iter().any(|(_, it)| {
        it.centre == CentreId(1) && matches!(it.event, Event::Connected { agent, .. } if agent == THERE)
    });
    assert!(answered);
    room.pass(20 * SECOND);
    room.bye(&mut caller);
    let gone = room.beside().into_iter().any(|it| matches!(it, Beside::GuestGone { .. }));
    assert!(gone, "no longer the other centre's concern");
    assert_eq!(room.records.len(), 1);
    room.rest();
}

#[test]
fn i02_whoever_is_first_at_home_or_abroad_has_the_call() {
    let mut room = two_centres();
    let caller = room.dial_and_ack("0612345678", "15");
    open(&mut room);
    room.by(0, Verb::Ready { agent: agent(0) });
    assert!(room.ringing(0).is_some() && room.ringing(5).is_some());
    room.phone_says(5, "180 Ringing");
    room.answer(0);
    assert!(room.ringing(5).is_none(), "answered elsewhere");
    assert!(!overflowed(&room));
    over(room, caller);
}

#[test]
fn a_caller_handed_over_and_answered_outside_is_nobodys_to_call_again() {
    let overflow = format!("stage  = \"regulation\"\noverflow = [{OUT}]\n");
    let text = plan::STAGED.replace("stage  = \"regulation\"\n", &overflow);
    let mut room = Room::of(site(vec![centre(&text, desks(0, 1, true))]));
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let (call, queue) = (room.ear(0), room.queue("regulation"));
    let verb = Verb::HandOver { agent: agent(0), call, queue, class: None, note: None };
    room.by(0, verb).result.expect("handed over");
    room.pass(21 * SECOND);
    room.out_says("200 OK");
    assert!(overflowed(&room));
    room.pass(600 * SECOND);
    let due = room.beside().into_iter().any(|it| matches!(it, Beside::RecontactDue { .. }));
    assert!(!due, "somebody talks with them");
    room.bye(&mut caller);
    assert!(room.callbacks().is_empty(), "no work stays behind");
    room.rest();
}

#[test]
fn somebody_outside_has_the_caller_of_a_lost_agent_and_the_other_phone_stops_ringing() {
    let mut room = Room::of(site(vec![centre(&with_overflow(OUT), kit::page::pages(0, 1))]));
    room.page_ready(0);
    let caller = room.dial_and_ack("0612345678", "15");
    assert!(room.key(0).result.is_ok());
    let (_, leg) = room.connected(0)[0];
    room.hears(leg);
    room.pass(20 * SECOND);
    room.page(0, false);
    room.page_down(room.page_id(0));
    room.pass(4 * SECOND);
    room.phone_says(50, "180 Ringing");
    room.pass(2 * SECOND);
    assert!(room.ringing(50).is_some());
    room.pass(20 * SECOND);
    room.out_says("200 OK");
    assert!(overflowed(&room) && room.ringing(50).is_none());
    over(room, caller);
}

#[test]
fn i01_a_call_confirmed_vital_is_so_in_the_other_centre_that_may_have_it() {
    let mut room = two_centres();
    say(&mut room, Verb::Pause { agent: THERE, reason: "break".to_owned() }).expect("done");
    let mut first = room.dial_and_ack("0612345678", "15");
    room.pass(SECOND);
    let mut second = room.dial_and_ack("0687654321", "15");
    open(&mut room);
    let (call, _) = room.arrival(1);
    room.chief(Verb::Qualify { call, class: "vital".to_owned() }).result.expect("confirmed vital");
    say(&mut room, Verb::Ready { agent: THERE }).expect("done");
    assert_eq!(room.shows(5).as_deref(), Some("0687654321"), "first there too, and not the longer wait");
    let told = room.log.iter().any(|(_, it)| {
        it.centre == CentreId(1)
            && matches!(it.event, Event::Qualified { fenced: true, call: of, .. } if of == call)
    });
    assert!(told, "the other centre's log says why");
    room.bye(&mut first);
    room.bye(&mut second);
    let words = room.records[1].qualifications.iter().filter(|word| word.class == "vital");
    assert_eq!(words.count(), 1, "one word of one person");
    room.rest();
}

#[test]
fn whoever_helps_qualifies_notes_and_tags_the_call_in_the_ear_and_no_other() {
    let mut room = two_centres();
    let mut first = room.dial_and_ack("0612345678", "15");
    let mut second = room.dial_and_ack("0687654321", "15");
    open(&mut room);
    room.answer(5);
    let (call, other) = (room.arrival(0).0, room.arrival(1).0);
    let words = |call| {
        let (text, tag) = ("fell from a roof".to_owned(), "fall".to_owned());
        [Verb::Qualify { call, class: "P1".to_owned() }, Verb::Note { call, text }, Verb::Tag { call, tag }]
    };
    for verb in words(other) {
        assert_eq!(say(&mut room, verb), Err(Refusal::Unknown), "not theirs");
    }
    for verb in words(call) {
        assert_eq!(say(&mut room, verb), Ok(()));
    }
    assert_eq!(
        say(&mut room, Verb::PlanCallback { call, after: SECOND, note: None }),
        Err(Refusal::Unknown),
        "home's"
    );
    let told = |fits: fn(&Event) -> bool| {
        let both = room.log.iter().filter(|(_, it)| fits(&it.event)).map(|(_, it)| it.centre.0);
        both.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(told(|it| matches!(it, Event::Qualified { class, .. } if class == "p1")), 2, "both boards");
    assert_eq!(told(|it| matches!(it, Event::Noted { .. })), 2);
    assert_eq!(told(|it| matches!(it, Event::Beside(Beside::Tagged { .. }))), 2);
    room.bye(&mut first);
    let record = &room.records[0];
    assert_eq!(
        (record.qualifications.last().map(|it| it.class.as_str()), record.notes.len()),
        (Some("p1"), 1)
    );
    room.bye(&mut second);
    room.rest();
}

#[test]
fn another_queue_of_the_centre_is_no_attempt_that_fails() {
    let mut room =
        room(r#"{ when = ["waited"], after = "20s", to = "queue:regulation", mode = "additive" }"#);
    let caller = room.dial_and_ack("0612345678", "15");
    room.pass(120 * SECOND);
    assert_eq!(failed(&room), 0);
    let fired = room.beside().into_iter().filter(|it| matches!(it, Beside::Overflowing { .. }));
    assert_eq!(fired.count(), 1, "each rule fires once");
    over(room, caller);
}

#[test]
fn a_caller_offered_in_another_queue_as_well_is_not_moved_away_by_the_ways_out_of_that_queue() {
    let beside = r#"{ when = ["waited"], after = "20s", to = "queue:regulation", mode = "additive" }"#;
    let moves = "overflow = [{ when = [\"opened\"], to = \"queue:crisis\", mode = \"move\" }]\n";
    let plan = with_overflow(beside)
        .replace("stage  = \"regulation\"\n", &format!("stage  = \"regulation\"\n{moves}"));
    let mut room = Room::of(site(vec![centre(&plan, desks(0, 1, false))]));
    let caller = room.dial_and_ack("0612345678", "15");
    room.pass(21 * SECOND);
    let queue = QueueId { centre: CentreId(0), index: 1 };
    room.command(Actor::User("supervisor".to_owned()), Verb::SetOverflow { queue, open: true })
        .result
        .expect("opened");
    let moved = room.log.iter().any(|(_, it)| matches!(it.event, Event::Moved { .. }));
    assert!(!moved, "the place at home is kept");
    room.by(0, Verb::Ready { agent: agent(0) });
    assert_eq!(room.shows(0).as_deref(), Some("0612345678"), "and whoever is free at home has the caller");
    over(room, caller);
}

#[test]
fn a_way_out_over_a_carrier_is_tried_at_each_of_its_addresses() {
    let (mut room, caller) = waited(room_of_two_addresses());
    room.out_says("503 Service Unavailable");
    assert_eq!(failed(&room), 0);
    let rung = room.rings_out_at(kit::second_address()).expect("rings at the other address");
    assert!(rung.uri().starts_with("sip:+33388000099@"), "{}", rung.uri());
    room.out_says_at(kit::second_address(), "200 OK");
    assert!(overflowed(&room));
    assert!(room.last(&trunk_at(1), rung.call_id(), |_| true).is_none(), "one address, one dialog");
    over(room, caller);
}

#[test]
fn an_address_that_says_nothing_is_left_for_the_carriers_next_one() {
    for (first, passes_on) in [(None, true), (Some("100 Trying"), false), (Some("180 Ringing"), false)] {
        let (mut room, caller) = waited(room_of_two_addresses());
        if let Some(first) = first {
            room.out_says(first);
        }
        room.pass(5 * SECOND);
        assert_eq!(room.rings_out_at(kit::second_address()).is_some(), passes_on, "{first:?}");
        if passes_on {
            room.out_says_at(kit::second_address(), "200 OK");
            assert!(overflowed(&room));
        }
        over(room, caller);
    }
}

#[test]
fn the_last_address_has_all_the_time_a_phone_rings() {
    let (mut room, caller) = waited(room(OUT));
    room.pass(20 * SECOND);
    assert!(room.rings_outside().is_some(), "there is no other");
    room.out_says("200 OK");
    assert!(overflowed(&room));
    over(room, caller);
}

#[test]
fn whoever_is_called_outside_says_no_for_every_address_and_the_last_one_that_fails_ends_the_attempt() {
    for (first, then) in [("486 Busy Here", None), ("503 Service Unavailable", Some("500 Server Error"))] {
        let (mut room, caller) = waited(room_of_two_addresses());
        room.out_says(first);
        assert_eq!(room.rings_out_at(kit::second_address()).is_some(), then.is_some());
        if let Some(then) = then {
            room.out_says_at(kit::second_address(), then);
        }
        assert_eq!(failed(&room), 1);
        over(room, caller);
    }
}

// RFC 3263 §4.3: an address that says nothing has failed, long before a caller has waited for it.
#[test]
fn i2_a_silent_address_of_a_carrier_is_left_for_the_next_after_four_seconds() {
    let (mut room, caller) = waited(room_of_two_addresses());
    let silent = room.rings_outside().expect("rings outside");
    room.pass(Duration::from_millis(2_900));
    assert!(room.rings_out_at(kit::second_address()).is_none(), "it may be slow");
    room.pass(2 * SECOND);
    assert!(room.rings_out_at(kit::second_address()).is_some());
    assert_eq!(failed(&room), 0);
    room.out_says_at(kit::second_address(), "200 OK");
    assert!(overflowed(&room));
    // The silent one was only slow: what it answers is acknowledged and hung up, nobody hears nobody.
    let contact = format!("Contact: <sip:out@{}>\r\n", trunk_at(1));
    let late = silent.response("200 OK", "late", &contact, "");
    room.send(trunk_at(1), &late);
    for method in ["ACK", "BYE"] {
        let sent = room.last(&trunk_at(1), silent.call_id(), |sip| sip.method() == Some(method));
        assert!(sent.is_some(), "{method}");
    }
    over(room, caller);
}

#[test]
fn the_only_address_of_a_carrier_has_all_the_time_there_is() {
    let (mut room, caller) = waited(room(OUT));
    room.pass(20 * SECOND);
    assert!(room.rings_outside().is_some(), "a slow answer is better than none");
    room.pass(11 * SECOND);
    assert_eq!(failed(&room), 1);
    over(room, caller);
}

#[test]
fn an_address_that_has_said_a_word_is_waited_for() {
    let (mut room, caller) = waited(room_of_two_addresses());
    room.out_says("100 Trying");
    room.pass(20 * SECOND);
    assert!(room.rings_out_at(kit::second_address()).is_none(), "nobody is called twice");
    over(room, caller);
}

// edges.md: 30 s without any RTP from whoever outside has the call, and the caller waits again at home.
#[test]
fn i33_whoever_outside_has_the_caller_and_is_not_heard_for_thirty_seconds_has_them_no_more() {
    let mut room = room(OUT);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.pass(21 * SECOND);
    room.out_says("200 OK");
    let (_, callers) = room.arrival(0);
    let outside = *room.open_legs().iter().find(|leg| **leg != callers).expect("their leg");
    room.silent(outside, 1);
    let told = |it: &Event| matches!(it, Event::NoMedia { leg, .. } if *leg == outside);
    assert!(room.step_of(told).is_some(), "told at once");
    room.pass(29 * SECOND);
    room.silent(outside, 30);
    assert!(!room.has_bye(&caller), "never a BYE to the caller");
    assert_eq!(room.hearing(callers), Some(engine::media::Program::Comfort));
    room.by(0, Verb::Ready { agent: agent(0) });
    assert_eq!(room.shows(0).as_deref(), Some("0612345678"), "and everybody at home is asked");
    assert_eq!(room.ringing(0).expect("rings").header("x-bandeau-class"), "vital", "nobody has said less");
    room.bye(&mut caller);
    room.rest();
}

/// The INVITE outside for a caller of this number, who withholds it or not.
fn passed_on(identity: Identity, number: &str, withheld: bool) -> Sip {
    let mut site = site(vec![centre(&with_overflow(OUT), desks(0, 1, false))]);
    site.trunks[1].reach.identity = identity;
    let mut room = Room::of(site);
    let uri = format!("sip:15@{}", kit::ENGINE);
    let asserted = format!("Privacy: id\r\nP-Asserted-Identity: \"Jean\" <sip:{number}@h>\r\n");
    let (extra, sdp) = (if withheld { asserted.as_str() } else { "" }, Some(sdp(30_000, "8", "sendrecv")));
    let from = if withheld { "anonymous" } else { number };
    let mut caller = room.dial_with(&Dial { number: from, uri, trunk: 0, sdp, extra });
    room.ack(&mut caller);
    room.pass(21 * SECOND);
    let rung = room.rings_outside().expect("rings outside");
    over(room, caller);
    rung
}

#[test]
fn a_number_its_caller_withholds_is_asserted_to_a_carrier_we_trust_and_told_to_nobody_else() {
    const NUMBER: &str = "+33612345678";
    let open = passed_on(Identity::Asserted, NUMBER, false);
    assert!(open.header("from").starts_with(&format!("<sip:{NUMBER}@")), "{}", open.header("from"));
    assert_eq!((open.all("privacy").count(), open.all("p-asserted-identity").count()), (0, 0));
    let anonymous = "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=";
    let trusted = passed_on(Identity::Asserted, NUMBER, true);
    assert!(trusted.header("from").starts_with(anonymous), "{}", trusted.header("from"));
    assert_eq!(trusted.header("privacy"), "id");
    let asserted = trusted.header("p-asserted-identity");
    assert!(asserted.starts_with(&format!("<sip:{NUMBER}@")) && !asserted.contains("Jean"), "{asserted}");
    let stranger = passed_on(Identity::From, NUMBER, true);
    assert!(stranger.header("from").starts_with(anonymous), "{}", stranger.header("from"));
    assert_eq!(stranger.header("privacy"), "id");
    let message = format!("{stranger:?}");
    assert!(!message.contains("612345678") && !message.contains("Jean"), "nowhere in the message");
}

#[test]
fn a_call_that_was_passed_on_too_often_waits_here() {
    for sign in
        ["Diversion: <sip:+33144490002@h>;counter=99", "History-Info: <sip:15@h>, <sip:+331@h>, <sip:15@h>"]
    {
        let mut room = room(OUT);
        let uri = format!("sip:15@{}", kit::ENGINE);
        let (sdp, extra) = (Some(sdp(30_000, "8", "sendrecv")), &format!("{sign}\r\n"));
        let mut caller = room.dial_with(&Dial { number: "0612345678", uri, trunk: 0, sdp, extra });
        room.ack(&mut caller);
        room.pass(30 * SECOND);
        assert!(room.rings_outside().is_none(), "{sign}");
        assert!(!room.has_bye(&caller), "the caller keeps the place");
        over(room, caller);
    }
}
