"""Runbooks as HTML that is safe to show: Markdown of the workspace, without scripts, styles and foreign images."""

import re
from typing import Final

_TAGS: Final = {
    "a", "blockquote", "br", "code", "del", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip

_TO_OTHERS: Final = re.compile(r'href="(?:\./)?([\w-]+)\.md"')  # runbooks that lie beside it are pages beside it


def runbook_html(text: str) -> str:
    """The text without its first heading, which is the page's; headings one level below it."""
    if not text.strip():
        return ""
    import nh3
    from markdown_it import MarkdownIt

    lines = text.lstrip().splitlines()
    body = "\n".join(lines[1:] if lines[0].startswith("# ") else lines)
    html = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).render(body)
    html = _TO_OTHERS.sub(r'href="\1"', html)
    return nh3.clean(
        html, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}, link_rel="noreferrer"
    )
