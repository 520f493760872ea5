"""The page that shows what reached people: pages, chats, mail."""

from typing import Any

from flyball.demo.pager.model import Pager
from flyball.web import pages


def page(pager: Pager, *, token: str, down: str, flyball_url: str) -> str:
    """HTML without scripts. `token` is what its forms must bring; `down` names who does not answer now."""
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
            token=token,
            down=down,
            flyball_url=flyball_url,
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
        lines += [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return lines
