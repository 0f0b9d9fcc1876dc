"""Define how much of anything is read: limits near what a run of the largest supported size writes.

That size: a million images, a thousand classes, 100 folds, 100,000 epochs. What is above its limit is refused before it
is read, unpacked or decoded, so that whoever gives a record, a table or an image can take no more than this.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

_MIB, _GIB = 2**20, 2**30


class Limit(int):
    """A bound, used as the number it is; `unit` and `why`, what of an honest run comes near it, are for people."""

    unit: str
    why: str

    def __new__(cls, value: int, unit: str, why: str) -> Self:
        made = super().__new__(cls, value)
        made.unit, made.why = unit, why
        return made


IMAGES = Limit(1_000_000, "images", "the largest project that these limits are made for")
DEPTH = Limit(100, "levels", "of JSON; a run writes 8")

FACTS_BYTES = Limit(32 * _MIB, "bytes", "run.json: the names of classes, a thousand earlier runs")
DATASET_BYTES = Limit(512 * IMAGES, "bytes", "dataset.json: some 180 an image, most of them its path")
ENVIRONMENT_BYTES = Limit(
    256 * _MIB, "bytes", "environment.json: the name of every file that is not as it was versioned"
)
FOLDS_BYTES = Limit(2 * _GIB, "bytes", "folds.csv: some 150 an image and partition")
EXCLUSIONS_BYTES = Limit(256 * _MIB, "bytes", "excluded.csv: some 200 an image that is left out")
JOURNAL_BYTES = Limit(256 * _MIB, "bytes", "events.jsonl: some 500 an epoch, 60 a class")
STEPS_BYTES = Limit(2 * _GIB, "bytes", "steps.f32: four a step")
PREDICTIONS_BYTES = Limit(4 * _GIB, "bytes", "predictions.parquet: some 130 an image and 4 a class")
CODE_BYTES = Limit(256 * _MIB, "bytes", "code.diff: some kilobytes, more where a notebook is in it")
STATE_BYTES = Limit(256 * _MIB, "bytes", "state-EPOCH-STEP.json: what the fold's journal says")
RECORD_FILE_BYTES = Limit(4 * _GIB, "bytes", "any other file of a record, such as weights")

SETTINGS_BYTES = Limit(_MIB, "bytes", "params.yaml: some kilobytes")
PIPELINE_BYTES = Limit(16 * _MIB, "bytes", "dvc.yaml, and metrics.json that goes with it")
DVC_FILE_BYTES = Limit(_MIB, "bytes", "a .dvc file: some hundred")
SETTINGS_VALUES = Limit(20_000, "values", "of params.yaml once aliases are followed: some hundred")
SETTINGS_EVENTS = Limit(40_000, "events", "of params.yaml as it is read: two a value, two a mapping or list")
SETTINGS_DEPTH = Limit(20, "levels", "of params.yaml: five")
TABLE_ROWS = Limit(10 * IMAGES, "rows", "a table of labels that names images which are not here, too")
TABLE_BYTES = Limit(_GIB, "bytes", "a table of labels: a kilobyte an image")
SPLITS_BYTES = Limit(256 * _MIB, "bytes", "splits_final.json: each name once a fold")

UNPACKED_BYTES = Limit(64 * _MIB, "bytes", "that any parquet file may unpack to")
UNPACKED_RATIO = Limit(200, "bytes a byte", "of a larger one: half of each row are hashes, which do not pack")

BUNDLE_FILES = Limit(2 * IMAGES, "files", "a bundle with its images, and the records of runs beside it")
MANIFEST_BYTES = Limit(512, "bytes a file", "of bundle.json: 70 and the file's name")
BUNDLE_BYTES = Limit(256 * _GIB, "bytes", "a bundle unpacked, its images with it")
BUNDLE_RATIO = Limit(40, "bytes a byte", "of a larger bundle: journals come to 12, tables of folds to 4, images to 1")
BUNDLE_SMALL_BYTES = Limit(64 * _MIB, "bytes", "that any bundle may unpack to")

IMAGE_PIXELS = Limit(178_956_970, "pixels", "of one picture: Pillow's own limit, half a gigabyte of RGB")
PIXELS_AT_ONCE = Limit(
    178_956_970, "pixels", "decoded at one time by all threads; a larger picture is decoded by itself"
)
IMAGE_BYTES = Limit(4 * _GIB, "bytes", "of a picture's file: as many pixels of 64 bits and three channels, not packed")
ANY_PIXELS = Limit(2**24, "pixels", "that a file of any size may hold")
TILE_PIXELS = Limit(2**22, "pixels", "of a tile of a TIFF that is larger than four times the picture")
PAGES = Limit(1000, "pages", "of a TIFF that are counted; more than one are not read")
PACKED_PNG_BYTES = Limit(2**16, "bytes", "that a PNG may have beyond those of its pixels: packing makes none larger")
PIXELS_A_BYTE = Limit(10_000, "pixels a byte", "of a larger picture: a PNG of only black and white comes to 8,256")

SERVER_PAGES = Limit(10_000, "pages", "of a tracking server's answers, each of up to a thousand runs")
SERVER_SECONDS = Limit(600, "seconds", "that one question to a tracking server may take with all its pages")

TABLE: Mapping[str, Limit] = MappingProxyType(
    {name: value for name, value in list(globals().items()) if isinstance(value, Limit)}
)
