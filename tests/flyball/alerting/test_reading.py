"""What is declared about alerts, read from files and from the record of what was applied."""

from pathlib import Path

from controlplane.adapters.files import read_folder
from controlplane.adapters.rule_folder import RuleFolderOnDisk
from controlplane.model.generation import Generation
from controlplane.specfile import SourceFile
from flyball.alerting.declared import alerts_of
from flyball.alerting.reading import alert_documents, alerts_in, alerts_recorded
from flyball.demo.run import example_workspace
from flyball.settings import load_settings
from flyball.slo_wiring import slo_workspace

ROUTE = """\
apiVersion: flyball.dev/v1
kind: Route
metadata: {name: default}
spec: {default: true, receivers: [RECEIVER]}
---
apiVersion: flyball.dev/v1
kind: Receiver
metadata: {name: team}
spec: {channels: [{console: {}}]}
"""


def files(text: str) -> list[SourceFile]:
    return [SourceFile("alerts.yaml", text.encode())]


def test_the_record_says_what_the_files_said() -> None:
    read = alerts_in(read_folder(example_workspace())[0])
    again = alerts_recorded(read.records[0].text)
    assert again.root is not None
    assert read.declared.root is not None
    assert [node.name for node in again.root.nodes()] == [node.name for node in read.declared.root.nodes()]
    for part in ("receivers", "policies", "schedules", "windows", "runbooks", "trackers"):
        assert [each.name for each in getattr(again, part)] == [each.name for each in getattr(read.declared, part)]


def test_a_receiver_that_may_stand_in_a_file_that_was_not_read_is_no_mistake() -> None:
    documents = alert_documents(files(ROUTE.replace("RECEIVER", "teem")))
    assert [problem.message for problem in alerts_of(documents)[1]] != []
    assert alerts_of(documents, lambda name: name == "teem")[1] == ()


def test_a_process_that_starts_with_broken_files_tells_whom_the_applied_ones_named(tmp_path: Path) -> None:
    """Else a page that comes then would be told to nobody but the console."""
    (tmp_path / "alerts.yaml").write_text("kind: Route\nspec: [")
    record = alerts_in(files(ROUTE.replace("RECEIVER", "team"))).records[0]
    settings = load_settings(tmp_path, {})
    assert not isinstance(settings, list)
    assert slo_workspace(settings).alerts().root is None
    folder = RuleFolderOnDisk(settings.rules_directory)
    generation = Generation("one", (record,))
    with folder.exclusive():
        folder.switch(folder.write(generation))
    root = slo_workspace(settings).alerts().root
    assert root is not None
    assert root.receivers == ("team",)
