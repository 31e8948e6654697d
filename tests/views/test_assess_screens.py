"""An assessment in the terminal, as Mermaid, and as plain data."""

import json
import re
from dataclasses import replace

import pytest
from rich.console import Console

from mlops_cli.records import Level, NextStep, Shortfall
from mlops_cli.views.assess.mermaid import escaped, mermaid
from mlops_cli.views.assess.scanned import findings
from mlops_cli.views.assess.tables import COLUMNS, assessment_json, assessment_rows, steps_table
from mlops_cli.views.assess.tree import tree
from mlops_cli.views.assess.words import share_there


@pytest.fixture
def steps(assessed):
    return (NextStep(assessed.process("train"), 4.0), NextStep(assessed.process("deploy"), None))


# --- the terminal ------------------------------------------------------------------------------------------------


def test_a_tree_has_phases_levels_and_what_was_found(shown, assessed):
    assert shown(tree(assessed)).splitlines() == [
        "How the shop makes its models, 2026-11-22",
        "├── Training",
        "│   └──  ◕ semi-automated  Train models  Data scientist",
        "│       3 runs, by hand",
        "│       try: mlops retrain shop",
        "├── Deployment",
        "│   └──  ◔ manual          Deploy  ML engineer, Data scientist",
        "└── Monitoring",
        "    └──  ○ absent          Watch drift  ML engineer",
        "        soon",
        "",
        " ● automated  0   ◕ semi-automated  1   ◑ non-repeatable  0   ◔ manual  1",
        " ○ absent  1",
        "0 of 1 with a target is there; 2 have none",
    ]


def test_with_targets_what_changes_has_both_levels(shown, assessed):
    text = shown(tree(assessed, target=True))
    assert "◕ semi-automated  →  ● automated  Train models" in text
    assert "● automated  0 → 1" in text
    assert "◔ manual          Deploy" in text


def test_what_is_found_above_its_target_is_there_and_what_is_declared_above_it_is_to_fall(assessed):
    above = replace(assessed.process("train"), target=Level.MANUAL)
    assert (above.aim, share_there([above])) == (above.now, "1 of 1 with a target is there")
    said = replace(above, level=Level.AUTOMATED)
    assert said.aim is Level.MANUAL
    assert share_there([said]) == "0 of 1 with a target is there, 1 to be lower than today"


def test_where_the_team_says_otherwise_than_the_workspace_both_are_told(shown, assessed):
    said = replace(assessed.process("train"), level=Level.AUTOMATED)
    text = shown(tree(replace(assessed, processes=(said,))))
    assert "● automated       Train models" in text
    assert "declared automated; the workspace shows semi-automated: 3 runs, by hand" in text


def test_what_was_found_of_several_is_said_once(shown, assessed):
    found = assessed.process("train").evidence
    likewise = replace(assessed.process("deploy"), level=None, evidence=found)
    text = shown(tree(replace(assessed, processes=(assessed.process("train"), likewise))))
    assert text.count("3 runs, by hand") == text.count("try: mlops retrain shop") == 1
    assert "Deploy  ML engineer, Data scientist; as Train models" in text
    other = replace(likewise, evidence=replace(found, command="mlops retrain other"))
    text = shown(tree(replace(assessed, processes=(assessed.process("train"), other))))
    assert text.count("3 runs, by hand") == 2


def test_a_long_command_is_begun_where_all_processes_are_shown_and_whole_where_they_are_scanned(shown, assessed):
    long = "mlops " + "x" * 190
    train = assessed.process("train")
    train = replace(train, scan="ci", evidence=replace(train.evidence, command=long))
    alone = replace(assessed, processes=(train,))
    assert f"try: {long[:160]} … (--json has all)\n" in shown(tree(alone), 200)
    assert long in shown(findings(alone, "a.yaml"), 300)


