"""A prober's reports: when they go, in which order, and what becomes of each answer."""

import http.server
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest
from prometheus_client import CollectorRegistry

from controlplane.model.check import ReportHead
from controlplane.ports import Permanent
from controlplane.store import SqlStore
from flyball.secret import Secret
from synthetics.regions.adapters.http_delivery import HttpDelivery
from synthetics.regions.ports import Delivered, Fate
from synthetics.regions.reporting import Reporter, ReportingThread
from synthetics.regions.spool import Bounds, Spool, SpoolFigures
from tests.contracts.checking import NOON, result
from tests.synthetics.regions.reporting import (
    AT_ONCE,
    OTHER_TOKEN,
    TOKEN,
    Plane,
    Simulated,
    drain,
    reporter,
    serving,
    spool,
)

SECONDS = timedelta(seconds=1)
SMALL = Bounds(batch_results=3)
TAKEN = Delivered(Fate.TAKEN)
AWAY = Delivered(Fate.AGAIN, "nobody answers")


@dataclass
class Told:
    """A control plane that answers as it is told, the last answer again and again."""

    answers: list[Delivered] = field(default_factory=lambda: [TAKEN])
    reports: list[tuple[ReportHead, list[int]]] = field(default_factory=list)

    def deliver(self, head: ReportHead, rendered: Sequence[bytes], now: datetime) -> Delivered:
        self.reports.append((head, [int(orjson.loads(body)["startedAt"][17:19]) for body in rendered]))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def made(told: Told, bounds: Bounds = SMALL, chance: float = 1.0) -> tuple[Spool, Reporter]:
    one = Spool(None, region="eu", prober="p1", bounds=bounds)
    return one, Reporter(one, told, region="eu", prober="p1", version="0.1.0", chance=lambda: chance)


def test_an_empty_report_goes_out_every_ten_seconds() -> None:
    told = Told()
    one, sender = made(told)
    for second in range(0, 41, 2):
        assert sender.turn(NOON + second * SECONDS) == 2 * SECONDS
        if second == 16:
            one.put(result(second))
    assert [(head.sequence, (head.sent_at - NOON).seconds, len(runs)) for head, runs in told.reports] == [
        (1, 0, 0), (2, 10, 0), (3, 18, 1), (4, 28, 0), (5, 38, 0),
    ]  # fmt: skip


def test_after_an_outage_the_present_goes_first_and_then_the_past_in_order() -> None:
    told = Told()
    one, sender = made(told)
    for second in range(11):
        one.put(result(second))
    assert sender.turn(NOON) == AT_ONCE
    one.put(result(50))
    drain(sender, NOON)
    assert [runs for _, runs in told.reports] == [[8, 9, 10], [0, 1, 2], [6, 7, 50], [3, 4, 5]]
    assert [head.buffered for head, _ in told.reports] == [8, 5, 3, 0]
    assert one.waiting == 0


def test_while_nobody_answers_it_waits_longer_and_longer_and_sends_the_same_again() -> None:
    told = Told([AWAY])
    one, sender = made(told)
    one.put(result(1))
    waits = [sender.turn(NOON) / SECONDS for _ in range(6)]
    assert waits == [1, 2, 4, 8, 10, 10]
    assert {(head.sequence, tuple(runs)) for head, runs in told.reports} == {(1, (1,))}
    one.put(result(2))
    told.answers = [TAKEN]
    drain(sender, NOON)
    assert [(head.sequence, runs) for head, runs in told.reports[6:]] == [(1, [1]), (2, [2])]
    told.answers = [AWAY]
    one.put(result(3))
    assert sender.turn(NOON) == SECONDS  # it began anew


def test_waits_are_spread_so_that_probers_do_not_come_back_together() -> None:
    waits = [made(Told([AWAY]), chance=chance)[1].turn(NOON) / SECONDS for chance in (0.0, 0.5, 0.99)]
    assert waits == [0.5, 0.75, 0.995]


