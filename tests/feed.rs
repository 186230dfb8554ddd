//! The feed over real sockets: who gets in, what a page may say, and that it is never left behind.

use bandeau::driver::agents::TEXT_MAX;
use bandeau::driver::door::Door;
use bandeau::driver::feed::{self, Cast, FeedInput};
use bandeau::driver::http::{self, Access, HttpState};
use engine::call::event::{Actor, Entry, Event, Intent};
use engine::id::{AgentId, CentreId};
use engine::io::{Input, Outcome, Verb};
use engine::live::view::{Right, Viewer};
use engine::live::wire::{Reason, ServerMessage};
use engine::site::{AgentSite, Phone, Role};
use engine::time::{Instant, Now};
use futures_util::{SinkExt, StreamExt};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

const CENTRE: CentreId = CentreId(0);
const EPOCH: u32 = 7;
const NOUR: AgentId = AgentId { centre: CENTRE, index: 0 };
/// Longer than anything here takes; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

struct Room {
    address: SocketAddr,
    feed: mpsc::UnboundedSender<FeedInput>,
    wishes: mpsc::UnboundedReceiver<Input<'static>>,
    seq: u64,
}

impl Room {
    async fn open() -> Room {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("bound");
        let nour = AgentSite {
            name: "nour".into(),
            role: Role::Agent,
            skills: vec!["arm".into()],
            position: "p1".into(),
            fallback: None,
            phone: Phone::Static { uri: "sip:nour@127.0.0.1".into(), address: ([127, 0, 0, 1], 7000).into() },
            always_ready: false,
            wrap_up: None,
        };
        let cast = Cast {
            centre: CENTRE,
            name: "samu-99".into(),
            queues: vec!["front".into()],
            classes: vec!["vital".into()],
            contacts: Vec::new(),
            agents: vec![nour],
        };
        let (commands, wishes) = mpsc::unbounded_channel();
        let started = tokio::time::Instant::now();
        let clock = move || Now { at: Instant::ZERO + started.elapsed(), utc: SystemTime::UNIX_EPOCH };
        let registry = prometheus::Registry::new();
        let door = Arc::new(Door::new(vec![cast.clone()], Arc::new(clock), None, &registry));
        let (feed, feeds) = feed::start(vec![cast], EPOCH, Arc::new(clock), commands, &registry);
        let account = |name: &str, right, token: &str| {
            Access::with_token(CENTRE, Viewer { name: name.into(), right }, token)
        };
        let access = vec![
            account("wall", Right::Observer, "observer-token"),
            account("nour", Right::Agent(NOUR), "agent-token"),
        ];
        let state = HttpState {
            registry,
            ready: Arc::new(|| Err("draining".to_owned())),
            access: Arc::new(access),
            origins: Arc::new(vec!["https://pages.example".into()]),
            feeds,
            door,
            tls: None,
        };
        tokio::spawn(http::serve(listener, state));
        Room { address, feed, wishes, seq: 0 }
    }

    fn happens(&mut self, event: Event) {
        let at = Instant::from_nanos(self.seq);
        let entry =
            Entry { centre: CENTRE, epoch: EPOCH, seq: self.seq, at, utc: SystemTime::UNIX_EPOCH, event };
        self.seq += 1;
        self.feed.send(FeedInput::Logged(entry)).expect("the feed lives");
    }

    fn intent(&mut self, intent: Intent) {
        self.happens(Event::IntentChanged { agent: NOUR, intent, by: Actor::Agent(NOUR) });
    }

