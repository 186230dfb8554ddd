//! Desk phones register (RFC 3261 §10, digest by RFC 7616 and RFC 8760).

mod wire;

use sip::auth::{Claim, respond};
use sip::endpoint::{Endpoint, Event};
use sip::header::auth::Algorithm;
use sip::message::Message;
use sip::time::Instant;
use sip::transport::{Flow, Peer, Transport};
use std::time::Duration;
use wire::{config, now, short, value};

/// A phone at the registrar.
struct Phone {
    registrar: Endpoint,
    at: Instant,
    flow: Flow,
    sent: u32,
    /// The count of the nonce, as the next proof will say.
    nc: u32,
    nonce: Option<String>,
}

impl Phone {
    fn new() -> Phone {
        Phone::over(Transport::Udp)
    }

    fn over(transport: Transport) -> Phone {
        let local = wire::address(wire::B);
        Phone {
            registrar: Endpoint::new(config(local), 5),
            at: Instant::ZERO + Duration::from_secs(1),
            flow: Flow { transport, local, remote: ([198, 51, 100, 20], 6000).into(), connection: 4 },
            sent: 0,
            nc: 1,
            nonce: None,
        }
    }

    fn text(&mut self, user: &str, contact: &str, more: &str) -> String {
        self.sent += 1;
        let n = self.sent;
        format!(
            "REGISTER sip:192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.20:6000;branch=z9hG4bKr{n}\r\n\
             From: <sip:{user}@192.0.2.2>;tag=p\r\nTo: <sip:{user}@192.0.2.2>\r\nCall-ID: phone\r\n\
             CSeq: {n} REGISTER\r\n{contact}{more}Content-Length: 0\r\n\r\n"
        )
    }

    fn send(&mut self, text: &str) -> String {
        self.at = self.at + Duration::from_millis(1);
        self.registrar.handle_message(now(self.at), self.flow, Peer::Stranger, text.as_bytes());
        let answer = self.registrar.poll_transmit().expect("an answer");
        assert_eq!(answer.flow, self.flow);
        String::from_utf8_lossy(&answer.bytes).into_owned()
    }

    /// Registers with a challenge and its proof; gives the last answer.
    fn register(&mut self, user: &str, password: &str, algorithm: Algorithm, contact: &str) -> String {
        let text = self.text(user, contact, "");
        let challenged = self.send(&text);
        assert_eq!(short(&challenged), "401 REGISTER");
        self.prove(user, password, algorithm, contact, &challenged)
    }

    fn prove(
        &mut self,
        user: &str,
        password: &str,
        algorithm: Algorithm,
        contact: &str,
        challenged: &str,
    ) -> String {
        let message = Message::scan(challenged.as_bytes()).expect("ours");
        let challenge = message.www_authenticate().find(|c| c.algorithm == algorithm).expect("offered");
        self.nonce = Some(challenge.nonce.to_owned());
        let uri = "sip:192.0.2.2";
        let claim = Claim { user, password, method: "REGISTER", uri, cnonce: "c", nc: self.nc };
        let proof = respond(&challenge, &claim);
        let text = self.text(user, contact, &format!("Authorization: {proof}\r\n"));
        self.send(&text)
    }

    fn told(&mut self) -> Vec<(String, bool)> {
        let events = std::iter::from_fn(|| self.registrar.poll_event());
        events
            .filter_map(|event| match event {
                Event::Registered { user, reachable } => Some((user, reachable)),
                _ => None,
            })
            .collect()
    }

    fn wait(&mut self, seconds: u64) {
        let until = self.at + Duration::from_secs(seconds);
        while let Some(at) = self.registrar.poll_timeout().filter(|at| *at <= until) {
            self.at = self.at.max(at);
            self.registrar.handle_due(now(self.at));
        }
        self.at = until;
    }
}

const CONTACT: &str = "Contact: <sip:nour@10.0.0.5:6000>;expires=600\r\n";

