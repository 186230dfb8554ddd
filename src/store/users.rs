//! Who may sign in: accounts with their passwords as Argon2id hashes, in `STATE/users.sqlite`.
//!
//! Written by `bandeau user`, read at each sign-in of a running engine: an account that is added or
//! removed counts at once. Deliberately absent: a password in readable form, anywhere.

use super::{StoreError, epoch};
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Shortest password, in characters: shorter ones are guessed from a stolen file.
pub const PASSWORD_MIN: usize = 12;
/// Longest password, in bytes. More costs memory to whoever floods us, and protects nobody.
pub const PASSWORD_MAX: usize = 256;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS account (
        name      TEXT PRIMARY KEY,
        role      TEXT NOT NULL,
        centre    TEXT,
        agent     TEXT,
        password  TEXT NOT NULL,
        stamp     INTEGER NOT NULL
    ) STRICT;
";

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Answers calls.
    Agent,
    /// A doctor: answers calls too.
    Regulator,
    /// Watches and steers.
    Supervisor,
    /// Configures; may do what a supervisor may.
    Administrator,
    /// Looks, with numbers masked.
    Observer,
}

impl Role {
    /// Every role, by its name.
    pub const ALL: [(&'static str, Role); 5] = [
        ("agent", Role::Agent),
        ("regulator", Role::Regulator),
        ("supervisor", Role::Supervisor),
        ("administrator", Role::Administrator),
        ("observer", Role::Observer),
    ];

    /// Whether somebody of this role speaks with callers, and so is an agent of the configuration.
    pub fn answers(self) -> bool {
        matches!(self, Role::Agent | Role::Regulator)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Role::ALL.iter().find(|(_, role)| role == self).map_or("", |(name, _)| name);
        f.pad(name)
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        let found = Role::ALL.iter().find(|(name, _)| *name == text).map(|(_, role)| *role);
        found.ok_or_else(|| "agent, regulator, supervisor, administrator or observer".to_owned())
    }
}

/// One person, or one screen on a wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name typed at sign-in, and the author of commands.
    pub name: String,
    /// What it opens.
    pub role: Role,
    /// The only centre it opens; `None`: every centre.
    pub centre: Option<String>,
    /// The agent of the configuration it speaks for.
    pub agent: Option<String>,
    /// Another one at every change: a session that began before it is over.
    pub stamp: i64,
}

/// Why an account cannot be added or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The password.
    #[error("a password has {PASSWORD_MIN} characters or more, and {PASSWORD_MAX} bytes at most")]
    Password,
    /// The name.
    #[error("a name has 1 to 64 letters, digits, `-`, `_` or `.`")]
    Name,
    /// There is one of the name.
    #[error("there is an account `{0}` already: remove it first, or change its password")]
    Exists(String),
    /// There is none of the name.
    #[error("there is no account `{0}`")]
    Unknown(String),
    /// The hash could not be made.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
    /// The operating system gave no chance.
    #[error("the system gives no random numbers: {0}")]
    Chance(String),
    /// The database.
    #[error("the accounts cannot be used")]
    Database(#[from] rusqlite::Error),
}

/// The accounts' database.
pub struct Users {
    connection: Connection,
    /// What a password is compared with when nobody has the name: the answer takes as long.
    nobody: String,
}

impl Users {
    /// Opens the database, which is made, with its directory, when it is not there.
    ///
    /// # Errors
    /// When it cannot be opened or is no database of ours.
    pub fn open(path: &Path) -> Result<Users, StoreError> {
        if let Some(dir) = path.parent() {
            epoch::create_private(dir).map_err(|e| StoreError::file(dir, e))?;
        }
        let open = || {
            let connection = Connection::open(path)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.busy_timeout(std::time::Duration::from_secs(2))?;
            connection.execute_batch(SCHEMA)?;
            Ok(connection)
        };
        let connection = open().map_err(|source| StoreError::Users { path: path.to_owned(), source })?;
        // Without a hash to compare with, an unknown name would answer faster: nobody opens nothing.
        let nobody = hash("nobody has this password").unwrap_or_default();
        Ok(Users { connection, nobody })
    }

