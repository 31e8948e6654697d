"""The flow chart as a picture of its own: phases are columns, actors are lanes, colours are levels.

It opens anywhere: no scripts, no styles, no fonts, nothing that is loaded; and stands on a ground of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, tostring

from mlops_cli.records import Level
from mlops_cli.views.assess import levels, words
from mlops_cli.views.assess.drawing import BACK, FLOW, FONT, add, head_of, line_of, pie, short, titled
from mlops_cli.views.assess.fitting import fit, text_width
from mlops_cli.views.assess.labels import LINE, SIZE, labels
from mlops_cli.views.assess.layout import LANE, NAME, PAD, SMALL, SMALL_LINE, Area, layout
from mlops_cli.views.assess.layout import LINE as NAME_LINE
from mlops_cli.views.assess.levels import INK, MUTED
from mlops_cli.views.assess.routes import edges
from mlops_cli.views.text import clean, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import Assessment, Process
    from mlops_cli.views.assess.labels import Label
    from mlops_cli.views.assess.layout import Arrow, Box, Named, Point

EDGE = 16
TITLE = 20
LEGEND = 30  # the height of a row of it
GROUND, BANDS, HEADS = "#ffffff", ("#eef1f4", "#f8f9fa"), "#dde3e9"
_NARROWEST = 720
SIGN, ROUND = 7, 6


def svg(assessment: Assessment, *, target: bool = False) -> str:
    """Return the picture.

    Parameters
    ----------
    assessment : Assessment
        What is drawn.
    target : bool
        Draw tomorrow beside today: a box that changes shows both levels, and the others are paler.
    """
    drawn = layout(assessment, target=target)
    width = max(drawn.width, _NARROWEST) + 2 * EDGE
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "font-family": FONT})
    _described(root, assessment, target=target)
    ground = add(root, "rect", width="100%", height="100%", fill=GROUND)
    top = _headed(root, assessment, width, target=target)
    body = add(root, "g", transform=f"translate({EDGE} {round(top)})")
    _lanes(body, drawn.lanes)
    _phases(body, drawn.phases)
    for arrow in sorted(drawn.arrows, key=lambda one: one.edge.is_back):
        _arrow(body, arrow, assessment)
    for box in drawn.boxes:
        _process(body, box, assessment, target=target)
    for label in labels(drawn):
        _label(body, label)
    height = round(top + drawn.height + EDGE)
    root.attrib |= {"width": f"{round(width)}", "height": f"{height}", "viewBox": f"0 0 {round(width)} {height}"}
    ground.attrib |= {"width": f"{round(width)}", "height": f"{height}"}
    return tostring(root, encoding="unicode")


def _described(root: Element, assessment: Assessment, *, target: bool) -> None:
    """Say in words what is seen, for who cannot see it."""
    add(root, "title", words.headline(assessment, target=target))
    found = levels.counts(one.at(target=target) for one in assessment.processes)
    parts = ", ".join(f"{count} {level}" for level, count in found.items() if count)
    add(root, "desc", f"{plural(len(assessment.processes), 'process')}: {parts}")


# --- title and legend --------------------------------------------------------------------------------------------


def _headed(root: Element, assessment: Assessment, width: float, *, target: bool) -> float:
    """Draw the title and the legend; return where they end."""
    lines = fit(clean(words.headline(assessment, target=target)), width - 2 * EDGE, TITLE, lines=2, bold=True)
    for i, line in enumerate(lines):
        add(root, "text", line, x=EDGE, y=EDGE + 18 + 24 * i, font_size=TITLE, font_weight="bold", fill=INK)
    return _legend(root, assessment, width, EDGE + 24.0 * len(lines) + 14, target=target)


def _legend(root: Element, assessment: Assessment, width: float, top: float, *, target: bool) -> float:
    x, y = float(EDGE), top
    for entry, said in _entries(assessment, target=target):
        room = 46 + text_width(said, 12) + 18
        if x > EDGE and x + room > width - EDGE:
            x, y = float(EDGE), y + LEGEND
        _key(root, entry, x, y)
        add(root, "text", said, x=x + 46, y=y + 16, font_size=12, fill=INK)
        x += room
    return y + LEGEND + 12


def _entries(assessment: Assessment, *, target: bool) -> list[tuple[Level | str, str]]:
    """Return what the legend explains."""
    counted = words.counted(assessment, target=target)
    made: list[tuple[Level | str, str]] = [(level, f"{level} ({count})") for level, count in counted]
    made.append(("flow", "data flow"))
    if _has_back(assessment):
        made.append(("back", "data flow back to an earlier phase"))
    return [*made, ("changes", "changes: today, then target"), ("stays", "stays as it is")] if target else made


def _has_back(assessment: Assessment) -> bool:
    return any(edge.is_back for edge in edges(assessment))


def _key(root: Element, entry: Level | str, x: float, y: float) -> None:
    """Draw what stands before one entry."""
    if isinstance(entry, Level):
        _plate(root, Area(x, y + 1, 38, 22), entry)
        sign(root, x + 19, y + 12, entry, levels.of(entry).text)
    elif entry in {"flow", "back"}:
        _line(root, ((x, y + 12), (x + 38, y + 12)), is_back=entry == "back")
    elif entry == "stays":
        add(root, "rect", x=x, y=y + 1, width=38, height=22, rx=5, fill="#e9edf0", stroke="#aab2ba")
    elif entry == "changes":
        add(root, "rect", x=x, y=y + 1, width=38, height=22, rx=5, fill="#e9edf0", stroke=INK, stroke_width=3)
        _becomes(root, x + 12, y + 12, INK)


# --- lanes and phases --------------------------------------------------------------------------------------------


def _lanes(body: Element, lanes: Sequence[Named]) -> None:
    for i, lane in enumerate(lanes):
        area, shade = lane.area, BANDS[i % 2]
        group = add(body, "g", class_="lane")
        titled(group, [lane.text])
        add(group, "rect", x=area.x, y=area.y, width=area.width, height=area.height, fill=shade)
        add(group, "rect", x=area.x, y=area.y, width=LANE - 10, height=area.height, fill=HEADS, stroke=GROUND)
        _named(group, lane.lines, (LANE - 10) / 2, area.y + area.height / 2)


def _phases(body: Element, phases: Sequence[Named]) -> None:
    for phase in phases:
        area = phase.area
        group = add(body, "g", class_="phase")
        titled(group, [phase.text])
        add(group, "rect", x=area.x, y=area.y, width=area.width, height=area.height, rx=4, fill=HEADS)
        _named(group, phase.lines, area.x + area.width / 2, area.y + area.height / 2)


def _named(group: Element, lines: Sequence[str], x: float, y: float) -> None:
    """Write lines about a point."""
    first = y - (len(lines) - 1) * 7.5 + NAME * 0.36
    for i, line in enumerate(lines):
        where = {"x": x, "y": first + 15 * i, "text_anchor": "middle"}
        add(group, "text", line, **where, font_size=NAME, font_weight="bold", fill=INK)


# --- processes ---------------------------------------------------------------------------------------------------


def _process(body: Element, box: Box, assessment: Assessment, *, target: bool) -> None:
    """Draw a process: today's level; with its target where it changes, paler where it does not."""
    one, is_pale = box.process, target and not box.changes
    group = add(body, "g", class_="process")
    titled(group, told(one, assessment))
    _plate(group, box.area, one.aim if box.changes else one.now, is_pale=is_pale, is_thick=box.changes)
    ink = INK if is_pale else levels.of(one.aim if box.changes else one.now).text
    if box.changes:
        _today(group, box)
        _becomes(group, box.area.x + PAD + 6, box.area.y + 38, ink)
        _level(group, (box.area.x + PAD + 18, box.area.y + 38), one.aim, ink)
    else:
        _level(group, (box.area.x + PAD, box.area.y + 17), one.now, ink)
    _words(group, box, ink)


