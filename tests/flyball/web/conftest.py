"""The console, served on a real Prometheus and a real database, and a browser to look at it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.ports import Transient
from flyball.demo import servers
from flyball.web.state import ConsoleOptions
from tests.flyball.web import check_world, money_world, world


@dataclass(frozen=True)
class Consoles:
    """Addresses of consoles: one with everything in it, one with nothing, one without its Prometheus and database."""

    full: str
    empty: str
    alone: str
    prometheus: str
    state: world.State


class NoStore:
    """A database that is away."""

    def transaction(self, **_: object) -> object:
        raise Transient("the database is locked")


@pytest.fixture(scope="session")
def consoles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consoles]:
    folder = tmp_path_factory.mktemp("console")
    with servers.prometheus(folder / "prometheus") as prometheus:
        world.write_month(prometheus.url)
        backend = PrometheusBackend(prometheus.url)
        slos = [story.slo for story in world.stories()]
        full = world.State(backend, world.a_store(folder / "full", world.received()), slos, world.problems())
        empty = world.State(backend, world.a_store(folder / "empty", []), [])
        away = PrometheusBackend(f"http://{servers.LOOPBACK}:{servers.free_port()}")
        alone = replace(full, metrics=away, store=NoStore(), given_problems=())  # type: ignore[arg-type]
        options = ConsoleOptions(
            prometheus_url=prometheus.url, grafana_url="https://grafana.example/", sources=world.sources
        )
        with (
            world.serving(world.application(full, options)) as full_url,
            world.serving(world.application(empty)) as empty_url,
            world.serving(world.application(alone)) as alone_url,
        ):
            yield Consoles(full_url, empty_url, alone_url, prometheus.url, full)
        backend.close()


@dataclass(frozen=True)
class MoneyConsoles:
    """Addresses: one with money of every standing, one with nothing, one without its Prometheus and database."""

    full: str
    empty: str
    alone: str
    state: world.State


@pytest.fixture(scope="session")
def money(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MoneyConsoles]:
    folder = tmp_path_factory.mktemp("money")
    with servers.prometheus(folder / "prometheus") as prometheus, servers.prometheus(folder / "idle") as idle:
        money_world.write(prometheus.url)
        backend, nothing = PrometheusBackend(prometheus.url), PrometheusBackend(idle.url)
        store = world.a_store(folder / "full", money_world.received())
        with store.transaction() as transaction:
            transaction.events.append_all(money_world.happened(), world.NOW)
        full = world.State(backend, store, [])
        empty = world.State(nothing, world.a_store(folder / "empty", []), [])
        away = PrometheusBackend(f"http://{servers.LOOPBACK}:{servers.free_port()}")
        alone = replace(full, metrics=away, store=NoStore())  # type: ignore[arg-type]
        options = ConsoleOptions(prometheus_url=prometheus.url, grafana_url="https://grafana.example/")
        with (
            world.serving(money_world.application(full, money_world.everything(), options)) as full_url,
            world.serving(money_world.application(empty, money_world.Money())) as empty_url,
            world.serving(money_world.application(alone, money_world.everything())) as alone_url,
        ):
            yield MoneyConsoles(full_url, empty_url, alone_url, full)
        backend.close()
        nothing.close()


@dataclass(frozen=True)
class CheckConsoles:
    """Addresses: one with checks of every state, one with none, one without its database."""

    full: str
    empty: str
    alone: str


@pytest.fixture(scope="session")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckConsoles]:
    folder = tmp_path_factory.mktemp("checks")
    away = PrometheusBackend(f"http://{servers.LOOPBACK}:{servers.free_port()}")
    store = world.a_store(folder / "full", [])
    check_world.fill(store)
    full = world.State(away, store, [])
    empty = world.State(away, world.a_store(folder / "empty", []), [])
    alone = replace(full, store=NoStore())  # type: ignore[arg-type]
    declared = check_world.everything()
    with (
        world.serving(check_world.application(full, declared)) as full_url,
        world.serving(check_world.application(empty, check_world.Checks())) as empty_url,
        world.serving(check_world.application(alone, declared)) as alone_url,
    ):
        yield CheckConsoles(full_url, empty_url, alone_url)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Debian's Chromium, which talks to nobody but us."""
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-gpu",
        "--disable-software-rasterizer",
        "--no-first-run",
    ]
    return {
        "executable_path": next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))),
        "args": ["--no-sandbox", "--disable-dev-shm-usage", *quiet],
    }
