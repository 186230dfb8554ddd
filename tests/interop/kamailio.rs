//! Kamailio as the carrier's border: Record-Route, two hops, TLS to us with certificates both ways; as one
//! that asks us whether we live; as the registrar a carrier has.

use crate::common::certificates::Authority;
use crate::common::{Folder, Node, PLAN, Phones, eventually, free_tcp, free_udp, load_at, local};
use crate::table::row;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const MODULES: &str = "/usr/lib/x86_64-linux-gnu/kamailio/modules/";

/// How each of them answers OPTIONS and carries what belongs to a call on its way.
const WITHIN: &str = "if (is_method(\"OPTIONS\") && !has_totag()) { sl_send_reply(\"200\", \"OK\"); exit; }\n\
     if (is_method(\"CANCEL\")) { if (t_check_trans()) { t_relay(); } exit; }\n\
     if (has_totag()) {\n\
       if (loose_route()) { t_relay(); exit; }\n\
       if (is_method(\"ACK\") && t_check_trans()) { t_relay(); }\n\
       exit;\n\
     }\n";

/// A proxy that stays in the way (Record-Route) and sends everything new to the next hop.
pub(crate) struct Kamailio {
    child: Child,
    folder: Folder,
    pub(crate) udp: u16,
}

/// Where a proxy sends to, and how.
enum Next {
    Udp(u16),
    Tcp(u16),
    Tls(u16),
}

impl Kamailio {
    fn start(udp: u16, tls: Option<(u16, &PathBuf)>, next: &Next) -> Kamailio {
        let folder = Folder::new();
        let (listen, secure) = match tls {
            // What comes back over TCP within a call comes to its Record-Route.
            None if matches!(next, Next::Tcp(_)) => {
                (format!("listen=tcp:127.0.0.1:{}\n", free_tcp()), String::new())
            }
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
            Next::Tcp(port) => format!("sip:127.0.0.1:{port};transport=tcp"),
            Next::Tls(port) => format!("sip:127.0.0.1:{port};transport=tls"),
        };
        let lines = format!("{listen}{secure}");
        let route = format!(
            "if (!mf_process_maxfwd_header(\"10\")) {{ sl_send_reply(\"483\", \"Too Many Hops\"); exit; }}\n\
             {WITHIN}t_check_trans();\n\
             if (is_method(\"INVITE\")) {{ record_route(); }}\n\
             $du = \"{next}\";\n\
             t_relay();\n"
        );
        Kamailio::run(udp, folder, &lines, &route)
    }

    /// One that takes datagrams and goes on over TCP.
    pub(crate) fn towards_tcp(centre: u16) -> Kamailio {
        Kamailio::start(free_udp(1), None, &Next::Tcp(centre))
    }

    /// One that asks a centre every second whether it lives, and says in its log what it thinks.
    fn asking(udp: u16, centre: u16) -> Kamailio {
        let folder = Folder::new();
        // 9: taken for dead until it has answered, and asked.
        let list = folder.write("centres", &format!("1 sip:127.0.0.1:{centre} 9\n"));
        let lines = format!(
            "loadmodule \"xlog.so\"\nloadmodule \"dispatcher.so\"\n\
             modparam(\"dispatcher\", \"list_file\", \"{}\")\n\
             modparam(\"dispatcher\", \"ds_ping_interval\", 1)\n\
             modparam(\"dispatcher\", \"ds_probing_mode\", 1)\n\
             modparam(\"dispatcher\", \"ds_probing_threshold\", 2)\n\
             modparam(\"tm\", \"fr_timer\", 1000)\n\
             event_route[dispatcher:dst-up] {{ xlog(\"L_ALERT\", \"the centre lives\\n\"); }}\n\
             event_route[dispatcher:dst-down] {{ xlog(\"L_ALERT\", \"the centre is dead\\n\"); }}\n",
            list.display()
        );
        Kamailio::run(udp, folder, &lines, WITHIN)
    }

    /// One that knows where its customer is by REGISTER, proved with this algorithm, and sends calls there.
    fn registrar(udp: u16, algorithm: &str) -> Kamailio {
        let lines = format!(
            "loadmodule \"xlog.so\"\nloadmodule \"auth.so\"\nloadmodule \"usrloc.so\"\nloadmodule \"registrar.so\"\n\
             modparam(\"auth\", \"algorithm\", \"{algorithm}\")\n\
             modparam(\"usrloc\", \"db_mode\", 0)\n\
             modparam(\"registrar\", \"max_expires\", 20)\n"
        );
        let route = format!(
            "{WITHIN}if (is_method(\"REGISTER\")) {{\n\
               if (!pv_www_authenticate(\"$td\", \"let-me-in\", \"0\", \"REGISTER\")) {{\n\
                 xlog(\"L_ALERT\", \"a proof is asked for\\n\");\n\
                 www_challenge(\"$td\", \"1\"); exit;\n\
               }}\n\
               xlog(\"L_ALERT\", \"$au has proved who it is\\n\");\n\
               save(\"location\"); exit;\n\
             }}\n\
             record_route();\n\
             $ru = \"sip:samu@127.0.0.1\";\n\
             if (!lookup(\"location\")) {{ sl_send_reply(\"480\", \"Not registered\"); exit; }}\n\
             t_relay();\n"
        );
        Kamailio::run(udp, Folder::new(), &lines, &route)
    }

