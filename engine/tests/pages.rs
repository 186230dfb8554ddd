//! Agents whose phone is a page: when it can be rung, one key, hold and the shared list, and what a
//! lost page means to its caller.

mod kit;

use engine::call::event::{Cause, Event, Intent, Loss, OfferEnd, Private};
use engine::id::{CallId, LegId};
use engine::io::{NOTE_MAX, Refusal, Verb};
use engine::media::{MediaCommand, Program};
use kit::peer::Caller;
use kit::{Room, agent};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// One agent at a page talks with one caller, and both are heard.
fn talking(pages: u32) -> (Room, Caller, CallId, LegId) {
    let mut room = Room::of_pages(pages);
    let caller = room.dial_and_ack("0612345678", "15");
    room.sees(0);
    room.key(0).result.expect("the key takes it");
    let (call, leg) = room.connected(0)[0];
    room.hears(leg);
    (room, caller, call, leg)
}

fn lost(room: &Room) -> Vec<Loss> {
    let all = room.log.iter().filter_map(|(_, entry)| match &entry.event {
        Event::AgentLost { loss, .. } => Some(*loss),
        _ => None,
    });
    all.collect()
}

fn resumed(room: &Room) -> usize {
    room.log.iter().filter(|(_, entry)| matches!(entry.event, Event::Resumed { .. })).count()
}

/// Everything a test's room does ends with its caller's BYE and an empty engine.
fn over(mut room: Room, mut caller: Caller) -> Room {
    assert!(!room.has_bye(&caller), "never a BYE to the caller");
    room.bye(&mut caller);
    room.rest();
    room
}

#[test]
fn i32_a_page_is_offered_calls_with_its_socket_its_audio_and_a_fit_microphone_and_not_before() {
    let mut room = Room::of(kit::site(vec![kit::centre(kit::plan::TEXT, kit::page::pages(0, 1))]));
    let caller = room.dial_and_ack("0612345678", "15");
    room.by(0, Verb::Ready { agent: agent(0) });
    assert!(room.shown(0).is_none(), "no page");
    room.page(0, true);
    assert!(room.shown(0).is_none(), "no audio");
    room.page_offers(0);
    assert_eq!(room.answers.len(), 1, "the page has its answer");
    assert!(room.shown(0).is_none(), "not fit yet");
    room.page_fit(0, true);
    assert!(room.shown(0).is_some(), "offered in the step that allows it");
    assert!(room.wire.iter().all(|sent| sent.to == caller.at), "nothing is rung by SIP");
    room.page_fit(0, false);
    assert_eq!(room.ended(0), Some(OfferEnd::Unreachable));
    over(room, caller);
}

#[test]
fn i32_an_offer_its_page_does_not_show_within_a_second_goes_to_the_next_agent() {
    let mut room = Room::of_pages(2);
    let caller = room.dial_and_ack("0612345678", "15");
    let first = if room.shown(0).is_some() { 0 } else { 1 };
    room.pass(SECOND - Duration::from_millis(1));
    assert!(room.shown(first).is_some());
    room.pass(Duration::from_millis(1));
    assert_eq!(room.ended(first), Some(OfferEnd::Unreachable));
    assert!(room.shown(1 - first).is_some(), "in the same step");
    room.sees(1 - first);
    room.pass(6 * SECOND - Duration::from_millis(1));
    assert!(room.shown(1 - first).is_some(), "a page that shows it rings as long as a phone");
    room.pass(Duration::from_millis(2));
    assert_eq!(room.ended(1 - first), Some(OfferEnd::TimedOut));
    over(room, caller);
}

#[test]
fn i38_a_page_that_closes_gets_no_offers_and_its_agent_stays_ready() {
    let mut room = Room::of_pages(1);
    let caller = room.dial_and_ack("0612345678", "15");
    room.sees(0);
    room.page(0, false);
    assert_eq!(room.ended(0), Some(OfferEnd::Unreachable), "what it showed is taken back at once");
    room.pass(20 * SECOND);
    assert!(room.shown(0).is_none());
    room.page(0, true);
    assert!(room.shown(0).is_some(), "back, and the waiting caller is offered in the same step");
    let changes = room.log.iter().filter(|it| matches!(it.1.event, Event::IntentChanged { .. })).count();
    assert_eq!(changes, 1, "only the person has said what the person wants");
    over(room, caller);
}

