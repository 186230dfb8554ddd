//! What one transaction sends, keeps and waits for, whichever machine it runs.

use super::Act;
use super::key::Key;
use super::layer::{Loss, Report, Side};
use super::timer::{Timer, Timers};
use crate::schedule::{Alarm, Schedule};
use crate::time::Instant;
use crate::transport::{Flow, Transmit};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// A transaction's message and timers, whichever machine it runs.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) flow: Flow,
    pub(super) kept: Bytes,
    sent: u32,
    retransmission: Option<Alarm>,
    pub(super) deadline: Option<Alarm>,
    /// The request by another way, for when nobody takes a connection on this one: as a datagram, while
    /// it is tried over a stream for its length, or over the path of the INVITE it follows.
    pub(super) otherwise: Option<Transmit>,
    /// Nobody waits for it any more: the deadline is the last one, whatever comes.
    pub(super) let_go: bool,
}

impl Wire {
    pub(super) fn new(flow: Flow) -> Self {
        Wire {
            flow,
            kept: Bytes::new(),
            sent: 0,
            retransmission: None,
            deadline: None,
            otherwise: None,
            let_go: false,
        }
    }

    pub(super) fn disarm<T>(&mut self, schedule: &mut Schedule<T>) {
        schedule.clear(&mut self.retransmission);
        schedule.clear(&mut self.deadline);
    }
}

/// What the acts of a row left to the caller.
#[derive(Clone, Copy, Default)]
pub(super) struct Left {
    pub(super) hand_up: bool,
    pub(super) ack: bool,
    pub(super) loss: Option<Loss>,
    pub(super) over: bool,
}

/// What the acts of a row work with.
pub(super) struct Means<'a, O> {
    pub(super) now: Instant,
    pub(super) timers: &'a Timers,
    pub(super) schedule: &'a mut Schedule<(Side, Key, Timer)>,
    pub(super) transmits: &'a mut VecDeque<Transmit>,
    pub(super) reports: &'a mut VecDeque<Report<O>>,
}

impl<O> Means<'_, O> {
    pub(super) fn carry_out(
        &mut self,
        wire: &mut Wire,
        side: Side,
        key: &Key,
        acts: &[Act],
        mut message: Option<Bytes>,
    ) -> Left {
        let mut left = Left::default();
        for act in acts {
            match *act {
                Act::Send => {
                    wire.kept = message.take().unwrap_or_default();
                    self.transmits.push_back(Transmit { flow: wire.flow, bytes: wire.kept.clone() });
                }
                // Nothing has been said yet between an INVITE and its 100.
                Act::Resend if wire.kept.is_empty() => {}
                Act::Resend => {
                    self.transmits.push_back(Transmit { flow: wire.flow, bytes: wire.kept.clone() });
                    self.reports.push_back(Report::Retransmitted);
                }
                Act::Ack => left.ack = true,
                Act::HandUp => left.hand_up = true,
                Act::TimedOut if wire.let_go => {}
                Act::TimedOut => left.loss = Some(Loss::TimedOut),
                Act::Unreachable => left.loss = Some(Loss::Unreachable),
                Act::Start(Timer::C) if wire.let_go => {}
                Act::Start(timer) => left.over |= !self.start(wire, side, key, timer),
                Act::StartSlow(timer) => {
                    self.arm(wire, side, key, timer, self.timers.t2);
                }
                Act::StopRetransmitting => self.schedule.clear(&mut wire.retransmission),
                Act::StopWaiting if wire.let_go => {}
                Act::StopWaiting => self.schedule.clear(&mut wire.deadline),
            }
        }
        left
    }

    /// Arms a timer; false when it has run out at once and the transaction with it (D, I, J and K
    /// over a reliable transport).
    fn start(&mut self, wire: &mut Wire, side: Side, key: &Key, timer: Timer) -> bool {
        let reliable = wire.flow.transport.is_reliable();
        let retransmits = matches!(timer, Timer::A | Timer::E | Timer::G);
        if retransmits && reliable {
            return true;
        }
        let interval = self.timers.interval(timer, wire.sent, reliable);
        if retransmits {
            wire.sent += 1;
        }
        if interval.is_zero() {
            return false;
        }
        self.arm(wire, side, key, timer, interval);
        true
    }

    fn arm(&mut self, wire: &mut Wire, side: Side, key: &Key, timer: Timer, interval: Duration) {
        let slot = if matches!(timer, Timer::A | Timer::E | Timer::G) {
            &mut wire.retransmission
        } else {
            &mut wire.deadline
        };
        self.schedule.clear(slot);
        *slot = Some(self.schedule.arm(self.now + interval, (side, key.clone(), timer)));
    }
}
