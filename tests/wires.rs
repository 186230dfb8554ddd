//! SIP's roads into the real binary: datagrams, TCP, TLS, both families, names, and who is believed.

mod common;

use common::carrier::{Carrier, value};
use common::certificates::Authority;
use common::house::House;
use common::{Folder, Node, PLAN, Phones, eventually, free_tcp, free_udp, local};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);

fn contact(answer: &str) -> String {
    value(answer, "Contact").to_owned()
}

#[test]
fn a_call_comes_over_udp_tcp_and_tls_and_each_answer_names_its_own_listener() {
    let house = House::open("", "");
    let told = [
        format!("<sip:{}>", house.node.sip),
        format!("<sip:{};transport=tcp>", house.tcp),
        format!("<sip:{};transport=tls>", house.tls),
    ];
    for (mut carrier, told) in house.carriers().into_iter().zip(told) {
        let call = carrier.call(SOON).expect("an answer");
        assert_eq!(contact(&call.answer), told);
        assert!(
            value(&call.answer, "Via").contains(&format!("rport={}", carrier.local().port())),
            "{}",
            call.answer
        );
        assert!(carrier.hang_up(&call), "in the same connection");
    }
    assert_eq!(house.node.metric("bandeau_sip_refused_total"), 0.0);
}

#[test]
fn a_connection_may_bring_many_calls_in_pieces_and_pings_between_them() {
    let house = House::open("", "");
    let mut carrier = Carrier::tcp(house.tcp);
    for _ in 0..3 {
        carrier.send("\r\n\r\n");
        let call = carrier.call(SOON).expect("an answer");
        let (options_id, options) = carrier.request("OPTIONS", "sip:127.0.0.1", "", "");
        let (first, rest) = options.split_at(40);
        carrier.send(first);
        std::thread::sleep(Duration::from_millis(20)); // so that the engine reads a half
        carrier.send(rest);
        assert!(carrier.final_response(&options_id, SOON).is_some_and(|it| it.starts_with("SIP/2.0 200")));
        assert!(carrier.hang_up(&call));
    }
}

/// Writes these requests at once over one TCP connection, and reads until each has its last answer.
fn answered_to_the_last(house: &House, burst: usize, request: impl Fn(&mut Carrier) -> (String, String)) {
    let mut carrier = Carrier::tcp(house.tcp);
    let (ids, texts): (BTreeSet<String>, Vec<String>) = (0..burst).map(|_| request(&mut carrier)).unzip();
    let mut writer = carrier.second_hand();
    let writes = std::thread::spawn(move || writer.write_all(texts.concat().as_bytes()));
    let mut open = ids;
    while !open.is_empty() {
        let left = open.len();
        let answer = carrier.receive(SOON).unwrap_or_else(|| panic!("{left} of {burst} are not answered"));
        if !answer.starts_with("SIP/2.0 1") {
            open.remove(value(&answer, "Call-ID"));
        }
    }
    writes.join().expect("ends").expect("written");
}

#[test]
fn a_burst_over_one_connection_is_answered_over_it_to_the_last() {
    let options = |carrier: &mut Carrier| carrier.request("OPTIONS", "sip:127.0.0.1", "", "");
    answered_to_the_last(&House::open("", ""), 3_000, options);
}

#[test]
fn callers_of_a_border_that_fails_over_are_all_answered_over_its_one_connection() {
    let sdp =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n";
    let of_sdp = "Content-Type: application/sdp\r\n";
    let invite = |carrier: &mut Carrier| carrier.request("INVITE", "sip:15@127.0.0.1", of_sdp, sdp);
    answered_to_the_last(&House::open("", ""), 400, invite);
}

