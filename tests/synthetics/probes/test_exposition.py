"""blackbox_exporter's text, to the byte."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.check import CheckKind, CheckResult, CheckSample, Outcome
from synthetics.probes.exposition import go_float, result_text, text_of
from tests.synthetics.probes.web_servers import NOW


def test_a_result_is_written_as_blackbox_exporter_writes_it() -> None:
    samples = (
        CheckSample("probe_http_duration_seconds", 0.001332678, (("phase", "processing"),)),
        CheckSample("probe_http_duration_seconds", 1.4888e-05, (("phase", "connect"),)),
        CheckSample("probe_ip_addr_hash", 3668918509),
        CheckSample("probe_ssl_last_chain_info", 1, (("subject", 'CN="a\\b"'), ("issuer", "x\ny"))),
    )
    result = CheckResult("it", CheckKind.PROBE, "eu", NOW, 0.0026, Outcome.OK, samples=samples)
    assert result_text(result) == (
        "# HELP probe_duration_seconds Returns how long the probe took to complete in seconds\n"
        "# TYPE probe_duration_seconds gauge\n"
        "probe_duration_seconds 0.0026\n"
        "# HELP probe_http_duration_seconds Duration of http request by phase, summed over all redirects\n"
        "# TYPE probe_http_duration_seconds gauge\n"
        'probe_http_duration_seconds{phase="connect"} 1.4888e-05\n'
        'probe_http_duration_seconds{phase="processing"} 0.001332678\n'
        "# HELP probe_ip_addr_hash Specifies the hash of IP address. It's useful to detect if the IP address changes.\n"
        "# TYPE probe_ip_addr_hash gauge\n"
        "probe_ip_addr_hash 3.668918509e+09\n"
        "# HELP probe_ssl_last_chain_info Contains SSL leaf certificate information\n"
        "# TYPE probe_ssl_last_chain_info gauge\n"
        'probe_ssl_last_chain_info{issuer="x\\ny",subject="CN=\\"a\\\\b\\""} 1\n'
        "# HELP probe_success Displays whether or not the probe was a success\n"
        "# TYPE probe_success gauge\n"
        "probe_success 1\n"
    )


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.FAULT])
def test_what_is_not_ok_is_no_success(outcome: Outcome) -> None:
    assert "\nprobe_success 0\n" in result_text(CheckResult("it", CheckKind.PROBE, "eu", NOW, 1.0, outcome))


def test_a_metric_without_a_help_text_is_written_all_the_same() -> None:
    assert text_of([CheckSample("x", 1)]) == "# HELP x\n# TYPE x gauge\nx 1\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (288, "288"),
        (123456, "123456"),
        (1048576, "1.048576e+06"),
        (1000000, "1e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-2.5, "-2.5"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: float, text: str) -> None:
    assert go_float(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_that_is_written_is_read_as_the_same(value: float) -> None:
    assert float(go_float(value)) == value
    assert Decimal(go_float(value)) == Decimal(repr(value))
