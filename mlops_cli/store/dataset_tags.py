"""What a version of a named data set may be called besides its number. Knows nothing of versions."""

from __future__ import annotations

import re
from contextlib import suppress

from mlops_cli.errors import StoreError
from mlops_cli.store.names import check_name

LATEST = "latest"
NUMBER = re.compile(r"[1-9]\d{0,8}", re.ASCII)


def check_tag(tag: str) -> str:
    """Return a word that may be a tag.

    Raises
    ------
    StoreError
        It means a version already, or is no word.
    """
    if NUMBER.fullmatch(tag) or tag == LATEST:
        raise StoreError(f"'{tag}' means a version already", hint="a tag is a word such as 'clean'")
    if not _is_word(check_name(tag, "tag")):
        message = f"'{tag}' is read as a number, as true, false or null where a config says it"
        raise StoreError(message, hint="a tag is a word such as 'clean'")
    return tag


def _is_word(tag: str) -> bool:
    """Whether YAML and Hydra's overrides, which know more numbers, read a word as that word."""
    import yaml

    with suppress(ValueError):
        float(tag)  # also 1e3, 1_0, nan
        return False
    return not isinstance(yaml.safe_load(tag), bool | int | float | None)