    /// Adds an account.
    ///
    /// # Errors
    /// A name or password that does not fit, or a name that is taken.
    pub fn add(&mut self, account: &Account, password: &str) -> Result<(), AccountError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let name = &account.name;
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
            return Err(AccountError::Name);
        }
        let (hash, stamp) = (checked_hash(password)?, stamp()?);
        let added = self.connection.execute(
            "INSERT OR IGNORE INTO account VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![name, account.role.to_string(), account.centre, account.agent, hash, stamp],
        )?;
        if added == 0 { Err(AccountError::Exists(name.clone())) } else { Ok(()) }
    }

    /// Changes a password; sessions opened with the old one end.
    ///
    /// # Errors
    /// A password that does not fit, or a name nobody has.
    pub fn set_password(&mut self, name: &str, password: &str) -> Result<(), AccountError> {
        let (hash, stamp) = (checked_hash(password)?, stamp()?);
        let sql = "UPDATE account SET password = ?2, stamp = ?3 WHERE name = ?1";
        match self.connection.execute(sql, params![name, hash, stamp])? {
            0 => Err(AccountError::Unknown(name.to_owned())),
            _ => Ok(()),
        }
    }

    /// Removes an account; its sessions end.
    ///
    /// # Errors
    /// A name nobody has.
    pub fn remove(&mut self, name: &str) -> Result<(), AccountError> {
        match self.connection.execute("DELETE FROM account WHERE name = ?1", [name])? {
            0 => Err(AccountError::Unknown(name.to_owned())),
            _ => Ok(()),
        }
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn list(&self) -> Result<Vec<Account>, AccountError> {
        let sql = "SELECT name, role, centre, agent, stamp FROM account ORDER BY name";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], account)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The stamp of every account: what sessions are held against.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn stamps(&self) -> Result<HashMap<String, i64>, AccountError> {
        Ok(self.list()?.into_iter().map(|account| (account.name, account.stamp)).collect())
    }

    /// The account that opens with this name and password. Takes as long whether the name, the
    /// password or both are wrong; meant to be slow (tens of milliseconds of one core).
    ///
    /// # Errors
    /// What SQLite says.
    pub fn check(&self, name: &str, password: &str) -> Result<Option<Account>, AccountError> {
        let sql = "SELECT name, role, centre, agent, stamp, password FROM account WHERE name = ?1";
        let found = self
            .connection
            .prepare_cached(sql)?
            .query_row([name], |row| Ok((account(row)?, row.get::<_, String>(5)?)))
            .optional()?;
        let (found, hash) = found.map_or((None, self.nobody.clone()), |(found, hash)| (Some(found), hash));
        let is_right = password.len() <= PASSWORD_MAX
            && Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok();
        Ok(found.filter(|_| is_right))
    }
}

/// The first five columns of a row.
fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let role = row.get::<_, String>(1)?.parse().map_err(|wrong: String| {
        rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, wrong.into())
    })?;
    Ok(Account { name: row.get(0)?, role, centre: row.get(2)?, agent: row.get(3)?, stamp: row.get(4)? })
}

fn checked_hash(password: &str) -> Result<String, AccountError> {
    if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX {
        return Err(AccountError::Password);
    }
    hash(password)
}

fn hash(password: &str) -> Result<String, AccountError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| AccountError::Hash(error.to_string()))
}

fn stamp() -> Result<i64, AccountError> {
    let chance = getrandom::u64().map_err(|error| AccountError::Chance(error.to_string()))?;
    Ok((chance >> 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "correct horse battery";

    fn users(name: &str) -> (Users, std::path::PathBuf) {
        let dir = std::env::temp_dir().join(format!("bandeau-users-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        (Users::open(&dir.join("users.sqlite")).unwrap(), dir)
    }

    fn nour() -> Account {
        let agent = Some("nour".to_owned());
        Account { name: "nour".to_owned(), role: Role::Agent, centre: None, agent, stamp: 0 }
    }

    #[test]
    fn only_the_name_with_its_password_opens() {
        let (mut users, dir) = users("opens");
        users.add(&nour(), GOOD).unwrap();
        let opened = users.check("nour", GOOD).unwrap().expect("opens");
        assert_eq!((opened.role, opened.agent.as_deref()), (Role::Agent, Some("nour")));
        for (name, password) in [("nour", "correct horse batter"), ("nour", ""), ("alex", GOOD), ("", GOOD)] {
            assert_eq!(users.check(name, password).unwrap(), None, "{name} {password}");
        }
        assert_eq!(users.check("nobody", "nobody has this password").unwrap(), None);
        let file = std::fs::read(dir.join("users.sqlite")).unwrap();
        let wal = std::fs::read(dir.join("users.sqlite-wal")).unwrap_or_default();
        for kept in [file, wal] {
            assert!(!kept.windows(GOOD.len()).any(|part| part == GOOD.as_bytes()), "in readable form");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_changed_password_is_another_stamp_and_the_old_one_opens_no_more() {
        let (mut users, dir) = users("changed");
        users.add(&nour(), GOOD).unwrap();
        let before = users.stamps().unwrap();
        users.set_password("nour", "another good password").unwrap();
        assert_ne!(before, users.stamps().unwrap());
        assert!(users.check("nour", GOOD).unwrap().is_none());
        assert!(users.check("nour", "another good password").unwrap().is_some());
        users.remove("nour").unwrap();
        assert!(users.check("nour", "another good password").unwrap().is_none());
        assert!(matches!(users.remove("nour"), Err(AccountError::Unknown(_))));
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn names_and_passwords_that_do_not_fit_are_refused() {
        let (mut users, dir) = users("fit");
        let named = |name: &str| Account { name: name.to_owned(), ..nour() };
        assert!(matches!(users.add(&nour(), "too short"), Err(AccountError::Password)));
        assert!(matches!(users.add(&nour(), &"x".repeat(257)), Err(AccountError::Password)));
        assert!(matches!(users.add(&named("no spaces"), GOOD), Err(AccountError::Name)));
        users.add(&nour(), GOOD).unwrap();
        assert!(matches!(users.add(&nour(), GOOD), Err(AccountError::Exists(_))));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
