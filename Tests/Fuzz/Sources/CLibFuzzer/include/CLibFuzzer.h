// libFuzzer's entry point for a program with a main of its own (compiler-rt: FuzzerInterface.h has no declaration of
// it; "Using libFuzzer as a library" in LLVM's documentation does).
#ifndef NFS_CHANGES_CLIBFUZZER_H
#define NFS_CHANGES_CLIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

#endif
