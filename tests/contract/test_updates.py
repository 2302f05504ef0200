"""Every update against its contract, and the contract against updates that break it."""

import numpy as np
import pytest

from cginit.refine import IBI, UPDATES, Step, make_update
from cginit.testing import check_update


@pytest.mark.parametrize("name", UPDATES)
def test_every_update_keeps_the_contract(name):
    check_update(make_update(name))


@pytest.mark.parametrize("correction", ["auto", "wjk", "simple"])
def test_ramps_keep_the_contract(correction):
    check_update(make_update("ibi", pressure=True, correction=correction, kirkwood_buff=True))


class Broken:
    """An update that breaks the contract in one way."""

    name = "broken"
    beyond_cutoff = False

    def __init__(self, how):
        self.how, self.calls = how, 0

    def __call__(self, history):
        self.calls += 1
        step = IBI()(history)
        changes = dict(step.changes)
        first = next(iter(changes))
        if self.how == "grid":
            changes[first] = changes[first][:-1]
        if self.how == "finite":
            changes[first] = changes[first] * np.nan
        if self.how == "each time":
            changes[first] = changes[first] + self.calls
        if self.how == "held":
            changes = {name: 0.1 * one.u for name, one in history.potentials().items()}
        if self.how == "from round 0":
            return Step(0, step.changes)
        return Step.from_last(history, changes, self.name)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("grid", "has another grid"),
        ("finite", "is not finite"),
        ("each time", "otherwise each time"),
        ("held", "is not to change"),
        ("from round 0", "not from the last"),
    ],
)
def test_what_breaks_the_contract_is_told(how, message):
    with pytest.raises(AssertionError, match=message):
        check_update(Broken(how))
