"""Settings from what was given: `flyball.yaml`, environment, command line; and everything that is wrong with it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from controlplane.model.source import SourcePosition
from controlplane.problems import Problem, Severity, in_order
from flyball.alert_settings import AlertSettings
from flyball.check_settings import CheckSettings, StatusSettings
from flyball.event_settings import EventSettings
from flyball.ladder_settings import LadderSettings
from flyball.listen_address import ListenAddress, listen_address
from flyball.ruler_settings import RulerSettings
from flyball.secret import Secret
from flyball.setting_names import DEFAULT_VALUES, DOCUMENT_SECRETS, FLAG_STORE_SECRETS, VARIABLES
from flyball.settings import FILE_NAME, Settings
from flyball.url_texts import in_url, split_url

if TYPE_CHECKING:
    from controlplane.specfile import Document

ENVIRONMENT: Final = "environment"
DEFAULTS: Final = "defaults"
COMMAND_LINE: Final = "command line"
_MAX_SECRET_BYTES: Final = 65_536
_LEAST_TOKEN_CHARACTERS: Final = 32
_LEAST_EVENT_SECRET: Final = 16
_SIGNING: Final = ("github", "gitlab", "pagerduty")  # senders of events that sign them
_LINES: Final = (  # may be given as several lines
    "prober tokens",
    "status keys",
    "pagerduty webhook secrets",
    "events token",
    *(f"events {sender} secret" for sender in _SIGNING),
)

ReadFile = Callable[[Path], bytes]


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as somebody wrote it, and where."""

    text: str
    position: SourcePosition
    field: str
    trusted: bool  # may hold a password: it did not come from a file in git


