//! Whoever answers for another centre serves the call there: its list, its stages, its regulators, its
//! colleagues.

mod kit;

use engine::call::event::{Actor, Beside, Entry, Event, OfferKind, Whom};
use engine::id::{AgentId, CallId, CentreId, OfferId, QueueId};
use engine::io::{Command, Input, Refusal, Verb};
use engine::site::CentreSite;
use kit::{Room, agent, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Home: its front desk is offered in the other centre as well once a person opens the way.
fn home() -> CentreSite {
    let rule = r#"overflow = [{ when = ["opened"], to = "centre:samu-68", mode = "additive" }]"#;
    let text = plan::STAGED.replace("stage  = \"front\"\n", &format!("stage  = \"front\"\n{rule}\n"));
    centre(&text, desks(0, 1, false))
}

/// Whoever of the other centre: two agents and a regulator, at pages.
const HELPER: AgentId = AgentId { centre: CentreId(1), index: 0 };
const COLLEAGUE: AgentId = AgentId { centre: CentreId(1), index: 1 };
const REGULATOR: AgentId = AgentId { centre: CentreId(1), index: 2 };

/// How often the other centre was told that this call is no longer its concern.
fn gone(room: &Room, call: CallId) -> usize {
    let gone = |(_, it): &&(u64, Entry)| {
        it.centre == CentreId(1) && it.event == Event::Beside(Beside::GuestGone { call })
    };
    room.log.iter().filter(gone).count()
}

/// The call somebody has had last in the ear.
fn talking(room: &Room, who: AgentId) -> Option<CallId> {
    room.log.iter().rev().find_map(|(_, it)| match it.event {
        Event::Connected { agent, call, .. } if agent == who => Some(call),
        _ => None,
    })
}

/// What is shown to somebody at present, of this kind.
fn asked(room: &Room, who: AgentId, wanted: OfferKind) -> Option<OfferId> {
    let mut found = None;
    for (_, entry) in &room.log {
        match &entry.event {
            Event::Offered { offer, agent, kind, .. } if *agent == who && *kind == wanted => {
                found = Some(*offer);
            }
            Event::OfferEnded { offer, .. } if found == Some(*offer) => found = None,
            _ => {}
        }
    }
    found
}

fn wishes(room: &mut Room, who: AgentId, verb: Verb) -> Result<u64, Refusal> {
    let (centre, id, actor) = (who.centre, format!("{verb:?} {}", room.step), Actor::Agent(who));
    room.input(Input::Command(Command { centre, id, actor, verb }));
    room.outcomes.last().expect("an outcome").result
}

fn says(room: &mut Room, who: AgentId, verb: Verb) {
    wishes(room, who, verb.clone()).unwrap_or_else(|refusal| panic!("{verb:?}: {refusal:?}"));
}

fn ready(room: &mut Room, who: AgentId) {
    says(room, who, Verb::Ready { agent: who });
}

/// Home is dark, and one of the other centre has its caller; the colleague and the regulator are there.
fn helped() -> (Room, kit::peer::Caller, CallId) {
    helped_on(plan::STAGED)
}

/// The same, on this plan of the other centre's.
fn helped_on(text: &str) -> (Room, kit::peer::Caller, CallId) {
    let mut people = kit::page::pages(0, 3);
    people[2].role = engine::site::Role::Regulator;
    people[2].skills = vec!["mr-amu".to_owned()];
    let alerts = text.replace("skills = [\"arm\"]\n", "skills = [\"arm\"]\nvital = { alert_busy = true }\n");
    let other = CentreSite { name: "samu-68".to_owned(), ..centre(&alerts, people) };
    let mut room = Room::of(site(vec![home(), other]));
    for agent in [HELPER, COLLEAGUE, REGULATOR] {
        room.input(Input::Page { agent, open: true });
        room.input(Input::PageOffer { agent, sdp: "v=0".to_owned() });
        room.input(Input::PageAudio { agent, fit: true, why: String::new() });
    }
    ready(&mut room, HELPER);
    let queue = room.queue("front");
    room.chief(Verb::SetOverflow { queue, open: true }).result.expect("opened");
    let caller = room.dial_and_ack("0612345678", "15");
    says(&mut room, HELPER, Verb::Answer { agent: HELPER });
    let (call, _) = room.arrival(0);
    assert_eq!(talking(&room, HELPER), Some(call));
    ready(&mut room, COLLEAGUE);
    ready(&mut room, REGULATOR);
    (room, caller, call)
}

fn over(mut room: Room, mut caller: kit::peer::Caller, call: CallId) {
    room.bye(&mut caller);
    assert_eq!((gone(&room, call), room.records.len()), (1, 1));
    room.rest();
}

fn staged(name: &str) -> QueueId {
    let plan = engine::dialplan::Dialplan::parse("test.toml", plan::STAGED).expect("a plan");
    QueueId { centre: CentreId(1), index: plan.queue_named(name).expect("a queue") }
}

#[test]
fn who_helps_and_makes_room_for_a_vital_caller_finds_the_other_on_the_list_of_their_own_room() {
    let (mut room, mut caller, call) = helped();
    says(&mut room, COLLEAGUE, Verb::Pause { agent: COLLEAGUE, reason: "meal".to_owned() });
    let vital = room.dial_and_ack("0687654321", "1599");
    let alert = asked(&room, HELPER, OfferKind::Alert).expect("alerted");
    says(&mut room, HELPER, Verb::Claim { agent: HELPER, offer: alert });
    assert_eq!((talking(&room, HELPER), gone(&room, call)), (Some(room.arrival(1).0), 0));
    let urgent = room.arrival(1).0;
    says(&mut room, HELPER, Verb::Release { agent: HELPER, call: urgent, disposition: None });
    assert!(room.has_bye(&vital));
    says(&mut room, HELPER, Verb::Pick { agent: HELPER, call, confirmed: true });
    assert_eq!(talking(&room, HELPER), Some(call), "and from there in the ear again");
    room.bye(&mut caller);
    assert_eq!(gone(&room, call), 1, "no longer the other centre's concern");
    room.rest();
}

#[test]
fn i12_a_caller_whom_a_helper_holds_is_on_the_list_of_the_helpers_own_room_and_picked_there() {
    let (mut room, caller, call) = helped();
    says(&mut room, HELPER, Verb::Hold { agent: HELPER, call });
    let (_, leg) = room.arrival(0);
    assert!(matches!(room.hearing(leg), Some(engine::media::Program::Hold { .. })));
    room.pass(61 * SECOND);
    let told = |it: &(u64, Entry), of: fn(&Event) -> bool| it.1.centre == CentreId(1) && of(&it.1.event);
    for of in [
        |it: &Event| matches!(it, Event::HeldAside { .. }),
        |it: &Event| matches!(it, Event::RecallDue { .. }),
    ] {
        assert!(room.log.iter().any(|it| told(it, of)), "who can take the caller up is told");
    }
    says(&mut room, COLLEAGUE, Verb::Pick { agent: COLLEAGUE, call, confirmed: true });
    assert_eq!((talking(&room, COLLEAGUE), gone(&room, call)), (Some(call), 0));
    assert_eq!(room.hearing(leg), None, "talks again");
    over(room, caller, call);
}

#[test]
fn i12_the_vital_key_of_a_helper_brings_a_regulator_of_the_helpers_own_centre() {
    let (mut room, caller, call) = helped();
    says(&mut room, HELPER, Verb::Vital { agent: HELPER, call });
    let offer = asked(&room, REGULATOR, OfferKind::Join).expect("in the same step");
    says(&mut room, REGULATOR, Verb::Claim { agent: REGULATOR, offer });
    says(&mut room, HELPER, Verb::Leave { agent: HELPER, call });
    assert_eq!(gone(&room, call), 0, "the regulator has the caller");
    says(&mut room, REGULATOR, Verb::Hold { agent: REGULATOR, call });
    says(&mut room, REGULATOR, Verb::Pick { agent: REGULATOR, call, confirmed: true });
    over(room, caller, call);
}

#[test]
fn i12_a_helper_hands_over_to_a_stage_of_their_own_centre_and_the_caller_may_come_back() {
    let (mut room, caller, call) = helped();
    let queue = staged("regulation");
    let hand = Verb::HandOver { agent: HELPER, call, queue, class: Some("p1".to_owned()), note: None };
    says(&mut room, HELPER, hand.clone());
    assert!(asked(&room, REGULATOR, OfferKind::Exclusive).is_some(), "who serves that stage there");
    says(&mut room, HELPER, Verb::TakeBack { agent: HELPER, call, confirmed: true });
    says(&mut room, HELPER, hand);
    says(&mut room, REGULATOR, Verb::Answer { agent: REGULATOR });
    assert_eq!(talking(&room, REGULATOR), Some(call));
    says(&mut room, REGULATOR, Verb::ReferBack { agent: REGULATOR, call, note: None });
    assert!(asked(&room, HELPER, OfferKind::Exclusive).is_some(), "first to who has handed them over");
    says(&mut room, HELPER, Verb::Answer { agent: HELPER });
    over(room, caller, call);
}

#[test]
fn a_helper_asks_a_colleague_a_team_and_the_directory_of_their_own_centre() {
    let (mut room, caller, call) = helped();
    for whom in [Whom::Agent(COLLEAGUE), Whom::Queue(staged("regulation"))] {
        let asks = if matches!(whom, Whom::Agent(_)) { COLLEAGUE } else { REGULATOR };
        says(&mut room, HELPER, Verb::Consult { agent: HELPER, call, whom });
        assert!(asked(&room, asks, OfferKind::Join).is_some());
        says(&mut room, HELPER, Verb::Dismiss { agent: HELPER, call });
        assert!(asked(&room, asks, OfferKind::Join).is_none());
    }
    let home = Whom::Agent(agent(0));
    assert_eq!(
        wishes(&mut room, HELPER, Verb::Consult { agent: HELPER, call, whom: home }),
        Err(Refusal::Unknown)
    );
    let outside = Whom::Outside("sdis-69".to_owned());
    says(&mut room, HELPER, Verb::Consult { agent: HELPER, call, whom: outside });
    assert!(room.rings_outside().is_some());
    over(room, caller, call);
}

#[test]
fn i34_a_helper_who_is_lost_leaves_the_caller_to_the_room_that_helps_and_to_home() {
    let (mut room, caller, call) = helped();
    room.input(Input::Page { agent: HELPER, open: false });
    room.page_down(room.page_id(0));
    room.pass(Duration::from_millis(5_100));
    assert!(asked(&room, COLLEAGUE, OfferKind::Exclusive).is_some(), "everybody there is asked");
    room.by(0, Verb::Ready { agent: agent(0) }).result.expect("ready");
    assert_eq!(room.shows(0).as_deref(), Some("0612345678"), "and at home, as soon as somebody is there");
    room.phone_says(0, "180 Ringing");
    says(&mut room, COLLEAGUE, Verb::Answer { agent: COLLEAGUE });
    assert!(room.ringing(0).is_none(), "whoever is first has the caller");
    over(room, caller, call);
}

/// A helped caller is handed over to a stage whose people have left, and whose queue is helped by home.
fn left_by_helpers() -> (Room, kit::peer::Caller, CallId) {
    let rule = r#"overflow = [{ when = ["nobody-signed-in"], to = "centre:samu", mode = "additive" }]"#;
    let text =
        plan::STAGED.replace("stage  = \"regulation\"\n", &format!("stage  = \"regulation\"\n{rule}\n"));
    let (mut room, caller, call) = helped_on(&text);
    let queue = staged("regulation");
    says(&mut room, HELPER, Verb::HandOver { agent: HELPER, call, queue, class: None, note: None });
    for agent in [HELPER, COLLEAGUE, REGULATOR] {
        says(&mut room, agent, Verb::SignOut { agent });
    }
    room.pass(31 * SECOND);
    (room, caller, call)
}

fn gone_at_home(room: &Room, call: CallId) -> bool {
    let gone = Event::Beside(Beside::GuestGone { call });
    room.log.iter().any(|(_, it)| it.centre == CentreId(0) && it.event == gone)
}

#[test]
fn i12_a_caller_whom_the_helpers_cannot_serve_comes_home() {
    let (mut room, caller, call) = left_by_helpers();
    room.by(0, Verb::Ready { agent: agent(0) }).result.expect("ready");
    assert_eq!(room.shows(0).as_deref(), Some("0612345678"), "home has somebody");
    assert_eq!(gone(&room, call), 0, "and the other centre's people may still come back");
    room.answer(0);
    assert_eq!(room.connected(0).len(), 1);
    assert_eq!((gone(&room, call), gone_at_home(&room, call)), (1, false));
    over(room, caller, call);
}

#[test]
fn a_caller_who_was_offered_at_home_again_stays_with_whoever_serves_them() {
    let (mut room, caller, call) = left_by_helpers();
    room.by(0, Verb::Ready { agent: agent(0) }).result.expect("ready");
    room.phone_says(0, "180 Ringing");
    ready(&mut room, REGULATOR);
    says(&mut room, REGULATOR, Verb::Answer { agent: REGULATOR });
    assert_eq!(talking(&room, REGULATOR), Some(call));
    assert!(room.ringing(0).is_none(), "whoever is first has the caller");
    assert_eq!((gone(&room, call), gone_at_home(&room, call)), (0, false));
    let mut caller = caller;
    room.bye(&mut caller);
    let stages = &room.records[0].stages;
    let theirs = stages.iter().filter(|stage| stage.by == Some(REGULATOR)).map(|stage| stage.queue);
    assert_eq!(theirs.collect::<Vec<_>>(), [staged("regulation")], "the record knows which stage it was");
    assert!(stages.iter().all(|stage| stage.left.is_some()), "and each of them is over: {stages:?}");
    room.rest();
}

#[test]
fn i12_a_guest_on_a_list_is_picked_by_whoever_helps() {
    let picked = plan::STAGED.replacen(
        "offer  = { mode = \"exclusive\", ring = \"6s\" }",
        "offer  = { mode = \"pick\", push = [\"vital\"] }",
        1,
    );
    let other = CentreSite { name: "samu-68".to_owned(), ..centre(&picked, kit::page::pages(0, 1)) };
    let mut room = Room::of(site(vec![home(), other]));
    room.input(Input::Page { agent: HELPER, open: true });
    room.input(Input::PageOffer { agent: HELPER, sdp: "v=0".to_owned() });
    room.input(Input::PageAudio { agent: HELPER, fit: true, why: String::new() });
    ready(&mut room, HELPER);
    let queue = room.queue("front");
    room.chief(Verb::SetOverflow { queue, open: true }).result.expect("opened");
    let caller = room.dial_and_ack("0612345678", "15");
    let (call, _) = room.arrival(0);
    assert!(asked(&room, HELPER, OfferKind::Exclusive).is_none(), "nobody is pushed");
    says(&mut room, HELPER, Verb::Pick { agent: HELPER, call, confirmed: false });
    assert_eq!(talking(&room, HELPER), Some(call));
    over(room, caller, call);
}

#[test]
fn a_partners_call_has_in_the_other_centre_what_is_reserved_there_for_partners() {
    for (called, rings) in [("15", 1), ("18", 2)] {
        let kept = plan::STAGED.replace("stage  = \"front\"\n", "stage  = \"front\"\nreserve = 1\n");
        let other = CentreSite { name: "samu-68".to_owned(), ..centre(&kept, desks(5, 2, true)) };
        let mut room = Room::of(site(vec![home(), other]));
        let queue = room.queue("front");
        room.chief(Verb::SetOverflow { queue, open: true }).result.expect("opened");
        let mut first = room.dial_and_ack("0612345678", "15");
        let mut second = room.dial_and_ack("0388000018", called);
        let rung = [5, 6].into_iter().filter(|desk| room.ringing(*desk).is_some()).count();
        assert_eq!(rung, rings, "{called}: one is kept for partners");
        room.bye(&mut first);
        room.bye(&mut second);
        room.rest();
    }
}

#[test]
fn whoever_helps_is_shown_what_the_line_says_of_a_guest() {
    let (mut room, mut first, _) = helped();
    let uri = format!("sip:15@{}", kit::ENGINE);
    let sdp = Some(kit::sip::sdp(30_002, "8", "sendrecv"));
    let extra = "Diversion: <sip:+33144490002@h>\r\n";
    let mut caller = room.dial_with(&kit::peer::Dial { number: "0612345679", uri, trunk: 0, sdp, extra });
    room.ack(&mut caller);
    let (call, _) = room.arrival(1);
    let there = |(_, it): &&(u64, Entry)| {
        it.centre == CentreId(1) && matches!(&it.event, Event::Signed { call: of, .. } if *of == call)
    };
    assert_eq!(room.log.iter().filter(there).count(), 1);
    room.bye(&mut first);
    room.bye(&mut caller);
    room.rest();
}
