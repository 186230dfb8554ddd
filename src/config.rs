//! `bandeau.toml`: read once, checked whole, turned into the [`Site`] the engine trusts.
//!
//! One wrong key, address or plan and nothing starts: the error names the file, the line, the key
//! and what to do.

mod access;
mod centres;
mod directory;
mod draft;
mod fault;
mod sockets;
mod trunks;

pub use fault::Fault;

use draft::{Draft, Located};
use engine::site::Site;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything `bandeau serve` was told, checked.
#[derive(Debug)]
pub struct Config {
    /// The file it was read from; the files it names are found beside it.
    pub file: PathBuf,
    /// Trunks, centres and their people. Its epoch is still 0: the store gives it.
    pub site: Site,
    /// Where SIP is listened for.
    pub listen: Vec<Listen>,
    /// Who we are under SIP's TLS, and whom we believe.
    pub sip_tls: Option<SipTls>,
    /// What the driver must know of each trunk, in the site's order.
    pub trunks: Vec<TrunkWire>,
    /// The name server to ask; the system's otherwise.
    pub resolver: Option<SocketAddr>,
    /// What those may cost us who are neither trunk nor phone.
    pub limits: Limits,
    /// The media plane's sockets and threads.
    pub media: Media,
    /// Where pages, metrics and the live feed are served.
    pub http: Http,
    /// Who may use the live feed and the API.
    pub access: Vec<Access>,
    /// Where journal and records live.
    pub state_dir: PathBuf,
    /// How long SIGTERM waits for calls to end.
    pub drain: Duration,
    /// Technical log.
    pub log: Log,
}

/// Certificates of SIP over TLS.
#[derive(Clone, Debug)]
pub struct SipTls {
    /// What we show, as server and as client.
    pub identity: Tls,
    /// The authorities whose certificates carriers show.
    pub ca: PathBuf,
}

/// A trunk as the sockets know it.
#[derive(Clone, Debug, Default)]
pub struct TrunkWire {
    /// Names to be resolved, ahead of need; their addresses are the trunk's.
    pub names: Vec<HostName>,
    /// The names its certificate shows, one of them: over TLS calls are the trunk's by these and, where
    /// there are any, by nothing else.
    pub certificates: Vec<String>,
    /// It speaks TLS alone: whoever comes from its address by UDP or TCP is not it.
    pub tls_only: bool,
}

/// A host as the configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    /// The name.
    pub name: String,
    /// Its port; without one SRV records are asked for, too.
    pub port: Option<u16>,
}

/// Bounds on whoever is no trunk.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Messages a second from one address (one /64 of IPv6).
    pub source_rate: u32,
    /// Addresses remembered for it.
    pub sources: usize,
    /// Messages a second from one phone of ours.
    pub phone_rate: u32,
    /// Connections at once.
    pub connections: usize,
}

/// One SIP listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// `udp`, `tcp` or `tls`.
    pub transport: sip::transport::Transport,
    /// Where.
    pub address: SocketAddr,
}

/// The HTTP port.
#[derive(Clone, Debug)]
pub struct Http {
    /// Where; loopback only without `tls`.
    pub listen: SocketAddr,
    /// Certificate chain and private key.
    pub tls: Option<Tls>,
    /// Origins of pages that may come in besides our own.
    pub origins: Vec<String>,
}

/// Two PEM files, loaded again when they change.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The chain, our own certificate first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The media plane's share of the machine.
#[derive(Clone, Debug)]
pub struct Media {
    /// The address its sockets are bound to; `::` hears both families.
    pub bind: IpAddr,
    /// The addresses peers are told, one of each family we serve: at least one.
    pub advertised: Vec<IpAddr>,
    /// Ports it may use, in even/odd pairs.
    pub ports: RangeInclusive<u16>,
    /// Packet threads.
    pub threads: usize,
    /// A directory whose sounds replace the embedded ones of the same name.
    pub sounds: Option<PathBuf>,
    /// The UDP port of the pages' audio (the first of as many as there are threads); 0: any.
    pub page_port: u16,
}

/// A program or person of the API.
#[derive(Clone, Debug)]
pub struct Access {
    /// The name its commands carry.
    pub name: String,
    /// What it opens.
    pub right: Right,
    /// SHA-256 of its bearer token.
    pub token_sha256: [u8; 32],
}

