"""What workers are given reaches them once, as a file that is written when it is first needed."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd

from mlops_cli.execution.job import Job, Scoring, Travelling
from mlops_cli.records import Column, Kind, Task

X = pd.DataFrame({"x": np.arange(20.0), "t": [f"text {i}" for i in range(20)]})
COLUMNS = (Column("x", "float64", Kind.NUMERIC), Column("t", "str", Kind.TEXT))


def job(**more):
    return Job(X, np.arange(20) % 2, None, COLUMNS, Task.CLASSIFICATION, Scoring(()), **more)


def test_nothing_is_written_while_all_stays_in_one_process(tmp_path):
    travelling = Travelling(tmp_path / "job.joblib", job())
    assert travelling.get().X is X
    assert list(tmp_path.iterdir()) == []


def test_what_travels_is_a_small_name_and_arrives_whole(tmp_path):
    sent = pickle.dumps(Travelling(tmp_path / "job.joblib", job()))
    assert len(sent) < 300
    arrived = pickle.loads(sent)
    assert not arrived.is_home
    pd.testing.assert_frame_equal(arrived.get().X, X)
    assert arrived.get() is arrived.get()


USE = """
import pickle, sys
from pathlib import Path
job = pickle.loads(Path(sys.argv[1]).read_bytes()).get()
import mine_far
print(mine_far.WHAT, len(job.X))
"""


def test_own_modules_go_along_to_a_machine_that_does_not_have_the_workspace(tmp_path):
    far = job(trust=("mine_far",), root="/nowhere/at/all", code={"mine_far.py": b"WHAT = 'sent along'\n"})
    (tmp_path / "sent").write_bytes(pickle.dumps(Travelling(tmp_path / "job.joblib", far)))
    done = subprocess.run([sys.executable, "-c", USE, tmp_path / "sent"], capture_output=True, text=True, check=False)
    assert done.stdout == "sent along 20\n", done.stderr
