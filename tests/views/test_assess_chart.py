"""The laws of a flow chart, whatever is drawn: nothing lies on anything else, and every arrow can be followed."""

import itertools
import re
from collections import defaultdict
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_cli.records import Assessment, Flow, Level, Process
from mlops_cli.views.assess import levels
from mlops_cli.views.assess.fitting import fit, text_width
from mlops_cli.views.assess.labels import labels
from mlops_cli.views.assess.layout import BOX, LANE, NAME, PAD, Area, layout
from mlops_cli.views.assess.layout import SMALL as SMALL_TEXT
from mlops_cli.views.assess.svg import svg

often = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
TAGS = {"svg", "title", "desc", "rect", "g", "text", "path", "circle"}
SVG = "{http://www.w3.org/2000/svg}"


@st.composite
def assessments(draw, most=30):
    """Any assessment of up to thirty processes, seven phases and five actors, with cycles and long names."""
    names = st.text(st.sampled_from("aim WM_9é漢字🟢"), min_size=1, max_size=60)
    phases = {f"p{i}": draw(names) for i in range(draw(st.integers(1, 7)))}
    actors = {f"a{i}": draw(names) for i in range(draw(st.integers(1, 5)))}
    keys = [f"k{i}" for i in range(draw(st.integers(1, most)))]
    levels = st.sampled_from(Level)

    def process(key):
        sources = draw(st.lists(st.sampled_from(keys), max_size=4, unique=True))
        return Process(
            key=key,
            name=draw(names),
            phase=draw(st.sampled_from(sorted(phases))),
            actors=tuple(draw(st.lists(st.sampled_from(sorted(actors)), min_size=1, max_size=3, unique=True))),
            flows=tuple(Flow(one, draw(st.sampled_from(["", "rows", "a model"]))) for one in sources if one != key),
            level=draw(levels),
            target=draw(st.none() | levels),
        )

    return Assessment(draw(names), actors, phases, tuple(map(process, keys)))


def parts(drawn):
    """The straight parts of all arrows: the process that each comes from, and its ends."""
    return [(arrow.edge, a, b) for arrow in drawn.arrows for a, b in itertools.pairwise(arrow.points)]


@often
@given(assessments())
def test_boxes_lie_apart_and_within_their_lane_and_phase(assessment):
    drawn = layout(assessment, target=True)
    for one, other in itertools.combinations(drawn.boxes, 2):
        assert not one.area.overlaps(other.area)
    lanes = dict(zip(assessment.actors, drawn.lanes, strict=True))
    phases = dict(zip(assessment.phases, drawn.phases, strict=True))
    for box in drawn.boxes:
        lane, phase = lanes[box.process.actors[0]].area, phases[box.process.phase].area
        assert lane.y <= box.area.y
        assert box.area.bottom <= lane.bottom <= drawn.height
        assert phase.x <= box.area.x
        assert box.area.right <= phase.right <= drawn.width


@often
@given(assessments())
def test_arrows_are_level_or_upright_and_lead_from_border_to_border(assessment):
    drawn = layout(assessment)
    areas = {box.process.key: box.area for box in drawn.boxes}
    assert len(drawn.arrows) == sum(len(one.flows) for one in assessment.processes)
    for arrow in drawn.arrows:
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in itertools.pairwise(arrow.points))
        for (x, y), key in ((arrow.points[0], arrow.edge.source), (arrow.points[-1], arrow.edge.target)):
            area = areas[key]
            is_aside = x in {area.x, area.right} and area.y < y < area.bottom
            assert is_aside or (y in {area.y, area.bottom} and area.x < x < area.right)
        assert all(LANE <= x <= drawn.width and 0 <= y <= drawn.height for x, y in arrow.points)


@often
@given(assessments())
def test_no_arrow_runs_through_a_box(assessment):
    drawn = layout(assessment)
    for _, a, b in parts(drawn):
        (left, right), (top, bottom) = sorted((a[0], b[0])), sorted((a[1], b[1]))
        for box in drawn.boxes:
            area = box.area
            assert right <= area.x or left >= area.right or bottom <= area.y or top >= area.bottom


