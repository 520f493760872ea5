"""Secrets do not show, in whatever form programs write them."""

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetics.masking import LEAST_LENGTH, Masker

SECRET = "S3cr'et/\"Pass&<w>ord+ ü\\%"


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        str(httpx.URL("http://shop.example/").copy_with(path=f"/{SECRET}")),
        str(httpx.URL(f"http://shop.example/{SECRET}")),
        "http://shop.example/?p=S3cr%27et/%22Pass&%3Cw%3Eord+%20%C3%BC\\%",  # as Chromium writes it
        quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET),
        re.sub("%..", lambda it: it[0].lower(), quote(SECRET, safe="")),
        repr(SECRET), quote(quote(SECRET, safe="")),
        html.escape(SECRET), html.escape(SECRET, quote=False), SECRET.replace("&", "&amp;").replace("'", "&#39;"),
        json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False), json.dumps(json.dumps(SECRET)),
        json.dumps(SECRET).replace("/", "\\/").replace("<", "\\u003c"), json.dumps(html.escape(SECRET)),
        base64.b64encode(SECRET.encode()).decode(), base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)  # fmt: skip
def test_a_secret_is_taken_out_in_every_form_in_which_it_travels(written: str) -> None:
    text = Masker([SECRET]).text(f"before {written} after")
    assert "***" in text
    assert not any(part in text for part in ("S3cr", "Pass", "ord", base64.b64encode(SECRET.encode()).decode()[:12]))
    assert text.startswith("before ")
    assert text.endswith(" after")
    assert Masker([SECRET]).bytes(written.encode()) == Masker([SECRET]).text(written).encode()


@given(st.text(min_size=LEAST_LENGTH, max_size=30), st.text(max_size=20))
def test_any_secret_is_found_and_what_is_not_one_stays(secret: str, other: str) -> None:
    masker = Masker([secret, "", "abc"])
    for form in (
        secret,
        quote(secret, errors="replace"),
        html.escape(secret),
        json.dumps(secret),
        repr(secret),
    ):
        assert "***" in masker.text(form)
    if not masker.text(other).count("***"):
        assert masker.text(other) == other
    assert masker.text("abc") in ("abc", "***")


@pytest.mark.parametrize("cut", [4, 8, 40, 399])
def test_the_beginning_of_a_secret_that_was_cut_off_does_not_show(cut: int) -> None:
    secret = "".join(f"{number:04d}" for number in range(100, 200))
    for text in (f"saw {secret[:cut]}…", f"saw {secret[:cut]}", f"step `{secret[:cut]}`: failed"):
        shown = Masker([secret]).text(text)
        assert "***" in shown
        assert "0100" not in shown
    assert ("***" in Masker([secret]).text(f"saw {secret[:cut]} there")) is (cut >= 8)


def test_lines_of_a_secret_with_several_do_not_show_on_their_own() -> None:
    key = "-----BEGIN KEY-----\nMIIEvgIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----"
    assert Masker([key]).text("E   MIIEvgIBADANBgkq\nE   hkiG9w0BAQEFAASC") == "E   ***\nE   ***"
