//! Every command, for every right: what a page may send to the core at all.

use super::*;
use crate::call::event::{Actor, Seat};
use crate::id::{AgentId, CallId, OfferId, QueueId, WorkId};
use crate::io::Whom;

/// `+`: may, `-`: may not. `self` talks in call 1 and speaks of itself; `other` is an agent who wants
/// the same of them.
const TABLE: &str = "
    sign_in     observer - self + other - supervisor +
    sign_out    observer - self + other - supervisor +
    ready       observer - self + other - supervisor +
    pause       observer - self + other - supervisor +
    offer_seen  observer - self + other - supervisor +
    claim       observer - self + other - supervisor +
    reject      observer - self + other - supervisor +
    release     observer - self + other - supervisor +
    answer      observer - self + other - supervisor +
    pick        observer - self + other - supervisor +
    pick_up     observer - self + other - supervisor +
    auto_answer observer - self + other - supervisor +
    hold        observer - self + other - supervisor +
    vital       observer - self + other - supervisor +
    leave       observer - self + other - supervisor +
    consult     observer - self + other - supervisor +
    conference  observer - self + other - supervisor +
    dismiss     observer - self + other - supervisor +
    watch       observer - self - other - supervisor +
    take_over   observer - self - other - supervisor +
    qualify     observer - self + other - supervisor +
    note        observer - self + other - supervisor +
    raise       observer - self - other - supervisor +
    skills      observer - self - other - supervisor +
    move        observer - self - other - supervisor +
    hand_over        observer - self + other - supervisor +
    take_back        observer - self + other - supervisor +
    refer_back       observer - self + other - supervisor +
    tag              observer - self + other - supervisor +
    plan_callback    observer - self + other - supervisor +
    drop_to_callback observer - self + other - supervisor +
    dismiss_callback observer - self + other + supervisor +
    set_overflow     observer - self - other - supervisor +
    open_major       observer - self - other - supervisor +
    close_major      observer - self - other - supervisor +
    add_to_major     observer - self + other - supervisor +
";

fn verb(name: &str, agent: AgentId, call: CallId, offer: OfferId, work: WorkId, queue: QueueId) -> Verb {
    match name {
        "sign_in" => Verb::SignIn { agent, position: None },
        "sign_out" => Verb::SignOut { agent },
        "ready" => Verb::Ready { agent },
        "pause" => Verb::Pause { agent, reason: "meal".to_owned() },
        "offer_seen" => Verb::OfferSeen { agent, offer },
        "claim" => Verb::Claim { agent, offer },
        "reject" => Verb::Reject { agent, offer },
        "release" => Verb::Release { agent, call, disposition: None },
        "answer" => Verb::Answer { agent },
        "pick" => Verb::Pick { agent, call, confirmed: true },
        "pick_up" => Verb::PickUp { agent, confirmed: true },
        "auto_answer" => Verb::AutoAnswer { agent, on: true },
        "hold" => Verb::Hold { agent, call },
        "vital" => Verb::Vital { agent, call },
        "leave" => Verb::Leave { agent, call },
        "consult" => Verb::Consult { agent, call, whom: Whom::Outside("sdis".to_owned()) },
        "conference" => Verb::Conference { agent, call },
        "dismiss" => Verb::Dismiss { agent, call },
        "watch" => Verb::Watch { agent, call, seat: Seat::Listens },
        "take_over" => Verb::TakeOver { agent, call },
        "qualify" => Verb::Qualify { call, class: "vital".to_owned() },
        "note" => Verb::Note { call, text: "chute".to_owned() },
        "raise" => Verb::Raise { work, class: "vital".to_owned() },
        "skills" => Verb::Skills { agent, skills: Vec::new() },
        "move" => Verb::Move { work, queue },
        "hand_over" => Verb::HandOver { agent, call, queue, class: None, note: None },
        "take_back" => Verb::TakeBack { agent, call, confirmed: true },
        "refer_back" => Verb::ReferBack { agent, call, note: None },
        "tag" => Verb::Tag { call, tag: "chute".to_owned() },
        "plan_callback" => Verb::PlanCallback { call, after: Default::default(), note: None },
        "drop_to_callback" => Verb::DropToCallback { agent, call, note: None },
        "dismiss_callback" => Verb::DismissCallback { call, reason: "reached".to_owned() },
        "set_overflow" => Verb::SetOverflow { queue, open: true },
        "open_major" => Verb::OpenMajor(Box::default()),
        "close_major" => Verb::CloseMajor { event: major(call) },
        "add_to_major" => Verb::AddToMajor { event: major(call), call },
        other => panic!("no command is named `{other}`"),
    }
}

