import Glibc
import LinuxKernel
import Testing

@testable import Changelog

@Suite struct ChangelogWriterTests {
    private let scratch = Scratch()

    @Test func aRowIsInTheLogMillisecondsAfterItsWake() throws {
        let rig = try WriterRig(scratch)
        var best = Int64.max
        for number in 1...20 {
            let start = MonotonicTime.now
            rig.add(["/a\(number)"])
            #expect(eventually { rig.writer.state.appendedSequence == Int64(number) })
            best = min(best, .now - start)
        }
        // The best of twenty: one that is late says more of a busy machine than of the writer.
        #expect(best < 20_000_000)
        #expect(try scratch.lines("log").count == 20)
        #expect(rig.stop())
    }

    @Test func stoppingWritesEverythingAndSavesThePosition() throws {
        let rig = try WriterRig(scratch)
        let paths = (0..<50_000).map { "/srv/nfs/app-backup/\($0)" }
        rig.add(paths)
        rig.store.add(["/without/a/wake"])
        #expect(rig.stop())
        #expect(try scratch.lines("log") == paths + ["/without/a/wake"])
        #expect(rig.writer.state.syncedSequence == 50_001)
        #expect(rig.writer.state.activity == .stopped)
        #expect(try scratch.read("state/changelog.position") == Array("store-1 50001\n".utf8))
        #expect(rig.stop(), "stopping twice")
        #expect(rig.transitions.isEmpty)
    }

