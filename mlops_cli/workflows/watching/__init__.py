"""Models watched: how far new data is from what they were trained on, batch by batch, and who is told."""
