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
        "how to make an image square: squash, pad = add black borders, crop = keep its centre",
        first_shows="first step",
    )
    channels: Literal[1, 3] = decisive(
        3,
        "3 = colour, with grey images repeated; 1 = grey, with the network's first layer adapted",
        added=1,
        first_shows="before",
    )


@dataclass(frozen=True, kw_only=True)
class DataSettings(PixelSettings):
    """Where the images are and which belong together; a result depends on neither the path nor file names."""

    path: str = setting("data/train", "folder of class folders, relative to the settings file", min_length=1)
    label_by: str | None = setting(
        None,
        "where the class stands in the path: top = its first folder, parent = the folder of the file, or a regular"
        " expression; default: top, unless that is train, val, test",
        min_length=1,
    )
    labels: str | None = setting(
        None,
        "a CSV, parquet or Excel file with a row for each image: path, label, and group, fold, split, time",
        min_length=1,
    )
    columns: Columns = setting(
        None, "names of its columns that differ from the usual ones, such as {path: image_id, label: dx}; '' = none"
    )
    classes: ClassNames = setting(
        None,
        "rename or merge labels; null drops a class; a list keeps only the classes in it",
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
        "files named like the mask of another image, such as cat/masks/1.png or 1_mask.png: exclude, or train = treat"
        " them as images",
    )
    group_by: str | None = setting(
        None,
        "'parent', or a regular expression searched in the path: images of one group share a fold",
        min_length=1,
    )
    near_duplicates: Literal["group", "report"] = setting(
        "group", "images that look alike: group = keep them in one fold, report = only report them"
    )
    range: tuple[float, float] | Literal["auto"] = setting(
        "auto",
        "[low, high]: the values that are black and white in images of over 8 bits; auto = the lowest and highest",
        form="auto, or [low, high] with two numbers, the first less than the second",
    )
    max_megapixels: int = setting(178, "largest accepted image, in million pixels", ge=1, le=10_000)


@dataclass(frozen=True, kw_only=True)
class FoldSettings:
    """How the images are split into folds. If the data define the number of folds, `k` is that number."""

    __pydantic_config__ = NO_OTHER_KEYS

    k: int = decisive(5, "number of folds", ge=1, le=100, first_shows="before")
    seed: int = decisive(42, "seed of the assignment", ge=0, lt=2**63, first_shows="before")
    repeats: int = decisive(1, "number of independent partitions", ge=1, le=100, first_shows="before")
    scheme: str = decisive(
        "stratified",
        "stratified; leave-one-group-out: one fold for each group; predefined: from a table or file;"
        " time: each fold validates on images later than all it trains on",
        seam="schemes",
        added=1,
        first_shows="before",
    )


@dataclass(frozen=True, kw_only=True)
class FoldSource(FoldSettings):
    """Where folds that the data define come from; a result depends only on the folds themselves."""

    file: str | None = setting(
        None, "predefined folds: a CSV of path and fold, or nnU-Net's splits_final.json", min_length=1
    )
    time_by: str | None = setting(
        None,
        "time: a regular expression searched in the path, to sort by; or exif = when the camera took the image",
        min_length=1,
    )
    date_order: Literal["dmy", "mdy", "ymd", "number"] | None = setting(
        None,
        "time: how to read ambiguous times: 3/4/2024 in April is dmy, in March mdy;"
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
    epochs: int = decisive(5, "passes over the training images", ge=1, le=100_000, first_shows="later")
    batch_size: int = decisive(32, "images in a training step", ge=1, le=65_536, first_shows="first step")
    validation_batch_size: int = decisive(
        64, "images in a forward pass outside training", ge=1, le=65_536, first_shows="end"
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
    threads: int = decisive(
        1, "CPU threads for each fold; the bits depend on it", ge=1, le=256, first_shows="first step"
    )
    portable: bool = decisive(
        False,
        "the same bits on every x86-64 processor with AVX2; 1.1 to 1.5 times slower",
        added=1,
        first_shows="before",
    )
    precision: Precision = decisive(
        "float32",
        "bfloat16: convolutions and products with 8 significant bits; different results, faster if supported",
        added=1,
        first_shows="first step",
    )
    compile: bool = decisive(
        False,
        "compile the network with torch.compile: about a minute at the start; for GPUs, rarely faster on a CPU",
        added=1,
        first_shows="first step",
    )


@dataclass(frozen=True, kw_only=True)
class ExecutionConfig:
    """How an experiment is carried out; changes no result."""

    __pydantic_config__ = NO_OTHER_KEYS

    executor: str = setting(
        "process", "process; interleaved: several folds take turns on one GPU; inline for debugging", seam="executors"
    )
    parallel_folds: Annotated[int, Between(1, 1024)] | Literal["auto"] = setting(
        "auto", "folds trained at once; auto = as many as the cores allow"
    )
    device: str = setting("auto", "auto, cpu, cuda or cuda:N", pattern=r"^(auto|cpu|cuda(:[0-9]{1,3})?)$")
    cuda_graphs: bool = setting(
        False,
        "on a GPU, capture a training step once and replay it if that is proved to give the same bits; "
        "off until tested on a real GPU",
    )
    checkpoint_every: float = setting(
        5.0, "minutes between checkpoints inside a fold, from which it can resume", ge=0, allow_inf_nan=False
    )
    states_gb: float = setting(
        20.0,
        "GB of final checkpoints kept from finished folds; the oldest are deleted first",
        ge=0,
        allow_inf_nan=False,
    )
    cache_gb: float = setting(
        50.0,
        "GB of decoded images and features kept in .foldproof/cache; the rest is decoded each time",
        gt=0,
        allow_inf_nan=False,
    )


@dataclass(frozen=True, kw_only=True)
class CompareSettings:
    """How experiments are compared."""

    __pydantic_config__ = NO_OTHER_KEYS

    metric: str = setting(
        "auto",
        "auto = accuracy, or balanced_accuracy if a class has over 3 times the images of another",
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
    """Which trackers follow runs, and where MLflow finds them."""

    __pydantic_config__ = NO_OTHER_KEYS

    enabled: bool = setting(True, "log runs to MLflow")
    trackers: tuple[str, ...] = setting(
        (CONSOLE, MLFLOW),
        "trackers that follow a run: console, mlflow (if enabled), registered names, 'module:attribute'",
        seam="trackers",
        form=f"a list of names, such as [{CONSOLE}, {MLFLOW}]",
    )
    uri: str | None = setting(
        None, "tracking URI; absent = MLFLOW_TRACKING_URI, else sqlite:///mlflow.db", min_length=1
    )
    experiment: str | None = setting(None, "MLflow experiment; absent = the project folder's name", min_length=1)
    tags: Mapping[str, str] | None = setting(None, "tags of a run and its folds in MLflow: a mapping of names to texts")
    privacy: bool = setting(False, "reports show no images, and a short hash instead of each path and group")

    @property
    def told(self) -> tuple[str, ...]:
        """The trackers that are told, each once."""
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