#[test]
fn a_phone_registers_with_either_digest_and_is_reached_over_its_own_path() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let mut phone = Phone::new();
        let answer = phone.register("nour", "geheim", algorithm, CONTACT);
        assert_eq!(short(&answer), "200 REGISTER", "{algorithm:?}");
        assert_eq!(value(&answer, "Contact"), "<sip:nour@10.0.0.5:6000>;expires=600");
        assert_eq!(phone.told(), [("nour".to_owned(), true)]);
        let contacts = phone.registrar.contacts("nour");
        assert_eq!((contacts[0].uri.as_str(), contacts[0].flow), ("sip:nour@10.0.0.5:6000", phone.flow));
        assert_eq!(phone.registrar.registered_at(phone.flow), Some("nour"));
    }
}

// RFC 3261 §22.3: a phone behind a proxy proves itself to that, too.
#[test]
fn a_proof_for_us_is_found_behind_one_for_somebody_else() {
    let mut phone = Phone::new();
    let text = phone.text("nour", CONTACT, "");
    let challenged = phone.send(&text);
    let other = "Authorization: Digest username=\"x\", realm=\"proxy\", nonce=\"a\", uri=\"sip:p\", response=\"c\"\r\n";
    let contact = format!("{CONTACT}{other}");
    let answer = phone.prove("nour", "geheim", Algorithm::Sha256, &contact, &challenged);
    assert_eq!(short(&answer), "200 REGISTER");
    let text = phone.text("nour", &contact, "");
    let challenged = phone.send(&text);
    assert_eq!(short(&challenged), "401 REGISTER", "a proof for another realm is none, and no guess");
}

// RFC 7616 §3.4.6, RFC 3261 §22.4.
#[test]
fn a_proof_names_where_its_request_goes_or_it_is_400() {
    for (uri, expected) in [
        ("sip:192.0.2.2:5060;transport=udp", "200 REGISTER"),
        ("sip:other", "400 REGISTER"),
        ("192.0.2.2", "400 REGISTER"),
    ] {
        let mut phone = Phone::new();
        let text = phone.text("nour", CONTACT, "");
        let challenged = phone.send(&text);
        let message = Message::scan(challenged.as_bytes()).expect("ours");
        let challenge = message.www_authenticate().next().expect("a challenge");
        let claim = Claim { user: "nour", password: "geheim", method: "REGISTER", uri, cnonce: "c", nc: 1 };
        let proof = format!("Authorization: {}\r\n", respond(&challenge, &claim));
        let proved = phone.text("nour", CONTACT, &proof);
        // A proxy has written where it sends it: whom To names is who is proved to.
        let rewritten = proved.replacen("REGISTER sip:192.0.2.2", "REGISTER sip:10.0.0.1", 1);
        assert_eq!(short(&phone.send(&rewritten)), expected, "{uri}");
    }
}

#[test]
fn nobody_registers_with_a_wrong_password_a_wrong_name_or_for_somebody_else() {
    let mut phone = Phone::new();
    let wrong = phone.register("nour", "guess", Algorithm::Sha256, CONTACT);
    assert_eq!(short(&wrong), "401 REGISTER");
    let unknown = phone.register("nobody", "geheim", Algorithm::Sha256, CONTACT);
    assert_eq!(short(&unknown), "401 REGISTER");
    // Nour proves who she is and asks for Ines' calls.
    let text = phone.text("nour", "", "");
    let challenged = phone.send(&text);
    let message = Message::scan(challenged.as_bytes()).expect("ours");
    let challenge = message.www_authenticate().next().expect("offered");
    let claim = Claim {
        user: "nour",
        password: "geheim",
        method: "REGISTER",
        uri: "sip:192.0.2.2",
        cnonce: "c",
        nc: 1,
    };
    let proof = respond(&challenge, &claim);
    let text = phone.text("ines", CONTACT, &format!("Authorization: {proof}\r\n"));
    assert_eq!(short(&phone.send(&text)), "403 REGISTER");
    assert!(phone.told().is_empty());
    // Transactions, then the count of wrong passwords.
    phone.wait(601);
    assert!(phone.registrar.is_idle());
}

