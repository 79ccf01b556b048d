// The program `mutatenn`.
#include "base/turns.h"
#include "cli/subcommand.h"

int main(int argc, char** argv) {
  mutatenn::TakeShortTurns();
  return mutatenn::RunCli(argc, argv);
}
