//! The number of this start: higher than every earlier one, so that no id is ever given twice.

use super::StoreError;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Takes the next epoch of the directory, which is created when it is not there (readable by its
/// owner only). The number is on the disk before it is used.
///
/// # Errors
/// When the directory or its `epoch` file cannot be written, or the file holds no number.
pub fn next_epoch(dir: &Path) -> Result<u32, StoreError> {
    create_private(dir).map_err(|e| StoreError::file(dir, e))?;
    let path = dir.join("epoch");
    let last = match fs::read_to_string(&path) {
        Ok(text) => text
            .trim()
            .parse::<u32>()
            .map_err(|e| StoreError::file(&path, std::io::Error::new(std::io::ErrorKind::InvalidData, e)))?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => 0,
        Err(e) => return Err(StoreError::file(&path, e)),
    };
    let next = last + 1;
    let write = || {
        let fresh = dir.join("epoch.new");
        let mut file = File::create(&fresh)?;
        writeln!(file, "{next}")?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|e| StoreError::file(&path, e))?;
    Ok(next)
}

/// The directory, when it is not there: readable by its owner only.
pub(super) fn create_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_has_a_higher_number() {
        let dir = tempdir("epoch");
        assert_eq!(next_epoch(&dir).unwrap(), 1);
        assert_eq!(next_epoch(&dir).unwrap(), 2);
        fs::write(dir.join("epoch"), "not a number").unwrap();
        assert!(next_epoch(&dir).is_err(), "a damaged number is never guessed");
        fs::remove_dir_all(dir).unwrap();
    }

    fn tempdir(name: &str) -> std::path::PathBuf {
        let dir = std::env::temp_dir().join(format!("bandeau-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        dir
    }
}
