"""Slack's Web API through slack-sdk: errors sorted by what can be done about them. The outbox owns all retries."""

import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from http.client import HTTPException
from typing import Any, Final, Protocol

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from alerts.adapters.in_time import InTime
from alerts.delivery.rates import Rate
from alerts.ports import RateLimited
from alerts.slack.blocks import Block
from alerts.slack.marks import Mark
from alerts.slack.message import SlackMessage
from controlplane.ports import Permanent, Transient

CALL_SECONDS: Final = 8.0
ASKING_SECONDS: Final = 0.8  # while somebody waits for our answer
_PAGE: Final = 200
_MOST_PAGES: Final = 5
_LONGEST_PAUSE: Final = timedelta(hours=1)
_PAUSE: Final = timedelta(seconds=30)  # where Slack does not say how long
_GONE: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})
_CONTENT: Final = frozenset(
    {
        "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text",
        "metadata_too_large", "invalid_metadata_format", "invalid_metadata_schema", "invalid_arguments",
    }
)  # fmt: skip
_LIMITED: Final = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_TO_MEND: Final = {
    "invalid_auth": "the token is not valid",
    "not_authed": "there is no token",
    "account_inactive": "the token's account or app was removed",
    "token_revoked": "the token was revoked",
    "token_expired": "the token has expired",
    "missing_scope": "the app lacks a scope",
    "not_in_channel": "invite the app to the channel",
    "channel_not_found": "there is no such channel, or the app was not invited to it",
    "is_archived": "the channel is archived",
    "restricted_action": "the app may not post there",
    "no_permission": "the app may not do that",
}
_UNKNOWN_OUTCOME: Final = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})

_sdk_log: Final = logging.getLogger("alerts.adapters.slack_api.sdk")
_sdk_log.setLevel(logging.CRITICAL)  # we say ourselves what failed; in detail it would write bodies down


class _Page(Protocol):
    def __call__(self, token: str, *, cursor: str) -> Any: ...


class Refused(Transient):
    """Slack took nothing, for a reason that somebody can mend: a token, a scope, a channel."""


class ContentRefused(Permanent):
    """Slack does not take these blocks or this text."""


class MessageGone(Permanent):
    """The message is not there any more, or may not be changed any more."""


