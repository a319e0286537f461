import Glibc
import LinuxKernel
import Synchronization
import Testing

@testable import Changelog

/// Others handle the log while it is appended to at full speed.
@Suite struct ChangelogStormTests {
    private let scratch = Scratch()
    private static let paths = (0..<60_000).map { "/srv/nfs/app-backup/2026-47/\($0)" }

    private final class Flag: Sendable { let isSet = Atomic<Bool>(false) }

    /// Adds all paths in steps of 100 while another thread calls `interfere` with 0, 1, 2, …
    ///
    /// - Returns: how often it was called.
    private func storm(_ rig: WriterRig, interfere: @escaping @Sendable (Int) -> Void) -> Int {
        let over = Flag()
        let counter = Counter()
        let other = KernelThread(name: "interferer") {
            while !over.isSet.load(ordering: .acquiring) {
                interfere(counter.next())
                usleep(2_000)
            }
        }
        for start in stride(from: 0, to: Self.paths.count, by: 100) {
            rig.add(Array(Self.paths[start..<start + 100]))
            if start % 1_000 == 0 { usleep(500) }
        }
        #expect(eventually { rig.writer.state.appendedSequence == Int64(Self.paths.count) })
        over.isSet.store(true, ordering: .releasing)
        other.join()
        #expect(rig.stop())
        return counter.next()
    }

    private final class Counter: Sendable {
        private let value = Atomic<Int>(0)
        func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
    }

    /// Each generation goes on at the line after the previous one's last, or repeats some before it; so all lines
    /// are there, in order.
    private func expectComplete(_ generations: [[String]]) {
        var next = 0
        for lines in generations where !lines.isEmpty {
            let numbers = lines.map { Int($0.split(separator: "/").last!) }
            guard let first = numbers[0], numbers == (first..<first + lines.count).map({ $0 }) else {
                Issue.record("lines out of order, torn or missing within a generation")
                return
            }
            #expect(first <= next, "lines missing between generations")
            next = max(next, first + lines.count)
        }
        #expect(next == Self.paths.count)
    }

    @Test func movedAwayEveryLineIsInAGenerationInOrder() throws {
        let rig = try WriterRig(scratch)
        let scratch = scratch
        let rounds = storm(rig) { round in _ = rename(scratch.path("log"), scratch.path("log.\(round)")) }
        let generations = (0..<rounds).map { "log.\($0)" }.filter(scratch.exists) + ["log"].filter(scratch.exists)
        #expect(generations.count > 3)
        expectComplete(try generations.map(scratch.lines))
        #expect(rig.transitions.isEmpty)
    }

    @Test func rotatedByCreatingTheNextFileEveryLineIsInAGenerationInOrder() throws {
        let rig = try WriterRig(scratch)
        let scratch = scratch
        let rounds = storm(rig) { round in
            _ = rename(scratch.path("log"), scratch.path("log.\(round)"))
            close(creat(scratch.path("log"), 0o640))
        }
        let generations = (0..<rounds).map { "log.\($0)" }.filter(scratch.exists) + ["log"]
        expectComplete(try generations.map(scratch.lines))
    }

    @Test func truncatedOnlyLinesThatWereInTheFileAreGone() throws {
        let rig = try WriterRig(scratch)
        let scratch = scratch
        let rounds = storm(rig) { _ in truncate(scratch.path("log"), 0) }
        #expect(rounds > 3)
        let rest = try scratch.lines("log")
        #expect(rest == Self.paths.suffix(rest.count))
        #expect(try !scratch.read("log").contains(0))
    }

    @Test func removedOnlyLinesThatWereInTheFileAreGone() throws {
        let rig = try WriterRig(scratch)
        let scratch = scratch
        _ = storm(rig) { _ in unlink(scratch.path("log")) }
        let rest = scratch.exists("log") ? try scratch.lines("log") : []
        #expect(rest == Self.paths.suffix(rest.count))
    }

    @Test(.enabled(if: Scratch.canMount, "needs the right to mount"))
    func aDiskThatFillsUpAndIsFreedHasEveryLineOnce() throws {
        scratch.mountTemporary("mnt")
        let rig = try WriterRig(scratch, path: "mnt/log", requireMount: "mnt")
        rig.add(Self.paths)  // 2 MB into 1 MiB.
        #expect(eventually { rig.transitions.count == 1 })
        if case .failing(let failure) = rig.transitions.first { #expect(failure.reason == .full) }
        #expect(scratch.resize("mnt", "8m") == 0)
        #expect(eventually { rig.writer.state.appendedSequence == Int64(Self.paths.count) })
        #expect(eventually { rig.transitions.count == 2 })
        #expect(rig.stop())
        #expect(try scratch.lines("mnt/log") == Self.paths)
    }

    @Test(.enabled(if: Scratch.canMount, "needs the right to mount"))
    func anUnmountedDiskGetsWhatIsOwedWhenItIsBack() throws {
        scratch.mountTemporary("mnt")
        let rig = try WriterRig(scratch, path: "mnt/log", requireMount: "mnt")
        rig.add(["/a"])
        #expect(eventually { rig.writer.state.syncedSequence == 1 })
        #expect(scratch.unmount("mnt") == 0, "an idle log keeps no disk busy")
        rig.add(["/b"])
        #expect(eventually { rig.transitions.count == 1 })
        #expect(!scratch.exists("mnt/log"))
        scratch.mountTemporary("mnt")
        #expect(eventually { rig.writer.state.health == .ok })
        #expect(rig.stop())
        #expect(try scratch.lines("mnt/log") == ["/b"])
    }

    @Test(.enabled(if: Scratch.canMount, "needs the right to mount"))
    func aFullStateDirectoryHoldsNoLineUp() throws {
        scratch.mountTemporary("state")
        let rig = try WriterRig(scratch)
        #expect(scratch.fillUp("state"))
        rig.add(["/a"])
        #expect(eventually { rig.transitions.count == 1 })
        if case .failing(let failure) = rig.transitions.first {
            #expect(failure.step == .savePosition && failure.reason == .full)
        }
        rig.add(["/b"])
        #expect(eventually { rig.writer.state.appendedSequence == 2 })
        scratch.removeFile("state/ballast")
        #expect(eventually { rig.writer.state.health == .ok })
        #expect(rig.stop())
        #expect(try scratch.lines("log") == ["/a", "/b"])
        #expect(try ChangelogPosition.load(from: scratch.bytes("state"))?.sequence == 2)
    }
}
