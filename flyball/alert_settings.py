"""Settings of how alerts come in, how people answer, and what is told to the outside."""

from dataclasses import dataclass
from pathlib import Path

from flyball.secret import Secret
from flyball.setting_names import DEFAULT_VALUES


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """`webhook_url` is what Alertmanager delivers to (empty: the console's external URL), `webhook_token_file` the path
    of the file, on Alertmanager's machine, that holds the webhook's token.

    `spool_directory` keeps critical pages that came while the database was away. `commands_file` lists the commands
    that runbooks may run; None: none. `pagerduty_url` and `slack_url` are of channels that name no other.
    Answers from PagerDuty and Slack are taken only with their secrets set.
    """

    webhook_url: str = ""
    webhook_token_file: str = DEFAULT_VALUES["alertmanager.webhookTokenFile"]
    spool_directory: Path = Path(DEFAULT_VALUES["alerts.spoolDirectory"])
    commands_file: Path | None = None
    allow_private_webhooks: bool = False
    pagerduty_url: str = DEFAULT_VALUES["alerts.pagerdutyUrl"]
    slack_url: str = DEFAULT_VALUES["alerts.slackUrl"]
    mail_from: str = DEFAULT_VALUES["alerts.mailFrom"]
    pagerduty_webhook_secrets: tuple[Secret, ...] = ()
    slack_signing_secret: Secret | None = None
    heartbeat_url: Secret | None = None

    def secrets(self) -> tuple[Secret, ...]:
        """What must not show."""
        single = (self.slack_signing_secret, self.heartbeat_url)
        return (*self.pagerduty_webhook_secrets, *(secret for secret in single if secret))
