"""The shipped networks through ONNX Runtime; PyTorch is not needed, and nothing is loaded before its first use."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.models.correlations import structure_size
from cginit.models.domain import Domain
from cginit.models.grid import bridge_grid

__all__ = ["MODEL_FORMAT", "SHIPPED", "Model", "load_model", "model_names", "open_session", "read_model"]

#: Version of the JSON file beside the weights.
MODEL_FORMAT = 1
#: The models of this package. To find them by importlib.resources would load tempfile and random.
SHIPPED = Path(__file__).with_name("shipped")
#: Curves that go through a network at once: what its layers hold of them fits into the cache of a core.
PORTION = 64
#: Subjects whose networks correct a closure.
CORRECTED = ("bridge", "molecules")
#: Subjects whose networks run as fast without optimisation.
AS_THEY_ARE = ("pressure",)


@dataclass(frozen=True, eq=False)
class Model:
    """An exported ensemble, ready to run.

    Attributes
    ----------
    name, version : str
        As in its JSON file.
    error_scale : float
        Standard error per spread of the ensemble, calibrated on potentials that it has not seen.
    metadata : dict
        The whole JSON file: data, split, configuration, errors.
    structure_scale, noise_scale : float
        Of the bridge function: by how much more the spread stands for in a liquid of more structure
        (`cginit.models.correlations.structure_size`), and the standard error per difference of the two inversions
        that it sees, which is what the noise of g decides there.
    carried_scale : float
        Of the bridge function: part of the noise that the inversion carries from g into gamma
        (`cginit.liquid.carried_noise`) that is left in the potential.
    """

    name: str
    version: str
    error_scale: float
    metadata: dict[str, Any]
    _session: Any
    structure_scale: float = 0.0
    noise_scale: float = 0.0
    carried_scale: float = 0.0

    @cached_property
    def domain(self) -> Domain:
        """What it was trained on."""
        return Domain.from_dict(self.metadata["domain"])

    @property
    def subject(self) -> str:
        """What it has learned: ``potential`` (of g), ``bridge``, ``molecules``, ``pressure`` or ``structure``."""
        return _subject(self.metadata)

    @property
    def sees_correlations(self) -> bool:
        """Whether it corrects a closure, and is given -ln g and gamma."""
        return self.subject in CORRECTED

    def __call__(self, *inputs: Array, carried: Array | None = None) -> tuple[Array, Array]:
        """Return mean and standard error of the members, of a potential both ``(m, n)`` in kT.

        That of a potential leaves out the noise of -ln g at the point itself.

        Parameters
        ----------
        *inputs : ndarray
            g ``(m, 50)`` on `cginit.models.grid.network_grid` and rho sigma^3 ``(m,)``; for the bridge function,
            -ln g ``(m, 101)`` and gamma ``(m, 2, 101)`` on `cginit.models.grid.bridge_grid` and rho sigma^3. Of other
            subjects, as `cginit.eos` and `cginit.forward` give them.
        carried : ndarray, shape (m, 101), optional
            For the bridge function, the noise of gamma, where it is known.
        """
        mean, spread = self.mean_and_spread(*inputs)
        if not self.sees_correlations:
            return mean, self.error_scale * spread
        u0, gamma, density = inputs
        size = structure_size(u0, density, float(bridge_grid()[1]))[:, None]
        error = self.error_scale * (1.0 + self.structure_scale * size) * spread
        error = np.hypot(error, self.noise_scale * (gamma[:, 1] - gamma[:, 0]))
        return mean, error if carried is None else np.hypot(error, self.carried_scale * carried)

    def mean_and_spread(self, *inputs: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation of the members for the same inputs."""
        names = [x.name for x in self._session.get_inputs()]
        given = {name: np.asarray(x, dtype=np.float32) for name, x in zip(names, inputs, strict=True)}
        rows = len(given[names[0]])
        parts = [
            self._session.run(None, {name: x[i : i + PORTION] for name, x in given.items()})
            for i in range(0, max(rows, 1), PORTION)
        ]
        mean, spread = (np.concatenate(part).astype(np.float64) for part in zip(*parts, strict=True))
        return mean, spread


def model_names(subjects: tuple[str, ...] = ("potential", "bridge")) -> tuple[str, ...]:
    """Return the names of the shipped models of some `Model.subject`, by default those that a guess can use."""
    texts = (x.read_text(encoding="utf-8") for x in SHIPPED.glob("*.json"))
    known = (json.loads(text) for text in texts)
    return tuple(sorted(str(x["name"]) for x in known if _subject(x) in subjects))


def _subject(metadata: dict[str, Any]) -> str:
    config = metadata["config"]
    # Before, the bridge function was named by the kind of its layers.
    before = "bridge" if config["architecture"]["kind"] == "BN" else "potential"
    return str(config.get("subject", before))


@cache
def load_model(name: str = "cn-f", folder: Path | None = None) -> Model:
    """Load ``NAME.onnx`` and ``NAME.json``, shipped or from another `folder`; later calls return the same object.

    Raises
    ------
    InputError
        If there is no such model, its file is of another format, or the two files do not belong together.

    Examples
    --------
    >>> model = load_model("cn-f")
    >>> u, error = model(np.ones((1, 50)), np.array([0.2]))
    >>> u.shape
    (1, 50)
    """
    place = SHIPPED if folder is None else folder
    metadata, session = read_model(place, name)
    return Model(
        str(metadata["name"]),
        str(metadata["version"]),
        float(metadata["error_scale"]),
        metadata,
        session,
        float(metadata.get("structure_scale", 0.0)),
        float(metadata.get("noise_scale", 0.0)),
        float(metadata.get("carried_scale", 0.0)),
    )


def read_model(place: Path, name: str) -> tuple[dict[str, Any], Any]:
    """Return what ``NAME.json`` in a folder says, and the session of ``NAME.onnx`` beside it.

    Raises
    ------
    InputError
        If one of the two is missing, the description is of another format, or it describes another file.
    """
    weights, description = place / f"{name}.onnx", place / f"{name}.json"
    try:
        metadata = json.loads(description.read_text(encoding="utf-8"))
        content = weights.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        inside = place.iterdir() if place.is_dir() else ()
        known = sorted(x.name.removesuffix(".onnx") for x in inside if x.name.endswith(".onnx"))
        raise InputError(
            f"there is no network {name!r} in {place}; it holds {', '.join(known) or 'none'}"
        ) from None
    if metadata.get("format_version") != MODEL_FORMAT:
        raise InputError(
            f"{description} has format {metadata.get('format_version')}, this cginit reads {MODEL_FORMAT}"
        )
    # It takes a millisecond: another file than the one that was assessed answers something else.
    if hashlib.sha256(content).hexdigest() != metadata.get("onnx_sha256"):
        raise InputError(
            f"{weights} is not the file that {description.name} describes (its SHA-256 is another); install the "
            "package again, or export the model again"
        )
    return metadata, open_session(content, optimised=_subject(metadata) not in AS_THEY_ARE)


def open_session(content: bytes, *, optimised: bool = True) -> Any:
    """Return an ONNX Runtime session of the model, on one thread of the CPU.

    To optimise its graph takes longer than to load it; layers of curves then run in half of the time.
    """
    # The heaviest import of a guess.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # The networks are small: threads cost more to start than they save.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
