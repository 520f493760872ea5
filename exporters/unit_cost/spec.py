"""The kind `UnitCost`: money for so many units of work."""

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


def _listed(value: object) -> object:
    """One value stands for a list of one."""
    return [value] if isinstance(value, str) else value


_Number = Annotated[Decimal, BeforeValidator(_as_yaml_writes_it)]
Amount = Annotated[_Number, Field(ge=0, le=1_000_000_000_000)]
Positive = Annotated[_Number, Field(gt=0, le=1_000_000_000_000)]
Share = Annotated[_Number, Field(gt=0, le=1)]
Label = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,127}$")]
Dimension = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./:@-]{0,127}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Length = Annotated[str, StringConstraints(max_length=20)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
_Value = Annotated[str, StringConstraints(max_length=256)]
Values = Annotated[
    list[_Value], BeforeValidator(_listed, json_schema_input_type=str | list[str]), Field(min_length=1, max_length=1000)
]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class UnitCostMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict, description="Copied to every alert.")
    annotations: dict[str, str] = Field(default_factory=dict)


class UnitsPart(_Part):
    """What is counted. Exactly one of counter and query."""

    what: Line = Field(description="Its name for people, in the plural: ingested events.")
    counter: str | None = Field(None, description="A selector of counters, such as http_requests_total{job='x'}.")
    query: str | None = Field(
        None, description="PromQL for the units of a time, which {{.window}} stands for in its ranges."
    )


class AlertPart(_Part):
    """When somebody is told that it costs too much."""

    severity: Literal["page", "ticket"] = "ticket"
    long: Length = Field("1d", description="The window that must be above the target.")
    short: Length = Field("1h", description="The window that must still be above it.")
    hold: Length = Field("15m", alias="for", description="How long it must last.")
    least_excess: Amount = Field(
        Decimal(1), description="Nobody is told before the long window cost this much more than the target allows."
    )
    keep: Share = Field(Decimal("0.95"), description="It stops below this share of the target, so that it can't flap.")


class NoUnitsPart(_Part):
    """When somebody is told that money is spent and nothing comes of it."""

    floor_per_hour: Amount = Decimal(1)
    hold: Length = Field("30m", alias="for")


class UnitCostSpec(_Part):
    """Which money, for what units, and how much it may be."""

    description: str = ""
    scope: dict[Label, Values] = Field(
        default_factory=dict, description="Values by label of live spend; left out: all spend in the currency."
    )
    billed_scope: dict[Dimension, Values] | None = Field(
        None, description="The same money in a billed ledger, where its dimensions differ."
    )
    currency: Currency
    units: UnitsPart
    per: Positive = Field(Decimal(1), description="So many units: 1000, 1000000.")
    by: list[Label] = Field(default_factory=list, max_length=5, description="Labels of both money and units.")
    spread: UnitsPart | None = Field(
        None, description="Money without a value of the label in `by` goes to its values in proportion to this."
    )
    target: Positive | None = Field(None, description="What `per` units may cost at most. Left out: only measured.")
    windows: list[Length] = Field(default=["1h", "1d", "30d"], min_length=1, max_length=8)
    alert: AlertPart = Field(default_factory=AlertPart)
    spend_without_units: NoUnitsPart | None = Field(None, description="Left out: nobody is told.")


class UnitCostDocument(_Part):
    """kind: UnitCost."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["UnitCost"]
    metadata: UnitCostMetadata
    spec: UnitCostSpec
