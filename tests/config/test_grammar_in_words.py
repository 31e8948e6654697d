"""An override that Hydra's parser cannot read is explained in plain words, with what to write instead."""

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_cli.config.overrides import parse_override
from mlops_cli.errors import ConfigError

COMMAS = "(write model.C=1,2 without blanks around the commas, or quote the whole: 'model.C=1, 2')"


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_override(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model.C=0.1,", f"cannot be read: it ends in a comma {COMMAS}"),
        ("model.C=0.1, ", f"cannot be read: it ends in a comma {COMMAS}"),
        ("model.C=,1", f"cannot be read: it begins with a comma {COMMAS}"),
        ("model.C=1,,2", "there is nothing between two commas"),
        ("model.C=[1,]", "there is nothing between two commas, or beside one"),
        ("1,", "'1,' is not an override (write KEY=1,2 without blanks around the commas"),
        (",1", "',1' is not an override (write KEY=1,2 without blanks around the commas"),
        ("data.read.sep=;", """';' needs quotes (quote the value as 'data.read.sep=";"')"""),
        ("data.read.sep=,", """',' needs quotes (quote the value as 'data.read.sep=","')"""),
        ("description=a=b", """'=' needs quotes (quote the value as 'description="a=b"')"""),
        ("data.path=données.csv", """'é' needs quotes (quote the value as 'data.path="données.csv"')"""),
        ("data.drop=[a;b]", """';' needs quotes (quote a text that holds it, as in 'data.drop="a;b"')"""),
        ("model.C=1\n2", r"""'\n' needs quotes (quote the value as 'model.C="a b"')"""),
        ("model.C='a", "the quote ' is not closed"),
        ("description=it's", "the quote ' is not closed"),
        ("model.C=[1,2", """the [ is not closed (complete it, or quote a text that holds it as 'model.C="[1,2"')"""),
        ("model.C=1]", "the ] is not opened"),
        ("model.C=[1)", "the ) is not opened"),
        ("model.C = 1", "there is a blank before the '=' (write 'model.C=1')"),
        ("a[0]=1", "'a[0]' is not a key (a key is names with dots between, such as model.C; a list is set as a whole)"),
        ("a b=1", "'a b' is not a key"),
        ("model.C=rnage(1,2)", "there is no function 'rnage' (did you mean 'range'?"),
        ("model.C=interval(1)", "missing a required argument: 'end' (write for example interval(0.1, 10))"),
        ("model.C=int(a)", "int(a): "),
        ("data.path=a(1).csv", """not in the grammar of overrides (if text is meant, quote it as 'data.path="a"""),
    ],
)  # fmt: skip
def test_what_is_wrong_and_what_mends_it(text: str, said: str) -> None:
    assert said in refusal(text)


@pytest.mark.parametrize("value", [";", ",", "é", "a=b", "a#b", "it's", 'a"b', "[1,2", "1]", "a(1).csv", "<3", "x;y"])
def test_the_quoting_that_is_offered_gives_the_text(value: str) -> None:
    offered = refusal(f"data.read.sep={value}").partition(" as ")[2].removesuffix(")")
    (override,) = shlex.split(offered)
    assert parse_override(override).value() == value


@settings(deadline=None)
@given(st.text("model.C=,[](){}'\"\\;: é\n1a~+$", min_size=1, max_size=12).map(lambda value: f"model.C={value}"))
def test_the_parsers_own_words_are_never_shown(text: str) -> None:
    said = message_of(text)
    assert "\n" not in said
    assert not any(w in said for w in ("expecting", "NoViableAlt", "mismatched", "extraneous", "no viable"))


def message_of(text: str) -> str:
    try:
        parse_override(text)
    except ConfigError as error:
        return str(error)
    return ""
