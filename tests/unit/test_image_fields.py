"""What an image file says beside its pixels is found in every format, and what says nothing is let pass."""

import io
import random
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from foldproof.bundle.image_fields import personal_fields

PICTURE = Image.linear_gradient("L").resize((40, 30)).convert("RGB")
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>Ada</a></x:xmpmeta>'


def saved(kind: str, picture: Image.Image = PICTURE, **options: object) -> bytes:
    """The bytes of a picture as Pillow writes it."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def exif(**tags: object) -> Image.Exif:
    """An EXIF block with these tags."""
    block = Image.Exif()
    for name, value in tags.items():
        block[ExifTags.Base[name]] = value
    return block


def with_gps() -> Image.Exif:
    block = exif(Orientation=1)
    block.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 30.0, 0.0)
    return block


def with_inner(**tags: object) -> Image.Exif:
    block = exif(Orientation=1)
    for name, value in tags.items():
        block.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base[name]] = value
    return block


def with_segment(marker: int, content: bytes) -> bytes:
    """A JPEG with one more segment."""
    image = saved("JPEG")
    return image[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content + image[2:]


def with_chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG with one more chunk."""
    image = saved("PNG")
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return image[:33] + chunk + image[33:]


def text(name: str, *, international: bool = False, zipped: bool = False) -> PngInfo:
    info = PngInfo()
    if international:
        info.add_itxt(name, "Ada", zip=zipped)
    else:
        info.add_text(name, "Ada", zip=zipped)
    return info


