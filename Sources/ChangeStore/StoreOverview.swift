/// What a store holds, in numbers; read while the tracker writes it or after it has stopped, changing nothing.
public struct StoreOverview: Equatable, Sendable {
    /// Directories of the index: as many watches does the tracker need.
    public var directories: Int
    /// Bytes of history, as retention counts them.
    public var historySize: Int64

    public init(directories: Int, historySize: Int64) {
        self.directories = directories
        self.historySize = historySize
    }

    /// - Throws: `notFound` when the state directory has no store, `newerSchema`, `corrupt`, `inputOutput`.
    public init(stateDirectory: [UInt8]) throws(StoreError) {
        let reader = try StoreReader(stateDirectory: stateDirectory)
        directories = try reader.directoryCount
        historySize = try reader.historyBytes
    }
}
