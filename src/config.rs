//! `bandeau.toml`: read once, checked whole, turned into the [`Site`] the engine trusts.
//!
//! One wrong key, address or plan and nothing starts: the error names the file, the line, the key
//! and what to do.

mod draft;
mod fault;

pub use fault::Fault;

use draft::{Draft, Located};
use engine::dialplan::{Dialplan, Surroundings};
use engine::site::{AgentSite, CentreSite, Phone, Site, TrunkSite};
use sip::auth::ha1;
use sip::header::auth::Algorithm;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Everything `bandeau serve` was told, checked.
#[derive(Debug)]
pub struct Config {
    /// Trunks, centres and their people. Its epoch is still 0: the store gives it.
    pub site: Site,
    /// Where SIP is listened for.
    pub listen: Vec<Listen>,
    /// The media plane's sockets and threads.
    pub media: Media,
    /// Where pages, metrics and the live feed are served; loopback only.
    pub http: SocketAddr,
    /// Who may use the live feed and the API.
    pub access: Vec<Access>,
    /// Where journal and records live.
    pub state_dir: PathBuf,
    /// How long SIGTERM waits for calls to end.
    pub drain: Duration,
    /// Technical log.
    pub log: Log,
}

/// One SIP listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// `udp` or `tcp`.
    pub transport: sip::transport::Transport,
    /// Where.
    pub address: SocketAddr,
}

