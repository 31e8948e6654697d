"""What all tests share: a workspace of their own, the command as a process, real data where it is there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("mlops", deadline=None)
settings.load_profile("mlops")

# Where tests run in the background, Ctrl-C is ignored, and so it would be by the processes that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPO = Path(__file__).resolve().parents[1]
SHARED_DATA = Path(os.environ.get("MLOPS_TEST_DATA", REPO.parent / "shared" / "data"))


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty workspace, and the current folder."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    return tmp_path


@pytest.fixture
def repo():
    """The folder of the project, with its configs and data."""
    return REPO


@pytest.fixture
def mlops():
    """The command ``mlops`` as a process: ``mlops("run", "config=iris", cwd=…)``."""

    def call(*arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None, **options):
        return subprocess.run(
            [sys.executable, "-m", "mlops_cli", *arguments],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            **options,
        )

    return call


@pytest.fixture
def real_data():
    """A file of real data by its name; the test is skipped where it is not there."""

    def find(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.is_file():
            pytest.skip(f"{name} is not here; set MLOPS_TEST_DATA to the folder that has it")
        return path

    return find


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium that asks nobody anything; its driver's event loop must not outlive the file's tests."""
    playwright = pytest.importorskip("playwright.sync_api", reason='pip install "mlops-cli[browser]"')
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    quiet = ["gpu", "quic", "background-networking", "component-update", "sync"]
    arguments = ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in quiet)]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()
