"""Films by their content: every real file ends as its provenance says, and no damage ends in anything but a reason."""

import contextlib
import resource
import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
import tifffile
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from hipjsw.imaging.radiograph import FilmError, Radiograph
from hipjsw.imaging.reading import FORMATS, film_format, read_film

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_real = pytest.mark.skipif(not DATA.is_dir(), reason="the real films of shared/data are absent")

HIP = ((2140, 1760), (0.2, 0.2, "pixel_spacing"), False)
#: File: what is read (shape, spacing and its source, whether it is turned over, rules noted), or the rule.
ENDS = {
    "RG2_RLE.dcm": (*HIP, ()),
    "RG2_JPLL.dcm": (*HIP, ()),
    "RG2_JLSL.dcm": (*HIP, ()),
    "RG2_J2KR.dcm": (*HIP, ()),
    "RG2_J2KI.dcm": (*HIP, ("lossy",)),
    "RG2_JPLY.dcm": "undecodable",
    "RG3_JPLY.dcm": "undecodable",
    "RG3_RLE.dcm": ((1760, 1760), None, True, ("mirrored",)),
    "RG3_J2KI.dcm": ((1760, 1760), None, True, ("mirrored", "lossy")),
    "RG1_J2KI.dcm": ((1955, 1841), None, True, ("bad_spacing", "lossy")),
    "CR_6154.dcm": ((16, 16), (0.1, 0.1, "imager_pixel_spacing"), True, ()),
    "chrJapMulti.dcm": "no_pixels",
    "examples_overlay.dcm": "modality",
    "dx_image.dcm": ((169, 211), (1.2, 1.2012, "pixel_spacing"), True, ("anisotropic",)),
    "CR-MONO1-10-chest": ((440, 440), None, True, ()),
    "CR000000_becken_frontal_header_only.dcm": "no_pixels",
    "331_DDH_10.dcm": "colour",
    "malformed_j2k_966.dcm": "undecodable",
    "NEMA_WG04_README.txt": "not_dicom",
}


# The real files


@needs_real
def test_every_real_file_has_an_end():
    assert {path.name for path in (DATA / "dicom").iterdir()} == set(ENDS)


@needs_real
@pytest.mark.parametrize("name", ENDS)
def test_a_real_file_ends_as_its_provenance_says(name):
    end = ENDS[name]
    if isinstance(end, str):
        with pytest.raises(FilmError, match=name) as caught:
            read_film(DATA / "dicom" / name)
        assert caught.value.rule == end
        return
    shape, spacing, inverted, notes = end
    film = read_film(DATA / "dicom" / name)
    seen = film.spacing and (film.spacing.row_mm, pytest.approx(film.spacing.col_mm, abs=1e-6), film.spacing.source)
    assert (film.shape, seen) == (shape, spacing)
    assert (film.facts.rows, film.facts.cols, film.facts.inverted) == (*shape, inverted)
    assert tuple(rule for rule, _ in film.facts.notes) == notes


@needs_real
def test_the_four_lossless_files_of_one_hip_have_identical_pixels():
    first, *others = (read_film(DATA / "dicom" / f"RG2_{s}.dcm").pixels for s in ("RLE", "JPLL", "JLSL", "J2KR"))
    for other in others:
        np.testing.assert_array_equal(first, other)
    assert first.max() == 893
    assert read_film(DATA / "dicom" / "RG2_J2KI.dcm").pixels.max() == 937


@needs_real
def test_the_real_jpegs_are_grey_films_without_millimetres():
    paths = sorted((DATA / "radiographs").glob("IMG*.jpg"))
    assert len(paths) == 14
    for path in paths:
        film = read_film(path)
        assert (film.shape, film.spacing, film.facts.format) == ((640, 640), None, "jpeg")
        assert [rule for rule, _ in film.facts.notes] == ["lossy"]
        assert film.pixels.max() > 200


@needs_real
def test_a_headless_film_has_the_pixels_that_follow_its_header():
    content = (DATA / "dicom" / "CR-MONO1-10-chest").read_bytes()
    stored = np.frombuffer(content[-2 * 440 * 440 :], "<u2").reshape(440, 440)
    pixels = read_film(DATA / "dicom" / "CR-MONO1-10-chest").pixels
    np.testing.assert_array_equal(pixels, 1023 - stored.astype(int))