#[test]
fn a_proof_is_good_once() {
    let mut phone = Phone::new();
    let text = phone.text("nour", CONTACT, "");
    let challenged = phone.send(&text);
    let first = phone.prove("nour", "geheim", Algorithm::Sha256, CONTACT, &challenged);
    assert_eq!(short(&first), "200 REGISTER");
    // The same count again, in another request: somebody replays.
    let replayed = phone.prove("nour", "geheim", Algorithm::Sha256, CONTACT, &challenged);
    assert_eq!(short(&replayed), "401 REGISTER");
    assert!(value(&replayed, "WWW-Authenticate").contains("stale=true"));
    phone.nc = 2;
    let counted = phone.prove("nour", "geheim", Algorithm::Sha256, CONTACT, &challenged);
    assert_eq!(short(&counted), "200 REGISTER");
}

#[test]
fn a_copy_of_a_proved_register_is_answered_the_same() {
    let mut phone = Phone::new();
    let text = phone.text("nour", CONTACT, "");
    let challenged = phone.send(&text);
    let first = phone.prove("nour", "geheim", Algorithm::Md5, CONTACT, &challenged);
    // The same bytes: the transaction answers, whatever the nonce's count says.
    phone.sent -= 1;
    let again = phone.prove("nour", "geheim", Algorithm::Md5, CONTACT, &challenged);
    assert_eq!(again, first);
}

#[test]
fn a_registration_expires_and_the_last_one_to_go_is_told() {
    let mut phone = Phone::new();
    phone.register("nour", "geheim", Algorithm::Md5, CONTACT);
    phone.register("nour", "geheim", Algorithm::Md5, "Contact: <sip:nour@10.0.0.6:6000>;expires=300\r\n");
    let uris: Vec<String> = phone.registrar.contacts("nour").into_iter().map(|contact| contact.uri).collect();
    assert_eq!(uris, ["sip:nour@10.0.0.6:6000", "sip:nour@10.0.0.5:6000"], "the latest first");
    assert_eq!(phone.told(), [("nour".to_owned(), true)]);
    phone.wait(301);
    assert_eq!(phone.registrar.contacts("nour").len(), 1);
    assert!(phone.told().is_empty());
    phone.wait(300);
    assert_eq!(phone.told(), [("nour".to_owned(), false)]);
    assert!(phone.registrar.is_idle());
}

#[test]
fn a_phone_signs_off_one_contact_or_all() {
    let mut phone = Phone::new();
    phone.register("nour", "geheim", Algorithm::Md5, CONTACT);
    phone.register("nour", "geheim", Algorithm::Md5, "Contact: <sip:nour@10.0.0.5:6000>;expires=0\r\n");
    assert_eq!(phone.told(), [("nour".to_owned(), true), ("nour".to_owned(), false)]);
    phone.register("nour", "geheim", Algorithm::Md5, CONTACT);
    let answer = phone.register("nour", "geheim", Algorithm::Md5, "Contact: *\r\nExpires: 0\r\n");
    assert_eq!((short(&answer).as_str(), value(&answer, "Contact").as_str()), ("200 REGISTER", ""));
    let bad = phone.register("nour", "geheim", Algorithm::Md5, "Contact: *\r\nExpires: 60\r\n");
    assert_eq!(short(&bad), "400 REGISTER");
}

#[test]
fn an_interval_under_a_minute_is_too_brief() {
    let mut phone = Phone::new();
    let answer = phone.register("nour", "geheim", Algorithm::Md5, "Contact: <sip:n@10.0.0.5>;expires=20\r\n");
    assert_eq!((short(&answer).as_str(), value(&answer, "Min-Expires").as_str()), ("423 REGISTER", "60"));
    let answer =
        phone.register("nour", "geheim", Algorithm::Md5, "Contact: <sip:n@10.0.0.5>;expires=99999\r\n");
    assert!(value(&answer, "Contact").ends_with(";expires=3600"));
}

#[test]
fn a_phone_that_starts_again_replaces_its_former_self() {
    let mut phone = Phone::new();
    for port in [6000, 6002] {
        let contact = format!("Contact: <sip:n@10.0.0.5:{port}>;+sip.instance=\"<urn:uuid:1>\"\r\n");
        phone.register("nour", "geheim", Algorithm::Md5, &contact);
    }
    let contacts = phone.registrar.contacts("nour");
    assert_eq!((contacts.len(), contacts[0].uri.as_str()), (1, "sip:n@10.0.0.5:6002"));
}

