"""The kinds `Meter`, `UsageQuota` and `ServiceContract`, as users write them."""

import re
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")


def _as_yaml_writes_it(value: object) -> object:
    """Python would also read `1_0` and digits of other scripts as numbers."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticKnownError("decimal_parsing")
    return value


Number = Annotated[Decimal, BeforeValidator(_as_yaml_writes_it)]
Amount = Annotated[Number, Field(ge=0, le=10**15, max_digits=30, decimal_places=12)]
Share = Annotated[Number, Field(gt=0, le=1, decimal_places=12)]
Percent = Annotated[Number, Field(gt=0, le=100, decimal_places=6)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
DataPath = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Unit = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9 _/%.-]{0,39}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Rounding = Literal["half-up", "half-even", "up", "down"]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class UsageMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class PricePart(_Part):
    """What a quantity costs."""

    amount: Amount = Field(description="Money for `per` units.")
    per: Annotated[Number, Field(gt=0, le=10**12, decimal_places=6)] = Field(Decimal(1), description="Units.")
    currency: Currency
    decimals: Annotated[int, Field(ge=0, le=6)] = Field(2, description="Decimals of an invoice line's amount.")


class BillingPart(_Part):
    """How a period's quantity becomes an invoice line."""

    free: Amount = Field(Decimal(0), description="Units a month that cost a tenant nothing.")
    rounding: Rounding = Field("half-up", description="How the line's one rounding goes.")
    decimals: Annotated[int, Field(ge=0, le=12)] | None = Field(
        None, description="Decimals that a line's billed quantity is rounded to, where there is no price."
    )
    price: PricePart | None = Field(None, description="Left out: lines carry quantities, another system prices them.")


class MeterSpec(_Part):
    """Which events are counted, and how."""

    description: str = ""
    event_type: Line = Field(description="The CloudEvents attribute `type`.")
    aggregation: Literal["sum", "count", "max", "unique"]
    value: DataPath | None = Field(
        None, description="Where in `data` the quantity stands, such as tokens.input; what `unique` tells apart."
    )
    unit: Unit
    tenant: DataPath = Field("subject", description="`subject`, or data.… where the tenant stands.")
    tenants: Literal["any", "contracts"] = Field(
        "any", description="contracts: tenants that no ServiceContract names are set aside."
    )
    dimensions: dict[str, DataPath] = Field(default_factory=dict, description="Labels, and where in `data` they stand.")
    billing: BillingPart = BillingPart()


class MeterDocument(_Part):
    """kind: Meter."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Meter"]
    metadata: UsageMetadata
    spec: MeterSpec


class QuotaSpec(_Part):
    """How much a tenant may use in a period."""

    description: str = ""
    meter: Line
    tenants: list[Line] = Field(default_factory=list, description="Left out: every tenant, each for itself.")
    limit: Annotated[Amount, Field(gt=0)]
    period: Literal["day", "month"] = Field("month", description="Of UTC.")
    thresholds: list[Annotated[Number, Field(gt=0, le=10, decimal_places=4)]] = Field(
        default_factory=lambda: [Decimal("0.8"), Decimal("0.9"), Decimal(1)],
        description="Shares of the limit; reaching one makes an event, once a period.",
    )


class QuotaDocument(_Part):
    """kind: UsageQuota."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["UsageQuota"]
    metadata: UsageMetadata
    spec: QuotaSpec


class CreditPart(_Part):
    """One row of the credit table."""

    below: Share = Field(description="Achieved less than this share in the month, such as 0.999 …")
    percent: Percent = Field(description="… gives back this share of the fee.")


class FeePart(_Part):
    """What credits are a share of."""

    amount: Amount = Field(Decimal(0), description="The fixed monthly fee.")
    currency: Currency
    usage: bool = Field(False, description="Whether the month's usage lines in this currency count, too.")
    decimals: Annotated[int, Field(ge=0, le=6)] = 2
    rounding: Rounding = "half-up"


class ContractSpec(_Part):
    """What tenants were promised, and what they get back when it was not kept."""

    description: str = ""
    tenants: list[Line] = Field(min_length=1)
    slo: Line = Field(description="The SLO's name; it has a budget for each value of `groupBy`.")
    group_by: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")] = "tenant"
    credits: list[CreditPart] = Field(min_length=1)
    fee: FeePart
    cap: Percent = Field(Decimal(100), description="The most that is given back, in per cent of the fee.")
    maintenance: Literal["excluded", "counted"] = Field(
        "excluded", description="counted: time that an SLOExclusion takes out counts all the same."
    )
    minimum_coverage: Share = Field(
        Decimal("0.95"), description="Share of the month that must have been measured; else no credit is reckoned."
    )


class ContractDocument(_Part):
    """kind: ServiceContract."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["ServiceContract"]
    metadata: UsageMetadata
    spec: ContractSpec
