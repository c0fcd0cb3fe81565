"""The .pts file there and back, every way of writing it, every way of spoiling it, real files."""

import os
import random
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hipjsw.anatomy.landmarks import split_sides
from hipjsw.anatomy.points_file import FARTHEST, LARGEST_BYTES, MOST_POINTS, PointsError, read_points, write_points

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "points"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the real point files of shared/data/points are absent")

TWO = [[203.6, 508.6], [160.8, 324.9]]  # (row, col) of the two points below
BODY = "version: 1\nn_points: 2\n{\n508.6 203.6\n324.9 160.8\n}\n"


def written(folder, content):
    path = folder / "film.dcm.pts"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read_or_refuse(path):
    """Points, or None where the file is refused by its name; anything else is a defect."""
    try:
        points = read_points(path)
    except PointsError as error:
        if not str(error).startswith(path.name + ": "):
            raise
        return None
    assert points.dtype == np.float64
    assert points.shape == (len(points), 2)
    assert 1 <= len(points) <= MOST_POINTS
    assert (np.abs(points) <= FARTHEST).all()
    return points


@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(1, 200), st.just(2)), elements=st.floats(-FARTHEST, FARTHEST)))
def test_written_points_read_back_to_the_sixth_decimal(tmp_path_factory, points):
    path = tmp_path_factory.mktemp("points") / "film.pts"
    write_points(path, points)
    np.testing.assert_allclose(read_points(path), points, rtol=0, atol=5.1e-7)


def test_the_file_holds_x_before_y(tmp_path):
    write_points(tmp_path / "a.pts", np.array([[1.0, 2.0]]))
    assert (tmp_path / "a.pts").read_text() == "version: 1\nn_points: 1\n{\n2.000000 1.000000\n}\n"


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros((3, 3)), np.zeros(2), [[np.nan, 0.0]], [[1e8, 0.0]]])
def test_what_could_not_be_read_is_not_written(tmp_path, points):
    with pytest.raises(ValueError, match="points file holds"):
        write_points(tmp_path / "a.pts", points)
    assert not (tmp_path / "a.pts").exists()


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        BODY.replace("\n", "\r\n"),
        BODY.replace("\n", "\r"),
        BODY.rstrip("\n"),
        BODY.replace("\n", "\r\n").rstrip(),
        BODY.replace("n_points: 2", "n_points:  2"),
        BODY.replace("n_points: 2", "n_points:2"),
        BODY.replace("n_points: 2", "n_points:\t2  "),
        BODY.replace("n_points: 2", "n_points : 002"),
        BODY.replace("version: 1\n", ""),
        "\ufeff" + BODY,
        "\n\n" + BODY.replace("\n", "\n\n") + "\n\n",
        BODY.replace("508.6 203.6", "  508.6 \t 203.6  "),
        BODY.replace("508.6 203.6", "5.086e2 +2.036E+02"),
        "// made by hand {\n" + BODY.replace("324.9 160.8", "# the head\n324.9 160.8 // its top") + "# end",
    ],
)
def test_ways_of_writing_the_same_file_read_the_same(tmp_path, text):
    np.testing.assert_array_equal(read_points(written(tmp_path, text)), TWO)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no line '{'"),
        (b"\x00" * 64, "zero bytes"),
        (b"\xff\xfe\x00\x01" * 8, "byte 0 is no UTF-8"),
        (BODY.encode("utf-16"), "not as UTF-16"),
        (BODY.encode("utf-16-le"), "not as UTF-16"),
        (BODY.replace("{\n", ""), "no line '{'"),
        (BODY.replace("}\n", ""), "line 5, the last, is not '}'"),
        (BODY[: len(BODY) // 2], "the last, is not '}'"),
        (BODY + "{\n1 2\n}\n", "line 6: a second brace"),
        (BODY + "more\n", "line 7, the last, is not '}'"),
        (BODY.replace("n_points: 2\n", ""), "nothing says n_points"),
        (BODY.replace("n_points: 2\n", "n_points: 2\nn_points: 2\n"), "line 3 says n_points again"),
        (BODY.replace("n_points: 2", "n_points: 3"), "line 2: n_points says 3 but 2 points are listed"),
        (BODY.replace("508.6 203.6\n", ""), "line 2: n_points says 2 but 1 points"),
        (BODY.replace("n_points: 2", "n_points: " + "9" * 5000), "line 2: n_points is not a whole number"),
        *(
            (BODY.replace("n_points: 2", f"n_points: {n}"), "line 2: n_points is not")
            for n in ("two", "-2", "2.0", "²")
        ),
        *(
            (BODY.replace("508.6 203.6", words), "line 4: not two plain numbers")
            for words in ("508.6", "508.6 203.6 1", "508.6, 203.6", "508,6 203,6", "1_0 2", "٣ 4", "1" * 99 + " 2")
        ),
        *(
            (BODY.replace("508.6", w), "line 4: not two plain")
            for w in ("nan", "inf", "here", "0x1p3", "0xff", "1e", ".")
        ),
        *((BODY.replace("508.6", w), "line 4: a number beyond") for w in ("1e400", "-1e999", "1.1e7")),
        ("n_points: 0\n{\n}\n", "0 points, where 1 to 10000"),
        (BODY.replace("n_points: 2", "n_points: 10001"), "10001 points, where 1 to 10000"),
        ("n_points: 2\n{\n" + "here\n" * 10_001 + "}\n", "10001 points, where 1 to 10000"),
        (BODY + "\n" * LARGEST_BYTES, "larger than 1000000 bytes"),
    ],
)
def test_malformed_file_is_refused_by_name_and_line(tmp_path, content, said):
    with pytest.raises(PointsError, match=r"^film\.dcm\.pts: .") as refused:
        read_points(written(tmp_path, content))
    assert said in str(refused.value)


