"""Encodes and decodes values: docs/idl.md, "The bytes".

Structs are dicts, variants are `(name, fields)` with a dict of fields, newtypes and flags are their inner value,
`Option` is None or the value, `Duration` and `Timestamp` are (seconds, nanoseconds). Bounds are not checked, and types
cannot be recursive: this peer is for tests only.
"""

import struct


class Malformed(Exception):
    """Bytes that are not a value of their type."""


class Source:
    """A reader of bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Malformed("the bytes end within a value")
        self.at += count
        return self.data[self.at - count:self.at]

    def done(self):
        return self.at == len(self.data)

    def uint(self, size):
        return int.from_bytes(self.take(size), "little")

    def text(self):
        """The `text` of docs/wire.md, clause 5.2."""
        return utf8(self.take(self.uint(2)))


class Type:
    """A type: `text` is its canonical form, `parts` are the types that it contains."""

    def __init__(self, text, write, read, parts=()):
        self.text, self.write, self.read, self.parts = text, write, read, list(parts)


def exact(kind, data):
    """Decodes a value that must use all bytes."""
    source = Source(data)
    value = kind.read(source)
    if not source.done():
        raise Malformed("bytes are left over")
    return value


# --- Leaf values -------------------------------------------------------------------------------------------------


def varint(value):
    if value <= 250:
        return bytes([value])
    mark, size = next(pair for pair in ((251, 2), (252, 4), (253, 8), (254, 16)) if value < 1 << 8 * pair[1])
    return bytes([mark]) + value.to_bytes(size, "little")


def read_varint(source):
    first = source.uint(1)
    if first == 255:
        raise Malformed("invalid integer")
    return first if first <= 250 else source.uint(2 << first - 251)


def prefixed(data):
    return varint(len(data)) + data


def read_prefixed(source):
    return source.take(read_varint(source))


def utf8(data):
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Malformed("invalid UTF-8") from error


def unsigned(bits):
    def read(source):
        value = read_varint(source)
        if value >> bits:
            raise Malformed("invalid integer")
        return value
    return Type(f"u{bits}", varint, read)


def signed(bits):
    inner = unsigned(bits)

    def read(source):
        value = inner.read(source)
        return value >> 1 ^ -(value & 1)
    return Type(f"i{bits}", lambda value: varint(value << 1 if value >= 0 else ~value << 1 | 1), read)


def packed(text, layout):
    """A type whose encoding is a format of the module `struct`."""
    return Type(text, lambda value: struct.pack(layout, value),
                lambda source: struct.unpack(layout, source.take(struct.calcsize(layout)))[0])


def read_bool(source):
    value = source.uint(1)
    if value > 1:
        raise Malformed(f"the bool {value} is neither 0 nor 1")
    return value == 1


def read_char(source):
    first = source.take(1)
    more = next((count for count, least in ((3, 0xf0), (2, 0xe0), (1, 0xc0)) if first[0] >= least), 0)
    return utf8(first + source.take(more))


def time(text, seconds):
    def read(source):
        value = seconds.read(source), U32.read(source)
        if value[1] >= 10**9:
            raise Malformed("the nanoseconds are not less than a second")
        return value
    return Type(text, lambda value: seconds.write(value[0]) + U32.write(value[1]), read)


U8, I8, F32, F64 = packed("u8", "B"), packed("i8", "b"), packed("f32", "<f"), packed("f64", "<d")
U16, U32, U64, U128 = map(unsigned, (16, 32, 64, 128))
I16, I32, I64, I128 = map(signed, (16, 32, 64, 128))
BOOL = Type("bool", lambda value: bytes([value]), read_bool)
CHAR = Type("char", str.encode, read_char)
STRING = Type("String", lambda value: prefixed(value.encode()), lambda source: utf8(read_prefixed(source)))
BYTES = Type("Bytes", prefixed, read_prefixed)
UUID = Type("Uuid", bytes, lambda source: source.take(16))
DURATION, TIMESTAMP = time("Duration", U64), time("Timestamp", I64)

# --- Containers --------------------------------------------------------------------------------------------------


def option(inner):
    return Type(f"Option<{inner.text}>", lambda value: b"\0" if value is None else b"\1" + inner.write(value),
                lambda source: inner.read(source) if read_bool(source) else None, [inner])


def vec(inner):
    return Type(f"Vec<{inner.text}>", lambda value: varint(len(value)) + b"".join(map(inner.write, value)),
                lambda source: [inner.read(source) for _ in range(read_varint(source))], [inner])


def distinct(keys, value):
    if len(set(keys)) < len(keys):
        raise Malformed("a key occurs twice")
    return value


def set_of(inner):
    def read(source):
        keys = [inner.read(source) for _ in range(read_varint(source))]
        return distinct(keys, set(keys))
    return Type(f"Set<{inner.text}>", lambda value: varint(len(value)) + b"".join(map(inner.write, sorted(value))),
                read, [inner])


def map_of(key, value):
    def write(entries):
        return varint(len(entries)) + b"".join(key.write(k) + value.write(v) for k, v in sorted(entries.items()))

    def read(source):
        pairs = [(key.read(source), value.read(source)) for _ in range(read_varint(source))]
        return distinct([k for k, _ in pairs], dict(pairs))
    return Type(f"Map<{key.text}, {value.text}>", write, read, [key, value])


def array(inner, count):
    return Type(f"[{inner.text}; {count}]", lambda value: b"".join(map(inner.write, value)),
                lambda source: [inner.read(source) for _ in range(count)], [inner])


# --- Fields and named types ----------------------------------------------------------------------------------------

MISSING = object()


class Field:
    """A field or a parameter. An `Option` is None by default. `tombstone` is the value that a deleted field sends."""

    def __init__(self, name, kind, default=MISSING, tombstone=MISSING):
        self.name, self.kind, self.tombstone = name, kind, tombstone
        self.default = None if default is MISSING and kind.text.startswith("Option<") else default

    def fills(self):
        """The value of a field that is not given, or MISSING."""
        return self.default if self.tombstone is MISSING else self.tombstone


def write_fields(fields, values):
    unknown = values.keys() - {field.name for field in fields}
    if unknown:
        raise TypeError(f"there are no fields {unknown}")
    return b"".join(field.kind.write(values.get(field.name, field.fills())) for field in fields)


def read_fields(fields, data):
    """Decodes fields from all these bytes: missing fields get their defaults, further bytes are skipped."""
    source, values = Source(data), {}
    for field in fields:
        if not source.done():
            values[field.name] = field.kind.read(source)
        elif field.fills() is not MISSING:
            values[field.name] = field.fills()
        else:
            raise Malformed(f"the field {field.name} is missing and has no default")
    return values


STRUCT, SEALED_STRUCT, ENUM, SEALED_ENUM, FLAGS, NEWTYPE = range(6)  # docs/idl.md, "Canonical form"


class Named(Type):
    """A type with a qualified wire name. `fields` belong to a struct, `variants` to an enum, `values` to flags."""

    def __init__(self, form, name, write, read, parts):
        super().__init__(name, write, read, parts)
        self.form, self.fields, self.variants, self.values = form, [], [], {}


def struct_of(name, fields, sealed=False):
    if sealed:
        named = Named(SEALED_STRUCT, name, lambda value: write_fields(fields, value),
                      lambda source: {field.name: field.kind.read(source) for field in fields},
                      [field.kind for field in fields])
    else:
        named = Named(STRUCT, name, lambda value: prefixed(write_fields(fields, value)),
                      lambda source: read_fields(fields, read_prefixed(source)), [field.kind for field in fields])
    named.fields = fields
    return named


def newtype(name, inner):
    named = Named(NEWTYPE, name, inner.write, inner.read, [inner])
    named.fields = [Field("0", inner)]
    named.fields[0].default = MISSING  # an `Option` in a newtype has no default either
    return named


def flags(name, carrier, values):
    named = Named(FLAGS, name, carrier.write, carrier.read, [])
    named.carrier, named.values = carrier, values
    return named


class Variant:
    """A variant of an enum: `payload` is None, a list of types (a tuple), or a list of fields (a record)."""

    def __init__(self, tag, name, payload=None):
        self.tag, self.name, self.has_payload = tag, name, payload is not None
        parts = enumerate(payload or [])
        self.fields = [part if isinstance(part, Field) else Field(str(at), part) for at, part in parts]
        self.kind = 0 if payload is None else 2 if payload and isinstance(payload[0], Field) else 1


def enum(name, variants, sealed=False):
    """An enum or an error. An unknown variant of an open enum is read as (tag and bit, bytes), and written unchanged."""
    by_name = {variant.name: variant for variant in variants}
    by_tag = {variant.tag: variant for variant in variants}

    def write(value):
        name, values = value if isinstance(value, tuple) else (value, {})
        if isinstance(name, int):
            return varint(name) + (prefixed(values) if name & 1 else b"")
        variant = by_name[name]
        data = write_fields(variant.fields, values)
        if sealed:
            return varint(variant.tag) + data
        return varint(variant.tag * 2 + variant.has_payload) + (prefixed(data) if variant.has_payload else b"")

    def read_open(source):
        tag = read_varint(source)
        if tag >> 33:
            raise Malformed(f"unknown tag {tag >> 1}")
        data = read_prefixed(source) if tag & 1 else b""
        if tag >> 1 not in by_tag:
            return tag, data
        return by_tag[tag >> 1].name, read_fields(by_tag[tag >> 1].fields, data)

    def read_sealed(source):
        tag = read_varint(source)
        if tag not in by_tag:
            raise Malformed(f"unknown tag {tag}")
        return by_tag[tag].name, {field.name: field.kind.read(source) for field in by_tag[tag].fields}

    parts = [field.kind for variant in variants for field in variant.fields]
    named = Named(SEALED_ENUM if sealed else ENUM, name, write, read_sealed if sealed else read_open, parts)
    named.variants = variants
    return named
