"""HTTP probes against servers that behave."""

import asyncio
import gzip
import zlib
from pathlib import Path

import h2.connection
import pytest
from hyperframe.frame import GoAwayFrame

from synthetics.probes.adapters.http import PHASES, USER_AGENT, probe_http
from synthetics.probes.attempt import Attempt
from synthetics.probes.modules import HTTPModule, IPFamily, TLSOptions
from tests.synthetics.probes.web_servers import (
    answering,
    around,
    http2,
    moved,
    response,
    server_context,
    serving,
    trust_file,
)

TRACE = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"


def value(attempt: Attempt, name: str, **labels: str) -> float:
    found = [one.value for one in attempt.samples if one.name == name and dict(one.labels) == labels]
    assert len(found) == 1, (name, labels, attempt.samples)
    return found[0]


def test_an_answer_is_told_with_its_phases_and_what_blackbox_exporter_tells() -> None:
    async def scene() -> None:
        async with answering(response(b"hello", Last_Modified="Mon, 30 Nov 2026 12:00:00 GMT")) as server:
            made = await probe_http(HTTPModule(), server.url("/x?y=1"), around(traceparent=TRACE))
        assert (made.reason, made.detail, made.is_fault) == ("", "", False)
        assert [timing.name for timing in made.timings] == ["resolve", "connect", "processing", "transfer"]
        assert all(timing.seconds >= 0 for timing in made.timings)
        assert made.answer.status == 200
        assert made.answer.body == b"hello"
        assert ("content-length", "5") in made.answer.headers
        assert value(made, "probe_http_status_code") == 200
        assert value(made, "probe_http_content_length") == 5
        assert value(made, "probe_http_uncompressed_body_length") == 5
        assert value(made, "probe_http_version") == 1.1
        assert value(made, "probe_http_ssl") == 0
        assert value(made, "probe_http_redirects") == 0
        assert value(made, "probe_ip_protocol") == 4
        assert value(made, "probe_ip_addr_hash") == 3668918509  # what blackbox_exporter says of 127.0.0.1
        assert value(made, "probe_http_last_modified_timestamp_seconds") == 1796040000
        assert value(made, "probe_http_duration_seconds", phase="tls") == 0
        head = server.requests[0].split("\r\n")
        assert head[0] == "GET /x?y=1 HTTP/1.1"
        assert f"traceparent: {TRACE}" in head
        assert f"user-agent: {USER_AGENT}" in head
        assert USER_AGENT.startswith("flyball/0.")

    asyncio.run(scene())


def test_tls_is_timed_and_its_chain_is_told(tmp_path: Path) -> None:
    async def scene() -> None:
        async with answering(response(b"hi"), server_context()) as server:
            module = HTTPModule(tls=TLSOptions(ca_file=trust_file(tmp_path)))
            made = await probe_http(module, server.url(scheme="https", host="localhost"), around())
        assert made.reason == ""
        assert [timing.name for timing in made.timings] == list(PHASES)
        assert value(made, "probe_http_ssl") == 1
        assert value(made, "probe_tls_version_info", version="TLS 1.3") == 1
        assert made.answer.certificate_ends_at is not None
        ends = made.answer.certificate_ends_at.timestamp()
        assert value(made, "probe_ssl_earliest_cert_expiry") == ends
        assert value(made, "probe_ssl_last_chain_expiry_timestamp_seconds") == ends
        labels = next(dict(one.labels) for one in made.samples if one.name == "probe_ssl_last_chain_info")
        assert labels["subjectalternative"] == "localhost"
        assert len(labels["fingerprint_sha256"]) == 64

    asyncio.run(scene())


