//! What the library exports: each function through the boundary, nothing but
//! the functions of the header, and only from builds that unwind.

mod c;

use c::{declared, libraries, output, root, run, rustc};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use syn::{Attribute, Expr, File, Item, ItemFn, Stmt};

/// All functions of the crate that C could call, with the file each is in.
fn exported() -> Vec<(PathBuf, ItemFn)> {
    let mut found = Vec::new();
    for path in sources(&root().join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let file: File =
            syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        collect(&file.items, &mut |item| match item {
            Item::Fn(function) if is_exported(function) => {
                found.push((path.clone(), function.clone()));
            }
            Item::Static(item) if has_symbol(&item.attrs) => {
                panic!("{}: a static is exported: {}", path.display(), item.ident)
            }
            _ => (),
        });
        // What a macro makes is out of sight here, and so of cbindgen.
        let words =
            text.matches("no_mangle").count() + text.matches("export_name").count();
        let here = found.iter().filter(|(file, _)| *file == path).count();
        assert_eq!(words, here, "{}: an export is hidden in a macro", path.display());
    }
    assert!(!found.is_empty());
    found
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Visits items, those of inline modules as well.
fn collect(items: &[Item], visit: &mut impl FnMut(&Item)) {
    for item in items {
        visit(item);
        if let Item::Mod(module) = item {
            if let Some((_, items)) = &module.content {
                collect(items, visit);
            }
        }
    }
}

fn has_symbol(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = match &attribute.meta {
            syn::Meta::List(list) => list.tokens.to_string(),
            meta => meta.path().get_ident().map(ToString::to_string).unwrap_or_default(),
        };
        text.contains("no_mangle") || text.contains("export_name")
    })
}

fn is_exported(function: &ItemFn) -> bool {
    has_symbol(&function.attrs)
}

/// `ptr::null()` or `ptr::null_mut()`.
fn is_null(call: &syn::ExprCall) -> bool {
    let name = match &*call.func {
        Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    };
    call.args.is_empty() && matches!(name.as_deref(), Some("null" | "null_mut"))
}

/// Why the body of an export is not one call of the boundary's.
fn fault(function: &ItemFn) -> Option<&'static str> {
    let [Stmt::Expr(Expr::Macro(_) | Expr::Call(_), _) | Stmt::Macro(_)] =
        function.block.stmts.as_slice()
    else {
        return Some("the body is more than one call");
    };
    match &function.block.stmts[0] {
        Stmt::Expr(Expr::Call(call), _) => match &*call.func {
            Expr::Path(path) if path.path.is_ident("infallible") => {
                let constant = match call.args.first() {
                    Some(Expr::Call(call)) => is_null(call),
                    // c"".as_ptr()
                    Some(Expr::MethodCall(call)) => {
                        matches!(&*call.receiver, Expr::Lit(_)) && call.args.is_empty()
                    }
                    Some(Expr::Lit(_) | Expr::Path(_)) => true,
                    Some(Expr::Unary(sign)) => matches!(&*sign.expr, Expr::Lit(_)),
                    Some(Expr::Tuple(unit)) => unit.elems.is_empty(),
                    _ => false,
                };
                (!constant || !matches!(call.args.last(), Some(Expr::Closure(_))))
                    .then_some("something is computed outside the closure")
            }
            _ => Some("it calls something other than the boundary"),
        },
        Stmt::Expr(Expr::Macro(syn::ExprMacro { mac, .. }), _)
        | Stmt::Macro(syn::StmtMacro { mac, .. }) => {
            let tokens = mac.tokens.to_string();
            let start = format!("{} , out , error , ||", function.sig.ident);
            if !mac.path.is_ident("fallible") {
                Some("it uses a macro other than fallible!")
            } else if !tokens.starts_with(&start) {
                Some("fallible! is not given its name, out, error and a closure")
            } else {
                None
            }
        }
        _ => unreachable!("matched above"),
    }
}

#[test]
fn every_export_goes_through_the_boundary() {
    for (path, function) in exported() {
        let name = function.sig.ident.to_string();
        let place = format!("{}: {name}", path.display());
        assert!(name.starts_with("emonfeed_"), "{place} has a foreign name");
        assert!(path.starts_with(root().join("src/ffi")), "{place} is outside src/ffi");
        let abi = function.sig.abi.as_ref().and_then(|abi| abi.name.as_ref());
        assert_eq!(abi.map(syn::LitStr::value).as_deref(), Some("C"), "{place}");
        if let Some(fault) = fault(&function) {
            panic!("{place}: {fault}");
        }
        let documented = function.attrs.iter().any(|a| a.path().is_ident("doc"));
        assert!(documented, "{place} has no comment");
        let fallible = function.sig.inputs.iter().any(|input| {
            matches!(input, syn::FnArg::Typed(typed)
                if matches!(&*typed.pat, syn::Pat::Ident(name) if name.ident == "out"))
        });
        let must_use = function.attrs.iter().any(|a| a.path().is_ident("must_use"));
        assert_eq!(must_use, fallible, "{place}: #[must_use] is for what can fail");
    }
}

