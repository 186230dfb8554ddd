//! What is bound: where SIP, audio and pages are listened for.

use super::draft::Draft;
use super::{Check, Fault, Listen, Media};
use std::net::SocketAddr;

impl Check<'_> {
    pub(super) fn listen(&self, draft: &Draft) -> Result<Vec<Listen>, Fault> {
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
            bind: draft.media.bind,
            advertised: draft.media.advertised.unwrap_or(draft.media.bind),
            ports: low..=high,
            threads: draft.media.threads.clamp(1, 64),
            sounds: draft.media.sounds.as_ref().map(|dir| self.base.join(dir)),
        })
    }

    pub(super) fn http(&self, draft: &Draft) -> Result<SocketAddr, Fault> {
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
}
