"""What a LAMMPS input script says about the run: units, time step, thermostat and how many steps."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from cginit.errors import InputError

__all__ = ["RunPlan", "pair_files", "read_lammps_script", "read_mdp", "script_exclusions"]

#: Time units of LAMMPS in ps; ``lj`` has none.
_TIME = {"real": 1e-3, "metal": 1.0, "electron": 1e-3, "si": 1e12, "cgs": 1e12, "micro": 1e6, "nano": 1e3}
#: What ``special_bonds`` leaves out, by its factors of pairs one, two and three bonds apart; the last is LAMMPS' own
#: default.
_EXCLUSIONS = {
    (1.0, 1.0, 1.0): "none",
    (0.0, 1.0, 1.0): "1-2",
    (0.0, 0.0, 1.0): "1-3",
    (0.0, 0.0, 0.0): "1-4",
}
#: Its words for factors of the pair potential.
_SPECIAL = {"charmm": (0.0, 0.0, 0.0), "amber": (0.0, 0.0, 0.5), "dreiding": (0.0, 0.0, 1.0)}
#: A factor below it is 0: some scripts write a small number, so that the pairs stay in the lists of neighbours.
_NEARLY_0 = 1e-6
_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")


@dataclass(frozen=True)
class RunPlan:
    """How long and with what a simulation program is told to run.

    Attributes
    ----------
    units : str
        Units of the program: ``real``, ``metal``, ... for LAMMPS.
    timestep : float or None
        In ps.
    equilibration, production, every : int or None
        Steps before the trajectory begins, steps that it covers, steps between its frames.
    relaxation : float or None
        Time in ps in which the thermostat's friction relaxes a velocity.
    temperature : float or None
        In kelvin.
    mass : float or None
        Of a bead, in g/mol.
    data : str or None
        Name of the data file.
    notes : tuple of str
        What of the file has no effect.
    """

    units: str = "real"
    timestep: float | None = None
    equilibration: int | None = None
    production: int | None = None
    every: int | None = None
    relaxation: float | None = None
    temperature: float | None = None
    mass: float | None = None
    data: str | None = None
    notes: tuple[str, ...] = ()

    def shifted(self, frames: int, time: float) -> RunPlan:
        """Return the plan with the first `frames`, and all before `time` in ps, moved to the equilibration."""
        if self.production is None or self.every is None:
            return self
        steps = frames * self.every
        if time > 0.0 and self.timestep is not None:
            steps = max(steps, int(time / self.timestep + 0.5) - (self.equilibration or 0))
        if steps >= self.production:
            raise InputError(
                f"the first {steps} steps are to be left out, but the trajectory covers only {self.production}"
            )
        return replace(
            self, equilibration=(self.equilibration or 0) + steps, production=self.production - steps
        )


def read_lammps_script(path: Path, trajectory: str = "") -> RunPlan:
    """Read the run of a LAMMPS script: what `trajectory` (a dump file; by default the first) records is production.

    Variables with plain values are put in; commands that change the ensemble otherwise (loops, other
    thermostats, constant pressure) are named in the notes.

    Raises
    ------
    InputError
        If the file cannot be read, or keeps another ensemble than that of constant volume.
    """
    plan = RunPlan(units="lj")
    variables: dict[str, str] = {}
    notes: list[str] = []
    before = after = 0
    unclear = False
    time_unit: float | None = None
    for words in _commands(path, variables):
        name, arguments = words[0], words[1:]
        if name == "units" and arguments:
            plan = replace(plan, units=arguments[0])
            time_unit = _TIME.get(arguments[0])
        elif name == "timestep" and arguments:
            value = _value(arguments[0])
            if value is not None and time_unit is not None:
                plan = replace(plan, timestep=value * time_unit)
        elif name == "read_data" and arguments and plan.data is None:
            plan = replace(plan, data=arguments[0])
        elif name == "mass" and len(arguments) > 1:
            plan = replace(plan, mass=_value(arguments[1]))
        elif name == "dump" and len(arguments) > 4 and arguments[4] == (trajectory or arguments[4]):
            every = _value(arguments[3])
            if plan.every is None and every:
                plan = replace(plan, every=int(every))
        elif name == "run" and arguments:
            steps = _value(arguments[0])
            if steps is None or "upto" in arguments:
                unclear = True
            elif plan.every is None:
                before += int(steps)
            else:
                after += int(steps)
        elif name == "fix" and len(arguments) > 2:
            plan, note = _fix(plan, arguments[2], arguments[3:], time_unit, path)
            notes += note
        elif name == "pair_style" and arguments and _other_styles(arguments):
            notes.append(f"{path.name}: of pair_style {' '.join(arguments)} only tables act here")
        elif name == "kspace_style" and arguments and arguments[0] != "none":
            notes.append(f"{path.name}: kspace_style {arguments[0]} has no effect; charges do not act here")
        elif name in ("jump", "include", "if", "minimize", "run_style", "rerun", "read_restart"):
            notes.append(f"{path.name}: the command {name} is not followed")
    if unclear:
        notes.append(
            f"{path.name}: a run has no plain number of steps; give --equilibration and --production"
        )
    elif after:
        plan = replace(plan, equilibration=before, production=after)
    return replace(plan, notes=tuple(dict.fromkeys(notes)))


def _other_styles(styles: list[str]) -> bool:
    """Whether a pair_style has more than tables."""
    if not styles[0].startswith("hybrid"):
        return styles[0].partition("/")[0] != "table"
    names = [
        word
        for word in styles[1:]
        if word[0].isalpha() and word not in ("linear", "spline", "lookup", "bitmap")
    ]
    return any(name.partition("/")[0] != "table" for name in names)


def script_exclusions(path: Path) -> str:
    """Return the pairs of bonded beads that a LAMMPS script leaves out: ``none``, ``1-2``, ``1-3`` or ``1-4``.

    They are those of its last ``special_bonds``, or 1-4 without one.

    Raises
    ------
    InputError
        If pairs act in part, or some act that are nearer than others that do not.
    """
    factors = _SPECIAL["charmm"]
    said = ""
    for words in _commands(path, {}):
        if words[0] != "special_bonds":
            continue
        said = " ".join(words)
        for place, word in enumerate(words[1:], 1):
            if word in _SPECIAL:
                factors = _SPECIAL[word]
            elif word in ("lj", "lj/coul"):
                numbers = [_value(one) for one in words[place + 1 : place + 4]]
                if len(numbers) < 3 or None in numbers:
                    raise InputError(f"{path}: {said} has no three numbers behind {word}; write them out")
                a, b, c = (0.0 if abs(one or 0.0) < _NEARLY_0 else float(one or 0.0) for one in numbers)
                factors = (a, b, c)
    if factors not in _EXCLUSIONS:
        raise InputError(
            f"{path}: {said} has the factors {' '.join(f'{one:g}' for one in factors)}; here pairs of bonded beads "
            "act or do not, the nearest first: 0 0 0, 0 0 1, 0 1 1 or 1 1 1"
        )
    return _EXCLUSIONS[factors]


def _fix(
    plan: RunPlan, style: str, rest: list[str], time_unit: float | None, path: Path
) -> tuple[RunPlan, list[str]]:
    base = style.removesuffix("/omp").removesuffix("/kk").removesuffix("/intel").removesuffix("/gpu")
    if base in ("npt", "nph", "press/berendsen", "deform", "box/relax"):
        raise InputError(
            f"{path} keeps a pressure (fix {style}); only constant volume is simulated here. Fix the box at "
            "the density of the target"
        )
    if base == "langevin" and len(rest) > 2:
        damping = _value(rest[2])
        if damping is not None and time_unit is not None:
            plan = replace(plan, relaxation=damping * time_unit)
        return replace(plan, temperature=_value(rest[0])), []
    if base in ("nve", "print", "ave/time", "momentum", "balance", "nve/limit"):
        return plan, []
    if base in ("nvt", "temp/berendsen", "temp/csvr", "temp/csld", "temp/rescale"):
        words = rest[rest.index("temp") + 1 :] if "temp" in rest else rest
        temperature = _value(words[0]) if words else None
        return replace(plan, temperature=temperature), [
            f"{path.name}: fix {style} runs as Langevin dynamics, with the same structure"
        ]
    return plan, [f"{path.name}: fix {style} has no effect"]


def _commands(path: Path, variables: dict[str, str]) -> list[list[str]]:
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    commands = []
    for line in text.replace("&\n", " ").splitlines():
        words = _substituted(line.split("#")[0], variables).split()
        if not words:
            continue
        if words[0] == "variable" and len(words) > 3 and words[2] in ("equal", "index", "string"):
            variables.setdefault(words[1], words[3].strip("\"'"))
        commands.append(words)
    return commands


def _substituted(line: str, variables: dict[str, str]) -> str:
    for name, value in variables.items():
        line = line.replace(f"${{{name}}}", value)
        if len(name) == 1:
            line = line.replace(f"${name}", value)
    return line


def _value(word: str) -> float | None:
    return float(word) if _NUMBER.match(word) else None


def read_mdp(path: Path) -> RunPlan:
    """Read the run of a GROMACS parameter file (mdp).

    Raises
    ------
    InputError
        If the file cannot be read, or keeps a pressure.
    """
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, found, value = line.split(";")[0].partition("=")
        if found:
            values[key.strip().lower().replace("-", "_")] = value.strip()
    if values.get("pcoupl", "no").lower() != "no":
        raise InputError(
            f"{path} keeps a pressure (pcoupl = {values['pcoupl']}); only constant volume is simulated here"
        )
    integrator = values.get("integrator", "md").lower()
    notes: tuple[str, ...] = ()
    if integrator not in ("sd", "bd"):
        notes = (f"{path.name}: integrator {integrator} runs as Langevin dynamics, with the same structure",)

    def number(*keys: str) -> float | None:
        found = (_value(values[key].split()[0]) for key in keys if values.get(key))
        return next((value for value in found if value), None)

    # GROMACS' own defaults of dt and of the output intervals (none at all) are not worth taking over.
    steps, every = number("nsteps"), number("nstxout_compressed", "nstxtcout", "nstxout")
    return RunPlan(
        units="gromacs",
        timestep=number("dt"),
        equilibration=0,
        production=None if steps is None else int(steps),
        every=None if every is None else int(every),
        relaxation=number("tau_t") if integrator == "sd" else None,
        temperature=number("ref_t"),
        notes=notes,
    )


def pair_files(path: Path) -> dict[tuple[int, int], tuple[str, ...]]:
    """Return the words that follow each ``pair_coeff i j`` of a LAMMPS script, its table among them.

    Examples
    --------
    >>> script = Path("in.lammps")  # doctest: +SKIP
    >>> pair_files(script)  # doctest: +SKIP
    {(1, 1): ('A-A.table', 'VOTCA', '9')}
    """
    found = {}
    for words in _commands(path, {}):
        if words[0] == "pair_coeff" and len(words) > 3 and words[1].isdigit() and words[2].isdigit():
            found[int(words[1]), int(words[2])] = tuple(words[3:])
    return found
