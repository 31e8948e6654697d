"""What the workspace shows of data: where it comes from, what is kept of it, what it must satisfy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.records import Level
from mlops_cli.store.needed import has_snapshot
from mlops_cli.views.text import plural
from mlops_cli.workflows.assess.look import Found
from mlops_cli.workflows.assess.words import command, key_of, parts_of, set_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_cli.records import DatasetVersion, Evidence, RunRecord
    from mlops_cli.workflows.assess.look import Look

_FETCHING = ("data add", "run", "retrain")
_PLACES = ("path", "dataset", "competition", "url")
"""Keys of ``data`` that say where another source than a data set is."""
_NO_SOURCE = frozenset({"expect", "read", "forecast"})


def data_fetched(look: Look) -> Evidence:
    """How data comes: by hand into a file, by a recorded command, by the run itself from an address."""

    def of(name: str, run: RunRecord, _: Sequence[RunRecord]) -> Found | None:
        return None if run.dataset is None else _fetched(look, name, run, run.dataset)

    return look.of_experiments("data-fetched", of, _FETCHING)


def _fetched(look: Look, name: str, run: RunRecord, data: DatasetVersion) -> Found:
    refs, others = parts_of(data)
    known = [version for version in look.datasets if version.ref in refs]
    alike = look.alike(data) if others else known
    if others and all(_is_elsewhere(look, source, run) for source in others):
        text = f"{run.id} fetched {', '.join(others)} itself"
        return Found(Level.SEMI_AUTOMATED, text, look.again(run), lambda call: call.verb in {"run", "retrain"})
    if alike:
        text = ", ".join(f"{version.ref} was added from {version.origin or 'a table'}" for version in alike[:2])
        add = _add(alike[-1].origin, alike[-1].name)
        return Found(Level.SEMI_AUTOMATED, f"{name}: {text}", add, lambda call: call.verb == "data add")
    if not others:
        return Found(
            Level.NON_REPEATABLE, f"{run.id} read {', '.join(refs)}, which is no longer there", "mlops data ls"
        )
    text = f"{run.id} read {others[0]}, and nothing says how it came there"
    return Found(Level.NON_REPEATABLE, text, _add(look.readable(others[0]), set_name(others[0], name)))


def _is_elsewhere(look: Look, source: str, run: RunRecord) -> bool:
    """Whether a run fetches a source itself: an address, or what its config names no file for, such as a query."""
    return "://" in source or not (look.is_here(source) or any(_files(look.config(run, "data"))))


def _files(node: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that a config names, in parts of a join too."""
    for key, value in node.items():
        if key == "path":
            listed = value if isinstance(value, list) else [value]
            yield from (str(one) for one in listed if one is not None and "://" not in str(one))
        elif key not in _NO_SOURCE:
            for one in value if isinstance(value, list) else [value]:
                yield from _files(_mapping(one))


def _add(source: str, name: str) -> str:
    return command("data", "add", source, "--name", name) if source else ""


def data_versioned(look: Look) -> Evidence:
    """Whether what runs read is kept, and read by its name and number."""

    def of(name: str, run: RunRecord, _: Sequence[RunRecord]) -> Found | None:
        return None if run.dataset is None else _versioned(look, name, run, run.dataset)

    return look.of_experiments("data-versioned", of, ("data add", "retrain"))


def _versioned(look: Look, name: str, run: RunRecord, data: DatasetVersion) -> Found:
    refs, others = parts_of(data)
    gone = [ref for ref in refs if ref not in {version.ref for version in look.datasets}]
    if gone:
        text = f"{run.id} read {gone[0]}, which is no longer there"
        return Found(Level.NON_REPEATABLE, text, _by_name(look, run, gone[0].partition("@")[0]))
    if refs and not others:
        text = f"{run.id} read {', '.join(refs)}{_only_asked(look, name, run)}"
        return Found(Level.SEMI_AUTOMATED, text, _add_again(look, refs[0]))
    if has_snapshot(look.paths, data.version):
        text = f"what {run.id} read from {', '.join(others)} is kept as snapshot {data.version[:12]}"
        return Found(Level.SEMI_AUTOMATED, text, look.again(run))
    if alike := look.alike(data):
        text = f"{run.id} read {data.source} by its path, whose content is {alike[-1].ref}"
        return Found(Level.NON_REPEATABLE, text, _by_name(look, run, alike[-1].name))
    called = set_name(data.source, name)
    text = f"{run.id} read {data.source}, of which nothing is kept but its hash"
    add = _add(look.readable(data.source), called)
    return Found(Level.MANUAL, text, add and f"{add} && {_by_name(look, run, called)}")


