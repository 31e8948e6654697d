"""The workspace in a browser: a read-only server on this machine's own address, over the same records and pages.

Knows HTTP; computes nothing that a command could not print, and changes no run.
"""
