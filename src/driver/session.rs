//! Who is signed in: sessions by the SHA-256 of their id, in memory only. A restart signs everybody
//! out; what was copied from this memory opens nothing.
//!
//! A session ends when its owner leaves, when nothing of it has been heard for [`IDLE`], [`SHIFT`]
//! after it began, or when its account is removed or changed. A page that is connected when the
//! shift's end comes stays connected: no clock of ours cuts an agent off who may be talking.

use crate::store::users::Account;
use engine::id::CentreId;
use engine::live::view::{Right, Viewer};
use engine::time::Instant;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::watch;

/// Without a request or a connected page. Shorter asks for passwords in the middle of a shift,
/// longer leaves a browser that was closed signed in.
pub(super) const IDLE: Duration = Duration::from_secs(30 * 60);
/// From sign-in: twelve hours of a shift and the hand-over before and after.
pub(super) const SHIFT: Duration = Duration::from_secs(14 * 3600);
/// Sessions of the whole process. A region has a thousand people; each costs under a kilobyte.
pub(super) const SESSIONS_MAX: usize = 8192;

/// What a browser shows to come in again: 256 bits of chance, in hexadecimal.
pub(super) struct SessionId(String);

impl SessionId {
    /// A fresh one.
    pub(super) fn new() -> Result<SessionId, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(SessionId(
            bytes.iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}")),
        ))
    }

    /// As it stands in a cookie.
    pub(super) fn of_cookie(text: &str) -> SessionId {
        SessionId(text.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// One person signed in by one browser.
#[derive(Debug)]
pub(super) struct Session {
    /// Whose, with the stamp it was opened under.
    pub(super) account: Account,
    /// What it opens: a viewer for each centre.
    pub(super) opens: Vec<(CentreId, Viewer)>,
    /// Where the person said they sit.
    pub(super) position: Option<String>,
    began: Instant,
    heard: Instant,
    /// Held by every page that is connected by it; dropped here, they close.
    over: watch::Sender<()>,
}

impl Session {
    pub(super) fn new(
        now: Instant,
        account: Account,
        opens: Vec<(CentreId, Viewer)>,
        position: Option<String>,
    ) -> Session {
        Session { account, opens, position, began: now, heard: now, over: watch::Sender::new(()) }
    }

    /// For a page to watch: it fails when the session is over.
    pub(super) fn watch(&self) -> watch::Receiver<()> {
        self.over.subscribe()
    }

    fn is_connected(&self) -> bool {
        self.over.receiver_count() > 0
    }

    fn is_over(&self, now: Instant) -> bool {
        now.since(self.heard) > IDLE || now.since(self.began) > SHIFT
    }
}

/// Everybody signed in.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    all: HashMap<[u8; 32], Session>,
}

impl Sessions {
    /// Lets a session begin. False: there are [`SESSIONS_MAX`].
    pub(super) fn begin(&mut self, id: &SessionId, session: Session) -> bool {
        if self.all.len() >= SESSIONS_MAX {
            return false;
        }
        self.all.insert(id.hash(), session);
        true
    }

    /// The session of this id, heard of at this moment.
    pub(super) fn hear(&mut self, now: Instant, id: &SessionId) -> Option<&Session> {
        let session = self.all.get_mut(&id.hash()).filter(|session| !session.is_over(now))?;
        session.heard = now;
        Some(session)
    }

    /// Ends a session; its pages close.
    pub(super) fn end(&mut self, id: &SessionId) -> Option<Session> {
        self.all.remove(&id.hash())
    }

    /// Whether somebody is signed in with this right there, by whatever account.
    pub(super) fn has(&self, centre: CentreId, right: Right) -> bool {
        let is_it = |(at, viewer): &(CentreId, Viewer)| *at == centre && viewer.right == right;
        self.all.values().any(|session| session.opens.iter().any(is_it))
    }

    /// Ends what time has ended, and what was opened under an account that is gone or changed.
    pub(super) fn sweep(&mut self, now: Instant, stamps: Option<&HashMap<String, i64>>) {
        self.all.retain(|_, session| {
            if session.is_connected() {
                session.heard = now;
            }
            let is_known =
                stamps.is_none_or(|stamps| stamps.get(&session.account.name) == Some(&session.account.stamp));
            is_known && (session.is_connected() || !session.is_over(now))
        });
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::users::Role;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn session(now: Instant) -> Session {
        let account = Account { name: "nour".into(), role: Role::Agent, centre: None, agent: None, stamp: 7 };
        Session::new(now, account, Vec::new(), None)
    }

    #[test]
    fn a_session_opens_until_it_ends_and_only_with_its_id() {
        let mut sessions = Sessions::default();
        let (id, other) = (SessionId::new().unwrap(), SessionId::new().unwrap());
        assert_eq!(id.as_str().len(), 64);
        assert!(sessions.begin(&id, session(at(0))));
        assert!(sessions.hear(at(1), &id).is_some());
        assert!(sessions.hear(at(1), &other).is_none());
        let watch = sessions.hear(at(1), &id).map(Session::watch).expect("signed in");
        drop(sessions.end(&id));
        assert!(watch.has_changed().is_err(), "its pages close");
        assert!(sessions.hear(at(1), &id).is_none());
    }

    #[test]
    fn a_browser_nobody_uses_is_signed_out_and_a_shift_has_an_end() {
        let mut sessions = Sessions::default();
        let id = SessionId::new().unwrap();
        sessions.begin(&id, session(at(0)));
        assert!(sessions.hear(at(IDLE.as_secs()), &id).is_some());
        assert!(sessions.hear(at(2 * IDLE.as_secs() + 1), &id).is_none(), "idle");
        sessions.begin(&id, session(at(0)));
        for minutes in 0..14 * 60 {
            assert!(sessions.hear(at(minutes * 60), &id).is_some());
        }
        assert!(sessions.hear(at(SHIFT.as_secs() + 1), &id).is_none(), "busy all the time, and over");
    }

    #[test]
    fn a_connected_page_is_no_idle_one_and_is_never_cut_off_by_a_clock() {
        let mut sessions = Sessions::default();
        let id = SessionId::new().unwrap();
        sessions.begin(&id, session(at(0)));
        let page = sessions.hear(at(0), &id).map(Session::watch).expect("signed in");
        sessions.sweep(at(SHIFT.as_secs() + 1), None);
        assert!(page.has_changed().is_ok(), "still connected");
        assert!(sessions.hear(at(SHIFT.as_secs() + 2), &id).is_none(), "and nothing else is opened by it");
        drop(page);
        sessions.sweep(at(SHIFT.as_secs() + 3), None);
        assert_eq!(sessions.len(), 0);
    }

    #[test]
    fn a_removed_or_changed_account_is_signed_out() {
        let mut sessions = Sessions::default();
        let id = SessionId::new().unwrap();
        sessions.begin(&id, session(at(0)));
        let page = sessions.hear(at(0), &id).map(Session::watch).expect("signed in");
        sessions.sweep(at(1), Some(&HashMap::from([("nour".to_owned(), 7)])));
        assert!(page.has_changed().is_ok());
        sessions.sweep(at(1), Some(&HashMap::from([("nour".to_owned(), 8)])));
        assert!(page.has_changed().is_err(), "a thief with the old password is out, connected or not");
        assert_eq!(sessions.len(), 0);
    }
}
