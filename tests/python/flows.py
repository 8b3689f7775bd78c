"""Streams in both directions, each much larger than its window."""

import peer
from handshake import Limits
from observatory import OBSERVATORY
from peer import Declared, Failed
from scenario import report, run, sighting, wait_for_test

SURVEY, CALIBRATE = OBSERVATORY.server["survey"], OBSERVATORY.server["calibrate"]


class ObservatoryClient:
    async def watch(self, context, first, count):
        for star in range(first, first + count):
            yield sighting(star)
        report("waited for credit", context.results.waits > 10)


async def failing_stream():
    yield sighting(1)
    raise RuntimeError("the plate is torn")


async def main(address, secret):
    connection = await peer.connect(address, secret, {OBSERVATORY: ObservatoryClient()}, Limits(stream_window=1000))
    results = await connection.start(SURVEY, first=5, count=2000)
    stars = [item["star"] async for item in results]
    report("surveyed", len(stars), stars == list(range(5, 2005)), results.results.credits > 10)

    seen = []
    try:
        async for item in await connection.start(SURVEY, first=0, count=9):
            seen.append(item["star"])
    except Declared as error:
        report("failed after", seen, error.variant, error.fields)

    # Takes the first items and cancels the call.
    results = await connection.start(SURVEY, first=1, count=1_000_000)
    async for item in results:
        if item["star"] == 100:
            break
    results.cancel()
    await results.reply
    report("cancelled:", results.results.failure)

    pictures = [sighting(star) for star in range(2000)]
    report("calibrated", await connection.call(CALIBRATE, name="all", sightings=pictures))
    try:
        await connection.call(CALIBRATE, name="failing", sightings=failing_stream())
    except Failed as error:
        report("call failed:", error.text)
    call = await connection.start(CALIBRATE, name="three", sightings=pictures)
    report("stopped", await call.result(), call.arguments.stopped)
    await wait_for_test()
    report("end:", await connection.shut_down())


run(main)