# Content against name


def files(film_file, folder):
    """One film in every format: by format, its path."""
    image = np.random.default_rng(2).integers(0, 256, (24, 20)).astype(np.uint8)
    paths = {kind: folder / f"whole.{kind}" for kind in FORMATS}
    shutil.copy(film_file(image, 8), paths["dicom"])
    paths["png"].write_bytes(cv2.imencode(".png", image)[1].tobytes())
    paths["jpeg"].write_bytes(cv2.imencode(".jpg", image)[1].tobytes())
    tifffile.imwrite(paths["tiff"], image)
    np.save(paths["npy"], image)
    return paths


def test_content_decides_and_a_wrong_ending_is_noted(film_file, tmp_path):
    for kind, path in files(film_file, tmp_path).items():
        assert film_format(path.read_bytes()[:256]) == kind
        for other, endings in FORMATS.items():
            for ending in (*endings, *(e.upper() for e in endings)):
                named = tmp_path / f"a film{ending}"
                shutil.copy(path, named)
                film = read_film(named)
                assert (film.shape, film.facts.format) == ((24, 20), kind)
                assert ("wrong_suffix" in [rule for rule, _ in film.facts.notes]) == (other != kind)
                named.unlink()


@pytest.mark.parametrize("name", ["1.2.840.113619.2", "IM000001", "film.IMA", "x.y.dcm"])
def test_the_end_of_a_uid_is_no_ending(film_file, tmp_path, name):
    path = film_file(np.arange(12, dtype=np.uint8).reshape(3, 4), 8, name=name)
    assert read_film(path).facts.notes == ()


@pytest.mark.parametrize("content", [b"", b"text", b"GIF89a" + bytes(300), bytes(400), b"BM" + bytes(300)])
def test_what_is_no_film_is_refused_by_either_door(tmp_path, content):
    (tmp_path / "film.dcm").write_bytes(content)
    for path in (tmp_path / "film.dcm", tmp_path / "none.dcm", tmp_path):
        with pytest.raises(FilmError) as caught:
            read_film(path)
        assert caught.value.rule == ("not_dicom" if path.is_file() else "unreadable")


def test_a_given_spacing_holds_for_every_format(film_file, tmp_path):
    for path in files(film_file, tmp_path).values():
        assert read_film(path, 0.143).spacing.row_mm == 0.143
        assert read_film(path, 0.143).spacing.source == "given"
        with pytest.raises(FilmError):
            read_film(path, 0.0)


# Any header


