import Glibc
import LinuxKernel
import SystemPackage

/// The files of the consumers of a store: one SQLite file each, and a lock beside it, in a directory of the state
/// directory.
struct ConsumerFile {
    let path: [UInt8]

    private static let suffix = Array(".db".utf8)

    /// - Throws: when it is no name for a consumer.
    init(name: String, stateDirectory: [UInt8]) throws(StoreError) {
        guard Self.isName(name) else {
            throw StoreError(
                reason: .other, operation: "naming a consumer",
                message: "\"\(name)\": use up to 100 letters, digits, '-', '_' and '.', not starting with '.' or '-'")
        }
        path = StoreFiles(directory: stateDirectory).consumers + Array("/\(name)".utf8) + Self.suffix
    }

    var lock: [UInt8] { path.dropLast(Self.suffix.count) + Array(".lock".utf8) }

    static func isName(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return isPlain && !name.isEmpty && !name.hasPrefix(".") && !name.hasPrefix("-") && name.utf8.count <= 100
    }

    /// The names of all consumers, sorted.
    static func names(stateDirectory: [UInt8]) -> [String] {
        FileSystemLook.names(in: StoreFiles(directory: stateDirectory).consumers)
            .filter { $0.count > suffix.count && $0.suffix(suffix.count).elementsEqual(suffix) }
            .map { String(decoding: $0.dropLast(suffix.count), as: UTF8.self) }
            .filter(isName).sorted()
    }

    /// Opens it for writing, and makes it where there is none.
    func open() throws(StoreError) -> Database {
        if let directory = path.lastIndex(of: UInt8(ascii: "/")).map({ Array(path[..<$0]) }) {
            try? FileSystemLook.makeDirectory(directory)
        }
        // SQLite would make it readable for everyone, and what it leaves beside it gets the same mode.
        _ = try? OwnedDescriptor.open(path, flags: O_RDWR | O_CREAT, mode: 0o640)
        let database = try Database(path: path, access: .readWrite)
        database.setBusyTimeout(milliseconds: 10_000)
        // EXTRA: also that the journal is gone, or a power loss would take the last commit back.
        try database.execute("PRAGMA synchronous = EXTRA")
        try database.execute("BEGIN IMMEDIATE")
        do throws(StoreError) {
            for table in Self.tables { try database.execute("CREATE TABLE IF NOT EXISTS \(table)") }
            try database.execute("COMMIT")
        } catch {
            try? database.execute("ROLLBACK")
            throw error
        }
        return database
    }

    /// New ones are added at the end; none is ever changed.
    private static let tables = [
        "cursor(id INTEGER PRIMARY KEY CHECK (id = 1), store TEXT NOT NULL, sequence INTEGER NOT NULL)",
        // Everything is being handed out: what changes after `sequence` comes afterwards, paths up to `path` are done.
        """
        full_pass(
            id INTEGER PRIMARY KEY CHECK (id = 1), store TEXT NOT NULL, sequence INTEGER NOT NULL, path BLOB NOT NULL)
        """,
        "success(id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL)",
        "failure(id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL, reason TEXT NOT NULL)",
        "requested_full(id INTEGER PRIMARY KEY CHECK (id = 1))",
        // What is still to be done about single paths, whatever the cursor says.
        """
        work(
            path BLOB PRIMARY KEY, state INTEGER NOT NULL, flags INTEGER NOT NULL, since INTEGER NOT NULL,
            due INTEGER NOT NULL, attempts INTEGER NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID
        """,
        "notes(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
        "partials(directory BLOB PRIMARY KEY) WITHOUT ROWID",
        // What the guards of a destination count over a sliding window.
        """
        ledger(
            at INTEGER NOT NULL, through INTEGER NOT NULL, root BLOB NOT NULL, series BLOB NOT NULL,
            origin BLOB NOT NULL, born_paths INTEGER NOT NULL, born_bytes INTEGER NOT NULL, gone_paths INTEGER NOT NULL,
            gone_bytes INTEGER NOT NULL, moved INTEGER NOT NULL)
        """,
        """
        stock(
            root BLOB NOT NULL, at INTEGER NOT NULL, paths INTEGER NOT NULL, bytes INTEGER NOT NULL,
            PRIMARY KEY (root, at)) WITHOUT ROWID
        """,
        """
        overwritten(
            path BLOB PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, files INTEGER NOT NULL,
            bytes INTEGER NOT NULL) WITHOUT ROWID
        """,
    ]
}