HARMLESS: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: saved("JPEG"),
    "jpeg, progressive": lambda: saved("JPEG", progressive=True, quality=60, subsampling=0),
    "jpeg, restarts": lambda: saved("JPEG", restart_marker_blocks=1),
    "jpeg, grey": lambda: saved("JPEG", PICTURE.convert("L")),
    "jpeg, cmyk": lambda: saved("JPEG", PICTURE.convert("CMYK")),
    "jpeg, dpi": lambda: saved("JPEG", dpi=(300, 300)),
    "jpeg, profile": lambda: saved("JPEG", icc_profile=PROFILE),
    "jpeg, orientation": lambda: saved("JPEG", exif=exif(Orientation=6, XResolution=72.0, ResolutionUnit=2)),
    "jpeg, colour space": lambda: saved("JPEG", exif=with_inner(ColorSpace=1, ExifImageWidth=40)),
    "jpeg, padded": lambda: saved("JPEG") + bytes(7),
    "png": lambda: saved("PNG"),
    "png, palette": lambda: saved("PNG", PICTURE.convert("P"), transparency=0),
    "png, alpha": lambda: saved("PNG", PICTURE.convert("RGBA"), dpi=(300, 300)),
    "png, 16 bits": lambda: saved("PNG", PICTURE.convert("I;16")),
    "png, profile": lambda: saved("PNG", icc_profile=PROFILE),
    "png, orientation": lambda: saved("PNG", exif=exif(Orientation=6)),
    "png, moving": lambda: saved("PNG", save_all=True, append_images=[PICTURE.rotate(90)]),
    "gif": lambda: saved("GIF", PICTURE.convert("P")),
    "gif, moving": lambda: saved("GIF", save_all=True, append_images=[PICTURE.rotate(90)], loop=0),
    "webp": lambda: saved("WEBP"),
    "webp, lossless": lambda: saved("WEBP", PICTURE.convert("RGBA"), lossless=True),
    "webp, profile": lambda: saved("WEBP", icc_profile=PROFILE),
    "webp, orientation": lambda: saved("WEBP", exif=exif(Orientation=6)),
    "bmp": lambda: saved("BMP"),
    "bmp, palette": lambda: saved("BMP", PICTURE.convert("P")),
    "tiff": lambda: saved("TIFF"),
    "tiff, deflated": lambda: saved("TIFF", compression="tiff_deflate"),
    "tiff, lzw": lambda: saved("TIFF", PICTURE.convert("L"), compression="tiff_lzw", dpi=(300, 300)),
    "tiff, 16 bits": lambda: saved("TIFF", PICTURE.convert("I;16")),
    "tiff, float": lambda: saved("TIFF", PICTURE.convert("F")),
    "tiff, pages": lambda: saved("TIFF", save_all=True, append_images=[PICTURE.rotate(90)]),
    "tiff, big": lambda: saved("TIFF", big_tiff=True),
    "tiff, profile": lambda: saved("TIFF", icc_profile=PROFILE),
    "tiff, shape": lambda: saved("TIFF", tiffinfo={270: '{"shape": [30, 40, 3]}', 305: "tifffile.py"}),
}
TELLING: dict[str, tuple[Callable[[], bytes], str]] = {
    "jpeg, artist": (lambda: saved("JPEG", exif=exif(Artist="Ada")), "Artist"),
    "jpeg, copyright": (lambda: saved("JPEG", exif=exif(Copyright="Ada")), "Copyright"),
    "jpeg, camera": (lambda: saved("JPEG", exif=exif(Make="Lab", Model="Scope 2")), "Model"),
    "jpeg, software": (lambda: saved("JPEG", exif=exif(Software="Lab Viewer")), "Software"),
    "jpeg, time": (lambda: saved("JPEG", exif=exif(DateTime="2026:01:01 00:00:00")), "DateTime"),
    "jpeg, host": (lambda: saved("JPEG", exif=exif(HostComputer="lab-7")), "HostComputer"),
    "jpeg, windows": (lambda: saved("JPEG", exif=exif(XPAuthor="Ada".encode("utf-16-le"))), "XPAuthor"),
    "jpeg, position": (lambda: saved("JPEG", exif=with_gps()), "GPS position"),
    "jpeg, serial": (lambda: saved("JPEG", exif=with_inner(BodySerialNumber="123")), "BodySerialNumber"),
    "jpeg, owner": (lambda: saved("JPEG", exif=with_inner(CameraOwnerName="Ada")), "CameraOwnerName"),
    "jpeg, user comment": (lambda: saved("JPEG", exif=with_inner(UserComment=b"Ada")), "UserComment"),
    "jpeg, maker": (lambda: saved("JPEG", exif=with_inner(MakerNote=b"123")), "MakerNote"),
    "jpeg, unknown": (lambda: saved("JPEG", exif=with_inner(ImageUniqueID="1")), "ImageUniqueID"),
    "jpeg, xmp": (lambda: saved("JPEG", xmp=XMP), "XMP"),
    "jpeg, comment": (lambda: saved("JPEG", comment=b"Ada"), "comment"),
    "jpeg, iptc": (lambda: with_segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04"), "IPTC"),
    "jpeg, other pictures": (lambda: with_segment(0xE2, b"MPF\0" + bytes(8)), "segment APP2"),
    "jpeg, jfif thumbnail": (lambda: with_segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\1\1abc"), "thumbnail"),
    "jpeg, jfxx": (lambda: with_segment(0xE0, b"JFXX\0\x10abc"), "segment APP0"),
    "jpeg, app7": (lambda: with_segment(0xE7, b"Ada"), "segment APP7"),
    "jpeg, behind": (lambda: saved("JPEG") + b"Ada", "bytes behind its end"),
    "jpeg, behind is one": (lambda: saved("JPEG") + saved("JPEG"), "bytes behind its end"),
    "png, text": (lambda: saved("PNG", pnginfo=text("Author")), "text 'Author'"),
    "png, zipped": (lambda: saved("PNG", pnginfo=text("Author", zipped=True)), "text 'Author'"),
    "png, international": (lambda: saved("PNG", pnginfo=text("Autor", international=True)), "text 'Autor'"),
    "png, exif": (lambda: saved("PNG", exif=exif(Artist="Ada")), "Artist"),
    "png, time": (lambda: with_chunk(b"tIME", bytes(7)), "time"),
    "png, chunk": (lambda: with_chunk(b"prVt", b"Ada"), "chunk prVt"),
    "png, behind": (lambda: saved("PNG") + b"Ada", "bytes behind its end"),
    "gif, comment": (lambda: saved("GIF", PICTURE.convert("P"), comment=b"Ada"), "comment"),
    "gif, behind": (lambda: saved("GIF", PICTURE.convert("P")) + b"Ada", "bytes behind its end"),
    "gif, xmp": (
        lambda: saved("GIF", PICTURE.convert("P"))[:-1] + b"\x21\xff\x0bXMP DataXMP\x03Ada\x00\x3b",
        "XMP",
    ),
    "webp, exif": (lambda: saved("WEBP", exif=exif(Artist="Ada")), "Artist"),
    "webp, xmp": (lambda: saved("WEBP", xmp=XMP), "XMP"),
    "webp, behind": (lambda: saved("WEBP") + b"Ada1", "bytes behind its end"),
    "bmp, behind": (lambda: saved("BMP") + b"Ada 1234", "bytes behind its end"),
    "tiff, artist": (lambda: saved("TIFF", tiffinfo={315: "Ada"}), "Artist"),
    "tiff, description": (lambda: saved("TIFF", tiffinfo={270: "slide of Ada"}), "ImageDescription"),
    "tiff, ome": (lambda: saved("TIFF", tiffinfo={270: "<OME><Experimenter/></OME>"}), "ImageDescription"),
    "tiff, shape and more": (lambda: saved("TIFF", tiffinfo={270: '{"shape": [1], "by": "Ada"}'}), "ImageDescription"),
    "tiff, software": (lambda: saved("TIFF", tiffinfo={305: "Lab Viewer"}), "Software"),
    "tiff, xmp": (lambda: saved("TIFF", tiffinfo={700: XMP}), "XMLPacket"),
    "tiff, iptc": (lambda: saved("TIFF", tiffinfo={33723: b"Ada"}), "IPTCNAA"),
    "tiff, maker": (lambda: saved("TIFF", tiffinfo={65000: "Ada"}), "tag 65000"),
    "tiff, big, artist": (lambda: saved("TIFF", tiffinfo={315: "Ada"}, big_tiff=True), "Artist"),
    "tiff, second page": (
        lambda: saved("TIFF", save_all=True, append_images=[PICTURE.rotate(90)], tiffinfo={315: "Ada"}),
        "Artist",
    ),
    "tiff, behind": (lambda: saved("TIFF") + b"Ada 1234", "bytes behind its end"),
    "no format": (lambda: b"NIFTI" * 20, "what is in it, since its format is not known here"),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_an_image_that_says_its_pixels_alone_passes(what: str) -> None:
    assert personal_fields(HARMLESS[what]()) == ()


@pytest.mark.parametrize("what", TELLING)
def test_what_may_tell_whose_an_image_is_is_named(what: str) -> None:
    make, field = TELLING[what]
    assert field in personal_fields(make())


def test_a_thumbnail_in_exif_is_named() -> None:
    block = bytearray(exif(Orientation=1).tobytes().removeprefix(b"Exif\0\0"))
    block[-4:] = struct.pack("<I" if block[:2] == b"II" else ">I", len(block))
    block += struct.pack("<HI" if block[:2] == b"II" else ">HI", 0, 0)
    assert "thumbnail" in personal_fields(with_segment(0xE1, b"Exif\0\0" + bytes(block)))


def test_an_image_that_is_damaged_is_an_answer_and_never_an_error() -> None:
    chance = random.Random(17)
    whole = [make() for make in HARMLESS.values()] + [make() for make, _ in TELLING.values()]
    for _ in range(3000):
        content = bytearray(chance.choice(whole))
        for _ in range(chance.randrange(1, 6)):
            content[chance.randrange(min(len(content), 400))] = chance.randrange(256)
        del content[chance.randrange(8, len(content) + 1) :]
        assert isinstance(personal_fields(bytes(content)), tuple)
