"""Some of a detector's series with their model, and how they are kept in the store."""

import json
import zlib
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.live import MODEL_VERSION, FittedModel, unpack

HEAD_CHUNK: Final = 0  # is no model: what is remembered of each series
SERIES_CHUNKS: Final = 1  # and on
GROUP_CHUNKS: Final = 10_000
CHUNK_SERIES: Final = 1000
STORED_VERSION: Final = 100 * MODEL_VERSION + 3  # and that of what stands around the model
_LENGTH_BYTES: Final = 4
_MOST_HEAD_BYTES: Final = 64 << 20  # of labels; the store takes 16 MiB of a chunk, packed


class Misfit(Enum):
    """Why a stored model is of no use: it is rebuilt, and counted by this."""

    VERSION = "version"
    DEFINITION = "definition"
    DAMAGED = "damaged"
    MISSING = "missing"


class Mask(NamedTuple):
    """A reason why some steps before `end` are not learnt from; `is_said`: it is what somebody said."""

    end: int
    name: str
    is_said: bool = False


@dataclass(slots=True)
class Chunk:
    """A model of the series `keys`, in their order; None where they are all gone.

    `fitted` is the step after the newest one that it was fitted on.
    `since` (S,): the step of the first sample that it knows of each series; −1: none.
    `masks` are why it did not learn from some steps; `is_corrected`: samples have come into its past since then.
    """

    number: int
    keys: tuple[str, ...]
    model: FittedModel | None
    fitted: int
    since: NDArray[np.int64]
    masks: frozenset[Mask] = frozenset()
    is_corrected: bool = False

    def pack(self) -> bytes:
        """For the store; nothing where there is no model."""
        if self.model is None:
            return b""
        told = {"keys": self.keys, "fitted": self.fitted, "since": self.since.tolist(), "masks": sorted(self.masks)}
        head = zlib.compress(json.dumps(told, separators=(",", ":")).encode(), 1)
        return b"".join((len(head).to_bytes(_LENGTH_BYTES, "big"), head, self.model.pack()))


def unpacked(number: int, body: bytes) -> Chunk:
    """Of `Chunk.pack`. Raises ValueError for bytes that are none."""
    length = int.from_bytes(body[:_LENGTH_BYTES], "big")
    end = _LENGTH_BYTES + length
    try:
        stream = zlib.decompressobj()
        head = json.loads(stream.decompress(body[_LENGTH_BYTES:end], _MOST_HEAD_BYTES))
        keys, fitted = tuple(str(key) for key in head["keys"]), int(head["fitted"])
        since = np.array(head["since"], dtype=np.int64)
        masks = frozenset(Mask(int(end), str(name), bool(said)) for end, name, said in head["masks"])
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"no chunk of models: {error}") from error
    model = unpack(body[end:])
    if not len(keys) == model.series == len(since):
        raise ValueError("a chunk of models that has another number of series than it says")
    return Chunk(number, keys, model, fitted, since, masks)
