"""The documents say what is so."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from foldproof.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_in_its_first_line_what_it_is(source):
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8")))
    assert docstring
    assert len(docstring.splitlines()[0]) > 15


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_classes_and_long_public_functions_have_docstrings(source):
    tree = ast.parse(source.read_text(encoding="utf-8"))
    missing = [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and len(ast.unparse(node).splitlines()) > 6
    ]
    assert missing == []


def test_there_is_no_room_for_everything():
    refused = {"utils", "util", "helpers", "common", "misc", "base", "manager"}
    assert not {path.stem for path in SOURCES} & refused


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", text) + re.findall(
        r'(?:src|href)="(?!https?://|#)([^"]+)"', text
    )
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name):
    assert f"## foldproof {name}\n" in (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")


def test_every_command_the_documents_name_exists():
    named = {
        match
        for document in DOCUMENTS
        if document.name != "errors.md"  # which has mistyped ones
        for match in re.findall(r"`(?:\$ )?foldproof ([a-z]+)", document.read_text(encoding="utf-8"))
    }
    assert named - set(COMMANDS) == set()


def modules_after(*arguments: str) -> set[str]:
    code = (
        "import sys; from foldproof.cli.main import run_command; "
        f"code = run_command({list(arguments)!r}); print('\\n' + ' '.join(sorted(sys.modules))); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.splitlines()[-1].split())


def test_help_imports_nothing_heavy():
    heavy = {"torch", "mlflow", "dvc", "ray", "timm", "pydantic", "numpy", "rich", "pyarrow"}
    assert modules_after("--help") & heavy == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_imports_nothing_heavy_and_has_an_example(name):
    heavy = {"torch", "mlflow", "dvc", "timm"}
    assert modules_after(name, "--help") & heavy == set()
    done = subprocess.run(
        [sys.executable, "-m", "foldproof", name, "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert f"foldproof {name}" in done.stdout.partition("\n")[2]
