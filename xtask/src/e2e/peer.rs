//! The peers: where they are, and how they get there.

use std::env;
use std::path::{Path, PathBuf};

use super::command::CommandLine;

/// Pinned, because its answers are what is checked.
const AIMOCK: &str = "@copilotkit/aimock@1.43.0";

/// Where systems keep servers without naming it in everybody's `PATH`.
const SERVER_FOLDERS: &[&str] = &["/usr/sbin", "/usr/local/sbin"];

/// A program of others.
#[derive(Debug)]
pub(super) struct Peer {
    /// As in `--only`.
    pub(super) name: &'static str,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    /// This package of Debian and its descendants, with a program of one of these names.
    System(&'static str, &'static [&'static str]),
    /// This package of npm, in a folder of the build output.
    Npm(&'static str),
}

pub(super) const PEERS: &[Peer] = &[
    Peer { name: "nginx", origin: Origin::System("nginx-light", &["nginx"]) },
    Peer { name: "haproxy", origin: Origin::System("haproxy", &["haproxy"]) },
    Peer { name: "aimock", origin: Origin::Npm(AIMOCK) },
    Peer { name: "browser", origin: Origin::System("chromium", &["chromium", "chromium-browser", "google-chrome"]) },
];

impl Peer {
    /// The program, or the script of an npm package, if it is installed.
    pub(super) fn find(&self, folder: &Path) -> Option<PathBuf> {
        match self.origin {
            Origin::System(_, programs) => {
                let path = env::var_os("PATH").unwrap_or_default();
                let folders: Vec<_> = env::split_paths(&path).chain(SERVER_FOLDERS.iter().map(PathBuf::from)).collect();
                let places = programs.iter().flat_map(|name| {
                    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
                    folders.iter().map(move |folder| folder.join(&name))
                });
                places.into_iter().find(|program| program.is_file())
            }
            Origin::Npm(package) => {
                let (name, _) = package.rsplit_once('@')?;
                let script = npm_folder(folder, package).join("node_modules").join(name).join("dist").join("cli.js");
                script.is_file().then_some(script)
            }
        }
    }

    /// The command that installs it.
    pub(super) fn how_to_install(&self, folder: &Path) -> CommandLine {
        match self.origin {
            Origin::System(package, _) => {
                let words = ["apt-get", "install", "--yes", "--no-install-recommends", package];
                CommandLine::new(words).by_administrator()
            }
            Origin::Npm(package) => {
                let folder = npm_folder(folder, package).display().to_string();
                CommandLine::new([
                    "npm",
                    "install",
                    "--no-save",
                    "--no-audit",
                    "--no-fund",
                    "--prefix",
                    &folder,
                    package,
                ])
            }
        }
    }

    /// Installs it and sees to it that it is there.
    pub(super) fn install(&self, folder: &Path) -> Result<(), String> {
        let command = self.how_to_install(folder);
        command.run()?;
        match self.find(folder) {
            Some(_) => Ok(()),
            None => Err(format!("`{command}` did not bring {}", self.name)),
        }
    }
}

/// With the version in its name, so that another version is installed anew.
fn npm_folder(folder: &Path, package: &str) -> PathBuf {
    folder.join(package.replace(['@', '/'], "-").trim_start_matches('-'))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{AIMOCK, PEERS, npm_folder};

    #[test]
    fn every_peer_says_how_it_is_installed() {
        for (peer, expected) in PEERS.iter().zip(["nginx-light", "haproxy", AIMOCK, "chromium"]) {
            assert!(peer.how_to_install(Path::new("x")).to_string().ends_with(expected), "{}", peer.name);
        }
    }

    #[test]
    fn packages_of_npm_have_a_folder_for_each_version() {
        assert_eq!(npm_folder(Path::new("x"), "@a/b@1.2"), Path::new("x").join("a-b-1.2"));
        assert_eq!(PEERS[2].find(Path::new("no-such-folder")), None);
    }
}
