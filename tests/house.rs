//! The house: invariants of ARCHITECTURE.md that the tree itself can show.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use commands::spec::From;

/// What does I/O, or is a platform.
const OF_THE_WORLD: [&str; 7] = ["axum", "reqwest", "serenity", "sim", "sqlx", "tokio", "twilight-gateway"];

/// Each library, and the folders that may use it.
const AT_HOME: [(&str, &[&str]); 4] = [
    ("reqwest::", &["src/okta/", "src/discord/"]),
    ("serenity::", &["src/discord/"]),
    ("sqlx::", &["src/store/"]),
    ("twilight_gateway::", &["src/discord/"]),
];

/// Names libraries only to keep their logs quiet.
const NAMES_THEM: &str = "src/telemetry.rs";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| path.to_owned())
}

/// Every file below a folder of the repository with this ending, by its path from the root.
fn files(folder: &str, ending: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|of| of == ending) {
                found.push(path.strip_prefix(root())?.to_string_lossy().into_owned());
            }
        }
    }
    anyhow::ensure!(!found.is_empty(), "{folder} holds no .{ending}");
    found.sort();
    Ok(found)
}

/// The lines of code that hold a word: comments may name anything.
fn lines_with(path: &str, word: &str) -> Result<Vec<String>> {
    let text = read(path)?;
    let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let found = code.filter(|(_, line)| line.contains(word));
    Ok(found.map(|(number, line)| format!("{path}:{}: {}", number + 1, line.trim())).collect())
}

#[test]
fn domain_and_commands_know_neither_io_nor_a_platform() -> Result<()> {
    for package in ["domain", "commands"] {
        let manifest: toml::Table = read(&format!("{package}/Cargo.toml"))?.parse()?;
        let dependencies = manifest["dependencies"].as_table().context("dependencies")?;
        for name in dependencies.keys() {
            assert!(!OF_THE_WORLD.contains(&name.as_str()), "{package} depends on {name}");
        }
    }
    Ok(())
}

#[test]
fn domain_and_commands_touch_nothing_through_the_standard_library() -> Result<()> {
    let mut found = Vec::new();
    for package in ["domain", "commands"] {
        for file in files(package, "rs")? {
            for module in ["std::env", "std::fs", "std::io", "std::net", "std::process", "std::thread"] {
                found.extend(lines_with(&file, module)?);
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn each_library_stays_in_its_folder() -> Result<()> {
    let mut strays = Vec::new();
    for file in files("src", "rs")?.iter().filter(|file| *file != NAMES_THEM) {
        for (library, homes) in AT_HOME {
            if !homes.iter().any(|home| file.starts_with(home)) {
                strays.extend(lines_with(file, library)?);
            }
        }
    }
    assert!(strays.is_empty(), "libraries used outside their folder:\n{}", strays.join("\n"));
    Ok(())
}

#[test]
fn nothing_in_domain_is_serialised() -> Result<()> {
    let mut found = Vec::new();
    for file in files("domain", "rs")? {
        found.extend(lines_with(&file, "Serialize")?);
        found.extend(lines_with(&file, "sqlx")?);
    }
    assert!(found.is_empty(), "domain is written down by its own types:\n{}", found.join("\n"));
    Ok(())
}

#[test]
fn links_between_documents_lead_somewhere() -> Result<()> {
    let mut lost = Vec::new();
    for document in documents()? {
        let folder = PathBuf::from(&document).parent().map(Path::to_owned).unwrap_or_default();
        let text = read(&document)?;
        for rest in text.split("](").skip(1) {
            let target = rest.split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            if !root().join(&folder).join(file).exists() {
                lost.push(format!("{document} links to {target}"));
            }
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
    Ok(())
}

/// The documents at the root, and those of folders that have one.
fn documents() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            found.push(name);
        }
    }
    let below = ["benches/README.md", "docs/siem.md", "tests/fixtures/okta/keys/README.md"];
    found.extend(below.into_iter().filter(|path| root().join(path).exists()).map(str::to_owned));
    anyhow::ensure!(found.iter().any(|name| name == "README.md"), "there is no README.md");
    Ok(found)
}

#[test]
fn every_command_stands_in_the_readme_with_its_role() -> Result<()> {
    let readme = read("README.md")?;
    for spec in commands::specs() {
        let called = match spec.from {
            From::Slash => format!("| `/okta {}", spec.name),
            From::MessageMenu => format!("| “{}”", spec.name),
            From::ButtonOnly => continue,
        };
        let row = readme.lines().find(|line| line.starts_with(&called));
        let row = row.with_context(|| format!("README.md has no row that begins with {called}"))?;
        let role = spec.role.map_or("everyone", commands::spec::Role::word);
        assert!(row.contains(&format!("| {role} |")), "{row} should say {role}");
        for option in spec.options {
            assert!(row.contains(option.name), "{row} lacks the option {}", option.name);
        }
    }
    Ok(())
}
