//! `bandeau.toml` as written: keys, kinds and defaults, nothing checked against anything else.

use engine::site::{Identity, Role, Srtp, Strangers, Transfer};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A value and its place in the file.
pub(super) type Located<T> = toml::Spanned<T>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    pub(super) node: Node,
    pub(super) sip: Sip,
    pub(super) media: Media,
    pub(super) http: Http,
    #[serde(default)]
    pub(super) log: Log,
    #[serde(default)]
    pub(super) trunk: Vec<Trunk>,
    #[serde(default)]
    pub(super) access: Vec<Access>,
    #[serde(default)]
    pub(super) centre: Vec<Centre>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Node {
    pub(super) state_dir: PathBuf,
    #[serde(default = "drain")]
    pub(super) drain: Span,
    #[serde(default = "calls_max")]
    pub(super) calls_max: usize,
}

fn drain() -> Span {
    Span(Duration::from_secs(30))
}

/// Ten thousand: a country's worst evening on one node (load model: 8 000).
fn calls_max() -> usize {
    10_000
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sip {
    pub(super) listen: Vec<Located<String>>,
    pub(super) contact: Option<Located<String>>,
    pub(super) certificate: Option<Located<PathBuf>>,
    pub(super) key: Option<Located<PathBuf>>,
    pub(super) ca: Option<Located<PathBuf>>,
    pub(super) resolver: Option<Located<String>>,
    #[serde(default = "source_rate")]
    pub(super) source_rate: u32,
    #[serde(default = "sources")]
    pub(super) sources: usize,
    #[serde(default = "phone_rate")]
    pub(super) phone_rate: u32,
    #[serde(default = "connections")]
    pub(super) connections: usize,
    #[serde(default = "realm")]
    pub(super) realm: String,
    #[serde(default = "strangers")]
    pub(super) strangers: Strangers,
    #[serde(default)]
    pub(super) phones_srtp: Srtp,
}

fn realm() -> String {
    "bandeau".to_owned()
}

/// A phone that registers, calls and is on hold sends some ten messages in a busy second.
fn source_rate() -> u32 {
    50
}

/// A room's phones twice over; the table costs 24 bytes each.
fn sources() -> usize {
    4_096
}

/// Twenty times a busy phone's ten messages in a second. Each message may keep its transaction for 32 s: a
/// phone gone mad costs some 6 000 of them, and not 600 000.
fn phone_rate() -> u32 {
    200
}

/// Every phone of a large room; each costs a task and two buffers.
fn connections() -> usize {
    1_024
}

fn strangers() -> Strangers {
    Strangers::Silence
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Media {
    pub(super) bind: Located<IpAddr>,
    pub(super) advertised: Option<Located<Addresses>>,
    pub(super) ports: Located<String>,
    #[serde(default = "threads")]
    pub(super) threads: usize,
    pub(super) sounds: Option<PathBuf>,
    #[serde(default)]
    pub(super) page_port: u16,
}

/// One address, or a list of them.
pub(super) struct Addresses(pub(super) Vec<IpAddr>);

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Addresses, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Addresses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an IP address, or a list of them")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Addresses, E> {
                text.parse().map(|one| Addresses(vec![one])).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Addresses, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = list.next_element()? {
                    all.push(one);
                }
                Ok(Addresses(all))
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}

fn threads() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    pub(super) listen: Located<String>,
    pub(super) certificate: Option<Located<PathBuf>>,
    pub(super) key: Option<Located<PathBuf>>,
    #[serde(default)]
    pub(super) origins: Vec<Located<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    pub(super) level: Level,
    pub(super) format: Format,
}

impl Default for Log {
    fn default() -> Self {
        Log { level: Level::Info, format: Format::Text }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl From<Level> for tracing::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => tracing::Level::ERROR,
            Level::Warn => tracing::Level::WARN,
            Level::Info => tracing::Level::INFO,
            Level::Debug => tracing::Level::DEBUG,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    Text,
    Json,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trunk {
    pub(super) name: Located<String>,
    #[serde(default)]
    pub(super) peers: Vec<Located<String>>,
    #[serde(default)]
    pub(super) transport: Transport,
    pub(super) plain: Option<bool>,
    #[serde(default)]
    pub(super) certificate_names: Vec<Located<String>>,
    pub(super) domain: Option<Located<String>>,
    pub(super) options: Option<Located<String>>,
    #[serde(default)]
    pub(super) srtp: Srtp,
    #[serde(default)]
    pub(super) identity: Identity,
    pub(super) user: Option<Located<String>>,
    pub(super) password_file: Option<Located<PathBuf>>,
    pub(super) register: Option<Located<Span>>,
    #[serde(default)]
    pub(super) transfer: Transfer,
}

/// How we reach a trunk.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Transport {
    #[default]
    Udp,
    Tcp,
    Tls,
}

impl From<Transport> for sip::transport::Transport {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp => sip::transport::Transport::Udp,
            Transport::Tcp => sip::transport::Transport::Tcp,
            Transport::Tls => sip::transport::Transport::Tls,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Access {
    pub(super) name: Located<String>,
    pub(super) role: AccessRole,
    pub(super) token_sha256: Located<String>,
    pub(super) agent: Option<Located<String>>,
    pub(super) centre: Option<Located<String>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AccessRole {
    Observer,
    Agent,
    Supervisor,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Centre {
    pub(super) name: Located<String>,
    pub(super) plan: Located<String>,
    #[serde(default)]
    pub(super) trunks: Vec<Located<String>>,
    #[serde(default = "wrap_up")]
    pub(super) wrap_up: Span,
    #[serde(default)]
    pub(super) agent: Vec<Agent>,
    #[serde(default)]
    pub(super) contact: Vec<Contact>,
}

/// Whom agents may ask in from outside.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contact {
    pub(super) name: Located<String>,
    pub(super) number: Located<String>,
    pub(super) trunks: Vec<Located<String>>,
}

fn wrap_up() -> Span {
    Span(Duration::from_secs(10))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Agent {
    pub(super) name: Located<String>,
    pub(super) role: Role,
    pub(super) skills: Vec<String>,
    #[serde(default)]
    pub(super) position: String,
    pub(super) phone: Located<Phone>,
    pub(super) fallback: Option<Located<Phone>>,
    #[serde(default)]
    pub(super) always_ready: bool,
    pub(super) wrap_up: Option<Span>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phone {
    #[serde(default)]
    pub(super) page: bool,
    pub(super) uri: Option<String>,
    pub(super) address: Option<Located<String>>,
    pub(super) user: Option<String>,
    pub(super) password_file: Option<Located<PathBuf>>,
    pub(super) ha1_md5: Option<String>,
    pub(super) ha1_sha256: Option<String>,
}

/// A duration with its unit: `500ms`, `10s`, `5m`, `1h`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Span::read(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is no duration: write a number and its unit, such as `500ms`, `10s`, `5m` or `1h`"
            ))
        })
    }
}

impl Span {
    pub(super) fn read(text: &str) -> Option<Span> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let (number, unit) = (digits.parse::<u64>(), &text[digits.len()..]);
        let length = match (number, unit) {
            (Ok(n), "ms") => Some(Duration::from_millis(n)),
            (Ok(n), "s") => Some(Duration::from_secs(n)),
            (Ok(n), "m") => n.checked_mul(60).map(Duration::from_secs),
            (Ok(n), "h") => n.checked_mul(3600).map(Duration::from_secs),
            _ => None,
        };
        length.map(Span)
    }
}