def _by_name(look: Look, run: RunRecord, name: str) -> str:
    """Return the command that runs an experiment on a data set, in place of what its config names."""
    said = look.config(run, "data")
    without = [f"~data.{key}" for key in _PLACES if said.get(key) is not None]
    # --force: a run by name may be there that is older than the one that read by path
    return look.again(run, "data=dataset", f"data.name={name}", *without, "--force")


def _only_asked(look: Look, name: str, run: RunRecord) -> str:
    """Return what to write into the config, where it was the command line alone that asked for data by its name."""
    asked = [one for one in look.overrides(run) if key_of(one) == "data" or key_of(one).startswith("data.")]
    if not {"data", "data.name"} & {key_of(one) for one in asked}:
        return ""
    return f", as its command line asked; without it, configs/{name}.yaml must say so: {' '.join(asked)}"


def _add_again(look: Look, ref: str) -> str:
    """Return the command that a schedule would call: that which adds the next version from where the last one came."""
    version = next(version for version in look.datasets if version.ref == ref)
    return _add(version.origin, version.name)


# --- what it must satisfy ----------------------------------------------------------------------------------------


def data_expected(look: Look) -> Evidence:
    """Whether rules are declared that data must satisfy: every run holds its data against them, and stops."""

    def of(_name: str, run: RunRecord, _: Sequence[RunRecord]) -> Found | None:
        if run.dataset is None:
            return None
        count = _rules(_expected(look, run))
        if not count:
            return _without_rules(look, run, run.dataset, f"{run.id} had no rules of what its data must satisfy")
        text = f"{run.id} held its data against {plural(count, 'rule')}"
        return Found(Level.SEMI_AUTOMATED, text, look.again(run))

    return look.of_experiments("data-expected", of, ("run", "retrain", "data check"))


def labels_checked(look: Look) -> Evidence:
    """Whether rules are declared for the target alone: its classes, its range, what may be missing."""

    def of(_name: str, run: RunRecord, _: Sequence[RunRecord]) -> Found | None:
        target = None if run.dataset is None else run.dataset.target
        if run.dataset is None or target is None:
            return None
        rules = _mapping(_mapping(_expected(look, run).get("columns")).get(target))
        if not rules:
            return _without_rules(look, run, run.dataset, f"{run.id} had no rules for its target {target}")
        text = f"{run.id} held its target {target} against {', '.join(sorted(rules))}"
        return Found(Level.SEMI_AUTOMATED, text, look.again(run))

    return look.of_experiments("labels-checked", of, ("run", "retrain", "data check"))


def _expected(look: Look, run: RunRecord) -> Mapping[str, Any]:
    return _mapping(look.config(run, "data").get("expect"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _rules(expect: Mapping[str, Any]) -> int:
    """Return how many rules there are, counted as ``mlops data check`` counts them."""
    columns = [_mapping(rules) for rules in _mapping(expect.get("columns")).values()]
    of_table = [rule for rule, said in expect.items() if rule not in {"columns", "severity"} and said is not None]
    return len(of_table) + sum(len(rules.keys() - {"severity"}) for rules in columns)


def _without_rules(look: Look, run: RunRecord, data: DatasetVersion, text: str) -> Found:
    """Return what comes next: rules to begin with are written, put below ``data:`` of the experiment, then run."""
    name = run.path.parent.name
    rules = f"expect-{name}.yaml"
    if look.is_here(rules):
        text = f"{text}; {rules} is there: what it says belongs below data: in configs/{name}.yaml, then run it"
        return Found(Level.ABSENT, text, look.again(run))
    return Found(Level.ABSENT, text, command("data", "expect", look.readable(data.source) or name, "-o", rules))


def preparation_declared(look: Look) -> Evidence:
    """Whether data is prepared by steps that the experiment declares, fitted within each split."""

    def of(_name: str, run: RunRecord, _: Sequence[RunRecord]) -> Found | None:
        if run.dataset is None:
            return None
        steps = list(look.config(run, "transforms"))
        if not steps:
            text = f"{run.id} declares no steps: whatever is done to the data is done elsewhere"
            return Found(Level.MANUAL, text, look.again(run, "transforms=tabular"))
        text = f"{run.id} prepares by {', '.join(steps[:4])}{', …' if len(steps) > 4 else ''}"
        return Found(Level.SEMI_AUTOMATED, text, look.again(run))

    return look.of_experiments("preparation-declared", of, ("run", "retrain"))
