// The lowering list of TVM's s_tir pipeline, less the passes that only annotated schedules need;
// code generation by LLVM; linking by GNU ld, the fastest linker for one small object.
#include "compile/codegen.h"

#include <elf.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <span>

#include "base/files.h"
#include "compile/device_code.h"
#include "compile/memory_file.h"
#include "compile/plain_function.h"
#include "program/program.h"
#include "tvm/gpu_passes.h"
#include "tvm/symbols.h"

extern char** environ;

namespace mutatenn {

const std::vector<std::string>& LoweringPasses() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const LoweringPass& pass : kLoweringPasses) all.emplace_back(pass.name);
    for (const LoweringPass& pass : kGpuLoweringPasses) all.emplace_back(pass.name);
    return all;
  }();
  return names;
}

std::span<const LoweringPass> PassesFor(const Target& target) {
  if (target.accelerator()) return kGpuLoweringPasses;
  return kLoweringPasses;
}

Result<Node> Lower(const Node& function, const Target& target) {
  return Lower(function, target, PassesFor(target));
}

Result<Node> Lower(const Node& function, const Target& target,
                   std::span<const LoweringPass> passes) {
  return Guard("lowering", [&] {
    Node named = WithAttribute(function, "global_symbol", kKernelSymbol);
    named = WithAttribute(named, "target", target.node);
    Node module = MakeModule({{kKernelSymbol, named}});
    for (const LoweringPass& pass : passes) {
      Node made = pass.has_argument ? Call(pass.name, pass.argument) : Call(pass.name);
      module = RunPass(made, module);
    }
    return FunctionOf(module, kKernelSymbol);
  });
}

std::string SymbolOf(size_t index, size_t count) {
  return count == 1 ? kKernelSymbol : kKernelSymbol + std::to_string(index);
}

Result<std::string> ObjectOf(const Node& module) {
  MemoryFile object;
  TRY(object.Check());
  TRY(Guard("code generation", [&] {
    Call(global::kWriteModule, module, object.path(), "o");
    return Unit{};
  }));
  return ReadFile(object.path());
}

Result<std::string> EmitObject(const std::vector<Node>& lowered, const Node& target) {
  return ObjectOf(TRY(Guard("code generation", [&] {
    std::vector<std::pair<std::string, Node>> functions;
    for (size_t i = 0; i < lowered.size(); ++i) {
      const std::string symbol = SymbolOf(i, lowered.size());
      functions.emplace_back(symbol, PlainFunction(lowered[i], symbol, target));
    }
    Node module = MakeModule(functions);
    for (const char* pass : kFinishingPasses) module = RunPass(Call(pass), module);
    return Call(global::kBuildLlvm, module, target);
  })));
}

namespace {

// GNU ld knows the machine it was built for alone; lld knows all, and takes 20 ms longer.
std::string LinkerFor(const std::string& object) {
  static const auto own = [] {
    Elf64_Ehdr header{};
    std::ifstream self("/proc/self/exe", std::ios::binary);
    self.read(reinterpret_cast<char*>(&header), sizeof header);
    return header.e_machine;
  }();
  Elf64_Ehdr header{};
  std::memcpy(&header, object.data(), std::min(object.size(), sizeof header));
  return header.e_machine == own ? "ld" : "ld.lld";
}

}  // namespace

Status LinkLibrary(const std::vector<std::string>& objects, const std::string& path) {
  const std::string linker = LinkerFor(objects.at(0));
  std::vector<std::string> arguments = {linker, "-shared", "-s", "-z", "noseparate-code",
                                        "-o",   path};
  std::vector<MemoryFile> files(objects.size());
  for (size_t i = 0; i < objects.size(); ++i) {
    TRY(files[i].Write(objects[i]));
    arguments.push_back(files[i].path());
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  MemoryFile log;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, log.fd(), 2);
  pid_t pid = 0;
  int error = posix_spawnp(&pid, linker.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return Fail(Code::kUnavailable, "cannot start the linker '", linker, "' (",
                std::strerror(error), "): install ", linker == "ld" ? "binutils" : "lld");
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Ok();
  auto text = ReadFile(log.path());
  std::string message = text.ok() ? *text : "";
  std::replace(message.begin(), message.end(), '\n', ' ');
  return Fail(Code::kIo, "cannot write ", path, ": ", message,
              message.find("No space left") != std::string::npos
                  ? "(free some space and run the same command again)"
                  : "");
}

Status BuildLibrary(const Node& function, const Target& target, const std::string& path) {
  const Node lowered = TRY(Lower(function, target));
  if (!target.accelerator()) return LinkLibrary({TRY(EmitObject({lowered}, target.node))}, path);
  return LinkLibrary(TRY(EmitDeviceCode(lowered, kKernelSymbol, target.node)).objects, path);
}

}  // namespace mutatenn
