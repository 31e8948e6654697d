"""The audit log holds together, all records agree with it, and whoever changes one or the other is found."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mlops_cli.errors import StoreError, UsageError
from mlops_cli.records import Action, Approval, DatasetVersion, MetricSummary, NamedDataset, RunStatus
from mlops_cli.store.audit import BEGINNING, AuditLog, entry_to_json, hash_of
from mlops_cli.store.auditing import run_ended
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.files import sha256, write_files
from mlops_cli.store.find import read_run
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.adding import Asked, add_version
from mlops_cli.store.registry.removing import remove_version
from mlops_cli.store.removal import remove_runs
from mlops_cli.store.runs import RunWriter, amend
from mlops_cli.workflows.audit import verify
from mlops_cli.workflows.models.registry import alias, sign
from mlops_cli.workflows.models.registry import verify as check

if TYPE_CHECKING:
    from pathlib import Path

LATE = "2999-01-01T00:00:00+00:00"


@pytest.fixture
def log(workspace):
    (workspace.root / "configs").mkdir(parents=True)
    return AuditLog(workspace)


@pytest.fixture
def ended(start):
    """Make a run that ends as runs do: announced in the log, with a model."""

    def make(status=RunStatus.COMPLETED, **more):
        writer = start(primary="accuracy", **more)
        files = {writer.paths.model.skops: b"a model", writer.paths.model.signature: b"{}\n"}
        write_files(files)
        hashes = {f"model/{path.name}": sha256(data) for path, data in files.items()}
        draft = replace(
            writer.record,
            status=status,
            ended=LATE,
            metrics={"accuracy": MetricSummary(0.9, 0.01, (0.88, 0.92), (0.89, 0.91))},
            environment={"python": "3.11.7", "packages": {}},
            dataset=DatasetVersion("c0ffee", 150, (), "species", "iris@1"),
            files={**writer.record.files, **hashes},
        )
        return writer.finish(run_ended(draft))

    return make


@pytest.fixture
def dataset(workspace):
    def make(text="a\n1\n"):
        file = workspace.root / "iris.csv"
        file.write_text(text)
        datasets = Datasets(workspace)
        with datasets.changing():
            files = datasets.take([(file.name, file)])
            table = DatasetVersion("c0ffee", 150, ())
            return datasets.add(NamedDataset("iris", 0, files, False, "csv", table, added=LATE, note="n"))[0]

    return make


@pytest.fixture
def full(log, dataset, ended, workspace):
    """A store with something of all kinds: entries 1 to 6 are of data, run, version, alias, sign-off, run."""
    dataset()
    run = ended()
    add_version(Registry(workspace), run.path, Asked("iris"))
    alias("iris/1", "champion", workspace=workspace.root)
    sign("iris/1", Approval.APPROVED, "fine", workspace=workspace.root)
    ended(status=RunStatus.INTERRUPTED, started="2026-03-02T12:00:00+01:00")
    return run


@pytest.fixture
def faults(workspace):
    """Return what is wrong, a line each; after the notes where those are asked for."""

    def find(*, notes=False, head=""):
        found = verify(head, workspace=workspace.root)
        return [f"{fault.where}: {fault.what}" for fault in (found.notes if notes else found.faults)]

    return find


def lines_of(log):
    return log.paths.audit.read_bytes().splitlines(keepends=True)


def rewrite(log, change, begin=0):
    """Write the log anew from a place on, each hash as it must be; ``change`` takes and returns an entry."""
    entries = list(log.entries())
    made = entries[:begin]
    for entry in map(change, entries[begin:]):
        previous = made[-1].hash if made else BEGINNING
        chained = replace(entry, number=len(made) + 1, previous=previous, hash="")
        made.append(replace(chained, hash=hash_of(chained)))
    text = "".join(json.dumps(entry_to_json(e), sort_keys=True, separators=(",", ":")) + "\n" for e in made)
    log.paths.audit.write_text(text)


def edit(path: Path, change):
    """Change a JSON file by hand."""
    value = json.loads(path.read_text())
    change(value)
    path.chmod(0o644)
    path.write_text(json.dumps(value))


# --- all is well -------------------------------------------------------------------------------------------------


def test_a_store_that_nobody_touched_has_no_fault(full, log, workspace):
    found = verify(workspace=workspace.root)
    assert (found.faults, found.notes) == ((), ())
    assert (found.entries, found.head) == (6, log.last())
    assert found.heads == 6  # two runs, the data set, the version, the record of its run beside it, the alias
    assert [str(e.action) for e in log.entries()] == ["data-added", "run", "registered", "alias", "signed-off", "run"]


def test_an_empty_workspace_has_no_fault_and_is_left_as_it_is(log, workspace):
    found = verify(workspace=workspace.root)
    assert (found.entries, found.heads, found.faults, found.head) == (0, 0, (), None)
    assert not workspace.internal.exists()


def test_the_entry_of_a_run_says_how_it_ended_and_on_which_data(full, log):
    entry = list(log.entries())[1]
    assert (entry.action, entry.subject, entry.head) == (Action.RUN, full.id, full.audit)
    assert read_run(full.path).audit == full.audit
    assert entry.details["status"] == "completed"
    assert entry.details["data"] == [{"source": "iris@1", "version": "c0ffee"}]


def test_tags_and_notes_may_change_and_are_in_the_log(full, log, faults):
    amend(full, tags={"a": "b"}, note="seen")
    amend(full, tags={}, without=["a"])
    amend(read_run(full.path), tags={}, note="seen")  # as it is: nothing is changed and nothing is said
    assert faults() == []
    said = [entry.details for entry in log.entries() if entry.action is Action.RUN_AMENDED]
    assert said == [
        {"note": "seen", "tags": {"a": "b"}, "without": []},
        {"note": None, "tags": {}, "without": ["a"]},
    ]
    assert read_run(full.path).audit == full.audit


def test_a_record_that_a_newer_version_writes_again_with_keys_of_its_own_is_as_it_was(full, faults):
    keys = {"new": None, "more": [], "flag": False}
    edit(RunPaths(full.path).run_json, lambda value: value.update(keys) or value["counts"].update(keys))
    assert faults() == []


def test_a_run_that_is_taken_up_again_is_in_the_log_and_agrees_with_it_at_every_step(full, log, faults, workspace):
    interrupted = next(run for run in map(read_run, workspace.runs.glob("iris/*")) if run.id != full.id)
    with RunWriter.reopen(interrupted.path) as writer:
        assert faults() == faults(notes=True) == []
        assert read_run(interrupted.path).audit == log.last()
    assert faults() == faults(notes=True) == []
    with RunWriter.reopen(interrupted.path) as writer:
        writer.finish(run_ended(replace(writer.record, status=RunStatus.COMPLETED, ended=LATE)))
    assert faults() == faults(notes=True) == []
    assert [str(e.action) for e in log.entries()][5:] == ["run", "run-resumed", "run-resumed", "run"]


def test_what_is_removed_is_in_the_log_and_missed_by_nobody(full, log, faults, workspace):
    datasets = Datasets(workspace)
    version = datasets.find("iris", 1)
    datasets.tag(version, "clean")
    datasets.tag(version, "clean")  # means that already
    datasets.remove(version)
    remove_version(Registry(workspace), "iris", 1, force=True)
    remove_runs([read_run(full.path)])
    assert faults() == faults(notes=True) == []
    actions = [str(e.action) for e in log.entries()][6:]
    assert actions == ["data-tagged", "data-removed", "model-removed", "alias", "run-removed"]


def test_what_was_made_before_the_log_began_needs_no_entry(finished, ended, log, workspace, faults):
    old = finished()
    edit(RunPaths(old.path).run_json, lambda value: value.update(ended="2026-03-01T13:00:00+01:00"))
    ended(started="2026-03-02T12:00:00+01:00")
    assert faults() == faults(notes=True) == []


# --- the log -----------------------------------------------------------------------------------------------------


def edited(lines):
    lines[1] = lines[1].replace(b'"status":"completed"', b'"status":"failed"')


def spaced(lines):
    lines[1] = json.dumps(json.loads(lines[1])).encode() + b"\n"


def taken_out(lines):
    del lines[2]


def cut_at_the_beginning(lines):
    del lines[:2]


def swapped(lines):
    lines[2], lines[3] = lines[3], lines[2]


def repeated(lines):
    lines.insert(2, lines[1])


def forged_in_between(lines):
    lines.insert(2, lines[1].replace(b'"completed"', b'"failed"'))


def overwritten(lines):
    lines[3] = b"\xff\x00 nothing\n"


def blank(lines):
    lines.insert(3, b"\n")


TAMPERING = [
    (edited, ["line 2: entry 2 (run iris/"]),
    (spaced, ["line 2: entry 2 (run iris/"]),
    (taken_out, ["line 3: entry 3 is not before entry 4, where it belongs"]),
    (cut_at_the_beginning, ["line 1: entries 1 to 2 are not before entry 3, where they belong"]),
    (
        swapped,
        ["line 3: entry 3 is not before entry 4, where it belongs", "line 4: entry 3 stands after entry 4"],
    ),
    (repeated, ["line 3: entry 2 stands there twice"]),
    (
        forged_in_between,
        ["line 3: entry 2 (run iris/", "line 3: entry 2 stands there twice"],
    ),
    (
        overwritten,
        ["line 4: not an entry of the audit log: ", "models/iris/aliases.json: the move of champion to 1 on "],
    ),
    (blank, ["line 4: not an entry of the audit log: Expecting value"]),
]


@pytest.mark.parametrize(("tamper", "expected"), TAMPERING, ids=lambda value: getattr(value, "__name__", ""))
def test_a_log_that_was_tampered_with_is_found_and_the_line_is_named(full, log, faults, tamper, expected):
    lines = lines_of(log)
    tamper(lines)
    log.paths.audit.write_bytes(b"".join(lines))
    found = [text for text in faults() if text.startswith("audit.jsonl") or tamper is overwritten]
    assert len(found) == len(expected)
    for text, part in zip(found, expected, strict=True):
        assert text.removeprefix("audit.jsonl, ").startswith(part)


def test_entries_that_were_taken_out_are_missed_by_the_records_that_keep_them(full, log, faults):
    lines = lines_of(log)
    taken_out(lines)
    log.paths.audit.write_bytes(b"".join(lines))
    assert any(text.startswith("models/iris/1/version.json: keeps entry 3 (") for text in faults())


def test_an_entry_that_was_edited_and_given_its_hash_anew_is_found_by_the_next_one_and_by_its_record(full, log, faults):
    entries = list(log.entries())
    rewrite(log, lambda entry: replace(entry, user="nobody") if entry.number == 2 else entry)
    (second,) = [line for line in lines_of(log) if b'"number":2,' in line]
    lines = [(json.dumps(entry_to_json(e), sort_keys=True, separators=(",", ":")) + "\n").encode() for e in entries]
    lines[1] = second
    log.paths.audit.write_bytes(b"".join(lines))
    first, *others = faults()
    assert first == "audit.jsonl, line 3: entry 3 rests on another entry 2 than the one that is there"
    assert any(f"{full.path.name}/run.json: keeps entry 2 (" in text for text in others)


def test_a_tail_that_was_cut_is_found_by_the_heads_that_records_keep(full, log, faults):
    log.paths.audit.write_bytes(b"".join(lines_of(log)[:2]))
    found = faults()
    assert not any(text.startswith("audit.jsonl") for text in found)
    assert [text.partition(":")[0].rpartition("/")[2] for text in found] == [
        "run.json",
        "version.json",
        "aliases.json",
        "status.json",
    ]


def test_a_log_that_was_written_anew_as_a_whole_is_found_by_every_head(full, log, faults, workspace):
    rewrite(log, lambda entry: replace(entry, user="nobody"))
    found = faults()
    assert not any(text.startswith("audit.jsonl") for text in found)
    assert sum("which the log does not have: it was cut, or written anew" in text for text in found) == 6


def test_a_log_that_is_gone_is_found_by_every_head(full, log, faults):
    log.paths.audit.unlink()
    assert sum("which the log does not have" in text for text in faults()) == 6


def test_a_log_that_was_begun_anew_lacks_what_records_keep(full, log, faults):
    log.paths.audit.unlink()
    log.append(Action.LOADED, "iris/1")
    assert sum("which the log does not have" in text for text in faults()) == 6


def test_who_writes_the_log_and_all_records_anew_is_found_by_a_head_that_was_kept_elsewhere(log, ended, faults):
    run = ended()
    kept = f"{run.audit.number}:{run.audit.hash}"
    assert faults(head=kept) == faults(head=kept[:20]) == []
    rewrite(log, lambda entry: replace(entry, user="nobody"))
    new = log.last()
    edit(RunPaths(run.path).run_json, lambda value: value.update(audit={"number": new.number, "hash": new.hash}))
    assert faults() == []  # this alone says nothing
    assert faults(head=kept) == [
        f"--head: entry 1 ({run.audit.hash[:12]}) is not in the log: it was cut, or written anew"
    ]
    for wrong in ("1", "x:y", f"1:{run.audit.hash[:11]}", f"1:{run.audit.hash}0", "-1:" + "0" * 12):
        with pytest.raises(UsageError, match="is no entry"):
            faults(head=wrong)


def test_what_a_kill_leaves_of_a_last_line_is_no_fault_and_the_next_entry_cuts_it_off(full, log, faults):
    whole = log.paths.audit.read_bytes()
    with log.paths.audit.open("ab") as file:
        file.write(b'{"action":"run","at":"2026')
    assert faults() == []
    assert log.last().number == 6
    assert log.append(Action.LOADED, "iris/1").number == 7
    assert log.paths.audit.read_bytes().startswith(whole)
    assert faults() == []


@pytest.mark.parametrize("end", [b"\n", b"nothing\n", b"{}\n", b"[]\n", b'{"number": "x", "hash": 1}\n'])
def test_nothing_is_added_to_a_log_whose_end_is_damaged_and_what_mends_it_is_said(full, log, faults, end):
    with log.paths.audit.open("ab") as file:
        file.write(end)
    before = log.paths.audit.read_bytes()
    with pytest.raises(StoreError, match="its last line is no entry of the audit log") as caught:
        log.append(Action.LOADED, "iris/1")
    assert "mlops audit --verify" in caught.value.hint
    assert log.paths.audit.read_bytes() == before
    assert any(text.startswith("audit.jsonl, line 7: ") for text in faults())


def test_a_line_is_as_long_as_it_must_be_and_any_text_is_kept(log, faults):
    odd = {"x": "ä\x1b[31m\udc80\n", "inf": float("inf"), "long": "y" * 3_000_000}
    for count in range(3):
        log.append(Action.LOADED, 'iris/1","hash":"0', {**odd, "hash": "0" * 64, "count": count})
    assert [entry.details["count"] for entry in log.entries()] == [0, 1, 2]
    assert next(log.entries()).details["x"] == odd["x"]
    assert faults() == []


# --- the records -------------------------------------------------------------------------------------------------


def set_metric(value):
    value["metrics"]["accuracy"]["mean"] = 0.99


def set_alias(value):
    value["aliases"]["champion"] = 7


def set_person(value):
    value["moves"][0]["by"] = "somebody"


def set_move(value):
    value["moves"][0]["to"] = value["aliases"]["champion"] = 7


def forge_sign_off(value):
    value["sign_offs"].append({**value["sign_offs"][0], "by": "the boss"})


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [
        ("{run}/run.json", set_metric, "is not the record that entry 2 announced: it was edited"),
        ("{run}/run.json", lambda v: v.update(audit=None), "keeps no entry, and entry 2 is of how it ended"),
        ("{run}/run.json", lambda v: v.update(audit={"number": 3}), "is no record: KeyError('hash')"),
        ("models/iris/1/version.json", set_metric, "is not the record that entry 3 announced: it was edited"),
        ("models/iris/1/version.json", lambda v: v.pop("audit"), "keeps no entry of the log, which has one of it"),
        ("models/iris/1/run.json", set_metric, "is not the record that entry 2 announced: it was edited"),
        ("models/iris/aliases.json", set_alias, "says that champion means 7, and by its moves it is 1: edited"),
        ("models/iris/aliases.json", set_move, "is not what entry 4 announced: it was edited"),
        ("models/iris/aliases.json", set_person, "names another person or reason than entry 4: it was edited"),
        ("models/iris/aliases.json", lambda v: v["moves"][0].pop("audit"), "keeps no entry of the log"),
        ("models/iris/1/status.json", forge_sign_off, "says that the boss approved it (fine), and the log does not"),
        (".mlops/datasets/names/iris/1.json", lambda v: v.update(origin="x"), "that entry 1 announced: it was edited"),
        (".mlops/datasets/names/iris/1.json", lambda v: v.update(note=""), "that entry 1 announced: it was edited"),
    ],
)
def test_a_record_that_was_edited_is_found(full, workspace, faults, file, change, expected):
    place = file.format(run=full.path.relative_to(workspace.root))
    edit(workspace.root / place, change)
    (fault,) = faults()
    assert fault.startswith(f"{place}: ")
    assert fault.endswith(expected)


def test_a_rejection_that_was_taken_out_or_moved_is_found_and_the_last_word_is_missed(full, workspace, faults):
    sign("iris/1", Approval.REJECTED, "no", workspace=workspace.root)
    file = workspace.models / "iris/1/status.json"
    whole = file.read_bytes()
    edit(file, lambda value: value["sign_offs"].reverse())
    assert any("has no word of entry 5" in text for text in faults())
    edit(file, lambda value: value.update(sign_offs=[]))
    (fault,) = faults()
    assert fault.startswith("models/iris/1/status.json: has no word of entry 5, that ")
    file.write_bytes(whole)
    edit(file, lambda value: value["sign_offs"].pop())  # what a kill leaves too: `models verify` still asks for it
    assert faults() == []
    assert any("has no word of entry 7" in text for text in faults(notes=True))
    (checked,) = [c for c in check(workspace=workspace.root) if c.version == "iris/1"]
    assert "has no word of entry 7" in checked.faults[0]


def test_who_signs_again_after_a_kill_is_believed(full, log, workspace, faults):
    said = {"verdict": "rejected", "note": "no", "after": 1}
    log.append(Action.SIGNED_OFF, "iris/1", said)
    sign("iris/1", Approval.REJECTED, "no", workspace=workspace.root)
    assert faults() == []


def test_an_older_file_of_aliases_and_one_that_is_gone_are_found(full, workspace, faults):
    file = workspace.models / "iris/aliases.json"
    for word in ("fit", "good"):
        alias("iris/1", word, workspace=workspace.root)
    whole = file.read_bytes()
    edit(file, lambda value: (value["moves"].__delitem__(slice(1, None)), value.update(aliases={"champion": 1})))
    (fault,) = faults()
    assert fault.endswith("has no move of entry 7 (alias iris/1): it was taken out, or an older file was put back")
    file.unlink()
    assert len(faults()) == 3
    shutil.rmtree(workspace.models / "iris")
    assert any("none is the highest number, and entry 3 gave iris/1" in text for text in faults())
    file.parent.mkdir()
    file.write_bytes(whole)
    assert [text.partition(":")[0] for text in faults()] == ["iris/1"]


def test_a_move_that_a_kill_came_before_and_that_was_made_again_is_no_fault(full, log, workspace, faults):
    log.append(Action.ALIAS, "iris/1", {"alias": "fit", "to": 1, "before": None})
    alias("iris/1", "fit", workspace=workspace.root)
    assert faults() == []


def test_a_record_that_keeps_the_entry_of_another_one_is_found(full, log, faults):
    third = list(log.entries())[2]
    edit(RunPaths(full.path).run_json, lambda value: value.update(audit={"number": 3, "hash": third.hash}))
    (fault,) = faults()
    assert fault.endswith(f"keeps entry 3 ({third.hash[:12]}), which is of something else: registered iris/1")


def test_a_run_that_was_made_past_the_log_is_found(full, finished, faults):
    forged = finished(started="2026-03-03T12:00:00+01:00")
    edit(RunPaths(forged.path).run_json, lambda value: value.update(ended=LATE))
    (fault,) = faults()
    assert f"{forged.path.name}/run.json: is of {LATE}, and the log, begun " in fault
    assert fault.endswith("has no entry of it")


def test_an_older_record_that_was_put_back_is_found(full, faults):
    file = RunPaths(full.path).run_json
    old = file.read_bytes()
    with RunWriter.reopen(full.path, finished=True) as writer:
        writer.finish(run_ended(replace(writer.record, status=RunStatus.COMPLETED, ended=LATE, seed=7)))
    assert faults() == []
    file.write_bytes(old)
    (fault,) = faults()
    assert "entry 8 (run, " in fault
    assert fault.endswith("came later than this record: an older one was put back")


def test_what_was_removed_by_hand_is_found(full, workspace, faults):
    shutil.rmtree(full.path)
    assert [text.partition(":")[0] for text in faults()] == [full.id]
    shutil.rmtree(workspace.models / "iris" / "1")
    found = faults()
    assert [text.partition(":")[0] for text in found] == [full.id, "iris/1"]
    assert all(text.endswith("nothing says that it was removed") for text in found)


def test_a_record_that_cannot_be_read_is_found(full, workspace, faults):
    for file in (
        RunPaths(full.path).run_json,
        workspace.models / "iris/aliases.json",
        workspace.models / "iris/1/status.json",
    ):
        file.write_text("{")
    assert len(faults()) == 3
    assert all("damaged: " in text for text in faults())


# --- kills, and a log that cannot be written ---------------------------------------------------------------------


def test_what_was_announced_and_never_came_is_said_and_is_no_fault(full, log, faults):
    edit(log.paths.aliases("iris"), lambda value: value.update(last=2))  # which comes before the entry
    log.append(Action.REGISTERED, "iris/2", {"run": full.id})
    log.append(Action.DATA_ADDED, "iris@2", {})
    log.append(Action.MODEL_REMOVED, "iris/1", {})
    log.append(Action.ALIAS, "iris/1", {"alias": "best", "to": 1, "before": None})
    assert faults() == []
    told = faults(notes=True)
    assert [text.partition(":")[0] for text in told] == ["models/iris/aliases.json", "iris/1", "iris/2", "iris@2"]


def test_a_run_that_was_killed_between_its_entry_and_its_record_is_said(log, start, faults):
    writer = start()
    run_ended(replace(writer.record, status=RunStatus.COMPLETED, ended=LATE))
    assert faults() == faults(notes=True) == []  # it is still being written
    writer.close()
    assert faults() == []
    (note,) = faults(notes=True)
    assert "entry 1 (run, " in note
    assert note.endswith("came later than this record: a kill between the two leaves that")


def test_a_log_that_cannot_be_written_loses_no_run_and_the_run_says_so(log, ended, workspace, faults):
    ended()
    kept = workspace.audit.read_bytes()
    workspace.audit.unlink()
    workspace.audit.mkdir()
    run = ended(started="2026-03-02T12:00:00+01:00")
    assert (run.status, run.audit) == (RunStatus.COMPLETED, None)
    (notice,) = run.warnings
    assert notice.code == "audit-failed"
    assert "a folder stands where a file is needed" in notice.message
    workspace.audit.rmdir()
    workspace.audit.write_bytes(kept)
    assert faults() == []
    (note,) = faults(notes=True)
    assert note.endswith(notice.message)


def test_what_cannot_be_announced_is_not_done(full, workspace, dataset):
    workspace.audit.unlink()
    workspace.audit.mkdir()
    datasets = Datasets(workspace)
    for change in (
        lambda: amend(full, tags={"a": "b"}),
        lambda: remove_runs([full]),
        lambda: dataset("a\n2\n"),
        lambda: datasets.tag(datasets.find("iris", 1), "clean"),
        lambda: datasets.remove(datasets.find("iris", 1)),
    ):
        with pytest.raises(StoreError, match=r"a folder stands where a file is needed|registered model"):
            change()
    assert read_run(full.path).tags == {}
    assert [version.number for version in datasets.versions("iris")] == [1]
    assert datasets.tags("iris") == {}