    fn run(udp: u16, folder: Folder, lines: &str, route: &str) -> Kamailio {
        let modules = ["pv", "tm", "sl", "rr", "maxfwd", "siputils", "textops"];
        let modules: String = modules.iter().map(|name| format!("loadmodule \"{name}.so\"\n")).collect();
        let text = format!(
            "#!KAMAILIO\ndebug=1\nlog_stderror=yes\nchildren=2\ntcp_children=2\nauto_aliases=no\n\
             listen=udp:127.0.0.1:{udp}\nmpath=\"{MODULES}\"\n{modules}{lines}request_route {{\n{route}}}\n"
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

/// A node whose carrier sits at `border` and is asked every five seconds.
fn plain(first: u16, border: u16, more: &str) -> Node {
    let trunk = format!("peers = [\"127.0.0.1:{border}\"]\noptions = \"5s\"\n{more}");
    Node::start_edited(Phones::Static { first, count: 1 }, PLAN, |text, folder| {
        folder.write("carrier", "let-me-in\n");
        folder.write("wrong", "let-him-in\n");
        text.replace("peers = [\"127.0.0.1\"]", &trunk)
    })
}

fn stands(node: &Node, state: &str) -> bool {
    node.metric_of("bandeau_trunk_state", &format!("state=\"{state}\"")) == 1.0
}

#[test]
#[ignore = "make test-all"]
fn each_asks_whether_the_other_lives_and_knows_when_it_does_not() {
    let _row =
        row("Kamailio", ("kamailio", "-v"), "OPTIONS both ways: up, down and up again as each sees it");
    let border = free_udp(1);
    let node = plain(free_udp(1), border, "");
    assert!(!stands(&node, "up"), "nobody has answered yet");
    let carrier = Kamailio::asking(border, node.sip.port());
    eventually("the carrier is up", || stands(&node, "up"));
    eventually("it takes us for alive", || carrier.log().contains("the centre lives"));
    drop(carrier);
    eventually("the carrier is in doubt", || stands(&node, "suspect"));
    // Three questions without an answer, four seconds each.
    for _ in 0..3 {
        std::thread::sleep(std::time::Duration::from_secs(4));
    }
    eventually("the carrier is down", || stands(&node, "down"));
    let carrier = Kamailio::asking(border, node.sip.port());
    eventually("the carrier is back", || stands(&node, "up"));
    eventually("it has found us again", || carrier.log().contains("the centre lives"));
    drop(node);
    eventually("it knows that we are gone", || carrier.log().contains("the centre is dead"));
}

#[test]
#[ignore = "make test-all"]
fn we_register_at_a_carrier_that_finds_us_by_that_and_again_before_it_forgets() {
    let _row =
        row("Kamailio", ("kamailio", "-v"), "registrar: MD5 and SHA-256, renewed, calls sent where we are");
    let account = "user = \"samu\"\npassword_file = \"carrier\"\nregister = \"60s\"";
    for algorithm in ["MD5", "SHA-256"] {
        let (first, border) = (free_udp(1), free_udp(1));
        let carrier = Kamailio::registrar(border, algorithm);
        let node = plain(first, border, account);
        eventually("we are registered", || stands(&node, "up"));
        let phone = node.phones(first, "--phones 1 --ring 0 --seconds 40");
        let report = load_at(local(border), "--count 1 --talk 1 --patience 10 --seconds 25").report();
        assert_eq!(
            (&report["completed"], &report["callers_heard_phone"]),
            (&1.into(), &1.into()),
            "{report}"
        );
        drop(phone);
        // It keeps a place for 20 s: we say it again after ten.
        let proved = || carrier.log().matches("samu has proved who it is").count();
        std::thread::sleep(std::time::Duration::from_secs(5));
        eventually("we have said it again", || proved() >= 2);
        assert!(stands(&node, "up"));
    }
}

#[test]
#[ignore = "make test-all"]
fn a_carrier_that_does_not_believe_us_is_in_doubt_and_its_calls_are_taken_all_the_same() {
    let _row = row("Kamailio", ("kamailio", "-v"), "registrar: a wrong password is shown, calls are taken");
    let (first, border) = (free_udp(1), free_udp(1));
    let carrier = Kamailio::registrar(border, "MD5");
    let node = plain(first, border, "user = \"samu\"\npassword_file = \"wrong\"\nregister = \"60s\"");
    // For the first, and for a better one.
    eventually("its proof is refused", || carrier.log().matches("a proof is asked for").count() >= 2);
    eventually("the carrier is in doubt", || stands(&node, "suspect"));
    assert!(!carrier.log().contains("has proved who it is"));
    let _phone = node.phones(first, "--phones 1 --ring 0 --seconds 25");
    let args = format!("--caller-port {border} --count 1 --talk 1 --patience 10 --seconds 20");
    drop(carrier);
    let report = load_at(node.sip, &args).report();
    assert_eq!((&report["completed"], &report["callers_heard_phone"]), (&1.into(), &1.into()), "{report}");
    assert!(!stands(&node, "up"));
}
