import ChangeStore
import LinuxKernel
import Testing

@testable import Tracking

/// The rules of what a change is, one row each.
@Suite struct VerdictTests {
    struct Rule: CustomTestStringConvertible {
        let testDescription: String
        var isDirectory = false
        var isRacy = false
        let hints: Hints
        let reason: LookReason
        let difference: @Sendable (inout IndexedEntry) -> Void
        let verdict: Verdict

        init(
            _ description: String, directory: Bool = false, racy: Bool = false, _ hints: Hints = [],
            _ reason: LookReason = .hinted, _ verdict: Verdict,
            _ difference: @escaping @Sendable (inout IndexedEntry) -> Void = { _ in }
        ) {
            testDescription = "\(description) (\(reason))"
            isDirectory = directory
            isRacy = racy
            self.hints = hints
            self.reason = reason
            self.difference = difference
            self.verdict = verdict
        }
    }

    private static let mode: @Sendable (inout IndexedEntry) -> Void = { $0.attributes.mode ^= 0o7 }
    private static let owner: @Sendable (inout IndexedEntry) -> Void = { $0.attributes.owner += 1 }
    private static let group: @Sendable (inout IndexedEntry) -> Void = { $0.attributes.group += 1 }
    private static let size: @Sendable (inout IndexedEntry) -> Void = { $0.attributes.size += 1 }
    private static let links: @Sendable (inout IndexedEntry) -> Void = { $0.attributes.linkCount += 1 }
    private static let device: @Sendable (inout IndexedEntry) -> Void = { $0.attributes.deviceNumber += 1 }
    private static let modified: @Sendable (inout IndexedEntry) -> Void = {
        $0.attributes.modified.nanoseconds += 1
    }
    /// Back in time is a difference like any other.
    private static let earlier: @Sendable (inout IndexedEntry) -> Void = {
        $0.attributes.modified.nanoseconds -= 1
    }
    private static let changed: @Sendable (inout IndexedEntry) -> Void = { $0.attributes.changed.nanoseconds += 1 }
    private static let inode: @Sendable (inout IndexedEntry) -> Void = { $0.key.inode += 1 }
    private static let fileSystem: @Sendable (inout IndexedEntry) -> Void = {
        $0.key.fileSystem = FileSystemID(rawValue: 9)
    }
    private static let symlink: @Sendable (inout IndexedEntry) -> Void = { $0.attributes.mode = 0o120777 }

    static let everywhere: [Rule] = [LookReason.hinted, .gap].flatMap { reason in
        [
            Rule("nothing differs", [], reason, .unchanged),
            Rule("nothing of a directory differs", directory: true, [], reason, .unchanged),
            Rule("mode", [], reason, .changed(.metadata), mode),
            Rule("owner", [], reason, .changed(.metadata), owner),
            Rule("group", [], reason, .changed(.metadata), group),
            Rule("device number", [], reason, .changed(.metadata), device),
            Rule("mode of a directory", directory: true, [], reason, .changed(.metadata), mode),
            Rule("owner of a directory", directory: true, [], reason, .changed(.metadata), owner),
            Rule("size", [], reason, .changed(.modified), size),
            Rule("later mtime", [], reason, .changed(.modified), modified),
            Rule("earlier mtime", [], reason, .changed(.modified), earlier),
            Rule("size and mode", [], reason, .changed(.modified)) {
                size(&$0)
                mode(&$0)
            },
            Rule("inode", [], reason, .changed(.replaced), inode),
            Rule("file system", [], reason, .changed(.replaced), fileSystem),
            Rule("type", [], reason, .changed(.replaced), symlink),
            Rule("inode of a directory", directory: true, [], reason, .changed(.replaced), inode),
            Rule("times, size and links of a directory follow its entries", directory: true, [], reason, .unchanged) {
                modified(&$0)
                changed(&$0)
                size(&$0)
                links(&$0)
            },
        ]
    }

