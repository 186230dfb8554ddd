//! Starts the real binary with a configuration of its own, on ports that are free, and plays
//! against it with the real `bandeau load`.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of it")]

pub mod baresip;
pub mod carrier;
pub mod certificates;
pub mod house;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The plan of most tests: answered at once, one queue, every class the trade needs.
pub const PLAN: &str = r#"
plan    = "test"
version = "1"

[numbers]
"15"           = "samu"
"116117"       = "pdsa"
"+33388000018" = "partner-fire"
"urn:service:sos.ecall.automatic" = "samu"

[class]
vital       = { fence = true }
partner     = { target = "10s" }
unqualified = { target = "20s" }

[queue.front]
skills = ["arm"]
offer  = { mode = "exclusive", strategy = "longest-idle", ring = "6s" }
hold   = "answered"

[[route]]
name     = "fire brigade"
priority = 10
when     = { service = "partner-fire" }
then     = { queue = "front", class = "partner" }

[[route]]
name     = "default"
priority = 0
then     = { queue = "front", class = "unqualified" }

[[modifier]]
name = "automatic eCall"
when = { urn = "urn:service:sos.ecall.automatic" }
then = { class = "vital" }
"#;

/// What a room of phones is like.
#[derive(Clone, Copy, Debug)]
pub enum Phones {
    /// At these consecutive ports of the loopback.
    Static { first: u16, count: u16 },
    /// One that registers as `phone0` with the password `open-sesame`.
    Registered,
    /// The same on a phone that knows MD5 only.
    RegisteredMd5,
    /// Nobody works here.
    None,
}

/// A running node.
pub struct Node {
    child: Child,
    pub sip: SocketAddr,
    pub http: SocketAddr,
    folder: Folder,
}

/// A folder of one test, removed with it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bandeau-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Node {
    /// Starts a node and waits until it takes calls.
    pub fn start(phones: Phones) -> Node {
        Node::start_with(phones, PLAN, "info", "1s")
    }

    /// The same with a plan, a level of the technical log and a time to drain.
    pub fn start_with(phones: Phones, plan: &str, level: &str, drain: &str) -> Node {
        Node::start_edited(phones, plan, |text, _| {
            text.replace("level = \"info\"", &format!("level = \"{level}\""))
                .replace("drain     = \"1s\"", &format!("drain     = \"{drain}\""))
        })
    }

    /// The same with a configuration changed before it starts; the folder is its own.
    pub fn start_edited(phones: Phones, plan: &str, edit: impl FnOnce(String, &Folder) -> String) -> Node {
        let folder = Folder::new();
        let sip = free_udp(1);
        let http = free_tcp();
        folder.write("plan.toml", plan);
        folder.write("password", "open-sesame\n");
        let text = edit(configuration(sip, http, phones, "info", "1s"), &folder);
        let config = folder.write("bandeau.toml", &text);
        let (sip, http) = (local(sip), local(http));
        let child = serve(&folder, &config, http);
        Node { child, sip, http, folder }
    }

    /// Kills it as the system would, and starts it again where it was.
    pub fn kill_and_start_again(&mut self) {
        self.signal("-KILL");
        self.child.wait().unwrap();
        self.child = serve(&self.folder, &self.folder.0.join("bandeau.toml"), self.http);
    }

    /// Posts a command with a token of its `[[access]]`; the answer.
    pub fn command(&self, token: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.http).unwrap();
        write!(
            stream,
            "POST /api/v1/commands HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.http,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("log")).unwrap()
    }

    /// The sum of a metric over its labels, as `/metrics` says.
    pub fn metric(&self, name: &str) -> f64 {
        sum(&get(self.http, "/metrics").unwrap_or_default(), name)
    }

    /// The same, of the lines that carry this label.
    pub fn metric_of(&self, name: &str, label: &str) -> f64 {
        let metrics = get(self.http, "/metrics").unwrap_or_default();
        sum(&metrics.lines().filter(|line| line.contains(label)).collect::<Vec<_>>().join("\n"), name)
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Asks it to read its plans again.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Callers and phones against this node.
    pub fn load(&self, args: &str) -> Load {
        let mut command = bandeau();
        command.args(["load", "--json", "--target", &self.sip.to_string()]);
        command.args(args.split_whitespace());
        Load(command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap())
    }

    /// Phones only, once the first of them listens at `port`.
    pub fn phones(&self, port: u16, args: &str) -> Load {
        let phones = self.load(&format!("--count 0 --phone-port {port} {args}"));
        eventually("the phone listens", || UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_err());
        phones
    }

    pub fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// Puts a file into its folder.
    pub fn write(&self, name: &str, text: &str) {
        self.folder.write(name, text);
    }

    /// Its configuration file, as it was written.
    pub fn configuration(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("bandeau.toml")).unwrap()
    }
}

