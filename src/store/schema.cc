// The tables and views of a campaign as SQL text, one script a version. Tables hold what was
// measured; verdicts are not stored but follow from the fates: the view `verdicts` says in SQL what
// src/judge says in C++ (kill rule top1), so that a plain `sqlite3 campaign.db` answers most
// questions.
#include "store/schema.h"

namespace mutatenn {
namespace {

constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE models (
  name TEXT PRIMARY KEY, path TEXT NOT NULL, hash TEXT NOT NULL, graph_hash TEXT NOT NULL,
  layers_json TEXT NOT NULL);
CREATE TABLE images (  -- truth: class, -1 = not known; position: fixed order, -1 = originals not run
  model TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL, hash TEXT NOT NULL,
  truth INTEGER NOT NULL, position INTEGER NOT NULL, input_file TEXT NOT NULL,
  PRIMARY KEY (model, name));
CREATE TABLE devices (  -- devices with one target_index share programs and builds
  name TEXT PRIMARY KEY, target_json TEXT NOT NULL, canonical_target TEXT NOT NULL,
  session_json TEXT NOT NULL, target_index INTEGER NOT NULL, cpu TEXT NOT NULL,
  tvm_version TEXT NOT NULL);
CREATE TABLE programs (
  model TEXT NOT NULL, target_index INTEGER NOT NULL, program_json TEXT NOT NULL,
  PRIMARY KEY (model, target_index));
CREATE TABLE points (
  model TEXT NOT NULL, op_key TEXT NOT NULL, number INTEGER NOT NULL, point_json TEXT NOT NULL,
  PRIMARY KEY (model, op_key, number));
CREATE TABLE mutants (  -- selected = 0: left out by max_mutants
  model TEXT NOT NULL, id TEXT NOT NULL, op_id TEXT NOT NULL, op_key TEXT NOT NULL,
  category TEXT NOT NULL, level TEXT NOT NULL, place TEXT NOT NULL, points_json TEXT NOT NULL,
  use_json TEXT NOT NULL, selected INTEGER NOT NULL,
  PRIMARY KEY (model, id));
CREATE TABLE operator_uses (
  model TEXT NOT NULL, op_key TEXT NOT NULL, op_id TEXT NOT NULL, category TEXT NOT NULL,
  points INTEGER NOT NULL, mutants INTEGER NOT NULL, selected INTEGER NOT NULL,
  PRIMARY KEY (model, op_key));
CREATE TABLE builds (  -- state: ok, stillborn, equivalent, ignored
  model TEXT NOT NULL, mutant TEXT NOT NULL, target_index INTEGER NOT NULL, state TEXT NOT NULL,
  reason TEXT NOT NULL, ir_kind TEXT NOT NULL, seconds REAL, program_json TEXT NOT NULL,
  diff TEXT NOT NULL,
  PRIMARY KEY (model, mutant, target_index));
CREATE TABLE originals (
  model TEXT NOT NULL, device TEXT NOT NULL, image TEXT NOT NULL, top_json TEXT NOT NULL,
  seconds REAL,
  PRIMARY KEY (model, device, image)) WITHOUT ROWID;
CREATE TABLE fates (  -- ending: ok, crashed, timeout; top_json: [[label, score], ...]; NULL = NaN
  model TEXT NOT NULL, mutant TEXT NOT NULL, device TEXT NOT NULL, image TEXT NOT NULL,
  ending TEXT NOT NULL, top_json TEXT NOT NULL, infected INTEGER NOT NULL,
  dirty_steps INTEGER NOT NULL, first_step TEXT NOT NULL, first_layer TEXT NOT NULL,
  nonfinite INTEGER NOT NULL, max_abs_diff REAL, seconds REAL, detail TEXT NOT NULL,
  PRIMARY KEY (model, mutant, device, image)) WITHOUT ROWID;
CREATE TABLE out_of_bounds (
  model TEXT NOT NULL, mutant TEXT NOT NULL, device TEXT NOT NULL, step TEXT NOT NULL,
  buffer TEXT NOT NULL, offset INTEGER NOT NULL,
  PRIMARY KEY (model, mutant, device)) WITHOUT ROWID;
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL DEFAULT (strftime('%s', 'now')),
  kind TEXT NOT NULL, text TEXT NOT NULL);

-- A fate beside the original's run of the same image, and whether it detects the mutant.
CREATE VIEW compared AS
SELECT f.model, f.mutant, f.device, f.image, i.position, i.truth, f.ending,
       json_extract(o.top_json, '$[0][0]') AS original_label,
       json_extract(f.top_json, '$[0][0]') AS label,
       f.ending <> 'ok' OR json_extract(f.top_json, '$[0][0]')
                           IS NOT json_extract(o.top_json, '$[0][0]') AS detects
FROM fates f
JOIN images i ON i.model = f.model AND i.name = f.image
JOIN originals o ON o.model = f.model AND o.device = f.device AND o.image = f.image;

-- The verdict of every selected mutant on every device: the first detecting fate in image order decides.
CREATE VIEW verdicts AS
SELECT m.model, m.id AS mutant, m.op_id, d.name AS device,
  CASE
    WHEN b.state IN ('stillborn', 'equivalent', 'ignored') THEN b.state
    WHEN b.state IS NULL OR b.state <> 'ok' THEN 'pending'
    ELSE coalesce(
      (SELECT CASE c.ending WHEN 'ok' THEN 'killed' ELSE c.ending END FROM compared c
       WHERE c.model = m.model AND c.mutant = m.id AND c.device = d.name AND c.detects
       ORDER BY c.position, c.image LIMIT 1),
      (SELECT 'survived' FROM (
         SELECT (SELECT count(*) FROM compared c
                 WHERE c.model = m.model AND c.mutant = m.id AND c.device = d.name) AS ended,
                (SELECT count(*) FROM images WHERE model = m.model) AS planned)
       WHERE ended = planned AND planned > 0),
      'pending')
  END AS verdict
FROM mutants m CROSS JOIN devices d
LEFT JOIN builds b
  ON b.model = m.model AND b.mutant = m.id AND b.target_index = d.target_index
WHERE m.selected;
)sql";

