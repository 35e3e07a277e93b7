//! The official PowerShell, pinned by its SHA-256.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};

use crate::{files, repo};

const VERSION: &str = "7.6.4";

/// Platform and SHA-256 of its archive.
const ARCHIVES: &[(&str, &str)] = &[
    (
        "linux-x64",
        "4471b5a36bfe86ec7af8525d36bb1cacba0128e7aac22d05cc064bc00e604721",
    ),
    (
        "linux-arm64",
        "d4ef2382fa452f2ccbdb48a01adbbce9ed64954872123970c16be6d086d1224b",
    ),
    (
        "osx-arm64",
        "fff37135307d3a57038adb44eded6c3b4dcd2e254382f4913bc253499ef3469d",
    ),
    (
        "osx-x64",
        "b58e4b96dbdca20c058d4462f33509d386c0d768751344611bc04aaf32e4187c",
    ),
];

/// No release is nearly as large.
const LARGEST: u64 = 512 << 20;

/// Where the download for a platform is unpacked.
pub fn folder(platform: &str) -> PathBuf {
    repo::target()
        .join("tools")
        .join(format!("powershell-{VERSION}-{platform}"))
}

/// Downloads, checks and unpacks; returns the folder with `pwsh`.
pub fn powershell(platform: &str) -> Result<PathBuf> {
    let Some((_, hash)) = ARCHIVES.iter().find(|(name, _)| *name == platform) else {
        bail!("no official archive is pinned for {platform}");
    };
    let url = format!(
        "https://github.com/PowerShell/PowerShell/releases/download/v{VERSION}/powershell-{VERSION}-{platform}.tar.gz"
    );
    let folder = folder(platform);
    eprintln!("> downloading {url}");
    fetch(&url, hash, &folder).with_context(|| format!("{url} could not be used"))?;
    Ok(folder)
}

fn fetch(url: &str, hash: &str, folder: &Path) -> Result<()> {
    let parent = folder.parent().context("the folder has a parent")?;
    let scratch = files::fresh(&parent.join(format!("download.{}.tmp", std::process::id())))?;
    let result = fetch_through(url, hash, folder, &scratch);
    let _ = fs::remove_dir_all(&scratch);
    result
}

fn fetch_through(url: &str, hash: &str, folder: &Path, scratch: &Path) -> Result<()> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_resolve(Some(Duration::from_secs(20)))
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_global(Some(Duration::from_secs(900)))
        .build()
        .into();
    let mut response = agent.get(url).call()?;
    let mut body = response.body_mut().with_config().limit(LARGEST).reader();
    let archive = scratch.join("archive.tar.gz");
    let actual = save(&mut body, &archive)?;
    if actual != hash {
        bail!("the download's SHA-256 is {actual} instead of {hash}; it was thrown away");
    }
    // Nothing is unpacked before the whole archive is known to be the right one.
    let unpacked = scratch.join("unpacked");
    fs::create_dir(&unpacked)?;
    tar::Archive::new(GzDecoder::new(File::open(&archive)?)).unpack(&unpacked)?;
    make_executable(&unpacked.join("pwsh"))?;
    if let Err(error) = fs::rename(&unpacked, folder) {
        // Another process may have been first.
        if !folder.join("pwsh").is_file() {
            return Err(error).with_context(|| folder.display().to_string());
        }
    }
    Ok(())
}

/// Writes a stream to a file and returns its SHA-256.
fn save(from: &mut impl Read, to: &Path) -> Result<String> {
    let mut file = File::create(to)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 64 << 10];
    loop {
        let size = match from.read(&mut block) {
            Ok(0) => break,
            Ok(size) => size,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        hash.update(&block[..size]);
        file.write_all(&block[..size])?;
    }
    file.flush()?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).with_context(|| path.display().to_string())
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn archive() -> (Vec<u8>, String) {
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        let mut header = tar::Header::new_gnu();
        let content = b"#!/bin/sh\n";
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, "pwsh", &content[..]).unwrap();
        let bytes = tar.into_inner().unwrap().finish().unwrap();
        let hash = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        (bytes, hash)
    }

    /// Answers one request with these bytes.
    fn serve(bytes: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/powershell.tar.gz", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                bytes.len()
            )
            .unwrap();
            stream.write_all(&bytes).unwrap();
        });
        url
    }

    fn sandbox(name: &str) -> PathBuf {
        files::fresh(&std::env::temp_dir().join(format!("umpin-download-{name}-{}", std::process::id()))).unwrap()
    }

    #[test]
    fn unpacks_what_has_the_pinned_hash() {
        let base = sandbox("good");
        let (bytes, hash) = archive();
        fetch(&serve(bytes), &hash, &base.join("tool")).unwrap();
        assert_eq!(fs::read(base.join("tool/pwsh")).unwrap(), b"#!/bin/sh\n");
        assert_eq!(files::below(&base).unwrap(), [PathBuf::from("tool/pwsh")]);
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn throws_away_what_has_another_hash() {
        let base = sandbox("bad");
        let (bytes, _) = archive();
        let error = fetch(&serve(bytes), ARCHIVES[0].1, &base.join("tool")).unwrap_err();
        assert!(error.to_string().contains("SHA-256"), "{error:#}");
        assert!(files::below(&base).unwrap().is_empty());
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn a_refused_connection_is_an_error() {
        let base = sandbox("refused");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(fetch(&format!("http://127.0.0.1:{port}/x"), "", &base.join("tool")).is_err());
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn every_pin_is_a_sha256() {
        for (platform, hash) in ARCHIVES {
            assert!(
                hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{platform}"
            );
        }
    }
}
