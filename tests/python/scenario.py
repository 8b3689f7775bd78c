"""Shared by the scenarios: their arguments, and lines that report to the test."""

import asyncio
import sys


def report(*words):
    print(*words, flush=True)


async def wait_for_test():
    """Waits until the test sends a line."""
    return await asyncio.to_thread(sys.stdin.readline)


def run(scenario):
    """Runs `scenario(address, secret, …)` with the program's arguments."""
    address, secret, *rest = sys.argv[1:]
    asyncio.run(scenario(address, secret.encode(), *rest))


def sighting(star, brightness=0.5):
    return {"star": star, "at": (1_700_000_000, 250), "brightness": brightness}
