//! Audio over IPv4 and IPv6 at once: each peer is told an address of its own family.

mod kit;

use engine::call::event::{Event, Whom};
use engine::id::LegId;
use engine::io::{Input, Verb};
use engine::media::{MediaCommand, MediaEvent, MediaPort};
use engine::site::{Phone, Site};
use kit::peer::{Caller, Dial};
use kit::sip::sdp;
use kit::{ENGINE, Room, agent, centre, desks, plan, site};
use std::net::SocketAddr;

const FOUR: &str = "c=IN IP4 192.0.2.9";
const SIX: &str = "c=IN IP6 2001:db8::9";

/// A room whose ports are told at these addresses.
fn room(site: Site, advertised: &str, other: Option<&str>) -> Room {
    let mut room = Room::with_ports(site, 0);
    let port = |index: u16| MediaPort {
        rtp: SocketAddr::from(([127, 0, 0, 1], 20_000 + 2 * index)),
        advertised: SocketAddr::new(advertised.parse().expect("an address"), 20_000 + 2 * index),
        other: other.map(|other| other.parse().expect("an address")),
        thread: 0,
    };
    room.input(Input::Media(MediaEvent::Ports((0..20).map(port).collect())));
    room
}

fn of_both(site: Site) -> Room {
    room(site, "192.0.2.9", Some("2001:db8::9"))
}

fn of_four(site: Site) -> Room {
    room(site, "192.0.2.9", None)
}

fn desk(count: u32) -> Site {
    site(vec![centre(plan::TEXT, desks(0, count, true))])
}

fn six_sdp() -> String {
    sdp(30_000, "8 0", "sendrecv").replace("IN IP4 127.0.0.1", "IN IP6 2001:db8::1")
}

fn calls(room: &mut Room, body: Option<String>) -> Caller {
    let uri = format!("sip:15@{ENGINE}");
    let mut caller = room.dial_with(&Dial { number: "0612345678", uri, trunk: 0, sdp: body, extra: "" });
    room.ack(&mut caller);
    caller
}

fn told(room: &Room, caller: &Caller) -> String {
    let answer = room.last(&caller.at, &caller.id, |it| it.code() == Some(200)).expect("200");
    line(&answer.body)
}

fn line(body: &str) -> String {
    body.lines().find(|line| line.starts_with("c=")).unwrap_or_default().to_owned()
}

fn alarms(room: &Room) -> Vec<LegId> {
    let all = room.log.iter().filter_map(|(_, entry)| match entry.event {
        Event::OtherFamily { leg, .. } => Some(leg),
        _ => None,
    });
    all.collect()
}

#[test]
fn an_offer_is_answered_in_the_family_it_speaks_of() {
    for (body, expected) in [
        (sdp(30_000, "8 0", "sendrecv"), FOUR),
        (six_sdp(), SIX),
        // On hold from the start (RFC 2543), it still says which family it is of.
        (six_sdp().replace("c=IN IP6 2001:db8::1", "c=IN IP6 ::"), SIX),
        // A name is resolved nowhere: as the signalling comes.
        (six_sdp().replace("c=IN IP6 2001:db8::1", "c=IN IP6 sbc.carrier.example"), FOUR),
    ] {
        let mut room = of_both(desk(1));
        let caller = calls(&mut room, Some(body));
        assert_eq!(told(&room, &caller), expected);
        assert_eq!(alarms(&room), []);
    }
}

#[test]
fn an_offer_of_ours_is_of_the_family_the_signalling_comes_by() {
    let mut room = of_both(desk(1));
    let caller = calls(&mut room, None);
    assert_eq!(told(&room, &caller), FOUR);
}

#[test]
fn a_phone_at_an_ipv6_address_is_offered_one_and_the_caller_keeps_ipv4() {
    let mut site = desk(1);
    let at: SocketAddr = "[::1]:7000".parse().expect("an address");
    site.centres[0].agents[0].phone = Phone::Static { uri: format!("sip:0@{at}"), address: at };
    let mut room = of_both(site);
    let caller = calls(&mut room, Some(sdp(30_000, "8 0", "sendrecv")));
    let invite = room.rings_at(at).expect("rings");
    assert_eq!((line(&invite.body).as_str(), told(&room, &caller).as_str()), (SIX, FOUR));
    let contact = format!("Contact: <sip:0@{at}>\r\n");
    room.send(at, &invite.response("200 OK", "t", &contact, &six_sdp()));
    let hears = room.media.iter().rev().find_map(|(_, it)| match it {
        MediaCommand::Update { stream, .. } => stream.remote,
        _ => None,
    });
    assert_eq!(hears, Some("[2001:db8::1]:30000".parse().expect("an address")));
    assert_eq!(alarms(&room), []);
}

#[test]
fn somebody_outside_is_offered_the_family_of_the_carrier() {
    let mut site = site(vec![centre(plan::TEXT, kit::page::pages(0, 1))]);
    let at: SocketAddr = "[::1]:6001".parse().expect("an address");
    (site.trunks[1].peers, site.trunks[1].reach.targets) = (vec![at], vec![at]);
    let mut room = of_both(site);
    room.page_ready(0);
    room.dial_and_ack("0612345678", "15");
    room.key(0).result.expect("taken");
    let (call, leg) = room.connected(0)[0];
    room.hears(leg);
    let whom = Whom::Outside("sdis-69".to_owned());
    room.by(0, Verb::Consult { agent: agent(0), call, whom }).result.expect("asked");
    assert_eq!(line(&room.rings_at(at).expect("rings outside").body), SIX);
}

#[test]
fn a_caller_that_moves_to_the_other_family_is_followed_there_and_asked_again_as_before() {
    let mut room = of_both(desk(0));
    let mut caller = calls(&mut room, Some(sdp(30_000, "8 0", "sendrecv")));
    room.reinvite(&mut caller, Some(&six_sdp()));
    assert_eq!(told(&room, &caller), SIX);
    room.reinvite_only(&mut caller, None);
    assert_eq!(told(&room, &caller), SIX, "what stands is offered again");
    room.ack_with(&mut caller, Some(&six_sdp()));
    assert_eq!(alarms(&room), []);
}

#[test]
fn an_emergency_of_a_family_we_have_no_address_of_is_answered_with_what_we_have_and_told_once() {
    let mut room = of_four(desk(1));
    let mut caller = calls(&mut room, Some(six_sdp()));
    assert_eq!(room.codes(&caller), [100, 200]);
    assert_eq!(told(&room, &caller), FOUR);
    assert_eq!(alarms(&room), [room.arrival(0).1]);
    room.reinvite(&mut caller, Some(&six_sdp()));
    assert_eq!(alarms(&room).len(), 1, "once for a leg");
    assert!(!room.has_bye(&caller));
}

#[test]
fn a_phone_of_a_family_we_have_no_address_of_is_told_so_and_keeps_the_call_it_has() {
    let mut room = of_four(desk(1));
    room.dial_and_ack("0612345678", "15");
    let invite = room.answer(0);
    room.phone_request(0, &invite, "INVITE", 2, Some(&six_sdp()));
    let refused = room.last(&kit::phone_at(0), invite.call_id(), |it| it.code().is_some());
    assert_eq!(refused.and_then(|it| it.code()), Some(488));
    assert_eq!(alarms(&room), []);
    assert!(room.last(&kit::phone_at(0), invite.call_id(), |it| it.method() == Some("BYE")).is_none());
}