@often
@given(assessments())
def test_arrows_of_two_processes_never_lie_on_each_other(assessment):
    """They cross, and that is all; those of one process may share the first part of their way."""
    lines = defaultdict(list)
    for edge, a, b in parts(layout(assessment)):
        across, along = (0, 1) if a[0] == b[0] else (1, 0)
        low, high = sorted((a[along], b[along]))
        lines[across, round(a[across], 3)].append((edge.source, edge.is_back, low, high))
    for (across, _), found in lines.items():
        for one, other in itertools.combinations(found, 2):
            apart = one[3] <= other[2] or other[3] <= one[2]
            assert one[:2] == other[:2] or apart, across


@often
@given(assessments())
def test_all_that_is_written_has_room(assessment):
    drawn = layout(assessment)
    for box in drawn.boxes:
        assert all(text_width(line, NAME, bold=True) <= BOX - 2 * PAD for line in box.name)
        assert all(text_width(line, SMALL_TEXT) <= BOX - 2 * PAD for line in box.helpers)
        assert box.head + len(box.name) * 16 + len(box.helpers) * 13 <= box.area.height
    assert all(text_width(line, NAME, bold=True) <= LANE - 24 for lane in drawn.lanes for line in lane.lines)
    written = labels(drawn)
    lines = [Area(min(a[0], b[0]), min(a[1], b[1]), abs(a[0] - b[0]), abs(a[1] - b[1])) for _, a, b in parts(drawn)]
    for label in written:
        assert not any(label.area.overlaps(box.area) for box in drawn.boxes)
        assert not any(label.area.overlaps(line) for line in lines)
    assert not any(one.area.overlaps(other.area) for one, other in itertools.combinations(written, 2))


@often
@given(assessments(most=8))
def test_a_chart_is_the_same_each_time(assessment):
    assert svg(assessment, target=True) == svg(assessment, target=True)


# --- the picture -------------------------------------------------------------------------------------------------


def texts(picture):
    return [one.text for one in ET.fromstring(picture).iter(f"{SVG}text")]


def test_a_picture_stands_alone_and_says_what_it_shows(assessed):
    picture = svg(assessed)
    root = ET.fromstring(picture)
    assert root.attrib["role"] == "img"
    assert root.attrib["viewBox"] == f"0 0 {root.attrib['width']} {root.attrib['height']}"
    assert root.find(f"{SVG}title").text == "How the shop makes its models, 2026-11-22"
    assert root.find(f"{SVG}desc").text == "3 processes: 1 semi-automated, 1 manual, 1 absent"
    assert not re.search(r"href|url\(|@import|<style|<script|<image|var\(|\bid=", picture)


def test_a_box_says_its_level_in_words_and_absent_ones_have_a_dashed_border(assessed):
    root = ET.fromstring(svg(assessed))
    boxes = root.findall(f".//{SVG}g[@class='process']")
    words = [[text.text for text in box.iter(f"{SVG}text")] for box in boxes]
    assert words == [
        ["semi-automated", "Train models"],
        ["manual", "Deploy", "with Data scientist"],
        ["absent", "Watch drift"],
    ]
    dashes = [box.find(f"{SVG}rect").get("stroke-dasharray") for box in boxes]
    assert dashes == [None, None, levels.of(Level.ABSENT).dash]


def test_the_title_of_a_box_tells_all_that_is_known(assessed):
    found = ET.fromstring(svg(assessed)).findall(f".//{SVG}g[@class='process']/{SVG}title")
    assert found[0].text.splitlines() == [
        "Train models: semi-automated → automated",
        "Data scientist",
        "Learn from what was sold",
        "3 runs, by hand",
        "try: mlops retrain shop",
    ]


def test_with_targets_a_box_that_changes_has_both_levels_and_the_others_are_paler(assessed):
    today, aimed = (ET.fromstring(svg(assessed, target=target)) for target in (False, True))
    boxes = aimed.findall(f".//{SVG}g[@class='process']")
    assert [text.text for text in boxes[0].iter(f"{SVG}text")] == ["semi-automated", "automated", "Train models"]
    assert boxes[0].find(f"{SVG}rect").get("fill") == levels.of(Level.AUTOMATED).fill
    assert boxes[1].find(f"{SVG}rect").get("fill") == levels.of(Level.MANUAL).pale
    assert "automated (0 → 1)" in [text.text for text in aimed.iter(f"{SVG}text")]
    assert "automated (0)" in [text.text for text in today.iter(f"{SVG}text")]
    assert "stays as it is" in [text.text for text in aimed.iter(f"{SVG}text")]


