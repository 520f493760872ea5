"""The pages about checks and their JSON twins, on a real database."""

import re
from urllib.parse import quote

import httpx
import pytest

from tests.flyball.web.conftest import CheckConsoles
from tests.flyball.web.world import NASTY

NASTY_PATH = f"/checks/probe/{quote(f'nasty {NASTY}', safe='')}"


def text_of(url: str) -> str:
    """What a page says, without its tags."""
    answer = httpx.get(url)
    assert answer.status_code == 200, answer.text
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<title>.*?</title>|<[^>]*>", " ", main).split()).replace(" ,", ",")


def test_the_grid_says_what_each_region_sees_worst_first(checks: CheckConsoles) -> None:
    said = text_of(f"{checks.full}/checks")
    assert "1 is down everywhere, 2 fail in a region, 1 flaps, 1 is not known, 1 was not run yet, 3 up." in said
    titles = ["Gateway certificate", "Sign-in page", "api-graphql", "flappy", "Gateway health", "new-one", "Core flow"]
    places = [said.index(title) for title in titles]
    assert places == sorted(places)
    assert "global outage" in said
    assert "not run here" in said


def test_a_silent_region_and_a_prober_fault_do_not_look_like_down(checks: CheckConsoles) -> None:
    page = httpx.get(f"{checks.full}/checks").text
    row = page.partition(">api-graphql</a>")[2].partition("</tr>")[0]
    assert re.findall(r'class="chip check-([a-z]+)"', row) == ["unknown", "fault", "silent", "silent"]
    assert len(set(re.findall(r'href="#(mark-[a-z_]+)"', row))) == 3
    assert "check-down" not in row


def test_regions_tell_when_they_reported_what_they_hold_back_and_whether_they_reach_their_own_target(
    checks: CheckConsoles,
) -> None:
    said = text_of(f"{checks.full}/checks").partition("Regions")[2].partition("Probes")[0]
    assert "prober fault Last report 12 s ago Waiting there 0 Self-check no route to host" in said
    assert "reports Last report 4 s ago Waiting there 0 Self-check ok, 21 ms" in said
    assert "silent Last report 20 min ago Waiting there 1,234" in said


def test_a_check_tells_where_it_fails_why_and_who_rests_on_it(checks: CheckConsoles) -> None:
    said = text_of(f"{checks.full}/checks/probe/sign-in-page")
    assert "regional since 2026-09-16 12:17 UTC Down: us (connection reset by peer). Up: eu, ap." in said
    assert "2 regions must say so before it counts as a global outage." in said
    assert "golden path: sign in component: Sign-in" in said
    assert "00000000000000000000000000000167" in said  # the trace of the last failure
    assert "flyball probe run sign-in-page" in said


def test_the_certificate_and_every_part_of_a_run_are_told(checks: CheckConsoles) -> None:
    said = text_of(f"{checks.full}/checks/probe/gateway-tls")
    assert "The certificate ends 2026-09-18 12:34 UTC, in 2 d." in said
    journey = text_of(f"{checks.full}/checks/journey/core-flow")
    assert "sign in 50 ms query 100 ms write 150 ms two hops 450 ms" in journey
    assert "The certificate" not in journey


def test_the_week_shows_failures_by_the_hour_and_leaves_prober_faults_out(checks: CheckConsoles) -> None:
    page = httpx.get(f"{checks.full}/checks/probe/sign-in-page").text
    assert 'aria-label="us: 90.6 % of 360 runs ok, 34 failed, 0 prober faults"' in page
    faulty = httpx.get(f"{checks.full}/checks/probe/api-graphql").text
    assert 'aria-label="eu: 100 % of 360 runs ok, 0 failed, 33 prober faults"' in faulty


def test_whatever_files_and_targets_say_is_escaped(checks: CheckConsoles) -> None:
    for path in ("/checks", NASTY_PATH, "/checks/probe/sign-in-page"):
        answer = httpx.get(checks.full + path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text


@pytest.mark.parametrize("path", ["/checks/probe/none", "/checks/journey/gateway-tls", "/checks/nonsense/gateway-tls"])
def test_a_check_that_is_not_declared_is_not_found(checks: CheckConsoles, path: str) -> None:
    answer = httpx.get(checks.full + path)
    assert answer.status_code == 404
    assert "There is no check named" in answer.text


def test_without_checks_the_page_says_how_to_declare_one(checks: CheckConsoles) -> None:
    said = text_of(f"{checks.empty}/checks")
    assert "No checks yet" in said
    assert "kind: Probe" in said
    assert httpx.get(f"{checks.empty}/api/v1/checks").json()["checks"] == []


def test_without_a_database_the_checks_are_there_and_nothing_is_made_up(checks: CheckConsoles) -> None:
    said = text_of(f"{checks.alone}/checks")
    assert "Results cannot be read. There is nothing to show yet: the database is locked" in said
    assert "9 were not run yet" in said
    one = text_of(f"{checks.alone}/checks/probe/gateway-health")
    assert "The past cannot be shown: the database is locked" in one
    assert "Not known: the database does not answer." in one
    answer = httpx.get(f"{checks.alone}/api/v1/checks/gateway-health").json()
    assert (answer["verdict"], answer["hours"], answer["failure"]) == (None, None, "the database is locked")


def test_the_api_tells_the_same_in_exact_figures(checks: CheckConsoles) -> None:
    answer = httpx.get(f"{checks.full}/api/v1/checks").json()
    assert answer["failure"] is None
    assert {it["region"]: it["state"] for it in answer["regions"]} == {"eu": "fault", "us": "up", "ap": "silent"}
    assert [it["buffered"] for it in answer["regions"]] == [0, 0, 1234]
    found = {it["name"]: it for it in answer["checks"]}
    assert found["sign-in-page"]["verdict"] == "regional"
    assert found["new-one"]["verdict"] is None
    assert found["flappy"]["flapping"] is True
    assert [it["region"] for it in found["core-flow"]["regions"]] == ["eu"]
    us = found["sign-in-page"]["regions"][1]
    assert (us["state"], us["latest"]["reason"], us["latest"]["outcome"]) == ("down", "connect", "failed")


def test_the_api_of_a_check_has_its_failures_and_hours(checks: CheckConsoles) -> None:
    answer = httpx.get(f"{checks.full}/api/v1/checks/sign-in-page").json()
    assert len(answer["failures"]) == 20
    assert {it["region"] for it in answer["failures"]} == {"us"}
    assert sum(it["ok"] + it["failed"] for it in answer["hours"] if it["region"] == "us") == 360
    assert {it["what"] for it in answer["used_by"]} == {"golden path", "component"}
    assert httpx.get(f"{checks.full}/api/v1/checks/sign-in-page", params={"kind": "journey"}).status_code == 404
    assert httpx.get(f"{checks.full}/api/v1/checks/core-flow").json()["kind"] == "journey"
