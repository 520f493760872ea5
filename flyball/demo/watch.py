"""The demo while it runs: says what there is, passes on what Flyball tells, notices when a part dies."""

import shlex
import time
from pathlib import Path
from typing import Final, NoReturn, TextIO

from controlplane.ports import Transient
from flyball.demo.folder import DemoFolder
from flyball.demo.run import Demo

_POLL_SECONDS: Final = 0.3
_TAIL_LINES: Final = 15


def welcome(demo: Demo, command: str) -> str:
    """The addresses and nine things to try; `command` is how the user calls flyball."""
    where = demo.running
    again = f"{command} demo" + (f" --folder {shlex.quote(str(demo.folder.root))}" if not_default(demo.folder) else "")
    if demo.history:
        page = "The page fires within 2 minutes:"
        past = (
            f"See the month that every budget has behind it:\n         {where.console_url}/slos/subscriptions-drop-rate"
        )
    else:
        page = "When budgets are known, in\n       6 minutes, the page fires within 2 minutes:"
        past = f"Watch budgets come into being, every 5 minutes:\n         {where.console_url}"
    return f"""
  The demo is ready.

    Console       {where.console_url}
    Prometheus    {where.prometheus_url}
    Alertmanager  {where.alertmanager_url}
    Platform      {where.platform_url}/metrics
    Its pages     {where.app_url}
    Status page   {where.status_url or "none is declared"}
    Pager         {where.pager_url}  (what reached people)

  Nine things to try:

    1. Break the gateway, in another terminal. {page}
         {again} break outage
       Heal it within 10 minutes, and the page resolves about 6 minutes later:
         {again} heal outage
    2. Let an agent loop. Within 6 minutes the downshift ladder is at tier 3, one verified step at a time; healed, it
       is back at full service within 12. Nothing fails meanwhile:
         {again} break spend
         {where.console_url}/ladders/intelgraph
         {again} heal spend
    3. Let a connector burn money. A ticket about the spike is told within 5 minutes. The ladder steps in; hold it first
       (flyball ladder hold), and the budget pages within 15:
         {again} break cost
         {where.console_url}/money
         {again} heal cost
    4. Cut off one of three regions. Within a minute its checks are down there, and nowhere else:
         {again} break region
         {where.console_url}/checks
         {again} heal region
    5. Acknowledge a page where it arrived; every other place knows. With PagerDuty away it comes by mail in a minute:
         {again} break pagerduty
         {where.pager_url}
         {where.console_url}/incidents
         {again} heal pagerduty
    6. Release something bad. The page fires within 3 minutes, and its incident is held against the release:
         {again} break release
         {where.console_url}/delivery/graphql-gateway
         {again} heal release
    7. Let a crawler ask five times what is usual. Nothing fails, no objective burns; within 6 minutes a ticket says
       what was expected at this hour:
         {again} break crawler
         {where.console_url}/anomalies
         {again} heal crawler
    8. Ask more of an objective; the new rules run within 10 seconds:
         {demo.folder.workspace / "slo" / "gateway.yaml"}
    9. {past}

  Ctrl-C ends everything.
"""


def not_default(folder: DemoFolder) -> bool:
    """Whether commands must name the folder to find the demo."""
    return folder.root.absolute() != DemoFolder.default().root.absolute()


def watch(demo: Demo, out: TextIO) -> NoReturn:
    """Pass on what Flyball tells until a signal ends it. Raises `Transient` with a log's end when a child dies."""
    told = demo.folder.logs / "told"
    position = 0
    while True:
        position = _pass_on(told, position, out)
        for child in demo.children:
            if child.process.poll() is not None:
                raise Transient(f"{child.name} ended with status {child.process.returncode}; {_tail(child.log)}")
        time.sleep(_POLL_SECONDS)


def _pass_on(path: Path, position: int, out: TextIO) -> int:
    with path.open("rb") as file:
        file.seek(position)
        new = file.read()
    if new:
        out.write(new.decode(errors="replace"))
        out.flush()
    return position + len(new)


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    return f"the end of {log}:\n" + "\n".join(f"  {line}" for line in lines)
