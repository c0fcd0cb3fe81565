"""The marks on the real films are plausible; what is measured on films is right on synthetic ones."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments" / "real_films"))

import compare  # noqa: E402
import figures  # noqa: E402
import films  # noqa: E402
import judge  # noqa: E402
import marks  # noqa: E402

HIPS = marks.read_hips()
FILMS = ROOT.parent / "shared" / "data" / "radiographs"
with_films = pytest.mark.skipif(not FILMS.is_dir(), reason="the real films lie outside the repository and are not here")


def read_off(names):
    """The figures that a synthetic film defines; it has neither texture nor shaft."""
    return [name for name in names if name.startswith(("decile", "grey", "step", "width_roof"))]


def hip(side="right", centre=(300.0, 250.0), radius=(48.0, 40.0)):
    angle = np.deg2rad(np.linspace(-30, 35, 60))
    roof = 1.15 * np.column_stack([-np.cos(angle), np.sin(angle)])
    empty = marks.MarkedHip("synthetic", side, np.array(centre), np.array(radius), np.zeros((0, 2)))
    return marks.MarkedHip("synthetic", side, empty.centre_px, empty.radius_px, empty.to_px(roof))


def radii_image(marked):
    """Distance of every pixel of a film from a head's centre, in head radii."""
    grid = np.stack(np.meshgrid(np.arange(640.0), np.arange(640.0), indexing="ij"), axis=-1)
    return np.linalg.norm(marked.to_radii(grid), axis=-1)


def soft_step(distance, width=0.012):
    return 1 / (1 + np.exp(-distance / width))


def joint_film(marked, head=0.7, joint=0.4, roof=0.9):
    """Head, joint space up to 1.15 radii, roof beyond."""
    r = radii_image(marked)
    return (head + (joint - head) * soft_step(r - 1) + (roof - joint) * soft_step(r - 1.15)).astype(np.float32)


class TestMarks:
    def test_ten_films_with_two_hips_each(self):
        assert len(HIPS) == 20
        assert len({h.image for h in HIPS}) == 10
        assert [h.side for h in HIPS] == ["right", "left"] * 10

    @pytest.mark.parametrize("marked", HIPS, ids=lambda h: f"{h.image[3:-4]}-{h.side}")
    def test_heads_lie_in_the_film_and_have_plausible_size(self, marked):
        assert (marked.centre_px - marked.radius_px > 0).all()
        assert (marked.centre_px + marked.radius_px < marks.FILM_PX).all()
        assert ((marked.radius_px > 30) & (marked.radius_px < 55)).all()

    @pytest.mark.parametrize("marked", HIPS, ids=lambda h: f"{h.image[3:-4]}-{h.side}")
    def test_roofs_lie_above_the_head_and_run_medially(self, marked):
        roof = marked.roof
        assert roof.shape == (7, 2)
        assert (roof[:, 0] < -0.7).all()
        assert (np.diff(roof[:, 1]) > 0.08).all()
        assert ((np.linalg.norm(roof, axis=1) > 1.03) & (np.linalg.norm(roof, axis=1) < 1.32)).all()
        angle = np.rad2deg(np.arctan2(roof[:, 1], -roof[:, 0]))
        assert -40 < angle[0] < -15
        assert 22 < angle[-1] < 45

    def test_both_heads_of_a_film_agree(self):
        for right, left in zip(HIPS[::2], HIPS[1::2], strict=True):
            assert right.image == left.image
            assert right.centre_px[1] < left.centre_px[1]
            np.testing.assert_allclose(right.radius_px, left.radius_px, rtol=0.04)
            apart = (left.centre_px - right.centre_px)[1] / right.radius_px[1]
            assert 6.3 < apart < 8.6

    def test_stretch_is_that_of_the_small_films(self):
        """Where the film's size before the stretch is known, the heads come out round (one is flat)."""
        for marked in HIPS[6:]:
            assert marked.radius_px[0] / marked.radius_px[1] == pytest.approx(454 / 373, rel=0.02)

    @pytest.mark.parametrize("side", ["right", "left"])
    def test_radii_and_pixels_are_each_other_s_inverse(self, side):
        marked = hip(side)
        points = np.array([[0.0, 0.0], [-1.0, 0.0], [0.3, 0.8]])
        np.testing.assert_allclose(marked.to_radii(marked.to_px(points)), points, atol=1e-12)
        medial = marked.to_px(np.array([0.0, 1.0])) - marked.centre_px
        assert medial[1] == (40.0 if side == "right" else -40.0)


