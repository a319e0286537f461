#include <sqlite3.h>

/// sqlite3_config(3) is variadic, so Swift does not import it. Without the statistics of its allocator SQLite takes no
/// lock for each allocation (sqlite.org/c3ref/c_config_covering_index_scan.html, SQLITE_CONFIG_MEMSTATUS).
static inline int csqlite_disable_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

/// Constants that are expressions, which Swift does not import (sqlite.org/rescode.html).
static const int csqlite_readonly_cantinit = SQLITE_READONLY_CANTINIT;
static const int csqlite_ioerr_shmlock = SQLITE_IOERR_SHMLOCK;

/// sqlite3_db_config(3) is variadic too: a connection that closes leaves the log to others.
static inline int csqlite_disable_checkpoint_on_close(sqlite3 *connection) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}
