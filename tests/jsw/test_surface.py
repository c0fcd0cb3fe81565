"""Borders against closed forms, shapely, MONAI, DeepMind's printed case, and the laws of distance."""

import dataclasses

import numpy as np
import pytest
import shapely
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.integrate import quad
from skimage.measure import find_contours

from hipjsw.anatomy.coverage import polygon_coverage
from hipjsw.anatomy.labels import label_coverage
from hipjsw.jsw.surface import SurfaceAgreement, surface_agreement

NOTHING = SurfaceAgreement(None, None, None, None)
DISJOINT = SurfaceAgreement(None, None, 0.0, 0.0)
FEMUR, ROOF, SPACE = 1, 2, 3

# MONAI calls itself in a way that it warns of.
monai_warns = pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")


def disc(radius, centre=(47.3, 48.1), size=96):
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    outline = np.asarray(centre) + radius * np.column_stack([np.sin(angle), np.cos(angle)])
    return polygon_coverage(outline, (size, size))


def wavy_disc(rng, size=96):
    """Coverage of a disc whose radius undulates by several pixels."""
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    radius = rng.uniform(24, 30)
    for wave in range(1, 6):
        radius = radius + rng.normal(0, 2.5 / wave) * np.cos(wave * angle + rng.uniform(0, 6))
    return polygon_coverage(size / 2 + radius[:, None] * np.column_stack([np.sin(angle), np.cos(angle)]), (size, size))


def half_plane(row, size=40):
    """Coverage of what lies above an edge, ``row`` between two pixel edges."""
    return np.repeat(np.clip(row + 0.5 - np.arange(size), 0, 1)[:, None], size, axis=1)


def blobs(seed, size=64, smooth=3.0, margin=8):
    """A probability plane of smooth blobs, clear of the edges."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(size, size)), smooth)
    plane = np.clip(0.5 + 0.4 * field / field.std(), 0, 1)
    plane[:margin] = plane[-margin:] = plane[:, :margin] = plane[:, -margin:] = 0
    return plane


def pair(seed):
    """Two planes of blobs that are alike but not the same."""
    one = blobs(seed)
    return one, np.where(one > 0, np.clip(0.75 * one + 0.25 * blobs(seed + 1), 0, 1), 0)


def numbers(agreement):
    values = dataclasses.astuple(agreement)
    assert None not in values
    return np.array(values)


def hip_planes(hip, pixel_mm=0.4, size=256):
    """Coverage of a hip's classes and its sourcil in mm of the view."""
    centre = np.array([0.45, 0.5]) * size
    landmarks = hip.landmarks(centre, 1 / pixel_mm)
    return label_coverage(landmarks, (size, size)), landmarks.sourcil.sample(0.25) * pixel_mm


# Closed forms


@settings(max_examples=40)
@given(st.integers(8, 20), st.integers(0, 9), st.floats(0.1, 1.0))
def test_half_planes_are_as_far_apart_as_their_edges(row, apart, pixel_mm):
    result = surface_agreement(half_plane(row + 0.5), half_plane(row + apart + 0.5), pixel_mm)
    distance = apart * pixel_mm
    assert result.assd_mm == pytest.approx(distance, abs=1e-9)
    assert result.hd95_mm == pytest.approx(distance, abs=1e-9)
    assert result.dice_05 == (distance <= 0.5 + 1e-9)
    assert result.dice_09 == (distance <= 0.9 + 1e-9)


@pytest.mark.parametrize(("apart_px", "pixel_mm"), [(1, 0.5), (5, 0.1), (3, 0.3), (9, 0.1)])
def test_a_distance_that_equals_the_tolerance_is_within_it(apart_px, pixel_mm):
    result = surface_agreement(half_plane(9.5), half_plane(9.5 + apart_px), pixel_mm)
    assert (result.dice_05 == 1.0) == (apart_px * pixel_mm < 0.6)
    assert result.dice_09 == 1.0


@settings(max_examples=30)
@given(st.floats(12, 30), st.floats(0.2, 8), st.floats(0.2, 1.0))
def test_concentric_discs_are_their_radii_apart(radius, wider, pixel_mm):
    result = surface_agreement(disc(radius + wider), disc(radius), pixel_mm)
    # Its mean over the circle is not quite 0: of 546 discs the worst was 0.0214 px.
    assert result.assd_mm == pytest.approx(wider * pixel_mm, abs=0.025 * pixel_mm)
    # The contour of the coverage of a straight edge swings about it by up to (3 - 2 sqrt 2) / 2 = 0.086 px.
    assert result.hd95_mm == pytest.approx(wider * pixel_mm, abs=2 * 0.09 * pixel_mm)


