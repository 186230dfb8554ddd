//! Desk phones of other makers: baresip and linphone, over TLS, with enciphered audio.

use crate::common::baresip::{Baresip, wav};
use crate::common::certificates::Authority;
use crate::common::{Folder, Node, PLAN, Phones, eventually, free_tcp, free_udp, local};
use crate::ear::Ear;
use crate::sipp::{heard_call, heard_call_from};
use crate::table::row;
use bandeau::load::tone::{PHONE_HZ, carries};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A node that phones register at over TLS, and the authority they believe.
fn node(phones: Phones, srtp: &str) -> (Node, SocketAddr, PathBuf) {
    node_with(phones, srtp, ("127.0.0.1", ""))
}

/// The same with its carrier elsewhere and more people.
fn node_with(phones: Phones, srtp: &str, (carrier, agents): (&str, &str)) -> (Node, SocketAddr, PathBuf) {
    let (tls, authority) = (free_tcp(), Authority::new());
    let mut ca = PathBuf::new();
    let node = Node::start_edited(phones, PLAN, |text, folder| {
        ca = folder.write("ca.pem", &authority.pem());
        authority.vouches(folder, "own", &["127.0.0.1", "bandeau.example"]);
        let more = format!(
            "certificate = \"own.pem\"\nkey = \"own.key\"\nca = \"ca.pem\"\nphones_srtp = \"{srtp}\""
        );
        text.replace("\"]\n\n[media]", &format!("\", \"tls:127.0.0.1:{tls}\"]\n{more}\n\n[media]"))
            .replace("peers = [\"127.0.0.1\"]", &format!("peers = [\"{carrier}\"]"))
            + agents
    });
    (node, local(tls), ca)
}

/// Registers a baresip over TLS and calls it; both must hear the other.
fn baresip_talks(srtp: &str, account: &str) {
    let (node, tls, ca) = node(Phones::RegisteredMd5, srtp);
    let lines = format!("sip_cafile {}\nsip_verify_server yes\n", ca.display());
    let account = format!(";outbound=\"sip:{tls};transport=tls\"{account}");
    let phone = Baresip::at(&format!("{tls};transport=tls"), "open-sesame", &account, &lines);
    eventually("baresip is registered over TLS", || node.log().contains("reachable=true"));
    let report = node.load("--count 1 --talk 3 --patience 15 --seconds 30").report();
    assert_eq!(
        (&report["completed"], &report["callers_heard_phone"]),
        (&1.into(), &1.into()),
        "{report}\n{}",
        phone.log()
    );
    let heard = phone.heard();
    assert!(carries(&heard, 1_000.0), "baresip hears the caller's 1 kHz in {} samples", heard.len());
}

#[test]
fn baresip_registers_over_tls_and_talks_over_srtp() {
    let _row = row("baresip", ("baresip", "-h"), "registers over TLS, SRTP required by both");
    baresip_talks("required", ";mediaenc=srtp-mand");
}

#[test]
#[ignore = "make test-all"]
fn baresip_and_we_agree_on_srtp_when_both_may() {
    let _row = row("baresip", ("baresip", "-h"), "SRTP offered by us, optional there");
    baresip_talks("offered", ";mediaenc=srtp");
}

#[test]
#[ignore = "make test-all"]
fn baresip_without_srtp_talks_plainly_when_we_only_offer_it() {
    let _row = row("baresip", ("baresip", "-h"), "SRTP offered by us, unknown there: plain audio");
    baresip_talks("offered", "");
}

#[test]
#[ignore = "make test-all"]
fn baresip_holds_its_caller_and_both_hear_each_other_again_afterwards() {
    let _row = row("baresip", ("baresip", "-h"), "hold and resume: audio both ways again");
    let node = Node::start(Phones::RegisteredMd5);
    let phone = Baresip::start(&node);
    eventually("baresip is registered", || node.log().contains("reachable=true"));
    let ear = Ear::open();
    let call = heard_call(node.sip, "talk", &ear, 9_000);
    eventually("the phone is heard", || ear.hears_phone());
    phone.press("hold", "");
    eventually("the caller is held", || !ear.hears_phone());
    phone.press("resume", "");
    eventually("the phone is heard again", || ear.hears_phone());
    call.passes();
    // Its player does not survive a hold, and with it goes its dump: what it counts says the same.
    let log = phone.log();
    let rates = log.rsplit("audio=").find_map(|rest| rest.split(' ').next()?.split_once('/'));
    let whole = |rate: &str| rate.parse::<u32>().is_ok_and(|rate| rate > 60_000);
    assert!(rates.is_some_and(|(sent, came)| whole(sent) && whole(came)), "bits a second: {rates:?}");
    assert_eq!(node.metric("bandeau_never_total"), 0.0);
}

/// linphone's console, told what to do by its standard input.
struct Linphone {
    child: Child,
    folder: Folder,
}

