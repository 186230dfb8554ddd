//! Who is let in, over real sockets: accounts and cookies, origins, patience, TLS, and pages that
//! say what they should not.

use bandeau::driver::agents::TEXT_MAX;
use bandeau::driver::door::Door;
use bandeau::driver::feed::{self, Cast, FeedInput};
use bandeau::driver::http::{self, HttpState};
use bandeau::driver::tls::Identity;
use bandeau::store::users::{Account, Role as UserRole, Users};
use engine::id::{AgentId, CentreId};
use engine::io::{Input, Outcome, Verb};
use engine::live::wire::ServerMessage;
use engine::site::{AgentSite, Phone, Role};
use engine::time::{Instant, Now};
use futures_util::{SinkExt, StreamExt};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

const CENTRE: CentreId = CentreId(0);
const NOUR: AgentId = AgentId { centre: CENTRE, index: 0 };
const SAM: AgentId = AgentId { centre: CENTRE, index: 1 };
const PASSWORD: &str = "correct horse battery";
/// Longer than anything here takes; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// An HTTP port with three accounts, and a core that says yes to every command.
struct House {
    address: SocketAddr,
    dir: PathBuf,
    users: Users,
    registry: prometheus::Registry,
    feed: mpsc::UnboundedSender<FeedInput>,
    /// What reached the core.
    said: Arc<Mutex<Vec<Input<'static>>>>,
    /// Seconds the clock of the door is ahead.
    ahead: Arc<AtomicU64>,
}

impl House {
    async fn open(name: &str) -> House {
        House::with(name, None).await
    }

