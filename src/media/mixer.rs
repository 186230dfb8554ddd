//! A conversation of more than two: every 20 ms each port hears the sum of those it may hear, without
//! itself. Two ports are a relay again, and what was still to be heard is said first.

use crate::media::bridge::PORTS_MAX;
use crate::media::g711::{self, FRAME};
use crate::media::jitter::Jitter;
use crate::media::leg::{Leg, Way};
use crate::media::rtp::HEADER;
use crate::media::worker::{Worker, say};
use engine::id::BridgeId;
use engine::media::{MediaEvent, Voice};

/// A member of the wheel that is a conversation has this bit; a leg's place never has.
const MIXED: u32 = 1 << 31;

/// The conversations of one thread that are mixed, at places the wheel knows.
#[derive(Debug, Default)]
pub(crate) struct Mixes {
    places: Vec<Option<BridgeId>>,
}

impl Mixes {
    fn insert(&mut self, id: BridgeId) -> u32 {
        let free = self.places.iter().position(Option::is_none).unwrap_or(self.places.len());
        if free == self.places.len() {
            self.places.push(None);
        }
        self.places[free] = Some(id);
        // A thread has far fewer conversations than legs, and those are 65 536.
        MIXED | free as u32
    }

    fn remove(&mut self, member: u32) {
        if let Some(place) = self.places.get_mut((member & !MIXED) as usize) {
            *place = None;
        }
    }

    /// The conversation of a member of the wheel; `None`: it is a leg.
    pub(super) fn of(&self, member: u32) -> Option<BridgeId> {
        if member & MIXED == 0 {
            return None;
        }
        *self.places.get((member & !MIXED) as usize)?
    }
}

/// What one port has said for this turn.
struct Said {
    place: u32,
    voice: Voice,
    samples: Option<[i16; FRAME]>,
}

impl<F: Fn(MediaEvent)> Worker<F> {
    /// Makes a conversation a relay or a mix, as its number of ports wants it.
    pub(super) fn weigh(&mut self, id: BridgeId, now: u64) {
        let Some(bridge) = self.bridges.get(&id) else { return };
        let (many, ports) = (bridge.ports().len() > 2, bridge.ports().to_vec());
        match (many, bridge.mixed) {
            (true, None) => {
                let member = self.mixes.insert(id);
                let phase = self.wheel.join(member, now);
                if let Some(bridge) = self.bridges.get_mut(&id) {
                    bridge.mixed = Some((member, phase));
                }
            }
            (false, Some(_)) => self.unmix(id, now),
            (true, Some(_)) | (false, None) => {}
        }
        for place in ports {
            let Some(leg) = self.legs.at(place) else { continue };
            if many && leg.said.is_none() {
                leg.said = Some(Box::new(Jitter::default()));
                leg.cut_relay();
            } else if !many {
                leg.said = None;
            }
        }
    }

    /// A mix becomes a relay: what its ports have said and nobody has heard is said at once.
    fn unmix(&mut self, id: BridgeId, now: u64) {
        for _ in 0..MIX_LEFT_MAX {
            if !self.mix(id, now, true) {
                break;
            }
        }
        if let Some((member, phase)) = self.bridges.get_mut(&id).and_then(|bridge| bridge.mixed.take()) {
            self.wheel.leave(member, phase);
            self.mixes.remove(member);
        }
    }

    /// A conversation that is over is mixed no more.
    pub(super) fn forget_mix(&mut self, mixed: Option<(u32, usize)>) {
        if let Some((member, phase)) = mixed {
            self.wheel.leave(member, phase);
            self.mixes.remove(member);
        }
    }

    /// One turn: everybody's next frame. With `left`, only while something waits; false: nothing did.
    pub(super) fn mix(&mut self, id: BridgeId, at: u64, left: bool) -> bool {
        let Some(bridge) = self.bridges.get(&id) else { return false };
        let mut said: [Option<Said>; PORTS_MAX] = [const { None }; PORTS_MAX];
        let mut waits = false;
        for (said, &place) in said.iter_mut().zip(bridge.ports()) {
            let Some(leg) = self.legs.at(place) else { continue };
            let mut samples = [0; FRAME];
            let jitter = leg.said.as_mut().filter(|jitter| !left || !jitter.is_empty());
            let heard = jitter.is_some_and(|jitter| jitter.take(&mut samples));
            waits |= heard;
            *said = Some(Said { place, voice: leg.voice, samples: heard.then_some(samples) });
        }
        if left && !waits {
            return false;
        }
        for hearer in said.iter().flatten() {
            let place = hearer.place;
            let Some(leg) = self.legs.at(place) else { continue };
            let mut packet = [0; HEADER + FRAME];
            let heard = sum(leg, said.iter().flatten().filter(|it| it.place != place), &mut packet);
            let sent =
                if heard { leg.say(&mut packet, at) } else { leg.play(&mut packet, at).map(|it| it.0) };
            match sent {
                Ok(Way::Page(page)) => {
                    let said = say(&mut self.pages, (&self.boxes, self.index), page, &packet, at);
                    self.figures.packets_out += u64::from(said);
                }
                Ok(way) => self.figures.packets_out += u64::from(way == Way::Sent),
                Err(_) => self.figures.send_errors += 1,
            }
        }
        true
    }
}

/// Turns after which what is left of a mix has been said, whatever its ports' buffers hold.
const MIX_LEFT_MAX: usize = 16;

/// Adds up what a leg may hear of what the others have said; false: nothing.
fn sum<'a>(leg: &Leg, others: impl Iterator<Item = &'a Said>, packet: &mut [u8; HEADER + FRAME]) -> bool {
    let mut total = [0i32; FRAME];
    let mut any = false;
    for samples in others.filter(|it| reaches(it.voice, leg)).filter_map(|it| it.samples.as_ref()) {
        any = true;
        for (total, sample) in total.iter_mut().zip(samples) {
            *total += i32::from(*sample);
        }
    }
    if any {
        for (byte, total) in packet[HEADER..].iter_mut().zip(&total) {
            // Two who shout are as loud as the line can be, not a crackle.
            let loud = (*total).clamp(i32::from(i16::MIN), i32::from(i16::MAX));
            *byte = g711::encode(leg.stream.codec, loud as i16);
        }
    }
    any
}

/// Whether a voice is for this leg.
pub(super) fn reaches(voice: Voice, leg: &Leg) -> bool {
    match voice {
        Voice::Everyone => true,
        Voice::Nobody => false,
        Voice::Only(other) => other == leg.id,
    }
}
