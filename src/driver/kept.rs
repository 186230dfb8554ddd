//! Something read from files, and read again when they change; what cannot be used leaves what was
//! there before.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// Between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What one file looked like: when it changed, how long it is.
type Look = Option<(SystemTime, u64)>;

/// How it is made of its files.
type Read<T> = Box<dyn Fn() -> anyhow::Result<Arc<T>> + Send + Sync>;

/// The value in force and the files it comes from.
pub(super) struct Kept<T> {
    files: Vec<PathBuf>,
    read: Read<T>,
    current: RwLock<Arc<T>>,
    looked: Mutex<Vec<Look>>,
}

impl<T: Send + Sync + 'static> Kept<T> {
    /// Reads it the first time.
    ///
    /// # Errors
    /// What is wrong with which file, in words for the operator.
    pub(super) fn load(files: Vec<PathBuf>, read: Read<T>) -> anyhow::Result<Arc<Kept<T>>> {
        let looked = looks(&files); // before reading: a change in between is seen later
        let current = read()?;
        let (current, looked) = (RwLock::new(current), Mutex::new(looked));
        Ok(Arc::new(Kept { files, read, current, looked }))
    }

    /// Reads the files again if they have changed.
    ///
    /// # Errors
    /// As [`Kept::load`]; the value before stays in use.
    pub(super) fn look(&self) -> anyhow::Result<bool> {
        let looks = looks(&self.files);
        {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            if *looked == looks {
                return Ok(false);
            }
            *looked = looks;
        }
        let fresh = (self.read)()?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(true)
    }

    pub(super) fn current(&self) -> Arc<T> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks again and again.
    pub(super) async fn keep_looking(self: Arc<Kept<T>>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let kept = Arc::clone(&self);
            // Away from this thread: a disk may stall.
            match tokio::task::spawn_blocking(move || kept.look()).await {
                Ok(Ok(true)) => tracing::info!("the certificate has been loaded again"),
                Ok(Err(error)) => {
                    tracing::error!(error = format!("{error:#}"), "the certificate before stays in use");
                }
                Ok(Ok(false)) | Err(_) => {}
            }
        }
    }
}

fn looks(files: &[PathBuf]) -> Vec<Look> {
    let look = |path: &PathBuf| {
        let about = std::fs::metadata(path).ok()?;
        Some((about.modified().ok()?, about.len()))
    };
    files.iter().map(look).collect()
}
