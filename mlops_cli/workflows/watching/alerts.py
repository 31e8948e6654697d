"""Those who are told of drift: a failing alert is said, and changes nothing of what was found.

An alert can run a command and send what is known of the data anywhere. So those alone count that the workspace's owner
declares in their own ``configs/``: a run's config may have come from elsewhere with the run.
"""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_cli.components.alerts import AlertError, Limits, deliver, shown
from mlops_cli.config.drift import SECTION, read_alerts
from mlops_cli.config.yaml_guard import read_text
from mlops_cli.errors import ConfigError
from mlops_cli.records import SCHEMA_VERSION, Notice
from mlops_cli.views.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import Alert, DriftReport

NOT_SENT = "alert-not-sent"

_MOST_FINDINGS = 50
_MOST_IN_TEXT = 5
_CALLING = re.compile(r"<(?=\S)")


def send(
    report: DriftReport,
    alerts: Sequence[Alert],
    workspace: Workspace,
    *,
    see: str | None = None,
    limits: Limits | None = None,
) -> tuple[Notice, ...]:
    """Tell of a drift report; of one that found nothing only those who want to know always.

    Parameters
    ----------
    report : DriftReport
        What was found.
    alerts : sequence of Alert
        Who is told.
    workspace : Workspace
        Whose owner must have declared them; where commands run and files are.
    see : str, optional
        The command that shows more; the check itself where not given.
    limits : Limits, optional
        How long is waited.

    Returns
    -------
    tuple of Notice
        What did not arrive, and why.
    """
    wanted = list(dict.fromkeys(alert for alert in alerts if report.drifted or alert.always))
    if not wanted:
        return ()
    payload, owned = payload_of(report, see), set(_owned(workspace))
    found = [_sent(alert, payload, workspace, limits, is_owned=alert in owned) for alert in wanted]
    return tuple(notice for notice in found if notice is not None)


def payload_of(report: DriftReport, see: str | None = None) -> dict[str, Any]:
    """Return what is sent of a report, as JSON has it; ``text`` is what Slack and its like show."""
    command = see or f"mlops drift {shlex.quote(report.model)} {shlex.quote(report.data)} --no-alerts"
    return {
        "schema_version": SCHEMA_VERSION,
        "text": _text(report, command),
        "model": report.model,
        "data": report.data,
        "version": report.version,
        "rows": report.rows,
        "at": report.at,
        "drifted": report.drifted,
        "judged": report.judged,
        "findings": [asdict(item) | {"kind": str(item.kind)} for item in report.findings[:_MOST_FINDINGS]],
        "findings_in_all": len(report.findings),
        "see": command,
    }


def _text(report: DriftReport, command: str) -> str:
    lines = [f"{report.model} on {report.data} ({plural(report.rows, 'row')}): {report.verdict}"]
    lines += [f"- {item.sentence}" for item in report.findings[:_MOST_IN_TEXT]]
    if (more := len(report.findings) - _MOST_IN_TEXT) > 0:
        lines.append(f"and {more:,} more")
    # To Slack <!channel> calls everybody and <http://…|here> is a link, and a column may be called so.
    return _CALLING.sub("‹", "\n".join([*lines, command]))


def _sent(
    alert: Alert, payload: dict[str, Any], workspace: Workspace, limits: Limits | None, *, is_owned: bool
) -> Notice | None:
    """Send to one; return why it did not arrive."""
    if not is_owned:
        why = "it is declared in a config that is not of this workspace; declare it in configs/drift/NAME.yaml"
        return Notice(NOT_SENT, f"{shown(alert)}: {why}")
    try:
        deliver(alert, payload, workspace.root, limits)
    except AlertError as error:
        return Notice(NOT_SENT, f"{shown(alert)}: {error}")
    except Exception as error:  # noqa: BLE001 - whatever it is, the finding is worth more
        return Notice(NOT_SENT, f"{shown(alert)}: {type(error).__name__}")
    return None


# --- who may be told ---------------------------------------------------------------------------------------------


def _owned(workspace: Workspace) -> Iterator[Alert]:
    """Yield the alerts that the workspace's owner declares: in files of their own, and in their experiments."""
    for path in sorted(workspace.configs.rglob("*.yaml")):
        yield from _declared(path, () if path.parent == workspace.configs / SECTION else (SECTION,))


def _declared(path: Path, keys: Sequence[str]) -> tuple[Alert, ...]:
    """Return the alerts of one file; none of one that cannot be read, which is somebody else's to say."""
    import yaml

    with suppress(ConfigError, yaml.YAMLError):
        text = read_text(path, path.name, allow_empty=True)
        node: Any = yaml.safe_load(text) if "alerts" in text else None
        for key in keys:
            node = node.get(key) if isinstance(node, dict) else None
        return read_alerts(node.get("alerts"), "alerts") if isinstance(node, dict) else ()
    return ()
