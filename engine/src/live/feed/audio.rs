//! Whose page speaks for an agent: one owner of the audio among the tabs (I35).
//!
//! | the page that offers its audio | then |
//! |---|---|
//! | nobody owns it, or it does itself | it owns it, and the core hears the offer |
//! | its tab owns it, by an earlier socket | as above: the tab was loaded again, or its socket broke |
//! | another tab owns it | `rtc.failed{owned}`; after `take_over` it is the owner, the other is told |
//!
//! A socket that breaks leaves the audio to its tab: packets may still flow, and the tab comes back.

use super::{Feed, FeedOutput, PageSaid, SessionId};
use crate::id::AgentId;
use crate::live::session::Session;
use crate::live::view::Right;
use crate::live::wire::ServerMessage;
use crate::site::Phone;
use sip::time::{Instant, Now};
use std::collections::VecDeque;
use std::time::Duration;

/// Between two offers of one agent's audio. Each makes the media plane open a connection: fewer
/// would slow a page that changes its network, more only serves a page gone wild.
pub const OFFER_AUDIO_EVERY: Duration = Duration::from_millis(250);
/// An offer not answered for so long will not be: its page offers again.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// Longest id of a tab: a UUID and room for a prefix.
pub const TAB_MAX: usize = 64;
/// Longest code of how a page's audio does.
pub const WHY_MAX: usize = 64;

/// The pages of one agent, and which of them speaks.
#[derive(Debug, Default)]
pub(super) struct Audio {
    /// Pages that have said hello.
    pages: usize,
    owner: Option<Owner>,
    /// Offers the core has not answered, oldest first.
    asked: VecDeque<(SessionId, Instant)>,
    last: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq)]
struct Owner {
    /// `None`: its socket has broken.
    page: Option<SessionId>,
    tab: Option<String>,
}

impl Feed {
    /// The core answers the audio offer of an agent's page; `None`: it cannot be used, or is lost.
    pub fn handle_page_sdp(&mut self, now: Now, agent: AgentId, answer: Option<String>) {
        let Some(audio) = self.audio.get_mut(&agent) else { return };
        audio.forget_unanswered(now.at);
        let asked = audio.asked.pop_front().map(|(page, _)| page);
        let owner = audio.owner.as_ref().and_then(|owner| owner.page);
        // An answer to the page that owned the audio before would mislead the one that does.
        let Some(page) = owner.filter(|owner| asked.is_none_or(|asked| asked == *owner)) else { return };
        let message = match answer {
            Some(sdp) => ServerMessage::RtcAnswer { sdp },
            None => failed("refused"),
        };
        self.send(page, &message);
    }

    /// Nothing comes over the connection of the page that owns an agent's audio: it makes a fresh one.
    pub fn handle_page_unheard(&mut self, agent: AgentId) {
        let owner = self.audio.get(&agent).and_then(|audio| audio.owner.as_ref());
        if let Some(page) = owner.and_then(|owner| owner.page) {
            self.send(page, &failed("unheard"));
        }
    }

    /// An agent's page has said hello, perhaps not for the first time.
    pub(super) fn join_audio(&mut self, id: SessionId, agent: AgentId, tab: Option<String>) {
        let tab = tab.filter(|tab| !tab.is_empty() && tab.len() <= TAB_MAX);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.tab.clone_from(&tab);
        let audio = self.audio.entry(agent).or_default();
        if let Some(owner) = audio.owner.as_mut().filter(|owner| tab.is_some() && owner.tab == tab) {
            owner.page = Some(id); // the same tab by another socket
        }
        if !std::mem::replace(&mut session.counted, true) {
            audio.pages += 1;
            if audio.pages == 1 {
                self.outputs.push_back(FeedOutput::Page(agent, PageSaid::Opened));
            }
        }
    }

