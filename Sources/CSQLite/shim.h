#include <sqlite3.h>

/// sqlite3_config(3) is variadic, so Swift does not import it. Without the statistics of its allocator SQLite takes no
/// lock for each allocation (sqlite.org/c3ref/c_config_covering_index_scan.html, SQLITE_CONFIG_MEMSTATUS).
static inline int csqlite_disable_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
