// Why two devices disagree on a network, without any mutation: the original runs on both, step by
// step and image by image, and every step also runs on the second device with what the first one
// computed, so that each step's own share of the difference is seen. No campaign is made; only the
// values of one image that are still to be read are kept.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "campaign/campaign.h"
#include "device/session.h"
#include "program/align.h"

namespace mutatenn {

// What is compared: a device of the configuration, perhaps at another optimisation level, or a file
// that gives the network's outputs alone.
struct SideSpec {
  enum class Kind { kDevice, kRecorded, kLibrary };
  std::string text;  // as the user wrote it
  Kind kind = Kind::kDevice;
  DeviceConfig device = {};  // kDevice
  int level = 3;
  std::vector<std::string> dropped = {};  // lowering passes that are left out
};
// "A,B", each NAME, NAME@LEVEL, either followed by ~PASS once or more, FILE.npz or FILE.so, with at
// least one device; "" = the first two devices. kInvalidInput names what is wrong.
Result<std::vector<SideSpec>> ParseSides(const Config& config, const std::string& text);

struct CompareInput {
  std::string name;   // the image's
  std::string bytes;  // of the program's input
};
using NetworkOutputs = std::vector<std::vector<float>>;  // one for each output of the network

// A side ready to run: a session that has the program loaded, or outputs alone.
struct Side {
  std::string name;
  Program program;
  std::unique_ptr<Session> session;
  std::function<Result<NetworkOutputs>(const CompareInput&)> outputs = {};  // instead of a session
  // What the program comes from, where it was compiled here.
  std::shared_ptr<Generator> generator = {};
  int target = 0;  // of the generator
  std::vector<std::string> dropped = {};
  LoadRequest request = {};  // of the session
  double timeout_s = 0;      // for an answer of the session; 0 = no limit
  // By step: what rounding alone makes of it there (side_floors.cc). Missing where not measured.
  std::map<std::string, double> floors = {};
};
// whole_outputs.cc: outputs recorded for these images (by name, in order), in a file of
// numpy.savez: an array for each image, by its name, or arrays for all, whose first dimension
// counts the images.
Result<Side> OpenRecorded(const std::string& file, const std::vector<std::string>& images);
// A Relax VM executable, run by a worker of this machine. `input`: of the network.
Result<Side> OpenLibrary(const std::string& file, const TensorType& input);

struct ComparedStep {
  std::string name;  // on the first side
  std::string role;  // what its kernel computes there
  std::vector<std::string> layers;
  int steps_b = 1;        // how many of the second side's compute the same
  ValueDifference total;  // the second side's against the first's, both from the image
  ValueDifference local;  // the same, with the first side's inputs
  double growth = 0;      // of total: relative to scale, over the largest of its inputs'; 0 = new
  // Absolute: what two right sides may differ by on the same inputs; NaN = not measured.
  double floor = 0;
  // Of the image whose local error is largest:
  std::string image;
  double excess = 0;  // local error / floor; infinite for NaN where the other side has none; NaN
                      // where the floor was not measured
  std::string died;   // how a side ended here: "SIDE gave no answer within 600 s"; "" = it did not
  bool diverges() const { return excess > 1 || !died.empty(); }
};

// Both sides round, and a few images show less than the whole: so many times the smaller of their
// floors. The smaller, as a side that computes something else may be far from its own float64.
inline constexpr double kPairFloor = 4;

// What two right builds of a network may differ by at its outputs, in terms of their size; a wrong
// one differs by more. The floor where outputs alone are compared.
inline constexpr double kOutputFloor = 1e-3;

struct Explanation;  // explain.h
struct Bisection;    // bisect.h

struct Comparison {
  std::string model, a, b;
  bool outputs_only = false;  // steps are the network's outputs; local and growth mean nothing
  int images = 0;
  int labels_differ = 0;            // images whose first label differs
  std::vector<ComparedStep> steps;  // in the first side's order
  int first = -1;                   // the first that diverges
  // Where they were asked for and there is such a step.
  std::shared_ptr<const Explanation> explanation = {};
  std::shared_ptr<const Bisection> bisection = {};
};

// Runs every image on both. `read` gives the i-th of `images` inputs when it is wanted.
Result<Comparison> CompareSides(Side& a, Side& b, int images,
                                const std::function<Result<CompareInput>(int)>& read,
                                Progress& progress);

// The floors of a side's program on these images, measured by its session: as a campaign's
// (floors.h), but for the naive variant, since schedules are among what is compared. None from a
// session that measures none. Needs a generator; what was loaded is loaded again.
Status MeasureSideFloors(Side& side, const std::vector<ImageInput>& images);

struct CompareOptions {
  std::string sides;
  int images = 0;  // the first so many by name; 0 = all
  bool explain = false, bisect = false;
};
// Each model of the configuration, in a folder that is removed.
Result<std::vector<Comparison>> CompareDevices(const Config& config, const CompareOptions& options,
                                               const CampaignParts& parts, Progress& progress);

Json ToJson(const Comparison& comparison);

}  // namespace mutatenn
