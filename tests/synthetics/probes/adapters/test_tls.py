"""TLS probes: handshakes, and certificates that are believed or not."""

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Callable

import pytest

from synthetics.probes.adapters.tls import probe_tls
from synthetics.probes.attempt import Attempt
from synthetics.probes.modules import TLSModule, TLSOptions
from tests.synthetics.probes.adapters.outside import (
    LONG_SECONDS,
    SHORT_SECONDS,
    Certificates,
    Handler,
    around,
    certificates,
    endless,
    garbage,
    gauges,
    hang_up,
    nothing,
    phases,
    reset,
    run,
    saying,
    serving,
)


def probed(
    options: TLSOptions,
    context: ssl.SSLContext | None,
    handler: Handler = nothing,
    seconds: float = LONG_SECONDS,
) -> Attempt:
    async def main() -> Attempt:
        async with serving(handler, context) as target:
            return await probe_tls(TLSModule(options), target, around(seconds))

    return run(main)


def test_a_believed_certificate_is_told_with_all_its_gauges() -> None:
    made = certificates()
    attempt = probed(TLSOptions(ca_file=made.ca_file), made.good)
    assert attempt.reason == ""
    assert phases(attempt) == ["resolve", "connect", "tls"]
    names = {name.partition("{")[0] for name in gauges(attempt)}
    assert names == {
        "probe_dns_lookup_time_seconds", "probe_ip_protocol", "probe_ip_addr_hash", "probe_ssl_earliest_cert_expiry",
        "probe_ssl_last_chain_expiry_timestamp_seconds", "probe_ssl_last_chain_info", "probe_tls_version_info",
    }  # fmt: skip
    assert attempt.answer.certificate_ends_at == made.ends_at


@pytest.mark.parametrize(
    ("which", "said"),
    [
        (lambda made: made.expired, "certificate has expired"),
        (lambda made: made.self_signed, "unable to get local issuer certificate"),
        (lambda made: made.wrong_name, "IP address mismatch"),
    ],
)
def test_a_certificate_that_is_not_believed_is_a_failure_that_still_tells_when_it_ends(
    which: Callable[[Certificates], ssl.SSLContext], said: str
) -> None:
    made = certificates()
    attempt = probed(TLSOptions(ca_file=made.ca_file), which(made))
    assert attempt.reason == "certificate"
    assert said in attempt.detail
    assert attempt.answer.certificate_ends_at is not None
    assert "probe_ssl_earliest_cert_expiry" in gauges(attempt)


def test_nothing_is_checked_when_that_is_wanted() -> None:
    attempt = probed(TLSOptions(verify=False), certificates().expired)
    assert attempt.reason == ""
    assert attempt.answer.certificate_ends_at is not None
    assert attempt.answer.certificate_ends_at.year == 2020


def test_another_name_may_be_expected() -> None:
    made = certificates()
    options = TLSOptions(ca_file=made.ca_file, server_name="elsewhere.example.com")
    assert probed(options, made.wrong_name).reason == ""
    assert probed(options, made.good).reason == "certificate"


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (nothing, "timeout"),
        (hang_up, "tls"),
        (reset, "tls"),
        (garbage, "tls"),
        (saying(b"220 mail ESMTP\r\n"), "tls"),
        (endless(b"\x16\x03\x03\x40\x00" + b"\0" * 0x4000), "tls"),  # greetings that OpenSSL passes over
    ],
)
def test_what_is_no_tls_is_a_bounded_failure(handler: Handler, reason: str) -> None:
    seconds = SHORT_SECONDS if reason == "timeout" else LONG_SECONDS
    attempt = probed(TLSOptions(), None, handler, seconds)
    assert attempt.reason == reason
    assert attempt.detail
    assert not attempt.is_fault
    assert attempt.answer.certificate_ends_at is None


@pytest.mark.parametrize("target", ["", "example.com", "https://example.com"])
def test_a_target_that_is_none_is_our_fault(target: str) -> None:
    attempt = run(lambda: probe_tls(TLSModule(), target, around()))
    assert (attempt.reason, attempt.is_fault) == ("target", True)


def test_a_flood_in_the_handshake_does_not_hold_up_other_probes() -> None:
    """OpenSSL passes over greetings of a server as long as they come, and would not come back."""
    flood = (
        "import socket\n"
        "listening = socket.create_server(('127.0.0.1', 0))\n"
        "print(listening.getsockname()[1], flush=True)\n"
        "made, _ = listening.accept()\n"
        "while True: made.sendall((b'\\x16\\x03\\x03\\x40\\x00' + bytes(0x4000)) * 20)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", flood], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        target = f"127.0.0.1:{process.stdout.readline().strip()}"
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async def main() -> Attempt:
            running = asyncio.create_task(others())
            try:
                return await probe_tls(TLSModule(), target, around())
            finally:
                running.cancel()

        attempt = asyncio.run(main())
        process.kill()
    assert attempt.reason == "tls"
    assert "no end of the TLS handshake" in attempt.detail
    assert turns > 10
