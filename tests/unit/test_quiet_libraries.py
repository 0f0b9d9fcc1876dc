"""What libraries warn of: not on the terminal of whoever typed a command, unless Python is asked for it."""

import subprocess
import sys

import pytest

CODE = """
import sys, warnings
from foldproof.cli.main import keep_libraries_quiet
keep_libraries_quiet()
warnings.warn("the number of unique classes is large")
"""


@pytest.mark.parametrize(("options", "told"), [((), False), (("-W", "default"), True)])
def test_a_library_warns_only_where_python_was_asked_to_show_it(options, told):
    done = subprocess.run([sys.executable, *options, "-c", CODE], capture_output=True, text=True, check=True)
    assert ("unique classes" in done.stderr) == told
