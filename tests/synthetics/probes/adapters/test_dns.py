"""DNS probes: over UDP, TCP and TLS, against servers that answer, and servers that do worse."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetics.probes.adapters.dns import probe_dns
from synthetics.probes.adapters.dns_messages import Question
from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.attempt import Attempt
from synthetics.probes.modules import DNSModule, TLSOptions
from tests.synthetics.probes.adapters.outside import (
    LONG_SECONDS,
    SHORT_SECONDS,
    Handler,
    answering,
    around,
    certificates,
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

NAME = "shop.example.com"
Change = Callable[[dns.message.Message], None]


def answer(
    wire: bytes, change: Change = lambda _: None, rrs: tuple[str, ...] = (f"{NAME}. 300 IN A 192.0.2.1",)
) -> bytes:
    """What a server says to a question."""
    made = dns.message.make_response(dns.message.from_wire(wire))
    for text in rrs:
        name, ttl, class_, kind, data = text.split(" ", 4)
        made.answer.append(dns.rrset.from_text(name, int(ttl), class_, kind, data))
    change(made)
    return made.to_wire()


def probed(
    reply: Callable[[bytes], list[bytes]],
    module: DNSModule | None = None,
    seconds: float = LONG_SECONDS,
) -> Attempt:
    async def main() -> Attempt:
        async with answering(reply) as target:
            return await probe_dns(module or DNSModule(NAME), target, around(seconds))

    return run(main)


def test_a_server_that_answers_is_well() -> None:
    asked: list[dns.message.Message] = []

    def reply(wire: bytes) -> list[bytes]:
        asked.append(dns.message.from_wire(wire))
        rrs = (f"{NAME}. 300 IN A 192.0.2.1", f"{NAME}. 300 IN A 192.0.2.2", f"{NAME}. 300 IN A 192.0.2.2")
        return [answer(wire, rrs=rrs)]

    attempt = probed(reply)
    assert attempt.reason == ""
    assert phases(attempt) == ["resolve", "connect", "request"]
    found = gauges(attempt)
    assert set(found) == {
        "probe_dns_lookup_time_seconds", "probe_ip_protocol", "probe_ip_addr_hash", "probe_dns_answer_rrs",
        "probe_dns_authority_rrs", "probe_dns_additional_rrs", "probe_dns_query_succeeded",
        'probe_dns_duration_seconds{phase="resolve"}', 'probe_dns_duration_seconds{phase="connect"}',
        'probe_dns_duration_seconds{phase="request"}',
    }  # fmt: skip
    assert found["probe_dns_answer_rrs"] == 3
    assert found["probe_dns_query_succeeded"] == 1
    assert [str(each) for each in asked[0].question] == [f"{NAME}. IN A"]
    assert asked[0].flags & dns.flags.RD
    assert asked[0].edns == -1


def test_recursion_need_not_be_desired() -> None:
    asked: list[dns.message.Message] = []

    def reply(wire: bytes) -> list[bytes]:
        asked.append(dns.message.from_wire(wire))
        return [answer(wire)]

    probed(reply, DNSModule(NAME, recursion=False))
    assert not asked[0].flags & dns.flags.RD


def test_the_serial_of_a_zone_is_told() -> None:
    rrs = ("example.com. 60 IN SOA ns. admin. 2026113001 7200 3600 1209600 300",)
    attempt = probed(lambda wire: [answer(wire, rrs=rrs)], DNSModule("example.com", "SOA"))
    assert gauges(attempt)["probe_dns_serial"] == 2026113001
    assert probed(lambda wire: [answer(wire, rrs=())], DNSModule("example.com", "SOA")).reason == ""


def test_sections_are_counted_apart() -> None:
    def fill(message: dns.message.Message) -> None:
        message.authority.append(dns.rrset.from_text("example.com.", 60, "IN", "NS", "a.", "b."))
        message.additional.append(dns.rrset.from_text("a.", 60, "IN", "A", "192.0.2.3"))
        message.use_edns(0)

    found = gauges(probed(lambda wire: [answer(wire, fill)]))
    assert found["probe_dns_authority_rrs"] == 2
    assert found["probe_dns_additional_rrs"] == 2  # the OPT record is one, as blackbox_exporter counts


@pytest.mark.parametrize(
    ("must", "must_not", "reason", "said"),
    [
        ((r"\tIN\tA\t192\.0\.2\.1$",), (), "", ""),
        ((r"^shop\.example\.com\.\t300\t", "A"), ("AAAA",), "", ""),
        (("192.0.2.9",), (), "expect", "no answer matches `192.0.2.9`; there are 1"),
        ((), (r"192\.0\.2\.",), "expect", "which none may"),
        (("(",), (), "pattern", "RE2"),
    ],
)
def test_answers_are_matched_as_zone_files_write_them(
    must: tuple[str, ...], must_not: tuple[str, ...], reason: str, said: str
) -> None:
    module = DNSModule(NAME, answer_must_match=must, answer_must_not_match=must_not)
    attempt = probed(lambda wire: [answer(wire)], module)
    assert attempt.reason == reason
    assert said in attempt.detail


def test_codes_are_those_that_are_wanted() -> None:
    def gone(wire: bytes) -> list[bytes]:
        return [answer(wire, lambda message: message.set_rcode(dns.rcode.NXDOMAIN), rrs=())]

    attempt = probed(gone)
    assert attempt.reason == "rcode"
    assert attempt.detail == f"the server says NXDOMAIN for {NAME} A"
    assert gauges(attempt)["probe_dns_query_succeeded"] == 1
    assert probed(gone, DNSModule(NAME, valid_rcodes=("NXDOMAIN",))).reason == ""


def _wrong_id(wire: bytes) -> bytes:
    return bytes([wire[0] ^ 1]) + answer(wire)[1:]


def _other_question(wire: bytes) -> bytes:
    other = dns.message.make_query("other.example.com", "A", id=int.from_bytes(wire[:2], "big"))
    return dns.message.make_response(other).to_wire()


def _truncated_flag(wire: bytes) -> bytes:
    def cut(message: dns.message.Message) -> None:
        message.flags |= dns.flags.TC

    return answer(wire, cut)


def _loop(wire: bytes) -> bytes:
    """The answer's name points to itself."""
    head = wire[:2] + b"\x81\x80\0\1\0\1\0\0\0\0"
    question = wire[12:]
    pointer = (0xC000 | len(head + question)).to_bytes(2, "big")
    return head + question + pointer + b"\0\1\0\1\0\0\0\1\0\4\1\2\3\4"


