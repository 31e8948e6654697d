"""Registered models: made from runs, named, gated, traced, exported."""