def test_http_2_is_spoken_where_the_server_offers_it_and_not_where_the_module_forbids_it(tmp_path: Path) -> None:
    def answer(connection: h2.connection.H2Connection, stream: int) -> None:
        connection.send_headers(stream, [(":status", "200"), ("content-type", "text/plain"), ("set-cookie", "a=b")])
        connection.send_data(stream, b"two", end_stream=True)

    async def scene() -> None:
        tls = TLSOptions(ca_file=trust_file(tmp_path))
        async with serving(http2(answer), server_context(protocols=("h2", "http/1.1"))) as server:
            made = await probe_http(HTTPModule(tls=tls), server.url(scheme="https", host="localhost"), around())
            assert (made.reason, made.detail) == ("", "")
            assert value(made, "probe_http_version") == 2.0
            assert value(made, "probe_http_content_length") == -1
            assert made.answer.body == b"two"
            assert ("content-type", "text/plain") in made.answer.headers
        async with answering(response(), server_context(protocols=("h2", "http/1.1"))) as server:
            module = HTTPModule(tls=tls, http2=False)
            made = await probe_http(module, server.url(scheme="https", host="localhost"), around())
            assert value(made, "probe_http_version") == 1.1

    asyncio.run(scene())


def _going(connection: h2.connection.H2Connection, last_stream: int, code: int = 0) -> None:
    frame = GoAwayFrame(0)
    frame.last_stream_id, frame.error_code = last_stream, code
    connection._prepare_for_sending([frame])


@pytest.mark.parametrize("at", ["before the answer", "within it"])
@pytest.mark.parametrize("last_stream", [1, 2**31 - 1])
def test_a_server_that_is_drained_may_still_answer_over_http_2(at: str, last_stream: int, tmp_path: Path) -> None:
    def answer(connection: h2.connection.H2Connection, stream: int) -> None:
        if at == "before the answer":
            _going(connection, last_stream)
        connection.send_headers(stream, [(":status", "200")])
        _going(connection, last_stream)
        connection.send_data(stream, b"bye", end_stream=True)

    async def scene() -> Attempt:
        async with serving(http2(answer), server_context(protocols=("h2",))) as server:
            module = HTTPModule(tls=TLSOptions(ca_file=trust_file(tmp_path)))
            return await probe_http(module, server.url(scheme="https", host="localhost"), around())

    made = asyncio.run(scene())
    assert (made.reason, made.detail, made.answer.body) == ("", "", b"bye")


@pytest.mark.parametrize(("last_stream", "code"), [(0, 0), (1, 11)])
def test_a_server_that_goes_away_without_our_answer_has_failed(last_stream: int, code: int, tmp_path: Path) -> None:
    async def scene() -> Attempt:
        going = http2(lambda connection, stream: _going(connection, last_stream, code))
        async with serving(going, server_context(protocols=("h2",))) as server:
            module = HTTPModule(tls=TLSOptions(ca_file=trust_file(tmp_path)))
            return await probe_http(module, server.url(scheme="https", host="localhost"), around())

    made = asyncio.run(scene())
    assert (made.reason, made.detail) == ("connection", f"the target ended the connection (HTTP/2 code {code})")


def test_a_large_body_over_http_2_passes_the_windows_both_ways(tmp_path: Path) -> None:
    size = 3 * 1024 * 1024
    pending: dict[int, memoryview] = {}

    def answer(connection: h2.connection.H2Connection, stream: int) -> None:
        connection.send_headers(stream, [(":status", "200")])
        pending[stream] = memoryview(b"x" * size)
        while pending[stream]:
            room = min(connection.local_flow_control_window(stream), 16_384, len(pending[stream]))
            if room == 0:
                break
            connection.send_data(stream, bytes(pending[stream][:room]), end_stream=room == len(pending[stream]))
            pending[stream] = pending[stream][room:]

    async def scene() -> None:
        tls = TLSOptions(ca_file=trust_file(tmp_path))
        async with serving(http2(answer), server_context(protocols=("h2",))) as server:
            module = HTTPModule(method="POST", body="b" * 200_000, tls=tls)
            made = await probe_http(module, server.url(scheme="https", host="localhost"), around())
        assert (made.reason, made.detail) == ("", "")
        assert value(made, "probe_http_uncompressed_body_length") == size

    asyncio.run(scene())


