//! Audio with a carrier that wants it enciphered, on every leg of ours that goes out to it.

mod kit;

use engine::call::event::{Actor, Event, Seat, Who, Whom};
use engine::id::{CallId, LegId};
use engine::io::Verb;
use engine::media::{KeyName, MediaCommand, SrtpKeys, Stream, Suite};
use engine::site::{Role, Site, Srtp};
use kit::peer::{Caller, Dial};
use kit::sip::{Sip, sdp};
use kit::{ENGINE, Room, agent, centre, desks, phone_at, plan, site, trunk_at};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The trunk that rings outside wants SRTP.
fn enciphered(mut site: Site) -> Site {
    site.trunks[1].reach.srtp = Srtp::Required;
    site
}

/// Whoever is rung outside is offered keys and nothing plain.
fn offers_keys_only(room: &Room) -> Sip {
    let invite = room.rings_outside().expect("rings outside");
    let audio = invite.body.lines().find(|line| line.starts_with("m=audio ")).expect("audio");
    assert!(audio.contains(" RTP/SAVP "), "{audio}");
    assert!(invite.body.contains("a=crypto:1 "), "{}", invite.body);
    invite
}

#[test]
fn a_person_is_called_back_with_keys() {
    let mut room = Room::of(enciphered(site(vec![centre(plan::STAGED, desks(0, 2, false))])));
    for index in 0..2 {
        room.by(index, Verb::SignIn { agent: agent(index), position: None }).result.expect("signed in");
    }
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.pass(20 * SECOND);
    room.bye(&mut caller);
    for index in 0..2 {
        room.by(index, Verb::Ready { agent: agent(index) }).result.expect("ready");
    }
    room.answer(if room.ringing(0).is_some() { 0 } else { 1 });
    offers_keys_only(&room);
}

#[test]
fn a_queue_overflows_with_keys() {
    let rule = r#"{ when = ["waited"], after = "20s", to = "trunk:trunk-1", number = "+33388000099" }"#;
    let text =
        plan::STAGED.replace("stage  = \"front\"\n", &format!("stage  = \"front\"\noverflow = [{rule}]\n"));
    let mut room = Room::of(enciphered(site(vec![centre(&text, desks(0, 1, false))])));
    room.dial_and_ack("0612345678", "15");
    room.pass(21 * SECOND);
    offers_keys_only(&room);
}

#[test]
fn somebody_outside_is_asked_with_keys() {
    let people = kit::page::pages(0, 1);
    let mut room = Room::of(enciphered(site(vec![centre(plan::TEXT, people)])));
    room.page_ready(0);
    room.dial_and_ack("0612345678", "15");
    assert!(room.key(0).result.is_ok());
    let (call, leg) = room.connected(0)[0];
    room.hears(leg);
    let whom = Whom::Outside("sdis-69".to_owned());
    room.by(0, Verb::Consult { agent: agent(0), call, whom }).result.expect("asked");
    let invite = offers_keys_only(&room);
    assert!(room.last(&trunk_at(1), invite.call_id(), |_| true).is_some());
}

/// What the media plane was told last of any leg's agreement.
fn agreed(room: &Room) -> Stream {
    let last = room.media.iter().rev().find_map(|(_, it)| match it {
        MediaCommand::Open { stream, .. } | MediaCommand::Update { stream, .. } => Some(*stream),
        _ => None,
    });
    last.expect("an agreement")
}

/// Legs told of as plain where keys are required, in order.
fn told(room: &Room) -> Vec<(CallId, LegId)> {
    let all = room.log.iter().filter_map(|(_, entry)| match entry.event {
        Event::Unenciphered { call, leg } => Some((call, leg)),
        _ => None,
    });
    all.collect()
}

fn calls(room: &mut Room, body: &str) -> Caller {
    let uri = format!("sip:15@{ENGINE}");
    let sdp = Some(body.to_owned());
    let mut caller = room.dial_with(&Dial { number: "0612345678", uri, trunk: 0, sdp, extra: "" });
    room.ack(&mut caller);
    caller
}

fn answer(room: &Room, caller: &Caller) -> String {
    room.last(&caller.at, &caller.id, |it| it.code() == Some(200)).expect("200").body.clone()
}

