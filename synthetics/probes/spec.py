"""The kinds `Probe` and `ProbeModule`: what is asked, how, how often, from where, and what must hold of the answer."""

import re
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticKnownError

from synthetics.probes.modules import MAX_BODY_BYTES, MAX_REDIRECTS

PROTOCOLS: Final = ("http", "tcp", "dns", "tls", "icmp", "grpc", "websocket")
ASSERTIONS: Final = ("status", "header", "body", "json_path", "certificate_days", "latency")
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})")
_MOST_STEPS: Final = 50
_MOST_ASSERTIONS: Final = 50


def _as_yaml_writes_it(value: object) -> object:
    """Python would also read `1_0`, `NaN` and digits of other scripts as numbers."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticKnownError("decimal_parsing")
    return value


def _listed(value: object) -> object:
    """One value stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _as_text(value: object) -> object:
    """`true` as JSON writes it; numbers are text already."""
    return ("true" if value else "false") if isinstance(value, bool) else value


_Number = Annotated[Decimal, BeforeValidator(_as_yaml_writes_it)]
_Days = Annotated[_Number, Field(gt=0, le=3650)]
_Length = Annotated[str, StringConstraints(max_length=20)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
_Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
_Value = Annotated[str, StringConstraints(max_length=8192)]
_Label = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,62}$")]
_File = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
_Pattern = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
_Text = Annotated[str, StringConstraints(max_length=65_536)]
_Target = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8192)]
_Scalar = Annotated[str, BeforeValidator(_as_text), StringConstraints(max_length=65_536)]
_Rcode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,12}$")]
_Status = Annotated[str, StringConstraints(pattern=r"^[1-5]([0-9]{2}|[xX]{2})$")]
_Statuses = Annotated[
    list[_Status], BeforeValidator(_listed, json_schema_input_type=str | list[str]), Field(min_length=1, max_length=50)
]
_Patterns = Annotated[list[_Pattern], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
_Family = Literal["any", "ip4", "ip6"]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class ProbeMetadata(_Part):
    """What every object carries."""

    name: str = Field(description="Up to 63 characters: lower-case letters, digits and `-`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict, description="Copied to its alerts.")
    annotations: dict[str, str] = Field(default_factory=dict)


class TLSPart(_Part):
    """How certificates are judged. Files lie on the prober."""

    ca_file: _File | None = Field(None, description="PEM; instead of the system's trusted certificates.")
    certificate_file: _File | None = Field(None, description="PEM of the client's own certificate.")
    key_file: _File | None = Field(None, description="PEM of its key, where that is not in the same file.")
    server_name: _Name | None = Field(None, description="Left out: the target's name.")
    verify: bool = Field(True, description="false takes any certificate; its dates are still told.")


class HTTPPart(_Part):
    """A request. Headers and body may hold `${env:NAME}`, which the prober fills in."""

    method: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,20}$")] = "GET"
    headers: dict[_Header, _Value] = Field(default_factory=dict, max_length=50)
    body: _Text = ""
    follow_redirects: bool = True
    max_redirects: Annotated[int, Field(ge=0, le=20)] = MAX_REDIRECTS
    max_body_bytes: Annotated[int, Field(ge=0, le=100 * 1024 * 1024)] = MAX_BODY_BYTES
    http2: bool = Field(True, description="Whether HTTP/2 is offered, with TLS.")
    fail_if_tls: bool = False
    fail_if_not_tls: bool = False
    tls: TLSPart = TLSPart()
    ip_family: _Family = "any"


class StepPart(_Part):
    """One step of a conversation: wait for what matches, send, or begin TLS, in this order."""

    expect: _Pattern | None = Field(
        None, description="RE2. TCP: waits for a line that matches; WebSocket: the next message must."
    )
    send: _Text | None = Field(None, description="Groups of `expect` as $1, ${name} or \\1; `${env:NAME}`.")
    start_tls: bool = False
    labels: dict[_Label, _Text] = Field(
        default_factory=dict, max_length=10, description="Of probe_expect_info, with groups of `expect`. TCP only."
    )


_Steps = Annotated[list[StepPart], Field(max_length=_MOST_STEPS)]


class TCPPart(_Part):
    """A connection, and a conversation over it."""

    tls: TLSPart | None = Field(
        None, description="Left out: plain TCP. `{}`: TLS from the start, or from the step with startTls on."
    )
    steps: _Steps = []
    ip_family: _Family = "any"


class DNSPart(_Part):
    """A question to a name server."""

    query_name: _Name
    query_type: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,16}$")] = "A"
    transport: Literal["udp", "tcp", "tls"] = "udp"
    recursion: bool = True
    valid_rcodes: Annotated[list[_Rcode], Field(min_length=1, max_length=20)] = ["NOERROR"]
    answer_must_match: _Patterns = Field([], description="RE2; each must match one answer, as zone files write it.")
    answer_must_not_match: _Patterns = []
    tls: TLSPart = TLSPart()
    ip_family: _Family = "any"


