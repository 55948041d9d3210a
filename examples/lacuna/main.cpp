// The one program: the commands, with the models of the library.
#include "commands.hpp"

int main(int argc, char** argv) { return program::run_command(argc, argv); }