/// A house with TCP, and a desk phone at a fixed place that may say twenty messages a second.
fn with_a_phone(at: SocketAddr, tcp: u16) -> Node {
    Node::start_edited(Phones::None, PLAN, |text, _| {
        let of_sip = format!("\", \"tcp:127.0.0.1:{tcp}\"]\nphone_rate = 20\n\n[media]");
        text.replace("\"]\n\n[media]", &of_sip)
            + &format!(
                "\n[[centre.agent]]\nname = \"desk\"\nrole = \"agent\"\nskills = [\"arm\"]\n\
                 phone = {{ uri = \"sip:desk@{at}\", address = \"{at}\" }}\n"
            )
    })
}

#[test]
fn a_phone_gone_mad_has_its_lines_and_its_budget_and_no_call_of_a_trunk_waits_for_it() {
    let socket = UdpSocket::bind("127.0.0.9:0").unwrap();
    let at = socket.local_addr().unwrap();
    drop(socket);
    let node = with_a_phone(at, free_tcp());
    let mut mad = Carrier::udp(at, node.sip);
    for _ in 0..2_000 {
        let (_, invite) = mad.request("INVITE", "sip:15@127.0.0.1", "", "");
        mad.send(&invite);
    }
    let mut carrier = Carrier::udp(local(0), node.sip);
    for _ in 0..10 {
        let call = carrier.call(SOON).expect("a caller is answered");
        assert!(carrier.hang_up(&call));
    }
    eventually("the rest is dropped unread", || node.metric("bandeau_sip_over_budget_total") > 1_000.0);
    let mut codes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    while let Some(answer) = mad.receive(Duration::from_millis(300)) {
        codes.entry(answer[8..11].to_owned()).or_default().insert(value(&answer, "Call-ID").to_owned());
    }
    assert_eq!(codes["200"].len(), 8, "as many as it has lines");
    assert!(codes.values().all(|calls| calls.len() < 400), "{:?}", codes.keys());
    assert_eq!(node.metric_of("bandeau_sip_refused_total", "peer=\"trunk\""), 0.0);
}

#[test]
fn a_phone_that_says_too_much_over_a_connection_is_read_more_slowly_and_keeps_it() {
    let (listener, tcp) = (std::net::TcpListener::bind("127.0.0.9:0").unwrap(), free_tcp());
    let at = listener.local_addr().unwrap();
    drop(listener);
    let _node = with_a_phone(at, tcp);
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&at.into()).unwrap();
    socket.connect(&local(tcp).into()).unwrap();
    let mut phone = Carrier::over(socket.into());
    let texts: Vec<String> = (0..120).map(|_| phone.request("OPTIONS", "sip:127.0.0.1", "", "").1).collect();
    phone.send(&(texts.concat() + "\r\n\r\n")); // a sign of life costs it nothing either
    for answered in 0..texts.len() {
        let answer = phone.receive(SOON).unwrap_or_else(|| panic!("{answered} are answered"));
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    }
    let (call_id, once_more) = phone.request("OPTIONS", "sip:127.0.0.1", "", "");
    phone.send(&once_more);
    assert!(phone.final_response(&call_id, SOON).is_some_and(|it| it.starts_with("SIP/2.0 200")));
}

#[test]
fn a_trunk_whose_message_has_no_known_end_is_told_before_its_connection_closes_and_it_is_an_alarm() {
    let house = House::open("", "");
    let long = "x".repeat(200_000);
    for (what, header, length, body, code) in [
        ("a length that is no number", "", "x12", "", "400"),
        ("two lengths", "", "3\r\nContent-Length: 4", "", "400"),
        ("a length beyond 64 kB", "", "70000", "", "513"),
        ("a body beyond it, on its way", "", "200000", long.as_str(), "513"),
        ("a head beyond it", &long[..70_000], "0", "", "513"),
    ] {
        let mut carrier = Carrier::tcp(house.tcp);
        let more = format!("Subject: {header}\r\n");
        let (call_id, invite) = carrier.request("INVITE", "sip:15@127.0.0.1", &more, "");
        carrier.send(&(invite.replace("Content-Length: 0", &format!("Content-Length: {length}")) + body));
        let answer = carrier.final_response(&call_id, SOON).unwrap_or_else(|| panic!("{what}: no answer"));
        assert!(answer.starts_with(&format!("SIP/2.0 {code} ")), "{what}: {answer}");
        assert!(carrier.is_closed(SOON), "{what}");
    }
    let refused = |labels: &str| house.node.metric_of("bandeau_sip_refused_total", labels);
    eventually("each is the trunk's", || refused("peer=\"trunk\"") == 5.0);
    assert!(house.node.log().contains("an INVITE of a trunk was refused"), "and an error in the log");
    let mut carrier = Carrier::tcp(house.tcp);
    let call = carrier.call(SOON).expect("another connection is served");
    assert!(carrier.hang_up(&call));
}

