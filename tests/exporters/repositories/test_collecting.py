"""Nothing is lost and nothing doubled, whatever dies; one repository that fails stops no other, and is told of."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from controlplane.model.event import JSON
from controlplane.ports import LeaseLost, Permanent, Transient
from controlplane.rulefile import to_yaml
from controlplane.store import SqlStore, open_store
from exporters.repositories import collecting
from exporters.repositories.collecting import Collector
from exporters.repositories.collector import RepositoryCollector
from exporters.repositories.daemon import RepositoryDaemon, is_due
from exporters.repositories.model import Repository
from exporters.repositories.ports import DeliverySource, Page, Position, RateLimited, Reading
from exporters.repositories.progress import Progress, progress_of
from exporters.repositories.rules import rule_files
from exporters.repositories.telling import SeenChange, Teller
from exporters.repositories.views import collected_data, collected_text
from tests.exporters.repositories.histories import NOW, History, day
from tests.exporters.repositories.reading import opened, repository, told

MINUTE = timedelta(minutes=1)


def dies(act: Callable[[], object]) -> bool:
    """Whether a child that does it is killed on the way."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("at_page", [1, 3])
@pytest.mark.parametrize("moment", ["before the commit", "after it"])
def test_a_kill_at_any_page_loses_and_doubles_nothing(
    tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch, at_page: int, moment: str
) -> None:
    monkeypatch.setattr("exporters.repositories.history.seen.PAGE", 4)
    history = History(tmp_path / "shop.git")
    for number in range(12):
        mark = history.commit(f"Commit {number}", day(number))
        if number % 4 == 3:
            history.tag(f"v{number}", mark, day(number + 0.5))
    found = repository(history.write())
    url = f"sqlite:///{tmp_path}/state.db"
    kills = 0

    def turn() -> None:
        pages = 0
        put = collecting.put_progress

        def on_page(_: object) -> None:
            nonlocal pages
            pages += 1
            if moment == "after it" and pages == at_page and kills < 2:
                kill_me()

        def put_or_die(*arguments: object) -> None:
            if moment == "before the commit" and pages + 1 == at_page and kills < 2:
                kill_me()
            put(*arguments)  # type: ignore[arg-type]

        collecting.put_progress = put_or_die  # type: ignore[assignment]
        Collector(open_store(url)).collect(found, opened(found, tmp_path), NOW, on_page=on_page)

    while dies(turn):
        kills += 1
        assert kills < 20

    assert kills >= 1
    assert len(told(store, "")) == 15
    with store.transaction(read_only=True) as transaction:
        counts = transaction.delivery.event_counts()
        assert {outcome for _, _, outcome in counts} == {"accepted"}
        assert sum(counts.values()) == 15
        assert {sender for sender, _, _ in counts} == {"collector:shop"}


class Told(DeliverySource):
    """A source that tells of so many changes, one a page, and then does what it is told to do."""

    def __init__(self, name: str, changes: int = 1, then: Exception | None = None) -> None:
        self.name, self.changes, self.then = name, changes, then
        self.turns = 0
        self.is_closed = False

    def pages(self, position: Position, reading: Reading) -> Iterator[Page]:
        self.turns += 1
        done = position.get("done")
        for number in range(done if isinstance(done, int) else 0, self.changes):
            seen = SeenChange(f"{number}", "a" * 40, reading.now - MINUTE, title=f"{self.name} {number}")
            yield Page((Teller(f"host/acme/{self.name}").change(seen),), {"done": number + 1}, f"{number + 1}")
        if self.then is not None:
            raise self.then

    def close(self) -> None:
        self.is_closed = True


def named(name: str, every: timedelta = timedelta(minutes=5)) -> Repository:
    one = repository(Path(name))
    return replace(one, name=name, place=replace(one.place, name=f"host/acme/{name}"), every=every)


def daemon(store: SqlStore, sources: dict[str, Told], repositories: Sequence[Repository]) -> RepositoryDaemon:
    return RepositoryDaemon(store, lambda: repositories, lambda each: sources[each.name])


