// The generator as the campaign sees it: a model imported and compiled once per target, its
// mutation points, and mutants compiled in batches. Behind it stands `mutatenn compile-server`, a
// process of its own: exec'ed, single-threaded, it loads TVM once and forks a child per batch, so
// that a mutant that brings the compiler down is stillborn and nothing else.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "compile/export.h"
#include "mutation/mutant.h"
#include "program/program.h"

namespace mutatenn {

// Other legal code for the original, which Build makes like a mutant: ids of OperatorUse. Naive: no
// schedule (on an accelerator the plain one). Contraction: multiply-add fused where the target does
// not, apart where it does. Whether an OpenCL device does is its compiler's choice: there that is
// apart, and fused is another variant.
inline constexpr const char* kNaiveVariant = "variant.naive";
inline constexpr const char* kContractionVariant = "variant.contraction";
inline constexpr const char* kFloat64Variant = "variant.float64";  // all arithmetic, rounded last
inline constexpr const char* kVariants[] = {kNaiveVariant, kContractionVariant, kFloat64Variant};
inline constexpr const char* kFusedVariant = "variant.fused";  // OpenCL only
inline bool IsVariant(const std::string& id) { return id.starts_with("variant."); }

struct GeneratorOptions {
  std::string model_name;
  std::string model_path;
  std::vector<std::string> targets;  // TVM target JSON, one per distinct target
  int level = 3;                     // 2 = fusion only, 3 = scheduled
  std::string root;   // campaign folder; libraries go to root/kernels, weights to root/weights
  std::string cache;  // "" = no cache
  int jobs = 1;       // batches compiled at a time
  int batch = 32;     // kernels of the original, or mutants, that are compiled together
  double batch_limit_s = 90;
  bool compile = true;  // else programs name no libraries: enough to find mutation points
};

struct LayerInfo {
  std::string name;
  std::string op;  // the operator's name in the user's format ("Conv")
};

struct GeneratorInfo {
  std::vector<Program> programs;  // one per target, in the order of GeneratorOptions::targets
  std::string graph_hash;
  std::vector<LayerInfo> layers;
  std::vector<std::string> printed_kernels;  // not filled by default
  std::string tvm_version;
  std::vector<std::string> canonical_targets;  // `host` resolved to CPU name and features
  double import_s = 0, compile_s = 0;
  double generate_s = 0, link_s = 0;  // of compile_s, summed over jobs; link_s is in generate_s
  int kernels_compiled = 0, kernels_cached = 0;
};

struct PointsOfUse {
  OperatorUse use;
  std::string category;
  Level level = Level::kCode;
  std::vector<MutationPoint> points;
};

struct BuiltMutant {
  std::string mutant;
  int target = 0;                  // index into GeneratorOptions::targets
  std::string state;               // "ok", "stillborn", "equivalent", "ignored" (another target's)
  std::string reason;              // why it is not ok
  MutantProgram program;           // state ok
  std::string diff;                // unified diff of the printed IR, original to mutant
  std::string ir_kind;             // "relax", "tir" or, at level build, "settings"
  double seconds = 0, link_s = 0;  // link_s: the part of `seconds` spent linking
  bool cached = false;
};

class Generator {
 public:
  virtual ~Generator() = default;
  virtual const GeneratorInfo& info() const = 0;
  virtual Result<std::vector<PointsOfUse>> Points(const std::vector<OperatorUse>& uses) = 0;
  // Compiles mutants for one target (index); results come through `done` as they are ready, in any
  // order. Returns when all are done.
  using Done = std::function<Status(const BuiltMutant&)>;
  virtual Status Build(int target, const std::vector<Mutant>& mutants, const Done& done) = 0;
  // Mutants compiled at a time from now on, also in the midst of a Build (from its `done`). At
  // least 1.
  virtual Status SetJobs(int jobs) = 0;
  // The printed IR of a kernel (scheduled, as code mutation sees it on that target) or, key "", the
  // graph.
  virtual Result<std::string> Print(int target, const std::string& kernel) = 0;
  // Writes a mutant for other programs. kUnsupported: one line that says why that form cannot be.
  virtual Status Export(const ExportRequest&) {
    return Fail(Code::kUnsupported, "this generator exports nothing");
  }
};

// Starts the compile server and imports the model. A model that TVM cannot import is kInvalidInput
// or kUnsupported with one line naming the file and the operator.
Result<std::unique_ptr<Generator>> StartGenerator(const GeneratorOptions& options);
// The body of `mutatenn compile-server`: serves one generator over the socket `fd`. Returns the
// exit status.
int ServeCompiler(int fd);

}  // namespace mutatenn
