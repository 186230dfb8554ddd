//! Lists the pages built into `web/dist` for `src/driver/assets.rs`, so that the binary carries
//! them. Without that directory the list is empty and the binary says how to build it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let dist = root.join("web/dist");
    let mut files = Vec::new();
    if dist.is_dir() {
        collect(&dist, &mut files)?;
    }
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&dist).map_err(io::Error::other)?;
        // Writing to a string cannot fail.
        let _ = writeln!(list, "    ({:?}, include_bytes!({:?})),", format!("/{}", name.display()), file);
    }
    list.push(']');
    fs::write(out.join("pages.rs"), list)?;
    println!("cargo::rerun-if-changed=build.rs");
    // Cargo takes a path that is not there for one that has always just changed: only the nearest
    // that exists is watched.
    println!("cargo::rerun-if-changed={}", if dist.is_dir() { "web/dist" } else { "web" });
    Ok(())
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
