//! Schemas that repeat one element very often, which shows costs that are not linear.

use std::fmt::Write as _;

use anyhow::{Context, Result};

/// A schema that repeats one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Empty types in one package.
    Types,
    /// Fields of one struct.
    Fields,
    /// Variants of one enum.
    Variants,
    /// Methods of one service.
    Methods,
    /// Parameters of one method.
    Parameters,
    /// Services with a method each.
    Services,
    /// Constants, each the previous one plus 1.
    Constants,
    /// Aliases, each of the previous one.
    Aliases,
    /// Structs, each containing the previous one.
    Chain,
    /// Structs in one cycle.
    Circle,
    /// Packages, each importing the previous one.
    Packages,
    /// Files of one package.
    Files,
    /// Interfaces, each including the previous one.
    Includes,
    /// Names in one `use`.
    Imports,
    /// Lines of documentation on one type.
    Docs,
    /// Newtypes of newtypes, each in a sealed struct.
    Newtypes,
    /// Newtypes of newtypes, each a key.
    Keys,
    /// Deleted fields of one struct.
    Tombstones,
}

impl Shape {
    pub const ALL: [Self; 18] = [
        Self::Types,
        Self::Fields,
        Self::Variants,
        Self::Methods,
        Self::Parameters,
        Self::Services,
        Self::Constants,
        Self::Aliases,
        Self::Chain,
        Self::Circle,
        Self::Packages,
        Self::Files,
        Self::Includes,
        Self::Imports,
        Self::Docs,
        Self::Newtypes,
        Self::Keys,
        Self::Tombstones,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Types => "types",
            Self::Fields => "fields",
            Self::Variants => "variants",
            Self::Methods => "methods",
            Self::Parameters => "parameters",
            Self::Services => "services",
            Self::Constants => "constants",
            Self::Aliases => "aliases",
            Self::Chain => "chain",
            Self::Circle => "circle",
            Self::Packages => "packages",
            Self::Files => "files",
            Self::Includes => "includes",
            Self::Imports => "imports",
            Self::Docs => "docs",
            Self::Newtypes => "newtypes",
            Self::Keys => "keys",
            Self::Tombstones => "tombstones",
        }
    }

    pub fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|shape| shape.name() == name).with_context(|| format!("no shape {name}"))
    }

    /// The number of elements, in tenths of the requested count: files cost more than lines, and shapes have limits.
    pub fn tenths(self) -> usize {
        match self {
            Self::Variants => 100,
            Self::Packages | Self::Files => 1,
            // With more methods, two would probably have the same id.
            Self::Methods => 5,
            _ => 10,
        }
    }

    /// The files, with `count` elements.
    pub fn files(self, count: usize) -> Vec<(String, String)> {
        match self {
            Self::Packages => (0..count).map(importing_package).collect(),
            Self::Files => (0..count)
                .map(|index| {
                    let other = (index * 7 + 1) % count;
                    let text = format!("package p;\nstruct T{index} {{ other: Option<T{other}> }}\n");
                    (format!("p/f{index}.kaa"), text)
                })
                .collect(),
            Self::Imports => {
                let names: String = (0..count).fold(String::new(), |mut text, index| {
                    let _ = write!(text, "T{index}, ");
                    text
                });
                let types = Self::Types.files(count);
                let user = format!("package user;\nuse p::{{{names}}};\nstruct User {{ first: T0 }}\n");
                types.into_iter().chain([("user.kaa".to_owned(), user)]).collect()
            }
            _ => {
                let mut text = String::from("package p;\n");
                text.push_str(self.before());
                for index in 0..count {
                    self.element(&mut text, index, count);
                }
                text.push_str(self.after());
                vec![("p.kaa".to_owned(), text)]
            }
        }
    }

    fn before(self) -> &'static str {
        match self {
            Self::Fields | Self::Tombstones => "struct S {\n",
            Self::Variants => "enum E {\n",
            Self::Methods => "service S {\n",
            Self::Parameters => "service S { fn f(\n",
            _ => "",
        }
    }

    fn after(self) -> &'static str {
        match self {
            Self::Fields | Self::Tombstones | Self::Variants | Self::Methods => "}\n",
            Self::Parameters => "); }\n",
            Self::Docs => "struct Documented {}\n",
            _ => "",
        }
    }

    fn element(self, text: &mut String, index: usize, count: usize) {
        let previous = index.wrapping_sub(1);
        let _ = match self {
            Self::Types => writeln!(text, "struct T{index} {{}}"),
            Self::Fields | Self::Parameters => writeln!(text, "f{index}: u32,"),
            Self::Variants => writeln!(text, "V{index},"),
            Self::Methods => writeln!(text, "fn f{index}();"),
            Self::Services => writeln!(text, "service S{index} {{ fn f(); }}"),
            Self::Constants if index == 0 => writeln!(text, "const C0: u64 = 0;"),
            Self::Constants => writeln!(text, "const C{index}: u64 = C{previous} + 1;"),
            Self::Aliases if index == 0 => writeln!(text, "type A0 = u32;"),
            Self::Aliases => writeln!(text, "type A{index} = A{previous};"),
            Self::Chain if index == 0 => writeln!(text, "struct T0 {{}}"),
            Self::Chain => writeln!(text, "struct T{index} {{ previous: T{previous} }}"),
            Self::Circle => {
                writeln!(text, "struct T{index} {{ next: Option<T{}> }}", (index + 1) % count)
            }
            Self::Includes if index == 0 => writeln!(text, "interface I0 {{ fn f(); }}"),
            Self::Includes => writeln!(text, "interface I{index} {{ include I{previous}; }}"),
            Self::Newtypes | Self::Keys if index == 0 => writeln!(text, "newtype N0(u32);"),
            Self::Newtypes => {
                writeln!(text, "newtype N{index}(N{previous});\nsealed struct K{index} {{ m: N{index} }}")
            }
            Self::Keys => {
                writeln!(text, "newtype N{index}(N{previous});\nstruct K{index} {{ m: Map<N{index}, u8> }}")
            }
            Self::Tombstones => writeln!(text, "reserved f{index}: u32,"),
            Self::Docs => writeln!(text, "/// Line {index} of the documentation."),
            Self::Packages | Self::Files | Self::Imports => Ok(()),
        };
    }
}

/// A package that imports the previous one.
fn importing_package(index: usize) -> (String, String) {
    let text = match index {
        0 => "package line0;\nstruct T { value: u32 }\n".to_owned(),
        _ => {
            let previous = index - 1;
            format!(
                "package line{index};\nuse line{previous} as previous;\nstruct T {{ value: Option<previous::T> }}\n"
            )
        }
    };
    (format!("line{index}.kaa"), text)
}
