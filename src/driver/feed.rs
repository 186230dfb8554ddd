//! The task that owns the live feeds: one [`Feed`] per centre, between the core and the pages.
//!
//! The core's side is unbounded and never waits. The pages' side is bounded: a page that talks too
//! fast waits for us, one that listens too slowly is told less by its [`Feed`].

use engine::call::event::Entry;
use engine::id::{AgentId, CentreId};
use engine::io::{Input, Outcome};
pub use engine::live::cast::Cast;
use engine::live::feed::{Feed, FeedFigures, FeedOutput, PageSaid, RequestId, SessionId};
use engine::live::view::Viewer;
use engine::live::wire::{ServerMessage, WireVerb};
use engine::time::Now;
use prometheus::{IntCounterVec, IntGauge, Opts};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Texts of pages on their way to the feed task, of all pages; a page that finds it full waits.
const INBOX: usize = 1024;
/// Frames on their way to one socket: the feed hands out fewer before it hears of one written.
const FRAMES: usize = 16;

/// What the core loop tells the feed; sending never waits.
#[derive(Debug)]
pub enum FeedInput {
    /// One more entry of a centre's log (`Output::Logged`).
    Logged(Entry),
    /// What became of a command (`Output::Outcome`).
    Outcome(Outcome),
    /// What an agent's page must be told about its audio (`Output::PageSdp`).
    PageSdp(AgentId, Option<String>),
    /// An agent's page must make a fresh connection (`Output::PageUnheard`).
    PageUnheard(AgentId),
}

/// Reads both clocks: the same origin as the core's.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// What a page's connection is told.
#[derive(Debug)]
pub(super) enum PageOutput {
    /// Write this text, then say [`Page::written`].
    Frame(bytes::Bytes),
    /// Close the socket.
    Close,
}

enum PageInput {
    Open {
        centre: CentreId,
        viewer: Viewer,
        frames: mpsc::Sender<PageOutput>,
        reply: oneshot::Sender<SessionId>,
    },
    Text(CentreId, SessionId, String),
    Written(CentreId, SessionId),
    Closed(CentreId, SessionId),
    Request {
        centre: CentreId,
        viewer: Viewer,
        id: String,
        verb: WireVerb,
        reply: oneshot::Sender<ServerMessage>,
    },
}

/// Where pages and requests reach the feed task. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Feeds {
    inbox: mpsc::Sender<PageInput>,
}

/// One connected page's end.
#[derive(Debug)]
pub(super) struct Page {
    centre: CentreId,
    session: SessionId,
    inbox: mpsc::Sender<PageInput>,
    frames: mpsc::Receiver<PageOutput>,
}

impl Feeds {
    /// A page connects. `None`: the centre is unknown, has no room, or the process stops.
    pub(super) async fn open(&self, centre: CentreId, viewer: Viewer) -> Option<Page> {
        let (sender, frames) = mpsc::channel(FRAMES);
        let (reply, session) = oneshot::channel();
        self.inbox.send(PageInput::Open { centre, viewer, frames: sender, reply }).await.ok()?;
        let session = session.await.ok()?;
        Some(Page { centre, session, inbox: self.inbox.clone(), frames })
    }

    /// A command that came by a request; its outcome. `None`: the process stops.
    pub(super) async fn request(
        &self,
        centre: CentreId,
        viewer: Viewer,
        id: String,
        verb: WireVerb,
    ) -> Option<ServerMessage> {
        let (reply, answer) = oneshot::channel();
        self.inbox.send(PageInput::Request { centre, viewer, id, verb, reply }).await.ok()?;
        answer.await.ok()
    }
}

impl Page {
    /// What to write next; `None`: the feed has gone.
    pub(super) async fn next(&mut self) -> Option<PageOutput> {
        self.frames.recv().await
    }

    /// The page said something.
    pub(super) async fn say(&self, text: String) {
        // A feed task that has gone is noticed by `next`.
        let _ = self.inbox.send(PageInput::Text(self.centre, self.session, text)).await;
    }

    /// One frame is written.
    pub(super) async fn written(&self) {
        let _ = self.inbox.send(PageInput::Written(self.centre, self.session)).await;
    }

