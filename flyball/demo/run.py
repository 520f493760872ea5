"""The demo from start to end."""

import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from controlplane.adapters.files import read_folder
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.adapters.rule_folder import RuleFolderOnDisk
from controlplane.ports import Clock, Transient
from finops.ladder.declared import declared as ladders_of
from finops.ladder.inhibition import Explains, explained
from flyball.alerting.reading import alerts_in
from flyball.anomalies.declared import KINDS as ANOMALY_KINDS
from flyball.demo import bills, children, feeding, pace, probing, servers, usage_events
from flyball.demo.deliveries import telling
from flyball.demo.deliveries.past import past_events
from flyball.demo.deliveries.releasing import Pipeline, releasing
from flyball.demo.deliveries.repository import put_repository
from flyball.demo.deliveries.routine import Routine, running_versions
from flyball.demo.folder import DemoFolder, RunningDemo
from flyball.demo.pager.people import reaching_people
from flyball.demo.past import write_past
from flyball.demo.platform import ingress
from flyball.demo.platform.app import HOST, IntelGraphApp
from flyball.demo.platform.app_state import AppState
from flyball.demo.platform.authority import make_certificates
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.catching_up import catch_up
from flyball.demo.platform.live import LivePlatform
from flyball.demo.platform.name_server import NAME_SERVER, serving_names
from flyball.demo.platform.platform_flags import flags_in
from flyball.demo.platform.server import PlatformServer, serving
from flyball.demo.platform.shapes import Catalogue
from flyball.demo.platform.simulation import Simulation
from flyball.demo.servers import Server
from flyball.demo.status_past import status_pages, write_status_past
from flyball.demo.steps import Steps
from flyball.money.declared import KINDS as MONEY_KINDS
from flyball.reading_kinds import read_kinds
from flyball.slo_workspace import SLOWorkspace
from flyball.synthetics.declared import KINDS as CHECK_KINDS
from slo.compiler import CompileOptions
from slo.ports import Compiled

CONSOLE_PORT: Final = 8321
MONTH: Final = timedelta(days=30)
_SEED: Final = 1


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What to run. `port` 0 takes the console's usual port if it is free, else any. `history` may be nothing.

    `keep` leaves data and logs in the folder; after a failure they stay anyway. `probers`: whether anybody looks at the
    platform from outside.
    """

    folder: DemoFolder
    history: timedelta = MONTH
    port: int = 0
    keep: bool = False
    probers: bool = True
    catalogue: Catalogue = INTELGRAPH


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that is ready: where its parts answer, and the children to keep an eye on; `history` lies behind it.

    It goes on when `probers` die: their regions are silent then.
    """

    running: RunningDemo
    children: tuple[Server, ...]
    folder: DemoFolder
    platform: LivePlatform
    history: timedelta
    probers: tuple[Server, ...] = ()


def example_workspace() -> Path:
    """The files of examples/intelgraph: inside of the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "intelgraph"
    return installed if installed.is_dir() else package.parent.parent / "examples" / "intelgraph"


@contextmanager
def started(options: DemoOptions, *, clock: Clock, steps: Steps) -> Iterator[Demo]:
    """Everything, from the moment it is ready until the end of the block, which ends every child.

    Raises `ServerNotInstalled`, `FolderNotOurs`, `AlreadyRunning`, or `Transient` with the end of a child's log.
    """
    folder = options.folder
    with folder.held(keep=options.keep), ExitStack() as stack:
        with steps.step("Starting Prometheus and Alertmanager"):
            reserved = _reserved(options.port, stack)
            console_url = f"http://{servers.LOOPBACK}:{reserved.getsockname()[1]}"
            folder.logs.mkdir(parents=True)
            shutil.copytree(example_workspace(), folder.workspace)
            pace.put_flags(folder)
            pace.quicken(folder)
            put_repository(folder, clock.now())
            for secret in (folder.webhook_token, folder.usage_token, folder.events_token):
                folder.write_secret(secret, secrets.token_urlsafe(32))
            alertmanager = stack.enter_context(_alertmanager(folder, console_url))
            prometheus = stack.enter_context(children.empty_prometheus(folder))
            children.write_workspace_file(
                folder, prometheus=prometheus, alertmanager=alertmanager, console_url=console_url
            )
            seam = int(clock.now().timestamp() // 60)
            minutes = options.history // timedelta(minutes=1)
            simulation = Simulation(options.catalogue, seed=_SEED, start=seam - minutes, seam=seam)
            flags = stack.enter_context(flags_in(folder.flags))
            platform = LivePlatform(simulation, options.catalogue.faults, flags)
            token = secrets.token_urlsafe(32)
            server = stack.enter_context(serving(PlatformServer(platform, clock=clock, control_token=token)))
            outside = _opened(folder, server, stack)
            pages = status_pages(folder)
        if minutes:
            with steps.step("Importing the bills of two months") as report:
                bills.write_bills(folder, simulation, options.catalogue, clock.now())
                bills.import_bills(folder, clock.now(), report)
            write_past(simulation, _compiled(folder), prometheus.url, clock=clock, steps=steps)
            with steps.step("Writing what the status page told"):
                write_status_past(folder, pages, simulation, options.catalogue)
        else:
            bills.leave_out_bills(folder)
        with steps.step("Starting Flyball"):
            if minutes:
                with RemoteWriter(prometheus.url) as writer:
                    catch_up(platform, simulation.seam, clock.now(), writer.send)
            children.put_to_work(
                prometheus,
                folder,
                rule_glob=RuleFolderOnDisk(folder.rules).rule_files,
                scrape=children.scrape_configs(server.url, console_url),
                alertmanager=alertmanager,
            )
            reserved.close()
            people = stack.enter_context(reaching_people(folder, platform, console_url, clock))
            variables = {**outside.secrets.variables(), **people.variables}
            flyball = stack.enter_context(children.flyball_up(folder, console_url, variables))
        if minutes:
            with steps.step("Metering what tenants used this month"):
                _meter(simulation, folder, console_url, clock.now())
            with steps.step("Telling what was delivered this month"):
                _deliver(simulation, options.catalogue, folder, console_url)
        stack.enter_context(_releasing(options, platform, console_url, clock))
        probers: tuple[Server, ...] = ()
        if options.probers:
            probers = stack.enter_context(probing.probing(folder, outside.secrets, console_url))
        running = RunningDemo(
            os.getpid(),
            console_url,
            prometheus.url,
            alertmanager.url,
            server.url,
            token,
            app_url=outside.app_url,
            pager_url=people.url,
            status_url=f"{console_url}/status/{pages[0].name}/" if pages else "",
        )
        folder.tell(running)
        yield Demo(running, (alertmanager, prometheus, flyball), folder, platform, options.history, probers)


@dataclass(frozen=True, slots=True)
class _Outside:
    """The platform's pages, open in every region: where people find them, and the secrets of those who look at them."""

    app_url: str
    secrets: probing.ProbingSecrets