    static let hinted: [Rule] = [
        Rule("link count and ctime are another name's change", [], .hinted, .consequence) {
            links(&$0)
            changed(&$0)
        },
        Rule("ctime alone", [], .hinted, .consequence, changed),
        Rule("the loss of a link", .linkLost, .hinted, .consequence, changed),
        Rule("racy and the same", racy: true, [], .hinted, .unchanged),
        Rule("IN_MODIFY", .content, .hinted, .changed(.modified)),
        Rule("IN_ATTRIB", .metadata, .hinted, .changed(.metadata)),
        Rule("IN_MODIFY and IN_ATTRIB", [.content, .metadata], .hinted, .changed(.modified)),
        Rule("a close that no write explains: mmap", .loneClose, .hinted, .changed(.modified)),
        Rule("a close that a write explains", .closed, .hinted, .unchanged),
        Rule("a close that a write explains, racy", racy: true, .closed, .hinted, .unchanged),
        Rule("IN_CREATE of a name the index had, as it was settled", .appeared, .hinted, .unchanged),
        Rule("IN_CREATE of a name the index had, racy", racy: true, .appeared, .hinted, .changed(.replaced)),
        Rule("IN_MOVED_TO with another ctime", .appeared, .hinted, .changed(.replaced), changed),
        Rule("IN_MOVED_TO with another inode", .appeared, .hinted, .changed(.replaced), inode),
        Rule("IN_CREATE and another size", .appeared, .hinted, .changed(.replaced), size),
        Rule("IN_CREATE of a directory that was seen before", directory: true, .appeared, .hinted, .unchanged),
        Rule(
            "IN_MOVED_TO of a directory that is known", directory: true, .appeared, .hinted, .changed(.replaced),
            changed),
        Rule(
            "a directory renamed away and back", directory: true, [.vanished, .appeared], .hinted, .changed(.replaced)),
        Rule("IN_ATTRIB of a directory", directory: true, [.metadata, .directory], .hinted, .changed(.metadata)),
        Rule("IN_DELETE of a name that is there", .vanished, .hinted, .unchanged),
        Rule("IN_DELETE of a name that is there anew", .vanished, .hinted, .changed(.replaced), changed),
        Rule("IN_DELETE of a name that is there, racy", racy: true, .vanished, .hinted, .changed(.replaced)),
    ]

    /// With no event missing, a name that IN_CREATE tells of and that the index has was made before it was seen.
    static let current: [Rule] = [
        Rule("IN_CREATE, another ctime", .appeared, .hinted, .consequence, changed),
        Rule("IN_CREATE, one more link", .appeared, .hinted, .consequence) {
            links(&$0)
            changed(&$0)
        },
        Rule("IN_CREATE, another size", .appeared, .hinted, .changed(.modified), size),
        Rule("IN_CREATE, another inode", .appeared, .hinted, .changed(.replaced), inode),
        Rule("IN_CREATE of a directory, another ctime", directory: true, .appeared, .hinted, .unchanged, changed),
        Rule("IN_DELETE and IN_CREATE", [.vanished, .appeared], .hinted, .changed(.replaced)),
        Rule("IN_MOVED_TO, seen just now", racy: true, [.appeared, .renamedTo], .hinted, .unchanged),
        Rule("two IN_MOVED_TO", racy: true, [.appeared, .renamedTo, .vanished], .hinted, .changed(.replaced)),
        Rule(
            "IN_MOVED_TO, seen just now, several names", racy: true, [.appeared, .renamedTo], .hinted,
            .changed(.replaced), links),
        Rule("IN_MOVED_TO, another ctime", [.appeared, .renamedTo], .hinted, .changed(.replaced), changed),
        Rule(
            "IN_MOVED_TO of a directory", directory: true, [.appeared, .renamedTo], .hinted, .changed(.replaced),
            changed),
    ]

    static let gap: [Rule] = [
        Rule("ctime alone", [], .gap, .changed(.metadata), changed),
        Rule("ctime and link count", [], .gap, .changed(.metadata)) {
            links(&$0)
            changed(&$0)
        },
        Rule("link count alone", [], .gap, .consequence, links),
        Rule("racy and the same", racy: true, [], .gap, .changed(.modified)),
        Rule("racy directory itself is judged after its entries", directory: true, racy: true, [], .gap, .unchanged),
    ]

