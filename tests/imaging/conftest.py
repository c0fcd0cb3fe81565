"""DICOM films written for a test."""

import gdcm
import jpeg_ls
import numpy as np
import openjpeg
import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import (
    JPEG2000,
    ComputedRadiographyImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

#: Transfer syntaxes a test may write.
SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big": ExplicitVRBigEndian,
    "rle": RLELossless,
    "jpeg": JPEGLosslessSV1,
    "jpegls": JPEGLSLossless,
    "j2k": JPEG2000Lossless,
    "j2k_lossy": JPEG2000,
}


def write_film(path, pixels, bits=None, raw=None, syntax="explicit", headless=False, **header):
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
    uid = SYNTAXES[syntax]
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if uid.is_compressed else uid
    if syntax in ("jpegls", "j2k", "j2k_lossy", "rle"):
        _compress(data, pixels, syntax)
    if syntax == "big":
        data.PixelData = pixels.byteswap().tobytes() if pixels.itemsize > 1 else _pairs_swapped(data.PixelData)
    if headless:
        data.file_meta = FileMetaDataset()
        data.save_as(path, enforce_file_format=False, implicit_vr=syntax == "implicit", little_endian=True)
        return path
    data.save_as(path, enforce_file_format=True)
    if syntax == "jpeg":
        _changed_by_gdcm(path)
    return path


def _pairs_swapped(content):
    return np.frombuffer(content, np.uint16).byteswap().tobytes()


def _compress(data, pixels, syntax):
    data.file_meta.TransferSyntaxUID = SYNTAXES[syntax]
    if syntax == "rle":
        data.compress(RLELossless, pixels.reshape(data.Rows, data.Columns), generate_instance_uid=False)
        return
    unsigned = np.ascontiguousarray(pixels).view(f"u{pixels.itemsize}")
    if syntax == "jpegls":
        stream = bytes(jpeg_ls.encode_array(unsigned))
    else:
        ratios = [8] if syntax == "j2k_lossy" else None
        stream = openjpeg.encode(pixels, bits_stored=data.BitsStored, use_mct=False, compression_ratios=ratios)
    data.PixelData = encapsulate([stream])
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True


def _changed_by_gdcm(path):
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


@pytest.fixture
def film_file(tmp_path):
    """Writer of ``film.dcm``: ``film_file(pixels, bits=12, syntax="rle", PixelSpacing=[0.2, 0.2])``."""

    def write(pixels, bits=None, raw=None, name="film.dcm", **header):
        with pydicom.config.disable_value_validation():
            return write_film(tmp_path / name, np.asarray(pixels), bits, raw, **header)

    return write
