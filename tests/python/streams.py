"""Sent and received streams: docs/wire.md, section 7."""

import asyncio

from frames import HEADER, ProtocolError
from values import Source, prefixed, read_prefixed

BATCH = 16 << 10  # clause 7.3


class TooLarge(Exception):
    """An item is too large for a frame of the peer; the arguments are its size and the limit."""


class Sending:
    """A stream that this peer sends. `send_frame` writes one StreamItem and returns its length."""

    def __init__(self, limits, kind, send_frame):
        self.kind, self.send_frame = kind, send_frame
        self.credit = self.window = limits.stream_window  # clause 7.4
        self.room = limits.max_frame - HEADER.size
        self.stopped, self.changed = False, asyncio.Event()
        self.waits = 0  # how often there was no credit

    def grant(self, count):
        if count == 0 or self.credit + count > self.window:
            raise ProtocolError("more credit than was spent")
        self.credit += count
        self.changed.set()

    def stop(self):
        self.stopped = True
        self.changed.set()

    async def send_all(self, items):
        """Sends all items. Returns False if the peer stopped the stream."""
        async for payload in self._payloads(items):
            while self.credit <= 0 and not self.stopped:
                self.waits += 1
                self.changed.clear()
                await self.changed.wait()
            if self.stopped:
                return False
            self.credit -= await self.send_frame(payload)
        return True

    async def _payloads(self, items):
        """Batches the items of a plain iterable, which are all ready; sends others one by one (clause 7.3)."""
        if hasattr(items, "__aiter__"):
            async for item in items:
                yield self._one(item)
            return
        batch = b""
        for item in items:
            data = self._one(item)
            if batch and len(batch) + len(data) > min(BATCH, self.room):
                yield batch
                batch = b""
            batch += data
        if batch:
            yield batch

    def _one(self, item):
        data = prefixed(self.kind.write(item))
        if len(data) > self.room:
            raise TooLarge(len(data) + HEADER.size, self.room + HEADER.size)
        return data


class Receiving:
    """A stream that this peer receives, as an asynchronous iterator. `send_credit` grants the peer credit."""

    def __init__(self, limits, kind, send_credit):
        self.kind, self.send_credit = kind, send_credit
        self.credit = self.window = limits.stream_window
        self.consumed = 0  # bytes of consumed frames for which no credit was returned yet
        self.frames, self.ended, self.failure, self.changed = [], False, None, asyncio.Event()
        self.credits = 0  # how often credit was returned

    def receive(self, payload, length):
        if self.ended:
            raise ProtocolError("items after the stream's end")
        if self.credit <= 0 or not payload:
            raise ProtocolError("items without credit, or an empty frame of items")
        self.credit -= length
        self.frames.append((payload, length))
        self.changed.set()

    def end(self, failure=None):
        self.ended, self.failure = True, failure
        self.changed.set()

    async def __aiter__(self):
        while True:
            while self.frames:
                payload, length = self.frames.pop(0)
                source = Source(payload)
                while not source.done():
                    # Bytes after the value are skipped: clause 7.3.
                    yield self.kind.read(Source(read_prefixed(source)))
                self._return_credit(length)
            if self.ended:
                if self.failure is not None:
                    raise self.failure
                return
            self.changed.clear()
            await self.changed.wait()

    def _return_credit(self, length):
        """Returns credit for half a window at a time, and earlier if both peers would wait for each other: clause 7.4."""
        self.consumed += length
        if not self.ended and (self.consumed * 2 >= self.window or (self.credit <= 0 and not self.frames)):
            self.credits += 1
            self.credit += self.consumed
            self.send_credit(self.consumed)
            self.consumed = 0
