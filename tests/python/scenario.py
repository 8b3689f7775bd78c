"""What scenarios share: their arguments, and lines by which they tell the test what they saw."""

import asyncio
import sys


def tell(*words):
    print(*words, flush=True)


async def told():
    """Waits for a line of the test."""
    return await asyncio.to_thread(sys.stdin.readline)


def run(scenario):
    """Runs `scenario(address, secret, …)` with the program's arguments."""
    address, secret, *rest = sys.argv[1:]
    asyncio.run(scenario(address, secret.encode(), *rest))


def sighting(star, brightness=0.5):
    return {"star": star, "at": (1_700_000_000, 250), "brightness": brightness}
