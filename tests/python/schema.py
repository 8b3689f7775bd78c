"""The hashes of a schema (docs/idl.md, "Canonical form"), and how peers compare them (docs/wire.md, section 5)."""

import hashlib
import struct

from values import ENUM, FLAGS, MISSING, NEWTYPE, SEALED_ENUM, SEALED_STRUCT, STRUCT, Named, Source

# --- Canonical form ----------------------------------------------------------------------------------------------


def n(value):
    return value.to_bytes(4, "big")


def t(text):
    return n(len(text.encode())) + text.encode()


def h(data):
    return hashlib.sha256(data).digest()


def published(whole):
    return int.from_bytes(whole[:8], "big")


def default_of(field):
    value = field.default
    if value is MISSING:
        return b"\0"
    if value is None:
        return b"\1"
    if isinstance(value, bool):
        return bytes([2, value])
    if isinstance(value, int):
        return bytes([3 if value >= 0 else 4]) + value.to_bytes(16, "big", signed=value < 0)
    if isinstance(value, float):
        return b"\5" + struct.pack(">d", value)
    if isinstance(field.kind, Named) and field.kind.variants:
        return b"\7" + n(next(variant.tag for variant in field.kind.variants if variant.name == value))
    if isinstance(value, str):
        return b"\6" + t(value)
    return b"\x09" if isinstance(value, dict) else b"\x08"


def chain(start, fields):
    """h_0 and then h_1 … h_m over the fields."""
    hashes = [h(start)]
    for field in fields:
        hashes.append(h(hashes[-1] + t(field.name) + t(field.kind.text) + default_of(field)))
    return hashes


def chain_elements(fields, hashes):
    return [(field.name, position, published(value), field.fills() is not MISSING)
            for position, (field, value) in enumerate(zip(fields, hashes[1:]))]


def hash_and_elements(named):
    """The hash of a type, and its elements as tables list them: name, tag, hash, whether there is a default."""
    start = t("kaa type") + bytes([named.form]) + t(named.text)
    if named.form in (STRUCT, SEALED_STRUCT, NEWTYPE):
        hashes = chain(start, named.fields)
        return hashes[-1], chain_elements(named.fields, hashes)
    elements, whole = [], start
    if named.form == FLAGS:
        start = whole = start + t(named.carrier.text)
        for name, value in sorted(named.values.items(), key=lambda pair: pair[1]):
            one = h(start + value.to_bytes(8, "big") + t(name))
            elements.append((name, value, published(one), False))
            whole += one
    for variant in sorted(named.variants, key=lambda variant: variant.tag):
        one = chain(start + n(variant.tag) + t(variant.name) + bytes([variant.kind]), variant.fields)[-1]
        elements.append((variant.name, variant.tag, published(one), False))
        whole += n(variant.tag) + one
    return h(whole), elements


class Method:
    """A method. `items` is the parameter that is a stream, if any; with `streams`, `result` is the type of an item."""

    def __init__(self, name, parameters=(), result=None, throws=None, oneway=False, items=None, streams=False):
        self.name, self.parameters, self.result, self.throws = name, list(parameters), result, throws
        self.oneway, self.items, self.streams = oneway, items, streams

    def belongs(self, service, role):
        """Computes the id and the hashes, which depend on the service."""
        full = f"{service}/{role}/{self.name}"
        self.id = int.from_bytes(h(full.encode())[:4], "big")
        head = bytes([role == "client", self.oneway, self.streams + 2 * (self.items is not None)])
        items = t(self.items.name) + t(self.items.kind.text) if self.items else b""

        def signature(error):
            return h(t("kaa method") + head + t(self.result.text if self.result else "()") + t(error) + items)

        error = self.throws.text if self.throws else ""
        self.signature, self.compared_signature = signature(error), published(signature(""))
        self.compared_throws = published(h(t("kaa throws") + t(error))) if self.throws else 0
        self.chain = chain(t("kaa parameters") + t(full), self.parameters)
        self.elements = chain_elements(self.parameters, self.chain)


