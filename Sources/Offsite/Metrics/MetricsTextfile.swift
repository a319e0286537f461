import LinuxKernel

/// Writes figures where node_exporter's textfile collector finds them.
public struct MetricsTextfile: Sendable {
    /// Its `--collector.textfile.directory`, absolute.
    public let directory: [UInt8]

    public init(directory: [UInt8]) { self.directory = directory }

    /// The file of one destination; there is one writer of it, the worker.
    ///
    /// - Parameter destination: as a consumer's name: no slash.
    public func path(for destination: String) -> [UInt8] {
        directory + Array("/nfs-changes-\(destination).prom".utf8)
    }

    /// Replaces the destination's file. The collector reads `*.prom`, and so never the temporary file, which ends in
    /// `.prom.new`. All may read the new file: the collector runs as another user.
    ///
    /// The directory is not made: where it is missing, nobody reads it.
    ///
    /// - Returns: why not; the old file is then untouched.
    public func write(_ figures: SyncFigures) -> MetricsFailure? {
        let path = path(for: figures.destination)
        do {
            try replaceFile(path, with: figures.exposition, permissions: 0o644)
            return nil
        } catch {
            return .textfile(path: path, error)
        }
    }
}
