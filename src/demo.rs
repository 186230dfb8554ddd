//! `bandeau demo`: a whole evening on this machine. Engine, pages, a simulated carrier with speaking
//! callers, simulated desk phones and the board in the terminal; nothing leaves the
//! loopback and nothing is left behind.

use crate::config::Config;
use crate::driver::{self, Ready};
use crate::load;
use crate::store::users::{Account, Role, Users};
use crate::watch;
use anyhow::Context;
use clap::FromArgMatches;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::{IsTerminal, Write as _};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// The plan the demo serves: the shipped example.
const PLAN: &str = include_str!("../dialplans/samu.toml");

/// The demo's centre, as its plan calls it.
const CENTRE: &str = "samu-67";
/// Desk phones of the demo's room, each answered by itself: enough that calls are answered, few
/// enough that some wait for whoever tries the page.
const DESKS: [&str; 2] = ["alex", "sam"];
/// Those, and the phone that rings when the page is lost in a conversation.
const PHONES: u16 = 3;
/// Who answers by the page, and who watches.
const PEOPLE: [(&str, Role, &str); 2] =
    [("nour", Role::Agent, "answers calls"), ("claire", Role::Supervisor, "watches and steers")];

/// `bandeau demo`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Stop after this many seconds; by default by Ctrl-C, or when the board is left with `q`
    #[arg(long, default_value_t = 3600)]
    pub seconds: u64,
    /// Calls a second
    #[arg(long, default_value_t = 0.2)]
    pub rate: f64,
    /// The pages' port; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Leave this terminal alone: no board is drawn in it
    #[arg(long, conflicts_with = "plain")]
    pub no_board: bool,
    /// Print the board as text
    #[arg(long)]
    pub plain: bool,
    /// Language of the board: fr or en; by default from LANG
    #[arg(long)]
    pub lang: Option<String>,
}

/// Runs until Ctrl-C, or until the board is left.
///
/// # Errors
/// When a part cannot be started.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let room = Room::furnish(args.port)?;
    let (engine, ready, stop) = engine(&room)?;
    let carrier = play(args, &ready, room.desks)?;
    let mut out = std::io::stdout();
    out.write_all(welcome(&ready, &room.people).as_bytes())?;
    out.flush()?; // whoever reads us through a pipe waits for it
    let drawn = !args.no_board && out.is_terminal();
    let watched = if drawn || args.plain {
        watch::run(watch::Args {
            url: format!("ws://{}/live", ready.http),
            token_file: room.path("token"),
            plain: args.plain,
            once: false,
            seconds: Some(args.seconds),
            lang: args.lang.clone(),
            note: note(&ready, &room.people),
        })
    } else {
        engine.ended_within(Duration::from_secs(args.seconds));
        Ok(())
    };
    carrier.stop();
    let _ = stop.send(());
    let served = engine.thread.join().map_err(|_| anyhow::anyhow!("the engine has panicked"))?;
    room.clear();
    watched.and(served).map(|()| ExitCode::SUCCESS)
}

/// The demo's own directory: configuration, plan, token, state and log.
struct Room {
    dir: PathBuf,
    /// The first phone's SIP port; the others follow.
    desks: u16,
    /// Who may sign in, and the password of this run.
    people: Vec<(Account, String)>,
}

