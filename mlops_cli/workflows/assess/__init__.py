"""``mlops assess``: files of processes and platforms joined with what the workspace shows."""
