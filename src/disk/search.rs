//! The files of a folder tree.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folders within folders are followed this far.
const DEPTH: usize = 64;
/// Of a larger tree the rest is an error.
const FILES: usize = 1_000_000;

/// One file, or what could not be looked into.
pub type Found = Result<PathBuf, (PathBuf, io::Error)>;

/// The wanted files below a folder, sorted by path; `None` where the path is no folder. Hidden names are left
/// out, linked folders are not entered, and what is neither a file nor a link to one is passed over.
///
/// # Errors
/// Where there is nothing under that name, or nobody may look at it.
pub fn files(root: &Path, wanted: &dyn Fn(&Path) -> bool) -> io::Result<Option<Vec<Found>>> {
    if !fs::metadata(root)?.is_dir() {
        return Ok(None);
    }
    let mut found = Vec::new();
    let mut folders = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        match look(&folder, wanted) {
            Ok((files, below)) => {
                found.extend(files.into_iter().map(Ok));
                if depth < DEPTH {
                    folders.extend(below.into_iter().map(|folder| (folder, depth + 1)));
                } else if !below.is_empty() {
                    found.push(Err((
                        folder,
                        io::Error::other("too many folders in folders"),
                    )));
                }
            }
            Err(error) => found.push(Err((folder, error))),
        }
        if found.len() > FILES {
            let error = io::Error::other(format!("more than {FILES} files"));
            found.push(Err((root.to_path_buf(), error)));
            break;
        }
    }
    found.sort_by(|a, b| path(a).cmp(path(b)));
    Ok(Some(found))
}

fn path(found: &Found) -> &Path {
    match found {
        Ok(path) | Err((path, _)) => path,
    }
}

/// The files and the folders in one folder.
fn look(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            folders.push(path);
        } else if wanted(&path) {
            // A link that leads nowhere is kept, so that reading it tells.
            let target = if kind.is_symlink() {
                fs::metadata(&path).ok().map(|meta| meta.file_type())
            } else {
                Some(kind)
            };
            if target.is_none_or(|kind| kind.is_file()) {
                files.push(path);
            }
        }
    }
    Ok((files, folders))
}
