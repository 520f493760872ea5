"""FlagStore documents as users write them."""

from datetime import date

import pytest

from controlplane.problems import SECRET, Severity
from controlplane.specfile import Declared, SourceFile, read
from finops.flags.declared import declared, url_fault
from finops.flags.kinds import KINDS
from finops.flags.model import DeclaredFlag, DeclaredStore, FlagType
from tests.finops.ladder.reading.documents import shown

GOOD = """\
apiVersion: flyball.dev/v1
kind: FlagStore
metadata:
  name: platform
  annotations: {flyball.dev/owner: team-platform}
spec:
  flagd: {file: flags.flagd.json}
  flags:
    - {name: adaptive-sampling, silences: [spans_total, logs_total], expires: 2027-06-30, description: Fewer traces.}
    - {name: graph.depth_2, type: integer, normal: 6, owner: team-graph}
    - {name: answers, type: string, normal: "full"}
"""


def stores(text: str) -> Declared[DeclaredStore]:
    """The stores of a file, with the problems of reading it as well."""
    result = read([SourceFile("flags.yaml", text.encode())], KINDS)
    made = declared(result.documents)
    return Declared(made.values, (*result.problems, *made.problems))


def problems(old: str, new: str) -> list[str]:
    """What is wrong after a change."""
    assert old in GOOD, old
    text = GOOD.replace(old, new, 1)
    return shown(stores(text).problems, text)


def options(part: str) -> tuple[str, dict[str, str]]:
    """Type and options of a store that is written so."""
    made = stores(GOOD.replace("flagd: {file: flags.flagd.json}", part))
    assert made.problems == ()
    return made.values[0].type, dict(made.values[0].options)


def test_a_store_says_what_was_written_and_what_was_left_out() -> None:
    made = stores(GOOD)
    assert made.problems == ()
    (store,) = made.values
    assert (store.name, store.type, store.options) == ("platform", "flagd", (("file", "flags.flagd.json"),))
    assert (store.source.line, store.source.column) == (4, 9)
    sampling, depth, answers = store.flags
    assert sampling == DeclaredFlag(
        name="adaptive-sampling",
        type=FlagType.BOOLEAN,
        normal=False,
        owner="team-platform",
        source=sampling.source,
        description="Fewer traces.",
        expires=date(2027, 6, 30),
        silences=("spans_total", "logs_total"),
    )
    assert (sampling.source.line, sampling.source.column) == (9, 14)
    assert (depth.type, depth.normal, depth.owner, depth.expires) == (FlagType.INTEGER, 6, "team-graph", None)
    assert (answers.type, answers.normal) == (FlagType.STRING, "full")


def test_each_store_has_its_options_under_the_keys_of_the_file() -> None:
    assert options("memory: {}") == ("memory", {})
    assert options("unleash: {url: 'https://unleash.example/'}") == (
        "unleash",
        {
            "url": "https://unleash.example",
            "project": "default",
            "environment": "production",
            "tokenFrom": "FLYBALL_UNLEASH_TOKEN",
            "clientTokenFrom": "FLYBALL_UNLEASH_CLIENT_TOKEN",
        },
    )
    assert options("launchDarkly: {project: intelgraph, sdkKeyFrom: LD_SDK_KEY}") == (
        "launchdarkly",
        {
            "project": "intelgraph",
            "environment": "production",
            "url": "https://app.launchdarkly.com",
            "tokenFrom": "FLYBALL_LAUNCHDARKLY_TOKEN",
            "sdkKeyFrom": "LD_SDK_KEY",
        },
    )
    assert options("webhook: {url: 'https://flags.example/hook', secretFrom: HOOK_SECRET}") == (
        "webhook",
        {"url": "https://flags.example/hook", "secretFrom": "HOOK_SECRET"},
    )
    assert options("ofrep: {url: 'http://flagd:8016'}") == ("ofrep", {"url": "http://flagd:8016"})


def test_a_server_that_clients_read_may_stand_beside_the_store_that_is_written() -> None:
    assert options("flagd: {file: x.json}\n  ofrep: {url: 'http://flagd:8016', tokenFrom: OFREP_TOKEN}") == (
        "flagd",
        {"file": "x.json", "ofrep.url": "http://flagd:8016", "ofrep.tokenFrom": "OFREP_TOKEN"},
    )


