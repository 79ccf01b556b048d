// What a session does that has no message for it, and the message of those that have.
#include "device/repeat.h"

#include "device/remote.h"

namespace mutatenn {

Result<std::vector<RepeatedRun>> Session::Repeat(const std::vector<ImageInput>& images, int runs) {
  std::vector<RepeatedRun> repeated;
  for (int i = 0; i < runs; ++i) {
    RepeatedRun run;
    if (i > 0) run.runs = TRY(SetImages(images));
    for (const ImageInput& image : images) run.outputs.push_back(TRY(EveryOutput(image.id)));
    repeated.push_back(std::move(run));
  }
  return repeated;
}

void RepeatedRunsWriter::Begin(Json runs) {
  list_.push_back({{"runs", std::move(runs)}, {"outputs", Json::array()}});
}

void RepeatedRunsWriter::Add(Json outputs) {
  Json& ours = list_.back()["outputs"];
  const bool known = list_.size() > 1 && list_[0]["outputs"].at(ours.size()) == outputs;
  ours.push_back(known ? Json() : std::move(outputs));
}

Result<std::vector<RepeatedRun>> RepeatedRunsFromJson(const Json& json) {
  const Error damaged{Code::kInvalidInput, "repeated runs are damaged"};
  if (!json.is_array()) return damaged;
  std::vector<RepeatedRun> repeated;
  for (const Json& entry : json) {
    if (!entry.is_object() || !entry.contains("runs") || !entry.contains("outputs") ||
        !entry["outputs"].is_array())
      return damaged;
    RepeatedRun run{TRY(OriginalRunsFromJson(entry["runs"])), {}};
    for (size_t i = 0; i < entry["outputs"].size(); ++i) {
      const Json& outputs = entry["outputs"][i];
      if (outputs.is_null() && (repeated.empty() || i >= repeated[0].outputs.size()))
        return damaged;
      run.outputs.push_back(outputs.is_null()
                                ? repeated[0].outputs[i]
                                : std::vector<WorkerOutputs>{{"", TRY(OutputsFromJson(outputs))}});
    }
    repeated.push_back(std::move(run));
  }
  return repeated;
}

}  // namespace mutatenn