@pytest.mark.parametrize("apart_mm", [0.6, 1.0, 1.5])
def test_shifted_discs_have_their_closed_form(apart_mm):
    # Of two equal circles a place at the angle t lies | |p - c| - r | from the other: d cos(t), but for d/r.
    radius_mm, pixel_mm = 14.0, 0.4
    moved = np.array([47.3, 48.1 + apart_mm / pixel_mm])
    result = surface_agreement(disc(radius_mm / pixel_mm, moved), disc(radius_mm / pixel_mm), pixel_mm)

    def distance(angle):
        place = radius_mm * np.array([np.sin(angle), np.cos(angle)])
        return abs(np.linalg.norm(place - [0, apart_mm]) - radius_mm)

    dense = np.array([distance(angle) for angle in np.linspace(0, np.pi, 20_001)])
    assert result.assd_mm == pytest.approx(quad(distance, 0, np.pi, limit=200)[0] / np.pi, abs=0.01)
    assert result.hd95_mm == pytest.approx(np.quantile(dense, 0.95), abs=0.1 * pixel_mm)
    assert result.dice_05 == pytest.approx((dense <= 0.5).mean(), abs=0.02)
    assert result.dice_09 == pytest.approx((dense <= 0.9).mean(), abs=0.02)


def test_coverage_tells_finer_than_masks():
    error = {"soft": [], "hard": []}
    for wider in np.linspace(0.05, 0.95, 10):
        for name, planes in {
            "soft": (disc(20 + wider), disc(20)),
            "hard": (disc(20 + wider) > 0.5, disc(20) > 0.5),
        }.items():
            error[name].append(abs(surface_agreement(*planes, 1.0).assd_mm - wider))
    assert max(error["soft"]) < 0.01
    assert np.mean(error["hard"]) > 3 * np.mean(error["soft"])


# Other libraries


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("hard", [False, True])
def test_equals_distances_to_lines_by_shapely(seed, hard):
    one, other = (plane > 0.5 if hard else plane for plane in pair(10 * seed))
    pixel_mm = 0.7
    lines, middles, lengths = [], [], []
    for plane in (one, other):
        pieces = [piece * pixel_mm for piece in find_contours(plane.astype(float), 0.5)]
        lines.append(shapely.MultiLineString(pieces))
        middles.append(np.concatenate([(p[1:] + p[:-1]) / 2 for p in pieces]))
        lengths.append(np.concatenate([np.linalg.norm(np.diff(p, axis=0), axis=1) for p in pieces]))
    distances = [shapely.distance(shapely.points(middles[i]), lines[1 - i]) for i in range(2)]
    every, weight = np.concatenate(distances), np.concatenate(lengths)
    result = surface_agreement(one, other, pixel_mm)
    assert result.assd_mm == pytest.approx(np.average(every, weights=weight), abs=1e-9)
    assert result.dice_05 == pytest.approx(weight[every <= 0.5].sum() / weight.sum(), abs=1e-9)
    assert result.dice_09 == pytest.approx(weight[every <= 0.9].sum() / weight.sum(), abs=1e-9)
    # HD95 is the least distance that 95 % of either border's length does not exceed.
    both = list(zip(distances, lengths, strict=True))
    assert min(w[d <= result.hd95_mm + 1e-9].sum() / w.sum() for d, w in both) >= 0.95 - 1e-5
    assert min(w[d < result.hd95_mm - 1e-9].sum() / w.sum() for d, w in both) < 0.95


def test_far_planes_are_measured_to_their_nearest_place():
    # A border of long and of tiny elements, looked at from far off: the nearest middle is not the nearest element.
    grain = ndimage.gaussian_filter(np.random.default_rng(4).uniform(size=(120, 40)), 0.5)
    one, other = np.zeros((120, 160)), np.zeros((120, 160))
    one[5:115, 2:38] = grain[5:115, 2:38]
    other[20:100, 120:150] = 1
    pieces = [find_contours(plane, 0.5) for plane in (one, other)]
    lines = [shapely.MultiLineString(list(p)) for p in pieces]
    total = weight = 0.0
    for own, line in zip(pieces, lines[::-1], strict=True):
        for piece in own:
            length = np.linalg.norm(np.diff(piece, axis=0), axis=1)
            total += shapely.distance(shapely.points((piece[1:] + piece[:-1]) / 2), line) @ length
            weight += length.sum()
    assert surface_agreement(one, other, 1.0).assd_mm == pytest.approx(total / weight, abs=1e-9)


