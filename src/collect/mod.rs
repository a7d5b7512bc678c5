//! Everything that touches the network or a process. It reaches the rest only through messages of `model::link`.

pub mod asking;
pub mod cancel;
pub mod clock;
pub mod import;
pub mod inventory;
mod jumps;
pub mod known_hosts;
pub mod kube;
pub mod node;
pub mod options;
mod outlet;
pub mod pool;
pub mod replay;
pub mod route;
pub mod ssh_config;
pub mod supervisor;
pub mod targets;
pub mod transport;
mod wildcard;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::probes::mask::Masker;

/// What a mutex holds, also after a panic of another thread.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The masker of one run, with a key that nobody else has and that is stored nowhere.
///
/// # Errors
/// Where the system has no random numbers.
pub fn masker() -> Result<Masker, openssl::error::ErrorStack> {
    let mut key = [0; 32];
    openssl::rand::rand_bytes(&mut key)?;
    Ok(Masker::new(key))
}
