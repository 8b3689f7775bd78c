"""The two ends of a call, and how it can fail: docs/wire.md, section 4."""

import asyncio

from frames import BROKEN, CANCEL, END, FINISHED, ONEWAY


class Lost(Exception):
    """The connection has ended without the call's Reply: clause 4.11."""


class Declared(Exception):
    """A declared error: the variant's name and its fields."""

    def __init__(self, variant, **fields):
        super().__init__(variant, fields)
        self.variant, self.fields = variant, fields


class Failed(Exception):
    """A Reply that is neither a result nor a declared error, or a stream of arguments that broke off."""

    def __init__(self, status, text):
        super().__init__(f"status {status}, {text}")
        self.status, self.text = status, text


class Call:
    """A call of this end: its Reply and its streams. One whose result is a stream is an asynchronous iterator."""

    def __init__(self, connection, number, token, method, nested):
        self.connection, self.number, self.token, self.method = connection, number, token, method
        self.nested, self.given_up = nested, False
        self.reply = asyncio.get_running_loop().create_future()
        self.arguments = self.results = self.sender = None

    def __aiter__(self):
        return aiter(self.results)

    async def result(self):
        try:
            return await asyncio.shield(self.reply)
        except asyncio.CancelledError:
            self.give_up()
            raise

    def give_up(self):
        """The caller has gone; the call stays until the Reply: clause 4.7."""
        if not self.reply.done() and not self.given_up:
            self.given_up = True
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
        except Exception as error:  # however the producer failed
            self.connection.write(END, self.number, self.token, BROKEN, str(error).encode())

    def end(self, failure, value=None):
        self.stop_sending()
        if self.results:
            self.results.end(failure)
            failure = None  # told by the stream
        if failure is None:
            self.reply.set_result(value)
        else:
            self.reply.set_exception(failure)
            self.reply.exception()  # looked at, for a caller that has gone


class Context:
    """A call of the peer, while its handler runs. The calls that the handler makes through it are nested ones."""

    def __init__(self, connection, frame, nested):
        self.connection, self.number, self.token, self.nested = connection, frame.number, frame.token, nested
        self.oneway, self.depth = frame.kind == ONEWAY, frame.parent[2] if frame.parent else 0
        self.ends = None if frame.remaining is None else asyncio.get_running_loop().time() + frame.remaining
        self.arguments = self.results = self.task = None

    async def call(self, method, **arguments):
        return await self.connection.call(method, parent=self, **arguments)
