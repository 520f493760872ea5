"""kill -9 between any two statements of a step: flags are those of one tier, nobody's edit is lost, the log holds."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from controlplane.store import SqlStore, open_store
from tests.finops.ladder.acting.crashing import Run
from tests.finops.ladder.acting.places import FilePlace, copied_tables, write_file
from tests.finops.ladder.acting.world import SimulatedClock, World, at_tier

if TYPE_CHECKING:
    from tests.finops.flags.unleash_server import UnleashServer

ROOT = Path(__file__).resolve().parents[4]
SEED = 20261130
STATEMENTS = {"flagd": 20_000, "unleash": 26_000}  # of a whole turn with a step
SAMPLE, CAMPAIGN = 6, int(os.environ.get("CRASH_RUNS", "1000"))


@contextmanager
def crashing() -> Iterator["subprocess.Popen[str]"]:
    """What does runs."""
    program = ROOT / "tests/finops/ladder/acting/crashing.py"
    process = subprocess.Popen(
        [sys.executable, program], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
        stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    with process:
        yield process
        process.communicate()
    assert process.returncode == 0


def make_templates(folder: Path, store: SqlStore, url: str) -> Path:
    """A database and a file for each tier, made by steps that nobody disturbed."""
    template, workshop = folder / "template", folder / "workshop"
    template.mkdir()
    workshop.mkdir()
    place, clock = FilePlace(workshop), SimulatedClock()
    write_file(place.path)
    world = World(store, place.store(clock), place.client(clock), clock, burn=4, prefix="t")
    for tier in range(5):
        if tier:
            world.turn()
        assert world.values() == at_tier(tier)
        place.keep(template, tier)
        store.close()  # so that all of it is in the one file
        if url.startswith("sqlite"):
            shutil.copyfile(url.removeprefix("sqlite:///"), template / f"tier-{tier}.db")
        else:
            (template / f"tier-{tier}.tables").write_bytes(pickle.dumps(copied_tables(url)))
    return template


def campaign(folder: Path, template: Path, runs: int, *, kind: str = "flagd", database: str = "") -> dict[str, Any]:
    """That many runs; what they came to. All is well in each of them."""
    place = folder / "place"
    place.mkdir()
    figures = {"runs": runs, "killed": 0, "edits": 0}
    statements = STATEMENTS[kind.split(" ", 1)[0]]
    with crashing() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(runs):
            run = Run(SEED + number, kind, str(place), str(template), database, statements)
            process.stdin.write(json.dumps(asdict(run)) + "\n")
            process.stdin.flush()
            told = json.loads(process.stdout.readline())
            assert told["problems"] == [], told
            figures["killed"] += told["statuses"].count(-9)
            figures["edits"] += told["edits"]
    print(figures)
    return figures


def test_a_killed_step_is_finished_or_undone_by_the_next_leader(
    database: SqlStore, database_path: Path, tmp_path: Path
) -> None:
    template = make_templates(tmp_path, database, f"sqlite:///{database_path}")
    figures = campaign(tmp_path, template, SAMPLE)
    assert figures["killed"] >= SAMPLE / 2
    assert figures["edits"] >= SAMPLE / 4


@pytest.mark.soak
def test_a_thousand_killed_steps_on_a_flagd_file(database: SqlStore, database_path: Path, tmp_path: Path) -> None:
    template = make_templates(tmp_path, database, f"sqlite:///{database_path}")
    assert campaign(tmp_path, template, CAMPAIGN)["killed"] >= CAMPAIGN / 2


@pytest.mark.soak
def test_a_thousand_killed_steps_on_unleash(
    database: SqlStore, database_path: Path, tmp_path: Path, unleash_server: "UnleashServer"
) -> None:
    template = make_templates(tmp_path, database, f"sqlite:///{database_path}")
    cookies = json.dumps(dict(unleash_server.browser.cookies)).replace(" ", "")
    kind = f"unleash {unleash_server.url} {cookies}"
    from tests.finops.ladder.acting.places import place_of

    place_of(kind, tmp_path).create()
    assert campaign(tmp_path, template, CAMPAIGN, kind=kind)["killed"] >= CAMPAIGN / 2


@pytest.mark.soak
def test_hundreds_of_killed_steps_with_the_state_in_postgresql(tmp_path: Path, postgresql_server: str) -> None:
    from controlplane.store import migrate

    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE crashes")
    url = postgresql_server.replace("postgresql://", "postgresql+psycopg://").replace("/postgres", "/crashes")
    migrate(url)
    store = open_store(url)
    template = make_templates(tmp_path, store, url)
    store.close()
    assert campaign(tmp_path, template, 300, database=url)["killed"] >= 150
