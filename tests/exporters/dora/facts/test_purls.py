"""Package URLs as the source of what was deployed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.dora.facts.purls import UNKNOWN, Origin, is_revision, origin, parse, version_of
from tests.exporters.dora.facts.telling import HASH


@pytest.mark.parametrize(
    ("text", "repository", "revision"),
    [
        ("pkg:github/acme/shop@1f2e3d4", "github.com/acme/shop", "1f2e3d4"),
        ("PKG:GitHub//acme/shop@1f2e3d4#sub/path", "github.com/acme/shop", "1f2e3d4"),
        ("pkg:github/acme/shop@v1.2.0", "github.com/acme/shop", "v1.2.0"),
        ("pkg:gitlab/group/sub/shop@1f2e3d4", "gitlab.com/group/sub/shop", "1f2e3d4"),
        ("pkg:gitlab/group/shop@1f2e3d4?repository_url=https%3A%2F%2Fgit.acme.io", "git.acme.io/group/shop", "1f2e3d4"),
        ("pkg:bitbucket/acme/shop@1f2e3d4", "bitbucket.org/acme/shop", "1f2e3d4"),
        ("pkg:git/codeberg.org/forgejo/forgejo@a72d2c07", "codeberg.org/forgejo/forgejo", "a72d2c07"),
        (
            "pkg:golang/github.com/acme/shop@234fd47e07d1004f0aed9c#api",
            "github.com/acme/shop",
            "234fd47e07d1004f0aed9c",
        ),
        (
            "pkg:golang/github.com/acme/shop/v2@v2.0.0-20240102150405-1f2e3d4c5b6a",
            "github.com/acme/shop",
            "1f2e3d4c5b6a",
        ),
        ("pkg:golang/github.com/acme/shop@v1.2.3", "github.com/acme/shop", ""),
        (
            "pkg:generic/shop?vcs_url=git%2Bhttps:%2F%2Fgit.fsfe.org%2Fdxtr%2Fshop%40cc55108da32",
            "git.fsfe.org/dxtr/shop",
            "cc55108da32",
        ),
        (
            "pkg:oci/shop@sha256%3A24?vcs_url=git%2Bssh://git@github.com/acme/shop.git%401f2e3d4%23sub",
            "github.com/acme/shop",
            "1f2e3d4",
        ),
        ("pkg:oci/shop@sha256%3A24?vcs_url=git@github.com:acme/shop.git", "github.com/acme/shop", ""),
        ("pkg:npm/shop@1.2.0?vcs_url=git%2Bhttps://github.com/acme/shop", "github.com/acme/shop", ""),
    ],
)
def test_a_package_url_tells_its_repository_and_revision(text: str, repository: str, revision: str) -> None:
    purl = parse(text)
    assert purl is not None
    assert origin(purl) == Origin(repository, revision)


@pytest.mark.parametrize(
    "text",
    [
        "pkg:oci/shop@sha256%3A24?repository_url=ghcr.io%2Facme%2Fshop",
        "pkg:generic/checkout@1.4.2",
        "pkg:github/shop@1f2e3d4",
        "pkg:golang/google.golang.org/genproto@v1",
        "pkg:oci/shop?vcs_url=nonsense",
        "pkg:npm/%40acme/shop@1.0.0",
    ],
)
def test_where_it_tells_none_none_is_guessed(text: str) -> None:
    purl = parse(text)
    assert purl is not None
    assert origin(purl) is UNKNOWN


@pytest.mark.parametrize(
    "text", ["", "shop:1.4", "pkg:", "pkg:github", "pkg:github/", "pkg:0ci/shop", "pkg:oci/" + "x" * 2000]
)
def test_what_is_no_package_url_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("pkg:oci/shop@sha256%3A24fd?tag=1.4.2", "1.4.2"),
        ("pkg:oci/shop@sha256%3A24fd", "sha256:24fd"),
        ("pkg:generic/checkout@1.4.2", "1.4.2"),
        ("pkg:npm/%40acme/shop@1.0.0", "1.0.0"),
        ("pkg:github/acme/shop@v1.2", "v1.2"),
        ("pkg:github/acme/shop@1f2e3d4", ""),
        ("pkg:oci/shop", ""),
    ],
)
def test_a_version_is_a_tag_rather_than_a_digest_and_never_a_revision(text: str, version: str) -> None:
    purl = parse(text)
    assert purl is not None
    assert version_of(purl) == version


def test_numbers_are_no_revisions_unless_they_are_as_long_as_one() -> None:
    assert is_revision("1f2e3d4")
    assert is_revision(HASH.upper())
    assert is_revision("1" * 40)
    assert not is_revision("12345678")
    assert not is_revision("1f2e3d")
    assert not is_revision("v1.2.3")


@given(st.one_of(st.text(), st.from_regex(r"pkg:[a-z]+/[^ ]{0,40}@?[^ ]{0,20}\?vcs_url=[^ ]{0,60}", fullmatch=True)))
def test_no_text_is_too_strange(text: str) -> None:
    purl = parse(text)
    if purl is not None:
        assert purl.name
        origin(purl)
        version_of(purl)