numbers = st.one_of(st.floats(), st.integers(-(2**40), 2**40))
texts = st.one_of(
    numbers.map(str), st.lists(numbers.map(str), max_size=4).map("\\".join), st.text("0123456789.,\\-eE x", max_size=12)
)
shorts = st.integers(0, 65535)
headers = st.fixed_dictionaries(
    {},
    optional={
        "PixelSpacing": texts.map(lambda t: ("DS", t)),
        "ImagerPixelSpacing": texts.map(lambda t: ("DS", t)),
        "NominalScannedPixelSpacing": texts.map(lambda t: ("DS", t)),
        "RescaleSlope": texts.map(lambda t: ("DS", t)),
        "RescaleIntercept": texts.map(lambda t: ("DS", t)),
        "WindowCenter": texts.map(lambda t: ("DS", t)),
        "WindowWidth": texts.map(lambda t: ("DS", t)),
        "NumberOfFrames": texts.map(lambda t: ("IS", t)),
        "Modality": st.sampled_from([("CS", t) for t in ("CR", "MR", "", "\x00")]),
        "PhotometricInterpretation": st.sampled_from([("CS", t) for t in ("MONOCHROME1", "MONOCHROME2", "RGB", "")]),
        **{
            tag: shorts.map(lambda v: ("US", v))
            for tag in ("Rows", "Columns", "BitsAllocated", "PixelRepresentation", "PixelPaddingValue")
        },
        "BitsStored": st.integers(0, 20).map(lambda v: ("US", v)),
        "HighBit": st.integers(0, 20).map(lambda v: ("US", v)),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(headers, st.booleans())
def test_any_header_gives_a_film_or_a_reason(film_file, header, voi):
    raw = {
        tag: (vr, value.to_bytes(2, "little") if vr == "US" else (value + " " * (len(value) % 2)).encode("latin-1"))
        for tag, (vr, value) in header.items()
    }
    try:
        path = film_file(np.arange(80, dtype=np.uint16).reshape(8, 10), 12, raw=raw)
    except OverflowError:
        reject()  # pydicom, writing, looks at NumberOfFrames and cannot make an integer of "inf"
    with contextlib.suppress(FilmError):
        film = read_film(path, voi=voi)
        assert film.pixels.shape == (film.facts.rows, film.facts.cols)
        assert np.isfinite(film.pixels).all()
        assert film.pixels.min() >= 0


# Damage


def small_films(film_file, folder):
    """A small film in every format and syntax, as bytes."""
    noise = np.random.default_rng(3).integers(0, 4096, (40, 36)).astype(np.uint16)
    found = {}
    for syntax in ("explicit", "implicit", "big", "rle", "jpeg", "jpegls", "j2k"):
        found[syntax] = film_file(noise, 12, syntax=syntax, PixelSpacing=[0.2, 0.2], Modality="DX").read_bytes()
    images = files(film_file, folder)
    return found | {kind: images[kind].read_bytes() for kind in ("png", "jpeg", "tiff", "npy")}


def damaged(content, rng):
    """Bytes with a few of them changed, mostly near the front where the header is, or cut."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        reach = len(changed) if rng.random() < 0.4 else min(len(changed), 1500)
        changed[rng.integers(reach)] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
    if rng.random() < 0.25:
        del changed[rng.integers(len(changed)) :]
    return bytes(changed)


def survives(path, content, what):
    """Read damaged bytes: a film or a reason, within two seconds; the rule, or an empty text for a film."""
    path.write_bytes(content)
    started, rule = time.perf_counter(), ""
    try:
        film = read_film(path, voi=bool(len(content) % 2))
        assert isinstance(film, Radiograph)
        assert np.isfinite(film.pixels).all()
    except FilmError as error:
        rule = error.rule
    except Exception as error:
        pytest.fail(f"{what}: {error.__class__.__name__}: {error}")
    assert time.perf_counter() - started < 2.0, what
    return rule


def test_damage_is_a_film_or_a_reason(film_file, tmp_path):
    films = small_films(film_file, tmp_path)
    ends = set()
    for number, (what, content) in enumerate(films.items()):
        rng = np.random.default_rng(number)
        ends |= {survives(tmp_path / "damaged", damaged(content, rng), f"{what} {n}") for n in range(60)}
    assert {"", "truncated", "bad_header", "undecodable", "no_pixels", "not_dicom"} <= ends


@pytest.mark.slow
def test_damage_is_a_film_or_a_reason_for_a_minute(film_file, tmp_path):
    films = small_films(film_file, tmp_path)
    rng, end, count = np.random.default_rng(int(time.time())), time.monotonic() + 60, 0
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while time.monotonic() < end:
        for what, content in films.items():
            survives(tmp_path / "damaged", damaged(content, rng), f"{what} {count}")
            count += 1
    assert count > 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 600_000


def test_no_text_of_a_header_reaches_a_message_a_note_or_a_log(film_file, caplog):
    text = b"DOE^JANE"
    kinds = {"PixelSpacing": "DS", "RescaleSlope": "DS", "NumberOfFrames": "IS", "Modality": "CS", "Rows": "IS",
             "PhotometricInterpretation": "CS", "SamplesPerPixel": "IS", "PresentationLUTShape": "CS",
             "WindowCenter": "DS", "LossyImageCompression": "CS", "BurnedInAnnotation": "CS"}  # fmt: skip
    said = []
    for tag, vr in kinds.items():
        path = film_file(np.arange(80, dtype=np.uint16).reshape(8, 10), 12, raw={tag: (vr, text)})
        assert text in path.read_bytes()
        caplog.clear()
        with caplog.at_level("DEBUG"):
            try:
                film = read_film(path, voi=True)
                said.append(str(film.facts))
            except FilmError as error:
                said.append(str(error))
        said += [record.getMessage() for record in caplog.records]
    assert len(said) >= len(kinds)
    assert not [line for line in said if "DOE" in line.upper()]
    assert pydicom.config.settings.reading_validation_mode == pydicom.config.WARN  # left as it was found
