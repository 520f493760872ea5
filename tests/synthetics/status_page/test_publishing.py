"""Pages get to their readers whole: never half of one, whatever dies in between."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from controlplane.ports import Permanent, Transient
from synthetics.status_page.adapters.page_bucket import PageBucket
from synthetics.status_page.adapters.page_folder import PageFolder
from synthetics.status_page.adapters.places import place_of
from synthetics.status_page.publishing import (
    KEPT_AFTER_REMOVAL,
    Manifest,
    Outcome,
    Place,
    cache_control,
    content_type,
    decoded,
    digest,
    encoded,
    in_order,
    publish,
    told_of,
)
from tests.synthetics.status_page import publisher
from tests.synthetics.status_page.rendering import samples

ROOT = Path(__file__).resolve().parents[3]
SECRETS = {"key": "not-a-key", "secret": "not-a-secret"}
MINUTE = timedelta(minutes=1)
FRESH = {"index.html", "de/index.html", "api/v2/summary.json", "api/v2/status.json"}


def small(minutes: float = 0) -> samples.PublicSnapshot:
    calm = samples.calm()
    return replace(calm, at=samples.NOW + timedelta(minutes=minutes), components=calm.components[:1], groups=())


@dataclass
class Memory:
    """A place that keeps what it gets."""

    files: dict[str, bytes] = field(default_factory=dict)
    last: Manifest | None = None
    writes: int = 0

    def manifest(self) -> Manifest | None:
        return self.last

    def put(self, manifest: Manifest, changed: Mapping[str, bytes]) -> bool:
        self.files.update(changed)
        self.last = manifest
        self.writes += 1
        return True

    def read(self, path: str) -> bytes:
        return self.files[path]


@dataclass
class Folder:
    """A place on disk, and how a web server reads it."""

    place: PageFolder
    root: Path

    def read(self, path: str) -> bytes:
        return (self.root / "current" / path).read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(PageFolder(tmp_path / "acme"), tmp_path / "acme")


def test_the_same_snapshot_is_written_once() -> None:
    place = Memory()
    assert publish(place, small()).outcome is Outcome.FIRST
    assert publish(place, small()).outcome is Outcome.SAME
    assert place.writes == 1


def test_while_nothing_happens_only_what_tells_the_time_is_written() -> None:
    place = Memory()
    publish(place, small())
    published = publish(place, small(1))
    assert (published.outcome, set(published.written)) == (Outcome.FRESH, FRESH)
    assert published.files == len(place.files)
    assert b"19:22 CET" in place.files["index.html"]


def test_after_a_quarter_of_an_hour_todays_uptime_is_written_anew() -> None:
    place = Memory()
    publish(place, small())
    assert publish(place, small(14)).outcome is Outcome.FRESH
    published = publish(place, small(15))
    assert published.outcome is Outcome.CHANGED
    assert "uptime/website.html" in published.written
    assert "history.atom" not in published.written
    assert publish(place, small(16)).outcome is Outcome.FRESH


def test_what_happens_is_written_at_once() -> None:
    place = Memory()
    publish(place, small())
    news = replace(small(1), incidents=(samples.checkout_incident(), *small().incidents))
    published = publish(place, news)
    assert published.outcome is Outcome.CHANGED
    assert {"incidents/inc-2041.html", "history.atom", "index.html"} <= set(published.written)


def test_an_older_snapshot_never_takes_the_place_of_a_newer_one(folder: Folder) -> None:
    for place in (Memory(), folder.place):
        publish(place, small(5))
        assert publish(place, small(4)).outcome is Outcome.OLDER
        manifest = place.manifest()
        assert manifest
        assert manifest.at == small(5).at


def test_another_page_is_not_written_over() -> None:
    place = Memory()
    publish(place, small())
    other = replace(small(1), page=samples.page(id="other"))
    with pytest.raises(Permanent, match="`acme` lies there"):
        publish(place, other)


def test_trouble_that_goes_on_is_no_news_and_its_end_is() -> None:
    def lasting(minutes: int, end: int) -> samples.PublicSnapshot:
        start = samples.ago(hours=1)
        span = samples.StatusSpan(start, samples.NOW + timedelta(minutes=end), samples.DOWN)
        part = samples.component("Website", samples.DOWN, samples.Past((span,)))
        return replace(small(minutes), components=(part,))

    assert told_of(lasting(0, 0)) == told_of(lasting(1, 1))
    assert told_of(lasting(10, 10)) != told_of(lasting(10, 2))


def test_a_new_day_is_news() -> None:
    before = replace(small(), components=(samples.component("Website"),))
    midnight = samples.NOW + timedelta(hours=6)
    after = samples.component("Website", uptime=samples.uptime(samples.Past(), midnight))
    assert told_of(before) != told_of(replace(before, components=(after,)))


def test_what_is_gone_from_the_page_stays_for_an_hour() -> None:
    place = Memory()
    publish(place, small())
    without = replace(small(), incidents=())
    publish(place, replace(without, at=samples.NOW + MINUTE))
    gone = "incidents/inc-2032.html"
    assert place.last
    assert gone in place.last.retired
    assert gone not in place.last.digests
    publish(place, replace(without, at=samples.NOW + MINUTE + KEPT_AFTER_REMOVAL))
    assert gone not in place.last.retired


def test_first_pages_are_written_last() -> None:
    paths = [
        "index.html",
        "api/v2/status.json",
        "assets/a.css",
        "de/index.html",
        "uptime/x.html",
        "api/v2/summary.json",
    ]
    assert in_order(paths) == [
        "assets/a.css", "uptime/x.html", "de/index.html", "api/v2/summary.json", "index.html", "api/v2/status.json",
    ]  # fmt: skip


def test_files_have_types_and_only_named_by_digest_are_kept_for_good() -> None:
    assert content_type("history.atom") == "application/atom+xml; charset=utf-8"
    assert content_type("maintenance.ics") == "text/calendar; charset=utf-8"
    assert "immutable" in cache_control("assets/status-1.css")
    assert "max-age=30" in cache_control("index.html")


def test_a_manifest_is_read_back_and_anything_else_is_none() -> None:
    place = Memory()
    publish(place, small())
    assert place.last
    assert decoded(encoded(place.last)) == place.last
    for broken in (b"", b"{}", b"[]", b"null", b'{"version":2}', encoded(place.last)[:-9], b"\xff"):
        assert decoded(broken) is None


def test_a_folder_holds_the_page_and_two_before_it(folder: Folder) -> None:
    for minute in range(5):
        publish(folder.place, small(minute))
    assert b"19:25 CET" in folder.read("index.html")
    copies = [path.name for path in (folder.root / ".generations").iterdir()]
    assert len([name for name in copies if name.endswith(".json")]) == 3
    assert not [name for name in copies if name.startswith(".")]


def test_what_did_not_change_is_not_written_again(folder: Folder) -> None:
    publish(folder.place, small())
    feed, index = folder.root / "current/history.atom", folder.root / "current/index.html"
    before = feed.stat(), index.stat()
    publish(folder.place, small(1))
    assert (feed.stat().st_ino, feed.stat().st_mtime_ns) == (before[0].st_ino, before[0].st_mtime_ns)
    assert index.stat().st_ino != before[1].st_ino


def test_web_servers_of_other_users_can_read_it(folder: Folder) -> None:
    publish(folder.place, small())
    for path in (folder.root / "current").resolve().rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


def test_a_file_that_was_lost_comes_back(folder: Folder) -> None:
    publish(folder.place, small())
    (folder.root / "current/history.html").unlink()
    assert publish(folder.place, small(1)).outcome is Outcome.FIRST
    assert folder.read("history.html")


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()
    with pytest.raises(Permanent, match="not a link of ours"):
        publish(PageFolder(tmp_path), small())


def test_what_the_disk_says_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Permanent, match="Not a directory"):
        publish(PageFolder(tmp_path / "file/acme"), small())


def test_two_that_publish_at_once_leave_one_whole_page(folder: Folder) -> None:
    failures: list[BaseException] = []

    def work(offset: int) -> None:
        for minute in range(offset, 6, 2):
            try:
                publish(PageFolder(folder.root), publisher.told(minute))
            except Transient:  # it has changed meanwhile: the next turn mends it
                continue
            except BaseException as error:  # noqa: BLE001 -- told by the test
                failures.append(error)

    threads = [threading.Thread(target=work, args=(offset,)) for offset in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    check_whole(folder.root)


def check_whole(root: Path) -> int:
    """Every file is what the manifest says, all of one minute; the minute."""
    copy = (root / "current").resolve()
    manifest = decoded((root / ".generations" / f"{copy.name}.json").read_bytes())
    assert manifest
    held = {path.relative_to(copy).as_posix(): digest(path.read_bytes()) for path in copy.rglob("*") if path.is_file()}
    assert held == manifest.digests
    texts = b"".join(
        (copy / name).read_bytes() for name in ("index.html", "de/index.html", "history.html", "history.atom")
    )
    (minute,) = set(re.findall(rb"minute (\d+)", texts))
    return int(minute)


def killed_after(root: Path, first: int, pages: int, seconds: float) -> None:
    """One that publishes is killed some time after so many pages, most likely while it writes one."""
    command = [sys.executable, "-m", publisher.__name__, str(root), str(first)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout
    for _ in range(pages):
        process.stdout.readline()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.wait()
    process.stdout.close()


def test_a_kill_in_the_middle_leaves_a_whole_page(folder: Folder) -> None:
    first = 0
    for pages, seconds in ((1, 0.01), (2, 0.025)):
        killed_after(folder.root, first, pages, seconds)
        first = check_whole(folder.root) + 1
    publish(folder.place, publisher.told(first))
    assert check_whole(folder.root) == first
    assert not [path.name for path in (folder.root / ".generations").iterdir() if path.name.startswith(".")]


@pytest.mark.soak
def test_many_kills_in_the_middle_leave_a_whole_page(folder: Folder) -> None:
    first = 0
    for turn in range(60):
        killed_after(folder.root, first, 1, turn / 1000)
        first = check_whole(folder.root) + 1


@dataclass
class Objects:
    """A bucket behind a real S3 API, and a plain client of it."""

    place: PageBucket
    client: object

    def names(self) -> set[str]:
        found = self.client.list_objects_v2(Bucket="status", Prefix="pages/acme/")  # type: ignore[attr-defined]
        return {each["Key"].removeprefix("pages/acme/") for each in found.get("Contents", [])}

    def head(self, path: str) -> Mapping[str, object]:
        found: Mapping[str, object] = self.client.head_object(Bucket="status", Key=f"pages/acme/{path}")  # type: ignore[attr-defined]
        return found


@pytest.fixture(scope="module")
def bucket() -> Iterator[Objects]:
    import boto3

    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    url = f"http://{host}:{port}"
    credentials = {"aws_access_key_id": SECRETS["key"], "aws_secret_access_key": SECRETS["secret"]}
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **credentials)  # type: ignore[call-overload]
    client.create_bucket(Bucket="status")
    yield Objects(PageBucket("s3://status/pages/acme", {**SECRETS, "client_kwargs": {"endpoint_url": url}}), client)
    moto.stop()


def test_a_bucket_gets_objects_with_their_headers_and_loses_what_is_gone(bucket: Objects) -> None:
    bare = replace(small(), components=())
    published = publish(bucket.place, bare)
    assert bucket.names() == {*published.written, ".flyball-status.json"}
    index, style = bucket.head("index.html"), bucket.head(next(it for it in published.written if it.endswith(".css")))
    assert index["ContentType"] == "text/html; charset=utf-8"
    assert index["CacheControl"] == cache_control("index.html")
    assert "immutable" in str(style["CacheControl"])
    without = replace(bare, at=samples.NOW + MINUTE, incidents=())
    publish(bucket.place, without)
    assert "incidents/inc-2032.html" in bucket.names()
    assert publish(bucket.place, replace(without, at=without.at + MINUTE)).outcome is Outcome.FRESH
    publish(bucket.place, replace(without, at=without.at + KEPT_AFTER_REMOVAL))
    assert "incidents/inc-2032.html" not in bucket.names()
    assert publish(bucket.place, bare).outcome is Outcome.OLDER


def test_what_a_bucket_says_holds_no_secret() -> None:
    place = PageBucket("s3://status/acme", {**SECRETS, "client_kwargs": {"endpoint_url": "http://127.0.0.1:9"}})
    with pytest.raises(Transient) as told:
        publish(place, small())
    assert "s3://status/acme cannot be" in str(told.value)
    assert SECRETS["secret"] not in str(told.value)


def test_where_pages_go_is_told_by_the_text(tmp_path: Path) -> None:
    place: Place = place_of(str(tmp_path), "acme")
    publish(place, small())
    assert (tmp_path / "acme/current/index.html").is_file()
    with pytest.raises(Permanent, match="ftp://x: pages are not published there"):
        place_of("ftp://x")
