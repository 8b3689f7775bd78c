"""Stays until the other side leaves, with a call of its own still running when it does."""

import asyncio

import peer
from observatory import OBSERVATORY
from peer import Declared
from scenario import run, tell


class Eyes:
    async def confirm(self, context, target, band):
        tell("asked")
        return True


async def main(address, secret):
    connection = await peer.connect(address, secret, {OBSERVATORY: Eyes()})
    target = {"star": 1, "name": "Sol", "position": {"ascension": 0, "declination": 0}, "band": "Dark", "label": None}
    call = asyncio.create_task(connection.call(OBSERVATORY.server["observe"], target=target, patience=(1, 0)))
    tell("seen", (await call)["star"])
    tell("end:", await connection.end)
    tell("pinged", connection.pings > 0)


run(main)
