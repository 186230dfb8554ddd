//! The journal: the last snapshot of every live call, callback and major event, so that a restart finds
//! it.
//!
//! One file a start, one JSON object a line, in the order the core gave them. The last line about a
//! call or an event counts; a line cut short by a crash is the last one and is left out. Of what two
//! starts say, the later counts: the first of them was killed before the file before it was struck.

use super::StoreError;
use engine::call::snapshot::{CallSnapshot, LeftBehind, MajorSnapshot};
use engine::id::{CallId, MajorId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
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
    Major(Box<MajorSnapshot>),
    MajorOver(MajorId),
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Written<'a> {
    Live(&'a CallSnapshot),
    Over(CallId),
    Major(&'a MajorSnapshot),
    MajorOver(MajorId),
}

/// What a line is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum About {
    Call(CallId),
    Major(MajorId),
}

/// This start's journal file.
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Lines not yet in the file.
    unwritten: Vec<u8>,
    /// The last line of each live call and open event.
    live: HashMap<About, Vec<u8>>,
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
        self.keep(About::Call(snapshot.call), &Written::Live(snapshot));
    }

    /// A call that is over.
    pub fn forget(&mut self, call: CallId) {
        self.strike(About::Call(call), &Written::Over(call));
    }

    /// A major event as it is now.
    pub fn major(&mut self, snapshot: &MajorSnapshot) {
        self.keep(About::Major(snapshot.event), &Written::Major(snapshot));
    }

    /// A major event that is over.
    pub fn forget_major(&mut self, event: MajorId) {
        self.strike(About::Major(event), &Written::MajorOver(event));
    }

    fn keep(&mut self, about: About, written: &Written<'_>) {
        let line = line(written);
        self.unwritten.extend_from_slice(&line);
        self.live_bytes += line.len();
        if let Some(before) = self.live.insert(about, line) {
            self.live_bytes -= before.len();
        }
    }

    fn strike(&mut self, about: About, written: &Written<'_>) {
        if let Some(before) = self.live.remove(&about) {
            self.live_bytes -= before.len();
            self.unwritten.extend_from_slice(&line(written));
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
        self.write_out().inspect_err(|_| {
            // Who knows what has come to the disk: the next flush writes anew all that lives, for which
            // nothing needs to be kept here, however long the disk stays full.
            self.file_bytes = usize::MAX / 2;
            self.unwritten.truncate(1);
        })
    }

    fn write_out(&mut self) -> io::Result<()> {
        if self.file_bytes + self.unwritten.len() > REWRITE_AT + 2 * self.live_bytes {
            return self.rewrite();
        }
        self.file.write_all(&self.unwritten)?;
        self.file.sync_data()?;
        self.file_bytes += self.unwritten.len();
        self.unwritten.clear();
        Ok(())
    }

    /// Only what is not over, in a fresh file that takes this one's place at once. Also mends a file
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

/// What earlier starts left alive, and the files it stands in. Files without any are removed; the others
/// stay until what they hold has been dealt with. A file with a line that nobody can read stays beside
/// them under another name, for people to look into.
///
/// # Errors
/// When the directory or a journal in it cannot be read.
pub fn left_behind(dir: &Path) -> Result<(LeftBehind, Vec<PathBuf>), StoreError> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
        .map_err(|e| StoreError::file(dir, e))?;
    files.retain(|path| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        name.starts_with("journal-") && name.ends_with(".jsonl")
    });
    // Named by their starts: the latest is last.
    files.sort();
    let (mut all, mut kept) = (Alive::default(), Vec::new());
    for path in files {
        let live = read(&path).map_err(|e| StoreError::file(&path, e))?;
        let is_kept = live.unread == 0 || keep_aside(&path, live.unread);
        if is_kept && live.calls.is_empty() && live.majors.is_empty() {
            fs::remove_file(&path).map_err(|e| StoreError::file(&path, e))?;
        } else if is_kept {
            kept.push(path);
        }
        all.calls.extend(live.calls);
        all.majors.extend(live.majors);
    }
    let mut calls: Vec<CallSnapshot> = all.calls.into_values().collect();
    calls.sort_by_key(|snapshot| snapshot.record.arrived_at);
    Ok((LeftBehind { calls, majors: all.majors.into_values().collect() }, kept))
}

/// What is not over at the end of a file.
#[derive(Default)]
struct Alive {
    calls: BTreeMap<CallId, CallSnapshot>,
    majors: BTreeMap<MajorId, MajorSnapshot>,
    /// Whole lines that could not be read: another version's, or a bad disk's.
    unread: u32,
}

/// Under this name no start reads the file again, and none removes it. False when the disk takes neither
/// a second name nor a copy: calls are served all the same, and the file stays where it is.
fn keep_aside(path: &Path, lines: u32) -> bool {
    let aside = path.with_extension("unread");
    let kept = match fs::hard_link(path, &aside) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::copy(path, &aside).map(|_| ()),
        _ => Ok(()),
    };
    let shown = if kept.is_ok() { &aside } else { path }.display().to_string();
    tracing::error!(
        path = shown,
        lines,
        "calls left by an earlier start cannot be read: look into this file whom to call back, then remove it"
    );
    kept.is_ok()
}

