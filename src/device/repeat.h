// Repeated runs of the original as one message: outputs that are those of the first run in every
// bit, as they mostly are, are sent once.
#pragma once

#include "device/session.h"

namespace mutatenn {

// `run` and `outputs` of one image at a time, as JSON; `image` counts from 0.
class RepeatedRunsWriter {
 public:
  // Before the outputs of each run; `runs` as OriginalRunsFromJson takes them.
  void Begin(Json runs);
  void Add(Json outputs);  // of the next image
  Json Take() { return std::move(list_); }

 private:
  Json list_ = Json::array();
};
Result<std::vector<RepeatedRun>> RepeatedRunsFromJson(const Json& json);

}  // namespace mutatenn
