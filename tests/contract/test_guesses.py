"""Every guess keeps the contract; and the checker sees each way to break it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from cginit.curves import RDF, PairPotential
from cginit.errors import InputError
from cginit.guess.base import Guess
from cginit.guess.boltzmann import Boltzmann
from cginit.guess.integral_equation import IntegralEquation
from cginit.state import StatePoint
from cginit.testing import check_guess


@pytest.mark.parametrize(
    "guess",
    [
        Boltzmann(),
        Boltzmann(bin_average=False),
        IntegralEquation("hnc"),
        IntegralEquation("py"),
        IntegralEquation("hnc", bin_average=False),
    ],
    ids=repr,
)
def test_guess_keeps_the_contract(guess: Guess) -> None:
    check_guess(guess)


@dataclass
class Broken:
    """The Boltzmann guess with one fault."""

    fault: Callable[[PairPotential], object]
    name: str = "broken"

    def __call__(self, target: RDF, state: StatePoint, r_cut: float) -> object:
        return self.fault(Boltzmann()(target, state, r_cut))


def _inverted_core(p: PairPotential) -> PairPotential:
    inside = p.r < p.r_core
    u = np.where(inside, -p.u, p.u)
    return replace(p, u=u, f=None)


def _noise() -> Callable[[PairPotential], PairPotential]:
    rng = np.random.default_rng(0)
    return lambda p: replace(p, u=p.u * (1 + 1e-12 * rng.random()), f=None)


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (lambda p: p.u, "PairPotential"),
        (lambda p: replace(p, units="nm-kJ/mol"), "must answer in lj"),
        (lambda p: PairPotential(p.r[1:], p.u[1:], units="lj", r_core=p.r_core), "grid of the target"),
        (lambda p: PairPotential.shifted(p.r[:-1], p.u[:-1], units="lj"), "grid of the target"),
        (lambda p: replace(p, f=-p.f), "f must be -du/dr"),
        (lambda p: replace(p, f=p.f * 1.3), "f must be -du/dr"),
        (lambda p: replace(p, r_core=0.0), "r_core"),
        (_inverted_core, "must repel"),
        (_noise(), "deterministic"),
        (lambda p: p if p.r_cut > 1.5 else p.scaled(1.0, 1.0 / 2.7, p.units), "must keep units"),
    ],
)
def test_checker_names_the_broken_rule(fault: Callable[[PairPotential], object], rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        check_guess(Broken(fault))  # type: ignore[arg-type]


def test_checker_sees_modified_arguments() -> None:
    class Modifying:
        name = "modifying"

        def __call__(self, target: RDF, state: StatePoint, r_cut: float) -> PairPotential:
            potential = Boltzmann()(target, state, r_cut)
            target.g.flags.writeable = True
            target.g[-1] = 2.0
            return potential

    with pytest.raises(InputError, match="must not modify"):
        check_guess(Modifying())


def test_checker_refuses_what_is_no_guess() -> None:
    with pytest.raises(InputError, match="no guess"):
        check_guess(3.0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="name"):
        check_guess(Broken(lambda p: p, name=""))  # type: ignore[arg-type]
