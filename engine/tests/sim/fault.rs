//! Planted faults: what the engine says is spoilt on its way out. An invariant that finds none of them
//! could not fail.

use super::room::{Kind, Person, Waits};
use super::world::{Fault, World};
use engine::call::event::{
    Actor, AgentReason as Reason, Beside, Cause, ConsultEnd, Event, Intent, Occupation, OfferKind,
};
use engine::id::LegId;
use engine::io::Output;
use engine::media::MediaCommand;
use engine::time::Instant;
use std::time::Duration;

/// The outputs of a step, spoilt as the world's fault says; lines of the log stay without a gap unless
/// the gap is the fault.
pub fn spoil(world: &mut World, outputs: Vec<Output>) -> Vec<Output> {
    if world.fault == Fault::None {
        return outputs;
    }
    let decides = last_decision(&outputs);
    let come = outputs.iter().filter_map(|output| match output {
        Output::Logged(entry) => Some(&entry.event),
        _ => None,
    });
    let callers: Vec<String> = come
        .filter_map(|event| match event {
            Event::Arrived { caller, .. } => Some(caller.0.clone()),
            _ => None,
        })
        .collect();
    let mut spoilt = Vec::new();
    for mut output in outputs {
        let copies = copies(world, &mut output, (decides, &callers));
        world.faults += u32::from(copies != 1);
        for _ in 0..copies {
            spoilt.push(match &mut output {
                Output::Logged(entry) => {
                    let mut entry = entry.clone();
                    if world.fault != Fault::LosesALine {
                        world.told += 1;
                        entry.seq = world.told;
                    }
                    Output::Logged(entry)
                }
                Output::Record(record) => Output::Record(record.clone()),
                _ => break,
            });
        }
        if !matches!(output, Output::Logged(_) | Output::Record(_)) && copies > 0 {
            spoilt.push(output);
        }
    }
    spoilt
}

/// How often the output comes out, after it has been changed.
fn copies(world: &mut World, output: &mut Output, (decides, callers): (Option<u64>, &[String])) -> u32 {
    let fault = world.fault;
    match output {
        Output::Record(_) => 1 + u32::from(fault == Fault::RecordsTwice),
        Output::Media(MediaCommand::Close { .. }) => u32::from(fault != Fault::KeepsAPort),
        Output::Media(MediaCommand::Join { leg, .. }) => u32::from(is_joined(world, *leg)),
        Output::Logged(entry) => match (&mut entry.event, fault) {
            (Event::Offered { work, call, kind: OfferKind::Exclusive, .. }, Fault::SwapsDecisions) => {
                let Some(mine) = world.room.waiting.get(work) else { return 1 };
                let later = world
                    .room
                    .waiting
                    .iter()
                    .find(|(_, it)| it.rings.is_empty() && it.key > mine.key && it.queue == mine.queue);
                if let Some((other, it)) = later {
                    (*work, *call) = (*other, it.call);
                    world.faults += 1;
                }
                1
            }
            (Event::Offered { kind: OfferKind::Exclusive, because, .. }, Fault::LosesAnOffer) => {
                u32::from(matches!(because.agent, Reason::Claimed | Reason::Picked))
            }
            (Event::OccupationChanged { occupation, .. }, Fault::LosesAnOffer) => {
                if *occupation == Occupation::Offered {
                    *occupation = Occupation::Free;
                }
                1
            }
            (Event::Offered { kind: OfferKind::Exclusive, .. }, Fault::ReservesTwice) => 2,
            (Event::Ended { by, cause, .. }, Fault::DropsACaller) => {
                (*by, *cause) = (Actor::System, Cause::Abandon);
                world.faults += 1;
                1
            }
            (Event::Withdrawn { call, .. }, Fault::CallsWhoIsBack) => {
                let calls = &world.room.calls;
                let to = calls.get(call).filter(|it| it.callback.is_some()).map(|it| &it.caller);
                let is_back = calls.values().any(|it| it.callback.is_none() && Some(&it.caller) == to);
                u32::from(!is_back && to.is_none_or(|to| !callers.contains(to)))
            }
            (Event::Offered { kind: OfferKind::Alert, .. }, Fault::ForgetsAlerts) => 0,
            (Event::Offered { kind: OfferKind::Join, agent, because, .. }, Fault::CallsNobody) => {
                let free = world.room.people[agent.index as usize].told == Occupation::Free;
                u32::from(because.agent != Reason::Invited || !free)
            }
            (Event::Beside(Beside::RecontactDue { .. }), Fault::ForgetsRecontact) => 0,
            (Event::Alerting { .. }, Fault::LosesALine) => 0,
            (Event::OfferEnded { .. }, Fault::ForgetsAnEnd) => 0,
            (Event::Alarm { .. }, Fault::SleepsThroughAlarms) => 0,
            (Event::Queued { arrived, again: true, .. }, Fault::MovesAnArrival) => {
                *arrived = *arrived + Duration::from_secs(1);
                world.faults += 1;
                1
            }
            (Event::Offered { kind: OfferKind::Exclusive, .. }, Fault::CallsWithTheLast) => {
                if decides == Some(entry.seq) {
                    calls_with_the_last(world, &mut entry.event, entry.at);
                }
                1
            }
            (Event::ConsultEnded { end: ConsultEnd::Unanswered, .. }, Fault::AsksForEver) => 0,
            (Event::Connected { .. }, Fault::ConnectsTwice) => 2,
            _ => 1,
        },
        _ => 1,
    }
}

/// The line of a step's last decision, when nothing follows it but what it makes of its agent.
fn last_decision(outputs: &[Output]) -> Option<u64> {
    let lines = outputs.iter().filter_map(|output| match output {
        Output::Logged(entry) => Some(entry),
        _ => None,
    });
    let follows =
        |event: &Event| matches!(event, Event::OccupationChanged { .. } | Event::ReachabilityChanged { .. });
    let last = lines.filter(|entry| !follows(&entry.event)).last()?;
    matches!(last.event, Event::Offered { .. }).then_some(last.seq)
}

/// A callback that waits because somebody has to be left goes to the one who is.
fn calls_with_the_last(world: &mut World, event: &mut Event, now: Instant) {
    let Event::Offered { work, call, agent, because, .. } = event else { return };
    let (room, ix) = (&world.room, agent.index as usize);
    let Some(mine) = room.waiting.get(work).filter(|it| it.key.0 && it.kind == Kind::Live) else { return };
    let others = (0..room.people.len()).filter(|other| *other != ix).map(|other| &room.people[other]);
    let nobody =
        |person: &Person| person.intent != Intent::Ready || person.reserved.is_some() || person.ear.is_some();
    let turn = matches!(because.agent, Reason::LongestIdle | Reason::Only) && room.people[ix].is_sound();
    if !turn || !others.into_iter().all(nobody) {
        return;
    }
    let waits = |it: &&Waits| it.kind == Kind::Callback && it.rings.is_empty() && it.key < mine.key;
    let last = |it: &&Waits| room.is_asked(ix, it, now) && !room.leaves_enough(ix, it, now);
    if let Some(other) = room.waiting.values().filter(waits).find(last) {
        (*work, *call) = (other.key.3, other.call);
        world.faults += 1;
    }
}

/// Whether the plane hears that somebody comes into a conversation.
fn is_joined(world: &World, leg: LegId) -> bool {
    let asks = world.asked_for(leg);
    match world.fault {
        Fault::LeavesOnHold => asks.is_none(),
        Fault::AsksForEver => asks.is_none_or(|asks| asks.answered || asks.deadline > world.now()),
        _ => true,
    }
}
