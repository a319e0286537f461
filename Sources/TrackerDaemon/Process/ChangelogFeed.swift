import ChangeStore
import Changelog

/// The history as lines of the changelog, read on the changelog's thread.
struct ChangelogFeed: ChangelogSource {
    private let reader: StoreReader

    init(stateDirectory: [UInt8]) throws(StoreError) {
        reader = try StoreReader(stateDirectory: stateDirectory, isTracker: true)
    }

    mutating func count(after sequence: Int64) throws -> Int64 { try reader.count(after: sequence, atMost: 1_000_000) }

    mutating func lines(
        after sequence: Int64, limit: Int, _ body: (Int64, ChangelogDemand, UnsafeRawBufferPointer) -> Bool
    ) throws -> Int64? {
        var hasDeletions = false
        return try reader.forEachPath(after: sequence, limit: limit) { number, kind, path in
            switch kind {
            // Nothing happened to a file: there is nothing to tell whoever tails the log.
            case .baseline, .untracked: return true
            case .created, .moved: return body(number, .line, path)
            case .deleted:
                hasDeletions = true
                return body(number, .line, path)
            // What took the place of a directory has its line after those of what was in it.
            case .replaced: return body(number, hasDeletions ? .line : .mention, path)
            case .modified, .metadata: return body(number, .mention, path)
            }
        }
    }
}
