//! Kamailio as the carrier's border: Record-Route, two hops, TLS to us with certificates both ways.

use crate::common::certificates::Authority;
use crate::common::{Folder, Node, PLAN, Phones, eventually, free_tcp, free_udp, load_at, local};
use crate::table::row;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const MODULES: &str = "/usr/lib/x86_64-linux-gnu/kamailio/modules/";

/// A proxy that stays in the way (Record-Route) and sends everything new to the next hop.
struct Kamailio {
    child: Child,
    folder: Folder,
    udp: u16,
}

/// Where a proxy sends to, and how.
enum Next {
    Udp(u16),
    Tls(u16),
}

impl Kamailio {
    fn start(udp: u16, tls: Option<(u16, &PathBuf)>, next: &Next) -> Kamailio {
        let folder = Folder::new();
        let (listen, secure) = match tls {
            None => (String::new(), String::new()),
            Some((port, files)) => {
                let files = files.display();
                let side = format!(
                    "method = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\n\
                     private_key = {files}/carrier.key\ncertificate = {files}/carrier.pem\nca_list = {files}/ca.pem\n"
                );
                let file =
                    folder.write("tls.cfg", &format!("[server:default]\n{side}\n[client:default]\n{side}"));
                (
                    format!("enable_tls=yes\nlisten=tls:127.0.0.1:{port}\n"),
                    format!("loadmodule \"tls.so\"\nmodparam(\"tls\", \"config\", \"{}\")\n", file.display()),
                )
            }
        };
        let next = match next {
            Next::Udp(port) => format!("sip:127.0.0.1:{port}"),
            Next::Tls(port) => format!("sip:127.0.0.1:{port};transport=tls"),
        };
        let modules = ["pv", "tm", "sl", "rr", "maxfwd", "textops", "siputils"];
        let modules: String = modules.iter().map(|name| format!("loadmodule \"{name}.so\"\n")).collect();
        let text = format!(
            "#!KAMAILIO\ndebug=1\nlog_stderror=yes\nchildren=2\ntcp_children=2\nauto_aliases=no\n\
             listen=udp:127.0.0.1:{udp}\n{listen}mpath=\"{MODULES}\"\n{modules}{secure}\
             request_route {{\n\
               if (!mf_process_maxfwd_header(\"10\")) {{ sl_send_reply(\"483\", \"Too Many Hops\"); exit; }}\n\
               if (is_method(\"OPTIONS\") && !has_totag()) {{ sl_send_reply(\"200\", \"OK\"); exit; }}\n\
               if (is_method(\"CANCEL\")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}\n\
               if (has_totag()) {{\n\
                 if (loose_route()) {{ t_relay(); exit; }}\n\
                 if (is_method(\"ACK\") && t_check_trans()) {{ t_relay(); }}\n\
                 exit;\n\
               }}\n\
               t_check_trans();\n\
               if (is_method(\"INVITE\")) {{ record_route(); }}\n\
               $du = \"{next}\";\n\
               t_relay();\n\
             }}\n"
        );
        let config = folder.write("kamailio.cfg", &text);
        let log = std::fs::File::create(folder.0.join("log")).unwrap();
        let child = Command::new("kamailio")
            .args(["-DD", "-E", "-m", "64", "-M", "8", "-f"])
            .arg(&config)
            .arg("-Y")
            .arg(&folder.0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("kamailio is installed by scripts/setup.sh");
        Kamailio { child, folder, udp }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("log")).unwrap_or_default()
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kamailio's log:\n{}", self.log());
        }
        // Its main process takes its children with it.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// A node with one phone whose carrier is a Kamailio at `border` that shows its certificate.
fn node(first: u16, tls: u16, border: u16) -> Node {
    let authority = Authority::new();
    Node::start_edited(Phones::Static { first, count: 1 }, PLAN, |text, folder| {
        folder.write("ca.pem", &authority.pem());
        authority.vouches(folder, "own", &["bandeau.example", "127.0.0.1"]);
        authority.vouches(folder, "carrier", &["sbc.carrier.example"]);
        let trunk = format!(
            "peers = [\"127.0.0.1:{border}\"]\ntransport = \"tls\"\ncertificate_names = [\"sbc.carrier.example\"]\n\
             options = \"5s\""
        );
        let files = "certificate = \"own.pem\"\nkey = \"own.key\"\nca = \"ca.pem\"";
        text.replace("\"]\n\n[media]", &format!("\", \"tls:127.0.0.1:{tls}\"]\n{files}\n\n[media]"))
            .replace("peers = [\"127.0.0.1\"]", &trunk)
    })
}

#[test]
fn calls_come_through_two_hops_and_mutual_tls_with_audio_both_ways_and_end_from_either_side() {
    let _row = row(
        "Kamailio",
        ("kamailio", "-v"),
        "two hops, Record-Route, mutual TLS: audio, BYE from either side, our OPTIONS",
    );
    let (first, tls, border) = (free_udp(1), free_tcp(), free_tcp());
    let node = node(first, tls, border);
    let files = node.folder().to_owned();
    let inner = Kamailio::start(free_udp(1), Some((border, &files)), &Next::Tls(tls));
    let outer = Kamailio::start(free_udp(1), None, &Next::Udp(inner.udp));
    eventually("our OPTIONS are answered over TLS", || {
        node.metric_of("bandeau_trunk_state", "state=\"up\"") == 1.0
    });
    let phone = node.phones(first, "--phones 1 --ring 0 --phone-talk 3 --seconds 25");
    let report = load_at(local(outer.udp), "--count 3 --rate 1 --talk 1 --patience 10 --seconds 25").report();
    assert_eq!((&report["completed"], &report["failed"]), (&3.into(), &0.into()), "{report}");
    assert_eq!(report["callers_heard_phone"], 3, "{report}");
    // Whoever is called hangs up: our BYE finds its way back through both hops.
    let report = load_at(local(outer.udp), "--count 1 --talk 20 --patience 10 --seconds 15").report();
    assert_eq!((&report["answered"], &report["failed"]), (&1.into(), &0.into()), "{report}");
    eventually("both sides know that it is over", || {
        node.metric_of("bandeau_calls_total", "outcome=\"released\"") == 4.0
    });
    drop(phone);
    assert_eq!(node.metric_of("bandeau_sip_refused_total", "peer=\"trunk\""), 0.0);
}