#[test]
fn contacts_of_one_user_are_bounded() {
    let mut phone = Phone::new();
    for port in 6000..6020 {
        phone.register("nour", "geheim", Algorithm::Md5, &format!("Contact: <sip:n@10.0.0.5:{port}>\r\n"));
    }
    let contacts = phone.registrar.contacts("nour");
    assert_eq!((contacts.len(), contacts[0].uri.as_str()), (8, "sip:n@10.0.0.5:6019"));
}

#[test]
fn a_closed_connection_takes_its_registrations_with_it() {
    let mut phone = Phone::over(Transport::Tcp);
    phone.register("nour", "geheim", Algorithm::Md5, CONTACT);
    phone.registrar.handle_flow_failed(now(phone.at), phone.flow);
    assert_eq!(phone.told(), [("nour".to_owned(), true), ("nour".to_owned(), false)]);
    assert!(phone.registrar.is_idle());
}

#[test]
fn a_call_from_a_registered_path_is_a_phones() {
    let mut phone = Phone::new();
    phone.register("nour", "geheim", Algorithm::Md5, CONTACT);
    let invite = "INVITE sip:*1@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5:6000;branch=z9hG4bKi\r\n\
                  From: <sip:nour@192.0.2.2>;tag=p\r\nTo: <sip:*1@192.0.2.2>\r\nCall-ID: code\r\n\
                  CSeq: 1 INVITE\r\nContact: <sip:nour@10.0.0.5:6000>\r\n\
                  P-Asserted-Identity: <sip:15@trust.me>\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(short(&phone.send(invite)), "100 INVITE");
    let invited = std::iter::from_fn(|| phone.registrar.poll_event()).find_map(|event| match event {
        Event::Invited { dialog, invite } => Some((dialog, invite)),
        _ => None,
    });
    let (dialog, invited) = invited.expect("a call");
    assert_eq!(invited.peer, Peer::Phone);
    assert!(invited.identities.is_empty(), "only a trunk is believed");
    // Its Contact is behind an address translation: what we send stays on the path.
    phone.registrar.answer(now(phone.at), dialog, wire::ANSWER);
    let ours = phone.registrar.poll_transmit().map(|t| String::from_utf8_lossy(&t.bytes).into_owned());
    let ack = invite
        .replacen("INVITE", "ACK", 1)
        .replace("1 INVITE", "1 ACK")
        .replace("branch=z9hG4bKi", "branch=z9hG4bKa")
        .replace("To: <sip:*1@192.0.2.2>", &format!("To: {}", value(&ours.expect("a 200"), "To")));
    phone.registrar.handle_message(now(phone.at), phone.flow, Peer::Phone, ack.as_bytes());
    phone.registrar.end(now(phone.at), dialog, None);
    let bye = phone.registrar.poll_transmit().expect("a BYE");
    assert!(bye.bytes.starts_with(b"BYE sip:nour@10.0.0.5:6000 "));
    assert_eq!(bye.flow, phone.flow);
}

#[test]
fn wrong_passwords_wait_longer_each_time_and_a_registered_phone_is_never_locked_out() {
    let mut phone = Phone::new();
    phone.register("nour", "geheim", Algorithm::Sha256, CONTACT);
    let home = phone.flow;
    // Somebody guesses, from an address of its own.
    phone.flow.remote = ([203, 0, 113, 9], 5060).into();
    let mut answers: Vec<String> = Vec::new();
    for _ in 0..6 {
        answers.push(short(&phone.register("nour", "guess", Algorithm::Md5, CONTACT)));
    }
    assert_eq!(answers[..5], ["401 REGISTER"; 5]);
    assert_eq!(answers[5], "503 REGISTER", "not even looked at");
    let right = phone.register("nour", "geheim", Algorithm::Md5, CONTACT);
    assert_eq!(short(&right), "503 REGISTER", "right or wrong: nobody learns which");
    assert_eq!(value(&right, "Retry-After"), "1");
    // The regulator's own phone refreshes all the while.
    phone.flow = home;
    assert_eq!(short(&phone.register("nour", "geheim", Algorithm::Sha256, CONTACT)), "200 REGISTER");
    phone.flow.remote = ([203, 0, 113, 9], 5060).into();
    phone.wait(2);
    assert_eq!(short(&phone.register("nour", "geheim", Algorithm::Md5, CONTACT)), "200 REGISTER");
}

