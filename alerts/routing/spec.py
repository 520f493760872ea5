"""The kinds `Receiver` (who is told, and by what ways) and `Route` (of which alerts)."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

MOST_CHANNELS: Final = 20
MOST_ADDRESSES: Final = 50
MOST_MATCHERS: Final = 30
MOST_ROUTES: Final = 200
MOST_TESTS: Final = 200
MOST_NAMES: Final = 50
MOST_LABELS: Final = 50
MOST_INHIBITIONS: Final = 200

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Variable = Annotated[str, StringConstraints(max_length=1000)]
MatcherText = Annotated[str, StringConstraints(max_length=2000)]
LengthText = Annotated[str, StringConstraints(max_length=20)]
PriorityName = Literal["P0", "P1", "P2", "P3", "P4"]
Plain = SkipJsonSchema[object]
"""A secret in the file: taken in only to say that it must not be there, under a rule that hides its line."""


class Part(BaseModel):
    """What all parts of documents about alerts have in common."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


def _missing_beside(plain: str) -> BeforeValidator:
    """Who writes the secret itself leaves out its variable: told of the secret, whose line must not be shown."""

    def filled(value: object) -> object:
        if isinstance(value, dict) and plain in value:
            return {f"{plain}From": "LEFT_OUT", **value}
        return value

    return BeforeValidator(filled)


Matchers = Annotated[list[MatcherText], Field(max_length=MOST_MATCHERS)]


