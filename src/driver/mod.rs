//! Everything that awaits, reads clocks and opens sockets.
//!
//! Three places run side by side and never wait for each other: the core (one thread: SIP in, the
//! engine, SIP out), the packet threads of the media plane, and the office (one thread: boards,
//! metrics, logs, HTTP). The core tells the office over a channel and asks it nothing.

pub mod agents;
pub mod clock;
pub mod door;
pub mod feed;
pub mod http;
pub mod tls;

mod assets;
mod core;
mod crowd;
mod descriptors;
mod gate;
mod kept;
mod leaving;
mod names;
mod office;
mod patience;
mod peers;
mod reload;
mod session;
mod signals;
mod sip_tls;
mod sockets;
mod sparing;
mod steer;
mod stream;
mod telemetry;
mod udp;

use crate::config::Config;
use crate::media::plane::{Plane, PlaneConfig};
use crate::media::sound::Sounds;
use crate::store::{self, Store};
use anyhow::Context;
use clock::Clock;
use engine::call::snapshot::LeftBehind;
use engine::time::Instant;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;
use tokio::sync::{mpsc, oneshot};
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::prelude::*;

/// Ports bound ahead of need: the burst of calls that may come between two turns of a packet thread.
const STOCK: usize = 512;

/// Where a running engine really listens, once it does.
#[derive(Clone, Debug)]
pub struct Ready {
    /// SIP, in the order of the configuration.
    pub sip: Vec<SocketAddr>,
    /// Pages, metrics and the feed.
    pub http: SocketAddr,
}

/// What stops a running engine besides a signal.
pub type Stop = oneshot::Receiver<()>;

/// Serves until a signal (or `stop`), drains, and leaves the journal for the next start.
/// `ready` is told once everything listens.
///
/// # Errors
/// What kept it from starting, in words for the operator. Nothing runs then.
pub fn serve(config: Config, ready: impl FnOnce(Ready), stop: Option<Stop>) -> anyhow::Result<()> {
    let core = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    core.block_on(serve_here(config, ready, stop))
}

async fn serve_here(mut config: Config, ready: impl FnOnce(Ready), stop: Option<Stop>) -> anyhow::Result<()> {
    let epoch = store::next_epoch(&config.state_dir)?;
    config.site.epoch = epoch;
    descriptors::fit(&mut config);
    let (left, files) = store::left_behind(&config.state_dir)?;
    let clock = Clock::start(last_instant(&left));
    let store = Store::open(&config.state_dir, epoch)?;

    let signals = signals::Signals::listen()?;
    let sockets = sockets::Sockets::bind(&mut config, clock)?;
    let listen = config.http.listen;
    let http = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}: is another program there?"))?;
    let (tell, told) = mpsc::unbounded_channel();
    let (wish, wishes) = mpsc::unbounded_channel();
    reload::warn_of_unstaffed(&config.site.centres);
    reload::on_hangup(&config, sounds(&config)?, wish.clone())?;
    let plane = plane(&config, &tell)?;
    let where_ = Ready { sip: config.listen.iter().map(|it| it.address).collect(), http: http.local_addr()? };

    let (office, voice) = office::Office::open(&config, clock, http.into_std()?, wish)?;
    let names = names::resolve(&config)?;
    let hands = core::Hands { plane, store, voice };
    let core = core::Core::new(config.site, (chance(), secret()?), clock, sockets, hands);
    tell_of(&left);
    tracing::info!(epoch, sip = ?where_.sip, http = %where_.http, "ready");
    ready(where_);
    let inboxes =
        core::Inboxes { media: told, wishes, names, signals, stop, drain: config.drain, left: (left, files) };
    let ended = core.run(inboxes).await;
    office.close();
    ended
}

/// The latest instant an earlier start has written.
fn last_instant(left: &LeftBehind) -> Instant {
    left.calls.iter().map(|snapshot| snapshot.at).max().unwrap_or(Instant::ZERO)
}

/// Says what earlier starts left.
fn tell_of(left: &LeftBehind) {
    let callbacks = left.calls.iter().filter(|call| call.course.callback.is_some()).count();
    let cut_off = left.calls.len() - callbacks;
    if cut_off > 0 {
        tracing::error!(
            calls = cut_off,
            "calls of an earlier start were cut off: each has its record, and a callback where the plan says so"
        );
    }
    if callbacks + left.majors.len() > 0 {
        tracing::info!(callbacks, majors = left.majors.len(), "going on with what an earlier start left");
    }
}

fn plane(config: &Config, tell: &mpsc::UnboundedSender<engine::media::MediaEvent>) -> anyhow::Result<Plane> {
    let media = &config.media;
    let pairs = (usize::from(*media.ports.end()) - usize::from(*media.ports.start())) / 2;
    let plane = PlaneConfig {
        bind: media.bind,
        advertised: media.advertised.clone(),
        ports: media.ports.clone(),
        threads: media.threads,
        stock: STOCK.min(pairs),
        page_port: media.page_port,
    };
    let tell = tell.clone();
    let events = move |event| {
        let _ = tell.send(event); // the core is gone: nobody is left to tell
    };
    Ok(Plane::start(plane, sounds(config)?, events)?)
}

/// The sounds compiled in, and those of the site's own directory.
///
/// # Errors
/// When the directory cannot be read or holds something that is no sound.
pub fn sounds(config: &Config) -> anyhow::Result<Sounds> {
    let embedded = Sounds::embedded();
    Ok(match &config.media.sounds {
        Some(directory) => embedded.with_directory(directory)?,
        None => embedded,
    })
}

/// Chance for tags, branches and nonces, from the operating system.
pub fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// What keys for audio are made of, from the operating system.
fn secret() -> anyhow::Result<[u8; 32]> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).context("the system gives no chance")?;
    Ok(secret)
}

/// Starts the technical log on standard error, once per process.
pub fn log(log: &crate::config::Log) {
    log_lines(log, std::io::stderr);
}

/// Starts the technical log in a file, once per process.
pub fn log_to(log: &crate::config::Log, file: std::fs::File) {
    log_lines(log, std::sync::Mutex::new(file));
}

fn log_lines(
    log: &crate::config::Log,
    to: impl for<'a> tracing_subscriber::fmt::MakeWriter<'a> + Send + Sync + 'static,
) {
    // What strangers send is a figure, not a line for each of their packets and handshakes.
    let filter = tracing_subscriber::EnvFilter::new(format!(
        "{},rtc=error,rustls=error,hickory_resolver=error",
        log.level
    ));
    let filter = filter.and(sparing::Sparing);
    let lines = tracing_subscriber::fmt::layer().with_writer(to).with_ansi(false);
    let kept = tracing_subscriber::registry();
    if log.json {
        kept.with(lines.json().with_filter(filter)).init()
    } else {
        kept.with(lines.with_filter(filter)).init()
    }
}
