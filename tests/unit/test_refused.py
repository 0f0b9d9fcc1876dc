"""Errors in images: ten of one kind are one sentence."""

import pytest

from foldproof.data.checks.findings import Finding
from foldproof.errors import DataError
from foldproof.training_data.load import refuse


def test_errors_of_one_kind_are_told_together_with_the_first_files_and_the_number_of_the_others():
    errors = [Finding("empty", f"owl/{number}.png") for number in range(9)] + [Finding("damaged", "elk/3.png", "ends")]
    with pytest.raises(DataError) as raised:
        refuse(errors)
    assert raised.value.what == (
        "10 errors in the images: owl/0.png, owl/1.png, owl/2.png and 6 more (zero bytes); elk/3.png (ends)"
    )


def test_no_error_refuses_nothing():
    refuse([])
