//! What must hold: in every step (I2, I5), once nothing more happens, and once everybody has hung up.

use super::{OTHER, Side, Wish, World};
use crate::wire::{A, ANSWER, B, now, short, tag, value};
use sip::endpoint::Event;
use std::time::Duration;

impl World {
    /// The owner of a side is told: it answers offers, unless it takes its time, and lets go of what is lost.
    pub(super) fn told(&mut self, side: usize, event: Event) -> Result<(), String> {
        self.sides[side].learn(&event);
        let word = match &event {
            Event::Invited { dialog, .. } => {
                self.sides[side].dialog = Some(*dialog);
                "invited"
            }
            Event::Cancelled { .. } => "cancelled",
            Event::Confirmed { .. } => "confirmed",
            Event::Unconfirmed { .. } => "unconfirmed",
            Event::Answered { .. } => "answered",
            Event::Failed { .. } => "failed",
            Event::Reoffered { .. } => "reoffered",
            Event::Released { .. } => "released",
            Event::Lost { .. } => "lost",
            _ => return Ok(()),
        };
        if event.dialog() != self.sides[side].dialog {
            return Err(format!("{word} of a dialog nobody knows"));
        }
        if self.sides[side].is_over() {
            return Err(format!("{word} of a call that is over: {:?}", self.sides[side].told));
        }
        if matches!(word, "answered" | "confirmed" | "invited") && self.sides[side].told.contains(&word) {
            return Err(format!("I2: {word} twice"));
        }
        self.sides[side].told.push(word);
        match word {
            "reoffered" if !self.slow => self.accept(side),
            // An owner who hears nothing of the peer any more lets go.
            "unconfirmed" | "lost" => {
                self.sides[side].ended = true;
                if let (Some(dialog), Some(end)) = (self.sides[side].dialog, self.ends[side].ours()) {
                    end.end(now(self.at), dialog, None);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Answers the offer that waits: what it describes is in force unless it has been withdrawn.
    pub(super) fn accept(&mut self, side: usize) {
        let (Some(dialog), Some(end)) = (self.sides[side].dialog, self.ends[side].ours()) else { return };
        let stands = end.accept(now(self.at), dialog, ANSWER);
        let offered = self.sides[side].offered.take();
        if let Some(offer) = offered.filter(|_| stands) {
            self.sides[side].force = Some(offer);
        }
    }

    /// I2, I5: an answer nobody waits for is acknowledged and hung up in the step in which it comes.
    pub(super) fn judge_step(&mut self, side: usize, heard: &str, said: &[String]) -> Result<(), String> {
        if side != A || short(heard) != "200 INVITE" || !value(heard, "CSeq").starts_with("1 ") {
            return Ok(());
        }
        let fork = tag(&value(heard, "To")).to_owned();
        let ours = said.iter().filter(|text| tag(&value(text, "To")) == fork).map(|text| short(text));
        let ours: Vec<String> = ours.filter(|what| what == "ACK" || what == "BYE").collect();
        if self.ends[A].foreign().is_some() {
            return Ok(());
        }
        let first = !self.settled.contains(&fork);
        let unwanted = self.sides[A].is_over() || self.settled.iter().any(|settled| *settled != fork);
        self.settled.push(fork);
        let expected: &[&str] = if first && unwanted { &["ACK", "BYE"] } else { &["ACK"] };
        if ours != expected {
            return Err(format!("I2, I5: an answer got {ours:?}, not {expected:?}"));
        }
        Ok(())
    }

    pub(super) fn judge(&mut self) -> Result<(), String> {
        // Whoever takes their time has had enough of it.
        self.slow = false;
        for side in [A, B] {
            if self.may(side, Wish::Accept) {
                self.wish(side, Wish::Accept)?;
            }
        }
        self.rest(Duration::from_secs(70))?;
        match (self.ends[A].foreign(), self.ends[B].foreign()) {
            (None, None) => self.judge_ours()?,
            _ => self.judge_with_foreign()?,
        }
        self.wish(A, Wish::End)?;
        self.wish(B, Wish::End)?;
        self.rest(Duration::from_secs(110))?;
        for side in [A, B] {
            if !self.ends[side].is_idle() {
                return Err(format!("I5, I23: side {side} is not at rest: {:?}", self.sides[side].told));
            }
        }
        Ok(())
    }

    fn judge_ours(&self) -> Result<(), String> {
        let has = |side: usize, word| self.sides[side].told.contains(&word);
        if has(B, "cancelled") && has(B, "confirmed") {
            return Err("a call was cancelled and confirmed".to_owned());
        }
        // A that talks with the other fork owes B nothing but a BYE, which B has had.
        let with_b = self.settled.first().is_none_or(|fork| fork != OTHER);
        for side in [A, B].into_iter().filter(|_| with_b) {
            let other = &self.sides[1 - side];
            let began = self.sides[side].dialog.is_some();
            // I3: nobody is left talking to nobody: what was begun is told to be over, or stands at both.
            if began && !self.sides[side].is_over() && other.is_over() {
                return Err(format!(
                    "I5: {side} stands ({:?}), the other side is over ({:?})",
                    self.sides[side].told, other.told
                ));
            }
        }
        if with_b && !self.sides[A].is_over() && has(A, "answered") != has(B, "confirmed") {
            return Err(format!(
                "I3: answered at one side only: {:?} {:?}",
                self.sides[A].told, self.sides[B].told
            ));
        }
        Ok(())
    }

    /// The call stands at both sides or at none, and both hold the same description of the foreign one.
    fn judge_with_foreign(&self) -> Result<(), String> {
        let ours = if self.ends[A].foreign().is_some() { B } else { A };
        let Some(foreign) = self.ends[1 - ours].foreign() else { return Ok(()) };
        let side = &self.sides[ours];
        let talks = side.told.iter().any(|word| matches!(*word, "answered" | "confirmed"));
        let stands = usize::from(talks && !side.is_over());
        if foreign.standing() != stands {
            return Err(format!("I2, I3, I5: {stands} here, {} there: {:?}", foreign.standing(), side.told));
        }
        let heard = side.force.as_deref().map(String::from_utf8_lossy);
        // An owner who takes its time has not answered yet.
        if stands == 1 && side.offered.is_none() && heard.as_deref() != foreign.force() {
            return Err(format!("I3: we send where nobody listens: {heard:?}, {:?}", foreign.force()));
        }
        Ok(())
    }
}

impl Side {
    /// Its owner has ended it or has been told that it is over.
    pub(super) fn is_over(&self) -> bool {
        self.ended || self.told.iter().any(|word| matches!(*word, "cancelled" | "failed" | "released"))
    }

    /// What the peer describes.
    fn learn(&mut self, event: &Event) {
        match event {
            Event::Invited { invite, .. } => self.force = invite.sdp.as_ref().map(|sdp| sdp.to_vec()),
            Event::Reoffered { sdp: Some(offer), .. } => self.offered = Some(offer.to_vec()),
            Event::Answered { sdp, .. } => self.force = sdp.as_ref().map(|sdp| sdp.to_vec()),
            Event::Acknowledged { sdp: Some(sdp), .. }
            | Event::Confirmed { sdp: Some(sdp), .. }
            | Event::ReofferDone { sdp: Some(sdp), .. } => self.force = Some(sdp.to_vec()),
            _ => {}
        }
    }
}
