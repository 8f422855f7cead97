"""A model's numbers in the type of its file: which ones they become, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltann.formats.tensor_types import FLOAT32, TensorType, decode, encode
from deltann.images.conventions import CONVENTIONS, apply
from deltann.images.normalise import normalise
from deltann.images.preprocessing import Preprocessing
from deltann.runners import LocalRunner

PIXELS = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)


def normalised(mean: float, std: float) -> np.ndarray:
    of_model = Preprocessing(None, (16, 16), "nearest", "RGB", (mean,) * 3, (std,) * 3, 10, 0)
    return normalise(PIXELS, of_model, "NHWC")


def test_float32_stays_what_it_is():
    values = normalised(0.5, 0.5)
    assert encode(values, FLOAT32) is values and decode(values, FLOAT32) is values


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_real_numbers_are_rounded(dtype):
    values = normalised(0.5, 0.5)
    written = encode(values, TensorType(dtype))
    assert written.dtype == dtype
    assert np.array_equal(written, values.astype(dtype))
    assert decode(written, TensorType(dtype)).dtype == np.float32


def test_pixels_of_a_quantized_input_are_the_pixels():
    values = normalised(128 / 255, 128 / 255)  # (pixel - 128) / 128
    assert np.array_equal(encode(values, TensorType("uint8", 1 / 128, 128))[0], PIXELS)
    as_signed = encode(values, TensorType("int8", 1 / 128, 0))[0]
    assert np.array_equal(as_signed, PIXELS.astype(int) - 128)


@given(
    st.sampled_from(["uint8", "int8", "int16"]),
    st.floats(1e-4, 10),
    st.integers(-100, 100),
    st.integers(-128, 255),
)
def test_a_quantized_number_is_read_back(dtype, scale, zero_point, number):
    kind = TensorType(dtype, scale, zero_point)
    number = int(np.clip(number, np.iinfo(dtype).min, np.iinfo(dtype).max))
    stored = np.full((1, 1), number, dtype)
    real = decode(stored, kind)
    np.testing.assert_allclose(real, (number - zero_point) * scale, rtol=1e-6)
    assert np.array_equal(encode(real, kind), stored)


def test_what_is_out_of_range_is_at_its_end():
    kind = TensorType("uint8", 0.1, 10)
    assert encode(np.float32([-2, 100]), kind).tolist() == [0, 255]


def test_whole_numbers_without_a_scale_are_raw_pixels():
    raw = apply("raw", Preprocessing(None, (16, 16), "nearest", "RGB", (0,) * 3, (1,) * 3, 10, 0))
    given = normalise(PIXELS, raw, "NHWC")
    assert np.array_equal(encode(given, TensorType("uint8"))[0], PIXELS)
    signed = encode(normalised(128 / 255, 1 / 255), TensorType("int8"))[0]
    assert np.array_equal(signed, PIXELS.astype(int) - 128)


@pytest.mark.parametrize("name", sorted(CONVENTIONS.keys() - {"raw"}))
def test_whole_numbers_without_a_scale_need_whole_numbers(name):
    how = apply(name, Preprocessing(None, (16, 16), "nearest", "RGB", (0,) * 3, (1,) * 3, 10, 0))
    with pytest.raises(ValueError) as error:
        encode(normalise(PIXELS, how, "NHWC"), TensorType("uint8"))
    assert "the model takes uint8, whole numbers without a scale" in str(error.value)
    assert "expected whole numbers from 0 to 255: convention: raw" in str(error.value)


@pytest.mark.parametrize("dtype", ["bfloat16", "bool", "complex64", "string"])
def test_a_type_that_numpy_cannot_write_is_refused(dtype):
    with pytest.raises(ValueError, match=f"numbers of type {dtype}; expected float32, float16"):
        encode(np.zeros(3, np.float32), TensorType(dtype))


def test_a_runner_takes_and_gives_float32():
    class Quantized(LocalRunner):
        input_type = TensorType("uint8", 0.5, 100)
        output_type = TensorType("int8", 0.25, -3)

        def run(self, batch):
            assert batch.dtype == np.uint8
            return batch.astype(np.int8)

    assert Quantized().infer(np.float32([[-50, -49.5]])).tolist() == [[0.75, 1.0]]
