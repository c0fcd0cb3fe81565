"""A film in memory and the error that names what is wrong with one."""

import numpy as np

from hipjsw.imaging.radiograph import FilmError, Radiograph


def test_shape_is_rows_then_columns():
    film = Radiograph(np.zeros((3, 7), np.uint16), None, "MONOCHROME2", 12)
    assert film.shape == (3, 7)
    assert film.spacing is None


def test_an_error_carries_its_rule_beside_its_message():
    error = FilmError("no_spacing", "film.dcm: no spacing")
    assert isinstance(error, ValueError)
    assert (error.rule, str(error)) == ("no_spacing", "film.dcm: no spacing")
