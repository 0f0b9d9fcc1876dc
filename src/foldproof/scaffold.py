"""Make a folder a project: settings, git, DVC and what git shall ignore; nothing that is there is changed."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from foldproof.config.read import load_settings
from foldproof.config.schema import SETTINGS_FILES, DataSettings, Settings, leaf_keys
from foldproof.data.scan import are_parts
from foldproof.data.versions import dvc
from foldproof.errors import FoldproofError, ProjectError
from foldproof.registry import SEAMS
from foldproof.storage import write_atomically

IGNORED = ("/runs/", "/.foldproof/", "/mlflow.db*", "/mlartifacts/", "/report.html")
LIKELY = ("data/train", "train", "data", "images", "dataset")
_NOT_DATA = frozenset({"runs", "mlruns", "mlartifacts", "venv", "node_modules", "__pycache__"})
_PIPELINE = """\
stages:
  train:                           # `dvc repro`, or `dvc exp run -S train.lr=0.01`
    cmd: foldproof run
    deps:
      - {data}
    params:
{params}
    metrics:
      - metrics.json:              # `dvc metrics diff`
          cache: false
    plots:
      - plots:                     # `dvc plots diff`
          cache: false
          x: epoch
          y: val_accuracy
"""
_SECTIONS = ("data", "folds", "train", "experiments")
_YAML_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_TEMPLATE = """\
version: 1                       # schema version of this file; `foldproof config` prints every setting there is
data:
  path: {path:<24} # a folder for each class, with its images in it
  image_size: auto               # edge in pixels of what the network sees; auto = what the backbone was made for
folds:
  k: 5                           # every image validates once, in one of k folds
  seed: 42                       # of the assignment; folds.csv keeps it
train:
  backbone: efficientnet_lite0   # or small_cnn, or any torchvision or timm model
  pretrained: true               # its weights come with foldproof: no download
  freeze_backbone: true          # train one linear layer on its features: minutes on a laptop
  optimizer: adam                # or adamw, sgd
  lr: 0.001                      # learning rate
  batch_size: 32                 # images a step
  epochs: 20                     # passes over the training part
  seed: 42                       # of weights, order, augmentation and dropout
experiments:                     # each is what stands above, but for what it names
  linear: {{}}
  linear_high_lr: {{train: {{lr: 0.01}}}}
tracking:
  experiment: {experiment:<18} # its name in MLflow, which keeps it in mlflow.db beside this file
"""


@dataclass(frozen=True)
class Scaffold:
    """What was made, in lines for a person, and the settings file."""

    settings_file: Path
    lines: tuple[str, ...]


def scaffold(folder: Path, *, settings: str | None = None) -> Scaffold:
    """Make `folder` a project, with `settings` as its settings file or those that suit the images found.

    What is there stays: a second call changes nothing. Without git or DVC it goes on and says what is lacking.
    Raises ProjectError where nothing can be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file, lines = _settings_file(folder, settings)
        lines += [*_git(folder), *_dvc(folder), *_ignore(folder / ".gitignore"), *_pipeline(folder, file)]
    except OSError as error:
        raise ProjectError(
            f"cannot make a project of {folder}: {error.strerror}", next_step="mend the permissions, or name another"
        ) from error
    return Scaffold(file, tuple(lines))


def find_images(folder: Path) -> str | None:
    """The folder of class folders, relative to `folder`: by where images lie, or by the `.dvc` file of one."""
    below = sorted(path for path in folder.glob("*/") if _may_hold_data(path))
    deeper = sorted(path for parent in below for path in parent.glob("*/") if _may_hold_data(path))
    versioned = sorted(path.with_suffix("") for path in folder.glob("*.dvc") if _records_a_folder(path))
    for candidate in chain((folder / name for name in LIKELY), below, deeper, versioned):
        if _has_classes(candidate) or Path(f"{candidate}.dvc").is_file():
            return candidate.relative_to(folder).as_posix()
    return None


def _records_a_folder(file: Path) -> bool:
    """Whether a `.dvc` file is of a folder and not of a file: DVC ends the hash of one with `.dir`."""
    return file.is_file() and bool(
        re.search(r"^\W*md5:\s*[0-9a-f]{32}\.dir\s*$", file.read_text("utf-8", "replace"), re.MULTILINE)
    )


