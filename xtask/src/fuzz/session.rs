//! Building the targets and running them. Everything that this writes is in the build output.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::FOLDER;
use super::report::Report;
use crate::{nightly, workspace::Workspace};

pub(super) struct Session<'a> {
    workspace: &'a Workspace,
    /// Below the workspace's own output: another toolchain with other flags.
    output: PathBuf,
    /// The platform, whose name is a folder of the output.
    host: String,
}

impl<'a> Session<'a> {
    pub(super) fn new(workspace: &'a Workspace) -> Result<Self, String> {
        let version = nightly::cargo(&workspace.root, &["--version", "--verbose"])
            .output()
            .map_err(|error| format!("rustup did not start: {error}"))?;
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or("the nightly toolchain does not name its host")?.trim().to_owned();
        Ok(Self { workspace, output: workspace.target_folder()?.join("fuzz"), host })
    }

    /// Builds one target, or all of them at once.
    pub(super) fn build(&self, target: Option<&str>) -> Result<(), String> {
        let mut command = nightly::cargo(&self.workspace.root, &["fuzz", "build", "--fuzz-dir", FOLDER]);
        command.arg("--target-dir").arg(&self.output).args(target);
        let status = command.status().map_err(|error| format!("rustup did not start: {error}"))?;
        if status.success() {
            return Ok(());
        }
        let what = target.map_or("the fuzz targets were".to_owned(), |name| format!("the fuzz target `{name}` was"));
        Err(format!("{what} not built: {status}"))
    }

    /// Runs a target, beginning with its seeds and with what earlier runs found of interest.
    pub(super) fn fuzz(&self, target: &str, seconds: u32) -> Result<Report, String> {
        let log = self.folder("logs")?.join(format!("{target}.log"));
        let problem = |error| format!("{}: {error}", log.display());
        let file = File::create(&log).map_err(problem)?;
        let mut command = Command::new(self.program(target));
        command
            .current_dir(&self.workspace.root)
            .arg(self.folder(&format!("corpus/{target}"))?)
            .arg(format!("{FOLDER}/seeds/{target}"))
            .arg(format!("-max_total_time={seconds}"))
            // With its separator: libFuzzer puts it before the names of files as it is.
            .arg(format!("-artifact_prefix={}/", self.folder(&format!("artifacts/{target}"))?.display()))
            .args(["-print_final_stats=1", "-timeout=20", "-rss_limit_mb=2048"])
            // As cargo-fuzz does: two crates with the same library are no mistake.
            .env("ASAN_OPTIONS", "detect_odr_violation=0")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file);
        let begin = Instant::now();
        let status = command.status().map_err(|error| format!("the target `{target}` did not start: {error}"))?;
        let said = fs::read(&log).map_err(problem)?;
        Ok(Report::new(status, begin.elapsed().as_secs(), &String::from_utf8_lossy(&said)))
    }

    /// What to do with an input that broke a property.
    pub(super) fn how_to_reproduce(&self, target: &str, report: &Report) -> String {
        let log = self.output.join("logs").join(format!("{target}.log"));
        let Some(input) = &report.input else { return format!("  log:       {}", log.display()) };
        format!(
            "  input:     {input}\n  log:       {}\n  again:     {} {input}\n  as a test: cp {input} {FOLDER}/seeds/{target}/ && \
             cargo test -p codex-tests --test fuzz_seeds",
            log.display(),
            self.program(target).display(),
        )
    }

    fn program(&self, target: &str) -> PathBuf {
        let name = format!("{target}{}", std::env::consts::EXE_SUFFIX);
        self.output.join(&self.host).join("release").join(name)
    }

    /// A folder of the output, made if need be.
    fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.output.join(name);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }
}