@monai_warns
@pytest.mark.parametrize("seed", range(8))
def test_is_within_half_a_pixel_of_monai(seed):
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

    rng = np.random.default_rng(seed)
    one, other = (wavy_disc(rng) > 0.5 for _ in range(2))
    batch = [torch.from_numpy(plane)[None, None].float() for plane in (one, other)]
    ours = surface_agreement(one, other, 0.6)
    mean = compute_average_surface_distance(*batch, include_background=True, symmetric=True, spacing=0.6)
    largest = compute_hausdorff_distance(*batch, include_background=True, percentile=95, spacing=0.6)
    assert ours.assd_mm > 0.6
    assert ours.assd_mm == pytest.approx(mean.item(), abs=0.3)
    assert ours.hd95_mm == pytest.approx(largest.item(), abs=0.3)


@monai_warns
def test_discs_agree_closely_with_monai():
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice

    one, other = disc(30) > 0.5, disc(30, (47.3, 53.1)) > 0.5
    batch = [torch.from_numpy(plane)[None, None].float() for plane in (one, other)]
    ours = surface_agreement(one, other, 0.3)
    mean = compute_average_surface_distance(*batch, include_background=True, symmetric=True, spacing=0.3)
    largest = compute_hausdorff_distance(*batch, include_background=True, percentile=95, spacing=0.3)
    dice = compute_surface_dice(*batch, [0.9], include_background=True, spacing=[0.3, 0.3], use_subvoxels=True)
    assert ours.assd_mm == pytest.approx(mean.item(), abs=0.03)
    assert ours.hd95_mm == pytest.approx(largest.item(), abs=0.03)
    # Three pixels of five: their distances run between pixel corners and take in more than the arc that is.
    exact = 1 - np.arccos(3 / 5) / (np.pi / 2)
    assert ours.dice_09 == pytest.approx(exact, abs=0.03)
    assert exact < dice.item() < exact + 0.1


@monai_warns
@pytest.mark.parametrize("seed", range(8))
def test_lengths_are_those_of_deepmind(seed):
    # A far piece is beyond any tolerance and the rest is the same, so surface Dice is a ratio of lengths alone.
    from monai.metrics import compute_surface_dice

    noise = np.random.default_rng(seed).uniform(size=(40, 90)) > 0.5
    one = np.zeros((44, 94), dtype=bool)
    one[2:-2, 2:-2] = noise
    one[:, 40:50] = False
    other = one.copy()
    other[:, 50:] = False
    batch = [torch.from_numpy(plane)[None, None].float() for plane in (one, other)]
    theirs = compute_surface_dice(*batch, [0.9], include_background=True, spacing=[1.0, 1.0], use_subvoxels=True)
    assert surface_agreement(one, other, 1.0).dice_09 == pytest.approx(theirs.item(), abs=1e-6)


def test_two_pixels_as_deepmind_prints_them():
    # surface_distance_test.py, test_on_2_pixels_2mm_away: mean 1.5 and 1.5, Hausdorff 2, surface Dice 0.5, all in
    # steps of one pixel across. Ours are to the nearest place of a diamond: sqrt(26)/4 and sqrt(50)/4 pixels.
    one, other = np.zeros((128, 128), dtype=bool), np.zeros((128, 128), dtype=bool)
    one[50, 70] = other[50, 72] = True
    result = surface_agreement(one, other, 0.6)
    assert result.assd_mm == pytest.approx(0.6 * (np.sqrt(26) + np.sqrt(50)) / 8)
    assert result.assd_mm == pytest.approx(0.6 * 1.5, rel=0.02)
    assert result.hd95_mm == pytest.approx(0.6 * np.sqrt(50) / 4)
    assert result.hd95_mm == pytest.approx(0.6 * 2.0, abs=0.6 * 0.25)
    assert result.dice_05 == 0.0
    assert result.dice_09 == pytest.approx(0.5)


