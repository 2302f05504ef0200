"""What stands for a pool of processes where a test is not about processes: all that travels is pickled."""

import pickle
from contextlib import ExitStack

from cginit.trajectory import one_pass

__all__ = ["counted_elsewhere"]


class PicklingPool:
    """A pool that does the work itself, of pickled copies, and returns pickled copies of the results."""

    def __init__(self, workers, mp_context):
        self.workers = workers

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        pass

    def shutdown(self, **how):
        pass

    def map(self, function, items):
        for item in items:
            work, own = pickle.loads(pickle.dumps((function, item)))
            yield pickle.loads(pickle.dumps(work(own)))


def counted_elsewhere(monkeypatch):
    """Let frames be counted as other processes do it, which open the files themselves, without the seconds they take.

    That processes do so is what `tests/unit/test_mapping.py` shows.
    """
    opened = []

    class Remembered(ExitStack):
        def __init__(self):
            super().__init__()
            opened.append(self)

    class EndingPool(PicklingPool):
        def __exit__(self, *reason):
            # What a process of the pool holds open ends with it.
            for stack in opened:
                stack.close()

    one_pass._opened.cache_clear()
    monkeypatch.setattr(one_pass, "ExitStack", Remembered)
    monkeypatch.setattr(one_pass, "ProcessPoolExecutor", EndingPool)
    return one_pass._opened
