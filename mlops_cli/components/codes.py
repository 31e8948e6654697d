"""The codes of what is said about data before the first fit: each can be accepted by ``data.accept``."""

from __future__ import annotations

from types import MappingProxyType

CODES = MappingProxyType(
    {
        "all-missing": "a column that is missing in every row",
        "ambiguous-dates": "dates that do not show which is the day and which the month",
        "constant-columns": "the same value in every row",
        "dates-as-text": "dates that were read as text",
        "decimal-comma": "numbers with a decimal comma that were read as text",
        "decimal-point": "numbers with a decimal point that were read as text where the comma is the decimal mark",
        "different-splits": "a sweep over what is scored on",
        "duplicate-ids": "ids that are repeated",
        "duplicate-rows": "rows that are repeated",
        "duplicates-across-splits": "rows that are repeated across train and test",
        "duplicates-in-test": "held-out rows that are copies of training rows",
        "empty-lags": "lags that are not known yet at some horizons",
        "expectation": "a rule of data.expect with severity: warn",
        "group-overlap": "groups on both sides of a split",
        "id-like-columns": "a different value in nearly every row, or the number of the row",
        "imbalance": "a metric that suits the balance of the classes badly",
        "irregular-times": "times of a series with gaps",
        "kept-copy": "a file elsewhere that could not be asked for, and the kept copy that is used",
        "later-features": "dates that are later than the time of their row",
        "large-integers": "whole numbers that floats do not hold apart",
        "leading-zeros": "codes such as 007 that were read as numbers",
        "mixed-types": "numbers and words in one column",
        "na-texts": "words such as NA that were read as missing",
        "near-empty-columns": "columns that are missing in nearly every row",
        "no-order": "a query without an order",
        "padded-names": "blanks around the names of columns",
        "padded-values": "blanks before or after values",
        "rare-classes": "classes with fewer rows than there are splits",
        "rows-dropped": "rows without a target that are left out",
        "sampled": "rows that are not read, as data.sample says",
        "target-leak": "features that tell the target by themselves",
        "task-guessed": "whole numbers that may be classes or amounts",
        "thousands": "numbers with thousands separators that were read as text",
        "time-travel": "training on what is later than what is scored",
        "unmatched-rows": "rows of a join without a partner",
    }
)
"""Code → what it is said of."""
