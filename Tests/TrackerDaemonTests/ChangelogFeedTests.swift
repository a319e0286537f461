import ChangeStore
import Changelog
import LinuxKernel
import Testing

@testable import TrackerDaemon

/// What the rows of the history want of the log.
@Suite struct ChangelogFeedTests {
    private func demands(_ kinds: [ChangeKind]) throws -> [ChangelogDemand] {
        let scratch = try Scratch()
        let store = try Store(files: StoreFiles(directory: scratch.bytes))
        try store.begin()
        let directory = try store.intern(path: Array("/r".utf8))
        for kind in kinds {
            try Array("name".utf8).withRawBytes { (name) throws(StoreError) in
                _ = try store.append(
                    ChangeEvent(kind: kind, type: .file, size: 0, directory: directory, name: name), at: .now)
            }
        }
        try store.commitTransaction()
        var feed = try ChangelogFeed(stateDirectory: scratch.bytes)
        var demands: [ChangelogDemand] = []
        let last = try feed.lines(after: 0, limit: 100) { _, demand, path in
            #expect(path.elementsEqual("/r/name".utf8))
            demands.append(demand)
            return true
        }
        #expect(last == store.lastCommitted)
        return demands
    }

    @Test func existenceNeedsALineAndAChangeAMention() throws {
        #expect(try demands([.created, .moved, .deleted]) == [.line, .line, .line])
        #expect(try demands([.modified, .metadata, .replaced]) == [.mention, .mention, .mention])
        #expect(try demands([.baseline, .untracked]) == [])
    }

    /// A directory may have been emptied for what has its name now: its line comes after those of what was in it.
    @Test func aReplacementAfterDeletionsNeedsALine() throws {
        #expect(try demands([.metadata, .deleted, .replaced, .metadata]) == [.mention, .line, .line, .mention])
    }
}
