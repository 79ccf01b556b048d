// Outputs of a program, of a file, of somebody's library; and their differences.
#include "campaign/whole_outputs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "base/base64.h"
#include "base/files.h"
#include "base/npz.h"
#include "base/process.h"
#include "device/remote.h"
#include "judge/judge.h"

namespace mutatenn {
namespace {

constexpr double kLibrarySeconds = 300;  // for one image; a first run may be slow

const TensorType& TypeOf(const Program& program, int value) {
  return program.values[static_cast<size_t>(value)].type;
}

Result<NetworkOutputs> OutputsOf(Side& side, const CompareInput& input) {
  if (side.outputs) return side.outputs(input);
  const Program& program = side.program;
  Probe probe{.fresh = true};
  probe.puts.push_back({"own", program.inputs[0], input.bytes});
  for (size_t s = 0; s < program.steps.size(); ++s)
    if (!program.steps[s].weight_only) probe.runs.push_back({static_cast<int>(s), {"own"}, "own"});
  for (int value : program.outputs) {
    if (TypeOf(program, value).dtype != "float32")
      return Fail(Code::kUnsupported, side.name, ": an output of type ",
                  TypeOf(program, value).dtype, " cannot be compared with a file's");
    probe.gets.push_back({"own", value});
  }
  NetworkOutputs outputs;
  for (const std::string& bytes : TRY(side.session->Run(probe).With(side.name)).values) {
    outputs.emplace_back(bytes.size() / sizeof(float));
    std::memcpy(outputs.back().data(), bytes.data(), bytes.size());
  }
  return outputs;
}

int64_t FirstLabel(const std::vector<float>& scores) {
  const auto top = TopK(scores.data(), std::ssize(scores), 1);
  return top.empty() ? -1 : top[0].label;
}

}  // namespace

Result<Comparison> CompareOutputs(Side& a, Side& b, int images,
                                  const std::function<Result<CompareInput>(int)>& read,
                                  Progress& progress) {
  const Program& program = a.outputs ? b.program : a.program;
  Comparison found{.model = program.model, .a = a.name, .b = b.name, .outputs_only = true};
  for (int value : program.outputs)
    found.steps.push_back({.name = program.values[static_cast<size_t>(value)].name});
  progress.Begin("comparing " + a.name + " and " + b.name, images);
  for (; found.images < images; ++found.images) {
    const CompareInput input = TRY(read(found.images));
    const NetworkOutputs of_a = TRY(OutputsOf(a, input)), of_b = TRY(OutputsOf(b, input));
    for (const auto* side : {&of_a, &of_b})
      for (size_t o = 0; o < found.steps.size(); ++o) {
        const int64_t wanted = TypeOf(program, program.outputs[o]).Elements();
        if (o >= side->size() || std::ssize((*side)[o]) != wanted)
          return Fail(Code::kInvalidInput, side == &of_a ? a.name : b.name, ": output ",
                      std::to_string(o), " of ", input.name, " has ",
                      std::to_string(o < side->size() ? std::ssize((*side)[o]) : 0),
                      " elements, the network's has ", std::to_string(wanted));
      }
    for (size_t o = 0; o < found.steps.size(); ++o) {
      ComparedStep& step = found.steps[o];
      const ValueDifference difference = Differences(of_b[o], of_a[o]);
      Add(difference, &step.total);
      const double floor = kOutputFloor * difference.scale;
      double excess = difference.largest_abs > 0 ? difference.largest_abs / floor : 0;
      if (difference.nonfinite > 0) excess = std::numeric_limits<double>::infinity();
      if (!step.image.empty() && excess <= step.excess) continue;
      step.image = input.name;
      step.floor = floor;
      step.excess = excess;
    }
    found.labels_differ += FirstLabel(of_a[0]) != FirstLabel(of_b[0]);
    progress.Count();
  }
  progress.End();
  for (size_t o = 0; o < found.steps.size() && found.first < 0; ++o)
    if (found.steps[o].diverges()) found.first = static_cast<int>(o);
  return found;
}

Result<Side> OpenRecorded(const std::string& file, const std::vector<std::string>& images) {
  std::vector<NamedArray> arrays = TRY(ReadNpz(file));
  if (arrays.empty()) return Fail(Code::kInvalidInput, file, ": holds no array");
  std::map<std::string, NetworkOutputs> outputs;
  const bool by_image = std::any_of(arrays.begin(), arrays.end(), [&](const NamedArray& array) {
    return std::find(images.begin(), images.end(), array.name) != images.end();
  });
  for (NamedArray& array : arrays) {
    if (by_image) {
      outputs[array.name].push_back(std::move(array.elements));
      continue;
    }
    if (array.shape.empty() || array.shape[0] != std::ssize(images))
      return Fail(Code::kInvalidInput, file, ": the array '", array.name,
                  "' is not named as an image, and its first dimension is not ",
                  std::to_string(images.size()), ", the number of images");
    const size_t each = array.elements.size() / images.size();
    for (size_t i = 0; i < images.size(); ++i)
      outputs[images[i]].emplace_back(array.elements.begin() + static_cast<long>(i * each),
                                      array.elements.begin() + static_cast<long>((i + 1) * each));
  }
  Side side{.name = file};
  side.outputs =
      [file, outputs = std::move(outputs)](const CompareInput& input) -> Result<NetworkOutputs> {
    const auto found = outputs.find(input.name);
    if (found == outputs.end())
      return Fail(Code::kNotFound, file, ": holds no array '", input.name, "'");
    return found->second;
  };
  return side;
}

Result<Side> OpenLibrary(const std::string& file, const TensorType& input) {
  const char* folder = std::getenv("MUTATENN_BIN_DIR");  // tests
  const std::filesystem::path beside =
      folder != nullptr ? std::filesystem::path(folder) : ExecutableDirectory();
  ProcessOptions options;
  options.command = {(beside / "mutatenn-worker").string(), "--library",
                     std::to_string(kChildSocket)};
  options.name = "the process that runs " + file;
  std::shared_ptr<Process> process = TRY(Process::Start(options));
  auto ask = [process](const Json& request) -> Result<Json> {
    TRY(process->Send(request));
    return OpenReply(DumpJson(TRY(process->Receive(kLibrarySeconds))));
  };
  TRY(ask({{"file", std::filesystem::absolute(file).string()}}));
  Side side{.name = file};
  side.outputs = [ask, shape = input.shape](const CompareInput& image) -> Result<NetworkOutputs> {
    return OutputsFromJson(TRY(ask({{"shape", shape}, {"input", ToBase64(image.bytes)}})));
  };
  return side;
}

}  // namespace mutatenn
