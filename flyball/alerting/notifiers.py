"""Channels as they are declared → who delivers for them."""

from collections.abc import Callable

from alerts.adapters.pagerduty import PagerDutyNotifier
from alerts.adapters.slack import SlackNotifier
from alerts.adapters.slack_api import SlackApi
from alerts.delivery.rates import Rates
from alerts.delivery.showing import Showing
from alerts.ports import Notifier
from alerts.routing.model import Channel, ChannelKind
from controlplane.ports import Clock
from flyball.alert_settings import AlertSettings
from flyball.settings import secrets_of


def secret(name: str) -> str | None:
    """The value of a variable that a document names for a secret; None where it is not set. Read anew each time."""
    return secrets_of((name,)).get(name)


class Notifiers:
    """Makes notifiers. `showing` keeps what is outside in step, `rates` counts calls by provider's key."""

    def __init__(self, settings: AlertSettings, showing: Showing, rates: Rates, clock: Clock) -> None:
        self._settings = settings
        self._showing = showing
        self._rates = rates
        self._clock = clock

    def of(self, channel: Channel) -> Notifier | None:
        """The one of a channel; None for the console, which has a lane of its own."""
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
            case _:
                return None

    def slack(self, channel: Channel) -> SlackApi:
        """The way to a Slack channel."""
        return SlackApi(
            _reading(channel, "tokenFrom"),
            self._rates.of(channel),
            now=self._clock.now,
            url=channel.settings.get("url") or f"{self._settings.slack_url}/",
        )

    def _pagerduty(self, channel: Channel) -> Notifier:
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
