//! What holds for the sources and no compiler checks: that modules import downwards only, and that
//! `unsafe`, `cfg`, borrowed crates, memory orderings and length stay where they were put.
//!
//! Every check takes text, and stands beside planted violations that it must find.

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/doors.rs"]
mod doors;
#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/length.rs"]
mod length;
#[path = "tidy/lexer.rs"]
mod lexer;
#[path = "tidy/orderings.rs"]
mod orderings;
#[path = "tidy/unsafety.rs"]
mod unsafety;

use std::fs;
use std::path::Path;

use code::Code;

/// The files below `src` that contain `unsafe`, sorted. A new one is worth a second thought.
const INVENTORY: &[&str] = &[
    "channel/parcel.rs",
    "cpu.rs",
    "fork.rs",
    "job/half.rs",
    "job/mod.rs",
    "join.rs",
    "map/collect.rs",
    "map/gather.rs",
    "map/sweep.rs",
    "memory.rs",
    "pages.rs",
    "process/entry.rs",
    "process/sys/linux/program.rs",
    "process/sys/linux/settle.rs",
    "process/sys/linux/takeover.rs",
    "process/sys/linux/tape.rs",
    "process/sys/linux/turnstile.rs",
    "scheduler/crew.rs",
    "scheduler/current.rs",
    "scheduler/joins.rs",
    "scheduler/places.rs",
    "scheduler/seat.rs",
    "scheduler/waiting.rs",
    "scope/handle.rs",
    "scope/queue.rs",
    "scope/ring.rs",
    "scope/tasks.rs",
    "shared/array.rs",
    "shared/held.rs",
    "source/chunks.rs",
    "source/contract.rs",
    "source/enumerate.rs",
    "source/integers.rs",
    "source/owned.rs",
    "source/slices.rs",
    "source/trial.rs",
    "source/windows.rs",
    "source/zip.rs",
    "task/block.rs",
    "task/cell.rs",
    "task/handle.rs",
    "task/ticket.rs",
    "wait/latch.rs",
];

#[test]
fn modules_import_only_from_floors_below() {
    none(sources().iter().flat_map(floors::violations));
}

#[test]
fn unsafe_is_announced_and_explained() {
    none(sources().iter().flat_map(unsafety::violations));
}

#[test]
fn the_unsafe_inventory_is_complete() {
    none(unsafety::differences(&sources(), INVENTORY));
}

#[test]
fn cfg_and_borrowed_crates_stay_behind_their_doors() {
    none(sources().iter().flat_map(doors::violations));
}

#[test]
fn files_and_functions_stay_short() {
    none(sources().iter().flat_map(length::violations));
}

#[test]
fn every_ordering_has_its_reason() {
    none(sources().iter().flat_map(orderings::violations));
}

fn none(violations: impl IntoIterator<Item = String>) {
    let violations: Vec<String> = violations.into_iter().collect();
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

/// Every Rust file below `src`, sorted by path.
fn sources() -> Vec<Code> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(sources.iter().any(|code| code.path == "lib.rs"), "{root:?} has no lib.rs");
    sources
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Code>) {
    let entries = fs::read_dir(folder).expect("a folder below src can be listed");
    for entry in entries {
        let path = entry.expect("a folder below src can be listed").path();
        if path.is_dir() {
            collect(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source can be read");
            let name = path.strip_prefix(root).expect("it lies below src");
            sources.push(Code::new(&name.to_string_lossy().replace('\\', "/"), &text));
        }
    }
}
