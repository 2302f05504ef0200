"""Every option of csg_inverse and what becomes of it here; the table in the documentation is made from this list."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

__all__ = ["OPTIONS", "Option", "find_option", "options_table"]

#: ``read``: it counts here too. ``not needed``: it tells csg_inverse how to work, which is done otherwise here.
#: ``ignored``: it would change the run or the result a little; a note names it. ``refused``: it belongs to a method
#: that is not run here; an error names the method, and with another method a note says that the option does nothing.
Use = Literal["read", "not needed", "ignored", "refused"]


@dataclass(frozen=True)
class Option:
    """One option of csg_inverse, or a group of them.

    Attributes
    ----------
    path : str
        Its place in the XML file, ``*`` standing for any part of it.
    use : {"read", "not needed", "ignored", "refused"}
        What becomes of it.
    here : str
        What it means here, or what to use instead.
    """

    path: str
    use: Use
    here: str


def _group(prefix: str, *rows: tuple[str, Use, str]) -> tuple[Option, ...]:
    return tuple(Option(f"{prefix}.{path}" if path else prefix, use, here) for path, use, here in rows)


_SAME_STATISTICS = "errors of g(r) are always computed, from ten blocks"
_OWN_TABLE = "the engine's table is made here: from r = 0 to the cut-off, 2500 intervals"
_BASE = "the configuration that it names as `base`: start, and the density if nothing else states it"
_TYPES = "bead types are those of the interactions"
_OMEGA = "the structure of the molecules is that of each simulation"
_OWN_GRID = "the grid is that of the target"
_OWN_BONDS = "the engine's table is made here, over the lengths and angles that the potential has"
_ENGINE = "the engine is run by `--engine`, `--lammps-binary` and `--launcher`"

#: In the order of csg_defaults.xml of VOTCA 2022.1, later additions included. The longest matching path counts.
OPTIONS: tuple[Option, ...] = (
    *_group("cg.fmatch", ("*", "not needed", "options of csg_fmatch, not of csg_inverse")),
    *_group(
        "cg.inverse",
        ("cleanlist", "not needed", "nothing is removed from the work directory"),
        (
            "convergence_check.limit",
            "read",
            "the run also stops, as converged, once the sum of `convergence.norm` is below it",
        ),
        ("convergence_check.type", "read", "`none` or `default`; the run stops at the noise in any case"),
        ("dlpoly.*", "ignored", "runs with `--engine lammps` or `hoomd` instead"),
        ("espresso.topol", "read", _BASE),
        ("espresso.*", "ignored", "runs with `--engine lammps` or `hoomd` instead"),
        ("espressopp.topol", "read", _BASE),
        ("espressopp.*", "ignored", "runs with `--engine lammps` or `hoomd` instead"),
        ("filelist", "not needed", "the files are read where they are"),
        ("gnuplot.bin", "not needed", "`cg-init report` draws"),
        ("gromacs.conf", "read", "start configuration, and the densities if nothing else states them"),
        ("gromacs.conf_out", "not needed", "the last configuration of each iteration is kept"),
        ("gromacs.density.*", "not needed", "no density profiles are computed"),
        ("gromacs.equi_time", "read", "in ps; its steps are equilibration instead of production"),
        ("gromacs.first_frame", "read", "its frames are equilibration instead of production"),
        ("gromacs.g_energy.*", "not needed", "the pressure comes from the virial of every simulation"),
        ("gromacs.gmxrc", "not needed", _ENGINE),
        ("gromacs.grompp.*", "not needed", _ENGINE),
        ("gromacs.index", "not needed", _TYPES),
        ("gromacs.log", "not needed", _ENGINE),
        ("gromacs.mdp", "read", "time step, number of steps, output interval and friction are taken from it"),
        ("gromacs.mdrun.*", "not needed", _ENGINE),
        ("gromacs.pot_max", "not needed", "the core of a table is finite here"),
        ("gromacs.pre_simulation*", "ignored", "each simulation begins with a push-off and equilibration"),
        ("gromacs.ref.*", "ignored", "targets from trajectories: `cg-init target`"),
        ("gromacs.rdf.block_length", "not needed", _SAME_STATISTICS),
        ("gromacs.rdf.map", "not needed", "g(r) is taken from the beads of the simulation; what they are says `map`"),
        ("gromacs.rdf.with_errors", "not needed", _SAME_STATISTICS),
        ("gromacs.table_bins", "not needed", _OWN_TABLE),
        ("gromacs.table_end", "not needed", _OWN_TABLE),
        ("gromacs.temp_check", "not needed", "kBT counts; another temperature in the mdp file gives a warning"),
        ("gromacs.topol_in", "read", "molecules, bonds, exclusions and numbers of bonded tables"),
        ("gromacs.topol", "not needed", _TYPES),
        ("gromacs.traj", "not needed", "trajectories stay with the engine in the work directory"),
        ("gromacs.trjcat.*", "not needed", _ENGINE),
        ("hoomd-blue.command", "not needed", "`--engine hoomd`"),
        ("hoomd-blue.opts", "not needed", "`--engine hoomd`"),
        ("hoomd-blue.topol", "read", _BASE),
        ("hoomd-blue.*", "ignored", "what a script for HOOMD-blue says is not read; give `--density`, `--dt` ..."),
        ("imc.default_reg", "ignored", "the regularisation is found from the noise of g(r)"),
        ("imc.*.reg", "ignored", "the regularisation is found from the noise of g(r)"),
        ("lammps.command", "not needed", _ENGINE),
        (
            "lammps.script",
            "read",
            "units, data file, time step, Langevin damping, steps, mass, types of pair_coeff; nothing else of it is "
            "run",
        ),
        ("lammps.opts", "not needed", _ENGINE),
        ("lammps.traj", "read", "which `dump` of the script counts: the steps before it are equilibration"),
        (
            "lammps.pressure_file",
            "not needed",
            "the pressure comes from the virial of every simulation",
        ),
        ("lammps.topol", "read", "data file: start configuration, densities, mass"),
        ("*.command", "not needed", _ENGINE),
        ("*.conf", "read", "start configuration, and the densities if nothing else states them"),
        ("*.conf_out", "not needed", "the last configuration of each iteration is kept"),
        ("*.equi_time", "read", "in ps; its steps are equilibration instead of production"),
        ("*.density.*", "not needed", "no density profiles are computed"),
        ("*.first_frame", "read", "its frames are equilibration instead of production"),
        ("*.imc.topol", "not needed", "no statistics are taken beside g(r)"),
        ("*.imc.traj", "not needed", "no statistics are taken beside g(r)"),
        ("*.re.*", "refused", "relative entropy is not a method here"),
        ("*.rdf.block_length", "not needed", _SAME_STATISTICS),
        ("*.rdf.map", "not needed", "g(r) is taken from the beads of the simulation; what they are says `map`"),
        ("*.rdf.topol", "not needed", _TYPES),
        ("*.rdf.traj", "not needed", "g(r) is taken from the simulation itself"),
        ("*.rdf.with_errors", "not needed", _SAME_STATISTICS),
        ("*.topol", "read", "data file: start configuration, densities, mass"),
        ("*.traj", "not needed", "trajectories stay with the engine in the work directory"),
        ("*.script", "ignored", "only scripts of LAMMPS are read"),
        ("*.opts", "not needed", _ENGINE),
        ("re.*", "refused", "relative entropy is not a method here"),
        ("average.steps", "ignored", "the best iteration is returned, not an average of the last"),
        (
            "initial_configuration",
            "read",
            "`laststep` is what is always done; `maindir` too, after a warning; `nowhere`: a random start",
        ),
        ("iterations_max", "read", "`--iterations`"),
        ("kBT", "read", "`--kT`"),
        ("log_file", "not needed", "every iteration is in the work directory"),
        (
            "map",
            "read",
            "which beads each `<bonded>` joins, and what csg_stat leaves out of g(r); g(r) is taken from the beads "
            "of the simulation, without a mapping",
        ),
        ("topol_xml", "read", "beads and molecules, where there is no `topol.top`"),
        ("method", "read", "`ibi` (or `ibm`), `imc` and `iie`: see above; `re`, `optimizer`, `tf` are refused"),
        ("iie.initial_guess.method", "read", "`table`: NAME.pot.in; `bi`: `--method boltzmann`; `ie`: its closure"),
        ("iie.initial_guess.closure", "read", "`--method hnc` or `py`"),
        (
            "iie.initial_guess.ignore_intramolecular_correlation",
            "not needed",
            _OMEGA,
        ),
        ("initial_guess.method", "read", "as `iie.initial_guess.method`, its older place"),
        ("initial_guess.closure", "read", "as `iie.initial_guess.closure`"),
        ("initial_guess.cut_off", "not needed", "the cut-off of the start is that of the potential"),
        ("iie.method", "read", "`gauss-newton`, `newton`, `newton-mod`: see above"),
        ("iie.algorithm", "read", "as `iie.method`, its older name"),
        ("iie.closure", "read", "`hnc`; `py` is ignored: the update's Jacobian is that of HNC"),
        ("iie.ignore_intramolecular_correlation", "not needed", _OMEGA),
        ("iie.cut_off", "read", "cut-off of the potential, where it is smaller than `max`"),
        ("newton.cut_off", "read", "as `iie.cut_off`"),
        ("gauss_newton.cut_off", "read", "as `iie.cut_off`"),
        ("iie.g_extrap_factor", "ignored", "beyond its end g(r) is closed by c(r) = 0 or the closure"),
        ("iie.cut_jacobian", "ignored", "the Jacobian is always that of the block between core and cut-off"),
        ("iie.densities", "read", "`--density`; of a mixture one number a component"),
        ("iie.n_intra", "read", "more than 1 needs a map or bonds in the topology"),
        ("iie.pressure_constraint", "read", "`--pressure`, given there in bar: a datum, also of a mixture"),
        ("iie.extrap_near_core", "ignored", "the core is extrapolated as in every other update"),
        ("iie.fix_near_cut_off", "ignored", "U(r_cut) = 0 by shift"),
        ("iie.verbose", "not needed", "every iteration is in the work directory"),
        ("optimizer.*", "refused", "parameters are not optimised here"),
        ("program", "read", "`lammps` and `gromacs` sections are read; the engine is `--engine`, LAMMPS by default"),
        ("restart_file", "not needed", "the same command run again goes on"),
        ("dist_min", "ignored", "what g(r) does not show is found from its value and error"),
        ("scale", "refused", "an option of the relative entropy method"),
        ("scriptpath", "ignored", "scripts for csg_inverse are not run"),
        ("scriptdir", "ignored", "scripts for csg_inverse are not run"),
        ("simulation.background", "not needed", "the run waits for each simulation"),
        ("simulation.tasks", "not needed", "`--threads`"),
        ("cginit.method", "read", "guess of this file, in csg_inverse (with cginit-votca) and here: `--method`"),
        ("cginit.density", "read", "`--density`; of a mixture one number a component"),
    ),
    *_group("cg", ("nbsearch", "not needed", "cell lists")),
    *_group(
        "cg.bonded",
        ("name", "read", "name in the mapping, of NAME.pot.in and of the tables written"),
        ("min", "not needed", _OWN_GRID),
        ("max", "not needed", _OWN_GRID),
        ("step", "not needed", _OWN_GRID),
        ("bondtype", "not needed", "internal to csg_inverse"),
        ("fmatch.*", "not needed", "options of csg_fmatch, not of csg_inverse"),
        ("re.*", "refused", "relative entropy is not a method here"),
        ("inverse.target", "read", "distribution: a density per nm or radian, as csg_stat writes it"),
        ("inverse.do_potential", "read", "0 keeps the potential; 1, or a cycle with 1, refines it always"),
        ("inverse.post_update", "read", "`ibi` refines it where do_potential is 0; others are not needed"),
        ("inverse.post_update_options.ibi.do", "read", "as `do_potential`"),
        ("inverse.post_update_options.*", "not needed", "changes are those of `ibi`, less the part that is noise"),
        ("inverse.post_add*", "not needed", "the run stops when every distribution is at its noise"),
        ("inverse.imc.*", "ignored", "bonded interactions follow by iterative Boltzmann inversion"),
        ("inverse.*.table*", "not needed", _OWN_BONDS),
        ("inverse.gromacs.table", "not needed", _OWN_BONDS),
        ("inverse.lammps.*", "not needed", _OWN_BONDS),
        ("inverse.*", "ignored", "no option of bonded interactions here"),
        ("*", "ignored", "no option of bonded interactions here"),
    ),
    *_group(
        "cg.non-bonded",
        ("dlpoly.header", "not needed", "an option of another program"),
        ("name", "read", "name of NAME.pot.in and of the tables written"),
        ("type1", "read", "names the components"),
        ("type2", "read", "names the components"),
        ("bondtype", "not needed", "internal to csg_inverse"),
        (
            "min",
            "read",
            "g(r) below it is left out; where g(min) is above 0.001, all of g(r) counts; a note says which",
        ),
        ("max", "read", "`--cutoff`; of a mixture each pair has its own"),
        ("step", "read", "grid of g(r) and of the potential; all pairs of a mixture share the smallest"),
        ("fmatch.*", "not needed", "options of csg_fmatch, not of csg_inverse"),
        ("re.*", "refused", "relative entropy is not a method here"),
        ("inverse.target", "read", "`--rdf`"),
        ("inverse.target_intra", "not needed", _OMEGA),
        ("improve_dist_near_core.*", "not needed", "what g(r) does not show is found from its value and error"),
        ("inverse.p_target", "read", "`--pressure`, given there in bar; the same for all pairs of a mixture"),
        ("inverse.particle_dens", "read", "`--density`; of a mixture that of the interactions of like beads"),
        (
            "inverse.do_potential",
            "read",
            "1; a cycle with 0 leaves out simulations that would change nothing, in a mixture updates of this pair; "
            "0 keeps a pair of a mixture as it is, and is refused otherwise",
        ),
        ("inverse.espresso.table", "not needed", _OWN_TABLE),
        ("inverse.gromacs.table", "not needed", _OWN_TABLE),
        ("inverse.lammps.scale", "not needed", "units are those that the script states"),
        ("inverse.lammps.y_scale", "not needed", "units are those that the script states"),
        ("inverse.lammps.table", "not needed", _OWN_TABLE),
        ("inverse.*.table", "not needed", _OWN_TABLE),
        ("inverse.*.table_begin", "not needed", _OWN_TABLE),
        ("inverse.*.table_end", "not needed", _OWN_TABLE),
        ("inverse.*.table_left_extrapolation", "ignored", "the core is extrapolated as in every other update"),
        ("inverse.*.table_right_extrapolation", "ignored", "U = 0 beyond the cut-off"),
        ("inverse.*.table_bins", "not needed", _OWN_TABLE),
        (
            "inverse.imc.group",
            "read",
            "all pairs of a mixture are one group; `none` keeps a pair as it is, and is refused otherwise",
        ),
        (
            "inverse.post_add",
            "read",
            "`convergence`, `acc_convergence`, `shift`, `dummy`, `tag`, `copyback`, `compress`, `plot`; others "
            "are ignored",
        ),
        ("inverse.post_add_options.compress.*", "not needed", "the files of an iteration are compressed arrays"),
        ("inverse.post_add_options.convergence.weight", "read", "factor in the sum for `convergence_check`"),
        ("inverse.post_add_options.convergence.what", "read", "`dist`; others are ignored"),
        ("inverse.post_add_options.convergence.base", "read", "`tgt`; others are ignored"),
        ("inverse.post_add_options.convergence.norm", "read", "1: sum of |g - g_target|, 2: of its square"),
        ("inverse.post_add_options.copyback.*", "not needed", "`--out`"),
        ("inverse.post_add_options.overwrite.do", "ignored", "potentials are not overwritten"),
        ("inverse.post_add_options.plot.*", "not needed", "`cg-init report` draws"),
        ("inverse.post_add_options.average.what", "ignored", "the best iteration is returned"),
        (
            "inverse.post_update",
            "read",
            "`smooth`, `scale`, `pressure`, `kbibi`; `shift`, `dummy`, `tag` change nothing; `extrapolate` is always "
            "done; `splinesmooth`, `lj`, `cibi`, `ibi` and scripts of your own are refused",
        ),
        ("inverse.post_update_options.cibi.*", "not needed", "the step is refused where it is asked for"),
        ("inverse.post_update_options.extrapolate.points", "ignored", "the core is extrapolated otherwise"),
        ("inverse.post_update_options.ibi.do", "not needed", "the step is refused where it is asked for"),
        ("inverse.post_update_options.kbibi.do", "ignored", "the integral is corrected in every update"),
        ("inverse.post_update_options.kbibi.kbint_with_errors", "not needed", _SAME_STATISTICS),
        ("inverse.post_update_options.kbibi.*", "read", "the ramp of a pair, at most 0.1 kT high in one update"),
        ("inverse.post_update_options.lj.*", "not needed", "the step is refused where it is asked for"),
        ("inverse.post_update_options.pressure.do", "ignored", "the pressure is corrected in every update"),
        ("inverse.post_update_options.pressure.type", "read", "`simple` (the default) or `wjk`"),
        ("inverse.post_update_options.pressure.*", "ignored", "its size is computed, up to 0.1 kT in one update"),
        ("inverse.post_update_options.scale", "read", "`--damping`"),
        ("inverse.post_update_options.smooth.iterations", "read", "triangular smoothing of the update"),
        ("inverse.post_update_options.splinesmooth.step", "not needed", "the step is refused where it is asked for"),
        ("inverse.optimizer.*", "refused", "parameters are not optimised here"),
    ),
)  # fmt: skip


@cache
def find_option(path: str) -> Option | None:
    """Return what becomes of the option at `path`, as ``cg.inverse.kBT``; None if it is none of csg_inverse.

    Examples
    --------
    >>> find_option("cg.inverse.kBT").use
    'read'
    """
    fits = [option for option in OPTIONS if fnmatchcase(path, option.path)]
    return max(
        fits, key=lambda option: (len(option.path.replace("*", "")), option.path == path), default=None
    )


def options_table() -> str:
    """Return the options as a Markdown table, for the documentation."""
    rows = ["| csg_inverse | here | |", "| --- | --- | --- |"]
    rows += [f"| `{option.path.removeprefix('cg.')}` | {option.use} | {option.here} |" for option in OPTIONS]
    return "\n".join(rows) + "\n"
