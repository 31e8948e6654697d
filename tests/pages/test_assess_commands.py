"""Commands on the page of an assessment are copied as they are."""

from __future__ import annotations

from mlops_cli.records import Assessment, Evidence, Level, NextStep, Process
from mlops_cli.views.assess.page import assess_page

COMMAND = "mkdir -p a && printf 'jobs:\\n  steps:\\n    - run: mlops run' > a/ml.yml"


def test_a_command_keeps_its_blanks_and_fits_the_window(visit, tmp_path):
    one = Process("ci", "Try", "p", ("a",), target=Level.AUTOMATED, evidence=Evidence("ci", Level.ABSENT, "x", COMMAND))
    path = tmp_path / "assess.html"
    found = Assessment("Ours", {"a": "A"}, {"p": "P"}, (one,))
    path.write_text(assess_page(found, [NextStep(one, 1.0)]), encoding="utf-8")
    seen = visit(path.as_uri(), width=700)
    assert seen.page.locator("td.code").all_inner_texts() == [COMMAND, COMMAND]
    assert seen.width() <= 700
