#pragma once

/// What is known of the build; empty strings where nobody said it.
extern const char *const changes_commit, *const changes_date, *const changes_swift;
