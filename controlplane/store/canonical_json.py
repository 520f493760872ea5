"""JSON with one spelling per value, so that it can be hashed and compared."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def canonical_json(value: object) -> str:
    """Sorted keys, no spaces, ASCII only. Raises `ValueError` for floats, which have no exact spelling, and for
    anything else that is not JSON.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _plain(value: object) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("a JSON object has strings as keys")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(item) for item in value]
    hint = ": write ratios and money as decimal strings" if isinstance(value, float) else ""
    raise ValueError(f"{type(value).__name__} cannot be stored as JSON{hint}")