/// Starts the process and waits until it takes calls. What it logs is added to what is there.
fn serve(folder: &Folder, config: &Path, http: SocketAddr) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.0.join("log")).unwrap();
    let mut command = bandeau();
    command.args(["serve", "--config"]).arg(config);
    let mut child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    eventually("the node is ready", || {
        if let Some(status) = child.try_wait().unwrap() {
            panic!("serve ended with {status}: {}", std::fs::read_to_string(folder.0.join("log")).unwrap());
        }
        get(http, "/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
    });
    child
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the node's log:\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Callers against whatever stands before a node.
pub fn load_at(target: SocketAddr, args: &str) -> Load {
    let mut command = bandeau();
    command.args(["load", "--json", "--target", &target.to_string()]);
    command.args(args.split_whitespace());
    Load(command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap())
}

/// A running `bandeau load`.
pub struct Load(Child);

impl Load {
    /// What it saw, once it has ended by itself.
    pub fn report(mut self) -> serde_json::Value {
        let mut text = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        self.0.wait().unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("load said `{text}`: {error}"))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The binary under test.
pub fn bandeau() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bandeau"))
}

/// Waits for something that must come about; ten seconds are for a machine busy with other tests.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never came about: {what}");
}

/// The first of `count` consecutive UDP ports that are free and were given to no other test.
pub fn free_udp(count: u16) -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap();
    for _ in 0..100 {
        let first = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        if port > u16::MAX - count || given.range(port..port + count).next().is_some() {
            continue;
        }
        if (1..count).all(|next| UdpSocket::bind((Ipv4Addr::LOCALHOST, port + next)).is_ok()) {
            given.extend(port..port + count);
            return port;
        }
    }
    panic!("no {count} UDP ports in a row are free");
}

/// UDP ports of one node's media plane, which binds a stock of them ahead.
const MEDIA_PORTS: u16 = 400;

/// The first port of a window that is free as a whole, below the ports the system gives out by
/// itself. Where to look first differs from process to process and from node to node.
fn free_media() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const WINDOWS: u32 = 50;
    for _ in 0..WINDOWS {
        let turn = std::process::id().wrapping_mul(7).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let first = 10_000 + u16::try_from(turn % WINDOWS).unwrap() * MEDIA_PORTS;
        let bound: Vec<_> = (first..first + MEDIA_PORTS)
            .map_while(|port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok())
            .collect();
        if bound.len() == usize::from(MEDIA_PORTS) {
            return first;
        }
    }
    panic!("no window of {MEDIA_PORTS} UDP ports is free");
}

pub fn free_tcp() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

pub fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// The answer to a GET, or `None` when nobody listens.
pub fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// Sums the lines of one metric.
pub fn sum(metrics: &str, name: &str) -> f64 {
    let mine = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
    metrics.lines().filter(mine).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

pub fn configuration(sip: u16, http: u16, phones: Phones, level: &str, drain: &str) -> String {
    let media = free_media();
    let mut text = format!(
        r#"
[node]
state_dir = "state"
drain     = "{drain}"

[sip]
listen = ["udp:127.0.0.1:{sip}"]

[media]
bind  = "127.0.0.1"
ports = "{media}-{}"

[http]
listen = "127.0.0.1:{http}"

[log]
level = "{level}"

[[trunk]]
name  = "test-trunk"
peers = ["127.0.0.1"]

[[centre]]
name    = "test"
plan    = "plan.toml"
wrap_up = "0s"
"#,
        media + MEDIA_PORTS - 1
    );
    let mut agent = |i: u16, phone: String| {
        write!(
            text,
            "\n[[centre.agent]]\nname = \"a{i}\"\nrole = \"agent\"\nskills = [\"arm\"]\nposition = \"desk {i}\"\n\
             always_ready = true\nphone = {phone}\n"
        )
        .unwrap();
    };
    match phones {
        Phones::None => {}
        Phones::Static { first, count } => (0..count).for_each(|i| {
            let port = first + i;
            agent(i, format!(r#"{{ uri = "sip:a{i}@127.0.0.1:{port}", address = "127.0.0.1:{port}" }}"#));
        }),
        Phones::Registered => agent(0, r#"{ user = "phone0", password_file = "password" }"#.to_owned()),
        Phones::RegisteredMd5 => {
            let ha1 = sip::auth::ha1(sip::header::auth::Algorithm::Md5, "phone0", "bandeau", "open-sesame");
            agent(0, format!(r#"{{ user = "phone0", ha1_md5 = "{ha1}" }}"#));
        }
    }
    text
}