/// Every kind of command is in the table: a verb without a row does not compile here.
fn name(verb: &Verb) -> &'static str {
    match verb {
        Verb::SignIn { .. } => "sign_in",
        Verb::SignOut { .. } => "sign_out",
        Verb::Ready { .. } => "ready",
        Verb::Pause { .. } => "pause",
        Verb::OfferSeen { .. } => "offer_seen",
        Verb::Claim { .. } => "claim",
        Verb::Reject { .. } => "reject",
        Verb::Release { .. } => "release",
        Verb::Answer { .. } => "answer",
        Verb::Pick { .. } => "pick",
        Verb::PickUp { .. } => "pick_up",
        Verb::AutoAnswer { .. } => "auto_answer",
        Verb::Hold { .. } => "hold",
        Verb::Vital { .. } => "vital",
        Verb::Leave { .. } => "leave",
        Verb::Consult { .. } => "consult",
        Verb::Conference { .. } => "conference",
        Verb::Dismiss { .. } => "dismiss",
        Verb::Watch { .. } => "watch",
        Verb::TakeOver { .. } => "take_over",
        Verb::Qualify { .. } => "qualify",
        Verb::Note { .. } => "note",
        Verb::Raise { .. } => "raise",
        Verb::Skills { .. } => "skills",
        Verb::Move { .. } => "move",
        Verb::HandOver { .. } => "hand_over",
        Verb::TakeBack { .. } => "take_back",
        Verb::ReferBack { .. } => "refer_back",
        Verb::Tag { .. } => "tag",
        Verb::PlanCallback { .. } => "plan_callback",
        Verb::DropToCallback { .. } => "drop_to_callback",
        Verb::DismissCallback { .. } => "dismiss_callback",
        Verb::SetOverflow { .. } => "set_overflow",
        Verb::OpenMajor(_) => "open_major",
        Verb::CloseMajor { .. } => "close_major",
        Verb::AddToMajor { .. } => "add_to_major",
    }
}

fn major(call: CallId) -> crate::id::MajorId {
    crate::id::MajorId { centre: call.centre, serial: call.serial }
}

#[test]
fn every_command_is_for_whom_the_table_says() {
    let mut room = Room::new();
    for event in [arrived(1), queued(1, room.at), connected(1, agent(0))] {
        room.happens(event);
    }
    let rows: Vec<Vec<&str>> = TABLE
        .lines()
        .map(|line| line.split_whitespace().collect())
        .filter(|row: &Vec<_>| !row.is_empty())
        .collect();
    assert_eq!(rows.len(), 36, "as many as there are verbs");
    for row in rows {
        let wish = verb(row[0], agent(0), call(1), offer(1), work(1), queue(0));
        assert_eq!(name(&wish), row[0]);
        for pair in row[1..].chunks(2) {
            let right = match pair[0] {
                "observer" => Right::Observer,
                "self" => Right::Agent(agent(0)),
                "other" => Right::Agent(agent(1)),
                "supervisor" => Right::Supervisor,
                other => panic!("no right is named `{other}`"),
            };
            let may = viewer(right).may(&wish, room.feed.board());
            assert_eq!(may, pair[1] == "+", "{} by {}", row[0], pair[0]);
        }
    }
    assert_eq!(viewer(Right::Agent(agent(0))).actor(), Actor::Agent(agent(0)));
}

#[test]
fn a_supervisor_of_the_roster_listens_by_the_own_page_and_by_nobody_elses() {
    let mut cast = cast();
    cast.agents[1].role = crate::site::Role::Supervisor;
    let board = Board::new(cast, EPOCH);
    let by = |index| viewer(Right::Agent(agent(index)));
    for name in ["watch", "take_over"] {
        let own = verb(name, agent(1), call(1), offer(1), work(1), queue(0));
        let of_another = verb(name, agent(0), call(1), offer(1), work(1), queue(0));
        assert!(by(1).may(&own, &board), "{name}");
        assert!(!by(1).may(&of_another, &board) && !by(0).may(&of_another, &board), "{name}");
    }
}
