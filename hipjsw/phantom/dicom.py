"""A phantom's film as a DICOM file (Computed Radiography, explicit VR little endian, uncompressed)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from hipjsw.phantom.film import Film
from hipjsw.phantom.planting import Plant
from hipjsw.phantom.population import stream

__all__ = ["encode"]

#: Purpose of this module's random numbers (see ``population.stream``).
_STREAM = 10


def _uid(*parts: object) -> str:
    """A UID under 2.25 that depends on the parts alone."""
    digest = hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def _header(film: Film) -> Dataset:
    person, visit, kind = film.person, film.visit, film.placement.format
    key = "hipjsw-phantom", film.seed, person.index
    header = Dataset()
    if not person.subject.isascii():
        header.SpecificCharacterSet = "ISO_IR 192"
    header.ImageType = ["ORIGINAL", "PRIMARY"]
    header.SOPClassUID = ComputedRadiographyImageStorage
    header.StudyInstanceUID = _uid(*key, visit.number, "study")
    header.SeriesInstanceUID = _uid(*key, visit.number, "series")
    header.StudyDate = header.SeriesDate = header.AcquisitionDate = visit.day.strftime("%Y%m%d")
    header.StudyTime = "120000"
    header.AccessionNumber = ""
    header.Modality = "CR"
    header.Manufacturer = "hipjsw phantom"
    header.ReferringPhysicianName = ""
    header.StudyDescription = header.SeriesDescription = "AP PELVIS PHANTOM"
    header.PatientName = header.PatientID = person.subject
    header.PatientBirthDate = ""
    header.PatientSex = person.sex
    header.PatientIdentityRemoved = "YES"
    header.DeidentificationMethod = "made-up person"
    header.BodyPartExamined = "HIP" if film.plant is Plant.SINGLE_HIP else "PELVIS"
    header.ViewPosition = "AP"
    _exposure(header, film)
    header.BurnedInAnnotation = "NO"
    header.LossyImageCompression = "00"
    header.StudyID = header.SeriesNumber = header.InstanceNumber = "1"
    if kind.laterality:
        header.Laterality = kind.laterality
    header.PixelSpacing = [kind.pixel_mm, kind.pixel_mm]
    header.ImagerPixelSpacing = [kind.imager_mm, kind.imager_mm]
    return header


def _exposure(header: Dataset, film: Film) -> None:
    """What the generator was set to, in values usual for a pelvic film at a table.

    The tube voltage falls as the film's contrast of bone rises, the charge rises with the quanta that arrive and the
    body they must pass; tube current and distance are drawn.
    """
    rng = stream(film.seed, film.person.index, _STREAM, film.visit.number)
    header.KVP = str(round(float(np.clip(75.0 - 60.0 * (film.look.bone - 1.0), 50.0, 120.0))))
    thickness = np.exp(1.5 * (film.person.size - 1.0))
    charge_mas = round(float(np.clip(32.0 * thickness * film.look.quanta / 5.0e4, 1.0, 400.0)))
    current_ma = int(rng.choice([160, 200, 250, 320, 400]))
    header.Exposure, header.XRayTubeCurrent = str(charge_mas), str(current_ma)
    header.ExposureTime = str(round(1000 * charge_mas / current_ma))
    header.DistanceSourceToDetector = str(int(rng.choice([1000, 1050, 1100, 1150])))


def encode(film: Film, stored: NDArray[np.uint16], change: Callable[[Dataset], None] | None = None) -> bytes:
    """The film as the bytes of a DICOM file; equal films give equal bytes.

    Args:
        film: What lies where.
        stored: uint16 stored values ``(rows, cols)``.
        change: Applied to the data set, its pixels included, before it is written.
    """
    kind = film.placement.format
    header, pixels = _header(film), stored.astype("<u2").tobytes()
    header.SOPInstanceUID = _uid(header.SeriesInstanceUID, hashlib.sha256(pixels).hexdigest())
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME1" if kind.inverted else "MONOCHROME2"
    header.Rows, header.Columns = stored.shape
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, kind.bits, kind.bits - 1
    header.PixelRepresentation = 0
    low, high = (int(v) for v in np.percentile(stored[::8, ::8], (2.0, 99.5)))
    header.WindowCenter, header.WindowWidth = str((low + high) // 2), str(max(high - low, 1))
    header.PixelData = pixels
    header["PixelData"].VR = "OW"
    header.file_meta = FileMetaDataset()
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if change is not None:
        change(header)
    buffer = io.BytesIO()
    dcmwrite(buffer, header, enforce_file_format=True)
    return buffer.getvalue()
