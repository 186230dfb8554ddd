//! Sounds: what callers may be played, already cut into frames of both laws.

use std::path::Path;

/// Every sound a plane can play, by name. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sounds {}

/// Why a directory of sounds cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SoundError {
    /// The directory, or a file of it, cannot be read.
    #[error("cannot read sound `{path}`")]
    Read {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Sounds {
    /// The sounds compiled into the program.
    pub fn embedded() -> Sounds {
        Sounds {}
    }

    /// Adds the `*.wav` files of a directory; a file named as an embedded sound replaces it.
    ///
    /// # Errors
    /// The directory cannot be read, or one of its files is not 8 kHz mono A-law, mu-law or 16 bit.
    pub fn with_directory(self, directory: &Path) -> Result<Sounds, SoundError> {
        std::fs::read_dir(directory)
            .map_err(|source| SoundError::Read { path: directory.to_owned(), source })?;
        Ok(self)
    }

    /// Whether a sound of this name can be played: a dialplan is checked against it at load.
    pub fn has(&self, _name: &str) -> bool {
        false
    }
}
