"""The accuracy benchmarks at toy size: they run, count right, and are drawn where they belong."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks" / "accuracy"))

import ideal  # noqa: E402
import invariance  # noqa: E402
import run  # noqa: E402
import speed  # noqa: E402
import tables  # noqa: E402

from hipjsw.anatomy.landmarks import Side  # noqa: E402
from hipjsw.jsw.profile import Unmeasurable  # noqa: E402
from hipjsw.phantom.shape import closest_approach  # noqa: E402


def disc_joint(pixel_mm=0.5, gap_px=8):
    """A bar of femur below a bar of joint space below a bar of roof."""
    masks = np.zeros((3, 60, 60), dtype=bool)
    masks[0, 30:, 10:50], masks[2, 30 - gap_px : 30, 10:50], masks[1, 5 : 30 - gap_px, 10:50] = True, True, True
    return masks, pixel_mm


# The document


def a_part(name, cell="1.5"):
    return tables.Part(name, "Two hips.", [tables.Table("A table.", ["what", "mm"], [["one", cell]])], {"x": 1.0})


def test_a_part_is_drawn_between_its_markers_and_nothing_else_is_touched(tmp_path):
    document, out = tmp_path / "a.md", tmp_path / "out"
    prose = [
        "# Title\n\n",
        "<!-- begin: b -->\nold\n<!-- end: b -->",
        "\nmore\n",
        "<!-- begin: c -->\nkept\n<!-- end: c -->\n",
    ]
    document.write_text("".join(prose))
    assert tables.render(document, out) == []
    assert document.read_text() == "".join(prose)
    tables.write_result(out, a_part("b"), "python x.py --hips 2")
    assert tables.render(document, out) == ["b"]
    once = document.read_text()
    assert once.startswith(prose[0] + "<!-- begin: b -->\nTwo hips. `python x.py --hips 2` (hipjsw ")
    assert "| what | mm |\n| --- | ---: |\n| one | 1.5 |\n<!-- end: b -->" + prose[2] + prose[3] in once
    assert "old" not in once
    tables.render(document, out)
    assert document.read_text() == once


@pytest.mark.parametrize(
    "text",
    ["no markers", "<!-- begin: b -->", "<!-- end: b --><!-- begin: b -->", "<!-- begin: b --><!-- end: b -->" * 2],
)
def test_a_part_without_its_place_is_said_and_the_document_stays(tmp_path, text):
    document = tmp_path / "a.md"
    document.write_text(text)
    tables.write_result(tmp_path / "out", a_part("b"), "x")
    with pytest.raises(ValueError, match=r"a\.md: put '<!-- begin: b -->'"):
        tables.render(document, tmp_path / "out")
    assert document.read_text() == text


def test_a_result_says_what_made_it_and_no_number_is_nan(tmp_path):
    result = json.loads(tables.write_result(tmp_path, a_part("b"), "python x.py").read_text())
    assert (result["name"], result["command"], result["numbers"]) == ("b", "python x.py", {"x": 1.0})
    assert {"machine", "date", "version", "phantom_version"} < set(result)
    with pytest.raises(ValueError, match="part b: a number is not finite"):
        tables.write_result(tmp_path, tables.Part("b", "", [], {"x": float("nan")}), "x")
    with pytest.raises(ValueError, match="a row has not 2 cells"):
        tables.Table("t", ["a", "b"], [["1"]]).markdown()


def test_errors_are_summed_up():
    assert tables.spread([]) == {}
    assert tables.spread([-0.5]) == {"num": 1, "bias": -0.5, "mae": 0.5, "p95": 0.5, "worst": -0.5}
    found = tables.spread([1.0, -3.0, 2.0])
    assert found == pytest.approx({"num": 3, "bias": 0, "mae": 2, "p95": 2.9, "worst": -3, "sd": np.sqrt(7)})
    assert [tables.signed(v) for v in (0.0004, -0.0004, 0.0126, -1)] == ["0.000", "0.000", "+0.013", "-1.000"]
    assert tables.counted(["head of 16 mm", "none", "head of 17.5 mm"]) == {"head of N mm": 2, "none": 1}


# Ideal maps


def test_border_pixels_are_measured_from_centre_to_centre():
    masks, pixel_mm = disc_joint()
    assert ideal.border_width(masks, pixel_mm) == pytest.approx(
        9 * pixel_mm
    )  # eight of space, half a pixel either side
    masks[2] = False
    assert isinstance(ideal.border_width(masks, pixel_mm), Unmeasurable)


def test_hard_masks_give_each_pixel_to_what_covers_most_of_it():
    maps = np.array([[[0.3, 0.6, 0.1]], [[0.3, 0.2, 0.2]], [[0.4, 0.2, 0.2]]])
    np.testing.assert_array_equal(ideal.hard_masks(maps)[:, 0], [[0, 1, 0], [0, 0, 0], [1, 0, 0]])


def test_ideal_hips_are_one_a_person_on_alternating_sides_and_right_to_a_tenth_of_a_pixel():
    part = ideal.run(hips=3, workers=1, sizes_mm=(0.4, 0.8))
    sizes = part.numbers["sizes"]
    assert list(sizes) == ["0.4", "0.8"]
    for size, found in sizes.items():
        assert found["contour"]["num"] + found["unmeasurable"]["contour"] == 3
        assert sum(of_place.get("num", 0) for of_place in found["places"].values()) == found["contour"]["num"]
        assert found["contour"]["mae"] < min(0.1 * float(size), found["study"]["mae"])
        assert found["mean_mm"]["mae"] < 0.02
    assert [ideal.laid_hip(n).side for n in range(3)] == [Side.RIGHT, Side.LEFT, Side.RIGHT]
    assert all(table.markdown() for table in part.tables)


# Invariance


@pytest.mark.parametrize("by_mm", [0.25, 1.0])
def test_a_thinned_hip_has_lost_exactly_so_much(by_mm):
    for index in range(3):
        hip = ideal.laid_hip(index)
        moved = invariance.thinned(hip, by_mm)
        left_mm = closest_approach(moved.hip.sourcil, moved.hip.femur, 0.1, hip.half.hip.head_span)[0]
        assert left_mm == pytest.approx(hip.mjsw_mm - by_mm, abs=1e-4)
        assert invariance.thinned(hip, hip.mjsw_mm) is None


def test_a_mirrored_hip_is_its_map_turned_round():
    hip = ideal.laid_hip(1)
    turned = invariance.ideal_maps(invariance.mirrored(hip), 0.8, -hip.turn_deg, (hip.shift_mm[0], -hip.shift_mm[1]))
    np.testing.assert_allclose(turned[:, :, ::-1], hip.maps(0.8), atol=1e-5)


def test_resampling_turns_as_drawing_does():
    hip = ideal.laid_hip(2)
    drawn = invariance.ideal_maps(hip.half, 0.4, hip.turn_deg, (0.0, 0.0))
    turned = invariance.ideal_maps(hip.half, 0.4, hip.turn_deg + 15.0, (0.0, 0.0))
    middle = slice(64, -64)  # beyond, the femur's shaft comes in from outside the first map
    assert np.abs(invariance.resampled(drawn, 15.0) - turned)[:, middle, middle].mean() < 0.01
    np.testing.assert_array_equal(invariance.resampled(drawn), drawn)


def test_changes_are_counted_and_small():
    part = invariance.run(hips=1, workers=1)
    found = part.numbers["changes"]
    times = {name: of_name["errors"].get("num", 0) + sum(of_name["lost"].values()) for name, of_name in found.items()}
    assert times["shift by parts of a pixel, redrawn"] == invariance.SHIFTS
    assert times["turn by 15 degrees, redrawn"] == 2
    assert times["padding by zeros"] == len(invariance.PADDINGS)
    assert times["thinner by 1 mm"] == 1
    assert all(abs(of_name["errors"]["worst"]) < 0.2 for of_name in found.values())
    assert all(table.markdown() for table in part.tables)


# Speed


def test_parts_add_up_to_the_whole_and_nothing_stays_wrapped():
    before = dict(vars(speed.contour))
    part = speed.run(hips=2, repeats=3)
    assert dict(vars(speed.contour)) == before
    ms = part.numbers["ms"]
    assert {speed.WHOLE, speed.STUDY, speed.REST} < set(ms)
    assert set(speed.PARTS.values()) <= set(ms), "a part of the measurement has another name now; mend speed.PARTS"
    assert all(0 <= of_part["least_ms"] <= of_part["median_ms"] for of_part in ms.values())
    assert all(table.markdown() for table in part.tables)


# The command


def test_the_command_writes_results_and_draws_them(tmp_path, capsys, monkeypatch):
    document = tmp_path / "accuracy.md"
    document.write_text("<!-- begin: ideal -->\n<!-- end: ideal -->\nend\n")
    monkeypatch.setattr(ideal, "run", lambda hips, workers: a_part("ideal", f"{hips}.{workers}"))
    where = ["--out", str(tmp_path / "out"), "--document", str(document)]
    run.main(["--parts", "ideal", "--hips", "3", "--workers", "1", *where])
    assert "| one | 3.1 |" in document.read_text()
    assert "`python benchmarks/accuracy/run.py --parts ideal --hips 3`" in document.read_text()
    run.main(["--parts", *where])
    assert "accuracy.md: ideal" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run.main(["--hips", "1", *where])


def test_without_a_number_each_part_has_its_own():
    made = run.parts(SimpleNamespace(hips=None, workers=1))
    assert list(made) == ["ideal", "invariance", "speed"]
