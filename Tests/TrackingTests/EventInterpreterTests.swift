import LinuxKernel
import Testing

@testable import Tracking

@Suite struct EventInterpreterTests {
    let tree = DirectoryTree()
    let marks = MarkSet()
    let interpreter: EventInterpreter
    let root: NodeID
    let sub: NodeID

    init() {
        interpreter = EventInterpreter(tree: tree, marks: marks)
        root = tree.addRoot(path: bytes("/r"), identity: someDirectory(1))
        sub = tree.add("sub", to: root, 2)
        _ = tree.setWatch(WatchDescriptor(rawValue: 1), of: root)
        _ = tree.setWatch(WatchDescriptor(rawValue: 2), of: sub)
        interpreter.isExcluded = { name, _, _ in name.first == UInt8(ascii: ".") }
    }

    private func read(_ milliseconds: Int64 = 0, _ build: (inout EventBytes) -> Void) {
        var events = EventBytes()
        build(&events)
        events.bytes.withUnsafeBytes { interpreter.interpret($0, now: at(milliseconds)) }
    }

    @Test(
        arguments: [
            (.modify, [.content, .writtenOpen, .fresh]),
            (.attributes, [.metadata, .fresh]),
            (.closeWrite, [.loneClose, .fresh]),
            (.create, [.appeared, .fresh]),
            (.delete, [.vanished, .fresh]),
            (.movedFrom, [.vanished, .renamed, .fresh]),
            (.movedTo, [.appeared, .renamedTo, .fresh]),
            ([.create, .isDirectory], [.appeared, .directory, .fresh]),
            ([.delete, .isDirectory], [.vanished, .directory, .fresh]),
            ([.attributes, .isDirectory], [.metadata, .directory, .fresh]),
            ([.modify, .isDirectory], [.metadata, .directory, .fresh]),
        ] as [(InotifyMask, Hints)])
    func eachKindOfEvent(mask: InotifyMask, hints: Hints) {
        read { $0.add(2, mask, "name") }
        #expect(marks.hints(of: "name", in: sub) == hints)
        #expect(marks.count == 1 && interpreter.eventCount == 1)
        let isDiscovery = mask.contains(.isDirectory) && mask.contains(.create)
        #expect(interpreter.takeDiscoveries().count == (isDiscovery ? 1 : 0))
    }

    @Test(arguments: [1, 15, 16, 17, 31, 255]) func namesOfEveryLengthAndByte(length: Int) {
        let name = (0..<length).map { UInt8(truncatingIfNeeded: 255 - $0 % 208) }
        read { $0.add(2, .create, name) }
        #expect(marks.count == 1 && marks.withName(of: marks[0]) { [UInt8]($0) } == name)
    }

    @Test func unknownWatchesAndExcludedDirectoriesLeaveNothing() {
        read {
            $0.add(77, .create, "name")
            $0.add(2, [.create, .isDirectory], ".nfs0001")
        }
        #expect(marks.isEmpty && interpreter.takeDiscoveries().isEmpty && interpreter.eventCount == 2)
    }

    /// Its inode may have names that are not excluded.
    @Test func excludedFilesAreMarkedAsWhatTheyAre() {
        read { $0.add(2, .modify, ".nfs0001") }
        #expect(marks.hints(of: ".nfs0001", in: sub) == [.content, .writtenOpen, .fresh, .excluded])
    }

    @Test func renameOutOfAndIntoExcludedNames() throws {
        read {
            $0.add(2, .movedFrom, "open", cookie: 5)
            $0.add(2, .movedTo, ".nfs0001", cookie: 5)
            $0.add(2, .movedFrom, ".hidden", cookie: 6)
            $0.add(1, .movedTo, "shown", cookie: 6)
        }
        #expect(marks.hints(of: "open", in: sub) == [.vanished, .renamed, .fresh])
        let shown = try #require(marks.index(of: "shown", in: root))
        #expect(marks[shown].hints == [.appeared, .renamedTo, .fresh])
        let silly = try #require(marks.index(of: ".nfs0001", in: sub))
        #expect(marks[silly].hints.contains(.excluded))
        #expect(marks.origin(of: silly) == Origin(node: sub, name: bytes("open")))
    }

