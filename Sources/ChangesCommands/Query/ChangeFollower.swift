import ChangeStore
import LinuxKernel
import SystemPackage

/// Writes changes as they are recorded, for ever, like `tail -f`; also while no tracker runs and over its restarts.
struct ChangeFollower {
    var selection: Selection
    /// How many of the changes that are there already come first, where no beginning is given.
    var backlog: Int
    let stateDirectory: [UInt8]
    private let writer: RowWriter

    init(selection: Selection, format: ChangeFormat, backlog: Int, stateDirectory: [UInt8]) {
        self.selection = selection
        self.backlog = backlog
        self.stateDirectory = stateDirectory
        writer = RowWriter(format)
    }

    /// - Throws: `Output.Failure.closed` when the reader goes away; else only when something is broken.
    func run(to output: inout Output, warn: (String) -> Void) throws {
        // Before the store is opened: what changes between the two is seen to have changed.
        var identities = identities
        var reader = try StoreReader(stateDirectory: stateDirectory)
        var uuid = try reader.uuid
        let watch = try StoreWatch(stateDirectory: stateDirectory, output: 1)
        try writer.writeHeader(to: &output)
        var cursor = try writeBacklog(reader, to: &output)
        while true {
            if try watch.wait(atMost: 30_000) == .hungUp { throw Output.Failure.closed }
            let found = self.identities
            if found != identities {
                // Being replaced: the next event tells.
                guard let fresh = try? StoreReader(stateDirectory: stateDirectory) else { continue }
                reader = fresh
                identities = found
                let replaced = try reader.uuid != uuid
                uuid = try reader.uuid
                if replaced {
                    warn("the store was replaced; what follows is the new one's history, from its beginning")
                    cursor = 0
                }
            }
            do {
                cursor = try write(reader, after: cursor, to: &output)
            } catch let error as StoreError where error.reason == .busy || self.identities != identities {
                continue
            }
        }
    }

    /// Which files the store is; nil where there is none. A reader that found no log, or no memory of it, must open the
    /// store again once a tracker has made them.
    private var identities: [FileSystemLook.Identity?] {
        let database = StoreFiles(directory: stateDirectory).database
        return ["", "-wal", "-shm"].map { FileSystemLook.identity(of: database + Array($0.utf8)) }
    }

    /// - Returns: the number of the last row that was considered.
    private func writeBacklog(_ reader: StoreReader, to output: inout Output) throws -> Int64 {
        let isFromNow = selection.since == nil
        let rows = try SelectedRows(selection, in: reader, newest: isFromNow ? backlog : nil)
        try writer.write(rows, to: &output)
        try output.flush()
        return rows.through
    }

    private func write(
        _ reader: StoreReader, after cursor: Int64, to output: inout Output
    ) throws -> Int64 {
        let last = try reader.lastSequence
        guard last > cursor else { return cursor }
        try writer.write(SelectedRows(selection, in: reader, after: cursor, through: last), to: &output)
        try output.flush()
        return last
    }
}
