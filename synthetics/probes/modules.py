"""How a probe asks, as values: one class per protocol, with blackbox_exporter's defaults where it has the field."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

MAX_BODY_BYTES: Final = 10 * 1024 * 1024
MAX_REDIRECTS: Final = 10


class IPFamily(Enum):
    """Which addresses of a name are asked."""

    ANY = "any"  # IPv6 first, IPv4 when it has none, as blackbox_exporter does
    IPV4 = "ip4"
    IPV6 = "ip6"


@dataclass(frozen=True, slots=True)
class TLSOptions:
    """How certificates are judged. Secrets are files on the prober. `server_name` empty: the target's name."""

    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    server_name: str = ""
    verify: bool = True


@dataclass(frozen=True, slots=True)
class HTTPModule:
    """A request; headers and body may hold `${env:NAME}`, resolved on the prober."""

    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    follow_redirects: bool = True
    max_redirects: int = MAX_REDIRECTS
    max_body_bytes: int = MAX_BODY_BYTES
    http2: bool = True
    fail_if_tls: bool = False
    fail_if_not_tls: bool = False
    tls: TLSOptions = field(default_factory=TLSOptions)
    ip_family: IPFamily = IPFamily.ANY


@dataclass(frozen=True, slots=True)
class QueryStep:
    """One step of a conversation over TCP: wait for a line that matches, send, or begin TLS."""

    expect: str = ""  # regular expression (RE2); its groups may be sent as \1, ${name}
    send: str = ""
    start_tls: bool = False
    labels: tuple[tuple[str, str], ...] = ()  # of probe_expect_info, with groups as in `send`


@dataclass(frozen=True, slots=True)
class TCPModule:
    """A connection and a conversation. With `tls` it begins with TLS, or has it from the step with `start_tls` on."""

    tls: TLSOptions | None = None
    steps: tuple[QueryStep, ...] = ()
    ip_family: IPFamily = IPFamily.ANY


@dataclass(frozen=True, slots=True)
class DNSModule:
    """A question; the target is the server (`host`, `host:port`)."""

    query_name: str
    query_type: str = "A"
    transport: str = "udp"  # udp | tcp | tls
    recursion: bool = True
    valid_rcodes: tuple[str, ...] = ("NOERROR",)
    answer_must_match: tuple[str, ...] = ()  # each must match one answer, as in zone files
    answer_must_not_match: tuple[str, ...] = ()
    tls: TLSOptions = field(default_factory=TLSOptions)
    ip_family: IPFamily = IPFamily.ANY


@dataclass(frozen=True, slots=True)
class TLSModule:
    """A handshake and the certificates it shows; the target is `host:port`."""

    tls: TLSOptions = field(default_factory=TLSOptions)
    ip_family: IPFamily = IPFamily.ANY


@dataclass(frozen=True, slots=True)
class ICMPModule:
    """An echo, where the system permits it."""

    payload_bytes: int = 28
    dont_fragment: bool = False
    ttl: int = 64
    ip_family: IPFamily = IPFamily.ANY


@dataclass(frozen=True, slots=True)
class GRPCModule:
    """grpc.health.v1.Health/Check; `service` empty asks for the server as a whole."""

    service: str = ""
    tls: TLSOptions | None = None
    ip_family: IPFamily = IPFamily.ANY


@dataclass(frozen=True, slots=True)
class WebSocketModule:
    """A handshake, then a conversation of messages; the target is `ws://` or `wss://`."""

    headers: tuple[tuple[str, str], ...] = ()
    steps: tuple[QueryStep, ...] = ()
    tls: TLSOptions = field(default_factory=TLSOptions)
    ip_family: IPFamily = IPFamily.ANY


Module = HTTPModule | TCPModule | DNSModule | TLSModule | ICMPModule | GRPCModule | WebSocketModule


class AssertionKind(Enum):
    """What an assertion looks at."""

    STATUS = "status"
    HEADER = "header"
    BODY = "body"
    JSON = "json"
    CERTIFICATE = "certificate"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True)
class Assertion:
    """Something that must hold of an answer. Which fields count depends on `kind`; patterns are RE2.

    STATUS: `statuses` are codes and classes (`200`, `2xx`). HEADER: `name`. JSON: `path` (RFC 9535). HEADER, BODY and
    JSON: `equals` (JSON text for JSON), `matches`, `not_matches`, or `exists`. CERTIFICATE: `least_days`. LATENCY:
    `at_most`, of `phase` or of the whole.
    """

    kind: AssertionKind
    statuses: tuple[str, ...] = ()
    name: str = ""
    path: str = ""
    equals: str | None = None
    matches: str = ""
    not_matches: str = ""
    exists: bool | None = None
    least_days: Decimal | None = None
    at_most: timedelta | None = None
    phase: str = ""
