"""A film as a DICOM file: it reads back, its header is a real film's, and nobody is named."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from hipjsw.phantom.dicom import encode
from hipjsw.phantom.film import place, render
from hipjsw.phantom.population import draw_person

SEED = 7


def find(name: str) -> tuple[int, int]:
    """Index and visit of the first film of a format."""
    for index in range(60):
        person = draw_person(SEED, index)
        for number, visit in enumerate(person.visits):
            if place(SEED, person, visit).placement.format.name == name:
                return index, number
    raise AssertionError(name)


@pytest.mark.parametrize(
    ("name", "spacing", "imager", "bits", "photometric"),
    [
        ("OAI", 0.16896, 0.16896, 12, "MONOCHROME2"),
        ("CHECK-A", 0.141, 0.143, 15, "MONOCHROME2"),
        ("CHECK-B", 0.10, 0.10, 10, "MONOCHROME1"),
    ],
)
def test_film_reads_back(tmp_path: Path, name: str, spacing: float, imager: float, bits: int, photometric: str) -> None:
    index, number = find(name)
    person = draw_person(SEED, index)
    film = place(SEED, person, person.visits[number])
    stored = render(film)
    (tmp_path / "film.dcm").write_bytes(encode(film, stored))
    header = pydicom.dcmread(tmp_path / "film.dcm")
    np.testing.assert_array_equal(header.pixel_array, stored)
    assert [float(v) for v in header.PixelSpacing] == [spacing, spacing]
    assert [float(v) for v in header.ImagerPixelSpacing] == [imager, imager]
    assert (header.BitsAllocated, header.BitsStored, header.HighBit) == (16, bits, bits - 1)
    assert header.PhotometricInterpretation == photometric
    assert header.SOPClassUID.name == "Computed Radiography Image Storage"
    assert str(header.PatientName) == header.PatientID == person.subject
    assert header.StudyDate == person.visits[number].day.strftime("%Y%m%d")
    assert (header.BodyPartExamined, header.ViewPosition, header.BurnedInAnnotation) == ("PELVIS", "AP", "NO")
    assert 50 <= float(header.KVP) <= 120
    assert int(header.ExposureTime) == round(1000 * int(header.Exposure) / int(header.XRayTubeCurrent))
    assert 1000 <= float(header.DistanceSourceToDetector) <= 1200
    assert 0 < float(header.WindowWidth) < 2**bits
    assert (header.PatientBirthDate, header.PatientIdentityRemoved) == ("", "YES")
    assert not {"PatientAge", "InstitutionName", "StationName", "OperatorsName"} & set(header.dir())
    assert encode(film, stored) == (tmp_path / "film.dcm").read_bytes()
    assert stored.max() < 2**bits
    middle = stored[stored.shape[0] // 4 : -stored.shape[0] // 4]
    assert np.std(middle) > 0.03 * 2**bits
