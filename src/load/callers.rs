//! The carrier's side: places the calls of the plan, one after the other, and follows each to its end.

use super::Clock;
use super::audio::{Heard, Leg};
use super::plan::{Audio, LoadError, Plan};
use super::report::CallerTally;
use super::station::{News, Station};
use super::tone::{Ear, PHONE_HZ, Voices};
use sip::endpoint::{DialogId, Event, Outgoing};
use sip::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use tokio::sync::mpsc;

/// One call under way.
struct Call {
    invited: Instant,
    answered: Option<Instant>,
    /// When it ends if nothing else ends it: the caller's patience, later the talk's end.
    until: Instant,
    leg: Leg,
    heard: mpsc::UnboundedReceiver<Instant>,
}

/// How a call ended.
enum End {
    /// We hung up after talking, or the other side did.
    Over,
    /// Nobody spoke to us in time; we hung up.
    Abandoned,
    /// Refused, lost or timed out.
    Failed(u16),
}

/// The callers of one run.
pub(super) struct Callers<'a> {
    plan: &'a Plan,
    clock: Clock,
    station: Station,
    calls: BTreeMap<DialogId, Call>,
    deadlines: BTreeSet<(Instant, DialogId)>,
    voices: Voices,
    tally: CallerTally,
}

impl<'a> Callers<'a> {
    /// Binds the trunk's socket.
    pub(super) async fn open(plan: &'a Plan, clock: Clock, voices: Voices) -> Result<Callers<'a>, LoadError> {
        let local = SocketAddr::new(plan.bind, plan.caller_port);
        let station = Station::open(local, plan.target, clock.clone()).await?;
        Ok(Callers {
            plan,
            clock,
            station,
            calls: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            voices,
            tally: CallerTally::default(),
        })
    }

    /// Plays until every call has ended, or until `limit`; then hangs up what is left.
    pub(super) async fn play(mut self, limit: Instant) -> Result<CallerTally, LoadError> {
        let start = self.station.now().at;
        let mut placed = 0_u32;
        loop {
            let now = self.station.now().at;
            if now >= limit || (u64::from(placed) == self.plan.count && self.calls.is_empty()) {
                break;
            }
            let next = (u64::from(placed) < self.plan.count).then(|| start + self.plan.every * placed);
            if next.is_some_and(|next| next <= now) {
                self.place(u64::from(placed)).await?;
                placed += 1;
                continue;
            }
            if let Some(dialog) = self.overdue(now) {
                self.hang_up(dialog).await;
                continue;
            }
            self.listen();
            // Ears report between packets of signalling: look at them ten times a second.
            let ears = (!self.calls.is_empty()).then(|| now + std::time::Duration::from_millis(100));
            let due = [next, self.deadlines.first().map(|first| first.0), ears, Some(limit)];
            if let News::Event(event) = self.station.next(due.into_iter().flatten().min()).await {
                self.on(event).await;
            }
        }
        self.finish().await;
        Ok(self.tally)
    }

    async fn place(&mut self, nth: u64) -> Result<(), LoadError> {
        let ear = Ear::listening_for(PHONE_HZ);
        let speech = self.voices.caller(nth);
        let (tell, heard) = mpsc::unbounded_channel();
        let mut leg = Leg::open(self.plan.bind, self.clock.clone(), speech, ear, false, tell).await?;
        let (number, from, target) = (self.plan.dials(nth), self.plan.calls_from(nth), self.plan.target);
        let uri =
            if number.starts_with("urn:") { number.to_owned() } else { format!("sip:{number}@{target}") };
        let now = self.station.now();
        let dialog = self.station.sip.invite(
            now,
            Outgoing {
                flow: self.station.flow,
                from: format!("<sip:{from}@{}>", self.station.flow.local),
                to: format!("<{uri}>"),
                uri,
                headers: self.plan.headers.clone(),
                sdp: leg.offer(self.plan.mu_law),
                credentials: None,
            },
        );
        let until = now.at + self.plan.patience;
        self.deadlines.insert((until, dialog));
        self.calls.insert(dialog, Call { invited: now.at, answered: None, until, leg, heard });
        self.tally.offered += 1;
        Ok(())
    }

    async fn on(&mut self, event: Event) {
        let now = self.station.now().at;
        match event {
            Event::Progress { dialog, sdp, .. } => {
                if let (Some(call), Some(sdp)) = (self.calls.get(&dialog), sdp) {
                    call.leg.agreed(&sdp);
                }
            }
            Event::Answered { dialog, sdp } => {
                let talk = self.plan.talk;
                let Some(call) = self.calls.get_mut(&dialog) else { return };
                if let Some(sdp) = sdp {
                    call.leg.agreed(&sdp);
                }
                call.answered = Some(now);
                self.tally.answered += 1;
                self.tally.to_answer.push(now.since(call.invited));
                if self.plan.audio == Audio::Speech {
                    // Speech cannot be told from an announcement: the talk counts from the answer.
                    self.deadlines.remove(&(call.until, dialog));
                    call.until = now + talk;
                    self.deadlines.insert((call.until, dialog));
                }
            }
            Event::Reoffered { dialog, sdp } => {
                let Some(call) = self.calls.get_mut(&dialog) else { return };
                if let Some(answer) = call.leg.answer(sdp.as_deref()) {
                    let now = self.station.now();
                    self.station.sip.accept(now, dialog, &answer);
                }
            }
            Event::Released { dialog, .. } => self.ended(dialog, End::Over).await,
            Event::Failed { dialog, code, .. } => self.ended(dialog, End::Failed(code)).await,
            Event::Lost { dialog, code } => {
                let now = self.station.now();
                self.station.sip.end(now, dialog, None);
                self.ended(dialog, End::Failed(code.unwrap_or(408))).await;
            }
            // A target does not call its carrier's callers.
            Event::Invited { dialog, .. } => {
                let now = self.station.now();
                self.station.sip.refuse(now, dialog, 486, None);
            }
            _ => {}
        }
    }

    /// Whoever has heard a person talks for the plan's time from there.
    fn listen(&mut self) {
        for (dialog, call) in &mut self.calls {
            if let Ok(at) = call.heard.try_recv() {
                self.deadlines.remove(&(call.until, *dialog));
                call.until = at + self.plan.talk;
                self.deadlines.insert((call.until, *dialog));
            }
        }
    }

    fn overdue(&self, now: Instant) -> Option<DialogId> {
        self.deadlines.first().filter(|(until, _)| *until <= now).map(|(_, dialog)| *dialog)
    }

    async fn hang_up(&mut self, dialog: DialogId) {
        let now = self.station.now();
        self.station.sip.end(now, dialog, None);
        self.ended(dialog, End::Abandoned).await;
    }

    async fn ended(&mut self, dialog: DialogId, end: End) {
        let Some(call) = self.calls.remove(&dialog) else { return };
        self.deadlines.remove(&(call.until, dialog));
        let heard = call.leg.close().await;
        self.tally.audio(call.answered, heard);
        match end {
            End::Failed(code) => self.tally.failed(code),
            End::Abandoned if !self.was_served(&heard, call.answered) => self.tally.abandoned += 1,
            End::Over | End::Abandoned => self.tally.completed += 1,
        }
    }

    /// A caller was served when a person was heard; with speech, when somebody answered.
    fn was_served(&self, heard: &Heard, answered: Option<Instant>) -> bool {
        match self.plan.audio {
            Audio::Tone => heard.tone.is_some(),
            Audio::Speech => answered.is_some(),
        }
    }

    /// Hangs up what is left, and stays a second for the answers to our BYEs and their repeats.
    async fn finish(&mut self) {
        for dialog in self.calls.keys().copied().collect::<Vec<_>>() {
            self.hang_up(dialog).await;
        }
        let last = self.station.now().at + std::time::Duration::from_secs(1);
        while !matches!(self.station.next(Some(last)).await, News::Due) {}
    }
}
