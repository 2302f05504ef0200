"""Settings of csg_inverse with several bead types: what of them becomes the refinement of a mixture."""

from dataclasses import replace

import numpy as np
import pytest

from cginit import RDF, InputError, PairPotential
from cginit.configuration import random_configuration
from cginit.interactions import Interactions, pair
from cginit.refine import HNCN, IBI, IHNC, IMC, Distance, GaussNewton, History, Record
from cginit.sampling import PairCounts
from cginit.target import Target
from cginit.units import LJ, NM_KJ
from cginit.votca import AdjustedUpdate, make_plan, read_settings
from cginit.votca.adjusted import Adjustment

KT = 2.5
STEP = 0.02
R = STEP * np.arange(51)
#: A soft repulsion; g of a gas of such beads is exp(-U/kT).
U = 1.5 * np.exp(-((R / 0.3) ** 2))

PAIR = """\
  <non-bonded>
    <name>{name}</name> <type1>{a}</type1> <type2>{b}</type2>
    <min>0.0</min> <max>{max}</max> <step>{step}</step>
    <inverse>
      <target>{name}.dist.tgt</target> {more}
      <lammps> <table>{name}.tab</table> </lammps>
    </inverse>
  </non-bonded>
"""
GENERAL = """\
  <inverse>
    <kBT>2.5</kBT> <program>lammps</program>
    <lammps> <script>beads.in</script> <topol>beads.data</topol> </lammps>
    <initial_configuration>maindir</initial_configuration>
    <iterations_max>7</iterations_max> <method>{method}</method> {more}
  </inverse>
"""
SCRIPT = """\
units real
read_data beads.data
pair_style table linear 1000
pair_coeff 1 1 Y-Y.tab VOTCA 8
pair_coeff 1 2 X-Y.tab VOTCA 8
pair_coeff 2 2 X-X.tab VOTCA 8
timestep 2.0
fix 1 all nve
fix 2 all langevin 300 300 200 545454
run 100
dump 1 all atom 20 traj.dump
run 1000
"""
PAIRS = (("X-X", "X", "X"), ("X-Y", "X", "Y"), ("Y-Y", "Y", "Y"))


@pytest.fixture
def folder(tmp_path):
    for name, _, _ in PAIRS:
        rows = "".join(f"{r:.2f} {np.exp(-u / KT):.8f} i\n" for r, u in zip(R, U, strict=True))
        (tmp_path / f"{name}.dist.tgt").write_text(rows)
    # 90 beads of type 1, which the script calls Y, and 60 of type 2, which it calls X.
    start = random_configuration({"Y": 90, "X": 60}, 12.0, seed=1, units=NM_KJ).to("angstrom-kcal/mol")
    edges = "".join(f"0 {edge} {axis}lo {axis}hi\n" for edge, axis in zip(start.box, "xyz", strict=True))
    atoms = "".join(
        f"{i + 1} {start.types[i] + 1} {x} {y} {z}\n" for i, (x, y, z) in enumerate(start.positions)
    )
    (tmp_path / "beads.data").write_text(
        f"beads\n\n{start.n} atoms\n2 atom types\n{edges}\nMasses\n\n1 40.0\n2 10.0\n\nAtoms # atomic\n\n{atoms}"
    )
    (tmp_path / "beads.in").write_text(SCRIPT)
    return tmp_path


def settings(folder, *, method="ibi", general="", more=None, cut=None, step=None, pairs=PAIRS):
    parts = [
        PAIR.format(
            name=name,
            a=a,
            b=b,
            max=(cut or {}).get(name, 0.8),
            step=(step or {}).get(name, STEP),
            more=(more or {}).get(name, ""),
        )
        for name, a, b in pairs
    ]
    (folder / "settings.xml").write_text(
        "<cg>\n" + "".join(parts) + GENERAL.format(method=method, more=general) + "</cg>\n"
    )
    return read_settings(folder / "settings.xml")