    /// The index knows what was renamed twice by its first name.
    @Test func aSecondRenameComesFromTheFirstName() throws {
        read {
            $0.add(2, .movedFrom, "one", cookie: 5)
            $0.add(1, .movedTo, "two", cookie: 5)
            $0.add(1, .modify, "two")
            $0.add(1, .movedFrom, "two", cookie: 6)
            $0.add(2, .movedTo, "three", cookie: 6)
        }
        let three = try #require(marks.index(of: "three", in: sub))
        #expect(marks.origin(of: three) == Origin(node: sub, name: bytes("one")))
        #expect(marks[three].hints.contains(.contentBefore))
        #expect(marks.hints(of: "one", in: sub)?.contains(.formerContent) == true)
        read {
            $0.add(1, .create, "two")
            $0.add(1, .movedFrom, "two", cookie: 7)
            $0.add(1, .movedTo, "four", cookie: 7)
        }
        let four = try #require(marks.index(of: "four", in: root))
        #expect(marks.origin(of: four) == Origin(node: root, name: bytes("two")))
    }

    @Test func cookiesPairAcrossReadsWithOthersInBetween() throws {
        read(0) {
            $0.add(2, .movedFrom, "one", cookie: 5)
            $0.add(2, .movedFrom, "two", cookie: 6)
        }
        read(30) { $0.add(1, .create, "other") }
        read(60) {
            $0.add(1, .movedTo, "to2", cookie: 6)
            $0.add(1, .movedTo, "to1", cookie: 5)
            $0.add(1, .movedTo, "from outside", cookie: 7)
        }
        func origin(_ name: String) throws -> Origin? {
            marks.origin(of: try #require(marks.index(of: name, in: root)))
        }
        #expect(try origin("to1") == Origin(node: sub, name: bytes("one")))
        #expect(try origin("to2") == Origin(node: sub, name: bytes("two")))
        #expect(try origin("from outside") == nil)
        read(70) { $0.add(2, .movedFrom, "late", cookie: 8) }
        read(2_000) { _ in }
        read(2_001) { $0.add(1, .movedTo, "too late", cookie: 8) }
        #expect(try origin("too late") == nil)
    }

    @Test func overflowIsToldOnceAndTheRestIsStillRead() {
        read {
            $0.add(-1, .queueOverflow)
            $0.add(2, .create, "after")
        }
        #expect(interpreter.takeOverflow() && !interpreter.takeOverflow())
        #expect(marks.names(of: sub) == ["after"])
    }

    @Test func watchThatTheKernelEnded() {
        read {
            $0.add(2, .deleteSelf)
            $0.add(2, .ignored)
            $0.add(2, .create, "nobody's")
        }
        #expect(interpreter.takeUnwatched() == [sub] && interpreter.takeUnwatched().isEmpty)
        #expect(tree.watch(of: sub) == nil && tree.state(of: sub).contains(.removalSeen))
        #expect(marks.isEmpty)
    }

    /// An inode that shows at two places has one watch: both lose it.
    @Test func watchOfABindMountThatTheKernelEnded() {
        let bind = tree.add("bind", to: root, 2)
        _ = tree.setWatch(WatchDescriptor(rawValue: 2), of: bind)
        read { $0.add(2, .ignored) }
        #expect(Set(interpreter.takeUnwatched()) == [sub, bind])
        #expect(tree.watch(of: sub) == nil && tree.watch(of: bind) == nil)
    }

    @Test func eventAtTwoPlacesMarksBoth() {
        let bind = tree.add("bind", to: root, 2)
        _ = tree.setWatch(WatchDescriptor(rawValue: 2), of: bind)
        read { $0.add(2, .modify, "f") }
        #expect(marks.names(of: sub) == ["f"] && marks.names(of: bind) == ["f"])
    }

    /// Each of the two places has the rename's both halves: the old name is looked for beside the new one.
    @Test func renameAtTwoPlacesKeepsItsOrigins() throws {
        let bind = tree.add("bind", to: root, 2)
        _ = tree.setWatch(WatchDescriptor(rawValue: 2), of: bind)
        read {
            $0.add(2, .movedFrom, "old", cookie: 3)
            $0.add(2, .movedTo, "new", cookie: 3)
        }
        for node in [sub, bind] {
            let origin = marks.origin(of: try #require(marks.index(of: "new", in: node)))
            #expect(origin == Origin(node: node, name: bytes("old")))
        }
    }

    @Test func eventsAboutADirectoryItself() {
        read { $0.add(2, [.attributes, .isDirectory]) }
        #expect(marks.hints(of: "sub", in: root) == [.metadata, .directory, .fresh])
        #expect(!interpreter.takeRootsTouched())
        read { $0.add(1, [.attributes, .isDirectory]) }
        #expect(interpreter.takeRootsTouched() && !interpreter.takeRootsTouched() && marks.count == 1)
    }

    @Test func detachedDirectoryIsNobodysEntry() {
        tree.detach(sub)
        read { $0.add(2, [.attributes, .isDirectory]) }
        #expect(marks.isEmpty)
    }

    @Test func watchesWhereRootsAppear() {
        interpreter.rootWatches = [WatchDescriptor(rawValue: 9)]
        read { $0.add(9, [.create, .isDirectory], "new-backup") }
        #expect(interpreter.takeRootsTouched() && marks.isEmpty)
        read { $0.add(9, .ignored) }
        #expect(interpreter.takeRootsTouched() && interpreter.rootWatches.isEmpty)
    }

    @Test func directoriesThatAppearAreDiscoveredInOrder() {
        read {
            $0.add(2, [.create, .isDirectory], "one")
            $0.add(1, [.movedTo, .isDirectory], "two", cookie: 1)
            $0.add(2, .create, "file")
        }
        let found = interpreter.takeDiscoveries()
        #expect(found.map(\.node) == [sub, root] && found.map { text($0.name) } == ["one", "two"])
        #expect(interpreter.takeDiscoveries().isEmpty)
    }

    @Test func removalOfADirectoryIsNoted() {
        read { $0.add(1, [.delete, .isDirectory], "sub") }
        #expect(tree.state(of: sub).contains(.removalSeen))
    }

    // MARK: Writes and closes

    @Test func closeIsExplainedByAWriteOfAnEarlierBatch() {
        read(0) { $0.add(2, .modify, "f") }
        interpreter.noteWrittenOpen(in: marks, now: at(50))
        marks.removeAll()
        read(4_000) { $0.add(2, .closeWrite, "f") }
        #expect(marks.hints(of: "f", in: sub) == [.closed, .fresh])
        marks.removeAll()
        read(4_100) { $0.add(2, .closeWrite, "f") }
        #expect(marks.hints(of: "f", in: sub) == [.loneClose, .fresh], "explained once")
    }

    /// truncate(2) raises `IN_MODIFY` and never a close.
    @Test func closeLongAfterAWriteIsNotExplained() {
        read(0) { $0.add(2, .modify, "f") }
        interpreter.noteWrittenOpen(in: marks, now: at(50))
        marks.removeAll()
        read(20_000) { $0.add(2, .closeWrite, "f") }
        #expect(marks.hints(of: "f", in: sub) == [.loneClose, .fresh])
    }

    @Test func closeOfTheSameBatchIsNotRemembered() {
        read {
            $0.add(2, .modify, "f")
            $0.add(2, .closeWrite, "f")
        }
        #expect(marks.hints(of: "f", in: sub) == [.content, .fresh])
        interpreter.noteWrittenOpen(in: marks, now: at(50))
        marks.removeAll()
        read(100) { $0.add(2, .closeWrite, "f") }
        #expect(marks.hints(of: "f", in: sub) == [.loneClose, .fresh])
    }

    // MARK: Hostile bytes

    @Test func truncatedBuffersAreReadUpToTheLastWholeRecord() {
        var events = EventBytes()
        events.add(2, .create, "one")
        let whole = events.bytes.count
        events.add(2, .create, "two")
        for length in 0...events.bytes.count {
            marks.removeAll()
            events.bytes[..<length].withUnsafeBytes { interpreter.interpret($0, now: at(0)) }
            #expect(marks.count == (length == events.bytes.count ? 2 : length >= whole ? 1 : 0))
        }
    }

    @Test func anyBytesAreHarmless() {
        var random = SeededGenerator()
        print("TRACKING_SEED=\(random.seed)")
        for _ in 0..<2_000 {
            var bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                UInt8.random(in: 0...3, using: &random) * UInt8.random(in: 0...85, using: &random)
            }
            // Small watches and lengths are the ones that go deep.
            for offset in stride(from: 0, to: bytes.count - 16, by: 32) {
                bytes[offset] = .random(in: 0...3, using: &random)
                bytes.replaceSubrange(offset + 1..<offset + 4, with: [0, 0, 0])
                bytes.replaceSubrange(offset + 12..<offset + 16, with: [16, 0, 0, 0])
            }
            bytes.withUnsafeBytes { interpreter.interpret($0, now: at(0)) }
        }
    }

    @Test func whatEventsToldOfAnInodeGoesAlongWithARename() {
        read { events in
            events.add(1, .create, "link")
            events.add(1, .attributes, "link")
            events.add(1, .movedFrom, "link", cookie: 7)
            events.add(2, .movedTo, "there", cookie: 7)
            events.add(2, .movedFrom, "there", cookie: 8)
            events.add(1, .movedTo, "back", cookie: 8)
        }
        let name = bytes("back")
        let hints = name.withUnsafeBytes { marks.hints(of: $0, in: root) }
        #expect(hints.isSuperset(of: [.appeared, .renamedTo, .metadataBefore]) && !hints.contains(.metadata))
        #expect(hints.ofInodeThere == .metadata)
    }
}
