//! Known hosts by their list of files, read once and again when a file has changed.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::collect::known_hosts::{KnownHosts, own};

/// How long the files are taken as unchanged without a look: a fleet has the same list for every node.
const FRESH: Duration = Duration::from_secs(1);

/// Bad lines that are told of one reading.
const COMPLAINTS: usize = 10;

/// All lists of files in use.
#[derive(Default)]
pub(super) struct Trust {
    lists: Mutex<HashMap<Vec<PathBuf>, Read>>,
    complaints: Mutex<Vec<String>>,
}

struct Read {
    looked: Instant,
    /// How often a key had been kept by then.
    kept: u64,
    stamps: Stamps,
    known: Arc<KnownHosts>,
}

impl Trust {
    /// The lines of these files as they are now.
    pub fn known(&self, files: &[PathBuf]) -> Arc<KnownHosts> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = lists.get_mut(files) {
            if read.looked.elapsed() < FRESH && read.kept == own::kept() {
                return Arc::clone(&read.known);
            }
            if read.stamps == stamps(files) {
                read.looked = Instant::now();
                read.kept = own::kept();
                return Arc::clone(&read.known);
            }
        }
        // Stamps first: a change during the reading is then seen by the next look.
        let read = Read {
            looked: Instant::now(),
            kept: own::kept(),
            stamps: stamps(files),
            known: Arc::new(KnownHosts::read(files)),
        };
        let known = Arc::clone(&read.known);
        let complaints = known.skipped().iter().take(COMPLAINTS);
        self.untold().extend(complaints.map(ToString::to_string));
        lists.insert(files.to_vec(), read);
        known
    }

    /// What could not be used, since the last time of asking.
    pub fn complaints(&self) -> Vec<String> {
        std::mem::take(&mut *self.untold())
    }

    fn untold(&self) -> MutexGuard<'_, Vec<String>> {
        self.complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// When each file was last changed, and its length.
pub(super) type Stamps = Vec<Option<(SystemTime, u64)>>;

/// The files as they are now.
pub(super) fn stamps(files: &[PathBuf]) -> Stamps {
    files.iter().map(|file| crate::disk::stamp(file)).collect()
}
