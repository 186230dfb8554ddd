//! The system calls the standard library has no words for: epoll, eventfd, timerfd, two socket
//! options, two clocks and the limit of descriptors. The only unsafe code of the program.
//!
//! Datagrams themselves go through [`std::net::UdpSocket`], whose `recv_from` and `send_to` are the
//! bare calls: a waiting caller has a socket of its own, so there is nothing to batch.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Nanoseconds of the monotonic clock. The plane's own time: packets are paced by it, nothing is
/// decided or dated by it.
pub fn now() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// The instant of a reading of [`now`], for what is told the time in the library's words. Exact to
/// the microsecond: both are readings of one clock.
#[allow(
    clippy::disallowed_methods,
    reason = "the packet threads read their own clock, here and nowhere else"
)]
pub fn instant(at: u64) -> Instant {
    static BOTH: OnceLock<(Instant, u64)> = OnceLock::new();
    let (instant, read) = *BOTH.get_or_init(|| (Instant::now(), now()));
    if at < read {
        instant - Duration::from_nanos(read - at)
    } else {
        instant + Duration::from_nanos(at - read)
    }
}

/// The reading of [`now`] at an instant; the past is now.
pub fn reading(at: Instant, now: u64) -> u64 {
    now + u64::try_from(at.saturating_duration_since(instant(now)).as_nanos()).unwrap_or(u64::MAX - now)
}

/// CPU time this thread has used.
pub fn thread_cpu() -> Duration {
    Duration::from_nanos(clock(libc::CLOCK_THREAD_CPUTIME_ID))
}

fn clock(id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid, writable timespec for the whole call.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    // Both clocks are never negative, and these two exist on every Linux.
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Raises the limit of open files to what the system allows this process; answers with it.
///
/// # Errors
/// The limit cannot be read, or not be raised.
pub fn raise_descriptors() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid, writable rlimit for the whole call.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is a valid rlimit, only read.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
    Ok(limit.rlim_cur)
}

/// Sets how much the kernel keeps of what has come and was not read. It doubles the value, and
/// takes its own minimum for a smaller one; one packet is always kept.
///
/// # Errors
/// The socket is none.
pub fn keep_received(socket: &UdpSocket, bytes: i32) -> io::Result<()> {
    let length = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the option's value is an int, read only, `length` bytes long; the descriptor is open
    // as long as `socket` is borrowed.
    check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUF,
            (&raw const bytes).cast(),
            length,
        )
    })
    .map(drop)
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Owns a descriptor that a call has just made.
fn owned(result: libc::c_int) -> io::Result<OwnedFd> {
    let descriptor = check(result)?;
    // SAFETY: the call succeeded, so the descriptor is open, and nobody else has seen it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// What a socket wakes its thread for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Nothing.
    Never,
    /// The next packet, once.
    Once,
    /// Every packet.
    Always,
}

/// A set of descriptors a thread sleeps on.
#[derive(Debug)]
pub struct Epoll(OwnedFd);

/// What epoll fills in; opaque but for [`Ready::tokens`].
pub struct Ready {
    events: Vec<libc::epoll_event>,
    count: usize,
}

impl Ready {
    /// Room for this many at a time.
    pub fn with_room(count: usize) -> Ready {
        Ready { events: vec![libc::epoll_event { events: 0, u64: 0 }; count.max(1)], count: 0 }
    }

    /// The token of the `index`th descriptor found ready, until `None`.
    pub fn token(&self, index: usize) -> Option<u64> {
        self.events[..self.count].get(index).map(|event| event.u64)
    }
}

