"""What one try measured, as blackbox_exporter writes it: names, help texts, order and numbers to the byte."""

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from controlplane.check_names import PROBE_SECONDS, PROBE_SUCCESS
from controlplane.model.check import CheckResult, CheckSample, Outcome

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_LEAST_EXPONENT: Final = -4
_MOST_EXPONENT: Final = 6  # from which on the shortest form has an exponent (Go's strconv)
HELP: Final = {
    PROBE_SUCCESS: "Displays whether or not the probe was a success",
    PROBE_SECONDS: "Returns how long the probe took to complete in seconds",
    "probe_dns_lookup_time_seconds": "Returns the time taken for probe dns lookup in seconds",
    "probe_ip_protocol": "Specifies whether probe ip protocol is IP4 or IP6",
    "probe_ip_addr_hash": ("Specifies the hash of IP address. It's useful to detect if the IP address changes."),
    "probe_failed_due_to_regex": "Indicates if probe failed due to regex",
    "probe_http_duration_seconds": "Duration of http request by phase, summed over all redirects",
    "probe_http_status_code": "Response HTTP status code",
    "probe_http_content_length": "Length of http content response",
    "probe_http_uncompressed_body_length": "Length of uncompressed response body",
    "probe_http_redirects": "The number of redirects",
    "probe_http_ssl": "Indicates if SSL was used for the final redirect",
    "probe_http_version": "Returns the version of HTTP of the probe response",
    "probe_http_last_modified_timestamp_seconds": "Returns the Last-Modified HTTP response header in unixtime",
    "probe_ssl_earliest_cert_expiry": "Returns last SSL chain expiry in unixtime",
    "probe_ssl_last_chain_expiry_timestamp_seconds": "Returns last SSL chain expiry in timestamp",
    "probe_ssl_last_chain_info": "Contains SSL leaf certificate information",
    "probe_tls_version_info": "Returns the TLS version used or NaN when unknown",
    "probe_expect_info": "Explicit content matched",
    "probe_dns_duration_seconds": "Duration of DNS request by phase",
    "probe_dns_answer_rrs": "Returns number of entries in the answer resource record list",
    "probe_dns_authority_rrs": "Returns number of entries in the authority resource record list",
    "probe_dns_additional_rrs": "Returns number of entries in the additional resource record list",
    "probe_dns_query_succeeded": "Displays whether or not the query was executed successfully",
    "probe_dns_serial": "Returns the serial number of the zone",
    "probe_icmp_duration_seconds": "Duration of icmp request by phase",
    "probe_icmp_reply_hop_limit": "Replied packet hop limit (TTL for ipv4)",
    "probe_grpc_duration_seconds": "Duration of gRPC request by phase",
    "probe_grpc_healthcheck_response": "Response HealthCheck response",
    "probe_grpc_ssl": "Indicates if SSL was used for the connection",
    "probe_grpc_status_code": "Response gRPC status code",
    "probe_websocket_connection_upgraded": "Indicates if the websocket connection was successfully upgraded",
    "probe_websocket_duration_seconds": "Duration of websocket request by phase",
    "probe_websocket_failed_due_to_regex": "Indicates if probe failed due to regex",
    "probe_websocket_status_code": "Response HTTP status code",
}
"""Of every metric that a probe may give, word for word."""


def result_text(result: CheckResult) -> str:
    """A result as `/probe` answers it. A fault of the prober is no success of the target: 0, as there."""
    return text_of(
        (
            *result.samples,
            CheckSample(PROBE_SUCCESS, 1 if result.outcome is Outcome.OK else 0),
            CheckSample(PROBE_SECONDS, result.duration_seconds),
        )
    )


def text_of(samples: Iterable[CheckSample]) -> str:
    """Gauges in Prometheus' text format, by name, then by labels; of a series that is there twice the last."""
    families: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for sample in samples:
        families.setdefault(sample.name, {})[tuple(sorted(sample.labels))] = sample.value
    lines = []
    for name in sorted(families):
        lines += [f"# HELP {name} {HELP.get(name, '')}".rstrip(), f"# TYPE {name} gauge"]
        lines += [f"{name}{_braced(labels)} {go_float(value)}" for labels, value in sorted(families[name].items())]
    return "".join(f"{line}\n" for line in lines)


def go_float(value: float) -> str:
    """A number as Go writes it with `'g', -1`: the shortest digits, an exponent below 1e-4 and from 1e6 on."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    minus = "-" if sign else ""
    power = len(text) + exponent - 1
    if power < _LEAST_EXPONENT or power >= _MOST_EXPONENT:
        mantissa = text[0] + (f".{text[1:]}" if len(text) > 1 else "")
        return f"{minus}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    return minus + f"{Decimal((0, digits, exponent)):f}"


def _braced(labels: tuple[tuple[str, str], ...]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}" if labels else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
