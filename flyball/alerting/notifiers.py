"""Channels as they are declared → who delivers for them."""

from collections.abc import Callable
from typing import Protocol

from alerts.adapters.email import EmailNotifier
from alerts.adapters.pagerduty import PagerDutyNotifier
from alerts.adapters.slack import SlackNotifier
from alerts.adapters.slack_api import SlackApi
from alerts.adapters.webhook import WebhookNotifier
from alerts.delivery.rates import Rates
from alerts.delivery.showing import Showing, Shows
from alerts.ports import Notifier
from alerts.routing.model import Channel, ChannelKind
from controlplane.adapters.outside_http import Outside
from controlplane.adapters.smtp import Smtp, mail_account
from controlplane.ports import Clock, Permanent
from flyball.alert_settings import AlertSettings
from flyball.secret import Secret
from flyball.settings import secrets_of


def secret(name: str) -> str | None:
    """The value of a variable that a document names for a secret; None where it is not set. Read anew each time."""
    return secrets_of((name,)).get(name)


class Teller(Notifier, Shows, Protocol):
    """Delivers messages of a channel, and can show a snapshot there without the store."""


class Notifiers:
    """Makes notifiers. `showing` keeps what is outside in step, `rates` counts calls by provider's key."""

    def __init__(
        self, settings: AlertSettings, smtp_url: Secret | None, showing: Showing, rates: Rates, clock: Clock
    ) -> None:
        self._settings = settings
        self._smtp = Smtp(mail_account(smtp_url.reveal())) if smtp_url else None
        self._outside = Outside(allows_private=settings.allow_private_webhooks)
        self._showing = showing
        self._rates = rates
        self._clock = clock

    def of(self, channel: Channel) -> Teller | None:
        """The one of a channel; None for the console, which has a lane of its own.

        Raises `Permanent` for mail without a mail server.
        """
        match channel.kind:
            case ChannelKind.PAGERDUTY:
                return self._pagerduty(channel)
            case ChannelKind.SLACK:
                return SlackNotifier(
                    channel.name,
                    channel.settings["channel"],
                    self.slack(channel),
                    self._showing,
                    with_buttons=self._settings.slack_signing_secret is not None,
                )
            case ChannelKind.EMAIL:
                return self._email(channel)
            case ChannelKind.WEBHOOK:
                return WebhookNotifier(
                    channel.name,
                    channel.settings["url"],
                    _reading(channel, "secretFrom"),
                    self._outside,
                    self._showing,
                    self._rates.of(channel),
                    now=self._clock.now,
                )
            case ChannelKind.CONSOLE:
                return None

    def slack(self, channel: Channel) -> SlackApi:
        """The way to a Slack channel."""
        return SlackApi(
            _reading(channel, "tokenFrom"),
            self._rates.of(channel),
            now=self._clock.now,
            url=channel.settings.get("url") or f"{self._settings.slack_url}/",
        )

    def _email(self, channel: Channel) -> Teller:
        if self._smtp is None:
            raise Permanent("no mail server is configured: set FLYBALL_SMTP_URL or FLYBALL_SMTP_URL_FILE")
        return EmailNotifier(
            channel.name,
            [each.strip() for each in channel.settings["to"].split(",")],
            self._smtp,
            self._showing,
            self._rates.of(channel),
            sender=channel.settings.get("from") or self._settings.mail_from,
            now=self._clock.now,
        )

    def _pagerduty(self, channel: Channel) -> Teller:
        return PagerDutyNotifier(
            channel.name,
            _reading(channel, "routingKeyFrom"),
            self._showing,
            self._rates.of(channel),
            now=self._clock.now,
            url=channel.settings.get("url") or self._settings.pagerduty_url,
        )


def _reading(channel: Channel, setting: str) -> Callable[[], str | None]:
    variable = channel.settings.get(setting, "")
    return lambda: secret(variable) if variable else None