#[test]
fn a_stranger_whose_message_has_no_known_end_hears_nothing() {
    let house = House::open("", "");
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 8], 0)).into()).unwrap();
    socket.connect(&house.tcp.into()).unwrap();
    let mut stranger = Carrier::over(socket.into());
    let (_, invite) = stranger.request("INVITE", "sip:15@127.0.0.1", "", "");
    stranger.send(&invite.replace("Content-Length: 0", "Content-Length: x"));
    assert!(stranger.receive(Duration::from_millis(300)).is_none());
    assert!(stranger.is_closed(SOON));
    assert_eq!(house.node.metric("bandeau_sip_refused_total"), 0.0);
}

#[test]
fn an_invite_of_a_trunk_that_nobody_can_read_is_answered_and_counted() {
    let house = House::open("", "");
    let mut carrier = Carrier::udp(local(0), house.node.sip);
    let (call_id, invite) = carrier.request("INVITE", "sip:15@127.0.0.1", "", "");
    carrier.send(&invite.replace("Via: ", "X-Via: "));
    let answer = carrier.final_response(&call_id, SOON).expect("an answer at its own address");
    assert!(answer.starts_with("SIP/2.0 400 "), "{answer}");
    let refused = || house.node.metric_of("bandeau_sip_refused_total", "peer=\"trunk\"");
    eventually("it is the trunk's", || refused() == 1.0);
    let (call_id, invite) = carrier.request("INVITE", "sip:15@127.0.0.1", "", "");
    carrier.send(&invite.replacen(" SIP/2.0", "", 1));
    let answer = carrier.final_response(&call_id, SOON).expect("an answer");
    assert!(answer.starts_with("SIP/2.0 200 "), "without a version it is a call: {answer}");
    assert_eq!(refused(), 1.0);
}

#[test]
fn a_ping_has_its_pong_at_once() {
    let house = House::open("", "");
    let mut stream = TcpStream::connect(house.tcp).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    for _ in 0..2 {
        stream.write_all(b"\r\n\r\n").unwrap();
        let mut pong = [0; 2];
        stream.read_exact(&mut pong).expect("RFC 5626: within ten seconds, or the peer is taken for dead");
        assert_eq!(&pong, b"\r\n");
    }
}

#[test]
fn a_trunk_of_both_is_nobody_over_tls_without_its_certificate_and_elsewhere_its_address() {
    let house = House::open("certificate_names = [\"sbc.carrier.example\"]", "");
    let quick = Duration::from_millis(700);
    let connect = |shown: Option<&(PathBuf, PathBuf)>| {
        let shown = shown.map(|(certificate, key)| (certificate.as_path(), key.as_path()));
        Carrier::tls(house.tls, "bandeau.example", &house.ca, shown)
    };
    let mut trunk = connect(Some(&house.carrier)).expect("a handshake");
    let call = trunk.call(SOON).expect("an answer");
    assert!(trunk.hang_up(&call));
    let mut nameless = connect(None).expect("phones show no certificate");
    assert!(nameless.call(quick).is_none());
    let mut other = connect(Some(&house.other)).expect("a certificate of our authority");
    assert!(other.call(quick).is_none(), "another carrier's name");
    let [mut udp, mut tcp, _] = house.carriers();
    for carrier in [&mut udp, &mut tcp] {
        let call = carrier.call(SOON).expect("where no certificate can be shown the address is enough");
        assert!(carrier.hang_up(&call));
    }
    let folder = Folder::new();
    let stranger = Authority::new().vouches(&folder, "forged", &["sbc.carrier.example"]);
    let forged = connect(Some(&stranger)).and_then(|mut it| it.call(quick));
    assert!(forged.is_none(), "an authority nobody believes");
}

