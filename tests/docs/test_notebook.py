"""The notebook of the documentation, executed as a reader does it; and kept without what it printed."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "first-look.ipynb"


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def said(notebook: Any) -> str:
    """Everything that its cells printed or showed."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    shown = [text for output in outputs for text in output.get("data", {}).values() if isinstance(text, str)]
    return "\n".join([*shown, *(output.text for output in outputs if "text" in output)])


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = read()
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # of the client's own
def test_the_notebook_runs_and_shows_what_it_speaks_of(tmp_path: Path) -> None:
    notebook = read()
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    told = said(notebook)
    assert "<td>Long</td><td>finished</td><td>4/4</td>" in told
    assert "Long finished: accuracy" in told
    assert "\x1b[" not in told  # plain lines, no bars
    assert re.search(r"<b>verdict: \S", told)
    assert "did you mean 'adam'?" in told
    assert "Traceback" not in told
