"""Connects, reports the result, and shuts down."""

import peer
from handshake import HandshakeFailed
from observatory import OBSERVATORY
from scenario import report, run


async def main(address, secret):
    try:
        connection = await peer.connect(address, secret, {OBSERVATORY: None})
    except HandshakeFailed as error:
        report(error)
        return
    report("session", connection.established.session.hex())
    report("notes", await connection.call(OBSERVATORY.server["notes"]))
    report("schema frames", connection.schema_frames)
    report("end:", await connection.shut_down())


run(main)
