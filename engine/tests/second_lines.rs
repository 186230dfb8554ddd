//! An agent at a desk phone asks somebody by its second line while the caller is on hold, comes back to
//! the caller, or leaves them to whoever was asked (an attended transfer).

mod kit;

use engine::call::event::{ConsultEnd, Event};
use engine::media::MediaCommand;
use kit::peer::Caller;
use kit::sip::{Sip, sdp};
use kit::{ENGINE, Room, phone_at};
use std::time::Duration;

/// A caller on hold at the first of two desks, and the call by which its agent asks somebody.
struct Asking {
    room: Room,
    caller: Caller,
    first: Sip,
    second: String,
}

fn asking(whom: &str) -> Asking {
    let mut room = Room::new(2);
    let caller = room.dial_and_ack("0612345678", "15");
    let first = room.answer(0);
    let held = sdp(40_000, "8", "sendonly");
    room.phone_request(0, &first, "INVITE", 20, Some(&held));
    room.phone_request(0, &first, "ACK", 20, None);
    let second = room.phone_dials(0, whom);
    Asking { room, caller, first, second }
}

impl Asking {
    /// The attended transfer, by the line that has the caller.
    fn refers(&mut self) {
        let replaces = escaped(&self.room.dialled_as_replaces(0, &self.second));
        let extra = format!(
            "Refer-To: <sip:desk-1@{ENGINE}?Replaces={replaces}>\r\nReferred-By: <sip:0@{}>\r\n",
            phone_at(0)
        );
        self.room.phone_request_with(0, &self.first, ("REFER", 50), &extra, None);
    }

    fn told(&self) -> Vec<String> {
        let phone = phone_at(0);
        let wire = self.room.wire.iter();
        let notifies = wire.filter(|sent| sent.to == phone && sent.sip.method() == Some("NOTIFY"));
        let mut told: Vec<String> =
            notifies.map(|sent| sent.sip.body.split(' ').nth(1).unwrap_or_default().to_owned()).collect();
        told.dedup();
        told
    }

    fn both_lines_are_free(&self) -> bool {
        self.room.phone_is_free(0, self.first.call_id()) && self.room.phone_is_free(0, &self.second)
    }

    fn ends(&self) -> Vec<ConsultEnd> {
        let all = self.room.log.iter().filter_map(|(_, entry)| match &entry.event {
            Event::ConsultEnded { end, .. } => Some(*end),
            _ => None,
        });
        all.collect()
    }

    /// The caller hears the conversation, not the hold sound.
    fn caller_is_in(&self) -> bool {
        let leg = self.room.open_legs()[0];
        let of_caller = self.room.media.iter().rev().map(|(_, command)| command).find(|command| {
            matches!(command, MediaCommand::Join { leg: it, .. } | MediaCommand::Leave { leg: it } if *it == leg)
        });
        matches!(of_caller, Some(MediaCommand::Join { .. }))
    }

    fn ends_well(mut self) {
        assert!(!self.room.has_bye(&self.caller), "the caller talks on");
        self.room.bye(&mut self.caller);
        self.room.rest();
    }
}

fn escaped(replaces: &str) -> String {
    replaces.replace('@', "%40").replace(';', "%3B").replace('=', "%3D").replace(':', "%3A")
}

#[test]
fn a_colleague_called_by_the_second_line_is_asked_about_the_caller() {
    let mut it = asking("desk-1");
    assert_eq!(it.room.phone_codes(0, &it.second), [100, 180]);
    assert!(!it.caller_is_in(), "the caller hears the hold sound");
    it.room.answer(1);
    assert_eq!(it.room.phone_codes(0, &it.second), [100, 180, 200]);
    assert!(!it.caller_is_in());
    it.ends_well();
}

#[test]
fn an_attended_transfer_leaves_the_caller_to_the_colleague_and_frees_both_lines() {
    let mut it = asking("desk-1");
    it.room.answer(1);
    it.refers();
    assert_eq!(it.told(), ["100", "200"]);
    assert_eq!(it.ends(), [ConsultEnd::HandedOver]);
    assert!(it.both_lines_are_free() && it.caller_is_in());
    it.ends_well();
}

#[test]
fn it_is_the_same_when_the_second_line_names_the_first() {
    let mut it = asking("desk-1");
    it.room.answer(1);
    let replaces = escaped(&it.room.taken_as_replaces(&it.first));
    let extra = format!("Refer-To: <sip:15@{ENGINE}?Replaces={replaces}>\r\n");
    it.room.dialled_request(0, &it.second.clone(), ("REFER", 50), &extra);
    assert_eq!(it.told(), ["100", "200"]);
    assert!(it.both_lines_are_free() && it.caller_is_in());
    it.ends_well();
}

