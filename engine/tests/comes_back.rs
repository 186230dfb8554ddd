//! A call that comes back to its queue is asked for as it was: whose line it came over, which language
//! its caller speaks, who leads.

mod kit;

use engine::call::event::{Actor, Event};
use engine::id::LegId;
use engine::io::Verb;
use kit::{Room, agent, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The desk that rings, of so many.
fn rings(room: &Room, desks: u32) -> u32 {
    (0..desks).find(|desk| room.ringing(*desk).is_some()).expect("a desk rings")
}

/// The agent in conversation says how urgent it is, and then their phone goes silent for good.
fn says_and_is_lost(room: &mut Room, desk: u32, class: &str) {
    let call = room.journal.last().expect("a snapshot").call;
    let verb = Verb::Qualify { call, class: class.to_owned() };
    assert!(room.command(Actor::Agent(agent(desk)), verb).result.is_ok());
    let leg = connected(room).expect("connected");
    room.silent(leg, 30);
    room.pass(5 * SECOND);
}

fn connected(room: &Room) -> Option<LegId> {
    room.log.iter().rev().find_map(|(_, entry)| match &entry.event {
        Event::Connected { leg, .. } => Some(*leg),
        _ => None,
    })
}

#[test]
fn a_partners_call_that_comes_back_may_still_take_what_the_queue_keeps() {
    let plan = plan::TEXT.replacen("announce = \"welcome\"", "announce = \"welcome\"\nreserve = 1", 1);
    let mut room = Room::of(site(vec![centre(&plan, desks(0, 3, true))]));
    room.dial_and_ack("0388000018", "18");
    let first = rings(&room, 3);
    room.answer(first);
    let call = room.journal.last().expect("a snapshot").call;
    let leg = connected(&room).expect("connected");
    room.dial_and_ack("0612345678", "15");
    let second = rings(&room, 3);
    room.answer(second);
    let third = 3 - first - second;
    room.dial_and_ack("0612345679", "15");
    assert!(room.ringing(third).is_none(), "the last free agent is kept");
    let verb = Verb::Qualify { call, class: "partner".to_owned() };
    assert!(room.command(Actor::Agent(agent(first)), verb).result.is_ok());
    room.silent(leg, 30);
    room.pass(5 * SECOND);
    assert_eq!(room.ringing(third).expect("rings").header("x-bandeau-class"), "partner");
}

#[test]
fn a_caller_who_comes_back_speaks_the_same_language() {
    let plan = format!(
        "{}\n[[modifier]]\nname = \"from Germany\"\nwhen = {{ caller = \"+49*\" }}\nthen = {{ language = \"german\" }}\n",
        plan::TEXT
    );
    let mut people = desks(0, 4, true);
    for desk in [2, 3] {
        people[desk].skills.push("german".to_owned());
    }
    let mut room = Room::of(site(vec![centre(&plan, people)]));
    room.dial_and_ack("+4971112345678", "15");
    let first = rings(&room, 4);
    assert!(first >= 2, "a speaker first");
    room.answer(first);
    says_and_is_lost(&mut room, first, "routine");
    assert_eq!(rings(&room, 4), 5 - first, "the other speaker, who has been idle no longer than the rest");
}

#[test]
fn a_call_for_leads_that_comes_back_is_still_theirs() {
    let route = "[[route]]\nname = \"harasser\"\npriority = 900\nwhen = { caller = \"+33699*\" }\n\
                 then = { queue = \"front\", class = \"routine\", leads = [\"lead\"] }\n";
    let plan = plan::TEXT.replacen("[[route]]", &format!("{route}\n[[route]]"), 1);
    let mut people = desks(0, 4, true);
    for desk in [2, 3] {
        people[desk].skills.push("lead".to_owned());
    }
    let mut room = Room::of(site(vec![centre(&plan, people)]));
    room.dial_and_ack("+33699000000", "15");
    let first = rings(&room, 4);
    assert!(first >= 2, "a lead");
    room.answer(first);
    says_and_is_lost(&mut room, first, "routine");
    assert_eq!(rings(&room, 4), 5 - first, "the other lead");
}
