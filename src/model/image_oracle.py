"""Oracle of image_test.cc: Pillow and numpy do what LoadImage must do.

    python image_oracle.py make DIR          writes small images of every kind
    python image_oracle.py load OUT SETTINGS IMAGE...
        float32 tensors of the images, one after another, to OUT; SETTINGS is JSON
"""

import json
import os
import sys

import numpy as np
from PIL import Image, ImageOps


def photo(height, width, channels=3):
    """Smooth shapes, edges and some noise, so that a wrong filter, order or offset shows."""
    rng = np.random.default_rng(height * 1000 + width)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    planes = [128 + 90 * np.sin((7 + 5 * c) * x + (11 - 3 * c) * y) + 40 * (x > 0.5 + 0.1 * c)
              for c in range(channels)]  # fmt: skip
    return np.clip(np.stack(planes, -1) + rng.normal(0, 6, (height, width, channels)), 0, 255).astype(np.uint8)


def make(folder):
    def save(name, array, mode=None, **options):
        Image.fromarray(array, mode=mode).save(os.path.join(folder, name), **options)

    save("rgb.png", photo(61, 83))
    save("tall.png", photo(97, 41))
    save("small.png", photo(9, 13))
    save("line.png", photo(1, 5))
    save("rgba.png", photo(50, 40, 4))
    save("grey.png", photo(45, 70, 1)[:, :, 0])
    save("grey_alpha.png", photo(45, 70, 2))
    save("bitmap.bmp", photo(33, 64))
    save("photo.jpg", photo(120, 90), quality=90)
    save("grey.jpg", photo(64, 64, 1)[:, :, 0], quality=90)
    Image.fromarray(photo(40, 60)).quantize(16).save(os.path.join(folder, "palette.png"))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"exif{orientation}.jpg", photo(72, 100), quality=95, exif=exif)


def load(path, settings):
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    short, crop = settings["resize_short_side"], settings["crop"]
    width, height = image.size
    if short and min(width, height) != short:
        size = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
        image = image.resize(size, Image.Resampling.BILINEAR)
    pixels = np.asarray(image)
    if crop:
        height, width = pixels.shape[:2]
        pads = [(max(0, crop - n) // 2, (max(0, crop - n) + 1) // 2) for n in (height, width)]
        pixels = np.pad(pixels, [*pads, (0, 0)])
        height, width = pixels.shape[:2]
        top, left = round((height - crop) / 2.0), round((width - crop) / 2.0)
        pixels = pixels[top : top + crop, left : left + crop]
    if settings["channels"] == "BGR":
        pixels = pixels[:, :, ::-1]
    values = (pixels.astype(np.float64) * settings["scale"] - settings["mean"]) / settings["std"]
    if settings["layout"] == "NCHW":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values, np.float32)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        with open(sys.argv[2], "wb") as out:
            for name in sys.argv[4:]:
                out.write(load(name, json.loads(sys.argv[3])).tobytes())
