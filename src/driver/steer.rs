//! Which socket a datagram goes to: every trunk has one of its own, so that the kernel keeps its
//! calls apart from whatever else is sent to the port.
//!
//! The sockets of one listener are a group (SO_REUSEPORT) with a program that looks at the source
//! address, the way a packet filter does, before the datagram is queued: a flood fills the buffer of
//! strangers and no other. The same for connections that wait to be accepted.

use std::io;
use std::net::IpAddr;
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

/// Addresses one program can tell apart: the kernel takes 4096 instructions, IPv6 needs nine each.
pub(super) const ADDRESSES_MAX: usize = 400;

/// The program that answers with the index of the socket for a source, 0 for everybody else.
fn program(known: &[(IpAddr, u32)]) -> Vec<Step> {
    let step = |code, k| Step { code, jt: 0, jf: 0, k };
    let mut steps = Vec::new();
    for (address, socket) in known.iter().take(ADDRESSES_MAX) {
        let (words, at): (Vec<u32>, u32) = match address {
            IpAddr::V4(ip) => (vec![u32::from(*ip)], V4_SOURCE),
            IpAddr::V6(ip) => {
                let bits = u128::from(*ip);
                ((0..4).map(|word| (bits >> (96 - 32 * word)) as u32).collect(), V6_SOURCE)
            }
        };
        let mut offset = at;
        for (index, word) in words.iter().enumerate() {
            // Beyond the rest of this address and its answer.
            let beyond = 2 * (words.len() - 1 - index) + 1;
            steps.push(step(LOAD, IP_HEADER.wrapping_add(offset)));
            steps.push(Step { jf: u8::try_from(beyond).unwrap_or(u8::MAX), ..step(SAME, *word) });
            offset += 4;
        }
        steps.push(step(ANSWER, *socket));
    }
    steps.push(step(ANSWER, 0));
    steps
}

/// Steers the group `socket` belongs to from here on: each known source to the socket of that index,
/// in the order they were bound.
///
/// # Errors
/// A kernel that cannot (before Linux 4.6, or none): the group must then not be made.
pub(super) fn steer(socket: &impl AsRawFd, known: &[(IpAddr, u32)]) -> io::Result<()> {
    let mut steps = program(known);
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
}
