"""Markdown of updates as HTML that can do nothing: no scripts, no styles, nothing loaded from elsewhere."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

SCHEMES: Final = frozenset({"http", "https", "mailto"})
TAGS: Final = frozenset(
    {"a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "strong", "s", "ul"}
)  # fmt: skip
_ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = {
    "*": frozenset(),  # or ammonia lets `title` and `lang` through
    "a": frozenset({"href"}),
    "ol": frozenset({"start"}),
}
_LINK_RELATION: Final = "nofollow noopener"
_LONGEST: Final = 20_000  # characters; Markdown that nests deep takes long, and no update is that long


def as_html(body: str) -> str:
    """Paragraphs. Headings become strong text, pictures their description; HTML stays visible as it was typed."""
    import nh3

    return nh3.clean(
        str(_markdown().render(body[:_LONGEST])),
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes=set(SCHEMES),
        url_relative="deny",
        link_rel=_LINK_RELATION,
    ).strip()


def web_link(url: str) -> str:
    """The URL when a browser may be sent there from a public page, else an empty text."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    is_whole = parts.hostname if parts.scheme in ("http", "https") else parts.path
    return url.strip() if parts.scheme in SCHEMES and is_whole else ""


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("strikethrough")
    markdown.validateLink = lambda url: bool(web_link(url))  # type: ignore[method-assign]
    for name, html in (("heading_open", "<p><strong>"), ("heading_close", "</strong></p>\n")):
        markdown.add_render_rule(name, _constant(html))
    markdown.add_render_rule("image", _description)
    return markdown


def _constant(html: str) -> Any:
    def rule(_renderer: Any, _tokens: "Sequence[Token]", _at: int, _options: Any, _environment: Any) -> str:
        return html

    return rule


def _description(renderer: Any, tokens: "Sequence[Token]", at: int, options: Any, environment: Any) -> str:
    from markupsafe import escape

    return str(escape(renderer.renderInlineAsText(tokens[at].children or [], options, environment)))
