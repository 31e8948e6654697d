"""From records to tables and text. No input, no output: a view takes a record and returns a renderable."""
