"""How good a lifter is: one pass over a model and poses, and one Report of all that it finds."""

from minilift.evaluation.baselines import Baselines, fit_baselines
from minilift.evaluation.evaluate import evaluate_lifter
from minilift.evaluation.report import Options, Report

__all__ = ["Baselines", "Options", "Report", "evaluate_lifter", "fit_baselines"]