    @Test func whatIsBeingBuiltHasOneLineForEachPath() throws {
        let rig = try WriterRig(scratch)
        #expect(eventually { rig.writer.state.activity == .waiting })
        rig.add(["/week", "/week/a", "/week/b", "/week/c", "/week/d"], isGrowing: true)
        rig.add(["/week/e"])
        rig.add(["/week", "/week/a"], .mention)
        #expect(eventually { rig.writer.state.appendedSequence == 8 }, "without another wake")
        rig.add(["/week"], .mention)
        #expect(rig.stop())
        #expect(
            try scratch.lines("log")
                == ["/week", "/week/a", "/week/b", "/week/c", "/week/d", "/week/e", "/week"])
    }

    @Test func whatWaitsIsWrittenBeforeAStopAndAfterAMove() throws {
        let rig = try WriterRig(scratch)
        rig.add(["/before"])
        #expect(eventually { rig.writer.state.appendedSequence == 1 })
        rig.add(["/a", "/b", "/c", "/d", "/e"], isGrowing: true)
        rig.writer.reconfigure(path: scratch.bytes("other"), requireMount: nil)
        #expect(eventually { rig.writer.state.appendedSequence == 6 })
        rig.add(["/f"], isGrowing: true)
        #expect(rig.stop())
        #expect(try scratch.lines("log") + scratch.lines("other") == ["/before", "/a", "/b", "/c", "/d", "/e", "/f"])
    }

    @Test func aNewWriterGoesOnWhereTheOldOneStopped() throws {
        let store = MemoryStore()
        store.add(["/before"])
        let first = try WriterRig(scratch, firstPosition: 1, store: store)
        first.add(["/a", nil, "/b\nc", nil])
        #expect(first.stop())
        store.add(["/while/down"])
        let second = try WriterRig(scratch, firstPosition: 6, store: store)
        #expect(eventually { second.writer.state.appendedSequence == 6 }, "what is owed needs no wake")
        #expect(second.stop())
        #expect(try scratch.lines("log") == ["/a", "/b\\012c", "/while/down"])
    }

    @Test func afterACrashLinesRepeatAndNoneIsMissing() throws {
        let store = MemoryStore()
        let paths = (0..<1_000).map { "/\($0)" }
        store.add(paths.map { $0 })
        // Killed with all lines in the file, the last one without its newline, and a position from before.
        scratch.makeDirectory("state")
        try ChangelogPosition(store: "store-1", sequence: 900).save(in: scratch.bytes("state"))
        try scratch.write("log", Array((paths.joined(separator: "\n")).utf8))
        let rig = try WriterRig(scratch, firstPosition: 1_000, store: store)
        #expect(rig.stop())
        #expect(try scratch.lines("log") == paths + paths[900...])
    }

    /// A kill can cut write(2) at any page of it: what stands there then is the beginning of a path, and may look like
    /// the path of something that never was.
    @Test func aLineThatAKillToreIsCompletedAndForgesNoPath() throws {
        let store = MemoryStore()
        // More than one batch lies between the saved position and the torn line.
        let paths = (0..<40_000).map { "/srv/nfs/app-backup/\($0)/\\x" }
        store.add(paths.map { $0 })
        scratch.makeDirectory("state")
        try ChangelogPosition(store: "store-1", sequence: 10).save(in: scratch.bytes("state"))
        let escaped = paths.map { $0.replacing("\\", with: "\\134") }
        let torn = escaped[..<39_990].joined(separator: "\n") + "\n/srv/nfs/app-backup/39990/\\1"
        try scratch.write("log", Array(torn.utf8))
        let rig = try WriterRig(scratch, firstPosition: 10, store: store)
        #expect(rig.stop())
        #expect(try scratch.lines("log") == Array(escaped[...39_990]) + escaped[10...])
    }

    /// The rows of a torn line are lost with the power, or it is somebody else's text.
    @Test func aTornLineThatNoRowBeginsWithIsEndedByItself() throws {
        let store = MemoryStore()
        store.add(["/a", "/b"])
        try scratch.write("log", Array("/whole\n/gone".utf8))
        let rig = try WriterRig(scratch, store: store)
        #expect(rig.stop())
        #expect(try scratch.lines("log") == ["/whole", "/gone", "/a", "/b"])
    }

    @Test func aTornLineWaitsForAStoreThatCannotBeRead() throws {
        let store = MemoryStore()
        store.add(["/a", "/bc"])
        try scratch.write("log", Array("/b".utf8))
        store.setBroken(true)
        let rig = try WriterRig(scratch, store: store)
        #expect(eventually { rig.transitions.count == 1 })
        #expect(try scratch.read("log") == Array("/b".utf8))
        store.setBroken(false)
        #expect(rig.stop())
        #expect(try scratch.lines("log") == ["/bc", "/a", "/bc"])
    }

    @Test func aPositionOfAnotherStoreOrOfNoSenseIsNotUsed() throws {
        let store = MemoryStore()
        store.add(["/a", "/b", "/c"])
        for content in ["other-store 1\n", "store-1 1", "store-1 x\n", "store-1 -1\n", "", "store-1\n"] {
            if !scratch.exists("state") { scratch.makeDirectory("state") }
            try scratch.write("state/changelog.position", Array(content.utf8))
            let rig = try WriterRig(scratch, firstPosition: 2, store: store)
            // Saved before anything else happens.
            #expect(
                try ChangelogPosition.load(from: scratch.bytes("state"))
                    .map { $0.store == "store-1" && $0.sequence >= 2 } == true)
            #expect(rig.stop())
            #expect(try scratch.lines("log") == ["/c"], "\(content)")
            scratch.removeFile("log")
        }
    }

    @Test func rowsWithoutLinesAdvanceThePosition() throws {
        let rig = try WriterRig(scratch)
        rig.add([nil, nil])
        #expect(rig.stop())
        #expect(rig.writer.state.syncedSequence == 2)
        #expect(!scratch.exists("log"))
    }

    @Test func aMissingDirectoryIsToldOnceAndUsedWhenItAppears() throws {
        let rig = try WriterRig(scratch, path: "backup/log")
        rig.add(["/a", "/b"])
        #expect(eventually { rig.transitions.count == 1 })
        rig.add(["/c"])
        // At least one more attempt, which is not told.
        let first = rig.writer.state.heartbeat
        #expect(eventually { rig.writer.state.heartbeat - first > 600_000_000 })
        guard case .owed(let lines, _, let reason) = rig.writer.state.health else {
            Issue.record("healthy without a directory")
            return
        }
        #expect(lines == 3 && reason.reason == .directoryMissing)
        scratch.makeDirectory("backup")
        #expect(eventually { rig.writer.state.health == .ok })
        #expect(rig.stop())
        #expect(try scratch.lines("backup/log") == ["/a", "/b", "/c"])
        #expect(rig.transitions.count == 2)
        if case .recovered(let time) = rig.transitions.last { #expect(time > 500_000_000) } else { Issue.record() }
    }

    @Test func aLogThatCannotBeWrittenDoesNotHoldUpTheStop() throws {
        let rig = try WriterRig(scratch, path: "backup/log")
        rig.add(["/a"])
        #expect(eventually { !rig.transitions.isEmpty })
        let start = MonotonicTime.now
        #expect(rig.stop())
        #expect(MonotonicTime.now - start < 2_000_000_000)
        #expect(rig.writer.state.owedLines == 1)
        #expect(rig.writer.state.syncedSequence == 0)
    }

    @Test func aHungDiskDoesNotHoldUpTheStopOrTheStatus() throws {
        let rig = try WriterRig(scratch)
        rig.store.setHanging(true)
        rig.add(["/a"])
        #expect(eventually { rig.writer.state.workingTime(at: .now) > 50_000_000 })
        #expect(rig.writer.state.owedLines == 1)
        #expect(rig.writer.state.threadIdentifier > 0)
        let start = MonotonicTime.now
        #expect(!rig.stop(milliseconds: 100))
        #expect(MonotonicTime.now - start < 2_000_000_000)
        rig.store.setHanging(false)
        #expect(rig.stop())
        #expect(try scratch.lines("log") == ["/a"])
    }

    @Test func aBrokenStoreIsReadAgainLater() throws {
        let rig = try WriterRig(scratch)
        rig.store.setBroken(true)
        rig.add(["/a"])
        #expect(eventually { rig.transitions.count == 1 })
        rig.store.setBroken(false)
        #expect(eventually { rig.writer.state.health == .ok && rig.writer.state.appendedSequence == 1 })
        #expect(rig.stop())
        #expect(try scratch.lines("log") == ["/a"])
    }

    @Test func anotherPathIsTakenAtOnceAlsoWhileTheOldOneFails() throws {
        let rig = try WriterRig(scratch, path: "missing/log")
        rig.add(["/a"])
        #expect(eventually { rig.transitions.count == 1 })
        rig.writer.reconfigure(path: scratch.bytes("log"), requireMount: nil)
        #expect(eventually { rig.writer.state.appendedSequence == 1 })
        rig.writer.reconfigure(path: scratch.bytes("log2"), requireMount: nil)
        #expect(eventually { rig.writer.state.path == scratch.bytes("log2") })
        rig.add(["/b"])
        #expect(rig.stop())
        #expect(try scratch.lines("log") == ["/a"])
        #expect(try scratch.lines("log2") == ["/b"])
    }

    @Test func anIdleWriterNeverWakesUp() throws {
        let rig = try WriterRig(scratch)
        rig.add(["/a"])
        #expect(eventually { rig.writer.state.syncedSequence == 1 }, "synced by itself")
        #expect(eventually { (try? ChangelogPosition.load(from: scratch.bytes("state")))??.sequence == 1 })
        let status = Array("/proc/self/task/\(rig.writer.state.threadIdentifier)/status".utf8)
        func switches() throws -> String? {
            let text = try OwnedDescriptor.open(status, flags: O_RDONLY).readToEnd()
            return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
                .first { $0.hasPrefix("voluntary_ctxt_switches") }
        }
        func isAsleep() throws -> Bool {
            String(decoding: try OwnedDescriptor.open(status, flags: O_RDONLY).readToEnd(), as: UTF8.self)
                .contains("State:\tS")
        }
        #expect(try eventually { try rig.writer.state.activity == .waiting && isAsleep() })
        let before = try switches()
        usleep(300_000)  // The time in which nothing may happen.
        #expect(try switches() == before)
        #expect(rig.stop())
    }
}
