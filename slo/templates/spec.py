"""kind: SLITemplate, a short form: an SLI spec with holes, and the parameters that fill them."""

from enum import Enum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind
from slo.openslo.spec import Metadata, Number, SLISpec, Text


class ParameterType(Enum):
    """What a parameter's value may be, and so how it is written into a query."""

    SELECTOR = "selector"
    STRING = "string"
    REGEX = "regex"
    NUMBER = "number"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    DURATION = "duration"
    METRIC = "metric"
    LABEL = "label"


_TYPES: Final = ", ".join(each.value for each in ParameterType)


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class Parameter(_Part):
    """One hole. Without a default it must be given."""

    name: str = Field(description="How users and `{{ name }}` call it: letters, digits and `_`.")
    type: Annotated[ParameterType, Field(description=f"One of {_TYPES}.")] = ParameterType.STRING
    default: JsonValue = Field(None, description="What it is when nobody says.")
    example: JsonValue = Field(None, description="A value for the documentation, and to try the queries with.")
    description: Text = ""
    pattern: str | None = Field(None, description="A regular expression that the whole value must match.")
    one_of: list[str] = Field(default_factory=list, description="The only values allowed.")
    minimum: Number | None = None
    maximum: Number | None = None


class SLITemplateSpec(_Part):
    """What to measure, with holes."""

    description: Text = ""
    parameters: list[Parameter] = Field(default_factory=list)
    sli: SLISpec = Field(description="The spec of an SLI; its queries may hold `{{ parameter }}`.")


class SLITemplateDocument(_Part):
    """kind: SLITemplate. `metadata.name` is what `metricSource.type` says."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["SLITemplate"]
    metadata: Metadata
    spec: SLITemplateSpec


TEMPLATE: Final = Kind(API_VERSION, "SLITemplate", SLITemplateDocument)
KINDS: Final = (TEMPLATE,)
