//! Direct lines and matters for those in charge: the person named is rung first and then everybody;
//! leads are rung and no free agent beside them, until a human says that it is vital.

mod kit;

use engine::call::event::Actor;
use engine::dialplan::{Dialplan, Surroundings};
use engine::io::Verb;
use kit::{Room, agent, centre, desks, plan, site};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// Two agents of the front, and who is in charge.
const NAMED: u32 = 1;
const LEAD: u32 = 2;

const LINES: &str = r#"
[[route]]
name = "direct line"
priority = 190
when = { called = "3901" }
then = { queue = "front", class = "unqualified", owner = "desk-1", alone = "8s" }

[[route]]
name = "harasses"
priority = 180
when = { caller = "0666*" }
then = { queue = "front", class = "unqualified", leads = ["lead"] }

[[route]]
name = "default"
"#;

fn text() -> String {
    let numbered = plan::STAGED.replace("\"3900\" = \"crew\"", "\"3900\" = \"crew\"\n\"3901\" = \"direct\"");
    numbered.replacen("\n[[route]]\nname = \"default\"\n", LINES, 1)
}

fn room() -> Room {
    let mut people = desks(0, 3, true);
    people[NAMED as usize].skills.push("crisis".to_owned());
    people[LEAD as usize].skills = vec!["lead".to_owned()];
    Room::of(site(vec![centre(&text(), people)]))
}

#[test]
fn a_direct_line_rings_its_person_first_and_then_whoever_serves_the_queue() {
    let mut room = room();
    room.dial_and_ack("0388000001", "3901");
    assert!(room.ringing(NAMED).is_some() && room.ringing(0).is_none(), "though the other is free");
    room.phone_says(NAMED, "486 Busy Here");
    room.pass(7 * SECOND);
    assert!(room.ringing(0).is_none(), "it is for the one named");
    room.pass(2 * SECOND);
    assert!(room.ringing(0).is_some() || room.ringing(NAMED).is_some());
    let mut others = (0..8).map(|_| {
        room.pass(SECOND);
        room.ringing(0).is_some()
    });
    assert!(others.any(|rings| rings), "then for everybody");
}

#[test]
fn a_direct_line_of_somebody_who_is_away_rings_everybody_at_once() {
    let mut room = room();
    room.command(Actor::Agent(agent(NAMED)), Verb::SignOut { agent: agent(NAMED) });
    room.dial_and_ack("0388000001", "3901");
    assert!(room.ringing(0).is_some() && room.ringing(LEAD).is_none());
}

#[test]
fn a_call_for_leads_is_never_rung_at_a_free_agent() {
    let mut room = room();
    room.dial_and_ack("0666000001", "15");
    assert!(room.ringing(LEAD).is_some() && room.ringing(0).is_none() && room.ringing(NAMED).is_none());
    let invite = room.answer(LEAD);
    room.dial_and_ack("0666000002", "15");
    room.pass(120 * SECOND);
    assert!(room.ringing(0).is_none() && room.ringing(NAMED).is_none(), "it waits, and they are free");
    room.dial_and_ack("0612345678", "15");
    assert!(room.ringing(0).is_some() || room.ringing(NAMED).is_some(), "it holds up nobody");
    room.phone_bye(LEAD, &invite);
    assert_eq!(room.shows(LEAD).as_deref(), Some("0666000002"));
}

#[test]
fn a_call_for_leads_that_is_vital_is_everybodys() {
    let mut room = room();
    room.command(Actor::Agent(agent(LEAD)), Verb::Pause { agent: agent(LEAD), reason: "coffee".to_owned() });
    room.dial_and_ack("0666000001", "15");
    assert!(room.ringing(0).is_none() && room.ringing(NAMED).is_none());
    let (call, _) = room.arrival(0);
    room.chief(Verb::Qualify { call, class: "vital".to_owned() });
    assert!(room.ringing(0).is_some() || room.ringing(NAMED).is_some());
}

