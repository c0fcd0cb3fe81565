"""SEG and SR of a measured film, read back by highdicom and pydicom, and checked by dciodvfy where there is one."""

import shutil
import subprocess
from dataclasses import replace

import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from hipjsw.anatomy.labels import label_coverage
from hipjsw.anatomy.landmarks import Side
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.imaging.view import HipView
from hipjsw.inference.locate import FoundHip
from hipjsw.inference.measure import MeasuredFilm, MeasuredHip
from hipjsw.jsw.contour import find_joint, measure_probabilities
from hipjsw.jsw.profile import Unmeasurable
from hipjsw.reporting.dicom_report import DicomReportError, film_masks, write_dicom_reports

SHAPE, SPACING = (600, 900), PixelSpacing(0.25, 0.25, SpacingSource.PIXEL)
HEADS_PX = {Side.RIGHT: (300.0, 250.0), Side.LEFT: (310.0, 640.0)}


@pytest.fixture
def film(tmp_path):
    """A CR film's file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    source = FileDataset("film.dcm", {}, file_meta=meta, preamble=b"\0" * 128)
    source.SOPClassUID, source.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    source.StudyInstanceUID, source.SeriesInstanceUID = generate_uid(), generate_uid()
    source.PatientName, source.PatientID, source.PatientBirthDate, source.PatientSex = "Doe^Jo", "7", "19500101", "F"
    source.StudyDate, source.StudyTime, source.AccessionNumber, source.StudyID = "20200101", "120000", "", "1"
    source.Modality, source.SeriesNumber, source.InstanceNumber = "CR", 1, 1
    source.Rows, source.Columns = SHAPE
    source.SamplesPerPixel, source.PhotometricInterpretation = 1, "MONOCHROME2"
    source.BitsAllocated, source.BitsStored, source.HighBit, source.PixelRepresentation = 16, 12, 11, 0
    source.PixelSpacing = [0.25, 0.25]
    source.PixelData = np.zeros(SHAPE, np.uint16).tobytes()
    source.save_as(tmp_path / "film.dcm")
    return tmp_path / "film.dcm"


@pytest.fixture
def measured(circle_hip):
    """Both hips, as a network without error would say them."""
    hips = []
    for side, width in ((Side.RIGHT, 3.0), (Side.LEFT, 5.0)):
        form = circle_hip(roof_radius_mm=26.0 + width)
        head_mm = SPACING.to_mm(np.array(HEADS_PX[side]))
        view = HipView((256, 256), 0.4, head_mm, side is Side.LEFT, SPACING)
        landmarks = form.landmarks((127.5, 127.5), 1 / 0.4)
        probs = label_coverage(landmarks, (256, 256))[1:]
        found = FoundHip(side, HEADS_PX[side], (208.0, 208.0), 0.9)
        joint, width_mm = find_joint(probs, 0.4), measure_probabilities(probs, 0.4)
        hips.append(MeasuredHip(found, width_mm, view, np.zeros((256, 256), np.float32), probs, joint, None))
    return MeasuredFilm(tuple(hips), SPACING, SPACING)


@pytest.fixture
def written(film, measured, tmp_path):
    paths = write_dicom_reports(film, measured, "ab" * 32, tmp_path / "out")
    return [dcmread(path) for path in paths]


def test_masks_lie_on_the_films_own_pixels(measured, circle_hip):
    for hip in measured.hips:
        form = circle_hip(roof_radius_mm=26.0 + {Side.RIGHT: 3.0, Side.LEFT: 5.0}[hip.side])
        row, col = HEADS_PX[hip.side]
        mirrored = hip.side is Side.LEFT
        place = (row, SHAPE[1] - 1 - col if mirrored else col)
        planes = label_coverage(form.landmarks(place, 1 / 0.25), SHAPE)
        expected = np.stack([planes.argmax(0) == n for n in (1, 2, 3)])
        expected = expected[:, :, ::-1] if mirrored else expected
        masks = film_masks(hip, SHAPE)
        far_px = np.abs(np.indices(SHAPE) - np.reshape((row, col), (2, 1, 1))).max(axis=0)
        view_px = 128 * 0.4 / 0.25
        wrong = ((masks != expected) & (far_px < view_px - 2)).sum(axis=(1, 2))
        assert (wrong < 0.01 * expected.sum(axis=(1, 2)) + 30).all()
        assert not masks[:, far_px > view_px + 1].any()


@pytest.mark.parametrize("head_px", [(300.0, 250.0), (20.0, 30.0), (590.0, 880.0), (-90.0, 400.0)])
@pytest.mark.parametrize("mirrored", [False, True])
def test_nothing_that_the_view_shows_of_the_film_is_left_out(measured, head_px, mirrored):
    ones = np.stack([np.ones((256, 256)), np.zeros((256, 256)), np.zeros((256, 256))]).astype(np.float32)
    view = HipView((256, 256), 0.4, SPACING.to_mm(np.array(head_px)), mirrored, SPACING)
    femur = film_masks(replace(measured.hips[0], view=view, probs=ones), SHAPE)[0]
    at = view.from_film_mm(SPACING.to_mm(np.stack(np.indices(SHAPE), axis=-1).astype(float)))
    beyond = np.maximum(-at, at - 255.0).max(axis=-1)
    assert femur[beyond <= 0.45].all()  # half a pixel beyond, background is as likely
    assert not femur[beyond >= 0.55].any()


def test_the_segmentation_comes_back_pixel_for_pixel(written, measured):
    seg = written[0]
    labels = [str(one.SegmentLabel) for one in seg.SegmentSequence]
    names = ("femur", "acetabulum", "joint space")
    assert labels == [f"{name}, {side} hip" for side in ("right", "left") for name in names]
    expected = np.concatenate([film_masks(hip, SHAPE) for hip in measured.hips])
    pixels = seg.pixel_array.astype(bool)
    assert pixels.shape == expected.shape
    assert np.array_equal(pixels, expected)
    frames = [
        frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber for frame in seg.PerFrameFunctionalGroupsSequence
    ]
    assert frames == [1, 2, 3, 4, 5, 6]
    assert list(seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing) == [0.25, 0.25]


def test_a_spacing_that_was_not_believed_is_not_handed_on(film, measured, tmp_path):
    header = dcmread(film)
    header.PixelSpacing = [0, 0]
    header.save_as(film)
    paths = write_dicom_reports(film, replace(measured, spacing=None), "ab" * 32, tmp_path / "out")
    seg = dcmread(paths[0])
    assert not [element for element in seg.iterall() if "PixelSpacing" in element.keyword]


def test_the_report_says_millimetres_and_between_which_places(written, measured):
    report = written[1]
    groups = hd.sr.MeasurementReport.from_sequence([report], is_root=True).get_image_measurement_groups()
    assert len(groups) == 2
    for group, hip in zip(groups, measured.hips, strict=True):
        (width,) = (m for m in group.get_measurements() if m.name.value == "MJSW")
        assert width.value == pytest.approx(hip.width.mjsw_mm, abs=1e-4)
        assert width.unit.value == "mm"
        assert group.finding_sites[0].laterality.meaning.lower() == hip.side.value
        places = np.array(width.referenced_coordinates[0].value) if width.referenced_coordinates else None
        assert places is not None
        length_px = np.linalg.norm(places[0] - places[1])
        assert length_px * 0.25 == pytest.approx(hip.width.mjsw_mm, abs=1e-3)


def test_both_belong_to_the_sources_patient_and_study_and_are_made_the_same_again(film, measured, written, tmp_path):
    source = dcmread(film)
    again = [dcmread(path) for path in write_dicom_reports(film, measured, "ab" * 32, tmp_path / "again")]
    for one, other in zip(written, again, strict=True):
        for name in ("PatientID", "PatientName", "StudyInstanceUID"):
            assert getattr(one, name) == getattr(source, name)
        assert one.SOPInstanceUID == other.SOPInstanceUID
        assert one.SOPInstanceUID != source.SOPInstanceUID
    assert len({one.SOPInstanceUID for one in written}) == 2


def test_a_hip_without_width_and_a_film_without_spacing_are_said(film, measured, tmp_path):
    hips = (replace(measured.hips[0], width=Unmeasurable("no roof")), measured.hips[1])
    for one in (replace(measured, hips=hips), replace(measured, spacing=None)):
        report = dcmread(write_dicom_reports(film, one, "cd" * 32, tmp_path / "x")[1])
        groups = hd.sr.MeasurementReport.from_sequence([report], is_root=True).get_image_measurement_groups()
        said = [group.get_qualitative_evaluations()[0].value.meaning for group in groups]
        assert said == (["Not measured", "Measured"] if one.spacing else ["Not measured"] * 2)
        assert [len(group.get_measurements()) for group in groups] == ([0, 3] if one.spacing else [0, 0])


def test_without_hips_nothing_is_written_and_a_nameless_film_is_refused(film, measured, tmp_path):
    assert write_dicom_reports(film, replace(measured, hips=()), "", tmp_path / "none") == []
    source = dcmread(film)
    del source.StudyInstanceUID
    source.save_as(tmp_path / "nameless.dcm")
    with pytest.raises(DicomReportError, match="no StudyInstanceUID"):
        write_dicom_reports(tmp_path / "nameless.dcm", measured, "", tmp_path / "none")


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed (Debian: dicom3tools)")
def test_dciodvfy_finds_no_error(film, measured, tmp_path):
    for path in write_dicom_reports(film, measured, "ab" * 32, tmp_path / "out"):
        done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
        errors = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]
        assert errors == []
