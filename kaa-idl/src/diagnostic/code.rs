//! The codes of the compiler's diagnostics, each with its title and its explanation, and the names of all
//! rules.
//!
//! Invariants: a published code never changes its number or its meaning. The table is ordered by number.
//! Names of rules are unique over codes, lints and compatibility rules: codes are `K` and digits, all others
//! are words in upper case.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

macro_rules! codes {
    ($($variant:ident = $number:literal, $title:literal;)*) => {
        /// The stable code of a diagnostic.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code, ordered by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code in printed form, such as `K0104`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $number),* }
            }

            /// What the code means, in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// What the code means, in a sentence or two: the first line of the explanation.
            #[must_use]
            pub fn summary(self) -> &'static str {
                self.explanation().lines().next().unwrap_or_default()
            }

            /// The summary, the reason for the rule, an example with the error and one without it, in
            /// Markdown. A block `kaa,bad` has the error, a block `kaa` does not. In a block with several
            /// files, a comment with the path comes before each file.
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
    BadCharacter = "K0001", "bad character";
    UnterminatedString = "K0002", "unterminated string";
    BadEscape = "K0003", "bad escape";
    UnclosedComment = "K0004", "unclosed block comment";
    UnclosedDelimiter = "K0005", "unclosed delimiter";
    MissingSeparator = "K0006", "missing or wrong separator";
    ExpectedItem = "K0007", "expected an item";
    WrongOrder = "K0008", "`package` or `use` after an item";
    DanglingDoc = "K0009", "dangling doc comment";
    BadNumber = "K0010", "integer too large, or malformed number";
    UnexpectedToken = "K0011", "unexpected token";
    DuplicateItem = "K0101", "duplicate item";
    DuplicateMember = "K0102", "duplicate field, parameter, variant or method";
    NamesCollideInRust = "K0103", "names collide in Rust";
    UnknownType = "K0104", "unknown name";
    UnknownPackage = "K0105", "unknown package";
    ImportCycle = "K0106", "import cycle between packages";
    ConflictingImport = "K0107", "duplicate or conflicting import";
    ShadowsBuiltIn = "K0108", "shadows a built-in type";
    NotARustName = "K0109", "invalid name in Rust";
    ClashesWithGenerated = "K0110", "conflict with a generated name";
    PackageMismatch = "K0111", "package does not match the path";
    InfiniteRecursion = "K0201", "infinite recursion";
    TooDeep = "K0202", "nesting too deep or type too large";
    BadKey = "K0203", "invalid map or set key";
    WrongArguments = "K0204", "wrong number of type arguments";
    BoundOnUnbounded = "K0205", "misplaced bound";
    BadArrayLength = "K0206", "invalid array length";
    ZeroSizedElement = "K0207", "zero-sized element";
    NestedOption = "K0208", "nested option";
    StreamInData = "K0209", "`stream` inside data";
    ServiceAsType = "K0210", "service or interface used as a type";
    ExtensibleInSealed = "K0211", "extensible type in a sealed type";
    UnitAsData = "K0212", "`()` used as data";
    EmptyType = "K0213", "type without values";
    BadRepresentation = "K0214", "invalid type of flags";
    WrongDefault = "K0301", "value of the wrong type";
    OutOfRange = "K0302", "value out of range";
    ConstantCycle = "K0303", "cycle of constants";
    DuplicateTag = "K0304", "duplicate tag or flag value";
    ReservedName = "K0305", "reserved name or tag";
    OnewayWithResult = "K0401", "`oneway` with a result, `throws` or a stream";
    ThrowsNonError = "K0402", "`throws` of a type that is not an `error`";
    MethodIdCollision = "K0403", "method id collision";
    MissingDefault = "K0404", "field or parameter added without a default";
    UnknownAttribute = "K0405", "unknown attribute";
    MisplacedAttribute = "K0406", "misplaced attribute";
    RepeatedAttribute = "K0407", "repeated attribute";
    IncludeCycle = "K0408", "include cycle between interfaces";
    SecondStream = "K0409", "second `stream` parameter";
    ClientMisplaced = "K0410", "misplaced `client` block";
    IncludeNonInterface = "K0411", "`include` of an item that is not an interface";
    BadDisplay = "K0412", "malformed `#[display]`";
    BadAttribute = "K0413", "malformed attribute";
    ContradictoryAttribute = "K0414", "attribute contradicts the method";
    Unreadable = "K0501", "unreadable file";
    FileTooLarge = "K0502", "file too large";
    NotUtf8 = "K0503", "invalid UTF-8";
    SymlinkLoop = "K0504", "symbolic link loop";
    FolderNamedLikeFile = "K0505", "folder named like a file";
}

/// The error for a text that is not the code of a diagnostic.
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

    /// Parses a code, in upper or lower case.
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

/// The stable name of a diagnostic's kind, such as `K0104` or `STRING_BOUNDED`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleName(&'static str);

impl RuleName {
    /// A name from its text, for the tables of lints and compatibility rules.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name in printed form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The compiler's code with this name; `None` for lints and compatibility rules.
    #[must_use]
    pub fn code(self) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| *code == self)
    }
}

impl From<Code> for RuleName {
    fn from(code: Code) -> Self {
        Self::new(code.as_str())
    }
}

impl PartialEq<Code> for RuleName {
    fn eq(&self, code: &Code) -> bool {
        self.0 == code.as_str()
    }
}

impl PartialEq<RuleName> for Code {
    fn eq(&self, name: &RuleName) -> bool {
        self.as_str() == name.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}
