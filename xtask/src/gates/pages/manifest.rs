//! The manifests of packages that are made of pages.

use std::path::Path;

/// How pages name a crate of ours: there is no release yet.
const GIT: &str = "git = \"https://github.com/codex-api/codex-api\"";

/// A workspace that builds its dependencies as ours does, so that they are there already.
pub(super) fn of_workspace(members: &[&str]) -> String {
    format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n\n[profile.dev]\ndebug = \"line-tables-only\"\n")
}

/// The package `name` with the dependencies that `page` prints; those of ours come from `root`.
pub(super) fn of_page(name: &str, page: &str, root: &Path) -> Result<String, String> {
    let mut manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\npublish = false\n\n");
    let block = block(page).ok_or("no block of TOML says what the programs of the page depend on")?;
    for line in block.lines() {
        manifest.push_str(&from_here(line, root)?);
        manifest.push('\n');
    }
    Ok(manifest)
}

/// The first block of TOML.
fn block(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("\n```toml\n")?;
    Some(rest.split_once("\n```\n")?.0)
}

/// The line with our own folder in the place of the repository.
fn from_here(line: &str, root: &Path) -> Result<String, String> {
    let Some((before, after)) = line.split_once(GIT) else {
        let is_elsewhere = line.contains("git =");
        return if is_elsewhere { Err(format!("`{line}` names another repository")) } else { Ok(line.to_owned()) };
    };
    let name = before.split('=').next().unwrap_or_default().trim();
    // A literal string: a path may have backslashes.
    Ok(format!("{before}path = '{}'{after}", root.join("crates").join(name).display()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{GIT, of_page, of_workspace};

    fn check(page: &str, expected: Result<&str, &str>) {
        let made = of_page("p", page, Path::new("/w"));
        let expected = expected.map(|lines| {
            format!("[package]\nname = \"p\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n{lines}\n")
        });
        assert_eq!(made.map(|text| text.replace('\\', "/")), expected.map_err(str::to_owned), "{page}");
    }

    #[test]
    fn crates_of_ours_come_from_the_checkout_with_the_features_of_the_page() {
        let page = |lines: &str| format!("Text.\n\n```toml\n[dependencies]\n{lines}\n```\n\nMore.\n");
        let ours = page(&format!("leaf = {{ {GIT}, features = [\"io\"] }} # why"));
        check(&ours, Ok("leaf = { path = '/w/crates/leaf', features = [\"io\"] } # why"));
        check(&page("tokio = { version = \"1\" }"), Ok("tokio = { version = \"1\" }"));
        let other = "leaf = { git = \"https://example.org/leaf\" }";
        check(&page(other), Err("`leaf = { git = \"https://example.org/leaf\" }` names another repository"));
    }

    #[test]
    fn a_page_that_says_nothing_of_its_dependencies_is_an_error() {
        check("Text.\n", Err("no block of TOML says what the programs of the page depend on"));
        check("\n```toml\nname", Err("no block of TOML says what the programs of the page depend on"));
    }

    #[test]
    fn members_are_listed() {
        assert!(of_workspace(&["a", "b"]).contains("\nmembers = [\"a\", \"b\"]\n"));
    }
}
