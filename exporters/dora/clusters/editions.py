"""Editions of the report as they lie in `editions.json`, with the source of each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from exporters.dora.model import Metric

_RECOVERY: Final = "recovery_time"  # which metric that is differs between editions
_HALF: Final = Decimal("0.5")
_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Band:
    """What a report prints of one metric of one cluster: `says` in its words, and as numbers where less is better.

    Values are in [low, high): seconds, days between two deployments, or a ratio. `high` is None where there is no end.
    With `typical` the report gives one ratio instead of a range, and `low` and `high` mean nothing.
    """

    says: str
    low: Decimal = Decimal(0)
    high: Decimal | None = None
    typical: Decimal | None = None

    def holds(self, value: Decimal) -> bool:
        """Whether the value is in the range."""
        return self.low <= value and (self.high is None or value < self.high)


@dataclass(frozen=True, slots=True)
class Edition:
    """A report: `clusters` best first, and for each metric the band of each of them, in that order."""

    name: str
    report: str
    url: str
    note: str
    clusters: tuple[str, ...]
    bands: Mapping[Metric, tuple[Band, ...]]


@cache
def editions() -> Mapping[str, Edition]:
    """Every edition by its name, oldest first."""
    text = files(__package__).joinpath("editions.json").read_text("utf-8")
    told = json.loads(text, parse_int=Decimal, parse_float=Decimal)
    return MappingProxyType({each["name"]: _edition(each) for each in told["editions"]})


def _edition(told: dict[str, object]) -> Edition:
    clusters = told["clusters"]
    assert isinstance(clusters, list)
    keys = {
        Metric.LEAD_TIME: Metric.LEAD_TIME.value,
        Metric.FREQUENCY: Metric.FREQUENCY.value,
        Metric.FAIL_RATE: Metric.FAIL_RATE.value,
        Metric(told["recovery"]): _RECOVERY,
    }
    return Edition(
        name=str(told["name"]),
        report=str(told["report"]),
        url=str(told["url"]),
        note=str(told["note"]),
        clusters=tuple(str(each["name"]) for each in clusters),
        bands=MappingProxyType({metric: tuple(_band(each[key]) for each in clusters) for metric, key in keys.items()}),
    )


def _band(told: Mapping[str, str | Decimal]) -> Band:
    says, numbers = str(told["says"]), {key: Decimal(value) for key, value in told.items() if key != "says"}
    if "typical_percent" in numbers:
        return Band(says, typical=numbers["typical_percent"] / _HUNDRED)
    if "from_percent" in numbers:  # ranges of whole percents: 15.4 % was answered as 15 %
        low, high = numbers["from_percent"] - _HALF, numbers["to_percent"] + _HALF
        return Band(says, max(low, Decimal(0)) / _HUNDRED, high / _HUNDRED)
    low = next((value for key, value in numbers.items() if key.startswith("from_")), Decimal(0))
    return Band(says, low, next((value for key, value in numbers.items() if key.startswith("to_")), None))
