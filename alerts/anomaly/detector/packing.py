"""Fitted models as bytes: a header that says what they are, and arrays."""

import io
import json
import zipfile
import zlib
from dataclasses import asdict, fields

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.carried import arrays, from_arrays
from alerts.anomaly.detector.learnt import Tails
from alerts.anomaly.detector.model import Terms
from alerts.anomaly.detector.outlook import Outlook
from alerts.anomaly.detector.parts import Parts
from alerts.anomaly.detector.settings import BINS, BLOCKS_A_DAY, MODEL_VERSION
from alerts.anomaly.detector.tails import Tail
from alerts.anomaly.model import Direction, Sensitivity, Values

_MARK = b"flyball-anomaly-model\n"
_NUMBERS = ("start", "ahead", "block", "refit", "hour", "blocks")
_MOST_BYTES = 512 * 2**20
Arrays = dict[str, NDArray[np.generic]]


def packed(parts: Parts, terms: Terms) -> bytes:
    """Version, header and arrays."""
    carried = parts.carried
    head = {
        "version": MODEL_VERSION,
        "terms": {name: getattr(value, "value", value) for name, value in asdict(terms).items()},
        "until": carried.until,
        "closed": carried.closed,
        "per_day": carried.per_day,
        "slow_steps": carried.slow_steps,
        "step_seconds": parts.step_seconds,
        **{name: getattr(parts, name) for name in _NUMBERS},
    }
    found: Arrays = {f"carried.{name}": array for name, array in arrays(carried).items()}
    found |= {f"outlook.{field.name}": getattr(parts.outlook, field.name) for field in fields(Outlook)}
    for name, tail in (("seasonal", parts.tails.seasonal), ("steps", parts.tails.steps), ("slow", parts.tails.slow)):
        found |= {f"{name}.{each.name}": np.asarray(getattr(tail, each.name)) for each in fields(Tail)}
    found |= {"best": parts.best, "choice": parts.seasonal}
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **found)
    text = json.dumps(head).encode()
    return _MARK + zlib.compress(len(text).to_bytes(4, "big") + text + stream.getvalue(), 1)


def unpacked(body: bytes) -> tuple[Parts, Terms]:
    """The same again. Raises `ValueError` for bytes of another version, or that are no model."""
    try:
        return _unpacked(body)
    except (zlib.error, zipfile.BadZipFile, KeyError, TypeError, OSError, EOFError, IndexError) as error:
        raise ValueError(f"no packed model: {error}") from error


def _unpacked(body: bytes) -> tuple[Parts, Terms]:
    if not body.startswith(_MARK):
        raise ValueError("no packed model")
    inflater = zlib.decompressobj()
    raw = inflater.decompress(body[len(_MARK) :], _MOST_BYTES)
    if inflater.unconsumed_tail or not inflater.eof:
        raise ValueError("no packed model: cut off, or too large")
    length = int.from_bytes(raw[:4], "big")
    head = json.loads(raw[4 : 4 + length])
    if head["version"] != MODEL_VERSION:
        raise ValueError(f"a model of version {head['version']}, not {MODEL_VERSION}")
    with np.load(io.BytesIO(raw[4 + length :]), allow_pickle=False) as stored:
        found: Arrays = {name: stored[name] for name in stored.files}
    carried = from_arrays(
        {name.removeprefix("carried."): array for name, array in found.items() if name.startswith("carried.")},
        int(head["until"]),
        int(head["closed"]),
        int(head["per_day"]),
        int(head["slow_steps"]),
    )
    outlook = Outlook(*(found[f"outlook.{field.name}"].astype(np.float32, copy=False) for field in fields(Outlook)))
    tails = Tails(_tail(found, "seasonal"), _tail(found, "steps"), _tail(found, "slow"))
    numbers = {name: int(head[name]) for name in _NUMBERS}
    parts = Parts(
        carried,
        outlook,
        tails,
        found["best"].astype(np.uint8, copy=False),
        found["choice"].astype(np.uint8, copy=False),
        step_seconds=float(head["step_seconds"]),
        **numbers,
    )
    _check(parts)
    return parts, _terms(head["terms"])


def _tail(found: Arrays, name: str) -> Tail:
    values = {field.name: found[f"{name}.{field.name}"] for field in fields(Tail)}
    return Tail(
        values["table"].astype(np.float32, copy=False),
        values["bottom"].astype(np.float32, copy=False),
        values["knee"].astype(np.float32, copy=False),
        values["at_knee"].astype(np.float32, copy=False),
        values["edge"].astype(np.float32, copy=False),
        values["slope"].astype(np.float32, copy=False),
        bool(values["pareto"]),
        values["known"].astype(bool, copy=False),
    )


def _check(parts: Parts) -> None:
    """Raise `ValueError` where shapes are not those of one model."""
    series, outlook = parts.carried.series, parts.outlook
    shapes = {
        "seasons": (outlook.plain.shape, (parts.ahead, series)),
        "levels of then": (outlook.level_then.shape, (parts.ahead, series)),
        "weeks": (outlook.weekly.shape, (parts.ahead, series)),
        "hours": (outlook.medians.shape, (BLOCKS_A_DAY, series)),
        "hour": (outlook.current.shape, (parts.block, series)),
        "tail": (parts.tails.seasonal.table.shape, (series, BINS + 1)),
        "tail of steps": (parts.tails.steps.table.shape, (series, BINS + 1)),
        "slow tail": (parts.tails.slow.table.shape, (series, BINS + 1)),
        "choice": (parts.best.shape, (series,)),
    }
    for name, (found, expected) in shapes.items():
        if found != expected:
            raise ValueError(f"no packed model: {name} of shape {found}, not {expected}")


def _terms(head: dict[str, object]) -> Terms:
    return Terms(
        values=Values(head["values"]),
        direction=Direction(head["direction"]),
        sensitivity=Sensitivity(head["sensitivity"]),
        least_absolute=float(str(head["least_absolute"])),
        least_relative=float(str(head["least_relative"])),
        daily=bool(head["daily"]),
        weekly=bool(head["weekly"]),
    )