def test_a_mixture_becomes_a_refinement(folder):
    plan = make_plan(settings(folder, cut={"X-Y": 0.7}), method="boltzmann")
    assert plan.target.pairs == (pair("X", "X"), pair("X", "Y"), pair("Y", "Y"))
    # 60 and 90 of 150 beads at 12 nm^-3, by the tables that the script gives the types.
    assert plan.target.densities == pytest.approx({"X": 4.8, "Y": 7.2}, rel=1e-6)
    assert plan.target.kT == KT
    assert plan.names["X", "Y"] == "X-Y"
    assert [one.r_cut for one in plan.potentials.values()] == pytest.approx([0.8, 0.7, 0.8])
    assert plan.start.species == ("X", "Y")
    assert np.bincount(plan.start.types).tolist() == [60, 90]
    assert plan.limits.iterations == 7
    # 100 steps before the dump begins, less the push-off of 500.
    assert (plan.schedule.equilibration, plan.schedule.production, plan.schedule.every) == (0, 1000, 20)
    # The soft potentials never reach kT: the length of tau is the mean spacing; the lightest mass counts.
    tau = 12.0 ** (-1 / 3) * np.sqrt(10.0 / KT)
    assert plan.schedule.dt == pytest.approx(0.002 / tau, rel=1e-5)
    assert plan.update.update == IBI()
    notes = " ".join(plan.notes)
    assert "X 4.8, Y 7.2, from the start configuration" in notes
    assert "start: guess boltzmann" in notes


def test_what_is_asked_of_a_target_is_asked_of_every_pair(folder):
    path = settings(folder).path
    path.write_text(path.read_text().replace("<kBT>2.5", "<kBT>0.2245"))
    plan = make_plan(read_settings(path), method="boltzmann")
    assert any("27 K" in note for note in plan.notes)
    np.savetxt(folder / "X-Y.dist.tgt", np.column_stack([R, 1.3 * np.exp(-U / KT)]))
    with pytest.raises(InputError, match=r"X-Y: g\(r\) does not tend to 1"):
        make_plan(settings(folder), method="boltzmann")


def test_the_pressure_of_iie_is_a_datum_of_gauss_newton(folder):
    general = "<iie><method>gauss-newton</method><pressure_constraint>1.0</pressure_constraint></iie>"
    plan = make_plan(settings(folder, method="iie", general=general), method="boltzmann")
    assert plan.update.update == GaussNewton()
    assert all(one.ramp is None for _, one in plan.update.adjustments)
    assert plan.target.pressure == pytest.approx(1.0 / NM_KJ.bar())


def test_what_each_interaction_says_counts_for_its_pair(folder):
    more = {
        "X-X": "<post_update>scale smooth</post_update><post_update_options><scale>0.5</scale>"
        "<smooth><iterations>2</iterations></smooth></post_update_options><particle_dens>3.0</particle_dens>",
        "X-Y": "<do_potential>0</do_potential>",
        "Y-Y": "<do_potential>1 0</do_potential><particle_dens>9.0</particle_dens>"
        "<post_update>pressure</post_update><p_target>1.0</p_target>"
        "<post_update_options><pressure><type>wjk</type></pressure></post_update_options>",
    }
    (folder / "X-Y.pot.in").write_text("".join(f"{r:.2f} {2.0 * (0.8 - r):.6f} i\n" for r in R[:41]))
    plan = make_plan(settings(folder, more=more, step={"Y-Y": 0.04}))
    assert plan.update.adjustments == (
        (pair("X", "X"), Adjustment(0.5, 2)),
        (pair("X", "Y"), Adjustment(cycle=(False,))),
        (pair("Y", "Y"), Adjustment(cycle=(True, False), ramp="wjk")),
    )
    assert plan.update.held == (pair("X", "Y"),)
    assert plan.target.pressure == pytest.approx(1.0 / NM_KJ.bar())
    assert plan.target.densities == {"X": 3.0, "Y": 9.0}
    np.testing.assert_allclose(plan.potentials["X", "Y"].u, 2.0 * (0.8 - R[:41]), atol=1e-6)
    notes = " ".join(plan.notes)
    assert "Y-Y has step 0.04 nm" in notes
    assert "X-Y keeps its potential" in notes
    # The data file has three Y for two X, the densities say three for one.
    assert "another composition" in notes
    assert plan.start is None


