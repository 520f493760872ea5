"""Servers that tests talk to: real ones, started once per session (and worker) on free loopback ports."""

import gc
import os
import pwd
import shutil
import subprocess
import uuid
from asyncio import _get_running_loop, _set_running_loop
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import settings

from flyball.demo import servers

if TYPE_CHECKING:
    from tests.finops.flags.unleash_server import UnleashServer

# No test asserts a wall-clock time. `make soak` runs what names no number of examples with many more.
settings.register_profile("flyball", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=400)
settings.load_profile("flyball")

ROOT = Path(__file__).resolve().parent.parent

# What takes longest, in this order: begun last, it would keep one worker busy when the others have nothing left.
LONGEST = (
    "/end_to_end/",
    "/test_demo_process",
    "/slo/test_rules_under_promtool",
    "/test_cli_replay",
    "/slo/proofs/",
    "/web/test_console_browser",
    "/test_prober_process",
    "/test_crashes",
    "/test_tutorial",
    "/test_money_workspace",
    "/slo/test_crash_while_applying",
    "/slo/replay/",
)

# Thousands of tests and all that they import stay as long as the process: looking through them for garbage again and
# again took an eighth of all time.
gc.set_threshold(50_000, 50, 100)


def pytest_collection_finish() -> None:
    """What was collected is no garbage."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The demo waits for alerts for minutes: begun first, it is over before the others are; so is all that is long."""
    items.sort(key=lambda item: next((n for n, part in enumerate(LONGEST) if part in item.nodeid), len(LONGEST)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Playwright's loop rests between its calls, yet asyncio takes it for running and would run no other."""
    loop = _get_running_loop()
    if loop is None or "playwright" in getattr(item, "fixturenames", ()):
        return (yield)
    _set_running_loop(None)
    try:
        return (yield)
    finally:
        _set_running_loop(loop)


@pytest.fixture(scope="session")
def promtool() -> str:
    """The path of promtool; the run fails without it."""
    path = shutil.which("promtool")
    assert path, "promtool is not installed: run `make setup`"
    return path


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, `postgresql://…/postgres`."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folder = Path(f"/tmp/flyball-postgresql-{uuid.uuid4().hex[:8]}")
    folder.mkdir(mode=0o700)
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    port = servers.free_port()
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-U", "flyball", "--auth=trust", "--no-sync", "-E", "UTF8"],
        check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [programs / "postgres", "-D", folder / "data", "-p", str(port), "-h", servers.LOOPBACK,
         "-k", folder, "-c", "fsync=off"],
        user=user, cwd=folder, stdout=log, stderr=log, env=environment,
    )  # fmt: skip
    url = f"postgresql://flyball@{servers.LOOPBACK}:{port}/postgres"
    try:
        _wait_for_postgresql(url, process)
        yield url
    finally:
        process.send_signal(2)
        process.wait()
        log.close()
        shutil.rmtree(folder)


def _wait_for_postgresql(url: str, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        try:
            psycopg.connect(url, connect_timeout=1).close()
        except psycopg.OperationalError:
            continue
        return
    pytest.fail("PostgreSQL did not start")


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
    yield postgresql_server.replace("postgresql://", "postgresql+psycopg://").replace("/postgres", f"/{name}")
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def unleash_server(postgresql_server: str) -> "Iterator[UnleashServer]":
    """A real Unleash server; tests use flags of their own names."""
    from tests.finops.flags.unleash_server import running_unleash

    with running_unleash(postgresql_server) as server:
        yield server