// RFC 5626 §6.
#[test]
fn a_phone_with_two_flows_rings_once_and_over_the_other_when_one_breaks() {
    let contact = |id: u32| {
        format!(
            "Contact: <sip:nour@10.0.0.5>;reg-id={id};+sip.instance=\"<urn:uuid:1>\"\r\nSupported: outbound, path\r\n"
        )
    };
    let mut phone = Phone::over(Transport::Tcp);
    let answer = phone.register("nour", "geheim", Algorithm::Sha256, &contact(1));
    assert_eq!(
        (value(&answer, "Require").as_str(), value(&answer, "Flow-Timer").as_str()),
        ("outbound", "120")
    );
    let first = phone.flow;
    phone.flow = Flow { connection: 5, remote: ([198, 51, 100, 20], 6001).into(), ..first };
    phone.register("nour", "geheim", Algorithm::Sha256, &contact(2));
    let flows = |phone: &Phone| phone.registrar.contacts("nour").iter().map(|it| it.flow).collect::<Vec<_>>();
    assert_eq!(flows(&phone), [phone.flow], "once, over the latest");
    let (second, at) = (phone.flow, phone.at);
    phone.registrar.handle_flow_failed(now(at), second);
    assert_eq!(flows(&phone), [first]);
    assert_eq!(phone.told(), [("nour".to_owned(), true)], "reachable all the while");
    // Over datagrams it would have to ping by STUN.
    let mut phone = Phone::new();
    let answer = phone.register("nour", "geheim", Algorithm::Sha256, &contact(1));
    assert_eq!((short(&answer).as_str(), value(&answer, "Require").as_str()), ("200 REGISTER", ""));
}

// RFC 5626 §5.3: over the latest flow of the same instance.
#[test]
fn a_phone_that_connects_again_in_a_talk_is_reached_over_its_new_connection() {
    let instance = "Contact: <sip:nour@10.0.0.5>;+sip.instance=\"<urn:uuid:1>\"\r\n";
    for (first, again) in [(instance, instance), (CONTACT, "Contact: <sip:nour@10.0.0.6:7000>\r\n")] {
        let mut phone = Phone::over(Transport::Tls);
        phone.register("nour", "geheim", Algorithm::Sha256, first);
        let contact = phone.registrar.contacts("nour").remove(0);
        let dialog = phone.registrar.invite(
            now(phone.at),
            sip::endpoint::Outgoing {
                flow: contact.flow,
                to: format!("<{}>", contact.uri),
                uri: contact.uri,
                from: "<sip:15@192.0.2.2>".to_owned(),
                headers: Vec::new(),
                sdp: wire::OFFER.to_vec(),
                credentials: None,
            },
        );
        let invite = phone.registrar.poll_transmit().expect("an INVITE");
        let invite = String::from_utf8_lossy(&invite.bytes).into_owned();
        let line = |name: &str, more: &str| format!("{name}: {}{more}\r\n", value(&invite, name));
        let answer = format!(
            "SIP/2.0 200 OK\r\n{}{}{}{}{}Contact: <sip:nour@10.0.0.5>\r\nContent-Length: 0\r\n\r\n",
            line("Via", ""),
            line("From", ""),
            line("To", ";tag=desk"),
            line("Call-ID", ""),
            line("CSeq", "")
        );
        phone.registrar.handle_message(now(phone.at), phone.flow, Peer::Phone, answer.as_bytes());
        assert_eq!(phone.registrar.poll_transmit().map(|ack| ack.flow), Some(phone.flow));
        // The phone roams: its connection is gone, and a minute later it is there by another.
        let (at, before) = (phone.at, phone.flow);
        phone.registrar.handle_flow_failed(now(at), before);
        phone.wait(60);
        phone.flow = Flow { connection: 6, remote: ([198, 51, 100, 31], 7000).into(), ..before };
        assert_eq!(short(&phone.register("nour", "geheim", Algorithm::Sha256, again)), "200 REGISTER");
        phone.registrar.probe(now(phone.at), dialog);
        assert_eq!(phone.registrar.poll_transmit().map(|probe| probe.flow), Some(phone.flow));
    }
}