def test_one_that_fails_stops_no_other_and_is_left_alone_longer_each_time(store: SqlStore) -> None:
    sources = {"bad": Told("bad", 1, Transient("it is down")), "good": Told("good", 2)}
    repositories = [named("bad"), named("good")]
    watch = daemon(store, sources, repositories)

    turn = watch.run_once(NOW)

    assert (turn.taken, [each.repository for each in turn.failed]) == (3, ["bad"])
    again = [minute for minute in range(1, 20) if watch.run_once(NOW + minute * MINUTE).failed]
    assert again == [1, 3, 7, 15], "the pause doubles"
    with store.transaction(read_only=True) as transaction:
        progress = progress_of(transaction, "bad")
    assert (progress.failures, progress.failing_since, progress.error) == (5, NOW, "it is down")
    assert progress.position == {"done": 1}, "what was read stays read"


def test_one_that_cannot_be_opened_is_told_of_like_one_that_cannot_be_read(store: SqlStore) -> None:
    def refuse(_: Repository) -> DeliverySource:
        raise Permanent("needs FLYBALL_GITHUB_TOKEN")

    turn = RepositoryDaemon(store, lambda: [named("a")], refuse).run_once(NOW)

    assert [each.error for each in turn.failed] == ["needs FLYBALL_GITHUB_TOKEN"]
    with store.transaction(read_only=True) as transaction:
        assert progress_of(transaction, "a").retry_at == NOW + timedelta(minutes=15)


def test_a_rate_limit_is_no_failure_and_is_kept(store: SqlStore) -> None:
    until = NOW + timedelta(minutes=40)
    source = Told("a", 1, RateLimited("its rate limit is used up", until))
    watch = daemon(store, {"a": source}, [named("a")])
    watch.run_once(NOW)

    assert not watch.run_once(until - MINUTE).collected
    source.then = None
    assert watch.run_once(until).collected[0].is_complete
    assert source.turns == 2
    with store.transaction(read_only=True) as transaction:
        progress = progress_of(transaction, "a")
    assert (progress.failures, progress.retry_at, progress.collected_at) == (0, None, until)


def test_each_is_read_as_often_as_it_says(store: SqlStore) -> None:
    sources = {"often": Told("often"), "seldom": Told("seldom")}
    watch = daemon(store, sources, [named("often"), named("seldom", every=timedelta(hours=1))])
    for minute in range(61):
        watch.run_once(NOW + minute * MINUTE)

    assert (sources["often"].turns, sources["seldom"].turns) == (13, 2)


def test_a_turn_has_an_end_and_the_next_one_goes_on_with_who_waited_longest(store: SqlStore) -> None:
    sources = {name: Told(name, 3) for name in ("a", "b")}
    ticks = iter(range(1000))
    watch = RepositoryDaemon(
        store, lambda: [named("a"), named("b")], lambda each: sources[each.name], turn_seconds=3.5,
        clock=lambda: float(next(ticks)),
    )  # fmt: skip

    first = watch.run_once(NOW)
    assert (first.taken, first.waiting) == (3, 1)
    assert not first.collected[0].is_complete
    turns = 1
    while not all(progress_complete(store, name) for name in sources):
        watch.run_once(NOW + turns * timedelta(seconds=30))
        turns += 1
        assert turns < 10
    assert len(told(store, "change.")) == 6


def progress_complete(store: SqlStore, name: str) -> bool:
    with store.transaction(read_only=True) as transaction:
        return progress_of(transaction, name).collected_at is not None


def test_a_source_lives_as_long_as_its_document_says_the_same(store: SqlStore) -> None:
    made: list[Told] = []

    def make(each: Repository) -> Told:
        made.append(Told(each.name))
        return made[-1]

    repositories = [named("a")]
    watch = RepositoryDaemon(store, lambda: repositories, make)
    for minute in (0, 10, 20):
        watch.run_once(NOW + minute * MINUTE)
    assert len(made) == 1
    repositories[0] = named("a", every=timedelta(minutes=9))
    watch.run_once(NOW + 30 * MINUTE)
    repositories.clear()
    watch.run_once(NOW + 40 * MINUTE)

    assert [each.is_closed for each in made] == [True, True]