def told(one: Process, assessment: Assessment) -> list[str]:
    """Return all that is known of a process, as its title tells it."""
    command = words.command(one)
    return [
        f"{one.name}: {words.change(one)}",
        words.actors(one, assessment),
        one.purpose,
        words.evidence(one),
        f"try: {command}" if command else "",
        one.note,
    ]


def _plate(group: Element, area: Area, level: Level, *, is_pale: bool = False, is_thick: bool = False) -> None:
    """Draw the ground of a box as its level has it."""
    look = levels.of(level)
    fill, stroke = (look.pale, look.pale_stroke) if is_pale else (look.fill, look.stroke)
    where = {"x": area.x, "y": area.y, "width": area.width, "height": area.height, "rx": ROUND}
    add(
        group,
        "rect",
        **where,
        fill=fill,
        stroke=stroke,
        stroke_width=3.0 if is_thick else 1.6,
        stroke_dasharray=look.dash,
    )


def _today(group: Element, box: Box) -> None:
    """Draw the upper part of a box that changes: its level of today."""
    area, look = box.area, levels.of(box.process.now)
    x, y, wide = area.x + 1.5, area.y + 27.5, area.width - 3
    start = f"M{short(x)} {short(y)}"
    add(group, "path", d=f"{start}v-22q0 -4 4 -4h{short(wide - 8)}q4 0 4 4v22Z", fill=look.fill)
    add(group, "path", d=f"{start}h{short(wide)}", stroke=look.stroke, stroke_width=1.6, stroke_dasharray=look.dash)
    _level(group, (area.x + PAD, area.y + 15), look.level, look.text)