#[test]
fn a_phone_without_an_instance_that_renews_takes_no_talk_of_another() {
    let mut phone = Phone::over(Transport::Tls);
    let own = phone.flow;
    phone.register("nour", "geheim", Algorithm::Sha256, CONTACT);
    let other = "Contact: <sip:nour@10.0.0.9>\r\n";
    phone.flow = Flow { connection: 8, remote: ([198, 51, 100, 40], 7100).into(), ..own };
    phone.register("nour", "geheim", Algorithm::Sha256, other);
    let dialog = phone.registrar.invite(
        now(phone.at),
        sip::endpoint::Outgoing {
            flow: own,
            to: "<sip:nour@10.0.0.5>".to_owned(),
            uri: "sip:nour@10.0.0.5".to_owned(),
            from: "<sip:15@192.0.2.2>".to_owned(),
            headers: Vec::new(),
            sdp: wire::OFFER.to_vec(),
            credentials: None,
        },
    );
    phone.registrar.poll_transmit().expect("an INVITE");
    let at = phone.at;
    phone.registrar.handle_flow_failed(now(at), own);
    // The other phone says that it is still where it was.
    phone.register("nour", "geheim", Algorithm::Sha256, other);
    let strayed = std::iter::from_fn(|| phone.registrar.poll_transmit()).any(|it| it.flow == phone.flow);
    assert!(!strayed, "the INVITE is not the other phone's");
    phone.registrar.end(now(phone.at), dialog, None);
}

// A datagram's source can be forged, and a nonce of ours cannot.
#[test]
fn guesses_that_were_asked_for_by_nobody_lock_nobody_out() {
    let mut phone = Phone::new();
    let text = phone.text("nour", CONTACT, "");
    let challenged = phone.send(&text);
    phone.flow.remote = ([203, 0, 113, 9], 6000).into();
    for _ in 0..40 {
        let answer = phone.prove("nour", "guess", Algorithm::Md5, CONTACT, &challenged);
        assert_eq!(short(&answer), "401 REGISTER");
        assert!(value(&answer, "WWW-Authenticate").contains("stale=true"), "whatever the password");
    }
    assert_eq!(short(&phone.register("nour", "geheim", Algorithm::Md5, CONTACT)), "200 REGISTER");
}

// RFC 3261 §26.1: who has an account is nobody's business.
#[test]
fn a_name_nobody_has_is_asked_like_one_of_ours_and_waits_like_one() {
    let realm = config(wire::address(wire::B));
    let accounts = realm.accounts.iter().cloned().map(|mut account| {
        if account.user == "ines" {
            account.ha1_sha256.clear();
        }
        account
    });
    let config = sip::endpoint::Config { accounts: accounts.collect(), ..realm };
    let mut phone = Phone::new();
    phone.registrar = Endpoint::new(config, 5);
    let mut asked = |user: &str| {
        let text = phone.text(user, CONTACT, "");
        phone.send(&text).matches("WWW-Authenticate").count()
    };
    assert_eq!((asked("nour"), asked("ines")), (2, 1));
    let names: Vec<String> = (0..40).map(|n| format!("guess{n}")).collect();
    let counts: Vec<usize> = names.iter().map(|name| asked(name)).collect();
    assert_eq!(counts, names.iter().map(|name| asked(name)).collect::<Vec<_>>(), "the same each time");
    assert!(counts.contains(&1) && counts.contains(&2), "{counts:?}");
    // From one source a name is guessed at; from another it waits, whether anybody has it or not.
    for user in ["nour", "guess1"] {
        let mut phone = Phone::new();
        for guess in 0..20 {
            phone.flow.remote = ([203, 0, 113, guess / 5], 5060).into();
            phone.register(user, "guess", Algorithm::Md5, CONTACT);
        }
        phone.flow.remote = ([203, 0, 113, 9], 5060).into();
        assert_eq!(short(&phone.register(user, "guess", Algorithm::Md5, CONTACT)), "503 REGISTER", "{user}");
    }
}

