"""The kind `Ladder`: which signals drive it, its tiers from the mildest on, and what holds it back."""

import re
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

from finops.flags.spec import Value

MOST_TIERS: Final = 12
MOST_SIGNALS: Final = 50
MOST_SAMPLES: Final = 10_000
MOST_MONEY: Final = 1_000_000_000
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})")


def _as_yaml_writes_it(value: object) -> object:
    """Python would also read `1_0`, `NaN` and digits of other scripts as numbers."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticKnownError("decimal_parsing")
    return value


_Number = Annotated[Decimal, BeforeValidator(_as_yaml_writes_it)]
Threshold = Annotated[_Number, Field(gt=0, le=1_000_000_000_000)]
Money = Annotated[_Number, Field(gt=0, le=MOST_MONEY)]
Samples = Annotated[int, Field(ge=1, le=MOST_SAMPLES)]
TierNumber = Annotated[int, Field(ge=1, le=MOST_TIERS)]
Length = Annotated[str, StringConstraints(max_length=40)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
Query = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Thresholds = Annotated[dict[str, Threshold], Field(min_length=1, max_length=MOST_SIGNALS)]
Matchers = Annotated[dict[str, Annotated[str, StringConstraints(max_length=1000)]], Field(min_length=1, max_length=20)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class LadderMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: Annotated[str, StringConstraints(max_length=200)] = ""
    labels: dict[str, str] = Field(default_factory=dict, description="Copied to its alerts.")
    annotations: dict[str, str] = Field(default_factory=dict)


class SignalPart(_Part):
    """A figure that conditions refer to by its name. Exactly one of budget, unitCost, quota, anomaly and query.

    A spike of a budget may name an `anomaly` besides.
    """

    name: Name
    budget: Name | None = Field(None, description="A Budget; `measure` says what of it.")
    unit_cost: Name | None = Field(None, description="A UnitCost with a target: what it costs ÷ its target.")
    quota: Name | None = Field(None, description="A UsageQuota: the most that any tenant used of it, 1 is all.")
    anomaly: Name | None = Field(
        None,
        description="An AnomalyDetector: the worst score of its open anomalies, 0 while none is open. "
        "Of a spike: it counts only while one is open.",
    )
    query: Query | None = Field(None, description="PromQL with one value, 0 or more.")
    measure: Literal["burnRate", "forecast", "spent", "spike"] | None = Field(
        None, description="Of a budget: spend ÷ expected spend, forecast ÷ amount, spent ÷ amount, spend ÷ usual spend."
    )
    window: Length | None = Field(None, description="Of a burn rate or unit cost; left out: 1h.")
    floor_per_hour: Annotated[_Number, Field(ge=0, le=MOST_MONEY)] | None = Field(
        None, description="Of a spike: money an hour below which there is none. Left out: as the Budget says."
    )
    per_hour: Query | None = Field(
        None,
        description="Of a query or anomaly: PromQL for how much it rises with each unit of money an hour. "
        "Left out: not at all.",
    )
    group: Name | None = Field(
        None, description="Signals of one group do not confirm each other. Left out: those of one source are a group."
    )
    stale_after: Length | None = Field(None, description="Left out: the ladder's.")


class EnterPart(_Part):
    """When a tier is entered: signals at their thresholds or above, `any` of them or `all`; exactly one of the two."""

    any_: Thresholds | None = Field(None, alias="any")
    all_: Thresholds | None = Field(None, alias="all")
    samples: Samples = Field(3, description="In so many samples in a row.")


class ExitPart(_Part):
    """When it is left: signals below their thresholds, as they would be without the tier; `any` or `all` of them."""

    any_: Thresholds | None = Field(None, alias="any")
    all_: Thresholds | None = Field(None, alias="all")
    samples: Samples = Field(10, description="In so many samples in a row.")


class TierPart(_Part):
    """One tier: it adds to those before it."""

    name: Name
    description: Annotated[str, StringConstraints(max_length=2000)] = ""
    flags: Annotated[dict[str, Value], Field(min_length=1, max_length=50)] = Field(
        description="Values of flags on the store's allow-list."
    )
    saving: Money = Field(description="What it is expected to save, in the ladder's currency an hour.")
    enter: EnterPart
    exit: ExitPart
    dwell: Length = Field("15m", description="How long it is kept at least, in either direction.")
    approval: Literal["none", "required"] = Field("none", description="Whether somebody must agree before each entry.")
    expires: Length | None = Field(
        None, description="How long it may stand before somebody must extend it. Left out: for ever."
    )
    journeys: Annotated[list[Name], Field(max_length=50)] = Field(
        default_factory=list, description="Journeys that must be green before it stands."
    )
    explains: Annotated[list[Matchers], Field(max_length=50)] = Field(
        default_factory=list,
        description="Alerts that it explains, by labels that must all fit; a value after `~` is a regular expression.",
    )
    public_text: Annotated[str, StringConstraints(max_length=2000)] = Field(
        "", description="What the status page says."
    )


class BrakePart(_Part):
    """A flow that tiers from `fromTier` on degrade, by its SLO."""

    slo: Name
    from_tier: TierNumber
    minimum: Annotated[_Number, Field(ge=0, lt=1)] = Field(
        Decimal(0), description="No such tier is entered while this share of the error budget is left, or less."
    )
    release: bool = Field(False, description="Whether a tier in force is left then, whatever the spend.")


class GrowthPart(_Part):
    """While this unit cost is flat, spend rises because use does: each step up is asked for."""

    signal: Name
    flat_below: Threshold = Field(Decimal("1.05"), description="It is flat below this.")


class EmergencyPart(_Part):
    """A jump straight to a tier: two of these hold that are of different groups, and somebody agrees."""

    tier: TierNumber
    any_: Annotated[dict[str, Threshold], Field(min_length=2, max_length=MOST_SIGNALS)] = Field(alias="any")
    samples: Samples = 3


class LimitsPart(_Part):
    """What keeps a ladder calm."""

    changes_per_day: Annotated[int, Field(ge=1, le=1000)] = Field(12, description="In any 24 h, undone ones too.")
    cool_down: Length = Field("30m", description="Between any change and a step down.")
    retry_after: Length = Field("15m", description="After a step that was undone; doubled each time.")


class VerificationPart(_Part):
    """How a step is verified."""

    visible_within: Length = Field("30s", description="By when applications must see the flags.")
    settle: Length = Field("10s", description="How long after that the journeys run.")


class LadderSpec(_Part):
    """One ladder."""

    description: Annotated[str, StringConstraints(max_length=2000)] = ""
    mode: Literal["shadow", "recommend", "enforce"] = Field(
        "shadow", description="shadow: it only tells; recommend: it asks before each step up; enforce: it acts."
    )
    flag_store: Name = Field(description="The FlagStore with the flags of its tiers.")
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(description="Of savings: ISO 4217.")
    every: Length = Field("1m", description="The time between two samples.")
    stale_after: Length = Field("5m", description="How old a signal's data may be.")
    signals: Annotated[list[SignalPart], Field(min_length=1, max_length=MOST_SIGNALS)]
    brakes: Annotated[list[BrakePart], Field(max_length=50)] = Field(default_factory=list)
    growth: GrowthPart | None = None
    emergency: EmergencyPart | None = None
    limits: LimitsPart = Field(default_factory=LimitsPart)
    verification: VerificationPart = Field(default_factory=VerificationPart)
    tiers: Annotated[list[TierPart], Field(min_length=1, max_length=MOST_TIERS)] = Field(
        description="From the mildest on: the first is tier 1."
    )


class LadderDocument(_Part):
    """kind: Ladder."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Ladder"]
    metadata: LadderMetadata
    spec: LadderSpec
