"""/probe, beside Debian's blackbox_exporter on the same targets."""

import asyncio
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from controlplane.model.source import SourcePosition
from synthetics.probes.blackbox_config import converted
from synthetics.probes.declared_modules import declared_modules
from synthetics.probes.endpoint import Book, Question, Reply, answer
from synthetics.probes.model import Probe, ProbeModule
from synthetics.probes.modules import Assertion, AssertionKind, HTTPModule, TCPModule, TLSOptions
from synthetics.probes.running import Place
from tests.synthetics.probes.reading import KINDS, SourceFile, read
from tests.synthetics.probes.web_servers import NOW, answering, moved, response, server_context, trust_file

SOURCE = SourcePosition("x", 1, 1)
LATER = {"probe_ssl_last_chain_info"}  # has one label more in later versions, which we follow


def place(**options: object) -> Place:
    return Place("local", lambda size: b"\1" * size, **options)  # type: ignore[arg-type]


async def asked(question: Question, book: Book | None = None, *, any_target: bool = True, **options: object) -> Reply:
    return await answer(question, book or Book(), place(**options), NOW, any_target=any_target)


def now_asked(question: Question, book: Book | None = None, *, any_target: bool = True, **options: object) -> Reply:
    return asyncio.run(asked(question, book, any_target=any_target, **options))


def test_what_is_missing_or_unknown_is_refused_in_blackbox_exporters_words() -> None:
    assert now_asked(Question(target="x", module="nope")) == Reply(
        400, "text/plain; charset=utf-8", 'Unknown module "nope"\n'
    )
    assert now_asked(Question()).body == "Target parameter is missing\n"
    broken = now_asked(Question(target="x", scrape_timeout="abc"))
    assert (broken.status, broken.body) == (
        500,
        'Failed to parse timeout from Prometheus header: strconv.ParseFloat: parsing "abc": invalid syntax\n',
    )


def test_a_scrapes_timeout_bounds_the_probe_half_a_second_before_its_end() -> None:
    async def scene() -> Reply:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            target = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            return await asked(Question(target=target, scrape_timeout="0.65", is_debugging=True))

    reply = asyncio.run(scene())
    assert "0.15 s were over while waiting for the response" in reply.body
    assert "probe_success 0\n" in reply.body


def test_a_modules_own_timeout_counts_when_it_is_shorter() -> None:
    async def scene() -> Reply:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            book = Book({"quick": ProbeModule("quick", HTTPModule(), timeout=timedelta(milliseconds=120))})
            target = f"127.0.0.1:{silent.getsockname()[1]}"
            return await asked(Question(target=target, module="quick", scrape_timeout="10", is_debugging=True), book)

    assert "0.12 s were over" in asyncio.run(scene()).body


def test_a_probe_may_be_named_as_a_module_and_gives_its_target() -> None:
    async def scene() -> tuple[Reply, Reply]:
        async with answering(response(b"no")) as server:
            wanted = Assertion(AssertionKind.BODY, matches="yes")
            book = Book(probes={"shop": Probe("shop", server.url(), HTTPModule(), SOURCE, (wanted,))})
            return await asked(Question(module="shop"), book), await asked(Question(target=server.url()), book)

    with_assertion, without = asyncio.run(scene())
    assert "probe_success 0\n" in with_assertion.body
    assert "probe_failed_due_to_regex 1\n" in with_assertion.body
    assert with_assertion.trace_id == "01" * 16
    assert "probe_success 1\n" in without.body


def test_a_hostname_is_sent_as_host_and_checked_in_the_certificate(tmp_path: Path) -> None:
    async def scene() -> None:
        tls = TLSOptions(ca_file=trust_file(tmp_path))
        async with answering(response(), server_context("shop.example.com")) as server:
            book = Book({"own": ProbeModule("own", HTTPModule(tls=tls)), "tls": ProbeModule("tls", TCPModule(tls))})
            url = server.url(scheme="https")
            named = await asked(Question(target=url, module="own", hostname="shop.example.com"), book)
            other = await asked(Question(target=url, module="own"), book)
            handshake = Question(target=f"127.0.0.1:{server.port}", module="tls", hostname="shop.example.com")
            over_tcp = await asked(handshake, book)
        assert "probe_success 1\n" in named.body
        assert "host: shop.example.com" in server.requests[0]
        assert "probe_success 0\n" in other.body
        assert "probe_success 1\n" in over_tcp.body

    asyncio.run(scene())
    set_already = Book({"own": ProbeModule("own", HTTPModule(headers=(("host", "a"),)))})
    refused = now_asked(Question(target="x", module="own", hostname="b"), set_already)
    assert refused.status == 400
    assert refused.body.startswith("host header defined both in module configuration (a) and with URL-parameter")


def test_only_declared_targets_are_asked_where_not_everybody_may_ask() -> None:
    async def scene() -> None:
        async with answering(response()) as server:
            book = Book(probes={"shop": Probe("shop", server.url(), HTTPModule(), SOURCE)})
            declared = await asked(Question(target=server.url()), book, any_target=False)
            other = await asked(Question(target="http://169.254.169.254/latest"), book, any_target=False)
            built_in = await asked(Question(target="127.0.0.1:22", module="tcp_connect"), book, any_target=False)
        assert "probe_success 1\n" in declared.body
        assert (other.status, built_in.status) == (403, 403)
        assert server.connections == 1

    asyncio.run(scene())