class SlackApi:
    """The few methods that we use, each call bounded in time. What writes is counted by `rate`.

    `token` reads the token anew for each call, so that a changed one is used at once. `now` says from when on a pause
    counts.
    """

    def __init__(
        self,
        token: Callable[[], str | None],
        rate: Rate,
        *,
        now: Callable[[], datetime],
        url: str = "",
        tls: ssl.SSLContext | None = None,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._token = token
        self._rate = rate
        address = url or WebClient.BASE_URL
        trust = tls or (ssl.create_default_context() if address.startswith("https://") else None)
        self._client = WebClient(
            base_url=address, timeout=max(1, int(call_seconds)), ssl=trust, retry_handlers=[], logger=_sdk_log
        )
        self._now = now
        self._in_time = InTime("Slack", call_seconds)
        self._at_once = InTime("Slack", min(ASKING_SECONDS, call_seconds))

    def post(
        self, channel: str, message: SlackMessage, mark: Mark, *, urgency: int, thread: str = ""
    ) -> tuple[str, str]:
        """Post it, into a thread if one is named; its `ts` and the id of the channel.

        Raises `Refused`, `ContentRefused` and `RateLimited` when it is certain that nothing was posted, and `Transient`
        when it is not.
        """
        self._rate.take(urgency)
        answer = self._call(
            lambda token: self._client.chat_postMessage(
                token=token,
                channel=channel,
                text=message.text,
                blocks=_copied(message.blocks),
                thread_ts=thread or None,
                metadata=dict(mark.metadata()),
                unfurl_links=False,
                unfurl_media=False,
            )
        )
        ts, place = answer.get("ts"), answer.get("channel")
        if not isinstance(ts, str) or not isinstance(place, str):
            raise Transient("Slack's answer names no message")
        return ts, place

    def update(self, place: str, ts: str, message: SlackMessage, mark: Mark, *, urgency: int) -> None:
        """Change it in place. Raises `MessageGone` as well."""
        self._rate.take(urgency)
        self._call(
            lambda token: self._client.chat_update(
                token=token,
                channel=place,
                ts=ts,
                text=message.text,
                blocks=_copied(message.blocks),
                metadata=dict(mark.metadata()),
            )
        )

    def delete(self, place: str, ts: str) -> None:
        """Remove one of our own; one that is gone is no error."""
        try:
            self._call(lambda token: self._client.chat_delete(token=token, channel=place, ts=ts))
        except MessageGone:
            return

    def permalink(self, place: str, ts: str) -> str:
        """The address of a message; empty when Slack tells none."""
        answer = self._call(lambda token: self._client.chat_getPermalink(token=token, channel=place, message_ts=ts))
        found = answer.get("permalink")
        return found if isinstance(found, str) and found.startswith("https://") else ""

    def user_name(self, user: str) -> str:
        """What somebody is called; empty when Slack does not tell, such as without the scope users:read."""
        answer = self._call(lambda token: self._client.users_info(token=token, user=user), self._at_once)
        found = answer.get("user")
        if not isinstance(found, dict):
            return ""
        profile = found.get("profile")
        shown = profile.get("display_name") if isinstance(profile, dict) else ""
        return str(shown or found.get("real_name") or found.get("name") or "")

    def since(self, place: str, oldest: datetime) -> list[Mapping[str, object]]:
        """Messages of a channel since then, replies aside: at most a thousand, with their metadata."""
        return self._pages(
            lambda token, *, cursor: self._client.conversations_history(
                token=token,
                channel=place,
                oldest=f"{oldest.timestamp():.6f}",
                inclusive=True,
                include_all_metadata=True,
                limit=_PAGE,
                cursor=cursor or None,
            )
        )

    def replies(self, place: str, ts: str) -> list[Mapping[str, object]]:
        """The message and its replies, at most a thousand, with their metadata."""
        return self._pages(
            lambda token, *, cursor: self._client.conversations_replies(
                token=token, channel=place, ts=ts, include_all_metadata=True, limit=_PAGE, cursor=cursor or None
            )
        )

    def _pages(self, ask: _Page) -> list[Mapping[str, object]]:
        found: list[Mapping[str, object]] = []
        cursor = ""
        for _ in range(_MOST_PAGES):
            answer = self._call(partial(ask, cursor=cursor))
            messages = answer.get("messages")
            found += [each for each in messages if isinstance(each, dict)] if isinstance(messages, list) else []
            further = answer.get("response_metadata")
            cursor = str(further.get("next_cursor") or "") if isinstance(further, dict) else ""
            if not cursor:
                break
        return found

    def _call(self, ask: Callable[[str], Any], in_time: InTime | None = None) -> Mapping[str, object]:
        token = self._token()
        if not token:
            raise Refused("Slack: the token is not set")
        try:
            answer = (in_time or self._in_time).call(lambda: ask(token)).data
        except SlackApiError as error:
            raise self._sorted(error.response) from None
        except (OSError, HTTPException, SlackClientError) as error:
            raise Transient(f"Slack is unreachable: {type(error).__name__}") from None
        except (AttributeError, TypeError, ValueError) as error:  # the SDK's way with JSON that is no object
            raise Transient(f"Slack's answer is none of Slack's: {type(error).__name__}") from None
        if not isinstance(answer, dict):
            raise Transient("Slack's answer is none of Slack's")
        return answer

    def _sorted(self, response: Any) -> Exception:
        status, data = int(response.status_code), response.data
        error = str(data.get("error") or "") if isinstance(data, dict) else ""
        if status == 429 or error in _LIMITED:
            return RateLimited("Slack asks for a pause", self._rate.hold(self._now() + _pause(response.headers)))
        if status >= 500 or error in _UNKNOWN_OUTCOME:
            return Transient(
                f"Slack answers with status {status}" + (f": {error}" if error in _UNKNOWN_OUTCOME else "")
            )
        if error in _GONE:
            return MessageGone(f"Slack: {error}")
        if error in _CONTENT:
            return ContentRefused(f"Slack refuses the message: {error}{_details(data)}")
        if error in _TO_MEND:
            return Refused(f"Slack: {error}: {_TO_MEND[error]}")
        if error.isascii() and error.replace("_", "").isalnum():
            return Refused(f"Slack: {error}")
        return Transient(f"Slack's answer is none of Slack's (status {status})")


def _copied(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    return [dict(block) for block in blocks]


def _pause(headers: Mapping[str, object]) -> timedelta:
    """Retry-After in seconds, within bounds."""
    text = next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), "")
    if not (text.isascii() and text.isdigit()):
        return _PAUSE
    return min(max(timedelta(seconds=int(text[:9])), timedelta(seconds=1)), _LONGEST_PAUSE)


def _details(data: object) -> str:
    errors = data.get("errors") if isinstance(data, dict) else None
    return f" ({'; '.join(map(str, errors[:3]))[:300]})" if isinstance(errors, list) and errors else ""
