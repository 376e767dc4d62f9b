//! Standalone executables: this test's own executable is the template.
//!
//! A copy of it with a program linked in is run with the name of the test
//! `a_linked_copy_runs_its_program`, which does nothing in an executable without a program.

mod program;

use std::path::{Path, PathBuf};
use std::process::Command;

use cranelift::module::default_libcall_names;
use cranelift::object::{ObjectBuilder, ObjectModule};
use kcc::codegen::debuginfo;
use kcc::codegen::link::{LinkError, link};
use kcc_runtime::image::{self, ImageError};
use object::read::elf::ElfFile64;
use object::{LittleEndian, Object, ObjectSection, ObjectSymbol};

fn object() -> Vec<u8> {
    let isa = program::isa(true);
    let builder = ObjectBuilder::new(isa, "router.cfg", default_libcall_names()).unwrap();
    let mut module = ObjectModule::new(builder);
    let functions = program::build(&mut module, true);
    let isa = program::isa(true);
    let mut product = module.finish();
    let functions: Vec<_> = functions
        .into_iter()
        .map(|(id, function)| (product.function_symbol(id), function))
        .collect();
    let sources = program::sources();
    debuginfo::add_to_object(&mut product.object, &*isa, &functions, &sources).unwrap();
    product.emit().unwrap()
}

fn template() -> Vec<u8> {
    std::fs::read(std::env::current_exe().unwrap()).unwrap()
}

/// A file that is gone when the test ends, unless `KCC_KEEP` is set.
struct Executable(PathBuf);

