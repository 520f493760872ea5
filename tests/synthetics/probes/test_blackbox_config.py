"""blackbox.yml as ProbeModule documents."""

from datetime import timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from controlplane.specfile import SourceFile, read
from synthetics.probes.blackbox_config import NotAConfiguration, converted
from synthetics.probes.declared_modules import declared_modules
from synthetics.probes.kinds import KINDS
from synthetics.probes.model import ProbeModule
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

FILE = """\
modules:
  http:
    prober: http
    timeout: 5s
    http:
      method: POST
      body: '{}'
      headers: {Host: a, Origin: b}
      valid_status_codes: [200, 404]
      no_follow_redirects: true
      fail_if_not_ssl: true
      fail_if_body_matches_regexp: [error]
      fail_if_body_not_matches_regexp: [ok]
      fail_if_header_matches: [{header: Set-Cookie, regexp: '.*', allow_missing: true}]
      fail_if_header_not_matches: [{header: Via, regexp: x}]
      body_size_limit: 5MB
      preferred_ip_protocol: ip4
      ip_protocol_fallback: false
      basic_auth: {username: u, password: p}
      tls_config: {ca_file: /ca.pem, insecure_skip_verify: false}
      compression: gzip
  tls: {prober: tcp, tcp: {tls: true, tls_config: {server_name: s}}}
  smtp:
    prober: tcp
    tcp:
      query_response: [{expect: ^220 (.*), labels: [{name: host, value: $1}]}, {send: STARTTLS}, {starttls: true}]
      tls_config: {ca_file: /c}
  dns: {prober: dns, dns: {query_name: a, query_type: SOA, transport_protocol: tcp, recursion_desired: false}}
  ping: {prober: icmp, icmp: {payload_size: 10, ttl: 3, dont_fragment: true}}
  grpc: {prober: grpc, grpc: {service: s, tls: true}}
  ws: {prober: websocket, websocket: {headers: {A: b}, query_response: [{send: x}]}}
  socket: {prober: unix}
  bytes: {prober: tcp, tcp: {query_response: [{send: !!binary AAAA}]}}
"""


def modules_in(text: str) -> tuple[dict[str, ProbeModule], list[str]]:
    documents, lost = converted(text.encode())
    found = read([SourceFile("m.yaml", documents.encode())], KINDS)
    made = declared_modules(found.documents)
    assert (*found.problems, *made.problems) == ()
    return {one.name: one for one in made.values}, lost


def test_every_module_that_we_have_something_like_is_carried_over() -> None:
    modules, lost = modules_in(FILE)
    http = modules["http"]
    assert http.module == HTTPModule(
        method="POST",
        headers=(("Host", "a"), ("Origin", "b"), ("Authorization", "Basic ${env:HTTP_BASIC}")),
        body="{}",
        follow_redirects=False,
        max_body_bytes=5 * 2**20,
        fail_if_not_tls=True,
        tls=TLSOptions(ca_file="/ca.pem"),
        ip_family=IPFamily.IPV4,
    )
    assert http.assertions == (
        Assertion(AssertionKind.STATUS, statuses=("200", "404")),
        Assertion(AssertionKind.BODY, not_matches="error"),
        Assertion(AssertionKind.BODY, matches="ok"),
        Assertion(AssertionKind.HEADER, name="set-cookie", not_matches=".*"),
        Assertion(AssertionKind.HEADER, name="via", matches="x"),
    )
    assert {name: one.module for name, one in modules.items() if name != "http"} == {
        "tls": TLSModule(TLSOptions(server_name="s")),
        "smtp": TCPModule(
            TLSOptions(ca_file="/c"),
            (QueryStep("^220 (.*)", labels=(("host", "$1"),)), QueryStep(send="STARTTLS"), QueryStep(start_tls=True)),
        ),
        "dns": DNSModule("a", "SOA", "tcp", recursion=False),
        "ping": ICMPModule(10, dont_fragment=True, ttl=3),
        "grpc": GRPCModule("s", TLSOptions()),
        "ws": WebSocketModule((("A", "b"),), (QueryStep(send="x"),)),
    }
    assert lost == [
        "http: basic_auth is not carried over: set HTTP_BASIC on the prober to base64 of user:password",
        "http: compression is not carried over: there is nothing like it",
        "socket: prober `unix` is not carried over: there is nothing like it",
        "bytes: send with bytes is not carried over: conversations are text, so the module is left out",
    ]


def test_no_secret_is_carried_over() -> None:
    text, _ = converted(b"modules: {a: {prober: http, http: {bearer_token: s3cret, proxy_url: 'http://u:s3cret@p'}}}")
    assert "s3cret" not in text
    assert "Bearer ${env:A_TOKEN}" in text


@pytest.mark.parametrize("prober", ["http", "websocket"])
def test_headers_that_hold_secrets_become_variables(prober: str) -> None:
    headers = "{Authorization: Bearer s3cret, X-Api-Key: s3cret, Cookie: a=s3cret, Accept: text/html}"
    text, lost = converted(f"modules: {{2xx: {{prober: {prober}, {prober}: {{headers: {headers}}}}}}}".encode())
    assert "s3cret" not in text
    for name in ("AUTHORIZATION", "X_API_KEY", "COOKIE"):
        assert f"${{env:_2XX_{name}}}" in text
    assert "Accept: text/html" in text
    assert lost[1] == "2xx: the header X-Api-Key is not carried over: set _2XX_X_API_KEY on the prober to its value"
    assert modules_in(f"modules: {{2xx: {{prober: {prober}, {prober}: {{headers: {headers}}}}}}}")[0].keys() == {"2xx"}


@pytest.mark.parametrize(("written", "seconds"), [("1m30s", 90), ("1m0.5s", 60.5), ("5s", 5), ("1s500ms", 1.5)])
def test_lengths_as_go_writes_them_are_read(written: str, seconds: float) -> None:
    modules, _ = modules_in(f"modules: {{a: {{prober: icmp, timeout: {written}}}}}")
    assert modules["a"].timeout == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"a: [", "not YAML"), (b"- a", "there is no `modules:` in it"), (b"", "there is no"), (b"x" * 2**21, "larger")],
)
def test_what_is_no_configuration_is_told(content: bytes, why: str) -> None:
    with pytest.raises(NotAConfiguration, match=why):
        converted(content)


KEYS = st.sampled_from(["http", "tcp", "tls", "prober", "headers", "query_response", "tls_config", "a"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab:{", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(["http", "tcp", "dns", "icmp", "grpc", "websocket"]), ANYTHING)
def test_whatever_a_module_holds_it_is_converted_or_refused(prober: str, part: object) -> None:
    converted(yaml.safe_dump({"modules": {"a": {"prober": prober, prober: part}}}).encode())