    /// The socket is gone.
    pub(super) async fn close(self) {
        let _ = self.inbox.send(PageInput::Closed(self.centre, self.session)).await;
    }
}

/// Starts the feed task; it ends when the returned sender is dropped.
/// `commands` is the core loop's inbox for wishes of pages; `registry` gets the feed's own figures.
pub fn start(
    casts: Vec<Cast>,
    epoch: u32,
    clock: Clock,
    commands: mpsc::UnboundedSender<Input<'static>>,
    registry: &prometheus::Registry,
) -> (mpsc::UnboundedSender<FeedInput>, Feeds) {
    let (input, inputs) = mpsc::unbounded_channel();
    let (inbox, pages) = mpsc::channel(INBOX);
    let rooms = casts.into_iter().map(|cast| (cast.centre, Room::new(cast, epoch))).collect();
    let task = Task { rooms, clock, commands, figures: Figures::new(registry), next_request: 0 };
    tokio::spawn(task.run(inputs, pages));
    (input, Feeds { inbox })
}

/// One centre: its feed, and who is at the other end of its sessions and requests.
struct Room {
    feed: Feed,
    pages: HashMap<SessionId, mpsc::Sender<PageOutput>>,
    requests: HashMap<RequestId, oneshot::Sender<ServerMessage>>,
    told: FeedFigures,
}

impl Room {
    fn new(cast: Cast, epoch: u32) -> Room {
        let feed = Feed::new(cast, epoch);
        Room { feed, pages: HashMap::new(), requests: HashMap::new(), told: FeedFigures::default() }
    }

    /// Does what the feed wants done.
    fn act(&mut self, commands: &mpsc::UnboundedSender<Input<'static>>, figures: &Figures) {
        while let Some(output) = self.feed.poll_output() {
            match output {
                FeedOutput::Frame(session, frame) => self.tell(session, PageOutput::Frame(frame)),
                FeedOutput::Close(session, _) => {
                    self.tell(session, PageOutput::Close);
                    self.pages.remove(&session);
                }
                FeedOutput::Command(command) => {
                    // While the process stops nobody takes commands; their senders see the close.
                    let _ = commands.send(Input::Command(command));
                }
                FeedOutput::Answer(request, answer) => {
                    if let Some(reply) = self.requests.remove(&request) {
                        let _ = reply.send(answer); // a sender who has gone needs no answer
                    }
                }
                FeedOutput::Page(agent, said) => {
                    let _ = commands.send(of_page(agent, said));
                }
            }
        }
        let figures_are = self.feed.figures();
        figures.add(&self.told, &figures_are);
        self.told = figures_are;
    }

    fn tell(&mut self, session: SessionId, output: PageOutput) {
        // Never full: the feed keeps fewer frames in flight than the channel holds, and a close
        // is its last. A connection that has gone says so itself.
        if let Some(page) = self.pages.get(&session) {
            let _ = page.try_send(output);
        }
    }
}

/// What the core is told of a page.
fn of_page(agent: AgentId, said: PageSaid) -> Input<'static> {
    match said {
        PageSaid::Opened => Input::Page { agent, open: true },
        PageSaid::Closed => Input::Page { agent, open: false },
        PageSaid::Touched => Input::PagePresent { agent },
        PageSaid::Offers(sdp) => Input::PageOffer { agent, sdp },
        PageSaid::Audio { fit, why } => Input::PageAudio { agent, fit, why },
    }
}

struct Task {
    rooms: HashMap<CentreId, Room>,
    clock: Clock,
    commands: mpsc::UnboundedSender<Input<'static>>,
    figures: Figures,
    next_request: u64,
}

impl Task {
    async fn run(
        mut self,
        mut inputs: mpsc::UnboundedReceiver<FeedInput>,
        mut pages: mpsc::Receiver<PageInput>,
    ) {
        loop {
            let now = (self.clock)();
            let due = self.rooms.values().filter_map(|room| room.feed.poll_timeout()).min();
            let sleep = due.map(|due| tokio::time::sleep(due.since(now.at)));
            tokio::select! {
                input = inputs.recv() => match input {
                    Some(input) => self.take_input(input),
                    None => return, // the core has stopped
                },
                Some(page) = pages.recv() => self.take_page(page),
                () = async { match sleep { Some(sleep) => sleep.await, None => std::future::pending().await } } => {
                    let now = (self.clock)();
                    for room in self.rooms.values_mut() {
                        room.feed.handle_due(now);
                    }
                }
            }
            for room in self.rooms.values_mut() {
                room.act(&self.commands, &self.figures);
            }
        }
    }

