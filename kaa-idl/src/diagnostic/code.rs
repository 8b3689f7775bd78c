//! The codes of all diagnostics, each with its title, its summary and its explanation.
//!
//! Invariants: a code that was published keeps its number and its meaning; the table is ordered by number.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

macro_rules! codes {
    ($($variant:ident = $number:literal, $title:literal, $summary:literal;)*) => {
        /// The stable code of a diagnostic.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code, ordered by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as it is printed, such as `K0104`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $number),* }
            }

            /// What the code stands for, in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// What the code means, in a sentence or two.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary),* }
            }

            /// The summary, why the language is so, an example of the fault and one without it: Markdown, whose blocks
            /// `kaa,bad` have the fault and whose blocks `kaa` have none. In a block with several files, a comment
            /// with the path stands before each.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("explanations/", $number, ".md"))),*
                }
            }
        }
    };
}

codes! {
    BadCharacter = "K0001", "bad character",
        "The file holds a character that means nothing here. Names, numbers and punctuation are ASCII; any Unicode text may stand in strings and comments, but for characters that change its direction.";
    UnterminatedString = "K0002", "unterminated string",
        "A string or character literal must end on the line on which it begins. For a line break inside it write `\\n`.";
    BadEscape = "K0003", "bad escape",
        "Strings know the escapes `\\n \\r \\t \\\\ \\\" \\' \\0 \\xNN \\u{…}`.";
    UnclosedComment = "K0004", "unclosed block comment",
        "A `/*` needs its `*/`. Block comments nest.";
    UnclosedDelimiter = "K0005", "unclosed delimiter",
        "A bracket was opened and never closed, was closed by one of another kind, or was closed without having been opened.";
    MissingSeparator = "K0006", "missing or wrong separator",
        "Fields, parameters and variants are separated by commas; `package`, `use`, `const`, `type`, `newtype` and methods end with a semicolon.";
    ExpectedItem = "K0007", "expected an item",
        "At the top of a file stand `package`, `use`, and then items: `const`, `newtype`, `type`, `struct`, `enum`, `flags`, `error`, `interface`, `service`.";
    WrongOrder = "K0008", "`package` or `use` after an item",
        "The `package` line comes first, then every `use`, then the items.";
    DanglingDoc = "K0009", "dangling doc comment",
        "A `///` comment describes what follows it; here nothing follows that could have documentation. `//!` describes the package and stands before its first item. An ordinary comment begins with `//`.";
    BadNumber = "K0010", "integer too large or malformed number",
        "Integers have at most 128 bits. They are written in decimal, or with `0x`, `0o`, `0b`; underscores may group digits; there are no suffixes.";
    UnexpectedToken = "K0011", "unexpected token",
        "The text does not follow the grammar. The message says what could stand there.";
    DuplicateItem = "K0101", "duplicate item",
        "All items of a package share one space of names, whatever their kind and whichever of its files they stand in.";
    DuplicateMember = "K0102", "duplicate field, parameter, variant or method",
        "Names are unique within a struct, a variant, a parameter list, an enum, and one side of a service (included methods count). So are the names on the wire that `#[selector]` sets.";
    NamesCollideInRust = "K0103", "names that become one in Rust",
        "Fields, parameters and methods become snake case in Rust, so `fooBar` and `foo_bar` would be one name there. A field of a variant cannot be called as a constant, a newtype or flags of its package: patterns would not tell them apart.";
    UnknownType = "K0104", "unknown name",
        "No type, interface, constant or variant of this name is in reach. Names of other packages need a `use`, or are written in full: `tv.common::ChannelId`.";
    UnknownPackage = "K0105", "unknown package",
        "A package `tv.common` is the file `tv/common.kaa` or the files `tv/common/*.kaa` under a root folder.";
    ImportCircle = "K0106", "packages import each other in a circle",
        "Packages form a hierarchy. Move what both sides need to a third package.";
    ConflictingImport = "K0107", "duplicate or conflicting import",
        "A name may be imported once per file, and not if an item of the package has it. `use a.b::Name as Other;` gives it another name.";
    ShadowsBuiltIn = "K0108", "shadows a built-in type",
        "The names of built-in types mean the same in every file. Those of Rust, such as `str` and `usize`, are taken as well: generated code needs them.";
    NotARustName = "K0109", "a name Rust cannot write",
        "`self`, `Self`, `super`, `crate` and `_` cannot be names in Rust, not even as raw identifiers. All other keywords can. Names of items do not begin with two underscores, which derived code keeps for itself.";
    ClashesWithGenerated = "K0110", "clashes with a generated name",
        "A service `Epg` becomes `Epg`, `EpgServer`, `EpgClient`, `EpgServerProxy`, `EpgClientProxy` and a module `epg`; a method with defaults becomes an options struct. Nothing else of the package may have these names.";
    PackageMismatch = "K0111", "files disagree on the package",
        "A package `tv.epg` is the file `tv/epg.kaa`, or all files directly under `tv/epg/`, and each of them says `package tv.epg;`.";
    EndlessRecursion = "K0201", "endless recursion",
        "A type that always holds itself has no finite value. Put an `Option`, `Vec`, `Set` or `Map` between, or an enum with a variant that ends it.";
    TooDeep = "K0202", "nested too deep or too large",
        "Brackets may nest 64 deep and types 32 deep, aliases written out; so no file can exhaust the compiler.";
    BadKey = "K0203", "cannot be a map or set key",
        "Keys are integers, `bool`, `char`, `String`, `Bytes`, `Uuid`, `Timestamp`, `Duration`, flags, and arrays, newtypes, sealed structs and sealed enums of these, without floating-point numbers.";
    WrongArguments = "K0204", "wrong number of type arguments",
        "`Option`, `Vec` and `Set` take one type, `Map` two; other types take none.";
    BoundOnUnbounded = "K0205", "bound on an unbounded type",
        "A bound `..=N` belongs on `String`, `Bytes`, `Vec`, `Set` or `Map`, as the last argument and once.";
    BadArrayLength = "K0206", "array of zero or enormous length",
        "An array has 1 to 65,536 elements, counting nested arrays as a product. Longer sequences are a `Vec`.";
    ZeroSizedElement = "K0207", "zero-sized element",
        "Elements that take no bytes would let a few bytes stand for millions of values.";
    NestedOption = "K0208", "option of an option",
        "`Option<Option<T>>` reads the same as `Option<T>` in most uses and confuses the rest. An enum says what the cases mean.";
    StreamInData = "K0209", "`stream` inside data",
        "`stream T` is a parameter's or a result's whole type. It is no value: it cannot be stored, has no default, and leaves no tombstone.";
    ServiceAsType = "K0210", "service or interface used as a type",
        "Services are not values. The other peer's methods are reached through a `client { }` block.";
    ExtensibleInSealed = "K0211", "extensible type inside a sealed one",
        "A sealed type's bytes are frozen, so what it holds must be frozen as well.";
    UnitAsData = "K0212", "`()` used as data",
        "`()` stands for no result, and for nothing else.";
    EmptyType = "K0213", "a type without a value",
        "A sealed enum needs a variant, or nobody could ever make a value of it.";
    BadRepresentation = "K0214", "flags carried by something else than an unsigned integer",
        "Flags are bits of a `u8`, `u16`, `u32` or `u64`.";
    WrongDefault = "K0301", "value of the wrong type",
        "A constant or default must have the declared type. There are no conversions between integers, floating-point numbers and strings.";
    OutOfRange = "K0302", "value out of range",
        "The value does not fit its type or its bound, or the arithmetic overflows 128 bits.";
    ConstantCircle = "K0303", "constants in a circle",
        "A constant's value must not depend on itself.";
    DuplicateTag = "K0304", "duplicate tag or flag value",
        "Two variants with one tag, or two flags with one value, cannot be told apart on the wire.";
    ReservedName = "K0305", "uses a reserved name or tag",
        "A tombstone or `reserved` keeps what was deleted from being used again with another meaning. `Unknown` is the name of the arm that open enums have for variants of newer peers.";
    OnewayWithResult = "K0401", "`oneway` with a result, `throws` or a stream",
        "A oneway method has no reply, so there is nothing that could carry a result or an error. Its call ends when it has left, and a stream would have to end with it.";
    ThrowsNonError = "K0402", "throws something that is no `error`",
        "`throws` names a type that was declared with `error`.";
    MethodIdCollision = "K0403", "method id collision",
        "A method's id is the start of a hash of its name. Give one of the two another name on the wire with `#[selector(\"…\")]`.";
    MissingDefault = "K0404", "appended field or parameter without default",
        "A peer that was built before the field existed does not send it. It must be an `Option` or have a default.";
    UnknownAttribute = "K0405", "unknown attribute",
        "The attributes are `since`, `deprecated`, `idempotent`, `detached`, `timeout`, `selector`, `display`, `allow` and `rust`.";
    MisplacedAttribute = "K0406", "misplaced attribute",
        "Each attribute belongs on certain constructs; the message names them.";
    RepeatedAttribute = "K0407", "repeated attribute",
        "An attribute stands at most once on each construct.";
    IncludeCircle = "K0408", "interfaces include each other in a circle",
        "An interface must not include itself, not even by way of others.";
    SecondStream = "K0409", "a second `stream` parameter",
        "A call carries one stream in each direction. A stream of an `enum` can hold items of several kinds.";
    ClientMisplaced = "K0410", "misplaced `client` block",
        "`client { }` stands once, directly inside a service. An interface has no direction: it can be included on either side.";
    IncludeNonInterface = "K0411", "include of something that is no interface",
        "`include` takes the methods of an `interface` into a service or another interface.";
    BadDisplay = "K0412", "malformed `#[display]`",
        "The text of `#[display(\"…\")]` names fields of its variant in braces: `{hours}`, or `{0}` where they have no names. A brace itself is written twice.";
    BadAttribute = "K0413", "malformed attribute",
        "The attribute's arguments are not what it takes; the help shows how it is written.";
    EmptyPromise = "K0414", "a promise that no call could keep",
        "`#[idempotent]` says that a call can be repeated: nobody could repeat a oneway call, or one that has taken from a stream. `#[detached]` says that the handler runs on without its caller: nobody would take the stream that it returns.";
    Unreadable = "K0501", "file cannot be read",
        "The operating system refused to list a folder or to read a file.";
    FileTooLarge = "K0502", "file too large",
        "A `.kaa` file has at most 16 MiB.";
    NotUtf8 = "K0503", "file is not UTF-8",
        "A `.kaa` file is UTF-8 text.";
    SymlinkLoop = "K0504", "folders form a loop",
        "A symbolic link leads back to a folder that contains it.";
    FolderNamedLikeFile = "K0505", "folder named like a file",
        "A folder whose name ends in `.kaa` holds no package and is probably a mistake.";
}

/// Text that is the code of no diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCode {
    text: String,
}

impl fmt::Display for UnknownCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "there is no diagnostic `{}`", self.text)
    }
}

impl Error for UnknownCode {}

impl FromStr for Code {
    type Err = UnknownCode;

    /// Reads a code in either case.
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let found = Self::ALL.iter().find(|code| code.as_str().eq_ignore_ascii_case(text));
        found.copied().ok_or_else(|| UnknownCode { text: text.to_owned() })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