# Laws


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.booleans())
def test_laws(seed, hard):
    one, other = (plane > 0.5 if hard else plane for plane in pair(seed))
    # A line on no grid, lest elements lie on a limit (10 mm, 2 mm) and fall on either side of it by rounding.
    line = np.column_stack([np.linspace(11.137, 14.859, 30), np.linspace(4.093, 27.971, 30)])
    for along in (None, line):
        result = numbers(surface_agreement(one, other, 0.5, along))
        np.testing.assert_allclose(numbers(surface_agreement(other, one, 0.5, along)), result, atol=1e-9)
        assert result[0] > 0
        assert 0 <= result[2] <= result[3] <= 1
        same = surface_agreement(one, one, 0.5, along)
        assert (same.assd_mm, same.hd95_mm) == pytest.approx((0.0, 0.0), abs=1e-9)
        assert same.dice_05 == same.dice_09 == 1.0

        mirrored = None if along is None else np.column_stack([along[:, 0], 31.5 - along[:, 1]])
        moved = None if along is None else along + np.array([1.5, 2.5])
        padded = [np.pad(plane, ((3, 2), (5, 9))) for plane in (one, other)]
        for change in (
            surface_agreement(one[:, ::-1], other[:, ::-1], 0.5, mirrored),
            surface_agreement(*padded, 0.5, moved),
            surface_agreement(one, other, 0.5, None if along is None else along[::-1]),
        ):
            np.testing.assert_allclose(numbers(change), result, atol=1e-9)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(0.2, 3))
def test_distances_grow_with_the_pixel(seed, factor):
    one, other = pair(seed)
    small, large = surface_agreement(one, other, 0.4), surface_agreement(one, other, 0.4 * factor)
    assert large.assd_mm == pytest.approx(factor * small.assd_mm)
    assert large.hd95_mm == pytest.approx(factor * small.hd95_mm)
    assert (large.dice_05 - small.dice_05) * (factor - 1) <= 1e-9


def test_a_mask_is_a_plane_of_zeros_and_ones():
    one, other = (plane > 0.5 for plane in pair(3))
    expected = surface_agreement(one, other, 0.5)
    for kind in (np.uint8, np.float32, np.float64):
        assert surface_agreement(one.astype(kind), other.astype(kind), 0.5) == expected


def test_the_edge_of_the_view_is_no_border():
    # Both go on beyond the view: nothing but the edge between them is compared, wherever the view is cut.
    whole = surface_agreement(half_plane(9.5), half_plane(12.5), 0.5)
    cut = surface_agreement(half_plane(9.5)[5:, 7:30], half_plane(12.5)[5:, 7:30], 0.5)
    assert numbers(cut) == pytest.approx(numbers(whole))
    full, edge = np.ones((40, 40)), half_plane(9.5)
    assert surface_agreement(full, full, 0.5) == NOTHING
    assert surface_agreement(full, edge, 0.5) == DISJOINT


# Along the sourcil


def test_a_roof_wrong_above_is_right_along_the_sourcil(circle_hip):
    planes, line = hip_planes(circle_hip())
    top = np.flatnonzero(planes[ROOF].max(axis=1) > 0.5)[0]
    cut = planes[ROOF].copy()
    cut[: top + 6] = 0
    assert surface_agreement(cut, planes[ROOF], 0.4).hd95_mm > 1
    along = surface_agreement(cut, planes[ROOF], 0.4, line)
    assert (along.assd_mm, along.dice_05) == (pytest.approx(0, abs=1e-9), 1.0)


@pytest.mark.parametrize("wider", [0.3, 0.7, 1.2])
def test_a_wider_joint_is_wrong_by_so_much_along_the_sourcil(circle_hip, wider):
    planes, line = hip_planes(circle_hip(roof_radius_mm=30.0))
    other, _ = hip_planes(circle_hip(roof_radius_mm=30.0 + wider))
    roof, space, femur = (surface_agreement(other[k], planes[k], 0.4, line) for k in (ROOF, SPACE, FEMUR))
    assert roof.assd_mm == pytest.approx(wider, abs=0.05)
    assert roof.hd95_mm == pytest.approx(wider, abs=0.05)
    assert (roof.dice_05, roof.dice_09) == (float(wider < 0.5), float(wider < 0.9))
    # The space's border is the roof and, right as before, the head: 26 mm of radius against about 30.
    share = 26 / (30 + wider / 2 + 26)
    assert space.dice_05 == pytest.approx(1.0 if wider < 0.5 else share, abs=0.01)
    assert space.assd_mm == pytest.approx((1 - share) * wider, abs=0.03)
    assert space.hd95_mm == pytest.approx(wider, abs=0.05)
    assert (femur.assd_mm, femur.dice_05) == (pytest.approx(0, abs=1e-9), 1.0)


