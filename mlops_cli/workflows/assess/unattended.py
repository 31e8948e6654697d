"""What calls ``mlops`` without a person: files of CI and schedules that lie in the workspace or around it.

A file is read as text, comments and what is merely printed left out: what counts is that a line of it calls a command,
as itself, from a virtual environment, by ``python -m mlops_cli``, or by a target of the Makefile beside it, and not for
its help or its plan alone. Whether anything runs the file, no file says; of CI it takes a file that a commit holds.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import Workspace
from mlops_cli.store.provenance import uncommitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

OF_CI = (
    ".github/workflows/*.y*ml",
    ".gitea/workflows/*.y*ml",
    ".forgejo/workflows/*.y*ml",
    ".gitlab-ci.yml",
    "Jenkinsfile",
    "azure-pipelines.yml",
    ".circleci/config.yml",
    "bitbucket-pipelines.yml",
    ".travis.yml",
    ".drone.yml",
    ".woodpecker.yml",
    ".woodpecker/*.y*ml",
    ".buildkite/*.y*ml",
    "cloudbuild.yaml",
    ".ci/*",
)
"""What files of continuous integration are called."""

OF_SCHEDULES = ("crontab", "*.crontab", "*.cron", "cron.d/*", "cron/*", "*.service", "systemd/*.service", "dags/*.py")
"""What files of schedules are called: of cron, of systemd's timers, of Airflow."""

MAKEFILE = "Makefile"

_LARGEST = 1_000_000
_MOST = 200  # files
_COMMENT = re.compile(r"(^|\s)(#|//).*$")
_TITLE = re.compile(r"\s*(-\s*)?(name|displayName|label|description|title)\s*[:=]|\s*Description=")
_PRINTED = re.compile(r"""(?<![\w-])(?:echo|printf|print)\b(?:"[^"]*"|'[^']*'|[^;&|"'])*""")
_WITHIN = re.compile(r"\$\([^)]*\)|`[^`]*`")  # what a shell calls for what is printed
_FOR_SHOW = frozenset({"--help", "-h", "--dry-run"})
_CALL = re.compile(r"(?:^|[\s\"'/(=`;&|@])(?:mlops|mlops_cli)[\"']?\s+(?P<words>[^|;&\n`]*)")
_MAKE = re.compile(r"(?:^|[\s\"'(;&|])make(?:[ \t]+(?P<words>[^|;&\n\"']*))?(?=$|[|;&\n\"'])", re.MULTILINE)
_TARGET = re.compile(r"(?P<names>[\w.%/ \t-]+):(?!=)(?P<needs>[^#]*)")
_NOUNS = frozenset({"assess", "data", "models", "monitor", "runs", "tokens"})
_VERB = re.compile(r"[a-z][a-z-]*")
_ABOUT = re.compile(r"[@/:]")
_OPEN = ("$", "{", "latest")
_SETTING = re.compile(r"(?:export\s+)?(?P<name>\w+)\s*(?:\?|:{1,3})?=(?P<value>[^$#\n]*)")
_VARIABLE = re.compile(r"\$[({](?P<name>\w+)[)}]")


@dataclass(frozen=True)
class Call:
    """A line that calls a command."""

    file: str  # from the workspace
    line: int
    verb: str  # run, models register
    words: tuple[str, ...]  # what follows
    is_unattended: bool = True  # else a person calls it: it stands in a Makefile
    is_committed: bool = True  # else nobody else has the file that it stands in

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.file}:{self.line}"

    @property
    def uncommitted(self) -> str:
        """What it is worth where no commit holds its file, in words."""
        return f"{self.place} calls mlops {self.verb}, and no commit holds the file"

    @property
    def commit(self) -> str:
        """The command that commits its file."""
        return f"git add {shlex.quote(self.file)} && git commit -m CI {shlex.quote(self.file)}"

    def is_about(self, name: str) -> bool:
        """Whether it may speak of an experiment or a model: it names it, or leaves open which."""
        if self.verb.startswith("data "):  # a data set may be of any
            return True
        named = [word.strip("\"'") for word in self.words if not word.startswith("-")]
        configs = [word.partition("=")[2] for word in named if word.startswith("config=")]
        found = configs or named
        return not found or any(mark in found[0] for mark in _OPEN) or name in map(_stem, found)


@dataclass(frozen=True)
class Automation:
    """All files of CI and schedules, and the calls in them and in the Makefile."""

    files: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    texts: str = ""  # of the files of CI that a commit holds

    def of(self, *verbs: str, about: str = "") -> Call | None:
        """Return the first unattended call of one of the commands, of something where that is said."""
        found = (call for call in self.calls if call.is_unattended and call.is_committed and call.verb in verbs)
        return next((call for call in found if not about or call.is_about(about)), None)

    def by_hand(self, *verbs: str, about: str = "") -> Call | None:
        """Return the first call of a Makefile, which a person starts."""
        found = (call for call in self.calls if not call.is_unattended and (not verbs or call.verb in verbs))
        return next((call for call in found if not about or call.is_about(about)), None)


def automation_around(root: Path) -> Automation:
    """Return what a workspace has of CI and schedules; what belongs to the repository around it counts too."""
    homes = tuple(dict.fromkeys([root, *islice((p for p in (root, *root.parents) if (p / ".git").exists()), 1)]))
    made = {home: _makefile(_text(home / MAKEFILE)) for home in homes}
    shown = Workspace(root).shown
    ci = [(home, path) for home in homes for path in _files(home, OF_CI)]
    timed = [(home, path) for home in homes for path in _files(home, OF_SCHEDULES)]
    texts = {path: _text(path) for _, path in (*ci, *timed)}
    calls = [call for home, path in (*ci, *timed) for call in _calls(shown(path), texts[path], made[home])]
    new = {shown(path) for path in uncommitted(root, [path for _, path in ci])}
    calls = [replace(call, is_committed=False) if call.file in new else call for call in calls]
    own = [call for home in homes for call in _of_makefile(shown(home / MAKEFILE), made[home])]
    return Automation(
        files=tuple(shown(path) for _, path in ci),
        schedules=tuple(shown(path) for _, path in timed),
        calls=(*calls, *own),
        texts="\n".join(texts[path] for _, path in ci if shown(path) not in new),
    )


