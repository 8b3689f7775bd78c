"""Frames: docs/wire.md, section 3."""

import struct
from typing import NamedTuple

from values import Malformed, Source

CALL, ONEWAY, REPLY, CANCEL, ITEM, END, CREDIT, ONEWAY_CREDIT, SCHEMA, PING, PONG, GOODBYE = range(1, 13)  # clause 3.2
REMAINING, PARENT, METADATA, STREAM = 0x01, 0x02, 0x04, 0x08  # clause 3.3
# Clause 3.5.
OK, DECLARED, FAULT, UNKNOWN_METHOD, BAD_REQUEST, EXHAUSTED, DEADLINE, CANCELLED, TOO_LARGE, REFUSED = range(10)
SHUTDOWN, PROTOCOL, SCHEMAS, CLOSED, RATE_LIMITED, FRAME_TOO_LARGE = range(6)  # clause 4.9
RECEIVERS = 1 << 31  # clause 7.2: the frame is about a call of its receiver
FINISHED, BROKEN, STOP = range(3)  # clause 7.2
HEADER = struct.Struct("<IBBHQII")  # clause 3.1


class ProtocolError(Exception):
    """The peer has violated the protocol; the connection ends."""

    def __init__(self, text, reason=PROTOCOL):
        super().__init__(text)
        self.reason = reason


class Frame(NamedTuple):
    """A received frame."""

    length: int
    kind: int
    flags: int
    number: int
    token: int
    detail: int
    remaining: float | None  # seconds
    parent: tuple | None  # call id, token, depth
    payload: bytes


def write_frame(kind, number=0, token=0, detail=0, payload=b"", flags=0, options=b""):
    offset = HEADER.size + len(options)
    return HEADER.pack(offset + len(payload), kind, flags, offset, number, token, detail) + options + payload


def read_frame(data):
    length, kind, flags, offset, number, token, detail = HEADER.unpack_from(data)
    if not HEADER.size <= offset <= min(4096, length) or not CALL <= kind <= GOODBYE:
        raise ProtocolError("an invalid header")
    if flags & ~(REMAINING | PARENT | METADATA | STREAM):
        raise ProtocolError(f"unknown flags {flags:#x}")
    options = Source(data[HEADER.size:offset])
    try:
        remaining = options.uint(8) / 1e6 if flags & REMAINING else None
        parent = (options.uint(8), options.uint(4), options.uint(4)) if flags & PARENT else None
        if flags & METADATA:
            options.take(options.uint(4))
    except Malformed as error:
        raise ProtocolError("truncated options") from error
    return Frame(length, kind, flags, number, token, detail, remaining, parent, data[offset:])
