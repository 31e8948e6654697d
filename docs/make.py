"""Write the pages of docs/reference from the code: the commands, the config, the library, exit codes and files.

``make docs`` runs it; a test holds that the pages that are committed are what it makes.
"""

from __future__ import annotations

import html
import importlib
import inspect
import re
import typing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ExitCode, MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent / "mlops_cli"
MADE = "<!-- made from the code by `make docs` -->"
MODULES = ("mlops_cli", "models", "data", "monitor", "plots", "testing", "contracts")


def pages() -> dict[str, str]:
    """Return name of each page of docs/reference → its text."""
    made: Mapping[str, Callable[[], Iterator[str]]] = {
        "commands.md": commands,
        "config.md": config,
        "python.md": python,
        "codes.md": codes,
        "files.md": files,
    }
    return {name: f"{MADE}\n\n" + "\n".join(page()).rstrip() + "\n" for name, page in made.items()}


def row(*cells: object) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(value: object) -> str:
    """Return text that ends no cell, and is no markup but where it stands in backticks."""
    text = str(value).replace("|", "\\|")
    return text if "`" in text else html.escape(text, quote=False)


def table(*heads: str) -> Iterator[str]:
    """Give the first lines of a table."""
    yield from ("", row(*heads), f"|{'---|' * len(heads)}")


# --- commands ------------------------------------------------------------------------------------------------------


def commands() -> Iterator[str]:
    """Give every command: what it does, its usage, its options, its example."""
    from typer.main import get_command

    from mlops_cli.cli.app import build

    yield "# Commands"
    yield ""
    yield "Results go to stdout, messages to stderr. What each exit code says is in [codes.md](codes.md)."
    for words, command in _leaves(get_command(build()), ("mlops",)):
        yield from _command(words, command)