    async fn with(name: &str, tls: Option<Arc<Identity>>) -> House {
        let dir = std::env::temp_dir().join(format!("bandeau-door-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let path = dir.join("users.sqlite");
        let mut users = Users::open(&path).expect("a directory of ours");
        for (name, role) in
            [("nour", UserRole::Agent), ("sam", UserRole::Regulator), ("claire", UserRole::Supervisor)]
        {
            let agent = role.answers().then(|| name.to_owned());
            let account = Account { name: name.to_owned(), role, centre: None, agent, stamp: 0 };
            users.add(&account, PASSWORD).expect("a good account");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("bound");
        let cast = cast();
        let (commands, wishes) = mpsc::unbounded_channel();
        let ahead = Arc::new(AtomicU64::new(0));
        let (started, later) = (tokio::time::Instant::now(), Arc::clone(&ahead));
        let clock = Arc::new(move || {
            let ahead = Duration::from_secs(later.load(Ordering::Relaxed));
            Now { at: Instant::ZERO + started.elapsed() + ahead, utc: SystemTime::UNIX_EPOCH }
        });
        let registry = prometheus::Registry::new();
        let theirs = Users::open(&path).expect("there");
        let door = Arc::new(Door::new(vec![cast.clone()], clock.clone(), Some(theirs), &registry));
        let (feed, feeds) = feed::start(vec![cast], 1, clock, commands, &registry);
        let (ready, access) = (Arc::new(|| Ok(())), Arc::default());
        let origins = Arc::default();
        let state = HttpState { registry: registry.clone(), ready, access, origins, feeds, door, tls };
        tokio::spawn(http::serve(listener, state));
        let said = Arc::default();
        tokio::spawn(core(wishes, feed.clone(), Arc::clone(&said)));
        House { address, dir, users, registry, feed, said, ahead }
    }

    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// One request on a connection of its own, with these header lines.
    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let stream = TcpStream::connect(self.address).await.expect("listens");
        ask(stream, self.address, method, path, headers, body).await
    }

    async fn sign_in(&self, name: &str, password: &str) -> Answer {
        let body = serde_json::json!({"name": name, "password": password, "position": "P7"}).to_string();
        self.ask("POST", "/api/v1/session", &[("origin", &self.origin())], &body).await
    }

    /// The cookie of somebody signed in, as it is sent back.
    async fn cookie(&self, name: &str) -> String {
        let answer = self.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let cookie = answer.header("set-cookie").expect("a cookie");
        cookie.split(';').next().unwrap_or_default().to_owned()
    }

    async fn who(&self, cookie: &str) -> Answer {
        self.ask("GET", "/api/v1/session", &[("cookie", cookie)], "").await
    }

    async fn connect(&self, headers: &[(&str, &str)]) -> Result<Page, u16> {
        let mut request = format!("ws://{}/live", self.address).into_client_request().expect("an address");
        for (name, value) in headers {
            let name = tokio_tungstenite::tungstenite::http::HeaderName::from_bytes(name.as_bytes())
                .expect("a name");
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Page { socket }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn page(&self, cookie: &str) -> Page {
        let mut page = self.connect(&[("cookie", cookie), ("origin", &self.origin())]).await.expect("let in");
        page.say(r#"{"type":"hello","proto":1,"resume":[{"topic":"me"}]}"#).await;
        assert!(matches!(page.hear().await, Some(ServerMessage::Welcome { .. })));
        assert!(matches!(page.hear().await, Some(ServerMessage::Snapshot { .. })));
        page
    }

    fn later(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    fn counted(&self, what: &str) -> f64 {
        let families = self.registry.gather();
        let door = families.iter().filter(|family| family.name() == "bandeau_door_total");
        let metrics = door.flat_map(|family| family.get_metric());
        let named =
            |metric: &&prometheus::proto::Metric| metric.get_label().iter().any(|l| l.value() == what);
        metrics.filter(named).map(|metric| metric.get_counter().get_value()).sum()
    }

    /// Whether this reached the core, now or soon.
    async fn reached(&self, is_it: impl Fn(&Input<'static>) -> bool) -> bool {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            if self.said.lock().expect("whole").iter().any(&is_it) {
                return true;
            }
            tokio::task::yield_now().await;
        }
        false
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn cast() -> Cast {
    let agent = |name: &str, role| AgentSite {
        name: name.into(),
        role,
        skills: vec!["arm".into()],
        position: "p1".into(),
        fallback: None,
        phone: Phone::Page,
        always_ready: false,
        wrap_up: None,
    };
    let agents = vec![agent("nour", Role::Agent), agent("sam", Role::Regulator)];
    Cast {
        centre: CENTRE,
        name: "samu-99".into(),
        queues: vec!["front".into()],
        classes: Vec::new(),
        contacts: Vec::new(),
        agents,
    }
}

/// Says yes to every command, and answers every audio offer.
async fn core(
    mut wishes: mpsc::UnboundedReceiver<Input<'static>>,
    feed: mpsc::UnboundedSender<FeedInput>,
    said: Arc<Mutex<Vec<Input<'static>>>>,
) {
    let mut seq = 0;
    while let Some(wish) = wishes.recv().await {
        let answer = match &wish {
            Input::Command(command) => {
                seq += 1;
                let (id, actor) = (command.id.clone(), command.actor.clone());
                Some(FeedInput::Outcome(Outcome { centre: CENTRE, id, actor, result: Ok(seq) }))
            }
            Input::PageOffer { agent, sdp } => {
                Some(FeedInput::PageSdp(*agent, Some(format!("answer to {sdp}"))))
            }
            _ => None,
        };
        said.lock().expect("whole").push(wish);
        if let Some(answer) = answer {
            let _ = feed.send(answer);
        }
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs.find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    host: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    // A TLS peer may leave without a word of goodbye once the answer is whole.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an answer in time");
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    Answer { status, head: head.to_owned(), body: body.to_owned() }
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
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("in time")?;
            let Ok(Message::Text(text)) = message else { return None };
            let message = serde_json::from_str(&text).expect("a message of the protocol");
            if !matches!(message, ServerMessage::Ping { .. }) {
                return Some(message);
            }
        }
    }

    /// The code of the close frame.
    async fn close_code(&mut self) -> Option<u16> {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("in time")? {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let house = House::open("wrong").await;
    let wrong = house.sign_in("nour", "a wrong password").await;
    let unknown = house.sign_in("nobody", PASSWORD).await;
    assert_eq!((wrong.status, wrong.json()["code"].as_str()), (401, Some("credentials")));
    assert_eq!((wrong.status, &wrong.body), (unknown.status, &unknown.body), "nothing tells them apart");
    assert!(wrong.header("set-cookie").is_none());
    assert_eq!(house.counted("credentials"), 2.0);
}

#[tokio::test]
async fn signing_in_begins_a_shift_at_a_position_and_signing_out_ends_it() {
    let house = House::open("shift").await;
    let cookie = house.cookie("nour").await;
    let me = house.who(&cookie).await.json();
    let expected = serde_json::json!({
        "name": "nour", "role": "agent", "right": "agent", "centre": "samu-99", "agent": "nour", "position": "P7"
    });
    assert_eq!(me, expected);
    let begun = Verb::SignIn { agent: NOUR, position: Some("P7".into()) };
    assert!(house.reached(|input| matches!(input, Input::Command(c) if c.verb == begun)).await);
    let mut page = house.page(&cookie).await;
    assert_eq!(
        house.ask("DELETE", "/api/v1/session", &[("cookie", &cookie)], "").await.status,
        403,
        "no Origin"
    );
    let headers = [("cookie", cookie.as_str()), ("origin", &house.origin())];
    let gone = house.ask("DELETE", "/api/v1/session", &headers, "").await;
    assert_eq!(gone.status, 204);
    assert!(gone.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")));
    assert_eq!(page.close_code().await, Some(1008), "its pages close");
    let ended = Verb::SignOut { agent: NOUR };
    assert!(house.reached(|input| matches!(input, Input::Command(c) if c.verb == ended)).await);
    assert_eq!(house.who(&cookie).await.status, 401);
    assert_eq!(house.connect(&headers).await.map(|_| ()), Err(401), "a copied cookie opens nothing any more");
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let house = House::open("cookie").await;
    let answer = house.sign_in("claire", PASSWORD).await;
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    for flag in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.split("; ").any(|part| part == flag), "{flag}: {cookie}");
    }
    assert!(!cookie.contains("Secure"), "a browser would not send it back over plain http");
    let id = cookie.split(['=', ';']).nth(1).expect("an id");
    assert_eq!(id.len(), 64, "256 bits");
    let again = house.sign_in("claire", PASSWORD).await;
    assert_ne!(again.header("set-cookie"), Some(cookie.as_str()), "another every time");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_page_of_another_site_does_nothing_with_a_good_cookie() {
    let house = House::open("origin").await;
    let cookie = house.cookie("nour").await;
    let own = house.origin();
    for (origin, expected) in [
        (Some("https://elsewhere.example"), Err(403)),
        (Some("null"), Err(403)),
        (None, Err(403)),
        (Some(own.as_str()), Ok(())),
    ] {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        assert_eq!(house.connect(&headers).await.map(|_| ()), expected, "{origin:?}");
        let ready = r#"{"id":"1","verb":{"type":"ready"}}"#;
        let answer = house.ask("POST", "/api/v1/commands", &headers, ready).await;
        assert_eq!(answer.status == 200, expected.is_ok(), "{origin:?}: {}", answer.body);
    }
    let body = serde_json::json!({"name": "nour", "password": PASSWORD}).to_string();
    for headers in [&[("origin", "https://elsewhere.example")][..], &[]] {
        assert_eq!(house.ask("POST", "/api/v1/session", headers, &body).await.status, 403);
    }
    assert!(house.counted("origin") >= 7.0);
}

#[tokio::test]
async fn whoever_guesses_waits_and_the_right_password_waits_with_them() {
    let house = House::open("guess").await;
    for _ in 0..5 {
        assert_eq!(house.sign_in("nour", "a wrong password").await.status, 401);
    }
    let early = house.sign_in("nour", PASSWORD).await;
    assert_eq!((early.status, early.json()["code"].as_str()), (429, Some("wait")));
    assert!(early.header("retry-after").and_then(|s| s.parse::<u64>().ok()).is_some_and(|s| s >= 1));
    assert_eq!(house.sign_in("sam", PASSWORD).await.status, 200, "somebody else does not wait");
    house.later(2);
    assert_eq!(house.sign_in("nour", PASSWORD).await.status, 200);
    assert_eq!(house.counted("wait"), 1.0);
}

#[tokio::test]
async fn a_removed_account_is_out_and_so_is_its_connected_page() {
    let mut house = House::open("removed").await;
    let cookie = house.cookie("nour").await;
    let mut page = house.page(&cookie).await;
    house.users.remove("nour").expect("was there");
    assert_eq!(page.close_code().await, Some(1008));
    assert_eq!(house.who(&cookie).await.status, 401);
    assert_eq!(house.sign_in("nour", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn a_browser_nobody_uses_is_signed_out() {
    let house = House::open("idle").await;
    let cookie = house.cookie("claire").await;
    house.later(29 * 60);
    assert_eq!(house.who(&cookie).await.status, 200);
    house.later(31 * 60);
    assert_eq!(house.who(&cookie).await.status, 401);
}

#[tokio::test]
async fn the_role_of_the_shift_is_the_accounts_own_or_less() {
    let house = House::open("role").await;
    let origin = house.origin();
    for (name, role, expected) in [
        ("nour", "supervisor", 403),
        ("nour", "administrator", 403),
        ("nour", "nonsense", 403),
        ("claire", "administrator", 403),
        ("claire", "agent", 403), // she has none
        ("claire", "observer", 200),
        ("claire", "supervisor", 200),
        ("sam", "regulator", 200),
    ] {
        let body = serde_json::json!({"name": name, "password": PASSWORD, "role": role}).to_string();
        let answer = house.ask("POST", "/api/v1/session", &[("origin", &origin)], &body).await;
        assert_eq!(answer.status, expected, "{name} as {role}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_stolen_place_in_the_feed_shows_nothing_of_its_owner() {
    let house = House::open("stolen").await;
    let (nour, sam) = (house.cookie("nour").await, house.cookie("sam").await);
    let _hers = house.page(&nour).await;
    // Where nour's page stands, said by sam's session: what comes back is sam's.
    let mut thief = house.connect(&[("cookie", &sam), ("origin", &house.origin())]).await.expect("let in");
    thief
        .say(r#"{"type":"hello","proto":1,"tab":"nours-tab","resume":[{"topic":"me","epoch":1,"v":0}]}"#)
        .await;
    let Some(ServerMessage::Welcome { agent, .. }) = thief.hear().await else { panic!("no welcome") };
    assert_eq!(agent.as_deref(), Some("sam"));
    let told = thief.hear().await.expect("an answer about `me`");
    let told = serde_json::to_string(&told).expect("plain data");
    assert!(!told.contains("nour"), "{told}");
    thief.say(r#"{"type":"command","id":"1","verb":{"type":"ready","agent":"nour"}}"#).await;
    let Some(ServerMessage::Error { code, .. }) = thief.hear().await else { panic!("no error") };
    assert_eq!(code, "forbidden");
    assert!(!house.said.lock().expect("whole").iter().any(
        |input| matches!(input, Input::Command(c) if matches!(c.verb, Verb::Ready { agent } if agent == NOUR))
    ));
    assert_ne!(NOUR, SAM);
}

#[tokio::test]
async fn what_a_page_says_wrongly_is_its_own_trouble() {
    let house = House::open("texts").await;
    let (nour, sam) = (house.cookie("nour").await, house.cookie("sam").await);
    let mut other = house.page(&sam).await;
    let mut page = house.page(&nour).await;
    for (text, expected) in [
        ("{", "bad_json"),
        (r#"{"type":"dance"}"#, "bad_message"),
        (r#"{"type":"rtc.offer"}"#, "bad_message"),
        (r#"{"type":"command","id":"1","verb":{"type":"sign_out","agent":"nobody"}}"#, "unknown"),
    ] {
        page.say(text).await;
        let Some(ServerMessage::Error { code, .. }) = page.hear().await else { panic!("no error: {text}") };
        assert_eq!(code, expected, "{text}");
    }
    page.say(&"x".repeat(TEXT_MAX + 1)).await;
    assert_eq!(page.close_code().await, Some(1009));
    assert_eq!(house.counted("bad_frame"), 1.0);
    let long = "x".repeat(TEXT_MAX + 1);
    let origin = house.origin();
    assert_eq!(house.ask("POST", "/api/v1/session", &[("origin", &origin)], &long).await.status, 413);
    assert_eq!(
        house.ask("POST", "/api/v1/session", &[("origin", &origin)], "{").await.json()["code"],
        "bad_json"
    );
    other.say(r#"{"type":"resync","topic":"me"}"#).await;
    assert!(matches!(other.hear().await, Some(ServerMessage::Snapshot { .. })), "still served");
}

#[tokio::test]
async fn a_command_said_twice_has_its_effect_once_over_any_connection() {
    let house = House::open("twice").await;
    let cookie = house.cookie("nour").await;
    let ready = r#"{"type":"command","id":"k1","verb":{"type":"ready"}}"#;
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let mut page = house.page(&cookie).await;
        page.say(ready).await;
        outcomes.push(page.hear().await);
    }
    assert!(matches!(outcomes[0], Some(ServerMessage::Outcome { refusal: None, .. })));
    assert_eq!(outcomes[0], outcomes[1]);
    let is_it = |input: &&Input<'_>| matches!(input, Input::Command(c) if c.id == "k1");
    assert_eq!(house.said.lock().expect("whole").iter().filter(is_it).count(), 1);
}

#[tokio::test]
async fn i35_two_tabs_of_one_agent_have_one_audio() {
    let house = House::open("tabs").await;
    let cookie = house.cookie("nour").await;
    let (mut first, mut second) = (house.page(&cookie).await, house.page(&cookie).await);
    let offer = |sdp: &str| format!(r#"{{"type":"rtc.offer","sdp":"{sdp}"}}"#);
    first.say(&offer("one")).await;
    assert_eq!(first.hear().await, Some(ServerMessage::RtcAnswer { sdp: "answer to one".into() }));
    second.say(&offer("two")).await;
    assert_eq!(second.hear().await, Some(ServerMessage::RtcFailed { why: "owned".into() }));
    second.say(r#"{"type":"take_over"}"#).await;
    assert_eq!(first.hear().await, Some(ServerMessage::TakenOver {}));
    second.say(&offer("two")).await;
    assert_eq!(second.hear().await, Some(ServerMessage::RtcAnswer { sdp: "answer to two".into() }));
    second.say(r#"{"type":"audio","fit":true}"#).await;
    assert!(house.reached(|input| matches!(input, Input::PageAudio { agent: NOUR, fit: true, .. })).await);
}

#[tokio::test]
async fn pages_come_with_a_policy_and_without_a_third_party() {
    let house = House::open("pages").await;
    let page = house.ask("GET", "/", &[], "").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert!(page.header("permissions-policy").is_some_and(|devices| devices.contains("microphone=(self)")));
    let etag = page.header("etag").expect("an etag").to_owned();
    let held = house.ask("GET", "/", &[("if-none-match", &etag)], "").await;
    assert_eq!((held.status, held.body.as_str()), (304, ""));
    assert_eq!(house.ask("POST", "/", &[], "").await.status, 405);
    assert_eq!(house.ask("GET", "/../Cargo.toml", &[], "").await.status, 404);
}

/// A certificate of its own making, in two PEM files.
fn make_identity(dir: &Path) -> (PathBuf, PathBuf, CertificateDer<'static>) {
    fs::create_dir_all(dir).expect("a directory of ours");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    fs::write(&certificate, made.cert.pem()).expect("written");
    fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    (certificate, key, CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).expect("PEM"))
}

/// A connection that trusts this certificate and no other.
async fn over_tls(
    house: &House,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(house.address).await.expect("listens");
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn a_certificate_that_changes_is_used_without_a_restart() {
    let dir = std::env::temp_dir().join(format!("bandeau-door-pem-{}", std::process::id()));
    let (certificate, key, first) = make_identity(&dir);
    let identity = Identity::load(&certificate, &key).expect("a good identity");
    let house = House::with("tls", Some(Arc::clone(&identity))).await;
    let origin = format!("https://{}", house.address);
    let body = serde_json::json!({"name": "claire", "password": PASSWORD}).to_string();
    let stream = over_tls(&house, &first).await.expect("a handshake");
    let headers = [("origin", origin.as_str())];
    let answer = ask(stream, house.address, "POST", "/api/v1/session", &headers, &body).await;
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");
    let stream = over_tls(&house, &first).await.expect("a handshake");
    let plain = [("origin", "http://localhost")];
    assert_eq!(ask(stream, house.address, "POST", "/api/v1/session", &plain, &body).await.status, 403);

    let mut standing = over_tls(&house, &first).await.expect("a handshake");
    fs::write(&certificate, "half a file").expect("written");
    assert!(identity.look().is_err(), "what cannot be used is not used");
    over_tls(&house, &first).await.expect("the one before stays in use");
    let (_, _, second) = make_identity(&dir);
    assert!(identity.look().expect("a good identity"), "loaded again");
    assert!(!identity.look().expect("as before"), "once");
    assert!(over_tls(&house, &first).await.is_err(), "the old one is shown no more");
    let stream = over_tls(&house, &second).await.expect("a handshake");
    assert_eq!(ask(stream, house.address, "GET", "/healthz", &[], "").await.status, 200);
    let request = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    standing.write_all(request.as_bytes()).await.expect("written");
    let mut answer = [0; 12];
    standing.read_exact(&mut answer).await.expect("read");
    assert_eq!(&answer, b"HTTP/1.1 200", "who was connected stays connected");
    let _ = fs::remove_dir_all(dir);
}

#[tokio::test]
async fn a_peer_that_never_shakes_hands_keeps_nobody_waiting() {
    let dir = std::env::temp_dir().join(format!("bandeau-door-slow-{}", std::process::id()));
    let (certificate, key, trusted) = make_identity(&dir);
    let house = House::with("slow", Some(Identity::load(&certificate, &key).expect("good"))).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(house.address).await.expect("listens"));
    }
    let stream = over_tls(&house, &trusted).await.expect("a handshake");
    assert_eq!(ask(stream, house.address, "GET", "/healthz", &[], "").await.status, 200);
    let _ = fs::remove_dir_all(dir);
}

#[tokio::test]
async fn what_the_core_says_of_a_page_without_audio_reaches_it() {
    let house = House::open("lost").await;
    let mut page = house.page(&house.cookie("nour").await).await;
    page.say(r#"{"type":"rtc.offer","sdp":"v=0"}"#).await;
    assert!(matches!(page.hear().await, Some(ServerMessage::RtcAnswer { .. })));
    house.feed.send(FeedInput::PageSdp(NOUR, None)).expect("the feed lives");
    assert_eq!(page.hear().await, Some(ServerMessage::RtcFailed { why: "refused".into() }));
}