fn read(path: &Path) -> io::Result<Alive> {
    let mut live = Alive::default();
    let mut reader = BufReader::new(File::open(path)?);
    let mut text = Vec::new();
    while reader.read_until(b'\n', &mut text)? > 0 {
        match serde_json::from_slice(&text) {
            Ok(Line::Live(snapshot)) => {
                live.calls.insert(snapshot.call, *snapshot);
            }
            Ok(Line::Over(call)) => {
                live.calls.remove(&call);
            }
            Ok(Line::Major(snapshot)) => {
                live.majors.insert(snapshot.event, *snapshot);
            }
            Ok(Line::MajorOver(event)) => {
                live.majors.remove(&event);
            }
            Err(_) if text.ends_with(b"\n") => live.unread += 1,
            Err(error) => tracing::warn!(%error, "half a line ends the journal of a crash and is left out"),
        }
        text.clear();
    }
    Ok(live)
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
    use crate::store::samples::{major, snapshot};

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
        let (left, files) = left_behind(&dir.0).unwrap();
        assert_eq!(left.calls, [snapshot(1, "vital")]);
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
        assert_eq!(left_behind(&dir.0).unwrap().0.calls, [snapshot(1, "vital")]);
    }

    #[test]
    fn i21_a_journal_with_a_line_that_nobody_can_read_is_kept_aside_and_read_once() {
        let dir = Dir::new("unread");
        let foreign = "{\"live\":{\"version\":9,\"call\":\"elsewhere\"}}\n";
        for (epoch, calls) in [(1, 0), (2, 1)] {
            let mut journal = Journal::create(&dir.0, epoch).unwrap();
            for n in 0..calls {
                journal.snapshot(&snapshot(n, "vital"));
            }
            journal.unwritten.extend_from_slice(foreign.as_bytes());
            journal.flush().unwrap();
        }
        let (left, files) = left_behind(&dir.0).unwrap();
        assert_eq!(left.calls, [snapshot(0, "vital")], "it costs only itself");
        assert_eq!(files.len(), 1);
        // Whatever was dealt with is struck; killed before that, the next start reads it again.
        assert_eq!(left_behind(&dir.0).unwrap(), (left, files.clone()));
        fs::remove_file(&files[0]).unwrap();
        assert_eq!(left_behind(&dir.0).unwrap(), (LeftBehind::default(), Vec::new()));
        for epoch in [1, 2] {
            let aside = fs::read_to_string(dir.0.join(format!("journal-000000000{epoch}.unread"))).unwrap();
            assert!(aside.ends_with(foreign), "{aside}");
        }
    }

    #[test]
    fn a_restart_finds_the_last_word_on_every_major_event_that_is_not_over() {
        let dir = Dir::new("majors");
        let mut journal = Journal::create(&dir.0, 1).unwrap();
        journal.major(&major(1, 3));
        journal.major(&major(2, 3));
        journal.major(&major(1, 4));
        journal.forget_major(major(2, 0).event);
        journal.flush().unwrap();
        assert_eq!(left_behind(&dir.0).unwrap().0.majors, [major(1, 4)]);
        journal.rewrite().unwrap();
        assert_eq!(left_behind(&dir.0).unwrap().0.majors, [major(1, 4)]);
    }

    #[test]
    fn of_what_two_starts_say_of_a_call_the_later_counts() {
        let dir = Dir::new("twice");
        for (epoch, class) in [(1, "unqualified"), (2, "vital")] {
            let mut journal = Journal::create(&dir.0, epoch).unwrap();
            journal.snapshot(&snapshot(1, class));
            journal.flush().unwrap();
        }
        let (left, files) = left_behind(&dir.0).unwrap();
        assert_eq!((left.calls, files.len()), (vec![snapshot(1, "vital")], 2));
    }

    #[test]
    fn while_the_disk_is_full_nothing_piles_up_and_afterwards_all_that_lives_is_there() {
        let dir = Dir::new("full");
        let mut journal = Journal::create(&dir.0, 1).unwrap();
        journal.snapshot(&snapshot(1, "unqualified"));
        journal.flush().unwrap();
        journal.file = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        // A folder in the place of the fresh file: no other can be written either.
        let in_the_way = journal.path.with_extension("new");
        fs::create_dir(&in_the_way).unwrap();
        let of_one = line(&Written::Live(&snapshot(1, "vital"))).len();
        for _ in 0..100 {
            journal.snapshot(&snapshot(1, "vital"));
            journal.flush().unwrap_err();
            assert!(journal.unwritten.len() < of_one, "kept for ever: {}", journal.unwritten.len());
        }
        fs::remove_dir(&in_the_way).unwrap();
        journal.flush().unwrap();
        assert_eq!(left_behind(&dir.0).unwrap().0.calls, [snapshot(1, "vital")]);
    }

    #[test]
    fn a_journal_without_live_calls_is_removed() {
        let dir = Dir::new("empty");
        let mut journal = Journal::create(&dir.0, 1).unwrap();
        journal.snapshot(&snapshot(1, "vital"));
        journal.forget(snapshot(1, "").call);
        journal.flush().unwrap();
        assert_eq!(left_behind(&dir.0).unwrap(), (LeftBehind::default(), Vec::new()));
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
        assert_eq!(left_behind(&dir.0).unwrap().0.calls, [snapshot(7, "vital")]);
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
