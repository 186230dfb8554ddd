//! Who is let in: a browser by the cookie of its session, a program by its bearer token; and the
//! session itself, `/api/v1/session`.
//!
//! | request | answer |
//! |---|---|
//! | `POST {name, password, position?, role?}` | 200 and the cookie; 401 `credentials`, 429 `wait`, 403 `role` or `no_agent` |
//! | `GET` | 200 who it is; 401 `session` |
//! | `DELETE` | 204; the session's pages are closed, its agent's shift ends |
//!
//! A cookie counts only with an Origin of ours: a browser always says where a page is from, and
//! cannot be made to lie. Deliberately absent: trust in a proxy's word about addresses.

use super::feed::{Clock, Feeds};
use super::http::{Access, HttpState, OUTCOME_WITHIN, answer, error_answer};
use super::patience::Patience;
use super::session::{Session, SessionId, Sessions};
use super::tls::Source;
use crate::store::users::{Account, Role, Users};
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use engine::id::CentreId;
use engine::live::cast::Cast;
use engine::live::view::{Right, Viewer};
use engine::live::wire::{ServerMessage, WireVerb};
use prometheus::{IntCounterVec, Opts};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Passwords being looked at, one after the other; each takes tens of milliseconds of one core.
const AT_THE_DOOR_MAX: usize = 8;
/// Between two looks at who is signed in and should not be.
const SWEEP_EVERY: Duration = Duration::from_secs(2);
/// Longest name of a position.
const POSITION_MAX: usize = 64;

/// Accounts, sessions, and how often somebody was wrong.
pub struct Door {
    casts: Vec<Cast>,
    clock: Clock,
    users: Option<Arc<Mutex<Users>>>,
    sessions: Mutex<Sessions>,
    patience: Mutex<Patience>,
    at_the_door: AtomicUsize,
    counted: IntCounterVec,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door(..)")
    }
}

/// Somebody who was let in.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) centre: CentreId,
    pub(super) viewer: Viewer,
    /// Fails when the session is over; a bearer token has none.
    pub(super) over: Option<watch::Receiver<()>>,
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAdmitted {
    /// A page of another site sent it, or a browser that does not say where it is from.
    Origin,
    /// A bearer token nobody has.
    Token,
    /// Neither a session nor a token.
    Session,
}

impl NotAdmitted {
    pub(super) fn response(self, door: &Door) -> Response<Body> {
        match self {
            NotAdmitted::Origin => {
                door.count("origin");
                error_answer(StatusCode::FORBIDDEN, "origin", "pages of this origin may not do this")
            }
            NotAdmitted::Token => {
                door.count("token");
                challenge("token", "nobody has this bearer token")
            }
            NotAdmitted::Session => {
                door.count("session");
                challenge("session", "sign in, or send a bearer token")
            }
        }
    }
}

