"""Writes the golden files beside it with numpy and safetensors.

Made with Python 3.11 and
    numpy==2.4.6
    safetensors==0.8.0
Run: pip install numpy==2.4.6 safetensors==0.8.0 && python3 make_goldens.py

The expected values stand in golden_test.go; change both together.
"""

import os
import zipfile

import numpy as np
from numpy.lib import format as npy_format
from safetensors import TensorSpec, serialize_file
from safetensors.numpy import save_file

here = os.path.dirname(os.path.abspath(__file__))


def path(name):
    return os.path.join(here, name)


def bits(dtype, uint, values):
    return np.array(values, dtype=uint).view(dtype)


# Negative zero, infinities, quiet and signalling NaN with payload, smallest
# denormal, largest finite, one.
f32 = bits("<f4", "<u4", [0x80000000, 0x7F800000, 0xFF800000, 0x7FC12345, 0xFFA00001, 1, 0x7F7FFFFF, 0x3F800000])
f64 = bits("<f8", "<u8", [1 << 63, 0x7FF << 52, 0xFFF << 52, 0x7FF8000000012345, 0x7FF4000000000001, 1, 0x7FEFFFFFFFFFFFFF, 0x3FF << 52])
f16 = bits("<f2", "<u2", [0x8000, 0x7C00, 0xFC00, 0x7E01, 0x0001, 0x03FF, 0x7BFF, 0x3C00])

arrays = {
    "float32": f32.reshape(2, 4),
    "float64": f64.reshape(2, 2, 2),
    "float16": f16,
    "bool": np.array([[True, False, True]]),
    "uint8": np.array([0, 1, 127, 128, 255], dtype="u1"),
    "int8": np.array([-128, -1, 0, 127], dtype="i1"),
    "int16": np.array([-32768, -1, 0, 32767], dtype="<i2"),
    "uint16": np.array([0, 1, 65535], dtype="<u2"),
    "int32": np.array([-(2**31), -1, 0, 2**31 - 1], dtype="<i4"),
    "uint32": np.array([0, 1, 2**32 - 1], dtype="<u4"),
    "int64": np.array([-(2**63), -1, 0, 2**63 - 1], dtype="<i8"),
    "uint64": np.array([0, 1, 2**64 - 1], dtype="<u8"),
    "complex64": np.array([1 + 2j, -3.5 + 0j], dtype="<c8"),
    "complex128": np.array([1 + 2j, -3.5 + 0j], dtype="<c16"),
    "scalar": np.array(2.5, dtype="<f4"),
    "empty": np.zeros((0, 3), dtype="<f4"),
    "fortran": np.asfortranarray(np.arange(6, dtype="<f4").reshape(1, 2, 3)),
    "big_endian": np.arange(4, dtype=">f4"),
    "big_endian_complex": np.array([1 + 2j, -3.5 + 0j], dtype=">c8"),
}
for name, array in arrays.items():
    np.save(path(name + ".npy"), array)

for version in [(2, 0), (3, 0)]:
    with open(path("version%d.npy" % version[0]), "wb") as f:
        npy_format.write_array(f, np.arange(3, dtype="<f4"), version=version)

refused = {
    "refused_text": np.array(["yes", "no"]),
    "refused_bytes": np.array([b"yes", b"no"]),
    "refused_date": np.array(["2026-01-02"], dtype="M8[D]"),
    "refused_object": np.array([None, 1], dtype=object),
    "refused_structured": np.zeros(2, dtype=[("x", "<f4"), ("y", "<i4")]),
    "refused_longdouble": np.zeros(2, dtype="g"),
}
for name, array in refused.items():
    np.save(path(name + ".npy"), array, allow_pickle=True)

named = {"zeta": arrays["float32"], "alpha": arrays["int64"], "layer/1.weight": np.zeros((30, 10), dtype="<f4")}
np.savez(path("stored.npz"), **named)
np.savez_compressed(path("deflated.npz"), **named)
for name in ["stored.npz", "deflated.npz"]:
    with zipfile.ZipFile(path(name)) as z:
        z.testzip()

save_file(
    {k: np.array(v, order="C") for k, v in arrays.items() if k in (
        "float32", "float64", "float16", "bool", "uint8", "int8", "int16", "uint16",
        "int32", "uint32", "int64", "uint64", "scalar", "empty")},
    path("all.safetensors"),
    metadata={"note": "\u00fc <&> \""},  # one entry: the package writes several in any order
)
# numpy has no bfloat16: hand its bytes over as they are.
bf16 = np.array([0x3F80, 0x8000, 0x7F80, 0x7FC1, 0x0001], dtype="<u2")
spec = TensorSpec(dtype="bfloat16", shape=[5], data_ptr=bf16.ctypes.data, data_len=bf16.nbytes)
serialize_file({"bf16": spec}, path("bfloat16.safetensors"))
for name in ["all.safetensors", "bfloat16.safetensors"]:
    os.chmod(path(name), 0o644)
