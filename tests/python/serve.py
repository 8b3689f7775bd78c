"""An observatory server in Python."""

import asyncio

import peer
from handshake import Limits
from observatory import OBSERVATORY
from peer import Declared
from scenario import report, run, sighting

CONFIRM = OBSERVATORY.client["confirm"]


class Observatory:
    def __init__(self):
        self.lines = 0

    async def observe(self, context, target, patience):
        if not await context.call(CONFIRM, target=target, band=("Visible", {"nanometres": 550})):
            raise Declared("Below", **{"0": -7})
        return sighting(target["star"], patience[0] + patience[1] / 1e9)

    async def survey(self, context, first, count):
        for star in range(first, first + count):
            if star == 13:
                raise Declared("Cloudy", cover=13, until=0)
            yield sighting(star)

    async def calibrate(self, context, name, sightings):
        total = 0
        async for item in sightings:
            total += item["star"]
        report("calibrated", name, total, "with credit", sightings.credits > 10)
        return total

    async def notes(self, context):
        return self.lines

    async def note(self, context, line):
        self.lines += 1


async def main(address, secret):
    connections = asyncio.Queue()
    limits = Limits(stream_window=1000, oneway_window=2)
    await peer.listen(address.removeprefix("unix:"), secret, {OBSERVATORY: Observatory()},
                      lambda *connection: connections.put_nowait(connection), limits)
    report("listening")
    for _ in range(2):
        connection, error = await connections.get()
        report("end:", error or await connection.end)


run(main)
