"""Define the settings as frozen values with defaults; plain dataclasses, so that a worker needs no pydantic.

Field metadata is read by `config.check`: a description, bounds as pydantic spells them, the seam a name belongs to.
A field added after schema version 1 says so with `added=2` and so on; see `identity.canonical`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Annotated, Any, Literal, TypeAlias

SCHEMA_VERSION = 1
CONSOLE, MLFLOW = "console", "mlflow"  # trackers that are built in
SETTINGS_FILES = ("foldproof.yaml", "params.yaml")  # the first that is there is read
TAG_NAME = re.compile(r"(?!mlflow\.|foldproof\.)[A-Za-z0-9_](?:[A-Za-z0-9_. -]{0,248}[A-Za-z0-9_])?")
EXPERIMENT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
RESERVED_NAME = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # no file, on Windows
NO_OTHER_KEYS = {"extra": "forbid"}
Columns: TypeAlias = dict[str, str] | None
ClassNames: TypeAlias = dict[str, str | None] | list[str] | None
Precision: TypeAlias = Literal["float32", "bfloat16"]
FirstShows: TypeAlias = Literal["before", "first step", "later", "end"]  # in a fold's journal; earliest first


@dataclass(frozen=True)
class Between:
    """Bounds, both allowed, of a number that may also be a word; for others `ge` and `le` in the metadata serve."""

    low: int
    high: int

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return {**handler(source), "ge": self.low, "le": self.high}


def setting(default: Any, description: str, **rules: Any) -> Any:
    """A field with a default, a one-line description, and rules such as `ge=1` or `seam="optimizers"`."""
    return field(default=default, metadata={"description": description, **rules})


def decisive(default: Any, description: str, *, first_shows: FirstShows, **rules: Any) -> Any:
    """A setting that defines a result. `first_shows`: the earliest place of a fold at which another value can show."""
    return setting(default, description, first_shows=first_shows, **rules)


@dataclass(frozen=True, kw_only=True)
class PixelSettings:
    """How a file becomes an array: part of what is compared."""

    __pydantic_config__ = NO_OTHER_KEYS

    image_size: Annotated[int, Between(8, 4096)] | Literal["auto"] = decisive(
        "auto", "edge in pixels of the square a model sees; auto = the backbone's own", first_shows="before"
    )
    resize: Literal["squash", "pad", "crop"] = decisive(
        "squash",
        "how a picture that is not square becomes one: squash, pad = black beside it, crop = its middle",
        first_shows="first step",
    )
    channels: Literal[1, 3] = decisive(
        3,
        "3 = red, green, blue, grey pictures three times; 1 = grey, the network's first layer adapted",
        added=1,
        first_shows="before",
    )


@dataclass(frozen=True, kw_only=True)
class DataSettings(PixelSettings):
    """Where the images lie and what belongs together; a result depends on neither the path nor file names."""

    path: str = setting("data/train", "folder of class folders, relative to the settings file", min_length=1)
    label_by: str | None = setting(
        None,
        "what of the path is the class: top = its first folder, parent = the folder of the file, or a regular"
        " expression; left out = top, but not where that is train, val, test",
        min_length=1,
    )
    labels: str | None = setting(
        None,
        "a CSV, parquet or Excel file with a row an image: path, label, and group, fold, split, time",
        min_length=1,
    )
    columns: Columns = setting(
        None, "names of its columns that are not the usual ones, such as {path: image_id, label: dx}; '' = none"
    )
    classes: ClassNames = setting(
        None,
        "other names for labels, to merge some; null leaves a class out; a list keeps only those",
        form="a list of labels, such as [cat, dog], or a mapping of labels to names, such as {'0': cat, '1': dog}",
    )
    test: str | None = setting(
        None,
        "images that are never trained on: a folder, a text file that lists them, or the name of a split of the table",
        min_length=1,
    )
    exclude: list[str] | None = setting(
        None,
        "patterns of files and folders below path that are left out, such as [thumbnails, '*_old.png']",
        form="a list of patterns, such as [thumbnails, '*_old.png']",
    )
    masks: Literal["exclude", "train"] = setting(
        "exclude",
        "what is called like a mask of another image, such as cat/masks/1.png or 1_mask.png: exclude, or train = it is"
        " an image like others",
    )
    group_by: str | None = setting(
        None,
        "'parent', or a regular expression searched in the path: images of one group share a fold",
        min_length=1,
    )
    near_duplicates: Literal["group", "report"] = setting(
        "group", "pictures that look alike: group = they share a fold, report = only say so"
    )
    range: tuple[float, float] | Literal["auto"] = setting(
        "auto",
        "[low, high]: the values that are black and white in images of over 8 bits; auto = the lowest and highest",
        form="auto, or [low, high] with two numbers, the first less than the second",
    )
    max_megapixels: int = setting(178, "million pixels that a picture may have", ge=1, le=10_000)


@dataclass(frozen=True, kw_only=True)
class FoldSettings:
    """How the images are cut into folds. Where the data say how many there are, `k` is that number."""

    __pydantic_config__ = NO_OTHER_KEYS

    k: int = decisive(5, "number of folds", ge=1, le=100, first_shows="before")
    seed: int = decisive(42, "seed of the assignment", ge=0, lt=2**63, first_shows="before")
    repeats: int = decisive(1, "number of independent partitions", ge=1, le=100, first_shows="before")
    scheme: str = decisive(
        "stratified",
        "stratified; leave-one-group-out: a fold a group; predefined: as a table or file says;"
        " time: each fold validates on what came after all that it trains on",
        seam="schemes",
        added=1,
        first_shows="before",
    )


@dataclass(frozen=True, kw_only=True)
class FoldSource(FoldSettings):
    """From where folds come that the data say; a result depends on what they are alone."""

    file: str | None = setting(
        None, "predefined folds: a CSV of path and fold, or nnU-Net's splits_final.json", min_length=1
    )
    time_by: str | None = setting(
        None,
        "time: a regular expression searched in the path, what it finds is sorted; or exif = when a camera took it",
        min_length=1,
    )
    date_order: Literal["dmy", "mdy", "ymd", "number"] | None = setting(
        None,
        "time: how times are written, where they can be read in two ways: 3/4/2024 in April is dmy, in March mdy;"
        " number = as numbers, and 10:30 as a time of one day",
    )


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How one fold is trained."""

    __pydantic_config__ = NO_OTHER_KEYS

    backbone: str = decisive(
        "small_cnn",
        "a built-in name, any torchvision or timm model, or 'module:attribute'",
        min_length=1,
        first_shows="before",
    )
    pretrained: bool = decisive(False, "start from published weights instead of random ones", first_shows="before")
    freeze_backbone: bool = decisive(
        False, "train only the last linear layer, on features computed once", first_shows="before"
    )
    any_image_size: bool = decisive(
        False, "accept an image size the pretrained weights were not made for", first_shows="first step"
    )
    epochs: int = decisive(5, "passes over the training part", ge=1, le=100_000, first_shows="later")
    batch_size: int = decisive(32, "images a step", ge=1, le=65_536, first_shows="first step")
    validation_batch_size: int = decisive(
        64, "images a forward pass outside training", ge=1, le=65_536, first_shows="end"
    )
    optimizer: str = decisive("adam", "adam, adamw, sgd", seam="optimizers", first_shows="later")
    lr: float = decisive(0.001, "learning rate at the start", gt=0, allow_inf_nan=False, first_shows="later")
    weight_decay: float = decisive(0.0, "weight decay", ge=0, allow_inf_nan=False, first_shows="later")
    momentum: float = decisive(0.9, "momentum of sgd", ge=0, lt=1, allow_inf_nan=False, first_shows="later")
    schedule: str = decisive("constant", "constant, or cosine down to zero", seam="schedules", first_shows="later")
    augment: str = decisive(
        "none", "none, or light: flip and crop with padding", seam="augmentations", first_shows="first step"
    )
    class_weights: str = decisive(
        "none", "none, or balanced: rare classes count more in the loss", seam="class_weights", first_shows="first step"
    )
    seed: int = decisive(42, "seed of weights, order, augmentation and dropout", ge=0, lt=2**63, first_shows="before")
    threads: int = decisive(1, "CPU threads a fold; the bits depend on it", ge=1, le=256, first_shows="first step")
    portable: bool = decisive(
        False,
        "the same bits on every x86-64 processor with AVX2; 1.1 to 1.5 times slower",
        added=1,
        first_shows="before",
    )
    precision: Precision = decisive(
        "float32",
        "bfloat16: convolutions and products of 8 significant bits; other results, faster where the processor has it",
        added=1,
        first_shows="first step",
    )
    compile: bool = decisive(
        False,
        "compile the network by torch.compile: about a minute first; for GPUs, rarely faster on a CPU",
        added=1,
        first_shows="first step",
    )


