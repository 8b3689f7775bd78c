"""Outbound and inbound calls, and how they fail: docs/wire.md, section 4."""

import asyncio

from frames import BROKEN, CANCEL, END, FINISHED, ONEWAY


class Lost(Exception):
    """The connection ended before the call's Reply: clause 4.11."""


class Declared(Exception):
    """A declared error: the variant's name and its fields."""

    def __init__(self, variant, **fields):
        super().__init__(variant, fields)
        self.variant, self.fields = variant, fields


class Failed(Exception):
    """A Reply that is neither a result nor a declared error, or a stream of arguments that failed."""

    def __init__(self, status, text):
        super().__init__(f"status {status}, {text}")
        self.status, self.text = status, text


class Call:
    """An outbound call: its Reply and its streams. If its result is a stream, it is an asynchronous iterator."""

    def __init__(self, connection, number, token, method, nested):
        self.connection, self.number, self.token, self.method = connection, number, token, method
        self.nested, self.is_cancelled = nested, False
        self.reply = asyncio.get_running_loop().create_future()
        self.arguments = self.results = self.sender = None

    def __aiter__(self):
        return aiter(self.results)

    async def result(self):
        try:
            return await asyncio.shield(self.reply)
        except asyncio.CancelledError:
            self.cancel()
            raise

    def cancel(self):
        """Sends Cancel. The call stays registered until its Reply: clause 4.7."""
        if not self.reply.done() and not self.is_cancelled:
            self.is_cancelled = True
            self.stop_sending()
            self.connection.write(CANCEL, self.number, self.token)

    def stop_sending(self):
        if self.sender:
            self.sender.cancel()

    async def send_arguments(self, items):
        """Clause 7.6."""
        try:
            if await self.arguments.send_all(items):
                self.connection.write(END, self.number, self.token, FINISHED)
        except Exception as error:  # any failure of the producer
            self.connection.write(END, self.number, self.token, BROKEN, str(error).encode())

    def end(self, failure, value=None):
        self.stop_sending()
        if self.results:
            self.results.end(failure)
            failure = None  # the stream reports it
        if failure is None:
            self.reply.set_result(value)
        else:
            self.reply.set_exception(failure)
            self.reply.exception()  # marked as retrieved: the caller may be cancelled


class Context:
    """An inbound call while its handler runs. Calls that the handler makes through it are nested calls."""

    def __init__(self, connection, frame, nested):
        self.connection, self.number, self.token, self.nested = connection, frame.number, frame.token, nested
        self.oneway, self.depth = frame.kind == ONEWAY, frame.parent[2] if frame.parent else 0
        self.deadline = None if frame.remaining is None else asyncio.get_running_loop().time() + frame.remaining
        self.arguments = self.results = self.task = None

    async def call(self, method, **arguments):
        return await self.connection.call(method, parent=self, **arguments)
