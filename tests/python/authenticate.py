"""Connects, says what became of it, and leaves."""

import peer
from handshake import HandshakeFailed
from observatory import OBSERVATORY
from scenario import run, tell


async def main(address, secret):
    try:
        connection = await peer.connect(address, secret, {OBSERVATORY: None})
    except HandshakeFailed as error:
        tell(error)
        return
    tell("session", connection.agreed.session.hex())
    tell("notes", await connection.call(OBSERVATORY.server["notes"]))
    tell("schema frames", connection.schemas)
    tell("end:", await connection.leave())


run(main)