@dataclass(frozen=True, kw_only=True)
class ExecutionConfig:
    """How an experiment is carried out; changes no result."""

    __pydantic_config__ = NO_OTHER_KEYS

    executor: str = setting(
        "process", "process; interleaved: several folds on one GPU by turns; inline for debugging", seam="executors"
    )
    parallel_folds: Annotated[int, Between(1, 1024)] | Literal["auto"] = setting(
        "auto", "folds at once; auto = as many as the cores carry"
    )
    device: str = setting("auto", "auto, cpu, cuda or cuda:N", pattern=r"^(auto|cpu|cuda(:[0-9]{1,3})?)$")
    cuda_graphs: bool = setting(
        False,
        "on a GPU, capture a training step once and replay it where that is proved to give the same bits; "
        "off until it has been seen on a real GPU",
    )
    checkpoint_every: float = setting(
        5.0, "minutes between two checkpoints inside a fold, from which it can go on", ge=0, allow_inf_nan=False
    )
    states_gb: float = setting(
        20.0, "GB of last checkpoints kept of folds that have finished; the oldest go first", ge=0, allow_inf_nan=False
    )
    cache_gb: float = setting(
        50.0,
        "GB of decoded images and features kept in .foldproof/cache; what does not fit is decoded anew each time",
        gt=0,
        allow_inf_nan=False,
    )


