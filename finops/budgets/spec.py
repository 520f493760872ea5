"""The kind `Budget`: how much may be spent on what, over which window, and when somebody is told."""

import re
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})(?:[eE][-+]?[0-9]{1,2})?")
CALENDAR_WORDS: Final = ("week", "month", "quarter", "year")
_MOST_MONEY: Final = 1_000_000_000_000_000


def _as_yaml_writes_it(value: object) -> object:
    """Python would also read `1_0`, `NaN` and digits of other scripts as numbers."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticKnownError("decimal_parsing")
    return value


def _listed(value: object) -> object:
    """One value stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _window(value: object) -> object:
    """`month` stands for `{every: month}`, `30d` for `{rolling: 30d}`."""
    if isinstance(value, str):
        return {"every": value} if value in CALENDAR_WORDS else {"rolling": value}
    return value


Number = Annotated[Decimal, BeforeValidator(_as_yaml_writes_it)]
Weight = Annotated[Number, Field(ge=0, le=1000)]
Share = Annotated[Number, Field(gt=0, le=1)]
Length = Annotated[str, StringConstraints(max_length=40)]
Value = Annotated[str, StringConstraints(max_length=256)]
Values = Annotated[list[Value], BeforeValidator(_listed), Field(min_length=1, max_length=200)]
Thresholds = Annotated[list[Number], Field(max_length=10)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class BudgetMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: Annotated[str, StringConstraints(max_length=200)] = Field("", description="What alerts call it.")
    labels: dict[str, str] = Field(default_factory=dict, description="Copied to its alerts.")
    annotations: dict[str, str] = Field(default_factory=dict)


class WindowPart(_Part):
    """A calendar window (`every`), or one that always ends now (`rolling`); exactly one of the two."""

    every: Literal["week", "month", "quarter", "year"] | None = None
    rolling: Length | None = Field(None, description="Such as 30d.")
    time_zone: str | None = Field(None, description="Of `every`: an IANA name; by default UTC.")
    start: str | None = Field(
        None, description="Of `every`: the day on which one of them begins, such as 2026-04-15; by default the first."
    )


class WeekdaysPart(_Part):
    """Weights of the days of the week, on any scale; a day that is left out weighs 1."""

    mon: Weight = Decimal(1)
    tue: Weight = Decimal(1)
    wed: Weight = Decimal(1)
    thu: Weight = Decimal(1)
    fri: Weight = Decimal(1)
    sat: Weight = Decimal(1)
    sun: Weight = Decimal(1)


class MonthEndPart(_Part):
    """The last days of each month weigh more (or less)."""

    days: Annotated[int, Field(ge=1, le=28)]
    factor: Weight


class PacePart(_Part):
    """How spending is expected to spread over the window; left out: evenly."""

    weekdays: WeekdaysPart | None = None
    month_end: MonthEndPart | None = None
    time_zone: str | None = Field(None, description="When a day begins; by default the window's time zone.")


class SpikePart(_Part):
    """Spend of the last hour that is out of all proportion."""

    factor: Annotated[Number, Field(gt=1, le=1000)] = Decimal(3)
    floor_per_hour: Annotated[Number, Field(ge=0, le=_MOST_MONEY)] = Field(
        Decimal(1), description="Money an hour, in the budget's currency; nobody is told of less."
    )


class TierPart(_Part):
    """One burn-rate alert."""

    severity: Literal["page", "ticket"]
    budget_share: Share = Field(description="Share of the amount that must have gone, such as 0.02.")
    long: Length = Field(description="The window in which it must have gone, such as 1h.")
    short: Length = Field(description="The window over which it must still burn, such as 5m.")
    spent_within: Annotated[list[Length], Field(min_length=1, max_length=5)] | None = Field(
        None, description="Windows in one of which the share must have gone. Left out: `long`, and 5m if short is 5m."
    )
    burn_rate: Annotated[Number, Field(gt=0, le=1_000_000)] | None = Field(
        None, description="A threshold in place of budgetShare × window ÷ long."
    )
    hold: Length | None = Field(None, alias="for", description="How long it must last, such as 10m.")


class AlertsPart(_Part):
    """When somebody is told."""

    actual: Thresholds | None = Field(None, description="Shares of the amount that were spent; by default 0.8, 0.9.")
    forecast: Thresholds | None = Field(None, description="Shares that will have been spent; by default 0.8, 0.9.")
    burn: bool = Field(True, description="false: no burn-rate alerts.")
    tiers: Annotated[list[TierPart], Field(min_length=1, max_length=12)] | None = Field(
        None, description="In place of the standard four."
    )
    spike: SpikePart | None = None
    spikes: bool = Field(True, description="false: no alert about spikes.")
    stale_after: Length | None = Field(None, description="How long spend may be absent; by default 10m.")


class BudgetSpec(_Part):
    """How much, on what, and over which window."""

    description: str = ""
    amount: Annotated[Number, Field(gt=0, le=_MOST_MONEY)]
    currency: str = Field(description="ISO 4217, such as USD.")
    window: Annotated[WindowPart, BeforeValidator(_window)] = Field(
        default_factory=lambda: WindowPart(every="month"), description="month, quarter, year, week, or such as 30d."
    )
    scope: Annotated[dict[str, Values], Field(max_length=20)] = Field(
        default_factory=dict, description='Values by label, "" for none; all labels must fit. Left out: everything.'
    )
    pace: PacePart | None = None
    alerts: AlertsPart = Field(default_factory=AlertsPart)
    absent: Literal["missing", "zero"] = Field(
        "missing", description="What it means when nothing fits the scope: no data, or no spend."
    )


class BudgetDocument(_Part):
    """kind: Budget."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Budget"]
    metadata: BudgetMetadata
    spec: BudgetSpec
