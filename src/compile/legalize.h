// Relax operators to calls of PrimFuncs, memoised by (operator, attributes, argument types): the
// front-end child legalises what is new, C++ puts the calls in. A graph mutant then costs what is
// new, not the model.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model.h"
#include "mutation/subject.h"

namespace mutatenn {

// PrimFuncs by content: equal ones are one, under one GlobalVar, with their operator pattern.
class FunctionTable {
 public:
  struct Entry {
    Node variable;  // GlobalVar
    Node function;
    std::string role;  // "conv2d"
  };
  const Entry& Add(const Node& function, const std::string& role);
  const Entry* Find(const std::string& name) const;

 private:
  std::map<std::string, Entry> by_name_;
  std::map<uint64_t, std::vector<std::string>> by_hash_;
};

class LegalizeMemo {
 public:
  // Operator calls of `graph` that have no entry yet, as functions of one module's JSON each holds
  // many. Empty where all are known.
  Result<std::vector<Node>> Missing(const Graph& graph) const;
  // Asks the front end for them, all in one request.
  Status Fetch(const std::vector<Node>& missing, Frontend& frontend);
  // `missing` as text, to carry it from a forked child to the process that owns the front end.
  static Result<std::string> Pack(const std::vector<Node>& missing);
  static Result<std::vector<Node>> Unpack(const std::string& text);

  // The graph with every operator call replaced by relax.call_tir of functions in `table`.
  Result<Graph> Apply(const Graph& graph, FunctionTable& table) const;

 private:
  struct Entry {
    Node question;  // the function asked for
    Node function;  // the same legalised
    std::map<std::string, Node> prim_funcs;
  };
  const Entry* Find(const Node& question) const;
  std::map<uint64_t, std::vector<Entry>> entries_;
};

}  // namespace mutatenn
