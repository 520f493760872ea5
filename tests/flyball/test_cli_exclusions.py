"""`flyball slo exclusions` on the wrong folder."""

from pathlib import Path

from tests.flyball.test_cli_check import flyball


def test_a_folder_without_files_is_a_mistake_and_no_proof_that_all_events_count(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = flyball("slo", "exclusions", "empty", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "empty: no *.yaml or *.yml files here\n"
