"""Results that cannot be printed are said in one line; what was done is kept, and named."""

import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")


def call(workspace, arguments, redirection, *, buffered=True):
    """Run the command in a shell, since only a shell closes a stream."""
    python = f"{sys.executable} {'' if buffered else '-u'} -m mlops_cli"
    line = f"set -o pipefail; {python} {arguments} {redirection}"
    return subprocess.run(["bash", "-c", line], cwd=workspace, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def full():
    """The device that is always full."""
    if not FULL.exists():
        pytest.skip("there is no /dev/full here")
    return f">{FULL}"


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("arguments", ["config points", "config points --json", "runs show latest", "doctor --json"])
def test_a_closed_stdout_is_one_line(small, mlops, arguments, buffered):
    mlops("run", "config=points")
    done = call(small, arguments, ">&-", buffered=buffered)
    assert done.stderr == "error: the result cannot be printed: stdout is closed\n"
    assert done.returncode == 2


@pytest.mark.parametrize("arguments", ["", "--quiet", "--json"])
def test_a_run_whose_scores_cannot_be_printed_is_kept_and_named(small, arguments, full):
    done = call(small, f"run config=points {arguments}", full)
    (run,) = (small / "runs" / "points").iterdir()
    assert f"stdout: No space left on device; the run is in {run}\n" in done.stderr
    assert "internal error" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == 2
    assert '"status": "completed"' in (run / "run.json").read_text()


def test_a_closed_stdout_takes_nothing_from_the_files_of_a_run(small):
    done = call(small, "run config=points", ">&- <&-")
    assert "the run is in" in done.stderr
    (run,) = (small / "runs" / "points").iterdir()
    assert len((run / "trials.jsonl").read_text().splitlines()) == 1


def test_help_on_a_full_disk_is_one_line_too(small, full):
    done = call(small, "--help", full)
    assert done.stderr.startswith("error: ")
    assert "internal error" not in done.stderr


@pytest.mark.parametrize("arguments", ["config points", "--help", "runs ls --json"])
def test_a_reader_that_has_seen_enough_is_no_fault(small, mlops, arguments):
    mlops("run", "config=points")
    assert call(small, arguments, "| true").stderr == ""
