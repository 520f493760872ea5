"""The kind `FlagStore`: where flags are kept, and which of them a ladder may change."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

MOST_FLAGS: Final = 200
MOST_SILENCED: Final = 50

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Address = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Variable = Annotated[str, StringConstraints(max_length=1000)]
Value = Annotated[
    StrictBool | Annotated[str, StringConstraints(max_length=1000)],
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "integer"}, {"type": "string", "maxLength": 1000}]}),
]
"""A flag's value as YAML has it: `true` and `false` are what they are, numbers are text until the type is known."""


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


Plain = SkipJsonSchema[object]
"""A secret in the file: taken in only to say that it must not be there, under a rule that hides its line."""


class FlagStoreMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class FlagdPart(_Part):
    """A file of flag definitions as flagd has it, read by applications through OpenFeature."""

    file: Address = Field(description="Its path, from the workspace on.")


class UnleashPart(_Part):
    """An Unleash server, by its admin API."""

    url: Address = Field(description="Such as https://unleash.example.com, without /api.")
    project: Line = "default"
    environment: Line = "production"
    token_from: Variable = Field(
        "FLYBALL_UNLEASH_TOKEN",
        description="The environment variable with the admin token; or NAME_FILE, the path of a file that holds it.",
    )
    client_token_from: Variable = Field(
        "FLYBALL_UNLEASH_CLIENT_TOKEN", description="The variable with the backend token that applications use."
    )
    token: Plain = None
    client_token: Plain = None


class LaunchDarklyPart(_Part):
    """LaunchDarkly, by semantic patches."""

    project: Line
    environment: Line = "production"
    url: Address = "https://app.launchdarkly.com"
    token_from: Variable = Field("FLYBALL_LAUNCHDARKLY_TOKEN", description="The variable with the API access token.")
    sdk_key_from: Variable | None = Field(
        None, description="The variable with the SDK key, to see flags as applications do. Left out: by the API."
    )
    token: Plain = None
    sdk_key: Plain = None


class OfrepPart(_Part):
    """A server that answers by the OpenFeature Remote Evaluation Protocol. It is read, never written."""

    url: Address = Field(description="Such as http://flagd:8016, without /ofrep.")
    token_from: Variable | None = Field(None, description="The variable with its bearer token. Left out: none is sent.")
    token: Plain = None


class WebhookPart(_Part):
    """Anything that takes signed requests."""

    url: Address
    secret_from: Variable = Field(
        "FLYBALL_FLAG_WEBHOOK_SECRET", description="The variable with the secret that requests are signed with."
    )
    secret: Plain = None


class MemoryPart(_Part):
    """Flags of one process, gone with it: for trying out."""


class FlagPart(_Part):
    """A flag on the allow-list."""

    name: Line = Field(description="As the store and the applications call it: letters, digits, `.`, `_` and `-`.")
    type: Literal["boolean", "integer", "string"] = "boolean"
    normal: Value | None = Field(None, description="Its value at full service. Left out, a boolean flag's is false.")
    owner: Line | None = Field(None, description="Left out: the store's.")
    expires: Line | None = Field(None, description="The day after which it should be gone, such as 2027-06-30.")
    description: Annotated[str, StringConstraints(max_length=2000)] = ""
    silences: Annotated[list[Line], Field(max_length=MOST_SILENCED)] = Field(
        default_factory=list, description="Metrics that stop or thin out while it is not normal."
    )


class FlagStoreSpec(_Part):
    """One store that is written, or `ofrep`, or both; and the flags that a ladder may change."""

    flagd: FlagdPart | None = None
    unleash: UnleashPart | None = None
    launch_darkly: LaunchDarklyPart | None = None
    webhook: WebhookPart | None = None
    memory: MemoryPart | None = None
    ofrep: OfrepPart | None = Field(
        None, description="Beside another store: where clients read. Alone: a store that is only read."
    )
    flags: Annotated[list[FlagPart], Field(min_length=1, max_length=MOST_FLAGS)]


class FlagStoreDocument(_Part):
    """kind: FlagStore."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["FlagStore"]
    metadata: FlagStoreMetadata
    spec: FlagStoreSpec