/// The media plane's share of the machine.
#[derive(Clone, Debug)]
pub struct Media {
    /// The address its sockets are bound to.
    pub bind: IpAddr,
    /// The address peers are told.
    pub advertised: IpAddr,
    /// Ports it may use, in even/odd pairs.
    pub ports: RangeInclusive<u16>,
    /// Packet threads.
    pub threads: usize,
    /// A directory whose sounds replace the embedded ones of the same name.
    pub sounds: Option<PathBuf>,
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

impl Config {
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
        let trunks = check.trunks(&draft.trunk)?;
        let centres = check.centres(&draft, &trunks, &realm)?;
        check.numbers(&draft, &centres)?;
        let site = Site {
            epoch: 0,
            product: format!("bandeau/{}", env!("CARGO_PKG_VERSION")),
            contact,
            realm,
            trunks,
            centres,
            calls_max: draft.node.calls_max,
            strangers: draft.sip.strangers,
        };
        Ok(Config {
            site,
            listen,
            media: check.media(&draft)?,
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
    fn listen(&self, draft: &Draft) -> Result<Vec<Listen>, Fault> {
        let mut listen = Vec::new();
        for entry in &draft.sip.listen {
            let (scheme, address) = entry.get_ref().split_once(':').unwrap_or(("", entry.get_ref()));
            let transport = match scheme {
                "udp" => sip::transport::Transport::Udp,
                "tcp" => sip::transport::Transport::Tcp,
                _ => {
                    return Err(self.at(
                        entry,
                        "no transport in a listener",
                        "write `udp:ADDRESS:PORT` or `tcp:ADDRESS:PORT`",
                    ));
                }
            };
            let address = address.parse().map_err(|_| {
                self.at(
                    entry,
                    "not an address and port",
                    "write it like `udp:192.0.2.10:5060` or `udp:[2001:db8::1]:5060`",
                )
            })?;
            listen.push(Listen { transport, address });
        }
        if listen.is_empty() {
            return Err(self.source.whole(
                "`[sip] listen` names no listener",
                "give at least one, such as `listen = [\"udp:127.0.0.1:5060\"]`",
            ));
        }
        Ok(listen)
    }

    fn contact(&self, draft: &Draft, listen: &[Listen]) -> Result<SocketAddr, Fault> {
        if let Some(contact) = &draft.sip.contact {
            return contact.get_ref().parse().map_err(|_| {
                self.at(
                    contact,
                    "not an address and port",
                    "write the address peers reach us at, like `192.0.2.10:5060`",
                )
            });
        }
        let first = listen[0].address; // `listen` refuses an empty list
        if first.ip().is_unspecified() {
            return Err(self.at(
                &draft.sip.listen[0],
                "a listener on every address says nothing about our own",
                "add `contact = \"ADDRESS:PORT\"` under [sip]: what peers are told",
            ));
        }
        Ok(first)
    }

    fn media(&self, draft: &Draft) -> Result<Media, Fault> {
        let ports = &draft.media.ports;
        let range = ports
            .get_ref()
            .split_once('-')
            .and_then(|(low, high)| Some((low.parse::<u16>().ok()?, high.parse::<u16>().ok()?)));
        let Some((low, high)) = range.filter(|(low, high)| *low >= 1024 && low < high) else {
            return Err(self.at(
                ports,
                "not a range of ports",
                "write it like `20000-39999`, above 1023; a caller and an agent take a pair each",
            ));
        };
        Ok(Media {
            bind: draft.media.bind,
            advertised: draft.media.advertised.unwrap_or(draft.media.bind),
            ports: low..=high,
            threads: draft.media.threads.clamp(1, 64),
            sounds: draft.media.sounds.as_ref().map(|dir| self.base.join(dir)),
        })
    }

    fn http(&self, draft: &Draft) -> Result<SocketAddr, Fault> {
        let listen = &draft.http.listen;
        let address: SocketAddr = listen
            .get_ref()
            .parse()
            .map_err(|_| self.at(listen, "not an address and port", "write it like `127.0.0.1:8080`"))?;
        if !address.ip().is_loopback() {
            return Err(self.at(listen, "plain http leaves this machine", "listen on 127.0.0.1 or [::1] and put a TLS proxy in front: tokens and callers' numbers pass here"));
        }
        Ok(address)
    }

    fn trunks(&self, drafts: &[draft::Trunk]) -> Result<Vec<TrunkSite>, Fault> {
        let mut seen = HashMap::new();
        let mut trunks = Vec::new();
        for draft in drafts {
            self.name(&draft.name)?;
            if seen.insert(draft.name.get_ref().clone(), ()).is_some() {
                return Err(self.at(
                    &draft.name,
                    "two trunks of the same name",
                    "boards and metrics tell trunks apart by name: rename one",
                ));
            }
            let mut peers = Vec::new();
            for peer in &draft.peers {
                let address = peer
                    .get_ref()
                    .parse::<SocketAddr>()
                    .ok()
                    .or_else(|| peer.get_ref().parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 0)));
                peers.push(address.ok_or_else(|| {
                    self.at(
                        peer,
                        "not an address",
                        "write `192.0.2.1` for every port of it, or `192.0.2.1:5060`",
                    )
                })?);
            }
            if peers.is_empty() {
                return Err(self.at(
                    &draft.name,
                    "a trunk without peers",
                    "add `peers = [\"ADDRESS\"]`: only calls from these are emergency calls",
                ));
            }
            trunks.push(TrunkSite { name: draft.name.get_ref().clone(), peers });
        }
        Ok(trunks)
    }

    fn centres(&self, draft: &Draft, trunks: &[TrunkSite], realm: &str) -> Result<Vec<CentreSite>, Fault> {
        if draft.centre.is_empty() {
            return Err(self.source.whole("no [[centre]]", "add one with a `name` and a `plan`"));
        }
        let mut centres: Vec<CentreSite> = Vec::new();
        for centre in &draft.centre {
            self.name(&centre.name)?;
            if centres.iter().any(|c| c.name == *centre.name.get_ref()) {
                return Err(self.at(
                    &centre.name,
                    "two centres of the same name",
                    "topics and records tell centres apart by name: rename one",
                ));
            }
            let mut indexes = Vec::new();
            for name in &centre.trunks {
                let found = trunks.iter().position(|t| t.name == *name.get_ref());
                let index = found.and_then(|i| u16::try_from(i).ok());
                indexes.push(index.ok_or_else(|| {
                    self.at(name, "no trunk has this name", "name a [[trunk]] of this file")
                })?);
            }
            let plan = self.plan(&centre.plan, trunks)?;
            let agents = self.agents(centre, realm)?;
            centres.push(CentreSite {
                name: centre.name.get_ref().clone(),
                plan: Arc::new(plan),
                trunks: indexes,
                agents,
                wrap_up: centre.wrap_up.0,
            });
        }
        self.phones(draft)?;
        Ok(centres)
    }

