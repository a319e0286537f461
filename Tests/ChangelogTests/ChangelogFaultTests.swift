import Glibc
import LinuxKernel
import SystemPackage
import Testing

@testable import Changelog

/// The log's file system fails under it: in random ways, and at the moment of the sync.
@Suite(.enabled(if: Scratch.canMount, "needs the right to mount"))
struct ChangelogFaultTests {
    private let scratch = Scratch()

    /// The number at the end of each line that has one; a torn piece at the end, without a newline, is no line.
    private func numbers(_ text: [UInt8]) -> [Int] {
        text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().compactMap { line in
            guard line.starts(with: Array("/srv/nfs/".utf8)), line.last == UInt8(ascii: ".") else { return nil }
            return Int(String(decoding: line.dropFirst(9).dropLast(), as: UTF8.self))
        }
    }

    /// The first number that does not follow in order; `count` when all are there. Numbers may repeat.
    private func firstMissing(_ numbers: [Int]) -> Int {
        var next = 0
        for number in numbers {
            if number > next { break }
            next = max(next, number + 1)
        }
        return next
    }

    private func path(_ number: Int) -> String { "/srv/nfs/\(number)." }

    @Test(arguments: 0..<4) func randomFaultsLoseNoLine(_ run: Int) throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        scratch.mountTemporary("mnt", size: "64m")
        let rig = try WriterRig(scratch, path: "mnt/log", requireMount: "mnt")
        var generations = 0
        var added = 0
        func heal() {
            _ = scratch.remount("mnt", readOnly: false)
            _ = scratch.resize("mnt", "64m")
            rig.writer.retryNow()
        }
        for _ in 0..<150 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                if rename(scratch.path("mnt/log"), scratch.path("mnt/log.\(generations)")) == 0 { generations += 1 }
            case 1: _ = scratch.resize("mnt", "\(Int.random(in: 1...64, using: &random) * 64)k")
            case 2: _ = scratch.remount("mnt", readOnly: true)  // Refused while the log is open.
            case 3, 4: heal()
            default:
                let count = Int.random(in: 1...3_000, using: &random)
                rig.add((added..<added + count).map(path))
                added += count
            }
            if Bool.random(using: &random) { usleep(UInt32.random(in: 0...3_000, using: &random)) }
        }
        heal()
        #expect(eventually { rig.writer.state.appendedSequence == Int64(added) }, "seed \(seed)")
        #expect(rig.stop())
        let names = (0..<generations).map { "mnt/log.\($0)" } + ["mnt/log"].filter(scratch.exists)
        let all = try names.flatMap { numbers(try scratch.read($0)) }
        #expect(firstMissing(all) == added, "seed \(seed)")
        // The last generation has no torn line, the others only at their ends: no line is glued to another.
        for name in names {
            let text = try scratch.read(name)
            #expect(numbers(text).count == text.count { $0 == UInt8(ascii: "\n") }, "\(name), seed \(seed)")
        }
    }

    /// A file system on a loop device whose backing store is full: writes reach the page cache, and fdatasync fails.
    @Test(.enabled(if: access("/sbin/mkfs.ext2", X_OK) == 0, "needs mkfs.ext2"))
    func aFailedSyncAppendsAgainWhatTheDiskDidNotTake() throws {
        scratch.mountTemporary("back", size: "2m")
        scratch.makeDirectory("mnt")
        try scratch.write("back/disk", [])
        #expect(truncate(scratch.path("back/disk"), 16 << 20) == 0)
        #expect(run("/sbin/mkfs.ext2", ["-qF", scratch.path("back/disk")]) == 0)
        let mountDisk = ["-t", "ext2", "-o", "loop", scratch.path("back/disk"), scratch.path("mnt")]
        guard run("/bin/mount", mountDisk) == 0 else { return }  // No loop devices here.

        let rig = try WriterRig(scratch, path: "mnt/log", requireMount: "mnt")
        rig.add([path(0)])
        #expect(eventually { rig.writer.state.syncedSequence == 1 })
        #expect(scratch.fillUp("back"))
        rig.add((1..<20_000).map(path))
        #expect(eventually { !rig.transitions.isEmpty })
        guard case .failing(let failure) = rig.transitions.first else { return }
        #expect(failure.step == .synchronize)
        #expect(rig.writer.state.syncedSequence == 1)
        #expect(try ChangelogPosition.load(from: scratch.bytes("state"))?.sequence == 1)

        scratch.removeFile("back/ballast")
        #expect(scratch.resize("back", "32m") == 0)
        rig.writer.retryNow()
        #expect(eventually { rig.writer.state.syncedSequence == 20_000 && rig.writer.state.health == .ok })
        #expect(rig.stop())
        // What the disk holds, not the page cache: blocks of zeros where the lines were lost, then all of them.
        #expect(scratch.unmount("mnt") == 0)
        #expect(run("/bin/mount", mountDisk) == 0)
        #expect(numbers(try scratch.read("mnt/log")).suffix(19_999) == ArraySlice(1..<20_000))
        #expect(scratch.unmount("mnt") == 0)
    }

    /// Runs a program and waits for its end. Returns its exit status.
    private func run(_ program: String, _ arguments: [String]) -> Int32 {
        var child = pid_t()
        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        defer { for argument in argv { free(argument) } }
        argv.append(nil)
        var status: Int32 = -1
        guard posix_spawn(&child, program, nil, nil, argv, environ) == 0 else { return -1 }
        while waitpid(child, &status, 0) == -1 && errno == EINTR {}
        return status
    }
}
