"""Data on its way to a run, and named data sets: found, fetched, kept, read, checked, parted."""
