"""What the alerts say: what happened, what it means, what to do next."""

from collections.abc import Iterator
from typing import Final

from controlplane import check_names
from controlplane import conventions as names
from controlplane.model.rule import Labels

CHECK: Final = "{{ $labels.check }}"
KIND: Final = "{{ $labels.kind }}"
REGION: Final = "{{ $labels.region }}"
_OF_CHECK: Final = ("kind", "check")


def asked(query: str, by: tuple[str, ...], shown: str, otherwise: str = "") -> str:
    """A template that asks Prometheus with the alert's own values of `by`, which the query takes as `%q`."""
    values = "".join(f" $labels.{label}" for label in by)
    last = f"{{{{ else }}}}{otherwise}" if otherwise else ""
    return f"{{{{ with printf `{query}`{values} | query }}}}{shown}{last}{{{{ end }}}}"


def selected(metric: str, by: tuple[str, ...], fixed: str = "") -> str:
    """Series with values that the alert gives."""
    return f"{metric}{{{','.join(filter(None, (fixed, *(f'{label}=%q' for label in by))))}}}"


def _regions_in(states: str) -> str:
    """A template that shows in how many regions a check has one of these states."""
    series = selected(check_names.CHECK_REGION_STATE, _OF_CHECK, f'state=~"{states}"')
    return asked(f"count(max by (region) ({series} == 1))", _OF_CHECK, "{{ . | first | value }}", "0")


_DOWN: Final = _regions_in("down")
_ALL: Final = _regions_in("up|down|flapping")
_SINCE: Final = asked(
    selected(check_names.VERDICT_SINCE, _OF_CHECK),
    _OF_CHECK,
    " since {{ (. | first | value | toTime).Format `2006-01-02 15:04` }} UTC",
)
_REASON: Final = ": {{ . | first | label `reason` }}"
_WHY: Final = asked(f"topk(1, {selected(check_names.CHECK_FAILURE, _OF_CHECK)})", _OF_CHECK, _REASON)
_IN_REGION: Final = (*_OF_CHECK, "region")
_RUNS: Final = f"flyball {KIND} run {CHECK}"


def check_down() -> Labels:
    """Of CheckDown."""
    summary = f"{CHECK} fails in {_DOWN} of {_ALL} regions{_SINCE}{_WHY}"
    description = (
        f"The {KIND} {CHECK} fails wherever it is run: people are affected, whatever region they are in. Run it from "
        f"here to see where it breaks: {_RUNS}"
    )
    return ((names.SUMMARY, summary), (names.DESCRIPTION, description), (names.EXPLAIN, _RUNS))


def check_regional() -> Labels:
    """Of CheckDownInRegion."""
    reason = asked(selected(check_names.CHECK_FAILURE, _IN_REGION), _IN_REGION, _REASON)
    summary = f"{CHECK} fails in {REGION}, and not everywhere{reason}"
    description = (
        f"Requests from {REGION} fail; {_DOWN} of {_ALL} regions say so. Look at what is that region's own: its "
        "ingress, its DNS answers, its certificate, its network."
    )
    return ((names.SUMMARY, summary), (names.DESCRIPTION, description), (names.EXPLAIN, _RUNS))


def check_flapping() -> Labels:
    """Of CheckFlapping."""
    description = (
        f"The {KIND} fails and works by turns, too often for either to be believed, so its verdict stays what it was. "
        "Every other replica or address may be broken; or its timeout is too near to how long it takes."
    )
    return ((names.SUMMARY, f"{CHECK} flaps"), (names.DESCRIPTION, description), (names.EXPLAIN, _RUNS))


def check_late() -> Labels:
    """Of CheckNotRun; `region` is empty when it never ran anywhere."""
    where = "{{ with $labels.region }} in {{ . }}{{ end }}"
    never = "{{ if $labels.region }}has not run for {{ $value | humanizeDuration }}{{ else }}never ran{{ end }}"
    description = (
        f"Nothing is known of what this {KIND} watches{where}: it is not up, and not down. Look whether the region's "
        "prober runs, whether it has the workspace's latest files, and whether the check names regions that exist."
    )
    return ((names.SUMMARY, f"{CHECK} {never}{where}"), (names.DESCRIPTION, description))


