"""Know the usual meaning of column and file names. Pure."""

import re
from collections.abc import Mapping, Sequence

USUAL: Mapping[str, tuple[str, ...]] = {
    "path": ("path", "file_path", "filepath", "full_path", "image_path", "img_path", "file", "file_name", "filename",
             "image_file", "image", "image_name", "image_id", "images", "img", "img_id", "img_name", "picture", "photo",
             "id_code", "name", "id"),
    "label": ("label", "class", "class_name", "label_name", "target", "category", "category_name", "diagnosis", "dx",
              "species", "labels", "class_label", "disease", "breed", "ground_truth", "class_id", "label_id",
              "category_id", "y"),
    "group": ("group", "patient", "patient_id", "patient_no", "patient_number", "subject", "subject_id", "subject_no",
              "participant", "participant_id", "case_id", "lesion_id", "group_id"),
    "fold": ("fold", "kfold", "fold_id"),
    "split": ("split", "subset", "partition", "set"),
    "time": ("time", "timestamp", "datetime", "date", "date_time", "taken", "date_taken", "acquired",
             "acquisition_date", "acquisition_time", "capture_date", "captured_at", "datetime_original"),
}  # fmt: skip
NEVER_LABELS = frozenset({"x", "y", "z", "w", "h", "width", "height", "depth", "xmin", "ymin", "xmax", "ymax", "x1",
                           "x2", "y1", "y2", "left", "top", "right", "bottom", "lat", "lon", "latitude", "longitude",
                           "size", "bytes", "channels", "bits", "format", "age", "sex", "gender", "index", "unnamed0",
                           "seed", "camera", "hospital", "site", "center", "centre", "location", "url", "license",
                           "rights", "usage", "isvalid", "weight", "year", "month", "day", "hour", "mag",
                           "magnification", "zoom"})  # fmt: skip
_IMAGE = re.compile(
    r"\.(png|jpe?g|jfif|jpe|tiff?|bmp|gif|webp|avif|hei[cf]|dcm|npy|p[bgp]m|pnm|jp2|j2k|svg|raw|dng)$",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\W_]+")
_KNOWN = frozenset(_PLAIN.sub("", name) for names in USUAL.values() for name in names)


def plain_name(column: str) -> str:
    """`Patient ID`, `patientId` and `patient_id` are one name."""
    return _PLAIN.sub("", column.casefold())


def is_usual(column: str) -> bool:
    """Whether some role is usually called so."""
    return plain_name(column) in _KNOWN


def usual_columns(role: str, columns: Sequence[str]) -> list[str]:
    """The columns with a usual name for `role`, the most usual first."""
    by_name = {plain_name(column): column for column in reversed(columns)}
    return [by_name[name] for name in map(plain_name, USUAL[role]) if name in by_name]


def usual_column(role: str, columns: Sequence[str]) -> str:
    """The first column with a usual name for `role`, or the empty text."""
    return next(iter(usual_columns(role, columns)), "")


def has_image_suffix(text: str) -> bool:
    """Whether a text ends as the name of an image file does."""
    return _IMAGE.search(text) is not None
