"""From a plan to trial results: where tasks run, what they share, one trial on one split."""
