import ChangeStore
import LinuxKernel

/// Counts what a part of the history created, deleted and overwrote, by root and by series, before any of it is copied.
struct ChangeCensus {
    struct Key: Hashable {
        /// Absolute; empty: below no root.
        var root: [UInt8] = []
        var series: [UInt8] = []
        var origin: [UInt8] = []
    }

    struct Tally {
        var born = PathAmounts.none
        var gone = PathAmounts.none
        var moved: Int64 = 0
    }

    private(set) var tallies: [Key: Tally] = [:]
    /// Existing files whose content was written, by absolute path, with their bytes, as far as they are kept.
    private(set) var overwritten: [PathDigest: (path: [UInt8], bytes: Int64)] = [:]
    /// Those beyond these.
    private(set) var furtherOverwritten = PathAmounts.none

    /// Names looked at in one pass; more take more passes, for memory's sake.
    private static let mostNames = 1_000_000
    private static let mostOverwritten = 200_000
    private static let mostSeries = 10_000

    private struct Name {
        var existedBefore: Bool
        var exists: Bool
        /// What stands there now was there at the cursor under another name.
        var isRenamed = false
        /// Its content was written.
        var isWritten = false
        var isFile: Bool
        /// It is a generation that is new, or lies in one.
        var isNewGeneration: Bool
        var size: Int64
        var key: Int32
        /// What it was renamed from is counted here.
        var fromKey: Int32 = -1
        var path: [UInt8]?
    }

    /// - Parameter young: directories that are new, and no generations of others: what is in one counts as a series of its
    ///   own.
    init(
        _ reader: StoreReader, after cursor: Int64, through end: Int64, scope: SourceScope, roots: GuardedRoots,
        young: Set<[UInt8]>
    ) throws {
        let rows = try reader.count(after: cursor)
        let passes = UInt64(max(1, rows / Int64(Self.mostNames) + 1))
        var keys: [Key] = []
        var numbers: [Key: Int32] = [:]
        var newGenerations = young
        var young = young
        func youngDirectory(of path: [UInt8], in root: [UInt8]) -> [UInt8]? {
            if young.isEmpty { return nil }
            for end in path.indices[root.count...].dropFirst() where path[end] == UInt8(ascii: "/") {
                if young.contains(Array(path[..<end])) { return Array(path[..<end]) }
            }
            return young.contains(path) ? path : nil
        }
        func number(of path: [UInt8]) -> (key: Int32, generation: [UInt8]?) {
            var key = Key()
            var generation: [UInt8]?
            if let root = roots.root(of: path) {
                key.root = root
                if keys.count >= Self.mostSeries {
                } else if let directory = youngDirectory(of: path, in: root) {
                    (generation, key.series) = (directory, directory)
                } else if let found = GuardedRoots.generation(of: path, in: root) {
                    (generation, key.series) = (found.path, found.series)
                }
            }
            if let known = numbers[key] { return (known, generation) }
            let number = Int32(keys.count)
            keys.append(key)
            numbers[key] = number
            return (number, generation)
        }
        for pass in 0..<passes {
            var names: [PathDigest: Name] = [:]
            var path: [UInt8] = []
            // What was written under a passing name or comes from elsewhere makes up for no deletion.
            func origin(of row: HistoryRow) -> (isRenamed: Bool, key: Int32, isWritten: Bool)? {
                guard row.kind == .moved, let digest = row.fromDigest, digest.high % passes == pass,
                    let from = row.record.from, scope.relative(from, isDirectory: row.type == .directory) != nil
                else { return nil }
                let known = names[digest]
                guard known.map({ $0.existedBefore || $0.isRenamed }) ?? true else { return nil }
                return (true, number(of: from).key, known?.isWritten ?? false)
            }
            try reader.run(HistoryScan(after: cursor, through: end)) { row in
                guard row.kind != .baseline, row.kind != .untracked else { return .next }
                let digest = row.digest
                let isArrival = row.kind == .moved || row.kind == .created
                let isDirectory = row.type == .directory
                if isArrival, isDirectory {
                    path.removeAll(keepingCapacity: true)
                    row.appendPath(to: &path)
                    // What was there before is not new under another name.
                    let isNew = row.kind == .created || row.record.from.map { newGenerations.contains($0) } ?? true
                    let generation = isNew ? number(of: path).generation : []
                    if generation == nil, roots.root(of: path) != nil, young.count < Self.mostSeries {
                        young.insert(path)
                    }
                    if generation == nil || generation == path { newGenerations.insert(path) }
                }
                guard digest.high % passes == pass else { return .next }
                let exists = row.kind != .deleted
                let isContent =
                    row.type == .file
                    && (row.kind == .modified || row.kind == .replaced || row.kind == .moved && row.isContentUncertain)
                var name: Name
                if let known = names[digest] {
                    name = known
                    // What is there again may be anything.
                    if isContent || row.type == .file && exists && !known.exists { name.isWritten = true }
                } else {
                    path.removeAll(keepingCapacity: true)
                    row.appendPath(to: &path)
                    guard scope.relative(path, isDirectory: isDirectory) != nil else { return .next }
                    let (key, generation) = number(of: path)
                    name = Name(
                        existedBefore: !isArrival, exists: exists, isWritten: isContent, isFile: row.type == .file,
                        isNewGeneration: generation.map { $0 == path && isArrival || newGenerations.contains($0) }
                            ?? false, size: 0, key: key)
                }
                name.exists = exists
                if isArrival {
                    // Before anything of `names` is changed, which this reads.
                    let origin = origin(of: row)
                    name.isRenamed = origin != nil
                    name.fromKey = origin?.key ?? -1
                    if origin?.isWritten == true { name.isWritten = true }
                }
                name.isFile = row.type == .file
                name.size = name.isFile ? row.size : 0
                if name.isWritten, name.path == nil {
                    path.removeAll(keepingCapacity: true)
                    row.appendPath(to: &path)
                    name.path = path
                }
                names[digest] = name
                return .next
            }
            for (digest, name) in names { count(name, digest, keys) }
        }
    }

