"""The kind `CostAllocation`: who bears the cost that nobody caused alone."""

import re
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})")

Name = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Dimension = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./:@-]{0,127}$")]
Value = Annotated[str, StringConstraints(max_length=256)]


def _listed(value: object) -> object:
    """One value stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _as_yaml_writes_it(value: object) -> object:
    """Python would also read `1_0`, `NaN` and digits of other scripts as numbers."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticKnownError("decimal_parsing")
    return value


Number = Annotated[Decimal, BeforeValidator(_as_yaml_writes_it)]
Values = Annotated[
    list[Value], BeforeValidator(_listed, json_schema_input_type=str | list[str]), Field(min_length=1, max_length=1000)
]
ScopeMap = dict[Dimension, Values]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class AllocationMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class CostKeyPart(_Part):
    """In proportion to what each target costs already."""

    of: Literal["direct", "loaded"] = Field(
        "direct", description="Before any step, or with what earlier steps gave them."
    )
    where: ScopeMap = Field(default_factory=dict, description="Only this cost counts; left out: all.")


class KeyPart(_Part):
    """Exactly one of these."""

    cost: CostKeyPart | None = None
    usage: Name | None = Field(None, description="The name of weights under spec.usage.")
    even: bool | None = Field(None, description="true: the same for everybody.")
    shares: dict[Value, Number] | None = Field(None, description="Fixed shares by target; they add up to 1.")


class StepPart(_Part):
    """Takes what fits `select` and gives it to values of `over`, by a key."""

    name: Name
    kind: Literal["shared", "idle", "commitment"] = Field("shared", description="What reports call it.")
    select: ScopeMap = Field(
        default_factory=dict,
        description='Values by dimension, "" for none. Left out: everything that has no value of `over`.',
    )
    over: Dimension | None = Field(None, description="The dimension whose values get it. Left out: spec.target.")
    by: KeyPart
    targets: Values | None = Field(None, description="Only these get any. Left out: everybody that the key knows.")


class UsagePart(_Part):
    """Where weights come from. Exactly one of these."""

    promql: str | None = Field(
        None, description="One value for each target over a day: {{.window}} stands for 1d in its ranges."
    )
    label: Dimension | None = Field(None, description="Of promql: the label that names the target; by default `over`.")
    csv: str | None = Field(None, description="A file beside this one: columns target, weight and maybe period.")
    quantity: ScopeMap | None = Field(None, description="What the ledger says was consumed in this scope.")
    unit: str = Field("", description="Of quantity: only rows in this unit count.")


class AllocationSpec(_Part):
    """Which dimension everything is brought to, and in what steps."""

    description: str = ""
    target: Dimension = Field(description="The dimension that bears cost in the end: tenant, team.")
    figure: Literal["effective", "billed"] = "effective"
    period: Literal["month", "day"] = Field("month", description="Within which cost meets weights.")
    usage: dict[Name, UsagePart] = Field(default_factory=dict)
    steps: list[StepPart] = Field(min_length=1, max_length=100)


class AllocationDocument(_Part):
    """kind: CostAllocation."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["CostAllocation"]
    metadata: AllocationMetadata
    spec: AllocationSpec