#[test]
fn a_trunk_without_addresses_is_whoever_shows_its_certificate_from_anywhere() {
    let house = House::of_trunk("info", "certificate_names = [\"sbc.carrier.example\"]", "");
    let quick = Duration::from_millis(700);
    let connect = |shown: Option<&(PathBuf, PathBuf)>| {
        let shown = shown.map(|(certificate, key)| (certificate.as_path(), key.as_path()));
        Carrier::tls(house.tls, "bandeau.example", &house.ca, shown).expect("a handshake")
    };
    let mut trunk = connect(Some(&house.carrier));
    let call = trunk.call(SOON).expect("an answer");
    assert!(trunk.hang_up(&call));
    let folder = Folder::new();
    let forged = Authority::new().vouches(&folder, "forged", &["sbc.carrier.example"]);
    for (what, shown) in [
        ("no certificate", None),
        ("another's name", Some(&house.other)),
        ("a name nobody we believe vouches for", Some(&forged)),
    ] {
        assert!(connect(shown).call(quick).is_none(), "a phone may come in with it, and no trunk: {what}");
    }
    assert!(Carrier::tcp(house.tcp).call(quick).is_none(), "nobody by address");
}

#[test]
fn a_carrier_may_show_the_certificate_of_its_own_listener_and_who_is_not_believed_is_counted() {
    let house = House::open("certificate_names = [\"sbc.carrier.example\"]", "");
    let folder = Folder::new();
    let of_server = [rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let (certificate, key) =
        house.authority.vouches_for(&folder, "server", &["sbc.carrier.example"], &of_server);
    let connect = |certificate: &Path, key: &Path| {
        Carrier::tls(house.tls, "bandeau.example", &house.ca, Some((certificate, key)))
    };
    let mut trunk = connect(&certificate, &key).expect("a handshake");
    let call = trunk.call(SOON).expect("an answer");
    assert!(trunk.hang_up(&call));
    let (certificate, key) = Authority::new().vouches(&folder, "forged", &["sbc.carrier.example"]);
    drop(connect(&certificate, &key).and_then(|mut it| it.call(Duration::from_millis(300))));
    let failed = || house.node.metric("bandeau_trunk_handshakes_failed_total");
    eventually("a failed handshake at a trunk's address is counted", || failed() == 1.0);
    assert!(house.node.log().contains("no TLS with somebody at a trunk's address"), "and told");
}

#[test]
fn a_certificate_is_replaced_while_calls_stand() {
    let house = House::open("", "");
    let connect = || Carrier::tls(house.tls, "bandeau.example", &house.ca, None);
    let mut before = connect().expect("a handshake");
    let shown = before.peer_certificate();
    let call = before.call(SOON).expect("an answer");
    let folder = Folder::new();
    let (certificate, key) = house.authority.vouches(&folder, "next", &["bandeau.example"]);
    std::fs::copy(key, house.node.folder().join("own.key")).unwrap();
    std::fs::copy(certificate, house.node.folder().join("own.pem")).unwrap();
    eventually("the next handshake shows it", || connect().is_some_and(|it| it.peer_certificate() != shown));
    assert!(before.hang_up(&call), "the connection before stands");
}

#[test]
fn ipv6_is_listened_for_beside_ipv4() {
    let port = free_udp(1);
    let node = Node::start_edited(Phones::None, PLAN, |text, _| {
        text.replace("\"]\n\n[media]", &format!("\", \"udp:[::1]:{port}\"]\n\n[media]"))
            .replace("peers = [\"127.0.0.1\"]", "peers = [\"127.0.0.1\", \"::1\"]")
    });
    let engine = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    let mut carrier = Carrier::udp(SocketAddr::from((Ipv6Addr::LOCALHOST, 0)), engine);
    let call = carrier.call(SOON).expect("an answer");
    assert_eq!(contact(&call.answer), format!("<sip:[::1]:{port}>"));
    assert!(carrier.hang_up(&call));
    let mut four = Carrier::udp(local(0), node.sip);
    let call = four.call(SOON).expect("an answer");
    assert!(four.hang_up(&call));
}

#[test]
fn a_carrier_is_asked_whether_it_lives_and_its_state_is_a_metric() {
    let carrier = UdpSocket::bind(local(0)).unwrap();
    carrier.set_read_timeout(Some(SOON)).unwrap();
    let at = carrier.local_addr().unwrap();
    let node = Node::start_edited(Phones::None, PLAN, |text, _| {
        text.replace(
            "peers = [\"127.0.0.1\"]",
            &format!("peers = [\"127.0.0.1\", \"{at}\"]\noptions = \"5s\""),
        )
    });
    answer_options(&carrier);
    let state = |state: &str| node.metric_of("bandeau_trunk_state", &format!("state=\"{state}\""));
    eventually("the trunk is up", || state("up") == 1.0);
    eventually("a trunk that falls silent is in doubt", || state("suspect") == 1.0);
    // Copies of the question it left open come first.
    carrier.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    eventually("and up again once it answers", || {
        while answered(&carrier) {}
        state("up") == 1.0
    });
}

/// Answers the OPTIONS it is sent.
fn answer_options(carrier: &UdpSocket) {
    assert!(answered(carrier), "it is asked");
}

/// Answers one OPTIONS, if one is there.
fn answered(carrier: &UdpSocket) -> bool {
    let mut buffer = [0; 2048];
    let Ok((length, engine)) = carrier.recv_from(&mut buffer) else { return false };
    let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
    assert!(request.starts_with("OPTIONS sip:"), "{request}");
    let copied: String = ["Via", "From", "To", "Call-ID", "CSeq"]
        .map(|name| format!("{name}: {}\r\n", value(&request, name)))
        .concat();
    let answer = format!("SIP/2.0 200 OK\r\n{copied}Content-Length: 0\r\n\r\n");
    carrier.send_to(answer.as_bytes(), engine).is_ok()
}

#[test]
fn a_carrier_s_name_is_resolved_by_srv_and_found_where_it_leads() {
    let carrier = UdpSocket::bind(local(0)).unwrap();
    carrier.set_read_timeout(Some(SOON)).unwrap();
    let port = carrier.local_addr().unwrap().port();
    let server = UdpSocket::bind(local(0)).unwrap();
    let at = server.local_addr().unwrap();
    std::thread::spawn(move || name_server(&server, port));
    let node = Node::start_edited(Phones::None, PLAN, |text, _| {
        text.replace("[media]", &format!("resolver = \"{at}\"\n\n[media]"))
            .replace("peers = [\"127.0.0.1\"]", "peers = [\"carrier.example\"]")
    });
    answer_options(&carrier);
    eventually("the trunk is up", || node.metric_of("bandeau_trunk_state", "state=\"up\"") == 1.0);
    let mut from_there = Carrier::udp(local(0), node.sip);
    let call = from_there.call(SOON).expect("calls from where the name leads are the trunk's");
    assert!(from_there.hang_up(&call));
}

#[test]
fn a_carrier_that_connects_before_its_name_is_resolved_is_known_as_soon_as_it_is() {
    let (server, tcp) = (UdpSocket::bind(local(0)).unwrap(), free_tcp());
    let at = server.local_addr().unwrap();
    let (go, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = told.recv();
        name_server(&server, 9);
    });
    let _node = Node::start_edited(Phones::None, PLAN, |text, _| {
        text.replace(
            "\"]\n\n[media]",
            &format!("\", \"tcp:127.0.0.1:{tcp}\"]\nresolver = \"{at}\"\n\n[media]"),
        )
        .replace("peers = [\"127.0.0.1\"]", "peers = [\"carrier.example\"]\noptions = \"off\"")
    });
    let mut early = Carrier::tcp(local(tcp));
    assert!(early.call(Duration::from_millis(300)).is_none(), "nobody knows who that is");
    go.send(()).unwrap();
    let mut call = None;
    eventually("the same connection is the trunk's", || {
        call = early.call(Duration::from_millis(500));
        call.is_some()
    });
    assert!(early.hang_up(&call.expect("just answered")));
}

