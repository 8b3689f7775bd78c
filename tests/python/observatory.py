"""The schema tests/kaa/python.kaa in Python."""

from schema import Method, Service
from values import (BOOL, BYTES, DURATION, F32, F64, I16, I32, STRING, TIMESTAMP, U8, U16, U32, U64, Field, Variant,
                    array, enum, flags, map_of, newtype, option, struct_of, vec)

STAR_ID = newtype("python.StarId", U64)
POSITION = struct_of("python.Position", [Field("ascension", U32), Field("declination", I32)], sealed=True)
BAND = enum("python.Band", [
    Variant(1, "Dark"), Variant(2, "Visible", [Field("nanometres", U16)]), Variant(5, "Radio", [U32, option(STRING)])])
LABEL = newtype("python.Label", option(STRING))
FILTERS = flags("python.Filters", U16, {"RED": 1 << 0, "BLUE": 1 << 1, "MOON": 1 << 9})
PRIORITY = enum("python.Priority", [Variant(0, "Low"), Variant(1, "Normal"), Variant(2, "High")], sealed=True)
TARGET_FIELDS = [
    Field("star", STAR_ID),
    Field("name", STRING),
    Field("position", POSITION),
    Field("band", BAND),
    Field("plate", array(U8, 4), tombstone=[0] * 4),
    Field("label", LABEL),
    Field("filters", FILTERS, 1),
    Field("magnitude", I16, -3, tombstone=0),
    Field("note", option(STRING)),
    Field("exposures", U32, 1),
    Field("plates", map_of(U32, vec(BYTES)), {}),
    Field("scale", F64, 1.5),
    Field("priority", PRIORITY, "Normal"),
]
SIGHTING = struct_of("python.Sighting", [
    Field("star", STAR_ID), Field("at", TIMESTAMP), Field("brightness", F32), Field("seen", BOOL, True)])
SKY_ERROR = enum("python.SkyError", [
    Variant(1, "Cloudy", [Field("cover", U8), Field("until", U32)]), Variant(2, "Below", [I32]),
    Variant(3, "Declined")])


def observatory(target=struct_of("python.Target", TARGET_FIELDS), more=()):
    """The service. Another `Target` or more methods make another generation of it."""
    stretch = [Field("first", STAR_ID), Field("count", U32, 10)]
    return Service(
        "python.Observatory",
        server=[
            Method("observe", [Field("target", target), Field("patience", DURATION)], SIGHTING, SKY_ERROR),
            Method("survey", stretch, SIGHTING, SKY_ERROR, streams=True),
            Method("calibrate", [Field("name", STRING)], U64, SKY_ERROR, items=Field("sightings", SIGHTING)),
            Method("notes", [], U32),
            Method("note", [Field("line", STRING)], oneway=True),
            *more,
        ],
        client=[
            Method("confirm", [Field("target", target), Field("band", BAND)], BOOL, SKY_ERROR),
            Method("watch", stretch, SIGHTING, streams=True),
            Method("sleep"),
        ],
    )


OBSERVATORY = observatory()
