"""The parts of the documentation that follow from the code: each function returns Markdown. `make docs` writes them."""

import ast
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "foldproof"
CALIBRATION = ROOT / "benchmarks" / "calibration"
RESULTS = ROOT / "benchmarks" / "results"
MOST_FALSE = 0.075  # the upper bound of false winners that a test may have


def rooms() -> str:
    """The rooms and the files beside them, each with the first line of its docstring."""
    return _drawn([row for row in _tree(PACKAGE, "") if not row[0].startswith("    ")])


def layout() -> str:
    """The file tree with the first docstring line of every module."""
    return _drawn(list(_tree(PACKAGE, "")))


def _drawn(rows: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    lines = [f"{name.ljust(width)}  {text}".rstrip() for name, text in rows]
    return "\n".join(["```", "src/foldproof/", *lines, "```"])


def _tree(folder: Path, indent: str) -> Iterator[tuple[str, str]]:
    entries = [path for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    for path in sorted(entries, key=lambda path: (path.is_file(), path.name)):
        if path.is_dir():
            yield f"{indent}  {path.name}/", _first_line(path / "__init__.py")
            yield from _tree(path, indent + "  ")
        elif path.name not in ("__init__.py", "__main__.py"):
            yield f"{indent}  {path.name}", _first_line(path)


def _first_line(file: Path) -> str:
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def layers() -> str:
    """The import contract: arrows point down, `|` means independent."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    return "\n".join(["```", *contracts[0]["layers"], "```"])


def commands() -> str:
    """The help text of every command."""
    from foldproof.cli.main import GROUPS

    parts = ["## foldproof\n", _help()]
    for group, names in GROUPS.items():
        parts.append(f"\n# {group}")
        for name in names:
            parts += [f"\n## foldproof {name}\n", _help(name)]
            parts += [f"\n### foldproof {name} {sub}\n" + "\n" + _help(name, sub) for sub in _subcommands(name)]
    return "\n".join(parts)


def _subcommands(name: str) -> list[str]:
    import importlib

    return list(getattr(importlib.import_module(f"foldproof.cli.{name}").command, "commands", {}))


def _help(*command: str) -> str:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    call = [sys.executable, "-m", "foldproof", *command, "--help"]
    done = subprocess.run(call, capture_output=True, text=True, check=True, env=environment)
    return f"```\n{done.stdout.rstrip()}\n```"


def settings() -> str:
    """Every setting with its default and meaning."""
    from foldproof.config.schema import Settings

    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for section in fields(Settings):
        kind = section.default_factory
        if is_dataclass(kind):
            assert isinstance(kind, type)
            lines += [
                f"| `{section.name}.{item.name}` | {_default(item.default)} | {item.metadata['description']} |"
                for item in fields(kind)
            ]
    return "\n".join(lines)


def ways_in() -> str:
    """Every shape of images, with what is typed and how long it takes; and what is refused."""
    sys.path.insert(0, str(ROOT / "tests"))
    from ways_in import BY_KIND, REFUSALS

    measured = json.loads((ROOT / "docs" / "ways-in.json").read_text(encoding="utf-8"))
    rows = ["| what there is | typed | commands | seconds | |", "|---|---|---:|---:|---|"]
    for kind, ways in BY_KIND.items():
        rows.append(f"| **{kind}** | | | | |")
        for way in ways:
            typed = ", ".join(f"`{command.removeprefix('foldproof ')}`" for command in way.commands)
            rows.append(f"| {way.name} | {typed} | {way.typed} | {measured[way.name]} | {way.note} |")
    rows.append("| **Not one class an image** | | | | refused by `init` and `try` |")
    rows += [f"| {one.name} | `init` | 1 | {measured[one.name]} | {one.said}; {one.way_on} |" for one in REFUSALS]
    return "\n".join(rows)


def findings() -> str:
    """Everything that `data check` can find."""
    from foldproof.data.checks.findings import CODES

    lines = ["| code | severity | means | next step | `--exclude` |", "|---|---|---|---|---|"]
    lines += [
        f"| `{code}` | {about.severity} | {about.means} | {about.next_step} | {'yes' if about.excludable else ''} |"
        for code, about in CODES.items()
    ]
    return "\n".join(lines)


def diagnoses() -> str:
    """What a run can look like, and when it is said."""
    from foldproof.analysis.diagnosis.rules import RULES

    lines = ["| code | said when | try | then not said |", "|---|---|---|---|"]
    lines += [
        f"| `{code}` | {rule.said_when} | {rule.next_step} | {', '.join(f'`{one}`' for one in rule.silences)} |"
        for code, rule in RULES.items()
    ]
    return "\n".join(lines)


def _calibration(name: str = "result") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CALIBRATION / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _rate(count: int, of: int, bound: float | None = None) -> str:
    if not of:
        return "-"
    return f"{100 * count / of:.1f}" + (f" (< {100 * bound:.1f})" if bound is not None else "")


def false_winners() -> str:
    """How often each test names a better one of equals, in percent."""
    rows = _calibration()["equal"]
    names = [name for name in rows[0]["false"] if name != "verdict"]
    lines = [
        f"| equals | images | repeats | of | n | **verdict** | {' | '.join(names)} |",
        f"|---|---:|---:|---:|---:|{'---:|' * (len(names) + 1)}",
    ]
    for row in rows:
        n, false = row["comparisons"], row["false"]
        cells = [_rate(false[name], n) for name in names]
        verdict = _rate(false["verdict"], n, row["upper_bound"]["verdict"])
        about = f"{row['kind']} | {row['images']:,} | {row['repeats']} | {row['experiments']} | {n:,}"
        lines.append(f"| {about} | **{verdict}** | {' | '.join(cells)} |")
    return "\n".join(lines)


def _honest(name: str, repeats: int) -> bool:
    """Whether a test keeps its level among equals of seeds and copies, with so many repeats."""
    rows = [row for row in _calibration()["equal"] if row["kind"] in ("seeds", "copies") and row["repeats"] == repeats]
    return all(row["upper_bound"][name] <= MOST_FALSE for row in rows if row["comparisons"])


def power() -> str:
    """How often each test finds the better one of two, in percent."""
    rows = _calibration()["gap"]
    names = [name for name in rows[0]["found"] if name != "verdict"]
    lines = [
        f"| images | true gap, points | repeats | n | **verdict** | {' | '.join(names)} |",
        f"|---:|---:|---:|---:|{'---:|' * (len(names) + 1)}",
    ]
    for row in rows:
        n = row["comparisons"]
        cells = [
            cell if _honest(name, row["repeats"]) else f"({cell})"
            for name in names
            for cell in [_rate(row["found"][name], n)]
        ]
        about = f"{row['images']:,} | {100 * row['true_gap']:.1f} | {row['repeats']} | {n:,}"
        lines.append(f"| {about} | **{_rate(row['found']['verdict'], n)}** | {' | '.join(cells)} |")
    return "\n".join(lines)


def false_flags() -> str:
    """How often a fold of a healthy training is said to disagree, and how often one with a fault is."""
    lines = [
        "| trained | images a fold | accuracy | n | false alarms | wrong labels | other pictures | diverged |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in _calibration("flags")["trained"]:
        name = "small_cnn" if row["learner"] == "small_cnn" else "linear head"
        about = f"{name}{', four easy classes' if row['easy'] else ''}, lr {row['rate']:g}"
        cells = [
            f"{row['images']:,}",
            f"{100 * row['accuracy']:.1f} %",
            f"{row['draws']:,}",
            f"**{row['false_alarms'][-1]}** (< {100 * row['upper_bound']:.1f} %)",
            *(f"{one['found']} at {100 * one['cost']:.0f} points" for one in row["faults"].values()),
        ]
        lines.append(f"| {about} | {' | '.join(cells)} |")
    return "\n".join(lines)


def simulated_flags() -> str:
    """False alarms among made-up folds, whose trainings differ by a known noise."""
    lines = [
        "| accuracy | noise of training | images a fold | experiments | false alarms |",
        "|---:|---:|---:|---:|---:|",
    ]
    for row in _calibration("flags")["simulated"]:
        noise = f"{100 * row['noise']:.1f} points"
        rate = f"{100 * row['false_alarms'] / row['draws']:.1f} %"
        lines.append(f"| {100 * row['accuracy']:.0f} % | {noise} | {row['images']:,} | {row['draws']:,} | {rate} |")
    return "\n".join(lines)


def found_at_a_cost() -> str:
    """How often a fold is found that lies so many points below the others in every epoch, in percent."""
    rows = _calibration("flags")["trained"]
    costs = list(rows[0]["found_at_a_cost"])
    lines = [
        f"| trained | images a fold | {' | '.join(f'{cost} points' for cost in costs)} |",
        f"|---|---:|{'---:|' * len(costs)}",
    ]
    for row in rows:
        name = "small_cnn" if row["learner"] == "small_cnn" else "linear head"
        about = f"{name}{', four easy classes' if row['easy'] else ''}, lr {row['rate']:g}"
        cells = [f"{100 * row['found_at_a_cost'][cost] / row['draws']:.0f}" for cost in costs]
        lines.append(f"| {about} | {row['images']:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def coverage() -> str:
    """How many of 100 intervals hold the truth, and their width in points, over the designs of each size."""
    rows = _calibration("coverage")["rows"]
    names = list(dict.fromkeys(name for row in rows for name in row["held"]))
    lines = [
        f"| images | repeats | score | settings | n | **{names[0]}** | {' | '.join(names[1:])} |",
        f"|---:|---:|---|---:|---:|---:|{'---:|' * (len(names) - 1)}",
    ]
    for images, repeats, metric, grouped in dict.fromkeys(map(_kind, rows)):
        some = [row for row in rows if _kind(row) == (images, repeats, metric, grouped)]
        cells = [_coverage_cell(some, name) for name in names]
        score = f"{metric.replace('_', ' ')}{', groups of four' if grouped else ''}"
        n = sum(row["draws"][names[0]] for row in some)
        lines.append(
            f"| {images:,} | {repeats} | {score} | {len(some)} | {n:,} | **{cells[0]}** | {' | '.join(cells[1:])} |"
        )
    return "\n".join(lines)


def _kind(row: dict[str, Any]) -> tuple[int, int, str, bool]:
    return row["images"], row["repeats"], row["metric"], row["design"] == "grouped"


def _coverage_cell(rows: list[dict[str, Any]], name: str) -> str:
    """Percent that hold, the least and the most of a setting, and the mean width."""
    known = [row for row in rows if row["draws"].get(name)]
    if not known:
        return ""
    each = [100 * row["held"][name] / row["draws"][name] for row in known]
    total = 100 * sum(row["held"][name] for row in known) / sum(row["draws"][name] for row in known)
    width = 100 * sum(row["width"][name] for row in known) / len(known)
    return f"{total:.0f} ({min(each):.0f} to {max(each):.0f}), {width:.1f}"


def _default(value: object) -> str:
    if value is None or value is MISSING:
        return ""
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def seams() -> str:
    """The tables of everything that can be swapped."""
    from foldproof import registry

    lines = ["| seam | built in |", "|---|---|"]
    lines += [
        f"| {seam} | {', '.join(f'`{name}`' for name in sorted(table))} |" for seam, table in registry.SEAMS.items()
    ]
    return "\n".join(lines)


def speed() -> str:
    """How many times as fast as others, by the newest results of `make bench`."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(RESULTS.glob("2*.json"))]
    newest = max((one for one in found if one["v"] >= 2), key=lambda one: one["date"], default=None)
    if newest is None:
        return "Not measured yet: `make bench`."
    machine = newest["machine"]
    measured = (
        f"{newest['date']}, {machine['processor']}, {machine['cores_available']} cores, commit {newest['commit']};"
        f" photos: {newest['photos']}."
    )
    return "\n".join([measured, "", *newest["standings"]])


def growth() -> str:
    """The pictures of `make growth`, with what they were measured on."""
    newest = max(RESULTS.glob("growth-*.json"), default=None)
    pictures = sorted((ROOT / "docs" / "images").glob("growth-*.svg"))
    if newest is None or not pictures:
        return "Not measured yet: `make growth`."
    about = json.loads(newest.read_text(encoding="utf-8"))
    measured = f"{about['date']}, {about['processor']}, {about['cores']} cores, commit {about['commit']}; once each."
    return "\n".join([measured, "", *(f"![{file.stem}](images/{file.name})" for file in pictures)])
