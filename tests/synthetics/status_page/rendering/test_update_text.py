"""What people write in updates can format, and do nothing else."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetics.status_page.rendering.update_text import SCHEMES, TAGS, as_html, web_link

ATTEMPTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<body onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "[x](//evil.example/)",
    "[x](\\\\evil.example)",
    "![x](https://evil.example/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    '![x](https://evil.example/"onerror="alert(1))',
    '<https://ok.example/" onmouseover="alert(1)>',
    "[x](https://ok.example 'title\" onmouseover=\"alert(1)')",
    "[x]: javascript:alert(1)\n\n[x]",
    "<style>*{background:url(https://evil.example)}</style>",
    "<p style='background:url(https://evil.example)'>x</p>",
    "<link rel=stylesheet href=https://evil.example>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example>",
    "<form action=https://evil.example><input name=password></form>",
    "<math><mtext></p><style><img src onerror=alert(1)></style></mtext></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "`</code><script>alert(1)</script>`",
    '<a\nhref="javascript:alert(1)">x</a>',
    "<details open ontoggle=alert(1)>",
    "<object data='javascript:alert(1)'></object>",
    "<embed src='javascript:alert(1)'>",
    "<template><script>alert(1)</script></template>",
    "<xss onpointerrawupdate=alert(1)>",
    "# <img src=x onerror=alert(1)>",
    "1. <img src=x onerror=alert(1)>\n   - [x](javascript:alert(1))",
    "> <script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\x00<scr\x00ipt>alert(1)</script>",
    "<ſcript>alert(1)</ſcript>",
    "[x](http://)",
    "[a](mailto:)",
)  # fmt: skip


class Found(HTMLParser):
    """What a browser would make elements of."""

    def __init__(self) -> None:
        super().__init__()
        self.complaints: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.complaints.append(tag)
        for name, value in attrs:
            if (tag, name) not in {("a", "href"), ("a", "rel"), ("ol", "start")}:
                self.complaints.append(f"{tag} {name}")
            if name == "href" and (value or "").partition(":")[0] not in SCHEMES:
                self.complaints.append(f"href {value}")
        if tag == "a" and dict(attrs).get("rel") != "nofollow noopener":
            self.complaints.append("a link that says who follows it")

    def handle_comment(self, data: str) -> None:
        self.complaints.append(f"comment {data}")


def complaints(html: str) -> list[str]:
    parser = Found()
    parser.feed(html)
    parser.close()
    return parser.complaints


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_no_attempt_gets_through(attempt: str) -> None:
    assert complaints(as_html(attempt)) == []


@given(
    st.lists(st.sampled_from(ATTEMPTS) | st.text(max_size=20) | st.sampled_from("\n *_`[]()<>!#>-&\"'"), max_size=12)
)
def test_no_mixture_of_attempts_gets_through(parts: list[str]) -> None:
    assert complaints(as_html("".join(parts))) == []


def test_the_checker_sees_what_it_should() -> None:
    assert complaints("<p onclick=x>a</p><script></script><a href='javascript:x'>b</a><!-- c -->")
    assert len(complaints("<img src=x onerror=y>")) == 3


def test_markdown_becomes_paragraphs_lists_and_links() -> None:
    html = as_html("# Why\n\nIt was **us**:\n- a\n- b\n\n[more](https://acme.example/x?a=1&b=2)")
    assert "<p><strong>Why</strong></p>" in html
    assert "<strong>us</strong>" in html
    assert "<li>b</li>" in html
    assert '<a href="https://acme.example/x?a=1&amp;b=2" rel="nofollow noopener">more</a>' in html


def test_html_stays_visible_as_it_was_typed() -> None:
    assert as_html("a <b>b</b>") == "<p>a &lt;b&gt;b&lt;/b&gt;</p>"


def test_a_link_that_is_refused_stays_visible_as_it_was_typed() -> None:
    assert as_html("[x](javascript:alert(1))") == "<p>[x](javascript:alert(1))</p>"


def test_a_picture_becomes_its_description() -> None:
    assert as_html("![A graph & more](https://evil.example/x.png)") == "<p>A graph &amp; more</p>"


@pytest.mark.parametrize("url", ["https://a.example/", "http://a.example", "mailto:a@b.example"])
def test_web_links_stay(url: str) -> None:
    assert web_link(url) == url


@pytest.mark.parametrize("url", ["javascript:x", "data:,x", "/x", "//x.example", "https://", "http://[", "mailto:", ""])
def test_other_links_go(url: str) -> None:
    assert web_link(url) == ""