impl Executable {
    fn new(name: &str, bytes: &[u8]) -> Executable {
        use std::os::unix::fs::PermissionsExt;
        let name = format!("kcc-link-{name}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        Executable(path)
    }

    /// Runs the program in it; what it says.
    fn run(&self) -> String {
        let output = Command::new(&self.0)
            .args(["--exact", "a_linked_copy_runs_its_program", "--nocapture"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{}\n{text}\n{errors}",
            output.status
        );
        text
    }
}

impl Drop for Executable {
    fn drop(&mut self) {
        if std::env::var_os("KCC_KEEP").is_none() {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

fn strip(how: &str, bytes: &[u8]) -> Vec<u8> {
    let file = Executable::new(&how[2..], bytes);
    let status = Command::new("strip").arg(how).arg(&file.0).status();
    assert!(status.expect("strip, of binutils, is installed").success());
    std::fs::read(&file.0).unwrap()
}

#[test]
fn a_linked_copy_runs_its_program() {
    let Some(found) = image::find() else {
        return;
    };
    let nothing = found.load(&|_| None).unwrap_err();
    let names = ["seven", "observe"].map(str::to_owned);
    match nothing {
        ImageError::MissingImports(mut missing) => {
            missing.sort();
            assert_eq!(missing, [names[1].clone(), names[0].clone()]);
        }
        other => panic!("{other}"),
    }

    let loaded = found.load(&program::resolve).unwrap();
    assert_eq!(loaded.manifest, program::MANIFEST);
    assert_eq!(loaded.entries.len(), 2);
    // SAFETY: the first entry is `route[MAIN]`, which takes and returns an integer.
    let main: extern "C" fn(i64) -> i64 = unsafe { std::mem::transmute(loaded.entries[0]) };
    assert_eq!(main(5), program::expected(5));
    assert_eq!(main(5), program::expected(10), "the counter is kept");
    assert_eq!(
        found.load(&program::resolve).unwrap_err(),
        ImageError::AlreadyLoaded
    );
    println!("the program ran\n{}", program::SEEN.lock().unwrap());
}

#[test]
fn the_program_runs_and_its_backtrace_names_routes_and_lines() {
    let linked = link(&template(), &object()).unwrap();
    let said = Executable::new("whole", &linked).run();
    for expected in [
        "the program ran",
        "route[SUB]",
        "router.cfg:13",
        "route[MAIN]",
        "router.cfg:8",
        // Beyond the routes.
        "link::a_linked_copy_runs_its_program",
    ] {
        assert!(said.contains(expected), "{expected} is not in:\n{said}");
    }
}

#[test]
fn a_template_without_debugging_information_will_do() {
    let linked = link(&strip("--strip-debug", &template()), &object()).unwrap();
    let said = Executable::new("no-debug", &linked).run();
    for expected in [
        "the program ran",
        "route[SUB]",
        "router.cfg:13",
        "link::program::observe",
    ] {
        assert!(said.contains(expected), "{expected} is not in:\n{said}");
    }
}

#[test]
fn a_template_without_symbols_will_do() {
    let linked = link(&strip("--strip-all", &template()), &object()).unwrap();
    let said = Executable::new("no-symbols", &linked).run();
    for expected in ["the program ran", "route[SUB]", "router.cfg:13"] {
        assert!(said.contains(expected), "{expected} is not in:\n{said}");
    }
}

#[test]
fn an_executable_can_be_stripped() {
    let linked = link(&template(), &object()).unwrap();
    for how in ["--strip-debug", "--strip-all"] {
        let said = Executable::new("stripped", &strip(how, &linked)).run();
        assert!(said.contains("the program ran"), "{said}");
    }
}

#[test]
fn a_template_without_room_gets_its_program_headers_moved() {
    let mut template = template();
    // The note that is room, by its lengths, type and owner: a type that no one knows.
    let note = b"\x04\0\0\0\0\x01\0\0\x01\0\0\0kcc\0";
    let at = template.windows(note.len()).position(|bytes| bytes == note);
    template[at.unwrap() + 8] = 2;
    let linked = link(&template, &object()).unwrap();
    let said = Executable::new("moved", &linked).run();
    for expected in ["the program ran", "route[SUB]", "router.cfg:13"] {
        assert!(said.contains(expected), "{expected} is not in:\n{said}");
    }
}

#[test]
fn symbols_are_added_to_the_templates_table() {
    let template = template();
    let linked = link(&template, &object()).unwrap();
    let before = ElfFile64::<LittleEndian>::parse(&*template).unwrap();
    let after = ElfFile64::<LittleEndian>::parse(&*linked).unwrap();
    let count = before.symbols().count();
    assert_eq!(
        after.symbols().take(count).map(|s| s.name()).last(),
        before.symbols().map(|s| s.name()).last()
    );
    for route in ["route[MAIN]", "route[SUB]"] {
        let symbol = after.symbols().find(|s| s.name() == Ok(route)).unwrap();
        let section = after.section_by_index(symbol.section_index().unwrap());
        assert_eq!(section.unwrap().name(), Ok(".kcc.text"));
        assert!(symbol.size() > 0);
    }
}

#[test]
fn linking_is_reproducible_and_gives_an_own_build_id() {
    let (template, object) = (template(), object());
    let linked = link(&template, &object).unwrap();
    assert_eq!(linked, link(&template, &object).unwrap());
    let id = |bytes: &[u8]| {
        let file = ElfFile64::<LittleEndian>::parse(bytes).unwrap();
        file.build_id().unwrap().map(<[u8]>::to_vec)
    };
    let (old, new) = (id(&template), id(&linked));
    assert_eq!(old.is_some(), new.is_some());
    assert!(old.is_none() || old != new);
}

#[test]
fn what_cannot_be_linked_is_refused() {
    let (template, object) = (template(), object());
    let linked = link(&template, &object).unwrap();
    assert!(matches!(
        link(&linked, &object),
        Err(LinkError::Template("it already holds a program"))
    ));
    let other = std::fs::read("/bin/true").unwrap();
    assert!(matches!(
        link(&other, &object),
        Err(LinkError::Template("it has no image slot"))
    ));
    assert!(matches!(
        link(&object, &object),
        Err(LinkError::Template("not position-independent"))
    ));
    let mut arm = object.clone();
    arm[18] = object::elf::EM_AARCH64 as u8;
    let error = link(&template, &arm).unwrap_err().to_string();
    assert_eq!(
        error,
        "the object file is for aarch64; executables can be built for x86-64 only"
    );
}

#[test]
fn a_file_that_is_cut_short_is_an_error() {
    let (template, object) = (template(), object());
    for len in (0..object.len()).step_by(97) {
        assert!(link(&template, &object[..len]).is_err(), "{len} bytes");
    }
    for part in 0..10 {
        let len = template.len() * part / 10;
        assert!(link(&template[..len], &object).is_err(), "{len} bytes");
    }
}
