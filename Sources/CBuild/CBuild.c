#include "CBuild.h"

const char *const changes_commit = CHANGES_COMMIT, *const changes_date = CHANGES_DATE, *const changes_swift = CHANGES_SWIFT;
