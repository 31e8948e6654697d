r"""Words of a text in ONNX: what a token pattern finds there is all that it matches, and in Python the group in it.

``([A-Za-z]+)\.`` finds ``mr`` in "Mr." here and ``mr.`` there. Where all around the group is fixed, a copy of the
vectorizer whose words have it too says the same in both.
"""

from __future__ import annotations

import re
from typing import Any

_SIGN = r"(?:\\[^\w\s]|[^\w\s\\()\[\]{}.*+?|^$])*"
_PICKED = re.compile(rf"(?P<before>{_SIGN})\((?!\?)(?P<group>[^()]*)\)(?P<after>{_SIGN})")


def picks_otherwise(step: Any) -> bool:
    """Whether ONNX Runtime would find other words than a vectorizer does, whatever is done about it."""
    pattern = getattr(step, "token_pattern", None)
    if not isinstance(pattern, str) or not re.compile(pattern).groups:
        return False
    found = _PICKED.fullmatch(pattern)
    if found is None:
        return True
    is_plain = getattr(step, "stop_words", None) is None and tuple(step.ngram_range) == (1, 1)
    return bool(found["before"] or found["after"]) and not (is_plain and hasattr(step, "vocabulary_"))


def as_matched(step: Any) -> None:
    """Let a vectorizer's words be all that its pattern matches, where that picks a group and `picks_otherwise` not."""
    found = _PICKED.fullmatch(str(getattr(step, "token_pattern", "")))
    if found is None or picks_otherwise(step):
        return
    before, after = (re.sub(r"\\(.)", r"\1", found[part]) for part in ("before", "after"))
    step.token_pattern = f"{found['before']}(?:{found['group']}){found['after']}"
    step.vocabulary_ = {f"{before}{word}{after}": place for word, place in step.vocabulary_.items()}