@pytest.mark.parametrize(
    ("method", "general", "rule", "note"),
    [
        ("imc", "", IMC(), ""),
        ("iie", "<iie><method>newton-mod</method></iie>", IHNC(), ""),
        ("iie", "<iie><method>newton</method></iie>", HNCN(), ""),
        ("iie", "<iie><method>gauss-newton</method></iie>", GaussNewton(), ""),
    ],
)
def test_the_methods_and_their_counterparts(folder, method, general, rule, note):
    plan = make_plan(settings(folder, method=method, general=general), method="boltzmann")
    assert plan.update.update == rule
    assert note in " ".join(plan.notes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pairs": PAIRS[:2]}, "no <non-bonded> interaction of Y and Y"),
        ({"pairs": (*PAIRS, PAIRS[1])}, "two <non-bonded> interactions of the same pair"),
        ({"method": "re"}, r"the method re \(relative entropy\); ibi, imc and iie"),
        ({"more": {"X-X": "<post_update>lj</post_update>"}}, "post_update lj does not exist here"),
        (
            {"more": {name: "<do_potential>0</do_potential>" for name, _, _ in PAIRS}},
            "do_potential of X-X, X-Y, Y-Y is 0",
        ),
        (
            {
                "more": {
                    name: f"<post_update>pressure</post_update><p_target>{p}</p_target>"
                    for name, p in (("X-X", 1), ("Y-Y", 2))
                }
            },
            "different p_target",
        ),
        (
            {"method": "imc", "more": {"X-X": "<imc><group>one</group></imc>"}},
            "several imc.group",
        ),
        ({"general": "<cginit><density>3.0</density></cginit>"}, "one positive density for each of X, Y"),
        ({"general": "<cginit><method>cn-f</method></cginit>"}, "cn-f is that of a single component"),
    ],
)
def test_what_cannot_be_done_is_an_error(folder, changes, message):
    with pytest.raises(InputError, match=message):
        make_plan(settings(folder, **changes))


def test_names_of_types_may_stand_behind_their_masses(folder):
    (folder / "beads.in").write_text(SCRIPT.replace("pair_coeff", "# pair_coeff"))
    data = (folder / "beads.data").read_text()
    (folder / "beads.data").write_text(data.replace("1 40.0", "1 40.0 # X").replace("2 10.0", "2 10.0 # Y"))
    plan = make_plan(settings(folder), method="boltzmann")
    assert np.bincount(plan.start.types).tolist() == [90, 60]
    (folder / "beads.data").write_text(data)
    with pytest.raises(InputError, match="number densities of X, Y are stated neither"):
        make_plan(settings(folder), method="boltzmann")


# ---- the changes ----

GRID = 0.1 * np.arange(21)
DENSITIES = {"A": 0.02, "B": 0.03}
KINDS = (pair("A", "A"), pair("A", "B"), pair("B", "B"))


