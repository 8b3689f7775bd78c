//! Addresses as users write them, well-formed and malformed.

use std::path::PathBuf;

use kaa_rpc_runtime::transport::{Address, AddressError};
use proptest::prelude::*;

fn tcp(host: &str, port: u16) -> Address {
    Address::Tcp { host: host.into(), port }
}

#[test]
fn addresses_display_as_parsed() {
    for (text, expected) in [
        ("unix:/run/app.sock", Address::Unix("/run/app.sock".into())),
        ("unix:app.sock", Address::Unix("app.sock".into())),
        ("unix:/run/with: colon and space", Address::Unix("/run/with: colon and space".into())),
        ("unix:@app", Address::UnixAbstract("app".into())),
        ("unix:@app/one:two", Address::UnixAbstract("app/one:two".into())),
        ("tcp:localhost:7000", tcp("localhost", 7000)),
        ("tcp:192.0.2.1:0", tcp("192.0.2.1", 0)),
        ("tcp:[::1]:65535", tcp("::1", 65535)),
        ("tcp:[fe80::1%eth0]:7000", tcp("fe80::1%eth0", 7000)),
        ("tcp:tv.example:18002", tcp("tv.example", 18002)),
        #[cfg(feature = "_tls")]
        ("tls:tv.example:18002", Address::Tls { host: "tv.example".into(), port: 18002 }),
        #[cfg(feature = "_tls")]
        ("tls:[::1]:0", Address::Tls { host: "::1".into(), port: 0 }),
        ("stdio:", Address::Stdio),
        ("systemd:", Address::Inherited { name: None }),
        ("systemd:the web.sock", Address::Inherited { name: Some("the web.sock".into()) }),
    ] {
        let parsed: Address = text.parse().unwrap();
        assert_eq!(parsed, expected, "{text}");
        assert_eq!(parsed.to_string(), text);
    }
    assert_eq!(Address::from("[::1]:7000".parse::<std::net::SocketAddr>().unwrap()), tcp("::1", 7000));
    assert_eq!(Address::Unix("@file".into()).to_string(), "unix:./@file");
}

#[track_caller]
fn check(text: &str, expected_problem: &str, expected_suggestion: Option<&str>) {
    match text.parse::<Address>() {
        Err(AddressError::Malformed { address, problem, suggestion }) => {
            assert_eq!((address.as_str(), problem), (text, expected_problem));
            assert_eq!(suggestion.as_deref(), expected_suggestion, "{text}");
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn malformed_address_error_names_problem_and_suggestion() {
    let scheme = "it does not begin with a known scheme";
    check("", scheme, None);
    check("nonsense", scheme, None);
    check("/run/app.sock", scheme, Some("unix:/run/app.sock"));
    check("./app", scheme, Some("unix:./app"));
    check("app.sock", scheme, Some("unix:app.sock"));
    check("@app", scheme, Some("unix:@app"));
    check("localhost:7000", scheme, Some("tcp:localhost:7000"));
    check("[::1]:7000", scheme, Some("tcp:[::1]:7000"));
    check("::1:7000", scheme, Some("tcp:[::1]:7000"));
    check("7000", scheme, Some("tcp:localhost:7000"));
    check(":7000", scheme, Some("tcp:localhost:7000"));
    check("UNIX:/run/x", scheme, Some("unix:/run/x"));
    check("TCP:localhost:1", scheme, Some("tcp:localhost:1"));
    check(" tcp:localhost:1", scheme, Some("tcp:localhost:1"));
    check("http://localhost:80", scheme, None);
    check("stdio", scheme, Some("stdio:"));
    check("Systemd", scheme, Some("systemd:"));
    check("SYSTEMD:web", scheme, Some("systemd:web"));
    check("stdio:0", "nothing may follow \"stdio:\"", Some("stdio:"));
    let name = "a name has at most 255 printable ASCII characters and no \":\"";
    check("systemd:a:b", name, None);
    check("systemd:\u{fc}", name, None);
    check(&format!("systemd:{}", "x".repeat(256)), name, None);
    check("unix:", "the path is missing", None);
    check("unix:@", "the name is missing", None);
    check("unix:~/app.sock", "\"~\" is not expanded here; write the path in full", None);
    check("unix:/run/\0", "it contains a zero byte", None);
    check("tcp:localhost", "the port is missing", None);
    check("tcp:localhost:", "the port is missing", None);
    check("tcp:[::1]", "the port is missing", None);
    check("tcp:7000", "the port is missing", Some("tcp:localhost:7000"));
    check("tcp::7000", "the host is missing", Some("tcp:localhost:7000"));
    check("tcp://localhost:7000", "the host contains an invalid character", Some("tcp:localhost:7000"));
    check("tcp:::1:7000", "an IPv6 address must be in brackets", Some("tcp:[::1]:7000"));
    check("tcp:[::1:7000", "the closing bracket is missing", None);
    check("tcp:[localhost]:7000", "the brackets do not contain an IPv6 address", None);
    check("tcp:local host:7000", "the host contains an invalid character", None);
    for port in ["65536", "-1", "+1", "http"] {
        check(&format!("tcp:localhost:{port}"), "the port is not a number from 0 to 65535", None);
    }
    check("tcp:localhost:7 ", "the port is not a number from 0 to 65535", Some("tcp:localhost:7"));
}

#[cfg(feature = "_tls")]
#[test]
fn malformed_tls_address_error_suggests_tls() {
    check("tls:localhost", "the port is missing", None);
    check("tls:7000", "the port is missing", Some("tls:localhost:7000"));
    check("tls://localhost:7000", "the host contains an invalid character", Some("tls:localhost:7000"));
    check("tls:::1:7000", "an IPv6 address must be in brackets", Some("tls:[::1]:7000"));
    check("TLS:localhost:1", "it does not begin with a known scheme", Some("tls:localhost:1"));
}

#[cfg(not(feature = "_tls"))]
#[test]
fn tls_address_without_feature_names_feature() {
    let message = "tls:host:7000".parse::<Address>().unwrap_err().to_string();
    let expected = "\"tls:host:7000\" needs TLS, and TLS support is not compiled in; enable the \
                    feature \"tls\" of kaa-rpc-runtime";
    assert_eq!(message, expected);
}

#[test]
fn error_message_lists_expected_forms() {
    let message = "localhost:7000".parse::<Address>().unwrap_err().to_string();
    assert_eq!(
        message,
        format!(
            "malformed address \"localhost:7000\": it does not begin with a known scheme; expected an \
             address like \"unix:/run/app.sock\", \"unix:@app\", \"tcp:localhost:7000\"{}; did you mean \
             \"tcp:localhost:7000\"?",
            if cfg!(feature = "_tls") {
                ", \"tcp:[::1]:7000\" or \"tls:tv.example:7000\""
            } else {
                " or \"tcp:[::1]:7000\""
            }
        )
    );
}

proptest! {
    #[test]
    fn parsed_addresses_round_trip(text in "(unix:|tcp:|tls:|)[a-z@~/.:%\\[\\]0-9 é-]{0,20}") {
        match text.parse::<Address>() {
            Ok(address) => prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address)),
            Err(AddressError::Malformed { suggestion: Some(suggestion), .. }) => {
                prop_assert!(suggestion.parse::<Address>().is_ok());
            }
            Err(_) => {}
        }
    }

    #[test]
    fn text_paths_round_trip(path in "[^\0~@][^\0]{0,30}") {
        let address = Address::Unix(PathBuf::from(path));
        prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
    }
}
