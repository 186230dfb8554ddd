//! A carrier is asked to join a caller of its own with somebody it has reached for us, where the site
//! wants it: it does, it refuses, it says nothing.

mod kit;

use engine::call::event::{Actor, Event};
use engine::site::Transfer;
use kit::peer::{Caller, Dial};
use kit::sip::{Sip, sdp};
use kit::{ENGINE, Room, centre, desks, phone_at, plan, site, trunk_at};

/// A caller over trunk `from`, left by a desk phone to the fire brigade, which trunk 1 reaches.
fn left_to_the_fire_brigade(transfer: Transfer, from: u16) -> (Room, Caller, Sip) {
    let mut site = site(vec![centre(plan::TEXT, desks(0, 1, true))]);
    for trunk in &mut site.trunks {
        trunk.reach.transfer = transfer;
    }
    let mut room = Room::of(site);
    let uri = format!("sip:15@{ENGINE}");
    let sdp = Some(sdp(30_000, "8 0", "sendrecv"));
    let mut caller = room.dial_with(&Dial { number: "0612345678", uri, trunk: from, sdp, extra: "" });
    room.ack(&mut caller);
    let invite = room.answer(0);
    let extra = format!("Refer-To: <sip:sdis-69@{ENGINE}>\r\nReferred-By: <sip:0@{}>\r\n", phone_at(0));
    room.phone_request_with(0, &invite, ("REFER", 50), &extra, None);
    let outside = room.outside_says(1, "200 OK");
    (room, caller, outside)
}

/// Our REFER to the caller's carrier.
fn asked(room: &Room, caller: &Caller) -> Option<Sip> {
    room.last(&caller.at, &caller.id, |sip| sip.method() == Some("REFER")).cloned()
}

fn carrier_says(room: &mut Room, caller: &Caller, status: &str) {
    let refer = asked(room, caller).expect("the carrier is asked");
    let answer = refer.response(status, "c", "", "");
    room.send(caller.at, &answer);
}

fn outside_has_bye(room: &Room, outside: &Sip) -> bool {
    room.last(&trunk_at(1), outside.call_id(), |sip| sip.method() == Some("BYE")).is_some()
}

#[test]
fn the_carrier_is_asked_to_put_the_caller_in_our_place_and_our_lines_end_when_it_has() {
    let (mut room, mut caller, outside) = left_to_the_fire_brigade(Transfer::Refer, 1);
    let refer = asked(&room, &caller).expect("the carrier is asked");
    let to = refer.header("refer-to");
    assert!(to.starts_with("<sip:0472000018@"), "{to}");
    let id = outside.call_id().replace('@', "%40");
    assert!(to.contains("Replaces=") && to.contains(id.split(':').next().expect("an id")), "{to}");
    assert!(refer.header("referred-by").contains("sip:15@"), "{}", refer.header("referred-by"));
    carrier_says(&mut room, &caller, "202 Accepted");
    room.sipfrag(&mut caller, "SIP/2.0 100 Trying");
    assert!(!room.has_bye(&caller) && !outside_has_bye(&room, &outside));
    room.sipfrag(&mut caller, "SIP/2.0 200 OK");
    assert!(room.has_bye(&caller) && outside_has_bye(&room, &outside));
    let released = |event: &Event| matches!(event, Event::Released { by: Actor::Outside(_), .. });
    assert!(room.step_of(released).is_some());
    room.rest();
}

#[test]
fn a_carrier_that_ends_the_replaced_line_first_has_joined_them_as_well() {
    let (mut room, caller, outside) = left_to_the_fire_brigade(Transfer::Refer, 1);
    carrier_says(&mut room, &caller, "202 Accepted");
    room.outside_bye(1, &outside);
    assert!(room.has_bye(&caller));
    room.rest();
}

#[test]
fn i7_a_carrier_that_refuses_or_fails_leaves_the_two_talking_through_us() {
    for no in ["405 Method Not Allowed", "202 Accepted", ""] {
        let (mut room, mut caller, outside) = left_to_the_fire_brigade(Transfer::Refer, 1);
        if !no.is_empty() {
            carrier_says(&mut room, &caller, no);
        }
        if no.starts_with("202") {
            room.sipfrag(&mut caller, "SIP/2.0 503 Service Unavailable");
        }
        room.pass(std::time::Duration::from_secs(40));
        assert!(!room.has_bye(&caller) && !outside_has_bye(&room, &outside), "{no}");
        room.bye(&mut caller);
        assert!(outside_has_bye(&room, &outside), "{no}");
        room.rest();
    }
}

#[test]
fn nobody_is_asked_who_is_not_to_be_or_has_one_of_the_lines_only() {
    for (transfer, from) in [(Transfer::Join, 1), (Transfer::Refer, 0)] {
        let (mut room, mut caller, _) = left_to_the_fire_brigade(transfer, from);
        assert!(asked(&room, &caller).is_none(), "{transfer:?} over trunk {from}");
        room.bye(&mut caller);
        room.rest();
    }
}
