"""gRPC health probes against grpcio's own server, and against servers that are none."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from hypothesis import given
from hypothesis import strategies as st

from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.grpc import probe_grpc
from synthetics.probes.adapters.grpc_call import _request, _serving
from synthetics.probes.attempt import Attempt
from synthetics.probes.modules import GRPCModule, TLSOptions
from tests.synthetics.probes.adapters.outside import (
    LONG_SECONDS,
    SHORT_SECONDS,
    TRACEPARENT,
    Handler,
    around,
    certificates,
    endless,
    garbage,
    gauges,
    half_closed,
    hang_up,
    nothing,
    phases,
    reset,
    run,
    saying,
    serving,
)

STATUS = health_pb2.HealthCheckResponse
SERVING_STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
PREFACE = b"\0\0\0\4\0\0\0\0\0"  # empty SETTINGS


@asynccontextmanager
async def grpc_server(servicer: Any = None, *, secure: bool = False) -> AsyncIterator[str]:
    """A server of grpcio; without a servicer it has no health service."""
    server = grpc.aio.server()
    if servicer is not None:
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    if secure:
        made = certificates()
        credentials = grpc.ssl_server_credentials([(made.key, made.chain)])
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def _health() -> HealthServicer:
    servicer = HealthServicer()
    await servicer.set("shop", STATUS.SERVING)
    await servicer.set("stopped", STATUS.NOT_SERVING)
    return servicer


class Saying(health_pb2_grpc.HealthServicer):
    """A health service that does as it is told."""

    def __init__(self, check: Callable[[Any], Awaitable[Any]]) -> None:
        self._check = check

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        return await self._check(context)


def asked(module: GRPCModule, servicer: Any = None, seconds: float = LONG_SECONDS, *, secure: bool = False) -> Attempt:
    async def main() -> Attempt:
        made = servicer or await _health()
        async with grpc_server(made, secure=secure) as target:
            return await probe_grpc(module, target, around(seconds))

    return asyncio.run(main())  # grpcio keeps threads and pipes of its own: not held to leaving nothing


def test_a_server_that_serves_is_well() -> None:
    attempt = asked(GRPCModule())
    assert (attempt.reason, attempt.detail) == ("", "")
    assert phases(attempt) == ["resolve", "connect", "check"]
    found = gauges(attempt)
    assert set(found) == {
        "probe_dns_lookup_time_seconds", "probe_ip_protocol", "probe_ip_addr_hash", "probe_grpc_ssl",
        "probe_grpc_status_code",
        *(f'probe_grpc_healthcheck_response{{serving_status="{name}"}}' for name in SERVING_STATUSES),
        'probe_grpc_duration_seconds{phase="resolve"}', 'probe_grpc_duration_seconds{phase="check"}',
    }  # fmt: skip
    assert found['probe_grpc_healthcheck_response{serving_status="SERVING"}'] == 1
    assert found['probe_grpc_healthcheck_response{serving_status="NOT_SERVING"}'] == 0
    assert found["probe_grpc_status_code"] == 0
    assert found["probe_grpc_ssl"] == 0


@pytest.mark.parametrize(
    ("service", "reason", "detail", "code", "serving"),
    [
        ("shop", "", "", 0, "SERVING"),
        ("stopped", "serving", "the service `stopped` is not serving: NOT_SERVING", 0, "NOT_SERVING"),
        ("unknown", "grpc", "the health service does not know the service `unknown` (NOT_FOUND)", 5, ""),
        ("x" * 300, "grpc", "", 5, ""),
    ],
)
def test_services_are_asked_by_name(service: str, reason: str, detail: str, code: int, serving: str) -> None:
    attempt = asked(GRPCModule(service))
    assert attempt.reason == reason
    assert detail in attempt.detail
    found = gauges(attempt)
    assert found["probe_grpc_status_code"] == code
    told = {name: value for name, value in found.items() if name.startswith("probe_grpc_healthcheck_response")}
    assert {name for name, value in told.items() if value} == (
        {f'probe_grpc_healthcheck_response{{serving_status="{serving}"}}'} if serving else set()
    )


def test_the_trace_and_the_deadline_go_along() -> None:
    seen: list[dict[str, str]] = []
    left: list[float] = []

    async def check(context: Any) -> Any:
        seen.append(dict(context.invocation_metadata()))
        left.append(context.time_remaining())
        return STATUS(status=STATUS.SERVING)

    assert asked(GRPCModule(), Saying(check)).reason == ""
    assert seen[0]["traceparent"] == TRACEPARENT
    assert seen[0]["user-agent"].startswith("flyball/")
    assert 0 < left[0] <= LONG_SECONDS


def test_a_health_service_that_refuses_says_why() -> None:
    async def check(context: Any) -> Any:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "not yöu,\nnever")

    attempt = asked(GRPCModule(), Saying(check))
    assert attempt.reason == "grpc"
    assert attempt.detail == "the health service says PERMISSION_DENIED: not yöu,·never"
    assert gauges(attempt)["probe_grpc_status_code"] == 7


def test_a_status_of_zero_is_unknown_and_not_serving() -> None:
    async def check(context: Any) -> Any:
        return STATUS()

    attempt = asked(GRPCModule(), Saying(check))
    assert (attempt.reason, attempt.detail) == ("serving", "the server is not serving: UNKNOWN")


def test_a_health_service_that_hangs_is_a_timeout() -> None:
    async def check(context: Any) -> Any:
        await asyncio.sleep(1000)

    attempt = asked(GRPCModule(), Saying(check), SHORT_SECONDS)
    assert attempt.reason in ("timeout", "grpc")  # ours, or the server's by the deadline that went along
    assert gauges(attempt)["probe_grpc_status_code"] == 4


def test_a_server_without_a_health_service_says_so() -> None:
    async def main() -> Attempt:
        async with grpc_server() as target:
            return await probe_grpc(GRPCModule(), target, around())

    attempt = asyncio.run(main())
    assert attempt.detail == "the server has no health service (UNIMPLEMENTED)"
    assert gauges(attempt)["probe_grpc_status_code"] == 12


def test_tls_shows_its_certificate() -> None:
    made = certificates()
    attempt = asked(GRPCModule(tls=TLSOptions(ca_file=made.ca_file)), secure=True)
    assert (attempt.reason, attempt.detail) == ("", "")
    assert phases(attempt) == ["resolve", "connect", "tls", "check"]
    found = gauges(attempt)
    assert found["probe_grpc_ssl"] == 1
    assert found["probe_ssl_earliest_cert_expiry"] == made.ends_at.timestamp()
    assert 'probe_tls_version_info{version="TLS 1.3"}' in found
    assert asked(GRPCModule(tls=TLSOptions()), secure=True).reason == "certificate"
    assert asked(GRPCModule(tls=TLSOptions(verify=False)), secure=True).reason == ""


def test_tls_and_plain_do_not_understand_each_other() -> None:
    assert asked(GRPCModule(tls=TLSOptions())).reason == "tls"
    attempt = asked(GRPCModule(), secure=True)
    assert attempt.reason in ("protocol", "connection")
    assert gauges(attempt)["probe_grpc_status_code"] == 14


HTTP_ONE = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (nothing, "timeout"),
        (half_closed, "connection"),
        (hang_up, "connection"),
        (reset, "connection"),
        (garbage, "protocol"),
        (saying(HTTP_ONE), "protocol"),
        (saying(PREFACE), "timeout"),
        (saying(PREFACE, b"\0\0\x08\7\0\0\0\0\0" + b"\0" * 7 + b"\x0b"), "connection"),  # GOAWAY: calm down
        (saying(PREFACE, b"\0\0\4\3\0\0\0\0\1\0\0\0\7"), "connection"),  # RST_STREAM: refused
        (saying(b"\xff\xff\xff\0\0\0\0\0\1"), "protocol"),
        (saying(PREFACE, b"\xff\xff\xff\0\0\0\0\0\1"), "timeout"),  # a frame of 16 MiB, never sent
        (endless(b"x" * 1000, PREFACE + b"\xff\xff\xff\0\0\0\0\0\1"), "size"),  # and one that is
        (endless(b"\0\0\x08\6\0\0\0\0\0" + b"pingpong", PREFACE), "size"),
        (endless(PREFACE), "size"),
    ],
)
def test_what_is_no_grpc_is_a_bounded_failure(handler: Handler, reason: str) -> None:
    async def main() -> Attempt:
        async with serving(handler) as target:
            seconds = SHORT_SECONDS if reason == "timeout" else LONG_SECONDS
            return await probe_grpc(GRPCModule(), target, around(seconds))

    attempt = run(main)
    assert attempt.reason == reason
    assert attempt.detail
    assert not attempt.is_fault
    assert gauges(attempt)["probe_grpc_status_code"] == (4 if reason == "timeout" else 14)


def _http_two(
    *headers: tuple[str, str], body: bytes = b"", trailers: tuple[tuple[str, str], ...] = (), first: bytes = b""
) -> Handler:
    import h2.config
    import h2.connection
    import h2.events

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        while data := await reader.read(4096):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.StreamEnded):
                    writer.write(connection.data_to_send() + first)
                    connection.send_headers(1, headers, end_stream=not (body or trailers))
                    if body:
                        connection.send_data(1, body, end_stream=not trailers)
                    if trailers:
                        connection.send_headers(1, trailers, end_stream=True)
            writer.write(connection.data_to_send())

    return serve


GRPC = ((":status", "200"), ("content-type", "application/grpc"))
FINE = (("grpc-status", "0"),)
DRAINED = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\1\0\0\0\0"  # GOAWAY: the first call is still answered


@pytest.mark.parametrize(
    ("handler", "reason", "detail", "code"),
    [
        (_http_two(*GRPC, body=b"\0\0\0\0\2\x08\1", trailers=FINE), "", "", 0),
        (_http_two(*GRPC, body=b"\0\0\0\0\2\x08\1", trailers=FINE, first=DRAINED), "", "", 0),
        (_http_two((":status", "200"), ("content-type", "text/html"), body=b"hi"), "protocol", "not in gRPC", 14),
        (_http_two((":status", "503")), "grpc", "UNAVAILABLE: HTTP status 503", 14),
        (_http_two((":status", "404")), "grpc", "no health service", 12),
        (_http_two((":status", "418")), "grpc", "UNKNOWN: HTTP status 418", 2),
        (_http_two(*GRPC), "grpc", "UNKNOWN: no status came", 2),
        (_http_two(*GRPC, ("grpc-status", "16")), "grpc", "UNAUTHENTICATED", 16),
        (_http_two(*GRPC, ("grpc-status", "99")), "grpc", "code 99", 99),
        (_http_two(*GRPC, ("grpc-status", "x" * 50)), "grpc", "UNKNOWN", 2),
        (_http_two(*GRPC, trailers=FINE), "serving", "is not serving: nothing", 0),
        (_http_two(*GRPC, body=b"\1\0\0\0\2\x08\1", trailers=FINE), "protocol", "packed", 14),
        (_http_two(*GRPC, body=b"\0\0\0\0\2\x08", trailers=FINE), "protocol", "no gRPC message", 14),
        (_http_two(*GRPC, body=b"\0\0\0\0\2\x0f\1", trailers=FINE), "protocol", "HealthCheckResponse", 14),
        (_http_two(*GRPC, body=b"\0\0\0\0\2\x08\7", trailers=FINE), "serving", "is not serving: 7", 0),
    ],
)
def test_answers_are_read_as_grpc_means_them(handler: Handler, reason: str, detail: str, code: int) -> None:
    async def main() -> Attempt:
        async with serving(handler) as target:
            return await probe_grpc(GRPCModule(), f"http://{target}", around())

    attempt = run(main)
    assert attempt.reason == reason
    assert detail in attempt.detail
    assert gauges(attempt)["probe_grpc_status_code"] == code


def test_an_http_server_over_tls_that_has_no_http_two_is_a_failure() -> None:
    async def main() -> Attempt:
        made = certificates()
        context: ssl.SSLContext = made.good
        async with serving(saying(HTTP_ONE), context) as target:
            return await probe_grpc(GRPCModule(tls=TLSOptions(ca_file=made.ca_file)), target, around())

    assert run(main).reason == "protocol"


@given(st.text(max_size=300))
def test_requests_are_what_protobuf_makes_of_them(service: str) -> None:
    assert _request(service) == health_pb2.HealthCheckRequest(service=service).SerializeToString()


@given(st.integers(0, 2**31 - 1))
def test_responses_are_read_as_protobuf_writes_them(status: int) -> None:
    message = STATUS(status=status).SerializeToString()  # type: ignore[arg-type]
    assert _serving(b"\0" + len(message).to_bytes(4, "big") + message) == status


@given(st.binary(max_size=40))
def test_no_noise_is_more_than_a_failure(noise: bytes) -> None:
    try:
        _serving(b"\0" + len(noise).to_bytes(4, "big") + noise)
    except ProbeFailed as failed:
        reason = failed.reason
    else:
        reason = "protocol"
    assert reason == "protocol"


@pytest.mark.parametrize("target", ["", "example.com:grpc", "example.com/path:1"])
def test_a_target_that_is_none_is_our_fault(target: str) -> None:
    attempt = run(lambda: probe_grpc(GRPCModule(), target, around()))
    assert (attempt.reason, attempt.is_fault) == ("target", True)
