//! One node, carriers and phones over IPv4 and IPv6: whole calls between the families, heard both ways.

mod common;
mod plane;

use common::carrier::{Call, Carrier, value, within};
use common::{Node, PLAN, Phones, eventually, free_udp};
use engine::id::{CentreId, LegId, Serial};
use engine::media::{Codec, MediaPort, Stream};
use plane::{HERE, Phone, converse, six};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);

/// A node of both families, with a desk phone at this place.
fn node(six_port: u16, phone: SocketAddr) -> Node {
    Node::start_edited(Phones::None, PLAN, |text, _| {
        text.replace("\"]\n\n[media]", &format!("\", \"udp:[::1]:{six_port}\"]\n\n[media]"))
            .replace("bind  = \"127.0.0.1\"", "bind = \"::\"\nadvertised = [\"127.0.0.1\", \"::1\"]")
            .replace("peers = [\"127.0.0.1\"]", "peers = [\"127.0.0.1\", \"::1\"]")
            + &format!(
                "\n[[centre.agent]]\nname = \"desk\"\nrole = \"agent\"\nskills = [\"arm\"]\nalways_ready = true\n\
                 phone = {{ uri = \"sip:desk@{phone}\", address = \"{phone}\" }}\n"
            )
    })
}

/// A place nobody sits at.
fn free(ip: IpAddr) -> SocketAddr {
    UdpSocket::bind((ip, 0)).unwrap().local_addr().unwrap()
}

fn sdp(at: SocketAddr) -> String {
    let (family, ip) = (if at.is_ipv4() { "IP4" } else { "IP6" }, at.ip());
    format!(
        "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio {} RTP/AVP 8\r\n",
        at.port()
    )
}

/// Where a description wants its audio.
fn audio(message: &str) -> SocketAddr {
    let word = |start: &str, place: usize| {
        let line =
            message.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{message}"));
        line.split(' ').nth(place).unwrap().to_owned()
    };
    SocketAddr::new(word("c=", 2).parse().unwrap(), word("m=audio", 1).parse().unwrap())
}

/// The audio of one side: a socket, and where the node wants what it says.
fn speaker(socket: UdpSocket, node: SocketAddr, serial: u64) -> Phone {
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let leg = LegId { centre: CentreId(0), serial: Serial(serial) };
    let (port, stream) = (MediaPort::as_bound(node, 0), Stream::of(Codec::Pcma));
    Phone { socket, leg, port, stream, sequence: 1, ssrc: 7 + serial as u32 }
}

/// The desk phone is lifted; the INVITE that rang.
fn lift(desk: &mut Carrier, audio: &UdpSocket) -> String {
    let mut next = || desk.receive(SOON).expect("the phone rings");
    let invite = std::iter::repeat_with(&mut next).find(|it| it.starts_with("INVITE ")).unwrap();
    let copied =
        ["Via", "From", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", value(&invite, name)));
    let body = sdp(audio.local_addr().unwrap());
    desk.send(&format!(
        "SIP/2.0 200 OK\r\n{}To: {};tag=desk\r\nContact: <sip:desk@{}>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        copied.concat(),
        value(&invite, "To"),
        desk.local(),
        body.len()
    ));
    let ack = desk.receive(SOON).expect("an ACK");
    assert!(ack.starts_with("ACK "), "{ack}");
    invite
}

#[test]
fn a_caller_of_one_family_and_a_phone_of_the_other_hear_each_other() {
    let Some(six) = six() else { return };
    for [theirs, ours] in [[HERE, six], [six, HERE]] {
        let (six_port, at) = (free_udp(1), free(ours));
        let node = node(six_port, at);
        let engine = |ip: IpAddr| if ip.is_ipv4() { node.sip } else { SocketAddr::new(six, six_port) };
        let mut desk = Carrier::udp(at, engine(ours));
        let mut carrier = Carrier::udp(SocketAddr::new(theirs, 0), engine(theirs));
        let (caller, agent) = (UdpSocket::bind((theirs, 0)).unwrap(), UdpSocket::bind((ours, 0)).unwrap());

        let offer = sdp(caller.local_addr().unwrap());
        let uri = format!("sip:15@{}", engine(theirs));
        let (call_id, invite) = carrier.request("INVITE", &uri, "Content-Type: application/sdp\r\n", &offer);
        carrier.send(&invite);
        let answer = carrier.final_response(&call_id, SOON).expect("an answer");
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
        let call = Call { call_id, invite, answer };
        carrier.send(&within(&call, "ACK", 1));
        let rang = lift(&mut desk, &agent);

        let (to_caller, to_agent) = (audio(&call.answer), audio(&rang));
        assert_eq!((to_caller.ip(), to_agent.ip()), (theirs, ours), "each is told its own family");
        let (mut caller, mut agent) = (speaker(caller, to_caller, 1), speaker(agent, to_agent, 2));
        let mut heard = (0.0, 0.0);
        eventually("both are heard", || {
            heard = converse(&mut caller, 1_000.0, &mut agent, 700.0);
            heard.0 > 0.9 && heard.1 > 0.9
        });
        assert!(carrier.hang_up(&call), "{heard:?}");
        assert_eq!(node.metric("bandeau_other_family_total"), 0.0);
    }
}

// A carrier may speak of a family we have no address of; it is answered, heard by the way it sends, and
// somebody is told to mend it.
#[test]
fn a_caller_of_a_family_we_have_no_address_of_is_answered_and_counted() {
    let node = Node::start_edited(Phones::None, PLAN, |text, _| text);
    let mut carrier = Carrier::udp(SocketAddr::new(HERE, 0), node.sip);
    let uri = format!("sip:15@{}", node.sip);
    let offer = sdp("[2001:db8::1]:9".parse().unwrap());
    let (call_id, invite) = carrier.request("INVITE", &uri, "Content-Type: application/sdp\r\n", &offer);
    carrier.send(&invite);
    let answer = carrier.final_response(&call_id, SOON).expect("an answer");
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    let call = Call { call_id, invite, answer };
    carrier.send(&within(&call, "ACK", 1));
    let mut caller = speaker(UdpSocket::bind((HERE, 0)).unwrap(), audio(&call.answer), 1);
    assert_eq!(caller.port.advertised.ip(), HERE);
    eventually("the caller hears us by the way they are heard", || {
        caller.say(1_000.0);
        caller.hear().is_some()
    });
    eventually("it is counted", || node.metric("bandeau_other_family_total") == 1.0);
    assert!(node.log().contains("[media] advertised"), "and the log says what to do");
    assert_eq!(node.metric("bandeau_sip_refused_total"), 0.0);
    assert!(carrier.hang_up(&call));
}