fn challenge(code: &str, why: &str) -> Response<Body> {
    let mut response = error_answer(StatusCode::UNAUTHORIZED, code, why);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

impl Door {
    /// A door with nobody inside. Without `users` only bearer tokens open it.
    pub fn new(
        casts: Vec<Cast>,
        clock: Clock,
        users: Option<Users>,
        registry: &prometheus::Registry,
    ) -> Door {
        let options = Opts::new("bandeau_door_total", "Who came to the HTTP port, by what became of it");
        // A constant prometheus accepts; a second door on one registry (tests) counts unseen.
        let counted = IntCounterVec::new(options, &["what"]).expect("constant");
        let _ = registry.register(Box::new(counted.clone()));
        Door {
            casts,
            clock,
            users: users.map(|users| Arc::new(Mutex::new(users))),
            sessions: Mutex::default(),
            patience: Mutex::default(),
            at_the_door: AtomicUsize::new(0),
            counted,
        }
    }

    pub(super) fn count(&self, what: &str) {
        self.counted.with_label_values(&[what]).inc();
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner) // whole after each call
    }

    fn patience(&self) -> MutexGuard<'_, Patience> {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs out, for ever, whoever time or a removed account has ended.
    pub(super) async fn sweep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            let stamps = match self.with_users(|users| users.stamps()).await {
                Some(Ok(stamps)) => Some(stamps),
                Some(Err(error)) => {
                    tracing::warn!(%error, "accounts cannot be read: nobody is signed out for their sake");
                    None
                }
                None => None,
            };
            self.sessions().sweep((self.clock)().at, stamps.as_ref());
        }
    }

    /// Asks the accounts, away from this thread: a disk may stall, and hashing is slow.
    async fn with_users<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Users) -> T + Send + 'static,
    ) -> Option<T> {
        let users = Arc::clone(self.users.as_ref()?);
        let asked =
            tokio::task::spawn_blocking(move || ask(&users.lock().unwrap_or_else(PoisonError::into_inner)));
        asked.await.ok()
    }

    /// What an account opens: a viewer for each centre.
    fn opens(&self, account: &Account) -> Vec<(CentreId, Viewer)> {
        let own =
            self.casts.iter().filter(|cast| account.centre.as_ref().is_none_or(|name| *name == cast.name));
        let viewer = |cast: &Cast| {
            let right = match account.role {
                Role::Agent | Role::Regulator => Right::Agent(cast.agent_named(account.agent.as_deref()?)?),
                Role::Supervisor | Role::Administrator => Right::Supervisor,
                Role::Observer => Right::Observer,
            };
            Some((cast.centre, Viewer { name: account.name.clone(), right }))
        };
        own.filter_map(viewer).collect()
    }

    /// What a page is told of its session.
    fn describe(&self, session: &Session) -> serde_json::Value {
        let (centre, viewer) = session.opens.first().map_or((None, None), |(c, v)| (Some(*c), Some(v)));
        let cast = self.casts.iter().find(|cast| Some(cast.centre) == centre);
        let agent = match (viewer.map(|viewer| viewer.right), cast) {
            (Some(Right::Agent(agent)), Some(cast)) => Some(cast.agent_name(agent)),
            _ => None,
        };
        serde_json::json!({
            "name": session.account.name,
            "role": session.account.role,
            "right": viewer.map(|viewer| viewer.right.name()),
            "centre": cast.map(|cast| &cast.name),
            "agent": agent,
            "position": session.position,
        })
    }
}

/// Whoever sent a request with these headers. One account may open several centres: `?centre=1`
/// says which, else it is the first.
pub(super) fn admit(
    state: &HttpState,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Guest, NotAdmitted> {
    let asked =
        query.into_iter().flat_map(|query| query.split('&')).find_map(|one| one.strip_prefix("centre="));
    let is_asked = |centre: CentreId| asked.is_none_or(|asked| centre.0.to_string() == asked);
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        check_origin(state, headers, Program::May)?;
        let access = bearer(&state.access, value, is_asked).ok_or(NotAdmitted::Token)?;
        return Ok(Guest { centre: access.centre, viewer: access.viewer.clone(), over: None });
    }
    let id = cookie(state, headers).ok_or(NotAdmitted::Session);
    check_origin(state, headers, if id.is_ok() { Program::MayNot } else { Program::May })?;
    let now = (state.door.clock)().at;
    let mut sessions = state.door.sessions();
    let session = sessions.hear(now, &id?).ok_or(NotAdmitted::Session)?;
    let opened = session.opens.iter().find(|(centre, _)| is_asked(*centre)).ok_or(NotAdmitted::Session)?;
    Ok(Guest { centre: opened.0, viewer: opened.1.clone(), over: Some(session.watch()) })
}

fn bearer(all: &[Access], value: &HeaderValue, is_asked: impl Fn(CentreId) -> bool) -> Option<Access> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let given: [u8; 32] = Sha256::digest(token.trim().as_bytes()).into();
    // Every account is compared, in full: the time taken tells nothing.
    let same = all.iter().map(|access| is_same(&access.token_sha256, &given)).collect::<Vec<_>>();
    let mut opened = all.iter().zip(same).filter(|(access, same)| *same && is_asked(access.centre));
    opened.next().map(|(access, _)| access.clone())
}

/// Equal or not, in the same time whatever differs.
fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let differs = one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b));
    std::hint::black_box(differs) == 0
}

/// Whether a request without an Origin will do: programs send none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    May,
    MayNot,
}

fn check_origin(state: &HttpState, headers: &HeaderMap, program: Program) -> Result<(), NotAdmitted> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return if program == Program::May { Ok(()) } else { Err(NotAdmitted::Origin) };
    };
    let origin = origin.to_str().map_err(|_| NotAdmitted::Origin)?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let scheme = if state.tls.is_some() { "https" } else { "http" };
    let is_own = host.is_some_and(|host| origin == format!("{scheme}://{host}"));
    let is_allowed = is_own || state.origins.iter().any(|allowed| allowed == origin);
    if is_allowed { Ok(()) } else { Err(NotAdmitted::Origin) }
}