def _opened(folder: DemoFolder, platform: PlatformServer, stack: ExitStack) -> _Outside:
    given = probing.new_secrets(folder, ingress.REGIONS)
    certificates = make_certificates(folder.certificates, HOST, platform.clock.now())
    app = IntelGraphApp(AppState(given.credentials), platform.platform.broken, platform.platform.flags)
    ports = stack.enter_context(ingress.serving(app, platform.platform, certificates, clock=platform.clock))
    names = stack.enter_context(serving_names())
    pins = {
        f"{NAME_SERVER}:53": f"{servers.LOOPBACK}:{names}",
        f"{probing.KNOWN_GOOD}:80": platform.url.removeprefix("http://"),
    }
    probing.write_addresses(folder, ports, certificates.authority_file, pins)
    return _Outside(f"http://{servers.LOOPBACK}:{ports[0].http_port}", given)


def _meter(simulation: Simulation, folder: DemoFolder, console_url: str, now: datetime) -> None:
    first = now.astimezone(UTC).date().replace(day=1)
    bodies = usage_events.as_batches(usage_events.usage_events(simulation, first, now))
    feeding.send_usage(console_url, folder.usage_token.read_text(), bodies)


def _deliver(simulation: Simulation, catalogue: Catalogue, folder: DemoFolder, console_url: str) -> None:
    events = past_events(catalogue, simulation.seam, simulation.start, _SEED)
    telling.send(console_url, folder.events_token.read_text(), events)


def _releasing(
    options: DemoOptions, platform: LivePlatform, console_url: str, clock: Clock
) -> AbstractContextManager[None]:
    token = options.folder.events_token.read_text()

    def send(events: list[telling.CDEvent]) -> int:
        return telling.send(console_url, token, events)

    routine = Routine(send, running_versions(options.catalogue), clock.now())
    return releasing(Pipeline(send), routine, platform.broken, clock)


def _alertmanager(folder: DemoFolder, console_url: str) -> AbstractContextManager[Server]:
    alerts = alerts_in(read_folder(folder.workspace)[0]).declared
    config = children.alertmanager_config(alerts, console_url, folder.webhook_token, explained_in(folder.workspace))
    return servers.alertmanager(folder.root / "alertmanager", config=config, log=folder.logs / "alertmanager.log")


def explained_in(workspace: Path) -> tuple[Explains, ...]:
    """The same inhibitions as `flyball compile` writes for ladders."""
    documents, _ = read_kinds(read_folder(workspace)[0], (*MONEY_KINDS, *CHECK_KINDS, *ANOMALY_KINDS))
    return explained(ladders_of(documents).values)


def _compiled(folder: DemoFolder) -> Compiled:
    compiled = SLOWorkspace(folder.workspace, CompileOptions()).compile()
    if not compiled.files:
        raise Transient("the example workspace does not compile: " + "; ".join(map(str, compiled.problems)))
    return compiled


def _reserved(port: int, stack: ExitStack) -> socket.socket:
    """Listens at the console's address until Flyball does, so that nobody else takes it meanwhile.

    0 stands for the usual port if it is free, else for any. Raises `Transient` when the one asked for is taken.
    """
    for choice in (port,) if port else (CONSOLE_PORT, 0):
        try:
            if choice:
                _claim(choice, stack)
            return stack.enter_context(socket.create_server((servers.LOOPBACK, choice)))
        except OSError as error:
            reason = error
    raise Transient(f"the console cannot listen on port {port}: {reason.strerror}")


def _claim(port: int, stack: ExitStack) -> None:
    """Tell other demos to keep off, even while nobody listens: from here to Flyball it takes a second.

    An abstract Unix socket is a name that one process holds and that the kernel frees. Raises `OSError`.
    """
    claim = stack.enter_context(socket.socket(socket.AF_UNIX))
    claim.bind(f"\0flyball-demo-console-{port}")