class Service:
    """A service: the methods of both sides by name, and the hashes that peers compare."""

    def __init__(self, name, server=(), client=()):
        self.name = name
        self.server, self.client = ({method.name: method for method in side} for side in (server, client))
        self.methods = [*server, *client]
        for method in self.methods:
            method.belongs(name, "server" if method in server else "client")
        self.methods.sort(key=lambda method: method.id)
        self.types = {}
        waiting = [kind for method in self.methods for kind in (method.result, method.throws) if kind]
        waiting += [field.kind for method in self.methods for field in method.parameters + [method.items] if field]
        while waiting:
            kind = waiting.pop()
            waiting += kind.parts
            if isinstance(kind, Named):
                self.types[kind.text] = kind, *hash_and_elements(kind)
        self.fingerprint = h(
            t("kaa service") + t(name)
            + n(len(self.methods)) + b"".join(n(one.id) + one.signature + one.chain[-1] for one in self.methods)
            + n(len(self.types)) + b"".join(t(name) + whole for name, (_, whole, _) in sorted(self.types.items())))


def schema_fingerprint(services):
    """docs/wire.md, clause 2.8."""
    ascending = sorted(services, key=lambda service: service.name)
    return h(b"kaa-rpc/1 schema\0" + b"".join(t(service.name) + service.fingerprint for service in ascending))


# --- Comparison --------------------------------------------------------------------------------------------------


def text(value):
    return struct.pack("<H", len(value.encode())) + value.encode()


def summary(services):
    """Clause 5.2."""
    return struct.pack("<I", len(services)) + b"".join(text(one.name) + one.fingerprint for one in services)


def read_summary(data):
    source = Source(data)
    return {source.text(): source.take(32) for _ in range(source.uint(4))}


def table(service):
    """Clause 5.3."""
    def listed(elements):
        return struct.pack("<I", len(elements)) + b"".join(
            text(name) + struct.pack("<QQB", tag, value, default) for name, tag, value, default in elements)

    parts = [text(service.name), struct.pack("<I", len(service.methods))]
    for one in service.methods:
        hashes = struct.pack("<QQ", one.compared_signature, one.compared_throws)
        parts.append(struct.pack("<I", one.id) + text(one.name) + hashes + listed(one.elements))
    parts.append(struct.pack("<I", len(service.types)))
    for name, (kind, _, elements) in sorted(service.types.items()):
        parts.append(text(name) + bytes([SEALED_STRUCT if kind.form == NEWTYPE else kind.form]) + listed(elements))
    return b"".join(parts)


def read_table(data):
    """The service's name, its methods by id and its types by name."""
    source = Source(data)

    def listed():
        return [(source.text(), source.uint(8), source.uint(8), source.uint(1) == 1) for _ in range(source.uint(4))]

    name = source.text()
    methods = {source.uint(4): (source.text(), source.uint(8), source.uint(8), listed()) for _ in range(source.uint(4))}
    types = {source.text(): (source.uint(1), listed()) for _ in range(source.uint(4))}
    return name, methods, types


def contradictions(service, data):
    """The elements of the peer's table that are incompatible with a service: clause 5.4."""
    (_, own_methods, own_types), (_, methods, types) = read_table(table(service)), read_table(data)
    for number in own_methods.keys() & methods.keys():
        name, *own_hashes, own = own_methods[number]
        _, *hashes, theirs = methods[number]
        if own_hashes[0] != hashes[0] or (0 not in (own_hashes[1], hashes[1]) and own_hashes[1] != hashes[1]):
            yield f"method {name}"
        yield from ends_of_chains(f"method {name}", own, theirs)
    for name in own_types.keys() & types.keys():
        (form, own), (their_form, theirs) = own_types[name], types[name]
        if form != their_form:
            yield f"type {name}"
        elif form == STRUCT:
            yield from ends_of_chains(f"type {name}", own, theirs)
        elif form == SEALED_STRUCT:
            if [element[2] for element in own] != [element[2] for element in theirs]:
                yield f"type {name}"
        else:
            hashes, tags = {element[1]: element[2] for element in own}, {element[0]: element[1] for element in own}
            if form == SEALED_ENUM and hashes.keys() != {element[1] for element in theirs}:
                yield f"type {name}"
            for element, tag, value, _ in theirs:
                if hashes.get(tag, value) != value or tags.get(element, tag) != tag:
                    yield f"variant {name}.{element}"


def ends_of_chains(where, own, theirs):
    """The shorter chain must be a prefix of the longer, and the further elements must have defaults."""
    shorter = min(len(own), len(theirs))
    for one, other in zip(own, theirs):
        if one[2] != other[2]:
            yield f"{where}, {other[0]}"
            return
    for name, _, _, has_default in own[shorter:] + theirs[shorter:]:
        if not has_default:
            yield f"{where}, {name}"