def prober_silent() -> Labels:
    """Of ProberSilent; its value is 0 for a region that was never heard."""
    description = (
        "No report came from this region's prober, so nothing is known of checks there; that does not mean that they "
        "fail. It keeps its results and sends them when it can. Look whether the prober runs, and whether it reaches "
        "the control plane: its token, the clock, DNS, the proxy between."
    )
    silent = "{{ if $value }}has been silent for {{ $value | humanizeDuration }}{{ else }}has never reported{{ end }}"
    summary = f"The prober in {REGION} {silent}"
    return ((names.SUMMARY, summary), (names.DESCRIPTION, description))


def all_probers_silent() -> Labels:
    """Of ProberSilent where no region is heard any more."""
    description = (
        "No region reports any more: an outage would not be seen from outside. When all fall silent at once, it is "
        "mostly the way to the control plane: its address, its certificate, the clock, the tokens."
    )
    summary = f"No prober reports: {REGION} has been silent for {{{{ $value | humanizeDuration }}}}"
    return ((names.SUMMARY, summary), (names.DESCRIPTION, description))


def prober_fault() -> Labels:
    """Of ProberFault."""
    description = (
        "This prober does not even reach its known-good target, so its failures are its own and count for nothing. "
        "Look at its network, its DNS and its clock; until then one region fewer watches."
    )
    return ((names.SUMMARY, f"The prober in {REGION} is at fault"), (names.DESCRIPTION, description))


def certificate_expires() -> Labels:
    """Of CertificateExpires."""
    probe = "{{ $labels.probe }}"
    summary = (
        f"{probe}: the certificate {{{{ if gt $value 0.0 }}}}ends in {{{{ $value | humanizeDuration }}}}"
        "{{ else }}has ended{{ end }}"
    )
    description = (
        "After that browsers and clients refuse to connect. Automatic renewal has not replaced it: look at its log "
        f"and its DNS or HTTP challenge. flyball probe run {probe} shows the chain."
    )
    return (
        (names.SUMMARY, summary),
        (names.DESCRIPTION, description),
        (names.EXPLAIN, f"flyball probe run {probe}"),
    )


def update_overdue() -> Labels:
    """Of StatusUpdateOverdue."""
    page, incident = "{{ $labels.status_page }}", "{{ $labels.incident }}"
    description = (
        f"The page promised customers another update about {incident} by then. A draft waits: publish it, even when it "
        f"only says that you are still looking. flyball status drafts {page} shows it."
    )
    summary = f"{page}: the update on {incident} is overdue by {{{{ $value | humanizeDuration }}}}"
    return (
        (names.SUMMARY, summary),
        (names.DESCRIPTION, description),
        (names.EXPLAIN, f"flyball status drafts {page}"),
    )


def page_stale() -> Labels:
    """Of StatusPageStale."""
    page = "{{ $labels.status_page }}"
    description = (
        "Readers see how things were then. Look whether the directory or bucket can be written, whether its disk is "
        f"full, and what the control plane logs. flyball status build {page} -o DIR writes the page by hand."
    )
    summary = f"{page} was last published {{{{ $value | humanizeDuration }}}} ago"
    return ((names.SUMMARY, summary), (names.DESCRIPTION, description))


def path_disagreement() -> Labels:
    """Of GoldenPathDisagreement."""
    path = "{{ $labels.golden_path }}"
    hole = '{{ if eq $labels.kind "coverage_hole" }}'
    summary = (
        f"{path}: {hole}its SLOs burn and no check sees it{{{{ else }}}}checks fail and its SLOs are calm{{{{ end }}}}"
    )
    description = (
        f"{hole}Users meet errors that our journeys and probes do not: find which requests fail, and add a step or a "
        "probe that sees them.{{ else }}Requests may not arrive at all: look at DNS, certificates, the load balancer "
        "and the region's ingress, and compare traffic with yesterday's.{{ end }}"
    )
    return ((names.SUMMARY, summary), (names.DESCRIPTION, description), (names.EXPLAIN, "flyball golden-paths"))


def links(info: str, by: tuple[str, ...], page: str) -> Iterator[tuple[str, str]]:
    """The runbook that the document names, or what the console says; and the page that shows it."""
    series = selected(info, by, 'runbook_url!=""')
    runbook = asked(series, by, "{{ . | first | label `runbook_url` }}", page)
    yield names.RUNBOOK_URL, runbook
    if page:
        yield names.DASHBOARD_URL, page