/// The check above refuses what it is there to refuse.
#[test]
fn a_body_beside_the_boundary_is_noticed() {
    for (body, fine) in [
        ("fallible!(emonfeed_x, out, error, || Ok(()))", true),
        ("fallible!(emonfeed_y, out, error, || Ok(()))", false),
        ("fallible!(emonfeed_x, out, error, compute())", false),
        ("infallible(0, || 1)", true),
        ("infallible(-1, || 1)", true),
        ("infallible(-compute(), || 1)", false),
        ("infallible((), || free!(x));", true),
        ("infallible(ptr::null(), || x)", true),
        ("infallible(compute(x), || 1)", false),
        ("infallible(compute(), || 1)", false),
        ("infallible(0, compute)", false),
        ("let x = compute(); infallible(0, || x)", false),
        ("compute()", false),
        ("vec![1]", false),
        ("0", false),
        ("", false),
    ] {
        let text = format!("extern \"C\" fn emonfeed_x() {{ {body} }}");
        let function = syn::parse_str(&text).unwrap();
        assert_eq!(fault(&function).is_none(), fine, "{body}");
    }
}

#[test]
fn source_header_and_library_have_the_same_functions() {
    let declared = declared();
    let source: BTreeSet<String> =
        exported().iter().map(|(_, function)| function.sig.ident.to_string()).collect();
    assert_eq!(source, declared, "src/ffi against include/emonfeed.h");

    let shown = c::shown_by(&libraries().join("libemonfeed.so"));
    assert_eq!(shown, declared, "libemonfeed.so against include/emonfeed.h");
}

#[test]
fn the_c_programs_call_every_function() {
    let mut calls = String::new();
    for entry in fs::read_dir(root().join("tests/c")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "c") {
            calls += &fs::read_to_string(path).unwrap();
        }
    }
    let words: BTreeSet<&str> =
        calls.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    for name in declared() {
        assert!(words.contains(name.as_str()), "no program in tests/c calls {name}");
    }
}

#[test]
fn the_shared_library_has_a_soname_and_stays_loaded() {
    let library = libraries().join("libemonfeed.so");
    let list = output(Command::new("readelf").args(["--wide", "--dynamic"]).arg(library));
    assert!(list.contains("Library soname: [libemonfeed.so.0]"), "{list}");
    // Its signal handler has to outlive a dlclose.
    assert!(list.lines().any(|line| line.contains("NODELETE")), "{list}");
}

/// The static library is what the extension is made of: what only the command uses
/// would be loaded by each worker.
#[test]
fn no_crate_of_the_command_is_in_the_library() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let crates = |features: &str| -> BTreeSet<String> {
        let tree = output(Command::new(&cargo).current_dir(root()).args([
            "tree",
            "--locked",
            "--edges=normal",
            "--prefix=none",
            "--format={lib}",
            features,
        ]));
        tree.lines().map(|name| name.trim_end_matches(" (*)").to_owned()).collect()
    };
    let (all, library) = (crates("--all-features"), crates("--no-default-features"));
    let of_the_command: BTreeSet<&str> =
        all.difference(&library).map(String::as_str).collect();
    for name in ["arrow_array", "clap", "jiff", "parquet", "zstd"] {
        assert!(of_the_command.contains(name), "{of_the_command:?}");
    }

    let list = output(Command::new("ar").arg("t").arg(libraries().join("libemonfeed.a")));
    // A member is called after its crate, with a hash behind it.
    let members: BTreeSet<&str> =
        list.lines().filter_map(|member| member.split(['-', '.']).next()).collect();
    assert!(members.contains("emonfeed") && members.contains("rusqlite"), "{list}");
    let foreign: Vec<_> = members.intersection(&of_the_command).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

/// A panic that aborts cannot be caught at the boundary, so a build with such
/// panics must not succeed, however the host sets it.
#[test]
fn a_build_whose_panics_abort_is_refused() {
    let says = |panic: &str| {
        let output = run(rustc()
            .current_dir(root())
            .args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "-o"])
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("panic.rmeta"))
            .args(["-C", &format!("panic={panic}"), "src/lib.rs"]));
        String::from_utf8(output.stderr).expect("text")
    };
    // Other crates are missed by both; only one is to say this.
    let refusal = "error: emonfeed must be built with panic=\"unwind\"";
    let said = says("abort");
    assert!(said.contains(refusal), "{said}");
    let said = says("unwind");
    assert!(said.contains("error") && !said.contains(refusal), "{said}");
}
