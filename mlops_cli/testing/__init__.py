"""Contract suites: what everything that can be slotted in must do, for the built-in ones and for a user's own.

Each check is called from one line of a test and raises an `AssertionError` that says what was found.
"""

from mlops_cli.testing.agents import check_agent
from mlops_cli.testing.launchers import check_launcher
from mlops_cli.testing.samplers import check_sampler
from mlops_cli.testing.sources import check_data_source
from mlops_cli.testing.trackers import check_tracker

__all__ = ["check_agent", "check_data_source", "check_launcher", "check_sampler", "check_tracker"]
