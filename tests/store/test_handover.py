"""What a model's owner answered is kept with the model, outlives versions, is on cards, and an edit of it is found."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from mlops_cli.errors import ConfigError, StoreError, UsageError
from mlops_cli.records import Action, Approval
from mlops_cli.store.audit import AuditLog, this_user
from mlops_cli.store.layout import VersionPaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.adding import Asked, add_version
from mlops_cli.store.registry.checking import announced, certain_handover
from mlops_cli.store.registry.removing import remove_version
from mlops_cli.store.witness_handover import handover_faults_of
from mlops_cli.workflows.audit import verify
from mlops_cli.workflows.models.handover import begin, handover_of, keep
from mlops_cli.workflows.models.registry import card, describe, edit_card, show, sign, tag
from mlops_cli.workflows.models.registry import verify as check

FILE = "models/iris/handover.json"


@pytest.fixture
def registry(workspace):
    (workspace.root / "configs" / "handover").mkdir(parents=True)
    return Registry(workspace)


@pytest.fixture
def register(registry, run_with_model):
    """Register another version of iris, and return it."""
    return lambda: add_version(registry, run_with_model().path, Asked("iris")).version


@pytest.fixture
def answer(registry):
    """Write the owner's file, and keep its answers with a version."""
    root = registry.paths.root

    def write(ref, text):
        (root / "configs" / "handover" / "iris.yaml").write_text(text)
        return keep(ref, workspace=root)

    return write


@pytest.fixture
def purpose(registry):
    """Of a version what was answered to what it is for, and for which version."""

    def find(ref):
        found = handover_of(ref, workspace=registry.paths.root)
        return found and (next(item.answer for item in found.items if item.key == "purpose"), found.ref)

    return find


@pytest.fixture
def faults(registry):
    """What the audit log and the answers disagree in; the runs here were made past the log."""

    def find(*, notes=False):
        found = verify(workspace=registry.paths.root)
        every = [f"{fault.where}: {fault.what}" for fault in (found.notes if notes else found.faults)]
        return [text for text in every if not text.startswith("runs/")]

    return find


def card_of(version):
    return VersionPaths(version.path).card.read_text()


def edit(registry, change):
    path = registry.paths.root / FILE
    value = json.loads(path.read_text())
    change(value["answered"])
    path.write_text(json.dumps(value))


# --- for which versions they hold --------------------------------------------------------------------------------


def test_answers_hold_for_their_version_and_later_ones_until_it_is_answered_anew(register, answer, purpose):
    for _ in range(4):
        register()
    answer("iris/2", "purpose: first")
    assert [purpose(f"iris/{n}") for n in (1, 2, 3, 4)] == [None, *[("first", "iris/2")] * 3]
    answer("iris/3", "purpose: anew")
    answer("iris/2", "purpose: mended")
    assert [purpose(f"iris/{n}") for n in (2, 3, 4)] == [("mended", "iris/2"), *[("anew", "iris/3")] * 2]


def test_a_version_that_is_registered_later_has_them_on_its_card_and_says_whose(register, answer, purpose):
    first = register()
    answer("iris/1", "purpose: which flower")
    second = register()
    asked = "- **Which decision or product does it serve, and what must it not be used for?** which flower\n"
    assert asked in card_of(first)
    assert asked in card_of(second)
    assert f"- answered by {this_user()}, " in card_of(first)
    assert ", for iris/1\n" in card_of(second)
    assert ", for iris/1\n" not in card_of(first)
    answer("iris/1", "purpose: which leaf")
    assert "which leaf" in card_of(second)
    assert "which flower" not in card_of(first) + card_of(second)


def test_they_outlive_the_version_that_they_were_given_for(registry, register, answer, purpose, faults):
    register(), register()
    answer("iris/1", "purpose: which flower")
    remove_version(registry, "iris", 1)
    assert purpose("iris/2") == ("which flower", "iris/1")
    assert faults() == []


def test_a_card_without_answers_does_not_speak_of_them_and_its_owners_words_stay(registry, register, answer):
    version = register()
    assert "Handover" not in card_of(version)
    path = VersionPaths(version.path).card
    path.write_text(card_of(version) + "\nmy own words\n")
    answer("iris/1", "purpose: which flower")
    assert "## Handover" in card_of(version)
    assert card_of(version).endswith("\nmy own words\n")


