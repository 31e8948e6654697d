"""What people must have said of a version before it is promoted: who approved it, and what its owner answered."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlops_cli.analysis.gates import number, unknown, within
from mlops_cli.errors import did_you_mean
from mlops_cli.records import Approval, GateResult, SignOff

if TYPE_CHECKING:
    from mlops_cli.records import ApprovalGate, Handover, HandoverGate, ModelStatus

DAY = 86_400  # seconds


def approval_gate(spec: ApprovalGate, status: ModelStatus) -> GateResult:
    """Return the gate on who has approved this very version; of each person the last word counts."""
    last: dict[str, SignOff] = {item.by: item for item in status.sign_offs}
    agreed = [name for name in spec.by if name in last and last[name].verdict is Approval.APPROVED]
    others = [name for name, item in last.items() if name not in spec.by and item.verdict is Approval.APPROVED]
    wanted = f"approved by {_some_of(spec)}"
    found = f"by {', '.join(agreed)}" if agreed else "by none of them"
    detail = f"{', '.join(others)} approved too, and {'is' if len(others) == 1 else 'are'} not asked" if others else ""
    return GateResult("approval", len(agreed) >= spec.count, wanted, found, detail, len(agreed), spec.count)


def _some_of(spec: ApprovalGate) -> str:
    if len(spec.by) == 1:
        return spec.by[0]
    return f"{'all' if spec.count == len(spec.by) else spec.count} of {', '.join(spec.by)}"


def handover_gates(spec: HandoverGate, handover: Handover | None, ref: str, now: datetime) -> list[GateResult]:
    """Return the gates on what the model's owner answered: whether it is there, and whether it is of late.

    Parameters
    ----------
    spec : HandoverGate
        What is wanted.
    handover : Handover, optional
        The answers that hold for the version.
    ref : str
        The version.
    now : datetime
        With a zone.
    """
    gates = [_answered_gate(spec, handover, ref)]
    return gates if spec.max_age is None else [*gates, _age_gate(spec.max_age, handover, ref, now)]


def _answered_gate(spec: HandoverGate, handover: Handover | None, ref: str) -> GateResult:
    wanted = f"{', '.join(spec.questions)} answered" if spec.questions else "all answered that must be"
    if handover is None:
        return GateResult("handover", passed=False, wanted=wanted, found="nobody answered", detail=_first_answers(ref))
    answers = {item.key: item.answer for item in handover.items}
    asked = spec.questions or tuple(item.key for item in handover.items if item.must)
    strange = [key for key in asked if key not in answers]
    missing = [key for key in asked if not answers.get(key)]
    told = [f"there is no question {key}: {did_you_mean(key, answers)}" for key in strange]
    told += [f"not answered: {', '.join(missing)}; {_mend(ref)}"] if missing and not strange else []
    count = len(asked) - len(missing)
    found = f"{count} of {len(asked)}, by {handover.by} for {handover.ref}"
    return GateResult("handover", not missing, wanted, found, "; ".join(told), count, len(asked))


def _age_gate(max_age: float, handover: Handover | None, ref: str, now: datetime) -> GateResult:
    gate, most = "handover.max_age", max_age / DAY
    if handover is None:
        return unknown(gate, f"≤ {number(most)} days", "nobody answered", most)
    age = round((now - datetime.fromisoformat(handover.at)).total_seconds() / DAY, 2)
    how = f"answered by {handover.by} on {handover.at[:10]} for {handover.ref}"
    stale = f"; is it still so? mlops models handover {ref} keeps the answers anew" if age > most else ""
    return within(gate, age, most=most, unit=" days", how=f"{how}{stale}")


def _first_answers(ref: str) -> str:
    name = ref.partition("/")[0]
    return f"mlops models handover {name} --init writes the questions; {_mend(ref)}"


def _mend(ref: str) -> str:
    return f"answer in configs/handover/{ref.partition('/')[0]}.yaml, then mlops models handover {ref}"
