"""DICOM films written for a test."""

import numpy as np
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian


def write_film(path, pixels, bits=None, raw=None, **header):
    """Write ``pixels`` as a single-frame greyscale film; header values by keyword, None leaves one out.

    Values under ``raw`` (keyword -> (VR, bytes)) go into the file as they are, however wrong.
    """
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = ComputedRadiographyImageStorage, "1.2.3.4"
    data.Rows, data.Columns = pixels.shape[-2:] if pixels.shape[-1] != 3 else pixels.shape[:2]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = pixels.dtype.itemsize * 8
    data.BitsStored = bits or data.BitsAllocated
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    data["PixelData"].VR = "OW"
    for keyword, value in header.items():
        if value is None:
            del data[keyword]
        else:
            setattr(data, keyword, value)
    for keyword, (vr, content) in (raw or {}).items():
        tag = Tag(tag_for_keyword(keyword))
        data._dict[tag] = RawDataElement(tag, vr, len(content), content, 0, False, True)
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def film_file(tmp_path):
    """Writer of ``film.dcm``: ``film_file(pixels, bits=12, PixelSpacing=[0.2, 0.2])``."""

    def write(pixels, bits=None, raw=None, **header):
        return write_film(tmp_path / "film.dcm", np.asarray(pixels), bits, raw, **header)

    return write