def test_only_the_head_under_the_sourcil_counts(circle_hip):
    planes, line = hip_planes(circle_hip())
    shaft = planes[FEMUR].copy()
    shaft[170:] = 0
    assert surface_agreement(shaft, planes[FEMUR], 0.4).hd95_mm > 1
    assert surface_agreement(shaft, planes[FEMUR], 0.4, line).hd95_mm == pytest.approx(0, abs=1e-9)
    dented = np.where(
        np.roll(planes[FEMUR], 3, axis=0) < planes[FEMUR], np.roll(planes[FEMUR], 3, axis=0), planes[FEMUR]
    )
    # Lowered by 1.2 mm: that much at the top, its cosine aside.
    along = surface_agreement(dented, planes[FEMUR], 0.4, line)
    assert 1.0 < along.assd_mm < 1.2
    assert along.dice_09 < 0.2


def test_sides_that_close_the_labels_do_not_count(circle_hip):
    # A joint space that ends 1.2 mm too early at either end is as good along what is left of the sourcil.
    planes, line = hip_planes(circle_hip())
    short, _ = hip_planes(circle_hip(lateral_deg=-34 + 2, medial_deg=30 - 2))
    assert surface_agreement(short[SPACE], planes[SPACE], 0.4).hd95_mm > 0.9
    assert surface_agreement(short[SPACE], planes[SPACE], 0.4, line).hd95_mm < 0.1


def test_a_border_far_off_the_sourcil_still_counts_by_its_distance():
    # Twelve mm too high: none of it lies near the line, and the reference's distance says how wrong it is.
    line = np.array([[30.5, 5.0], [30.5, 35.0]])
    result = surface_agreement(half_plane(18.5), half_plane(30.5), 1.0, line)
    assert result == SurfaceAgreement(pytest.approx(12.0), pytest.approx(12.0), 0.0, 0.0)


@pytest.mark.parametrize(("row", "counts"), [(28, False), (29, True), (40, True), (41, False)])
def test_reach_above_and_below_the_line(row, counts):
    # The line lies at row 30.5: borders count from 2 mm above it to 10 mm below.
    line = np.array([[30.5, 8.0], [30.5, 40.0]])
    plane = half_plane(row + 0.5 - 0.1, size=48)
    result = surface_agreement(plane, plane, 1.0, line)
    assert (result == NOTHING) != counts


# Undefined


def test_empty_planes_are_undefined_or_nothing():
    empty, some = np.zeros((96, 96)), disc(20)
    line = np.array([[27.0, 40.0], [27.0, 56.0]])
    for along in (None, line):
        assert surface_agreement(empty, empty, 0.5, along) == NOTHING
        assert surface_agreement(empty, some, 1.0, along) == DISJOINT
        assert surface_agreement(some, empty, 1.0, along) == DISJOINT
    faint = np.full((96, 96), 0.4)
    assert surface_agreement(faint, some, 0.5) == DISJOINT


def test_nothing_near_the_sourcil_is_undefined():
    line = np.array([[5.0, 40.0], [5.0, 56.0]])
    some = disc(20)
    assert surface_agreement(some, some, 1.0, line) == NOTHING
    assert surface_agreement(some, np.zeros((96, 96)), 1.0, line) == NOTHING


GOOD = np.eye(8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((GOOD, GOOD[:7], 0.5), "differ in shape"),
        ((GOOD[None], GOOD, 0.5), "predicted must be one plane"),
        ((GOOD, GOOD[0], 0.5), "reference must be one plane"),
        ((GOOD[:1], GOOD[:1], 0.5), "at least 2 x 2"),
        ((255 * GOOD, GOOD, 0.5), r"probabilities in \[0, 1\]"),
        ((GOOD, GOOD - 0.1, 0.5), r"reference must hold probabilities in \[0, 1\]"),
        ((np.where(GOOD, np.nan, 0), GOOD, 0.5), "probabilities"),
        ((GOOD, GOOD, 0.0), "pixel_mm"),
        ((GOOD, GOOD, np.nan), "pixel_mm"),
        ((GOOD, GOOD, 0.5, np.zeros((1, 2))), "n >= 2"),
        ((GOOD, GOOD, 0.5, np.zeros((3, 3))), "n, 2"),
        ((GOOD, GOOD, 0.5, np.array([[0, 0], [np.nan, 1]])), "finite"),
        ((GOOD, GOOD, 0.5, np.ones((4, 2))), "one place only"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        surface_agreement(*arguments)
