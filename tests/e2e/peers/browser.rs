//! Chromium without a window.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// Said to every run: no sandbox, because the administrator of a container may run this; nothing but the page.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
];

/// Whom the browser itself asks now and then, whatever page it shows.
const ITS_OWN: &[&str] = &["google.com", "googleapis.com", "gvt1.com"];

/// The browser, with a folder for what it needs.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    program: PathBuf,
    folder: PathBuf,
    pictures: PathBuf,
}

/// What a browser looks like to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// What came of a page.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The document, after everything has run.
    pub(crate) document: String,
    /// What stands on the console, a line each.
    pub(crate) console: Vec<String>,
    /// Addresses that were asked.
    pub(crate) requests: Vec<String>,
}

impl Browser {
    /// The browser in `program`. Screenshots go to `pictures`, everything else to `folder`.
    pub(crate) fn new(program: &Path, folder: &Path, pictures: &Path) -> Result<Self, String> {
        fs::create_dir_all(pictures).map_err(|error| format!("{}: {error}", pictures.display()))?;
        Ok(Self { program: program.into(), folder: folder.into(), pictures: pictures.into() })
    }

    /// Opens a page and tells what it came to.
    pub(crate) async fn open(&self, name: &str, html: &str) -> Seen {
        let log = self.folder.join(name).with_extension("net.json");
        let args = ["--dump-dom".to_owned(), format!("--log-net-log={}", log.display())];
        let (document, said) = self.run(name, html, &args).await;
        let console = said.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
        let log = fs::read_to_string(&log).expect("a log of the network");
        Seen { document, console, requests: requests(&log) }
    }

    /// Opens a page of that width and keeps a picture of it, whose size it tells.
    pub(crate) async fn picture(
        &self,
        name: &str,
        html: &str,
        (width, height): (u32, u32),
        scheme: Scheme,
    ) -> (u32, u32) {
        let path = self.pictures.join(name).with_extension("png");
        let scheme = match scheme {
            Scheme::Dark => 0,
            Scheme::Light => 1,
        };
        let args = [
            format!("--screenshot={}", path.display()),
            format!("--window-size={width},{height}"),
            format!("--blink-settings=preferredColorScheme={scheme}"),
        ];
        self.run(name, html, &args).await;
        let png = fs::read(&path).expect("a picture");
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
        // Width and height stand first in the first chunk (PNG, section 11.2.1).
        (number(16), number(20))
    }

    /// What the browser wrote to its two outputs.
    async fn run(&self, name: &str, html: &str, args: &[String]) -> (String, String) {
        let page = self.folder.join(name).with_extension("html");
        fs::write(&page, html).expect("the page is written");
        let profile = tempfile::tempdir_in(&self.folder).expect("a folder for the profile");
        let output = Command::new(&self.program)
            .args(FLAGS)
            .args(args)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("file://{}", page.display()))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("the browser starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{}: {said}", output.status);
        (String::from_utf8_lossy(&output.stdout).into_owned(), said)
    }
}

/// The addresses in a log of the network, but for those of the browser.
fn requests(log: &str) -> Vec<String> {
    let addresses = log.split("\"url\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let is_foreign = |address: &&str| {
        let host = address.split("://").nth(1).unwrap_or_default().split(['/', ':']).next().unwrap_or_default();
        !host.is_empty() && !ITS_OWN.iter().any(|own| host == *own || host.ends_with(&format!(".{own}")))
    };
    addresses.filter(is_foreign).map(str::to_owned).collect()
}
