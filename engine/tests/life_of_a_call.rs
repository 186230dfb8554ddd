//! A call from its INVITE to its record, as carriers and phones see it: real SIP bytes, our own time.

mod kit;

use engine::call::event::{Actor, Cause, Event, OfferEnd};
use engine::id::CentreId;
use engine::media::{MediaCommand, Program};
use engine::site::Identity;
use kit::peer::Dial;
use kit::sip::sdp;
use kit::{ENGINE, Room, agent, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_free_agents_phone_gets_its_invite_in_the_step_of_the_callers_invite() {
    let mut room = Room::new(1);
    let before = room.step;
    let caller = room.dial("0612345678", "15");
    assert_eq!(room.rang_in(0), Some(before + 1));
    assert_eq!(room.codes(&caller), [100, 200]);
    assert_eq!(room.shows(0).as_deref(), Some("0612345678"));
    let invite = room.ringing(0).expect("rings");
    assert_eq!(invite.header("x-bandeau-class"), "unqualified");
    assert!(invite.header("from").starts_with("\"unqualified · samu\""), "{}", invite.header("from"));
    assert!(invite.header("p-asserted-identity").contains("sip:0612345678@"));
}

#[test]
fn an_answered_call_is_bridged_released_by_the_agent_and_ends_in_one_record() {
    let mut room = Room::new(1);
    let caller = room.dial_and_ack("0612345678", "15");
    room.pass(3 * SECOND);
    let invite = room.answer(0);
    assert!(room.last(&kit::phone_at(0), invite.call_id(), |it| it.method() == Some("ACK")).is_some());
    let joined: Vec<_> =
        room.media.iter().filter(|(_, it)| matches!(it, MediaCommand::Join { .. })).collect();
    assert_eq!(joined.len(), 2, "both legs are in the bridge");
    room.pass(20 * SECOND);
    room.phone_bye(0, &invite);
    assert!(room.has_bye(&caller), "a deliberate release ends the caller's leg too");
    let record = room.records.first().expect("a record").clone();
    assert_eq!(record.cause, Some(Cause::Released));
    assert_eq!(record.ended_by, Some(Actor::Agent(agent(0))));
    assert_eq!((record.waited, record.talked), (3 * SECOND, 20 * SECOND));
    assert_eq!((record.service.as_str(), record.route.as_str()), ("samu", "default"));
    assert_eq!(record.attempts.len(), 1);
    room.rest();
}

#[test]
fn a_phone_that_rang_out_shows_a_missed_call() {
    let mut room = Room::new(1);
    room.dial_and_ack("0612345678", "15");
    let invite = room.ringing(0).expect("rings");
    room.phone_says(0, "180 Ringing");
    room.pass(6 * SECOND);
    let cancel = room.last(&kit::phone_at(0), invite.call_id(), |it| it.method() == Some("CANCEL"));
    assert_eq!(cancel.expect("stops ringing").header("reason"), "", "nobody has answered it elsewhere");
}

#[test]
fn the_caller_hangs_up_first_and_the_phone_is_hung_up_in_the_same_step() {
    let mut room = Room::new(1);
    let mut caller = room.dial_and_ack("0612345678", "15");
    let invite = room.answer(0);
    room.pass(5 * SECOND);
    let before = room.step;
    room.bye(&mut caller);
    let bye = room.wire.iter().find(|sent| {
        sent.to == kit::phone_at(0)
            && sent.sip.method() == Some("BYE")
            && sent.sip.call_id() == invite.call_id()
    });
    assert_eq!(bye.map(|sent| sent.step), Some(before + 1));
    assert_eq!(room.records[0].ended_by, Some(Actor::Caller));
    assert_eq!(room.records[0].cause, Some(Cause::Released));
    room.rest();
}

#[test]
fn i10_early_media_is_183_with_audio_and_200_when_an_agent_answers() {
    let mut room = Room::new(1);
    let mut caller = room.dial("0612345678", "3115");
    assert_eq!(room.codes(&caller), [100, 183]);
    room.pass(2 * SECOND);
    room.phone_says(0, "180 Ringing");
    let invite = room.answer(0);
    assert_eq!(room.codes(&caller), [100, 183, 200]);
    let connected = |it: &Event| matches!(it, Event::Connected { .. });
    assert_eq!(room.step_of(connected), None, "I10: not before the caller's ACK");
    room.ack(&mut caller);
    assert!(room.step_of(connected).is_some());
    let bodies: Vec<_> = room
        .wire
        .iter()
        .filter(|sent| sent.to == caller.at && matches!(sent.sip.code(), Some(183 | 200)))
        .map(|sent| sent.sip.body.clone())
        .collect();
    assert!(bodies.len() >= 2 && bodies.iter().all(|body| *body == bodies[0]), "one answer, said twice");
    room.phone_bye(0, &invite);
    assert!(room.has_bye(&caller));
    room.rest();
}

#[test]
fn early_media_is_answered_after_thirty_seconds_at_the_latest() {
    let mut room = Room::new(0);
    let mut caller = room.dial("0612345678", "3115");
    room.pass(29 * SECOND);
    assert_eq!(room.codes(&caller), [100, 183]);
    room.pass(SECOND);
    assert_eq!(room.codes(&caller), [100, 183, 200]);
    room.ack(&mut caller);
    room.bye(&mut caller);
    assert_eq!(room.records[0].cause, Some(Cause::Abandon));
    room.rest();
}

#[test]
fn a_waiting_caller_hears_the_announcement_then_the_hold_sound() {
    let mut room = Room::new(0);
    room.dial_and_ack("0612345678", "15");
    let plays = |it: &MediaCommand| match it {
        MediaCommand::Play { program: Program::Hold { announce, .. }, .. } => Some(announce.clone()),
        _ => None,
    };
    let heard: Vec<_> = room.media.iter().filter_map(|(_, it)| plays(it)).collect();
    assert_eq!(heard, [["welcome".to_owned()]]);
}

#[test]
fn i05_a_caller_who_cancels_while_a_phone_rings_stops_it_in_the_same_step() {
    let mut room = Room::new(1);
    let caller = room.dial("0612345678", "3115");
    room.phone_says(0, "180 Ringing");
    let before = room.step;
    room.cancel(&caller);
    let cancel = room.wire.iter().find(|it| it.to == kit::phone_at(0) && it.sip.method() == Some("CANCEL"));
    assert_eq!(cancel.map(|sent| sent.step), Some(before + 1));
    assert!(room.codes(&caller).contains(&487));
    assert_eq!(room.records[0].cause, Some(Cause::ShortAbandon));
    room.rest();
}

#[test]
fn i05_a_phones_200_that_crosses_the_cancel_gets_ack_and_bye() {
    let mut room = Room::new(1);
    let caller = room.dial("0612345678", "3115");
    room.phone_says(0, "180 Ringing");
    let invite = room.ringing(0).expect("rings");
    // The phone is off the hook already: its 200 is on the way while our CANCEL is.
    room.dead.insert(kit::phone_at(0));
    room.cancel(&caller);
    room.dead.clear();
    let contact = format!("Contact: <sip:0@{}>\r\n", kit::phone_at(0));
    let ok = invite.response("200 OK", "late", &contact, &sdp(40_000, "8", "sendrecv"));
    let before = room.step;
    room.send(kit::phone_at(0), &ok);
    let sent: Vec<_> = room
        .wire
        .iter()
        .filter(|it| it.step == before + 1 && it.to == kit::phone_at(0))
        .filter_map(|it| it.sip.method().map(str::to_owned))
        .collect();
    assert_eq!(sent, ["ACK", "BYE"], "I2: in the same step");
    room.rest();
}

#[test]
fn a_caller_who_hangs_up_while_waiting_has_abandoned() {
    let mut room = Room::new(0);
    let mut short = room.dial_and_ack("0612345678", "15");
    room.pass(14 * SECOND);
    room.bye(&mut short);
    let mut long = room.dial_and_ack("0612345679", "15");
    room.pass(15 * SECOND);
    room.bye(&mut long);
    let causes: Vec<_> = room.records.iter().map(|record| (record.cause, record.waited)).collect();
    assert_eq!(causes, [(Some(Cause::ShortAbandon), 14 * SECOND), (Some(Cause::Abandon), 15 * SECOND)]);
    room.rest();
}

#[test]
fn a_phone_that_refuses_leads_on_and_the_caller_keeps_the_place() {
    for status in ["486 Busy Here", "480 Temporarily Unavailable", "603 Decline", "500 Server Error"] {
        let mut room = Room::new(2);
        room.dial_and_ack("0612345678", "15");
        let first = if room.ringing(0).is_some() { 0 } else { 1 };
        let before = room.step;
        room.phone_says(first, status);
        assert_eq!(room.rang_in(1 - first), Some(before + 1), "{status}: the other phone rings at once");
        assert_eq!(room.shows(1 - first).as_deref(), Some("0612345678"));
        let invite = room.answer(1 - first);
        room.pass(SECOND);
        room.phone_bye(1 - first, &invite);
        assert_eq!(room.records[0].attempts.len(), 2);
        room.rest();
    }
}

#[test]
fn a_phone_that_rings_out_is_left_and_the_next_one_rings() {
    let mut room = Room::new(2);
    room.dial_and_ack("0612345678", "15");
    let first = if room.ringing(0).is_some() { 0 } else { 1 };
    room.phone_says(first, "180 Ringing");
    room.pass(6 * SECOND);
    assert!(room.ringing(first).is_none(), "it was cancelled");
    assert_eq!(room.shows(1 - first).as_deref(), Some("0612345678"));
    assert!(room.step_of(|it| matches!(it, Event::OfferEnded { end: OfferEnd::TimedOut, .. })).is_some());
    assert!(room.step_of(|it| matches!(it, Event::Rona { on: true, .. })).is_some());
}

#[test]
fn nobody_ready_for_thirty_seconds_then_a_phone_is_ready_and_rings_in_the_same_step() {
    let mut room = Room::unready(1);
    room.dial_and_ack("0600000001", "15");
    room.pass(SECOND);
    room.dial_and_ack("0600000018", "18");
    room.pass(30 * SECOND);
    let before = room.step;
    room.command(Actor::Agent(agent(0)), engine::io::Verb::Ready { agent: agent(0) });
    assert_eq!(room.rang_in(0), Some(before + 1));
    assert_eq!(room.shows(0).as_deref(), Some("0600000018"), "due at 11 s, the first caller at 20 s");
}

#[test]
fn vital_then_partner_then_the_others_in_order_of_arrival() {
    let mut room = Room::new(1);
    let mut busy = room.dial_and_ack("0600000000", "15");
    let mut talk = room.answer(0);
    let mut waiting = Vec::new();
    for number in 1..=5 {
        waiting.push(room.dial_and_ack(&format!("060000000{number}"), "15"));
        room.pass(Duration::from_millis(100));
    }
    waiting.push(room.dial_and_ack("0600000009", "urn:service:sos.ecall.automatic"));
    waiting.push(room.dial_and_ack("0600000008", "18"));
    room.bye(&mut busy);
    let mut order = Vec::new();
    for _ in 0..7 {
        order.push(room.shows(0).expect("the next one rings at once"));
        talk = room.answer(0);
        room.pass(SECOND);
        room.phone_bye(0, &talk);
    }
    let expected =
        ["0600000009", "0600000008", "0600000001", "0600000002", "0600000003", "0600000004", "0600000005"];
    assert_eq!(order, expected);
    assert!(room.ringing(0).is_none());
    drop(talk);
    room.rest();
}

#[test]
fn the_called_number_chooses_the_centre_before_its_plan() {
    let other = plan::TEXT
        .replace("\"15\" = \"samu\"", "\"1568\" = \"samu\"")
        .replace("plan     = \"test\"", "plan = \"other\"");
    let mut second = centre(&other, desks(5, 1, true));
    second.name = "samu-68".to_owned();
    let mut room = Room::of(site(vec![centre(plan::TEXT, desks(0, 1, true)), second]));
    room.dial_and_ack("0611111111", "1568");
    room.dial_and_ack("0622222222", "15");
    assert_eq!(room.shows(5).as_deref(), Some("0611111111"));
    assert_eq!(room.shows(0).as_deref(), Some("0622222222"));
    let logs: std::collections::HashSet<CentreId> = room.log.iter().map(|(_, entry)| entry.centre).collect();
    assert_eq!(logs.len(), 2, "each centre has its own log");
}

#[test]
fn i09_an_unknown_number_is_served_by_the_default_route() {
    let mut room = Room::new(1);
    let caller = room.dial_and_ack("0612345678", "4711");
    assert_eq!(room.codes(&caller), [100, 200]);
    assert_eq!(room.shows(0).as_deref(), Some("0612345678"));
    let service = room.log.iter().find_map(|(_, entry)| match &entry.event {
        Event::Arrived { service, .. } => Some(service.clone()),
        _ => None,
    });
    assert_eq!(service.as_deref(), Some("unknown"));
}

#[test]
fn a_desk_phone_that_dials_15_is_a_caller_like_anybody() {
    let mut room = Room::new(2);
    let id = room.phone_dials(1, "15");
    assert!(room.last(&kit::phone_at(1), &id, |it| it.code() == Some(200)).is_some());
    let trunk = room.log.iter().find_map(|(_, entry)| match &entry.event {
        Event::Arrived { trunk, .. } => Some(trunk.clone()),
        _ => None,
    });
    assert_eq!(trunk.as_deref(), Some("internal"));
}

#[test]
fn a_withheld_number_is_shown_to_the_agent_and_remembered_as_nobody() {
    let mut room = Room::new(1);
    let uri = format!("sip:15@{ENGINE}");
    let extra = "P-Asserted-Identity: \"Jean\" <sip:0388112233@carrier.example>\r\nPrivacy: id\r\n";
    let body = Some(sdp(30_000, "8", "sendrecv"));
    room.dial_with(&Dial { number: "anonymous", uri, trunk: 0, sdp: body, extra });
    assert_eq!(room.shows(0).as_deref(), Some("0388112233"));
    let withheld = room.step_of(|it| matches!(it, Event::Arrived { withheld: true, .. }));
    assert!(withheld.is_some());
    let told = format!("{:?}", room.log);
    assert!(!told.contains("0388112233") && !told.contains("Jean"), "private facts do not print");
}

#[test]
fn what_a_trunk_asserts_is_believed_as_its_setting_says_and_shown_though_it_is_private() {
    for (identity, shown) in [(Identity::Asserted, "0388112233"), (Identity::From, "0699999999")] {
        let mut site = kit::site(vec![kit::centre(kit::plan::TEXT, kit::desks(0, 1, true))]);
        site.trunks[0].reach.identity = identity;
        let mut room = Room::of(site);
        let uri = format!("sip:15@{ENGINE}");
        let extra = "P-Asserted-Identity: <sip:0388112233@carrier.example>\r\nPrivacy: id\r\n";
        let body = Some(sdp(30_000, "8", "sendrecv"));
        room.dial_with(&Dial { number: "0699999999", uri, trunk: 0, sdp: body, extra });
        assert_eq!(room.shows(0).as_deref(), Some(shown), "{identity:?}");
        assert!(room.step_of(|it| matches!(it, Event::Arrived { withheld: true, .. })).is_some());
    }
}

#[test]
fn a_test_urn_hears_itself_and_touches_no_queue() {
    let mut room = Room::new(1);
    let mut caller = room.dial_and_ack("0612345678", "urn:service:test.sos.ambulance");
    assert_eq!(room.codes(&caller), [100, 200]);
    assert!(room.media.iter().any(|(_, it)| matches!(it, MediaCommand::Play { program: Program::Echo, .. })));
    assert!(room.ringing(0).is_none());
    room.bye(&mut caller);
    assert_eq!(room.records[0].cause, Some(Cause::Test));
    let forgotten = room.dial_and_ack("0612345678", "urn:service:test.sos");
    room.pass(61 * SECOND);
    assert!(room.has_bye(&forgotten), "it does not hold a port for ever");
    room.rest();
}

#[test]
fn without_a_codec_of_ours_488_and_a_record() {
    let mut room = Room::new(1);
    let body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                m=audio 30000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n";
    let uri = format!("sip:15@{ENGINE}");
    let dial = Dial { number: "0612345678", uri, trunk: 0, sdp: Some(body.to_owned()), extra: "" };
    let caller = room.dial_with(&dial);
    assert_eq!(room.codes(&caller), [100, 488]);
    assert_eq!(room.records[0].cause, Some(Cause::Refused));
    room.rest();
}

#[test]
fn out_of_room_is_503_with_retry_after() {
    let mut few = site(vec![centre(plan::TEXT, desks(0, 0, true))]);
    few.calls_max = 1;
    let mut room = Room::of(few);
    room.dial_and_ack("0611111111", "15");
    let second = room.dial("0622222222", "15");
    assert_eq!(room.codes(&second), [100, 503]);
    let refusal = room.last(&second.at, &second.id, |it| it.code() == Some(503)).expect("503");
    assert_eq!(refusal.header("retry-after"), "5");

    let mut dry = Room::with_ports(site(vec![centre(plan::TEXT, desks(0, 0, true))]), 1);
    dry.dial_and_ack("0611111111", "15");
    let second = dry.dial("0622222222", "15");
    assert_eq!(dry.codes(&second), [100, 503]);
}

#[test]
fn an_invite_without_sdp_gets_our_offer_and_answers_in_the_ack() {
    let mut room = Room::new(1);
    let uri = format!("sip:15@{ENGINE}");
    let mut caller = room.dial_with(&Dial { number: "0612345678", uri, trunk: 0, sdp: None, extra: "" });
    let ok = room.last(&caller.at, &caller.id, |it| it.code() == Some(200)).expect("200");
    assert!(ok.body.contains("RTP/AVP 8 0"), "{}", ok.body);
    room.ack_with(&mut caller, Some(&sdp(31_000, "0", "sendrecv")));
    let agreed = room.media.iter().rev().find_map(|(_, it)| match it {
        MediaCommand::Update { stream, .. } => Some(*stream),
        _ => None,
    });
    let remote = agreed.and_then(|stream| stream.remote).map(|it| it.port());
    assert_eq!(remote, Some(31_000));
    assert_eq!(agreed.map(|stream| stream.codec), Some(engine::media::Codec::Pcmu));
}

#[test]
fn the_phone_is_offered_the_callers_codec_first() {
    let mut room = Room::new(1);
    let uri = format!("sip:15@{ENGINE}");
    let body = Some(sdp(30_000, "0 8", "sendrecv"));
    room.dial_with(&Dial { number: "0612345678", uri, trunk: 0, sdp: body, extra: "" });
    let invite = room.ringing(0).expect("rings");
    assert!(invite.body.contains("RTP/AVP 0 8"), "{}", invite.body);
}

#[test]
fn a_caller_who_puts_us_on_hold_gets_our_own_answer_and_the_phone_is_not_touched() {
    let mut room = Room::new(1);
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let before = room.step;
    room.reinvite(&mut caller, Some(&sdp(30_500, "8", "sendonly")));
    let ok = room.last(&caller.at, &caller.id, |it| it.code() == Some(200)).expect("200");
    assert!(ok.body.contains("a=recvonly"), "{}", ok.body);
    assert!(ok.body.contains(" 2 IN IP4"), "RFC 3264 §8: a new version: {}", ok.body);
    let to_phone = room.wire.iter().any(|sent| sent.step > before && sent.to == kit::phone_at(0));
    assert!(!to_phone, "the other leg is not touched");
    let updates: Vec<_> = room
        .media
        .iter()
        .filter(|(step, _)| *step > before)
        .filter_map(|(_, it)| match it {
            MediaCommand::Update { stream, .. } => Some((stream.send, stream.remote.map(|at| at.port()))),
            _ => None,
        })
        .collect();
    assert_eq!(updates, [(false, Some(30_500))]);
    assert!(room.step_of(|it| matches!(it, Event::Held { held: true, .. })).is_some());
}

#[test]
fn i02_a_second_phone_that_answers_is_let_go() {
    // Rung out, cancelled, and its 200 comes when the second phone has the caller.
    let mut room = Room::new(2);
    room.dial_and_ack("0612345678", "15");
    let first = if room.ringing(0).is_some() { 0 } else { 1 };
    room.phone_says(first, "180 Ringing");
    let slow = room.ringing(first).expect("rings");
    room.dead.insert(kit::phone_at(first));
    room.pass(6 * SECOND);
    room.answer(1 - first);
    room.dead.clear();
    let contact = format!("Contact: <sip:{first}@{}>\r\n", kit::phone_at(first));
    let ok = slow.response("200 OK", "slow", &contact, &sdp(40_000, "8", "sendrecv"));
    room.send(kit::phone_at(first), &ok);
    let bye = room.last(&kit::phone_at(first), slow.call_id(), |it| it.method() == Some("BYE"));
    assert!(bye.is_some(), "ACK and BYE");
    let connected = room.log.iter().filter(|(_, it)| matches!(it.event, Event::Connected { .. })).count();
    assert_eq!(connected, 1);
}

#[test]
fn i03_a_phone_that_hangs_up_before_the_caller_is_confirmed_gives_the_caller_back() {
    let mut room = Room::new(2);
    let mut caller = room.dial("0612345678", "3115");
    let first = if room.ringing(0).is_some() { 0 } else { 1 };
    let invite = room.answer(first);
    room.phone_bye(first, &invite);
    assert!(!room.has_bye(&caller), "the caller is kept");
    assert_eq!(room.shows(1 - first).as_deref(), Some("0612345678"));
    room.ack(&mut caller);
    let second = room.answer(1 - first);
    assert!(room.step_of(|it| matches!(it, Event::Connected { .. })).is_some());
    room.phone_bye(1 - first, &second);
    assert_eq!(room.records[0].waited, Duration::ZERO, "one wait, from the INVITE");
    room.rest();
}

#[test]
fn i03_a_phone_that_answers_without_audio_of_ours_leads_on() {
    let mut room = Room::new(2);
    room.dial_and_ack("0612345678", "15");
    let first = if room.ringing(0).is_some() { 0 } else { 1 };
    let invite = room.ringing(first).expect("rings");
    let contact = format!("Contact: <sip:{first}@{}>\r\n", kit::phone_at(first));
    let body = sdp(0, "8", "sendrecv");
    let ok = invite.response("200 OK", "mute", &contact, &body);
    room.send(kit::phone_at(first), &ok);
    assert!(room.last(&kit::phone_at(first), invite.call_id(), |it| it.method() == Some("BYE")).is_some());
    assert_eq!(room.shows(1 - first).as_deref(), Some("0612345678"));
}

#[test]
fn a_caller_who_never_acknowledges_is_not_there() {
    let mut room = Room::new(0);
    let caller = room.dial("0612345678", "15");
    room.dead.insert(caller.at);
    room.pass(33 * SECOND);
    assert_eq!(room.records.first().and_then(|record| record.cause), Some(Cause::Network));
    room.rest();
}

#[test]
fn i17_a_redialler_inherits_the_time_waited() {
    let mut room = Room::new(0);
    let mut first = room.dial_and_ack("0611111111", "15");
    room.pass(10 * SECOND);
    room.bye(&mut first);
    room.dial_and_ack("0622222222", "15");
    room.dial_and_ack("0611111111", "15");
    let due: Vec<_> = room
        .log
        .iter()
        .filter_map(|(_, it)| match &it.event {
            Event::Queued { due, .. } => Some(*due),
            _ => None,
        })
        .collect();
    assert_eq!(due[1].since(due[2]), 10 * SECOND, "the redialler stands ten seconds earlier");
}

#[test]
fn i19_nonsense_ends_in_a_counter_and_no_panic() {
    let mut room = Room::new(1);
    let caller = room.dial_and_ack("0612345678", "15");
    let talk = room.answer(0);
    let all: Vec<(std::net::SocketAddr, String)> = vec![
        (caller.at, "INVITE".to_owned()),
        (caller.at, "\0\0\0\0".to_owned()),
        (caller.at, "BYE sip:x SIP/2.0\r\n\r\n".to_owned()),
        (kit::phone_at(0), talk.response("200 OK", "other", "", "")),
        (kit::phone_at(0), talk.response("999 Whatever", "x", "", "v=0")),
    ];
    for (from, text) in &all {
        room.send(*from, text);
    }
    for cut in 0..talk.body.len() {
        let body = &talk.body[..cut];
        let mut caller = caller.clone();
        room.reinvite(&mut caller, Some(body));
    }
    assert!(room.records.is_empty(), "the conversation goes on");
}

#[test]
fn the_journal_holds_what_a_restart_needs() {
    let mut room = Room::new(1);
    room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let last = room.journal.last().expect("a snapshot").clone();
    assert!(last.talk.as_ref().is_some_and(|talk| talk.connected));
    assert_eq!(last.legs.len(), 2);
    assert!(last.legs.iter().all(|leg| leg.dialogs.len() == 1), "both dialogs are in it");
    assert_eq!(last.class, "unqualified");
    let text = serde_json::to_string(&last).expect("serialises");
    let back: engine::call::snapshot::CallSnapshot = serde_json::from_str(&text).expect("reads back");
    assert_eq!(serde_json::to_string(&back).expect("serialises"), text);
    assert!(!format!("{last:?}").contains("0612345678"), "its Debug tells no number");
}
