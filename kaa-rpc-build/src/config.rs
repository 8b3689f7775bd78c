//! [`Config`]: where `.kaa` files are, where Rust goes, and how it should differ from the default.
//!
//! Invariants: settings are only recorded here; they are parsed and checked against the schema in
//! [`settings`](crate::settings), so that building a `Config` cannot fail.

use std::path::PathBuf;

/// Which programs the generated code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Roles {
    /// A program that accepts connections: it implements `XServer` and calls through `XClientProxy`.
    Server,
    /// A program that connects: it implements `XClient` and calls through `XServerProxy`.
    Client,
    /// Either, or both at once.
    #[default]
    Both,
}

/// How to generate. Start with [`configure`](crate::configure), end with [`compile`](Self::compile).
///
/// # Paths
///
/// Settings that take a `path` mean declarations by their qualified names, and everything under them:
///
/// | path | means |
/// |---|---|
/// | `.` | everything |
/// | `tv.epg` | everything in the package `tv.epg` and in packages below it |
/// | `tv.epg.Program` | the type `Program` and all its fields |
/// | `tv.epg.Program.title` | one field |
/// | `tv.epg.Source.Url`, `tv.epg.Source.Broadcast.lcn` | one variant, one field of a variant |
/// | `tv.epg.SearchOptions`, `tv.epg.SearchOptions.limit` | an options struct, one of its fields |
/// | `tv.epg.Epg.server.search`, `tv.epg.Epg.server.search.text` | a method's parameters and result, one parameter |
///
/// A leading dot is allowed and changes nothing. There are no wildcards and no matches by suffix. A path that
/// matches nothing is an error, so that a misspelt one is noticed.
///
/// # Examples
///
/// ```no_run
/// fn main() -> kaa_rpc_build::Result {
///     kaa_rpc_build::configure()
///         .root("idl")
///         .derive("tv.epg.Order", "Default")
///         .extern_type("tv.common.Colour", "crate::Colour")
///         .compile()
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub(crate) root: Option<PathBuf>,
    pub(crate) includes: Vec<PathBuf>,
    pub(crate) out_dir: Option<PathBuf>,
    pub(crate) runtime_path: Option<String>,
    pub(crate) roles: Roles,
    pub(crate) type_attributes: Vec<(String, String)>,
    pub(crate) field_attributes: Vec<(String, String)>,
    pub(crate) derives: Vec<(String, String)>,
    pub(crate) no_derives: Vec<(String, String)>,
    pub(crate) extern_types: Vec<(String, String)>,
    pub(crate) hash_maps: Vec<String>,
    pub(crate) default_stubs: bool,
    pub(crate) frozen: Option<PathBuf>,
}

impl Config {
    /// The folder that holds the `.kaa` files; relative to the package. `kaa` unless set.
    #[must_use]
    pub fn root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.root = Some(folder.into());
        self
    }

    /// One more folder of `.kaa` files, such as one shared between packages; relative to the package.
    ///
    /// Its packages become part of the same module tree.
    #[must_use]
    pub fn include(mut self, folder: impl Into<PathBuf>) -> Self {
        self.includes.push(folder.into());
        self
    }

    /// Where the generated files go; relative to the package. Cargo's `OUT_DIR` unless set, where
    /// `kaa_rpc_runtime::include_kaa!()` looks for them.
    #[must_use]
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(folder.into());
        self
    }

    /// The path by which generated code reaches the runtime. `::kaa_rpc_runtime` unless set.
    #[must_use]
    pub fn runtime_path(mut self, path: impl Into<String>) -> Self {
        self.runtime_path = Some(path.into());
        self
    }

    /// Which programs to generate for. [`Roles::Both`] unless set.
    #[must_use]
    pub fn roles(mut self, roles: Roles) -> Self {
        self.roles = roles;
        self
    }

    /// Adds attributes, such as `#[non_exhaustive]`, to the types that `path` [means](Self#paths).
    ///
    /// Derives among them are merged with the others.
    #[must_use]
    pub fn type_attribute(mut self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.type_attributes.push((path.into(), attribute.into()));
        self
    }

    /// Adds attributes, such as `#[serde(skip)]`, to the fields and variants that `path` [means](Self#paths).
    #[must_use]
    pub fn field_attribute(mut self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.field_attributes.push((path.into(), attribute.into()));
        self
    }

    /// Adds a derive to the types that `path` [means](Self#paths); for an external type it says what the type has.
    ///
    /// `Default` on an enum makes its first variant without a payload the default.
    #[must_use]
    pub fn derive(mut self, path: impl Into<String>, derive: impl Into<String>) -> Self {
        self.derives.push((path.into(), derive.into()));
        self
    }

    /// Takes a derive from the types that `path` [means](Self#paths), and from every type that needs theirs.
    ///
    /// Without `serde::Serialize`, say, a type is not serialised, nor is a struct with a field of it.
    #[must_use]
    pub fn no_derive(mut self, path: impl Into<String>, derive: impl Into<String>) -> Self {
        self.no_derives.push((path.into(), derive.into()));
        self
    }

    /// Uses a Rust type of yours in place of the declared type `kaa_path`: any type that serde can carry.
    ///
    /// On the wire it is what serde and bincode make of it, whatever the declaration says. It is assumed to have
    /// `Clone`, `Debug`, `PartialEq`, `serde::Serialize` and `serde::Deserialize`; say more with
    /// [`derive`](Self::derive), less with [`no_derive`](Self::no_derive).
    #[must_use]
    pub fn extern_type(mut self, kaa_path: impl Into<String>, rust_path: impl Into<String>) -> Self {
        self.extern_types.push((kaa_path.into(), rust_path.into()));
        self
    }

    /// Uses `HashMap` and `HashSet` in place of `BTreeMap` and `BTreeSet` for what `path` [means](Self#paths).
    #[must_use]
    pub fn hash_map(mut self, path: impl Into<String>) -> Self {
        self.hash_maps.push(path.into());
        self
    }

    /// Gives every method of the service traits a body that answers "unknown method", so that an implementation
    /// may leave some out. Off by default.
    #[must_use]
    pub fn default_stubs(mut self, wanted: bool) -> Self {
        self.default_stubs = wanted;
        self
    }

    /// Compares the `.kaa` files with every frozen schema, `*.frozen`, of a folder; relative to the package.
    ///
    /// An edit that breaks a rule of the category WIRE against any of them fails the build. Broken rules of SOURCE and
    /// POLICY, and bounds that were widened, are warnings, and only the newest frozen schema is asked for them. Freeze a
    /// schema with `kaa freeze` when it is given out; delete a file when nobody has that schema any more.
    #[must_use]
    pub fn frozen(mut self, folder: impl Into<PathBuf>) -> Self {
        self.frozen = Some(folder.into());
        self
    }
}
