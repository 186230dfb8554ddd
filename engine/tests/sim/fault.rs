//! Planted faults: what the engine says is spoilt on its way out. An invariant that finds none of them
//! could not fail.

use super::world::{Fault, World};
use engine::call::event::{Actor, AgentReason as Reason, Beside, Cause, Event, Occupation, OfferKind};
use engine::io::Output;
use engine::media::MediaCommand;
use std::time::Duration;

/// The outputs of a step, spoilt as the world's fault says; lines of the log stay without a gap unless
/// the gap is the fault.
pub fn spoil(world: &mut World, outputs: Vec<Output>) -> Vec<Output> {
    if world.fault == Fault::None {
        return outputs;
    }
    let mut spoilt = Vec::new();
    for mut output in outputs {
        let copies = copies(world, &mut output);
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
fn copies(world: &mut World, output: &mut Output) -> u32 {
    let fault = world.fault;
    match output {
        Output::Record(_) => 1 + u32::from(fault == Fault::RecordsTwice),
        Output::Media(MediaCommand::Close { .. }) => u32::from(fault != Fault::KeepsAPort),
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
                u32::from(!is_back)
            }
            (Event::Offered { kind: OfferKind::Alert, .. }, Fault::ForgetsAlerts) => 0,
            (Event::Offered { kind: OfferKind::Join, .. }, Fault::CallsNobody) => 0,
            (Event::Beside(Beside::RecontactDue { .. }), Fault::ForgetsRecontact) => 0,
            (Event::Alerting { .. }, Fault::LosesALine) => 0,
            (Event::OfferEnded { .. }, Fault::ForgetsAnEnd) => 0,
            (Event::Alarm { .. }, Fault::SleepsThroughAlarms) => 0,
            (Event::Queued { arrived, again: true, .. }, Fault::MovesAnArrival) => {
                *arrived = *arrived + Duration::from_secs(1);
                world.faults += 1;
                1
            }
            (Event::Connected { .. }, Fault::ConnectsTwice) => 2,
            _ => 1,
        },
        _ => 1,
    }
}
