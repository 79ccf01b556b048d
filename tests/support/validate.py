"""validate.py SCHEMA REPORT: every complaint on a line of its own. Ends with 77 where jsonschema is not installed."""

import json
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)

with open(sys.argv[1], encoding="utf-8") as schema, open(sys.argv[2], encoding="utf-8") as report:
    complaints = list(jsonschema.Draft7Validator(json.load(schema)).iter_errors(json.load(report)))
for complaint in complaints:
    print("/".join(map(str, complaint.absolute_path)), complaint.message[:200])
sys.exit(1 if complaints else 0)
