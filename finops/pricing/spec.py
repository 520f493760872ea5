"""The kind `PriceMap`: what is measured, and what it costs from when on."""

import re
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def _as_yaml_writes_it(value: object) -> object:
    """Python would also read `1_0` and digits of other scripts as numbers."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticKnownError("decimal_parsing")
    return value


_Number = Annotated[Decimal, BeforeValidator(_as_yaml_writes_it)]
_Amount = Annotated[_Number, Field(ge=0, le=1_000_000_000_000)]
_Size = Annotated[_Number, Field(gt=0, le=1_000_000_000_000)]
_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Query = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]
_Moment = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
_Length = Annotated[str, StringConstraints(max_length=40)]
_MOST_ITEMS: Final = 200
_MOST_MODELS: Final = 200


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class PriceMapMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class MeasurePart(_Part):
    """What is measured. Exactly one of the two."""

    counter: _Query | None = Field(
        None, description="A selector of counters, such as http_requests_total{job='x'}: units are what they grow by."
    )
    gauge: _Query | None = Field(
        None, description="PromQL that says how much there is now, such as nodes or GiB: units are unit-hours."
    )


class PricePart(_Part):
    """What `per` units cost during a time."""

    amount: _Amount = Field(description="Money, as decimal text such as 0.40.")
    per: _Size = Field(Decimal(1), description="For so many units, such as 1000000.")
    from_: _Moment | None = Field(
        None, alias="from", description="When it begins: 2026-12-01 (UTC), or 2026-12-01T06:00Z. Left out: ever since."
    )
    to: _Moment | None = Field(None, description="When it ends. Left out: when the next price begins.")


class OverridePart(_Part):
    """Your own price of a model, in place of the catalogue's from a day on; what is left out stays the catalogue's."""

    model: _Line
    from_: _Moment | None = Field(None, alias="from", description="When it begins. Left out: ever since.")
    per: _Size = Field(Decimal(1_000_000), description="For so many tokens.")
    input: _Amount | None = None
    output: _Amount | None = None
    cached_input: _Amount | None = None
    cache_write: _Amount | None = None


class TokensPart(_Part):
    """How the metric tells models and kinds of tokens apart."""

    model_label: str = Field("gen_ai_request_model", description="The label that has the model.")
    type_label: str = Field("gen_ai_token_type", description="The label that has the kind of token.")
    types: dict[str, Literal["input", "output", "cachedInput", "cacheWrite"]] = Field(
        default_factory=dict,
        description="Its values. Left out: input, output, cached_input, cache_read and cache_write.",
    )
    input_includes_cached: bool = Field(
        False,
        description="Whether tokens read from a cache are counted as input, too.",
    )


class MachinePart(_Part):
    """The size of an instance type, where no metric tells it."""

    instance_type: _Line
    cores: _Size
    gib: _Size


class OpenCostPart(_Part):
    """OpenCost's metrics, as far as they are there."""

    node_labels: list[str] = Field(default_factory=list, description="Labels of nodes that the spend keeps: region, …")
    cpu_share: Annotated[_Number, Field(ge=0, le=1)] = Field(
        Decimal("0.5"), description="The cores' part of a node's price, where it is not told apart."
    )
    machines: list[MachinePart] = Field(default_factory=list, max_length=_MOST_ITEMS)


class ReplicasPart(_Part):
    """Several exporters report the same; the freshest is read."""

    label: str = Field(description="The label that tells them apart, such as exporter.")
    timestamp: _Query | None = Field(
        None, description="A gauge with that label: the Unix time up to which the exporter knows. Left out: of samples."
    )


class StalePart(_Part):
    """When silence is told."""

    after: _Length = Field("10m", description="How long it must last.")
    by: list[str] = Field(default_factory=list, description="Labels whose combinations must each speak, as service.")
    optional: bool = Field(False, description="Whether it may never have been there.")


class ItemPart(_Part):
    """One thing that costs money: `usage` with `prices` or a `catalogue`, or `spend`, or `openCost`."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    resource: Literal["node", "pod", "request", "byte", "token", "row", "event", "storage", "custom"]
    usage: MeasurePart | None = None
    spend: MeasurePart | None = Field(
        None, description="What is money already: a counter of it, or a gauge of money per hour."
    )
    open_cost: Literal["auto"] | None = Field(None, description="Nodes, volumes and load balancers by OpenCost.")
    open_cost_options: OpenCostPart | None = None
    catalogue: Literal["genai-prices"] | None = Field(None, description="Prices of language models.")
    provider: _Line | None = Field(
        None, description="The catalogue's provider, such as openai. Left out: by the model."
    )
    models: list[_Line] = Field(
        default_factory=list, max_length=_MOST_MODELS, description="Models to price, as the metric's label has them."
    )
    tokens: TokensPart | None = None
    overrides: list[OverridePart] = Field(default_factory=list, max_length=_MOST_ITEMS)
    by: list[str] = Field(default_factory=list, max_length=12, description="Labels that the spend keeps.")
    from_: dict[str, str] = Field(
        default_factory=dict,
        alias="from",
        description="Where the metric calls a label otherwise: {ours: the metric's}.",
    )
    labels: dict[str, str] = Field(default_factory=dict, description="Added to all of it, such as service: neo4j.")
    prices: list[PricePart] = Field(default_factory=list, max_length=_MOST_ITEMS, description="In order of time.")
    billed: bool = Field(
        True, description="Whether an imported bill has it; else it is neither compared nor corrected."
    )
    replicas: ReplicasPart | None = None
    stale: StalePart | None = None


class CorrectionPart(_Part):
    """Which correction ratios (billed ÷ estimated) are believed."""

    lowest: _Size = Decimal("0.2")
    highest: _Size = Decimal(5)
    max_age: _Length = Field("14d", description="How old the bill behind it may be.")


class BilledPart(_Part):
    """How the bill calls your services."""

    dimension: _Line = Field("service", description="The bill's dimension: service (FOCUS ServiceName), or a tag.")
    services: dict[str, list[_Line]] = Field(default_factory=dict, description="Names in the bill, by service.")


class PriceMapSpec(_Part):
    """Prices in one currency."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(description="ISO 4217, such as USD.")
    correction: CorrectionPart | None = None
    billed: BilledPart | None = None
    replicas: ReplicasPart | None = Field(None, description="For all items that say nothing else.")
    stale: StalePart | None = Field(None, description="For all items that say nothing else.")
    items: list[ItemPart] = Field(min_length=1, max_length=_MOST_ITEMS)


class PriceMapDocument(_Part):
    """kind: PriceMap."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["PriceMap"]
    metadata: PriceMapMetadata
    spec: PriceMapSpec
