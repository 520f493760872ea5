"""The demo's child processes and how they know of each other."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from alerts.model import AlertsDeclared
from alerts.routing.alertmanager_yaml import alertmanager_yaml
from controlplane.model.inhibition import Inhibition
from finops.ladder.inhibition import Explains
from flyball.demo import servers
from flyball.demo.folder import DemoFolder
from flyball.demo.servers import Server
from flyball.settings import environment_of_child

SCRAPE_INTERVAL: Final = "5s"
_SUBJECT: Final = ("slo", "budget", "unit_cost", "tenant")  # labels that say what an alert is about
_OUT_OF_ORDER: Final = "35d"
_FLYBALL_PATIENCE_SECONDS: Final = 60.0


def alertmanager_config(
    alerts: AlertsDeclared, console_url: str, credentials_file: Path, on_purpose: Sequence[Explains] = ()
) -> dict[str, Any]:
    """The workspace's routes as `flyball compile` writes them, but told at once.

    A page keeps tickets about the same objective or budget quiet, and a tier of a ladder what it explains.
    """
    assert alerts.root is not None
    tickets = Inhibition(('severity="page"',), ('severity="ticket"',), _SUBJECT)
    explained = [Inhibition(each.source, each.target, ()) for each in on_purpose]
    text = alertmanager_yaml(
        alerts.root,
        alerts.windows,
        [tickets, *explained],
        external_url=console_url,
        credentials_file=str(credentials_file),
    )
    config: dict[str, Any] = yaml.safe_load(text)
    _quicken(config["route"])
    return config


def _quicken(route: dict[str, Any]) -> None:
    """Nobody wants to wait in a demo."""
    route |= {"group_wait": "1s", "group_interval": "5s"}
    for below in route.get("routes", ()):
        _quicken(below)


def scrape_configs(platform_url: str, console_url: str) -> list[dict[str, object]]:
    """The platform's pods, found by HTTP service discovery, and Flyball itself."""
    return [
        {
            "job_name": "intelgraph",
            "http_sd_configs": [{"url": f"{platform_url}/targets", "refresh_interval": SCRAPE_INTERVAL}],
        },
        {"job_name": "flyball", "static_configs": [{"targets": [console_url.removeprefix("http://")]}]},
    ]


def empty_prometheus(folder: DemoFolder) -> AbstractContextManager[Server]:
    """A Prometheus that takes the past and does nothing else yet: a scrape now would make the past out of order."""
    return servers.prometheus(
        folder.root / "prometheus",
        out_of_order=_OUT_OF_ORDER,
        block_duration=_OUT_OF_ORDER,
        log=folder.logs / "prometheus.log",
    )


def put_to_work(
    prometheus: Server, folder: DemoFolder, *, rule_glob: str, scrape: Sequence[dict[str, object]], alertmanager: Server
) -> None:
    """Let Prometheus scrape, read rules and send alerts from now on."""
    text = servers.prometheus_config(
        rule_globs=[rule_glob],
        scrape=scrape,
        alertmanager_url=alertmanager.url,
        scrape_interval=SCRAPE_INTERVAL,
        out_of_order=_OUT_OF_ORDER,
    )
    (folder.root / "prometheus" / servers.PROMETHEUS_FILE).write_text(text)
    httpx.post(f"{prometheus.url}/-/reload", timeout=30).raise_for_status()


def write_workspace_file(folder: DemoFolder, *, prometheus: Server, alertmanager: Server, console_url: str) -> None:
    """`flyball.yaml` with the addresses of this run, so that every command works in the copied workspace."""
    path = folder.workspace / "flyball.yaml"
    document = yaml.safe_load(path.read_text())
    document["spec"] |= {
        "prometheus": {"url": prometheus.url, "rulesDirectory": str(folder.rules)},
        "alertmanager": {"url": alertmanager.url},
        "console": {"listen": console_url.removeprefix("http://"), "externalUrl": console_url},
        "store": {"url": f"sqlite:///{folder.root / 'flyball.db'}"},
        "status": {"directory": str(folder.status)},
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def flyball_up(folder: DemoFolder, console_url: str, variables: Mapping[str, str]) -> AbstractContextManager[Server]:
    """`flyball up` on the copied workspace; what it tells on its console goes to `logs/told`.

    `variables` are what journeys sign in with (the ladder walks them before a step stands), and how people are reached.
    """
    command = [sys.executable, "-m", "flyball", "up", str(folder.workspace)]
    return servers.running(
        "Flyball",
        command,
        url=console_url,
        ready=lambda: servers.answers(f"{console_url}/readyz"),
        log=folder.logs / "flyball.log",
        output=folder.logs / "told",
        environment=environment_of_child(
            {
                "FLYBALL_WEBHOOK_TOKEN_FILE": str(folder.webhook_token),
                "FLYBALL_USAGE_TOKEN_FILE": str(folder.usage_token),
                "FLYBALL_EVENTS_TOKEN_FILE": str(folder.events_token),
                "FLYBALL_PROBER_TOKENS_FILE": str(folder.prober_tokens),
                **variables,
            }
        ),
        patience_seconds=_FLYBALL_PATIENCE_SECONDS,
    )
