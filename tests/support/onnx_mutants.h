// Campaigns of graph mutants, compared with onnxruntime by tests/support/compare_onnx.py.
#pragma once

#include <gtest/gtest.h>

#include "support/run.h"

namespace mutatenn {

inline Json WeightOperators() {
  return Json::parse(R"([
    {"id": "graph.gaussian_fuzzing", "ratio": 0.2},
    {"id": "graph.weight_shuffling", "ratio": 0.3},
    {"id": "graph.neuron_effect_blocking", "ratio": 0.1},
    {"id": "graph.neuron_activation_inverse", "ratio": 0.2},
    {"id": "graph.neuron_switch", "ratio": 0.2},
    {"id": "graph.weight_bit_flip", "bit": 30, "seed": 3}])");
}

// Every graph operator, some with several parameters.
inline Json GraphOperators() {
  Json operators = Json::parse(R"([
    {"id": "graph.activation"}, {"id": "graph.arithmetic"}, {"id": "graph.average_pool"},
    {"id": "graph.batch_norm"}, {"id": "graph.concat"}, {"id": "graph.convolution"},
    {"id": "graph.dense_input"}, {"id": "graph.insert_op", "order": "after"},
    {"id": "graph.insert_operation", "operation": "exp",
     "functions": ["batch_norm", "conv2d", "dense"], "arg": 1},
    {"id": "graph.insert_operation", "operation": "transpose"},
    {"id": "graph.insert_operation", "operation": "permute", "arg": 1},
    {"id": "graph.insert_operation", "operation": "permute", "functions": ["pooling", "concat"]},
    {"id": "graph.insert_operation", "operation": "abs", "order": "after",
     "functions": ["batch_norm", "concat", "conv2d", "dense", "pooling"]},
    {"id": "graph.insert_operation", "operation": "floor",
     "functions": ["batch_norm", "conv2d", "dense"]},
    {"id": "graph.insert_operation", "operation": "clip", "order": "after",
     "functions": ["conv2d", "relax.add"]},
    {"id": "graph.layer_added"}, {"id": "graph.layer_duplicated"}, {"id": "graph.layer_removed"},
    {"id": "graph.layers_switched"}, {"id": "graph.pooling"}, {"id": "graph.replace_op"},
    {"id": "graph.softmax_axis"}, {"id": "graph.softmax_removed"}, {"id": "graph.swap_arguments"}])");
  for (const Json& weights : WeightOperators()) operators.push_back(weights);
  return operators;
}

// The tiny network and tests/support/make_branches.py's, on the tiny network's images and one
// device; every score of every image is kept.
inline std::string MakeTwoNetworks(const std::filesystem::path& folder, const Json& changes) {
  const Json tiny = LoadJson(MakeTinyCampaign(folder));
  const std::string branches = (folder / "branches.onnx").string();
  const RunResult made =
      Python((SourceDirectory() / "tests/support/make_branches.py").string(), {branches});
  EXPECT_EQ(made.status, 0) << made.err;
  Json models = tiny["models"];
  models.push_back(models[0]);
  models[1].merge_patch({{"name", "branches"}, {"path", branches}});
  Json all = {{"models", models},
              {"devices", Json::array({tiny["devices"][1]})},
              {"operators", GraphOperators()},
              {"matrix", "full"}};
  all.merge_patch(changes);
  return MakeTinyCampaign(folder, all);
}

// Runs the campaign; every mutant must compile and have the scores of its edit. At most a tenth of
// the edits may be like the original within the bounds. What the script says.
inline Json CompareWithOnnx(const std::string& campaign, const std::string& folder,
                            std::vector<std::string> more) {
  std::vector<std::string> arguments = {"run", campaign, "--out", folder, "--quiet"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const RunResult run = Mutatenn(arguments);
  EXPECT_EQ(run.status, 0) << run.err;
  const RunResult python =
      Python((SourceDirectory() / "tests/support/compare_onnx.py").string(), {folder});
  EXPECT_EQ(python.status, 0) << python.err;
  const Json compared = ParseJson(python.out, "compare_onnx.py").value();
  int mutants = 0;
  for (const auto& [op, count] : compared["compared"].items()) mutants += count.get<int>();
  EXPECT_GT(mutants, 0);
  EXPECT_LE(compared["like_original"].get<int>(), mutants / 10);
  EXPECT_TRUE(compared["without"].empty()) << compared["without"];
  EXPECT_EQ(compared["differ"], Json::array()) << compared["differ"].dump(1);
  return compared;
}

}  // namespace mutatenn
