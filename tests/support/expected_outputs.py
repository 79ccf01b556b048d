"""Outputs of a network by onnxruntime on a folder's images, preprocessed by Pillow and numpy, as JSON.

    python expected_outputs.py CAMPAIGN.json  ->  {image: [outputs]} of its first model
"""

import json
import os
import re
import sys

import numpy
import onnxruntime
from PIL import Image


def main():
    path = sys.argv[1]
    text = re.sub(r"^\s*//.*$", "", open(path).read(), flags=re.M)
    config = json.loads(text)
    base = os.path.dirname(os.path.abspath(path))
    model = config["models"][0]
    pre = model["preprocessing"]
    session = onnxruntime.InferenceSession(os.path.join(base, model["path"]), providers=["CPUExecutionProvider"])
    folder = os.path.join(base, config["images"]["path"])
    result = {}
    for name in sorted(os.listdir(folder)):
        if not name.lower().endswith((".jpg", ".png")):
            continue
        image = Image.open(os.path.join(folder, name)).convert("RGB")
        width, height = image.size
        short, crop = pre["resize_short_side"], pre["crop"]
        small = min(width, height)
        image = image.resize((int(width * short / small), int(height * short / small)), Image.BILINEAR)
        width, height = image.size
        left, top = int(round((width - crop) / 2.0)), int(round((height - crop) / 2.0))
        image = image.crop((left, top, left + crop, top + crop))
        pixels = numpy.asarray(image, "float32") * pre["scale"]
        pixels = (pixels - numpy.asarray(pre["mean"], "float32")) / numpy.asarray(pre["std"], "float32")
        feed = pixels.astype("float32").transpose(2, 0, 1)[None]
        result[name] = [float(v) for v in session.run(None, {session.get_inputs()[0].name: feed})[0].reshape(-1)]
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
