"""Uses another generation of the schema, which is either compatible or incompatible with the server's."""

import peer
from observatory import OBSERVATORY, TARGET_FIELDS, observatory
from scenario import report, run
from schema import Method, Service
from values import STRING, U8, U64, Field, struct_of

LATER = observatory(struct_of("python.Target", [*TARGET_FIELDS, Field("colour", STRING, "white"), Field("age", U8, 7)]),
                    more=[Method("polish", [], U64)])
INCOMPATIBLE = observatory(struct_of("python.Target", [
    Field("star", U64) if field.name == "star" else field for field in TARGET_FIELDS]))
UNKNOWN = Service("python.Canteen", server=[Method("coffee", [], U8)])
SCHEMAS = {
    "later": {LATER: None},
    "more": {OBSERVATORY: None, UNKNOWN: None},
    "incompatible": {INCOMPATIBLE: None},
}


class ObservatoryClient:
    async def confirm(self, context, target, band):
        report("confirm with", sorted(target.keys() & {"colour", "age"}))
        return True


async def main(address, secret, which):
    services = {service: ObservatoryClient() for service in SCHEMAS[which]}
    connection = await peer.connect(address, secret, services)
    service = next(iter(services))
    target = {"star": 1, "name": "Sol", "position": {"ascension": 0, "declination": 0}, "band": "Dark", "label": None}
    for method, arguments in (("observe", {"target": target, "patience": (1, 0)}), ("polish", {})):
        if method in service.server:
            try:
                report(method, await connection.call(service.server[method], **arguments) is not None)
            except (peer.Failed, peer.Lost) as error:
                report(method, error)
    report("schema frames", connection.schema_frames)
    report("end:", await connection.end if connection.end.done() else await connection.shut_down())


run(main)
