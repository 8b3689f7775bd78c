"""Calls in both directions, nested, with declared errors of both sides; then leaves."""

import asyncio

import peer
from handshake import Limits
from observatory import OBSERVATORY
from scenario import run, told, tell
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


class Eyes:
    """What the observatory may call here."""

    async def confirm(self, context, target, band):
        tell("asked about", target["name"], "in", band[0], *band[1].values(), "at depth", context.depth)
        if target["name"] == "nothing":
            raise Declared("Cloudy", cover=80, until=3600)
        if target["name"] == "the wall":
            raise RuntimeError("there is a wall")
        # A call for the call that the call is made for: it passes the observatory's limit of one.
        return await context.call(NOTES) == 2

    async def sleep(self, context):
        tell("asleep", "for ever" if context.ends is None else "for a while")
        try:
            await asyncio.Event().wait()
        finally:
            tell("woken")


async def failure(call):
    try:
        return f"got {await call}"
    except Declared as error:
        return f"declared {error.variant} {error.fields}"
    except Failed as error:
        return f"failed: {error}"


async def main(address, secret):
    connection = await peer.connect(address, secret, {OBSERVATORY: Eyes()}, Limits(max_inbound_calls=1))
    for line in ("one", "two"):
        await connection.oneway(NOTE, line=line)
    tell("seen", await connection.call(OBSERVE, target=TARGET, patience=(2, 500_000_000)))
    for name in ("nothing", "the wall"):
        tell(await failure(connection.call(OBSERVE, target=TARGET | {"name": name}, patience=(0, 0))))
    tell(await failure(connection.call(OBSERVE, target=TARGET | {"star": 0}, patience=(1, 0))))
    tell(await failure(connection.call(OBSERVE, target=TARGET | {"name": "long" * 21}, patience=(1, 0))))
    await told()
    tell("end:", await connection.leave())


run(main)
