"""A refinement of one bead type in the words of the one that refines any system."""

from cginit.interactions import Interactions
from cginit.refine import History, Loop, Record, Settings, distance
from cginit.refine.history import apply_step
from cginit.target import Target

AA = ("A", "A")


def loop_of(target, state, potential, *, engine, update, workdir, start=None, pressure=None, **settings):
    return Loop(
        Target.of(target, state, pressure=pressure),
        {AA: potential},
        engine=engine,
        update=update,
        workdir=workdir,
        starts=[start],
        settings=Settings(**settings),
    )


def record_of(potential, rdf, target, start, *, index=0, counts=None, **more):
    """A simulation of `potential` that gave `rdf`."""
    return Record(
        index=index,
        potentials=Interactions({AA: potential}),
        rdfs=Interactions({AA: rdf}),
        distances=Interactions({AA: distance(rdf, target, potential.r_cut, more.get("longer", 1.0))}),
        final=start,
        counts=Interactions({} if counts is None else {AA: counts}),
        **more,
    )


def history_of(target, state, *records, pressure=None):
    return History((Target.of(target, state, pressure=pressure),), tuple((one,) for one in records))


def applied(update, history):
    """The potential after the step of an update or of a search."""
    return apply_step(history, update(history)).only()
