//! What cannot be, and why: whoever asks is told before anything happens.

use super::trial::{CENTRE, Trial};
use crate::call::event::Actor;
use crate::id::{AgentId, CentreId, QueueId, WorkId};
use crate::io::Refusal;
use crate::queue::{Fact, Floor};

fn pick(trial: &Trial, agent: &str, work: &str) -> Fact {
    let (agent, work) = (trial.agent(agent), trial.work(work));
    Fact::Pick { agent, work, lifted: false, confirmed: true }
}

fn key(trial: &Trial, agent: &str) -> Result<(), Refusal> {
    trial.floor.allows(&Fact::Answer { agent: trial.agent(agent) })
}

fn claim(trial: &Trial, agent: &str) -> Result<(), Refusal> {
    claim_of(trial, agent, agent)
}

/// One agent claims the last offer to another.
fn claim_of(trial: &Trial, agent: &str, whose: &str) -> Result<(), Refusal> {
    trial.floor.allows(&Fact::Claim { agent: trial.agent(agent), offer: trial.last_offer(whose) })
}

#[test]
fn what_is_not_on_this_floor_is_unknown_here() {
    let trial = Trial::run("0s agent Nour absent | 0s agent Mia absent | 1s call A routine");
    let sign_in = |centre, index| {
        let agent = AgentId { centre, index };
        trial.floor.allows(&Fact::SignIn { agent, position: None, by: Actor::System })
    };
    assert_eq!(sign_in(CENTRE, 1), Ok(()));
    assert_eq!(sign_in(CENTRE, 2), Err(Refusal::Unknown), "past the end of the roster");
    assert_eq!(sign_in(CentreId(1), 0), Err(Refusal::Unknown), "another centre's");
    let open = |centre, index| {
        trial.floor.allows(&Fact::Overflow { queue: QueueId { centre, index }, opened: true })
    };
    assert_eq!(open(CENTRE, 2), Ok(()));
    assert_eq!(open(CENTRE, 3), Err(Refusal::Unknown), "past the end of the plan");
    assert_eq!(open(CentreId(1), 0), Err(Refusal::Unknown), "another centre's");
}

#[test]
fn i06_work_comes_once_and_to_its_own_centre() {
    let trial = Trial::run("1s call A routine");
    let arrival = |name: &str| match trial.enter(name, "routine") {
        Fact::Enter(arrival) => arrival,
        other => panic!("not an arrival: {other:?}"),
    };
    assert_eq!(trial.floor.allows(&Fact::Enter(arrival("B"))), Ok(()));
    assert_eq!(trial.floor.allows(&Fact::Enter(arrival("A"))), Err(Refusal::Invalid), "it waits already");
    let mut foreign = arrival("B");
    foreign.work = WorkId { centre: CentreId(1), ..foreign.work };
    assert_eq!(trial.floor.allows(&Fact::Enter(foreign)), Err(Refusal::Invalid));
}

#[test]
fn who_talks_takes_nothing_more_and_who_is_not_signed_in_takes_nothing() {
    let trial = Trial::run(
        "0s agent Nour ready | 0s agent Mia absent | 1s call A routine | 1s answers Nour | 2s call B routine",
    );
    assert_eq!(key(&trial, "Nour"), Err(Refusal::Busy));
    assert_eq!(trial.floor.allows(&pick(&trial, "Nour", "B")), Err(Refusal::Busy));
    assert_eq!(key(&trial, "Mia"), Err(Refusal::SignedOut));
    assert_eq!(trial.floor.allows(&pick(&trial, "Mia", "B")), Err(Refusal::SignedOut));
    // Whoever goes home during a call finishes it, and is signed out for all else.
    let trial = Trial::run(
        "0s agent Nour ready | 1s call A routine | 1s answers Nour | 2s agent Nour out | 2s call B routine",
    );
    assert_eq!(key(&trial, "Nour"), Err(Refusal::SignedOut));
}

#[test]
fn a_page_without_audio_takes_nothing_but_what_another_phone_lifts() {
    let mut trial =
        Trial::run("0s browser Nour open | 0s browser Nour ready | 0s agent Nour pauses | 1s call A routine");
    let agent = trial.agent("Nour");
    assert_eq!(key(&trial, "Nour"), Ok(()));
    trial.tell(Fact::PageLine { agent, up: false });
    assert_eq!(key(&trial, "Nour"), Err(Refusal::NoAudio));
    let pick = |lifted| Fact::Pick { agent, work: trial.work("A"), lifted, confirmed: true };
    assert_eq!(trial.floor.allows(&pick(false)), Err(Refusal::NoAudio));
    assert_eq!(trial.floor.allows(&pick(true)), Ok(()));
    trial.tell(Fact::PageLine { agent, up: true });
    trial.tell(Fact::Page { agent, open: false });
    assert_eq!(key(&trial, "Nour"), Err(Refusal::NoAudio), "its connection may stand: nobody looks at it");
}

#[test]
fn a_desk_phone_that_rings_is_lifted_unless_something_more_urgent_waits() {
    let two = "0s agent Nour ready | 1s call A routine";
    assert_eq!(key(&Trial::run(two), "Nour"), Err(Refusal::Busy));
    assert_eq!(key(&Trial::run(&format!("{two} | 2s call B routine")), "Nour"), Err(Refusal::Busy));
    assert_eq!(key(&Trial::run(&format!("{two} | 2s call B partner")), "Nour"), Ok(()));
    // At a page the key answers what rings.
    let page = Trial::run("0s browser Nour open | 0s browser Nour ready | 1s call A routine");
    assert_eq!(key(&page, "Nour"), Ok(()));
}