    async fn connect(&self, token: Option<&str>, origin: Option<&str>) -> Result<Page, u16> {
        let mut request = format!("ws://{}/live", self.address).into_client_request().expect("an address");
        let headers = request.headers_mut();
        if let Some(token) = token {
            headers.insert("authorization", format!("Bearer {token}").parse().expect("a header"));
        }
        if let Some(origin) = origin {
            headers.insert("origin", origin.parse().expect("a header"));
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Page { socket }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn page(&self, token: &str, hello: &str) -> Page {
        let mut page = self.connect(Some(token), None).await.expect("let in");
        page.say(hello).await;
        assert!(matches!(page.hear().await, Some(ServerMessage::Welcome { .. })));
        page
    }

    /// The next command; that pages come and go is another matter.
    async fn wish(&mut self) -> engine::io::Command {
        loop {
            match tokio::time::timeout(PATIENCE, self.wishes.recv()).await {
                Ok(Some(Input::Command(command))) => return command,
                Ok(Some(Input::Page { .. })) => {}
                other => panic!("no command: {other:?}"),
            }
        }
    }

    fn outcome(&self, command: engine::io::Command, seq: u64) {
        let outcome = Outcome { centre: CENTRE, id: command.id, actor: command.actor, result: Ok(seq) };
        self.feed.send(FeedInput::Outcome(outcome)).expect("the feed lives");
    }

    async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("listens");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = String::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
        read.expect("an answer in time").expect("read");
        answer
    }

    async fn post(&self, token: &str, body: &str) -> String {
        let length = body.len();
        self.ask(&format!(
            "POST /api/v1/commands HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }
}

struct Page {
    socket: tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>>,
}

impl Page {
    async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text.to_owned())).await.expect("written");
    }

    /// The next message that is no ping; `None`: closed.
    async fn hear(&mut self) -> Option<ServerMessage> {
        loop {
            let message =
                tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a message in time")?;
            let text = match message {
                Ok(Message::Text(text)) => text,
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => continue,
            };
            let message = serde_json::from_str(&text).expect("a message of the protocol");
            if !matches!(message, ServerMessage::Ping { .. }) {
                return Some(message);
            }
        }
    }

    /// The code of the close frame.
    async fn close_code(&mut self) -> Option<u16> {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a message in time")? {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

const HELLO_ME: &str = r#"{"type":"hello","proto":1,"resume":[{"topic":"me"}]}"#;

#[tokio::test]
async fn only_a_known_token_from_an_allowed_origin_gets_in() {
    let room = Room::open().await;
    let own = format!("http://{}", room.address);
    for (token, origin, expected) in [
        (None, None, Err(401)),
        (Some("guess"), None, Err(401)),
        (Some(""), None, Err(401)),
        (Some("observer-token"), Some("https://elsewhere.example"), Err(403)),
        (Some("observer-token"), Some("null"), Err(403)),
        (Some("observer-token"), None, Ok(())),
        (Some("observer-token"), Some("https://pages.example"), Ok(())),
        (Some("observer-token"), Some(own.as_str()), Ok(())),
    ] {
        assert_eq!(room.connect(token, origin).await.map(|_| ()), expected, "{token:?} {origin:?}");
    }
}

#[tokio::test]
async fn a_text_that_is_too_long_closes_the_page_and_nobody_else() {
    let room = Room::open().await;
    let mut other = room.page("observer-token", r#"{"type":"hello","proto":1}"#).await;
    let mut page = room.connect(Some("observer-token"), None).await.expect("let in");
    page.say(&"x".repeat(TEXT_MAX + 1)).await;
    assert_eq!(page.close_code().await, Some(1009));
    other.say(r#"{"type":"resync","topic":"board"}"#).await;
    assert!(matches!(other.hear().await, Some(ServerMessage::Error { .. })), "still served");
}

#[tokio::test]
async fn what_is_not_json_is_answered_with_where_it_went_wrong() {
    let room = Room::open().await;
    let mut page = room.page("observer-token", r#"{"type":"hello","proto":1}"#).await;
    page.say("{\n  \"type\": hello }").await;
    let Some(ServerMessage::Error { code, params }) = page.hear().await else { panic!("no error") };
    assert_eq!((code.as_str(), params["line"].as_str()), ("bad_json", "2"));
}

#[tokio::test]
async fn a_command_sent_again_has_its_effect_once_whatever_it_came_by() {
    let mut room = Room::open().await;
    let mut page = room.page("agent-token", HELLO_ME).await;
    assert!(matches!(page.hear().await, Some(ServerMessage::Snapshot { .. })));
    let ready = r#"{"type":"command","id":"k1","verb":{"type":"ready"}}"#;
    page.say(ready).await;
    let command = room.wish().await;
    assert_eq!((command.id.as_str(), &command.verb), ("k1", &Verb::Ready { agent: NOUR }));
    room.outcome(command, 42);
    let outcome =
        ServerMessage::Outcome { id: "k1".into(), epoch: EPOCH, seq: Some(42), refusal: None, by: None };
    assert_eq!(page.hear().await, Some(outcome.clone()));
    page.say(ready).await;
    assert_eq!(page.hear().await, Some(outcome));
    let answer = room.post("agent-token", r#"{"id":"k1","verb":{"type":"ready"}}"#).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""seq":42"#), "{answer}");
    assert!(room.wishes.try_recv().is_err(), "the core was asked once");
}

#[tokio::test]
async fn a_posted_command_is_answered_with_its_outcome_or_why_not() {
    let mut room = Room::open().await;
    for (token, body, expected) in [
        ("guess", r#"{"id":"1","verb":{"type":"ready"}}"#, "HTTP/1.1 401 "),
        ("agent-token", r#"{"id":"1""#, "HTTP/1.1 400 "),
        ("agent-token", r#"{"id":"1","verb":{"type":"ready"},"when":"later"}"#, "HTTP/1.1 400 "),
        ("observer-token", r#"{"id":"1","verb":{"type":"ready","agent":"nour"}}"#, "HTTP/1.1 403 "),
        ("agent-token", r#"{"id":"1","verb":{"type":"ready","agent":"nobody"}}"#, "HTTP/1.1 404 "),
    ] {
        let answer = room.post(token, body).await;
        assert!(answer.starts_with(expected), "{token} {body}: {answer}");
    }
    let (answer, ()) = tokio::join!(
        {
            let address = room.address;
            async move {
                let body = r#"{"id":"2","verb":{"type":"sign_out"}}"#;
                let length = body.len();
                let mut stream = TcpStream::connect(address).await.expect("listens");
                let request = format!(
                    "POST /api/v1/commands HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer agent-token\r\n\
                     Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
                );
                stream.write_all(request.as_bytes()).await.expect("written");
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.expect("read");
                answer
            }
        },
        async {
            let command = room.wish().await;
            assert_eq!(command.verb, Verb::SignOut { agent: NOUR });
            room.outcome(command, 7);
        }
    );
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""seq":7"#), "{answer}");
}

#[tokio::test]
async fn a_page_that_comes_back_gets_what_it_missed_and_nothing_else() {
    let mut room = Room::open().await;
    let mut page = room.page("agent-token", HELLO_ME).await;
    let Some(ServerMessage::Snapshot { v, reason: Reason::First, .. }) = page.hear().await else {
        panic!("no snapshot")
    };
    room.intent(Intent::Ready);
    let Some(ServerMessage::Delta { pv, v: at, .. }) = page.hear().await else { panic!("no delta") };
    assert_eq!(pv, v);
    drop(page);
    room.intent(Intent::Paused("meal".into()));
    let resume =
        |v| format!(r#"{{"type":"hello","proto":1,"resume":[{{"topic":"me","epoch":{EPOCH},"v":{v}}}]}}"#);
    let mut back = room.page("agent-token", &resume(at)).await;
    let Some(ServerMessage::Replay { pv, v, changes, .. }) = back.hear().await else { panic!("no replay") };
    assert_eq!((pv, changes.len()), (at, 1));
    let mut again = room.page("agent-token", &resume(v)).await;
    assert!(matches!(again.hear().await, Some(ServerMessage::UpToDate { .. })));
    let other_start = resume(v).replace(&format!("\"epoch\":{EPOCH}"), "\"epoch\":6");
    let mut older = room.page("agent-token", &other_start).await;
    assert!(matches!(older.hear().await, Some(ServerMessage::Snapshot { reason: Reason::Epoch, .. })));
}

#[tokio::test]
async fn health_readiness_and_metrics_are_told_to_whoever_asks() {
    let room = Room::open().await;
    let _page = room.page("observer-token", r#"{"type":"hello","proto":1}"#).await;
    let ask = async |path: &str| {
        room.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
    };
    assert!(ask("/healthz").await.starts_with("HTTP/1.1 200 "));
    let ready = ask("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503 ") && ready.ends_with("draining\n"), "{ready}");
    let metrics = ask("/metrics").await;
    assert!(metrics.contains("bandeau_feed_sessions 1"), "{metrics}");
    assert!(ask("/live").await.starts_with("HTTP/1.1 401 "));
    assert!(ask("/nothing").await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn plain_http_is_not_served_beyond_loopback() {
    let listener = TcpListener::bind("0.0.0.0:0").await.expect("any address");
    let registry = prometheus::Registry::new();
    let (commands, _wishes) = mpsc::unbounded_channel();
    let clock = || Now { at: Instant::ZERO, utc: SystemTime::UNIX_EPOCH };
    let (_feed, feeds) = feed::start(Vec::new(), EPOCH, Arc::new(clock), commands, &registry);
    let (ready, access) = (Arc::new(|| Ok(())), Arc::default());
    let door = Arc::new(Door::new(Vec::new(), Arc::new(clock), None, &registry));
    let state = HttpState { registry, ready, access, origins: Arc::default(), feeds, door, tls: None };
    let refused = tokio::time::timeout(PATIENCE, http::serve(listener, state)).await.expect("at once");
    assert!(refused.expect_err("refused").to_string().contains("loopback only"));
}