def test_nothing_in_an_answer_acts_on_the_card(register, answer):
    version = register()
    answer("iris/1", 'purpose: "# Big\\n<script>x</script> <!-- mlops: end --> [a](b) `c`\\e[31m"\n')
    (line,) = [line for line in card_of(version).splitlines() if "Big" in line]
    assert line.endswith(r"\# Big &lt;script&gt;x&lt;/script&gt; &lt;\!-- mlops: end --&gt; \[a\](b) \`c\`\\x1b\[31m")


# --- keeping -----------------------------------------------------------------------------------------------------


def test_who_answered_when_and_from_where_is_kept_and_in_the_log(registry, register, answer):
    register()
    found = answer("iris/1", "purpose: which flower\nlicence: MIT\n").handover
    assert (found.ref, found.by, found.file) == ("iris/1", this_user(), "configs/handover/iris.yaml")
    (entry,) = [e for e in AuditLog(registry.paths).entries() if e.action is Action.HANDED_OVER]
    assert (entry.subject, entry.head) == ("iris/1", found.audit)
    assert (entry.details["answered"], entry.details["file"]) == (2, found.file)
    assert entry.details["missing"] == list(found.missing)
    assert "which flower" not in registry.paths.audit.read_text()


def test_what_must_be_answered_and_is_not_is_named_with_its_line_and_the_rest_is_kept(register, answer, purpose):
    register()
    found = answer("iris/1", "purpose: which flower\nfailure:\nquestions:\n  opening: When?\n")
    places = {item.key: place for item, place in found.places}
    assert places["failure"] == "configs/handover/iris.yaml:2"
    assert places["opening"] == "configs/handover/iris.yaml:4"
    assert places["sensitivity"] == "configs/handover/iris.yaml"
    assert "licence" not in places
    assert purpose("iris/1") == ("which flower", "iris/1")


def test_a_file_elsewhere_is_taken_where_it_is_named(registry, register, tmp_path):
    register()
    (tmp_path / "mine.yaml").write_text("purpose: which flower")
    found = keep("iris/1", tmp_path / "mine.yaml", workspace=registry.paths.root).handover
    assert found.answered == 1


