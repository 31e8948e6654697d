"""Saved models applied to new rows: predictions, submissions, forecasts, metrics."""