@pytest.mark.parametrize(
    ("reply", "reason", "said"),
    [
        (lambda wire: [], "timeout", "waiting for the server's answer"),
        (lambda wire: [_wrong_id(wire)] * 3, "timeout", ""),
        (lambda wire: [_wrong_id(wire)] * 101, "protocol", "none of which answers the question"),
        (lambda wire: [_other_question(wire)], "protocol", "to another question"),
        (lambda wire: [_truncated_flag(wire)], "truncated", "transport: tcp"),
        (lambda wire: [answer(wire)[:-3]], "protocol", "no DNS message"),
        (lambda wire: [_loop(wire)], "protocol", "no DNS message"),
        (lambda wire: [wire], "protocol", "another question"),  # an echo of the question
        (lambda wire: [wire[:2] + bytes(range(200))], "protocol", ""),
        (lambda wire: [wire[:2]], "protocol", ""),
        (lambda wire: [b""], "timeout", ""),
    ],
)
def test_a_bad_server_is_a_bounded_failure(reply: Callable[[bytes], list[bytes]], reason: str, said: str) -> None:
    attempt = probed(reply, seconds=SHORT_SECONDS if reason == "timeout" else LONG_SECONDS)
    assert attempt.reason == reason
    assert said in attempt.detail
    assert not attempt.is_fault


def test_the_right_answer_counts_though_wrong_ones_came_before() -> None:
    attempt = probed(lambda wire: [_wrong_id(wire), b"\0", answer(wire)])
    assert attempt.reason == ""
    assert attempt.notes == ("a datagram came that answers another question",)


def test_a_port_where_nobody_listens_refuses() -> None:
    async def main() -> Attempt:
        async with answering(lambda wire: []) as target:
            pass
        return await probe_dns(DNSModule(NAME), target, around())

    attempt = run(main)
    assert (attempt.reason, attempt.is_fault) == ("connect", False)