def test_secrets_of_a_module_go_only_where_a_probe_sends_them() -> None:
    async def scene() -> None:
        async with answering(response()) as evil, answering(response()) as good:
            module = ProbeModule("api", HTTPModule(headers=(("X-Key", "${env:KEY}"),)))
            book = Book({"api": module}, {"api-shop": Probe("api-shop", good.url(), module.module, SOURCE)})
            variables = {"KEY": "s3cret"}
            stolen = await asked(Question(target=evil.url(), module="api"), book, variables=variables)
            named = await asked(Question(target=evil.url("/${env:KEY}")), book, variables=variables)
            allowed = await asked(
                Question(target=good.url(), module="api", is_debugging=True), book, variables=variables
            )
        assert (stolen.status, named.status, evil.connections) == (403, 403, 0)
        assert "x-key: s3cret" in good.requests[0]
        assert "s3cret" not in allowed.body
        assert "Module configuration:" in allowed.body
        assert book.variables_named() == {"KEY"}

    asyncio.run(scene())


@pytest.fixture(scope="module")
def blackbox() -> Iterator[str]:
    program = shutil.which("prometheus-blackbox-exporter")
    assert program, "apt-get install prometheus-blackbox-exporter"
    with socket.socket() as free, tempfile.TemporaryFile() as log:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        config = Path(tempfile.mkdtemp(prefix="flyball-tests-")) / "blackbox.yml"
        config.write_text(BLACKBOX.replace("CA_FILE", trust_file(config.parent)))
        command = [program, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
        with subprocess.Popen(command, stdout=log, stderr=log) as process:
            url = f"http://127.0.0.1:{port}"
            for _ in range(500):
                try:
                    httpx.get(f"{url}/-/healthy")
                    break
                except httpx.TransportError:
                    time.sleep(0.01)
            yield f"{url} {config}"
            process.terminate()
            process.wait()
        shutil.rmtree(config.parent)


BLACKBOX = """\
modules:
  http_2xx: {prober: http, timeout: 3s, http: {tls_config: {ca_file: CA_FILE}}}
  body: {prober: http, timeout: 3s, http: {fail_if_body_matches_regexp: [hello]}}
  header: {prober: http, timeout: 3s, http: {fail_if_header_not_matches: [{header: Server, regexp: x}]}}
  codes: {prober: http, timeout: 3s, http: {valid_status_codes: [404]}}
  stay: {prober: http, timeout: 3s, http: {follow_redirects: false, valid_status_codes: [302]}}
  plain: {prober: http, timeout: 3s, http: {fail_if_ssl: true, tls_config: {insecure_skip_verify: true}}}
  tcp: {prober: tcp, timeout: 3s}
"""


def _values(text: str) -> dict[str, str]:
    """Series and values; those that are never the same twice are there, without a value."""
    varies = re.compile(r"_seconds|hash")
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            found[series] = "…" if varies.search(series) else value
    return found


def _shape(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#") and not any(name in line for name in LATER)]


def test_every_answer_has_the_names_texts_and_values_of_blackbox_exporters(blackbox: str) -> None:
    url, config = blackbox.split(" ")
    text, lost = converted(Path(config).read_bytes())
    assert lost == []
    documents = read([SourceFile("modules.yaml", text.encode())], KINDS).documents
    book = Book({one.name: one for one in declared_modules(documents).values})

    def page(path: str, head: str) -> bytes:
        if path == "/moved":
            return moved("/")
        if path == "/none":
            return response(b"gone", "404 Not Found")
        chunked = (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nLast-Modified: Mon, 30 Nov 2026 12:00:00 GMT\r\n\r\n"
        )
        return response(b"hello") if path == "/" else chunked.encode() + b"3\r\nabc\r\n0\r\n\r\n"

    async def scene() -> None:
        async with (
            answering(page) as plain,
            answering(page, server_context("127.0.0.1")) as secure,
            httpx.AsyncClient() as client,
        ):
            tls = secure.url(scheme="https")
            for module, target in (
                ("http_2xx", plain.url()), ("http_2xx", plain.url("/moved")), ("http_2xx", plain.url("/none")),
                ("http_2xx", plain.url("/chunked")), ("http_2xx", tls), ("http_2xx", "nothing.invalid"),
                ("http_2xx", f"127.0.0.1:{plain.port}"), ("body", plain.url()), ("header", plain.url()),
                ("codes", plain.url("/none")), ("codes", plain.url()), ("stay", plain.url("/moved")),
                ("plain", tls), ("tcp", f"127.0.0.1:{plain.port}"),
            ):  # fmt: skip
                theirs = (await client.get(f"{url}/probe", params={"module": module, "target": target})).text
                ours = (await asked(Question(target=target, module=module), book)).body
                mine, other = _values(ours), _values(theirs)
                for values in (mine, other):
                    for series in [one for one in values if one.startswith(tuple(LATER))]:
                        del values[series]
                other.pop("probe_ssl_last_chain_expiry_timestamp_seconds", None) if module == "plain" else None
                if module == "stay":  # they do not read the body of a redirect that stays one
                    mine.pop("probe_http_uncompressed_body_length")
                    other.pop("probe_http_uncompressed_body_length")
                assert mine == other, (module, target)
                if module != "plain":
                    assert _shape(ours) == _shape(theirs), (module, target)

    asyncio.run(scene())
