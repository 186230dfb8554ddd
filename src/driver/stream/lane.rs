//! The threads connections live on: one for trunks, and one that yields to it.

use std::thread::JoinHandle;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Whose turn it is on a core that several threads want.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// As the core's own thread.
    Everybody,
    /// After everybody else.
    Last,
}

/// How far behind [`Turn::Last`] is, in the system's niceness: its thread has a tenth of a core that
/// others want, and leaves it the moment one of them wakes. Among equals, who wakes waits until the
/// one at work has used its slice up: some milliseconds, on a machine of two cores as often as not.
/// Nearer, a flood is felt; farther, phones that register are not heard while calls are many.
const BEHIND: libc::c_int = 10;

/// One of the threads, until it is dropped.
pub(super) struct Lane {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lane {
    pub(super) fn start(name: &str, turn: Turn) -> anyhow::Result<(Lane, Handle)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            if turn == Turn::Last {
                come_last();
            }
            runtime.block_on(async {
                let _ = stopped.await; // the core is gone: so is everybody who was written to
            });
        })?;
        Ok((Lane { stop: Some(stop), thread: Some(thread) }, handle))
    }
}

/// The calling thread yields to all others from here on. Best effort: a system that cannot makes
/// strangers felt, and no call lost.
fn come_last() {
    // SAFETY: no memory is touched. On Linux it is the calling thread's niceness, not the process's.
    unsafe { libc::nice(BEHIND) };
}

impl Drop for Lane {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the system says of the thread a lane's tasks run on.
    fn niceness(turn: Turn) -> i32 {
        let (_lane, handle) = Lane::start("lane", turn).unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        handle.spawn(async move {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let behind_name = stat.rsplit_once(')').unwrap().1.to_owned();
            tell.send(behind_name.split_whitespace().nth(16).unwrap().parse().unwrap()).unwrap();
        });
        told.recv().unwrap()
    }

    #[test]
    fn i9_the_thread_of_strangers_yields_to_that_of_trunks() {
        let trunks = niceness(Turn::Everybody);
        assert_eq!(niceness(Turn::Last), (trunks + BEHIND).min(19), "19 is the last there is");
    }
}
