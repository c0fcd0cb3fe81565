"""Which file holds whose hip: whole films, files a side, files without a side, absent hips, bad files."""

import numpy as np
import pytest

from hipjsw.anatomy.landmarks import Side
from hipjsw.anatomy.points_file import PointsError, write_points
from hipjsw.cohort.film_entry import FilmEntry, PointsFile
from hipjsw.cohort.point_sides import read_sides
from hipjsw.phantom.film import place
from hipjsw.phantom.points import in_older_numbering
from hipjsw.phantom.population import draw_person

PERSON = draw_person(8, 0)
RIGHT, LEFT = np.split(place(8, PERSON, PERSON.visits[0]).points_mm, 2)
HIPS = {Side.RIGHT: RIGHT, Side.LEFT: LEFT}
BOTH = np.concatenate([RIGHT, LEFT])


@pytest.fixture
def read(tmp_path):
    """Read hips from files given as ``(points or bytes, side, name)``."""

    def read(*files, side=""):
        listed = []
        for number, (content, whose, *name) in enumerate(files):
            path = tmp_path / (name[0] if name else f"{number}.pts")
            path.write_bytes(content) if isinstance(content, bytes) else write_points(path, content)
            listed.append(PointsFile(path.name, whose))
        return read_sides(tmp_path, FilmEntry("CHECK", "1", "T00", "film.dcm", tuple(listed), side))

    return read


def same(found, *sides):
    assert list(found.hips) == list(sides)
    for side in sides:
        np.testing.assert_allclose(found.hips[side], HIPS[side], atol=1e-6)


def rules(found):
    return [(finding.rule, finding.side) for finding in found.findings]


def test_one_file_of_the_film_and_one_a_side_are_the_same(read):
    for found in (read((BOTH, "")), read((LEFT, "left"), (RIGHT, "right")), read((LEFT, ""), (RIGHT, ""))):
        same(found, Side.RIGHT, Side.LEFT)
        assert rules(found) == []


@pytest.mark.parametrize("side", list(Side))
def test_eighty_points_are_the_side_that_is_said_or_seen(read, side):
    other = Side.LEFT if side is Side.RIGHT else Side.RIGHT
    for found in (read((HIPS[side], side.value)), read((HIPS[side], "")), read((in_older_numbering(HIPS[side]), ""))):
        same(found, side)
        assert ("one_hip", other.value) in rules(found)
    said = read((HIPS[side], ""), side=side.value)
    same(said, side)
    assert rules(said) == []


def test_a_side_that_is_not_clear_is_said(read):
    odd = RIGHT.copy()
    odd[:35] = odd[:35] * (1, -1) + (0, 2 * odd[18:28, 1].mean())
    found = read((odd, ""))
    assert list(found.hips) == [Side.RIGHT]
    assert ("one_hip", "") in rules(found)


def test_of_a_film_that_shows_one_side_only_that_one_is_read(read):
    for side in Side:
        found = read((BOTH, ""), side=side.value)
        same(found, side)
        assert rules(found) == []
    with pytest.raises(PointsError, match="no points of a hip"):
        read((LEFT, "left"), side="right")


@pytest.mark.parametrize("filler", [0.0, -1.0, 321.5])
def test_a_hip_that_is_one_repeated_point_is_absent(read, filler):
    for side, part in ((Side.RIGHT, slice(80, 160)), (Side.LEFT, slice(0, 80))):
        points = BOTH.copy()
        points[part] = filler
        found = read((points, ""))
        same(found, side)
        assert rules(found) == [("one_hip", "left" if side is Side.RIGHT else "right")]
    with pytest.raises(PointsError, match="one point"):
        read((np.full((160, 2), filler), ""))


def test_the_older_numbering_is_told_hip_by_hip(read):
    old = {side: in_older_numbering(hip) for side, hip in HIPS.items()}
    both = read((np.concatenate([old[Side.RIGHT], old[Side.LEFT]]), ""))
    same(both, Side.RIGHT, Side.LEFT)
    assert rules(both) == [("older_numbering", "")]
    one = read((np.concatenate([RIGHT, old[Side.LEFT]]), ""))
    same(one, Side.RIGHT, Side.LEFT)
    assert rules(one) == [("older_numbering", "left")]


def test_a_bad_file_leaves_the_other_hip(read):
    found = read((RIGHT, "right"), (b"nothing", "left"))
    same(found, Side.RIGHT)
    assert rules(found) == [("bad_points", "left")]


@pytest.mark.parametrize("count", [1, 68, 79, 81, 159, 161, 320])
def test_another_count_is_refused_with_the_numbers(read, count):
    with pytest.raises(PointsError, match=rf"film\.pts: {count} points, where 80 .* or 160"):
        read((np.ones((count, 2)), "", "film.pts"))


def test_no_file_all_bad_and_two_of_a_side_are_refused(read):
    with pytest.raises(PointsError, match="no points of a hip"):
        read()
    with pytest.raises(PointsError, match=r"0\.pts: "):
        read((b"", "right"), (b"", "left"))
    with pytest.raises(PointsError, match="two points files hold the right hip"):
        read((BOTH, ""), (RIGHT, "right"))


def test_points_sought_on_the_mirrored_film_are_told_by_name(read):
    assert read((LEFT, "left", "film.dcm_RasL.pts")).sought_mirrored == {Side.LEFT}
    assert read((LEFT, "left", "film.dcm_R.pts")).sought_mirrored == frozenset()
