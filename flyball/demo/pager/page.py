"""The page that shows what reached people: pages, chats, mail."""

import re
from collections.abc import Mapping
from typing import Any, Final

from flyball.demo.pager.model import Pager
from flyball.web import pages

_MARKS: Final = re.compile(
    r"<!date\^[^|>]*\|([^>]*)>|<[^|>\s]+\|([^>]*)>|<(https?://[^|>\s]+)>|(?<!\w)\*([^*\s](?:[^*\n]*[^*\s])?)\*(?!\w)"
)


def page(pager: Pager, *, token: str, down: str, flyball_url: str, keys: Mapping[str, str]) -> str:
    """HTML without scripts. `token` is what its forms must bring; `down` names who does not answer now; `keys` say
    whose a routing key is."""
    roots = [message for message in pager.messages() if not message.thread]
    return (
        pages.environment()
        .get_template("pager.html")
        .render(
            pages=pager.pages(),
            chats=roots[::-1],
            threads={root.ts: [each for each in pager.messages() if each.thread == root.ts] for root in roots},
            mails=pager.mails(),
            buttons=buttons,
            texts=texts,
            shown=shown,
            token=token,
            down=down,
            flyball_url=flyball_url,
            keys=keys,
            tokens_css=(pages.STATIC / "tokens.css").read_text(),
        )
    )


def buttons(blocks: tuple[dict[str, Any], ...]) -> list[tuple[str, str]]:
    """The buttons of a message that do something here: label and action id."""
    found = [element for block in blocks if block.get("type") == "actions" for element in block.get("elements", ())]
    return [(str(each["text"]["text"]), str(each["action_id"])) for each in found if "url" not in each]


def texts(blocks: tuple[dict[str, Any], ...]) -> list[str]:
    """What the blocks of a message say, as plain lines."""
    lines: list[str] = []
    for block in blocks:
        parts = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
        lines += [shown(part["text"]) for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return lines


def shown(mrkdwn: str) -> str:
    """Text as Slack shows it, without its marks: a link's words, a date's words."""
    plain = _MARKS.sub(lambda found: next(group for group in found.groups() if group is not None), mrkdwn)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