    /// A page's socket is gone.
    pub(super) fn leave_audio(&mut self, id: SessionId, session: &Session) {
        let (Right::Agent(agent), true) = (session.viewer.right, session.counted) else { return };
        let Some(audio) = self.audio.get_mut(&agent) else { return };
        if let Some(owner) = audio.owner.as_mut().filter(|owner| owner.page == Some(id)) {
            owner.page = None;
            if owner.tab.is_none() {
                audio.owner = None;
            }
        }
        audio.pages -= 1; // `counted`: it was added
        if audio.pages == 0 {
            self.outputs.push_back(FeedOutput::Page(agent, PageSaid::Closed));
        }
    }

    pub(super) fn offer_audio(&mut self, now: Now, id: SessionId, sdp: String) {
        let Some(agent) = self.page_agent(id) else { return };
        let refused = {
            let Some(session) = self.sessions.get(&id) else { return };
            let Some(audio) = self.audio.get_mut(&agent) else { return };
            audio.forget_unanswered(now.at);
            let too_fast = audio.last.is_some_and(|last| now.at < last + OFFER_AUDIO_EVERY);
            match (audio.is_free_for(id), too_fast) {
                (false, _) => Some("owned"),
                (true, true) => Some("too_fast"),
                (true, false) => {
                    audio.owner = Some(Owner { page: Some(id), tab: session.tab.clone() });
                    audio.asked.push_back((id, now.at));
                    audio.last = Some(now.at);
                    None
                }
            }
        };
        match refused {
            Some(why) => self.send(id, &failed(why)),
            None => self.outputs.push_back(FeedOutput::Page(agent, PageSaid::Offers(sdp))),
        }
    }

    pub(super) fn audio_does(&mut self, id: SessionId, fit: bool, mut why: String) {
        let Some(agent) = self.page_agent(id) else { return };
        if !self.audio.get(&agent).is_some_and(|audio| audio.is_free_for(id)) {
            return self.send(id, &failed("owned"));
        }
        if why.len() > WHY_MAX || !why.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            "other".clone_into(&mut why); // codes end in metrics and logs: no free text of a page's
        }
        self.outputs.push_back(FeedOutput::Page(agent, PageSaid::Audio { fit, why }));
    }

    pub(super) fn touched(&mut self, id: SessionId) {
        if let Some(agent) = self.page_agent(id) {
            self.outputs.push_back(FeedOutput::Page(agent, PageSaid::Touched));
        }
    }

    pub(super) fn take_over(&mut self, id: SessionId) {
        let Some(agent) = self.page_agent(id) else { return };
        let Some(session) = self.sessions.get(&id) else { return };
        let Some(audio) = self.audio.get_mut(&agent) else { return };
        let owner = Owner { page: Some(id), tab: session.tab.clone() };
        // The new page offers at once; the pace is each owner's own.
        audio.last = None;
        let before = audio.owner.replace(owner).and_then(|owner| owner.page);
        if let Some(before) = before.filter(|before| *before != id) {
            self.send(before, &ServerMessage::TakenOver {});
        }
    }

    /// The agent who speaks by this page; whoever cannot is told.
    fn page_agent(&mut self, id: SessionId) -> Option<AgentId> {
        let agent = match self.sessions.get(&id)?.viewer.right {
            Right::Agent(agent) => Some(agent),
            _ => None,
        };
        let site = agent.and_then(|agent| self.board.cast().site(agent));
        if !site.is_some_and(|site| site.phone == Phone::Page) {
            self.send(id, &failed("no_page"));
            return None;
        }
        agent
    }
}

impl Audio {
    fn is_free_for(&self, page: SessionId) -> bool {
        self.owner.as_ref().is_none_or(|owner| owner.page == Some(page))
    }

    fn forget_unanswered(&mut self, now: Instant) {
        while self.asked.front().is_some_and(|(_, at)| now.since(*at) > ANSWERED_WITHIN) {
            self.asked.pop_front();
        }
    }
}