def test_it_waits_as_long_as_it_is_asked_to_but_not_for_ever() -> None:
    for asked, waited in ((5, 5), (100_000, 60)):
        _, sender = made(Told([Delivered(Fate.AGAIN, "busy", timedelta(seconds=asked))]))
        assert sender.turn(NOON) == waited * SECONDS


def test_a_refused_report_is_set_aside_told_and_holds_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    told = Told([Delivered(Fate.REFUSED, "400: results[0].kind: expected one of probe"), TAKEN])
    one, sender = made(told)
    for second in range(5):
        one.put(result(second))
    drain(sender, NOON)
    assert one.figures() == SpoolFigures(0, 0, 3)
    assert [runs for _, runs in told.reports] == [[2, 3, 4], [0, 1]]
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (record.message, record.__dict__["results"]) == ("prober.report_refused", 3)


def test_a_wrong_token_loses_nothing_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    told = Told([Delivered(Fate.DENIED, "401: the signature is not that of this region")])
    one, sender = made(told)
    one.put(result(1))
    assert [sender.turn(NOON) for _ in range(3)] == [60 * SECONDS] * 3
    assert one.figures() == SpoolFigures(1, 0, 0)
    assert [record.message for record in caplog.records] == ["prober.not_reported"]


def test_what_is_too_old_to_be_taken_is_dropped_and_told(caplog: pytest.LogCaptureFixture) -> None:
    told = Told()
    one, sender = made(told)
    one.put(result(0))
    one.put(result(3600))
    drain(sender, NOON + timedelta(hours=20, minutes=30))
    assert one.figures() == SpoolFigures(0, 1, 0)
    assert [runs for _, runs in told.reports] == [[0]]
    assert [record.message for record in caplog.records] == ["prober.results_dropped"]


