"""The way from U(r) to g(r) without simulation: HNC with a learned bridge function, and what it does to a guess."""

from __future__ import annotations

from cginit.forward.inference import ForwardModel, load_forward, predict_rdf
from cginit.forward.polish import PolishedGuess, polish

__all__ = ["ForwardModel", "PolishedGuess", "load_forward", "polish", "predict_rdf"]
