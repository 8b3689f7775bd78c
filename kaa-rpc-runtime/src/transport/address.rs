//! Addresses as text: `unix:/path`, `unix:@name`, `tcp:host:port`, `tls:host:port`, `stdio:`, `systemd:`.
//!
//! Invariants: `Display` writes text that parses to the same address. A parse error shows examples and, if
//! possible, a suggestion.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// An address at which to listen, or to which to connect (`docs/wire.md`, clause 1.1).
///
/// ```
/// use kaa_rpc_runtime::transport::Address;
///
/// let address: Address = "tcp:[::1]:7000".parse()?;
/// assert_eq!(address, Address::Tcp { host: "::1".into(), port: 7000 });
/// let error = "localhost:7000".parse::<Address>().unwrap_err();
/// assert!(error.to_string().ends_with("did you mean \"tcp:localhost:7000\"?"));
/// # Ok::<(), kaa_rpc_runtime::transport::AddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// `unix:/run/app.sock`: a unix socket in the file system.
    Unix(PathBuf),
    /// `unix:@app`: a unix socket with an abstract name, which is not a file and has no permissions. Only on
    /// Linux.
    UnixAbstract(String),
    /// `tcp:host:port`: a host name or an IP address. IPv6 addresses are written in brackets.
    Tcp {
        /// A host name, or an IP address without brackets.
        host: String,
        /// The port. For listening, 0 lets the operating system choose one.
        port: u16,
    },
    /// `tls:host:port`: TCP with TLS.
    #[cfg(feature = "_tls")]
    Tls {
        /// A host name, or an IP address without brackets.
        host: String,
        /// The port. For listening, 0 lets the operating system choose one.
        port: u16,
    },
    /// `stdio:`: stdin and stdout, which connect this process to the host that started it. From then on the
    /// program's own output goes to stderr, and its stdin is empty.
    Stdio,
    /// `systemd:` or `systemd:web`: a listening socket from systemd, the only one or the one with this name.
    /// Only for listening; needs the feature `systemd`.
    Inherited {
        /// The name in `LISTEN_FDNAMES`.
        name: Option<String>,
    },
}

/// Text that is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The text is malformed.
    #[error(
        "malformed address \"{address}\": {problem}; expected an address like {EXAMPLES}{}",
        did_you_mean(suggestion.as_deref())
    )]
    Malformed {
        /// The text.
        address: String,
        /// What is wrong with the text.
        problem: &'static str,
        /// A similar, valid address.
        suggestion: Option<String>,
    },
    /// A `tls:` address without support for TLS.
    #[error(
        "\"{address}\" needs TLS, and TLS support is not compiled in; \
         enable the feature \"tls\" of kaa-rpc-runtime"
    )]
    TlsNotCompiledIn {
        /// The text.
        address: String,
    },
}

const EXAMPLES: &str = if cfg!(feature = "_tls") {
    r#""unix:/run/app.sock", "unix:@app", "tcp:localhost:7000", "tcp:[::1]:7000" or "tls:tv.example:7000""#
} else {
    r#""unix:/run/app.sock", "unix:@app", "tcp:localhost:7000" or "tcp:[::1]:7000""#
};

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|suggestion| format!("; did you mean \"{suggestion}\"?")).unwrap_or_default()
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if cfg!(not(feature = "_tls")) && text.starts_with("tls:") {
            return Err(AddressError::TlsNotCompiledIn { address: text.to_owned() });
        }
        parse(text).map_err(|problem| AddressError::Malformed {
            address: text.to_owned(),
            problem,
            suggestion: suggest(text),
        })
    }
}

impl TryFrom<&str> for Address {
    type Error = AddressError;

    fn try_from(text: &str) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp { host: address.ip().to_string(), port: address.port() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Without the dot, the file name would be read as an abstract name.
            Self::Unix(path) if path.to_string_lossy().starts_with('@') => {
                write!(formatter, "unix:./{}", path.display())
            }
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
            Self::UnixAbstract(name) => write!(formatter, "unix:@{name}"),
            Self::Tcp { host, port } => fmt_host(formatter, "tcp", host, *port),
            #[cfg(feature = "_tls")]
            Self::Tls { host, port } => fmt_host(formatter, "tls", host, *port),
            Self::Stdio => formatter.write_str("stdio:"),
            Self::Inherited { name } => write!(formatter, "systemd:{}", name.as_deref().unwrap_or_default()),
        }
    }
}

fn fmt_host(formatter: &mut fmt::Formatter<'_>, scheme: &str, host: &str, port: u16) -> fmt::Result {
    if host.contains(':') {
        write!(formatter, "{scheme}:[{host}]:{port}")
    } else {
        write!(formatter, "{scheme}:{host}:{port}")
    }
}