impl Epoll {
    /// An empty set.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub fn new() -> io::Result<Epoll> {
        // SAFETY: takes no pointer.
        owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }).map(Epoll)
    }

    /// Adds a descriptor under a token. Closing its last copy takes it out again.
    ///
    /// # Errors
    /// It is in the set already, or the system has no room.
    pub fn add(&self, descriptor: &impl AsFd, token: u64, wake: Wake) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, descriptor.as_fd().as_raw_fd(), token, wake)
    }

    /// Changes what a descriptor of the set wakes for, and its token.
    ///
    /// # Errors
    /// It is not in the set.
    pub fn change(&self, descriptor: &impl AsFd, token: u64, wake: Wake) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, descriptor.as_fd().as_raw_fd(), token, wake)
    }

    /// Takes a descriptor out of the set, which stays open.
    ///
    /// # Errors
    /// It is not in the set.
    pub fn remove(&self, descriptor: &impl AsFd) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, descriptor.as_fd().as_raw_fd(), 0, Wake::Never)
    }

    fn control(&self, what: i32, descriptor: RawFd, token: u64, wake: Wake) -> io::Result<()> {
        let events = match wake {
            Wake::Never => 0,
            Wake::Once => libc::EPOLLIN | libc::EPOLLONESHOT,
            Wake::Always => libc::EPOLLIN,
        };
        let mut event = libc::epoll_event { events: events as u32, u64: token };
        // SAFETY: `event` is valid for the whole call; both descriptors are borrowed from owners.
        check(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), what, descriptor, &raw mut event) }).map(drop)
    }

    /// Sleeps until a descriptor is ready. A signal ends the sleep with none.
    ///
    /// # Errors
    /// Never, while the set is open.
    pub fn sleep(&self, ready: &mut Ready) -> io::Result<()> {
        ready.count = 0;
        let room = ready.events.len() as libc::c_int;
        // SAFETY: `events` is writable and `room` events long; the kernel fills at most that many.
        match check(unsafe { libc::epoll_wait(self.0.as_raw_fd(), ready.events.as_mut_ptr(), room, -1) }) {
            Ok(count) => ready.count = count as usize,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// A bell between threads (eventfd).
#[derive(Debug)]
pub struct Bell(File);

impl Bell {
    /// A silent one.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub fn new() -> io::Result<Bell> {
        // SAFETY: takes no pointer.
        owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) }).map(|fd| Bell(fd.into()))
    }

    /// Wakes whoever sleeps on it. A full counter (2^64 rings unheard) is as good as a ring.
    pub fn ring(&self) {
        let _ = (&self.0).write(&1u64.to_ne_bytes());
    }

    /// Stops it.
    pub fn quiet(&self) {
        let _ = (&self.0).read(&mut [0; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// An alarm clock a thread can sleep on (timerfd), set to instants of [`now`].
#[derive(Debug)]
pub struct Alarm(OwnedFd);

impl Alarm {
    /// One that is not set.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub fn new() -> io::Result<Alarm> {
        let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
        // SAFETY: takes no pointer.
        owned(unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, flags) }).map(Alarm)
    }

    /// Sets it, or with `None` stops it; what it rang before is forgotten. An instant that has
    /// passed rings at once.
    ///
    /// # Errors
    /// Never, while it is open.
    pub fn set(&self, at: Option<u64>) -> io::Result<()> {
        // 0 would stop it.
        let at = at.map_or(0, |at| at.max(1));
        let setting = libc::itimerspec {
            it_interval: libc::timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: libc::timespec {
                tv_sec: (at / 1_000_000_000) as libc::time_t,
                tv_nsec: (at % 1_000_000_000) as libc::c_long,
            },
        };
        // SAFETY: `setting` is valid and only read; a null pointer says the old one is not wanted.
        check(unsafe {
            libc::timerfd_settime(
                self.0.as_raw_fd(),
                libc::TFD_TIMER_ABSTIME,
                &raw const setting,
                std::ptr::null_mut(),
            )
        })
        .map(drop)
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(epoll: &Epoll) -> Vec<u64> {
        let mut ready = Ready::with_room(8);
        epoll.sleep(&mut ready).unwrap();
        (0..).map_while(|index| ready.token(index)).collect()
    }

    #[test]
    fn a_bell_wakes_a_sleeper_until_it_is_quiet() {
        let (epoll, bell, alarm) = (Epoll::new().unwrap(), Bell::new().unwrap(), Alarm::new().unwrap());
        epoll.add(&bell, 7, Wake::Always).unwrap();
        epoll.add(&alarm, 9, Wake::Always).unwrap();
        bell.ring();
        bell.ring();
        assert_eq!(tokens(&epoll), [7]);
        assert_eq!(tokens(&epoll), [7], "it rings until it is quiet");
        bell.quiet();
        alarm.set(Some(now())).unwrap();
        assert_eq!(tokens(&epoll), [9]);
    }

    #[test]
    fn an_alarm_does_not_ring_early() {
        let (epoll, alarm) = (Epoll::new().unwrap(), Alarm::new().unwrap());
        epoll.add(&alarm, 1, Wake::Always).unwrap();
        let at = now() + 20_000_000;
        alarm.set(Some(at)).unwrap();
        assert_eq!(tokens(&epoll), [1]);
        assert!(now() >= at);
        alarm.set(None).unwrap();
        let bell = Bell::new().unwrap();
        epoll.add(&bell, 2, Wake::Always).unwrap();
        bell.ring();
        assert_eq!(tokens(&epoll), [2], "a stopped alarm is quiet");
    }

    #[test]
    fn a_socket_wakes_once_always_or_never() {
        let epoll = Epoll::new().unwrap();
        let bell = Bell::new().unwrap();
        epoll.add(&bell, 0, Wake::Always).unwrap();
        bell.ring();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        epoll.add(&socket, 5, Wake::Once).unwrap();
        socket.send_to(b"one", address).unwrap();
        assert_eq!(tokens(&epoll), [0, 5]);
        assert_eq!(tokens(&epoll), [0]);
        epoll.change(&socket, 6, Wake::Always).unwrap();
        assert_eq!(tokens(&epoll), [0, 6]);
        assert_eq!(tokens(&epoll), [0, 6]);
        epoll.change(&socket, 6, Wake::Never).unwrap();
        assert_eq!(tokens(&epoll), [0]);
        epoll.remove(&socket).unwrap();
        assert!(epoll.remove(&socket).is_err());
    }

    #[test]
    fn a_small_receive_buffer_keeps_few_packets_and_at_least_one() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        keep_received(&socket, 0).unwrap();
        for _ in 0..100 {
            socket.send_to(&[0; 172], socket.local_addr().unwrap()).unwrap();
        }
        let kept = (0..100).filter(|_| socket.recv(&mut [0; 200]).is_ok()).count();
        assert!((1..20).contains(&kept), "{kept}");
    }

    #[test]
    fn clocks_advance_and_the_limit_of_files_is_raised() {
        let (before, cpu) = (now(), thread_cpu());
        while thread_cpu() == cpu {}
        assert!(now() > before);
        assert!(raise_descriptors().unwrap() >= 256);
    }
}
