"""Targets for probe benchmarks, in a process of their own: `python -m benchmarks.probe_targets CA_FILE`.

Prints the ports of the plain and the TLS server as JSON, and serves until its standard input ends.
"""

import asyncio
import json
import ssl
import sys
from contextlib import suppress
from typing import Final

import trustme

DELAY_SECONDS: Final = 0.05
BODY: Final = b"x" * 2000
_PIECE: Final = 65_536
MEGABYTE: Final = b"x" * 2**20


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        if path == "/moved":
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")
        else:
            body = MEGABYTE if path == "/large" else BODY
            if path == "/slow":
                await asyncio.sleep(DELAY_SECONDS)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body))
            if path == "/slow":
                await writer.drain()
                await asyncio.sleep(DELAY_SECONDS)
            for start in range(0, len(body), _PIECE):  # as servers send files, not encrypted as a whole first
                writer.write(body[start : start + _PIECE])
                await writer.drain()
        await writer.drain()
    writer.close()


async def _main(ca_file: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    plain = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=1024)
    secure = await asyncio.start_server(_serve, "127.0.0.1", 0, ssl=context, backlog=1024)
    ports = {"http": plain.sockets[0].getsockname()[1], "https": secure.sockets[0].getsockname()[1]}
    print(json.dumps(ports), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
