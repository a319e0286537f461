import CSQLite

/// Why the store could not do what was asked, with what SQLite said.
public struct StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of trouble it is, for who has to decide what to do.
    public enum Reason: Equatable, Sendable {
        /// There is no store at that place.
        case notFound
        /// The file was written by a newer version of this program.
        case newerSchema(found: Int64, known: Int64)
        /// SQLITE_CORRUPT or SQLITE_NOTADB: the only two that set a store aside.
        case corrupt
        /// Another process holds a lock on it.
        case busy
        /// The file system is full (SQLITE_FULL).
        case full
        /// Reading or writing failed (SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM).
        case inputOutput
        /// Anything else: a defect of this program.
        case other
    }

    public let reason: Reason
    /// What was being done, for people.
    public let operation: String
    /// SQLite's extended result code; 0 where SQLite was not asked.
    public let code: Int32
    /// SQLite's own words.
    public let message: String

    public init(reason: Reason, operation: String, code: Int32 = 0, message: String) {
        self.reason = reason
        self.operation = operation
        self.code = code
        self.message = message
    }

    init(code: Int32, operation: String, message: String) {
        self.code = code
        self.operation = operation
        self.message = message
        reason =
            switch code & 0xFF {
            case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
            case SQLITE_BUSY, SQLITE_LOCKED: .busy
            case SQLITE_FULL: .full
            case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM: .inputOutput
            default: .other
            }
    }

    public var description: String {
        switch reason {
        case .notFound: "\(operation): \(message)"
        case .newerSchema(let found, let known):
            "\(operation): the store has schema \(found) and this program knows up to \(known): "
                + "install the newer version again, or start with another state directory"
        case .full: "\(operation): no space left on the store's file system (\(message)): free some space"
        default: "\(operation): \(message) (SQLite code \(code))"
        }
    }
}
