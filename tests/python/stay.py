"""Makes a call, and stays connected until the server shuts down."""

import asyncio

import peer
from observatory import OBSERVATORY
from peer import Declared
from scenario import report, run


class ObservatoryClient:
    async def confirm(self, context, target, band):
        report("confirm")
        return True


async def main(address, secret):
    connection = await peer.connect(address, secret, {OBSERVATORY: ObservatoryClient()})
    target = {"star": 1, "name": "Sol", "position": {"ascension": 0, "declination": 0}, "band": "Dark", "label": None}
    call = asyncio.create_task(connection.call(OBSERVATORY.server["observe"], target=target, patience=(1, 0)))
    report("seen", (await call)["star"])
    report("end:", await connection.end)
    report("pinged", connection.pings > 0)


run(main)
