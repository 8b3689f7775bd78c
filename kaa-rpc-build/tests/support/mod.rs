//! Compiles schemas and reads generated code, for the tests of the generator.

#![allow(dead_code, reason = "each test binary uses some of it")]

use std::path::{Path, PathBuf};

use kaa_idl::schema::Schema;
use kaa_idl::{DiskSource, FileSource, MemorySource, RenderStyle};
use kaa_rpc_build::{Config, GeneratedFile};

/// The folder of a fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The schema of a folder.
pub(crate) fn folder_schema(folder: &Path) -> Schema {
    schema(&DiskSource::new([folder]))
}

/// The schema of one file, `a.kaa`.
pub(crate) fn text_schema(text: &str) -> Schema {
    schema(&MemorySource::new([("a.kaa", format!("package a;\n{text}"))]))
}

fn schema(source: &dyn FileSource) -> Schema {
    let compilation = kaa_idl::compile(source);
    match compilation.schema() {
        Some(schema) => schema.clone(),
        None => panic!("{}", compilation.render(RenderStyle::Plain)),
    }
}

/// The code generated for one file, `a.kaa`.
pub(crate) fn generated(config: &Config, text: &str) -> String {
    let files = config.generate(&text_schema(text)).unwrap();
    contents(&files, "kaa/a.rs").to_owned()
}

/// The contents of a generated file.
pub(crate) fn contents<'f>(files: &'f [GeneratedFile], path: &str) -> &'f str {
    &files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}")).contents
}

/// The derives of a type, without their paths, sorted.
pub(crate) fn derives(code: &str, name: &str) -> Vec<String> {
    let file = syn::parse_file(code).unwrap();
    let attributes = file.items.iter().find_map(|item| match item {
        syn::Item::Struct(item) if item.ident == name => Some(&item.attrs),
        syn::Item::Enum(item) if item.ident == name => Some(&item.attrs),
        _ => None,
    });
    let mut derives = Vec::new();
    for attribute in attributes.unwrap_or_else(|| panic!("no {name} in\n{code}")) {
        if attribute.path().is_ident("derive") {
            let _ = attribute.parse_nested_meta(|meta| {
                derives.push(meta.path.segments.last().unwrap().ident.to_string());
                Ok(())
            });
        }
    }
    derives.sort();
    derives
}