@dataclass(frozen=True, kw_only=True)
class CompareSettings:
    """How experiments are held against each other."""

    __pydantic_config__ = NO_OTHER_KEYS

    metric: str = setting(
        "auto",
        "auto = accuracy, or balanced_accuracy where a class has over 3 times the images of another",
        seam="metrics",
        words=("auto",),
    )
    rope: float = setting(
        1.0,
        "region of practical equivalence: points (hundredths of the metric) that do not matter",
        ge=0,
        le=100,
        allow_inf_nan=False,
    )


@dataclass(frozen=True, kw_only=True)
class TrackingSettings:
    """Who is told of runs, and where MLflow finds them."""

    __pydantic_config__ = NO_OTHER_KEYS

    enabled: bool = setting(True, "project runs to MLflow")
    trackers: tuple[str, ...] = setting(
        (CONSOLE, MLFLOW),
        "who hears of a run while it trains: console, mlflow (where enabled), registered names, 'module:attribute'",
        seam="trackers",
        form=f"a list of names, such as [{CONSOLE}, {MLFLOW}]",
    )
    uri: str | None = setting(
        None, "tracking URI; absent = MLFLOW_TRACKING_URI, else sqlite:///mlflow.db", min_length=1
    )
    experiment: str | None = setting(None, "MLflow experiment; absent = the project folder's name", min_length=1)
    tags: Mapping[str, str] | None = setting(None, "mapping of names to texts, put on a run and its folds in MLflow")
    privacy: bool = setting(False, "reports show no pictures, and a short hash instead of each path and group")

    @property
    def told(self) -> tuple[str, ...]:
        """Those of `trackers` that are told, each once."""
        return tuple(name for name in dict.fromkeys(self.trackers) if self.enabled or name != MLFLOW)

    @property
    def to_mlflow(self) -> bool:
        """Whether MLflow is told while a run trains."""
        return MLFLOW in self.told


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings file, resolved: shared sections, and what each named experiment changes in them."""

    __pydantic_config__ = NO_OTHER_KEYS

    version: Literal[1] = setting(1, "schema version of this file")
    data: DataSettings = field(default_factory=DataSettings)
    folds: FoldSource = field(default_factory=FoldSource)
    train: TrainSettings = field(default_factory=TrainSettings)
    execution: ExecutionConfig = field(default_factory=ExecutionConfig)
    compare: CompareSettings = field(default_factory=CompareSettings)
    tracking: TrackingSettings = field(default_factory=TrackingSettings)


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """All settings that define a result, and nothing else. The name is for people and is not hashed."""

    name: str
    pixels: PixelSettings
    folds: FoldSettings
    train: TrainSettings


def leaf_keys(kind: type, prefix: str = "") -> tuple[str, ...]:
    """Dotted names of all settings below `kind`, in declaration order."""
    keys: list[str] = []
    for item in fields(kind):
        nested = item.default_factory if is_dataclass(item.default_factory) else None
        name = prefix + item.name
        keys += leaf_keys(nested, f"{name}.") if isinstance(nested, type) else [name]
    return tuple(keys)
