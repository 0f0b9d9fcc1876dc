"""`python -m foldproof` is the command `foldproof`."""

import os
import sys

if __name__ == "__main__":
    # Python puts the current folder first: a file of a project there would stand for any module that is loaded later.
    if not sys.flags.safe_path and sys.path[:1] in ([""], [os.getcwd()]):  # noqa: PTH109 - pathlib is not loaded yet
        del sys.path[0]
    from foldproof.cli.main import main

    main()