#[test]
fn i02_what_somebody_has_taken_is_picked_by_nobody_else() {
    let ringing = "0s agent Nour ready | 0s agent Mia ready | 0s agent Mia pauses | 1s call A routine";
    let trial = Trial::run(ringing);
    assert_eq!(trial.floor.allows(&pick(&trial, "Mia", "A")), Ok(()), "it only rings");
    let trial = Trial::run(&format!("{ringing} | 2s takes Nour"));
    assert_eq!(
        trial.floor.allows(&pick(&trial, "Mia", "A")),
        Err(Refusal::TakenBy(trial.agent("Nour"))),
        "its bridge is being made"
    );
    let waits = Trial::run("0s agent Mia pauses | 1s call A routine");
    assert_eq!(waits.floor.allows(&pick(&waits, "Mia", "A")), Ok(()), "nobody was rung");
}

#[test]
fn a_claim_is_its_own_agents_and_only_what_a_page_shows_is_claimed() {
    let trial = Trial::run(
        "0s browser Nour open | 0s browser Nour ready | 0s agent Mia ready | 1s call A routine | 1s call B routine",
    );
    assert_eq!(claim(&trial, "Nour"), Ok(()));
    assert_eq!(claim(&trial, "Mia"), Err(Refusal::Unknown), "a desk phone is lifted");
    assert_eq!(claim_of(&trial, "Mia", "Nour"), Err(Refusal::Unknown), "a colleague's");
    let elsewhere = crate::id::OfferId { centre: CentreId(1), ..trial.last_offer("Nour") };
    let foreign = Fact::Claim { agent: trial.agent("Nour"), offer: elsewhere };
    assert_eq!(trial.floor.allows(&foreign), Err(Refusal::Gone));
}

#[test]
fn i02_an_offer_is_claimed_once() {
    let page = "0s browser Nour open | 0s browser Nour ready | 1s call A routine";
    let trial = Trial::run(&format!("{page} | 1s claims Nour"));
    assert_eq!(claim(&trial, "Nour"), Err(Refusal::Gone), "a second press");
    let trial = Trial::run(&format!("{page} | 1s takes Nour"));
    assert_eq!(claim(&trial, "Nour"), Err(Refusal::Gone), "its bridge is being made");
    let trial = Trial::run(&format!("{page} | 1s answers Nour"));
    assert_eq!(claim(&trial, "Nour"), Err(Refusal::Gone), "it is over");
}

#[test]
fn an_alert_is_claimed_from_within_a_call_and_a_ringing_offer_is_not() {
    let talking = "0s browser Nour open | 0s browser Nour ready | 1s call X routine | 1s answers Nour";
    let trial = Trial::run(&format!("{talking} | 2s call A vital"));
    assert_eq!(claim(&trial, "Nour"), Ok(()));
    // One who is already bound to somebody comes to nobody else.
    let trial = Trial::run(&format!("{talking} | 2s call A vital | 3s claims Nour"));
    assert_eq!(key(&trial, "Nour"), Err(Refusal::Busy));
}

#[test]
fn a_rejection_is_of_ones_own_reservation_and_a_page_speaks_of_its_own_offers() {
    let trial = Trial::run(
        "0s agent Nour ready | 0s agent Mia ready | 0s agent Lea:room ready | 0s page Lea open | 1s call A routine \
         | 1s call B routine in room",
    );
    let reject = |agent: &str, whose: &str| {
        let (agent, offer) = (trial.agent(agent), trial.last_offer(whose));
        trial.floor.allows(&Fact::Reject { agent, offer })
    };
    assert_eq!(reject("Nour", "Nour"), Ok(()));
    assert_eq!(reject("Mia", "Nour"), Err(Refusal::Unknown), "a colleague's");
    assert_eq!(reject("Lea", "Lea"), Err(Refusal::Unknown), "an invitation binds nobody");
    let sees = |agent: &str, whose: &str| {
        let (agent, offer) = (trial.agent(agent), trial.last_offer(whose));
        trial.floor.allows(&Fact::Seen { agent, offer })
    };
    assert_eq!(sees("Nour", "Nour"), Ok(()));
    assert_eq!(sees("Mia", "Nour"), Err(Refusal::Unknown), "another page shows nothing of it");
}

#[test]
fn a_skill_nobody_asks_for_is_not_given_and_one_held_is_kept() {
    let trial = Trial::run("0s agent Nour:arm,juggling ready");
    let skills = |names: &[&str]| {
        let skills = names.iter().map(|name| (*name).to_owned()).collect();
        trial.floor.allows(&Fact::Skills { agent: trial.agent("Nour"), skills, by: Actor::System })
    };
    assert_eq!(skills(&["arm:3", "mr", "juggling"]), Ok(()));
    assert_eq!(skills(&["arm", "cooking"]), Err(Refusal::Invalid));
}

#[test]
fn a_floor_is_at_rest_when_nothing_waits_not_even_asleep() {
    let at_rest = |floor: &Floor| floor.is_idle();
    assert!(at_rest(&Trial::run("0s agent Nour ready").floor));
    assert!(!at_rest(&Trial::run("1s call A routine").floor));
    assert!(!at_rest(&Trial::run("1s call A routine as callback after 60s").floor));
    assert!(at_rest(&Trial::run("0s agent Nour ready | 1s call A routine | 2s answers Nour").floor));
}
