"""What ``data.forecast`` says of the calendar is what the transform of dates can make."""

import pytest

from mlops_cli.components.transforms.dates import CYCLES, ELAPSED, PARTS
from mlops_cli.config.forecast import read_forecast
from mlops_cli.errors import ConfigError


def test_every_part_of_a_date_can_be_asked_for():
    parts = [*PARTS, ELAPSED]
    found = read_forecast({"calendar": parts, "cycles": list(CYCLES)}, "data.forecast")
    assert (found.calendar, found.cycles) == (tuple(parts), tuple(CYCLES))


@pytest.mark.parametrize(("key", "word", "nearest"), [("calendar", "mnth", "month"), ("cycles", "year", "hour")])
def test_a_part_that_there_is_not_is_named(key, word, nearest):
    with pytest.raises(ConfigError, match=nearest) as caught:
        read_forecast({key: [word]}, "data.forecast")
    assert caught.value.key == f"data.forecast.{key}"
