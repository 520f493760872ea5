"""Our tickets' Markdown as Jira's wiki markup. It knows what we write: headings, lists, links, bold, code, escapes."""

import re
from typing import Final

_HEADING: Final = re.compile(r"^(#{1,6}) +(.*)$")
_ITEM: Final = re.compile(r"^( *)[-*] +(.*)$")
_PIECE: Final = re.compile(
    r"\\(?P<escaped>.)|`(?P<code>[^`]*)`|\*\*(?P<bold>(?:\\.|[^*])+)\*\*|\[(?P<words>(?:\\.|[^\]\\])+)\]\((?P<url>[^\s)]+)\)"
    r"|(?P<bare>https?://\S+)|(?P<other>[!{}\[\]|])"
)


def from_markdown(body: str) -> str:
    """The whole body."""
    return "\n".join(_line(line) for line in body.splitlines())


def _line(line: str) -> str:
    if found := _HEADING.match(line):
        return f"h{len(found[1])}. {_inline(found[2])}"
    if found := _ITEM.match(line):
        return f"{'*' * (len(found[1]) // 2 + 1)} {_inline(found[2])}"
    return _inline(line)


def _inline(text: str) -> str:
    return _PIECE.sub(_piece, text)


def _piece(found: re.Match[str]) -> str:
    if (escaped := found["escaped"]) is not None:
        return f"\\{escaped}" if escaped in "*_{}[]|~\\" else escaped
    if (code := found["code"]) is not None:
        return f"{{{{{code}}}}}"
    if (bold := found["bold"]) is not None:
        return f"*{_inline(bold)}*"
    if (words := found["words"]) is not None:
        return f"[{_inline(words)}|{found['url']}]"
    if (bare := found["bare"]) is not None:
        return bare
    return f"\\{found['other']}"
