"""`python -m foldproof` is the command `foldproof`."""

from foldproof.cli.main import main

if __name__ == "__main__":
    main()