constexpr const char* kVersion2 = R"sql(
CREATE TABLE codes (  -- builds of one target with equal codes run the same, so they share their fates
  model TEXT NOT NULL, mutant TEXT NOT NULL, target_index INTEGER NOT NULL, code TEXT NOT NULL,
  PRIMARY KEY (model, mutant, target_index)) WITHOUT ROWID;
)sql";

constexpr const char* kVersion3 = R"sql(
CREATE TABLE repeats (  -- the original run again and again before the first mutant
  model TEXT NOT NULL, device TEXT NOT NULL, image TEXT NOT NULL, runs INTEGER NOT NULL,
  labels_json TEXT NOT NULL,  -- the first label of each run
  spread_json TEXT NOT NULL,  -- by network output: the largest difference of an element between runs; null = NaN
  reference_diff REAL,        -- largest difference of an element to the reference outputs; NULL = NaN
  reference_label INTEGER NOT NULL,  -- 1: the first label is that of the reference
  PRIMARY KEY (model, device, image)) WITHOUT ROWID;
CREATE TABLE reference_outputs (  -- of the first device: float32 elements, little endian, in hexadecimal
  model TEXT NOT NULL, image TEXT NOT NULL, output INTEGER NOT NULL, elements TEXT NOT NULL,
  PRIMARY KEY (model, image, output)) WITHOUT ROWID;

-- Images whose first label differs between runs of the original: no mutant is killed by one.
CREATE VIEW unstable_images AS
SELECT model, device, image FROM repeats
WHERE (SELECT count(DISTINCT value) FROM json_each(labels_json)) > 1;

-- What the original is like on each device.
CREATE VIEW device_noise AS
SELECT r.model, r.device, count(*) AS images, max(r.runs) AS runs,
       max((SELECT max(coalesce(value, 9e999)) FROM json_each(r.spread_json))) AS spread,
       max(coalesce(r.reference_diff, 9e999)) AS reference_diff,
       sum(NOT r.reference_label) AS other_labels,
       (SELECT count(*) FROM unstable_images u WHERE u.model = r.model AND u.device = r.device)
         AS unstable_images
FROM repeats r GROUP BY r.model, r.device;
)sql";

constexpr const char* kVersion4 = R"sql(
CREATE TABLE variants (  -- other legal code for all steps of the original, as an edit of its program
  model TEXT NOT NULL, target_index INTEGER NOT NULL, variant TEXT NOT NULL,
  program_json TEXT NOT NULL,
  PRIMARY KEY (model, target_index, variant)) WITHOUT ROWID;
CREATE TABLE floors (  -- how far legal code differs by rounding alone, each step on the same inputs
  model TEXT NOT NULL, device TEXT NOT NULL,
  step TEXT NOT NULL,        -- '' = the whole network, output = one of its outputs
  output INTEGER NOT NULL,   -- of the step
  images INTEGER NOT NULL,   -- that it was measured on
  floor REAL NOT NULL,       -- the larger of the next two
  spread REAL NOT NULL,      -- largest difference of an element between two variants in float32
  distance REAL,             -- largest difference of an element of one of them to float64; NULL = not known
  magnitude REAL NOT NULL,   -- of the largest element in float64
  PRIMARY KEY (model, device, step, output)) WITHOUT ROWID;