#[test]
fn anybody_may_pick_a_call_for_leads_and_moving_it_gives_it_to_that_queues_people() {
    let mut room = room();
    room.by(LEAD, Verb::Pause { agent: agent(LEAD), reason: "meal".to_owned() }).result.expect("away");
    room.dial_and_ack("0666000001", "15");
    let (call, _) = room.arrival(0);
    room.by(0, Verb::Pick { agent: agent(0), call, confirmed: false });
    assert!(room.ringing(0).is_some(), "a person's will");
    room.answer(0);
    room.dial_and_ack("0666000002", "15");
    let (call, _) = room.arrival(1);
    assert!(room.ringing(NAMED).is_none());
    let (work, queue) = (room.work_of(call), room.queue("crisis"));
    room.chief(Verb::Move { work, queue });
    assert!(room.ringing(NAMED).is_some());
}

#[test]
fn who_is_called_back_for_leads_is_called_back_by_one() {
    let mut room = room();
    room.by(LEAD, Verb::Pause { agent: agent(LEAD), reason: "meal".to_owned() }).result.expect("away");
    let mut caller = room.dial_and_ack("0666000001", "15");
    room.pass(20 * SECOND);
    room.bye(&mut caller);
    assert_eq!(room.callbacks().len(), 1);
    room.pass(60 * SECOND);
    assert!(room.ringing(0).is_none() && room.ringing(NAMED).is_none());
    room.command(Actor::Agent(agent(LEAD)), Verb::Ready { agent: agent(LEAD) });
    assert!(room.ringing(LEAD).is_some() && room.ringing(0).is_none());
}

#[test]
fn a_direct_line_is_checked_where_the_roster_is_known_and_leads_are_warned_of() {
    let read = |agents: &[&str]| {
        let agents: Vec<String> = agents.iter().map(|&name| name.to_owned()).collect();
        let around = Surroundings { agents: Some(&agents), ..Surroundings::default() };
        Dialplan::parse_for("lines.toml", &text(), around).map_err(|error| error.problem.to_string())
    };
    assert_eq!(read(&["desk-0"]).map(|_| ()), Err("no agent is named `desk-1`".to_owned()));
    let plan = read(&["desk-0", "desk-1"]).expect("a plan");
    let held = |skills: &[&str]| skills.iter().map(|&skill| skill.to_owned()).collect::<Vec<_>>();
    let (team, lead) = (held(&["arm", "mr-amu", "crisis"]), held(&["lead"]));
    assert!(plan.unstaffed(&[&team, &lead]).is_empty());
    let warned: Vec<String> = plan.unstaffed(&[&team]).iter().map(ToString::to_string).collect();
    assert_eq!(warned.len(), 1);
    assert!(
        warned[0].starts_with("warning: nobody on the roster is a lead of route `harasses`"),
        "{warned:?}"
    );
}

#[test]
fn i34_a_caller_of_the_leads_whose_lead_is_lost_goes_back_to_the_leads() {
    let mut people = desks(0, 1, true);
    people.extend(kit::page::pages(1, 2));
    for lead in &mut people[1..] {
        lead.skills = vec!["lead".to_owned()];
    }
    let mut room = Room::of(site(vec![centre(&text(), people)]));
    room.page_ready(1);
    let mut caller = room.dial_and_ack("0666000001", "15");
    room.key(1).result.expect("the lead answers");
    let (call, leg) = room.connected(1)[0];
    room.by(1, Verb::Qualify { call, class: "p3".to_owned() }).result.expect("a person has said so");
    room.hears(leg);
    room.page_ready(2);
    room.page(1, false);
    room.page_down(room.page_id(0));
    room.pass(Duration::from_millis(5_500));
    assert!(room.ringing(0).is_none(), "never to any free agent");
    assert!(room.shown(2).is_some(), "to whoever else is in charge");
    room.bye(&mut caller);
    room.rest();
}

#[test]
fn i13_a_caller_of_the_leads_has_whoever_is_there_while_no_lead_is_signed_in() {
    let mut room = room();
    let mut caller = room.dial_and_ack("0666000001", "15");
    room.by(LEAD, Verb::Pause { agent: agent(LEAD), reason: "meal".to_owned() }).result.expect("away");
    assert!(room.ringing(0).is_none() && room.ringing(NAMED).is_none(), "a lead is on shift");
    room.by(LEAD, Verb::SignOut { agent: agent(LEAD) }).result.expect("home");
    assert!(room.ringing(0).is_some() || room.ringing(NAMED).is_some(), "in the same step");
    room.bye(&mut caller);
    room.rest();
}
