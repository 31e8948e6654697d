"""Platforms side by side: what rules one out, how each does by concern, what it would change, and every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from mlops_cli.analysis.platforms import changes, compared, dates, is_settled, mark_by, moved, newest, ranking
from mlops_cli.records import Mark
from mlops_cli.views.runs import table
from mlops_cli.views.text import clean, notice, percent, plain, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from mlops_cli.records import ConcernScore, Evaluation, Level, Platform, PlatformScore, Process, Question

WORDS = {Mark.GREEN: "yes", Mark.YELLOW: "partly", Mark.RED: "no", None: "open"}
"""How an answer is called beside its sign, so that it can be told without colours; open: nobody knows yet."""
OPEN = "⚪"
OUT = "out"
_STYLES = {Mark.GREEN: "green", Mark.YELLOW: "", Mark.RED: "red", None: "dim"}  # yellow letters are lost on white
_ON_ONE_LINE = 3
"""Platforms up to which a score, its counts and its range stand beside each other on 80 columns."""
_BESIDE = 5
"""Platforms in one table; more of them go below."""
_ANSWER_WIDTH = 12
_MOST = 5
"""Must-haves that are named, of those that are open."""
_NOTE = (
    "🟢 yes: 1, 🟡 partly: ½, 🔴 no: 0, ⚪ open: not known; a score is the weighted mean of what is answered; out: a "
    "must-have fails; then answered/asked, and below it where the score would be if all that is open were no, or yes"
)


def screen(evaluation: Evaluation, scores: Sequence[PlatformScore], *, every: bool) -> list[RenderableType]:
    """Return what is found: must-haves that fail first, then scores, ranks, levels.

    Parameters
    ----------
    evaluation : Evaluation
        The questions and answers.
    scores : sequence of PlatformScore
        How each platform does.
    every : bool
        Show each question with its answers and notes too.
    """
    names = labels(evaluation.platforms)
    parts: list[Sequence[RenderableType]] = [
        must_haves(scores, names),
        [*(score_table(evaluation, some, names) for some in _chunks(scores)), Text(_NOTE, style="dim")],
        rank_lines(scores, names),
        [plain(line) for line in reach_lines(evaluation, names)],
        [plain(line) for line in date_lines(evaluation, names)],
        [notice(one) for one in evaluation.notices],
        list(questions(evaluation, names))[:-1] if every else [_more(evaluation)],
    ]
    blocks: list[RenderableType] = [_head(evaluation, names)]
    for part in parts:
        blocks += [Text(), *part] if part else []
    return blocks


def labels(platforms: Sequence[Platform]) -> dict[str, str]:
    """Return key → what a platform is called: its name, and what tells it from others of the same name."""
    names = [one.name for one in platforms]
    dated = [(one.name, one.date) for one in platforms]
    return {
        one.key: one.name
        if names.count(one.name) == 1
        else f"{one.name} {one.date}"
        if one.date and dated.count((one.name, one.date)) == 1
        else f"{one.name} ({one.key})"
        for one in platforms
    }


def told_apart(one: Platform, names: Mapping[str, str]) -> list[str]:
    """Return what stands below the name of a platform: what tells it from others of that name, and its date."""
    aside = names[one.key].removeprefix(one.name).strip()
    return [said for said in dict.fromkeys((aside, one.date)) if said]


def _chunks(scores: Sequence[PlatformScore]) -> Iterator[Sequence[PlatformScore]]:
    return (scores[i : i + _BESIDE] for i in range(0, len(scores), _BESIDE))


def _head(evaluation: Evaluation, names: Mapping[str, str]) -> Text:
    counts = plural(len(evaluation.platforms), "platform"), plural(len(evaluation.questions), "question")
    text = Text.assemble((clean(evaluation.name), "bold"), (f"  {', '.join(counts)}", "dim"))
    for one in evaluation.platforms:
        text.append(f"\n{clean(names[one.key])}: {clean(one.note)}" if one.note else "", style="dim")
    return text


def _more(evaluation: Evaluation) -> Text:
    return Text(f"--verbose shows {plural(len(evaluation.questions), 'question')} with their notes", style="dim")


def sign(mark: Mark | None) -> str:
    """Return the coloured sign of an answer."""
    return OPEN if mark is None else mark.sign


def between(found: ConcernScore) -> str:
    """Return where a score would be by what is open; nothing where nothing that counts is open."""
    low, high = found.between or (0.0, 0.0)
    return "" if low == high else f"{100 * low:.0f}–{percent(high)}"


# --- must-haves --------------------------------------------------------------------------------------------------


def must_haves(scores: Sequence[PlatformScore], names: Mapping[str, str]) -> list[RenderableType]:
    """Return the must-haves that fail, each in full, and then those that nobody has answered."""
    failed = [_failed(one, question, names) for one in scores for question in one.failed]
    return [*failed, *(_unknown(one, names) for one in scores if one.unknown)]


def _failed(found: PlatformScore, question: Question, names: Mapping[str, str]) -> Text:
    note = question.answers[found.platform.key].note
    text = Text.assemble((f"{Mark.RED.sign} must-have fails  ", "bold red"), (clean(names[found.platform.key]), "bold"))
    return text.append(f": {clean(question.text)}").append(f" ({clean(note)})" if note else "", style="dim")


def _unknown(found: PlatformScore, names: Mapping[str, str]) -> Text:
    told = " · ".join(clean(question.text) for question in found.unknown[:_MOST])
    left = len(found.unknown) - _MOST
    more = f" and {left} more; --verbose shows them" if left > 0 else ""
    name = clean(names[found.platform.key])
    return Text.assemble(f"{OPEN} ", (name, "bold"), f": {plural(len(found.unknown), 'must-have')} open: {told}{more}")


# --- by concern --------------------------------------------------------------------------------------------------


def score_table(evaluation: Evaluation, scores: Sequence[PlatformScore], names: Mapping[str, str]) -> RenderableType:
    """Return a line for each concern and one for all, with a column for each platform."""
    made = _headed("concern", [one.platform for one in scores], names)
    apart = "  " if len(scores) <= _ON_ONE_LINE else "\n"
    for concern, name in evaluation.concerns.items():
        made.add_row(plain(name), *(_cell(one, concern, apart) for one in scores))
    made.add_section()
    made.add_row(Text("overall", "bold"), *(_cell(one, None, apart) for one in scores))
    return made


def _headed(first: str, platforms: Sequence[Platform], names: Mapping[str, str]) -> Table:
    made = table(first)
    for one in platforms:
        below = "".join(f"\n{clean(said)}" for said in told_apart(one, names))
        made.add_column(plain(one.name).append(below, style="dim"), overflow="fold")
    return made


def word_by(found: PlatformScore, concern: str | None) -> str:
    """Return how a platform does by a concern, or by all, in a word: out where a must-have fails."""
    fails = any(concern in {None, question.concern} for question in found.failed)
    return OUT if fails else WORDS[mark_by(found, concern)]


def _cell(found: PlatformScore, concern: str | None, apart: str) -> Text:
    """Return a score by a concern; where a must-have fails that comes first, and in a word."""
    one = found.overall if concern is None else found.concerns[concern]
    if not one.questions:
        return Text("-", style="dim")
    mark, figure = mark_by(found, concern), WORDS[None] if one.score is None else percent(one.score)
    fails = word_by(found, concern) == OUT
    style = f"{'' if concern else 'bold'} {_STYLES[mark]}".strip()
    text = Text.assemble(f"{sign(mark)} ", (f"{OUT if fails else figure:<5}", style))
    text.append(f"{apart}{one.answered}/{one.questions}")
    below = [*([figure] if fails else []), *([between(one)] if one.score is not None and between(one) else [])]
    return text.append("\n" + apart.replace("  ", ", ").join(below), style="dim") if below else text


# --- which one ---------------------------------------------------------------------------------------------------


def rank_lines(scores: Sequence[PlatformScore], names: Mapping[str, str]) -> list[RenderableType]:
    """Return the platforms in their order, those that are out, and whether the order may change."""
    ranked = ranking(scores)
    places = [f"{place}. {names[one.platform.key]} {_scored(one)}" for place, one in ranked]
    lines: list[RenderableType] = [plain(" · ".join(places), "bold")] if places else []
    if may_change(scores):
        lines.append(Text("the order may yet change by what is open", style="dim"))
    lines += [plain(line) for line in left_out(scores, names)]
    return lines


def may_change(scores: Sequence[PlatformScore]) -> bool:
    """Whether there is an order, and open answers could make it another."""
    return len(scores) > 1 and bool(ranking(scores)) and not is_settled(scores)


def _scored(found: PlatformScore) -> str:
    return "-" if found.overall.score is None else percent(found.overall.score)


def left_out(scores: Sequence[PlatformScore], names: Mapping[str, str]) -> list[str]:
    """Return why platforms are in no order: a must-have fails, nothing is answered, or nothing that has a weight."""
    known = newest(scores)
    out = [f"{names[one.platform.key]} ({failures(one)}, {_scored(one)})" for one in known if one.failed]
    left = [one for one in known if not one.failed and one.overall.score is None]
    blank = [names[one.platform.key] for one in left if not one.overall.answered]
    light = [names[one.platform.key] for one in left if one.overall.answered]
    kinds = (("out", out), ("nothing answered of", blank), ("nothing that counts is answered of", light))
    return [f"{what}: {', '.join(listed)}" for what, listed in kinds if listed]


def failures(found: PlatformScore) -> str:
    """Return how many must-haves fail."""
    count = len(found.failed)
    return f"{plural(count, 'must-have')} {'fails' if count == 1 else 'fail'}"


# --- levels and dates --------------------------------------------------------------------------------------------


def reach_lines(evaluation: Evaluation, names: Mapping[str, str]) -> list[str]:
    """Return a line for each platform that says levels: how many processes it would raise, and which."""
    return [f"{names[one.key]} {reach_line(evaluation, one)}" for one in evaluation.platforms if one.levels]


def reach_line(evaluation: Evaluation, platform: Platform) -> str:
    """Return what a platform would do for the team's processes."""
    found = moved(evaluation, platform)
    raised = [(one, level) for one, level in found if level.rank > one.now.rank]
    lowered = [(one, level) for one, level in found if level.rank < one.now.rank]
    total = len(evaluation.assessment.processes) if evaluation.assessment is not None else 0
    said = f"raises {len(raised)} of {plural(total, 'process')}{_which(raised)}"
    return f"{said}; lowers {len(lowered)}{_which(lowered)}" if lowered else said


