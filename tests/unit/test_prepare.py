"""Photographs of every kind, decoded, resized and cropped."""

import io
import random
import tempfile
from pathlib import Path

import h5netcdf
import numpy as np
import pytest
import xarray as xr
from PIL import Image

from deltann.errors import StudyError
from deltann.images.collection import UNKNOWN_LABEL
from deltann.images.geometry import Geometry
from deltann.images.prepare import Photograph, prepare
from deltann.images.prepared import open_file, parts
from deltann.provenance import netcdf_checksum

HOW = Geometry(resize=64, crop=(48, 48), interpolation="bicubic")
RESIZER = "pillow"
ORIENTATION = 0x0112


def picture(width: int = 90, height: int = 64, seed: int = 0) -> Image.Image:
    """A smooth colour picture without any symmetry."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def prepared(*items: bytes | tuple[bytes, int], how: Geometry = HOW):
    """Prepare encoded images, named a.png, b.png, ..., each with its label if it has one."""
    pairs = [item if isinstance(item, tuple) else (item, UNKNOWN_LABEL) for item in items]
    names = (f"{letter}.png" for letter in "abcdefgh")
    photographs = [
        Photograph(name, label, data) for name, (data, label) in zip(names, pairs, strict=False)
    ]
    return written(photographs, how)


def written(photographs: list[Photograph], how: Geometry = HOW) -> xr.Dataset:
    """The file that is made of photographs, as any reader sees it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "prepared.nc")
        try:
            prepare(iter(photographs), how, RESIZER, path)
        except StudyError:
            assert not list(Path(folder).iterdir())
            raise
        with open_file(path) as stack:
            stack.check()
        return xr.load_dataset(path)


def pixels(data: bytes) -> np.ndarray:
    dataset = prepared(data)
    assert dataset.excluded == ""
    return dataset["pixels"].values[0]


def expected(image: Image.Image) -> np.ndarray:
    """The centre crop of an RGB picture of 90 by 64, which need not be resized: by hand."""
    assert image.size == (90, 64)
    return np.asarray(image)[8:56, 21:69]


def test_a_plain_picture_is_cropped_in_the_middle():
    image = picture()
    assert np.array_equal(pixels(encoded(image)), expected(image))


def test_a_larger_picture_is_resized_by_its_short_side():
    image = picture(300, 200)
    resized = np.asarray(image.resize((96, 64), Image.Resampling.BICUBIC))
    assert np.array_equal(pixels(encoded(image)), resized[8:56, 24:72])


def test_a_tall_picture_is_resized_by_its_width():
    image = picture(200, 300)
    resized = np.asarray(image.resize((64, 96), Image.Resampling.BICUBIC))
    assert np.array_equal(pixels(encoded(image)), resized[24:72, 8:56])


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_the_interpolation_is_the_geometrys(interpolation):
    how = Geometry.parse(f"64-48-{interpolation}")
    image = picture(300, 200)
    resized = np.asarray(image.resize((96, 64), Image.Resampling[interpolation.upper()]))
    values = prepared(encoded(image), how=how)["pixels"].values[0]
    assert np.array_equal(values, resized[8:56, 24:72])


def test_a_whole_picture_is_squeezed_into_the_square():
    image = picture(300, 200)
    values = prepared(encoded(image), how=Geometry.parse("whole-48-bicubic"))["pixels"].values[0]
    assert np.array_equal(values, np.asarray(image.resize((48, 48), Image.Resampling.BICUBIC)))


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (47, 47), (1, 9), (900, 7), (3, 800)])
def test_a_tiny_or_narrow_picture_fills_the_crop(size):
    values = pixels(encoded(Image.new("RGB", size, (10, 200, 30))))
    assert values.shape == (48, 48, 3)
    assert (values == (10, 200, 30)).all()


def test_a_line_is_left_out_and_not_blown_up():
    dataset = prepared(encoded(picture()), encoded(Image.new("RGB", (60_000, 1))))
    assert dataset["image"].values.tolist() == ["a.png"]
    assert "b.png: 60000 by 1 pixels: too long and narrow" in dataset.excluded


def test_grayscale_has_three_equal_channels():
    gray = picture().convert("L")
    values = pixels(encoded(gray))
    assert np.array_equal(values[..., 0], np.asarray(gray)[8:56, 21:69])
    assert (values == values[..., :1]).all()


def test_one_bit_is_black_and_white():
    values = pixels(encoded(picture().convert("1")))
    assert set(np.unique(values)) == {0, 255}


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_range(kind):
    ramp = np.tile(np.linspace(0, 65535, 90).astype(np.uint16), (64, 1))
    values = pixels(encoded(Image.fromarray(ramp), kind)).astype(float)
    assert np.abs(values - ramp[8:56, 21:69, np.newaxis] * (255 / 65535)).max() <= 0.5001


def test_floats_have_no_known_range_and_are_left_out():
    bright = Image.fromarray(np.full((64, 90), 0.5, np.float32))
    dataset = prepared(encoded(picture()), encoded(bright, "TIFF"))
    assert dataset.excluded.startswith("b.png: pixels of mode F")


def test_a_palette_gives_its_colours():
    image = picture().quantize(16)
    assert np.array_equal(pixels(encoded(image)), expected(image.convert("RGB")))


def test_a_palette_with_transparency_gives_its_colours():
    image = picture().quantize(16)
    data = encoded(image, transparency=3)
    assert "transparency" in Image.open(io.BytesIO(data)).info
    assert np.array_equal(pixels(data), expected(image.convert("RGB")))


