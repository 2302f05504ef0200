"""What defines a trained network: its configuration file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from cginit.errors import InputError
from cginit.learn.augmentation import Augmentation
from cginit.learn.options import Options
from cginit.models.grid import U_CUT
from cginit.toml import read_toml

__all__ = [
    "Architecture",
    "Auxiliary",
    "Config",
    "LossTerms",
    "Pretraining",
    "TrainingSchedule",
    "load_config",
    "read_table",
]

#: Of the subjects that networks learn.
NAMES = ("potential", "bridge", "molecules", "pressure", "structure")


@dataclass(frozen=True)
class Architecture:
    """Form and size of a network.

    Attributes
    ----------
    kind : str
        DN (dense), CN (convolutions one after the other), UN (U-Net) or RN (residual blocks of dilated convolutions);
        a key of `cginit.learn.bodies.BODIES`.
    options : str
        Letters of b, e, f, or x (`cginit.learn.options.Options`).
    width : int
        Hidden units of DN, channels of the others (of the first level of UN, doubled at each further one).
    layers : int
        Hidden layers of DN and CN; levels below the first of UN.
    kernel : int
        Points that a convolution joins; odd.
    dilations : tuple of int
        Of RN, one residual block each; with the kernel 5 these let every output see every input.
    residual : bool
        Whether the network adds to -ln g (read between -5 and 7 kT) rather than giving all of U.
    dense : bool
        Of CN, UN and RN, whether they end as in the published Fig. 5: the convolutions see the curves alone, and a
        dense block joins what they find with the density.
    """

    kind: str = "CN"
    options: str = "f"
    width: int = 32
    layers: int = 4
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 3, 7, 13)
    residual: bool = False
    dense: bool = False

    def __post_init__(self) -> None:
        if self.kernel % 2 == 0 or self.width < 1 or self.layers < 1 or not self.dilations:
            raise InputError(f"a network needs an odd kernel, a width, layers and dilations, not {self}")


@dataclass(frozen=True)
class LossTerms:
    """Loss of a potential; see `cginit.learn.losses.Loss`.

    Attributes
    ----------
    kind : str
        SE, AE or LE.
    a, alpha : float
        Weights of curvature and differences, which option f switches on.
    u_cut : float
        Energy in kT above which points do not count.
    """

    kind: str = "AE"
    a: float = 2.0
    alpha: float = 1.0
    u_cut: float = U_CUT


@dataclass(frozen=True)
class TrainingSchedule:
    """Length and seeds of a training.

    Attributes
    ----------
    members : int
        Networks of the ensemble, each with a validation fold of its own.
    steps : int
        Optimiser steps a member.
    batch : int
        Pairs a step.
    learning_rate : float
        Peak of the learning rate of Adam; it rises over the first twentieth.
    decay : {"cosine", "constant"}
        How it goes on from there.
    keep : {"best", "last"}
        Which weights stay: of the best validation in the second half, or the last ones, which have not been chosen by
        the potentials they are judged on.
    evaluate_every : int
        Steps between two validations, each also a checkpoint.
    seed : int
        Seed of weights, batches and augmentation.
    """

    members: int = 5
    steps: int = 4000
    batch: int = 64
    learning_rate: float = 1e-3
    decay: str = "cosine"
    keep: str = "best"
    evaluate_every: int = 200
    seed: int = 1

    def __post_init__(self) -> None:
        if self.decay not in ("cosine", "constant") or self.keep not in ("best", "last"):
            raise InputError(
                f"a training has decay 'cosine' or 'constant' and keeps 'best' or 'last', not {self.decay!r} and "
                f"{self.keep!r}"
            )
        for name in ("members", "steps", "batch", "evaluate_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} of a training must be at least 1, not {getattr(self, name)}")


@dataclass(frozen=True)
class Auxiliary:
    """Pairs from integral equations that are mixed into the training; see `cginit.learn.pairs`.

    Attributes
    ----------
    share : float
        Part of each batch; 0 trains on simulations alone.
    families : str
        Letters of the families of potentials.
    closure : {"hnc", "bridge"}
        HNC, or HNC with the bridge function of the forward map.
    first, potentials : int
        The integers first .. first + potentials - 1 name the potentials of family a, far from those of any campaign;
        one of three is a fluid. Of family b, whose potentials nearly all are, it is the first third of them.
    states : int
        Densities for each potential, drawn log-uniformly.
    density : tuple of float
        Their bounds in sigma^-3.
    smoothing : float
        Of the splines of family a (`cginit.campaign.potentials.spline_potential`).
    noise : float
        Statistical error of g at g = 1 and r = 1 sigma.
    distinct : bool
        Leave out bare WCA cores, which a campaign refuses: all of them are the same fluid.
    """

    share: float = 0.0
    families: str = "a"
    closure: str = "hnc"
    first: int = 1_000_000
    potentials: int = 2000
    states: int = 2
    density: tuple[float, float] = (0.06, 1.2)
    noise: float = 2e-3
    smoothing: float = 1e-4
    distinct: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.share < 1.0:
            raise InputError(f"the auxiliary share of a batch must lie in [0, 1), not {self.share}")
        if self.closure not in ("hnc", "bridge"):
            raise InputError(f"unknown closure {self.closure!r} of auxiliary pairs; choose hnc or bridge")
        if not 0.0 < self.density[0] <= self.density[1]:
            raise InputError(f"auxiliary densities must be two rising positive numbers, not {self.density}")


@dataclass(frozen=True)
class Pretraining:
    """What the auxiliary pairs alone teach a network before the members of an ensemble go on from its weights.

    Attributes
    ----------
    steps : int
        Optimiser steps; 0 for none.
    batch : int
        Pairs a step.
    learning_rate : float
        Peak of the learning rate of Adam, with a cosine decay.
    """

    steps: int = 0
    batch: int = 64
    learning_rate: float = 3e-3


@dataclass(frozen=True)
class Config:
    """Everything but the data that determines the weights of a network.

    Attributes
    ----------
    name, version : str
        Of the files that it is exported to.
    subject : str
        What it learns, a key of `cginit.learn.subjects.SUBJECTS`: ``potential`` (g -> U), ``bridge`` (what a closure
        lacks of U), ``molecules`` (the same of connected beads), ``pressure`` (what HNC lacks of the pressure) or
        ``structure`` (and of g).
    start : str
        Shipped model of the same form whose members the networks start from; empty for random weights.
    architecture, loss, augmentation, schedule, auxiliary, pretraining
        What the other classes here hold.

    Raises
    ------
    InputError
        If the subject is unknown.

    Examples
    --------
    >>> Config.from_dict({"name": "trial", "schedule": {"steps": 10}}).schedule.steps
    10
    """

    name: str = "cn-f"
    version: str = "0"
    subject: str = "potential"
    start: str = ""
    architecture: Architecture = field(default_factory=Architecture)
    loss: LossTerms = field(default_factory=LossTerms)
    augmentation: Augmentation = field(default_factory=Augmentation)
    schedule: TrainingSchedule = field(default_factory=TrainingSchedule)
    auxiliary: Auxiliary = field(default_factory=Auxiliary)
    pretraining: Pretraining = field(default_factory=Pretraining)

    def __post_init__(self) -> None:
        if self.architecture.kind == "BN":
            # So configurations of before named the subject: by layers of its own, which are those of RN.
            object.__setattr__(self, "architecture", replace(self.architecture, kind="RN"))
            if self.subject == "potential":
                object.__setattr__(self, "subject", "bridge")
        if self.subject not in NAMES:
            raise InputError(f"unknown subject {self.subject!r} of a network; choose {', '.join(NAMES)}")

    @property
    def options(self) -> Options:
        """Published options of the network."""
        return Options.parse(self.architecture.options)

    @classmethod
    def from_dict(cls, content: dict[str, Any], source: str = "configuration") -> Config:
        """Build a configuration from nested tables; absent values keep their defaults.

        Raises
        ------
        InputError
            If a key is unknown or a value has the wrong type.
        """
        parts = {
            "architecture": Architecture,
            "loss": LossTerms,
            "augmentation": Augmentation,
            "schedule": TrainingSchedule,
            "auxiliary": Auxiliary,
            "pretraining": Pretraining,
        }
        values: dict[str, Any] = {}
        for key, value in content.items():
            if key in parts:
                values[key] = read_table(parts[key], value, f"{source}, table [{key}]")
            elif key in ("name", "version", "subject", "start"):
                values[key] = str(value)
            else:
                raise InputError(
                    f"{source} has an unknown key {key!r}; known are "
                    f"{', '.join(('name', 'version', 'subject', 'start', *parts))}"
                )
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return nested tables that `from_dict` reads."""
        content = asdict(self)
        if self.subject == "potential":
            # Folders of trainings from before there was a choice stay valid.
            del content["subject"]
        if not self.start:
            del content["start"]
        if self.pretraining.steps == 0:
            del content["pretraining"]
        return content


def read_table(kind: type, value: dict[str, Any], where: str) -> Any:
    """Return the dataclass `kind` with the entries of a table of a TOML file.

    Raises
    ------
    InputError
        If a key is unknown or a value has the wrong type.
    """
    known: dict[str, Any] = {f.name: f.default for f in fields(kind)}
    if unknown := sorted(set(value) - set(known)):
        raise InputError(f"{where} has an unknown key {unknown[0]!r}; known are {', '.join(known)}")
    given: dict[str, Any] = {}
    for key, item in value.items():
        example = known[key]
        if isinstance(example, tuple) and isinstance(item, list | tuple):
            given[key] = tuple(item)
        elif isinstance(example, float) and isinstance(item, int) and not isinstance(item, bool):
            given[key] = float(item)
        elif type(item) is type(example):
            given[key] = item
        else:
            raise InputError(f"{where}: {key} = {item!r} must be of the kind of {example!r}")
    return kind(**given)


def load_config(path: Path) -> Config:
    """Read a TOML file.

    Raises
    ------
    InputError
        If it is not TOML, or a key or value is wrong.
    """
    return Config.from_dict(read_toml(path), str(path))