CREATE TABLE step_hashes (  -- of devices of a bitwise group: the original's values, hashed
  model TEXT NOT NULL, device TEXT NOT NULL, image TEXT NOT NULL,
  number INTEGER NOT NULL,  -- of the step, in program order; the last is the network's outputs
  step TEXT NOT NULL,       -- '' = the network's outputs
  hash TEXT NOT NULL,
  PRIMARY KEY (model, device, image, number)) WITHOUT ROWID;
)sql";

// An image whose original changes its label from run to run kills nothing.
constexpr const char* kVersion5 = R"sql(
DROP VIEW verdicts;
DROP VIEW compared;

-- A fate beside the original's run of the same image: whether its first label is another one
-- (NULL: it gave none), whether the image is stable on the device, whether the fate detects.
CREATE VIEW compared AS
SELECT *, ending <> 'ok' OR (differs AND stable) AS detects
FROM (SELECT f.model, f.mutant, f.device, f.image, i.position, i.truth, f.ending,
             json_extract(o.top_json, '$[0][0]') AS original_label,
             json_extract(f.top_json, '$[0][0]') AS label,
             CASE f.ending WHEN 'ok' THEN json_extract(f.top_json, '$[0][0]')
                                          IS NOT json_extract(o.top_json, '$[0][0]') END AS differs,
             NOT EXISTS (SELECT 1 FROM unstable_images u WHERE u.model = f.model
                         AND u.device = f.device AND u.image = f.image) AS stable
      FROM fates f
      JOIN images i ON i.model = f.model AND i.name = f.image
      JOIN originals o ON o.model = f.model AND o.device = f.device AND o.image = f.image);

-- The verdict of every selected mutant on every device: the first detecting fate in image order
-- decides.
CREATE VIEW verdicts AS
SELECT m.model, m.id AS mutant, m.op_id, d.name AS device,
  CASE
    WHEN b.state IN ('stillborn', 'equivalent', 'ignored') THEN b.state
    WHEN b.state IS NULL OR b.state <> 'ok' THEN 'pending'
    ELSE coalesce(
      (SELECT CASE c.ending WHEN 'ok' THEN 'killed' ELSE c.ending END FROM compared c
       WHERE c.model = m.model AND c.mutant = m.id AND c.device = d.name AND c.detects
       ORDER BY c.position, c.image LIMIT 1),
      (SELECT CASE WHEN differing > 0 THEN 'unstable' ELSE 'survived' END FROM (
         SELECT count(*) AS ended, sum(c.differs) AS differing,
                (SELECT count(*) FROM images WHERE model = m.model) AS planned
         FROM compared c WHERE c.model = m.model AND c.mutant = m.id AND c.device = d.name)
       WHERE ended = planned AND planned > 0),
      'pending')
  END AS verdict
FROM mutants m CROSS JOIN devices d
LEFT JOIN builds b
  ON b.model = m.model AND b.mutant = m.id AND b.target_index = d.target_index
WHERE m.selected;

-- How a difference grows from step to step on one image; only where it was asked for (`mutatenn
-- growth`). Of a mutant: against the original on the same device. Of the original (mutant ''):
-- against the original on another device.
CREATE TABLE growth (
  model TEXT NOT NULL, mutant TEXT NOT NULL, device TEXT NOT NULL,
  against TEXT NOT NULL,      -- the other device; '' = the same one
  number INTEGER NOT NULL,    -- in program order, of the steps that both have
  image TEXT NOT NULL, step TEXT NOT NULL, layer TEXT NOT NULL,
  total REAL,                 -- largest difference of an element, both run from the image
  scale REAL NOT NULL,        -- largest element there
  local REAL,                 -- the same difference on equal inputs
  floor REAL,                 -- what rounding may make of it on equal inputs; NULL = not measured
  nonfinite INTEGER NOT NULL, -- elements that are not finite on one side only; not in total
  died TEXT NOT NULL,         -- how one side ended here; '' = it did not
  PRIMARY KEY (model, mutant, device, against, number)) WITHOUT ROWID;
)sql";

constexpr const char* kVersion6 = R"sql(
CREATE TABLE mutant_runs (  -- of a mutant on an image, after the first one, which `fates` holds
  model TEXT NOT NULL, mutant TEXT NOT NULL, device TEXT NOT NULL, image TEXT NOT NULL,
  run INTEGER NOT NULL,    -- from 2
  ending TEXT NOT NULL,    -- ok, crashed, timeout
  label INTEGER NOT NULL,  -- the first one; -1 = the run gave none
  PRIMARY KEY (model, mutant, device, image, run)) WITHOUT ROWID;
)sql";

constexpr const char* kMigrations[] = {kVersion1, kVersion2, kVersion3,
                                       kVersion4, kVersion5, kVersion6};

}  // namespace

std::span<const char* const> Migrations() { return kMigrations; }

}  // namespace mutatenn