_NOT_SETTINGS: Final = {"FLYBALL_GOLDEN", *FLAG_STORE_SECRETS, *(f"{name}_FILE" for name in FLAG_STORE_SECRETS)}
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingReader:
    """Collects values from the four sources, and problems on the way."""

    def __init__(self, folder: Path, environ: Mapping[str, str], read_file: ReadFile) -> None:
        self._folder = folder
        self._environ = environ
        self._read_file = read_file
        self._problems: list[Problem] = []
        nowhere = SourcePosition(DEFAULTS, 1, 1)
        self._given = {name: _Given(text, nowhere, name, True) for name, text in DEFAULT_VALUES.items()}

    # --- sources ------------------------------------------------------------------------------------------------------

    def read_workspace(self) -> None:
        """Take what `flyball.yaml` says."""
        from controlplane.specfile import SourceFile, read
        from flyball.kinds import KINDS

        path = self._folder / FILE_NAME
        try:
            content = self._read_file(path)
        except FileNotFoundError:
            return
        except OSError as error:
            self._problems.append(Problem(str(path), 1, 1, "", f"cannot be read: {error.strerror}", rule="settings"))
            return
        result = read([SourceFile(str(path), content)], KINDS)
        self._problems.extend(result.problems)
        workspaces = [document for document in result.documents if document.kind.name == "Workspace"]
        for extra in workspaces[1:]:
            message = "a second Workspace; one file names the backends once"
            self._problems.append(Problem.at(extra.position, "kind", message, rule="settings"))
        if workspaces:
            self._take_document(workspaces[0])

    def _take_document(self, document: "Document") -> None:
        spec = document.value.model_dump(by_alias=True, exclude_none=True)["spec"]
        for part, values in spec.items():
            for key, value in values.items():
                position = document.position_of("spec", part, key)
                self._given[f"{part}.{key}"] = _Given(str(value), position, f"spec.{part}.{key}", False)

    def read_environment(self) -> None:
        """Take what the environment says; empty variables count as not set."""
        known = set(VARIABLES.values()) | {f"{variable}_FILE" for variable in VARIABLES.values()} | _NOT_SETTINGS
        for name, variable in VARIABLES.items():
            text = self._variable(variable, lines=name in _LINES)
            if text:
                self._given[name] = _Given(text, SourcePosition(ENVIRONMENT, 1, 1), variable, True)
        for variable in sorted(self._environ):
            if variable.startswith("FLYBALL_") and not variable.startswith(DOCUMENT_SECRETS) and variable not in known:
                self._complain_in_environment(variable, "not a setting that Flyball knows", Severity.WARNING)

    def _variable(self, variable: str, *, lines: bool = False) -> str:
        text, path = self._environ.get(variable, ""), self._environ.get(f"{variable}_FILE", "")
        if not path:
            return text
        if text:
            self._complain_in_environment(variable, f"set together with {variable}_FILE; keep one of them")
            return ""
        try:
            content = self._read_file(self._folder / path)
            secret = content[: _MAX_SECRET_BYTES + 1].decode().rstrip("\r\n")
            secret = " ".join(secret.split()) if lines else secret
        except OSError as error:
            self._complain_in_environment(f"{variable}_FILE", f"{path} cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            self._complain_in_environment(f"{variable}_FILE", f"{path} is not UTF-8 text")
        else:
            if secret and len(content) <= _MAX_SECRET_BYTES and secret.isprintable():
                return secret
            self._complain_in_environment(f"{variable}_FILE", f"{path} must hold one line of text, and nothing else")
        return ""

    def read_command_line(self, options: Mapping[str, str]) -> None:
        """Take what was typed."""
        for name, text in options.items():
            self._given[name] = _Given(text, SourcePosition(COMMAND_LINE, 1, 1), name, True)

    # --- values -------------------------------------------------------------------------------------------------------

    def settings(self) -> Settings | list[Problem]:
        """Settings, or the problems met."""
        prometheus_url, credentials = self._url_and_credentials("prometheus.url")
        settings = Settings(
            folder=self._folder,
            prometheus_url=prometheus_url,
            prometheus_credentials=credentials,
            rules_directory=self._folder / self._text("prometheus.rulesDirectory"),
            alertmanager_url=self._url("alertmanager.url"),
            alertmanager_is_named=self._given["alertmanager.url"].position.path != DEFAULTS,
            grafana_url=self._url("grafana.url"),
            dashboards_directory=self._optional_folder("grafana.dashboardsDirectory"),
            listen=self._listen(),
            external_url=self._url("console.externalUrl"),
            database_url=Secret(self._database_url()),
            runbook_url_template=self._runbook_template(),
            cost_directory=self._folder / self._text("cost.directory"),
            shared_above=self._number("slo.sharedAbove", 0, 10**9),
            otlp_endpoint=self._url("tracing.endpoint"),
            lease_ttl=timedelta(seconds=self._number("store.leaseSeconds", 2, 300)),
            events_kept=timedelta(days=self._number("store.eventDays", 1, 36_500)),
            webhook_token=self._secret("webhook token"),
            console_token=self._secret("console token"),
            usage_token=self._secret("usage token"),
            ruler=self._ruler(),
            checks=self._checks(),
            status=self._status(),
            ladder=LadderSettings(self._folder / self._text("ladder.stopFile"), self._text("ladder stop").strip()),
            alerts=self._alerts(),
            events=self._events(),
            log_format=self._choice("log format", ("", "json", "logfmt")),
            log_level=self._choice("log level", _LEVELS),
            warnings=tuple(self._of(Severity.WARNING)),
        )
        return settings if not self._of(Severity.ERROR) else in_order(self._problems)

    def _of(self, severity: Severity) -> list[Problem]:
        return in_order(problem for problem in self._problems if problem.severity is severity)

    def _text(self, name: str) -> str:
        given = self._given.get(name)
        return given.text if given else ""

    def _optional_folder(self, name: str) -> Path | None:
        text = self._text(name)
        return self._folder / text if text else None

    def _complain(self, name: str, message: str, hint: str = "") -> None:
        given = self._given[name]
        self._problems.append(Problem.at(given.position, given.field, message, hint=hint, rule="settings"))

    def _complain_in_environment(self, variable: str, message: str, severity: Severity = Severity.ERROR) -> None:
        position = SourcePosition(ENVIRONMENT, 1, 1)
        self._problems.append(Problem.at(position, variable, message, severity=severity, rule="settings"))

    def _secret(self, name: str) -> Secret | None:
        text = self._text(name)
        return Secret(text) if text else None

    def _choice(self, name: str, choices: tuple[str, ...]) -> str:
        text = self._text(name)
        matching = [choice for choice in choices if choice.lower() == text.lower()]
        if not matching:
            self._complain(name, f"must be one of {', '.join(choice for choice in choices if choice)}")
        return matching[0] if matching else choices[0]

    def _number(self, name: str, least: int, most: int) -> int:
        text = self._text(name)
        if re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most:
            return int(text)
        self._complain(name, f"must be a whole number from {least} to {most}")
        return least

    def _url(self, name: str) -> str:
        url, credentials = self._url_and_credentials(name)
        if credentials:
            self._complain(name, "must not hold a user or password: it is shown to people")
        return url

    def _url_and_credentials(self, name: str) -> tuple[str, Secret | None]:
        text = self._text(name).strip()
        if not text:
            return "", None
        parts = split_url(text)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            self._complain(name, "must be a URL such as http://127.0.0.1:9090")
            return "", None
        if parts.query or parts.fragment:
            self._complain(name, "must be a base URL, without ? and #")
        user, at, host = parts.netloc.rpartition("@")
        if at and not self._given[name].trusted:
            self._complain(name, "holds a user or password, and this file is in git", self._way_out(name))
            return "", None
        bare = parts._replace(netloc=host, query="", fragment="").geturl().rstrip("/")
        return bare, Secret(user) if at else None

    def _way_out(self, name: str) -> str:
        return f"leave it out here and set {VARIABLES[name]} or {VARIABLES[name]}_FILE"

    def _checks(self) -> CheckSettings:
        return CheckSettings(
            region=self._region(),
            report_to=self._url("checks.reportTo"),
            directory=self._folder / self._text("checks.directory"),
            results_kept=timedelta(days=self._number("checks.resultDays", 1, 400)),
            prober_token=self._long_secret("prober token"),
            prober_tokens=self._prober_tokens(),
        )

    def _status(self) -> StatusSettings:
        return StatusSettings(
            self._text("status.directory").strip(),
            self._smtp_url(),
            self._flag("status.allowPrivateWebhooks"),
            self._status_keys(),
        )

    def _alerts(self) -> AlertSettings:
        keys = self._text("pagerduty webhook secrets").replace(",", " ").split()
        return AlertSettings(
            webhook_url=self._url("alertmanager.webhookUrl"),
            webhook_token_file=self._text("alertmanager.webhookTokenFile").strip(),
            spool_directory=self._folder / self._text("alerts.spoolDirectory"),
            commands_file=self._optional_folder("alerts.commandsFile"),
            allow_private_webhooks=self._flag("alerts.allowPrivateWebhooks"),
            pagerduty_url=self._url("alerts.pagerdutyUrl"),
            slack_url=self._url("alerts.slackUrl"),
            mail_from=self._text("alerts.mailFrom").strip(),
            pagerduty_webhook_secrets=tuple(map(Secret, keys)),
            slack_signing_secret=self._secret("slack signing secret"),
            heartbeat_url=self._heartbeat_url(),
        )

    def _events(self) -> EventSettings:
        signing = {sender: self._several(f"events {sender} secret") for sender in _SIGNING}
        return EventSettings(
            tokens=self._several("events token"),
            signing={sender: secrets for sender, secrets in signing.items() if secrets},
            clock_tolerance=timedelta(seconds=self._number("events.clockToleranceSeconds", 0, 86_400)),
            kept=timedelta(days=self._number("events.keptDays", 1, 36_500)),
            repositories=self._folder / self._text("events.repositoriesDirectory"),
        )

    def _several(self, name: str) -> tuple[Secret, ...]:
        """Secrets by commas or spaces; too short ones are refused: they could be guessed."""
        found = self._text(name).replace(",", " ").split()
        if any(len(each) < _LEAST_EVENT_SECRET for each in found):
            self._complain(
                name, f"must have {_LEAST_EVENT_SECRET} characters or more; `openssl rand -hex 32` makes one"
            )
        return tuple(map(Secret, found))

    def _heartbeat_url(self) -> Secret | None:
        secret = self._secret("heartbeat url")
        parts = split_url(secret.reveal()) if secret else None
        if secret and (parts is None or parts.scheme not in ("http", "https") or not parts.hostname):
            self._complain("heartbeat url", "must be a URL such as https://hc.example.com/ping/…")
        return secret

    def _smtp_url(self) -> Secret | None:
        secret = self._secret("smtp url")
        parts = split_url(secret.reveal()) if secret else None
        if secret and (parts is None or parts.scheme not in ("smtp", "smtps") or not parts.hostname):
            self._complain("smtp url", "must be a URL such as smtp://USER:PASSWORD@mail.example.com:587")
        return secret

    def _status_keys(self) -> tuple[Secret, ...]:
        keys = self._text("status keys").replace(",", " ").split()
        if any(len(key) < _LEAST_TOKEN_CHARACTERS for key in keys):
            what = f"must hold keys of {_LEAST_TOKEN_CHARACTERS} characters or more; `openssl rand -hex 32` makes one"
            self._complain("status keys", what)
        return tuple(map(Secret, keys))

    def _region(self) -> str:
        text = self._text("checks.region").strip()
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", text):
            self._complain("checks.region", "must be the name of a region: lower-case letters, digits and `-`")
        return text

    def _flag(self, name: str) -> bool:
        return self._choice(name, ("false", "true")) == "true"

    def _long_secret(self, name: str) -> Secret | None:
        secret = self._secret(name)
        if secret and len(secret.reveal()) < _LEAST_TOKEN_CHARACTERS:
            self._complain(
                name, f"must have at least {_LEAST_TOKEN_CHARACTERS} characters; `openssl rand -hex 32` makes one"
            )
        return secret

    def _prober_tokens(self) -> tuple[tuple[str, Secret], ...]:
        found = []
        for entry in self._text("prober tokens").replace(",", " ").split():
            region, equals, token = entry.partition("=")
            if not equals or not region or len(token) < _LEAST_TOKEN_CHARACTERS:
                shape = (
                    f"must hold REGION=TOKEN for each region, tokens of {_LEAST_TOKEN_CHARACTERS} characters or more"
                )
                self._complain("prober tokens", shape)
                return ()
            found.append((region, Secret(token)))
        return tuple(found)

    def _ruler(self) -> RulerSettings | None:
        target = self._choice("rules.target", ("prometheus", "mimir", "cortex"))
        url, credentials = self._url_and_credentials("rules.url")
        if target == "prometheus":
            return None
        if not self._text("rules.url"):
            self._complain(
                "rules.target", f"{target} needs rules.url", f"such as https://{target}.example.com/prometheus"
            )
        namespace = self._text("rules.namespace").strip()
        if not namespace or "/" in namespace:
            self._complain("rules.namespace", "must not be empty or hold a `/`")
        tenant = self._text("rules.tenant").strip()
        if not tenant.isascii() or not tenant.isprintable():
            self._complain("rules.tenant", "must be printable ASCII: it is sent as a header")
        given = self._secret("ruler credentials") or credentials
        return RulerSettings(target, url, namespace, tenant, self._secret("ruler token"), given)

    def _listen(self) -> ListenAddress:
        text = self._text("console.listen").strip()
        if address := listen_address(text):
            return address
        self._complain("console.listen", "must be HOST:PORT, such as 127.0.0.1:8321, [::1]:8321 or 0.0.0.0:8321")
        return ListenAddress("127.0.0.1", 0)

    def _database_url(self) -> str:
        text = self._text("store.url").strip()
        parts = split_url(text)
        scheme = parts.scheme.partition("+")[0] if parts else ""
        if parts is None or scheme not in ("sqlite", "postgresql", "postgres"):
            self._complain("store.url", "must begin with sqlite:/// or postgresql://")
            return ""
        password_in_query = re.search(r"(?i)(^|&)(ssl)?(password|passwd)=", parts.query)
        if (parts.password or password_in_query) and not self._given["store.url"].trusted:
            self._complain("store.url", "holds a password, and this file is in git", self._way_out("store.url"))
            return ""
        if scheme != "sqlite":
            return "postgresql+psycopg://" + text.split("://", 1)[1]
        return self._sqlite_url(text)

    def _sqlite_url(self, text: str) -> str:
        path = re.sub(r"^sqlite(\+[a-z]+)?:/{0,3}", "", text, count=1)
        absolute = text.partition("://")[2].startswith("//")
        if not path or ":memory:" in path or "?" in path:
            self._complain("store.url", "must name a file, such as sqlite:///.flyball/flyball.db")
            return ""
        if absolute:
            return f"sqlite:////{path.lstrip('/')}"
        return f"sqlite:///{in_url(self._folder.absolute())}/{path}"

    def _runbook_template(self) -> str:
        text = self._text("slo.runbookUrl")
        unknown = [name for name in re.findall(r"\{([^{}]*)\}", text) if name not in ("service", "slo")]
        if unknown:
            self._complain("slo.runbookUrl", f"knows {{service}} and {{slo}}, not {{{unknown[0]}}}")
        elif text and not re.match(r"https?://", text):
            self._complain("slo.runbookUrl", "must begin with http:// or https://")
        return text
