"""The history of a public repository, rebuilt with its own dates and lines: what is measured of it is what is known.

`data/alertmanager.txt` says where its figures come from: the dates of releases from the project's CHANGELOG.md, numbers
of changes and their leads from plain git in the project's own repository. Nothing of it was made by the code that is
tested here.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from controlplane.model.delivery import Deployment
from controlplane.store import SqlStore, migrate, open_store
from exporters.dora.facts.daemon import FactsDaemon
from exporters.dora.measuring.daemon import MeasureDaemon
from exporters.dora.measuring.stored import StoredMetrics
from exporters.dora.model import DoraMetrics
from exporters.dora.policy.model import DeliveryPolicy
from exporters.repositories.model import RepositoryService
from tests.exporters.repositories.histories import History
from tests.exporters.repositories.reading import collect, repository

DATA = Path(__file__).parent / "data" / "alertmanager.txt"
NOW = datetime(2026, 9, 1, tzinfo=UTC)
FIRST = datetime(2019, 1, 1, tzinfo=UTC)
TAGGED_LATER = timedelta(days=4)  # than the CHANGELOG says, at most: it is written before the tag is made


@dataclass
class Release:
    """A release as it was published."""

    tag: str
    tagged: datetime
    published: date | None
    changes: int
    skewed: int
    median_lead: Decimal


@dataclass
class Public:
    """The data file."""

    base: int = 0
    leads: int = 0
    median_lead: Decimal = Decimal(0)
    releases: list[Release] = field(default_factory=list)
    pre_releases: list[str] = field(default_factory=list)
    tags: list[tuple[str, int, int]] = field(default_factory=list)
    reverts: dict[int, int] = field(default_factory=dict)
    commits: list[tuple[int, int, list[int]]] = field(default_factory=list)


def published() -> Public:
    found = Public()
    for line in DATA.read_text().splitlines():
        word, *rest = line.split()
        if word == "base":
            found.base = int(rest[0])
        elif word == "total":
            found.leads, found.median_lead = int(rest[0]), Decimal(rest[1])
        elif word == "tag":
            tag, commit, tagged, day, changes, skewed, lead = rest
            found.tags.append((tag, int(commit), int(tagged)))
            if changes == "-":
                found.pre_releases.append(tag)
                continue
            at = datetime.fromtimestamp(int(tagged), UTC)
            on = None if day == "-" else date.fromisoformat(day)
            found.releases.append(Release(tag, at, on, int(changes), int(skewed), Decimal(lead)))
        elif word == "revert":
            found.reverts[int(rest[0])] = int(rest[1])
        elif word != "#":
            found.commits.append((int(word), int(rest[0]), [int(each) for each in rest[1:]]))
    return found


def rebuilt(public: Public, folder: Path) -> History:
    """The same lines of commits with the same dates. Titles are numbers; one that reverts another says its title."""
    history = History(folder)
    history.commit("base", public.base, branch="line-0")
    history.tag("v0.15.3", 1, public.base)
    for number, (committed, earlier, parents) in enumerate(public.commits, 1):
        others = [number - up + 1 for up in parents]
        reverted = public.reverts.get(number)
        message = f"{number}" if reverted is None else f'Revert "{reverted}"'
        at = public.base + committed
        mark = history.commit(
            message, at, authored=at - earlier, branch=f"line-{number}", after=others[0], merges=others[1:],
            files=["file"],
        )  # fmt: skip
        assert mark == number + 1
    for tag, commit, tagged in public.tags:
        history.tag(tag, commit + 1, tagged)
    history.lines += [b"reset refs/heads/main", f"from :{len(public.commits) + 1}".encode(), b""]
    history.write()
    return history


@dataclass
class Measured:
    """What was made of it."""

    public: Public
    history: History
    deployments: list[Deployment]
    changes: int
    reverts: dict[str, str]
    all_time: DoraMetrics
    stretches: dict[str, DoraMetrics]  # by tag: from just before to just after it


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    folder = tmp_path_factory.mktemp("public")
    public = published()
    history = rebuilt(public, folder / "alertmanager.git")
    url = f"sqlite:///{folder}/state.db"
    migrate(url)
    store = open_store(url)
    try:
        return _measured(public, history, store, folder)
    finally:
        store.close()


def _measured(public: Public, history: History, store: SqlStore, folder: Path) -> Measured:
    found = repository(
        history.folder, services=[RepositoryService("alertmanager", tags=("v*",))], since=NOW - FIRST
    )  # fmt: skip
    assert collect(found, store, folder, NOW).is_complete
    policy = DeliveryPolicy()
    facts, sheets = FactsDaemon(store, lambda: policy), MeasureDaemon(store, lambda: policy)
    while facts.run_once(NOW).batches:
        pass
    while not sheets.run_once(NOW).is_done:
        pass
    with store.transaction(read_only=True) as transaction:
        log = transaction.delivery
        changes = log.changes_merged("git.example.com/acme/shop", datetime(2010, 1, 1, tzinfo=UTC), NOW)
        measure = StoredMetrics()
        (all_time,) = measure(log, FIRST, NOW, policy)
        second = timedelta(seconds=1)
        stretches = {
            each.tag: measure(log, each.tagged, each.tagged + second, policy)[0] for each in public.releases
        }  # fmt: skip
        return Measured(
            public,
            history,
            log.deployments_between(FIRST, NOW),
            len(changes),
            {each.revision: each.reverts for each in changes if each.reverts},
            all_time,
            stretches,
        )


def test_every_release_that_was_published_is_a_deployment_of_its_day(measured: Measured) -> None:
    by_tag = {each.version: each for each in measured.deployments}
    assert sorted(by_tag) == sorted(each.tag for each in measured.public.releases)
    told = [each for each in measured.public.releases if each.published is not None]
    assert len(told) == 30
    for release in told:
        assert release.published is not None
        late = by_tag[release.tag].at.date() - release.published
        assert timedelta(0) <= late <= TAGGED_LATER, release.tag
    assert sum(by_tag[each.tag].at.date() == each.published for each in told) >= 20


def test_pre_releases_are_none(measured: Measured) -> None:
    assert len(measured.public.pre_releases) > 15
    assert not {each.version for each in measured.deployments} & set(measured.public.pre_releases)


def test_the_frequency_is_what_the_published_dates_give(measured: Measured) -> None:
    found = measured.all_time.frequency
    days = (NOW.date() - min(each.tagged for each in measured.public.releases).date()).days  # since it is known
    assert (found.deployments, found.days) == (31, days)
    assert found.per_day.value is not None
    assert abs(found.per_day.value - Decimal(31) / days) < Decimal("0.00001")
    times = sorted(each.tagged for each in measured.public.releases)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert found.longest_gap == max(gaps)
    assert found.median_gap == median(gaps)
    longest = sorted(each.published for each in measured.public.releases if each.published)
    published_gap = max(later - earlier for earlier, later in pairwise(longest))
    assert published_gap == timedelta(days=339), "0.21.0 → 0.22.0, by the CHANGELOG"
    assert abs(max(gaps) - published_gap) <= TAGGED_LATER
    assert found.active_days == len({each.date() for each in times}) == 29


def test_releases_by_year_are_those_of_the_changelog(measured: Measured) -> None:
    def by_year(days: list[date]) -> dict[int, int]:
        return {year: sum(each.year == year for each in days) for year in range(2019, 2027)}

    told = [each.published for each in measured.public.releases if each.published]
    found = [each.at.date() for each in measured.deployments if each.version != "v0.25.1"]
    assert by_year(told) == by_year(found) == {2019: 7, 2020: 1, 2021: 4, 2022: 2, 2023: 1, 2024: 1, 2025: 4, 2026: 10}


def test_each_release_brings_the_changes_that_plain_git_counts_with_their_leads(measured: Measured) -> None:
    for release in measured.public.releases:
        found = measured.stretches[release.tag]
        assert found.lead_time.median.samples == release.changes - release.skewed, release.tag
        assert found.changes_without_start == release.skewed, release.tag
        value = found.lead_time.median.value
        assert value is not None
        assert abs(value - release.median_lead) <= 1, release.tag
        assert found.deployments_without_changes == 0


def test_the_lead_time_of_all_changes_is_the_median_that_plain_git_gives(measured: Measured) -> None:
    found = measured.all_time
    assert measured.public.leads == 1705
    assert found.changes_without_start == 2, "two clocks were wrong in seven years"
    assert found.lead_time.median.samples == measured.public.leads
    assert found.lead_time.median.value is not None
    assert abs(found.lead_time.median.value - measured.public.median_lead) <= 1


def test_what_reverts_something_is_known_to(measured: Measured) -> None:
    """Reverts on a line of their own; those within a merge that brings more than reverts are none of the merge."""
    history, public = measured.history, measured.public
    told = {history.sha(one + 1): history.sha(other + 1) for one, other in public.reverts.items() if other > 0}
    own = {one: other for one, other in measured.reverts.items() if one in told}
    assert own == {one: told[one] for one in own}
    assert len(own) >= 3
    assert set(measured.reverts.values()) <= set(told.values())
