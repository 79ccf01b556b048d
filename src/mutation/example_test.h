// For this room's tests: the examples of tests/examples as subjects, and kernels run on this
// machine.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mutation/subject.h"
#include "tvm/node.h"

namespace mutatenn {

std::filesystem::path SourceFolder();  // of the repository

// kernels.json: conv2d_relu (blocks pad_temp, conv2d_nchw, compute) and comparisons (choose, keep,
// count_late). Their settings are of a target with eight lanes; a kernel's calls are the words of
// its role.
std::vector<KernelSubject> ExampleKernels(const std::string& name = "kernels");
Graph ExampleGraph(const std::string& name = "layers");
Node FunctionOfGraph(const Graph& graph);  // a Relax function, nested calls bound and typed

// One argument of a kernel: elements of four bytes. Before and after them lie `slack` elements of
// the same memory: mutants read there.
inline constexpr int kSlack = 64;
struct TestTensor {
  std::vector<int64_t> shape;
  std::string dtype = "float32";
  void* data = nullptr;
  int64_t slack = 0;
};
// Lowers, compiles for this machine and runs a PrimFunc. Test failures say what went wrong.
void RunKernel(const Node& function, const std::vector<TestTensor>& arguments);

// The operator at its points in the examples. Parameters are completed with the defaults.
struct Applied {
  const MutationOperator* op = nullptr;
  Json parameters;
  std::vector<MutationPoint> points;
};
Applied PointsInKernels(const std::string& id, const Json& parameters = Json::object());
Applied PointsInGraph(const std::string& id, const Json& parameters = Json::object());
// The one point with that block and match.
MutationPoint PointAt(const Applied& applied, const std::string& block, int match);

}  // namespace mutatenn
