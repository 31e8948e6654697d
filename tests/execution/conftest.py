"""A launcher that computes here and gives results back in whatever order it is told."""

from __future__ import annotations

from mlops_cli.contracts import Returned


class Shuffled:
    """Computes calls in this process; which one comes next is drawn."""

    shares_files = True

    def __init__(self, rng, *, workers=3):
        self._rng = rng
        self._queue = []
        self.workers = workers

    def warm(self):
        pass

    def expect(self, calls):
        pass

    def provide(self, path):
        pass

    def submit(self, call):
        self._queue.append(call)

    def wait(self, timeout=None):
        if not self._queue:
            return []
        ended = [self._queue.pop(self._rng.randrange(len(self._queue))) for _ in range(min(self.workers, 1))]
        return [Returned(call.key, call.function(call.argument)) for call in ended]

    def cancel(self, keys):
        gone = frozenset(call.key for call in self._queue if call.key in keys)
        self._queue = [call for call in self._queue if call.key not in gone]
        return gone

    def close(self, *, kill=False):
        self._queue = []
