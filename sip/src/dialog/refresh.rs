//! Session timers (RFC 4028): who says again and again that a session lives, and when the other side
//! stops believing it.
//!
//! Only the arithmetic and the tables: the endpoint sends the refreshes and tells the expiry.

use crate::header::session::{Refresher, SessionExpires};
use crate::message::Message;
use crate::schedule::Alarm;
use std::time::Duration;

/// The interval we ask for in our own INVITEs (§4 recommends it): a dead peer is known after half an
/// hour at most, and a thousand calls make one refresh a second.
pub const ASKED: u32 = 1800;

/// The shortest interval we accept from those we may refuse (§4: the least anybody may demand).
pub const LEAST: u32 = 90;

/// What a timer in force says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The interval.
    pub seconds: u32,
    /// We refresh.
    pub ours: bool,
}

/// A timer in force, and what it has armed.
#[derive(Clone, Debug)]
pub struct Refresh {
    /// What was agreed.
    pub agreed: Agreed,
    /// Wakes to refresh, when that is ours.
    pub due: Option<Alarm>,
    /// Wakes when nobody has refreshed.
    pub expiry: Option<Alarm>,
}

/// What the answerer makes of a request (§9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No timer: neither asked for nor needed.
    None,
    /// A timer; `require` says that the peer knows of timers and must heed this one.
    Timer {
        /// The interval and who refreshes.
        agreed: Agreed,
        /// `Require: timer` in the 2xx.
        require: bool,
    },
    /// 422 with [`LEAST`].
    TooBrief,
}

/// One row of the answerer's table (§9, table 2). `bears_all`: the peer is one nobody refuses.
pub fn answer(asked: Option<SessionExpires>, peer_knows: bool, bears_all: bool) -> Verdict {
    let Some(SessionExpires { seconds, refresher }) = asked else { return Verdict::None };
    // §9: only who knows of timers can be asked for a longer one; a proxy's wish is met.
    if seconds < LEAST && peer_knows && !bears_all {
        return Verdict::TooBrief;
    }
    // Zero would be refreshed for ever without a pause: it is nobody's wish.
    let seconds = seconds.max(1);
    let ours = match (peer_knows, refresher) {
        // A proxy has asked and the peer would not refresh: we do.
        (false, _) | (true, Some(Refresher::Uas)) => true,
        // Who asks and does not say keeps the work.
        (true, Some(Refresher::Uac) | None) => false,
    };
    Verdict::Timer { agreed: Agreed { seconds, ours }, require: peer_knows }
}

/// What the asker makes of a 2xx (§7.2): without the header nobody watches.
pub fn accepted(response: Option<SessionExpires>) -> Option<Agreed> {
    let SessionExpires { seconds, refresher } = response?;
    Some(Agreed { seconds: seconds.max(1), ours: refresher != Some(Refresher::Uas) })
}

impl Agreed {
    /// When we refresh: half the interval (§7.2).
    pub fn refresh_after(self) -> Duration {
        Duration::from_secs(self.seconds.into()) / 2
    }

    /// When we hold the peer for lost: a refresher waits for the whole interval, the other side
    /// stops a little before (§10: the lesser of 32 s and a third).
    pub fn expires_after(self) -> Duration {
        let whole = Duration::from_secs(self.seconds.into());
        if self.ours { whole } else { whole - (whole / 3).min(Duration::from_secs(32)) }
    }

    /// Session-Expires of a 2xx of ours.
    pub fn in_answer(self) -> String {
        let role = if self.ours { Refresher::Uas } else { Refresher::Uac };
        format!("{};refresher={}", self.seconds, role.token())
    }

    /// Session-Expires of a request of ours within the dialog: the roles stay as they are (§7.4).
    pub fn in_request(self) -> String {
        let role = if self.ours { Refresher::Uac } else { Refresher::Uas };
        format!("{};refresher={}", self.seconds, role.token())
    }
}

/// The verdict on a request as it came.
pub fn answer_to(request: &Message<'_>, bears_all: bool) -> Verdict {
    let knows = request.supported().chain(request.require()).any(|tag| tag.eq_ignore_ascii_case("timer"));
    answer(request.session_expires(), knows, bears_all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(seconds: u32, refresher: Option<Refresher>) -> Option<SessionExpires> {
        Some(SessionExpires { seconds, refresher })
    }

    fn timer(seconds: u32, ours: bool, require: bool) -> Verdict {
        Verdict::Timer { agreed: Agreed { seconds, ours }, require }
    }

    #[test]
    fn the_answerer_chooses_as_table_2_of_rfc_4028_says() {
        use Refresher::{Uac, Uas};
        let table = [
            // asked, peer knows of timers, nobody may refuse it: the verdict
            (None, true, false, Verdict::None),
            (None, false, false, Verdict::None),
            (asked(1800, None), false, false, timer(1800, true, false)),
            (asked(1800, Some(Uas)), false, false, timer(1800, true, false)),
            (asked(1800, None), true, false, timer(1800, false, true)),
            (asked(1800, Some(Uac)), true, false, timer(1800, false, true)),
            (asked(1800, Some(Uas)), true, false, timer(1800, true, true)),
            (asked(90, None), true, false, timer(90, false, true)),
            (asked(89, None), true, false, Verdict::TooBrief), // §9: 422
            (asked(60, None), false, false, timer(60, true, false)), // a proxy on the way asks
            (asked(89, Some(Uas)), true, true, timer(89, true, true)), // edges.md: a trunk, never 422
            (asked(0, Some(Uas)), true, true, timer(1, true, true)),
        ];
        for (asked, knows, bears_all, verdict) in table {
            assert_eq!(answer(asked, knows, bears_all), verdict, "{asked:?} {knows} {bears_all}");
        }
    }

    #[test]
    fn the_asker_takes_what_the_answer_says() {
        let agreed = |seconds, ours| Some(Agreed { seconds, ours });
        assert_eq!(accepted(None), None);
        assert_eq!(accepted(asked(600, Some(Refresher::Uac))), agreed(600, true));
        assert_eq!(accepted(asked(600, Some(Refresher::Uas))), agreed(600, false));
        assert_eq!(accepted(asked(600, None)), agreed(600, true));
    }

    #[test]
    fn a_refresher_acts_at_half_and_the_other_gives_up_a_little_before_the_end() {
        let secs = |seconds, ours| {
            let agreed = Agreed { seconds, ours };
            (agreed.refresh_after().as_secs(), agreed.expires_after().as_secs())
        };
        assert_eq!(secs(1800, true), (900, 1800));
        assert_eq!(secs(1800, false), (900, 1768));
        assert_eq!(secs(90, false), (45, 60));
        assert_eq!(Agreed { seconds: 90, ours: true }.in_answer(), "90;refresher=uas");
        assert_eq!(Agreed { seconds: 90, ours: true }.in_request(), "90;refresher=uac");
    }
}
