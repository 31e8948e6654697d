"""A registered version is a whole copy of what a run made: it stands alone, and what is changed in it is found."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace

import pytest

from mlops_cli.errors import StoreError
from mlops_cli.records import Action, Approval, ModelStatus, SignOff
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.auditing import run_ended
from mlops_cli.store.card import BEGIN, END
from mlops_cli.store.files import locked, sha256, write_json
from mlops_cli.store.layout import RunPaths, VersionPaths, WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.adding import Asked, add_version
from mlops_cli.store.registry.calling import Move, call
from mlops_cli.store.registry.checking import announced, certain_aliases, check_aliases, check_version
from mlops_cli.store.registry.removing import remove_version
from mlops_cli.store.removal import remove_runs
from mlops_cli.store.runs import amend
from mlops_cli.store.serialize import run_to_json


@pytest.fixture
def registry(workspace):
    return Registry(workspace)


@pytest.fixture
def register(registry, run_with_model):
    def make(name="iris", *, record=None, **asked):
        record = record or run_with_model()
        return add_version(registry, record.path, Asked(name, **asked))

    return make


def faults_of(registry, version):
    return check_version(registry, version.name, version.number, announced(registry)).faults


# --- what a version is -------------------------------------------------------------------------------------------


def test_a_version_has_all_that_its_run_had_and_outlives_it(registry, run_with_model):
    record = run_with_model(b"the very bytes")
    version = add_version(registry, record.path, Asked("iris")).version
    shutil.rmtree(record.path)
    paths = VersionPaths(version.path)
    assert version.ref == "iris/1"
    assert paths.model.skops.read_bytes() == b"the very bytes"
    assert set(version.files) == {
        "config.yaml",
        "data_profile.json",
        "model/model.skops",
        "model/sha256.json",
        "model/signature.json",
        "packages.json",
        "requirements.txt",
        "run.json",
    }
    assert all(sha256((version.path / name).read_bytes()) == digest for name, digest in version.files.items())
    assert registry.find("iris").record == replace(record, path=version.path)
    assert faults_of(registry, version) == ()


def test_its_files_are_read_only_but_for_the_card_and_what_is_said_of_it(register):
    version = register().version
    writable = {p.name for p in version.path.rglob("*") if p.is_file() and p.stat().st_mode & 0o222}
    assert writable == {"card.md", "status.json"}


def test_its_packages_are_those_of_the_run_and_what_they_need_with_what_is_not_known(register):
    paths = VersionPaths(register().version.path)
    packages = json.loads(paths.packages.read_text())["packages"]
    assert len(packages["numpy"]["sha256"]) == 64
    assert packages["numpy"]["seen"] == "run"
    unknown = {"version": "1.0", "sha256": None, "seen": "run", "note": "not installed when the model was registered"}
    assert packages["no-such-thing"] == unknown
    assert f"numpy=={packages['numpy']['version']}" in paths.requirements.read_text().splitlines()


def test_a_package_that_has_changed_since_the_run_is_named_as_it_was(register, run_with_model):
    record = run_with_model()
    older = replace(record, environment={"packages": {"numpy": "0.0.1"}})
    write_json(RunPaths(record.path).run_json, run_to_json(older))
    found = json.loads(VersionPaths(register(record=record).version.path).packages.read_text())["packages"]["numpy"]
    assert (found["version"], found["sha256"]) == ("0.0.1", None)
    assert "was installed when the model was registered" in found["note"]


def test_the_users_own_code_goes_with_it_with_what_it_imports(register, run_with_model):
    record = run_with_model(code={"mine.py": b"import yaml\n", "pack/deep.py": b"x = 1\n"})
    version = register(record=record).version
    assert (version.path / "code" / "pack" / "deep.py").read_bytes() == b"x = 1\n"
    assert "pyyaml" in json.loads(VersionPaths(version.path).packages.read_text())["packages"]


def test_code_that_has_changed_since_the_run_is_said_and_not_kept(register, run_with_model, workspace):
    record = run_with_model(code={"mine.py": b"x = 1\n", "gone.py": b"y = 1\n", "same.py": b"z = 1\n"})
    (workspace.root / "mine.py").write_bytes(b"x = 2\n")
    (workspace.root / "gone.py").unlink()
    added = register(record=record)
    assert sorted(p.name for p in (added.version.path / "code").iterdir()) == ["same.py"]
    assert [n.message.split(" since")[0] for n in added.notices] == [
        "mine.py has changed",
        "gone.py is no longer there",
    ]
    assert "`mine.py` had changed before the model was registered" in VersionPaths(added.version.path).card.read_text()


def test_no_code_is_read_from_outside_the_workspace(register, run_with_model, workspace):
    record = run_with_model()
    secret = workspace.root.parent / "secret.py"
    secret.write_bytes(b"key = 1\n")
    (workspace.root / "link.py").symlink_to(secret)
    names = ["../secret.py", str(secret), "link.py", "a\0b.py", ""]
    tampered = replace(record, code=dict.fromkeys(names, sha256(b"key = 1\n")))
    write_json(RunPaths(record.path).run_json, run_to_json(tampered))
    added = register(record=record)
    assert not (added.version.path / "code").exists()
    assert len(added.notices) == len(names)


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "/tmp/x", "", ".hidden", "-rf", "best", "nul", "a\nb", "a\0b", "x" * 101, "\x1b[31m", "[/red]"],
    ids=repr,
)
def test_a_name_that_could_be_anything_but_a_folder_is_refused(register, registry, name):
    with pytest.raises(StoreError, match="the model name"):
        register(name)
    assert registry.names() == []
    assert not registry.paths.models.exists()


@pytest.mark.parametrize("alias", ["3", "../x", "latest", "a b", ""])
def test_an_alias_that_is_no_word_is_refused_before_anything_is_copied(register, registry, alias):
    with pytest.raises(StoreError, match="alias"):
        register(alias=alias)
    assert registry.names() == []


def test_a_run_without_a_model_is_refused(register, finished):
    with pytest.raises(StoreError, match="has no model"):
        register(record=finished())


def test_a_run_that_has_not_completed_is_refused(register, start):
    with pytest.raises(StoreError, match="has not completed: its model cannot be registered"):
        register(record=start().record)


@pytest.mark.parametrize("name", ["model/model.skops", "model/signature.json", "config.yaml"])
def test_a_run_whose_files_have_changed_is_refused_and_nothing_is_left(register, registry, run_with_model, name):
    record = run_with_model()
    (record.path / name).write_bytes(b"other")
    with pytest.raises(StoreError, match=r"is not the file that .* recorded: its sha256 differs"):
        register(record=record)
    assert registry.names() == []
    assert list(registry.paths.new_models.iterdir()) == []


def test_a_run_whose_record_was_edited_is_refused(register, registry, run_with_model):
    record = run_ended(run_with_model())
    file = record.path / "run.json"
    write_json(file, run_to_json(record))
    whole = json.loads(file.read_text())
    file.write_text(json.dumps({**whole, "params": {"model.C": 99}}))
    with pytest.raises(StoreError, match="it was edited"):
        register(record=record)
    file.write_text(json.dumps({**whole, "params": {"model.C": 99}, "audit": None}))  # nor one that forgets the log
    with pytest.raises(StoreError, match="it was edited"):
        register(record=record)
    assert registry.names() == []


def test_a_run_that_the_log_does_not_know_is_registered_and_that_is_said(register, registry, run_with_model):
    AuditLog(registry.paths).append(Action.DATA_ADDED, "before@1", {})
    added = register(record=run_with_model(started="2099-01-01T12:00:00+01:00"))
    assert [notice.code for notice in added.notices] == ["unannounced-run"]


def test_a_model_that_is_a_link_is_not_followed(register, run_with_model):
    record = run_with_model()
    model = record.path / "model" / "model.skops"
    model.rename(record.path / "elsewhere")
    model.symlink_to(record.path / "elsewhere")
    with pytest.raises(StoreError, match=r"cannot read .*model\.skops"):
        register(record=record)


# --- numbers and names -------------------------------------------------------------------------------------------


def test_a_number_is_never_given_twice_even_after_all_versions_are_removed(register, registry):
    assert [register().version.number for _ in range(2)] == [1, 2]
    for number in (1, 2):
        remove_version(registry, "iris", number)
    assert registry.names() == []
    assert register().version.ref == "iris/3"


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_a_version_never_lands_on_something_that_is_there(register, registry, what):
    place = registry.paths.models / "iris" / "1"
    place.parent.mkdir(parents=True)
    {"file": place.touch, "folder": place.mkdir, "link": lambda: place.symlink_to("nowhere")}[what]()
    assert register().version.ref == "iris/2"
    assert os.path.lexists(place)


def test_an_alias_moves_and_each_move_is_kept(register, registry):
    register(alias="champion")
    second = register(alias="champion").version
    aliases = registry.aliases("iris")
    assert registry.find("iris@champion") == registry.find("iris") == second
    assert [(move.before, move.to) for move in aliases.moves] == [(None, 1), (1, 2)]
    assert all(move.audit in {entry.head for entry in AuditLog(registry.paths).entries()} for move in aliases.moves)


def test_an_alias_that_is_given_where_it_is_leaves_no_trace(register, registry):
    register(alias="champion")
    before = list(AuditLog(registry.paths).entries())
    with registry.changing():
        call(registry, "iris", Move("champion", 1))
    assert list(AuditLog(registry.paths).entries()) == before


def test_an_alias_that_was_edited_by_hand_means_nothing_until_it_is_put_back(register, registry):
    register(alias="champion")
    second = register().version
    file = registry.paths.aliases("iris")
    honest = file.read_text()
    file.write_text(honest.replace('"champion": 1', '"champion": 2'))
    for use in (
        lambda: registry.find("iris@champion"),
        lambda: registry.find("iris"),
        lambda: call(registry, "iris", Move("champion", 2)),
    ):
        with pytest.raises(StoreError, match="by its moves it is 1"):
            use()
    assert "by its moves it is 1" in check_aliases(registry, "iris").faults[0]
    assert registry.find("iris/2") == second
    file.write_text(honest)
    assert registry.find("iris@champion").number == 1


def test_a_move_that_was_forged_is_found_although_the_next_one_is_honest(register, registry, workspace):
    register(alias="champion")
    register()
    register()
    file = registry.paths.aliases("iris")
    value = json.loads(file.read_text())
    forged = {**value["moves"][0], "to": 2, "before": 1}
    file.write_text(json.dumps({**value, "aliases": {"champion": 2}, "moves": [*value["moves"], forged]}))
    with pytest.raises(StoreError, match="is not what entry"):
        certain_aliases(registry, "iris")
    file.write_text(json.dumps({**value, "aliases": {"champion": 2}, "moves": [forged]}))
    with registry.changing():
        call(registry, "iris", Move("champion", 3))
    after = json.loads(file.read_text())
    file.write_text(json.dumps({**after, "moves": [*value["moves"], after["moves"][-1]]}))
    with pytest.raises(StoreError, match="no move had led there"):
        certain_aliases(registry, "iris")


def test_aliases_that_are_gone_do_not_make_the_newest_version_the_champion(register, registry):
    register(alias="champion")
    register()
    registry.paths.aliases("iris").unlink()
    with pytest.raises(StoreError, match="is gone, and the audit log has aliases of iris"):
        registry.find("iris")
    assert "is gone" in check_aliases(registry, "iris").faults[0]


# --- the card ----------------------------------------------------------------------------------------------------


def test_the_card_is_written_again_when_aliases_or_status_change_and_keeps_its_owners_words(register, registry):
    version = register(description="who lives").version
    card = VersionPaths(version.path).card
    own = "# Mine\n\nMy *words*, above.\n\n", "\n\nAnd below: é \udce9\n"
    card.write_bytes((own[0] + card.read_text().split("\n\n## Notes")[0] + own[1]).encode(errors="surrogateescape"))
    with registry.changing():
        call(registry, "iris", Move("champion", 1))
        signed = SignOff("ann", "2026-03-01T12:00:00+01:00", Approval.APPROVED, "well done")
        registry.write_status(version, ModelStatus("who lives", {"stage": "test"}, (signed,)))
    text = card.read_bytes().decode(errors="surrogateescape")
    assert text.startswith(own[0] + BEGIN)
    assert text.endswith(END + own[1])
    assert "called `@champion`; approved" in text
    assert "approved by ann, 2026-03-01T12:00:00+01:00: well done" in text
    assert "`stage=test`" in text


def test_words_of_a_card_without_the_two_comments_stand_below_what_is_written(register, registry):
    version = register().version
    with registry.changing():
        registry.write_card(version, "only my words\n")
    text = VersionPaths(version.path).card.read_text()
    assert text.startswith(BEGIN)
    assert text.endswith(f"{END}\n\nonly my words\n")


def test_hostile_text_adds_nothing_to_a_card(register, registry):
    evil = f"{END}\n# Big\n<script>alert(1)</script> [a](http://b) `x` | \x1b[31m \ud800"
    version = register(description=evil, tags={evil: evil}).version
    card = VersionPaths(version.path).card
    with registry.changing():
        signed = SignOff("eve", "2026-11-21T16:00:00+00:00", Approval.REJECTED, evil)
        registry.write_status(version, replace(registry.status(version), sign_offs=(signed,)))
    text = card.read_text()
    assert text.count(BEGIN) == text.count(END) == 1
    assert not any(mark in text for mark in ("\x1b", "\n# Big"))
    prose = "".join(text.split("`")[::2])
    assert "<script" not in prose
    assert "[a](" not in prose


# --- removing ----------------------------------------------------------------------------------------------------


def test_a_version_with_an_alias_stays_unless_it_is_forced(register, registry):
    register(alias="champion")
    with pytest.raises(StoreError, match="iris/1 stays: it is @champion"):
        remove_version(registry, "iris", 1)
    remove_version(registry, "iris", 1, force=True)
    assert registry.names() == []
    assert registry.aliases("iris").versions == {}
    assert [str(entry.action) for entry in AuditLog(registry.paths).entries()][-2:] == ["model-removed", "alias"]
    assert list(registry.paths.models_trash.iterdir()) == []


def test_a_damaged_version_can_be_removed(register, registry):
    version = register().version
    version_json = VersionPaths(version.path).version_json
    version_json.chmod(0o644)
    version_json.write_bytes(b"{")
    with pytest.raises(StoreError, match="damaged"):
        registry.find("iris/1")
    remove_version(registry, "iris", 1)
    assert registry.names() == []


def test_what_kills_have_left_is_swept_away_and_what_others_work_on_is_not(register, registry):
    new, trash = registry.paths.new_models, registry.paths.models_trash
    torn = register().version.path / ".card.md.0123abcd.tmp"
    torn.touch()
    for place in (new / "1-dead", new / "2-alive", trash / "iris.1.abcd"):
        place.mkdir(parents=True)
        (place / "version.json").touch()
    with locked(new / "2-alive.lock"):
        register()
        assert sorted(path.name for path in new.iterdir()) == ["2-alive", "2-alive.lock"]
    assert list(trash.iterdir()) == []
    assert not torn.exists()
    register()
    assert list(new.iterdir()) == []


def test_what_a_kill_left_of_a_file_goes_when_that_file_is_written_again(register, registry):
    version = register().version
    places = [registry.paths.aliases("iris"), version.path / "status.json", version.path / "card.md"]
    torn = [place.with_name(f".{place.name}.0123abcd.tmp") for place in places]
    others = [version.path.parent / ".aliases.json.mine.tmp", version.path.parent / "aliases.json.0123abcd.tmp"]
    for place in (*torn, *others):
        place.touch()
    with registry.changing():
        call(registry, "iris", Move("champion", 1))
        registry.write_status(version, registry.status(version))
    assert not any(place.exists() for place in torn)
    assert all(place.exists() for place in others)


def test_a_run_that_a_version_came_from_stays_until_the_version_is_removed(register, registry, run_with_model):
    record = run_with_model()
    register(record=record)
    with pytest.raises(StoreError, match="the registered model iris/1 came from it"):
        remove_runs([record])
    remove_version(registry, "iris", 1)
    remove_runs([record])
    assert not record.path.exists()


def test_what_a_kill_left_half_made_keeps_no_run(registry, run_with_model):
    record = run_with_model()
    half = registry.paths.new_models / "1-dead"
    half.mkdir(parents=True)
    write_json(half / "version.json", {"schema_version": 1, "run": record.id})
    remove_runs([record])
    assert not record.path.exists()


# --- checking ----------------------------------------------------------------------------------------------------


def edit(path, data):
    path.chmod(0o644)
    path.write_bytes(data)


CHANGES = {
    "changed": (lambda p: edit(p.model.skops, b"b model"), "model/model.skops: its content has changed"),
    "gone": (lambda p: p.requirements.unlink(), "requirements.txt: is gone"),
    "added": (lambda p: (p.root / "evil.py").touch(), "evil.py: was not there when it was registered"),
    "hidden": (lambda p: (p.root / "model" / ".x").touch(), "model/.x: was not there when it was registered"),
    "linked": (lambda p: (p.root / "code").symlink_to("/etc"), "code: is no file; a version has no links"),
    "record": (lambda p: edit(p.run_json, b"{}"), "run.json: its content has changed"),
    "card": (lambda p: p.card.unlink(), "card.md: is gone"),
    "version": (lambda p: edit(p.version_json, b"["), "damaged"),
    "status": (lambda p: p.status.write_bytes(b'{"schema_version": 1, "sign_offs": 3}'), "not what is said of"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_was_done_to_a_version_is_found(register, registry, change):
    version = register().version
    do, message = CHANGES[change]
    do(VersionPaths(version.path))
    (fault,) = faults_of(registry, version)
    assert message in fault


def test_a_time_that_is_none_is_damage_and_not_for_a_view_to_meet(register, registry):
    version = register().version
    paths = VersionPaths(version.path)
    signed = {"by": "eve", "at": "zz", "verdict": "approved"}
    paths.status.write_text(json.dumps({"schema_version": 1, "sign_offs": [signed]}))
    move = {"alias": "fit", "to": 1, "before": None, "at": "2026-11-21T16:00:00", "by": "eve"}
    value = {"schema_version": 1, "aliases": {"fit": 1}, "last": 1, "moves": [move]}
    registry.paths.aliases("iris").write_text(json.dumps(value))
    created = {**json.loads(paths.version_json.read_text()), "created": "zz"}
    edit(paths.version_json, json.dumps(created).encode())
    reads = (registry.status, lambda found: registry.aliases(found.name), lambda found: registry.find(found.ref))
    for read in reads:
        with pytest.raises(StoreError, match=r"^damaged: .*(Invalid isoformat|no offset)"):
            read(version)


def test_a_version_that_was_written_anew_with_matching_hashes_is_found_by_the_audit_log(register, registry):
    version = register().version
    paths = VersionPaths(version.path)
    edit(paths.model.skops, b"an evil model")
    value = json.loads(paths.version_json.read_text())
    value["files"]["model/model.skops"] = sha256(b"an evil model")
    edit(paths.version_json, json.dumps(value).encode())
    (fault,) = faults_of(registry, version)
    assert fault == "version.json: is not the record that entry 1 announced: it was edited"


@pytest.mark.parametrize(
    ("audit", "message"),
    [
        (None, "keeps no entry of the log, which has one of it"),
        ({"number": 2, "hash": "0" * 64}, "which the log does not have"),
        ("other", "which is of something else"),
    ],
)
def test_a_version_that_names_another_entry_of_the_audit_log_is_found(register, registry, audit, message):
    first, second = register().version, register().version
    paths = VersionPaths(first.path)
    value = json.loads(paths.version_json.read_text())
    value["audit"] = {"number": 2, "hash": second.audit.hash} if audit == "other" else audit
    edit(paths.version_json, json.dumps(value).encode())
    (fault,) = faults_of(registry, first)
    assert message in fault


def test_who_registered_it_cannot_be_changed_and_one_damaged_line_of_the_log_accuses_no_version(register, registry):
    first, second = register().version, register().version
    log = registry.paths.audit
    log.write_bytes(b"nothing\n" + b"".join(log.read_bytes().splitlines(keepends=True)[1:]))
    assert announced(registry).faults
    assert faults_of(registry, first) != ()
    assert faults_of(registry, second) == ()
    paths = VersionPaths(second.path)
    value = json.loads(paths.version_json.read_text())
    edit(paths.version_json, json.dumps({**value, "by": "somebody"}).encode())
    assert "is not the record that entry 2 announced" in faults_of(registry, second)[0]


def test_a_link_is_no_model_and_nothing_behind_it_is_touched(register, registry, tmp_path):
    version = register().version
    outside = tmp_path / "outside"
    shutil.copytree(version.path.parent, outside)
    (registry.paths.models / "linked").symlink_to(outside)
    assert registry.names() == ["iris"]
    with pytest.raises(StoreError, match="has been removed"):
        remove_version(registry, "linked", 1, force=True)
    with pytest.raises(StoreError, match="is a link"):
        register("linked")
    assert sorted(path.name for path in outside.iterdir()) == ["1", "aliases.json"]


def test_a_version_that_another_process_has_removed_is_announced_once(register, registry):
    register()
    remove_version(registry, "iris", 1)
    before = registry.paths.audit.read_bytes()
    with pytest.raises(StoreError, match="iris/1 has been removed"):
        remove_version(registry, "iris", 1)
    assert registry.paths.audit.read_bytes() == before


def test_the_log_remembers_numbers_that_nothing_else_does(register, registry):
    register()
    shutil.rmtree(registry.paths.models / "iris")
    assert register().version.number == 2


def test_an_alias_of_a_version_that_is_gone_is_found(register, registry):
    version = register(alias="champion").version
    shutil.rmtree(version.path)
    assert check_aliases(registry, "iris").faults == ("aliases.json: champion means version 1, which is not there",)


def test_a_workspace_that_was_moved_is_whole(register, registry, workspace):
    version = register(alias="champion").version
    moved = WorkspacePaths(workspace.root.parent / "moved")
    workspace.root.rename(moved.root)
    there = Registry(moved)
    assert there.find("iris@champion").ref == version.ref
    assert faults_of(there, version) == ()


def test_a_tag_that_the_run_gets_later_does_not_touch_the_version(register, registry, run_with_model):
    record = run_with_model()
    version = register(record=record).version
    amend(record, tags={"late": "yes"})
    assert faults_of(registry, version) == ()
    assert registry.find("iris").record.tags == {}
