"""Recorded runs looked at: found, shown, compared, drawn, reported, labelled, removed."""
