// The worker's functions, each a JSON text in and a JSON text out, as device/remote.h describes:
// mutatenn.hello, .speed, .load, .images, .repeat, .begin (all before the first mutant), .submit,
// .collect, .work (both), .outputs, .floors, .hashes, .probe, .stats; and .with, which brings small
// files along with another call.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "device/session.h"
#include "tvm/runtime.h"
#include "worker/accelerator.h"
#include "worker/probes.h"
#include "worker/references.h"
#include "worker/scheduler.h"

namespace mutatenn {

class Service {
 public:
  // `keep_going` is asked during long calls: false when the client is gone. `scratch`: a folder for
  // clients that name none.
  explicit Service(std::function<bool()> keep_going, std::string scratch = "")
      : keep_going_(std::move(keep_going)), scratch_(std::move(scratch)) {}
  // The functions point at this object.
  std::map<std::string, RemoteFunction> Functions();

 private:
  Result<Json> Hello(const Json&);
  Result<Json> Speed(const Json&);
  Result<Json> Load(const Json& argument);
  Result<Json> Images(const Json& argument);
  Result<Json> Begin(const Json& argument);
  Result<Json> Repeat(const Json& argument);
  Result<Json> Submit(const Json& argument);
  Result<Json> Work(const Json& argument);
  Result<Json> Collect(const Json& argument);
  Result<Json> Outputs(const Json& argument);
  Result<Json> Floors(const Json& argument);
  Result<Json> Hashes(const Json& argument);
  Result<Json> RunProbe(const Json& argument);
  Result<Json> Stats(const Json&);
  Status Loaded() const;
  void CountMessages(bool mutants_come);

  std::function<bool()> keep_going_;
  std::string scratch_;
  LoadRequest request_;
  WorkerStats stats_;  // but for the children of `scheduler_`
  struct {             // how the last call left
    double at_s = 0, cpu_s = 0;
    bool idle = false;  // no mutants to run
  } left_;
  std::unique_ptr<Accelerator> accelerator_;  // instead of those below, where the device is one
  std::unique_ptr<Original> original_;
  std::unique_ptr<Probes> probes_;  // made by the first probe
  Keeping keeping_;
  std::unique_ptr<References> references_;
  std::unique_ptr<Scheduler> scheduler_;  // after what it points to: destroyed first
};

}  // namespace mutatenn
