"""From an experiment to the trials that will be run. Pure: nothing is read, fitted or written."""