impl Room {
    fn furnish(http: u16) -> anyhow::Result<Room> {
        let dir = std::env::temp_dir().join(format!("bandeau-demo-{}", std::process::id()));
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let room = Room { dir, desks: free_ports(PHONES)?, people: people()? };
        let token = token();
        fs::write(room.path("samu.toml"), PLAN)?;
        fs::write(room.path("token"), &token)?;
        fs::write(room.path("bandeau.toml"), configuration(&token, http, room.desks, &audio_ports()?))?;
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

/// Ports for the demo's audio: enough for the callers and phones of a busy room.
const AUDIO_PORTS: u16 = 200;

/// A window of ports that nobody uses, below those the system gives out by itself. Where to look
/// first is chance: two demos, or a load test, may start beside us at the same instant.
fn audio_ports() -> anyhow::Result<String> {
    const WINDOWS: u16 = 13;
    let bind = |port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let chance = u16::try_from(driver::chance() % u64::from(WINDOWS))?;
    let mut firsts = (0..WINDOWS).map(|n| 30_000 + (n + chance) % WINDOWS * AUDIO_PORTS);
    let first = firsts.find(|first| (*first..first + AUDIO_PORTS).all(bind));
    let first = first.context("no UDP ports are free for audio")?;
    Ok(format!("{first}-{}", first + AUDIO_PORTS - 1))
}

/// Accounts for this run only.
fn people() -> anyhow::Result<Vec<(Account, String)>> {
    let person = |(name, role, _): (&str, Role, &str)| {
        let agent = role.answers().then(|| name.to_owned());
        let account =
            Account { name: name.to_owned(), role, centre: Some(CENTRE.to_owned()), agent, stamp: 0 };
        Ok((account, password()?))
    };
    PEOPLE.into_iter().map(person).collect()
}

/// Sixteen letters and digits that are not taken for one another, typed from a screen: 79 bits.
fn password() -> anyhow::Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut chance = [0; 16];
    getrandom::fill(&mut chance)?;
    let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
    let groups = chance.chunks(4).map(|four| four.iter().map(letter).collect::<String>());
    Ok(groups.collect::<Vec<_>>().join("-"))
}

/// What to open, and who to be.
fn welcome(ready: &Ready, people: &[(Account, String)]) -> String {
    let mut text = format!("\nOpen http://{}/ in a browser on this machine and sign in:\n", ready.http);
    for ((account, password), (_, _, does)) in people.iter().zip(PEOPLE) {
        let _ = writeln!(text, "  {:8} {password}   {}, {does}", account.name, account.role);
    }
    text += "\nAn agent starts paused: F10 is \"ready\", then F2 answers, F8 holds, F9 hangs up.\n";
    if let Some(sip) = ready.sip.first() {
        let _ = writeln!(text, "A softphone on this machine may call sip:15@{sip}.");
    }
    text + "Callers speak, nobody is called. Ctrl-C ends it; nothing is left behind.\n\n"
}

/// The same in one line, below the board.
fn note(ready: &Ready, people: &[(Account, String)]) -> String {
    let logins = people.iter().map(|(account, password)| format!("{} {password}", account.name));
    format!("http://{}/   {}   F10 ready, F2 answer", ready.http, logins.collect::<Vec<_>>().join("   "))
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

fn configuration(token: &str, http: u16, desks: u16, audio: &str) -> String {
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
ports = "{audio}"

[http]
listen = "127.0.0.1:{http}"

[[trunk]]
name = "demo-carrier"
peers = ["127.0.0.1"]

[[access]]
name = "demo"
role = "supervisor"
token_sha256 = "{hash}"

[[centre]]
name = "{CENTRE}"
plan = "samu.toml"
wrap_up = "4s"

[[centre.agent]]
name = "nour"
role = "agent"
skills = ["arm"]
position = "page"
phone = {{ page = true }}
fallback = {{ uri = "sip:nour@127.0.0.1:{desks}", address = "127.0.0.1:{desks}" }}
"#
    );
    for (name, port) in DESKS.iter().zip(desks + 1..) {
        let _ = write!(
            text,
            r#"
[[centre.agent]]
name = "{name}"
role = "agent"
skills = ["arm"]
position = "desk"
phone = {{ uri = "sip:{name}@127.0.0.1:{port}", address = "127.0.0.1:{port}" }}
always_ready = true
"#
        ); // writing to a string cannot fail
    }
    text
}

/// The engine's thread.
struct Engine {
    thread: JoinHandle<anyhow::Result<()>>,
    /// Says nothing, and goes when the thread ends.
    alive: mpsc::Receiver<()>,
}

impl Engine {
    /// Waits until it has ended by itself (Ctrl-C), for so long at most.
    fn ended_within(&self, most: Duration) {
        let _ = self.alive.recv_timeout(most);
    }
}

fn engine(room: &Room) -> anyhow::Result<(Engine, Ready, oneshot::Sender<()>)> {
    let config = Config::load(&room.path("bandeau.toml"))?;
    let mut users = Users::open(&config.users())?;
    for (account, password) in &room.people {
        users.add(account, password)?;
    }
    drop(users);
    driver::log_to(&config.log, log_file(&room.path("demo.log"))?);
    let (stop, stopped) = oneshot::channel();
    let (tell, told) = mpsc::channel();
    let (living, alive) = mpsc::channel();
    let thread = std::thread::Builder::new().name("core".to_owned()).spawn(move || {
        let ready = move |ready| {
            let _ = tell.send(ready);
        };
        let _living: mpsc::Sender<()> = living;
        driver::serve(config, ready, Some(stopped))
    })?;
    match told.recv() {
        Ok(ready) => Ok((Engine { thread, alive }, ready, stop)),
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
