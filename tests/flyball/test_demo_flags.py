"""The platform's flags: read through OpenFeature from a file, and what they do to what it spends."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controlplane.adapters.files import read_folder
from controlplane.specfile import read
from finops.flags.adapters.flagd_file import FlagdFile
from finops.flags.declared import declared as declared_stores
from finops.flags.kinds import KINDS as FLAG_KINDS
from finops.flags.model import DeclaredStore, FlagWrite, WriteNote
from finops.ladder.declared import declared as declared_ladders
from finops.ladder.kinds import KINDS as LADDER_KINDS
from finops.ladder.model import Condition, Ladder, Mode, Tier
from flyball.demo.folder import DemoFolder
from flyball.demo.pace import at_pace, put_flags
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.costly import EGRESS, EGRESS_USD, TOKEN_USD, TOKENS
from flyball.demo.platform.infrastructure import NODE_COST
from flyball.demo.platform.live import LivePlatform
from flyball.demo.platform.platform_flags import FULL_SERVICE, FlagsInFile, Reduced, flag_name, flags_in
from flyball.demo.platform.reductions import TRAFFIC, effects_of, given_back
from flyball.demo.platform.shapes import Effect
from flyball.demo.platform.simulation import Simulation
from flyball.demo.platform.spending import model_of

MONEY = Path(__file__).resolve().parents[2] / "examples" / "intelgraph" / "money"
SEAM = 29_900_000  # minutes since the epoch: a day in November 2026
WEEK = 7 * 1440
THIRD = Reduced(
    adaptive_sampling=True,
    batch_jobs_frozen=True,
    rate_limit_non_p0=True,
    llm_context_reduced=True,
    enrichers_paused=True,
    heavy_reads_from_cache=True,
)


# --- the file ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "flags.flagd.json"
    path.write_text((MONEY / "flags.flagd.json").read_text())
    return path


@pytest.fixture
def flags(file: Path) -> Iterator[FlagsInFile]:
    with flags_in(file) as flags:
        soon(flags, lambda _: True)
        yield flags


def soon(flags: FlagsInFile, fits: Callable[[Reduced], bool]) -> Reduced:
    deadline = time.monotonic() + 10
    while not fits(found := flags()):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def store_and_ladder() -> tuple[DeclaredStore, Ladder]:
    files, _ = read_folder(MONEY)
    wanted = [each for each in files if b"kind: FlagStore" in each.content or b"kind: Ladder" in each.content]
    result = read(wanted, (*FLAG_KINDS, *LADDER_KINDS))
    assert not result.problems
    (store,) = declared_stores(result.documents).values
    (ladder,) = declared_ladders(result.documents, may_be_declared=lambda _: True).values
    return store, ladder


def test_what_the_ladders_own_store_writes_is_what_the_platform_does(file: Path, flags: FlagsInFile) -> None:
    store, ladder = store_and_ladder()
    writer = FlagdFile(file)
    assert flags() == FULL_SERVICE
    reached = FULL_SERVICE
    for tier in ladder.tiers:
        wanted = [store.flag(name) for name, _ in tier.flags]
        seen = writer.read([each for each in wanted if each])
        writer.write([FlagWrite(seen[name], value) for name, value in tier.flags], WriteNote("ladder", "a test"))
        reached = with_tier(reached, tier)
        assert soon(flags, reached.__eq__) == reached
    normal = FULL_SERVICE.flags()
    assert all(value != normal[name] for name, value in reached.flags().items())


def with_tier(reduced: Reduced, tier: Tier) -> Reduced:
    values: dict[str, Any] = {name.replace("-", "_"): value for name, value in tier.flags}
    return replace(reduced, **values)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"flags": {}}', '{"flags": {"enrichers-paused": 3}}'])
def test_a_file_that_is_broken_gives_full_service_and_a_whole_one_counts_again(file: Path, content: str) -> None:
    on = file.read_text().replace('"defaultVariant": "off"', '"defaultVariant": "on"')
    file.write_text(content)
    with flags_in(file) as flags:
        assert flags() == FULL_SERVICE
        file.write_text(on)
        assert soon(flags, lambda found: found.enrichers_paused).graph_depth_limit == 3
        file.write_text(content)
        assert soon(flags, lambda found: not found.enrichers_paused) == FULL_SERVICE


def test_without_a_file_there_is_full_service_until_one_comes(tmp_path: Path) -> None:
    path = tmp_path / "later.json"
    with flags_in(path) as flags:
        assert flags() == FULL_SERVICE
        document = json.loads((MONEY / "flags.flagd.json").read_text())
        document["flags"]["graph-depth-limit"]["defaultVariant"] = "two"
        document["flags"]["enrichers-paused"]["variants"] = {"on": "yes", "off": "no"}  # no boolean
        path.write_text(json.dumps(document))
        assert soon(flags, lambda found: found.graph_depth_limit == 2) == Reduced(graph_depth_limit=2)


def test_store_file_and_platform_know_the_same_flags_at_the_same_normal_values() -> None:
    store, _ = store_and_ladder()
    document = json.loads((MONEY / "flags.flagd.json").read_text())["flags"]
    assert {flag.name: flag.normal for flag in store.flags} == FULL_SERVICE.flags()
    assert {name: each["variants"][each["defaultVariant"]] for name, each in document.items()} == FULL_SERVICE.flags()
    assert TRAFFIC.keys() == FULL_SERVICE.flags().keys()
    known = {flow.name for flow in INTELGRAPH.flows}
    assert {flow for factors in TRAFFIC.values() for flow in factors} <= known


# --- money ------------------------------------------------------------------------------------------------------------
@cache
def simulated() -> Simulation:
    return Simulation(INTELGRAPH, seed=3, start=SEAM - 1440, seam=SEAM)


def by_tier() -> list[Reduced]:
    """What the platform does without at tiers 0 to 6."""
    _, ladder = store_and_ladder()
    reached = [FULL_SERVICE]
    for tier in ladder.tiers:
        reached.append(with_tier(reached[-1], tier))
    return reached


@cache
def usd_an_hour(reduced: Reduced, broken: tuple[Effect, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """What tokens cost in every minute of a week, and everything together, both as USD an hour."""
    traffic = simulated().traffic
    shape = (WEEK, 2, len(traffic.streams))
    good, bad = traffic.per_minute(SEAM, np.zeros(shape), (*broken, *effects_of(reduced)))
    tokens, bytes_out = np.zeros(WEEK), np.zeros(WEEK)
    for number, stream in enumerate(traffic.streams):
        units = 60 * (good[:, number] + bad[:, number])
        if stream.flow.metric == TOKENS:
            tokens += units * float(TOKEN_USD[model_of(stream.flow)])
        elif stream.flow.metric == EGRESS:
            bytes_out += units * float(EGRESS_USD)
    gone = given_back(reduced, simulated().infrastructure)
    minutes = SEAM + np.arange(WEEK, dtype=np.int64)
    nodes = sum(
        node.alive(minutes) * node.pool.hourly_usd for node in simulated().infrastructure.nodes if node.name not in gone
    )
    return tokens, tokens + bytes_out + nodes


def tokens_usd(reduced: Reduced, broken: tuple[Effect, ...] = ()) -> np.ndarray:
    return usd_an_hour(reduced, broken)[0]


def test_each_tier_saves_what_the_example_says_of_it() -> None:
    _, ladder = store_and_ladder()
    means = [usd_an_hour(reduced)[1].mean() for reduced in by_tier()]
    for tier, before, after in zip(ladder.tiers, means, means[1:], strict=False):
        assert before - after == pytest.approx(float(tier.saving_per_hour), rel=0.1), tier.name


BILLED = 1.04  # what the bills add to the estimate
DAYS_OF_A_MONTH = (20 + 8 * 0.65, 23 + 8 * 0.65)  # by their weights: of the shortest month, and of the longest


def burns(tokens: np.ndarray, days: float) -> np.ndarray:
    """The burn rate of the budget `llm` in every minute of a week, in a month of so many days."""
    of_week = ((SEAM + np.arange(WEEK)) // 1440 + 3) % 7
    return np.asarray(BILLED * tokens / (5000 / days / 24 * np.where(of_week < 5, 1.0, 0.65)))


def saving(tier: Tier, days: float) -> np.ndarray:
    return burns(np.full(WEEK, float(tier.saving_per_hour)), days) / BILLED


def threshold(condition: Condition) -> float:
    (burning,) = (each for each in condition.comparisons if each.signal == "llm-burn")
    return float(burning.threshold)


@pytest.mark.parametrize("days", DAYS_OF_A_MONTH)
def test_the_fault_spend_takes_the_ladder_to_its_third_tier_keeps_it_there_and_healed_it_comes_back(
    days: float,
) -> None:
    """At every minute of the week: by the figures that the ladder goes by."""
    _, ladder = store_and_ladder()
    spend = next(fault.effects for fault in INTELGRAPH.faults if fault.name == "spend")
    broken = [burns(tokens_usd(reduced, spend), days) for reduced in by_tier()[:4]]
    healed = [burns(tokens_usd(reduced), days) for reduced in by_tier()[:4]]
    for number in (1, 2, 3):
        tier = ladder.tiers[number - 1]
        assert broken[number - 1].min() > threshold(tier.enter), "it steps up"
        assert (healed[number] + saving(tier, days)).max() < threshold(tier.exit), "it steps down"
    assert healed[0].max() < threshold(ladder.tiers[0].enter), "and stays there"
    assert broken[3].min() > threshold(ladder.tiers[2].exit), "it stays at 3"
    assert all(tier.needs_approval and tier.enter.needs_all for tier in ladder.tiers[3:]), "and goes no further"


# --- the running platform ---------------------------------------------------------------------------------------------
def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(60 * SEAM, UTC) + timedelta(seconds=seconds)


def counted(platform: LivePlatform, seconds: float) -> np.ndarray:
    return np.concatenate([pod.cells for pod in platform.pods(moment(seconds))])


def tokens_of(values: np.ndarray) -> int:
    streams = simulated().traffic.streams
    columns = np.concatenate([layout.columns for layout in simulated().layouts]) // 2
    return int(values[np.array([streams[number].flow.metric == TOKENS for number in columns])].sum())


def test_flags_act_while_they_are_on_and_what_was_counted_before_stays() -> None:
    state = {"now": FULL_SERVICE}
    platform, untouched = LivePlatform(simulated(), (), lambda: state["now"]), LivePlatform(simulated(), ())
    assert (counted(platform, 90) == counted(untouched, 90)).all()
    state["now"] = THIRD
    begun = counted(platform, 95)
    during = counted(platform, 215) - begun
    state["now"] = FULL_SERVICE
    ended = counted(platform, 220)
    after = counted(platform, 340) - ended
    normal = -counted(untouched, 220) + counted(untouched, 340)
    assert tokens_of(during) < 0.4 * tokens_of(after)
    assert tokens_of(after) == pytest.approx(tokens_of(normal), rel=0.01)
    assert (during >= 0).all()


def test_nobody_fails_because_of_a_flag() -> None:
    everything = by_tier()[6]
    reduced = LivePlatform(simulated(), (), lambda: everything)
    bad = np.concatenate([layout.columns for layout in simulated().layouts]) % 2 == 1
    normal = LivePlatform(simulated(), ())
    some, usual = (-counted(each, 60) + counted(each, 300) for each in (reduced, normal))
    assert some.sum() < usual.sum()
    assert some[bad].sum() <= usual[bad].sum()


def test_frozen_batch_jobs_give_their_nodes_back_and_an_emergency_all_that_nothing_runs_on() -> None:
    working = next(minute for minute in range(SEAM, SEAM + WEEK, 60) if _batch_is_alive(minute))
    state = {"now": FULL_SERVICE}
    platform = LivePlatform(simulated(), (), lambda: state["now"])

    def nodes() -> int:
        at = datetime.fromtimestamp(60 * working, UTC)
        return sum(gauge.name == NODE_COST for gauge in platform.gauges(at))

    every = nodes()
    state["now"] = Reduced(batch_jobs_frozen=True)
    assert nodes() == every - 2
    state["now"] = by_tier()[6]
    used = [node for node in simulated().infrastructure.nodes if simulated().infrastructure.pods_of(node)]
    assert nodes() == len(used)


def _batch_is_alive(minute: int) -> bool:
    batch = [node for node in simulated().infrastructure.nodes if node.pool.name == "batch"]
    return bool(batch[0].alive(np.array([minute])).all())


# --- the demo's copy of the example -----------------------------------------------------------------------------------
def test_the_demo_runs_the_same_ladder_faster_and_lets_it_act() -> None:
    text = (MONEY / "ladder.yaml").read_text()
    _, slow = store_and_ladder()
    files, _ = read_folder(MONEY)
    quick_files = [
        replace(each, content=at_pace(text).encode()) if str(each.path).endswith("ladder.yaml") else each
        for each in files
        if b"kind: FlagStore" in each.content or b"kind: Ladder" in each.content
    ]
    result = read(quick_files, (*FLAG_KINDS, *LADDER_KINDS))
    (quick,) = declared_ladders(result.documents, may_be_declared=lambda _: True).values
    assert (slow.mode, quick.mode) == (Mode.SHADOW, Mode.ENFORCE)
    for one, other in zip(slow.tiers, quick.tiers, strict=True):
        assert other.dwell <= timedelta(minutes=1) < one.dwell
        assert (other.enter_samples, other.exit_samples) < (one.enter_samples, one.exit_samples)
        assert (one.flags, one.saving_per_hour, one.enter, one.exit) == (
            other.flags, other.saving_per_hour, other.enter, other.exit,
        )  # fmt: skip
        assert one.journeys == other.journeys
    assert quick.limits.cool_down <= timedelta(minutes=1)
    assert {signal.window for signal in quick.signals} == {timedelta(minutes=5), None}
    assert quick.growth is None
    assert "# " in at_pace(text)


def test_the_flags_of_the_demo_lie_in_its_own_folder(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    (folder.workspace / "money").mkdir(parents=True)
    for name in ("flags.yaml", "flags.flagd.json"):
        (folder.workspace / "money" / name).write_text((MONEY / name).read_text())
    put_flags(folder)
    assert json.loads(folder.flags.read_text())["flags"].keys() == FULL_SERVICE.flags().keys()
    files, _ = read_folder(folder.workspace)
    (store,) = declared_stores(read(files, FLAG_KINDS).documents).values
    assert store.option("file") == str(folder.flags)
    assert not (folder.workspace / "money" / "flags.flagd.json").exists()


def test_a_flag_is_called_as_its_field() -> None:
    assert flag_name("llm_context_reduced") == "llm-context-reduced"
