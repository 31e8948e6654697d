"""What an experiment or a file of its own declares of drift is read, and what could never work is refused."""

import pytest

from mlops_cli.config.drift import read_drift
from mlops_cli.errors import ConfigError


@pytest.mark.parametrize(
    "place", ["https://example.org/x", "http://127.0.0.1:9/", "http://localhost/", "http://[::1]:80/", "${oc.env:HOOK}"]
)
def test_an_address_that_is_posted_to_is_taken(place):
    (alert,) = read_drift({"alerts": {"webhook": place}}, "drift").alerts
    assert alert.webhook == place


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("http://example.org/s3cr3t", "http is for this machine alone"),
        ("https://me:s3cr3t@example.org/", "has a user or a password"),
        ("example.org/s3cr3t", "it is no address"),
        ("ftp://example.org/s3cr3t", "it is no address"),
        ("https:// s3cr3t", "it is no address"),
    ],
)
def test_an_address_that_is_never_posted_to_is_refused_where_it_stands_and_is_not_shown(place, told):
    with pytest.raises(ConfigError, match=told) as caught:
        read_drift({"alerts": [{"file": "a"}, {"webhook": place}]}, "drift")
    assert caught.value.key == "drift.alerts[1].webhook"
    assert caught.value.hint
    assert "s3cr3t" not in str(caught.value)
