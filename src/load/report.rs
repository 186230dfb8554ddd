//! What a run saw, as counts and percentiles; printed for people or as JSON.

use super::audio::Heard;
use serde::Serialize;
use sip::time::Instant;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What the callers saw.
#[derive(Clone, Debug, Default)]
pub(super) struct CallerTally {
    /// INVITEs sent.
    pub(super) offered: u64,
    /// 200s received.
    pub(super) answered: u64,
    /// Ended after a conversation.
    pub(super) completed: u64,
    /// Ended by the caller before anybody spoke.
    pub(super) abandoned: u64,
    /// Refused, lost or timed out, by response code.
    pub(super) failures: BTreeMap<u16, u64>,
    /// INVITE to 200.
    pub(super) to_answer: Vec<Duration>,
    /// Answered calls in which any sound was heard.
    pub(super) heard_sound: u64,
    /// Calls in which the phone's tone was heard.
    pub(super) heard_tone: u64,
    /// The 200 to the phone's tone, where it came after.
    pub(super) to_tone: Vec<Duration>,
}

impl CallerTally {
    /// Counts a failed call.
    pub(super) fn failed(&mut self, code: u16) {
        *self.failures.entry(code).or_default() += 1;
    }

    /// Counts what one call heard.
    pub(super) fn audio(&mut self, answered: Option<Instant>, heard: Heard) {
        self.heard_sound += u64::from(answered.is_some() && heard.sound.is_some());
        self.heard_tone += u64::from(heard.tone.is_some());
        if let (Some(answered), Some(tone)) = (answered, heard.tone) {
            self.to_tone.push(tone.since(answered));
        }
    }
}

/// What the phones saw.
#[derive(Clone, Debug, Default)]
pub(super) struct PhoneTally {
    /// INVITEs received.
    pub(super) offered: u64,
    /// Answered by us: when, and whose call the phone showed.
    pub(super) took: Vec<(Instant, Option<String>)>,
    /// Withdrawn while ringing.
    pub(super) missed: u64,
    /// Came while in a conversation; refused with 486.
    pub(super) busy: u64,
    /// Conversations in which any sound was heard.
    pub(super) heard_sound: u64,
    /// Conversations in which the caller's tone was heard.
    pub(super) heard_tone: u64,
    /// Our 200 to the caller's tone.
    pub(super) to_tone: Vec<Duration>,
}

impl PhoneTally {
    /// Counts an answered call.
    pub(super) fn took(&mut self, at: Instant, caller: Option<String>) {
        self.took.push((at, caller));
    }

    /// Counts what one conversation heard.
    pub(super) fn audio(&mut self, since: Instant, heard: Heard) {
        self.heard_sound += u64::from(heard.sound.is_some());
        self.heard_tone += u64::from(heard.tone.is_some());
        self.to_tone.extend(heard.tone.map(|tone| tone.since(since)));
    }

    /// Adds another phone's counts.
    pub(super) fn add(&mut self, other: PhoneTally) {
        self.offered += other.offered;
        self.took.extend(other.took);
        self.missed += other.missed;
        self.busy += other.busy;
        self.heard_sound += other.heard_sound;
        self.heard_tone += other.heard_tone;
        self.to_tone.extend(other.to_tone);
    }
}

/// Answered calls whose order is reported.
const ORDER_MAX: usize = 1_000;

/// A distribution of durations, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// How many were measured.
    pub n: usize,
    /// Half were shorter.
    pub p50: f64,
    /// One in a hundred was longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Percentiles {
    /// Of these durations; zeros when there are none.
    pub fn of(mut durations: Vec<Duration>) -> Percentiles {
        durations.sort_unstable();
        let millis = |at: usize| durations.get(at).map_or(0.0, |d| d.as_secs_f64() * 1_000.0);
        let n = durations.len();
        Percentiles { n, p50: millis(n / 2), p99: millis(n * 99 / 100), max: millis(n.saturating_sub(1)) }
    }
}