impl Linphone {
    /// Believes `ca`, but reads no addresses in certificates: the chain is verified, the name is not.
    /// Answers what comes and says a tone.
    fn start(ca: &std::path::Path, hertz: f64) -> Linphone {
        let folder = Folder::new();
        std::fs::create_dir_all(folder.0.join(".local/share/linphone")).unwrap();
        let config = folder.write(
            "linphonerc",
            &format!(
                "[sip]\nsip_port=-1\nsip_tcp_port=-1\nsip_tls_port=-1\nroot_ca={}\nverify_server_certs=1\nverify_server_cn=0\nuse_ipv6=0\nmedia_encryption=none\n\
                 [net]\nmtu=1300\n[sound]\nplayback_dev_id=\ncapture_dev_id=\n[rtp]\naudio_rtp_port=-1\n",
                ca.display()
            ),
        );
        let log = std::fs::File::create(folder.0.join("log")).unwrap();
        let child = Command::new("linphonec")
            .args(["-a", "-d", "6", "-l"])
            .arg(folder.0.join("debug"))
            .arg("-c")
            .arg(&config)
            .env("HOME", &folder.0)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("linphonec is installed by scripts/setup.sh");
        let mut phone = Linphone { child, folder };
        let says = phone.folder.0.join("says.wav");
        std::fs::write(&says, wav(hertz, 30)).unwrap();
        phone.say("soundcard use files");
        phone.say(&format!("play {}", says.display()));
        phone
    }

    fn say(&mut self, command: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{command}").unwrap();
    }

    fn console(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("log")).unwrap_or_default()
    }

    fn debug(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("debug")).unwrap_or_default()
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("linphone's console:\n{}", self.console());
            let debug = self.debug();
            let lines: Vec<&str> = debug.lines().rev().take(60).collect();
            eprintln!("linphone's log:\n{}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn linphone_registers_with_sha_256_over_tls_and_takes_a_call() {
    let _row = row("linphone", ("linphonec", "-v"), "registers with SHA-256 over TLS and takes a call");
    let (node, tls, ca) = node(Phones::Registered, "off");
    let mut phone = Linphone::start(&ca, PHONE_HZ);
    phone.say(&format!("register sip:phone0@{tls} sip:{tls};transport=tls open-sesame"));
    eventually("linphone is registered over TLS", || node.log().contains("reachable=true"));
    assert!(phone.debug().contains("algorithm=SHA-256"), "with the stronger hash");
    let report = node.load("--count 1 --talk 2 --patience 15 --seconds 30").report();
    assert_eq!((&report["completed"], &report["callers_heard_phone"]), (&1.into(), &1.into()), "{report}");
}

#[test]
#[ignore = "make test-all"]
fn linphone_asks_a_colleague_by_its_second_line_and_leaves_the_caller_to_them() {
    let _row =
        row("linphone", ("linphonec", "-v"), "attended transfer: hold, second call, REFER with Replaces");
    let desk = free_udp(1);
    // Who is asked serves no queue: it is for the transfer alone that this phone rings.
    let colleague = format!(
        "\n[[centre.agent]]\nname = \"ines\"\nrole = \"agent\"\nskills = [\"file\"]\nposition = \"desk 2\"\n\
         always_ready = true\nphone = {{ uri = \"sip:ines@127.0.0.1:{desk}\", address = \"127.0.0.1:{desk}\" }}\n"
    );
    // What comes from a carrier's address is a carrier's, whoever else sits there.
    let (node, tls, ca) = node_with(Phones::Registered, "off", ("127.0.0.2", &colleague));
    let carrier = SocketAddr::from(([127, 0, 0, 2], free_udp(1)));
    let ines = node.phones(desk, "--phones 1 --ring 1 --seconds 20");
    let mut phone = Linphone::start(&ca, 440.0);
    phone.say(&format!("register sip:phone0@{tls} sip:{tls};transport=tls open-sesame"));
    eventually("linphone is registered over TLS", || node.log().contains("why=\"registered\""));
    let ear = Ear::open();
    let call = heard_call_from(carrier, node.sip, "talk", &ear, 12_000);
    eventually("linphone has the caller", || node.log().contains("connected agent=0-a0"));
    assert!(!ear.hears_phone(), "what linphone says is another tone");
    phone.say("pause");
    eventually("the caller is on hold", || phone.console().contains("is now paused"));
    phone.say(&format!("call sip:ines@{tls};transport=tls"));
    eventually("the colleague is asked", || node.log().contains("in the conversation who=0-a1"));
    assert!(!ear.hears_phone(), "the caller hears nothing of it");
    phone.say("transfer 1 --to-call 2");
    eventually("the caller hears the colleague", || ear.hears_phone());
    drop(phone);
    call.passes();
    assert!(ines.report()["phones_heard_caller"] == 1, "and is heard");
    assert_eq!(node.metric_of("bandeau_calls_total", "outcome=\"released\""), 1.0);
    assert_eq!(node.metric("bandeau_never_total"), 0.0);
}
