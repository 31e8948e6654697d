import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.config.yaml_guard import check_text, line_numbers, read_text
from mlops_cli.errors import ConfigError


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        check_text(text, "x.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("word", ["yes", "No", "NO", "on", "Off", "OFF"])
def test_words_that_yaml_takes_for_true_or_false_are_refused_with_the_mend(word: str) -> None:
    meant = str(yaml.safe_load(word)).lower()
    assert (
        refusal(f"a: 1\nb: {word}\n")
        == f"x.yaml:2: YAML reads {word} as {meant} (quote it: '{word}', or write {meant})"
    )


@pytest.mark.parametrize("text", ["012", "1:30", "12:30:45", "1:30.5", "2020_01", "-007", "00"])
def test_numbers_that_are_read_as_other_numbers_are_refused(text: str) -> None:
    assert refusal(f"a: {text}").startswith(f"x.yaml:1: YAML reads {text} as ")


@pytest.mark.parametrize(
    "text",
    ["true", "False", "null", "~", "0", "-0", "10", "1.5", "1e-3", "1_000", ".inf", ".nan", "0x1F", "y", "n", "'NO'",
     '"012"', "2024-01-31", "!!str NO", "!!bool no", "0.5", "v1.2.3"],
)  # fmt: skip
def test_what_means_what_it_says_passes(text: str) -> None:
    assert check_text(f"a: {text}", "x.yaml")


def test_an_ambiguous_key_is_refused_as_a_value_is() -> None:
    assert "YAML reads on as true" in refusal("on: 1")


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1.0e+400", "!!float '1e999'"])
def test_a_number_that_becomes_infinite_is_refused(number: str) -> None:
    assert "too large for a number (write .inf if infinity is meant)" in refusal(f"a: {number}")


@pytest.mark.parametrize("number", ["9" * 5000, "!!int '" + "9" * 5000 + "'", "0x" + "f" * 5000])
def test_a_number_of_thousands_of_digits_is_refused_before_it_is_made(number: str) -> None:
    assert "more than 300 digits" in refusal(f"a: {number}")


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system [echo]",
        "a: !!python/name:os.system",
        "a: !!python/object/apply:pathlib.PosixPath [x]",
        "!!python/object:object {}",
        "a: !mine 3",
        "a: !!binary aGk=",
        "a: !!set {x}",
        "!!python/name:os.system : 1",
    ],
)
def test_tags_that_build_objects_are_refused(text: str) -> None:
    assert "is not allowed (remove the tag)" in refusal(text)


def test_a_billion_laughs_are_refused_in_milliseconds() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    start = time.perf_counter()
    assert "unfolds to more than 100,000 values" in refusal("\n".join(lines))
    assert time.perf_counter() - start < 0.5


def test_deep_nesting_is_refused_also_by_aliases() -> None:
    assert "nested more than 50 levels" in refusal("a: " + "[" * 3000)
    assert "nested more than 50 levels" in refusal("a: " + "{a: " * 3000)
    chain = ["a0: &a0 {x: 1}"] + [f"a{i}: &a{i} {{x: *a{i - 1}}}" for i in range(1, 60)]
    assert "nested more than 50 levels" in refusal("\n".join(chain))


def test_an_alias_inside_its_own_anchor_is_refused() -> None:
    assert "holds itself" in refusal("a: &a [*a]")


def test_a_key_given_twice_is_refused_with_its_line() -> None:
    assert (
        refusal("a: 1\nb: {c: 1,\n  c: 2}") == "x.yaml:3: the key 'c' appears twice in one mapping (keep one of them)"
    )


@pytest.mark.parametrize("text", ["{a: 1}: 2", "? [a]\n: 1", "a: {{ name }}", "x: &x a\n*x : 2"])
def test_keys_that_are_not_plain_are_refused(text: str) -> None:
    assert "a key must be a plain name" in refusal(text)


def test_a_second_document_is_refused() -> None:
    assert refusal("a: 1\n---\nb: 2\n").startswith("x.yaml:2: holds a second document")


def test_a_slip_in_the_syntax_is_one_line_with_its_place() -> None:
    assert refusal("a: 1\nb: c: d\n") == (
        "x.yaml:2: is not valid YAML: mapping values are not allowed in this context, at column 5"
        " (quote a text that has a colon: 'Ours: all of it')"
    )
    assert "indent with spaces, not tabs" in refusal("a:\n\tb: 1\n")


def test_anchors_and_merge_keys_may_be_used() -> None:
    assert check_text("a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: *a\n", "x.yaml")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a: caf\xe9\n", "x.yaml:1: is not UTF-8"),
        ("a: 1\n".encode("utf-16"), "is not UTF-8"),
        (b"a: 1\nb: x\0y\n", "x.yaml:2: holds a NUL character"),
        (b'a: "x\\0y"\n', "x.yaml:1: holds a NUL character"),
        (b"", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (b"a: " + b"x" * 6_000_000, "is larger than"),
    ],
)
def test_a_file_that_is_not_proper_text_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "x.yaml").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        read_text(tmp_path / "x.yaml", "x.yaml")
    assert said in str(caught.value)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder"):
        read_text(tmp_path, "x")
    with pytest.raises(ConfigError, match="no such file"):
        read_text(tmp_path / "none.yaml", "x")
    with pytest.raises(ConfigError, match="not a plain file"):
        read_text(Path("/dev/zero"), "x")


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_text(tmp_path / "x.yaml", "x.yaml") == "a: 1\n"


def test_each_key_is_known_by_its_line() -> None:
    assert dict(line_numbers("a: 1\nb:\n  c: 1\n  d: {e: 1}\n")) == {
        ("a",): 1, ("b",): 2, ("b", "c"): 3, ("b", "d"): 4, ("b", "d", "e"): 4,
    }  # fmt: skip


@given(st.text(max_size=60))
def test_any_text_passes_or_is_refused_in_one_line(text: str) -> None:
    said = ""
    try:
        check_text(text, "x.yaml")
    except ConfigError as error:
        said = str(error)
    assert "\n" not in said