class TestFigures:
    @pytest.mark.parametrize("side", ["right", "left"])
    def test_a_step_of_known_contrast_is_found(self, side):
        marked = hip(side)
        angle = np.deg2rad(np.arange(-60, 61, 2.0))
        for off in (0.0, 0.06):  # a margin marked off by 2 to 3 px
            margin = (1 + off) * np.column_stack([-np.cos(angle), np.sin(angle)])
            distance, grey = figures.profiles(joint_film(marked), marked, margin)
            steps, places = figures.best_steps(distance, grey, -1.0)
            soft = 1 - 2 * 0.012 / 0.06 * np.log(2)  # what a logistic edge leaves of a step averaged over 0.06
            assert np.median(steps) == pytest.approx(0.3 * soft, rel=0.03)
            assert np.median(places) == pytest.approx(-off, abs=0.011)

    def test_contrast_scales_and_no_edge_gives_none(self):
        marked = hip()
        distance, grey = figures.profiles(joint_film(marked), marked, marked.roof)
        weak = figures.profiles(joint_film(marked, 0.55, 0.4, 0.65), marked, marked.roof)[1]
        strong = figures.best_steps(distance, grey, 1.0)[0]
        np.testing.assert_allclose(figures.best_steps(distance, weak, 1.0)[0], strong / 2, rtol=0.02)
        np.testing.assert_allclose(figures.best_steps(distance, np.full_like(grey, 0.4), 1.0)[0], 0, atol=1e-12)

    def test_width_of_a_blurred_edge(self):
        distance, scale = np.arange(-0.25, 0.2501, 0.005), 0.01
        grey = np.tile(soft_step(distance, scale), (5, 1))
        steps, places = figures.best_steps(distance, grey, 1.0)
        step = 1 - 2 * scale / 0.06 * np.log(2)  # a logistic edge, averaged over 0.06 on either side
        assert steps[0] == pytest.approx(step, rel=0.06)
        assert figures.edge_width(distance, grey, steps, places, 1.0) == pytest.approx(step * 4 * scale, rel=0.1)

    def test_power_of_white_noise(self):
        rng = np.random.default_rng(3)
        found = [figures.power_bands(0.2 * rng.standard_normal((60, 60)), 50.0) for _ in range(20)]
        for name, (low, high) in figures.BANDS.items():
            share = np.pi * (high**2 - low**2) / 50.0**2
            power = np.mean([one[f"rms_{name}"] ** 2 for one in found])
            assert power == pytest.approx(0.04 * share, rel=0.15)
        assert np.mean([one["slope"] for one in found]) == pytest.approx(0.0, abs=0.2)

    def test_power_of_a_wave_lies_in_its_band(self):
        wave = 0.1 * np.sin(2 * np.pi * 4.5 * np.arange(100) / 50)
        found = figures.power_bands(np.tile(wave, (100, 1)) + 3.0, 50.0)
        assert found["rms_middle"] == pytest.approx(0.1 / np.sqrt(2), rel=0.05)
        assert found["rms_fine"] < 0.005

    def test_grey_and_exposure_of_a_film_drop_out(self):
        right, left = hip(), hip("left", (300.0, 400.0))
        pixels = joint_film(right)
        picture = films.Picture("synthetic", False, pixels, (right, left))
        one, other = (figures.film_figures(picture, p) for p in (pixels, 0.5 * pixels + 0.1))
        assert one.keys() == other.keys()
        for name in read_off(one):
            value = one[name]
            assert other[name] == pytest.approx(value, rel=1e-2, abs=1e-3), name


