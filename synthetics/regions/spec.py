"""The kind `Region`: a place from which checks run."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

_Length = Annotated[str, StringConstraints(max_length=20)]
_Target = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8192)]
_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
_Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
_Module = Annotated[str, StringConstraints(min_length=1, max_length=63)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class RegionMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class SelfCheckPart(_Part):
    """A target that is known to be good: when a region does not reach it, the region is at fault."""

    target: _Target = Field(description="Something that others run and that hardly ever fails.")
    module: _Module | None = Field(
        None, description="A ProbeModule or a built-in module. Left out: http_2xx for URLs, else tcp_connect."
    )
    interval: _Length = "10s"
    timeout: _Length = "5s"


class RegionSpec(_Part):
    """How it is called, where it is, and how its probers find their way."""

    display_name: _Line = ""
    location: _Line = Field("", description="For people: a city, a cloud's region, a provider.")
    self_check: SelfCheckPart | None = Field(
        None, description="Left out: the region's own faults count against targets."
    )
    resolve: dict[_Address, _Address] = Field(
        default_factory=dict,
        max_length=200,
        description="host:port to address:port, as curl's --resolve: for a region with an ingress of its own.",
    )
    silent_after: _Length = Field("60s", description="How long it may report nothing before it is silent.")


class RegionDocument(_Part):
    """kind: Region."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Region"]
    metadata: RegionMetadata
    spec: RegionSpec = RegionSpec()