def _which(found: Sequence[tuple[Process, Level]]) -> str:
    said = _steps(((one.name, str(one.now), str(level)) for one, level in found), ", ")
    return f": {said}" if said else ""


def _steps(moves: Iterable[tuple[str, str, str]], between: str) -> str:
    """Return what goes from where to where, and what makes the same step together."""
    steps: dict[tuple[str, str], list[str]] = {}
    for name, before, after in moves:
        steps.setdefault((before, after), []).append(name)
    return "; ".join(f"{between.join(names)} ({before} → {after})" for (before, after), names in steps.items())


def date_lines(evaluation: Evaluation, names: Mapping[str, str]) -> list[str]:
    """Return what has changed of each platform that was evaluated more than once."""
    return [_since(evaluation, before, after, names) for before, after in dates(evaluation)]


def _since(evaluation: Evaluation, before: Platform, after: Platform, names: Mapping[str, str]) -> str:
    found = changes(evaluation, before, after)
    moves = ((one.text, WORDS[one.mark(before.key)], WORDS[one.mark(after.key)]) for one in found)
    steps = _steps(moves, " · ")  # a question may have commas
    same = "the same answers" if compared(evaluation, before, after) else "nothing to compare"
    return f"{names[after.key]} since {before.date}: {steps or same}"