#[test]
fn the_key_opens_the_page_and_both_hear_each_other_in_the_same_step() {
    let mut room = Room::of_pages(1);
    let caller = room.dial_and_ack("0612345678", "15");
    room.sees(0);
    let before = room.step;
    room.key(0).result.expect("taken");
    let (_, leg) = room.connected(0)[0];
    let (_, theirs) = room.arrival(0);
    let page = room.page_id(0);
    let told: Vec<_> = room.media.iter().filter(|(step, _)| *step == before + 1).map(|it| &it.1).collect();
    assert!(told.contains(&&MediaCommand::OpenOnPage { leg, page }), "{told:?}");
    let joins = told
        .iter()
        .filter(|it| matches!(it, MediaCommand::Join { leg: of, .. } if *of == leg || *of == theirs));
    assert_eq!(joins.count(), 2);
    assert_eq!(room.step_of(|it| matches!(it, Event::Connected { .. })), Some(before + 1));
    assert_eq!(room.key(0).result, Err(Refusal::Busy), "one call in the ear");
    over(room, caller);
}

#[test]
fn i11_the_key_takes_the_most_urgent_whatever_is_offered() {
    let mut room = Room::of_pages(1);
    let first = room.dial_and_ack("0612345678", "15");
    room.sees(0);
    let mut fire = room.dial_and_ack("0388000018", "18");
    let (call, _) = room.arrival(1);
    assert_ne!(room.shown(0).map(|it| it.1), Some(call), "the first caller is still offered");
    room.key(0).result.expect("taken");
    assert_eq!(room.connected(0)[0].0, call, "the fire brigade stands before the public");
    room.bye(&mut fire);
    assert!(room.shown(0).is_some(), "who was offered before waits, and is offered again");
    over(room, first);
}

#[test]
fn both_keys_at_once_give_two_different_callers() {
    let mut room = Room::of_pages(2);
    let first = room.dial_and_ack("0612345678", "15");
    let mut second = room.dial_and_ack("0687654321", "15");
    room.sees(0);
    room.sees(1);
    room.key(0).result.expect("taken");
    room.key(1).result.expect("taken");
    assert_ne!(room.connected(0)[0].0, room.connected(1)[0].0);
    room.bye(&mut second);
    over(room, first);
}

#[test]
fn a_pick_race_has_one_winner_and_the_other_is_told_who() {
    let mut room = Room::of_pages(3);
    let first = room.dial_and_ack("0612345678", "15");
    let (call, _) = room.arrival(0);
    let ringing = (0..3).find(|index| room.shown(*index).is_some()).expect("offered");
    let (a, b) = ((ringing + 1) % 3, (ringing + 2) % 3);
    room.by(a, Verb::Pick { agent: agent(a), call, confirmed: false }).result.expect("the first has it");
    assert_eq!(room.ended(ringing), Some(OfferEnd::AnsweredElsewhere));
    let second = room.by(b, Verb::Pick { agent: agent(b), call, confirmed: false });
    assert_eq!(second.result, Err(Refusal::TakenBy(agent(a))));
    assert_eq!(room.connected(a).len(), 1);
    over(room, first);
}

#[test]
fn a_call_on_hold_is_everybodys_and_somebody_is_reminded_of_it() {
    let (mut room, caller, call, leg) = talking(2);
    let (_, theirs) = room.arrival(0);
    room.by(0, Verb::Hold { agent: agent(0), call }).result.expect("held");
    assert!(matches!(room.hearing(theirs), Some(Program::Hold { .. })), "the caller hears the hold sound");
    assert!(room.media.iter().any(|it| it.1 == MediaCommand::Close { leg }), "the page is free for another");
    let mut next = room.dial_and_ack("0687654321", "15");
    let to = (0..2).find(|index| room.shown(*index).is_some()).expect("held calls reserve nobody");
    room.sees(to);
    room.key(to).result.expect("taken");
    room.bye(&mut next);
    room.pass(60 * SECOND);
    let reminded = room.step_of(|it| matches!(it, Event::RecallDue { .. }));
    assert!(reminded.is_some(), "I4: a held call has a deadline");
    room.by(1, Verb::Pick { agent: agent(1), call, confirmed: false }).result.expect("anybody may");
    assert_eq!(room.connected(1).last().map(|it| it.0), Some(call));
    let again = room.by(0, Verb::Pick { agent: agent(0), call, confirmed: false });
    assert_eq!(again.result, Err(Refusal::TakenBy(agent(1))));
    let room = over(room, caller);
    let record = room.records.iter().find(|record| record.call == call).expect("recorded");
    assert_eq!(record.conversations.len(), 2, "one with each");
}

