//! Desk phones: each rings, answers, talks and hangs up, on its own socket.

use super::Clock;
use super::audio::Leg;
use super::plan::{LoadError, Plan};
use super::register::Registration;
use super::report::PhoneTally;
use super::station::{News, Station};
use super::tone::{CALLER_HZ, Ear, Voices};
use sip::endpoint::{DialogId, Event};
use sip::time::Instant;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// What a phone does.
enum State {
    Idle,
    Ringing { dialog: DialogId, caller: Option<String>, sdp: Option<bytes::Bytes>, until: Instant },
    Talking { dialog: DialogId, leg: Leg, since: Instant, until: Option<Instant> },
}

/// One desk phone.
pub(super) struct Phone {
    plan: Arc<Plan>,
    clock: Clock,
    station: Station,
    registration: Option<Registration>,
    voices: Voices,
    state: State,
    tally: PhoneTally,
}

impl Phone {
    /// Binds the `nth` phone's socket.
    pub(super) async fn open(
        plan: Arc<Plan>,
        nth: u16,
        clock: Clock,
        voices: Voices,
    ) -> Result<Phone, LoadError> {
        let port = if plan.phone_port == 0 { 0 } else { plan.phone_port + nth };
        let station = Station::open(SocketAddr::new(plan.bind, port), plan.target, clock.clone()).await?;
        let registration = plan.account.as_ref().map(|(user, password)| {
            let user = user.replace("{i}", &nth.to_string());
            Registration::new(user, password.clone(), station.flow.local, plan.target)
        });
        let tally = PhoneTally::default();
        Ok(Phone { plan, clock, station, registration, voices, state: State::Idle, tally })
    }

    /// Plays until `limit`, or until `over` says that the callers have gone home.
    pub(super) async fn play(
        mut self,
        limit: Instant,
        mut over: watch::Receiver<bool>,
    ) -> Result<PhoneTally, LoadError> {
        loop {
            let now = self.station.now().at;
            if now >= limit {
                break;
            }
            self.register(now).await;
            self.act(now).await?;
            let due = [Some(limit), self.due(), self.registration.as_ref().map(Registration::due)];
            let due = due.into_iter().flatten().min();
            tokio::select! {
                news = self.station.next(due) => match news {
                    News::Event(event) => self.on(event).await,
                    News::Response(bytes) => {
                        if let Some(registration) = &mut self.registration {
                            registration.on_response(now, &bytes);
                        }
                    }
                    News::Due => {}
                },
                () = told(&mut over), if matches!(self.state, State::Idle) => break,
            }
        }
        if let State::Ringing { dialog, .. } | State::Talking { dialog, .. } = self.state {
            let now = self.station.now();
            self.station.sip.end(now, dialog, None);
        }
        self.rest().await;
        if let Some(registration) = &mut self.registration {
            let message = registration.leave();
            self.station.register(&message).await;
        }
        let last = self.station.now().at + std::time::Duration::from_millis(200);
        while !matches!(self.station.next(Some(last)).await, News::Due) {}
        Ok(self.tally)
    }

    fn due(&self) -> Option<Instant> {
        match &self.state {
            State::Idle => None,
            State::Ringing { until, .. } => Some(*until),
            State::Talking { until, .. } => *until,
        }
    }

    async fn register(&mut self, now: Instant) {
        if let Some(message) = self.registration.as_mut().and_then(|registration| registration.poll(now)) {
            self.station.register(&message).await;
        }
    }

    /// Answers after ringing, hangs up after talking.
    async fn act(&mut self, now: Instant) -> Result<(), LoadError> {
        if self.due().is_none_or(|due| due > now) {
            return Ok(());
        }
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            State::Ringing { dialog, caller, sdp, .. } => self.answer(dialog, caller, sdp).await?,
            State::Talking { dialog, leg, since, until } => {
                self.state = State::Talking { dialog, leg, since, until };
                let now = self.station.now();
                self.station.sip.end(now, dialog, None);
                self.rest().await;
            }
        }
        Ok(())
    }

    async fn answer(
        &mut self,
        dialog: DialogId,
        caller: Option<String>,
        sdp: Option<bytes::Bytes>,
    ) -> Result<(), LoadError> {
        let speech = self.voices.phone();
        // Nobody waits for a phone's ear: what it heard is asked at the end.
        let (tell, _) = mpsc::unbounded_channel();
        let ear = Ear::listening_for(CALLER_HZ);
        let mut leg =
            Leg::open(self.plan.bind, self.clock.clone(), speech, ear, self.plan.mute_phones, tell).await?;
        let now = self.station.now();
        let Some(answer) = leg.answer(sdp.as_deref()) else {
            self.station.sip.refuse(now, dialog, 488, None);
            return Ok(());
        };
        self.station.sip.answer(now, dialog, &answer);
        self.tally.took(now.at, caller);
        let until = self.plan.phone_talk.map(|talk| now.at + talk);
        self.state = State::Talking { dialog, leg, since: now.at, until };
        Ok(())
    }

    async fn on(&mut self, event: Event) {
        let now = self.station.now();
        match event {
            Event::Invited { dialog, invite } => {
                self.tally.offered += 1;
                if !matches!(self.state, State::Idle) {
                    self.tally.busy += 1;
                    self.station.sip.refuse(now, dialog, 486, None);
                    return;
                }
                self.station.sip.ring(now, dialog, 180, None);
                let caller = invite.identities.first().unwrap_or(&invite.from).number.clone();
                let until = now.at + self.plan.ring;
                self.state = State::Ringing { dialog, caller, sdp: invite.sdp, until };
            }
            Event::Reoffered { dialog, sdp } => {
                if let State::Talking { dialog: mine, leg, .. } = &mut self.state
                    && *mine == dialog
                    && let Some(answer) = leg.answer(sdp.as_deref())
                {
                    self.station.sip.accept(now, dialog, &answer);
                }
            }
            Event::Confirmed { dialog, sdp: Some(sdp) } => {
                // The INVITE had no offer: ours was in the 200, its answer is in the ACK.
                if let State::Talking { dialog: mine, leg, .. } = &self.state
                    && *mine == dialog
                {
                    leg.agreed(&sdp);
                }
            }
            Event::Cancelled { dialog, .. } if self.is_mine(dialog) => {
                self.tally.missed += 1;
                self.state = State::Idle;
            }
            Event::Released { dialog, .. } | Event::Lost { dialog, .. } | Event::Unconfirmed { dialog }
                if self.is_mine(dialog) =>
            {
                let now = self.station.now();
                self.station.sip.end(now, dialog, None);
                self.rest().await;
            }
            _ => {}
        }
    }

    fn is_mine(&self, dialog: DialogId) -> bool {
        match &self.state {
            State::Idle => false,
            State::Ringing { dialog: mine, .. } | State::Talking { dialog: mine, .. } => *mine == dialog,
        }
    }

    /// Back on the hook: what was heard goes into the tally.
    async fn rest(&mut self) {
        if let State::Talking { leg, since, .. } = std::mem::replace(&mut self.state, State::Idle) {
            let heard = leg.close().await;
            self.tally.audio(since, heard);
        }
    }
}

/// Waits until the callers have gone home, or the whole run has.
async fn told(over: &mut watch::Receiver<bool>) {
    let _ = over.wait_for(|over| *over).await;
}
