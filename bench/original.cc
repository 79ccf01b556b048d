// Times the original network as compiled by MutateNN, without a campaign around it. Compiles a
// model, then answers one JSON line on standard output for each line on standard input:
//   {"input": FILE, "output": FILE, "runs": N}  ->  {"seconds": [...], "steps": [best of each
//   step]}
// FILE holds raw float32. The first line it prints tells of the build:
//   {"kernels", "compile_s", "import_s", "steps": [{"name", "kernel", "role"}], "tvm"}
#include <time.h>

#include <cstring>
#include <iostream>

#include "base/files.h"
#include "compile/generator.h"
#include "tvm/runtime.h"
#include "worker/original.h"
#include "worker/scratch.h"

namespace mutatenn {
namespace {

// CPU seconds of this thread, the only one: what others on the machine take does not count.
double Now() {
  timespec now;
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void Print(const Json& json) { std::cout << DumpJson(json) << std::endl; }

// The original in memory, its arguments found once.
class Network {
 public:
  static Result<Network> Make(const Original& original) {
    const Program& program = original.program();
    std::vector<bool> elsewhere(program.values.size());
    elsewhere[static_cast<size_t>(original.input())] = true;
    const Scratch scratch = PlanScratch(original.typed(), elsewhere);
    const int64_t input_bytes = original.typed().Bytes(original.input());
    Network network(original);
    network.memory_ = TRY(Arena::Make(scratch.bytes + Aligned(input_bytes)));
    network.input_ = static_cast<char*>(network.memory_.Allocate(input_bytes));
    char* base = static_cast<char*>(network.memory_.Allocate(scratch.bytes));
    auto place = [&](int value) -> void* {
      if (value == original.input()) return network.input_;
      if (const void* constant = original.Constant(value)) return const_cast<void*>(constant);
      return base + scratch.offsets[static_cast<size_t>(value)];
    };
    for (int s : original.image_steps())
      network.arguments_.push_back(Arguments(program.steps[static_cast<size_t>(s)], place, place));
    network.output_ = place(program.outputs[0]);
    return network;
  }
  // Seconds of the whole; lowers `best` to those of each step.
  Result<double> Run(std::vector<double>* best) const {
    const std::vector<int>& steps = original_->image_steps();
    const double start = Now();
    double last = start;
    for (size_t i = 0; i < steps.size(); ++i) {
      const Step& step = original_->program().steps[static_cast<size_t>(steps[i])];
      TRY(original_->typed().Call(original_->StepKernel(steps[i]), step, arguments_[i]));
      const double now = Now();
      (*best)[i] = std::min((*best)[i], now - last);
      last = now;
    }
    return last - start;
  }
  void SetInput(const std::string& bytes) const { std::memcpy(input_, bytes.data(), bytes.size()); }
  std::string Output() const {
    const int value = original_->program().outputs[0];
    return {static_cast<const char*>(output_),
            static_cast<size_t>(original_->typed().Bytes(value))};
  }

 private:
  explicit Network(const Original& original) : original_(&original) {}
  const Original* original_;
  Arena memory_;
  char* input_ = nullptr;
  const void* output_ = nullptr;
  std::vector<std::vector<void*>> arguments_;  // by image step
};

Status Serve(const GeneratorOptions& options) {
  const auto generator = TRY(StartGenerator(options));
  const GeneratorInfo& info = generator->info();
  LoadRequest request;
  request.root = options.root;
  request.program = info.programs.at(0);
  const std::unique_ptr<Original> original = TRY(Original::Load(request));
  Json steps = Json::array();
  std::map<std::string, bool> kernels;
  for (int s : original->image_steps()) {
    const Step& step = original->program().steps[static_cast<size_t>(s)];
    kernels[step.kernel] = true;
    steps.push_back({{"name", step.name},
                     {"kernel", step.kernel},
                     {"role", original->program().kernels.at(step.kernel).role}});
  }
  Print({{"kernels", info.kernels_compiled + info.kernels_cached},
         {"kernels_per_image", kernels.size()},
         {"compile_s", info.compile_s},
         {"import_s", info.import_s},
         {"steps", steps},
         {"weight_steps_s", original->weight_seconds()},
         {"tvm", info.tvm_version}});

  const Network network = TRY(Network::Make(*original));
  for (std::string line; std::getline(std::cin, line);) {
    const Json job = TRY(ParseJson(line, "standard input"));
    const std::string input = TRY(ReadFile(job["input"].get<std::string>()));
    if (static_cast<int64_t>(input.size()) != original->typed().Bytes(original->input()))
      return Fail(Code::kInvalidInput, "the input has ", std::to_string(input.size()), " bytes");
    network.SetInput(input);
    std::vector<double> best(original->image_steps().size(), 1e9);
    std::vector<double> seconds;
    for (int run = job["runs"].get<int>(); run > 0; --run)
      seconds.push_back(TRY(network.Run(&best)));
    TRY(WriteFile(job["output"].get<std::string>(), network.Output()));
    Print({{"seconds", seconds}, {"steps", best}});
  }
  return Ok();
}

}  // namespace
}  // namespace mutatenn

int main(int argc, char** argv) {
  using namespace mutatenn;
  if (argc < 3) {
    std::cerr << "usage: original MODEL.onnx FOLDER [TARGET]\n";
    return 2;
  }
  GeneratorOptions options;
  options.model_name = "model";
  options.model_path = argv[1];
  options.root = argv[2];
  options.targets = {argc > 3 ? argv[3] : R"({"kind": "llvm", "mcpu": "host"})"};
  const Status status = Serve(options);
  if (!status.ok()) std::cerr << status.error().message << "\n";
  return status.ok() ? 0 : 1;
}