def test_a_leader_that_is_none_any_more_writes_nothing(store: SqlStore) -> None:
    lease = store.leases.acquire("leader", "one", timedelta(seconds=30))
    assert lease is not None
    store.leases.release(lease)
    assert store.leases.acquire("leader", "two", timedelta(seconds=30)) is not None

    with pytest.raises(LeaseLost):
        daemon(store, {"a": Told("a")}, [named("a")]).run_once(NOW, lease)
    assert not told(store, "")


def test_an_event_that_is_malformed_is_counted_and_stops_nothing(store: SqlStore) -> None:
    class Odd(Told):
        def pages(self, position: Position, reading: Reading) -> Iterator[Page]:
            late: dict[str, JSON] = Teller("host/a/b").change(SeenChange("1", "a" * 40, NOW + timedelta(days=1)))
            yield Page((late,), {"done": 1})
            yield from super().pages(position, reading)

    (turn,) = daemon(store, {"a": Odd("a")}, [named("a")]).run_once(NOW).collected
    assert (turn.taken, turn.refused, turn.is_complete) == (1, 1, True)
    assert "1 events were refused" in collected_text([turn])


def test_a_preview_writes_nothing(tmp_path: Path, store: SqlStore) -> None:
    history = History(tmp_path / "shop.git")
    history.tag("v1", history.commit("One", day(0)), day(1))
    found = repository(history.write())

    seen = Collector(store).preview(found, opened(found, tmp_path), NOW)

    assert (seen.changes, seen.deployments, seen.is_complete) == (1, 1, True)
    assert collected_text([seen], is_preview=True) == (
        "shop: 1 change and 1 deployment would be told of, 2026-06-01 … 2026-06-02 UTC"
    )
    assert collected_data(seen)["first"] == "2026-06-01T09:00:00+00:00"
    with store.transaction(read_only=True) as transaction:
        assert transaction.delivery.progress("repository shop") is None
        assert transaction.delivery.last_sequence() == 0


def test_metrics_tell_when_each_was_read_and_which_fail(store: SqlStore) -> None:
    repositories = [named("bad"), named("good")]
    daemon(store, {"bad": Told("bad", 0, Permanent("no")), "good": Told("good")}, repositories).run_once(NOW)
    registry = CollectorRegistry()
    registry.register(RepositoryCollector(store, lambda: repositories))

    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]

    assert [line.rpartition(" ")[0] for line in lines] == [
        'flyball_repository_last_collected_timestamp_seconds{repository="good"}',
        'flyball_repository_failing{repository="bad"}',
        'flyball_repository_failing{repository="good"}',
    ]
    assert [float(line.rpartition(" ")[2]) for line in lines] == [NOW.timestamp(), 1, 0]


def test_the_alert_names_each_repository_and_waits_for_those_that_are_read_seldom() -> None:
    assert rule_files([]) == ()
    (file,) = rule_files([named("a"), named("b-c"), named("d", every=timedelta(hours=6))], external_url="https://f/")
    text = to_yaml(file)
    assert text.count("alert: RepositoryNotCollected") == 2
    assert 'repository=~"a|b-c"' in text
    assert "> 3600" in text
    assert "> 64800" in text


def test_what_is_due() -> None:
    with_nothing = progress_at(None)
    assert is_due(named("a"), with_nothing, NOW)
    assert not is_due(named("a"), progress_at(NOW - 4 * MINUTE), NOW)
    assert is_due(named("a"), progress_at(NOW - 5 * MINUTE), NOW)


def progress_at(collected_at: datetime | None) -> Progress:
    return Progress(since=datetime(2026, 1, 1, tzinfo=UTC), collected_at=collected_at)
