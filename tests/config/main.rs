//! A wrong configuration starts nothing and says one thing: where, what, and what to do.

mod keys;

use bandeau::config::{Config, Fault};
use engine::site::Phone;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A configuration that is right, and the place for the one line each test makes wrong.
const RIGHT: &str = r#"[node]
state_dir = "state"

[sip]
listen = ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"]

[media]
bind = "127.0.0.1"
ports = "20000-29999"

[http]
listen = "127.0.0.1:8080"

[[trunk]]
name = "otn"
peers = ["192.0.2.1", "192.0.2.2:5080"]

[[access]]
name = "board"
role = "supervisor"
token_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

[[centre]]
name = "samu-67"
plan = "samu.toml"

[[centre.agent]]
name = "nour"
role = "agent"
skills = ["arm"]
phone = { uri = "sip:nour@192.0.2.20", address = "192.0.2.20:5060" }

[[centre.agent]]
name = "alex"
role = "agent"
skills = ["arm"]
phone = { user = "102", password_file = "secret" }
"#;

struct Site(PathBuf);

impl Site {
    fn new(name: &str) -> Site {
        let dir = std::env::temp_dir().join(format!("bandeau-config-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/dialplans/samu.toml");
        fs::copy(plan, dir.join("samu.toml")).unwrap();
        fs::write(dir.join("secret"), "correct horse\n").unwrap();
        Site(dir)
    }

    fn load(&self, text: &str) -> Result<Config, Fault> {
        fs::write(self.0.join("bandeau.toml"), text).unwrap();
        Config::load(&self.0.join("bandeau.toml"))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Replaces `from` by `to` in the right configuration and compares the whole error.
fn refused(name: &str, from: &str, to: &str, expected: &str) {
    let site = Site::new(name);
    assert!(RIGHT.contains(from), "the test changes nothing: {from}");
    let said = site.load(&RIGHT.replacen(from, to, 1)).expect_err("this configuration is wrong").to_string();
    let said = said.replace(&format!("{}/", site.0.display()), "");
    assert_eq!(said, expected.trim_start_matches('\n'), "\n{said}\n");
}

#[test]
fn a_port_is_kept_for_every_agents_phone_however_many_call() {
    let site = Site::new("answerable");
    let config = site.load(RIGHT).unwrap();
    assert_eq!(config.site.calls_max, 5_000 - 2, "5 000 pairs, two agents");
    let roomy = site.load(&RIGHT.replace("state_dir", "calls_max = 70\nstate_dir")).unwrap();
    assert_eq!(roomy.site.calls_max, 70);
}

#[test]
fn a_right_configuration_gives_its_site() {
    let site = Site::new("right");
    let config = site.load(RIGHT).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(config.listen.len(), 2);
    assert_eq!(config.site.contact.to_string(), "127.0.0.1:5060");
    assert_eq!(config.site.trunks[0].peers[0].port(), 0, "every port of a bare address");
    assert_eq!(config.site.centres[0].agents.len(), 2);
    assert_eq!(config.state_dir, site.0.join("state"));
    let shown = format!("{config:?}");
    assert!(!shown.contains("correct horse"), "a password is not kept");
}

/// The right configuration with a contact reached over its trunk, which has these keys.
fn asking_outside(trunk: &str) -> String {
    let contact = "\n[[centre.contact]]\nname = \"sdis-67\"\nnumber = \"18\"\ntrunks = [\"otn\"]\n";
    RIGHT.replace("peers = [\"192.0.2.1\", \"192.0.2.2:5080\"]", trunk) + contact
}

#[test]
fn a_carrier_known_by_its_name_leads_to_contacts_without_a_domain() {
    let site = Site::new("named-way");
    let config = site.load(&asking_outside("peers = [\"sbc.carrier.example\"]"));
    let config = config.unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(config.site.centres[0].directory[0].trunks, [0]);
}

#[test]
fn a_carrier_we_only_hear_from_leads_nowhere_whatever_it_is_called() {
    let site = Site::new("no-way");
    for trunk in ["peers = [\"192.0.2.1\"]", "peers = [\"192.0.2.1\"]\ndomain = \"carrier.example\""] {
        let said =
            site.load(&asking_outside(trunk)).expect_err("calls of ours have nowhere to go").to_string();
        assert!(said.starts_with("error: no trunk leads there"), "{said}");
    }
}

#[test]
fn a_trunk_needs_addresses_or_a_certificate() {
    let peers = "peers = [\"192.0.2.1\", \"192.0.2.2:5080\"]";
    let site = Site::new("by-certificate");
    for file in ["own.pem", "own.key", "ca.pem"] {
        fs::write(site.0.join(file), "").unwrap();
    }
    let files = "certificate = \"own.pem\"\nkey = \"own.key\"\nca = \"ca.pem\"\n\n[media]";
    let shown =
        RIGHT.replace(peers, "certificate_names = [\"sbc.carrier.example\"]").replace("\n[media]", files);
    let said = site.load(&shown).expect_err("none of its calls could come in").to_string();
    assert!(
        said.starts_with("error: a trunk that comes over TLS alone, and nobody listens over TLS"),
        "{said}"
    );
    let heard = shown.replace("listen = [\"udp:", "listen = [\"tls:127.0.0.1:5061\", \"udp:");
    let config = site.load(&heard).unwrap_or_else(|fault| panic!("{fault}"));
    assert!(config.site.trunks[0].peers.is_empty());
    let said = site.load(&RIGHT.replace(peers, "")).expect_err("nobody is that trunk").to_string();
    assert!(said.starts_with("error: a trunk without peers"), "{said}");
}

#[test]
fn an_unknown_key_is_refused() {
    refused(
        "unknown",
        "state_dir",
        "stat_dir",
        "
error: unknown field `stat_dir`, expected one of `state_dir`, `drain`, `calls_max`
 --> bandeau.toml:2:1
  |
2 | stat_dir = \"state\"
  | ^^^^^^^^
  = help: remove or correct the key; every key is described in `docs/operating.md`",
    );
}

#[test]
fn a_listener_needs_a_transport() {
    refused(
        "listener",
        "\"udp:127.0.0.1:5060\"",
        "\"127.0.0.1:5060\"",
        "
error: no transport in a listener
 --> bandeau.toml:5:11
  |
5 | listen = [\"127.0.0.1:5060\", \"tcp:127.0.0.1:5060\"]
  |           ^^^^^^^^^^^^^^^^
  = help: write `udp:ADDRESS:PORT`, `tcp:ADDRESS:PORT` or `tls:ADDRESS:PORT`",
    );
}

#[test]
fn an_unspecified_listener_needs_a_contact() {
    refused(
        "contact",
        "\"udp:127.0.0.1:5060\"",
        "\"udp:0.0.0.0:5060\"",
        "
error: a listener on every address says nothing about our own
 --> bandeau.toml:5:11
  |
5 | listen = [\"udp:0.0.0.0:5060\", \"tcp:127.0.0.1:5060\"]
  |           ^^^^^^^^^^^^^^^^^^
  = help: add `contact = \"ADDRESS:PORT\"` under [sip]: what peers are told",
    );
}

#[test]
fn plain_http_stays_on_this_machine() {
    refused(
        "http",
        "127.0.0.1:8080",
        "192.0.2.9:8080",
        "
error: plain http leaves this machine
  --> bandeau.toml:12:10
   |
12 | listen = \"192.0.2.9:8080\"
   |          ^^^^^^^^^^^^^^^^
   = help: add `certificate` and `key`, or listen on 127.0.0.1 or [::1]: passwords and callers' numbers pass here, and a browser gives no microphone to a page without TLS",
    );
}

#[test]
fn an_identity_is_a_certificate_and_its_key() {
    refused(
        "identity",
        "listen = \"127.0.0.1:8080\"",
        "listen = \"192.0.2.9:8443\"\ncertificate = \"secret\"",
        "
error: half of an identity
  --> bandeau.toml:13:15
   |
13 | certificate = \"secret\"
   |               ^^^^^^^^
   = help: give both `certificate` and `key`, PEM files",
    );
}

const PAGE: &str = r#"phone = { page = true }
fallback = { uri = "sip:nour@192.0.2.20", address = "192.0.2.20:5060" }"#;

#[test]
fn an_agent_may_speak_by_a_page_and_fall_back_on_a_phone() {
    let site = Site::new("page");
    let phone = r#"phone = { uri = "sip:nour@192.0.2.20", address = "192.0.2.20:5060" }"#;
    let config = site.load(&RIGHT.replacen(phone, PAGE, 1)).unwrap_or_else(|fault| panic!("{fault}"));
    let nour = &config.site.centres[0].agents[0];
    assert_eq!(nour.phone, Phone::Page);
    assert!(matches!(nour.fallback, Some(Phone::Static { .. })));
}

#[test]
fn a_page_does_not_fall_back_on_itself_and_a_desk_phone_on_nothing() {
    let phone = r#"phone = { uri = "sip:nour@192.0.2.20", address = "192.0.2.20:5060" }"#;
    refused(
        "twice",
        phone,
        "phone = { page = true }\nfallback = { page = true }",
        "
error: a page that falls back on a page
  --> bandeau.toml:32:12
   |
32 | fallback = { page = true }
   |            ^^^^^^^^^^^^^^^
   = help: name a phone: `{ uri = \"sip:..\", address = \"..\" }` or `{ user = .., password_file = .. }`",
    );
    let second = r#"phone = { user = "102", password_file = "secret" }"#;
    refused(
        "desk",
        second,
        &format!("{second}\nfallback = {{ uri = \"sip:a@192.0.2.21\", address = \"192.0.2.21:5060\" }}"),
        "
error: a fall-back for a desk phone
  --> bandeau.toml:38:12
   |
38 | fallback = { uri = \"sip:a@192.0.2.21\", address = \"192.0.2.21:5060\" }
   |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: `fallback` is for agents with `phone = { page = true }`: a page may be lost while talking",
    );
}

#[test]
fn a_page_is_ready_when_somebody_says_so() {
    refused(
        "always",
        r#"phone = { uri = "sip:nour@192.0.2.20", address = "192.0.2.20:5060" }"#,
        "phone = { page = true }\nalways_ready = true",
        "
error: a page that is always ready
  --> bandeau.toml:31:9
   |
31 | phone = { page = true }
   |         ^^^^^^^^^^^^^^^
   = help: leave `always_ready` out: with a page somebody signs in, and says when calls may come",
    );
}

#[test]
fn a_phone_is_fixed_or_registers() {
    refused(
        "phone",
        "{ user = \"102\", password_file = \"secret\" }",
        "{ user = \"102\" }",
        "
error: a registering phone without a password
  --> bandeau.toml:37:9
   |
37 | phone = { user = \"102\" }
   |         ^^^^^^^^^^^^^^^^
   = help: give `password_file`, or `ha1_md5` and, when the phone can, `ha1_sha256`",
    );
}

#[test]
fn two_agents_do_not_share_a_phone() {
    refused(
        "shared",
        "{ user = \"102\", password_file = \"secret\" }",
        "{ uri = \"sip:alex@192.0.2.20\", address = \"192.0.2.20:5060\" }",
        "
error: the phone of agent `nour` already
  --> bandeau.toml:37:9
   |
37 | phone = { uri = \"sip:alex@192.0.2.20\", address = \"192.0.2.20:5060\" }
   |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: give each agent a phone of their own",
    );
}

#[test]
fn two_centres_do_not_share_a_number() {
    refused(
        "numbers",
        "[[centre]]\nname = \"samu-67\"",
        "[[centre]]\nname = \"samu-68\"\nplan = \"samu.toml\"\n\n[[centre]]\nname = \"samu-67\"",
        "
error: number `+33388000010` is also centre `samu-68`'s
  --> bandeau.toml:28:8
   |
28 | name = \"samu-67\"
   |        ^^^^^^^^^
   = help: take it out of one plan, or give both centres `trunks` that differ",
    );
}

#[test]
fn a_duration_needs_its_unit() {
    refused(
        "unit",
        "plan = \"samu.toml\"",
        "plan = \"samu.toml\"\nwrap_up = \"10\"",
        "
error: `10` is no duration: write a number and its unit, such as `500ms`, `10s`, `5m` or `1h`
  --> bandeau.toml:26:11
   |
26 | wrap_up = \"10\"
   |           ^^^^
   = help: correct the line; every key is described in `docs/operating.md`",
    );
}

#[test]
fn a_plan_that_is_not_there_names_the_line_that_wants_it() {
    let site = Site::new("plan");
    let said = site.load(&RIGHT.replace("samu.toml", "other.toml")).expect_err("no such plan").to_string();
    assert!(said.contains("bandeau.toml:25:8"), "{said}");
    assert!(said.contains("other.toml"), "{said}");
}

#[test]
fn a_wrong_plan_is_shown_in_its_own_file() {
    let site = Site::new("wrong-plan");
    fs::write(site.0.join("samu.toml"), "plan = 3\n").unwrap();
    let said = site.load(RIGHT).expect_err("a plan's name is text").to_string();
    assert!(said.contains("samu.toml:1:"), "{said}");
}

#[test]
fn a_plan_may_name_only_trunks_of_this_site() {
    let site = Site::new("plan-trunk");
    let plan = fs::read_to_string(site.0.join("samu.toml")).unwrap();
    let of = |trunk: &str| {
        let route = format!(
            "\n[[route]]\nname = \"own line\"\npriority = 600\nwhen = {{ trunk = \"{trunk}\" }}\n\
             then = {{ queue = \"front\", class = \"routine\" }}\n"
        );
        fs::write(site.0.join("samu.toml"), plan.clone() + &route).unwrap();
        site.load(RIGHT).map(|_| ()).map_err(|fault| fault.to_string())
    };
    assert_eq!(of("otn"), Ok(()));
    let said = of("otm").expect_err("no such trunk");
    assert!(said.contains("no trunk is named `otm`") && said.contains("did you mean `otn`?"), "{said}");
}

/// `bandeau user` with these words, and a password on standard input; whether it was done, and what it said.
fn user(site: &Site, words: &[&str], password: &str) -> (bool, String) {
    let config = site.0.join("bandeau.toml");
    let mut child = Command::new(env!("CARGO_BIN_EXE_bandeau"))
        .arg("user")
        .args(words)
        .arg("--config")
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that asks for no password may have gone already.
    let _ = child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn an_account_is_added_listed_changed_and_removed_by_name() {
    let site = Site::new("user");
    site.load(RIGHT).unwrap_or_else(|fault| panic!("{fault}"));
    let good = "correct horse battery";
    let add = |name: &str, role: &str, password: &str| user(&site, &["add", name, "--role", role], password);
    assert!(add("nour", "agent", good).0);
    assert!(add("claire", "supervisor", good).0);
    for (name, role, password, why) in [
        ("nour", "agent", good, "already"),
        ("nobody", "agent", good, "no agent `nobody`"),
        ("alex", "agent", "too short", "12 characters"),
        ("no spaces", "observer", good, "letters"),
        ("wall", "king", good, "administrator or observer"),
    ] {
        let (done, said) = add(name, role, password);
        assert!(!done && said.contains(why), "{name} {role}: {said}");
        assert!(!said.contains(good), "a password is never shown: {said}");
    }
    let (_, list) = user(&site, &["list"], "");
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.contains("nour") && list.contains("samu-67") && list.contains("supervisor"), "{list}");
    assert!(user(&site, &["password", "nour"], "another good password").0);
    assert!(user(&site, &["remove", "claire"], "").0);
    let (done, said) = user(&site, &["remove", "claire"], "");
    assert!(!done && said.contains("no account `claire`"), "{said}");
}
