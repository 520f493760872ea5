"""TCP probes against real servers, good and bad."""

import asyncio
import socket
import threading
from contextlib import suppress

import pytest

from synthetics.probes.adapters.tcp import probe_tcp
from synthetics.probes.attempt import Attempt
from synthetics.probes.modules import IPFamily, QueryStep, TCPModule, TLSOptions
from tests.synthetics.probes.adapters.outside import (
    LONG_SECONDS,
    SHORT_SECONDS,
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

EXPECT = TCPModule(steps=(QueryStep(expect="^never$"),))


def probed(module: TCPModule, handler: Handler, seconds: float = LONG_SECONDS, **changes: object) -> Attempt:
    async def main() -> Attempt:
        async with serving(handler) as target:
            return await probe_tcp(module, target, around(seconds, **changes))

    return run(main)


def test_a_server_that_accepts_is_well() -> None:
    attempt = probed(TCPModule(), nothing)
    assert (attempt.reason, attempt.detail, attempt.is_fault) == ("", "", False)
    assert phases(attempt) == ["resolve", "connect"]
    found = gauges(attempt)
    assert set(found) == {
        "probe_dns_lookup_time_seconds", "probe_ip_protocol", "probe_ip_addr_hash", "probe_failed_due_to_regex",
    }  # fmt: skip
    assert found["probe_ip_protocol"] == 4
    assert found["probe_failed_due_to_regex"] == 0


def test_a_port_where_nobody_listens_refuses() -> None:
    async def main() -> Attempt:
        async with serving(nothing) as target:
            pass
        return await probe_tcp(TCPModule(), target, around())

    attempt = run(main)
    assert attempt.reason == "connect"
    assert "refuses connections" in attempt.detail
    assert not attempt.is_fault


def test_an_irc_conversation_answers_what_it_was_asked() -> None:
    said: list[str] = []

    async def irc(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            said.append((await reader.readline()).decode())
        writer.write(b":noise\r\nPING :12345\r\n:more\r\n")
        said.append((await reader.readline()).decode())
        writer.write(b":server 001 prober\r\n")
        await reader.read()

    steps = (
        QueryStep(send="NICK prober"),
        QueryStep(send="USER ${env:WHO} \\1 $1 :prober"),
        QueryStep(expect="PING :(?P<token>[^ ]+)", send="PONG ${1} $token ${token} \\1 $$5 [$2]"),
        QueryStep(expect="^:[^ ]+ 001"),
    )
    attempt = probed(TCPModule(steps=steps), irc, variables={"WHO": "prober"})
    assert attempt.reason == ""
    assert said == [
        "NICK prober\n",
        "USER prober \\1 $1 :prober\n",  # no match, no groups
        "PONG 12345 12345 12345 12345 $5 []\n",
    ]
    assert phases(attempt) == ["resolve", "connect", "conversation"]


def test_what_a_target_says_never_takes_a_variable_of_the_prober() -> None:
    said: list[bytes] = []

    async def curious(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello ${env:TOKEN}\n")
        said.append(await reader.readline())

    steps = (QueryStep(expect="hello (.*)", send="to $1"), QueryStep(expect="x"))
    attempt = probed(TCPModule(steps=steps), curious, variables={"TOKEN": "hunter2"})
    assert said == [b"to ${env:TOKEN}\n"]
    assert attempt.reason == "expect"


def test_groups_become_labels_of_expect_info() -> None:
    step = QueryStep(expect=r"SSH-(\d\.\d)-(?P<software>\S+)", labels=(("version", "$1"), ("software", "${software}")))
    attempt = probed(TCPModule(steps=(step,)), saying(b"SSH-2.0-OpenSSH_9.9 Debian\r\n"))
    assert attempt.reason == ""
    assert gauges(attempt)['probe_expect_info{software="OpenSSH_9.9",version="2.0"}'] == 1


def test_the_last_line_needs_no_end_and_no_valid_text() -> None:
    module = TCPModule(steps=(QueryStep(expect="^.*ready$"),))
    assert probed(module, saying(b"not\n\xff\xfe ready", stays=False)).reason == ""


@pytest.mark.parametrize(
    ("handler", "reason", "said", "regex"),
    [
        (nothing, "timeout", "waiting for what the target has to say", 0),
        (hang_up, "expect", "nothing came", 1),
        (half_closed, "expect", "nothing came", 1),
        (reset, "connection", "", 0),
        (saying(b"hello\r\n\x1b[31m", stays=False), "expect", "the last was `·[31m`", 1),
        (endless(b"x" * 4096), "size", "a line of more than 65,536 bytes", 0),
        (endless(b"x" * 80_000 + b"\n"), "size", "a line of more than 65,536 bytes", 0),
        (endless(b"hello\n" * 10_000), "size", "more than 10,000 lines", 0),
        (endless(b"x" * 60_000 + b"\n"), "size", "more than 1,048,576 bytes", 0),
        (garbage, "timeout", "", 0),
    ],
)
def test_a_bad_conversation_is_a_bounded_failure(handler: Handler, reason: str, said: str, regex: int) -> None:
    seconds = SHORT_SECONDS if reason == "timeout" else LONG_SECONDS
    attempt = probed(EXPECT, handler, seconds)
    assert attempt.reason == reason
    assert said in attempt.detail
    assert not attempt.is_fault
    assert gauges(attempt)["probe_failed_due_to_regex"] == regex


def test_a_server_that_does_not_read_fills_no_memory() -> None:
    module = TCPModule(steps=(QueryStep(send="x" * 20_000_000),))
    attempt = probed(module, nothing, 0.5)
    assert attempt.reason == "timeout"


# --- TLS ---


def test_tls_from_the_start_shows_its_certificate() -> None:
    made = certificates()

    async def main() -> Attempt:
        async with serving(saying(b"hello\n"), made.good) as target:
            module = TCPModule(TLSOptions(ca_file=made.ca_file), (QueryStep(expect="hello"),))
            return await probe_tcp(module, target, around())

    attempt = run(main)
    assert attempt.reason == ""
    assert phases(attempt) == ["resolve", "connect", "tls", "conversation"]
    found = gauges(attempt)
    assert found['probe_tls_version_info{version="TLS 1.3"}'] == 1
    assert found["probe_ssl_earliest_cert_expiry"] == made.ends_at.timestamp()
    assert "probe_ssl_last_chain_expiry_timestamp_seconds" in found
    assert any(name.startswith("probe_ssl_last_chain_info{") for name in found)
    assert attempt.answer.certificate_ends_at == made.ends_at


def _serve_mail(listening: socket.socket, said: list[bytes], early: bytes) -> None:
    """One client, in a thread: asyncio's streams of Python 3.11 cannot begin TLS as a server."""
    made, _ = listening.accept()
    with made, suppress(OSError):
        made.settimeout(LONG_SECONDS)
        made.sendall(b"220 mail ESMTP\r\n")
        said.append(made.recv(1000))
        made.sendall(b"250-mail\r\n250 STARTTLS\r\n")
        said.append(made.recv(1000))
        made.sendall(b"220 go ahead\r\n" + early)
        with certificates().good.wrap_socket(made, server_side=True) as secure:
            said.append(secure.recv(1000))
            if not early:
                secure.sendall(b"250 over TLS\r\n")
            secure.recv(1000)


def probed_mail(said: list[bytes], early: bytes = b"", seconds: float = LONG_SECONDS) -> Attempt:
    certificates()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        target = f"127.0.0.1:{listening.getsockname()[1]}"
        server = threading.Thread(target=_serve_mail, args=(listening, said, early))
        server.start()
        try:
            module = TCPModule(TLSOptions(ca_file=certificates().ca_file), SMTP)
            return asyncio.run(probe_tcp(module, target, around(seconds)))
        finally:
            server.join(LONG_SECONDS)


SMTP = (
    QueryStep(expect="^220 ([^ ]+) ESMTP", send="EHLO prober"),
    QueryStep(expect="^250[ -]STARTTLS", send="STARTTLS"),
    QueryStep(expect="^220", start_tls=True),
    QueryStep(send="EHLO prober"),
    QueryStep(expect="^250 over TLS"),
)


def test_tls_may_begin_in_the_middle_of_a_conversation() -> None:
    said: list[bytes] = []
    attempt = probed_mail(said)
    assert attempt.detail == ""
    assert said == [b"EHLO prober\n", b"STARTTLS\n", b"EHLO prober\n"]
    assert gauges(attempt)['probe_tls_version_info{version="TLS 1.3"}'] == 1
    assert attempt.answer.certificate_ends_at == certificates().ends_at
    assert phases(attempt) == ["resolve", "connect", "conversation", "tls"]


def test_what_was_slipped_in_before_tls_is_not_taken_for_what_is_said_within_it() -> None:
    attempt = probed_mail([], early=b"250 over TLS\r\n", seconds=1.0)
    assert attempt.reason in ("timeout", "tls")


# --- our own faults ---


@pytest.mark.parametrize("target", ["", "localhost", "localhost:http", "localhost:70000", "a:b:c", "[::1"])
def test_a_target_that_is_none_is_our_fault(target: str) -> None:
    attempt = run(lambda: probe_tcp(TCPModule(), target, around()))
    assert (attempt.reason, attempt.is_fault) == ("target", True)


def test_a_pattern_that_is_none_and_a_variable_that_is_not_set_are_our_faults() -> None:
    attempt = probed(TCPModule(steps=(QueryStep(expect="("),)), saying(b"x\n"))
    assert (attempt.reason, attempt.is_fault) == ("pattern", True)
    attempt = probed(TCPModule(steps=(QueryStep(send="${env:NOWHERE}"),)), nothing)
    assert (attempt.reason, attempt.is_fault) == ("variable", True)
    assert "NOWHERE" in attempt.detail


def test_a_ca_file_that_is_not_there_is_our_fault() -> None:
    attempt = probed(TCPModule(TLSOptions(ca_file="/nowhere/ca.pem")), nothing)
    assert (attempt.reason, attempt.is_fault) == ("tls", True)


def test_names_are_pinned_and_families_chosen() -> None:
    async def main() -> list[Attempt]:
        async with serving(nothing) as target:
            pinned = around(resolve={"shop.example.com:443": target})
            return [
                await probe_tcp(TCPModule(), "shop.example.com:443", pinned),
                await probe_tcp(TCPModule(ip_family=IPFamily.IPV6), target, around()),
            ]

    pinned, newer = run(main)
    assert pinned.reason == ""
    assert newer.reason == "dns"
    assert "no IPv6 address" in newer.detail


def test_a_try_that_is_cancelled_leaves_nothing_behind() -> None:
    async def main() -> None:
        async with serving(nothing) as target:
            task = asyncio.create_task(probe_tcp(EXPECT, target, around()))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main)