def test_what_flows_back_is_drawn_otherwise(assessed):
    flows = ET.fromstring(svg(assessed)).findall(f".//{SVG}g[@class]")
    dashed = {
        one.get("class"): one.find(f"{SVG}path").get("stroke-dasharray") for one in flows if "flow" in one.get("class")
    }
    assert dashed == {"flow": None, "flow back": "7 3"}
    assert {"model", "drift"} <= set(texts(svg(assessed)))


def test_text_of_a_file_is_text_and_what_nobody_could_see_is_shown(hostile):
    picture = svg(hostile, target=True)
    root = ET.fromstring(picture)
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= TAGS
    assert not {"\x1b", "\u202e", "\x00"} & set(picture)
    assert any("\\x1b[31m\\u202e\\x00" in (one.text or "") for one in root.iter(f"{SVG}title"))
    assert "</svg><script>" in root.find(f"{SVG}title").text


def test_a_long_word_ends_in_an_ellipsis_and_its_title_has_all_of_it(hostile):
    picture = svg(hostile)
    assert any(text.startswith("WWW") and text.endswith("…") for text in texts(picture))
    assert "W" * 400 in picture


# --- levels ------------------------------------------------------------------------------------------------------

# Machado, Oliveira, Fernandes (2009): what the colour-blind see, of linear RGB.
SEEN = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))


def product(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def linear(colour):
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def lab(rgb):
    xyz = [v / white for v, white in zip(product(XYZ, rgb), (0.95047, 1, 1.08883), strict=True)]
    x, y, z = (v ** (1 / 3) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def contrast(one, other):
    light, dark = sorted((product(XYZ, linear(colour))[1] for colour in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("seen", SEEN)
def test_no_two_levels_look_alike_to_anyone(seen):
    found = [[min(1, max(0, v)) for v in product(SEEN[seen], linear(look.fill))] for look in levels.every()]
    for one, other in itertools.combinations(map(lab, found), 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 20


def test_levels_are_told_apart_without_any_colour():
    for what in ("sign", "word", "share"):
        assert len({getattr(look, what) for look in levels.every()}) == len(Level)
    assert [look.level for look in levels.every() if look.dash] == [Level.ABSENT]
    assert [look.level for look in levels.every()] == list(reversed(Level))


def test_what_is_written_on_a_level_can_be_read():
    for look in levels.every():
        assert contrast(look.text, look.fill) >= 4.5
        assert contrast(levels.INK, look.pale) >= 4.5


# --- text that fits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ()),
        ("short", ("short",)),
        ("two words here", ("two words", "here")),
        ("Donaudampfer", ("Donaudamp-", "fer")),
        ("Daten-Kuratorin", ("Daten-", "Kuratorin")),
        ("漢字漢字漢字漢字", ("漢字漢字漢", "字漢字")),
    ],
)
def test_text_is_broken_between_words_and_between_letters_of_scripts_without_spaces(text, lines):
    assert fit(text, 66, 10, lines=2) == lines


def test_hostile_names_are_cut_to_the_room_that_there_is(nasty):
    for line in fit(nasty * 5, 100, 12, lines=3):
        assert text_width(line, 12) <= 100


def test_words_are_held_against_what_is_near_so_that_a_large_chart_takes_no_longer_for_each(monkeypatch):
    looked, overlaps = [], Area.overlaps
    monkeypatch.setattr(Area, "overlaps", lambda one, other: looked.append(1) or overlaps(one, other))

    def looks(count):
        """Return how many rectangles are looked at for each of as many arrows."""
        keys = [f"k{i}" for i in range(count)]
        made = [
            Process(key, key, f"p{i % 7}", (f"a{i % 6}",), flows=tuple(
                Flow(keys[(i * 17 + 31 * j) % count], "some data") for j in (1, 2) if (i * 17 + 31 * j) % count != i
            ), level=Level.MANUAL)
            for i, key in enumerate(keys)
        ]  # fmt: skip
        actors, phases = {f"a{i}": "A" for i in range(6)}, {f"p{i}": "P" for i in range(7)}
        drawn = layout(Assessment("Large", actors, phases, tuple(made)))
        looked.clear()
        assert labels(drawn)
        return len(looked) / len(drawn.arrows)

    assert looks(120) < 2 * looks(30)
