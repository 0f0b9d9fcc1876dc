"""Suggest the line that turns a file of arrays into a table, for images without classes.

The file is not opened here: it is another's, and what reads it is large.
"""

from pathlib import Path

from foldproof.scaffold.typed import python_line


def line_for_arrays(folder: Path, images: str) -> str | None:
    """What to type where a MATLAB file in `folder` may hold a number for each image in its folder `images`."""
    files = sorted(folder.glob("*.mat"), key=lambda file: ("label" not in file.stem.lower(), file.name))
    if not files or not (folder / images).is_dir():
        return None
    code = (
        f"import pathlib,scipy.io as s; n=sorted(p.name for p in pathlib.Path({images!r}).iterdir()); "
        f"v=[v.ravel() for k,v in s.loadmat({files[0].name!r}).items() "
        "if not k.startswith('_') and v.size==len(n)][0]; "
        "print('image,label',*map('{},{}'.format,n,v),sep=chr(10))"
    )
    return (
        f"{files[0].name} may say it, where it holds a number for each image in the order of their names; a table of "
        f"it, in this folder: {python_line(code)} > labels.csv; then delete params.yaml and `foldproof init` again"
    )
