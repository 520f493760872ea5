"""What a process is told: command line over environment over `flyball.yaml` over defaults.

Nobody else reads the environment. Every variable may be given as `NAME_FILE` too, the path of a file that holds the
value; secrets come in no other way.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from controlplane.ports import Permanent
from controlplane.problems import Problem
from flyball.alert_settings import AlertSettings
from flyball.check_settings import CheckSettings, StatusSettings
from flyball.event_settings import EventSettings
from flyball.ladder_settings import LadderSettings
from flyball.listen_address import ListenAddress
from flyball.ruler_settings import RulerSettings
from flyball.secret import Secret, masked
from flyball.setting_names import (
    DEFAULT_EVENT_DAYS,
    DEFAULT_LEASE_SECONDS,
)

__all__ = ["FILE_NAME", "ListenAddress", "Secret", "Settings", "load_from_process", "load_settings", "masked"]

FILE_NAME: Final = "flyball.yaml"

ReadFile = Callable[[Path], bytes]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a process needs to know about its surroundings.

    `database_url` may hold a password and is therefore a secret. URLs that may carry credentials come apart:
    `prometheus_url` has none, `prometheus_credentials` is `user:password` when there are some. Optional URLs are
    empty when not set. `alertmanager_is_named` tells whether somebody wrote its URL down.
    `warnings` do not keep anything from running.
    """

    folder: Path
    prometheus_url: str
    rules_directory: Path
    alertmanager_url: str
    grafana_url: str
    dashboards_directory: Path | None
    listen: ListenAddress
    external_url: str
    database_url: Secret
    runbook_url_template: str
    shared_above: int
    otlp_endpoint: str
    cost_directory: Path
    lease_ttl: timedelta = timedelta(seconds=DEFAULT_LEASE_SECONDS)
    events_kept: timedelta = timedelta(days=DEFAULT_EVENT_DAYS)
    alertmanager_is_named: bool = False
    prometheus_credentials: Secret | None = None
    webhook_token: Secret | None = None
    console_token: Secret | None = None
    usage_token: Secret | None = None
    ruler: RulerSettings | None = None
    checks: CheckSettings = field(default_factory=CheckSettings)
    status: StatusSettings = field(default_factory=StatusSettings)
    ladder: LadderSettings = field(default_factory=LadderSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    events: EventSettings = field(default_factory=EventSettings)
    log_format: str = ""
    log_level: str = "INFO"
    warnings: tuple[Problem, ...] = ()

    def secrets(self) -> tuple[Secret, ...]:
        """Every secret that this process knows, so that logs can be kept clean of them."""
        found = [self.prometheus_credentials, self.webhook_token, self.console_token, self.usage_token]
        known = {secret.reveal() for secret in found if secret}
        known.add(self.prometheus_credentials.reveal().partition(":")[2] if self.prometheus_credentials else "")
        database = urlsplit(self.database_url.reveal())
        known |= {database.password or "", unquote(database.password or "")}
        known |= {text for name, texts in parse_qs(database.query).items() if "passw" in name for text in texts}
        parts = (self.ruler, self.checks, self.status, self.alerts, self.events)
        known |= {secret.reveal() for part in parts if part for secret in part.secrets()}
        return tuple(Secret(text) for text in sorted(known) if text)

    @property
    def rule_engine(self) -> str:
        """What evaluates our rules, for messages: `Prometheus at http://…`."""
        if self.ruler:
            return f"{self.ruler.target.capitalize()} at {self.ruler.url}"
        return f"Prometheus at {self.prometheus_url}"


def load_settings(
    folder: Path,
    environ: Mapping[str, str],
    *,
    command_line: Mapping[str, str] | None = None,
    read_file: ReadFile = Path.read_bytes,
) -> Settings | list[Problem]:
    """The settings for the workspace in `folder`, or everything that is wrong with them.

    `command_line` maps paths such as `console.listen` to values. A missing `flyball.yaml` means defaults. Relative
    paths are relative to `folder`. Warnings alone do not stop it; they are in the settings.
    """
    from flyball.setting_reader import SettingReader

    reader = SettingReader(folder, environ, read_file)
    reader.read_workspace()
    reader.read_environment()
    reader.read_command_line(command_line or {})
    return reader.settings()


def load_from_process(folder: Path, command_line: Mapping[str, str] | None = None) -> Settings | list[Problem]:
    """`load_settings` with this process's environment."""
    return load_settings(folder, os.environ, command_line=command_line)  # noqa: TID251 -- the one place


def environment_of_child(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's environment for a child whose settings are only these `FLYBALL_*` variables."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLYBALL_")}  # noqa: TID251
    return {**inherited, **variables}


def variables_of(names: Iterable[str]) -> dict[str, str]:
    """The values of variables that documents of a workspace name, such as a bucket's key; unset ones lack."""
    return {name: os.environ[name] for name in names if os.environ.get(name)}  # noqa: TID251


def secrets_of(names: Iterable[str]) -> dict[str, str]:
    """The same for variables that hold secrets: NAME, or the text of the file that NAME_FILE names.

    Raises `Permanent` for a file that cannot be read; its text says none of it.
    """
    wanted = frozenset(names)
    found = variables_of(wanted)
    for name, path in variables_of(f"{name}_FILE" for name in wanted if name not in found).items():
        try:
            found[name.removesuffix("_FILE")] = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Permanent(f"the file that {name} names cannot be read: {type(error).__name__}") from None
    return found


def cache_folder() -> Path | None:
    """Where this user's programs keep what can be made again (XDG base directories); None without a home."""
    environ = os.environ  # noqa: TID251
    given, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "")
    base = Path(given) if given.startswith("/") else Path(home) / ".cache" if home else None
    return base / "flyball" if base else None
