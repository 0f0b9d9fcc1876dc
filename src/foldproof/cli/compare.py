"""`foldproof compare`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foldproof.cli import complete
from foldproof.cli.here import project_here
from foldproof.cli.out import echo, echo_json
from foldproof.errors import DamagedFile, RunNotFound, UnknownName, nearest
from foldproof.storage import cleaned, read_file, redact
from foldproof.storage.limits import TABLE_BYTES

if TYPE_CHECKING:
    from foldproof.analysis.candidate import Candidate
    from foldproof.analysis.comparison import Comparison

FORMATS = ("text", "csv", "md", "latex")


@click.command("compare")
@click.argument("runs", nargs=-1, metavar="[RUN]…", shell_complete=complete.runs)
@click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="SOURCE",
    help="Somebody else's results: mlflow:URI, or a CSV of scores or predictions. RUNs then are names in it.",
)
@click.option("--metric", metavar="NAME", help="Compare by this metric instead of compare.metric.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to print it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(runs: tuple[str, ...], sources: tuple[str, ...], metric: str | None, form: str, as_json: bool) -> int:
    """Which is better? Experiments side by side, those named or the newest run of each, with a verdict.

    A better one is only named where the numbers carry it. A run that cannot be read is an error where it is named; else
    it is left out, and the exit code is 1.

    \b
    foldproof compare
    foldproof compare FirstRun Run_High_LR --format md
    foldproof compare --from scores.csv
    """
    from foldproof.analysis.as_json import comparison_json
    from foldproof.analysis.tables import csv_table, latex, markdown
    from foldproof.cli.show import print_comparison, print_damaged
    from foldproof.trackers.terminal import Terminal

    comparison, damaged = compare_sources(sources, runs, metric) if sources else compare_runs(runs, metric)
    written: Mapping[str, Callable[[Comparison], str]] = {"csv": csv_table, "md": markdown, "latex": latex}
    if as_json:
        echo_json(comparison_json(comparison))
    elif form in written:
        echo(written[form](comparison), nl=False)
    elif comparison.lines:
        print_comparison(comparison, Terminal())
    print_damaged(damaged)
    return 1 if damaged else 0


def compare_runs(runs: Sequence[str], metric: str | None = None) -> "tuple[Comparison, Mapping[Path, DamagedFile]]":
    """The runs named, or the newest of each experiment, compared; and the runs that cannot be read."""
    from foldproof.analysis.candidate import Candidate
    from foldproof.analysis.compare import compare_runs
    from foldproof.cli.chosen import chosen_records
    from foldproof.records.store import RunStore

    project, loaded = project_here()
    settings = loaded.settings.compare
    store = RunStore.read(project.run_folders())
    records, damaged = chosen_records(store, runs)
    metric = known_metric(metric or settings.metric, project.root, typed=metric is not None)
    settings = replace(settings, metric=metric)
    return compare_runs([Candidate.of(record) for record in records], settings, store), damaged


def compare_sources(
    sources: Sequence[str], names: Sequence[str], metric: str | None
) -> "tuple[Comparison, Mapping[Path, DamagedFile]]":
    """What others measured, compared."""
    from foldproof.analysis.compare import compare

    candidates: list[Candidate] = []
    unverified: list[str] = []
    measures: dict[str, str] = {}
    for source in sources:
        some, measure, said = _of_source(source, names, metric)
        candidates += _told_apart(candidates, some, source)
        measures |= {measure: source} if measure else {}
        unverified.append(said)
    if len(measures) > 1:
        raise UnknownName(
            f"the sources have different scores: {', '.join(f'{source}: {name}' for name, source in measures.items())}",
            next_step="name one that all of them have with --metric",
        )
    if names:
        candidates = _named(candidates, names)
    chosen = next(iter(measures), "") or known_metric(metric or "auto", Path.cwd(), typed=metric is not None)
    return compare(candidates, metric=chosen, unverified="; ".join(dict.fromkeys(unverified))), {}


def _of_source(source: str, names: Sequence[str], metric: str | None) -> "tuple[list[Candidate], str, str]":
    """Candidates, the metric that they are known by where it is one only, and what was taken for what."""
    from foldproof.trackers.mlflow.foreign import is_store

    if source.startswith("mlflow:") or is_store(Path(source)):
        return _of_mlflow(source.removeprefix("mlflow:"), names, metric)
    some, said = _of_csv(Path(source))
    return some, "", said


def _told_apart(known: "Sequence[Candidate]", more: "Sequence[Candidate]", source: str) -> "list[Candidate]":
    """The experiments of another source; one whose name is taken has the source beside its name."""
    taken = {candidate.summary.experiment for candidate in known}
    beside = cleaned(redact(source), most=60)
    return [
        replace(one, summary=replace(one.summary, experiment=f"{one.summary.experiment} ({beside})"))
        if one.summary.experiment in taken
        else one
        for one in more
    ]


def known_metric(name: str, folder: Path, *, typed: bool = False) -> str:
    """`name`, if it is auto or a metric that says which direction is better.

    Raises UnknownName, and UntrustedCode for own code that only the settings name and that was not run here before.
    """
    from foldproof import registry
    from foldproof.metrics import metric_of
    from foldproof.provenance import trusted_code

    if name != "auto":
        trusted_code.accept(folder, name) if typed else trusted_code.refuse_unknown(folder, name)
        registry.make_named_importable(folder, [name])
        metric_of(name)
    return name


def _of_csv(path: Path) -> "tuple[list[Candidate], str]":
    from foldproof.analysis.foreign.tables import candidates_of_csv

    try:
        content = read_file(path, most_bytes=TABLE_BYTES)
    except OSError as error:
        raise DamagedFile(
            f"{path} cannot be read: {error.strerror}", next_step="name a CSV file, or mlflow:URI"
        ) from error
    return candidates_of_csv(content, name=path.name)


def _of_mlflow(source: str, names: Sequence[str], metric: str | None) -> "tuple[list[Candidate], str, str]":
    from foldproof.analysis.foreign.scores import FoldScore, candidates_of_scores, scales
    from foldproof.trackers.mlflow.foreign import logged_scores

    logged = logged_scores(source, metric)
    scores = [
        FoldScore(
            experiment=item.experiment,
            repeat=item.repeat,
            fold=item.fold,
            score=item.score,
            images=item.images,
            settings=item.params,
        )
        for item in logged.scores
        if item.is_newest or item.experiment in names
    ]
    said = "; ".join(filter(None, (logged.said, scales(scores))))
    return candidates_of_scores(scores, metric=logged.measure), logged.measure, said


def _named(candidates: "Sequence[Candidate]", names: Sequence[str]) -> "list[Candidate]":

    known = {candidate.summary.experiment: candidate for candidate in candidates}
    for name in names:
        if name not in known:
            hint = nearest(name, known)
            raise RunNotFound(
                f"no experiment '{name}'{'; ' + hint if hint else ''}", next_step=f"there are: {', '.join(known)[:300]}"
            )
    return [known[name] for name in dict.fromkeys(names)]