def test_redirects_are_followed_and_counted_with_their_cookies() -> None:
    def answer(path: str, head: str) -> bytes:
        if path == "/":
            return moved("/login", Set_Cookie="session=1; Path=/; HttpOnly")
        return moved("done?x=1", "303 See Other") if path == "/login" else response(b"end")

    async def scene() -> None:
        async with answering(answer) as server:
            made = await probe_http(HTTPModule(method="POST", body="{}"), server.url(), around())
        assert made.reason == ""
        assert value(made, "probe_http_redirects") == 2
        assert [head.split(" HTTP")[0] for head in server.requests] == ["POST /", "GET /login", "GET /done?x=1"]
        assert "cookie: session=1" in server.requests[1]
        assert server.bodies == [b"{}", b"", b""]
        assert any("redirected to" in note for note in made.notes)

    asyncio.run(scene())


def test_a_redirect_that_keeps_the_method_keeps_the_body() -> None:
    def answer(path: str, head: str) -> bytes:
        return moved("/there", "307 Temporary Redirect") if path == "/" else response()

    async def scene() -> None:
        async with answering(answer) as server:
            await probe_http(HTTPModule(method="PUT", body="data"), server.url(), around())
        assert [head.split(" HTTP")[0] for head in server.requests] == ["PUT /", "PUT /there"]
        assert server.bodies == [b"data", b"data"]

    asyncio.run(scene())


def test_redirects_that_are_not_to_be_followed_are_the_answer() -> None:
    async def scene() -> None:
        async with answering(moved("/elsewhere")) as server:
            made = await probe_http(HTTPModule(follow_redirects=False), server.url(), around())
        assert (made.reason, made.answer.status) == ("", 302)
        assert value(made, "probe_http_redirects") == 1

    asyncio.run(scene())


def test_secrets_do_not_follow_a_redirect_to_another_host() -> None:
    async def scene() -> None:
        async with answering(response()) as other, answering(lambda path, head: moved(other.url("/in"))) as server:
            module = HTTPModule(
                headers=(("Authorization", "Bearer ${env:T}"), ("X-Mine", "${env:T}"), ("Accept", "text/plain"))
            )
            made = await probe_http(module, server.url(), around(variables={"T": "s3cret"}))
        assert made.reason == ""
        assert "authorization: Bearer s3cret" in server.requests[0]
        assert "x-mine: s3cret" in server.requests[0]
        assert "s3cret" not in other.requests[0]
        assert "accept: text/plain" in other.requests[0]

    asyncio.run(scene())


def test_a_body_with_secrets_is_not_taken_to_another_host() -> None:
    async def scene() -> None:
        permanently = "308 Permanent Redirect"
        async with (
            answering(response()) as other,
            answering(lambda path, head: moved(other.url(), permanently)) as server,
        ):
            module = HTTPModule(method="POST", body="key=${env:T}")
            made = await probe_http(module, server.url(), around(variables={"T": "s3cret"}))
        assert made.reason == "redirects"
        assert "s3cret" not in made.detail
        assert other.requests == []

    asyncio.run(scene())


def test_giving_up_tls_is_noted_and_can_be_forbidden(tmp_path: Path) -> None:
    async def scene() -> None:
        async with (
            answering(response()) as plain,
            answering(lambda path, head: moved(plain.url()), server_context()) as server,
        ):
            tls = TLSOptions(ca_file=trust_file(tmp_path))
            url = server.url(scheme="https", host="localhost")
            made = await probe_http(HTTPModule(tls=tls), url, around())
            strict = await probe_http(HTTPModule(tls=tls, fail_if_not_tls=True), url, around())
        assert made.reason == ""
        assert value(made, "probe_http_ssl") == 0
        assert "this redirect gives up TLS" in made.notes
        assert made.answer.certificate_ends_at is None
        assert strict.reason == "tls"

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"plain" * 1000)),
        ("deflate", zlib.compress(b"plain" * 1000)),
        ("deflate", zlib.compress(b"plain" * 1000)[2:-4]),  # without zlib's header, as some servers send it
        ("gzip", gzip.compress(b"plain" * 400) + gzip.compress(b"plain" * 600)),
    ],
    ids=["gzip", "deflate", "bare deflate", "two members"],
)
def test_a_packed_body_is_unpacked_for_assertions(encoding: str, packed: bytes) -> None:
    async def scene() -> None:
        async with answering(response(packed, Content_Encoding=encoding)) as server:
            made = await probe_http(HTTPModule(), server.url(), around())
        assert made.answer.body == b"plain" * 1000
        assert value(made, "probe_http_content_length") == len(packed)
        assert value(made, "probe_http_uncompressed_body_length") == 5000

    asyncio.run(scene())


