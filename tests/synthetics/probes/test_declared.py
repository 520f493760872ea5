"""Probe and ProbeModule as users write them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from controlplane.problems import Severity
from controlplane.specfile import json_schema
from synthetics.probes.builtin import BUILT_IN
from synthetics.probes.kinds import KINDS
from synthetics.probes.modules import (
    Assertion,
    AssertionKind,
    DNSModule,
    GRPCModule,
    HTTPModule,
    ICMPModule,
    IPFamily,
    QueryStep,
    TCPModule,
    TLSModule,
    TLSOptions,
    WebSocketModule,
)
from tests.synthetics.probes.reading import GOOD, a_probe, declared_in, shown

MODULE = """
---
apiVersion: flyball.dev/v1
kind: ProbeModule
metadata: {name: api}
spec:
  timeout: 3s
  http: {method: HEAD}
  assertions:
    - status: 204
    - latency: {atMost: 1s}
"""


def test_a_probe_says_what_was_written_and_what_was_left_out() -> None:
    made = declared_in(GOOD)
    assert made.problems == ()
    (probe,) = made.values
    assert (probe.name, probe.display_name, probe.owner) == ("checkout", "Checkout", "team-pay")
    assert probe.target == "https://shop.example.com/pay"
    assert (probe.interval, probe.timeout) == (timedelta(seconds=30), timedelta(seconds=5))
    assert (probe.regions, probe.down_regions, probe.labels) == (("eu", "us"), 2, (("team", "pay"),))
    assert probe.module == HTTPModule(
        method="POST",
        headers=(("Authorization", "Bearer ${env:SHOP_TOKEN}"), ("Content-Type", "application/json")),
        body='{"amount": 1}',
        tls=TLSOptions(ca_file="/etc/shop.pem"),
        ip_family=IPFamily.IPV4,
    )
    assert probe.assertions == (
        Assertion(AssertionKind.STATUS, statuses=("200", "3xx")),
        Assertion(AssertionKind.HEADER, name="content-type", matches="^application/json"),
        Assertion(AssertionKind.BODY, not_matches="(?i)error"),
        Assertion(AssertionKind.JSON, path="$.state", equals='"paid"'),
        Assertion(AssertionKind.CERTIFICATE, least_days=Decimal(14)),
        Assertion(AssertionKind.LATENCY, at_most=timedelta(milliseconds=500), phase="processing"),
        Assertion(AssertionKind.LATENCY, at_most=timedelta(seconds=2)),
    )
    assert (probe.source.line, probe.source.column) == (4, 9)


@pytest.mark.parametrize(
    ("spec", "module"),
    [
        ("  target: db:5432\n  tcp: {}", TCPModule()),
        (
            "  target: mail:25\n  tcp:\n    steps: [{expect: ^220}, {send: STARTTLS}, {startTls: true}]",
            TCPModule(steps=(QueryStep("^220"), QueryStep(send="STARTTLS"), QueryStep(start_tls=True))),
        ),
        (
            "  target: 9.9.9.9\n  dns: {queryName: example.com, queryType: MX, answerMustMatch: 'mail\\.'}",
            DNSModule("example.com", "MX", answer_must_match=("mail\\.",)),
        ),
        ("  target: '[2001:db8::1]:443'\n  tls: {verify: false, ipFamily: ip6}",
         TLSModule(TLSOptions(verify=False), IPFamily.IPV6)),
        ("  target: gateway\n  icmp: {ttl: 5}", ICMPModule(ttl=5)),
        ("  target: api:50051\n  grpc: {service: shop, tls: {}}", GRPCModule("shop", TLSOptions())),
        ("  target: a:22\n  tcp: {steps: [{expect: '^SSH-([0-9.]+)', labels: {version: $1}}]}",
         TCPModule(steps=(QueryStep("^SSH-([0-9.]+)", labels=(("version", "$1"),)),))),
        ("  target: wss://a/feed\n  websocket: {steps: [{send: hi, expect: hello}]}",
         WebSocketModule(steps=(QueryStep("hello", "hi"),))),
        ("  target: https://a/\n  module: http_2xx", HTTPModule()),
        ("  target: pop:995\n  module: pop3s_banner", BUILT_IN["pop3s_banner"].module),
        ("  target: http://a/?q=${env:Q}\n  http: {}", HTTPModule()),
    ],
)  # fmt: skip
def test_every_protocol_can_be_asked(spec: str, module: object) -> None:
    probe = a_probe(spec)
    assert probe.module == module
    assert (probe.interval, probe.timeout, probe.regions) == (timedelta(seconds=30), timedelta(seconds=10), ())


def test_a_module_gives_its_protocol_timeout_and_assertions_and_the_probes_own_status_counts() -> None:
    probe = a_probe("  target: https://a/\n  module: api", MODULE)
    assert probe.module == HTTPModule(method="HEAD")
    assert (probe.timeout, probe.module_name) == (timedelta(seconds=3), "api")
    assert [one.kind for one in probe.assertions] == [AssertionKind.STATUS, AssertionKind.LATENCY]
    spec = "  target: https://a/\n  module: api\n  timeout: 4s\n  assertions: [{status: 2xx}]"
    probe = a_probe(spec, MODULE)
    assert [(one.kind, one.statuses) for one in probe.assertions] == [
        (AssertionKind.LATENCY, ()),
        (AssertionKind.STATUS, ("2xx",)),
    ]
    assert probe.timeout == timedelta(seconds=4)


def test_a_short_interval_shortens_the_timeout_that_nobody_wrote() -> None:
    assert a_probe("  target: a:1\n  interval: 5s\n  tcp: {}").timeout == timedelta(seconds=4)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("paid", '"paid"'), ("5", "5"), ("'5'", "5"), ("'\"5\"'", '"5"'), ("true", "true"), ("'null'", "null"),
     ("'{\"b\": 1, \"a\": [2]}'", '{"a": [2], "b": 1}'), ("NaN", '"NaN"'), ("1.50", "1.5")],
)  # fmt: skip
def test_what_json_equals_is_json_and_everything_else_is_text(written: str, meant: str) -> None:
    spec = f"  target: https://a/\n  http: {{}}\n  assertions: [{{jsonPath: {{path: $.x, equals: {written}}}}}]"
    assert a_probe(spec).assertions[0].equals == meant


MISTAKES = [
    ("name: checkout", "name: Check_Out", "metadata.name: `Check_Out` is not a name (lower-case letters, digits and"),
    ("target: https://shop.example.com/pay", "target: shop.example.com", "spec.target: not a URL (write it as https:"),
    ("target: https://shop", "target: ftp://shop", "spec.target: not a URL that can be asked: it `ftp` is not http or"),
    ("https://shop.example.com/pay", "https://me:pw@shop/", "spec.target: a secret in plain text: password (take it"),
    ("com/pay", "com/?api_key=abc", "spec.target: a secret in plain text: api_key (take it from the prober's"),
    ("Bearer ${env:SHOP_TOKEN}", "Bearer abcdef", "spec.http.headers.Authorization: a secret in plain text: `Authoriz"),
    ("Bearer ${env:SHOP_TOKEN}", "Bearer ${env:SHOP TOKEN}", "spec.http.headers.Authorization: `SHOP TOKEN` cannot be"),
    ("Content-Type: application/json", "authorization: '${env:B}'", "spec.http.headers.authorization: the same h"),
    ("interval: 30s", "interval: soon", "spec.interval: `soon` is not a length (a number and ms, s, m or h, as in 500"),
    ("interval: 30s", "interval: 500ms", "spec.interval: must be between 1s and 24h"),
    ("interval: 30s", "interval: 5s", "spec.timeout: is not shorter than the interval (5s) (one try must end before"),
    ("timeout: 5s", "timeout: 10m", "spec.timeout: must be between 100ms and 5m"),
    ("regions: [eu, us]", "regions: [eu, eu]", "spec.regions[1]: `eu` is there twice"),
    ("regions: [eu, us]", "regions: [eu, uss]", "spec.regions[1]: there is no region `uss`, did you mean `us`?"),
    ("regions: [eu, us]", "regions: [eu, EU]", "spec.regions[1]: `EU` is not a name"),
    ("downRegions: 2", "downRegions: 3", "spec.verdict.downRegions: only 2 regions will ask (it would never be down)"),
    ("{team: pay}", "{region: pay}", "metadata.labels.region: `region` is taken"),
    ("https://runbooks", "runbooks", 'metadata.annotations["flyball.dev/runbook-url"]: not a web address (begin it'),
    ("method: POST", "method: post", "spec.http.method"),
    ("method: POST", "metod: POST", "spec.http.metod: unknown field `metod`, did you mean `method`?"),
    ("{caFile: /etc/shop.pem}", "{keyFile: k}", "spec.http.tls.keyFile: a key without its certificate (add certif"),
    ("ipFamily: ip4", "ipFamily: ip5", "spec.http.ipFamily: expected 'any', 'ip4' or 'ip6', got the text 'ip5', did "),
    ("http:\n", "tcp: {}\n  http:\n", "spec.tcp: http and tcp exclude each other (one probe for each)"),
    ("http:\n", "module: icmp\n  http:\n", "spec.module: module and http exclude each other (a module says the pro"),
    ("matches: ^app", "matches: (?=x)^app", "spec.assertions[1].header.matches: not a regular expression (RE2): "),
    ("(?i)error", "'[a-'", "spec.assertions[2].body.notMatches: not a regular expression (RE2): missing ]: [a-"),
    ("path: $.state", "path: state", "spec.assertions[3].jsonPath.path: not a JSONPath (RFC 9535): expected"),
    ("path: $.state", "path: $..a..b..c", "spec.assertions[3].jsonPath.path: more than 2 descents (`..`)"),
    ("- certificateDays: 14", "- {}", "spec.assertions[4]: nothing is asserted (exactly one of status, header, body"),
    ("- certificateDays: 14", "- {status: 200, certificateDays: 1}", "spec.assertions[4]: status and certificateDays"),
    ("certificateDays: 14", "certificateDays: -1", "spec.assertions[4].certificateDays"),
    ("status: [200, 3xx]", "status: [200, 600]", "spec.assertions[0].status[1]"),
    ("{atMost: 2s}", "{atMost: 2 s}", "spec.assertions[6].latency.atMost: `2 s` is not a length"),
    ("phase: processing", "phase: proccessing", "spec.assertions[5].latency.phase: `proccessing` is not a phase of "),
    ("{notMatches: (?i)error}", "{}", "spec.assertions[2].body: nothing is asserted of it (equals, matches, notMatch"),
    ("{notMatches: (?i)error}", "{exists: false, matches: x}", "spec.assertions[2].body.exists: what must not be the"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem"), MISTAKES)
def test_mistakes_are_told_where_they_stand(old: str, new: str, problem: str) -> None:
    assert old in GOOD
    made = declared_in(GOOD.replace(old, new), regions=("eu", "us", "ap"))
    told = shown([one for one in made.problems if one.severity is Severity.ERROR])
    assert len(told) == 1, told
    assert told[0].startswith(problem), told
    assert made.values == ()


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("  target: a", "spec: no protocol: it is not said how to ask (exactly one of http, tcp, dns, tls, icmp, grpc"),
        ("  target: a\n  tcp: {}", "spec.target: `a` is not host:port (write it as host:port, such as db.example.com:"),
        ("  target: a:70000\n  tcp: {}", "spec.target: `70000` is not a port"),
        (
            "  target: a\n  dns: {queryName: b..c}",
            "spec.dns.queryName: `b..c` is no name of DNS (such as www.example.com",
        ),
        ("  target: a\n  dns: {queryName: b, queryType: AAAAA}", "spec.dns.queryType: `AAAAA` is no type of DNS (such"),
        (
            "  target: a\n  dns: {queryName: b, validRcodes: [NOEROR]}",
            "spec.dns.validRcodes[0]: `NOEROR` is no rcode of",
        ),
        ("  target: http://a/\n  tcp: {}", "spec.target: a URL, where a host is asked"),
        ("  target: a:1\n  icmp: {}", "spec.target: an echo goes to a host, not to a port"),
        ("  target: http://a/\n  websocket: {}", "spec.target: not a URL that can be asked: it `http` is not ws or "),
        ("  target: a\n  icmp: {}\n  assertions: [{status: 200}]", "spec.assertions[0].status: there is no status w"),
        ("  target: a\n  icmp: {}\n  assertions: [{certificateDays: 1}]", "spec.assertions[0].certificateDays: the"),
        (
            "  target: ws://a/\n  websocket: {}\n  assertions: [{body: {matches: x}}]",
            "spec.assertions[0].body: there is no",
        ),
        ("  target: a:1\n  tcp: {steps: [{}]}", "spec.tcp.steps[0]: a step in which nothing is done (expect, send"),
        ("  target: a:1\n  tcp: {steps: [{expect: '('}]}", "spec.tcp.steps[0].expect: not a regular expression"),
        ("  target: ws://a/\n  websocket: {steps: [{startTls: true}]}", "spec.websocket.steps[0].startTls: a Web"),
        ("  target: ws://a/\n  websocket: {steps: [{expect: x, labels: {a: b}}]}", "spec.websocket.steps[0].labels: "),
        ("  target: a:1\n  tcp: {steps: [{send: x, labels: {a: b}}]}", "spec.tcp.steps[0].labels: labels are of what"),
        ("  target: a:1\n  tcp: {steps: [{expect: x, labels: {a: '${env:B}'}}]}", "spec.tcp.steps[0].labels.a: labels"),
        ("  target: a\n  dns: {queryName: b, answerMustNotMatch: ['(']}", "spec.dns.answerMustNotMatch[0]: not a"),
        ("  target: http://a/\n  module: htp_2xx", "spec.module: there is no module `htp_2xx`, did you mean `http_2xx"),
        ("  target: http://a/\n  module: zzz", "spec.module: there is no module `zzz` (declare a ProbeModule, or see"),
    ],
)
def test_other_protocols_have_mistakes_of_their_own(spec: str, problem: str) -> None:
    text = f"apiVersion: flyball.dev/v1\nkind: Probe\nmetadata: {{name: it}}\nspec:\n{spec}\n"
    told = shown(declared_in(text).problems)
    assert len(told) == 1, told
    assert told[0].startswith(problem), told


def test_the_place_in_a_json_path_is_told() -> None:
    made = declared_in(GOOD.replace("path: $.state", 'path: "$.a[?@.b =~ 1]"'))
    (problem,) = made.problems
    line = GOOD.splitlines()[problem.line - 1]
    assert "jsonPath" in line
    assert problem.column == line.index("$.state") + 1 + len('"$.a[?@.b ')


def test_what_is_hardly_meant_is_a_warning() -> None:
    plain = declared_in(GOOD.replace("https://shop", "http://shop"))
    assert [one.severity for one in plain.problems] == [Severity.WARNING]
    assert len(plain.values) == 1
    with_password = declared_in(GOOD.replace('{"amount": 1}', '{"password": "hunter2"}'))
    assert shown(with_password.problems)[0].startswith("spec.http.body: a secret in plain text, as it seems")
    with_reference = declared_in(GOOD.replace('{"amount": 1}', '{"password": "${env:PW}"}'))
    assert with_reference.problems == ()


def test_a_module_that_cannot_be_read_may_be_the_one_that_is_named() -> None:
    text = GOOD.replace("  http:\n", "  module: api\n").replace("    method: POST\n", "")
    start, end = text.index("    headers:"), text.index("  assertions:")
    named = text[:start] + text[end:]
    assert declared_in(named + MODULE).problems == ()
    broken = MODULE.replace("timeout: 3s", "timeout: never")
    assert [one.split(":")[0] for one in shown(declared_in(named + broken).problems)] == ["spec.timeout"]
    assert declared_in(named, may_be_declared=lambda name: name == "api").problems == ()


def test_modules_have_the_names_of_blackbox_exporters_and_their_own_mistakes() -> None:
    assert declared_in(MODULE.replace("name: api", "name: http_post.2xx")).problems == ()
    assert shown(declared_in(MODULE.replace("name: api", "name: -x")).problems)[0].startswith("metadata.name: `-x`")
    told = shown(declared_in(MODULE.replace("  http: {method: HEAD}\n", "")).problems)
    assert told[0].startswith("spec: no protocol")


def test_editors_are_told_the_shape() -> None:
    schema = str(json_schema(KINDS))
    assert "certificateDays" in schema
    assert "downRegions" in schema
