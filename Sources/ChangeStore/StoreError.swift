import CSQLite
import SystemPackage

/// Why the store could not do what was asked, with what SQLite said.
public struct StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of trouble it is, for who has to decide what to do.
    public enum Reason: Equatable, Sendable {
        /// There is no store at that place.
        case notFound
        /// This user may not read it.
        case notPermitted
        /// The file was written by a newer version of this program.
        case newerSchema(found: Int64, known: Int64)
        /// SQLITE_CORRUPT or SQLITE_NOTADB: the only two that set a store aside.
        case corrupt
        /// Another process holds a lock on it.
        case busy
        /// The file system is full, or its quota is used up (SQLITE_FULL, and SQLITE_IOERR because of ENOSPC or EDQUOT).
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

    /// What a connection says of its last call, with the system call's error where one failed.
    init(of connection: OpaquePointer, code: Int32, operation: String) {
        var message = String(cString: sqlite3_errmsg(connection))
        let system = Errno(rawValue: sqlite3_system_errno(connection))
        let isSystems = [SQLITE_IOERR, SQLITE_CANTOPEN].contains(code & 0xFF) && system.rawValue != 0
        if isSystems { message += ": \(system)" }
        if isSystems, [.noSpace, .diskQuotaExceeded].contains(system) {
            self.init(reason: .full, operation: operation, code: code, message: message)
        } else {
            self.init(code: code, operation: operation, message: message)
        }
    }

    public var description: String {
        switch reason {
        case .notFound, .notPermitted: "\(operation): \(message)"
        case .newerSchema(let found, let known):
            "\(operation): the store has schema \(found) and this program knows up to \(known): "
                + "install the newer version again, or start with another state directory"
        case .corrupt:
            "\(operation): it is damaged (\(message), SQLite code \(code)): "
                + "the tracker sets it aside and makes a new one when it meets that, at its next start at the latest"
        case .full: "\(operation): no space left on the store's file system (\(message)): free some space"
        default: "\(operation): \(message) (SQLite code \(code))"
        }
    }
}
