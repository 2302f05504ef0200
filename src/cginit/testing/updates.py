"""The contract of an update, as a check of a given implementation."""

from __future__ import annotations

import numpy as np

from cginit.configuration import Configuration
from cginit.curves import RDF, Array, PairPotential
from cginit.errors import ConvergenceError
from cginit.interactions import Interactions, all_pairs
from cginit.refine import History, Record, Update, distance
from cginit.refine.history import apply_step
from cginit.sampling import PairCounts
from cginit.target import Target
from cginit.units import LJ

__all__ = ["check_update"]

#: A soft liquid's worth of points, beads and configurations.
POINTS, CUTOFF, BEADS, FRAMES = 81, 41, 1000, 60
DR, SEED = 0.05, 7


def check_update(update: Update) -> None:
    """Check that an update keeps its contract, for one species, a mixture and several states of it.

    It is given made-up simulations of weakly interacting beads, with counts, and must return a step from the last
    round that changes refined interactions only, by finite numbers on the grids of their potentials; the same step
    for the same history; and change none of its arguments. A `cginit.errors.ConvergenceError` is an answer, too.

    Parameters
    ----------
    update : Update
        What is checked.

    Raises
    ------
    AssertionError
        If it does not keep it, with what is wrong.

    Examples
    --------
    >>> from cginit.refine import IBI
    >>> check_update(IBI())
    """
    _ensure(isinstance(update.name, str) and bool(update.name), "it has no name")
    _ensure(isinstance(update.beyond_cutoff, bool), "beyond_cutoff is not a bool")
    for what, species, kTs in (
        ("one species", ("A",), (1.0,)),
        ("a mixture", ("A", "B"), (1.0,)),
        ("several states of a mixture", ("A", "B"), (1.0, 0.8)),
    ):
        history = _history(species, kTs)
        _check(update, history, what)
        if len(species) > 1:
            held = History(history.targets, history.rounds, frozenset(all_pairs(species)[:1]))
            _check(update, held, f"{what} with a held pair", twice=False)


def _check(update: Update, history: History, what: str, *, twice: bool = True) -> None:
    before = _bytes(history)
    try:
        step = update(history)
        again = update(history) if twice else step
    except ConvergenceError:
        return
    _ensure(_bytes(history) == before, f"{what}: it changed its arguments")
    _ensure(step.base == len(history) - 1, f"{what}: the step is from round {step.base}, not from the last")
    potentials = history.potentials()
    for name, change in step.changes.items():
        _ensure(name in history.free, f"{what}: {name} is not to change")
        _ensure(change.shape == potentials[name].u.shape, f"{what}: the change of {name} has another grid")
        _ensure(bool(np.all(np.isfinite(change))), f"{what}: the change of {name} is not finite")
        _ensure(
            change.tobytes() == again.changes[name].tobytes(), f"{what}: {name} changes otherwise each time"
        )
    for name, potential in apply_step(history, step).items():
        _ensure(potential.u[-1] == 0.0, f"{what}: the potential of {name} does not end at 0")


def _ensure(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(f"an update must keep its contract: {what}")


def _bytes(history: History) -> bytes:
    parts = []
    for record in (record for done in history.rounds for record in done):
        for name, potential in record.potentials.items():
            parts += [
                potential.u.tobytes(),
                record.rdfs[name].g.tobytes(),
                record.counts[name].counts.tobytes(),
            ]
    return b"".join(parts)


def _history(species: tuple[str, ...], kTs: tuple[float, ...]) -> History:
    r: Array = DR * np.arange(POINTS, dtype=np.float64)
    u = np.exp(-2.0 * r[:CUTOFF] ** 2)
    potential = PairPotential.shifted(r[:CUTOFF], u, units="lj")
    wanted = RDF(r, np.exp(-1.3 * np.exp(-2.0 * r**2)), np.full(POINTS, 1e-3), units=LJ)
    pairs = all_pairs(species)
    targets = tuple(
        Target(dict.fromkeys(pairs, wanted), dict.fromkeys(species, 0.3 / len(species)), kT) for kT in kTs
    )
    rng = np.random.default_rng(SEED)
    rounds = []
    for index in range(2):
        rounds.append(tuple(_record(index, target, potential, rng) for target in targets))
    return History(targets, tuple(rounds))


def _record(index: int, target: Target, potential: PairPotential, rng: np.random.Generator) -> Record:
    """Return a made-up simulation of beads that know of their neighbours only what a gas would."""
    volume = BEADS / target.state.density
    numbers = target.counts(BEADS)
    r = next(iter(target.rdfs.values())).r
    expected = np.exp(-np.interp(r, potential.r, potential.u) / target.kT)
    counts = {}
    for name in target.pairs:
        a, b = (numbers[one] for one in name.types)
        pairs = 0.5 * a * (a - 1) if name.like else float(a * b)
        blank = PairCounts(r, np.zeros((1, r.size), dtype=np.int32), BEADS, volume, target.units, pairs)
        drawn = rng.poisson(blank.ideal() * expected, (FRAMES, r.size)).astype(np.int32)
        counts[name] = PairCounts(r, drawn, BEADS, volume, target.units, pairs)
    rdfs = Interactions({name: one.rdf() for name, one in counts.items()})
    types = np.repeat(np.arange(len(numbers)), list(numbers.values()))
    edge = np.full(3, volume ** (1.0 / 3.0))
    return Record(
        index=index,
        potentials=Interactions(dict.fromkeys(target.pairs, potential)),
        rdfs=rdfs,
        distances=Interactions(
            {name: distance(rdfs[name], curve, potential.r_cut) for name, curve in target.rdfs.items()}
        ),
        final=Configuration(
            rng.uniform(-0.5, 0.5, (types.size, 3)) * edge,
            edge,
            units=LJ,
            types=types,
            species=target.species,
        ),
        pressure=target.state.density,
        pressure_error=0.01,
        counts=Interactions(counts),
    )