class TestFilms:
    def test_rectified_heads_are_circles_of_one_size(self):
        for side in ("right", "left"):
            marked = hip(side)
            disc = (radii_image(marked) < 1).astype(np.float32)
            cut = films.rectified(disc, marked, (-1.5, 1.5, -1.5, 1.5), 60)
            assert (cut > 0.5).sum() / 60**2 == pytest.approx(np.pi, rel=0.01)
            assert (cut > 0.5)[45:135, :].any(axis=0).sum() == pytest.approx(120, abs=2)

    def test_left_hips_are_mirrored_and_the_film_s_outside_is_unknown(self):
        pixels = np.tile(np.linspace(0, 1, 640, dtype=np.float32), (640, 1))
        rises = [np.diff(films.rectified(pixels, hip(side), (-1, 1, -1, 1), 20)[20])[5] for side in ("right", "left")]
        assert rises[0] > 0 > rises[1]
        beyond = films.rectified(pixels, hip(centre=(20.0, 250.0)), (-1, 1, -1, 1), 20)
        assert np.isnan(beyond[0]).all()
        assert np.isfinite(beyond[-1]).all()

    def test_enhancement_is_blind_to_exposure(self):
        pixels = joint_film(hip())
        one, other = films.enhanced(pixels), films.enhanced(0.4 * pixels + 0.3)
        assert one.min() >= 0
        assert one.max() <= 1
        assert np.abs(one - other).max() <= 4 / 255  # CLAHE rounds

    def test_phantoms_know_where_their_joint_is(self):
        (picture,) = films.phantom_pictures(1, 5)
        assert picture.pixels.shape == (640, 640)
        for marked in picture.hips:
            assert ((marked.radius_px > 30) & (marked.radius_px < 70)).all()
            distance, grey = figures.profiles(picture.pixels, marked, marked.roof)
            assert np.median(figures.best_steps(distance, grey, 1.0, reach=0.0)[0]) > 0


class TestCompare:
    def table(self, phantom_scale):
        def picture(scale):
            marked = hip(), hip("left", (300.0, 400.0))
            return films.Picture("synthetic", True, joint_film(marked[0], roof=scale), marked)

        real = [picture(scale) for scale in (0.85, 0.9, 0.95)]
        return compare.compare(real, [picture(phantom_scale)])

    def test_like_lies_within_and_unlike_does_not(self):
        alike, unlike = self.table(0.9), self.table(0.6)
        assert set(alike["form"]) == {"as drawn", "enhanced"}
        drawn = alike[alike["form"] == "as drawn"].set_index("figure")
        assert drawn.loc[read_off(drawn.index), "within"].all()
        row = unlike[(unlike["form"] == "as drawn") & (unlike["figure"] == "step_roof")].iloc[0]
        assert not row["within"]
        assert row["beyond"] < 0

    def test_table_to_read_names_its_source(self):
        text = compare.as_markdown(self.table(0.9))
        assert "FracAtlas" in text
        assert "CC BY 4.0" in text
        assert "| step_roof |" in text