def _leaves(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, inner in command.commands.items():
        yield from _leaves(inner, (*words, name))


def _command(words: tuple[str, ...], command: Any) -> Iterator[str]:
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    arguments = [p for p in shown if p.param_type_name == "argument"]
    options = [p for p in shown if p.param_type_name == "option" and p.name != "help"]
    kinds = typing.get_type_hints(inspect.unwrap(command.callback))
    usage = " ".join([*words, "[OPTIONS]" if options else "", *map(_argument, arguments)])
    yield from ("", f"## {' '.join(words)}", "", _prose(command.help), "", "```", " ".join(usage.split()), "```")
    if shown:
        yield from table("", "")
        yield from (row(f"`{_argument(p)}`", _help(p)) for p in arguments)
        yield from (row(f"`{_option(p, kinds[p.name])}`", _help(p)) for p in options)
    if command.epilog:
        yield from ("", f"Example: `{_example(command.epilog)}`")


def _example(epilog: str) -> str:
    return " ".join(epilog.split()).removeprefix("Example: ").removeprefix("Start with: ")


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    name = name if name.endswith(("…", "...")) or parameter.nargs != -1 else f"{name}…"
    return name if parameter.required or "[" in name else f"[{name}]"


def _option(parameter: Any, kind: Any) -> str:
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {parameter.metavar or _kind(kind)}"


def _kind(kind: Any) -> str:
    """Return what a value of an option is called, from its annotation: versions of Typer differ in what they tell."""
    plain = next((inner for inner in typing.get_args(kind) if inner is not type(None)), kind)
    if issubclass(plain, Enum):
        return "|".join(str(one.value) for one in plain)
    return {str: "TEXT", int: "INTEGER", float: "FLOAT"}.get(plain, plain.__name__.upper())


def _help(parameter: Any) -> str:
    text = _prose(parameter.help or "")
    default = parameter.default
    is_said = parameter.param_type_name == "option" and not parameter.is_flag and isinstance(default, str | int | float)
    return f"{text} Default: `{default}`." if is_said and default not in {"", True, False} else text


def _prose(text: str | None) -> str:
    r"""Return docstring text as Markdown; click's \b keeps lines, and there is nothing to be kept here."""
    return inspect.cleandoc(text or "").replace("\b\n", "").replace("``", "`")


# --- config --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A key of a YAML file as it is written: with its default and the comment behind it."""

    name: str
    default: str
    comment: str


_KEY = re.compile(r"^(?P<indent> *)(?P<name>[\w]+):(?P<value>.*?)(?:\s+# ?(?P<comment>.*))?$")


def keys(text: str) -> Iterator[Key]:
    r"""Give the keys of a YAML file of the catalogue, whose lines are all of one form.

    Examples
    --------
    >>> list(keys("sweep:\n  trials: null  # how many"))
    [Key(name='sweep', default='', comment=''), Key(name='sweep.trials', default='null', comment='how many')]
    """
    above: list[tuple[int, str]] = []
    for found in filter(None, map(_KEY.match, text.splitlines())):
        indent = len(found["indent"])
        above = [*(one for one in above if one[0] < indent), (indent, found["name"])]
        yield Key(".".join(name for _, name in above), found["value"].strip(), found["comment"] or "")


def config() -> Iterator[str]:
    """Give every key of an experiment, and every option of every group."""
    yield "# Config"
    yield ""
    yield "Every key with its default; `mlops config NAME` shows them resolved. What is **bold** is a section."
    yield from table("key", "default", "")
    for key in keys((PACKAGE / "conf" / "experiment.yaml").read_text(encoding="utf-8")):
        yield row(f"`{key.name}`" if key.default else f"**`{key.name}`**", _code(key.default), key.comment)
    yield from (
        "",
        "# Options of groups",
        "",
        "Chosen in the defaults list (`- model: svm`) or on the command line (`model=svm`). A file of the same name in",
        "the workspace's `configs/` wins, and a new file there is a new option.",
    )
    for folder in sorted(path for path in (PACKAGE / "conf").iterdir() if path.is_dir()):
        yield from ("", f"## {folder.name}")
        for path in sorted(folder.glob("*.yaml")):
            yield from _choice(folder.name, path)


def _choice(group: str, path: Path) -> Iterator[str]:
    import yaml

    text = path.read_text(encoding="utf-8")
    about = text.partition("\n")[0].removeprefix("#").strip() if text.startswith("#") else ""
    yield from ("", f"### {group}={path.stem}", "", about)
    target = (yaml.safe_load(text) or {}).get("_target_")
    names = list(dict.fromkeys(target.values())) if isinstance(target, dict) else [target]
    if any(names):
        yield from ("", ", ".join(f"`{name}`" for name in names if name))
    own = [key for key in keys(text) if not key.name.startswith(("_target_", "defaults"))]
    if own:
        yield from table("key", "default", "")
        yield from (row(f"`{key.name}`", _code(key.default), key.comment) for key in own)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


# --- the library ---------------------------------------------------------------------------------------------------


def python() -> Iterator[str]:
    """Give every public function and class with its signature and what it says of itself."""
    yield "# Python"
    yield ""
    yield "`import mlops_cli as mlops`; everything is imported when it is first used."
    for name in MODULES:
        module = importlib.import_module("mlops_cli" if name == "mlops_cli" else f"mlops_cli.{name}")
        prefix = "mlops" if name == "mlops_cli" else f"mlops.{name}"
        prefix = f"mlops_cli.{name}" if name in {"testing", "contracts"} else prefix
        yield from ("", f"## {prefix}", "", (module.__doc__ or "").partition("\n")[0])
        for one in public(module):
            yield from _documented(f"{prefix}.{one}", getattr(module, one))


def public(module: ModuleType) -> list[str]:
    """Return the names that a module offers, in their order there."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(listed)
    own = {n: v for n, v in vars(module).items() if inspect.isclass(v) or inspect.isfunction(v)}
    return sorted(n for n, v in own.items() if n[0] != "_" and v.__module__ == module.__name__)


def _documented(name: str, value: Any) -> Iterator[str]:
    yield from ("", f"### {name}", "", "```python", _signature(name.rpartition(".")[2], value), "```", "")
    yield from _docstring(value)
    if inspect.isclass(value):
        for method, what in vars(value).items():
            if method[0] != "_" and (inspect.isfunction(what) or isinstance(what, property)):
                shown = f".{method}" if isinstance(what, property) else _signature(f".{method}", what)
                yield f"- `{shown}`: {_summary(what)}"


def _signature(name: str, value: Any) -> str:
    """Return a signature as it is written; annotations are text there, so that no version of Python changes it."""
    if inspect.isclass(value) and getattr(value, "_is_protocol", False):
        return f"class {name}(Protocol)"
    found = inspect.signature(value)
    given = [p for p in found.parameters.values() if p.name not in {"self", "cls"}]
    text = f"{name}{found.replace(parameters=given)}".replace("'", "")
    text = re.sub(r"<function (\w+) at 0x\w+>", r"\1", text)
    text = re.sub(r"<[^>]* at 0x\w+>", "…", text)  # an address is another one each time
    return f"class {text}".removesuffix(" -> None") if inspect.isclass(value) else text


def _summary(value: Any) -> str:
    return _prose((inspect.getdoc(value) or "").partition("\n\n")[0]).replace("\n", " ")


_SECTION = re.compile(r"^(Parameters|Returns|Raises|Yields|Notes|References|Examples)\n-+\n", re.MULTILINE)


def _docstring(value: Any) -> Iterator[str]:
    """Give a numpydoc docstring as Markdown: what it says, what it takes, returns and raises; no examples."""
    first, *rest = _SECTION.split(inspect.getdoc(value) or "")
    yield _prose(first)
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        if title in {"Parameters", "Returns", "Raises"}:
            yield from ("", f"**{title}**", "", *_entries(body))
    if inspect.isclass(value):
        yield ""


def _entries(body: str) -> Iterator[str]:
    """Give the entries of a section: a line at the margin, and what is indented below it."""
    for entry in re.split(r"\n(?=\S)", body.strip()):
        head, _, told = entry.partition("\n")
        text = " ".join(inspect.cleandoc(told).split()).replace("``", "`")
        yield f"- `{head}`: {text}" if text else f"- `{head}`"


# --- codes and files -----------------------------------------------------------------------------------------------


def codes() -> Iterator[str]:
    """Give the exit codes, and the errors that end in them."""
    yield "# Exit codes and errors"
    yield from table("code", "name", "says", "errors of the library")
    for code in ExitCode:
        errors = [f"`{e.__name__}`" for e in _errors(MlopsError) if e.exit_code is code and e is not MlopsError]
        yield row(int(code), code.name.lower(), _comment(code.name), ", ".join(errors))
    yield from (
        "",
        "## Errors",
        "",
        "All are `mlops_cli.errors.MlopsError`, with `.message` and `.hint`, what mends it.",
    )
    yield from table("error", "")
    yield from (row(f"`{error.__name__}`", _summary(error)) for error in _errors(MlopsError))
    yield from ("", "The codes of warnings about data are in [data.md](../data.md#what-is-said-of-data).")


def _errors(above: type[MlopsError]) -> Iterator[type[MlopsError]]:
    """Give the errors of errors.py in their order there; subclasses elsewhere are the affair of their files."""
    found = vars(importlib.import_module("mlops_cli.errors")).values()
    yield from (one for one in found if inspect.isclass(one) and issubclass(one, above))


def _comment(name: str) -> str:
    """Return the comment behind a member of the enum, or its name where there is none."""
    found = re.search(rf"^    {name} = \d+(?:  # (.*))?$", inspect.getsource(ExitCode), flags=re.MULTILINE)
    usual = {"OK": "done", "INTERRUPTED": "interrupted; `mlops resume` goes on"}
    return (found[1] if found else "") or usual.get(name, "")


def files() -> Iterator[str]:
    """Give the files of a run, a saved model, a registered version and a batch."""
    layout = importlib.import_module("mlops_cli.store.layout")
    yield "# Files"
    places = {
        "RunPaths": ("A run", "runs/EXPERIMENT/STAMP-HEX"),
        "ModelPaths": ("A saved model", "model/ of a run or version"),
        "VersionPaths": ("A registered version", "models/NAME/NUMBER"),
        "BatchPaths": ("A batch that a model was watched on", "models/NAME/batches/ID"),
    }
    for name, (title, place) in places.items():
        yield from ("", f"## {title}", "", f"In `{place}`.")
        yield from table("file", "holds")
        yield from _names(getattr(layout, name))


def _names(kind: type) -> Iterator[str]:
    root = Path("/w/runs/experiment/stamp")
    paths = kind(root)
    for name, value in vars(kind).items():
        path = getattr(paths, name) if isinstance(value, property) else None
        if isinstance(path, Path) and path.is_relative_to(root):
            yield row(f"`{path.relative_to(root)}{'' if path.suffix else '/'}`", _summary(value).removesuffix("."))


def main() -> None:
    """Write the pages, and say which have changed."""
    folder = HERE / "reference"
    folder.mkdir(exist_ok=True)
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/reference/{name}")


if __name__ == "__main__":
    main()
