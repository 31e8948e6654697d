"""Numbers from data and results. Pure: nothing is read from disk, written or printed."""
