// The program `mutatenn`.
#include "cli/subcommand.h"

int main(int argc, char** argv) { return mutatenn::RunCli(argc, argv); }