#[test]
fn a_pick_before_a_waiting_vital_call_needs_one_confirmation() {
    let mut room = Room::of_pages(1);
    room.by(0, Verb::Pause { agent: agent(0), reason: "file".to_owned() });
    let mut vital = room.dial_and_ack("0687654321", "1599");
    let lower = room.dial_and_ack("0612345678", "15");
    let (call, _) = room.arrival(1);
    let pick = |confirmed| Verb::Pick { agent: agent(0), call, confirmed };
    assert_eq!(room.by(0, pick(false)).result, Err(Refusal::VitalWaits));
    assert!(room.connected(0).is_empty(), "a warning takes nothing");
    room.by(0, pick(true)).result.expect("the person knows");
    assert_eq!(room.connected(0).len(), 1);
    room.bye(&mut vital);
    over(room, lower);
}

#[test]
fn a_caller_who_hangs_up_on_hold_or_in_a_loss_leaves_nothing_behind() {
    let (mut room, caller, call, _) = talking(1);
    room.by(0, Verb::Hold { agent: agent(0), call }).result.expect("held");
    let room = over(room, caller);
    assert_eq!(room.records[0].cause, Some(Cause::Released));

    let (mut room, caller, _, leg) = talking(1);
    room.silent(leg, 1);
    room.pass(4 * SECOND);
    over(room, caller);
}

#[test]
fn i34_a_lost_page_is_comfort_at_once_the_other_phone_at_three_seconds_everyone_at_five() {
    let (mut room, caller, call, leg) = talking(2);
    let (_, theirs) = room.arrival(0);
    room.page(0, false);
    assert!(lost(&room).is_empty(), "a socket alone is no loss");
    let before = room.step;
    room.silent(leg, 1);
    assert_eq!(lost(&room), [Loss::NoAudio]);
    assert!(
        room.media.contains(&(before + 1, MediaCommand::Play { leg: theirs, program: Program::Comfort }))
    );
    room.pass(3 * SECOND - Duration::from_millis(1));
    assert!(room.ringing(50).is_none());
    room.pass(Duration::from_millis(1));
    assert!(room.ringing(50).is_some(), "3 s: the agent's other phone");
    room.phone_says(50, "180 Ringing");
    let shared = |it: &Event| matches!(it, Event::HeldAside { lost: true, .. });
    assert!(room.step_of(shared).is_some(), "and the room sees it");
    assert!(room.shown(1).is_none(), "nobody else is rung yet");
    room.pass(2 * SECOND);
    assert_eq!(room.shown(1).map(|it| it.1), Some(call), "5 s: everyone");
    let class = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Queued { class, again: true, .. } => Some(class.clone()),
        _ => None,
    });
    assert_eq!(class.as_deref(), Some("vital"), "unknown is taken for vital");
    room.sees(1);
    room.key(1).result.expect("taken");
    assert!(room.ringing(50).is_none(), "the other phone stops when somebody has the caller");
    over(room, caller);
}

// edges.md: no audio within a second of the answer is told, and repaired.
#[test]
fn i33_a_page_not_heard_within_a_second_is_asked_once_for_a_fresh_connection() {
    let mut room = Room::of_pages(1);
    let caller = room.dial_and_ack("0612345678", "15");
    room.sees(0);
    room.key(0).result.expect("the key takes it");
    let (_, leg) = room.connected(0)[0];
    let before = room.step;
    room.silent(leg, 1);
    let told = |it: &Event| matches!(it, Event::NoMedia { seconds: 1, .. });
    assert!(room.events_since(before).into_iter().any(told));
    assert_eq!(room.unheard, [agent(0)], "in the same step");
    assert!(lost(&room).is_empty(), "a second alone loses nobody");
    room.silent(leg, 5);
    assert_eq!(lost(&room), [Loss::NoAudio], "the page sees that it is lost, and makes it by itself");
    assert_eq!(room.unheard.len(), 1);
    over(room, caller);
}

