"""Repository documents as users write them, and what is wrong with them, at its place."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.problems import SECRET, Severity
from controlplane.specfile import Declared, SourceFile, read
from exporters.repositories.declared import declared
from exporters.repositories.kinds import KINDS
from exporters.repositories.model import ChangesFrom, DeploymentsFrom, Host, Repository
from exporters.repositories.patterns import fits, is_pre_release, touches

HEAD = "apiVersion: flyball.dev/v1\nkind: Repository\nmetadata: {name: shop}\nspec:\n"
GIT = f"""{HEAD}\
  git: {{url: https://git.example.com/acme/shop.git, branch: main, tokenFrom: FLYBALL_GITLAB_READ}}
  services:
    - {{name: checkout, paths: ["services/checkout/**"], tags: checkout-v*}}
    - {{name: billing, paths: [services/billing]}}
  deployments: {{from: tags, tags: "v*", exclude: ["*-test"], environment: live}}
  changes: {{from: merges}}
  since: 180d
  every: 10m
"""


def repositories(*texts: str) -> Declared[Repository]:
    result = read([SourceFile("delivery.yaml", "---\n".join(texts).encode())], KINDS)
    made = declared(result.documents)
    return Declared(made.values, (*result.problems, *made.problems))


def problems(text: str) -> list[str]:
    found = repositories(text)
    if any(each.severity is Severity.ERROR for each in found.problems):
        assert not found.values
    return [f"{each.line}:{each.column} {each.field}: {each.message}" for each in found.problems]


def test_a_document_becomes_a_repository() -> None:
    (found,) = repositories(GIT).values
    assert (found.place.host, found.place.address, found.place.name) == (
        Host.GIT,
        "https://git.example.com/acme/shop.git",
        "git.example.com/acme/shop",
    )
    assert [(each.name, each.paths, each.tags) for each in found.services] == [
        ("checkout", ("services/checkout/**",), ("checkout-v*",)),
        ("billing", ("services/billing",), ("v*",)),
    ]
    assert (found.deployments.source, found.deployments.environment) == (DeploymentsFrom.TAGS, "live")
    assert (found.since, found.every) == (timedelta(days=180), timedelta(minutes=10))


@pytest.mark.parametrize(
    ("place", "name", "deployments", "changes"),
    [
        ("git: {path: ../shop}", "shop", DeploymentsFrom.TAGS, ChangesFrom.MERGES),
        (
            "git: {url: 'git@github.com:acme/shop.git'}",
            "github.com/acme/shop",
            DeploymentsFrom.TAGS,
            ChangesFrom.MERGES,
        ),
        ("git: {url: 'ssh://git@host:2222/a/b'}", "host:2222/a/b", DeploymentsFrom.TAGS, ChangesFrom.MERGES),
        ("git: {path: x, name: github.com/acme/x}", "github.com/acme/x", DeploymentsFrom.TAGS, ChangesFrom.MERGES),
        (
            "github: {repository: acme/shop}",
            "github.com/acme/shop",
            DeploymentsFrom.DEPLOYMENTS,
            ChangesFrom.PULL_REQUESTS,
        ),
        (
            "github: {repository: acme/shop, apiUrl: 'https://ghe.example/api/v3'}",
            "ghe.example/acme/shop",
            DeploymentsFrom.DEPLOYMENTS,
            ChangesFrom.PULL_REQUESTS,
        ),
        (
            "gitlab: {project: acme/a/shop}",
            "gitlab.com/acme/a/shop",
            DeploymentsFrom.DEPLOYMENTS,
            ChangesFrom.PULL_REQUESTS,
        ),
    ],
)
def test_what_is_left_out_follows_from_the_host(
    place: str, name: str, deployments: DeploymentsFrom, changes: ChangesFrom
) -> None:
    found = repositories(f"{HEAD}  {place}\n")
    assert not found.problems
    (one,) = found.values
    assert (one.place.name, one.deployments.source, one.changes) == (name, deployments, changes)
    assert [each.name for each in one.services] == ["shop"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("  since: 1d\n", "5:3 spec: no repository"),
        ("  git: {path: a}\n  github: {repository: a/b}\n", "6:3 spec.github: git and github exclude each other"),
        ("  git: {}\n", "5:8 spec.git: no repository"),
        ("  git: {path: a, url: 'https://a/b'}\n", "5:8 spec.git: url and path exclude each other"),
        ("  git: {url: 'ext::sh -c id'}\n", "5:14 spec.git.url: not an address that git may fetch from"),
        ("  git: {url: 'fd::17'}\n", "5:14 spec.git.url: not an address that git may fetch from"),
        ("  git: {url: 'git://host/a'}\n", "5:14 spec.git.url: not an address that git may fetch from"),
        ("  git: {url: '--upload-pack=id'}\n", "5:14 spec.git.url: not an address that git may fetch from"),
        ("  git: {url: /srv/git}\n", "5:14 spec.git.url: not an address that git may fetch from"),
        ("  git: {path: a, branch: --x}\n", "5:26 spec.git.branch: `--x` is not a branch"),
        ("  git: {path: a, branch: a..b}\n", "5:26 spec.git.branch: `a..b` is not a branch"),
        ("  git: {path: a, tokenFrom: T}\n", "5:18 spec.git.tokenFrom: a repository on this machine needs no token"),
        (
            "  git: {url: 'http://host/a', tokenFrom: T}\n",
            "5:14 spec.git.url: the token would travel in the clear",
        ),
        ("  git: {url: 'git@host:a', tokenFrom: T}\n", "5:28 spec.git.tokenFrom: ssh sends no token"),
        ("  github: {repository: shop}\n", "5:24 spec.github.repository: `shop` is not a repository"),
        (
            "  github: {repository: a/b, apiUrl: 'http://x'}\n",
            "5:37 spec.github.apiUrl: the token would travel in the clear",
        ),
        ("  gitlab: {project: '17'}\n", "5:21 spec.gitlab.project: `17` is not a project"),
        (
            "  git: {path: a}\n  deployments: {from: releases}\n",
            "6:23 spec.deployments.from: `releases` cannot be read from git",
        ),
        (
            "  github: {repository: a/b}\n  deployments: {from: tags}\n",
            "6:23 spec.deployments.from: `tags` cannot be read from github",
        ),
        (
            "  git: {path: a}\n  changes: {from: pullRequests}\n",
            "6:19 spec.changes.from: `pullRequests` cannot be read from git",
        ),
        (
            "  github: {repository: a/b}\n  deployments: {from: pipelines}\n",
            "6:16 spec.deployments: no workflow: each run of every workflow would be a deployment",
        ),
        ("  git: {path: a}\n  deployments: {from: none}\n  changes: {from: none}\n", "5:3 spec: nothing is collected"),
        (
            "  git: {path: a}\n  deployments: {environments: {a: b}}\n",
            "6:17 spec.deployments.environments: changes nothing with `from: tags`",
        ),
        (
            "  github: {repository: a/b}\n  deployments: {tags: v*}\n",
            "6:17 spec.deployments.tags: changes nothing with `from: deployments`",
        ),
        (
            "  github: {repository: a/b}\n  deployments: {environment: live}\n",
            "6:17 spec.deployments.environment: deployments name their environments themselves",
        ),
        ("  git: {path: a}\n  services: [{name: a}, {name: a}]\n", "6:32 spec.services[1].name: `a` is there twice"),
        (
            "  git: {path: a}\n  services: [{name: a, paths: [/a]}]\n",
            "6:32 spec.services[0].paths[0]: `/a` does not begin at the repository's root",
        ),
        (
            "  git: {path: a}\n  services: [{name: a, paths: [a/../b]}]\n",
            "6:32 spec.services[0].paths[0]: `a/../b` does not begin at the repository's root",
        ),
        (
            "  git: {path: a}\n  services: [{name: a, paths: ['!a']}]\n",
            "6:32 spec.services[0].paths[0]: globs take in, they do not leave out",
        ),
        (
            "  git: {path: a}\n  services: [{name: a, paths: ['*a*a*a*a*a*a*a*a*a']}]\n",
            "6:32 spec.services[0].paths[0]: more than 8 stars",
        ),
        (
            "  git: {path: a}\n  services: [{name: a, paths: ['a/{b,c}']}]\n",
            "6:32 spec.services[0].paths[0]: `a/{b,c}` has characters that mean nothing in these globs",
        ),
        ("  git: {path: a}\n  every: 10s\n", "6:10 spec.every: `10s` is not a length"),
        ("  git: {path: a}\n  every: 2d\n", "6:10 spec.every: must be between 1m and 1d"),
    ],
)
def test_a_mistake_is_told_at_its_place(spec: str, said: str) -> None:
    assert problems(HEAD + spec) == [said]


@pytest.mark.parametrize(
    "part",
    [
        "git: {url: 'https://ada:s3cret@host/a'}",
        "git: {url: 'https://s3cret@host/a'}",
        "git: {url: 'https://host/a?token=s3cret'}",
        "git: {path: a, token: s3cret}",
        "github: {repository: a/b, token: s3cret}",
        "github: {repository: a/b, tokenFrom: ghp_s3cret}",
        "gitlab: {project: a/b, url: 'https://oauth2:s3cret@host'}",
    ],
)
def test_a_secret_in_the_file_is_refused_under_the_rule_that_hides_its_line(part: str) -> None:
    found = repositories(f"{HEAD}  {part}\n")
    assert not found.values
    assert [each.rule for each in found.problems] == [SECRET]
    assert "s3cret" not in "".join(f"{each.message}{each.hint}" for each in found.problems)


def test_two_documents_of_one_repository_are_pointed_out() -> None:
    other = GIT.replace("name: shop}", "name: twin}").replace(
        "https://git.example.com/acme/shop.git", "git@git.example.com:acme/shop"
    )
    found = repositories(GIT, other.replace(", tokenFrom: FLYBALL_GITLAB_READ", ""))
    assert [each.message for each in found.problems] == [
        "git.example.com/acme/shop is read by the Repository shop already"
    ]
    assert len(found.values) == 2


@pytest.mark.parametrize(
    ("pattern", "path", "is_there"),
    [
        ("services/checkout/**", "services/checkout/src/a.py", True),
        ("services/checkout/**", "services/checkout", False),
        ("services/checkout", "services/checkout/a", True),
        ("services/checkout/", "services/checkout/a", True),
        ("services/*", "services/a/b", True),
        ("services/check", "services/checkout/a", False),
        ("**/Dockerfile", "Dockerfile", True),
        ("**/Dockerfile", "a/b/Dockerfile", True),
        ("*.md", "docs/a.md", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a.c", "abc", False),
    ],
)
def test_globs_of_files_mean_what_they_mean_elsewhere(pattern: str, path: str, *, is_there: bool) -> None:
    assert touches([path], [pattern]) is is_there
    assert touches(["other", path], ["nothing", pattern]) is is_there
    assert touches([path], [])


PARTS = st.sampled_from(["a", "b", "ab", "*", "**", "?", "a*"])


def _segments_fit(pattern: list[str], path: list[str]) -> bool:
    """Globs by their definition, one segment after the other; a pattern that is used up takes in all below it."""
    if not pattern:
        return True
    if pattern[0] == "**":
        below = len(pattern) == 1
        return (below and bool(path)) or any(
            not below and _segments_fit(pattern[1:], path[skipped:]) for skipped in range(len(path) + 1)
        )
    return bool(path) and fits(path[0], [pattern[0]]) and _segments_fit(pattern[1:], path[1:])


@given(st.lists(PARTS, min_size=1, max_size=4), st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=5))
def test_globs_of_files_fit_as_their_definition_says(pattern: list[str], path: list[str]) -> None:
    assert touches(["/".join(path)], ["/".join(pattern)]) is _segments_fit(pattern, path)


@pytest.mark.parametrize(
    "tag", ["v1.2.0-rc.1", "0.1.0beta2", "015rc0", "v2.0.0-alpha", "1.0-SNAPSHOT", "v1.0.0-rc1+build.5"]
)
def test_pre_releases_are_recognised(tag: str) -> None:
    assert is_pre_release(tag)


@pytest.mark.parametrize(
    "tag", ["v1.2.0", "release-12", "checkout-v1.2.3", "v1.0.0+build.5", "2026-09-01", "prerelease", "v1.0-hotfix"]
)
def test_releases_are_no_pre_releases(tag: str) -> None:
    assert not is_pre_release(tag)
