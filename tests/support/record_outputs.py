"""Records what onnxruntime gave for a tiny campaign's images, as compare reads it:

python record_outputs.py FOLDER  writes by_image.npz, whole.npz and wrong.npz (one element off by 1) there.
"""

import json
import os
import sys

import numpy


def main():
    folder = sys.argv[1]
    with open(os.path.join(folder, "expected.json")) as f:
        expected = {name: numpy.asarray([row], "float32") for name, row in json.load(f).items()}
    numpy.savez(os.path.join(folder, "by_image.npz"), **expected)
    whole = numpy.stack([expected[name] for name in sorted(expected)]).astype("float64")
    numpy.savez(os.path.join(folder, "whole.npz"), output=whole)
    whole[2, 0, 4] += 1
    numpy.savez(os.path.join(folder, "wrong.npz"), output=whole)
    numpy.savez_compressed(os.path.join(folder, "compressed.npz"), output=whole)


if __name__ == "__main__":
    main()
