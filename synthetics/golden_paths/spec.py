"""The kinds `GoldenPath` (what must work, and what watches it) and `RouteInventory` (which metric tells the routes)."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})")
_MOST: Final = 200


def _as_yaml_writes_it(value: object) -> object:
    """Python would also read `1_0`, `NaN` and digits of other scripts as numbers."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticKnownError("decimal_parsing")
    return value


def _listed(value: object) -> object:
    """One value stands for a list of one."""
    return [value] if isinstance(value, str) else value


_Amount = Annotated[Decimal, BeforeValidator(_as_yaml_writes_it), Field(ge=0, le=1_000_000_000_000)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
_Label = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,127}$")]
_Metric = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$")]
_Value = Annotated[str, StringConstraints(max_length=256)]
_Values = Annotated[
    list[_Value], BeforeValidator(_listed, json_schema_input_type=str | list[str]), Field(min_length=1, max_length=100)
]
_Route = Annotated[str, StringConstraints(min_length=1, max_length=500)]
_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
_Length = Annotated[str, StringConstraints(max_length=20)]
_Names = Annotated[list[_Name], Field(max_length=_MOST)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class PathMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict, description="Copied to every alert.")
    annotations: dict[str, str] = Field(default_factory=dict)


class RoutePart(_Part):
    """A route of the path, as traffic tells it."""

    service: _Name | None = Field(None, description="Left out: of any service.")
    method: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,20}$")] | None = Field(
        None, description="Left out: any method."
    )
    route: _Route = Field(description="As the inventory's metric writes it; `*` stands for any characters.")
    labels: dict[_Label, _Value] = Field(default_factory=dict, max_length=10, description="Further labels that it has.")


class ExemptPart(_Part):
    """A gap that is accepted for a while."""

    gap: Literal["no-journey", "no-slo", "not-run", "failing", "route-not-seen"]
    reason: _Line
    until: date = Field(description="The last day on which it is accepted (UTC).")


class GoldenPathSpec(_Part):
    """What people do, by which routes, and what watches that it works."""

    description: str = ""
    critical: bool = Field(True, description="false: its gaps are told and fail no build.")
    routes: Annotated[list[RoutePart], Field(max_length=_MOST)] = Field(default_factory=list)
    slos: _Names = Field(default_factory=list, description="Names of SLOs.")
    journeys: _Names = Field(default_factory=list, description="Names of Journeys.")
    probes: _Names = Field(default_factory=list, description="Names of Probes.")
    max_age: _Length = Field("6h", description="A journey or probe that did not run for longer is a gap.")
    exempt: Annotated[list[ExemptPart], Field(max_length=20)] = Field(default_factory=list)


class GoldenPathDocument(_Part):
    """kind: GoldenPath."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["GoldenPath"]
    metadata: PathMetadata
    spec: GoldenPathSpec


class InventoryMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    annotations: dict[str, str] = Field(default_factory=dict)


class LabelsPart(_Part):
    """Which labels of the metric say what."""

    service: _Label = "service"
    method: _Label | None = Field(None, description="Left out: the metric does not tell methods apart.")
    route: _Label = "route"


class IgnorePart(_Part):
    """Routes that need not be on a path."""

    route: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(
        description="A regular expression (RE2) that the whole route must match."
    )
    reason: _Line


class RouteInventorySpec(_Part):
    """A counter whose series tell which routes exist, and how they are used."""

    metric: _Metric = Field(description="A counter, such as http_requests_total.")
    selector: dict[_Label, _Values] = Field(
        default_factory=dict, description="Only series with one of these values of each label."
    )
    labels: LabelsPart = Field(default_factory=LabelsPart)
    within: _Length = Field("1d", description="How far back traffic is looked at.")
    least_per_day: _Amount = Field(Decimal(0), description="A route with fewer requests a day need not be on a path.")
    ignore: Annotated[list[IgnorePart], Field(max_length=_MOST)] = Field(default_factory=list)


class RouteInventoryDocument(_Part):
    """kind: RouteInventory."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["RouteInventory"]
    metadata: InventoryMetadata
    spec: RouteInventorySpec