/// A name server that knows one carrier: SRV to `port` of `sbc.carrier.example`, which is 127.0.0.1.
fn name_server(server: &UdpSocket, port: u16) {
    let mut buffer = [0; 512];
    while let Ok((length, from)) = server.recv_from(&mut buffer) {
        let query = &buffer[..length];
        let name_end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap_or(0) + 1;
        let kind = u16::from_be_bytes([query[name_end], query[name_end + 1]]);
        let data: Option<Vec<u8>> = match kind {
            1 => Some(vec![127, 0, 0, 1]),
            33 => {
                let mut data = vec![0, 10, 0, 5];
                data.extend_from_slice(&port.to_be_bytes());
                for label in ["sbc", "carrier", "example"] {
                    data.push(u8::try_from(label.len()).unwrap());
                    data.extend_from_slice(label.as_bytes());
                }
                data.push(0);
                Some(data)
            }
            _ => None,
        };
        let mut answer = query[..2].to_vec();
        answer.extend_from_slice(&[0x85, 0x80, 0, 1, 0, u8::from(data.is_some()), 0, 0, 0, 0]);
        answer.extend_from_slice(&query[12..name_end + 4]);
        if let Some(data) = data {
            answer.extend_from_slice(&[0xc0, 12]);
            answer.extend_from_slice(&kind.to_be_bytes());
            answer.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
            answer.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
            answer.extend_from_slice(&data);
        }
        let _ = server.send_to(&answer, from);
    }
}

