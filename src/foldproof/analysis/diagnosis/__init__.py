"""Diagnose a run from its record and predictions, in sentences with the numbers behind them. Pure."""

from foldproof.analysis.diagnosis.evidence import Diagnosis as Diagnosis
from foldproof.analysis.diagnosis.reseed import reseeded as reseeded
from foldproof.analysis.diagnosis.rules import diagnose as diagnose
