"""Every response against its contract, and the contract against responses that break it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from cginit import RDF
from cginit.liquid import Response, measured_liquid, solve
from cginit.refine.molecules import InsideResponse
from cginit.testing import check_response

DR = 0.05
R = DR * np.arange(101)
NODES = 50


def soft(height: float = 2.0) -> RDF:
    """g of soft spheres by the hypernetted chain, with next to no noise."""
    u = height * np.exp(-(R[:61] ** 2))
    fluid = solve(R[:61], u, 0.4)
    g = np.concatenate([fluid.g[:1], fluid.g[:100]])
    return RDF(R, g, np.full(R.size, 1e-6), units="lj")


def cored() -> RDF:
    """g of Lennard-Jones beads, with a core in which there is none."""
    r = np.maximum(R[:51], 0.7)
    u = 4.0 * (r**-12 - r**-6) / 1.4
    fluid = solve(R[:51], u - u[-1], 0.5)
    g = np.maximum(np.concatenate([[0.0], fluid.g[:100]]), 0.0)
    return RDF(R, np.where(g < 1e-3, 0.0, g), np.full(R.size, 1e-6), units="lj")


def one_species(curve: RDF, factor: float) -> Response:
    return measured_liquid({("A", "A"): curve}, {"A": 0.4}).response(np.array([factor]))


def mixture() -> Response:
    curves = {("A", "A"): soft(), ("A", "B"): soft(1.5), ("B", "B"): soft(1.0)}
    return measured_liquid(curves, {"A": 0.25, "B": 0.15}).response(np.array([0.0, 0.2, 0.4]))


def dumbbells() -> Response:
    """Soft beads in pairs a distance of 1 apart, whose g are those between molecules."""

    def structure(k):
        return 0.4 * (1.0 + np.sinc(k / np.pi))[:, None, None]

    return measured_liquid({("A", "A"): soft()}, {"A": 0.4}, intramolecular=structure).response(np.zeros(1))


@pytest.mark.parametrize(
    ("response", "depth"),
    [
        (lambda: one_species(soft(), 0.0), 0.0),
        (lambda: one_species(soft(), 0.6), 0.0),
        (lambda: one_species(cored(), 0.4), 30.0),
        (mixture, 0.0),
        (dumbbells, 0.0),
    ],
    ids=["HNC", "bridge function", "core", "mixture", "molecules"],
)
def test_the_closure_keeps_the_contract(response, depth):
    found = response()
    core = np.zeros((found.g.shape[0], NODES))
    core[:, :18] = depth
    check_response(found, core)


@dataclass(frozen=True)
class WithInside:
    """A response of which some pairs lie inside molecules, as Gauss-Newton sees it."""

    inside: InsideResponse
    between: Response

    @property
    def g(self):
        n = self.inside.between.shape[1]
        return self.inside.moved(self.between.g[:, :n]) + 2.0

    def jacobian(self, size):
        return self.inside.jacobian(self.between.g[:, :size], self.between.jacobian(size))

    def at(self, change, core):
        return replace(self, between=self.between.at(change, core))


def test_pairs_inside_molecules_keep_the_contract():
    base = one_species(soft(), 0.0)
    r, between = R[1 : NODES + 1], base.g[:, :NODES]
    answering = 0.3 * np.exp(-(((r - 1.5) / 0.4) ** 2))[None]
    shells = r**2
    weight = answering * shells / np.sum(answering * shells)
    inside = InsideResponse(np.array([0.9]), answering, weight, between)
    check_response(WithInside(inside, base), np.zeros((1, NODES)))


class Broken:
    """A response that breaks the contract in one way."""

    def __init__(self, how, base=None):
        self.how, self.base, self.calls, self.reached = how, base or one_species(soft(), 0.0), 0, 0.0

    @property
    def g(self):
        return -self.base.g if self.how == "negative" else self.base.g

    def jacobian(self, size):
        self.calls += 1
        found = self.base.jacobian(size)
        if self.how == "shape":
            return found[:-1]
        if self.how == "each time":
            return found + 1e-3 * self.calls * np.eye(size)
        return -found if self.how == "sign" else found

    def at(self, change, core):
        if self.how == "arguments":
            core += 1.0
        if self.how == "from where it is":
            change = change + self.reached
            moved = Broken(self.how, self.base.at(change, core))
            moved.reached = change
            return moved
        if self.how == "error" and np.min(change) < -1.0:
            raise ZeroDivisionError
        return Broken(self.how, self.base.at(0.9 * change if self.how == "step" else change, core))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("negative", "g is negative"),
        ("shape", "the jacobian has shape"),
        ("sign", "disagree by 2"),
        ("step", "disagree by 0.1"),
        ("arguments", "changes its arguments"),
        ("from where it is", "does not count from the first liquid"),
        ("each time", "another when it is asked again"),
    ],
)
def test_what_breaks_the_contract_is_told(how, message):
    with pytest.raises(AssertionError, match=message):
        check_response(Broken(how), np.zeros((1, NODES)))


def test_another_error_than_that_of_convergence_is_none_of_the_contract():
    with pytest.raises(ZeroDivisionError):
        check_response(Broken("error"), np.zeros((1, NODES)))
