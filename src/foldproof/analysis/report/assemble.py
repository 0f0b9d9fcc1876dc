"""Assemble the report from what was gathered. Sections stand in reading order."""

from foldproof import __version__
from foldproof.analysis.as_json import comparison_json
from foldproof.analysis.report.document import Report
from foldproof.analysis.report.gather import Material
from foldproof.analysis.report.sections.benchmark import benchmark, results
from foldproof.analysis.report.sections.confusion import confusion
from foldproof.analysis.report.sections.curves import curves
from foldproof.analysis.report.sections.data import data
from foldproof.analysis.report.sections.diagnosis import diagnosis
from foldproof.analysis.report.sections.differences import differences
from foldproof.analysis.report.sections.folds import folds
from foldproof.analysis.report.sections.groups import groups
from foldproof.analysis.report.sections.mistakes import mistakes
from foldproof.analysis.report.sections.operating import operating
from foldproof.analysis.report.sections.provenance import provenance
from foldproof.analysis.report.sections.reliability import reliability
from foldproof.analysis.report.sections.summary import headline, summary
from foldproof.analysis.report.spelling import listed, setting

SECTIONS = (
    summary,
    benchmark,
    diagnosis,
    curves,
    folds,
    differences,
    confusion,
    operating,
    reliability,
    groups,
    mistakes,
    data,
    provenance,
)


def assemble(material: Material) -> Report:
    """Sections for which there is nothing are left out."""
    word, sentence = headline(material)
    head, _, detail = setting(sentence, most=600).partition(" (") if sentence.endswith(")") else (sentence, "", "")
    made = (make(material) for make in SECTIONS)
    return Report(
        title=listed([shown.name for shown in material.experiments]) or "no runs",
        word=setting(word),
        headline=setting(head, most=600),
        detail=detail.removesuffix(")"),
        sections=tuple(section for section in made if section is not None),
        results=results(material),
        made_by=f"foldproof {__version__}",
        summary=comparison_json(material.comparison),
    )