class Metadata(Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: Annotated[str, StringConstraints(max_length=200)] = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class PagerDutyPart(Part):
    """A PagerDuty service, by its Events API v2."""

    routing_key_from: Variable = Field(
        description="The environment variable with the integration key; or NAME_FILE, the path of a file that holds it."
    )
    url: Address | None = Field(None, description="Left out: https://events.pagerduty.com.")
    routing_key: Plain = None


class SlackPart(Part):
    """A channel of Slack: one message an incident, kept up to date, details in its thread."""

    channel: Line = Field(description="Its name such as `#ops`, or its id.")
    token_from: Variable = Field("FLYBALL_SLACK_TOKEN", description="The variable with the bot token (xoxb-…).")
    url: Address | None = Field(None, description="Left out: https://slack.com/api.")
    token: Plain = None


class EmailPart(Part):
    """Mail, by the server that flyball.yaml names."""

    to: Annotated[list[Line], Field(min_length=1, max_length=MOST_ADDRESSES)]
    sender: Line | None = Field(None, alias="from", description="Left out: the workspace's.")


class WebhookPart(Part):
    """Anything that takes signed requests (Standard Webhooks)."""

    url: Address
    secret_from: Variable = Field(description="The variable with the secret that requests are signed with.")
    secret: Plain = None


class ConsolePart(Part):
    """The log of `flyball up`: for trying out, and for what nobody needs to be told."""


class ChannelPart(Part):
    """One way to somebody: exactly one of its kinds."""

    pagerduty: Annotated[PagerDutyPart, _missing_beside("routingKey")] | None = None
    slack: SlackPart | None = None
    email: EmailPart | None = None
    webhook: Annotated[WebhookPart, _missing_beside("secret")] | None = None
    console: ConsolePart | None = None
    priorities: Annotated[list[PriorityName], Field(min_length=1, max_length=5)] | None = Field(
        None, description="Of incidents of these priorities only. Left out: of all."
    )


class ReceiverSpec(Part):
    """By what ways somebody is told."""

    channels: Annotated[list[ChannelPart], Field(min_length=1, max_length=MOST_CHANNELS)]
    fallback: Annotated[list[ChannelPart], Field(max_length=MOST_CHANNELS)] = Field(
        default_factory=list, description="Where a critical page goes, one after the other, while a channel fails."
    )


class ReceiverDocument(Part):
    """kind: Receiver."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Receiver"]
    metadata: Metadata
    spec: ReceiverSpec


class ExpectPart(Part):
    """What a test expects; what is left out is not looked at."""

    routes: Annotated[list[Line], Field(max_length=MOST_NAMES)] | None = Field(
        None, description="Where it ends, by path: `pages/database`."
    )
    receivers: Annotated[list[Line], Field(max_length=MOST_NAMES)] | None = Field(
        None, description="Everybody who is told at once, in whatever order."
    )
    escalation: Annotated[str, StringConstraints(max_length=63)] | None = Field(
        None, description='The policy; "" for none.'
    )
    priority: PriorityName | None = None
    muted: StrictBool | None = None
    on_call: Annotated[list[Line], Field(max_length=MOST_NAMES)] | None = Field(
        None, description="Who is on call then in the schedules of the policy's first step."
    )


class RouteTestPart(Part):
    """An alert, and who should be told of it."""

    name: Line
    labels: Annotated[dict[str, Annotated[str, StringConstraints(max_length=1000)]], Field(max_length=MOST_LABELS)]
    at: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        None, description="When, such as 2026-12-01T03:00:00Z. Left out: at no special time, so nothing is muted."
    )
    expect: ExpectPart


class _RoutePart(Part):
    match: Matchers = Field(
        default_factory=list, description="Alertmanager's matchers, such as 'severity=\"page\"'. All must match."
    )
    receivers: Annotated[list[Line], Field(max_length=MOST_NAMES)] = Field(
        default_factory=list, description="Receivers by name. Left out: the parent's."
    )
    escalation: Line | None = Field(
        None, description="An EscalationPolicy by name; `none` for none. Left out: the parent's."
    )
    priority: PriorityName | None = Field(None, description="Left out: what the alert's labels say.")
    group_by: Annotated[list[Line], Field(max_length=MOST_NAMES)] | None = Field(
        None, description="Labels by which alerts become incidents; `...` for all."
    )
    group_wait: LengthText | None = Field(None, description="How long the first alert waits for others, such as 10s.")
    group_interval: LengthText | None = Field(None, description="How long until news of a group is told again.")
    repeat_interval: LengthText | None = Field(None, description="How long until the same is told again, such as 4h.")
    resolve_after: LengthText | None = Field(
        None, description="How long no alert fires before the incident is over, such as 2m."
    )
    goes_on: StrictBool = Field(False, alias="continue", description="Routes after this one are looked at, too.")
    mute_during: Annotated[list[Line], Field(max_length=MOST_NAMES)] = Field(
        default_factory=list, description="MaintenanceWindows in which nobody is told."
    )
    active_during: Annotated[list[Line], Field(max_length=MOST_NAMES)] = Field(
        default_factory=list, description="MaintenanceWindows outside of which nobody is told."
    )
    routes: "Annotated[list[NestedRoutePart], Field(max_length=MOST_ROUTES)]" = Field(
        default_factory=list, description="Looked at in their order; the first one that takes an alert has it."
    )


class NestedRoutePart(_RoutePart):
    """A route below another."""

    name: Line


class InhibitPart(Part):
    """While an alert fires that `source` matches, those that `target` matches are muted, if `equal` agree."""

    source: Annotated[list[MatcherText], Field(min_length=1, max_length=MOST_MATCHERS)]
    target: Annotated[list[MatcherText], Field(min_length=1, max_length=MOST_MATCHERS)]
    equal: Annotated[list[Line], Field(max_length=MOST_NAMES)] = Field(default_factory=list)


class RouteSpec(_RoutePart):
    """Of which alerts who is told."""

    default: StrictBool = Field(False, description="The root: it takes what no other route takes. There is one.")
    order: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = Field(
        100, description="Routes are looked at in this order, then by name."
    )
    inhibit: Annotated[list[InhibitPart], Field(max_length=MOST_INHIBITIONS)] = Field(
        default_factory=list, description="Of the default: which alerts keep which others quiet, besides our own."
    )
    tests: Annotated[list[RouteTestPart], Field(max_length=MOST_TESTS)] = Field(default_factory=list)


class RouteDocument(Part):
    """kind: Route."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Route"]
    metadata: Metadata
    spec: RouteSpec