# --- files -------------------------------------------------------------------------------------------------------


def _files(home: Path, patterns: tuple[str, ...]) -> list[Path]:
    found = (path for pattern in patterns for path in sorted(home.glob(pattern)))
    return list(islice((path for path in found if path.is_file()), _MOST))


def _text(path: Path) -> str:
    """Return a file without its comments, line for line; nothing of what cannot be read."""
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return ""
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(_continued("" if _TITLE.match(line) else _COMMENT.sub("", line) for line in text.splitlines()))


def _continued(lines: Iterable[str]) -> Iterator[str]:
    r"""Yield lines with those that they go on in after a ``\``, in whose place an empty one comes.

    Examples
    --------
    >>> list(_continued(["mlops run \\", "  config=iris", "make"]))
    ['mlops run  config=iris', '', 'make']
    """
    parts: list[str] = []
    for line in lines:
        parts.append(line.lstrip() if parts else line)
        if not line.endswith("\\"):
            yield from _whole(parts)
            parts = []
    yield from _whole(parts)


def _whole(parts: list[str]) -> list[str]:
    return [" ".join(part.removesuffix("\\") for part in parts), *[""] * (len(parts) - 1)] if parts else []


def _stem(word: str) -> str:
    """Return the name in ``titanic@champion``, ``titanic/3``, ``titanic:best``, ``configs/titanic.yaml``."""
    if word.endswith((".yaml", ".yml")):
        return word.rpartition("/")[2].rpartition(".")[0]
    return _ABOUT.split(word, maxsplit=1)[0]


# --- calls -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Target:
    needs: tuple[str, ...]
    recipe: tuple[tuple[int, str], ...]  # line number and command


@dataclass(frozen=True)
class _Makefile:
    targets: Mapping[str, _Target]  # in their order
    settings: Mapping[str, str]  # variables that are plain text


def _calls(shown: str, text: str, made: _Makefile) -> Iterator[Call]:
    for number, line in enumerate(text.splitlines(), 1):
        yield from _of_line(shown, number, line)
        for found in _MAKE.finditer(line):
            words = [word for word in (found["words"] or "").split() if not word.startswith("-")]
            given = dict(word.split("=", 1) for word in words if "=" in word)
            names = [word for word in words if "=" not in word] or list(made.targets)[:1]
            for recipe in _lines(names, made.targets):
                yield from _of_line(shown, number, _filled(recipe, {**made.settings, **given}))


def _of_makefile(shown: str, made: _Makefile) -> Iterator[Call]:
    for target in made.targets.values():
        for number, line in target.recipe:
            yield from _of_line(shown, number, _filled(line, made.settings), is_unattended=False)


def _of_line(shown: str, number: int, line: str, *, is_unattended: bool = True) -> Iterator[Call]:
    """Yield what a line calls, and not what it merely prints, or asks for help or a plan."""
    called = _PRINTED.sub(lambda printed: " ".join(_WITHIN.findall(printed[0])), line)
    for found in _CALL.finditer(called):
        words = found["words"].split()
        count = 2 if words and words[0] in _NOUNS else 1
        verb = [word.strip("\"'") for word in words[:count]]
        if verb and all(map(_VERB.fullmatch, verb)) and _FOR_SHOW.isdisjoint(word.strip("\"')]}") for word in words):
            yield Call(shown, number, " ".join(verb), tuple(words[count:]), is_unattended)


def _makefile(text: str) -> _Makefile:
    found: dict[str, tuple[list[str], list[tuple[int, str]]]] = {}
    settings: dict[str, str] = {}
    current: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("\t"):
            for name in current:
                found[name][1].append((number, line.strip().lstrip("@-")))
        elif match := _SETTING.fullmatch(line):
            settings[match["name"]] = match["value"].strip()
        elif match := _TARGET.fullmatch(line.rstrip()):
            current = [name for name in match["names"].split() if not name.startswith(".")]
            for name in current:
                found.setdefault(name, ([], []))[0].extend(match["needs"].split())
    targets = {name: _Target(tuple(needs), tuple(recipe)) for name, (needs, recipe) in found.items()}
    return _Makefile(targets, settings)


def _filled(line: str, settings: Mapping[str, str]) -> str:
    """Return a line with its variables as they are set; those that nobody sets stay."""
    return _VARIABLE.sub(lambda found: settings.get(found["name"], found[0]), line)


def _lines(names: Sequence[str], targets: Mapping[str, _Target]) -> list[str]:
    """Return the lines that are run to make targets, each target once, in no certain order."""
    patterns = [target for target in targets if "%" in target]
    lines: list[str] = []
    left, seen = list(names), set()
    while left:
        name = left.pop()
        rule = name if name in targets else next((t for t in patterns if fnmatchcase(name, t.replace("%", "*"))), None)
        if rule is None or name in seen:
            continue
        seen.add(name)
        before, _, after = rule.partition("%")
        stem = name[len(before) : len(name) - len(after)] if "%" in rule else ""
        left += targets[rule].needs
        lines += [line.replace("$*", stem) for _, line in targets[rule].recipe]
    return lines
