// TVMScript prints a binding as one line, "name: type = value", eight blanks in; names are made
// identifiers and told apart by numbers, so a window is printed with the original's printed names
// and new ones are told apart before.
#include "compile/printed_graph.h"

#include <algorithm>
#include <cctype>
#include <regex>
#include <set>

#include "compile/graph.h"
#include "tvm/relax.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

const char* const kIndent = "        ";
// What the printer adds behind a function with constants.
const char* const kMetadataNote = "\n\n# Metadata omitted";

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

// The line after "with R.dataflow():" where `count` bindings and then R.output follow; 0 = not so.
size_t FirstBinding(const std::vector<std::string>& lines, size_t count) {
  const auto block = std::find(lines.begin(), lines.end(), "    with R.dataflow():");
  const size_t first = static_cast<size_t>(block - lines.begin()) + 1;
  const bool fits = first + count < lines.size() &&
                    lines[first + count].starts_with(std::string(kIndent) + "R.output(");
  return fits ? first : 0;
}

std::string Identifier(std::string name) {
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

std::string NameIn(const std::string& line) {
  const size_t start = std::string_view(kIndent).size();
  return line.substr(start, line.find(':') - start);
}

}  // namespace

Result<PrintedGraph> PrintedGraph::Print(const Graph& typed) {
  PrintedGraph printed;
  printed.text_ = TRY(PrintGraph(typed));
  printed.lines_ = Lines(printed.text_);
  // Constants in the script's metadata are numbered through the whole function.
  if (printed.text_.find("metadata[") != std::string::npos) return printed;
  const size_t first = FirstBinding(printed.lines_, typed.bindings.size());
  const auto header = std::find_if(printed.lines_.begin(), printed.lines_.end(),
                                   [](const std::string& l) { return l.starts_with("def main("); });
  if (first == 0 || header == printed.lines_.end()) return printed;
  static const std::regex kParameter(R"((\w+): R\.)");
  std::vector<std::string> parameters;
  for (std::sregex_iterator it(header->begin(), header->end(), kParameter), end; it != end; ++it)
    parameters.push_back((*it)[1]);
  if (parameters.size() != typed.parameters.size()) return printed;
  for (size_t i = 0; i < parameters.size(); ++i)
    printed.parameters_[typed.parameters[i].id()] = parameters[i];
  printed.taken_.insert(parameters.begin(), parameters.end());
  for (size_t i = 0; i < typed.bindings.size(); ++i) {
    printed.names_.push_back(NameIn(printed.lines_[first + i]));
    printed.printed_[typed.bindings[i].name] = printed.names_.back();
    printed.taken_.insert(printed.names_.back());
  }
  printed.first_ = first;
  return printed;
}

std::string PrintedGraph::PrintWindow(const FusionWindow::Outcome& window) const {
  std::map<const void*, Node> by;  // variables of the window -> the same under their printed names
  std::vector<Node> parameters;
  auto parameter = [&](const Node& variable, const std::string& name) {
    parameters.push_back(relax::Variable(name, variable["ty"], true));
    by[variable.id()] = parameters.back();
  };
  for (const auto& [variable, binding] : window.entries) parameter(variable, names_[binding]);
  std::set<std::string> taken = taken_;
  auto name_of = [&](const GraphBinding& binding) {
    auto known = printed_.find(binding.name);
    if (known != printed_.end()) return known->second;
    std::string name = Identifier(binding.name);
    for (int n = 1; !taken.insert(name).second; ++n)
      name = Identifier(binding.name) + "_" + std::to_string(n);
    return name;
  };
  std::vector<relax::Binding> bindings;
  for (const auto& [owner, typed] : window.typed)
    for (const GraphBinding& binding : typed) {
      for (const Node& variable : relax::VariablesOf(binding.value))
        if (!by.count(variable.id())) parameter(variable, parameters_.at(variable.id()));
      const Node value = Map(binding.value, [&](const Node& node) {
        auto found = by.find(node.id());
        return found == by.end() ? node : found->second;
      });
      const Node variable =
          relax::Variable(name_of(binding), binding.variable["ty"], /*output=*/false);
      by[binding.variable.id()] = variable;
      bindings.push_back({variable, value});
    }
  // The last one stands for the function's output, which is no line of the window.
  const Node last = relax::Variable("window", bindings.back().variable["ty"], true);
  bindings.push_back({last, bindings.back().variable});
  return Script(relax::Function(parameters, bindings, last));
}

std::optional<std::string> PrintedGraph::With(const FusionWindow::Outcome& window) const {
  if (first_ == 0 || window.typed.empty()) return std::nullopt;
  auto script = Guard("printing", [&] { return PrintWindow(window); });
  if (!script.ok()) return std::nullopt;
  const std::vector<std::string> made = Lines(*script);
  size_t count = 1;
  for (const auto& [owner, typed] : window.typed) count += typed.size();
  const size_t first = FirstBinding(made, count);
  if (first == 0) return std::nullopt;

  std::map<int, std::vector<std::string>> replacement;
  size_t line = first;
  for (const auto& [owner, typed] : window.typed)
    for (const GraphBinding& binding : typed) {
      auto known = printed_.find(binding.name);
      if (known != printed_.end() && known->second != NameIn(made[line])) return std::nullopt;
      replacement[owner].push_back(made[line++]);
    }
  std::string text;
  auto add = [&](const std::string& added) { text += added + "\n"; };
  for (size_t i = 0; i < lines_.size(); ++i) {
    const int binding = static_cast<int>(i) - static_cast<int>(first_);
    if (binding >= 0 && std::binary_search(window.replaced.begin(), window.replaced.end(), binding))
      for (const std::string& added : replacement[binding]) add(added);
    else
      add(lines_[i]);
  }
  if (!text_.ends_with('\n')) text.pop_back();
  // The original has no such constants (first_ is 0 where it has), so theirs are numbered alike,
  // and the last lines say that their elements are left out.
  if (const size_t note = script->find(kMetadataNote); note != std::string::npos)
    text += script->substr(note);
  return text;
}

}  // namespace mutatenn