    fn plan(&self, name: &Located<String>, trunks: &[TrunkSite]) -> Result<Dialplan, Fault> {
        let path = self.base.join(name.get_ref());
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|e| {
            self.at(
                name,
                &format!("cannot read the dialplan `{shown}`: {e}"),
                "give a path that exists, relative to this file",
            )
        })?;
        let trunks: Vec<String> = trunks.iter().map(|trunk| trunk.name.clone()).collect();
        let around = Surroundings { trunks: Some(&trunks) };
        Dialplan::parse_for(&shown, &text, around).map_err(|e| Fault::Plan(Box::new(e)))
    }

    fn agents(&self, centre: &draft::Centre, realm: &str) -> Result<Vec<AgentSite>, Fault> {
        let mut agents: Vec<AgentSite> = Vec::new();
        for agent in &centre.agent {
            self.name(&agent.name)?;
            if agents.iter().any(|a| a.name == *agent.name.get_ref()) {
                return Err(self.at(&agent.name, "two agents of the same name in one centre", "rename one"));
            }
            agents.push(AgentSite {
                name: agent.name.get_ref().clone(),
                role: agent.role,
                skills: agent.skills.clone(),
                position: agent.position.clone(),
                phone: self.phone(&agent.phone, realm)?,
                always_ready: agent.always_ready,
                wrap_up: agent.wrap_up.map(|d| d.0),
            });
        }
        Ok(agents)
    }

    fn phone(&self, phone: &Located<draft::Phone>, realm: &str) -> Result<Phone, Fault> {
        let draft = phone.get_ref();
        match (&draft.uri, &draft.address, &draft.user) {
            (Some(uri), Some(address), None) => {
                let address = address.get_ref().parse().map_err(|_| {
                    self.at(address, "not an address and port", "write it like `192.0.2.20:5060`")
                })?;
                Ok(Phone::Static { uri: uri.clone(), address })
            }
            (None, None, Some(user)) => {
                let (ha1_md5, ha1_sha256) = self.ha1(phone, user, realm)?;
                Ok(Phone::Registered { user: user.clone(), ha1_md5, ha1_sha256 })
            }
            _ => Err(self.at(
                phone,
                "neither a fixed phone nor a registering one",
                "give `uri` and `address`, or `user` and `password_file`",
            )),
        }
    }

    fn ha1(&self, phone: &Located<draft::Phone>, user: &str, realm: &str) -> Result<(String, String), Fault> {
        let draft = phone.get_ref();
        match (&draft.password_file, &draft.ha1_md5, &draft.ha1_sha256) {
            (Some(file), None, None) => {
                let path = self.base.join(file.get_ref());
                let password = std::fs::read_to_string(&path).map_err(|e| {
                    self.at(
                        file,
                        &format!("cannot read the password file: {e}"),
                        "write the phone's password, alone, in that file",
                    )
                })?;
                let password = password.trim_end_matches(['\r', '\n']);
                if password.is_empty() {
                    return Err(self.at(
                        file,
                        "the password file is empty",
                        "write the phone's password, alone, in that file",
                    ));
                }
                Ok((
                    ha1(Algorithm::Md5, user, realm, password),
                    ha1(Algorithm::Sha256, user, realm, password),
                ))
            }
            // Without the stronger hash the phone is challenged with MD5 only.
            (None, Some(md5), sha256) => Ok((md5.clone(), sha256.clone().unwrap_or_default())),
            _ => Err(self.at(
                phone,
                "a registering phone without a password",
                "give `password_file`, or `ha1_md5` and, when the phone can, `ha1_sha256`",
            )),
        }
    }