def test_alpha_is_dropped():
    image = picture()
    alpha = Image.linear_gradient("L").resize(image.size)
    data = encoded(Image.merge("RGBA", (*image.split(), alpha)))
    assert np.array_equal(pixels(data), expected(image))


def test_cmyk_becomes_rgb():
    image = picture()
    separated = Image.fromarray(
        np.dstack([255 - np.asarray(image), np.zeros((64, 90), np.uint8)]), "CMYK"
    )
    data = encoded(separated, "TIFF")
    assert Image.open(io.BytesIO(data)).mode == "CMYK"
    assert np.array_equal(pixels(data), expected(image))
    jpeg = pixels(encoded(separated, "JPEG", quality=100)).astype(int)
    assert np.abs(jpeg - expected(image)).mean() < 3


@pytest.mark.parametrize(
    ("orientation", "undo"),
    [
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_90),
        (8, Image.Transpose.ROTATE_270),
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
    ],
)
def test_an_exif_orientation_is_applied(orientation, undo):
    upright = picture()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = encoded(upright.transpose(undo), exif=exif)
    assert not np.array_equal(pixels(encoded(upright.transpose(undo))), expected(upright))
    assert np.array_equal(pixels(stored), expected(upright))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encoded(picture(), "JPEG")[:-600], "truncated"),
        (b"", "the file is empty"),
        (b"I am no photograph.\n", "not an image"),
        (encoded(picture())[:60], ""),
    ],
    ids=["truncated", "empty", "text", "header-only"],
)
def test_what_cannot_be_decoded_is_left_out_and_named(data, reason, capsys):
    dataset = prepared((encoded(picture()), 3), (data, 4), (encoded(picture(seed=1)), 5))
    assert dataset["image"].values.tolist() == ["a.png", "c.png"]
    assert dataset["true_label"].values.tolist() == [3, 5]
    assert dataset.sizes["image"] == len(dataset["pixels"]) == 2
    assert dataset.excluded.startswith("b.png: ")
    assert reason in dataset.excluded
    assert "b.png" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_damage_never_stops_the_study(kind):
    whole = encoded(picture(), kind)
    chance = random.Random(0)
    photographs = [Photograph("whole.png", UNKNOWN_LABEL, encoded(picture()))]
    for number in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 5, 20])):
            data[chance.randrange(min(len(data), 400))] = chance.randrange(256)
        photographs.append(Photograph(f"{number}.png", UNKNOWN_LABEL, bytes(data)))
    dataset = written(photographs)
    excluded = [line.split(": ")[0] for line in dataset.excluded.split("\n") if ".png: " in line]
    left = dataset["image"].values.tolist()
    assert left[0] == "whole.png" and excluded
    assert sorted(left + excluded) == sorted(item.name for item in photographs)


def test_nothing_decodable_is_refused_with_all_reasons():
    with pytest.raises(StudyError, match=r"a\.png: not an image; b\.png: the file is empty"):
        prepared(b"text", b"")


def test_no_photograph_is_refused():
    with pytest.raises(StudyError, match="no image could be decoded"):
        prepared()


def test_the_checksum_is_of_pixels_labels_and_names():
    image = np.array(picture())
    base = (encoded(Image.fromarray(image)), 3)
    checksum = prepared(base).checksum
    assert prepared((encoded(Image.fromarray(image), compress_level=1), 3)).checksum == checksum
    assert prepared((base[0], 4)).checksum != checksum
    assert written([Photograph("z.png", 3, base[0])]).checksum != checksum
    image[30, 40, 1] ^= 1
    assert prepared((encoded(Image.fromarray(image)), 3)).checksum != checksum


def test_the_checksum_does_not_depend_on_the_blocks_it_is_read_in(monkeypatch):
    items = [(encoded(picture(seed=number)), number) for number in range(3)]
    checksum = prepared(*items).checksum
    monkeypatch.setattr(netcdf_checksum, "BLOCK_BYTES", 1)
    assert prepared(*items).checksum == checksum


@pytest.mark.parametrize("spoilt", ["pixels", "true_label"])
def test_changed_images_are_refused(tmp_path, spoilt):
    path = tmp_path / "prepared.nc"
    prepare(iter([Photograph("a.png", 3, encoded(picture()))]), HOW, RESIZER, path)
    with h5netcdf.File(path, "a") as file:
        file[spoilt][0] = file[spoilt][0] + np.array(1, file[spoilt].dtype)
    with open_file(path) as stack, pytest.raises(StudyError, match="checksum mismatch"):
        stack.check()


def test_no_images_are_refused(tmp_path):
    path = tmp_path / "prepared.nc"
    path.write_text("I am no NetCDF file.")
    with pytest.raises(StudyError, match="prepared.nc: not a readable file"), open_file(path):
        pass


def test_parts_cover_all_images_evenly():
    for count in (1, 20, 500, 501, 1000, 5500):
        found = parts(count)
        assert [part.start for part in found] == [0, *(part.stop for part in found[:-1])]
        assert found[-1].stop == count
        sizes = {part.stop - part.start for part in found}
        assert max(sizes) <= 500 and max(sizes) - min(sizes) <= 1
    assert len(parts(20)) == 1


def test_types_and_dimensions():
    dataset = prepared((encoded(picture()), 3), encoded(picture()))
    assert dataset["pixels"].dims == ("image", "y", "x", "channel")
    assert dataset["pixels"].shape == (2, 48, 48, 3)
    assert dataset["pixels"].dtype == np.uint8
    assert dataset["true_label"].dtype == np.int64
    assert dataset["true_label"].values.tolist() == [3, UNKNOWN_LABEL]
