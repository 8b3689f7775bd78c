//! [`Config`]: where the `.kaa` files are, where the generated files go, and how to generate them.
//!
//! Invariants: this file only records settings; [`settings`](crate::settings) parses them and checks them
//! against the schema, so that building a `Config` cannot fail.

use std::path::PathBuf;

/// Which programs the generated code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Roles {
    /// A program that accepts connections: it implements `XServer` and calls through `XClientProxy`.
    Server,
    /// A program that connects: it implements `XClient` and calls through `XServerProxy`.
    Client,
    /// A program that does one or both of these.
    #[default]
    Both,
}

/// Settings of the generator. Start with [`configure`](crate::configure), end with
/// [`compile`](Self::compile).
///
/// # Paths
///
/// A setting with a `path` applies to the declaration with that qualified name, and to everything in it:
///
/// | path | applies to |
/// |---|---|
/// | `.` | everything |
/// | `tv.epg` | everything in the package `tv.epg` and in packages below it |
/// | `tv.epg.Program` | the type `Program` and all its fields |
/// | `tv.epg.Program.title` | one field |
/// | `tv.epg.Source.Url`, `tv.epg.Source.Broadcast.lcn` | one variant, one field of a variant |
/// | `tv.epg.SearchOptions`, `tv.epg.SearchOptions.limit` | an options struct, one of its fields |
/// | `tv.epg.Epg.server.search`, `tv.epg.Epg.server.search.text` | a method, one of its parameters |
///
/// A leading dot is allowed and changes nothing. Paths have no wildcards and do not match suffixes. A path
/// that matches nothing is an error, so that you notice a misspelt path.
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
    /// The folder with the `.kaa` files, relative to the package. Defaults to `kaa`.
    #[must_use]
    pub fn root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.root = Some(folder.into());
        self
    }

    /// Adds a folder of `.kaa` files, relative to the package; for example one that several packages share.
    ///
    /// Its packages become part of the same module tree.
    #[must_use]
    pub fn include(mut self, folder: impl Into<PathBuf>) -> Self {
        self.includes.push(folder.into());
        self
    }

    /// The folder for the generated files, relative to the package. Defaults to Cargo's `OUT_DIR`, which
    /// `kaa_rpc_runtime::include_kaa!()` includes from.
    #[must_use]
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(folder.into());
        self
    }

    /// The path of the runtime crate in generated code. Defaults to `::kaa_rpc_runtime`.
    #[must_use]
    pub fn runtime_path(mut self, path: impl Into<String>) -> Self {
        self.runtime_path = Some(path.into());
        self
    }

    /// Which programs to generate for. Defaults to [`Roles::Both`].
    #[must_use]
    pub fn roles(mut self, roles: Roles) -> Self {
        self.roles = roles;
        self
    }

    /// Adds attributes, such as `#[non_exhaustive]`, to the types that match [`path`](Self#paths).
    ///
    /// A `derive` attribute is merged with the other derives of the type.
    #[must_use]
    pub fn type_attribute(mut self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.type_attributes.push((path.into(), attribute.into()));
        self
    }

    /// Adds attributes, such as `#[serde(skip)]`, to the fields and variants that match [`path`](Self#paths).
    #[must_use]
    pub fn field_attribute(mut self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.field_attributes.push((path.into(), attribute.into()));
        self
    }

    /// Adds a derive to the types that match [`path`](Self#paths). For an external type it declares that the
    /// type implements the trait.
    ///
    /// `Default` on an enum makes its first variant without a payload the default.
    #[must_use]
    pub fn derive(mut self, path: impl Into<String>, derive: impl Into<String>) -> Self {
        self.derives.push((path.into(), derive.into()));
        self
    }

    /// Removes a derive from the types that match [`path`](Self#paths), and from every type that depends on
    /// them.
    ///
    /// For example, without `serde::Serialize` on a type, structs with a field of that type do not have it
    /// either.
    #[must_use]
    pub fn no_derive(mut self, path: impl Into<String>, derive: impl Into<String>) -> Self {
        self.no_derives.push((path.into(), derive.into()));
        self
    }

    /// Uses your own Rust type in place of the declared type `kaa_path`. It can be any type that serde
    /// supports.
    ///
    /// Its encoding is that of serde and bincode, whatever the declaration says. The generator assumes that
    /// it implements `Clone`, `Debug`, `PartialEq`, `serde::Serialize` and `serde::Deserialize`; declare more
    /// traits with [`derive`](Self::derive), fewer with [`no_derive`](Self::no_derive).
    #[must_use]
    pub fn extern_type(mut self, kaa_path: impl Into<String>, rust_path: impl Into<String>) -> Self {
        self.extern_types.push((kaa_path.into(), rust_path.into()));
        self
    }

    /// Uses `HashMap` and `HashSet` in place of `BTreeMap` and `BTreeSet` in everything that matches
    /// [`path`](Self#paths).
    #[must_use]
    pub fn hash_map(mut self, path: impl Into<String>) -> Self {
        self.hash_maps.push(path.into());
        self
    }

    /// Gives every method of the service traits a default body that fails with "unknown method", so that an
    /// implementation can omit methods. Off by default.
    #[must_use]
    pub fn default_stubs(mut self, enabled: bool) -> Self {
        self.default_stubs = enabled;
        self
    }

    /// Compares the `.kaa` files with every frozen schema (`*.frozen`) in a folder, relative to the package.
    ///
    /// An edit that breaks a rule of the category WIRE against any frozen schema fails the build. Broken
    /// rules of SOURCE and POLICY, and widened bounds, are warnings; they are checked against the newest
    /// frozen schema only. Freeze a schema with `kaa freeze` when you release it. Delete a frozen schema when
    /// no program uses it any more.
    #[must_use]
    pub fn frozen(mut self, folder: impl Into<PathBuf>) -> Self {
        self.frozen = Some(folder.into());
        self
    }
}