const KEY: &str = "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";

/// An enciphered offer of A-law with these keys.
fn savp(direction: &str, keys: &[String]) -> String {
    let plain = sdp(30_000, "8 101", direction).replace("RTP/AVP", "RTP/SAVP");
    let keys: String = keys.iter().map(|key| format!("a=crypto:{key}\r\n")).collect();
    plain + "a=rtpmap:101 telephone-event/8000\r\n" + &keys
}

#[test]
fn an_emergency_whose_keys_have_a_name_or_a_short_tag_or_a_hint_is_answered_with_keys() {
    let name = Some(KeyName { value: 1, length: 4 });
    let usual = Suite::AesCm128HmacSha1_80;
    for (line, suite, name, said) in [
        (format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}|2^20|1:4"), usual, name, "|1:4"),
        (format!("1 AES_CM_128_HMAC_SHA1_80 {KEY} WSH=128 -EXTRA"), usual, None, ""),
        (format!("1 AES_CM_128_HMAC_SHA1_80 {KEY} UNENCRYPTED_SRTCP"), usual, None, " UNENCRYPTED_SRTCP"),
        (format!("1 AES_CM_128_HMAC_SHA1_32 {KEY}"), Suite::AesCm128HmacSha1_32, None, ""),
    ] {
        let mut room = Room::new(1);
        let caller = calls(&mut room, &savp("sendrecv", std::slice::from_ref(&line)));
        assert_eq!(room.codes(&caller), [100, 200], "{line}");
        let body = answer(&room, &caller);
        let ours = body.lines().find(|line| line.starts_with("a=crypto:1 ")).expect("our key");
        assert!(ours.ends_with(said) && !ours.contains(KEY), "{ours}");
        let keys = room.media.iter().find_map(|(_, it)| match it {
            MediaCommand::Open { stream, .. } => stream.srtp,
            _ => None,
        });
        let SrtpKeys { suite: taken, our_name, their_name, .. } = keys.expect("keys");
        assert_eq!((taken, our_name, their_name), (suite, name, name), "{line}");
    }
}

#[test]
fn a_key_without_a_name_is_taken_before_one_that_has_one() {
    let lines = [format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}|1:4"), format!("2 AES_CM_128_HMAC_SHA1_80 {KEY}")];
    let mut room = Room::new(0);
    let caller = calls(&mut room, &savp("sendrecv", &lines));
    assert!(answer(&room, &caller).contains("a=crypto:2 "));
}

#[test]
fn plain_audio_of_a_carrier_that_should_encipher_is_taken_and_told_once() {
    let mut site = site(vec![centre(plan::TEXT, desks(0, 1, true))]);
    site.trunks[0].reach.srtp = Srtp::Required;
    let mut room = Room::of(site);
    let mut caller = room.dial_and_ack("0612345678", "15");
    assert_eq!(room.codes(&caller), [100, 200]);
    assert_eq!(told(&room), [room.arrival(0)]);
    room.reinvite(&mut caller, Some(&sdp(30_000, "8", "sendonly")));
    assert_eq!(told(&room).len(), 1, "once for a leg");
}