    /// A registering user or a fixed address belongs to one agent only: its key presses are theirs.
    fn phones(&self, draft: &Draft) -> Result<(), Fault> {
        let mut seen = HashMap::new();
        for agent in draft.centre.iter().flat_map(|c| &c.agent) {
            let phone = agent.phone.get_ref();
            let key = phone.user.clone().or_else(|| phone.address.as_ref().map(|a| a.get_ref().clone()));
            let Some(key) = key else { continue };
            if let Some(other) = seen.insert(key, agent.name.get_ref().clone()) {
                return Err(self.at(
                    &agent.phone,
                    &format!("the phone of agent `{other}` already"),
                    "give each agent a phone of their own",
                ));
            }
        }
        Ok(())
    }

    /// The called number chooses the centre, so two centres may share one only on different trunks.
    fn numbers(&self, draft: &Draft, centres: &[CentreSite]) -> Result<(), Fault> {
        for (i, later) in centres.iter().enumerate() {
            for earlier in &centres[..i] {
                let apart = !later.trunks.is_empty()
                    && !earlier.trunks.is_empty()
                    && later.trunks.iter().all(|t| !earlier.trunks.contains(t));
                let shared = later.plan.numbers().filter(|n| earlier.plan.service(n).is_some()).min();
                if let (false, Some(number)) = (apart, shared) {
                    let what = format!("number `{number}` is also centre `{}`'s", earlier.name);
                    return Err(self.at(
                        &draft.centre[i].name,
                        &what,
                        "take it out of one plan, or give both centres `trunks` that differ",
                    ));
                }
            }
        }
        Ok(())
    }

    fn access(&self, draft: &Draft) -> Result<Vec<Access>, Fault> {
        let mut list: Vec<Access> = Vec::new();
        for access in &draft.access {
            if list.iter().any(|a| a.name == *access.name.get_ref()) {
                return Err(self.at(
                    &access.name,
                    "two accesses of the same name",
                    "commands are attributed by name: rename one",
                ));
            }
            let token_sha256 = hex32(access.token_sha256.get_ref()).ok_or_else(|| {
                self.at(
                    &access.token_sha256,
                    "not a SHA-256 in hexadecimal",
                    "make one with `printf %s TOKEN | sha256sum`",
                )
            })?;
            let right = match (access.role, &access.agent) {
                (draft::AccessRole::Agent, Some(agent)) => {
                    self.agent_of(draft, agent, access.centre.as_ref())?
                }
                (draft::AccessRole::Agent, None) => {
                    return Err(self.at(
                        &access.name,
                        "an agent's access without an agent",
                        "add `agent = \"NAME\"`",
                    ));
                }
                (_, Some(agent)) => {
                    return Err(self.at(
                        agent,
                        "`agent` is for the role `agent`",
                        "leave it out, or make the role `agent`",
                    ));
                }
                (draft::AccessRole::Observer, None) => Right::Observer,
                (draft::AccessRole::Supervisor, None) => Right::Supervisor,
            };
            list.push(Access { name: access.name.get_ref().clone(), right, token_sha256 });
        }
        Ok(list)
    }

    fn agent_of(
        &self,
        draft: &Draft,
        agent: &Located<String>,
        centre: Option<&Located<String>>,
    ) -> Result<Right, Fault> {
        let mut found = draft.centre.iter().filter(|c| {
            centre.is_none_or(|name| name.get_ref() == c.name.get_ref())
                && c.agent.iter().any(|a| a.name.get_ref() == agent.get_ref())
        });
        match (found.next(), found.next()) {
            (Some(centre), None) => {
                Ok(Right::Agent { centre: centre.name.get_ref().clone(), agent: agent.get_ref().clone() })
            }
            (None, _) => Err(self.at(agent, "no such agent", "name a [[centre.agent]] of this file")),
            _ => Err(self.at(agent, "an agent of several centres", "add `centre = \"NAME\"`")),
        }
    }

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

fn hex32(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}
