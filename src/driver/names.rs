//! What carriers' names stand for: asked on a thread of its own, ahead of need, and again before the
//! answer grows old. Nothing waits for it; while it has no better answer the last good one stands.

use crate::config::{Config, HostName};
use anyhow::Context;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use sip::transport::Transport;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// An answer is used for so long at least: a name that changes faster is not a carrier's.
const REST_LEAST: Duration = Duration::from_secs(30);
/// And asked again after so long at most: a carrier that moves is found within minutes.
const REST_MOST: Duration = Duration::from_secs(300);
/// After a question nobody answered.
const AGAIN: Duration = Duration::from_secs(15);
/// Addresses of one trunk that calls of ours try: more would be asked by OPTIONS all day.
const TARGETS_MAX: usize = 16;
/// Addresses of one trunk that its calls come from. A carrier has dozens; more would fill the filter
/// that tells trunks apart.
const SOURCES_MAX: usize = 128;
/// How long an address that has left the answer is still the carrier's: some name servers tell a part
/// of the truth each time, and a session border controller that is taken out finishes its calls.
const LINGERS: Duration = Duration::from_secs(86_400);

/// What a trunk's names stand for, best first. Never empty.
#[derive(Debug)]
pub(super) struct Resolved {
    /// Its index.
    pub(super) trunk: u16,
    /// Where calls of ours go.
    pub(super) targets: Vec<SocketAddr>,
    /// Where its calls come from.
    pub(super) sources: Vec<IpAddr>,
}

/// One trunk's names.
struct Ask {
    trunk: u16,
    names: Vec<HostName>,
    /// Configured addresses, which stay targets beside what the names bring.
    fixed: Vec<SocketAddr>,
    transport: Transport,
}

/// Starts to ask; nothing is asked, and no thread started, where no trunk has a name.
///
/// # Errors
/// When the system's resolver configuration cannot be read, or the thread not be started.
pub(super) fn resolve(config: &Config) -> anyhow::Result<mpsc::Receiver<Resolved>> {
    let (tell, told) = mpsc::channel(16);
    let trunks = (0u16..).zip(config.site.trunks.iter().zip(&config.trunks));
    let asks: Vec<Ask> = trunks
        .filter(|(_, (_, wire))| !wire.names.is_empty())
        .map(|(trunk, (site, wire))| {
            let fixed = site.reach.targets.clone();
            Ask { trunk, names: wire.names.clone(), fixed, transport: site.reach.transport }
        })
        .collect();
    if asks.is_empty() {
        return Ok(told);
    }
    let resolver = resolver(config.resolver)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("names".to_owned()).spawn(move || {
        runtime.block_on(async {
            let each = asks.into_iter().map(|ask| ask.keep(&resolver, &tell));
            futures_util::future::join_all(each).await;
        });
    })?;
    Ok(told)
}

