/// The names of the files in a state directory.
public struct StoreFiles: Sendable {
    public let directory: [UInt8]
    public init(directory: [UInt8]) { self.directory = directory }

    /// The SQLite file; `-wal` and `-shm` stand beside it.
    public var database: [UInt8] { file("store.db") }
    /// Held by the tracker as long as it runs.
    public var lock: [UInt8] { file("lock") }
    /// One file a consumer.
    public var consumers: [UInt8] { file("consumers") }

    public func file(_ name: String) -> [UInt8] { directory + [UInt8(ascii: "/")] + Array(name.utf8) }
}
