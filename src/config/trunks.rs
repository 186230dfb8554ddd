//! Carriers: where their calls come from, how they are reached, and what is asked of them.

use super::draft::{self, Draft, Located, Span};
use super::{Check, Fault, HostName, TrunkWire};
use engine::site::{Reach, TrunkSite};
use sip::endpoint::Credentials;
use sip::transport::Transport;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Between two OPTIONS to a carrier: known within the minute, and nobody's load.
const ASKED: Duration = Duration::from_secs(30);

/// Fewer than five seconds would flood a carrier that answers slowly.
const ASKED_LEAST: Duration = Duration::from_secs(5);

/// One entry of `peers`.
enum Entry {
    Address(SocketAddr),
    Name(HostName),
}

impl Check<'_> {
    pub(super) fn trunks(&self, draft: &Draft) -> Result<(Vec<TrunkSite>, Vec<TrunkWire>), Fault> {
        let (mut sites, mut wires): (Vec<TrunkSite>, Vec<TrunkWire>) = (Vec::new(), Vec::new());
        for trunk in &draft.trunk {
            self.name(&trunk.name)?;
            let name = trunk.name.get_ref();
            if sites.iter().any(|site| site.name == *name) {
                return Err(self.at(
                    &trunk.name,
                    "two trunks of the same name",
                    "boards and metrics tell trunks apart by name: rename one",
                ));
            }
            let is_tls = matches!(trunk.transport, draft::Transport::Tls);
            let mut wire = TrunkWire { tls_only: trunk.plain == Some(false), ..TrunkWire::default() };
            if wire.tls_only && !is_tls {
                return Err(self.at(
                    &trunk.name,
                    "a trunk that is called over UDP or TCP and not believed there",
                    "add `transport = \"tls\"`, or take `plain = false` away: what it answers to our own calls would be a \
                     stranger's word",
                ));
            }
            let mut peers = Vec::new();
            for peer in &trunk.peers {
                match self.peer(peer)? {
                    Entry::Address(address) => peers.push(address),
                    Entry::Name(name) => wire.names.push(name),
                }
            }
            for certificate in &trunk.certificate_names {
                wire.certificates.push(self.host(certificate)?);
            }
            if peers.is_empty() && wire.names.is_empty() && wire.certificates.is_empty() {
                return Err(self.at(
                    &trunk.name,
                    "a trunk without peers",
                    "add `peers = [\"ADDRESS\"]`, or `certificate_names` for one that is known by its certificate \
                     alone: only calls from these are emergency calls",
                ));
            }
            let reach = self.reach(draft, trunk, &peers, &wire)?;
            let hears_tls = draft.sip.listen.iter().any(|listen| listen.get_ref().starts_with("tls:"));
            let is_its_certificate = peers.is_empty() && wire.names.is_empty();
            if (is_its_certificate || wire.tls_only) && !hears_tls {
                return Err(self.at(
                    &trunk.name,
                    "a trunk that comes over TLS alone, and nobody listens over TLS",
                    "add `\"tls:ADDRESS:5061\"` to `listen` under [sip], or `plain = true` where it calls over UDP or TCP: \
                     no call of this carrier could come in",
                ));
            }
            sites.push(TrunkSite { name: name.clone(), peers, reach });
            wires.push(wire);
        }
        Ok((sites, wires))
    }

    fn peer(&self, peer: &Located<String>) -> Result<Entry, Fault> {
        let text = peer.get_ref();
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Entry::Address(address));
        }
        if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(Entry::Address(SocketAddr::new(ip, 0)));
        }
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, port.parse::<u16>().ok().map(Some)),
            None => (text.as_str(), Some(None)),
        };
        match port.filter(|_| is_host(name)) {
            Some(port) => Ok(Entry::Name(HostName { name: name.to_owned(), port })),
            None => Err(self.at(
                peer,
                "neither an address nor a host name",
                "write `192.0.2.1` for every port of it, `192.0.2.1:5060`, or a name such as `sbc.carrier.example`",
            )),
        }
    }

    fn host(&self, text: &Located<String>) -> Result<String, Fault> {
        if is_host(text.get_ref()) || text.get_ref().parse::<SocketAddr>().is_ok() {
            return Ok(text.get_ref().clone());
        }
        Err(self.at(text, "not a host name", "write a name such as `sbc.carrier.example`"))
    }

    fn reach(
        &self,
        draft: &Draft,
        trunk: &draft::Trunk,
        peers: &[SocketAddr],
        wire: &TrunkWire,
    ) -> Result<Reach, Fault> {
        let transport = Transport::from(trunk.transport);
        let uses_tls = transport == Transport::Tls || !wire.certificates.is_empty();
        if uses_tls && (draft.sip.certificate.is_none() || draft.sip.ca.is_none()) {
            return Err(self.at(
                &trunk.name,
                "a trunk over TLS without certificates of ours",
                "add `certificate`, `key` and `ca` under [sip]",
            ));
        }
        let targets: Vec<SocketAddr> = peers.iter().copied().filter(|peer| peer.port() != 0).collect();
        let is_reached = !targets.is_empty() || !wire.names.is_empty();
        Ok(Reach {
            transport,
            targets,
            domain: trunk.domain.as_ref().map(|domain| self.host(domain)).transpose()?,
            asked: self.asked(trunk, is_reached)?,
            srtp: trunk.srtp,
            identity: trunk.identity,
            account: self.account(trunk)?,
            registered: self.registered(trunk, is_reached)?,
            transfer: trunk.transfer,
        })
    }

    fn asked(&self, trunk: &draft::Trunk, is_reached: bool) -> Result<Option<Duration>, Fault> {
        let Some(options) = &trunk.options else { return Ok(is_reached.then_some(ASKED)) };
        let every = match options.get_ref().as_str() {
            "off" => return Ok(None),
            text => Span::read(text).map(|span| span.0).filter(|every| *every >= ASKED_LEAST),
        };
        match every {
            Some(_) if !is_reached => Err(self.at(
                options,
                "nobody to ask",
                "give a peer with its port, `ADDRESS:PORT`, or a name: a bare address only says where calls come from",
            )),
            Some(every) => Ok(Some(every)),
            None => Err(self.at(options, "not an interval", "write `off`, or a duration from `5s` on")),
        }
    }

    fn account(&self, trunk: &draft::Trunk) -> Result<Option<Credentials>, Fault> {
        match (&trunk.user, &trunk.password_file) {
            (None, None) => Ok(None),
            (Some(user), Some(file)) => {
                let path = self.base.join(file.get_ref());
                let password = std::fs::read_to_string(&path).map_err(|e| {
                    let what = format!("cannot read the password file: {e}");
                    self.at(file, &what, "write the account's password, alone, in that file")
                })?;
                let password = password.trim_end_matches(['\r', '\n']).to_owned();
                Ok(Some(Credentials { user: user.get_ref().clone(), password }))
            }
            (Some(one), None) => Err(self.at(one, "half of an account", "give `user` and `password_file`")),
            (None, Some(one)) => Err(self.at(one, "half of an account", "give `user` and `password_file`")),
        }
    }

    fn registered(&self, trunk: &draft::Trunk, is_reached: bool) -> Result<Option<Duration>, Fault> {
        let Some(register) = &trunk.register else { return Ok(None) };
        if trunk.user.is_none() || !is_reached {
            return Err(self.at(
                register,
                "a registration without an account or a place",
                "add `user` and `password_file`, and a peer with its port or a name",
            ));
        }
        let lasts = register.get_ref().0;
        if !(Duration::from_secs(60)..=Duration::from_secs(86_400)).contains(&lasts) {
            return Err(self.at(register, "not a time to be registered for", "write `60s` to `24h`"));
        }
        Ok(Some(lasts))
    }
}

fn is_host(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_';
    // Digits and dots alone are an address with something wrong in it.
    name.len() <= 253 && name.chars().all(fits) && name.chars().any(|c| c.is_ascii_alphabetic())
}