# --- over HTTP --------------------------------------------------------------------------------------------------------
@contextmanager
def answering(code: int, body: bytes = b"", **headers: str) -> Iterator[str]:
    """A server with one answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        (200, Fate.TAKEN), (204, Fate.DENIED), (302, Fate.DENIED), (400, Fate.REFUSED), (401, Fate.DENIED),
        (403, Fate.DENIED), (404, Fate.DENIED), (408, Fate.AGAIN), (413, Fate.REFUSED), (429, Fate.AGAIN),
        (500, Fate.AGAIN), (502, Fate.AGAIN), (503, Fate.AGAIN),
    ],
)  # fmt: skip
def test_each_answer_has_its_consequence(code: int, fate: Fate) -> None:
    with answering(code, b'{"error": "why"}', Retry_After="7", Location="http://127.0.0.1:1/") as url:
        delivery = HttpDelivery(url, region="eu", token=TOKEN)
        answer = delivery.deliver(ReportHead("eu", "p1", 1, NOON), (), NOON)
        delivery.close()
    assert answer.fate is fate
    assert answer.reason == ("" if fate is Fate.TAKEN else f"{code}: why" if code != 204 else answer.reason)
    assert answer.retry_after == (timedelta(seconds=7) if fate is Fate.AGAIN else None)


def test_nobody_there_means_later() -> None:
    delivery = HttpDelivery("http://127.0.0.1:1", region="eu", token=TOKEN)
    answer = delivery.deliver(ReportHead("eu", "p1", 1, NOON), (), NOON)
    assert (answer.fate, "127.0.0.1:1/hooks/probes" in answer.reason) == (Fate.AGAIN, True)


def test_an_answer_that_is_no_json_is_shown_by_its_status() -> None:
    with answering(502, b"<html>") as url:
        answer = HttpDelivery(url, region="eu", token=TOKEN).deliver(ReportHead("eu", "p1", 1, NOON), (), NOON)
    assert answer.reason == "502: Bad Gateway"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://flyball.example.com", "would show them to everybody"),
        ("http://10.0.0.1:8080", "would show them to everybody"),
        ("ftp://x", "no URL"),
        ("flyball.example.com", "no URL"),
        ("https://", "no URL"),
        ("https://b\u00fccher..example", "no URL"),
        ("https://me:hunter2@flyball.example.com", "no password"),
    ],
)
def test_reports_go_over_https_or_stay_on_this_machine(url: str, reason: str) -> None:
    with pytest.raises(Permanent, match=reason):
        HttpDelivery(url, region="eu", token=TOKEN)


def test_a_proxys_path_may_stand_in_front_and_this_machine_needs_no_tls() -> None:
    for fine in ("https://flyball.example.com/below", "http://localhost:1", "http://[::1]:1", "http://127.9.9.9"):
        HttpDelivery(fine, region="eu", token=TOKEN).close()
    HttpDelivery("http://10.0.0.1", region="eu", token=TOKEN, allow_http=True).close()


def test_a_short_token_is_refused_without_being_shown() -> None:
    with pytest.raises(Permanent, match="shorter than 32 bytes") as caught:
        HttpDelivery("https://x.example", region="eu", token="hunter2")
    assert "hunter2" not in str(caught.value)


class Breaking:
    """Breaks at the first report, in a way that nobody thought of."""

    def __init__(self) -> None:
        self.attempts = 0
        self.has_broken = threading.Event()

    def deliver(self, head: ReportHead, rendered: Sequence[bytes], now: datetime) -> Delivered:
        self.attempts += 1
        if self.attempts == 1:
            self.has_broken.set()
            raise RuntimeError("nobody thought of this")
        return Delivered(Fate.TAKEN)


def test_reports_go_on_whatever_breaks(tmp_path: Path) -> None:
    one, delivery = spool(tmp_path), Breaking()
    one.put(result(0))
    sender = Reporter(one, delivery, region="eu", prober="p1", version="0.1.0", chance=lambda: 0.5)
    thread = ReportingThread(sender, Simulated())
    thread.start()
    assert delivery.has_broken.wait(10)
    thread.stop()
    assert one.waiting == 0


def test_an_answer_that_is_lost_costs_nothing(store: SqlStore, tmp_path: Path) -> None:
    """The report was stored, the prober never heard of it, and starts anew before it sends it again."""
    plane = Plane(store)
    with serving(plane.app()) as url:
        one = spool(tmp_path)
        one.put(result(0))
        batch = one.cut_newest()
        assert batch
        delivery = HttpDelivery(url, region="eu", token=TOKEN)
        head = ReportHead("eu", batch.prober, batch.sequence, NOON)
        assert delivery.deliver(head, batch.rendered, NOON).fate is Fate.TAKEN
        one.close()
        again = spool(tmp_path, prober="p2")
        drain(reporter(url, again, prober="p2"), NOON)
        delivery.close()
    assert again.waiting == 0
    assert plane.counted() == {("eu", "taken"): 1.0, ("eu", "repeated"): 1.0}


def test_a_token_is_changed_without_losing_a_report(store: SqlStore, tmp_path: Path) -> None:
    one = spool(tmp_path)
    tokens = {"old": TOKEN, "both": f"{TOKEN} {OTHER_TOKEN}", "new": OTHER_TOKEN}
    uses = [("old", TOKEN, True), ("old", OTHER_TOKEN, False), ("both", OTHER_TOKEN, True), ("new", OTHER_TOKEN, True)]
    for number, (known, used, is_taken) in enumerate(uses):
        pairs = [("eu", Secret(token)) for token in tokens[known].split()]
        plane = Plane(store, tokens=pairs, registry=CollectorRegistry())
        one.put(result(number))
        with serving(plane.app()) as url:
            sender = reporter(url, one, token=used)
            while sender.turn(NOON) == AT_ONCE:
                pass
        assert (one.waiting == 0) is is_taken
    with store.transaction(read_only=True) as transaction:
        assert transaction.checks.totals()[0].ok == 4