def _may_hold_data(path: Path) -> bool:
    return not path.name.startswith(".") and path.name not in _NOT_DATA and not path.is_symlink()


def _has_classes(folder: Path) -> bool:
    """Whether at least two folders below hold an image, directly or one deeper, and are not the parts of a split."""
    if not folder.is_dir():
        return False
    found: set[str] = set()
    for path in folder.glob("*/"):
        if _may_hold_data(path) and any(file.suffix.lower() in SEAMS["readers"] for file in _files(path)):
            found.add(path.name)
            if len(found) > 1 and not are_parts(found):
                return True
    return False


def _files(folder: Path) -> Iterator[Path]:
    yield from folder.glob("*.*")
    yield from folder.glob("*/*.*")


def _settings_file(folder: Path, settings: str | None) -> tuple[Path, list[str]]:
    first, second = (folder / name for name in SETTINGS_FILES)
    for file in (first, second):
        if file.exists() and (file is first or _is_ours(file)):
            return file, [f"{file.name} is there and stays as it is"]
    lines = [f"{second.name} is another tool's and stays as it is"] if second.exists() else []
    file = first if second.exists() else second
    write_atomically(file, settings if settings is not None else _settings_for(folder))
    return file, [*lines, f"wrote {file.name}"]


def _settings_for(folder: Path) -> str:
    images = find_images(folder) or "data/train"
    return _TEMPLATE.format(path=_yaml_text(images), experiment=_yaml_text(folder.resolve().name or "foldproof"))


def _yaml_text(text: str) -> str:
    """As it is where it can be nothing but a text, else in quotes."""
    plain = re.fullmatch(r"[A-Za-z][\w./-]*", text, re.ASCII) and text.lower() not in _YAML_WORDS
    return text if plain else json.dumps(text)


def _is_ours(file: Path) -> bool:
    """Whether a params.yaml has our shape, be it with mistakes: our version, or only sections that we know."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError):
        return False
    sections = {key.partition(".")[0] for key in leaf_keys(Settings)} | {"experiments"}
    if not isinstance(content, Mapping) or not content:
        return False
    return set(content) <= sections and bool({"version", "experiments"} & set(content))


def _git(folder: Path) -> list[str]:
    if any((path / ".git").exists() for path in (folder, *folder.parents)):
        return []
    if not shutil.which("git"):
        return ["git is not installed: runs will not know which code they were made with"]
    done = subprocess.run(
        ["git", "init", "--quiet"], cwd=folder, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    return ["made a git repository"] if done.returncode == 0 else [f"git init failed: {done.stderr.strip()}"]


def _dvc(folder: Path) -> list[str]:
    if dvc.has_repository(folder):
        return []
    try:
        dvc.init(folder)
    except FoldproofError as error:
        return [f"{error.what}: the images will not be versioned"]
    return ["made a DVC repository"]


def _pipeline(folder: Path, settings_file: Path) -> list[str]:
    """A dvc.yaml with the training as a stage, where DVC is at work and has none; runs/ is no output of it."""
    file = folder / "dvc.yaml"
    if file.exists() or not dvc.has_repository(folder):
        return []
    indent = " " * 6
    if settings_file.name == SETTINGS_FILES[0]:
        sections = f"{indent}- {settings_file.name}:\n" + "\n".join(f"{indent}    - {name}" for name in _SECTIONS)
    else:
        sections = "\n".join(f"{indent}- {name}" for name in _SECTIONS)
    write_atomically(file, _PIPELINE.format(data=_yaml_text(_data_path(settings_file)), params=sections))
    return ["wrote dvc.yaml: `dvc repro` and `dvc exp run` train too"]


def _data_path(settings_file: Path) -> str:
    try:
        return load_settings(settings_file).settings.data.path
    except FoldproofError:
        return DataSettings().path


def _ignore(file: Path) -> list[str]:
    """Append what is missing, in the file's own line ends."""
    content = file.read_bytes() if file.exists() else b""
    present = {line.strip().strip("/") for line in content.decode(errors="replace").splitlines()}
    missing = [line for line in IGNORED if line.strip("/") not in present]
    if not missing:
        return []
    end = "\r\n" if b"\r\n" in content else "\n"
    start = end if content and not content.endswith(b"\n") else ""
    with file.open("ab") as appended:
        appended.write((start + "".join(line + end for line in missing)).encode())
    return ["added what runs write to .gitignore"]
