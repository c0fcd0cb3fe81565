"""Pictures of hips for a page: each part once, where it belongs, within the limit."""

import base64
import re
from dataclasses import replace
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from hipjsw.inference.kept_examples import Examples
from hipjsw.reporting.example_shelf import ExampleShelf

FINE = 10


def disc(size, centre, radius):
    row, col = np.indices(size)
    return np.clip(radius + 0.5 - np.hypot(row - centre[0], col - centre[1]), 0, 1)


def examples(num=2, size=(40, 48), witness=True):
    rng = np.random.default_rng(1)
    label = np.stack([disc(size, (28, 24), 9), disc(size, (8, 24), 6), disc(size, (16, 24), 3)])
    probs = np.stack([disc(size, (28, 24), 8), disc(size, (8, 24), 6), np.zeros(size)])
    points = np.full((num, 2, 2), np.nan) if not witness else np.tile([[15.0, 20.0], [18.0, 21.0]], (num, 1, 1))
    planes = [np.rint(255 * np.tile(p, (num, 1, 1, 1))).astype(np.uint8) for p in (probs, label)]
    image = rng.integers(0, 256, (num, *size), dtype=np.uint8)
    names = np.array([f"h{n}" for n in range(num)])
    return Examples(names, np.array(["worst"] * num), image, *planes, points.astype(np.float32), 0.8)


def part(shelf, name):
    root = ElementTree.fromstring(shelf.markup())
    return next(one for one in root.iter("g") if one.get("id") == name)


def ring(path):
    """Corners of the first closed line of a path, in pixels."""
    start, steps = re.match(r"M(\d+) (\d+)l(.*?)z", path.get("d")).group(1, 2), path.get("d").split("l")[1]
    moves = np.array(re.findall(r"-?\d+", steps.split("z")[0]), int).reshape(-1, 2)
    return (np.vstack([[int(start[0]), int(start[1])], moves]).cumsum(axis=0) / FINE - 0.5)[:, ::-1]


def test_outlines_run_where_the_planes_cross_one_half():
    shelf = ExampleShelf(10**6)
    parts = shelf.put(examples(), 0)
    for name, (radius, centre) in ((parts.label, (9, (28, 24))), (parts.predicted, (8, (28, 24)))):
        away = np.hypot(*(ring(part(shelf, name)[0]) - centre).T)
        assert away.min() > radius - 0.3
        assert away.max() < radius + 0.2
    assert [path.get("class") for path in part(shelf, parts.label)] == ["o true"] * 3
    kinds = [path.get("class") for path in part(shelf, parts.predicted)]
    assert kinds == ["o femur", "o acetabulum", "o least", "o ends"]  # no joint space was predicted


def test_witness_points_stand_at_their_pixels_and_nowhere_where_nothing_was_measured():
    shelf = ExampleShelf(10**6)
    drawn = part(shelf, shelf.put(examples(), 0).predicted)
    assert next(path.get("d") for path in drawn if path.get("class") == "o least") == "M205 155L215 185"
    bare = part(shelf, shelf.put(examples(witness=False), 0).predicted)
    assert [path.get("class") for path in bare] == ["o femur", "o acetabulum"]


def picture(shelf, name):
    href = part(shelf, name)[0].get("href")
    png = base64.b64decode(href.removeprefix("data:image/png;base64,"))
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)


def test_film_is_the_image_to_within_a_step_of_grey():
    shelf, kept = ExampleShelf(10**6), examples()
    film = picture(shelf, shelf.put(kept, 1).image)
    assert film.shape == (40, 48)
    assert np.abs(film.astype(int) - kept.image[1]).max() <= 2


def test_contrast_is_warm_where_only_the_prediction_is_cold_where_only_the_label_is_and_clear_elsewhere():
    shelf, kept = ExampleShelf(10**6), examples()
    probs = kept.probs.copy()
    probs[0, 1, 30:36, 2:8] = 255
    bones, joint = (picture(shelf, name) for name in shelf.put(replace(kept, probs=probs), 0).contrast)
    blue, green, red, opacity = (joint[..., n].astype(int) for n in range(4))
    alone = kept.label[0, 2] == 255
    assert alone.sum() > 10
    assert (blue[alone] > red[alone]).all()
    assert (opacity[alone] == 255).all()
    assert (opacity[kept.label[0, 2] == 0] == 0).all()
    assert (bones[30:36, 2:8, 2] > bones[30:36, 2:8, 0]).all()
    assert (bones[30:36, 2:8, 3] == 255).all()
    assert bones[28, 24, 3] == 0
    assert green.max() < 255


def test_equal_parts_are_kept_once():
    shelf, kept = ExampleShelf(10**7), examples()
    one = shelf.put(kept, 0)
    before = shelf.markup()
    assert shelf.put(kept, 0) == one
    assert shelf.markup() == before
    other = shelf.put(replace(kept, image=kept.image[::-1]), 0)
    assert other.image != one.image
    assert (other.label, other.predicted, other.contrast) == (one.label, one.predicted, one.contrast)


def test_what_is_spent_is_at_least_what_is_written():
    shelf, kept = ExampleShelf(10**7), examples(5)
    for n in range(5):
        shelf.put(kept, n)
    assert len(shelf.markup()) <= 10**7 - shelf.left < 3 * len(shelf.markup())


def test_a_hip_that_does_not_fit_leaves_the_shelf_as_it_is():
    kept = examples()
    shelf = ExampleShelf(10**7)
    shelf.put(kept, 0)
    needed = 10**7 - shelf.left
    assert ExampleShelf(needed - 1).put(kept, 0) is None
    exact = ExampleShelf(needed)
    assert exact.put(kept, 0, spare=1) is None
    assert exact.left == needed
    assert exact.put(kept, 0) is not None
    assert exact.left == 0


@pytest.mark.parametrize("size", [(40, 48), (128, 128), (20, 100)])
def test_joint_window_is_square_within_the_view_and_holds_the_joint(size):
    shelf = ExampleShelf(10**6)
    kept = examples(size=size)
    if size[0] < 30:
        kept = replace(kept, label=np.roll(kept.label, -8, axis=2))
    parts = shelf.put(kept, 0)
    left, top, width, height = map(int, parts.joint.split())
    assert width == height
    assert left >= 0
    assert top >= 0
    assert left + width <= FINE * size[1]
    assert top + height <= FINE * size[0]
    rows, cols = np.nonzero(kept.label[0, 2] > 127)
    assert left <= FINE * cols.min()
    assert FINE * cols.max() + FINE <= left + width
    assert parts.whole == f"0 0 {FINE * size[1]} {FINE * size[0]}"
    assert len(rows)


def test_a_label_without_a_joint_space_has_the_middle_of_its_view():
    kept = examples(size=(128, 128))
    kept = replace(kept, label=np.zeros_like(kept.label))
    left, top, width, _ = map(int, ExampleShelf(10**6).put(kept, 0).joint.split())
    assert abs(2 * left + width - 1280) <= 2
    assert left == top
