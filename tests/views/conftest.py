"""Screens as they stand in an 80-column terminal, as text."""

import pytest
from rich.console import Console

from mlops_cli.records import Assessment, Evidence, Flow, Level, Process


@pytest.fixture
def shown():
    def render(renderable, width=80):
        console = Console(width=width, color_system=None, highlight=False)
        with console.capture() as capture:
            console.print(renderable)
        lines = [line.rstrip() for line in capture.get().splitlines()]
        assert max(map(len, lines)) <= width
        return "\n".join(lines)

    return render


# --- assessments -------------------------------------------------------------------------------------------------


@pytest.fixture
def nasty():
    """Text that would like to be more than text."""
    return '</svg><script>window.hurt=1</script> "q" `b` *x* 1. a ]]> &amp; #quot; [bold]\x1b[31m\u202e\x00 end'


@pytest.fixture
def assessed():
    """Three processes: one that the workspace shows and that has a target, one that is declared, one that is absent."""
    return Assessment(
        name="How the shop makes its models",
        date="2026-11-22",
        actors={"scientist": "Data scientist", "engineer": "ML engineer"},
        phases={"training": "Training", "deployment": "Deployment", "monitoring": "Monitoring"},
        processes=(
            Process(
                key="train",
                name="Train models",
                phase="training",
                actors=("scientist",),
                purpose="Learn from what was sold",
                flows=(Flow("watch", "drift"),),
                evidence=Evidence("runs-recorded", Level.SEMI_AUTOMATED, "3 runs, by hand", "mlops retrain shop"),
                target=Level.AUTOMATED,
                effort=2,
                gain=8,
            ),
            Process(
                "deploy", "Deploy", "deployment", ("engineer", "scientist"), "", (Flow("train", "model"),), Level.MANUAL
            ),
            Process(
                "watch", "Watch drift", "monitoring", ("engineer",), "", (Flow("deploy"),), Level.ABSENT, note="soon"
            ),
        ),
    )


@pytest.fixture
def hostile(nasty):
    """An assessment in which every text would like to be more than text."""
    evidence = Evidence("x", Level.MANUAL, nasty, nasty)
    first = Process(
        "end", nasty, "p", ("a", "b"), nasty, (), Level.MANUAL, Level.AUTOMATED, note=nasty, evidence=evidence
    )
    second = Process("x", "W" * 400, "q", ("b",), nasty, (Flow("end", nasty),), Level.ABSENT)
    return Assessment(nasty, {"a": nasty, "b": nasty * 9}, {"p": nasty, "q": nasty * 9}, (first, second), nasty)
