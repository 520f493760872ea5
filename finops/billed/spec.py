"""The kinds `CostSource` and `ExchangeRates`: where bills lie, and what currencies are worth."""

import re
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})")


def _as_yaml_writes_it(value: object) -> object:
    """Python would also read `1_0`, `NaN` and digits of other scripts as numbers."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticKnownError("decimal_parsing")
    return value


_Number = Annotated[Decimal, BeforeValidator(_as_yaml_writes_it)]
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4096)]
_Key = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
_Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
_Count = Annotated[int, Field(ge=1, le=1_000_000_000_000_000)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class BilledMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class BoundsPart(_Part):
    """What an import may take at most; what is left out has a default."""

    files: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(None, description="Files or objects.")
    file_bytes: _Count | None = Field(None, description="Of one file, as it lies there.")
    total_bytes: _Count | None = Field(None, description="Of all files that are imported together.")
    unpacked_bytes: _Count | None = Field(None, description="Of one gzip file when it is unpacked.")
    unpacked_ratio: Annotated[int, Field(ge=1, le=1100)] | None = Field(
        None, description="How many times its size a gzip file may unpack to."
    )
    line_bytes: Annotated[int, Field(ge=1024, le=64 * 1024**2)] | None = Field(
        None, description="Of one line of a text file."
    )
    seconds: Annotated[int, Field(ge=1, le=86_400)] | None = Field(None, description="For fetching objects.")
    memory_bytes: Annotated[int, Field(ge=256 * 1024**2, le=1024**4)] | None = Field(
        None, description="For DuckDB; beyond that it spills to disk."
    )
    quarantined_share: Annotated[_Number, Field(ge=0, le=1)] | None = Field(
        None, description="A period with more rows than that in quarantine is refused; 0.5 when left out."
    )


class CostSourceSpec(_Part):
    """Which files, and how they are read."""

    path: _Text = Field(description="File, folder or glob, relative to this file; or s3://, gs://, az://, abfs://.")
    format: Literal["focus", "aws", "azure", "gcp"] = Field(
        "focus", description="aws and azure: only what a manifest names counts. focus and gcp: all files do."
    )
    currencies: list[_Currency] = Field(
        default_factory=list, description="The currencies that are expected; rows in others do not count."
    )
    dimensions: dict[str, list[_Key]] = Field(
        default_factory=dict,
        description="Where a dimension's value stands, the first that has one counts: tag:KEY, or a FOCUS column.",
    )
    tag_keys: dict[str, list[_Key]] = Field(
        default_factory=dict, description="Other keys of a tag; letter case and spaces around keys never matter."
    )
    credentials: dict[str, _Key] = Field(
        default_factory=dict,
        description="Options of the file system (key, secret, token, account_name, …) and the environment variables "
        "that hold them. Left out: the cloud's own ways.",
    )
    endpoint: str = Field("", description="URL of an S3-compatible server.")
    bounds: BoundsPart = BoundsPart()


class CostSourceDocument(_Part):
    """kind: CostSource."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["CostSource"]
    metadata: BilledMetadata
    spec: CostSourceSpec


class RatePart(_Part):
    """From a day on, 1 unit of `from` is worth `rate` units of `to`."""

    since: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] = Field(
        description="The first day (UTC) on which it holds, such as 2026-11-01; it holds until the next one."
    )
    source: _Currency = Field(alias="from")
    target: _Currency = Field(alias="to")
    rate: Annotated[_Number, Field(gt=0, le=1_000_000_000)]


class ExchangeRatesSpec(_Part):
    """Where the rates come from, and what they are."""

    source: _Text = Field(description="Who published them, so that an auditor finds them.")
    rates: list[RatePart] = Field(min_length=1, max_length=100_000)


class ExchangeRatesDocument(_Part):
    """kind: ExchangeRates."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["ExchangeRates"]
    metadata: BilledMetadata
    spec: ExchangeRatesSpec
