"""Make every mistake, or those whose names hold a word that is given, and write docs/reference/errors.md anew."""

import sys
import tempfile
from pathlib import Path

from mistaken.mistake import made
from mistaken.page import MISTAKES, PAGE, on_the_page, page
from mistaken.worlds import Worlds

words = sys.argv[1:]
wanted = [mistake for mistake in MISTAKES if not words or any(word in mistake.slug for word in words)]
impossible = [mistake.title for mistake in wanted if not mistake.possible()]
if impossible:
    sys.exit(f"not possible on this machine: {', '.join(impossible)}")
with tempfile.TemporaryDirectory() as folder:
    worlds = Worlds(Path(folder))
    told = {mistake.slug: made(mistake, worlds).text for mistake in wanted}
told = {mistake.slug: told.get(mistake.slug) or on_the_page(mistake) for mistake in MISTAKES}
PAGE.write_text(page(told), encoding="utf-8")
