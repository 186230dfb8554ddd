//! What outlives the process: the journal of live calls, callbacks and major events, and the records of
//! calls that ended.
//!
//! The core hands over values and goes on: one thread writes, in order, at its own pace, and a
//! disk that stalls or fails delays nobody's offer (I21). Nothing is read back while serving but
//! accounts, when somebody signs in.

mod epoch;
mod journal;
mod records;
#[cfg(test)]
pub(crate) mod samples;
pub mod users;

pub use epoch::next_epoch;
pub use journal::{Journal, left_behind};
pub use records::Records;

use engine::call::record::Record;
use engine::call::snapshot::{CallSnapshot, MajorSnapshot};
use engine::id::{CallId, MajorId};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a store that failed is tried again; more often only fills the log.
const RETRY: Duration = Duration::from_secs(1);

/// Between two flushes. What comes after a pause is written at once, a steady stream shares its flushes; a
/// loss of power may cost this much more than the disk's own delay.
const GATHER: Duration = Duration::from_millis(20);

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory or a file in it.
    #[error("cannot use `{path}`")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The accounts' database.
    #[error("cannot open the accounts in `{path}`")]
    Users {
        /// Which.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The records' database.
    #[error("cannot open the records in `{path}`")]
    Records {
        /// Which.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

impl StoreError {
    fn file(path: &Path, source: std::io::Error) -> Self {
        StoreError::File { path: path.to_owned(), source }
    }
}

/// One thing to keep.
enum Keep {
    Snapshot(Box<CallSnapshot>),
    Forget(CallId),
    Major(Box<MajorSnapshot>),
    ForgetMajor(MajorId),
    Record(Box<Record>),
    /// Files of earlier starts, once everything before this is on the disk.
    Strike(Vec<PathBuf>),
}

/// The writing thread's end for the core.
pub struct Store {
    keep: Option<mpsc::Sender<Keep>>,
    pending: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens journal and records under `dir`, which must exist, and starts the writer.
    ///
    /// # Errors
    /// When a file cannot be opened; nothing is started then.
    pub fn open(dir: &Path, epoch: u32) -> Result<Store, StoreError> {
        let journal = Journal::create(dir, epoch)?;
        let records = Records::open(&dir.join("records.sqlite"))?;
        let (keep, kept) = mpsc::channel();
        let pending = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&pending);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                Writer::new(journal, records, counted).run(&kept);
            })
            .map_err(|e| StoreError::file(dir, e))?;
        Ok(Store { keep: Some(keep), pending, thread: Some(thread) })
    }

    /// A live call as it is now.
    pub fn snapshot(&self, snapshot: Box<CallSnapshot>) {
        self.hand_over(Keep::Snapshot(snapshot));
    }

    /// A call that is over: a restart needs it no more.
    pub fn forget(&self, call: CallId) {
        self.hand_over(Keep::Forget(call));
    }

    /// A major event as it is now.
    pub fn major(&self, snapshot: Box<MajorSnapshot>) {
        self.hand_over(Keep::Major(snapshot));
    }

    /// A major event that is over.
    pub fn forget_major(&self, event: MajorId) {
        self.hand_over(Keep::ForgetMajor(event));
    }

    /// What these files of earlier starts hold has been dealt with: they go, once what has been handed
    /// over so far is on the disk.
    pub fn strike(&self, files: Vec<PathBuf>) {
        self.hand_over(Keep::Strike(files));
    }

    /// A call's one record.
    pub fn record(&self, record: Box<Record>) {
        self.hand_over(Keep::Record(record));
    }

    /// Handed over and not written yet.
    pub fn pending(&self) -> u64 {
        self.pending.load(Ordering::Relaxed)
    }

    fn hand_over(&self, keep: Keep) {
        self.pending.fetch_add(1, Ordering::Relaxed);
        if self.keep.as_ref().is_none_or(|sender| sender.send(keep).is_err()) {
            tracing::error!("the store has stopped: calls go on, nothing more is written");
        }
    }
}

