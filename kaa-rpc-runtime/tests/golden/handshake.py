"""Computes handshake.txt from docs/wire.md, section 2, with nothing but the standard library.

Usage: python3 handshake.py > handshake.txt

It shares no code with the implementation, so that one mistake cannot be in both. The output has the inputs and the
results of each case, in hexadecimal. A value may be empty.
"""

import hashlib
import hmac
import struct


def lp(part):
    return struct.pack(">I", len(part)) + part


def short(part):
    return bytes([len(part)]) + part


def message(kind, fields):
    return struct.pack(">HB", len(fields) + 1, kind) + fields


def limits(four):
    return struct.pack(">IIII", *four)


def hello(case):
    return message(1, b"KAARPC\r\n" + short(bytes(case["client_versions"])) + case["client_nonce"]
                   + case["client_instance"] + short(case["key_id"]) + short(case["audience"])
                   + bytes([1 if case["binding"] else 0]) + struct.pack(">Q", case["client_features"])
                   + limits(case["client_limits"]) + case["client_schema"]
                   + struct.pack(">H", len(case["hello_extensions"])) + case["hello_extensions"])


def challenge(case):
    return message(2, bytes([1]) + short(bytes(case["server_versions"])) + case["server_nonce"]
                   + case["server_instance"] + bytes([1 if case["binding"] else 0])
                   + struct.pack(">Q", case["server_features"]) + limits(case["server_limits"])
                   + case["server_schema"]
                   + struct.pack(">H", len(case["challenge_extensions"])) + case["challenge_extensions"])


def derive(case):
    def mac(data):
        return hmac.new(case["secret"], data, hashlib.sha256).digest()

    out = {"hello": hello(case), "challenge": challenge(case)}
    th = hashlib.sha256(lp(b"kaa-rpc/1 transcript") + lp(out["hello"]) + lp(out["challenge"])
                        + lp(case["binding"])).digest()
    mac_c = mac(b"kaa-rpc/1 client proof\0" + th)
    mac_s = mac(b"kaa-rpc/1 server proof\0" + th + mac_c)
    out["th"] = th
    out["mac_c"] = mac_c
    out["mac_s"] = mac_s
    out["session"] = mac(b"kaa-rpc/1 session\0" + th + mac_c)[:16]
    out["proof"] = message(3, mac_c)
    out["accept"] = message(4, mac_s)
    return out


def count(first, length):
    return bytes((first + step) % 256 for step in range(length))


PLAIN = {
    "secret": b"sixteen bytes ok",
    "key_id": b"",
    "audience": b"",
    "binding": b"",
    "client_versions": [1],
    "server_versions": [1],
    "client_nonce": count(0x00, 32),
    "server_nonce": count(0x20, 32),
    "client_instance": count(0x40, 16),
    "server_instance": count(0x50, 16),
    "client_features": 0,
    "server_features": 0,
    "client_limits": (4194304, 256, 256, 262144),
    "server_limits": (4194304, 256, 256, 262144),
    "client_schema": count(0x60, 32),
    "server_schema": count(0x60, 32),
    "hello_extensions": b"",
    "challenge_extensions": b"",
}

CASES = {
    "plain": PLAIN,
    "named and bound": PLAIN | {
        "secret": b"0123456789abcdef" * 4,
        "key_id": b"2031-autumn",
        "audience": b"tv.epg",
        "binding": count(0xe0, 32),
        "client_limits": (1024, 1, 2, 3),
        "server_limits": (0x01020304, 0x05060708, 0x090a0b0c, 0x0d0e0f10),
        "server_schema": count(0x80, 32),
    },
    "longest names, secret longer than a block": PLAIN | {
        "secret": count(0x01, 100),
        "key_id": count(0xc0, 32),
        "audience": b"a" * 62 + "é".encode(),
    },
    # Versions above 1, features and extensions, which version 1 must tolerate on either end.
    "later client": PLAIN | {
        "client_versions": [9, 2, 1],
        "client_features": 0x8000000000000001,
        "hello_extensions": bytes.fromhex("0007" "0003" "abcdef"),
    },
    "later server": PLAIN | {
        "server_versions": [200, 1],
        "server_features": 0xffffffffffffffff,
        "challenge_extensions": bytes.fromhex("0001" "0000"),
    },
}

REJECTS = {
    "authentication failed": (1, 0, [1]),
    "no version in common": (2, 0, [3, 2]),
    "busy": (3, 1500, [1]),
    "connection to oneself": (4, 0, [1]),
    "malformed": (5, 0, [1]),
    "code of a later version": (77, 0, [2, 1]),
}


def text(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return bytes(value).hex()
    if isinstance(value, tuple):
        return struct.pack(">IIII", *value).hex()
    return struct.pack(">Q", value).hex()


def main():
    print("# Made by handshake.py from docs/wire.md, section 2. All values in hexadecimal.")
    for name, case in CASES.items():
        print(f"\n[{name}]")
        for key, value in (case | derive(case)).items():
            print(f"{key} = {text(value)}".rstrip())
    for name, (code, retry_after, versions) in REJECTS.items():
        print(f"\n[reject: {name}]")
        fields = bytes([code]) + struct.pack(">I", retry_after) + short(bytes(versions)) + struct.pack(">H", 0)
        print(f"code = {code:02x}\nretry_after_ms = {retry_after:08x}\nversions = {text(versions)}")
        print(f"reject = {message(5, fields).hex()}")


main()
