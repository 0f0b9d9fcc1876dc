"""Show how it was run: what has to be the same for the same numbers, and the command that checks them."""

from typing import Any

from foldproof.analysis.report.document import Block, Column, Command, Section, Table, Text
from foldproof.analysis.report.gather import Material, Shown
from foldproof.analysis.report.spelling import setting
from foldproof.storage import mapping_in, redact

AGAIN = ("foldproof compare", "foldproof report")  # make the same numbers from the runs again
CHECKS = ("foldproof verify", "foldproof reproduce")  # does the record hold, and does it come out again?


def provenance(material: Material) -> Section:
    """What is the same in every run, and what is not."""
    shown = material.experiments
    facts = [_facts(one, material) for one in shown]
    keys = list(dict.fromkeys(key for one in facts for key in one))
    same = [key for key in keys if len({one.get(key, "") for one in facts}) == 1]
    blocks: list[Block] = [_runs(material)]
    columns = (
        Column("what", "what"),
        Column("every", "every run", "setting"),
    )
    rows = tuple((key, facts[0][key]) for key in same if facts[0].get(key))
    blocks.append(Table(key="provenance", title="The same in every run", columns=columns, rows=rows))
    differing = [key for key in keys if key not in same]
    if differing:
        apart = (Column("what", "what"), *(Column(f"run_{i}", s.name, "setting") for i, s in enumerate(shown)))
        table = tuple((key, *(one.get(key) for one in facts)) for key in differing)
        blocks.append(Table(key="provenance-differing", title="Not the same", columns=apart, rows=table))
    blocks += [
        Text(f"{one.name} starts from the {one.record.begins_with}, which were trained once, to the same bits.", "note")
        for one in shown
        if one.record.reused
    ]
    runs = " ".join(one.record.run for one in shown)
    blocks.append(Text("These commands reproduce these numbers from the same run folders:"))
    blocks += [Command(f"{command} {runs}") for command in AGAIN]
    blocks.append(Text("These check a run's record, and retrain it to compare bit for bit:"))
    blocks += [Command(f"{command} {one.record.run}") for one in shown for command in CHECKS]
    lead = "Every number above comes from the journals and tables in these run folders."
    return Section("provenance", "How it was run", lead, tuple(blocks))


def _runs(material: Material) -> Table:
    columns = (
        Column("experiment", "experiment", "name"),
        Column("run", "run", "code"),
        Column("status", "status"),
        Column("created", "started", "code"),
        Column("identity", "identity", "code"),
        Column("folds", "folds", "code"),
        Column("images", "images", "code"),
    )
    rows = tuple(
        (
            shown.name,
            shown.record.run,
            shown.record.status,
            shown.record.facts.get("created"),
            shown.record.identity[:12],
            str(shown.record.facts["folds_digest"])[:12],
            str(shown.record.facts["fingerprint"])[:12],
        )
        for shown in material.experiments
    )
    note = "Identity: of the settings, the images and the folds. The last two: of the folds and of the images alone."
    return Table(key="runs", title="Runs", columns=columns, rows=rows, note=note)


def _facts(shown: Shown, material: Material) -> dict[str, str]:
    """What stands in environment.json, which may be of any shape."""
    here, privacy = shown.environment, material.privacy
    git, data, machine, numeric = (mapping_in(here, key) for key in ("git", "data", "machine", "numeric_class"))
    words = here.get("command")
    judged = shown.record.facts.get("settings", {}).get("compare", {})
    found: dict[str, Any] = {
        "command": privacy.command([word for word in words[:200] if isinstance(word, str)])
        if isinstance(words, list)
        else "",
        "foldproof": here.get("foldproof"),
        "commit": git.get("commit"),
        "uncommitted changes": git.get("dirty"),
        "data version": " ".join(data[key] for key in ("dvc_hash", "state") if isinstance(data.get(key), str)),
        "data": privacy.path(str(shown.record.facts.get("data_path") or "")) or None,
        "compare.metric": judged.get("metric"),
        "compare.rope": f"{judged['rope']:g}" if judged else None,
        "Python": here.get("python"),
        "torch": numeric.get("torch"),
        "device": " ".join(
            numeric[key]
            for key in ("device", "device_name", "instruction_set")
            if numeric.get(key) and isinstance(numeric[key], str)
        ),
        "numeric fingerprint": _beginning(numeric.get("fingerprint")),
        "training code": _beginning(numeric.get("training_code")),
        "system": machine.get("platform"),
        "processor": machine.get("processor"),
    }
    return {
        key: redact(setting(value, most=300))
        for key, value in found.items()
        if value != "" and type(value) in (str, bool)
    }


def _beginning(digest: object) -> str:
    return digest[:16] if isinstance(digest, str) else ""