# --- every question ----------------------------------------------------------------------------------------------


def questions(evaluation: Evaluation, names: Mapping[str, str]) -> Iterator[RenderableType]:
    """Yield a table for each concern: its questions with the answers beside and the notes below."""
    for concern, name in evaluation.concerns.items():
        asked = [one for one in evaluation.questions if one.concern == concern]
        for i in range(0, len(evaluation.platforms) if asked else 0, _BESIDE):
            yield _asked(name, asked, evaluation.platforms[i : i + _BESIDE], names)
            yield Text()


def _asked(
    concern: str, asked: Sequence[Question], platforms: Sequence[Platform], names: Mapping[str, str]
) -> RenderableType:
    made = _headed(concern, platforms, names)
    made.expand, made.columns[0].ratio = True, 1  # questions have the room that answers leave
    for column in made.columns[1:]:
        column.max_width = _ANSWER_WIDTH
        column.min_width = _ANSWER_WIDTH if len(platforms) <= _ON_ONE_LINE else None  # even from table to table
    for one in asked:
        made.add_row(_question(one, platforms, names), *(_answered(one.mark(platform.key)) for platform in platforms))
    return made


def _question(one: Question, platforms: Sequence[Platform], names: Mapping[str, str]) -> RenderableType:
    more = [*(["must-have"] if one.must else []), *([f"weight {one.weight:g}"] if one.weight != 1 else [])]
    text = plain(one.text).append(f" ({', '.join(more)})" if more else "", style="bold")
    answers = [(names[platform.key], one.answers.get(platform.key)) for platform in platforms]
    notes = [f"{name}: {answer.note}" for name, answer in answers if answer is not None and answer.note]
    return Group(text, *(Padding(plain(note, "dim"), (0, 0, 0, 2)) for note in notes))


def _answered(mark: Mark | None) -> Text:
    return Text.assemble(f"{sign(mark)} ", (WORDS[mark], _STYLES[mark]))