def simulated(frames=400, seed=0):
    """Return a gas with U = exp(-r) as a simulation of it sees it: pairs that know nothing of each other."""
    rng = np.random.default_rng(seed)
    u = np.exp(-GRID) - np.exp(-GRID[-1])
    potential = PairPotential.shifted(GRID, u, units="lj")
    beads, volume = {"A": 200, "B": 300}, 500.0
    counts, rdfs = {}, {}
    for name in KINDS:
        a, b = name.types
        pairs = 0.5 * beads[a] * (beads[a] - 1) if a == b else float(beads[a] * beads[b])
        empty = PairCounts(GRID, np.zeros((1, GRID.size), dtype=np.int32), 500, volume, LJ, pairs)
        drawn = rng.poisson(empty.ideal() * np.exp(-u), (frames, GRID.size)).astype(np.int32)
        counts[name] = PairCounts(GRID, drawn, 500, volume, LJ, pairs)
        rdfs[name] = counts[name].rdf()
    start = random_configuration({"A": 2, "B": 3}, 5 / volume, seed=1, units="lj")
    near = Distance(1.0, 0.0, 0.0, 0.0)
    iteration = Record(
        index=0,
        potentials=Interactions(dict.fromkeys(KINDS, potential)),
        rdfs=Interactions(rdfs),
        final=start,
        distances=Interactions(dict.fromkeys(KINDS, near)),
        pressure=0.05,
        pressure_error=1e-4,
        counts=Interactions(counts),
    )
    wanted = {
        name: RDF(GRID, np.exp(-u - 0.3 * (k + 1) * np.exp(-((GRID / 0.8) ** 2))), units="lj")
        for k, name in enumerate(KINDS)
    }
    return iteration, Target(wanted, DENSITIES, 1.0)


def step(rule, target, *records, pressure=None):
    aim = replace(target, pressure=pressure)
    return rule(History((aim,), tuple((one,) for one in records)))


def test_inverse_monte_carlo_of_independent_pairs_is_the_linear_inversion_of_each():
    iteration, target = simulated()
    found = step(IMC(), target, iteration)
    assert found.made_by == "imc"
    changes = found.changes
    for name in KINDS:
        got, wanted = iteration.rdfs[name].g, target.rdfs[name].g
        linear = (got - wanted) / got
        # Independent pairs answer to their own bin only. From 0.6 on a bin holds more than 4000 pairs in all, so that
        # g is known to 1.5 %; 0.05 is three of these.
        np.testing.assert_allclose(changes[name][6:], linear[6:], atol=0.05)


def test_changes_are_adjusted_pair_by_pair():
    iteration, target = simulated()
    plain = step(IBI(), target, iteration).changes
    rule = AdjustedUpdate(
        IBI(),
        (
            (KINDS[0], Adjustment(damping=0.5)),
            (KINDS[1], Adjustment(cycle=(False, True))),
            (KINDS[2], Adjustment()),
        ),
    )
    changes = step(rule, target, iteration).changes
    assert set(changes) == {KINDS[0], KINDS[2]}
    np.testing.assert_allclose(changes[KINDS[0]], 0.5 * plain[KINDS[0]])
    np.testing.assert_allclose(changes[KINDS[2]], plain[KINDS[2]])
    # After the second simulation it is the turn of the other pair, too.
    assert set(step(rule, target, iteration, iteration).changes) == set(KINDS)


def test_ramps_have_together_the_wanted_effect_on_the_pressure():
    iteration, target = simulated()
    ramp = Adjustment(ramp="wjk")
    wanted = iteration.pressure - 5e-4
    rule = AdjustedUpdate(IBI(), tuple((name, ramp) for name in KINDS))
    changes = step(rule, target, iteration, pressure=wanted).changes
    plain = step(IBI(), target, iteration).changes
    effect = 0.0
    for name in KINDS:
        a, b = name.types
        difference = changes[name] - plain[name]
        p, g = iteration.potentials[name], iteration.rdfs[name].with_core().g
        force = -np.gradient(difference, p.dr)
        both = 1.0 if a == b else 2.0
        density = DENSITIES[a] * DENSITIES[b]
        effect += both * density * 2.0 * np.pi / 3.0 * float(np.trapezoid(force * g * p.r**3, p.r))
    assert effect == pytest.approx(-5e-4, rel=1e-9)
    far = AdjustedUpdate(IBI(), tuple((name, Adjustment(ramp="simple")) for name in KINDS))
    # The largest ramp is 0.1 kT at r = 0.
    assert step(far, target, iteration, pressure=100.0).changes[KINDS[0]][0] - plain[KINDS[0]][
        0
    ] == pytest.approx(0.1)