#[test]
fn i33_a_page_is_asked_again_in_another_call_but_not_within_three_seconds() {
    let mut room = Room::of_pages(1);
    for (call, (wait, asked)) in [(0, 1), (1, 1), (3, 2)].into_iter().enumerate() {
        room.pass(wait * SECOND);
        let mut caller = room.dial_and_ack("0612345678", "15");
        room.sees(0);
        room.key(0).result.expect("the key takes it");
        let (_, leg) = room.connected(0)[call];
        room.silent(leg, 1);
        assert_eq!(room.unheard.len(), asked, "call {call}");
        room.bye(&mut caller);
        room.by(0, Verb::Ready { agent: agent(0) });
    }
    room.rest();
}

#[test]
fn i33_a_page_that_was_heard_is_lost_and_asked_nothing() {
    let (mut room, caller, _, leg) = talking(1);
    room.silent(leg, 1);
    assert_eq!((lost(&room), room.unheard.len()), (vec![Loss::NoAudio], 0));
    over(room, caller);
}

#[test]
fn i34_what_a_human_has_said_of_the_call_counts_at_five_seconds() {
    let (mut room, caller, call, leg) = talking(2);
    room.by(0, Verb::Qualify { call, class: "routine".to_owned() }).result.expect("qualified");
    room.page(0, false);
    room.silent(leg, 1);
    room.pass(5 * SECOND);
    let queued = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Queued { class, fenced, again: true, .. } => Some((class.clone(), *fenced)),
        _ => None,
    });
    assert_eq!(queued, Some(("routine".to_owned(), false)));
    over(room, caller);
}

#[test]
fn i34_the_socket_closed_with_audio_running_is_no_loss() {
    let (mut room, caller, _, _) = talking(2);
    room.page(0, false);
    room.pass(10 * SECOND);
    room.page(0, true);
    assert!(lost(&room).is_empty());
    assert_eq!(room.hearing(room.arrival(0).1), None, "still in the conversation");
    over(room, caller);
}

#[test]
fn i35_a_page_loaded_again_has_its_call_again() {
    let (mut room, caller, call, leg) = talking(2);
    let (_, theirs) = room.arrival(0);
    room.page(0, false);
    room.page_down(room.page_id(0));
    assert_eq!(room.hearing(theirs), Some(Program::Comfort));
    room.pass(Duration::from_millis(800));
    room.page(0, true);
    assert_eq!(resumed(&room), 0, "a page without audio is half a page");
    let before = room.step;
    room.page_offers(0);
    assert_eq!(resumed(&room), 1);
    assert_eq!(room.hearing(theirs), None, "both hear each other");
    assert!(
        room.media
            .iter()
            .any(|it| it.0 > before && matches!(it.1, MediaCommand::Join { leg: of, .. } if of == theirs))
    );
    room.pass(20 * SECOND);
    assert!(room.shown(1).is_none() && room.ringing(50).is_none(), "the clock has stopped");
    assert_eq!(room.connected(0), [(call, leg)], "the same call, the same leg");
    over(room, caller);
}

#[test]
fn i34_a_hiccup_of_the_network_ends_with_the_first_packet() {
    let (mut room, caller, _, leg) = talking(1);
    room.silent(leg, 1);
    room.pass(SECOND);
    room.hears(leg);
    assert_eq!((lost(&room).len(), resumed(&room)), (1, 1));
    room.pass(10 * SECOND);
    room.silent(leg, 1);
    assert_eq!(lost(&room).len(), 2, "and can be lost again");
    over(room, caller);
}

#[test]
fn i34_the_other_phone_lifted_has_the_caller_before_and_after_the_room_is_asked() {
    for wait in [4 * SECOND, 6 * SECOND] {
        let (mut room, caller, call, leg) = talking(2);
        room.page(0, false);
        room.silent(leg, 1);
        room.pass(wait);
        let invite = room.answer(50);
        let (_, theirs) = room.arrival(0);
        assert_eq!(room.hearing(theirs), None, "after {wait:?} both hear each other");
        assert!(room.shown(1).is_none(), "nobody else is rung any more");
        let talks = room.engine.live_calls();
        assert_eq!(talks, 1);
        assert!(!room.has_bye(&caller));
        room.pass(SECOND);
        room.phone_bye(50, &invite);
        assert!(room.has_bye(&caller), "a phone hung up is a release");
        room.rest();
        assert_eq!(room.records[0].call, call);
        assert_eq!(room.records[0].cause, Some(Cause::Released));
    }
}