#[test]
fn each_transport_takes_long_messages_and_headers_and_ends_where_the_limits_say() {
    let house = House::open("", "");
    let many = "X-Carrier: of no use\r\n".repeat(200);
    let long = format!("X-Long: {}\r\n", "x".repeat(9_000));
    let most = format!("X-Most: {}\r\n", "x".repeat(8_000)).repeat(7); // 56 kB: what a datagram still carries
    for mut carrier in house.carriers() {
        for (what, more) in [("200 headers", &many), ("a header of 9 kB", &long), ("56 kB", &most)] {
            let call = carrier.call_with(more, SOON);
            let call = call.unwrap_or_else(|| panic!("{what} from {}", carrier.local()));
            assert!(carrier.hang_up(&call), "{what}");
        }
    }
    let repaired = || house.node.metric_of("bandeau_sip_repaired_total", "what=\"long_header\"");
    eventually("what was left out is counted, of two calls by each road", || repaired() == 6.0);
    // Beyond 64 kB a stream has no next message: the connection ends, and the carrier opens another.
    let [_, tcp, tls] = house.carriers();
    for mut carrier in [tcp, tls] {
        let (_, text) = carrier.request("INVITE", "sip:15@127.0.0.1", "", "");
        carrier.send(&text.replace("Content-Length: 0", "Content-Length: 66000"));
        assert!(carrier.is_closed(SOON), "{}", carrier.local());
    }
    let too_long = || house.node.metric_of("bandeau_sip_parse_errors_total", "rule=\"too_long\"");
    eventually("both are counted", || too_long() == 2.0);
}
