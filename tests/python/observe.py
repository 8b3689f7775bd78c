"""Nested calls in both directions, with declared errors of both sides; then shuts down."""

import asyncio

import peer
from handshake import Limits
from observatory import OBSERVATORY
from scenario import report, run, wait_for_test
from peer import Declared, Failed

OBSERVE, NOTES, NOTE = (OBSERVATORY.server[name] for name in ("observe", "notes", "note"))
TARGET = {
    "star": 300,
    "name": "β Lyrae",
    "position": {"ascension": 67805, "declination": -120000},
    "band": ("Radio", {"0": 70000, "1": "hydrogen"}),
    "label": "NGC",
    "filters": 1 << 1 | 1 << 9 | 1 << 15,
    "note": "faint",
    "plates": {7: [b"\x00\xff", b""], 251: []},
    "scale": -0.25,
    "priority": ("High", {}),
}


class ObservatoryClient:
    """The handlers for calls of the server."""

    async def confirm(self, context, target, band):
        report("confirm", target["name"], "in", band[0], *band[1].values(), "at depth", context.depth)
        if target["name"] == "nothing":
            raise Declared("Cloudy", cover=80, until=3600)
        if target["name"] == "the wall":
            raise RuntimeError("there is a wall")
        # A call nested in a nested call: the server's limit of one call does not apply to it.
        return await context.call(NOTES) == 2

    async def sleep(self, context):
        report("sleeping", "without a deadline" if context.deadline is None else "with a deadline")
        try:
            await asyncio.Event().wait()
        finally:
            report("woken")


async def failure(call):
    try:
        return f"returned {await call}"
    except Declared as error:
        return f"declared {error.variant} {error.fields}"
    except Failed as error:
        return f"failed: {error}"


async def main(address, secret):
    connection = await peer.connect(address, secret, {OBSERVATORY: ObservatoryClient()}, Limits(max_inbound_calls=1))
    for line in ("one", "two"):
        await connection.oneway(NOTE, line=line)
    report("seen", await connection.call(OBSERVE, target=TARGET, patience=(2, 500_000_000)))
    for name in ("nothing", "the wall"):
        report(await failure(connection.call(OBSERVE, target=TARGET | {"name": name}, patience=(0, 0))))
    report(await failure(connection.call(OBSERVE, target=TARGET | {"star": 0}, patience=(1, 0))))
    report(await failure(connection.call(OBSERVE, target=TARGET | {"name": "long" * 21}, patience=(1, 0))))
    await wait_for_test()
    report("end:", await connection.shut_down())


run(main)