@pytest.mark.parametrize(
    ("ref", "error", "message"),
    [
        ("iris", UsageError, "'iris' does not say which version (mlops models handover iris/1)"),
        ("iris/7", StoreError, "has no version '7'"),
        ("irsi/1", StoreError, "did you mean 'iris'?"),
        ("iris/1", ConfigError, "configs/handover/iris.yaml: there is no such file (mlops models handover iris --init"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_written(registry, register, ref, error, message):
    register()
    before = registry.paths.audit.read_bytes()
    with pytest.raises(error) as raised:
        keep(ref, workspace=registry.paths.root)
    assert message in str(raised.value)
    assert registry.paths.audit.read_bytes() == before
    assert not (registry.paths.root / FILE).exists()


def test_a_file_that_was_begun_is_never_overwritten(registry, register):
    root = registry.paths.root
    register()
    begun = begin("iris", workspace=root)
    assert begun.is_new
    begun.path.write_text("purpose: mine")
    assert not begin("iris/1", workspace=root).is_new
    assert begun.path.read_text() == "purpose: mine"


def test_of_a_model_that_is_not_registered_yet_the_nearest_name_is_said(registry, register):
    register()
    assert begin("irsi", workspace=registry.paths.root).said == (
        "no model 'irsi' is registered yet; did you mean 'iris'?"
    )


def test_all_who_answer_at_once_are_kept(registry, register, faults):
    root = registry.paths.root
    register()
    for n in range(8):
        (root / f"{n}.yaml").write_text(f"purpose: of {n}")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: keep("iris/1", root / f"{n}.yaml", workspace=root), range(8)))
    kept = registry.handovers("iris")
    assert sorted(item.file for item in kept) == [f"{n}.yaml" for n in range(8)]
    assert faults() == faults(notes=True) == []


# --- held against the audit log ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda kept: kept[0]["items"][2].update(answer="which leaf"), "is not what entry 4 announced: it was edited"),
        (lambda kept: kept[0]["items"][5].update(must=False), "is not what entry 4 announced: it was edited"),
        (lambda kept: kept[0].update(at="2999-01-01T00:00:00+00:00"), "is not what entry 4 announced: it was edited"),
        (lambda kept: kept[0].update(by="the boss"), "is not what entry 4 announced: it was edited"),
        (lambda kept: kept[0].update(number=2), "is not what entry 4 announced: it was edited"),
        (lambda kept: kept[0].update(audit=None), "keeps no entry of the log"),
        (
            lambda kept: kept[0]["audit"].update(hash="0" * 64),
            "which the log does not have: it was cut, or written anew",
        ),
        (lambda kept: kept.append({**kept[0], "by": "the boss"}), "is not what entry 4 announced: it was edited"),
        (
            lambda kept: kept.pop(0),
            f"has no answers of entry 4, which {this_user()} gave for iris/1: they were taken out",
        ),
        (list.reverse, "has the answers of entry 4 after those of entry 5: they were moved, or older ones were put in"),
        (lambda kept: kept.append(kept[0]), "has the answers of entry 4 after those of entry 5: they were moved"),
        (lambda kept: kept.append(kept[1]), "has the answers of entry 5 after those of entry 5: they were moved"),
        (lambda kept: kept[0].pop("at"), "not what a model's owner answered: KeyError('at')"),
        (lambda kept: kept[0].update(at="zz"), "not what a model's owner answered: ValueError(\"Invalid isoformat"),
        (lambda kept: kept[0].update(at="2026-11-21T16:00:00"), "2026-11-21T16:00:00 has no offset from UTC"),
        (lambda kept: kept[0].update(number=float("inf")), "not what a model's owner answered: OverflowError"),
    ],
)
def test_an_edit_is_found_by_audit_by_verify_and_by_the_gate(registry, register, answer, faults, change, expected):
    version = register()
    answer("iris/1", "purpose: which flower")
    answer("iris/1", "purpose: which flower, in which garden")
    (first, last) = [e.number for e in AuditLog(registry.paths).entries() if e.action is Action.HANDED_OVER]
    expected = expected.replace("entry 4", f"entry {first}").replace("entry 5", f"entry {last}")
    assert faults() == []
    assert certain_handover(registry, version).answered == 1
    edit(registry, change)
    assert any(fault.startswith(f"{FILE}: ") and expected in fault for fault in faults())
    told = [fault for item in check(workspace=registry.paths.root) for fault in item.faults]
    assert any(expected in fault for fault in told)
    with pytest.raises(StoreError):
        certain_handover(registry, version)


def test_the_last_answers_may_lack_by_a_kill_and_who_gives_them_again_is_believed(registry, register, answer, faults):
    register()
    answer("iris/1", "purpose: which flower")
    path = registry.paths.root / FILE
    whole = path.read_bytes()
    answer("iris/1", "purpose: which leaf")
    path.write_bytes(whole)
    assert faults() == []
    assert any("a kill leaves that; or they were taken out" in text for text in faults(notes=True))
    assert [item.faults for item in check(workspace=registry.paths.root) if item.version == "iris"] == [(), ()]
    answer("iris/1", "purpose: which leaf")
    assert faults() == []


@pytest.mark.parametrize("later", [None, "iris/2"])
def test_older_answers_do_not_hold_for_the_gate_where_newer_ones_are_lost(registry, register, answer, later):
    first, second = register(), register()
    answer("iris/1", "purpose: which flower")
    path = registry.paths.root / FILE
    whole = path.read_bytes()
    answer("iris/1", "licence: MIT")
    (_, lost) = [e.number for e in AuditLog(registry.paths).entries() if e.action is Action.HANDED_OVER]
    path.write_bytes(whole)
    if later:
        answer(later, "purpose: which leaf")
        assert certain_handover(registry, second).ref == later
    with pytest.raises(StoreError, match=f"has no answers of entry {lost}") as raised:
        certain_handover(registry, first)
    assert raised.value.hint == "mlops models handover iris/1"
    answer("iris/1", "purpose: which flower")
    assert certain_handover(registry, first).answered == 1


def test_answers_that_are_lost_for_an_earlier_version_do_not_matter_to_one_that_has_its_own(registry, register, answer):
    register()
    second = register()
    answer("iris/2", "purpose: which leaf")
    path = registry.paths.root / FILE
    whole = path.read_bytes()
    answer("iris/1", "purpose: which flower")
    path.write_bytes(whole)
    assert certain_handover(registry, second).ref == "iris/2"