fn resolver(server: Option<SocketAddr>) -> anyhow::Result<TokioResolver> {
    let builder = match server {
        None => TokioResolver::builder_tokio().context("cannot read the system's resolver configuration")?,
        Some(server) => {
            let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
            (udp.port, tcp.port) = (server.port(), server.port());
            let server = NameServerConfig::new(server.ip(), true, vec![udp, tcp]);
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    Ok(builder.build()?)
}

impl Ask {
    /// Asks for ever.
    async fn keep(self, resolver: &TokioResolver, tell: &mpsc::Sender<Resolved>) {
        let (mut last, mut known) = ((Vec::new(), Vec::new()), Sources::default());
        let mut failing = false;
        loop {
            let mut found = Found { targets: self.fixed.clone(), good_for: REST_MOST, failed: None };
            for name in &self.names {
                found.ask(resolver, name, self.transport).await;
            }
            if let Some(error) = &found.failed
                && !failing
            {
                tracing::warn!(
                    trunk = self.trunk,
                    error,
                    "a carrier's name has no answer: the last one stands"
                );
            }
            failing = found.failed.is_some();
            // A name without an answer takes nothing away from what was known.
            if failing {
                found.targets.extend(last.0.iter().copied());
            }
            let now = tokio::time::Instant::now().into_std();
            let told = (first_of_each(&found.targets), known.with(now, &found.targets));
            if !told.0.is_empty() && told != last {
                last = told.clone();
                let (targets, sources) = told;
                if tell.send(Resolved { trunk: self.trunk, targets, sources }).await.is_err() {
                    return; // nobody serves any more
                }
            }
            let rest = if failing { AGAIN } else { found.good_for.clamp(REST_LEAST, REST_MOST) };
            tokio::time::sleep(rest).await;
        }
    }
}

/// Each address once, where it stands first.
fn first_of_each(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut each: Vec<SocketAddr> = Vec::new();
    for address in addresses {
        if each.len() < TARGETS_MAX && !each.contains(address) {
            each.push(*address);
        }
    }
    each
}

/// Where a trunk's calls come from, and when its names led there last; the oldest first.
#[derive(Default)]
struct Sources(Vec<(IpAddr, Instant)>);

impl Sources {
    /// What they are with an answer of this moment.
    fn with(&mut self, now: Instant, answer: &[SocketAddr]) -> Vec<IpAddr> {
        for address in answer {
            self.0.retain(|(ip, _)| *ip != address.ip());
            self.0.push((address.ip(), now));
        }
        self.0.retain(|(_, seen)| now.saturating_duration_since(*seen) < LINGERS);
        let beyond = self.0.len().saturating_sub(SOURCES_MAX);
        self.0.drain(..beyond);
        let mut sources: Vec<IpAddr> = self.0.iter().map(|(ip, _)| *ip).collect();
        sources.sort_unstable(); // the same answer in another order is no news
        sources
    }
}

struct Found {
    targets: Vec<SocketAddr>,
    good_for: Duration,
    failed: Option<String>,
}

impl Found {
    /// RFC 3263 §4.2, for a transport that is configured: a port given is the port, otherwise SRV,
    /// otherwise the transport's own port.
    async fn ask(&mut self, resolver: &TokioResolver, host: &HostName, transport: Transport) {
        if let Some(port) = host.port {
            return self.addresses(resolver, &host.name, port).await;
        }
        let (service, port) = match transport {
            Transport::Udp => ("_sip._udp", 5060),
            Transport::Tcp => ("_sip._tcp", 5060),
            Transport::Tls => ("_sips._tcp", 5061),
        };
        let name = format!("{service}.{}.", host.name.trim_end_matches('.'));
        let answer = resolver.lookup(name, RecordType::SRV).await;
        let mut services: Vec<(u16, u16, u16, String)> = Vec::new();
        match &answer {
            Ok(answer) => {
                self.lasts(answer.valid_until());
                services.extend(answer.answers().iter().filter_map(|record| match &record.data {
                    RData::SRV(srv) => {
                        Some((srv.priority, u16::MAX - srv.weight, srv.port, srv.target.to_utf8()))
                    }
                    _ => None,
                }));
            }
            Err(error) if error.is_no_records_found() => {} // it has none: its own address is meant
            // The name may have services all the same, and its own address may be a web server's.
            Err(error) => return self.failed = Some(format!("{}: {error}", host.name)),
        }
        if services.is_empty() {
            return self.addresses(resolver, &host.name, port).await;
        }
        // The heaviest of a priority first: who stands is found out by OPTIONS, not by chance.
        services.sort();
        for (_, _, port, target) in services {
            self.addresses(resolver, &target, port).await;
        }
    }

    async fn addresses(&mut self, resolver: &TokioResolver, name: &str, port: u16) {
        match resolver.lookup_ip(format!("{}.", name.trim_end_matches('.'))).await {
            Ok(answer) => {
                self.lasts(answer.valid_until());
                self.targets.extend(answer.iter().map(|ip| SocketAddr::new(ip, port)));
            }
            Err(error) => self.failed = Some(format!("{name}: {error}")),
        }
    }

    fn lasts(&mut self, until: Instant) {
        self.good_for =
            self.good_for.min(until.saturating_duration_since(tokio::time::Instant::now().into_std()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u8) -> SocketAddr {
        SocketAddr::from(([198, 51, 100, last], 5060))
    }

    #[test]
    fn a_carrier_with_many_addresses_may_call_from_all_of_them_and_is_asked_at_some() {
        let answer: Vec<SocketAddr> = (0..40).map(at).collect();
        let now = tokio::time::Instant::now().into_std();
        assert_eq!(first_of_each(&answer).len(), TARGETS_MAX);
        assert_eq!(Sources::default().with(now, &answer).len(), 40);
    }

    /// A name server that has a web server's address for every name, and says `code` of services.
    fn name_server(code: u8) -> SocketAddr {
        let server = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        let at = server.local_addr().expect("bound");
        std::thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((length, from)) = server.recv_from(&mut query) {
                let name_end = 12 + query[12..length].iter().position(|byte| *byte == 0).unwrap_or(0) + 1;
                let is_address = query[name_end + 1] == 1;
                let mut answer = query[..2].to_vec();
                let code = if is_address { 0 } else { code };
                answer.extend_from_slice(&[0x85, 0x80 | code, 0, 1, 0, u8::from(is_address), 0, 0, 0, 0]);
                answer.extend_from_slice(&query[12..name_end + 4]);
                if is_address {
                    answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 80]);
                }
                let _ = server.send_to(&answer, from);
            }
        });
        at
    }

    #[tokio::test]
    async fn a_question_about_services_that_fails_is_no_word_that_there_are_none() {
        const NX_DOMAIN: u8 = 3;
        const SERVER_FAILURE: u8 = 2;
        for (code, failed) in [(NX_DOMAIN, false), (SERVER_FAILURE, true)] {
            let resolver = resolver(Some(name_server(code))).expect("a resolver");
            let host = HostName { name: "carrier.example".to_owned(), port: None };
            let mut found = Found { targets: Vec::new(), good_for: REST_MOST, failed: None };
            found.ask(&resolver, &host, Transport::Udp).await;
            assert_eq!((found.failed.is_some(), found.targets.is_empty()), (failed, failed), "{code}");
        }
    }

    #[test]
    fn a_name_server_that_tells_a_part_each_time_makes_nobody_a_stranger_for_a_day() {
        let mut known = Sources::default();
        let now = tokio::time::Instant::now().into_std();
        known.with(now, &[at(1), at(2)]);
        assert_eq!(known.with(now + Duration::from_secs(300), &[at(3)]).len(), 3);
        assert_eq!(known.with(now + LINGERS, &[at(3)]), [at(3).ip()]);
        let many: Vec<SocketAddr> = (0..=255).map(at).collect();
        assert_eq!(known.with(now + LINGERS, &many).len(), SOURCES_MAX);
    }
}
