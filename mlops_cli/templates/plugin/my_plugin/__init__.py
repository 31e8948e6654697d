"""Classes of our own that configs name by `_target_`."""
