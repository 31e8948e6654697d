"""Assessments as they are shown: a flow chart, Mermaid, a tree, tables and a page."""
