"""What documents say of protocols, as values."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from controlplane.problems import Problem, Severity
from controlplane.specfile import Document
from synthetics.probes.modules import (
    DNSModule,
    GRPCModule,
    HTTPModule,
    ICMPModule,
    IPFamily,
    Module,
    QueryStep,
    TCPModule,
    TLSModule,
    TLSOptions,
    WebSocketModule,
)
from synthetics.probes.patterns import pattern_fault
from synthetics.probes.secrets import body_holds_secret, holds_secret
from synthetics.probes.spec import PROTOCOLS, DNSPart, HTTPPart, ProbeModuleSpec, ProbeSpec, StepPart, TLSPart
from synthetics.probes.variables import is_name, named_in

RULE: Final = "probe"
_OF_DNS: Final = {"name": "www.example.com", "type": "A, AAAA, MX or TXT", "rcode": "NOERROR or NXDOMAIN"}
At = tuple[str | int, ...]


def protocols_in(spec: ProbeSpec | ProbeModuleSpec) -> list[str]:
    """The protocols that are written."""
    return [name for name in PROTOCOLS if getattr(spec, name) is not None]


def module_of(spec: ProbeSpec | ProbeModuleSpec) -> Module:
    """The one protocol that is written, as a value."""
    readers = {"http": _http, "tcp": _tcp, "dns": _dns, "tls": _tls, "icmp": _icmp, "grpc": _grpc, "websocket": _ws}
    return readers[protocols_in(spec)[0]](spec)


def module_problems(document: Document, spec: ProbeSpec | ProbeModuleSpec) -> Iterator[Problem]:
    """What is wrong with the protocols that are written, their number included if there are several."""
    written = protocols_in(spec)
    if len(written) > 1:
        message = f"{' and '.join(written)} exclude each other"
        yield document.problem("spec", written[-1], message=message, on_key=True, rule=RULE, hint="one probe for each")
    if spec.http is not None:
        yield from _http_problems(document, spec.http)
    if spec.websocket is not None:
        yield from header_problems(document, ("spec", "websocket", "headers"), spec.websocket.headers)
    for name in ("tcp", "websocket"):
        part = getattr(spec, name)
        if part is not None:
            yield from _step_problems(document, ("spec", name, "steps"), part.steps)
    if spec.dns is not None:
        yield from _question_problems(document, spec.dns)
        for key, patterns in (
            ("answerMustMatch", spec.dns.answer_must_match),
            ("answerMustNotMatch", spec.dns.answer_must_not_match),
        ):
            for number, pattern in enumerate(patterns):
                yield from pattern_problems(document, pattern, "spec", "dns", key, number)
    yield from _tls_problems(document, spec)


def _question_problems(document: Document, part: DNSPart) -> Iterator[Problem]:
    import dns.exception
    import dns.name
    import dns.rcode
    import dns.rdatatype

    asked: list[tuple[At, str, str, Callable[[str], object]]] = [
        (("queryName",), part.query_name, "name", dns.name.from_text),
        (("queryType",), part.query_type, "type", dns.rdatatype.from_text),
        *(
            (("validRcodes", number), code, "rcode", dns.rcode.from_text)
            for number, code in enumerate(part.valid_rcodes)
        ),
    ]
    for at, text, what, read in asked:
        try:
            read(text)
        except (dns.exception.DNSException, ValueError):
            message = f"`{text[:80]}` is no {what} of DNS"
            yield document.problem("spec", "dns", *at, message=message, hint=f"such as {_OF_DNS[what]}", rule=RULE)


def pattern_problems(document: Document, pattern: str | None, *at: str | int) -> Iterator[Problem]:
    """Whether it is RE2."""
    fault = pattern_fault(pattern) if pattern else None
    if fault is not None:
        yield document.problem(*at, message=fault[0], hint=fault[1], rule=RULE)


def reference_problems(document: Document, text: str, *at: str | int) -> Iterator[Problem]:
    """Whether what stands in `${env:…}` can be the name of a variable."""
    for name in named_in(text):
        if not is_name(name):
            hint = "as in ${env:API_TOKEN}"
            yield document.problem(*at, message=f"`{name}` cannot be a variable's name", hint=hint, rule=RULE)


def header_problems(document: Document, at: At, headers: dict[str, str]) -> Iterator[Problem]:
    """Secrets in plain text, names that are there twice, and what ends a header before its time."""
    seen: dict[str, str] = {}
    for name, value in headers.items():
        first = seen.setdefault(name.lower(), name)
        if first != name:
            yield document.problem(*at, name, message=f"the same header as `{first}`", on_key=True, rule=RULE)
        if "\n" in value or "\r" in value:
            yield document.problem(*at, name, message="a header has one line", rule=RULE)
        if holds_secret(name, value):
            hint = "take it from the prober's environment: `${env:NAME}`, as in Bearer ${env:API_TOKEN}"
            message = f"a secret in plain text: `{name}`"
            yield document.problem(*at, name, message=message, hint=hint, on_key=True, rule="secret")
        yield from reference_problems(document, value, *at, name)


def _http_problems(document: Document, part: HTTPPart) -> Iterator[Problem]:
    at = ("spec", "http")
    yield from header_problems(document, (*at, "headers"), part.headers)
    yield from reference_problems(document, part.body, *at, "body")
    if body_holds_secret(part.body):
        hint = "take it from the prober's environment: `${env:NAME}`"
        message = "a secret in plain text, as it seems"
        yield document.problem(*at, "body", message=message, hint=hint, severity=Severity.WARNING, rule="secret")
    if part.fail_if_tls and part.fail_if_not_tls:
        message = "failIfTls and failIfNotTls exclude each other"
        yield document.problem(*at, "failIfNotTls", message=message, on_key=True, rule=RULE)
    if part.body and part.method in ("GET", "HEAD"):
        message = f"{part.method} usually has no body"
        hint = "method: POST"
        yield document.problem(*at, "body", message=message, hint=hint, severity=Severity.WARNING, rule=RULE)


def _step_problems(document: Document, at: At, steps: Sequence[StepPart]) -> Iterator[Problem]:
    for number, step in enumerate(steps):
        yield from pattern_problems(document, step.expect, *at, number, "expect")
        if step.expect is None and step.send is None and not step.start_tls:
            hint = "expect, send or startTls"
            yield document.problem(*at, number, message="a step in which nothing is done", hint=hint, rule=RULE)
        if step.start_tls and at[1] == "websocket":
            message = "a WebSocket has TLS from the start or not at all"
            yield document.problem(*at, number, "startTls", message=message, hint="a wss:// target", rule=RULE)
        yield from _label_problems(document, (*at, number), step)


def _label_problems(document: Document, at: At, step: StepPart) -> Iterator[Problem]:
    if step.labels and (step.expect is None or at[1] == "websocket"):
        message = "labels are of what `expect` of a TCP step matched"
        yield document.problem(*at, "labels", message=message, on_key=True, rule=RULE)
    for label, value in step.labels.items():
        if named_in(value):
            message = "labels are told to everybody: no variables"
            yield document.problem(*at, "labels", label, message=message, rule=RULE)


def _tls_problems(document: Document, spec: ProbeSpec | ProbeModuleSpec) -> Iterator[Problem]:
    for name in protocols_in(spec):
        part = getattr(spec, name)
        at: At = ("spec", name) if name == "tls" else ("spec", name, "tls")
        options = part if name == "tls" else getattr(part, "tls", None)
        if options is None:
            continue
        if options.key_file and not options.certificate_file:
            message = "a key without its certificate"
            yield document.problem(*at, "keyFile", message=message, hint="add certificateFile", rule=RULE)
        if options.ca_file and not options.verify:
            message = "changes nothing: verify is false"
            yield document.problem(*at, "caFile", message=message, severity=Severity.WARNING, rule=RULE)


def _options(part: TLSPart) -> TLSOptions:
    return TLSOptions(
        ca_file=part.ca_file or "",
        certificate_file=part.certificate_file or "",
        key_file=part.key_file or "",
        server_name=part.server_name or "",
        verify=part.verify,
    )


def _optional(part: TLSPart | None) -> TLSOptions | None:
    return None if part is None else _options(part)


def _steps(steps: Sequence[StepPart]) -> tuple[QueryStep, ...]:
    return tuple(
        QueryStep(step.expect or "", step.send or "", step.start_tls, tuple(step.labels.items())) for step in steps
    )


def _http(spec: ProbeSpec | ProbeModuleSpec) -> Module:
    assert spec.http is not None
    part = spec.http
    return HTTPModule(
        method=part.method,
        headers=tuple(part.headers.items()),
        body=part.body,
        follow_redirects=part.follow_redirects,
        max_redirects=part.max_redirects,
        max_body_bytes=part.max_body_bytes,
        http2=part.http2,
        fail_if_tls=part.fail_if_tls,
        fail_if_not_tls=part.fail_if_not_tls,
        tls=_options(part.tls),
        ip_family=IPFamily(part.ip_family),
    )


def _tcp(spec: ProbeSpec | ProbeModuleSpec) -> Module:
    assert spec.tcp is not None
    return TCPModule(_optional(spec.tcp.tls), _steps(spec.tcp.steps), IPFamily(spec.tcp.ip_family))


def _dns(spec: ProbeSpec | ProbeModuleSpec) -> Module:
    assert spec.dns is not None
    part = spec.dns
    return DNSModule(
        query_name=part.query_name,
        query_type=part.query_type,
        transport=part.transport,
        recursion=part.recursion,
        valid_rcodes=tuple(part.valid_rcodes),
        answer_must_match=tuple(part.answer_must_match),
        answer_must_not_match=tuple(part.answer_must_not_match),
        tls=_options(part.tls),
        ip_family=IPFamily(part.ip_family),
    )


def _tls(spec: ProbeSpec | ProbeModuleSpec) -> Module:
    assert spec.tls is not None
    return TLSModule(_options(spec.tls), IPFamily(spec.tls.ip_family))


def _icmp(spec: ProbeSpec | ProbeModuleSpec) -> Module:
    assert spec.icmp is not None
    part = spec.icmp
    return ICMPModule(part.payload_bytes, part.dont_fragment, part.ttl, IPFamily(part.ip_family))


def _grpc(spec: ProbeSpec | ProbeModuleSpec) -> Module:
    assert spec.grpc is not None
    return GRPCModule(spec.grpc.service, _optional(spec.grpc.tls), IPFamily(spec.grpc.ip_family))


def _ws(spec: ProbeSpec | ProbeModuleSpec) -> Module:
    assert spec.websocket is not None
    part = spec.websocket
    return WebSocketModule(
        tuple(part.headers.items()), _steps(part.steps), _options(part.tls), IPFamily(part.ip_family)
    )
