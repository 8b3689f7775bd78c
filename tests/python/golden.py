"""Checks this peer against the golden vectors of kaa-rpc-runtime: handshakes, frames, values."""

import re
import struct
import sys
from pathlib import Path

import handshake
import frames as wire
import values
from values import Field, Malformed, Source, Variant, array, enum, exact, map_of, option, set_of, struct_of, vec
from values import U8, U16, U32, I16, F32, BOOL, STRING, BYTES, TIMESTAMP, UUID


def check(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: got {got}, expected {expected}")


def number(text):
    return int(text, 16)


def handshakes(text):
    cases = 0
    for section in re.split(r"^\[", text, flags=re.M)[1:]:
        name, *lines = section.strip().splitlines()
        case = {key.strip(): value.strip() for key, value in (line.split("=") for line in lines)}
        cases += 1
        if "reject" in case:
            fields = handshake.Fields(bytes.fromhex(case["reject"]))
            check(name, (fields.uint(1), fields.uint(4), fields.versions().hex()),
                  (number(case["code"]), number(case["retry_after_ms"]), case["versions"]))
            fields.end()
            continue
        data = {key: bytes.fromhex(value) for key, value in case.items()}
        proofs = handshake.Proofs(data["secret"], data["hello"], data["challenge"], data["binding"])
        check(name, (proofs.client, proofs.server, proofs.session), (data["mac_c"], data["mac_s"], data["session"]))
        limits = handshake.Limits(*struct.unpack(">IIII", data["client_limits"]))
        if (case["client_versions"], case["binding"], case["hello_extensions"]) == ("01", "", ""):
            check(name, handshake.hello(data["client_nonce"], data["client_instance"], limits, data["client_schema"],
                                        data["key_id"], data["audience"]), data["hello"])
            limits = handshake.Limits(*struct.unpack(">IIII", data["server_limits"]))
            if case["server_versions"] == "01":
                check(name, handshake.challenge(data["server_nonce"], data["server_instance"], limits,
                                                data["server_schema"]), data["challenge"])
    return cases


def frames(text):
    """Parses every frame and writes it again; checks the options and items of some frames by name."""
    seen = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, data = line.split(":")
            data = bytes.fromhex(data)
            frame = seen[name] = wire.read_frame(data)
            check(name, frame.length, len(data))
            options = data[wire.HEADER.size:len(data) - len(frame.payload)]
            head = frame.kind, frame.number, frame.token, frame.detail
            check(name, wire.write_frame(*head, frame.payload, frame.flags, options), data)
    check("timed call", seen["timed call"].remaining, 2.0)
    check("nested call", seen["nested call"].parent, (9, 4, 1))
    check("padded call", seen["padded call"].payload, seen["call"].payload)
    check("results", seen["results"].detail, wire.RECEIVERS)
    items = Source(seen["results"].payload)
    check("results", [exact(values.U64, values.read_prefixed(items)) for _ in range(2)], [5, 300])
    return len(seen)


POINT = struct_of("Point", [Field("x", U8), Field("y", U16)])
RANGE = struct_of("TimeRange", [Field("start", TIMESTAMP), Field("end", TIMESTAMP)], sealed=True)
ORDER = enum("Order", [Variant(0, "Start"), Variant(1, "Title"), Variant(2, "Nearest", [Field("degrees", I16)])],
             sealed=True)
SOURCE = enum("Source", [Variant(1, "Broadcast", [Field("channel", U32), Field("lcn", option(U16))]),
                         Variant(2, "Url", [STRING]), Variant(3, "Disc")])
BLOB = struct_of("Blob", [Field("bytes", vec(U8))])
STRUCTURES = {
    "nothing": (struct_of("Nothing", []), {}),
    "point": (POINT, {"x": 1, "y": 300}),
    "option_none": (option(U16), None),
    "option_some": (option(U16), 300),
    "vec_empty": (vec(U8), []),
    "vec_u16": (vec(U16), [1, 2, 300]),
    "vec_points": (vec(POINT), [{"x": 1, "y": 300}, {"x": 7, "y": 8}]),
    "vec_f32": (vec(F32), [1.0, -2.0]),
    "vec_bool": (vec(BOOL), [True, False]),
    "set_strings": (set_of(STRING), {"a", "bb"}),
    "map": (map_of(U8, STRING), {1: "hi", 2: ""}),
    "array_u8": (array(U8, 3), [1, 2, 255]),
    "array_u16": (array(U16, 3), [1, 300, 2]),
    "array_points": (array(POINT, 2), [{"x": 1, "y": 300}, {"x": 7, "y": 8}]),
    "boxed": (POINT, {"x": 1, "y": 300}),
    "sealed_struct": (RANGE, {"start": (1, 0), "end": (2, 300)}),
    "sealed_unit": (ORDER, ("Title", {})),
    "sealed_fields": (ORDER, ("Nearest", {"degrees": -2})),
    "enum_unit": (SOURCE, ("Disc", {})),
    "enum_tuple": (SOURCE, ("Url", {"0": "a"})),
    "enum_fields": (SOURCE, ("Broadcast", {"channel": 7, "lcn": 9})),
    "enum_unknown_unit": (SOURCE, (8, b"")),
    "enum_unknown_empty": (SOURCE, (11, b"")),
    "enum_unknown_payload": (SOURCE, (11, bytes.fromhex("aabbcc"))),
    "enum_unknown_largest": (SOURCE, (0x1fffffffe, b"")),
    "struct_of_250": (BLOB, {"bytes": [0x61] * 249}),
    "struct_of_251": (BLOB, {"bytes": [0x61] * 250}),
    "struct_of_65535": (BLOB, {"bytes": [0x61] * 65532}),
    "struct_of_65536": (BLOB, {"bytes": [0x61] * 65533}),
}


def bytes_of(text):
    return b"".join(bytes.fromhex(part) * int(times or 1)
                    for part, _, times in (one.partition("*") for one in text.split(".")) if part != "-")


def structures(text):
    checked = 0
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, data = line.split()
            if name in STRUCTURES:
                kind, value = STRUCTURES[name]
                check(name, kind.write(value), bytes_of(data))
                check(name, exact(kind, bytes_of(data)), value)
                checked += 1
    check("structures", checked, len(STRUCTURES))
    return checked


def leaf_value(kind, text):
    if kind == "bool":
        return text == "true"
    if kind in ("f32", "f64"):
        return float(text)
    if kind == "char":
        return chr(number(text[2:]))
    if kind == "String":
        return "a" * 251 if text == "a*251" else text.strip('"')
    if kind == "Bytes":
        return bytes.fromhex(text[1:])
    if kind == "Uuid":
        return bytes.fromhex(text.replace("-", ""))
    if kind in ("Duration", "Timestamp"):
        return tuple(map(int, text.split(",")))
    return int(text)


def leaves(text):
    checked = 0
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, value, data = line.split()
            kind, value, data = getattr(values, name.upper()), leaf_value(name, value), bytes.fromhex(data)
            check(line, kind.write(value), data)
            if value == value or name not in ("f32", "f64"):
                got = exact(kind, data)
                check(line, kind.write(got), data)
                if name != "f32":
                    check(line, got, value)
            checked += 1
    return checked


REJECTED = {
    "bool": BOOL, "u16": U16, "u32": U32, "u64": values.U64, "i16": I16, "char": values.CHAR, "String": STRING,
    "Duration": values.DURATION, "Timestamp": TIMESTAMP, "Uuid": UUID, "Bytes": BYTES, "Vec<u64>": vec(values.U64),
    "Set<u8>": set_of(U8), "Set<u16>": set_of(U16), "Map<u8,u8>": map_of(U8, U8), "Option<u16>": option(U16),
    "Point": POINT, "Array<Point,2>": array(POINT, 2), "Array<u8,3>": array(U8, 3), "TimeRange": RANGE, "Order": ORDER,
    "Vec<Point>": vec(POINT),
}


def rejections(text):
    checked = 0
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, data = line.split()[:2]
            if name in REJECTED:
                try:
                    sys.exit(f"{line}: decoded as {exact(REJECTED[name], bytes_of(data))}")
                except Malformed:
                    checked += 1
    return checked


def main():
    folder = Path(sys.argv[1])
    for name, work in (("handshake", handshakes), ("frames", frames), ("structure", structures), ("leaf", leaves),
                       ("rejected", rejections)):
        print(name, work((folder / f"{name}.txt").read_text()))


main()