question = Question.of(DNSModule(NAME))


def judged(wire: bytes, module: DNSModule) -> str:
    try:
        question.answered_by(wire).judge(module)
    except ProbeFailed as failed:
        return failed.reason
    return ""


@given(st.binary(max_size=300), st.booleans())
def test_no_noise_is_more_than_a_failure(noise: bytes, has_id: bool) -> None:
    wire = question.wire[:2] + noise if has_id else noise
    assert judged(wire, DNSModule(NAME)) in ("", "protocol", "rcode", "truncated")


@given(st.data())
def test_no_broken_answer_is_more_than_a_failure(data: st.DataObject) -> None:
    wire = bytearray(answer(question.wire, rrs=(f"{NAME}. 300 IN A 192.0.2.1", f'{NAME}. 60 IN TXT "a b" c')))
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(2, len(wire) - 1))] = data.draw(st.integers(0, 255))
    module = DNSModule(NAME, answer_must_match=("x",))
    assert judged(bytes(wire), module) in ("", "protocol", "rcode", "truncated", "expect")


# --- over TCP and TLS ---


def dns_server(shape: Callable[[bytes], bytes] = answer) -> Handler:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        said = shape(await reader.readexactly(length))
        for piece in (len(said).to_bytes(2, "big") + said[:5], said[5:]):  # in pieces, as networks do
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        await asyncio.sleep(1000)

    return serve


def streamed(
    handler: Handler, module: DNSModule, context: ssl.SSLContext | None = None, seconds: float = LONG_SECONDS
) -> Attempt:
    async def main() -> Attempt:
        async with serving(handler, context) as target:
            return await probe_dns(module, target, around(seconds))

    return run(main)


def test_tcp_and_tls_carry_questions_too() -> None:
    made = certificates()
    attempt = streamed(dns_server(), DNSModule(NAME, transport="tcp"))
    assert attempt.reason == ""
    assert phases(attempt) == ["resolve", "connect", "request"]
    module = DNSModule(NAME, transport="tls", tls=TLSOptions(ca_file=made.ca_file))
    attempt = streamed(dns_server(), module, made.good)
    assert attempt.reason == ""
    assert phases(attempt) == ["resolve", "connect", "tls", "request"]
    assert attempt.answer.certificate_ends_at == made.ends_at
    seconds = {timing.name: timing.seconds for timing in attempt.timings}
    found = gauges(attempt)
    assert found['probe_dns_duration_seconds{phase="connect"}'] == seconds["connect"] + seconds["tls"]
    assert streamed(dns_server(), module, made.expired).reason == "certificate"


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (nothing, "timeout"),
        (hang_up, "protocol or connection"),  # as the reset for what was not read comes first or not
        (reset, "connection"),
        (garbage, "protocol"),
        (saying(b"\0\x05hi", stays=False), "protocol or connection"),
        (saying(b"\xff\xff" + b"x" * 70_000), "protocol"),
        (dns_server(_wrong_id), "protocol"),
        (dns_server(_loop), "protocol"),
    ],
)
def test_a_bad_server_over_tcp_is_a_bounded_failure(handler: Handler, reason: str) -> None:
    seconds = SHORT_SECONDS if reason == "timeout" else LONG_SECONDS
    attempt = streamed(handler, DNSModule(NAME, transport="tcp"), seconds=seconds)
    assert attempt.reason in reason.split(" or ")
    assert not attempt.is_fault


@pytest.mark.parametrize(
    "changes",
    [{"query_name": "x" * 70}, {"query_name": "a..b"}, {"query_type": "NONSENSE"}, {"query_name": "\ud800"}],
)
def test_a_question_that_cannot_be_asked_is_our_fault(changes: dict[str, Any]) -> None:
    module = DNSModule(**({"query_name": NAME} | changes))
    attempt = run(lambda: probe_dns(module, "127.0.0.1:1", around()))
    assert (attempt.reason, attempt.is_fault) == ("query", True)


def test_a_target_that_is_none_is_our_fault() -> None:
    attempt = run(lambda: probe_dns(DNSModule(NAME), "127.0.0.1:dns", around()))
    assert (attempt.reason, attempt.is_fault) == ("target", True)
