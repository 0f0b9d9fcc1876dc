"""What a run looks like it suffers from: its record and predictions in, sentences with their numbers out. Pure."""

from foldproof.analysis.diagnosis.evidence import Diagnosis as Diagnosis
from foldproof.analysis.diagnosis.reseed import reseeded as reseeded
from foldproof.analysis.diagnosis.rules import diagnose as diagnose
