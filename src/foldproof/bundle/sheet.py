"""Write what a reader of a bundle sees first: README.md, codecheck.yml and RO-Crate metadata. Pure.

codecheck.yml follows the CODECHECK configuration specification 1.0, ro-crate-metadata.json the RO-Crate 1.1 of
Workflow Run profiles: a data set, its files with their hashes, and the training as a CreateAction.
"""

import json
from collections.abc import Mapping
from typing import Any

from foldproof import __version__
from foldproof.records.record import RunRecord, Spread

_COMMENTS = {
    "run.json": "what was asked, and the hashes that the run is known by",
    "events.jsonl": "what happened, line by line, each with a checksum",
    "dataset.json": "every image with its hash and label",
    "folds.csv": "in which fold each image validated",
    "held-out.json": "images that were never trained on, each with its hash and label",
    "predictions.parquet": "what the model said of images that it had not seen",
    "steps.f32": "the loss of every training step, 32-bit floats",
    "environment.json": "packages, machine and arithmetic",
    "code.diff": "changes to the code that were not committed",
    "model.safetensors": "the trained weights",
    "report.html": "figures and tables for people",
}


def readme(record: RunRecord, *, file: str, holds: Mapping[str, bool], code: str) -> str:
    """The first page: what was trained, what came out, how to check it."""
    accuracy = _spread(record.last_accuracy)
    folds = record.facts["config"]["folds"]
    repeats = f", {folds['repeats']} times" if folds["repeats"] > 1 else ""
    extra = [name for name, there in holds.items() if there]
    train = record.facts["config"]["train"]
    images = f"{record.facts['images']:,} images in {len(record.facts['classes'])} classes"
    lines = [
        f"# {record.experiment}: run {record.run}",
        "",
        f"{images}, {folds['k']} folds{repeats}, {train['epochs']} epochs of {train['backbone']}.",
        f"Validation accuracy at the last epoch, over folds: {accuracy}.",
        "",
        "## Check it",
        "",
        "```",
        "pip install foldproof",
        f"foldproof verify {file}          # does the record hold? seconds, no images needed",
        f"foldproof reproduce {file}       # does it come out again? needs the images; trains",
        "```",
        "",
        f"Beside the record this bundle holds: {', '.join(extra) if extra else 'nothing'}.",
        f"Made with foldproof {__version__}, {code}.",
        "`bundle.json` has the SHA-256 of every file.",
        "",
    ]
    return "\n".join(lines)


def codecheck(record: RunRecord, names: list[str], *, created: str) -> str:
    """codecheck.yml; JSON is YAML, and nothing has to be escaped by hand."""
    manifest = [
        {"file": name, "comment": _COMMENTS[name.rpartition("/")[2]]}
        for name in names
        if name.rpartition("/")[2] in _COMMENTS and name.startswith(f"runs/{record.run}/")
    ]
    content = {
        "version": "https://codecheck.org.uk/spec/config/1.0/",
        "paper": {"title": record.experiment, "authors": [], "reference": ""},
        "manifest": manifest,
        "codechecker": [],
        "summary": f"Accuracy over folds {_spread(record.last_accuracy)}. To be checked with `foldproof verify` and "
        "`foldproof reproduce`, whose verdicts belong here.",
        "repository": "",
        "check_time": "",
        "certificate": "",
        "source": created,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def crate(record: RunRecord, files: Mapping[str, tuple[str, int]], *, created: str, commit: str | None) -> str:
    """ro-crate-metadata.json. `files`: name to SHA-256 and number of bytes."""
    parts = [{"@id": name} for name in files]
    action = f"#training-{record.run}"
    graph: list[dict[str, Any]] = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"{record.experiment}: run {record.run}",
            "description": f"A k-fold image classification run, {record.facts['images']} images, with what it takes to "
            "check it and to train it again",
            "datePublished": created,
            "license": "unknown",
            "hasPart": parts,
            "mentions": [{"@id": action}],
            "identifier": record.identity,
        },
        {
            "@id": action,
            "@type": "CreateAction",
            "name": f"training of {record.experiment}",
            "instrument": {"@id": "#foldproof"},
            "object": [{"@id": f"runs/{record.run}/dataset.json"}],
            "result": [{"@id": name} for name in files if name.endswith("predictions.parquet")],
            "additionalProperty": [{"@id": f"#{name}"} for name in ("accuracy", "loss")],
            "actionStatus": {
                "@id": "http://schema.org/"
                + ("CompletedActionStatus" if record.status == "finished" else "FailedActionStatus")
            },
        },
        {
            "@id": "#foldproof",
            "@type": "SoftwareApplication",
            "name": "foldproof",
            "version": __version__,
            **({"softwareRequirements": f"code at commit {commit}"} if commit else {}),
        },
        _property("accuracy", record.last_accuracy),
        _property("loss", record.last_loss),
    ]
    graph += [
        {"@id": name, "@type": "File", "sha256": sha256, "contentSize": str(size)}
        for name, (sha256, size) in files.items()
    ]
    content = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _property(name: str, spread: Spread) -> dict[str, Any]:
    return {
        "@id": f"#{name}",
        "@type": "PropertyValue",
        "name": f"validation {name} at the last epoch, mean over {spread.n} folds",
        "value": repr(spread.mean),
    }


def _spread(spread: Spread) -> str:
    return f"{spread.mean:.4f} ± {spread.sd:.4f} ({spread.n} folds)" if spread.n else "no fold has finished"
