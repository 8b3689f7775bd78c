"""Prints what Python computes from the schema: the service's fingerprint, its method ids, and the table that peers
compare."""

from observatory import OBSERVATORY
from schema import read_table, table

FORMS = ["Struct", "SealedStruct", "Enum", "SealedEnum", "Flags"]


def print_elements(elements):
    for name, tag, value, has_default in elements:
        print(f"- {name} {tag} {value:016x} {str(has_default).lower()}")


print(OBSERVATORY.name, OBSERVATORY.fingerprint.hex())
for role, side in (("server", OBSERVATORY.server), ("client", OBSERVATORY.client)):
    for method in side.values():
        print(f"{role}/{method.name} {method.id:08x}")
_, methods, types = read_table(table(OBSERVATORY))
for number, (name, signature, throws, parameters) in methods.items():
    print(f"{number:08x} {name} {signature:016x} {throws:016x}")
    print_elements(parameters)
for name, (form, elements) in types.items():
    print(name, FORMS[form])
    print_elements(elements)
