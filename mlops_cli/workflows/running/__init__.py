"""A run, from its config to its record: prepared, executed, finished, resumed, made again."""
