//! `bandeau demo`: a whole evening on this machine. Engine, a simulated carrier with speaking
//! callers, simulated desk phones, and the board in the terminal; nothing leaves the loopback and
//! nothing is left behind.

use crate::config::Config;
use crate::driver::{self, Ready};
use crate::load;
use crate::watch;
use anyhow::Context;
use clap::FromArgMatches;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// The plan the demo serves: the shipped example.
const PLAN: &str = include_str!("../dialplans/samu.toml");

/// Desks of the demo's room: enough that calls are answered, few enough that some wait.
const PHONES: u16 = 4;

/// `bandeau demo`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Stop after this many seconds; by default when the board is left with `q`
    #[arg(long, default_value_t = 3600)]
    pub seconds: u64,
    /// Calls a second
    #[arg(long, default_value_t = 0.3)]
    pub rate: f64,
    /// Print the board as text instead of drawing it
    #[arg(long)]
    pub plain: bool,
    /// Language of the board: fr or en; by default from LANG
    #[arg(long)]
    pub lang: Option<String>,
}

/// Runs until the board is left.
///
/// # Errors
/// When a part cannot be started.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let room = Room::furnish()?;
    let (engine, ready, stop) = engine(&room)?;
    let carrier = play(args, &ready, room.desks)?;
    let watched = watch::run(watch::Args {
        url: format!("ws://{}/live", ready.http),
        token_file: room.path("token"),
        plain: args.plain,
        once: false,
        seconds: Some(args.seconds),
        lang: args.lang.clone(),
    });
    carrier.stop();
    let _ = stop.send(());
    let served = engine.join().map_err(|_| anyhow::anyhow!("the engine has panicked"))?;
    room.clear();
    watched.and(served).map(|()| ExitCode::SUCCESS)
}

/// The demo's own directory: configuration, plan, token, state and log.
struct Room {
    dir: PathBuf,
    /// The first desk's SIP port; the others follow.
    desks: u16,
}

impl Room {
    fn furnish() -> anyhow::Result<Room> {
        let dir = std::env::temp_dir().join(format!("bandeau-demo-{}", std::process::id()));
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let room = Room { dir, desks: free_ports(PHONES)? };
        let token = token();
        fs::write(room.path("samu.toml"), PLAN)?;
        fs::write(room.path("token"), &token)?;
        fs::write(room.path("bandeau.toml"), configuration(&token, room.desks))?;
        Ok(room)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn clear(self) {
        let _ = fs::remove_dir_all(self.dir); // a directory of the system's temporary files at worst
    }
}

/// The first of `count` UDP ports in a row that nobody uses.
fn free_ports(count: u16) -> anyhow::Result<u16> {
    let bind = |port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port));
    for _ in 0..100 {
        let first = bind(0)?.local_addr()?.port();
        if first <= u16::MAX - count && (first..first + count).all(|port| bind(port).is_ok()) {
            return Ok(first);
        }
    }
    anyhow::bail!("no {count} UDP ports in a row are free on this machine")
}

/// A bearer token for this run only.
fn token() -> String {
    format!("{:016x}{:016x}", driver::chance(), driver::chance())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a string cannot fail
        text
    })
}

fn configuration(token: &str, desks: u16) -> String {
    let hash = hex(&Sha256::digest(token.as_bytes()));
    let mut text = format!(
        r#"
[node]
state_dir = "state"
drain = "0s"

[sip]
listen = ["udp:127.0.0.1:0"]

[media]
bind = "127.0.0.1"
ports = "20000-24999"

[http]
listen = "127.0.0.1:0"

[[trunk]]
name = "demo-carrier"
peers = ["127.0.0.1"]

[[access]]
name = "demo"
role = "supervisor"
token_sha256 = "{hash}"

[[centre]]
name = "samu-67"
plan = "samu.toml"
wrap_up = "4s"
"#
    );
    for i in 0..PHONES {
        let (name, port) = (["nour", "alex", "sam", "lou"][usize::from(i) % 4], desks + i);
        let _ = write!(
            text,
            r#"
[[centre.agent]]
name = "{name}"
role = "agent"
skills = ["arm"]
position = "desk-{i}"
phone = {{ uri = "sip:{name}@127.0.0.1:{port}", address = "127.0.0.1:{port}" }}
always_ready = true
"#
        ); // writing to a string cannot fail
    }
    text
}

type Engine = JoinHandle<anyhow::Result<()>>;

fn engine(room: &Room) -> anyhow::Result<(Engine, Ready, oneshot::Sender<()>)> {
    let config = Config::load(&room.path("bandeau.toml"))?;
    driver::log_to(&config.log, log_file(&room.path("demo.log"))?);
    let (stop, stopped) = oneshot::channel();
    let (tell, told) = mpsc::channel();
    let thread = std::thread::Builder::new().name("core".to_owned()).spawn(move || {
        let ready = move |ready| {
            let _ = tell.send(ready);
        };
        driver::serve(config, ready, Some(stopped))
    })?;
    match told.recv() {
        Ok(ready) => Ok((thread, ready, stop)),
        // The sender went without a word: the engine could not start, and says why.
        Err(_) => match thread.join() {
            Ok(Err(error)) => Err(error),
            _ => anyhow::bail!("the engine did not start"),
        },
    }
}

fn log_file(path: &Path) -> anyhow::Result<fs::File> {
    fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))
}

/// The simulated carrier and phones.
struct Carrier {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Carrier {
    fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

/// A busy hour's mix (load model F.2): mostly 15, some 116117, partners' lines, an eCall now and then.
fn play(args: &Args, ready: &Ready, desks: u16) -> anyhow::Result<Carrier> {
    let target = ready.sip.first().context("no SIP listener")?;
    let count = (args.rate * args.seconds as f64).ceil().clamp(1.0, 100_000.0);
    let words = format!(
        "load --target {target} --count {count} --rate {} --seconds {} --talk 180 --patience 180 \
         --to 15=60 --to 116117=15 --to +33388000018=12 --to 112=10 --to urn:service:sos.ecall.automatic=3 \
         --from 06******** --audio speech --phones {PHONES} --phone-port {desks} --ring 2 --phone-talk 9",
        args.rate, args.seconds
    );
    let command = <load::plan::Args as clap::Args>::augment_args(clap::Command::new("load"));
    let matches = command.try_get_matches_from(words.split_whitespace())?;
    let plan = load::plan::Plan::check(load::plan::Args::from_arg_matches(&matches)?)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new().name("carrier".to_owned()).spawn(move || {
        runtime.block_on(async move {
            tokio::select! {
                played = load::play(plan, driver::clock::shared()) => if let Err(error) = played {
                    tracing::error!(%error, "the simulated carrier has stopped");
                },
                _ = stopped => {}
            }
        });
    })?;
    Ok(Carrier { stop, thread })
}
