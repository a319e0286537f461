#include "CLinux.h"

static char **arguments;

/// glibc calls constructors with what main gets. Swift's own CommandLine reads /proc/self/cmdline, and has no arguments in
/// a sandbox without /proc.
__attribute__((constructor)) static void keep_arguments(int count, char **given, char **environment) {
  (void)count;
  (void)environment;
  arguments = given;
}

char **clinux_arguments(void) { return arguments; }
