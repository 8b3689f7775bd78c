"""A kaa-rpc peer in Python, written from docs/wire.md; comments name its clauses.

Invariants: a received frame is applied without waiting, so two peers cannot block each other; every Call gets exactly
one Reply; clients and servers are the same class: after the handshake they differ only in the methods they serve.
"""

import asyncio
import itertools
import os
import struct

import handshake
from calls import Call, Context, Declared, Failed, Lost
from frames import *
from handshake import Limits
from schema import contradictions, read_summary, schema_fingerprint, summary, table
from streams import Receiving, Sending, TooLarge
from values import Malformed, Source, read_fields, write_fields

DEPTH = 32  # clause 4.4


class SchemasDiffer(Exception):
    """The schemas are incompatible: clause 5.4."""

    reason = SCHEMAS


class Connection:
    """An authenticated connection. `services` maps each service to the object with its handlers, or to None."""

    def __init__(self, reader, writer, established, limits, role, services):
        self.reader, self.writer, self.established, self.limits, self.services = reader, writer, established, limits, services
        self.handlers = {}
        for service, handler in services.items():
            for method in getattr(service, role).values():
                if hasattr(handler, method.name):
                    self.handlers[method.id] = method, getattr(handler, method.name)
        self.calls, self.last_number = {}, 0  # outbound
        self.window = asyncio.Semaphore(established.limits.max_inbound_calls)
        self.oneways = asyncio.Semaphore(established.limits.oneway_window)
        self.running, self.last_received, self.last_answered = {}, 0, None  # inbound
        self.schemas_compared, self.tables_sent, self.tables_awaited = asyncio.Event(), set(), set()  # names of services, clause 5.3
        self.pong, self.shutting_down, self.goodbye, self.closed = asyncio.Event(), False, None, False
        self.pings = self.schema_frames = 0  # for the scenarios
        if established.schema == schema_fingerprint(services):  # clause 5.1
            self.schemas_compared.set()
        else:
            self.write(SCHEMA, payload=summary(services))
        self.end = asyncio.create_task(self._read())  # its result is how the connection ended, as text

    def write(self, *frame, **more):
        """Writes a frame and returns its length."""
        data = write_frame(*frame, **more)
        if not self.writer.is_closing():
            self.writer.write(data)
        return len(data)

    async def _write_item(self, number, token, whose, items):
        length = self.write(ITEM, number, token, whose, items)
        await self.writer.drain()
        return length

    # --- Outbound calls --------------------------------------------------------------------------------------------

    async def call(self, method, **arguments):
        """Calls a method and returns its result."""
        return await (await self.start(method, **arguments)).result()

    async def oneway(self, method, **arguments):
        """Makes a oneway call: clause 4.8."""
        await self.schemas_compared.wait()
        if self.closed:
            raise Lost("not sent")
        await self.oneways.acquire()
        self.last_number += 1
        self.write(ONEWAY, self.last_number, 0, method.id, write_fields(method.parameters, arguments))

    async def start(self, method, parent=None, timeout=None, **arguments):
        """Starts a call. A stream of arguments is any iterable, asynchronous or not."""
        items = arguments.pop(method.items.name) if method.items else None
        payload = write_fields(method.parameters, arguments)
        await self.schemas_compared.wait()  # clause 5.1
        if parent is None:
            await self.window.acquire()  # clause 4.5; it does not apply to nested calls: clause 4.4
        if self.closed or (self.goodbye is not None and parent is None):
            self.window.release()
            raise Lost("not sent")
        if parent is not None and parent.deadline is not None:  # clause 4.12
            left = parent.deadline - asyncio.get_running_loop().time()
            timeout = left if timeout is None else min(left, timeout)
        flags, options = 0, b""
        if timeout is not None:
            flags, options = REMAINING, struct.pack("<Q", max(0, int(timeout * 1e6)))
        if parent is not None:
            flags |= PARENT
            options += struct.pack("<QII", parent.number, parent.token, parent.depth + 1)
        if method.items:
            flags |= STREAM
        self.last_number += 1
        token = next(token for token in itertools.count() if all(call.token != token for call in self.calls.values()))
        call = Call(self, self.last_number, token, method, parent is not None)
        self.calls[call.number] = call
        head = call.number, call.token
        self.write(CALL, *head, method.id, payload, flags, options)
        if method.streams:
            call.results = Receiving(self.limits, method.result, lambda count: self.write(CREDIT, *head, count))
        if method.items:
            call.arguments = Sending(
                self.established.limits, method.items.kind, lambda data: self._write_item(*head, 0, data))
            call.sender = asyncio.create_task(call.send_arguments(items))
        return call

    def _handle_reply(self, frame):
        call = self.calls.pop(frame.number, None)
        if call is None:
            if frame.number > self.last_number:
                raise ProtocolError("a Reply to a call that was never made")
            return
        if not call.nested:
            self.window.release()
        method, status, payload = call.method, frame.detail, frame.payload
        if status > REFUSED:
            raise ProtocolError(f"a Reply of status {status}")
        failure = value = None
        try:
            if status == DECLARED:
                if method.throws is None:
                    raise Malformed("an error where none is declared")
                variant, fields = method.throws.read(Source(payload))
                failure = Declared(variant, **fields)
            elif status == TOO_LARGE:
                failure = Failed(status, "{} bytes, and {} are possible".format(*struct.unpack("<QQ", payload)))
            elif status != OK:
                failure = Failed(status, payload.decode(errors="replace"))
            elif method.result and not method.streams:
                value = method.result.read(Source(payload))
        except Malformed as error:
            failure = error
        call.end(failure, value)

    # --- Inbound calls ---------------------------------------------------------------------------------------------

    def _handle_call(self, frame):
        oneway, number, token = frame.kind == ONEWAY, frame.number, frame.token
        if number <= self.last_received or (oneway and frame.flags & STREAM):
            raise ProtocolError("a call id that does not increase, or a oneway call with a stream")
        self.last_received = number
        parent = frame.parent and self.calls.get(frame.parent[0])
        context = Context(self, frame, bool(parent) and parent.token == frame.parent[1])
        if self.last_answered is not None and not context.nested:
            return  # after the last call that the Goodbye named: clause 4.9
        refusal, arguments = None, {}
        method, handler = self.handlers.get(frame.detail, (None, None))
        others = sum(not other.nested and not other.oneway for other in self.running.values())
        if context.depth > DEPTH or (not context.nested and not oneway and others >= self.limits.max_inbound_calls):
            refusal = EXHAUSTED
        elif method is None:
            refusal = UNKNOWN_METHOD
        else:
            try:
                arguments = read_fields(method.parameters, frame.payload)
            except Malformed:
                refusal = BAD_REQUEST
        if refusal is not None:
            self.write(*((ONEWAY_CREDIT, 0, 0, 1) if oneway else (REPLY, number, token, refusal)))
            return
        if method.items:
            context.arguments = arguments[method.items.name] = Receiving(
                self.limits, method.items.kind, lambda count: self.write(CREDIT, number, token, RECEIVERS | count))
        if method.streams:
            context.results = Sending(
                self.established.limits, method.result, lambda data: self._write_item(number, token, RECEIVERS, data))
        self.running[number] = context
        context.task = asyncio.create_task(self._run_handler(context, method, handler, arguments))
        # The task writes no Reply itself: a task that is cancelled before it starts would write none.
        context.task.add_done_callback(lambda task: self._send_reply(context, task))

    async def _run_handler(self, context, method, handler, arguments):
        """Runs a handler and returns the status and payload of its Reply."""
        try:
            async with asyncio.timeout_at(context.deadline) as deadline:
                if method.streams:
                    await context.results.send_all(handler(context, **arguments))
                    return OK, b""
                result = await handler(context, **arguments)
                return OK, method.result.write(result) if method.result else b""
        except Declared as error:
            return DECLARED, method.throws.write((error.variant, error.fields))
        except TooLarge as error:
            return TOO_LARGE, struct.pack("<QQ", *error.args)
        except Exception as error:
            return (DEADLINE, b"") if deadline.expired() else (FAULT, str(error).encode())

    def _send_reply(self, context, task):
        del self.running[context.number]
        status, payload = (CANCELLED, b"") if task.cancelled() else task.result()
        if HEADER.size + len(payload) > self.established.limits.max_frame:
            status, payload = TOO_LARGE, struct.pack("<QQ", HEADER.size + len(payload), self.established.limits.max_frame)
        if context.oneway:
            self.write(ONEWAY_CREDIT, detail=1)
        else:
            self.write(REPLY, context.number, context.token, status, payload)

    # --- Received frames -------------------------------------------------------------------------------------------

    async def _read(self):
        """Applies frames until the connection ends."""
        try:
            while True:
                first = await self.reader.readexactly(4)
                length = int.from_bytes(first, "little")
                if length > self.limits.max_frame:
                    raise ProtocolError(f"a frame of {length} bytes", FRAME_TOO_LARGE)
                if length < HEADER.size:
                    raise ProtocolError(f"a frame of {length} bytes")
                self._apply(read_frame(first + await self.reader.readexactly(length - 4)))
        except asyncio.IncompleteReadError as error:
            # The end of the stream is a shutdown only after a Goodbye of either peer: clause 4.9.
            if error.partial or (self.goodbye is None and not self.shutting_down):
                return "lost"
            return "shut down" if self.goodbye is None else f"goodbye {self.goodbye}"
        except ConnectionError:
            return "lost"
        except (ProtocolError, SchemasDiffer) as error:
            self.write(GOODBYE, self.last_received, 1, error.reason, str(error).encode()[:1024])
            self.goodbye = error.reason
            return f"sent goodbye {error.reason}: {error}"
        finally:
            await self._finish()

    async def _finish(self):
        """Ends everything that waits for frames. After a shutdown, running handlers still reply: clause 4.9."""
        self.closed = True
        self.schemas_compared.set()
        self.pong.set()
        for call in self.calls.values():
            call.end(Lost("unknown"))
        self.calls.clear()
        tasks = [context.task for context in self.running.values()]
        for context in self.running.values():
            if context.arguments and not context.arguments.ended:
                context.arguments.end(Lost("closed"))
            # An unknown reason counts as a shutdown.
            if self.goodbye is None or PROTOCOL <= self.goodbye <= FRAME_TOO_LARGE:
                context.task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.writer.close()

    def _apply(self, frame):
        if frame.kind in (CALL, ONEWAY):
            self._handle_call(frame)
        elif frame.kind == REPLY:
            self._handle_reply(frame)
        elif frame.kind == CANCEL:
            if frame.number > self.last_received:
                raise ProtocolError("a Cancel of a call that was never made")
            if frame.number in self.running:
                self.running[frame.number].task.cancel()
        elif frame.kind in (ITEM, END, CREDIT):
            self._handle_stream(frame)
        elif frame.kind == ONEWAY_CREDIT:
            for _ in range(frame.detail):
                self.oneways.release()
        elif frame.kind == SCHEMA:
            self._handle_schema(frame)
        elif frame.kind == PING:  # clause 4.10
            self.pings += 1
            self.write(PONG, frame.number, frame.token, frame.detail)
        elif frame.kind == PONG:
            if frame.detail == 0:  # the Pong of the shutdown: this peer sends no other Ping
                self.pong.set()
        elif frame.kind == GOODBYE:
            self.goodbye = frame.detail
            if frame.token == 1:
                for call in [call for call in self.calls.values() if call.number > frame.number and not call.nested]:
                    self.calls.pop(call.number).end(Lost("not sent"))

    def _handle_stream(self, frame):
        """Clauses 7.2 and 7.8."""
        own, value = bool(frame.detail & RECEIVERS), frame.detail & ~RECEIVERS  # own: an outbound call
        call = (self.calls if own else self.running).get(frame.number)
        if call is None:
            if frame.number > (self.last_number if own else self.last_received):
                raise ProtocolError("a stream of a call that was never made")
            if own and frame.kind == ITEM:
                raise ProtocolError("results after their Reply")
            return  # the call has ended meanwhile
        received, sent = (call.results, call.arguments) if own else (call.arguments, call.results)
        if frame.kind == ITEM and value == 0 and received:
            if not own or not call.is_cancelled:
                received.receive(frame.payload, frame.length)
        elif frame.kind == CREDIT and sent:
            sent.grant(value)
        elif frame.kind == END and own and value == STOP and sent:
            sent.stop()
        elif frame.kind == END and not own and value in (FINISHED, BROKEN) and received:
            received.end(Failed(FAULT, frame.payload.decode(errors="replace")) if value == BROKEN else None)
        else:
            raise ProtocolError("a stream that the call does not have")

    def _handle_schema(self, frame):
        """Clauses 5.2 to 5.4."""
        self.schema_frames += 1
        by_name = {service.name: service for service in self.services}
        if frame.detail == 0:
            theirs = read_summary(frame.payload)
            for name in theirs.keys() & by_name.keys():
                if theirs[name] != by_name[name].fingerprint:
                    self._send_table(by_name[name])
        else:
            service = by_name.get(Source(frame.payload).text())
            if service is None:
                return
            self._send_table(service)
            found = ", ".join(contradictions(service, frame.payload))
            if found:
                raise SchemasDiffer(found)
            self.tables_awaited.discard(service.name)
        if not self.tables_awaited:
            self.schemas_compared.set()

    def _send_table(self, service):
        """Sends the table of a service, once, and expects the peer's table."""
        if service.name not in self.tables_sent:
            self.tables_sent.add(service.name)
            self.tables_awaited.add(service.name)
            self.write(SCHEMA, detail=1, payload=table(service))

    # --- The end ---------------------------------------------------------------------------------------------------

    async def shut_down(self):
        """Shuts down as in clause 4.9. Returns how the connection ended, as text."""
        self.shutting_down = True
        self.write(GOODBYE, token=0, detail=SHUTDOWN)
        self.write(PING)
        await self.pong.wait()
        self.last_answered = self.last_received
        self.write(GOODBYE, self.last_answered, 1, SHUTDOWN)
        await asyncio.gather(*(context.task for context in self.running.values()), return_exceptions=True)
        if not self.writer.is_closing():
            self.writer.write_eof()
        return await self.end


