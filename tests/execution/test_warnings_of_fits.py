"""What libraries warn of while a trial is fitted, as notices."""

import warnings

import pytest

from mlops_cli.execution.fitting import notices_of
from mlops_cli.records import Notice


@pytest.mark.parametrize(("text", "said"), [("\nfirst\nsecond", "first"), ("", "UserWarning"), (" \n", "UserWarning")])
def test_a_warning_is_its_first_line_and_one_without_text_its_type(text, said):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn(text, UserWarning, stacklevel=1)
    assert notices_of(caught) == (Notice("library-warning", said),)