    fn take_input(&mut self, input: FeedInput) {
        let now = (self.clock)();
        let centre = match &input {
            FeedInput::Logged(entry) => entry.centre,
            FeedInput::Outcome(outcome) => outcome.centre,
            FeedInput::PageSdp(agent, _) | FeedInput::PageUnheard(agent) => agent.centre,
        };
        let Some(room) = self.rooms.get_mut(&centre) else { return };
        match input {
            FeedInput::Logged(entry) => room.feed.handle_logged(now, &entry),
            FeedInput::Outcome(outcome) => room.feed.handle_outcome(outcome),
            FeedInput::PageSdp(agent, answer) => room.feed.handle_page_sdp(now, agent, answer),
            FeedInput::PageUnheard(agent) => room.feed.handle_page_unheard(agent),
        }
    }

    fn take_page(&mut self, input: PageInput) {
        let now = (self.clock)();
        match input {
            PageInput::Open { centre, viewer, frames, reply } => {
                let Some(room) = self.rooms.get_mut(&centre) else { return };
                let Some(session) = room.feed.handle_open(now, viewer) else { return };
                if reply.send(session).is_ok() {
                    room.pages.insert(session, frames);
                } else {
                    room.feed.handle_closed(session);
                }
            }
            PageInput::Text(centre, session, text) => {
                if let Some(room) = self.rooms.get_mut(&centre) {
                    room.feed.handle_text(now, session, &text);
                }
            }
            PageInput::Written(centre, session) => {
                if let Some(room) = self.rooms.get_mut(&centre) {
                    room.feed.handle_written(now, session);
                }
            }
            PageInput::Closed(centre, session) => {
                if let Some(room) = self.rooms.get_mut(&centre) {
                    room.pages.remove(&session);
                    room.feed.handle_closed(session);
                }
            }
            PageInput::Request { centre, viewer, id, verb, reply } => {
                let Some(room) = self.rooms.get_mut(&centre) else { return };
                let feed = &mut room.feed;
                room.requests.retain(|request, reply| {
                    let waits = !reply.is_closed();
                    if !waits {
                        feed.handle_request_gone(*request);
                    }
                    waits
                });
                let request = RequestId(self.next_request);
                self.next_request += 1;
                room.requests.insert(request, reply);
                feed.handle_request(request, &viewer, id, &verb);
            }
        }
    }
}

/// The feed's own figures, all centres together.
struct Figures {
    sessions: IntGauge,
    events: IntCounterVec,
}

impl Figures {
    fn new(registry: &prometheus::Registry) -> Figures {
        // Names and labels are constants that prometheus accepts, checked by every test that starts a feed.
        let sessions =
            IntGauge::new("bandeau_feed_sessions", "Pages connected to the live feed").expect("constant");
        let options = Opts::new("bandeau_feed_events_total", "What happened on the live feed, by kind");
        let events = IntCounterVec::new(options, &["kind"]).expect("constant");
        // A second feed on one registry (tests) counts without being shown.
        let _ = registry.register(Box::new(sessions.clone()));
        let _ = registry.register(Box::new(events.clone()));
        Figures { sessions, events }
    }

    fn add(&self, before: &FeedFigures, after: &FeedFigures) {
        let sessions = |figures: &FeedFigures| i64::try_from(figures.sessions).unwrap_or(i64::MAX);
        self.sessions.add(sessions(after) - sessions(before));
        for (kind, before, after) in [
            ("frame", before.frames, after.frames),
            ("overflow", before.overflows, after.overflows),
            ("gap", before.gaps, after.gaps),
            ("silent", before.silent, after.silent),
            ("offer_again", before.offers_again, after.offers_again),
            ("error", before.errors, after.errors),
            ("log_gap", before.log_gaps, after.log_gaps),
        ] {
            self.events.with_label_values(&[kind]).inc_by(after.saturating_sub(before));
        }
    }
}