class TLSProtocolPart(TLSPart):
    """A handshake, and the certificates that it shows."""

    ip_family: _Family = "any"


class ICMPPart(_Part):
    """An echo."""

    payload_bytes: Annotated[int, Field(ge=0, le=65_000)] = 28
    dont_fragment: bool = False
    ttl: Annotated[int, Field(ge=1, le=255)] = 64
    ip_family: _Family = "any"


class GRPCPart(_Part):
    """grpc.health.v1.Health/Check."""

    service: Annotated[str, StringConstraints(max_length=253)] = Field("", description="Empty: the server as a whole.")
    tls: TLSPart | None = Field(None, description="Left out: plain text. `{}`: TLS.")
    ip_family: _Family = "any"


class WebSocketPart(_Part):
    """A handshake, and a conversation of messages."""

    headers: dict[_Header, _Value] = Field(default_factory=dict, max_length=50)
    steps: _Steps = []
    tls: TLSPart = TLSPart()
    ip_family: _Family = "any"


class HeaderPart(_Part):
    """A header of the answer; of one that is repeated, any of its values may fit, and none may match `notMatches`."""

    name: _Header
    equals: _Scalar | None = None
    matches: _Pattern | None = None
    not_matches: _Pattern | None = None
    exists: bool | None = None


class BodyPart(_Part):
    """The body of the answer, as UTF-8."""

    equals: _Text | None = None
    matches: _Pattern | None = None
    not_matches: _Pattern | None = None
    exists: bool | None = Field(None, description="Whether it is not empty.")


class JSONPathPart(_Part):
    """What a path finds in a JSON body; of several values, any may fit, and none may match `notMatches`."""

    path: Annotated[str, StringConstraints(min_length=1, max_length=1000)] = Field(description="RFC 9535, from `$` on.")
    equals: _Scalar | None = Field(None, description="JSON; what is no JSON is text: ok is the same as '\"ok\"'.")
    matches: _Pattern | None = None
    not_matches: _Pattern | None = None
    exists: bool | None = None


class LatencyPart(_Part):
    """How long it may take."""

    at_most: _Length
    phase: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] | None = Field(
        None, description="Such as resolve, connect, tls, processing, transfer. Left out: all of it."
    )


class AssertionPart(_Part):
    """Exactly one of these."""

    status: _Statuses | None = Field(None, description="Codes and classes: 200, 2xx. Left out everywhere: 2xx.")
    header: HeaderPart | None = None
    body: BodyPart | None = None
    json_path: JSONPathPart | None = None
    certificate_days: _Days | None = Field(None, description="So long the first certificate of the chain must hold.")
    latency: LatencyPart | None = None


class _Protocols(_Part):
    http: HTTPPart | None = None
    tcp: TCPPart | None = None
    dns: DNSPart | None = None
    tls: TLSProtocolPart | None = None
    icmp: ICMPPart | None = None
    grpc: GRPCPart | None = None
    websocket: WebSocketPart | None = None
    assertions: Annotated[list[AssertionPart], Field(max_length=_MOST_ASSERTIONS)] = []


class VerdictPart(_Part):
    """When all regions together call it down."""

    down_regions: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="Left out: most of the regions that can tell; at least 2 when there are several."
    )


class ProbeSpec(_Protocols):
    """What is asked, and what must hold of the answer. Exactly one protocol, or a module that names one."""

    description: str = ""
    target: _Target = Field(description="A URL (http, websocket), host:port (tcp, tls, grpc), or a host (icmp, dns).")
    interval: _Length = "30s"
    timeout: _Length | None = Field(None, description="Left out: the module's, or 10s, or 4/5 of a short interval.")
    regions: Annotated[list[_Name], Field(max_length=100)] = Field([], description="Left out: all that are declared.")
    module: _Name | None = Field(None, description="A ProbeModule, or one of those that are built in: http_2xx, icmp.")
    verdict: VerdictPart = VerdictPart()


class ProbeModuleSpec(_Protocols):
    """How something is asked, for several probes and for /probe. Exactly one protocol."""

    description: str = ""
    timeout: _Length | None = None


class ProbeDocument(_Part):
    """kind: Probe."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["Probe"]
    metadata: ProbeMetadata
    spec: ProbeSpec


class ProbeModuleMetadata(_Part):
    """What every object carries. Names may be those of blackbox_exporter's modules, with `_`."""

    name: str = Field(description="Up to 63 characters: letters, digits, `-`, `_` and `.`.")
    display_name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class ProbeModuleDocument(_Part):
    """kind: ProbeModule."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["ProbeModule"]
    metadata: ProbeModuleMetadata
    spec: ProbeModuleSpec
