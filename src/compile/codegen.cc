// The lowering list of TVM's s_tir pipeline, less the passes that only annotated schedules need;
// code generation by LLVM; linking by GNU ld, the fastest linker for one small object.
#include "compile/codegen.h"

#include <elf.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "base/files.h"
#include "program/program.h"
#include "tvm/passes.h"
#include "tvm/symbols.h"

extern char** environ;

namespace mutatenn {

const std::vector<std::string>& LoweringPasses() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const LoweringPass& pass : kLoweringPasses) all.emplace_back(pass.name);
    return all;
  }();
  return names;
}

Result<Node> Lower(const Node& function, const Target& target) {
  return Guard("lowering", [&] {
    Node named = WithAttribute(function, "global_symbol", kKernelSymbol);
    named = WithAttribute(named, "target", target.node);
    Node module = MakeModule({{kKernelSymbol, named}});
    for (const LoweringPass& pass : kLoweringPasses) {
      Node made = pass.has_argument ? Call(pass.name, pass.argument) : Call(pass.name);
      module = RunPass(made, module);
    }
    return FunctionOf(module, kKernelSymbol);
  });
}

std::string SymbolOf(size_t index, size_t count) {
  return count == 1 ? kKernelSymbol : kKernelSymbol + std::to_string(index);
}

namespace {

// A file in memory that a path names: /proc/self/fd/N, in this process and in one that inherits N.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("mutatenn", 0)) {}
  ~MemoryFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  MemoryFile(const MemoryFile&) = delete;
  int fd() const { return fd_; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace

Result<std::string> EmitObject(const std::vector<Node>& lowered, const Node& target) {
  MemoryFile object;
  if (object.fd() < 0)
    return Fail(Code::kUnavailable, "no memory for an object: ", std::strerror(errno));
  TRY(Guard("code generation", [&] {
    std::vector<std::pair<std::string, Node>> functions;
    for (size_t i = 0; i < lowered.size(); ++i) {
      const std::string symbol = SymbolOf(i, lowered.size());
      functions.emplace_back(symbol, WithAttribute(lowered[i], "global_symbol", symbol));
    }
    Node module = MakeModule(functions);
    for (const char* pass : kPackingPasses) module = RunPass(Call(pass), module);
    Node library = Call(global::kBuildLlvm, module, target);
    Call(global::kWriteModule, library, object.path(), "o");
    return Unit{};
  }));
  return ReadFile(object.path());
}

namespace {

// GNU ld knows the machine it was built for alone; lld knows all, and takes 20 ms longer.
std::string LinkerFor(const std::string& object) {
  Elf64_Ehdr header{}, own{};
  std::memcpy(&header, object.data(), std::min(object.size(), sizeof header));
  std::ifstream self("/proc/self/exe", std::ios::binary);
  self.read(reinterpret_cast<char*>(&own), sizeof own);
  return header.e_machine == own.e_machine ? "ld" : "ld.lld";
}

}  // namespace

Status LinkLibrary(const std::string& object, const std::string& path) {
  const std::string linker = LinkerFor(object);
  std::vector<std::string> arguments = {linker, "-shared", "-s", "-z", "noseparate-code",
                                        "-o",   path};
  const MemoryFile file;
  if (::write(file.fd(), object.data(), object.size()) != static_cast<ssize_t>(object.size()))
    return Fail(Code::kUnavailable, "no memory for an object: ", std::strerror(errno));
  arguments.push_back(file.path());
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
  const std::string object = TRY(EmitObject({TRY(Lower(function, target))}, target.node));
  return LinkLibrary(object, path);
}

}  // namespace mutatenn
