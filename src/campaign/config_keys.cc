// The table of the configuration's keys: name, type, meaning, default, limits.
#include "campaign/key_table.h"

namespace mutatenn {
namespace {

const ObjectKeys& PreprocessingKeys() {
  static const ObjectKeys keys{{
      {"resize_short_side",
       KeyType::kInteger,
       "Length in pixels that the short side is resized to "
       "(antialiased bilinear, as Pillow's); 0 = no resize.",
       false,
       256,
       {},
       0},
      {"crop",
       KeyType::kInteger,
       "Side in pixels of the centre square that is kept; 0 = no crop.",
       false,
       224,
       {},
       0},
      {"channels", KeyType::kString, "Order of the colour channels.", false, "RGB", {"RGB", "BGR"}},
      {"layout",
       KeyType::kString,
       "Layout of the network's input.",
       false,
       "NCHW",
       {"NCHW", "NHWC"}},
      {"scale",
       KeyType::kNumber,
       "A pixel p in 0..255 becomes (p * scale - mean) / std.",
       false,
       1.0 / 255,
       {},
       nullptr,
       0},
      {"mean",
       KeyType::kNumbers,
       "Subtracted after scaling; one number a channel, in the order of "
       "`channels`.",
       false,
       Json::array({0.0, 0.0, 0.0}),
       {},
       nullptr,
       nullptr,
       3},
      {"std",
       KeyType::kNumbers,
       "Divided by last; one number a channel, none of them 0.",
       false,
       Json::array({1.0, 1.0, 1.0}),
       {},
       nullptr,
       nullptr,
       3},
  }};
  return keys;
}

const ObjectKeys& GroupKeys() {
  static const ObjectKeys keys{{
      {"name", KeyType::kString, "The group's name, for `severity` and reports.", true},
      {"classes", KeyType::kNumbers, "Numbers of its classes; a class may be in several groups.",
       true},
  }};
  return keys;
}

const ObjectKeys& SeverityKeys() {
  static const ObjectKeys keys{{
      {"from", KeyType::kString,
       "The original's label: a group of `images.groups`, a class number, or * for any.", true},
      {"to", KeyType::kString, "The mutant's label, in the same way.", true},
      {"weight", KeyType::kNumber, "How bad it is.", true, nullptr, {}, 0},
  }};
  return keys;
}

const ObjectKeys& ImagesKeys() {
  static const ObjectKeys keys{{
      {"path", KeyType::kString, "A folder of JPEG, PNG or BMP files, or one file.", true},
      {"truth", KeyType::kString,
       "Tab-separated file with the columns file and class; without it "
       "accuracy is not reported.",
       false, ""},
      {"groups",
       KeyType::kObjects,
       "Classes that mean the same to `severity`.",
       false,
       nullptr,
       {},
       nullptr,
       nullptr,
       0,
       &GroupKeys()},
  }};
  return keys;
}

const ObjectKeys& ModelKeys() {
  static const ObjectKeys keys{{
      {"name", KeyType::kString, "The model's name in reports; unique.", true},
      {"path", KeyType::kString, "The network: an ONNX file.", true},
      {"classes", KeyType::kString, "Text file with a class name a line; line n is class n-1.",
       false, ""},
      {"preprocessing",
       KeyType::kObject,
       "How an image becomes the network's input.",
       false,
       Json::object(),
       {},
       nullptr,
       nullptr,
       0,
       &PreprocessingKeys()},
      {"images",
       KeyType::kObject,
       "This model's own images, instead of the campaign's.",
       false,
       nullptr,
       {},
       nullptr,
       nullptr,
       0,
       &ImagesKeys()},
  }};
  return keys;
}

const ObjectKeys& DeviceKeys() {
  static const ObjectKeys keys{{
      {"name", KeyType::kString, "The device's name in reports; unique.", true},
      {"target", KeyType::kTarget,
       "TVM target: an object such as {\"kind\": \"llvm\", \"mcpu\": "
       "\"host\"} (host = the CPU of this machine), or a string that names one of TVM's own.",
       true},
      {"session", KeyType::kSession,
       "Where the device is. {\"kind\": \"local\"}: this machine. {\"kind\": \"remote\", "
       "\"servers\": [\"tcp://HOST:PORT\"]}: mutatenn-worker serve, one or several that share the "
       "mutants. {\"kind\": \"tracker\", \"tracker\": \"tcp://HOST:PORT\", \"key\": \"board\", "
       "\"count\": 0}: those that registered at TVM's tracker. Both take \"secret_file\".",
       false, Json{{"kind", "local"}}},
      {"jobs",
       KeyType::kInteger,
       "Mutants run at a time on this device, instead of the campaign's jobs.",
       false,
       nullptr,
       {},
       1},
      {"memory_budget_mb",
       KeyType::kInteger,
       "Memory for reference values on this device, in MB, instead "
       "of its share of the campaign's.",
       false,
       nullptr,
       {},
       16},
      {"timeout",
       KeyType::kNumber,
       "Seconds that a server may take for an answer before it counts as lost.",
       false,
       600.0,
       {},
       nullptr,
       0},
      {"bitwise", KeyType::kString,
       "Name of a group of devices that must agree in every bit; where they do not is a finding.",
       false, ""},
      {"recover", KeyType::kString,
       "Shell command that is run before a lost server is tried again (a power switch, for "
       "instance); MUTATENN_SERVER holds its address.",
       false, ""},
  }};
  return keys;
}

const Key& PositionsKey() {
  static const Key key{
      "positions", KeyType::kPositions,
      "Without it, a mutant for every mutation point. With it, ONE mutant that has all the points "
      "picked: \"all\", \"start\", \"end\", a percentage (\"20%\"), a range (\"2-5\", \"2-\"), a "
      "list of point numbers (from 0) and ranges, or {\"per_kernel\": one of these} for one mutant "
      "of each kernel."};
  return key;
}

const Key& ScopeKey() {
  static const Key key{"scope",
                       KeyType::kString,
                       "Of operators of level code. kernel: every step that shares the "
                       "kernel is mutated. step: one call of it; the mutant gets its own copy.",
                       false,
                       nullptr,
                       {"kernel", "step"}};
  return key;
}

const ObjectKeys& TimeoutKeys() {
  static const ObjectKeys keys{{
      {"factor",
       KeyType::kNumber,
       "CPU time allowed for an image, as a multiple of the original's.",
       false,
       10.0,
       {},
       1},
      {"floor_s", KeyType::kNumber, "At least this many seconds.", false, 1.0, {}, nullptr, 0},
  }};
  return keys;
}

}  // namespace

const ObjectKeys& PresetKeys() {
  static const ObjectKeys keys{{
      {"preset", KeyType::kString,
       "A name that stands for several operators: default (one strong, cheap representative of "
       "each), paper (the original tool's list), all, a level, or a category.",
       true},
      {"include", KeyType::kStrings, "Only these of them: ids, or patterns such as \"graph.*\"."},
      {"exclude", KeyType::kStrings, "Not these of them: ids, or patterns."},
      PositionsKey(),
      ScopeKey(),
  }};
  return keys;
}

const ObjectKeys& OperatorKeys() {
  static const ObjectKeys keys{
      {
          {"id", KeyType::kString,
           "The mutation operator (`mutatenn operators` lists them); python: your own, in `file`.",
           true},
          PositionsKey(),
          ScopeKey(),
      },
      /*open=*/true};
  return keys;
}

const ObjectKeys& CampaignKeys() {
  static const ObjectKeys keys{{
      {"models",
       KeyType::kObjects,
       "The networks to mutate.",
       true,
       nullptr,
       {},
       1,
       nullptr,
       0,
       &ModelKeys()},
      {"images",
       KeyType::kObject,
       "The images that every model is run on.",
       false,
       nullptr,
       {},
       nullptr,
       nullptr,
       0,
       &ImagesKeys()},
      {"devices",
       KeyType::kObjects,
       "The devices to compare; the first one fixes the order of images.",
       true,
       nullptr,
       {},
       1,
       nullptr,
       0,
       &DeviceKeys()},
      {"operators",
       KeyType::kOperators,
       "The mutation operators to use: words (an operator's id, a preset), presets with include "
       "and exclude lists, operators with parameters. An operator's other keys are its parameters.",
       true,
       nullptr,
       {},
       1},
      {"kill", KeyType::kString,
       "The kill rule that reports judge by (docs/results.md; they can be told another one): top1 "
       "= "
       "the first label differs from the original's, topk:K, output:TOLERANCE, noise, "
       "fisher:SIGNIFICANCE, accept:LIMITS. Rules other than top1 want a full matrix.",
       false, "top1"},
      {"severity",
       KeyType::kObjects,
       "How bad it is to take one class for another; reports rank the silent mislabels by it. The "
       "first row that fits counts; without one a mislabel weighs 1. No verdict depends on it.",
       false,
       nullptr,
       {},
       nullptr,
       nullptr,
       0,
       &SeverityKeys()},
      {"matrix",
       KeyType::kString,
       "early: a mutant stops at the first image that kills it. full: every "
       "mutant runs on every image.",
       false,
       "early",
       {"early", "full"}},
      {"timing",
       KeyType::kString,
       "suffix: time what was run. full: time the whole program, warmed up and "
       "repeated.",
       false,
       "suffix",
       {"suffix", "full"}},
      {"top_k",
       KeyType::kInteger,
       "Labels kept for an image; at least 2, because the order of images needs "
       "the second.",
       false,
       5,
       {},
       2},
      {"seed", KeyType::kInteger, "Chooses the sample that max_mutants leaves.", false, 1, {}, 0},
      {"max_mutants",
       KeyType::kInteger,
       "At most this many mutants of each model, in equal shares per "
       "operator; 0 = all.",
       false,
       0,
       {},
       0},
      {"timeout",
       KeyType::kObject,
       "When a mutant counts as one that does not end.",
       false,
       Json::object(),
       {},
       nullptr,
       nullptr,
       0,
       &TimeoutKeys()},
      {"memory_budget_mb",
       KeyType::kInteger,
       "Memory for reference values, in MB, over all workers of this "
       "machine. No verdict depends on it.",
       false,
       2048,
       {},
       16},
      {"jobs",
       KeyType::kInteger,
       "Mutants compiled and run at a time; 0 = one for every CPU. No verdict "
       "depends on it.",
       false,
       0,
       {},
       0},
      {"level",
       KeyType::kInteger,
       "Optimisation level. 2: fusion. 3: fusion and scheduled kernels.",
       false,
       3,
       {},
       2},
      {"repeats",
       KeyType::kInteger,
       "Runs of the original on each image before a device's first mutant: whether it repeats "
       "itself, and how far it is from the first device.",
       false,
       5,
       {},
       1},
      {"mutant_repeats",
       KeyType::kInteger,
       "Runs of every mutant on each image, under a full matrix. On a device that does not repeat "
       "itself the kill rule fisher then tells the mutant's labels from the device's noise.",
       false,
       1,
       {},
       1},
      {"floors",
       KeyType::kInteger,
       "Images on which every step's rounding floor is measured before a device's first mutant: "
       "the step in other legal code and in float64. 0: none is.",
       false,
       2,
       {},
       0},
      {"cache", KeyType::kString,
       "Folder of compiled kernels to share between campaigns; without it, "
       "the campaign's own.",
       false, ""},
  }};
  return keys;
}

}  // namespace mutatenn
