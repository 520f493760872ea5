"""JSON Schema of the kinds, for editors, and the names of fields at a path."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

from controlplane.specfile.document import Kind

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(kinds: Sequence[Kind]) -> Schema:
    """One schema (draft 2020-12) for any of the kinds: `apiVersion` and `kind` select which applies."""
    definitions: Schema = {}
    branches = []
    for kind in kinds:
        name = f"{kind.api_version}/{kind.name}".replace("/", ".")
        template = f"#/$defs/{name}.{{model}}"
        schema = kind.model.model_json_schema(ref_template=template)
        for inner, definition in schema.pop("$defs", {}).items():
            definitions[f"{name}.{inner}"] = definition
        definitions[name] = schema
        condition = {"properties": {"apiVersion": {"const": kind.api_version}, "kind": {"const": kind.name}}}
        branches.append({"if": {**condition, "required": ["apiVersion", "kind"]}, "then": {"$ref": f"#/$defs/{name}"}})
    return {
        "$schema": DIALECT,
        "title": "Flyball workspace document",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "properties": {
            "apiVersion": {"enum": list(dict.fromkeys(kind.api_version for kind in kinds))},
            "kind": {"enum": list(dict.fromkeys(kind.name for kind in kinds))},
        },
        "allOf": branches,
        "$defs": definitions,
    }


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