#[test]
fn a_transfer_while_the_colleague_rings_is_done_when_they_answer() {
    let mut it = asking("desk-1");
    it.refers();
    assert_eq!(it.told(), ["100"]);
    it.room.answer(1);
    assert_eq!(it.told(), ["100", "200"]);
    assert!(it.room.phone_is_free(0, it.first.call_id()) && it.caller_is_in());
    it.ends_well();
}

#[test]
fn i7_a_colleague_who_does_not_answer_leaves_the_caller_with_the_agent() {
    let mut it = asking("desk-1");
    it.refers();
    it.room.pass(Duration::from_secs(31));
    assert_eq!(it.told(), ["100", "480"]);
    assert_eq!(it.room.phone_codes(0, &it.second), [100, 180, 480]);
    assert!(it.caller_is_in() && !it.room.phone_is_free(0, it.first.call_id()));
    it.ends_well();
}

#[test]
fn the_agent_who_hangs_the_second_line_up_has_the_caller_again() {
    for answered in [true, false] {
        let mut it = asking("desk-1");
        if answered {
            it.room.answer(1);
            it.room.dialled_request(0, &it.second.clone(), ("BYE", 2), "");
        } else {
            it.room.phone_says(1, "180 Ringing");
            let cancel = it.room.phone_cancel(0, &it.second.clone());
            it.room.send(phone_at(0), &cancel);
        }
        assert_eq!(it.ends(), [ConsultEnd::Back], "answered: {answered}");
        assert!(it.room.ringing(1).is_none() && it.caller_is_in());
        assert!(!it.room.phone_is_free(0, it.first.call_id()));
        it.ends_well();
    }
}

#[test]
fn the_colleague_who_hangs_up_leaves_the_caller_with_the_agent() {
    let mut it = asking("desk-1");
    let theirs = it.room.answer(1);
    it.room.phone_bye(1, &theirs);
    assert!(it.room.phone_is_free(0, &it.second) && it.caller_is_in());
    it.ends_well();
}

#[test]
fn somebody_outside_is_asked_and_left_the_caller_in_the_same_way() {
    let mut it = asking("sdis-69");
    let outside = it.room.outside_says(1, "200 OK");
    assert_eq!(it.room.phone_codes(0, &it.second), [100, 180, 200]);
    it.refers();
    assert_eq!(it.told(), ["100", "200"]);
    assert!(it.both_lines_are_free() && it.caller_is_in());
    it.room.outside_bye(1, &outside);
    assert!(it.room.has_bye(&it.caller));
    it.room.rest();
}

#[test]
fn a_colleague_who_is_not_there_is_not_there_for_now_and_our_process_is() {
    let mut people = kit::desks(0, 2, true);
    let nobody = || String::from("0");
    let (user, ha1_md5, ha1_sha256) = ("101".to_owned(), nobody(), nobody());
    people[1].phone = engine::site::Phone::Registered { user, ha1_md5, ha1_sha256 };
    let mut room = Room::of(kit::site(vec![kit::centre(kit::plan::TEXT, people)]));
    let mut caller = room.dial_and_ack("0612345678", "15");
    room.answer(0);
    let id = room.phone_dials(0, "desk-1");
    assert_eq!(room.phone_codes(0, &id), [100, 480], "503 sends a phone to another server");
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn a_phone_without_a_caller_calls_no_colleague_and_one_that_asks_already_asks_nobody_else() {
    let mut room = Room::new(2);
    let id = room.phone_dials(0, "desk-1");
    assert_eq!(room.phone_codes(0, &id), [100, 403]);
    assert!(room.ringing(1).is_none());
    room.rest();
    let mut it = asking("desk-1");
    let third = it.room.phone_dials(0, "sdis-69");
    assert_eq!(it.room.phone_codes(0, &third), [100, 486]);
    it.ends_well();
}

#[test]
fn i5_a_caller_who_hangs_up_meanwhile_frees_every_line() {
    for answered in [true, false] {
        let mut it = asking("desk-1");
        if answered {
            it.room.answer(1);
        }
        it.room.bye(&mut it.caller);
        assert!(it.room.open_legs().is_empty(), "{:?}", it.room.open_legs());
        it.room.rest();
    }
}

#[test]
fn a_first_line_on_hold_is_not_lost_for_its_silence() {
    let mut it = asking("desk-1");
    it.room.answer(1);
    let first = it.room.open_legs()[1];
    it.room.silent(first, 30);
    assert!(!it.room.log.iter().any(|(_, entry)| matches!(entry.event, Event::AgentLost { .. })));
    it.ends_well();
}
