//! Where a packet thread is told things, and where it leaves its figures: the only places two
//! threads meet. Locked once per command and once per wake-up; per packet only where two pages of
//! different threads talk.

use crate::media::leg::{Leg, PageAt};
use crate::media::plane::Figures;
use crate::media::rtp::Outgoing;
use crate::media::sys::Bell;
use engine::id::{LegId, PageId};
use engine::media::MediaCommand;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Unread commands of one thread. Each is a call's change, so this is seconds of the heaviest load:
/// a thread that far behind is lost, and more would hide it.
const MAIL_MAX: usize = 65_536;
/// Unread mails beyond which packets for another thread are dropped: what lies behind so many is
/// late, and late speech is worse than lost speech.
const PACKETS_BEHIND: usize = 1_024;

/// What a thread is told.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "most mails are commands: a box would be one more allocation each"
)]
pub(crate) enum Mail {
    Command(MediaCommand),
    /// A leg will come from another thread; what is told to it until then has to wait.
    Expect(LegId),
    /// Hands a leg to another thread.
    Depart {
        leg: LegId,
        to: usize,
    },
    Arrive(Box<Leg>),
    /// The expected leg did not exist.
    Absent(LegId),
    /// A packet that the page of a leg here has said to its own thread.
    Heard {
        leg: LegId,
        packet: Box<[u8]>,
    },
    /// A packet for a page here, of a conversation elsewhere.
    Say {
        page: PageId,
        packet: Box<[u8]>,
    },
    /// The leg of a page here is on another thread from here on.
    Moved {
        page: PageId,
        leg: LegId,
        thread: usize,
    },
    /// The leg of a page here has closed elsewhere; the page's stream goes on as `out`.
    Detached {
        page: PageId,
        leg: LegId,
        out: Outgoing,
    },
    /// The page of a leg here has another connection, which places its keys at `keys`; `None`: it is gone.
    Renewed {
        leg: LegId,
        at: Option<PageAt>,
        keys: Option<u8>,
    },
    Stop,
}

/// Where a thread is told things.
#[derive(Debug)]
pub(crate) struct Mailbox {
    mails: Mutex<VecDeque<Mail>>,
    bell: Bell,
    shared: Shared,
}

/// A thread's figures, as last flushed.
#[derive(Debug, Default)]
struct Shared([AtomicU64; 9]);

impl Mailbox {
    pub(crate) fn new() -> io::Result<Mailbox> {
        Ok(Mailbox { mails: Mutex::default(), bell: Bell::new()?, shared: Shared::default() })
    }

    /// Posts a mail; never waits longer than a push. False when a full box took no
    /// command or packet; a `Close` or `PageClose` always fits: what is open must end.
    pub(crate) fn post(&self, mail: Mail) -> bool {
        let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        let room = match &mail {
            Mail::Command(MediaCommand::Close { .. } | MediaCommand::PageClose { .. }) => usize::MAX,
            Mail::Command(_) => MAIL_MAX,
            Mail::Heard { .. } | Mail::Say { .. } => PACKETS_BEHIND,
            // Between threads: as many as there are legs.
            _ => usize::MAX,
        };
        if mails.len() >= room {
            return false;
        }
        mails.push_back(mail);
        // Whoever finds it empty rings; the others know the bell has not been heard yet.
        if mails.len() == 1 {
            self.bell.ring();
        }
        true
    }

    /// Wakes the thread although there is no mail.
    pub(crate) fn ring(&self) {
        self.bell.ring();
    }

    /// What wakes the thread.
    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Moves every mail to `into`, which must be empty.
    pub(crate) fn take(&self, into: &mut VecDeque<Mail>) {
        self.bell.quiet();
        std::mem::swap(&mut *self.mails.lock().unwrap_or_else(PoisonError::into_inner), into);
    }

    pub(crate) fn figures(&self) -> Figures {
        let [packets_in, packets_out, packets_dropped, send_errors, late_ticks, late, legs, ports_free, cpu] =
            self.shared.0.each_ref().map(|value| value.load(Ordering::Relaxed));
        Figures {
            packets_in,
            packets_out,
            packets_dropped,
            send_errors,
            late_ticks,
            lateness_max: Duration::from_nanos(late),
            legs,
            ports_free,
            cpu: Duration::from_nanos(cpu),
        }
    }

    pub(crate) fn publish(&self, figures: &Figures) {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let values = [
            figures.packets_in,
            figures.packets_out,
            figures.packets_dropped,
            figures.send_errors,
            figures.late_ticks,
            nanoseconds(figures.lateness_max),
            figures.legs,
            figures.ports_free,
            nanoseconds(figures.cpu),
        ];
        for (shared, value) in self.shared.0.iter().zip(values) {
            shared.store(value, Ordering::Relaxed);
        }
    }
}

/// The leg a command is for; a page's own commands are for none.
pub(crate) fn leg_of(command: &MediaCommand) -> Option<LegId> {
    match command {
        MediaCommand::Open { leg, .. }
        | MediaCommand::Update { leg, .. }
        | MediaCommand::Play { leg, .. }
        | MediaCommand::Join { leg, .. }
        | MediaCommand::Voice { leg, .. }
        | MediaCommand::Leave { leg }
        | MediaCommand::Listen { leg, .. }
        | MediaCommand::OpenOnPage { leg, .. }
        | MediaCommand::Close { leg } => Some(*leg),
        MediaCommand::PageOpen { .. } | MediaCommand::PageClose { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::id::{CentreId, Serial};

    #[test]
    fn a_full_mailbox_takes_no_command_but_a_close() {
        let mailbox = Mailbox::new().unwrap();
        let leg = LegId { centre: CentreId(0), serial: Serial(1) };
        let taken =
            (0..=MAIL_MAX).filter(|_| mailbox.post(Mail::Command(MediaCommand::Leave { leg }))).count();
        assert_eq!(taken, MAIL_MAX);
        assert!(mailbox.post(Mail::Command(MediaCommand::Close { leg })));
        assert!(mailbox.post(Mail::Stop));
        let mut mails = VecDeque::new();
        mailbox.take(&mut mails);
        assert!(matches!(mails.pop_back(), Some(Mail::Stop)));
    }
}