def test_the_largest_file_is_not_read_whole(tmp_path):
    path = tmp_path / "film.pts"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole: it takes no disk
    with pytest.raises(PointsError, match="larger than"):
        read_points(path)


def test_absent_file_folder_and_pipe_are_refused_by_name(tmp_path):
    os.mkfifo(tmp_path / "pipe.pts")
    for path in (tmp_path / "none.pts", tmp_path, tmp_path / "pipe.pts"):
        with pytest.raises(PointsError, match=path.name):
            read_points(path)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
@example(BODY.encode())
def test_any_bytes_are_points_or_refused(tmp_path_factory, content):
    read_or_refuse(written(tmp_path_factory.getbasetemp(), content))


def flip_bytes(folder, seconds, seed):
    """Spoil a real file again and again; how many were refused and how many read."""
    rng, whole = random.Random(seed), BODY.replace("\n", "\r\n").encode()
    refused = read = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        content = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        if rng.random() < 0.2:
            del content[rng.randrange(len(content)) :]
        points = read_or_refuse(written(folder, bytes(content)))
        refused, read = refused + (points is None), read + (points is not None)
    return refused, read


def test_flipped_bytes_are_read_or_refused(tmp_path):
    refused, read = flip_bytes(tmp_path, 0.8, seed=1)
    assert refused > 50
    assert read > 20


@pytest.mark.slow
def test_flipped_bytes_are_read_or_refused_for_a_minute(tmp_path):
    refused, read = flip_bytes(tmp_path, 60.0, seed=2)
    assert refused > 1000
    assert read > 500


@needs_real
@pytest.mark.parametrize(
    ("name", "count", "first", "last"),
    [
        ("breakingbad.pts", 68, (276.387616, 1283.598566), None),
        ("tongue.pts", 19, (673.85, 324.77), (686.62, 386.02)),
        ("example_pointfile.txt", 5, (203.6, 508.6), (141.3, 332.8)),
    ],
)
def test_real_files_read(name, count, first, last):
    points = read_points(REAL / name)
    assert points.shape == (count, 2)
    np.testing.assert_array_equal(points[0], first)
    if last is not None:
        np.testing.assert_array_equal(points[-1], last)


@needs_real
def test_a_face_is_a_points_file_but_no_film_and_a_list_is_no_points_file():
    with pytest.raises(PointsError, match="160 points, this file 68"):
        split_sides(read_points(REAL / "breakingbad.pts"))
    with pytest.raises(PointsError, match="example_imglist"):
        read_points(REAL / "example_imglist.txt")
