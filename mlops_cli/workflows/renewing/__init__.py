"""A registered model made anew: its recipe on new data, held against the version that it may replace."""
