"""How many events of each kind a run had, in a file beside its folder."""

import json
from collections import Counter


class Tallied:
    """Counts every event of the runs and writes the counts at the end."""

    def __init__(self, context):
        self._files = {folder.name: folder.parent.parent / f"{folder.name}.tally.json" for folder in context.folders}
        self._counts = {run: Counter() for run in self._files}

    def tell(self, event):
        self._counts[event.run][event.kind] += 1

    def close(self, *, within=60.0):  # noqa: ARG002 - a file is written at once
        for run, file in self._files.items():
            file.write_text(json.dumps(self._counts[run]))
        return ()
