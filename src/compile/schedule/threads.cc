// Replays a trace, or binds each block's outer loops to threads.
#include "compile/schedule/threads.h"

#include "tvm/gpu_passes.h"
#include "tvm/schedule.h"

namespace mutatenn {
namespace {

constexpr int64_t kThreads = 64;  // of a block; every device has as many

Node BindPlainly(const Node& function) {
  Schedule schedule(function);
  for (const Node& block : schedule.Blocks()) {
    std::vector<Node> spatial;
    for (const Node& loop : schedule.Loops(block)) {
      if (!schedule.IsSpatial(loop)) break;
      spatial.push_back(loop);
    }
    const Node fused = spatial.empty()       ? schedule.AddUnitLoop(block)
                       : spatial.size() == 1 ? spatial[0]
                                             : schedule.Fuse(spatial);
    const std::vector<Node> parts = schedule.Split(fused, {kThreads});
    schedule.Bind(parts.at(0), "blockIdx.x");
    schedule.Bind(parts.at(1), "threadIdx.x");
  }
  return schedule.Function();
}

// Throws where lowering would: threads that reduce together need a reduction that TVM knows, and a
// mutant's may be another.
void CheckReductions(const Node& function) {
  Node module = MakeModule({{"main", function}});
  for (const char* pass : gpu::kThreadReductionPasses) module = RunPass(Call(pass), module);
}

}  // namespace

Result<Scheduled> ScheduleThreads(const Node& function, const std::string& trace) {
  Scheduled scheduled = {.function = function, .rule = "dlight", .why = ""};
  if (trace.empty()) {
    scheduled.why = "no rule of dlight's takes it";
  } else {
    auto made = Guard("dlight's schedule", [&] {
      Schedule schedule(function);
      schedule.Apply(FromJsonText(trace));
      const Node made = schedule.Function();
      CheckReductions(made);
      return made;
    });
    if (made.ok()) {
      scheduled.function = *made;
      return scheduled;
    }
    scheduled.why = made.error().message.substr(0, made.error().message.find('\n'));
  }
  scheduled.rule = "plain";
  scheduled.function = TRY(Guard("binding threads", [&] { return BindPlainly(function); }));
  return scheduled;
}

}  // namespace mutatenn
