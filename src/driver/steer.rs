//! Which socket a datagram goes to: every trunk has one of its own, so that the kernel keeps its
//! calls apart from whatever else is sent to the port.
//!
//! The sockets of one listener are a group (SO_REUSEPORT) with a program that looks at the source
//! address, the way a packet filter does, before the datagram is queued: a flood fills the buffer of
//! strangers and no other. The same for connections that wait to be accepted.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;

/// One instruction of the classic packet filter.
type Step = libc::sock_filter;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const SAME: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const ANSWER: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Where the IP header begins, for a program that otherwise sees what is in the datagram.
const IP_HEADER: u32 = libc::SKF_NET_OFF as u32;
const V4_SOURCE: u32 = 12;
const V6_SOURCE: u32 = 8;

/// Steps of one program, by the kernel's own limit: room for 2 047 addresses of IPv4 (two steps each) or
/// 454 of IPv6 (nine each). Its limit of memory for them (`net.core.optmem_max`) may allow fewer.
const STEPS_MAX: usize = 4096;

/// The program that answers with the index of the socket for a source, 0 for everybody else. All known
/// addresses are of one family.
fn program(known: &[(IpAddr, u32)]) -> Vec<Step> {
    let mut steps = Vec::new();
    if known.first().is_some_and(|(ip, _)| ip.is_ipv4()) {
        steps.push(load(V4_SOURCE)); // it stays loaded from one to the next
    }
    for (address, socket) in known {
        match address {
            IpAddr::V4(ip) => steps.push(Step { jf: 1, ..step(SAME, u32::from(*ip)) }),
            IpAddr::V6(ip) => {
                let bits = u128::from(*ip);
                for word in 0..4_u8 {
                    // Beyond the rest of this address and its answer.
                    let beyond = 2 * (3 - word) + 1;
                    steps.push(load(V6_SOURCE + 4 * u32::from(word)));
                    steps.push(Step { jf: beyond, ..step(SAME, (bits >> (96 - 32 * word)) as u32) });
                }
            }
        }
        steps.push(step(ANSWER, *socket));
    }
    steps.push(step(ANSWER, 0));
    steps
}

fn step(code: u16, k: u32) -> Step {
    Step { code, jt: 0, jf: 0, k }
}

fn load(of_header: u32) -> Step {
    step(LOAD, IP_HEADER.wrapping_add(of_header))
}

/// Steers the group `socket` belongs to from here on: each known source to the socket of that index,
/// in the order they were bound. How many of them it takes, the first ones.
///
/// # Errors
/// A kernel that cannot (before Linux 4.6, or none): the group must then not be made.
pub(super) fn steer(socket: &impl AsRawFd, known: &[(IpAddr, u32)]) -> io::Result<usize> {
    let is_ipv4 = known.first().is_none_or(|(ip, _)| ip.is_ipv4());
    let mut fit = known.len().min((STEPS_MAX - 2) / if is_ipv4 { 2 } else { 9 });
    loop {
        match attach(socket, program(&known[..fit])) {
            Err(error) if error.raw_os_error() == Some(libc::ENOMEM) && fit > 0 => fit -= fit.div_ceil(8),
            done => return done.map(|()| fit),
        }
    }
}

fn attach(socket: &impl AsRawFd, mut steps: Vec<Step>) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(steps.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: steps.as_mut_ptr(),
    };
    let length = libc::socklen_t::try_from(size_of_val(&program)).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the descriptor is open while `socket` lives, and the kernel copies the program, which
    // lives until the call returns, out of the length given with it.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_REUSEPORT_CBPF,
            (&raw const program).cast(),
            length,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Says that the kernel tells no more sources apart than so many of these.
pub(super) fn tell_of_left(at: SocketAddr, known: usize, fit: usize) {
    if fit < known {
        tracing::error!(
            listener = %at,
            addresses = known,
            apart = fit,
            "trunks have more addresses than the kernel tells apart: the others share what everybody fills. Raise \
             net.core.optmem_max, or name fewer addresses in `peers`; each trunk's first ones are apart"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the program answers to a datagram from `source`.
    fn answer(steps: &[Step], source: IpAddr) -> u32 {
        let word = |k: u32| {
            let offset = k.wrapping_sub(IP_HEADER);
            match source {
                IpAddr::V4(ip) => u32::from(ip),
                IpAddr::V6(ip) => (u128::from(ip) >> (96 - 8 * (offset - V6_SOURCE))) as u32,
            }
        };
        let (mut at, mut loaded) = (0, 0);
        loop {
            let step = steps[at];
            match step.code {
                LOAD => loaded = word(step.k),
                SAME if loaded != step.k => at += usize::from(step.jf),
                SAME => {}
                _ => return step.k,
            }
            at += 1;
        }
    }

    #[test]
    fn every_known_source_has_its_socket_and_all_others_share_the_first() {
        let v4 = |last: u8| IpAddr::from([192, 0, 2, last]);
        let v6 = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        let four = program(&[(v4(1), 1), (v4(2), 2), (v4(3), 2)]);
        let of = |source| answer(&four, source);
        assert_eq!([of(v4(1)), of(v4(2)), of(v4(3)), of(v4(4))], [1, 2, 2, 0]);
        let six = program(&[(v6(1), 1), (v6(2), 2)]);
        let of = |source| answer(&six, source);
        assert_eq!([of(v6(1)), of(v6(2)), of(v6(3))], [1, 2, 0]);
    }

    fn group() -> [std::net::UdpSocket; 2] {
        let socket = |at: &SocketAddr| {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
            socket.set_reuse_port(true).unwrap();
            socket.bind(&(*at).into()).unwrap();
            std::net::UdpSocket::from(socket)
        };
        let first = socket(&"127.0.0.1:0".parse().unwrap());
        let second = socket(&first.local_addr().unwrap());
        [first, second]
    }

    #[test]
    fn the_kernel_tells_the_first_ones_apart_where_there_are_more_addresses_than_it_takes() {
        let v4 = |last: u32| (IpAddr::from((0x7f00_0000 + last).to_be_bytes()), 1);
        for count in [4_u32, 400, 6_000] {
            let group = group();
            let known: Vec<(IpAddr, u32)> = (2..2 + count).map(v4).collect();
            let fit = steer(&group[0], &known).expect("Linux");
            assert!(fit >= known.len().min(400), "{fit} of {count}");
            let last = u32::try_from(fit).unwrap() + 1;
            for (source, place) in [(2, 1), (last, 1), (2 + count, 0)] {
                let sender = std::net::UdpSocket::bind((v4(source).0, 0)).unwrap();
                sender.send_to(b"OPTIONS", group[0].local_addr().unwrap()).unwrap();
                let socket = &group[place];
                socket.set_read_timeout(Some(std::time::Duration::from_secs(2))).unwrap();
                assert!(socket.recv_from(&mut [0; 64]).is_ok(), "{source} of {count}");
            }
        }
    }
}
