"""Answers that were changed at random: every try ends with an outcome, and nothing is raised."""

import asyncio
import random
from pathlib import Path

import h2.connection
import pytest

from synthetics.probes.adapters.http import probe_http
from synthetics.probes.modules import HTTPModule, TLSOptions
from tests.synthetics.probes.web_servers import around, server_context, serving, trust_file

REASONS = {"", "protocol", "connection", "size", "timeout", "redirects"}
HEADS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nContent-Type: text/plain\r\n\r\nhello world",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: x\r\n\r\n",
    b"HTTP/1.0 302 Found\r\nLocation: /next\r\nSet-Cookie: a=b; Path=/; Max-Age=1\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nLast-Modified: Mon, 30 Nov 2026 12:00:00 GMT\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
)


def changed(data: bytes, chance: random.Random) -> bytes:
    """The same with a few bytes lost, doubled, moved or made up."""
    bent = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(bent) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            del bent[at : at + chance.randint(1, 9)]
        elif kind == 1:
            bent[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 6)))
        elif kind == 2:
            bent[at:at] = bent[max(0, at - 12) : at]
        else:
            bent[at : at + 1] = chance.choice((b"\r", b"\n", b"\r\n", b" ", b":", b"0", b"\xff"))
    return bytes(bent)


def bend(tries: int, seed: int, folder: Path) -> None:
    chance = random.Random(seed)
    said = [b""]

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said[0])

    def frames() -> bytes:
        connection = h2.connection.H2Connection(h2.connection.H2Configuration(client_side=False))
        connection.initiate_connection()
        started = connection.data_to_send()
        other = h2.connection.H2Connection()
        other.initiate_connection()
        other.send_headers(1, [(":method", "GET"), (":path", "/"), (":authority", "a"), (":scheme", "https")], True)
        connection.receive_data(other.data_to_send())
        connection.send_headers(1, [(":status", "200"), ("content-type", "text/plain")])
        connection.send_data(1, b"hello world", end_stream=True)
        return started + connection.data_to_send()

    async def speak_two(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(said[0])

    async def scene() -> None:
        tls = TLSOptions(ca_file=trust_file(folder))
        async with serving(speak) as plain, serving(speak_two, server_context(protocols=("h2",))) as secure:
            for number in range(tries):
                said[0] = changed(chance.choice(HEADS), chance)
                made = await probe_http(HTTPModule(), plain.url(), around(5))
                assert made.reason in REASONS, (seed, number, said[0], made)
                assert not made.is_fault
                said[0] = changed(frames(), chance)
                url = secure.url(scheme="https", host="localhost")
                made = await probe_http(HTTPModule(tls=tls), url, around(5))
                assert made.reason in REASONS, (seed, number, said[0], made)
                assert not made.is_fault

    asyncio.run(scene())


def test_no_answer_however_bent_breaks_the_prober(tmp_path: Path) -> None:
    bend(40, 1, tmp_path)


@pytest.mark.soak
def test_thousands_of_bent_answers_break_nothing(tmp_path: Path) -> None:
    for seed in range(2, 12):
        bend(400, seed, tmp_path)
