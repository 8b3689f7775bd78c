"""Streams in both directions, through windows that are much smaller than they."""

import peer
from handshake import Limits
from observatory import OBSERVATORY
from peer import Declared, Failed
from scenario import run, sighting, tell, told

SURVEY, CALIBRATE = OBSERVATORY.server["survey"], OBSERVATORY.server["calibrate"]


class Eyes:
    async def watch(self, context, first, count):
        for star in range(first, first + count):
            yield sighting(star)
        tell("waited for credit", context.results.waits > 10)


async def torn():
    yield sighting(1)
    raise RuntimeError("the plate is torn")


async def main(address, secret):
    connection = await peer.connect(address, secret, {OBSERVATORY: Eyes()}, Limits(stream_window=1000))
    results = await connection.start(SURVEY, first=5, count=2000)
    stars = [item["star"] async for item in results]
    tell("surveyed", len(stars), stars == list(range(5, 2005)), results.results.credits > 10)

    seen = []
    try:
        async for item in await connection.start(SURVEY, first=0, count=9):
            seen.append(item["star"])
    except Declared as error:
        tell("broke off", seen, error.variant, error.fields)

    # The first items alone: the rest is given up.
    results = await connection.start(SURVEY, first=1, count=1_000_000)
    async for item in results:
        if item["star"] == 100:
            break
    results.give_up()
    await results.reply
    tell("given up:", results.results.failure)

    pictures = [sighting(star) for star in range(2000)]
    tell("calibrated", await connection.call(CALIBRATE, name="all", sightings=pictures))
    try:
        await connection.call(CALIBRATE, name="torn", sightings=torn())
    except Failed as error:
        tell("refused", error.text)
    call = await connection.start(CALIBRATE, name="three", sightings=pictures)
    tell("stopped", await call.result(), call.arguments.stopped)
    await told()
    tell("end:", await connection.leave())


run(main)
