"""URLs, cookies, `host:port`, and what looks like a secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetics.probes.adapters.http_cookies import Cookies
from synthetics.probes.addresses import split_host_port
from synthetics.probes.modules import HTTPModule, TCPModule
from synthetics.probes.secrets import body_holds_secret, holds_secret, is_secret_name, masked
from synthetics.probes.targets import secret_in, target_fault
from synthetics.probes.urls import URL, follow, parse_url
from synthetics.probes.variables import MissingVariable, filled


def test_a_url_is_taken_apart_and_told_without_what_may_be_secret() -> None:
    url = parse_url("https://me:pw@shop.example.com:8443/a b/ü?key=1".replace(" ", "%20"))
    assert (url.scheme, url.host, url.port, url.path) == ("https", "shop.example.com", 8443, "/a%20b/%C3%BC?key=1")
    assert url.authority == "shop.example.com:8443"
    assert url.shown == "https://shop.example.com:8443/a%20b/%C3%BC?…"
    assert url.credentials == "Basic bWU6cHc="
    assert parse_url("http://[::1]/").authority == "[::1]"
    assert parse_url("http://bücher.example/").host == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/x", "/x"),
        ("y?z", "/a/y?z"),
        ("?q=1", "/a/b?q=1"),
        ("//other/x", "/x"),
        ("/sp ace", "/sp%20ace"),
        ("#f", "/a/b"),
    ],
)
def test_a_location_is_followed_from_where_it_was_said(location: str, path: str) -> None:
    assert follow(parse_url("http://host/a/b"), location).path == path


@given(st.text(max_size=60))
def test_a_text_is_a_url_or_refused(text: str) -> None:
    for parse in (parse_url, lambda it: follow(URL("http", "a", 80, "/"), it)):
        try:
            url = parse(text)
        except ValueError:
            continue
        assert url.path.isascii()
        assert " " not in url.path
        assert url.path.startswith("/")
        assert "\n" not in url.host


@given(st.text(max_size=30))
def test_a_text_is_host_and_port_or_refused(text: str) -> None:
    try:
        host, port = split_host_port(text, 53)
    except ValueError:
        return
    assert host
    assert 0 < port < 65_536


def test_hosts_and_ports() -> None:
    assert split_host_port("a:1") == ("a", 1)
    assert split_host_port("[::1]:2") == ("::1", 2)
    assert split_host_port("::1", 3) == ("::1", 3)
    for wrong in ("a", "a:", "a:0", "a:x", "[::1", "[::1]x", ":1"):
        with pytest.raises(ValueError, match="is not"):
            split_host_port(wrong)


def test_cookies_go_back_only_where_they_came_from() -> None:
    jar, here = Cookies(), parse_url("https://www.shop.example/a/b")
    said = (
        "host=1", "wide=2; Domain=shop.example; Path=/", "safe=3; Secure; Path=/", "dir=4; Path=/a",
        "foreign=5; Domain=evil.example", "top=8; Domain=example", "gone=6", "gone=; Max-Age=0", "nonsense", "=7",
        "odd=\xe9",
    )  # fmt: skip
    for header in said:
        jar.take(here, header)
    assert jar.header(here) == "host=1; wide=2; safe=3; dir=4"
    assert jar.header(parse_url("https://www.shop.example/")) == "wide=2; safe=3"
    assert jar.header(parse_url("http://www.shop.example/a/x")) == "host=1; wide=2; dir=4"
    assert jar.header(parse_url("https://shop.example/a")) == "wide=2"
    assert jar.header(parse_url("https://evilshop.example/a")) == ""
    for number in range(200):
        jar.take(here, f"many{number}=x")
    assert len(jar.header(here).split("; ")) <= 50


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [
        ("Authorization", "Bearer abc", True),
        ("authorization", "Bearer ${env:T}", False),
        ("Authorization", "${env:T}", False),
        ("Authorization", "Bearer ${env:T}extra1", True),
        ("X-Api-Key", "abc", True),
        ("X-Auth-Token", "abc", True),
        ("Cookie", "a=b", True),
        ("X-Api-Key", "", False),
        ("Content-Type", "text/plain", False),
        ("Accept", "token/secret", False),
        ("X-Keyboard", "abc", False),
    ],
)
def test_headers_that_hold_a_secret_are_known(name: str, value: str, is_secret: bool) -> None:
    assert holds_secret(name, value) is is_secret


def test_secrets_in_bodies_and_urls_are_known() -> None:
    assert body_holds_secret('{"user": "a", "password": "b"}')
    assert body_holds_secret("grant=x&client_secret=y")
    assert not body_holds_secret('{"password": "${env:P}", "token": "${env:T}"}')
    assert not body_holds_secret('{"passwordless": true, "note": "the password is asked later"}')
    assert secret_in("https://a/?access_token=x") == "access_token"
    assert secret_in("https://a/?access_token=${env:X}&page=2") == ""
    assert secret_in("https://u:${env:P}@a/") == ""
    assert secret_in("https://u:p@a/") == "password"
    assert is_secret_name("X-Amz-Signature")


def test_masks_hide_secrets_and_leave_short_words() -> None:
    assert masked("the token is s3cret-1", ["s3cret-1", "is"]) == "the token is ***"


def test_masks_hide_what_a_cut_left_of_a_secret() -> None:
    secret = "s3cret-" + "x" * 300
    assert masked(f"it said {secret[:80]}…, {secret[:60]}…", [secret]) == "it said ***…, ***…"
    assert masked(f"redirected to https://a/{secret[:20]}", [secret]) == "redirected to https://a/***"
    assert masked("it said s3cre and s3c", [secret]) == "it said s3cre and s3c"


@pytest.mark.parametrize("target", ["https://[::1/", "http://["])
def test_a_target_that_is_no_url_holds_no_secret_and_is_told_as_a_mistake(target: str) -> None:
    assert secret_in(target) == ""
    assert target_fault(HTTPModule(), target) is not None


def test_port_0_is_not_the_usual_port() -> None:
    for url in ("http://a:0/", "https://a:65536/"):
        with pytest.raises(ValueError, match="has a port that is not between 1 and 65535"):
            parse_url(url)
    assert parse_url("http://a:/").port == 80


def test_variables_are_filled_in_once() -> None:
    assert filled("a ${env:X} b", {"X": "${env:Y}"}) == "a ${env:Y} b"
    with pytest.raises(MissingVariable, match="X is not set"):
        filled("${env:X}", {})


def test_targets_with_variables_are_checked_as_if_they_were_filled_in() -> None:
    assert target_fault(TCPModule(), "${env:HOST}:5432") is None
    assert target_fault(HTTPModule(), "https://${env:HOST}/x") is None
    assert target_fault(TCPModule(), "${env:HOST}") is not None
