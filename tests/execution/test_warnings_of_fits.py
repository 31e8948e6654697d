"""What libraries warn of while a trial is fitted, as notices."""

import warnings

import pytest
from sklearn.exceptions import ConvergenceWarning

from mlops_cli.execution.fitting import notices_of
from mlops_cli.records import Notice


@pytest.mark.parametrize(("text", "said"), [("\nfirst\nsecond", "first"), ("", "UserWarning"), (" \n", "UserWarning")])
def test_a_warning_is_its_first_line_and_one_without_text_its_type(text, said):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn(text, UserWarning, stacklevel=1)
    assert notices_of(caught) == (Notice("library-warning", said),)


def test_what_has_not_converged_ends_in_what_helps_wherever_it_was_fitted():
    text = "lbfgs failed to converge after 100 iteration(s) (status=1):\nSTOP: TOTAL NO. OF ITERATIONS REACHED LIMIT"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn(text, ConvergenceWarning, stacklevel=1)
    (notice,) = notices_of(caught)
    assert notice.code == "not-converged"
    assert notice.message == (
        "lbfgs failed to converge after 100 iteration(s); give it more iterations, as by model.max_iter=5000, "
        "or scale the features"
    )