async def connect(address, secret, services, limits=Limits()):
    """Connects to the server at `unix:…` or `tcp:host:port`: clause 1.1."""
    kind, _, place = address.partition(":")
    if kind == "unix":
        reader, writer = await asyncio.open_unix_connection("\0" + place[1:] if place.startswith("@") else place)
    else:
        host, _, port = place.rpartition(":")
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    try:
        async with asyncio.timeout(10):  # clause 2.11
            established = await handshake.as_client(
                reader, writer, secret, limits, schema_fingerprint(services), os.urandom(16))
    except BaseException:
        writer.close()
        raise
    return Connection(reader, writer, established, limits, "client", services)


async def listen(path, secret, services, connected, limits=Limits()):
    """A server at a unix socket that no other server uses (clause 1.3 is not implemented).

    `connected` is called with each connection and None, or with None and the error of the handshake.
    """
    instance = os.urandom(16)

    async def accept(reader, writer):
        try:
            async with asyncio.timeout(10):  # clause 2.11
                established = await handshake.as_server(
                    reader, writer, secret, limits, schema_fingerprint(services), instance)
        except (handshake.HandshakeFailed, asyncio.IncompleteReadError, TimeoutError) as error:
            writer.close()
            connected(None, error)
        else:
            connected(Connection(reader, writer, established, limits, "server", services), None)

    old_mask = os.umask(0o177)  # mode 0600 before the socket listens: clause 1.2
    try:
        return await asyncio.start_unix_server(accept, path)
    finally:
        os.umask(old_mask)
