//! Both ends against vectors that another program has computed from the specification
//! (`tests/golden/handshake.py`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kaa_rpc_runtime::protocol::handshake::message::{Challenge, Hello, Reject, RejectCode};
use kaa_rpc_runtime::protocol::handshake::{
    Audience, ChannelBinding, ClientHandshake, ClientParameters, InstanceId, ServerHandshake,
    ServerParameters,
};
use kaa_rpc_runtime::protocol::limits::Limits;
use kaa_rpc_runtime::secret::{KeyId, Keys, Secret};

use crate::ends::{End, input};

const VECTORS: &str = include_str!("../golden/handshake.txt");

/// One case of the file: names and their bytes.
struct Case {
    name: String,
    values: HashMap<String, Vec<u8>>,
}

impl Case {
    fn bytes(&self, key: &str) -> &[u8] {
        self.values.get(key).unwrap_or_else(|| panic!("{} has no {key}", self.name))
    }

    fn array<const N: usize>(&self, key: &str) -> [u8; N] {
        self.bytes(key).try_into().unwrap()
    }

    fn limits(&self, key: &str) -> Limits {
        Limits::decode(self.array(key)).unwrap()
    }

    fn binding(&self) -> Option<ChannelBinding> {
        (!self.bytes("binding").is_empty()).then(|| ChannelBinding::tls_exporter(self.array("binding")))
    }

    fn audience(&self) -> Audience {
        Audience::new(std::str::from_utf8(self.bytes("audience")).unwrap()).unwrap()
    }

    fn client(&self) -> ClientParameters {
        ClientParameters {
            nonce: self.array("client_nonce"),
            instance: InstanceId::new(self.array("client_instance")),
            key_id: KeyId::new(self.bytes("key_id")).unwrap(),
            secret: Secret::new(self.bytes("secret")).unwrap(),
            audience: self.audience(),
            binding: self.binding(),
            limits: self.limits("client_limits"),
            schema: self.array("client_schema"),
        }
    }

    fn server(&self) -> ServerParameters {
        let key_id = KeyId::new(self.bytes("key_id")).unwrap();
        ServerParameters {
            nonce: self.array("server_nonce"),
            decoy: Secret::new([0; 16]).unwrap(),
            instance: InstanceId::new(self.array("server_instance")),
            keys: Arc::new(Keys::new().with(key_id, Secret::new(self.bytes("secret")).unwrap())),
            audience: self.audience(),
            binding: self.binding(),
            limits: self.limits("server_limits"),
            schema: self.array("server_schema"),
        }
    }
}

fn cases(select: impl Fn(&str) -> bool) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in VECTORS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            cases.push(Case { name: name.trim_end_matches(']').to_owned(), values: HashMap::new() });
        } else {
            let (key, value) = line.split_once('=').unwrap();
            cases.last_mut().unwrap().values.insert(key.trim().to_owned(), unhex(value.trim()));
        }
    }
    cases.retain(|case| select(&case.name));
    assert!(!cases.is_empty());
    cases
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn client_matches_golden_bytes() {
    for case in cases(|name| !name.starts_with("reject") && name != "later client") {
        let mut client = ClientHandshake::new(case.client());
        assert_eq!(client.output(), case.bytes("hello"), "{}", case.name);
        assert_eq!(End::of(client.handle_input(&mut input(case.bytes("challenge")))), End::Waiting);
        assert_eq!(client.output(), case.bytes("proof"), "{}", case.name);
        let established = End::of(client.handle_input(&mut input(case.bytes("accept")))).established();
        assert_eq!(established.session_id.as_bytes(), case.bytes("session"), "{}", case.name);
        assert_eq!(established.version, 1);
        assert_eq!(established.peer_instance.as_bytes(), case.bytes("server_instance"));
        assert_eq!(established.peer_limits, case.limits("server_limits"));
        assert_eq!(established.peer_schema, case.bytes("server_schema"));
        assert_eq!(established.key_id.as_bytes(), case.bytes("key_id"));
        assert_eq!(established.features, 0);
    }
}

#[test]
fn server_matches_golden_bytes() {
    for case in cases(|name| !name.starts_with("reject") && name != "later server") {
        let mut server = ServerHandshake::new(case.server());
        assert_eq!(End::of(server.handle_input(&mut input(case.bytes("hello")))), End::Waiting);
        assert_eq!(server.output(), case.bytes("challenge"), "{}", case.name);
        let established = End::of(server.handle_input(&mut input(case.bytes("proof")))).established();
        assert_eq!(server.output(), case.bytes("accept"), "{}", case.name);
        assert_eq!(established.session_id.as_bytes(), case.bytes("session"), "{}", case.name);
        assert_eq!(established.version, 1);
        assert_eq!(established.peer_instance.as_bytes(), case.bytes("client_instance"));
        assert_eq!(established.peer_limits, case.limits("client_limits"));
        assert_eq!(established.peer_schema, case.bytes("client_schema"));
        assert_eq!(established.key_id.as_bytes(), case.bytes("key_id"));
        assert_eq!(established.features, 0);
    }
}

#[test]
fn later_versions_decode_as_version_1() {
    let case = cases(|name| name == "later client").remove(0);
    let hello = Hello::decode(case.bytes("hello")).unwrap();
    assert_eq!(hello.versions, [9, 2, 1]);
    assert_eq!(hello.features, 0x8000_0000_0000_0001);
    assert_eq!(hello.schema, case.bytes("client_schema"));
    let case = cases(|name| name == "later server").remove(0);
    let challenge = Challenge::decode(case.bytes("challenge")).unwrap();
    assert_eq!(challenge.versions, [200, 1]);
    assert_eq!(challenge.features, u64::MAX);
}

#[test]
fn rejections_match_golden_bytes() {
    let cases = cases(|name| name.starts_with("reject"));
    assert_eq!(cases.len(), 6);
    for case in cases {
        let reject = Reject {
            code: RejectCode::from_byte(case.bytes("code")[0]),
            retry_after: Duration::from_millis(u32::from_be_bytes(case.array("retry_after_ms")).into()),
            versions: case.bytes("versions").to_vec(),
        };
        assert_eq!(reject.encode(), case.bytes("reject"), "{}", case.name);
        assert_eq!(Reject::decode(case.bytes("reject")), Ok(reject), "{}", case.name);
    }
}
