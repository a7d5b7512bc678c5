//! Files: capped reads and atomic writes with mode 0600. The only home of `std::fs`.

#![expect(
    clippy::disallowed_methods,
    reason = "the home of std::fs: every bound is here"
)]

mod seal;
mod search;
pub mod sign;
pub mod snapshot;

pub use search::files;

use std::fs;
use std::io::{self, Read as _, Write};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Reads at most `cap` bytes.
///
/// # Errors
/// As opening and reading do; [`io::ErrorKind::FileTooLarge`] where the file is longer.
pub fn read(path: &Path, cap: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let taken = fs::File::open(path)?.take(cap + 1).read_to_end(&mut out)?;
    if taken as u64 > cap {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("longer than {cap} bytes"),
        ));
    }
    Ok(out)
}

/// Reads a text file of at most `cap` bytes; invalid UTF-8 is an error.
///
/// # Errors
/// As [`read`]; [`io::ErrorKind::InvalidData`] for bytes that are not UTF-8.
pub fn read_text(path: &Path, cap: u64) -> io::Result<String> {
    String::from_utf8(read(path, cap)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

/// Opens a file for streaming reads.
///
/// # Errors
/// As opening does.
pub fn open(path: &Path) -> io::Result<fs::File> {
    fs::File::open(path)
}

/// When a file was last changed, and its length: two equal answers mean that it need not be read again.
pub fn stamp(path: &Path) -> Option<(std::time::SystemTime, u64)> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

/// Whether a name leads to a regular file, which can be read more than once; a pipe cannot.
///
/// # Errors
/// As looking at it does.
pub fn is_regular(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.is_file())
}

/// Whether something exists under that name.
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// Writes a file whole or not at all: a temporary file beside it, mode 0600, synced, then renamed.
///
/// # Errors
/// As creating, writing and renaming do; what was there before is untouched then.
pub fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let temporary = beside(path)?;
    let outcome = (|| {
        let file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        let mut buffered = io::BufWriter::new(file);
        fill(&mut buffered)?;
        let file = buffered
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if outcome.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    outcome
}

/// Makes a folder and its parents, mode 0700.
///
/// # Errors
/// As creating does.
pub fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Puts `new` in the place of a text file that still says `old`, whole or not at all. A link stays a link, and the
/// file keeps its mode and its owner.
///
/// # Errors
/// As reading and [`write()`] do, also where it cannot be given to its owner again; [`io::ErrorKind::ResourceBusy`] where
/// it says something else by now, and [`io::ErrorKind::InvalidInput`] where it is no regular file, or has a second
/// name, which would go on to say `old`.
pub fn replace(path: &Path, old: &str, new: &str) -> io::Result<()> {
    let real = fs::canonicalize(path)?;
    let meta = fs::metadata(&real)?;
    let refused = |what| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    if !meta.is_file() {
        return refused("it is no regular file");
    }
    if meta.nlink() > 1 {
        return refused("it has another name, a hard link, which would keep the old text");
    }
    let mode = meta.permissions();
    let temporary = beside(&real)?;
    write(&temporary, |out| out.write_all(new.as_bytes()))?;
    let own = (meta.uid(), meta.gid());
    // Whoever gives a file away loses the bits of its mode that lend rights: the mode comes last.
    let outcome = keep_owner(&temporary, own).and_then(|()| {
        fs::set_permissions(&temporary, mode)?;
        if fs::read(&real)? != old.as_bytes() {
            return Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "it was changed meanwhile",
            ));
        }
        fs::rename(&temporary, &real)
    });
    if outcome.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    outcome
}

fn keep_owner(path: &Path, (uid, gid): (u32, u32)) -> io::Result<()> {
    let made = fs::metadata(path)?;
    if (made.uid(), made.gid()) == (uid, gid) {
        return Ok(());
    }
    std::os::unix::fs::chown(path, Some(uid), Some(gid))
}

fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a file name"))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(temporary))
}
