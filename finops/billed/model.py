"""What is declared about billed costs: where the files lie, how our dimensions follow from them, exchange rates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum


class Format(Enum):
    """Whose export it is: that decides how the folder is laid out and what says that a period is complete."""

    FOCUS = "focus"  # files as they are
    AWS = "aws"  # Data Exports: BILLING_PERIOD=YYYY-MM partitions and a manifest, written last
    AZURE = "azure"  # Cost Management exports: a folder a period, a folder a run, manifest.json in it
    GCP = "gcp"  # what was exported from BigQuery; tags and labels may be lists of keys and values


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an import may take at most. Sizes in bytes, `seconds` for fetching objects.

    `quarantined_share`: with more rows than that in quarantine, the period is refused as a whole.
    """

    files: int = 10_000
    file_bytes: int = 50 * 1024**3
    total_bytes: int = 200 * 1024**3
    unpacked_bytes: int = 200 * 1024**3
    unpacked_ratio: int = 200
    line_bytes: int = 1024**2
    seconds: int = 3600
    quarantined_share: Decimal = Decimal("0.5")
    memory_bytes: int = 2 * 1024**3 + 512 * 1024**2


@dataclass(frozen=True, slots=True)
class Term:
    """One place where a dimension's value may stand: a tag, or a column of FOCUS."""

    tag: str = ""
    column: str = ""


Dimensions = Mapping[str, tuple[Term, ...]]
"""Our dimensions, each with the places to look for its value; the first that has one counts."""


@dataclass(frozen=True, slots=True)
class CostSource:
    """Where a provider's cost files lie, and how they are read.

    `path` is a file, folder, glob or URL (s3, gs, az, abfs). `currencies` empty: any. `tag_aliases` maps other keys of
    a tag to its name, both in lower case. `credentials` are (option of the file system, environment variable).
    `further` are paths beside the first one, of files that were named on the command line together.
    """

    name: str
    path: str
    format: Format = Format.FOCUS
    currencies: tuple[str, ...] = ()
    dimensions: Dimensions = field(default_factory=dict)
    tag_aliases: Mapping[str, str] = field(default_factory=dict)
    credentials: tuple[tuple[str, str], ...] = ()
    endpoint: str = ""
    bounds: Bounds = Bounds()
    further: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """From this day on, 1 unit of `source` is worth `rate` units of `target`."""

    source: str
    target: str
    since: date
    rate: Decimal


@dataclass(frozen=True, slots=True)
class ExchangeRates:
    """Dated rates and where they come from."""

    name: str
    cited: str
    rates: tuple[Rate, ...]
