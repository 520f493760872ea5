"""A workspace with people, and its database."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from controlplane.store import SqlStore
from flyball.cli import ExitCode
from tests.alerts.kept_store import kept_store

PEOPLE = """\
apiVersion: flyball.dev/v1
kind: Receiver
metadata: {name: chat}
spec: {channels: [{console: {}}]}
---
apiVersion: flyball.dev/v1
kind: Receiver
metadata: {name: sre-page}
spec: {channels: [{console: {}}]}
---
apiVersion: flyball.dev/v1
kind: EscalationPolicy
metadata: {name: p0}
spec: {steps: [{after: 5m, notify: [{receiver: chat}]}]}
---
apiVersion: flyball.dev/v1
kind: Route
metadata: {name: default}
spec: {default: true, receivers: [chat], groupBy: [service], groupWait: 10s, groupInterval: 1m}
---
apiVersion: flyball.dev/v1
kind: Route
metadata: {name: pages}
spec: {order: 10, match: ['severity="page"'], receivers: [sre-page], escalation: p0}
"""


class Workspace:
    """Its folder, its store, and commands on it."""

    def __init__(self, folder: Path, store: SqlStore) -> None:
        self.folder = folder
        self.store = store
        self.url = f"sqlite:///{folder}/state.db"
        self.write("people.yaml", PEOPLE)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def run(self, command: Any, *words: str) -> tuple[int, str]:
        """Exit status and output, ids as ID."""
        result = CliRunner().invoke(_app(command), [*words, "--database", self.url])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, re.sub(r"\b[0-9a-f]{12}\b", "ID", result.output)

    def data(self, command: Any, *words: str, code: int = ExitCode.OK) -> Any:
        result = CliRunner().invoke(_app(command), [*words, "--database", self.url, "--json"])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)


def _app(command: Any) -> typer.Typer:
    if isinstance(command, typer.Typer):
        return command
    app = typer.Typer(rich_markup_mode=None)
    app.command()(command)
    return app


@contextmanager
def workspace(folder: Path) -> Iterator[Workspace]:
    """One of its own."""
    with kept_store(folder) as store:
        yield Workspace(folder, store)
