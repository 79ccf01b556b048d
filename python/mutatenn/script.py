"""One mutant as one Python file that needs TVM and numpy only (`mutatenn export --as script`): the template beside
this file, with module and inputs packed as text.

`story` holds strings model, mutant, operator, place, device, tvm, diff, and images: a list of {"name": ..., "file":
raw float32 elements, "original" and "mutant": [[label, score], ...], "ending": ...}; the last three where they are
known.
"""

import base64
import json
import os
import pprint
import textwrap
import zlib

WIDTH = 110


def packed(data):
    """A bytes literal over several lines."""
    text = base64.b85encode(zlib.compress(data, 6)).decode()
    lines = "\n".join(f'    b"{text[i : i + WIDTH]}"' for i in range(0, len(text), WIDTH))
    return f"(\n{lines}\n)"


def write(module_file, target, out, story):
    with open(os.path.join(os.path.dirname(__file__), "script_template.py"), encoding="utf-8") as file:
        template = file.read()
    inputs, images = [], []
    for image in story["images"]:
        with open(image["file"], "rb") as file:
            inputs.append(f"    {image['name']!r}: {packed(file.read())},\n")
        images.append({key: value for key, value in image.items() if key != "file"})
    with open(module_file, "rb") as file:
        module = packed(file.read())
    # A docstring must not end early.
    safe = {key: value.replace("\\", "/").replace('"""', "'''") for key, value in story.items() if isinstance(value, str)}
    title = f"Mutant {safe['mutant']} of {safe['model']}: {safe['operator']}"
    said = "\n".join(textwrap.wrap(f"Place: {safe['place']}. Found on device {safe['device']}.", WIDTH)) + "\n\n" + safe["diff"]
    text = template.format(
        title=title,
        story=said.rstrip(),
        tvm=safe["tvm"],
        target=repr(json.loads(target)),
        images=pprint.pformat(images, width=WIDTH),
        inputs="{\n" + "".join(inputs) + "}",
        module=module,
    )
    with open(out, "w", encoding="utf-8") as file:
        file.write(text)