/// What an account opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// Looking at boards, numbers masked.
    Observer,
    /// Acting for one agent.
    Agent {
        /// The agent's centre.
        centre: String,
        /// The agent.
        agent: String,
    },
    /// Seeing and steering every centre.
    Supervisor,
}

/// The technical log.
#[derive(Clone, Debug)]
pub struct Log {
    /// `error`, `warn`, `info` or `debug`.
    pub level: tracing::Level,
    /// One JSON object a line instead of text.
    pub json: bool,
}

/// Calls the ports allow at once: a call too many that took the port of the last agent's phone would
/// be held with nobody to answer it, and so would all the others.
fn answerable(site: &Site, media: &Media) -> usize {
    let pairs = (usize::from(*media.ports.end()) - usize::from(*media.ports.start())).div_ceil(2);
    let agents: usize = site.centres.iter().map(|centre| centre.agents.len()).sum();
    site.calls_max.min(pairs.saturating_sub(agents)).max(1)
}

impl Config {
    /// Where the accounts of people are kept.
    pub fn users(&self) -> PathBuf {
        self.state_dir.join("users.sqlite")
    }

    /// Where the records of ended calls are kept.
    pub fn records(&self) -> PathBuf {
        self.state_dir.join("records.sqlite")
    }

    /// Reads and checks `path` and every file it names.
    ///
    /// # Errors
    /// The first [`Fault`] found; nothing has been started.
    pub fn load(path: &Path) -> Result<Config, Fault> {
        let text = std::fs::read_to_string(path).map_err(|source| Fault::read(path, &source))?;
        Config::parse(path, &text)
    }

    /// Checks `text` as if it stood in the file `path`; other files are found beside it.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(path: &Path, text: &str) -> Result<Config, Fault> {
        let source = fault::Source { path, text };
        let draft: Draft = toml::from_str(text).map_err(|e| source.syntax(&e))?;
        let base = path.parent().unwrap_or(Path::new("."));
        let check = Check { source, base };
        let listen = check.listen(&draft)?;
        let contact = check.contact(&draft, &listen)?;
        let realm = draft.sip.realm.clone();
        let sip_tls = check.sip_tls(&draft, &listen)?;
        let listeners = check.listeners(&draft, &listen, contact)?;
        let (trunks, wires) = check.trunks(&draft)?;
        let centres = check.centres(&draft, (&trunks, &wires), &realm)?;
        check.numbers(&draft, &centres)?;
        let site = Site {
            epoch: 0,
            product: format!("bandeau/{}", env!("CARGO_PKG_VERSION")),
            contact,
            listeners,
            realm,
            trunks,
            centres,
            calls_max: draft.node.calls_max,
            phones_srtp: draft.sip.phones_srtp,
            strangers: draft.sip.strangers,
        };
        let media = check.media(&draft)?;
        let site = Site { calls_max: answerable(&site, &media), ..site };
        Ok(Config {
            file: path.to_owned(),
            site,
            listen,
            sip_tls,
            trunks: wires,
            limits: check.limits(&draft),
            resolver: check.resolver(&draft)?,
            media,
            http: check.http(&draft)?,
            access: check.access(&draft)?,
            state_dir: base.join(&draft.node.state_dir),
            drain: draft.node.drain.0,
            log: Log { level: draft.log.level.into(), json: draft.log.format == draft::Format::Json },
        })
    }
}

/// The checks, each with the place of what it refuses.
struct Check<'a> {
    source: fault::Source<'a>,
    base: &'a Path,
}

impl Check<'_> {
    fn name(&self, name: &Located<String>) -> Result<(), Fault> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.get_ref().is_empty() || name.get_ref().len() > 64 || !name.get_ref().chars().all(fits) {
            return Err(self.at(
                name,
                "not a name",
                "use 1 to 64 letters, digits, `-`, `_` or `.`: names stand in topics and metrics",
            ));
        }
        Ok(())
    }

    fn at<T>(&self, place: &Located<T>, what: &str, todo: &str) -> Fault {
        self.source.at(place.span(), what, todo)
    }
}
