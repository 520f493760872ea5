"""What is kept of failed runs, and what is taken out of it."""

import io
import json
import os
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetics.journeys.adapters.artifacts import Artifacts, found_in
from synthetics.journeys.adapters.traces import scrubbed
from synthetics.masking import Masker

NOW = datetime(2026, 11, 30, 19, 21, 7, tzinfo=UTC)
SECRET = 'p"ss/wörd &1'


def a_trace(**entries: str | bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as trace:
        for name, content in entries.items():
            trace.writestr(name.replace("__", "/").replace("_", "."), content)
    return packed.getvalue()


def entries_of(trace: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(trace)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_a_trace_loses_secrets_cookies_and_credentials_in_headers() -> None:
    event = {
        "type": "resource-snapshot",
        "snapshot": {
            "request": {
                "url": "http://shop.example/?p=p%22ss%2Fw%C3%B6rd%20%261",
                "headers": [{"name": "Authorization", "value": "Bearer abcdefgh"}, {"name": "Accept", "value": "a"}],
                "cookies": [{"name": "session", "value": "12345678-abc"}],
            },
            "response": {"headers": [{"name": "Set-Cookie", "value": "session=12345678-abc; Path=/"}]},
        },
    }
    typed = {"type": "before", "params": {"value": SECRET}, "log": "cookie 12345678-abc was set"}
    trace = a_trace(
        trace_trace=json.dumps(typed) + "\nno JSON\n",
        trace_network=json.dumps(event),
        resources__1_html=f"<p>{SECRET}</p> abcdefgh stays, Bearer abcdefgh goes",
        resources__2_jpeg=b"\xff\xd8 a picture",
    )
    clean = entries_of(scrubbed(trace, Masker([SECRET])) or b"")
    network = json.loads(clean["trace.network"])["snapshot"]
    assert network["request"]["url"] == "http://shop.example/?p=***"
    assert network["request"]["headers"] == [
        {"name": "Authorization", "value": "***"},
        {"name": "Accept", "value": "a"},
    ]
    assert network["request"]["cookies"] == [{"name": "session", "value": "***"}]
    assert network["response"]["headers"] == [{"name": "Set-Cookie", "value": "***"}]
    assert clean["trace.trace"] == b'{"type":"before","params":{"value":"***"},"log":"cookie *** was set"}\nno JSON\n'
    assert clean["resources/1.html"] == b"<p>***</p> abcdefgh stays, *** goes"
    assert clean["resources/2.jpeg"] == b"\xff\xd8 a picture"


@pytest.mark.parametrize("content", [b"", b"no zip", a_trace(a_trace="x")[:-30]], ids=["empty", "text", "cut"])
def test_what_is_no_trace_is_not_kept(content: bytes) -> None:
    assert scrubbed(content, Masker([])) is None


@given(secret=st.text(min_size=4, max_size=30), around=st.text(max_size=10))
def test_a_secret_shows_in_no_usual_form(secret: str, around: str) -> None:
    from html import escape
    from urllib.parse import quote, quote_plus

    mask = Masker([secret])
    forms = [secret, quote(secret, safe=""), quote_plus(secret), escape(secret), json.dumps(secret)[1:-1]]
    for form in forms:
        if not set(form) & set("*" + around):
            assert form not in mask.text(f"{around}{form}{around}")
            assert form.encode() not in mask.bytes(f"{around}{form}{around}".encode())


def test_artifacts_are_the_owners_only_and_are_named_by_their_run(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "test-failed-1.png").write_bytes(b"a picture")
    (tmp_path / "run" / "trace.zip").write_bytes(a_trace(a_trace="{}"))
    (tmp_path / "run" / "other.txt").write_text("not kept")
    (tmp_path / "run" / "link.png").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "run" / "pipe.png")
    kept = Artifacts(tmp_path / "kept").keep(
        "shop", NOW, "abcdef0123", found_in(tmp_path / "run"), f"it said {SECRET}", Masker([SECRET])
    )
    folder = tmp_path / "kept" / "shop" / "20261130T192107Z-abcdef01"
    assert sorted(kept) == [folder / "output.txt", folder / "test-failed-1.png", folder / "trace.zip"]
    assert (folder / "output.txt").read_text() == "it said ***"
    assert {oct(path.stat().st_mode & 0o777) for path in kept} == {"0o600"}
    assert {oct(path.stat().st_mode & 0o777) for path in (folder, folder.parent, tmp_path / "kept")} == {"0o700"}


def test_so_many_runs_and_so_many_bytes_are_kept_the_latest_always(tmp_path: Path) -> None:
    def keep(artifacts: Artifacts, minute: int, size: int) -> list[str]:
        artifacts.keep("shop", NOW + timedelta(minutes=minute), "ab" * 16, [], "x" * size, Masker([]))
        return sorted(path.name[9:13] for path in (tmp_path / "shop").iterdir())

    few = Artifacts(tmp_path, most_runs=3)
    assert [keep(few, minute, 10) for minute in range(5)][-1] == ["1923", "1924", "1925"]
    small = Artifacts(tmp_path, most_runs=10, most_bytes=100)
    assert keep(small, 5, 50) == ["1923", "1924", "1925", "1926"]
    assert keep(small, 6, 50) == ["1926", "1927"]
    assert keep(small, 7, 1000) == ["1928"]