def test_names_may_be_pinned_to_an_address_as_with_curls_resolve(tmp_path: Path) -> None:
    async def scene() -> None:
        async with answering(response(), server_context("shop.example.com")) as server:
            pins = {"shop.example.com:443": f"127.0.0.1:{server.port}"}
            module = HTTPModule(tls=TLSOptions(ca_file=trust_file(tmp_path)))
            made = await probe_http(module, "https://shop.example.com/", around(resolve=pins))
        assert (made.reason, made.detail) == ("", "")
        assert "host: shop.example.com\r\n" in server.requests[0]

    asyncio.run(scene())


def test_a_host_header_names_the_certificate_too(tmp_path: Path) -> None:
    async def scene() -> None:
        async with answering(response(), server_context("shop.example.com")) as server:
            tls = TLSOptions(ca_file=trust_file(tmp_path))
            module = HTTPModule(headers=(("Host", "shop.example.com"),), tls=tls)
            made = await probe_http(module, server.url(scheme="https"), around())
        assert (made.reason, made.detail) == ("", "")
        assert "host: shop.example.com\r\n" in server.requests[0]

    asyncio.run(scene())


def test_a_head_request_has_no_body_and_a_body_nobody_wants_is_counted_only() -> None:
    async def scene() -> None:
        async with answering(response(b"", Content_Length="12345")) as server:
            made = await probe_http(HTTPModule(method="HEAD"), server.url(), around())
            assert (made.reason, value(made, "probe_http_content_length")) == ("", 12345)
        async with answering(response(b"abc")) as server:
            made = await probe_http(HTTPModule(), server.url(), around(wants_body=False))
            assert (made.answer.body, value(made, "probe_http_uncompressed_body_length")) == (b"", 3)

    asyncio.run(scene())


def test_a_chunked_body_and_one_that_ends_with_the_connection_have_no_announced_length() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"

    async def scene() -> None:
        for answer in (chunked, b"HTTP/1.0 200 OK\r\n\r\nabc"):
            async with answering(answer) as server:
                made = await probe_http(HTTPModule(), server.url(), around())
            assert made.answer.body == b"abc"
            assert value(made, "probe_http_content_length") == -1

    asyncio.run(scene())


def test_a_user_in_the_url_is_sent_as_a_header_and_never_told() -> None:
    async def scene() -> None:
        async with answering(response(status="500 Oops")) as server:
            made = await probe_http(HTTPModule(), f"http://me:pass%20word@127.0.0.1:{server.port}/", around())
        assert "authorization: Basic bWU6cGFzcyB3b3Jk" in server.requests[0]
        assert "pass" not in str(made.notes)

    asyncio.run(scene())


def test_a_name_without_an_address_of_the_family_fails_with_dns() -> None:
    async def scene() -> None:
        made = await probe_http(HTTPModule(ip_family=IPFamily.IPV6), "http://127.0.0.1:1/", around())
        assert (made.reason, made.detail) == ("dns", "`127.0.0.1` has no IPv6 address")
        made = await probe_http(HTTPModule(), "http://nothing.invalid/", around())
        assert (made.reason, "`nothing.invalid`" in made.detail) == ("dns", True)
        assert value(made, "probe_ip_protocol") == 0
        assert value(made, "probe_http_status_code") == 0

    asyncio.run(scene())