/// The session's cookie. Under TLS its name binds it to this host, this path and TLS (RFC 6265bis
/// §4.1.3.2); a browser takes such a name only with `Secure`.
fn cookie_name(state: &HttpState) -> &'static str {
    if is_secure(state) { "__Host-bandeau" } else { "bandeau" }
}

/// TLS is ours, or a proxy's whose pages are allowed.
fn is_secure(state: &HttpState) -> bool {
    state.tls.is_some() || state.origins.iter().any(|origin| origin.starts_with("https://"))
}

fn cookie(state: &HttpState, headers: &HeaderMap) -> Option<SessionId> {
    let values = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == cookie_name(state)).map(|(_, value)| SessionId::of_cookie(value))
}

/// With the cookie to keep, or, without an id, to forget. It lives as long as the browser's session.
fn with_cookie(state: &HttpState, mut response: Response<Body>, id: Option<&SessionId>) -> Response<Body> {
    let secure = if is_secure(state) { "; Secure" } else { "" };
    let (value, age) = id.map_or(("", "; Max-Age=0"), |id| (id.as_str(), ""));
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}", cookie_name(state));
    // Hexadecimal and constants: always a header.
    if let Ok(text) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::SET_COOKIE, text);
    }
    response
}

/// `GET /api/v1/session`.
pub(super) async fn who_am_i(State(state): State<HttpState>, headers: HeaderMap) -> Response<Body> {
    let now = (state.door.clock)().at;
    let mut sessions = state.door.sessions();
    match cookie(&state, &headers).and_then(|id| sessions.hear(now, &id)) {
        Some(session) => answer(StatusCode::OK, "application/json", state.door.describe(session).to_string()),
        None => error_answer(StatusCode::UNAUTHORIZED, "session", "nobody is signed in here"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    name: String,
    password: String,
    position: Option<String>,
    /// The role of the shift, when it is not the account's own.
    role: Option<String>,
}

/// `POST /api/v1/session`.
pub(super) async fn sign_in(
    State(state): State<HttpState>,
    ConnectInfo(Source(source)): ConnectInfo<Source>,
    headers: HeaderMap,
    body: String,
) -> Response<Body> {
    if let Err(refusal) = check_origin(&state, &headers, Program::MayNot) {
        return refusal.response(&state.door);
    }
    let wish: SignIn = match serde_json::from_str(&body) {
        Ok(wish) => wish,
        Err(error) => {
            let code = if error.is_data() { "bad_message" } else { "bad_json" };
            // Not the error's own words: they may quote a password.
            return error_answer(StatusCode::BAD_REQUEST, code, "name and password are needed");
        }
    };
    let SignIn { name, password, position, role } = wish;
    let position = position.filter(|position| !position.trim().is_empty());
    if position.as_ref().is_some_and(|position| position.len() > POSITION_MAX) {
        return error_answer(StatusCode::BAD_REQUEST, "position", "too long");
    }
    let account = match known(&state.door, name, password, source.ip()).await {
        Ok(account) => account,
        Err(refused) => return refused,
    };
    let account = match for_shift(account, role.as_deref()) {
        Some(account) => account,
        None => return error_answer(StatusCode::FORBIDDEN, "role", "this account has another role"),
    };
    let opens = state.door.opens(&account);
    let Some((centre, viewer)) = opens.first().cloned() else {
        return error_answer(
            StatusCode::FORBIDDEN,
            "no_agent",
            "the configuration lacks what this account is for",
        );
    };
    if let Right::Agent(_) = viewer.right {
        let verb = WireVerb::SignIn { agent: None, position: position.clone() };
        if let Err(refused) = wish_for(&state.feeds, centre, viewer, verb).await {
            return refused;
        }
    }
    let Ok(id) = SessionId::new() else {
        return error_answer(StatusCode::INTERNAL_SERVER_ERROR, "chance", "no random numbers");
    };
    let session = Session::new((state.door.clock)().at, account, opens, position);
    let told = answer(StatusCode::OK, "application/json", state.door.describe(&session).to_string());
    let mut sessions = state.door.sessions();
    if let Some(before) = cookie(&state, &headers) {
        drop(sessions.end(&before)); // one browser, one person
    }
    if !sessions.begin(&id, session) {
        return error_answer(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many people are signed in");
    }
    state.door.count("signed_in");
    with_cookie(&state, told, Some(&id))
}

/// The account of this name and password, unless it, or its sender, has to wait.
async fn known(
    door: &Door,
    name: String,
    password: String,
    source: IpAddr,
) -> Result<Account, Response<Body>> {
    let busy = || error_answer(StatusCode::SERVICE_UNAVAILABLE, "busy", "try again in a second");
    let Some(_place) = Place::take(&door.at_the_door) else { return Err(busy()) };
    let taken = door.patience().take((door.clock)().at, &name, source);
    if let Err(wait) = taken {
        return Err(must_wait(door, wait));
    }
    let who = name.clone();
    match door.with_users(move |users| users.check(&who, &password)).await {
        Some(Ok(Some(account))) => {
            door.patience().was_right(&name, source);
            Ok(account)
        }
        Some(Ok(None)) | None => {
            door.count("credentials");
            tracing::warn!("a sign-in with a wrong name or password");
            Err(error_answer(StatusCode::UNAUTHORIZED, "credentials", "wrong name or password"))
        }
        Some(Err(error)) => {
            tracing::error!(%error, "accounts cannot be read: nobody can sign in");
            Err(busy())
        }
    }
}

/// One of the places at the door; given back even when its browser leaves in the middle.
struct Place<'a>(&'a AtomicUsize);

impl Place<'_> {
    fn take(taken: &AtomicUsize) -> Option<Place<'_>> {
        let place = Place(taken); // counted before it is looked at, so that two never see the last one
        (taken.fetch_add(1, Ordering::Relaxed) < AT_THE_DOOR_MAX).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn must_wait(door: &Door, wait: Duration) -> Response<Body> {
    door.count("wait");
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let body =
        serde_json::json!({"type": "error", "code": "wait", "params": {"seconds": seconds.to_string()}});
    let mut response = answer(StatusCode::TOO_MANY_REQUESTS, "application/json", body.to_string());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// The account in the role of the shift; `None`: it may not have that role.
fn for_shift(account: Account, role: Option<&str>) -> Option<Account> {
    let Some(asked) = role else { return Some(account) };
    let asked: Role = asked.parse().ok()?;
    let may = match (account.role, asked) {
        (own, asked) if own == asked => true,
        (Role::Supervisor | Role::Administrator, Role::Agent) => account.agent.is_some(),
        (Role::Supervisor | Role::Administrator, Role::Observer) => true,
        (Role::Administrator, Role::Supervisor) => true,
        _ => false,
    };
    may.then_some(Account { role: asked, ..account })
}

/// Has a wish of this viewer fulfilled, or says why not.
async fn wish_for(
    feeds: &Feeds,
    centre: CentreId,
    viewer: Viewer,
    verb: WireVerb,
) -> Result<(), Response<Body>> {
    let id = getrandom::u64().map(|chance| format!("door-{chance:016x}"));
    let Ok(id) = id else {
        return Err(error_answer(StatusCode::INTERNAL_SERVER_ERROR, "chance", "no random numbers"));
    };
    match tokio::time::timeout(OUTCOME_WITHIN, feeds.request(centre, viewer, id, verb)).await {
        Ok(Some(ServerMessage::Outcome { refusal: None, .. })) => Ok(()),
        Ok(Some(ServerMessage::Outcome { refusal: Some(code), .. })) => {
            Err(error_answer(StatusCode::CONFLICT, &code, "the shift cannot be changed"))
        }
        Ok(Some(_)) => Err(error_answer(StatusCode::CONFLICT, "unknown", "the shift cannot be changed")),
        Ok(None) => Err(error_answer(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the engine stops")),
        Err(_) => Err(error_answer(StatusCode::GATEWAY_TIMEOUT, "late", "the engine does not answer")),
    }
}

/// `DELETE /api/v1/session`.
pub(super) async fn sign_out(State(state): State<HttpState>, headers: HeaderMap) -> Response<Body> {
    if let Err(refusal) = check_origin(&state, &headers, Program::MayNot) {
        return refusal.response(&state.door);
    }
    let ended = cookie(&state, &headers).and_then(|id| state.door.sessions().end(&id));
    let shift = ended.as_ref().and_then(|session| session.opens.first().cloned());
    if let Some((centre, viewer)) = shift
        && let Right::Agent(_) = viewer.right
        && !state.door.sessions().has(centre, viewer.right)
    {
        // Signed out here whatever becomes of it: without a page there are no offers either.
        let _ = wish_for(&state.feeds, centre, viewer, WireVerb::SignOut { agent: None }).await;
    }
    with_cookie(&state, answer(StatusCode::NO_CONTENT, "text/plain", String::new()), None)
}