#[test]
fn i34_who_comes_back_after_five_seconds_has_the_call_if_nobody_else_has() {
    let (mut room, caller, call, leg) = talking(2);
    room.page(0, false);
    room.silent(leg, 1);
    room.pass(5 * SECOND);
    room.sees(1);
    room.pass(SECOND);
    assert_eq!(room.shown(1).map(|it| it.1), Some(call));
    room.page(0, true);
    room.page_offers(0);
    assert_eq!(room.connected(0).len(), 2, "taken back");
    assert_eq!(room.ended(1), Some(OfferEnd::AnsweredElsewhere));
    over(room, caller);
}

#[test]
fn anybody_may_pick_a_lost_call_from_three_seconds_on() {
    let (mut room, caller, call, leg) = talking(2);
    room.page(0, false);
    room.silent(leg, 1);
    let pick = Verb::Pick { agent: agent(1), call, confirmed: false };
    assert_eq!(room.by(1, pick.clone()).result, Err(Refusal::TakenBy(agent(0))), "its agent may be back");
    room.pass(3 * SECOND);
    room.phone_says(50, "180 Ringing");
    room.by(1, pick).result.expect("picked");
    assert_eq!(room.connected(1).len(), 1);
    assert!(room.ringing(50).is_none());
    over(room, caller);
}

#[test]
fn vital_qualification_and_notes_are_kept_in_the_record() {
    let (mut room, caller, call, _) = talking(2);
    let class = |room: &Room| {
        room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
            Event::Qualified { class, .. } => Some(class.clone()),
            _ => None,
        })
    };
    room.by(0, Verb::Vital { agent: agent(0), call }).result.expect("vital");
    assert_eq!(class(&room).as_deref(), Some("vital"));
    assert_eq!(room.hearing(room.arrival(0).1), None, "it does not move");
    assert_eq!(room.by(1, Verb::Vital { agent: agent(1), call }).result, Err(Refusal::Unknown));
    room.by(0, Verb::Qualify { call, class: "routine".to_owned() }).result.expect("a class of the plan");
    room.by(0, Verb::Qualify { call, class: "P0".to_owned() }).result.expect("P0 is vital");
    assert_eq!(class(&room).as_deref(), Some("vital"));
    let p2 = room.by(0, Verb::Qualify { call, class: "P2".to_owned() });
    assert_eq!(p2.result, Err(Refusal::Invalid), "this plan has no p2");
    let note = |text: String| Verb::Note { call, text };
    room.by(0, note("chute, consciente".to_owned())).result.expect("noted");
    assert_eq!(room.by(0, note("é".repeat(NOTE_MAX + 1))).result, Err(Refusal::Invalid));
    room.by(0, note("é".repeat(NOTE_MAX))).result.expect("characters, not bytes");
    let release = Verb::Release { agent: agent(0), call, disposition: Some("smur".to_owned()) };
    room.by(0, release).result.expect("released");
    assert!(room.has_bye(&caller));
    room.rest();
    let record = &room.records[0];
    assert_eq!(record.disposition.as_deref(), Some("smur"));
    assert_eq!(record.notes.len(), 2);
    assert_eq!(record.notes[0].text, Private("chute, consciente".to_owned()));
}

#[test]
fn ready_ends_wrap_up_and_so_does_the_key() {
    let mut centre = kit::centre(kit::plan::TEXT, kit::page::pages(0, 1));
    centre.wrap_up = 30 * SECOND;
    let mut room = Room::of(kit::site(vec![centre]));
    room.page_ready(0);
    let mut first = room.dial_and_ack("0612345678", "15");
    room.sees(0);
    room.key(0).result.expect("taken");
    room.bye(&mut first);
    let second = room.dial_and_ack("0687654321", "15");
    assert!(room.shown(0).is_none(), "wrapping up");
    room.by(0, Verb::Ready { agent: agent(0) });
    assert!(room.shown(0).is_some());
    room.key(0).result.expect("taken");
    let mut second = second;
    room.bye(&mut second);
    let third = room.dial_and_ack("0611111111", "15");
    assert!(room.shown(0).is_none(), "wrapping up again");
    room.key(0).result.expect("the key is a person's will");
    assert_eq!(room.connected(0).len(), 3);
    over(room, third);
}