impl Drop for Store {
    /// Writes what is still pending.
    fn drop(&mut self) {
        self.keep = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread's state.
struct Writer {
    journal: Journal,
    records: Records,
    /// Records SQLite would not take, oldest first; tried again until it does.
    unsaved: Vec<Record>,
    /// Ended calls that stay in the journal until every record is saved: a crash in between loses none.
    over: Vec<CallId>,
    /// Files of earlier starts that go as soon as everything is on the disk.
    struck: Vec<PathBuf>,
    pending: Arc<AtomicU64>,
}

impl Writer {
    fn new(journal: Journal, records: Records, pending: Arc<AtomicU64>) -> Writer {
        let (unsaved, over, struck) = (Vec::new(), Vec::new(), Vec::new());
        Writer { journal, records, unsaved, over, struck, pending }
    }

    fn run(mut self, kept: &mpsc::Receiver<Keep>) {
        loop {
            let first = match kept.recv_timeout(RETRY) {
                Ok(first) => Some(first),
                Err(mpsc::RecvTimeoutError::Timeout) => None,
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            };
            let batch: Vec<Keep> = first.into_iter().chain(kept.try_iter()).collect();
            self.write(batch);
            std::thread::sleep(GATHER);
        }
        self.write(Vec::new());
        if !self.unsaved.is_empty() {
            tracing::error!(records = self.unsaved.len(), "records could not be saved");
        }
    }

    /// One batch, one flush of each store: under load the batches grow instead of the delay. Of a call
    /// only its last word counts.
    fn write(&mut self, batch: Vec<Keep>) {
        let (mut written, mut last) = (0, BTreeMap::new());
        for keep in batch {
            match keep {
                Keep::Snapshot(snapshot) => {
                    last.insert(snapshot.call, snapshot);
                }
                Keep::Forget(call) => {
                    last.remove(&call);
                    self.over.push(call);
                }
                Keep::Major(snapshot) => self.journal.major(&snapshot),
                Keep::ForgetMajor(event) => self.journal.forget_major(event),
                Keep::Strike(files) => self.struck.extend(files),
                Keep::Record(record) => {
                    self.unsaved.push(*record);
                    continue;
                }
            }
            written += 1;
        }
        for snapshot in last.values() {
            self.journal.snapshot(snapshot);
        }
        written += self.save();
        if self.unsaved.is_empty() {
            self.over.drain(..).for_each(|call| self.journal.forget(call));
        }
        match self.journal.flush() {
            Ok(()) if self.unsaved.is_empty() => self.strike_earlier(),
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, "the journal could not be written: a restart would lose calls");
            }
        }
        self.pending.fetch_sub(written, Ordering::Relaxed);
    }

    /// Removes the journals of earlier starts: everything they hold stands elsewhere.
    fn strike_earlier(&mut self) {
        for path in self.struck.drain(..) {
            if let Err(error) = std::fs::remove_file(&path) {
                let path = path.display().to_string();
                tracing::error!(%error, path, "remove this file: the next start takes its calls up again");
            }
        }
    }

    /// Saves the records that wait; how many were.
    fn save(&mut self) -> u64 {
        if self.unsaved.is_empty() {
            return 0;
        }
        match self.records.save(&self.unsaved) {
            Ok(()) => self.unsaved.drain(..).count() as u64,
            Err(error) => {
                tracing::error!(%error, waiting = self.unsaved.len(), "records wait to be saved");
                0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::{record, snapshot};
    use rusqlite::Connection;

    fn writer(name: &str) -> (PathBuf, Writer) {
        let dir = std::env::temp_dir().join(format!("bandeau-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let journal = Journal::create(&dir, 1).unwrap();
        let records = Records::open(&dir.join("records.sqlite")).unwrap();
        let pending = Arc::new(AtomicU64::new(0));
        (dir, Writer::new(journal, records, pending))
    }

    fn keep(n: u64, class: &str) -> Keep {
        Keep::Snapshot(Box::new(snapshot(n, class)))
    }

    #[test]
    fn of_what_a_batch_says_about_a_call_the_last_word_is_written() {
        let (dir, mut writer) = writer("batch");
        let here_and_gone = [keep(2, "vital"), Keep::Forget(record(2).call)];
        writer.write([keep(1, "unqualified"), keep(1, "vital")].into_iter().chain(here_and_gone).collect());
        let text = std::fs::read_to_string(dir.join("journal-0000000001.jsonl")).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert_eq!(left_behind(&dir).unwrap().0.calls, [snapshot(1, "vital")]);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn i21_an_ended_call_stays_in_the_journal_until_its_record_is_saved() {
        let (dir, mut writer) = writer("unsaved");
        let aside = Connection::open(dir.join("records.sqlite")).unwrap();
        aside.execute_batch("ALTER TABLE record RENAME TO away").unwrap();
        writer.write(vec![keep(1, "vital")]);
        writer.write(vec![Keep::Record(Box::new(record(1))), Keep::Forget(record(1).call)]);
        assert_eq!(
            left_behind(&dir).unwrap().0.calls,
            [snapshot(1, "vital")],
            "neither store alone may lose it"
        );
        aside.execute_batch("ALTER TABLE away RENAME TO record").unwrap();
        writer.write(Vec::new());
        assert_eq!(left_behind(&dir).unwrap().0.calls, []);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn i21_the_journal_of_an_earlier_start_stays_until_all_it_held_is_on_the_disk() {
        let (dir, mut writer) = writer("earlier");
        let earlier = dir.join("journal-0000000000.jsonl");
        std::fs::write(&earlier, "").unwrap();
        let aside = Connection::open(dir.join("records.sqlite")).unwrap();
        aside.execute_batch("ALTER TABLE record RENAME TO away").unwrap();
        writer.write(vec![Keep::Record(Box::new(record(1))), Keep::Strike(vec![earlier.clone()])]);
        assert!(earlier.exists(), "its call's record is not saved");
        aside.execute_batch("ALTER TABLE away RENAME TO record").unwrap();
        writer.write(Vec::new());
        assert!(!earlier.exists());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
