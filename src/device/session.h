// A device as the campaign sees it: load a program, run the original over images, hand in mutants,
// take finished fates out. Every device, local or remote, is a TVM RPC session behind this face;
// the messages are the structs below as JSON (protocol.cc), so that one worker serves them all.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "device/floors.h"
#include "device/probe.h"
#include "device/step_hashes.h"
#include "device/worker_stats.h"
#include "judge/judge.h"
#include "program/program.h"

namespace mutatenn {

struct Limits {
  double factor = 10;  // CPU time allowed per image: factor x the original's, at least floor_s
  double floor_s = 1;
  double wall_factor = 10;   // wall time allowed: this times the CPU limit
  int64_t memory_bytes = 0;  // address space of a mutant beyond the worker's own; 0 = 4 GiB
  int output_bytes = 4096;   // what a mutant may print before the pipe is cut
};

struct LoadRequest {
  std::string
      root;  // campaign folder: libraries and weight files of the program are relative to it
  Program program;
  int64_t memory_budget_bytes = 0;  // for references
  // What is coming, for a worker that weighs keeping the original's values against making them
  // again: how many images, and (mutant, image) runs on each. 0: not known, all values are kept.
  int images = 0;
  double runs_per_image = 0;
  int jobs = 1;  // children at a time
  int top_k = 5;
  Limits limits;
  std::string scratch;  // a folder of the worker's own; removed by the session
};
struct LoadReply {
  std::string cpu;  // CPU or GPU name
  std::string tvm_version;
  int64_t pid = 0;
  int64_t reference_bytes_per_image = 0;  // to keep the values of one image that it wants kept
};

// Who is there, before any program is loaded.
struct WorkerHello {
  std::string machine;  // instruction set, as uname has it
  std::string cpu;
  std::string tvm_version;
};

// Of its CPU, one core, in the worker's own code.
struct WorkerSpeed {
  double gflops = 0;     // float32 multiply-adds in registers, two operations each
  double copy_gb_s = 0;  // bytes copied from memory to memory
};

struct ImageInput {
  std::string id;    // the image's name, unique
  std::string file;  // raw little-endian elements of the program's input 0
};
struct OriginalRun {
  std::string image;
  std::vector<Ranked> top;
  double seconds = 0;  // all steps that depend on the image
  bool noisy = false;  // another run of it gave other results
};
// Of one worker behind a session.
struct WorkerOutputs {
  std::string worker;  // "" where there is one only
  std::vector<std::vector<float>> outputs;
  bool operator==(const WorkerOutputs&) const = default;
};

// One of several runs of the original over the loaded chunk.
struct RepeatedRun {
  std::vector<OriginalRun> runs;  // empty in the first, whose are known from SetImages
  std::vector<std::vector<WorkerOutputs>> outputs;  // by image, then as Session::EveryOutput
};

// All that is asked before the first mutant.
struct BeginRequest {
  LoadRequest load;
  std::vector<ImageInput> images;      // of these the first ones that fit
  int64_t chunk_bytes = 0;             // for their reference values
  int repeats = 1;                     // runs of the original, as Session::Repeat
  std::optional<FloorRequest> floors;  // on the first `floor_images` of the loaded, by name
  int floor_images = 0;
};
struct Begun {
  LoadReply reply;
  int chunk_images = 1;  // that fit
  std::vector<OriginalRun> runs;
  std::vector<RepeatedRun> repeated;  // empty where the session gives no outputs
  std::vector<StepFloor> floors;      // empty where it measures none
};

struct MutantJob {
  MutantProgram program;
  std::vector<std::string> images;  // of the loaded chunk, in order
  bool stop_at_kill = true;         // matrix: early
  bool full_timing = false;
  bool outside_known = false;  // it leaves its memory, as is recorded: run in plain memory alone
  bool slow_oracle = false;    // every step of every image, no references, no guards
};
struct MutantDone {
  std::string mutant;
  std::vector<Fate> fates;  // of the images that were run, in order
  std::optional<OutOfBounds> out_of_bounds;
  std::string
      tool_error;  // not empty: our fault (fork failed, disk full); the mutant stays pending
};

class Session {
 public:
  virtual ~Session() = default;
  virtual Result<WorkerHello> Hello() { return WorkerHello{"none", "none", "none"}; }
  virtual Result<WorkerSpeed> Speed() {
    return Fail(Code::kUnsupported, "this device measures no speed");
  }
  virtual Result<LoadReply> Load(const LoadRequest& request) = 0;
  // Replaces the chunk of loaded images: runs the original on them, keeps references within budget.
  virtual Result<std::vector<OriginalRun>> SetImages(const std::vector<ImageInput>& images) = 0;
  virtual Status Submit(const std::vector<MutantJob>& jobs) = 0;
  // Load, SetImages, Repeat and Floors; over a network one message.
  virtual Result<Begun> Begin(const BeginRequest& request);
  // Finished mutants, waiting at most wait_s for the first; empty when none finished in that time.
  // kUnavailable: the worker is gone; mutants not returned yet stay pending.
  virtual Result<std::vector<MutantDone>> Collect(double wait_s) = 0;
  // Network outputs of one image by the original or a mutant of the loaded chunk, for comparisons
  // in tests and `mutatenn show`: raw float32, one vector per output.
  virtual Result<std::vector<std::vector<float>>> Outputs(const std::string& image) = 0;
  // The same from each worker behind it, the one whose run SetImages gave first; of those that
  // agree with that one, none.
  virtual Result<std::vector<WorkerOutputs>> EveryOutput(const std::string& image) {
    return std::vector<WorkerOutputs>{{"", TRY(Outputs(image))}};
  }
  // The run that SetImages made of these images, and `runs` - 1 more; kUnsupported as Outputs.
  virtual Result<std::vector<RepeatedRun>> Repeat(const std::vector<ImageInput>& images, int runs);
  // Rounding floors of the loaded program's steps; kUnsupported where none are measured.
  virtual Result<std::vector<StepFloor>> Floors(const FloorRequest&) {
    return Fail(Code::kUnsupported, "this device measures no rounding floors");
  }
  // Every step's outputs on images of the loaded chunk, hashed; kUnsupported where none are.
  virtual Result<std::vector<ImageHashes>> Hashes(const std::vector<std::string>&) {
    return Fail(Code::kUnsupported, "this device hashes no steps");
  }
  // Single steps of the loaded program; what the worker keeps lasts until the next Load.
  // kUnsupported from a session that runs nothing.
  virtual Result<Probed> Run(const Probe&) {
    return Fail(Code::kUnsupported, "this device runs no single steps");
  }
  // Where the session's time has gone so far; zeros from a session that does not count.
  virtual Result<WorkerStats> Stats() { return WorkerStats{}; }
  // Workers behind it that take mutants now: how many times `jobs` mutants keep it busy.
  virtual int workers() const { return 1; }
  // Lines about what happened to it since they were last taken: lost, reconnected, quarantined.
  virtual std::vector<std::string> TakeNotices() { return {}; }
  // The same of what the user has to know of his devices: a server that computes something else.
  virtual std::vector<std::string> TakeFindings() { return {}; }
};

struct LocalOptions {
  std::string worker;             // path of mutatenn-worker; "" = beside this executable
  std::string scratch;            // folder for the session's files
  bool sabotage_allowed = false;  // tests: pass MUTATENN_SABOTAGE through
};
// Starts a worker on this machine: our own fork and exec, TVM RPC on loopback TCP with a random
// key.
Result<std::unique_ptr<Session>> OpenLocalSession(const LocalOptions& options);
// Answers every call, runs nothing: a template for new sessions, and for tests of the campaign.
std::unique_ptr<Session> MakeNullSession();

// Messages.
Json ToJson(const LoadRequest&);
Json ToJson(const LoadReply&);
Json ToJson(const BeginRequest&);
Json ToJson(const Fate&);
Json ToJson(const MutantJob&);
Json ToJson(const MutantDone&);
Json ToJson(const OriginalRun&);
Result<LoadRequest> LoadRequestFromJson(const Json&);
Result<LoadReply> LoadReplyFromJson(const Json&);
Result<BeginRequest> BeginRequestFromJson(const Json&);
Result<Fate> FateFromJson(const Json&);
Result<MutantJob> MutantJobFromJson(const Json&);
Result<MutantDone> MutantDoneFromJson(const Json&);
Result<OriginalRun> OriginalRunFromJson(const Json&);

}  // namespace mutatenn