class TestJudge:
    def judged(self, head=1.0, roof=1.15, side="right"):
        """A network that sees a head and a roof of these radii."""
        spec = judge.ViewSpec("test", 128, 128, 0.8, 0, "head", "view", 0.5, 99.5)
        marked = hip(side)
        view = judge.view_of(marked, (640, 640), spec)
        grid = np.stack(np.meshgrid(np.arange(128.0), np.arange(128.0), indexing="ij"), axis=-1)
        r = np.linalg.norm(grid - 63.5, axis=-1) * 0.8 / judge.RADIUS_MM
        up = np.rad2deg(np.arctan2(grid[..., 1] - 63.5, 63.5 - grid[..., 0]))
        arc = (up > -30) & (up < 35)
        femur = 1 - soft_step(r - head, 0.01)
        space = arc * (1 - femur) * (1 - soft_step(r - roof, 0.01))
        bone = arc * soft_step(r - roof, 0.01) * (r < 1.6)
        probs = np.stack([femur, bone, space]).astype(np.float32)
        return judge.Judged(marked, view, np.zeros((128, 128), np.float32), probs, {})

    @pytest.mark.parametrize("side", ["right", "left"])
    def test_a_network_that_is_right(self, side):
        judged = self.judged(side=side)
        row = judge.distances(judged)
        assert row["head_found"]
        assert row["roof_found"]
        assert row["head_mean"] < 0.01
        assert row["roof_mean"] < 0.02
        widths = judge.widths(judged)
        assert widths["mjsw_marks_mm"] == pytest.approx(0.15 * judge.RADIUS_MM, abs=0.05)
        assert widths["mjsw_pred_mm"] == pytest.approx(widths["mjsw_marks_mm"], abs=0.3)

    def test_wrong_by_a_known_distance(self):
        row = judge.distances(self.judged(head=1.1, roof=1.25))
        assert row["head_median"] == pytest.approx(0.1, abs=0.01)
        assert row["head_bias"] == pytest.approx(0.1, abs=0.01)
        assert row["roof_median"] == pytest.approx(0.1, abs=0.01)
        assert not row["head_found"]
        assert not row["roof_found"]

    def test_nothing_predicted_is_lost(self):
        judged = self.judged()
        judged.probs[:] = 0
        judged.row.update(judge.distances(judged) | judge.widths(judged))
        table = judge.as_table([judged])
        assert table.loc[0, "proposed"] == "lost"
        assert table.loc[0, "verdict"] == ""
        assert table.loc[0, "head_rays_found"] == 0
        assert table.loc[0, "reason"] == "no femur found"

    def test_stretch_is_undone_and_tiles_are_drawn(self):
        judged = self.judged()
        edge = judged.to_view(np.array([[-1.0, 0.0], [0.0, 1.0]])) - judged.to_view(np.zeros(2))
        np.testing.assert_allclose(np.linalg.norm(edge, axis=1), judge.RADIUS_MM / 0.8, rtol=1e-6)
        judged.row.update(judge.distances(judged))
        picture = judge.tile(judged)
        assert picture.shape == (judge.TILE_PX, judge.TILE_PX, 3)
        assert picture.max() > 0.9


@with_films
class TestRealFilms:
    def test_every_marked_film_is_there_and_stretched(self):
        for picture in films.real_pictures(FILMS):
            assert picture.pixels.shape == (marks.FILM_PX, marks.FILM_PX)
            assert len(picture.hips) == 2

    def test_marks_lie_on_edges(self):
        """Bone begins above the marked roof, and the head is brighter than the joint medially."""
        for picture in films.real_pictures(FILMS):
            _, low, high = figures.grey_range(picture, picture.pixels)
            for marked in picture.hips:
                distance, grey = figures.profiles(picture.pixels, marked, marked.roof)
                step = np.median(figures.best_steps(distance, grey, 1.0, reach=0.0)[0]) / (high - low)
                assert step > 0.04, (picture.name, marked.side)
                angle = np.deg2rad(np.arange(35, 60, 1.0))
                arc = np.column_stack([-np.cos(angle), np.sin(angle)])
                steps, _ = figures.best_steps(*figures.profiles(picture.pixels, marked, arc), -1.0, reach=0.06)
                assert np.median(steps) / (high - low) > 0.04, (picture.name, marked.side)

    def test_originals_were_smaller(self):
        """The resampling left a trace at the share of rows that the film had before (373 of 640)."""
        pixels = cv2.imread(str(FILMS / "IMG0000330.jpg"), cv2.IMREAD_GRAYSCALE).astype(float)
        trace = np.abs(np.diff(pixels, 2, axis=0)).mean(axis=1)
        trace -= np.convolve(np.pad(trace, 8, mode="edge"), np.ones(17) / 17, "valid")
        power = np.abs(np.fft.rfft(trace * np.hanning(len(trace)), 6400))
        share = np.arange(len(power)) / 6400
        assert power[np.abs(share - (1 - 373 / 640)) < 0.003].max() > 5 * np.median(power)
