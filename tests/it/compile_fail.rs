//! What must not compile does not, for the reason that it states.
//!
//! Each program in `tests/compile_fail` says on its `//~` lines what has to be in the compiler's
//! answer, beginning with the code of the one error where it has one. And each has a second half,
//! for a feature `repaired`, which differs in that error only, and compiles: so none fails for a
//! typo.
//!
//! Not trybuild, which compares whole answers: these change with the compiler, with the wording of
//! std and with where std's sources lie. Nor `compile_fail,E0277` on examples, since the stable
//! toolchain does not look at the code. The lines here hold on every toolchain since 1.85; there is
//! nothing to refresh.

#![cfg(not(miri))]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The names and texts of the programs.
fn programs() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut programs: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_string();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    programs.sort();
    programs
}

/// Writes a crate whose programs they are, outside of this one, and returns where.
fn crate_of(programs: &[(String, String)]) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(&root).unwrap();
    let mut manifest = format!(
        "[package]\nname = 'programs'\nversion = '0.0.0'\nedition = '2024'\n\n[workspace]\n\n\
         [features]\nrepaired = []\n\n[dependencies]\nmanyhands = {{ path = '{}' }}\n",
        own.display()
    );
    for (name, _) in programs {
        let path = own.join("tests/compile_fail").join(name);
        write!(manifest, "\n[[bin]]\nname = '{name}'\npath = '{}.rs'\n", path.display()).unwrap();
    }
    fs::write(root.join("Cargo.toml"), manifest).unwrap();
    // The versions that this build has, too: they are at hand without a network.
    if let Ok(lock) = fs::read(own.join("Cargo.lock")) {
        fs::write(root.join("Cargo.lock"), lock).unwrap();
    }
    root
}

fn check(root: &Path, features: &str) -> Output {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--offline", "--bins", "--keep-going", "--message-format=json"])
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(root.join("target"))
        .args(["--features", features])
        // Not those of a sanitizer, nor of a model.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The errors in the program `name`, as they are shown.
fn errors(output: &str, name: &str) -> Vec<String> {
    let target = format!(r#""name":"{name}""#);
    let lines = output.lines().filter(|line| line.contains(&target));
    lines.filter_map(rendered).filter(|text| text.starts_with("error")).collect()
}

/// The text of a message of cargo's. Its parts have none of their own.
fn rendered(message: &str) -> Option<String> {
    let (_, text) = message.split_once(r#""rendered":""#)?;
    let mut characters = text.chars();
    let mut rendered = String::new();
    loop {
        match characters.next()? {
            '"' => return Some(rendered),
            '\\' => match characters.next()? {
                'n' => rendered.push('\n'),
                other => rendered.push(other),
            },
            other => rendered.push(other),
        }
    }
}

/// The codes of errors, of those that have one.
fn codes(errors: &[String]) -> BTreeSet<&str> {
    errors.iter().filter_map(|error| error.strip_prefix("error[")?.get(..5)).collect()
}

/// What is wrong with the compiler's answer to a program.
fn complaints(program: &str, errors: &[String]) -> Vec<String> {
    let expected: Vec<&str> =
        program.lines().filter_map(|line| line.strip_prefix("//~ ")).collect();
    let is_code = |word: &&str| word.len() == 5 && word.starts_with("E0");
    let code = expected[0].split(' ').next().filter(is_code);
    let mut complaints = Vec::new();
    if errors.is_empty() {
        complaints.push(String::from("it compiles"));
    }
    if codes(errors) != code.into_iter().collect() {
        complaints.push(format!("the codes are {:?}, not {code:?}", codes(errors)));
    }
    for text in expected {
        let text = code.map_or(text, |code| text.trim_start_matches(code).trim());
        if !errors.iter().any(|error| error.contains(text)) {
            complaints.push(format!("nothing says: {text}"));
        }
    }
    complaints
}

#[test]
fn programs_that_must_not_compile_do_not_for_the_stated_reason() {
    let programs = programs();
    assert!(programs.len() > 20);
    let root = crate_of(&programs);

    let repaired = check(&root, "repaired");
    let messages = String::from_utf8_lossy(&repaired.stderr);
    let answers = String::from_utf8_lossy(&repaired.stdout);
    for (name, _) in &programs {
        assert_eq!(errors(&answers, name).concat(), "", "repaired, {name} should compile");
    }
    assert!(repaired.status.success(), "{messages}");

    let broken = check(&root, "");
    let answers = String::from_utf8_lossy(&broken.stdout);
    let mut report = String::new();
    for (name, program) in &programs {
        let errors = errors(&answers, name);
        for complaint in complaints(program, &errors) {
            writeln!(report, "{name}: {complaint}\n{}", errors.concat()).unwrap();
        }
    }
    assert!(report.is_empty(), "{report}");
}