    private mutating func count(_ name: Name, _ digest: PathDigest, _ keys: [Key]) {
        let amounts = PathAmounts(paths: 1, bytes: name.size)
        let key = keys[Int(name.key)]
        if name.existedBefore, !name.exists { tallies[key, default: Tally()].gone += amounts }
        guard name.exists else { return }
        if !name.existedBefore {
            if name.isRenamed, name.fromKey >= 0 {
                let from = keys[Int(name.fromKey)]
                tallies[from, default: Tally()].gone += PathAmounts(paths: -1, bytes: -name.size)
                if from.root != key.root {
                    tallies[from, default: Tally()].moved += 1
                } else if !from.series.isEmpty, from.series != key.series, !key.series.isEmpty {
                    var transfer = key
                    transfer.origin = from.series
                    tallies[transfer, default: Tally()].born += amounts
                }
            } else if name.isNewGeneration {
                tallies[key, default: Tally()].born += amounts
            }
        }
        if name.isFile, name.isWritten, name.existedBefore || name.isRenamed {
            if overwritten.count < Self.mostOverwritten, let path = name.path {
                overwritten[digest] = (path, name.size)
            } else {
                furtherOverwritten += amounts
            }
        }
    }

    /// What was created and deleted, as the ledger has it.
    func entries(at moment: Timestamp, through: Int64) -> [LedgerEntry] {
        tallies.compactMap { key, tally in
            let gone = PathAmounts(paths: max(0, tally.gone.paths), bytes: max(0, tally.gone.bytes))
            guard !tally.born.isNone || !gone.isNone || tally.moved > 0 else { return nil }
            return LedgerEntry(
                at: moment, through: through, root: key.root, series: key.series, origin: key.origin, born: tally.born,
                gone: gone, moved: tally.moved)
        }.sorted { $0.origin.isEmpty && !$1.origin.isEmpty }
    }
}