/// What a run saw; `--json` prints it as one line.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// INVITEs sent as a caller.
    pub offered: u64,
    /// Calls that got a 200.
    pub answered: u64,
    /// Calls in which a person was reached before the end.
    pub completed: u64,
    /// Calls given up by the caller.
    pub abandoned: u64,
    /// Calls refused, lost or never answered.
    pub failed: u64,
    /// The same by response code.
    pub failures: BTreeMap<u16, u64>,
    /// Answered calls with any sound at the caller's ear.
    pub callers_heard_sound: u64,
    /// Calls with the phone's tone at the caller's ear.
    pub callers_heard_phone: u64,
    /// INVITE to 200.
    pub answer_ms: Percentiles,
    /// 200 to the phone's tone, at the caller.
    pub tone_ms: Percentiles,
    /// INVITEs that rang at our phones, or found them busy.
    pub phones_offered: u64,
    /// Answered by our phones.
    pub phones_answered: u64,
    /// The callers' numbers as the phones showed them, in the order the phones answered, the first
    /// thousand: what the order of distribution was. They are this run's own invention.
    pub phones_order: Vec<Option<String>>,
    /// Withdrawn while ringing.
    pub phones_missed: u64,
    /// Refused as busy.
    pub phones_busy: u64,
    /// Conversations with any sound at the phone's ear.
    pub phones_heard_sound: u64,
    /// Conversations with the caller's tone at the phone's ear.
    pub phones_heard_caller: u64,
    /// The phone's 200 to the caller's tone, at the phone.
    pub phone_tone_ms: Percentiles,
}

impl Report {
    /// Puts both sides together.
    pub(super) fn of(callers: CallerTally, mut phones: PhoneTally) -> Report {
        phones.took.sort_by_key(|(at, _)| *at);
        Report {
            offered: callers.offered,
            answered: callers.answered,
            completed: callers.completed,
            abandoned: callers.abandoned,
            failed: callers.failures.values().sum(),
            failures: callers.failures,
            callers_heard_sound: callers.heard_sound,
            callers_heard_phone: callers.heard_tone,
            answer_ms: Percentiles::of(callers.to_answer),
            tone_ms: Percentiles::of(callers.to_tone),
            phones_offered: phones.offered,
            phones_answered: phones.took.len() as u64,
            phones_order: phones.took.into_iter().take(ORDER_MAX).map(|(_, caller)| caller).collect(),
            phones_missed: phones.missed,
            phones_busy: phones.busy,
            phones_heard_sound: phones.heard_sound,
            phones_heard_caller: phones.heard_tone,
            phone_tone_ms: Percentiles::of(phones.to_tone),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Percentiles { p50, p99, max, .. } = self.answer_ms;
        writeln!(
            f,
            "calls   {} offered, {} answered, {} completed, {} abandoned, {} failed {:?}",
            self.offered, self.answered, self.completed, self.abandoned, self.failed, self.failures
        )?;
        writeln!(f, "answer  p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms after the INVITE")?;
        writeln!(
            f,
            "ears    {} callers heard something, {} a phone's tone (p50 {:.0} ms, max {:.0} ms after the answer)",
            self.callers_heard_sound, self.callers_heard_phone, self.tone_ms.p50, self.tone_ms.max
        )?;
        write!(
            f,
            "phones  {} offered, {} answered, {} missed, {} busy; {} heard something, {} a caller's tone (max {:.0} ms)",
            self.phones_offered,
            self.phones_answered,
            self.phones_missed,
            self.phones_busy,
            self.phones_heard_sound,
            self.phones_heard_caller,
            self.phone_tone_ms.max
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_durations() {
        let figures = Percentiles::of((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!(figures, Percentiles { n: 200, p50: 101.0, p99: 199.0, max: 200.0 });
        assert_eq!(Percentiles::of(Vec::new()), Percentiles::default());
    }
}