def _level(group: Element, at: Point, level: Level, ink: str) -> None:
    """Draw the sign of a level, and write its word."""
    x, y = at
    sign(group, x + SIGN, y, level, ink)
    add(group, "text", levels.of(level).word, x=x + 2 * SIGN + 6, y=y + 4, font_size=11.5, fill=ink)


def sign(group: Element, x: float, y: float, level: Level, ink: str) -> None:
    """Draw a circle that is as full as its level says."""
    look = levels.of(level)
    rim = {"fill": "none", "stroke": ink, "stroke_width": 1.5, "stroke_dasharray": "2.6 2" if look.dash else ""}
    add(group, "circle", cx=x, cy=y, r=SIGN - 0.8, **rim)
    if look.share:
        add(group, "path", d=pie(x, y, SIGN - 0.8, look.share), fill=ink)


def _becomes(group: Element, x: float, y: float, ink: str) -> None:
    """Draw an arrow from one level to the next."""
    line = ((x - 6, y), (x + 7, y))
    add(group, "path", d=line_of((line[0], (x + 2, y))), stroke=ink, stroke_width=2.6)
    add(group, "path", d=head_of(line, 8), fill=ink)


def _words(group: Element, box: Box, ink: str) -> None:
    """Write the name of a process, and who helps."""
    x, y = box.area.x + PAD, box.area.y + box.head + 13
    for line in box.name:
        add(group, "text", line, x=x, y=y, font_size=NAME, font_weight="bold", fill=ink)
        y += NAME_LINE
    for line in box.helpers:
        add(group, "text", line, x=x, y=y - 1, font_size=SMALL, fill=ink)
        y += SMALL_LINE


# --- arrows ------------------------------------------------------------------------------------------------------


def _arrow(body: Element, arrow: Arrow, assessment: Assessment) -> None:
    edge = arrow.edge
    group = add(body, "g", class_="flow back" if edge.is_back else "flow")
    names = f"{assessment.process(edge.source).name} → {assessment.process(edge.target).name}"
    titled(group, [f"{names}: {edge.what}" if edge.what else names])
    _line(group, arrow.points, is_back=edge.is_back)


def _line(group: Element, points: Sequence[Point], *, is_back: bool) -> None:
    """Draw an arrow; the line ends within the head."""
    colour, (x, y), (bx, by) = BACK if is_back else FLOW, points[-1], points[-2]
    inner = (x - 4 * ((x > bx) - (x < bx)), y - 4 * ((y > by) - (y < by)))
    drawn = {"stroke": colour, "stroke_width": 1.6, "stroke_dasharray": "7 3" if is_back else ""}
    add(group, "path", d=line_of([*points[:-1], inner]), fill="none", **drawn)
    add(group, "path", d=head_of(points), fill=colour)


def _label(body: Element, label: Label) -> None:
    colour = BACK if label.of.edge.is_back else MUTED
    for i, line in enumerate(label.lines):
        where = {"x": label.area.x + label.area.width / 2, "y": label.area.y + 9 + LINE * i}
        add(body, "text", line, **where, text_anchor="middle", font_size=SIZE, fill=colour)
