"""The handshake, for client and server: docs/wire.md, section 2."""

import hashlib
import hmac
import os
import struct
from dataclasses import dataclass

MAGIC = b"KAARPC\r\n"
VERSIONS = b"\x01"
REASONS = {1: "authentication failed", 2: "no version in common", 3: "busy", 4: "connected to itself", 5: "malformed"}


class HandshakeFailed(Exception):
    """The handshake failed; the text is the reason."""


class Rejected(HandshakeFailed):
    """The server sent REJECT."""

    def __init__(self, code):
        super().__init__(f"rejected: {REASONS.get(code, f'unknown reason {code}')}")
        self.code = code


@dataclass
class Limits:
    """The limits of one peer: clause 2.8."""

    max_frame: int = 4 << 20
    max_inbound_calls: int = 256
    oneway_window: int = 256
    stream_window: int = 256 << 10

    def write(self):
        return struct.pack(">IIII", self.max_frame, self.max_inbound_calls, self.oneway_window, self.stream_window)


@dataclass
class Established:
    """The result of the handshake."""

    session: bytes
    limits: Limits  # the peer's
    schema: bytes  # the peer's fingerprint


def message(kind, fields):
    """The envelope of clause 2.2."""
    return struct.pack(">HB", len(fields) + 1, kind) + fields


def short(data):
    return bytes([len(data)]) + data


class Fields:
    """The fields of a message, read in order. A message must end after its last field."""

    def __init__(self, whole):
        self.rest = whole[3:]

    def take(self, count):
        if count > len(self.rest):
            raise HandshakeFailed("a message is too short")
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def uint(self, size):
        return int.from_bytes(self.take(size), "big")

    def versions(self):
        versions = self.take(self.uint(1))
        if not 1 <= len(versions) <= 16 or 0 in versions or any(a <= b for a, b in zip(versions, versions[1:])):
            raise HandshakeFailed("an invalid list of versions")
        return versions

    def limits(self):
        limits = Limits(*(self.uint(4) for _ in range(4)))
        if limits.max_frame < 1024 or 0 in (limits.max_inbound_calls, limits.oneway_window, limits.stream_window):
            raise HandshakeFailed("invalid limits")
        return limits

    def end(self):
        self.take(self.uint(2))  # extensions are ignored: clause 2.5
        self.require_end()

    def require_end(self):
        if self.rest:
            raise HandshakeFailed("a message is too long")


async def receive(reader, *kinds):
    """Reads the next message, which must be of one of these types. Returns its bytes as they were on the wire."""
    head = await reader.readexactly(3)
    length, kind = struct.unpack(">HB", head)
    if not 1 <= length <= 1024 or kind not in kinds:
        raise HandshakeFailed("an unexpected message")
    whole = head + await reader.readexactly(length - 1)
    if kind == 5:
        fields = Fields(whole)
        code = fields.uint(1)
        fields.uint(4), fields.versions(), fields.end()
        raise Rejected(code)
    return whole


class Proofs:
    """Clause 2.6."""

    def __init__(self, secret, hello, challenge, binding=b""):
        def lp(part):
            return struct.pack(">I", len(part)) + part

        def mac(data):
            return hmac.new(secret, data, hashlib.sha256).digest()
        th = hashlib.sha256(lp(b"kaa-rpc/1 transcript") + lp(hello) + lp(challenge) + lp(binding)).digest()
        self.client = mac(b"kaa-rpc/1 client proof\0" + th)
        self.server = mac(b"kaa-rpc/1 server proof\0" + th + self.client)
        self.session = mac(b"kaa-rpc/1 session\0" + th + self.client)[:16]


def hello(nonce, instance, limits, schema, key_id=b"", audience=b""):
    return message(1, MAGIC + short(VERSIONS) + nonce + instance + short(key_id) + short(audience)
                   + struct.pack(">BQ", 0, 0) + limits.write() + schema + b"\0\0")


def challenge(nonce, instance, limits, schema):
    return message(2, VERSIONS + short(VERSIONS) + nonce + instance + struct.pack(">BQ", 0, 0) + limits.write()
                   + schema + b"\0\0")


async def as_client(reader, writer, secret, limits, schema, instance, audience=b""):
    hello_message = hello(os.urandom(32), instance, limits, schema, audience=audience)
    writer.write(hello_message)
    challenge_message = await receive(reader, 2, 5)
    fields = Fields(challenge_message)
    version, versions = fields.uint(1), fields.versions()
    if version != max(set(VERSIONS) & set(versions), default=0):  # clause 2.4
        raise HandshakeFailed(f"version {version} is not the highest in common")
    fields.take(32)
    if fields.take(16) == instance:  # clause 2.7
        raise HandshakeFailed("connected to itself")
    if fields.uint(1) != 0:  # clause 2.9: this peer has no channel binding
        raise HandshakeFailed("the server's channel binding differs")
    fields.take(8)
    established = Established(b"", fields.limits(), fields.take(32))
    fields.end()
    proofs = Proofs(secret, hello_message, challenge_message)
    writer.write(message(3, proofs.client))
    accept = Fields(await receive(reader, 4, 5))
    if not hmac.compare_digest(accept.take(32), proofs.server):
        raise HandshakeFailed("the server's proof does not match")
    accept.require_end()
    established.session = proofs.session
    return established


async def as_server(reader, writer, secret, limits, schema, instance):
    def reject(code, reason):
        writer.write(message(5, struct.pack(">BI", code, 0) + short(VERSIONS) + b"\0\0"))
        raise HandshakeFailed(reason)

    hello_message = await receive(reader, 1)
    fields = Fields(hello_message)
    if fields.take(8) != MAGIC:
        raise HandshakeFailed("not kaa-rpc")  # without a REJECT: clause 2.2
    try:
        versions = fields.versions()
        fields.take(32)
        theirs = fields.take(16)
        key_id, audience = fields.take(fields.uint(1)), fields.take(fields.uint(1))
        if len(key_id) > 32 or len(audience) > 64:
            raise HandshakeFailed("a name is too long")
        binding, _ = fields.uint(1), fields.take(8)
        established = Established(b"", fields.limits(), fields.take(32))
        fields.end()
    except HandshakeFailed as error:
        reject(5, str(error))
    if 1 not in versions:
        reject(2, "no version in common")
    if theirs == instance:
        reject(4, "connected to itself")
    challenge_message = challenge(os.urandom(32), instance, limits, schema)
    writer.write(challenge_message)
    # Clause 2.10: for an unknown key id the proof is checked against a random secret. This server has one secret,
    # whose key id is empty.
    proofs = Proofs(secret if key_id == b"" else os.urandom(32), hello_message, challenge_message)
    proof = await receive(reader, 3)
    matches = hmac.compare_digest(proof[3:], proofs.client)
    if not matches or audience != b"" or binding != 0:
        reject(1, "the client's proof does not match")
    writer.write(message(4, proofs.server))
    established.session = proofs.session
    return established
