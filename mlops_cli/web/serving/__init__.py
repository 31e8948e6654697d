"""``mlops serve``: a model behind HTTP, followed from version to version while requests are under way.

``following.py`` holds the version that answers and swaps it; ``served.py`` is one version, with the form of its rows
in ``rows.py`` and their way into a table in ``frames.py``; ``app.py`` is its FastAPI application. ``gate.py`` stands
before all of them: who may ask, and what is counted. ``limits.py`` bounds what one request may take.
"""
