"""What pages are made of: blocks, and the commands in them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from .not_run import VARIABLES

REPO = Path(__file__).resolve().parents[2]
PAGES = ["README.md", *sorted(p.relative_to(REPO).as_posix() for p in (REPO / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
_PATH = re.compile(r"# (?P<path>[\w./-]+\.(?:yaml|py|toml|csv|txt|json))\b")
_EXIT = re.compile(r"exit(?: code)? (\d+)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    language: str
    text: str
    number: int  # of its first line in the page

    @property
    def path(self):
        """The file that it is, where its first line says so."""
        found = _PATH.match(self.text) if self.language in {"yaml", "python", "toml"} else None
        return found["path"] if found else None

    def __str__(self):
        return f"{self.page}:{self.number}"


@dataclass(frozen=True)
class Command:
    """One command of a block: `a && b` is two, and of a pipe it is the first."""

    block: Block
    text: str
    codes: frozenset[int]  # that its comment speaks of

    @property
    def words(self):
        text = self.text
        for name, value in VARIABLES.items():
            text = text.replace(name, value)
        return shlex.split(text)

    @property
    def is_ours(self):
        return self.words[0] == "mlops"

    def __str__(self):
        return f"{self.block}  {self.text}"


def blocks(page):
    """Return the blocks of a page."""
    text = (REPO / page).read_text(encoding="utf-8")
    return [
        Block(page, found["language"], re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
              text.count("\n", 0, found.start()) + 2)
        for found in _FENCE.finditer(text)
    ]  # fmt: skip


def commands(block):
    """Return the commands of a block of a console, or of a shell."""
    if block.language == "console":
        lines = [line.partition("$ ")[2] for line in block.text.splitlines() if re.match(r"(\w+)?\$ ", line)]
    elif block.language in {"sh", "bash", "make"}:
        text = re.sub(r"\\\n *", "", block.text)
        lines = [line for whole in text.splitlines() for line in _of_script(whole, block.language)]
    else:
        lines = re.findall(r"(?<=&& )mlops .*$", block.text, flags=re.MULTILINE)  # a line of cron
    return [command for line in lines for command in _parted(block, line)]


def _of_script(line, language):
    """Return the commands of a line of a script: it, or those of ours that stand in the syntax of a shell or make."""
    if language == "make" or re.search(r"\$\(|; do ", line):
        return re.findall(r"mlops [^|;>)]*", line)
    return [line] if line.strip() and not line.startswith("#") else []


def _parted(block, line):
    text, _, comment = re.sub(r"\s+#\s", "\0", line, count=1).partition("\0")
    codes = frozenset(map(int, _EXIT.findall(comment)))
    return [Command(block, part.partition(" | ")[0].strip(), codes) for part in text.split(" && ")]


def inline_commands(page):
    """Return what stands in the prose of a page as ``mlops …``."""
    text = _FENCE.sub("", (REPO / page).read_text(encoding="utf-8"))
    return re.findall(r"`mlops ([^`]+)`", text.replace("\n", " "))
