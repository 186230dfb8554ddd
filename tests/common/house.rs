//! A node with every road in: datagrams, TCP and TLS, and whom it believes.

use super::carrier::Carrier;
use super::certificates::Authority;
use super::{Node, PLAN, Phones, free_tcp, local};
use std::net::SocketAddr;
use std::path::PathBuf;

/// A node that also listens on TCP and TLS, and whose trunk is at the loopback.
pub struct House {
    pub node: Node,
    pub tcp: SocketAddr,
    pub tls: SocketAddr,
    pub ca: PathBuf,
    pub carrier: (PathBuf, PathBuf),
    pub other: (PathBuf, PathBuf),
    pub authority: Authority,
}

impl House {
    /// `trunk`: further keys of its trunk; `sip`: of its `[sip]`.
    pub fn open(trunk: &str, sip: &str) -> House {
        House::logging("info", trunk, sip)
    }

    /// The same with another level of the technical log.
    pub fn logging(level: &str, trunk: &str, sip: &str) -> House {
        House::of_trunk(level, &format!("peers = [\"127.0.0.1\"]\n{trunk}"), sip)
    }

    /// A node whose trunk has these keys and no others.
    pub fn of_trunk(level: &str, trunk: &str, sip: &str) -> House {
        let (tcp, tls) = (free_tcp(), free_tcp());
        let authority = Authority::new();
        let mut made = None;
        let node = Node::start_edited(Phones::None, PLAN, |text, folder| {
            let ca = folder.write("ca.pem", &authority.pem());
            authority.vouches(folder, "own", &["bandeau.example", "127.0.0.1"]);
            let carrier = authority.vouches(folder, "carrier", &["sbc.carrier.example"]);
            let other = authority.vouches(folder, "other", &["sbc.elsewhere.example"]);
            made = Some((ca, carrier, other));
            let files = "certificate = \"own.pem\"\nkey = \"own.key\"\nca = \"ca.pem\"";
            text.replace(
                "\"]\n\n[media]",
                &format!("\", \"tcp:127.0.0.1:{tcp}\", \"tls:127.0.0.1:{tls}\"]\n{files}\n{sip}\n\n[media]"),
            )
            .replace("level = \"info\"", &format!("level = \"{level}\""))
            .replace("peers = [\"127.0.0.1\"]", trunk)
        });
        let (ca, carrier, other) = made.expect("the configuration was written");
        House { node, tcp: local(tcp), tls: local(tls), ca, carrier, other, authority }
    }

    /// The trunk, by datagrams, TCP and TLS.
    pub fn carriers(&self) -> [Carrier; 3] {
        let shown = (self.carrier.0.as_path(), self.carrier.1.as_path());
        [
            Carrier::udp(local(0), self.node.sip),
            Carrier::tcp(self.tcp),
            Carrier::tls(self.tls, "bandeau.example", &self.ca, Some(shown)).expect("a handshake"),
        ]
    }
}
