//! What is bound: where SIP, audio and pages are listened for.

use super::draft::Draft;
use super::draft::Located;
use super::{Check, Fault, Http, Limits, Listen, Media, SipTls, Tls};
use sip::transport::Transport;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

impl Check<'_> {
    pub(super) fn listen(&self, draft: &Draft) -> Result<Vec<Listen>, Fault> {
        let mut listen = Vec::new();
        for entry in &draft.sip.listen {
            let (scheme, address) = entry.get_ref().split_once(':').unwrap_or(("", entry.get_ref()));
            let transport = match scheme {
                "udp" => Transport::Udp,
                "tcp" => Transport::Tcp,
                "tls" => Transport::Tls,
                _ => {
                    return Err(self.at(
                        entry,
                        "no transport in a listener",
                        "write `udp:ADDRESS:PORT`, `tcp:ADDRESS:PORT` or `tls:ADDRESS:PORT`",
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

    pub(super) fn contact(&self, draft: &Draft, listen: &[Listen]) -> Result<SocketAddr, Fault> {
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

    /// What peers are told of each listener: its own address, or the contact's where it listens on
    /// every one.
    pub(super) fn listeners(
        &self,
        draft: &Draft,
        listen: &[Listen],
        contact: SocketAddr,
    ) -> Result<Vec<(Transport, SocketAddr)>, Fault> {
        let mut told = Vec::new();
        for (listener, written) in listen.iter().zip(&draft.sip.listen) {
            let address = listener.address;
            let ip = if address.ip().is_unspecified() { contact.ip() } else { address.ip() };
            if ip.is_ipv4() != address.is_ipv4() {
                return Err(self.at(
                    written,
                    "a listener on every address of another family than `contact`",
                    "write one of its addresses: peers of this family must be told where we are",
                ));
            }
            // The contact itself says it for the listener it stands for, translated port and all.
            let is_contact = listener.transport == Transport::Udp && contact.is_ipv4() == address.is_ipv4();
            told.push((
                listener.transport,
                if is_contact && draft.sip.contact.is_some() {
                    contact
                } else {
                    SocketAddr::new(ip, address.port())
                },
            ));
        }
        Ok(told)
    }

    /// Who we are under SIP's TLS; needed where it is listened for.
    pub(super) fn sip_tls(&self, draft: &Draft, listen: &[Listen]) -> Result<Option<SipTls>, Fault> {
        match (&draft.sip.certificate, &draft.sip.key, &draft.sip.ca) {
            (Some(certificate), Some(key), Some(ca)) => {
                let identity = Tls { certificate: self.pem(certificate)?, key: self.pem(key)? };
                Ok(Some(SipTls { identity, ca: self.pem(ca)? }))
            }
            (None, None, None) => match listen.iter().position(|it| it.transport == Transport::Tls) {
                None => Ok(None),
                Some(index) => Err(self.at(
                    &draft.sip.listen[index],
                    "TLS without certificates",
                    "add `certificate`, `key` and `ca` under [sip]: PEM files",
                )),
            },
            (certificate, key, ca) => {
                let one = [certificate, key, ca].into_iter().flatten().next();
                let what = "a part of what TLS needs";
                let todo = "give `certificate`, `key` and `ca`: the chain we show, its key, and the authorities \
                            we believe";
                Err(one.map_or_else(|| self.source.whole(what, todo), |one| self.at(one, what, todo)))
            }
        }
    }

    pub(super) fn resolver(&self, draft: &Draft) -> Result<Option<SocketAddr>, Fault> {
        let Some(server) = &draft.sip.resolver else { return Ok(None) };
        let address = server.get_ref().parse();
        address.map(Some).map_err(|_| {
            self.at(
                server,
                "not an address and port",
                "write the name server like `192.0.2.53:53`, or leave it out",
            )
        })
    }

    pub(super) fn limits(&self, draft: &Draft) -> Limits {
        Limits {
            source_rate: draft.sip.source_rate.clamp(1, 100_000),
            sources: draft.sip.sources.clamp(64, 1 << 20),
            phone_rate: draft.sip.phone_rate.clamp(20, 100_000),
            connections: draft.sip.connections.clamp(1, 1 << 16),
        }
    }

    pub(super) fn media(&self, draft: &Draft) -> Result<Media, Fault> {
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
            bind: *draft.media.bind.get_ref(),
            advertised: self.advertised(draft)?,
            ports: low..=high,
            threads: draft.media.threads.clamp(1, 64),
            sounds: draft.media.sounds.as_ref().map(|dir| self.base.join(dir)),
            page_port: draft.media.page_port,
        })
    }

    /// What peers are told of our audio: where it is bound, or what is written; one address of each family
    /// that is heard.
    fn advertised(&self, draft: &Draft) -> Result<Vec<IpAddr>, Fault> {
        let bind = &draft.media.bind;
        let bound = *bind.get_ref();
        let Some(written) = &draft.media.advertised else {
            if bound.is_unspecified() {
                return Err(self.at(
                    bind,
                    "audio on every address says nothing about our own",
                    "add `advertised` under [media]: the address peers are told, or with `::` one of IPv4 and one \
                     of IPv6",
                ));
            }
            return Ok(vec![bound]);
        };
        let all = &written.get_ref().0;
        let of = |four: bool| all.iter().filter(move |ip| ip.is_ipv4() == four).count();
        let heard =
            |ip: &IpAddr| bound.is_ipv4() == ip.is_ipv4() || (bound.is_unspecified() && bound.is_ipv6());
        let (what, todo) = if all.is_empty() || all.iter().any(IpAddr::is_unspecified) {
            ("no address peers could send to", "give the address they reach us at, or leave the line out")
        } else if of(true) > 1 || of(false) > 1 {
            ("two addresses of one family", "keep one of IPv4 and one of IPv6: a peer is told one of its own")
        } else if !all.iter().all(heard) {
            (
                "an address of a family nothing is bound in",
                "write `bind = \"::\"`, which hears both, or leave the address out: no audio would come there",
            )
        } else {
            return Ok(all.clone());
        };
        Err(self.at(written, what, todo))
    }

    pub(super) fn http(&self, draft: &Draft) -> Result<Http, Fault> {
        let listen = &draft.http.listen;
        let address: SocketAddr = listen
            .get_ref()
            .parse()
            .map_err(|_| self.at(listen, "not an address and port", "write it like `127.0.0.1:8080`"))?;
        let tls = match (&draft.http.certificate, &draft.http.key) {
            (Some(certificate), Some(key)) => {
                Some(Tls { certificate: self.pem(certificate)?, key: self.pem(key)? })
            }
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => {
                return Err(self.at(
                    one,
                    "half of an identity",
                    "give both `certificate` and `key`, PEM files",
                ));
            }
        };
        if tls.is_none() && !address.ip().is_loopback() {
            return Err(self.at(
                listen,
                "plain http leaves this machine",
                "add `certificate` and `key`, or listen on 127.0.0.1 or [::1]: passwords and callers' numbers \
                 pass here, and a browser gives no microphone to a page without TLS",
            ));
        }
        Ok(Http { listen: address, tls, origins: self.origins(draft)? })
    }

    fn pem(&self, file: &Located<PathBuf>) -> Result<PathBuf, Fault> {
        let path = self.base.join(file.get_ref());
        match std::fs::File::open(&path) {
            Ok(_) => Ok(path),
            Err(error) => Err(self.at(
                file,
                &format!("cannot read the file: {error}"),
                "give a PEM file this program may read, relative to this file",
            )),
        }
    }

    fn origins(&self, draft: &Draft) -> Result<Vec<String>, Fault> {
        let is_origin = |text: &str| {
            let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', ' ', '@']))
        };
        let wrong = draft.http.origins.iter().find(|origin| !is_origin(origin.get_ref()));
        if let Some(origin) = wrong {
            let todo = "write it as a browser does, like `https://bandeau.example`, without a path";
            return Err(self.at(origin, "not an origin", todo));
        }
        Ok(draft.http.origins.iter().map(|origin| origin.get_ref().clone()).collect())
    }
}
