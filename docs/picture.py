"""The README's picture: a finished demo in, what `foldproof compare` shows there as an SVG out.

make picture
"""

import io
import re
import sys
from pathlib import Path

from rich.console import Console

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.compare import compare
from foldproof.cli.chosen import chosen_records
from foldproof.cli.show import print_comparison
from foldproof.project import Project
from foldproof.records.store import RunStore

TARGET = Path(__file__).parent / "images" / "demo.svg"


def main(demo: Path) -> None:
    """Draw the newest run of each experiment."""
    records, _ = chosen_records(RunStore.read(Project.find(demo).run_folders()), ())
    console = Console(record=True, width=86, file=io.StringIO(), highlight=False, force_terminal=True)
    console.print("[bold]$ foldproof demo[/bold]")
    console.print()
    print_comparison(compare([Candidate.of(record) for record in records]), console)
    TARGET.parent.mkdir(exist_ok=True)
    svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="foldproof"), flags=re.DOTALL)  # fonts are remote
    TARGET.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