def test_without_colours_the_words_and_signs_remain(assessed, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(width=80, force_terminal=True)
    with console.capture() as captured:
        console.print(tree(assessed, target=True))
    assert not re.search(r"\x1b\[[0-9;]*[34][0-9]", captured.get())
    assert "◕ semi-automated" in captured.get()


@pytest.mark.parametrize("width", [30, 50, 80])
def test_text_of_a_file_is_text_in_a_terminal_of_any_width(shown, hostile, width):
    text = shown(tree(hostile, target=True), width)
    assert not {"\x1b", "\u202e", "\x00"} & set(text)
    assert "[bold]" in shown(tree(hostile), 200)


def test_next_steps_tell_gain_and_effort(shown, steps):
    assert shown(steps_table(steps)).splitlines() == [
        "next                                 gain   effort   gain/effort",
        "────────────────────────────────────────────────────────────────",
        "Train models                            8        2             4",
        " ◕ semi-automated  →  ● automated",
        "Deploy                                  -        -             -",
        " ◔ manual  →  ◔ manual",
    ]


# --- Mermaid -----------------------------------------------------------------------------------------------------


def test_mermaid_has_phases_levels_actors_and_what_flows(assessed):
    assert mermaid(assessed) == (
        "flowchart LR\n"
        '  subgraph p0["Training"]\n'
        '    n0["◕ semi-automated<br/><b>Train models</b><br/>Data scientist"]:::semi_automated\n'
        "  end\n"
        '  subgraph p1["Deployment"]\n'
        '    n1["◔ manual<br/><b>Deploy</b><br/>ML engineer, Data scientist"]:::manual\n'
        "  end\n"
        '  subgraph p2["Monitoring"]\n'
        '    n2["○ absent<br/><b>Watch drift</b><br/>ML engineer"]:::absent\n'
        "  end\n"
        '  n2 -.->|"drift"| n0\n'
        '  n0 -->|"model"| n1\n'
        "  n1 --> n2\n"
        "  linkStyle 0 stroke:#8a2f7d,color:#8a2f7d\n"
        "  classDef automated fill:#084a6e,stroke:#042b41,color:#ffffff,stroke-width:1.5px\n"
        "  classDef semi_automated fill:#4c9fca,stroke:#1a5f87,color:#14181d,stroke-width:1.5px\n"
        "  classDef non_repeatable fill:#f8dc6a,stroke:#8a6d00,color:#14181d,stroke-width:1.5px\n"
        "  classDef manual fill:#f2a487,stroke:#9c4524,color:#14181d,stroke-width:1.5px\n"
        "  classDef absent fill:#ffffff,stroke:#59616a,color:#14181d,stroke-width:1.5px,stroke-dasharray:6 4\n"
    )


def test_mermaid_with_targets_marks_what_changes(assessed):
    text = mermaid(assessed, target=True)
    assert '["◕ semi-automated → ● automated<br/><b>Train models</b><br/>Data scientist"]:::automated' in text
    assert text.endswith("  classDef changes stroke-width:4px\n  class n0 changes\n")


def test_no_name_can_be_a_part_of_the_language(hostile, nasty):
    for line in mermaid(hostile, target=True).splitlines():
        for label in re.findall(r'"(.*)"', line):
            own = label.replace("<br/>", "").replace("<b>", "").replace("</b>", "")
            assert not re.search(r'["<>`*_\[\]|\\]|&(?!#)', own)
    codes = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), escaped(nasty))
    assert codes == nasty.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e").replace("\x00", "\\x00")


# --- plain data --------------------------------------------------------------------------------------------------


def test_json_has_counts_processes_shortfalls_and_steps(assessed, steps):
    found = assessment_json(assessed, steps, [Shortfall(assessed.process("deploy"), Level.SEMI_AUTOMATED)])
    assert json.loads(json.dumps(found)) == found
    assert found["counts"]["today"] == {
        "automated": 0,
        "semi-automated": 1,
        "non-repeatable": 0,
        "manual": 1,
        "absent": 1,
    }
    assert found["counts"]["target"]["automated"] == 1
    assert found["at_target"] == 0
    assert [phase["level"] for phase in found["phases"]] == ["semi-automated", "manual", "absent"]
    assert found["shortfalls"] == [{"process": "deploy", "level": "manual", "required": "semi-automated"}]
    assert found["next"][0] == {
        "process": "train",
        "level": "semi-automated",
        "target": "automated",
        "gain": 8,
        "effort": 2,
        "value": 4.0,
        "command": "mlops retrain shop",
    }
    assert found["processes"][0]["from"] == {"watch": "drift"}
    assert found["processes"][0]["evidence"]["level"] == "semi-automated"


def test_rows_have_all_columns_in_their_order(assessed):
    rows = assessment_rows(assessed)
    assert all(tuple(row) == COLUMNS for row in rows)
    assert [row["level"] for row in rows] == ["semi-automated", "manual", "absent"]
    assert rows[1]["actors"] == "engineer scientist"
