"""`python -m foldproof` is the command `foldproof`."""

import sys

if __name__ == "__main__":
    from foldproof import installed_first

    # Python puts the current folder first: a file of a project there would stand for any module that is loaded later.
    if not sys.flags.safe_path and sys.path[:1] != installed_first()[:1]:
        del sys.path[0]
    from foldproof.cli import main

    main()
