"""JSON Schema of the kinds, for editors, and the names of fields at a path."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from pydantic import BaseModel

from controlplane.specfile.document import Kind
from controlplane.specfile.listing import LIST, LIST_VERSIONS

Schema = dict[str, Any]
_KEYS: Final = ("apiVersion", "kind", "version")
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LIST: Final[Schema] = {
    "type": "object",
    "required": ["apiVersion", "kind", "items"],
    "properties": {
        "apiVersion": {"enum": list(LIST_VERSIONS)},
        "kind": {"const": LIST},
        "metadata": {"type": ["object", "null"]},
        "items": {"type": ["array", "null"], "items": {"$ref": "#"}, "description": "Documents, in any order."},
    },
    "additionalProperties": False,
}


def json_schema(kinds: Sequence[Kind]) -> Schema:
    """One schema (draft 2020-12) for any of the kinds, and for lists of them.

    `apiVersion` and `kind`, or `version`, select which applies.
    """
    definitions: Schema = {}
    branches = []
    for kind in kinds:
        name = f"{kind.api_version}/{kind.name}".replace("/", ".")
        template = f"#/$defs/{name}.{{model}}"
        schema = kind.model.model_json_schema(ref_template=template)
        for inner, definition in schema.pop("$defs", {}).items():
            definitions[f"{name}.{inner}"] = definition
        definitions[name] = schema
        marks = _marks(kind)
        branches.append({"if": _has(marks), "then": {"$ref": f"#/$defs/{name}"}})
    branches.append({"if": _has({"kind": LIST}), "then": {"$ref": f"#/$defs/{LIST}"}})
    definitions[LIST] = _LIST
    ways = [list(keys) for keys in dict.fromkeys(tuple(_marks(kind)) for kind in kinds)]
    known = {key: list(dict.fromkeys(_marks(kind)[key] for kind in kinds if key in _marks(kind))) for key in _KEYS}
    known["apiVersion"] += [version for version in LIST_VERSIONS if version not in known["apiVersion"]]
    known["kind"].append(LIST)
    return {
        "$schema": DIALECT,
        "title": "Flyball workspace document",
        "type": ["object", "array"],
        "items": {"$ref": "#"},
        **({"required": ways[0]} if len(ways) == 1 else {"anyOf": [{"required": way} for way in ways]}),
        "properties": {key: {"enum": values} for key, values in known.items() if values},
        "allOf": branches,
        "$defs": definitions,
    }


def _has(marks: Mapping[str, str]) -> Schema:
    """The condition that an object says this of itself; a list of documents is none."""
    same = {key: {"const": value} for key, value in marks.items()}
    return {"type": "object", "properties": same, "required": list(marks)}


def _marks(kind: Kind) -> dict[str, str]:
    """What a document of this kind says of itself."""
    if kind.marked_by == "version":
        return {"version": kind.api_version}
    return {"apiVersion": kind.api_version, "kind": kind.name}


def fields_at(model: type[BaseModel], path: tuple[str | int, ...]) -> set[str]:
    """Names of the fields that a mapping at this path may have; empty when it takes any."""
    schema = _schema(model)
    nodes = [schema]
    for step in path:
        nodes = [inner for node in nodes for inner in _below(schema, node, step)]
    return {name for node in nodes for each in _alternatives(schema, node) for name in each.get("properties", {})}


@cache
def _schema(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


def _below(root: Schema, node: Schema, step: str | int) -> Iterator[Schema]:
    for each in _alternatives(root, node):
        if isinstance(step, int):
            inner = each.get("items")
        else:
            inner = each.get("properties", {}).get(step) or each.get("additionalProperties")
        if isinstance(inner, Mapping):
            yield dict(inner)


def _alternatives(root: Schema, node: Schema) -> Iterator[Schema]:
    """The node itself, or what it refers to, or each that it allows."""
    if "$ref" in node:
        yield from _alternatives(root, root["$defs"][node["$ref"].rpartition("/")[2]])
    for key in ("anyOf", "oneOf", "allOf"):
        for each in node.get(key, ()):
            yield from _alternatives(root, each)
    yield node
