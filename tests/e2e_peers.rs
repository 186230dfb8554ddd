//! Other makers' SIP: SIPp calls in, baresip registers and answers.

mod common;

use bandeau::load::tone::carries;
use common::{Folder, Node, Phones, eventually, free_udp};
use std::f64::consts::TAU;
use std::path::Path;
use std::process::{Child, Command, Stdio};

#[test]
fn sipp_s_built_in_caller_passes_against_the_trunk() {
    let first = free_udp(1);
    let node = Node::start(Phones::Static { first, count: 1 });
    let phone = node.phones(first, "--phones 1 --ring 0 --seconds 8");
    let folder = Folder::new();
    let output = Command::new("sipp")
        .args(["-sn", "uac", "-s", "15", "-m", "3", "-r", "1", "-d", "1000", "-i", "127.0.0.1", "-nostdin"])
        .args(["-p", &free_udp(1).to_string(), "-timeout", "20s", "-timeout_error", &node.sip.to_string()])
        .current_dir(&folder.0)
        .env("TERM", "dumb")
        .output()
        .expect("sipp is installed by scripts/setup.sh");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let report = phone.report();
    assert!(report["phones_answered"].as_u64().is_some_and(|answered| answered >= 1), "{report}");
}

#[test]
fn our_own_phone_registers_with_sha_256_and_takes_a_call() {
    let node = Node::start(Phones::Registered);
    let password = node.folder().join("password");
    let args = "--count 0 --phones 1 --phone-port 0 --ring 0 --seconds 8 --user phone{i} --password-file";
    let phone = node.load(&format!("{args} {}", password.display()));
    eventually("the phone is registered", || node.log().contains("reachable=true"));
    let report = node.load("--count 1 --talk 1 --patience 6 --seconds 20").report();
    assert_eq!((&report["completed"], &report["callers_heard_phone"]), (&1.into(), &1.into()), "{report}");
    assert_eq!(phone.report()["phones_heard_caller"], 1);
}

#[test]
fn baresip_registers_with_digest_and_takes_a_call_with_audio_both_ways() {
    let node = Node::start(Phones::RegisteredMd5);
    let phone = Baresip::start(&node);
    eventually("baresip is registered", || node.log().contains("reachable=true"));
    let report = node.load("--count 1 --talk 3 --patience 15 --seconds 30").report();
    assert_eq!((&report["completed"], &report["failed"]), (&1.into(), &0.into()), "{report}");
    assert_eq!(report["callers_heard_phone"], 1, "the caller hears baresip's 700 Hz: {report}");
    let heard = phone.heard();
    assert!(carries(&heard, 1_000.0), "baresip hears the caller's 1 kHz in {} samples", heard.len());
}

#[test]
fn baresip_with_a_wrong_password_is_never_rung() {
    let node = Node::start(Phones::RegisteredMd5);
    let phone = Baresip::start_with(&node, "wrong");
    eventually("its proof was refused", || phone.log().contains("401 Unauthorized"));
    assert!(!node.log().contains("reachable=true"));
    let report = node.load("--count 1 --patience 2 --seconds 20").report();
    assert_eq!((&report["abandoned"], &report["callers_heard_phone"]), (&1.into(), &0.into()), "{report}");
}

/// A phone of another maker, headless: says 700 Hz from a file, keeps what it hears.
struct Baresip {
    child: Child,
    folder: Folder,
}

impl Baresip {
    fn start(node: &Node) -> Baresip {
        Baresip::start_with(node, "open-sesame")
    }

    fn start_with(node: &Node, password: &str) -> Baresip {
        let folder = Folder::new();
        let (says, here) = (folder.0.join("says.wav"), folder.0.display());
        std::fs::write(&says, wav(700.0, 20)).unwrap();
        let modules =
            ["g711", "aufile", "aubridge", "sndfile"].map(|name| format!("module {name}.so\n")).concat();
        let modules = modules + &["account", "menu"].map(|name| format!("module_app {name}.so\n")).concat();
        let config = format!(
            "sip_listen 127.0.0.1:0\nnet_interface 127.0.0.1\nmodule_path /usr/lib/baresip/modules\naudio_player aubridge,none\n\
             audio_source aufile,{}\naudio_alert aubridge,none\nrtp_timeout 0\nsnd_path {here}\n{modules}",
            says.display(),
        );
        folder.write("config", &config);
        let account = format!(
            "<sip:phone0@{}>;auth_user=phone0;auth_pass={password};answermode=auto;regint=60\n",
            node.sip
        );
        folder.write("accounts", &account);
        folder.write("contacts", "");
        let log = std::fs::File::create(folder.0.join("log")).unwrap();
        let child = Command::new("baresip")
            .args(["-f"])
            .arg(&folder.0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("baresip is installed by scripts/setup.sh");
        Baresip { child, folder }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("log")).unwrap_or_default()
    }

    /// Ends it and reads what it has decoded.
    fn heard(mut self) -> Vec<i16> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap();
        let dumps = std::fs::read_dir(&self.folder.0).unwrap().map(|entry| entry.unwrap().path());
        let decoded = |path: &std::path::PathBuf| path.to_string_lossy().ends_with("dec.wav");
        let Some(dump) = dumps.into_iter().find(decoded) else {
            panic!("no dump: {}", self.log());
        };
        samples(&dump)
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "baresip's log:\n{}",
                std::fs::read_to_string(self.folder.0.join("log")).unwrap_or_default()
            );
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A WAV of a tone: 16 bits, mono, 8 kHz.
fn wav(hertz: f64, seconds: u32) -> Vec<u8> {
    let samples =
        (0..seconds * 8_000).map(|n| ((f64::from(n) * TAU * hertz / 8_000.0).sin() * 16_000.0) as i16);
    let body: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let length = u32::try_from(body.len()).unwrap();
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&8_000_u32.to_le_bytes());
    file.extend_from_slice(&16_000_u32.to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&body);
    file
}

/// The samples of a WAV, sound by sound; its header is 44 bytes, near enough for listening.
fn samples(path: &Path) -> Vec<i16> {
    let bytes = std::fs::read(path).unwrap();
    bytes
        .get(44..)
        .unwrap_or_default()
        .chunks_exact(2)
        .map(|two| i16::from_le_bytes([two[0], two[1]]))
        .collect()
}