def test_the_only_answers_that_are_lost_are_not_said_to_be_none(registry, register, answer):
    version = register()
    answer("iris/1", "purpose: which flower")
    (registry.paths.root / FILE).unlink()
    with pytest.raises(StoreError, match="they were taken out"):
        certain_handover(registry, version)


def test_answers_of_another_model_are_not_those_of_this_one(registry, register, answer, faults, run_with_model):
    register()
    answer("iris/1", "purpose: which flower")
    rose = add_version(registry, run_with_model().path, Asked("rose")).version
    shutil.copy(registry.paths.root / FILE, registry.paths.handover("rose"))
    assert [fault.partition(": ")[0] for fault in faults()] == ["models/rose/handover.json"]
    with pytest.raises(StoreError, match="it was edited"):
        certain_handover(registry, rose)


def test_answers_that_are_given_while_they_are_checked_are_no_fault(registry, register, answer):
    register()
    before = announced(registry)
    answer("iris/1", "purpose: which flower")
    assert handover_faults_of(registry, "iris", before) == []


def test_what_a_kill_left_of_answers_goes_when_they_are_given_again(registry, register, answer):
    register()
    left = registry.paths.handover("iris").with_name(".handover.json.0a1b2c3d.tmp")
    left.write_text("{")
    answer("iris/1", "purpose: which flower")
    assert not left.exists()


# --- where they cannot be read -----------------------------------------------------------------------------------


@pytest.fixture
def damage(registry):
    """Write nonsense where a file of the model is."""
    return lambda name: (registry.paths.models / "iris" / name).write_text("{")


def test_a_version_is_signed_shown_and_registered_where_answers_cannot_be_read(registry, register, answer, damage):
    root, version = registry.paths.root, register()
    answer("iris/1", "purpose: which flower")
    damage("handover.json")
    assert sign("iris/1", Approval.APPROVED, workspace=root).status.approval is Approval.APPROVED
    assert tag("iris/1", {"a": "b"}, workspace=root).status.tags == {"a": "b"}
    told = "- the answers cannot be read: `mlops models verify iris` says why\n"
    assert told in card_of(version)
    assert "; approved\n" in card_of(version)
    assert card("iris/1", workspace=root) == card_of(version)
    page = show("iris/1", workspace=root)
    assert (page.handover, page.unread.endswith("(restore it from a copy)")) == (None, True)
    assert told in card_of(register())


def test_answers_that_cannot_be_read_are_not_written_over(registry, register, answer, damage, purpose):
    register()
    answer("iris/1", "purpose: which flower")
    damage("handover.json")
    before = registry.paths.audit.read_bytes()
    for ask in (lambda: answer("iris/1", "purpose: which leaf"), lambda: purpose("iris/1")):
        with pytest.raises(StoreError, match="damaged: ") as raised:
            ask()
        assert raised.value.hint == "restore it from a copy"
    assert registry.paths.audit.read_bytes() == before
    assert (registry.paths.root / FILE).read_text() == "{"


@pytest.mark.parametrize(
    "change",
    [
        lambda root: sign("iris/1", Approval.APPROVED, workspace=root),
        lambda root: tag("iris/1", {"a": "b"}, workspace=root),
        lambda root: describe("iris/1", "for flowers", workspace=root),
        lambda root: edit_card("iris/1", "my own words", workspace=root),
    ],
)
def test_where_the_card_cannot_be_made_nothing_is_announced_or_half_changed(registry, register, damage, change):
    version = register()
    damage("aliases.json")
    before = {path: path.read_bytes() for path in (registry.paths.audit, VersionPaths(version.path).status)}
    with pytest.raises(StoreError, match="damaged: "):
        change(registry.paths.root)
    assert {path: path.read_bytes() for path in before} == before


def test_a_file_that_is_gone_is_missed(registry, register, answer, faults):
    register()
    answer("iris/1", "purpose: which flower")
    answer("iris/1", "purpose: which leaf")
    (registry.paths.root / FILE).unlink()
    (fault,) = faults()
    assert fault.endswith("they were taken out")


def test_what_cannot_be_announced_is_not_kept(registry, register, answer, purpose):
    register()
    with registry.paths.audit.open("ab") as file:
        file.write(b"no entry\n")
    with pytest.raises(StoreError, match="its last line is no entry"):
        answer("iris/1", "purpose: which flower")
    assert purpose("iris/1") is None
