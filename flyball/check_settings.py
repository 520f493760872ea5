"""Settings of checks from outside, of probers that run them, and of status pages."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flyball.secret import Secret
from flyball.setting_names import DEFAULT_RESULT_DAYS, DEFAULT_VALUES


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """`region`: where this process probes from. `report_to` and `prober_token` are a prober's, `prober_tokens` ours:

    region and token, several of one region while it gets a new one. `directory` holds what a prober has not reported
    yet, and artifacts of failed journeys.
    """

    region: str = DEFAULT_VALUES["checks.region"]
    report_to: str = ""
    directory: Path = Path(DEFAULT_VALUES["checks.directory"])
    results_kept: timedelta = timedelta(days=DEFAULT_RESULT_DAYS)
    prober_token: Secret | None = None
    prober_tokens: tuple[tuple[str, Secret], ...] = ()

    def secrets(self) -> tuple[Secret, ...]:
        """What must not show."""
        own = (self.prober_token,) if self.prober_token else ()
        return (*own, *(token for _, token in self.prober_tokens))


@dataclass(frozen=True, slots=True)
class StatusSettings:
    """`directory`: folder or bucket that status pages are published to. `smtp_url`: smtp[s]://USER:PASSWORD@HOST:PORT.

    `keys` make the links of subscribers, the first one the new ones; without any nobody can subscribe.
    """

    directory: str = DEFAULT_VALUES["status.directory"]
    smtp_url: Secret | None = None
    allow_private_webhooks: bool = False
    keys: tuple[Secret, ...] = ()

    def secrets(self) -> tuple[Secret, ...]:
        """What must not show, the password apart as well."""
        if self.smtp_url is None:
            return self.keys
        password = urlsplit(self.smtp_url.reveal()).password or ""
        texts = {self.smtp_url.reveal(), password, unquote(password)}
        return (*self.keys, *(Secret(text) for text in sorted(texts) if text))
