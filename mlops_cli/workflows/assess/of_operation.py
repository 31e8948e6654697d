"""What the workspace shows of operation itself: continuous integration, locked environments, the audit log."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import suppress
from importlib import metadata
from typing import TYPE_CHECKING

from mlops_cli.records import Evidence, Level
from mlops_cli.views.text import plural
from mlops_cli.workflows.assess.words import day, train

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.workflows.assess.look import Look

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock", "conda-lock.yml", "pylock.toml")
_PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[^\]]*\])?\s*(===?\s*[^\s*,;]+|@\s*\S+)\s*(;.*|--hash.*|\\)?")
_INSTALLS = re.compile(r"\b(uv (sync|run)|(poetry|pdm|pipenv|pixi) (install|sync|run))\b")
_OURS = re.compile(r"\bmlops[-_.]cli\b", re.IGNORECASE)
_LARGEST = 1_000_000
_BESIDE = frozenset({"init", "config", "doctor", "completion"})
"""Commands that do no work of their own: another call is named where there is one."""


def continuous_integration(look: Look) -> Evidence:
    """Whether each change is tried out by a machine that calls ``mlops``."""
    check, found, first = "ci", look.automation, look.first_experiment
    run = train(first) if first else "mlops doctor"
    calls = [call for call in found.calls if call.is_unattended and call.file in found.files]
    if calls:
        call = min(calls, key=lambda call: (not call.is_committed, call.verb in _BESIDE))
        if not call.is_committed:
            return Evidence(check, Level.SEMI_AUTOMATED, call.uncommitted, call.commit)
        return Evidence(check, Level.AUTOMATED, f"{call.place} calls mlops {call.verb}")
    if found.files:
        return Evidence(check, Level.SEMI_AUTOMATED, f"{', '.join(found.files[:3])}: none of it calls mlops", run)
    if by_hand := found.by_hand():
        text = f"no CI; {by_hand.place} calls mlops {by_hand.verb}, which a person starts"
        return Evidence(check, Level.MANUAL, text, _workflow(look, run))
    return Evidence(check, Level.ABSENT, "no CI that this knows of", _workflow(look, run))


def _workflow(look: Look, command: str) -> str:
    """Return the command that writes a workflow of GitHub's to begin with; it installs what is installed here."""
    run = json.dumps(f"pip install {' '.join(_packages(look.workspace.root))} && {command}")
    head = ["on: push", "jobs:", " ml:", "  runs-on: ubuntu-latest", "  steps:"]
    lines = [*head, "  - uses: actions/checkout@v4", f"  - run: {run}", ""]
    text = r"\n".join(line.replace("\\", r"\\").replace("%", "%%") for line in lines)  # as printf reads it
    return f"mkdir -p .github/workflows && printf {shlex.quote(text)} > .github/workflows/ml.yml"


def _packages(root: Path) -> tuple[str, ...]:
    """Return what pip is to install: what the workspace requires, and this version of us where that has none."""
    path = root / "requirements.txt"
    required = _text(path)
    with suppress(metadata.PackageNotFoundError):
        own = () if _OURS.search(required) else (f"mlops-cli=={metadata.version('mlops-cli')}",)
        return ("-r", path.name, *own) if required else own
    return ("-r", path.name) if required else ("mlops-cli",)


def environment_locked(look: Look) -> Evidence:
    """Whether what runs are made with can be installed again as it was."""
    check, locks = "environment-locked", _locks(look.workspace.root)
    if locks:
        by = next((name for name in locks if name in look.automation.texts), "")
        by = by or (found[0] if (found := _INSTALLS.search(look.automation.texts)) else "")
        if by:
            return Evidence(check, Level.AUTOMATED, f"{', '.join(locks)}, and CI installs by {by}")
        pinned = next((name for name in locks if name.startswith("requirements")), "")
        install = shlex.join(("pip", "install", "-r", pinned)) if pinned else "uv sync"
        return Evidence(check, Level.SEMI_AUTOMATED, f"{', '.join(locks)}", install)
    freeze = "pip freeze > requirements.txt"
    if not look.listing.runs:
        return Evidence(check, Level.ABSENT, "no lock file, and no run that says what it was made with", freeze)
    newest = look.listing.runs[0]
    return Evidence(check, Level.NON_REPEATABLE, f"{newest.id} says what it was made with; no lock file", freeze)


def _locks(root: Path) -> list[str]:
    """Return the files that pin every package."""
    found = [name for name in _LOCKS if (root / name).is_file()]
    return found + [path.name for path in sorted(root.glob("requirements*.txt")) if _pins_all(path)]


def _pins_all(path: Path) -> bool:
    lines = [line.partition(" #")[0].strip() for line in _text(path).splitlines()]
    named = [line for line in lines if line and not line.startswith(("#", "-"))]
    return bool(named) and all(_PINNED.fullmatch(line) for line in named)


def _text(path: Path) -> str:
    with suppress(OSError):
        if path.is_file() and path.stat().st_size < _LARGEST:
            return path.read_text(encoding="utf-8", errors="replace")
    return ""


def audit_kept(look: Look) -> Evidence:
    """Whether who did what is written down, each entry resting on the one before."""
    check, chain, verify = "audit-kept", look.chain, "mlops audit --verify"
    if chain.faults:
        fault = chain.faults[0]
        return Evidence(check, Level.NON_REPEATABLE, f"{fault.where}: {fault.what}", verify)
    last = chain.last
    if last is None:
        mend = train(look.first_experiment) if look.first_experiment else "mlops init"
        return Evidence(check, Level.ABSENT, "there is no audit log", mend)
    text = f"{plural(len(chain.entries), 'entry')}, each resting on the one before, the last of {day(last.at)}"
    if call := look.automation.of("audit"):
        return Evidence(check, Level.AUTOMATED, f"{text}; {call.place} calls mlops audit")
    return Evidence(check, Level.SEMI_AUTOMATED, text, verify)