#[test]
fn an_account_somebody_guesses_at_all_night_registers_at_its_usual_place_at_once() {
    let mut phone = Phone::new();
    phone.register("nour", "geheim", Algorithm::Sha256, CONTACT);
    let home = phone.flow;
    // Its power is cut, and its registration over; it comes back at another port.
    phone.wait(700);
    assert_eq!(phone.told(), [("nour".to_owned(), true), ("nour".to_owned(), false)]);
    for guess in 0..200_u8 {
        phone.flow.remote = ([203, 0, 113, guess], 5060).into();
        phone.register("nour", "guess", Algorithm::Md5, CONTACT);
        phone.wait(1);
    }
    phone.flow.remote = (home.remote.ip(), 6100).into();
    assert_eq!(short(&phone.register("nour", "geheim", Algorithm::Sha256, CONTACT)), "200 REGISTER");
}

#[test]
fn a_phone_with_an_old_password_keeps_no_other_phone_of_its_room_out() {
    let mut phone = Phone::new();
    for _ in 0..30 {
        phone.register("nour", "old", Algorithm::Md5, CONTACT);
        phone.wait(30);
    }
    assert_eq!(short(&phone.register("ines", "geheim", Algorithm::Md5, CONTACT)), "200 REGISTER");
}

// I20: the first challenge is everybody's.
#[test]
fn a_few_sources_that_ask_without_end_use_up_nobody_elses_challenge() {
    let mut phone = Phone::new();
    phone.wait(1);
    let mut given = [0; 40];
    for turn in 0..40 * 200_usize {
        let source = turn % 40;
        phone.flow.remote = ([203, 0, 113, u8::try_from(source).unwrap()], 5060).into();
        let text = phone.text("nour", CONTACT, "");
        phone.registrar.handle_message(now(phone.at), phone.flow, Peer::Stranger, text.as_bytes());
        while phone.registrar.poll_transmit().is_some() {
            given[source] += 1;
        }
    }
    assert_eq!(given, [100; 40], "each has its own");
    phone.flow.remote = ([198, 51, 100, 20], 6000).into();
    assert_eq!(short(&phone.register("nour", "geheim", Algorithm::Sha256, CONTACT)), "200 REGISTER");
}

#[test]
fn forged_sources_without_number_leave_their_challenge_to_a_phone_s_home() {
    let mut phone = Phone::new();
    phone.register("nour", "geheim", Algorithm::Sha256, CONTACT);
    let home = phone.flow.remote.ip();
    phone.wait(3_700);
    let mut given = 0;
    for source in 0..20_000_u32 {
        phone.flow.remote = (std::net::Ipv4Addr::from(0x0a00_0000 + source), 5060).into();
        let text = phone.text("nour", CONTACT, "");
        phone.registrar.handle_message(now(phone.at), phone.flow, Peer::Stranger, text.as_bytes());
        while phone.registrar.poll_transmit().is_some() {
            given += 1;
        }
    }
    assert_eq!(given, 5_000, "all of them together");
    phone.flow.remote = (home, 6100).into();
    assert_eq!(short(&phone.register("nour", "geheim", Algorithm::Sha256, CONTACT)), "200 REGISTER");
}

// I20: strangers in any number keep no phone of ours from renewing.
#[test]
fn a_registered_phone_is_challenged_however_many_strangers_are() {
    let mut phone = Phone::new();
    phone.register("nour", "geheim", Algorithm::Sha256, CONTACT);
    let home = phone.flow;
    phone.wait(1);
    for port in 1..=300 {
        phone.flow.remote = ([203, 0, 113, 9], port).into();
        let text = phone.text("nour", CONTACT, "");
        phone.registrar.handle_message(now(phone.at), phone.flow, Peer::Stranger, text.as_bytes());
        while phone.registrar.poll_transmit().is_some() {}
    }
    phone.flow = home;
    assert_eq!(short(&phone.register("nour", "geheim", Algorithm::Sha256, CONTACT)), "200 REGISTER");
}
