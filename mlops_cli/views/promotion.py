"""What gates said of a version that was to be promoted, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from mlops_cli.views.runs import table
from mlops_cli.views.text import clean, plain, plural

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mlops_cli.records import Promotion, RolledBack


def gates(found: Promotion) -> RenderableType:
    """Return a line for each gate, and below them how each was found."""
    made = table("", "gate", "wanted", "found")
    made.columns[1].no_wrap = True
    for gate in found.gates:
        sign = Text("passed", style="green") if gate.passed else Text("failed", style="bold red")
        made.add_row(sign, plain(gate.gate), plain(gate.wanted), plain(gate.found))
    how: dict[str, list[str]] = {}
    for gate in found.gates:
        if gate.detail:
            how.setdefault(gate.detail, []).append(gate.gate)
    told = [Text.assemble(clean(", ".join(names)), (f": {clean(detail)}", "dim")) for detail, names in how.items()]
    return Group(made, Text(), *told)


def notes(found: Promotion) -> list[str]:
    """Return what there is to know beside the gates."""
    if found.before == found.version:
        return []
    none = f"no gates are declared for {found.version.rpartition('/')[0]}: nothing was asked but that it opens"
    return [clean(text) for text in (f"gates of {found.declared}" if found.declared else none, *found.said)]


def verdict(found: Promotion, *, dry_run: bool = False) -> str:
    """Return one line: what came of it."""
    if found.before == found.version:
        return clean(f"{found.version} is @{found.alias} already")
    failed = sum(not gate.passed for gate in found.gates)
    refused = f"{failed} of {plural(len(found.gates), 'gate')} failed"
    if found.done:
        was = f"; {found.before} was" if found.before else ""
        over = f"; {refused}, and that was overridden: {found.override}" if found.override else ""
        return clean(f"{found.version} is @{found.alias}{was}{over}")
    if failed:
        return clean(f"{found.version} {'would not be' if dry_run else 'is not'} promoted: {refused}")
    return clean(f"{found.version} would be @{found.alias}")


def rolled_back(found: RolledBack) -> list[str]:
    """Return what came of giving an alias back."""
    was = f"; {found.model}/{found.before} was" if found.before is not None else ""
    return [clean(f"{found.model}/{found.to} is @{found.alias} again{was}"), *map(clean, found.skipped)]


# --- plain data --------------------------------------------------------------------------------------------------


def promotion_json(found: Promotion) -> dict[str, Any]:
    """Return all of it."""
    return {
        "version": found.version,
        "alias": found.alias,
        "before": found.before,
        "done": found.done,
        "passed": found.passed,
        "override": found.override or None,
        "declared": found.declared or None,
        "gates": [vars(gate) for gate in found.gates],
        "said": list(found.said),
    }


def rollback_json(found: RolledBack) -> dict[str, Any]:
    """Return all of it."""
    return {
        "version": f"{found.model}/{found.to}",
        "alias": found.alias,
        "before": None if found.before is None else f"{found.model}/{found.before}",
        "skipped": list(found.skipped),
    }
