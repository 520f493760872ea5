"""Documents made from a kind's JSON Schema: of the right shape, with values that may mean anything or nothing.

A seed makes one: strategies for shapes of this size would draw too much to be quick.
"""

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any, Final

import yaml

from controlplane.specfile import Kind, json_schema

_TEXTS: Final = (
    "a", "llm", "platform", "core-flow", "30s", "15m", "2h", "0s", "99d", "1h", "2027-06-30", "2027-02-30", "USD",
    "sum(rate(x[5m]))", "x{", "clamp_max(x, 1)", "~.*", "~(", "x=y", "TOKEN", "https://flags.example",
    "https://user:word@flags.example", "http://[::1", "", " ", "ü", "%s{}", "-1", "1e9", "true", "x" * 300,
)  # fmt: skip
_KEYS: Final = ("llm-burn", "a", "b", "alertname", "flag.x", "flyball.dev/owner", "ä b", "")
_NUMBERS: Final = ("0.5", "1", "2", "3.5", "100", "0.1", "1000000")
_WHOLE: Final = ("1", "2", "3", "4", "12", "1000")
_ANYTHING: Final[tuple[object, ...]] = (*_TEXTS, True, False, 0, -2, 3, None, [], {})


def document(kind: Kind, seed: int) -> str:
    """YAML of one document."""
    root = _schema(kind)
    start = root["$defs"][f"{kind.api_version}/{kind.name}".replace("/", ".")]
    return yaml.safe_dump(_Maker(root, Random(seed)).value(start), allow_unicode=True, sort_keys=False)


@cache
def _schema(kind: Kind) -> Mapping[str, Any]:
    return json_schema([kind])


class _Maker:
    def __init__(self, root: Mapping[str, Any], random: Random) -> None:
        self._root = root
        self._random = random

    def value(self, node: Mapping[str, Any]) -> Any:
        """One in 300 is none that the schema would take."""
        if "const" in node:
            return node["const"]
        if self._random.random() < 1 / 300:
            return self._random.choice(_ANYTHING)
        if "$ref" in node:
            return self.value(self._root["$defs"][node["$ref"].rpartition("/")[2]])
        if "anyOf" in node:
            ways = [each for each in node["anyOf"] if each.get("type") == "number"] or node["anyOf"]
            return self.value(self._random.choice(ways))
        return self._random.choice(node["enum"]) if "enum" in node else self._typed(node)

    def _typed(self, node: Mapping[str, Any]) -> Any:
        match node.get("type"):
            case "object":
                return self._mapping(node)
            case "array":
                return [self.value(node["items"]) for _ in range(self._random.randrange(1, 4))]
            case "integer" | "number" as shape:
                most = node.get("maximum", node.get("exclusiveMaximum", 10**9))
                written = _WHOLE if shape == "integer" else _NUMBERS
                return self._random.choice([text for text in written if float(text) < most])
            case "boolean":
                return self._random.random() < 1 / 2
            case "null":
                return None
            case _:
                return self._text(node)

    def _text(self, node: Mapping[str, Any]) -> str:
        if "pattern" in node:
            return "USD" if "A-Z" in node["pattern"] else self._random.choice(_NUMBERS)
        least, most = node.get("minLength", 0), node.get("maxLength", 1000)
        return self._random.choice([text for text in _TEXTS if least <= len(text.strip()) <= most])

    def _mapping(self, node: Mapping[str, Any]) -> dict[str, Any]:
        if "properties" not in node:
            inner = node.get("additionalProperties")
            shape = inner if isinstance(inner, Mapping) else {"type": "string"}
            return {self._random.choice(_KEYS): self.value(shape) for _ in range(self._random.randrange(1, 4))}
        required = node.get("required", ())
        chosen = (name for name in node["properties"] if name in required or self._random.random() < 1 / 2)
        return {name: self.value(node["properties"][name]) for name in chosen}