fn parse(text: &str) -> Result<Address, &'static str> {
    match text.split_once(':') {
        Some(("unix", rest)) => parse_unix(rest),
        Some(("tcp", rest)) => parse_host(rest).map(|(host, port)| Address::Tcp { host, port }),
        #[cfg(feature = "_tls")]
        Some(("tls", rest)) => parse_host(rest).map(|(host, port)| Address::Tls { host, port }),
        Some(("systemd", rest)) => parse_inherited(rest),
        Some(("stdio", "")) => Ok(Address::Stdio),
        Some(("stdio", _)) => Err("nothing may follow \"stdio:\""),
        _ => Err("it does not begin with a known scheme"),
    }
}

fn parse_unix(rest: &str) -> Result<Address, &'static str> {
    if rest.contains('\0') {
        return Err("it contains a zero byte");
    }
    match rest.strip_prefix('@') {
        Some("") => Err("the name is missing"),
        Some(name) => Ok(Address::UnixAbstract(name.to_owned())),
        None if rest.is_empty() => Err("the path is missing"),
        None if rest.starts_with('~') => Err("\"~\" is not expanded here; write the path in full"),
        None => Ok(Address::Unix(PathBuf::from(rest))),
    }
}

/// systemd allows only these names.
fn parse_inherited(name: &str) -> Result<Address, &'static str> {
    if name.len() > 255 || name.bytes().any(|byte| byte == b':' || !(b' '..=b'~').contains(&byte)) {
        return Err("a name has at most 255 printable ASCII characters and no \":\"");
    }
    Ok(Address::Inherited { name: (!name.is_empty()).then(|| name.to_owned()) })
}

fn parse_host(rest: &str) -> Result<(String, u16), &'static str> {
    let (host, port) = match rest.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']').ok_or("the closing bracket is missing")?;
            let plain = host.split_once('%').map_or(host, |(plain, _)| plain);
            if plain.parse::<Ipv6Addr>().is_err() {
                return Err("the brackets do not contain an IPv6 address");
            }
            (host, rest.strip_prefix(':').ok_or("the port is missing")?)
        }
        None => rest.rsplit_once(':').ok_or("the port is missing")?,
    };
    if host.is_empty() {
        return Err("the host is missing");
    }
    if !rest.starts_with('[') && host.contains(':') {
        return Err("an IPv6 address must be in brackets");
    }
    if host.contains(|character: char| character.is_whitespace() || "/@[]\0".contains(character)) {
        return Err("the host contains an invalid character");
    }
    if port.is_empty() {
        return Err("the port is missing");
    }
    // Rust parses numbers with a sign too. A port must not have one.
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|_| digits).ok_or("the port is not a number from 0 to 65535")?;
    Ok((host.to_owned(), port))
}

/// The first valid candidate for what was meant.
fn suggest(text: &str) -> Option<String> {
    let text = text.trim();
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut candidates = Vec::new();
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "stdio" || text.eq_ignore_ascii_case("stdio") {
        candidates.push("stdio:".to_owned());
    }
    if scheme == "systemd" || text.eq_ignore_ascii_case("systemd") {
        candidates.push(format!("systemd:{rest}"));
    }
    let has_host = scheme == "tcp" || (cfg!(feature = "_tls") && scheme == "tls");
    if scheme == "unix" || has_host {
        candidates.push(format!("{scheme}:{rest}"));
    }
    if has_host {
        candidates.push(format!("{scheme}:{}", rest.trim_start_matches('/').trim_end_matches('/')));
        if is_port(rest.trim_start_matches(':')) {
            candidates.push(format!("{scheme}:localhost:{}", rest.trim_start_matches(':')));
        }
        if let Some((host, port)) = rest.rsplit_once(':') {
            candidates.push(format!("{scheme}:[{host}]:{port}"));
        }
    } else if scheme != "unix" {
        let looks_like_path = text.starts_with('@') || text.contains('/') || text.ends_with(".sock");
        if looks_like_path && !text.contains("://") {
            candidates.push(format!("unix:{text}"));
        }
        if is_port(text.trim_start_matches(':')) {
            candidates.push(format!("tcp:localhost:{}", text.trim_start_matches(':')));
        }
        candidates.push(format!("tcp:{text}"));
        if let Some((host, port)) = text.rsplit_once(':') {
            candidates.push(format!("tcp:[{host}]:{port}"));
        }
    }
    candidates.into_iter().find(|candidate| parse(candidate).is_ok())
}
