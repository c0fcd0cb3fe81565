"""The picture of a fingerprint."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from hipjsw.cohort.film_record import FilmRecord, HipRecord
from hipjsw.cohort.fingerprint import cohort_fingerprint
from hipjsw.cohort.layout import FilmEntry
from hipjsw.imaging.radiograph import FilmFacts
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.reporting.fingerprint_figure import draw_fingerprint

FACTS = FilmFacts("dicom", 2316, 1860, 12, "MONOCHROME1", True, "CR", "RLE Lossless")


def fingerprint(names, num=10, seed=0):
    rng = np.random.default_rng(seed)
    films = []
    for place, name in enumerate(names):
        for n in range(num):
            hips = tuple(
                HipRecord(side, "head_radius" if n == 0 else "", rng.normal(4, 0.9), rng.normal(55 + place, 3))
                for side in ("right", "left")
            )
            spacing = PixelSpacing(0.1 + 0.05 * place, 0.1 + 0.05 * place, list(SpacingSource)[place % 4])
            films.append(FilmRecord(FilmEntry(name, f"{n}", "V00", f"{n}"), facts=FACTS, spacing=spacing, hips=hips))
    return cohort_fingerprint(films)


@pytest.fixture
def drawn(monkeypatch):
    figures, save = [], Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *args, **more: (figures.append(self), save(self, *args, **more))
    )
    return figures


def panel(figure, title):
    return next(axes for axes in figure.axes if axes.get_title() == title)


def texts(figure):
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_numbers_stand_where_they_belong(tmp_path, drawn):
    found = fingerprint(["CHECK", "OAI"])
    path = draw_fingerprint(found, tmp_path / "deep" / "fingerprint.png")
    assert imread(path).std() > 0.05
    (figure,) = drawn
    spacings = panel(figure, "Pixel spacing").collections
    assert [float(marks.get_offsets()[0, 0]) for marks in spacings] == pytest.approx([0.1, 0.15])
    size = panel(figure, "Film size")
    assert [tuple(marks.get_offsets()[0]) for marks in size.collections] == [(1860, 2316)] * 2
    assert size.get_xlim()[0] < 1860 < size.get_xlim()[1]
    assert size.get_ylim()[0] < 2316 < size.get_ylim()[1]
    assert "20 films of 20 persons, 36 of 40 hips usable" in texts(figure)


@pytest.mark.parametrize(("title", "key"), [("Joint space", "mjsw_mm"), ("Femoral heads", "head_diameter_mm")])
def test_histograms_are_shares_that_add_up_to_all_hips(tmp_path, drawn, title, key):
    found = fingerprint(["CHECK", "OAI"])
    found["cohorts"]["OAI"][key]["num_above"] += 5
    found["cohorts"]["OAI"][key]["num"] += 5
    draw_fingerprint(found, tmp_path / "a.png")
    axes = panel(drawn[0], title)
    shares = [patch.get_data().values for patch in axes.patches if hasattr(patch, "get_data")]
    assert [share.sum() for share in shares] == pytest.approx([100] * 4)
    means = [float(line[0].get_xdata()[0]) for line in axes.containers]
    assert means == [found["cohorts"][name][key]["mean"] for name in ("CHECK", "OAI")]


def test_hips_left_out_are_shares_of_their_cohort(tmp_path, drawn):
    draw_fingerprint(fingerprint(["CHECK", "OAI"], num=10), tmp_path / "a.png")
    bars = panel(drawn[0], "Hips left out, by rule").patches
    assert [bar.get_width() for bar in bars] == pytest.approx([10.0, 10.0])


@pytest.mark.parametrize(
    "names",
    [["$x^$"], ["漢字 🦴"], ["_hidden"], ["a\nb\x00\udcff"], ["x" * 300], [""], [f"cohort {n}" for n in range(9)]],
)
def test_any_names_and_number_of_cohorts_are_drawn_without_a_warning(tmp_path, names):
    assert draw_fingerprint(fingerprint(names, num=2), tmp_path / "a.png").is_file()


def test_an_empty_cohort_and_films_without_anything_are_drawn(tmp_path):
    draw_fingerprint(cohort_fingerprint([]), tmp_path / "a.png")
    bare = FilmRecord(FilmEntry("OAI", "1", "V00", "a"), hips=(HipRecord("right", "truncated"),))
    draw_fingerprint(cohort_fingerprint([bare]), tmp_path / "b.png")


def test_one_hip_has_a_mean_and_no_spread(tmp_path):
    one = FilmRecord(FilmEntry("OAI", "1", "V00", "a"), hips=(HipRecord("right", "", 3.0, 55.0),))
    assert draw_fingerprint(cohort_fingerprint([one]), tmp_path / "a.png").is_file()


def test_same_fingerprint_gives_the_same_bytes(tmp_path):
    one, other = (draw_fingerprint(fingerprint(["OAI"]), tmp_path / name) for name in ("a.png", "b.png"))
    assert one.read_bytes() == other.read_bytes()