#[test]
fn a_caller_that_enciphers_is_not_told_of_until_it_goes_plain() {
    let mut site = site(vec![centre(plan::TEXT, desks(0, 1, true))]);
    site.trunks[0].reach.srtp = Srtp::Required;
    let mut room = Room::of(site);
    let mut caller = calls(&mut room, &savp("sendrecv", &[format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}")]));
    assert_eq!(told(&room), []);
    room.reinvite(&mut caller, Some(&sdp(30_000, "8", "sendrecv")));
    assert_eq!(told(&room), [room.arrival(0)]);
    assert!(!room.has_bye(&caller), "the caller is heard all the same");
}

#[test]
fn a_phone_that_answers_plainly_to_keys_has_the_caller_and_is_told_of() {
    let mut site = site(vec![centre(plan::TEXT, desks(0, 1, true))]);
    site.phones_srtp = Srtp::Required;
    let mut room = Room::of(site);
    room.dial_and_ack("0612345678", "15");
    let invite = room.answer(0);
    assert!(invite.body.contains("RTP/SAVP"), "{}", invite.body);
    let connected = room.log.iter().find_map(|(_, entry)| match entry.event {
        Event::Connected { call, leg, .. } => Some((call, leg)),
        _ => None,
    });
    assert_eq!(told(&room), [connected.expect("nobody's help waits for keys")]);
    assert_eq!(agreed(&room).srtp, None);
}

/// An answer's key of a suite that our offers do not name.
fn not_offered() -> String {
    format!("1 AES_CM_128_HMAC_SHA1_32 {KEY}")
}

/// A caller is put through to a phone of a house that enciphers so, and it answers this.
fn phone_answers(srtp: Srtp, body: &str) -> Room {
    let mut site = site(vec![centre(plan::TEXT, desks(0, 1, true))]);
    site.phones_srtp = srtp;
    let mut room = Room::of(site);
    room.dial_and_ack("0612345678", "15");
    let invite = room.ringing(0).expect("rings");
    let contact = format!("Contact: <sip:0@{}>\r\n", phone_at(0));
    room.send(phone_at(0), &invite.response("200 OK", "t", &contact, body));
    room
}

#[test]
fn a_phone_that_agrees_to_keys_we_have_not_offered_is_heard_and_told_of_and_sent_nothing_in_clear() {
    for srtp in [Srtp::Offered, Srtp::Required] {
        let room = phone_answers(srtp, &savp("sendrecv", &[not_offered()]));
        let stream = agreed(&room);
        assert_eq!(stream.srtp.map(|keys| keys.suite), Some(Suite::AesCm128HmacSha1_32));
        assert!(!stream.send && stream.receive, "{stream:?}");
        assert_eq!(told(&room).len(), 1);
    }
}

#[test]
fn keys_nobody_has_asked_for_beside_plain_audio_leave_it_plain() {
    let body = savp("sendrecv", &[not_offered()]).replace("RTP/SAVP", "RTP/AVP");
    for srtp in [Srtp::Off, Srtp::Offered] {
        let stream = agreed(&phone_answers(srtp, &body));
        assert!(stream.srtp.is_none() && stream.send && stream.receive, "{srtp:?}: {stream:?}");
    }
}

#[test]
fn a_supervisors_phone_without_our_keys_hears_nothing_and_is_told_why() {
    supervisor_answers(&sdp(40_002, "8 101", "sendrecv"));
    supervisor_answers(&savp("sendrecv", &[not_offered()]));
}

fn supervisor_answers(body: &str) {
    let mut people = desks(0, 2, true);
    (people[1].role, people[1].always_ready) = (Role::Supervisor, false);
    people[1].skills.clear();
    let mut site = site(vec![centre(plan::TEXT, people)]);
    site.phones_srtp = Srtp::Required;
    let mut room = Room::of(site);
    let mut caller = room.dial_and_ack("0612345678", "15");
    let keys = format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}");
    let invite = room.ringing(0).expect("rings");
    let contact = format!("Contact: <sip:0@{}>\r\n", phone_at(0));
    room.send(phone_at(0), &invite.response("200 OK", "t", &contact, &savp("sendrecv", &[keys])));
    let call = room.arrival(0).0;
    room.by(1, Verb::SignIn { agent: agent(1), position: None }).result.expect("signed in");
    let wish = Verb::Watch { agent: agent(1), call, seat: Seat::Listens };
    room.command(Actor::User("chief".to_owned()), wish).result.expect("rings");
    let invite = room.ringing(1).expect("rings");
    let contact = format!("Contact: <sip:1@{}>\r\n", phone_at(1));
    room.send(phone_at(1), &invite.response("200 OK", "t", &contact, body));
    let bye = room.last(&phone_at(1), invite.call_id(), |it| it.method() == Some("BYE")).expect("BYE");
    assert!(bye.header("reason").contains("cause=488"), "{}", bye.header("reason"));
    let listens = |it: &Event| matches!(it, Event::Joined { who: Who::Agent(who), .. } if *who == agent(1));
    assert_eq!(room.step_of(listens), None, "not one packet");
    assert_eq!(told(&room).len(), 1);
    assert!(!room.has_bye(&caller));
    room.bye(&mut caller);
    room.rest();
}
