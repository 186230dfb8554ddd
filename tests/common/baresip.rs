//! baresip, headless.

use super::{Folder, Node, eventually, free_tcp, local};
use std::f64::consts::TAU;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A phone of another maker, headless: says 700 Hz from a file, keeps what it hears.
pub struct Baresip {
    child: Child,
    folder: Folder,
    /// Where it takes commands.
    control: u16,
}

impl Baresip {
    pub fn start(node: &Node) -> Baresip {
        Baresip::start_with(node, "open-sesame")
    }

    pub fn start_with(node: &Node, password: &str) -> Baresip {
        Baresip::at(&node.sip.to_string(), password, "", "")
    }

    /// Registers at `host` with further parameters of the account and lines of the configuration.
    pub fn at(host: &str, password: &str, account: &str, lines: &str) -> Baresip {
        let folder = Folder::new();
        let (says, here) = (folder.0.join("says.wav"), folder.0.display());
        std::fs::write(&says, wav(700.0, 20)).unwrap();
        let modules = ["g711", "aufile", "aubridge", "sndfile", "srtp"]
            .map(|name| format!("module {name}.so\n"))
            .concat();
        let modules =
            modules + &["account", "menu", "ctrl_tcp"].map(|name| format!("module_app {name}.so\n")).concat();
        let control = free_tcp();
        let config = format!(
            "ctrl_tcp_listen 127.0.0.1:{control}\nsip_listen 127.0.0.1:0\nnet_interface 127.0.0.1\nmodule_path /usr/lib/baresip/modules\naudio_player aubridge,none\n\
             audio_source aufile,{}\naudio_alert aubridge,none\nrtp_timeout 0\nsnd_path {here}\n{lines}{modules}",
            says.display(),
        );
        folder.write("config", &config);
        let account = format!(
            "<sip:phone0@{host}>;auth_user=phone0;auth_pass={password};answermode=auto;regint=60{account}\n"
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
        Baresip { child, folder, control }
    }

    /// A key of its menu: `hold`, `resume`, `transfer` to somewhere.
    pub fn press(&self, command: &str, params: &str) {
        let wish = format!(r#"{{"command":"{command}","params":"{params}"}}"#);
        let mut line = TcpStream::connect(local(self.control)).expect("baresip takes commands");
        write!(line, "{}:{wish},", wish.len()).unwrap();
        // It has been obeyed once it is answered.
        let answered = || line.peek(&mut [0]).is_ok_and(|length| length > 0);
        eventually("baresip obeys", answered);
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("log")).unwrap_or_default()
    }

    /// Ends it and reads what it has decoded.
    pub fn heard(mut self) -> Vec<i16> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap();
        let dumps = std::fs::read_dir(&self.folder.0).unwrap().map(|entry| entry.unwrap().path());
        let decoded = |path: &std::path::PathBuf| path.to_string_lossy().ends_with("dec.wav");
        // One for each time its audio began; their names tell when.
        let mut dumps: Vec<_> = dumps.filter(decoded).collect();
        dumps.sort();
        assert!(!dumps.is_empty(), "no dump: {}", self.log());
        dumps.iter().flat_map(|dump| samples(dump)).collect()
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
pub fn wav(hertz: f64, seconds: u32) -> Vec<u8> {
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
pub fn samples(path: &Path) -> Vec<i16> {
    let bytes = std::fs::read(path).unwrap();
    bytes
        .get(44..)
        .unwrap_or_default()
        .chunks_exact(2)
        .map(|two| i16::from_le_bytes([two[0], two[1]]))
        .collect()
}
