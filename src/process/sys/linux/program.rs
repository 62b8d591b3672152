//! Functions by their place in the program, which is the same in every process that runs it.
//!
//! ```text
//!   sender                         receiver
//!   ──────                         ────────
//!   function - anchor ─── offset ──► anchor + offset
//!                                   lies within the code that the anchor is in, or is refused
//! ```

#![expect(unsafe_code, reason = "asks the loader for the program, and turns places into functions")]

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::slice;
use std::sync::OnceLock;

use crate::process::entry::Entry;

/// Where the code of this crate lies, and what tells this build from another.
#[derive(Debug, Default)]
struct Program {
    code: Range<usize>,
    build: Vec<u8>,
    /// The table of functions that run before `main`, if the loader knows it.
    constructors: Range<usize>,
}

/// How far `entry` lies from the anchor.
pub(in crate::process) fn offset_of(entry: Entry) -> i64 {
    (entry as usize).wrapping_sub(anchor()) as i64
}

/// The function that lies so far from the anchor, if there is code at all.
pub(in crate::process) fn entry_at(offset: i64) -> Option<Entry> {
    let place = anchor().wrapping_add(offset as usize);
    // SAFETY: whoever sent the offset runs the same build, as the handshake has shown, and took it of
    // an `Entry`; it is the process that started this one, and as trusted as the program itself.
    program().code.contains(&place).then(|| unsafe { std::mem::transmute::<usize, Entry>(place) })
}

/// Bytes that are the same for the same build only.
pub(in crate::process) fn build() -> &'static [u8] {
    &program().build
}

/// The constructors that come after the one at `place` in the loader's table.
pub(super) fn constructors_after(place: usize) -> Range<usize> {
    let all = program().constructors.clone();
    let next = place + size_of::<usize>();
    if all.contains(&place) { next..all.end } else { 0..0 }
}

fn anchor() -> usize {
    program as fn() -> &'static Program as usize
}

fn program() -> &'static Program {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mut program = Program::default();
        let data = (&raw mut program).cast::<c_void>();
        // SAFETY: `look` is called during this call only, with the pointer to our own `program`.
        unsafe { libc::dl_iterate_phdr(Some(look), data) };
        // For a build without an identity of its own.
        program.build.extend((anchor() - program.code.start).to_le_bytes());
        program.build.extend(program.code.len().to_le_bytes());
        program
    })
}

/// Notes what is to know of a part of this process, if our code is in it, and then ends the search.
// SAFETY: `program` hands it to the loader, which calls it with what is said below.
unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, data: *mut c_void) -> c_int {
    // SAFETY: the loader gives a description that is valid during the call.
    let info = unsafe { &*info };
    // SAFETY: so is its table of segments.
    let segments = unsafe { slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let place = |segment: &libc::Elf64_Phdr| {
        let start = (info.dlpi_addr as usize).wrapping_add(segment.p_vaddr as usize);
        start..start + segment.p_memsz as usize
    };
    let is_ours = |segment: &&libc::Elf64_Phdr| {
        segment.p_type == libc::PT_LOAD
            && segment.p_flags & libc::PF_X != 0
            && place(segment).contains(&anchor())
    };
    let Some(code) = segments.iter().find(is_ours) else { return 0 };
    // SAFETY: `program` called with this pointer, and waits.
    let program = unsafe { &mut *data.cast::<Program>() };
    program.code = place(code);
    for segment in segments {
        match segment.p_type {
            libc::PT_NOTE => {
                let Range { start, end } = place(segment);
                // SAFETY: a segment of notes is mapped, and never written to.
                let notes = unsafe { slice::from_raw_parts(start as *const u8, end - start) };
                program.build.extend_from_slice(notes);
            }
            libc::PT_DYNAMIC => {
                let Range { start, end } = place(segment);
                let len = (end - start) / size_of::<[usize; 2]>();
                // SAFETY: the dynamic section is mapped, an array of pairs of words, and the loader
                // has written to it what it ever writes.
                let table = unsafe { slice::from_raw_parts(start as *const [usize; 2], len) };
                let value = |tag| table.iter().find(|it| it[0] == tag).map_or(0, |it| it[1]);
                let start = (info.dlpi_addr as usize).wrapping_add(value(INIT_ARRAY));
                program.constructors = start..start + value(INIT_ARRAY_SIZE);
            }
            _ => {}
        }
    }
    1
}

const INIT_ARRAY: usize = 25;
const INIT_ARRAY_SIZE: usize = 27;
