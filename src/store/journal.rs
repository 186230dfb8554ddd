//! The journal: every live call's last snapshot, so that a restart finds it.
//!
//! One file a start, one JSON object a line, in the order the core gave them. The last line about a
//! call counts; a line cut short by a crash is the last one and is left out.

use super::StoreError;
use engine::call::snapshot::CallSnapshot;
use engine::id::CallId;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Dead bytes that make a file worth writing again. Lower rewrites often, higher keeps ended calls'
/// numbers on the disk longer and makes the next start read more.
const REWRITE_AT: usize = 16 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Live(Box<CallSnapshot>),
    Over(CallId),
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Written<'a> {
    Live(&'a CallSnapshot),
    Over(CallId),
}

/// This start's journal file.
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Lines not yet in the file.
    unwritten: Vec<u8>,
    /// The last line of each live call.
    live: HashMap<CallId, Vec<u8>>,
    live_bytes: usize,
    file_bytes: usize,
}

impl Journal {
    /// Starts the file of this epoch, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(dir: &Path, epoch: u32) -> Result<Journal, StoreError> {
        let path = dir.join(format!("journal-{epoch:010}.jsonl"));
        let file = create(&path).map_err(|e| StoreError::file(&path, e))?;
        Ok(Journal { path, file, unwritten: Vec::new(), live: HashMap::new(), live_bytes: 0, file_bytes: 0 })
    }

    /// A call as it is now.
    pub fn snapshot(&mut self, snapshot: &CallSnapshot) {
        let line = line(&Written::Live(snapshot));
        self.unwritten.extend_from_slice(&line);
        self.live_bytes += line.len();
        if let Some(before) = self.live.insert(snapshot.call, line) {
            self.live_bytes -= before.len();
        }
    }

    /// A call that is over.
    pub fn forget(&mut self, call: CallId) {
        if let Some(before) = self.live.remove(&call) {
            self.live_bytes -= before.len();
            self.unwritten.extend_from_slice(&line(&Written::Over(call)));
        }
    }

    /// Brings everything handed over to the disk. What fails is tried again by the next flush.
    ///
    /// # Errors
    /// What the system says of writing or syncing.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        if self.file_bytes + self.unwritten.len() > REWRITE_AT + 2 * self.live_bytes {
            return self.rewrite();
        }
        self.file.write_all(&self.unwritten).inspect_err(|_| self.file_bytes = usize::MAX / 2)?;
        self.file_bytes += self.unwritten.len();
        self.unwritten.clear();
        self.file.sync_data()
    }

    /// Only the live calls, in a fresh file that takes this one's place at once. Also mends a file
    /// that a full disk left with half a line.
    fn rewrite(&mut self) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut file = create(&fresh)?;
        for line in self.live.values() {
            file.write_all(line)?;
        }
        file.sync_data()?;
        fs::rename(&fresh, &self.path)?;
        self.file = file;
        self.file_bytes = self.live_bytes;
        self.unwritten.clear();
        Ok(())
    }
}

/// The calls that earlier starts left alive, oldest first, and the files they stand in. Files
/// without any are removed; the others stay until what they hold has been dealt with.
///
/// # Errors
/// When the directory or a journal in it cannot be read.
pub fn left_behind(dir: &Path) -> Result<(Vec<CallSnapshot>, Vec<PathBuf>), StoreError> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
        .map_err(|e| StoreError::file(dir, e))?;
    files.retain(|path| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        name.starts_with("journal-") && name.ends_with(".jsonl")
    });
    files.sort();
    let (mut calls, mut kept) = (Vec::new(), Vec::new());
    for path in files {
        let live = read(&path).map_err(|e| StoreError::file(&path, e))?;
        if live.is_empty() {
            fs::remove_file(&path).map_err(|e| StoreError::file(&path, e))?;
        } else {
            kept.push(path);
        }
        calls.extend(live);
    }
    calls.sort_by_key(|snapshot| snapshot.record.arrived_at);
    Ok((calls, kept))
}

fn read(path: &Path) -> io::Result<Vec<CallSnapshot>> {
    let mut live = HashMap::new();
    let mut reader = BufReader::new(File::open(path)?);
    let mut text = Vec::new();
    while reader.read_until(b'\n', &mut text)? > 0 {
        match serde_json::from_slice(&text) {
            Ok(Line::Live(snapshot)) => {
                live.insert(snapshot.call, *snapshot);
            }
            Ok(Line::Over(call)) => {
                live.remove(&call);
            }
            // Half a line ends a crashed file, or stands before a later try at the same line.
            Err(error) => tracing::warn!(%error, "a line of the journal cannot be read and is left out"),
        }
        text.clear();
    }
    Ok(live.into_values().collect())
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn line(what: &Written<'_>) -> Vec<u8> {
    // Snapshots are plain data with string keys: writing them to memory cannot fail.
    let mut line = serde_json::to_vec(what).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::snapshot;

    #[test]
    fn a_restart_finds_the_last_word_on_every_live_call() {
        let dir = Dir::new("journal");
        let mut journal = Journal::create(&dir.0, 1).unwrap();
        journal.snapshot(&snapshot(1, "unqualified"));
        journal.snapshot(&snapshot(2, "unqualified"));
        journal.flush().unwrap();
        journal.snapshot(&snapshot(1, "vital"));
        journal.forget(snapshot(2, "").call);
        journal.flush().unwrap();
        let (calls, files) = left_behind(&dir.0).unwrap();
        assert_eq!(calls, [snapshot(1, "vital")]);
        assert_eq!(files.len(), 1);
    }

    #[test]
    fn a_line_cut_short_by_a_crash_costs_only_itself() {
        let dir = Dir::new("cut");
        let mut journal = Journal::create(&dir.0, 1).unwrap();
        journal.snapshot(&snapshot(1, "vital"));
        journal.flush().unwrap();
        let path = dir.0.join("journal-0000000001.jsonl");
        let mut text = fs::read(&path).unwrap();
        text.extend_from_slice(b"{\"live\":{\"version\":1,\"call");
        fs::write(&path, text).unwrap();
        assert_eq!(left_behind(&dir.0).unwrap().0, [snapshot(1, "vital")]);
    }

    #[test]
    fn a_journal_without_live_calls_is_removed() {
        let dir = Dir::new("empty");
        let mut journal = Journal::create(&dir.0, 1).unwrap();
        journal.snapshot(&snapshot(1, "vital"));
        journal.forget(snapshot(1, "").call);
        journal.flush().unwrap();
        assert_eq!(left_behind(&dir.0).unwrap(), (Vec::new(), Vec::new()));
        assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 0);
    }

    #[test]
    fn a_rewritten_journal_holds_the_live_calls_only() {
        let dir = Dir::new("rewrite");
        let mut journal = Journal::create(&dir.0, 1).unwrap();
        for n in 0..100 {
            journal.snapshot(&snapshot(n, "vital"));
            if n != 7 {
                journal.forget(snapshot(n, "").call);
            }
        }
        journal.flush().unwrap();
        journal.rewrite().unwrap();
        let path = dir.0.join("journal-0000000001.jsonl");
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
        assert_eq!(left_behind(&dir.0).unwrap().0, [snapshot(7, "vital")]);
    }

    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Dir {
            let dir = std::env::temp_dir().join(format!("bandeau-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&dir);
            fs::create_dir_all(&dir).unwrap();
            Dir(dir)
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