CASES = [
    ("name: platform", "name: The Platform", "metadata.name «The Platform» `The Platform` is not a name: lower-case "),
    ("  flagd: {file: flags.flagd.json}\n", "", "spec «flags:» no store = write one of flagd, unleash, launchDarkly,"),
    (
        "  flagd: {file: flags.flagd.json}\n",
        "  flagd: {file: flags.flagd.json}\n  memory: {}\n",
        "spec.memory «memory» flagd and memory exclude each other = a FlagStore is one store [flag-store]",
    ),
    ("{file: flags.flagd.json}", "{}", "spec.flagd.file «flagd» required, but missing [missing-field]"),
    ("flagd:", "flag-d:", "spec.flag-d «flag-d» unknown field `flag-d`, did you mean `flagd`? [unknown-field]"),
    (
        "flagd: {file: flags.flagd.json}",
        "webhook: {url: 'flags.example/hook'}",
        "spec.webhook.url «'flags.example/hook'» not a web address = such as https://flags.example.com [flag-store]",
    ),
    (
        "adaptive-sampling,",
        "adaptive sampling,",
        "spec.flags[0].name «adaptive sampling» `adaptive sampling` is not a flag's name = letters, digits, `.`, `_`"
        " and `-`, at most 100, beginning with a letter or a digit [flag-store]",
    ),
    (
        "name: answers",
        "name: graph.depth_2",
        "spec.flags[2].name «graph.depth_2» the flag `graph.depth_2` is there twice = first at flags.yaml:10:14"
        " [flag-store]",
    ),
    (
        "  annotations: {flyball.dev/owner: team-platform}\n",
        "",
        "spec.flags[0].owner «{name: adaptive-sampling, silences: [spans_total, logs_total], expires: 2027-06-30,"
        " description: Fewer traces.}» nobody owns this flag = write `owner`, or the annotation flyball.dev/owner of"
        " the store [flag-store]",
    ),
    (
        "normal: 6, ",
        "",
        "spec.flags[1].normal «{name: graph.depth_2, type: integer, owner: team-graph}» a flag of type integer needs"
        " its value at full service = write `normal` [flag-store]",
    ),
    (
        "normal: 6",
        "normal: six",
        "spec.flags[1].normal «six» a flag of type integer takes a whole number, not `six` [flag-store]",
    ),
    (
        'normal: "full"',
        "normal: true",
        "spec.flags[2].normal «true» a flag of type string takes text, not true = write it in quotes if text is meant"
        " [flag-store]",
    ),
    (
        "adaptive-sampling,",
        "adaptive-sampling, normal: off,",
        "spec.flags[0].normal «off» a flag of type boolean takes true or false, not `off` = write false [flag-store]",
    ),
    (
        "adaptive-sampling,",
        "adaptive-sampling, type: number,",
        "spec.flags[0].type «number» expected 'boolean', 'integer' or 'string', got the text 'number' [bad-value]",
    ),
    (
        "2027-06-30",
        "2027-02-30",
        "spec.flags[0].expires «2027-02-30» `2027-02-30` is not a day = write it as 2027-06-30",
    ),
    (
        "2027-06-30",
        "20270630",
        "spec.flags[0].expires «20270630» `20270630` is not a day = write it as 2027-06-30 [flag",
    ),
    (
        "[spans_total, logs_total]",
        "[spans_total, 'logs_total{}']",
        "spec.flags[0].silences[1] «'logs_total{}'» `logs_total{}` is not a metric = only its name: letters, digits,"
        " `_` and `:` [flag-store]",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), CASES)
def test_a_mistake_is_told_at_its_place_with_the_way_out(old: str, new: str, told: str) -> None:
    found = problems(old, new)
    assert found[0].startswith(told), found
    assert stores(GOOD.replace(old, new, 1)).values == ()


def test_a_flag_that_is_on_at_full_service_is_a_warning() -> None:
    assert problems("adaptive-sampling,", "adaptive-sampling, normal: true,") == [
        "spec.flags[0].normal «true» warning: a missing flag would be a reduced service: applications take a flag that"
        " they do not find as off = turn the flag's meaning round, so that on is reduced and `normal` is false"
        " [flag-store]"
    ]


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ("unleash: {url: 'https://admin:hunter2@unleash.example'}", "spec.unleash.url"),
        ("unleash: {url: 'https://unleash.example?token=hunter2'}", "spec.unleash.url"),
        ("unleash: {url: 'https://unleash.example', token: '*:*.hunter2'}", "spec.unleash.token"),
        ("unleash: {url: 'https://unleash.example', clientToken: hunter2}", "spec.unleash.clientToken"),
        ("unleash: {url: 'https://unleash.example', tokenFrom: '*:*.hunter2'}", "spec.unleash.tokenFrom"),
        ("launchDarkly: {project: x, sdkKey: sdk-hunter2}", "spec.launchDarkly.sdkKey"),
        ("launchDarkly: {project: x, tokenFrom: api-hunter2}", "spec.launchDarkly.tokenFrom"),
        ("ofrep: {url: 'http://flagd:8016', token: hunter2}", "spec.ofrep.token"),
        ("webhook: {url: 'https://flags.example', secret: hunter2}", "spec.webhook.secret"),
    ],
)
def test_a_secret_in_a_file_is_refused_and_not_repeated(part: str, field: str) -> None:
    made = stores(GOOD.replace("flagd: {file: flags.flagd.json}", part))
    (problem,) = made.problems
    assert (problem.field, problem.rule, problem.severity) == (field, SECRET, Severity.ERROR)
    assert "hunter2" not in problem.message + problem.hint
    assert made.values == ()


@pytest.mark.parametrize("url", ["", "x", "ftp://x", "http://", "http://[::1", "http://x:port", "http://a b", "//x"])
def test_what_is_no_address_is_told(url: str) -> None:
    assert url_fault(url) == ("not a web address", False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:4242", "https://flags.example/base/", "http://[::1]:80"])
def test_an_address_may_have_a_port_and_a_path(url: str) -> None:
    assert url_fault(url) == ("", False)
