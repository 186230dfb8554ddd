//! Records of ended calls in SQLite: one row a call, whatever is tried again.

use super::StoreError;
use engine::call::record::Record;
use rusqlite::{Connection, OpenFlags, params};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The columns figures are made of, and the whole record beside them.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS record (
        call        TEXT PRIMARY KEY,
        centre      INTEGER NOT NULL,
        arrived_ms  INTEGER NOT NULL,
        ended_ms    INTEGER,
        service     TEXT NOT NULL,
        class       TEXT,
        cause       TEXT,
        waited_ms   INTEGER NOT NULL,
        talked_ms   INTEGER NOT NULL,
        whole       TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS record_arrived ON record (centre, arrived_ms);
";

/// The records' database.
pub struct Records {
    connection: Connection,
}

impl Records {
    /// Opens the database, which is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be opened or is no database of ours.
    pub fn open(path: &Path) -> Result<Records, StoreError> {
        let open = || {
            let connection = Connection::open(path)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(SCHEMA)?;
            Ok(connection)
        };
        open()
            .map(|connection| Records { connection })
            .map_err(|source| StoreError::Records { path: path.to_owned(), source })
    }

    /// Opens a database that is there, to read beside whoever writes it.
    ///
    /// # Errors
    /// When it is not there or is no database of ours.
    pub fn read(path: &Path) -> Result<Records, StoreError> {
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map(|connection| Records { connection })
            .map_err(|source| StoreError::Records { path: path.to_owned(), source })
    }

    /// Hands every whole record to `each` as one line of JSON, in the order of arrival: those that came
    /// at `since` or later and before `until`.
    ///
    /// # Errors
    /// What SQLite says, or `each`.
    pub fn export(
        &self,
        since: Option<SystemTime>,
        until: Option<SystemTime>,
        mut each: impl FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        const SELECT: &str = "SELECT whole FROM record WHERE arrived_ms >= ?1 AND arrived_ms < ?2 \
             ORDER BY arrived_ms, call";
        let mut statement = self.connection.prepare(SELECT)?;
        let (from, to) = (since.map_or(i64::MIN, milliseconds), until.map_or(i64::MAX, milliseconds));
        let mut rows = statement.query([from, to])?;
        while let Some(row) = rows.next()? {
            each(row.get_ref(0)?.as_str()?)?;
        }
        Ok(())
    }

    /// Saves all of them, or none. A record saved before stays as it was.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn save(&mut self, records: &[Record]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT OR IGNORE INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?;
            for record in records {
                let class =
                    record.qualifications.last().map(|q| &q.class).or(record.stages.last().map(|s| &s.class));
                let cause = record.cause.and_then(|cause| serde_json::to_value(cause).ok());
                insert.execute(params![
                    record.call.to_string(),
                    record.call.centre.0,
                    milliseconds(record.arrived),
                    record.ended.map(milliseconds),
                    record.service,
                    class,
                    cause.as_ref().and_then(|c| c.as_str()),
                    i64::try_from(record.waited.as_millis()).unwrap_or(i64::MAX),
                    i64::try_from(record.talked.as_millis()).unwrap_or(i64::MAX),
                    serde_json::to_string(record).unwrap_or_default(), // plain data: cannot fail
                ])?;
            }
        }
        transaction.commit()
    }
}

fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::record;

    #[test]
    fn records_come_out_in_the_order_of_arrival_between_two_moments() {
        let path = std::env::temp_dir().join(format!("bandeau-export-{}.sqlite", std::process::id()));
        let _ = std::fs::remove_file(&path);
        assert!(Records::read(&path).is_err(), "reading makes no database");
        let mut records = Records::open(&path).unwrap();
        records.save(&[record(3), record(1), record(2)]).unwrap();
        let beside = Records::read(&path).unwrap();
        let export = |since: Option<u64>, until: Option<u64>| {
            let at = |n: u64| UNIX_EPOCH + std::time::Duration::from_secs(1_000 + n);
            let mut lines = Vec::new();
            beside
                .export(since.map(at), until.map(at), |line| {
                    lines.push(serde_json::from_str::<Record>(line)?.call.serial.0);
                    Ok(())
                })
                .unwrap();
            lines
        };
        assert_eq!(export(None, None), [1, 2, 3]);
        assert_eq!(export(Some(2), None), [2, 3], "at the very moment it counts");
        assert_eq!(export(None, Some(2)), [1], "and before the other");
        drop((records, beside));
        let _ = std::fs::remove_file(&path);
    }

    #[test]
    fn a_record_saved_twice_is_one_row_and_stays_as_it_was() {
        let path = std::env::temp_dir().join(format!("bandeau-records-{}.sqlite", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let mut records = Records::open(&path).unwrap();
        let mut changed = record(1);
        changed.service = "other".to_owned();
        records.save(&[record(1), record(2)]).unwrap();
        records.save(&[changed]).unwrap();
        let rows = |sql: &str| records.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(rows("SELECT count(*) FROM record"), 2);
        assert_eq!(rows("SELECT count(*) FROM record WHERE service = 'samu'"), 2);
        let whole: String =
            records.connection.query_row("SELECT whole FROM record LIMIT 1", [], |row| row.get(0)).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&whole).unwrap(), record(1));
        drop(records);
        let _ = std::fs::remove_file(&path);
    }
}
