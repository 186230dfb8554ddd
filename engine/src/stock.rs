//! The stock of media ports: pairs of sockets already bound by the plane, so that answering an
//! INVITE waits for nobody.

use crate::media::MediaPort;
use std::collections::VecDeque;

/// Free ports, by the plane's thread that holds them.
#[derive(Debug, Default)]
pub(crate) struct Stock {
    threads: Vec<VecDeque<MediaPort>>,
}

impl Stock {
    /// Takes ports in, at the end: a port just given back rests longest, so that the last packets
    /// of its former peer reach nobody.
    pub(crate) fn put(&mut self, ports: impl IntoIterator<Item = MediaPort>) {
        for port in ports {
            let thread = usize::from(port.thread);
            if thread >= self.threads.len() {
                self.threads.resize_with(thread + 1, VecDeque::new);
            }
            if let Some(free) = self.threads.get_mut(thread) {
                free.push_back(port);
            }
        }
    }

    /// Takes a port out: of the thread `near`, so that a bridge stays on one thread; without one
    /// (or when that thread has none), of the thread with most to give.
    pub(crate) fn take(&mut self, near: Option<u16>) -> Option<MediaPort> {
        let same = near.and_then(|thread| self.threads.get_mut(usize::from(thread))?.pop_front());
        same.or_else(|| self.threads.iter_mut().max_by_key(|free| free.len())?.pop_front())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.threads.iter().map(VecDeque::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(thread: u16, number: u16) -> MediaPort {
        let at = std::net::SocketAddr::from(([127, 0, 0, 1], number));
        MediaPort::as_bound(at, thread)
    }

    #[test]
    fn both_legs_of_a_call_sit_on_one_thread_while_it_has_ports() {
        let mut stock = Stock::default();
        stock.put([port(0, 10), port(1, 20), port(1, 22), port(1, 24)]);
        let caller = stock.take(None).expect("four are free");
        assert_eq!(caller.thread, 1, "the thread with most free ports");
        assert_eq!(stock.take(Some(1)).map(|it| it.thread), Some(1));
        assert_eq!(stock.take(Some(1)).map(|it| it.thread), Some(1));
        assert_eq!(stock.take(Some(1)).map(|it| it.thread), Some(0), "another thread rather than none");
        assert_eq!(stock.take(Some(1)), None);
    }

    #[test]
    fn a_port_given_back_rests_longest() {
        let mut stock = Stock::default();
        stock.put([port(0, 10), port(0, 12)]);
        let first = stock.take(None).expect("free");
        stock.put([first]);
        assert_ne!(stock.take(None), Some(first));
    }
}
