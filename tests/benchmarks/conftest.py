"""Keeps pytest from what lies here: benchmarks are programs, run by ``make bench``."""

collect_ignore_glob = ["*.py", "rivals/*.py"]