    @Test(arguments: everywhere + hinted + gap) func verdict(rule: Rule) {
        expect(rule, isIndexCurrent: false)
    }

    @Test(arguments: everywhere + current) func verdictWithNoEventMissing(rule: Rule) {
        expect(rule, isIndexCurrent: true)
    }

    private func expect(_ rule: Rule, isIndexCurrent: Bool) {
        let known = IndexedEntry(
            key: InodeKey(fileSystem: FileSystemID(rawValue: 1), inode: 5),
            attributes: attributes(isDirectory: rule.isDirectory, isRacy: rule.isRacy))
        var seen = known
        seen.attributes.isRacy = false
        rule.difference(&seen)
        #expect(
            Verdict.of(
                known: known, seen: seen, hints: rule.hints, reason: rule.reason, isIndexCurrent: isIndexCurrent)
                == rule.verdict)
    }

    private func attributes(isDirectory: Bool, isRacy: Bool = false) -> EntryAttributes {
        EntryAttributes(
            mode: isDirectory ? 0o040755 : 0o100644, owner: 1, group: 2, linkCount: 1, size: 10, deviceNumber: 0,
            modified: Timestamp(nanoseconds: 1_000), changed: Timestamp(nanoseconds: 2_000), isRacy: isRacy)
    }

    /// Two writes within one second carry the same time there, and the second may be one to a mapping.
    @Test func aCloseAfterAWriteWithAClockOfSeconds() {
        var known = IndexedEntry(
            key: InodeKey(fileSystem: FileSystemID(rawValue: 1), inode: 5), attributes: attributes(isDirectory: false))
        for (isRacy, verdict) in [(true, .changed(.modified)), (false, .unchanged)] as [(Bool, Verdict)] {
            known.attributes.changed = Timestamp(nanoseconds: 7_000_000_000)
            known.attributes.isRacy = isRacy
            #expect(Verdict.of(known: known, seen: known, hints: .closed, reason: .hinted) == verdict)
        }
    }

    // MARK: A directory's own times

    private func ofItself(
        _ reason: LookReason, entriesRecorded: Bool = false, isRacy: Bool = false,
        _ difference: (inout EntryAttributes) -> Void = { _ in }
    ) -> Verdict {
        let known = attributes(isDirectory: true, isRacy: isRacy)
        var seen = attributes(isDirectory: true)
        difference(&seen)
        return Verdict.ofDirectoryItself(
            known: known, seen: seen, entriesRecorded: entriesRecorded, reason: reason)
    }

    @Test(arguments: [LookReason.hinted, .gap]) func directoryThatIsTheSame(reason: LookReason) {
        #expect(ofItself(reason) == .unchanged)
        #expect(ofItself(reason) { $0.mode ^= 0o7 } == .changed(.metadata))
        #expect(ofItself(reason) { $0.group += 1 } == .changed(.metadata))
        #expect(ofItself(reason) { $0.size += 4_096 } == .consequence)
        #expect(ofItself(reason) { $0.linkCount += 1 } == .consequence)
    }

    @Test func directoryAfterEvents() {
        #expect(ofItself(.hinted, entriesRecorded: true) { $0.modified.nanoseconds += 1 } == .consequence)
        #expect(ofItself(.hinted) { $0.modified.nanoseconds += 1 } == .changed(.modified))
        #expect(ofItself(.hinted) { $0.changed.nanoseconds += 1 } == .changed(.metadata))
        #expect(ofItself(.hinted, isRacy: true) == .unchanged)
    }

    @Test func directoryAfterAGap() {
        #expect(ofItself(.gap, entriesRecorded: true) { $0.modified.nanoseconds += 1 } == .changed(.modified))
        #expect(ofItself(.gap) { $0.changed.nanoseconds += 1 } == .changed(.metadata))
        #expect(ofItself(.gap, isRacy: true) == .changed(.modified))
    }
}