#[test]
fn a_page_of_an_agent_gone_home_is_closed_and_a_paused_one_keeps_its_intent() {
    let mut room = Room::of_pages(1);
    room.by(0, Verb::Pause { agent: agent(0), reason: "meal".to_owned() });
    room.page(0, false);
    room.page(0, true);
    let intent = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::IntentChanged { intent, .. } => Some(intent.clone()),
        _ => None,
    });
    assert_eq!(intent, Some(Intent::Paused("meal".to_owned())));
    room.by(0, Verb::SignOut { agent: agent(0) });
    let page = room.page_id(0);
    room.page(0, false);
    assert!(room.media.iter().any(|it| it.1 == MediaCommand::PageClose { page }));
    room.rest();
}

/// A room whose front queue invites everyone free at a page.
fn shared(count: u32) -> Room {
    let exclusive = r#"offer  = { mode = "exclusive", strategy = "longest-idle", ring = "6s" }
hold"#;
    let shared = r#"offer  = { mode = "shared", ring = [{ at = "0s", agents = "all" }] }
hold"#;
    assert!(kit::plan::TEXT.contains(exclusive));
    let plan = kit::plan::TEXT.replace(exclusive, shared);
    let mut room = Room::of(kit::site(vec![kit::centre(&plan, kit::page::pages(0, count))]));
    (0..count).for_each(|index| room.page_ready(index));
    room
}

fn invitation(room: &Room, index: u32) -> engine::id::OfferId {
    let invited = room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Offered { offer, agent: to, kind: engine::call::event::OfferKind::Shared, .. }
            if *to == agent(index) =>
        {
            Some(*offer)
        }
        _ => None,
    });
    invited.expect("invited")
}

#[test]
fn two_agents_share_an_offer_and_both_keys_give_two_different_callers() {
    let mut room = shared(2);
    let first = room.dial_and_ack("0612345678", "15");
    let mut second = room.dial_and_ack("0687654321", "15");
    let (a, b) = (invitation(&room, 0), invitation(&room, 1));
    room.by(0, Verb::Claim { agent: agent(0), offer: a }).result.expect("claimed");
    room.key(1).result.expect("the key claims too");
    assert_eq!(room.connected(0)[0].0, room.arrival(0).0, "the most urgent at that instant");
    assert_eq!(room.connected(1)[0].0, room.arrival(1).0, "then the next");
    let late = room.by(1, Verb::Claim { agent: agent(1), offer: b });
    assert_eq!(late.result, Err(Refusal::Gone));
    room.bye(&mut second);
    over(room, first);
}

#[test]
fn a_claim_takes_the_exclusive_offer_a_page_shows() {
    let mut room = Room::of_pages(1);
    let caller = room.dial_and_ack("0612345678", "15");
    let (offer, call) = room.shown(0).expect("shown");
    room.by(0, Verb::Claim { agent: agent(0), offer }).result.expect("claimed");
    assert_eq!(room.connected(0)[0].0, call);
    over(room, caller);
}

#[test]
fn a_key_without_audio_or_without_a_caller_is_refused_with_its_reason() {
    let mut room = Room::of_pages(1);
    assert_eq!(room.key(0).result, Err(Refusal::Gone), "nobody waits");
    room.page_down(room.page_id(0));
    let caller = room.dial_and_ack("0612345678", "15");
    assert_eq!(room.key(0).result, Err(Refusal::NoAudio), "nobody would be heard");
    room.by(0, Verb::SignOut { agent: agent(0) });
    assert_eq!(room.key(0).result, Err(Refusal::SignedOut));
    over(room, caller);
}

#[test]
fn a_call_held_early_is_connected_when_its_caller_is_confirmed() {
    let mut room = Room::of_pages(1);
    let mut caller = room.dial("0612345678", "3115");
    room.sees(0);
    room.key(0).result.expect("taken");
    assert!(room.connected(0).is_empty(), "the caller's ACK is not here yet");
    room.ack(&mut caller);
    assert_eq!(room.connected(0).len(), 1);
    over(room, caller);
}