fn failed(why: &str) -> ServerMessage {
    ServerMessage::RtcFailed { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CentreId;
    use crate::live::cast::Cast;
    use crate::live::view::Viewer;
    use crate::site::{AgentSite, Role};
    use std::time::SystemTime;

    const CENTRE: CentreId = CentreId(0);
    const NOUR: AgentId = AgentId { centre: CENTRE, index: 0 };
    const DESK: AgentId = AgentId { centre: CENTRE, index: 1 };

    struct Tabs {
        feed: Feed,
        at: Instant,
    }

    impl Tabs {
        fn new() -> Tabs {
            let agent = |name: &str, phone| AgentSite {
                name: name.into(),
                role: Role::Agent,
                skills: Vec::new(),
                position: String::new(),
                phone,
                fallback: None,
                always_ready: false,
                wrap_up: None,
            };
            let desk =
                Phone::Static { uri: "sip:d@127.0.0.1".into(), address: ([127, 0, 0, 1], 7000).into() };
            let agents = vec![agent("nour", Phone::Page), agent("desk", desk)];
            let cast = Cast {
                centre: CENTRE,
                name: "samu-99".into(),
                queues: Vec::new(),
                classes: Vec::new(),
                contacts: Vec::new(),
                agents,
            };
            Tabs { feed: Feed::new(cast, 1), at: Instant::ZERO }
        }

        fn now(&self) -> Now {
            Now { at: self.at, utc: SystemTime::UNIX_EPOCH }
        }

        /// A tab's socket, up to its hello.
        fn open(&mut self, agent: AgentId, tab: &str) -> SessionId {
            let viewer = Viewer { name: "x".into(), right: Right::Agent(agent) };
            let page = self.feed.handle_open(self.now(), viewer).expect("room");
            self.says(page, &format!(r#"{{"type":"hello","proto":1,"tab":"{tab}"}}"#));
            page
        }

        /// What comes of a text: what pages are told of audio, and what the core is told.
        fn says(&mut self, page: SessionId, text: &str) -> Vec<String> {
            self.feed.handle_text(self.now(), page, text);
            self.comes()
        }

        /// A second after the last one.
        fn offers(&mut self, page: SessionId) -> Vec<String> {
            self.at = self.at + Duration::from_secs(1);
            self.says(page, r#"{"type":"rtc.offer","sdp":"v=0"}"#)
        }

        fn closes(&mut self, page: SessionId) -> Vec<String> {
            self.feed.handle_closed(page);
            self.comes()
        }

        fn answered(&mut self, sdp: Option<&str>) -> Vec<String> {
            self.feed.handle_page_sdp(self.now(), NOUR, sdp.map(str::to_owned));
            self.comes()
        }

        fn comes(&mut self) -> Vec<String> {
            let mut all = Vec::new();
            while let Some(output) = self.feed.poll_output() {
                match output {
                    FeedOutput::Frame(page, frame) => {
                        let text = String::from_utf8(frame.to_vec()).expect("JSON");
                        if text.contains("rtc.") || text.contains("taken_over") {
                            all.push(format!("{} {text}", page.0));
                        }
                        let now = self.now();
                        self.feed.handle_written(now, page);
                    }
                    FeedOutput::Page(_, said) => all.push(format!("{said:?}")),
                    _ => {}
                }
            }
            all
        }
    }

    #[test]
    fn i35_one_tab_owns_the_audio_until_another_takes_it_over_explicitly() {
        let mut tabs = Tabs::new();
        let (one, two) = (tabs.open(NOUR, "a"), tabs.open(NOUR, "b"));
        assert_eq!(tabs.offers(one), [r#"Offers("v=0")"#]);
        assert_eq!(tabs.answered(Some("v=1")), [r#"0 {"type":"rtc.answer","sdp":"v=1"}"#]);
        assert_eq!(tabs.offers(two), [r#"1 {"type":"rtc.failed","why":"owned"}"#]);
        let unfit = r#"{"type":"audio","fit":false,"why":"muted"}"#;
        assert_eq!(tabs.says(two, unfit), [r#"1 {"type":"rtc.failed","why":"owned"}"#], "not its audio");
        assert_eq!(tabs.says(two, r#"{"type":"take_over"}"#), [r#"0 {"type":"taken_over"}"#]);
        assert_eq!(tabs.offers(two), [r#"Offers("v=0")"#]);
        assert_eq!(tabs.offers(one), [r#"0 {"type":"rtc.failed","why":"owned"}"#]);
    }

    #[test]
    fn i33_the_page_that_is_not_heard_is_told_and_no_other_tab() {
        let mut tabs = Tabs::new();
        let (one, _two) = (tabs.open(NOUR, "a"), tabs.open(NOUR, "b"));
        let unheard = |tabs: &mut Tabs| {
            tabs.feed.handle_page_unheard(NOUR);
            tabs.comes()
        };
        assert_eq!(unheard(&mut tabs), [""; 0], "nobody has the audio");
        tabs.offers(one);
        assert_eq!(unheard(&mut tabs), [r#"0 {"type":"rtc.failed","why":"unheard"}"#]);
        tabs.closes(one);
        assert_eq!(unheard(&mut tabs), [""; 0], "its socket has broken: it will offer anew");
    }

    #[test]
    fn i35_a_tab_loaded_again_has_its_audio_without_asking_twice() {
        let mut tabs = Tabs::new();
        let before = tabs.open(NOUR, "a");
        tabs.offers(before);
        tabs.answered(Some("v=1"));
        assert_eq!(tabs.closes(before), ["Closed"]);
        let stranger = tabs.open(NOUR, "b");
        assert_eq!(
            tabs.offers(stranger),
            [r#"1 {"type":"rtc.failed","why":"owned"}"#],
            "packets may flow still"
        );
        let again = tabs.open(NOUR, "a");
        assert_eq!(tabs.offers(again), [r#"Offers("v=0")"#]);
        assert_eq!(tabs.answered(None), [r#"2 {"type":"rtc.failed","why":"refused"}"#]);
    }

    #[test]
    fn an_answer_to_the_page_before_never_reaches_the_one_that_took_over() {
        let mut tabs = Tabs::new();
        let (one, two) = (tabs.open(NOUR, "a"), tabs.open(NOUR, "b"));
        tabs.offers(one);
        tabs.says(two, r#"{"type":"take_over"}"#);
        tabs.offers(two);
        assert_eq!(tabs.answered(Some("for one")), [""; 0]);
        assert_eq!(tabs.answered(Some("for two")), [r#"1 {"type":"rtc.answer","sdp":"for two"}"#]);
    }

    #[test]
    fn the_core_hears_of_the_first_page_and_of_the_last() {
        let mut tabs = Tabs::new();
        let viewer = Viewer { name: "x".into(), right: Right::Agent(NOUR) };
        let one = tabs.feed.handle_open(tabs.now(), viewer).expect("room");
        let hello = r#"{"type":"hello","proto":1}"#;
        assert_eq!(tabs.says(one, hello), ["Opened"]);
        assert_eq!(tabs.says(one, hello), [""; 0], "the same page");
        let two = tabs.open(NOUR, "b");
        assert_eq!(tabs.closes(one), [""; 0]);
        assert_eq!(tabs.closes(two), ["Closed"]);
    }

    #[test]
    fn a_page_gone_wild_or_without_audio_of_its_own_is_told_so_and_reaches_nobody() {
        let mut tabs = Tabs::new();
        let page = tabs.open(NOUR, "a");
        tabs.offers(page);
        let at_once = tabs.says(page, r#"{"type":"rtc.offer","sdp":"v=0"}"#);
        assert_eq!(at_once, [r#"0 {"type":"rtc.failed","why":"too_fast"}"#]);
        let odd = tabs.says(page, r#"{"type":"audio","fit":false,"why":"06 12 34 56 78"}"#);
        assert_eq!(odd, [r#"Audio { fit: false, why: "other" }"#], "codes only");
        let desk = tabs.open(DESK, "c");
        assert_eq!(tabs.offers(desk), [r#"1 {"type":"rtc.failed","why":"no_page"}"#]);
    }
}
