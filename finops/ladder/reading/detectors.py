"""How far apart the steps of AnomalyDetectors are: a score is as old as its step."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from controlplane.specfile import Document

KIND: Final = "AnomalyDetector"
_STEP: Final = re.compile(r"([1-9][0-9]{0,4})([smhd])")
_UNITS: Final = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_DAY: Final = timedelta(days=1)
_STANDARD: Final = timedelta(minutes=5)


def detector_steps(documents: Sequence[Document]) -> dict[str, timedelta]:
    """The step of each detector by its name; of daily spend a day. What is no duration is told where it is read."""
    found: dict[str, timedelta] = {}
    for document in documents:
        if document.kind.name == KIND:
            spec = getattr(document.value, "spec", None)
            name = getattr(getattr(document.value, "metadata", None), "name", "")
            found.setdefault(str(name), _step(spec))
    return found


def _step(spec: object) -> timedelta:
    if getattr(spec, "cost", None) is not None:
        return _DAY
    match = _STEP.fullmatch(str(getattr(spec, "step", None) or ""))
    return int(match[1]) * _UNITS[match[2]] if match else _STANDARD
